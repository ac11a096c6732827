/* SPDX-License-Identifier: BSD-2-Clause */
/* config_listener.c - the entries of `listeners` in sockgate.yaml. */
#include "config/config_reader.h"
#include "yaml/yaml_doc.h"

struct listener_file {
	struct config_listener listener;
	const struct yaml_node *address; /* the value of unix or tcp */
	const struct yaml_node *policy, *origins;
	bool insecure;
};

CONFIG_READ(read_address)
{
	struct listener_file *file = object;
	struct config_listener *l = &file->listener;
	bool is_unix = str_eqz(yaml_node_text(key), "unix");
	const char *spec = config_read_string(reader, value, is_unix ? "unix" : "tcp"), *why;

	if (!spec)
		return;
	if (file->address)
		config_complain(reader, key, "a listener has one address, unix or tcp");
	file->address = value;
	spec = config_format(reader->build, "%s:%s", is_unix ? "unix" : "tcp", spec);
	if (config_address(reader->build, str_from(spec), &l->kind, &l->address, &l->port, &why) < 0)
		config_complain(reader, value, "%.*s is not %s", STR_ARG(yaml_node_text(value)), why);
}

CONFIG_READ(read_group)
{
	(void)key;
	((struct listener_file *)object)->listener.group = config_read_string(reader, value, "group");
}

/* Octal digits as chmod(1) takes them, quoted or not. */
CONFIG_READ(read_mode)
{
	struct str s = yaml_node_text(value);
	unsigned mode = 0;
	bool fine = s.n == 3 || (s.n == 4 && s.p[0] == '0');

	(void)key;
	for (size_t i = 0; fine && i < s.n; i++) {
		fine = s.p[i] >= '0' && s.p[i] <= '7';
		mode = mode * 8 + (unsigned)(s.p[i] - '0');
	}
	if (fine)
		((struct listener_file *)object)->listener.mode = mode;
	else
		config_complain(reader, value, "mode must be three octal digits, such as \"0660\"");
}

CONFIG_READ(read_listener_policy)
{
	struct listener_file *file = object;

	file->policy = key;
	file->listener.policy = config_read_policy(reader, value);
}

/* RFC 6454 section 6.2: scheme "://" host [ ":" port ], in lower case as browsers send it. */
static bool is_origin(struct str s)
{
	size_t at = str_starts(s, STR("https://")) ? 8 : str_starts(s, STR("http://")) ? 7 : 0;

	for (size_t i = at; at && i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
		      c == '[' || c == ']'))
			return false;
	}
	return at && s.n > at;
}

static void read_origin(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	const char *origin = config_read_string(reader, node, "allowed_origins"), **slot;

	if (!origin)
		return;
	if (strcmp(origin, "*") == 0)
		config_complain(
			reader, node,
			"allowed_origins: * would let every web page use this listener; name origins");
	else if (!is_origin(str_from(origin)))
		config_complain(reader, node,
				"allowed_origins: %s is not an origin such as https://app.example.com",
				origin);
	else if ((slot = config_push(reader->build, &((struct listener_file *)object)->listener.origins,
				     sizeof(const char *))))
		*slot = origin;
}

CONFIG_READ(read_origins)
{
	((struct listener_file *)object)->origins = key;
	config_read_list(reader, key, value, read_origin, object);
}

/* A name or address as Host spells it, without a port: "app.example.com", "10.0.0.1", "[fd00::1]". */
static void read_host(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	const char *host = config_read_string(reader, node, "allowed_hosts"), **slot;

	if (!host)
		return;
	if (!host[0] ||
	    strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:") !=
		    strlen(host) ||
	    (host[0] != '[' && strchr(host, ':')))
		config_complain(reader, node, "allowed_hosts: %s is not a host's name without a port", host);
	else if ((slot = config_push(reader->build, &((struct listener_file *)object)->listener.hosts,
				     sizeof(const char *))))
		*slot = host;
}

CONFIG_READ(read_hosts)
{
	config_read_list(reader, key, value, read_host, object);
}

CONFIG_READ(read_insecure)
{
	config_read_flag(reader, key, value, &((struct listener_file *)object)->insecure);
}

CONFIG_READ(read_metrics)
{
	(void)config_read_flag(reader, key, value, &((struct listener_file *)object)->listener.metrics);
}

/* What only counts and tells has no requests to judge; and no page may read it. */
static void check_purpose(struct config_reader *reader, const struct yaml_node *node,
			  const struct listener_file *file)
{
	if (!file->listener.metrics && !file->policy)
		config_complain(reader, node, "a listener needs the key policy");
	if (file->listener.metrics && file->policy)
		config_complain(reader, file->policy, "policy goes not with metrics: true");
	if (file->listener.metrics && file->origins)
		config_complain(reader, file->origins, "allowed_origins goes not with metrics: true");
}

static void check_listener(struct config_reader *reader, const struct yaml_node *node,
			   struct listener_file *file)
{
	const struct config_listener *l = &file->listener;

	if (!file->address) {
		config_complain(reader, node, "a listener needs the key unix or tcp");
		return;
	}
	if (!l->address)
		return;
	if (l->kind == IMAGE_TCP && !config_is_loopback(l->address) && !file->insecure)
		config_complain(reader, file->address,
				"tcp beyond loopback is neither encrypted nor authenticated; say "
				"insecure_plain_tcp: true if "
				"something else protects it");
	for (size_t i = 0; i + 1 < reader->build->listeners.n; i++) {
		const struct config_listener *other =
			CONFIG_AT(reader->build->listeners, struct config_listener, i);

		if (other->address && other->kind == l->kind && other->port == l->port &&
		    strcmp(other->address, l->address) == 0)
			config_complain(reader, file->address, "line %u listens there already",
					other->source.line);
	}
}

void config_listener_read(struct config_reader *reader, const struct yaml_node *node, void *object)
{
	static const struct config_field fields[] = {
		{ "unix", read_address, false },
		{ "tcp", read_address, false },
		{ "group", read_group, false },
		{ "mode", read_mode, false },
		{ "policy", read_listener_policy, false },
		{ "allowed_origins", read_origins, false },
		{ "allowed_hosts", read_hosts, false },
		{ "insecure_plain_tcp", read_insecure, false },
		{ "metrics", read_metrics, false },
	};
	struct listener_file file = { .listener.mode = 0660 };
	struct config_listener *slot = config_push(reader->build, &reader->build->listeners, sizeof(*slot));

	(void)object;
	config_read_fields(reader, node, "a listener", fields, CONFIG_COUNT(fields), &file);
	check_purpose(reader, node, &file);
	check_listener(reader, node, &file);
	file.listener.source = config_read_source(reader, node, file.listener.address);
	if (slot)
		*slot = file.listener;
}
