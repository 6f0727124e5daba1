/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orders of Sitoo that stand for a web order, found by their externalid: BC-100 is part 1 of revision 0, others are
 * BC-100-{part}r{revision} (the prefix is mapping sitoo.order_prefix). Read with
 *
 *   GET /orders.json?eshopid=1&num=...&fields=...&externalid=BC-100,BC-100-2r0,...       all names that there can be
 *   GET /sites/{site}/orders/{id}/orderdeliveries.json                                   of those that may have some
 *
 * Sources: sitoo.md 4.1, 4.5, 5.
 */
#ifndef ONEPOOL_HANDED_H
#define ONEPOOL_HANDED_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define HANDED_PARTS_MAX  6 /* warehouses that one web order is split over */
#define HANDED_REVS_MAX   9 /* later edits are a person's */
#define HANDED_NAME_SIZE  41
#define HANDED_LOG_READY  900
#define HANDED_LOG_REJECT 910

struct handed_row {
    int64_t item_id;   /* orderitemid, from 0 */
    int64_t web_item;  /* order product id, of additionaldata web-itemid; 0 = none */
    int64_t quantity;  /* whole units */
    int64_t delivered; /* of these */
    char *sku;
};

struct handed_order {
    int64_t id, part, rev, parts; /* parts: how many the revision has, as it was made */
    int64_t state, payment_state, warehouse_id;
    int64_t reserved_until_ms;   /* 0 = no end */
    int64_t ready_ms;            /* latest "ready for pickup"; 0 = none */
    int64_t rejected_ms;         /* latest "pickup rejected"; 0 = none */
    bool ignores_stock, bopis;   /* bopis: made for collection */
    char name[HANDED_NAME_SIZE]; /* externalid */
    char address[17];            /* digest of the delivery address, as we sent it; "" = none */
    struct handed_row *rows;
    size_t n;
};

struct handed {
    struct handed_order *list;
    size_t n;
    int64_t rev; /* the latest; -1 = there is none */
};

/* "BC-100" or "BC-100-2r1". */
void handed_name(const char *prefix, int64_t web_order, int64_t part, int64_t rev, char out[HANDED_NAME_SIZE]);
/* The web order that an externalid of ours names, or 0. */
int64_t handed_web_order(const char *prefix, const char *name);

/* NEXT_DEFER "bad_order": a list is not whole, so nothing may be concluded from what it lacks. Free in every case. */
enum next handed_read(struct app *app, int64_t web_order, struct handed *out, struct reason *why) NODISCARD;
void handed_free(struct handed *h);

/* One order of the list; pure. */
enum next handed_take(const cJSON *json, const char *prefix, int64_t web_order, struct handed_order *out,
                      struct reason *why) NODISCARD;
/* Adds what the deliveries of the order delivered; pure. */
enum next handed_deliveries(const cJSON *json, struct handed_order *o, struct reason *why) NODISCARD;

bool handed_open(const struct handed_order *o);
/* Units delivered of an order product, over all parts of all revisions. */
int64_t handed_delivered(const struct handed *h, int64_t web_item);
/* Of these, what orders delivered that handed_units leaves out: other revisions, and what was cancelled afterwards. */
int64_t handed_delivered_else(const struct handed *h, int64_t rev, int64_t web_item);
/* Units of an order product in the parts of one revision that are not cancelled. */
int64_t handed_units(const struct handed *h, int64_t rev, int64_t web_item);

#endif
