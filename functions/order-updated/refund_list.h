/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once a day, and at once when Redis knows of no such look (its first start, or a loss): all refunds of the last
 * returns.goods_back_days + 7 days, 80 at most, none from before our first start.
 *
 *   GET /v3/orders/payment_actions/refunds?created:min=...&page=1&limit=250
 *
 * An order is made due if one of its refunds was not looked at yet, or is one of ours that may still be declined. So no
 * refund depends on its webhook, nor on what Redis remembers. Source: bigcommerce.md 10; pages end with one that is
 * empty or shorter than any page is known to be, since the answer's meta is empty.
 */
#ifndef ONEPOOL_REFUND_LIST_H
#define ONEPOOL_REFUND_LIST_H

#include "app.h"

/* One round: the timer of queue `refunds`. *wait_ms becomes at most the time until it is due. */
enum next refund_list_work(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;

#endif
