/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who_access.h - whom the permissions of a socket's file, and of the directories above it, let connect.
 *
 * The kernel's rule for a file (acl_permission_check() and posix_acl_permission()), without capabilities:
 * the owner's bits for the owner, else the access control list, else the group's for the group, else the
 * others'. Connecting takes writing the socket and searching the directories.
 */
#ifndef SOCKGATE_WHO_ACCESS_H
#define SOCKGATE_WHO_ACCESS_H

#include "who/who_mounts.h"

#define WHO_ACL_MAX 64

enum who_class { WHO_CLASS_NONE, WHO_CLASS_OWNER, WHO_CLASS_ACL, WHO_CLASS_GROUP, WHO_CLASS_OTHER };

/* An entry of an access control list, linux/posix_acl_xattr.h. */
struct who_acl {
	uint16_t tag;
	uint16_t permissions;
	uint32_t id;
};

/* A file or directory. */
struct who_node {
	uint32_t mode, uid, gid;
	struct who_acl acl[WHO_ACL_MAX];
	size_t n_acl;
};

struct who_access {
	struct who_node *nodes; /* the socket, then the directories above it */
	size_t n;
};

struct who_credentials {
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t n_groups;
};

/* The bytes of the attribute system.posix_acl_access. Returns 0, -EBADMSG or -E2BIG. */
int who_acl_parse(const void *bytes, size_t n, struct who_node *ret);

/* By which class of users the node grants all of `permissions` (4 read, 2 write, 1 search). */
enum who_class who_node_allows(const struct who_node *node, const struct who_credentials *who,
			       unsigned permissions);

/*
 * Reads the permissions of a place; those of the directories only where `directories`. What may not be read
 * counts as granting: this program must not call shut what it could not look at. Returns 0 or -errno.
 */
int who_access_load(const struct who_views *views, const struct who_place *place, bool directories,
		    struct who_access *ret);
void who_access_free(struct who_access *access);

/* By which class of the socket somebody may connect. */
enum who_class who_access_allows(const struct who_access *access, const struct who_credentials *who);

#endif
