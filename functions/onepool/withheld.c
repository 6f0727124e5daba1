/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool withheld: returned units that are not on sale, oldest first, and their release on a person's word. What is
 * withheld and has no entry yet is a return whose order nobody has seen, or one that is not judged yet; with --aged it
 * is left out, since its age is not known. In JSON:
 *
 *   {"withheld":[{"entry":"11555:0","sku":"SKU-1","warehouse":1,"quantity":"1.000","verdict":"unsellable","reason":"RC123",
 *     "age_ms":86400000}],"without_entry":[{"warehouse":1,"sku":"SKU-2","quantity":"1.000"}],"released":false}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "text.h"
#include "withheld.h"
#include "ban.h"

#define ENTRIES_MAX 1000
#define PAGES_MAX   10000
#define PAGE_MAX    ((size_t)512 * 1024)

static const char *const fields[] = {"warehouse", "sku", "left", "verdict", "reason", "since"};
#define FIELDS (sizeof fields / sizeof fields[0])

bool withheld_words(char **words, struct command_line *line) {
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--aged") == 0) {
            line->withheld.aged = true;
        } else if (strcmp(*words, "--sku") == 0 && words[1] != NULL) {
            line->withheld.sku = *++words;
        } else if (strcmp(*words, "--release") == 0 && words[1] != NULL) {
            line->action = "release";
            line->id = *++words;
        } else if (strcmp(*words, "--quantity") == 0 && words[1] != NULL) {
            if (!quantity_parse(*++words, &line->withheld.thousandths) || line->withheld.thousandths <= 0) {
                return false;
            }
        } else {
            return false;
        }
    }
    return line->action != NULL || line->withheld.thousandths == 0;
}

static enum next read_entry(struct app *app, const char *entry, redisReply **reply, struct reason *why) {
    struct args a = {0};
    char name[120];
    (void)snprintf(name, sizeof name, KEY_WITHHELD_ROW, entry);
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, name);
    for (size_t i = 0; i < FIELDS; i++) {
        args_add(&a, fields[i]);
    }
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

/* "11555:0" */
static bool good_entry(const char *text) {
    char copy[64];
    int64_t n = 0;
    char *colon = str_copy(copy, sizeof copy, text) ? strchr(copy, ':') : NULL;
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    return int_parse(copy, 1, JSON_INT_MAX, &n) && int_parse(colon + 1, 0, JSON_INT_MAX, &n);
}

static void add_entry(cJSON *list, const char *entry, const redisReply *r, int64_t now, const struct command_line *line,
                      int64_t aged_ms) {
    char quantity[QUANTITY_TEXT_SIZE];
    int64_t warehouse = 0, left = 0, since = 0;
    const char *sku = reply_str_at(r, 1);
    if (sku == NULL || !int_parse(reply_str_at(r, 0), INT64_MIN, INT64_MAX, &warehouse) ||
        !int_parse(reply_str_at(r, 2), 0, INT64_MAX, &left) || !int_parse(reply_str_at(r, 5), 0, INT64_MAX, &since)) {
        return;
    }
    if ((line->withheld.sku != NULL && strcmp(sku, line->withheld.sku) != 0) ||
        (line->withheld.aged && now - since < aged_ms)) {
        return;
    }
    cJSON *o = json_new_object();
    quantity_format(left, quantity);
    json_add_str(o, "entry", entry);
    json_add_str(o, "sku", sku);
    json_add_int(o, "warehouse", warehouse);
    json_add_str(o, "quantity", quantity);
    json_add_str(o, "verdict", reply_str_at(r, 3));
    json_add_str(o, "reason", reply_str_at(r, 4));
    json_add_int(o, "age_ms", now - since);
    (void)cJSON_AddItemToArray(list, o);
}

static enum next collect(struct app *app, const struct command_line *line, cJSON *list, struct reason *why) {
    struct args a = {0};
    redisReply *ids = NULL;
    int64_t now = clock_wall_ms();
    int64_t aged = app->set->mapping->returns.aged_days * 86400 * 1000;
    args_add(&a, "ZRANGE");
    args_add_key(&a, app->redis, KEY_WITHHELD_ROWS);
    args_add_int(&a, 0);
    args_add_int(&a, ENTRIES_MAX - 1);
    enum next next = redis_command(app->redis, &a, true, &ids, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; next == NEXT_DONE && i < ids->elements; i++) {
        redisReply *entry = NULL;
        const char *id = reply_str_at(ids, i);
        next = id != NULL ? read_entry(app, id, &entry, why) : next;
        if (next == NEXT_DONE && entry != NULL) {
            add_entry(list, id, entry, now, line, aged);
            freeReplyObject(entry);
        }
    }
    freeReplyObject(ids);
    return next;
}

/* "1|SKU-1" */
static void add_place(cJSON *list, const char *place, const char *units, const struct command_line *line) {
    char quantity[QUANTITY_TEXT_SIZE], warehouse[24];
    int64_t left = 0, id = 0;
    const char *bar = place != NULL ? strchr(place, '|') : NULL;
    size_t len = bar != NULL ? (size_t)(bar - place) : sizeof warehouse;
    if (len >= sizeof warehouse || units == NULL || !int_parse(units, 1, INT64_MAX, &left) ||
        (line->withheld.sku != NULL && strcmp(bar + 1, line->withheld.sku) != 0)) {
        return;
    }
    memcpy(warehouse, place, len);
    warehouse[len] = '\0';
    if (int_parse(warehouse, 0, INT64_MAX, &id)) {
        cJSON *o = json_new_object();
        quantity_format(left, quantity);
        json_add_int(o, "warehouse", id);
        json_add_str(o, "sku", bar + 1);
        json_add_str(o, "quantity", quantity);
        (void)cJSON_AddItemToArray(list, o);
    }
}

static enum next collect_side(struct app *app, const char *side, const struct command_line *line, cJSON *list,
                              struct reason *why) {
    char cursor[32] = "0";
    for (int page = 0; page < PAGES_MAX; page++) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add(&a, side);
        args_add(&a, cursor);
        enum next next = redis_fcall(app->redis, "withheld_unjudged", &a, true, &reply, why);
        args_free(&a);
        if (next != NEXT_DONE) {
            return next;
        }
        const redisReply *found = reply->elements > 1 ? reply->element[1] : reply;
        for (size_t i = 0; reply->elements > 1 && i + 1 < found->elements; i += 2) {
            if (cJSON_GetArraySize(list) < ENTRIES_MAX) {
                add_place(list, reply_str_at(found, i), reply_str_at(found, i + 1), line);
            }
        }
        bool more = reply_str_at(reply, 0) != NULL && strcmp(reply_str_at(reply, 0), "0") != 0 &&
                    str_copy(cursor, sizeof cursor, reply_str_at(reply, 0));
        freeReplyObject(reply);
        if (!more) {
            break;
        }
    }
    return NEXT_DONE;
}

static enum next collect_places(struct app *app, const struct command_line *line, cJSON *list, struct reason *why) {
    if (line->withheld.aged) {
        return NEXT_DONE;
    }
    enum next next = collect_side(app, "l", line, list, why);
    return next == NEXT_DONE ? collect_side(app, "r", line, list, why) : next;
}

static enum next release(struct app *app, const struct command_line *line, struct reason *why) {
    struct args effects = {0};
    redisReply *entry = NULL;
    char op[120];
    if (!good_entry(line->id)) {
        return reason_set(why, NEXT_PARK, "release",
                          "--release: %.60s is no entry such as 11555:0 (onepool withheld "
                          "lists them)",
                          line->id);
    }
    enum next next = read_entry(app, line->id, &entry, why);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t left = 0;
    bool found = int_parse(reply_str_at(entry, 2), 0, INT64_MAX, &left);
    freeReplyObject(entry);
    if (!found) {
        return reason_set(why, NEXT_PARK, "release", "--release: nothing is withheld under %.60s (any more)", line->id);
    }
    if (line->withheld.thousandths > left) {
        char have[QUANTITY_TEXT_SIZE];
        quantity_format(left, have);
        return reason_set(why, NEXT_PARK, "release", "--quantity: only %s units are withheld under %.60s", have,
                          line->id);
    }
    /* Once for each call of the command, also if its answer is lost and it is sent again. */
    (void)snprintf(op, sizeof op, "release:%.60s:%lld", line->id, (long long)clock_wall_ms());
    effect_release(&effects, op, line->id, line->withheld.thousandths, "person");
    next = effects_apply(app->redis, &effects, why);
    args_free(&effects);
    return next;
}

static void print_text(const cJSON *list, const cJSON *places, bool released) {
    struct buf page;
    const cJSON *o = NULL;
    buf_init(&page, PAGE_MAX);
    if (released) {
        buf_add_str(&page, "Released; the web shop offers them within a few seconds.\n");
    }
    cJSON_ArrayForEach(o, list) {
        char age[TEXT_AGE_SIZE];
        int64_t ms = 0, warehouse = 0;
        (void)json_int(o, "age_ms", &ms);
        (void)json_int(o, "warehouse", &warehouse);
        text_age(ms, age);
        buf_addf(&page, "%-16s %8s x ", json_str(o, "entry"), json_str(o, "quantity"));
        text_safe(&page, json_str(o, "sku"));
        buf_addf(&page, "  warehouse %lld  %s, reason ", (long long)warehouse, json_str(o, "verdict"));
        text_safe(&page, json_str(o, "reason")[0] != '\0' ? json_str(o, "reason") : "none");
        buf_addf(&page, ", for %s\n", age);
    }
    cJSON_ArrayForEach(o, places) {
        int64_t warehouse = 0;
        (void)json_int(o, "warehouse", &warehouse);
        buf_addf(&page, "%-16s %8s x ", "-", json_str(o, "quantity"));
        text_safe(&page, json_str(o, "sku"));
        buf_addf(&page, "  warehouse %lld  not judged: the return's order was not worked on yet\n",
                 (long long)warehouse);
    }
    if (cJSON_GetArraySize(list) + cJSON_GetArraySize(places) == 0) {
        buf_add_str(&page, "No returned units are withheld.\n");
    } else if (cJSON_GetArraySize(list) > 0) {
        buf_add_str(&page, "An entry is return:row. To let its units be sold: onepool withheld --release ENTRY\n");
    }
    command_print(&page);
}

int command_withheld(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    cJSON *all = json_new_object(), *list = json_add_array(all, "withheld"),
          *places = json_add_array(all, "without_entry");
    bool asked = line->action != NULL;
    enum next next = asked ? release(app, line, &why) : NEXT_DONE;
    next = next == NEXT_DONE ? collect(app, line, list, &why) : next;
    next = next == NEXT_DONE ? collect_places(app, line, places, &why) : next;
    if (next != NEXT_DONE) {
        cJSON_Delete(all);
        return command_failed(line, &why);
    }
    if (line->json) {
        json_add_bool(all, "released", asked);
        command_print_json(all);
    } else {
        /* Numbers were added as raw text; read back, so that they are numbers. */
        char *text = json_print(all), error[80];
        cJSON *read = json_read(text, strlen(text), error, sizeof error);
        print_text(json_array(read, "withheld"), json_array(read, "without_entry"), asked);
        cJSON_Delete(read);
        free(text);
    }
    cJSON_Delete(all);
    return 0;
}
