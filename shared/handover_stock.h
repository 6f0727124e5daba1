/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stock of a web order's SKUs in Sitoo: where they can be taken from, whether its reservations are there, and who else
 * has what a shop is short of. Source: sitoo.md 5.2, 7.2.
 */
#ifndef ONEPOOL_HANDOVER_STOCK_H
#define ONEPOOL_HANDOVER_STOCK_H

#include "handover_send.h"

/* Warehouses of a shipped order in the order of the mapping: shipping.allocate_from, else those of
 * shipping.location_id. */
size_t hand_candidates(const struct mapping *m, const int64_t **ids);

/* Chooses the warehouse and units of the next part of revision rev: units[2 * web.n], part->warehouse_id, part->parts.
 * NEXT_PARK "needs_allocation": nobody has it; why says what each has. */
enum next hand_choose(struct hand_work *w, int64_t rev, int64_t number, struct hand_part *part, int64_t *units,
                      struct reason *why) NODISCARD;

/* Tells Redis what Sitoo has of the order (80_pending.lua handed_put). done: nothing is open. *missing: a reservation
 * is not there (yet). Adds the case reservation_short to p where a shop has less than it must hand over. */
enum next hand_seen(struct hand_work *w, bool done, struct hand_plan *p, bool *missing, struct reason *why) NODISCARD;

#endif
