/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockgated/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE        SOCKGATE_SYSCONFDIR "/audit.key"
#define PUBLIC_FILE     SOCKGATE_SYSCONFDIR "/audit.pub"
#define MEMORY_SIZE     (4 * (size_t)AUDIT_LINE_MAX)
#define LAST_RECORDS_MS 200

static bool is_file(const struct trail *trail)
{
	return *trail->path && strcmp(trail->path, "-") != 0;
}

static int open_file(const struct trail *trail, int flags)
{
	int fd = open(trail->path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);

	return fd < 0 ? -errno : fd;
}

/* Its folder may be made, but only the last one: a longer missing path is a mistake to be told. */
static int make_folder(const struct trail *trail)
{
	char folder[sizeof(trail->path)];
	char *slash;

	memcpy(folder, trail->path, sizeof(folder));
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return mkdir(folder, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static int find_key(struct audit_key *key)
{
	int r = audit_key_load(KEY_FILE, key);

	if (r != -ENOENT)
		return r;
	if (mkdir(SOCKGATE_SYSCONFDIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	return audit_key_make(KEY_FILE, PUBLIC_FILE, key);
}

static void begin_signing(struct trail *trail)
{
	struct audit_key key;
	char text[256];
	int r = find_key(&key), reader = -1;

	if (r == 0)
		r = audit_signer_init(&trail->signer, &key);
	explicit_bzero(&key, sizeof(key));
	if (r == 0)
		r = reader = open_file(trail, O_RDONLY);
	if (r < 0) {
		(void)snprintf(text, sizeof(text), "no checkpoints: %s: %s", KEY_FILE, strerror(-r));
		trail_note(trail, "trail-unsigned", true, 0, text);
		return;
	}
	audit_signer_open(&trail->signer, reader);
	trail->signs = true;
}

int trail_open(struct trail *trail, struct str path, uint64_t policy_hash)
{
	char *memory;
	int r, fd;

	*trail = (struct trail){ .writer.fd = -1 };
	if (path.n == 0)
		return 0;
	if (path.n >= sizeof(trail->path))
		return -ENAMETOOLONG;
	memcpy(trail->path, path.p, path.n);
	memory = malloc(MEMORY_SIZE);
	r = memory ? audit_writer_init(&trail->writer, memory, MEMORY_SIZE, "sockgated") : -ENOMEM;
	if (r == 0 && is_file(trail))
		r = make_folder(trail);
	if (r < 0)
		return r;
	fd = is_file(trail) ? open_file(trail, O_WRONLY | O_APPEND | O_CREAT)
			    : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return is_file(trail) ? fd : -errno;
	trail->writer.policy_hash = policy_hash;
	audit_writer_open(&trail->writer, fd);
	if (is_file(trail))
		begin_signing(trail);
	return 0;
}

int trail_reopen(struct trail *trail)
{
	int fd, reader = -1;

	if (!is_file(trail))
		return -ENOTSUP; /* whoever reads standard output rotates */
	fd = open_file(trail, O_WRONLY | O_APPEND | O_CREAT);
	if (fd >= 0 && trail->signs) {
		reader = open_file(trail, O_RDONLY);
		if (reader < 0) {
			close(fd);
			fd = reader;
		}
	}
	if (fd < 0) {
		trail_note(trail, "trail-not-reopened", true, 0, strerror(-fd));
		return fd;
	}
	if (trail->signs)
		audit_signer_open(&trail->signer, reader);
	audit_writer_open(&trail->writer, fd);
	return fd;
}

void trail_sign(struct trail *trail)
{
	/* A disk that is full is told by the writer. */
	if (trail->signs)
		(void)audit_signer_tick(&trail->signer, &trail->writer, false);
}

void trail_close(struct trail *trail)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000000 };

	for (int i = 0; trail->signs && i < LAST_RECORDS_MS / 10; i++) {
		if (audit_signer_read(&trail->signer) < 0 ||
		    audit_signer_all_ended(&trail->signer, trail->writer.chain.id))
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (trail->signs)
		(void)audit_signer_tick(&trail->signer, &trail->writer, true);
	audit_writer_close(&trail->writer);
}

void trail_connect(struct trail *trail, const struct audit_connect *record)
{
	if (trail->writer.fd < 0)
		return;
	audit_format_connect(audit_writer_begin(&trail->writer), record);
	audit_writer_end(&trail->writer);
	(void)audit_writer_flush(&trail->writer); /* counted there, and in the status */
}

void trail_note(struct trail *trail, const char *action, bool failure, uint64_t count, const char *reason)
{
	struct audit_note note = {
		.action = str_from(action),
		.reason = str_from(reason),
		.failure = failure,
		.count = count,
	};

	fprintf(stderr, "sockgated: %s%s%s\n", action, *reason ? ": " : "", reason);
	if (trail->writer.fd < 0)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &note.time);
	audit_format_note(audit_writer_begin(&trail->writer), &note);
	audit_writer_end(&trail->writer);
	(void)audit_writer_flush(&trail->writer);
}
