/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done next so that a web order stands right on both platforms: from the order as BigCommerce has it and
 * the orders of Sitoo that stand for it, one step at a time. After each step both are read again, so a step that was
 * done by somebody else meanwhile is not done twice, and a crash between two steps only means that the next look goes
 * on. Pure.
 *
 *   BigCommerce                                   Sitoo
 *   holds stock, nothing there yet            ->  order made, which reserves
 *   rows, shop or kind changed                ->  new revision made, then the old one cancelled
 *   cancelled, declined, refunded             ->  cancelled, if nothing was handed over
 *   paid late                                 ->  payment state
 *   shipped, or completed by staff            ->  delivered by as much, then closed
 *   shipment                                  <-  delivered by the shop
 *   Awaiting Pickup and a pickup record       <-  ready for pickup
 *   Completed                                 <-  collected
 *
 * Sources: sitoo.md 5; bigcommerce.md 7, 9; docs/adr/0016.
 */
#ifndef ONEPOOL_HANDOVER_PLAN_H
#define ONEPOOL_HANDOVER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handed.h"
#include "mapping.h"
#include "webshop.h"

enum hand_step {
    HAND_NONE,
    HAND_CREATE,    /* part `part` of revision `rev` */
    HAND_CANCEL,    /* `order` */
    HAND_DELIVER,   /* `moves` of `order` */
    HAND_CLOSE,     /* `order`: all was delivered */
    HAND_PAY,       /* `order`: the web order was paid */
    HAND_ADDRESS,   /* `order`: its delivery address */
    HAND_SHIPMENT,  /* `moves` in BigCommerce */
    HAND_READY,     /* pickup record in BigCommerce */
    HAND_COLLECTED, /* the same, collected */
    HAND_STATUS     /* `status` in BigCommerce */
};

struct hand_move {
    int64_t web_item, item_id, quantity, address_id;
};

#define HAND_CASES_MAX 4

struct hand_case {
    const char *cause;
    bool urgent;
    char text[400];
    const char *effect, *step;
};

/* What else the plan goes by. */
struct hand_known {
    const struct mapping *mapping;
    bool mine;        /* onepool hands this order over: placed since its first start, or accepted so at the baseline */
    bool since_start; /* for statuses that hold stock only then (weborder.h) */
    bool asked;       /* a person asks again: what the shop cancelled or refused is handed over anew */
    bool ended;       /* when it was last looked at, the web order held nothing: what Sitoo has was cancelled with it */
    int64_t now_ms;
    bool recorded, collected; /* BigCommerce has a pickup record; it says collected */
};

struct hand_plan {
    enum hand_step step;
    const struct handed_order *order;
    int64_t part, rev, parts, status;
    struct hand_move *moves;
    size_t n;
    struct hand_case cases[HAND_CASES_MAX];
    size_t case_count;
    bool open; /* something is open in Sitoo, or a person is asked: it is looked at again */
};

void hand_plan_make(const struct web_order *web, const struct handed *h, const struct hand_known *k,
                    struct hand_plan *out);
void hand_plan_free(struct hand_plan *p);
const char *hand_step_name(enum hand_step s);

/* Adds a case; text as printf. */
void hand_plan_case(struct hand_plan *p, const char *cause, bool urgent, const char *effect, const char *step,
                    const char *fmt, ...) PRINTF_LIKE(6, 7);
/* Every cause that a web order's hand-over can have, NULL-terminated: those not raised are closed. */
extern const char *const hand_causes[];

/* True for statuses by which the customer has paid (bigcommerce.md 9). */
bool hand_paid(int64_t status_id);

#endif
