/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "gate.h"
#include "json.h"
#include "keys.h"
#include "mode.h"
#include "quantity.h"
#include "shadow.h"
#include "stream.h"
#include "ban.h"

#define PAGE         200
#define DAY_MS       (INT64_C(86400) * 1000)
#define BEFORE_MS    (14 * DAY_MS) /* what was so at --since: as far back it is looked for */
#define DISAGREE_MAX 10000

/* What reading keeps besides the report. */
struct reader {
    struct app *app;
    const struct shadow_options *options;
    struct shadow_report *report;
    struct reading *progress;
    int64_t from_ms;    /* of the streams */
    struct args writes; /* "kind|path|digest" of each write that is no level */
    struct looked {
        char *place;
        int64_t last_ms;
    } * last; /* of shadow:shown */
    size_t last_n, last_cap;
};

static enum next check_size(const struct reader *r, struct reason *why) {
    if (r->report->events.n <= SHADOW_EVENTS_MAX) {
        return NEXT_DONE;
    }
    return reason_set(why, NEXT_PARK, "too_many",
                      "more than %zu changes and looks are recorded: choose a shorter time with --since",
                      SHADOW_EVENTS_MAX);
}

/* ---- what would have been written ---- */

static struct shadow_kind *kind_of(struct shadow_report *r, const char *name) {
    for (size_t i = 0; i < r->kinds_n; i++) {
        if (strcmp(r->kinds[i].name, name) == 0) {
            return &r->kinds[i];
        }
    }
    if (r->kinds_n == SHADOW_KINDS_MAX) {
        return NULL;
    }
    struct shadow_kind *k = &r->kinds[r->kinds_n++];
    *k = (struct shadow_kind){.count = 0};
    (void)str_copy(k->name, sizeof k->name, name);
    return k;
}

/* The same write, however often its cause was looked at: its name if it has one, else what it says but for the time. */
static void note_write(struct reader *r, const char *kind, const char *path, cJSON *intent) {
    const char *step = json_str(intent, "step"), *name = json_str(intent, "name");
    char digest[17];
    if (name != NULL) {
        args_addf(&r->writes, "%s|%s|%s", kind, step != NULL ? step : "", name);
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(intent, "at_ms");
    char *text = json_print(intent);
    gate_digest(text, digest);
    args_addf(&r->writes, "%s|%s|%s", kind, path, digest);
    free(text);
}

static void take_write(struct reader *r, const redisReply *entry) {
    const char *kind = stream_text(entry, "kind"), *text = stream_text(entry, "intent");
    char error[80];
    int64_t at = 0, number = 0, level = 0;
    const cJSON *one = NULL;
    cJSON *intent = json_read(text, strlen(text), error, sizeof error);
    if (stream_id(reply_str_at(entry, 0), &at, &number) && intent != NULL && strcmp(kind, "levels") == 0) {
        cJSON_ArrayForEach(one, json_get(intent, "levels")) {
            if (one->string != NULL && json_item_int(one, &level)) {
                shadow_events_add(&r->report->events, one->string, true, at, level, 0);
            }
        }
    } else if (intent != NULL && at >= r->options->since_ms) {
        struct shadow_kind *k = kind_of(r->report, kind);
        if (k != NULL) {
            k->first_ms = k->first_ms == 0 ? at : k->first_ms;
            k->last_ms = at;
            note_write(r, kind, stream_text(entry, "path"), intent);
        }
    }
    cJSON_Delete(intent);
}

/* ---- what BigCommerce showed ---- */

static void take_seen(struct reader *r, const redisReply *entry) {
    int64_t at = 0, number = 0, level = 0, until = 0;
    if (stream_id(reply_str_at(entry, 0), &at, &number) &&
        int_parse(stream_text(entry, "level"), INT64_MIN / 2, INT64_MAX / 2, &level)) {
        (void)int_parse(stream_text(entry, "until"), 0, INT64_MAX, &until);
        shadow_events_add(&r->report->events, stream_text(entry, "place"), false, at, level, until);
    }
}

static enum next read_stream(struct reader *r, const char *key, void take(struct reader *, const redisReply *),
                             const char *what, struct reason *why) {
    char from[64];
    bool more = true;
    int64_t seen = 0;
    enum next next = NEXT_DONE;
    (void)snprintf(from, sizeof from, "%lld", (long long)r->from_ms);
    while (next == NEXT_DONE && more) {
        redisReply *reply = NULL;
        next = stream_page(r->app, key, from, "+", PAGE, &reply, why);
        for (size_t i = 0; next == NEXT_DONE && i < reply->elements; i++) {
            take(r, reply->element[i]);
            (void)snprintf(from, sizeof from, "(%.60s", reply_str_at(reply->element[i], 0));
        }
        if (next == NEXT_DONE) {
            more = reply->elements == PAGE;
            seen += (int64_t)reply->elements;
            reading_show(r->progress, what, seen, 0);
            freeReplyObject(reply);
            next = check_size(r, why);
        }
    }
    return next;
}

/* "level first_ms last_ms" */
static bool shown_read(const char *text, struct shadow_place *p) {
    char copy[96], *first = NULL, *last = NULL;
    if (!str_copy(copy, sizeof copy, text) || (first = strchr(copy, ' ')) == NULL ||
        (last = strchr(first + 1, ' ')) == NULL) {
        return false;
    }
    *first++ = '\0';
    *last++ = '\0';
    return int_parse(copy, INT64_MIN / 2, INT64_MAX / 2, &p->shown) && int_parse(first, 0, INT64_MAX, &p->shown_ms) &&
           int_parse(last, 0, INT64_MAX, &p->last_ms);
}

static enum next take_shown(void *arg, const char *field, const char *value, struct reason *why) {
    struct reader *r = arg;
    struct shadow_place p = {0};
    if (!shown_read(value, &p)) {
        return NEXT_DONE;
    }
    if (r->last_n == r->last_cap) {
        r->last_cap = r->last_cap == 0 ? 1024 : 2 * r->last_cap;
        r->last = xrealloc(r->last, r->last_cap, sizeof *r->last);
    }
    r->last[r->last_n++] = (struct looked){.place = xstrdup(field), .last_ms = p.last_ms};
    if (p.shown_ms < r->from_ms) { /* the stream's entry of it is older than what was read */
        shadow_events_add(&r->report->events, field, false, p.shown_ms, p.shown, 0);
    }
    return check_size(r, why);
}

/* ---- what was sold online ---- */

static void add_sale(struct shadow_report *r, const char *order, int64_t created, const cJSON *row) {
    const cJSON *field = cJSON_GetArrayItem(row, 0), *units = cJSON_GetArrayItem(row, 1);
    char target[24];
    const char *bar = cJSON_IsString(field) ? strchr(field->valuestring, '|') : NULL;
    struct shadow_sale s = {.created_ms = created};
    if (bar == NULL || (size_t)(bar - field->valuestring) >= sizeof target || !cJSON_IsString(units) ||
        !int_parse(units->valuestring, 0, QUANTITY_MAX, &s.thousandths)) {
        return;
    }
    memcpy(target, field->valuestring, (size_t)(bar - field->valuestring));
    target[bar - field->valuestring] = '\0';
    if (!int_parse(target, 0, INT64_MAX, &s.target)) {
        return;
    }
    if (r->sales_n == r->sales_cap) {
        r->sales_cap = r->sales_cap == 0 ? 256 : 2 * r->sales_cap;
        r->sales = xrealloc(r->sales, r->sales_cap, sizeof *r->sales);
    }
    s.order = xstrdup(order);
    s.sku = xstrdup(bar + 1);
    r->sales[r->sales_n++] = s;
}

static enum next take_order(void *arg, const char *order, const char *value, struct reason *why) {
    struct reader *r = arg;
    char error[80];
    int64_t created = 0;
    const cJSON *row = NULL;
    (void)why;
    cJSON *json = json_read(value, strlen(value), error, sizeof error);
    if (json_id(json, "created", &created) && created >= r->options->since_ms) {
        cJSON_ArrayForEach(row, json_array(json, "rows")) {
            add_sale(r->report, order, created, row);
        }
    }
    cJSON_Delete(json);
    return NEXT_DONE;
}

static int compare_sales(const void *a, const void *b) {
    const struct shadow_sale *x = a, *y = b;
    return x->created_ms != y->created_ms ? (x->created_ms < y->created_ms ? -1 : 1) : strcmp(x->order, y->order);
}

/* HSCAN may bring an order twice. */
static void sort_sales(struct shadow_report *r) {
    size_t kept = 0;
    if (r->sales_n > 1) {
        qsort(r->sales, r->sales_n, sizeof *r->sales, compare_sales);
    }
    for (size_t i = 0; i < r->sales_n; i++) {
        bool again = false;
        for (size_t k = kept; k > 0 && !again && strcmp(r->sales[k - 1].order, r->sales[i].order) == 0; k--) {
            again = strcmp(r->sales[k - 1].sku, r->sales[i].sku) == 0 && r->sales[k - 1].target == r->sales[i].target;
        }
        if (again) {
            free(r->sales[i].order);
            free(r->sales[i].sku);
        } else {
            r->sales[kept++] = r->sales[i];
        }
    }
    r->sales_n = kept;
}

/* ---- disagreements ---- */

static const struct mapping_location *location_of(const struct mapping *m, const char *place, const char **sku) {
    const char *bar = strchr(place, '|');
    char number[24];
    for (size_t i = 0; bar != NULL && i < m->location_count; i++) {
        int n = snprintf(number, sizeof number, "%lld", (long long)m->locations[i].location_id);
        if (n == (int)(bar - place) && strncmp(number, place, (size_t)n) == 0) {
            *sku = bar + 1;
            return &m->locations[i];
        }
    }
    return NULL;
}

static int64_t number_at(const redisReply *r, size_t i) {
    int64_t n = 0;
    const char *text = reply_str_at(r, i);
    return text != NULL && int_parse(text, -QUANTITY_MAX, QUANTITY_MAX, &n) ? n : 0;
}

/* Why both may differ: what is withheld and what open web orders take, as levels count them. */
static enum next read_parts(struct app *app, struct shadow_place *p, struct reason *why) {
    static const char *const keys[] = {KEY_PENDING_QTY, KEY_WITHHELD_LEDGER, KEY_WITHHELD_RETURN};
    struct args cmds[3] = {{0}, {0}, {0}};
    redisReply *replies[3] = {NULL, NULL, NULL};
    const char *sku = "";
    const struct mapping_location *l = location_of(app->set->mapping, p->place, &sku);
    if (l == NULL) {
        return NEXT_DONE; /* it is not mapped any more */
    }
    for (size_t k = 0; k < 3; k++) {
        args_add(&cmds[k], "HMGET");
        args_add_key(&cmds[k], app->redis, keys[k]);
        for (size_t i = 0; i < l->warehouse_count; i++) {
            args_addf(&cmds[k], "%lld|%s", (long long)l->warehouse_ids[i], sku);
        }
        args_addf(&cmds[k], "0|%s", sku);
    }
    enum next next = redis_pipeline(app->redis, cmds, 3, true, replies, why);
    for (size_t i = 0; next == NEXT_DONE && i <= l->warehouse_count; i++) {
        int64_t ledger = number_at(replies[1], i), order = number_at(replies[2], i);
        p->withheld += ledger > order ? ledger : order;
        p->pending += i < l->warehouse_count || l->serves_shipping ? number_at(replies[0], i) : 0;
    }
    redis_pipeline_free(cmds, replies, 3);
    return next;
}

static int64_t apart(const struct shadow_place *p) {
    return p->shown > p->ours ? p->shown - p->ours : p->ours - p->shown;
}

static int compare_apart(const void *a, const void *b) {
    const struct shadow_place *x = *(struct shadow_place *const *)a, *y = *(struct shadow_place *const *)b;
    return apart(x) != apart(y) ? (apart(x) > apart(y) ? -1 : 1) : strcmp(x->place, y->place);
}

static int compare_names(const void *key, const void *place) {
    return strcmp(key, ((const struct shadow_place *)place)->place);
}

static enum next find_disagreements(struct reader *r, struct reason *why) {
    struct shadow_report *report = r->report;
    struct shadow_sum *s = &report->sum;
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < r->last_n && s->places_n > 0; i++) {
        struct shadow_place *p = bsearch(r->last[i].place, s->places, s->places_n, sizeof *s->places, compare_names);
        if (p != NULL) {
            p->last_ms = r->last[i].last_ms;
        }
    }
    report->disagree = xcalloc(s->places_n + 1, sizeof *report->disagree);
    for (size_t i = 0; i < s->places_n; i++) {
        if (shadow_disagrees(&s->places[i], r->options->settled_ms)) {
            report->disagree[report->disagree_n++] = &s->places[i];
        }
    }
    if (report->disagree_n > 1) {
        qsort(report->disagree, report->disagree_n, sizeof *report->disagree, compare_apart);
    }
    for (size_t i = 0; next == NEXT_DONE && i < report->disagree_n && i < DISAGREE_MAX; i++) {
        next = read_parts(r->app, report->disagree[i], why);
    }
    return next;
}

/* ---- all ---- */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void count_writes(struct reader *r) {
    if (r->writes.n > 1) {
        qsort(r->writes.argv, r->writes.n, sizeof *r->writes.argv, compare_texts);
    }
    for (size_t i = 0; i < r->writes.n; i++) {
        if (i == 0 || strcmp(r->writes.argv[i - 1], r->writes.argv[i]) != 0) {
            char name[32];
            size_t len = strcspn(r->writes.argv[i], "|");
            memcpy(name, r->writes.argv[i], len < sizeof name ? len : sizeof name - 1);
            name[len < sizeof name ? len : sizeof name - 1] = '\0';
            struct shadow_kind *k = kind_of(r->report, name);
            if (k != NULL) {
                k->count++;
            }
        }
    }
}

static void set_span(struct reader *r) {
    struct shadow_report *report = r->report;
    int64_t first = 0, last = 0;
    for (size_t i = 0; i < report->events.n; i++) {
        const struct shadow_event *e = &report->events.list[i];
        first = first == 0 || e->at_ms < first ? e->at_ms : first;
        last = e->ours && e->at_ms > last ? e->at_ms : last;
    }
    for (size_t i = 0; i < report->kinds_n; i++) {
        const struct shadow_kind *k = &report->kinds[i];
        first = first == 0 || k->first_ms < first ? k->first_ms : first;
        last = k->last_ms > last ? k->last_ms : last;
    }
    report->from_ms = first > r->options->since_ms ? first : r->options->since_ms;
    report->to_ms = report->live && last > 0 ? last : clock_wall_ms();
}

enum next shadow_report_read(struct app *app, const struct shadow_options *o, struct reading *progress,
                             struct shadow_report *report, struct reason *why) {
    struct reader r = {.app = app,
                       .options = o,
                       .report = report,
                       .progress = progress,
                       .from_ms = o->since_ms > BEFORE_MS ? o->since_ms - BEFORE_MS : 0};
    memset(report, 0, sizeof *report);
    enum next next = mode_refresh(app, why);
    report->live = app->mode == MODE_LIVE;
    next = next == NEXT_DONE ? read_stream(&r, KEY_SHADOW, take_write, "writes that were not sent", why) : next;
    next =
        next == NEXT_DONE ? read_stream(&r, KEY_SHADOW_SEEN, take_seen, "levels that BigCommerce showed", why) : next;
    next = next == NEXT_DONE ? stream_hash(app, KEY_SHADOW_SHOWN, take_shown, &r, why) : next;
    next = next == NEXT_DONE ? stream_hash(app, KEY_SHADOW_ORDERS, take_order, &r, why) : next;
    if (next == NEXT_DONE) {
        sort_sales(report);
        count_writes(&r);
        shadow_reckon(&report->events, o->since_ms, &report->sum);
        shadow_oversells(app->set->mapping, &report->events, report->sales, report->sales_n, o->since_ms, &report->sum);
        next = find_disagreements(&r, why);
        set_span(&r);
    }
    for (size_t i = 0; i < r.last_n; i++) {
        free(r.last[i].place);
    }
    free(r.last);
    args_free(&r.writes);
    return next;
}

void shadow_report_free(struct shadow_report *r) {
    for (size_t i = 0; i < r->sales_n; i++) {
        free(r->sales[i].order);
        free(r->sales[i].sku);
    }
    free(r->sales);
    free(r->disagree);
    shadow_sum_free(&r->sum);
    shadow_events_free(&r->events);
}
