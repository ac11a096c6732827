/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_listener.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 32768

static int ask(int fd)
{
	const struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_UNIX,
			  .udiag_states = 1u << TCP_LISTEN,
			  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS },
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* One socket of the dump. */
static int look(const struct nlmsghdr *message, ino_t ino, struct run_listener_names *names)
{
	size_t left = message->nlmsg_len - NLMSG_LENGTH(sizeof(struct unix_diag_msg)), n = 0;
	const struct rtattr *at =
		(const void *)((const char *)NLMSG_DATA(message) + sizeof(struct unix_diag_msg));
	const char *name = NULL;
	bool found = false;

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == UNIX_DIAG_NAME) {
			name = RTA_DATA(at);
			n = RTA_PAYLOAD(at);
		} else if (at->rta_type == UNIX_DIAG_VFS && RTA_PAYLOAD(at) >= sizeof(struct unix_diag_vfs)) {
			const struct unix_diag_vfs *vfs = RTA_DATA(at);

			found = vfs->udiag_vfs_ino == (uint32_t)ino;
		}
	}
	if (!found || !name)
		return 0;
	if (names->n == RUN_LISTENER_NAMES_MAX)
		return -E2BIG;
	n = strnlen(name, n);
	if (n >= sizeof(names->name[0]))
		return -E2BIG;
	memcpy(names->name[names->n], name, n);
	names->name[names->n++][n] = '\0';
	return 0;
}

/* One datagram of the dump. Returns 1 at the end of it. */
static int read_some(int fd, ino_t ino, struct run_listener_names *names)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
	ssize_t got = recv(fd, answer, sizeof(answer), MSG_TRUNC);
	const struct nlmsghdr *message = (const void *)answer;
	size_t left;

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	if ((size_t)got > sizeof(answer))
		return -EMSGSIZE;
	left = (size_t)got;
	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		int r;

		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(message);

			return error->error < 0 ? error->error : -EPROTO;
		}
		if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg)))
			return -EPROTO;
		r = look(message, ino, names);
		if (r < 0)
			return r;
	}
	return 0;
}

int run_listener_find(ino_t ino, struct run_listener_names *ret)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), r;
	struct run_listener_names names = { .n = 0 };

	if (fd < 0)
		return -errno;
	r = ask(fd);
	while (r == 0)
		r = read_some(fd, ino, &names);
	close(fd);
	if (r < 0)
		return r;
	*ret = names;
	return 0;
}
