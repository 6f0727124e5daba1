/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which BigCommerce level included each movement of a mapped warehouse: the first one that was computed after it was
 * recorded, at each location of the warehouse. One writer reads the movements and computes the levels, in turns, so the
 * order of the ledger's entries is the order of what was known. Pure. Memory: one record per SKU and location, and what
 * is under way.
 */
#ifndef ONEPOOL_LEDGER_TIES_H
#define ONEPOOL_LEDGER_TIES_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "ledger_gaps.h"
#include "mapping.h"

enum ledger_tie {
    TIE_OPEN,      /* none yet */
    TIE_WRITTEN,   /* in a level that was written; not confirmed */
    TIE_CONFIRMED, /* and BigCommerce showed it */
    TIE_SHADOWED,  /* in a level that shadow mode did not send */
    TIE_UNCHANGED, /* counted, the level stayed what it was */
    TIE_NO_LEVEL,  /* the SKU has no level there; a case or the catalog says why */
    TIE_WAITING,   /* the SKU is due */
    TIE_COUNT
};
/* "open", "written" ...; for an open one at the end: "untied". */
const char *ledger_tie_name(enum ledger_tie tie);

/* A movement at one location. */
struct ledger_tied {
    int64_t row, warehouse, location, delta, total, created_s, recorded_ms;
    enum ledger_tie tie;
    int64_t level, written_ms, confirmed_ms; /* written: when the level was written, or computed again */
    char why[40];                            /* of TIE_NO_LEVEL */
};

struct ledger_ties {
    const struct mapping *mapping;
    struct ledger_map at; /* location, SKU -> struct tie_place of ledger_ties.c */
    int64_t unmapped;     /* movements of warehouses that are not mapped */
    int64_t n[TIE_COUNT]; /* by outcome, of what has been told */
    /* Called once for each movement and location, when nothing more can become of it. May be NULL. */
    void (*told)(void *arg, const char *sku, const struct ledger_tied *t);
    void *arg;
};

void ledger_ties_init(struct ledger_ties *t, const struct mapping *m);
void ledger_ties_free(struct ledger_ties *t);
void ledger_ties_move(struct ledger_ties *t, const struct ledger_movement *m);
/* A row of any other type, recorded at ms. */
void ledger_ties_row(struct ledger_ties *t, const char *type, const cJSON *row, int64_t ms);
/* SKUs that have open movements: calls each once. */
void ledger_ties_each_open(const struct ledger_ties *t, void (*each)(void *arg, const char *sku), void *arg);
/* Open movements of the SKU wait: it is due. */
void ledger_ties_waiting(struct ledger_ties *t, const char *sku);
/* Open movements recorded from from_ms on wait: what is read ends before their level. */
void ledger_ties_end_at(struct ledger_ties *t, int64_t from_ms);
/* Tells what is left. */
void ledger_ties_end(struct ledger_ties *t);

#endif
