/* SPDX-License-Identifier: Apache-2.0 */
#include "sale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "identity.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "queue.h"
#include "worker.h"
#include "ban.h"

#define SALES_PER_ROUND 100

static char *row_json(const struct order *o, const struct order_row *row) {
    char quantity[QUANTITY_TEXT_SIZE];
    cJSON *json = json_new_object();
    quantity_format(row->thousandths, quantity);
    json_add_str(json, "type", "sale");
    json_add_int(json, "order", o->id);
    json_add_int(json, "item", row->item_id);
    json_add_str(json, "sku", row->sku);
    json_add_str(json, "quantity", quantity);
    json_add_int(json, "warehouse", row->warehouse_id);
    json_add_int(json, "till_ms", o->date_ms);
    char *text = json_print(json);
    cJSON_Delete(json);
    return text;
}

static void op_of(const struct order *o, const struct order_row *row, char op[64]) {
    (void)snprintf(op, 64, "sale:%lld:%lld", (long long)o->id, (long long)row->item_id);
}

void sale_plan(const struct order *o, struct args *effects) {
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *row = &o->rows[i];
        char op[64], hint[32];
        if (row->thousandths <= 0) {
            continue;
        }
        char *json = row_json(o, row);
        op_of(o, row, op);
        effect_sale(effects, op, json);
        order_row_hint(row, ORDER_SOLD, hint);
        effect_mark(effects, QUEUE_SKU, row->sku, o->date_ms, hint, "");
        free(json);
    }
}

/* Which rows were recorded before: a replay of their order is no further sale. */
static enum next recall_rows(struct app *app, const struct order *o, bool *recorded, struct reason *why) {
    struct args *cmds = xcalloc(o->row_count + 1, sizeof *cmds);
    redisReply **replies = xcalloc(o->row_count + 1, sizeof(redisReply *));
    for (size_t i = 0; i < o->row_count; i++) {
        char op[64], name[80];
        op_of(o, &o->rows[i], op);
        (void)snprintf(name, sizeof name, KEY_OP, op);
        args_add(&cmds[i], "EXISTS");
        args_add_key(&cmds[i], app->redis, name);
    }
    enum next next = o->row_count > 0 ? redis_pipeline(app->redis, cmds, o->row_count, true, replies, why) : NEXT_DONE;
    for (size_t i = 0; i < o->row_count; i++) {
        recorded[i] = next == NEXT_DONE && reply_int(replies[i]) == 1;
    }
    redis_pipeline_free(cmds, replies, o->row_count);
    free(replies);
    free(cmds);
    return next;
}

/* Mapping cases of the rows, as far as is remembered; what is not is left to the writer, which looks up many SKUs in a
 * call and counts the sale then (hint s). */
static enum next plan_cases(struct app *app, const struct order *o, struct args *effects, struct reason *why) {
    const char **skus = xcalloc(o->row_count + 1, sizeof *skus);
    struct identity *found = xcalloc(o->row_count + 1, sizeof *found);
    bool *known = xcalloc(o->row_count + 1, sizeof *known), *recorded = xcalloc(o->row_count + 1, sizeof *recorded);
    for (size_t i = 0; i < o->row_count; i++) {
        skus[i] = o->rows[i].sku;
    }
    enum next next = recall_rows(app, o, recorded, why);
    if (next == NEXT_DONE && o->row_count > 0) {
        next = identity_recall(app, skus, o->row_count, found, known, why);
    }
    for (size_t i = 0; next == NEXT_DONE && i < o->row_count; i++) {
        if (!known[i]) {
            if (!recorded[i]) {
                effect_sold(effects, skus[i]);
            }
            effect_mark(effects, QUEUE_SKU, skus[i], 0, "s", "");
        } else if (!identity_usable(&found[i])) {
            identity_case(app, skus[i], &found[i], recorded[i] ? IDENTITY_RESOLVED : IDENTITY_SOLD, effects);
        }
    }
    free(recorded);
    free(known);
    free(found);
    free(skus);
    return next;
}

static void settle(struct app *app, const struct claim *c) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    size_t fenced = 0;
    enum next next = order_rows_read(c->data, &o, &why);
    if (next == NEXT_DONE) {
        sale_plan(o, &effects);
        next = plan_cases(app, o, &effects, &why);
        next = next == NEXT_DONE ? queue_complete(app->redis, QUEUE_SALE, c, 1, &effects, &fenced, &why) : next;
    }
    args_free(&effects);
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_SALE, c, 1, next, &why, app->set->mapping->owner_stock);
    } else {
        LOG(LOG_INFO, "sale recorded", {"outcome", fenced > 0 ? "fenced" : "settled"}, {"order", c->entity},
            {"rows", log_int((long long)o->row_count)});
    }
    order_free(o);
}

enum next sale_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    struct worker_hold hold;
    enum next next =
        queue_claim(app->redis, QUEUE_SALE, SALES_PER_ROUND, app->holder, app->set->mapping->owner_stock, &claims, why);
    if (next != NEXT_DONE || claims.n == 0) {
        *wait_ms = claims.wait_ms >= 0 ? claims.wait_ms : *wait_ms;
        claims_free(&claims);
        return next;
    }
    worker_hold_begin(&hold, app, QUEUE_SALE, &claims);
    for (size_t i = 0; i < claims.n; i++) {
        settle(app, &claims.list[i]);
        (void)app_keep(app);
    }
    worker_hold_end(&hold);
    claims_free(&claims);
    *wait_ms = 0;
    return NEXT_DONE;
}

/* ---- invoke ---- */

/* A payload with orderitems is an order of Sitoo; anything else must be rows handed on. Only a sale is taken further.
 */
static enum next read_payload(struct app *app, const char *payload, size_t len, struct order **o, bool *sold,
                              struct reason *why) {
    char error[120], line[80];
    cJSON *json = json_read(payload, len, error, sizeof error);
    const char *prefix = app->set->mapping != NULL ? app->set->mapping->sitoo_order_prefix : "BC-";
    if (json == NULL) {
        return reason_set(why, NEXT_PARK, "payload", "the payload is not JSON: %s", error);
    }
    bool whole = json_get(json, "orderitems") != NULL;
    enum next next = whole ? order_read(json, prefix, o, why) : order_rows_read(payload, o, why);
    cJSON_Delete(json);
    if (next == NEXT_DONE) {
        *sold = order_kind(*o) == ORDER_SOLD;
        if (!*sold) {
            (void)snprintf(line, sizeof line, "{\"kind\":\"%s\",\"act\":\"not handed on to sale\"}",
                           order_kind_name(order_kind(*o)));
            app->trace("plan", line);
        }
    }
    return next;
}

static void print_plan(struct app *app, const struct order *o) {
    for (size_t i = 0; i < o->row_count; i++) {
        if (o->rows[i].thousandths > 0) {
            char *json = row_json(o, &o->rows[i]);
            app->trace("plan", json);
            free(json);
        }
    }
}

/* Looks the SKUs up for real, so that the calls are shown. */
static enum next show_items(struct app *app, const struct order *o, struct args *effects, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < o->row_count; i++) {
        const char *sku = o->rows[i].sku;
        struct identity found = {0};
        next = identity_resolve(app, &sku, 1, &found, why);
        if (next == NEXT_DONE && !identity_usable(&found)) {
            identity_case(app, sku, &found, IDENTITY_SOLD, effects);
        }
    }
    return next;
}

int sale_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    bool sold = false;
    enum next next = read_payload(app, payload, len, &o, &sold, &why);
    if (next == NEXT_DONE && sold) {
        print_plan(app, o);
        if (!dry_run) {
            sale_plan(o, &effects);
            next = show_items(app, o, &effects, &why);
            next = next == NEXT_DONE ? effects_apply(app->redis, &effects, &why) : next;
            app->trace("outcome", next == NEXT_DONE ? "{\"settled\":true}" : "{\"settled\":false}");
        }
    }
    if (next != NEXT_DONE) {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    args_free(&effects);
    order_free(o);
    return next == NEXT_DONE ? 0 : 1;
}
