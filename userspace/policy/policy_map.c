/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_map.c - gets an image into memory: the one file of policy/ that talks to the system. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "policy/policy_image.h"

int policy_image_map(int fd, const struct policy_image **ret, const char **why)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	void *base;
	int seals, r;

	*why = "the image cannot be mapped";
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return -errno;
	/* Without them the bytes could change, or be gone, after they were checked. */
	if ((seals & wanted) != wanted) {
		*why = "the image is not sealed";
		return -EBADMSG;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct policy_image) || st.st_size > POLICY_IMAGE_MAX) {
		*why = "the image has an impossible size";
		return -EBADMSG;
	}
	base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	r = policy_image_check(base, (size_t)st.st_size, why);
	if (r < 0) {
		munmap(base, (size_t)st.st_size);
		return r;
	}
	*ret = base;
	return 0;
}

void policy_image_unmap(const struct policy_image *image)
{
	if (image)
		munmap((void *)(uintptr_t)image, image->size);
}
