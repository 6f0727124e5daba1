/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/order-updated/plan.c tests/unit/plan.c functions/onepool/goods_find.c */
/* The sums of goods.h, and what watch_plan makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/onepool/goods_in.h"
#include "functions/order-updated/watch.h"
#include "buf.h"
#include "goods.h"
#include "json.h"
#include "mapping.h"
#include "plan.h"
#include "ban.h"

#define MINUTE INT64_C(60000)
#define DAY    INT64_C(86400000)
#define T0     INT64_C(1795392000000) /* 2026-11-23T00:00:00Z: the refunds below */

#define PRODUCT(line, quantity, reason) \
    "{\"item_type\":\"PRODUCT\",\"item_id\":" line ",\"quantity\":" quantity ",\"reason\":\"" reason "\"}"
#define REFUND_AT(id, created, items, offline, declined)                                                   \
    "{\"id\":" id ",\"order_id\":100301,\"created\":\"" created "\",\"total_amount\":35,\"items\":[" items \
    "],\"payments\":[{\"offline\":" offline ",\"is_declined\":" declined ",\"declined_message\":\"no\"}]}"
#define REFUND(id, items, offline, declined) REFUND_AT(id, "2026-11-23T00:00:00+00:00", items, offline, declined)
#define OURS                                 "onepool:R11555-100301 receipt"

#define LINES                                                                                               \
    "[{\"id\":1,\"sku\":\"A\",\"quantity\":3,\"type\":\"physical\"},"                                       \
    "{\"id\":2,\"sku\":\"B\",\"quantity\":1},{\"id\":3,\"sku\":\"G\",\"quantity\":1,\"type\":\"digital\"}," \
    "{\"id\":4,\"sku\":\"\",\"quantity\":1,\"type\":\"physical\"}]"
#define RETURN(sku, quantity)                                                                               \
    "{\"orderid\":11555,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1795392000,\"warehouseid\":1," \
    "\"orderitems\":[{\"orderitemid\":0,\"sku\":\"" sku "\",\"decimalquantitytotal\":\"" quantity "\"}]}"

struct facts {
    struct refund_list refunds;
    struct goods goods;
};

static void facts_free(struct facts *f) {
    refund_list_free(&f->refunds);
    goods_free(&f->goods);
}

/* refunds: their JSON, comma separated; returns: orders that credit ours; booked: as Redis keeps it, or NULL. */
static void facts_make(struct facts *f, const char *refunds, const char *returns, const char *booked, int64_t due_ms) {
    struct reason why = {0};
    const cJSON *item = NULL;
    struct buf text;
    memset(f, 0, sizeof *f);
    buf_init(&text, 10000);
    buf_addf(&text, "[%s]", refunds);
    cJSON *json = plan_parse(buf_str(&text)), *lines = plan_parse(LINES);
    buf_free(&text);
    f->refunds.list = xcalloc((size_t)cJSON_GetArraySize(json) + 1, sizeof *f->refunds.list);
    cJSON_ArrayForEach(item, json) {
        assert_true(refund_parse(item, &f->refunds.list[f->refunds.n++]));
    }
    const struct goods_question q = {
        .order_id = 100301, .since_ms = T0 - DAY, .due_ms = due_ms, .refunds = &f->refunds};
    f->goods.order_id = 100301;
    f->goods.sitoo_order_id = 11513;
    assert_int_equal(goods_add_lines(&f->goods, &q, lines, &why), NEXT_DONE);
    cJSON_Delete(lines);
    cJSON_Delete(json);
    buf_init(&text, 10000);
    buf_addf(&text, "[%s]", returns);
    json = plan_parse(buf_str(&text));
    buf_free(&text);
    cJSON_ArrayForEach(item, json) {
        assert_int_equal(goods_add_return(&f->goods, item, "BC-", &why), NEXT_DONE);
    }
    cJSON_Delete(json);
    assert_true(booked == NULL || goods_add_booked(&f->goods, booked));
}

static void what_is_missing_is_what_was_refunded_by_hand_and_is_not_back(void **state) {
    static const struct {
        const char *name, *refunds, *returns, *booked, *want;
    } rows[] = {
        {"nothing came back", REFUND("7", PRODUCT("1", "2", ""), "false", "false"), "", NULL, "A x 2"},
        {"one of two", REFUND("7", PRODUCT("1", "2", ""), "false", "false"), RETURN("A", "-1.000"), NULL, "A x 1"},
        {"all", REFUND("7", PRODUCT("1", "2", ""), "false", "false"), RETURN("A", "-2.000"), NULL, ""},
        {"the case of a SKU may differ", REFUND("7", PRODUCT("1", "1", ""), "false", "false"), RETURN("a", "-1.000"),
         NULL, ""},
        {"more came back than was refunded", REFUND("7", PRODUCT("1", "1", ""), "false", "false"),
         RETURN("A", "-3.000"), NULL, ""},
        {"another SKU came back", REFUND("7", PRODUCT("1", "1", ""), "false", "false"), RETURN("B", "-1.000"), NULL,
         "A x 1"},
        {"a row that was sold is no return", REFUND("7", PRODUCT("1", "1", ""), "false", "false"), RETURN("A", "1.000"),
         NULL, "A x 1"},
        {"half a unit", REFUND("7", PRODUCT("1", "1", ""), "false", "false"), RETURN("A", "-0.500"), NULL, "A x 0.500"},
        {"what we refunded is the money of a return",
         REFUND("6", PRODUCT("1", "1", OURS), "true", "false") "," REFUND("7", PRODUCT("1", "1", ""), "false", "false"),
         RETURN("A", "-1.000"), NULL, "A x 1"},
        {"a return that we refunded and one that a person did",
         REFUND("6", PRODUCT("1", "1", OURS), "true", "false") "," REFUND("7", PRODUCT("1", "1", ""), "false", "false"),
         RETURN("A", "-1.000") "," RETURN("A", "-1.000"), NULL, ""},
        {"a refund of ours alone wants nothing", REFUND("6", PRODUCT("1", "1", OURS), "true", "false"), "", NULL, ""},
        {"declined: the customer has no money", REFUND("7", PRODUCT("1", "1", ""), "false", "true"), "", NULL, ""},
        {"refunded again after a payment that did not work, not declined: never more than was bought",
         REFUND("7", PRODUCT("2", "1", ""), "false", "false") "," REFUND("8", PRODUCT("2", "1", ""), "false", "false"),
         "", NULL, "B x 1"},
        {"shipping wants nothing", REFUND("7", "{\"item_type\":\"SHIPPING\",\"item_id\":9}", "false", "false"), "",
         NULL, ""},
        {"a digital line wants nothing", REFUND("7", PRODUCT("3", "1", ""), "false", "false"), "", NULL, ""},
        {"a line without SKU cannot be compared", REFUND("7", PRODUCT("4", "1", ""), "false", "false"), "", NULL, ""},
        {"before our first start", REFUND_AT("7", "2026-11-20T00:00:00Z", PRODUCT("1", "1", ""), "false", "false"), "",
         NULL, ""},
        {"booked in by a person", REFUND("7", PRODUCT("1", "2", ""), "false", "false"), "", "2000 A", ""},
        {"booked in and returned", REFUND("7", PRODUCT("1", "3", ""), "false", "false"), RETURN("A", "-1.000"),
         "1000 A", "A x 1"},
        {"two SKUs", REFUND("7", PRODUCT("1", "1", "") "," PRODUCT("2", "1", ""), "false", "false"), "", NULL,
         "A x 1, B x 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct facts f;
        char text[100];
        facts_make(&f, rows[i].refunds, rows[i].returns, rows[i].booked, INT64_MAX);
        goods_text(&f.goods, false, text, sizeof text);
        plan_same(rows[i].name, text, rows[i].want);
        assert_int_equal(goods_any_missing(&f.goods, false), rows[i].want[0] != '\0');
        f.goods.never_left = true;
        assert_false(goods_any_missing(&f.goods, false));
        facts_free(&f);
    }
}

static void a_long_list_is_cut_with_dots(void **state) {
    struct facts f;
    char text[12];
    (void)state;
    facts_make(&f, REFUND("7", PRODUCT("1", "1", "") "," PRODUCT("2", "1", ""), "false", "false"), "", NULL, INT64_MAX);
    goods_text(&f.goods, false, text, sizeof text);
    assert_string_equal(text, "A x 1 ...");
    facts_free(&f);
}

static void booked_goods_that_cannot_be_read_are_refused(void **state) {
    static const char *const bad[] = {"", "A", "0 A", "-1 A", "1000", "1000 ", "1.5 A", "99999999999999999999999999 A"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct goods g = {0};
        assert_false(goods_add_booked(&g, bad[i]));
        goods_free(&g);
    }
}

/* ---- the plan ---- */

static char *plan_of(const struct facts *f, const struct mapping *m, bool goods, int64_t now_ms, bool again,
                     int64_t *next_ms) {
    struct args effects = {0};
    const struct watch w = {.mapping = m,
                            .refunds = &f->refunds,
                            .goods = goods ? &f->goods : NULL,
                            .order_id = 100301,
                            .now_ms = now_ms,
                            .since_ms = T0 - DAY,
                            .again = again};
    *next_ms = watch_plan(&w, &effects);
    char *text = plan_text(&effects);
    args_free(&effects);
    return text;
}

static const struct mapping rules = {.returns = {.goods_back_days = 14},
                                     .owner_money = "finance",
                                     .owner_stock = "operations",
                                     .sitoo_order_prefix = "BC-"};

static void a_refund_of_ours_is_looked_at_after_1_10_and_60_minutes(void **state) {
    static const struct {
        const char *name, *offline, *declined;
        int64_t age, want;
    } rows[] = {
        {"at once", "false", "false", 0, MINUTE},
        {"half a minute", "false", "false", MINUTE / 2, MINUTE / 2},
        {"a minute", "false", "false", MINUTE, 9 * MINUTE},
        {"ten minutes", "false", "false", 10 * MINUTE, 50 * MINUTE},
        {"an hour", "false", "false", 60 * MINUTE, WATCH_SETTLED},
        {"offline", "true", "false", 0, WATCH_SETTLED},
        {"declined already", "false", "true", 0, WATCH_SETTLED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct facts f;
        struct buf json;
        int64_t next = 0;
        buf_init(&json, 1000);
        buf_addf(&json, REFUND("6", PRODUCT("1", "1", OURS), "%s", "%s"), rows[i].offline, rows[i].declined);
        facts_make(&f, buf_str(&json), "", NULL, 0);
        char *text = plan_of(&f, &rules, false, T0 + rows[i].age, false, &next);
        if (next != rows[i].want) {
            fail_msg("%s: %lld", rows[i].name, (long long)next);
        }
        assert_int_equal(strstr(text, "refund_declined") != NULL, strcmp(rows[i].declined, "true") == 0);
        free(text);
        buf_free(&json);
        facts_free(&f);
    }
}

static void a_declined_refund_of_ours_is_urgent(void **state) {
    struct facts f;
    int64_t next = 0;
    (void)state;
    facts_make(&f, REFUND("6", PRODUCT("1", "1", OURS), "false", "true"), "", NULL, 0);
    char *text = plan_of(&f, &rules, false, T0 + DAY, false, &next);
    plan_same(
        "declined", text,
        "case_first [refund_declined:6] [refund_declined] [finance] [web order 100301 refund 6] [URGENT: refund 6 "
        "of BigCommerce order 100301 over 35.00, made for return 11555 in Sitoo, was declined by the payment "
        "provider: no] [The customer gave the goods back and was not paid] [Look at order 100301 in BigCommerce, "
        "pay the customer in another way, and note it there; then run: onepool parked --close. onepool does not "
        "pay again by itself] [refund] [100301] []\n");
    free(text);
    text = plan_of(&f, &rules, false, T0 + DAY, true, &next);
    assert_memory_equal(text, "case [refund_declined]", 22); /* a person's retry makes it anew */
    free(text);
    text = plan_of(&f, &rules, false, T0 + 81 * DAY, false, &next);
    plan_same("so old that nobody knows whether it was seen", text, "");
    free(text);
    facts_free(&f);
}

#define RECORD                                                                                                        \
    "log [refund_bc:7] [{\"type\":\"refund_made_in_bigcommerce\",\"order\":100301,\"refund\":7,\"amount\":\"35.00\"," \
    "\"declined\":false,\"rows\":[{\"order_product\":1,\"sku\":\"A\",\"quantity\":2}]}]\n"

static void goods_are_waited_for_and_then_asked_for(void **state) {
    struct facts f;
    int64_t next = 0;
    (void)state;
    facts_make(&f, REFUND("7", PRODUCT("1", "2", ""), "false", "false"), "", NULL, T0 - 14 * DAY);
    char *text = plan_of(&f, &rules, true, T0, false, &next);
    plan_same("on the first day", text, RECORD "close [refunded_not_back:web order 100301]\n");
    assert_int_equal(next, 14 * DAY);
    free(text);
    facts_free(&f);

    facts_make(&f, REFUND("7", PRODUCT("1", "2", ""), "false", "false"), RETURN("A", "-1.000"), NULL, T0);
    text = plan_of(&f, &rules, true, T0 + 14 * DAY, false, &next);
    plan_same("two weeks later", text,
              RECORD
              "case_first [not_back:100301:7] [refunded_not_back] [operations] [web order 100301] [Refunded in "
              "BigCommerce at least 14 day(s) ago and not back in Sitoo (order 11513 there): A x 1] [The customer "
              "has the money; what was refunded may be missing in the shop] [If the goods are there: onepool "
              "returns --goods-in 100301 --sku SKU --quantity N --warehouse W books them into Sitoo, and the case "
              "closes by itself. If they will not come: onepool parked --close] [refund] [100301] []\n");
    assert_int_equal(next, DAY);
    free(text);
    text = plan_of(&f, &rules, true, T0 + 74 * DAY, false, &next);
    assert_int_equal(next, WATCH_SETTLED); /* the case stays; nobody looks any more */
    free(text);
    f.goods.sitoo_order_id = 0;
    text = plan_of(&f, &rules, true, T0 + 14 * DAY, false, &next);
    assert_non_null(strstr(text, "Sitoo has no order BC-100301"));
    assert_null(strstr(text, "--goods-in"));
    free(text);
    facts_free(&f);

    facts_make(&f, REFUND("7", PRODUCT("1", "2", ""), "false", "false"), RETURN("A", "-2.000"), NULL, T0);
    text = plan_of(&f, &rules, true, T0 + DAY, false, &next);
    plan_same("all back", text, RECORD "close [refunded_not_back:web order 100301]\n");
    assert_int_equal(next, WATCH_SETTLED);
    free(text);
    facts_free(&f);
}

static void each_refund_has_its_own_deadline(void **state) {
    struct facts f;
    int64_t next = 0;
    (void)state;
    facts_make(&f,
               REFUND("7", PRODUCT("1", "1", ""), "false",
                      "false") "," REFUND_AT("8", "2026-12-06T12:00:00Z", PRODUCT("1", "1", ""), "false", "false"),
               RETURN("A", "-1.000"), NULL, T0);
    char *text = plan_of(&f, &rules, true, T0 + 14 * DAY, false, &next);
    assert_null(strstr(text, "case_first")); /* what came back counts for the older refund */
    assert_int_equal(next, 13 * DAY + DAY / 2);
    free(text);
    facts_free(&f);
}

static void a_refund_without_goods_is_recorded_and_settled(void **state) {
    struct facts f;
    int64_t next = 0;
    (void)state;
    facts_make(&f, REFUND("7", "{\"item_type\":\"ORDER\",\"item_id\":100301}", "false", "false"), "", NULL, 0);
    char *text = plan_of(&f, &rules, false, T0, false, &next);
    plan_same("order level", text,
              "log [refund_bc:7] [{\"type\":\"refund_made_in_bigcommerce\",\"order\":100301,\"refund\":7,\"amount\":"
              "\"35.00\",\"declined\":false,\"rows\":[]}]\n");
    assert_int_equal(next, WATCH_SETTLED);
    free(text);
    facts_free(&f);
}

/* ---- booked in ---- */

static void the_answer_of_a_booking_is_a_number_or_a_list_of_one(void **state) {
    static const struct {
        const char *json;
        int64_t want;
        const char *text;
    } rows[] = {{"3", 3, NULL},
                {"[{\"statuscode\":200,\"return\":3}]", 3, NULL},
                {"[{\"statuscode\":400,\"errortext\":\"Invalid value\"}]", 0, "Invalid value"},
                {"[{\"statuscode\":500}]", 0, "no reason given"},
                {"[{\"statuscode\":200,\"return\":true}]", -1, NULL},
                {"[{\"statuscode\":200,\"return\":3},{\"statuscode\":200,\"return\":4}]", -1, NULL},
                {"[]", -1, NULL},
                {"{}", -1, NULL},
                {"true", -1, NULL},
                {"0", -1, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = NULL;
        cJSON *json = plan_parse(rows[i].json);
        assert_int_equal(goods_in_answer(json, &text), rows[i].want);
        assert_true(rows[i].text == NULL ? text == NULL : text != NULL && strcmp(text, rows[i].text) == 0);
        cJSON_Delete(json);
    }
}

#define ROW(id, reference, quantity)                               \
    "{\"warehousetransactionid\":" id ",\"externalid\":" reference \
    ",\"items\":[{\"sku\":\"A\",\"decimalquantity\":\"" quantity "\"}]}"

static void our_bookings_are_told_from_other_rows_of_the_ledger(void **state) {
    static const struct {
        const char *name, *rows;
        bool whole;
        size_t n;
    } rows[] = {
        {"ours", "[" ROW("5", "\"GI-100301-1\"", "2.000") "]", true, 1},
        {"no reference, another's, another order's",
         "[" ROW("5", "null", "2.000") "," ROW("6", "\"delivery\"", "1.000") "," ROW("7", "\"GI-1003012-1\"",
                                                                                     "1.000") "]",
         true, 0},
        {"another row that cannot be read is none of ours", "[" ROW("5", "null", "much") "]", true, 0},
        {"one of ours that cannot be read", "[" ROW("5", "\"GI-100301-1\"", "much") "]", false, 0},
        {"not sorted", "[" ROW("5", "null", "1.000") "," ROW("4", "null", "1.000") "]", false, 0},
        {"without an id", "[{\"externalid\":null}]", false, 0},
        {"ours, without items", "[{\"warehousetransactionid\":5,\"externalid\":\"GI-100301-1\"}]", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct goods_founds found = {0};
        int64_t last = 0;
        cJSON *json = plan_parse(rows[i].rows);
        if (goods_in_take_page(json, 100301, &found, &last) != rows[i].whole || found.n != rows[i].n) {
            fail_msg("%s: %zu found", rows[i].name, found.n);
        }
        goods_in_founds_free(&found);
        cJSON_Delete(json);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_what_was_refunded_by_hand_and_is_not_back),
        cmocka_unit_test(a_long_list_is_cut_with_dots),
        cmocka_unit_test(booked_goods_that_cannot_be_read_are_refused),
        cmocka_unit_test(a_refund_of_ours_is_looked_at_after_1_10_and_60_minutes),
        cmocka_unit_test(a_declined_refund_of_ours_is_urgent),
        cmocka_unit_test(goods_are_waited_for_and_then_asked_for),
        cmocka_unit_test(each_refund_has_its_own_deadline),
        cmocka_unit_test(a_refund_without_goods_is_recorded_and_settled),
        cmocka_unit_test(the_answer_of_a_booking_is_a_number_or_a_list_of_one),
        cmocka_unit_test(our_bookings_are_told_from_other_rows_of_the_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
