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

/* A returned row as its order tells of it: withheld until it is judged, once per operation. at_ms: when it came back;
 * what came back more than 380 days ago is left alone, since nobody can tell any more whether it was judged; 0 =
 * unknown. */
void effect_hold_return(struct args *a, const char *op, int64_t warehouse_id, const char *sku, int64_t thousandths,
                        int64_t at_ms);

/* The verdict. Saying it again changes nothing; a later "sellable" releases what is left. */
void effect_verdict(struct args *a, const struct judged *j);

/* Releases units of one entry ("11555:0"): thousandths, or 0 = all that are left. op: once per operation. how: who. */
void effect_release(struct args *a, const char *op, const char *entry, int64_t thousandths, const char *how);
/* Goods left a warehouse otherwise than by a sale: releases the oldest entries of the SKU there, then units that are
 * not judged yet. thousandths > 0; at_ms: when. */
void effect_moved_out(struct args *a, const char *op, int64_t warehouse_id, const char *sku, int64_t thousandths,
                      int64_t at_ms);
/* The SKU was counted in a warehouse: if units of it are withheld there, a person must say what was counted. Once for
 * each row and SKU. */
void effect_counted(struct args *a, int64_t warehouse_id, const char *sku, int64_t row, const char *owner);

#endif
