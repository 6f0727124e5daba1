/* SPDX-License-Identifier: Apache-2.0 */
#include "refunds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "money.h"
#include "platform.h"
#include "quantity.h"
#include "ban.h"

void refund_reference(int64_t return_id, int64_t order_id, char out[REFUND_REFERENCE_SIZE]) {
    (void)snprintf(out, REFUND_REFERENCE_SIZE, "R%lld-%lld", (long long)return_id, (long long)order_id);
}

/* "onepool:R11555-100301 receipt ..." gives "R11555-100301". */
static void take_reference(const char *reason, struct refund *out) {
    size_t len = strlen(REFUND_REFERENCE);
    if (reason == NULL || out->reference[0] != '\0' || strncmp(reason, REFUND_REFERENCE, len) != 0) {
        return;
    }
    size_t n = strspn(reason + len, "R-0123456789");
    if (n > 0 && n < REFUND_REFERENCE_SIZE) {
        memcpy(out->reference, reason + len, n);
        out->reference[n] = '\0';
    }
}

static bool parse_items(const cJSON *json, struct refund *out) {
    const cJSON *items = json_array(json, "items"), *item = NULL;
    out->items = xcalloc((size_t)cJSON_GetArraySize(items) + 1, sizeof *out->items);
    cJSON_ArrayForEach(item, items) {
        const char *type = json_str(item, "item_type");
        struct refund_item *one = &out->items[out->item_count];
        one->product = type != NULL && strcmp(type, "PRODUCT") == 0;
        if (one->product && (!json_id(item, "item_id", &one->item_id) || !json_int(item, "quantity", &one->quantity) ||
                             one->quantity < 0)) {
            return false;
        }
        out->item_count++;
        take_reference(json_str(item, "reason"), out);
    }
    return items != NULL;
}

static void parse_payments(const cJSON *json, struct refund *out) {
    const cJSON *payments = json_array(json, "payments"), *payment = NULL;
    out->offline = cJSON_GetArraySize(payments) > 0;
    cJSON_ArrayForEach(payment, payments) {
        const char *message = json_str(payment, "declined_message");
        out->offline = out->offline && json_bool(payment, "offline", false);
        if (json_bool(payment, "is_declined", false)) {
            out->declined = true;
            (void)snprintf(out->declined_message, sizeof out->declined_message, "%.150s",
                           message != NULL ? message : "");
        }
    }
}

bool refund_parse(const cJSON *json, struct refund *out) {
    const char *created = json_str(json, "created");
    memset(out, 0, sizeof *out);
    if (!json_id(json, "id", &out->id) || !json_id(json, "order_id", &out->order_id) ||
        !money_get(json, "total_amount", &out->total) || !parse_items(json, out)) {
        free(out->items);
        memset(out, 0, sizeof *out);
        return false;
    }
    if (created == NULL || !clock_parse_iso(created, &out->created_ms)) {
        out->created_ms = 0;
    }
    parse_payments(json, out);
    return true;
}

void refund_list_free(struct refund_list *l) {
    for (size_t i = 0; i < l->n; i++) {
        free(l->list[i].items);
    }
    free(l->list);
    memset(l, 0, sizeof *l);
}

static enum next bad(int64_t order_id, const char *what, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "bad_refunds", "BigCommerce's refunds of order %lld %s", (long long)order_id,
                      what);
}

/* Without data there is nothing to be concluded; an empty list is [] or 204. */
static enum next take_all(const struct answer *answer, int64_t order_id, struct refund_list *out, struct reason *why) {
    const cJSON *data = json_array(answer->json, "data"), *item = NULL;
    if (answer->json == NULL && answer->status == 204) {
        return NEXT_DONE;
    }
    if (data == NULL) {
        return bad(order_id, "are not a list", why);
    }
    if (cJSON_GetArraySize(data) > REFUNDS_MAX) {
        return bad(order_id, "are more than 1,000", why);
    }
    out->list = xcalloc((size_t)cJSON_GetArraySize(data) + 1, sizeof *out->list);
    cJSON_ArrayForEach(item, data) {
        if (!refund_parse(item, &out->list[out->n])) {
            return bad(order_id, "hold one that lacks id, order_id, total_amount or items", why);
        }
        out->n++;
    }
    return NEXT_DONE;
}

enum next refunds_read(struct app *app, int64_t order_id, struct refund_list *out, int *status, struct reason *why) {
    char path[96];
    struct answer answer;
    memset(out, 0, sizeof *out);
    (void)snprintf(path, sizeof path, "/v3/orders/%lld/payment_actions/refunds", (long long)order_id);
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (status != NULL) {
        *status = answer.status;
    }
    if (next != NEXT_DONE) {
        return next;
    }
    if (answer.status != 404) {
        next = take_all(&answer, order_id, out, why);
    }
    answer_free(&answer);
    if (next != NEXT_DONE) {
        refund_list_free(out);
    }
    return next;
}

size_t refunds_of_others(const struct refund_list *l, int64_t order_id) {
    char end[24];
    size_t n = 0;
    (void)snprintf(end, sizeof end, "-%lld", (long long)order_id);
    for (size_t i = 0; i < l->n; i++) {
        const char *reference = l->list[i].reference;
        size_t digits = reference[0] == 'R' ? strspn(reference + 1, "0123456789") : 0;
        n += digits == 0 || strcmp(reference + 1 + digits, end) != 0 ? 1 : 0;
    }
    return n;
}

const struct refund *refund_find(const struct refund_list *l, const char *reference) {
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->list[i].reference, reference) == 0) {
            return &l->list[i];
        }
    }
    return NULL;
}

int64_t refund_units(const struct refund_list *l, int64_t order_product_id) {
    int64_t units = 0;
    for (size_t i = 0; i < l->n; i++) {
        for (size_t k = 0; k < l->list[i].item_count; k++) {
            const struct refund_item *item = &l->list[i].items[k];
            units += item->product && item->item_id == order_product_id ? item->quantity : 0;
        }
    }
    return units;
}
