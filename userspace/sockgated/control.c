/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockgated/local_socket.h"
#include "json/json_body.h"

#define CLIENT_AGE_MAX 3 /* ticks */

static const struct {
	const char *name;
	enum control_command command;
} commands[] = {
	{ "status", CONTROL_STATUS },
	{ "gate-on", CONTROL_GATE_ON },
	{ "gate-off", CONTROL_GATE_OFF },
};

int control_open(struct control *control, const char **why)
{
	/* Without the group, for root only. */
	const char *group = getgrnam("sockgate") ? "sockgate" : NULL;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
	control->listener = local_socket_open(CONTROL_SOCKET, group, 0660, why);
	if (control->listener == -EADDRINUSE)
		*why = "another sockgated runs already";
	return control->listener < 0 ? control->listener : 0;
}

int control_accept(struct control *control)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		if (client->fd >= 0)
			continue;
		client->fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		client->age = 0;
		client->n = 0;
		return client->fd < 0 ? -1 : (int)i;
	}
	return -1;
}

/* Exactly {"command": "NAME"}. */
static int parse(struct str line, enum control_command *ret)
{
	struct json_body *body;
	const struct json_member *member;
	const char *why;
	int r = json_body_load(line.p, line.n, &body, &why);

	if (r < 0)
		return r;
	r = -EBADMSG;
	if (json_value_type(json_body_root(body)) == JSON_T_OBJECT && json_size(json_body_root(body)) == 1) {
		member = json_first(json_body_root(body));
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
			if (!str_eqz(json_member_name(member), "command") ||
			    json_value_type(json_member_value(member)) != JSON_T_STRING ||
			    !str_eqz(json_value_string(json_member_value(member)), commands[i].name))
				continue;
			*ret = commands[i].command;
			r = 1;
		}
	}
	json_body_free(body);
	return r;
}

int control_read(struct control *control, unsigned index, enum control_command *ret)
{
	struct control_client *client = &control->clients[index];
	const char *newline;
	ssize_t n = read(client->fd, client->request + client->n, sizeof(client->request) - client->n);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	client->n += (size_t)n;
	newline = memchr(client->request, '\n', client->n);
	if (!newline && client->n < sizeof(client->request))
		return 0;
	r = newline ? parse((struct str){ client->request, (size_t)(newline - client->request) }, ret)
		    : -EMSGSIZE;
	if (r < 0)
		control_error(control, index, "not a request that is known here");
	return r;
}

static bool same_namespace(pid_t pid, const char *kind)
{
	struct stat theirs, first;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	if (stat(path, &theirs) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/1/ns/%s", kind);
	return stat(path, &first) == 0 && theirs.st_dev == first.st_dev && theirs.st_ino == first.st_ino;
}

bool control_is_host_root(const struct control *control, unsigned index, char *who, size_t size)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	(void)snprintf(who, size, "unknown");
	if (getsockopt(control->clients[index].fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	(void)snprintf(who, size, "uid %u, pid %d", peer.uid, (int)peer.pid);
	/* A container that was given the socket must not open the gate it is kept out by. */
	return peer.uid == 0 && same_namespace(peer.pid, "user") && same_namespace(peer.pid, "pid") &&
	       same_namespace(peer.pid, "mnt");
}

void control_reply(struct control *control, unsigned index, struct str reply)
{
	/* It fits into an empty socket's buffer; a client that does not read loses its answer, nobody waits
	 * for it. */
	(void)send(control->clients[index].fd, reply.p, reply.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_error(struct control *control, unsigned index, const char *error)
{
	char memory[512];
	struct buf line = buf_over(memory, sizeof(memory));

	buf_puts(&line, "{\"error\":");
	buf_json(&line, str_from(error));
	buf_puts(&line, "}\n");
	control_reply(control, index, buf_view(&line));
}

void control_close(struct control *control, unsigned index)
{
	close(control->clients[index].fd);
	control->clients[index].fd = -1;
}

void control_tick(struct control *control)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].fd >= 0 && ++control->clients[i].age > CLIENT_AGE_MAX)
			control_close(control, i);
}
