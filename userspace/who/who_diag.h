/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who_diag.h - the sockets of a network namespace, by sock_diag(7): Unix sockets with the file that they are
 * bound to and their peer, and TCP listeners.
 *
 * The kernel's answers are checked like a stranger's: lengths, sequence numbers and the sender, attribute by
 * attribute. Layouts: linux/unix_diag.h, linux/inet_diag.h.
 */
#ifndef SOCKGATE_WHO_DIAG_H
#define SOCKGATE_WHO_DIAG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHO_UNIX_NAME_MAX    109 /* sun_path, and a NUL */
#define WHO_UNIX_PENDING_MAX 4096
#define WHO_DIAG_MAX         262144 /* sockets of a kind, of the whole host */

/* A Unix socket. */
struct who_unix {
	uint64_t inode;
	uint64_t peer;  /* inode of the other end, 0 for none or not accepted yet */
	uint64_t space; /* the network namespace's number */
	uint32_t dev;   /* of the file that it is bound to: major << 20 | minor, as the kernel keeps it */
	uint32_t file;  /* the file's inode, its low 32 bits */
	bool has_file;  /* dev and file are known */
	bool listening;
	char name[WHO_UNIX_NAME_MAX]; /* as it was bound; "@..." in the abstract namespace; empty for none */
};

struct who_tcp {
	uint64_t inode;
	uint64_t space;
	sa_family_t family; /* AF_INET, AF_INET6 */
	uint16_t port;
	uint8_t address[16]; /* the first 4 bytes for AF_INET */
};

struct who_diag {
	struct who_unix *unix_sockets; /* those with a name: listeners, and what they accepted */
	size_t n_unix, cap_unix;
	struct who_tcp *tcp; /* listeners */
	size_t n_tcp, cap_tcp;
};

/*
 * One SOCK_DIAG_BY_FAMILY message without its header. Returns 0 or -EBADMSG; *ret_pending, *ret_n_pending
 * are the inodes of connections that were not accepted yet, uint32_t each, in the message.
 */
int who_diag_parse_unix(const void *message, size_t n, struct who_unix *ret, const void **ret_pending,
			size_t *ret_n_pending);
int who_diag_parse_tcp(const void *message, size_t n, struct who_tcp *ret);

/*
 * Adds the sockets of the network namespace that this thread is in; `space` is its number. Returns 0 or
 * -errno: -ENOENT where the kernel has no sock_diag for Unix sockets.
 */
int who_diag_dump(uint64_t space, struct who_diag *diag);

/*
 * The same from a namespace that is open as a descriptor of /proc/PID/ns/net; this thread is back in its own
 * afterwards, or -ENOTRECOVERABLE tells that it is not. -EPERM without CAP_SYS_ADMIN.
 */
int who_diag_dump_from(int space_fd, uint64_t space, struct who_diag *diag);

/*
 * Adds the listeners in the text of /proc/PID/net/unix, which tells neither files nor peers. For namespaces
 * that may not be entered. Returns 0, -ENOMEM or -E2BIG; or -EBADMSG where a line could not be read: the
 * others are kept, for one odd name must not hide an engine.
 */
int who_diag_parse_proc(const char *text, size_t n, uint64_t space, struct who_diag *diag);

void who_diag_free(struct who_diag *diag);

#endif
