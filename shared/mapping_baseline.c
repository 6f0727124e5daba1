/* SPDX-License-Identifier: Apache-2.0 */
/* The section "baseline" of the mapping file. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mapping.h"
#include "mapping_at.h"
#include "quantity.h"
#include "ban.h"

#define STATUS_LAST (MAPPING_STATUSES - 1)

static void read_class(const struct at *at, const cJSON *item, const char *key, char out[MAPPING_CLASS_SIZE]) {
    static const char *const classes[] = {"in_sitoo", "subtract", "hand_over", NULL};
    out[0] = '\0';
    for (size_t i = 0; cJSON_IsString(item) && classes[i] != NULL; i++) {
        if (strcmp(item->valuestring, classes[i]) == 0) {
            (void)str_copy(out, MAPPING_CLASS_SIZE, classes[i]);
        }
    }
    if (item != NULL && out[0] == '\0') {
        at_mistake(at, key, "must be in_sitoo, subtract or hand_over");
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

static void read_patterns(const struct at *at, struct mapping_baseline *b) {
    const cJSON *list = json_get(at->object, "externalid_patterns"), *item = NULL;
    char place[40];
    int i = 0;
    if (list != NULL && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MAPPING_PATTERNS_MAX)) {
        at_mistake(at, "externalid_patterns", "must be a list of at most 8 texts such as \"WEB-{order}\"");
        return;
    }
    cJSON_ArrayForEach(item, list) {
        (void)snprintf(place, sizeof place, "externalid_patterns[%d]", i++);
        if (!cJSON_IsString(item) || !good_pattern(item->valuestring)) {
            at_mistake(
                at, place,
                "must be a text of at most 39 characters that holds {order} once, without space, comma and quote");
        } else {
            (void)str_copy(b->patterns[b->pattern_count++], MAPPING_PATTERN_SIZE, item->valuestring);
        }
    }
}

static void read_statuses(const struct at *at, struct mapping_baseline *b) {
    const cJSON *object = json_get(at->object, "status_classes"), *item = NULL;
    char place[80];
    int64_t status = 0;
    if (object != NULL && !cJSON_IsObject(object)) {
        at_mistake(at, "status_classes", "must be an object such as {\"7\": \"subtract\"}");
        return;
    }
    cJSON_ArrayForEach(item, object) {
        (void)snprintf(place, sizeof place, "status_classes.%.40s", item->string);
        if (!int_parse(item->string, 1, STATUS_LAST, &status)) {
            at_mistake(at, place, "is no status_id of BigCommerce (1 to 14)");
        } else {
            read_class(at, item, place, b->status_class[status]);
        }
    }
}

void mapping_read_baseline(const cJSON *root, struct mapping *m, struct buf *mistakes) {
    static const char *const keys[] = {"externalid_patterns",
                                       "status_classes",
                                       "older_than_days",
                                       "older_than_class",
                                       "default_class",
                                       "accept_within_hours",
                                       NULL};
    struct mapping_baseline *b = &m->baseline;
    struct at at = at_enter(&(struct at){.object = root, .mistakes = mistakes}, "baseline");
    at_keys(&at, keys);
    read_patterns(&at, b);
    read_statuses(&at, b);
    at_int(&at, "older_than_days", 1, 36500, 0, &b->older_than_days);
    read_class(&at, json_get(at.object, "older_than_class"), "older_than_class", b->older_than_class);
    read_class(&at, json_get(at.object, "default_class"), "default_class", b->default_class);
    at_int(&at, "accept_within_hours", 1, 168, 24, &b->accept_within_hours);
    if ((b->older_than_days > 0) != (b->older_than_class[0] != '\0')) {
        at_mistake(&at, "older_than_days", "goes together with older_than_class");
    }
}
