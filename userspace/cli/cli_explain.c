/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli_explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "policy/policy_rewrite.h"

struct explanation {
	const struct explain_options *options;
	const struct policy_image *image;
	const struct image_policy *policy;
	struct http_request request;
	struct api_target target;
	struct policy_decision decision;
	const char *note;   /* something that the verdict does not say, or NULL */
	struct buf changes; /* what the policy changed in the body before it was judged */
	char changes_memory[POLICY_CHANGES_MAX];
	unsigned n_findings; /* printed so far */
};

static void refuse(struct explanation *e, unsigned status, const char *what, const char *why)
{
	struct policy_decision *d = &e->decision;
	int n = snprintf(d->reason, sizeof(d->reason), "%s: %s", what, why);

	d->allow = false;
	d->status = status;
	d->rule = STR("default");
	d->file = STR("");
	d->line = 0;
	d->reason_len = n < 0 ? 0 : (size_t)n < sizeof(d->reason) ? (size_t)n : sizeof(d->reason) - 1;
}

/* --- Printing --- */

static void put_decision(struct buf *b, const struct policy_decision *d)
{
	buf_printf(b, "\"status\":%u,\"rule\":", d->allow ? 200 : d->status);
	buf_json(b, d->rule);
	buf_puts(b, ",\"file\":");
	buf_json(b, d->file);
	buf_printf(b, ",\"line\":%u,\"reason\":", d->line);
	buf_json(b, (struct str){ d->reason, d->reason_len });
}

static void print_finding(void *context, const struct policy_decision *d)
{
	struct explanation *e = context;
	char memory[8 * POLICY_REASON_MAX];
	struct buf b = buf_over(memory, sizeof(memory));

	if (e->options->json) {
		buf_puts(&b, e->n_findings ? ",{" : "{");
		put_decision(&b, d);
		buf_putc(&b, '}');
		fwrite(b.p, 1, b.n, stdout);
	} else if (e->n_findings > 0) { /* the first has been given as the reason */
		printf("and        %.*s\n", (int)d->reason_len, d->reason);
	}
	e->n_findings++;
}

static void print_changes_json(const struct explanation *e)
{
	char memory[6 * POLICY_CHANGES_MAX + 32];
	struct buf b = buf_over(memory, sizeof(memory));

	if (e->changes.n == 0)
		return;
	buf_puts(&b, ",\"rewritten\":");
	buf_json(&b, buf_view(&e->changes));
	fwrite(b.p, 1, b.n, stdout);
}

static void print_json(struct explanation *e)
{
	const struct api_operation *op = e->target.operation;
	char memory[8 * POLICY_REASON_MAX];
	struct buf b = buf_over(memory, sizeof(memory));

	buf_printf(&b, "{\"verdict\":\"%s\",\"policy\":", e->decision.allow ? "allow" : "deny");
	buf_json(&b, image_string(e->image, e->policy->name));
	buf_puts(&b, ",\"operation\":");
	if (op)
		buf_json(&b, str_from(op->name));
	else
		buf_puts(&b, "null");
	buf_putc(&b, ',');
	put_decision(&b, &e->decision);
	if (e->note) {
		buf_puts(&b, ",\"note\":");
		buf_json(&b, str_from(e->note));
	}
	fwrite(b.p, 1, b.n, stdout);
	print_changes_json(e);
	fputs(",\"findings\":[", stdout);
}

static void print_text(struct explanation *e)
{
	const struct api_operation *op = e->target.operation;
	const struct policy_decision *d = &e->decision;

	if (d->allow)
		puts("allowed");
	else
		printf("denied     %u\n", d->status);
	if (op)
		printf("operation  %s (%s %s): %s\n", op->name, http_method_name(op->method), op->pattern,
		       op->summary);
	printf("policy     %.*s\n", STR_ARG(image_string(e->image, e->policy->name)));
	if (d->file.n)
		printf("rule       %.*s:%u: %.*s\n", STR_ARG(d->file), d->line, STR_ARG(d->rule));
	else
		printf("rule       %.*s\n", STR_ARG(d->rule));
	if (d->reason_len)
		printf("reason     %.*s\n", (int)d->reason_len, d->reason);
	if (e->changes.n)
		printf("rewritten  %.*s\n", STR_ARG(buf_view(&e->changes)));
	if (e->note)
		printf("note       %s\n", e->note);
}

/* --- Judging --- */

/* The head that a client would send. Returns 0, or -1 with the refusal in e->decision. */
static int recognise(struct explanation *e, size_t body_n, char *head, size_t head_cap)
{
	const struct explain_options *o = e->options;
	struct buf b = buf_over(head, head_cap);
	const char *why = "longer than a head may be";
	ssize_t used = -EMSGSIZE;

	buf_puts(&b, o->method);
	buf_putc(&b, ' ');
	buf_puts(&b, o->target);
	buf_puts(&b, " HTTP/1.1\r\nHost: docker\r\n");
	if (o->body)
		buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body_n);
	buf_puts(&b, "\r\n");
	if (!b.overflow)
		used = http_request_parse(b.p, b.n, &e->request, &why);
	/* A line break in an argument would make another request of the rest. */
	if (used >= 0 && (size_t)used != b.n) {
		used = -EBADMSG;
		why = "a line break";
	}
	if (used >= 0)
		return 0;
	refuse(e, used == -EMSGSIZE ? 431 : 400, "the request is malformed", why);
	return -1;
}

/* As it would be for a client of the first listener. Returns what policy_rewrite() returns. */
static int rewrite(struct explanation *e, struct json_body *body, const char **why)
{
	const struct image_listener *listener =
		IMAGE_LIST(e->image, struct image_listener, e->image->listeners);

	e->changes = buf_over(e->changes_memory, sizeof(e->changes_memory));
	return policy_rewrite(e->image, e->policy, e->image->listeners.count ? listener : NULL, &e->target,
			      body, &e->changes, why);
}

static void judge_body(struct explanation *e, const char *body, size_t body_n, struct json_body **ret)
{
	uint64_t limit = policy_number(e->policy, POLICY_KEY_CONTAINERS_BODY_LIMIT);
	const char *why = NULL;
	char text[96];
	int r;

	if (e->target.operation->body != API_BODY_JSON) {
		e->note = "no JSON body is read for this operation; the body was not judged";
		return;
	}
	if (limit == 0 || limit > JSON_BODY_MAX)
		limit = JSON_BODY_MAX;
	if (body_n > limit) {
		snprintf(text, sizeof(text), "longer than containers.body_limit, %llu bytes",
			 (unsigned long long)limit);
		refuse(e, 413, "the body is refused", text);
		return;
	}
	r = json_body_load(body, body_n, ret, &why);
	if (r == 0)
		r = rewrite(e, *ret, &why);
	if (r < 0)
		refuse(e, r == -ENOMEM ? 413 : 400, "the body is refused", why);
	else
		policy_decide_body(e->image, e->policy, &e->target, *ret, &e->decision);
}

static void judge(struct explanation *e, const char *body, size_t body_n, char *scratch,
		  struct json_body **ret)
{
	const char *why = NULL;
	int r;

	r = api_target_parse(e->request.method, e->request.target, scratch, &e->target, &why);
	if (r < 0 && r != -ENOENT) {
		e->target.operation = NULL;
		refuse(e, 400, "the target is refused", why);
		return;
	}
	policy_decide(e->image, e->policy, &e->request, &e->target, &e->decision);
	if (e->decision.allow && body)
		judge_body(e, body, body_n, ret);
	else if (e->decision.allow && e->target.operation->body == API_BODY_JSON)
		e->note = "no body was given (--body); the limits on it were not judged";
}

int explain_request(const struct explain_options *o, const struct policy_image *image,
		    const struct image_policy *policy, const char *body, size_t body_n)
{
	struct explanation *e = calloc(1, sizeof(*e));
	char *head = malloc(HTTP_HEAD_MAX), *scratch = malloc(API_TARGET_SCRATCH);
	struct json_body *document = NULL;
	int status = CLI_USAGE;

	if (!e || !head || !scratch) {
		fputs("sockgate explain: out of memory\n", stderr);
		goto out;
	}
	e->options = o;
	e->image = image;
	e->policy = policy;
	json_body_init();
	if (recognise(e, body_n, head, HTTP_HEAD_MAX) == 0)
		judge(e, body, body_n, scratch, &document);
	if (o->json)
		print_json(e);
	else
		print_text(e);
	/* Several things may be wrong at once, and whoever asks offline wants to hear them all. */
	if (!e->decision.allow && e->target.operation)
		policy_findings(image, policy, &e->target, document, print_finding, e);
	if (o->json)
		puts("]}");
	status = e->decision.allow ? CLI_FINE : CLI_NEGATIVE;
out:
	json_body_free(document);
	free(scratch);
	free(head);
	free(e);
	return status;
}
