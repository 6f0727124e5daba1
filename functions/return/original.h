/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The purchase that a returned row belongs to: the Sitoo order that the return names, its row, and by the order's
 * externalid the web order. Pure. Source: sitoo.md 4.4 (pos-originalsales-orderitemid is "id or index"), 4.7.
 */
#ifndef ONEPOOL_RETURN_ORIGINAL_H
#define ONEPOOL_RETURN_ORIGINAL_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "credit.h"

#define ORIGINAL_FIELDS "orderid,eshopid,externalid,additionaldata,orderitems"

enum match_kind {
    MATCH_WEB,     /* bought in the web shop */
    MATCH_TILL,    /* bought at a till: stock only */
    MATCH_MANUAL,  /* the return names no purchase */
    MATCH_MISSING, /* it names one that Sitoo does not have */
    MATCH_NO_ROW,  /* no row of the purchase fits */
    MATCH_SEVERAL  /* several rows fit, and they are not alike */
};

struct match {
    enum match_kind kind;
    int64_t original;  /* Sitoo order id; 0 if none */
    int64_t web_order; /* MATCH_WEB */
    int64_t product;   /* order product id in BigCommerce (web-itemid); 0 = not told, found by SKU */
};

/* originals: answers of the orders named, each an object with ORIGINAL_FIELDS. */
void original_match(const struct credit *c, const struct credit_row *row, const cJSON *const *originals, size_t n,
                    const struct mapping *m, struct match *out);

/* "BC-100301", "BC-100301-2r1" with prefix "BC-", or a pattern of the baseline ("WEB-{order}"): the web order; else 0.
 */
int64_t original_web_order(const char *external_id, const struct mapping *m);

#endif
