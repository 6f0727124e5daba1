/* SPDX-License-Identifier: Apache-2.0 */
#include "write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "gate.h"
#include "golive.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "rows.h"
#include "sku.h"
#include "writer.h"
#include "ban.h"

#define ADJUST_PATH   "/v3/inventory/adjustments/absolute"
#define REASON        "onepool: stock of the shops"
#define REFUSALS_MAX  64 /* calls that one round spends on finding bad items */
#define BRAKE_WAIT_MS INT64_C(60000)

/* One round of writing. */
struct round {
    struct app *app;
    struct facts *facts;
    const char *lease_token;
    struct args effects; /* cases */
    int refusals;
};

char *write_body(const struct level_item *items, size_t n) {
    cJSON *body = json_new_object();
    json_add_str(body, "reason", REASON);
    cJSON *list = json_add_array(body, "items");
    for (size_t i = 0; i < n; i++) {
        const struct identity *id = &items[i].fact->item;
        cJSON *item = json_new_object();
        json_add_int(item, "location_id", items[i].location_id);
        if (id->state == IDENTITY_BY_VARIANT) {
            json_add_int(item, "variant_id", id->variant_id);
        } else {
            json_add_int(item, "product_id", id->product_id);
        }
        json_add_int(item, "quantity", items[i].level);
        (void)cJSON_AddItemToArray(list, item);
    }
    char *text = json_print(body);
    cJSON_Delete(body);
    return text;
}

static void item_field(const struct level_item *item, char out[KEY_MAX]) {
    (void)snprintf(out, KEY_MAX, "%lld|%s", (long long)item->location_id, item->fact->sku);
}

char *write_intent(const struct level_item *items, size_t n, const char *body) {
    char field[KEY_MAX], digest[17];
    cJSON *json = json_new_object();
    gate_digest(body, digest);
    json_add_str(json, "digest", digest);
    json_add_int(json, "at_ms", clock_wall_ms());
    cJSON *list = json_add_object(json, "levels");
    for (size_t i = 0; i < n; i++) {
        item_field(&items[i], field);
        json_add_int(list, field, items[i].level);
    }
    char *text = json_print(json);
    cJSON_Delete(json);
    return text;
}

/* ---- recording ---- */

/* Stores the levels, with the effects (ledger rows; may be NULL) in the same step. */
static enum next put_levels(struct app *app, char state, int64_t not_before_ms, const struct level_item *items,
                            size_t n, const struct args *effects, struct reason *why) {
    struct args a = {0};
    char field[KEY_MAX];
    redisReply *reply = NULL;
    args_add(&a, app->mode == MODE_LIVE ? "live" : "shadow");
    args_add_bytes(&a, &state, 1);
    args_add_int(&a, app->set->mapping->confirm_delay_ms);
    args_add_int(&a, not_before_ms);
    args_add_int(&a, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        item_field(&items[i], field);
        args_add(&a, field);
        args_add_int(&a, items[i].level);
        args_add_int(&a, items[i].till_ms);
    }
    if (effects != NULL) {
        args_append(&a, effects);
    }
    enum next next = redis_fcall(app->redis, "levels_put", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static void set_next(const struct level_item *items, size_t n, enum next next) {
    for (size_t i = 0; i < n; i++) {
        items[i].fact->next = next;
    }
}

static void case_refused(struct round *r, const struct level_item *item, const struct reason *why) {
    char text[REASON_TEXT_MAX + SKU_SHOWN_SIZE + 80], shown[SKU_SHOWN_SIZE];
    (void)snprintf(text, sizeof text, "BigCommerce refuses the level of SKU %s at location %lld: %s",
                   sku_shown(item->fact->sku, shown), (long long)item->location_id, why->text);
    const struct parked p = {
        .cause = "level_refused",
        .owner = r->app->set->mapping->owner_mapping,
        .entity = item->fact->sku,
        .text = text,
        .effect = "The web shop keeps the number it had",
        .step =
            "Mend the product or location in BigCommerce, then: onepool parked --retry with the case's id; the case "
            "ends by itself when a later level is seen there",
        .queue = QUEUE_SKU,
        .job = item->fact->sku};
    effect_refused(&r->effects, item->location_id, &p);
}

/* What was remembered of the item may be what was refused. */
static void forget_identity(struct app *app, const char *sku) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    char name[KEY_MAX];
    (void)snprintf(name, sizeof name, KEY_SKU, sku);
    args_add(&a, "DEL");
    args_add_key(&a, app->redis, name);
    if (redis_command(app->redis, &a, true, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
}

/* ---- sending ---- */

static void weigh(const struct level_item *items, size_t n, struct gate_write *w) {
    for (size_t i = 0; i < n; i++) {
        if (items[i].allowed) {
            continue;
        }
        int64_t d = items[i].level - items[i].was;
        w->units_moved += d < 0 ? -d : d;
        w->zeroed += items[i].was > 0 && items[i].level == 0 ? 1 : 0;
    }
}

static void hold_by_brake(struct round *r, struct reason *why) {
    const struct parked p = {.cause = "brake",
                             .owner = r->app->set->mapping->owner_stock,
                             .entity = "levels",
                             .text = why->text,
                             .effect = "The web shop keeps the numbers it had until somebody decides",
                             .step = "Look at the ledger; if the change is right: onepool brake --release",
                             .queue = "",
                             .job = ""};
    effect_notice(&r->effects, &p);
    why->wait_ms = BRAKE_WAIT_MS;
    why->not_its_fault = true;
    LOG(LOG_ALARM, "brake: levels are held", {"outcome", "held"}, {"why", why->text});
}

static enum next send_items(struct round *r, struct level_item *items, size_t n, struct reason *why);

static enum next after_refusal(struct round *r, struct level_item *items, size_t n, struct reason *why) {
    if (++r->refusals > REFUSALS_MAX) {
        why->not_its_fault = true;
        return NEXT_DEFER;
    }
    if (n == 1) {
        case_refused(r, items, why);
        rows_refused(items, &r->effects);
        forget_identity(r->app, items->fact->sku);
        items->fact->settled = true;
        LOG(LOG_WARN, "level refused", {"outcome", "parked"}, {"sku", items->fact->sku},
            {"location", log_int(items->location_id)}, {"why", why->text});
        return NEXT_DONE;
    }
    LOG(LOG_INFO, "refused batch is split", {"items", log_int((long long)n)}, {"why", why->text});
    enum next next = send_items(r, items, n / 2, why);
    return next == NEXT_DONE ? send_items(r, items + n / 2, n - n / 2, why) : next;
}

static enum next after_success(struct round *r, struct level_item *items, size_t n, const struct gate_outcome *out,
                               struct reason *why) {
    struct args rows = {0};
    rows_levels(r->app->mode == MODE_LIVE ? "level" : "shadow_level", r->facts, items, n, out->intent_id, &rows);
    enum next next = put_levels(r->app, 'w', 0, items, n, &rows, why);
    args_free(&rows);
    if (next != NEXT_DONE) {
        r->app->unclosed++;
        return next; /* the intent stays open, so these levels are written again */
    }
    gate_close(r->app, out);
    LOG(LOG_INFO, out->shadowed ? "levels that shadow mode did not send" : "levels written",
        {"outcome", out->shadowed ? "shadowed" : "written"}, {"items", log_int((long long)n)},
        {"first", items->fact->sku}, {"level", log_int(items->level)}, {"was", log_int(items->was)});
    return NEXT_DONE;
}

/* The answer was lost: it may land at any time within the time-out, and then become visible late. */
static void after_ambiguous(struct round *r, struct level_item *items, size_t n, const struct gate_outcome *out) {
    struct reason why = {0};
    struct args rows = {0};
    int64_t not_before = PLATFORM_TIMEOUT_MS + 2 * r->app->set->mapping->confirm_delay_ms;
    rows_levels("unsure_level", r->facts, items, n, out->intent_id, &rows);
    if (put_levels(r->app, 'u', not_before, items, n, &rows, &why) == NEXT_DONE) {
        gate_close(r->app, out);
    } else {
        r->app->unclosed++;
    }
    args_free(&rows);
}

static enum next send_items(struct round *r, struct level_item *items, size_t n, struct reason *why) {
    struct gate_outcome out;
    char *body = write_body(items, n), *intent = write_intent(items, n, body);
    struct gate_write w = {.kind = "levels",
                           .method = "PUT",
                           .path = ADJUST_PATH,
                           .body = body,
                           .intent = intent,
                           .lease = WRITER_LEASE,
                           .lease_token = r->lease_token};
    weigh(items, n, &w);
    enum next next = gate_send(r->app, &w, &out, why);
    for (size_t i = 0; i < n && out.released; i++) {
        items[i].allowed = true; /* also in the parts of a batch that BigCommerce refuses as a whole */
    }
    if (next == NEXT_DONE) {
        next = after_success(r, items, n, &out, why);
    } else if (why->ambiguous) {
        after_ambiguous(r, items, n, &out);
    } else {
        gate_close(r->app, &out);
    }
    if (next == NEXT_PARK && strcmp(why->cause, "brake") == 0) {
        hold_by_brake(r, why);
        next = NEXT_DEFER;
    } else if (next == NEXT_PARK || next == NEXT_BUG) {
        next = after_refusal(r, items, n, why);
    }
    if (next != NEXT_DONE) {
        set_next(items, n, next);
    }
    answer_free(&out.answer);
    free(intent);
    free(body);
    return next;
}

/* ---- planning ---- */

static int64_t level_at(const struct facts *f, const struct fact *fact, const struct mapping_location *l) {
    const struct stock *stock[MAPPING_WAREHOUSES_MAX];
    for (size_t i = 0; i < l->warehouse_count; i++) {
        stock[i] = &fact->stock[mapping_warehouse_index(f->mapping, l->warehouse_ids[i])];
    }
    return level_compute(stock, l->warehouse_count, l->serves_shipping ? fact->unallocated : 0);
}

/* Levels of which nothing is known yet are read, so that the difference is known before anything is written. */
static enum next learn_levels(struct app *app, struct facts *f, struct reason *why) {
    size_t l = f->mapping->location_count, n = 0;
    struct level_query *q = xcalloc(f->n * l + 1, sizeof *q);
    struct level_stored **where = xcalloc(f->n * l + 1, sizeof *where);
    struct level_item *known = xcalloc(f->n * l + 1, sizeof *known);
    for (size_t i = 0; i < f->n; i++) {
        for (size_t k = 0; !f->list[i].settled && k < l; k++) {
            if (!f->list[i].stored[k].known) {
                where[n] = &f->list[i].stored[k];
                known[n] =
                    (struct level_item){.fact = &f->list[i], .location_id = f->mapping->locations[k].location_id};
                q[n++] =
                    (struct level_query){.location_id = f->mapping->locations[k].location_id, .item = &f->list[i].item};
            }
        }
    }
    enum next next = n > 0 ? levels_query(app, q, n, why) : NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        /* No row: the level is null and shown as 0; writing 0 would change nothing. */
        *where[i] =
            (struct level_stored){.known = true, .state = 'k', .level = q[i].found && q[i].level > 0 ? q[i].level : 0};
        known[i].level = where[i]->level;
        if (q[i].found && q[i].level < 0) {
            where[i]->known = false; /* below zero: write in any case */
        }
    }
    if (next == NEXT_DONE && n > 0) {
        next = put_levels(app, 'k', 0, known, n, NULL, why);
    }
    free(known);
    free(where);
    free(q);
    return next;
}

int64_t write_level_at(const struct facts *f, const struct fact *fact, size_t location) {
    return level_at(f, fact, &f->mapping->locations[location]);
}

static size_t plan_items(const struct facts *f, struct level_item *items) {
    size_t n = 0;
    for (size_t k = 0; k < f->mapping->location_count; k++) {
        const struct mapping_location *l = &f->mapping->locations[k];
        for (size_t i = 0; i < f->n; i++) {
            struct fact *fact = &f->list[i];
            if (fact->settled) {
                continue;
            }
            int64_t level = level_at(f, fact, l);
            if (level_must_write(&fact->stored[k], level, fact->force)) {
                items[n++] = (struct level_item){.fact = fact,
                                                 .location_id = l->location_id,
                                                 .level = level,
                                                 .was = fact->stored[k].level,
                                                 .till_ms = fact->claim->till_ms};
            }
        }
    }
    return n;
}

bool write_needed(const struct facts *f) {
    struct level_item *items = xcalloc(f->n * f->mapping->location_count + 1, sizeof *items);
    bool needed = plan_items(f, items) > 0;
    free(items);
    return needed;
}

/* BigCommerce moved stock by itself for these: read them back after the confirm delay, written or not. */
static enum next plan_checks(struct app *app, const struct facts *f, struct reason *why) {
    struct args a = {0}, fields = {0};
    redisReply *reply = NULL;
    int64_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        for (size_t k = 0; f->list[i].check && !f->list[i].settled && k < f->mapping->location_count; k++) {
            args_addf(&fields, "%lld|%s", (long long)f->mapping->locations[k].location_id, f->list[i].sku);
            n++;
        }
    }
    args_add_int(&a, n);
    args_append(&a, &fields);
    args_add_int(&a, app->set->mapping->confirm_delay_ms);
    args_add_int(&a, LEVELS_AGAIN * app->set->mapping->confirm_timeout_ms);
    enum next next =
        n > 0 && app->mode == MODE_LIVE ? redis_fcall(app->redis, "levels_check", &a, true, &reply, why) : NEXT_DONE;
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    args_free(&fields);
    args_free(&a);
    return next;
}

enum next write_levels(struct app *app, struct facts *f, const char *lease_token, struct reason *why) {
    struct round r = {.app = app, .facts = f, .lease_token = lease_token};
    struct reason ignored = {0};
    enum next next = learn_levels(app, f, why);
    if (next != NEXT_DONE) {
        return next;
    }
    struct level_item *items = xcalloc(f->n * f->mapping->location_count + 1, sizeof *items);
    size_t n = plan_items(f, items);
    rows_unchanged(f, &r.effects);
    next = app->mode == MODE_LIVE ? golive_allow(app, items, n, why) : NEXT_DONE;
    for (size_t i = 0; i < f->n; i++) {
        f->list[i].next = NEXT_DONE;
    }
    for (size_t at = 0; at < n; at += WRITE_ITEMS_MAX) {
        size_t part = n - at < WRITE_ITEMS_MAX ? n - at : WRITE_ITEMS_MAX;
        if (next == NEXT_DONE) {
            next = send_items(&r, items + at, part, why);
        } else {
            set_next(items + at, part, next);
        }
    }
    enum next checks = plan_checks(app, f, &ignored);
    enum next recorded = effects_apply(app->redis, &r.effects, &ignored);
    if (next == NEXT_DONE && (checks != NEXT_DONE || recorded != NEXT_DONE)) {
        *why = ignored;
        next = checks != NEXT_DONE ? checks : recorded;
    }
    for (size_t i = 0; recorded != NEXT_DONE && i < f->n; i++) { /* what the ledger was not told comes again */
        f->list[i].settled = false;
        f->list[i].next = f->list[i].next == NEXT_DONE ? recorded : f->list[i].next;
    }
    args_free(&r.effects);
    free(items);
    return next;
}
