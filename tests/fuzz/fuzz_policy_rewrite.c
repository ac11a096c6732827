/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first line names an operation, the rest is its body. Rewriting neither crashes nor makes of a body that
 * is JSON one that is not; and once done it is done: a second time there is nothing to change.
 */
#include "../unit/policy/inspect_fixture.h"
#include "policy/policy_inspect_match.h"
#include "policy/policy_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fixture fixture;
static char out[JSON_BODY_MAX];

__attribute__((constructor)) static void start(void)
{
	struct image_listener *listener;
	uint32_t at;

	json_body_init();
	fixture_init(&fixture);
	at = fixture_take(&fixture, sizeof(*listener));
	fixture_image(&fixture)->listeners = (struct image_list){ at, 1 };
	listener = (struct image_listener *)(void *)(fixture.memory + at);
	listener->address = fixture_string(&fixture, STR("/run/sockgate/docker.sock"));
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_SOCKET_BIND, "rewrite");
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_BINDS, "[/ws:force-ro]");
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_MEMORY_DEFAULT, "64m");
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_CPU_DEFAULT, "500");
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_PIDS_DEFAULT, "9");
	fixture_set(&fixture, POLICY_KEY_CONTAINERS_LABELS_ADD, "[owner=me]");
}

/* Returns the number of changes and the new body; -1 where it is refused. */
static int rewrite(const struct api_target *target, struct str text, struct buf *ret)
{
	char memory[POLICY_CHANGES_MAX];
	struct buf changes = buf_over(memory, sizeof(memory));
	struct json_body *body;
	const char *why;
	int r = -1;

	if (json_body_load(text.p, text.n, &body, &why))
		return -1;
	r = policy_rewrite(fixture_image(&fixture), fixture_policy(&fixture), NULL, target, body, &changes,
			   &why);
	json_body_write(body, ret);
	json_body_free(body);
	return r < 0 || ret->overflow ? -1 : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char again[JSON_BODY_MAX];
	struct buf first = buf_over(out, sizeof(out)), second = buf_over(again, sizeof(again));
	struct str in = { (const char *)data, size }, name, text;
	struct api_target target = { 0 };

	if (!inspect_split(in, '\n', &name, &text))
		return 0;
	target.operation = api_operation_by_name(name);
	if (target.operation && rewrite(&target, text, &first) >= 0 &&
	    rewrite(&target, buf_view(&first), &second) != 0)
		abort();
	return 0;
}
