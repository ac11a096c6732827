/* SPDX-License-Identifier: BSD-2-Clause */
/* cppcheck_macros.h - what cppcheck must know of libraries' headers, which it does not read. */
#define json_object_foreach(object, key, value) \
	for (key = json_object_iter_key(object); (value = json_object_get(object, key));)
