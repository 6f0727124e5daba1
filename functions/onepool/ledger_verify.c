/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool ledger verify: reads the whole ledger once, in pages. While it reads, the store goes on: what it ends with is
 * the state of the moment at which it reached the end.
 *
 * Movements without a level at the end are of SKUs that are due: they wait. So first Redis is asked which are due, then
 * what was written since is read: one that was not due any more has its entry there, since that is written before.
 */
#include "ledger_verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "text.h"
#include "ban.h"

#define DAY_MS     INT64_C(86400000)
#define FETCH_IDS  100
#define FETCH_MOST 1000 /* ids of one hole */
#define FILE_TAIL_MS                                                                                \
    INT64_C(600000) /* a level is computed within seconds; while a platform is down it waits longer \
                     */
#define PAGE_MAX ((size_t)1024 * 1024)

/* ---- rows ---- */

static void count_type(struct ledger_verify *v, const char *type) {
    for (size_t i = 0; i < v->type_count; i++) {
        if (strcmp(v->types[i].name, type) == 0) {
            v->types[i].n++;
            return;
        }
    }
    if (v->type_count < LEDGER_TYPES_MAX) {
        (void)str_copy(v->types[v->type_count].name, sizeof v->types[0].name, type);
        v->types[v->type_count++].n = 1;
    }
}

static bool movement_of(const cJSON *row, int64_t ms, struct ledger_movement *m) {
    const char *quantity = json_str(row, "quantity"), *total = json_str(row, "on_hand");
    *m = (struct ledger_movement){.sku = json_str(row, "sku"), .ms = ms};
    (void)json_int(row, "kind", &m->kind);
    (void)json_int(row, "created_s", &m->created_s);
    return m->sku != NULL && quantity != NULL && total != NULL && json_int(row, "row", &m->row) &&
           json_int(row, "warehouse", &m->warehouse) && quantity_parse(quantity, &m->delta) &&
           quantity_parse(total, &m->total);
}

static bool take(void *arg, const struct ledger_entry *e) {
    struct ledger_verify *v = arg;
    struct ledger_movement m;
    char error[80];
    int64_t restarts = v->chain.restarts;
    ledger_chain_take(&v->chain, e);
    if (v->chain.restarts != restarts) {
        ledger_gaps_restart(&v->gaps);
    }
    cJSON *row = json_read(e->row, e->row_len, error, sizeof error);
    const char *type = json_str(row, "type");
    if (type == NULL) {
        v->unreadable++;
    } else {
        count_type(v, type);
    }
    if (type != NULL && strcmp(type, "movement") == 0) {
        if (!movement_of(row, e->ms, &m)) {
            v->unreadable++;
        } else {
            ledger_gaps_take(&v->gaps, &m);
            if (e->link == LINK_NONE) {
                v->unlinked_moves++;
            } else if (v->tail) {
                v->ties.n[TIE_WAITING]++;
            } else {
                ledger_ties_move(&v->ties, &m);
            }
        }
    } else if (type != NULL) {
        ledger_ties_row(&v->ties, type, row, e->ms);
    }
    cJSON_Delete(row);
    return true;
}

/* ---- ties ---- */

static void time_text(int64_t ms, char out[CLOCK_TEXT_SIZE]) {
    out[0] = '\0';
    if (ms > 0) {
        clock_format(ms, out);
    }
}

static void csv_line(FILE *out, const char *sku, const struct ledger_tied *t) {
    char quantity[QUANTITY_TEXT_SIZE], total[QUANTITY_TEXT_SIZE], till[CLOCK_TEXT_SIZE], recorded[CLOCK_TEXT_SIZE],
        written[CLOCK_TEXT_SIZE], confirmed[CLOCK_TEXT_SIZE];
    quantity_format(t->delta, quantity);
    quantity_format(t->total, total);
    time_text(t->created_s * 1000, till);
    time_text(t->recorded_ms, recorded);
    time_text(t->written_ms, written);
    time_text(t->confirmed_ms, confirmed);
    /* Quoted whole: a spreadsheet must not take a SKU for a formula, hence the apostrophe where it could be one. */
    (void)fprintf(out, "%lld,%lld,\"%s", (long long)t->row, (long long)t->warehouse,
                  strchr("=+-@", *sku) != NULL ? "'" : "");
    for (const char *s = sku; *s != '\0'; s++) {
        (void)fprintf(out, *s == '"' ? "\"\"" : "%c", *s);
    }
    (void)fprintf(out, "\",%s,%s,%s,%s,%lld,%s,", quantity, total, till, recorded, (long long)t->location,
                  ledger_tie_name(t->tie));
    if (t->tie == TIE_NO_LEVEL) {
        (void)fprintf(out, ",%s,,%s\n", written, t->why);
    } else if (t->tie == TIE_OPEN || t->tie == TIE_WAITING) {
        (void)fputs(",,,\n", out);
    } else {
        (void)fprintf(out, "%lld,%s,%s,\n", (long long)t->level, written, confirmed);
    }
}

static void told(void *arg, const char *sku, const struct ledger_tied *t) {
    struct ledger_verify *v = arg;
    if (v->out != NULL) {
        csv_line(v->out, sku, t);
    }
    if (t->tie == TIE_OPEN && cJSON_GetArraySize(v->untied) < LEDGER_SHOWN_MAX) {
        char quantity[QUANTITY_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
        cJSON *o = json_new_object();
        quantity_format(t->delta, quantity);
        clock_format(t->recorded_ms, at);
        json_add_int(o, "row", t->row);
        json_add_int(o, "warehouse", t->warehouse);
        json_add_str(o, "sku", sku);
        json_add_str(o, "quantity", quantity);
        json_add_int(o, "location", t->location);
        json_add_str(o, "recorded", at);
        (void)cJSON_AddItemToArray(v->untied, o);
    }
}

/* Into a map of SKUs, each once. */
static void add_sku(void *arg, const char *sku) {
    (void)ledger_map_at(arg, 0, sku);
}

/* Keeps of the SKUs those that are due now. */
static enum next which_are_due(struct app *app, const struct ledger_map *skus, struct ledger_map *due,
                               struct reason *why) {
    const struct ledger_slot *slot = NULL;
    enum next next = NEXT_DONE;
    while (next == NEXT_DONE && (slot = ledger_map_next(skus, slot)) != NULL) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add(&a, "ZSCORE");
        args_add_key(&a, app->redis, "due:" QUEUE_SKU);
        args_add(&a, slot->sku);
        next = redis_command(app->redis, &a, true, &reply, why);
        args_free(&a);
        if (next == NEXT_DONE) {
            if (reply->type != REDIS_REPLY_NIL) {
                (void)ledger_map_at(due, 0, slot->sku);
            }
            freeReplyObject(reply);
        }
    }
    return next;
}

static void wait_for(struct ledger_verify *v, const struct ledger_map *due) {
    const struct ledger_slot *slot = NULL;
    while ((slot = ledger_map_next(due, slot)) != NULL) {
        ledger_ties_waiting(&v->ties, slot->sku);
    }
}

/* ---- Redis ---- */

/* Up to the newest entry that the head names. */
static enum next read_to_head(struct ledger_verify *v, char from[LEDGER_ID_SIZE + 1], struct ledger_head *h,
                              struct reason *why) {
    enum next next = ledger_head_read(v->app, h, why);
    next = next == NEXT_DONE ? ledger_read_redis(v->app, from, "+", take, v, why) : next;
    /* What came between the two is beyond the head that was read; read them again until both are of one moment. */
    for (int i = 0; next == NEXT_DONE && h->known && v->chain.last_n > h->n && i < 100; i++) {
        next = ledger_head_read(v->app, h, why);
        next = next == NEXT_DONE && v->chain.last_n < h->n ? ledger_read_redis(v->app, from, "+", take, v, why) : next;
    }
    return next;
}

static enum next from_redis(struct ledger_verify *v, struct reason *why) {
    char from[LEDGER_ID_SIZE + 1] = "-";
    struct ledger_head h;
    struct ledger_map open, due;
    enum next next = ledger_read_redis(v->app, from, "+", take, v, why);
    ledger_map_init(&open, 1);
    ledger_map_init(&due, 1);
    if (next == NEXT_DONE) {
        ledger_ties_each_open(&v->ties, add_sku, &open);
        next = which_are_due(v->app, &open, &due, why);
    }
    v->tail = true;
    next = next == NEXT_DONE ? read_to_head(v, from, &h, why) : next;
    if (next == NEXT_DONE) {
        wait_for(v, &due);
    }
    ledger_map_free(&open);
    ledger_map_free(&due);
    if (next != NEXT_DONE) {
        return next;
    }
    v->days = h.days;
    if (h.known) {
        int64_t floor = clock_wall_ms() - h.days * DAY_MS;
        ledger_chain_end(&v->chain, h.n, h.head, "Redis (ledger:chain)");
        ledger_chain_begin_at(&v->chain, floor > h.cut_ms ? floor : h.cut_ms);
    } else if (v->chain.linked > 0) {
        ledger_chain_fault(&v->chain, "what Redis knows of the newest entry (ledger:chain) is gone");
    }
    return NEXT_DONE;
}

/* ---- files ---- */

static void follows(struct ledger_verify *v, const struct ledger_file *f, const struct ledger_file *before) {
    char text[LEDGER_TEXT_SIZE];
    if (before == NULL) {
        return;
    }
    if (f->before[0] == '\0') {
        return; /* the first of its chain; the entries say whether that can be */
    }
    if (strcmp(f->before, before->name) != 0) {
        (void)snprintf(text, sizeof text, "file %.120s follows %.120s, which is not among these files", f->name,
                       f->before);
        ledger_chain_fault(&v->chain, text);
    } else if (strcmp(f->before_sha256, before->sha256) != 0) {
        (void)snprintf(text, sizeof text,
                       "file %.120s was changed after it was sealed: %.120s names another digest of it", before->name,
                       f->name);
        ledger_chain_fault(&v->chain, text);
    }
}

static enum next from_files(struct ledger_verify *v, char *const *paths, struct reason *why) {
    char error[1400] = "";
    size_t n = 0;
    struct ledger_file *files = ledger_files(paths, &n, error, sizeof error);
    if (files == NULL) {
        return reason_set(why, NEXT_PARK, "ledger_file", "%s", error);
    }
    v->chain.restarts_allowed = true;
    for (size_t i = 0; i < n; i++) {
        if (!ledger_file_read(&files[i], take, v, error, sizeof error)) {
            ledger_chain_fault(&v->chain, error);
        } else {
            ledger_chain_end(&v->chain, files[i].n > 0 ? files[i].n : v->chain.last_n,
                             files[i].n > 0 ? files[i].head : v->chain.head, files[i].name);
        }
        follows(v, &files[i], i > 0 ? &files[i - 1] : NULL);
    }
    v->files = n;
    if (n > 0) {
        (void)str_copy(v->newest_file, sizeof v->newest_file, files[n - 1].name);
        (void)str_copy(v->newest_sha256, sizeof v->newest_sha256, files[n - 1].sha256);
    }
    free(files);
    ledger_ties_end_at(&v->ties, v->chain.last_ms - FILE_TAIL_MS);
    return NEXT_DONE;
}

/* ---- holes, looked up in Sitoo ---- */

static void take_found(struct ledger_verify *v, const cJSON *row) {
    int64_t id = 0, warehouse = 0;
    const cJSON *item = NULL;
    if (!json_int(row, "warehousetransactionid", &id) || !json_int(row, "warehouseid", &warehouse)) {
        return;
    }
    cJSON_ArrayForEach(item, json_array(row, "items")) {
        struct ledger_movement m = {.row = id, .warehouse = warehouse, .sku = json_str(item, "sku")};
        const char *quantity = json_str(item, "decimalquantity");
        if (m.sku != NULL && quantity != NULL && quantity_parse(quantity, &m.delta)) {
            (void)ledger_gaps_found(&v->gaps, &m);
        }
    }
}

static enum next look_up(struct ledger_verify *v, int64_t first, int64_t last, struct reason *why) {
    struct buf path;
    const cJSON *row = NULL;
    struct answer answer;
    int64_t count = last - first + 1;
    buf_init(&path, 8000);
    buf_addf(&path,
             "/sites/%lld/warehousetransactions.json?num=%lld&sort=warehousetransactionid"
             "&fields=warehousetransactionid,warehouseid,items&warehousetransactionid=",
             (long long)v->app->set->sitoo_site_id, (long long)count);
    for (int64_t id = first; id <= last; id++) {
        buf_addf(&path, "%s%lld", id > first ? "," : "", (long long)id);
    }
    const char *paths[] = {buf_str(&path)};
    enum next next = sitoo_get(v->app, paths, &answer, 1, why);
    buf_free(&path);
    if (next == NEXT_DONE) {
        cJSON_ArrayForEach(row, json_array(answer.json, "items")) {
            int64_t id = 0;
            /* Sitoo ignores a filter that it does not know. */
            if (json_int(row, "warehousetransactionid", &id) && id >= first && id <= last) {
                take_found(v, row);
            }
        }
        answer_free(&answer);
        v->looked_up += count;
    }
    return next;
}

static enum next fetch(struct ledger_verify *v, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < v->gaps.n; i++) {
        const struct ledger_gap *g = &v->gaps.gaps[i];
        int64_t last = g->before - 1 < g->after + FETCH_MOST ? g->before - 1 : g->after + FETCH_MOST;
        for (int64_t id = g->after + 1; next == NEXT_DONE && g->left != 0 && id <= last; id += FETCH_IDS) {
            next = look_up(v, id, id + FETCH_IDS - 1 < last ? id + FETCH_IDS - 1 : last, why);
        }
    }
    return next;
}

/* ---- all of it ---- */

bool ledger_verify_good(const struct ledger_verify *v) {
    return v->chain.fault_count == 0 && v->unreadable == 0 && ledger_gaps_open(&v->gaps) == 0 &&
           v->ties.n[TIE_OPEN] == 0;
}

static enum next run(struct ledger_verify *v, const struct ledger_options *o, struct reason *why) {
    enum next next = o->from != NULL ? from_files(v, o->from, why) : from_redis(v, why);
    next = next == NEXT_DONE && o->fetch ? fetch(v, why) : next;
    if (next == NEXT_DONE) {
        ledger_ties_end(&v->ties);
    }
    if (v->out != NULL && (fclose(v->out) != 0) && next == NEXT_DONE) {
        next = reason_set(why, NEXT_PARK, "ties", "--ties %.300s: %s", o->ties, strerror(errno));
    }
    v->out = NULL;
    return next;
}

static enum next open_ties(struct ledger_verify *v, const struct ledger_options *o, struct reason *why) {
    if (o->ties == NULL) {
        return NEXT_DONE;
    }
    v->out = fopen(o->ties, "we");
    if (v->out == NULL) {
        return reason_set(why, NEXT_PARK, "ties", "--ties %.300s: %s", o->ties, strerror(errno));
    }
    (void)fputs("row,warehouse,sku,quantity,on_hand,in_sitoo,recorded,location,outcome,level,written,confirmed,why\n",
                v->out);
    return NEXT_DONE;
}

static void show(const struct ledger_verify *v, const struct command_line *line) {
    cJSON *report = ledger_report_json(v);
    if (line->json) {
        command_print_json(report);
    } else {
        /* Numbers were added as raw text; read back, so that they are numbers. */
        struct buf page;
        char *text = json_print(report), error[80];
        cJSON *read = json_read(text, strlen(text), error, sizeof error);
        buf_init(&page, PAGE_MAX);
        ledger_report_text(read, &page);
        command_print(&page);
        cJSON_Delete(read);
        free(text);
    }
    cJSON_Delete(report);
}

int ledger_verify(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    struct ledger_verify *v = xcalloc(1, sizeof *v);
    int status = 1;
    v->app = app;
    v->untied = cJSON_CreateArray();
    ledger_chain_init(&v->chain);
    ledger_gaps_init(&v->gaps);
    ledger_ties_init(&v->ties, app->set->mapping);
    v->ties.told = told;
    v->ties.arg = v;
    enum next next = open_ties(v, &line->ledger, &why);
    next = next == NEXT_DONE ? run(v, &line->ledger, &why) : next;
    if (next == NEXT_DONE) {
        show(v, line);
        status = ledger_verify_good(v) ? 0 : 1;
    } else {
        status = command_failed(line, &why);
    }
    if (v->out != NULL) {
        (void)fclose(v->out);
    }
    ledger_ties_free(&v->ties);
    ledger_gaps_free(&v->gaps);
    ledger_chain_free(&v->chain);
    cJSON_Delete(v->untied);
    free(v);
    return status;
}
