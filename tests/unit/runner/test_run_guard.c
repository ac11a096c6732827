/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "place.h"
#include "run/run_guard.h"

/* The guard of what is at a path now, by whatever name. */
static const struct run_guard *judge(struct run_guards *guards, const char *path)
{
	const struct run_guard *guard = NULL;
	int pin = open(path, O_PATH | O_CLOEXEC);

	CU_ASSERT_TRUE_FATAL(pin >= 0);
	CU_ASSERT_EQUAL(run_guards_judge(guards, pin, &guard), 0);
	close(pin);
	return guard;
}

static void names_are_understood_or_refused(void)
{
	static const char *const bad[] = { "",     "x",     "./x",       "/",      "@",
					   "tcp:", "tcp:0", "tcp:65536", "tcp:1x", "tcp:-1" };
	struct run_guards guards;
	char name[300];

	run_guards_init(&guards);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(run_guards_add(&guards, bad[i], true), -EINVAL);
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	CU_ASSERT_EQUAL(run_guards_add(&guards, name, true), -EINVAL);
	CU_ASSERT_EQUAL(guards.n, 0);
	CU_ASSERT_EQUAL(run_guards_add(&guards, "/run/docker.sock", true), 0);
	CU_ASSERT_EQUAL(run_guards_add(&guards, "/var/run/docker.sock", false), 0);
	CU_ASSERT_EQUAL(guards.n, 1);
	CU_ASSERT_TRUE(guards.guards[0].redirect);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/var/run/docker.sock"), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/run/docker.sock"), -ENOENT);
	run_guards_free(&guards);
}

static void defaults_know_the_engine_and_the_user(void)
{
	struct run_guards guards;

	run_guards_init(&guards);
	CU_ASSERT_EQUAL(run_guards_add_defaults(&guards, NULL, NULL), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/run/docker.sock"), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "tcp:2375"), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/run/user/7/docker.sock"), -ENOENT);
	CU_ASSERT_EQUAL(run_guards_add_defaults(&guards, "/home/u", "/run/user/7"), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/run/user/7/docker.sock"), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/run/user/7/bus"), 0);
	CU_ASSERT_EQUAL(run_guards_remove(&guards, "/home/u/.docker/desktop/docker.sock"), 0);
	run_guards_free(&guards);
}

static void a_socket_is_known_by_any_name(void)
{
	struct place place = place_make();
	char *engine = place_path(&place, "engine"), *other = place_path(&place, "other"),
	     *linked = place_path(&place, "linked"), *moved = place_path(&place, "moved");
	int fds[2] = { place_listen(engine), place_listen(other) };
	struct run_guards guards;

	run_guards_init(&guards);
	CU_ASSERT_EQUAL(run_guards_add(&guards, engine, true), 0);
	CU_ASSERT_PTR_NOT_NULL(judge(&guards, engine));
	CU_ASSERT_PTR_NULL(judge(&guards, other));
	CU_ASSERT_PTR_NULL(judge(&guards, place.folder));
	CU_ASSERT_EQUAL(link(engine, linked), 0);
	CU_ASSERT_EQUAL(rename(engine, moved), 0);
	CU_ASSERT_PTR_NOT_NULL(judge(&guards, linked));
	CU_ASSERT_PTR_NOT_NULL(judge(&guards, moved));
	/* Another socket under the guarded name is guarded, whatever it was bound to. */
	CU_ASSERT_EQUAL(rename(other, engine), 0);
	CU_ASSERT_PTR_NOT_NULL(judge(&guards, engine));
	run_guards_free(&guards);
	close(fds[0]);
	close(fds[1]);
	place_remove(&place);
	free(engine);
	free(other);
	free(linked);
	free(moved);
}

static void a_socket_that_was_never_seen_is_known_by_what_it_was_bound_to(void)
{
	struct place place = place_make();
	char *engine = place_path(&place, "engine"), *moved = place_path(&place, "moved"),
	     *folder = place_path(&place, "");
	int fd = place_listen(engine);
	struct run_guards guards, folders;

	CU_ASSERT_EQUAL(rename(engine, moved), 0);
	run_guards_init(&guards);
	CU_ASSERT_EQUAL(run_guards_add(&guards, engine, true), 0);
	CU_ASSERT_PTR_NOT_NULL(judge(&guards, moved));
	run_guards_init(&folders);
	CU_ASSERT_EQUAL(run_guards_add(&folders, folder, false), 0);
	CU_ASSERT_PTR_NOT_NULL(judge(&folders, moved));
	run_guards_free(&guards);
	run_guards_free(&folders);
	close(fd);
	place_remove(&place);
	free(engine);
	free(moved);
	free(folder);
}

static void too_many_sockets_at_one_name_end_in_refusal(void)
{
	struct place place = place_make();
	char *engine = place_path(&place, "engine"), *other = place_path(&place, "other");
	const struct run_guard *guard;
	struct run_guards guards;
	int fds[RUN_GUARD_SEEN_MAX + 1], fd = place_listen(other), pin;

	run_guards_init(&guards);
	CU_ASSERT_EQUAL(run_guards_add(&guards, engine, true), 0);
	for (size_t i = 0; i < RUN_GUARD_SEEN_MAX; i++) {
		fds[i] = place_listen(engine);
		CU_ASSERT_EQUAL(run_guards_look(&guards), 0);
		unlink(engine);
	}
	fds[RUN_GUARD_SEEN_MAX] = place_listen(engine);
	pin = open(other, O_PATH | O_CLOEXEC);
	CU_ASSERT_EQUAL(run_guards_judge(&guards, pin, &guard), -ENOSPC);
	close(pin);
	run_guards_free(&guards);
	for (size_t i = 0; i <= RUN_GUARD_SEEN_MAX; i++)
		close(fds[i]);
	close(fd);
	place_remove(&place);
	free(engine);
	free(other);
}

static void abstract_names_are_compared_whole(void)
{
	struct run_guards guards;

	run_guards_init(&guards);
	CU_ASSERT_EQUAL(run_guards_add(&guards, "@docker", true), 0);
	CU_ASSERT_PTR_NOT_NULL(run_guards_judge_abstract(&guards, "docker", 6));
	CU_ASSERT_PTR_NULL(run_guards_judge_abstract(&guards, "docker", 7));
	CU_ASSERT_PTR_NULL(run_guards_judge_abstract(&guards, "docke", 5));
	CU_ASSERT_PTR_NULL(run_guards_judge_abstract(&guards, "", 0));
	run_guards_free(&guards);
}

static const struct run_guard *tcp(const struct run_guards *guards, const char *host, unsigned short port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		return run_guards_judge_tcp(guards, (const struct sockaddr *)&v4, sizeof(v4));
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, host, &v6.sin6_addr), 1);
	return run_guards_judge_tcp(guards, (const struct sockaddr *)&v6, sizeof(v6));
}

static void tcp_is_guarded_at_this_machines_addresses(void)
{
	struct run_guards guards;

	run_guards_init(&guards);
	CU_ASSERT_EQUAL(run_guards_add(&guards, "tcp:2375", false), 0);
	CU_ASSERT_PTR_NOT_NULL(tcp(&guards, "127.0.0.1", 2375));
	CU_ASSERT_PTR_NOT_NULL(tcp(&guards, "127.8.7.6", 2375));
	CU_ASSERT_PTR_NOT_NULL(tcp(&guards, "0.0.0.0", 2375));
	CU_ASSERT_PTR_NOT_NULL(tcp(&guards, "::ffff:127.0.0.1", 2375));
	CU_ASSERT_PTR_NULL(tcp(&guards, "127.0.0.1", 2377));
	CU_ASSERT_PTR_NULL(tcp(&guards, "192.0.2.1", 2375));
	run_guards_free(&guards);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "names are understood or refused", names_are_understood_or_refused },
		{ "defaults know the engine and the user", defaults_know_the_engine_and_the_user },
		{ "a socket is known by any name", a_socket_is_known_by_any_name },
		{ "a socket that was never seen is known by what it was bound to",
		  a_socket_that_was_never_seen_is_known_by_what_it_was_bound_to },
		{ "too many sockets at one name end in refusal",
		  too_many_sockets_at_one_name_end_in_refusal },
		{ "abstract names are compared whole", abstract_names_are_compared_whole },
		{ "TCP is guarded at this machine's addresses", tcp_is_guarded_at_this_machines_addresses },
		CU_TEST_INFO_NULL,
	};

	return check_main("run/run_guard", tests);
}
