/* SPDX-License-Identifier: BSD-2-Clause */
/* A full disk is played by RLIMIT_FSIZE, which makes a write short and the next one fail. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "audit/audit_signer.h"
#include "audit/audit_verify.h"
#include "check.h"

static char path[] = "/tmp/sockgate-trail-XXXXXX";

static void set_room(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int open_trail(int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	return fd;
}

static void begin(struct audit_writer *w)
{
	char *memory = malloc(3 * AUDIT_LINE_MAX);

	CU_ASSERT_EQUAL_FATAL(audit_writer_init(w, memory, 3 * AUDIT_LINE_MAX, "test"), 0);
	audit_writer_open(w, open_trail(O_WRONLY | O_APPEND | O_TRUNC));
}

static int add(struct audit_writer *w, unsigned records)
{
	while (records--) {
		struct audit_note note = { .action = STR("x"), .count = records };

		audit_format_note(audit_writer_begin(w), &note);
		audit_writer_end(w);
	}
	return audit_writer_flush(w);
}

static void end(struct audit_writer *w)
{
	audit_writer_close(w);
	free(w->memory);
}

/* The findings of the whole file; -1: it cannot be read. */
static int count_findings(struct audit_summary *ret)
{
	static char memory[1 << 16];
	struct audit_lines lines = { .fd = open_trail(O_RDONLY), .memory = memory, .cap = sizeof(memory) };
	struct audit_verify *verify = audit_verify_new(NULL);
	const struct audit_finding *findings;
	struct str line;
	size_t n;

	while (audit_lines_next(&lines, &line) == 1)
		CU_ASSERT_EQUAL(audit_verify_line(verify, line), 0);
	if (audit_lines_unfinished(&lines))
		CU_ASSERT_EQUAL(audit_verify_unfinished(verify), 0);
	CU_ASSERT_EQUAL(audit_verify_finish(verify, &findings, &n, ret), 0);
	audit_verify_free(verify);
	close(lines.fd);
	return (int)n;
}

static void a_full_disk_at_any_byte_leaves_a_whole_chain(void)
{
	struct audit_summary summary;
	struct audit_writer w;

	/* A start, 3 records that go out in one write, room for some bytes of them. */
	for (rlim_t room = 300; room < 1400; room += 7) {
		int r;

		set_room(RLIM_INFINITY);
		begin(&w);
		set_room(room);
		r = add(&w, 3);
		CU_ASSERT_TRUE(r == 0 || r == -EFBIG);
		CU_ASSERT_TRUE((r == 0) == (w.lost == 0 && w.torn == 0));
		set_room(RLIM_INFINITY);
		CU_ASSERT_EQUAL(add(&w, 1), 0);
		CU_ASSERT_EQUAL(w.lost, 0);
		end(&w);
		CU_ASSERT_EQUAL(count_findings(&summary), 0);
		CU_ASSERT_TRUE(summary.records >= 3);
	}
}

static void what_is_lost_is_counted_once(void)
{
	struct audit_writer w;
	char text[4096];
	ssize_t n;
	int fd;

	begin(&w);
	set_room(1);
	CU_ASSERT_EQUAL(add(&w, 3), -EFBIG);
	CU_ASSERT_EQUAL(add(&w, 2), -EFBIG);
	CU_ASSERT_EQUAL(w.lost, 5);
	set_room(RLIM_INFINITY);
	CU_ASSERT_EQUAL(add(&w, 1), 0);
	CU_ASSERT_EQUAL(w.lost, 0);
	end(&w);
	fd = open_trail(O_RDONLY);
	n = read(fd, text, sizeof(text));
	close(fd);
	CU_ASSERT_TRUE_FATAL(n > 0);
	CU_ASSERT_PTR_NOT_NULL(memmem(text, (size_t)n, "\"sockgate.count\":5,", 19));
}

static void a_failure_before_the_last_write_is_not_forgotten(void)
{
	struct audit_writer w;

	begin(&w);
	set_room(1);
	CU_ASSERT_EQUAL(add(&w, 400), -EFBIG); /* more than the memory holds: written in between */
	set_room(RLIM_INFINITY);
	w.owed = -EFBIG;
	CU_ASSERT_EQUAL(add(&w, 1), -EFBIG);
	CU_ASSERT_EQUAL(add(&w, 1), 0);
	end(&w);
}

static void a_torn_line_that_others_wrote_behind_is_given_up(void)
{
	struct audit_summary summary;
	struct audit_writer w;
	int other;

	begin(&w);
	set_room((rlim_t)lseek(w.fd, 0, SEEK_END) + 20);
	CU_ASSERT_EQUAL(add(&w, 1), -EFBIG);
	CU_ASSERT_TRUE(w.torn > 0);
	set_room(RLIM_INFINITY);
	other = open_trail(O_WRONLY | O_APPEND);
	CU_ASSERT_EQUAL(write(other, "{}\n", 3), 3);
	close(other);
	CU_ASSERT_EQUAL(add(&w, 1), 0);
	end(&w);
	CU_ASSERT_EQUAL(count_findings(&summary), 1); /* that one line, and nothing behind it */
	CU_ASSERT_EQUAL(summary.records, 4);          /* start, what was lost, the record, end */
}

static void a_signer_sees_what_is_cut_off_under_its_hands(void)
{
	struct audit_key key = { { 1 }, { 1 } };
	static struct audit_signer signer;
	struct audit_summary summary;
	struct audit_writer w;

	begin(&w);
	CU_ASSERT_EQUAL_FATAL(audit_signer_init(&signer, &key), 0);
	audit_signer_open(&signer, open_trail(O_RDONLY));
	CU_ASSERT_EQUAL(add(&w, 5), 0);
	CU_ASSERT_EQUAL(audit_signer_tick(&signer, &w, true), 0);
	CU_ASSERT_EQUAL(signer.damaged, 0);
	CU_ASSERT_EQUAL(count_findings(&summary), 0);
	CU_ASSERT_EQUAL(summary.checkpoints, 1);
	CU_ASSERT_EQUAL(audit_signer_tick(&signer, &w, true), 0);
	CU_ASSERT_EQUAL(count_findings(&summary), 0);
	CU_ASSERT_EQUAL(summary.checkpoints, 1); /* nothing has moved */
	CU_ASSERT_EQUAL(ftruncate(w.fd, 0), 0);
	CU_ASSERT_EQUAL(audit_signer_read(&signer), 0);
	CU_ASSERT_EQUAL(signer.damaged, 1);
	close(signer.now.fd);
	free(signer.now.memory);
	free(signer.before.memory);
	end(&w);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a full disk at any byte leaves a whole chain",
		  a_full_disk_at_any_byte_leaves_a_whole_chain },
		{ "what is lost is counted once", what_is_lost_is_counted_once },
		{ "a failure before the last write is not forgotten",
		  a_failure_before_the_last_write_is_not_forgotten },
		{ "a torn line that others wrote behind is given up",
		  a_torn_line_that_others_wrote_behind_is_given_up },
		{ "a signer sees what is cut off under its hands",
		  a_signer_sees_what_is_cut_off_under_its_hands },
		CU_TEST_INFO_NULL,
	};
	int fd = mkstemp(path), status;

	if (fd < 0)
		return 1;
	close(fd);
	signal(SIGXFSZ, SIG_IGN);
	status = check_main("audit/writer", tests);
	unlink(path);
	return status;
}
