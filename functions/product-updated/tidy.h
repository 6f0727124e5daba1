/* SPDX-License-Identifier: Apache-2.0 */
/* Ends cases of products whose cause is gone, as seen by a comparison of both catalogs: what cannot be wanted,
 * near-duplicates, lists that sold for less, images of SKUs that have none any more. */
#ifndef ONEPOOL_PRODUCT_TIDY_H
#define ONEPOOL_PRODUCT_TIDY_H

#include "app.h"
#include "err.h"
#include "exceptions.h"

enum next tidy_cases(struct app *app, const struct shops *shops, const struct exceptions *found,
                     struct reason *why) NODISCARD;

/* Forgets who has a barcode if that variant does not want it any more: another one may have it. */
enum next tidy_barcodes(struct app *app, const struct shops *shops, struct reason *why) NODISCARD;

#endif
