/* SPDX-License-Identifier: Apache-2.0 */
/* One sweep: reads both catalogs and what was sold, finds the exceptions (exceptions.h), and keeps them with their
 * cases. */
#ifndef ONEPOOL_EXCEPTIONS_SWEEP_H
#define ONEPOOL_EXCEPTIONS_SWEEP_H

#include "exceptions.h"
#include "product_shops.h"

#define SWEEP_SOLD_DAYS 30

/*
 * shops: what was read, which the caller frees in every case; may be NULL. out: likewise (exceptions_free). Nothing is
 * written to either platform. NEXT_DEFER: nothing was kept, the former result stands. NEXT_PARK as of shops_read.
 * progress may be NULL.
 */
enum next exceptions_sweep(struct app *app, shops_progress progress, void *arg, struct shops *shops,
                           struct exceptions *out, struct reason *why) NODISCARD;

#endif
