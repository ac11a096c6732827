/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run_log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "text/buf.h"

#define LINE_MAX_BYTES 4096
#define COMMAND_MAX    64

/* The name that the kernel shows for the thread. */
static struct str command(pid_t tid, char *memory)
{
	char path[64];
	FILE *file;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)tid);
	file = fopen(path, "re");
	if (file) {
		n = fread(memory, 1, COMMAND_MAX, file);
		fclose(file);
	}
	if (n && memory[n - 1] == '\n')
		n--;
	return (struct str){ memory, n };
}

static struct str address_text(const struct run_address *address, char *memory, size_t size)
{
	struct buf b = buf_over(memory, size);
	char host[INET6_ADDRSTRLEN];

	if (address->any.sa_family == AF_UNIX) {
		size_t n = address->size - offsetof(struct sockaddr_un, sun_path);

		if (address->un.sun_path[0] == '\0') {
			buf_putc(&b, '@');
			buf_append(&b, address->un.sun_path + 1, n - 1);
		} else {
			buf_append(&b, address->un.sun_path, strnlen(address->un.sun_path, n));
		}
	} else if (address->any.sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&address->storage;

		buf_printf(&b, "tcp:%s:%u", inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host)),
			   (unsigned)ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in = (const void *)&address->storage;

		buf_printf(&b, "tcp:[%s]:%u", inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host)),
			   (unsigned)ntohs(in->sin6_port));
	}
	return buf_view(&b);
}

void run_log_connect(const struct run_log *log, const struct run_target *target, const char *guard,
		     const char *to)
{
	char memory[LINE_MAX_BYTES], name[COMMAND_MAX], text[256], when[32];
	struct buf b = buf_over(memory, sizeof(memory));
	struct str who, where;
	struct timespec now;
	struct tm utc;

	if (log->fd < 0)
		return;
	who = command(target->tid, name);
	where = address_text(&target->address, text, sizeof(text));
	if (log->json) {
		clock_gettime(CLOCK_REALTIME, &now);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
		buf_printf(&b, "{\"time\":\"%s.%03ldZ\",\"event\":\"%s\",\"tid\":%d,\"command\":", when,
			   now.tv_nsec / 1000000, to ? "redirected" : "refused", (int)target->tid);
		buf_json(&b, who);
		buf_puts(&b, ",\"address\":");
		buf_json(&b, where);
		buf_puts(&b, ",\"guard\":");
		buf_json(&b, str_from(guard));
		if (to) {
			buf_puts(&b, ",\"to\":");
			buf_json(&b, str_from(to));
		}
		buf_puts(&b, "}\n");
	} else {
		/* Quoted as JSON is, so that no name can write to the terminal or begin a line. */
		buf_printf(&b, "sockgate run: %s: ", to ? "redirected" : "refused");
		buf_json(&b, who);
		buf_printf(&b, " (%d) to ", (int)target->tid);
		buf_json(&b, where);
		buf_printf(&b, ": %s\n", guard);
	}
	if (!b.overflow && write(log->fd, b.p, b.n) < 0)
		return;
}
