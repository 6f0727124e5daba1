/* SPDX-License-Identifier: Apache-2.0 */
/* Families of variants: what is right, what is written, and that no row is ever left out. */
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

#define MANY       600
#define GROUPS_MAX 3

/* A product of BigCommerce and what Sitoo has of it. */
struct fixture {
    struct product_want want;
    struct want list[MANY];
    char *groups[GROUPS_MAX];
    char *attributes[MANY][GROUPS_MAX];
    char sku[MANY][16], title[MANY][24];
    struct till_product have[MANY];
    const struct till_product *haves[MANY];
    struct till_attribute held[MANY][GROUPS_MAX];
    struct family_plan plan;
};

static char empty[] = "";

static char *word(const char *text) {
    return (char *)(uintptr_t)text; /* never written to */
}

/* Group names; NULL ends them. */
static struct fixture *begin(const char *const *groups) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->want.list = f->list;
    f->want.groups = f->groups;
    for (; groups[f->want.group_count] != NULL; f->want.group_count++) {
        f->groups[f->want.group_count] = word(groups[f->want.group_count]);
    }
    return f;
}

/* A variant with the labels a, b; product id from 21 on; parent_id 0: single. */
static struct want *add(struct fixture *f, const char *a, const char *b, int64_t parent_id) {
    size_t i = f->want.n++;
    struct want *w = &f->list[i];
    struct till_product *h = &f->have[i];
    (void)snprintf(f->sku[i], sizeof f->sku[i], "JAR-%zu", i + 1);
    (void)snprintf(f->title[i], sizeof f->title[i], "Jar %zu", i + 1);
    f->attributes[i][0] = word(a);
    f->attributes[i][1] = word(b);
    *w = (struct want){.sku = f->sku[i],
                       .title = f->title[i],
                       .price = 5900,
                       .sale_price = WANT_NONE,
                       .retail_price = WANT_NONE,
                       .vat_id = 2,
                       .active = true,
                       .manufacturer_id = WANT_NONE,
                       .attributes = f->attributes[i]};
    *h = (struct till_product){.id = 21 + (int64_t)i,
                               .parent_id = parent_id,
                               .sku = f->sku[i],
                               .title = f->title[i],
                               .barcode = empty,
                               .unit = empty,
                               .description = empty,
                               .price = 5900,
                               .retail_price = -1,
                               .purchase_price = -1,
                               .offer_price = -1,
                               .attributes = f->held[i]};
    f->haves[i] = h;
    return w;
}

/* What Sitoo says that the last one is: name and value of each group. */
static void holds(struct fixture *f, const char *name, const char *value) {
    struct till_product *h = &f->have[f->want.n - 1];
    h->attributes[h->attribute_count++] = (struct till_attribute){word(name), word(value)};
}

static void plan(struct fixture *f, int64_t parent_id, const char *current) {
    char error[120];
    cJSON *json = current != NULL ? json_read(current, strlen(current), error, sizeof error) : NULL;
    assert_true(json != NULL || current == NULL);
    cJSON_Delete(f->plan.body);
    family_plan(&f->want, f->haves, parent_id, json, &f->plan);
    cJSON_Delete(json);
    assert_int_equal(f->plan.parent_id, parent_id);
    assert_true((f->plan.body != NULL) == (f->plan.verdict == FAMILY_WRITE));
}

static void finish(struct fixture *f) {
    cJSON_Delete(f->plan.body);
    free(f);
}

static const cJSON *row(const struct fixture *f, int n) {
    const cJSON *r = cJSON_GetArrayItem(json_array(f->plan.body, "variants"), n);
    assert_non_null(r);
    return r;
}

static void same_json(const cJSON *json, const char *want) {
    char *text = json_print(json);
    assert_string_equal(text, want);
    free(text);
}

static bool has_null(const cJSON *json) {
    bool found = cJSON_IsNull(json);
    for (const cJSON *c = json->child; !found && c != NULL; c = c->next) {
        found = has_null(c);
    }
    return found;
}

static const char *const color[] = {"Color", NULL}, *const color_size[] = {"Color", "Size", NULL};

/* Rows as GET productvariants gives them. */
#define ROW(id, sku, barcode, attributes)                                                                          \
    "{\"productid\":" id ",\"active\":false,\"activepos\":true,\"title\":\"Old\",\"sku\":\"" sku                   \
    "\",\"deliverystatus\":\"soon\",\"moneyprice\":\"1.00\",\"moneypriceorg\":\"2.00\",\"moneypricein\":\"8.00\"," \
    "\"moneyofferprice\":\"3.00\",\"barcode\":" barcode ",\"barcodealiases\":[\"99\"],\"friendly\":\"old-" id      \
    "\",\"attributes\":[" attributes "],\"pricelisthasvolume\":false}"
#define FAMILY(groups, rows) "{\"groups\":[" groups "],\"variants\":[" rows "]}"
#define COLOR                "{\"name\":\"Color\",\"options\":[\"Red\"]}"

/* ---- is it right ---- */

static void a_family_is_right_in_every_part_or_not(void **state) {
    static const struct {
        const char *name;
        int64_t parent_id, parent_id_2;
        const char *group, *value;
        bool right;
    } rows[] = {{"right", 21, 21, "Color", "Blue", true},           {"single", 0, 0, "Color", "Blue", false},
                {"one is single", 21, 0, "Color", "Blue", false},   {"two families", 21, 30, "Color", "Blue", false},
                {"group renamed", 21, 21, "Colour", "Blue", false}, {"option renamed", 21, 21, "Color", "blue", false},
                {"no attributes", 21, 21, NULL, NULL, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = begin(color);
        print_message("  %s\n", rows[i].name);
        (void)add(f, "Red", NULL, rows[i].parent_id);
        holds(f, "Color", "Red");
        (void)add(f, "Blue", NULL, rows[i].parent_id_2);
        if (rows[i].group != NULL) {
            holds(f, rows[i].group, rows[i].value);
        }
        assert_int_equal(family_is_right(&f->want, f->haves), rows[i].right);
        if (rows[i].right) {
            plan(f, 21, NULL);
            assert_int_equal(f->plan.verdict, FAMILY_SAME);
        }
        finish(f);
    }
}

static void a_family_is_never_dissolved(void **state) {
    static const char *const none[] = {NULL};
    (void)state;
    struct fixture *f = begin(none);
    (void)add(f, NULL, NULL, 21);
    holds(f, "Color", "Red");
    assert_true(family_is_right(&f->want, f->haves));
    plan(f, 21, FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"Red\"")));
    assert_int_equal(f->plan.verdict, FAMILY_SAME);
    finish(f);
}

/* ---- merges ---- */

static void a_new_family_has_every_required_field(void **state) {
    (void)state;
    struct fixture *f = begin(color_size);
    struct want *w = add(f, "Red", "L", 0);
    w->barcode = word("7310");
    w->retail_price = 6900;
    (void)add(f, "Blue", "L", 0);
    f->list[1].active = false;
    plan(f, 21, NULL);
    assert_int_equal(f->plan.verdict, FAMILY_WRITE);
    assert_int_equal(f->plan.rows, 2);
    assert_int_equal(f->plan.kept, 0);
    same_json(json_get(f->plan.body, "groups"),
              "[{\"name\":\"Color\",\"options\":[\"Red\",\"Blue\"]},{\"name\":\"Size\",\"options\":[\"L\"]}]");
    same_json(row(f, 0),
              "{\"productid\":21,\"active\":true,\"activepos\":true,\"title\":\"Jar 1\",\"sku\":\"JAR-1\","
              "\"deliverystatus\":\"\",\"moneyprice\":\"59.00\",\"moneypriceorg\":\"69.00\",\"moneypricein\":\"0.00\","
              "\"moneyofferprice\":\"0.00\",\"barcode\":\"7310\",\"friendly\":\"jar-1-jar-1\",\"attributes\":[\"Red\","
              "\"L\"]}");
    same_json(row(f, 1),
              "{\"productid\":22,\"active\":false,\"activepos\":false,\"title\":\"Jar 2\",\"sku\":\"JAR-2\","
              "\"deliverystatus\":\"\",\"moneyprice\":\"59.00\",\"moneypriceorg\":\"0.00\",\"moneypricein\":\"0.00\","
              "\"moneyofferprice\":\"0.00\",\"barcode\":\"\",\"friendly\":\"jar-2-jar-2\",\"attributes\":[\"Blue\","
              "\"L\"]}");
    finish(f);
}

/* It has no row in the family yet, so the product itself says what it holds. */
static void a_product_that_joins_keeps_what_is_not_ours(void **state) {
    (void)state;
    struct fixture *f = begin(color);
    (void)add(f, "Red", NULL, 0);
    f->have[0].barcode = word("7311");
    f->have[0].retail_price = 6900;
    f->have[0].purchase_price = 800;
    f->have[0].offer_price = 4900;
    plan(f, 21, NULL);
    assert_string_equal(json_str(row(f, 0), "barcode"), "7311");
    assert_string_equal(json_str(row(f, 0), "moneypriceorg"), "69.00");
    assert_string_equal(json_str(row(f, 0), "moneypricein"), "8.00");
    assert_string_equal(json_str(row(f, 0), "moneyofferprice"), "49.00");
    finish(f);
}

static void an_added_row_leaves_the_others_what_they_have(void **state) {
    (void)state;
    struct fixture *f = begin(color);
    (void)add(f, "Red", NULL, 21);
    holds(f, "Color", "Red");
    (void)add(f, "Blue", NULL, 0);
    plan(f, 21, FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"Red\"")));
    assert_int_equal(f->plan.rows, 2);
    assert_int_equal(f->plan.kept, 0);
    same_json(row(f, 0),
              "{\"productid\":21,\"active\":false,\"activepos\":true,\"title\":\"Jar 1\",\"sku\":\"JAR-1\","
              "\"deliverystatus\":\"soon\",\"moneyprice\":\"59.00\",\"moneypriceorg\":\"2.00\",\"moneypricein\":"
              "\"8.00\",\"moneyofferprice\":\"3.00\",\"barcode\":\"\",\"barcodealiases\":[\"99\"],\"friendly\":"
              "\"old-21\",\"attributes\":[\"Red\"]}");
    same_json(json_get(f->plan.body, "groups"), "[{\"name\":\"Color\",\"options\":[\"Red\",\"Blue\"]}]");
    finish(f);
}

/* Somebody's own, or one of ours that left BigCommerce: the same. */
static void a_row_of_others_is_handed_back(void **state) {
    (void)state;
    struct fixture *f = begin(color);
    (void)add(f, "Red", NULL, 21);
    holds(f, "Color", "red");
    plan(f, 21,
         FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"red\"") "," ROW("90", "JAR-9", "null", "\"Green\"") "," ROW(
                           "91", "THEIRS", "\"5\"", "\"Red\"")));
    assert_int_equal(f->plan.verdict, FAMILY_WRITE);
    assert_int_equal(f->plan.rows, 3);
    assert_int_equal(f->plan.kept, 2);
    same_json(row(f, 1),
              "{\"productid\":90,\"active\":false,\"activepos\":true,\"title\":\"Old\",\"sku\":\"JAR-9\","
              "\"deliverystatus\":\"soon\",\"moneyprice\":\"1.00\",\"moneypriceorg\":\"2.00\",\"moneypricein\":"
              "\"8.00\",\"moneyofferprice\":\"3.00\",\"barcodealiases\":[\"99\"],\"friendly\":\"old-90\","
              "\"attributes\":[\"Green\"],\"barcode\":\"\"}");
    assert_string_equal(json_str(row(f, 2), "barcode"), "5");
    /* The option renamed from red to Red; "red" is nobody's any more. */
    same_json(json_get(f->plan.body, "groups"), "[{\"name\":\"Color\",\"options\":[\"Red\",\"Green\"]}]");
    assert_false(has_null(f->plan.body));
    finish(f);
}

static void nulls_of_others_are_not_sent_back(void **state) {
    (void)state;
    struct fixture *f = begin(color);
    (void)add(f, "Red", NULL, 0);
    plan(f, 21,
         FAMILY(COLOR,
                "{\"productid\":90,\"title\":\"Old\",\"sku\":\"X\",\"deliverystatus\":null,\"moneypricein\":null,"
                "\"barcode\":null,\"barcodealiases\":null,\"friendly\":null,\"attributes\":[\"Green\"]}"));
    same_json(row(f, 1),
              "{\"productid\":90,\"title\":\"Old\",\"sku\":\"X\",\"attributes\":[\"Green\"],\"barcode\":\"\","
              "\"deliverystatus\":\"\",\"moneypriceorg\":\"0.00\",\"moneypricein\":\"0.00\",\"moneyofferprice\":"
              "\"0.00\"}");
    finish(f);
}

static void a_renamed_group_keeps_values_by_position(void **state) {
    static const char *const renamed[] = {"Colour", NULL};
    (void)state;
    struct fixture *f = begin(renamed);
    (void)add(f, "Red", NULL, 21);
    holds(f, "Color", "Red");
    plan(f, 21, FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"Red\"") "," ROW("90", "X", "null", "\"Green\"")));
    assert_int_equal(f->plan.verdict, FAMILY_WRITE);
    same_json(json_get(f->plan.body, "groups"), "[{\"name\":\"Colour\",\"options\":[\"Red\",\"Green\"]}]");
    same_json(json_get(row(f, 1), "attributes"), "[\"Green\"]");
    finish(f);
}

/* A group was added: ours alone can follow. */
static void rows_that_do_not_fit_stop_the_write(void **state) {
    static const struct {
        const char *attributes;
        enum family_verdict verdict;
    } rows[] = {{"\"Green\"", FAMILY_ROWS},
                {"", FAMILY_ROWS},
                {"\"Green\",null", FAMILY_ROWS},
                {"\"Green\",\"\"", FAMILY_ROWS},
                {"\"Green\",\"L\",\"x\"", FAMILY_ROWS},
                {"\"Green\",\"L\"", FAMILY_WRITE}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char current[2000];
        struct fixture *f = begin(color_size);
        print_message("  [%s]\n", rows[i].attributes);
        (void)add(f, "Red", "L", 21);
        holds(f, "Color", "Red");
        (void)snprintf(current, sizeof current,
                       FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"Red\"") "," ROW("90", "THEIRS", "null", "%s")),
                       rows[i].attributes);
        plan(f, 21, current);
        assert_int_equal(f->plan.verdict, rows[i].verdict);
        if (rows[i].verdict == FAMILY_ROWS) {
            assert_non_null(strstr(f->plan.text, "THEIRS"));
            assert_non_null(strstr(f->plan.text, "21"));
        }
        finish(f);
    }
}

static void an_added_group_without_others_is_written(void **state) {
    (void)state;
    struct fixture *f = begin(color_size);
    (void)add(f, "Red", "L", 21);
    holds(f, "Color", "Red");
    plan(f, 21, FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"Red\"")));
    assert_int_equal(f->plan.verdict, FAMILY_WRITE);
    same_json(json_get(row(f, 0), "attributes"), "[\"Red\",\"L\"]");
    finish(f);
}

static void a_sku_of_another_family_is_not_moved(void **state) {
    (void)state;
    struct fixture *f = begin(color);
    (void)add(f, "Red", NULL, 21);
    (void)add(f, "Blue", NULL, 77);
    plan(f, 21, FAMILY(COLOR, ROW("21", "JAR-1", "null", "\"Red\"")));
    assert_int_equal(f->plan.verdict, FAMILY_FOREIGN);
    assert_non_null(strstr(f->plan.text, "JAR-2"));
    assert_non_null(strstr(f->plan.text, "77"));
    finish(f);
}

static void groups_of_one_name_or_none_are_told_apart(void **state) {
    static const char *const alike[] = {"Color", "Color", "", NULL};
    (void)state;
    struct fixture *f = begin(alike);
    (void)add(f, "Red", "Blue", 0);
    f->attributes[0][2] = word("L");
    plan(f, 21, NULL);
    same_json(json_get(f->plan.body, "groups"),
              "[{\"name\":\"Color\",\"options\":[\"Red\"]},{\"name\":\"Color 2\",\"options\":[\"Blue\"]},"
              "{\"name\":\"Option\",\"options\":[\"L\"]}]");
    f->have[0].parent_id = 21; /* as it is written, it is right */
    holds(f, "Color", "Red");
    holds(f, "Color 2", "Blue");
    holds(f, "Option", "L");
    assert_true(family_is_right(&f->want, f->haves));
    finish(f);
}

static void names_for_addresses_are_plain_and_short(void **state) {
    static const struct {
        const char *title, *sku, *friendly;
    } rows[] = {
        {"Jar Red", "SMIT", "jar-red-smit"},
        {"  \xC3\x85re & co  ", "A_1/2+3", "re-co-a-1-2-3"},
        {"\xE6\x97\xA5\xE6\x9C\xAC", "JP-1", "jp-1"},
        {"", "X", "x"},
        {"A title that goes on for longer than any address should be, which is more than a hundred letters of it",
         "END", "a-title-that-goes-on-for-longer-than-any-address-should-be-which-is-more-than-a-hundred-letter-end"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = begin(color);
        struct want *w = add(f, "Red", NULL, 0);
        w->title = word(rows[i].title);
        w->sku = word(rows[i].sku);
        plan(f, 21, NULL);
        assert_string_equal(json_str(row(f, 0), "friendly"), rows[i].friendly);
        finish(f);
    }
}

static void six_hundred_rows_are_all_there(void **state) {
    static char labels[MANY][8];
    struct buf current;
    (void)state;
    struct fixture *f = begin(color_size);
    buf_init(&current, (size_t)1024 * 1024);
    buf_add_str(&current, "{\"groups\":[],\"variants\":[");
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(labels[i], sizeof labels[i], "c%zu", i / 2);
        (void)add(f, labels[i], i % 2 == 0 ? "L" : "M", i < 300 ? 21 : 0);
        if (i < 300) {
            buf_addf(&current, "{\"productid\":%zu,\"sku\":\"JAR-%zu\",\"attributes\":[\"x\"]},", 21 + i, i + 1);
        }
    }
    buf_add_str(&current, "{\"productid\":9000,\"sku\":\"THEIRS\",\"attributes\":[\"c1\",\"S\"]}]}");
    plan(f, 21, buf_str(&current));
    assert_int_equal(f->plan.verdict, FAMILY_WRITE);
    assert_int_equal(f->plan.rows, MANY + 1);
    assert_int_equal(f->plan.kept, 1);
    char error[120], *sent = json_print(f->plan.body); /* an id of a new body is a raw number until it is read again */
    cJSON *body = json_read(sent, strlen(sent), error, sizeof error);
    free(sent);
    const cJSON *groups = json_array(body, "groups"), *r = NULL;
    assert_int_equal(cJSON_GetArraySize(json_array(cJSON_GetArrayItem(groups, 0), "options")), MANY / 2);
    same_json(json_array(cJSON_GetArrayItem(groups, 1), "options"), "[\"L\",\"M\",\"S\"]");
    bool seen[MANY] = {false};
    cJSON_ArrayForEach(r, json_array(body, "variants")) {
        int64_t id = 0;
        assert_true(json_int(r, "productid", &id));
        if (id != 9000) {
            assert_false(seen[id - 21]);
            seen[id - 21] = true;
        }
    }
    cJSON_Delete(body);
    buf_free(&current);
    finish(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_is_right_in_every_part_or_not),
        cmocka_unit_test(a_family_is_never_dissolved),
        cmocka_unit_test(a_new_family_has_every_required_field),
        cmocka_unit_test(a_product_that_joins_keeps_what_is_not_ours),
        cmocka_unit_test(an_added_row_leaves_the_others_what_they_have),
        cmocka_unit_test(a_row_of_others_is_handed_back),
        cmocka_unit_test(nulls_of_others_are_not_sent_back),
        cmocka_unit_test(a_renamed_group_keeps_values_by_position),
        cmocka_unit_test(rows_that_do_not_fit_stop_the_write),
        cmocka_unit_test(an_added_group_without_others_is_written),
        cmocka_unit_test(a_sku_of_another_family_is_not_moved),
        cmocka_unit_test(groups_of_one_name_or_none_are_told_apart),
        cmocka_unit_test(names_for_addresses_are_plain_and_short),
        cmocka_unit_test(six_hundred_rows_are_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
