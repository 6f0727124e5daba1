/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the hand-over plan (handover_plan.h): what its questions are asked of. Each question that is answered with
 * true ends the look. */
#ifndef ONEPOOL_HANDOVER_VIEW_H
#define ONEPOOL_HANDOVER_VIEW_H

#include "handover_plan.h"

/* Statuses of web orders (bigcommerce.md 9). */
#define STATUS_SHIPPED              2
#define STATUS_PARTLY               3
#define STATUS_REFUNDED             4
#define STATUS_AWAITING_PICKUP      8
#define STATUS_AWAITING_SHIPMENT    9
#define STATUS_COMPLETED            10
#define STATUS_AWAITING_FULFILLMENT 11
#define STATUS_PARTLY_REFUNDED      14

/* What the questions below are asked of. */
struct hand_view {
    const struct web_order *web;
    const struct handed *h;
    const struct hand_known *k;
    struct hand_plan *p;
    bool holds;
    size_t open, closed, cancelled; /* parts of the latest revision */
    size_t found, parts;            /* of the latest revision: there, and meant */
    int64_t delivered;              /* units, of all */
    int64_t ready_ms, rejected_ms;
    bool bopis, ignores; /* the latest revision is for collection; moves no stock */
};

/* The step to take; always true. */
bool hand_take(struct hand_view *v, enum hand_step step, const struct handed_order *o);
void hand_add_move(struct hand_plan *p, const struct hand_move *m);
/* The whole web order as a new revision. */
bool hand_create_anew(struct hand_view *v);
bool hand_wants_goods(const struct web_order *web);
/* What the latest revision stands for, and what others delivered. */
int64_t hand_row_units(const struct hand_view *v, const struct web_row *r);
/* Whether an order that is made now would have a row: a further one of revision rev, or one of a new revision. */
bool hand_lacks_units(const struct hand_view *v, int64_t rev);
/* All rows were handed over. */
bool hand_all_gone(const struct handed_order *o);

/* Goods that have left: told to the other side. */
bool hand_goods(struct hand_view *v);
/* Collection: ready, collected, refused by the shop. */
bool hand_pickup(struct hand_view *v);
/* Cancelled in Sitoo, all of it or some parts. */
bool hand_called_off(struct hand_view *v);

#endif
