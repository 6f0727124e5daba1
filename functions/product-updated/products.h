/* SPDX-License-Identifier: Apache-2.0 */
/* One round of work on products that changed (queue `product`) and on both catalogs (queue `catalog`). */
#ifndef ONEPOOL_PRODUCTS_H
#define ONEPOOL_PRODUCTS_H

#include "app.h"
#include "err.h"

enum next products_work(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;

/* Runs once on a recorded webhook. */
int products_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
