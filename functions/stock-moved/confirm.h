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

#endif
