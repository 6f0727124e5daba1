/* SPDX-License-Identifier: Apache-2.0 */
#include "weborder.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "platform.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define LINES_MAX         2000
#define QUANTITY_LINE_MAX INT64_C(1000000000)
#define PRODUCT_PAGES_MAX 40

/* Statuses of the Orders page (bigcommerce.md 9): 1 Pending, 2 Shipped, 3 Partially Shipped, 7 Awaiting Payment, 8
 * Awaiting Pickup, 9 Awaiting Shipment, 10 Completed, 11 Awaiting Fulfillment, 12 Manual Verification, 13 Disputed, 14
 * Partially Refunded. */
bool weborder_holds(int64_t status_id, bool created_since_start, bool already_pending) {
    switch (status_id) {
    case 1:
    case 3:
    case 7:
    case 8:
    case 9:
    case 11:
    case 12:
    case 13:
    case 14:
        return true;
    case 2:
    case 10:
        /* Gone, but not yet delivered in Sitoo. What was done before our first start is in Sitoo's numbers already. */
        return created_since_start || already_pending;
    default:
        return false;
    }
}

void weborder_free(struct weborder *o) {
    args_free(&o->args);
    memset(o, 0, sizeof *o);
}

static bool is_parent(const cJSON *lines, int64_t id) {
    const cJSON *line = NULL;
    int64_t parent = 0;
    cJSON_ArrayForEach(line, lines) {
        if (json_id(line, "parent_order_product_id", &parent) && parent == id && id != 0) {
            return true;
        }
    }
    return false;
}

/* A line that holds stock: physical, with a SKU, not refunded, and no parent of component lines. */
static bool line_counts(const cJSON *line, const cJSON *lines, int64_t left) {
    const char *sku = json_str(line, "sku"), *type = json_str(line, "type");
    int64_t id = 0;
    bool physical = type == NULL || strcmp(type, "physical") == 0;
    return physical && sku != NULL && sku_fits(sku) && left > 0 && !(json_id(line, "id", &id) && is_parent(lines, id));
}

enum next weborder_lines(const cJSON *lines, int64_t target, struct weborder *out, struct reason *why) {
    const cJSON *line = NULL;
    if (!cJSON_IsArray(lines)) {
        out->incomplete = true;
        return NEXT_DONE;
    }
    cJSON_ArrayForEach(line, lines) {
        int64_t quantity = 0, refunded = 0;
        if (json_get(line, "__warning__") != NULL ||
            (json_get(line, "quantity") == NULL && json_str(line, "resource") != NULL)) {
            out->incomplete = true; /* cut off, or a link instead of the line */
            return NEXT_DONE;
        }
        if (!json_id(line, "quantity", &quantity) || quantity < 0 || quantity > QUANTITY_LINE_MAX) {
            return reason_set(why, NEXT_PARK, "bad_web_order",
                              "BigCommerce order %lld: a line has no readable quantity", (long long)out->id);
        }
        if (!json_id(line, "quantity_refunded", &refunded) || refunded < 0) {
            refunded = 0; /* an order holds no more than was ordered */
        }
        if (!line_counts(line, lines, quantity - refunded)) {
            continue;
        }
        if (++out->rows > LINES_MAX) {
            return reason_set(why, NEXT_PARK, "bad_web_order", "BigCommerce order %lld has more than %d lines",
                              (long long)out->id, LINES_MAX);
        }
        args_addf(&out->args, "%lld|%s", (long long)target, json_str(line, "sku"));
        args_add_int(&out->args, (quantity - refunded) * QUANTITY_ONE);
    }
    return NEXT_DONE;
}

static int64_t pickup_warehouse(const struct mapping *m, const cJSON *pickup) {
    int64_t location = 0, method = 0;
    (void)json_id(json_get(pickup, "location"), "id", &location);
    (void)json_id(pickup, "pickup_method_id", &method);
    const struct mapping_location *l = mapping_pickup(m, location, method);
    return l != NULL && l->warehouse_count == 1 ? l->warehouse_ids[0] : 0;
}

/* Shops without BigCommerce's own pickup name it as a way of shipping (bigcommerce.md 7.3). */
static int64_t group_target(const struct mapping *m, const cJSON *one, bool pickup) {
    const struct mapping_location *named = pickup ? NULL : mapping_pickup_named(m, json_str(one, "shipping_method"));
    if (pickup) {
        return pickup_warehouse(m, one);
    }
    return named != NULL && named->warehouse_count == 1 ? named->warehouse_ids[0] : 0;
}

static enum next read_group(const cJSON *group, const struct mapping *m, bool pickup, struct weborder *out,
                            struct reason *why) {
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, group) {
        if (json_get(one, "__warning__") != NULL) {
            out->incomplete = true; /* cut at 50 lines */
        }
        enum next next = weborder_lines(json_array(one, "line_items"), group_target(m, one, pickup), out, why);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

static bool read_date(const cJSON *json, const char *key, int64_t *ms) {
    const char *text = json_str(json, key);
    return text != NULL && clock_parse_rfc2822(text, ms);
}

enum next weborder_read(const cJSON *json, const struct mapping *m, struct weborder *out, struct reason *why) {
    memset(out, 0, sizeof *out);
    if (!json_id(json, "id", &out->id) || out->id <= 0 || !json_id(json, "status_id", &out->status_id)) {
        return reason_set(why, NEXT_PARK, "bad_web_order", "a BigCommerce order came without id or status_id");
    }
    if (!read_date(json, "date_modified", &out->modified_ms)) {
        out->modified_ms = 0;
    }
    if (!read_date(json, "date_created", &out->created_ms)) {
        out->created_ms = INT64_MAX; /* unknown: counts as new, which can only lower levels */
    }
    if (!weborder_holds(out->status_id, true, true)) {
        return NEXT_DONE; /* whatever its lines say */
    }
    const cJSON *consignments = json_get(json, "consignments");
    const cJSON *pickups = json_array(consignments, "pickups"), *shipping = json_array(consignments, "shipping");
    if (pickups == NULL || shipping == NULL || json_get(consignments, "__warning__") != NULL) {
        out->incomplete = true;
        return NEXT_DONE;
    }
    enum next next = read_group(pickups, m, true, out, why);
    return next == NEXT_DONE ? read_group(shipping, m, false, out, why) : next;
}

enum next weborder_products_page(int status, const cJSON *lines, int64_t target, struct weborder *out,
                                 struct reason *why) {
    out->incomplete = false;
    if (status == 404) {
        return reason_set(why, NEXT_DEFER, "bad_web_order",
                          "BigCommerce order %lld: its lines are not there (status 404)", (long long)out->id);
    }
    enum next next = lines != NULL ? weborder_lines(lines, target, out, why) : NEXT_DONE;
    if (next == NEXT_DONE && out->incomplete) {
        return reason_set(why, NEXT_PARK, "bad_web_order",
                          "BigCommerce order %lld: its list of lines is no list, or not whole", (long long)out->id);
    }
    return next;
}

enum next weborder_products(struct app *app, struct weborder *o, int64_t target, struct reason *why) {
    enum next next = NEXT_DONE;
    int count = WEBORDER_PAGE;
    args_free(&o->args);
    o->rows = 0;
    for (int page = 1; next == NEXT_DONE && count >= WEBORDER_PAGE_SMALLEST && page <= PRODUCT_PAGES_MAX; page++) {
        char path[96];
        struct answer answer;
        (void)snprintf(path, sizeof path, "/v2/orders/%lld/products?limit=%d&page=%d", (long long)o->id, WEBORDER_PAGE,
                       page);
        next = bigcommerce_get(app, path, &answer, why);
        if (next == NEXT_DONE) {
            count = cJSON_GetArraySize(answer.json);
            next = weborder_products_page(answer.status, answer.json, target, o, why);
            answer_free(&answer);
        }
    }
    return next;
}

int64_t weborder_target(const cJSON *json, const struct mapping *m) {
    const cJSON *pickups = json_array(json_get(json, "consignments"), "pickups");
    const cJSON *shipping = json_array(json_get(json, "consignments"), "shipping");
    int p = cJSON_GetArraySize(pickups), s = cJSON_GetArraySize(shipping);
    return p + s == 1 ? group_target(m, cJSON_GetArrayItem(p == 1 ? pickups : shipping, 0), p == 1) : 0;
}

static const char *const class_names[WEBORDER_CLASSES] = {"", "in_sitoo", "subtract", "hand_over"};

const char *weborder_class_name(enum weborder_class c) {
    return c < WEBORDER_CLASSES ? class_names[c] : "";
}

bool weborder_class_read(const char *text, enum weborder_class *out) {
    size_t len = text != NULL ? strcspn(text, " ") : 0;
    for (int c = WEBORDER_IN_SITOO; c < WEBORDER_CLASSES; c++) {
        if (strlen(class_names[c]) == len && strncmp(text, class_names[c], len) == 0) {
            *out = (enum weborder_class)c;
            return true;
        }
    }
    return false;
}
