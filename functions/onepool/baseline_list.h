/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complete reads of both sides, page by page. A list counts only if it was whole: its announced total did not change
 * while it was read, and as many different rows came as were announced. Else it is read again from its beginning; a
 * page that shrank, a row that moved to another page, and a silently lowered page size all show that way.
 *
 * Sources: sitoo.md 2 (paging), 6.1, 7.2, 7.3; bigcommerce.md 3, 6.3, 8 (inventory.v3.yml, products_catalog.v3.yml
 * id:greater and sort, 2026-04-01).
 */
#ifndef ONEPOOL_BASELINE_LIST_H
#define ONEPOOL_BASELINE_LIST_H

#include "baseline.h"

struct baseline_list {
    const char *what, *part, *hash; /* for people; in the progress fields; baseline:<hash> */
    bool sitoo;
    char path[4000]; /* without its page */
    int64_t page;    /* rows asked for */
    /* Appends field and value of a row. place: its position in the list. */
    void (*take)(const cJSON *item, int64_t place, struct args *rows);
};

/* The rows of an answer and the total it announces; false if it is no such list. */
bool baseline_list_rows(bool sitoo, const struct answer *a, const cJSON **rows, int64_t *total);
/* Reads what is not read yet of the list, and begins anew if it changed meanwhile. NEXT_DEFER if it never stands still.
 */
enum next baseline_read_list(struct baseline *b, const struct baseline_list *l, struct reason *why) NODISCARD;

#endif
