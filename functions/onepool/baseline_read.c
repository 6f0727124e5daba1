/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of both sides beside the orders, and how its rows are kept; see baseline_list.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline_list.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define PRODUCTS_PAGE    250
#define ITEMS_PAGE       1000
#define ITEM_LEVELS_PAGE 20000 /* levels in one answer: keeps it below PLATFORM_ANSWER_MAX */
#define PRICE_SCALE      10000
#define LOCATIONS_ALL    20

/* ---- the ledger's cursor ---- */

/* Set before any level is read, so that whatever moves meanwhile is found in the ledger. One that is there is older,
 * and stays. */
static enum next set_cursor(struct baseline *b, int64_t newest, struct reason *why) {
    static const char *const fields[] = {"begin", "ledger", "since"};
    struct args cmds[3] = {{0}, {0}, {0}};
    redisReply *replies[3] = {NULL, NULL, NULL};
    for (size_t i = 0; i < 3; i++) {
        args_add(&cmds[i], "HSETNX");
        args_add_key(&cmds[i], b->app->redis, KEY_CURSOR);
        args_add(&cmds[i], fields[i]);
        args_add_int(&cmds[i], i < 2 ? newest : clock_wall_ms());
    }
    enum next next = redis_pipeline(b->app->redis, cmds, 3, true, replies, why);
    redis_pipeline_free(cmds, replies, 3);
    return next == NEXT_DONE ? baseline_set_int(b, "ledger", newest, why) : next;
}

enum next baseline_read_cursor(struct baseline *b, struct reason *why) {
    char path[160], text[32];
    struct answer answer;
    int64_t id = 0;
    enum next next = baseline_get(b, "ledger", text, sizeof text, why);
    if (next != NEXT_DONE || text[0] != '\0') {
        return next;
    }
    (void)snprintf(
        path, sizeof path,
        "/sites/%lld/warehousetransactions.json?num=1&sort=-warehousetransactionid&fields=warehousetransactionid",
        (long long)b->app->set->sitoo_site_id);
    next = baseline_sitoo(b, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    bool good = items != NULL && (cJSON_GetArraySize(items) == 0 ||
                                  json_int(cJSON_GetArrayItem(items, 0), "warehousetransactionid", &id));
    answer_free(&answer);
    return good ? set_cursor(b, id, why)
                : reason_set(why, NEXT_PARK, "bad_ledger", "Sitoo's ledger is not a list with ids");
}

/* ---- sizes ---- */

static enum next size_of(struct baseline *b, bool sitoo, const char *path, int64_t *n, struct reason *why) {
    struct answer answer;
    const cJSON *rows = NULL;
    enum next next = sitoo ? baseline_sitoo(b, path, &answer, why) : baseline_bigcommerce(b, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    *n = 0;
    bool good = baseline_list_rows(sitoo, &answer, &rows, n);
    next = good || answer.status == 404 ? NEXT_DONE
                                        : reason_set(why, NEXT_PARK, "incomplete_read",
                                                     "%.80s: no list with a total (status %d)", path, answer.status);
    answer_free(&answer);
    return next;
}

/* An empty answer is what a wrong site or id gives, so it is no stock of 0. */
static enum next size_warehouses(struct baseline *b, int64_t *total, struct reason *why) {
    const struct mapping *m = b->app->set->mapping;
    for (size_t w = 0; w < m->warehouse_count; w++) {
        char path[160];
        int64_t n = 0;
        (void)snprintf(path, sizeof path, "/sites/%lld/warehouses/%lld/warehouseitems.json?num=1&fields=sku",
                       (long long)b->app->set->sitoo_site_id, (long long)m->warehouses[w]);
        enum next next = size_of(b, true, path, &n, why);
        if (next != NEXT_DONE) {
            return next;
        }
        if (n == 0) {
            return reason_set(
                why, NEXT_PARK, "warehouse_empty",
                "warehouse %lld of the mapping file has no stock row at all: its id or SITOO_SITE_ID may be "
                "wrong. A new one needs its first row, or leave it out",
                (long long)m->warehouses[w]);
        }
        *total += n;
    }
    return NEXT_DONE;
}

enum next baseline_read_sizes(struct baseline *b, struct reason *why) {
    char path[160];
    int64_t total = 0, n = 0;
    enum next next = baseline_get_int(b, "size", &total, why);
    if (next == NEXT_DONE && total == 0) {
        next = size_warehouses(b, &total, why);
        (void)snprintf(path, sizeof path, "/sites/%lld/products.json?includeinactive=true&num=1&fields=productid",
                       (long long)b->app->set->sitoo_site_id);
        next = next == NEXT_DONE ? size_of(b, true, path, &n, why) : next;
        total += n;
        next = next == NEXT_DONE ? size_of(b, false, "/v3/inventory/items?limit=1", &n, why) : next;
        total += n;
        next =
            next == NEXT_DONE ? size_of(b, false, "/v3/catalog/products?limit=1&include_fields=name", &n, why) : next;
        total += n;
        next = next == NEXT_DONE ? baseline_set_int(b, "size", total, why) : next;
    }
    b->progress.total = total;
    return next;
}

/* ---- Sitoo ---- */

static void add_place(struct args *rows, int64_t place) {
    args_addf(rows, " %lld", (long long)place); /* no SKU begins with a space */
}

static void take_stock(const cJSON *item, int64_t place, struct args *rows) {
    const char *sku = json_str(item, "sku"), *text = json_str(item, "decimalavailable"),
               *on_hand = json_str(item, "decimaltotal"), *held = json_str(item, "decimalreserved");
    int64_t available = 0, reserved = 0;
    bool readable = text != NULL ? quantity_parse(text, &available)
                                 : on_hand != NULL && held != NULL && quantity_parse(on_hand, &available) &&
                                       quantity_parse(held, &reserved);
    if (sku == NULL || sku[0] == '\0') {
        add_place(rows, place);
    } else {
        args_add(rows, sku);
    }
    if (readable) {
        args_add_int(rows, available - reserved);
    } else {
        args_add(rows, "?");
    }
}

static void take_product(const cJSON *item, int64_t place, struct args *rows) {
    const char *sku = json_str(item, "sku");
    int64_t id = 0;
    if (json_id(item, "productid", &id)) {
        args_add_int(rows, id);
    } else {
        add_place(rows, place);
    }
    args_addf(rows, "%d %s", json_bool(item, "stockcountenable", true) ? 1 : 0, sku != NULL ? sku : "");
}

enum next baseline_read_sitoo(struct baseline *b, struct reason *why) {
    const struct mapping *m = b->app->set->mapping;
    long long site = (long long)b->app->set->sitoo_site_id;
    struct baseline_list products = {.what = "products of Sitoo",
                                     .part = "sitoo",
                                     .hash = "sitoo",
                                     .sitoo = true,
                                     .page = m->sitoo_page_size,
                                     .take = take_product};
    (void)snprintf(products.path, sizeof products.path,
                   "/sites/%lld/products.json?includeinactive=true&fields=productid,sku,stockcountenable", site);
    enum next next = baseline_read_list(b, &products, why);
    for (size_t w = 0; next == NEXT_DONE && w < m->warehouse_count; w++) {
        char part[BASELINE_WORD_MAX], what[80];
        (void)snprintf(part, sizeof part, "stock:%lld", (long long)m->warehouses[w]);
        (void)snprintf(what, sizeof what, "stock of warehouse %lld", (long long)m->warehouses[w]);
        struct baseline_list stock = {
            .what = what, .part = part, .hash = part, .sitoo = true, .page = m->sitoo_page_size, .take = take_stock};
        (void)snprintf(stock.path, sizeof stock.path,
                       "/sites/%lld/warehouses/%lld/"
                       "warehouseitems.json?fields=sku,decimaltotal,decimalreserved,decimalavailable",
                       site, (long long)m->warehouses[w]);
        next = baseline_read_list(b, &stock, why);
    }
    return next;
}

/* ---- BigCommerce ---- */

static void take_item(const cJSON *item, int64_t place, struct args *rows) {
    const cJSON *identity = json_get(item, "identity"), *l = NULL;
    const char *sku = json_str(identity, "sku");
    int64_t product = 0, variant = 0, location = 0, level = 0;
    struct buf value;
    buf_init(&value, (size_t)64 * 1024);
    if (json_id(identity, "product_id", &product)) {
        (void)json_id(identity, "variant_id", &variant);
        args_addf(rows, "%lld:%lld", (long long)product, (long long)variant);
    } else {
        add_place(rows, place);
    }
    cJSON_ArrayForEach(l, json_array(item, "locations")) {
        if (json_id(l, "location_id", &location) && json_int(l, "total_inventory_onhand", &level)) {
            buf_addf(&value, "%lld:%lld ", (long long)location, (long long)level);
        }
    }
    buf_addf(&value, "sku %s", sku != NULL ? sku : "");
    args_add(rows, buf_str(&value));
    buf_free(&value);
}

/* Price in ten-thousandths; -1 if there is none. JSON has no decimals, so it passes through a double once. */
static int64_t price_of(const cJSON *o) {
    const cJSON *price = json_get(o, "calculated_price");
    price = cJSON_IsNumber(price) ? price : json_get(o, "price");
    double value = cJSON_IsNumber(price) ? price->valuedouble : -1.0;
    return value >= 0.0 && value < 1e11 ? (int64_t)(value * PRICE_SCALE + 0.5) : -1;
}

static void add_product(const cJSON *product, int64_t id, struct args *rows) {
    int64_t base = 0;
    cJSON *o = json_new_object();
    json_add_str(o, "tracking", json_str(product, "inventory_tracking"));
    json_add_bool(o, "several", !json_id(product, "base_variant_id", &base));
    json_add_int(o, "price", price_of(product));
    json_add_str(o, "name", json_str(product, "name"));
    char *text = json_print(o);
    args_add_int(rows, id);
    args_add(rows, text);
    free(text);
    cJSON_Delete(o);
}

/* One page behind *last by rising id, which no change can shift. *n: rows of it. */
static enum next read_products_page(struct baseline *b, int64_t *last, int64_t *n, struct reason *why) {
    char path[240];
    struct answer answer;
    struct args rows = {0}, progress = {0};
    const cJSON *product = NULL;
    (void)snprintf(path, sizeof path,
                   "/v3/catalog/products?id:greater=%lld&sort=id&direction=asc&limit=%d"
                   "&include_fields=name,inventory_tracking,base_variant_id,price,calculated_price",
                   (long long)*last, PRODUCTS_PAGE);
    enum next next = baseline_bigcommerce(b, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *data = json_array(answer.json, "data");
    *n = cJSON_GetArraySize(data);
    bool good = data != NULL;
    cJSON_ArrayForEach(product, data) {
        int64_t id = 0;
        good = good && json_id(product, "id", &id) && id > *last;
        if (good) {
            add_product(product, id, &rows);
            *last = id;
        }
    }
    answer_free(&answer);
    if (!good) {
        args_free(&rows);
        return reason_set(why, NEXT_PARK, "incomplete_read",
                          "BigCommerce's products do not come by rising id; id:greater or sort is not heeded");
    }
    progress_step(&b->progress, "products of BigCommerce", *n);
    args_add(&progress, "at:products");
    args_add_int(&progress, *last);
    args_add(&progress, "done");
    args_add_int(&progress, b->progress.done);
    next = baseline_put(b, "products", &rows, &progress, why);
    args_free(&rows);
    args_free(&progress);
    return next;
}

static enum next read_products(struct baseline *b, struct reason *why) {
    int64_t last = 0, n = 1, done = 0;
    enum next next = baseline_get_int(b, "end:products", &done, why);
    next = next == NEXT_DONE ? baseline_get_int(b, "at:products", &last, why) : next;
    /* Until a page is empty: how many rows a page may have is BigCommerce's to say (bigcommerce.md 3). */
    while (next == NEXT_DONE && done == 0 && n > 0) {
        next = read_products_page(b, &last, &n, why);
    }
    return next == NEXT_DONE && done == 0 ? baseline_set_int(b, "end:products", 1, why) : next;
}

/* All locations, so that stock at those that are not mapped shows; of a store with very many, the mapped ones. */
enum next baseline_read_bigcommerce(struct baseline *b, struct reason *why) {
    const struct mapping *m = b->app->set->mapping;
    int64_t locations = 0;
    struct baseline_list items = {.what = "levels in BigCommerce", .part = "items", .hash = "items", .take = take_item};
    enum next next = size_of(b, false, "/v3/inventory/locations?limit=1", &locations, why);
    if (next != NEXT_DONE) {
        return next;
    }
    bool all = locations <= LOCATIONS_ALL;
    size_t len =
        (size_t)snprintf(items.path, sizeof items.path, "/v3/inventory/items?%s", all ? "" : "location_id:in=");
    for (size_t i = 0; !all && i < m->location_count && len < sizeof items.path - 24; i++) {
        len += (size_t)snprintf(items.path + len, sizeof items.path - len, "%s%lld", i > 0 ? "," : "",
                                (long long)m->locations[i].location_id);
    }
    int64_t each = all ? locations : (int64_t)m->location_count;
    items.page = each > 0 && ITEM_LEVELS_PAGE / each < ITEMS_PAGE ? ITEM_LEVELS_PAGE / each : ITEMS_PAGE;
    items.page = items.page < 50 ? 50 : items.page;
    next = baseline_read_list(b, &items, why);
    return next == NEXT_DONE ? read_products(b, why) : next;
}
