/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "worker/body_plan.h"

struct plan_case {
	const char *operation;
	const char *fields; /* field lines */
	enum body_plan plan;
};

#define JSON    "Content-Type: application/json\r\n"
#define FORM    "Content-Type: application/x-www-form-urlencoded\r\n"
#define TWO     "Content-Length: 2\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct plan_case cases[] = {
	{ "containers.list", "", BODY_ABSENT },
	{ "containers.restart", FORM "Content-Length: 0\r\n", BODY_ABSENT },
	{ "containers.create", JSON TWO, BODY_INSPECT },
	{ "containers.create", "Content-Type: application/json; charset=utf-8\r\n" TWO, BODY_INSPECT },
	{ "containers.create", "Content-Type: APPLICATION/JSON\r\n" TWO, BODY_INSPECT },
	{ "containers.create", JSON CHUNKED, BODY_INSPECT },
	{ "containers.create", TWO, BODY_REFUSE },
	{ "containers.create", "Content-Type: text/plain\r\n" TWO, BODY_REFUSE },
	{ "containers.create", "Content-Type: application/json, text/plain\r\n" TWO, BODY_REFUSE },
	{ "containers.create", "Content-Type: application/json;;\r\n" TWO, BODY_REFUSE },
	{ "containers.create", JSON "Content-Encoding: gzip\r\n" TWO, BODY_REFUSE },
	{ "containers.create", FORM TWO, BODY_REFUSE },
	{ "containers.rename", JSON TWO, BODY_DROP },
	{ "containers.kill", FORM TWO, BODY_REFUSE },
	{ "containers.kill", "Content-Type: multipart/form-data; boundary=x\r\n" TWO, BODY_REFUSE },
	{ "containers.attach", CHUNKED, BODY_EMPTY },
	{ "containers.attach", "Content-Type: text/plain\r\n" TWO, BODY_REFUSE },
	{ "images.build", "Content-Type: application/x-tar\r\n" CHUNKED, BODY_STREAM },
	{ "images.build", "Content-Encoding: gzip\r\n" CHUNKED, BODY_STREAM },
	{ "images.build", FORM CHUNKED, BODY_REFUSE },
	{ "images.load", CHUNKED, BODY_STREAM },
};

static void every_kind_of_body_has_its_plan(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_operation *operation = api_operation_by_name(str_from(cases[i].operation));
		struct http_request request;
		unsigned status = 0;
		const char *why = NULL;
		char head[512];
		int n = snprintf(head, sizeof(head), "POST /x HTTP/1.1\r\nHost: d\r\n%s\r\n",
				 cases[i].fields);
		enum body_plan plan;

		CU_ASSERT_PTR_NOT_NULL_FATAL(operation);
		CU_ASSERT_EQUAL_FATAL(http_request_parse(head, (size_t)n, &request, &why), n);
		plan = body_plan_make(&request, operation, &status, &why);
		CU_ASSERT_EQUAL(plan, cases[i].plan);
		if (plan != cases[i].plan)
			printf("\n    case %zu: %s: %d\n", i, cases[i].operation, plan);
		if (plan == BODY_REFUSE) {
			CU_ASSERT_EQUAL(status, 415);
			CU_ASSERT_PTR_NOT_NULL(why);
		}
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every kind of body has its plan", every_kind_of_body_has_its_plan },
		CU_TEST_INFO_NULL,
	};

	return check_main("worker/body_plan", tests);
}
