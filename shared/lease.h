/* SPDX-License-Identifier: Apache-2.0 */
/* A named lease in Redis (shared/lua/40_lease.lua): who may work on something that only one may work on. */
#ifndef ONEPOOL_LEASE_H
#define ONEPOOL_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

struct lease {
    char name[48], token[24]; /* token "" = not ours */
};

/* Takes it, or keeps it, for ttl_ms. *wait_ms: until it may be free; 0 if it is ours. */
enum next lease_take(struct app *app, const char *name, int64_t ttl_ms, struct lease *l, int64_t *wait_ms,
                     struct reason *why) NODISCARD;

/* Gives it back; a failure is harmless, it ends by itself. */
void lease_give(struct app *app, struct lease *l);

#endif
