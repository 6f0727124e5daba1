/* SPDX-License-Identifier: Apache-2.0 */
/* Which webhooks are right, and what puts the others right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "exception_hook.h"
#include "hooks_plan.h"
#include "json.h"

#define BASE   "https://hooks.example.com"
#define SECRET "a secret of twenty ch"
#define BEFORE "the secret of last year"
#define HEADER "\"headers\":{\"X-Onepool-Secret\":\"" SECRET "\"}"
#define OURS   BASE "/hooks/bigcommerce/order-created"

#define PRODUCT_UPDATED BASE "/hooks/bigcommerce/product-updated"

static void compare(struct hooks_view *view, struct mapping *mapping) {
    static char base[] = BASE, secret[] = SECRET, before[] = BEFORE;
    const struct settings s = {
        .public_url = base, .hook_secret = secret, .hook_secret_previous = before, .mapping = mapping};
    hooks_compare(view, &s);
}

static struct hooks_view view_of(const char *list, const char *admin, struct mapping *mapping) {
    struct hooks_view view = {0};
    char error[80];
    view.list = json_read(list, strlen(list), error, sizeof error);
    view.admin = admin != NULL ? json_read(admin, strlen(admin), error, sizeof error) : NULL;
    assert_non_null(view.list);
    compare(&view, mapping);
    return view;
}

#define ONE(destination, rest)                                                                                         \
    "[{\"id\":7,\"scope\":\"store/order/created\",\"destination\":\"" destination "\",\"updated_at\":1795413296," rest \
    "}]"

static void each_difference_is_named_and_has_its_body(void **state) {
    static const struct {
        const char *list, *admin;
        unsigned wrong;
        const char *body; /* NULL = nothing to send */
    } rows[] = {
        {ONE(OURS, HEADER ",\"is_active\":true"), NULL, 0, NULL},
        {"[]", NULL, HOOKS_MISSING,
         "{\"scope\":\"store/order/created\",\"destination\":\"" OURS "\"," HEADER ",\"is_active\":true}"},
        {ONE("https://old.example.com/hooks/bigcommerce/order-created", HEADER), NULL, HOOKS_ELSEWHERE,
         "{\"destination\":\"" OURS "\"}"},
        {ONE(BASE "/hooks/bigcommerce/order-updated", HEADER), NULL, HOOKS_ELSEWHERE, "{\"destination\":\"" OURS "\"}"},
        {ONE(OURS, "\"headers\":null"), NULL, HOOKS_NO_HEADER, "{" HEADER "}"},
        {ONE(OURS, "\"headers\":{\"X-Other\":\"kept\",\"x-onepool-secret\":\"another\"}"), NULL, HOOKS_NO_HEADER,
         "{\"headers\":{\"X-Other\":\"kept\",\"X-Onepool-Secret\":\"" SECRET "\"}}"},
        {ONE(OURS, "\"headers\":{\"x-onepool-secret\":\"" BEFORE "\"}"), NULL, HOOKS_OLD_HEADER, "{" HEADER "}"},
        {ONE(OURS, HEADER ",\"is_active\":false"), NULL, HOOKS_DEACTIVATED, "{\"is_active\":true}"},
        {ONE(OURS, HEADER ",\"is_active\":false"), "{\"hooks_list\":[{\"id\":7,\"status\":\"deactivated\"}]}",
         HOOKS_DEACTIVATED, "{\"is_active\":true}"},
        {ONE(OURS, HEADER ",\"is_active\":false"), "{\"hooks_list\":[{\"id\":7,\"status\":\"inactive\"}]}",
         HOOKS_INACTIVE, "{\"is_active\":true}"},
        {ONE("https://erp.example.com/orders", HEADER), NULL, HOOKS_MISSING,
         "{\"scope\":\"store/order/created\",\"destination\":\"" OURS "\"," HEADER ",\"is_active\":true}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hooks_view view = view_of(rows[i].list, rows[i].admin, NULL);
        char *body = hooks_body(&view.lines[0], SECRET);
        if (view.lines[0].wrong != rows[i].wrong) {
            fail_msg("row %zu: wrong is %u", i, view.lines[0].wrong);
        }
        if (rows[i].body == NULL) {
            assert_null(body);
        } else {
            assert_string_equal(body, rows[i].body);
        }
        assert_int_equal(view.lines[1].wrong, HOOKS_MISSING);
        free(body);
        hooks_view_free(&view);
    }
}

static void ours_is_chosen_among_several_and_the_others_are_told_apart(void **state) {
    (void)state;
    struct hooks_view view = view_of(
        "[{\"id\":1,\"scope\":\"store/order/created\",\"destination\":\"https://old.example.com/hooks/bigcommerce/"
        "order-created\"},"
        "{\"id\":2,\"scope\":\"store/order/created\",\"destination\":\"" OURS "\"," HEADER "},"
        "{\"id\":3,\"scope\":\"store/order/created\",\"destination\":\"" BASE "/hooks/bigcommerce/order-updated\"},"
        "{\"id\":4,\"scope\":\"store/order/created\",\"destination\":\"" BASE
        "/hooks/bigcommerce/x\",\"is_active\":false},"
        "{\"id\":5,\"scope\":\"store/customer/updated\",\"destination\":\"" BASE "/hooks/bigcommerce/customers\"},"
        "{\"id\":6,\"scope\":\"store/product/updated\",\"destination\":\"https://hooks.example.com.evil.example/hooks/"
        "\"}]",
        NULL, NULL);
    assert_int_equal(view.lines[0].id, 2);
    assert_int_equal(view.lines[0].wrong, HOOKS_TWICE);
    assert_int_equal(view.lines[0].twice_count, 1);
    assert_int_equal(view.lines[0].twice[0], 3);
    assert_null(hooks_body(&view.lines[0], SECRET));
    assert_int_equal(view.stray, 1);
    assert_true(hooks_is_stray(&view, cJSON_GetArrayItem(view.list, 4), BASE));
    assert_false(hooks_is_stray(&view, cJSON_GetArrayItem(view.list, 5), BASE));
    assert_false(hooks_is_line(&view, cJSON_GetArrayItem(view.list, 0)));
    assert_string_equal(hooks_wrong_word(view.lines[0].wrong, 0), "duplicate");
    assert_null(hooks_wrong_word(view.lines[0].wrong, 1));
    hooks_view_free(&view);
}

static size_t count(const struct hooks_view *view, bool unused, unsigned wrong) {
    size_t n = 0;
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        n += view->lines[i].unused == unused && view->lines[i].wrong == wrong ? 1 : 0;
    }
    return n;
}

static void those_of_products_and_prices_are_wanted_only_if_the_mapping_uses_them(void **state) {
    static const struct {
        bool on, from_price_list;
        size_t wanted;
    } rows[] = {{false, false, 7}, {false, true, 7}, {true, false, 13}, {true, true, 19}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mapping mapping = {.products = {.on = rows[i].on, .from_price_list = rows[i].from_price_list}};
        struct hooks_view view = view_of("[]", NULL, &mapping);
        assert_int_equal(count(&view, false, HOOKS_MISSING), rows[i].wanted);
        assert_int_equal(count(&view, true, 0), HOOKS_WANTED - rows[i].wanted);
        hooks_view_free(&view);
    }
}

static void what_the_mapping_does_not_use_is_right_and_no_stray_on_its_own_route(void **state) {
    static const char list[] =
        "[{\"id\":1,\"scope\":\"store/product/updated\",\"destination\":\"" PRODUCT_UPDATED "\"},"
        "{\"id\":2,\"scope\":\"store/sku/updated\",\"destination\":\"" OURS "\"},"
        "{\"id\":3,\"scope\":\"store/product/updated\",\"destination\":"
        "\"https://erp.example.com/hooks/bigcommerce/product-updated\"}]";
    struct mapping mapping = {.products = {.on = true}};
    (void)state;
    struct hooks_view view = view_of(list, NULL, NULL);
    const cJSON *ours = cJSON_GetArrayItem(view.list, 0);
    assert_true(hooks_is_unused(&view, ours) && !hooks_is_line(&view, ours) && !hooks_is_stray(&view, ours, BASE));
    assert_int_equal(view.stray, 1);
    assert_true(hooks_is_stray(&view, cJSON_GetArrayItem(view.list, 1), BASE));
    assert_false(hooks_is_unused(&view, cJSON_GetArrayItem(view.list, 2)));
    assert_int_equal(count(&view, true, 0), HOOKS_WANTED - 7);
    hooks_view_free(&view);
    view = view_of(list, NULL, &mapping);
    ours = cJSON_GetArrayItem(view.list, 0);
    assert_true(hooks_is_line(&view, ours) && !hooks_is_unused(&view, ours));
    assert_int_equal(count(&view, false, HOOKS_NO_HEADER), 1);
    assert_int_equal(count(&view, false, HOOKS_NO_HEADER | HOOKS_ELSEWHERE), 1);
    assert_int_equal(view.stray, 0);
    hooks_view_free(&view);
}

static void a_full_scope_takes_no_more(void **state) {
    (void)state;
    cJSON *list = cJSON_CreateArray();
    for (int i = 1; i <= HOOKS_PER_SCOPE; i++) {
        cJSON *o = json_new_object();
        json_add_int(o, "id", i);
        json_add_str(o, "scope", "store/order/created");
        json_add_str(o, "destination", "https://erp.example.com/orders");
        (void)cJSON_AddItemToArray(list, o);
    }
    cJSON *exception = json_new_object();
    json_add_str(exception, "scope", HOOKS_EXCEPTION);
    json_add_str(exception, "destination", "https://erp.example.com/trouble");
    (void)cJSON_AddItemToArray(list, exception);
    struct hooks_view view = {.list = list};
    compare(&view, NULL);
    assert_int_equal(view.lines[0].wrong, HOOKS_MISSING | HOOKS_NO_ROOM);
    assert_null(hooks_body(&view.lines[0], SECRET));
    assert_int_equal(view.lines[HOOKS_WANTED - 1].wrong, HOOKS_MISSING | HOOKS_NO_ROOM);
    assert_false(hooks_heals_itself(&view.lines[0], true));
    hooks_view_free(&view);
}

static void only_what_nobody_does_on_purpose_heals_by_itself(void **state) {
    static const struct {
        unsigned wrong;
        bool known, heals;
    } rows[] = {{0, true, false},
                {HOOKS_MISSING, false, false},
                {HOOKS_MISSING, true, true},
                {HOOKS_DEACTIVATED, false, true},
                {HOOKS_DEACTIVATED | HOOKS_NO_HEADER, true, true},
                {HOOKS_DEACTIVATED | HOOKS_ELSEWHERE, true, false},
                {HOOKS_INACTIVE, true, false},
                {HOOKS_NO_HEADER, true, false},
                {HOOKS_TWICE, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct hooks_line line = {.wanted = &hooks_wanted[0], .wrong = rows[i].wrong};
        assert_int_equal(hooks_heals_itself(&line, rows[i].known), rows[i].heals);
    }
}

/* 173,040 s are the sum of the waits between attempts. */
static void silence_begins_before_the_first_event_that_was_given_up(void **state) {
    static const int64_t now = INT64_C(1795413296000), retries = INT64_C(173040000);
    static const struct {
        unsigned wrong;
        int64_t updated, known, want;
    } rows[] = {{0, now, now, 0},
                {HOOKS_NO_HEADER, now, now, 0},
                {HOOKS_MISSING, 0, 0, 0},
                {HOOKS_MISSING, 0, now, now - retries},
                {HOOKS_DEACTIVATED, now, 0, now - retries},
                {HOOKS_DEACTIVATED, now, now - 5000, now - 5000 - retries},
                {HOOKS_DEACTIVATED, now - 5000, now, now - 5000 - retries},
                {HOOKS_INACTIVE, 0, now, now - retries}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct hooks_line line = {.wrong = rows[i].wrong, .updated_ms = rows[i].updated};
        assert_int_equal(hooks_silent_since(&line, rows[i].known), rows[i].want);
    }
}

static void a_public_address_that_bigcommerce_cannot_call_is_told(void **state) {
    static const struct {
        const char *url, *api;
        const char *problem; /* NULL = none */
    } rows[] = {{BASE, "https://api.bigcommerce.com", NULL},
                {BASE ":443/shop", "https://api.bigcommerce.com", NULL},
                {"https://[::1]:443", "https://api.bigcommerce.com", NULL},
                {BASE ":8443", "https://api.bigcommerce.com", "port 443 only"},
                {NULL, "https://api.bigcommerce.com", "is not set"},
                {"http://127.0.0.1:8080", "https://api.bigcommerce.com", "must begin with https://"},
                {"http://127.0.0.1:8080", "http://127.0.0.1:4000", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *url = rows[i].url != NULL ? xstrdup(rows[i].url) : NULL, *api = xstrdup(rows[i].api);
        const struct settings s = {.public_url = url, .bigcommerce_api_url = api};
        const char *problem = hooks_url_problem(&s);
        if (rows[i].problem == NULL ? problem != NULL : problem == NULL || strstr(problem, rows[i].problem) == NULL) {
            fail_msg("row %zu: %s", i, problem != NULL ? problem : "no problem");
        }
        free(url);
        free(api);
    }
}

static bool has(const struct args *a, const char *text) {
    for (size_t i = 0; i < a->n; i++) {
        if (strstr(a->argv[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

static void a_delivery_exception_names_its_code_and_makes_the_look_due(void **state) {
    static const struct {
        const char *body, *entity, *text;
        bool look;
    } rows[] = {
        {"{\"type\":\"webhook\",\"id\":5,\"error_code\":90001,\"message\":\"Non-200\"}", "webhook 5 code 90001",
         "tried again", false},
        {"{\"type\":\"webhook\",\"id\":5,\"error_code\":90002,\"message\":\"x\"}", "webhook 5 code 90002",
         "switched off", true},
        {"{\"type\":\"webhook\",\"id\":5,\"error_code\":90003}", "webhook 5 code 90003", "blocked", true},
        {"{\"type\":\"webhook\",\"id\":5,\"error_code\":90009}", "webhook 5 code 90009", "not documented", true},
        {"{\"type\":\"webhook\",\"error_code\":90002}", "hook ", "data.id", false},
        {"{\"type\":\"webhook\",\"id\":-1,\"error_code\":90002}", "hook ", "data.id", false},
        {"{\"id\":5}", "hook ", "error_code", false},
        {"[]", "hook ", "data.id", false}};
    (void)state;
    struct mapping mapping = {.owner_stock = "operations"};
    const struct settings set = {.mapping = &mapping};
    const struct app app = {.set = &set};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[80];
        struct args effects = {0};
        cJSON *data = json_read(rows[i].body, strlen(rows[i].body), error, sizeof error);
        const struct hook hook = {
            .body = "bytes", .body_len = 5, .scope = "store/hook/deliveryException", .data = data};
        exception_hook_plan(&app, &hook, &effects);
        assert_true(has(&effects, rows[i].entity));
        assert_true(has(&effects, rows[i].text));
        assert_int_equal(has(&effects, "mark"), rows[i].look);
        args_free(&effects);
        cJSON_Delete(data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_difference_is_named_and_has_its_body),
        cmocka_unit_test(ours_is_chosen_among_several_and_the_others_are_told_apart),
        cmocka_unit_test(those_of_products_and_prices_are_wanted_only_if_the_mapping_uses_them),
        cmocka_unit_test(what_the_mapping_does_not_use_is_right_and_no_stray_on_its_own_route),
        cmocka_unit_test(a_full_scope_takes_no_more),
        cmocka_unit_test(only_what_nobody_does_on_purpose_heals_by_itself),
        cmocka_unit_test(silence_begins_before_the_first_event_that_was_given_up),
        cmocka_unit_test(a_public_address_that_bigcommerce_cannot_call_is_told),
        cmocka_unit_test(a_delivery_exception_names_its_code_and_makes_the_look_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
