/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of catalog.h share. Internal to them. */
#ifndef ONEPOOL_CATALOG_IN_H
#define ONEPOOL_CATALOG_IN_H

#include <stdint.h>

#include "catalog.h"

/* Marks p as bad, keeping the first problem, and says so: NEXT_PARK "bad_product". */
enum next catalog_bad(struct catalog_product *p, struct reason *why, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Below, at or above 0 as a stands before, at or behind b. */
int catalog_order(int64_t a, int64_t b);

#endif
