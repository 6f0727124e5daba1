/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/ledger_history.c functions/onepool/ledger_say.c functions/onepool/ledger_entry.c */
/* links: functions/onepool/text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/onepool/ledger_history.h"
#include "json.h"
#include "ban.h"

#define NOON INT64_C(1796040000000) /* 2026-11-30T12:00:00Z */

/* Rows, one second apart from noon on, as sentences, one a line. */
static char *history_of(const char *sku, const char *const *rows, size_t n, bool one_location) {
    struct history h;
    struct buf out;
    char error[80];
    cJSON *names = json_read("{\"3\":\"Leeds\"}", 13, error, sizeof error);
    history_init(&h, sku);
    h.one_location = one_location;
    h.names = names;
    for (size_t i = 0; i < n && rows[i] != NULL; i++) {
        struct ledger_entry e;
        char id[40];
        (void)snprintf(id, sizeof id, "%lld-0", (long long)(NOON + 1000 * (int64_t)i));
        assert_true(ledger_entry_set(&e, id, NULL, rows[i], strlen(rows[i])));
        history_take(&h, &e);
    }
    history_end(&h);
    buf_init(&out, 100000);
    for (size_t i = 0; i < h.n; i++) {
        if (h.list[i].told == 0 && !history_is_idle(&h, i)) {
            history_say(&h, i, &out);
            buf_add_str(&out, "\n");
        }
    }
    history_free(&h);
    cJSON_Delete(names);
    return buf_take(&out);
}

#define SALE(order, q)                                                                         \
    "{\"type\":\"sale\",\"order\":" #order ",\"item\":0,\"sku\":\"A\",\"quantity\":\"" q "\"," \
    "\"warehouse\":3,\"till_ms\":1796040000000}"
#define MOVED(row, kind, q, left)                                                                                \
    "{\"type\":\"movement\",\"row\":" #row ",\"kind\":" #kind ",\"warehouse\":3,\"sku\":\"A\",\"quantity\":\"" q \
    "\",\"on_hand\":\"" left "\",\"created_s\":1796040000}"
#define LEVEL(level, was) \
    "{\"type\":\"level\",\"sku\":\"A\",\"location\":1,\"level\":" #level ",\"was\":" #was ",\"till_ms\":0,\"of\":[]}"
#define SEEN(level) "{\"type\":\"confirmed\",\"levels\":[[\"B\",1,3],[\"A\",1," #level "]]}"

static void rows_become_sentences(void **state) {
    static const struct {
        const char *rows[6], *want;
    } cases[] = {
        {{SALE(11513, "1.000"), MOVED(991, 30, "-1.000", "4.000"), LEVEL(7, 8), SEEN(7)},
         "Sold 1 in Leeds (order 11513), 4 left there.\n"
         "The web shop was told 7 (was 8), because of order 11513; BigCommerce showed it at 12:00:03.\n"},
        {{MOVED(991, 30, "-1.000", "4.000"), SALE(11513, "1.000")}, "Sold 1 in Leeds (order 11513), 4 left there.\n"},
        {{MOVED(991, 30, "-1.000", "4.000"), LEVEL(7, 8), SEEN(7), SALE(11513, "1.000")}, /* recorded after its level */
         "The web shop was told 7 (was 8), because of order 11513; BigCommerce showed it at 12:00:02.\n"
         "Sold 1 in Leeds (order 11513), 4 left there.\n"},
        {{SALE(11513, "2.000"), MOVED(991, 30, "-1.000", "4.000")},
         "Sold 2 in Leeds (order 11513).\n1 sold in Leeds (Sitoo's row 991), 4 left there.\n"},
        {{SALE(12, "1.000"), SALE(11, "1.000"), MOVED(21, 30, "-1.000", "4.000"), MOVED(22, 30, "-1.000", "3.000")},
         "Sold 1 in Leeds (order 12), 3 left there.\nSold 1 in Leeds (order 11), 4 left there.\n"},
        {{MOVED(5, 10, "0.350", "4.350")}, "0.35 put into Leeds (Sitoo's row 5), 4.35 there now.\n"},
        {{MOVED(5, 20, "-2.000", "0.000")}, "2 taken out of Leeds (Sitoo's row 5), 0 left there.\n"},
        {{MOVED(5, 40, "1.000", "1.000")}, "1 came back from a customer in Leeds (Sitoo's row 5), 1 there now.\n"},
        {{MOVED(5, 50, "-1.000", "1.000")}, "1 fewer counted in Leeds (Sitoo's row 5), 1 left there.\n"},
        {{MOVED(5, 77, "1.000", "1.000")}, "1 put into Leeds (Sitoo's row 5 of type 77), 1 there now.\n"},
        {{LEVEL(7, 8), LEVEL(6, 7), SEEN(6)},
         "The web shop was told 7 (was 8); a newer number came before it was seen.\n"
         "The web shop was told 6 (was 7); BigCommerce showed it at 12:00:02.\n"},
        {{LEVEL(7, 8)}, "The web shop was told 7 (was 8); not seen in BigCommerce yet.\n"},
        {{LEVEL(7, 8), SEEN(7), "{\"type\":\"differs\",\"levels\":[[\"A\",1,7,5]]}", LEVEL(7, 7)},
         "The web shop was told 7 (was 8); BigCommerce showed it at 12:00:01.\n"
         "BigCommerce showed 5, not 7: it is told again.\n"
         "The web shop was told 7 (was 7), because of another number in BigCommerce; not seen in BigCommerce yet.\n"},
        {{"{\"type\":\"unsure_level\",\"sku\":\"A\",\"location\":1,\"level\":7,\"was\":8}"},
         "The web shop was told 7 (was 8). Its answer was lost, so it is told again.\n"},
        {{"{\"type\":\"shadow_level\",\"sku\":\"A\",\"location\":1,\"level\":7,\"was\":8}"},
         "Shadow mode would have told the web shop 7 (was 8).\n"},
        {{"{\"type\":\"computed\",\"same\":[[\"A\",1,7]],\"none\":[]}"}, ""}, /* nothing new: left out */
        {{MOVED(5, 10, "1.000", "1.000"), "{\"type\":\"computed\",\"same\":[[\"B\",1,2],[\"A\",1,7]],\"none\":[]}"},
         "1 put into Leeds (Sitoo's row 5), 1 there now.\n"
         "Counted again: 7 is still right, because of Sitoo's row 5.\n"},
        {{"{\"type\":\"computed\",\"same\":[],\"none\":[[\"A\",\"unknown_sku\"]]}"},
         "It has no level in the web shop: unknown_sku.\n"},
        {{"{\"type\":\"pending\",\"order\":\"104\",\"status\":\"11\",\"why\":\"web_order\",\"moved\":[[3,\"A\",1000],["
          "0,\"B\",1]]}",
          "{\"type\":\"pending\",\"order\":\"104\",\"status\":\"11\",\"why\":\"reserved\",\"moved\":[[3,\"A\",-1000]]"
          "}"},
         "Web order 104 holds 1 (Leeds).\n"
         "Web order 104 has 1 reserved or delivered in Sitoo now, so it is not subtracted here any more (Leeds).\n"},
        {{"{\"type\":\"pending\",\"order\":\"104\",\"status\":\"5\",\"why\":\"web_order\",\"moved\":[[0,\"A\",-2000]]"
          "}"},
         "Web order 104 lets go of 2.\n"},
        {{"{\"type\":\"withheld\",\"op\":\"x\",\"warehouse\":\"4\",\"sku\":\"A\",\"thousandths\":\"1000\"}",
          "{\"type\":\"verdict\",\"return\":\"9\",\"item\":\"0\",\"warehouse\":\"4\",\"sku\":\"A\",\"thousandths\":"
          "\"1000\","
          "\"verdict\":\"unsellable\",\"reason\":\"RC123\"}",
          "{\"type\":\"release\",\"entry\":\"9:0\",\"warehouse\":\"4\",\"sku\":\"A\",\"thousandths\":\"1000\",\"how\":"
          "\"person\"}"},
         "1 came back in warehouse 4; not on sale until it is judged.\n"
         "1 of return 9 in warehouse 4 judged unsellable, reason RC123.\n"
         "1 that came back in warehouse 4 is not withheld any more (person).\n"},
        {{"{\"type\":\"parked\",\"cause\":\"ledger_gap\",\"entity\":\"3|A\",\"queue\":\"sku\",\"job\":\"A\",\"owner\":"
          "\"operations\"}",
          "{\"type\":\"case_ended\",\"cause\":\"ledger_gap\",\"entity\":\"3|A\",\"queue\":\"sku\",\"job\":\"A\","
          "\"how\":\"close\"}",
          "{\"type\":\"parked\",\"cause\":\"ledger_gap\",\"entity\":\"3|AB\",\"queue\":\"sku\",\"job\":\"AB\","
          "\"owner\":\"x\"}"},
         "A case waits for a person: ledger_gap (owner operations).\nThe case ledger_gap ended (close).\n"},
        {{"{\"type\":\"level_refused\",\"sku\":\"A\",\"location\":1,\"level\":7,\"was\":8}"},
         "BigCommerce refused 7; it keeps 8.\n"},
        {{"{\"type\":\"sale\",\"sku\":\"AB\"}", "not JSON A", "{\"sku\":\"A\"}", "[\"A\"]"}, ""},
        {{"{\"type\":\"new\\u001b[31m\",\"sku\":\"A\"}"}, "Recorded: new?[31m.\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = history_of("A", cases[i].rows, 6, true);
        if (strcmp(text, cases[i].want) != 0) {
            fail_msg("case %zu:\n%swanted:\n%s", i, text, cases[i].want);
        }
        free(text);
    }
}

static void a_location_is_named_where_there_are_several(void **state) {
    (void)state;
    static const char *const rows[] = {LEVEL(7, 8), SEEN(7), NULL};
    char *text = history_of("A", rows, 3, false);
    assert_string_equal(text, "The web shop was told 7 at location 1 (was 8); BigCommerce showed it at 12:00:01.\n");
    free(text);
}

/* However the writer of the row escaped it. */
static void any_sku_is_found(void **state) {
    (void)state;
    static const struct {
        const char *sku, *row;
    } cases[] = {
        {"A/1", "{\"type\":\"confirmed\",\"levels\":[[\"A\\/1\",1,7]]}"},
        {"A/1", "{\"type\":\"level\",\"sku\":\"A/1\",\"location\":1,\"level\":7,\"was\":8}"},
        {"\"", "{\"type\":\"level\",\"sku\":\"\\\"\",\"location\":1,\"level\":7,\"was\":8}"},
        {"a\\b", "{\"type\":\"level\",\"sku\":\"a\\\\b\",\"location\":1,\"level\":7,\"was\":8}"},
        {"\xc3\xa5", "{\"type\":\"level\",\"sku\":\"\\u00e5\",\"location\":1,\"level\":7,\"was\":8}"},
        {"\xc3\xa5", "{\"type\":\"level\",\"sku\":\"\xc3\xa5\",\"location\":1,\"level\":7,\"was\":8}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const rows[] = {cases[i].row, NULL};
        char *text = history_of(cases[i].sku, rows, 2, true);
        if (text[0] == '\0') {
            fail_msg("SKU %s is not found in %s", cases[i].sku, cases[i].row);
        }
        free(text);
    }
}

static void more_than_are_kept_are_left_out_and_counted(void **state) {
    (void)state;
    struct history h;
    struct ledger_entry e;
    history_init(&h, "A");
    for (size_t i = 0; i < HISTORY_EVENTS_MAX + 1; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "%zu-0", i + 1);
        assert_true(ledger_entry_set(&e, id, NULL, LEVEL(7, 8), strlen(LEVEL(7, 8))));
        history_take(&h, &e);
    }
    assert_int_equal(h.n + (size_t)h.left_out, HISTORY_EVENTS_MAX + 1);
    assert_int_equal(h.list[h.n - 1].ms, HISTORY_EVENTS_MAX + 1);
    history_free(&h);
}

static void the_state_is_what_was_known_last(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{\"type\":\"level\",\"sku\":\"A\",\"location\":1,\"level\":3,\"was\":8,\"of\":[[3,4000,1000,500],[4,1000]],"
        "\"unallocated\":500}",
        SEEN(3),
        MOVED(9, 30, "-1.000", "3.000"),
        "{\"type\":\"pending\",\"order\":\"104\",\"status\":\"11\",\"why\":\"web_order\",\"moved\":[[3,\"A\",1000]]}",
        "{\"type\":\"pending\",\"order\":\"105\",\"status\":\"11\",\"why\":\"web_order\",\"moved\":[[0,\"A\",2000]]}",
        "{\"type\":\"pending\",\"order\":\"104\",\"status\":\"2\",\"why\":\"reserved\",\"moved\":[[3,\"A\",-1000]]}"};
    struct history h;
    history_init(&h, "A");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ledger_entry e;
        char id[40];
        (void)snprintf(id, sizeof id, "%lld-0", (long long)(NOON + 1000 * (int64_t)i));
        assert_true(ledger_entry_set(&e, id, NULL, rows[i], strlen(rows[i])));
        history_take(&h, &e);
    }
    history_end(&h);
    cJSON *now = history_state(&h);
    char *text = json_print(now);
    assert_string_equal(
        text,
        "{\"levels\":{\"1\":{\"told\":\"2026-11-30T12:00:00.000Z\",\"mode\":\"live\",\"made_of\":[{\"warehouse\":3,"
        "\"available\":4000,\"pending\":1000,\"withheld\":500},{\"warehouse\":4,\"available\":1000,\"pending\":0,"
        "\"withheld\":0}],\"unallocated\":500,\"level\":3,\"seen\":\"2026-11-30T12:00:01.000Z\"}},"
        "\"on_hand\":{\"3\":3000},\"web_orders\":{\"105|0\":2000}}");
    free(text);
    cJSON_Delete(now);
    history_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_sentences),
        cmocka_unit_test(a_location_is_named_where_there_are_several),
        cmocka_unit_test(any_sku_is_found),
        cmocka_unit_test(more_than_are_kept_are_left_out_and_counted),
        cmocka_unit_test(the_state_is_what_was_known_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
