/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait until they may heal, and complete lists; see baseline_list.h. */
#include "baseline_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

#define TRIES_MAX     20
#define HEAL_MAX_MS   INT64_C(600000) /* waited for one call in all */
#define WAIT_FIRST_MS INT64_C(500)
#define WAIT_MAX_MS   INT64_C(30000)
#define WHOLE_TRIES   5

/* ---- one call ---- */

static bool worth_waiting(struct baseline *b, enum next next, const struct reason *why, int tries, int64_t begun_ms) {
    static const char *const final[] = {"credentials", "stopping", "fenced"};
    for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
        if (strcmp(why->cause, final[i]) == 0) {
            return false;
        }
    }
    return next == NEXT_DEFER && !b->lost && tries < TRIES_MAX && clock_mono_ms() - begun_ms < HEAL_MAX_MS;
}

static bool pause_call(struct baseline *b, int tries, const struct reason *why) {
    int64_t wait = tries < 6 ? WAIT_FIRST_MS << tries : WAIT_MAX_MS;
    wait = wait > why->wait_ms ? wait : why->wait_ms;
    char what[120];
    (void)snprintf(what, sizeof what, "waiting: %.100s", why->text);
    /* A used-up quota is everyday; the rest should be seen. */
    progress_step(&b->progress, strcmp(why->cause, "quota") == 0 ? "waiting for the quota" : what, 0);
    return app_sleep(b->app, strcmp(why->cause, "quota") == 0 && why->wait_ms > 0 ? why->wait_ms : wait);
}

enum next baseline_sitoo(struct baseline *b, const char *path, struct answer *answer, struct reason *why) {
    int64_t begun = clock_mono_ms();
    for (int tries = 0;; tries++) {
        *why = (struct reason){0};
        (void)app_keep(b->app);
        enum next next = sitoo_get(b->app, &path, answer, 1, why);
        if (next == NEXT_DONE || !worth_waiting(b, next, why, tries, begun) || !pause_call(b, tries, why)) {
            return next;
        }
    }
}

enum next baseline_bigcommerce(struct baseline *b, const char *path, struct answer *answer, struct reason *why) {
    int64_t begun = clock_mono_ms();
    for (int tries = 0;; tries++) {
        *why = (struct reason){0};
        (void)app_keep(b->app);
        enum next next = bigcommerce_get(b->app, path, answer, why);
        if (next == NEXT_DONE || !worth_waiting(b, next, why, tries, begun) || !pause_call(b, tries, why)) {
            return next;
        }
    }
}

/* ---- lists ---- */

static void field_of(char out[BASELINE_WORD_MAX], const char *kind, const char *part) {
    (void)snprintf(out, BASELINE_WORD_MAX, "%s:%s", kind, part);
}

static enum next forget(struct baseline *b, const struct baseline_list *l, struct reason *why) {
    char at[BASELINE_WORD_MAX], all[BASELINE_WORD_MAX];
    field_of(at, "at", l->part);
    field_of(all, "all", l->part);
    const char *const names[] = {l->hash, NULL}, *const fields[] = {at, all, NULL};
    return baseline_drop(b, names, fields, why);
}

bool baseline_list_rows(bool sitoo, const struct answer *a, const cJSON **rows, int64_t *total) {
    if (sitoo) {
        *rows = json_array(a->json, "items");
        return *rows != NULL && json_int(a->json, "totalcount", total);
    }
    *rows = json_array(a->json, "data");
    return *rows != NULL && json_int(json_get(json_get(a->json, "meta"), "pagination"), "total", total);
}

static void page_path(const struct baseline_list *l, int64_t at, char *out, size_t size) {
    if (l->sitoo) {
        (void)snprintf(out, size, "%s&start=%lld&num=%lld", l->path, (long long)at, (long long)l->page);
    } else {
        (void)snprintf(out, size, "%s%slimit=%lld&page=%lld", l->path, l->path[strlen(l->path) - 1] == '?' ? "" : "&",
                       (long long)l->page, (long long)at + 1);
    }
}

enum page { PAGE_MORE, PAGE_LAST, PAGE_CHANGED };

static enum next store_page(struct baseline *b, const struct baseline_list *l, const cJSON *rows, int64_t place,
                            int64_t at, int64_t total, struct reason *why) {
    char at_field[BASELINE_WORD_MAX], all_field[BASELINE_WORD_MAX];
    struct args stored = {0}, progress = {0};
    const cJSON *item = NULL;
    int64_t n = cJSON_GetArraySize(rows), i = 0;
    cJSON_ArrayForEach(item, rows) {
        l->take(item, place + i++, &stored);
    }
    field_of(at_field, "at", l->part);
    field_of(all_field, "all", l->part);
    progress_step(&b->progress, l->what, n);
    args_add(&progress, at_field);
    args_add_int(&progress, at);
    args_add(&progress, all_field);
    args_add_int(&progress, total);
    args_add(&progress, "done");
    args_add_int(&progress, b->progress.done);
    args_add(&progress, "total");
    args_add_int(&progress, b->progress.total);
    enum next next = baseline_put(b, l->hash, &stored, &progress, why);
    args_free(&stored);
    args_free(&progress);
    return next;
}

/* One page from *at (an offset for Sitoo, a page for BigCommerce), which it moves. *total < 0: none is known yet. */
static enum next read_page(struct baseline *b, const struct baseline_list *l, int64_t *at, int64_t *total,
                           enum page *what, struct reason *why) {
    char path[4200];
    struct answer answer;
    const cJSON *rows = NULL;
    int64_t announced = 0;
    page_path(l, *at, path, sizeof path);
    enum next next = l->sitoo ? baseline_sitoo(b, path, &answer, why) : baseline_bigcommerce(b, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (!baseline_list_rows(l->sitoo, &answer, &rows, &announced)) {
        next = reason_set(why, NEXT_PARK, "incomplete_read", "%s: the answer (status %d) is no list with a total",
                          l->what, answer.status);
        answer_free(&answer);
        return next;
    }
    int64_t n = cJSON_GetArraySize(rows), place = l->sitoo ? *at : *at * l->page;
    if (*total >= 0 && announced != *total) {
        *what = PAGE_CHANGED;
    } else {
        *total = announced;
        *at += l->sitoo ? n : 1;
        /* A platform may give smaller pages than asked for. */
        int64_t page = l->page;
        (void)json_int(json_get(json_get(answer.json, "meta"), "pagination"), "per_page", &page);
        bool last = n == 0 || (l->sitoo ? *at : *at * page) >= announced;
        *what = last ? PAGE_LAST : PAGE_MORE;
        next = store_page(b, l, rows, place, *at, announced, why);
    }
    answer_free(&answer);
    return next;
}

static enum next read_once(struct baseline *b, const struct baseline_list *l, bool *whole, struct reason *why) {
    char at_field[BASELINE_WORD_MAX], all_field[BASELINE_WORD_MAX], text[32] = "";
    int64_t at = 0, total = -1, rows = 0;
    enum page what = PAGE_MORE;
    field_of(at_field, "at", l->part);
    field_of(all_field, "all", l->part);
    enum next next = baseline_get_int(b, at_field, &at, why);
    next = next == NEXT_DONE ? baseline_get(b, all_field, text, sizeof text, why) : next;
    if (!int_parse(text, 0, INT64_MAX, &total)) {
        total = -1;
        at = 0;
    }
    while (next == NEXT_DONE && what == PAGE_MORE) {
        next = read_page(b, l, &at, &total, &what, why);
    }
    if (next == NEXT_DONE && what == PAGE_LAST) {
        next = baseline_count(b, l->hash, &rows, why);
    }
    *whole = what == PAGE_LAST && rows == total;
    return next;
}

enum next baseline_read_list(struct baseline *b, const struct baseline_list *l, struct reason *why) {
    char done[BASELINE_WORD_MAX];
    int64_t is_done = 0, before = b->progress.done;
    field_of(done, "end", l->part);
    enum next next = baseline_get_int(b, done, &is_done, why);
    for (int i = 0; next == NEXT_DONE && is_done == 0 && i < WHOLE_TRIES; i++) {
        bool whole = false;
        next = read_once(b, l, &whole, why);
        if (next == NEXT_DONE && whole) {
            return baseline_set_int(b, done, 1, why);
        }
        if (next == NEXT_DONE) {
            b->progress.done = before;
            progress_step(&b->progress, "a list changed while it was read: again", 0);
            next = forget(b, l, why);
        }
    }
    if (next == NEXT_DONE && is_done == 0) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read",
                          "%s: the list changed each of %d times that it was read; run this again at a quieter time",
                          l->what, WHOLE_TRIES);
    }
    return next;
}
