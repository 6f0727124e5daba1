/* SPDX-License-Identifier: Apache-2.0 */
/* write_recover: what a writer left open when it died. Its levels may land or not, so they are unsure and written
 * again. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "gate.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "write.h"
#include "ban.h"

static enum next recover_one(struct app *app, const char *id, const char *text, struct reason *why) {
    char error[120];
    struct args put = {0}, effects = {0};
    redisReply *reply = NULL;
    int64_t n = 0, level = 0;
    const cJSON *item = NULL;
    struct gate_outcome out = {0};
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    cJSON_ArrayForEach(item, json_get(json, "levels")) {
        const char *bar = strchr(item->string, '|');
        if (bar != NULL && json_item_int(item, &level)) {
            args_add(&put, item->string);
            args_add_int(&put, level);
            args_add_int(&put, 0);
            effect_mark(&effects, QUEUE_SKU, bar + 1, 0, "f", "");
            n++;
        }
    }
    struct args a = {0};
    args_add(&a, "live");
    args_add(&a, "u");
    args_add_int(&a, app->set->mapping->confirm_delay_ms);
    args_add_int(&a, PLATFORM_TIMEOUT_MS + 2 * app->set->mapping->confirm_delay_ms);
    args_add_int(&a, n);
    args_append(&a, &put);
    enum next next = redis_fcall(app->redis, "levels_put", &a, true, &reply, why);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
        next = effects_apply(app->redis, &effects, why);
    }
    if (next == NEXT_DONE) {
        (void)str_copy(out.intent_id, sizeof out.intent_id, id);
        gate_close(app, &out);
        LOG(LOG_WARN, "a write without a known outcome is made again", {"intent", id}, {"items", log_int(n)});
    }
    args_free(&a);
    args_free(&put);
    args_free(&effects);
    cJSON_Delete(json);
    return next;
}

enum next write_recover(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGETALL");
    args_add_key(&a, app->redis, KEY_INTENTS);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; next == NEXT_DONE && i + 1 < reply->elements; i += 2) {
        const char *id = reply_str_at(reply, i), *text = reply_str_at(reply, i + 1);
        if (id != NULL && text != NULL && strncmp(id, "levels:", 7) == 0) {
            next = recover_one(app, id, text, why);
        }
    }
    freeReplyObject(reply);
    return next;
}
