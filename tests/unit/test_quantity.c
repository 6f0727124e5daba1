/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quantity.h"
#include "ban.h"

static void decimals_become_thousandths(void **state) {
    static const struct {
        const char *text;
        bool good;
        int64_t want;
    } rows[] = {
        {"5.000", true, 5000},
        {"-0.350", true, -350},
        {"+1.5", true, 1500},
        {"0", true, 0},
        {"-0.001", true, -1},
        {"12", true, 12000},
        {"10000000000.000", true, QUANTITY_MAX},
        {"10000000000.001", false, 0},
        {"10000000001", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {".5", false, 0},
        {"5.", false, 0},
        {"5.0000", false, 0},
        {"5,0", false, 0},
        {" 5", false, 0},
        {"5 ", false, 0},
        {"5e3", false, 0},
        {"0x5", false, 0},
        {"--5", false, 0},
        {"abc", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t n = 0;
        if (quantity_parse(rows[i].text, &n) != rows[i].good || n != rows[i].want) {
            fail_msg("%s: %lld", rows[i].text, (long long)n);
        }
    }
}

static void thousandths_are_written_with_three_places(void **state) {
    char text[QUANTITY_TEXT_SIZE];
    (void)state;
    quantity_format(-350, text);
    assert_string_equal(text, "-0.350");
    quantity_format(QUANTITY_MAX, text);
    assert_string_equal(text, "10000000000.000");
    quantity_format(0, text);
    assert_string_equal(text, "0.000");
}

static void only_whole_units_above_zero_are_offered(void **state) {
    (void)state;
    assert_int_equal(quantity_whole_units(-5000), 0);
    assert_int_equal(quantity_whole_units(999), 0);
    assert_int_equal(quantity_whole_units(1999), 1);
    assert_int_equal(quantity_whole_units(2000), 2);
}

static void integers_are_read_whole_and_within_bounds(void **state) {
    int64_t n = 0;
    (void)state;
    assert_true(int_parse("0", 0, 9, &n) && n == 0);
    assert_true(int_parse("-9223372036854775808", INT64_MIN, INT64_MAX, &n) && n == INT64_MIN);
    assert_false(int_parse("9223372036854775808", INT64_MIN, INT64_MAX, &n));
    assert_false(int_parse("10", 0, 9, &n));
    assert_false(int_parse("-1", 0, 9, &n));
    assert_false(int_parse("", 0, 9, &n));
    assert_false(int_parse(" 1", 0, 9, &n));
    assert_false(int_parse("+1", 0, 9, &n));
    assert_false(int_parse("1x", 0, 9, &n));
    assert_false(int_parse(NULL, 0, 9, &n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_become_thousandths),
        cmocka_unit_test(thousandths_are_written_with_three_places),
        cmocka_unit_test(only_whole_units_above_zero_are_offered),
        cmocka_unit_test(integers_are_read_whole_and_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
