/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of BigCommerce's catalog, each read to its announced total. */
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "catalog.h"
#include "json.h"
#include "platform.h"
#include "ban.h"

#define PAGE_SIZE      250  /* the most that BigCommerce gives */
#define PAGES_MAX      2000 /* 600 variants of 250 products are 600, and pages may be smaller than asked for */
#define PATH_MAX_BYTES 8000

#define PRODUCT_FIELDS                                                                                      \
    "name,type,sku,price,sale_price,retail_price,tax_class_id,brand_id,categories,is_visible,availability," \
    "base_variant_id,upc,gtin"
#define VARIANT_FIELDS "product_id,sku,price,sale_price,retail_price,upc,gtin,purchasing_disabled,option_values"
#define FIRST_IMAGE    "&include=images"

/* One list in reading. take: an element; NEXT_PARK marks the product as bad, and reading goes on. */
struct reading {
    struct app *app;
    struct catalog *c;
    const int64_t *ids; /* asked for, ascending */
    size_t n;
    const char *currency;
    enum next (*take)(struct reading *r, const cJSON *item, struct reason *why);
    int64_t rows, total;
};

static enum next incomplete(const struct reading *r, const char *path, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce gave %lld of %lld rows of %.60s",
                      (long long)r->rows, (long long)r->total, path);
}

/* BigCommerce drops a filter that it does not know without a word. */
static enum next not_heeded(const char *filter, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "incomplete_read",
                      "BigCommerce listed what was not asked for: it does not heed the filter %s", filter);
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool asked(const struct reading *r, const cJSON *item, const char *key) {
    int64_t id = 0;
    return !json_id(item, key, &id) || bsearch(&id, r->ids, r->n, sizeof id, by_value) != NULL;
}

/* ---- elements ---- */

static enum next take_product(struct reading *r, const cJSON *item, struct reason *why) {
    return asked(r, item, "id") ? catalog_add_product(r->c, item, why) : not_heeded("id:in", why);
}

static enum next take_variant(struct reading *r, const cJSON *item, struct reason *why) {
    return asked(r, item, "product_id") ? catalog_add_variant(r->c, item, why) : not_heeded("product_id:in", why);
}

static enum next take_record(struct reading *r, const cJSON *item, struct reason *why) {
    return catalog_add_record(r->c, item, r->currency, why);
}

static enum next take_next(struct reading *r, const cJSON *item, struct reason *why) {
    int64_t id = 0, last = r->c->n > 0 ? r->c->products[r->c->n - 1].id : r->ids[0];
    if (json_id(item, "id", &id) && id <= last) {
        return not_heeded("id:greater or sort", why);
    }
    return catalog_add_product(r->c, item, why);
}

/* ---- pages ---- */

static enum next take_page(struct reading *r, const char *path, const struct answer *answer, struct reason *why) {
    const cJSON *data = json_array(answer->json, "data"), *item = NULL;
    int64_t total = 0, before = r->total;
    if (data == NULL || !json_int(json_get(json_get(answer->json, "meta"), "pagination"), "total", &total) ||
        total < 0) {
        return reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce's answer to %.60s is no list (status %d)",
                          path, answer->status);
    }
    r->total = total;
    cJSON_ArrayForEach(item, data) {
        enum next next = r->take(r, item, why);
        if (next != NEXT_DONE && next != NEXT_PARK) {
            return next;
        }
        r->rows++;
    }
    return before >= 0 && before != total ? incomplete(r, path, why) : NEXT_DONE;
}

/* *missing: whether the list itself was answered with 404. */
static enum next get_page(struct reading *r, const char *path, int64_t limit, int page, bool *missing,
                          struct reason *why) {
    struct answer answer;
    struct buf full;
    buf_init(&full, PATH_MAX_BYTES + 60);
    buf_addf(&full, "%s&limit=%lld&page=%d", path, (long long)limit, page);
    enum next next = bigcommerce_get(r->app, buf_str(&full), &answer, why);
    buf_free(&full);
    if (next != NEXT_DONE) {
        return next;
    }
    *missing = answer.status == 404;
    next = take_page(r, path, &answer, why);
    answer_free(&answer);
    return next;
}

static enum next read_list(struct reading *r, const char *path, bool *missing, struct reason *why) {
    r->rows = 0;
    r->total = -1;
    for (int page = 1; page <= PAGES_MAX; page++) {
        int64_t before = r->rows;
        enum next next = get_page(r, path, PAGE_SIZE, page, missing, why);
        if (next != NEXT_DONE || r->rows == r->total) {
            return next;
        }
        if (r->rows > r->total || r->rows == before) {
            break;
        }
    }
    return incomplete(r, path, why);
}

static void add_ids(struct buf *path, const int64_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buf_addf(path, "%s%lld", i > 0 ? "," : "", (long long)ids[i]);
    }
}

/* ---- variants and prices of the products that were found ---- */

static enum next read_variants(struct reading *r, struct reason *why) {
    struct buf path;
    bool missing = false;
    buf_init(&path, PATH_MAX_BYTES);
    buf_addf(&path, "/v3/catalog/variants?include_fields=" VARIANT_FIELDS "%s&product_id:in=",
             r->app->set->mapping->products.images ? ",image_url" : "");
    add_ids(&path, r->ids, r->n);
    r->take = take_variant;
    enum next next = read_list(r, buf_str(&path), &missing, why);
    buf_free(&path);
    catalog_sort(r->c);
    return next == NEXT_DONE ? catalog_check(r->c, why) : next;
}

static enum next read_records(struct reading *r, int64_t price_list_id, struct reason *why) {
    struct buf path;
    bool missing = false;
    buf_init(&path, PATH_MAX_BYTES);
    buf_addf(&path, "/v3/pricelists/%lld/records?product_id:in=", (long long)price_list_id);
    add_ids(&path, r->ids, r->n);
    r->take = take_record;
    enum next next = read_list(r, buf_str(&path), &missing, why);
    buf_free(&path);
    if (missing) {
        return reason_set(why, NEXT_PARK, "price_list_missing",
                          "BigCommerce has no price list %lld (mapping file: products.price_list_id)",
                          (long long)price_list_id);
    }
    return next;
}

/* What belongs to the products in r->c. */
static enum next read_rest(struct reading *r, int64_t price_list_id, struct reason *why) {
    int64_t *ids = xcalloc(r->c->n + 1, sizeof *ids);
    catalog_sort(r->c);
    for (size_t i = 0; i < r->c->n; i++) {
        ids[i] = r->c->products[i].id;
    }
    r->ids = ids;
    r->n = r->c->n;
    enum next next = r->n > 0 ? read_variants(r, why) : NEXT_DONE;
    if (next == NEXT_DONE && r->n > 0 && price_list_id > 0) {
        next = read_records(r, price_list_id, why);
    }
    free(ids);
    return next;
}

static const char *fields_of(const struct app *app) {
    static const char *const fields[2][2] = {
        {PRODUCT_FIELDS, PRODUCT_FIELDS FIRST_IMAGE},
        {PRODUCT_FIELDS ",description", PRODUCT_FIELDS ",description" FIRST_IMAGE}};
    const struct mapping_products *m = &app->set->mapping->products;
    return fields[m->description][m->images];
}

enum next catalog_read(struct app *app, const int64_t *ids, size_t n, int64_t price_list_id, const char *currency,
                       struct catalog *out, struct reason *why) {
    struct reading r = {.app = app, .c = out, .n = n, .currency = currency, .take = take_product};
    struct buf path;
    bool missing = false;
    *out = (struct catalog){0};
    if (n > CATALOG_READ_MAX) {
        return reason_set(why, NEXT_BUG, "bad_entity", "%zu products are too many for one reading", n);
    }
    if (n == 0) {
        return NEXT_DONE;
    }
    int64_t *sorted = xcalloc(n, sizeof *sorted);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = ids[i];
    }
    qsort(sorted, n, sizeof *sorted, by_value);
    r.ids = sorted;
    buf_init(&path, PATH_MAX_BYTES);
    buf_addf(&path, "/v3/catalog/products?include_fields=%s&id:in=", fields_of(app));
    add_ids(&path, sorted, n);
    enum next next = read_list(&r, buf_str(&path), &missing, why);
    buf_free(&path);
    next = next == NEXT_DONE ? read_rest(&r, price_list_id, why) : next;
    free(sorted);
    return next;
}

enum next catalog_read_after(struct app *app, int64_t after, size_t limit, int64_t price_list_id, const char *currency,
                             struct catalog *out, bool *more, struct reason *why) {
    struct reading r = {
        .app = app, .c = out, .ids = &after, .n = 1, .currency = currency, .take = take_next, .total = -1};
    char path[400];
    bool missing = false;
    *out = (struct catalog){0};
    *more = false;
    (void)snprintf(path, sizeof path, "/v3/catalog/products?include_fields=%s&sort=id&direction=asc&id:greater=%lld",
                   fields_of(app), (long long)after);
    enum next next = get_page(&r, path, limit > PAGE_SIZE ? PAGE_SIZE : (int64_t)limit, 1, &missing, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (r.rows > r.total || (r.rows == 0 && r.total > 0)) {
        return incomplete(&r, path, why);
    }
    *more = r.rows < r.total;
    return read_rest(&r, price_list_id, why);
}

enum next catalog_product_of(struct app *app, int64_t variant_id, int64_t *product_id, struct reason *why) {
    char path[120];
    struct answer answer;
    int64_t id = 0;
    *product_id = 0;
    (void)snprintf(path, sizeof path, "/v3/catalog/variants?id=%lld&limit=1&page=1&include_fields=product_id",
                   (long long)variant_id);
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *data = json_array(answer.json, "data"), *first = cJSON_GetArrayItem(data, 0);
    if (data == NULL) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce's answer about variant %lld is no list",
                          (long long)variant_id);
    } else if (first != NULL && (!json_id(first, "id", &id) || id != variant_id)) {
        next = not_heeded("id", why);
    } else if (first != NULL && (!json_id(first, "product_id", product_id) || *product_id <= 0)) {
        *product_id = 0;
        next = reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce does not say whose variant %lld is",
                          (long long)variant_id);
    }
    answer_free(&answer);
    return next;
}
