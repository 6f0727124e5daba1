/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The works of the sweep. Each is a timer entity of its own in the queue "sweep": whoever claims it does it, so that of
 * any number of replicas one does each, and a killed one is taken over. Where a work is stands in the hash sweep, and
 * is written with, or after, what it found, never before.
 */
#ifndef ONEPOOL_SWEEP_WORKS_H
#define ONEPOOL_SWEEP_WORKS_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "queue.h"

#define SWEEP_ORDERS      "orders"
#define SWEEP_OPEN        "open"
#define SWEEP_BIGCOMMERCE "bigcommerce"
#define SWEEP_REFUNDS     "refunds"
#define SWEEP_WEB_ORDERS  "web_orders"
#define SWEEP_STOCK       "stock"
#define SWEEP_LEVELS      "levels"
#define SWEEP_MOVED       "moved"
#define SWEEP_SUSPECTS    "suspects"
#define SWEEP_TIMERS      "timers"

/* One turn of a work. */
struct turn {
    struct app *app;
    bool asked;       /* a person wants all of it now */
    int64_t delay_ms; /* until the next turn; preset: the work's interval */
    bool ended;       /* the whole of it was done; preset */
    bool over;        /* nothing is left: no timer is wanted until somebody marks it */
};

enum next works_work(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;

/* orders.c: orders of Sitoo that no event told of; those that are open and have changed since they were read. */
enum next orders_turn(struct turn *t, struct reason *why) NODISCARD;
enum next open_turn(struct turn *t, struct reason *why) NODISCARD;
/* bigcommerce.c: web orders that changed, and refunds that were made, by date. */
enum next bigcommerce_turn(struct turn *t, struct reason *why) NODISCARD;
enum next refunds_turn(struct turn *t, struct reason *why) NODISCARD;
/* weborders.c: every web order that has something open is looked at once in a while. */
enum next web_orders_turn(struct turn *t, struct reason *why) NODISCARD;
/* stock.c: levels of BigCommerce against Sitoo, and against what was written. */
enum next stock_turn(struct turn *t, struct reason *why) NODISCARD;
enum next levels_turn(struct turn *t, struct reason *why) NODISCARD;
enum next moved_turn(struct turn *t, struct reason *why) NODISCARD;
/* suspects.c: levels that differed once are looked at a second time. */
enum next suspects_turn(struct turn *t, struct reason *why) NODISCARD;
/* timers.c: do the timers of other functions run? */
enum next timers_turn(struct turn *t, struct reason *why) NODISCARD;

/* A whole number of the hash sweep; 0 and *known false (may be NULL) if it is not there. */
enum next sweep_get(struct app *app, const char *field, int64_t *n, bool *known, struct reason *why) NODISCARD;
enum next sweep_put(struct app *app, const char *field, int64_t n, struct reason *why) NODISCARD;
/* Whether so few of BigCommerce's calls are left in this window that what can wait should; *wait_ms until it ends. */
enum next sweep_quota_low(struct app *app, bool *low, int64_t *wait_ms, struct reason *why) NODISCARD;

#endif
