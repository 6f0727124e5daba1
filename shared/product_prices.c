/* SPDX-License-Identifier: Apache-2.0 */
/* Price lists of the tills besides the default one: the till takes the lowest price of all active lists (sitoo.md 6.4).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "log.h"
#include "product_row.h"
#include "ban.h"

enum next sync_prices(struct sync *s, int64_t list_id, struct till_prices **out, struct reason *why) {
    *out = NULL;
    for (size_t i = 0; i < s->lists.n; i++) {
        if (s->lists.list[i].id != list_id) {
            continue;
        }
        if (!s->prices_known[i]) {
            enum next next = till_read_prices(s->app, list_id, &s->prices[i], why);
            if (next != NEXT_DONE) {
                till_prices_free(&s->prices[i]);
                return next;
            }
            s->prices_known[i] = true;
        }
        *out = &s->prices[i];
    }
    return NEXT_DONE;
}

/* ---- sold for less than wanted ---- */

static int64_t charged(const struct row *r) {
    return till_charges(r->want.price, r->want.sale_price);
}

static void undercut(struct sync *s, struct row *r, const struct till_list *list, int64_t price) {
    char text[400], a[TILL_MONEY_SIZE], b[TILL_MONEY_SIZE];
    till_money_format(price, a);
    till_money_format(charged(r), b);
    (void)snprintf(
        text, sizeof text,
        "Price list %lld (%.60s) of Sitoo sells %.120s for %s %s, BigCommerce for %s: the till takes the lower price%s",
        (long long)list->id, list->name, r->sku, a, s->rules.currency, b,
        list->tagged ? ", where the list's tag applies" : "");
    row_case(s, r->item, "price_undercut", r->sku, text, "Shops sell it for less than the web shop",
             "Change or remove the price in that list of Sitoo; the case closes when the catalogs are next compared");
}

enum next rows_undercut(struct sync *s, struct rows *rows, struct reason *why) {
    int64_t sale_list = s->app->set->mapping->products.sale_price_list_id;
    bool any = false;
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->list[i];
        any = any || (!r->hide && !r->refused && r->id > 0 && r->old_charged != charged(r));
    }
    for (size_t k = 0; any && k < s->lists.n; k++) {
        const struct till_list *list = &s->lists.list[k];
        struct till_prices *prices = NULL;
        if (!list->active || list->id == TILL_DEFAULT_LIST || list->id == sale_list ||
            strcmp(list->currency, s->rules.currency) != 0) {
            continue;
        }
        enum next next = sync_prices(s, list->id, &prices, why);
        if (next != NEXT_DONE) {
            return next;
        }
        for (size_t i = 0; i < rows->n; i++) {
            struct row *r = &rows->list[i];
            const struct till_price *p = r->hide || r->refused ? NULL : till_price_find(prices, r->sku);
            if (p != NULL && p->price < charged(r)) {
                undercut(s, r, list, p->price);
            }
        }
    }
    return NEXT_DONE;
}

/* ---- our own list of sale prices ---- */

/* What is written in one call, and of which rows. */
struct prices {
    cJSON *elements[SYNC_BATCH];
    struct row *rows[SYNC_BATCH];
    size_t n;
};

static void refuse_price(const struct sync *s, struct row *r, const char *refusal) {
    char text[400];
    (void)snprintf(text, sizeof text, "Sitoo refuses the sale price of %.120s in price list %lld: %.200s", r->sku,
                   (long long)s->app->set->mapping->products.sale_price_list_id,
                   refusal != NULL ? refusal : "refused without a reason");
    row_case(s, r->item, "sale_price_refused", r->sku, text,
             "The shops sell it at its price without the sale, or still at that of a sale that is over",
             "Mend what Sitoo names; then run: onepool parked --retry with the case's id");
}

static void tell_prices(const struct sync *s, const struct prices *p, size_t from, size_t n, const cJSON *results) {
    bool each = cJSON_IsArray(results) && (size_t)cJSON_GetArraySize(results) == n;
    for (size_t i = 0; i < n; i++) {
        struct row *r = p->rows[from + i];
        const cJSON *element = each ? cJSON_GetArrayItem(results, (int)i) : NULL;
        int64_t status = 0;
        if (each && (!json_int(element, "statuscode", &status) || status < 200 || status > 299)) {
            refuse_price(s, r, json_str(element, "errortext"));
        } else {
            row_close(r->item, "sale_price_refused", r->sku);
        }
    }
}

/* A call that is refused is split until only what cannot be taken is left; without the list that is all of it. */
static enum next send_prices(struct sync *s, const char *method, const struct prices *p, size_t from, size_t n,
                             struct reason *why) {
    char path[120];
    struct answer answer;
    bool shadowed = false;
    if (n == 0) {
        return NEXT_DONE;
    }
    cJSON *array = cJSON_CreateArray();
    for (size_t i = from; i < from + n; i++) {
        (void)cJSON_AddItemReferenceToArray(array, p->elements[i]);
    }
    (void)snprintf(path, sizeof path, "/sites/%lld/pricelists/%lld/pricelistitems.json",
                   (long long)s->app->set->sitoo_site_id, (long long)s->app->set->mapping->products.sale_price_list_id);
    char *body = json_print(array);
    const struct sync_write write = {SYNC_PRODUCTS, method, path, body, n};
    enum next next = sync_send(s, &write, &answer, &shadowed, why);
    free(body);
    cJSON_Delete(array);
    if (next == NEXT_DONE && !shadowed) {
        tell_prices(s, p, from, n, answer.json);
    } else if (next == NEXT_PARK && n > 1 && answer.status != 404) {
        memset(why, 0, sizeof *why);
        next = send_prices(s, method, p, from, n / 2, why);
        next = next == NEXT_DONE ? send_prices(s, method, p, from + n / 2, n - n / 2, why) : next;
    } else if (next == NEXT_PARK) {
        for (size_t i = from; i < from + n; i++) {
            refuse_price(s, p->rows[i], answer.text != NULL ? answer.text : why->text);
        }
        memset(why, 0, sizeof *why);
        next = NEXT_DONE;
    }
    answer_free(&answer);
    return next;
}

static void prices_free(struct prices *p) {
    for (size_t i = 0; i < p->n; i++) {
        cJSON_Delete(p->elements[i]);
    }
}

static cJSON *price_element(const struct row *r, bool with_price) {
    char money[TILL_MONEY_SIZE];
    cJSON *o = json_new_object();
    json_add_str(o, "sku", r->sku);
    if (with_price) {
        till_money_format(r->want.sale_price, money);
        json_add_str(o, "moneyprice", money);
    }
    return o;
}

/* Adds what differs: to be set, or else to be gone; at most SYNC_BATCH. */
static void plan_sale(struct row *r, const struct till_prices *prices, bool set, struct prices *to) {
    const struct till_price *now = till_price_find(prices, r->sku);
    int64_t wanted = r->hide ? WANT_NONE : r->want.sale_price;
    if (r->refused || r->id == 0 || r->sale_held || r->kept) {
        return;
    }
    if (!set && r->item->next != NEXT_DONE) {
        return; /* its price is not there yet: until then the sale goes on */
    }
    if ((now == NULL ? WANT_NONE : now->price) == wanted) {
        row_close(r->item, "sale_price_refused", r->sku);
    } else if (set == (wanted != WANT_NONE)) {
        to->rows[to->n] = r;
        to->elements[to->n++] = price_element(r, set);
    }
}

/* What is kept of the list is forgotten at the next sync_begin, here as elsewhere. */
static enum next write_sales(struct sync *s, struct rows *rows, bool set, struct reason *why) {
    int64_t list_id = s->app->set->mapping->products.sale_price_list_id;
    struct till_prices *prices = NULL;
    bool told = s->app->mode != MODE_LIVE; /* nothing is sent */
    enum next next = list_id != 0 ? sync_prices(s, list_id, &prices, why) : NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && prices != NULL && i < rows->n; i += SYNC_BATCH) {
        struct prices to = {.n = 0};
        for (size_t k = i; k < rows->n && k < i + SYNC_BATCH; k++) {
            plan_sale(&rows->list[k], prices, set, &to);
        }
        if (!told && to.n > 0) {
            told = true;
            next = sync_sales_changed(s->app, why);
        }
        next = next == NEXT_DONE ? send_prices(s, set ? "PUT" : "DELETE", &to, 0, to.n, why) : next;
        prices_free(&to);
    }
    return next;
}

enum next rows_sales_begin(struct sync *s, struct rows *rows, struct reason *why) {
    return write_sales(s, rows, true, why);
}

enum next rows_sales_end(struct sync *s, struct rows *rows, struct reason *why) {
    enum next next = rows_undercut(s, rows, why);
    return next == NEXT_DONE ? write_sales(s, rows, false, why) : next;
}
