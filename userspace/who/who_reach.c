/* SPDX-License-Identifier: BSD-2-Clause */
/* Who can reach which socket, and how each is judged. */
#include <errno.h>
#include <stdlib.h>

#include "who/who_scene.h"

/* What the gate makes of somebody who is neither the proxy nor the engine. */
static enum who_verdict gate_verdict(const struct who_scene *scene, bool guarded)
{
	if (scene->request->gate == WHO_GATE_UNKNOWN)
		return WHO_UNKNOWN;
	return scene->request->gate == WHO_GATE_ENFORCING && guarded ? WHO_SHUT : WHO_OPEN;
}

/* The proxy by the word of the daemon that marked it, and the workers that it started. */
static bool is_proxy(const struct who_scene *scene, const struct who_process *process)
{
	const pid_t proxy = scene->request->proxy;

	return proxy > 0 && (process->pid == proxy || process->status.parent == proxy);
}

/* Whether the process sees the file system that the socket was bound in. Unknown counts as yes on a host. */
static bool is_at_home(const struct who_scene *scene, const struct who_process *process, uint32_t home)
{
	if (process->view == WHO_NO_VIEW)
		return !process->container[0];
	return who_views_alike(&scene->views, process->view, home);
}

static uint32_t home_of(const struct who_target *target)
{
	return target->place ? target->place->view : 0;
}

/*
 * An engine's program alone proves nothing: anybody may call a program so, in a container too. It is the
 * engine's own when it runs as root, or as the socket's owner, where the socket was bound.
 */
static bool is_engine(const struct who_scene *scene, uint32_t socket, const struct who_process *process)
{
	const struct who_socket *file = &scene->report->sockets[socket];

	return who_program_is_engine(who_process_program(process)) &&
	       (process->status.uid == 0 || (file->has_file && process->status.uid == file->uid)) &&
	       is_at_home(scene, process, home_of(&scene->targets[socket]));
}

static enum who_verdict judge(const struct who_scene *scene, uint32_t socket,
			      const struct who_process *process, enum who_verdict otherwise)
{
	if (is_proxy(scene, process))
		return WHO_PROXY;
	return is_engine(scene, socket, process) ? WHO_ENGINE : otherwise;
}

/* A capability counts in the user namespace that this program looks from. */
static bool has_capability(const struct who_scene *scene, const struct who_process *process, uint64_t which)
{
	return process->status.capabilities & which &&
	       (!process->user || process->user == scene->processes.own_user);
}

static bool is_root(const struct who_scene *scene, const struct who_process *process)
{
	return process->status.uid == 0 || has_capability(scene, process, WHO_DAC_OVERRIDE);
}

static int find_listeners(struct who_scene *scene, uint32_t socket)
{
	const struct who_processes *all = &scene->processes;
	size_t first, n = who_processes_holders(all, scene->report->sockets[socket].inode, &first);
	int r = 0;

	for (size_t i = first; r == 0 && i < first + n; i++) {
		struct who_subject subject = { .process = &all->items[all->held[i].process],
					       .socket = socket,
					       .count = 1,
					       .alone = true };

		r = who_finding_add(scene, WHO_LISTENER, WHO_ENGINE, &subject, "listens");
	}
	return r;
}

/* Whether a connection was made to this socket: the end that was accepted has its name and its file. */
static bool leads_to(const struct who_unix *accepted, const struct who_socket *socket,
		     const struct who_target *target)
{
	if (accepted->listening || !accepted->peer || target->tcp)
		return false;
	if (target->has_file && accepted->has_file)
		return accepted->dev == target->dev && accepted->file == target->file;
	return !target->has_file && accepted->space == target->space &&
	       strcmp(accepted->name, socket->name) == 0;
}

/*
 * Open for anybody but the proxy and the engine, whatever the gate does: it judges connecting, and this was
 * done before, or by somebody who may and handed on.
 */
static int find_connections(struct who_scene *scene, uint32_t socket)
{
	const struct who_processes *all = &scene->processes;
	size_t unseen = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < scene->diag.n_unix; i++) {
		const struct who_unix *accepted = &scene->diag.unix_sockets[i];
		size_t first, n;

		if (!leads_to(accepted, &scene->report->sockets[socket], &scene->targets[socket]))
			continue;
		n = who_processes_holders(all, accepted->peer, &first);
		unseen += n == 0;
		for (size_t k = first; r == 0 && k < first + n; k++) {
			struct who_subject subject = { .process = &all->items[all->held[k].process],
						       .socket = socket,
						       .count = 1,
						       .alone = true };

			r = who_finding_add(scene, WHO_CONNECTION,
					    judge(scene, socket, subject.process, WHO_OPEN), &subject,
					    "is connected");
		}
	}
	if (unseen)
		who_unseen(scene->report, "who holds %zu connections to %s", unseen,
			   scene->report->sockets[socket].name);
	return r;
}

static struct who_credentials credentials_of(const struct who_process *process)
{
	return (struct who_credentials){ .uid = process->status.uid,
					 .gid = process->status.gid,
					 .groups = process->status.groups,
					 .n_groups = process->status.n_groups };
}

/*
 * Who of a foreign view counts for it. In a container the next process may be root, so any stands for it;
 * elsewhere (a sandbox of a service, a snap) it takes one that the socket's own mode lets in. NULL: nobody.
 */
static const struct who_process *who_of_view(const struct who_scene *scene, uint32_t view, uint32_t socket)
{
	const struct who_processes *all = &scene->processes;
	const struct who_access mount = { .nodes = scene->targets[socket].access.nodes,
					  .n = scene->targets[socket].access.n ? 1 : 0 };

	for (size_t i = 0; i < all->n; i++) {
		const struct who_process *process = &all->items[i];
		struct who_credentials who = credentials_of(process);

		if (process->view == view && (process->container[0] || is_root(scene, process) || !mount.n ||
					      who_access_allows(&mount, &who) != WHO_CLASS_NONE))
			return process;
	}
	return NULL;
}

/* The socket, or a directory above it, as it is mounted where processes see another file system. */
static int find_mounts(struct who_scene *scene, uint32_t socket)
{
	const struct who_place *place = scene->targets[socket].place;
	const enum who_verdict verdict = gate_verdict(scene, scene->report->sockets[socket].guarded);
	char path[PATH_MAX];
	int r = 0;

	for (uint32_t v = 0; place && r == 0 && v < scene->views.n; v++) {
		const struct who_view *view = &scene->views.items[v];
		struct who_subject subject = { .socket = socket, .count = view->count };
		bool certain;
		size_t at = 0;

		if (who_views_alike(&scene->views, v, place->view) ||
		    !who_views_next(&scene->views, v, place, &at, path, sizeof(path), &certain))
			continue;
		subject.process = who_of_view(scene, v, socket);
		if (!subject.process)
			continue;
		r = who_finding_add(scene, WHO_MOUNT, judge(scene, socket, subject.process, verdict),
				    &subject, "at %s%s%s", path,
				    view->mounts[at - 1].read_only ? ", read-only, which does not matter"
								   : "",
				    certain ? "" : " (by the mount table alone)");
	}
	return r;
}

static int add_local(struct who_scene *scene, uint32_t socket, const struct who_process *process,
		     enum who_class class)
{
	static const enum who_reach reaches[] = {
		[WHO_CLASS_OWNER] = WHO_OWNER, [WHO_CLASS_ACL] = WHO_ACL, [WHO_CLASS_GROUP] = WHO_GROUP
	};
	const struct who_socket *file = &scene->report->sockets[socket];
	const struct who_subject subject = { .process = process, .socket = socket, .count = 1 };
	const enum who_verdict verdict = judge(scene, socket, process, gate_verdict(scene, file->guarded));
	char group[64];

	if (class == WHO_CLASS_OWNER)
		return who_finding_add(scene, reaches[class], verdict, &subject, "owns it");
	if (class == WHO_CLASS_ACL)
		return who_finding_add(scene, reaches[class], verdict, &subject,
				       "is in its access control list");
	who_groups_name(file->gid, group, sizeof(group));
	return who_finding_add(scene, reaches[class], verdict, &subject, "has group %s", group);
}

/* Processes that see the socket under its own name, by its permissions. Root of this host is another matter.
 */
static int find_local(struct who_scene *scene, uint32_t socket)
{
	const struct who_processes *all = &scene->processes;
	const struct who_target *target = &scene->targets[socket];
	const bool guarded = scene->report->sockets[socket].guarded;
	const bool here = who_views_alike(&scene->views, home_of(target), 0);
	/* Nobody: an id that no class but the others' has. */
	const struct who_credentials nobody = { .uid = UINT32_MAX - 1, .gid = UINT32_MAX - 1 };
	struct who_subject others = { .socket = socket, .uid = UINT32_MAX };
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct who_process *process = &all->items[i];
		struct who_credentials who = credentials_of(process);
		struct who_subject subject = { .process = process, .socket = socket, .count = 1 };
		enum who_class class;

		if (!is_at_home(scene, process, home_of(target)))
			continue;
		if (is_root(scene, process)) {
			if (!here)
				r = who_finding_add(
					scene, WHO_ROOT,
					judge(scene, socket, process, gate_verdict(scene, guarded)), &subject,
					"is root where it was bound");
			continue;
		}
		class = who_access_allows(&target->access, &who);
		if (class == WHO_CLASS_OTHER)
			others.count++;
		else if (class != WHO_CLASS_NONE)
			r = add_local(scene, socket, process, class);
	}
	if (r == 0 && who_access_allows(&target->access, &nobody) == WHO_CLASS_OTHER)
		r = who_finding_add(scene, WHO_MODE, gate_verdict(scene, guarded), &others,
				    "its mode lets everybody in");
	return r;
}

/* What listens on TCP has no gate and no permissions. Whether it asks for a certificate is not to be seen. */
static int find_tcp(struct who_scene *scene, uint32_t socket)
{
	const struct who_target *target = &scene->targets[socket];
	const struct who_subject subject = { .socket = socket, .uid = UINT32_MAX };

	return who_finding_add(scene, WHO_TCP, WHO_OPEN, &subject, "%s, unless it asks for a certificate",
			       target->loopback ? "every process in its network namespace"
						: "every host that reaches this one");
}

/* One line for root of this host, one for each container that can step out into it. */
static int find_host(struct who_scene *scene)
{
	const struct who_processes *all = &scene->processes;
	bool guarded = true;
	int r = 0;

	for (size_t i = 0; i < scene->report->n_sockets; i++)
		guarded = guarded && (scene->report->sockets[i].guarded || scene->targets[i].tcp);
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct who_process *process = &all->items[i];
		struct who_subject subject = { .socket = WHO_ALL_SOCKETS, .count = 1 };
		bool here = is_at_home(scene, process, 0);
		bool engine = process->status.uid == 0 && here &&
			      who_program_is_engine(who_process_program(process));

		if (is_proxy(scene, process) || engine)
			continue;
		if (here && is_root(scene, process)) {
			/* Counted, not named, unless every one is to be. */
			subject.process = scene->request->all ? process : NULL;
			r = who_finding_add(scene, WHO_ROOT, gate_verdict(scene, guarded), &subject,
					    "root of this host");
		} else if (!here && process->view != WHO_NO_VIEW &&
			   has_capability(scene, process, WHO_SYS_PTRACE) &&
			   process->pid_space == all->own_pid_space) {
			subject.process = process;
			r = who_finding_add(scene, WHO_HOST, gate_verdict(scene, guarded), &subject,
					    "sees the host's processes: /proc/1/root");
		}
	}
	return r;
}

int who_reach_find(struct who_scene *scene)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < scene->report->n_sockets; i++) {
		r = find_listeners(scene, i);
		if (r == 0 && scene->targets[i].tcp)
			r = find_tcp(scene, i);
		if (r < 0 || scene->targets[i].tcp)
			continue;
		r = find_connections(scene, i);
		if (r == 0)
			r = find_mounts(scene, i);
		if (r == 0)
			r = find_local(scene, i);
		if (r == 0)
			r = who_groups_find(scene, i, gate_verdict(scene, scene->report->sockets[i].guarded));
	}
	return r == 0 && scene->report->n_sockets ? find_host(scene) : r;
}
