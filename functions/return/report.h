/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a return, apart for goods and money, as people are shown it (onepool returns):
 *
 *   {"return":11555,"receipt":"SII...","currency":"SEK","exchange":false,"payments_differ":false,
 *    "rows":[{"item":0,"sku":"44079-0","quantity":"1.000","warehouse":4,"reason":"101","stock":"unsellable",
 *             "purchase":"web","web_order":100301}],
 *    "money":[{"web_order":100301,"outcome":"refunded","refund":7,"amount":"2990.00","currency":"SEK",
 *              "paid_by":"paid_at_till"}]}
 *
 * outcome: refunded, parked (with cause and text), shadow. purchase: web, till, none (manual), missing, no_row,
 * several.
 */
#ifndef ONEPOOL_RETURN_REPORT_H
#define ONEPOOL_RETURN_REPORT_H

#include <cjson/cJSON.h>

#include "credit.h"
#include "decide.h"
#include "original.h"
#include "redis.h"
#include "settle.h"

struct report {
    cJSON *json, *rows, *money;
};

void report_begin(struct report *r, const struct credit *c, const struct mapping *m, const struct match *matches);
void report_money(struct report *r, const struct part *p, const struct settled *s);
/* Appends the effects: the stored JSON and the ledger records of refunds. Frees the report. */
void report_end(struct report *r, const struct credit *c, struct args *effects);
const char *match_name(enum match_kind kind);

#endif
