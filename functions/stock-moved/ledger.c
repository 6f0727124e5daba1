/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "json.h"
#include "keys.h"
#include "ledger_page.h"
#include "log.h"
#include "platform.h"
#include "quantity.h"
#include "queue.h"
#include "sku.h"
#include "ban.h"

#define FIELDS \
    "warehousetransactionid,warehouseid,datecreated,transactiontype,orderdeliveryid,externalid,reasoncode,items"
#define DATE_S_MAX   INT64_C(100000000000)
#define HOLE_IDS_MAX ((size_t)100)
#define PAGES_MAX    1000

enum chain_verdict chain_check(const struct chain *last, int64_t id, int64_t delta, int64_t total) {
    if (!last->known) {
        return CHAIN_FIRST;
    }
    if (id < last->id) {
        return CHAIN_LATE;
    }
    if (id == last->id && total == last->total) {
        return CHAIN_FITS; /* the same item again: a crash came between it and "seen" */
    }
    return last->total + delta == total ? CHAIN_FITS : CHAIN_HOLE;
}

void chain_read(const char *text, struct chain *c) {
    int64_t numbers[3] = {0};
    memset(c, 0, sizeof *c);
    if (ints_parse(text, numbers, 3)) {
        *c = (struct chain){.known = true, .id = numbers[0], .total = numbers[1], .seen_ms = numbers[2]};
    }
}

/* What one page (or one fetch by id) brings together before it is stored. */
struct page {
    int64_t from, to; /* ids that were asked for */
    int64_t size;     /* rows that were asked for; a page of as many may go on */
    int64_t asked_ms; /* when the page was asked for */
    bool fits;        /* the item just taken follows from the row before it */
    struct ledger_page brought;
    int64_t last_id; /* highest id of the page, new or not */
    size_t rows, fresh;
    int64_t holes[HOLE_IDS_MAX]; /* ids that may fill a hole */
    size_t hole_count;
};

/* ---- Redis ---- */

static enum next one_command(struct app *app, struct args *a, redisReply **reply, struct reason *why) {
    redisReply *ignored = NULL;
    enum next next = redis_command(app->redis, a, true, reply != NULL ? reply : &ignored, why);
    args_free(a);
    if (next == NEXT_DONE && reply == NULL) {
        freeReplyObject(ignored);
    }
    return next;
}

/* Stored as seen, or taken with this page. */
static enum next seen_before(struct app *app, const struct page *p, int64_t id, bool *seen, struct reason *why) {
    *seen = ledger_page_has(&p->brought, id);
    if (*seen) {
        return NEXT_DONE;
    }
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "ZSCORE");
    args_add_key(&a, app->redis, KEY_SEEN);
    args_add_int(&a, id);
    enum next next = one_command(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        *seen = reply->type != REDIS_REPLY_NIL;
        freeReplyObject(reply);
    }
    return next;
}

/* ---- one row ---- */

static void plan_case(const struct app *app, int64_t warehouse, const char *sku, const struct chain *last, int64_t id,
                      int64_t total, struct args *effects) {
    char entity[KEY_MAX], text[REASON_TEXT_MAX], shown[SKU_SHOWN_SIZE];
    char before[QUANTITY_TEXT_SIZE], after[QUANTITY_TEXT_SIZE];
    quantity_format(last->total, before);
    quantity_format(total, after);
    (void)snprintf(entity, sizeof entity, "%lld|%s", (long long)warehouse, sku);
    (void)snprintf(text, sizeof text,
                   "Sitoo's ledger of SKU %s in warehouse %lld goes from %s (row %lld) to %s (row %lld) by more than "
                   "that row moves; a row between is missing",
                   sku_shown(sku, shown), (long long)warehouse, before, (long long)last->id, after, (long long)id);
    const struct parked p = {.cause = "ledger_gap",
                             .owner = app->set->mapping->owner_stock,
                             .entity = entity,
                             .text = text,
                             .effect = "None on the web shop: the stock itself was read again",
                             .step = "Compare the SKU's history in Sitoo; then run: onepool parked --close",
                             .queue = QUEUE_SKU,
                             .job = sku};
    effect_notice(effects, &p);
}

/* Ids between two rows that nobody has seen yet. */
static enum next plan_hole(struct app *app, struct page *p, const struct chain *last, int64_t id, struct reason *why) {
    enum next next = NEXT_DONE;
    for (int64_t i = last->id + 1; next == NEXT_DONE && i < id && p->hole_count < HOLE_IDS_MAX; i++) {
        bool seen = false;
        next = seen_before(app, p, i, &seen, why);
        if (!seen) {
            p->holes[p->hole_count++] = i;
        }
    }
    return next;
}

static enum next check_chain(struct app *app, struct page *p, int64_t warehouse, const char *sku, int64_t id,
                             int64_t delta, int64_t total, struct reason *why) {
    struct chain last;
    char entity[KEY_MAX];
    enum next next = ledger_page_chain(app, &p->brought, warehouse, sku, &last, why);
    if (next != NEXT_DONE) {
        return next;
    }
    enum chain_verdict verdict = chain_check(&last, id, delta, total);
    p->fits = verdict == CHAIN_FIRST || verdict == CHAIN_FITS;
    switch (verdict) {
    case CHAIN_LATE:
        (void)snprintf(entity, sizeof entity, "%lld|%s", (long long)warehouse, sku);
        effect_close(&p->brought.effects, "ledger_gap", entity);
        return NEXT_DONE;
    case CHAIN_HOLE:
        LOG(LOG_WARN, "ledger jumps", {"sku", sku}, {"warehouse", log_int(warehouse)}, {"row", log_int(id)},
            {"last", log_int(last.id)});
        plan_case(app, warehouse, sku, &last, id, total, &p->brought.effects);
        next = plan_hole(app, p, &last, id, why);
        break;
    case CHAIN_FIRST:
    case CHAIN_FITS:
        break;
    }
    if (next == NEXT_DONE) {
        ledger_page_set_chain(&p->brought, warehouse, sku, id, total, p->asked_ms);
    }
    return next;
}

/* The word of the mark. The level after the row is known, so the warehouse need not be read, unless the row does not
 * follow from the one before it. */
static void row_hint(char out[32], int64_t warehouse, bool read) {
    (void)snprintf(out, 32, "%s%lld", read ? "w" : "v", (long long)warehouse);
}

static void plan_record(struct page *p, const cJSON *row, int index, int64_t id, int64_t warehouse, const char *sku,
                        int64_t delta, int64_t total) {
    char op[80], quantity[QUANTITY_TEXT_SIZE];
    int64_t type = 0, created_s = 0;
    (void)json_int(row, "transactiontype", &type);
    (void)json_int(row, "datecreated", &created_s);
    cJSON *json = json_new_object();
    json_add_str(json, "type", "movement");
    json_add_int(json, "row", id);
    json_add_int(json, "kind", type);
    json_add_int(json, "warehouse", warehouse);
    json_add_str(json, "sku", sku);
    quantity_format(delta, quantity);
    json_add_str(json, "quantity", quantity);
    quantity_format(total, quantity);
    json_add_str(json, "on_hand", quantity);
    json_add_int(json, "created_s", created_s);
    char *text = json_print(json);
    (void)snprintf(op, sizeof op, "move:%lld:%d", (long long)id, index); /* a row may name a SKU twice */
    effect_log(&p->brought.effects, op, text);
    free(text);
    cJSON_Delete(json);
}

static enum next take_item(struct app *app, struct page *p, const cJSON *row, const cJSON *item, int index, int64_t id,
                           int64_t warehouse, struct reason *why) {
    const char *sku = json_str(item, "sku"), *quantity = json_str(item, "decimalquantity"),
               *after = json_str(item, "decimaltotal");
    int64_t delta = 0, total = 0, created_s = 0;
    char hint[32];
    if (sku == NULL || !sku_fits(sku)) { /* too long for the web shop: its order's case says so */
        return NEXT_DONE;
    }
    if (quantity == NULL || after == NULL || !quantity_parse(quantity, &delta) || !quantity_parse(after, &total)) {
        row_hint(hint, warehouse, true);
        effect_mark(&p->brought.effects, QUEUE_SKU, sku, 0, hint, "");
        LOG(LOG_WARN, "ledger row without readable quantities; its SKU is read all the same", {"row", log_int(id)},
            {"sku", sku});
        return NEXT_DONE;
    }
    plan_record(p, row, index, id, warehouse, sku, delta, total);
    ledger_plan_withheld(row, index, sku, delta, app->set->mapping->owner_stock, &p->brought.effects);
    enum next next = check_chain(app, p, warehouse, sku, id, delta, total, why);
    row_hint(hint, warehouse, !p->fits || !app->set->mapping->sitoo_ledger_levels);
    bool lowers = delta < 0 && json_int(row, "datecreated", &created_s) && created_s > 0 && created_s < DATE_S_MAX;
    effect_mark(&p->brought.effects, QUEUE_SKU, sku, lowers ? created_s * 1000 : 0, hint, "");
    return next;
}

static enum next take_row(struct app *app, struct page *p, const cJSON *row, struct reason *why) {
    int64_t id = 0, warehouse = 0;
    const cJSON *item = NULL;
    bool seen = false;
    int index = 0;
    (void)json_int(row, "warehousetransactionid", &id); /* page_as_asked has looked at both */
    (void)json_int(row, "warehouseid", &warehouse);
    p->rows++;
    p->last_id = id > p->last_id ? id : p->last_id;
    enum next next = seen_before(app, p, id, &seen, why);
    if (next != NEXT_DONE || seen) {
        return next;
    }
    p->fresh++;
    cJSON_ArrayForEach(item, json_array(row, "items")) {
        next = next == NEXT_DONE ? take_item(app, p, row, item, index++, id, warehouse, why) : next;
    }
    if (next == NEXT_DONE) {
        args_add_int(&p->brought.seen, id);
    }
    return next;
}

/* Sitoo ignores a filter that it does not know, and answers 200. Rows of history must not count as news, and a full
 * page in another order would hide what lies between. */
static enum next page_as_asked(const struct page *p, const cJSON *items, struct reason *why) {
    const cJSON *row = NULL;
    int64_t last = 0;
    bool sorted = true;
    cJSON_ArrayForEach(row, items) {
        int64_t id = 0, warehouse = 0;
        if (!json_int(row, "warehousetransactionid", &id) || id <= 0 || !json_int(row, "warehouseid", &warehouse)) {
            return reason_set(why, NEXT_DEFER, "bad_ledger",
                              "a row of Sitoo's ledger has no warehousetransactionid or warehouseid");
        }
        if (id < p->from || id > p->to) {
            why->not_its_fault = true;
            return reason_set(
                why, NEXT_DEFER, "bad_ledger",
                "Sitoo's ledger was asked for rows from %lld on and gave row %lld: the filter was ignored",
                (long long)p->from, (long long)id);
        }
        sorted = sorted && id > last;
        last = id;
    }
    if (!sorted && cJSON_GetArraySize(items) >= p->size) {
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "bad_ledger",
                          "Sitoo's ledger gave a full page that is not sorted by warehousetransactionid");
    }
    return NEXT_DONE;
}

static enum next fetch(struct app *app, const char *path, struct page *p, struct reason *why) {
    const char *paths[] = {path};
    struct answer answer;
    const cJSON *row = NULL;
    p->asked_ms = clock_wall_ms();
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (json_array(answer.json, "items") == NULL) {
        next = reason_set(why, NEXT_DEFER, "bad_ledger", "Sitoo's ledger is not a list (status %d)", answer.status);
    }
    next = next == NEXT_DONE ? page_as_asked(p, json_array(answer.json, "items"), why) : next;
    cJSON_ArrayForEach(row, json_array(answer.json, "items")) {
        next = next == NEXT_DONE ? take_row(app, p, row, why) : next;
    }
    answer_free(&answer);
    return next;
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Takes the rows of the page's holes, as far as there are any, into its own. */
static enum next fill_holes(struct app *app, struct page *of, struct reason *why) {
    struct page p = {.size = HOLE_IDS_MAX + 1};
    struct buf path;
    if (of->hole_count == 0) {
        return NEXT_DONE;
    }
    p.from = of->holes[0];
    p.to = p.from;
    for (size_t i = 1; i < of->hole_count; i++) {
        p.from = of->holes[i] < p.from ? of->holes[i] : p.from;
        p.to = later(of->holes[i], p.to);
    }
    buf_init(&path, 8000);
    buf_addf(&path,
             "/sites/%lld/warehousetransactions.json?num=%zu&sort=warehousetransactionid&fields=" FIELDS
             "&warehousetransactionid=",
             (long long)app->set->sitoo_site_id, of->hole_count);
    for (size_t i = 0; i < of->hole_count; i++) {
        buf_addf(&path, "%s%lld", i > 0 ? "," : "", (long long)of->holes[i]);
    }
    p.brought = of->brought;
    enum next next = fetch(app, buf_str(&path), &p, why);
    of->brought = p.brought;
    LOG(LOG_WARN, "ledger hole looked up by id", {"ids", log_int((long long)of->hole_count)},
        {"found", log_int((long long)p.fresh)});
    buf_free(&path);
    return next;
}

/* Rows that fill a hole are stored together with the row that told of it: after a crash both are found again. If they
 * cannot be had, the page is stored all the same: its case names the hole. cursor: what is stored now. */
static enum next read_page(struct app *app, const char *path, struct page *p, int64_t cursor, struct reason *why) {
    enum next next = fetch(app, path, p, why);
    if (next != NEXT_DONE) {
        return next;
    }
    enum next filled = fill_holes(app, p, why);
    fault_point(app, "ledger.read");
    struct reason unstored = {0};
    next = ledger_page_store(app, &p->brought, p->last_id > cursor ? p->last_id : 0, &unstored);
    fault_point(app, "ledger.stored");
    if (next != NEXT_DONE) {
        *why = unstored;
    }
    return next != NEXT_DONE ? next : filled;
}

/* ---- cursor ---- */

/* Where we are, and where we began: what lies before the beginning is in the numbers already and is never read again.
 */
struct cursor {
    bool known;
    int64_t id, begin;
};

static enum next cursor_get(struct app *app, struct cursor *c, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "ledger");
    args_add(&a, "begin");
    enum next next = one_command(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        c->known = int_parse(reply_str_at(reply, 0), 0, JSON_INT_MAX, &c->id);
        if (!int_parse(reply_str_at(reply, 1), 0, JSON_INT_MAX, &c->begin)) {
            c->begin = 0;
        }
        freeReplyObject(reply);
    }
    return next;
}

/* A site that the account does not have answers with nothing, and 200 (sitoo.md 1): an empty ledger is believed only
 * if the site is there. */
static enum next site_is_there(struct app *app, struct reason *why) {
    const char *paths[] = {"/sites.json?num=1000"};
    struct answer answer;
    const cJSON *site = NULL;
    int64_t id = 0;
    bool found = false;
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(site, json_array(answer.json, "items")) {
        found = found || (json_id(site, "eshopid", &id) && id == app->set->sitoo_site_id);
    }
    answer_free(&answer);
    if (!found) {
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "wrong_site",
                          "Sitoo's ledger is empty and no site of the account has eshopid %lld: set SITOO_SITE_ID to "
                          "an eshopid of GET /sites.json (see: onepool check)",
                          (long long)app->set->sitoo_site_id);
    }
    return NEXT_DONE;
}

/* First start: the newest row is where we begin; what lies before it is in the numbers already. */
static enum next cursor_begin(struct app *app, struct reason *why) {
    char path[160];
    const char *paths[] = {path};
    struct answer answer;
    struct args a = {0};
    int64_t id = 0;
    (void)snprintf(
        path, sizeof path,
        "/sites/%lld/warehousetransactions.json?num=1&sort=-warehousetransactionid&fields=warehousetransactionid",
        (long long)app->set->sitoo_site_id);
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    if (items == NULL ||
        (cJSON_GetArraySize(items) > 0 && !json_int(cJSON_GetArrayItem(items, 0), "warehousetransactionid", &id))) {
        next = reason_set(why, NEXT_DEFER, "bad_ledger", "Sitoo's ledger is not a list (status %d)", answer.status);
    }
    answer_free(&answer);
    if (next == NEXT_DONE && id == 0) {
        next = site_is_there(app, why);
    }
    if (next != NEXT_DONE) {
        return next;
    }
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "begin");
    args_add_int(&a, id);
    args_add(&a, "ledger");
    args_add_int(&a, id);
    return one_command(app, &a, NULL, why);
}

enum next ledger_read(struct app *app, struct reason *why) {
    struct cursor c = {0};
    int64_t size = app->set->mapping->sitoo_page_size;
    enum next next = cursor_get(app, &c, why);
    if (next == NEXT_DONE && !c.known) {
        return cursor_begin(app, why);
    }
    int64_t from = later(c.id + 1 - app->set->mapping->sitoo_cursor_overlap, c.begin + 1);
    for (int i = 0; next == NEXT_DONE && i < PAGES_MAX; i++) {
        struct page p = {.last_id = c.id, .from = from, .to = JSON_INT_MAX, .size = size};
        char path[256];
        (void)snprintf(path, sizeof path,
                       "/sites/%lld/warehousetransactions.json?warehousetransactionidfrom=%lld"
                       "&sort=warehousetransactionid&num=%lld&fields=" FIELDS,
                       (long long)app->set->sitoo_site_id, (long long)from, (long long)size);
        next = read_page(app, path, &p, c.id, why);
        c.id = later(p.last_id, c.id);
        bool full = (int64_t)p.rows >= size;
        from = c.id + 1;
        ledger_page_free(&p.brought);
        if (!full || !app_keep(app)) {
            break;
        }
    }
    return next;
}
