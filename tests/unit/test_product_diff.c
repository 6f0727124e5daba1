/* SPDX-License-Identifier: Apache-2.0 */
/* From what is wanted and what Sitoo holds to the writes in between: only fields that differ, only fields that are
 * ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "product_diff.h"
#include "ban.h"

/* ---- literals as the texts of a struct ---- */

static char *text(const char *s) {
    return (char *)(uintptr_t)s;
}

static cJSON *parse(const char *s) {
    char error[160];
    cJSON *json = json_read(s, strlen(s), error, sizeof error);
    if (json == NULL) {
        fail_msg("%s in %.300s", error, s);
    }
    return json;
}

/* The body as it is sent, and no other. Frees it. */
static void assert_sent(const char *name, cJSON *body, const char *want) {
    char *sent = json_print(body);
    cJSON *a = parse(sent), *b = parse(want);
    if (!cJSON_Compare(a, b, true)) {
        fail_msg("%s: %s, not %s", name, sent, want);
    }
    cJSON_Delete(a);
    cJSON_Delete(b);
    cJSON_Delete(body);
    free(sent);
}

static int64_t want_categories[] = {49, 50}, have_categories[] = {50, 49}, others[] = {49, 51}, three[] = {49, 50, 51},
               twice[] = {50, 49, 50};

/* Everything is owned, and Sitoo has all of it. */
static struct want all_wanted(void) {
    return (struct want){.sku = text("JAR"),
                         .title = text("Jar"),
                         .price = 5900,
                         .sale_price = 4900,
                         .retail_price = 6900,
                         .vat_id = 2,
                         .barcode = text("7310"),
                         .active = true,
                         .unit = text("pcs"),
                         .description = text("Of glass"),
                         .manufacturer_id = 4,
                         .categories = want_categories,
                         .category_count = 2};
}

/* Nothing is owned but what always is. */
static struct want least_wanted(void) {
    return (struct want){.sku = text("JAR"),
                         .title = text("Jar"),
                         .price = 5900,
                         .sale_price = WANT_NONE,
                         .retail_price = WANT_NONE,
                         .vat_id = 2,
                         .active = true,
                         .manufacturer_id = WANT_NONE};
}

static struct till_product all_there(void) {
    return (struct till_product){.id = 21,
                                 .sku = text("JAR"),
                                 .title = text("Jar"),
                                 .price = 5900,
                                 .retail_price = 6900,
                                 .purchase_price = 800,
                                 .offer_price = 100,
                                 .vat_id = 2,
                                 .barcode = text("7310"),
                                 .active = true,
                                 .unit = text("pcs"),
                                 .description = text("Of glass"),
                                 .manufacturer_id = 4,
                                 .categories = have_categories,
                                 .category_count = 2};
}

/* ---- what differs ---- */

/* Sitoo's with one field changed, one after the other. */
static struct till_product changed(unsigned field) {
    struct till_product h = all_there();
    h.title = field == FIELD_TITLE ? text("jar") : h.title;
    h.price = field == FIELD_PRICE ? -1 : h.price;
    h.vat_id = field == FIELD_VAT ? 3 : h.vat_id;
    h.barcode = field == FIELD_BARCODE ? text("") : h.barcode;
    h.active = field != FIELD_ACTIVE;
    h.unit = field == FIELD_UNIT ? text("") : h.unit;
    h.retail_price = field == FIELD_RETAIL ? -1 : h.retail_price;
    h.manufacturer_id = field == FIELD_MANUFACTURER ? 0 : h.manufacturer_id;
    h.categories = field == FIELD_CATEGORIES ? others : h.categories;
    h.description = field == FIELD_DESCRIPTION ? text("Of  glass") : h.description;
    return h;
}

static const struct {
    unsigned field;
    const char *name, *update; /* {"productid":21, and this */
    bool always;               /* owned whatever the mapping says */
} fields[] = {{FIELD_TITLE, "title", "\"title\":\"Jar\"", true},
              {FIELD_PRICE, "price", "\"moneyprice\":\"59.00\"", true},
              {FIELD_VAT, "vat", "\"vatid\":2", true},
              {FIELD_BARCODE, "barcode", "\"barcode\":\"7310\"", false},
              {FIELD_ACTIVE, "active", "\"activepos\":true", true},
              {FIELD_UNIT, "unit", "\"unitlabel\":\"pcs\"", false},
              {FIELD_RETAIL, "retail_price", "\"moneypriceorg\":\"69.00\"", false},
              {FIELD_MANUFACTURER, "manufacturer", "\"manufacturerid\":4", false},
              {FIELD_CATEGORIES, "categories", "\"categories\":[49,50],\"defaultcategoryid\":49", false},
              {FIELD_DESCRIPTION, "description", "\"description\":\"Of glass\"", false}};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static void each_field_is_seen_named_and_sent_alone(void **state) {
    struct want all = all_wanted(), least = least_wanted();
    struct till_product there = all_there();
    unsigned every = 0;
    (void)state;
    assert_int_equal(product_differs(&all, &there), 0); /* categories in any order */
    assert_int_equal(product_differs(&least, &there), 0);
    for (size_t i = 0; i < FIELDS; i++) {
        char sent[200];
        struct till_product h = changed(fields[i].field);
        if (product_differs(&all, &h) != fields[i].field ||
            product_differs(&least, &h) != (fields[i].always ? fields[i].field : 0)) {
            fail_msg("%s", fields[i].name);
        }
        assert_string_equal(product_field_name(fields[i].field, 0), fields[i].name);
        assert_null(product_field_name(fields[i].field, 1));
        assert_string_equal(product_field_name(FIELD_ALL, i), fields[i].name);
        (void)snprintf(sent, sizeof sent, "{\"productid\":21,%s}", fields[i].update);
        assert_sent(fields[i].name, product_update_body(&all, 21, fields[i].field), sent);
        every |= fields[i].field;
    }
    assert_int_equal(every, FIELD_ALL);
    assert_null(product_field_name(FIELD_ALL, FIELDS));
    assert_null(product_field_name(0, 0));
    assert_string_equal(product_field_name(FIELD_VAT | FIELD_UNIT, 1), "unit");
}

static void categories_are_compared_as_sets(void **state) {
    struct want w = all_wanted();
    struct till_product h = all_there();
    (void)state;
    h.categories = three;
    h.category_count = 3;
    assert_int_equal(product_differs(&w, &h), FIELD_CATEGORIES);
    h.categories = twice;
    assert_int_equal(product_differs(&w, &h), 0);
    h.category_count = 0;
    assert_int_equal(product_differs(&w, &h), FIELD_CATEGORIES);
    w.category_count = 0; /* not owned */
    assert_int_equal(product_differs(&w, &h), 0);
}

static void no_barcode_is_wanted_or_it_is_not_owned(void **state) {
    struct want w = all_wanted();
    struct till_product h = all_there();
    (void)state;
    w.barcode = text("");
    assert_int_equal(product_differs(&w, &h), FIELD_BARCODE);
    assert_sent("cleared", product_update_body(&w, 21, FIELD_BARCODE), "{\"productid\":21,\"barcode\":\"\"}");
    h.barcode = text("");
    assert_int_equal(product_differs(&w, &h), 0);
    w.barcode = NULL;
    h.barcode = text("7310");
    assert_int_equal(product_differs(&w, &h), 0);
}

/* ---- bodies ---- */

/* Whatever the wants and the mask: no other member, and none that is not owned. */
static void a_large_change_of_price_is_seen(void **state) {
    static const struct {
        const char *name;
        int64_t was, is, percent;
        bool much;
    } rows[] = {
        {"the same", 10000, 10000, 1, false},
        {"at the limit", 10000, 5000, 50, false},
        {"one less", 10000, 4999, 50, true},
        {"at the limit upwards", 10000, 15000, 50, false},
        {"one more", 10000, 15001, 50, true},
        {"from none", -1, 10000, 1, false},
        {"from nothing", 0, 10000, 1, false},
        {"to nothing", 10000, 0, 99, true},
        {"a brake that is off", 1, 900, 100000, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].name);
        assert_int_equal(price_moves_much(rows[i].was, rows[i].is, rows[i].percent), rows[i].much);
    }
}

static void a_sale_that_falls_much_is_seen(void **state) {
    static const struct {
        const char *name;
        int64_t wanted, price, sale;
        bool much;
    } rows[] = {
        {"no sale, none before", WANT_NONE, 10000, WANT_NONE, false},
        {"a sale ends", WANT_NONE, 10000, 1000, false},
        {"a sale begins at half the price", 5000, 10000, WANT_NONE, false},
        {"a sale begins below it", 4999, 10000, WANT_NONE, true},
        {"from one sale to another", 4000, 10000, 8000, false},
        {"from one sale far down", 3999, 10000, 8000, true},
        {"a sale rises", 9000, 10000, 1000, false},
        {"a dearer sale list does not count", 4999, 10000, 30000, true},
        {"not in the default list yet", 4999, -1, WANT_NONE, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct want w = {.price = 10000, .sale_price = rows[i].wanted};
        print_message("%s\n", rows[i].name);
        assert_int_equal(sale_falls_much(&w, rows[i].price, rows[i].sale, 50), rows[i].much);
    }
}

static void only_owned_fields_are_in_any_body(void **state) {
    static const struct {
        const char *name;
        unsigned field; /* 0: of every body of its kind */
    } allowed[] = {{"productid", 0},
                   {"sku", 0},
                   {"stockcountenable", 0},
                   {"title", FIELD_TITLE},
                   {"moneyprice", FIELD_PRICE},
                   {"vatid", FIELD_VAT},
                   {"barcode", FIELD_BARCODE},
                   {"activepos", FIELD_ACTIVE},
                   {"unitlabel", FIELD_UNIT},
                   {"moneypriceorg", FIELD_RETAIL},
                   {"manufacturerid", FIELD_MANUFACTURER},
                   {"categories", FIELD_CATEGORIES},
                   {"defaultcategoryid", FIELD_CATEGORIES},
                   {"description", FIELD_DESCRIPTION}};
    (void)state;
    for (unsigned owned = 0; owned <= FIELD_ALL; owned++) {
        struct want w = all_wanted();
        w.barcode = (owned & FIELD_BARCODE) != 0 ? w.barcode : NULL;
        w.unit = (owned & FIELD_UNIT) != 0 ? w.unit : NULL;
        w.retail_price = (owned & FIELD_RETAIL) != 0 ? w.retail_price : WANT_NONE;
        w.manufacturer_id = (owned & FIELD_MANUFACTURER) != 0 ? w.manufacturer_id : WANT_NONE;
        w.category_count = (owned & FIELD_CATEGORIES) != 0 ? w.category_count : 0;
        w.description = (owned & FIELD_DESCRIPTION) != 0 ? w.description : NULL;
        unsigned ours = owned | FIELD_TITLE | FIELD_PRICE | FIELD_VAT | FIELD_ACTIVE;
        cJSON *bodies[] = {product_create_body(&w, false), product_create_body(&w, true),
                           product_update_body(&w, 21, FIELD_ALL), product_update_body(&w, 21, owned)};
        const unsigned may[] = {ours, ours & ~(unsigned)FIELD_BARCODE, ours, owned};
        for (size_t b = 0; b < 4; b++) {
            unsigned seen = 0;
            const cJSON *member = NULL;
            cJSON_ArrayForEach(member, bodies[b]) {
                size_t i = 0;
                while (i < sizeof allowed / sizeof allowed[0] && strcmp(allowed[i].name, member->string) != 0) {
                    i++;
                }
                bool create_only = i == 1 || i == 2;
                if (i == sizeof allowed / sizeof allowed[0] || (allowed[i].field & ~may[b]) != 0 || (i == 0 && b < 2) ||
                    (create_only && b >= 2) || cJSON_IsNull(member)) {
                    fail_msg("body %zu of owned %x has %s", b, owned, member->string);
                }
                seen |= i < sizeof allowed / sizeof allowed[0] ? allowed[i].field : 0;
            }
            assert_int_equal(seen, may[b]); /* and all of it is there */
            cJSON_Delete(bodies[b]);
        }
    }
}

static void a_product_is_made_with_all_that_is_ours(void **state) {
    struct want w = all_wanted();
    (void)state;
#define MADE                                                                                                    \
    "{\"sku\":\"JAR\",\"title\":\"Jar\",\"moneyprice\":\"59.00\",\"vatid\":2,\"activepos\":true,\"unitlabel\":" \
    "\"pcs\",\"moneypriceorg\":\"69.00\",\"manufacturerid\":4,\"categories\":[49,50],\"defaultcategoryid\":49," \
    "\"description\":\"Of glass\",\"stockcountenable\":true"
    assert_sent("with barcode", product_create_body(&w, false), MADE ",\"barcode\":\"7310\"}");
    assert_sent("held", product_create_body(&w, true), MADE "}");
    w.barcode = text("");
    assert_sent("none", product_create_body(&w, false), MADE "}");
    w = least_wanted();
    w.active = false;
    w.price = 5;
    assert_sent("least", product_create_body(&w, false),
                "{\"sku\":\"JAR\",\"title\":\"Jar\",\"moneyprice\":\"0.05\",\"vatid\":2,\"activepos\":false,"
                "\"stockcountenable\":true}");
}

static void hiding_and_clearing_touch_nothing_else(void **state) {
    (void)state;
    assert_sent("hide", product_hide_body(21), "{\"productid\":21,\"activepos\":false}");
    assert_sent("free", product_free_barcode_body(JSON_INT_MAX), "{\"productid\":9007199254740991,\"barcode\":\"\"}");
}

/* ---- barcodes ---- */

#define CODES_MAX 5

static void codes_that_change_places_are_cleared_first(void **state) {
    static const struct {
        const char *name;
        struct {
            const char *have, *want; /* have "+": made anew; want "-": not owned */
            unsigned fields;
        } list[CODES_MAX];
        const char *free; /* one character each */
    } rows[] = {
        {"nothing moves", {{"1", "1", 0}, {"2", "2", 0}}, ".."},
        {"swap", {{"1", "2", FIELD_BARCODE}, {"2", "1", FIELD_BARCODE}}, "xx"},
        {"ring of three", {{"1", "2", FIELD_BARCODE}, {"2", "3", FIELD_BARCODE}, {"3", "1", FIELD_BARCODE}}, "xxx"},
        {"chain: the first one's code is nobody's",
         {{"1", "2", FIELD_BARCODE}, {"2", "3", FIELD_BARCODE}, {"3", "4", FIELD_BARCODE}},
         ".xx"},
        {"chain, the other way round",
         {{"3", "4", FIELD_BARCODE}, {"2", "3", FIELD_BARCODE}, {"1", "2", FIELD_BARCODE}},
         "xx."},
        {"to a new one", {{"+", "1", FIELD_ALL}, {"1", "2", FIELD_BARCODE}}, ".x"},
        {"to a new one, the old one gets none", {{"1", "", FIELD_BARCODE}, {"+", "1", FIELD_ALL}}, "x."},
        {"to one that had none", {{"", "1", FIELD_BARCODE}, {"1", "2", FIELD_ALL}}, ".x"},
        {"none to none", {{"", "1", FIELD_BARCODE}, {"1", "", FIELD_BARCODE}, {"", "", FIELD_BARCODE}}, ".x."},
        {"its owner keeps it", {{"1", "1", FIELD_TITLE}, {"2", "1", FIELD_BARCODE}}, ".."},
        {"its owner's is not ours", {{"1", "-", FIELD_BARCODE}, {"2", "1", FIELD_BARCODE}}, ".."},
        {"nobody writes it", {{"1", "2", FIELD_BARCODE}, {"2", "1", FIELD_PRICE}}, ".."},
        {"another letter case", {{"a", "b", FIELD_BARCODE}, {"c", "A", FIELD_BARCODE}}, ".."},
        {"of itself", {{"1", "1", FIELD_BARCODE}}, "."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct want wants[CODES_MAX];
        struct till_product haves[CODES_MAX];
        const struct want *want[CODES_MAX];
        const struct till_product *have[CODES_MAX];
        unsigned mask[CODES_MAX];
        bool first[CODES_MAX];
        size_t n = strlen(rows[i].free), expected = 0;
        for (size_t k = 0; k < n; k++) {
            wants[k] = all_wanted();
            wants[k].barcode = strcmp(rows[i].list[k].want, "-") == 0 ? NULL : text(rows[i].list[k].want);
            haves[k] = all_there();
            haves[k].barcode = text(rows[i].list[k].have);
            want[k] = &wants[k];
            have[k] = strcmp(rows[i].list[k].have, "+") == 0 ? NULL : &haves[k];
            mask[k] = rows[i].list[k].fields;
            first[k] = k % 2 == 0; /* what stood there does not count */
        }
        size_t count = barcodes_to_free(want, have, mask, n, first);
        for (size_t k = 0; k < n; k++) {
            expected += rows[i].free[k] == 'x' ? 1 : 0;
            if (first[k] != (rows[i].free[k] == 'x')) {
                fail_msg("%s: %zu", rows[i].name, k);
            }
        }
        assert_int_equal(count, expected);
    }
    assert_int_equal(barcodes_to_free(NULL, NULL, NULL, 0, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_seen_named_and_sent_alone),
        cmocka_unit_test(categories_are_compared_as_sets),
        cmocka_unit_test(no_barcode_is_wanted_or_it_is_not_owned),
        cmocka_unit_test(a_large_change_of_price_is_seen),
        cmocka_unit_test(a_sale_that_falls_much_is_seen),
        cmocka_unit_test(only_owned_fields_are_in_any_body),
        cmocka_unit_test(a_product_is_made_with_all_that_is_ours),
        cmocka_unit_test(hiding_and_clearing_touch_nothing_else),
        cmocka_unit_test(codes_that_change_places_are_cleared_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
