/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a SKU may be. BigCommerce keeps at most 255 characters, which is up to 1020 bytes of UTF-8; a longer one of
 * Sitoo can be no product of the web shop. Sitoo's own limit is not documented.
 *
 * Source: BigCommerce, catalog products and variants, sku maxLength 255 (bigcommerce.md 8).
 */
#ifndef ONEPOOL_SKU_H
#define ONEPOOL_SKU_H

#include <stdbool.h>

#define SKU_CHARS_MAX  255
#define SKU_BYTES_MAX  (4 * SKU_CHARS_MAX)
#define SKU_SHOWN_SIZE 260 /* bytes, with "..." and NUL */

/* True if s, valid UTF-8, has 1 to SKU_CHARS_MAX characters. */
bool sku_fits(const char *s);

/* s for a sentence: cut after some 255 bytes, never within a character, with "..." behind. Returns out. */
const char *sku_shown(const char *s, char out[SKU_SHOWN_SIZE]);

#endif
