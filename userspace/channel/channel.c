/* SPDX-License-Identifier: BSD-2-Clause */
#include "channel/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The types that carry a descriptor, and must. */
#define MSG_WITH_FD ((1u << MSG_IMAGE) | (1u << MSG_LISTENER) | (1u << MSG_AUDIT) | (1u << MSG_ENGINE))

int channel_pair(int ret_fds[static 2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

int channel_send(int channel, const struct msg *msg, int fd)
{
	union {
		struct cmsghdr header; /* aligns the buffer */
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec bytes = { .iov_base = (void *)(uintptr_t)msg, .iov_len = sizeof(*msg) };
	struct msghdr packet = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c;

		packet.msg_control = control.space;
		packet.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&packet);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(channel, &packet, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(*msg) ? 0 : -EPROTO;
}

/*
 * Takes the descriptors out of a packet. More than one cannot be asked for, so the rest is closed here and
 * the packet counts as malformed.
 */
static int take_descriptors(struct msghdr *packet, int *ret_fd)
{
	int count = 0;

	*ret_fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c; c = CMSG_NXTHDR(packet, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (count++ == 0)
				*ret_fd = fd;
			else
				close(fd);
		}
	}
	return count;
}

int channel_recv(int channel, unsigned permitted, struct msg *ret, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msg msg;
	struct iovec bytes = { .iov_base = &msg, .iov_len = sizeof(msg) };
	struct msghdr packet = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;
	int fd, count;
	bool wanted;

	do
		n = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;

	count = take_descriptors(&packet, &fd);
	if ((size_t)n != sizeof(msg) || (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		goto malformed;
	if (msg.type >= MSG_TYPES || !(permitted & (1u << msg.type)))
		goto malformed;
	wanted = MSG_WITH_FD & (1u << msg.type);
	if (count != (wanted ? 1 : 0) || memchr(msg.text, '\0', sizeof(msg.text)) == NULL)
		goto malformed;
	*ret = msg;
	*ret_fd = fd;
	return 1;

malformed:
	if (fd >= 0)
		close(fd);
	return -EPROTO;
}
