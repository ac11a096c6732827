/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel.h - sends and receives struct msg over a SOCK_SEQPACKET pair.
 *
 * The number of the channel's descriptor in a child is CHANNEL_FD. Both ends are non-blocking; sending to a
 * full channel is -EAGAIN.
 */
#ifndef SOCKGATE_CHANNEL_H
#define SOCKGATE_CHANNEL_H

#include <stdbool.h>

#include "channel/messages.h"

#define CHANNEL_FD 3

/* A connected pair, close-on-exec. Returns 0 or -errno. */
int channel_pair(int ret_fds[static 2]);

/* Sends one message, with descriptor `fd` unless it is -1 (the caller keeps it). Returns 0 or -errno. */
int channel_send(int channel, const struct msg *msg, int fd);

/*
 * Receives one message. `permitted` has bit (1 << type) set for every type allowed now.
 * Returns 1 with *ret_fd a descriptor owned by the caller (close-on-exec) or -1, 0 when the other end is
 * gone, -EAGAIN, or -EPROTO for a message of another size, a type that is not permitted, or a wrong number of
 * descriptors.
 */
int channel_recv(int channel, unsigned permitted, struct msg *ret, int *ret_fd);

#endif
