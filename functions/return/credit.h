/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A return as Sitoo tells it: the credited rows with their money, what they refer to, and who paid the customer. Read
 * with explicit fields that name no customer data.
 *
 *   {"orderid":11555,...,"creditorderid":11540,"currencycode":"SEK","moneytotal_gross_all":"-2990.00",
 *    "additionaldata":{"pos-originalsales-orderid":"11540","pos-receiptid":"SII..."},
 *    "orderitems":[{"orderitemid":0,"sku":"44079-0","quantity":-1,"moneyitemtotal_net":"-2392.00",
 *                   "moneyitemtotal_vat":"-598.00","additionaldata":{"pos-originalsales-orderitemid":"0",
 *                   "reasoncode-return":"101","return-warehouseid":"4"}}],
 *    "payments":[{"name":"Card","moneyamount":"-2990.00","additionaldata":{}}]}
 *
 * Source: developer.sitoo.com orders; sitoo.md 4.1 to 4.7.
 */
#ifndef ONEPOOL_RETURN_CREDIT_H
#define ONEPOOL_RETURN_CREDIT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mapping.h"
#include "order.h"

#define CREDIT_FIELDS    ORDER_FIELDS ",currencycode,moneytotal_gross_all,payments"
#define CREDIT_REFERENCE INT64_C(-1) /* "none": 0 is a real row */

struct credit_row {
    const struct order_row *row; /* SKU, warehouse, reason; quantity is negative */
    int64_t thousandths;         /* units returned, above 0 */
    int64_t gross;               /* paid back for the row, above 0 (money.h); valid if gross_known */
    bool gross_known;
    int64_t reference; /* pos-originalsales-orderitemid, id or index; CREDIT_REFERENCE if none */
    bool gift_card;    /* a gift card, whose money is elsewhere */
};

struct credit {
    struct order *order; /* all rows, also those sold in the same order */
    struct credit_row *rows;
    size_t n;
    int64_t originals[2]; /* Sitoo order ids that the return refers to */
    size_t original_count;
    int64_t total;      /* of the whole return (money.h), as Sitoo has it */
    int64_t paid;       /* sum of the payments, virtual ones too */
    bool paid_differs;  /* payments and total differ: reported, nothing else (a documented example does) */
    bool exchange;      /* goods were given for it: there is a purchase beside it, or a virtual payment */
    bool mixed;         /* payments of several payers: who paid which row cannot be told */
    enum payer payer;   /* of all real payments; of an exchange the till */
    char payments[160]; /* names of the real payments, "Card, Gift card" */
    char currency[8];
    char receipt[80]; /* pos-receiptid; "" if none */
};

/* NEXT_PARK: as order_read. The caller frees, also after an error. */
enum next credit_read(const cJSON *json, const struct mapping *m, struct credit *out, struct reason *why) NODISCARD;
void credit_free(struct credit *c);

#endif
