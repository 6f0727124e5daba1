/* SPDX-License-Identifier: Apache-2.0 */
/* BigCommerce's levels of some SKUs at some locations, read in as few calls as can be. */
#ifndef ONEPOOL_LEVELS_H
#define ONEPOOL_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "identity.h"

/* Levels as BigCommerce has them now. */
struct level_query {
    int64_t location_id;
    const struct identity *item;
    bool found;
    int64_t level;
};
/* Reads n levels in as few calls as can be: GET /v3/inventory/items?variant_id:in=...&location_id:in=... */
enum next levels_query(struct app *app, struct level_query *q, size_t n, struct reason *why) NODISCARD;

#endif
