/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy changes in a body, and that what comes out is judged as it is sent. */
#include "policy/policy_inspect_checks.h"
#include "rewrite_fixture.h"

static void nothing_changes_where_nothing_is_asked_for(void)
{
	static const char body[] =
		HC("\"Binds\":[\"/var/run/docker.sock:/s\",\"/srv/a:/m\"],\"Memory\":0,\"PidsLimit\":null,"
		   "\"Mounts\":[{\"Type\":\"volume\"},{\"Type\":\"bind\",\"Source\":\"/run/docker.sock\"}]");
	static const char *const targets[] = { CREATE, "/services/create", "/volumes/create",
					       "/networks/create" };

	prepare();
	fixture_set(&f, POLICY_KEY_CONTAINERS_BINDS, "[/srv/a:rw]");
	for (size_t i = 0; i < COUNT(targets); i++) {
		CU_ASSERT_EQUAL(rewrite(targets[i], body), 0);
		CU_ASSERT_STRING_EQUAL(out.p, body);
		CU_ASSERT_EQUAL(rewrite(targets[i], NULL), 0);
	}
	CU_ASSERT_EQUAL(rewrite(CREATE, body), 0);
	CU_ASSERT_EQUAL(verdict.findings, 2);
	CU_ASSERT_EQUAL(verdict.key, POLICY_KEY_CONTAINERS_SOCKET_BIND);
}

static void set_defaults(void)
{
	prepare();
	fixture_set(&f, POLICY_KEY_CONTAINERS_MEMORY_DEFAULT, "64m");
	fixture_set(&f, POLICY_KEY_CONTAINERS_CPU_DEFAULT, "1500");
	fixture_set(&f, POLICY_KEY_CONTAINERS_PIDS_DEFAULT, "100");
	fixture_set(&f, POLICY_KEY_CONTAINERS_MEMORY_MAX, "128m");
	fixture_set(&f, POLICY_KEY_CONTAINERS_CPU_MAX, "2000");
	fixture_set(&f, POLICY_KEY_CONTAINERS_PIDS_MAX, "200");
}

#define FILLED "\"Memory\":67108864,\"NanoCpus\":1500000000,\"PidsLimit\":100"

static void limits_are_filled_in_where_there_are_none(void)
{
	static const struct expected rows[] = {
		{ "{}", HC(FILLED), true },
		{ "{\"Image\":\"bb\"}", "{\"Image\":\"bb\",\"HostConfig\":{" FILLED "}}", true },
		{ "{\"HostConfig\":null,\"Image\":\"bb\"}", "{\"HostConfig\":{" FILLED "},\"Image\":\"bb\"}",
		  true },
		{ HC(""), HC(FILLED), true },
		{ HC("\"PidsLimit\":null,\"Memory\":0,\"NanoCpus\":0"),
		  HC("\"PidsLimit\":100,\"Memory\":67108864,\"NanoCpus\":1500000000"), true },
		{ HC("\"PidsLimit\":7,\"Memory\":9000000"),
		  HC("\"PidsLimit\":7,\"Memory\":9000000,\"NanoCpus\":1500000000"), true },
		/* A quota is a limit already; one of -1 is none. */
		{ HC("\"CpuQuota\":50000,\"PidsLimit\":7,\"Memory\":9000000"), NULL, true },
		{ HC("\"CpuQuota\":-1,\"PidsLimit\":7,\"Memory\":9000000"),
		  HC("\"CpuQuota\":-1,\"PidsLimit\":7,\"Memory\":9000000,\"NanoCpus\":1500000000"), false },
		/* What asks for more than the limit, or for none, is not repaired. */
		{ HC("\"PidsLimit\":-1,\"Memory\":268435456,\"NanoCpus\":1"), NULL, false },
		{ HC("\"PidsLimit\":\"0\",\"Memory\":1,\"NanoCpus\":1"), NULL, false },
		{ "{\"HostConfig\":[]}", NULL, false },
		{ "{\"hostconfig\":{}}", "{\"hostconfig\":{},\"HostConfig\":{" FILLED "}}", false },
		/* Old engines take these beside a HostConfig too, and they are judged there. */
		{ "{\"Memory\":1000000,\"HostConfig\":{" FILLED "}}", NULL, true },
		{ "{\"Memory\":1000000000,\"HostConfig\":{}}",
		  "{\"Memory\":1000000000,\"HostConfig\":{" FILLED "}}", false },
		/* Zero values of old clients ask for nothing. */
		{ "{\"Memory\":0,\"VolumeDriver\":\"\",\"CpuShares\":0,\"Privileged\":false}",
		  "{\"Memory\":0,\"VolumeDriver\":\"\",\"CpuShares\":0,\"Privileged\":false,\"HostConfig\":"
		  "{" FILLED "}}",
		  true },
	};

	set_defaults();
	expect(CREATE, rows, COUNT(rows));
	CU_ASSERT_EQUAL(rewrite(CREATE, "{}"), 3);
	CU_ASSERT_STRING_EQUAL(changes.p, "HostConfig.Memory: 67108864 filled in; HostConfig.NanoCpus: "
					  "1500000000 filled in; HostConfig.PidsLimit: 100 filled in");
	/* An update names what it changes: nothing is filled in. */
	CU_ASSERT_EQUAL(rewrite("/containers/x/update", "{}"), 0);
	CU_ASSERT_EQUAL(rewrite("/containers/x/update", "{\"Memory\":0}"), 0);
	/* One alone. */
	fixture_set(&f, POLICY_KEY_CONTAINERS_MEMORY_DEFAULT, "0");
	fixture_set(&f, POLICY_KEY_CONTAINERS_CPU_DEFAULT, "0");
	CU_ASSERT_EQUAL(rewrite(CREATE, "{}"), 1);
	CU_ASSERT_STRING_EQUAL(out.p, HC("\"PidsLimit\":100"));
	CU_ASSERT_EQUAL(verdict.findings, 2);
	/* More than Docker's numbers hold. */
	fixture_set(&f, POLICY_KEY_CONTAINERS_CPU_DEFAULT, "18446744073709551615");
	CU_ASSERT_EQUAL(rewrite(CREATE, "{}"), 2);
	CU_ASSERT_STRING_EQUAL(out.p, HC("\"NanoCpus\":9223372036854775807,\"PidsLimit\":100"));
}

/* Engines up to 26.1 use them where HostConfig is absent; a HostConfig that we make would undo them. */
static void limits_are_not_filled_in_beside_fields_of_old_engines(void)
{
	static const char *const bodies[] = {
		"{\"SecurityOpt\":[\"no-new-privileges\"]}",
		"{\"HostConfig\":null,\"CapDrop\":[\"ALL\"]}",
		"{\"Privileged\":true}",
		"{\"MaskedPaths\":[]}",
		"{\"Memory\":1000000}",
	};
	const struct inspect_row *row = inspect_host_config_rows;

	set_defaults();
	for (size_t i = 0; i < COUNT(bodies); i++) {
		CU_ASSERT_EQUAL(rewrite(CREATE, bodies[i]), -EBADMSG);
		CU_ASSERT_PTR_NOT_NULL_FATAL(problem);
		CU_ASSERT_PTR_NOT_NULL(strstr(problem, "put them into HostConfig"));
	}
	/* Every field, that is: the table has no part that the search would miss. */
	while (row->name)
		row++;
	CU_ASSERT_PTR_NULL(row->fields);
	/* With nothing to fill in, nothing is in the way. */
	prepare();
	CU_ASSERT_EQUAL(rewrite(CREATE, bodies[0]), 0);
	CU_ASSERT_EQUAL(verdict.findings, 0);
}

static void services_get_limits_too(void)
{
	static const struct expected rows[] = {
		{ "{\"TaskTemplate\":{\"Resources\":{\"Limits\":{\"Pids\":5,\"NanoCPUs\":7}}}}",
		  "{\"TaskTemplate\":{\"Resources\":{\"Limits\":{\"Pids\":5,\"NanoCPUs\":7,\"MemoryBytes\":"
		  "67108864}}}}",
		  true },
		{ "{\"TaskTemplate\":{\"Resources\":null}}",
		  "{\"TaskTemplate\":{\"Resources\":{\"Limits\":{\"MemoryBytes\":67108864,\"NanoCPUs\":"
		  "1500000000,\"Pids\":100}}}}",
		  true },
		{ "{\"Name\":\"x\"}",
		  "{\"Name\":\"x\",\"TaskTemplate\":{\"Resources\":{\"Limits\":{\"MemoryBytes\":67108864,"
		  "\"NanoCPUs\":1500000000,\"Pids\":100}}}}",
		  true },
		{ "{\"TaskTemplate\":{\"Resources\":{\"Limits\":{\"Pids\":500,\"NanoCPUs\":7,"
		  "\"MemoryBytes\":1}}}}",
		  NULL, false },
		{ "{\"TaskTemplate\":{\"Resources\":7}}", NULL, false },
	};

	set_defaults();
	expect("/services/create", rows, COUNT(rows));
	expect("/services/x/update?version=7", rows, COUNT(rows));
}

static void labels_are_stamped_on_what_is_created(void)
{
#define STAMPED "\"Labels\":{\"owner\":\"builder\",\"a.b\":\"x=y\"}"
	static const struct expected rows[] = {
		{ "{}", "{" STAMPED "}", true },
		{ "{\"Labels\":null}", "{" STAMPED "}", true },
		{ "{\"Labels\":{\"owner\":\"me\",\"mine\":\"1\"}}",
		  "{\"Labels\":{\"owner\":\"builder\",\"mine\":\"1\",\"a.b\":\"x=y\"}}", true },
		{ "{\"Labels\":{\"owner\":null,\"a.b\":\"x=y\"}}", "{" STAMPED "}", true },
		{ "{" STAMPED "}", NULL, true },
		/* Docker tells names of labels apart by case. */
		{ "{\"Labels\":{\"Owner\":\"me\"}}",
		  "{\"Labels\":{\"Owner\":\"me\",\"owner\":\"builder\",\"a.b\":\"x=y\"}}", true },
		{ "{\"Labels\":[\"owner=me\"]}", NULL, false },
		{ "{\"labels\":{\"owner\":\"me\"}}", "{\"labels\":{\"owner\":\"me\"}," STAMPED "}", false },
	};
	static const struct expected mounts[] = {
		{ HC("\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v\"},{\"Type\":\"tmpfs\"}]"),
		  "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v\",\"VolumeOptions\":"
		  "{" STAMPED "}},{\"Type\":\"tmpfs\"}]}," STAMPED "}",
		  true },
		{ HC("\"Mounts\":[{\"Type\":\"volume\",\"VolumeOptions\":{\"Labels\":{\"owner\":\"me\"}}}]"),
		  "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"VolumeOptions\":{" STAMPED
		  "}}]}," STAMPED "}",
		  true },
	};
	static const struct expected services[] = {
		{ "{\"TaskTemplate\":{\"ContainerSpec\":{}}}",
		  "{\"TaskTemplate\":{\"ContainerSpec\":{" STAMPED "}}," STAMPED "}", true },
	};
	static const char *const targets[] = { CREATE, "/networks/create", "/volumes/create",
					       "/services/create" };

	prepare();
	fixture_set(&f, POLICY_KEY_CONTAINERS_LABELS_ADD, "[owner=builder, a.b=x=y]");
	for (size_t i = 0; i < COUNT(targets); i++)
		expect(targets[i], rows, COUNT(rows));
	expect(CREATE, mounts, COUNT(mounts));
	expect("/services/create", services, COUNT(services));
	CU_ASSERT_EQUAL(rewrite("/networks/create", "{}"), 2);
	CU_ASSERT_STRING_EQUAL(changes.p, "Labels.owner: builder; Labels.a.b: x=y");
	CU_ASSERT_EQUAL(rewrite("/containers/x/update", "{}"), 0);
	/* Engines make a volume without being told anything. */
	CU_ASSERT_EQUAL(rewrite("/volumes/create", NULL), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(problem);
	CU_ASSERT_EQUAL(rewrite(CREATE, NULL), 0);
	fixture_set(&f, POLICY_KEY_CONTAINERS_LABELS_ADD, "[\"a=\xff\"]");
	CU_ASSERT_EQUAL(rewrite(CREATE, "{}"), -EBADMSG);
}

static void what_is_added_is_under_the_documents_budget(void)
{
	static char text[256 * 1024], body[JSON_BODY_DEFAULT];
	struct buf b = buf_over(text, sizeof(text) - 1), in = buf_over(body, sizeof(body) - 1);
	unsigned n = 0;

	prepare();
	buf_puts(&b, "[\"");
	for (unsigned i = 0; i < 4000; i++)
		buf_puts(&b, "xxxx");
	buf_puts(&b, "=y\"]");
	b.p[b.n] = '\0';
	fixture_set(&f, POLICY_KEY_CONTAINERS_LABELS_ADD, b.p);
	buf_puts(&in, "{\"HostConfig\":{\"Mounts\":[{}");
	for (; in.n < 100000; n++)
		buf_puts(&in, ",{\"Type\":\"volume\"}");
	buf_puts(&in, "]}}");
	in.p[in.n] = '\0';
	CU_ASSERT_TRUE(n > 5000);
	CU_ASSERT_EQUAL(rewrite(CREATE, in.p), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(problem);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "nothing changes where nothing is asked for", nothing_changes_where_nothing_is_asked_for },
		{ "limits are filled in where there are none", limits_are_filled_in_where_there_are_none },
		{ "limits are not filled in beside fields of old engines",
		  limits_are_not_filled_in_beside_fields_of_old_engines },
		{ "services get limits too", services_get_limits_too },
		{ "labels are stamped on what is created", labels_are_stamped_on_what_is_created },
		{ "what is added is under the document's budget",
		  what_is_added_is_under_the_documents_budget },
		CU_TEST_INFO_NULL,
	};

	json_body_init();
	return check_main("policy/policy_rewrite", tests);
}
