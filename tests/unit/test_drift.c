/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/sweep/drift.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "functions/sweep/drift.h"

static struct level_stored stored(const char *text) {
    struct level_stored s;
    (void)level_stored_read(text, &s);
    return s;
}

static struct drift_place place(const char *stock, const char *chain, int64_t on_hand, int64_t available) {
    struct drift_place p = {.on_hand = on_hand, .available = available};
    drift_remember(stock, chain, &p);
    return p;
}

static const char *class_of(const char *text, int64_t expected, struct drift_place p) {
    struct level_stored s = stored(text);
    return drift_name(drift_of(&s, expected, &p, 1));
}

static void a_confirmed_level_was_changed_in_bigcommerce(void **state) {
    (void)state;
    struct drift_place p = place("3000 0 100", NULL, 3000, 3000);
    assert_string_equal(class_of("3 c 100 0 0", 3, p), "changed_in_bigcommerce");
    assert_string_equal(class_of("3 k 100 0 0", 3, p), "changed_in_bigcommerce");
}

static void an_unconfirmed_level_is_a_lost_write(void **state) {
    (void)state;
    struct drift_place p = place("3000 0 100", NULL, 3000, 3000);
    assert_string_equal(class_of("3 w 100 0 0", 3, p), "lost_write");
    assert_string_equal(class_of("3 u 100 0 0", 3, p), "lost_write");
    assert_string_equal(class_of("3 s 100 0 0", 3, p), "lost_write");
}

static void what_is_not_stored_was_never_written(void **state) {
    (void)state;
    struct drift_place p = place("3000 0 100", NULL, 3000, 3000);
    assert_string_equal(class_of("", 3, p), "never_written");
    assert_string_equal(class_of("2 k 100 0 0", 3, p), "never_written");
}

static void stock_that_is_not_as_remembered_was_a_missed_movement(void **state) {
    (void)state;
    assert_string_equal(class_of("3 c 100 0 0", 5, place("3000 0 100", NULL, 5000, 5000)), "missed_movement");
    assert_string_equal(class_of("3 c 100 0 0", 5, place(NULL, "7 5000 100", 5000, 5000)), "missed_movement");
    /* The ledger told of it after the last read: then on hand is as it should be. */
    assert_string_equal(class_of("3 c 100 0 0", 5, place("3000 0 100", "7 5000 101", 5000, 5000)), "lost_work");
    assert_string_equal(class_of("3 c 100 0 0", 5, place("3000 0 100", "7 5000 99", 5000, 5000)), "missed_movement");
}

static void a_reservation_is_told_from_a_movement(void **state) {
    (void)state;
    assert_string_equal(class_of("3 c 100 0 0", 1, place("3000 0 100", NULL, 3000, 1000)), "missed_reservation");
    assert_string_equal(class_of("3 c 100 0 0", 1, place("1000 2000 100", NULL, 3000, 1000)), "lost_work");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confirmed_level_was_changed_in_bigcommerce),
        cmocka_unit_test(an_unconfirmed_level_is_a_lost_write),
        cmocka_unit_test(what_is_not_stored_was_never_written),
        cmocka_unit_test(stock_that_is_not_as_remembered_was_a_missed_movement),
        cmocka_unit_test(a_reservation_is_told_from_a_movement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
