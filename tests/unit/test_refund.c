/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/return/refund.c functions/sitoo-events/sort.c tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "functions/return/refund.h"
#include "functions/sitoo-events/sort.h"
#include "plan.h"
#include "ban.h"

#define CASE(order, count, data)                                                                           \
    "case [returns_not_enabled] [finance] [order " order "] [Sitoo order " order " takes " count           \
    " row(s) back; returns are not enabled yet, so nothing was refunded or restocked] "                    \
    "[The returned units are not offered; if it was a web order, its refund is not shown in BigCommerce] " \
    "[Refund in BigCommerce by hand if the web order needs it; then run: onepool parked --close] [] [] [" data "]\n"
#define HANDED(rows) "{\"order\":7,\"till_ms\":1763900000000,\"rows\":[" rows "]}"
#define ROW(item, sku, quantity, warehouse) \
    "{\"item\":" item ",\"sku\":\"" sku "\",\"quantity\":\"" quantity "\",\"warehouse\":" warehouse "}"

/* The effects of rows as handed on. */
static char *plan(const char *data) {
    struct order *o = NULL;
    struct reason why = {0};
    struct args effects = {0};
    assert_int_equal(order_rows_read(data, &o, &why), NEXT_DONE);
    refund_plan(o, "finance", data, &effects);
    char *got = plan_text(&effects);
    args_free(&effects);
    order_free(o);
    return got;
}

static void returned_rows_are_withheld_and_the_return_is_parked(void **state) {
    static const struct {
        const char *name, *data, *want;
    } rows[] = {
        {"one row", HANDED(ROW("0", "A", "-1.000", "1")),
         "hold [hold:r:7:0] [r] [1] [A] [1000]\nmark [sku] [A] [0] [v1] []\n" CASE(
             "7", "1", HANDED(ROW("0", "A", "-1.000", "1")))},
        {"two rows, two warehouses", HANDED(ROW("0", "A", "-0.350", "1") "," ROW("4", "B", "-2.000", "4")),
         "hold [hold:r:7:0] [r] [1] [A] [350]\nmark [sku] [A] [0] [v1] []\n"
         "hold [hold:r:7:4] [r] [4] [B] [2000]\nmark [sku] [B] [0] [v4] []\n" CASE(
             "7", "2", HANDED(ROW("0", "A", "-0.350", "1") "," ROW("4", "B", "-2.000", "4")))},
        {"no warehouse", HANDED(ROW("0", "A", "-1.000", "0")),
         "hold [hold:r:7:0] [r] [0] [A] [1000]\nmark [sku] [A] [0] [] []\n" CASE("7", "1",
                                                                                 HANDED(ROW("0", "A", "-1.000", "0")))},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = plan(rows[i].data);
        plan_same(rows[i].name, got, rows[i].want);
        free(got);
    }
}

static void recorded_returns_are_parked_with_the_rows_as_handed_on(void **state) {
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"order-pos-return.json", "hold [hold:r:11512:0] [r] [1] [44079-0] [1000]\nmark [sku] [44079-0] [0] [v1] []\n"},
        {"order-pos-return-of-ecom.json",
         "hold [hold:r:11555:0] [r] [4] [44079-0] [1000]\nmark [sku] [44079-0] [0] [v4] []\n"},
        {"order-pos-return-manual.json",
         "hold [hold:r:11556:0] [r] [1] [44079-0] [1000]\nmark [sku] [44079-0] [0] [v1] []\n"},
        {"order-pos-exchange-refund-part.json",
         "hold [hold:r:11560:0] [r] [1] [44079-0] [1000]\nmark [sku] [44079-0] [0] [v1] []\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct order *o = plan_order_file(rows[i].file);
        char *data = order_rows_json(o, -1);
        char *got = plan(data);
        char *parked = strstr(got, "case [returns_not_enabled] [finance] [order ");
        assert_non_null(parked);
        assert_non_null(strstr(parked, data));
        assert_null(strstr(parked, "Fictional"));
        *parked = '\0';
        plan_same(rows[i].file, got, rows[i].want);
        free(got);
        free(data);
        order_free(o);
    }
}

/* Each unit is withheld once: both functions name the same operation, and the second changes nothing. */
static void the_order_function_withholds_under_the_same_operation(void **state) {
    struct order *o = plan_order_file("order-pos-return-of-ecom.json");
    struct args sorted = {0}, refunded = {0};
    (void)state;
    (void)sort_plan(o, &sorted);
    refund_plan(o, "finance", "", &refunded);
    struct args a = plan_slice(&sorted, 6, 6), b = plan_slice(&refunded, 0, 6); /* sort marks first, which takes 6 */
    char *first = plan_text(&a), *second = plan_text(&b);
    assert_string_equal(a.argv[0], "hold");
    plan_same("hold", second, first);
    free(second);
    free(first);
    args_free(&refunded);
    args_free(&sorted);
    order_free(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returned_rows_are_withheld_and_the_return_is_parked),
        cmocka_unit_test(recorded_returns_are_parked_with_the_rows_as_handed_on),
        cmocka_unit_test(the_order_function_withholds_under_the_same_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
