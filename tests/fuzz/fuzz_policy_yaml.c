/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy, or with a first byte of 1 a sockgate.yaml, from any bytes: it compiles to an image that its own
 * check accepts, or it says why not, on lines that name a place.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Every line is "file:line:column: message". */
static void must_name_places(const char *text)
{
	must(*text);
	for (const char *line = text, *end; *line; line = end + 1) {
		const char *at = strchr(line, ':');

		end = strchr(line, '\n');
		must(end && at);
		for (int i = 0; i < 2; i++) {
			size_t digits = strspn(at + 1, "0123456789");

			at += 1 + digits;
			must(digits > 0 && *at == ':');
		}
		must(at < end && at[1] == ' ');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_build *build = config_build_new();
	const struct policy_image *image = NULL;
	int file = memfd_create("fuzz.yaml", MFD_CLOEXEC), fd, r;
	char path[64], *text = NULL;
	size_t text_size;
	FILE *errors = open_memstream(&text, &text_size);
	const char *why = NULL;
	unsigned index;

	must(build && errors && file >= 0 && size > 0 ? write(file, data + 1, size - 1) == (ssize_t)size - 1
						      : size == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	r = size && data[0] == 1 ? config_load_file(build, path, errors)
				 : config_load_policy(build, path, errors, &index);
	must(fclose(errors) == 0);
	fd = config_seal(build);
	if (r == 0) {
		must(fd >= 0 && policy_image_map(fd, &image, &why) == 0);
	} else {
		must(fd < 0);
		must_name_places(text);
	}
	policy_image_unmap(image);
	if (fd >= 0)
		close(fd);
	close(file);
	config_build_free(build);
	free(text);
	return 0;
}
