/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool returns --goods-in ORDER --sku SKU --quantity N --warehouse W: a person says that goods of a web order that
 * was refunded in BigCommerce are there; they are booked into Sitoo as a Move In. Then the case refunded_not_back
 * closes by itself.
 *
 *   POST /sites/{site}/warehousetransactions.json
 *   [{"warehouseid":1,"transactiontype":10,"description":"...","externalid":"GI-100301-1",
 *     "items":[{"sku":"SKU-1","decimalquantity":"1.000"}]}]
 *
 * At most once: never more than is missing; the order's lease is held; an intent is stored before the call; and before
 * every call Sitoo's ledger is searched for what bears our reference (there is no filter by externalid), from the
 * order's first such refund on. While the answer of an earlier call is open and its booking is not found, nothing is
 * sent before returns.repeat_after_s. Sources: sitoo.md 2, 7.3, 7.4.
 */
#ifndef ONEPOOL_GOODS_IN_H
#define ONEPOOL_GOODS_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "app.h"
#include "err.h"

#define GOODS_IN_PREFIX "GI-"

struct goods_in {
    int64_t order, warehouse, thousandths;
    const char *sku;
};

/* A booking of ours as Sitoo's ledger shows it. */
struct goods_found {
    int64_t transaction, thousandths;
    char reference[48];
    char *sku;
};
struct goods_founds {
    struct goods_found *list;
    size_t n;
};

/* Every booking for the order in Sitoo's ledger, made since from_ms. NEXT_DEFER: the list is not complete. */
enum next goods_in_search(struct app *app, int64_t order, int64_t from_ms, struct goods_founds *out,
                          struct reason *why) NODISCARD;
/* One page of it; *last becomes the highest id. False if a row cannot be read. Pure. */
bool goods_in_take_page(const cJSON *items, int64_t order, struct goods_founds *out, int64_t *last);
void goods_in_founds_free(struct goods_founds *f);

/* The id of the transaction in Sitoo's answer: 3, or [{"statuscode":200,"return":3}]. 0: an element failed, and *text
 * says why. -1: neither. */
int64_t goods_in_answer(const cJSON *json, const char **text);

#endif
