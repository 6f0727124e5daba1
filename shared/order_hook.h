/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /hooks/bigcommerce/order-updated: {"scope":"store/order/...","data":{"type":"order","id":250,...}} of the scopes
 * store/order/updated, statusUpdated, archived and refund/created, each of which makes the order due; the last one its
 * refunds, too. Source: bigcommerce.md 5.5. Answers: hook.h.
 */
#ifndef ONEPOOL_ORDER_HOOK_H
#define ONEPOOL_ORDER_HOOK_H

#include "app.h"
#include "fcgi.h"
#include "hook.h"

void order_hook_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/* What one hook causes; pure. */
void order_hook_plan(const struct app *app, const struct hook *hook, struct args *effects);

#endif
