/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/stock.c functions/stock-moved/ledger.c functions/stock-moved/absent.c
 * functions/stock-moved/ledger_page.c functions/stock-moved/released.c
 * functions/stock-moved/facts.c functions/stock-moved/level.c tests/fuzz/fake.c */
/*
 * Sitoo's stock: an answer that is not complete changes nothing, no row is 0 only where that is proven, and everything
 * else is what the row says. Answers in the order of the calls: stock of each of
 * the four warehouses, products, one row of each warehouse that must be shown to have rows.
 */
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "functions/stock-moved/facts.h"
#include "json.h"
#include "mapping.h"
#include "quantity.h"
#include "ban.h"

#define SKUS       ((size_t)3)
#define WAREHOUSES ((size_t)4) /* of fuzz_app */

/* What the last row of a SKU says is available: as it says, or what is on hand less what is reserved. False if there is
 * no row, or none that can be read. */
static bool row_says(const cJSON *answer, const char *sku, int64_t *available) {
    const cJSON *row = NULL;
    bool found = false;
    cJSON_ArrayForEach(row, json_array(answer, "items")) {
        const char *name = json_str(row, "sku"), *text = json_str(row, "decimalavailable");
        int64_t total = 0, reserved = 0;
        if (name == NULL || strcmp(name, sku) != 0) {
            continue;
        }
        found = true;
        if (text == NULL) {
            FUZZ_CHECK(quantity_parse(json_str(row, "decimaltotal"), &total));
            FUZZ_CHECK(quantity_parse(json_str(row, "decimalreserved"), &reserved));
            *available = total - reserved;
        } else {
            FUZZ_CHECK(quantity_parse(text, available));
        }
    }
    return found;
}

/* No row is 0 only if a product of this SKU counts its stock, and something else is in that warehouse: as many later
 * answers as warehouses without a row say so. */
static void check_proven(const char *sku, size_t absent) {
    int status = 0;
    size_t filled = 0;
    bool counted = false;
    int64_t total = 0;
    const cJSON *product = NULL;
    cJSON *answer = fake_answer(WAREHOUSES, 404, &status);
    cJSON_ArrayForEach(product, json_array(answer, "items")) {
        const char *name = json_str(product, "sku");
        counted = counted || (name != NULL && strcmp(name, sku) == 0 && json_bool(product, "stockcountenable", true));
    }
    FUZZ_CHECK(counted);
    cJSON_Delete(answer);
    for (size_t i = WAREHOUSES + 1; i < fake_calls(); i++) {
        answer = fake_answer(i, 404, &status);
        filled += json_int(answer, "totalcount", &total) && total > 0 ? 1 : 0;
        cJSON_Delete(answer);
    }
    FUZZ_CHECK(filled >= absent);
}

/* Held against the answers, read a second time: nothing is known, so every warehouse is asked once, in order. */
static void check_answers(const struct facts *f) {
    size_t absent[SKUS] = {0};
    for (size_t w = 0; w < WAREHOUSES; w++) {
        int status = 0;
        int64_t total = 0, available = 0;
        cJSON *answer = fake_answer(w, 404, &status);
        FUZZ_CHECK(json_int(answer, "totalcount", &total));
        FUZZ_CHECK(total == cJSON_GetArraySize(json_array(answer, "items")));
        for (size_t i = 0; i < f->n; i++) {
            if (f->list[i].settled) {
                continue;
            }
            bool found = row_says(answer, f->list[i].sku, &available);
            FUZZ_CHECK(f->list[i].stock[w].available == (found ? available : 0));
            absent[i] += found ? 0 : 1;
        }
        cJSON_Delete(answer);
    }
    for (size_t i = 0; i < f->n; i++) {
        if (absent[i] > 0) {
            check_proven(f->list[i].sku, absent[i]);
        }
    }
}

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
        check_answers(&f);
    }
    facts_free(&f);
    return 0;
}
