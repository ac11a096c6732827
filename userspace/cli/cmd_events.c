/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_events.c - sockgate events [-f] [-n LINES] [--json] [FILE]: the audit trail for people, live with -f,
 * also across a rotation. Where the trail goes to the journal: journalctl -o cat -u sockgated | sockgate
 * events -
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_read.h"
#include "cli/cli.h"
#include "cli/cli_event.h"
#include "json/json_body.h"

#define READ_SIZE     (256 * 1024)
#define TAIL_DEFAULT  10   /* lines before what -f shows live */
#define LOOK_AGAIN_MS 1000 /* where nothing tells of changes (a network's file system) */

struct view {
	const char *path;
	bool json, colour, follow;
	long tail;                      /* last lines to begin with; -1: all */
	struct audit_lines now, before; /* the file, and the one that was rotated away */
};

static int usage(FILE *to)
{
	fputs("usage: sockgate events [-f] [-n LINES] [--json] [FILE]\n"
	      "  FILE      the audit trail (default: what sockgate.yaml says); - is standard input\n"
	      "  -f        go on with what comes\n"
	      "  -n LINES  begin with the last LINES (with -f: 10; otherwise everything)\n"
	      "  --json    the records as they are\n",
	      to);
	return to == stdout ? CLI_FINE : CLI_USAGE;
}

static void print_line(const struct view *view, struct str line)
{
	char memory[READ_SIZE + 4096];
	struct buf out = buf_over(memory, sizeof(memory));

	if (view->json) {
		printf("%.*s\n", STR_ARG(line));
		return;
	}
	cli_event_format(&out, line, view->colour);
	fwrite(out.p, 1, out.n, stdout);
}

/* Returns 0 or -errno. */
static int print_lines(const struct view *view, struct audit_lines *lines)
{
	struct str line;
	int r = 0;

	if (lines->fd < 0)
		return 0;
	do {
		r = audit_lines_next(lines, &line);
		if (r == 1)
			print_line(view, line);
	} while (r == 1 || r == -EMSGSIZE);
	fflush(stdout);
	return r;
}

static int open_trail(struct view *view)
{
	bool input = strcmp(view->path, "-") == 0;

	view->now.fd = input ? STDIN_FILENO : open(view->path, O_RDONLY | O_CLOEXEC);
	view->now.pipe = input;
	view->now.offset = 0;
	view->now.at = view->now.end = 0;
	view->now.too_long = false;
	return view->now.fd < 0 ? -errno : 0;
}

/* Sets the offset to the beginning of the last lines. */
static void skip_to_tail(struct view *view)
{
	int64_t *starts = calloc((size_t)view->tail + 1, sizeof(*starts));
	struct str line;
	int64_t start = 0;
	long n = 0;
	int r;

	while (starts && ((r = audit_lines_next(&view->now, &line)) == 1 || r == -EMSGSIZE)) {
		starts[n++ % (view->tail + 1)] = start;
		start = view->now.offset - (int64_t)(view->now.end - view->now.at);
	}
	if (starts && n > view->tail)
		start = view->tail ? starts[(n - view->tail) % (view->tail + 1)] : start;
	else
		start = 0;
	free(starts);
	view->now.offset = start;
	view->now.at = view->now.end = 0;
}

/* After a rotation the name leads to another file; the old one may still get a last line. True: that is so.
 */
static bool look_for_rotation(struct view *view)
{
	struct stat named, ours;
	struct audit_lines old = view->now;

	if (stat(view->path, &named) < 0 || fstat(view->now.fd, &ours) < 0)
		return false;
	if (named.st_dev == ours.st_dev && named.st_ino == ours.st_ino) {
		if (ours.st_size < view->now.offset) /* it was cut off */
			view->now.offset = 0, view->now.at = view->now.end = 0;
		return false;
	}
	view->now.memory = view->before.memory;
	if (open_trail(view) < 0) {
		view->now = old;
		return false;
	}
	if (view->before.fd >= 0)
		close(view->before.fd);
	view->before = old;
	return true;
}

/* Wakes at every change in the trail's folder; without inotify(7) every LOOK_AGAIN_MS. */
static int watch_folder(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	if (fd >= 0 && folder &&
	    inotify_add_watch(fd, slash ? folder : ".", IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		close(fd);
		fd = -1;
	}
	free(folder);
	return fd;
}

static int follow(struct view *view)
{
	struct pollfd wait = { .fd = watch_folder(view->path), .events = POLLIN };
	char events[4096];
	int r = 0;

	while (r == 0 && !ferror(stdout)) {
		r = print_lines(view, &view->before);
		if (r == 0)
			r = print_lines(view, &view->now);
		if (look_for_rotation(view))
			continue;
		(void)poll(&wait, 1, LOOK_AGAIN_MS);
		while (wait.fd >= 0 && read(wait.fd, events, sizeof(events)) > 0)
			;
	}
	return r;
}

/* What sockgate.yaml says, or the default. NULL after saying what is wrong; free() it. */
static char *configured_path(void)
{
	const char *file = SOCKGATE_SYSCONFDIR "/sockgate.yaml", *why = "";
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	char *path = NULL, *policies = cli_policy_directory();
	int r = -ENOMEM, fd = -1;

	if (build) {
		config_policy_directory(build, policies);
		r = access(file, F_OK) == 0 ? config_load_file(build, file, stderr)
					    : config_defaults(build, stderr);
	}
	if (r == 0)
		r = fd = config_seal(build);
	if (r >= 0 && policy_image_map(fd, &image, &why) == 0) {
		path = strndup(image_string(image, image->audit_path).p, image->audit_path.len);
		policy_image_unmap(image);
	}
	if (fd >= 0)
		close(fd);
	config_build_free(build);
	free(policies);
	if (path && *path && strcmp(path, "-") != 0)
		return path;
	fputs(path ? "sockgate: the audit trail is in no file (for the journal: journalctl -o cat -u "
		     "sockgated | "
		     "sockgate events -)\n"
		   : "sockgate: cannot find out where the audit trail is: name the file\n",
	      stderr);
	free(path);
	return NULL;
}

static int run(struct view *view)
{
	int r = open_trail(view);

	view->before = (struct audit_lines){ .fd = -1, .memory = malloc(READ_SIZE), .cap = READ_SIZE };
	view->now.memory = malloc(READ_SIZE);
	view->now.cap = READ_SIZE;
	if (r == 0 && (!view->now.memory || !view->before.memory))
		r = -ENOMEM;
	if (r == 0 && view->tail >= 0 && !view->now.pipe)
		skip_to_tail(view);
	if (r == 0)
		r = view->follow && !view->now.pipe ? follow(view) : print_lines(view, &view->now);
	if (r < 0)
		fprintf(stderr, "sockgate: %s: %s\n", view->path, strerror(-r));
	if (view->now.fd >= 0 && !view->now.pipe)
		close(view->now.fd);
	if (view->before.fd >= 0)
		close(view->before.fd);
	free(view->now.memory);
	free(view->before.memory);
	return r == 0 ? CLI_FINE : r == -EACCES ? CLI_NOT_PERMITTED : CLI_USAGE;
}

int cmd_events(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "follow", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct view view = { .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), .tail = -2 };
	char *path = NULL, *end;
	int status;

	for (int option; (option = getopt_long(argc, argv, "fn:h", options, NULL)) != -1;) {
		if (option == 'f') {
			view.follow = true;
		} else if (option == 'j') {
			view.json = true;
		} else if (option == 'n') {
			view.tail = strtol(optarg, &end, 10);
			if (*end || end == optarg || view.tail < 0 || view.tail > 1000000)
				return usage(stderr);
		} else {
			return usage(option == 'h' ? stdout : stderr);
		}
	}
	if (argc - optind > 1)
		return usage(stderr);
	if (view.tail == -2)
		view.tail = view.follow ? TAIL_DEFAULT : -1;
	json_body_init();
	view.path = argc > optind ? argv[optind] : (path = configured_path());
	status = view.path ? run(&view) : CLI_USAGE;
	free(path);
	return status;
}
