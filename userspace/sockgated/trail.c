/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int trail_open(struct trail *trail, struct str path)
{
	char text[4096];
	char *slash;

	*trail = (struct trail){ .fd = -1 };
	if (path.n == 0)
		return 0;
	if (str_eqz(path, "-")) {
		trail->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return trail->fd < 0 ? -errno : 0;
	}
	if (path.n >= sizeof(text))
		return -ENAMETOOLONG;
	memcpy(text, path.p, path.n);
	text[path.n] = '\0';
	/* Its folder may be made, but only the last one: a longer missing path is a mistake to be told. */
	slash = strrchr(text, '/');
	if (slash && slash != text) {
		*slash = '\0';
		if (mkdir(text, 0750) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	trail->fd = open(text, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
	return trail->fd < 0 ? -errno : 0;
}

static void write_line(struct trail *trail, const struct buf *line)
{
	ssize_t n;

	if (trail->fd < 0)
		return;
	do
		n = write(trail->fd, line->p, line->n);
	while (n < 0 && errno == EINTR);
	if (line->overflow || n < 0 || (size_t)n != line->n)
		trail->lost++;
}

void trail_connect(struct trail *trail, const struct audit_connect *record)
{
	char memory[AUDIT_LINE_MAX];
	struct buf line = buf_over(memory, sizeof(memory));

	audit_format_connect(&line, record);
	write_line(trail, &line);
}

void trail_note(struct trail *trail, const char *action, bool failure, uint64_t count, const char *reason)
{
	char memory[AUDIT_LINE_MAX];
	struct buf line = buf_over(memory, sizeof(memory));
	struct audit_note note = {
		.action = str_from(action),
		.reason = str_from(reason),
		.failure = failure,
		.count = count,
	};

	(void)clock_gettime(CLOCK_REALTIME, &note.time);
	audit_format_note(&line, &note);
	write_line(trail, &line);
	fprintf(stderr, "sockgated: %s%s%s\n", action, *reason ? ": " : "", reason);
}
