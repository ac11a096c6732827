/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_inspect_network.c - namespaces, networks, their addresses, and published ports. */
#include "policy/policy_inspect_checks.h"
#include "policy/policy_inspect_match.h"

/* The reference of "container:REFERENCE". */
static bool of_container(struct str mode, struct str *ret)
{
	if (!str_starts(mode, STR("container:")))
		return false;
	*ret = (struct str){ mode.p + 10, mode.n - 10 };
	return true;
}

void inspect_namespace_of(struct inspect *in, struct str container)
{
	struct str name = container;

	inspect_string_container(in, container);
	if (name.n && name.p[0] == '/')
		name = (struct str){ name.p + 1, name.n - 1 };
	if (!inspect_listed(in->image, in->policy, POLICY_KEY_CONTAINERS_JOIN_NAMESPACES, name))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_JOIN_NAMESPACES, container,
			       "is not among the containers that are listed");
}

/* A mode of a namespace; the row's key is the one for "host". */
void inspect_check_namespace(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	struct str mode = json_value_string(v), container;
	bool private = str_eqz(mode, "private") || (row->key == POLICY_KEY_CONTAINERS_HOST_IPC &&
						    (str_eqz(mode, "none") || str_eqz(mode, "shareable")));

	if (inspect_string_settled(in, mode) || private)
		return;
	/* With cgroup v1 the engine itself stores "host" for every container (moby daemon,
	 * CgroupNamespaceMode). */
	if (in->stored && row->key == POLICY_KEY_CONTAINERS_HOST_CGROUPNS && str_eqz(mode, "host"))
		return;
	if (of_container(mode, &container))
		inspect_namespace_of(in, container);
	else if (!policy_bool(in->policy, row->key)) /* "host", and whatever engines may come to call it */
		inspect_refuse(in, row->key, mode, "is not the container's own");
}

void inspect_string_network(struct inspect *in, enum policy_key key, struct str name)
{
	struct str container;

	if (inspect_string_settled(in, name))
		return;
	if (of_container(name, &container))
		inspect_namespace_of(in, container);
	else if (str_ieqz(name, "host") && !policy_bool(in->policy, POLICY_KEY_CONTAINERS_HOST_NETWORK))
		inspect_refuse(in, POLICY_KEY_CONTAINERS_HOST_NETWORK, name, "is the host's network");
	else if (!str_ieqz(name, "host") && !inspect_listed(in->image, in->policy, key, name))
		inspect_refuse(in, key, name, "is not among the networks that are listed");
}

void inspect_check_network_mode(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_string_network(in, row->key, json_value_string(v));
}

/* EndpointsConfig: its names are networks. Each endpoint is walked by the rows of inspect_endpoint_rows. */
void inspect_check_endpoints(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	const struct inspect_row endpoint = { row->name, INSPECT_NAMED_OBJECTS, inspect_endpoint_rows, NULL,
					      POLICY_KEYS };
	const struct json_member *it;

	for (it = json_first(v); it && !in->stopped; it = json_next(v, it))
		inspect_string_network(in, row->key, json_member_name(it));
	inspect_value(in, &endpoint, v);
}

/* "NAME" or "NAME:ALIAS". */
static void link_check(struct inspect *in, enum policy_key key, struct str s)
{
	struct str name, alias;

	if (inspect_string_settled(in, s))
		return;
	inspect_split(s, ':', &name, &alias);
	inspect_string_container(in, name);
	if (!inspect_listed(in->image, in->policy, key, name))
		inspect_refuse(in, key, s, "is not among the containers that are listed");
}

void inspect_check_links(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	inspect_each_string(in, row->key, v, link_check);
}

/* "" and "0": the engine picks one. */
void inspect_port_range(struct inspect *in, struct str port)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, POLICY_KEY_CONTAINERS_PORTS);
	uint32_t first, last, low, high;
	struct str entry;

	if (port.n == 0)
		port = STR("0");
	if (!inspect_range(port, &first, &last) || last > 65535) {
		inspect_malformed(in, port, "is no port");
		return;
	}
	while (inspect_list_next(&list, &entry))
		if (str_eqz(entry, "*") || last == 0 ||
		    (inspect_range(entry, &low, &high) && first >= low && last <= high))
			return;
	inspect_refuse(in, POLICY_KEY_CONTAINERS_PORTS, port, "is not among the ports that are listed");
}

static struct str text(const struct json_value *object, const char *name)
{
	const struct json_value *v = inspect_get(object, name);

	return v ? json_value_string(v) : STR("");
}

/* Of one binding of PortBindings, null as well: the engine picks a port then. */
void inspect_check_port_bindings(struct inspect *in, const struct inspect_row *row,
				 const struct json_value *v)
{
	struct str address = text(v, "HostIp");

	(void)row;
	inspect_port_range(in, text(v, "HostPort"));
	if (address.n == 0)
		address = STR("0.0.0.0");
	inspect_string_listed(in, POLICY_KEY_CONTAINERS_PORT_ADDRESSES, address);
}

static const struct inspect_row ipam_config_rows[] = {
	INSPECT_FREE("IPv4Address", INSPECT_STRING),
	INSPECT_FREE("IPv6Address", INSPECT_STRING),
	INSPECT_FREE("LinkLocalIPs", INSPECT_STRINGS),
	INSPECT_END,
};

const struct inspect_row inspect_endpoint_rows[] = {
	INSPECT_FIELDS("IPAMConfig", INSPECT_OBJECT, ipam_config_rows),
	INSPECT_CHECK("Links", INSPECT_STRINGS, inspect_check_links, CONTAINERS_LINKS),
	INSPECT_FREE("Aliases", INSPECT_STRINGS),
	INSPECT_FREE("MacAddress", INSPECT_STRING),
	INSPECT_CHECK("DriverOpts", INSPECT_PAIRS, inspect_check_pairs, CONTAINERS_ENDPOINT_OPTIONS),
	INSPECT_FREE("GwPriority", INSPECT_INTEGER),
	/* What an inspection says and a request repeats; the engine sets them anew. */
	INSPECT_FREE("NetworkID", INSPECT_STRING),
	INSPECT_FREE("EndpointID", INSPECT_STRING),
	INSPECT_FREE("Gateway", INSPECT_STRING),
	INSPECT_FREE("IPAddress", INSPECT_STRING),
	INSPECT_FREE("IPPrefixLen", INSPECT_INTEGER),
	INSPECT_FREE("IPv6Gateway", INSPECT_STRING),
	INSPECT_FREE("GlobalIPv6Address", INSPECT_STRING),
	INSPECT_FREE("GlobalIPv6PrefixLen", INSPECT_INTEGER),
	INSPECT_FREE("DNSNames", INSPECT_STRINGS),
	INSPECT_END,
};

static void subnet_check(struct inspect *in, enum policy_key key, struct str s)
{
	struct inspect_list list = inspect_list_of(in->image, in->policy, key);
	struct str entry;

	if (inspect_string_settled(in, s))
		return;
	while (inspect_list_next(&list, &entry))
		if (str_eqz(entry, "*") || inspect_within_subnet(s, entry))
			return;
	inspect_refuse(in, key, s, "is not in an address range that is listed");
}

static void check_subnet(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	subnet_check(in, row->key, json_value_string(v));
}

static void check_addresses(struct inspect *in, const struct inspect_row *row, const struct json_value *v)
{
	const struct json_member *it;

	for (it = json_first(v); it && !in->stopped; it = json_next(v, it))
		subnet_check(in, row->key, json_value_string(json_member_value(it)));
}

static const struct inspect_row pool_rows[] = {
	INSPECT_CHECK("Subnet", INSPECT_STRING, check_subnet, NETWORKS_SUBNETS),
	INSPECT_CHECK("IPRange", INSPECT_STRING, check_subnet, NETWORKS_SUBNETS),
	INSPECT_CHECK("Gateway", INSPECT_STRING, check_subnet, NETWORKS_SUBNETS),
	INSPECT_CHECK("AuxiliaryAddresses", INSPECT_PAIRS, check_addresses, NETWORKS_SUBNETS),
	INSPECT_END,
};

static const struct inspect_row ipam_rows[] = {
	INSPECT_CHECK("Driver", INSPECT_STRING, inspect_check_listed, NETWORKS_IPAM_DRIVERS),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, NETWORKS_IPAM_OPTIONS),
	INSPECT_FIELDS("Config", INSPECT_OBJECTS, pool_rows),
	INSPECT_END,
};

static const struct inspect_row config_from_rows[] = {
	INSPECT_CHECK("Network", INSPECT_STRING, inspect_check_flag, NETWORKS_CONFIG_FROM),
	INSPECT_END,
};

static const struct inspect_row network_rows[] = {
	INSPECT_FREE("Name", INSPECT_STRING),
	INSPECT_FREE("CheckDuplicate", INSPECT_BOOL),
	INSPECT_CHECK("Driver", INSPECT_STRING, inspect_check_listed, NETWORKS_DRIVERS),
	INSPECT_CHECK("Scope", INSPECT_STRING, inspect_check_listed, NETWORKS_SCOPES),
	INSPECT_FREE("EnableIPv4", INSPECT_BOOL),
	INSPECT_FREE("EnableIPv6", INSPECT_BOOL),
	INSPECT_FIELDS("IPAM", INSPECT_OBJECT, ipam_rows),
	INSPECT_FREE("Internal", INSPECT_BOOL),
	INSPECT_FREE("Attachable", INSPECT_BOOL),
	INSPECT_CHECK("Ingress", INSPECT_BOOL, inspect_check_flag, NETWORKS_INGRESS),
	INSPECT_CHECK("ConfigOnly", INSPECT_BOOL, inspect_check_flag, NETWORKS_CONFIG_FROM),
	INSPECT_FIELDS("ConfigFrom", INSPECT_OBJECT, config_from_rows),
	INSPECT_CHECK("Options", INSPECT_PAIRS, inspect_check_pairs, NETWORKS_OPTIONS),
	INSPECT_CHECK("Labels", INSPECT_PAIRS, inspect_check_refused_pairs, CONTAINERS_LABELS_REFUSED),
	INSPECT_END,
};
const struct inspect_row inspect_body_network = INSPECT_FIELDS("", INSPECT_OBJECT, network_rows);

static const struct inspect_row connect_rows[] = {
	INSPECT_CHECK("Container", INSPECT_STRING, inspect_check_container, CONTAINERS_PROTECTED),
	INSPECT_FIELDS("EndpointConfig", INSPECT_OBJECT, inspect_endpoint_rows),
	INSPECT_END,
};
const struct inspect_row inspect_body_connect = INSPECT_FIELDS("", INSPECT_OBJECT, connect_rows);

static const struct inspect_row disconnect_rows[] = {
	INSPECT_CHECK("Container", INSPECT_STRING, inspect_check_container, CONTAINERS_PROTECTED),
	INSPECT_FREE("Force", INSPECT_BOOL),
	INSPECT_END,
};
const struct inspect_row inspect_body_disconnect = INSPECT_FIELDS("", INSPECT_OBJECT, disconnect_rows);
