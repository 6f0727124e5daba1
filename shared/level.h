/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The level of a SKU at a BigCommerce location. Pure.
 *
 *   net(w)  = available(w) - pending(w) - withheld(w)          available = on hand - reserved, may be negative
 *   level   = whole units of max(0, sum of net over the location's warehouses - pending not yet allocated)
 *
 * Thousandths throughout; rounded down to whole units once, after the sum. Unallocated pending counts at every location
 * that could serve it.
 */
#ifndef ONEPOOL_LEVEL_H
#define ONEPOOL_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEVEL_MAX INT64_C(2147483647) /* BigCommerce silently does not save more (S-INV) */

/* The stock of one SKU in one warehouse, in thousandths. */
struct stock {
    int64_t available, pending;
    int64_t reserved;                         /* part of on hand that is not available; set where Sitoo was read */
    int64_t withheld_ledger, withheld_return; /* the same units seen from two sides: the larger counts */
};

int64_t level_net(const struct stock *s);
/* Sum over n warehouses less unallocated, as whole units within 0..LEVEL_MAX. */
int64_t level_compute(const struct stock *const *warehouses, size_t n, int64_t unallocated);

/* What the Redis functions keep per "location|sku": "level state written_ms till_ms not_before_ms base" (70_level.lua).
 */
struct level_stored {
    bool known;
    char state; /* w written, u unsure, s turned back over an unconfirmed one, c confirmed, k known from a read */
    int64_t level;
};
bool level_stored_read(const char *text, struct level_stored *out);

/* True if the level has to be written. forced: BigCommerce was seen to differ, or a person asked. */
bool level_must_write(const struct level_stored *stored, int64_t level, bool forced);

/* True if the words contain the word. */
bool hint_has(const char *words, const char *word);

#endif
