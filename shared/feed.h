/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sitoo's event feed: batches of thin events posted to us (Events SPI).
 *
 *   [ {"event_id":"0000...1","event_type":"order","event_date":1463041120,"account_id":1500,
 *      "data":{"eshop_id":1,"order_id":11513,"warehouse_id":1,"order_event_type":"add"}}, ... ]      1 to 10 elements
 *
 * Sources: developer.sitoo.com/spi-events/overview and /events (sitoo.md 3). Only 200 and 503 may leave us: any other
 * status may delete the events. The same batch is taken on /hooks/sitoo, /events, /sale and /return, so a wrong route
 * loses nothing.
 */
#ifndef ONEPOOL_FEED_H
#define ONEPOOL_FEED_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "fcgi.h"

#define FEED_EVENTS_MAX   10  /* documented; more are taken, and said in the log */
#define FEED_BATCH_MAX    500 /* elements; a body of 64 KiB holds some 400 real ones */
#define FEED_EVENT_ID_MAX 128 /* bytes; documented are 32 hex digits */
#define FEED_SOURCE       "sitoo"

enum feed_act {
    FEED_ORDER,   /* read the order and sort its rows */
    FEED_LEDGER,  /* stock moved: read the ledger */
    FEED_IGNORED, /* stored and counted only: receipts, Z-reports, unknown types */
    FEED_FOREIGN, /* another account or site: stored and counted only */
    FEED_BAD      /* element cannot be understood: parked raw */
};

struct feed_event {
    enum feed_act act;
    char id[FEED_EVENT_ID_MAX + 1]; /* "" if the element has none that can be read */
    int64_t order_id;               /* FEED_ORDER */
    char problem[160];              /* FEED_BAD: what is wrong, naming the field */
    bool whole_body;                /* FEED_BAD: no element, but a body that is no list of elements */
};

/* Decides what one element of a batch asks for. Pure. */
void feed_plan(const cJSON *element, int64_t account_id, int64_t site_id, struct feed_event *out);
const char *feed_act_name(enum feed_act act);

/* The same from the bytes of one element, as received. Pure. */
void feed_element(const struct app *app, const char *bytes, size_t len, struct feed_event *out);

/* What an event causes: marks, counters, a case. Pure. */
void feed_effects(const struct app *app, const struct feed_event *e, const char *bytes, size_t len,
                  struct args *effects);

/* Hands each element of a body, with its bytes as received, to take; a body that is no list of elements, or has more
 * than FEED_BATCH_MAX, as a whole. An element that is no JSON harms no other. Returns how many there were. Pure. */
typedef void feed_take(void *arg, const struct feed_event *e, const char *bytes, size_t len);
size_t feed_read(const struct app *app, const char *body, size_t len, feed_take *take, void *arg);

/* Whether an Authorization header ("Basic ...", may be NULL) carries the events user with the current or the previous
 * password. Takes the same time whatever is wrong. Pure. */
bool feed_authentic(const struct app *app, const char *header);

/* The whole call: method, Basic credentials (current and previous password), body, storage, answer 200 or 503. */
void feed_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/* Plans a body without storing it and appends the accept command's events (see 20_accept.lua) to args; returns their
 * number. With trace set, each plan is printed as a step. What cannot be understood is a parked raw event. */
size_t feed_events(const struct app *app, const char *body, size_t len, struct args *args);

#endif
