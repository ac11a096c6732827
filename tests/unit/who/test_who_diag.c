/* SPDX-License-Identifier: BSD-2-Clause */
#include "who/who_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

struct message {
	_Alignas(8) char bytes[1024];
	size_t n;
};

static struct message unix_message(uint8_t state, uint32_t inode)
{
	struct message m = { .n = sizeof(struct unix_diag_msg) };
	struct unix_diag_msg head = {
		.udiag_family = AF_UNIX, .udiag_type = SOCK_STREAM, .udiag_state = state, .udiag_ino = inode
	};

	memcpy(m.bytes, &head, sizeof(head));
	return m;
}

static void add(struct message *m, uint16_t kind, const void *value, size_t n)
{
	struct nlattr attribute = { .nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = kind };

	memcpy(m->bytes + m->n, &attribute, sizeof(attribute));
	memcpy(m->bytes + m->n + NLA_HDRLEN, value, n);
	m->n += NLA_ALIGN(NLA_HDRLEN + n);
}

static int parse(const struct message *m, struct who_unix *ret, size_t *n_pending)
{
	const void *pending;

	return who_diag_parse_unix(m->bytes, m->n, ret, &pending, n_pending);
}

static void a_listener_is_read_with_its_file_and_who_waits(void)
{
	struct message m = unix_message(10, 4711);
	const struct unix_diag_vfs vfs = { .udiag_vfs_ino = 99, .udiag_vfs_dev = 254u << 20 };
	const uint32_t waiting[] = { 5, 6 };
	struct who_unix found;
	const void *pending;
	size_t n;

	add(&m, UNIX_DIAG_NAME, "/run/docker.sock", 17);
	add(&m, UNIX_DIAG_VFS, &vfs, sizeof(vfs));
	add(&m, UNIX_DIAG_ICONS, waiting, sizeof(waiting));
	add(&m, 77, "??", 2); /* of a later kernel */
	CU_ASSERT_EQUAL_FATAL(who_diag_parse_unix(m.bytes, m.n, &found, &pending, &n), 0);
	CU_ASSERT_EQUAL(found.inode, 4711);
	CU_ASSERT_TRUE(found.listening && found.has_file);
	CU_ASSERT_STRING_EQUAL(found.name, "/run/docker.sock");
	CU_ASSERT_EQUAL(found.file, 99);
	CU_ASSERT_EQUAL(found.dev, 254u << 20);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_EQUAL(memcmp(pending, waiting, sizeof(waiting)), 0);
}

static void an_abstract_name_is_shown_with_an_at(void)
{
	struct message m = unix_message(10, 1);
	struct who_unix found;
	size_t n;

	add(&m, UNIX_DIAG_NAME, "\0docker\0x", 9);
	CU_ASSERT_EQUAL_FATAL(parse(&m, &found, &n), 0);
	CU_ASSERT_STRING_EQUAL(found.name, "@docker@x");
}

static void a_connection_is_read_with_its_peer(void)
{
	struct message m = unix_message(1, 8);
	const uint32_t peer = 9;
	struct who_unix found;
	size_t n;

	add(&m, UNIX_DIAG_PEER, &peer, sizeof(peer));
	CU_ASSERT_EQUAL_FATAL(parse(&m, &found, &n), 0);
	CU_ASSERT_FALSE(found.listening || found.has_file);
	CU_ASSERT_EQUAL(found.peer, 9);
	CU_ASSERT_EQUAL(n, 0);
}

static void a_message_that_is_damaged_is_refused(void)
{
	struct message whole = unix_message(10, 1), m;
	char name[128];
	const uint32_t peer = 1;
	struct who_unix found;
	size_t n;

	add(&whole, UNIX_DIAG_NAME, "/run/docker.sock", 17);
	for (size_t cut = 0; cut < sizeof(struct unix_diag_msg) + NLA_HDRLEN + 17; cut++) {
		m = whole;
		m.n = cut;
		if (cut != sizeof(struct unix_diag_msg))
			CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	}
	m = whole;
	m.bytes[0] = AF_INET;
	CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	m = whole;
	m.bytes[sizeof(struct unix_diag_msg)] = 3; /* an attribute that is shorter than its own head */
	CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	m = unix_message(10, 1);
	add(&m, UNIX_DIAG_PEER, &peer, 3);
	CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	m = unix_message(10, 1);
	add(&m, UNIX_DIAG_VFS, &peer, sizeof(peer));
	CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	m = unix_message(1, 1); /* no listener, and yet somebody waits */
	add(&m, UNIX_DIAG_ICONS, &peer, sizeof(peer));
	CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	memset(name, 'x', sizeof(name));
	m = unix_message(10, 1);
	add(&m, UNIX_DIAG_NAME, name, 109);
	CU_ASSERT_EQUAL(parse(&m, &found, &n), -EBADMSG);
	m = unix_message(10, 1);
	add(&m, UNIX_DIAG_NAME, name, 108); /* sun_path full, without a NUL */
	CU_ASSERT_EQUAL(parse(&m, &found, &n), 0);
	CU_ASSERT_EQUAL(strlen(found.name), 108);
}

static void a_tcp_listener_is_read(void)
{
	struct inet_diag_msg head = { .idiag_family = AF_INET, .idiag_state = 10, .idiag_inode = 12 };
	struct who_tcp found;

	head.id.idiag_sport = htons(2375);
	head.id.idiag_src[0] = htonl(0x7f000001);
	CU_ASSERT_EQUAL_FATAL(who_diag_parse_tcp(&head, sizeof(head), &found), 0);
	CU_ASSERT_EQUAL(found.port, 2375);
	CU_ASSERT_EQUAL(found.inode, 12);
	CU_ASSERT_EQUAL(found.address[0], 127);
	CU_ASSERT_EQUAL(found.address[3], 1);
	CU_ASSERT_EQUAL(who_diag_parse_tcp(&head, sizeof(head) - 1, &found), -EBADMSG);
	head.idiag_state = 1;
	CU_ASSERT_EQUAL(who_diag_parse_tcp(&head, sizeof(head), &found), -EBADMSG);
	head.idiag_state = 10;
	head.idiag_family = AF_UNIX;
	CU_ASSERT_EQUAL(who_diag_parse_tcp(&head, sizeof(head), &found), -EBADMSG);
}

#define HEAD "Num       RefCount Protocol Flags    Type St Inode Path\n"

static void proc_net_unix_gives_its_listeners(void)
{
	static const char text[] =
		HEAD "0000000053ba9149: 00000002 00000000 00010000 0001 01 377669 /tmp/a b.sock\n"
		     "000000008561a342: 00000002 00000000 00010000 0001 01    12 @docker@\n"
		     "00000000f0cca65d: 00000003 00000000 00000000 0001 03 377684\n"
		     "00000000afeb173d: 00000003 00000000 00000000 0001 03 378036 /run/x.sock\n";
	struct who_diag diag = { 0 };

	CU_ASSERT_EQUAL_FATAL(who_diag_parse_proc(text, sizeof(text) - 1, 3, &diag), 0);
	CU_ASSERT_EQUAL_FATAL(diag.n_unix, 2);
	CU_ASSERT_STRING_EQUAL(diag.unix_sockets[0].name, "/tmp/a b.sock");
	CU_ASSERT_EQUAL(diag.unix_sockets[0].inode, 377669);
	CU_ASSERT_EQUAL(diag.unix_sockets[0].space, 3);
	CU_ASSERT_STRING_EQUAL(diag.unix_sockets[1].name, "@docker@");
	who_diag_free(&diag);
}

static void a_name_that_breaks_its_line_hides_no_other(void)
{
	static const char text[] = HEAD "1: 00000002 00000000 00010000 0001 01 1 /tmp/a\nb\n"
					"2: 00000002 00000000 0001000x 0001 01 2 /run/y.sock\n"
					"3: 00000002 00000000 00010000 0001 01 3 /run/docker.sock\n";
	struct who_diag diag = { 0 };

	CU_ASSERT_EQUAL(who_diag_parse_proc(text, sizeof(text) - 1, 3, &diag), -EBADMSG);
	CU_ASSERT_EQUAL_FATAL(diag.n_unix, 2);
	CU_ASSERT_STRING_EQUAL(diag.unix_sockets[1].name, "/run/docker.sock");
	who_diag_free(&diag);
	CU_ASSERT_EQUAL(who_diag_parse_proc("", 0, 3, &diag), -EBADMSG);
}

/* A real listener, a connection that was accepted, and one that waits. */
static void the_kernel_tells_of_a_real_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct who_diag diag = { 0 };
	struct stat file, listening, first, second;
	size_t listeners = 0, accepted = 0, waiting = 0;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	int clients[2] = { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			   socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test_who_diag.%d", (int)getpid());
	CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(listener, 8), 0);
	CU_ASSERT_EQUAL_FATAL(connect(clients[0], (struct sockaddr *)&address, sizeof(address)), 0);
	peer = accept(listener, NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(connect(clients[1], (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(stat(address.sun_path, &file), 0);
	CU_ASSERT_EQUAL_FATAL(fstat(listener, &listening), 0);
	CU_ASSERT_EQUAL_FATAL(fstat(clients[0], &first), 0);
	CU_ASSERT_EQUAL_FATAL(fstat(clients[1], &second), 0);
	CU_ASSERT_EQUAL_FATAL(who_diag_dump(17, &diag), 0);
	for (size_t i = 0; i < diag.n_unix; i++) {
		const struct who_unix *found = &diag.unix_sockets[i];

		if (strcmp(found->name, address.sun_path) != 0)
			continue;
		CU_ASSERT_TRUE(found->has_file);
		CU_ASSERT_EQUAL(found->file, (uint32_t)file.st_ino);
		CU_ASSERT_EQUAL(found->space, 17);
		listeners += found->listening && found->inode == listening.st_ino;
		accepted += !found->listening && found->peer == first.st_ino;
		waiting += !found->listening && found->peer == second.st_ino;
	}
	CU_ASSERT_EQUAL(listeners, 1);
	CU_ASSERT_EQUAL(accepted, 1);
	CU_ASSERT_EQUAL(waiting, 1);
	who_diag_free(&diag);
	unlink(address.sun_path);
	close(peer);
	close(listener);
	close(clients[0]);
	close(clients[1]);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a listener is read with its file and who waits",
		  a_listener_is_read_with_its_file_and_who_waits },
		{ "an abstract name is shown with an @", an_abstract_name_is_shown_with_an_at },
		{ "a connection is read with its peer", a_connection_is_read_with_its_peer },
		{ "a message that is damaged is refused", a_message_that_is_damaged_is_refused },
		{ "a TCP listener is read", a_tcp_listener_is_read },
		{ "/proc/net/unix gives its listeners", proc_net_unix_gives_its_listeners },
		{ "a name that breaks its line hides no other", a_name_that_breaks_its_line_hides_no_other },
		{ "the kernel tells of a real socket", the_kernel_tells_of_a_real_socket },
		CU_TEST_INFO_NULL,
	};

	return check_main("who/who_diag", tests);
}
