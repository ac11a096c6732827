/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds findings, like ones counted together: a host may have thousands of processes that can reach an engine.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "who/who_scan.h"
#include "who/who_scene.h"

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* Whether the two differ in nothing that a reader would act on. */
static bool is_like(const struct who_finding *a, const struct who_finding *b, bool alone)
{
	if (a->reach != b->reach || a->verdict != b->verdict || a->socket != b->socket || a->uid != b->uid ||
	    strcmp(a->detail, b->detail) != 0)
		return false;
	if (alone)
		return a->pid == b->pid;
	return same_text(a->container, b->container) && same_text(a->unit, b->unit) &&
	       (a->pid != 0) == (b->pid != 0);
}

static int describe(struct who_finding *finding, const struct who_process *process)
{
	finding->pid = process->pid;
	finding->uid = process->status.uid;
	memcpy(finding->comm, process->status.comm, sizeof(finding->comm));
	finding->exe = process->exe ? strdup(process->exe) : NULL;
	finding->container = process->container[0] ? strdup(process->container) : NULL;
	finding->unit = process->unit ? strdup(process->unit) : NULL;
	return (process->exe && !finding->exe) || (process->container[0] && !finding->container) ||
			       (process->unit && !finding->unit)
		       ? -ENOMEM
		       : 0;
}

void who_finding_release(struct who_finding *finding)
{
	free(finding->exe);
	free(finding->container);
	free(finding->name);
	free(finding->unit);
}

int who_finding_add(struct who_scene *scene, enum who_reach reach, enum who_verdict verdict,
		    const struct who_subject *subject, const char *format, ...)
{
	struct who_report *report = scene->report;
	struct who_finding finding = { .reach = reach,
				       .verdict = verdict,
				       .socket = subject->socket,
				       .uid = subject->uid,
				       .count = subject->count };
	void *items = report->findings;
	va_list args;
	int r = 0;

	va_start(args, format);
	(void)vsnprintf(finding.detail, sizeof(finding.detail), format, args); /* what fits */
	va_end(args);
	if (subject->process)
		r = describe(&finding, subject->process);
	/* Findings come socket by socket: one that is alike is among those of this one. */
	for (size_t i = report->n_findings; r == 0 && i > 0; i--) {
		struct who_finding *before = &report->findings[i - 1];

		if (before->socket != finding.socket)
			break;
		if (!is_like(before, &finding, subject->alone || scene->request->all))
			continue;
		before->count += finding.count;
		who_finding_release(&finding);
		return 0;
	}
	if (r == 0)
		r = who_scan_grow(&items, &report->cap_findings, report->n_findings, sizeof(finding),
				  WHO_ROWS_MAX);
	if (r < 0) {
		who_finding_release(&finding);
		return r;
	}
	report->findings = items;
	report->findings[report->n_findings++] = finding;
	return 0;
}
