/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performs the verdict about money, at most once per return and web order:
 *
 *   lease of the web order -> read order and refunds -> decide -> quote -> decide -> intent -> refund -> record
 *
 * A crash anywhere is followed by the same steps: a refund with our reference is found among the order's refunds and
 * nothing is sent again. One that was sent and is not there may still come; it is not sent again before
 * returns.repeat_after_s have passed, and not at all if anything else changed meanwhile.
 */
#ifndef ONEPOOL_RETURN_SETTLE_H
#define ONEPOOL_RETURN_SETTLE_H

#include "app.h"
#include "decide.h"

enum settled_kind { SETTLED_REFUNDED, SETTLED_PARKED, SETTLED_SHADOW };

struct settled {
    enum settled_kind kind;
    bool now;          /* refunded by this call, not found */
    int64_t refund_id; /* SETTLED_REFUNDED */
    int64_t amount;    /* money.h */
    char currency[8];
    bool offline, declined;
    struct decision parked; /* SETTLED_PARKED: cause, text, urgent */
};

/* NEXT_DONE: out says what became of it. NEXT_DEFER: try later. */
enum next settle_part(struct app *app, struct part *p, struct settled *out, struct reason *why) NODISCARD;

#endif
