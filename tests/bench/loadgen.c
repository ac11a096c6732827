/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loadgen - sends one kind of HTTP request to a Unix or TCP socket, checks every status, prints one JSON
 * line.
 *
 * The line has rate, latencies, mistakes, and what the processes of -P used meanwhile. See load.h for the
 * method.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/load.h"

static const char usage_text[] =
	"usage: loadgen [options] TARGET PATH\n"
	"\n"
	"TARGET is unix:/path/to.sock or tcp:IPV4:PORT; PATH is the request's target.\n"
	"\n"
	"  -n COUNT    requests to send and count (default 10000)\n"
	"  -d SECONDS  instead of -n: start requests for so long\n"
	"  -w COUNT    requests before them, not counted (default 0)\n"
	"  -c COUNT    connections, one request in flight on each (default 1)\n"
	"  -C          a new connection for every request (default: keep-alive)\n"
	"  -m METHOD   default GET\n"
	"  -H HEADER   a further header line, 'Name: value' (up to 32 of them)\n"
	"  -b FILE     body, sent with a length as application/json\n"
	"  -u BYTES    generated chunked body (suffixes k, m, g)\n"
	"  -L          the body of -u with a length instead\n"
	"  -z BYTES    chunk size of -u (default 32k)\n"
	"  -s STATUS   the status that every response must have (default 200)\n"
	"  -i SECONDS  idle streams: one request a connection, hold all of them open for so long\n"
	"  -P PIDS     comma-separated: report CPU time, memory and descriptors of these processes\n"
	"  -t SECONDS  give up after so long (default 60)\n"
	"  -l LABEL    copied to the output\n"
	"\n"
	"Exit: 0 clean; 1 mistakes, other statuses, or cut short by -t; 2 usage or set-up failure.\n";

static uint64_t number_argument(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);
	unsigned shift = 0;

	if (*end == 'k')
		shift = 10;
	else if (*end == 'm')
		shift = 20;
	else if (*end == 'g')
		shift = 30;
	if (end == text || text[0] == '-' || end[shift ? 1 : 0] != '\0' || v > max >> shift ||
	    v << shift < min)
		errx(2, "not a number from %" PRIu64 " to %" PRIu64 ": %s", min, max, text);
	return v << shift;
}

static double seconds_argument(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v > 0 && v < 1e6))
		errx(2, "not a number of seconds: %s", text);
	return v;
}

static char *read_file(const char *path, size_t *ret_len)
{
	struct stat st;
	char *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", path);
	p = malloc((size_t)st.st_size + 1);
	if (!p || read(fd, p, (size_t)st.st_size) != st.st_size)
		err(2, "%s", path);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return p;
}

static void parse_pids(struct load_options *o, char *list)
{
	char *item;

	while ((item = strsep(&list, ","))) {
		if (o->pid_count == LOAD_PIDS_MAX)
			errx(2, "more than %d pids", LOAD_PIDS_MAX);
		o->pids[o->pid_count++] = (pid_t)number_argument(item, 1, INT32_MAX);
	}
}

static void take_option(struct load_options *o, int option, char *argument)
{
	switch (option) {
	case 'n':
		o->count = number_argument(argument, 1, UINT64_MAX / 2);
		break;
	case 'd':
		o->seconds = seconds_argument(argument);
		break;
	case 'w':
		o->warmup = number_argument(argument, 0, UINT32_MAX);
		break;
	case 'c':
		o->connections = (int)number_argument(argument, 1, 100000);
		break;
	case 'C':
		o->close_each = true;
		break;
	case 'm':
		o->method = argument;
		break;
	case 'H':
		if (o->header_count == LOAD_HEADERS_MAX)
			errx(2, "more than %d headers", LOAD_HEADERS_MAX);
		o->headers[o->header_count++] = argument;
		break;
	case 'b':
		o->body = read_file(argument, &o->body_len);
		break;
	case 'u':
		o->upload_bytes = number_argument(argument, 1, UINT64_MAX / 2);
		break;
	case 'L':
		o->upload_length = true;
		break;
	case 'z':
		o->upload_chunk = number_argument(argument, 1, 16 * 1024 * 1024);
		break;
	case 's':
		o->expect = (int)number_argument(argument, 100, LOAD_STATUS_MAX - 1);
		break;
	case 'i':
		o->hold = seconds_argument(argument);
		break;
	case 'P':
		parse_pids(o, argument);
		break;
	case 't':
		o->limit = seconds_argument(argument);
		break;
	case 'l':
		o->label = argument;
		break;
	default:
		fputs(usage_text, stderr);
		exit(2);
	}
}

static void parse_arguments(struct load_options *o, int argc, char **argv)
{
	const char *why;
	int option;

	while ((option = getopt(argc, argv, "n:d:w:c:Cm:H:b:u:Lz:s:i:P:t:l:")) != -1)
		take_option(o, option, optarg);
	if (argc - optind != 2) {
		fputs(usage_text, stderr);
		exit(2);
	}
	o->target = argv[optind];
	o->path = argv[optind + 1];
	if (address_parse(o->target, &o->address, &why))
		errx(2, "%s: %s", o->target, why);
	if (o->hold > 0) { /* one request a connection */
		o->count = (uint64_t)o->connections;
		o->seconds = 0;
		o->warmup = 0;
	}
}

static double microseconds(const struct load_results *results, double q)
{
	return (double)histogram_quantile(&results->latency, q) / 1e3;
}

static void report_processes(const struct load_options *o, const struct load_results *results, double moved)
{
	double total = 0;

	for (int i = 0; i < o->pid_count; i++) {
		/* A process that has gone would make the others look cheap. */
		if (results->cpu_s[i] < 0)
			errx(2, "process %d has gone", (int)o->pids[i]);
		total += results->cpu_s[i];
	}
	printf(",\"cpu_s\":%.6f,\"pss_kib\":%" PRId64 ",\"fds\":%" PRId64, total, results->pss_kib,
	       results->fds);
	if (results->finished)
		printf(",\"cpu_us\":%.3f", total * 1e6 / (double)results->finished);
	if (moved >= 1048576.0)
		printf(",\"cpu_s_per_gib\":%.4f", total / (moved / 1073741824.0));
}

static void report(const struct load_options *o, const struct load_results *results)
{
	double finished = (double)results->finished;
	double moved = (double)results->received_bytes + (double)o->upload_bytes * finished;
	const char *separator = "";

	printf("{\"label\":\"%s\",\"target\":\"%s\",\"connections\":%d,\"requests\":%" PRIu64
	       ",\"wall_s\":%.4f,\"rps\":%.1f,\"gib_per_s\":%.4f",
	       o->label, o->target, o->connections, results->finished, results->wall_s,
	       finished / results->wall_s, moved / results->wall_s / 1073741824.0);
	printf(",\"p50_us\":%.2f,\"p90_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f", microseconds(results, .5),
	       microseconds(results, .9), microseconds(results, .99), (double)results->latency.max / 1e3);
	printf(",\"errors\":%" PRIu64 ",\"bad_status\":%" PRIu64 ",\"cut_short\":%s,\"held\":%d",
	       results->errors, results->bad_status, results->cut_short ? "true" : "false", results->held);
	printf(",\"connects\":%" PRIu64 ",\"connect_retries\":%" PRIu64 ",\"client_cpu_s\":%.4f",
	       results->connects, results->connect_retries, results->client_cpu_s);
	printf(",\"statuses\":{");
	for (int i = 0; i < LOAD_STATUS_MAX; i++) {
		if (results->statuses[i]) {
			printf("%s\"%d\":%" PRIu64, separator, i, results->statuses[i]);
			separator = ",";
		}
	}
	printf("}");
	if (o->pid_count)
		report_processes(o, results, moved);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct load_options options = { .method = "GET",
					.label = "",
					.count = 10000,
					.connections = 1,
					.expect = 200,
					.limit = 60,
					.upload_chunk = 32768 };
	struct rlimit files;
	struct load_results *results = malloc(sizeof(*results));
	bool clean;

	if (!results)
		err(2, "results");
	parse_arguments(&options, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files))
			warn("open files");
	}
	load_run(&options, results);
	report(&options, results);
	clean = !results->cut_short && !results->errors && !results->bad_status && results->finished;
	free(results);
	free(options.body);
	return clean ? 0 : 1;
}
