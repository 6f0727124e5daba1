/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "catalog_in.h"
#include "json.h"
#include "money.h"
#include "ban.h"

/* ---- fields ---- */

/* null, "" and {} are what BigCommerce writes where there is no value. */
static bool nothing(const cJSON *item) {
    return item == NULL || cJSON_IsNull(item) || (cJSON_IsObject(item) && item->child == NULL) ||
           (cJSON_IsString(item) && item->valuestring[0] == '\0');
}

/* The first problem is the one that is kept. */
enum next catalog_bad(struct catalog_product *p, struct reason *why, const char *fmt, ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!p->bad) {
        p->bad = true;
        (void)str_copy(p->problem, sizeof p->problem, text);
    }
    return reason_set(why, NEXT_PARK, "bad_product", "product %lld of BigCommerce: %s", (long long)p->id, text);
}

/* Fields of one element; the first that cannot be read is remembered. */
struct fields {
    const cJSON *o;
    const char *wrong;
};

static void text_of(struct fields *f, const char *key, char **out) {
    const cJSON *item = json_get(f->o, key);
    if (!nothing(item) && !cJSON_IsString(item)) {
        f->wrong = f->wrong != NULL ? f->wrong : key;
    } else if (!nothing(item)) {
        free(*out);
        *out = xstrdup(item->valuestring);
    }
}

/* zero_is_none: a sale or retail price of 0 means that there is none. */
static void price_of(struct fields *f, const char *key, bool zero_is_none, int64_t *out) {
    int64_t n = 0;
    *out = CATALOG_NO_PRICE;
    if (nothing(json_get(f->o, key))) {
        return;
    }
    if (!money_get(f->o, key, &n)) {
        f->wrong = f->wrong != NULL ? f->wrong : key;
    } else if (n != 0 || !zero_is_none) {
        *out = n == CATALOG_NO_PRICE ? CATALOG_NO_PRICE - 1 : n; /* -0.0001 is refused later as every negative one */
    }
}

static void prices_of(struct fields *f, int64_t *price, int64_t *sale_price, int64_t *retail_price) {
    price_of(f, "price", false, price);
    price_of(f, "sale_price", true, sale_price);
    price_of(f, "retail_price", true, retail_price);
}

static void id_of(struct fields *f, const char *key, bool required, int64_t *out) {
    *out = 0;
    if (!required && nothing(json_get(f->o, key))) {
        return;
    }
    if (!json_id(f->o, key, out) || *out < 0) {
        f->wrong = f->wrong != NULL ? f->wrong : key;
        *out = 0;
    }
}

static void bool_of(struct fields *f, const char *key, bool *out) {
    const cJSON *item = json_get(f->o, key);
    *out = cJSON_IsTrue(item) != 0;
    if (!cJSON_IsBool(item)) {
        f->wrong = f->wrong != NULL ? f->wrong : key;
    }
}

/* A member with one of several words; true if it is not the one that is named. */
static void word_of(struct fields *f, const char *key, const char *word, bool want_same, bool *out) {
    const char *text = json_str(f->o, key);
    *out = text != NULL && (strcmp(text, word) == 0) == want_same;
    if (text == NULL || text[0] == '\0') {
        f->wrong = f->wrong != NULL ? f->wrong : key;
    }
}

/* The address of an image. One that cannot be read is as if it was not told: the product is worth more than its image.
 */
static char *image_of(const cJSON *o, const char *key) {
    const cJSON *item = json_get(o, key);
    return item == NULL || (!nothing(item) && !cJSON_IsString(item)) ? NULL
                                                                     : xstrdup(nothing(item) ? "" : item->valuestring);
}

/* json: the list images, or NULL. The thumbnail is the first one, else the one with the lowest place. */
static char *first_image_of(const cJSON *json) {
    const cJSON *list = cJSON_IsArray(json) ? json : NULL, *item = NULL, *first = NULL;
    int64_t place = 0, lowest = 0;
    cJSON_ArrayForEach(item, list) {
        bool thumbnail = cJSON_IsTrue(json_get(item, "is_thumbnail")) != 0;
        place = thumbnail || !json_int(item, "sort_order", &place) ? INT64_MIN : place;
        if (first == NULL || place < lowest) {
            first = item;
            lowest = place;
        }
    }
    return list == NULL ? NULL : first == NULL ? xstrdup("") : image_of(first, "url_standard");
}

static void categories_of(struct fields *f, struct catalog_product *p) {
    const cJSON *list = json_get(f->o, "categories"), *item = NULL;
    bool good = nothing(list) || cJSON_IsArray(list);
    if (good && cJSON_IsArray(list)) {
        p->categories = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *p->categories);
        cJSON_ArrayForEach(item, list) {
            good = json_item_int(item, &p->categories[p->category_count++]) && good;
        }
    }
    if (!good) {
        f->wrong = f->wrong != NULL ? f->wrong : "categories";
    }
}

/* ---- products ---- */

static struct catalog_product *new_product(struct catalog *c, int64_t id) {
    if (c->n == c->cap) {
        c->cap = c->cap > 0 ? 2 * c->cap : 64;
        c->products = xrealloc(c->products, c->cap, sizeof *c->products);
    }
    struct catalog_product *p = &c->products[c->n++];
    *p = (struct catalog_product){.id = id,
                                  .name = xstrdup(""),
                                  .sku = xstrdup(""),
                                  .upc = xstrdup(""),
                                  .gtin = xstrdup(""),
                                  .description = xstrdup("")};
    return p;
}

static enum next no_id(const char *what, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce listed a %s whose id cannot be read", what);
}

enum next catalog_add_product(struct catalog *c, const cJSON *json, struct reason *why) {
    struct fields f = {.o = json};
    int64_t id = 0;
    if (!json_id(json, "id", &id) || id <= 0) {
        return no_id("product", why);
    }
    struct catalog_product *p = new_product(c, id);
    text_of(&f, "name", &p->name);
    text_of(&f, "sku", &p->sku);
    text_of(&f, "upc", &p->upc);
    text_of(&f, "gtin", &p->gtin);
    text_of(&f, "description", &p->description);
    word_of(&f, "type", "physical", true, &p->physical);
    word_of(&f, "availability", "disabled", false, &p->available);
    bool_of(&f, "is_visible", &p->visible);
    id_of(&f, "tax_class_id", true, &p->tax_class_id);
    id_of(&f, "brand_id", false, &p->brand_id);
    id_of(&f, "base_variant_id", false, &p->base_variant_id);
    prices_of(&f, &p->price, &p->sale_price, &p->retail_price);
    categories_of(&f, p);
    free(p->image);
    p->image = first_image_of(json_get(json, "images"));
    return f.wrong == NULL ? NEXT_DONE : catalog_bad(p, why, "its %s cannot be read", f.wrong);
}

/* ---- variants ---- */

static void options_of(struct fields *f, struct catalog_variant *v) {
    const cJSON *list = json_get(f->o, "option_values"), *item = NULL;
    bool good = nothing(list) || (cJSON_IsArray(list) && cJSON_GetArraySize(list) <= CATALOG_OPTIONS_MAX);
    if (good && cJSON_IsArray(list)) {
        v->options = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *v->options);
        cJSON_ArrayForEach(item, list) {
            const char *name = json_str(item, "option_display_name"), *label = json_str(item, "label");
            good = good && name != NULL && label != NULL;
            v->options[v->option_count++] = (struct catalog_option){.name = xstrdup(name != NULL ? name : ""),
                                                                    .label = xstrdup(label != NULL ? label : "")};
        }
    }
    if (!good) {
        f->wrong = f->wrong != NULL ? f->wrong : "option_values";
    }
}

static struct catalog_variant *new_variant(struct catalog_product *p, int64_t id) {
    size_t n = p->variant_count;
    if ((n & (n - 1)) == 0) { /* room for the next power of two */
        p->variants = xrealloc(p->variants, n > 0 ? 2 * n : 1, sizeof *p->variants);
    }
    struct catalog_variant *v = &p->variants[p->variant_count++];
    *v = (struct catalog_variant){.id = id, .sku = xstrdup(""), .upc = xstrdup(""), .gtin = xstrdup("")};
    v->record.price = v->record.sale_price = CATALOG_NO_PRICE;
    return v;
}

enum next catalog_add_variant(struct catalog *c, const cJSON *json, struct reason *why) {
    struct fields f = {.o = json};
    int64_t id = 0, product_id = 0;
    if (!json_id(json, "id", &id) || id <= 0 || !json_id(json, "product_id", &product_id)) {
        return no_id("variant", why);
    }
    struct catalog_product *p = catalog_find(c, product_id);
    if (p == NULL) {
        return NEXT_DONE;
    }
    struct catalog_variant *v = new_variant(p, id);
    text_of(&f, "sku", &v->sku);
    text_of(&f, "upc", &v->upc);
    text_of(&f, "gtin", &v->gtin);
    prices_of(&f, &v->price, &v->sale_price, &v->retail_price);
    if (!nothing(json_get(json, "purchasing_disabled"))) {
        bool_of(&f, "purchasing_disabled", &v->purchasing_disabled);
    }
    options_of(&f, v);
    v->image = image_of(json, "image_url");
    return f.wrong == NULL ? NEXT_DONE
                           : catalog_bad(p, why, "%s of its variant %lld cannot be read", f.wrong, (long long)id);
}

/* ---- price list ---- */

static int by_key(const void *key, const void *item) {
    const struct catalog_variant *const *v = item;
    return catalog_order(*(const int64_t *)key, (*v)->id);
}

/* The product of a variant that is in the catalog. */
static struct catalog_product *owner_of(const struct catalog *c, const struct catalog_variant *v) {
    size_t i = 0;
    for (; i + 1 < c->n; i++) {
        const struct catalog_product *p = &c->products[i];
        for (size_t k = 0; k < p->variant_count; k++) {
            if (&p->variants[k] == v) {
                return &c->products[i];
            }
        }
    }
    return &c->products[i];
}

enum next catalog_add_record(struct catalog *c, const cJSON *json, const char *currency, struct reason *why) {
    struct fields f = {.o = json};
    const char *code = json_str(json, "currency");
    int64_t id = 0, price = 0, sale_price = 0;
    if (!json_id(json, "variant_id", &id)) {
        return no_id("price of a variant", why);
    }
    struct catalog_variant **at =
        c->variant_count > 0 ? bsearch(&id, c->by_variant, c->variant_count, sizeof(struct catalog_variant *), by_key)
                             : NULL;
    if (at == NULL) {
        return NEXT_DONE;
    }
    struct catalog_record *r = &(*at)->record;
    price_of(&f, "price", false, &price);
    price_of(&f, "sale_price", true, &sale_price);
    if (code == NULL || strlen(code) != sizeof r->currency - 1) {
        f.wrong = "currency";
    }
    if (f.wrong != NULL) {
        struct catalog_product *p = owner_of(c, *at);
        return catalog_bad(p, why, "%s of its variant %lld in the price list cannot be read", f.wrong, (long long)id);
    }
    if (strcasecmp(code, currency) == 0) {
        *r = (struct catalog_record){.found = true, .other = r->other, .price = price, .sale_price = sale_price};
    } else {
        r->other = true;
    }
    if (!r->found || strcasecmp(code, currency) == 0) {
        (void)str_copy(r->currency, sizeof r->currency, code);
    }
    return NEXT_DONE;
}
