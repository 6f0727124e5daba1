/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer tells the ledger (the rows are in docs/ledger.md): every level, with what it was made of, and for
 * each movement that changed none, that it was counted. Pure. */
#ifndef ONEPOOL_STOCK_ROWS_H
#define ONEPOOL_STOCK_ROWS_H

#include "write.h"

/* One row of that type for each item: what it was, what it is made of, and why it was computed. */
void rows_levels(const char *type, const struct facts *f, const struct level_item *items, size_t n, const char *intent,
                 struct args *effects);
/* BigCommerce refused it. */
void rows_refused(const struct level_item *item, struct args *effects);
/* Before anything is written: SKUs whose stock was said to have moved (hints v and w), or whose level was never
 * written, and whose level at a location stays what it is; and those that moved and have no level at all. */
void rows_unchanged(const struct facts *f, struct args *effects);

#endif
