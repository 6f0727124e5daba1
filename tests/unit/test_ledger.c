/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/ledger.c functions/stock-moved/ledger_page.c functions/stock-moved/released.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "functions/stock-moved/ledger.h"
#include "json.h"
#include "quarantine_ref.h"
#include "ban.h"

static const char *chain_name(enum chain_verdict v) {
    switch (v) {
    case CHAIN_FIRST:
        return "first";
    case CHAIN_FITS:
        return "fits";
    case CHAIN_HOLE:
        return "hole";
    case CHAIN_LATE:
        return "late";
    }
    return "?";
}

#define LAST(i, t) \
    { .known = true, .id = (i), .total = (t) }

static void a_row_is_compared_with_the_one_before_it(void **state) {
    static const struct {
        const char *name;
        struct chain last;
        int64_t id, delta, total;
        enum chain_verdict want;
    } rows[] = {
        {"nothing known", {.known = false}, 14, -1000, 9000, CHAIN_FIRST},
        {"nothing known, whatever stands there", {.known = false, .id = 99, .total = 1}, 14, -1000, 9000, CHAIN_FIRST},
        {"a sale", LAST(14, 10000), 15, -1000, 9000, CHAIN_FITS},
        {"a refund", LAST(14, 10000), 15, 1000, 11000, CHAIN_FITS},
        {"ids of other SKUs lie between", LAST(14, 10000), 900, -1000, 9000, CHAIN_FITS},
        {"stocktaking without a difference", LAST(14, 10000), 15, 0, 10000, CHAIN_FITS},
        {"thousandths", LAST(14, 10000), 15, -350, 9650, CHAIN_FITS},
        {"below zero", LAST(14, 0), 15, -1000, -1000, CHAIN_FITS},
        {"through zero", LAST(14, -500), 15, 1000, 500, CHAIN_FITS},
        {"a sale between is missing", LAST(14, 10000), 16, -1000, 8000, CHAIN_HOLE},
        {"a delivery between is missing", LAST(14, 10000), 16, -1000, 19000, CHAIN_HOLE},
        {"off by a thousandth", LAST(14, 10000), 15, -1000, 9001, CHAIN_HOLE},
        {"the sign is wrong", LAST(14, 10000), 15, 1000, 9000, CHAIN_HOLE},
        {"older than the last one", LAST(14, 10000), 13, -1000, 9000, CHAIN_LATE},
        {"older, and it would not fit", LAST(14, 10000), 13, -1000, 3000, CHAIN_LATE},
        {"a second item of the same row", LAST(14, 10000), 14, -1000, 9000, CHAIN_FITS},
        {"a second item of the same row that does not follow", LAST(14, 10000), 14, -1000, 5000, CHAIN_HOLE},
        {"the same item again, after a crash", LAST(14, 9000), 14, -1000, 9000, CHAIN_FITS},
        {"ids beyond 2^31", LAST(INT64_C(4294967296), 1000), INT64_C(4294967297), -1000, 0, CHAIN_FITS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum chain_verdict got = chain_check(&rows[i].last, rows[i].id, rows[i].delta, rows[i].total);
        if (got != rows[i].want) {
            fail_msg("%s: %s, not %s", rows[i].name, chain_name(got), chain_name(rows[i].want));
        }
    }
}

static void plan_of(const char *json, int64_t delta, const char *owner, char out[200]) {
    char error[120];
    struct args effects = {0};
    cJSON *row = json_read(json, strlen(json), error, sizeof error);
    assert_non_null(row);
    out[0] = '\0';
    ledger_plan_withheld(row, 3, "S", delta, owner, &effects);
    for (size_t i = 0, at = 0; i < effects.n && i < 7; i++) {
        at += (size_t)snprintf(out + at, 200 - at, "%s%s", i > 0 ? " " : "", effects.argv[i]);
        assert_true(at < 200);
    }
    args_free(&effects);
    cJSON_Delete(row);
}

static void a_row_withholds_or_lets_go_by_its_type_sign_and_reference(void **state) {
    static const struct {
        const char *name, *row;
        int64_t delta;
        const char *owner, *want;
    } rows[] = {
        {"a refund withholds", "\"transactiontype\":40", 1000, "o", "hold hold:l:7:3 l 2 S 1000"},
        {"a sale lets nothing go", "\"transactiontype\":30", -1000, "o", ""},
        {"a move out", "\"transactiontype\":20,\"datecreated\":1550669776", -1500, "o",
         "moved_out out:7:3 2 S 1500 1550669776000"},
        {"no date", "\"transactiontype\":20", -1500, "o", "moved_out out:7:3 2 S 1500 0"},
        {"a type nobody knows", "\"transactiontype\":77", -1, "o", "moved_out out:7:3 2 S 1 0"},
        {"a refund that is taken back", "\"transactiontype\":40", -1000, "o", "moved_out out:7:3 2 S 1000 0"},
        {"a move in", "\"transactiontype\":10", 1000, "o", ""},
        {"our own move", "\"transactiontype\":20,\"externalid\":\"OPQ-11555-4\"", -1000, "o",
         "release out:7:3 11555:4 1000 quarantine"},
        {"nearly our own", "\"transactiontype\":20,\"externalid\":\"OPQ-11555\"", -1000, "o",
         "moved_out out:7:3 2 S 1000 0"},
        {"not a number", "\"transactiontype\":20,\"externalid\":\"OPQ-1x-4\"", -1000, "o",
         "moved_out out:7:3 2 S 1000 0"},
        {"a count asks", "\"transactiontype\":50", -1000, "o", "counted count:7:S 2|S stock_count_withheld o 2|S"},
        {"a count that nobody is asked about", "\"transactiontype\":50", -1000, NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[300], got[200];
        (void)snprintf(json, sizeof json, "{\"warehousetransactionid\":7,\"warehouseid\":2,%s}", rows[i].row);
        plan_of(json, rows[i].delta, rows[i].owner, got);
        if (strncmp(got, rows[i].want, rows[i].want[0] == 'c' ? strlen(rows[i].want) : sizeof got) != 0) {
            fail_msg("%s: got \"%s\", wanted \"%s\"", rows[i].name, got, rows[i].want);
        }
    }
}

static void our_reference_is_read_as_it_was_written(void **state) {
    char text[QUARANTINE_REF_SIZE];
    int64_t id = 0, item = -1;
    (void)state;
    assert_true(quarantine_ref_write(11555, 0, text));
    assert_string_equal(text, "OPQ-11555-0");
    assert_true(quarantine_ref_read(text, &id, &item));
    assert_int_equal(id, 11555);
    assert_int_equal(item, 0);
    assert_true(quarantine_ref_write(JSON_INT_MAX, JSON_INT_MAX, text));
    assert_true(quarantine_ref_read(text, &id, &item));
    assert_int_equal(item, JSON_INT_MAX);
    assert_false(quarantine_ref_write(INT64_MAX, INT64_MAX, text));
    assert_string_equal(text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_compared_with_the_one_before_it),
        cmocka_unit_test(a_row_withholds_or_lets_go_by_its_type_sign_and_reference),
        cmocka_unit_test(our_reference_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
