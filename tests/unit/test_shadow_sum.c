/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/shadow_sum.c */
/* What a time in shadow mode says: how much earlier, what was sold that was gone, and where both do not agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "functions/onepool/shadow_sum.h"
#include "ban.h"

#define MIN 60000

/* One event: place, 'o' ours or 's' shown, minute, level, last look at the number before (minute; 0 = none). */
struct step {
    const char *place;
    char what;
    int64_t at, level, until;
};

static struct shadow_events events_of(const struct step *steps, size_t n) {
    struct shadow_events e = {0};
    for (size_t i = 0; i < n; i++) {
        shadow_events_add(&e, steps[i].place, steps[i].what == 'o', steps[i].at * MIN, steps[i].level,
                          steps[i].until * MIN);
    }
    return e;
}

#define RECKON(since, ...)                                                   \
    const struct step steps[] = {__VA_ARGS__};                               \
    struct shadow_events e = events_of(steps, sizeof steps / sizeof *steps); \
    struct shadow_sum s;                                                     \
    shadow_reckon(&e, (since)*MIN, &s)

#define END()            \
    shadow_sum_free(&s); \
    shadow_events_free(&e)

static void a_change_that_comes_later_counts_up_to_the_last_look_at_the_old_number(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 7, 0}, {"1|A", 'o', 10, 6, 0}, {"1|A", 's', 75, 6, 70});
    assert_int_equal(s.n, 1);
    assert_int_equal(s.changes[0].outcome, SHADOW_EARLIER);
    assert_int_equal(s.changes[0].earlier_ms, 60 * MIN);
    assert_int_equal(s.changes[0].shown_ms, 75 * MIN);
    assert_int_equal(s.changes[0].was, 7);
    END();
}

static void what_the_first_look_finds_done_is_no_gain(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 7, 0}, {"1|A", 'o', 10, 6, 0}, {"1|A", 's', 11, 6, 9});
    assert_int_equal(s.changes[0].outcome, SHADOW_ALREADY);
    assert_int_equal(s.counts[SHADOW_EARLIER], 0);
    assert_int_equal(s.median_ms, 0);
    END();
}

static void what_is_shown_already_is_no_gain(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 6, 0}, {"1|A", 'o', 10, 6, 0});
    assert_int_equal(s.changes[0].outcome, SHADOW_ALREADY);
    END();
}

/* A nightly job brings three changes at once: each was late by its own time. */
static void changes_that_come_together_are_late_each_by_its_own(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 9, 0}, {"1|A", 'o', 10, 8, 0}, {"1|A", 'o', 20, 7, 0}, {"1|A", 'o', 40, 5, 0},
           {"1|A", 's', 101, 5, 100});
    assert_int_equal(s.counts[SHADOW_EARLIER], 3);
    assert_int_equal(s.changes[0].earlier_ms, 90 * MIN);
    assert_int_equal(s.changes[2].earlier_ms, 60 * MIN);
    assert_int_equal(s.median_ms, 80 * MIN);
    assert_int_equal(s.worst_ms, 90 * MIN);
    END();
}

static void another_number_is_not_ours(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 9, 0}, {"1|A", 'o', 10, 8, 0}, {"1|A", 's', 50, 4, 49});
    assert_int_equal(s.counts[SHADOW_WAITING], 1);
    assert_int_equal(s.counts[SHADOW_EARLIER], 0);
    END();
}

static void there_and_back_before_anybody_showed_it_is_passed(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 9, 0}, {"1|A", 'o', 10, 8, 0}, {"1|A", 'o', 20, 9, 0});
    assert_int_equal(s.counts[SHADOW_PASSED], 1);
    assert_int_equal(s.counts[SHADOW_ALREADY], 1);
    END();
}

static void the_same_number_again_is_no_change(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 9, 0}, {"1|A", 'o', 10, 8, 0}, {"1|A", 'o', 20, 8, 0});
    assert_int_equal(s.n, 1);
    assert_int_equal(s.changes[0].at_ms, 10 * MIN);
    END();
}

/* --since: what was so before is known, but does not count. */
static void what_was_before_since_does_not_count(void **state) {
    (void)state;
    RECKON(30, {"1|A", 's', 1, 9, 0}, {"1|A", 'o', 10, 8, 0}, {"1|A", 'o', 40, 7, 0}, {"1|A", 's', 60, 7, 59},
           {"1|B", 'o', 20, 3, 0}, {"1|B", 's', 50, 3, 49});
    assert_int_equal(s.n, 1);
    assert_int_equal(s.changes[0].level, 7);
    assert_int_equal(s.changes[0].earlier_ms, 19 * MIN);
    END();
}

static void places_do_not_mix(void **state) {
    (void)state;
    RECKON(0, {"1|A", 's', 1, 9, 0}, {"7|A", 's', 1, 9, 0}, {"1|A", 'o', 10, 8, 0}, {"7|A", 's', 20, 8, 19});
    assert_int_equal(s.places_n, 2);
    assert_int_equal(s.counts[SHADOW_WAITING], 1);
    END();
}

/* ---- oversells ---- */

static int64_t shop_warehouses[] = {1, 2}, other_warehouses[] = {4};
static struct mapping_location locations[] = {
    {.location_id = 1, .warehouse_ids = shop_warehouses, .warehouse_count = 2, .serves_shipping = true},
    {.location_id = 7, .warehouse_ids = other_warehouses, .warehouse_count = 1, .serves_shipping = false}};
static const struct mapping mapping = {.locations = locations, .location_count = 2};

static char order[] = "250", sku_a[] = "A";

static int64_t oversold(const struct step *steps, size_t n, int64_t minute, int64_t target, int64_t units,
                        int64_t since) {
    struct shadow_events e = events_of(steps, n);
    struct shadow_sum s;
    const struct shadow_sale sale = {
        .order = order, .sku = sku_a, .created_ms = minute * MIN, .target = target, .thousandths = units * 1000};
    shadow_reckon(&e, since * MIN, &s);
    shadow_oversells(&mapping, &e, &sale, 1, since * MIN, &s);
    int64_t sum = s.units;
    assert_int_equal(s.oversells_n, sum > 0 ? 1 : 0);
    shadow_sum_free(&s);
    shadow_events_free(&e);
    return sum;
}

#define OVERSOLD(minute, target, units, since, ...)                                                                \
    oversold((const struct step[]){__VA_ARGS__}, sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step), \
             minute, target, units, since)

static void what_is_sold_while_it_would_be_at_zero_is_oversold(void **state) {
    (void)state;
    assert_int_equal(OVERSOLD(20, 0, 2, 0, {"1|A", 's', 1, 3, 0}, {"1|A", 'o', 10, 0, 0}), 2);
    /* Before our change; after it was shown; of another SKU's place; before --since. */
    assert_int_equal(OVERSOLD(9, 0, 2, 0, {"1|A", 's', 1, 3, 0}, {"1|A", 'o', 10, 0, 0}), 0);
    assert_int_equal(OVERSOLD(20, 0, 2, 0, {"1|A", 's', 1, 3, 0}, {"1|A", 'o', 10, 0, 0}, {"1|A", 's', 15, 0, 14}), 0);
    assert_int_equal(OVERSOLD(20, 0, 2, 0, {"1|B", 's', 1, 3, 0}, {"1|B", 'o', 10, 0, 0}), 0);
    assert_int_equal(OVERSOLD(20, 0, 2, 21, {"1|A", 's', 1, 3, 0}, {"1|A", 'o', 10, 0, 0}), 0);
}

static void only_what_is_more_than_there_was_counts(void **state) {
    (void)state;
    assert_int_equal(OVERSOLD(20, 0, 3, 0, {"1|A", 's', 1, 5, 0}, {"1|A", 'o', 10, 2, 0}), 1);
    assert_int_equal(OVERSOLD(20, 0, 2, 0, {"1|A", 's', 1, 5, 0}, {"1|A", 'o', 10, 2, 0}), 0);
}

static void an_order_to_be_collected_takes_from_its_own_warehouse(void **state) {
    (void)state;
    assert_int_equal(OVERSOLD(20, 4, 1, 0, {"7|A", 's', 1, 1, 0}, {"7|A", 'o', 10, 0, 0}, {"1|A", 's', 1, 5, 0}), 1);
    assert_int_equal(OVERSOLD(20, 2, 1, 0, {"7|A", 's', 1, 1, 0}, {"7|A", 'o', 10, 0, 0}, {"1|A", 's', 1, 5, 0}), 0);
}

static void where_nobody_looked_nothing_is_claimed(void **state) {
    (void)state;
    assert_int_equal(OVERSOLD(20, 0, 1, 0, {"1|A", 'o', 10, 0, 0}), 0);
    assert_int_equal(OVERSOLD(20, 0, 1, 0, {"1|A", 's', 1, 0, 0}), 0);
}

/* ---- disagreements ---- */

static void another_number_disagrees_once_it_has_stayed(void **state) {
    (void)state;
    struct shadow_place p = {.place = "1|A", .ours = 3, .ours_ms = 10 * MIN, .shown = 5, .shown_ms = 20 * MIN};
    assert_false(shadow_disagrees(&p, 60 * MIN)); /* never looked at since */
    p.last_ms = 69 * MIN;
    assert_false(shadow_disagrees(&p, 60 * MIN));
    p.last_ms = 70 * MIN;
    assert_true(shadow_disagrees(&p, 60 * MIN));
    p.shown = 3;
    assert_false(shadow_disagrees(&p, 60 * MIN));
    p = (struct shadow_place){.place = "1|A", .shown = 5, .shown_ms = 20 * MIN, .last_ms = 1000 * MIN};
    assert_false(shadow_disagrees(&p, 60 * MIN)); /* nothing would have been written */
}

static void reason_is(struct shadow_place p, size_t same, const char *words) {
    char text[300];
    shadow_reason(&p, same, text, sizeof text);
    assert_non_null(strstr(text, words));
}

static void the_likely_reason_is_named(void **state) {
    (void)state;
    const struct shadow_place p = {.place = "1|A", .ours = 3, .ours_ms = 10 * MIN, .shown = 5, .shown_ms = 20 * MIN};
    struct shadow_place q = p;
    q.withheld = 2000;
    reason_is(q, 1, "onepool withholds");
    q.pending = 2000;
    q.withheld = 0;
    reason_is(q, 1, "open web orders");
    q.withheld = q.pending = 1000;
    reason_is(q, 1, "neither");
    q = p;
    reason_is(q, 1, "not known");
    q.shown_ms = 5 * MIN;
    reason_is(q, 1, "no change of it was seen");
    q = p;
    q.shown = 1;
    reason_is(q, 2, "not known");
    reason_is(q, 3, "buffer");
}

static void durations_are_words(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *words;
    } all[] = {{-5, "0 s"},
               {59400, "59 s"},
               {90 * 1000, "2 min"},
               {190 * MIN, "3 h 10 min"},
               {47 * 60 * MIN, "47 h 0 min"},
               {52 * 60 * MIN, "2 d 4 h"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char text[32];
        shadow_duration(all[i].ms, text);
        assert_string_equal(text, all[i].words);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_that_comes_later_counts_up_to_the_last_look_at_the_old_number),
        cmocka_unit_test(what_the_first_look_finds_done_is_no_gain),
        cmocka_unit_test(what_is_shown_already_is_no_gain),
        cmocka_unit_test(changes_that_come_together_are_late_each_by_its_own),
        cmocka_unit_test(another_number_is_not_ours),
        cmocka_unit_test(there_and_back_before_anybody_showed_it_is_passed),
        cmocka_unit_test(the_same_number_again_is_no_change),
        cmocka_unit_test(what_was_before_since_does_not_count),
        cmocka_unit_test(places_do_not_mix),
        cmocka_unit_test(what_is_sold_while_it_would_be_at_zero_is_oversold),
        cmocka_unit_test(only_what_is_more_than_there_was_counts),
        cmocka_unit_test(an_order_to_be_collected_takes_from_its_own_warehouse),
        cmocka_unit_test(where_nobody_looked_nothing_is_claimed),
        cmocka_unit_test(another_number_disagrees_once_it_has_stayed),
        cmocka_unit_test(the_likely_reason_is_named),
        cmocka_unit_test(durations_are_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
