/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amounts of money are int64_t ten-thousandths of the currency's unit: BigCommerce writes text with four decimals in v2
 * ("62.6793") and JSON numbers in v3 (21.83), Sitoo text with two ("-2990.00"). Never added up in floating point.
 */
#ifndef ONEPOOL_MONEY_H
#define ONEPOOL_MONEY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define MONEY_ONE INT64_C(10000)                   /* one unit: 1.00 */
#define MONEY_MAX (INT64_C(1000000000000) * 10000) /* beyond it reading fails */
/* "-1000000000000.0000" and NUL, rounded up. */
#define MONEY_TEXT_SIZE 24

/* [-]digits[.digits{1,4}], whole text. */
bool money_parse(const char *s, int64_t *out);
/* A member that is such a text, or a number that has at most four decimals. False if absent or anything else. */
bool money_get(const cJSON *o, const char *key, int64_t *out);
/* Digits after the point that a currency has: 0 (JPY, ...), 3 (KWD, ...), else 2. Source: ISO 4217. */
int money_decimals(const char *currency);
/* One minor unit of the currency: 100 for EUR, 10000 for JPY, 10 for KWD. */
int64_t money_minor(const char *currency);
/* "-2990.00": with the currency's decimals, or with four if it has more than those. */
void money_format(int64_t amount, const char *currency, char out[MONEY_TEXT_SIZE]);

#endif
