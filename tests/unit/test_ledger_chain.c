/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/ledger_chain.c functions/onepool/ledger_entry.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/onepool/ledger_chain.h"
#include "ban.h"

#define ENTRIES 5

/* A ledger as Redis holds it: texts that a test may change. */
struct kept {
    char id[40], c[80], row[80];
};

static void make(struct kept list[ENTRIES]) {
    struct ledger_hasher *h = ledger_hasher_new();
    char prev[LEDGER_HASH_SIZE] = LEDGER_BEGIN;
    for (int i = 0; i < ENTRIES; i++) {
        struct ledger_entry e;
        struct kept *k = &list[i];
        (void)snprintf(k->id, sizeof k->id, "17000000%05d-%d", 1000 + 10 * i, i % 2);
        (void)snprintf(k->c, sizeof k->c, "%d %d %s", i + 1, i == 0 ? 0 : 10, prev);
        (void)snprintf(k->row, sizeof k->row, "{\"type\":\"movement\",\"sku\":\"S%d\"}", i);
        assert_true(ledger_entry_set(&e, k->id, k->c, k->row, strlen(k->row)));
        ledger_hash(h, &e, prev);
    }
    ledger_hasher_free(h);
}

/* The chain's end as it was before anything was changed. */
static void head_of(const struct kept list[ENTRIES], char head[LEDGER_HASH_SIZE]) {
    struct ledger_hasher *h = ledger_hasher_new();
    struct ledger_entry e;
    assert_true(ledger_entry_set(&e, list[ENTRIES - 1].id, list[ENTRIES - 1].c, list[ENTRIES - 1].row,
                                 strlen(list[ENTRIES - 1].row)));
    ledger_hash(h, &e, head);
    ledger_hasher_free(h);
}

static void check(struct ledger_chain *c, const struct kept list[ENTRIES], int first, int n, const char *head) {
    ledger_chain_init(c);
    for (int i = first; i < n; i++) {
        struct ledger_entry e;
        assert_true(ledger_entry_set(&e, list[i].id, list[i].c, list[i].row, strlen(list[i].row)));
        ledger_chain_take(c, &e);
    }
    ledger_chain_end(c, ENTRIES, head, "Redis");
}

static void a_chain_that_nobody_touched_is_whole(void **state) {
    (void)state;
    struct kept list[ENTRIES];
    char head[LEDGER_HASH_SIZE];
    struct ledger_chain c;
    make(list);
    head_of(list, head);
    check(&c, list, 0, ENTRIES, head);
    assert_int_equal(c.fault_count, 0);
    assert_int_equal(c.linked, ENTRIES);
    ledger_chain_begin_at(&c, INT64_C(1700000000000));
    assert_int_equal(c.fault_count, 0);
    ledger_chain_free(&c);
}

/* Every byte of every entry, changed to another of its kind: one fault, in that entry. */
static void any_changed_byte_is_named(void **state) {
    (void)state;
    struct kept list[ENTRIES];
    char head[LEDGER_HASH_SIZE];
    size_t tried = 0;
    make(list);
    head_of(list, head);
    for (int i = 0; i < ENTRIES; i++) {
        char *const texts[] = {list[i].id, list[i].c, list[i].row};
        for (size_t t = 0; t < 3; t++) {
            for (char *at = texts[t]; *at != '\0'; at++) {
                struct ledger_chain c;
                struct ledger_entry e;
                char was = *at;
                /* Bits that keep a digit a digit where it can be; anything else breaks the form, which is found too. */
                *at = (char)(was ^ 1);
                if (ledger_entry_set(&e, list[i].id, list[i].c, list[i].row, strlen(list[i].row))) {
                    check(&c, list, 0, ENTRIES, head);
                    if (c.fault_count != 1 || strcmp(c.faults[0].id, list[i].id) != 0) {
                        fail_msg("entry %d, text %zu, byte %zu: %zu faults, the first in %s: %s", i + 1, t,
                                 (size_t)(at - texts[t]), c.fault_count, c.faults[0].id, c.faults[0].text);
                    }
                    assert_string_equal(c.faults[0].type, t == 2 ? c.faults[0].type : "movement");
                    ledger_chain_free(&c);
                    tried++;
                }
                *at = was;
            }
        }
    }
    assert_true(tried > ENTRIES * 80);
}

static void what_is_missing_is_told(void **state) {
    (void)state;
    struct kept list[ENTRIES];
    char head[LEDGER_HASH_SIZE];
    struct ledger_chain c;
    make(list);
    head_of(list, head);
    check(&c, list, 0, ENTRIES - 2, head);
    assert_int_equal(c.fault_count, 1);
    assert_non_null(strstr(c.faults[0].text, "the newest entries, 4 to 5, are missing"));
    ledger_chain_free(&c);

    check(&c, list, 2, ENTRIES, head); /* cut off in front: allowed for what is older than the entries kept */
    assert_int_equal(c.fault_count, 0);
    ledger_chain_begin_at(&c, c.before_ms + 1);
    assert_int_equal(c.fault_count, 0);
    ledger_chain_begin_at(&c, c.before_ms);
    assert_int_equal(c.fault_count, 1);
    assert_non_null(strstr(c.faults[0].text, "up to 2, are missing"));
    ledger_chain_free(&c);

    memmove(&list[2], &list[3], 2 * sizeof list[0]);
    check(&c, list, 0, ENTRIES - 1, head);
    assert_int_equal(c.fault_count, 1);
    assert_non_null(strstr(c.faults[0].text, "entries 3 to 3, before this one, are missing"));
    ledger_chain_free(&c);
}

static void two_that_changed_places_do_not_fit(void **state) {
    (void)state;
    struct kept list[ENTRIES], swapped;
    char head[LEDGER_HASH_SIZE];
    struct ledger_chain c;
    make(list);
    head_of(list, head);
    swapped = list[2];
    (void)snprintf(list[2].row, sizeof list[2].row, "%s", list[3].row);
    (void)snprintf(list[3].row, sizeof list[3].row, "%s", swapped.row);
    check(&c, list, 0, ENTRIES, head);
    assert_true(c.fault_count >= 1);
    ledger_chain_free(&c);
}

static void entries_without_a_link(void **state) {
    (void)state;
    struct kept list[ENTRIES];
    struct ledger_chain c;
    struct ledger_entry e;
    make(list);
    ledger_chain_init(&c);
    assert_true(ledger_entry_set(&e, "1600000000000-0", NULL, "{}", 2));
    ledger_chain_take(&c, &e); /* before the chain: no fault */
    assert_int_equal(c.fault_count, 0);
    assert_int_equal(c.unlinked, 1);
    assert_true(ledger_entry_set(&e, list[0].id, list[0].c, list[0].row, strlen(list[0].row)));
    ledger_chain_take(&c, &e);
    assert_true(ledger_entry_set(&e, "1700000001001-0", NULL, "{}", 2));
    ledger_chain_take(&c, &e); /* within it: somebody added it */
    assert_int_equal(c.fault_count, 1);
    ledger_chain_free(&c);
}

static void a_chain_may_begin_anew_only_in_files(void **state) {
    (void)state;
    struct kept list[ENTRIES];
    for (int allowed = 0; allowed < 2; allowed++) {
        struct ledger_chain c;
        struct ledger_entry e;
        make(list);
        ledger_chain_init(&c);
        c.restarts_allowed = allowed == 1;
        for (int i = 0; i < 4; i++) {
            struct kept *k = &list[i % 2];
            assert_true(ledger_entry_set(&e, k->id, k->c, k->row, strlen(k->row)));
            ledger_chain_take(&c, &e);
        }
        assert_int_equal(c.restarts, allowed);
        assert_true(allowed == 1 ? c.fault_count == 0 : c.fault_count > 0);
        ledger_chain_free(&c);
    }
}

/* ---- lines of files ---- */

static void an_entry_is_the_same_after_a_file(void **state) {
    (void)state;
    static const struct {
        const char *c, *row;
    } rows[] = {
        {"7 12 " LEDGER_BEGIN, "{\"type\":\"x\",\"row\":{\"row\":1}}"},
        {"7 12 " LEDGER_BEGIN, "{\"sku\":\"A\\\"}B \xc3\xa5\",\"c\":\"\\\",\\\"row\\\":\"}"},
        {"7 12 " LEDGER_BEGIN, "no JSON, \"quoted\", \\ and a\nline"},
        {"7 12 " LEDGER_BEGIN, "[1]"},
        {NULL, "{\"type\":\"before the chain\"}"},
        {NULL, "text"},
        {"7 12 " LEDGER_BEGIN, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ledger_entry e, back;
        struct buf line;
        struct ledger_hasher *h = ledger_hasher_new();
        char first[LEDGER_HASH_SIZE], second[LEDGER_HASH_SIZE];
        assert_true(ledger_entry_set(&e, "1700000000000-3", rows[i].c, rows[i].row, strlen(rows[i].row)));
        ledger_hash(h, &e, first);
        buf_init(&line, LEDGER_LINE_MAX);
        ledger_entry_print(&e, &line);
        char *text = buf_take(&line);
        size_t len = strlen(text);
        assert_int_equal(text[len - 1], '\n');
        assert_int_equal(strcspn(text, "\n"), len - 1);
        text[len - 1] = '\0';
        if (!ledger_entry_line(&back, text, len - 1)) {
            fail_msg("row %zu is not read back", i);
        }
        ledger_hash(h, &back, second);
        assert_string_equal(back.row, rows[i].row);
        assert_string_equal(first, second);
        assert_int_equal(back.link, e.link);
        assert_int_equal(back.n, e.n);
        ledger_entry_free(&back);
        ledger_hasher_free(h);
        free(text);
    }
}

static void lines_that_are_none(void **state) {
    (void)state;
    static const char *const lines[] = {"",
                                        "{}",
                                        "{\"id\":\"",
                                        "{\"id\":\"1-0\"",
                                        "{\"id\":\"x\",\"row\":{}}",
                                        "{\"id\":\"1\",\"row\":{}}",
                                        "{\"id\":\"-1-0\",\"row\":{}}",
                                        "{\"id\":\"1-0\",\"c\":\"1 0 x\"",
                                        "{\"id\":\"1-0\",\"text\":7}",
                                        "[{\"id\":\"1-0\",\"row\":{}}]",
                                        "{\"id\":\"99999999999999999999-0\",\"row\":{}}"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct ledger_entry e;
        char text[200];
        (void)snprintf(text, sizeof text, "%s", lines[i]);
        if (ledger_entry_line(&e, text, strlen(text))) {
            fail_msg("taken as an entry: %s", lines[i]);
        }
        ledger_entry_free(&e);
    }
}

static void links_that_are_none(void **state) {
    (void)state;
    static const char *const links[] = {"",
                                        "1",
                                        "1 0",
                                        "1 0 " LEDGER_BEGIN "0",
                                        "0 0 " LEDGER_BEGIN,
                                        "01 0 " LEDGER_BEGIN,
                                        "1 -1 " LEDGER_BEGIN,
                                        "+1 0 " LEDGER_BEGIN,
                                        "1  0 " LEDGER_BEGIN,
                                        "1 0 A000000000000000000000000000000000000000",
                                        "99999999999999999 0 " LEDGER_BEGIN};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct ledger_entry e;
        assert_true(ledger_entry_set(&e, "1-0", links[i], "{}", 2));
        if (e.link != LINK_BAD) {
            fail_msg("taken as a link: %s", links[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_that_nobody_touched_is_whole),
        cmocka_unit_test(any_changed_byte_is_named),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(two_that_changed_places_do_not_fit),
        cmocka_unit_test(entries_without_a_link),
        cmocka_unit_test(a_chain_may_begin_anew_only_in_files),
        cmocka_unit_test(an_entry_is_the_same_after_a_file),
        cmocka_unit_test(lines_that_are_none),
        cmocka_unit_test(links_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
