/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "handover_send.h"
#include "json.h"
#include "money.h"
#include "plan.h"
#include "webaddress.h"
#include "ban.h"

#define NOW INT64_C(1700000000000)

/* A customer who does not exist, with everything that a web order says of one. */
static const char order_json[] =
    "{\"customer_message\":\"Ring twice\\u0007 \\\"<b>\\\\ \\ud83d\\udeb2\","
    "\"billing_address\":{\"first_name\":\"Fictional\",\"last_name\":\"Customer\",\"company\":\"\",\"street_1\":\"Bill "
    "street\","
    "\"phone\":\"000-000-0000\",\"email\":\"customer@example.invalid\"},"
    "\"consignments\":{\"pickups\":[],\"shipping\":[{\"first_name\":\"Made\",\"last_name\":\"Up\",\"company\":"
    "\"Nobody\","
    "\"street_1\":\"Ship street 1\",\"street_2\":\"\",\"city\":\"Leeds\",\"state\":\"\",\"zip\":\"0000\","
    "\"country_iso2\":\"GB\",\"phone\":\"\"}]}}";

static struct web_order web;
static struct mapping mapping;

static int set_up(void **state) {
    static char sku[3][8] = {"10038-2", "83428-0", "83537-0"}, name[2][16] = {"Sofa Cosy", "Sofa Stressless"};
    static struct web_row rows[3];
    rows[0] = (struct web_row){.id = 7, .quantity = 1, .total = 125 * MONEY_ONE, .paid = 125 * MONEY_ONE, .vat = 2500};
    rows[1] = (struct web_row){.id = 8, .quantity = 2, .total = 250 * MONEY_ONE, .paid = 200 * MONEY_ONE, .vat = 2500};
    rows[2] = (struct web_row){.id = 9, .quantity = 1, .total = 106 * MONEY_ONE, .paid = 106 * MONEY_ONE, .vat = 600};
    for (size_t i = 0; i < 3; i++) {
        rows[i].sku = sku[i];
        rows[i].name = name[i / 2];
    }
    (void)state;
    web = (struct web_order){.found = true,
                             .id = 100245,
                             .status_id = 11,
                             .kind = WEB_PICKUP,
                             .warehouse_id = 43,
                             .currency = "USD",
                             .rows = rows,
                             .n = 3,
                             .json = plan_parse(order_json)};
    mapping = (struct mapping){
        .sitoo_order_prefix = "BC-",
        .web = {.name = true, .phone = true, .email = true, .address = true, .return_order_state = 10}};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    cJSON_Delete(web.json);
    return 0;
}

static const int64_t all[] = {1, 2, 1};

static cJSON *body_of(const struct hand_part *part) {
    char *text = hand_order_body(&web, &mapping, part, NOW);
    cJSON *json = plan_parse(text);
    free(text);
    return json;
}

static cJSON *whole_body(void) {
    return body_of(&(struct hand_part){.part = 1, .rev = 0, .parts = 1, .warehouse_id = 43, .units = all});
}

static const char *tag(const cJSON *json, const char *name) {
    return json_str(json_get(json, "additionaldata"), name);
}

static void same_text(const cJSON *json, const char *name, const char *want) {
    const char *got = json_str(json, name);
    if (want == NULL ? json_get(json, name) != NULL : got == NULL || strcmp(got, want) != 0) {
        fail_msg("%s: %s, not %s", name, got != NULL ? got : "none", want != NULL ? want : "none");
    }
}

static void same_number(const cJSON *json, const char *name, int64_t want) {
    int64_t got = -1;
    if (!json_int(json, name, &got) || got != want) {
        fail_msg("%s: %lld, not %lld", name, (long long)got, (long long)want);
    }
}

/* Totals, discount and tax of the rows as in the pair of request and answer that Sitoo's documentation prints
 * (developer.sitoo.com/api-reference/orders: 125.00; 250.00 less 50.00 for two; 106.00 with 6 per cent). */
static void amounts_of_a_row_are_gross_totals(void **state) {
    static const struct {
        const char *sku, *total, *discount;
        int64_t quantity, vat;
    } want[] = {
        {"10038-2", "125.00", NULL, 1, 25}, {"83428-0", "250.00", "50.00", 2, 25}, {"83537-0", "106.00", NULL, 1, 6}};
    cJSON *json = whole_body();
    const cJSON *items = json_array(json, "orderitems");
    (void)state;
    assert_int_equal(cJSON_GetArraySize(items), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(items, i);
        same_text(item, "sku", want[i].sku);
        same_text(item, "moneyrowprice", want[i].total);
        same_text(item, "moneyrowdiscount", want[i].discount);
        same_number(item, "quantity", want[i].quantity);
        same_number(item, "vatvalue", want[i].vat);
        assert_non_null(json_str(item, "productname"));
    }
    assert_string_equal(json_str(json_get(cJSON_GetArrayItem(items, 1), "additionaldata"), "web-itemid"), "8");
    cJSON_Delete(json);
}

static void an_order_says_what_it_is(void **state) {
    cJSON *json = whole_body();
    (void)state;
    same_number(json, "ordertypeid", 10);
    same_number(json, "orderstateid", 0);
    same_number(json, "paymentstateid", 20);
    same_number(json, "warehouseid", 43);
    same_text(json, "externalid", "BC-100245");
    same_text(json, "currencycode", "USD");
    same_text(json, "datereserved", NULL);
    same_text(json, "payments", NULL);
    assert_string_equal(tag(json, "weborder"), "true");
    assert_string_equal(tag(json, "weborder-bopis"), "true");
    assert_string_equal(tag(json, "onepool-parts"), "1");
    assert_null(tag(json, "delivery-ignore-stock"));
    assert_null(tag(json, "onepool-address"));
    cJSON_Delete(json);
    web.status_id = 7;
    json = whole_body();
    same_number(json, "paymentstateid", 10);
    cJSON_Delete(json);
}

static void tax_of_half_per_cents(void **state) {
    static const struct {
        int64_t vat;
        const char *want;
    } rows[] = {{2500, ":25,"}, {1250, ":12.50,"}, {600, ":6,"}, {0, ":0,"}, {1905, ":19.05,"}, {10000, ":100,"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[40];
        web.rows[0].vat = rows[i].vat;
        char *text = hand_order_body(&web, &mapping, &(struct hand_part){.part = 1, .parts = 1, .units = all}, NOW);
        (void)snprintf(want, sizeof want, "\"vatvalue\"%s", rows[i].want);
        if (strstr(text, want) == NULL) {
            fail_msg("%s is not in %s", want, text);
        }
        free(text);
    }
    web.rows[0].vat = 2500;
}

static int64_t cents(const cJSON *item, const char *name) {
    int64_t amount = 0;
    return json_get(item, name) != NULL && money_get(item, name, &amount) ? amount / 100 : 0;
}

/* Whatever an order is split into, the parts are worth what was paid. */
static void parts_add_up_to_what_was_paid(void **state) {
    char name[] = "A";
    (void)state;
    for (int64_t quantity = 1; quantity <= 6; quantity++) {
        for (int64_t total = 99; total <= 100100; total += 1231) {
            struct web_row row = {.id = 7,
                                  .quantity = quantity,
                                  .total = total * 100,
                                  .paid = (total - total / 10) * 100,
                                  .sku = name,
                                  .name = name};
            struct web_order one = {
                .id = 1, .status_id = 11, .kind = WEB_SHIP, .rows = &row, .n = 1, .currency = "EUR"};
            int64_t price = 0, discount = 0, first = quantity / 2;
            const int64_t units[2] = {first, quantity - first}, before[2] = {0, first};
            for (int64_t part = 0; part < 2; part++) {
                const struct hand_part p = {
                    .part = part + 1, .parts = 2, .warehouse_id = 1, .units = &units[part], .before = &before[part]};
                char *text = hand_order_body(&one, &mapping, &p, NOW);
                cJSON *json = plan_parse(text);
                const cJSON *item = cJSON_GetArrayItem(json_array(json, "orderitems"), 0);
                price += cents(item, "moneyrowprice");
                discount += cents(item, "moneyrowdiscount");
                free(text);
                cJSON_Delete(json);
            }
            if (price != total || price - discount != total - total / 10) {
                fail_msg("%lld units for %lld: %lld less %lld", (long long)quantity, (long long)total, (long long)price,
                         (long long)discount);
            }
        }
    }
}

static void a_row_of_which_the_part_has_nothing_is_left_out(void **state) {
    static const int64_t units[] = {0, 1, 0};
    cJSON *json = body_of(&(struct hand_part){.part = 2, .rev = 3, .parts = 2, .warehouse_id = 2, .units = units});
    const cJSON *items = json_array(json, "orderitems");
    (void)state;
    assert_int_equal(cJSON_GetArraySize(items), 1);
    same_text(cJSON_GetArrayItem(items, 0), "moneyrowprice", "125.00");
    same_text(cJSON_GetArrayItem(items, 0), "moneyrowdiscount", "25.00");
    same_text(json, "externalid", "BC-100245-2r3");
    assert_string_equal(tag(json, "onepool-parts"), "2");
    cJSON_Delete(json);
}

static const char *const delivery[] = {"delivery_address", "delivery_address2", "delivery_zip",
                                       "delivery_city",    "delivery_state",    "delivery_countryid"};

static void a_delivery_address_goes_along_with_what_is_shipped_only(void **state) {
    (void)state;
    for (int shipped = 0; shipped < 2; shipped++) {
        for (int address = 0; address < 2; address++) {
            web.kind = shipped ? WEB_SHIP : WEB_PICKUP;
            mapping.web.address = address != 0;
            cJSON *json = whole_body();
            for (size_t i = 0; i < sizeof delivery / sizeof delivery[0]; i++) {
                assert_int_equal(json_get(json, delivery[i]) != NULL, shipped && address);
            }
            assert_int_equal(tag(json, "onepool-address") != NULL, shipped && address);
            assert_int_equal(tag(json, "weborder-bopis") != NULL, !shipped);
            if (shipped && address) {
                char digest[WEB_ADDRESS_SIZE];
                web_address_digest(&web, digest);
                same_text(json, "delivery_address", "Ship street 1");
                same_text(json, "delivery_countryid", "GB");
                assert_string_equal(tag(json, "onepool-address"), digest);
            }
            cJSON_Delete(json);
        }
    }
}

static void a_shop_sees_of_the_customer_what_the_mapping_allows(void **state) {
    static const struct {
        bool name, phone, email, message, shipped;
        const char *namefirst, *phone_text, *email_text, *comment;
    } rows[] = {
        {true, true, true, false, false, "Fictional", "000-000-0000", "customer@example.invalid", NULL},
        {true, true, true, false, true, "Made", "000-000-0000", "customer@example.invalid", NULL},
        {true, false, false, false, false, "Fictional", NULL, NULL, NULL},
        {false, true, false, false, false, NULL, "000-000-0000", NULL, NULL},
        {false, false, true, false, false, NULL, NULL, "customer@example.invalid", NULL},
        {false, false, false, false, true, NULL, NULL, NULL, NULL},
        {false, false, false, true, false, NULL, NULL, NULL, "Ring twice  \"<b>\\ \xf0\x9f\x9a\xb2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mapping.web.name = rows[i].name;
        mapping.web.phone = rows[i].phone;
        mapping.web.email = rows[i].email;
        mapping.web.message = rows[i].message;
        web.kind = rows[i].shipped ? WEB_SHIP : WEB_PICKUP;
        cJSON *json = whole_body();
        same_text(json, "namefirst", rows[i].namefirst);
        same_text(json, "phone", rows[i].phone_text);
        same_text(json, "email", rows[i].email_text);
        same_text(json, "comment", rows[i].comment);
        assert_int_equal(json_get(json, "namelast") != NULL, rows[i].name);
        cJSON_Delete(json);
    }
}

static void a_message_is_cut_between_characters(void **state) {
    char text[3000] = "", message[2100] = "";
    (void)state;
    for (size_t used = 0; used + 5 < sizeof message; used += 4) {
        memcpy(message + used, "\xf0\x9f\x9a\xb2", 5);
    }
    for (size_t shift = 0; shift < 4; shift++) {
        struct web_order one = web;
        (void)snprintf(text, sizeof text, "{\"customer_message\":\"%.*s%s\"}", (int)shift, "xxx", message);
        one.json = plan_parse(text);
        mapping.web.message = true;
        char *body = hand_order_body(&one, &mapping, &(struct hand_part){.part = 1, .parts = 1, .units = all}, NOW);
        cJSON *json = plan_parse(body); /* refuses what is no UTF-8 */
        const char *comment = json_str(json, "comment");
        assert_in_range(strlen(comment), 997, 1000);
        assert_int_equal((strlen(comment) - shift) % 4, 0);
        free(body);
        cJSON_Delete(json);
        cJSON_Delete(one.json);
    }
}

static void a_reservation_may_have_an_end(void **state) {
    (void)state;
    mapping.sitoo_reserve_days = 3;
    cJSON *json = whole_body();
    same_number(json, "datereserved", NOW / 1000 + INT64_C(3) * 86400);
    cJSON_Delete(json);
    web.kind = WEB_RETURN_ONLY;
    json = whole_body();
    same_text(json, "datereserved", NULL);
    cJSON_Delete(json);
}

static void what_is_there_for_returns_only(void **state) {
    (void)state;
    web.kind = WEB_RETURN_ONLY;
    cJSON *json = body_of(&(struct hand_part){.part = 1, .parts = 1, .units = all});
    const cJSON *payments = json_array(json, "payments");
    same_number(json, "orderstateid", 10);
    same_text(json, "warehouseid", NULL);
    assert_string_equal(tag(json, "delivery-ignore-stock"), "true");
    assert_null(tag(json, "weborder-bopis"));
    assert_int_equal(cJSON_GetArraySize(payments), 1);
    same_text(cJSON_GetArrayItem(payments, 0), "name", "Web");
    same_text(cJSON_GetArrayItem(payments, 0), "moneyamount", "431.00"); /* what was paid: 125 + 200 + 106 */
    for (size_t i = 0; i < sizeof delivery / sizeof delivery[0]; i++) {
        assert_null(json_get(json, delivery[i]));
    }
    cJSON_Delete(json);
    mapping.web.return_order_state = 0;
    json = whole_body();
    same_number(json, "orderstateid", 0);
    same_number(json, "warehouseid", 43);
    cJSON_Delete(json);
}

static void the_digest_changes_with_the_address_alone(void **state) {
    static const char *const fields[] = {"street_1", "street_2", "zip", "city", "state", "country_iso2"};
    char before[WEB_ADDRESS_SIZE], after[WEB_ADDRESS_SIZE];
    cJSON *to = cJSON_GetArrayItem(json_array(json_get(web.json, "consignments"), "shipping"), 0);
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        web_address_digest(&web, before);
        assert_true(cJSON_ReplaceItemInObjectCaseSensitive(to, fields[i], cJSON_CreateString("other")));
        web_address_digest(&web, after);
        assert_string_not_equal(before, after);
    }
    web_address_digest(&web, before);
    assert_true(cJSON_ReplaceItemInObjectCaseSensitive(to, "first_name", cJSON_CreateString("Else")));
    web_address_digest(&web, after);
    assert_string_equal(before, after);
    assert_int_equal(strlen(after), WEB_ADDRESS_SIZE - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(amounts_of_a_row_are_gross_totals),
        TEST(an_order_says_what_it_is),
        TEST(tax_of_half_per_cents),
        TEST(parts_add_up_to_what_was_paid),
        TEST(a_row_of_which_the_part_has_nothing_is_left_out),
        TEST(a_delivery_address_goes_along_with_what_is_shipped_only),
        TEST(a_shop_sees_of_the_customer_what_the_mapping_allows),
        TEST(a_message_is_cut_between_characters),
        TEST(a_reservation_may_have_an_end),
        TEST(what_is_there_for_returns_only),
        TEST(the_digest_changes_with_the_address_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
