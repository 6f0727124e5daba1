/* SPDX-License-Identifier: Apache-2.0 */
/* One SKU on its way to Sitoo, inside of product_sync.h. */
#ifndef ONEPOOL_PRODUCT_ROW_H
#define ONEPOOL_PRODUCT_ROW_H

#include "product_diff.h"
#include "platform.h"
#include "product_sync.h"

struct row {
    struct sync_item *item;
    struct want want; /* as wanted, less what is held back; its texts belong to item->want */
    const char *sku;  /* of want; of one that left BigCommerce: as Sitoo has it */
    const struct till_product *have;
    int64_t id;          /* in Sitoo; 0 = not there yet */
    unsigned fields;     /* to be changed */
    bool create, hide;   /* hide: it left BigCommerce */
    bool kept;           /* with hide: not hidden after all, since its new SKU is not made */
    bool refused;        /* Sitoo does not take it; a case says why */
    bool code_held;      /* without its barcode: somebody else has it */
    bool sale_held;      /* what the list for sale prices has of it is left as it is */
    int64_t old_price;   /* hundredths; -1 = none */
    int64_t old_charged; /* by the tills, a sale counted; -1 = not known */
};

struct rows {
    struct row *list;
    size_t n;
};

/* ---- product_rows.c: what is to be done ---- */

/* All rows of all items, compared with till. Appends cases and what is held back to the items' effects. */
enum next rows_plan(struct sync *s, struct sync_item *items, size_t n, const struct till_products *till,
                    struct rows *out, struct reason *why) NODISCARD;
void rows_free(struct rows *r);
/* A case about a SKU or product. */
void row_case(const struct sync *s, struct sync_item *item, const char *cause, const char *entity, const char *text,
              const char *effect, const char *step);
/* What a problem's case is about: its SKU, "product 192 variant 382" or "product 192". */
void problem_entity(int64_t product_id, const struct want_problem *p, char *out, size_t size);
void row_close(struct sync_item *item, const char *cause, const char *entity);

/* ---- product_write.c: doing it ---- */

/* In batches; what Sitoo refuses of a batch is marked in its row. NEXT_DEFER, NEXT_STOP: not all was sent. */
enum next rows_free_barcodes(struct sync *s, struct rows *rows, struct reason *why) NODISCARD;
enum next rows_create(struct sync *s, struct rows *rows, struct reason *why) NODISCARD;
enum next rows_update(struct sync *s, struct rows *rows, struct reason *why) NODISCARD;
/* Sale prices go into their list before prices change, and out of it after: what a crash leaves in between is not
 * judged as a change of its own, and no till ever charges more than before and after. */
enum next rows_sales_begin(struct sync *s, struct rows *rows, struct reason *why) NODISCARD;
enum next rows_sales_end(struct sync *s, struct rows *rows, struct reason *why) NODISCARD;

/* ---- product_families.c ---- */

enum next rows_families(struct sync *s, struct rows *rows, struct sync_item *items, size_t n,
                        struct reason *why) NODISCARD;

/* ---- product_prices.c ---- */

/* Other lists of the tills that sell a SKU for less than is wanted: a case. */
enum next rows_undercut(struct sync *s, struct rows *rows, struct reason *why) NODISCARD;
/* The prices of a list, cached; NULL if the list does not exist. */
enum next sync_prices(struct sync *s, int64_t list_id, struct till_prices **out, struct reason *why) NODISCARD;

#endif
