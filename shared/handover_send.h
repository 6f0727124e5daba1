/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a hand-over, each through the gate. What can be repeated without harm (a status, a cancellation) is; an
 * order is looked up by its externalid before each try, and Sitoo refuses a second one of that name; a delivery, a
 * shipment and a pickup record have no such name, so after a lost answer they are not sent again before
 * web_orders.repeat_after_s have passed and both platforms were read anew.
 */
#ifndef ONEPOOL_HANDOVER_SEND_H
#define ONEPOOL_HANDOVER_SEND_H

#include "app.h"
#include "gate.h"
#include "handover_plan.h"

/* One web order in hand. */
struct hand_work {
    struct app *app;
    struct web_order web;
    struct handed handed;
    const char *lease, *token;
    bool holds;                          /* the web order holds stock (weborder.h) */
    int64_t record_id, pickup_method_id; /* pickup record in BigCommerce; 0 = none */
};

/* Units of each row of the web order that one part has, and that others have already, by which amounts are shared out
 * so that they add up; the arrays have web.n entries. before: NULL = none. */
struct hand_part {
    int64_t part, rev, parts, warehouse_id;
    const int64_t *units, *before;
};

/* NEXT_DONE: done, or *shadowed. NEXT_PARK: the platform refuses it, why tells. NEXT_DEFER, NEXT_STOP: as the gate. */
enum next hand_send_order(struct hand_work *w, const struct hand_part *part, bool *shadowed,
                          struct reason *why) NODISCARD;
enum next hand_send_step(struct hand_work *w, const struct hand_plan *p, bool *shadowed, struct reason *why) NODISCARD;

/* The body of POST orders.json; the caller frees. */
char *hand_order_body(const struct web_order *web, const struct mapping *m, const struct hand_part *part,
                      int64_t now_ms);

#endif
