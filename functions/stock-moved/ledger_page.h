/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page of Sitoo's ledger brings together before it is stored in one step: effects, rows seen, and the last row
 * of each SKU and warehouse.
 */
#ifndef ONEPOOL_LEDGER_PAGE_H
#define ONEPOOL_LEDGER_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "ledger.h"
#include "redis.h"

/* The last row of one SKU in one warehouse, by this page. */
struct page_chain {
    int64_t warehouse;
    uint64_t hash; /* of the SKU */
    char *sku;
    struct chain last;
};

/* Zero it before use; free with ledger_page_free. */
struct ledger_page {
    struct args effects; /* marks, records, withheld units, cases */
    struct args seen;    /* row ids */
    struct page_chain *chains;
    size_t chain_count;
};

void ledger_page_free(struct ledger_page *p);

/* The row is among those seen with this page. */
bool ledger_page_has(const struct ledger_page *p, int64_t id);

/* The last row of the SKU there: of this page, else as stored. */
enum next ledger_page_chain(struct app *app, const struct ledger_page *p, int64_t warehouse, const char *sku,
                            struct chain *c, struct reason *why) NODISCARD;
void ledger_page_set_chain(struct ledger_page *p, int64_t warehouse, const char *sku, int64_t id, int64_t total,
                           int64_t seen_ms);

/* Stores everything, and the cursor unless it is 0, in one call: all of it or nothing. */
enum next ledger_page_store(struct app *app, const struct ledger_page *p, int64_t cursor, struct reason *why) NODISCARD;

#endif
