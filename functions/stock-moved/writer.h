/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: one per store, by lease. No replica is special; whoever holds the lease reads the ledger, computes the
 * levels of all due SKUs, writes them, and reads them back.
 *
 *   round:  lease -> pace -> ledger (on any event, every 5 s) -> due SKUs (stock, web orders) -> write -> read back
 */
#ifndef ONEPOOL_WRITER_H
#define ONEPOOL_WRITER_H

#include "app.h"

#define WRITER_LEASE "writer"

/* One round of work, see function.h. */
enum next writer_work(struct app *app, int64_t *wait_ms, struct reason *why);
/* Gives the lease back. */
void writer_leave(struct app *app);
/* --invoke: payload is a stock_changed hook, or {"skus":["A","B"]}: computes and writes these levels now. */
int writer_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
