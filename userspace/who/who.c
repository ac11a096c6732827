/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "who/who_scene.h"

static int by_weight(const void *a, const void *b)
{
	const struct who_finding *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	if (x->reach != y->reach)
		return x->reach < y->reach ? -1 : 1;
	if (x->socket != y->socket)
		return x->socket < y->socket ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return strcmp(x->detail, y->detail);
}

static void free_scene(struct who_scene *scene)
{
	who_sockets_free(scene);
	who_views_free(&scene->views);
	who_processes_free(&scene->processes);
	who_diag_free(&scene->diag);
}

static int look(int proc, struct who_scene *scene, const char **why)
{
	int r = who_processes_scan(proc, scene->report, &scene->processes);

	*why = "/proc cannot be read";
	if (r == 0)
		r = who_views_build(proc, &scene->processes, scene->report, &scene->views);
	if (r == 0) {
		*why = "the sockets cannot be listed";
		r = who_sockets_list(proc, scene);
	}
	if (r == 0)
		r = who_sockets_select(scene);
	if (r == 0) {
		*why = "what was seen cannot be brought together";
		r = who_reach_find(scene);
	}
	if (r == -E2BIG) {
		who_unseen(scene->report, "findings beyond the first %zu", scene->report->n_findings);
		r = 0;
	}
	if (r == 0)
		r = who_names_find(scene);
	if (r == -ENOMEM)
		*why = "out of memory";
	return r;
}

int who_collect(const struct who_request *request, struct who_report **ret, const char **why)
{
	struct who_report *report = calloc(1, sizeof(*report));
	struct who_scene scene = { .request = request, .report = report };
	int r, proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*why = "out of memory";
	r = report ? 0 : -ENOMEM;
	if (r == 0 && proc < 0) {
		*why = "/proc cannot be opened";
		r = -errno;
	}
	if (r == 0) {
		report->gate = request->gate;
		r = look(proc, &scene, why);
		free_scene(&scene);
	}
	if (proc >= 0)
		close(proc);
	if (r < 0) {
		who_report_free(report);
		return r;
	}
	if (report->n_findings)
		qsort(report->findings, report->n_findings, sizeof(*report->findings), by_weight);
	*ret = report;
	return 0;
}

struct who_report *who_report_free(struct who_report *report)
{
	if (!report)
		return NULL;
	for (size_t i = 0; i < report->n_sockets; i++)
		free(report->sockets[i].name);
	for (size_t i = 0; i < report->n_findings; i++)
		who_finding_release(&report->findings[i]);
	free(report->sockets);
	free(report->findings);
	free(report);
	return NULL;
}

size_t who_report_count(const struct who_report *report, enum who_verdict verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_findings; i++)
		n += report->findings[i].verdict == verdict;
	return n;
}

void who_unseen(struct who_report *report, const char *format, ...)
{
	char text[WHO_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* what fits */
	va_end(args);
	for (size_t i = 0; i < report->n_unseen; i++)
		if (strcmp(report->unseen[i], text) == 0)
			return;
	/* The last place is for saying that there was more. */
	if (report->n_unseen == WHO_UNSEEN_MAX - 1)
		(void)snprintf(text, sizeof(text), "more of the kind");
	if (report->n_unseen < WHO_UNSEEN_MAX)
		memcpy(report->unseen[report->n_unseen++], text, sizeof(text));
}
