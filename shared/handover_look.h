/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of handover.h: one look at a web order, from claim to end. */
#ifndef ONEPOOL_HANDOVER_LOOK_H
#define ONEPOOL_HANDOVER_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "handover_plan.h"
#include "handover_stock.h"
#include "lease.h"
#include "redis.h"

struct hand_look {
    struct hand_work work;
    struct hand_plan plan;
    struct hand_known known;
    struct args effects;
    struct lease lease;
    int64_t tries;
    int steps;
    bool fresh; /* the web order was read after the last step */
    bool shadowed;
    bool again_soon; /* a person's case: looked at again before the next hours */
};

void hand_look_free(struct hand_look *l);

/* The lease weborder:<id>; deferred while another process has it. */
enum next hand_look_lease(struct app *app, struct hand_look *l, int64_t id, struct reason *why) NODISCARD;

/* Whether the order, read already, is ours to hand over. */
enum next hand_look_learn(struct app *app, struct hand_look *l, struct reason *why) NODISCARD;

/* Reads the web order, Sitoo's orders for it (each if asked for), and its pickup record if the plan needs it. */
enum next hand_look_read(struct app *app, struct hand_look *l, bool web, bool sitoo, struct reason *why) NODISCARD;

/* Reservations, intents, cases. *delay_ms: until the next look; -1 = none. */
enum next hand_look_end(struct app *app, struct hand_look *l, int64_t *delay_ms, struct reason *why) NODISCARD;

#endif
