/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/audit_verify.h"
#include "audit/audit_writer.h"
#include "check.h"

#define LINES 8

/* A chain of a start and requests, as lines without their newlines. */
struct trail {
	char memory[4 * AUDIT_LINE_MAX];
	struct audit_chain chain;
	struct str lines[LINES];
};

static void make_trail(struct trail *t)
{
	struct buf out = buf_over(t->memory, sizeof(t->memory));

	CU_ASSERT_EQUAL_FATAL(audit_chain_begin(&t->chain), 0);
	for (size_t i = 0; i < LINES; i++) {
		struct audit_mark mark = { .action = i ? STR("again") : STR("chain-start"),
					   .pid = (int64_t)i };
		size_t start = out.n;

		audit_format_mark(&out, &mark);
		audit_chain_link(&t->chain, &out);
		audit_chain_close(&t->chain, &out, start);
		t->lines[i] = (struct str){ out.p + start, out.n - start - 1 };
	}
}

/* "kind@line ..." of the findings. */
static const char *findings_of(const struct str *lines, size_t n)
{
	static char text[512];
	struct audit_verify *verify = audit_verify_new(NULL);
	const struct audit_finding *findings;
	struct audit_summary summary;
	struct buf out = buf_over(text, sizeof(text) - 1);
	size_t n_findings;

	CU_ASSERT_PTR_NOT_NULL_FATAL(verify);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(audit_verify_line(verify, lines[i]), 0);
	CU_ASSERT_EQUAL_FATAL(audit_verify_finish(verify, &findings, &n_findings, &summary), 0);
	for (size_t i = 0; i < n_findings; i++)
		buf_printf(&out, "%s%s@%u:%llu+%llu", i ? " " : "", audit_finding_name(findings[i].kind),
			   findings[i].place.line, (unsigned long long)findings[i].seq,
			   (unsigned long long)findings[i].count);
	text[out.n] = '\0';
	audit_verify_free(verify);
	return text;
}

static void a_whole_chain_has_no_findings(void)
{
	struct trail t;

	make_trail(&t);
	CU_ASSERT_STRING_EQUAL(findings_of(t.lines, LINES), "");
}

static void every_single_byte_of_a_record_counts(void)
{
	struct trail t;

	make_trail(&t);
	for (size_t at = 0; at < t.lines[3].n; at++) {
		char *byte = (char *)(uintptr_t)t.lines[3].p + at;

		*byte ^= 1;
		CU_ASSERT_STRING_NOT_EQUAL(findings_of(t.lines, LINES), "");
		*byte ^= 1;
	}
	CU_ASSERT_STRING_EQUAL(findings_of(t.lines, LINES), "");
}

static void deleted_records_are_counted_wherever_they_were(void)
{
	struct trail t;

	make_trail(&t);
	CU_ASSERT_STRING_EQUAL(findings_of(t.lines + 2, LINES - 2), "missing@1:0+2");
	t.lines[4] = t.lines[2];
	CU_ASSERT_STRING_EQUAL(findings_of(t.lines + 4, LINES - 4), "missing@1:0+2 missing@2:3+2");
}

static void any_two_records_that_changed_places_are_found(void)
{
	struct trail t;

	make_trail(&t);
	for (size_t i = 0; i < LINES; i++) {
		for (size_t j = i + 1; j < LINES; j++) {
			struct str swap = t.lines[i];

			t.lines[i] = t.lines[j];
			t.lines[j] = swap;
			CU_ASSERT_PTR_NOT_NULL(strstr(findings_of(t.lines, LINES), "reordered@"));
			CU_ASSERT_PTR_NULL(strstr(findings_of(t.lines, LINES), "missing"));
			CU_ASSERT_PTR_NULL(strstr(findings_of(t.lines, LINES), "changed"));
			t.lines[j] = t.lines[i];
			t.lines[i] = swap;
		}
	}
}

static void a_doubled_record_is_found(void)
{
	struct trail t;
	struct str lines[LINES + 1];

	make_trail(&t);
	memcpy(lines, t.lines, sizeof(t.lines));
	lines[LINES] = t.lines[5];
	CU_ASSERT_STRING_EQUAL(findings_of(lines, LINES + 1), "duplicated@9:5+1");
}

static void chains_may_be_mixed(void)
{
	struct trail a, b;
	struct str lines[2 * LINES];

	make_trail(&a);
	make_trail(&b);
	for (size_t i = 0; i < LINES; i++) {
		lines[2 * i] = a.lines[i];
		lines[2 * i + 1] = b.lines[LINES - 1 - i];
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(findings_of(lines, 2 * LINES), "reordered@4:6+1"));
	for (size_t i = 0; i < LINES; i++)
		lines[2 * i + 1] = b.lines[i];
	CU_ASSERT_STRING_EQUAL(findings_of(lines, 2 * LINES), "");
}

static void a_record_moved_into_another_chain_is_found(void)
{
	struct trail a, b;

	make_trail(&a);
	make_trail(&b);
	a.lines[4] = b.lines[4];
	CU_ASSERT_STRING_EQUAL(findings_of(a.lines, LINES), "missing@5:0+4 missing@6:4+1");
}

static void a_value_cannot_pass_for_the_links(void)
{
	struct audit_note note = {
		.action =
			STR("x\",\"sockgate.chain\":\"0000000000000000\",\"sockgate.seq\":7,\"event.action\":"
			    "\"chain-end\""),
	};
	struct audit_chain chain = { .id = 42, .seq = 3 };
	char memory[AUDIT_LINE_MAX];
	struct buf out = buf_over(memory, sizeof(memory));
	struct audit_link link;
	struct str line;

	audit_format_note(&out, &note);
	audit_chain_link(&chain, &out);
	audit_chain_close(&chain, &out, 0);
	line = (struct str){ out.p, out.n - 1 };
	CU_ASSERT_EQUAL_FATAL(audit_read_link(line, &link), 0);
	CU_ASSERT_TRUE(link.chain == 42 && link.seq == 3 && !link.is_signed);
	CU_ASSERT_EQUAL(audit_read_kind(line), AUDIT_RECORD);
}

static void a_made_key_signs_what_its_public_half_verifies(void)
{
	char folder[] = "/tmp/sockgate-key-XXXXXX", path[64], public_path[64];
	uint8_t signature[AUDIT_SIGNATURE_SIZE];
	struct audit_key made, loaded, public;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	snprintf(public_path, sizeof(public_path), "%s/pub", folder);
	CU_ASSERT_EQUAL_FATAL(audit_key_make(path, public_path, &made), 0);
	CU_ASSERT_EQUAL(audit_key_make(path, public_path, &loaded), -EEXIST);
	CU_ASSERT_EQUAL_FATAL(audit_key_load(path, &loaded), 0);
	CU_ASSERT_EQUAL_FATAL(audit_key_load_public(public_path, &public), 0);
	audit_key_sign(&loaded, STR("text"), signature);
	CU_ASSERT_TRUE(audit_key_verify(&public, STR("text"), signature));
	CU_ASSERT_FALSE(audit_key_verify(&public, STR("texT"), signature));
	CU_ASSERT_EQUAL(audit_key_load(public_path, &loaded), -EPERM);
	CU_ASSERT_EQUAL(audit_key_load_public(path, &loaded), -EBADMSG);
	unlink(path);
	unlink(public_path);
	rmdir(folder);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a whole chain has no findings", a_whole_chain_has_no_findings },
		{ "every single byte of a record counts", every_single_byte_of_a_record_counts },
		{ "deleted records are counted wherever they were",
		  deleted_records_are_counted_wherever_they_were },
		{ "any two records that changed places are found",
		  any_two_records_that_changed_places_are_found },
		{ "a doubled record is found", a_doubled_record_is_found },
		{ "chains may be mixed", chains_may_be_mixed },
		{ "a record moved into another chain is found", a_record_moved_into_another_chain_is_found },
		{ "a value cannot pass for the links", a_value_cannot_pass_for_the_links },
		{ "a made key signs what its public half verifies",
		  a_made_key_signs_what_its_public_half_verifies },
		CU_TEST_INFO_NULL,
	};

	return check_main("audit/verify", tests);
}
