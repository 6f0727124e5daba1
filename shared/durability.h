/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this Redis strong enough to answer 200 on? An acknowledged event is in Redis alone, so it must be on disk before
 * the answer, must never be thrown away when memory is full, and our function library needs 7.0.
 *
 *   rung R1     append-only file, synced before every answer: what onepool asks for
 *   rung R0     append-only file, synced once a second: a power failure may lose two seconds
 *   rung none   no append-only file: a restart may lose everything
 *   unknown     CONFIG is forbidden to our user, and INFO does not tell how often the file is synced
 *
 * Source: redis.io/docs/latest/operate/oss_and_stack/management/persistence (Redis 7.0).
 */
#ifndef ONEPOOL_DURABILITY_H
#define ONEPOOL_DURABILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "app.h"
#include "buf.h"

struct durability {
    char version[24];
    bool config_known;               /* false: CONFIG is forbidden; what INFO tells is used */
    char appendonly[8];              /* "yes", "no"; this and what follows: "" = not known */
    char appendfsync[12];            /* "always", "everysec", "no" */
    char on_rewrite[8];              /* no-appendfsync-on-rewrite: "yes", "no" */
    char policy[24];                 /* maxmemory-policy */
    char last_write[8];              /* of the append-only file: "ok", "err" */
    int64_t used_memory, max_memory; /* bytes; max 0 = no limit of its own */
};

/* NEXT_DEFER: Redis is away or refuses. */
enum next durability_read(struct app *app, struct durability *d, struct reason *why) NODISCARD;

/* Appends every weak setting with its right value ("appendfsync is everysec, must be always; ..."); returns how many.
 * What is not known is not counted. */
size_t durability_weak(const struct durability *d, struct buf *out);

/* "R1", "R0", "none", "unknown". Never NULL. */
const char *durability_rung(const struct durability *d);

/* Could an event be stored now? Takes a write; without dev also that the append-only file is on and healthy. */
enum next durability_ready(struct app *app, bool dev, struct reason *why) NODISCARD;

/* The value of "field:" in an INFO reply; false if it is not there or too long. */
bool durability_info(const char *info, const char *field, char *out, size_t size);

#endif
