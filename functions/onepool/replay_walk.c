/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "queue.h"
#include "replay_choice.h"
#include "stream.h"
#include "ban.h"

#define PAGE       200
#define CASE_CHUNK 100
#define CASE_NAME  (KEY_MAX + 128)

/* ---- reading ---- */

static enum next stopped(struct reason *why) {
    why->not_its_fault = true;
    return reason_set(why, NEXT_DEFER, "stopping", "it was told to stop");
}

/* Where the journal begins. */
static enum next begins(struct replay_walk *w, struct reason *why) {
    redisReply *reply = NULL;
    int64_t number = 0;
    enum next next = stream_page(w->app, KEY_JOURNAL, "-", "+", 1, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    w->begins_ms = 0;
    if (reply->elements > 0 && reply_str_at(reply->element[0], 0) != NULL) {
        (void)stream_id(reply_str_at(reply->element[0], 0), &w->begins_ms, &number);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

static enum next too_old(const struct replay_walk *w, const char *what, struct reason *why) {
    char date[CLOCK_TEXT_SIZE] = "(it is empty)";
    if (w->begins_ms > 0) {
        clock_format(w->begins_ms, date);
    }
    return reason_set(why, NEXT_PARK, "too_old",
                      "%.200s is not in the journal, which is kept for 14 days and begins at %s. What an older event "
                      "was about is brought right without it: choose by --sku or --order what is still known, or mend "
                      "the order itself",
                      what, date);
}

/* ---- visiting ---- */

static void event_free(struct replay_event *e) {
    args_free(&e->effects);
    args_free(&e->marks);
}

static void read_bytes(const struct replay_walk *w, struct replay_event *e) {
    struct replay r;
    replay_read(w->app, e->source, e->path, e->bytes, e->len, &r);
    args_append(&e->marks, &r.marks);
    args_append(&e->effects, &r.marks);
    args_append(&e->effects, &r.closes);
    e->due = r.due;
    (void)str_copy(e->problem, sizeof e->problem, r.problem);
    replay_free(&r);
}

static bool source_fits(const struct replay_walk *w, const char *source) {
    return w->choice->source == NULL || strcmp(w->choice->source, source) == 0;
}

static enum next visit_entry(struct replay_walk *w, const struct replay_filter *f, const redisReply *entry,
                             struct reason *why) {
    const redisReply *bytes = stream_field(entry, "bytes");
    int64_t number = 0;
    struct replay_event e = {.id = reply_str_at(entry, 0),
                             .source = stream_text(entry, "source"),
                             .path = stream_text(entry, "path"),
                             .event = stream_text(entry, "id"),
                             .cause = "",
                             .step = ""};
    if (bytes == NULL || bytes->str == NULL || e.id == NULL || !source_fits(w, e.source)) {
        return NEXT_DONE;
    }
    e.bytes = bytes->str;
    e.len = bytes->len;
    (void)stream_id(e.id, &e.at_ms, &number);
    read_bytes(w, &e);
    enum next next =
        w->choice->id_count > 0 || replay_filter_takes(f, &e.marks) ? w->visit(w->arg, &e, why) : NEXT_DONE;
    event_free(&e);
    return next;
}

static enum next end_page(struct replay_walk *w, struct reason *why) {
    if (stop_requested() || !app_keep(w->app)) {
        return stopped(why);
    }
    return w->page != NULL ? w->page(w->arg, why) : NEXT_DONE;
}

/* ---- the journal ---- */

static bool is_asked(const struct replay_choice *c, const char *text, bool *found) {
    for (size_t i = 0; i < c->id_count; i++) {
        if (strcmp(c->ids[i], text) == 0) {
            found[i] = true;
            return true;
        }
    }
    return false;
}

/* Is an entry of the journal one that was asked for by id? Nothing leads from an event's id to the journal, so all of
 * it is looked at then. found: NULL = the choice names no ids. */
static bool entry_asked(const struct replay_walk *w, const redisReply *entry, bool *found) {
    const char *id = reply_str_at(entry, 0), *event = stream_text(entry, "id");
    return found == NULL || is_asked(w->choice, id != NULL ? id : "", found) ||
           (event[0] != '\0' && is_asked(w->choice, event, found));
}

static enum next walk_page(struct replay_walk *w, const struct replay_filter *f, bool *found, const redisReply *page,
                           char from[64], struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < page->elements; i++) {
        if (entry_asked(w, page->element[i], found)) {
            next = visit_entry(w, f, page->element[i], why);
        }
        (void)snprintf(from, 64, "(%.60s", reply_str_at(page->element[i], 0));
    }
    w->seen += (int64_t)page->elements;
    w->progress(w->progress_arg, "events of the journal looked at", w->seen, 0);
    return next == NEXT_DONE ? end_page(w, why) : next;
}

static enum next walk_journal(struct replay_walk *w, const struct replay_filter *f, bool *found, struct reason *why) {
    const struct replay_choice *c = w->choice;
    char from[64], to[64];
    bool more = true;
    enum next next = NEXT_DONE;
    (void)snprintf(to, sizeof to, "%lld", (long long)c->to_ms);
    if (strncmp(w->after, "j ", 2) == 0) {
        (void)snprintf(from, sizeof from, "(%.60s", w->after + 2);
    } else {
        (void)snprintf(from, sizeof from, "%lld", (long long)c->from_ms);
    }
    while (next == NEXT_DONE && more) {
        redisReply *page = NULL;
        next = stream_page(w->app, KEY_JOURNAL, from, to, PAGE, &page, why);
        if (next == NEXT_DONE) {
            more = page->elements == PAGE;
            next = walk_page(w, f, found, page, from, why);
            freeReplyObject(page);
        }
    }
    return next;
}

static enum next all_found(const struct replay_walk *w, const bool *found, struct reason *why) {
    for (size_t i = 0; i < w->choice->id_count && w->after[0] == '\0'; i++) {
        if (!found[i]) {
            char what[200];
            (void)snprintf(what, sizeof what, "the event %.120s is no parked case, and", w->choice->ids[i]);
            return too_old(w, what, why);
        }
    }
    return NEXT_DONE;
}

/* ---- cases ---- */

static bool cases_wanted(const struct replay_choice *c) {
    return c->id_count > 0 || c->parked != NULL || c->sku != NULL || c->order != NULL;
}

static bool case_asked(const struct replay_choice *c, const char *id, bool *found) {
    size_t len = c->parked != NULL ? strlen(c->parked) : 0;
    if (c->id_count > 0) {
        return is_asked(c, id, found);
    }
    return c->parked == NULL || strcmp(c->parked, "all") == 0 || (strncmp(id, c->parked, len) == 0 && id[len] == ':');
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Fields of a case in the order in which they are asked for. */
static const char *const case_fields[] = {"cause", "entity", "queue", "job", "step", "last", "bytes"};
enum { CASE_CAUSE, CASE_ENTITY, CASE_QUEUE, CASE_JOB, CASE_STEP, CASE_LAST, CASE_BYTES, CASE_FIELDS };

/* What becomes of a case: its bytes are read again, or what it is about is tried again. */
static void plan_case(const struct replay_walk *w, const char *const *f, struct replay_event *e) {
    if (replay_raw_cause(f[CASE_CAUSE], &e->source) && e->bytes != NULL) {
        read_bytes(w, e);
        if (e->problem[0] == '\0') {
            effect_close(&e->effects, f[CASE_CAUSE], f[CASE_ENTITY]);
        }
    } else if (f[CASE_QUEUE][0] != '\0') {
        args_add(&e->effects, "retry");
        args_add(&e->effects, e->id);
        effect_mark(&e->marks, f[CASE_QUEUE], f[CASE_JOB], 0, "", "");
        e->due = 1;
    } else {
        (void)str_copy(e->problem, sizeof e->problem, "there is nothing to be tried again");
    }
}

static enum next visit_case(struct replay_walk *w, const struct replay_filter *filter, const char *id,
                            const redisReply *r, struct reason *why) {
    const char *f[CASE_FIELDS];
    for (size_t i = 0; i < CASE_FIELDS; i++) {
        f[i] = reply_str_at(r, i) != NULL ? reply_str_at(r, i) : "";
    }
    struct replay_event e = {
        .id = id, .parked = true, .source = "", .path = "", .event = "", .cause = f[CASE_CAUSE], .step = f[CASE_STEP]};
    if (f[CASE_CAUSE][0] == '\0') {
        return NEXT_DONE; /* closed meanwhile */
    }
    (void)int_parse(f[CASE_LAST], 0, INT64_MAX, &e.at_ms);
    if (f[CASE_BYTES][0] != '\0') {
        e.bytes = f[CASE_BYTES];
        e.len = r->element[CASE_BYTES]->len;
    }
    plan_case(w, f, &e);
    const struct replay_choice *c = w->choice;
    bool in_time = c->id_count > 0 || (e.at_ms >= c->from_ms && e.at_ms <= c->to_ms);
    bool raw = e.source[0] != '\0';
    enum next next = in_time && source_fits(w, e.source) &&
                             (replay_filter_takes_case(filter, f[CASE_ENTITY], f[CASE_QUEUE], f[CASE_JOB]) ||
                              (raw && replay_filter_takes(filter, &e.marks)))
                         ? w->visit(w->arg, &e, why)
                         : NEXT_DONE;
    event_free(&e);
    return next;
}

static enum next walk_chunk(struct replay_walk *w, const struct replay_filter *f, char *const *ids, size_t n,
                            struct reason *why) {
    struct args cmds[CASE_CHUNK] = {{0}};
    redisReply *replies[CASE_CHUNK] = {NULL};
    char name[CASE_NAME];
    for (size_t i = 0; i < n; i++) {
        args_add(&cmds[i], "HMGET");
        (void)snprintf(name, sizeof name, KEY_CASE, ids[i]);
        args_add_key(&cmds[i], w->app->redis, name);
        for (size_t k = 0; k < CASE_FIELDS; k++) {
            args_add(&cmds[i], case_fields[k]);
        }
    }
    enum next next = redis_pipeline(w->app->redis, cmds, n, true, replies, why);
    for (size_t i = 0; i < n; i++) {
        next = next == NEXT_DONE ? visit_case(w, f, ids[i], replies[i], why) : next;
    }
    redis_pipeline_free(cmds, replies, n);
    return next == NEXT_DONE ? end_page(w, why) : next;
}

static enum next walk_cases(struct replay_walk *w, const struct replay_filter *f, bool *found, struct reason *why) {
    struct args a = {0};
    redisReply *all = NULL;
    const char *after = strncmp(w->after, "c ", 2) == 0 ? w->after + 2 : "";
    args_add(&a, "ZRANGE");
    args_add_key(&a, w->app->redis, KEY_PARKED);
    args_add(&a, "0");
    args_add_int(&a, REPLAY_CASES_MAX);
    enum next next = redis_command(w->app->redis, &a, true, &all, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    char **ids = xcalloc(all->elements + 1, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < all->elements; i++) {
        char *id = all->element[i]->str;
        if (id != NULL && strlen(id) < KEY_MAX && case_asked(w->choice, id, found) && strcmp(id, after) > 0) {
            ids[n++] = id;
        }
    }
    if (n > 1) {
        qsort(ids, n, sizeof *ids, compare);
    }
    for (size_t at = 0; next == NEXT_DONE && at < n; at += CASE_CHUNK) {
        next = walk_chunk(w, f, ids + at, n - at < CASE_CHUNK ? n - at : CASE_CHUNK, why);
    }
    if (next == NEXT_DONE && all->elements > REPLAY_CASES_MAX && w->choice->id_count == 0) {
        next = reason_set(why, NEXT_PARK, "too_many",
                          "more than %d cases are parked: close or retry some of them first (onepool parked)",
                          REPLAY_CASES_MAX);
    }
    free(ids);
    freeReplyObject(all);
    return next;
}

/* ---- all ---- */

enum next replay_go(struct replay_walk *w, struct reason *why) {
    const struct replay_choice *c = w->choice;
    struct replay_filter f = {0};
    bool found[REPLAY_IDS_MAX] = {false}, by_id = c->id_count > 0, cases_only = by_id || c->parked != NULL;
    enum next next = begins(w, why);
    if (next == NEXT_DONE && c->parked == NULL && c->from_ms > 0 && c->to_ms < w->begins_ms) {
        next = too_old(w, "a span that ends before the journal begins", why);
    }
    next = next == NEXT_DONE ? replay_filter_read(w, &f, why) : next;
    if (next == NEXT_DONE && cases_wanted(c) && strncmp(w->after, "j ", 2) != 0) {
        next = walk_cases(w, &f, found, why);
    }
    for (size_t i = 0; i < c->id_count; i++) {
        cases_only = cases_only && found[i];
    }
    if (next == NEXT_DONE && !cases_only) {
        next = walk_journal(w, &f, by_id ? found : NULL, why);
        next = next == NEXT_DONE ? all_found(w, found, why) : next;
    }
    replay_filter_free(&f);
    return next;
}
