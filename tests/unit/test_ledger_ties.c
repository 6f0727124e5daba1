/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/ledger_gaps.c functions/onepool/ledger_ties.c functions/onepool/ledger_map.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "functions/onepool/ledger_gaps.h"
#include "functions/onepool/ledger_ties.h"
#include "json.h"
#include "ban.h"

/* ---- gaps ---- */

#define MOVE(r, d, t) \
    { .row = (r), .warehouse = 1, .sku = "A", .delta = (d)*1000, .total = (t)*1000 }

static void movements_follow_or_a_hole_is_named(void **state) {
    static const struct {
        const char *name;
        struct ledger_movement moves[5];
        size_t open, all;
        int64_t left;
        bool recorded;
    } rows[] = {
        {"all follow", {MOVE(5, -1, 9), MOVE(7, -2, 7), MOVE(8, 3, 10)}, 0, 0, 0, false},
        {"the first may begin anywhere", {MOVE(5, -1, 9)}, 0, 0, 0, false},
        {"one is missing", {MOVE(5, -1, 9), MOVE(8, -1, 6)}, 1, 1, -2000, false},
        {"it came later", {MOVE(5, -1, 9), MOVE(8, -1, 6), MOVE(7, -2, 7)}, 0, 1, 0, true},
        {"a part came later", {MOVE(5, -1, 9), MOVE(8, -1, 4), MOVE(7, -2, 7)}, 1, 1, -2000, true},
        {"what came later is of before the hole",
         {MOVE(5, -1, 9), MOVE(8, -1, 6), MOVE(4, -2, 10)},
         1,
         1,
         -2000,
         false},
        {"the same row twice", {MOVE(5, -1, 9), MOVE(5, -1, 9), MOVE(6, -1, 8)}, 0, 0, 0, false},
        {"a row that names the SKU twice", {MOVE(5, -1, 9), MOVE(5, -2, 7), MOVE(6, -1, 6)}, 0, 0, 0, false},
        {"a correction by hand shows as a hole", {MOVE(5, -1, 9), MOVE(6, -1, 9)}, 1, 1, 1000, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ledger_gaps g;
        ledger_gaps_init(&g);
        for (size_t k = 0; k < 5 && rows[i].moves[k].sku != NULL; k++) {
            ledger_gaps_take(&g, &rows[i].moves[k]);
        }
        if (ledger_gaps_open(&g) != rows[i].open || g.n != rows[i].all || (g.n > 0 && g.gaps[0].left != rows[i].left) ||
            (g.n > 0 && (g.gaps[0].found > 0) != rows[i].recorded)) {
            fail_msg("%s: %zu open of %zu, left %lld", rows[i].name, ledger_gaps_open(&g), g.n,
                     g.n > 0 ? (long long)g.gaps[0].left : 0);
        }
        ledger_gaps_free(&g);
    }
}

static void a_hole_is_found_in_sitoo(void **state) {
    (void)state;
    struct ledger_gaps g;
    const struct ledger_movement first = MOVE(5, -1, 9), second = MOVE(8, -1, 6), found = MOVE(6, -2, 7),
                                 other = {.row = 7, .warehouse = 2, .sku = "A", .delta = -2000};
    ledger_gaps_init(&g);
    ledger_gaps_take(&g, &first);
    ledger_gaps_take(&g, &second);
    assert_false(ledger_gaps_found(&g, &other));
    assert_int_equal(ledger_gaps_open(&g), 1);
    assert_true(ledger_gaps_found(&g, &found));
    assert_int_equal(ledger_gaps_open(&g), 0);
    assert_true(g.gaps[0].in_sitoo);
    ledger_gaps_free(&g);
}

static void more_holes_than_are_kept_stay_open(void **state) {
    (void)state;
    struct ledger_gaps g;
    ledger_gaps_init(&g);
    for (int64_t i = 1; i <= (int64_t)LEDGER_GAPS_MAX + 11; i++) {
        const struct ledger_movement m = MOVE(i, 0, i);
        ledger_gaps_take(&g, &m);
    }
    assert_int_equal(ledger_gaps_open(&g), LEDGER_GAPS_MAX + 10);
    ledger_gaps_free(&g);
}

static void a_map_finds_what_it_was_given(void **state) {
    (void)state;
    struct ledger_map m;
    char sku[20];
    ledger_map_init(&m, sizeof(int));
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "S%d", i / 2);
        *(int *)ledger_map_at(&m, i % 2, sku) = i;
    }
    assert_int_equal(m.n, 5000);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "S%d", i / 2);
        assert_int_equal(*(int *)ledger_map_find(&m, i % 2, sku), i);
    }
    assert_null(ledger_map_find(&m, 2, "S1"));
    size_t n = 0;
    for (const struct ledger_slot *slot = NULL; (slot = ledger_map_next(&m, slot)) != NULL;) {
        n++;
    }
    assert_int_equal(n, 5000);
    ledger_map_free(&m);
}

/* ---- ties ---- */

static int64_t one_two[] = {1, 2}, two[] = {2};
static struct mapping_location locations[] = {{.location_id = 10, .warehouse_ids = one_two, .warehouse_count = 2},
                                              {.location_id = 20, .warehouse_ids = two, .warehouse_count = 1}};
static struct mapping mapping = {.locations = locations, .location_count = 2};

/* What was told, as text: "row@location=outcome level ". */
static char said[400];

static void told(void *arg, const char *sku, const struct ledger_tied *t) {
    size_t n = strlen(said);
    (void)arg;
    (void)snprintf(said + n, sizeof said - n, "%s%lld@%lld=%s%s%lld", n > 0 ? " " : "", (long long)t->row,
                   (long long)t->location, ledger_tie_name(t->tie), sku[0] == 'A' ? ":" : "?", (long long)t->level);
}

static void a_movement_is_tied_to_the_level_that_included_it(void **state) {
    static const struct {
        const char *name;
        const char *rows[8]; /* JSON; "movement" rows: sku A, of the warehouse "w" and row "r" */
        const char *want;
    } cases[] = {
        {"written and confirmed",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level\",\"sku\":\"A\",\"location\":10,\"level\":7}",
          "{\"type\":\"confirmed\",\"levels\":[[\"A\",10,7]]}"},
         "5@10=confirmed:7"},
        {"written, not confirmed",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level\",\"sku\":\"A\",\"location\":10,\"level\":7}"},
         "5@10=written:7"},
        {"at both locations of its warehouse",
         {"{\"type\":\"m\",\"w\":2,\"r\":5}", "{\"type\":\"level\",\"sku\":\"A\",\"location\":20,\"level\":3}",
          "{\"type\":\"computed\",\"same\":[[\"A\",10,9]],\"none\":[]}",
          "{\"type\":\"confirmed\",\"levels\":[[\"A\",20,3]]}"},
         "5@10=unchanged:9 5@20=confirmed:3"},
        {"one location is not enough",
         {"{\"type\":\"m\",\"w\":2,\"r\":5}", "{\"type\":\"computed\",\"same\":[[\"A\",10,9]],\"none\":[]}"},
         "5@10=unchanged:9 5@20=untied:0"},
        {"a level before it does not count",
         {"{\"type\":\"level\",\"sku\":\"A\",\"location\":10,\"level\":7}", "{\"type\":\"m\",\"w\":1,\"r\":5}",
          "{\"type\":\"confirmed\",\"levels\":[[\"A\",10,7]]}"},
         "5@10=untied:0"},
        {"nor one of another SKU or location",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level\",\"sku\":\"B\",\"location\":10,\"level\":7}",
          "{\"type\":\"level\",\"sku\":\"A\",\"location\":20,\"level\":7}"},
         "5@10=untied:0"},
        {"a confirmation of what came before it leaves it open",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level\",\"sku\":\"A\",\"location\":10,\"level\":7}",
          "{\"type\":\"m\",\"w\":1,\"r\":6}", "{\"type\":\"confirmed\",\"levels\":[[\"A\",10,7]]}"},
         "5@10=confirmed:7 6@10=untied:0"},
        {"confirmed by a later level",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level\",\"sku\":\"A\",\"location\":10,\"level\":7}",
          "{\"type\":\"m\",\"w\":1,\"r\":6}", "{\"type\":\"level\",\"sku\":\"A\",\"location\":10,\"level\":6}",
          "{\"type\":\"confirmed\",\"levels\":[[\"A\",10,6]]}"},
         "5@10=confirmed:7 6@10=confirmed:6"},
        {"a lost answer is no level",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"unsure_level\",\"sku\":\"A\",\"location\":10,\"level\":7}"},
         "5@10=untied:0"},
        {"shadow mode",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"shadow_level\",\"sku\":\"A\",\"location\":10,\"level\":7}"},
         "5@10=shadowed:7"},
        {"not in the web shop",
         {"{\"type\":\"m\",\"w\":2,\"r\":5}", "{\"type\":\"computed\",\"same\":[],\"none\":[[\"A\",\"unknown_sku\"]]}"},
         "5@10=no_level:0 5@20=no_level:0"},
        {"refused",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level_refused\",\"sku\":\"A\",\"location\":10,\"level\":7}"},
         "5@10=no_level:7"},
        {"parked after too many tries",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}",
          "{\"type\":\"parked\",\"cause\":\"too_many_tries\",\"queue\":\"sku\",\"job\":\"A\",\"entity\":\"sku A\"}"},
         "5@10=no_level:0"},
        {"not mapped", {"{\"type\":\"m\",\"w\":9,\"r\":5}"}, ""},
        {"rows that lack what they should hold",
         {"{\"type\":\"m\",\"w\":1,\"r\":5}", "{\"type\":\"level\",\"sku\":\"A\"}",
          "{\"type\":\"computed\",\"same\":[7,[],[\"A\"]]}", "{\"type\":\"confirmed\"}"},
         "5@10=untied:0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ledger_ties t;
        ledger_ties_init(&t, &mapping);
        t.told = told;
        said[0] = '\0';
        for (size_t k = 0; k < 8 && cases[i].rows[k] != NULL; k++) {
            char error[80];
            cJSON *row = json_read(cases[i].rows[k], strlen(cases[i].rows[k]), error, sizeof error);
            assert_non_null(row);
            struct ledger_movement m = {.sku = "A", .delta = -1000};
            if (json_int(row, "w", &m.warehouse) && json_int(row, "r", &m.row)) {
                ledger_ties_move(&t, &m);
            } else {
                ledger_ties_row(&t, json_str(row, "type"), row, 1000);
            }
            cJSON_Delete(row);
        }
        ledger_ties_end(&t);
        if (strcmp(said, cases[i].want) != 0) {
            fail_msg("%s: %s", cases[i].name, said);
        }
        assert_int_equal(t.unmapped, strcmp(cases[i].name, "not mapped") == 0);
        ledger_ties_free(&t);
    }
}

static void what_is_due_waits(void **state) {
    (void)state;
    struct ledger_ties t;
    struct ledger_movement m = {.sku = "A", .row = 5, .warehouse = 1, .ms = 100};
    ledger_ties_init(&t, &mapping);
    ledger_ties_move(&t, &m);
    ledger_ties_waiting(&t, "A");
    assert_int_equal(t.n[TIE_WAITING], 1);
    m.ms = 200;
    ledger_ties_move(&t, &m);
    m.ms = 300;
    ledger_ties_move(&t, &m);
    ledger_ties_end_at(&t, 300); /* files end soon after it */
    ledger_ties_end(&t);
    assert_int_equal(t.n[TIE_WAITING], 2);
    assert_int_equal(t.n[TIE_OPEN], 1);
    ledger_ties_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movements_follow_or_a_hole_is_named),
        cmocka_unit_test(a_hole_is_found_in_sitoo),
        cmocka_unit_test(more_holes_than_are_kept_stay_open),
        cmocka_unit_test(a_map_finds_what_it_was_given),
        cmocka_unit_test(a_movement_is_tied_to_the_level_that_included_it),
        cmocka_unit_test(what_is_due_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
