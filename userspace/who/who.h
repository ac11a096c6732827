/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who.h - who can reach an engine's sockets at this moment, from what the kernel shows in /proc and by
 * sock_diag(7). Nothing is run, nothing is connected to, nothing is changed.
 *
 * Theory of operation
 *
 * 1. who_processes.c lists the processes: credentials, namespaces, cgroup; and which sockets each holds.
 * 2. who_diag.c lists the sockets of every network namespace. A name in the file system leads to its socket
 *    from any network namespace, but the connection is then listed in the client's only: all are asked.
 * 3. who_sockets.c picks the listening sockets that are an engine's: by their name, by who listens, or
 * because they were asked for.
 * 4. who_mounts.c groups processes by what they see of the file system (a "view"), and finds the sockets in
 *    each. A view with the root directory of the one that the socket was bound in is the host's.
 * 5. who_reach.c combines these into findings, and judges each.
 *
 * It is a picture of one moment, taken in many small looks: a process that comes or goes meanwhile may be
 * missed, and a busy host is not stopped for it. What could not be looked at is said in `unseen`.
 */
#ifndef SOCKGATE_WHO_H
#define SOCKGATE_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define WHO_SOCKETS_MAX 4096
#define WHO_ROWS_MAX    65536
#define WHO_DETAIL_MAX  256
#define WHO_UNSEEN_MAX  16
#define WHO_ALL_SOCKETS UINT32_MAX

enum who_verdict {
	WHO_OPEN,    /* can reach it */
	WHO_UNKNOWN, /* can, unless a gate refuses that this process may not ask about */
	WHO_SHUT,    /* the gate would refuse it */
	WHO_PROXY,   /* the marked proxy, or a worker of it */
	WHO_ENGINE,  /* the engine's own processes */
	WHO_VERDICTS
};

enum who_reach {
	WHO_LISTENER,   /* holds the listening socket */
	WHO_CONNECTION, /* holds a connection: was let in, and the gate judges connecting alone */
	WHO_MOUNT,  /* the socket, or a directory above it, is mounted in another view of the file system */
	WHO_TCP,    /* the engine listens on TCP */
	WHO_OWNER,  /* a process of the socket's owner, who is not root */
	WHO_GROUP,  /* a process that has the socket's group */
	WHO_MEMBER, /* in the socket's group by the user database, with or without a process */
	WHO_ACL,    /* let in by an access control list: acl(5) */
	WHO_MODE,   /* the socket's mode lets everybody in */
	WHO_ROOT,   /* root, or CAP_DAC_OVERRIDE, on the host */
	WHO_HOST,   /* a container with CAP_SYS_PTRACE that sees the host's processes: /proc/PID/root */
	WHO_REACHES
};

enum who_gate {
	WHO_GATE_NONE,      /* there is none, or it does not enforce */
	WHO_GATE_UNKNOWN,   /* its daemon may not be asked */
	WHO_GATE_ENFORCING, /* proven to refuse, by its daemon's own word */
};

/* A socket that counts as an engine's whoever listens there: an absolute path, or a port. */
struct who_wanted {
	const char *path; /* NULL: the port */
	uint16_t port;
	bool guarded; /* by the gate, when that enforces */
	bool named;   /* a person asked for it: that nobody listens there is worth saying */
};

struct who_request {
	const struct who_wanted *wanted;
	size_t n_wanted;
	enum who_gate gate;
	pid_t proxy; /* the marked proxy, 0 for none */
	bool all;    /* a finding for every process, where otherwise like ones are counted */
};

/* One listening socket of an engine. */
struct who_socket {
	char *name; /* "/run/docker.sock", "@abstract", "tcp:127.0.0.1:2375" */
	uint64_t inode;
	bool guarded;
	bool has_file; /* a name leads to it: mode, uid and gid are the file's */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
};

struct who_finding {
	enum who_reach reach;
	enum who_verdict verdict;
	uint32_t socket; /* index, or WHO_ALL_SOCKETS */
	pid_t pid;       /* the first of them; 0: no process */
	uint32_t uid;
	uint32_t count; /* processes that this stands for; of WHO_MEMBER members, of WHO_CONNECTION
			   connections */
	char comm[16];
	char *exe;       /* NULL: not known */
	char *container; /* 64 digits, or NULL */
	char *name;      /* of the container, or NULL */
	char *unit;      /* of systemd, or NULL */
	char detail[WHO_DETAIL_MAX];
};

struct who_report {
	struct who_socket *sockets;
	size_t n_sockets, cap_sockets;
	struct who_finding *findings; /* worst first */
	size_t n_findings, cap_findings;
	char unseen[WHO_UNSEEN_MAX][WHO_DETAIL_MAX];
	size_t n_unseen;
	enum who_gate gate;
};

/*
 * Looks, and returns 0 and a report; or -errno with *why where nothing can be said at all (no /proc, no
 * memory). Less permission than needed is not an error: see unseen.
 */
int who_collect(const struct who_request *request, struct who_report **ret, const char **why);
/* NULL is fine. Returns NULL. */
struct who_report *who_report_free(struct who_report *report);

/* How many findings have this verdict. */
size_t who_report_count(const struct who_report *report, enum who_verdict verdict);

/* Both write what processes chose (names, paths) with control bytes replaced. */
void who_report_table(const struct who_report *report, bool all, FILE *to);
void who_report_json(const struct who_report *report, FILE *to);

const char *who_verdict_name(enum who_verdict verdict);
const char *who_reach_name(enum who_reach reach);

/* Notes what could not be looked at, once. */
__attribute__((format(printf, 2, 3))) void who_unseen(struct who_report *report, const char *format, ...);

#endif
