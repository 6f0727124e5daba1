/* SPDX-License-Identifier: Apache-2.0 */
/* One round over products that are due; see products.h. */
#ifndef ONEPOOL_PRODUCT_ROUND_H
#define ONEPOOL_PRODUCT_ROUND_H

#include <stdbool.h>

#include "app.h"
#include "err.h"
#include "product_sync.h"
#include "queue.h"

struct product_round {
    struct app *app;
    struct sync *sync;
    const struct claims *claims;
    int64_t *product_of; /* of each claim; 0 = none: the variant is gone */
    /* each product once */
    int64_t *ids;
    size_t n;
    struct catalog catalog;
    struct product_want *wants; /* of ids[i] */
    struct known_product *known;
    bool *forced, *person;   /* hints */
    struct sync_item *items; /* of ids[i]; next NEXT_DONE and no effects: nothing to do */
    struct sync_item **changed;
    int64_t echoes;
};

/* Reads, compares, writes; every item has an outcome then. NEXT_DEFER: nothing was done. Free in every case. */
enum next round_run(struct app *app, struct sync *s, const struct claims *claims, struct product_round *r,
                    struct reason *why) NODISCARD;
struct sync_item *round_item(const struct product_round *r, size_t claim);
void round_free(struct product_round *r);

#endif
