/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "keys.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

void facts_init(struct facts *f, const struct mapping *m, const struct claims *claims) {
    memset(f, 0, sizeof *f);
    f->mapping = m;
    f->n = claims->n;
    f->list = xcalloc(f->n + 1, sizeof *f->list);
    f->stock = xcalloc(f->n * m->warehouse_count + 1, sizeof *f->stock);
    f->have = xcalloc(f->n * m->warehouse_count + 1, sizeof *f->have);
    f->stored = xcalloc(f->n * m->location_count + 1, sizeof *f->stored);
    for (size_t i = 0; i < f->n; i++) {
        struct fact *fact = &f->list[i];
        fact->claim = &claims->list[i];
        fact->sku = claims->list[i].entity;
        fact->next = NEXT_DEFER; /* until its level is known and written */
        fact->check = hint_has(fact->claim->hint, "b");
        fact->force = hint_has(fact->claim->hint, "f");
        fact->stock = f->stock + i * m->warehouse_count;
        fact->have = f->have + i * m->warehouse_count;
        fact->stored = f->stored + i * m->location_count;
    }
}

void facts_free(struct facts *f) {
    free(f->list);
    free(f->stock);
    free(f->have);
    free(f->stored);
    args_free(&f->effects);
    memset(f, 0, sizeof *f);
}

void facts_case(const struct app *app, struct facts *f, struct fact *fact, const char *cause, const char *fmt, ...) {
    char text[REASON_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const struct parked p = {
        .cause = cause,
        .owner = app->set->mapping->owner_mapping,
        .entity = fact->sku,
        .text = text,
        .effect = "The web shop keeps the number it had",
        .step = "Mend it in Sitoo or in the mapping file, then: onepool parked --retry with the case's id",
        .queue = QUEUE_SKU,
        .job = fact->sku};
    effect_notice(&f->effects, &p);
    fact->settled = true;
    fact->cause = cause;
}

/* Both platforms' list filters take a comma for the end of a SKU, encoded or not, and what they answer is of other
 * SKUs. Source: sitoo.md 2 (lists), 6.1 (a SKU of Sitoo holds A-Z a-z 0-9 _ + - / only). */
static void case_comma(const struct app *app, struct facts *f, struct fact *fact) {
    char text[REASON_TEXT_MAX], shown[SKU_SHOWN_SIZE];
    (void)snprintf(text, sizeof text,
                   "SKU %s holds a comma. Sitoo allows none in a SKU and takes it for the end of one, so its stock "
                   "cannot be asked for",
                   sku_shown(fact->sku, shown));
    const struct parked p = {.cause = "sku_comma",
                             .owner = app->set->mapping->owner_mapping,
                             .entity = fact->sku,
                             .text = text,
                             .effect = "The web shop keeps the number it had",
                             .step =
                                 "Give it a SKU without a comma in both shops, then: onepool parked --close with the "
                                 "case's id; --ignore if it is not sold online",
                             .queue = QUEUE_SKU,
                             .job = fact->sku};
    (hint_has(fact->claim->hint, "s") ? effect_case_sold : effect_notice)(&f->effects, &p);
    fact->settled = true;
    fact->cause = p.cause;
}

enum next facts_identify(struct app *app, struct facts *f, struct reason *why) {
    const char **skus = xcalloc(f->n + 1, sizeof *skus);
    struct identity *found = xcalloc(f->n + 1, sizeof *found);
    struct fact **asked = xcalloc(f->n + 1, sizeof *asked);
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (strchr(f->list[i].sku, ',') != NULL) {
            case_comma(app, f, &f->list[i]);
        } else {
            skus[n] = f->list[i].sku;
            asked[n++] = &f->list[i];
        }
    }
    enum next next = identity_resolve(app, skus, n, found, why);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        struct fact *fact = asked[i];
        fact->item = found[i];
        fact->settled = !identity_usable(&found[i]);
        if (fact->settled || fact->force || hint_has(fact->claim->hint, "s")) {
            identity_case(app, skus[i], &found[i], IDENTITY_RESOLVED, &f->effects);
        }
    }
    free(asked);
    free(found);
    free(skus);
    return next;
}

/* ---- from Redis ---- */

static void add_fields(const struct facts *f, struct args *a) {
    for (size_t i = 0; i < f->n; i++) {
        for (size_t w = 0; w < f->mapping->warehouse_count; w++) {
            args_addf(a, "%lld|%s", (long long)f->mapping->warehouses[w], f->list[i].sku);
        }
    }
}

static int64_t thousandths_at(const redisReply *r, size_t i) {
    int64_t n = 0;
    const char *text = reply_str_at(r, i);
    return text != NULL && int_parse(text, -QUANTITY_MAX, QUANTITY_MAX, &n) ? n : 0;
}

static void take_replies(struct facts *f, redisReply *const *r) {
    size_t w = f->mapping->warehouse_count, l = f->mapping->location_count;
    for (size_t i = 0; i < f->n * w; i++) {
        f->stock[i].pending = thousandths_at(r[0], i);
        f->stock[i].withheld_ledger = thousandths_at(r[1], i);
        f->stock[i].withheld_return = thousandths_at(r[2], i);
    }
    for (size_t i = 0; i < f->n; i++) {
        f->list[i].unallocated = thousandths_at(r[0], f->n * w + i);
    }
    for (size_t i = 0; i < f->n * l; i++) {
        (void)level_stored_read(reply_str_at(r[3], i), &f->stored[i]);
    }
}

/* Cases of facts_case. The first ends when Sitoo told the stock of all warehouses in this round, so that nothing is
 * taken from an older read; for the others it is enough that the product was seen. */
static const char *const read_causes[] = {"bad_stock", "stock_not_counted", "not_in_sitoo", "warehouse_empty"};
#define READ_CAUSES (sizeof read_causes / sizeof read_causes[0])

static bool disproved(const struct facts *f, const struct fact *fact, size_t cause) {
    return !fact->settled && (fact->reads == f->mapping->warehouse_count || (cause > 0 && fact->proven));
}

static void ask_cases(const struct app *app, const struct facts *f, struct args *a) {
    args_add(a, "ZMSCORE");
    args_add_key(a, app->redis, KEY_PARKED);
    args_add(a, ""); /* the command needs one */
    for (size_t i = 0; i < f->n; i++) {
        for (size_t c = 0; c < READ_CAUSES; c++) {
            if (disproved(f, &f->list[i], c)) {
                args_addf(a, "%s:%s", read_causes[c], f->list[i].sku);
            }
        }
    }
}

static void end_cases(struct facts *f, const redisReply *scores) {
    size_t at = 1;
    for (size_t i = 0; i < f->n; i++) {
        for (size_t c = 0; c < READ_CAUSES; c++) {
            if (disproved(f, &f->list[i], c) && reply_str_at(scores, at++) != NULL) {
                effect_close(&f->effects, read_causes[c], f->list[i].sku);
            }
        }
    }
}

enum next facts_recall(struct app *app, struct facts *f, struct reason *why) {
    struct args cmds[5] = {{0}, {0}, {0}, {0}, {0}};
    redisReply *replies[5] = {NULL, NULL, NULL, NULL, NULL};
    const char *const keys[] = {KEY_PENDING_QTY, KEY_WITHHELD_LEDGER, KEY_WITHHELD_RETURN,
                                app->mode == MODE_LIVE ? KEY_LEVEL_LIVE : KEY_LEVEL_SHADOW};
    for (size_t k = 0; k < 4; k++) {
        args_add(&cmds[k], "HMGET");
        args_add_key(&cmds[k], app->redis, keys[k]);
        if (k < 3) {
            add_fields(f, &cmds[k]);
        }
    }
    for (size_t i = 0; i < f->n; i++) {
        args_addf(&cmds[0], "0|%s", f->list[i].sku);
        for (size_t l = 0; l < f->mapping->location_count; l++) {
            args_addf(&cmds[3], "%lld|%s", (long long)f->mapping->locations[l].location_id, f->list[i].sku);
        }
    }
    ask_cases(app, f, &cmds[4]);
    enum next next = redis_pipeline(app->redis, cmds, 5, true, replies, why);
    if (next == NEXT_DONE) {
        take_replies(f, replies);
        end_cases(f, replies[4]);
    }
    redis_pipeline_free(cmds, replies, 5);
    return next;
}
