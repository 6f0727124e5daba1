/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool replay: events that were received once, and parked cases, made due again. Without --apply it only looks: it
 * prints what would become due, and the look gets an id. --apply ID does what that look showed, in steps of at most
 * REPLAY_STEP events, and goes on where it stopped if it is killed.
 *
 * What is chosen is walked through in one order, first the cases by id, then the journal by time; a position in it is
 * "c <case id>" or "j <journal id>". All reading is in pages.
 */
#ifndef ONEPOOL_REPLAY_CHOICE_H
#define ONEPOOL_REPLAY_CHOICE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "replay.h"

#define REPLAY_IDS_MAX    100
#define REPLAY_EVENTS_MAX INT64_C(200000) /* of one choice: a day of a large shop */
#define REPLAY_CASES_MAX  10000
#define REPLAY_STEP       50
#define REPLAY_KEPT_MS    (INT64_C(14) * 86400 * 1000) /* the journal, shared/lua/00_common.lua */
#define REPLAY_AT_MAX     1200

/* What is to be replayed. */
struct replay_choice {
    const char *ids[REPLAY_IDS_MAX + 1]; /* journal ids, event ids, case ids; then nothing else is given */
    size_t id_count;
    const char *sku, *order, *source, *parked; /* NULL = not given; parked: a cause, or "all" */
    int64_t from_ms, to_ms;                    /* 0 = not given */
};

/* As it is kept between a look and its application; the texts of a read one belong to the JSON. */
cJSON *replay_choice_json(const struct replay_choice *c);
void replay_choice_read(const cJSON *json, struct replay_choice *c);

/* One event, or one case. Texts are never NULL and live until the visit ends. */
struct replay_event {
    const char *id; /* of the journal, or of the case */
    bool parked;
    const char *source, *path, *event; /* as stored; of a case "" unless its bytes were received */
    const char *cause, *step;          /* of a case */
    const char *bytes;                 /* as received */
    size_t len;
    int64_t at_ms;       /* when it came, or was parked last */
    struct args effects; /* what a replay does: marks, the end of a case */
    struct args marks;   /* what becomes due, as replay_mark goes through it */
    size_t due;
    char problem[240]; /* why nothing, or not all of it; "" = it is understood */
};

typedef enum next replay_visit(void *arg, const struct replay_event *e, struct reason *why);

struct replay_walk {
    struct app *app;
    const struct replay_choice *choice;
    const char *after; /* position; "" = from the beginning */
    replay_visit *visit;
    enum next (*page)(void *arg, struct reason *why); /* after each page; may be NULL */
    void *arg;
    void (*progress)(void *arg, const char *what, int64_t done, int64_t total);
    void *progress_arg;
    int64_t begins_ms; /* out: first entry of the journal, 0 = it is empty */
    int64_t seen;      /* out: entries of the journal that were looked at */
};

/* NEXT_PARK: what was asked for is not there any more, or never was; why says so. */
enum next replay_go(struct replay_walk *w, struct reason *why) NODISCARD;

/* ---- which events a SKU or an order is named by (replay_filter.c) ---- */

struct replay_filter {
    const char *sku, *order;
    char item[64], product[32], variant[32]; /* of the SKU in BigCommerce; "" = not known */
    struct args till_orders, web_orders;     /* orders with the SKU, each once, sorted */
};

enum next replay_filter_read(struct replay_walk *w, struct replay_filter *f, struct reason *why) NODISCARD;
void replay_filter_free(struct replay_filter *f);
/* Pure. */
bool replay_filter_takes(const struct replay_filter *f, const struct args *marks);
bool replay_filter_takes_case(const struct replay_filter *f, const char *entity, const char *queue, const char *job);

#endif
