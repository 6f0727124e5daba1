/* SPDX-License-Identifier: Apache-2.0 */
#include "tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "images.h"
#include "keys.h"
#include "product_known.h"
#include "product_row.h"
#include "quantity.h"
#include "queue.h"
#include "ban.h"

/* Ids of cases whose cause is, or may be, there now. */
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
        for (size_t k = 0; k < shops->wants[i].n; k++) {
            const struct want *w = &shops->wants[i].list[k];
            for (size_t c = 0; w->image != NULL && w->image[0] != '\0' && c < IMAGES_CAUSES; c++) {
                add(ids, images_causes[c], w->sku);
            }
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
    for (size_t c = 0; !ours && c < IMAGES_CAUSES; c++) {
        ours = is_of(id, images_causes[c]);
    }
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

/* ---- barcodes ---- */

static int by_variant(const void *a, const void *b) {
    int64_t x = (*(const struct want *const *)a)->variant_id, y = (*(const struct want *const *)b)->variant_id;
    return x < y ? -1 : x > y;
}

/* holder: "variant product SKU" */
static bool still_wants(const struct want **wants, size_t n, const char *holder, const char *code) {
    char number[24];
    struct want key = {0};
    const struct want *sought = &key;
    (void)snprintf(number, sizeof number, "%.*s", (int)strcspn(holder, " "), holder);
    if (n == 0 || !int_parse(number, 0, INT64_MAX, &key.variant_id)) {
        return false;
    }
    const struct want **found = bsearch(&sought, wants, n, sizeof(struct want *), by_variant);
    return found != NULL && (*found)->barcode != NULL && strcmp((*found)->barcode, code) == 0;
}

/* Of every product, ascending by variant; the caller frees. */
static const struct want **all_wants(const struct shops *shops, size_t *n) {
    const struct want **wants = xcalloc((size_t)shops->variants + 1, sizeof(struct want *));
    *n = 0;
    for (size_t i = 0; i < shops->n; i++) {
        for (size_t k = 0; k < shops->wants[i].n && *n < (size_t)shops->variants; k++) {
            wants[(*n)++] = &shops->wants[i].list[k];
        }
    }
    qsort(wants, *n, sizeof(struct want *), by_variant);
    return wants;
}

enum next tidy_barcodes(struct app *app, const struct shops *shops, struct reason *why) {
    struct args effects = {0};
    redisReply *reply = NULL;
    size_t n = 0;
    const struct want **wants = all_wants(shops, &n);
    enum next next = known_all(app, KEY_PRODUCT_BARCODES, &reply, why);
    for (size_t i = 0; next == NEXT_DONE && i + 1 < reply->elements; i += 2) {
        const char *code = reply_str_at(reply, i), *holder = reply_str_at(reply, i + 1);
        if (code != NULL && holder != NULL && !still_wants(wants, n, holder, code)) {
            effect_keep_barcode(&effects, code, "");
        }
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    next = next == NEXT_DONE && effects.n > 0 ? effects_apply(app->redis, &effects, why) : next;
    args_free(&effects);
    free(wants);
    return next;
}
