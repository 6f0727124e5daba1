/* SPDX-License-Identifier: Apache-2.0 */
/* The section "sweep" of the mapping file. */
#include "mapping.h"

#include <string.h>

#include "mapping_at.h"
#include "ban.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define TIMERS_MS (5 * MINUTE_MS)

void mapping_read_sweep(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"orders_minutes", "bigcommerce_minutes", "web_orders_hours",
                                       "stock_hours",    "levels_minutes",      "moved_minutes",
                                       "grace_s",        "orders_overlap",      NULL};
    struct at a = at_enter(root, "sweep");
    struct mapping_sweep *s = &m->sweep;
    at_keys(&a, keys);
    at_int(&a, "orders_minutes", 1, 1440, 10, &s->orders_minutes);
    at_int(&a, "bigcommerce_minutes", 1, 1440, 10, &s->bigcommerce_minutes);
    at_int(&a, "web_orders_hours", 1, 168, 24, &s->web_orders_hours);
    at_int(&a, "stock_hours", 1, 168, 24, &s->stock_hours);
    at_int(&a, "levels_minutes", 5, 10080, 60, &s->levels_minutes);
    at_int(&a, "moved_minutes", 1, 1440, 10, &s->moved_minutes);
    at_int(&a, "grace_s", 1, 3600, 120, &s->grace_s);
    at_int(&a, "orders_overlap", 0, 5000, 200, &s->orders_overlap);
}

int64_t mapping_sweep_every(const struct mapping_sweep *s, const char *work) {
    const struct {
        const char *work;
        int64_t ms;
    } list[] = {{"orders", s->orders_minutes * MINUTE_MS},           {"open", s->orders_minutes * MINUTE_MS},
                {"bigcommerce", s->bigcommerce_minutes * MINUTE_MS}, {"refunds", s->bigcommerce_minutes * MINUTE_MS},
                {"web_orders", s->web_orders_hours * HOUR_MS},       {"stock", s->stock_hours * HOUR_MS},
                {"levels", s->levels_minutes * MINUTE_MS},           {"moved", s->moved_minutes * MINUTE_MS / 2},
                {"suspects", s->moved_minutes * MINUTE_MS / 2},      {"timers", TIMERS_MS}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (strcmp(list[i].work, work) == 0) {
            return list[i].ms;
        }
    }
    return 0;
}
