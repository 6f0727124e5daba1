/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings one web order to its right state on both platforms, whatever event made it due: order-created, order-updated
 * and pickup-updated each run this for a queue of their own. One process at a time works on an order (lease
 * weborder:<id>).
 *
 *   lease -> web order, Sitoo's orders for it -> [plan -> one step -> read again]... -> reservations seen -> cases
 *
 * An order with something open in Sitoo stays in the queue `handover` as a timer (web_orders.look_again_hours).
 */
#ifndef ONEPOOL_HANDOVER_H
#define ONEPOOL_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "hook.h"

/* One round of work of a function, see function.h: claims from the queue. */
enum next handover_work(struct app *app, const char *queue, int64_t *wait_ms, struct reason *why) NODISCARD;

/* --invoke: payload is a hook, or {"order":100301}. */
int handover_invoke(struct app *app, const char *queue, const char *payload, size_t len, bool dry_run);

#endif
