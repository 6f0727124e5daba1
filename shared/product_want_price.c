/* SPDX-License-Identifier: Apache-2.0 */
/* Product group, price, sale price and suggested price of product_want.h. */
#include "money.h"
#include "product_want.h"
#include "product_want_in.h"
#include "ban.h"

#define PERCENT_100 INT64_C(1000000) /* 100 % in ten-thousandths of a percent */
#define PERCENT_MAX (10 * PERCENT_100)
#define PER_CENT    INT64_C(100) /* ten-thousandths in a hundredth */

/* n x numerator / denominator, half up, without leaving 64 bits: n up to MONEY_MAX, the others up to 2^30. */
static int64_t scale(int64_t n, int64_t numerator, int64_t denominator) {
    return n / denominator * numerator + (n % denominator * numerator + denominator / 2) / denominator;
}

int64_t want_price(int64_t ten_thousandths, bool from_with_tax, bool to_with_tax, int64_t percent) {
    int64_t n = WANT_NONE;
    if (ten_thousandths < 0 || ten_thousandths > MONEY_MAX || percent < 0 || percent > PERCENT_MAX) {
        return WANT_NONE;
    }
    if (from_with_tax == to_with_tax) {
        n = scale(ten_thousandths, 1, PER_CENT);
    } else if (to_with_tax) {
        n = scale(ten_thousandths, PERCENT_100 + percent, PERCENT_100 * PER_CENT);
    } else {
        n = scale(ten_thousandths, PERCENT_100 / PER_CENT, PERCENT_100 + percent);
    }
    return n <= WANT_PRICE_MAX ? n : WANT_NONE;
}

/* ---- product group ---- */

static const char *class_name(const struct product_rules *r, int64_t id) {
    for (size_t i = 0; i < r->tax_class_count; i++) {
        if (r->tax_classes[i].id == id) {
            return r->tax_classes[i].name;
        }
    }
    return "name not known";
}

static bool find_percent(const struct product_rules *r, int64_t vat_id, int64_t *percent) {
    for (size_t i = 0; i < r->vat_group_count; i++) {
        if (r->vat_groups[i].id == vat_id) {
            *percent = r->vat_groups[i].percent;
            return true;
        }
    }
    return false;
}

bool want_vat(struct wanting *w) {
    const struct product_rules *r = w->rules;
    const char *name = class_name(r, w->p->tax_class_id);
    long long tax_class = (long long)w->p->tax_class_id;
    w->vat_id = mapping_pair(&r->map->vat_groups, w->p->tax_class_id);
    w->vat_id = w->vat_id > 0 ? w->vat_id : r->map->default_vat_group;
    w->percent = 0;
    if (w->vat_id <= 0) {
        want_add_problem(w, NULL, NULL, WANT_TAX_CLASS,
                         "its tax class %lld (%s) has no product group of Sitoo in the mapping file "
                         "(products.vat_groups)",
                         tax_class, name);
        return false;
    }
    if (find_percent(r, w->vat_id, &w->percent)) {
        return true;
    }
    /* Not even one known: a Sitoo whose groups could not be read; then only a price that is not converted is right. */
    if (r->vat_group_count == 0 && r->web_with_tax == r->map->prices_include_vat) {
        return true;
    }
    want_add_problem(w, NULL, NULL, WANT_VAT_GROUP,
                     "its tax class %lld (%s) is mapped to product group %lld, which Sitoo does not have", tax_class,
                     name, (long long)w->vat_id);
    return false;
}

/* ---- prices ---- */

static int64_t either(int64_t own, int64_t of_product) {
    return own != CATALOG_NO_PRICE ? own : of_product;
}

static int64_t convert(const struct wanting *w, int64_t amount) {
    return want_price(amount, w->rules->web_with_tax, w->rules->map->prices_include_vat, w->percent);
}

/* What BigCommerce asks for it, in its own terms. False: only another currency's price is known. */
static bool asked(const struct wanting *w, const struct catalog_variant *v, int64_t *price, int64_t *sale_price) {
    *price = either(v->price, w->p->price);
    *sale_price = either(v->sale_price, w->p->sale_price);
    if (w->rules->map->from_price_list && v->record.found) {
        *price = either(v->record.price, *price);
        *sale_price = v->record.sale_price; /* a sale price of the catalog does not count beside the list's price */
    } else if (w->rules->map->from_price_list && v->record.other) {
        return false;
    }
    if (*sale_price <= 0 || *sale_price >= *price) {
        *sale_price = CATALOG_NO_PRICE;
    }
    return true;
}

static bool no_price(struct wanting *w, const struct catalog_variant *v, const char *sku, int64_t price) {
    char text[MONEY_TEXT_SIZE];
    if (price == CATALOG_NO_PRICE) {
        want_add_problem(w, v, sku, WANT_PRICE, "it has no price");
        return false;
    }
    money_format(price, w->rules->currency, text);
    want_add_problem(w, v, sku, WANT_PRICE, "its price %s %s is negative or too large to be written", text,
                     w->rules->currency);
    return false;
}

bool want_prices(struct wanting *w, const struct catalog_variant *v, struct want *one) {
    const struct mapping_products *map = w->rules->map;
    int64_t price = 0, sale_price = 0, retail = either(v->retail_price, w->p->retail_price);
    if (!asked(w, v, &price, &sale_price)) {
        want_add_problem(w, v, one->sku, WANT_CURRENCY, "price list %lld has a price in %s, but none in %s",
                         (long long)map->price_list_id, v->record.currency, w->rules->currency);
        return false;
    }
    one->price = convert(w, price);
    if (one->price == WANT_NONE) {
        return no_price(w, v, one->sku, price);
    }
    one->sale_price = sale_price != CATALOG_NO_PRICE ? convert(w, sale_price) : WANT_NONE;
    if (one->sale_price <= 0 || one->sale_price >= one->price) { /* rounding can make them equal, or 0 */
        one->sale_price = WANT_NONE;
    }
    if (map->sale_price_list_id == 0 && one->sale_price != WANT_NONE) {
        one->price = one->sale_price;
        one->sale_price = WANT_NONE;
    }
    one->retail_price = map->retail_price && retail > 0 ? convert(w, retail) : WANT_NONE;
    return true;
}
