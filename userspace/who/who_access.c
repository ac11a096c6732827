/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_access.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SEARCH 1u
#define WRITE  2u

int who_acl_parse(const void *bytes, size_t n, struct who_node *ret)
{
	const char *at = bytes;
	uint32_t version;

	if (n < sizeof(version) || (n - sizeof(version)) % sizeof(struct posix_acl_xattr_entry) != 0)
		return -EBADMSG;
	memcpy(&version, at, sizeof(version));
	if (le32toh(version) != POSIX_ACL_XATTR_VERSION)
		return -EBADMSG;
	n = (n - sizeof(version)) / sizeof(struct posix_acl_xattr_entry);
	if (n > WHO_ACL_MAX)
		return -E2BIG;
	at += sizeof(version);
	for (size_t i = 0; i < n; i++) {
		struct posix_acl_xattr_entry entry;

		memcpy(&entry, at + i * sizeof(entry), sizeof(entry));
		ret->acl[i] = (struct who_acl){ .tag = le16toh(entry.e_tag),
						.permissions = le16toh(entry.e_perm),
						.id = le32toh(entry.e_id) };
	}
	ret->n_acl = n;
	return 0;
}

static bool has_group(const struct who_credentials *who, uint32_t gid)
{
	if (who->gid == gid)
		return true;
	for (size_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] == gid)
			return true;
	return false;
}

static unsigned mask_of(const struct who_node *node)
{
	for (size_t i = 0; i < node->n_acl; i++)
		if (node->acl[i].tag == ACL_MASK)
			return node->acl[i].permissions;
	return 7;
}

/* The owner is dealt with already. The entries stand in the order in which the kernel asks them. */
static enum who_class acl_allows(const struct who_node *node, const struct who_credentials *who,
				 unsigned permissions)
{
	const unsigned mask = mask_of(node);
	bool in_a_group = false;

	for (size_t i = 0; i < node->n_acl; i++) {
		const struct who_acl *entry = &node->acl[i];
		bool granted = (entry->permissions & permissions) == permissions;

		switch (entry->tag) {
		case ACL_USER:
			if (entry->id == who->uid)
				return granted && (mask & permissions) == permissions ? WHO_CLASS_ACL
										      : WHO_CLASS_NONE;
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (!has_group(who, entry->tag == ACL_GROUP ? entry->id : node->gid))
				break;
			in_a_group = true;
			if (granted && (mask & permissions) == permissions)
				return entry->tag == ACL_GROUP ? WHO_CLASS_ACL : WHO_CLASS_GROUP;
			break;
		case ACL_OTHER:
			return granted && !in_a_group ? WHO_CLASS_OTHER : WHO_CLASS_NONE;
		default:
			break;
		}
	}
	return WHO_CLASS_NONE;
}

enum who_class who_node_allows(const struct who_node *node, const struct who_credentials *who,
			       unsigned permissions)
{
	if (who->uid == node->uid)
		return (node->mode >> 6 & permissions) == permissions ? WHO_CLASS_OWNER : WHO_CLASS_NONE;
	if (node->n_acl && node->mode & 070)
		return acl_allows(node, who, permissions);
	if (has_group(who, node->gid))
		return (node->mode >> 3 & permissions) == permissions ? WHO_CLASS_GROUP : WHO_CLASS_NONE;
	return (node->mode & permissions) == permissions ? WHO_CLASS_OTHER : WHO_CLASS_NONE;
}

static void read_acl(int fd, struct who_node *node)
{
	char path[64], bytes[sizeof(uint32_t) + WHO_ACL_MAX * sizeof(struct posix_acl_xattr_entry)];
	ssize_t n;

	/* An O_PATH descriptor has no attributes; its link leads to a file that has. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = getxattr(path, "system.posix_acl_access", bytes, sizeof(bytes));
	if (n > 0 && who_acl_parse(bytes, (size_t)n, node) == 0)
		return;
	/* One that is there and cannot be read may let anybody in. */
	if (n > 0 || (n < 0 && errno == ERANGE))
		node->mode |= 0777;
}

static int read_node(const struct who_views *views, uint32_t view, const char *path, struct who_node *ret)
{
	int fd = who_views_open(views, view, path);
	struct stat st;
	int r;

	if (fd == -EACCES || fd == -EPERM) {
		*ret = (struct who_node){ .mode = 0777 };
		return 0;
	}
	if (fd < 0)
		return fd;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0) {
		*ret = (struct who_node){ .mode = st.st_mode & 07777, .uid = st.st_uid, .gid = st.st_gid };
		read_acl(fd, ret);
	}
	close(fd);
	return r;
}

int who_access_load(const struct who_views *views, const struct who_place *place, bool directories,
		    struct who_access *ret)
{
	struct who_access access = { 0 };
	char path[PATH_MAX];
	size_t depth = 2;
	int r = 0;

	for (const char *p = place->path + 1; (p = strchr(p, '/')) != NULL; p++)
		depth++;
	access.nodes = calloc(depth, sizeof(*access.nodes));
	if (!access.nodes)
		return -ENOMEM;
	memcpy(path, place->path, sizeof(path));
	/* The socket, its directory, and so on up to the root. */
	while (r == 0 && access.n < depth) {
		char *slash = strrchr(path, '/');

		r = read_node(views, place->view, path[0] ? path : "/", &access.nodes[access.n]);
		access.n += r == 0;
		if (!directories || !slash)
			break;
		*slash = '\0';
	}
	if (r < 0) {
		who_access_free(&access);
		return r;
	}
	*ret = access;
	return 0;
}

void who_access_free(struct who_access *access)
{
	free(access->nodes);
	memset(access, 0, sizeof(*access));
}

enum who_class who_access_allows(const struct who_access *access, const struct who_credentials *who)
{
	for (size_t i = 1; i < access->n; i++)
		if (who_node_allows(&access->nodes[i], who, SEARCH) == WHO_CLASS_NONE)
			return WHO_CLASS_NONE;
	return access->n ? who_node_allows(&access->nodes[0], who, WRITE) : WHO_CLASS_NONE;
}
