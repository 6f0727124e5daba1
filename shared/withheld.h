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

/* The units of one row of a return. */
struct judged {
    int64_t return_id, item_id; /* Sitoo order and row */
    int64_t warehouse_id;
    const char *sku;
    int64_t thousandths; /* above 0 */
    enum verdict verdict;
    const char *reason; /* reason code; NULL = none */
    int64_t at_ms;      /* when it came back */
};

/* The verdict. Saying it again changes nothing; a later "sellable" releases what is left. */
void effect_verdict(struct args *a, const struct judged *j);

#endif
