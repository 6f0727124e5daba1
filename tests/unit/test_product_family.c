/* SPDX-License-Identifier: Apache-2.0 */
/* Families of variants: whatever is written, no row of Sitoo is ever left out, and what is not ours stays. */
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

#define PARENT  21
#define SKU_MAX 700

/* ---- a product, its SKUs in Sitoo, and the family there ---- */

struct fixture {
    struct product_want want;
    struct till_products till;
    const struct till_product *have[SKU_MAX];
    cJSON *current;
    struct family_plan plan;
    cJSON *body; /* as it is sent */
};

static cJSON *parse(const char *text) {
    char error[160];
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    if (json == NULL) {
        fail_msg("%s in %.300s", error, text);
    }
    return json;
}

/* "Red,L" as two texts; *n is how many. */
static char **split(const char *text, size_t *n) {
    char **list = xcalloc(strlen(text) + 1, sizeof *list);
    for (*n = 0; *text != '\0'; (*n)++) {
        size_t len = strcspn(text, ",");
        list[*n] = xstrndup(text, len);
        text += len + (text[len] == ',' ? 1 : 0);
    }
    return list;
}

static void begin(struct fixture *f, const char *groups) {
    memset(f, 0, sizeof *f);
    f->want.groups = split(groups, &f->want.group_count);
    f->want.list = xcalloc(SKU_MAX, sizeof *f->want.list);
}

/* One that is wanted and is in Sitoo; more: members there, each with a comma behind it. */
static struct want *sku(struct fixture *f, int64_t id, const char *name, const char *values, const char *more) {
    struct reason why = {0};
    struct buf text;
    size_t n = 0;
    struct want *w = &f->want.list[f->want.n++];
    *w = (struct want){.sku = xstrdup(name),
                       .title = xstrdup("Blanket"),
                       .price = 5900,
                       .sale_price = WANT_NONE,
                       .retail_price = WANT_NONE,
                       .vat_id = 2,
                       .active = true,
                       .manufacturer_id = WANT_NONE,
                       .attributes = split(values, &n)};
    assert_int_equal(n, f->want.group_count);
    buf_init(&text, 10000);
    buf_addf(&text, "{%s\"productid\":%lld,\"sku\":\"%s\"}", more, (long long)id, name);
    cJSON *json = parse(buf_str(&text));
    buf_free(&text);
    assert_int_equal(till_add(&f->till, json, &why), NEXT_DONE);
    cJSON_Delete(json);
    return w;
}

static const struct till_product *const *have_of(struct fixture *f) {
    for (size_t i = 0; i < f->want.n; i++) {
        f->have[i] = &f->till.list[i];
    }
    return f->have;
}

static void plan_again(struct fixture *f) {
    cJSON_Delete(f->plan.body);
    cJSON_Delete(f->body);
    f->body = NULL;
    family_plan(&f->want, have_of(f), PARENT, f->current, &f->plan);
    assert_int_equal(f->plan.parent_id, PARENT);
    assert_true((f->plan.body != NULL) == (f->plan.verdict == FAMILY_WRITE));
    if (f->plan.body != NULL) {
        char *text = json_print(f->plan.body);
        f->body = parse(text);
        free(text);
    }
}

static void plan(struct fixture *f, const char *current) {
    f->current = current != NULL ? parse(current) : NULL;
    plan_again(f);
}

static void end(struct fixture *f) {
    product_want_free(&f->want);
    till_free(&f->till);
    cJSON_Delete(f->current);
    cJSON_Delete(f->plan.body);
    cJSON_Delete(f->body);
}

/* ---- what a body says ---- */

static const cJSON *row_of(const cJSON *family, int64_t id) {
    const cJSON *row = NULL, *found = NULL;
    cJSON_ArrayForEach(row, json_array(family, "variants")) {
        int64_t its = 0;
        if (json_int(row, "productid", &its) && its == id) {
            assert_null(found); /* once */
            found = row;
        }
    }
    return found;
}

static void assert_text(const cJSON *row, const char *key, const char *want) {
    const char *text = json_str(row, key);
    if (text == NULL || strcmp(text, want) != 0) {
        fail_msg("%s is %s, not %s", key, text != NULL ? text : "no text", want);
    }
}

static void assert_same(const cJSON *a, const cJSON *b) {
    if (!cJSON_Compare(a, b, true)) {
        char *x = json_print(a), *y = json_print(b);
        fail_msg("%s\n is not\n%s", x, y);
    }
}

static void assert_json(const cJSON *a, const char *text) {
    cJSON *b = parse(text);
    assert_same(a, b);
    cJSON_Delete(b);
}

/* What productvariants takes of a row: sitoo.md 6.2; all of it is needed but for barcodealiases. */
static const char *const taken[] = {"productid",
                                    "active",
                                    "activepos",
                                    "title",
                                    "sku",
                                    "attributes",
                                    "moneyprice",
                                    "moneypriceorg",
                                    "moneyofferprice",
                                    "barcode",
                                    "moneypricein",
                                    "deliverystatus",
                                    "friendly",
                                    NULL,
                                    "barcodealiases"};

static void assert_form(const cJSON *row) {
    const cJSON *member = NULL;
    size_t n = sizeof taken / sizeof taken[0];
    for (size_t i = 0; taken[i] != NULL; i++) {
        if (json_get(row, taken[i]) == NULL) {
            fail_msg("a row without %s", taken[i]);
        }
    }
    cJSON_ArrayForEach(member, row) {
        bool found = false;
        for (size_t i = 0; i < n; i++) {
            found = found || (taken[i] != NULL && strcmp(taken[i], member->string) == 0);
        }
        if (!found || cJSON_IsNull(member)) {
            fail_msg("a row with %s%s", member->string, found ? " null" : "");
        }
    }
}

static void assert_forms(const cJSON *body) {
    const cJSON *row = NULL;
    cJSON_ArrayForEach(row, json_array(body, "variants")) {
        assert_form(row);
    }
    assert_int_equal(cJSON_GetArraySize(body), 2); /* groups and variants, nothing else */
}

/* ---- the family that Sitoo's page prints ---- */

/* Source: https://developer.sitoo.com/api-reference/product-variants, 2026-04-01 (the answer of GET productvariants).
 */
#define ROW(id, title, sku, price, in, friendly, color, pattern)                                                     \
    "{\"productid\":" id ",\"active\":true,\"activepos\":true,\"title\":\"" title "\",\"sku\":\"" sku                \
    "\",\"deliverystatus\":\"\",\"moneyprice\":\"" price "\",\"moneypriceorg\":\"" price "\",\"moneypricein\":\"" in \
    "\",\"moneyofferprice\":\"0.00\",\"barcode\":null,\"barcodealiases\":[],"                                        \
    "\"friendly\":\"" friendly "\",\"attributes\":[\"" color "\",\"" pattern "\"],\"pricelisthasvolume\":false}"
#define ROW_21 ROW("21", "Blanket Red Striped", "54051-1", "59.00", "8.00", "blanket-red-striped", "Red", "Striped")
#define ROW_22 ROW("22", "Blanket Red Plaid", "54051-2", "69.00", "12.00", "blanket-red-plaid", "Red", "Plaid")
#define ROW_23 ROW("23", "Blanket Blue Plaid", "54051-3", "69.00", "12.00", "blanket-blue-plaid", "Blue", "Plaid")
#define GROUPS                                              \
    "\"groups\":[{\"name\":\"Color\",\"options\":[\"Red\"," \
    "\"Blue\"]},{\"name\":\"Pattern\",\"options\":[\"Striped\",\"Plaid\"]}]"
#define FAMILY "{" GROUPS ",\"variants\":[" ROW_21 "," ROW_22 "," ROW_23 "]}"

#define VARIANT(color, pattern)                                                  \
    "\"variantparentid\":21,\"variant\":[{\"name\":\"Color\",\"value\":\"" color \
    "\"},{\"name\":\"Pattern\",\"value\":\"" pattern "\"}],"

static void blankets(struct fixture *f, const char *groups) {
    begin(f, groups);
    (void)sku(f, 21, "54051-1", "Red,Striped", VARIANT("Red", "Striped"));
    (void)sku(f, 22, "54051-2", "Red,Plaid", VARIANT("Red", "Plaid"));
    (void)sku(f, 23, "54051-3", "Blue,Plaid", VARIANT("Blue", "Plaid"));
}

/* ---- ours ---- */

static void a_new_family_is_made_of_single_products(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "Color");
    struct want *w = sku(&f, 21, "54051-1", "Red", "\"moneypriceorg\":\"99.00\",\"moneypricein\":\"8.00\",");
    w->barcode = xstrdup("7310");
    w = sku(&f, 22, "54051-2", "Blue", "\"barcode\":\"7311\",\"moneyofferprice\":\"5.00\",");
    w->retail_price = 7900;
    w->active = false;
    plan(&f, NULL);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_int_equal(f.plan.rows, 2);
    assert_int_equal(f.plan.kept, 0);
    assert_forms(f.body);
    assert_json(json_get(f.body, "groups"), "[{\"name\":\"Color\",\"options\":[\"Red\",\"Blue\"]}]");
    const cJSON *red = row_of(f.body, 21), *blue = row_of(f.body, 22);
    assert_text(red, "title", "Blanket");
    assert_text(red, "moneyprice", "59.00");
    assert_text(red, "moneypriceorg", "99.00"); /* not ours: as it is */
    assert_text(red, "moneypricein", "8.00");
    assert_text(red, "moneyofferprice", "0.00");
    assert_text(red, "barcode", "7310");
    assert_json(json_get(red, "attributes"), "[\"Red\"]");
    assert_true(json_bool(red, "activepos", false));
    assert_text(blue, "barcode", "7311"); /* not ours: as it is */
    assert_text(blue, "moneypriceorg", "79.00");
    assert_text(blue, "moneyofferprice", "5.00");
    assert_false(json_bool(blue, "activepos", true));
    end(&f);
}

static void a_product_that_joins_keeps_what_is_not_ours(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "Color");
    (void)sku(
        &f, 21, "A", "Red",
        "\"active\":false,\"deliverystatus\":\"In stock\",\"friendly\":\"the-red-one\",\"moneypricein\":\"8.00\",");
    (void)sku(&f, 22, "B", "Blue", "");
    plan(&f, NULL);
    const cJSON *row = row_of(f.body, 21);
    assert_false(json_bool(row, "active", true));
    assert_true(json_bool(row, "activepos", false));
    assert_text(row, "deliverystatus", "In stock");
    assert_text(row, "friendly", "the-red-one");
    assert_text(row, "moneypricein", "8.00");
    row = row_of(f.body, 22);
    assert_true(json_bool(row, "active", false));
    assert_text(row, "deliverystatus", "");
    end(&f);
}

static void one_variant_is_added(void **state) {
    struct fixture f;
    (void)state;
    blankets(&f, "Color,Pattern");
    (void)sku(&f, 24, "54051-4", "Green,Striped", "");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_int_equal(f.plan.rows, 4);
    assert_int_equal(f.plan.kept, 0);
    assert_forms(f.body);
    assert_text(row_of(f.body, 22), "moneypriceorg", "69.00"); /* as the row says */
    assert_text(row_of(f.body, 22), "moneypricein", "12.00");
    assert_text(row_of(f.body, 22), "friendly", "blanket-red-plaid");
    assert_text(row_of(f.body, 22), "barcode", "");
    assert_text(row_of(f.body, 24), "moneypriceorg", "0.00");
    assert_json(json_get(f.body, "groups"), "[{\"name\":\"Color\",\"options\":[\"Red\",\"Blue\",\"Green\"]},"
                                            "{\"name\":\"Pattern\",\"options\":[\"Striped\",\"Plaid\"]}]");
    end(&f);
}

static void a_renamed_group_and_a_renamed_option_are_written(void **state) {
    struct fixture f;
    (void)state;
    blankets(&f, "Colour,Pattern");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_json(json_get(f.body, "groups"), "[{\"name\":\"Colour\",\"options\":[\"Red\",\"Blue\"]},"
                                            "{\"name\":\"Pattern\",\"options\":[\"Striped\",\"Plaid\"]}]");
    end(&f);
    blankets(&f, "Color,Pattern");
    free(f.want.list[2].attributes[0]);
    f.want.list[2].attributes[0] = xstrdup("Navy");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_json(json_get(row_of(f.body, 23), "attributes"), "[\"Navy\",\"Plaid\"]");
    assert_json(json_get(f.body, "groups"), "[{\"name\":\"Color\",\"options\":[\"Red\",\"Navy\"]},"
                                            "{\"name\":\"Pattern\",\"options\":[\"Striped\",\"Plaid\"]}]");
    end(&f);
}

static void a_group_is_added_to_a_family_of_ours(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "Color,Pattern,Size");
    (void)sku(&f, 21, "54051-1", "Red,Striped,L", VARIANT("Red", "Striped"));
    (void)sku(&f, 22, "54051-2", "Red,Plaid,L", VARIANT("Red", "Plaid"));
    (void)sku(&f, 23, "54051-3", "Blue,Plaid,M", VARIANT("Blue", "Plaid"));
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_int_equal(f.plan.rows, 3);
    assert_json(json_get(row_of(f.body, 23), "attributes"), "[\"Blue\",\"Plaid\",\"M\"]");
    end(&f);
}

/* ---- not ours ---- */

static void what_is_not_ours_is_handed_back(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "Color,Pattern");
    (void)sku(&f, 22, "54051-2", "Red,Plaid", VARIANT("Red", "Plaid")); /* 21, the main one, and 23 are not ours */
    (void)sku(&f, 24, "54051-4", "Green,Plaid", "");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_int_equal(f.plan.rows, 4);
    assert_int_equal(f.plan.kept, 2);
    assert_forms(f.body);
    for (int64_t id = 21; id <= 23; id += 2) {
        cJSON *before = cJSON_Duplicate(row_of(f.current, id), true);
        cJSON_DeleteItemFromObjectCaseSensitive(before, "pricelisthasvolume");
        cJSON_DeleteItemFromObjectCaseSensitive(before, "barcode");
        json_add_str(before, "barcode", "");
        assert_same(row_of(f.body, id), before);
        cJSON_Delete(before);
    }
    assert_json(json_get(f.body, "groups"), "[{\"name\":\"Color\",\"options\":[\"Red\",\"Green\",\"Blue\"]},"
                                            "{\"name\":\"Pattern\",\"options\":[\"Plaid\",\"Striped\"]}]");
    end(&f);
}

/* A variant got another SKU: its old row has the same values, and Sitoo takes them once. */
static void a_hidden_row_makes_room_for_ours(void **state) {
    for (int hidden = 0; hidden < 2; hidden++) {
        struct fixture f;
        (void)state;
        begin(&f, "Color,Pattern");
        (void)sku(&f, 22, "54051-2", "Red,Plaid", VARIANT("Red", "Plaid"));
        (void)sku(&f, 24, "54051-4", "Blue,Plaid", ""); /* as 23 */
        plan(&f, FAMILY);
        cJSON *old = (cJSON *)(uintptr_t)row_of(f.current, 23);
        cJSON_DeleteItemFromObjectCaseSensitive(old, "activepos");
        json_add_bool(old, "activepos", hidden == 0);
        plan_again(&f);
        assert_int_equal(f.plan.verdict, FAMILY_WRITE);
        assert_json(json_get(row_of(f.body, 23), "attributes"),
                    hidden == 1 ? "[\"Blue\",\"Plaid (54051-3)\"]" : "[\"Blue\",\"Plaid\"]");
        assert_json(json_get(row_of(f.body, 24), "attributes"), "[\"Blue\",\"Plaid\"]");
        end(&f);
    }
}

static void a_row_that_left_bigcommerce_is_kept(void **state) {
    struct fixture f;
    (void)state;
    blankets(&f, "Color,Pattern");
    f.want.n = 1; /* 22 and 23 left; the family stays as it is, */
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_SAME);
    free(f.want.list[0].attributes[1]);
    f.want.list[0].attributes[1] = xstrdup("Dotted"); /* and when it is written, they are in it. */
    plan_again(&f);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_int_equal(f.plan.kept, 2);
    assert_non_null(row_of(f.body, 22));
    assert_non_null(row_of(f.body, 23));
    assert_forms(f.body);
    f.want.n = 3;
    end(&f);
}

static void a_group_too_many_for_a_foreign_row_is_a_case(void **state) {
    static const struct {
        const char *name, *groups, *values;
    } rows[] = {{"one more", "Color,Pattern,Size", "Red,Plaid,L"}, {"one less", "Color", "Red"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        print_message("  %s\n", rows[i].name);
        begin(&f, rows[i].groups);
        (void)sku(&f, 22, "54051-2", rows[i].values, VARIANT("Red", "Plaid"));
        plan(&f, FAMILY);
        assert_int_equal(f.plan.verdict, FAMILY_ROWS);
        assert_non_null(strstr(f.plan.text, "54051-1"));
        assert_non_null(strstr(f.plan.text, "21"));
        end(&f);
    }
}

/* Left out they would be deleted, and an empty value is refused. */
static void values_that_do_not_fit_stop_the_write(void **state) {
    static const struct {
        const char *attributes;
        enum family_verdict verdict;
    } rows[] = {{"[\"Blue\"]", FAMILY_ROWS},
                {"[]", FAMILY_ROWS},
                {"null", FAMILY_ROWS},
                {"{}", FAMILY_ROWS},
                {"[\"Blue\",null]", FAMILY_ROWS},
                {"[\"Blue\",\"\"]", FAMILY_ROWS},
                {"[\"Blue\",7]", FAMILY_ROWS},
                {"[\"Blue\",\"L\",\"x\"]", FAMILY_ROWS},
                {"[\"Blue\",\"L\"]", FAMILY_WRITE}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char current[400];
        struct fixture f;
        print_message("  %s\n", rows[i].attributes);
        begin(&f, "Color,Size");
        (void)sku(&f, 21, "A", "Red,L", "");
        (void)snprintf(current, sizeof current,
                       "{\"groups\":[],\"variants\":[{\"productid\":90,\"sku\":\"THEIRS\",\"attributes\":%s},"
                       "{\"productid\":91,\"attributes\":[\"Red\",\"M\"]}]}",
                       rows[i].attributes);
        plan(&f, current);
        assert_int_equal(f.plan.verdict, rows[i].verdict);
        assert_true(rows[i].verdict == FAMILY_WRITE || strstr(f.plan.text, "THEIRS") != NULL);
        end(&f);
    }
}

static void nulls_of_others_are_not_sent_back(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "Color");
    (void)sku(&f, 21, "A", "Red", "");
    plan(&f, "{\"variants\":[{\"productid\":90,\"title\":\"Old\",\"sku\":\"X\",\"deliverystatus\":null,"
             "\"moneypricein\":null,\"barcode\":null,\"barcodealiases\":null,\"friendly\":null,"
             "\"attributes\":[\"Green\"]}]}");
    assert_json(row_of(f.body, 90),
                "{\"productid\":90,\"title\":\"Old\",\"sku\":\"X\",\"attributes\":[\"Green\"],\"barcode\":\"\","
                "\"deliverystatus\":\"\",\"moneypriceorg\":\"0.00\",\"moneypricein\":\"0.00\",\"moneyofferprice\":"
                "\"0.00\"}");
    end(&f);
}

/* BigCommerce has the options the other way round: the values of a foreign row go with their names. */
static void values_of_a_foreign_row_follow_their_group(void **state) {
    static const struct {
        const char *groups, *values, *want;
    } rows[] = {{"Pattern,Color", "Plaid,Red", "[\"Plaid\",\"Blue\"]"},
                {"Pattern,Colour", "Plaid,Red", "[\"Plaid\",\"Blue\"]"}, /* renamed and moved */
                {"Colour,Pattern", "Red,Plaid", "[\"Blue\",\"Plaid\"]"}, /* renamed */
                {"Colour,Weave", "Red,Plaid", "[\"Blue\",\"Plaid\"]"},   /* both renamed: by position */
                {"Design,Color", "Plaid,Red", "[\"Plaid\",\"Blue\"]"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        print_message("  %s\n", rows[i].groups);
        begin(&f, rows[i].groups);
        (void)sku(&f, 22, "54051-2", rows[i].values, VARIANT("Red", "Plaid"));
        plan(&f, FAMILY);
        assert_int_equal(f.plan.verdict, FAMILY_WRITE);
        assert_json(json_get(row_of(f.body, 23), "attributes"), rows[i].want);
        end(&f);
    }
}

static void a_member_of_another_family_stays_there(void **state) {
    struct fixture f;
    (void)state;
    blankets(&f, "Color,Pattern");
    (void)sku(&f, 40, "54051-4", "Green,Plaid", "\"variantparentid\":40,");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_FOREIGN);
    assert_non_null(strstr(f.plan.text, "54051-4"));
    assert_non_null(strstr(f.plan.text, "40"));
    end(&f);
}

static void nothing_wanted_is_nothing_written(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "");
    (void)sku(&f, 21, "54051-1", "", VARIANT("Red", "Striped")); /* a family is never dissolved */
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_SAME);
    end(&f);
    begin(&f, "Color");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_SAME);
    end(&f);
    blankets(&f, "Color,Pattern");
    plan(&f, FAMILY);
    assert_int_equal(f.plan.verdict, FAMILY_SAME);
    end(&f);
}

/* ---- names for addresses ---- */

static void assert_friendly(const char *name) {
    size_t n = strlen(name);
    assert_true(n > 0 && n <= 100);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), n);
    assert_true(name[0] != '-' && name[n - 1] != '-');
    assert_null(strstr(name, "--"));
}

static void every_friendly_name_is_another_one(void **state) {
    static const struct {
        const char *sku, *title;
    } rows[] = {{"A+1", "Jar"}, {"A-1", "Jar"},      {"A/1", "Jar"},        {"a-1", "Jar"}, {"A_1", "Jar"},
                {"B-C", "A"},   {"C", "A-B"},        {"+", "\xE2\x80\x93"}, {"-", "--"},    {"//", "\xE6\x97\xA5"},
                {"1", "Jar A"}, {"_", "C\xC3\xA5r"}, {"__", "C\xC3\xA4r"}};
    enum { ROWS = sizeof rows / sizeof rows[0], LONG = 3 };
    char text[200];
    struct fixture f;
    (void)state;
    begin(&f, "Color");
    for (size_t i = 0; i < ROWS; i++) {
        struct want *w = sku(&f, 21 + (int64_t)i, rows[i].sku, "Red", "");
        free(w->title);
        w->title = xstrdup(rows[i].title);
    }
    for (size_t i = 0; i < LONG; i++) {
        (void)snprintf(text, sizeof text, "%0150zu", i);
        struct want *w = sku(&f, 100 + (int64_t)i, text, "Red", "\"friendly\":\"\",");
        free(w->title);
        w->title = xstrdup(text);
    }
    plan(&f, NULL);
    const cJSON *variants = json_array(f.body, "variants");
    assert_int_equal(cJSON_GetArraySize(variants), ROWS + LONG);
    for (int i = 0; i < ROWS + LONG; i++) {
        const char *name = json_str(cJSON_GetArrayItem(variants, i), "friendly");
        assert_friendly(name);
        for (int k = 0; k < i; k++) {
            if (strcmp(name, json_str(cJSON_GetArrayItem(variants, k), "friendly")) == 0) {
                fail_msg("two rows are %s", name);
            }
        }
    }
    end(&f);
}

static void an_empty_friendly_name_is_none(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, "Color");
    (void)sku(&f, 21, "A", "Red", "\"variantparentid\":21,");
    (void)sku(&f, 22, "B", "Blue", "\"variantparentid\":21,");
    plan(&f, "{\"groups\":[],\"variants\":[{\"productid\":21,\"friendly\":\"\"},{\"productid\":22,\"friendly\":null},"
             "{\"productid\":23,\"friendly\":null,\"attributes\":[\"Red\"],\"title\":\"Old\"}]}");
    assert_friendly(json_str(row_of(f.body, 21), "friendly"));
    assert_friendly(json_str(row_of(f.body, 22), "friendly"));
    assert_string_not_equal(json_str(row_of(f.body, 21), "friendly"), json_str(row_of(f.body, 22), "friendly"));
    end(&f);
}

/* ---- size ---- */

static void six_hundred_rows_are_one_body(void **state) {
    static struct fixture f;
    char name[40], value[40];
    (void)state;
    begin(&f, "Color,Size");
    for (int i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "S-%d", i);
        (void)snprintf(value, sizeof value, "C%d,Z%d", i / 20, i % 20);
        (void)sku(&f, PARENT + i, name, value, "");
    }
    plan(&f, NULL);
    assert_int_equal(f.plan.verdict, FAMILY_WRITE);
    assert_int_equal(f.plan.rows, 600);
    assert_int_equal(cJSON_GetArraySize(json_array(f.body, "variants")), 600);
    const cJSON *groups = json_array(f.body, "groups");
    assert_int_equal(cJSON_GetArraySize(json_array(cJSON_GetArrayItem(groups, 0), "options")), 30);
    assert_int_equal(cJSON_GetArraySize(json_array(cJSON_GetArrayItem(groups, 1), "options")), 20);
    end(&f);
}

/* ---- any family ---- */

static uint32_t seed = 2463534242U;

static unsigned below(unsigned n) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

static void values_of(char out[40], size_t groups, const char *separator) {
    size_t len = 0;
    out[0] = '\0';
    for (size_t g = 0; g < groups; g++) {
        len += (size_t)snprintf(out + len, 40 - len, "%sV%u", g > 0 ? separator : "", below(4));
    }
}

/* Rows of the family as it is: ours, and others; now and then one with an option too few. */
static void make_any(struct fixture *f, size_t groups) {
    static const char *const names[] = {"A", "A,B", "A,B,C"};
    struct buf rows;
    char values[40], sku_text[20], more[60];
    size_t n = below(6), n_rows = 0;
    begin(f, names[groups - 1]);
    buf_init(&rows, 100000);
    buf_add_str(&rows, "{\"groups\":[{\"name\":\"B\"},{\"name\":\"A\"}],\"variants\":[");
    for (size_t i = 0; i < 12; i++) {
        bool wanted = i<n, member = below(3)> 0;
        (void)snprintf(sku_text, sizeof sku_text, "S%u-%zu", below(9), i);
        if (wanted) {
            (void)snprintf(more, sizeof more, "\"variantparentid\":%d,", below(40) > 0 ? PARENT : 99);
            values_of(values, groups, ",");
            (void)sku(f, PARENT + (int64_t)i, sku_text, values, member ? more : "");
        }
        if (member) {
            size_t own = wanted || below(30) > 0 ? groups : groups - 1;
            values_of(values, own, "\",\"");
            buf_addf(&rows, "%s{\"productid\":%zu,\"sku\":\"%s\",\"barcode\":%s,\"attributes\":[%s%s%s]%s}",
                     n_rows++ > 0 ? "," : "", PARENT + i, sku_text, below(2) > 0 ? "null" : "\"73\"",
                     own > 0 ? "\"" : "", values, own > 0 ? "\"" : "",
                     below(2) > 0 ? ",\"pricelisthasvolume\":false" : "");
        }
    }
    buf_add_str(&rows, "]}");
    plan(f, buf_str(&rows));
    buf_free(&rows);
}

static size_t count_of(const cJSON *options, const char *value) {
    const cJSON *item = NULL;
    size_t n = 0;
    cJSON_ArrayForEach(item, options) {
        n += strcmp(item->valuestring, value) == 0 ? 1 : 0;
    }
    return n;
}

/* Each value is an option of its group, once; each option is some row's. */
static void assert_union(const cJSON *body, size_t groups) {
    const cJSON *row = NULL, *option = NULL;
    assert_int_equal(cJSON_GetArraySize(json_array(body, "groups")), groups);
    for (size_t g = 0; g < groups; g++) {
        const cJSON *options = json_array(cJSON_GetArrayItem(json_array(body, "groups"), (int)g), "options");
        cJSON_ArrayForEach(row, json_array(body, "variants")) {
            const cJSON *list = json_array(row, "attributes");
            assert_int_equal(cJSON_GetArraySize(list), groups);
            assert_int_equal(count_of(options, cJSON_GetArrayItem(list, (int)g)->valuestring), 1);
        }
        cJSON_ArrayForEach(option, options) {
            size_t used = 0;
            cJSON_ArrayForEach(row, json_array(body, "variants")) {
                const cJSON *value = cJSON_GetArrayItem(json_array(row, "attributes"), (int)g);
                used += strcmp(value->valuestring, option->valuestring) == 0 ? 1 : 0;
            }
            assert_true(used > 0);
        }
    }
}

static void no_row_is_ever_left_out(void **state) {
    size_t verdicts[FAMILY_ROWS + 1] = {0};
    (void)state;
    for (size_t round = 0; round < 4000; round++) {
        struct fixture f;
        size_t groups = 1 + below(3), ours = 0;
        const cJSON *row = NULL;
        make_any(&f, groups);
        verdicts[f.plan.verdict]++;
        /* No body: nothing to look for. */
        cJSON_ArrayForEach(row, json_array(f.body != NULL ? f.current : NULL, "variants")) {
            int64_t id = 0;
            assert_true(json_int(row, "productid", &id));
            const cJSON *again = row_of(f.body, id);
            if (again == NULL) {
                fail_msg("round %zu: product %lld is left out", round, (long long)id);
            }
            assert_text(again, "sku", json_str(row, "sku"));
            assert_null(json_get(again, "pricelisthasvolume"));
            assert_non_null(json_str(again, "barcode"));
        }
        for (size_t i = 0; i < f.want.n && f.plan.verdict == FAMILY_WRITE; i++) {
            assert_non_null(row_of(f.body, f.have[i]->id));
            ours++;
        }
        if (f.plan.verdict == FAMILY_WRITE) {
            assert_int_equal(f.plan.rows, cJSON_GetArraySize(json_array(f.body, "variants")));
            assert_int_equal(f.plan.kept, f.plan.rows - ours);
            assert_union(f.body, groups);
        }
        end(&f);
    }
    for (size_t i = 0; i <= FAMILY_ROWS; i++) {
        print_message("  verdict %zu: %zu\n", i, verdicts[i]);
        assert_true(verdicts[i] > 20);
    }
}

/* ---- is it right? ---- */

static void a_family_is_right_or_not(void **state) {
    static const struct {
        const char *name, *second; /* members of the second one in Sitoo */
        bool right;
    } rows[] = {{"as wanted", VARIANT("Red", "Plaid"), true},
                {"single", "", false},
                {"null", "\"variantparentid\":null,\"variant\":null,", false},
                {"another parent",
                 "\"variantparentid\":22,\"variant\":[{\"name\":\"Color\",\"value\":\"Red\"},{\"name\":\"Pattern\","
                 "\"value\":\"Plaid\"}],",
                 false},
                {"another value", VARIANT("Red", "Striped"), false},
                {"by letter case", VARIANT("red", "Plaid"), false},
                {"another name",
                 "\"variantparentid\":21,\"variant\":[{\"name\":\"Colour\",\"value\":\"Red\"},{\"name\":\"Pattern\","
                 "\"value\":\"Plaid\"}],",
                 false},
                {"another order",
                 "\"variantparentid\":21,\"variant\":[{\"name\":\"Pattern\",\"value\":\"Plaid\"},{\"name\":\"Color\","
                 "\"value\":\"Red\"}],",
                 false},
                {"one group", "\"variantparentid\":21,\"variant\":[{\"name\":\"Color\",\"value\":\"Red\"}],", false},
                {"no groups", "\"variantparentid\":21,\"variant\":[],", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        begin(&f, "Color,Pattern");
        (void)sku(&f, 21, "54051-1", "Red,Striped", VARIANT("Red", "Striped"));
        (void)sku(&f, 22, "54051-2", "Red,Plaid", rows[i].second);
        if (family_is_right(&f.want, have_of(&f)) != rows[i].right) {
            fail_msg("%s", rows[i].name);
        }
        end(&f);
    }
}

/* What is written is right once Sitoo has it: else it would be written for ever. */
static void what_was_written_is_right(void **state) {
    static const char *const groups[] = {"Color,Pattern", "Color,Color", ",", "Option,"};
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        struct fixture f, g;
        char more[2][300];
        print_message("  %s\n", groups[i]);
        begin(&f, groups[i]);
        if (f.want.group_count < 2) { /* split drops an empty last one */
            f.want.groups[f.want.group_count++] = xstrdup("");
        }
        (void)sku(&f, 21, "A", "Red,Plaid", "");
        (void)sku(&f, 22, "B", "Blue,Plaid", "");
        plan(&f, NULL);
        const cJSON *named = json_array(f.body, "groups");
        const char *one = json_str(cJSON_GetArrayItem(named, 0), "name");
        const char *two = json_str(cJSON_GetArrayItem(named, 1), "name");
        assert_true(one[0] != '\0' && two[0] != '\0' && strcmp(one, two) != 0);
        for (size_t k = 0; k < 2; k++) {
            (void)snprintf(more[k], sizeof more[k],
                           "\"variantparentid\":21,\"variant\":[{\"name\":\"%s\",\"value\":\"%s\"},{\"name\":\"%s\","
                           "\"value\":\"Plaid\"}],",
                           one, k == 0 ? "Red" : "Blue", two);
        }
        begin(&g, groups[i]);
        if (g.want.group_count < 2) {
            g.want.groups[g.want.group_count++] = xstrdup("");
        }
        (void)sku(&g, 21, "A", "Red,Plaid", more[0]);
        (void)sku(&g, 22, "B", "Blue,Plaid", more[1]);
        assert_true(family_is_right(&g.want, have_of(&g)));
        end(&f);
        end(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_family_is_made_of_single_products),
        cmocka_unit_test(a_product_that_joins_keeps_what_is_not_ours),
        cmocka_unit_test(one_variant_is_added),
        cmocka_unit_test(a_renamed_group_and_a_renamed_option_are_written),
        cmocka_unit_test(a_group_is_added_to_a_family_of_ours),
        cmocka_unit_test(what_is_not_ours_is_handed_back),
        cmocka_unit_test(a_row_that_left_bigcommerce_is_kept),
        cmocka_unit_test(a_hidden_row_makes_room_for_ours),
        cmocka_unit_test(a_group_too_many_for_a_foreign_row_is_a_case),
        cmocka_unit_test(values_that_do_not_fit_stop_the_write),
        cmocka_unit_test(nulls_of_others_are_not_sent_back),
        cmocka_unit_test(values_of_a_foreign_row_follow_their_group),
        cmocka_unit_test(a_member_of_another_family_stays_there),
        cmocka_unit_test(nothing_wanted_is_nothing_written),
        cmocka_unit_test(every_friendly_name_is_another_one),
        cmocka_unit_test(an_empty_friendly_name_is_none),
        cmocka_unit_test(six_hundred_rows_are_one_body),
        cmocka_unit_test(no_row_is_ever_left_out),
        cmocka_unit_test(a_family_is_right_or_not),
        cmocka_unit_test(what_was_written_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
