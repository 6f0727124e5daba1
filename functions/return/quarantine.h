/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units that may not be sold and were taken back elsewhere are moved to the quarantine warehouse at once (mapping
 * returns.quarantine_warehouse_id; live mode only). Both halves go in one call and bear our reference:
 *
 *   POST /sites/{site}/warehousetransactions.json
 *   [{"warehouseid":1,"transactiontype":20,"description":"...","externalid":"OPQ-11555-0",
 *     "items":[{"sku":"SKU-1","decimalquantity":"-1.000"}]},
 *    {"warehouseid":9,"transactiontype":10,"description":"...","externalid":"OPQ-11555-0",
 *     "items":[{"sku":"SKU-1","decimalquantity":"1.000"}]}]
 *
 * At most once: the return's lease is held, an intent is stored before the call, and before every call Sitoo's ledger
 * is searched for our reference from the return on. Whether both halves succeed or fail together is not known
 * (sitoo.md 7.4): if only one is there, a person books the other. The ledger's row then releases the withheld units
 * (stock-moved).
 */
#ifndef ONEPOOL_RETURN_QUARANTINE_H
#define ONEPOOL_RETURN_QUARANTINE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "credit.h"
#include "redis.h"

/* True if a row of the return is to be moved. Pure. */
bool quarantine_wanted(const struct credit *c, const struct mapping *m);
/* Moves what is to be moved and appends cases and records. NEXT_DEFER: a platform or Redis is away, or the outcome of a
 * call is not known yet. */
enum next quarantine_move(struct app *app, const struct credit *c, struct args *effects, struct reason *why) NODISCARD;

/* The halves of a move as the ledger shows them. */
struct quarantine_halves {
    const char *reference;
    int64_t out, in; /* warehouse transaction; 0 = not there */
};
/* Takes a page of the ledger; see moves.h. context: struct quarantine_halves. Pure. */
bool quarantine_take_page(void *context, const cJSON *items, int64_t *last);

#endif
