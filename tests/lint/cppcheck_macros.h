/* SPDX-License-Identifier: BSD-2-Clause */
/* cppcheck_macros.h - what cppcheck must know of libraries' headers, which it does not read. */
#define json_object_foreach(object, key, value) \
	for (key = json_object_iter_key(object); (value = json_object_get(object, key));)
/* libbpf: declares an options struct of that type with its size filled in. */
#define LIBBPF_OPTS(type, name, ...) struct type name = { .sz = sizeof(struct type), __VA_ARGS__ }
