/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units that came back and are not on sale: all of them until they are judged, afterwards those that were not judged
 * sellable, until a person or a later movement releases them.
 */
#ifndef ONEPOOL_WITHHELD_H
#define ONEPOOL_WITHHELD_H

#include <stdint.h>

#include "mapping.h"
#include "redis.h"

/* The verdict on the units of one row of a return; thousandths > 0. Saying it again changes nothing; a later "sellable"
 * releases what is left. reason: reason code, NULL = none. at_ms: when it came back. */
void effect_verdict(struct args *a, int64_t return_id, int64_t item_id, int64_t warehouse_id, const char *sku,
                    int64_t thousandths, enum verdict v, const char *reason, int64_t at_ms);

#endif
