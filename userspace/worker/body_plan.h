/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * body_plan.h - what is to be done with a request's body, from its head and the operation. Pure.
 *
 * Go's ParseForm lets a form in the body override the query, and several handlers never look at the
 * Content-Type (docker-api H26, H27), so the operation decides what is read and the type only whether it is
 * refused.
 */
#ifndef SOCKGATE_WORKER_BODY_PLAN_H
#define SOCKGATE_WORKER_BODY_PLAN_H

#include "api/api_operations.h"
#include "http/http_head.h"

enum body_plan {
	BODY_REFUSE,  /* with *ret_status and *why */
	BODY_ABSENT,  /* there is none */
	BODY_EMPTY,   /* read it: the first byte in it is refused (415), since its type is none that is
			 inspected */
	BODY_INSPECT, /* read it whole, judge it, send it on re-encoded */
	BODY_DROP,    /* read it whole, judge it, send none: the engine reads none */
	BODY_STREAM,  /* pass it on as it comes */
};

enum body_plan body_plan_make(const struct http_request *request, const struct api_operation *operation,
			      unsigned *ret_status, const char **why);

#endif
