/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { RUN_MIN = 256 * 1024 }; /* so that one send can be large */

static void *allocate(size_t n)
{
	void *p = malloc(n);

	if (!p)
		err(2, "%zu bytes", n);
	return p;
}

static bool has_body_by_method(const char *method)
{
	return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

static void write_head(FILE *f, const struct load_options *o)
{
	fprintf(f, "%s %s HTTP/1.1\r\nHost: docker\r\nUser-Agent: loadgen\r\n", o->method, o->path);
	for (int i = 0; i < o->header_count; i++)
		fprintf(f, "%s\r\n", o->headers[i]);
	if (o->close_each)
		fputs("Connection: close\r\n", f);
	if (o->upload_bytes)
		fputs("Content-Type: application/x-tar\r\n", f);
	else if (o->body)
		fputs("Content-Type: application/json\r\n", f);
	if (o->upload_bytes && !o->upload_length)
		fputs("Transfer-Encoding: chunked\r\n", f);
	else if (o->upload_bytes || o->body || has_body_by_method(o->method))
		fprintf(f, "Content-Length: %llu\r\n",
			(unsigned long long)(o->upload_bytes ? o->upload_bytes : o->body_len));
	fputs("\r\n", f);
	if (o->body && !o->upload_bytes)
		fwrite(o->body, 1, o->body_len, f);
}

static void build_run(struct load_request *request, const struct load_options *o)
{
	char size_line[32];
	int size_len =
		o->upload_length ? 0 : snprintf(size_line, sizeof(size_line), "%zx\r\n", o->upload_chunk);
	uint64_t units = (o->upload_bytes + o->upload_chunk - 1) / o->upload_chunk;
	size_t repeats;

	request->period = (size_t)size_len + o->upload_chunk + (o->upload_length ? 0 : 2);
	repeats = RUN_MIN / request->period + 2;
	request->run_len = repeats * request->period;
	request->run = allocate(request->run_len);
	memset(request->run, 'x', request->run_len);
	for (size_t i = 0; i < repeats && !o->upload_length; i++) {
		char *unit = request->run + i * request->period;

		memcpy(unit, size_line, (size_t)size_len);
		memcpy(unit + request->period - 2, "\r\n", 2);
	}
	request->last = o->upload_length ? "" : "0\r\n\r\n";
	request->last_len = strlen(request->last);
	request->total = o->upload_length ? o->upload_bytes : units * request->period + request->last_len;
}

void load_request_build(struct load_request *request, const struct load_options *options)
{
	FILE *f;

	*request = (struct load_request){ 0 };
	f = open_memstream(&request->head, &request->head_len);
	if (!f)
		err(2, "request");
	write_head(f, options);
	if (fclose(f))
		err(2, "request");
	if (options->upload_bytes)
		build_run(request, options);
}

void load_request_free(struct load_request *request)
{
	free(request->head);
	free(request->run);
	*request = (struct load_request){ 0 };
}

const char *load_request_body(const struct load_request *request, uint64_t at, size_t *ret_len)
{
	uint64_t data_end = request->total - request->last_len;
	size_t offset;

	if (at >= data_end) {
		offset = (size_t)(at - data_end);
		*ret_len = request->last_len - offset;
		return request->last + offset;
	}
	offset = (size_t)(at % request->period);
	*ret_len = request->run_len - offset;
	if (*ret_len > data_end - at)
		*ret_len = (size_t)(data_end - at);
	return request->run + offset;
}
