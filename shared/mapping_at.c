/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping_at.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "near.h"
#include "ban.h"

void at_mistake(const struct at *a, const char *key, const char *text) {
    buf_addf(a->mistakes, "mapping file: %s%s%.80s: %s\n", a->path, a->path[0] != '\0' && key[0] != '\0' ? "." : "",
             key, text);
}

/* Every key of the object must be among `allowed` (NULL-terminated). */
void at_keys(const struct at *a, const char *const *allowed) {
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, a->object) {
        bool known = false;
        for (size_t i = 0; allowed[i] != NULL; i++) {
            known = known || strcmp(member->string, allowed[i]) == 0;
        }
        if (!known) {
            const char *likely = near_word(member->string, allowed);
            char text[100];
            (void)snprintf(text, sizeof text, "unknown key%s%.60s%s", likely != NULL ? "; did you mean " : "",
                           likely != NULL ? likely : "", likely != NULL ? "?" : "");
            at_mistake(a, member->string, text);
        }
    }
}

struct at at_enter(const struct at *parent, const char *key) {
    struct at a = {.object = json_get(parent->object, key), .mistakes = parent->mistakes};
    (void)snprintf(a.path, sizeof a.path, "%.80s%s%.30s", parent->path, parent->path[0] != '\0' ? "." : "", key);
    if (a.object != NULL && !cJSON_IsObject(a.object)) {
        at_mistake(parent, key, "must be an object");
        a.object = NULL;
    }
    return a;
}

void at_int(const struct at *a, const char *key, int64_t min, int64_t max, int64_t preset, int64_t *out) {
    char text[120];
    const cJSON *item = json_get(a->object, key);
    *out = preset;
    if (item != NULL && (!json_item_int(item, out) || *out < min || *out > max)) {
        (void)snprintf(text, sizeof text, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
        at_mistake(a, key, text);
        *out = preset;
    }
}

void at_bool(const struct at *a, const char *key, bool preset, bool *out) {
    const cJSON *item = json_get(a->object, key);
    *out = item != NULL ? cJSON_IsTrue(item) != 0 : preset;
    if (item != NULL && !cJSON_IsBool(item)) {
        at_mistake(a, key, "must be true or false");
    }
}

void at_text(const struct at *a, const char *key, const char *preset, char *out, size_t size) {
    const cJSON *item = json_get(a->object, key);
    const char *text = item == NULL ? preset : cJSON_IsString(item) ? item->valuestring : "";
    if (text[0] == '\0' || !str_copy(out, size, text)) {
        at_mistake(a, key, "must be a text that is neither empty nor too long");
        (void)str_copy(out, size, preset);
    }
}

/* A list of ids above 0, each once. */
void at_ids(const struct at *a, const char *key, size_t max, bool required, int64_t **ids, size_t *count) {
    const cJSON *list = json_get(a->object, key), *item = NULL;
    *count = 0;
    *ids = NULL;
    if (list == NULL && !required) {
        return;
    }
    if (!cJSON_IsArray(list) || (required && cJSON_GetArraySize(list) == 0) || (size_t)cJSON_GetArraySize(list) > max) {
        at_mistake(a, key, "must be a list of ids");
        return;
    }
    *ids = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof **ids);
    cJSON_ArrayForEach(item, list) {
        int64_t id = 0;
        char place[64];
        (void)snprintf(place, sizeof place, "%.40s[%zu]", key, *count);
        if (!json_item_int(item, &id) || id <= 0) {
            at_mistake(a, place, "must be an id: a whole number above 0");
        }
        for (size_t i = 0; i < *count; i++) {
            if ((*ids)[i] == id && id > 0) {
                at_mistake(a, place, "stands in the list twice");
            }
        }
        (*ids)[(*count)++] = id;
    }
}

void at_texts(const struct at *a, const char *key, size_t max, char ***texts, size_t *count) {
    const cJSON *list = json_get(a->object, key), *item = NULL;
    bool good = list == NULL || (cJSON_IsArray(list) && (size_t)cJSON_GetArraySize(list) <= max);
    *texts = xcalloc(max + 1, sizeof **texts);
    *count = 0;
    if (!good) {
        list = NULL;
    }
    cJSON_ArrayForEach(item, list) {
        good = good && cJSON_IsString(item) && item->valuestring[0] != '\0';
        if (good) {
            (*texts)[(*count)++] = xstrdup(item->valuestring);
        }
    }
    if (!good) {
        at_mistake(a, key, "must be a list of texts");
    }
}
