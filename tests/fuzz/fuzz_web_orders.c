/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/weborders.c tests/fuzz/fake.c */
/*
 * BigCommerce's orders: each is refused with a reason, or its rows are well formed; a whole round over pages of orders
 * and lines hands Redis well-formed rows only. Answers in the order of the calls: pages of orders, and lines where cut
 * off.
 */
#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "functions/stock-moved/weborders.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

static void check_order(const cJSON *json) {
    struct weborder o;
    struct reason why = {0};
    int64_t thousandths = 0;
    enum next next = weborder_read(json, fuzz_app()->set->mapping, &o, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_PARK && why.text[0] != '\0'));
    if (next == NEXT_DONE) {
        FUZZ_CHECK(o.id > 0 && o.args.n == 2 * o.rows);
        FUZZ_CHECK(weborder_holds(o.status_id, true, true) || (o.rows == 0 && !o.incomplete));
        for (size_t i = 1; i < o.args.n; i += 2) {
            FUZZ_CHECK(int_parse(o.args.argv[i], QUANTITY_ONE, QUANTITY_MAX, &thousandths));
        }
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
    cJSON *json = json_read((const char *)data, size, error, sizeof error);
    check_order(json);
    cJSON_ArrayForEach(order, json) {
        check_order(order);
    }
    cJSON_Delete(json);
    return 0;
}
