/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/sitoo-events/sort.c tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "functions/sitoo-events/sort.h"
#include "plan.h"
#include "ban.h"

#define ORDER(type, state, external, items)                                                                          \
    "{\"orderid\":7,\"ordertypeid\":" type ",\"orderstateid\":" state ",\"orderdate\":1763900000,\"warehouseid\":2," \
    "\"externalid\":" external ",\"orderitems\":[" items "]}"
#define SOLD(id, sku) "{\"orderitemid\":" id ",\"sku\":\"" sku "\",\"quantity\":1}"
#define BACK(id, sku) "{\"orderitemid\":" id ",\"sku\":\"" sku "\",\"quantity\":-2}"

struct row {
    const char *name;
    enum order_kind kind;
    const char *want;
};

/* Takes over the order. */
static void check(const struct row *row, struct order *o) {
    struct args effects = {0};
    enum order_kind kind = sort_plan(o, &effects);
    char *got = plan_text(&effects);
    plan_same(row->name, order_kind_name(kind), order_kind_name(row->kind));
    plan_same(row->name, got, row->want);
    free(got);
    args_free(&effects);
    order_free(o);
}

static void recorded_till_orders_are_handed_on(void **state) {
    static const struct row rows[] = {
        {"order-pos-sale.json", ORDER_SOLD,
         "mark [sku] [121292-4] [1463041119000] [v1] []\n"
         "mark [sale] [11513] [0] [] [{\"order\":11513,\"till_ms\":1463041119000,\"rows\":"
         "[{\"item\":0,\"sku\":\"121292-4\",\"quantity\":\"1.000\",\"warehouse\":1}]}]\n"},
        {"order-pos-return.json", ORDER_SOLD,
         "mark [sku] [44079-0] [0] [v1] []\n"
         "hold_return [hold:r:11512:0] [1] [44079-0] [1000] [1463041119000]\n"
         "mark [return] [11512] [0] [] [{\"order\":11512,\"till_ms\":1463041119000,\"rows\":"
         "[{\"item\":0,\"sku\":\"44079-0\",\"quantity\":\"-1.000\",\"warehouse\":1,\"reason\":\"RC123\"}]}]\n"},
        {"order-pos-return-of-ecom.json", ORDER_SOLD,
         "mark [sku] [44079-0] [0] [v4] []\n"
         "hold_return [hold:r:11555:0] [4] [44079-0] [1000] [1763900000000]\n"
         "mark [return] [11555] [0] [] [{\"order\":11555,\"till_ms\":1763900000000,\"rows\":"
         "[{\"item\":0,\"sku\":\"44079-0\",\"quantity\":\"-1.000\",\"warehouse\":4,\"reason\":\"101\"}]}]\n"},
        {"order-pos-exchange-sale-part.json", ORDER_SOLD,
         "mark [sku] [83428-0] [1763900500000] [v1] []\n"
         "mark [sale] [11561] [0] [] [{\"order\":11561,\"till_ms\":1763900500000,\"rows\":"
         "[{\"item\":0,\"sku\":\"83428-0\",\"quantity\":\"1.000\",\"warehouse\":1}]}]\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i], plan_order_file(rows[i].name));
    }
}

static void orders_that_only_reserve_mark_their_skus(void **state) {
    static const struct row rows[] = {
        {"order-booking-open.json", ORDER_BOOKED,
         "mark [sku] [10038-2] [0] [w1] []\nmark [sku] [83428-0] [0] [w1] []\nmark [sku] [83537-0] [0] [w1] []\n"},
        {"order-bopis-open.json", ORDER_OURS, "mark [sku] [14785-5] [0] [w43] []\n"},
        {"order-bopis-collected.json", ORDER_OURS, "mark [sku] [14785-5] [0] [w43] []\n"},
        {"order-ecom-for-return.json", ORDER_OURS, "mark [sku] [44079-0] [0] [] []\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i], plan_order_file(rows[i].name));
    }
}

static void one_order_may_sell_and_take_back(void **state) {
    static const struct row row = {"both signs", ORDER_SOLD,
                                   "mark [sku] [A] [1763900000000] [v2] []\n"
                                   "mark [sku] [B] [0] [v2] []\n"
                                   "hold_return [hold:r:7:1] [2] [B] [2000] [1763900000000]\n"
                                   "mark [sku] [A] [1763900000000] [v2] []\n"
                                   "mark [sale] [7] [0] [] [{\"order\":7,\"till_ms\":1763900000000,\"rows\":"
                                   "[{\"item\":0,\"sku\":\"A\",\"quantity\":\"1.000\",\"warehouse\":2},"
                                   "{\"item\":2,\"sku\":\"A\",\"quantity\":\"1.000\",\"warehouse\":2}]}]\n"
                                   "mark [return] [7] [0] [] [{\"order\":7,\"till_ms\":1763900000000,\"rows\":"
                                   "[{\"item\":1,\"sku\":\"B\",\"quantity\":\"-2.000\",\"warehouse\":2}]}]\n"};
    (void)state;
    check(&row, plan_order_text(ORDER("10", "10", "null", SOLD("0", "A") "," BACK("1", "B") "," SOLD("2", "A"))));
}

static void rows_of_orders_not_sold_are_neither_handed_on_nor_withheld(void **state) {
    static const struct {
        struct row row;
        const char *json;
    } rows[] = {
        {{"open", ORDER_OPEN, "mark [sku] [A] [0] [w2] []\n"}, ORDER("10", "0", "null", SOLD("0", "A"))},
        {{"cancelled", ORDER_CANCELLED, "mark [sku] [A] [0] [w2] []\n"}, ORDER("10", "20", "null", SOLD("0", "A"))},
        {{"abandoned", ORDER_CANCELLED, "mark [sku] [A] [0] [w2] []\n"}, ORDER("10", "-1", "null", SOLD("0", "A"))},
        {{"cancelled return", ORDER_CANCELLED, "mark [sku] [A] [0] [w2] []\n"},
         ORDER("10", "20", "null", BACK("0", "A"))},
        {{"booking that is closed", ORDER_BOOKED, "mark [sku] [A] [0] [w2] []\n"},
         ORDER("100", "10", "null", SOLD("0", "A"))},
        {{"parked basket", ORDER_BASKET, "mark [sku] [A] [0] [w2] []\n"}, ORDER("110", "10", "null", SOLD("0", "A"))},
        {{"negative row of our own", ORDER_OURS, "mark [sku] [A] [0] [w2] []\n"},
         ORDER("10", "10", "\"BC-1\"", BACK("0", "A"))},
        {{"somebody else's external id", ORDER_OPEN, "mark [sku] [A] [0] [w2] []\n"},
         ORDER("10", "0", "\"WEB-1\"", SOLD("0", "A"))},
        {{"no rows", ORDER_SOLD, ""}, ORDER("10", "10", "null", "")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i].row, plan_order_text(rows[i].json));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_till_orders_are_handed_on),
        cmocka_unit_test(orders_that_only_reserve_mark_their_skus),
        cmocka_unit_test(one_order_may_sell_and_take_back),
        cmocka_unit_test(rows_of_orders_not_sold_are_neither_handed_on_nor_withheld),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
