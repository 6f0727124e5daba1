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
    } else {
        FUZZ_CHECK(next == NEXT_PARK && why.text[0] != '\0' && strcmp(why.cause, "bad_order") == 0);
    }
    order_free(o);
    cJSON_Delete(json);
    return 0;
}
