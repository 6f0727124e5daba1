/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool shadow: the report of a time in shadow mode. Read from what the gate recorded (stream shadow), what the
 * writer saw of BigCommerce's levels (shadow:seen, shadow:shown) and the web orders that took stock (shadow:orders).
 * Reads Redis alone; writes nothing.
 */
#ifndef ONEPOOL_SHADOW_H
#define ONEPOOL_SHADOW_H

#include "app.h"
#include "reading.h"
#include "shadow_sum.h"

#define SHADOW_KINDS_MAX  16
#define SHADOW_EVENTS_MAX ((size_t)1000000)

struct shadow_options {
    const char *csv;    /* a file for all changes, or NULL */
    int64_t since_ms;   /* 0 = from the beginning */
    int64_t settled_ms; /* so long must another number have stayed */
    int64_t rows;
    const char *mistake; /* of the command line; NULL = none */
};

/* Writes of one kind that were not sent. */
struct shadow_kind {
    char name[32];
    int64_t count, first_ms,
        last_ms; /* the same write, recorded again each time its cause was looked at, counts once */
};

struct shadow_report {
    struct shadow_events events;
    struct shadow_sale *sales;
    size_t sales_n, sales_cap;
    struct shadow_kind kinds[SHADOW_KINDS_MAX];
    size_t kinds_n;
    struct shadow_sum sum;
    struct shadow_place **disagree; /* sorted by how far apart */
    size_t disagree_n;
    int64_t from_ms, to_ms;
    bool live;
};

/* Reads everything and reckons. NEXT_PARK: more than can be reckoned at once. */
enum next shadow_report_read(struct app *app, const struct shadow_options *o, struct reading *progress,
                             struct shadow_report *r, struct reason *why) NODISCARD;
void shadow_report_free(struct shadow_report *r);

/* How many places differ by as many units as this one. */
size_t shadow_same(const struct shadow_report *r, const struct shadow_place *p);
void shadow_text(const struct shadow_report *r, int64_t rows, struct buf *out);
void shadow_csv(const struct shadow_report *r, struct buf *out);
cJSON *shadow_json(const struct shadow_report *r, int64_t rows);
/* The first line: the sum in one sentence. */
void shadow_line(const struct shadow_report *r, struct buf *out);

#endif
