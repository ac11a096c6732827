/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - /run/sockgate/control.sock: one request of one line, {"command":"status"}, one line of JSON
 * back.
 *
 * Who may connect (root and group sockgate) is the socket's mode; what changes something is for root on the
 * host only, which is asked of the kernel.
 */
#ifndef SOCKGATE_SOCKGATED_CONTROL_H
#define SOCKGATE_SOCKGATED_CONTROL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "text/buf.h"

#define CONTROL_SOCKET      "/run/sockgate/control.sock"
#define CONTROL_REQUEST_MAX 512
#define CONTROL_REPLY_MAX   16384
#define CONTROL_CLIENTS     8 /* at a time; more wait in the queue */

enum control_command { CONTROL_STATUS, CONTROL_GATE_ON, CONTROL_GATE_OFF };

struct control_client {
	int fd;       /* -1: free */
	unsigned age; /* ticks */
	size_t n;
	char request[CONTROL_REQUEST_MAX];
};

struct control {
	int listener;
	struct control_client clients[CONTROL_CLIENTS];
};

/* Returns 0 or -errno with *why; -EADDRINUSE when another sockgated runs. */
int control_open(struct control *control, const char **why);

/* Takes one waiting client. Returns its index, or -1 when there is none or no room. */
int control_accept(struct control *control);

/*
 * Reads from a client. Returns 1 with its command once the request is there, 0 to wait for more, or -errno:
 * an answer was sent already if one was due; the caller closes it.
 */
int control_read(struct control *control, unsigned index, enum control_command *ret);

/* Whether the client is root in the namespaces of the host's first process; writes who it is into `who`. */
bool control_is_host_root(const struct control *control, unsigned index, char *who, size_t size);

void control_reply(struct control *control, unsigned index, struct str reply);
void control_error(struct control *control, unsigned index, const char *error);
void control_close(struct control *control, unsigned index);
/* Every few seconds: closes clients that say nothing. */
void control_tick(struct control *control);

#endif
