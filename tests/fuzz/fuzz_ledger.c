/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/ledger_page.c functions/stock-moved/released.c tests/fuzz/fake.c */
/*
 * Pages of Sitoo's ledger: what is handed to Redis is well formed, every SKU of a page that was taken is looked at, a
 * row that does not follow from the one before it is a case, and no page that is no list moves anything.
 */
#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"

/* The cursor stands in Redis, which knows nothing here: begin in the middle, with the file's own functions. */
#include "functions/stock-moved/ledger.c" /* NOLINT(bugprone-suspicious-include) */

/* Row and total of the last row that fake.c knows of a SKU of odd length. */
#define LAST_ROW   16
#define LAST_TOTAL (9 * QUANTITY_ONE)

/* Several items of the page are of that SKU and warehouse. */
static bool named_twice(int64_t warehouse, const char *sku) {
    int status = 0;
    size_t n = 0;
    cJSON *answer = fake_answer(0, 404, &status);
    const cJSON *row = NULL, *item = NULL;
    cJSON_ArrayForEach(row, json_array(answer, "items")) {
        int64_t at = 0;
        if (!json_int(row, "warehouseid", &at) || at != warehouse) {
            continue;
        }
        cJSON_ArrayForEach(item, json_array(row, "items")) {
            const char *name = json_str(item, "sku");
            n += name != NULL && strcmp(name, sku) == 0 ? 1 : 0;
        }
    }
    cJSON_Delete(answer);
    return n > 1;
}

/* Reads an item a second time: its SKU is marked, to be computed only if the row follows from the one before it; a jump
 * is a case. */
static void check_item(const struct page *p, const cJSON *item, int64_t id, int64_t warehouse) {
    const char *sku = json_str(item, "sku"), *moved = json_str(item, "decimalquantity"),
               *after = json_str(item, "decimaltotal");
    int64_t delta = 0, total = 0;
    char hint[32], entity[320];
    if (sku == NULL || sku[0] == '\0' || strlen(sku) > 255) {
        return;
    }
    bool readable = moved != NULL && after != NULL && quantity_parse(moved, &delta) && quantity_parse(after, &total);
    if (named_twice(warehouse, sku)) {
        return; /* the row before it is another one of this page */
    }
    bool known = strlen(sku) % 2 == 1,
         jumps = known && id >= LAST_ROW && total != LAST_TOTAL + delta && !(id == LAST_ROW && total == LAST_TOTAL);
    bool follows = readable && !jumps && !(known && id < LAST_ROW);
    (void)snprintf(hint, sizeof hint, "%c%lld", follows ? 'v' : 'w', (long long)warehouse);
    (void)snprintf(entity, sizeof entity, "%lld|%s", (long long)warehouse, sku);
    FUZZ_CHECK(fuzz_has_effect(&p->brought.effects, "mark", 2, sku, 4, hint));
    FUZZ_CHECK(!readable || !jumps || fuzz_has_effect(&p->brought.effects, "notice", 1, "ledger_gap", 3, entity));
}

/* Every row of a page that was taken counts, and every SKU in it is looked at. */
static void check_rows(const struct page *p) {
    int status = 0;
    cJSON *answer = fake_answer(0, 404, &status);
    const cJSON *row = NULL, *item = NULL, *rows = json_array(answer, "items");
    FUZZ_CHECK(cJSON_IsArray(rows) && p->rows == (size_t)cJSON_GetArraySize(rows) && p->fresh <= p->rows);
    cJSON_ArrayForEach(row, rows) {
        int64_t id = 0, warehouse = 0;
        FUZZ_CHECK(json_int(row, "warehousetransactionid", &id) && id > 0 && id <= p->last_id);
        FUZZ_CHECK(json_int(row, "warehouseid", &warehouse));
        cJSON_ArrayForEach(item, json_array(row, "items")) {
            check_item(p, item, id, warehouse);
        }
    }
    for (size_t i = 0; i < p->hole_count; i++) {
        FUZZ_CHECK(p->holes[i] > LAST_ROW && p->holes[i] < p->last_id);
    }
    cJSON_Delete(answer);
}

static void check_page(const struct page *p, enum next next, const struct reason *why) {
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why->text[0] != '\0'));
    FUZZ_CHECK(p->fresh <= p->rows && p->brought.seen.n <= p->fresh && p->hole_count <= HOLE_IDS_MAX);
    FUZZ_CHECK(next != NEXT_DONE || (p->brought.seen.n == p->fresh && fake_applied() == 0));
    FUZZ_CHECK(p->last_id >= 0);
    fuzz_check_effects(&p->brought.effects, 0, p->brought.effects.n);
    if (next == NEXT_DONE) {
        check_rows(p);
    }
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
    struct page p = {.to = JSON_INT_MAX, .size = 1000};
    struct reason why = {0};
    fake_begin(data, size);
    enum next next = fetch(app, "/ledger", &p, &why);
    check_page(&p, next, &why);
    ledger_page_free(&p.brought);
    fake_begin(data, size);
    next = ledger_read(app, &why);
    FUZZ_CHECK(next == NEXT_DONE || next == NEXT_DEFER);
    check_chain_rule(data, size);
    return 0;
}
