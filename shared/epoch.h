/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether Redis still holds what it held. Redis may be emptied, or come back without its last part: the end of an
 * append-only file that was cut, a fail-over, a restored backup (reliability: "Redis loss or fail-over"). Levels are
 * derived, and so are pending and withheld; until they are rebuilt no level may be written from them.
 *
 * A process remembers the epoch's id and the highest position it saw, in memory and, if ONEPOOL_STATE_DIR names a
 * folder, in the file <folder>/epoch-<tenant> ("id position since_ms", fsynced, at most once a second), so that a stack
 * that starts together with a Redis that went back notices too.
 */
#ifndef ONEPOOL_EPOCH_H
#define ONEPOOL_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"

struct epoch {
    char id[32];      /* "" = nothing is remembered */
    char state[16];   /* new, lossy, whole */
    char cause[120];  /* of a lossy one: what was noticed */
    int64_t position; /* highest seen */
    int64_t from_ms;  /* lossy: what was lost is younger than this; 0 = everything may be lost */
    int64_t since_ms; /* our first start with this shop, as far as remembered; 0 = unknown */
    bool loaded;      /* the file was looked at */
    int64_t saved_ms; /* monotonic: file last written */
    char saved[120];  /* and what is in it */
};

/* Reads "id position since_ms". False, and e is unchanged, if it is anything else. */
bool epoch_parse(const char *text, struct epoch *e);

/*
 * Asks Redis and brings e up to date; e starts zeroed. NEXT_DONE: e->state says whether levels may be written ("whole")
 * or a rebuild comes first. A folder that cannot be written is reported in the log and costs nothing else.
 */
enum next epoch_check(struct app *app, struct epoch *e, struct reason *why) NODISCARD;

/* Writes the file now: for a process that ends. */
void epoch_leave(struct app *app, struct epoch *e);

/* How far the rebuild is, for /status: rows done of total (-1 = unknown) in that step ("refunds", "orders",
 * "web_orders", "skus"); problem says why it does not go on, "" = it does. Best effort: what fails here is reported by
 * what follows. */
void epoch_step(struct app *app, const struct epoch *e, const char *step, int64_t done, int64_t total,
                const char *problem);

/* Everything is rebuilt: e becomes whole. NEXT_DEFER if another epoch has begun meanwhile. */
enum next epoch_whole(struct app *app, struct epoch *e, struct reason *why) NODISCARD;

#endif
