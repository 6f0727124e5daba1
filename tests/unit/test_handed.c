/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "handed.h"
#include "json.h"
#include "order.h"
#include "plan.h"
#include "ban.h"

/* ---- names ---- */

static void a_name_tells_order_part_and_revision(void **state) {
    static const struct {
        const char *prefix;
        int64_t order, part, rev;
        const char *want;
    } rows[] = {
        {"BC-", 100, 1, 0, "BC-100"},
        {"BC-", 100, 2, 0, "BC-100-2r0"},
        {"BC-", 100, 1, 1, "BC-100-1r1"},
        {"BC-", 100, 6, 9, "BC-100-6r9"},
        {"WEB_", 7, 1, 0, "WEB_7"},
        {"ABCDEFGHIJKLMN-", JSON_INT_MAX, HANDED_PARTS_MAX, HANDED_REVS_MAX, "ABCDEFGHIJKLMN-9007199254740991-6r9"}};
    char name[HANDED_NAME_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        handed_name(rows[i].prefix, rows[i].order, rows[i].part, rows[i].rev, name);
        assert_string_equal(name, rows[i].want);
        assert_int_equal(handed_web_order(rows[i].prefix, name), rows[i].order);
        assert_in_range(strlen(name), 1, 40); /* what Sitoo's externalid takes */
    }
}

static void names_of_others_are_not_ours(void **state) {
    static const struct {
        const char *name;
        int64_t want;
    } rows[] = {{"BC-100", 100},
                {"BC-100-2r0", 100},
                {"BC-100-2r10", 100},
                {"BC-0100", 100},
                {"BC-", 0},
                {"BC-0", 0},
                {"BC-0-1r1", 0},
                {"BC--100", 0},
                {"BC-+100", 0},
                {"BC-100-", 0},
                {"BC-100-2", 0},
                {"BC-100-2r", 0},
                {"BC-100-r1", 0},
                {"BC-100-2r1-3", 0},
                {"BC-100-2r1r1", 0},
                {"BC-100-2R1", 0},
                {"BC-100 ", 0},
                {" BC-100", 0},
                {"bc-100", 0},
                {"100", 0},
                {"MOVE-100", 0},
                {"BC-100a", 0},
                {"BC-1e3", 0},
                {"BC-9007199254740992", 0},
                {"BC-99999999999999999999999999", 0},
                {"", 0},
                {NULL, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (handed_web_order("BC-", rows[i].name) != rows[i].want) {
            fail_msg("%s: not %lld", rows[i].name != NULL ? rows[i].name : "NULL", (long long)rows[i].want);
        }
    }
}

/* ---- one order ---- */

#define ROW(id, sku, quantity) "{\"orderitemid\":" id ",\"sku\":" sku ",\"quantity\":" quantity "}"
#define ORDER(more)            "{\"orderid\":501,\"orderstateid\":0,\"externalid\":\"BC-9\"," more "}"
#define ROWS(rows)             ORDER("\"orderitems\":[" rows "]")

static void free_order(struct handed_order *o) {
    for (size_t i = 0; i < o->n; i++) {
        free(o->rows[i].sku);
    }
    free(o->rows);
}

/* "BC-9 id 501 r0p1/1 state 0 pay 0 at 0 until 0 ready 0 rejected 0 [bopis] [ignore] addr <...>", then "0 A 2 web 7" a
 * row. */
static char *take_text(const char *json) {
    struct handed_order o;
    struct reason why = {0};
    struct buf b;
    cJSON *parsed = plan_parse(json);
    buf_init(&b, 10000);
    memset(&o, 0xff, sizeof o);
    enum next next = handed_take(parsed, "BC-", 9, &o, &why);
    if (next == NEXT_DONE) {
        buf_addf(
            &b, "%s id %lld r%lldp%lld/%lld state %lld pay %lld at %lld until %lld ready %lld rejected %lld%s%s <%s>\n",
            o.name, (long long)o.id, (long long)o.rev, (long long)o.part, (long long)o.parts, (long long)o.state,
            (long long)o.payment_state, (long long)o.warehouse_id, (long long)o.reserved_until_ms,
            (long long)o.ready_ms, (long long)o.rejected_ms, o.bopis ? " bopis" : "", o.ignores_stock ? " ignore" : "",
            o.address);
        for (size_t i = 0; i < o.n; i++) {
            buf_addf(&b, "%lld %s %lld web %lld\n", (long long)o.rows[i].item_id, o.rows[i].sku,
                     (long long)o.rows[i].quantity, (long long)o.rows[i].web_item);
        }
    } else {
        assert_int_equal(next, NEXT_DEFER);
        assert_string_equal(why.cause, "bad_order");
        buf_addf(&b, "%s", why.text);
    }
    free_order(&o);
    cJSON_Delete(parsed);
    return buf_take(&b);
}

struct row {
    const char *name, *json, *want;
};

#define PLAIN "BC-9 id 501 r0p1/1 state 0 pay 0 at 0 until 0 ready 0 rejected 0 <>\n"

static void an_order_of_sitoo_is_read(void **state) {
    static const struct row rows[] = {
        {"the least", ROWS(""), PLAIN},
        {"rows", ROWS(ROW("0", "\"A\"", "2") "," ROW("5", "\"B\"", "1")), PLAIN "0 A 2 web 0\n5 B 1 web 0\n"},
        {"a discount row", ROWS(ROW("0", "\"A\"", "2") "," ROW("1", "\"\"", "1") "," ROW("2", "null", "1")),
         PLAIN "0 A 2 web 0\n"},
        {"which row of the web order",
         ROWS("{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":2,\"additionaldata\":{\"web-itemid\":\"7\"}}"),
         PLAIN "0 A 2 web 7\n"},
        {"a web-itemid that is none",
         ROWS("{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":2,\"additionaldata\":{\"web-itemid\":\"seven\"}}"),
         PLAIN "0 A 2 web 0\n"},
        {"additionaldata as an empty list",
         ROWS("{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":2,\"additionaldata\":[]}"), PLAIN "0 A 2 web 0\n"},
        {"states and places",
         "{\"orderid\":502,\"orderstateid\":10,\"paymentstateid\":20,\"warehouseid\":43,\"datereserved\":1700000000,"
         "\"externalid\":\"BC-9-2r3\",\"additionaldata\":{\"weborder-bopis\":\"true\",\"delivery-ignore-stock\":"
         "\"true\","
         "\"onepool-parts\":\"4\",\"onepool-address\":\"0123456789abcdef\"},\"orderitems\":[]}",
         "BC-9-2r3 id 502 r3p2/4 state 10 pay 20 at 43 until 1700000000000 ready 0 rejected 0 bopis ignore "
         "<0123456789abcdef>\n"},
        {"no reservation date", ORDER("\"datereserved\":null,\"orderitems\":[]"), PLAIN},
        {"tags that say no",
         ORDER("\"additionaldata\":{\"weborder-bopis\":\"false\",\"delivery-ignore-stock\":\"\"},\"orderitems\":[]"),
         PLAIN},
        {"parts that cannot be", ORDER("\"additionaldata\":{\"onepool-parts\":\"7\"},\"orderitems\":[]"), PLAIN},
        {"parts that are no number", ORDER("\"additionaldata\":{\"onepool-parts\":\"-1\"},\"orderitems\":[]"), PLAIN},
        {"an address digest that is too long",
         ORDER("\"additionaldata\":{\"onepool-address\":\"0123456789abcdef0\"},\"orderitems\":[]"), PLAIN},
        {"ready and rejected: the latest of each",
         ORDER("\"orderlogitems\":[{\"orderlogtypeid\":900,\"datelog\":1000},{\"orderlogtypeid\":910,\"datelog\":2000},"
               "{\"orderlogtypeid\":900,\"datelog\":3000},{\"orderlogtypeid\":910,\"datelog\":1500},"
               "{\"orderlogtypeid\":70,\"datelog\":9000}],\"orderitems\":[]"),
         "BC-9 id 501 r0p1/1 state 0 pay 0 at 0 until 0 ready 3000000 rejected 2000000 <>\n"},
        {"ready without a date",
         ORDER("\"orderlogitems\":[{\"orderlogtypeid\":900,\"datelog\":null}],\"orderitems\":[]"),
         "BC-9 id 501 r0p1/1 state 0 pay 0 at 0 until 0 ready 1 rejected 0 <>\n"},
        {"no log", ORDER("\"orderlogitems\":null,\"orderitems\":[]"), PLAIN},
        {"a log entry of no type", ORDER("\"orderlogitems\":[{\"datelog\":5}],\"orderitems\":[]"), PLAIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = take_text(rows[i].json);
        plan_same(rows[i].name, got, rows[i].want);
        free(got);
    }
}

static void what_cannot_be_read_is_named(void **state) {
    static const struct row rows[] = {
        {"another order", "{\"orderid\":1,\"orderstateid\":0,\"externalid\":\"BC-10\",\"orderitems\":[]}",
         "Sitoo's order BC-10: is not what was asked for"},
        {"nobody's", "{\"orderid\":1,\"orderstateid\":0,\"externalid\":null,\"orderitems\":[]}",
         "Sitoo's order ?: is not what was asked for"},
        {"no id", "{\"orderstateid\":0,\"externalid\":\"BC-9\",\"orderitems\":[]}",
         "Sitoo's order BC-9: orderid or orderstateid is missing"},
        {"no state", "{\"orderid\":1,\"externalid\":\"BC-9\",\"orderitems\":[]}",
         "Sitoo's order BC-9: orderid or orderstateid is missing"},
        {"no rows", "{\"orderid\":1,\"orderstateid\":0,\"externalid\":\"BC-9\"}",
         "Sitoo's order BC-9: its rows are not a list"},
        {"rows as an object", ORDER("\"orderitems\":{}"), "Sitoo's order BC-9: its rows are not a list"},
        {"a row without id", ROWS("{\"sku\":\"A\",\"quantity\":1}"),
         "Sitoo's order BC-9: a row has no readable orderitemid, sku or quantity"},
        {"half a unit", ROWS(ROW("0", "\"A\"", "1.5")),
         "Sitoo's order BC-9: a row has no readable orderitemid, sku or quantity"},
        {"too many units", ROWS(ROW("0", "\"A\"", "1000000001")),
         "Sitoo's order BC-9: a row has no readable orderitemid, sku or quantity"},
        {"less than nothing of the web order",
         ROWS("{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":-1,\"additionaldata\":{\"web-itemid\":\"7\"}}"),
         "Sitoo's order BC-9: a row of the web order is negative"},
        {"no quantity", ROWS("{\"orderitemid\":0,\"sku\":\"A\"}"),
         "Sitoo's order BC-9: a row has no readable orderitemid, sku or quantity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = take_text(rows[i].json);
        plan_same(rows[i].name, got, rows[i].want);
        free(got);
    }
}

/* ---- deliveries ---- */

#define DELIVERY(cancelled, items) "{\"datecancelled\":" cancelled ",\"orderdeliveryitems\":[" items "]}"
#define ITEM(id, quantity)         "{\"orderitemid\":" id ",\"quantity\":" quantity "}"
#define LIST(total, deliveries)    "{\"totalcount\":" total ",\"items\":[" deliveries "]}"

static void deliveries_add_up_by_row(void **state) {
    static const struct {
        const char *name, *json;
        int64_t want[2];
        const char *error;
    } rows[] = {
        {"none", LIST("0", ""), {0, 0}, NULL},
        {"as the platform prints it", LIST("1", DELIVERY("null", ITEM("0", "2") "," ITEM("1", "1"))), {2, 1}, NULL},
        {"two deliveries",
         LIST("2", DELIVERY("null", ITEM("0", "1")) "," DELIVERY("null", ITEM("0", "1"))),
         {2, 0},
         NULL},
        {"one of them cancelled",
         LIST("2", DELIVERY("null", ITEM("0", "1")) "," DELIVERY("1463041059", ITEM("0", "1"))),
         {1, 0},
         NULL},
        {"cancelled at nought is not", LIST("1", DELIVERY("0", ITEM("1", "1"))), {0, 1}, NULL},
        {"of a row without SKU", LIST("1", DELIVERY("null", ITEM("8", "1"))), {0, 0}, NULL},
        {"no rows", LIST("1", "{\"datecancelled\":null}"), {0, 0}, NULL},
        {"no total", "{\"items\":[" DELIVERY("null", ITEM("0", "1")) "]}", {1, 0}, NULL},
        {"fewer than there are",
         LIST("2", DELIVERY("null", ITEM("0", "1"))),
         {0, 0},
         "its list of deliveries is not whole"},
        {"no list", "{\"totalcount\":0}", {0, 0}, "its list of deliveries is not whole"},
        {"an error", "{\"statuscode\":500,\"errortext\":\"\"}", {0, 0}, "its list of deliveries is not whole"},
        {"no row named",
         LIST("1", DELIVERY("null", "{\"quantity\":1}")),
         {0, 0},
         "a delivery has no readable orderitemid or quantity"},
        {"less than nothing",
         LIST("1", DELIVERY("null", ITEM("0", "-1"))),
         {0, 0},
         "a delivery has no readable orderitemid or quantity"},
        {"half a unit",
         LIST("1", DELIVERY("null", ITEM("0", "0.5"))),
         {0, 0},
         "a delivery has no readable orderitemid or quantity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct handed_row list[2] = {{.item_id = 0, .quantity = 3}, {.item_id = 1, .quantity = 3}};
        struct handed_order o = {.name = "BC-9", .rows = list, .n = 2};
        struct reason why = {0};
        cJSON *json = plan_parse(rows[i].json);
        enum next next = handed_deliveries(json, &o, &why);
        cJSON_Delete(json);
        if (rows[i].error != NULL) {
            assert_int_equal(next, NEXT_DEFER);
            assert_non_null(strstr(why.text, rows[i].error));
        } else if (next != NEXT_DONE || list[0].delivered != rows[i].want[0] || list[1].delivered != rows[i].want[1]) {
            fail_msg("%s: %lld, %lld: %s", rows[i].name, (long long)list[0].delivered, (long long)list[1].delivered,
                     why.text);
        }
    }
}

/* ---- sums ---- */

static void units_and_deliveries_are_summed_over_parts_and_revisions(void **state) {
    struct handed_row r0[] = {{.web_item = 1, .quantity = 2, .delivered = 1}, {.web_item = 2, .quantity = 1}};
    struct handed_row r1[] = {{.web_item = 1, .quantity = 3, .delivered = 2}};
    struct handed_row r2[] = {{.web_item = 1, .quantity = 4, .delivered = 4}, {.web_item = 1, .quantity = 1}};
    struct handed_row r3[] = {{.web_item = 1, .quantity = 9, .delivered = 0}};
    struct handed_order list[] = {{.rev = 0, .state = ORDER_STATE_CANCELLED, .rows = r0, .n = 2},
                                  {.rev = 1, .state = ORDER_STATE_OPEN, .rows = r1, .n = 1},
                                  {.rev = 1, .state = ORDER_STATE_CLOSED, .rows = r2, .n = 2},
                                  {.rev = 1, .state = ORDER_STATE_ABANDONED, .rows = r3, .n = 1}};
    const struct handed h = {.list = list, .n = 4, .rev = 1};
    (void)state;
    assert_int_equal(handed_units(&h, 1, 1), 8);
    assert_int_equal(handed_units(&h, 0, 1), 0);
    assert_int_equal(handed_units(&h, 1, 2), 0);
    assert_int_equal(handed_delivered(&h, 1), 7);
    assert_int_equal(handed_delivered(&h, 2), 0);
    assert_int_equal(handed_delivered_else(&h, 1, 1), 1);
    assert_int_equal(handed_delivered_else(&h, 0, 1), 7);
    assert_true(handed_open(&list[1]));
    assert_false(handed_open(&list[0]) || handed_open(&list[2]) || handed_open(&list[3]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_tells_order_part_and_revision),
        cmocka_unit_test(names_of_others_are_not_ours),
        cmocka_unit_test(an_order_of_sitoo_is_read),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(deliveries_add_up_by_row),
        cmocka_unit_test(units_and_deliveries_are_summed_over_parts_and_revisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
