/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_gaps.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "ban.h"

struct last {
    int64_t row, total; /* row 0: none yet */
};

void ledger_gaps_init(struct ledger_gaps *g) {
    *g = (struct ledger_gaps){0};
    ledger_map_init(&g->last, sizeof(struct last));
}

void ledger_gaps_free(struct ledger_gaps *g) {
    ledger_map_free(&g->last);
    for (size_t i = 0; i < g->n; i++) {
        free(g->gaps[i].sku);
    }
    free(g->gaps);
    *g = (struct ledger_gaps){0};
}

void ledger_gaps_restart(struct ledger_gaps *g) {
    ledger_map_free(&g->last);
    ledger_map_init(&g->last, sizeof(struct last));
}

static void open_gap(struct ledger_gaps *g, const struct ledger_movement *m, const struct last *last) {
    if (g->n == LEDGER_GAPS_MAX) {
        g->beyond++;
        return;
    }
    g->gaps = xrealloc(g->gaps, g->n + 1, sizeof *g->gaps);
    g->gaps[g->n++] = (struct ledger_gap){.warehouse = m->warehouse,
                                          .sku = xstrdup(m->sku),
                                          .after = last->row,
                                          .before = m->row,
                                          .left = m->total - m->delta - last->total,
                                          .ms = m->ms};
}

static bool fill(struct ledger_gaps *g, const struct ledger_movement *m, bool in_sitoo) {
    for (size_t i = 0; i < g->n; i++) {
        struct ledger_gap *one = &g->gaps[i];
        if (one->warehouse == m->warehouse && m->row > one->after && m->row < one->before &&
            strcmp(one->sku, m->sku) == 0) {
            one->left -= m->delta;
            one->found++;
            one->in_sitoo = one->in_sitoo || in_sitoo;
            return true;
        }
    }
    return false;
}

bool ledger_gaps_found(struct ledger_gaps *g, const struct ledger_movement *m) {
    return fill(g, m, true);
}

void ledger_gaps_take(struct ledger_gaps *g, const struct ledger_movement *m) {
    struct last *last = ledger_map_at(&g->last, m->warehouse, m->sku);
    g->movements++;
    if (last->row != 0 && m->row < last->row) {
        g->again += fill(g, m, false) ? 0 : 1;
        return;
    }
    if (last->row != 0 && m->row == last->row && m->total == last->total) {
        g->again++;
        return;
    }
    if (last->row != 0 && last->total + m->delta != m->total) {
        open_gap(g, m, last);
    }
    *last = (struct last){.row = m->row, .total = m->total};
}

size_t ledger_gaps_open(const struct ledger_gaps *g) {
    size_t open = g->beyond;
    for (size_t i = 0; i < g->n; i++) {
        open += g->gaps[i].left != 0 ? 1 : 0;
    }
    return open;
}
