/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scratch.h - a folder of files for one test, and what compiling them says.
 *
 * Messages name files by their path below the folder: the folder's own name is cut out of them.
 */
#ifndef SOCKGATE_TESTS_SCRATCH_H
#define SOCKGATE_TESTS_SCRATCH_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_build.h"

#define SCRATCH_FILES 16

struct scratch {
	char folder[64];
	char *files[SCRATCH_FILES];
	unsigned n_files;
	struct config_build *build;
	char *errors;   /* after scratch_load_*() */
	unsigned index; /* of the policy that was loaded */
};

static inline void scratch_open(struct scratch *s)
{
	*s = (struct scratch){ .folder = "/tmp/sockgate-test.XXXXXX" };
	if (!mkdtemp(s->folder))
		abort();
	s->build = config_build_new();
	config_policy_directory(s->build, s->folder);
}

static inline void scratch_close(struct scratch *s)
{
	for (unsigned i = 0; i < s->n_files; i++) {
		unlink(s->files[i]);
		free(s->files[i]);
	}
	rmdir(s->folder);
	config_build_free(s->build);
	free(s->errors);
}

/* Returns the file's path, which lives as long as the scratch. */
static inline const char *scratch_write(struct scratch *s, const char *name, const char *text)
{
	char *path;
	FILE *f;

	assert(s->n_files < SCRATCH_FILES);
	if (asprintf(&path, "%s/%s", s->folder, name) < 0)
		abort();
	s->files[s->n_files++] = path;
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	return path;
}

/* Cuts "FOLDER/" out of a text. */
static inline void scratch_cut(const struct scratch *s, char *text)
{
	size_t n = strlen(s->folder) + 1;

	for (char *at = text; (at = strstr(at, s->folder));)
		memmove(at, at + n, strlen(at + n) + 1);
}

static inline int scratch_load(struct scratch *s, const char *name, bool is_main)
{
	size_t size;
	FILE *errors;
	int r;

	free(s->errors);
	s->errors = NULL;
	errors = open_memstream(&s->errors, &size);
	if (!errors)
		abort();
	r = is_main ? config_load_file(s->build, name, errors)
		    : config_load_policy(s->build, name, errors, &s->index);
	if (fclose(errors) != 0)
		abort();
	scratch_cut(s, s->errors);
	return r;
}

/* Compiles a policy's text to a mapped image, or NULL with scratch.errors. Unmap it. */
static inline const struct policy_image *scratch_image(struct scratch *s, const char *path)
{
	const struct policy_image *image = NULL;
	const char *why = "";
	int fd;

	if (scratch_load(s, path, false) < 0)
		return NULL;
	fd = config_seal(s->build);
	if (fd < 0 || policy_image_map(fd, &image, &why) < 0)
		fprintf(stderr, "scratch_image: %d %s\n", fd, why);
	if (fd >= 0)
		close(fd);
	return image;
}

#endif
