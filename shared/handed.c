/* SPDX-License-Identifier: Apache-2.0 */
#include "handed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "order.h"
#include "platform.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define ROWS_MAX  5000
#define UNITS_MAX INT64_C(1000000000)
#define FIELDS                                                                                     \
    "orderid,eshopid,ordertypeid,orderstateid,paymentstateid,warehouseid,datereserved,externalid," \
    "additionaldata,orderitems,orderlogitems"

void handed_name(const char *prefix, int64_t web_order, int64_t part, int64_t rev, char out[HANDED_NAME_SIZE]) {
    if (part == 1 && rev == 0) {
        (void)snprintf(out, HANDED_NAME_SIZE, "%s%lld", prefix, (long long)web_order);
    } else {
        (void)snprintf(out, HANDED_NAME_SIZE, "%s%lld-%lldr%lld", prefix, (long long)web_order, (long long)part,
                       (long long)rev);
    }
}

/* Web order, part and revision of a name; false if it is none of ours. */
static bool parse_name(const char *prefix, const char *name, int64_t out[3]) {
    char digits[3][20];
    size_t n = 0, len = strlen(prefix);
    out[1] = 1;
    out[2] = 0;
    if (name == NULL || strncmp(name, prefix, len) != 0) {
        return false;
    }
    for (const char *s = name + len; n < 3; n++) {
        size_t width = strspn(s, "0123456789");
        if (width == 0 || width >= sizeof digits[0]) {
            return false;
        }
        (void)memcpy(digits[n], s, width);
        digits[n][width] = '\0';
        if (!int_parse(digits[n], 0, JSON_INT_MAX, &out[n])) {
            return false;
        }
        if (s[width] == '\0') {
            return out[0] > 0 && n != 1;
        }
        if (s[width] != (n == 0 ? '-' : 'r')) {
            return false;
        }
        s += width + 1;
    }
    return false;
}

int64_t handed_web_order(const char *prefix, const char *name) {
    int64_t parts[3];
    return parse_name(prefix, name, parts) ? parts[0] : 0;
}

void handed_free(struct handed *h) {
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = 0; k < h->list[i].n; k++) {
            free(h->list[i].rows[k].sku);
        }
        free(h->list[i].rows);
    }
    free(h->list);
    memset(h, 0, sizeof *h);
    h->rev = -1;
}

bool handed_open(const struct handed_order *o) {
    return o->state == ORDER_STATE_OPEN;
}

int64_t handed_delivered(const struct handed *h, int64_t web_item) {
    int64_t sum = 0;
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = 0; k < h->list[i].n; k++) {
            sum += h->list[i].rows[k].web_item == web_item ? h->list[i].rows[k].delivered : 0;
        }
    }
    return sum;
}

/* Whether an order's units stand for the revision: what is cancelled does not. */
static bool stands(const struct handed_order *o, int64_t rev) {
    return o->rev == rev && (handed_open(o) || o->state == ORDER_STATE_CLOSED);
}

int64_t handed_delivered_else(const struct handed *h, int64_t rev, int64_t web_item) {
    int64_t sum = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct handed_order *o = &h->list[i];
        for (size_t k = 0; !stands(o, rev) && k < o->n; k++) {
            sum += o->rows[k].web_item == web_item ? o->rows[k].delivered : 0;
        }
    }
    return sum;
}

int64_t handed_units(const struct handed *h, int64_t rev, int64_t web_item) {
    int64_t sum = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct handed_order *o = &h->list[i];
        for (size_t k = 0; stands(o, rev) && k < o->n; k++) {
            sum += o->rows[k].web_item == web_item ? o->rows[k].quantity : 0;
        }
    }
    return sum;
}

static enum next bad(const char *name, const char *what, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "bad_order", "Sitoo's order %s: %s", name, what);
}

static const char *extra(const cJSON *json, const char *key) {
    const cJSON *data = json_get(json, "additionaldata");
    return cJSON_IsObject(data) ? json_str(data, key) : NULL;
}

/* Rows without SKU are discounts and the like. */
static enum next take_rows(const cJSON *list, struct handed_order *o, struct reason *why) {
    const cJSON *item = NULL;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > ROWS_MAX) {
        return bad(o->name, "its rows are not a list", why);
    }
    o->rows = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *o->rows);
    cJSON_ArrayForEach(item, list) {
        struct handed_row r = {0};
        const char *sku = json_str(item, "sku");
        if (sku == NULL || sku[0] == '\0') {
            continue;
        }
        if (!int_parse(extra(item, "web-itemid"), 1, JSON_INT_MAX, &r.web_item)) {
            r.web_item = 0;
        }
        if (!sku_fits(sku) || !json_int(item, "orderitemid", &r.item_id) || !json_int(item, "quantity", &r.quantity) ||
            r.quantity > UNITS_MAX || r.quantity < -UNITS_MAX) {
            return bad(o->name, "a row has no readable orderitemid, sku or quantity", why);
        }
        if (r.web_item > 0 && r.quantity < 0) {
            return bad(o->name, "a row of the web order is negative", why);
        }
        r.sku = xstrdup(sku);
        o->rows[o->n++] = r;
    }
    return NEXT_DONE;
}

static void take_log(const cJSON *list, struct handed_order *o) {
    const cJSON *item = NULL;
    int64_t type = 0, date = 0;
    cJSON_ArrayForEach(item, list) {
        if (!json_int(item, "orderlogtypeid", &type)) {
            continue;
        }
        date = json_int(item, "datelog", &date) && date > 0 ? date * 1000 : 1;
        if (type == HANDED_LOG_READY && date >= o->ready_ms) {
            o->ready_ms = date;
        } else if (type == HANDED_LOG_REJECT && date >= o->rejected_ms) {
            o->rejected_ms = date;
        }
    }
}

enum next handed_take(const cJSON *json, const char *prefix, int64_t web_order, struct handed_order *out,
                      struct reason *why) {
    int64_t name[3], seconds = 0;
    const char *external = json_str(json, "externalid"), *ignores = extra(json, "delivery-ignore-stock"),
               *bopis = extra(json, "weborder-bopis");
    const char *address = extra(json, "onepool-address");
    memset(out, 0, sizeof *out);
    if (!parse_name(prefix, external, name) || name[0] != web_order ||
        !str_copy(out->name, sizeof out->name, external)) {
        return bad(external != NULL ? external : "?", "is not what was asked for", why);
    }
    out->part = name[1];
    out->rev = name[2];
    if (!json_int(json, "orderid", &out->id) || !json_int(json, "orderstateid", &out->state)) {
        return bad(out->name, "orderid or orderstateid is missing", why);
    }
    (void)json_int(json, "paymentstateid", &out->payment_state);
    (void)json_int(json, "warehouseid", &out->warehouse_id);
    out->reserved_until_ms = json_int(json, "datereserved", &seconds) && seconds > 0 ? seconds * 1000 : 0;
    out->ignores_stock = ignores != NULL && strcmp(ignores, "true") == 0;
    out->bopis = bopis != NULL && strcmp(bopis, "true") == 0;
    if (!int_parse(extra(json, "onepool-parts"), 1, HANDED_PARTS_MAX, &out->parts)) {
        out->parts = 1;
    }
    take_log(json_array(json, "orderlogitems"), out);
    if (!str_copy(out->address, sizeof out->address, address != NULL ? address : "")) {
        out->address[0] = '\0';
    }
    return take_rows(json_get(json, "orderitems"), out, why);
}

enum next handed_deliveries(const cJSON *json, struct handed_order *o, struct reason *why) {
    const cJSON *delivery = NULL, *item = NULL;
    const cJSON *list = json_array(json, "items");
    int64_t total = 0;
    if (list == NULL || (json_int(json, "totalcount", &total) && total > cJSON_GetArraySize(list))) {
        return bad(o->name, "its list of deliveries is not whole", why);
    }
    cJSON_ArrayForEach(delivery, list) {
        int64_t cancelled = 0;
        if (json_int(delivery, "datecancelled", &cancelled) && cancelled > 0) {
            continue;
        }
        cJSON_ArrayForEach(item, json_array(delivery, "orderdeliveryitems")) {
            int64_t id = -1, quantity = 0;
            if (!json_int(item, "orderitemid", &id) || !json_int(item, "quantity", &quantity) || quantity < 0 ||
                quantity > UNITS_MAX) {
                return bad(o->name, "a delivery has no readable orderitemid or quantity", why);
            }
            for (size_t i = 0; i < o->n; i++) {
                o->rows[i].delivered += o->rows[i].item_id == id ? quantity : 0;
            }
        }
    }
    return NEXT_DONE;
}

/* A closed order was handed over as a whole: a till delivers what it closes (sitoo.md 5.1). */
static void all_delivered(struct handed_order *o) {
    int64_t sum = 0;
    for (size_t i = 0; i < o->n; i++) {
        sum += o->rows[i].delivered;
    }
    for (size_t i = 0; sum == 0 && i < o->n; i++) {
        o->rows[i].delivered = o->rows[i].quantity;
    }
}

static enum next read_deliveries(struct app *app, struct handed *h, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < h->n; i++) {
        struct handed_order *o = &h->list[i];
        char path[100];
        const char *paths[] = {path};
        struct answer answer;
        if ((o->ignores_stock && !app->set->mapping->web.return_add_delivery) || o->state == ORDER_STATE_ABANDONED) {
            continue;
        }
        (void)snprintf(path, sizeof path, "/sites/%lld/orders/%lld/orderdeliveries.json",
                       (long long)app->set->sitoo_site_id, (long long)o->id);
        next = sitoo_get(app, paths, &answer, 1, why);
        if (next != NEXT_DONE) {
            break;
        }
        next = answer.status == 404 ? bad(o->name, "has no list of deliveries", why)
                                    : handed_deliveries(answer.json, o, why);
        answer_free(&answer);
        if (next == NEXT_DONE && o->state == ORDER_STATE_CLOSED && !o->ignores_stock) {
            all_delivered(o);
        }
    }
    return next;
}

static char *list_path(struct app *app, int64_t web_order) {
    struct buf b;
    char name[HANDED_NAME_SIZE];
    buf_init(&b, 8000);
    buf_addf(&b,
             "/orders.json?eshopid=%lld&num=%d&sort=orderid&fields=%s&externalid=", (long long)app->set->sitoo_site_id,
             HANDED_PARTS_MAX * (HANDED_REVS_MAX + 1), FIELDS);
    for (int64_t rev = 0; rev <= HANDED_REVS_MAX; rev++) {
        for (int64_t part = 1; part <= HANDED_PARTS_MAX; part++) {
            handed_name(app->set->mapping->sitoo_order_prefix, web_order, part, rev, name);
            buf_addf(&b, "%s%s", part + rev > 1 ? "," : "", name);
        }
    }
    return buf_take(&b);
}

static enum next take_list(struct app *app, const struct answer *answer, int64_t web_order, struct handed *out,
                           struct reason *why) {
    const cJSON *list = json_array(answer->json, "items"), *item = NULL;
    int64_t total = 0;
    if (list == NULL || (json_int(answer->json, "totalcount", &total) && total > cJSON_GetArraySize(list))) {
        return reason_set(why, NEXT_DEFER, "bad_order",
                          "Sitoo's list of orders of web order %lld is not whole (status %d)", (long long)web_order,
                          answer->status);
    }
    out->list = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *out->list);
    cJSON_ArrayForEach(item, list) {
        /* Sitoo drops filters that it does not know: what was not asked for is no sign of anything but that. */
        if (handed_web_order(app->set->mapping->sitoo_order_prefix, json_str(item, "externalid")) != web_order) {
            return reason_set(why, NEXT_DEFER, "bad_order",
                              "Sitoo's list of orders of web order %lld holds others: its filter did not work",
                              (long long)web_order);
        }
        enum next next = handed_take(item, app->set->mapping->sitoo_order_prefix, web_order, &out->list[out->n++], why);
        if (next != NEXT_DONE) {
            return next;
        }
        out->rev = out->list[out->n - 1].rev > out->rev ? out->list[out->n - 1].rev : out->rev;
    }
    return NEXT_DONE;
}

enum next handed_read(struct app *app, int64_t web_order, struct handed *out, struct reason *why) {
    struct answer answer;
    memset(out, 0, sizeof *out);
    out->rev = -1;
    char *path = list_path(app, web_order);
    const char *paths[] = {path};
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    free(path);
    if (next != NEXT_DONE) {
        return next;
    }
    next = take_list(app, &answer, web_order, out, why);
    answer_free(&answer);
    return next == NEXT_DONE ? read_deliveries(app, out, why) : next;
}
