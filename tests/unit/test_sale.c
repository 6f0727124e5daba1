/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/sale/sale.c tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "functions/sale/sale.h"
#include "plan.h"
#include "ban.h"

#define HANDED(rows) "{\"order\":7,\"till_ms\":1763900000000,\"rows\":[" rows "]}"
#define ROW(item, sku, quantity, warehouse) \
    "{\"item\":" item ",\"sku\":\"" sku "\",\"quantity\":\"" quantity "\",\"warehouse\":" warehouse "}"
#define RECORD(item, sku, quantity, warehouse)                                                \
    "sale [sale:7:" item "] [{\"type\":\"sale\",\"order\":7,\"item\":" item ",\"sku\":\"" sku \
    "\",\"quantity\":\"" quantity "\",\"warehouse\":" warehouse ",\"till_ms\":1763900000000}]\n"

static void check(const char *name, const struct order *o, const char *want) {
    struct args effects = {0};
    sale_plan(o, &effects);
    char *got = plan_text(&effects);
    plan_same(name, got, want);
    free(got);
    args_free(&effects);
}

static void a_recorded_sale_is_recorded_once_per_row_and_its_sku_is_due(void **state) {
    struct order *o = plan_order_file("order-pos-sale.json");
    (void)state;
    check("order-pos-sale.json", o,
          "sale [sale:11513:0] [{\"type\":\"sale\",\"order\":11513,\"item\":0,\"sku\":\"121292-4\",\"quantity\":"
          "\"1.000\",\"warehouse\":1,\"till_ms\":1463041119000}]\n"
          "mark [sku] [121292-4] [1463041119000] [v1] []\n");
    order_free(o);
}

static void rows_handed_on_become_one_record_each(void **state) {
    static const struct {
        const char *name, *handed, *want;
    } rows[] = {
        {"none", HANDED(""), ""},
        {"weight", HANDED(ROW("0", "A", "0.350", "1")),
         RECORD("0", "A", "0.350", "1") "mark [sku] [A] [1763900000000] [v1] []\n"},
        {"the same SKU twice", HANDED(ROW("0", "A", "1.000", "1") "," ROW("5", "A", "2.000", "1")),
         RECORD("0", "A", "1.000", "1") "mark [sku] [A] [1763900000000] [v1] []\n" RECORD(
             "5", "A", "2.000", "1") "mark [sku] [A] [1763900000000] [v1] []\n"},
        {"no warehouse", HANDED(ROW("0", "A", "1.000", "0")),
         RECORD("0", "A", "1.000", "0") "mark [sku] [A] [1763900000000] [] []\n"},
        {"a returned row is not a sale", HANDED(ROW("0", "A", "-1.000", "1") "," ROW("1", "B", "1.000", "2")),
         RECORD("1", "B", "1.000", "2") "mark [sku] [B] [1763900000000] [v2] []\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct order *o = NULL;
        struct reason why = {0};
        assert_int_equal(order_rows_read(rows[i].handed, &o, &why), NEXT_DONE);
        check(rows[i].name, o, rows[i].want);
        order_free(o);
    }
}

static void an_order_with_only_returned_rows_records_nothing(void **state) {
    struct order *o = plan_order_file("order-pos-return.json");
    (void)state;
    check("order-pos-return.json", o, "");
    order_free(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_sale_is_recorded_once_per_row_and_its_sku_is_due),
        cmocka_unit_test(rows_handed_on_become_one_record_each),
        cmocka_unit_test(an_order_with_only_returned_rows_records_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
