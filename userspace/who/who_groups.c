/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may connect by the user database: they have no process now, and need but log in. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "who/who_scene.h"

#define DATABASE_LINE_MAX (1u << 20) /* a group's line with all of its members */
#define USERS_MAX         65536      /* a directory service may have any number */

/* Everything that getgrgid_r(3) needs is in `memory`, which is the caller's to free. */
static const struct group *find_group(uint32_t gid, struct group *group, char **memory)
{
	struct group *found = NULL;
	int r = ERANGE;

	*memory = NULL;
	for (size_t size = 4096; r == ERANGE && size <= DATABASE_LINE_MAX; size *= 4) {
		char *larger = realloc(*memory, size);

		if (!larger)
			break;
		*memory = larger;
		r = getgrgid_r(gid, group, larger, size, &found);
	}
	return r == 0 ? found : NULL;
}

void who_groups_name(uint32_t gid, char *text, size_t size)
{
	struct group memory;
	char *lines;
	const struct group *group = find_group(gid, &memory, &lines);

	(void)snprintf(text, size, "%.48s (%u)", group ? group->gr_name : "without a name", (unsigned)gid);
	free(lines);
}

void who_groups_user(uint32_t uid, char *text, size_t size)
{
	char line[4096];
	struct passwd memory, *user = NULL;

	if (getpwuid_r(uid, &memory, line, sizeof(line), &user) == 0 && user)
		(void)snprintf(text, size, "%.31s", user->pw_name);
	else
		(void)snprintf(text, size, "%u", (unsigned)uid);
}

/* Adds a member if the permissions, those of the directories too, let the group's members in. */
static int add_member(struct who_scene *scene, uint32_t socket, enum who_verdict verdict,
		      const struct passwd *user, const char *group)
{
	const uint32_t gid = scene->report->sockets[socket].gid;
	const struct who_credentials who = {
		.uid = user->pw_uid, .gid = user->pw_gid, .groups = &gid, .n_groups = 1
	};
	const struct who_subject subject = {
		.socket = socket, .uid = user->pw_uid, .count = 1, .alone = true
	};

	if (user->pw_uid == 0 || who_access_allows(&scene->targets[socket].access, &who) != WHO_CLASS_GROUP)
		return 0;
	return who_finding_add(scene, WHO_MEMBER, verdict, &subject, "member of group %s", group);
}

static int add_members(struct who_scene *scene, uint32_t socket, enum who_verdict verdict,
		       const struct group *group, const char *label)
{
	int r = 0;

	for (char **member = group->gr_mem; r == 0 && *member; member++) {
		char line[4096];
		struct passwd memory, *user = NULL;

		/* A member of whom nothing is known cannot log in. */
		if (getpwnam_r(*member, &memory, line, sizeof(line), &user) == 0 && user)
			r = add_member(scene, socket, verdict, user, label);
	}
	return r;
}

int who_groups_find(struct who_scene *scene, uint32_t socket, enum who_verdict verdict)
{
	const struct who_socket *file = &scene->report->sockets[socket];
	struct passwd entry = { 0 }, *user;
	struct group memory;
	const struct group *group;
	char *lines, label[64], line[4096];
	int r = 0;

	/* The groups of another view's users are another database's. */
	if (!file->has_file || !who_views_alike(&scene->views, scene->targets[socket].place->view, 0))
		return 0;
	who_groups_name(file->gid, label, sizeof(label));
	group = find_group(file->gid, &memory, &lines);
	if (group)
		r = add_members(scene, socket, verdict, group, label);
	free(lines);
	setpwent();
	for (size_t i = 0; r == 0 && i < USERS_MAX && getpwent_r(&entry, line, sizeof(line), &user) == 0; i++)
		if (user->pw_gid == file->gid)
			r = add_member(scene, socket, verdict, user, label);
	endpwent();
	return r;
}
