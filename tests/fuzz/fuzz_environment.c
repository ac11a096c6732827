/* SPDX-License-Identifier: BSD-2-Clause */
/* An environment block, NUL between the variables: it is refused with a word, or becomes an image that
 * checks. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"

#define VARIABLES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *block[VARIABLES_MAX + 1] = { NULL };
	char *text = malloc(size + 1);
	struct config_build *build = config_build_new();
	size_t n = 0;

	if (!text || !build)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size && n < VARIABLES_MAX; at += strlen(text + at) + 1)
		block[n++] = text + at;
	if (config_load_environment(build, block, NULL) == 0) {
		const struct policy_image *image;
		const char *why;
		int fd = config_seal(build);

		if (fd < 0 || policy_image_map(fd, &image, &why) < 0)
			abort();
		policy_image_unmap(image);
		close(fd);
	}
	config_build_free(build);
	free(text);
	return 0;
}
