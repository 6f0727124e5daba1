/* SPDX-License-Identifier: Apache-2.0 */
#include "shop.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "platform.h"
#include "ban.h"

#define SETTING_REFUND "refund_order_stock_adjustment"
#define SETTING_UPDATE "update_stock_behavior"
#define RIGHT_UPDATE   "order_placed"

/* An empty place in the list, named after the setting; NULL if there is none. */
static struct shop_finding *add(struct shop *shop, const char *setting, int64_t channel_id) {
    if (shop->n >= SHOP_FINDINGS_MAX) {
        return NULL;
    }
    struct shop_finding *f = &shop->list[shop->n++];
    memset(f, 0, sizeof *f);
    if (channel_id > 0) {
        (void)snprintf(f->entity, sizeof f->entity, "%s channel %lld", setting, (long long)channel_id);
    } else {
        (void)snprintf(f->entity, sizeof f->entity, "%s", setting);
    }
    f->effect = "";
    f->todo = "";
    return f;
}

static bool inherited(const cJSON *value, int64_t channel_id) {
    return channel_id > 0 && (value == NULL || cJSON_IsNull(value));
}

static void judge_refund(struct shop_finding *f, const cJSON *value, int64_t channel_id) {
    f->right = cJSON_IsFalse(value) || inherited(value, channel_id);
    if (f->right) {
        (void)snprintf(f->text, sizeof f->text, "%s is %s: a refund does not put stock back by itself", f->entity,
                       cJSON_IsFalse(value) ? "off" : "inherited");
        return;
    }
    (void)snprintf(f->text, sizeof f->text, "%s is %s%s", f->entity, cJSON_IsTrue(value) ? "on" : "not told",
                   cJSON_IsTrue(value) ? ": a refund or cancellation would put stock back a second time" : "");
    f->effect = "After a refund or a cancellation the web shop offers units that nobody has looked at";
    f->todo = "Switch it off: BigCommerce, Settings > Inventory, for the store and every channel";
}

static void judge_update(struct shop_finding *f, const cJSON *value, int64_t channel_id) {
    const char *text = cJSON_IsString(value) ? value->valuestring : NULL;
    f->right = inherited(value, channel_id) || (text != NULL && strcmp(text, RIGHT_UPDATE) == 0);
    if (f->right) {
        (void)snprintf(f->text, sizeof f->text, "%s is %s: an order takes its stock when it is placed", f->entity,
                       text != NULL ? text : "inherited");
        return;
    }
    (void)snprintf(f->text, sizeof f->text, "%s is %.60s: sold units stay on offer until then", f->entity,
                   text != NULL ? text : "not told");
    f->effect = "What was just sold in the web shop stays on offer until the order is shipped";
    f->todo = "Set it to order_placed: BigCommerce, Settings > Inventory, for the store and every channel";
}

void shop_judge(struct shop *shop, const cJSON *data, int64_t channel_id) {
    struct shop_finding *refund = add(shop, SETTING_REFUND, channel_id);
    struct shop_finding *update = add(shop, SETTING_UPDATE, channel_id);
    if (refund != NULL) {
        judge_refund(refund, json_get(data, SETTING_REFUND), channel_id);
    }
    if (update != NULL) {
        judge_update(update, json_get(data, SETTING_UPDATE), channel_id);
    }
}

static enum next read_one(struct app *app, const char *path, struct answer *answer, struct reason *why) {
    enum next next = bigcommerce_get(app, path, answer, why);
    if (next == NEXT_DONE && answer->json == NULL) {
        next = reason_set(why, NEXT_DEFER, "shop_settings", "BigCommerce answered %d to %s without what was asked for",
                          answer->status, path);
        answer_free(answer);
    }
    return next;
}

enum next shop_read(struct app *app, struct shop *shop, struct reason *why) {
    struct answer answer;
    char path[96] = "/v3/settings/inventory";
    int64_t channel_id = 0;
    shop->n = 0;
    enum next next = read_one(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    shop_judge(shop, json_get(answer.json, "data"), 0);
    answer_free(&answer);
    next = read_one(app, "/v2/store", &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    bool known = json_id(answer.json, "default_channel_id", &channel_id) && channel_id > 0;
    answer_free(&answer);
    if (!known) {
        return NEXT_DONE;
    }
    (void)snprintf(path, sizeof path, "/v3/settings/inventory?channel_id=%lld", (long long)channel_id);
    next = read_one(app, path, &answer, why);
    if (next == NEXT_DONE) {
        shop_judge(shop, json_get(answer.json, "data"), channel_id);
        answer_free(&answer);
    }
    return next;
}
