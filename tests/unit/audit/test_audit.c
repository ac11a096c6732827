/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/audit.h"
#include "check.h"

static const struct timespec epoch = { .tv_sec = 1764000000, .tv_nsec = 123456789 };

static void a_request_is_one_json_line(void)
{
	struct audit_request r = {
		.time = epoch,
		.allow = true,
		.method = STR("GET"),
		.path = STR("/containers/json"),
		.operation = STR("containers.list"),
		.policy = STR("readonly"),
		.rule = STR("containers.list"),
		.file = STR("policies/readonly.yaml"),
		.line = 7,
		.rewritten = STR("HostConfig.PidsLimit: 256 filled in"),
		.listener = STR("unix:/run/sockgate/docker.sock"),
		.uid = 1000,
		.gid = 100,
		.pid = 42,
		.policy_hash = 0xabc,
	};
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory));

	audit_format_request(&out, &r);
	CU_ASSERT_TRUE(str_eqz(
		buf_view(&out),
		"{\"@timestamp\":\"2025-11-24T16:00:00.123456Z\",\"event.kind\":\"event\",\"event.category\":"
		"[\"network\"],"
		"\"event.action\":\"request\",\"event.outcome\":\"success\",\"event.type\":[\"allowed\"],"
		"\"http.request.method\":\"GET\",\"url.path\":\"/containers/json\","
		"\"sockgate.operation\":\"containers.list\",\"sockgate.policy\":\"readonly\","
		"\"rule.name\":\"containers.list\",\"rule.file\":\"policies/readonly.yaml\",\"rule.line\":7,"
		"\"sockgate.rewritten\":\"HostConfig.PidsLimit: 256 filled in\","
		"\"sockgate.listener\":\"unix:/run/sockgate/docker.sock\",\"user.id\":1000,\"group.id\":100,"
		"\"process.pid\":42,\"sockgate.policy_hash\":\"0000000000000abc\"}\n"));
}

static void a_hostile_value_cannot_break_the_line(void)
{
	struct audit_connect c = {
		.time = epoch,
		.pid = 1,
		.comm = STR("evil\n{\"x\":\"\xff"),
		.socket = STR("/run/docker.sock"),
	};
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory));

	audit_format_connect(&out, &c);
	CU_ASSERT_PTR_NOT_NULL(
		memmem(out.p, out.n, "\"process.name\":\"evil\\u000a{\\\"x\\\":\\\"\\ufffd\"", 41));
	/* The only newline is the last byte. */
	CU_ASSERT_PTR_EQUAL(memchr(out.p, '\n', out.n), out.p + out.n - 1);
}

static void what_passed_by_mode_alone_says_so_with_the_limits(void)
{
	struct audit_request r = {
		.time = epoch,
		.allow = true,
		.would_deny = true,
		.reason = STR("no"),
		.limits = STR("containers.binds, containers.privileged"),
	};
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory) - 1);

	audit_format_request(&out, &r);
	memory[out.n] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(memory, ",\"event.outcome\":\"success\",\"event.type\":[\"allowed\"],"
					      "\"sockgate.would_deny\":true,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(memory,
				      "\"event.reason\":\"no\",\"sockgate.limits\":\"containers.binds, "
				      "containers.privileged\","));
	r.would_deny = false;
	r.limits.n = 0;
	out = buf_over(memory, sizeof(memory) - 1);
	audit_format_request(&out, &r);
	memory[out.n] = '\0';
	CU_ASSERT_PTR_NULL(strstr(memory, "would_deny"));
	CU_ASSERT_PTR_NULL(strstr(memory, "sockgate.limits"));
}

static void what_was_rewritten_is_listed_whole(void)
{
	char list[1025];
	struct audit_request r = { .time = epoch, .rewritten = { list, 1024 } };
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory));

	memset(list, 'x', sizeof(list));
	audit_format_request(&out, &r);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "x\",\"user.id\"", 12));
	CU_ASSERT_PTR_NULL(memmem(out.p, out.n, "...", 3));
	r.rewritten.n++;
	out = buf_over(memory, sizeof(memory));
	audit_format_request(&out, &r);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "x...\",\"user.id\"", 15));
}

static void the_longest_record_fits(void)
{
	char hostile[5000];
	struct str s = { hostile, sizeof(hostile) };
	struct audit_request r = {
		.time = epoch,
		.method = s,
		.path = s,
		.operation = s,
		.policy = s,
		.rule = s,
		.file = s,
		.reason = s,
		.would_deny = true,
		.limits = s,
		.rewritten = s,
		.listener = s,
		.peer = s,
		.status = 403,
		.line = 4294967295u,
		.uid = INT64_MAX,
		.gid = INT64_MAX,
		.pid = INT64_MAX,
		.policy_hash = UINT64_MAX,
	};
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory));

	memset(hostile, 1, sizeof(hostile));
	audit_format_request(&out, &r);
	CU_ASSERT_FALSE(out.overflow);
	CU_ASSERT_EQUAL(out.p[out.n - 1], '\n');
}

static void a_note_says_what_failed(void)
{
	struct audit_note n = {
		.time = epoch, .action = STR("gate-degraded"), .reason = STR("x"), .failure = true, .count = 3
	};
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory));

	audit_format_note(&out, &n);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "\"event.outcome\":\"failure\"", 25));
	CU_ASSERT_PTR_NOT_NULL(memmem(out.p, out.n, "\"sockgate.count\":3", 18));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a request is one JSON line", a_request_is_one_json_line },
		{ "a hostile value cannot break the line", a_hostile_value_cannot_break_the_line },
		{ "what was rewritten is listed whole", what_was_rewritten_is_listed_whole },
		{ "the longest record fits", the_longest_record_fits },
		{ "a note says what failed", a_note_says_what_failed },
		{ "what passed by mode alone says so, with the limits",
		  what_passed_by_mode_alone_says_so_with_the_limits },
		CU_TEST_INFO_NULL,
	};

	return check_main("audit/audit", tests);
}
