/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "refunds.h"
#include "ban.h"

/* The documented answer (reference/orders.v3.yml, refund response), with our reference in one reason. */
#define REFUND(reason, declined)                                                                         \
    "{\"id\":1,\"order_id\":21,\"user_id\":0,\"created\":\"2026-11-23T10:00:00+00:00\",\"reason\":\"\"," \
    "\"total_amount\":20.83,\"total_tax\":0.83,\"items\":[{\"item_type\":\"PRODUCT\",\"item_id\":8,"     \
    "\"reason\":\"" reason "\",\"quantity\":2,\"requested_amount\":null},{\"item_type\":\"SHIPPING\","   \
    "\"item_id\":9,\"reason\":\"\",\"requested_amount\":10}],\"payments\":[{\"id\":1,\"provider_id\":"   \
    "\"braintree\",\"amount\":20.83,\"offline\":false,\"is_declined\":" declined ",\"declined_message\":\"no\"}]}"

static bool parse(const char *text, struct refund *out) {
    char error[100];
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    assert_non_null(json);
    bool good = refund_parse(json, out);
    cJSON_Delete(json);
    return good;
}

static void a_refund_is_read(void **state) {
    struct refund r;
    (void)state;
    assert_true(parse(REFUND("onepool:R11555-21 receipt SII1 reason 101", "false"), &r));
    assert_int_equal(r.id, 1);
    assert_int_equal(r.order_id, 21);
    assert_int_equal(r.total, 208300);
    assert_int_equal(r.created_ms, INT64_C(1795428000000));
    assert_string_equal(r.reference, "R11555-21");
    assert_false(r.offline || r.declined);
    assert_int_equal(r.item_count, 2);
    assert_true(r.items[0].product && r.items[0].item_id == 8 && r.items[0].quantity == 2);
    assert_false(r.items[1].product);
    free(r.items);
    assert_true(parse(REFUND("wrong size", "true"), &r));
    assert_string_equal(r.reference, "");
    assert_true(r.declined);
    assert_string_equal(r.declined_message, "no");
    free(r.items);
}

static void what_lacks_a_figure_is_no_refund(void **state) {
    struct refund r;
    (void)state;
    assert_false(parse("{\"id\":1,\"order_id\":21,\"items\":[]}", &r));
    assert_false(parse("{\"id\":1,\"order_id\":21,\"total_amount\":1}", &r));
    assert_false(parse("{\"id\":1,\"order_id\":21,\"total_amount\":1,\"items\":[{\"item_type\":\"PRODUCT\","
                       "\"item_id\":8}]}",
                       &r));
    assert_false(parse("{\"order_id\":21,\"total_amount\":1,\"items\":[]}", &r));
}

static void references_are_found_and_units_added_up(void **state) {
    struct refund_item a[] = {{.product = true, .item_id = 8, .quantity = 2}, {.product = false, .item_id = 8}};
    struct refund_item b[] = {{.product = true, .item_id = 8, .quantity = 1}};
    struct refund list[] = {{.id = 1, .items = a, .item_count = 2}, {.id = 2, .items = b, .item_count = 1}};
    struct refund_list l = {.list = list, .n = 2};
    (void)state;
    refund_reference(11555, 21, list[1].reference);
    assert_int_equal(refund_units(&l, 8), 3);
    assert_int_equal(refund_units(&l, 9), 0);
    assert_ptr_equal(refund_find(&l, "R11555-21"), &list[1]);
    assert_null(refund_find(&l, "R11555-2"));
    assert_null(refund_find(&l, "R1155-21"));
}

static void refunds_of_others_have_no_whole_reference_of_the_order(void **state) {
    static const struct {
        const char *reference;
        size_t others;
    } rows[] = {{"", 1},       {"R11555-21", 0}, {"R1-21", 0}, {"R11555-2", 1},     {"R11555-212", 1}, {"R11555-", 1},
                {"R11555", 1}, {"R-21", 1},      {"-21", 1},   {"R11555-21-21", 1}, {"RR11555-21", 1}, {"11555-21", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct refund one = {.id = 1};
        (void)snprintf(one.reference, sizeof one.reference, "%s", rows[i].reference);
        print_message("%s\n", rows[i].reference);
        assert_int_equal(refunds_of_others(&(struct refund_list){.list = &one, .n = 1}, 21), rows[i].others);
    }
    assert_int_equal(refunds_of_others(&(struct refund_list){0}, 21), 0);
}

static void iso_dates_are_read(void **state) {
    int64_t ms = 0;
    (void)state;
    assert_true(clock_parse_iso("2026-11-23T10:00:00Z", &ms) && ms == INT64_C(1795428000000));
    assert_true(clock_parse_iso("2026-11-23T11:00:00.250+0100", &ms) && ms == INT64_C(1795428000000));
    assert_true(clock_parse_iso("2026-11-23T05:00:00-05:00", &ms) && ms == INT64_C(1795428000000));
    assert_false(clock_parse_iso("", &ms) || clock_parse_iso("2026-11-23", &ms) ||
                 clock_parse_iso("2026-11-23T10:00:00", &ms) || clock_parse_iso("2026-11-23T10:00:00+1", &ms) ||
                 clock_parse_iso("2026-11-23T10:00:00Zebra crossing", &ms));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refund_is_read),
        cmocka_unit_test(what_lacks_a_figure_is_no_refund),
        cmocka_unit_test(references_are_found_and_units_added_up),
        cmocka_unit_test(refunds_of_others_have_no_whole_reference_of_the_order),
        cmocka_unit_test(iso_dates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
