/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/stock.c functions/stock-moved/ledger.c functions/stock-moved/absent.c
 * functions/stock-moved/facts.c functions/stock-moved/level.c tests/fuzz/fake.c */
/*
 * Sitoo's stock: an answer that is not complete changes nothing. Answers in the order of the calls: stock of each of
 * the four warehouses, products, one row of each warehouse that must be shown to have rows.
 */
#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "functions/stock-moved/facts.h"
#include "mapping.h"
#include "quantity.h"
#include "ban.h"

#define SKUS ((size_t)3)

static void check_facts(const struct facts *f) {
    for (size_t i = 0; i < f->n; i++) {
        for (size_t w = 0; w < f->mapping->warehouse_count; w++) {
            int64_t available = f->list[i].stock[w].available;
            FUZZ_CHECK(f->list[i].settled || f->list[i].have[w] == HAVE_STOCK);
            FUZZ_CHECK(available >= -2 * QUANTITY_MAX && available <= 2 * QUANTITY_MAX);
        }
    }
    fuzz_check_effects(&f->effects, 0, f->effects.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char names[SKUS][16] = {"121292-4", "AB+C/1-2", "KILO-1"}, hint[] = "w1";
    static struct claim list[SKUS];
    struct claims claims = {.list = list, .n = SKUS};
    struct reason why = {0};
    struct facts f;
    struct app *app = fuzz_app();
    for (size_t i = 0; i < SKUS; i++) {
        list[i] = (struct claim){.entity = names[i], .hint = hint};
    }
    fake_begin(data, size);
    facts_init(&f, app->set->mapping, &claims);
    enum next next = facts_stock(app, &f, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    if (next == NEXT_DONE) {
        FUZZ_CHECK(fake_calls() >= f.mapping->warehouse_count);
        check_facts(&f);
    }
    facts_free(&f);
    return 0;
}
