/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as a table for people, and as JSON. */
#include <stdlib.h>

#include "text/buf.h"
#include "who/who_scene.h"

#define COLUMNS      7
#define CELL_MAX     320
#define CELL_WIDE    52     /* a column is widened up to this; a longer cell pushes its line aside */
#define JSON_FINDING 131072 /* two paths of 4096 bytes, six each when escaped */
#define ID_SHOWN     12

static const char *const titles[COLUMNS] = { "VERDICT", "REACH", "SOCKET", "WHO", "USER", "WHERE", "HOW" };

struct row {
	char cells[COLUMNS][CELL_MAX];
};

const char *who_verdict_name(enum who_verdict verdict)
{
	static const char *const names[WHO_VERDICTS] = { [WHO_OPEN] = "open",
							 [WHO_UNKNOWN] = "unknown",
							 [WHO_SHUT] = "shut",
							 [WHO_PROXY] = "proxy",
							 [WHO_ENGINE] = "engine" };

	return names[verdict];
}

const char *who_reach_name(enum who_reach reach)
{
	static const char *const names[WHO_REACHES] = {
		[WHO_LISTENER] = "listener", [WHO_CONNECTION] = "connection",
		[WHO_MOUNT] = "mount",       [WHO_TCP] = "tcp",
		[WHO_OWNER] = "owner",       [WHO_GROUP] = "group",
		[WHO_MEMBER] = "member",     [WHO_ACL] = "acl",
		[WHO_MODE] = "mode",         [WHO_ROOT] = "root",
		[WHO_HOST] = "host",
	};

	return names[reach];
}

static const char *gate_name(enum who_gate gate)
{
	static const char *const names[] = {
		[WHO_GATE_NONE] = "none", [WHO_GATE_UNKNOWN] = "unknown", [WHO_GATE_ENFORCING] = "enforcing"
	};

	return names[gate];
}

/* Names are others' to choose: nothing in them may reach a terminal as a command. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static const char *socket_name(const struct who_report *report, const struct who_finding *finding)
{
	return finding->socket == WHO_ALL_SOCKETS ? "all" : report->sockets[finding->socket].name;
}

static void format_who(const struct who_finding *finding, char *text)
{
	if (finding->pid && finding->count > 1 && finding->reach != WHO_CONNECTION)
		(void)snprintf(text, CELL_MAX, "%s[%d] and %u more", finding->comm, (int)finding->pid,
			       (unsigned)finding->count - 1);
	else if (finding->pid)
		(void)snprintf(text, CELL_MAX, "%s[%d]", finding->comm, (int)finding->pid);
	else if (finding->reach == WHO_TCP || finding->reach == WHO_MODE)
		(void)snprintf(text, CELL_MAX, "anybody");
	else if (finding->reach == WHO_ROOT)
		(void)snprintf(text, CELL_MAX, "%u processes", (unsigned)finding->count);
	else
		(void)snprintf(text, CELL_MAX, "-");
}

static void format_where(const struct who_finding *finding, char *text)
{
	if (finding->name)
		(void)snprintf(text, CELL_MAX, "%.200s (%.*s)", finding->name, ID_SHOWN, finding->container);
	else if (finding->container)
		(void)snprintf(text, CELL_MAX, "%.*s", ID_SHOWN, finding->container);
	else
		(void)snprintf(text, CELL_MAX, "%.200s", finding->unit ? finding->unit : "-");
}

static void format_row(const struct who_report *report, const struct who_finding *finding,
		       size_t more_sockets, struct row *row)
{
	(void)snprintf(row->cells[0], CELL_MAX, "%s", who_verdict_name(finding->verdict));
	(void)snprintf(row->cells[1], CELL_MAX, "%s", who_reach_name(finding->reach));
	if (more_sockets)
		(void)snprintf(row->cells[2], CELL_MAX, "%s +%zu", socket_name(report, finding),
			       more_sockets);
	else
		(void)snprintf(row->cells[2], CELL_MAX, "%s", socket_name(report, finding));
	format_who(finding, row->cells[3]);
	if (finding->uid == UINT32_MAX)
		(void)snprintf(row->cells[4], CELL_MAX, "-");
	else
		who_groups_user(finding->uid, row->cells[4], CELL_MAX);
	format_where(finding, row->cells[5]);
	if (finding->reach == WHO_CONNECTION && finding->count > 1)
		(void)snprintf(row->cells[6], CELL_MAX, "%s %u times", finding->detail,
			       (unsigned)finding->count);
	else
		(void)snprintf(row->cells[6], CELL_MAX, "%s", finding->detail);
	for (size_t c = 0; c < COLUMNS; c++)
		make_printable(row->cells[c]);
}

/* The engine's own need no attention: a line for each of its processes and how it reaches, not each socket.
 */
static bool is_folded(const struct who_finding *a, const struct who_finding *b)
{
	return a->verdict == WHO_ENGINE && b->verdict == WHO_ENGINE && a->reach == b->reach &&
	       a->pid == b->pid && a->pid;
}

/* How many findings of the same kind there are before (0: none, it is shown) and after this one. */
static size_t folded(const struct who_report *report, size_t i, bool *ret_before)
{
	const struct who_finding *finding = &report->findings[i];
	size_t after = 0;

	*ret_before = false;
	for (size_t k = 0; k < report->n_findings && finding->verdict == WHO_ENGINE; k++) {
		if (k == i || !is_folded(finding, &report->findings[k]))
			continue;
		if (k < i)
			*ret_before = true;
		else
			after++;
	}
	return after;
}

static void print_row(const struct row *row, const size_t *widths, FILE *to)
{
	for (size_t c = 0; c + 1 < COLUMNS; c++)
		fprintf(to, "%-*s  ", (int)widths[c], row->cells[c]);
	fprintf(to, "%s\n", row->cells[COLUMNS - 1]);
}

/* Twice the same walk: once for the widths, once to print. */
static void print_rows(const struct who_report *report, bool all, FILE *to)
{
	size_t widths[COLUMNS];
	struct row row;

	for (size_t c = 0; c < COLUMNS; c++)
		widths[c] = strlen(titles[c]);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t c = 0; pass && c < COLUMNS; c++)
			(void)snprintf(row.cells[c], CELL_MAX, "%s", titles[c]);
		if (pass)
			print_row(&row, widths, to);
		for (size_t i = 0; i < report->n_findings; i++) {
			bool before = false;
			size_t more = all ? 0 : folded(report, i, &before);

			if (before)
				continue;
			format_row(report, &report->findings[i], more, &row);
			for (size_t c = 0; c < COLUMNS; c++) {
				size_t n = strlen(row.cells[c]);

				if (n > widths[c])
					widths[c] = n < CELL_WIDE ? n : CELL_WIDE;
			}
			if (pass)
				print_row(&row, widths, to);
		}
	}
}

void who_report_table(const struct who_report *report, bool all, FILE *to)
{
	fprintf(to, "engine sockets: %zu, gate: %s\n", report->n_sockets, gate_name(report->gate));
	if (report->n_findings) {
		fputc('\n', to);
		print_rows(report, all, to);
	}
	if (report->n_unseen)
		fputs("\nnot seen:\n", to);
	for (size_t i = 0; i < report->n_unseen; i++) {
		char text[WHO_DETAIL_MAX];

		memcpy(text, report->unseen[i], sizeof(text));
		make_printable(text);
		fprintf(to, "  %s\n", text);
	}
}

static void add_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	if (value)
		buf_json(b, str_from(value));
	else
		buf_puts(b, "null");
}

static void add_id(struct buf *b, const char *name, int64_t value)
{
	if (value < 0)
		buf_printf(b, ",\"%s\":null", name);
	else
		buf_printf(b, ",\"%s\":%lld", name, (long long)value);
}

static void format_socket(const struct who_socket *socket, struct buf *b)
{
	char mode[8];

	buf_puts(b, "{\"name\":");
	buf_json(b, str_from(socket->name));
	buf_printf(b, ",\"guarded\":%s", socket->guarded ? "true" : "false");
	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)socket->mode & 07777);
	add_text(b, "mode", socket->has_file ? mode : NULL);
	add_id(b, "uid", socket->has_file ? (int64_t)socket->uid : -1);
	add_id(b, "gid", socket->has_file ? (int64_t)socket->gid : -1);
	buf_putc(b, '}');
}

static void format_finding(const struct who_report *report, const struct who_finding *finding, struct buf *b)
{
	const bool process = finding->pid != 0;

	buf_printf(b, "{\"verdict\":\"%s\",\"reach\":\"%s\"", who_verdict_name(finding->verdict),
		   who_reach_name(finding->reach));
	add_text(b, "socket",
		 finding->socket == WHO_ALL_SOCKETS ? NULL : report->sockets[finding->socket].name);
	add_id(b, "pid", process ? finding->pid : -1);
	add_id(b, "uid", finding->uid == UINT32_MAX ? -1 : (int64_t)finding->uid);
	add_id(b, "count", finding->count);
	add_text(b, "comm", process ? finding->comm : NULL);
	add_text(b, "exe", finding->exe);
	add_text(b, "container", finding->container);
	add_text(b, "name", finding->name);
	add_text(b, "unit", finding->unit);
	add_text(b, "detail", finding->detail);
	buf_putc(b, '}');
}

void who_report_json(const struct who_report *report, FILE *to)
{
	char *memory = malloc(JSON_FINDING);
	struct buf b = buf_over(memory, memory ? JSON_FINDING : 0);

	fprintf(to, "{\"gate\":\"%s\",\"open\":%zu,\"unknown\":%zu,\"sockets\":[", gate_name(report->gate),
		who_report_count(report, WHO_OPEN), who_report_count(report, WHO_UNKNOWN));
	for (size_t i = 0; i < report->n_sockets; i++) {
		b.n = 0;
		buf_puts(&b, i ? "," : "");
		format_socket(&report->sockets[i], &b);
		fwrite(b.p, 1, b.n, to);
	}
	fputs("],\"findings\":[", to);
	for (size_t i = 0; i < report->n_findings; i++) {
		b.n = 0;
		buf_puts(&b, i ? ",\n" : "\n");
		format_finding(report, &report->findings[i], &b);
		fwrite(b.p, 1, b.n, to);
	}
	fputs("],\"unseen\":[", to);
	for (size_t i = 0; i < report->n_unseen; i++) {
		b.n = 0;
		buf_puts(&b, i ? "," : "");
		buf_json(&b, str_from(report->unseen[i]));
		fwrite(b.p, 1, b.n, to);
	}
	fputs("]}\n", to);
	free(memory);
}
