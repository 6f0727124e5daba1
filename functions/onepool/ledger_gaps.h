/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the movements of Sitoo's stock ledger follow on one another? level(n) = level(n-1) + delta(n) per SKU and
 * warehouse, with rising row ids. A hole is filled by rows that were recorded later (they were fetched by id), or found
 * in Sitoo. Pure. Memory: one record per SKU and warehouse.
 */
#ifndef ONEPOOL_LEDGER_GAPS_H
#define ONEPOOL_LEDGER_GAPS_H

#include "ledger_map.h"

#define LEDGER_GAPS_MAX ((size_t)1000) /* kept; all are counted */

struct ledger_movement {
    int64_t row, warehouse, kind;
    const char *sku;
    int64_t delta, total;  /* thousandths */
    int64_t created_s, ms; /* in Sitoo; recorded */
};

struct ledger_gap {
    int64_t warehouse;
    char *sku;
    int64_t after, before; /* rows around it */
    int64_t left;          /* thousandths that no row explains */
    int64_t ms;            /* when the row behind it was recorded */
    int64_t found;         /* rows found since */
    bool in_sitoo;         /* of those, some only in Sitoo */
};

struct ledger_gaps {
    struct ledger_map last;
    int64_t movements, again; /* again: rows that were recorded before */
    struct ledger_gap *gaps;
    size_t n, beyond; /* beyond: gaps that were not kept; never filled */
};

void ledger_gaps_init(struct ledger_gaps *g);
void ledger_gaps_free(struct ledger_gaps *g);
void ledger_gaps_take(struct ledger_gaps *g, const struct ledger_movement *m);
/* A row that Sitoo has. True if it belongs into a hole. */
bool ledger_gaps_found(struct ledger_gaps *g, const struct ledger_movement *m);
/* Redis was empty in between: what comes next need not follow. */
void ledger_gaps_restart(struct ledger_gaps *g);
/* Holes that nothing explains. */
size_t ledger_gaps_open(const struct ledger_gaps *g);

#endif
