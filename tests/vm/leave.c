/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leave.c - ends the virtual machine with a verdict: 0 is QEMU's exit status 3, anything else 7
 * (isa-debug-exit makes 2 * value + 1 of what is written). QEMU's own 0 is a guest that died.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char *const terminals[] = { "/dev/ttyS1", "/dev/ttyS0" };

	/* What was written has to be out before the machine is gone. */
	for (size_t i = 0; i < 2; i++) {
		int fd = open(terminals[i], O_WRONLY | O_NOCTTY);

		if (fd >= 0) {
			tcdrain(fd);
			close(fd);
		}
	}
	if (ioperm(0xf4, 4, 1) == 0)
		outl(argc > 1 && strcmp(argv[1], "0") == 0 ? 1 : 3, 0xf4);
	perror("leave");
	reboot(RB_AUTOBOOT);
	return 1;
}
