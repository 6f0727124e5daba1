/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between wanted and held, the bodies that mend it, and codes that change places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "product_diff.h"
#include "ban.h"

static char text_sku[] = "JAR-1", text_title[] = "Jar Red", text_code[] = "7310", text_unit[] = "pcs",
            text_words[] = "Made of glass", text_none[] = "", text_other[] = "other", text_case[] = "jar red";
static int64_t two[] = {50, 49}, turned[] = {49, 50}, three[] = {49, 50, 51}, another[] = {49, 51};

/* Everything owned; nothing but what must be. */
static const struct want whole = {.sku = text_sku,
                                  .title = text_title,
                                  .price = 5900,
                                  .sale_price = WANT_NONE,
                                  .retail_price = 6900,
                                  .vat_id = 2,
                                  .barcode = text_code,
                                  .active = true,
                                  .unit = text_unit,
                                  .description = text_words,
                                  .manufacturer_id = 4,
                                  .categories = two,
                                  .category_count = 2};
static const struct want bare = {.sku = text_sku,
                                 .title = text_title,
                                 .price = 5900,
                                 .sale_price = WANT_NONE,
                                 .retail_price = WANT_NONE,
                                 .vat_id = 2,
                                 .active = true,
                                 .manufacturer_id = WANT_NONE};
static const struct till_product same = {.id = 21,
                                         .sku = text_sku,
                                         .title = text_title,
                                         .barcode = text_code,
                                         .unit = text_unit,
                                         .description = text_words,
                                         .price = 5900,
                                         .retail_price = 6900,
                                         .vat_id = 2,
                                         .active = true,
                                         .manufacturer_id = 4,
                                         .categories = turned,
                                         .category_count = 2};

/* ---- differences ---- */

static void each_field_differs_alone(void **state) {
    struct {
        const char *name;
        struct till_product have;
        unsigned differs;
    } rows[] = {{"title", same, FIELD_TITLE},
                {"title, letter case", same, FIELD_TITLE},
                {"price", same, FIELD_PRICE},
                {"no price", same, FIELD_PRICE},
                {"vat", same, FIELD_VAT},
                {"barcode", same, FIELD_BARCODE},
                {"no barcode", same, FIELD_BARCODE},
                {"active", same, FIELD_ACTIVE},
                {"unit", same, FIELD_UNIT},
                {"retail_price", same, FIELD_RETAIL},
                {"manufacturer", same, FIELD_MANUFACTURER},
                {"categories, one more", same, FIELD_CATEGORIES},
                {"categories, another one", same, FIELD_CATEGORIES},
                {"description", same, FIELD_DESCRIPTION},
                {"nothing", same, 0}};
    (void)state;
    rows[0].have.title = text_other;
    rows[1].have.title = text_case;
    rows[2].have.price = 5901;
    rows[3].have.price = -1;
    rows[4].have.vat_id = 3;
    rows[5].have.barcode = text_other;
    rows[6].have.barcode = text_none;
    rows[7].have.active = false;
    rows[8].have.unit = text_none;
    rows[9].have.retail_price = 0;
    rows[10].have.manufacturer_id = 0;
    rows[11].have.categories = three;
    rows[11].have.category_count = 3;
    rows[12].have.categories = another;
    rows[13].have.description = text_none;
    rows[14].have.parent_id = 7;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("  %s\n", rows[i].name);
        assert_int_equal(product_differs(&whole, &rows[i].have), rows[i].differs);
    }
}

static void what_is_not_owned_never_differs(void **state) {
    struct till_product have = same;
    (void)state;
    have.barcode = have.unit = have.description = text_other;
    have.retail_price = 1;
    have.manufacturer_id = 99;
    have.categories = three;
    have.category_count = 3;
    assert_int_equal(product_differs(&bare, &have), 0);
}

static void an_empty_barcode_is_owned(void **state) {
    struct want want = whole;
    struct till_product have = same;
    (void)state;
    want.barcode = text_none;
    assert_int_equal(product_differs(&want, &have), FIELD_BARCODE);
    have.barcode = text_none;
    assert_int_equal(product_differs(&want, &have), 0);
}

static void fields_have_names(void **state) {
    static const char *const names[] = {"title", "price",        "vat",          "barcode",    "active",
                                        "unit",  "retail_price", "manufacturer", "categories", "description"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_string_equal(product_field_name(FIELD_ALL, i), names[i]);
    }
    assert_null(product_field_name(FIELD_ALL, 10));
    assert_string_equal(product_field_name(FIELD_VAT | FIELD_UNIT, 1), "unit");
    assert_null(product_field_name(FIELD_VAT | FIELD_UNIT, 2));
    assert_null(product_field_name(0, 0));
}

/* ---- bodies ---- */

static void body_is(cJSON *body, const char *want) {
    char *text = json_print(body);
    assert_string_equal(text, want);
    free(text);
    cJSON_Delete(body);
}

#define BARE "{\"sku\":\"JAR-1\",\"title\":\"Jar Red\",\"moneyprice\":\"59.00\",\"vatid\":2,\"activepos\":true"
#define OPTIONAL                                                                              \
    ",\"unitlabel\":\"pcs\",\"moneypriceorg\":\"69.00\",\"manufacturerid\":4,\"categories\":" \
    "[50,49],\"defaultcategoryid\":50,\"description\":\"Made of glass\""
#define END ",\"stockcountenable\":true}"

static void a_new_product_has_what_is_owned(void **state) {
    struct want cleared = whole;
    (void)state;
    cleared.barcode = text_none;
    body_is(product_create_body(&whole, false),
            "{\"sku\":\"JAR-1\",\"title\":\"Jar Red\",\"moneyprice\":\"59.00\",\"vatid\":2,\"barcode\":\"7310\","
            "\"activepos\":true" OPTIONAL END);
    body_is(product_create_body(&whole, true), BARE OPTIONAL END);
    body_is(product_create_body(&cleared, false), BARE OPTIONAL END);
    body_is(product_create_body(&bare, false), BARE END);
}

static void a_change_has_its_field_alone(void **state) {
    static const struct {
        unsigned fields;
        const char *body;
    } rows[] = {{FIELD_TITLE, "{\"productid\":21,\"title\":\"Jar Red\"}"},
                {FIELD_PRICE, "{\"productid\":21,\"moneyprice\":\"59.00\"}"},
                {FIELD_VAT, "{\"productid\":21,\"vatid\":2}"},
                {FIELD_BARCODE, "{\"productid\":21,\"barcode\":\"7310\"}"},
                {FIELD_ACTIVE, "{\"productid\":21,\"activepos\":true}"},
                {FIELD_UNIT, "{\"productid\":21,\"unitlabel\":\"pcs\"}"},
                {FIELD_RETAIL, "{\"productid\":21,\"moneypriceorg\":\"69.00\"}"},
                {FIELD_MANUFACTURER, "{\"productid\":21,\"manufacturerid\":4}"},
                {FIELD_CATEGORIES, "{\"productid\":21,\"categories\":[50,49],\"defaultcategoryid\":50}"},
                {FIELD_DESCRIPTION, "{\"productid\":21,\"description\":\"Made of glass\"}"},
                {FIELD_TITLE | FIELD_ACTIVE, "{\"productid\":21,\"title\":\"Jar Red\",\"activepos\":true}"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        body_is(product_update_body(&whole, 21, rows[i].fields), rows[i].body);
    }
    struct want cleared = whole;
    cleared.barcode = text_none;
    body_is(product_update_body(&cleared, 21, FIELD_BARCODE), "{\"productid\":21,\"barcode\":\"\"}");
    body_is(product_hide_body(21), "{\"productid\":21,\"activepos\":false}");
    body_is(product_free_barcode_body(21), "{\"productid\":21,\"barcode\":\"\"}");
}

/* Whatever the mask says. */
static void what_is_not_owned_is_in_no_body(void **state) {
    static const char *const allowed[] = {"productid", "sku",       "title",           "moneyprice",
                                          "vatid",     "activepos", "stockcountenable"};
    (void)state;
    for (unsigned fields = 0; fields <= FIELD_ALL; fields++) {
        cJSON *const bodies[] = {product_update_body(&bare, 21, fields), product_create_body(&bare, fields % 2 == 0)};
        for (size_t b = 0; b < 2; b++) {
            const cJSON *item = NULL;
            cJSON_ArrayForEach(item, bodies[b]) {
                bool known = false;
                for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
                    known = known || strcmp(item->string, allowed[i]) == 0;
                }
                assert_true(known);
                assert_false(cJSON_IsNull(item));
            }
            cJSON_Delete(bodies[b]);
        }
    }
}

/* ---- barcodes ---- */

#define ROWS 4

static void codes_that_change_places_are_cleared_first(void **state) {
    static const struct {
        const char *name;
        struct {
            const char *has, *wants; /* has NULL: made anew; wants NULL: not owned */
            bool written, cleared;
        } rows[ROWS];
        size_t n;
    } table[] = {
        {"two change places", {{"1", "2", true, true}, {"2", "1", true, true}}, 2},
        {"chain of three", {{"1", "2", true, false}, {"2", "3", true, true}, {"3", "4", true, true}}, 3},
        {"ring of three", {{"1", "2", true, true}, {"2", "3", true, true}, {"3", "1", true, true}}, 3},
        {"a new one takes a code", {{NULL, "1", true, false}, {"1", "2", true, true}}, 2},
        {"a code is given up and taken", {{"1", "", true, true}, {"2", "1", true, false}}, 2},
        {"strangers", {{"1", "2", true, false}, {"3", "4", true, false}}, 2},
        {"none has a code", {{"", "1", true, false}, {"", "2", true, false}}, 2},
        {"cleared, both", {{"1", "", true, false}, {"2", "", true, false}}, 2},
        {"the holder keeps it: Sitoo will refuse", {{"1", "1", false, false}, {"2", "1", true, false}}, 2},
        {"the holder's is not owned", {{"1", NULL, true, false}, {"2", "1", true, false}}, 2},
        {"the taker's is not written", {{"1", "2", true, false}, {"3", "1", false, false}}, 2},
        {"its own", {{"1", "1", true, false}}, 1},
    };
    (void)state;
    for (size_t t = 0; t < sizeof table / sizeof table[0]; t++) {
        struct want wants[ROWS];
        struct till_product haves[ROWS];
        const struct want *want[ROWS];
        const struct till_product *have[ROWS];
        unsigned fields[ROWS];
        bool cleared[ROWS] = {true, true, true, true};
        size_t expected = 0, n = table[t].n;
        print_message("  %s\n", table[t].name);
        for (size_t i = 0; i < n; i++) {
            wants[i] = whole;
            haves[i] = same;
            wants[i].barcode = (char *)(uintptr_t)table[t].rows[i].wants;
            haves[i].barcode = (char *)(uintptr_t)table[t].rows[i].has;
            want[i] = &wants[i];
            have[i] = table[t].rows[i].has != NULL ? &haves[i] : NULL;
            fields[i] = table[t].rows[i].written ? FIELD_ALL : FIELD_TITLE;
            expected += table[t].rows[i].cleared ? 1 : 0;
        }
        assert_int_equal(barcodes_to_free(want, have, fields, n, cleared), expected);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(cleared[i], table[t].rows[i].cleared);
        }
    }
    assert_int_equal(barcodes_to_free(NULL, NULL, NULL, 0, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_differs_alone),        cmocka_unit_test(what_is_not_owned_never_differs),
        cmocka_unit_test(an_empty_barcode_is_owned),       cmocka_unit_test(fields_have_names),
        cmocka_unit_test(a_new_product_has_what_is_owned), cmocka_unit_test(a_change_has_its_field_alone),
        cmocka_unit_test(what_is_not_owned_is_in_no_body), cmocka_unit_test(codes_that_change_places_are_cleared_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
