/* SPDX-License-Identifier: Apache-2.0 */
#include "product_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "gate.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "product_row.h"
#include "product_shops.h"
#include "quantity.h"
#include "ban.h"

#define HALTED_WAIT_MS INT64_C(60000)

void sync_item_free(struct sync_item *item) {
    args_free(&item->effects);
}

/* ---- the lease ---- */

static bool extend(struct sync *s) {
    struct reason why = {0};
    struct lease lease;
    int64_t busy_ms = 0;
    if (clock_mono_ms() - s->extended_ms < SYNC_LEASE_MS / 4) {
        return true;
    }
    /* Redis away: the lease has time left, and the gate is fenced by it. */
    if (lease_take(s->app, SYNC_LEASE, SYNC_LEASE_MS, &lease, &busy_ms, &why) != NEXT_DONE) {
        return clock_mono_ms() - s->extended_ms < SYNC_LEASE_MS - SYNC_LEASE_MS / 4;
    }
    s->extended_ms = clock_mono_ms();
    s->lost = s->lost || strcmp(lease.token, s->lease.token) != 0;
    return !s->lost;
}

static bool keep(void *arg) {
    struct sync *s = arg;
    return extend(s) && (s->keep == NULL || s->keep(s->keep_arg));
}

/* Writes whose outcome nobody recorded: they may be on their way still, for a while; then what Sitoo shows is true. */
enum next sync_settled(struct sync *s, const char *kind, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    int64_t wait = 0;
    size_t len = strlen(kind);
    args_add(&a, "HKEYS");
    args_add_key(&a, s->app->redis, KEY_INTENTS);
    enum next next = redis_command(s->app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        const char *id = reply_str_at(reply, i);
        if (id == NULL || strncmp(id, kind, len) != 0 || id[len] != ':') {
            continue;
        }
        char at[24] = "";
        int64_t ms = 0;
        (void)snprintf(at, sizeof at, "%.*s", (int)strcspn(id + len + 1, ":"), id + len + 1);
        (void)int_parse(at, 0, INT64_MAX, &ms);
        int64_t left = ms + SYNC_SETTLE_MS - clock_wall_ms();
        if (left > 0 && left <= SYNC_SETTLE_MS) {
            wait = left > wait ? left : wait;
        } else {
            struct gate_outcome done = {0};
            (void)str_copy(done.intent_id, sizeof done.intent_id, id);
            gate_close(s->app, &done);
        }
    }
    freeReplyObject(reply);
    if (wait > 0) {
        why->wait_ms = wait;
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "products_unsettled",
                          "a write of %s to Sitoo has no known outcome yet; looked at again in %lld ms", kind,
                          (long long)wait);
    }
    return NEXT_DONE;
}

/* What the list for sale prices held when it was last read. */
static void forget_sales(struct sync *s) {
    for (size_t i = 0; s->prices != NULL && i < s->lists.n; i++) {
        if (s->lists.list[i].id == s->app->set->mapping->products.sale_price_list_id) {
            till_prices_free(&s->prices[i]);
            s->prices_known[i] = false;
        }
    }
}

/* Is there a halt? And has the list for sale prices changed since it was read here? */
static enum next catalog_state(struct sync *s, struct reason *why) {
    static const char *const fields[] = {"halt", SYNC_SALES_AT};
    char *texts[] = {NULL, NULL};
    enum next next = known_fields(s->app, KEY_CATALOG, fields, 2, texts, why);
    if (next == NEXT_DONE && texts[0] != NULL) {
        why->wait_ms = HALTED_WAIT_MS;
        why->not_its_fault = true;
        next = reason_set(why, NEXT_DEFER, "products_halted", "%.400s", texts[0]);
    }
    const char *at = texts[1] != NULL ? texts[1] : "";
    if (next == NEXT_DONE && strcmp(at, s->sales_at) != 0) {
        forget_sales(s);
        (void)str_copy(s->sales_at, sizeof s->sales_at, at);
    }
    free(texts[0]);
    free(texts[1]);
    return next;
}

enum next sync_sales_changed(struct app *app, struct reason *why) {
    char now[24];
    (void)snprintf(now, sizeof now, "%lld", (long long)clock_wall_ms());
    return known_set(app, SYNC_SALES_AT, now, why);
}

/* ---- what both shops say about themselves ---- */

static void forget(struct sync *s) {
    for (size_t i = 0; s->prices != NULL && i < s->lists.n; i++) {
        till_prices_free(&s->prices[i]);
    }
    free(s->prices);
    free(s->prices_known);
    s->prices = NULL;
    s->prices_known = NULL;
    till_lists_free(&s->lists);
    product_rules_free(&s->rules);
    s->rules_known = false;
}

static enum next learn(struct sync *s, struct reason *why) {
    if (s->rules_known && clock_mono_ms() - s->rules_ms < SYNC_RULES_MS) {
        return NEXT_DONE;
    }
    forget(s);
    enum next next = product_rules_read(s->app, &s->rules, why);
    next = next == NEXT_DONE ? till_read_lists(s->app, &s->lists, why) : next;
    if (next == NEXT_DONE) {
        s->prices = xcalloc(s->lists.n + 1, sizeof *s->prices);
        s->prices_known = xcalloc(s->lists.n + 1, sizeof *s->prices_known);
        s->rules_known = true;
        s->rules_ms = clock_mono_ms();
    }
    return next;
}

enum next sync_begin(struct app *app, struct sync *s, struct reason *why) {
    struct reason young = {0};
    int64_t busy_ms = 0;
    s->app = app;
    s->lost = false;
    s->calls = 0;
    s->counted = -1;
    s->keep = app->keep;
    s->keep_arg = app->keep_arg;
    enum next next = lease_take(app, SYNC_LEASE, SYNC_LEASE_MS, &s->lease, &busy_ms, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (busy_ms > 0) {
        why->wait_ms = busy_ms < 5000 ? busy_ms : 5000;
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "products_busy", "another process brings products to Sitoo at the moment");
    }
    s->extended_ms = clock_mono_ms();
    app->keep = keep;
    app->keep_arg = s;
    next = catalog_state(s, why);
    next = next == NEXT_DONE ? sync_settled(s, SYNC_PRODUCTS, why) : next;
    if (next == NEXT_DONE && sync_settled(s, SYNC_IMAGES, &young) != NEXT_DONE) {
        LOG(LOG_DEBUG, "images wait", {"why", young.text}); /* nothing else does; those of before are ended now */
    }
    next = next == NEXT_DONE ? learn(s, why) : next;
    if (next != NEXT_DONE) {
        sync_end(s);
    }
    return next;
}

void sync_end(struct sync *s) {
    if (s->app == NULL || s->lease.token[0] == '\0') {
        return;
    }
    s->app->keep = s->keep;
    s->app->keep_arg = s->keep_arg;
    lease_give(s->app, &s->lease);
}

void sync_free(struct sync *s) {
    sync_end(s);
    forget(s);
}

/* ---- how many products there are ---- */

static enum next halt(struct sync *s, int64_t before, int64_t after, struct reason *why) {
    char text[400];
    struct args effects = {0};
    (void)snprintf(text, sizeof text,
                   "Sitoo had %lld products before a write and has %lld after it, which deletes none: nothing more is "
                   "written to its catalog",
                   (long long)before, (long long)after);
    const struct parked p = {
        .cause = "products_vanished",
        .owner = s->app->set->mapping->owner_mapping,
        .entity = "catalog",
        .text = text,
        .effect = "Changes of products and prices do not reach the tills; sales and stock go on",
        .step =
            "Find out in Sitoo which products are gone and who deleted them (onepool exceptions --sweep lists what is "
            "missing); then run: onepool parked --retry with the case's id",
        .queue = QUEUE_CATALOG,
        .job = CATALOG_RESUME};
    effect_case(&effects, &p);
    enum next next = known_set(s->app, "halt", text, why);
    next = next == NEXT_DONE ? effects_apply(s->app->redis, &effects, why) : next;
    args_free(&effects);
    LOG(LOG_ALARM, "products vanished from Sitoo", {"outcome", "parked"}, {"before", log_int(before)},
        {"after", log_int(after)}, {"cause", "products_vanished"});
    if (next != NEXT_DONE) {
        return next;
    }
    why->not_its_fault = true;
    why->wait_ms = HALTED_WAIT_MS;
    return reason_set(why, NEXT_DEFER, "products_halted", "%s", text);
}

static enum next count_before(struct sync *s, size_t elements, struct reason *why) {
    return elements < SYNC_COUNT_FROM || s->counted >= 0 || s->app->mode != MODE_LIVE
               ? NEXT_DONE
               : till_count(s->app, &s->counted, why);
}

static enum next count_after(struct sync *s, const struct sync_item *items, size_t n, struct reason *why) {
    int64_t now = 0, expected = s->counted;
    if (s->counted < 0 || s->calls == 0) {
        return NEXT_DONE;
    }
    for (size_t i = 0; i < n; i++) {
        expected += items[i].created;
    }
    enum next next = till_count(s->app, &now, why);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t before = s->counted;
    s->counted = now;
    return now < expected ? halt(s, before, now, why) : NEXT_DONE;
}

/* ---- all of it ---- */

static enum next read_till(struct sync *s, const struct sync_item *items, size_t n, struct till_products *out,
                           struct reason *why) {
    size_t cap = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        cap += (items[i].want != NULL ? items[i].want->n : 0) + (items[i].known != NULL ? items[i].known->n : 0);
    }
    const char **skus = xcalloc(cap + 1, sizeof *skus);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; items[i].want != NULL && k < items[i].want->n; k++) {
            skus[count++] = items[i].want->list[k].sku;
        }
        for (size_t k = 0; items[i].known != NULL && k < items[i].known->n; k++) {
            skus[count++] = items[i].known->variants[k].sku;
        }
    }
    enum next next = count > 0 ? till_read(s->app, skus, count, out, why) : NEXT_DONE;
    till_sort(out);
    free(skus);
    return next;
}

static size_t elements_of(const struct rows *rows) {
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        n += rows->list[i].create || rows->list[i].fields != 0 ? 1 : 0;
    }
    return n;
}

static enum next write_all(struct sync *s, struct rows *rows, struct sync_item *items, size_t n, struct reason *why) {
    size_t elements = elements_of(rows);
    for (size_t i = 0; i < n; i++) {
        elements += items[i].want != NULL && items[i].want->group_count > 0 ? SYNC_COUNT_FROM : 0;
    }
    enum next next = elements_of(rows) > 0 || elements > 0 ? count_before(s, elements, why) : NEXT_DONE;
    next = next == NEXT_DONE ? rows_free_barcodes(s, rows, why) : next;
    next = next == NEXT_DONE ? rows_create(s, rows, why) : next;
    fault_point(s->app, "products.created");
    next = next == NEXT_DONE ? rows_sales_begin(s, rows, why) : next;
    fault_point(s->app, "products.sales");
    next = next == NEXT_DONE ? rows_update(s, rows, why) : next;
    next = next == NEXT_DONE ? rows_sales_end(s, rows, why) : next;
    next = next == NEXT_DONE ? rows_families(s, rows, items, n, why) : next;
    fault_point(s->app, "products.families");
    enum next counted = count_after(s, items, n, next == NEXT_DONE ? why : &(struct reason){0});
    return next == NEXT_DONE ? counted : next;
}

static void remember_row(struct sync *s, const struct row *r) {
    struct sync_item *item = r->item;
    char value[64];
    if (r->refused || s->app->mode != MODE_LIVE || r->id == 0) {
        return;
    }
    char *folded = sku_fold(r->sku);
    effect_keep_folded(&item->effects, folded, r->sku);
    free(folded);
    if (r->hide) {
        return;
    }
    (void)snprintf(value, sizeof value, "%lld:%lld", (long long)item->product_id, (long long)r->want.variant_id);
    effect_keep_sku(&item->effects, r->sku, value);
    effect_keep_variant(&item->effects, r->want.variant_id, item->product_id);
}

/* With what is still to be hidden, once its other spelling is made. */
static char *record_of(const struct rows *rows, const struct sync_item *item) {
    const char **kept = xcalloc(rows->n + 1, sizeof *kept);
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->list[i].item == item && rows->list[i].kept) {
            kept[n++] = rows->list[i].sku;
        }
    }
    char *text = known_product_text(item->known, item->want, kept, n, clock_wall_ms());
    free(kept);
    return text;
}

/* Images come after everything else, by a queue of their own. */
static void mark_images(struct sync_item *item) {
    char id[24];
    bool told = false;
    for (size_t i = 0; !told && item->want != NULL && i < item->want->n; i++) {
        told = item->want->list[i].image != NULL;
    }
    if (told) {
        (void)snprintf(id, sizeof id, "%lld", (long long)item->product_id);
        effect_mark(&item->effects, QUEUE_IMAGE, id, 0, "", "");
    }
}

static void remember(struct sync *s, const struct rows *rows, struct sync_item *items, size_t n) {
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->list[i].item->next == NEXT_DONE) {
            remember_row(s, &rows->list[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (items[i].next != NEXT_DONE || s->app->mode != MODE_LIVE) {
            continue;
        }
        char *record = items[i].want != NULL ? record_of(rows, &items[i]) : xstrdup("");
        effect_keep_product(&items[i].effects, items[i].product_id, record);
        mark_images(&items[i]);
        free(record);
    }
}

/* "m" of the record: SKUs of the item that are to be made. The caller frees. */
static char *begun_text(const struct rows *rows, const struct sync_item *item) {
    const char **making = xcalloc(rows->n + 1, sizeof *making);
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->list[i].item == item && rows->list[i].create) {
            making[n++] = rows->list[i].sku;
        }
    }
    char *text = known_product_begun(item->known, item->want, making, n);
    free(making);
    return text;
}

/*
 * Before anything is written: who else would know of it, if this process died? A SKU may leave BigCommerce meanwhile,
 * or the product go back to what it was, and Sitoo still has to follow.
 */
static enum next begin_records(struct sync *s, const struct rows *rows, struct reason *why) {
    struct args effects = {0};
    const struct sync_item *last = NULL;
    char value[64];
    for (size_t i = 0; s->app->mode == MODE_LIVE && i < rows->n; i++) {
        const struct row *r = &rows->list[i];
        if (r->hide || !(r->create || r->fields != 0)) {
            continue;
        }
        if (last == NULL || r->item != last) {
            char *text = begun_text(rows, r->item);
            effect_keep_product(&effects, r->item->product_id, text);
            free(text);
            last = r->item;
        }
        (void)snprintf(value, sizeof value, "%lld:%lld", (long long)r->item->product_id, (long long)r->want.variant_id);
        effect_keep_sku(&effects, r->sku, value);
        if (r->create) {
            effect_keep_image(&effects, r->sku, ""); /* one that was made before has left, with its image */
        }
    }
    enum next next = effects_apply(s->app->redis, &effects, why);
    args_free(&effects);
    return next;
}

void sync_items(struct sync *s, struct sync_item *items, size_t n, struct till_products *till) {
    struct till_products own = {0};
    struct rows rows = {0};
    struct reason why = {0};
    for (size_t i = 0; i < n; i++) {
        items[i].next = NEXT_DONE;
    }
    enum next next = till != NULL ? NEXT_DONE : read_till(s, items, n, &own, &why);
    next = next == NEXT_DONE ? rows_plan(s, items, n, till != NULL ? till : &own, &rows, &why) : next;
    next = next == NEXT_DONE ? begin_records(s, &rows, &why) : next;
    next = next == NEXT_DONE ? write_all(s, &rows, items, n, &why) : next;
    for (size_t i = 0; next != NEXT_DONE && i < n; i++) {
        if (items[i].next == NEXT_DONE) {
            items[i].next = next;
            items[i].why = why;
        }
    }
    remember(s, &rows, items, n);
    rows_free(&rows);
    till_free(&own);
}
