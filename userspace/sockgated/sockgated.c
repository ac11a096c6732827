/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockgated.c - the loader and supervisor. Its life: options, configuration (compiled by somebody else), the
 * gate, listeners, fewer privileges, the loop. It never reads a byte from a client of the engine.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockgated/compile.h"
#include "sockgated/daemon.h"
#include "sockgated/privileges.h"
#include "json/json_body.h"

enum exit_code { EXIT_FINE = 0, EXIT_USAGE = 2, EXIT_NOT_PERMITTED = 3, EXIT_KERNEL = 4 };

static const char usage[] = "usage: sockgated [--config FILE] [--foreground]\n"
			    "  --config FILE  sockgate.yaml (default: " SOCKGATE_SYSCONFDIR
			    "/sockgate.yaml, or the built-in configuration)\n"
			    "  --foreground   stay in the foreground (it always does)\n"
			    "  --version, --help\n";

static int fail(enum exit_code code, const char *what, int error)
{
	fprintf(stderr, "sockgated: %s%s%s\n", what, error ? ": " : "", error ? strerror(-error) : "");
	return code;
}

/* Returns -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, const char **config)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'c':
			*config = optarg;
			break;
		case 'f':
			break;
		case 'V':
			puts("sockgated " SOCKGATE_VERSION);
			return EXIT_FINE;
		case 'h':
			fputs(usage, stdout);
			return EXIT_FINE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!*config && access(SOCKGATE_SYSCONFDIR "/sockgate.yaml", F_OK) == 0)
		*config = SOCKGATE_SYSCONFDIR "/sockgate.yaml";
	return -1;
}

/* Returns -1 to go on, else the exit code. */
static int set_up(struct daemon *d, const char *config)
{
	const char *why = "";
	char text[512];
	int r;

	d->image_fd = compile_image(config, &why);
	if (d->image_fd < 0)
		return fail(EXIT_USAGE, why, d->image_fd == -EINVAL ? 0 : d->image_fd);
	r = policy_image_map(d->image_fd, &d->image, &why);
	if (r < 0 || !d->image)
		return fail(EXIT_USAGE, r == -EBADMSG ? why : "cannot map the compiled configuration", r);
	if (mkdir("/run/sockgate", 0755) < 0 && errno != EEXIST)
		return fail(EXIT_NOT_PERMITTED, "cannot make /run/sockgate", -errno);
	/* Before the gate: one sockgated must not take it over from another that runs. */
	r = control_open(&d->control, &why);
	if (r < 0)
		return fail(EXIT_NOT_PERMITTED, why, r);
	r = trail_open(&d->trail, image_string(d->image, d->image->audit_path), d->image->hash);
	if (r < 0)
		return fail(EXIT_USAGE, "cannot open the audit trail", r);
	d->events.trail = &d->trail;
	r = guard_init(&d->guard, d->image, &why);
	if (r < 0)
		return fail(EXIT_USAGE, why, r);
	if (guard_off_at_boot())
		r = guard_disarm(&d->guard, "sockgate.gate=off on the kernel's command line");
	else
		r = guard_arm(&d->guard, d->image->gate.backend, &why);
	if (r < 0)
		return fail(EXIT_KERNEL, why, 0);
	r = listeners_open(&d->listeners, d->image, text, sizeof(text));
	if (r < 0)
		return fail(EXIT_USAGE, text, 0);
	r = supervise_init(&d->proxy);
	if (r < 0)
		return fail(EXIT_USAGE, "cannot find sockgate-proxy", r);
	r = privileges_keep_needed(&why);
	if (r < 0)
		return fail(EXIT_NOT_PERMITTED, why, r);
	r = daemon_init(d, &why);
	return r < 0 ? fail(EXIT_USAGE, why, r) : -1;
}

int main(int argc, char **argv)
{
	static struct daemon daemon = { .image_fd = -1 };
	const char *config = NULL;
	sigset_t signals;
	int code = read_options(argc, argv, &config);

	if (code >= 0)
		return code;
	if (geteuid() != 0)
		return fail(EXIT_NOT_PERMITTED, "must be started by root", 0);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0022);
	json_body_init();
	code = set_up(&daemon, config);
	if (code >= 0)
		return code;
	code = daemon_run(&daemon);
	return code < 0 ? fail(EXIT_NOT_PERMITTED, "the event loop failed", code) : EXIT_FINE;
}
