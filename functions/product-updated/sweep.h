/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Once a day, or when somebody asks, both catalogs are compared as a whole: exceptions are told (shared/exceptions.h),
 * and products that no webhook told us of, or that somebody changed in Sitoo, become due.
 */
#ifndef ONEPOOL_PRODUCT_SWEEP_H
#define ONEPOOL_PRODUCT_SWEEP_H

#include "app.h"
#include "err.h"
#include "product_sync.h"

enum next sweep_work(struct app *app, struct sync *s, int64_t *wait_ms, struct reason *why) NODISCARD;

#endif
