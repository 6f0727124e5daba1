/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "platform.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define FILTER_MAX  ((size_t)4000) /* bytes of a filter in a URL */
#define CHUNK       ((size_t)200)  /* SKUs per look-up */
#define KEEP_GOOD_S 86400
#define KEEP_BAD_S  600

bool identity_usable(const struct identity *i) {
    return i->state == IDENTITY_BY_VARIANT || i->state == IDENTITY_BY_PRODUCT;
}

enum identity_state identity_decide(int64_t product_id, int64_t variant_id, const char *tracking,
                                    bool several_variants) {
    if (product_id <= 0) {
        return IDENTITY_UNKNOWN_SKU;
    }
    if (tracking == NULL || strcmp(tracking, "none") == 0) {
        return IDENTITY_NOT_TRACKED;
    }
    if (strcmp(tracking, "variant") == 0) {
        return variant_id > 0 ? IDENTITY_BY_VARIANT : IDENTITY_WRONG_TRACKING;
    }
    if (strcmp(tracking, "product") != 0) {
        return IDENTITY_WRONG_TRACKING; /* a mode that did not exist when this was written */
    }
    /* Tracked by product: right for the product's only SKU; one of several variants has no stock of its own. */
    return several_variants && variant_id > 0 ? IDENTITY_WRONG_TRACKING : IDENTITY_BY_PRODUCT;
}

/* ---- what is remembered: "state product variant" ---- */

static bool remembered(const redisReply *r, struct identity *out) {
    char text[80];
    int64_t state = 0;
    if (r == NULL || r->type != REDIS_REPLY_STRING || !str_copy(text, sizeof text, r->str)) {
        return false;
    }
    char *product = strchr(text, ' '), *variant = product != NULL ? strchr(product + 1, ' ') : NULL;
    if (variant == NULL) {
        return false;
    }
    *product = '\0';
    *variant = '\0';
    if (!int_parse(text, IDENTITY_BY_VARIANT, IDENTITY_WRONG_TRACKING, &state) ||
        !int_parse(product + 1, 0, JSON_INT_MAX, &out->product_id) ||
        !int_parse(variant + 1, 0, JSON_INT_MAX, &out->variant_id)) {
        return false;
    }
    out->state = (enum identity_state)state;
    return true;
}

enum next identity_recall(struct app *app, const char *const *skus, size_t n, struct identity *out, bool *known,
                          struct reason *why) {
    struct args a = {0};
    char name[KEY_MAX];
    redisReply *reply = NULL;
    args_add(&a, "MGET");
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, KEY_SKU, skus[i]);
        args_add_key(&a, app->redis, name);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; i < n; i++) {
        known[i] = i < reply->elements && remembered(reply->element[i], &out[i]);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

static enum next remember(struct app *app, const char *sku, const struct identity *i, struct reason *why) {
    struct args cmds[2] = {{0}, {0}};
    redisReply *replies[2] = {NULL, NULL};
    char name[KEY_MAX];
    (void)snprintf(name, sizeof name, KEY_SKU, sku);
    args_add(&cmds[0], "SET");
    args_add_key(&cmds[0], app->redis, name);
    args_addf(&cmds[0], "%d %lld %lld", (int)i->state, (long long)i->product_id, (long long)i->variant_id);
    args_add(&cmds[0], "EX");
    args_add_int(&cmds[0], identity_usable(i) ? KEEP_GOOD_S : KEEP_BAD_S);
    args_add(&cmds[1], "HSET");
    args_add_key(&cmds[1], app->redis, KEY_BCSKU);
    args_addf(&cmds[1], "%lld:%lld", (long long)i->product_id,
              (long long)(i->state == IDENTITY_BY_PRODUCT ? 0 : i->variant_id));
    args_add(&cmds[1], sku);
    enum next next = redis_pipeline(app->redis, cmds, identity_usable(i) ? 2 : 1, true, replies, why);
    redis_pipeline_free(cmds, replies, 2);
    return next;
}

/* ---- the two look-ups ---- */

static enum next find_items(struct app *app, const char *const *skus, size_t n, struct identity *out,
                            struct reason *why) {
    struct buf path;
    struct answer answer;
    const cJSON *item = NULL;
    buf_init(&path, FILTER_MAX * 4);
    buf_add_str(&path, "/v3/inventory/items?limit=1000&sku:in=");
    for (size_t i = 0; i < n; i++) {
        buf_add_str(&path, i > 0 ? "," : "");
        buf_add_url(&path, skus[i]);
    }
    enum next next = bigcommerce_get(app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(item, json_array(answer.json, "data")) {
        const cJSON *identity = json_get(item, "identity");
        const char *sku = json_str(identity, "sku");
        for (size_t i = 0; sku != NULL && i < n; i++) {
            if (strcmp(sku, skus[i]) == 0) {
                (void)json_id(identity, "product_id", &out[i].product_id);
                (void)json_id(identity, "variant_id", &out[i].variant_id);
            }
        }
    }
    answer_free(&answer);
    return NEXT_DONE;
}

/* A SKU without an inventory item may still be in the catalog (its stock is not tracked then). */
static enum next find_in_catalog(struct app *app, const char *sku, struct identity *out, struct reason *why) {
    struct buf path;
    struct answer answer;
    buf_init(&path, FILTER_MAX);
    buf_add_str(&path, "/v3/catalog/variants?limit=10&sku=");
    buf_add_url(&path, sku);
    enum next next = bigcommerce_get(app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *variant = NULL;
    cJSON_ArrayForEach(variant, json_array(answer.json, "data")) {
        const char *found = json_str(variant, "sku");
        if (found != NULL && strcmp(found, sku) == 0) {
            (void)json_id(variant, "product_id", &out->product_id);
            (void)json_id(variant, "id", &out->variant_id);
        }
    }
    answer_free(&answer);
    return NEXT_DONE;
}

static void decide_from(const cJSON *products, struct identity *i) {
    const cJSON *product = NULL;
    int64_t id = 0, base = 0;
    const char *tracking = NULL;
    bool several = false;
    cJSON_ArrayForEach(product, json_array(products, "data")) {
        if (json_id(product, "id", &id) && id == i->product_id) {
            tracking = json_str(product, "inventory_tracking");
            several = !json_id(product, "base_variant_id", &base);
        }
    }
    i->state = identity_decide(i->product_id, i->variant_id, tracking, several);
}

/* Whether an earlier one is of the same product: variants of one product come together. */
static bool asked_already(const struct identity *out, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (out[k].product_id == out[i].product_id) {
            return true;
        }
    }
    return false;
}

static enum next find_tracking(struct app *app, struct identity *out, size_t n, struct reason *why) {
    struct buf path;
    struct answer answer = {0};
    size_t found = 0;
    buf_init(&path, FILTER_MAX);
    buf_add_str(&path, "/v3/catalog/products?limit=250&include_fields=inventory_tracking,base_variant_id&id:in=");
    for (size_t i = 0; i < n; i++) {
        if (out[i].product_id > 0 && !asked_already(out, i)) {
            buf_addf(&path, "%s%lld", found++ > 0 ? "," : "", (long long)out[i].product_id);
        }
    }
    enum next next = found > 0 ? bigcommerce_get(app, buf_str(&path), &answer, why) : NEXT_DONE;
    buf_free(&path);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        decide_from(answer.json, &out[i]);
    }
    answer_free(&answer);
    return next;
}

static enum next look_up(struct app *app, const char *const *skus, size_t n, struct identity *out, struct reason *why) {
    memset(out, 0, n * sizeof *out);
    enum next next = find_items(app, skus, n, out, why);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        if (out[i].product_id == 0) {
            next = find_in_catalog(app, skus[i], &out[i], why);
        }
    }
    if (next == NEXT_DONE) {
        next = find_tracking(app, out, n, why);
    }
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        next = remember(app, skus[i], &out[i], why);
    }
    return next;
}

enum next identity_resolve(struct app *app, const char *const *skus, size_t n, struct identity *out,
                           struct reason *why) {
    const char *missing[CHUNK] = {NULL};
    struct identity found[CHUNK];
    size_t where[CHUNK], count = 0, bytes = 0;
    if (n == 0) {
        return NEXT_DONE;
    }
    bool *known = xcalloc(n, sizeof *known);
    enum next next = identity_recall(app, skus, n, out, known, why);
    for (size_t i = 0; next == NEXT_DONE && i <= n; i++) {
        bool full = count == CHUNK || (count > 0 && (i == n || bytes + strlen(skus[i]) * 3 > FILTER_MAX));
        if (full) {
            next = look_up(app, missing, count, found, why);
            for (size_t k = 0; next == NEXT_DONE && k < count; k++) {
                out[where[k]] = found[k];
            }
            count = bytes = 0;
        }
        if (i < n && !known[i]) {
            missing[count] = skus[i];
            where[count++] = i;
            bytes += strlen(skus[i]) * 3 + 1;
        }
    }
    free(known);
    return next;
}

/* ---- cases ---- */

struct case_text {
    const char *cause, *text, *effect, *step;
};

static const struct case_text cases[] = {
    [IDENTITY_UNKNOWN_SKU] =
        {"unknown_sku", "SKU %s is sold in Sitoo, but BigCommerce has no product or variant with exactly this SKU",
         "The web shop does not offer it",
         "Create it in BigCommerce, mend the SKU, or: onepool parked --ignore unknown_sku:%s"},
    [IDENTITY_NOT_TRACKED] =
        {"stock_not_tracked", "SKU %s is in BigCommerce, but stock tracking is off for its product",
         "The web shop sells it without limit",
         "Switch on inventory tracking by variant, or: onepool parked --ignore stock_not_tracked:%s"},
    [IDENTITY_WRONG_TRACKING] =
        {"wrong_tracking",
         "SKU %s: BigCommerce tracks its product's stock the other way (by product or by variant), so this SKU has no "
         "stock of its own",
         "The web shop's number is not this SKU's",
         "Change the product's inventory tracking to variant level, or: onepool parked --ignore wrong_tracking:%s"},
};

/* template with its one %s replaced by the SKU, cut to size. */
static void fill(char *out, size_t size, const char *template, const char *sku) {
    const char *at = strstr(template, "%s");
    struct buf b;
    buf_init(&b, size * 2);
    buf_add(&b, template, (size_t)(at - template));
    buf_add_str(&b, sku);
    buf_add_str(&b, at + 2);
    (void)str_copy(out, size, buf_str(&b));
    buf_free(&b);
}

void identity_case(const struct app *app, const char *sku, const struct identity *i, enum identity_event event,
                   struct args *effects) {
    char text[REASON_TEXT_MAX], step[REASON_TEXT_MAX + SKU_BYTES_MAX], shown[SKU_SHOWN_SIZE];
    for (size_t k = IDENTITY_UNKNOWN_SKU; k < sizeof cases / sizeof cases[0]; k++) {
        if (k != (size_t)i->state) {
            effect_close(effects, cases[k].cause, sku);
        }
    }
    if (identity_usable(i)) {
        effect_identified(effects, sku);
        return;
    }
    const struct case_text *c = &cases[i->state];
    fill(text, sizeof text, c->text, sku_shown(sku, shown));
    fill(step, sizeof step, c->step, sku);
    const struct parked p = {.cause = c->cause,
                             .owner = app->set->mapping->owner_mapping,
                             .entity = sku,
                             .text = text,
                             .effect = c->effect,
                             .step = step,
                             .queue = QUEUE_SKU,
                             .job = sku};
    (event == IDENTITY_SOLD ? effect_case : effect_case_sold)(effects, &p);
}

/* ---- the other way round ---- */

static enum next sku_recall(struct app *app, int64_t product_id, int64_t variant_id, char **sku, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_BCSKU);
    args_addf(&a, "%lld:%lld", (long long)product_id, (long long)variant_id);
    args_addf(&a, "%lld:0", (long long)product_id);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        const char *found = reply_str_at(reply, 0) != NULL ? reply_str_at(reply, 0) : reply_str_at(reply, 1);
        *sku = found != NULL ? xstrdup(found) : NULL;
        freeReplyObject(reply);
    }
    return next;
}

enum next identity_sku(struct app *app, int64_t product_id, int64_t variant_id, char **sku, struct reason *why) {
    char path[128];
    struct answer answer;
    *sku = NULL;
    enum next next = sku_recall(app, product_id, variant_id, sku, why);
    if (next != NEXT_DONE || *sku != NULL) {
        return next;
    }
    (void)snprintf(path, sizeof path, "/v3/inventory/items?limit=10&%s=%lld",
                   variant_id > 0 ? "variant_id:in" : "product_id:in",
                   (long long)(variant_id > 0 ? variant_id : product_id));
    next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *first = cJSON_GetArrayItem(json_array(answer.json, "data"), 0);
    const char *found = json_str(json_get(first, "identity"), "sku");
    *sku = found != NULL && found[0] != '\0' ? xstrdup(found) : NULL;
    answer_free(&answer);
    return NEXT_DONE;
}
