/* SPDX-License-Identifier: BSD-2-Clause */
/* who_diag_parts.h - between who_diag.c, which asks, and who_diag_parse.c, which reads the answers. */
#ifndef SOCKGATE_WHO_DIAG_PARTS_H
#define SOCKGATE_WHO_DIAG_PARTS_H

#include "who/who_diag.h"

/* Returns 0, -ENOMEM or -E2BIG. */
int who_diag_add_unix(struct who_diag *diag, const struct who_unix *socket);

#endif
