/* SPDX-License-Identifier: Apache-2.0 */
/* A till can sell a unit that is reserved for a web order: it has it in its hand. */
#include "facts.h"
#include "ban.h"

enum next facts_short(struct app *app, const struct facts *f, bool *none, struct reason *why) {
    struct args rows = {0}, a = {0};
    redisReply *reply = NULL;
    for (size_t i = 0; i < f->n; i++) {
        const struct fact *fact = &f->list[i];
        for (size_t w = 0; !fact->settled && w < f->mapping->warehouse_count; w++) {
            if (fact->have[w] == HAVE_STOCK && (!*none || fact->stock[w].available < 0)) {
                args_addf(&rows, "%lld|%s", (long long)f->mapping->warehouses[w], fact->sku);
                args_add_int(&rows, fact->stock[w].available);
            }
        }
    }
    if (rows.n == 0) {
        return NEXT_DONE;
    }
    args_add_int(&a, (int64_t)(rows.n / 2));
    args_append(&a, &rows);
    enum next next = redis_fcall(app->redis, "handed_short", &a, true, &reply, why);
    if (next == NEXT_DONE) {
        *none = reply_int(reply) == 0;
        freeReplyObject(reply);
    }
    args_free(&a);
    args_free(&rows);
    return next;
}
