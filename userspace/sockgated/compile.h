/* SPDX-License-Identifier: BSD-2-Clause */
/* compile.h - turns the configuration into a sealed image, in a child without privilege. */
#ifndef SOCKGATE_SOCKGATED_COMPILE_H
#define SOCKGATE_SOCKGATED_COMPILE_H

/*
 * `path` is sockgate.yaml, or NULL for the built-in configuration. What is wrong with it is printed on
 * standard error, by the child. Returns the image's memfd (close-on-exec), -EINVAL for a configuration that
 * is wrong, or another -errno with *why. The caller still has to map and so to check what the child made.
 */
int compile_image(const char *path, const char **why);

#endif
