/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit_key.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/eddsa.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX_MAX 16
#define PEM_MAX    256

/* RFC 8410: the DER around 32 bytes of key never varies. */
struct form {
	const char *begin, *end;
	uint8_t prefix[PREFIX_MAX];
	size_t prefix_n;
};

static const struct form secret_form = {
	"-----BEGIN PRIVATE KEY-----\n",
	"-----END PRIVATE KEY-----\n",
	{ 0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20 },
	16,
};
static const struct form public_form = {
	"-----BEGIN PUBLIC KEY-----\n",
	"-----END PUBLIC KEY-----\n",
	{ 0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0 },
	12,
};

static int decode(const struct form *form, struct str text, uint8_t ret[AUDIT_KEY_SIZE])
{
	uint8_t der[BASE64_DECODE_LENGTH(PEM_MAX)];
	struct base64_decode_ctx context;
	size_t n = sizeof(der), begin = strlen(form->begin), end = strlen(form->end);

	if (text.n < begin + end || text.n > PEM_MAX || !str_starts(text, str_from(form->begin)) ||
	    memcmp(text.p + text.n - end, form->end, end) != 0)
		return -EBADMSG;
	base64_decode_init(&context);
	if (!base64_decode_update(&context, &n, der, text.n - begin - end, text.p + begin) ||
	    !base64_decode_final(&context) || n != form->prefix_n + AUDIT_KEY_SIZE ||
	    memcmp(der, form->prefix, form->prefix_n) != 0)
		return -EBADMSG;
	memcpy(ret, der + form->prefix_n, AUDIT_KEY_SIZE);
	explicit_bzero(der, sizeof(der));
	return 0;
}

static void encode(const struct form *form, const uint8_t key[AUDIT_KEY_SIZE], struct buf *out)
{
	uint8_t der[PREFIX_MAX + AUDIT_KEY_SIZE];
	char text[BASE64_ENCODE_RAW_LENGTH(sizeof(der))];
	size_t n = form->prefix_n + AUDIT_KEY_SIZE;

	memcpy(der, form->prefix, form->prefix_n);
	memcpy(der + form->prefix_n, key, AUDIT_KEY_SIZE);
	base64_encode_raw(text, n, der);
	buf_puts(out, form->begin);
	buf_append(out, text, BASE64_ENCODE_RAW_LENGTH(n));
	buf_putc(out, '\n');
	buf_puts(out, form->end);
	explicit_bzero(der, sizeof(der));
	explicit_bzero(text, sizeof(text));
}

static int load(const char *path, const struct form *form, mode_t forbidden, uint8_t ret[AUDIT_KEY_SIZE])
{
	char text[PEM_MAX + 1];
	struct stat st;
	ssize_t n;
	int r = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && (st.st_mode & forbidden))
		r = -EPERM;
	n = read(fd, text, sizeof(text));
	if (n < 0 && r == 0)
		r = -errno;
	close(fd);
	if (r == 0)
		r = decode(form, (struct str){ text, (size_t)n }, ret);
	explicit_bzero(text, sizeof(text));
	return r;
}

int audit_key_load(const char *path, struct audit_key *ret)
{
	int r = load(path, &secret_form, 077, ret->secret);

	if (r == 0)
		ed25519_sha512_public_key(ret->public, ret->secret);
	return r;
}

int audit_key_load_public(const char *path, struct audit_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	return load(path, &public_form, 0, ret->public);
}

static int write_key(const char *path, const struct form *form, const uint8_t key[AUDIT_KEY_SIZE], int flags,
		     mode_t mode)
{
	char memory[PEM_MAX];
	struct buf text = buf_over(memory, sizeof(memory));
	int r = 0, fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode);

	if (fd < 0)
		return -errno;
	encode(form, key, &text);
	if (write(fd, text.p, text.n) != (ssize_t)text.n || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	close(fd);
	if (r < 0)
		(void)unlink(path);
	explicit_bzero(memory, sizeof(memory));
	return r;
}

int audit_key_make(const char *path, const char *public_path, struct audit_key *ret)
{
	int r;

	if (getrandom(ret->secret, sizeof(ret->secret), 0) != (ssize_t)sizeof(ret->secret))
		return -errno;
	ed25519_sha512_public_key(ret->public, ret->secret);
	errno = 0;
	r = write_key(path, &secret_form, ret->secret, O_EXCL, 0600);
	return r == 0 ? write_key(public_path, &public_form, ret->public, O_TRUNC, 0644) : r;
}

void audit_key_sign(const struct audit_key *key, struct str text, uint8_t ret[AUDIT_SIGNATURE_SIZE])
{
	ed25519_sha512_sign(key->public, key->secret, text.n, (const uint8_t *)text.p, ret);
}

bool audit_key_verify(const struct audit_key *key, struct str text,
		      const uint8_t signature[AUDIT_SIGNATURE_SIZE])
{
	return ed25519_sha512_verify(key->public, text.n, (const uint8_t *)text.p, signature) != 0;
}
