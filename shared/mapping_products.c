/* SPDX-License-Identifier: Apache-2.0 */
/* The section "products" of the mapping file, and what its tables say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mapping.h"
#include "mapping_at.h"
#include "quantity.h"
#include "ban.h"

/* One entry of a table; key is its place for messages. */
static void read_pair(const struct at *a, const cJSON *item, int64_t least, struct mapping_pairs *out) {
    int64_t web = 0, till = 0;
    char place[80];
    (void)snprintf(place, sizeof place, "%.70s", item->string);
    if (!int_parse(item->string, least, JSON_INT_MAX, &web)) {
        at_mistake(a, place, "is no id of BigCommerce: digits only");
        return;
    }
    if (!json_item_int(item, &till) || till <= 0) {
        at_mistake(a, place, "must be an id of Sitoo: a whole number above 0");
        return;
    }
    if (mapping_pair(out, web) != 0) { /* "1" and "01" are two keys, but one id */
        at_mistake(a, place, "stands in the table twice");
        return;
    }
    out->list[out->n++] = (struct mapping_pair){.web = web, .till = till};
}

/* A table { "id of BigCommerce": id of Sitoo }; least: the smallest id that there is. */
static void read_pairs(const struct at *a, const char *key, int64_t least, struct mapping_pairs *out) {
    struct at table = at_enter(a, key);
    const cJSON *item = NULL;
    size_t n = (size_t)cJSON_GetArraySize(table.object);
    if (n > MAPPING_PAIRS_MAX) {
        at_mistake(a, key, "must have at most 2000 entries");
        return;
    }
    out->list = xcalloc(n + 1, sizeof *out->list);
    cJSON_ArrayForEach(item, table.object) {
        read_pair(&table, item, least, out);
    }
}

/* An id from least on, or null: 0. */
static void read_id(const struct at *a, const char *key, int64_t least, const char *text, int64_t *out) {
    const cJSON *item = json_get(a->object, key);
    *out = 0;
    if (item == NULL || cJSON_IsNull(item)) {
        return;
    }
    if (!json_item_int(item, out) || *out < least) {
        at_mistake(a, key, text);
        *out = 0;
    }
}

/* One of two words, the first being the preset: is it the second? */
static void read_word(const struct at *a, const char *key, const char *preset, const char *other, bool *is_other) {
    const cJSON *item = json_get(a->object, key);
    char text[80];
    *is_other = cJSON_IsString(item) && strcmp(item->valuestring, other) == 0;
    if (item != NULL && !*is_other && !(cJSON_IsString(item) && strcmp(item->valuestring, preset) == 0)) {
        (void)snprintf(text, sizeof text, "must be \"%s\" or \"%s\"", preset, other);
        at_mistake(a, key, text);
    }
}

static void read_prices(const struct at *a, struct mapping_products *p) {
    read_word(a, "price", "catalog", "price_list", &p->from_price_list);
    read_id(a, "price_list_id", 1, "must be null or the id of a price list of BigCommerce", &p->price_list_id);
    if (p->from_price_list && p->price_list_id == 0) {
        at_mistake(a, "price_list_id", "missing: prices are to come from a price list (products.price)");
    }
    read_id(a, "sale_price_list_id", 2, "must be null or the id of a price list of Sitoo other than 1, the default one",
            &p->sale_price_list_id);
    at_bool(a, "prices_include_vat", true, &p->prices_include_vat);
    at_bool(a, "retail_price", false, &p->retail_price);
}

static void read_barcodes(const struct at *a, struct mapping_products *p) {
    static const char *const names[] = {[BARCODE_GTIN] = "gtin", [BARCODE_UPC] = "upc"};
    const cJSON *list = json_get(a->object, "barcode"), *item = NULL;
    bool good = list == NULL || cJSON_IsArray(list), seen[2] = {false, false};
    p->barcode_count = 0;
    if (list == NULL) {
        p->barcodes[p->barcode_count++] = BARCODE_GTIN;
        p->barcodes[p->barcode_count++] = BARCODE_UPC;
    }
    cJSON_ArrayForEach(item, list) {
        bool known = false;
        for (size_t i = 0; i < 2; i++) {
            if (cJSON_IsString(item) && strcmp(item->valuestring, names[i]) == 0 && !seen[i]) {
                p->barcodes[p->barcode_count++] = (enum barcode_source)i;
                seen[i] = known = true;
            }
        }
        good = good && known;
    }
    if (!good) {
        at_mistake(a, "barcode", "must be a list of \"gtin\" and \"upc\", each at most once");
    }
}

static void read_unit(const struct at *a, struct mapping_products *p) {
    const cJSON *item = json_get(a->object, "unit_label");
    p->unit_label[0] = '\0';
    if (item == NULL || cJSON_IsNull(item)) {
        return;
    }
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0' ||
        !str_copy(p->unit_label, sizeof p->unit_label, item->valuestring)) {
        at_mistake(a, "unit_label", "must be null or a text of 1 to 31 bytes");
    }
}

void mapping_read_products(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"vat_groups",
                                       "default_vat_group",
                                       "price",
                                       "price_list_id",
                                       "sale_price_list_id",
                                       "prices_include_vat",
                                       "barcode",
                                       "unit_label",
                                       "retail_price",
                                       "description",
                                       "images",
                                       "manufacturers",
                                       "categories",
                                       "hidden",
                                       "debounce_s",
                                       "quarantine",
                                       "sweep_hours",
                                       NULL};
    struct mapping_products *p = &m->products;
    struct at a = at_enter(root, "products");
    p->on = a.object != NULL;
    at_keys(&a, keys);
    read_pairs(&a, "vat_groups", 0, &p->vat_groups);
    read_pairs(&a, "manufacturers", 1, &p->manufacturers);
    read_pairs(&a, "categories", 1, &p->categories);
    read_id(&a, "default_vat_group", 1, "must be null or the id of a product group of Sitoo", &p->default_vat_group);
    read_prices(&a, p);
    read_barcodes(&a, p);
    read_unit(&a, p);
    read_word(&a, "hidden", "inactive", "active", &p->hidden_stays_active);
    at_bool(&a, "description", false, &p->description);
    at_bool(&a, "images", false, &p->images);
    at_bool(&a, "quarantine", false, &p->quarantine);
    at_int(&a, "debounce_s", 0, 3600, 60, &p->debounce_s);
    at_int(&a, "sweep_hours", 1, 168, 24, &p->sweep_hours);
}

void mapping_free_products(struct mapping_products *p) {
    free(p->vat_groups.list);
    free(p->manufacturers.list);
    free(p->categories.list);
}

int64_t mapping_pair(const struct mapping_pairs *p, int64_t web) {
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i].web == web) {
            return p->list[i].till;
        }
    }
    return 0;
}
