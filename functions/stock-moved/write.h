/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing levels: one absolute adjustment at a time, up to 2,000 items grouped by location; a refused batch is split
 * until only the bad item waits; what was written is read back later.
 *
 *   PUT /v3/inventory/adjustments/absolute
 *   {"reason":"onepool: stock of the shops","items":[{"location_id":1,"variant_id":74,"quantity":3}]} -> 200
 * {"transaction_id":"..."}
 *
 * Source: reference/inventory.v3.yml, docs inventory-adjustments (2026-04-01), bigcommerce.md 6.2.
 */
#ifndef ONEPOOL_WRITE_H
#define ONEPOOL_WRITE_H

#include "facts.h"
#include "levels.h"

#define WRITE_ITEMS_MAX ((size_t)2000)
/* What changed without us is read once more after so many confirm time-outs (40 s by default): a read may lag behind
 * the webhook that told of the change, and would show the old level. */
#define LEVELS_AGAIN 4

/* One SKU at one location. */
struct level_item {
    struct fact *fact;
    int64_t location_id;
    int64_t level, was; /* whole units; was: last known */
    int64_t till_ms;
    bool allowed; /* exactly a difference of the accepted baseline: the brake does not count it */
};

/* The body of one adjustment. Pure; the caller frees. */
char *write_body(const struct level_item *items, size_t n);
/* "location|sku" and level of each item: what the intent keeps, and what recovery reads. Pure; the caller frees. */
char *write_intent(const struct level_item *items, size_t n, const char *body);

/*
 * Computes the level of every fact at every mapped location, reads unknown ones from BigCommerce, and writes what
 * differs. Sets fact->next of each. NEXT_STOP: the writer lease was lost. lease_token fences the intents.
 */
enum next write_levels(struct app *app, struct facts *f, const char *lease_token, struct reason *why) NODISCARD;

/* True if by what is known now write_levels would read or write a level. */
bool write_needed(const struct facts *f);

/* The level of a fact at the mapping's location of that index, by what is known now. Pure. */
int64_t write_level_at(const struct facts *f, const struct fact *fact, size_t location);

/* Intents that a writer left open: their items are unsure, and are written again. Called when the lease is taken. */
enum next write_recover(struct app *app, struct reason *why) NODISCARD;

#endif
