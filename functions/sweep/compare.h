/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Some SKUs side by side: what BigCommerce shows, what the formula says with Sitoo's stock read now, what was written,
 * and whether something of it is under way. Redis is looked at before and after the platforms, and a SKU of which
 * anything changed meanwhile counts as under way. Nothing is concluded from an incomplete answer.
 */
#ifndef ONEPOOL_SWEEP_COMPARE_H
#define ONEPOOL_SWEEP_COMPARE_H

#include "app.h"
#include "drift.h"
#include "identity.h"
#include "level.h"

#define COMPARE_MAX ((size_t)500) /* SKUs at once */

struct compare_sku {
    char *sku;
    struct identity item;
    bool usable;         /* has an item whose level can be written, as far as was asked */
    bool busy;           /* under way, or changed while it was looked at */
    bool proven;         /* its stock is known in all mapped warehouses */
    int64_t unallocated; /* pending of no warehouse */
    int64_t *shown;      /* per mapped location: BigCommerce's level; no row: 0 */
    char **stored;       /* per mapped location: as Redis keeps it, "" = nothing */
    struct stock *stock; /* per mapped warehouse */
    struct drift_place *places;
};

struct compare {
    struct app *app;
    struct compare_sku *list;
    size_t n;
    int64_t now_ms; /* Redis's time at the last look */
};

/* Room for up to max SKUs. */
void compare_init(struct compare *c, struct app *app, size_t max);
void compare_free(struct compare *c);
/* Adds a SKU, or finds it; NULL if it cannot be compared (no SKU, too long, a comma, no room). */
struct compare_sku *compare_add(struct compare *c, const char *sku);

/* SKUs that one call of Redis looks at: the fewer, the more places the shop has. Pure. */
size_t compare_per_look(const struct mapping *m);
/* What Redis knows now. The second time, what differs from the first is busy. NEXT_DEFER: the writer is behind with
 * the ledger, so that no comparison would be fair. */
enum next compare_redis(struct compare *c, bool again, struct reason *why) NODISCARD;
/* BigCommerce's levels at the mapped locations, by item. SKUs without a usable item: usable is false. */
enum next compare_levels(struct compare *c, struct reason *why) NODISCARD;
/* Sitoo's stock in the mapped warehouses (till.c). */
enum next compare_sitoo(struct compare *c, struct reason *why) NODISCARD;
/* compare_redis, compare_levels if `levels`, compare_sitoo, compare_redis again. */
enum next compare_all(struct compare *c, bool levels, struct reason *why) NODISCARD;

/* The level that the formula gives at mapped location l. Pure. */
int64_t compare_expected(const struct compare *c, const struct compare_sku *s, size_t l);
/* Why it is not the one that is shown. Pure. */
enum drift compare_why(const struct compare *c, const struct compare_sku *s, size_t l);

#endif
