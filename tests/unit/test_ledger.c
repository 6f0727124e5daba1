/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/ledger.c functions/stock-moved/released.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "functions/stock-moved/ledger.h"
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_compared_with_the_one_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
