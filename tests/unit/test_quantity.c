/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "clock.h"
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

static void dates_of_orders_are_read(void **state) {
    static const struct {
        const char *text;
        bool good;
        int64_t want;
    } rows[] = {
        {"Tue, 05 Mar 2019 21:40:11 +0000", true, INT64_C(1551822011000)},
        {"Tue, 05 Mar 2019 22:40:11 +0100", true, INT64_C(1551822011000)},
        {"Tue, 05 Mar 2019 16:10:11 -0530", true, INT64_C(1551822011000)},
        {"Tue, 05 Mar 2019 21:40:11 GMT", true, INT64_C(1551822011000)},
        {"Tue, 05 Mar 2019 21:40:11", false, 0},
        {"Tue, 05 Mar 2019 21:40:11 +00", false, 0},
        {"2019-03-05T21:40:11Z", false, 0},
        {"", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t n = 0;
        if (clock_parse_rfc2822(rows[i].text, &n) != rows[i].good || n != rows[i].want) {
            fail_msg("%s: %lld", rows[i].text, (long long)n);
        }
    }
}

static void stamps_are_written_as_the_platforms_take_them(void **state) {
    char text[CLOCK_TEXT_SIZE];
    (void)state;
    clock_format(INT64_C(1551822011042), text);
    assert_string_equal(text, "2019-03-05T21:40:11.042Z");
    clock_format_iso_s(INT64_C(1551822011042), text);
    assert_string_equal(text, "2019-03-05T21:40:11+00:00");
}

static void a_buffer_keeps_its_maximum(void **state) {
    struct buf b;
    (void)state;
    buf_init(&b, 5);
    buf_add_str(&b, "abc");
    assert_false(buf_overflowed(&b));
    buf_add_str(&b, "def");
    assert_true(buf_overflowed(&b));
    buf_add_str(&b, "x");
    assert_string_equal(buf_str(&b), "abc"); /* sticky: nothing is appended behind what did not fit */
    buf_reset(&b);
    buf_addf(&b, "%d", 12345);
    assert_string_equal(buf_str(&b), "12345");
    buf_free(&b);
    assert_string_equal(buf_str(&b), "");
}

static void filters_are_percent_encoded_comma_and_plus_included(void **state) {
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    buf_add_url(&b, "AB+C/1-2,\xc3\xa5 _.~\"");
    assert_string_equal(buf_str(&b), "AB%2BC%2F1-2%2C%C3%A5%20_.~%22");
    buf_free(&b);
}

static void copies_are_cut_and_terminated(void **state) {
    char small[4];
    (void)state;
    assert_true(str_copy(small, sizeof small, "abc"));
    assert_false(str_copy(small, sizeof small, "abcd"));
    assert_string_equal(small, "abc");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_become_thousandths),
        cmocka_unit_test(thousandths_are_written_with_three_places),
        cmocka_unit_test(only_whole_units_above_zero_are_offered),
        cmocka_unit_test(integers_are_read_whole_and_within_bounds),
        cmocka_unit_test(dates_of_orders_are_read),
        cmocka_unit_test(stamps_are_written_as_the_platforms_take_them),
        cmocka_unit_test(a_buffer_keeps_its_maximum),
        cmocka_unit_test(filters_are_percent_encoded_comma_and_plus_included),
        cmocka_unit_test(copies_are_cut_and_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
