/* SPDX-License-Identifier: Apache-2.0 */
/* Both catalogs, one after the other; see product_shops.h. */
#include "product_shops.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "platform.h"
#include "ban.h"

#define WHOLE_TRIES   3  /* a list that changed while it was read */
#define WAITS_MAX     10 /* for one call */
#define WAIT_FIRST_MS INT64_C(1000)
#define WAIT_MAX_MS   INT64_C(60000)
#define WANTS_PAGE    CATALOG_READ_MAX

struct reading {
    struct app *app;
    shops_progress progress;
    void *arg;
    struct shops *out;
    int64_t web_total; /* products of BigCommerce; 0 = not known */
};

static void tell(const struct reading *r, const char *what, int64_t done, int64_t total) {
    if (r->progress != NULL) {
        r->progress(r->arg, what, done, total);
    }
}

/* ---- patience ---- */

/* May the call be made again? Waits until then. *tries counts them, *whole those that gave half a list. */
static bool wait_out(const struct reading *r, enum next next, const struct reason *why, int *tries, int *whole) {
    bool patient = strcmp(why->cause, "quota") == 0 || strcmp(why->cause, "platform_down") == 0;
    bool again = strcmp(why->cause, "incomplete_read") == 0;
    if (next != NEXT_DEFER || (!patient && !again) || (patient && ++*tries > WAITS_MAX) ||
        (again && ++*whole >= WHOLE_TRIES)) {
        return false;
    }
    int64_t wait = *tries < 7 ? WAIT_FIRST_MS << *tries >> 1 : WAIT_MAX_MS;
    wait = wait < WAIT_FIRST_MS ? WAIT_FIRST_MS : wait;
    return app_sleep(r->app, why->wait_ms > 0 ? why->wait_ms : wait);
}

/* One call that either is done whole or leaves nothing behind. */
typedef enum next (*step)(struct reading *r, void *arg, struct reason *why);

static enum next patiently(struct reading *r, step call, void *arg, struct reason *why) {
    int tries = 0, whole = 0;
    for (;;) {
        *why = (struct reason){0};
        if (!app_keep(r->app)) {
            why->not_its_fault = true;
            return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
        enum next next = call(r, arg, why);
        if (next == NEXT_DONE || !wait_out(r, next, why, &tries, &whole)) {
            return next;
        }
    }
}

/* ---- what both say about themselves ---- */

static enum next read_rules(struct reading *r, void *arg, struct reason *why) {
    (void)arg;
    product_rules_free(&r->out->rules);
    return product_rules_read(r->app, &r->out->rules, why);
}

/* An answer without it is no fault: then only nobody knows how many there are. */
static enum next count_web(struct reading *r, void *arg, struct reason *why) {
    struct answer answer;
    (void)arg;
    enum next next = bigcommerce_get(r->app, "/v3/catalog/products?include_fields=name&limit=1&page=1", &answer, why);
    if (next == NEXT_DONE) {
        (void)json_int(json_get(json_get(answer.json, "meta"), "pagination"), "total", &r->web_total);
        answer_free(&answer);
    }
    return next;
}

/* ---- BigCommerce ---- */

struct web_page {
    struct catalog catalog;
    int64_t after;
    bool more;
};

static enum next read_web_page(struct reading *r, void *arg, struct reason *why) {
    struct web_page *page = arg;
    const struct product_rules *rules = &r->out->rules;
    catalog_free(&page->catalog);
    page->catalog = (struct catalog){0};
    return catalog_read_after(r->app, page->after, WANTS_PAGE,
                              rules->map->from_price_list ? rules->map->price_list_id : 0, rules->currency,
                              &page->catalog, &page->more, why);
}

static void take_web_page(struct shops *s, const struct catalog *c) {
    if (s->n + c->n > s->cap) {
        s->cap = 2 * s->cap + c->n;
        s->wants = xrealloc(s->wants, s->cap, sizeof *s->wants);
    }
    for (size_t i = 0; i < c->n; i++) {
        struct product_want *w = &s->wants[s->n++];
        *w = (struct product_want){0};
        product_want(&c->products[i], &s->rules, w);
        s->variants += (int64_t)w->n;
    }
}

static enum next read_web(struct reading *r, struct reason *why) {
    struct web_page page = {.more = true};
    enum next next = NEXT_DONE;
    while (next == NEXT_DONE && page.more) {
        next = patiently(r, read_web_page, &page, why);
        if (next == NEXT_DONE && page.catalog.n == 0 && page.more) {
            next = reason_set(why, NEXT_DEFER, "incomplete_read",
                              "BigCommerce gave an empty page of products, not the last");
        }
        if (next != NEXT_DONE || page.catalog.n == 0) {
            break;
        }
        take_web_page(r->out, &page.catalog);
        page.after = page.catalog.products[page.catalog.n - 1].id;
        int64_t n = (int64_t)r->out->n;
        tell(r, "BigCommerce products", n, r->web_total > 0 && n > r->web_total ? n : r->web_total);
    }
    catalog_free(&page.catalog);
    return next;
}

/* ---- Sitoo ---- */

struct till_page {
    int64_t total; /* announced last */
};

static enum next read_till_page(struct reading *r, void *arg, struct reason *why) {
    struct till_page *page = arg;
    return till_read_page(r->app, (int64_t)r->out->till.n, &r->out->till, &page->total, why);
}

static bool sku_twice(const struct till_products *t) {
    for (size_t i = 1; i < t->n; i++) {
        if (t->list[i].sku[0] != '\0' && strcmp(t->list[i].sku, t->list[i - 1].sku) == 0) {
            return true;
        }
    }
    return false;
}

/* Pages are by position: a product made or deleted meanwhile moves the others, so that one comes twice or not at all.
 */
static enum next read_till_once(struct reading *r, bool *whole, struct reason *why) {
    struct till_products *t = &r->out->till;
    struct till_page page = {0};
    int64_t total = -1;
    size_t before = 0;
    enum next next = NEXT_DONE;
    till_free(t);
    *t = (struct till_products){0};
    do {
        before = t->n;
        next = patiently(r, read_till_page, &page, why);
        if (next != NEXT_DONE || (total >= 0 && page.total != total)) {
            return next;
        }
        total = page.total;
        tell(r, "Sitoo products", (int64_t)t->n, total);
    } while ((int64_t)t->n < total && t->n > before);
    till_sort(t);
    *whole = (int64_t)t->n == total && !sku_twice(t);
    return NEXT_DONE;
}

static enum next read_till(struct reading *r, struct reason *why) {
    for (int i = 0; i < WHOLE_TRIES; i++) {
        bool whole = false;
        enum next next = read_till_once(r, &whole, why);
        if (next != NEXT_DONE || whole) {
            return next;
        }
    }
    return reason_set(why, NEXT_DEFER, "incomplete_read",
                      "Sitoo's products changed each of %d times that they were read; it is tried again later",
                      WHOLE_TRIES);
}

static enum next read_lists(struct reading *r, void *arg, struct reason *why) {
    (void)arg;
    till_lists_free(&r->out->lists);
    r->out->lists = (struct till_lists){0};
    return till_read_lists(r->app, &r->out->lists, why);
}

static enum next read_list_prices(struct reading *r, void *arg, struct reason *why) {
    struct shops_list *l = arg;
    till_prices_free(&l->prices);
    l->prices = (struct till_prices){0};
    return till_read_prices(r->app, l->list->id, &l->prices, why);
}

static enum next read_prices(struct reading *r, struct reason *why) {
    struct shops *s = r->out;
    enum next next = patiently(r, read_lists, NULL, why);
    s->prices = xcalloc(s->lists.n + 1, sizeof *s->prices);
    for (size_t i = 0; next == NEXT_DONE && i < s->lists.n; i++) {
        if (s->lists.list[i].active && s->lists.list[i].id != TILL_DEFAULT_LIST) {
            struct shops_list *l = &s->prices[s->price_count++];
            l->list = &s->lists.list[i];
            next = patiently(r, read_list_prices, l, why);
            tell(r, "Sitoo price lists", (int64_t)s->price_count, 0);
        }
    }
    return next;
}

/* ---- all of it ---- */

enum next shops_read(struct app *app, shops_progress progress, void *arg, struct shops *out, struct reason *why) {
    struct reading r = {.app = app, .progress = progress, .arg = arg, .out = out};
    *out = (struct shops){0};
    enum next next = patiently(&r, read_rules, NULL, why);
    next = next == NEXT_DONE ? patiently(&r, count_web, NULL, why) : next;
    next = next == NEXT_DONE ? read_web(&r, why) : next;
    out->unread = r.web_total > (int64_t)out->n ? r.web_total - (int64_t)out->n : 0;
    next = next == NEXT_DONE ? read_till(&r, why) : next;
    return next == NEXT_DONE ? read_prices(&r, why) : next;
}

int64_t shops_sale_price(const struct shops *s, const char *sku) {
    int64_t id = s->rules.map->sale_price_list_id;
    for (size_t i = 0; id != 0 && i < s->price_count; i++) {
        if (s->prices[i].list->id == id) {
            const struct till_price *p = till_price_find(&s->prices[i].prices, sku);
            return p != NULL ? p->price : WANT_NONE;
        }
    }
    return WANT_NONE;
}

void shops_free(struct shops *s) {
    for (size_t i = 0; i < s->n; i++) {
        product_want_free(&s->wants[i]);
    }
    for (size_t i = 0; i < s->price_count; i++) {
        till_prices_free(&s->prices[i].prices);
    }
    free(s->wants);
    free(s->prices);
    till_free(&s->till);
    till_lists_free(&s->lists);
    product_rules_free(&s->rules);
    *s = (struct shops){0};
}
