/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/* Pages of Sitoo's ledger: what is handed to Redis is well formed, and no page that is no list moves anything. */
#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"

/* The cursor stands in Redis, which knows nothing here: begin in the middle, with the file's own functions. */
#include "functions/stock-moved/ledger.c" /* NOLINT(bugprone-suspicious-include) */

static void check_page(const struct page *p, enum next next, const struct reason *why) {
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why->text[0] != '\0'));
    FUZZ_CHECK(p->fresh <= p->rows && p->seen.n == 2 * p->fresh && p->hole_count <= HOLE_IDS_MAX);
    FUZZ_CHECK(next != NEXT_DONE || fake_applied() <= 1);
    FUZZ_CHECK(p->last_id >= 0);
    fuzz_check_effects(&p->effects, 0, p->effects.n);
}

/* Numbers of the first line decide what the last row was: the four cases, and that late and first never say "hole". */
static void check_chain_rule(const uint8_t *data, size_t size) {
    const struct chain last = {.known = size > 0 && data[0] % 2 == 1, .id = 16, .total = 9000};
    int64_t id = size > 1 ? data[1] : 0, delta = size > 2 ? (int64_t)data[2] * 1000 : 0;
    enum chain_verdict fits = chain_check(&last, id, delta, last.total + delta);
    FUZZ_CHECK(fits == (!last.known ? CHAIN_FIRST : id < last.id ? CHAIN_LATE : CHAIN_FITS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct app *app = fuzz_app();
    for (int by_id = 0; by_id < 2; by_id++) {
        struct page p = {.by_id = by_id == 1};
        struct reason why = {0};
        fake_begin(data, size);
        enum next next = read_page(app, "/ledger", &p, &why);
        check_page(&p, next, &why);
        page_free(&p);
    }
    struct reason why = {0};
    fake_begin(data, size);
    enum next next = ledger_read(app, &why);
    FUZZ_CHECK(next == NEXT_DONE || next == NEXT_DEFER);
    check_chain_rule(data, size);
    return 0;
}
