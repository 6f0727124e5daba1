/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Sitoo order, as far as stock needs it: everything sold, returned, booked or picked up is an order.
 * Read with an explicit field list that names no customer data:
 *
 *   {"orderid":11513,"eshopid":1,"ordertypeid":10,"orderstateid":10,"orderdate":1463041119,"warehouseid":1,
 *    "externalid":null,"creditorderid":null,"additionaldata":{...},
 *    "orderitems":[{"orderitemid":0,"sku":"121292-4","quantity":1,"decimalquantitytotal":"1.000","additionaldata":{}}]}
 *
 * Source: developer.sitoo.com/api-reference/orders; types and states from the v2.8 documentation (sitoo.md 4.1, 4.7).
 */
#ifndef ONEPOOL_ORDER_H
#define ONEPOOL_ORDER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "redis.h"

/* The default list fields lack externalid and creditorderid, so all are named; email, names, addresses are not. */
#define ORDER_FIELDS                                                                                      \
    "orderid,eshopid,ordertypeid,orderstateid,orderdate,warehouseid,registerid,externalid,creditorderid," \
    "additionaldata,orderitems"
#define ORDER_ROWS_MAX 5000

enum order_type { ORDER_TYPE_ORDER = 10, ORDER_TYPE_BOOKING = 100, ORDER_TYPE_PARKED = 110 };
enum order_state {
    ORDER_STATE_OPEN = 0,
    ORDER_STATE_CLOSED = 10,
    ORDER_STATE_CANCELLED = 20,
    ORDER_STATE_ABANDONED = -1
};

struct order_row {
    int64_t item_id; /* starts at 0, a real id */
    char *sku;
    int64_t thousandths;  /* negative = returned */
    int64_t warehouse_id; /* where it moved: return-warehouseid of the row, else the order's */
    char *reason;         /* reason code of a return; NULL if none */
    bool by_measure;      /* sold by weight or length: the row says how much one unit is (decimalunitquantity) */
};

struct order {
    int64_t id, type, state, warehouse_id;
    int64_t date_ms;        /* till time; an offline till delivers it later with the original time */
    bool ours;              /* made by us: externalid begins with our prefix */
    char *external_id;      /* NULL if none */
    struct order_row *rows; /* rows with a SKU and a quantity other than 0 */
    size_t row_count;
    size_t too_long; /* rows left out because of their SKU's length (sku.h): each can be no product of the web shop */
    char *too_long_sku; /* the first of them; NULL if there is none */
};

/*
 * Reads one order. NEXT_PARK: it lacks what every order has, or a quantity is unreadable (why names the order and the
 * field). Rows without SKU or with quantity 0 (discounts) move no stock and are left out; so are those whose SKU is too
 * long, which are counted. The caller frees.
 */
enum next order_read(const cJSON *json, const char *our_prefix, struct order **out, struct reason *why) NODISCARD;
void order_free(struct order *o);

/* What becomes of an order: shown in logs and by --invoke. */
enum order_kind {
    ORDER_SOLD,     /* closed sale, return or exchange made at a till: rows are handed on by sign */
    ORDER_OURS,     /* made by us for a web order */
    ORDER_BOOKED,   /* booking: reserves */
    ORDER_BASKET,   /* parked basket */
    ORDER_OPEN,     /* open order: may reserve */
    ORDER_CANCELLED /* cancelled or abandoned: may free a reservation */
};
enum order_kind order_kind(const struct order *o);
const char *order_kind_name(enum order_kind kind);

/* Of an order that is open and may reserve: 16 hex digits that change whenever its state or its rows do. "" of any
 * other. */
#define ORDER_DIGEST_SIZE 17
void order_digest(const struct order *o, char out[ORDER_DIGEST_SIZE]);

/* Rows as JSON for a queue's data:
 * {"order":11513,"till_ms":...,"rows":[{"item":0,"sku":"...","quantity":"1.000","warehouse":1}]}. sign > 0: rows sold,
 * < 0: rows returned (quantities stay negative). NULL if there are none; the caller frees. */
char *order_rows_json(const struct order *o, int sign);
/* Reads such data back. NEXT_BUG if it is not what order_rows_json writes. */
enum next order_rows_read(const char *json, struct order **out, struct reason *why) NODISCARD;

/*
 * The word that a row's mark carries: "w<warehouse id>" if the warehouse must be read, as reservations move without a
 * ledger row; "v<warehouse id>" for what was sold or returned at a till, whose ledger rows tell the stock. "" when the
 * order names no warehouse.
 */
void order_row_hint(const struct order_row *row, enum order_kind kind, char out[32]);

#endif
