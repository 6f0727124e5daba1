/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every acceptor answers besides its own routes, and the check of Redis at start.
 *
 *   GET /health   200 "alive": the process runs
 *   GET /ready    200 if an event could be stored now: Redis takes a write and its AOF is on and healthy; else 503 and
 * why GET /status   JSON, see status.h GET /metrics  Prometheus text format 0.0.4
 */
#ifndef ONEPOOL_OPS_H
#define ONEPOOL_OPS_H

#include <stdbool.h>

#include "app.h"
#include "fcgi.h"

/* True if the path was one of the four and reply is filled. Never calls a platform. */
bool ops_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/*
 * Is this Redis strong enough? appendonly yes, appendfsync always, no-appendfsync-on-rewrite no, maxmemory-policy
 * noeviction, version 7.0 or newer. NEXT_DONE: yes, or dev (then it is said loudly). NEXT_STOP: no; why names every
 * weak setting with its right value. NEXT_DEFER: Redis is away.
 */
enum next ops_redis_guard(struct app *app, bool dev, struct reason *why) NODISCARD;

#endif
