/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * messages.h - every message between sockgated, the proxy and the workers.
 *
 * One message is one SOCK_SEQPACKET datagram of exactly sizeof(struct msg) bytes with at most one descriptor.
 * A message of another size, with a descriptor where none belongs, or out of place ends the process that got
 * it.
 */
#ifndef SOCKGATE_CHANNEL_MESSAGES_H
#define SOCKGATE_CHANNEL_MESSAGES_H

#include <stdint.h>

#define MSG_TEXT_MAX 1008 /* a host path that is to be resolved fits, its NUL included */

enum msg_type {
	/* downwards: sockgated -> proxy -> worker */
	MSG_IMAGE = 1,   /* fd: the sealed policy image; replaces the one before */
	MSG_LISTENER,    /* fd: a listening socket; arg: its index in the image */
	MSG_AUDIT,       /* fd: the audit trail, opened for appending; replaces the one before */
	MSG_GATE,        /* arg: enum msg_gate; text: the reason */
	MSG_START,       /* everything is here (and the proxy is marked): serve */
	MSG_ENGINE,      /* proxy -> worker. fd: a connection to engine arg, made ahead of need */
	MSG_ENGINE_DOWN, /* proxy -> worker. engine arg could not be reached: error is the errno */
	MSG_RESOLVED, /* proxy -> worker. answers MSG_RESOLVE arg: error, or text: the path without links */
	MSG_PING,     /* proxy -> worker. are you there? */
	/* upwards */
	MSG_READY,   /* worker -> proxy, proxy -> sockgated: serving */
	MSG_WANT,    /* worker -> proxy: count more connections to engine arg, please */
	MSG_RESOLVE, /* worker -> proxy: where does the host path in text lead? arg comes back */
	MSG_PONG,    /* worker -> proxy: answers MSG_PING */
	MSG_TYPES
};

enum msg_gate { MSG_GATE_NONE, MSG_GATE_ENFORCING, MSG_GATE_DEGRADED, MSG_GATE_OFF };

struct msg {
	uint32_t type;
	uint32_t arg;
	int32_t error; /* an errno, or 0 */
	uint32_t count;
	char text[MSG_TEXT_MAX]; /* NUL-terminated */
};
_Static_assert(sizeof(struct msg) == 1024, "both ends are built from this header");

#endif
