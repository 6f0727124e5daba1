/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/query.c tests/fuzz/fake.c */
/*
 * BigCommerce's answers about inventory items: which item a SKU is, and what its level is. Answers in the order of the
 * calls: items of the SKUs, variants and products of those not found, items of one hook, levels by variant, levels by
 * product.
 */
#include <stdlib.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "functions/stock-moved/write.h"
#include "identity.h"
#include "json.h"
#include "ban.h"

static void check_identities(const struct identity *found, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct identity *one = &found[i];
        FUZZ_CHECK(!identity_usable(one) || one->product_id > 0);
        FUZZ_CHECK(one->state != IDENTITY_BY_VARIANT || one->variant_id > 0);
    }
}

static void check_levels(struct app *app) {
    const struct identity variant = {IDENTITY_BY_VARIANT, 200, 5000}, product = {IDENTITY_BY_PRODUCT, 201, 0};
    struct reason why = {0};
    struct level_query q[] = {{.location_id = 1, .item = &variant},
                              {.location_id = 7, .item = &variant},
                              {.location_id = 1, .item = &product}};
    enum next next = levels_query(app, q, 3, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    for (size_t i = 0; i < 3; i++) {
        FUZZ_CHECK(q[i].found || q[i].level == 0);
        FUZZ_CHECK(q[i].level >= -JSON_INT_MAX && q[i].level <= JSON_INT_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const skus[] = {"121292-4", "AB+C/1-2"};
    struct identity found[2];
    struct reason why = {0};
    struct args effects = {0};
    struct app *app = fuzz_app();
    char *sku = NULL;
    fake_begin(data, size);
    if (identity_resolve(app, skus, 2, found, &why) == NEXT_DONE) {
        check_identities(found, 2);
        identity_case(app, skus[0], &found[0], IDENTITY_SOLD, &effects);
        identity_case(app, skus[1], &found[1], IDENTITY_RESOLVED, &effects);
        fuzz_check_effects(&effects, 0, effects.n);
    }
    FUZZ_CHECK(identity_sku(app, 200, 5000, &sku, &why) != NEXT_DONE || sku == NULL || sku[0] != '\0');
    check_levels(app);
    free(sku);
    args_free(&effects);
    return 0;
}
