/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /hooks/bigcommerce/product-updated:
 *
 *   store/product/...            {"type":"product","id":205}
 *   store/sku/...                {"type":"sku","id":461,"sku":{"product_id":206,"variant_id":509}}; id is that of the
 * v2 SKU and names neither store/priceList/record/...   {"price_list_id":1,"variant_id":179,"currency":"USD"}
 *   store/priceList/records/...  an array of them, of at most 1,000
 *   store/priceList/..., store/priceLists/...   {"price_list_id":5} or {"price_list_ids":[5]}: every price may differ
 *
 * The product is due debounce_s after the first of them; a whole list makes the comparison of catalogs due. Changes of
 * stock (.../inventory/...) change no product. Without the mapping's section "products" nothing is due, and price lists
 * count only if prices come from one, and only that one. Source: bigcommerce.md 5.5. Answers: hook.h.
 */
#ifndef ONEPOOL_PRODUCT_HOOK_H
#define ONEPOOL_PRODUCT_HOOK_H

#include "app.h"
#include "fcgi.h"
#include "hook.h"

#define PRODUCT_HOOK_RECORDS_MAX 1000 /* a batch call takes no more */

void product_hook_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/* What one hook causes; pure. */
void product_hook_plan(const struct app *app, const struct hook *hook, struct args *effects);

#endif
