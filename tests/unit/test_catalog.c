/* SPDX-License-Identifier: Apache-2.0 */
/* BigCommerce's catalog: elements as it may write them, and lists that are read whole or not at all. */
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
#include "mapping.h"
#include "platform.h"
#include "ban.h"

/* ---- BigCommerce, played: each call takes the next step ---- */

struct step {
    const char *path; /* what the call's path must contain */
    int status;       /* 0: no answer */
    const char *json; /* "" = none */
};

static const struct step *steps;
static size_t step_count, calls;

enum next bigcommerce_get(struct app *app, const char *path, struct answer *answer, struct reason *why) {
    char error[160];
    (void)app;
    memset(answer, 0, sizeof *answer);
    if (calls == step_count) {
        fail_msg("one call too many: %s", path);
    }
    const struct step *s = &steps[calls++];
    if (strstr(path, s->path) == NULL) {
        fail_msg("call %zu: %s, not %s", calls, path, s->path);
    }
    if (s->status == 0) {
        return reason_set(why, NEXT_DEFER, "bigcommerce_down", "down");
    }
    answer->status = s->status;
    if (s->json[0] != '\0') {
        answer->json = json_read(s->json, strlen(s->json), error, sizeof error);
        if (answer->json == NULL) {
            fail_msg("%s: %.200s", error, s->json);
        }
    }
    return NEXT_DONE;
}

void answer_free(struct answer *a) {
    cJSON_Delete(a->json);
    free(a->text);
    memset(a, 0, sizeof *a);
}

static struct mapping mapping;
static const struct settings settings = {.mapping = &mapping};
static struct app app = {.set = &settings};

static void play(const struct step *s, size_t n) {
    steps = s;
    step_count = n;
    calls = 0;
}

/* ---- elements ---- */

#define MUST              "\"type\":\"physical\",\"tax_class_id\":1,\"is_visible\":true,\"availability\":\"available\""
#define LIST(total, data) "{\"data\":[" data "],\"meta\":{\"pagination\":{\"total\":" total "}}}"
#define P(id, more) \
    "{\"id\":" id ",\"name\":\"Jar\",\"price\":7.95,\"base_variant_id\":" id "0," more "\"sku\":\"J" id "\"," MUST "}"
#define V(id, product, more) "{\"id\":" id ",\"product_id\":" product more "}"

static enum next add(struct catalog *c, enum next (*add_one)(struct catalog *, const cJSON *, struct reason *),
                     const char *text, struct reason *why) {
    char error[160];
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    assert_non_null(json);
    enum next next = add_one(c, json, why);
    cJSON_Delete(json);
    catalog_sort(c);
    return next;
}

static void a_product_is_read_with_all_it_has(void **state) {
    struct catalog c = {0};
    struct reason why = {0};
    (void)state;
    assert_int_equal(
        add(&c, catalog_add_product,
            "{\"id\":192,\"name\":\"Jar\",\"type\":\"physical\",\"sku\":\"\",\"price\":7.95,\"sale_price\":0,"
            "\"retail_price\":\"10.5000\",\"tax_class_id\":0,\"brand_id\":36,\"categories\":[23,24],"
            "\"is_visible\":true,\"availability\":\"preorder\",\"base_variant_id\":null,\"upc\":\"1\","
            "\"gtin\":null,\"description\":\"<p>x</p>\"}",
            &why),
        NEXT_DONE);
    assert_int_equal(add(&c, catalog_add_variant,
                         "{\"id\":382,\"product_id\":192,\"sku\":\"SMIT\",\"price\":null,\"sale_price\":{},"
                         "\"retail_price\":\"\",\"upc\":\"\",\"gtin\":\"7\",\"purchasing_disabled\":true,"
                         "\"option_values\":[{\"label\":\"Beige\",\"option_display_name\":\"Color\",\"id\":1}]}",
                         &why),
                     NEXT_DONE);
    const struct catalog_product *p = catalog_find(&c, 192);
    assert_true(p->physical && p->visible && p->available && !p->bad);
    assert_int_equal(p->price, 79500);
    assert_int_equal(p->sale_price, CATALOG_NO_PRICE);
    assert_int_equal(p->retail_price, 105000);
    assert_int_equal(p->brand_id, 36);
    assert_int_equal(p->base_variant_id, 0);
    assert_int_equal(p->category_count, 2);
    assert_string_equal(p->upc, "1");
    assert_string_equal(p->gtin, "");
    assert_string_equal(p->description, "<p>x</p>");
    assert_int_equal(p->variant_count, 1);
    const struct catalog_variant *v = p->variants;
    assert_int_equal(v->price, CATALOG_NO_PRICE);
    assert_int_equal(v->sale_price, CATALOG_NO_PRICE);
    assert_true(v->purchasing_disabled);
    assert_string_equal(v->gtin, "7");
    assert_string_equal(v->options[0].name, "Color");
    assert_string_equal(v->options[0].label, "Beige");
    assert_null(catalog_find(&c, 193));
    assert_int_equal(add(&c, catalog_add_variant, "{\"id\":1,\"product_id\":193}", &why), NEXT_DONE);
    assert_int_equal(c.variant_count, 1); /* of a product that is not there */
    catalog_free(&c);
}

static void what_cannot_be_read_marks_its_product(void **state) {
    static const struct {
        const char *name, *product, *variant, *want;
        enum next next;
    } rows[] = {
        {"good", P("1", ""), V("10", "1", ""), "", NEXT_DONE},
        {"name", "{\"id\":1,\"name\":5," MUST "}", NULL, "its name", NEXT_PARK},
        {"no type", "{\"id\":1,\"tax_class_id\":1,\"is_visible\":true,\"availability\":\"available\"}", NULL,
         "its type", NEXT_PARK},
        {"visible as text",
         "{\"id\":1,\"type\":\"physical\",\"is_visible\":\"true\",\"availability\":\"available\",\"tax_class_id\":0}",
         NULL, "its is_visible", NEXT_PARK},
        {"no tax class",
         "{\"id\":1,\"type\":\"physical\",\"is_visible\":true,\"availability\":\"available\",\"tax_class_id\":null}",
         NULL, "its tax_class_id", NEXT_PARK},
        {"brand", P("1", "\"brand_id\":-1,"), NULL, "its brand_id", NEXT_PARK},
        {"categories", P("1", "\"categories\":[\"a\"],"), NULL, "its categories", NEXT_PARK},
        {"categories as text", P("1", "\"categories\":\"a\","), NULL, "its categories", NEXT_PARK},
        {"sale price", P("1", "\"sale_price\":true,"), NULL, "its sale_price", NEXT_PARK},
        {"retail price", P("1", "\"retail_price\":{\"a\":1},"), NULL, "its retail_price", NEXT_PARK},
        {"variant's price", P("1", ""), V("10", "1", ",\"price\":\"x\""), "price of its variant 10", NEXT_PARK},
        {"variant's SKU", P("1", ""), V("10", "1", ",\"sku\":7"), "sku of its variant 10", NEXT_PARK},
        {"flag", P("1", ""), V("10", "1", ",\"purchasing_disabled\":1"), "purchasing_disabled of its variant 10",
         NEXT_PARK},
        {"options", P("1", ""), V("10", "1", ",\"option_values\":7"), "option_values of its variant 10", NEXT_PARK},
        {"option without label", P("1", ""), V("10", "1", ",\"option_values\":[{\"option_display_name\":\"C\"}]"),
         "option_values", NEXT_PARK},
        {"21 options", P("1", ""),
         V("10", "1", ",\"option_values\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]"), "option_values",
         NEXT_PARK},
        {"no id", "{\"name\":\"x\"}", NULL, NULL, NEXT_DEFER},
        {"id 0", "{\"id\":0}", NULL, NULL, NEXT_DEFER},
        {"no object", "[]", NULL, NULL, NEXT_DEFER},
        {"variant without id", P("1", ""), "{\"product_id\":1}", "", NEXT_DEFER},
        {"variant without product", P("1", ""), "{\"id\":1}", "", NEXT_DEFER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct catalog c = {0};
        struct reason why = {0};
        enum next next = add(&c, catalog_add_product, rows[i].product, &why);
        if (rows[i].variant != NULL) {
            assert_int_equal(next, NEXT_DONE);
            next = add(&c, catalog_add_variant, rows[i].variant, &why);
        }
        const struct catalog_product *p = catalog_find(&c, 1);
        if (next != rows[i].next || (rows[i].want == NULL) != (p == NULL) ||
            (p != NULL &&
             (p->bad != (next == NEXT_PARK) || strncmp(p->problem, rows[i].want, strlen(rows[i].want)) != 0))) {
            fail_msg("%s: %s %s", rows[i].name, next_name(next), p != NULL ? p->problem : why.text);
        }
        assert_true(next != NEXT_PARK ||
                    (strcmp(why.cause, "bad_product") == 0 && strstr(why.text, "product 1 of BigCommerce: ") != NULL));
        catalog_free(&c);
    }
}

/* ---- lists ---- */

static void lists_are_read_to_their_total_or_not_at_all(void **state) {
    static const struct {
        const char *name, *cause, *want; /* want: ids of products and their variants */
        enum next next;
        int64_t price_list;
        struct step steps[6];
    } rows[] = {
        {"two products on two pages",
         "",
         "1:10, 2:20,",
         NEXT_DONE,
         0,
         {{"/v3/catalog/products?include_fields=name,type,sku,price,sale_price,retail_price,tax_class_id,brand_id,"
           "categories,is_visible,availability,base_variant_id,upc,gtin&id:in=1,2&limit=250&page=1",
           200, LIST("2", P("2", ""))},
          {"&page=2", 200, LIST("2", P("1", ""))},
          {"/v3/catalog/"
           "variants?include_fields=product_id,sku,price,sale_price,retail_price,upc,gtin,purchasing_disabled,"
           "option_values&product_id:in=1,2&limit=250&page=1",
           200, LIST("2", V("20", "2", "") "," V("10", "1", ""))}}},
        {"one is gone",
         "",
         "2:20,",
         NEXT_DONE,
         0,
         {{"id:in=1,2", 200, LIST("1", P("2", ""))}, {"product_id:in=2&", 200, LIST("1", V("20", "2", ""))}}},
        {"both are gone", "", "", NEXT_DONE, 0, {{"products", 200, LIST("0", "")}}},
        {"a bad one spoils no other",
         "",
         "1!10, 2:20,",
         NEXT_DONE,
         0,
         {{"products", 200, LIST("2", P("1", "\"brand_id\":{\"a\":1},") "," P("2", ""))},
          {"variants", 200, LIST("2", V("20", "2", "") "," V("10", "1", ""))}}},
        {"a bad variant spoils its product",
         "",
         "1:10, 2!20,",
         NEXT_DONE,
         0,
         {{"products", 200, LIST("2", P("1", "") "," P("2", ""))},
          {"variants", 200, LIST("2", V("20", "2", ",\"sku\":[]") "," V("10", "1", ""))}}},
        {"a base variant that is not listed",
         "",
         "1!, 2:20,",
         NEXT_DONE,
         0,
         {{"products", 200, LIST("2", P("1", "") "," P("2", ""))}, {"variants", 200, LIST("1", V("20", "2", ""))}}},
        {"a short list",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"page=1", 200, LIST("2", P("1", ""))}, {"page=2", 200, LIST("2", "")}}},
        {"more than the total",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"page=1", 200, LIST("1", P("1", "") "," P("2", ""))}}},
        {"the total changes",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"page=1", 200, LIST("2", P("1", ""))}, {"page=2", 200, LIST("3", P("2", ""))}}},
        {"a product twice",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"products", 200, LIST("2", P("1", "") "," P("1", ""))}, {"variants", 200, LIST("1", V("10", "1", ""))}}},
        {"a variant twice",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"products", 200, LIST("1", P("1", ""))},
          {"variants", 200, LIST("2", V("10", "1", "") "," V("10", "1", ""))}}},
        {"no total", "incomplete_read", "", NEXT_DEFER, 0, {{"products", 200, "{\"data\":[]}"}}},
        {"no list", "incomplete_read", "", NEXT_DEFER, 0, {{"products", 200, "{}"}}},
        {"404", "incomplete_read", "", NEXT_DEFER, 0, {{"products", 404, ""}}},
        {"a filter that is not heeded",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"products", 200, LIST("1", P("3", ""))}}},
        {"the same of variants",
         "incomplete_read",
         "",
         NEXT_DEFER,
         0,
         {{"products", 200, LIST("1", P("1", ""))}, {"variants", 200, LIST("1", V("20", "2", ""))}}},
        {"down",
         "bigcommerce_down",
         "",
         NEXT_DEFER,
         0,
         {{"products", 200, LIST("1", P("1", ""))}, {"variants", 0, ""}}},
        {"price list",
         "",
         "1:10(60000 50000 SEK), 2:20(other EUR),",
         NEXT_DONE,
         5,
         {{"products", 200, LIST("2", P("1", "") "," P("2", ""))},
          {"variants", 200, LIST("2", V("20", "2", "") "," V("10", "1", ""))},
          {"/v3/pricelists/5/records?product_id:in=1,2&limit=250&page=1", 200,
           LIST("3", "{\"variant_id\":10,\"currency\":\"SEK\",\"price\":6,\"sale_price\":5},"
                     "{\"variant_id\":99,\"currency\":\"SEK\",\"price\":6}")},
          {"page=2", 200, LIST("3", "{\"variant_id\":20,\"currency\":\"EUR\",\"price\":6,\"sale_price\":5}")}}},
        {"no such price list",
         "price_list_missing",
         "",
         NEXT_PARK,
         5,
         {{"products", 200, LIST("1", P("1", ""))},
          {"variants", 200, LIST("1", V("10", "1", ""))},
          {"pricelists", 404, ""}}},
        {"a record that cannot be read",
         "",
         "1!10, 2:20,",
         NEXT_DONE,
         5,
         {{"products", 200, LIST("2", P("1", "") "," P("2", ""))},
          {"variants", 200, LIST("2", V("20", "2", "") "," V("10", "1", ""))},
          {"pricelists", 200, LIST("1", "{\"variant_id\":10,\"currency\":\"\",\"price\":6}")}}},
    };
    static const int64_t ids[] = {2, 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct catalog c;
        struct reason why = {0};
        struct buf got;
        size_t n = 0;
        while (n < 6 && rows[i].steps[n].path != NULL) {
            n++;
        }
        play(rows[i].steps, n);
        enum next next = catalog_read(&app, ids, 2, rows[i].price_list, "sek", &c, &why);
        buf_init(&got, 1000);
        for (size_t p = 0; p < c.n && next == NEXT_DONE; p++) {
            buf_addf(&got, "%s%lld%c", p > 0 ? " " : "", (long long)c.products[p].id, c.products[p].bad ? '!' : ':');
            for (size_t v = 0; v < c.products[p].variant_count; v++) {
                const struct catalog_record *r = &c.products[p].variants[v].record;
                buf_addf(&got, "%lld", (long long)c.products[p].variants[v].id);
                if (r->found) {
                    buf_addf(&got, "(%lld %lld %s)", (long long)r->price, (long long)r->sale_price, r->currency);
                } else if (r->other) {
                    buf_addf(&got, "(other %s)", r->currency);
                }
            }
            buf_add_str(&got, ",");
        }
        if (next != rows[i].next || strcmp(buf_str(&got), rows[i].want) != 0 || calls != n ||
            (next != NEXT_DONE && strcmp(why.cause, rows[i].cause) != 0)) {
            fail_msg("%s: %s %s %s, %zu calls", rows[i].name, next_name(next), buf_str(&got),
                     next != NEXT_DONE ? why.text : "", calls);
        }
        buf_free(&got);
        catalog_free(&c);
    }
}

static void nothing_asked_is_no_call_and_too_much_is_our_mistake(void **state) {
    struct catalog c;
    struct reason why = {0};
    int64_t ids[CATALOG_READ_MAX + 1] = {0};
    (void)state;
    play(NULL, 0);
    assert_int_equal(catalog_read(&app, ids, 0, 0, "SEK", &c, &why), NEXT_DONE);
    catalog_free(&c);
    assert_int_equal(catalog_read(&app, ids, CATALOG_READ_MAX + 1, 0, "SEK", &c, &why), NEXT_BUG);
    catalog_free(&c);
}

static void a_full_reading_fits_its_path(void **state) {
    static int64_t ids[CATALOG_READ_MAX];
    const struct step s[] = {{"9007199254740991&limit=250", 200, LIST("0", "")}};
    struct catalog c;
    struct reason why = {0};
    (void)state;
    for (size_t i = 0; i < CATALOG_READ_MAX; i++) {
        ids[i] = JSON_INT_MAX - (int64_t)i;
    }
    play(s, 1);
    mapping.products.description = true;
    assert_int_equal(catalog_read(&app, ids, CATALOG_READ_MAX, 0, "SEK", &c, &why), NEXT_DONE);
    mapping.products.description = false;
    catalog_free(&c);
}

static void the_next_products_are_read_by_id(void **state) {
    static const struct {
        const char *name;
        enum next next;
        size_t n;
        bool more;
        struct step steps[3];
    } rows[] = {
        {"more",
         NEXT_DONE,
         2,
         true,
         {{"&sort=id&direction=asc&id:greater=5&limit=2&page=1", 200, LIST("7", P("6", "") "," P("9", ""))},
          {"product_id:in=6,9&", 200, LIST("2", V("60", "6", "") "," V("90", "9", ""))}}},
        {"the last ones, on a page smaller than asked for",
         NEXT_DONE,
         1,
         false,
         {{"id:greater=5", 200, LIST("1", P("6", ""))}, {"product_id:in=6&", 200, LIST("1", V("60", "6", ""))}}},
        {"none", NEXT_DONE, 0, false, {{"id:greater=5", 200, LIST("0", "")}}},
        {"none of many", NEXT_DEFER, 0, false, {{"id:greater=5", 200, LIST("3", "")}}},
        {"not above", NEXT_DEFER, 0, false, {{"id:greater=5", 200, LIST("1", P("5", ""))}}},
        {"not sorted", NEXT_DEFER, 1, false, {{"id:greater=5", 200, LIST("2", P("9", "") "," P("6", ""))}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct catalog c;
        struct reason why = {0};
        bool more = false;
        size_t n = 0;
        while (n < 3 && rows[i].steps[n].path != NULL) {
            n++;
        }
        play(rows[i].steps, n);
        enum next next = catalog_read_after(&app, 5, 2, 0, "SEK", &c, &more, &why);
        if (next != rows[i].next || c.n != rows[i].n || more != rows[i].more || calls != n) {
            fail_msg("%s: %s %s, %zu products", rows[i].name, next_name(next), why.text, c.n);
        }
        catalog_free(&c);
    }
}

static void a_variant_names_its_product(void **state) {
    static const struct {
        const char *json;
        enum next next;
        int64_t want;
    } rows[] = {
        {LIST("1", V("7", "3", "")), NEXT_DONE, 3},
        {LIST("0", ""), NEXT_DONE, 0},
        {LIST("1", V("8", "3", "")), NEXT_DEFER, 0},
        {LIST("1", "{\"id\":7}"), NEXT_DEFER, 0},
        {"{}", NEXT_DEFER, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct step s[] = {
            {"/v3/catalog/variants?id=7&limit=1&page=1&include_fields=product_id", 200, rows[i].json}};
        struct reason why = {0};
        int64_t id = -1;
        play(s, 1);
        assert_int_equal(catalog_product_of(&app, 7, &id, &why), rows[i].next);
        assert_int_equal(id, rows[i].want);
    }
}

static void six_hundred_variants_are_read_page_by_page(void **state) {
    struct step s[4] = {{"products", 200, LIST("1", "{\"id\":1,\"name\":\"Jar\",\"price\":1," MUST "}")}};
    char *pages[3];
    struct catalog c;
    struct reason why = {0};
    static const int64_t id = 1;
    (void)state;
    for (int page = 0; page < 3; page++) {
        struct buf b;
        buf_init(&b, 1000000);
        buf_add_str(&b, "{\"meta\":{\"pagination\":{\"total\":600,\"total_pages\":1,\"per_page\":200}},\"data\":[");
        for (int i = 0; i < 200; i++) {
            buf_addf(&b, "%s" V("%d", "1", ",\"sku\":\"S%d\""), i > 0 ? "," : "", 1000 - 200 * page - i, i);
        }
        buf_add_str(&b, "]}");
        pages[page] = buf_take(&b);
        s[page + 1] = (struct step){"variants", 200, pages[page]};
    }
    play(s, 4);
    assert_int_equal(catalog_read(&app, &id, 1, 0, "SEK", &c, &why), NEXT_DONE);
    assert_int_equal(c.products[0].variant_count, 600);
    assert_false(c.products[0].bad);
    for (size_t i = 0; i < 600; i++) {
        assert_int_equal(c.products[0].variants[i].id, 401 + i);
    }
    catalog_free(&c);
    for (int page = 0; page < 3; page++) {
        free(pages[page]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_read_with_all_it_has),
        cmocka_unit_test(what_cannot_be_read_marks_its_product),
        cmocka_unit_test(lists_are_read_to_their_total_or_not_at_all),
        cmocka_unit_test(nothing_asked_is_no_call_and_too_much_is_our_mistake),
        cmocka_unit_test(a_full_reading_fits_its_path),
        cmocka_unit_test(the_next_products_are_read_by_id),
        cmocka_unit_test(a_variant_names_its_product),
        cmocka_unit_test(six_hundred_variants_are_read_page_by_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
