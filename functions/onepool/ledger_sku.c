/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool ledger sku: the history of one SKU, and with --at how its levels stood. In JSON:
 *
 *   {"sku":"A","events":[{"at":"2026-11-30T14:03:12.000Z","id":"1700000000000-0","entry":7,"type":"sale","text":"Sold
 * ...", "row":{...}}],"shown":1,"found":1,"until":null,
 *    "state":{"levels":{"1":{"level":7,"told":"...","seen":"...","counted":"...","mode":"live","unallocated":0,
 *       "made_of":[{"warehouse":1,"available":7000,"pending":0,"withheld":0}]}},
 *     "on_hand":{"1":7000},"web_orders":{"104|1":1000}}}        thousandths; "order|warehouse", 0 = none chosen
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "ledger_history.h"
#include "ledger_source.h"
#include "platform.h"
#include "quantity.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX  ((size_t)8 * 1024 * 1024)
#define LAST_ROWS 10 /* shown with --at */
#define LIST_MAX  1000

static bool take(void *arg, const struct ledger_entry *e) {
    history_take(arg, e);
    return true;
}

static enum next read_files(char *const *paths, struct history *h, struct reason *why) {
    char error[1400] = "";
    size_t n = 0;
    struct ledger_file *files = ledger_files(paths, &n, error, sizeof error);
    bool good = files != NULL;
    for (size_t i = 0; good && i < n; i++) {
        good = ledger_file_read(&files[i], take, h, error, sizeof error);
    }
    free(files);
    return good ? NEXT_DONE : reason_set(why, NEXT_PARK, "ledger_file", "%s", error);
}

static enum next read_redis(struct app *app, struct history *h, struct reason *why) {
    char from[LEDGER_ID_SIZE + 1] = "-", to[LEDGER_ID_SIZE] = "+";
    if (h->until_ms > 0) {
        (void)snprintf(to, sizeof to, "%lld", (long long)h->until_ms);
    }
    return ledger_read_redis(app, from, to, take, h, why);
}

/* {"3":"Leeds"} as Sitoo names its warehouses. */
static enum next read_names(struct app *app, cJSON *names, struct reason *why) {
    char path[96], key[24];
    const char *paths[] = {path};
    const cJSON *one = NULL;
    struct answer answer;
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses.json?num=%d", (long long)app->set->sitoo_site_id,
                   LIST_MAX);
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(one, json_array(answer.json, "items")) {
        int64_t id = 0;
        const char *name = json_str(one, "name");
        if (name != NULL && json_id(one, "warehouseid", &id)) {
            (void)snprintf(key, sizeof key, "%lld", (long long)id);
            json_add_str(names, key, name);
        }
    }
    answer_free(&answer);
    return NEXT_DONE;
}

/* ---- shown ---- */

static bool hidden(const struct history *h, size_t i) {
    return h->list[i].told > 0 || history_is_idle(h, i);
}

static size_t first_shown(const struct history *h, int64_t rows) {
    size_t told = 0, first = h->n;
    while (first > 0 && told < (size_t)rows) {
        first--;
        told += hidden(h, first) ? 0 : 1;
    }
    return first;
}

static void sentences(const struct history *h, int64_t rows, struct buf *out) {
    char day[11] = "";
    for (size_t i = first_shown(h, rows); i < h->n; i++) {
        char at[CLOCK_TEXT_SIZE];
        if (hidden(h, i)) {
            continue;
        }
        clock_format(h->list[i].ms, at);
        if (strncmp(day, at, 10) != 0) {
            (void)str_copy(day, sizeof day, at);
            buf_addf(out, "%s\n", day);
        }
        buf_addf(out, "  %.8s  ", at + 11);
        history_say(h, i, out);
        buf_add_str(out, "\n");
    }
}

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    (void)json_int(o, key, &n);
    return n;
}

static void part_text(const struct history *h, const cJSON *part, struct buf *out) {
    buf_add_str(out, "    ");
    history_warehouse(h, number(part, "warehouse"), out);
    buf_add_str(out, ": ");
    history_units(number(part, "available"), out);
    buf_add_str(out, " available");
    if (number(part, "pending") != 0) {
        buf_add_str(out, ", less ");
        history_units(number(part, "pending"), out);
        buf_add_str(out, " of web orders that Sitoo does not have yet");
    }
    if (number(part, "withheld") != 0) {
        buf_add_str(out, ", less ");
        history_units(number(part, "withheld"), out);
        buf_add_str(out, " that came back and may not be sold");
    }
    buf_add_str(out, "\n");
}

static void level_text(const struct history *h, const cJSON *o, struct buf *out) {
    const cJSON *part = NULL;
    const char *told = json_str(o, "told"), *seen = json_str(o, "seen"), *counted = json_str(o, "counted");
    buf_addf(out, "Location %s: %lld", o->string, (long long)number(o, "level"));
    if (told != NULL) {
        const char *mode = json_str(o, "mode");
        buf_addf(out, "%s %.19s", mode != NULL && strcmp(mode, "shadow") == 0 ? ", in shadow mode only," : ", told",
                 told);
    }
    if (seen != NULL) {
        buf_addf(out, ", seen in BigCommerce %.19s", seen);
    } else if (told != NULL) {
        buf_add_str(out, ", not seen in BigCommerce by then");
    }
    if (counted != NULL && (told == NULL || strcmp(counted, told) > 0)) {
        buf_addf(out, ", counted again %.19s", counted);
    }
    buf_add_str(out, "\n");
    if (told != NULL) {
        buf_add_str(out, "  made of, when it was told:\n");
        cJSON_ArrayForEach(part, json_array(o, "made_of")) {
            part_text(h, part, out);
        }
        if (cJSON_GetArraySize(json_array(o, "made_of")) == 0) {
            buf_add_str(out, "    nothing anywhere\n");
        }
        if (number(o, "unallocated") != 0) {
            buf_add_str(out, "    less ");
            history_units(number(o, "unallocated"), out);
            buf_add_str(out, " of web orders for which no warehouse was chosen\n");
        }
    }
}

static void state_text(const struct history *h, const cJSON *state, struct buf *out) {
    const cJSON *o = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(o, json_get(state, "levels")) {
        level_text(h, o, out);
    }
    if (json_get(state, "levels") == NULL || json_get(state, "levels")->child == NULL) {
        buf_add_str(out, "No level was told by then, as far as the ledger goes back.\n");
    }
    cJSON_ArrayForEach(o, json_get(state, "on_hand")) {
        (void)int_parse(o->string, INT64_MIN, INT64_MAX, &id);
        buf_add_str(out, "On hand in ");
        history_warehouse(h, id, out);
        buf_add_str(out, " after its last movement: ");
        history_units(number(json_get(state, "on_hand"), o->string), out);
        buf_add_str(out, "\n");
    }
    cJSON_ArrayForEach(o, json_get(state, "web_orders")) {
        buf_addf(out, "Held by web order %.*s: ", (int)strcspn(o->string, "|"), o->string);
        history_units(number(json_get(state, "web_orders"), o->string), out);
        buf_add_str(out, "\n");
    }
}

static void print_text(const struct history *h, const struct ledger_options *o, const cJSON *state) {
    struct buf page;
    char at[CLOCK_TEXT_SIZE];
    buf_init(&page, PAGE_MAX);
    buf_add_str(&page, "SKU ");
    text_safe(&page, h->sku);
    if (o->at_ms > 0) {
        clock_format(o->at_ms, at);
        buf_addf(&page, " as it stood at %.19s (times are UTC)\n", at);
        state_text(h, state, &page);
        buf_add_str(&page, "What came before:\n");
        sentences(h, LAST_ROWS, &page);
    } else {
        buf_addf(&page, ", %zu entries (times are UTC)\n", h->n);
        size_t first = first_shown(h, o->rows);
        int64_t older = (int64_t)first + h->left_out;
        if (older > 0) {
            buf_addf(&page, "  ... %lld older entries are not shown (--rows N; 10000 at most)\n", (long long)older);
        }
        sentences(h, o->rows, &page);
    }
    if (buf_overflowed(&page)) {
        (void)fprintf(stderr, "onepool: too much to show; ask for fewer with --rows\n");
    }
    command_print(&page);
}

static void print_json(const struct history *h, const struct ledger_options *o, cJSON *state) {
    char at[CLOCK_TEXT_SIZE];
    int64_t shown = 0;
    cJSON *all = json_new_object();
    json_add_str(all, "sku", h->sku);
    cJSON *events = json_add_array(all, "events");
    for (size_t i = first_shown(h, o->rows); i < h->n; i++) {
        const struct history_event *e = &h->list[i];
        struct buf text;
        cJSON *one = json_new_object();
        clock_format(e->ms, at);
        json_add_str(one, "at", at);
        json_add_str(one, "id", e->id);
        json_add_int(one, "entry", e->n);
        json_add_str(one, "type", e->type);
        buf_init(&text, PAGE_MAX);
        if (!e->told) {
            history_say(h, i, &text);
        }
        json_add_str(one, "text", e->told ? NULL : buf_str(&text)); /* told: in another one's sentence */
        buf_free(&text);
        (void)cJSON_AddItemToObject(one, "row", cJSON_Duplicate(e->row, true));
        (void)cJSON_AddItemToArray(events, one);
        shown++;
    }
    json_add_int(all, "shown", shown);
    json_add_int(all, "found", h->seen);
    if (o->at_ms > 0) {
        clock_format(o->at_ms, at);
    }
    json_add_str(all, "until", o->at_ms > 0 ? at : NULL);
    (void)cJSON_AddItemToObject(all, "state", cJSON_Duplicate(state, true));
    command_print_json(all);
    cJSON_Delete(all);
}

int ledger_sku(struct app *app, const struct command_line *line) {
    const struct ledger_options *o = &line->ledger;
    struct reason why = {0};
    struct history h;
    int status = 0;
    cJSON *names = json_new_object();
    history_init(&h, o->sku);
    h.names = names;
    h.until_ms = o->at_ms;
    h.one_location = app->set->mapping != NULL && app->set->mapping->location_count == 1;
    enum next next = o->names ? read_names(app, names, &why) : NEXT_DONE;
    if (next == NEXT_DONE) {
        next = o->from != NULL ? read_files(o->from, &h, &why) : read_redis(app, &h, &why);
    }
    if (next == NEXT_DONE && h.n == 0) {
        next = reason_set(&why, NEXT_PARK, "sku",
                          "the ledger says nothing of SKU %.200s%s; letters and case must be exact", o->sku,
                          o->at_ms > 0 ? " up to that time" : "");
    }
    if (next == NEXT_DONE) {
        history_end(&h);
        cJSON *state = history_state(&h);
        if (line->json) {
            print_json(&h, o, state);
        } else {
            print_text(&h, o, state);
        }
        cJSON_Delete(state);
    } else {
        status = command_failed(line, &why);
    }
    history_free(&h);
    cJSON_Delete(names);
    return status;
}
