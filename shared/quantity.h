/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantities are int64_t thousandths: Sitoo writes decimals as strings with exactly three places
 * ("5.000", "-0.350"; Source: sitoo.com old documentation, objects overview). BigCommerce counts whole units.
 * Never through floating point.
 */
#ifndef ONEPOOL_QUANTITY_H
#define ONEPOOL_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANTITY_ONE INT64_C(1000) /* one whole unit */
/* Bounds of a sane quantity: ten thousand million units. Beyond it parsing fails. */
#define QUANTITY_MAX (INT64_C(10000000000) * QUANTITY_ONE)
/* "-10000000000.000" and NUL, rounded up. */
#define QUANTITY_TEXT_SIZE 24

/* Parses [-+]?digits[.digits{1,3}] whole; returns false on anything else or beyond QUANTITY_MAX. */
bool quantity_parse(const char *s, int64_t *thousandths);
/* Writes the three-place form ("-0.350") into out. */
void quantity_format(int64_t thousandths, char out[QUANTITY_TEXT_SIZE]);
/* Whole units of max(0, thousandths), rounded down: what may be offered. */
int64_t quantity_whole_units(int64_t thousandths);
/* A whole decimal integer, no spaces, no plus sign, within [min, max]; false otherwise. */
bool int_parse(const char *s, int64_t min, int64_t max, int64_t *out);
/* Exactly n whole integers, one space between each, e.g. "-5000 0 1763890000000"; false otherwise. At most 80 bytes. */
bool ints_parse(const char *s, int64_t *out, size_t n);

#endif
