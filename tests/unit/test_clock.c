/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "ban.h"

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
        {"Fri, 29 Feb 2019 00:00:00 +2400", false, 0},
        {"Tue, 05 Mar 2019 21:40:11 +-1-2", false, 0},
        {"Tue, 05 Mar 2019 21:40:11 +0000 x", false, 0},
        {"Thu, 01 Jan 1970 00:00:00 UT", true, 0},
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

static void clocks_go_forward(void **state) {
    (void)state;
    int64_t before = clock_mono_ms();
    assert_true(clock_mono_ms() >= before);
    assert_true(clock_wall_ms() > INT64_C(1600000000000)); /* milliseconds, not seconds */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_orders_are_read),
        cmocka_unit_test(stamps_are_written_as_the_platforms_take_them),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
