/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sitoo's stock ledger: the change feed of stock. Read from the cursor on any event, and every 5 s without one.
 *
 *   GET
 * /sites/{site}/warehousetransactions.json?warehousetransactionidfrom=N&sort=warehousetransactionid&num=1000&fields=...
 *   {"totalcount":16,"items":[{"warehousetransactionid":16,"warehouseid":1,"datecreated":1550669776,"transactiontype":30,
 *     "externalid":null,"items":[{"sku":"10038-1","decimalquantity":"-1.000","decimaltotal":"9.000"}]}]}
 *
 * Every row marks its SKU due and is recorded; the level after it stands for a read of the warehouse (stock.c). Refund
 * rows (type 40) are withheld at once. Each row carries the level after it, so level(n) = level(n-1) + delta(n) per SKU
 * and warehouse is checked; a hole is fetched by id. Whether ids become visible strictly in order is not known, so a
 * few ids behind the cursor are read again. Source: sitoo.md 7.3.
 */
#ifndef ONEPOOL_LEDGER_H
#define ONEPOOL_LEDGER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "redis.h"

#define LEDGER_POLL_MS INT64_C(5000)
#define LEDGER_SALE    30 /* sitoo.md 7.3 */
#define LEDGER_REFUND  40
#define LEDGER_COUNT   50

/* The last ledger row of a SKU in a warehouse. */
struct chain {
    bool known;
    bool kept; /* the warehouse has ledger rows: a Virtual one may have none (sitoo.md 7.3) */
    int64_t id, total;
    int64_t seen_ms; /* when the page that brought it was asked for */
};
/* Reads "id total seen_ms", as kept per SKU in KEY_CHAIN. Anything else: not known. */
void chain_read(const char *text, struct chain *c);

enum chain_verdict { CHAIN_FIRST, CHAIN_FITS, CHAIN_HOLE, CHAIN_LATE };

/* Compares a row with the last one before it. Pure. LATE: the row is older than the last one. Several items of one row
 * carry the same id and follow one another. */
enum chain_verdict chain_check(const struct chain *last, int64_t id, int64_t delta, int64_t total);

/* What an item of a row means for withheld units (docs/adr/0014-withheld-units.md): a refund withholds, what leaves
 * otherwise than by a sale or a count releases, a count asks a person (owner NULL: it does not). index: of the item in
 * its row. Appends effects that happen once however often the row is read. Pure. */
void ledger_plan_withheld(const cJSON *row, int index, const char *sku, int64_t delta, const char *owner,
                          struct args *effects);

/* Reads everything that is new. */
enum next ledger_read(struct app *app, struct reason *why) NODISCARD;

#endif
