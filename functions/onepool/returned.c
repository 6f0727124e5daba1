/* SPDX-License-Identifier: Apache-2.0 */
/* onepool returns [RETURN]: what became of the last returns, goods and money apart (functions/return/report.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "text.h"
#include "ban.h"

#define LAST     50
#define PAGE_MAX ((size_t)512 * 1024)

/* *json is NULL if there is none. */
static enum next read_one(struct app *app, int64_t id, cJSON **json, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char name[64], error[120];
    (void)snprintf(name, sizeof name, KEY_RETURN, (long long)id);
    args_add(&a, "GET");
    args_add_key(&a, app->redis, name);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    *json = NULL;
    if (next == NEXT_DONE) {
        const char *text = reply_str(reply);
        *json = text != NULL ? json_read(text, strlen(text), error, sizeof error) : NULL;
        freeReplyObject(reply);
    }
    return next;
}

static enum next read_last(struct app *app, cJSON *list, struct reason *why) {
    struct args a = {0};
    redisReply *ids = NULL;
    args_add(&a, "ZRANGE");
    args_add_key(&a, app->redis, KEY_RETURNS);
    args_add_int(&a, -LAST);
    args_add_int(&a, -1);
    enum next next = redis_command(app->redis, &a, true, &ids, why);
    args_free(&a);
    for (size_t i = 0; next == NEXT_DONE && i < ids->elements; i++) {
        cJSON *one = NULL;
        int64_t id = 0;
        next = int_parse(reply_str_at(ids, i), 1, JSON_INT_MAX, &id) ? read_one(app, id, &one, why) : next;
        if (one != NULL) {
            (void)cJSON_AddItemToArray(list, one);
        }
    }
    if (ids != NULL) {
        freeReplyObject(ids);
    }
    return next;
}

static const char *text_of(const cJSON *o, const char *key) {
    const char *text = json_str(o, key);
    return text != NULL ? text : "";
}

static int64_t number_of(const cJSON *o, const char *key) {
    int64_t n = 0;
    return json_int(o, key, &n) ? n : 0;
}

static void print_one(struct buf *page, const cJSON *o) {
    const cJSON *one = NULL;
    buf_addf(page, "Return %lld, receipt ", (long long)number_of(o, "return"));
    text_safe(page, text_of(o, "receipt"));
    buf_add_str(page, json_bool(o, "exchange", false) ? ", an exchange\n" : "\n");
    cJSON_ArrayForEach(one, json_array(o, "rows")) {
        buf_addf(page, "  goods  %s x ", text_of(one, "quantity"));
        text_safe(page, text_of(one, "sku"));
        buf_addf(page, " into warehouse %lld: %s (reason ", (long long)number_of(one, "warehouse"),
                 text_of(one, "stock"));
        text_safe(page, text_of(one, "reason"));
        buf_addf(page, "), bought: %s\n", text_of(one, "purchase"));
    }
    cJSON_ArrayForEach(one, json_array(o, "money")) {
        buf_addf(page, "  money  web order %lld: %s ", (long long)number_of(one, "web_order"), text_of(one, "outcome"));
        if (json_str(one, "amount") != NULL) {
            buf_addf(page, "%s %s, %s\n", text_of(one, "amount"), text_of(one, "currency"), text_of(one, "paid_by"));
        } else {
            buf_addf(page, "(%s) ", text_of(one, "cause"));
            text_safe(page, text_of(one, "text"));
            buf_add_str(page, "\n");
        }
    }
}

int command_returned(struct app *app, const struct command_line *line, int64_t id) {
    struct reason why = {0};
    struct buf page;
    const cJSON *one = NULL;
    cJSON *all = json_new_object(), *list = json_add_array(all, "returns"), *found = NULL;
    enum next next = id > 0 ? read_one(app, id, &found, &why) : read_last(app, list, &why);
    if (next == NEXT_DONE && id > 0 && found == NULL) {
        next =
            reason_set(&why, NEXT_PARK, "returns", "return %lld was not worked on in the last 90 days", (long long)id);
    }
    if (next != NEXT_DONE) {
        cJSON_Delete(all);
        return command_failed(line, &why);
    }
    if (line->json) {
        command_print_json(id > 0 ? found : all);
    } else {
        buf_init(&page, PAGE_MAX);
        if (id > 0) {
            print_one(&page, found);
        }
        cJSON_ArrayForEach(one, list) {
            print_one(&page, one);
        }
        if (id == 0 && cJSON_GetArraySize(list) == 0) {
            buf_add_str(&page, "No return was worked on yet.\n");
        }
        command_print(&page);
    }
    cJSON_Delete(found);
    cJSON_Delete(all);
    return 0;
}
