/* SPDX-License-Identifier: Apache-2.0 */
#include "product_known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define KEPT_AT_ONCE 500

/* ---- records ---- */

void known_product_parse(const char *text, struct known_product *out) {
    char error[80];
    cJSON *json = text != NULL ? json_read(text, strlen(text), error, sizeof error) : NULL;
    const cJSON *variants = json_get(json, "v"), *item = NULL;
    const char *digest = json_str(json, "d");
    memset(out, 0, sizeof *out);
    (void)str_copy(out->digest, sizeof out->digest, digest != NULL ? digest : "");
    (void)json_int(json, "at", &out->at_ms);
    const cJSON *begun = json_array(json, "w");
    out->variants =
        xcalloc((size_t)cJSON_GetArraySize(variants) + (size_t)cJSON_GetArraySize(begun) + 1, sizeof *out->variants);
    cJSON_ArrayForEach(item, variants) {
        int64_t id = 0;
        if (cJSON_IsString(item) && item->string != NULL && int_parse(item->string, 1, JSON_INT_MAX, &id)) {
            out->variants[out->n++] = (struct known_variant){.id = id, .sku = xstrdup(item->valuestring)};
        }
    }
    cJSON_ArrayForEach(item, begun) {
        if (cJSON_IsString(item)) {
            out->variants[out->n++] = (struct known_variant){.sku = xstrdup(item->valuestring)};
        }
    }
    const cJSON *making = json_array(json, "m");
    out->making = xcalloc((size_t)cJSON_GetArraySize(making) + 1, sizeof *out->making);
    cJSON_ArrayForEach(item, making) {
        if (cJSON_IsString(item)) {
            out->making[out->making_count++] = xstrdup(item->valuestring);
        }
    }
    cJSON_Delete(json);
}

void known_product_free(struct known_product *k) {
    for (size_t i = 0; i < k->n; i++) {
        free(k->variants[i].sku);
    }
    for (size_t i = 0; i < k->making_count; i++) {
        free(k->making[i]);
    }
    free(k->making);
    free(k->variants);
    memset(k, 0, sizeof *k);
}

static bool known_has(const struct known_product *k, const char *sku) {
    for (size_t i = 0; k != NULL && i < k->n; i++) {
        if (strcmp(k->variants[i].sku, sku) == 0) {
            return true;
        }
    }
    return false;
}

char *known_product_text(const struct known_product *k, const struct product_want *w, const char *const *kept,
                         size_t kept_count, int64_t now_ms) {
    char digest[17], id[24];
    cJSON *o = json_new_object();
    product_want_digest(w, digest);
    json_add_str(o, "d", digest);
    json_add_int(o, "at", now_ms);
    cJSON *variants = json_add_object(o, "v"), *left = cJSON_CreateArray();
    for (size_t i = 0; i < w->n; i++) {
        (void)snprintf(id, sizeof id, "%lld", (long long)w->list[i].variant_id);
        json_add_str(variants, id, w->list[i].sku);
    }
    for (size_t i = 0; !w->download && i < w->left_count; i++) {
        if (known_has(k, w->left[i])) {
            (void)cJSON_AddItemToArray(left, cJSON_CreateString(w->left[i]));
        }
    }
    for (size_t i = 0; i < kept_count; i++) {
        (void)cJSON_AddItemToArray(left, cJSON_CreateString(kept[i]));
    }
    if (cJSON_GetArraySize(left) > 0) {
        (void)cJSON_AddItemToObject(o, "w", left);
    } else {
        cJSON_Delete(left);
    }
    char *text = json_print(o);
    cJSON_Delete(o);
    return text;
}

bool known_making(const struct known_product *k, const char *sku) {
    for (size_t i = 0; k != NULL && i < k->making_count; i++) {
        if (strcmp(k->making[i], sku) == 0) {
            return true;
        }
    }
    return false;
}

char *known_product_begun(const struct known_product *k, const struct product_want *w, const char *const *making,
                          size_t making_count) {
    char id[24];
    cJSON *o = json_new_object();
    json_add_str(o, "d", "");
    cJSON *variants = json_add_object(o, "v"), *begun = json_add_array(o, "w");
    for (size_t i = 0; k != NULL && i < k->n; i++) {
        (void)snprintf(id, sizeof id, "%lld", (long long)k->variants[i].id);
        if (k->variants[i].id > 0) {
            json_add_str(variants, id, k->variants[i].sku);
        } else {
            (void)cJSON_AddItemToArray(begun, cJSON_CreateString(k->variants[i].sku));
        }
    }
    for (size_t i = 0; i < w->n; i++) {
        if (known_has(k, w->list[i].sku)) {
            continue; /* an earlier try said so */
        }
        (void)cJSON_AddItemToArray(begun, cJSON_CreateString(w->list[i].sku));
    }
    cJSON *made = json_add_array(o, "m");
    for (size_t i = 0; k != NULL && i < k->making_count; i++) {
        (void)cJSON_AddItemToArray(made, cJSON_CreateString(k->making[i]));
    }
    for (size_t i = 0; i < making_count; i++) {
        if (!known_making(k, making[i])) {
            (void)cJSON_AddItemToArray(made, cJSON_CreateString(making[i]));
        }
    }
    char *text = json_print(o);
    cJSON_Delete(o);
    return text;
}

bool known_left_behind(const struct known_product *k, const struct product_want *w) {
    for (size_t i = 0; i < k->n; i++) {
        if (!product_want_has(w, k->variants[i].sku)) {
            return true;
        }
    }
    return false;
}

const char *known_sku(const struct known_product *k, int64_t variant_id) {
    for (size_t i = 0; i < k->n; i++) {
        if (k->variants[i].id == variant_id) {
            return k->variants[i].sku;
        }
    }
    return NULL;
}

/* ---- reading ---- */

enum next known_all(struct app *app, const char *key, redisReply **reply, struct reason *why) {
    struct args a = {0};
    args_add(&a, "HGETALL");
    args_add_key(&a, app->redis, key);
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

static enum next values_of(struct app *app, struct args *a, size_t n, char **values, struct reason *why) {
    redisReply *reply = NULL;
    memset(values, 0, n * sizeof *values);
    enum next next = redis_command(app->redis, a, true, &reply, why);
    args_free(a);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        const char *text = reply_str_at(reply, i);
        values[i] = text != NULL ? xstrdup(text) : NULL;
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return next;
}

enum next known_read(struct app *app, const int64_t *ids, size_t n, char **texts, struct reason *why) {
    struct args a = {0};
    if (n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_PRODUCTS);
    for (size_t i = 0; i < n; i++) {
        args_add_int(&a, ids[i]);
    }
    return values_of(app, &a, n, texts, why);
}

enum next known_fields(struct app *app, const char *key, const char *const *fields, size_t n, char **values,
                       struct reason *why) {
    struct args a = {0};
    if (n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, key);
    for (size_t i = 0; i < n; i++) {
        args_add(&a, fields[i]);
    }
    return values_of(app, &a, n, values, why);
}

enum next known_number(struct app *app, const char *field, int64_t *out, struct reason *why) {
    char *text = NULL;
    *out = 0;
    enum next next = known_fields(app, KEY_CATALOG, &field, 1, &text, why);
    if (next == NEXT_DONE && text != NULL) {
        (void)int_parse(text, INT64_MIN, INT64_MAX, out);
    }
    free(text);
    return next;
}

enum next known_set(struct app *app, const char *field, const char *value, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    bool gone = value[0] == '\0';
    args_add(&a, gone ? "HDEL" : "HSET");
    args_add_key(&a, app->redis, KEY_CATALOG);
    args_add(&a, field);
    if (!gone) {
        args_add(&a, value);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* ---- effects ---- */

static void keep(struct args *a, const char *effect, const char *field, const char *value) {
    args_add(a, effect);
    args_add(a, field);
    args_add(a, value);
}

void effect_keep_product(struct args *a, int64_t product_id, const char *record) {
    args_add(a, "keep_product");
    args_add_int(a, product_id);
    args_add(a, record);
}

void effect_keep_sku(struct args *a, const char *sku, const char *value) {
    keep(a, "keep_sku", sku, value);
}

void effect_keep_variant(struct args *a, int64_t variant_id, int64_t product_id) {
    args_add(a, "keep_variant");
    args_add_int(a, variant_id);
    if (product_id > 0) {
        args_add_int(a, product_id);
    } else {
        args_add(a, "");
    }
}

void effect_keep_barcode(struct args *a, const char *code, const char *value) {
    keep(a, "keep_barcode", code, value);
}

void effect_keep_image(struct args *a, const char *sku, const char *name) {
    keep(a, "keep_image", sku, name);
}

void effect_keep_folded(struct args *a, const char *folded, const char *sku) {
    keep(a, "keep_folded", folded, sku);
}

enum next known_keep_till(struct app *app, const struct till_products *till, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < till->n; i += KEPT_AT_ONCE) {
        struct args effects = {0};
        for (size_t k = i; k < till->n && k < i + KEPT_AT_ONCE; k++) {
            char *folded = sku_fold(till->list[k].sku);
            effect_keep_folded(&effects, folded, till->list[k].sku);
            free(folded);
        }
        next = effects_apply(app->redis, &effects, why);
        args_free(&effects);
    }
    return next;
}

enum next known_count_off(struct app *app, const char *const *skus, size_t n, bool *passes, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    *passes = true;
    if (n == 0) {
        return NEXT_DONE;
    }
    args_add_int(&a, app->set->mapping->brake_max_deactivated);
    for (size_t i = 0; i < n; i++) {
        args_add(&a, skus[i]);
    }
    enum next next = redis_fcall(app->redis, "catalog_off", &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *passes = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    return next;
}
