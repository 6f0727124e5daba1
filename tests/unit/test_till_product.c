/* SPDX-License-Identifier: Apache-2.0 */
/* Products and price lists of Sitoo: parsed, found, and read completely or not at all. */
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
#include "mapping.h"
#include "platform.h"
#include "settings.h"
#include "till_product.h"
#include "ban.h"

/* ---- stands in for platform.c: answers in the order of the calls ---- */

#define CALLS_MAX 40

static const char *script[CALLS_MAX + 1]; /* JSON; "404"; NULL: an empty list */
static char *asked[CALLS_MAX];
static size_t asked_count, most_at_once;

void answer_free(struct answer *a) {
    cJSON_Delete(a->json);
    free(a->text);
    memset(a, 0, sizeof *a);
}

enum next sitoo_get(struct app *app, const char *const *paths, struct answer *answers, size_t n, struct reason *why) {
    char error[120];
    (void)app;
    most_at_once = n > most_at_once ? n : most_at_once;
    for (size_t i = 0; i < n; i++) {
        assert_true(asked_count < CALLS_MAX);
        const char *text = script[asked_count] != NULL ? script[asked_count] : "{\"totalcount\":0,\"items\":[]}";
        asked[asked_count++] = xstrdup(paths[i]);
        if (strcmp(text, "down") == 0) {
            return reason_set(why, NEXT_DEFER, "platform_down", "Sitoo answered 503");
        }
        answers[i] = (struct answer){.status = strcmp(text, "404") == 0 ? 404 : 200};
        answers[i].json = answers[i].status == 404 ? NULL : json_read(text, strlen(text), error, sizeof error);
        assert_true(answers[i].json != NULL || answers[i].status == 404);
    }
    return NEXT_DONE;
}

static struct mapping mapping;
static struct settings settings;
static struct app app;

static int begin(void **state) {
    (void)state;
    memset(script, 0, sizeof script);
    memset(&mapping, 0, sizeof mapping);
    memset(&settings, 0, sizeof settings);
    memset(&app, 0, sizeof app);
    mapping.sitoo_page_size = 2;
    settings.mapping = &mapping;
    settings.sitoo_site_id = 1;
    app.set = &settings;
    asked_count = most_at_once = 0;
    return 0;
}

static int finish(void **state) {
    (void)state;
    for (size_t i = 0; i < asked_count; i++) {
        free(asked[i]);
    }
    return 0;
}

/* ---- money ---- */

static void money_has_exactly_two_decimals(void **state) {
    static const struct {
        const char *text;
        bool good;
        int64_t hundredths;
        const char *again;
    } rows[] = {{"59.00", true, 5900, "59.00"},
                {"0.00", true, 0, "0.00"},
                {"0.05", true, 5, "0.05"},
                {"+1.50", true, 150, "1.50"},
                {"-2990.00", true, -299000, "-2990.00"},
                {"-0.05", true, -5, "-0.05"},
                {"999999999.99", true, INT64_C(99999999999), "999999999.99"},
                {"9999999999999.99", true, INT64_C(999999999999999), "9999999999999.99"},
                {"99999999999999.99", false, 0, NULL},
                {"0", false, 0, NULL},
                {"230", false, 0, NULL},
                {"1.5", false, 0, NULL},
                {"1.500", false, 0, NULL},
                {".50", false, 0, NULL},
                {"", false, 0, NULL},
                {"-", false, 0, NULL},
                {"+-1.00", false, 0, NULL},
                {" 1.00", false, 0, NULL},
                {"1.00 ", false, 0, NULL},
                {"1,00", false, 0, NULL},
                {"1e2.00", false, 0, NULL},
                {"1.0x", false, 0, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t n = 0;
        char text[TILL_MONEY_SIZE];
        print_message("  %s\n", rows[i].text);
        assert_int_equal(till_money_parse(rows[i].text, &n), rows[i].good);
        if (rows[i].good) {
            assert_int_equal(n, rows[i].hundredths);
            till_money_format(n, text);
            assert_string_equal(text, rows[i].again);
        }
    }
}

/* ---- one product ---- */

static enum next add(struct till_products *t, const char *text, struct reason *why) {
    char error[120];
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    assert_non_null(json);
    enum next next = till_add(t, json, why);
    cJSON_Delete(json);
    return next;
}

static void every_field_is_read(void **state) {
    struct till_products t = {0};
    struct reason why = {0};
    (void)state;
    assert_int_equal(
        add(&t,
            "{\"productid\":21,\"sku\":\"54051-1\",\"title\":\"Blanket Red\",\"description\":\"Soft\",\"moneyprice\":"
            "\"59.00\",\"moneypriceorg\":\"69.00\",\"moneypricein\":\"8.00\",\"moneyofferprice\":\"49.00\",\"vatid\":2,"
            "\"barcode\":\"7310\",\"activepos\":false,\"unitlabel\":\"pcs\",\"manufacturerid\":4,\"categories\":[19,"
            "\"49\"],\"variantparentid\":20,\"active\":false,\"deliverystatus\":\"soon\",\"friendly\":\"blanket-red\","
            "\"variant\":[{\"name\":\"Color\",\"value\":\"Red\"},{\"name\":\"Pattern\","
            "\"value\":\"Striped\"}],\"unknown\":{}}",
            &why),
        NEXT_DONE);
    const struct till_product *p = &t.list[0];
    assert_int_equal(p->id, 21);
    assert_int_equal(p->parent_id, 20);
    assert_string_equal(p->sku, "54051-1");
    assert_string_equal(p->title, "Blanket Red");
    assert_string_equal(p->description, "Soft");
    assert_string_equal(p->barcode, "7310");
    assert_string_equal(p->unit, "pcs");
    assert_int_equal(p->price, 5900);
    assert_int_equal(p->retail_price, 6900);
    assert_int_equal(p->purchase_price, 800);
    assert_int_equal(p->offer_price, 4900);
    assert_int_equal(p->vat_id, 2);
    assert_false(p->active);
    assert_false(p->web_active);
    assert_string_equal(p->delivery_status, "soon");
    assert_string_equal(p->friendly, "blanket-red");
    assert_int_equal(p->manufacturer_id, 4);
    assert_int_equal(p->category_count, 2);
    assert_int_equal(p->categories[0], 19);
    assert_int_equal(p->categories[1], 49);
    assert_int_equal(p->attribute_count, 2);
    assert_string_equal(p->attributes[1].name, "Pattern");
    assert_string_equal(p->attributes[1].value, "Striped");
    till_free(&t);
}

static void null_fields_are_empty(void **state) {
    static const char *const rows[] = {
        "{\"productid\":21}",
        "{\"productid\":21,\"sku\":null,\"title\":null,\"description\":null,\"moneyprice\":null,\"moneypriceorg\":null,"
        "\"moneypricein\":null,\"moneyofferprice\":null,\"barcode\":null,\"unitlabel\":null,\"manufacturerid\":null,"
        "\"categories\":null,\"variantparentid\":null,\"variant\":null}",
        "{\"productid\":21,\"categories\":[],\"variant\":[]}", "{\"productid\":21,\"categories\":{},\"variant\":{}}"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct till_products t = {0};
        struct reason why = {0};
        assert_int_equal(add(&t, rows[i], &why), NEXT_DONE);
        const struct till_product *p = &t.list[0];
        const char *const texts[] = {p->sku,         p->title,           p->barcode, p->unit,
                                     p->description, p->delivery_status, p->friendly};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            assert_string_equal(texts[k], "");
        }
        const int64_t none[] = {p->price, p->retail_price, p->purchase_price, p->offer_price};
        for (size_t k = 0; k < sizeof none / sizeof none[0]; k++) {
            assert_int_equal(none[k], -1);
        }
        assert_true(p->active && p->web_active);
        assert_int_equal(p->parent_id, 0);
        assert_int_equal(p->manufacturer_id, 0);
        assert_int_equal(p->category_count + p->attribute_count, 0);
        till_free(&t);
    }
}

static void a_price_that_is_no_amount_counts_as_none(void **state) {
    static const char *const rows[] = {"{\"productid\":21,\"moneyprice\":\"59\"}",
                                       "{\"productid\":21,\"moneyprice\":59.0}",
                                       "{\"productid\":21,\"moneyprice\":\"\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct till_products t = {0};
        struct reason why = {0};
        assert_int_equal(add(&t, rows[i], &why), NEXT_DONE);
        assert_int_equal(t.list[0].price, -1);
        till_free(&t);
    }
}

static void what_cannot_be_read_is_parked(void **state) {
    static const char *const rows[] = {
        "{\"sku\":\"A\"}", "{\"productid\":0}", "{\"productid\":-3}", "{\"productid\":1.5}", "[]", "7"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct till_products t = {0};
        struct reason why = {0};
        print_message("  %s\n", rows[i]);
        assert_int_equal(add(&t, rows[i], &why), NEXT_PARK);
        assert_string_equal(why.cause, "bad_product");
        assert_int_equal(t.n, 0);
        till_free(&t);
    }
}

static void finding_heeds_letter_case(void **state) {
    struct till_products t = {0};
    struct reason why = {0};
    (void)state;
    assert_null(till_find(&t, "A"));
    till_sort(&t);
    for (int i = 0; i < 300; i++) {
        char text[80];
        (void)snprintf(text, sizeof text, "{\"productid\":%d,\"sku\":\"%s-%d\"}", i + 1, i % 2 ? "a" : "A", 300 - i);
        assert_int_equal(add(&t, text, &why), NEXT_DONE);
    }
    till_sort(&t);
    for (size_t i = 1; i < t.n; i++) {
        assert_true(strcmp(t.list[i - 1].sku, t.list[i].sku) < 0);
    }
    assert_int_equal(till_find(&t, "A-300")->id, 1);
    assert_int_equal(till_find(&t, "a-1")->id, 300);
    assert_null(till_find(&t, "a-300"));
    assert_null(till_find(&t, ""));
    assert_null(till_find(&t, "zz"));
    till_free(&t);
}

/* ---- reading by SKU ---- */

static enum next read_skus(const char *const *skus, size_t n, struct till_products *t, struct reason *why) {
    memset(t, 0, sizeof *t);
    memset(why, 0, sizeof *why);
    return till_read(&app, skus, n, t, why);
}

static void skus_are_asked_for_once_and_encoded(void **state) {
    static const char *const skus[] = {"B/1", "A+1", "B/1", "C,1", "", "\xC3\xA5"};
    struct till_products t;
    struct reason why;
    (void)state;
    script[0] = "{\"totalcount\":2,\"items\":[{\"productid\":1,\"sku\":\"A+1\"},{\"productid\":2,\"sku\":\"b/1\"}]}";
    assert_int_equal(read_skus(skus, 6, &t, &why), NEXT_DONE);
    assert_int_equal(asked_count, 1);
    assert_non_null(strstr(asked[0], "/sites/1/products.json?"));
    assert_non_null(strstr(asked[0], "includeinactive=true"));
    assert_non_null(strstr(asked[0], till_product_fields));
    assert_non_null(strstr(asked[0], "sku=A%2B1,B%2F1,%C3%A5"));
    assert_null(strstr(asked[0], "C%2C1"));
    till_sort(&t);
    assert_int_equal(t.n, 2);
    assert_null(till_find(&t, "B/1"));
    assert_non_null(till_find(&t, "b/1")); /* another one by letter case: kept */
    till_free(&t);
}

static void nothing_to_ask_for_is_no_call(void **state) {
    static const char *const skus[] = {"", "A,B"};
    struct till_products t;
    struct reason why;
    (void)state;
    assert_int_equal(read_skus(skus, 0, &t, &why), NEXT_DONE);
    assert_int_equal(read_skus(skus, 2, &t, &why), NEXT_DONE);
    assert_int_equal(asked_count, 0);
    till_free(&t);
}

/* Every SKU is asked for exactly once, whatever the cut. */
static void many_skus_go_in_several_calls_at_once(void **state) {
    enum { N = 1000 };
    static char text[N][260];
    static const char *skus[N];
    static const int lengths[] = {8, 60, 250};
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        struct till_products t;
        struct reason why;
        size_t found = 0;
        (void)finish(NULL);
        (void)begin(NULL);
        size_t n = l < 2 ? N : 300;
        for (size_t i = 0; i < n; i++) {
            (void)snprintf(text[i], sizeof text[i], "%0*zu", lengths[l], i);
            skus[i] = text[i];
        }
        assert_int_equal(read_skus(skus, n, &t, &why), NEXT_DONE);
        for (size_t i = 0; i < asked_count; i++) {
            assert_true(strlen(asked[i]) < 7000);
            size_t commas = 0;
            for (const char *c = strstr(asked[i], "&sku="); *c != '\0'; c++) {
                commas += *c == ',' ? 1 : 0;
            }
            assert_true(commas < 200);
            found += commas + 1;
        }
        assert_int_equal(found, n);
        assert_true(most_at_once > 1);
    }
}

static void four_hundred_and_fifty_skus_are_three_calls(void **state) {
    static char text[450][12];
    static const char *skus[450];
    struct till_products t;
    struct reason why;
    (void)state;
    for (size_t i = 0; i < 450; i++) {
        (void)snprintf(text[i], sizeof text[i], "S%03zu", i);
        skus[449 - i] = text[i];
    }
    script[0] = "{\"totalcount\":1,\"items\":[{\"productid\":1,\"sku\":\"S000\"}]}";
    script[2] = "{\"totalcount\":1,\"items\":[{\"productid\":2,\"sku\":\"S449\"}]}";
    assert_int_equal(read_skus(skus, 450, &t, &why), NEXT_DONE);
    assert_int_equal(asked_count, 3);
    assert_non_null(strstr(asked[0], "&num=410&"));
    assert_non_null(strstr(asked[0], "&sku=S000,"));
    assert_non_null(strstr(asked[1], "&sku=S200,"));
    assert_non_null(strstr(asked[2], "&num=110&"));
    assert_non_null(strstr(asked[2], ",S449"));
    assert_int_equal(t.n, 2); /* of all calls */
    till_free(&t);
}

/* The last call of a batch says too little: nothing was read, nothing is leaked. */
static void one_incomplete_call_spoils_the_reading(void **state) {
    static char text[450][12];
    static const char *skus[450];
    struct till_products t;
    struct reason why;
    (void)state;
    for (size_t i = 0; i < 450; i++) {
        (void)snprintf(text[i], sizeof text[i], "S%03zu", i);
        skus[i] = text[i];
    }
    script[0] = "{\"totalcount\":1,\"items\":[{\"productid\":1,\"sku\":\"S000\"}]}";
    script[1] = "{\"totalcount\":2,\"items\":[{\"productid\":2,\"sku\":\"S200\"}]}";
    assert_int_equal(read_skus(skus, 450, &t, &why), NEXT_DEFER);
    assert_string_equal(why.cause, "incomplete_read");
    till_free(&t);
}

static void an_incomplete_answer_is_no_reading(void **state) {
    static const struct {
        const char *answer, *cause;
    } rows[] = {{"{\"totalcount\":2,\"items\":[{\"productid\":1,\"sku\":\"A\"}]}", "incomplete_read"},
                {"{\"totalcount\":0,\"items\":[{\"productid\":1,\"sku\":\"A\"}]}", "incomplete_read"},
                {"{\"items\":[]}", "incomplete_read"},
                {"{\"totalcount\":0}", "incomplete_read"},
                {"{\"totalcount\":-1,\"items\":[]}", "incomplete_read"},
                {"[]", "incomplete_read"},
                {"404", "incomplete_read"},
                {"down", "platform_down"}};
    static const char *const skus[] = {"A"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct till_products t;
        struct reason why;
        print_message("  %s\n", rows[i].answer);
        (void)finish(NULL);
        (void)begin(NULL);
        script[0] = rows[i].answer;
        assert_int_equal(read_skus(skus, 1, &t, &why), NEXT_DEFER);
        assert_string_equal(why.cause, rows[i].cause);
        assert_true(why.text[0] != '\0');
        till_free(&t);
    }
}

/* ---- all products ---- */

static void a_page_is_appended(void **state) {
    struct till_products t = {0};
    struct reason why = {0};
    int64_t total = 0;
    (void)state;
    script[0] = "{\"totalcount\":3,\"items\":[{\"productid\":1,\"sku\":\"A\"},{\"productid\":2,\"sku\":\"B\"}]}";
    script[1] = "{\"totalcount\":3,\"items\":[{\"productid\":3,\"sku\":\"C\"}]}";
    script[2] = "{\"totalcount\":4,\"items\":[]}";
    assert_int_equal(till_read_page(&app, 0, &t, &total, &why), NEXT_DONE);
    assert_int_equal(total, 3);
    assert_int_equal(till_read_page(&app, 2, &t, &total, &why), NEXT_DONE);
    assert_int_equal(t.n, 3);
    assert_non_null(strstr(asked[1], "includeinactive=true&start=2&num=2&fields=productid,sku"));
    assert_int_equal(till_read_page(&app, 3, &t, &total, &why), NEXT_DEFER);
    assert_string_equal(why.cause, "incomplete_read");
    till_free(&t);
}

static void products_are_counted_with_the_hidden_ones(void **state) {
    struct reason why = {0};
    int64_t n = 0;
    (void)state;
    script[0] = "{\"totalcount\":14714,\"items\":[{\"productid\":1}]}";
    script[1] = "404";
    assert_int_equal(till_count(&app, &n, &why), NEXT_DONE);
    assert_int_equal(n, 14714);
    assert_non_null(strstr(asked[0], "includeinactive=true"));
    assert_int_equal(till_count(&app, &n, &why), NEXT_DEFER);
}

static void a_family_is_handed_over_or_is_not_there(void **state) {
    struct reason why = {0};
    cJSON *json = NULL;
    (void)state;
    script[0] = "{\"groups\":[],\"variants\":[{\"productid\":21}]}";
    script[1] = "404";
    script[2] = "{\"groups\":[]}";
    assert_int_equal(till_read_family(&app, 21, &json, &why), NEXT_DONE);
    assert_string_equal(asked[0], "/sites/1/products/21/productvariants.json");
    assert_int_equal(cJSON_GetArraySize(json_array(json, "variants")), 1);
    cJSON_Delete(json);
    assert_int_equal(till_read_family(&app, 21, &json, &why), NEXT_DONE);
    assert_null(json);
    assert_int_equal(till_read_family(&app, 21, &json, &why), NEXT_DEFER);
    assert_null(json);
}

/* ---- price lists ---- */

static void price_lists_are_read(void **state) {
    struct till_lists l = {0};
    struct reason why = {0};
    (void)state;
    script[0] = "{\"totalcount\":3,\"items\":[{\"pricelistid\":1,\"pricelistname\":\"Default\",\"active\":true,"
                "\"currencycode\":\"USD\",\"tags\":[]},{\"pricelistid\":7,\"pricelistname\":null,\"active\":false,"
                "\"currencycode\":\"SEK\",\"tags\":[\"vip\"]},{\"pricelistid\":8,\"tags\":null}]}";
    assert_int_equal(till_read_lists(&app, &l, &why), NEXT_DONE);
    assert_string_equal(asked[0], "/sites/1/pricelists.json?start=0&num=100");
    assert_int_equal(l.n, 3);
    assert_string_equal(till_list(&l, 1)->name, "Default");
    assert_true(till_list(&l, 1)->active);
    assert_false(till_list(&l, 1)->tagged);
    assert_string_equal(till_list(&l, 7)->currency, "SEK");
    assert_false(till_list(&l, 7)->active);
    assert_true(till_list(&l, 7)->tagged);
    assert_string_equal(till_list(&l, 8)->currency, "");
    assert_null(till_list(&l, 9));
    till_lists_free(&l);
    script[1] = "{\"totalcount\":2,\"items\":[{\"pricelistid\":1}]}";
    assert_int_equal(till_read_lists(&app, &l, &why), NEXT_DEFER);
    assert_string_equal(why.cause, "incomplete_read");
    till_lists_free(&l);
}

static void prices_are_read_page_by_page(void **state) {
    struct till_prices p = {0};
    struct reason why = {0};
    (void)state;
    script[0] = "{\"totalcount\":3,\"items\":[{\"sku\":\"C\",\"moneyprice\":\"795.00\",\"moneypricevolume\":null},"
                "{\"sku\":\"B\",\"moneyprice\":\"895.00\",\"moneypricevolume\":[{\"levelstart\":2,\"moneyprice\":"
                "\"849.00\"}]}]}";
    script[1] = "{\"totalcount\":3,\"items\":[{\"sku\":\"A\",\"moneyprice\":\"0.50\"}]}";
    assert_int_equal(till_read_prices(&app, 7, &p, &why), NEXT_DONE);
    assert_string_equal(asked[1], "/sites/1/pricelists/7/pricelistitems.json?start=2&num=2&fields=sku,moneyprice,"
                                  "moneypricevolume");
    assert_int_equal(p.n, 3);
    assert_int_equal(till_price_find(&p, "A")->price, 50);
    assert_true(till_price_find(&p, "B")->volume);
    assert_false(till_price_find(&p, "C")->volume);
    assert_null(till_price_find(&p, "c"));
    till_prices_free(&p);
}

static void prices_that_moved_are_no_reading(void **state) {
    static const char *const pages[][2] = {
        {"{\"totalcount\":3,\"items\":[{\"sku\":\"A\",\"moneyprice\":\"1.00\"},{\"sku\":\"B\",\"moneyprice\":"
         "\"1.00\"}]}",
         "{\"totalcount\":3,\"items\":[]}"},
        {"{\"totalcount\":3,\"items\":[{\"sku\":\"A\",\"moneyprice\":\"1.00\"},{\"sku\":\"B\",\"moneyprice\":"
         "\"1.00\"}]}",
         "{\"totalcount\":4,\"items\":[{\"sku\":\"C\",\"moneyprice\":\"1.00\"},{\"sku\":\"D\",\"moneyprice\":"
         "\"1.00\"}]}"},
        {"{\"totalcount\":3,\"items\":[{\"sku\":\"A\",\"moneyprice\":\"1.00\"},{\"sku\":\"B\",\"moneyprice\":"
         "\"1.00\"}]}",
         "{\"totalcount\":3,\"items\":[{\"sku\":\"B\",\"moneyprice\":\"1.00\"}]}"},
        {"{\"totalcount\":1,\"items\":[{\"sku\":\"A\",\"moneyprice\":\"1.00\"},{\"sku\":\"B\",\"moneyprice\":"
         "\"1.00\"}]}",
         NULL},
        {"404", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct till_prices p = {0};
        struct reason why = {0};
        print_message("  %zu\n", i);
        (void)finish(NULL);
        (void)begin(NULL);
        script[0] = pages[i][0];
        script[1] = pages[i][1];
        assert_int_equal(till_read_prices(&app, 7, &p, &why), NEXT_DEFER);
        assert_string_equal(why.cause, "incomplete_read");
        till_prices_free(&p);
    }
}

static void an_empty_price_list_is_one(void **state) {
    struct till_prices p = {0};
    struct reason why = {0};
    (void)state;
    assert_int_equal(till_read_prices(&app, 7, &p, &why), NEXT_DONE);
    assert_int_equal(p.n, 0);
    assert_int_equal(asked_count, 1);
    assert_null(till_price_find(&p, "A"));
    till_prices_free(&p);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(money_has_exactly_two_decimals),
        CASE(every_field_is_read),
        CASE(null_fields_are_empty),
        CASE(what_cannot_be_read_is_parked),
        CASE(a_price_that_is_no_amount_counts_as_none),
        CASE(finding_heeds_letter_case),
        CASE(skus_are_asked_for_once_and_encoded),
        CASE(nothing_to_ask_for_is_no_call),
        CASE(many_skus_go_in_several_calls_at_once),
        CASE(four_hundred_and_fifty_skus_are_three_calls),
        CASE(one_incomplete_call_spoils_the_reading),
        CASE(an_incomplete_answer_is_no_reading),
        CASE(a_page_is_appended),
        CASE(products_are_counted_with_the_hidden_ones),
        CASE(a_family_is_handed_over_or_is_not_there),
        CASE(price_lists_are_read),
        CASE(prices_are_read_page_by_page),
        CASE(prices_that_moved_are_no_reading),
        CASE(an_empty_price_list_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
