/* SPDX-License-Identifier: Apache-2.0 */
/* What Sitoo should hold of a product: each rule of product_want.h as rows of BigCommerce's JSON and the wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "catalog.h"
#include "json.h"
#include "product_want.h"
#include "ban.h"

#define P_END                                                                                                    \
    "\"type\":\"physical\",\"tax_class_id\":0,\"brand_id\":36,\"categories\":[23,24,23,99],\"is_visible\":true," \
    "\"availability\":\"available\""
/* A product without options: variant 382; more: members of each, which come first. */
#define PRODUCT(more)              "{\"id\":192,\"base_variant_id\":382," more P_END "}"
#define FAMILY(more)               "{\"id\":192,\"base_variant_id\":null," more P_END "}"
#define BASE(more)                 "{\"id\":382,\"product_id\":192," more "\"option_values\":[]}"
#define OPTION(name, label)        "{\"option_display_name\":\"" name "\",\"label\":\"" label "\"}"
#define VARIANT(id, more, options) "{\"id\":" id ",\"product_id\":192," more "\"option_values\":[" options "]}"
#define JAR                        "\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":10,"
#define COLORS                                                                     \
    VARIANT("1", "\"sku\":\"A\",", OPTION("Color", "Red") "," OPTION("Size", "L")) \
    "," VARIANT("2", "\"sku\":\"B\",", OPTION("Size", "M") "," OPTION("Color", "Blue"))

static struct mapping_pair vat[] = {{0, 2}, {1, 3}, {5, 9}}, brands[] = {{36, 4}}, cats[] = {{23, 50}, {24, 49}};

struct fixture {
    struct mapping_products map;
    struct product_rules rules;
    struct catalog catalog;
    struct product_want want;
};

static void begin(struct fixture *f) {
    memset(f, 0, sizeof *f);
    f->map = (struct mapping_products){.on = true,
                                       .vat_groups = {vat, 3},
                                       .manufacturers = {brands, 1},
                                       .categories = {cats, 2},
                                       .prices_include_vat = true,
                                       .barcodes = {BARCODE_GTIN, BARCODE_UPC},
                                       .barcode_count = 2};
    f->rules.map = &f->map;
    (void)str_copy(f->rules.currency, sizeof f->rules.currency, "SEK");
    f->rules.web_with_tax = true;
    f->rules.tax_classes = xcalloc(2, sizeof *f->rules.tax_classes);
    f->rules.tax_classes[0].id = 3;
    (void)str_copy(f->rules.tax_classes[0].name, sizeof f->rules.tax_classes[0].name, "Books");
    f->rules.tax_class_count = 1;
    f->rules.vat_groups = xcalloc(2, sizeof *f->rules.vat_groups);
    f->rules.vat_groups[0].id = 2;
    f->rules.vat_groups[0].percent = 250000;
    f->rules.vat_groups[1].id = 3;
    f->rules.vat_groups[1].percent = 60000;
    f->rules.vat_group_count = 2;
}

static cJSON *parse(const char *text) {
    char error[160];
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    if (json == NULL) {
        fail_msg("%s in %.300s", error, text);
    }
    return json;
}

/* variants and records: elements, comma separated. */
static void make(struct fixture *f, const char *product, const char *variants, const char *records) {
    struct reason why = {0};
    const cJSON *item = NULL;
    struct buf text;
    cJSON *json = parse(product);
    enum next next = catalog_add_product(&f->catalog, json, &why);
    cJSON_Delete(json);
    catalog_sort(&f->catalog);
    buf_init(&text, 10000000);
    buf_addf(&text, "[[%s],[%s]]", variants, records);
    json = parse(buf_str(&text));
    cJSON_ArrayForEach(item, cJSON_GetArrayItem(json, 0)) {
        next = catalog_add_variant(&f->catalog, item, &why);
    }
    catalog_sort(&f->catalog);
    assert_int_equal(catalog_check(&f->catalog, &why), NEXT_DONE);
    cJSON_ArrayForEach(item, cJSON_GetArrayItem(json, 1)) {
        next = catalog_add_record(&f->catalog, item, "sek", &why);
    }
    cJSON_Delete(json);
    buf_free(&text);
    (void)next;
    product_want(&f->catalog.products[0], &f->rules, &f->want);
}

static void end(struct fixture *f) {
    product_want_free(&f->want);
    catalog_free(&f->catalog);
    product_rules_free(&f->rules);
}

/* "JAR 1000 - | !bad_price": SKU, price and sale price of each want, then the causes, then what is left as it is. */
static void show(const struct product_want *w, char *out, size_t size) {
    struct buf b;
    buf_init(&b, size - 1);
    for (size_t i = 0; i < w->n; i++) {
        buf_addf(&b, "%s %lld", w->list[i].sku, (long long)w->list[i].price);
        if (w->list[i].sale_price != WANT_NONE) {
            buf_addf(&b, "/%lld", (long long)w->list[i].sale_price);
        }
        buf_add_str(&b, " ");
    }
    for (size_t i = 0; i < w->problem_count; i++) {
        buf_addf(&b, "!%s ", want_cause_name(w->problems[i].cause));
    }
    for (size_t i = 0; i < w->left_count; i++) {
        buf_addf(&b, "=%s ", w->left[i]);
    }
    (void)str_copy(out, size, buf_str(&b));
    buf_free(&b);
}

#define RECORD(currency, prices) "{\"variant_id\":382,\"currency\":\"" currency "\"," prices "}"

static void prices_and_problems(void **state) {
    static const struct {
        const char *name, *product, *variants, *records, *want, *text;
        bool price_list, sale_list, web_without_tax, till_without_tax;
    } rows[] = {
        {"product's price", PRODUCT(JAR), BASE("\"sku\":\"JAR\","), "", "JAR 1000 ", NULL, 0, 0, 0, 0},
        {"variant's price", PRODUCT(JAR), BASE("\"sku\":\"JAR\",\"price\":12.345,"), "", "JAR 1235 ", NULL, 0, 0, 0, 0},
        {"SKU of the product", PRODUCT(JAR), BASE("\"sku\":\"\","), "", "JAR 1000 ", NULL, 0, 0, 0, 0},
        {"nothing as {} and null",
         PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":\"10.00\",\"sale_price\":\"\",\"retail_price\":{},"),
         BASE("\"sku\":\"JAR\",\"price\":{},\"sale_price\":{},\"retail_price\":\"\","), "", "JAR 1000 ", NULL, 0, 0, 0,
         0},
        {"sale in the default list", PRODUCT(JAR "\"sale_price\":8,"), BASE(""), "", "JAR 800 ", NULL, 0, 0, 0, 0},
        {"sale in its own list", PRODUCT(JAR "\"sale_price\":8,"), BASE(""), "", "JAR 1000/800 ", NULL, 0, 1, 0, 0},
        {"variant's sale", PRODUCT(JAR "\"sale_price\":8,"), BASE("\"sale_price\":7,"), "", "JAR 1000/700 ", NULL, 0, 1,
         0, 0},
        {"a sale of 0 is none", PRODUCT(JAR "\"sale_price\":0,"), BASE(""), "", "JAR 1000 ", NULL, 0, 1, 0, 0},
        {"a sale above the price is none", PRODUCT(JAR "\"sale_price\":11,"), BASE(""), "", "JAR 1000 ", NULL, 0, 0, 0,
         0},
        {"a sale at the price is none", PRODUCT(JAR "\"sale_price\":10,"), BASE(""), "", "JAR 1000 ", NULL, 0, 1, 0, 0},
        {"a sale that rounding makes equal", PRODUCT(JAR "\"sale_price\":9.9999,"), BASE(""), "", "JAR 1000 ", NULL, 0,
         1, 0, 0},
        {"free", PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":0,"), BASE(""), "", "JAR 0 ", NULL, 0, 0, 0, 0},
        {"tax is added", PRODUCT(JAR), BASE(""), "", "JAR 1250 ", NULL, 0, 0, 1, 0},
        {"tax is taken off", PRODUCT(JAR), BASE(""), "", "JAR 800 ", NULL, 0, 0, 0, 1},
        {"both without tax", PRODUCT(JAR), BASE(""), "", "JAR 1000 ", NULL, 0, 0, 1, 1},
        {"no price", PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":null,"), BASE(""), "", "!bad_price =JAR ",
         "Product 192, SKU JAR: it has no price", 0, 0, 0, 0},
        {"negative", PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":-0.0001,"), BASE(""), "", "!bad_price =JAR ",
         "is negative", 0, 0, 0, 0},
        {"too large", PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":1000000000,"), BASE(""), "",
         "!bad_price =JAR ", "its price 1000000000.00 SEK is negative or too large", 0, 0, 0, 0},
        {"no amount", PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\",\"price\":\"ten\","), BASE(""), "",
         "!bad_product =JAR ", "Product 192: its price cannot be read", 0, 0, 0, 0},
        {"list's price", PRODUCT(JAR), BASE(""), RECORD("SEK", "\"price\":6"), "JAR 600 ", NULL, 1, 0, 0, 0},
        {"list's price and sale", PRODUCT(JAR), BASE(""), RECORD("sek", "\"price\":6,\"sale_price\":5"), "JAR 600/500 ",
         NULL, 1, 1, 0, 0},
        {"catalog's sale does not count beside a list's price", PRODUCT(JAR "\"sale_price\":5,"), BASE(""),
         RECORD("SEK", "\"price\":6,\"sale_price\":null"), "JAR 600 ", NULL, 1, 0, 0, 0},
        {"list's sale above its price", PRODUCT(JAR), BASE(""), RECORD("SEK", "\"price\":6,\"sale_price\":7"),
         "JAR 600 ", NULL, 1, 1, 0, 0},
        {"no record: the catalog's price", PRODUCT(JAR "\"sale_price\":5,"), BASE(""), "", "JAR 500 ", NULL, 1, 0, 0,
         0},
        {"another currency", PRODUCT(JAR), BASE(""), RECORD("EUR", "\"price\":6"), "!price_list_currency =JAR ",
         "has a price in EUR, but none in SEK", 1, 0, 0, 0},
        {"ours and another", PRODUCT(JAR), BASE(""), RECORD("SEK", "\"price\":6") "," RECORD("EUR", "\"price\":1"),
         "JAR 600 ", NULL, 1, 0, 0, 0},
        {"a list that is not asked for", PRODUCT(JAR), BASE(""), RECORD("EUR", "\"price\":6"), "JAR 1000 ", NULL, 0, 0,
         0, 0},
        {"a record that cannot be read", PRODUCT(JAR), BASE(""), RECORD("SEK", "\"price\":[]"), "!bad_product =JAR ",
         NULL, 1, 0, 0, 0},
        {"no SKU", PRODUCT("\"name\":\"Jar\",\"sku\":null,\"price\":1,"), BASE(""), "", "!variant_without_sku ",
         "Product 192: its variant 382 has no SKU", 0, 0, 0, 0},
        {"SKU with a space", PRODUCT(JAR), BASE("\"sku\":\"A B\","), "", "!sku_not_allowed =A B ",
         "Product 192, SKU A B", 0, 0, 0, 0},
        {"SKU with an umlaut", PRODUCT(JAR), BASE("\"sku\":\"\u00c4\","), "", "!sku_not_allowed =\u00c4 ", NULL, 0, 0,
         0, 0},
        {"a download",
         "{\"id\":192,\"type\":\"digital\",\"name\":\"x\",\"sku\":\"D\",\"tax_class_id\":0,\"is_visible\":true,"
         "\"availability\":\"available\",\"base_variant_id\":382}",
         BASE(""), "", "=D ", NULL, 0, 0, 0, 0},
        {"variant that was not listed", PRODUCT(JAR), "", "", "!bad_product ", "did not list its variant 382", 0, 0, 0,
         0},
        {"family", FAMILY(JAR), COLORS, "", "A 1000 B 1000 ", NULL, 0, 0, 0, 0},
        {"variants without SKU do not take the product's", FAMILY(JAR), VARIANT("1", "\"sku\":\"\",", OPTION("C", "R")),
         "", "!variant_without_sku ", NULL, 0, 0, 0, 0},
        {"a SKU twice", FAMILY(JAR),
         VARIANT("1", "\"sku\":\"A\",", OPTION("C", "R")) "," VARIANT("2", "\"sku\":\"A\",", OPTION("C", "B")), "",
         "A 1000 !variant_without_sku ", "its SKU stands twice, at variants 1 and 2", 0, 0, 0, 0},
        {"case makes another SKU", FAMILY(JAR),
         VARIANT("1", "\"sku\":\"A\",", OPTION("C", "R")) "," VARIANT("2", "\"sku\":\"a\",", OPTION("C", "B")), "",
         "A 1000 a 1000 ", NULL, 0, 0, 0, 0},
        {"other options", FAMILY(JAR),
         COLORS "," VARIANT("3", "\"sku\":\"C\",", OPTION("Color", "Red") "," OPTION("Fit", "L")), "",
         "A 1000 B 1000 !options_differ =C ", "SKU C", 0, 0, 0, 0},
        {"fewer options", FAMILY(JAR), COLORS "," VARIANT("3", "\"sku\":\"C\",", OPTION("Color", "Red")), "",
         "A 1000 B 1000 !options_differ =C ", NULL, 0, 0, 0, 0},
        {"no options", FAMILY(JAR), COLORS "," VARIANT("3", "\"sku\":\"C\",", ""), "",
         "A 1000 B 1000 !options_differ =C ", NULL, 0, 0, 0, 0},
        {"option without a value", FAMILY(JAR), VARIANT("1", "\"sku\":\"A\",", OPTION("C", " ")), "",
         "!options_differ =A ", NULL, 0, 0, 0, 0},
        {"no variants at all", FAMILY(JAR), "", "", "", NULL, 0, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        char shown[400];
        begin(&f);
        f.map.from_price_list = rows[i].price_list;
        f.map.sale_price_list_id = rows[i].sale_list ? 2 : 0;
        f.rules.web_with_tax = !rows[i].web_without_tax;
        f.map.prices_include_vat = !rows[i].till_without_tax;
        make(&f, rows[i].product, rows[i].variants, rows[i].records);
        show(&f.want, shown, sizeof shown);
        if (strcmp(shown, rows[i].want) != 0) {
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, shown, rows[i].want);
        }
        if (rows[i].text != NULL && strstr(f.want.problems[0].text, rows[i].text) == NULL) {
            fail_msg("%s: %s", rows[i].name, f.want.problems[0].text);
        }
        end(&f);
    }
}

static void conversion_rounds_half_up(void **state) {
    static const struct {
        int64_t amount, percent, want;
        bool from, to;
    } rows[] = {
        {100050, 250000, 1001, true, true},
        {100049, 250000, 1000, true, true},
        {79600, 250000, 995, false, true},
        {999900, 60000, 10599, false, true},
        {100000, 250000, 800, true, false},
        {10000, 30000, 97, true, false},
        {0, 250000, 0, false, true},
        {-1, 0, WANT_NONE, true, true},
        {100, -1, WANT_NONE, true, false},
        {100, 10000001, WANT_NONE, true, false},
        {10000, 10000000, 1100, false, true},
        {INT64_C(9999999999900), 0, WANT_PRICE_MAX, true, true},
        {INT64_C(9999999999950), 0, WANT_NONE, true, true},
        {INT64_C(9999999999900), 250000, WANT_NONE, false, true},
        {INT64_C(9999999999900), 250000, INT64_C(79999999999), true, false},
        {INT64_MAX, 250000, WANT_NONE, false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = want_price(rows[i].amount, rows[i].from, rows[i].to, rows[i].percent);
        if (got != rows[i].want) {
            fail_msg("row %zu: %lld", i, (long long)got);
        }
    }
}

static void tax_classes_become_product_groups(void **state) {
    static const struct {
        const char *name, *tax_class, *want, *text;
        int64_t preset, vat_id;
        bool groups_unknown, without_tax;
    } rows[] = {
        {"0 is a key", "0", "JAR 1000 ", NULL, 0, 2, 0, 0},
        {"1", "1", "JAR 1000 ", NULL, 0, 3, 0, 0},
        {"not listed", "3", "!tax_class_unmapped =JAR ", "Product 192: its tax class 3 (Books)", 0, 0, 0, 0},
        {"no name", "4", "!tax_class_unmapped =JAR ", "tax class 4 (name not known)", 0, 0, 0, 0},
        {"preset", "3", "JAR 1000 ", NULL, 2, 2, 0, 0},
        {"a group that Sitoo lacks", "5", "!vat_group_unknown =JAR ", "product group 9", 0, 0, 0, 0},
        {"preset that Sitoo lacks", "3", "!vat_group_unknown =JAR ", "product group 8", 8, 0, 0, 0},
        {"no group is known", "5", "JAR 1000 ", NULL, 0, 9, 1, 0},
        {"no percent for the conversion", "5", "!vat_group_unknown =JAR ", NULL, 0, 0, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        char shown[200], product[400];
        begin(&f);
        f.map.default_vat_group = rows[i].preset;
        f.rules.web_with_tax = !rows[i].without_tax;
        f.rules.vat_group_count = rows[i].groups_unknown ? 0 : 2;
        (void)snprintf(product, sizeof product,
                       "{\"id\":192,\"base_variant_id\":382," JAR "\"type\":\"physical\",\"tax_class_id\":%s,"
                       "\"is_visible\":true,\"availability\":\"available\"}",
                       rows[i].tax_class);
        make(&f, product, BASE(""), "");
        show(&f.want, shown, sizeof shown);
        if (strcmp(shown, rows[i].want) != 0 || (f.want.n > 0 && f.want.list[0].vat_id != rows[i].vat_id)) {
            fail_msg("%s: %s", rows[i].name, shown);
        }
        assert_true(rows[i].text == NULL || strstr(f.want.problems[0].text, rows[i].text) != NULL);
        end(&f);
    }
}

static void barcodes(void **state) {
    static const struct {
        const char *name, *product, *variants, *want;
        size_t problems;
    } rows[] = {
        {"gtin first", "", BASE("\"gtin\":\"111\",\"upc\":\"222\","), "111;", 0},
        {"then upc", "", BASE("\"gtin\":\"\",\"upc\":\" 222 \","), "222;", 0},
        {"the product's gtin before the variant's upc", "\"gtin\":\"333\",", BASE("\"upc\":\"222\","), "333;", 0},
        {"none", "", BASE(""), ";", 0},
        {"spaces only", "", BASE("\"gtin\":\"  \","), ";", 0},
        {"14 characters", "", BASE("\"gtin\":\"12345678901234\","), "12345678901234;", 0},
        {"15 characters", "", BASE("\"gtin\":\"123456789012345\","), ";", 1},
        {"not ASCII", "", BASE("\"gtin\":\"\u00e4\","), ";", 1},
        {"a control", "", BASE("\"gtin\":\"1\\u00012\","), ";", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        char product[500], got[100] = "";
        begin(&f);
        (void)snprintf(product, sizeof product, "{\"id\":192,\"base_variant_id\":382,%s" JAR P_END "}",
                       rows[i].product);
        make(&f, product, rows[i].variants, "");
        assert_int_equal(f.want.n, 1);
        (void)snprintf(got, sizeof got, "%s;", f.want.list[0].barcode);
        if (strcmp(got, rows[i].want) != 0 || f.want.problem_count != rows[i].problems) {
            fail_msg("%s: %s, %zu problems", rows[i].name, got, f.want.problem_count);
        }
        end(&f);
    }
}

static void of_two_variants_with_one_barcode_the_first_keeps_it(void **state) {
    struct fixture f;
    (void)state;
    begin(&f);
    make(&f, FAMILY(JAR),
         VARIANT("1", "\"sku\":\"A\",\"upc\":\"77\",",
                 OPTION("C", "R")) "," VARIANT("2", "\"sku\":\"B\",\"gtin\":\"77\",", OPTION("C", "B")),
         "");
    assert_int_equal(f.want.n, 2);
    assert_string_equal(f.want.list[0].barcode, "77");
    assert_string_equal(f.want.list[1].barcode, "");
    assert_int_equal(f.want.problem_count, 1);
    assert_int_equal(f.want.problems[0].cause, WANT_BARCODE);
    assert_string_equal(f.want.problems[0].sku, "B");
    end(&f);
}

static void it_is_shown_in_the_pos_if_it_can_be_bought(void **state) {
    static const struct {
        const char *visible, *availability, *disabled;
        bool stays, want;
    } rows[] = {
        {"true", "available", "false", false, true},   {"true", "preorder", "false", false, true},
        {"false", "available", "false", false, false}, {"true", "disabled", "false", false, false},
        {"true", "available", "true", false, false},   {"false", "disabled", "false", true, true},
        {"true", "available", "true", true, false},    {"true", "available", "null", false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        char product[400], variant[200];
        begin(&f);
        f.map.hidden_stays_active = rows[i].stays;
        (void)snprintf(product, sizeof product,
                       "{\"id\":192,\"base_variant_id\":382," JAR "\"type\":\"physical\",\"tax_class_id\":0,"
                       "\"is_visible\":%s,\"availability\":\"%s\"}",
                       rows[i].visible, rows[i].availability);
        (void)snprintf(variant, sizeof variant, BASE("\"purchasing_disabled\":%s,"), rows[i].disabled);
        make(&f, product, variant, "");
        if (f.want.list[0].active != rows[i].want) {
            fail_msg("row %zu", i);
        }
        end(&f);
    }
}

static void fields_are_owned_only_if_the_mapping_says_so(void **state) {
    struct fixture f;
    static const char product[] =
        PRODUCT(JAR "\"retail_price\":15,\"description\":\"<p>A <b>jar</b>.</p>\",\"gtin\":\"1\",");
    (void)state;
    begin(&f);
    f.map.categories.n = f.map.manufacturers.n = f.map.barcode_count = 0;
    make(&f, product, BASE(""), "");
    const struct want *one = f.want.list;
    assert_null(one->unit);
    assert_null(one->description);
    assert_null(one->barcode);
    assert_int_equal(one->retail_price, WANT_NONE);
    assert_int_equal(one->manufacturer_id, WANT_NONE);
    assert_int_equal(one->category_count, 0);
    end(&f);
    begin(&f);
    (void)str_copy(f.map.unit_label, sizeof f.map.unit_label, "st");
    f.map.description = f.map.retail_price = true;
    make(&f, product, BASE(""), "");
    one = f.want.list;
    assert_string_equal(one->unit, "st");
    assert_string_equal(one->description, "A jar.");
    assert_int_equal(one->retail_price, 1500);
    assert_int_equal(one->manufacturer_id, 4);
    assert_int_equal(one->category_count, 2);
    assert_int_equal(one->categories[0], 49);
    assert_int_equal(one->categories[1], 50);
    end(&f);
}

static void the_image_is_the_variants_own_or_the_products_first(void **state) {
#define IMAGE(place, thumbnail, url) \
    "{\"sort_order\":" place ",\"is_thumbnail\":" thumbnail ",\"url_standard\":\"" url "\"}"
#define FIRST(url) "\"images\":[" IMAGE("0", "true", url) "],"
    static const struct {
        bool on;
        const char *product, *variant, *want; /* want NULL: not owned */
    } rows[] = {
        {true, FIRST("https://x/p.jpg"), "\"image_url\":\"\",", "https://x/p.jpg"},
        {true, FIRST("https://x/p.jpg"), "\"image_url\":null,", "https://x/p.jpg"},
        {true, FIRST("https://x/p.jpg"), "\"image_url\":\"https://x/v.jpg\",", "https://x/v.jpg"},
        {true, "", "\"image_url\":\"https://x/v.jpg\",", "https://x/v.jpg"},
        {true, "\"images\":[],", "\"image_url\":\"\",", ""},
        {true, "\"images\":[" IMAGE("1", "false", "b") "," IMAGE("0", "false", "a") "],", "\"image_url\":\"\",", "a"},
        {true, "\"images\":[" IMAGE("0", "false", "a") "," IMAGE("1", "true", "b") "],", "\"image_url\":\"\",", "b"},
        /* what was not told, or cannot be read, is not none: an image that is there stays */
        {true, "", "\"image_url\":\"\",", NULL},
        {true, FIRST("https://x/p.jpg"), "", NULL},
        {true, FIRST("https://x/p.jpg"), "\"image_url\":7,", NULL},
        {true, "\"images\":[{\"id\":1}],", "\"image_url\":\"\",", NULL},
        {true, "\"images\":null,", "\"image_url\":\"\",", NULL},
        {false, FIRST("https://x/p.jpg"), "\"image_url\":\"https://x/v.jpg\",", NULL}};
#undef FIRST
#undef IMAGE
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct buf product, variant;
        begin(&f);
        f.map.images = rows[i].on;
        buf_init(&product, 1000);
        buf_init(&variant, 1000);
        buf_addf(&product, "{\"id\":192,\"base_variant_id\":382," JAR "%s" P_END "}", rows[i].product);
        buf_addf(&variant, "{\"id\":382,\"product_id\":192,%s\"option_values\":[]}", rows[i].variant);
        make(&f, buf_str(&product), buf_str(&variant), "");
        const char *image = f.want.list[0].image;
        if ((image == NULL) != (rows[i].want == NULL) || (image != NULL && strcmp(image, rows[i].want) != 0)) {
            fail_msg("row %zu: %s", i, image != NULL ? image : "not owned");
        }
        buf_free(&product);
        buf_free(&variant);
        end(&f);
    }
}

static void a_family_has_its_options_in_the_first_variants_order(void **state) {
    struct fixture f;
    (void)state;
    begin(&f);
    make(&f, FAMILY(JAR), COLORS, "");
    assert_int_equal(f.want.group_count, 2);
    assert_string_equal(f.want.groups[0], "Color");
    assert_string_equal(f.want.groups[1], "Size");
    assert_string_equal(f.want.list[1].attributes[0], "Blue");
    assert_string_equal(f.want.list[1].attributes[1], "M");
    assert_string_equal(f.want.list[0].title, "Jar Red L");
    end(&f);
}

static void six_hundred_variants_are_all_wanted(void **state) {
    struct buf b;
    (void)state;
    for (int n = CATALOG_VARIANTS_MAX; n <= CATALOG_VARIANTS_MAX + 1; n++) {
        struct fixture f;
        begin(&f);
        buf_init(&b, 1000000);
        for (int i = n; i > 0; i--) {
            buf_addf(&b, "%s" VARIANT("%d", "\"sku\":\"V%d\",", OPTION("Nr", "%d")), i < n ? "," : "", i, i, i);
        }
        make(&f, FAMILY(JAR), buf_str(&b), "");
        buf_free(&b);
        assert_int_equal(f.want.n, n > CATALOG_VARIANTS_MAX ? 0 : n);
        assert_int_equal(f.want.left_count, n > CATALOG_VARIANTS_MAX ? n : 0);
        assert_true(f.want.n == 0 || strcmp(f.want.list[n - 1].sku, "V600") == 0);
        end(&f);
    }
}

/* A tax class that is mended brings them back; a download never comes, and what was brought before is hidden. */
static void what_is_left_is_still_there_unless_it_is_a_download(void **state) {
    static const char *const products[] = {
        PRODUCT("\"name\":\"Jar\",\"sku\":\"JAR\","),
        "{\"id\":192,\"type\":\"digital\",\"name\":\"x\",\"sku\":\"JAR\",\"tax_class_id\":0,\"is_visible\":true,"
        "\"availability\":\"available\",\"base_variant_id\":382}"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        begin(&f);
        make(&f, products[i], BASE(""), "");
        assert_int_equal(f.want.left_count, 1);
        assert_true(product_want_has(&f.want, "JAR") == (i == 0));
        end(&f);
    }
}

/* ---- texts ---- */

static void titles_are_cut_between_characters(void **state) {
    static const struct {
        const char *text, *want;
        size_t max;
    } rows[] = {
        {"  A \t\n jar \xc2\xa0 ", "A jar", 250},
        {"A\x01 j\x7f"
         "ar\xc2\x85",
         "A jar", 250},
        {"\xf0\x9f\xab\x99 Jar", "\xf0\x9f\xab\x99 Jar", 250},
        {"1234567890", "1234567890", 10},
        {"12345678901", "1234567...", 10},
        {"123456 8901", "123456...", 10},
        {"\xf0\x9f\xab\x99\xf0\x9f\xab\x99\xf0\x9f\xab\x99\xf0\x9f\xab\x99\xf0\x9f\xab\x99", "\xf0\x9f\xab\x99...", 4},
        {"<b>Jar</b> & co", "<b>Jar</b> & co", 250},
        {"ab", ".", 1},
        {"\xc3", "\xef\xbf\xbd", 250},
        {"", "", 250},
        {" ", "", 250},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = want_text(rows[i].text, rows[i].max);
        if (strcmp(got, rows[i].want) != 0) {
            fail_msg("row %zu: \"%s\"", i, got);
        }
        free(got);
    }
}

static void a_title_of_500_characters_is_cut(void **state) {
    struct fixture f;
    struct buf b;
    size_t chars = 0;
    (void)state;
    begin(&f);
    buf_init(&b, 10000);
    buf_add_str(&b, "{\"id\":192,\"base_variant_id\":382,\"sku\":\"JAR\",\"price\":1," P_END ",\"name\":\"");
    for (int i = 0; i < 500; i++) {
        buf_add_str(&b, "\xf0\x9f\xab\x99");
    }
    buf_add_str(&b, "\"}");
    make(&f, buf_str(&b), BASE(""), "");
    for (const char *s = f.want.list[0].title; *s != '\0'; s++) {
        chars += ((unsigned char)*s & 0xc0) != 0x80 ? 1 : 0;
    }
    assert_int_equal(chars, WANT_TITLE_MAX);
    buf_free(&b);
    end(&f);
    begin(&f);
    make(&f, PRODUCT("\"name\":\" \",\"sku\":\"JAR\",\"price\":1,"), BASE(""), "");
    assert_string_equal(f.want.list[0].title, "JAR");
    end(&f);
}

static void descriptions_become_text(void **state) {
    static const struct {
        const char *html, *want;
    } rows[] = {
        {"<p>A <b>jar</b>.</p><p>Glass</p>", "A jar. Glass"},
        {"one<br>two<br/>three", "one two three"},
        {"H<sub>2</sub>O", "H2O"},
        {"a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27; &nbsp;f", "a & b <c> \"d\" 'e' f"},
        {"&auml;&Ouml;&#228;&#xE4;&euro;", "\u00e4\u00d6\u00e4\u00e4\u20ac"},
        {"&amp;lt;b&amp;gt;", "&lt;b&gt;"},
        {"&unknown; &; & &# &#x; &#xg; AT&T", "&unknown; &; & &# &#x; &#xg; AT&T"},
        {"&#0;&#xd800;&#x110000;&#99999999;x", "x"},
        {"<style>p { color: red }</style>x<SCRIPT>if (a < b) {}</SCRIPT>y", "x y"},
        {"x<script>never ends", "x"},
        {"a<!-- no > text -->b<!-- never ends", "ab"},
        {"3 < 4 > 2", "3 < 4 > 2"},
        {"a <b", "a <b"},
        {"x</p", "x</p"},
        {"<>", "<>"},
        {"<", "<"},
        {"&", "&"},
        {"<!DOCTYPE html><?xml ?>x", "x"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = want_plain_text(rows[i].html, 100);
        if (strcmp(got, rows[i].want) != 0) {
            fail_msg("%s: \"%s\"", rows[i].html, got);
        }
        free(got);
    }
    char *got = want_plain_text("<p>123456</p> 789", 8);
    assert_string_equal(got, "12345...");
    free(got);
}

static void skus_that_look_the_same_fold_to_one(void **state) {
    static const struct {
        const char *sku, *want;
    } rows[] = {{"Abc-1", "abc-1"},
                {" A b\tC\xc2\xa0-1 ", "abc-1"},
                {"abc\u20101", "abc-1"},
                {"abc\u22121", "abc-1"},
                {"abc\uff0d1", "abc-1"},
                {"abc\u20151", "abc-1"},
                {"abc\ufe631", "abc-1"},
                {"abc_1", "abc_1"},
                {"\u00c4\u00d7", "\u00e4\u00d7"},
                {"", ""},
                {"\xff", "\xef\xbf\xbd"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = sku_fold(rows[i].sku);
        if (strcmp(got, rows[i].want) != 0) {
            fail_msg("%s: \"%s\"", rows[i].sku, got);
        }
        free(got);
    }
    assert_true(sku_allowed("Az09_+-/"));
    assert_false(sku_allowed("") || sku_allowed("A B") || sku_allowed("A.B") || sku_allowed("\u00e4"));
}

/* ---- digest ---- */

static void set_text(char **at, const char *text) {
    free(*at);
    *at = text != NULL ? xstrdup(text) : NULL;
}

/* Changes one thing; false: there is none of this number. */
static bool change(struct product_want *w, int what) {
    struct want *one = &w->list[1];
    switch (what) {
    case 0:
        set_text(&one->sku, "C");
        return true;
    case 1:
        set_text(&one->title, "Other");
        return true;
    case 2:
        one->price++;
        return true;
    case 3:
        one->sale_price = 1;
        return true;
    case 4:
        one->retail_price = 1;
        return true;
    case 5:
        one->vat_id++;
        return true;
    case 6:
        set_text(&one->barcode, "1");
        return true;
    case 7:
        one->active = !one->active;
        return true;
    case 8:
        set_text(&one->unit, "st");
        return true;
    case 9:
        set_text(&one->description, "");
        return true;
    case 10:
        one->manufacturer_id++;
        return true;
    case 11:
        one->categories[1]++;
        return true;
    case 12:
        one->category_count--;
        return true;
    case 13:
        set_text(&one->attributes[0], "Green");
        return true;
    case 14:
        set_text(&w->groups[0], "Colour");
        return true;
    case 15:
        set_text(&one->barcode, NULL);
        return true;
    case 16:
        set_text(&one->sku, "BJ");
        set_text(&one->title, "ar Blue M");
        return true;
    case 17:
        set_text(&one->image, "https://x/a.jpg");
        return true;
    case 18:
        set_text(&one->image, "");
        return true;
    default:
        return false;
    }
}

static void every_owned_field_changes_the_digest(void **state) {
    char first[17], digest[17];
    (void)state;
    for (int what = 0;; what++) {
        struct fixture f;
        begin(&f);
        make(&f, FAMILY(JAR), COLORS, "");
        product_want_digest(&f.want, first);
        assert_int_equal(strlen(first), 16);
        f.want.list[1].variant_id++;
        product_want_digest(&f.want, digest);
        assert_string_equal(first, digest);
        bool changed = change(&f.want, what);
        product_want_digest(&f.want, digest);
        if (changed == (strcmp(first, digest) == 0)) {
            fail_msg("change %d", what);
        }
        end(&f);
        if (!changed) {
            break;
        }
    }
}

static void a_field_that_is_not_owned_does_not_change_the_digest(void **state) {
    static const char *const products[] = {PRODUCT(JAR), PRODUCT(JAR "\"retail_price\":15,\"description\":\"x\",")};
    char digests[2][17];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        begin(&f);
        make(&f, products[i], BASE(""), "");
        product_want_digest(&f.want, digests[i]);
        end(&f);
    }
    assert_string_equal(digests[0], digests[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_and_problems),
        cmocka_unit_test(conversion_rounds_half_up),
        cmocka_unit_test(tax_classes_become_product_groups),
        cmocka_unit_test(barcodes),
        cmocka_unit_test(of_two_variants_with_one_barcode_the_first_keeps_it),
        cmocka_unit_test(it_is_shown_in_the_pos_if_it_can_be_bought),
        cmocka_unit_test(fields_are_owned_only_if_the_mapping_says_so),
        cmocka_unit_test(the_image_is_the_variants_own_or_the_products_first),
        cmocka_unit_test(a_family_has_its_options_in_the_first_variants_order),
        cmocka_unit_test(six_hundred_variants_are_all_wanted),
        cmocka_unit_test(what_is_left_is_still_there_unless_it_is_a_download),
        cmocka_unit_test(titles_are_cut_between_characters),
        cmocka_unit_test(a_title_of_500_characters_is_cut),
        cmocka_unit_test(descriptions_become_text),
        cmocka_unit_test(skus_that_look_the_same_fold_to_one),
        cmocka_unit_test(every_owned_field_changes_the_digest),
        cmocka_unit_test(a_field_that_is_not_owned_does_not_change_the_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
