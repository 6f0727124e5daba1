/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Returns at a till: three verdicts per row, decided apart (goods, money, record). (return is a C keyword, hence
 * refund_.) An order is worked on as often as it is marked; whatever was done is found again and not done twice.
 */
#ifndef ONEPOOL_REFUND_H
#define ONEPOOL_REFUND_H

#include "app.h"
#include "credit.h"
#include "original.h"
#include "redis.h"

/* Appends the effects on goods of a return: withheld until judged, the verdict, the SKUs due. Pure. */
void refund_plan_goods(const struct credit *c, const struct mapping *m, struct args *effects);

/* One round of work, see function.h. */
enum next refund_work(struct app *app, int64_t *wait_ms, struct reason *why);

/* --invoke: payload is a Sitoo order with returned rows. */
int refund_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
