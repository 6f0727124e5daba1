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

#include "order.h"
#include "buf.h"
#include "json.h"
#include "plan.h"
#include "quantity.h"
#include "ban.h"

#define ORDER(items)                                                                                        \
    "{\"orderid\":11513,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1463041119,\"warehouseid\":1," \
    "\"additionaldata\":{},\"orderitems\":[" items "]}"
#define ITEM(members)   ORDER("{\"orderitemid\":3,\"sku\":\"A\"," members "}")
#define RETURNED(extra) ITEM("\"decimalquantitytotal\":\"-1.000\",\"additionaldata\":" extra)

/* One line for the order and one for each row. */
static char *order_text(const struct order *o) {
    struct buf b;
    buf_init(&b, 10000);
    buf_addf(&b, "%lld %s till %lld warehouse %lld%s%s\n", (long long)o->id, order_kind_name(order_kind(o)),
             (long long)o->date_ms, (long long)o->warehouse_id, o->external_id != NULL ? " external " : "",
             o->external_id != NULL ? o->external_id : "");
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *r = &o->rows[i];
        char quantity[QUANTITY_TEXT_SIZE];
        quantity_format(r->thousandths, quantity);
        buf_addf(&b, "%lld: %s %s warehouse %lld%s%s\n", (long long)r->item_id, r->sku, quantity,
                 (long long)r->warehouse_id, r->reason != NULL ? " reason " : "", r->reason != NULL ? r->reason : "");
    }
    return buf_take(&b);
}

static void recorded_orders_are_read(void **state) {
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"order-pos-sale.json", "11513 sold till 1463041119000 warehouse 1\n0: 121292-4 1.000 warehouse 1\n"},
        {"order-pos-return.json",
         "11512 sold till 1463041119000 warehouse 1\n0: 44079-0 -1.000 warehouse 1 reason RC123\n"},
        {"order-pos-return-of-ecom.json",
         "11555 sold till 1763900000000 warehouse 1\n0: 44079-0 -1.000 warehouse 4 reason 101\n"},
        {"order-pos-return-manual.json",
         "11556 sold till 1763900000000 warehouse 1\n0: 44079-0 -1.000 warehouse 1 reason 102\n"},
        {"order-pos-exchange-refund-part.json",
         "11560 sold till 1763900500000 warehouse 1\n0: 44079-0 -1.000 warehouse 1 reason 101\n"},
        {"order-pos-exchange-sale-part.json",
         "11561 sold till 1763900500000 warehouse 1\n0: 83428-0 1.000 warehouse 1\n"},
        {"order-booking-open.json", "11530 booked till 1763803800000 warehouse 1\n0: 10038-2 1.000 warehouse 1\n"
                                    "1: 83428-0 2.000 warehouse 1\n2: 83537-0 1.000 warehouse 1\n"},
        {"order-bopis-open.json",
         "11520 ours till 1763800000000 warehouse 43 external BC-100245\n0: 14785-5 2.000 warehouse 43\n"},
        {"order-bopis-collected.json",
         "11520 ours till 1763800000000 warehouse 43 external BC-100245\n0: 14785-5 2.000 warehouse 43\n"},
        {"order-ecom-for-return.json",
         "11540 ours till 1763500000000 warehouse 0 external BC-100301\n0: 44079-0 1.000 warehouse 0\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct order *o = plan_order_file(rows[i].file);
        char *got = order_text(o);
        plan_same(rows[i].file, got, rows[i].want);
        free(got);
        order_free(o);
    }
}

/* ---- rows ---- */

static void check_rows(const char *name, const char *json, const char *want) {
    struct order *o = plan_order_text(json);
    char *got = order_text(o);
    const char *rows = strchr(got, '\n') + 1;
    plan_same(name, rows, want);
    free(got);
    order_free(o);
}

static void rows_that_move_no_stock_are_left_out(void **state) {
    static const struct {
        const char *name, *items, *want;
    } rows[] = {
        {"no rows", ORDER(""), ""},
        {"discount row without SKU",
         ORDER("{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":1},{\"orderitemid\":1,\"orderitemtype\":20,"
               "\"moneyrowdiscount\":\"5.00\",\"quantity\":1},{\"orderitemid\":2,\"sku\":\"B\",\"quantity\":1}"),
         "0: A 1.000 warehouse 1\n2: B 1.000 warehouse 1\n"},
        {"discount row with SKU null", ORDER("{\"orderitemid\":0,\"sku\":null,\"quantity\":1}"), ""},
        {"discount row with an empty SKU", ORDER("{\"orderitemid\":0,\"sku\":\"\",\"quantity\":-1}"), ""},
        {"discount row of nonsense", ORDER("{\"decimalquantitytotal\":\"many\"}"), ""},
        {"quantity 0", ITEM("\"quantity\":0"), ""},
        {"decimal quantity 0", ITEM("\"quantity\":1,\"decimalquantitytotal\":\"0.000\""), ""},
        {"minus 0", ITEM("\"decimalquantitytotal\":\"-0.000\""), ""},
        {"item that is no object", ORDER("5,null,[]"), ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_rows(rows[i].name, rows[i].items, rows[i].want);
    }
}

static void quantities_are_exact_thousandths(void **state) {
    static const struct {
        const char *name, *json, *want;
    } rows[] = {
        {"weight", ITEM("\"quantity\":1,\"decimalunitquantity\":\"0.350\",\"decimalquantitytotal\":\"0.350\""),
         "3: A 0.350 warehouse 1\n"},
        {"length taken back", ITEM("\"quantity\":-2,\"decimalquantitytotal\":\"-2.501\""), "3: A -2.501 warehouse 1\n"},
        {"one thousandth", ITEM("\"quantity\":1,\"decimalquantitytotal\":\"0.001\""), "3: A 0.001 warehouse 1\n"},
        {"count where the decimal is null", ITEM("\"quantity\":2,\"decimalquantitytotal\":null"),
         "3: A 2.000 warehouse 1\n"},
        {"count where the decimal is absent", ITEM("\"quantity\":-3"), "3: A -3.000 warehouse 1\n"},
        {"largest count", ITEM("\"quantity\":10000000000"), "3: A 10000000000.000 warehouse 1\n"},
        {"largest decimal", ITEM("\"decimalquantitytotal\":\"-10000000000.000\""),
         "3: A -10000000000.000 warehouse 1\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_rows(rows[i].name, rows[i].json, rows[i].want);
    }
}

static void returned_rows_name_their_warehouse_and_reason(void **state) {
    static const struct {
        const char *name, *json, *want;
    } rows[] = {
        {"other warehouse", RETURNED("{\"return-warehouseid\":\"4\"}"), "3: A -1.000 warehouse 4\n"},
        {"row's reason", RETURNED("{\"reasoncode-return\":\"101\"}"), "3: A -1.000 warehouse 1 reason 101\n"},
        {"extra data null", RETURNED("null"), "3: A -1.000 warehouse 1\n"},
        {"extra data as an empty list", RETURNED("[]"), "3: A -1.000 warehouse 1\n"},
        {"a sold row keeps the order's warehouse and has no reason",
         ITEM("\"quantity\":1,\"additionaldata\":{\"return-warehouseid\":\"4\",\"reasoncode-return\":\"101\"}"),
         "3: A 1.000 warehouse 1\n"},
        {"the row's reason goes before the order's",
         "{\"orderid\":1,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1,\"warehouseid\":1,\"additionaldata\":"
         "{\"refundreasoncode-reasoncode\":\"RC\"},\"orderitems\":[{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":-1},"
         "{\"orderitemid\":1,\"sku\":\"B\",\"quantity\":-1,\"additionaldata\":{\"reasoncode-return\":\"101\"}},"
         "{\"orderitemid\":2,\"sku\":\"C\",\"quantity\":1}]}",
         "0: A -1.000 warehouse 1 reason RC\n1: B -1.000 warehouse 1 reason 101\n2: C 1.000 warehouse 1\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_rows(rows[i].name, rows[i].json, rows[i].want);
    }
}

/* ---- refused ---- */

static enum next read_text(const char *text, struct reason *why) {
    struct order *o = NULL;
    cJSON *json = plan_parse(text);
    enum next next = order_read(json, "BC-", &o, why);
    assert_true((o != NULL) == (next == NEXT_DONE));
    order_free(o);
    cJSON_Delete(json);
    return next;
}

static void unreadable_orders_are_parked_with_order_and_field(void **state) {
    static const struct {
        const char *name, *json, *why;
    } rows[] = {
        {"no object", "[]", "without orderid"},
        {"no id", "{\"ordertypeid\":10}", "without orderid"},
        {"id 0", "{\"orderid\":0}", "without orderid"},
        {"id as a text", "{\"orderid\":\"11513\"}", "without orderid"},
        {"no type", "{\"orderid\":7,\"orderstateid\":10,\"orderdate\":1,\"orderitems\":[]}", "order 7: ordertypeid"},
        {"no state", "{\"orderid\":7,\"ordertypeid\":10,\"orderdate\":1,\"orderitems\":[]}", "order 7: ordertypeid"},
        {"state null", "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":null,\"orderdate\":1,\"orderitems\":[]}",
         "order 7: ordertypeid"},
        {"no date", "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderitems\":[]}", "orderdate is missing"},
        {"no rows", "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1}",
         "order 7: orderitems is missing"},
        {"rows null", "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1,\"orderitems\":null}",
         "order 7: orderitems is missing"},
        {"no quantity", ITEM("\"quantity\":null"), "order 11513, SKU A: the quantity"},
        {"half a count", ITEM("\"quantity\":1.5"), "order 11513, SKU A: the quantity"},
        {"count as a text", ITEM("\"quantity\":\"1\""), "order 11513, SKU A: the quantity"},
        {"count too large", ITEM("\"quantity\":10000000001"), "order 11513, SKU A: the quantity"},
        {"count too small", ITEM("\"quantity\":-10000000001"), "order 11513, SKU A: the quantity"},
        {"four decimals", ITEM("\"quantity\":1,\"decimalquantitytotal\":\"0.3505\""), "SKU A: the quantity"},
        {"decimal comma", ITEM("\"quantity\":1,\"decimalquantitytotal\":\"1,000\""), "SKU A: the quantity"},
        {"empty decimal", ITEM("\"quantity\":1,\"decimalquantitytotal\":\"\""), "SKU A: the quantity"},
        {"decimal with a unit", ITEM("\"quantity\":1,\"decimalquantitytotal\":\"1.000 kg\""), "SKU A: the quantity"},
        {"no row id", ORDER("{\"sku\":\"A\",\"quantity\":1}"), "SKU A: orderitemid is missing"},
        {"row id as a text", ORDER("{\"sku\":\"A\",\"quantity\":1,\"orderitemid\":\"0\"}"), "orderitemid is missing"},
        {"warehouse is a name", RETURNED("{\"return-warehouseid\":\"Reclaims\"}"), "SKU A: return-warehouseid"},
        {"warehouse 0", RETURNED("{\"return-warehouseid\":\"0\"}"), "SKU A: return-warehouseid"},
        {"warehouse with a fraction", RETURNED("{\"return-warehouseid\":\"4.0\"}"), "SKU A: return-warehouseid"},
        {"the second row", ORDER("{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":1},{\"orderitemid\":1,\"sku\":\"B\"}"),
         "SKU B: the quantity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reason why = {0};
        if (read_text(rows[i].json, &why) != NEXT_PARK || strstr(why.text, rows[i].why) == NULL) {
            fail_msg("%s: not parked, or not for this: %s", rows[i].name, why.text);
        }
        assert_string_equal(why.cause, "bad_order");
    }
}

static void a_row_with_a_sku_of_more_than_255_characters_is_left_out_alone(void **state) {
    static const struct {
        const char *character;
        size_t count;
        bool fits;
    } rows[] = {{"x", 1, true},
                {"x", 255, true},
                {"x", 256, false},
                {"x", 3000, false},
                {"\xc3\x9c", 255, true}, /* 510 bytes */
                {"\xc3\x9c", 256, false},
                {"\xf0\x9f\x98\x80", 255, true}, /* 1020 bytes */
                {"\xf0\x9f\x98\x80", 256, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b;
        struct reason why = {0};
        buf_init(&b, 10000);
        buf_add_str(&b,
                    "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1,\"orderitems\":"
                    "[{\"orderitemid\":0,\"quantity\":1,\"sku\":\"A\"},{\"orderitemid\":1,\"quantity\":1,\"sku\":\"");
        for (size_t k = 0; k < rows[i].count; k++) {
            buf_add_str(&b, rows[i].character);
        }
        buf_add_str(&b, "\"},{\"orderitemid\":2,\"quantity\":-1,\"sku\":\"B\"}]}");
        char error[120];
        struct order *o = NULL;
        cJSON *json = json_read(buf_str(&b), b.len, error, sizeof error);
        assert_int_equal(order_read(json, "BC-", &o, &why), NEXT_DONE);
        assert_int_equal(o->row_count, rows[i].fits ? 3 : 2);
        assert_int_equal(o->too_long, rows[i].fits ? 0 : 1);
        assert_string_equal(o->rows[0].sku, "A");
        assert_string_equal(o->rows[o->row_count - 1].sku, "B");
        assert_true(rows[i].fits ? o->too_long_sku == NULL : strlen(o->too_long_sku) >= rows[i].count);
        order_free(o);
        cJSON_Delete(json);
        buf_free(&b);
    }
}

static void an_order_has_at_most_5000_rows(void **state) {
    (void)state;
    for (int n = ORDER_ROWS_MAX; n <= ORDER_ROWS_MAX + 1; n++) {
        struct buf b;
        struct reason why = {0};
        buf_init(&b, 1024 * 1024);
        buf_add_str(&b, "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1,\"orderitems\":[");
        for (int i = 0; i < n; i++) {
            buf_addf(&b, "%s{\"orderitemid\":%d,\"sku\":\"A%d\",\"quantity\":1}", i > 0 ? "," : "", i, i);
        }
        buf_add_str(&b, "]}");
        assert_false(buf_overflowed(&b));
        assert_int_equal(read_text(buf_str(&b), &why), n <= ORDER_ROWS_MAX ? NEXT_DONE : NEXT_PARK);
        buf_free(&b);
    }
}

/* ---- the order ---- */

static void a_till_time_that_cannot_be_counts_as_unknown(void **state) {
    static const struct {
        const char *date;
        int64_t want_ms;
    } rows[] = {{"1463041119", INT64_C(1463041119000)},
                {"0", 0},
                {"-1", 0},
                {"1463041119000", 0}, /* milliseconds by mistake */
                {"99999999999", INT64_C(99999999999000)}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[160];
        (void)snprintf(json, sizeof json,
                       "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":%s,\"orderitems\":[]}",
                       rows[i].date);
        struct order *o = plan_order_text(json);
        assert_int_equal(o->date_ms, rows[i].want_ms);
        assert_int_equal(o->warehouse_id, 0);
        order_free(o);
    }
}

static void our_orders_are_known_by_the_prefix(void **state) {
    static const struct {
        const char *external, *prefix;
        bool ours;
    } rows[] = {
        {"\"BC-100245\"", "BC-", true}, {"\"BC-\"", "BC-", true}, {"\"bc-100245\"", "BC-", false},
        {"\"X-BC-1\"", "BC-", false},   {"\"BC\"", "BC-", false}, {"\"\"", "BC-", false},
        {"null", "BC-", false},         {"100245", "BC-", false}, {"\"W-1\"", "W-", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        struct order *o = NULL;
        struct reason why = {0};
        (void)snprintf(text, sizeof text,
                       "{\"orderid\":7,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1,\"externalid\":%s,"
                       "\"orderitems\":[]}",
                       rows[i].external);
        cJSON *json = plan_parse(text);
        assert_int_equal(order_read(json, rows[i].prefix, &o, &why), NEXT_DONE);
        if (o->ours != rows[i].ours) {
            fail_msg("%s with %s: ours is %d", rows[i].external, rows[i].prefix, o->ours);
        }
        order_free(o);
        cJSON_Delete(json);
    }
}

static void the_kind_comes_from_type_origin_and_state(void **state) {
    static const struct {
        int64_t type, state;
        bool ours;
        const char *want;
    } rows[] = {
        {10, 10, false, "sold"},
        {10, 0, false, "open"},
        {10, 20, false, "cancelled"},
        {10, -1, false, "cancelled"},
        {10, 30, false, "cancelled"}, /* a state that does not exist yet */
        {10, 10, true, "ours"},
        {10, 0, true, "ours"},
        {10, 20, true, "ours"},
        {100, 0, false, "booked"},
        {100, 10, false, "booked"},
        {100, 20, false, "booked"},
        {100, 0, true, "booked"},
        {110, 0, false, "parked_basket"},
        {110, 10, false, "parked_basket"},
        {110, 10, true, "parked_basket"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct order o = {.type = rows[i].type, .state = rows[i].state, .ours = rows[i].ours};
        char name[64];
        (void)snprintf(name, sizeof name, "type %lld state %lld", (long long)o.type, (long long)o.state);
        plan_same(name, order_kind_name(order_kind(&o)), rows[i].want);
    }
}

/* ---- handing on ---- */

#define MIXED                                                                                               \
    "{\"orderid\":11600,\"ordertypeid\":10,\"orderstateid\":10,\"orderdate\":1763900000,\"warehouseid\":2," \
    "\"additionaldata\":{\"refundreasoncode-reasoncode\":\"RC\"},\"orderitems\":["                          \
    "{\"orderitemid\":0,\"sku\":\"A\",\"quantity\":1,\"decimalquantitytotal\":\"0.350\"},"                  \
    "{\"orderitemid\":1,\"sku\":\"B "                                                                       \
    "\\\"x\\\"|\\u00e5\",\"quantity\":-1,\"additionaldata\":{\"return-warehouseid\":\"4\"}},"               \
    "{\"orderitemid\":2,\"sku\":\"A\",\"quantity\":2}]}"

static void rows_are_handed_on_by_sign(void **state) {
    struct order *o = plan_order_text(MIXED);
    char *sold = order_rows_json(o, 1), *returned = order_rows_json(o, -1);
    (void)state;
    plan_same("sold", sold,
              "{\"order\":11600,\"till_ms\":1763900000000,\"rows\":["
              "{\"item\":0,\"sku\":\"A\",\"quantity\":\"0.350\",\"warehouse\":2},"
              "{\"item\":2,\"sku\":\"A\",\"quantity\":\"2.000\",\"warehouse\":2}]}");
    plan_same(
        "returned", returned,
        "{\"order\":11600,\"till_ms\":1763900000000,\"rows\":["
        "{\"item\":1,\"sku\":\"B \\\"x\\\"|\xc3\xa5\",\"quantity\":\"-1.000\",\"warehouse\":4,\"reason\":\"RC\"}]}");
    free(returned);
    free(sold);
    order_free(o);
}

static void nothing_is_handed_on_for_a_sign_without_rows(void **state) {
    struct order *sale = plan_order_file("order-pos-sale.json"), *back = plan_order_file("order-pos-return.json");
    struct order *empty = plan_order_text(ORDER(""));
    (void)state;
    assert_null(order_rows_json(sale, -1));
    assert_null(order_rows_json(back, 1));
    assert_null(order_rows_json(empty, 1));
    assert_null(order_rows_json(empty, -1));
    order_free(empty);
    order_free(back);
    order_free(sale);
}

static void rows_handed_on_are_read_back_unchanged(void **state) {
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct order *o = plan_order_text(MIXED), *back = NULL;
        struct reason why = {0};
        char *first = order_rows_json(o, sign);
        assert_int_equal(order_rows_read(first, &back, &why), NEXT_DONE);
        assert_int_equal(back->row_count, sign > 0 ? 2 : 1);
        assert_int_equal(order_kind(back), ORDER_SOLD);
        char *second = order_rows_json(back, sign);
        plan_same("round trip", second, first);
        free(second);
        order_free(back);
        free(first);
        order_free(o);
    }
}

static void data_that_nobody_handed_on_are_a_bug(void **state) {
    static const char *const rows[] = {
        "",
        "rows",
        "[]",
        "{}",
        "{\"order\":1,\"till_ms\":0}",
        "{\"order\":1,\"till_ms\":0,\"rows\":{}}",
        "{\"till_ms\":0,\"rows\":[]}",
        "{\"order\":1,\"rows\":[]}",
        "{\"order\":\"1\",\"till_ms\":0,\"rows\":[]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[5]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[{\"sku\":\"A\",\"quantity\":\"1.000\",\"warehouse\":1}]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[{\"item\":0,\"quantity\":\"1.000\",\"warehouse\":1}]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[{\"item\":0,\"sku\":\"A\",\"warehouse\":1}]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[{\"item\":0,\"sku\":\"A\",\"quantity\":1,\"warehouse\":1}]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[{\"item\":0,\"sku\":\"A\",\"quantity\":\"1.000\"}]}",
        "{\"order\":1,\"till_ms\":0,\"rows\":[{\"item\":0,\"sku\":\"A\",\"quantity\":\"1.000\",\"warehouse\":1},5]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct order *o = NULL;
        struct reason why = {0};
        if (order_rows_read(rows[i], &o, &why) != NEXT_BUG || o != NULL) {
            fail_msg("taken: %s", rows[i]);
        }
        assert_string_equal(why.cause, "handed_rows");
    }
}

/* Whatever an order says of a person, the rows handed on have these keys and no others. */
static void check_keys(const char *file, const cJSON *o, const char *const *allowed) {
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, o) {
        bool found = false;
        for (size_t i = 0; allowed[i] != NULL; i++) {
            found = found || strcmp(allowed[i], member->string) == 0;
        }
        if (!found) {
            fail_msg("%s: %s is handed on", file, member->string);
        }
    }
}

static void no_customer_data_are_handed_on(void **state) {
    static const char *const files[] = {"order-pos-return-of-ecom.json", "order-pos-return-manual.json",
                                        "order-bopis-open.json", "order-booking-open.json"};
    static const char *const order_keys[] = {"order", "till_ms", "rows", NULL};
    static const char *const row_keys[] = {"item", "sku", "quantity", "warehouse", "reason", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *payload = plan_payload(files[i]);
        struct order *o = plan_order_text(payload);
        char *rows = order_rows_json(o, i < 2 ? -1 : 1);
        cJSON *json = plan_parse(rows);
        const cJSON *row = NULL;
        assert_non_null(strstr(payload, "customer@example.invalid")); /* else this proves nothing */
        assert_null(strstr(rows, "example"));
        assert_null(strstr(rows, "Fictional"));
        check_keys(files[i], json, order_keys);
        cJSON_ArrayForEach(row, json_array(json, "rows")) {
            check_keys(files[i], row, row_keys);
        }
        cJSON_Delete(json);
        free(rows);
        order_free(o);
        free(payload);
    }
}

static void no_customer_data_are_asked_for(void **state) {
    static const char *const never[] = {"email",      "name",    "phone",    "address",
                                        "personalid", "company", "payments", "staff"};
    (void)state;
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        assert_null(strstr(ORDER_FIELDS, never[i]));
    }
    assert_non_null(strstr(ORDER_FIELDS, ",externalid,"));
}

static void a_hint_names_the_warehouse_if_there_is_one(void **state) {
    static const struct {
        int64_t warehouse;
        const char *want;
    } rows[] = {{1, "w1"}, {43, "w43"}, {INT64_C(9007199254740991), "w9007199254740991"}, {0, ""}, {-1, ""}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct order_row row = {.warehouse_id = rows[i].warehouse};
        char hint[32] = "left over";
        order_row_hint(&row, ORDER_BOOKED, hint);
        assert_string_equal(hint, rows[i].want);
    }
    order_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_orders_are_read),
        cmocka_unit_test(rows_that_move_no_stock_are_left_out),
        cmocka_unit_test(quantities_are_exact_thousandths),
        cmocka_unit_test(returned_rows_name_their_warehouse_and_reason),
        cmocka_unit_test(unreadable_orders_are_parked_with_order_and_field),
        cmocka_unit_test(a_row_with_a_sku_of_more_than_255_characters_is_left_out_alone),
        cmocka_unit_test(an_order_has_at_most_5000_rows),
        cmocka_unit_test(a_till_time_that_cannot_be_counts_as_unknown),
        cmocka_unit_test(our_orders_are_known_by_the_prefix),
        cmocka_unit_test(the_kind_comes_from_type_origin_and_state),
        cmocka_unit_test(rows_are_handed_on_by_sign),
        cmocka_unit_test(nothing_is_handed_on_for_a_sign_without_rows),
        cmocka_unit_test(rows_handed_on_are_read_back_unchanged),
        cmocka_unit_test(data_that_nobody_handed_on_are_a_bug),
        cmocka_unit_test(no_customer_data_are_handed_on),
        cmocka_unit_test(no_customer_data_are_asked_for),
        cmocka_unit_test(a_hint_names_the_warehouse_if_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
