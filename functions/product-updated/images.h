/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first image of each SKU, from BigCommerce to Sitoo (mapping: products.images), after all else of a product was
 * brought.
 *
 *   GET    /sites/{site}/products/{id}/images.json?start=0&num=100&fields=resourceid
 *          {"totalcount":1,"items":[{"resourceid":"onepool-4f0c...9a.jpg"}]}
 *   POST   /sites/{site}/products/{id}/images.json    {"resourceid":"onepool-4f0c...9a.jpg","filedata":"<base64>"} ->
 * true without filedata: a resource that is there already becomes one of the product's images, too GET
 * /sites/{site}/products/{id}/images/{index}.json   {"resourceid":"..."} DELETE
 * /sites/{site}/products/{id}/images/{index}.json   true; only the link goes, not the resource
 *
 * Read, then written: an image that is there is not sent again, so that a crash or a lost answer costs a look. Images
 * whose name is not one of ours (PICTURE_PREFIX) are staff's and never touched; an old one of ours goes after the new
 * one is there; of more than 100 images of a product only the first 100 are looked at. Whether {index} begins at 0 or 1
 * is not documented: the image is read by it before it is removed.
 *
 * Sources: sitoo.md 6.5; docs of the public client spysystem/sitoo-client, Api/ProductImagesAndFilesApi and
 * Model/ResourceRead, ResourceWrite, GetProductImagesResponse.
 */
#ifndef ONEPOOL_IMAGES_H
#define ONEPOOL_IMAGES_H

#include "app.h"
#include "err.h"
#include "product_sync.h"

enum next images_work(struct app *app, struct sync *s, int64_t *wait_ms, struct reason *why) NODISCARD;
/* Products whose images are not known to be as wanted become due. */
enum next images_mark(struct app *app, const struct product_want *wants, size_t n, struct reason *why) NODISCARD;

#endif
