/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack.h - the ways to a guarded socket, one function each, and who tries them.
 *
 * An attack runs in a process of its own, after it has become what its position says, and returns
 * connect(2)'s errno, 0 when it got through, or -errno when it could not even be made: which is a failure of
 * the test.
 */
#ifndef SOCKGATE_TESTS_VM_ATTACK_H
#define SOCKGATE_TESTS_VM_ATTACK_H

#include <stdint.h>
#include <sys/socket.h>

#include "gate_shared.h"

#define ATTACK_SOCKET "/run/docker.sock"
#define ATTACK_LEAK   "/run/test/leak" /* where the stand-in gives its connection away */
#define ATTACK_GROUP  999              /* docker */
#define ATTACK_USER   1000             /* in group docker */
#define ATTACK_NOBODY 1001             /* not in it */

struct attack {
	const char *name;
	const char *position;
	int (*become)(void); /* NULL: stay root */
	int (*run)(void);
	int expected;     /* errno */
	uint64_t refused; /* by how many the counter has to move, or ATTACK_SOME */
	unsigned counter; /* enum gate_counter, or ATTACK_CONNECTS */
};

#define ATTACK_CONNECTS 0          /* both counters of refused connects */
#define ATTACK_SOME     UINT64_MAX /* at least one */

/* Each ends with an entry whose name is NULL. */
extern const struct attack attack_table[];
extern const struct attack attack_guards[]; /* attack_guards.c */

int attack_connect(const char *path, int type);

/* --- attack_paths.c: other names for the socket --- */
int attack_plain(void);
int attack_nonblocking(void);
int attack_symlink(void);
int attack_relative(void);
int attack_dots(void);
int attack_descriptor_path(void);
int attack_root_of_init(void);
int attack_hard_link(void);
int attack_bind_mount(void);
int attack_cloned_mount(void);
int attack_chroot(void);
int attack_user_namespace(void);
int attack_network_namespace(void);

/* --- attack.c: other ways to call --- */
int attack_thread(void);
int attack_datagram(void);
int attack_seqpacket(void);
int attack_ring_inline(void);
int attack_ring_worker(void);
int attack_ring_polled(void);
int attack_through_exec(void);

#endif
