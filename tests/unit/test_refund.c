/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/return/refund.c functions/return/candidates.c functions/return/cases.c functions/return/credit.c */
/* links: functions/return/quarantine.c */
/* links: functions/return/decide.c functions/return/original.c functions/return/record.c functions/return/report.c */
/* links: functions/return/settle.c functions/return/weborder_paid.c functions/sitoo-events/sort.c tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "buf.h"
#include "functions/return/original.h"
#include "functions/return/refund.h"
#include "functions/sitoo-events/sort.h"
#include "plan.h"
#include "ban.h"

static struct mapping *rules(void) {
    static const char text[] =
        "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1]}],"
        "\"baseline\":{\"externalid_patterns\":[\"WEB-{order}-X\"]},"
        "\"returns\":{\"reasons\":{\"101\":\"sellable\",\"RC123\":\"unsellable\"},\"warehouses\":{\"4\":\"unsellable\"}"
        ","
        "\"payments\":{\"Card\":\"paid_at_till\",\"Cash\":\"paid_at_till\",\"Web\":\"pay_in_bigcommerce\"}}}";
    struct buf mistakes;
    buf_init(&mistakes, 2000);
    struct mapping *m = mapping_read(text, strlen(text), &mistakes);
    assert_non_null(m);
    buf_free(&mistakes);
    return m;
}

static void read_file(const char *name, const struct mapping *m, struct credit *c) {
    struct reason why = {0};
    cJSON *json = plan_json(name);
    if (credit_read(json, m, c, &why) != NEXT_DONE) {
        fail_msg("%s: %s", name, why.text);
    }
    cJSON_Delete(json);
}

static void recorded_returns_are_withheld_and_judged(void **state) {
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"order-pos-return.json", "hold_return [hold:r:11512:0] [1] [44079-0] [1000] [1463041119000]\n"
                                  "verdict [11512] [0] [1] [44079-0] [1000] [unsellable] [RC123] [1463041119000]\n"
                                  "mark [sku] [44079-0] [0] [v1] []\n"},
        {"order-pos-return-of-ecom.json",
         "hold_return [hold:r:11555:0] [4] [44079-0] [1000] [1763900000000]\n"
         "verdict [11555] [0] [4] [44079-0] [1000] [unsellable] [101] [1763900000000]\n"
         "mark [sku] [44079-0] [0] [v4] []\n"},
        {"order-pos-exchange-refund-part.json",
         "hold_return [hold:r:11560:0] [1] [44079-0] [1000] [1763900500000]\n"
         "verdict [11560] [0] [1] [44079-0] [1000] [sellable] [101] [1763900500000]\n"
         "mark [sku] [44079-0] [0] [v1] []\n"},
    };
    struct mapping *m = rules();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct credit c;
        struct args effects = {0};
        read_file(rows[i].file, m, &c);
        refund_plan_goods(&c, m, &effects);
        char *got = plan_text(&effects);
        plan_same(rows[i].file, got, rows[i].want);
        free(got);
        args_free(&effects);
        credit_free(&c);
    }
    mapping_free(m);
}

/* Each unit is withheld once: both functions name the same operation, and the second changes nothing. */
static void the_order_function_withholds_under_the_same_operation(void **state) {
    struct order *o = plan_order_file("order-pos-return-of-ecom.json");
    struct mapping *m = rules();
    struct credit c;
    struct args sorted = {0}, refunded = {0};
    (void)state;
    read_file("order-pos-return-of-ecom.json", m, &c);
    (void)sort_plan(o, &sorted);
    refund_plan_goods(&c, m, &refunded);
    struct args a = plan_slice(&sorted, 6, 6), b = plan_slice(&refunded, 0, 6); /* sort marks first, which takes 6 */
    char *first = plan_text(&a), *second = plan_text(&b);
    assert_string_equal(a.argv[0], "hold_return");
    plan_same("hold_return", second, first);
    free(second);
    free(first);
    args_free(&refunded);
    args_free(&sorted);
    credit_free(&c);
    mapping_free(m);
    order_free(o);
}

static void what_a_recorded_return_says_of_its_money(void **state) {
    struct mapping *m = rules();
    struct credit c;
    (void)state;
    read_file("order-pos-return-of-ecom.json", m, &c);
    assert_int_equal(c.original_count, 1); /* both references name the same purchase */
    assert_int_equal(c.originals[0], 11540);
    assert_int_equal(c.payer, PAYER_TILL);
    assert_false(c.exchange || c.mixed || c.paid_differs);
    assert_int_equal(c.rows[0].gross, 29900000);
    assert_int_equal(c.rows[0].reference, 0);
    assert_string_equal(c.receipt, "SII000000150000110021");
    credit_free(&c);
    read_file("order-pos-exchange-refund-part.json", m, &c);
    assert_true(c.exchange);
    assert_int_equal(c.payer, PAYER_TILL);
    assert_string_equal(c.payments, ""); /* the virtual one is no money */
    credit_free(&c);
    read_file("order-pos-return-manual.json", m, &c);
    assert_int_equal(c.original_count, 0);
    assert_int_equal(c.rows[0].reference, CREDIT_REFERENCE);
    credit_free(&c);
    mapping_free(m);
}

#define RETURN(order_extra, row_extra, more)                                                                          \
    "{\"orderid\":9,\"eshopid\":1,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1763900000,"                   \
    "\"warehouseid\":1,\"currencycode\":\"SEK\",\"moneytotal_gross_all\":\"-10.00\",\"additionaldata\":{" order_extra \
    "},\"orderitems\":[{\"orderitemid\":5,\"sku\":\"A\",\"quantity\":-1,"                                             \
    "\"moneyitemtotal_net\":\"-8.00\",\"moneyitemtotal_vat\":\"-2.00\",\"additionaldata\":{" row_extra "}}]," more "}"
#define ORIGINAL          "\"pos-originalsales-orderid\":\"70\""
#define PAY(name, amount) "{\"name\":\"" name "\",\"moneyamount\":\"" amount "\",\"additionaldata\":{}}"

static void who_paid_is_told_by_the_payments(void **state) {
    static const struct {
        const char *extra, *payments;
        enum payer payer;
        bool mixed, exchange, differs;
    } rows[] = {
        {"", PAY("Card", "-10.00"), PAYER_TILL, false, false, false},
        {"", PAY("Web", "-10.00"), PAYER_BIGCOMMERCE, false, false, false},
        {"", PAY("Swish", "-10.00"), PAYER_UNKNOWN, false, false, false},
        {"", PAY("Card", "-6.00") "," PAY("Cash", "-4.00"), PAYER_TILL, false, false, false},
        {"", PAY("Card", "-6.00") "," PAY("Web", "-4.00"), PAYER_BIGCOMMERCE, true, false, false},
        {"", PAY("Card", "-6.00") "," PAY("Swish", "-4.00"), PAYER_UNKNOWN, true, false, false},
        {"", PAY("Card", "-100.00"), PAYER_TILL, false, false, true},
        {"", PAY("Card", "-10.00") "," PAY("Web", "0.00"), PAYER_TILL, false, false, false},
        {"", PAY("Card", "ten"), PAYER_UNKNOWN, false, false, true},
        {"", "", PAYER_UNKNOWN, false, false, true},
        {"\"pos-refundsales-orderid\":\"10\"", PAY("Web", "-10.00"), PAYER_TILL, false, true, false},
        {"\"pos-refundsales-orderid\":\"0\"", PAY("Web", "-10.00"), PAYER_BIGCOMMERCE, false, false, false},
        {"", "{\"name\":\"X\",\"moneyamount\":\"-10.00\",\"additionaldata\":{\"virtual-payment\":\"true\"}}",
         PAYER_TILL, false, true, false},
    };
    struct mapping *m = rules();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1200];
        struct credit c;
        struct reason why = {0};
        (void)snprintf(text, sizeof text, RETURN("%s", "", "\"payments\":[%s]"), rows[i].extra, rows[i].payments);
        cJSON *json = plan_parse(text);
        assert_int_equal(credit_read(json, m, &c, &why), NEXT_DONE);
        if (c.mixed != rows[i].mixed || (!c.mixed && c.payer != rows[i].payer) || c.exchange != rows[i].exchange ||
            c.paid_differs != rows[i].differs) {
            fail_msg("row %zu: %s mixed %d exchange %d differs %d", i, payer_name(c.payer), c.mixed, c.exchange,
                     c.paid_differs);
        }
        credit_free(&c);
        cJSON_Delete(json);
    }
    mapping_free(m);
}

#define PURCHASE(id, external, items) \
    "{\"orderid\":" id ",\"externalid\":" external ",\"additionaldata\":{},\"orderitems\":[" items "]}"
#define ITEM(id, sku, web) \
    "{\"orderitemid\":" id ",\"sku\":\"" sku "\",\"quantity\":1,\"additionaldata\":{\"web-itemid\":\"" web "\"}}"

static void the_purchase_of_a_row_is_found_or_not_guessed(void **state) {
    static const struct {
        const char *name, *order_extra, *row_extra, *purchase;
        enum match_kind want;
        int64_t web_order, product;
    } rows[] = {
        {"web order by id", ORIGINAL, "\"pos-originalsales-orderitemid\":\"5\"",
         PURCHASE("70", "\"BC-100301\"", ITEM("4", "A", "611") "," ITEM("5", "A", "612")), MATCH_WEB, 100301, 612},
        {"web order by index", ORIGINAL, "\"pos-originalsales-orderitemid\":\"1\"",
         PURCHASE("70", "\"BC-100301\"", ITEM("4", "B", "611") "," ITEM("6", "A", "612")), MATCH_WEB, 100301, 612},
        {"id and index differ", ORIGINAL, "\"pos-originalsales-orderitemid\":\"1\"",
         PURCHASE("70", "\"BC-100301\"", ITEM("1", "A", "611") "," ITEM("2", "A", "612")), MATCH_SEVERAL, 100301, 611},
        {"the row named has another SKU", ORIGINAL, "\"pos-originalsales-orderitemid\":\"4\"",
         PURCHASE("70", "\"BC-100301\"", ITEM("4", "B", "611") "," ITEM("5", "A", "612")), MATCH_NO_ROW, 0, 0},
        {"no row named, one of the SKU", ORIGINAL, "",
         PURCHASE("70", "\"BC-100301\"", ITEM("4", "B", "611") "," ITEM("5", "A", "612")), MATCH_WEB, 100301, 612},
        {"no row named, two of the SKU", ORIGINAL, "",
         PURCHASE("70", "\"BC-100301\"", ITEM("4", "A", "611") "," ITEM("5", "A", "612")), MATCH_SEVERAL, 100301, 611},
        {"a later part", ORIGINAL, "", PURCHASE("70", "\"BC-100301-2r1\"", ITEM("0", "A", "611")), MATCH_WEB, 100301,
         611},
        {"an older connector's", ORIGINAL, "", PURCHASE("70", "\"WEB-5-X\"", ITEM("0", "A", "611")), MATCH_WEB, 5, 611},
        {"an unknown externalid", ORIGINAL, "", PURCHASE("70", "\"WEB-5\"", ITEM("0", "A", "611")), MATCH_TILL, 0, 611},
        {"a till's", ORIGINAL, "", PURCHASE("70", "null", ITEM("0", "A", "")), MATCH_TILL, 0, 0},
        {"two alike at a till", ORIGINAL, "", PURCHASE("70", "null", ITEM("0", "A", "") "," ITEM("1", "A", "")),
         MATCH_TILL, 0, 0},
        {"not in Sitoo", ORIGINAL, "", NULL, MATCH_MISSING, 0, 0},
        {"manual", "", "", NULL, MATCH_MANUAL, 0, 0},
        {"BC- without a number", ORIGINAL, "", PURCHASE("70", "\"BC-X1\"", ITEM("0", "A", "611")), MATCH_TILL, 0, 611},
    };
    struct mapping *m = rules();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1200];
        struct credit c;
        struct match match;
        struct reason why = {0};
        (void)snprintf(text, sizeof text, RETURN("%s", "%s", "\"payments\":[]"), rows[i].order_extra,
                       rows[i].row_extra);
        cJSON *json = plan_parse(text), *purchase = rows[i].purchase != NULL ? plan_parse(rows[i].purchase) : NULL;
        const cJSON *list[] = {purchase};
        assert_int_equal(credit_read(json, m, &c, &why), NEXT_DONE);
        original_match(&c, &c.rows[0], list, purchase != NULL ? 1 : 0, m, &match);
        if (match.kind != rows[i].want || match.web_order != rows[i].web_order || match.product != rows[i].product) {
            fail_msg("%s: kind %d, web order %lld, product %lld", rows[i].name, (int)match.kind,
                     (long long)match.web_order, (long long)match.product);
        }
        credit_free(&c);
        cJSON_Delete(json);
        cJSON_Delete(purchase);
    }
    mapping_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_returns_are_withheld_and_judged),
        cmocka_unit_test(the_order_function_withholds_under_the_same_operation),
        cmocka_unit_test(what_a_recorded_return_says_of_its_money),
        cmocka_unit_test(who_paid_is_told_by_the_payments),
        cmocka_unit_test(the_purchase_of_a_row_is_found_or_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
