/* SPDX-License-Identifier: Apache-2.0 */
/* What bytes that were received once make due again: the same as when they came, and nothing besides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "feed.h"
#include "hook.h"
#include "hook_plans.h"
#include "order_hook.h"
#include "product_hook.h"
#include "replay.h"
#include "stock_hook.h"
#include "web_hook.h"
#include "ban.h"

static struct mapping_location locations[] = {{.location_id = 1}};
static struct mapping mapping = {.owner_stock = "operations",
                                 .owner_mapping = "operations",
                                 .owner_money = "operations",
                                 .owner_pickup = "operations",
                                 .locations = locations,
                                 .location_count = 1};
static struct settings settings = {.mapping = &mapping, .sitoo_account_id = 1500, .sitoo_site_id = 1};
static const struct app app = {.set = &settings};

/* "order 11513, ledger main" */
static void expect(const char *source, const char *path, const char *bytes, const char *due, bool understood) {
    struct replay r;
    struct buf text;
    const char *queue = NULL, *entity = NULL;
    size_t at = 0, n = 0;
    replay_read(&app, source, path, bytes, strlen(bytes), &r);
    buf_init(&text, 1000);
    while (replay_mark(&r.marks, &at, &queue, &entity)) {
        buf_addf(&text, "%s%s %s", n++ > 0 ? ", " : "", queue, entity);
    }
    assert_string_equal(buf_str(&text), due);
    assert_int_equal(r.due, n);
    assert_int_equal(r.understood, understood);
    assert_int_equal(r.problem[0] == '\0', understood);
    assert_int_equal(r.closes.n > 0, understood); /* what is not understood keeps its case */
    for (size_t i = 0; i < r.marks.n;) {
        assert_true(strncmp(r.marks.argv[i], "mark", 4) == 0);
        i += strcmp(r.marks.argv[i], "mark") == 0 ? 6 : 5;
    }
    buf_free(&text);
    replay_free(&r);
}

#define EVENT(type, data) "{\"event_id\":\"e1\",\"event_type\":\"" type "\",\"account_id\":1500,\"data\":" data "}"
#define ORDER             EVENT("order", "{\"eshop_id\":1,\"order_id\":11513,\"order_event_type\":\"add\"}")

static void an_event_of_the_tills_is_due_as_it_was(void **state) {
    (void)state;
    expect(FEED_SOURCE, NULL, ORDER, "order 11513, ledger main", true);
    expect(FEED_SOURCE, "", " " ORDER " ", "order 11513, ledger main", true);
    expect(FEED_SOURCE, "", EVENT("warehouse-transaction", "{}"), "ledger main", true);
    expect(FEED_SOURCE, "", EVENT("day-report", "{}"), "", true); /* counted only, and not again */
    expect(FEED_SOURCE, "", EVENT("order", "{\"eshop_id\":2,\"order_id\":1}"), "", true);
}

/* Bodies that were stored whole because they were no list are read as a body. */
static void a_body_is_read_as_a_body(void **state) {
    (void)state;
    expect(FEED_SOURCE, "", "[" ORDER "," EVENT("shipment", "{}") "]", "order 11513, ledger main, ledger main", true);
    expect(FEED_SOURCE, "", "[" ORDER ",{]", "ledger main", false);
    expect(FEED_SOURCE, "", "\r\n[" ORDER ",{\"event_id\":7}]", "order 11513, ledger main", false);
}

static void what_is_not_understood_says_why_and_makes_no_case(void **state) {
    (void)state;
    expect(FEED_SOURCE, "", EVENT("order", "{\"eshop_id\":1}"), "", false);
    expect(FEED_SOURCE, "", "", "", false);
    expect(FEED_SOURCE, "", "no json", "", false);
    expect(HOOK_SOURCE, "", "no json", "", false);
    expect(HOOK_SOURCE, "", "{\"scope\":\"store/order/updated\",\"data\":{}}", "", false);
    expect(HOOK_SOURCE, "/hooks/bigcommerce/order-updated", "no json", "", false);
    expect(HOOK_SOURCE, "", "{\"scope\":\"store/customer/created\",\"data\":{\"id\":1}}", "", false);
    expect("somebody", "", ORDER, "", false);
}

#define HOOK(scope, data) "{\"scope\":\"" scope "\",\"data\":" data ",\"hash\":\"h\"}"

static void a_webhook_is_read_by_its_route(void **state) {
    (void)state;
    const char *body = HOOK("store/order/created", "{\"id\":250}");
    expect(HOOK_SOURCE, "/hooks/bigcommerce/order-created", body, "handover 250", true);
    expect(HOOK_SOURCE, "/hooks/bigcommerce/order-updated", body, "weborder 250", true);
    /* Stored before the journal kept routes, or as a case: by its scope. */
    expect(HOOK_SOURCE, "", body, "handover 250", true);
    expect(HOOK_SOURCE, NULL, HOOK("store/order/refund/created", "{\"id\":250}"), "weborder 250, refund 250", true);
    expect(HOOK_SOURCE, "/gone", HOOK("store/order/transaction/created", "{\"id\":250}"), "weborder 250", true);
    expect(HOOK_SOURCE, "",
           HOOK("store/channel/1/inventory/product/stock_changed",
                "{\"product_id\":113,\"variant_id\":127,\"location_id\":1}"),
           "item 113:127", true);
    expect(HOOK_SOURCE, "",
           HOOK("store/channel/1/inventory/product/stock_changed", "{\"product_id\":113,\"location_id\":9}"), "", true);
}

/* A case of its own, which is understood: only its mark is done again. */
static void trouble_with_a_webhook_makes_no_second_case(void **state) {
    (void)state;
    expect(HOOK_SOURCE, "", HOOK("store/hook/deliveryException", "{\"id\":1,\"error_code\":90002}"), "hooks main",
           true);
    expect(HOOK_SOURCE, "", HOOK("store/hook/deliveryException", "{\"id\":1,\"error_code\":90001}"), "", true);
}

static void products_wait_as_they_did(void **state) {
    (void)state;
    const char *body = HOOK("store/product/updated", "{\"id\":205}");
    expect(HOOK_SOURCE, "", body, "", true); /* products do not flow */
    mapping.products.on = true;
    mapping.products.debounce_s = 5;
    struct replay r;
    replay_read(&app, HOOK_SOURCE, "", body, strlen(body), &r);
    assert_int_equal(r.due, 1);
    assert_string_equal(r.marks.argv[0], "mark_in");
    assert_string_equal(r.marks.argv[3], "5000");
    replay_free(&r);
    mapping.products.on = false;
}

static void every_scope_has_a_plan(void **state) {
    (void)state;
    static const struct {
        const char *body;
        hook_plan plan;
    } all[] = {{HOOK("store/order/created", "{}"), created_hook_plan},
               {HOOK("store/order/archived", "{}"), order_hook_plan},
               {HOOK("store/sku/updated", "{}"), product_hook_plan},
               {HOOK("store/priceList/records/updated", "[]"), product_hook_plan},
               {HOOK("store/priceList/deleted", "{}"), product_hook_plan},
               {HOOK("store/channel/12/inventory/product/stock_changed", "{}"), stock_hook_plan},
               {HOOK("store/channel/inventory/product/stock_changed", "{}"), NULL},
               {HOOK("store/cart/created", "{}"), NULL},
               {"{}", NULL},
               {"", NULL}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(hook_plan_of(NULL, all[i].body, strlen(all[i].body)) == all[i].plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_of_the_tills_is_due_as_it_was),
        cmocka_unit_test(a_body_is_read_as_a_body),
        cmocka_unit_test(what_is_not_understood_says_why_and_makes_no_case),
        cmocka_unit_test(a_webhook_is_read_by_its_route),
        cmocka_unit_test(trouble_with_a_webhook_makes_no_second_case),
        cmocka_unit_test(products_wait_as_they_did),
        cmocka_unit_test(every_scope_has_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
