/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real image with words written over it: pairs of (offset, value) from the input, 8 bytes each, and the
 * hash made right again. What the check accepts can be used.
 */
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "policy/policy_decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy_image *real;
static size_t real_size;

static void load(void)
{
	struct config_build *build = config_build_new();
	unsigned index;
	int fd;

	config_policy_directory(build, TEST_VECTORS "/../../policies");
	if (config_load_policy(build, "portainer", stderr, &index) < 0)
		abort();
	if (config_add_listener(build, "/a", index, stderr) < 0 || config_add_engine(build, "/b", stderr) < 0)
		abort();
	fd = config_seal(build);
	real_size = (size_t)lseek(fd, 0, SEEK_END);
	real = malloc(real_size);
	if (!real || pread(fd, real, real_size, 0) != (ssize_t)real_size)
		abort();
	close(fd);
	config_build_free(build);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char scratch[API_TARGET_SCRATCH];
	struct policy_peer peer = { 0, 0, 1 };
	struct policy_decision decision;
	struct policy_image *image;
	struct api_target target;
	const char *why;

	if (!real)
		load();
	image = malloc(real_size);
	memcpy(image, real, real_size);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		uint32_t offset, value;

		memcpy(&offset, data + i, 4);
		memcpy(&value, data + i + 4, 4);
		memcpy((char *)image + offset % (real_size / 4) * 4, &value, 4);
	}
	image->hash = policy_image_hash(image, real_size);
	if (policy_image_check(image, real_size, &why) == 0 && image->listeners.count &&
	    api_target_parse(HTTP_POST, STR("/services/x/update"), scratch, &target, &why) == 0)
		policy_decide(
			image,
			policy_for(image, IMAGE_LIST(image, struct image_listener, image->listeners), &peer),
			NULL, &target, &decision);
	free(image);
	return 0;
}
