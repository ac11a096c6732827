/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel answers, byte by byte: unix_diag, inet_diag, and the text of /proc/net/unix. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "who/who_diag_parts.h"
#include "who/who_scan.h"

#define STATE_LISTEN  10
#define ACCEPTS       (1u << 16) /* __SO_ACCEPTCON, the flag of a listener in /proc/net/unix */
#define UNIX_COLUMNS  7          /* before the path */
#define UNIX_PATH_MAX 108        /* sizeof(sun_path) */

/* sun_path without what stands behind its end: abstract names begin with a NUL and may hold more. */
static int take_name(const char *bytes, size_t n, struct who_unix *ret)
{
	if (n > UNIX_PATH_MAX + 1)
		return -EBADMSG;
	if (n && bytes[0] == '\0') {
		if (n > UNIX_PATH_MAX)
			return -EBADMSG;
		memcpy(ret->name, bytes, n);
		/* Only shown: what cannot be printed is the report's matter, a NUL would end the name. */
		for (size_t i = 0; i < n; i++)
			if (ret->name[i] == '\0')
				ret->name[i] = '@';
		ret->name[n] = '\0';
		return 0;
	}
	n = strnlen(bytes, n);
	if (n > UNIX_PATH_MAX)
		return -EBADMSG;
	if (n)
		memcpy(ret->name, bytes, n);
	ret->name[n] = '\0';
	return 0;
}

/* Attributes of a kind that was not asked for are passed over. */
static int take_attribute(unsigned kind, const void *value, size_t n, struct who_unix *ret,
			  const void **ret_pending, size_t *ret_n_pending)
{
	struct unix_diag_vfs vfs;
	uint32_t peer;

	switch (kind) {
	case UNIX_DIAG_NAME:
		return take_name(value, n, ret);
	case UNIX_DIAG_VFS:
		if (n != sizeof(vfs))
			return -EBADMSG;
		memcpy(&vfs, value, sizeof(vfs));
		ret->dev = vfs.udiag_vfs_dev;
		ret->file = vfs.udiag_vfs_ino;
		ret->has_file = true;
		return 0;
	case UNIX_DIAG_PEER:
		if (n != sizeof(peer))
			return -EBADMSG;
		memcpy(&peer, value, sizeof(peer));
		ret->peer = peer;
		return 0;
	case UNIX_DIAG_ICONS:
		if (n % sizeof(uint32_t) != 0)
			return -EBADMSG;
		*ret_pending = value;
		*ret_n_pending = n / sizeof(uint32_t);
		return 0;
	default:
		return 0;
	}
}

int who_diag_parse_unix(const void *message, size_t n, struct who_unix *ret, const void **ret_pending,
			size_t *ret_n_pending)
{
	const char *at = message;
	struct unix_diag_msg head;
	struct who_unix found = { 0 };
	const void *pending = NULL;
	size_t n_pending = 0;

	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, message, sizeof(head));
	if (head.udiag_family != AF_UNIX)
		return -EBADMSG;
	found.inode = head.udiag_ino;
	found.listening = head.udiag_state == STATE_LISTEN;
	at += sizeof(head);
	n -= sizeof(head);
	while (n) {
		struct nlattr attribute;
		size_t step;

		if (n < sizeof(attribute))
			return -EBADMSG;
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > n ||
		    take_attribute(attribute.nla_type & NLA_TYPE_MASK, at + NLA_HDRLEN,
				   attribute.nla_len - NLA_HDRLEN, &found, &pending, &n_pending) < 0)
			return -EBADMSG;
		step = NLA_ALIGN((size_t)attribute.nla_len);
		step = step < n ? step : n;
		at += step;
		n -= step;
	}
	/* Only a listener has connections that wait; anything else's would be somebody's mistake. */
	if (n_pending > WHO_UNIX_PENDING_MAX || (n_pending && !found.listening))
		return -EBADMSG;
	*ret = found;
	*ret_pending = pending;
	*ret_n_pending = n_pending;
	return 0;
}

int who_diag_parse_tcp(const void *message, size_t n, struct who_tcp *ret)
{
	struct inet_diag_msg head;

	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, message, sizeof(head));
	if ((head.idiag_family != AF_INET && head.idiag_family != AF_INET6) ||
	    head.idiag_state != STATE_LISTEN)
		return -EBADMSG;
	*ret = (struct who_tcp){ .inode = head.idiag_inode,
				 .family = head.idiag_family,
				 .port = ntohs(head.id.idiag_sport) };
	memcpy(ret->address, head.id.idiag_src, sizeof(ret->address));
	return 0;
}

/*
 * "Num: RefCount Protocol Flags Type St Inode Path": hexadecimal, but the inode. The path begins behind one
 * blank and may hold any byte; a newline in it breaks the line, and what follows is refused as a line.
 */
static int parse_proc_line(struct str line, struct who_unix *ret)
{
	uint64_t flags = 0, inode = 0;
	struct str word;

	for (int i = 0; i < UNIX_COLUMNS; i++) {
		if (!who_scan_word(&line, &word))
			return -EBADMSG;
		if (i == 3 && !who_scan_number(word, 16, UINT32_MAX, &flags))
			return -EBADMSG;
		if (i == UNIX_COLUMNS - 1 && !who_scan_number(word, 10, UINT64_MAX, &inode))
			return -EBADMSG;
	}
	memset(ret, 0, sizeof(*ret));
	ret->inode = inode;
	ret->listening = flags & ACCEPTS;
	if (!line.n)
		return 0;
	/* The kernel prints abstract names with '@' already. */
	if (line.p[0] != ' ' || line.n - 1 > UNIX_PATH_MAX)
		return -EBADMSG;
	memcpy(ret->name, line.p + 1, line.n - 1);
	ret->name[line.n - 1] = '\0';
	return strlen(ret->name) == line.n - 1 ? 0 : -EBADMSG;
}

int who_diag_parse_proc(const char *text, size_t n, uint64_t space, struct who_diag *diag)
{
	struct str rest = { text, n }, line;
	const size_t before = diag->n_unix;
	struct who_unix socket;
	bool refused = false;
	int r = 0;

	if (!who_scan_line(&rest, &line) || !str_starts(line, STR("Num ")))
		return -EBADMSG;
	while (r == 0 && who_scan_line(&rest, &line)) {
		if (parse_proc_line(line, &socket) < 0) {
			refused = true;
			continue;
		}
		socket.space = space;
		if (socket.listening && socket.name[0])
			r = who_diag_add_unix(diag, &socket);
	}
	if (r < 0) {
		diag->n_unix = before;
		return r;
	}
	return refused ? -EBADMSG : 0;
}
