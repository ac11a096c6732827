/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of every network namespace, and those of them that are an engine's. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "who/who_proc.h"
#include "who/who_scan.h"
#include "who/who_scene.h"

/* The text of /proc/PID/net/unix instead of a namespace that may not be entered. */
static int list_from_text(int proc, pid_t pid, uint64_t space, struct who_diag *diag)
{
	char name[32], *text;
	size_t n;
	int r;

	(void)snprintf(name, sizeof(name), "%d/net/unix", (int)pid);
	r = who_proc_read(proc, name, WHO_PROC_FILE_MAX, &text, &n);
	if (r < 0)
		return r;
	r = who_diag_parse_proc(text, n, space, diag);
	free(text);
	return r == -EBADMSG ? 0 : r;
}

/* The sockets of one namespace, of which `pid` is a member. */
static int list_space(int proc, struct who_scene *scene, uint64_t space, pid_t pid)
{
	char name[32];
	int r, fd;

	if (space == scene->processes.own_net) {
		r = who_diag_dump(space, &scene->diag);
	} else {
		(void)snprintf(name, sizeof(name), "%d/ns/net", (int)pid);
		fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return 0; /* the process has gone */
		r = who_diag_dump_from(fd, space, &scene->diag);
		close(fd);
	}
	if (r == 0 || r == -ENOMEM || r == -ENOTRECOVERABLE)
		return r;
	if (r == -E2BIG) {
		who_unseen(scene->report, "sockets beyond the first %d", WHO_DIAG_MAX);
		return 0;
	}
	who_unseen(scene->report, "connections and TCP listeners in the network namespace of process %d: %s",
		   (int)pid, strerror(-r));
	r = list_from_text(proc, pid, space, &scene->diag);
	return r == -ENOMEM ? r : 0;
}

int who_sockets_list(int proc, struct who_scene *scene)
{
	/* PROC_PID_INIT_INO of linux/nsfs.h. */
	static const uint64_t initial_pid_space = 0xeffffffc;
	const struct who_processes *all = &scene->processes;
	uint64_t *spaces = calloc(all->n + 1, sizeof(*spaces));
	size_t n_spaces = 1;
	int r;

	if (!spaces)
		return -ENOMEM;
	scene->complete = all->own_pid_space == initial_pid_space;
	spaces[0] = all->own_net;
	r = list_space(proc, scene, all->own_net, getpid());
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		uint64_t space = all->items[i].net;
		size_t k = 0;

		if (!space) {
			scene->complete = false;
			continue;
		}
		while (k < n_spaces && spaces[k] != space)
			k++;
		if (k < n_spaces)
			continue;
		spaces[n_spaces++] = space;
		r = list_space(proc, scene, space, all->items[i].pid);
	}
	free(spaces);
	return r;
}

struct holders {
	bool engine;   /* one of them is an engine's program */
	bool sockgate; /* all of them are ours: it is our listener, not an engine's */
	uint32_t view; /* of the first whose view is known, else WHO_NO_VIEW */
};

static struct holders holders_of(const struct who_processes *all, uint64_t inode)
{
	struct holders ret = { .view = WHO_NO_VIEW };
	size_t first, n = who_processes_holders(all, inode, &first);

	ret.sockgate = n > 0;
	for (size_t i = first; i < first + n; i++) {
		const struct who_process *process = &all->items[all->held[i].process];
		struct str program = who_process_program(process);

		ret.engine = ret.engine || who_program_is_engine(program);
		ret.sockgate = ret.sockgate && who_program_is_sockgate(program);
		if (ret.view == WHO_NO_VIEW)
			ret.view = process->view;
	}
	return ret;
}

/* Whether a file that was found by name is what the socket is bound to. */
static bool is_bound_to(const struct who_unix *socket, const struct who_place *place)
{
	uint32_t dev = major(place->file.st_dev) << 20 | minor(place->file.st_dev);

	if (!S_ISSOCK(place->file.st_mode))
		return false;
	if (!socket->has_file || place->mount->odd)
		return true;
	return (uint32_t)place->file.st_ino == socket->file && dev == socket->dev;
}

/* Where the socket's name leads to it: here, or else in the view of who listens. NULL: nowhere. */
static int find_place(const struct who_scene *scene, const struct who_unix *socket, uint32_t holder_view,
		      struct who_place **ret)
{
	const uint32_t views[] = { 0, holder_view };
	struct who_place *place;

	*ret = NULL;
	if (socket->name[0] != '/')
		return 0;
	place = malloc(sizeof(*place));
	if (!place)
		return -ENOMEM;
	for (size_t i = 0; i < 2; i++) {
		if (views[i] == WHO_NO_VIEW ||
		    who_views_find(&scene->views, views[i], socket->name, place) < 0 ||
		    !is_bound_to(socket, place))
			continue;
		*ret = place;
		return 0;
	}
	free(place);
	return 0;
}

/* Adds a socket of this name. Takes `place` over. */
static int add_socket(struct who_scene *scene, const char *name, uint64_t inode, struct who_place *place,
		      struct who_target **ret)
{
	struct who_report *report = scene->report;
	void *sockets = report->sockets, *targets = scene->targets;
	char *copy = strdup(name);
	int r = copy ? 0 : -ENOMEM;

	if (r == 0)
		r = who_scan_grow(&sockets, &report->cap_sockets, report->n_sockets, sizeof(*report->sockets),
				  WHO_SOCKETS_MAX);
	if (r == 0) {
		report->sockets = sockets;
		r = who_scan_grow(&targets, &scene->cap_targets, report->n_sockets, sizeof(*scene->targets),
				  WHO_SOCKETS_MAX);
	}
	if (r < 0) {
		free(copy);
		free(place);
		return r;
	}
	scene->targets = targets;
	report->sockets[report->n_sockets] = (struct who_socket){ .name = copy, .inode = inode };
	*ret = &scene->targets[report->n_sockets++];
	**ret = (struct who_target){ .place = place };
	return 0;
}

/* Whether the socket's home leads to it in a second way, round the directories of the first. */
static bool has_other_path(const struct who_scene *scene, const struct who_place *place)
{
	char path[PATH_MAX];
	bool certain;
	size_t at = 0, n = 0;

	while (who_views_next(&scene->views, place->view, place, &at, path, sizeof(path), &certain))
		n++;
	return n > 1;
}

static int load_file(struct who_scene *scene, struct who_socket *socket, struct who_target *target)
{
	const struct who_place *place = target->place;
	int r;

	if (!place)
		return 0;
	r = who_access_load(&scene->views, place, !has_other_path(scene, place), &target->access);
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* it has gone */
	socket->has_file = true;
	socket->mode = place->file.st_mode & 07777;
	socket->uid = place->file.st_uid;
	socket->gid = place->file.st_gid;
	return 0;
}

/* The one of the wanted sockets that this is, or n_wanted. `files` has what their paths lead to. */
static size_t find_wanted(const struct who_scene *scene, const struct who_place *files,
			  const struct who_unix *socket, const struct who_place *place)
{
	const struct who_request *request = scene->request;

	for (size_t i = 0; i < request->n_wanted; i++) {
		if (!request->wanted[i].path)
			continue;
		if (place && files[i].mount && place->file.st_dev == files[i].file.st_dev &&
		    place->file.st_ino == files[i].file.st_ino)
			return i;
		/* Bound by a relative name, or renamed since: the file tells. */
		if (!place && files[i].mount && socket->has_file && is_bound_to(socket, &files[i]))
			return i;
		/* Its name may be gone. */
		if (!files[i].mount && strcmp(socket->name, request->wanted[i].path) == 0)
			return i;
	}
	return request->n_wanted;
}

static int select_unix(struct who_scene *scene, const struct who_place *files, const struct who_unix *socket,
		       bool *found)
{
	const struct who_request *request = scene->request;
	struct holders holders = holders_of(&scene->processes, socket->inode);
	struct who_place *place;
	struct who_target *target;
	size_t wanted;
	int r;

	if (holders.sockgate)
		return 0;
	r = find_place(scene, socket, holders.view, &place);
	if (r < 0)
		return r;
	wanted = find_wanted(scene, files, socket, place);
	if (wanted == request->n_wanted && !who_name_is_usual(socket->name) &&
	    (!holders.engine || who_name_is_harmless(socket->name))) {
		free(place);
		return 0;
	}
	if (!place && wanted < request->n_wanted && files[wanted].mount) {
		place = malloc(sizeof(*place));
		if (!place)
			return -ENOMEM;
		*place = files[wanted];
	}
	r = add_socket(scene, socket->name, socket->inode, place, &target);
	if (r < 0)
		return r;
	target->space = socket->space;
	target->dev = socket->dev;
	target->file = socket->file;
	target->has_file = socket->has_file;
	if (wanted < request->n_wanted) {
		found[wanted] = true;
		scene->report->sockets[scene->report->n_sockets - 1].guarded =
			request->wanted[wanted].guarded;
	}
	return load_file(scene, &scene->report->sockets[scene->report->n_sockets - 1], target);
}

static bool is_loopback(const struct who_tcp *socket)
{
	static const uint8_t six[16] = { [15] = 1 };

	return socket->family == AF_INET ? socket->address[0] == 127 : memcmp(socket->address, six, 16) == 0;
}

static int select_tcp(struct who_scene *scene, const struct who_tcp *socket, bool *found)
{
	const struct who_request *request = scene->request;
	struct holders holders = holders_of(&scene->processes, socket->inode);
	char address[INET6_ADDRSTRLEN], name[INET6_ADDRSTRLEN + 16];
	bool wanted = holders.engine;
	struct who_target *target;
	int r;

	for (size_t i = 0; i < request->n_wanted; i++) {
		if (request->wanted[i].path || request->wanted[i].port != socket->port)
			continue;
		found[i] = true;
		wanted = true;
	}
	if (!wanted || holders.sockgate ||
	    !inet_ntop(socket->family, socket->address, address, sizeof(address)))
		return 0;
	(void)snprintf(name, sizeof(name), socket->family == AF_INET ? "tcp:%s:%u" : "tcp:[%s]:%u", address,
		       (unsigned)socket->port);
	r = add_socket(scene, name, socket->inode, NULL, &target);
	if (r < 0)
		return r;
	target->tcp = true;
	target->space = socket->space;
	target->port = socket->port;
	target->loopback = is_loopback(socket);
	return 0;
}

static bool is_listed(const struct who_scene *scene, const struct who_place *place)
{
	for (size_t i = 0; i < scene->report->n_sockets; i++) {
		const struct who_place *other = scene->targets[i].place;

		if (other && other->file.st_dev == place->file.st_dev &&
		    other->file.st_ino == place->file.st_ino)
			return true;
	}
	return false;
}

/* A socket's file whose listener is in no namespace that is seen: it may be a host's, mounted here. */
static int add_unheard(struct who_scene *scene, const char *name, const struct who_place *file, bool guarded)
{
	struct who_place *place;
	struct who_target *target;
	int r;

	if (!S_ISSOCK(file->file.st_mode) || is_listed(scene, file))
		return 0;
	place = malloc(sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = *file;
	r = add_socket(scene, name, 0, place, &target);
	if (r < 0)
		return r;
	target->dev = file->dev;
	target->file = (uint32_t)file->file.st_ino;
	target->has_file = !file->mount->odd;
	scene->report->sockets[scene->report->n_sockets - 1].guarded = guarded;
	who_unseen(scene->report, "who listens on %s: its network namespace is not among those seen here",
		   name);
	return load_file(scene, &scene->report->sockets[scene->report->n_sockets - 1], target);
}

static int select_unheard(struct who_scene *scene, const struct who_place *files, bool *found)
{
	const struct who_request *request = scene->request;
	struct who_place *place = malloc(sizeof(*place));
	int r = place ? 0 : -ENOMEM;
	const char *name;

	for (size_t i = 0; r == 0 && !scene->complete && i < request->n_wanted; i++) {
		if (found[i] || !request->wanted[i].path || !files[i].mount)
			continue;
		found[i] = true;
		r = add_unheard(scene, request->wanted[i].path, &files[i], request->wanted[i].guarded);
	}
	for (size_t i = 0; r == 0 && !scene->complete && (name = who_name_usual(i)) != NULL; i++)
		if (!strchr(name, '*') && who_views_find(&scene->views, 0, name, place) == 0)
			r = add_unheard(scene, name, place, false);
	for (size_t i = 0; r == 0 && i < request->n_wanted; i++) {
		if (found[i] || !request->wanted[i].named)
			continue;
		if (request->wanted[i].path)
			who_unseen(scene->report, "%s: nobody listens there", request->wanted[i].path);
		else
			who_unseen(scene->report, "TCP port %u: nobody listens there",
				   (unsigned)request->wanted[i].port);
	}
	free(place);
	return r;
}

int who_sockets_select(struct who_scene *scene)
{
	const struct who_request *request = scene->request;
	struct who_place *files = calloc(request->n_wanted + 1, sizeof(*files));
	bool *found = calloc(request->n_wanted + 1, sizeof(*found));
	int r = files && found ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < request->n_wanted; i++)
		if (request->wanted[i].path &&
		    who_views_find(&scene->views, 0, request->wanted[i].path, &files[i]) < 0)
			files[i].mount = NULL; /* what could not be found is not there */
	for (size_t i = 0; r == 0 && i < scene->diag.n_unix; i++)
		if (scene->diag.unix_sockets[i].listening)
			r = select_unix(scene, files, &scene->diag.unix_sockets[i], found);
	for (size_t i = 0; r == 0 && i < scene->diag.n_tcp; i++)
		r = select_tcp(scene, &scene->diag.tcp[i], found);
	if (r == 0)
		r = select_unheard(scene, files, found);
	if (r == -E2BIG) {
		who_unseen(scene->report, "engine sockets beyond the first %d", WHO_SOCKETS_MAX);
		r = 0;
	}
	free(files);
	free(found);
	return r;
}

void who_sockets_free(struct who_scene *scene)
{
	for (size_t i = 0; scene->targets && i < scene->report->n_sockets; i++) {
		free(scene->targets[i].place);
		who_access_free(&scene->targets[i].access);
	}
	free(scene->targets);
	scene->targets = NULL;
}
