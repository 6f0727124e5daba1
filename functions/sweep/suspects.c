/* SPDX-License-Identifier: Apache-2.0 */
#include "suspects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "works.h"
#include "ban.h"

#define SPARE_MS        INT64_C(2000)
#define TRIES_MAX       30 /* a SKU that never comes to rest is left to the next round */
#define FIELDS_PER_TURN ((size_t)300)
#define PAGE_FIELDS     INT64_C(300)
#define AGAIN_MIN_MS    INT64_C(500)

/* ---- pure ---- */

bool suspect_parse(const char *text, struct suspect *out) {
    int64_t *const numbers[] = {&out->first_ms, &out->tries, &out->expected, &out->shown};
    for (size_t i = 0; i < 4; i++) {
        char one[24];
        size_t len = text != NULL ? strcspn(text, " ") : 0;
        if (len == 0 || len >= sizeof one || text[len] != ' ') {
            return false;
        }
        memcpy(one, text, len);
        one[len] = '\0';
        if (!int_parse(one, INT64_MIN, INT64_MAX, numbers[i])) {
            return false;
        }
        text += len + 1;
    }
    out->stored = text;
    return true;
}

enum verdict_of_suspect suspect_judge(const struct suspect *first, bool busy, int64_t expected, int64_t shown,
                                      const char *stored) {
    if (busy) {
        return first->tries < TRIES_MAX ? SUSPECT_WAITS : SUSPECT_FINE;
    }
    if (expected == shown) {
        return SUSPECT_FINE;
    }
    bool same = expected == first->expected && shown == first->shown && strcmp(stored, first->stored) == 0;
    return same ? SUSPECT_DRIFT : first->tries < TRIES_MAX ? SUSPECT_WAITS : SUSPECT_FINE;
}

/* ---- the first look ---- */

int64_t suspects_settle_ms(const struct app *app) {
    return app->set->mapping->confirm_timeout_ms + SPARE_MS;
}

static void add_value(struct args *to, int64_t now_ms, int64_t tries, int64_t expected, int64_t shown,
                      const char *stored) {
    args_addf(to, "%lld %lld %lld %lld %s", (long long)now_ms, (long long)tries, (long long)expected, (long long)shown,
              stored);
}

void suspects_add(struct suspects *s, int64_t location_id, const char *sku, int64_t now_ms, int64_t expected,
                  int64_t shown, const char *stored) {
    args_addf(&s->fields, "%lld|%s", (long long)location_id, sku);
    add_value(&s->fields, now_ms, 0, expected, shown, stored);
}

enum next suspects_store(struct suspects *s, struct reason *why) {
    size_t n = s->fields.n / 2;
    struct args *cmds = xcalloc(n + 1, sizeof *cmds), timer = {0};
    redisReply **replies = xcalloc(n + 1, sizeof *replies);
    for (size_t i = 0; i < n; i++) {
        args_add(&cmds[i], "HSETNX");
        args_add_key(&cmds[i], s->app->redis, KEY_SWEEP_SUSPECTS);
        args_add(&cmds[i], s->fields.argv[2 * i]);
        args_add(&cmds[i], s->fields.argv[2 * i + 1]);
    }
    enum next next = n > 0 ? redis_pipeline(s->app->redis, cmds, n, true, replies, why) : NEXT_DONE;
    if (next == NEXT_DONE && n > 0) {
        effect_mark_in(&timer, QUEUE_SWEEP, SWEEP_SUSPECTS, suspects_settle_ms(s->app), "");
        next = effects_apply(s->app->redis, &timer, why);
    }
    redis_pipeline_free(cmds, replies, n);
    args_free(&timer);
    args_free(&s->fields);
    free(replies);
    free(cmds);
    return next;
}

/* ---- the second ---- */

/* One field of the hash in a turn. */
struct seen {
    const char *field;
    struct suspect first;
    struct compare_sku *sku;
    size_t location; /* index */
};

struct second {
    struct turn *t;
    struct compare c;
    struct seen *list;
    size_t n;
    struct args effects, gone, kept; /* kept: pairs */
    int64_t drifted;
};

static void plan_drift(struct second *s, const struct seen *e, int64_t expected) {
    char op[KEY_MAX + 160], counter[64];
    const struct mapping_location *at = &s->t->app->set->mapping->locations[e->location];
    const char *class = drift_name(compare_why(&s->c, e->sku, e->location)), *stored = e->sku->stored[e->location];
    cJSON *json = json_new_object();
    /* By what is stored: the same difference after a repair is another one. */
    (void)snprintf(op, sizeof op, "drift:%lld|%s:%lld:%lld:%.60s", (long long)at->location_id, e->sku->sku,
                   (long long)expected, (long long)e->sku->shown[e->location], stored);
    (void)snprintf(counter, sizeof counter, "drift:%s", class);
    json_add_str(json, "type", "drift");
    json_add_str(json, "class", class);
    json_add_str(json, "sku", e->sku->sku);
    json_add_int(json, "location", at->location_id);
    json_add_int(json, "level", expected);
    json_add_int(json, "shown", e->sku->shown[e->location]);
    json_add_str(json, "stored", stored);
    char *text = json_print(json);
    effect_found(&s->effects, op, counter, text);
    effect_mark(&s->effects, QUEUE_SKU, e->sku->sku, 0, "f", "");
    s->drifted++;
    LOG(LOG_WARN, "a level is not as it should be", {"outcome", "due"}, {"class", class}, {"sku", e->sku->sku},
        {"location", log_int(at->location_id)}, {"level", log_int(expected)},
        {"shown", log_int(e->sku->shown[e->location])}, {"stored", stored});
    free(text);
    cJSON_Delete(json);
}

static void judge(struct second *s, const struct seen *e) {
    const struct compare_sku *sku = e->sku;
    int64_t expected = compare_expected(&s->c, sku, e->location), shown = sku->shown[e->location];
    if (!sku->usable || !sku->proven) { /* a mapping case says so; or nothing is known of it */
        args_add(&s->gone, e->field);
        return;
    }
    switch (suspect_judge(&e->first, sku->busy, expected, shown, sku->stored[e->location])) {
    case SUSPECT_WAITS:
        args_add(&s->kept, e->field);
        add_value(&s->kept, s->c.now_ms, e->first.tries + 1, expected, shown,
                  sku->busy ? SUSPECT_BUSY : sku->stored[e->location]);
        return;
    case SUSPECT_DRIFT:
        plan_drift(s, e, expected);
        break;
    case SUSPECT_FINE:
        break;
    }
    args_add(&s->gone, e->field);
}

/* The field's SKU and location; false if they are not ours any more. */
static bool find(struct second *s, const char *field, struct seen *e) {
    const struct mapping *m = s->t->app->set->mapping;
    const char *bar = strchr(field, '|');
    char location[24];
    int64_t id = 0;
    if (bar == NULL || (size_t)(bar - field) >= sizeof location) {
        return false;
    }
    memcpy(location, field, (size_t)(bar - field));
    location[bar - field] = '\0';
    if (!int_parse(location, 1, INT64_MAX, &id)) {
        return false;
    }
    for (size_t l = 0; l < m->location_count; l++) {
        if (m->locations[l].location_id == id) {
            e->location = l;
            e->sku = compare_add(&s->c, bar + 1);
            return e->sku != NULL;
        }
    }
    return false;
}

/* One page of the hash. Sets *soonest_ms: until the first of those that are left may be looked at. */
static void choose(struct second *s, const redisReply *page, int64_t now_ms, int64_t *soonest_ms) {
    int64_t settle = suspects_settle_ms(s->t->app);
    for (size_t i = 0; i + 1 < page->elements; i += 2) {
        struct seen e = {.field = reply_str_at(page, i)};
        if (!suspect_parse(reply_str_at(page, i + 1), &e.first)) {
            args_add(&s->gone, e.field);
            continue;
        }
        int64_t wait = e.first.first_ms + settle - now_ms;
        if (wait > 0 || s->n == FIELDS_PER_TURN) {
            wait = wait > 0 ? wait : 0;
            *soonest_ms = *soonest_ms < 0 || wait < *soonest_ms ? wait : *soonest_ms;
        } else if (find(s, e.field, &e)) {
            s->list[s->n++] = e;
        } else {
            args_add(&s->gone, e.field);
        }
    }
}

/* Pages whose texts the turn uses. */
struct pages {
    redisReply **list;
    size_t n;
};

static void pages_free(struct pages *p) {
    for (size_t i = 0; i < p->n; i++) {
        freeReplyObject(p->list[i]);
    }
    free(p->list);
}

/* Reads the hash page by page, until there is enough for one turn. */
static enum next read_pages(struct second *s, struct pages *pages, int64_t *soonest_ms, struct reason *why) {
    char cursor[REDIS_CURSOR_SIZE] = "";
    int64_t now_ms = 0;
    *soonest_ms = -1;
    enum next next = redis_time(s->t->app->redis, &now_ms, why);
    while (next == NEXT_DONE && !redis_hash_ended(cursor)) {
        redisReply *reply = NULL;
        size_t before = s->n;
        if (s->n + s->gone.n >= FIELDS_PER_TURN) {
            *soonest_ms = 0; /* the rest may be due as well */
            break;
        }
        next = redis_hash_page(s->t->app->redis, KEY_SWEEP_SUSPECTS, PAGE_FIELDS, cursor, &reply, why);
        if (next != NEXT_DONE) {
            break;
        }
        choose(s, reply->element[1], now_ms, soonest_ms);
        if (s->n > before) {
            pages->list = xrealloc(pages->list, pages->n + 1, sizeof(redisReply *));
            pages->list[pages->n++] = reply;
        } else {
            freeReplyObject(reply);
        }
    }
    return next;
}

static enum next send(struct app *app, const char *command, const struct args *words, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (words->n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, command);
    args_add_key(&a, app->redis, KEY_SWEEP_SUSPECTS);
    args_append(&a, words);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

enum next suspects_turn(struct turn *t, struct reason *why) {
    struct second s = {.t = t, .list = xcalloc(FIELDS_PER_TURN + 1, sizeof *s.list)};
    struct pages pages = {0};
    int64_t soonest = -1;
    compare_init(&s.c, t->app, COMPARE_MAX);
    enum next next = read_pages(&s, &pages, &soonest, why);
    next = next == NEXT_DONE ? compare_all(&s.c, true, why) : next;
    for (size_t i = 0; next == NEXT_DONE && i < s.n; i++) {
        judge(&s, &s.list[i]);
    }
    next = next == NEXT_DONE && s.effects.n > 0 ? effects_apply(t->app->redis, &s.effects, why) : next;
    next = next == NEXT_DONE ? send(t->app, "HDEL", &s.gone, why) : next;
    next = next == NEXT_DONE ? send(t->app, "HSET", &s.kept, why) : next;
    if (next == NEXT_DONE) {
        int64_t settle = suspects_settle_ms(t->app);
        t->over = s.kept.n == 0 && soonest < 0;
        t->delay_ms = soonest >= 0 && soonest < settle ? soonest : settle;
        t->delay_ms = t->delay_ms > AGAIN_MIN_MS ? t->delay_ms : AGAIN_MIN_MS;
    }
    args_free(&s.effects);
    args_free(&s.gone);
    args_free(&s.kept);
    compare_free(&s.c);
    free(s.list);
    pages_free(&pages);
    return next;
}
