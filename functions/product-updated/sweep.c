/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "exceptions_sweep.h"
#include "images.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "product_diff.h"
#include "quantity.h"
#include "queue.h"
#include "tidy.h"
#include "worker.h"
#include "ban.h"

#define AGAIN_MS      INT64_C(300000) /* after a failure */
#define HOUR_MS       INT64_C(3600000)
#define MARKS_AT_ONCE 500
#define CLAIMS        4

/* ---- what became due ---- */

struct marks {
    struct app *app;
    struct args effects;
    size_t n, all;
};

static enum next mark(struct marks *m, int64_t product_id, const char *hint, struct reason *why) {
    char id[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)product_id);
    effect_mark(&m->effects, QUEUE_PRODUCT, id, 0, hint, "");
    m->all++;
    if (++m->n < MARKS_AT_ONCE) {
        return NEXT_DONE;
    }
    m->n = 0;
    enum next next = effects_apply(m->app->redis, &m->effects, why);
    args_free(&m->effects);
    return next;
}

/* Does Sitoo differ from what is wanted of this product? */
static bool drifted(const struct product_want *w, const struct shops *shops) {
    const struct till_product **have = xcalloc(w->n + 1, sizeof *have);
    bool differs = false;
    for (size_t i = 0; i < w->n; i++) {
        have[i] = till_find(&shops->till, w->list[i].sku);
        differs = differs || have[i] == NULL || product_differs(&w->list[i], have[i]) != 0 ||
                  shops_sale_price(shops, w->list[i].sku) != w->list[i].sale_price;
    }
    differs = differs || (w->n > 0 && !family_is_right(w, have));
    free(have);
    return differs;
}

static int by_id(const void *key, const void *member) {
    int64_t x = *(const int64_t *)key, y = ((const struct product_want *)member)->product_id;
    return x < y ? -1 : x > y;
}

/* Has BigCommerce not got the product, or one of its SKUs, any more? */
static bool is_gone(int64_t id, const char *record, const struct shops *shops) {
    const struct product_want *w =
        shops->n > 0 ? bsearch(&id, shops->wants, shops->n, sizeof *shops->wants, by_id) : NULL;
    struct known_product known;
    bool gone = w == NULL;
    known_product_parse(record, &known);
    gone = gone || known_left_behind(&known, w);
    known_product_free(&known);
    return gone;
}

/* Products that were brought to Sitoo and that BigCommerce has no more, or not all of their SKUs. */
static enum next mark_gone(struct marks *m, const struct shops *shops, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = known_all(m->app, KEY_PRODUCTS, &reply, why);
    for (size_t i = 0; next == NEXT_DONE && i + 1 < reply->elements; i += 2) {
        int64_t id = 0;
        const char *text = reply_str_at(reply, i), *record = reply_str_at(reply, i + 1);
        if (text != NULL && int_parse(text, 1, JSON_INT_MAX, &id) && is_gone(id, record, shops)) {
            next = mark(m, id, "", why);
        }
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return next;
}

/* With its digest known, a product that Sitoo still shows as it was sent is not due. */
static enum next mark_all(struct app *app, const struct shops *shops, size_t *due, struct reason *why) {
    struct marks m = {.app = app};
    /* What was read here of the list for sale prices is newer than what anybody keeps of it. */
    enum next next = app->set->mapping->products.sale_price_list_id != 0 ? sync_sales_changed(app, why) : NEXT_DONE;
    next = next == NEXT_DONE ? mark_gone(&m, shops, why) : next;
    for (size_t i = 0; next == NEXT_DONE && i < shops->n; i++) {
        const struct product_want *w = &shops->wants[i];
        if (drifted(w, shops)) {
            next = mark(&m, w->product_id, "d", why);
        }
    }
    next = next == NEXT_DONE && m.n > 0 ? effects_apply(app->redis, &m.effects, why) : next;
    args_free(&m.effects);
    *due = m.all;
    return next == NEXT_DONE ? images_mark(app, shops->wants, shops->n, why) : next;
}

/* ---- what was made in Sitoo is hidden, if that is wanted ---- */

static enum next quarantine(struct app *app, struct sync *s, const struct exceptions *e, struct reason *why) {
    struct known_product gone = {0};
    gone.variants = xcalloc(e->n + 1, sizeof *gone.variants);
    for (size_t i = 0; i < e->n; i++) {
        if (e->list[i].kind == EXCEPTION_ONLY_IN_SITOO) {
            gone.variants[gone.n++] = (struct known_variant){.sku = e->list[i].sku};
        }
    }
    enum next next = gone.n > 0 ? sync_begin(app, s, why) : NEXT_DONE;
    if (next == NEXT_DONE && gone.n > 0) {
        struct sync_item item = {.known = &gone};
        sync_items(s, &item, 1, NULL);
        sync_end(s);
        next = item.next;
        if (next == NEXT_DONE) {
            next = effects_apply(app->redis, &item.effects, why);
            LOG(LOG_WARN, "SKUs that are only in Sitoo were hidden in the tills", {"skus", log_int(item.hidden)});
        } else {
            *why = item.why;
        }
        sync_item_free(&item);
    }
    free(gone.variants);
    if (next == NEXT_DEFER && (strcmp(why->cause, "brake") == 0 || strcmp(why->cause, "products_halted") == 0)) {
        *why = (struct reason){0}; /* a case says so; a person's word for it brings the next comparison */
        next = NEXT_DONE;
    }
    return next;
}

/* ---- the timer ---- */

static enum next sweep(struct app *app, struct sync *s, struct reason *why) {
    struct shops shops = {0};
    struct exceptions found = {0};
    int64_t loaded = 0, began = clock_mono_ms();
    size_t due = 0;
    enum next next = mode_refresh(app, why);
    next = next == NEXT_DONE ? known_number(app, "loaded", &loaded, why) : next;
    next = next == NEXT_DONE ? exceptions_sweep(app, NULL, NULL, &shops, &found, why) : next;
    next = next == NEXT_DONE && shops.unread == 0 ? tidy_cases(app, &shops, &found, why) : next;
    next = next == NEXT_DONE && shops.unread == 0 ? tidy_barcodes(app, &shops, why) : next;
    next = next == NEXT_DONE ? known_keep_till(app, &shops.till, why) : next;
    if (next == NEXT_DONE && loaded > 0) {
        next = mark_all(app, &shops, &due, why);
    }
    if (next == NEXT_DONE && loaded > 0 && app->set->mapping->products.quarantine && shops.unread == 0) {
        next = quarantine(app, s, &found, why);
    }
    if (next == NEXT_DONE) {
        LOG(LOG_INFO, "catalogs compared", {"outcome", "settled"}, {"variants", log_int(shops.variants)},
            {"in_sitoo", log_int((long long)shops.till.n)}, {"exceptions", log_int((long long)found.n)},
            {"due", log_int((long long)due)}, {"took_ms", log_int(clock_mono_ms() - began)});
    }
    exceptions_free(&found);
    shops_free(&shops);
    return next;
}

/* A person lets pass what the brake held, for an hour, or ends a halt: one says nothing of the other. */
static enum next release(struct app *app, const struct claim *c, struct reason *why) {
    char now[24];
    size_t fenced = 0;
    struct args again = {0};
    (void)snprintf(now, sizeof now, "%lld", (long long)clock_wall_ms());
    bool brake = strcmp(c->entity, CATALOG_RELEASE) == 0;
    enum next next = brake ? known_set(app, "released", now, why) : known_set(app, "halt", "", why);
    if (app->set->mapping->products.quarantine) {
        effect_mark(&again, QUEUE_CATALOG, CATALOG_SWEEP, 0, "", ""); /* what it would have hidden */
    }
    LOG(LOG_WARN, "products that were held may pass", {"outcome", "replayed"}, {"what", brake ? "brake" : "halt"});
    next = next == NEXT_DONE
               ? queue_complete(app->redis, QUEUE_CATALOG, c, 1, again.n > 0 ? &again : NULL, &fenced, why)
               : next;
    args_free(&again);
    return next;
}

static enum next tick(struct app *app, struct sync *s, const struct claims *claims, const struct claim *c,
                      struct reason *why) {
    struct worker_hold hold;
    struct reason cause = {0};
    const struct mapping_products *m = &app->set->mapping->products;
    int64_t delay = m->sweep_hours * HOUR_MS;
    worker_hold_begin(&hold, app, QUEUE_CATALOG, claims);
    enum next next = m->on ? sweep(app, s, &cause) : NEXT_DONE;
    worker_hold_end(&hold);
    if (next != NEXT_DONE) {
        delay = cause.wait_ms > AGAIN_MS ? cause.wait_ms : AGAIN_MS;
        LOG(LOG_WARN, "reading failed; trying again", {"outcome", "deferred"}, {"what", "catalogs"},
            {"cause", cause.cause}, {"why", cause.text});
    }
    return queue_tick(app->redis, QUEUE_CATALOG, c, delay, why);
}

static enum next first_timer(struct app *app, struct reason *why) {
    struct args timer = {0};
    effect_mark_in(&timer, QUEUE_CATALOG, CATALOG_SWEEP, app->set->mapping->products.sweep_hours * HOUR_MS, "");
    enum next next = effects_apply(app->redis, &timer, why);
    args_free(&timer);
    return next;
}

enum next sweep_work(struct app *app, struct sync *s, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next =
        queue_claim(app->redis, QUEUE_CATALOG, CLAIMS, app->holder, app->set->mapping->owner_mapping, &claims, why);
    for (size_t i = 0; next == NEXT_DONE && i < claims.n; i++) {
        const struct claim *c = &claims.list[i];
        bool person = strcmp(c->entity, CATALOG_RELEASE) == 0 || strcmp(c->entity, CATALOG_RESUME) == 0;
        next = person ? release(app, c, why) : tick(app, s, &claims, c, why);
        *wait_ms = 0;
    }
    if (next == NEXT_DONE && claims.n == 0 && claims.wait_ms < 0) {
        next = first_timer(app, why);
    } else if (next == NEXT_DONE && claims.n == 0 && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}
