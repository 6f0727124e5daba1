/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/private_redis.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "exceptions.h"
#include "json.h"
#include "keys.h"
#include "private_redis.h"
#include "queue.h"
#include "ban.h"

static struct mapping mapping = {.owner_mapping = "merchandising", .owner_money = "finance"};
static struct settings settings = {.mapping = &mapping};
static struct app app = {.name = "test", .set = &settings};

static int open_app(void **state) {
    int rc = empty(state);
    app.redis = client();
    return rc;
}

static int close_app(void **state) {
    (void)state;
    redis_free(app.redis);
    return 0;
}

/* n exceptions of the kind, SKUs S0, S1, ..., each dearer than the next. */
static void add(struct exceptions *e, enum exception_kind kind, size_t n) {
    e->list = xrealloc(e->list, e->n + n, sizeof *e->list);
    for (size_t i = 0; i < n; i++) {
        char sku[32];
        (void)snprintf(sku, sizeof sku, "S%zu", i);
        e->list[e->n++] = (struct exception){.kind = kind,
                                             .sku = xstrdup(sku),
                                             .other = xstrdup(""),
                                             .web_price = 5900,
                                             .till_price = -1,
                                             .units_sold = 1500,
                                             .stake = (int64_t)(n - i),
                                             .text = "what",
                                             .step = "step",
                                             .owner = mapping.owner_mapping};
        e->by_kind[kind]++;
    }
}

static void store(enum exception_kind kind, size_t n) {
    struct exceptions e = {0};
    struct reason why = {0};
    add(&e, kind, n);
    assert_int_equal(exceptions_store(&app, &e, "SEK", &why), NEXT_DONE);
    exceptions_free(&e);
}

static cJSON *load(void) {
    struct reason why = {0};
    cJSON *json = NULL, *read = NULL;
    char error[80];
    assert_int_equal(exceptions_load(&app, &json, &why), NEXT_DONE);
    if (json != NULL) {
        char *text = json_print(json);
        read = json_read(text, strlen(text), error, sizeof error);
        assert_non_null(read);
        free(text);
    }
    cJSON_Delete(json);
    return read;
}

/* "kind n first last" */
static void loaded(const char *kind, int n, const char *first, const char *last) {
    cJSON *json = load();
    const cJSON *list = json_array(json, "exceptions");
    int64_t at = 0, counted = 0;
    assert_int_equal(cJSON_GetArraySize(list), n);
    assert_true(json_int(json, "at_ms", &at) && at > 0);
    assert_string_equal(json_str(json, "currency"), "SEK");
    assert_true(json_int(json_get(json, "counts"), kind, &counted));
    assert_int_equal(counted, n);
    if (n > 0) {
        assert_string_equal(json_str(cJSON_GetArrayItem(list, 0), "sku"), first);
        assert_string_equal(json_str(cJSON_GetArrayItem(list, n - 1), "sku"), last);
        assert_string_equal(json_str(cJSON_GetArrayItem(list, 0), "web_price"), "59.00");
        assert_true(cJSON_IsNull(json_get(cJSON_GetArrayItem(list, 0), "till_price")));
    }
    cJSON_Delete(json);
}

static void a_result_takes_the_place_of_the_former_one(void **state) {
    (void)state;
    assert_null(load());
    store(EXCEPTION_PRICE, 3);
    loaded("price_differs", 3, "S0", "S2");
    store(EXCEPTION_VAT, 1234);
    loaded("vat_differs", 1234, "S0", "S1233");
    loaded("vat_differs", 1234, "S0", "S1233");
    store(EXCEPTION_VAT, 0);
    loaded("vat_differs", 0, NULL, NULL);
    assert_int_equal(must(app.redis, "EXISTS {shop}:exceptions"), 0);
}

static void cases_are_raised_for_the_dearest_and_closed(void **state) {
    (void)state;
    store(EXCEPTION_PRICE, EXCEPTION_CASES_MAX + 2);
    assert_int_equal(must(app.redis, "ZCARD {shop}:parked"), EXCEPTION_CASES_MAX + 1);
    assert_int_equal(must(app.redis, "EXISTS {shop}:case:price_differs:S49 {shop}:case:price_differs_more:catalog"), 2);
    assert_int_equal(must(app.redis, "EXISTS {shop}:case:price_differs:S50"), 0);
    store(EXCEPTION_PRICE, 1);
    assert_int_equal(must(app.redis, "ZCARD {shop}:parked"), 1);
    /* Seen again, it is not counted again. */
    assert_int_equal(must(app.redis, "HINCRBY {shop}:case:price_differs:S0 count 0"), 1);
    store(EXCEPTION_PRICE, 0);
    assert_int_equal(must(app.redis, "ZCARD {shop}:parked"), 0);
    assert_int_equal(must(app.redis, "EXISTS {shop}:exceptions:cases"), 0);
}

static void cases_of_others_stay_as_they_are(void **state) {
    struct args effects = {0};
    struct reason why = {0};
    const struct parked mine = {.cause = "near_duplicate",
                                .owner = "x",
                                .entity = "S0",
                                .text = "",
                                .effect = "",
                                .step = "",
                                .queue = "product",
                                .job = "7"};
    const struct parked other = {.cause = "unknown_sku",
                                 .owner = "x",
                                 .entity = "S1",
                                 .text = "",
                                 .effect = "",
                                 .step = "",
                                 .queue = "",
                                 .job = ""};
    (void)state;
    effect_case(&effects, &mine);
    effect_case(&effects, &other);
    assert_int_equal(effects_apply(app.redis, &effects, &why), NEXT_DONE);
    args_free(&effects);
    store(EXCEPTION_NEAR_DUPLICATE, 2);
    assert_int_equal(must(app.redis, "ZCARD {shop}:parked"), 3);
    /* Its job is still 7. */
    assert_int_equal(must(app.redis, "HINCRBY {shop}:case:near_duplicate:S0 job 0"), 7);
    store(EXCEPTION_NEAR_DUPLICATE, 0);
    assert_int_equal(must(app.redis, "ZCARD {shop}:parked"), 2);
}

static void twenty_thousand_are_stored_at_once(void **state) {
    (void)state;
    store(EXCEPTION_PRICE, 20000);
    loaded("price_differs", 20000, "S0", "S19999");
}

static void ring_up(const char *sku, const char *quantity, int64_t days_ago) {
    char command[300];
    (void)snprintf(command, sizeof command,
                   "XADD {shop}:ledger %lld-* row {\"type\":\"sale\",\"sku\":\"%s\",\"quantity\":\"%s\"}",
                   (long long)(clock_wall_ms() - days_ago * 86400 * 1000), sku, quantity);
    redisReply *reply = NULL;
    struct reason why = {0};
    assert_int_equal(run(app.redis, command, false, &reply, &why), NEXT_DONE);
    freeReplyObject(reply);
}

static void sales_of_the_last_days_are_added_up(void **state) {
    struct sold sold;
    struct reason why = {0};
    (void)state;
    ring_up("A", "5.000", 31);
    ring_up("B", "1.000", 29);
    for (int i = 0; i < 1500; i++) {
        ring_up("A", "1.000", 2);
    }
    ring_up("B", "0.500", 1);
    redisReply *reply = NULL;
    assert_int_equal(
        run(app.redis, "XADD {shop}:ledger * row {\"type\":\"verdict\",\"sku\":\"sale\"}", false, &reply, &why),
        NEXT_DONE);
    freeReplyObject(reply);
    assert_int_equal(sold_read(&app, 30, &sold, &why), NEXT_DONE);
    assert_int_equal(sold.n, 2);
    assert_string_equal(sold.list[0].sku, "A");
    assert_int_equal(sold.list[0].thousandths, 1500000);
    assert_int_equal(sold.list[1].thousandths, 1500);
    sold_free(&sold);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_result_takes_the_place_of_the_former_one, open_app, close_app),
        cmocka_unit_test_setup_teardown(cases_are_raised_for_the_dearest_and_closed, open_app, close_app),
        cmocka_unit_test_setup_teardown(cases_of_others_stay_as_they_are, open_app, close_app),
        cmocka_unit_test_setup_teardown(twenty_thousand_are_stored_at_once, open_app, close_app),
        cmocka_unit_test_setup_teardown(sales_of_the_last_days_are_added_up, open_app, close_app),
    };
    return cmocka_run_group_tests_name("exceptions_store", tests, start, end);
}
