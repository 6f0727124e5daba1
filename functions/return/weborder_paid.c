/* SPDX-License-Identifier: Apache-2.0 */
#include "weborder_paid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "money.h"
#include "platform.h"
#include "ban.h"

#define PAGE      250 /* the largest that the documentation names for v2 lists */
#define PAGES_MAX 8

void paid_order_free(struct paid_order *o) {
    for (size_t i = 0; i < o->n; i++) {
        free(o->lines[i].sku);
    }
    free(o->lines);
    free(o->staff_notes);
    memset(o, 0, sizeof *o);
}

const struct paid_line *paid_line_by_id(const struct paid_order *o, int64_t id) {
    for (size_t i = 0; i < o->n; i++) {
        if (o->lines[i].id == id) {
            return &o->lines[i];
        }
    }
    return NULL;
}

static enum next bad(int64_t id, const char *what, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "bad_web_order", "BigCommerce order %lld: %s", (long long)id, what);
}

static enum next take_order(const cJSON *json, struct paid_order *out, struct reason *why) {
    const char *currency = json_str(json, "default_currency_code"), *notes = json_str(json, "staff_notes");
    int64_t id = 0;
    if (!json_id(json, "id", &id) || id != out->id) {
        return bad(out->id, "another order came, or none", why);
    }
    if (!json_id(json, "status_id", &out->status_id) || !money_get(json, "total_inc_tax", &out->total) ||
        currency == NULL || !str_copy(out->currency, sizeof out->currency, currency)) {
        return bad(out->id, "status_id, total_inc_tax or default_currency_code is missing", why);
    }
    out->staff_notes = xstrdup(notes != NULL ? notes : "");
    out->found = true;
    return NEXT_DONE;
}

static enum next take_lines(const cJSON *list, struct paid_order *out, struct reason *why) {
    const cJSON *line = NULL;
    if (list != NULL && !cJSON_IsArray(list)) {
        return bad(out->id, "its products are not a list", why);
    }
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (out->n + count > PAID_LINES_MAX) {
        return bad(out->id, "more than 2,000 lines", why);
    }
    out->lines = xrealloc(out->lines, out->n + count + 1, sizeof *out->lines);
    cJSON_ArrayForEach(line, list) {
        struct paid_line one = {0};
        const char *sku = json_str(line, "sku");
        if (!json_id(line, "id", &one.id) || !json_id(line, "quantity", &one.quantity) || one.quantity < 0) {
            return bad(out->id, "a line has no id or no readable quantity", why);
        }
        if (!json_id(line, "quantity_refunded", &one.refunded) || one.refunded < 0) {
            return bad(out->id, "a line has no readable quantity_refunded", why);
        }
        one.sku = xstrdup(sku != NULL ? sku : "");
        out->lines[out->n++] = one;
    }
    return NEXT_DONE;
}

static enum next read_lines(struct app *app, struct paid_order *out, struct reason *why) {
    enum next next = NEXT_DONE;
    int count = PAGE;
    for (int page = 1; next == NEXT_DONE && count >= PAGE && page <= PAGES_MAX; page++) {
        char path[96];
        struct answer answer;
        (void)snprintf(path, sizeof path, "/v2/orders/%lld/products?limit=%d&page=%d", (long long)out->id, PAGE, page);
        next = bigcommerce_get(app, path, &answer, why);
        if (next != NEXT_DONE) {
            return next;
        }
        count = cJSON_GetArraySize(answer.json); /* 204, an empty list, has no JSON */
        next = answer.status == 404 ? bad(out->id, "its products are gone", why) : take_lines(answer.json, out, why);
        answer_free(&answer);
    }
    return next;
}

enum next paid_order_read(struct app *app, int64_t order_id, struct paid_order *out, struct reason *why) {
    char path[64];
    struct answer answer;
    memset(out, 0, sizeof *out);
    out->id = order_id;
    (void)snprintf(path, sizeof path, "/v2/orders/%lld", (long long)order_id);
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (answer.status != 404) {
        next = take_order(answer.json, out, why);
    }
    answer_free(&answer);
    if (next == NEXT_DONE && out->found) {
        next = read_lines(app, out, why);
    }
    if (next != NEXT_DONE) {
        paid_order_free(out);
    }
    return next;
}
