/* SPDX-License-Identifier: Apache-2.0 */
#include "exceptions_sweep.h"

#include "ban.h"

enum next exceptions_sweep(struct app *app, shops_progress progress, void *arg, struct shops *shops,
                           struct exceptions *out, struct reason *why) {
    struct shops own = {0}, *s = shops != NULL ? shops : &own;
    struct sold sold = {0};
    *out = (struct exceptions){0};
    enum next next = shops_read(app, progress, arg, s, why);
    next = next == NEXT_DONE ? sold_read(app, SWEEP_SOLD_DAYS, &sold, why) : next;
    if (next == NEXT_DONE) {
        exceptions_find(s, app->set->mapping, &sold, out);
        next = exceptions_store(app, out, s->rules.currency, why);
    }
    sold_free(&sold);
    shops_free(&own);
    return next;
}
