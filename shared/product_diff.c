/* SPDX-License-Identifier: Apache-2.0 */
#include "product_diff.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "ban.h"

static const struct {
    unsigned field;
    const char *name;
} names[] = {{FIELD_TITLE, "title"},
             {FIELD_PRICE, "price"},
             {FIELD_VAT, "vat"},
             {FIELD_BARCODE, "barcode"},
             {FIELD_ACTIVE, "active"},
             {FIELD_UNIT, "unit"},
             {FIELD_RETAIL, "retail_price"},
             {FIELD_MANUFACTURER, "manufacturer"},
             {FIELD_CATEGORIES, "categories"},
             {FIELD_DESCRIPTION, "description"}};

const char *product_field_name(unsigned fields, size_t nth) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((fields & names[i].field) != 0 && nth-- == 0) {
            return names[i].name;
        }
    }
    return NULL;
}

/* ---- what differs ---- */

static bool has(const int64_t *list, size_t n, int64_t one) {
    for (size_t i = 0; i < n; i++) {
        if (list[i] == one) {
            return true;
        }
    }
    return false;
}

/* In any order, and however often: Sitoo's need not be ours. */
static bool same_categories(const struct want *w, const struct till_product *h) {
    bool same = true;
    for (size_t i = 0; same && i < w->category_count; i++) {
        same = has(h->categories, h->category_count, w->categories[i]);
    }
    for (size_t i = 0; same && i < h->category_count; i++) {
        same = has(w->categories, w->category_count, h->categories[i]);
    }
    return same;
}

unsigned product_differs(const struct want *want, const struct till_product *have) {
    unsigned f = 0;
    f |= strcmp(want->title, have->title) != 0 ? FIELD_TITLE : 0;
    f |= want->price != have->price ? FIELD_PRICE : 0;
    f |= want->vat_id != have->vat_id ? FIELD_VAT : 0;
    f |= want->active != have->active ? FIELD_ACTIVE : 0;
    f |= want->barcode != NULL && strcmp(want->barcode, have->barcode) != 0 ? FIELD_BARCODE : 0;
    f |= want->unit != NULL && strcmp(want->unit, have->unit) != 0 ? FIELD_UNIT : 0;
    f |= want->description != NULL && strcmp(want->description, have->description) != 0 ? FIELD_DESCRIPTION : 0;
    f |= want->retail_price != WANT_NONE && want->retail_price != have->retail_price ? FIELD_RETAIL : 0;
    f |= want->manufacturer_id != WANT_NONE && want->manufacturer_id != have->manufacturer_id ? FIELD_MANUFACTURER : 0;
    f |= want->category_count > 0 && !same_categories(want, have) ? FIELD_CATEGORIES : 0;
    return f;
}

bool price_moves_much(int64_t was, int64_t is, int64_t percent) {
    int64_t moved = is > was ? is - was : was - is;
    return was > 0 && moved * 100 > was * percent;
}

int64_t till_charges(int64_t price, int64_t sale) {
    return sale != WANT_NONE && (sale < price || price < 0) ? sale : price;
}

bool sale_falls_much(const struct want *want, int64_t have_price, int64_t have_sale, int64_t percent) {
    int64_t now = till_charges(have_price, have_sale);
    return want->sale_price != WANT_NONE && want->sale_price < now && price_moves_much(now, want->sale_price, percent);
}

/* ---- bodies ---- */

static void add_money(cJSON *o, const char *key, int64_t hundredths) {
    char text[TILL_MONEY_SIZE];
    till_money_format(hundredths, text);
    json_add_str(o, key, text);
}

static void add_categories(cJSON *o, const struct want *w) {
    cJSON *list = json_add_array(o, "categories");
    for (size_t i = 0; i < w->category_count; i++) {
        (void)cJSON_AddItemToArray(list, cJSON_CreateNumber((double)w->categories[i]));
    }
    json_add_int(o, "defaultcategoryid", w->categories[0]);
}

/* Only what is owned; fields that are not are left out, whatever the mask says. */
static void add_fields(cJSON *o, const struct want *w, unsigned fields) {
    if ((fields & FIELD_TITLE) != 0) {
        json_add_str(o, "title", w->title);
    }
    if ((fields & FIELD_PRICE) != 0) {
        add_money(o, "moneyprice", w->price);
    }
    if ((fields & FIELD_VAT) != 0) {
        json_add_int(o, "vatid", w->vat_id);
    }
    if ((fields & FIELD_BARCODE) != 0 && w->barcode != NULL) {
        json_add_str(o, "barcode", w->barcode);
    }
    if ((fields & FIELD_ACTIVE) != 0) {
        json_add_bool(o, "activepos", w->active);
    }
    if ((fields & FIELD_UNIT) != 0 && w->unit != NULL) {
        json_add_str(o, "unitlabel", w->unit);
    }
    if ((fields & FIELD_RETAIL) != 0 && w->retail_price != WANT_NONE) {
        add_money(o, "moneypriceorg", w->retail_price);
    }
    if ((fields & FIELD_MANUFACTURER) != 0 && w->manufacturer_id != WANT_NONE) {
        json_add_int(o, "manufacturerid", w->manufacturer_id);
    }
    if ((fields & FIELD_CATEGORIES) != 0 && w->category_count > 0) {
        add_categories(o, w);
    }
    if ((fields & FIELD_DESCRIPTION) != 0 && w->description != NULL) {
        json_add_str(o, "description", w->description);
    }
}

cJSON *product_create_body(const struct want *want, bool without_barcode) {
    bool code = !without_barcode && want->barcode != NULL && want->barcode[0] != '\0';
    cJSON *o = json_new_object();
    json_add_str(o, "sku", want->sku);
    add_fields(o, want, code ? (unsigned)FIELD_ALL : (unsigned)FIELD_ALL & ~(unsigned)FIELD_BARCODE);
    json_add_bool(o, "stockcountenable", true);
    return o;
}

cJSON *product_update_body(const struct want *want, int64_t product_id, unsigned fields) {
    cJSON *o = json_new_object();
    json_add_int(o, "productid", product_id);
    add_fields(o, want, fields);
    return o;
}

cJSON *product_hide_body(int64_t product_id) {
    cJSON *o = json_new_object();
    json_add_int(o, "productid", product_id);
    json_add_bool(o, "activepos", false);
    return o;
}

cJSON *product_free_barcode_body(int64_t product_id) {
    cJSON *o = json_new_object();
    json_add_int(o, "productid", product_id);
    json_add_str(o, "barcode", "");
    return o;
}

/* ---- barcodes ---- */

size_t barcodes_to_free(const struct want *const *want, const struct till_product *const *have, const unsigned *fields,
                        size_t n, bool *free_first) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const char *code = have[i] != NULL ? have[i]->barcode : "";
        free_first[i] = false;
        if (code[0] == '\0' || (fields[i] & FIELD_BARCODE) == 0 || want[i]->barcode == NULL) {
            continue;
        }
        for (size_t k = 0; !free_first[i] && k < n; k++) {
            free_first[i] = k != i && (fields[k] & FIELD_BARCODE) != 0 && want[k]->barcode != NULL &&
                            strcmp(want[k]->barcode, code) == 0;
        }
        count += free_first[i] ? 1 : 0;
    }
    return count;
}
