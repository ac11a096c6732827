/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_diag.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "who/who_diag_parts.h"
#include "who/who_scan.h"

#define STATE_LISTEN   10 /* TCP_LISTEN of net/tcp_states.h: Unix sockets have these states as well */
#define RECEIVE_SIZE   (256 * 1024)
#define ANSWER_SECONDS 5
#define INTERRUPTED    3 /* how often a list that changed meanwhile is asked for again */

struct dump {
	int fd;
	uint32_t sequence;
	uint32_t port;
	uint64_t space;
	struct who_diag *diag;
	bool is_unix;
};

int who_diag_add_unix(struct who_diag *diag, const struct who_unix *socket)
{
	void *items = diag->unix_sockets;
	int r = who_scan_grow(&items, &diag->cap_unix, diag->n_unix, sizeof(*socket), WHO_DIAG_MAX);

	if (r < 0)
		return r;
	diag->unix_sockets = items;
	diag->unix_sockets[diag->n_unix++] = *socket;
	return 0;
}

static int add_tcp(struct who_diag *diag, const struct who_tcp *socket)
{
	void *items = diag->tcp;
	int r = who_scan_grow(&items, &diag->cap_tcp, diag->n_tcp, sizeof(*socket), WHO_DIAG_MAX);

	if (r < 0)
		return r;
	diag->tcp = items;
	diag->tcp[diag->n_tcp++] = *socket;
	return 0;
}

/* A listener's connections that wait for accept(2) have no socket of their own yet: each becomes one here. */
static int take_unix(struct dump *dump, const void *message, size_t n)
{
	struct who_unix socket, waiting;
	const void *pending;
	size_t n_pending;
	int r = who_diag_parse_unix(message, n, &socket, &pending, &n_pending);

	if (r < 0 || !socket.name[0])
		return r;
	socket.space = dump->space;
	if (socket.listening || socket.peer)
		r = who_diag_add_unix(dump->diag, &socket);
	waiting = socket;
	waiting.listening = false;
	waiting.inode = 0;
	for (size_t i = 0; r == 0 && i < n_pending; i++) {
		uint32_t client;

		memcpy(&client, (const char *)pending + i * sizeof(client), sizeof(client));
		waiting.peer = client;
		if (client)
			r = who_diag_add_unix(dump->diag, &waiting);
	}
	return r;
}

static int take_tcp(struct dump *dump, const void *message, size_t n)
{
	struct who_tcp socket;
	int r = who_diag_parse_tcp(message, n, &socket);

	if (r < 0)
		return r;
	socket.space = dump->space;
	return add_tcp(dump->diag, &socket);
}

/* Returns 1 at the list's end, 0 to go on, or -errno; -EINTR where the list changed while it was made. */
static int take_message(struct dump *dump, const struct nlmsghdr *header, bool *interrupted)
{
	const char *message = (const char *)header + NLMSG_HDRLEN;
	size_t n = header->nlmsg_len - NLMSG_HDRLEN;
	int32_t error = 0;

	if (header->nlmsg_seq != dump->sequence || header->nlmsg_pid != dump->port)
		return -EBADMSG;
	*interrupted = *interrupted || header->nlmsg_flags & NLM_F_DUMP_INTR;
	switch (header->nlmsg_type) {
	case NLMSG_DONE:
		/* How the list ended, where the kernel says so. */
		if (n >= sizeof(error))
			memcpy(&error, message, sizeof(error));
		if (error < 0)
			return error;
		return *interrupted ? -EINTR : 1;
	case NLMSG_ERROR:
		if (n < sizeof(error))
			return -EBADMSG;
		memcpy(&error, message, sizeof(error));
		return error < 0 ? error : -EBADMSG;
	case SOCK_DIAG_BY_FAMILY:
		return dump->is_unix ? take_unix(dump, message, n) : take_tcp(dump, message, n);
	default:
		return -EBADMSG;
	}
}

static int take_datagram(struct dump *dump, const char *bytes, size_t n, bool *interrupted)
{
	while (n) {
		struct nlmsghdr header;
		size_t aligned;
		int r;

		if (n < sizeof(header))
			return -EBADMSG;
		memcpy(&header, bytes, sizeof(header));
		if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > n)
			return -EBADMSG;
		r = take_message(dump, (const struct nlmsghdr *)(const void *)bytes, interrupted);
		if (r != 0)
			return r;
		aligned = NLMSG_ALIGN((size_t)header.nlmsg_len);
		bytes += aligned < n ? aligned : n;
		n -= aligned < n ? aligned : n;
	}
	return 0;
}

static int receive_list(struct dump *dump)
{
	char *memory = aligned_alloc(NLMSG_ALIGNTO, RECEIVE_SIZE);
	bool interrupted = false;
	int r = memory ? 0 : -ENOMEM;

	while (r == 0) {
		struct sockaddr_nl from = { 0 };
		struct iovec bytes = { .iov_base = memory, .iov_len = RECEIVE_SIZE };
		struct msghdr msg = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &bytes, .msg_iovlen = 1
		};
		ssize_t n = recvmsg(dump->fd, &msg, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		else if (n == 0 || msg.msg_flags & MSG_TRUNC)
			r = -EBADMSG;
		else if (msg.msg_namelen == sizeof(from) && from.nl_pid == 0) /* of the kernel only */
			r = take_datagram(dump, memory, (size_t)n, &interrupted);
	}
	free(memory);
	return r < 0 ? r : 0;
}

static int send_request(const struct dump *dump, const void *request, size_t n)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr header = { .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n),
				   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
				   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
				   .nlmsg_seq = dump->sequence };
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)(uintptr_t)request, n } };
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = parts, .msg_iovlen = 2
	};

	return sendmsg(dump->fd, &msg, 0) == (ssize_t)(NLMSG_HDRLEN + n) ? 0 : -errno;
}

/* Asks for one list, again when it changed underway. What was added by a try that failed is taken back. */
static int dump_list(struct dump *dump, const void *request, size_t n)
{
	const size_t n_unix = dump->diag->n_unix, n_tcp = dump->diag->n_tcp;
	int r = -EINTR;

	for (int i = 0; i < INTERRUPTED && r == -EINTR; i++) {
		dump->sequence++;
		dump->diag->n_unix = n_unix;
		dump->diag->n_tcp = n_tcp;
		r = send_request(dump, request, n);
		if (r == 0)
			r = receive_list(dump);
	}
	/* A socket that came or went meanwhile: the last list is as good as any. */
	return r == -EINTR ? 0 : r;
}

static int open_diag(struct dump *dump)
{
	const struct timeval timeout = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	socklen_t n = sizeof(own);
	int r;

	dump->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (dump->fd < 0)
		return -errno;
	if (bind(dump->fd, (const struct sockaddr *)&own, sizeof(own)) == 0 &&
	    getsockname(dump->fd, (struct sockaddr *)&own, &n) == 0 && n == sizeof(own) &&
	    setsockopt(dump->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0) {
		dump->port = own.nl_pid;
		return 0;
	}
	r = -errno;
	close(dump->fd);
	return r;
}

int who_diag_dump(uint64_t space, struct who_diag *diag)
{
	const struct unix_diag_req unix_request = { .sdiag_family = AF_UNIX,
						    .udiag_states = UINT32_MAX,
						    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS |
								  UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS };
	struct dump dump = { .space = space, .diag = diag, .is_unix = true };
	int r = open_diag(&dump);

	if (r < 0)
		return r;
	r = dump_list(&dump, &unix_request, sizeof(unix_request));
	dump.is_unix = false;
	for (int i = 0; i < 2 && r == 0; i++) {
		struct inet_diag_req_v2 request = { .sdiag_family = i ? AF_INET6 : AF_INET,
						    .sdiag_protocol = IPPROTO_TCP,
						    .idiag_states = 1u << STATE_LISTEN };

		r = dump_list(&dump, &request, sizeof(request));
		/* A kernel without IPv6, or without inet_diag, has none to show. */
		if (r == -ENOENT)
			r = 0;
	}
	close(dump.fd);
	return r;
}

int who_diag_dump_from(int space_fd, uint64_t space, struct who_diag *diag)
{
	int r, own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return -errno;
	if (setns(space_fd, CLONE_NEWNET) < 0) {
		r = -errno;
		close(own);
		return r;
	}
	r = who_diag_dump(space, diag);
	if (setns(own, CLONE_NEWNET) < 0)
		r = -ENOTRECOVERABLE;
	close(own);
	return r;
}

void who_diag_free(struct who_diag *diag)
{
	free(diag->unix_sockets);
	free(diag->tcp);
	memset(diag, 0, sizeof(*diag));
}
