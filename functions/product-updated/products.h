/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products that are due: read again in BigCommerce, many in a call, and brought to Sitoo if they differ from what was
 * last sent (shared/product_sync.h). Most of what is due is an echo: each stock write and each web order fires
 * product/updated; such a product costs its place in one call to BigCommerce, and none to Sitoo.
 *
 * Before the first load (onepool load) nothing is written: events are settled, since the load reads everything.
 */
#ifndef ONEPOOL_PRODUCTS_H
#define ONEPOOL_PRODUCTS_H

#include "app.h"
#include "err.h"

enum next products_work(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;
void products_leave(struct app *app);
/* {"product":192}, or a webhook of a product or SKU. */
int products_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
