/* SPDX-License-Identifier: Apache-2.0 */
/* What of our own bookings Sitoo's ledger shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "goods_in.h"
#include "json.h"
#include "moves.h"
#include "quantity.h"
#include "ban.h"

void goods_in_founds_free(struct goods_founds *f) {
    for (size_t i = 0; i < f->n; i++) {
        free(f->list[i].sku);
    }
    free(f->list);
    memset(f, 0, sizeof *f);
}

static bool take_items(const cJSON *row, int64_t id, const char *reference, struct goods_founds *out) {
    const cJSON *items = json_array(row, "items"), *item = NULL;
    cJSON_ArrayForEach(item, items) {
        const char *sku = json_str(item, "sku"), *quantity = json_str(item, "decimalquantity");
        struct goods_found found = {.transaction = id};
        if (sku == NULL || quantity == NULL || !quantity_parse(quantity, &found.thousandths) ||
            !str_copy(found.reference, sizeof found.reference, reference)) {
            return false;
        }
        found.sku = xstrdup(sku);
        out->list = xrealloc(out->list, out->n + 1, sizeof *out->list);
        out->list[out->n++] = found;
    }
    return items != NULL;
}

bool goods_in_take_page(const cJSON *items, int64_t order, struct goods_founds *out, int64_t *last) {
    char ours[40];
    const cJSON *row = NULL;
    (void)snprintf(ours, sizeof ours, GOODS_IN_PREFIX "%lld-", (long long)order);
    cJSON_ArrayForEach(row, items) {
        const char *reference = json_str(row, "externalid");
        int64_t id = 0;
        if (!json_int(row, "warehousetransactionid", &id) || id <= *last) {
            return false;
        }
        *last = id;
        if (reference != NULL && strncmp(reference, ours, strlen(ours)) == 0 && !take_items(row, id, reference, out)) {
            return false;
        }
    }
    return true;
}

struct search {
    int64_t order;
    struct goods_founds *out;
};

static bool take_page(void *context, const cJSON *items, int64_t *last) {
    const struct search *search = context;
    return goods_in_take_page(items, search->order, search->out, last);
}

enum next goods_in_search(struct app *app, int64_t order, int64_t from_ms, struct goods_founds *out,
                          struct reason *why) {
    struct search search = {.order = order, .out = out};
    memset(out, 0, sizeof *out);
    return moves_read(app, from_ms, MOVE_IN, take_page, &search, why);
}

int64_t goods_in_answer(const cJSON *json, const char **text) {
    int64_t id = -1;
    *text = NULL;
    if (json_item_int(json, &id)) {
        return id > 0 ? id : -1;
    }
    return moves_answer(json, 0, 1, text);
}
