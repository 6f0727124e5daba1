/* SPDX-License-Identifier: Apache-2.0 */
#include "rebuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "ledger.h"
#include "log.h"
#include "platform.h"
#include "queue.h"
#include "rebuild_goods.h"
#include "weborders.h"
#include "write.h"
#include "ban.h"

#define PAGES_MAX  10000
#define DAY_MS     (INT64_C(86400) * 1000)
#define ITEMS_PAGE 1000

/* How far it is, shown by /status. */
struct progress {
    const struct epoch *e;
    const char *step;
    int64_t done, total; /* rows; -1 = unknown */
};

static void step_begin(struct app *app, struct progress *p, const char *step) {
    p->step = step;
    p->done = 0;
    p->total = -1;
    epoch_step(app, p->e, step, 0, -1, "");
}

static void step_on(struct app *app, const struct progress *p) {
    epoch_step(app, p->e, p->step, p->done, p->total, "");
}

static enum next run(struct app *app, struct args *a, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = redis_command(app->redis, a, true, &reply, why);
    args_free(a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next stopping(struct reason *why) {
    why->not_its_fault = true;
    return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
}

/* Stock and ledger levels as remembered belong to another time. */
static enum next forget_stock(struct app *app, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct args a = {0};
    char name[64];
    args_add(&a, "UNLINK");
    for (size_t w = 0; w < m->warehouse_count; w++) {
        (void)snprintf(name, sizeof name, KEY_STOCK, (long long)m->warehouses[w]);
        args_add_key(&a, app->redis, name);
        (void)snprintf(name, sizeof name, KEY_CHAIN, (long long)m->warehouses[w]);
        args_add_key(&a, app->redis, name);
    }
    /* So does what was seen of web orders in Sitoo: they count as pending until it is seen again. */
    args_add_key(&a, app->redis, KEY_HANDED);
    args_add_key(&a, app->redis, KEY_HANDED_OPEN);
    args_add_key(&a, app->redis, KEY_HANDED_DUE);
    return run(app, &a, why);
}

/* Our first start, which Redis may have forgotten: web orders shipped since then are not in Sitoo's numbers. */
static enum next keep_since(struct app *app, const struct epoch *e, struct reason *why) {
    struct args a = {0};
    if (e->since_ms <= 0) {
        return NEXT_DONE;
    }
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "since");
    args_add_int(&a, e->since_ms);
    return run(app, &a, why);
}

/* The loss itself, or as far back as returns and orders are looked at. */
static int64_t lost_from_ms(const struct app *app, const struct epoch *e) {
    int64_t from = clock_wall_ms() - app->set->mapping->orders_days * DAY_MS;
    from = e->since_ms > from ? e->since_ms : from;
    from = e->from_ms > from ? e->from_ms : from;
    return from - from % 1000; /* Sitoo's dates are whole seconds */
}

/* ---- withheld units by the ledger ---- */

/* One page, newest first. *oldest gets its lowest id, *more whether older rows may be young enough. */
static enum next refunds_page(struct app *app, int64_t to, int64_t from_ms, int64_t *oldest, bool *more,
                              struct rebuild_rows *rows, struct progress *p, struct reason *why) {
    char path[300], below[64] = "";
    const char *paths[] = {path};
    struct answer answer;
    const cJSON *row = NULL;
    if (to > 0) {
        (void)snprintf(below, sizeof below, "&warehousetransactionidto=%lld", (long long)to);
    }
    (void)snprintf(path, sizeof path,
                   "/sites/%lld/warehousetransactions.json?sort=-warehousetransactionid&num=%lld%s"
                   "&fields=warehousetransactionid,warehouseid,datecreated,transactiontype,externalid,items",
                   (long long)app->set->sitoo_site_id, (long long)app->set->mapping->sitoo_page_size, below);
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    if (items == NULL) {
        next = reason_set(why, NEXT_DEFER, "bad_ledger", "Sitoo's ledger is not a list (status %d)", answer.status);
    }
    *more = cJSON_GetArraySize(items) >= app->set->mapping->sitoo_page_size;
    cJSON_ArrayForEach(row, items) {
        int64_t id = 0, warehouse = 0, created_s = 0;
        if (!json_int(row, "warehousetransactionid", &id) || !json_int(row, "warehouseid", &warehouse) ||
            !json_int(row, "datecreated", &created_s)) {
            continue;
        }
        *oldest = *oldest == 0 || id < *oldest ? id : *oldest;
        if (created_s * 1000 < from_ms) {
            *more = false;
        } else {
            rebuild_rows_add(rows, row);
        }
        p->done++;
    }
    answer_free(&answer);
    return next;
}

static enum next withhold_refunds(struct app *app, int64_t from_ms, struct progress *p, struct reason *why) {
    struct rebuild_rows rows = {0};
    enum next next = NEXT_DONE;
    int64_t to = 0;
    bool more = true;
    step_begin(app, p, "refunds");
    for (int i = 0; next == NEXT_DONE && more && i < PAGES_MAX; i++) {
        int64_t oldest = 0;
        next = app_keep(app) ? refunds_page(app, to, from_ms, &oldest, &more, &rows, p, why) : stopping(why);
        more = more && oldest > 1 && oldest != to;
        to = oldest > 1 ? oldest - 1 : oldest; /* a row taken twice would be in two places */
        step_on(app, p);
    }
    next = next == NEXT_DONE ? rebuild_rows_apply(app, &rows, why) : next;
    rebuild_rows_free(&rows);
    return next;
}

/* ---- orders ---- */

/* Orders rung up since: by id, newest first, so that rows that come meanwhile shift nothing. */
static enum next orders_page(struct app *app, int64_t to, int64_t from_ms, int64_t *oldest, bool *more,
                             struct progress *p, struct reason *why) {
    char path[256], below[64] = "", entity[24];
    const char *paths[] = {path};
    struct answer answer;
    struct args effects = {0};
    const cJSON *row = NULL;
    if (to > 0) {
        (void)snprintf(below, sizeof below, "&orderidto=%lld", (long long)to);
    }
    (void)snprintf(path, sizeof path,
                   "/orders.json?eshopid=%lld&sort=-orderid&num=%lld&fields=orderid,orderdate&orderdatefrom=%lld%s",
                   (long long)app->set->sitoo_site_id, (long long)app->set->mapping->sitoo_page_size,
                   (long long)(from_ms / 1000), below);
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    if (items == NULL) {
        next = reason_set(why, NEXT_DEFER, "bad_orders", "Sitoo's orders are not a list (status %d)", answer.status);
    }
    *more = cJSON_GetArraySize(items) >= app->set->mapping->sitoo_page_size;
    if (to == 0) {
        (void)json_int(answer.json, "totalcount", &p->total);
    }
    cJSON_ArrayForEach(row, items) {
        int64_t id = 0;
        if (json_int(row, "orderid", &id) && id > 0) {
            (void)snprintf(entity, sizeof entity, "%lld", (long long)id);
            effect_mark(&effects, QUEUE_ORDER, entity, 0, "", "");
            effect_told(&effects, "sitoo", entity); /* whoever finds it again need not call it missed */
            *oldest = *oldest == 0 || id < *oldest ? id : *oldest;
            p->done++;
        }
    }
    answer_free(&answer);
    if (next == NEXT_DONE && effects.n > 0) {
        next = effects_apply(app->redis, &effects, why);
    }
    args_free(&effects);
    return next;
}

static enum next mark_orders(struct app *app, int64_t from_ms, struct progress *p, struct reason *why) {
    enum next next = NEXT_DONE;
    int64_t to = 0;
    bool more = true;
    step_begin(app, p, "orders");
    for (int i = 0; next == NEXT_DONE && more && i < PAGES_MAX; i++) {
        int64_t oldest = 0;
        next = app_keep(app) ? orders_page(app, to, from_ms, &oldest, &more, p, why) : stopping(why);
        more = more && oldest > 1 && oldest != to;
        to = oldest;
        step_on(app, p);
    }
    return next;
}

/* ---- SKUs ---- */

static enum next skus_page(struct app *app, int page, bool *more, struct progress *p, struct reason *why) {
    struct buf path;
    struct answer answer;
    struct args effects = {0};
    const cJSON *item = NULL;
    buf_init(&path, 4000);
    buf_addf(&path, "/v3/inventory/items?limit=%d&page=%d&location_id:in=", ITEMS_PAGE, page);
    for (size_t l = 0; l < app->set->mapping->location_count; l++) {
        buf_addf(&path, "%s%lld", l > 0 ? "," : "", (long long)app->set->mapping->locations[l].location_id);
    }
    enum next next = bigcommerce_get(app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *data = json_array(answer.json, "data");
    if (data == NULL) {
        next = reason_set(why, NEXT_DEFER, "bad_levels", "BigCommerce's inventory list has no data (status %d)",
                          answer.status);
    }
    *more = cJSON_GetArraySize(data) > 0;
    (void)json_int(json_get(json_get(answer.json, "meta"), "pagination"), "total", &p->total);
    cJSON_ArrayForEach(item, data) {
        const char *sku = json_str(json_get(item, "identity"), "sku");
        if (sku != NULL && sku[0] != '\0') {
            effect_mark(&effects, QUEUE_SKU, sku, 0, "", "");
            p->done++;
        }
    }
    answer_free(&answer);
    if (next == NEXT_DONE && effects.n > 0) {
        next = effects_apply(app->redis, &effects, why);
    }
    args_free(&effects);
    return next;
}

static enum next mark_skus(struct app *app, struct progress *p, struct reason *why) {
    enum next next = NEXT_DONE;
    bool more = true;
    step_begin(app, p, "skus");
    for (int page = 1; next == NEXT_DONE && more && page <= PAGES_MAX; page++) {
        next = app_keep(app) ? skus_page(app, page, &more, p, why) : stopping(why);
        step_on(app, p);
    }
    return next;
}

/* ---- all of it ---- */

static enum next tell(struct app *app, const struct epoch *e, struct reason *why) {
    struct args effects = {0};
    const struct parked p = {.cause = "redis_epoch",
                             .owner = app->set->mapping->owner_stock,
                             .entity = e->id,
                             .text = e->cause,
                             .effect = "Levels stood still until pending and withheld units were derived anew",
                             .step = "Find out why Redis lost data; what was parked before may be gone. Then: onepool "
                                     "parked --close",
                             .queue = "",
                             .job = ""};
    effect_notice(&effects, &p);
    enum next next = effects_apply(app->redis, &effects, why);
    args_free(&effects);
    return next;
}

enum next rebuild(struct app *app, struct epoch *e, struct reason *why) {
    bool lossy = strcmp(e->state, "lossy") == 0;
    struct progress p = {.e = e, .step = "", .total = -1};
    int64_t from_ms = lost_from_ms(app, e), start = clock_mono_ms(), orders = 0;
    enum next next = NEXT_DONE;
    if (lossy) {
        LOG(LOG_WARN, "rebuilding", {"cause", e->cause}, {"from_ms", log_int(from_ms)});
        next = tell(app, e, why);
        next = next == NEXT_DONE ? forget_stock(app, why) : next;
        next = next == NEXT_DONE ? keep_since(app, e, why) : next;
        next = next == NEXT_DONE ? write_recover(app, why) : next; /* intents of another time: perhaps closed since */
        int64_t goods_ms = rebuild_goods_from_ms(app, e);
        next = next == NEXT_DONE ? withhold_refunds(app, goods_ms, &p, why) : next;
        next = next == NEXT_DONE ? mark_orders(app, from_ms, &p, why) : next;
        /* Younger ones are all due by now. */
        next = next == NEXT_DONE ? rebuild_returns(app, goods_ms, from_ms, &p.done, why) : next;
        orders = p.done;
    }
    if (next == NEXT_DONE) {
        step_begin(app, &p, "web_orders");
        next = weborders_refresh(app, why);
    }
    next = next == NEXT_DONE && lossy ? mark_skus(app, &p, why) : next;
    if (next != NEXT_DONE) {
        epoch_step(app, e, p.step, p.done, p.total, why->text);
        return next;
    }
    next = epoch_whole(app, e, why);
    if (next == NEXT_DONE && lossy) {
        LOG(LOG_WARN, "rebuilt; levels are written again", {"orders_due", log_int((long long)orders)},
            {"skus_due", log_int((long long)p.done)}, {"took_ms", log_int(clock_mono_ms() - start)});
    }
    return next;
}
