/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every acceptor answers besides its own routes, and the check of Redis at start.
 *
 *   GET /health    200 "alive": the process runs; asks nobody
 *   GET /ready     200 if an event could be stored now (durability.h); else 503 and one line why
 *   GET /status    JSON, see status.h; 503 if Redis is away
 *   GET /metrics   Prometheus text format 0.0.4; always 200, with onepool_redis_up 0 if Redis is away
 */
#ifndef ONEPOOL_OPS_H
#define ONEPOOL_OPS_H

#include <stdbool.h>

#include "app.h"
#include "fcgi.h"

/* True if the path was one of the four and reply is filled (405 for other methods than GET and HEAD). Never calls a
 * platform. */
bool ops_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/*
 * Is this Redis strong enough (durability.h)? NEXT_DONE: yes, or dev (then it is said loudly). NEXT_STOP: no; why names
 * every weak setting with its right value. NEXT_DEFER: Redis is away. What a forbidden CONFIG hides is said in the log.
 */
enum next ops_redis_guard(struct app *app, bool dev, struct reason *why) NODISCARD;

#endif
