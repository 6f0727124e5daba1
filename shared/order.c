/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "gate.h"
#include "json.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

void order_free(struct order *o) {
    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < o->row_count; i++) {
        free(o->rows[i].sku);
        free(o->rows[i].reason);
    }
    free(o->rows);
    free(o->too_long_sku);
    free(o->external_id);
    free(o);
}

/* additionaldata is an object, {}, null or [] (sitoo.md 2). */
static const char *extra(const cJSON *json, const char *key) {
    const cJSON *data = json_get(json, "additionaldata");
    return cJSON_IsObject(data) ? json_str(data, key) : NULL;
}

/* decimalquantitytotal carries weight or length; quantity is a count. */
static bool row_quantity(const cJSON *item, int64_t *thousandths) {
    const cJSON *total = json_get(item, "decimalquantitytotal");
    int64_t units = 0;
    if (total != NULL && !cJSON_IsNull(total)) {
        return cJSON_IsString(total) && quantity_parse(total->valuestring, thousandths);
    }
    if (!json_int(item, "quantity", &units) || units > QUANTITY_MAX / QUANTITY_ONE ||
        units < -(QUANTITY_MAX / QUANTITY_ONE)) {
        return false;
    }
    *thousandths = units * QUANTITY_ONE;
    return true;
}

/* Where a returned row went, if that is not the order's warehouse. All values of additionaldata are documented as
 * texts; a number is taken too. False if it is there and is neither. */
static bool return_warehouse(const cJSON *item, int64_t *warehouse_id) {
    const cJSON *other = json_get(json_get(item, "additionaldata"), "return-warehouseid");
    if (other == NULL || cJSON_IsNull(other) || (cJSON_IsString(other) && other->valuestring[0] == '\0')) {
        return true;
    }
    int64_t id = 0;
    bool good = cJSON_IsString(other) ? int_parse(other->valuestring, 1, JSON_INT_MAX, &id)
                                      : json_item_int(other, &id) && id > 0;
    *warehouse_id = good ? id : *warehouse_id;
    return good;
}

static enum next row_read(struct order *o, const cJSON *json, const cJSON *item, struct order_row *row, bool *moves,
                          struct reason *why) {
    const char *sku = json_str(item, "sku");
    char shown[SKU_SHOWN_SIZE];
    int64_t item_id = -1;
    *moves = false;
    if (sku == NULL || sku[0] == '\0') {
        return NEXT_DONE;
    }
    if (!sku_fits(sku)) {
        if (o->too_long++ == 0) {
            o->too_long_sku = xstrdup(sku);
        }
        return NEXT_DONE;
    }
    (void)sku_shown(sku, shown);
    row->by_measure = cJSON_IsString(json_get(item, "decimalunitquantity"));
    if (!row_quantity(item, &row->thousandths)) {
        return reason_set(why, NEXT_PARK, "bad_order", "Sitoo order %lld, SKU %s: the quantity cannot be read",
                          (long long)o->id, shown);
    }
    if (row->thousandths == 0) {
        return NEXT_DONE;
    }
    if (!json_int(item, "orderitemid", &item_id)) {
        return reason_set(why, NEXT_PARK, "bad_order", "Sitoo order %lld, SKU %s: orderitemid is missing",
                          (long long)o->id, shown);
    }
    row->item_id = item_id;
    row->warehouse_id = o->warehouse_id;
    if (row->thousandths < 0 && !return_warehouse(item, &row->warehouse_id)) {
        return reason_set(why, NEXT_PARK, "bad_order", "Sitoo order %lld, SKU %s: return-warehouseid is not a number",
                          (long long)o->id, shown);
    }
    const char *reason = extra(item, "reasoncode-return");
    reason = reason != NULL ? reason : extra(json, "refundreasoncode-reasoncode");
    row->reason = row->thousandths < 0 && reason != NULL ? xstrdup(reason) : NULL;
    row->sku = xstrdup(sku);
    *moves = true;
    return NEXT_DONE;
}

static enum next rows_read(struct order *o, const cJSON *json, struct reason *why) {
    const cJSON *items = json_array(json, "orderitems");
    const cJSON *item = NULL;
    if (items == NULL) {
        return reason_set(why, NEXT_PARK, "bad_order", "Sitoo order %lld: orderitems is missing", (long long)o->id);
    }
    int count = cJSON_GetArraySize(items);
    if (count > ORDER_ROWS_MAX) {
        return reason_set(why, NEXT_PARK, "bad_order", "Sitoo order %lld has %d rows; at most %d are handled",
                          (long long)o->id, count, ORDER_ROWS_MAX);
    }
    o->rows = xcalloc(count > 0 ? (size_t)count : 1, sizeof *o->rows);
    cJSON_ArrayForEach(item, items) {
        bool moves = false;
        enum next next = row_read(o, json, item, &o->rows[o->row_count], &moves, why);
        if (next != NEXT_DONE) {
            return next;
        }
        o->row_count += moves ? 1 : 0;
    }
    return NEXT_DONE;
}

enum next order_read(const cJSON *json, const char *our_prefix, struct order **out, struct reason *why) {
    struct order *o = xcalloc(1, sizeof *o);
    int64_t date_s = 0;
    *out = NULL;
    if (!json_int(json, "orderid", &o->id) || o->id <= 0) {
        order_free(o);
        return reason_set(why, NEXT_PARK, "bad_order", "a Sitoo order came without orderid");
    }
    if (!json_int(json, "ordertypeid", &o->type) || !json_int(json, "orderstateid", &o->state) ||
        !json_int(json, "orderdate", &date_s)) {
        (void)reason_set(why, NEXT_PARK, "bad_order",
                         "Sitoo order %lld: ordertypeid, orderstateid or orderdate is missing", (long long)o->id);
        order_free(o);
        return NEXT_PARK;
    }
    o->date_ms = date_s > 0 && date_s < INT64_C(100000000000) ? date_s * 1000 : 0;
    (void)json_int(json, "warehouseid", &o->warehouse_id);
    const char *external = json_str(json, "externalid");
    o->external_id = external != NULL ? xstrdup(external) : NULL;
    o->ours = external != NULL && strncmp(external, our_prefix, strlen(our_prefix)) == 0;
    enum next next = rows_read(o, json, why);
    if (next != NEXT_DONE) {
        order_free(o);
        return next;
    }
    *out = o;
    return NEXT_DONE;
}

enum order_kind order_kind(const struct order *o) {
    if (o->type == ORDER_TYPE_PARKED) {
        return ORDER_BASKET;
    }
    if (o->type == ORDER_TYPE_BOOKING) {
        return ORDER_BOOKED;
    }
    if (o->ours) {
        return ORDER_OURS;
    }
    if (o->state == ORDER_STATE_CLOSED) {
        return ORDER_SOLD;
    }
    return o->state == ORDER_STATE_OPEN ? ORDER_OPEN : ORDER_CANCELLED;
}

void order_digest(const struct order *o, char out[ORDER_DIGEST_SIZE]) {
    struct buf text;
    out[0] = '\0';
    if (o->state != ORDER_STATE_OPEN || o->type == ORDER_TYPE_PARKED) {
        return;
    }
    buf_init(&text, (size_t)ORDER_ROWS_MAX * (SKU_BYTES_MAX + 80));
    buf_addf(&text, "%lld %lld", (long long)o->type, (long long)o->warehouse_id);
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *row = &o->rows[i];
        buf_addf(&text, "|%lld %lld %lld %s", (long long)row->item_id, (long long)row->thousandths,
                 (long long)row->warehouse_id, row->sku);
    }
    gate_digest(buf_str(&text), out);
    buf_free(&text);
}

const char *order_kind_name(enum order_kind kind) {
    switch (kind) {
    case ORDER_SOLD:
        return "sold";
    case ORDER_OURS:
        return "ours";
    case ORDER_BOOKED:
        return "booked";
    case ORDER_BASKET:
        return "parked_basket";
    case ORDER_OPEN:
        return "open";
    case ORDER_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

char *order_rows_json(const struct order *o, int sign) {
    char quantity[QUANTITY_TEXT_SIZE];
    cJSON *json = json_new_object();
    json_add_int(json, "order", o->id);
    json_add_int(json, "till_ms", o->date_ms);
    cJSON *rows = json_add_array(json, "rows");
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *row = &o->rows[i];
        if ((row->thousandths > 0) != (sign > 0)) {
            continue;
        }
        cJSON *item = json_new_object();
        json_add_int(item, "item", row->item_id);
        json_add_str(item, "sku", row->sku);
        quantity_format(row->thousandths, quantity);
        json_add_str(item, "quantity", quantity);
        json_add_int(item, "warehouse", row->warehouse_id);
        if (row->reason != NULL) {
            json_add_str(item, "reason", row->reason);
        }
        (void)cJSON_AddItemToArray(rows, item);
    }
    char *text = cJSON_GetArraySize(rows) > 0 ? json_print(json) : NULL;
    cJSON_Delete(json);
    return text;
}

static bool handed_row(const cJSON *item, struct order_row *row) {
    const char *sku = json_str(item, "sku"), *quantity = json_str(item, "quantity"), *reason = json_str(item, "reason");
    if (sku == NULL || quantity == NULL || !quantity_parse(quantity, &row->thousandths) ||
        !json_int(item, "item", &row->item_id) || !json_int(item, "warehouse", &row->warehouse_id)) {
        return false;
    }
    row->sku = xstrdup(sku);
    row->reason = reason != NULL ? xstrdup(reason) : NULL;
    return true;
}

enum next order_rows_read(const char *text, struct order **out, struct reason *why) {
    char error[120] = "order, till_ms or rows are missing, or a row is not whole";
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    const cJSON *rows = json_array(json, "rows");
    const cJSON *item = NULL;
    struct order *o = xcalloc(1, sizeof *o);
    bool good = rows != NULL && json_int(json, "order", &o->id) && json_int(json, "till_ms", &o->date_ms);
    o->type = ORDER_TYPE_ORDER;
    o->state = ORDER_STATE_CLOSED;
    if (good) {
        o->rows = xcalloc((size_t)cJSON_GetArraySize(rows) + 1, sizeof *o->rows);
        cJSON_ArrayForEach(item, rows) {
            good = good && handed_row(item, &o->rows[o->row_count]);
            o->row_count += good ? 1 : 0;
        }
    }
    cJSON_Delete(json);
    if (!good) {
        order_free(o);
        return reason_set(why, NEXT_BUG, "handed_rows", "rows handed on cannot be read back: %s", error);
    }
    *out = o;
    return NEXT_DONE;
}

void order_row_hint(const struct order_row *row, enum order_kind kind, char out[32]) {
    out[0] = '\0';
    if (row->warehouse_id > 0) {
        (void)snprintf(out, 32, "%c%lld", kind == ORDER_SOLD ? 'v' : 'w', (long long)row->warehouse_id);
    }
}
