/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confirming: BigCommerce's writes are asynchronous (200 means accepted), so every level is read back until it is seen.
 * A level that never shows, or that somebody else changed, is written again.
 */
#ifndef ONEPOOL_CONFIRM_H
#define ONEPOOL_CONFIRM_H

#include "app.h"

/* Reads back what is due. *wait_ms: until the next one is due, -1 = none. */
enum next confirm_levels(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;

/* The same in shadow mode, for the report of it: levels that would have been written, and whether BigCommerce shows
 * them by now. At most once a second, from the smallest share of the calls; failing harms nothing. *last_ms: monotonic,
 * kept between calls. */
enum next confirm_shadow(struct app *app, int64_t *last_ms, int64_t *wait_ms, struct reason *why) NODISCARD;

#endif
