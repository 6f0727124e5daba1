/* SPDX-License-Identifier: Apache-2.0 */
#include "tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "keys.h"
#include "product_row.h"
#include "queue.h"
#include "ban.h"

/* Ids of cases whose cause is there now. */
struct ids {
    char **list;
    size_t n, cap;
};

static void add(struct ids *ids, const char *cause, const char *entity) {
    char id[KEY_MAX + 64];
    if (ids->n == ids->cap) {
        ids->cap = ids->cap > 0 ? 2 * ids->cap : 64;
        ids->list = xrealloc(ids->list, ids->cap, sizeof *ids->list);
    }
    (void)snprintf(id, sizeof id, "%s:%s", cause, entity);
    ids->list[ids->n++] = xstrdup(id);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect(struct ids *ids, const struct shops *shops, const struct exceptions *found) {
    char entity[KEY_MAX];
    for (size_t i = 0; i < shops->n; i++) {
        for (size_t k = 0; k < shops->wants[i].problem_count; k++) {
            const struct want_problem *p = &shops->wants[i].problems[k];
            problem_entity(shops->wants[i].product_id, p, entity, sizeof entity);
            add(ids, want_cause_name(p->cause), entity);
        }
    }
    for (size_t i = 0; i < found->n; i++) {
        const struct exception *x = &found->list[i];
        if (x->kind == EXCEPTION_NEAR_DUPLICATE || x->kind == EXCEPTION_PRICE_UNDERCUT) {
            add(ids, exception_name(x->kind), x->sku);
        }
    }
    if (ids->n > 0) {
        qsort(ids->list, ids->n, sizeof *ids->list, by_text);
    }
}

static bool is_of(const char *id, const char *cause) {
    size_t n = strlen(cause);
    return strncmp(id, cause, n) == 0 && id[n] == ':';
}

/* Bad products are not among the wants, so nothing is known of them here. */
static bool is_ours(const char *id) {
    bool ours =
        is_of(id, exception_name(EXCEPTION_NEAR_DUPLICATE)) || is_of(id, exception_name(EXCEPTION_PRICE_UNDERCUT));
    for (int c = WANT_SKU_MISSING; !ours && c < WANT_UNREADABLE; c++) {
        ours = is_of(id, want_cause_name((enum want_cause)c));
    }
    return ours;
}

enum next tidy_cases(struct app *app, const struct shops *shops, const struct exceptions *found, struct reason *why) {
    struct ids ids = {0};
    struct args a = {0}, effects = {0};
    redisReply *reply = NULL;
    args_add(&a, "ZRANGE");
    args_add_key(&a, app->redis, KEY_PARKED);
    args_add(&a, "0");
    args_add(&a, "-1");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    collect(&ids, shops, found);
    for (size_t i = 0; next == NEXT_DONE && i < reply->elements; i++) {
        const char *id = reply_str_at(reply, i);
        bool there = id != NULL && ids.n > 0 && bsearch(&id, ids.list, ids.n, sizeof *ids.list, by_text) != NULL;
        if (id != NULL && is_ours(id) && !there) {
            args_add(&effects, "close");
            args_add(&effects, id);
        }
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    next = next == NEXT_DONE ? effects_apply(app->redis, &effects, why) : next;
    args_free(&effects);
    for (size_t i = 0; i < ids.n; i++) {
        free(ids.list[i]);
    }
    free(ids.list);
    return next;
}
