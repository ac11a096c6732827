/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_read.h"
#include "cli/cli_control.h"

#define READ_SIZE (1024 * 1024)

static struct str text_of(const struct json_value *record, const char *name)
{
	return json_value_string(cli_control_member(record, name));
}

static void take_record(struct cli_log *log, const struct json_value *record)
{
	int64_t status = json_value_integer(cli_control_member(record, "http.response.status_code"));
	struct cli_log_request r = {
		.operation = api_operation_by_name(text_of(record, "sockgate.operation")),
		.path = text_of(record, "url.path"),
		.time = text_of(record, "@timestamp"),
		.refused = str_eqz(text_of(record, "event.outcome"), "failure") ||
			   cli_control_member(record, "sockgate.would_deny") != NULL,
		.reason = text_of(record, "event.reason"),
		.rule = text_of(record, "rule.name"),
		.limits = text_of(record, "sockgate.limits"),
	};

	if (!str_eqz(text_of(record, "event.action"), "request"))
		return;
	/* An answer of our own is either the policy's refusal or about something that it does not decide. */
	if (!r.operation || (status != 0 && status != 403))
		log->others++;
	else
		log->request(log->context, &r);
}

static void take_line(struct cli_log *log, struct str line)
{
	struct json_body *body;
	const char *why;

	if (json_body_load(line.p, line.n, &body, &why) < 0) {
		log->unreadable++;
		return;
	}
	take_record(log, json_body_root(body));
	json_body_free(body);
}

int cli_log_read(struct cli_log *log, const char *file)
{
	bool input = strcmp(file, "-") == 0;
	struct audit_lines lines = {
		.fd = input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC),
		.pipe = true, /* once from beginning to end */
		.memory = malloc(READ_SIZE),
		.cap = READ_SIZE,
	};
	int r = lines.fd < 0 ? -errno : lines.memory ? 1 : -ENOMEM;

	json_body_init();
	while (r > 0) {
		struct str line;

		r = audit_lines_next(&lines, &line);
		if (r == -EMSGSIZE) {
			log->unreadable++;
			r = 1;
		} else if (r > 0) {
			take_line(log, line);
		}
	}
	/* A record that is being written, or was cut off. */
	log->unreadable += r == 0 && audit_lines_unfinished(&lines) > 0;
	free(lines.memory);
	if (!input && lines.fd >= 0)
		close(lines.fd);
	return r;
}

bool cli_log_word(struct str *list, struct str *ret)
{
	size_t n = 0;

	while (list->n > 0 && (*list->p == ' ' || *list->p == ',')) {
		list->p++;
		list->n--;
	}
	while (n < list->n && list->p[n] != ',')
		n++;
	*ret = (struct str){ list->p, n };
	*list = (struct str){ list->p + n, list->n - n };
	return n > 0;
}
