/* SPDX-License-Identifier: Apache-2.0 */
/* The section "baseline" of the mapping file. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mapping.h"
#include "near.h"
#include "quantity.h"
#include "ban.h"

#define STATUS_LAST (MAPPING_STATUSES - 1)

static void mistake(struct buf *mistakes, const char *key, const char *text) {
    buf_addf(mistakes, "mapping file: baseline.%.60s: %s\n", key, text);
}

static void read_class(const cJSON *item, const char *key, char out[MAPPING_CLASS_SIZE], struct buf *mistakes) {
    static const char *const classes[] = {"in_sitoo", "subtract", "hand_over", NULL};
    out[0] = '\0';
    for (size_t i = 0; cJSON_IsString(item) && classes[i] != NULL; i++) {
        if (strcmp(item->valuestring, classes[i]) == 0) {
            (void)str_copy(out, MAPPING_CLASS_SIZE, classes[i]);
        }
    }
    if (item != NULL && out[0] == '\0') {
        mistake(mistakes, key, "must be in_sitoo, subtract or hand_over");
    }
}

static void read_int(const cJSON *o, const char *key, int64_t max, int64_t preset, int64_t *out, struct buf *mistakes) {
    char text[80];
    const cJSON *item = json_get(o, key);
    *out = preset;
    if (item != NULL && (!json_item_int(item, out) || *out < 1 || *out > max)) {
        (void)snprintf(text, sizeof text, "must be a whole number from 1 to %lld", (long long)max);
        mistake(mistakes, key, text);
        *out = preset;
    }
}

/* "{order}" once, and around it what can stand in a filter of Sitoo: a list there is separated by commas. */
static bool good_pattern(const char *text) {
    const char *at = strstr(text, MAPPING_ORDER_MARK);
    bool good = at != NULL && strstr(at + 1, MAPPING_ORDER_MARK) == NULL && strlen(text) < MAPPING_PATTERN_SIZE;
    for (const char *c = text; good && *c != '\0'; c++) {
        good = *c > ' ' && *c < 0x7f && *c != ',' && *c != '"';
    }
    return good;
}

static void read_patterns(const cJSON *o, struct mapping_baseline *b, struct buf *mistakes) {
    const cJSON *list = json_get(o, "externalid_patterns"), *item = NULL;
    char place[40];
    int i = 0;
    if (list != NULL && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MAPPING_PATTERNS_MAX)) {
        mistake(mistakes, "externalid_patterns", "must be a list of at most 8 texts such as \"WEB-{order}\"");
        return;
    }
    cJSON_ArrayForEach(item, list) {
        (void)snprintf(place, sizeof place, "externalid_patterns[%d]", i++);
        if (!cJSON_IsString(item) || !good_pattern(item->valuestring)) {
            mistake(mistakes, place,
                    "must be a text of at most 39 characters that holds {order} once, without space, comma and quote");
        } else {
            (void)str_copy(b->patterns[b->pattern_count++], MAPPING_PATTERN_SIZE, item->valuestring);
        }
    }
}

static void read_statuses(const cJSON *o, struct mapping_baseline *b, struct buf *mistakes) {
    const cJSON *object = json_get(o, "status_classes"), *item = NULL;
    char place[80];
    int64_t status = 0;
    if (object != NULL && !cJSON_IsObject(object)) {
        mistake(mistakes, "status_classes", "must be an object such as {\"7\": \"subtract\"}");
        return;
    }
    cJSON_ArrayForEach(item, object) {
        (void)snprintf(place, sizeof place, "status_classes.%.40s", item->string);
        if (!int_parse(item->string, 1, STATUS_LAST, &status)) {
            mistake(mistakes, place, "is no status_id of BigCommerce (1 to 14)");
        } else {
            read_class(item, place, b->status_class[status], mistakes);
        }
    }
}

static void check_keys(const cJSON *o, struct buf *mistakes) {
    static const char *const keys[] = {"externalid_patterns",
                                       "status_classes",
                                       "older_than_days",
                                       "older_than_class",
                                       "default_class",
                                       "accept_within_hours",
                                       NULL};
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, o) {
        bool known = false;
        for (size_t i = 0; keys[i] != NULL; i++) {
            known = known || strcmp(member->string, keys[i]) == 0;
        }
        if (!known) {
            const char *likely = near_word(member->string, keys);
            char text[100];
            (void)snprintf(text, sizeof text, "unknown key%s%.60s%s", likely != NULL ? "; did you mean " : "",
                           likely != NULL ? likely : "", likely != NULL ? "?" : "");
            mistake(mistakes, member->string, text);
        }
    }
}

void mapping_read_baseline(const cJSON *root, struct mapping *m, struct buf *mistakes) {
    const cJSON *o = json_get(root, "baseline");
    struct mapping_baseline *b = &m->baseline;
    if (o != NULL && !cJSON_IsObject(o)) {
        buf_addf(mistakes, "mapping file: baseline: must be an object\n");
        o = NULL;
    }
    check_keys(o, mistakes);
    read_patterns(o, b, mistakes);
    read_statuses(o, b, mistakes);
    read_int(o, "older_than_days", 36500, 0, &b->older_than_days, mistakes);
    read_class(json_get(o, "older_than_class"), "older_than_class", b->older_than_class, mistakes);
    read_class(json_get(o, "default_class"), "default_class", b->default_class, mistakes);
    read_int(o, "accept_within_hours", 168, 24, &b->accept_within_hours, mistakes);
    if ((b->older_than_days > 0) != (b->older_than_class[0] != '\0')) {
        mistake(mistakes, "older_than_days", "goes together with older_than_class");
    }
}
