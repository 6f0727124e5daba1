/* SPDX-License-Identifier: Apache-2.0 */
/* Which warehouses fill a web order. Pure. */
#ifndef ONEPOOL_ALLOCATION_H
#define ONEPOOL_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Chooses warehouses for wanted[n] (units per row of the web order): the first of w that has all; else, if split is
 * allowed, as much as each has, in their order, at most HANDED_PARTS_MAX; false if they do not have enough. available:
 * [w][n] units. out[w][n] units taken.
 */
bool hand_allocate(const int64_t *wanted, size_t n, const int64_t *available, size_t w, bool split, int64_t *out);

#endif
