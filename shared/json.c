/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_check.h"
#include "quantity.h"
#include "ban.h"

/* ---- duplicate keys ---- */

static int compare_keys(const void *a, const void *b) {
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

/* Sorted, not compared pairwise: a body full of keys must not cost a square. */
static bool keys_unique(const cJSON *object, const char **repeated) {
    size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
    const cJSON *member = NULL;
    const char **keys = xcalloc(n + 1, sizeof *keys);
    bool unique = true;
    cJSON_ArrayForEach(member, object) {
        keys[i++] = member->string;
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (i = 1; i < n && unique; i++) {
        unique = strcmp(keys[i - 1], keys[i]) != 0;
        *repeated = keys[i];
    }
    free(keys);
    return unique;
}

/* Depth is bounded by JSON_DEPTH_MAX already. */
static bool all_unique(const cJSON *item, const char **repeated) {
    const cJSON *child = NULL;
    if (cJSON_IsObject(item) && !keys_unique(item, repeated)) {
        return false;
    }
    cJSON_ArrayForEach(child, item) {
        if ((cJSON_IsObject(child) || cJSON_IsArray(child)) && !all_unique(child, repeated)) {
            return false;
        }
    }
    return true;
}

/* 1e999 is a number by grammar, but cJSON makes it infinite; and it prints the last few below the largest double with
 * 15 digits, which round up to infinity (tried with 1.7.15). */
#define NUMBER_MAX 1e308

static bool all_finite(const cJSON *item) {
    const cJSON *child = NULL;
    if (cJSON_IsNumber(item) && !(fabs(item->valuedouble) <= NUMBER_MAX)) {
        return false;
    }
    cJSON_ArrayForEach(child, item) {
        if (!all_finite(child)) {
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

cJSON *json_read(const char *data, size_t len, char *error, size_t error_size) {
    const char *problem = NULL, *end = NULL, *repeated = "";
    size_t at = 0;
    if (!json_check(data, len, JSON_DEPTH_MAX, &problem, &at)) {
        (void)snprintf(error, error_size, "not JSON: %s at byte %zu", problem, at);
        return NULL;
    }
    cJSON *item = len > 0 ? cJSON_ParseWithLengthOpts(data, len, &end, false) : NULL;
    if (item == NULL) {
        (void)snprintf(error, error_size, "not JSON: %s at byte %zu", len == 0 ? "empty" : "syntax error",
                       end != NULL ? (size_t)(end - data) : 0);
        return NULL;
    }
    while (end < data + len && strchr(" \t\r\n", *end) != NULL && *end != '\0') {
        end++;
    }
    if (end < data + len) {
        (void)snprintf(error, error_size, "not JSON: text after the value at byte %zu", (size_t)(end - data));
    } else if (!all_finite(item)) {
        (void)snprintf(error, error_size, "not JSON: a number beyond what a double holds");
    } else if (!all_unique(item, &repeated)) {
        (void)snprintf(error, error_size, "not JSON: key %.60s stands twice in one object", repeated);
    } else {
        return item;
    }
    cJSON_Delete(item);
    return NULL;
}

const cJSON *json_get(const cJSON *o, const char *key) {
    return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
}

const char *json_str(const cJSON *o, const char *key) {
    const cJSON *item = json_get(o, key);
    return item != NULL && cJSON_IsString(item) ? item->valuestring : NULL;
}

bool json_item_int(const cJSON *item, int64_t *out) {
    if (item == NULL || !cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= (double)JSON_INT_MAX) ||
        trunc(item->valuedouble) < item->valuedouble || trunc(item->valuedouble) > item->valuedouble) {
        return false;
    }
    *out = (int64_t)item->valuedouble;
    return true;
}

bool json_int(const cJSON *o, const char *key, int64_t *out) {
    return json_item_int(json_get(o, key), out);
}

bool json_id(const cJSON *o, const char *key, int64_t *out) {
    const cJSON *item = json_get(o, key);
    if (item != NULL && cJSON_IsString(item)) {
        return int_parse(item->valuestring, -JSON_INT_MAX, JSON_INT_MAX, out);
    }
    return json_item_int(item, out);
}

bool json_bool(const cJSON *o, const char *key, bool otherwise) {
    const cJSON *item = json_get(o, key);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) != 0 : otherwise;
}

const cJSON *json_array(const cJSON *o, const char *key) {
    const cJSON *item = json_get(o, key);
    return cJSON_IsArray(item) ? item : NULL;
}

/* ---- building ---- */

static void add(cJSON *o, const char *key, cJSON *item) {
    if (item == NULL || !cJSON_AddItemToObject(o, key, item)) {
        abort(); /* memory is out */
    }
}

void json_add_int(cJSON *o, const char *key, int64_t n) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)n);
    add(o, key, cJSON_CreateRaw(text));
}

void json_add_str(cJSON *o, const char *key, const char *s) {
    add(o, key, s != NULL ? cJSON_CreateString(s) : cJSON_CreateNull());
}

void json_add_bool(cJSON *o, const char *key, bool b) {
    add(o, key, cJSON_CreateBool(b));
}

cJSON *json_add_object(cJSON *o, const char *key) {
    cJSON *item = cJSON_CreateObject();
    add(o, key, item);
    return item;
}

cJSON *json_add_array(cJSON *o, const char *key) {
    cJSON *item = cJSON_CreateArray();
    add(o, key, item);
    return item;
}

cJSON *json_new_object(void) {
    cJSON *o = cJSON_CreateObject();
    if (o == NULL) {
        abort();
    }
    return o;
}

char *json_print(const cJSON *o) {
    char *text = cJSON_PrintUnformatted(o);
    if (text == NULL) {
        abort();
    }
    return text;
}
