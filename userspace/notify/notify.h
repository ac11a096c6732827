/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - tells the service manager how we are (sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET).
 */
#ifndef SOCKGATE_NOTIFY_H
#define SOCKGATE_NOTIFY_H

/* Connects to $NOTIFY_SOCKET. Returns a descriptor (close-on-exec), or -1 when nobody wants to know or can be
 * told. */
int notify_open(void);

/* Sends "READY=1", "STATUS=...", ... ; fd -1 is fine. A manager that does not listen is no error of ours. */
void notify_send(int fd, const char *state);

#endif
