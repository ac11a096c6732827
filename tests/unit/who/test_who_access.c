/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_access.h"

#include <errno.h>
#include <linux/posix_acl.h>

#include "check.h"

#define WRITE 2u

static const uint32_t docker[] = { 4, 107 };
static const struct who_credentials owner = { .uid = 5, .gid = 5 }, member = { 6, 6, docker, 2 },
				    primary = { .uid = 7, .gid = 107 }, stranger = { .uid = 8, .gid = 8 };

static void the_mode_decides_by_class(void)
{
	struct who_node node = { .mode = 0660, .uid = 5, .gid = 107 };

	CU_ASSERT_EQUAL(who_node_allows(&node, &owner, WRITE), WHO_CLASS_OWNER);
	CU_ASSERT_EQUAL(who_node_allows(&node, &member, WRITE), WHO_CLASS_GROUP);
	CU_ASSERT_EQUAL(who_node_allows(&node, &primary, WRITE), WHO_CLASS_GROUP);
	CU_ASSERT_EQUAL(who_node_allows(&node, &stranger, WRITE), WHO_CLASS_NONE);
	node.mode = 0666;
	CU_ASSERT_EQUAL(who_node_allows(&node, &stranger, WRITE), WHO_CLASS_OTHER);
	/* The first class that somebody is in decides: the group is refused what others have. */
	node.mode = 0606;
	CU_ASSERT_EQUAL(who_node_allows(&node, &member, WRITE), WHO_CLASS_NONE);
	node.mode = 0066;
	CU_ASSERT_EQUAL(who_node_allows(&node, &owner, WRITE), WHO_CLASS_NONE);
	/* Reading is not enough to connect. */
	node.mode = 0644;
	CU_ASSERT_EQUAL(who_node_allows(&node, &member, WRITE), WHO_CLASS_NONE);
}

static void an_access_control_list_goes_before_the_group(void)
{
	struct who_node node = { .mode = 0660,
				 .uid = 5,
				 .gid = 107,
				 .acl = { { ACL_USER_OBJ, 6, 0 },
					  { ACL_USER, 6, 8 },
					  { ACL_GROUP_OBJ, 0, 0 },
					  { ACL_GROUP, 6, 4 },
					  { ACL_MASK, 6, 0 },
					  { ACL_OTHER, 0, 0 } },
				 .n_acl = 6 };
	const struct who_credentials other = { .uid = 9, .gid = 9 };

	CU_ASSERT_EQUAL(who_node_allows(&node, &stranger, WRITE), WHO_CLASS_ACL);
	CU_ASSERT_EQUAL(who_node_allows(&node, &member, WRITE), WHO_CLASS_ACL); /* by group 4 */
	CU_ASSERT_EQUAL(who_node_allows(&node, &primary, WRITE), WHO_CLASS_NONE);
	CU_ASSERT_EQUAL(who_node_allows(&node, &other, WRITE), WHO_CLASS_NONE);
	CU_ASSERT_EQUAL(who_node_allows(&node, &owner, WRITE), WHO_CLASS_OWNER);
	node.acl[4].permissions = 4; /* the mask takes it from all but owner and others */
	CU_ASSERT_EQUAL(who_node_allows(&node, &stranger, WRITE), WHO_CLASS_NONE);
	CU_ASSERT_EQUAL(who_node_allows(&node, &member, WRITE), WHO_CLASS_NONE);
	node.acl[5].permissions = 6;
	CU_ASSERT_EQUAL(who_node_allows(&node, &other, WRITE), WHO_CLASS_OTHER);
	CU_ASSERT_EQUAL(who_node_allows(&node, &primary, WRITE), WHO_CLASS_NONE);
}

static void directories_must_let_one_through(void)
{
	struct who_node nodes[] = { { .mode = 0666 }, { .mode = 0700 }, { .mode = 0755 } };
	const struct who_access access = { .nodes = nodes, .n = 3 };

	CU_ASSERT_EQUAL(who_access_allows(&access, &stranger), WHO_CLASS_NONE);
	access.nodes[1].mode = 0711;
	CU_ASSERT_EQUAL(who_access_allows(&access, &stranger), WHO_CLASS_OTHER);
	CU_ASSERT_EQUAL(who_access_allows(&(struct who_access){ 0 }, &stranger), WHO_CLASS_NONE);
}

static void the_attribute_is_read_strictly(void)
{
	/* Version 2; user::rw-, user:8:rw-, in the processor's order, which is the attribute's here. */
	static const unsigned char bytes[] = { 2,   0,   0, 0, 1, 0, 6, 0, 255, 255,
					       255, 255, 2, 0, 6, 0, 8, 0, 0,   0 };
	unsigned char copy[sizeof(bytes)];
	struct who_node node = { 0 };

	CU_ASSERT_EQUAL_FATAL(who_acl_parse(bytes, sizeof(bytes), &node), 0);
	CU_ASSERT_EQUAL(node.n_acl, 2);
	CU_ASSERT_EQUAL(node.acl[1].tag, ACL_USER);
	CU_ASSERT_EQUAL(node.acl[1].permissions, 6);
	CU_ASSERT_EQUAL(node.acl[1].id, 8);
	for (size_t n = 0; n < sizeof(bytes); n++)
		if (n != 4 && n != 12)
			CU_ASSERT_EQUAL(who_acl_parse(bytes, n, &node), -EBADMSG);
	memcpy(copy, bytes, sizeof(copy));
	copy[0] = 3;
	CU_ASSERT_EQUAL(who_acl_parse(copy, sizeof(copy), &node), -EBADMSG);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the mode decides by class", the_mode_decides_by_class },
		{ "an access control list goes before the group",
		  an_access_control_list_goes_before_the_group },
		{ "directories must let one through", directories_must_let_one_through },
		{ "the attribute is read strictly", the_attribute_is_read_strictly },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_access", tests);
}
