/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/write.c functions/stock-moved/golive.c */
/* links: tests/unit/plan.c functions/stock-moved/rows.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/stock-moved/write.h"
#include "buf.h"
#include "gate.h"
#include "json.h"
#include "plan.h"
#include "ban.h"

#define BY_VARIANT(v) \
    { .state = IDENTITY_BY_VARIANT, .product_id = 113, .variant_id = (v) }
#define BY_PRODUCT(p) \
    { .state = IDENTITY_BY_PRODUCT, .product_id = (p), .variant_id = 74 }
#define BODY(items) "{\"reason\":\"onepool: stock of the shops\",\"items\":[" items "]}"

static struct fact variant = {.sku = "121292-4", .item = BY_VARIANT(74)};
static struct fact product = {.sku = "44079-0", .item = BY_PRODUCT(111)};
static struct fact large = {.sku = "A|\"B\" \xc3\xa5", .item = BY_VARIANT(INT64_C(4294967297))};

static void a_body_is_an_absolute_adjustment_by_id(void **state) {
    const struct {
        const char *name;
        struct level_item items[3];
        size_t n;
        const char *want;
    } rows[] = {
        {"none", {{0}}, 0, BODY("")},
        {"by variant",
         {{.fact = &variant, .location_id = 1, .level = 3, .was = 4, .till_ms = 1463041119000}},
         1,
         BODY("{\"location_id\":1,\"variant_id\":74,\"quantity\":3}")},
        {"by product, to 0",
         {{.fact = &product, .location_id = 2, .level = 0, .was = 7}},
         1,
         BODY("{\"location_id\":2,\"product_id\":111,\"quantity\":0}")},
        {"in the order given",
         {{.fact = &variant, .location_id = 1, .level = 1},
          {.fact = &product, .location_id = 1, .level = 2},
          {.fact = &variant, .location_id = 2, .level = 0}},
         3,
         BODY("{\"location_id\":1,\"variant_id\":74,\"quantity\":1},"
              "{\"location_id\":1,\"product_id\":111,\"quantity\":2},"
              "{\"location_id\":2,\"variant_id\":74,\"quantity\":0}")},
        {"large numbers are written out",
         {{.fact = &large, .location_id = 3000000000, .level = LEVEL_MAX}},
         1,
         BODY("{\"location_id\":3000000000,\"variant_id\":4294967297,\"quantity\":2147483647}")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *body = write_body(rows[i].items, rows[i].n);
        plan_same(rows[i].name, body, rows[i].want);
        free(body);
    }
}

static void a_full_batch_holds_every_item(void **state) {
    struct level_item *items = xcalloc(WRITE_ITEMS_MAX, sizeof *items);
    int64_t last = 0;
    (void)state;
    for (size_t i = 0; i < WRITE_ITEMS_MAX; i++) {
        items[i] = (struct level_item){.fact = &variant, .location_id = 1, .level = (int64_t)i};
    }
    char *body = write_body(items, WRITE_ITEMS_MAX);
    cJSON *json = plan_parse(body);
    const cJSON *list = json_array(json, "items");
    assert_int_equal(cJSON_GetArraySize(list), 2000);
    assert_true(json_int(cJSON_GetArrayItem(list, 1999), "quantity", &last));
    assert_int_equal(last, 1999);
    cJSON_Delete(json);
    free(body);
    free(items);
}

static void an_intent_keeps_ids_and_levels_only(void **state) {
    const struct level_item items[] = {{.fact = &variant, .location_id = 1, .level = 3, .was = 4},
                                       {.fact = &product, .location_id = 2, .level = 0, .was = 7},
                                       {.fact = &large, .location_id = 1, .level = LEVEL_MAX}};
    char digest[17], want[300];
    int64_t at_ms = 0;
    char *body = write_body(items, 3);
    char *intent = write_intent(items, 3, body);
    cJSON *json = plan_parse(intent);
    (void)state;
    gate_digest(body, digest);
    assert_true(json_int(json, "at_ms", &at_ms));
    assert_true(at_ms > INT64_C(1700000000000));
    (void)snprintf(want, sizeof want,
                   "{\"digest\":\"%s\",\"at_ms\":%lld,\"levels\":{\"1|121292-4\":3,\"2|44079-0\":0,"
                   "\"1|A|\\\"B\\\" \xc3\xa5\":2147483647}}",
                   digest, (long long)at_ms);
    plan_same("intent", intent, want);
    cJSON_Delete(json);
    free(intent);
    free(body);
}

static void a_digest_tells_bodies_apart(void **state) {
    char digest[17], other[17];
    (void)state;
    gate_digest("abc", digest);
    assert_string_equal(digest, "ba7816bf8f01cfea"); /* the SHA-256 example of FIPS 180-2, B.1 */
    gate_digest(BODY(""), other);
    assert_string_not_equal(digest, other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_an_absolute_adjustment_by_id),
        cmocka_unit_test(a_full_batch_holds_every_item),
        cmocka_unit_test(an_intent_keeps_ids_and_levels_only),
        cmocka_unit_test(a_digest_tells_bodies_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
