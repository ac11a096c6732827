/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inbox.h - the messages of the proxy: who may send what when, and what becomes of each.
 *
 * A message out of place ends the worker: worker.over is set, with the reason in worker.fault.
 */
#ifndef SOCKGATE_WORKER_INBOX_H
#define SOCKGATE_WORKER_INBOX_H

#include "worker/worker.h"

/* Takes all messages that are there now; before MSG_START those of the set-up, up to MSG_START. */
void inbox_run(struct worker *worker);

#endif
