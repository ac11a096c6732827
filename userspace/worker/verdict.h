/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict.h - what becomes of a request that was judged: a record in the trail and a pending action.
 *
 * An action is bytes in the turn's arena, to be forwarded or answered in phase 3 (worker.h); its record is
 * written before that. Each of these functions but verdict_record() and verdict_room() leaves the client in
 * state PENDING.
 */
#ifndef SOCKGATE_WORKER_VERDICT_H
#define SOCKGATE_WORKER_VERDICT_H

#include "worker/client.h"
#include "worker/rollout.h"
#include "json/json_body.h"

/*
 * A canonical head is at most as long as the client's, but for percent-encoding (three bytes for one) and our
 * own lines; a refusal is shorter still.
 */
#define VERDICT_HEAD_ROOM (HTTP_HEAD_MAX * 3 + 1024)

/* A request that is being judged; all of it points into the input or the worker's target scratch. */
struct judged {
	struct http_request request;
	struct api_target target;
	const struct image_policy *policy;
	struct policy_decision decision;
	struct rollout rollout;
	struct str rewritten; /* what was changed in the body, while that is being judged; else empty */
};

/* Adds the record. `reason` is that of a refusal. */
void verdict_record(struct worker *worker, struct client *client, const struct judged *j, bool allow,
		    unsigned status, struct str reason);

/* Makes room for `need` bytes in the turn's arena, carrying out what is pending when there is none. */
struct buf verdict_room(struct worker *worker, size_t need);

/* Makes bytes that were written into verdict_room() the pending action. */
void verdict_pend(struct worker *worker, struct client *client, const struct buf *bytes, bool forward);

/* Refuses: with a reason as it stands, with `why` behind our name, and with the decision's own reason. */
void verdict_refuse(struct worker *worker, struct client *client, const struct judged *j, unsigned status,
		    struct str reason);
void verdict_because(struct worker *worker, struct client *client, const struct judged *j, unsigned status,
		     const char *why);
void verdict_decided(struct worker *worker, struct client *client, const struct judged *j);

/* Allowed: the canonical request becomes the pending action; `body`, unless NULL, is the whole of its body.
 */
void verdict_forward(struct worker *worker, struct client *client, struct judged *j,
		     enum http_framing framing, uint64_t length, const struct json_body *body);

#endif
