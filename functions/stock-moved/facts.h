/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is known of a batch of due SKUs when their levels are computed.
 *
 * Reads are complete or count for nothing: "no row = 0" holds only if the answer held all of its rows, the SKU exists
 * in Sitoo with stock counting on, and the warehouse has rows at all. Otherwise the old level stays and a case is
 * parked.
 */
#ifndef ONEPOOL_FACTS_H
#define ONEPOOL_FACTS_H

#include "app.h"
#include "identity.h"
#include "ledger.h"
#include "level.h"
#include "queue.h"

struct fact {
    const struct claim *claim;
    const char *sku;
    struct identity item;
    bool check;        /* BigCommerce moved stock by itself: read back */
    bool force;        /* write even if nothing changed */
    bool settled;      /* nothing to write: a case was parked, or the SKU is none of ours */
    const char *cause; /* why it was settled, where that is a case; static text */
    enum next next;    /* what becomes of the claim */
    bool proven;       /* no stock row, but the product was seen in Sitoo, with stock counting on */
    size_t reads;      /* warehouses whose stock Sitoo told in this round; all of them: its cases are over */
    int64_t unallocated;
    struct stock *stock;         /* one per mapped warehouse, in the order of mapping->warehouses */
    unsigned char *have;         /* one per mapped warehouse: enum fact_have */
    struct level_stored *stored; /* one per mapped location */
};

enum fact_have { HAVE_NOT, HAVE_ABSENT, HAVE_STOCK };

struct facts {
    const struct mapping *mapping;
    struct fact *list;
    size_t n;
    struct args effects; /* cases found on the way */
    /* backing memory */
    struct stock *stock;
    unsigned char *have;
    struct level_stored *stored;
};

/* The last read of a SKU in a warehouse. */
struct stock_known {
    bool known;
    int64_t available, reserved; /* thousandths */
    int64_t read_ms;             /* when it was asked for */
};
/* Reads "available reserved read_ms", as kept in KEY_STOCK. Anything else: false, not known. */
bool stock_known_read(const char *text, struct stock_known *k);

/* What the marks of a SKU say about a warehouse: nothing, its ledger moved (v), reservations may have moved (w). */
enum stock_touch { TOUCH_NONE, TOUCH_MOVED, TOUCH_RESERVED };
/* What its stock is taken from: the last read, the same until the ledger tells of the sale just announced, the ledger's
 * level less what was reserved at the last read, or a read now. */
enum stock_use { USE_KNOWN, USE_UNTIL_LEDGER, USE_LEDGER, USE_READ };
/* Pure. A ledger row counts if the page that brought it was asked for after the last read. */
enum stock_use stock_use(const struct stock_known *k, const struct chain *c, enum stock_touch touch, int64_t now);

void facts_init(struct facts *f, const struct mapping *m, const struct claims *claims);
void facts_free(struct facts *f);

/* Which BigCommerce item each SKU is; unusable ones, and SKUs that cannot be asked for, are settled with a case. */
enum next facts_identify(struct app *app, struct facts *f, struct reason *why) NODISCARD;
/* Available per warehouse: remembered where nothing touched it, else read from Sitoo. */
enum next facts_stock(struct app *app, struct facts *f, struct reason *why) NODISCARD;
/* Places where Sitoo shows less than nothing available while orders of ours are reserved there: those orders become
 * due, so that somebody is told, and once more when there is enough. *none: no place is short, so that those which are
 * not need not be named; a process that becomes the writer does not know, since others may have noticed one. */
enum next facts_short(struct app *app, const struct facts *f, bool *none, struct reason *why) NODISCARD;
/* Settles a fact without a level: its old one stays, and a case (one per cause and SKU) says why. */
void facts_case(const struct app *app, struct facts *f, struct fact *fact, const char *cause, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* Rows that Sitoo did not send: 0 where that is proven, else a case. Called by facts_stock. */
enum next facts_absent(struct app *app, struct facts *f, struct reason *why) NODISCARD;
/* Remembers a proven 0, so that it is not read again until something touches it. */
enum next facts_remember(struct app *app, int64_t warehouse_id, const char *sku, struct reason *why) NODISCARD;
/* Pending, withheld and stored levels from Redis. */
enum next facts_recall(struct app *app, struct facts *f, struct reason *why) NODISCARD;

#endif
