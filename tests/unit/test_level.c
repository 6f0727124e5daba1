/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "level.h"
#include "ban.h"

/* available, pending, withheld by the ledger, withheld by returns */
#define STOCK(a, p, l, r) \
    { .available = (a), .pending = (p), .withheld_ledger = (l), .withheld_return = (r) }

static void net_is_available_less_pending_less_the_larger_withheld_side(void **state) {
    static const struct {
        const char *name;
        struct stock stock;
        int64_t want;
    } rows[] = {
        {"nothing held", STOCK(5000, 0, 0, 0), 5000},
        {"pending", STOCK(5000, 2000, 0, 0), 3000},
        {"withheld by the ledger only", STOCK(5000, 0, 1000, 0), 4000},
        {"withheld by a return order only", STOCK(5000, 0, 0, 1000), 4000},
        {"the same unit on both sides counts once", STOCK(5000, 0, 1000, 1000), 4000},
        {"the ledger's side is larger", STOCK(5000, 0, 3000, 1000), 2000},
        {"the return's side is larger", STOCK(5000, 0, 1000, 2500), 2500},
        {"everything", STOCK(5000, 1000, 500, 2000), 2000},
        {"already negative", STOCK(-2000, 0, 0, 0), -2000},
        {"negative through pending", STOCK(1000, 3000, 0, 0), -2000},
        {"a withheld side below zero adds nothing", STOCK(1000, 0, -500, -1), 1000},
        {"one side below zero", STOCK(1000, 0, -500, 300), 700},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = level_net(&rows[i].stock);
        if (got != rows[i].want) {
            fail_msg("%s: %lld, not %lld", rows[i].name, (long long)got, (long long)rows[i].want);
        }
    }
}

static void a_level_is_the_sum_in_whole_units_from_0_up(void **state) {
    static const struct {
        const char *name;
        struct stock stock[3];
        size_t n;
        int64_t unallocated, want;
    } rows[] = {
        {"no warehouse", {{0}}, 0, 0, 0},
        {"no warehouse and something ordered", {{0}}, 0, 1000, 0},
        {"one", {STOCK(9000, 0, 0, 0)}, 1, 0, 9},
        {"two", {STOCK(9000, 0, 0, 0), STOCK(4000, 0, 0, 0)}, 2, 0, 13},
        {"a negative warehouse takes from the others", {STOCK(9000, 0, 0, 0), STOCK(-4000, 0, 0, 0)}, 2, 0, 5},
        {"all negative", {STOCK(-1, 0, 0, 0), STOCK(-4000, 0, 0, 0)}, 2, 0, 0},
        {"the sum is floored, not each", {STOCK(500, 0, 0, 0), STOCK(500, 0, 0, 0)}, 2, 0, 1},
        {"three thirds and a bit", {STOCK(333, 0, 0, 0), STOCK(333, 0, 0, 0), STOCK(333, 0, 0, 0)}, 3, 0, 0},
        {"a thousandth short", {STOCK(9999, 0, 0, 0)}, 1, 0, 9},
        {"a thousandth", {STOCK(1, 0, 0, 0)}, 1, 0, 0},
        {"minus a thousandth", {STOCK(-1, 0, 0, 0)}, 1, 0, 0},
        {"a fraction is lost to a negative fraction", {STOCK(1500, 0, 0, 0), STOCK(-501, 0, 0, 0)}, 2, 0, 0},
        {"not allocated", {STOCK(9000, 0, 0, 0)}, 1, 2000, 7},
        {"not allocated, more than there is", {STOCK(1000, 0, 0, 0)}, 1, 2000, 0},
        {"not allocated is taken before the floor", {STOCK(2500, 0, 0, 0)}, 1, 600, 1},
        {"pending and withheld", {STOCK(5000, 1000, 500, 2000), STOCK(3000, 0, 1000, 0)}, 2, 1000, 3},
        {"the most that BigCommerce saves", {STOCK(INT64_C(2147483647000), 0, 0, 0)}, 1, 0, LEVEL_MAX},
        {"one more", {STOCK(INT64_C(2147483648000), 0, 0, 0)}, 1, 0, LEVEL_MAX},
        {"the largest quantity there is", {STOCK(INT64_C(10000000000000), 0, 0, 0)}, 1, 0, LEVEL_MAX},
        {"the clamp comes after what is taken off", {STOCK(INT64_C(2147483650000), 0, 0, 0)}, 1, 5000, 2147483645},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct stock *const w[] = {&rows[i].stock[0], &rows[i].stock[1], &rows[i].stock[2]};
        int64_t got = level_compute(w, rows[i].n, rows[i].unallocated);
        if (got != rows[i].want) {
            fail_msg("%s: %lld, not %lld", rows[i].name, (long long)got, (long long)rows[i].want);
        }
    }
}

static void a_level_is_written_if_it_differs_or_is_in_doubt(void **state) {
    static const struct {
        const char *name;
        struct level_stored stored;
        int64_t level;
        bool forced, want;
    } rows[] = {
        {"nothing known", {.known = false}, 0, false, true},
        {"nothing known though the number is the same", {.known = false, .state = 'w', .level = 3}, 3, false, true},
        {"written, the same", {.known = true, .state = 'w', .level = 3}, 3, false, false},
        {"confirmed, the same", {.known = true, .state = 'c', .level = 3}, 3, false, false},
        {"read, the same", {.known = true, .state = 'k', .level = 0}, 0, false, false},
        {"unsure, the same", {.known = true, .state = 'u', .level = 3}, 3, false, true},
        {"one more", {.known = true, .state = 'c', .level = 3}, 4, false, true},
        {"one less", {.known = true, .state = 'w', .level = 3}, 2, false, true},
        {"to 0", {.known = true, .state = 'k', .level = 3}, 0, false, true},
        {"forced, the same", {.known = true, .state = 'c', .level = 3}, 3, true, true},
        {"forced, another", {.known = true, .state = 'c', .level = 3}, 5, true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (level_must_write(&rows[i].stored, rows[i].level, rows[i].forced) != rows[i].want) {
            fail_msg("%s: must %sbe written", rows[i].name, rows[i].want ? "" : "not ");
        }
    }
}

static void a_stored_level_is_read_only_if_whole(void **state) {
    static const struct {
        const char *text;
        bool known;
        char state;
        int64_t level;
    } rows[] = {
        {"3 w 1763900000000 1463041119000 0", true, 'w', 3},
        {"0 c 1763900000000 0 0", true, 'c', 0},
        {"7 u 1763900000000 0 1763900010000", true, 'u', 7},
        {"2147483647 k", true, 'k', LEVEL_MAX},
        {NULL, false, 0, 0},
        {"", false, 0, 0},
        {"3", false, 0, 0},
        {"3 ", false, 0, 0},
        {" w", false, 0, 0},
        {"3 x 1", false, 0, 0},
        {"3 W 1", false, 0, 0},
        {"-1 w 1", false, 0, 0},
        {"2147483648 w 1", false, 0, 0},
        {"3.5 w 1", false, 0, 0},
        {"3a w 1", false, 0, 0},
        {"0000000000000000000000000000000000000003 w 1", false, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct level_stored got;
        memset(&got, 0xff, sizeof got);
        bool known = level_stored_read(rows[i].text, &got);
        if (known != rows[i].known || got.known != known) {
            fail_msg("\"%s\": known is %d", rows[i].text != NULL ? rows[i].text : "NULL", known);
        }
        if (known) {
            assert_int_equal(got.state, rows[i].state);
            assert_int_equal(got.level, rows[i].level);
        }
    }
}

static void a_hint_is_a_set_of_whole_words(void **state) {
    static const struct {
        const char *words, *word;
        bool want;
    } rows[] = {
        {"b", "b", true},     {"w1 b f", "b", true}, {"w1 b f", "f", true},   {"w1 b f", "w1", true},
        {"w12", "w1", false}, {"w1", "w12", false},  {"w1 w12", "w12", true}, {"bf", "b", false},
        {"", "b", false},     {NULL, "b", false},    {" b", "b", true},       {"w1  b", "b", true},
        {"b ", "b", true},    {"B", "b", false},     {"xb", "b", false},      {"   ", "b", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (hint_has(rows[i].words, rows[i].word) != rows[i].want) {
            fail_msg("\"%s\" has %s%s", rows[i].words != NULL ? rows[i].words : "NULL", rows[i].word,
                     rows[i].want ? "" : " not");
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_is_available_less_pending_less_the_larger_withheld_side),
        cmocka_unit_test(a_level_is_the_sum_in_whole_units_from_0_up),
        cmocka_unit_test(a_level_is_written_if_it_differs_or_is_in_doubt),
        cmocka_unit_test(a_stored_level_is_read_only_if_whole),
        cmocka_unit_test(a_hint_is_a_set_of_whole_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
