/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer does after Redis lost data, before it writes any level: pending and withheld are derived anew from
 * the platforms, and every SKU is due.
 *
 *   web orders   all that hold stock, by date of change, from bigcommerce.orders_days back
 *   refunds      ledger rows of type 40 since the loss: withheld, once each
 *   Sitoo orders since the loss: due, so that sales are recorded and returns withheld and parked
 *   SKUs         every inventory item of the mapped locations is due; its stock and level are read again
 *
 * Each step may run again, so a crash in the middle only means that all is done anew. A first start reads the web
 * orders only: what stands in both shops is what its baseline compares.
 */
#ifndef ONEPOOL_REBUILD_H
#define ONEPOOL_REBUILD_H

#include "app.h"
#include "epoch.h"

/* Under the writer lease. NEXT_DONE: e is whole. */
enum next rebuild(struct app *app, struct epoch *e, struct reason *why) NODISCARD;

#endif
