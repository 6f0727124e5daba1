/* SPDX-License-Identifier: Apache-2.0 */
/* A Sitoo order: refused with a reason, or its rows survive being handed on. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "json.h"
#include "order.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Rows of that sign, handed on as JSON and read back, are the same in the same order. Returns their number. */
static size_t check_handed(const struct order *o, int sign) {
    struct reason why = {0};
    struct order *again = NULL;
    size_t n = 0;
    char *text = order_rows_json(o, sign);
    if (text != NULL) {
        FUZZ_CHECK(order_rows_read(text, &again, &why) == NEXT_DONE);
        FUZZ_CHECK(again->id == o->id && again->date_ms == o->date_ms);
    }
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *row = &o->rows[i];
        if ((row->thousandths > 0) == (sign > 0)) {
            FUZZ_CHECK(again != NULL && n < again->row_count);
            const struct order_row *other = &again->rows[n++];
            FUZZ_CHECK(other->item_id == row->item_id && other->thousandths == row->thousandths);
            FUZZ_CHECK(other->warehouse_id == row->warehouse_id && same_text(other->sku, row->sku));
            FUZZ_CHECK(same_text(other->reason, row->reason));
        }
    }
    FUZZ_CHECK(again == NULL || again->row_count == n);
    order_free(again);
    free(text);
    return n;
}

/* Reads the rows a second time: each that moves stock is there once, in order, with its id, quantity and warehouse. */
static void check_rows(const struct order *o, const cJSON *json) {
    const cJSON *item = NULL;
    size_t n = 0;
    cJSON_ArrayForEach(item, json_array(json, "orderitems")) {
        const char *sku = json_str(item, "sku"), *total = json_str(item, "decimalquantitytotal");
        const char *other = json_str(json_get(item, "additionaldata"), "return-warehouseid");
        int64_t id = 0, thousandths = 0, warehouse = 0;
        if (total == NULL && json_int(item, "quantity", &thousandths)) {
            thousandths *= QUANTITY_ONE;
        } else if (total != NULL) {
            (void)quantity_parse(total, &thousandths);
        }
        if (sku == NULL || sku[0] == '\0' || !sku_fits(sku) || thousandths == 0) {
            continue;
        }
        FUZZ_CHECK(n < o->row_count && json_int(item, "orderitemid", &id));
        const struct order_row *row = &o->rows[n++];
        FUZZ_CHECK(strcmp(row->sku, sku) == 0 && row->item_id == id && row->thousandths == thousandths);
        if (thousandths > 0 || other == NULL || !int_parse(other, 1, JSON_INT_MAX, &warehouse)) {
            warehouse = o->warehouse_id;
        }
        FUZZ_CHECK(row->warehouse_id == warehouse ||
                   cJSON_IsNumber(json_get(json_get(item, "additionaldata"), "return-warehouseid")));
    }
    FUZZ_CHECK(n == o->row_count);
}

static void check_order(const struct order *o) {
    char hint[32];
    FUZZ_CHECK(o->id > 0 && o->row_count <= ORDER_ROWS_MAX && o->date_ms >= 0);
    FUZZ_CHECK(strcmp(order_kind_name(order_kind(o)), "unknown") != 0);
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *row = &o->rows[i];
        FUZZ_CHECK(row->thousandths != 0 && row->thousandths >= -QUANTITY_MAX && row->thousandths <= QUANTITY_MAX);
        FUZZ_CHECK(sku_fits(row->sku));
        order_row_hint(row, order_kind(o), hint);
        FUZZ_CHECK((hint[0] != '\0') == (row->warehouse_id > 0));
    }
    FUZZ_CHECK(check_handed(o, 1) + check_handed(o, -1) == o->row_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[160];
    struct reason why = {0};
    struct order *o = NULL;
    cJSON *json = json_read((const char *)data, size, error, sizeof error);
    enum next next = order_read(json, "BC-", &o, &why);
    FUZZ_CHECK((next == NEXT_DONE) == (o != NULL));
    if (o != NULL) {
        check_order(o);
        check_rows(o, json);
    } else {
        FUZZ_CHECK(next == NEXT_PARK && why.text[0] != '\0' && strcmp(why.cause, "bad_order") == 0);
    }
    order_free(o);
    cJSON_Delete(json);
    return 0;
}
