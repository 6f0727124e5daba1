/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Sitoo's products and price lists, completely or not at all; see till_product.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "platform.h"
#include "sku.h"
#include "till_product.h"
#include "ban.h"

#define PATH_SKUS_MAX 6000 /* bytes of SKUs in one address; platform.c's limit is 16,000 */
#define CALL_SKUS_MAX 200
#define LISTS_MAX     100 /* sitoo.md 6.4: at most 100 exist */
#define CALLS_AT_ONCE 16

static long long site(const struct app *app) {
    return (long long)app->set->sitoo_site_id;
}

/* One read; a 404 is an answer without JSON. */
static enum next get(struct app *app, const char *path, struct answer *answer, struct reason *why) {
    return sitoo_get(app, &path, answer, 1, why);
}

/* The rows of a list answer and its announced total. */
static enum next rows_of(const struct answer *a, const char *what, const cJSON **rows, int64_t *total,
                         struct reason *why) {
    *rows = json_array(a->json, "items");
    if (*rows == NULL || !json_int(a->json, "totalcount", total) || *total < 0) {
        return reason_set(why, NEXT_DEFER, "incomplete_read",
                          "Sitoo's answer about %s is no list with a total (status %d)", what, a->status);
    }
    return NEXT_DONE;
}

/* ---- by SKU ---- */

/* Takes as many of skus[from..] as fit into one call; n_out: how many it asks for. Returns the next position. */
static size_t sku_path(const struct app *app, const char *const *skus, size_t n, size_t from, char **path,
                       size_t *asked) {
    struct buf list, out;
    buf_init(&list, PATH_SKUS_MAX + 4000);
    *asked = 0;
    while (from < n && *asked < CALL_SKUS_MAX && list.len < PATH_SKUS_MAX) {
        /* A comma cannot be told from the end of a SKU; one that is too long would be cut at the end of the list. */
        if (sku_fits(skus[from]) && strchr(skus[from], ',') == NULL) {
            buf_add_str(&list, *asked > 0 ? "," : "");
            buf_add_url(&list, skus[from]);
            (*asked)++;
        }
        from++;
    }
    buf_init(&out, 2 * PATH_SKUS_MAX + 1000);
    buf_addf(&out, "/sites/%lld/products.json?includeinactive=true&start=0&num=%zu&fields=%s&sku=%s", site(app),
             2 * *asked + 10, till_product_fields, buf_str(&list));
    buf_free(&list);
    *path = buf_take(&out);
    return from;
}

static enum next take_products(struct till_products *out, const struct answer *a, struct reason *why) {
    const cJSON *rows = NULL, *row = NULL;
    int64_t total = 0;
    enum next next = rows_of(a, "products", &rows, &total, why);
    if (next == NEXT_DONE && cJSON_GetArraySize(rows) != total) {
        return reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo announced %lld products and sent %d",
                          (long long)total, cJSON_GetArraySize(rows));
    }
    cJSON_ArrayForEach(row, rows) {
        next = next == NEXT_DONE ? till_add(out, row, why) : next;
    }
    return next;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each SKU once: a list in an address may not repeat one. */
static size_t each_once(const char **skus, size_t n) {
    size_t kept = 0;
    qsort(skus, n, sizeof *skus, by_text);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || strcmp(skus[kept - 1], skus[i]) != 0) {
            skus[kept++] = skus[i];
        }
    }
    return kept;
}

enum next till_read(struct app *app, const char *const *skus, size_t n, struct till_products *out, struct reason *why) {
    enum next next = NEXT_DONE;
    const char **list = xcalloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i] = skus[i];
    }
    n = each_once(list, n);
    for (size_t from = 0; next == NEXT_DONE && from < n;) {
        char *paths[CALLS_AT_ONCE];
        struct answer answers[CALLS_AT_ONCE];
        size_t calls = 0, asked = 0;
        while (calls < CALLS_AT_ONCE && from < n) {
            from = sku_path(app, list, n, from, &paths[calls], &asked);
            if (asked > 0) {
                calls++;
            } else {
                free(paths[calls]);
            }
        }
        next = calls > 0 ? sitoo_get(app, (const char *const *)paths, answers, calls, why) : NEXT_DONE;
        bool answered = next == NEXT_DONE;
        for (size_t i = 0; i < calls; i++) {
            next = next == NEXT_DONE ? take_products(out, &answers[i], why) : next;
            if (answered) {
                answer_free(&answers[i]);
            }
            free(paths[i]);
        }
    }
    free(list);
    return next;
}

/* ---- all of them ---- */

enum next till_read_page(struct app *app, int64_t start, struct till_products *out, int64_t *total,
                         struct reason *why) {
    char path[400];
    struct answer answer;
    const cJSON *rows = NULL, *row = NULL;
    (void)snprintf(path, sizeof path, "/sites/%lld/products.json?includeinactive=true&start=%lld&num=%lld&fields=%s",
                   site(app), (long long)start, (long long)app->set->mapping->sitoo_page_size, till_product_fields);
    enum next next = get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    next = rows_of(&answer, "all products", &rows, total, why);
    if (next == NEXT_DONE && cJSON_GetArraySize(rows) == 0 && start < *total) {
        next =
            reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo announced %lld products and sends none from %lld on",
                       (long long)*total, (long long)start);
    }
    cJSON_ArrayForEach(row, rows) {
        next = next == NEXT_DONE ? till_add(out, row, why) : next;
    }
    answer_free(&answer);
    return next;
}

enum next till_count(struct app *app, int64_t *n, struct reason *why) {
    char path[160];
    struct answer answer;
    const cJSON *rows = NULL;
    (void)snprintf(path, sizeof path, "/sites/%lld/products.json?includeinactive=true&start=0&num=1&fields=productid",
                   site(app));
    enum next next = get(app, path, &answer, why);
    if (next == NEXT_DONE) {
        next = rows_of(&answer, "how many products there are", &rows, n, why);
        answer_free(&answer);
    }
    return next;
}

enum next till_read_family(struct app *app, int64_t parent_id, cJSON **json, struct reason *why) {
    char path[120];
    struct answer answer;
    *json = NULL;
    (void)snprintf(path, sizeof path, "/sites/%lld/products/%lld/productvariants.json", site(app),
                   (long long)parent_id);
    enum next next = get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (answer.status != 404 && json_array(answer.json, "variants") == NULL) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read",
                          "Sitoo's answer about the family of product %lld has no variants", (long long)parent_id);
    } else if (answer.status != 404) {
        *json = answer.json;
        answer.json = NULL;
    }
    answer_free(&answer);
    return next;
}

/* ---- price lists ---- */

static void take_list(struct till_lists *out, const cJSON *json) {
    struct till_list *l = &out->list[out->n];
    const char *name = json_str(json, "pricelistname"), *currency = json_str(json, "currencycode");
    if (!json_int(json, "pricelistid", &l->id) || l->id <= 0) {
        return;
    }
    l->name = xstrdup(name != NULL ? name : "");
    l->active = json_bool(json, "active", false);
    l->tagged = cJSON_GetArraySize(json_array(json, "tags")) > 0;
    (void)str_copy(l->currency, sizeof l->currency, currency != NULL ? currency : "");
    out->n++;
}

enum next till_read_lists(struct app *app, struct till_lists *out, struct reason *why) {
    char path[120];
    struct answer answer;
    const cJSON *rows = NULL, *row = NULL;
    int64_t total = 0;
    (void)snprintf(path, sizeof path, "/sites/%lld/pricelists.json?start=0&num=%d", site(app), LISTS_MAX);
    enum next next = get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    next = rows_of(&answer, "price lists", &rows, &total, why);
    if (next == NEXT_DONE && cJSON_GetArraySize(rows) != total) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo announced %lld price lists and sent %d",
                          (long long)total, cJSON_GetArraySize(rows));
    }
    if (next == NEXT_DONE) {
        out->list = xcalloc((size_t)total + 1, sizeof *out->list);
        cJSON_ArrayForEach(row, rows) {
            take_list(out, row);
        }
    }
    answer_free(&answer);
    return next;
}

static void take_price(struct till_prices *out, const cJSON *json) {
    const char *sku = json_str(json, "sku"), *money = json_str(json, "moneyprice");
    int64_t price = 0;
    if (sku == NULL || money == NULL || !till_money_parse(money, &price)) {
        return;
    }
    if (out->n == out->cap) {
        out->cap = out->cap > 0 ? 2 * out->cap : 64;
        out->list = xrealloc(out->list, out->cap, sizeof *out->list);
    }
    out->list[out->n++] = (struct till_price){
        .sku = xstrdup(sku), .price = price, .volume = cJSON_GetArraySize(json_array(json, "moneypricevolume")) > 0};
}

static int price_by_sku(const void *a, const void *b) {
    const struct till_price *x = a, *y = b;
    return strcmp(x->sku, y->sku);
}

/* A SKU that stands twice moved while pages were read, and another one was missed. */
static enum next sort_prices(struct till_prices *p, int64_t list_id, struct reason *why) {
    if (p->n > 1) {
        qsort(p->list, p->n, sizeof *p->list, price_by_sku);
    }
    for (size_t i = 1; i < p->n; i++) {
        if (strcmp(p->list[i - 1].sku, p->list[i].sku) == 0) {
            return reason_set(why, NEXT_DEFER, "incomplete_read", "price list %lld lists SKU %.80s twice",
                              (long long)list_id, p->list[i].sku);
        }
    }
    return NEXT_DONE;
}

enum next till_read_prices(struct app *app, int64_t list_id, struct till_prices *out, struct reason *why) {
    enum next next = NEXT_DONE;
    int64_t total = 1, seen = 0, announced = -1;
    while (next == NEXT_DONE && seen < total) {
        char path[200];
        struct answer answer;
        const cJSON *rows = NULL, *row = NULL;
        (void)snprintf(path, sizeof path,
                       "/sites/%lld/pricelists/%lld/"
                       "pricelistitems.json?start=%lld&num=%lld&fields=sku,moneyprice,moneypricevolume",
                       site(app), (long long)list_id, (long long)seen, (long long)app->set->mapping->sitoo_page_size);
        next = get(app, path, &answer, why);
        if (next != NEXT_DONE) {
            return next;
        }
        next = rows_of(&answer, "a price list", &rows, &total, why);
        int n = cJSON_GetArraySize(rows);
        if (next == NEXT_DONE && n == 0 && seen < total) {
            next =
                reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo announced %lld prices of list %lld and sent %lld",
                           (long long)total, (long long)list_id, (long long)seen);
        }
        cJSON_ArrayForEach(row, rows) {
            take_price(out, row);
        }
        seen += n;
        answer_free(&answer);
        /* Rows moved between the pages: one may be missing. */
        if (next == NEXT_DONE && ((announced >= 0 && announced != total) || seen > total)) {
            next = reason_set(why, NEXT_DEFER, "incomplete_read", "price list %lld changed while it was read",
                              (long long)list_id);
        }
        announced = total;
    }
    return next == NEXT_DONE ? sort_prices(out, list_id, why) : next;
}
