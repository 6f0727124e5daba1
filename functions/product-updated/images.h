/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first image of each SKU, from BigCommerce to Sitoo (mapping: products.images), after all else of a product was
 * brought: which are due, in rounds. How one is sent: image_send.h.
 */
#ifndef ONEPOOL_IMAGES_H
#define ONEPOOL_IMAGES_H

#include "app.h"
#include "err.h"
#include "product_sync.h"

/* What a case says of a SKU's image. */
#define IMAGES_CAUSES 2
extern const char *const images_causes[IMAGES_CAUSES];

/* pause_ms: kept by the caller, 0 at first: monotonic, no round before it. */
enum next images_work(struct app *app, struct sync *s, int64_t *pause_ms, int64_t *wait_ms,
                      struct reason *why) NODISCARD;
/* Products whose images are not known to be as wanted become due, those that could not be brought once more. */
enum next images_mark(struct app *app, const struct product_want *wants, size_t n, struct reason *why) NODISCARD;

#endif
