/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "policy/policy_decide.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char policy_text[] = "version: 1\n"
				  "allow:\n"
				  "  - containers.*\n"
				  "  - \"GET /images/**\"\n"
				  "  - \"GET /volumes/*\"\n"
				  "deny:\n"
				  "  - containers.kill\n"
				  "  - \"* /containers/*/rename\"\n"
				  "containers:\n"
				  "  privileged: true\n"
				  "  cap_add: [CHOWN, KILL]\n"
				  "  binds: [/srv, {source: /data, mode: rw}]\n"
				  "  memory_max: 1g\n";

static const char main_text[] =
	"version: 1\n"
	"listeners:\n"
	"  - {unix: /a.sock, policy: zz-p, group: docker, allowed_origins: [http://a]}\n"
	"  - {tcp: 127.0.0.1:1, policy: zz-p}\n"
	"engines:\n"
	"  - {name: e, socket: /e.sock, also: [/c.sock], allow: [{exe: /usr/bin/e}]}\n"
	"policies:\n"
	"  - {when: {uid: 5}, policy: zz-p}\n";

/* A real image with something of everything in it; malloc()ed, so that the sanitizer sees its ends. */
static char *make_image(struct scratch *s, size_t *ret_n)
{
	struct stat st;
	char *copy;
	int fd;

	scratch_open(s);
	scratch_write(s, "zz-p.yaml", policy_text);
	if (scratch_load(s, scratch_write(s, "c.yaml", main_text), true) < 0)
		abort();
	fd = config_seal(s->build);
	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	*ret_n = (size_t)st.st_size;
	copy = malloc(*ret_n);
	if (!copy || pread(fd, copy, *ret_n, 0) != st.st_size)
		abort();
	close(fd);
	return copy;
}

/* Reads everything that an image offers, as its users would: what is out of range, the sanitizer reports. */
static uint64_t use_image(const struct policy_image *image)
{
	static const struct {
		enum http_method method;
		const char *target;
	} requests[] = {
		{ HTTP_GET, "/containers/json" },    { HTTP_POST, "/containers/a/rename" },
		{ HTTP_GET, "/images/a/b/json" },    { HTTP_GET, "/volumes/x" },
		{ HTTP_POST, "/containers/a/kill" },
	};
	static char scratch[API_TARGET_SCRATCH];
	static struct api_target target;
	struct policy_decision decision = { 0 };
	uint64_t sum = 0;
	const char *why;

	for (uint32_t p = 0; p < image->policies.count; p++) {
		const struct image_policy *policy = policy_image_at(image, p);

		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
			if (api_target_parse(requests[i].method, str_from(requests[i].target), scratch,
					     &target, &why) < 0)
				abort();
			policy_decide(image, policy, NULL, &target, &decision);
			sum += decision.allow + decision.reason_len + (unsigned char)decision.reason[0];
			for (size_t k = 0; k < decision.rule.n; k++)
				sum += (unsigned char)decision.rule.p[k];
		}
		for (unsigned key = 0; key < POLICY_KEYS; key++) {
			const struct image_value *v = &policy->values[key];

			for (uint32_t i = 0; i < v->list.count; i++) {
				struct str s = image_string(
					image,
					policy_keys[key].type == POLICY_BINDS
						? IMAGE_LIST(image, struct image_bind, v->list)[i].source
						: IMAGE_LIST(image, struct image_str, v->list)[i]);

				for (size_t k = 0; k < s.n; k++)
					sum += (unsigned char)s.p[k];
			}
		}
	}
	for (uint32_t i = 0; i < image->listeners.count; i++) {
		const struct image_listener *l =
			IMAGE_LIST(image, struct image_listener, image->listeners) + i;
		struct policy_peer peer = { 5, 5, 5 };

		sum += policy_for(image, l, &peer)->compat + image_string(image, l->address).n;
	}
	return sum;
}

static void the_image_is_sealed_and_the_same_each_time(void)
{
	const struct policy_image *image = NULL;
	struct scratch s;
	size_t n, again_n;
	char *a = make_image(&s, &n), *b;
	const char *why = NULL;
	int fd = config_seal(s.build);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 0), -1);
	CU_ASSERT_EQUAL(errno, EPERM);
	CU_ASSERT_EQUAL_FATAL(policy_image_map(fd, &image, &why), 0);
	CU_ASSERT_EQUAL(image->size, n);
	CU_ASSERT_EQUAL(memcmp(image, a, n), 0);
	CU_ASSERT_PTR_NOT_NULL(policy_image_find(image, STR("zz-p")));
	CU_ASSERT_PTR_NULL(policy_image_find(image, STR("zz")));
	policy_image_unmap(image);
	close(fd);
	fd = config_seal(s.build);
	again_n = n;
	b = malloc(n);
	CU_ASSERT_EQUAL(pread(fd, b, again_n, 0), (ssize_t)n);
	CU_ASSERT_EQUAL(memcmp(a, b, n), 0);
	close(fd);
	free(a);
	free(b);
	scratch_close(&s);
}

static void an_unsealed_or_short_file_is_not_mapped(void)
{
	const struct policy_image *image = NULL;
	struct scratch s;
	size_t n;
	char *copy = make_image(&s, &n);
	const char *why = NULL;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CU_ASSERT_EQUAL_FATAL(write(fd, copy, n), (ssize_t)n);
	CU_ASSERT_EQUAL(policy_image_map(fd, &image, &why), -EBADMSG);
	CU_ASSERT_STRING_EQUAL(why, "the image is not sealed");
	CU_ASSERT_EQUAL(ftruncate(fd, 10), 0);
	CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	CU_ASSERT_EQUAL(policy_image_map(fd, &image, &why), -EBADMSG);
	CU_ASSERT_STRING_EQUAL(why, "the image has an impossible size");
	CU_ASSERT_PTR_NULL(image);
	close(fd);
	free(copy);
	scratch_close(&s);
}

static void every_changed_byte_is_noticed(void)
{
	struct scratch s;
	size_t n;
	char *image = make_image(&s, &n);
	const char *why = NULL;
	unsigned accepted = 0;

	CU_ASSERT_EQUAL(policy_image_check(image, n, &why), 0);
	for (size_t i = 0; i < n; i++) {
		image[i] = (char)~image[i];
		/* The gate's settings stand in the header, which the hash leaves out. */
		if (i < offsetof(struct policy_image, gate) || i >= sizeof(struct policy_image))
			accepted += policy_image_check(image, n, &why) == 0;
		image[i] = (char)~image[i];
	}
	CU_ASSERT_EQUAL(accepted, 0);
	for (size_t cut = 1; cut < n; cut += 97)
		CU_ASSERT_NOT_EQUAL(policy_image_check(image, n - cut, &why), 0);
	free(image);
	scratch_close(&s);
}

/* The same by somebody who can compute the hash: then only the checks of offsets stand in the way. */
static void no_changed_word_leads_outside(void)
{
	static const uint32_t values[] = { 0, 1, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };
	struct scratch s;
	size_t n;
	char *image = make_image(&s, &n);
	struct policy_image *head = (struct policy_image *)(void *)image;
	const char *why = NULL;
	unsigned refused = 0, accepted = 0;
	uint64_t sum = use_image(head);

	for (size_t i = 0; i + 4 <= n; i += 4) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]) + 3; v++) {
			uint64_t hash = head->hash;
			uint32_t old, new;

			memcpy(&old, image + i, 4);
			new = v < 7 ? values[v] : v == 7 ? old + 1 : v == 8 ? old - 1 : (uint32_t)n - old;
			memcpy(image + i, &new, 4);
			if (i < offsetof(struct policy_image, hash) ||
			    i >= offsetof(struct policy_image, gate))
				head->hash = policy_image_hash(image, n);
			if (policy_image_check(image, n, &why) == 0) {
				sum += use_image(head);
				accepted++;
			} else {
				refused++;
			}
			memcpy(image + i, &old, 4);
			head->hash = hash;
		}
	}
	/* Both happen: text may say anything, offsets may not. */
	CU_ASSERT_TRUE(refused > 1000);
	CU_ASSERT_TRUE(accepted > 1000);
	CU_ASSERT_NOT_EQUAL(sum, 0);
	free(image);
	scratch_close(&s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the image is sealed, and the same each time", the_image_is_sealed_and_the_same_each_time },
		{ "an unsealed or short file is not mapped", an_unsealed_or_short_file_is_not_mapped },
		{ "every changed byte is noticed", every_changed_byte_is_noticed },
		{ "no changed word leads outside", no_changed_word_leads_outside },
		CU_TEST_INFO_NULL,
	};

	return check_main("config/config_seal", tests);
}
