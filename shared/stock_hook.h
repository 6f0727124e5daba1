/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a webhook about the stock of an item causes:
 *
 *   {"scope":"store/channel/ *
 * /inventory/product/stock_changed","data":{"variant_id":127,"product_id":113,"location_id":2}}
 *
 * The item is due, so that its levels are read back; one of a location that is not mapped is counted only. Source:
 * bigcommerce.md 5.5.
 */
#ifndef ONEPOOL_STOCK_HOOK_H
#define ONEPOOL_STOCK_HOOK_H

#include "app.h"
#include "hook.h"

/* Pure. */
void stock_hook_plan(const struct app *app, const struct hook *hook, struct args *effects);

#endif
