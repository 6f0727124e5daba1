/* SPDX-License-Identifier: Apache-2.0 */
/* The section "web_orders" of the mapping file, and what "sitoo" says of orders made for web orders. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "mapping.h"
#include "mapping_at.h"
#include "ban.h"

static void read_fields(const struct at *a, struct mapping_web *w) {
    static const char *const names[] = {"name", "phone", "email"};
    bool *const fields[] = {&w->name, &w->phone, &w->email};
    const cJSON *list = json_get(a->object, "customer_fields"), *item = NULL;
    bool good = list == NULL || cJSON_IsArray(list);
    for (size_t i = 0; i < 3; i++) {
        *fields[i] = list == NULL;
    }
    cJSON_ArrayForEach(item, list) {
        bool known = false;
        for (size_t i = 0; i < 3; i++) {
            if (cJSON_IsString(item) && strcmp(item->valuestring, names[i]) == 0) {
                *fields[i] = known = true;
            }
        }
        good = good && known;
    }
    if (!good) {
        at_mistake(a, "customer_fields", "must be a list of \"name\", \"phone\", \"email\"");
    }
}

/* A web order is never set to a status by which it would be lost sight of without a person. */
static void read_rejected(const struct at *a, struct mapping_web *w) {
    const cJSON *item = json_get(a->object, "rejected_status");
    w->rejected_status = 0;
    if (item == NULL || cJSON_IsNull(item)) {
        return;
    }
    if (!json_item_int(item, &w->rejected_status) ||
        (w->rejected_status != 5 && w->rejected_status != 11 && w->rejected_status != 12)) {
        at_mistake(
            a, "rejected_status",
            "must be null (left as it is), 5 (Cancelled), 11 (Awaiting Fulfillment) or 12 (Manual Verification)");
        w->rejected_status = 0;
    }
}

void mapping_read_web(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"customer_fields",  "message",        "address",          "rejected_status",
                                       "uncollected_days", "repeat_after_s", "look_again_hours", NULL};
    static const char *const pickup_keys[] = {"cancel_on_reject", NULL};
    static const char *const return_keys[] = {"orderstate", "warehouseid", "add_delivery", NULL};
    struct mapping_web *w = &m->web;
    struct at a = at_enter(root, "web_orders"),
              sitoo = {.object = json_get(root->object, "sitoo"), .mistakes = root->mistakes};
    if (!cJSON_IsObject(sitoo.object)) {
        sitoo.object = NULL; /* said already */
    }
    (void)memcpy(sitoo.path, "sitoo", sizeof "sitoo");
    struct at pickup = at_enter(&sitoo, "pickup"), returns = at_enter(&sitoo, "return_orders");
    at_keys(&a, keys);
    at_keys(&pickup, pickup_keys);
    at_keys(&returns, return_keys);
    read_fields(&a, w);
    read_rejected(&a, w);
    at_bool(&a, "message", false, &w->message);
    at_bool(&a, "address", true, &w->address);
    at_int(&a, "uncollected_days", 1, 365, 14, &w->uncollected_days);
    at_int(&a, "repeat_after_s", 10, 3600, 30, &w->repeat_after_s);
    at_int(&a, "look_again_hours", 1, 168, 6, &w->look_again_hours);
    at_bool(&pickup, "cancel_on_reject", true, &w->cancel_on_reject);
    at_int(&returns, "orderstate", 0, 10, 10, &w->return_order_state);
    if (w->return_order_state != 0 && w->return_order_state != 10) {
        at_mistake(&returns, "orderstate", "must be 10 (closed) or 0 (open)");
    }
    at_int(&returns, "warehouseid", 1, JSON_INT_MAX, 0, &w->return_warehouse_id);
    at_bool(&returns, "add_delivery", false, &w->return_add_delivery);
}

static bool same_name(const char *a, const char *b) {
    size_t la = 0, lb = 0;
    while (isspace((unsigned char)*a)) {
        a++;
    }
    while (isspace((unsigned char)*b)) {
        b++;
    }
    la = strlen(a);
    lb = strlen(b);
    while (la > 0 && isspace((unsigned char)a[la - 1])) {
        la--;
    }
    while (lb > 0 && isspace((unsigned char)b[lb - 1])) {
        lb--;
    }
    return la == lb && la > 0 && strncasecmp(a, b, la) == 0;
}

const struct mapping_location *mapping_pickup_named(const struct mapping *m, const char *shipping_method) {
    for (size_t i = 0; shipping_method != NULL && i < m->location_count; i++) {
        const struct mapping_location *l = &m->locations[i];
        for (size_t k = 0; k < l->shipping_method_name_count; k++) {
            if (same_name(l->shipping_method_names[k], shipping_method)) {
                return l;
            }
        }
    }
    return NULL;
}
