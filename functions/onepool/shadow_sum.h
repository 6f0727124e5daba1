/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a time in shadow mode says: which changes of stock onepool would have shown, when BigCommerce came to show them
 * by somebody else's hand, what was sold online meanwhile that was gone, and where both do not agree. Pure.
 *
 * "Earlier" is never more than was seen: it ends with the last look at which BigCommerce still showed another number. A
 * change that the first look after it found done counts as no gain.
 */
#ifndef ONEPOOL_SHADOW_SUM_H
#define ONEPOOL_SHADOW_SUM_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "mapping.h"

/* One thing that happened at a place "location|sku". */
struct shadow_event {
    char *place; /* owned by the list */
    bool ours;   /* onepool would have written level; else BigCommerce was seen to show it from at_ms on */
    int64_t at_ms, level;
    int64_t until_ms; /* of a show: when the number before it was last seen; 0 = never */
};

struct shadow_events {
    struct shadow_event *list;
    size_t n, cap;
};

void shadow_events_add(struct shadow_events *e, const char *place, bool ours, int64_t at_ms, int64_t level,
                       int64_t until_ms);
void shadow_events_free(struct shadow_events *e);

enum shadow_outcome {
    SHADOW_EARLIER, /* BigCommerce showed it later */
    SHADOW_ALREADY, /* it showed it already, or by the first look */
    SHADOW_PASSED,  /* it never did, and a later change took it back */
    SHADOW_WAITING  /* it does not show it yet */
};

struct shadow_change {
    const char *place;
    int64_t at_ms, level, was; /* was: what BigCommerce showed; -1 = not known */
    enum shadow_outcome outcome;
    int64_t shown_ms, earlier_ms;
};

/* The state of a place at the end. */
struct shadow_place {
    const char *place;
    int64_t ours, ours_ms;            /* ours_ms 0: nothing would have been written */
    int64_t shown, shown_ms, last_ms; /* since when, and when it was looked at last; last_ms 0 = never */
    int64_t withheld, pending;        /* thousandths; filled in by the caller */
    size_t first, n;                  /* its events */
};

struct shadow_sale {
    char *order, *sku; /* owned */
    int64_t created_ms, target, thousandths;
};

struct shadow_oversell {
    const struct shadow_sale *sale;
    int64_t units, offered, ours; /* gone; what BigCommerce showed; what onepool would have shown */
};

struct shadow_sum {
    struct shadow_change *changes;
    size_t n, places_n, oversells_n;
    struct shadow_place *places;
    struct shadow_oversell *oversells;
    int64_t counts[SHADOW_WAITING + 1];
    int64_t median_ms, worst_ms; /* of SHADOW_EARLIER */
    int64_t units;               /* of the oversells */
};

/* Sorts the events, and reckons changes from since_ms on. Free with shadow_sum_free; events and sales must outlive it.
 */
void shadow_reckon(struct shadow_events *e, int64_t since_ms, struct shadow_sum *out);
/* Sales of the span against what onepool would have offered. */
void shadow_oversells(const struct mapping *m, const struct shadow_events *e, const struct shadow_sale *sales, size_t n,
                      int64_t since_ms, struct shadow_sum *s);
void shadow_sum_free(struct shadow_sum *s);

/* Does the other side stay with another number? settled_ms: so long after our change. */
bool shadow_disagrees(const struct shadow_place *p, int64_t settled_ms);
/* The likely reason, as a sentence. same: how many places differ by the same number of units. */
void shadow_reason(const struct shadow_place *p, size_t same, char *out, size_t size);

/* "3 h 10 min", "45 s", "2 d 4 h". */
void shadow_duration(int64_t ms, char out[32]);

const char *shadow_outcome_name(enum shadow_outcome o);

#endif
