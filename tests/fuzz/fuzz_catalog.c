/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/*
 * BigCommerce's products: refused with a reason, or only what was asked for, in order and once; and what the tills
 * should hold of them is within its limits. Answers in the order of the calls: pages of products, of variants, of the
 * price list's records.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "catalog.h"
#include "product_want.h"
#include "ban.h"

static struct mapping_pair vat[] = {{0, 2}, {1, 3}, {2, 7}}, brands[] = {{36, 4}}, categories[] = {{23, 49}, {24, 48}};

static const struct mapping_products map = {.on = true,
                                            .vat_groups = {vat, 3},
                                            .manufacturers = {brands, 1},
                                            .categories = {categories, 2},
                                            .from_price_list = true,
                                            .price_list_id = 5,
                                            .sale_price_list_id = 2,
                                            .prices_include_vat = true,
                                            .barcodes = {BARCODE_GTIN, BARCODE_UPC},
                                            .barcode_count = 2,
                                            .retail_price = true,
                                            .description = true};

/* UTF-8 characters; the text is whole, since the reader refuses what is not. */
static size_t chars(const char *s) {
    size_t n = 0;
    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80 ? 1 : 0;
    }
    return n;
}

static void check_text(const char *s, size_t max) {
    FUZZ_CHECK(chars(s) <= max && str_whole(s, strlen(s)) == strlen(s));
    for (size_t i = 0; s[i] != '\0'; i++) {
        FUZZ_CHECK((unsigned char)s[i] >= 0x20 && s[i] != 0x7f);
    }
}

static void check_want(const struct want *one, const struct product_want *w) {
    check_text(one->title, WANT_TITLE_MAX);
    check_text(one->description, WANT_DESCRIPTION_MAX);
    FUZZ_CHECK(one->title[0] != '\0' && sku_allowed(one->sku) && one->unit == NULL);
    FUZZ_CHECK(one->price >= 0 && one->price <= WANT_PRICE_MAX);
    FUZZ_CHECK(one->sale_price == WANT_NONE || (one->sale_price > 0 && one->sale_price < one->price));
    FUZZ_CHECK(one->retail_price >= WANT_NONE && one->retail_price <= WANT_PRICE_MAX);
    FUZZ_CHECK(one->vat_id == 2 || one->vat_id == 3);
    FUZZ_CHECK(strlen(one->barcode) <= WANT_BARCODE_MAX);
    FUZZ_CHECK(one->category_count <= 2);
    for (size_t g = 0; g < w->group_count; g++) {
        check_text(one->attributes[g], WANT_TITLE_MAX);
        FUZZ_CHECK(one->attributes[g][0] != '\0');
    }
    for (const struct want *other = w->list; other < one; other++) {
        FUZZ_CHECK(other->variant_id < one->variant_id && strcmp(other->sku, one->sku) != 0);
        FUZZ_CHECK(one->barcode[0] == '\0' || strcmp(other->barcode, one->barcode) != 0);
    }
}

/* Every SKU of BigCommerce's is wanted or left, and never both. */
static void check_sku(const char *sku, const struct product_want *w) {
    size_t found = 0;
    for (size_t i = 0; i < w->n; i++) {
        found += strcmp(w->list[i].sku, sku) == 0 ? 1 : 0;
    }
    for (size_t i = 0; i < w->left_count; i++) {
        found += strcmp(w->left[i], sku) == 0 ? 1 : 0;
    }
    FUZZ_CHECK(sku[0] == '\0' || found == 1);
}

static void check_product(const struct catalog_product *p, const struct product_rules *rules) {
    struct product_want w;
    char digest[17], again[17];
    product_want(p, rules, &w);
    FUZZ_CHECK(w.n + w.problem_count > 0 || !p->physical || p->variant_count == 0);
    FUZZ_CHECK(!(p->bad || !p->physical) || w.n == 0);
    for (size_t i = 0; i < w.n; i++) {
        check_want(&w.list[i], &w);
    }
    for (size_t i = 0; i < p->variant_count; i++) {
        check_sku(p->variants[i].sku, &w);
    }
    for (size_t i = 0; i < w.problem_count; i++) {
        const char *text = w.problems[i].text;
        FUZZ_CHECK(strncmp(text, "Product ", 8) == 0 && str_whole(text, strlen(text)) == strlen(text));
    }
    product_want_digest(&w, digest);
    if (w.n > 0) {
        w.list[0].price++;
        product_want_digest(&w, again);
        FUZZ_CHECK(strcmp(digest, again) != 0);
    }
    product_want_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t ids[] = {192, 193};
    struct app *app = fuzz_app();
    struct product_rules rules = {.map = &map, .currency = "SEK"};
    struct catalog c;
    struct reason why = {0};
    rules.vat_groups = xcalloc(2, sizeof *rules.vat_groups);
    rules.vat_groups[0].id = 2;
    rules.vat_groups[0].percent = 250000;
    rules.vat_groups[1].id = 3;
    rules.vat_group_count = 2;
    fake_begin(data, size);
    enum next next = catalog_read(app, ids, 2, map.price_list_id, rules.currency, &c, &why);
    FUZZ_CHECK(next == NEXT_DONE || ((next == NEXT_DEFER || next == NEXT_PARK) && why.text[0] != '\0'));
    for (size_t i = 0; i < c.n && next == NEXT_DONE; i++) {
        FUZZ_CHECK(c.products[i].id == 192 || c.products[i].id == 193);
        FUZZ_CHECK(i == 0 || c.products[i - 1].id < c.products[i].id);
        FUZZ_CHECK(catalog_find(&c, c.products[i].id) == &c.products[i]);
        check_product(&c.products[i], &rules);
    }
    catalog_free(&c);
    product_rules_free(&rules);
    return 0;
}
