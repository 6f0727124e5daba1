/* SPDX-License-Identifier: Apache-2.0 */
/* onepool load: looks, and with --apply does it; see load.h. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "mode.h"
#include "product_sync.h"
#include "reading.h"
#include "quantity.h"
#include "ban.h"

#define ROWS       40
#define ROWS_MAX   1000000
#define CSV_MAX    ((size_t)256 * 1024 * 1024)
#define BATCH_SKUS 1000 /* five writes of SYNC_BATCH, counted once before and after */
#define BATCH_MAX  250
#define TURNS      20 /* for what was put off */
#define WAIT_MS    INT64_C(1000)
#define WAIT_MAX   INT64_C(60000)

bool load_words(char **words, struct command_line *line) {
    line->load.rows = ROWS;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--apply") == 0 && words[1] != NULL) {
            line->load.apply = *++words;
        } else if (strcmp(*words, "--csv") == 0 && words[1] != NULL) {
            line->load.csv = *++words;
        } else if (strcmp(*words, "--rows") != 0 || words[1] == NULL ||
                   !int_parse(*++words, 0, ROWS_MAX, &line->load.rows)) {
            return false;
        }
    }
    return true;
}

/* ---- looking ---- */

static bool write_csv(const struct load_plan *p, const char *path) {
    struct buf text;
    buf_init(&text, CSV_MAX);
    load_csv(p, &text);
    bool good = baseline_write_file(path, &text);
    buf_free(&text);
    return good;
}

static int look(struct app *app, const struct command_line *line, const struct shops *shops) {
    struct load_plan plan;
    struct reason why = {0};
    char id[17], now[24];
    load_compare(shops, app->set->mapping->brake_price_percent, &plan);
    load_plan_id(&plan, id);
    (void)snprintf(now, sizeof now, "%lld", (long long)clock_wall_ms());
    enum next next = known_set(app, "load_id", id, &why);
    next = next == NEXT_DONE ? known_set(app, "load_at", "", &why) : next;
    next = next == NEXT_DONE ? known_set(app, "load_begun", "", &why) : next;
    next = next == NEXT_DONE ? known_set(app, "load_looked", now, &why) : next;
    int status = next == NEXT_DONE ? 0 : command_failed(line, &why);
    if (status == 0 && line->load.csv != NULL && !write_csv(&plan, line->load.csv)) {
        status = 1;
    }
    if (status == 0 && line->json) {
        cJSON *o = load_json(&plan, id, line->load.rows);
        command_print_json(o);
        cJSON_Delete(o);
    } else if (status == 0) {
        struct buf text;
        buf_init(&text, CSV_MAX);
        load_text(&plan, id, line->load.rows, &text);
        command_print(&text);
    }
    load_plan_free(&plan);
    return status;
}

/* ---- doing it ---- */

struct load {
    struct app *app;
    const struct command_line *line;
    struct shops *shops;
    struct sync sync;
    struct reading progress;
    struct load_plan plan; /* what it does, from where it is */
    int64_t done, made, changed, hidden, refused, families, already;
};

/* Waits for what passes by itself. False: it took too long, or the process is to stop. */
static bool patient(struct load *l, enum next next, const struct reason *why, int *turn) {
    int64_t wait = why->wait_ms > WAIT_MS ? why->wait_ms : WAIT_MS;
    return next == NEXT_DEFER && strcmp(why->cause, "products_halted") != 0 && ++*turn < TURNS &&
           app_sleep(l->app, wait < WAIT_MAX ? wait : WAIT_MAX);
}

static enum next begin(struct load *l, struct reason *why) {
    int turn = 0;
    enum next next = sync_begin(l->app, &l->sync, why);
    while (patient(l, next, why, &turn)) {
        memset(why, 0, sizeof *why);
        next = sync_begin(l->app, &l->sync, why);
    }
    return next;
}

static void tell(struct load *l) {
    reading_show(&l->progress, "SKUs brought to Sitoo", l->done, l->shops->variants);
}

static enum next end_item(struct load *l, struct sync_item *item, struct reason *why) {
    if (item->next != NEXT_DONE) {
        *why = item->why;
        return item->next;
    }
    l->made += item->created;
    l->changed += item->updated;
    l->hidden += item->hidden;
    l->refused += item->refused;
    l->families += item->family ? 1 : 0;
    l->done += (int64_t)item->want->n;
    enum next next = effects_apply(l->app->redis, &item->effects, why);
    tell(l);
    return next;
}

/* One batch; what is put off is tried again, by reading Sitoo anew. */
static enum next bring(struct load *l, struct sync_item *items, size_t n, struct reason *why) {
    int turn = 0;
    struct till_products *till = &l->shops->till;
    enum next next = NEXT_DONE;
    while (n > 0) {
        size_t left = 0;
        sync_items(&l->sync, items, n, till);
        for (size_t i = 0; i < n; i++) {
            struct reason own = {0};
            enum next one = end_item(l, &items[i], &own);
            sync_item_free(&items[i]);
            if (one != NEXT_DONE) {
                *why = own;
                next = one;
                items[left++] = (struct sync_item){
                    .product_id = items[i].product_id, .want = items[i].want, .known = items[i].known, .person = true};
            }
        }
        if (left == 0) {
            return NEXT_DONE;
        }
        n = left;
        till = NULL;
        sync_end(&l->sync);
        if (!patient(l, next, why, &turn)) {
            return next;
        }
        memset(why, 0, sizeof *why);
        next = begin(l, why);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

/* How much of what is left passes brakes since a person looked at it: a load that goes on may not bring more. */
static enum next set_braked(struct load *l, int64_t after, struct reason *why) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)load_braked(&l->plan, after));
    return known_set(l->app, "load_braked", text, why);
}

static enum next batch(struct load *l, size_t from, size_t n, struct reason *why) {
    struct sync_item *items = xcalloc(n + 1, sizeof *items);
    struct known_product *known = xcalloc(n + 1, sizeof *known);
    int64_t *ids = xcalloc(n + 1, sizeof *ids);
    char **texts = xcalloc(n + 1, sizeof *texts), at[24];
    for (size_t i = 0; i < n; i++) {
        ids[i] = l->shops->wants[from + i].product_id;
    }
    enum next next = known_read(l->app, ids, n, texts, why);
    for (size_t i = 0; i < n; i++) {
        known_product_parse(texts[i], &known[i]);
        items[i] = (struct sync_item){
            .product_id = ids[i], .want = &l->shops->wants[from + i], .known = &known[i], .person = true};
    }
    next = next == NEXT_DONE ? bring(l, items, n, why) : next;
    (void)snprintf(at, sizeof at, "%lld", n > 0 ? (long long)ids[n - 1] : 0);
    next = next == NEXT_DONE ? known_set(l->app, "load_at", at, why) : next;
    next = next == NEXT_DONE && n > 0 ? set_braked(l, ids[n - 1], why) : next;
    for (size_t i = 0; i < n; i++) {
        known_product_free(&known[i]);
        free(texts[i]);
    }
    free(texts);
    free(ids);
    free(known);
    free(items);
    return next;
}

/* From where a killed load was: everything before is in Sitoo. */
static size_t first_left(const struct load *l, int64_t at) {
    size_t i = 0;
    while (i < l->shops->n && l->shops->wants[i].product_id <= at) {
        i++;
    }
    return i;
}

static enum next all(struct load *l, struct reason *why) {
    int64_t at = 0;
    enum next next = known_number(l->app, "load_at", &at, why);
    next = next == NEXT_DONE ? known_keep_till(l->app, &l->shops->till, why) : next;
    size_t i = next == NEXT_DONE ? first_left(l, at) : 0;
    for (size_t k = 0; k < i; k++) {
        l->already += (int64_t)l->shops->wants[k].n;
    }
    l->done = l->already;
    while (next == NEXT_DONE && i < l->shops->n) {
        size_t n = 0, skus = 0;
        while (i + n < l->shops->n && n < BATCH_MAX * 4 && (n == 0 || skus + l->shops->wants[i + n].n <= BATCH_SKUS)) {
            skus += l->shops->wants[i + n++].n;
        }
        next = batch(l, i, n, why);
        i += n;
    }
    return next;
}

static enum next finish(struct load *l, struct reason *why) {
    char now[24];
    (void)snprintf(now, sizeof now, "%lld", (long long)clock_wall_ms());
    struct args effects = {0};
    enum next next = known_set(l->app, "loaded", now, why);
    next = next == NEXT_DONE ? known_set(l->app, "load_at", "", why) : next;
    next = next == NEXT_DONE ? known_set(l->app, "load_id", "", why) : next;
    next = next == NEXT_DONE ? known_set(l->app, "load_begun", "", why) : next;
    next = next == NEXT_DONE ? known_set(l->app, "load_braked", "", why) : next;
    /* What changed while it ran, and the exceptions. */
    effect_mark(&effects, QUEUE_CATALOG, CATALOG_SWEEP, 0, "", "");
    next = next == NEXT_DONE ? effects_apply(l->app->redis, &effects, why) : next;
    args_free(&effects);
    return next;
}

static int report(const struct load *l, const struct command_line *line) {
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_bool(o, "loaded", true);
        json_add_int(o, "made", l->made);
        json_add_int(o, "changed", l->changed);
        json_add_int(o, "hidden", l->hidden);
        json_add_int(o, "families", l->families);
        json_add_int(o, "refused", l->refused);
        json_add_int(o, "already", l->already);
        command_print_json(o);
        cJSON_Delete(o);
        return 0;
    }
    (void)printf("Loaded: %lld SKUs made, %lld changed, %lld families written, %lld refused (onepool parked). From now "
                 "on, changes "
                 "in BigCommerce reach the tills by themselves.\n",
                 (long long)l->made, (long long)l->changed, (long long)l->families, (long long)l->refused);
    return 0;
}

static enum next may_apply(struct app *app, const char *id, struct reason *why) {
    const char *field = "load_id";
    char *text = NULL;
    enum next next = known_fields(app, KEY_CATALOG, &field, 1, &text, why);
    if (next == NEXT_DONE && (text == NULL || strcmp(text, id) != 0)) {
        next = reason_set(
            why, NEXT_PARK, "load_id",
            "%.40s is not the id of the last look%s: run onepool load, look at what it shows, and apply its id", id,
            text == NULL ? " (there is none, or it was applied already)" : "");
    }
    if (next == NEXT_DONE && app->mode != MODE_LIVE) {
        next = reason_set(why, NEXT_PARK, "shadow",
                          "in shadow mode nothing is written: accept a baseline first (onepool baseline)");
    }
    free(text);
    return next;
}

/* A load that began goes on, unless more would be hidden, or change its price much, than is left of the look. */
static enum next goes_on(struct load *l, struct reason *why) {
    int64_t at = 0, looked_at = 0;
    enum next next = known_number(l->app, "load_at", &at, why);
    next = next == NEXT_DONE ? known_number(l->app, "load_braked", &looked_at, why) : next;
    int64_t now = load_braked(&l->plan, at);
    if (next == NEXT_DONE && now > looked_at) {
        next = reason_set(why, NEXT_PARK, "load_changed",
                          "the shops have changed since the look: %lld SKUs would be hidden or change their price "
                          "much, %lld were looked "
                          "at; the load did not go on. Run onepool load again and apply its id",
                          (long long)now, (long long)looked_at);
    }
    return next;
}

/* What is applied is what was looked at: both brakes rest on that. */
static enum next as_looked_at(struct load *l, const char *id, struct reason *why) {
    const char *field = "load_begun";
    char *begun = NULL, now[17];
    struct app *app = l->app;
    enum next next = known_fields(app, KEY_CATALOG, &field, 1, &begun, why);
    bool began = begun != NULL && strcmp(begun, id) == 0;
    free(begun);
    if (next != NEXT_DONE) {
        return next;
    }
    load_compare(l->shops, app->set->mapping->brake_price_percent, &l->plan);
    if (began) {
        return goes_on(l, why);
    }
    load_plan_id(&l->plan, now);
    if (strcmp(now, id) != 0) {
        return reason_set(
            why, NEXT_PARK, "load_changed",
            "the shops have changed since the look %.20s; nothing was written. Run onepool load again and apply its id",
            id);
    }
    next = set_braked(l, 0, why);
    return next == NEXT_DONE ? known_set(app, field, id, why) : next;
}

static int apply(struct app *app, const struct command_line *line, struct shops *shops) {
    struct load l = {.app = app, .line = line, .shops = shops, .progress = reading_begin(line->json)};
    struct reason why = {0};
    /* Nobody else writes from here on, and what a killed load sent has landed: only then what is read is what is. */
    enum next next = begin(&l, &why);
    next = next == NEXT_DONE ? may_apply(app, line->load.apply, &why) : next;
    next = next == NEXT_DONE ? shops_read(app, reading_show, &l.progress, shops, &why) : next;
    next = next == NEXT_DONE ? as_looked_at(&l, line->load.apply, &why) : next;
    if (next == NEXT_PARK) {
        load_plan_free(&l.plan);
        sync_free(&l.sync);
        return command_failed(line, &why);
    }
    next = next == NEXT_DONE ? all(&l, &why) : next;
    load_plan_free(&l.plan);
    sync_end(&l.sync);
    next = next == NEXT_DONE ? finish(&l, &why) : next;
    reading_end(&l.progress);
    sync_free(&l.sync);
    if (next == NEXT_DONE) {
        return report(&l, line);
    }
    if (!line->json) {
        (void)fprintf(stderr,
                      "onepool: the load stopped after %lld of %lld SKUs; the same command goes on from there\n",
                      (long long)l.done, (long long)shops->variants);
    }
    return command_failed(line, &why);
}

int command_load(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    struct shops shops = {0};
    struct reading p = reading_begin(line->json);
    enum next next = mode_refresh(app, &why);
    if (next == NEXT_DONE && !app->set->mapping->products.on) {
        next = reason_set(
            &why, NEXT_PARK, "products_off",
            "the mapping file has no section \"products\", so nobody knows what Sitoo should hold: give it at least "
            "\"products\": {\"vat_groups\": {\"0\": 2}}");
    }
    if (next == NEXT_DONE && line->load.apply != NULL) {
        next = may_apply(app, line->load.apply, &why);
    }
    if (next == NEXT_DONE && line->load.apply == NULL) {
        next = shops_read(app, reading_show, &p, &shops, &why);
    }
    reading_end(&p);
    int status = next != NEXT_DONE          ? command_failed(line, &why)
                 : line->load.apply != NULL ? apply(app, line, &shops)
                                            : look(app, line, &shops);
    shops_free(&shops);
    return status;
}
