/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings products from BigCommerce to Sitoo. One process per store at a time (lease "products"), so that a family has
 * one writer, and so that "how many products are there" can be asked before and after.
 *
 *   begin: lease -> no write of unknown outcome younger than SYNC_SETTLE_MS -> rules of both shops
 *   items: Sitoo's products by SKU -> compare -> noted -> codes that change hands are freed -> made -> sales
 *          begin -> changed -> sales end -> families -> count -> remembered
 *
 * Every write is derived from what Sitoo shows at that moment, so a crash or a lost answer only means to look again,
 * and not too soon: what was sent may still be on its way. Nothing is ever deleted; what left BigCommerce is hidden in
 * the POS. Sources: sitoo.md 6; docs/adr/0017.
 */
#ifndef ONEPOOL_PRODUCT_SYNC_H
#define ONEPOOL_PRODUCT_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "lease.h"
#include "platform.h"
#include "product_known.h"
#include "product_want.h"
#include "till_product.h"

#define SYNC_LEASE      "products"
#define SYNC_PRODUCTS   "products" /* kinds of writes: each waits for its own whose outcome is not known */
#define SYNC_IMAGES     "images"
#define SYNC_LEASE_MS   INT64_C(60000)
#define SYNC_SETTLE_MS  INT64_C(30000) /* longer than a call may take, and then some */
#define SYNC_BATCH      200            /* elements in one write (sitoo.md 6.1) */
#define SYNC_RULES_MS   INT64_C(600000)
#define SYNC_SALES_AT   "sales_at" /* field of "catalog", see sync_sales_changed */
#define SYNC_COUNT_FROM 10         /* a write of fewer elements is not counted before and after */

/* One product of BigCommerce. */
struct sync_item {
    int64_t product_id;
    const struct product_want *want;   /* NULL = BigCommerce has it no more */
    const struct known_product *known; /* as last sent; NULL = nothing */
    bool person;                       /* a person said so: a large change of price, and hiding many, may pass */
    /* what became of it */
    enum next next;
    struct reason why;
    struct args effects; /* what is to be remembered and told; apply if next is NEXT_DONE */
    int64_t created, updated, hidden, refused;
    bool family; /* its family was written */
};
void sync_item_free(struct sync_item *item);

struct sync {
    struct app *app;
    struct lease lease;
    struct product_rules rules;
    bool rules_known;
    int64_t rules_ms; /* monotonic: when the rules were read */
    struct till_lists lists;
    struct till_prices *prices; /* of lists.list[i]; read when first needed */
    bool *prices_known;
    char sales_at[24];       /* SYNC_SALES_AT when the list for sale prices was read */
    int64_t extended_ms;     /* monotonic: the lease */
    bool lost;               /* the lease was lost */
    bool (*keep)(void *arg); /* of the caller, called after ours */
    void *keep_arg;
    int64_t counted; /* products in Sitoo when last counted, in this turn; -1 = not */
    int64_t calls;   /* writes sent in this turn */
};

/* NEXT_DEFER: another process has the lease ("products_busy"), a write is not settled yet ("products_unsettled"), or
 * nothing may be written ("products_halted": products vanished from Sitoo). NEXT_PARK: the two shops' settings do not
 * fit. */
enum next sync_begin(struct app *app, struct sync *s, struct reason *why) NODISCARD;
/* NEXT_DEFER ("products_unsettled"): a write of that kind whose outcome nobody recorded may be on its way still. */
enum next sync_settled(struct sync *s, const char *kind, struct reason *why) NODISCARD;
/* Gives the lease back; what is cached stays for the next turn. */
void sync_end(struct sync *s);
void sync_free(struct sync *s);
/* The list for sale prices is not, or soon will not be, what any process has read of it so far: each reads it again. */
enum next sync_sales_changed(struct app *app, struct reason *why) NODISCARD;

/*
 * Each item's outcome is in the item; free them with sync_item_free. till: Sitoo's products, if the caller has read all
 * of them just now (those that are made are added to it); NULL: they are read by SKU.
 */
void sync_items(struct sync *s, struct sync_item *items, size_t n, struct till_products *till);

struct sync_write {
    const char *kind; /* SYNC_PRODUCTS or SYNC_IMAGES */
    const char *method, *path;
    const char *body; /* JSON, or NULL for a DELETE without one */
    size_t elements;  /* how many it writes */
};
/* One call to Sitoo through the gate, in a turn. answer as gate_send's, to be freed in every case. NEXT_DEFER also for
 * 409 and 423 ("locked"). */
enum next sync_send(struct sync *s, const struct sync_write *write, struct answer *answer, bool *shadowed,
                    struct reason *why) NODISCARD;

#endif
