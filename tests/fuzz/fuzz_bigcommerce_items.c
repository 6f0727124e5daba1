/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/*
 * BigCommerce's answers about inventory items: which item a SKU is, and what its level is. Answers in the order of the
 * calls: items of the SKUs, variants and products of those not found, items of one hook, levels by variant, levels by
 * product.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "functions/stock-moved/write.h"
#include "identity.h"
#include "json.h"
#include "ban.h"

/* Whether a product of this id stands in one of the first `calls` answers with that tracking, or with
 * another one. */
static bool tracked(int64_t product_id, const char *tracking, bool same, size_t calls) {
    bool found = false;
    for (size_t i = 0; i < calls; i++) {
        int status = 0;
        cJSON *answer = fake_answer(i, 204, &status);
        const cJSON *product = NULL;
        cJSON_ArrayForEach(product, json_array(answer, "data")) {
            int64_t id = 0;
            const char *text = json_str(product, "inventory_tracking");
            found = found || (json_id(product, "id", &id) && id == product_id && text != NULL &&
                              (strcmp(text, tracking) == 0) == same);
        }
        cJSON_Delete(answer);
    }
    return found;
}

/* A level is written only where BigCommerce tracks stock, and in the way it does. */
static void check_identities(const struct identity *found, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct identity *one = &found[i];
        if (identity_usable(one)) {
            bool by_variant = one->state == IDENTITY_BY_VARIANT;
            FUZZ_CHECK(one->product_id > 0 && (!by_variant || one->variant_id > 0));
            FUZZ_CHECK(tracked(one->product_id, by_variant ? "variant" : "product", true, fake_calls()));
        } else if (one->state == IDENTITY_WRONG_TRACKING) {
            FUZZ_CHECK(tracked(one->product_id, "none", false, fake_calls()));
        }
    }
}

/* Whether an item of this id has that level at that location in this answer. */
static bool says(const cJSON *answer, const char *key, int64_t id, const struct level_query *q) {
    const cJSON *item = NULL, *place = NULL;
    bool found = false;
    cJSON_ArrayForEach(item, json_array(answer, "data")) {
        int64_t n = 0, location = 0, level = 0;
        bool same = json_id(json_get(item, "identity"), key, &n) && n == id;
        cJSON_ArrayForEach(place, json_array(item, "locations")) {
            found = found || (same && json_id(place, "location_id", &location) && location == q->location_id &&
                              json_int(place, "total_inventory_onhand", &level) && level == q->level);
        }
    }
    return found;
}

/* The answer to one call for levels: whole, and it says what was found. */
static void check_answer(size_t call, const struct level_query *q, size_t n, bool by_variant) {
    int status = 0;
    int64_t total = 1;
    cJSON *answer = fake_answer(call, 204, &status);
    const cJSON *data = json_array(answer, "data");
    (void)json_int(json_get(json_get(answer, "meta"), "pagination"), "total", &total);
    FUZZ_CHECK(data != NULL && cJSON_GetArraySize(data) >= total);
    for (size_t i = 0; i < n; i++) {
        const struct identity *item = q[i].item;
        FUZZ_CHECK(!q[i].found || says(answer, by_variant ? "variant_id" : "product_id",
                                       by_variant ? item->variant_id : item->product_id, &q[i]));
    }
    cJSON_Delete(answer);
}

static void check_levels(struct app *app) {
    const struct identity variant = {IDENTITY_BY_VARIANT, 200, 5000}, product = {IDENTITY_BY_PRODUCT, 201, 0};
    struct reason why = {0};
    struct level_query q[] = {{.location_id = 1, .item = &variant},
                              {.location_id = 7, .item = &variant},
                              {.location_id = 1, .item = &product}};
    size_t first = fake_calls();
    enum next next = levels_query(app, q, 3, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    if (next == NEXT_DONE) {
        check_answer(first, q, 2, true);
        check_answer(first + 1, q + 2, 1, false);
    }
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
