/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli_event.h"

#include "cli/cli_control.h"

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

/* Control characters, the C1 ones (U+0080 to U+009F) included, become '?'. */
void cli_put_safe(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool second = c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0;

		buf_putc(out, c < 0x20 || c == 0x7f || second ? '?' : (char)c);
		i += second;
	}
}

static struct str text_of(const struct json_value *record, const char *name)
{
	return json_value_string(cli_control_member(record, name));
}

/* " word VALUE", where there is one. */
static void put_text(struct buf *out, const struct json_value *record, const char *before, const char *name)
{
	struct str value = text_of(record, name);

	if (value.n == 0)
		return;
	buf_puts(out, before);
	cli_put_safe(out, value);
}

static void put_number(struct buf *out, const struct json_value *record, const char *before, const char *name)
{
	const struct json_value *value = cli_control_member(record, name);

	if (value && json_value_type(value) == JSON_T_INTEGER)
		buf_printf(out, "%s%lld", before, (long long)json_value_integer(value));
}

static void put_verdict(struct buf *out, const struct json_value *record, bool colour)
{
	struct str action = text_of(record, "event.action");
	bool failed = str_eqz(text_of(record, "event.outcome"), "failure");
	bool judged = str_eqz(action, "request") || str_eqz(action, "connect");
	bool would = cli_control_member(record, "sockgate.would_deny") != NULL;
	const char *word = would              ? "WOULD-DENY"
			   : judged && failed ? "DENY "
			   : judged           ? "ALLOW"
			   : failed           ? "FAIL "
					      : "note ";

	if (colour)
		buf_puts(out, failed || would ? RED : judged ? GREEN : DIM);
	buf_puts(out, word);
	if (colour)
		buf_puts(out, PLAIN);
	if (!str_eqz(action, "request")) {
		buf_putc(out, ' ');
		cli_put_safe(out, action);
	}
}

static void put_record(struct buf *out, const struct json_value *record, bool colour)
{
	cli_put_safe(out, text_of(record, "@timestamp"));
	buf_putc(out, ' ');
	put_verdict(out, record, colour);
	put_number(out, record, " uid ", "user.id");
	put_number(out, record, " pid ", "process.pid");
	put_text(out, record, " ", "process.name");
	put_text(out, record, " ", "process.executable");
	put_text(out, record, " container ", "container.id");
	put_text(out, record, " from ", "client.address");
	put_text(out, record, " ", "sockgate.operation");
	put_text(out, record, " ", "http.request.method");
	put_text(out, record, " ", "url.path");
	put_text(out, record, " to ", "sockgate.socket");
	put_text(out, record, " policy ", "sockgate.policy");
	put_text(out, record, " rule ", "rule.name");
	put_text(out, record, " at ", "rule.file");
	put_number(out, record, ":", "rule.line");
	put_text(out, record, " limits ", "sockgate.limits");
	put_text(out, record, " rewritten ", "sockgate.rewritten");
	put_number(out, record, " count ", "sockgate.count");
	put_text(out, record, ": ", "event.reason");
	buf_putc(out, '\n');
}

void cli_event_format(struct buf *out, struct str line, bool colour)
{
	struct json_body *body;
	const char *why;

	if (json_body_load(line.p, line.n, &body, &why) < 0) {
		cli_put_safe(out, line);
		buf_putc(out, '\n');
		return;
	}
	put_record(out, json_body_root(body), colour);
	json_body_free(body);
}
