/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPEND        (O_APPEND | O_CLOEXEC | O_NOCTTY)
#define WRITER_MEMORY (4 * (size_t)AUDIT_LINE_MAX)

static int fail(const char *what, const char *name, int error)
{
	fprintf(stderr, "sockgate-proxy: %s %s: %s\n", what, name, strerror(-error));
	return error;
}

/* The reader of a pipe must not be able to hold up requests: see audit_writer.c. */
static int open_standard_output(void)
{
	struct stat st;
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		fprintf(stderr, "sockgate-proxy: warning: standard output stays blocking: %s\n",
			strerror(errno));
	return fd;
}

/* Remembers where the file is, for a time when its whole path may lead nowhere. */
static int keep_place(struct trail *trail, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char directory[PATH_MAX];

	if (snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path + 1) : 1,
		     slash ? path : ".") >= (int)sizeof(directory) ||
	    snprintf(trail->name, sizeof(trail->name), "%s", name) >= (int)sizeof(trail->name))
		return -ENAMETOOLONG;
	trail->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return trail->directory < 0 ? -errno : 0;
}

/* Signer and writer; opens nothing. */
static int make_signer(struct trail *trail, const char *key_file)
{
	struct audit_key key;
	char *memory = NULL;
	int r = audit_key_load(key_file, &key);

	if (r < 0)
		return fail(r == -EPERM ? "others may read the key" : "cannot read the key", key_file, r);
	r = audit_signer_init(&trail->signer, &key);
	explicit_bzero(&key, sizeof(key));
	if (r == 0)
		memory = malloc(WRITER_MEMORY);
	if (!memory)
		return fail("cannot sign with", key_file, -ENOMEM);
	return audit_writer_init(&trail->writer, memory, WRITER_MEMORY, "sockgate-proxy");
}

static int begin_signing(struct trail *trail, const char *path, const char *key_file, uint64_t policy_hash)
{
	int r = make_signer(trail, key_file), reader, appender;

	if (r < 0)
		return r;
	reader = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	appender = reader < 0 ? -1 : open(path, O_WRONLY | APPEND);
	if (appender < 0)
		return fail("cannot read the audit trail", path, -errno);
	trail->writer.policy_hash = policy_hash;
	audit_signer_open(&trail->signer, reader);
	audit_writer_open(&trail->writer, appender);
	trail->signs = true;
	return 0;
}

int trail_open(struct trail *trail, const struct policy_image *image, const char *key_file, int *ret_fd)
{
	struct str path = image_string(image, image->audit_path);
	char name[PATH_MAX];
	struct stat st;
	int r = 0, fd;

	*trail = (struct trail){ .directory = -1 };
	*ret_fd = -1;
	if (path.n >= sizeof(name))
		return fail("cannot open the audit trail", "", -ENAMETOOLONG);
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	if (key_file && (path.n == 0 || str_eqz(path, "-")))
		return fail("only a trail in a file can be read again and signed, with", key_file, -EINVAL);
	if (path.n == 0)
		return 0;
	fd = str_eqz(path, "-") ? open_standard_output() : open(name, O_WRONLY | O_CREAT | APPEND, 0640);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail("cannot open the audit trail", name, -errno);
	if (S_ISREG(st.st_mode) && !str_eqz(path, "-"))
		r = keep_place(trail, name);
	if (r == 0 && key_file)
		r = begin_signing(trail, name, key_file, image->hash);
	else if (r < 0)
		(void)fail("cannot keep the folder of the audit trail", name, r);
	if (r < 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

/* These flags, and no others, are what sandbox_syscalls.c lets through. */
static int open_again(const struct trail *trail, int mode, int create)
{
	int fd = openat(trail->directory, trail->name, mode | create | APPEND | O_NOFOLLOW, 0640);

	return fd < 0 ? -errno : fd;
}

int trail_reopen(struct trail *trail, int *ret_fd)
{
	int fd, reader = -1, appender = -1;

	if (trail->directory < 0)
		return -ENOTSUP; /* a pipe or a terminal: its reader rotates */
	fd = open_again(trail, O_WRONLY, O_CREAT);
	if (fd >= 0 && trail->signs) {
		reader = open_again(trail, O_RDWR, 0);
		appender = reader < 0 ? reader : open_again(trail, O_WRONLY, 0);
		if (appender < 0) {
			close(fd);
			fd = appender;
		}
	}
	if (fd < 0) {
		if (reader >= 0)
			close(reader);
		return fail("the audit trail goes on in the old file: cannot open", trail->name, fd);
	}
	if (trail->signs) {
		audit_signer_open(&trail->signer, reader);
		audit_writer_open(&trail->writer, appender);
	}
	*ret_fd = fd;
	return 0;
}

void trail_sign(struct trail *trail, bool last)
{
	struct timespec now;
	int r;

	if (!trail->signs)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!last && now.tv_sec - trail->looked_at < TRAIL_SIGN_MS / 1000)
		return;
	trail->looked_at = now.tv_sec;
	r = audit_signer_tick(&trail->signer, &trail->writer, last);
	if (r < 0 && r != -trail->writer.error)
		(void)fail("cannot read the audit trail", trail->name, r);
	if (last)
		audit_writer_close(&trail->writer);
}
