/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.h - a stage on which everything is allowed by its rule, so that limits and lookups alone decide; and
 * what the tests of a whole worker say and expect on it.
 */
#ifndef SOCKGATE_TESTS_SCENE_H
#define SOCKGATE_TESTS_SCENE_H

#include "../policy/inspect_fixture.h"
#include "check.h"
#include "stage.h"

static struct fixture fixture;
static struct stage stage;

static inline void open_stage(void)
{
	struct image_policy *policy;
	uint32_t at;

	fixture_init(&fixture);
	at = fixture_take(&fixture, sizeof(struct image_listener));
	fixture_image(&fixture)->listeners = (struct image_list){ at, 1 };
	policy = fixture_policy(&fixture);
	at = fixture_take(&fixture, sizeof(struct image_source));
	policy->sources = (struct image_list){ at, 1 };
	for (unsigned i = 0; i < API_OPERATIONS; i++)
		policy->verdicts[i].allow = 1;
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CHECK_STORED, "false");
	stage_open(&stage, fixture_image(&fixture));
}

/* Everybody hangs up: then nobody may be left over, and nothing that belonged to them. */
static inline void close_stage(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	stage_run(&stage);
	CU_ASSERT_EQUAL(stage.worker.n_clients, 0);
	CU_ASSERT_EQUAL(stage.worker.engines[0].n_idle, 0);
	CU_ASSERT_PTR_NULL(stage.worker.engines[0].waiting);
	CU_ASSERT_PTR_NULL(stage.worker.resolving);
	stage_close(&stage);
}
#define CLOSE_STAGE(...) \
	close_stage((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

static inline void put(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static inline void put_run(int fd, const char *text)
{
	put(fd, text);
	stage_run(&stage);
}

/* What has come, as text; "<end>" stands for the end, "<reset>" for a broken connection. */
static inline const char *got(int fd)
{
	static char text[65536];
	size_t n = 0;
	ssize_t r = 1;

	while (n < sizeof(text) - 16 && (r = recv(fd, text + n, sizeof(text) - 16 - n, 0)) > 0)
		n += (size_t)r;
	strcpy(text + n, r == 0 ? "<end>" : errno == ECONNRESET ? "<reset>" : "");
	return text;
}

static inline void expect(int fd, const char *wanted)
{
	const char *is = got(fd);

	CU_ASSERT_STRING_EQUAL(is, wanted);
	if (strcmp(is, wanted) != 0)
		printf("\n    got \"%s\"\n    not \"%s\"\n", is, wanted);
}

/* A refusal of ours with that status and, at its end, whatever `behind` says. */
static inline void expect_refusal(int fd, unsigned status, const char *behind)
{
	const char *is = got(fd);
	char line[32];
	bool good;

	snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	good = strncmp(is, line, strlen(line)) == 0 && strstr(is, "sockgate: ") &&
	       strcmp(is + strlen(is) - strlen(behind), behind) == 0;
	CU_ASSERT_TRUE(good);
	if (!good)
		printf("\n    got \"%s\"\n    not a %u that ends in \"%s\"\n", is, status, behind);
}

#define GET(path)     "GET " path " HTTP/1.1\r\nHost: docker\r\n\r\n"
#define POST(path)    "POST " path " HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
#define OK(text, n)   "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n" text
#define UPGRADE(path) "POST " path " HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
#define UPGRADE_SENT(path) \
	"POST " path \
	" HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

#endif
