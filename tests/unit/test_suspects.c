/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/sweep/suspects.c functions/sweep/compare.c functions/sweep/till.c functions/sweep/drift.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "functions/sweep/suspects.h"

#define FIRST "1700000000000 0 3 9 3 c 100 0 0"

static enum verdict_of_suspect judged(const char *first, bool busy, int64_t expected, int64_t shown,
                                      const char *stored) {
    struct suspect s;
    assert_true(suspect_parse(first, &s));
    return suspect_judge(&s, busy, expected, shown, stored);
}

static void a_value_is_read(void **state) {
    (void)state;
    struct suspect s;
    assert_true(suspect_parse(FIRST, &s));
    assert_int_equal(s.first_ms, INT64_C(1700000000000));
    assert_int_equal(s.tries, 0);
    assert_int_equal(s.expected, 3);
    assert_int_equal(s.shown, 9);
    assert_string_equal(s.stored, "3 c 100 0 0");
    assert_true(suspect_parse("1 2 0 -4 ", &s));
    assert_int_equal(s.shown, -4);
    assert_string_equal(s.stored, "");
}

static void anything_else_is_no_value(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "1", "1 2 3", "1 2 3 4", "1 2 x 4 s", "1  2 3 4 s", "99999999999999999999999 2 3 4 s"};
    struct suspect s;
    assert_false(suspect_parse(NULL, &s));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(suspect_parse(bad[i], &s));
    }
}

static void only_the_same_difference_twice_is_drift(void **state) {
    (void)state;
    assert_int_equal(judged(FIRST, false, 3, 9, "3 c 100 0 0"), SUSPECT_DRIFT);
    assert_int_equal(judged(FIRST, false, 3, 3, "3 c 100 0 0"), SUSPECT_FINE);
    assert_int_equal(judged(FIRST, false, 4, 9, "3 c 100 0 0"), SUSPECT_WAITS);
    assert_int_equal(judged(FIRST, false, 3, 8, "3 c 100 0 0"), SUSPECT_WAITS);
    assert_int_equal(judged(FIRST, false, 3, 9, "3 c 101 0 0"), SUSPECT_WAITS);
}

static void what_is_under_way_is_not(void **state) {
    (void)state;
    assert_int_equal(judged(FIRST, true, 3, 9, "3 c 100 0 0"), SUSPECT_WAITS);
    /* Under way at the first look: that one proves nothing. */
    assert_int_equal(judged("1700000000000 0 3 9 " SUSPECT_BUSY, false, 3, 9, "3 c 100 0 0"), SUSPECT_WAITS);
}

static void what_never_rests_is_given_up(void **state) {
    (void)state;
    assert_int_equal(judged("1 30 3 9 x", true, 3, 9, "x"), SUSPECT_FINE);
    assert_int_equal(judged("1 30 3 9 x", false, 4, 9, "x"), SUSPECT_FINE);
    assert_int_equal(judged("1 30 3 9 x", false, 3, 9, "x"), SUSPECT_DRIFT);
}

static void a_shop_of_many_places_is_looked_at_in_small_parts(void **state) {
    (void)state;
    struct mapping few = {.location_count = 2, .warehouse_count = 4},
                   more = {.location_count = 20, .warehouse_count = 40},
                   many = {.location_count = 300, .warehouse_count = 300};
    assert_int_equal(compare_per_look(&few), 50);
    assert_int_equal(compare_per_look(&more), 5);
    assert_int_equal(compare_per_look(&many), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_read),
        cmocka_unit_test(anything_else_is_no_value),
        cmocka_unit_test(only_the_same_difference_twice_is_drift),
        cmocka_unit_test(what_is_under_way_is_not),
        cmocka_unit_test(what_never_rests_is_given_up),
        cmocka_unit_test(a_shop_of_many_places_is_looked_at_in_small_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
