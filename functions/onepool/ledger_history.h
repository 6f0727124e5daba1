/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history of one SKU: the rows of the ledger that speak of it, in sentences that can be read aloud, and what its
 * levels were made of at a time. Pure. Rows that belong together become one sentence: a sale and the movement that
 * Sitoo booked for it; a level and its confirmation.
 */
#ifndef ONEPOOL_LEDGER_HISTORY_H
#define ONEPOOL_LEDGER_HISTORY_H

#include <cjson/cJSON.h>

#include "buf.h"
#include "ledger_entry.h"

#define HISTORY_EVENTS_MAX ((size_t)20000) /* the newest; older ones are left out, and that is said */

struct history_event {
    char id[LEDGER_ID_SIZE];
    int64_t ms, n;
    const char *type; /* of the row */
    cJSON *row;
    const cJSON *part; /* the element of a list in it that is about the SKU; NULL = the row itself */
    size_t pair;       /* the event that its sentence includes, from 1; 0 = none */
    size_t told;       /* the event in whose sentence it is, from 1; 0 = its own */
};

struct history {
    char *sku, *needle; /* needle: what a row must contain to be looked at */
    bool one_location;  /* the shop has one, so it need not be named */
    const cJSON *names; /* {"3":"Leeds"}, or NULL */
    int64_t until_ms;   /* 0 = all */
    struct history_event *list;
    size_t n;
    int64_t seen, left_out;
};

void history_init(struct history *h, const char *sku);
void history_free(struct history *h);
void history_take(struct history *h, const struct ledger_entry *e);
/* Puts together what belongs together; after the last entry. */
void history_end(struct history *h);

/* The sentence of event i, with its cause. */
void history_say(const struct history *h, size_t i, struct buf *out);
/* Counted again without anything new: a page for people leaves it out. */
bool history_is_idle(const struct history *h, size_t i);
/* How the levels stood after the last event, and what they were made of: an object, see ledger_sku.c. */
cJSON *history_state(const struct history *h);
/* "Leeds", or "warehouse 3". */
void history_warehouse(const struct history *h, int64_t warehouse, struct buf *out);
/* Thousandths as a number without idle zeros: "1", "0.35". */
void history_units(int64_t thousandths, struct buf *out);

#endif
