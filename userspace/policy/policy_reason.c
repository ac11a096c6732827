/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_reason.h"

#define VALUE_MAX 64 /* bytes of a client's value that are shown */

void policy_reason_rule(const struct policy_image *image, const struct image_source *source,
			struct policy_decision *ret)
{
	struct str text = image_string(image, source->text), file = image_string(image, source->file);

	/* A variable is its own rule: "CONTAINERS=1" is not in any file. */
	ret->rule = text.n ? text : file;
	ret->file = text.n ? file : STR("");
	ret->line = source->line;
}

static struct buf refuse(struct policy_decision *ret, unsigned status)
{
	ret->allow = false;
	ret->status = status;
	ret->rule = STR("default");
	ret->file = STR("");
	ret->line = 0;
	ret->reason_len = 0;
	ret->reason[0] = '\0';
	/* One byte less, for the NUL. */
	return buf_over(ret->reason, sizeof(ret->reason) - 1);
}

static void finish(struct policy_decision *ret, const struct buf *b)
{
	ret->reason_len = b->n;
	ret->reason[b->n] = '\0';
}

/* "containers.create is refused by policy worker", or the path where there is no operation. */
static void put_subject(struct buf *b, const struct policy_reason *reason)
{
	if (reason->target->operation) {
		buf_puts(b, reason->target->operation->name);
	} else {
		struct str path = reason->target->path;

		if (path.n > VALUE_MAX)
			path.n = VALUE_MAX;
		buf_json(b, path);
	}
	buf_puts(b, " is refused by policy ");
	buf_str(b, image_string(reason->image, reason->policy->name));
}

/* " (policies/worker.yaml:14: deny services.*)" */
static void put_rule(struct buf *b, const struct policy_decision *decision)
{
	buf_puts(b, " (");
	if (decision->file.n) {
		buf_str(b, decision->file);
		if (decision->line)
			buf_printf(b, ":%u", decision->line);
		buf_puts(b, ": ");
	}
	buf_str(b, decision->rule);
	buf_putc(b, ')');
}

void policy_reason_denied(const struct policy_reason *reason, const struct image_source *source,
			  struct policy_decision *ret)
{
	struct buf b = refuse(ret, 403);

	policy_reason_rule(reason->image, source, ret);
	put_subject(&b, reason);
	put_rule(&b, ret);
	buf_puts(&b, reason->policy->compat ? "" : "; a deny cannot be overridden: remove it");
	finish(ret, &b);
}

/* Which of Tecnativa's variables open an operation: its section's, and POST for whatever is no read. */
static void put_variables(struct buf *b, const struct api_operation *operation)
{
	const char *section = api_section_variable(operation->section);
	bool is_read = operation->method == HTTP_GET || operation->method == HTTP_HEAD;

	if (!section) {
		buf_puts(b, "; no variable opens it, a policy can");
		return;
	}
	buf_printf(b, "; set %s=1%s", section, is_read ? "" : " and POST=1");
}

void policy_reason_default(const struct policy_reason *reason, struct policy_decision *ret)
{
	struct buf b = refuse(ret, 403);
	struct str name = image_string(reason->image, reason->policy->name);
	const struct api_operation *operation = reason->target->operation;

	if (reason->policy->compat) {
		buf_printf(&b, "no variable allows %s", operation->name);
		put_variables(&b, operation);
	} else {
		buf_printf(&b, "no rule of policy %.*s allows %s; add \"- %s\" under allow in ",
			   STR_ARG(name), operation->name, operation->name);
		buf_str(&b, image_string(reason->image, reason->policy->file));
	}
	finish(ret, &b);
}

void policy_reason_malformed(const struct policy_reason *reason, unsigned status, const char *why,
			     struct policy_decision *ret)
{
	struct buf b = refuse(ret, status);

	put_subject(&b, reason);
	buf_puts(&b, ": ");
	buf_puts(&b, why);
	finish(ret, &b);
}

/* Lists of what is forbidden or demanded, where more in the list means less allowed. */
static bool list_restricts(const struct policy_key_row *row)
{
	static const char *const names[] = { "require_cap_drop", "labels_refused", "protected" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(row->name, names[i]) == 0)
			return true;
	return false;
}

/* "; to allow it, set containers.privileged: true in policies/ci.yaml" */
static void put_remedy(struct buf *b, const struct policy_reason *reason, const struct policy_key_row *row)
{
	struct str file = image_string(reason->image, reason->policy->file);

	if (reason->policy->compat) {
		buf_puts(
			b,
			"; a policy file (--policy) can allow it; with SOCKGATE_INSPECT=0 no body is judged");
		return;
	}
	buf_puts(b, "; to allow it, ");
	switch (row->type) {
	case POLICY_BOOL:
		buf_printf(b, "set %s.%s: %s", row->section, row->name,
			   policy_bool(reason->policy, row->key) ? "false" : "true");
		break;
	case POLICY_CHOICE:
		buf_printf(b, "change %s.%s (%s)", row->section, row->name, row->choices);
		break;
	case POLICY_NUMBER:
	case POLICY_SIZE:
		buf_printf(b, "raise %s.%s, or set it to 0 for no limit", row->section, row->name);
		break;
	case POLICY_STRINGS:
		buf_printf(b, "%s %s.%s", list_restricts(row) ? "take it out of" : "add it to", row->section,
			   row->name);
		break;
	case POLICY_BINDS:
		buf_printf(b, "add {source: /PATH, mode: ro} or rw to %s.%s", row->section, row->name);
		break;
	}
	if (file.n)
		buf_printf(b, " in %.*s", STR_ARG(file));
}

static void put_value(struct buf *b, struct str value)
{
	struct str shown = value;

	if (shown.n > VALUE_MAX) {
		shown.n = VALUE_MAX;
		/* Not in the middle of a character. */
		while (shown.n && ((unsigned char)value.p[shown.n] & 0xc0) == 0x80)
			shown.n--;
	}
	buf_putc(b, ' ');
	buf_json(b, shown);
	buf_puts(b, shown.n < value.n ? "... " : " ");
}

void policy_reason_finding(const struct policy_reason *reason, const struct policy_finding *finding,
			   struct policy_decision *ret)
{
	struct buf b = refuse(ret, finding->status);
	const struct policy_key_row *row = NULL;

	put_subject(&b, reason);
	if (finding->key < POLICY_KEYS) {
		const struct image_value *value = &reason->policy->values[finding->key];

		row = &policy_keys[finding->key];
		policy_reason_rule(reason->image, &value->source, ret);
		if (value->set)
			put_rule(&b, ret);
		else
			buf_printf(&b, " (default: %.*s)", STR_ARG(ret->rule));
	}
	buf_puts(&b, ": ");
	buf_puts(&b, finding->field);
	if (finding->value.n)
		put_value(&b, finding->value);
	else
		buf_putc(&b, ' ');
	buf_puts(&b, finding->problem);
	if (row)
		put_remedy(&b, reason, row);
	finish(ret, &b);
}
