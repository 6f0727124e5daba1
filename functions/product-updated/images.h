/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first image of each SKU, from BigCommerce to Sitoo (mapping: products.images), after all else of a product was
 * brought. Paths begin with /sites/{site}/products/{id}.
 *
 * - GET /images.json?start=0&num=100&fields=resourceid: {"totalcount":1,"items":[{"resourceid":"onepool-4f..9a.jpg"}]}
 * - POST /images.json {"resourceid":"onepool-4f..9a.jpg","filedata":"<base64>"}: true. Without filedata a file that is
 *   there already becomes one of this product's images, too.
 * - GET /images/{index}.json: {"resourceid":"..."}
 * - DELETE /images/{index}.json: true. Only the link goes, not the file.
 *
 * Read, then written: an image that is there is not sent again, so that a crash or a lost answer costs a look, and a
 * wait of SYNC_SETTLE_MS until what was sent has landed. Images whose name is not one of ours (PICTURE_PREFIX) are
 * staff's and never touched; an old one of ours goes after the new one is there; of more than 100 images of a product
 * only the first 100 are looked at. Whether {index} begins at 0 or 1 is not documented: the image is read by it before
 * it is removed.
 *
 * Sources: sitoo.md 6.5; docs of the public client spysystem/sitoo-client, Api/ProductImagesAndFilesApi and
 * Model/ResourceRead, ResourceWrite, GetProductImagesResponse.
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
