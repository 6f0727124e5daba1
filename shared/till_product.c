/* SPDX-License-Identifier: Apache-2.0 */
#include "till_product.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

#define MONEY_MAX_DIGITS 13

const char till_product_fields[] =
    "productid,sku,title,description,moneyprice,moneypriceorg,moneypricein,moneyofferprice,vatid,barcode,activepos,"
    "active,deliverystatus,friendly,unitlabel,manufacturerid,categories,variantparentid,variant";

/* ---- money ---- */

bool till_money_parse(const char *s, int64_t *hundredths) {
    char digits[MONEY_MAX_DIGITS + 4];
    int64_t n = 0;
    size_t len = 0;
    bool minus = *s == '-';
    s += *s == '-' || *s == '+' ? 1 : 0;
    len = strspn(s, "0123456789");
    if (len == 0 || len > MONEY_MAX_DIGITS || s[len] != '.' || strspn(s + len + 1, "0123456789") != 2 ||
        s[len + 3] != '\0') {
        return false;
    }
    (void)snprintf(digits, sizeof digits, "%.*s%s", (int)len, s, s + len + 1);
    if (!int_parse(digits, 0, INT64_MAX, &n)) {
        return false;
    }
    *hundredths = minus ? -n : n;
    return true;
}

void till_money_format(int64_t hundredths, char out[TILL_MONEY_SIZE]) {
    int64_t n = hundredths < 0 ? -hundredths : hundredths;
    (void)snprintf(out, TILL_MONEY_SIZE, "%s%lld.%02lld", hundredths < 0 ? "-" : "", (long long)(n / 100),
                   (long long)(n % 100));
}

/* ---- one product ---- */

static char *text_of(const cJSON *json, const char *key) {
    const char *text = json_str(json, key);
    return xstrdup(text != NULL ? text : "");
}

/* -1: absent, null, or no amount. */
static int64_t money_of(const cJSON *json, const char *key) {
    int64_t hundredths = -1;
    const char *text = json_str(json, key);
    return text != NULL && till_money_parse(text, &hundredths) ? hundredths : -1;
}

static bool id_of(const cJSON *item, int64_t *out) {
    return json_item_int(item, out) || (cJSON_IsString(item) && int_parse(item->valuestring, 0, JSON_INT_MAX, out));
}

static void read_categories(struct till_product *p, const cJSON *json) {
    const cJSON *list = json_array(json, "categories"), *item = NULL;
    p->categories = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *p->categories);
    cJSON_ArrayForEach(item, list) {
        int64_t id = 0;
        if (id_of(item, &id)) {
            p->categories[p->category_count++] = id;
        }
    }
}

static void read_attributes(struct till_product *p, const cJSON *json) {
    const cJSON *list = json_array(json, "variant"), *item = NULL;
    p->attributes = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *p->attributes);
    cJSON_ArrayForEach(item, list) {
        struct till_attribute *a = &p->attributes[p->attribute_count++];
        a->name = text_of(item, "name");
        a->value = text_of(item, "value");
    }
}

static void product_free(struct till_product *p) {
    free(p->sku);
    free(p->title);
    free(p->barcode);
    free(p->unit);
    free(p->description);
    free(p->delivery_status);
    free(p->friendly);
    free(p->categories);
    for (size_t i = 0; i < p->attribute_count; i++) {
        free(p->attributes[i].name);
        free(p->attributes[i].value);
    }
    free(p->attributes);
}

enum next till_add(struct till_products *t, const cJSON *json, struct reason *why) {
    struct till_product p = {0};
    if (!json_int(json, "productid", &p.id) || p.id <= 0) {
        return reason_set(why, NEXT_PARK, "bad_product", "a product of Sitoo has no productid");
    }
    /* One that is no amount counts as none: it differs from what is wanted, and one bad product spoils no reading. */
    p.price = money_of(json, "moneyprice");
    p.retail_price = money_of(json, "moneypriceorg");
    p.purchase_price = money_of(json, "moneypricein");
    p.offer_price = money_of(json, "moneyofferprice");
    (void)json_int(json, "variantparentid", &p.parent_id);
    (void)json_int(json, "vatid", &p.vat_id);
    (void)json_int(json, "manufacturerid", &p.manufacturer_id);
    p.active = json_bool(json, "activepos", true);
    p.web_active = json_bool(json, "active", true);
    p.delivery_status = text_of(json, "deliverystatus");
    p.friendly = text_of(json, "friendly");
    p.sku = text_of(json, "sku");
    p.title = text_of(json, "title");
    p.barcode = text_of(json, "barcode");
    p.unit = text_of(json, "unitlabel");
    p.description = text_of(json, "description");
    read_categories(&p, json);
    read_attributes(&p, json);
    if (t->n == t->cap) {
        t->cap = t->cap > 0 ? 2 * t->cap : 64;
        t->list = xrealloc(t->list, t->cap, sizeof *t->list);
    }
    t->list[t->n++] = p;
    return NEXT_DONE;
}

/* ---- all of them ---- */

static int by_sku(const void *a, const void *b) {
    const struct till_product *x = a, *y = b;
    int order = strcmp(x->sku, y->sku);
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

void till_sort(struct till_products *t) {
    if (t->n > 1) {
        qsort(t->list, t->n, sizeof *t->list, by_sku);
    }
}

struct till_product *till_find(const struct till_products *t, const char *sku) {
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->list[middle].sku, sku) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->n && strcmp(t->list[low].sku, sku) == 0 ? &t->list[low] : NULL;
}

void till_free(struct till_products *t) {
    for (size_t i = 0; i < t->n; i++) {
        product_free(&t->list[i]);
    }
    free(t->list);
    memset(t, 0, sizeof *t);
}

/* ---- price lists ---- */

const struct till_list *till_list(const struct till_lists *l, int64_t id) {
    for (size_t i = 0; i < l->n; i++) {
        if (l->list[i].id == id) {
            return &l->list[i];
        }
    }
    return NULL;
}

void till_lists_free(struct till_lists *l) {
    for (size_t i = 0; i < l->n; i++) {
        free(l->list[i].name);
    }
    free(l->list);
    memset(l, 0, sizeof *l);
}

const struct till_price *till_price_find(const struct till_prices *p, const char *sku) {
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(p->list[middle].sku, sku) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < p->n && strcmp(p->list[low].sku, sku) == 0 ? &p->list[low] : NULL;
}

void till_prices_free(struct till_prices *p) {
    for (size_t i = 0; i < p->n; i++) {
        free(p->list[i].sku);
    }
    free(p->list);
    memset(p, 0, sizeof *p);
}
