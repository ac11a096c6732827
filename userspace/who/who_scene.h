/* SPDX-License-Identifier: BSD-2-Clause */
/* who_scene.h - what has been seen, for those who draw findings from it. Inside userspace/who/ only. */
#ifndef SOCKGATE_WHO_SCENE_H
#define SOCKGATE_WHO_SCENE_H

#include "who/who_access.h"
#include "who/who_diag.h"

/* What report->sockets[] with the same index does not say. */
struct who_target {
	struct who_place *place; /* NULL: no name leads to it */
	struct who_access access;
	uint64_t space; /* its network namespace */
	uint32_t dev, file;
	bool has_file; /* dev and file are known */
	bool tcp;
	bool loopback; /* of TCP: this host's processes only */
	uint16_t port;
};

struct who_scene {
	const struct who_request *request;
	struct who_report *report;
	struct who_processes processes;
	struct who_views views;
	struct who_diag diag;
	struct who_target *targets; /* as many as report->sockets */
	size_t cap_targets;
	bool complete; /* every network namespace that may lead to a socket here was seen */
};

/* who_sockets.c */
int who_sockets_list(int proc, struct who_scene *scene);
int who_sockets_select(struct who_scene *scene);
void who_sockets_free(struct who_scene *scene);

/* who_engines.c. The i-th pattern of names where engines, or what is as good as one, listen; NULL at the end.
 */
const char *who_name_usual(size_t i);
bool who_name_is_usual(const char *name);
/* One that an engine has, and that leads to nothing worth guarding. */
bool who_name_is_harmless(const char *name);
/* dockerd, containerd and their like, by the name of the program. Says nothing about whose it is. */
bool who_program_is_engine(struct str program);
bool who_program_is_sockgate(struct str program);

/* who_reach.c: adds every finding. */
int who_reach_find(struct who_scene *scene);

struct who_subject {
	const struct who_process *process; /* NULL: none */
	uint32_t socket;
	uint32_t uid;   /* where there is no process */
	uint32_t count; /* at least 1 */
	bool alone;     /* not to be counted together with others */
};

/* who_findings.c: adds a finding, or counts the subject with one that is alike. Returns 0, -ENOMEM, -E2BIG.
 */
__attribute__((format(printf, 5, 6))) int who_finding_add(struct who_scene *scene, enum who_reach reach,
							  enum who_verdict verdict,
							  const struct who_subject *subject,
							  const char *format, ...);

void who_finding_release(struct who_finding *finding);

/* who_groups.c: adds the socket's group's members by the user database. */
int who_groups_find(struct who_scene *scene, uint32_t socket, enum who_verdict verdict);
/* The name of a group or user, or its number. */
void who_groups_name(uint32_t gid, char *text, size_t size);
void who_groups_user(uint32_t uid, char *text, size_t size);

/* who_names.c: the names of containers, where their engine keeps them in a file that may be read. */
int who_names_find(struct who_scene *scene);

#endif
