/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/weborders.c tests/fuzz/fake.c */
/*
 * BigCommerce's orders: each is refused with a reason, or its rows are well formed and hold no more than was ordered; a
 * whole round over pages of orders and lines hands Redis well-formed rows only; lines that are not whole are never
 * taken for all. Answers in the order of the calls: pages of orders, and lines where cut off.
 */
#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "functions/stock-moved/weborders.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

/* The sum of all quantities from here down, so that no row can have more; refunds only take away. */
static int64_t ordered(const cJSON *item) {
    const cJSON *child = NULL;
    int64_t sum = 0, n = 0;
    if (json_id(item, "quantity", &n) && n > 0 && n <= QUANTITY_MAX / QUANTITY_ONE) {
        sum += n;
    }
    cJSON_ArrayForEach(child, item) {
        sum += ordered(child);
    }
    return sum;
}

static void check_rows(const struct weborder *o, const cJSON *json) {
    int64_t thousandths = 0, left = ordered(json);
    FUZZ_CHECK(o->args.n == 2 * o->rows);
    for (size_t i = 1; i < o->args.n; i += 2) {
        FUZZ_CHECK(int_parse(o->args.argv[i], QUANTITY_ONE, QUANTITY_MAX, &thousandths));
        left -= thousandths / QUANTITY_ONE;
    }
    FUZZ_CHECK(left >= 0);
}

static void check_order(const cJSON *json) {
    struct weborder o;
    struct reason why = {0};
    enum next next = weborder_read(json, fuzz_app()->set->mapping, &o, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_PARK && why.text[0] != '\0'));
    if (next == NEXT_DONE) {
        FUZZ_CHECK(o.id > 0);
        FUZZ_CHECK(weborder_holds(o.status_id, true, true) || (o.rows == 0 && !o.incomplete));
        check_rows(&o, json);
    }
    weborder_free(&o);
}

/* The first answer as the lines of an order. */
static void check_products(const uint8_t *data, size_t size) {
    struct weborder o = {.id = 9};
    struct reason why = {0};
    const cJSON *line = NULL;
    int status = 0;
    fake_begin(data, size);
    enum next next = weborder_products(fuzz_app(), &o, 0, &why);
    FUZZ_CHECK(next == NEXT_DONE || why.text[0] != '\0');
    if (next == NEXT_DONE) {
        cJSON *lines = fake_answer(0, 204, &status);
        FUZZ_CHECK(status == 204 || cJSON_IsArray(lines));
        cJSON_ArrayForEach(line, lines) {
            FUZZ_CHECK(json_get(line, "__warning__") == NULL && json_get(line, "quantity") != NULL);
        }
        if (fake_calls() == 1) {
            check_rows(&o, lines);
        }
        cJSON_Delete(lines);
    }
    weborder_free(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[160];
    struct reason why = {0};
    const cJSON *order = NULL;
    fake_begin(data, size);
    enum next next = weborders_refresh(fuzz_app(), &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    check_products(data, size);
    cJSON *json = json_read((const char *)data, size, error, sizeof error);
    check_order(json);
    cJSON_ArrayForEach(order, json) {
        check_order(order);
    }
    cJSON_Delete(json);
    return 0;
}
