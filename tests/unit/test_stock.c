/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/stock.c functions/stock-moved/absent.c functions/stock-moved/facts.c */
/* links: functions/stock-moved/ledger.c functions/stock-moved/ledger_page.c functions/stock-moved/released.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "functions/stock-moved/facts.h"
#include "ban.h"

#define NOW  INT64_C(1763900000000)
#define HOUR INT64_C(3600000)
#define READ(res, ago) \
    { .known = true, .available = 5000, .reserved = (res), .read_ms = NOW - (ago) }
#define ROW(ago) \
    { .known = true, .kept = true, .id = 7, .total = 4000, .seen_ms = NOW - (ago) }
#define NO_ROW(has) \
    { .kept = (has) }

static void stock_is_read_only_where_the_ledger_cannot_tell(void **state) {
    static const struct {
        const char *name;
        struct stock_known read;
        struct chain row;
        enum stock_touch touch;
        enum stock_use want;
    } rows[] = {
        {"never read", {.known = false}, ROW(1), TOUCH_NONE, USE_READ},
        {"read a minute ago", READ(0, 60000), NO_ROW(true), TOUCH_NONE, USE_KNOWN},
        {"read 25 hours ago", READ(0, 25 * HOUR), NO_ROW(true), TOUCH_NONE, USE_READ},
        {"a row came since", READ(0, 60000), ROW(10), TOUCH_NONE, USE_LEDGER},
        {"a row came before the read", READ(0, 10), ROW(60000), TOUCH_NONE, USE_KNOWN},
        {"asked for in the same millisecond", READ(0, 10), ROW(10), TOUCH_NONE, USE_KNOWN},
        {"sold, and the row came", READ(0, 60000), ROW(10), TOUCH_MOVED, USE_LEDGER},
        {"sold, the row is to come", READ(0, 10), ROW(60000), TOUCH_MOVED, USE_UNTIL_LEDGER},
        {"sold, first of its SKU there", READ(0, 60000), NO_ROW(true), TOUCH_MOVED, USE_UNTIL_LEDGER},
        {"sold in a warehouse without a ledger", READ(0, 60000), NO_ROW(false), TOUCH_MOVED, USE_READ},
        {"sold, perhaps a reserved unit", READ(1000, 60000), ROW(10), TOUCH_MOVED, USE_READ},
        {"a row came, others are reserved", READ(1000, 60000), ROW(10), TOUCH_NONE, USE_LEDGER},
        {"booked", READ(0, 60000), ROW(10), TOUCH_RESERVED, USE_READ},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum stock_use got = stock_use(&rows[i].read, &rows[i].row, rows[i].touch, NOW);
        if (got != rows[i].want) {
            fail_msg("%s: %d, wanted %d", rows[i].name, (int)got, (int)rows[i].want);
        }
    }
}

static void what_is_kept_is_read_back_whole(void **state) {
    static const char *const bad[] = {"", "5000", "5000 0", "5000 0 x", "5000 0 1 2", "5000  1", " 5000 0 1", NULL};
    struct stock_known k;
    struct chain c;
    (void)state;
    assert_true(stock_known_read("-5000 1500 1763900000000", &k));
    assert_true(k.known);
    assert_int_equal(k.available, -5000);
    assert_int_equal(k.reserved, 1500);
    assert_int_equal(k.read_ms, NOW);
    chain_read("16 9000 1763900000000", &c);
    assert_true(c.known && c.id == 16 && c.total == 9000 && c.seen_ms == NOW);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(stock_known_read(bad[i], &k));
        chain_read(bad[i], &c);
        assert_false(c.known);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stock_is_read_only_where_the_ledger_cannot_tell),
        cmocka_unit_test(what_is_kept_is_read_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
