/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image of one SKU, to Sitoo. Paths begin with /sites/{site}/products/{id}.
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
#ifndef ONEPOOL_IMAGE_SEND_H
#define ONEPOOL_IMAGE_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "product_sync.h"

#define IMAGE_REFUSED "image_refused" /* cause: Sitoo does not take it */

/* Of one round; begins with app and sync alone. */
struct image_sender {
    struct app *app;
    struct sync *sync; /* in a turn */
    /* the image that was asked for last: variants of a product share one */
    char *url, *base64;
    enum next fetched;
    struct reason why_not;
    bool stored; /* Sitoo has it as a file */
};

/* Sitoo's product has the image of that address and name (picture.h), and no other one of ours; "": none. NEXT_PARK:
 * it cannot be read (PICTURE_UNREADABLE), or is refused. */
enum next image_send(struct image_sender *m, int64_t product_id, const char *url, const char *name,
                     struct reason *why) NODISCARD;
/* Is it the one that was asked for last and could not be read? Then next and why say so again. */
bool image_failed(const struct image_sender *m, const char *url, enum next *next, struct reason *why);
/* What it keeps of the last image; in the end, too. */
void image_forget(struct image_sender *m);

#endif
