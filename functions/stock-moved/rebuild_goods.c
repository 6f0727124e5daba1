/* SPDX-License-Identifier: Apache-2.0 */
#include "rebuild_goods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "ledger.h"
#include "order.h"
#include "platform.h"
#include "quantity.h"
#include "queue.h"
#include "sku.h"
#include "ban.h"

#define DAY_MS     (INT64_C(86400) * 1000)
#define DAYS_MAX   365 /* nobody judges a return that is older than 380 days, see shared/lua/00_common.lua */
#define PAGES_MAX  10000
#define BATCH_ARGS ((size_t)5000)

int64_t rebuild_goods_from_ms(const struct app *app, const struct epoch *e) {
    const struct mapping *m = app->set->mapping;
    int64_t days = m->returns.days > m->orders_days ? m->returns.days : m->orders_days;
    int64_t from = clock_wall_ms() - (days < DAYS_MAX ? days : DAYS_MAX) * DAY_MS;
    from = e->since_ms > from ? e->since_ms : from;
    from = e->from_ms > from ? e->from_ms : from;
    return from - from % 1000; /* Sitoo's dates are whole seconds */
}

/* ---- the ledger ---- */

void rebuild_rows_free(struct rebuild_rows *rows) {
    for (size_t i = 0; i < rows->n; i++) {
        args_free(&rows->list[i]);
    }
    free(rows->list);
    memset(rows, 0, sizeof *rows);
}

void rebuild_rows_add(struct rebuild_rows *rows, const cJSON *row) {
    const cJSON *item = NULL;
    struct args effects = {0};
    int index = 0;
    cJSON_ArrayForEach(item, json_array(row, "items")) {
        const char *sku = json_str(item, "sku"), *quantity = json_str(item, "decimalquantity");
        int64_t delta = 0;
        if (sku != NULL && sku_fits(sku) && quantity != NULL && quantity_parse(quantity, &delta)) {
            ledger_plan_withheld(row, index, sku, delta, NULL, &effects);
        }
        index++;
    }
    if (effects.n > 0) {
        rows->list = xrealloc(rows->list, rows->n + 1, sizeof *rows->list);
        rows->list[rows->n++] = effects;
    }
}

enum next rebuild_rows_apply(struct app *app, struct rebuild_rows *rows, struct reason *why) {
    struct args effects = {0};
    enum next next = NEXT_DONE;
    for (size_t i = rows->n; next == NEXT_DONE && i > 0; i--) {
        args_append(&effects, &rows->list[i - 1]);
        if (effects.n >= BATCH_ARGS || i == 1) {
            next = effects_apply(app->redis, &effects, why);
            args_free(&effects);
        }
    }
    args_free(&effects);
    rebuild_rows_free(rows);
    return next;
}

/* ---- returns ---- */

/* An order that cannot be read is made due too: its case says why. */
static bool has_returned_rows(const cJSON *order) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_array(order, "orderitems")) {
        const char *weighed = json_str(item, "decimalquantitytotal");
        int64_t units = 0, thousandths = 0;
        if (weighed != NULL ? !quantity_parse(weighed, &thousandths) || thousandths < 0
                            : !json_int(item, "quantity", &units) || units < 0) {
            return true;
        }
    }
    return false;
}

static enum next take_page(struct app *app, const cJSON *items, int64_t *last, int64_t *done, struct reason *why) {
    struct args effects = {0};
    const cJSON *order = NULL;
    enum next next = NEXT_DONE;
    cJSON_ArrayForEach(order, items) {
        char entity[24];
        int64_t id = 0;
        if (!json_int(order, "orderid", &id) || id <= *last) {
            args_free(&effects);
            return reason_set(why, NEXT_DEFER, "bad_orders",
                              "Sitoo's orders after %lld are not sorted by orderid, or one has none", (long long)*last);
        }
        *last = id;
        if (has_returned_rows(order)) {
            (void)snprintf(entity, sizeof entity, "%lld", (long long)id);
            effect_mark(&effects, QUEUE_ORDER, entity, 0, "", "");
            ++*done;
        }
    }
    if (effects.n > 0) {
        next = effects_apply(app->redis, &effects, why);
    }
    args_free(&effects);
    return next;
}

enum next rebuild_returns(struct app *app, int64_t from_ms, int64_t to_ms, int64_t *done, struct reason *why) {
    int64_t last = 0, size = app->set->mapping->sitoo_page_size;
    bool more = from_ms < to_ms;
    enum next next = NEXT_DONE;
    for (int page = 0; next == NEXT_DONE && more && page < PAGES_MAX; page++) {
        char path[300];
        const char *paths[] = {path};
        struct answer answer;
        if (!app_keep(app)) {
            why->not_its_fault = true;
            return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
        (void)snprintf(path, sizeof path,
                       "/orders.json?eshopid=%lld&orderdatefrom=%lld&orderdateto=%lld&orderidfrom=%lld&sort=orderid"
                       "&num=%lld&fields=orderid,orderitems",
                       (long long)app->set->sitoo_site_id, (long long)(from_ms / 1000), (long long)(to_ms / 1000),
                       (long long)last + 1, (long long)size);
        next = sitoo_get(app, paths, &answer, 1, why);
        if (next != NEXT_DONE) {
            return next;
        }
        const cJSON *items = json_array(answer.json, "items");
        more = cJSON_GetArraySize(items) >= size;
        next = items != NULL ? take_page(app, items, &last, done, why)
                             : reason_set(why, NEXT_DEFER, "bad_orders", "Sitoo's orders are not a list (status %d)",
                                          answer.status);
        answer_free(&answer);
    }
    return next;
}
