/* SPDX-License-Identifier: Apache-2.0 */
/* What a webhook about products, SKUs and price lists makes due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "product_hook.h"
#include "json.h"
#include "ban.h"

/* Effects as one text: words of an effect separated by spaces, effects by "; "; counters are left out, and of a case
 * only its cause and text are shown. */
static char *words_of(const struct args *a) {
    struct buf text;
    buf_init(&text, 100000);
    for (size_t i = 0; i < a->n;) {
        const char *verb = a->argv[i];
        const char *before = buf_str(&text)[0] != '\0' ? "; " : "";
        if (strcmp(verb, "count") == 0) {
            i += 3;
        } else if (strcmp(verb, "mark_in") == 0) {
            buf_addf(&text, "%s%s in %s", before, a->argv[i + 2], a->argv[i + 3]);
            assert_string_equal(a->argv[i + 1], "product");
            i += 5;
        } else if (strcmp(verb, "mark") == 0) {
            buf_addf(&text, "%s%s %s", before, a->argv[i + 1], a->argv[i + 2]);
            i += 6;
        } else {
            assert_string_equal(verb, "case");
            assert_string_equal(a->argv[i + 2], "merchandising");
            buf_addf(&text, "%s%s: %s", before, a->argv[i + 1], a->argv[i + 4]);
            i += 10;
        }
    }
    char *out = xstrdup(buf_str(&text));
    buf_free(&text);
    return out;
}

static char *plan(const struct mapping_products *products, const char *scope, const char *json, struct args *effects) {
    struct mapping mapping = {.owner_mapping = "merchandising", .products = *products};
    const struct settings set = {.mapping = &mapping};
    const struct app app = {.set = &set};
    struct hook hook = {.body = "bytes", .body_len = 5, .scope = scope};
    cJSON *data = json_read(json, strlen(json), hook.error, sizeof hook.error);
    hook.data = data;
    if (data != NULL) {
        hook.error[0] = '\0';
    }
    product_hook_plan(&app, &hook, effects);
    cJSON_Delete(data);
    return words_of(effects);
}

static void expect(const struct mapping_products *products, const char *scope, const char *json, const char *want) {
    struct args effects = {0};
    char *got = plan(products, scope, json, &effects);
    if (want[0] == '~' ? strstr(got, want + 1) == NULL : strcmp(got, want) != 0) {
        fail_msg("%s %s:\n%s\nnot\n%s", scope, json, got, want);
    }
    free(got);
    args_free(&effects);
}

#define CATALOG \
    { .on = true, .debounce_s = 60 }
#define LIST \
    { .on = true, .debounce_s = 5, .from_price_list = true, .price_list_id = 1 }
#define SKU    "{\"type\":\"sku\",\"id\":461,\"sku\":{\"product_id\":206,\"variant_id\":509}}"
#define RECORD "{\"price_list_id\":1,\"variant_id\":179,\"currency\":\"USD\"}"

static void a_webhook_makes_its_product_due_after_the_debounce(void **state) {
    static const struct mapping_products catalog = CATALOG;
    static const struct {
        const char *scope, *data, *want; /* "~": holds this */
    } rows[] = {
        {"store/product/created", "{\"type\":\"product\",\"id\":205}", "205 in 60000"},
        {"store/product/updated", "{\"type\":\"product\",\"id\":\"205\"}", "205 in 60000"},
        {"store/product/updated",
         "{\"type\":\"product\",\"id\":205,\"properties\":[\"warranty\"],\"context\":{\"channel_id\":2}}",
         "205 in 60000"},
        {"store/product/deleted", "{\"type\":\"product\",\"id\":205}", "205 in 60000"},
        {"store/sku/created", SKU, "206 in 60000"},
        {"store/sku/updated", SKU, "206 in 60000"},
        {"store/sku/deleted", SKU, "206 in 60000"},
        {"store/product/inventory/updated", "{\"type\":\"product\",\"id\":167,\"inventory\":{\"product_id\":167}}", ""},
        {"store/sku/inventory/order/updated", "{\"type\":\"sku\",\"id\":461,\"inventory\":{\"product_id\":206}}", ""},
        {"store/sku/updated", "{\"type\":\"sku\",\"id\":461}", "~bad_hook: data.sku.product_id"},
        {"store/sku/updated", "{\"type\":\"sku\",\"id\":461,\"sku\":{\"variant_id\":509}}",
         "~bad_hook: data.sku.product_id"},
        {"store/product/updated", "{\"type\":\"product\"}", "~bad_hook: data.id"},
        {"store/product/updated", "{\"id\":0}", "~bad_hook: data.id"},
        {"store/product/updated", "{\"id\":-5}", "~bad_hook: data.id"},
        {"store/product/updated", "{\"id\":2.5}", "~bad_hook: data.id"},
        {"store/product/updated", "[205]", "~bad_hook: data.id"},
        {"store/product/updated", "{\"id\":205", "~bad_hook: "},
        {"store/order/updated", "{\"type\":\"order\",\"id\":205}", "~bad_hook: the scope"},
        {"", "{\"id\":205}", "~bad_hook: the scope"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(&catalog, rows[i].scope, rows[i].data, rows[i].want);
    }
}

static void without_the_section_nothing_is_due(void **state) {
    static const struct mapping_products off = {.debounce_s = 60, .from_price_list = true, .price_list_id = 1};
    (void)state;
    expect(&off, "store/product/updated", "{\"id\":205}", "");
    expect(&off, "store/product/updated", "{\"id\":", "");
    expect(&off, "store/sku/updated", SKU, "");
    expect(&off, "store/priceList/record/updated", RECORD, "");
    expect(&off, "store/priceLists/deleted", "{\"price_list_ids\":[1]}", "");
}

static void prices_are_due_only_if_they_come_from_that_list(void **state) {
    static const struct mapping_products catalog = CATALOG, list = LIST;
    static const struct {
        const char *scope, *data, *want;
    } rows[] = {
        {"store/priceList/record/created", RECORD, "v179 in 5000"},
        {"store/priceList/record/updated", "{\"price_list_id\":2,\"variant_id\":179}", ""},
        {"store/priceList/record/deleted", "{\"variant_id\":179}", "v179 in 5000"},
        {"store/priceList/record/updated", "{\"price_list_id\":1}", "~bad_hook: data.variant_id"},
        {"store/priceList/record/updated", "[" RECORD "]", "~bad_hook: data.variant_id"},
        {"store/priceList/records/created", "[" RECORD ",{\"price_list_id\":2,\"variant_id\":180}]", "v179 in 5000"},
        {"store/priceList/records/updated", "[]", ""},
        {"store/priceList/records/updated", "[{\"price_list_id\":1},7," RECORD ",null]",
         "v179 in 5000; bad_hook: data holds records without variant_id"},
        {"store/priceList/records/updated", RECORD, "bad_hook: data is no list of price records"},
        {"store/priceList/created", "{\"price_list_id\":1}", "catalog sweep"},
        {"store/priceList/updated/", "{\"price_list_id\":5}", ""},
        {"store/priceList/activated", "{}", "catalog sweep"},
        {"store/priceList/assignment/updated", "{\"price_list_id\":1,\"channel_id\":1}", "catalog sweep"},
        {"store/priceLists/deleted", "{\"price_list_ids\":[5]}", ""},
        {"store/priceLists/deleted", "{\"price_list_ids\":[5,1]}", "catalog sweep"},
        {"store/priceLists/deleted", "{}", "catalog sweep"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(&list, rows[i].scope, rows[i].data, rows[i].want);
        expect(&catalog, rows[i].scope, rows[i].data, "");
    }
}

static void of_more_records_than_there_can_be_the_first_are_due(void **state) {
    static const struct mapping_products list = LIST;
    struct args effects = {0};
    struct buf json;
    (void)state;
    buf_init(&json, 100000);
    for (int i = 0; i <= PRODUCT_HOOK_RECORDS_MAX; i++) {
        buf_addf(&json, "%s{\"price_list_id\":1,\"variant_id\":%d}", i > 0 ? "," : "[", i + 1);
    }
    buf_add_str(&json, "]");
    char *got = plan(&list, "store/priceList/records/updated", buf_str(&json), &effects);
    assert_non_null(strstr(got, "v1000 in 5000; bad_hook: data holds more than 1,000"));
    assert_null(strstr(got, "v1001 "));
    free(got);
    buf_free(&json);
    args_free(&effects);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_makes_its_product_due_after_the_debounce),
        cmocka_unit_test(without_the_section_nothing_is_due),
        cmocka_unit_test(prices_are_due_only_if_they_come_from_that_list),
        cmocka_unit_test(of_more_records_than_there_can_be_the_first_are_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
