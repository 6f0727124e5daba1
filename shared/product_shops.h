/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both catalogs, read completely: for the first load's differences and for the sweep that finds exceptions. BigCommerce
 * first, page by page, each turned into what Sitoo should hold; then Sitoo's products, and the price lists of its
 * tills.
 *
 * 20,000 variants are some 100 calls of BigCommerce and 20 of Sitoo. It waits for the quota; the share is that of
 * app->budget.
 */
#ifndef ONEPOOL_PRODUCT_SHOPS_H
#define ONEPOOL_PRODUCT_SHOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "product_want.h"
#include "till_product.h"

/* Prices of one list of Sitoo's other than the default one. */
struct shops_list {
    const struct till_list *list;
    struct till_prices prices;
};

struct shops {
    struct product_rules rules;
    struct product_want *wants; /* ascending by product id; every product of BigCommerce */
    size_t n, cap;
    int64_t variants; /* wants in all */
    /* Products that BigCommerce counted before they were read, and that were not among those read: unreadable ones, or
     * deleted meanwhile. Above 0, a SKU that no want has may be one of theirs: nothing may be hidden for it. */
    int64_t unread;
    struct till_products till;
    struct till_lists lists;
    struct shops_list *prices; /* of the active ones */
    size_t price_count;
};

/* What is being read, for a progress line; may be NULL. total is 0 while it is not known. */
typedef void (*shops_progress)(void *arg, const char *what, int64_t done, int64_t total);

/* NEXT_PARK: the settings of both sides do not fit (currency); why says what to do. Free in every case. */
enum next shops_read(struct app *app, shops_progress progress, void *arg, struct shops *out,
                     struct reason *why) NODISCARD;
void shops_free(struct shops *s);

/* What Sitoo's list for sale prices has of a SKU, hundredths; WANT_NONE: nothing, or there is no such list. */
int64_t shops_sale_price(const struct shops *s, const char *sku);

/* What both shops say about themselves: currency, tax, tax classes, product groups. NEXT_PARK "price_currency" if
 * Sitoo's default list has another currency than the web shop. Free with product_rules_free in every case. */
enum next product_rules_read(struct app *app, struct product_rules *out, struct reason *why) NODISCARD;

#endif
