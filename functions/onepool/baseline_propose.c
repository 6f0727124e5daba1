/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mapping to begin with. It is only printed: a person reads it, mends it and saves it. Equal names belong together; a
 * single location shows every warehouse; location 1, which every store has, gets what matches nothing. Virtual, unnamed
 * and unsellable warehouses are named and left out.
 *
 * Sources: GET /v3/inventory/locations (bigcommerce.md 7.1), GET /sites/{id}/warehouses.json (sitoo.md 7.1).
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "command.h"
#include "json.h"
#include "text.h"
#include "ban.h"

#define TYPE_VIRTUAL     20
#define DEFAULT_LOCATION 1
#define LIST_MAX         1000
#define ROWS_ASKED_MAX   50 /* unmapped warehouses that are looked into */
#define NAME_MAX_BYTES   128

static void note(cJSON *notes, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(cJSON *notes, const char *fmt, ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)cJSON_AddItemToArray(notes, cJSON_CreateString(text));
}

static const char *name_of(const cJSON *o, const char *key) {
    const char *name = json_str(o, key);
    return name != NULL ? name : "";
}

/* Small letters, single spaces, none at the ends. */
static void plain(const char *s, char out[NAME_MAX_BYTES]) {
    size_t n = 0;
    for (; *s != '\0' && n + 1 < NAME_MAX_BYTES; s++) {
        bool space = isspace((unsigned char)*s) != 0;
        if (!space) {
            out[n++] = (char)tolower((unsigned char)*s);
        } else if (n > 0 && out[n - 1] != ' ') {
            out[n++] = ' ';
        }
    }
    n -= n > 0 && out[n - 1] == ' ' ? 1 : 0;
    out[n] = '\0';
}

static bool same_name(const char *a, const char *b) {
    char x[NAME_MAX_BYTES], y[NAME_MAX_BYTES];
    plain(a, x);
    plain(b, y);
    return x[0] != '\0' && strcmp(x, y) == 0;
}

/* NULL if the warehouse can be mapped, else why it is left out. */
static const char *left_out(const cJSON *warehouse) {
    int64_t type = 0;
    char name[NAME_MAX_BYTES];
    plain(name_of(warehouse, "name"), name);
    if (json_id(warehouse, "warehousetype", &type) && type == TYPE_VIRTUAL) {
        return "is Virtual: another system sets its stock, and the ledger may not tell";
    }
    if (name[0] == '\0') {
        return "has no name";
    }
    return json_bool(warehouse, "sellable", true) ? NULL : "is not sellable in Sitoo";
}

static const cJSON *location_named(const cJSON *locations, const char *name) {
    const cJSON *l = NULL;
    cJSON_ArrayForEach(l, locations) {
        if (json_bool(l, "enabled", true) && same_name(name_of(l, "label"), name)) {
            return l;
        }
    }
    return NULL;
}

/* The entry of a location, made if need be; its warehouses. */
static cJSON *warehouses_of(cJSON *list, int64_t location) {
    cJSON *entry = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(entry, list) {
        if (json_id(entry, "bigcommerce_location_id", &id) && id == location) {
            return cJSON_GetObjectItemCaseSensitive(entry, "sitoo_warehouse_ids");
        }
    }
    entry = json_new_object();
    (void)cJSON_AddNumberToObject(entry, "bigcommerce_location_id", (double)location);
    cJSON *ids = json_add_array(entry, "sitoo_warehouse_ids");
    (void)cJSON_AddItemToArray(list, entry);
    return ids;
}

static int64_t only_location(const cJSON *locations) {
    const cJSON *l = NULL;
    int64_t id = 0, found = 0;
    int n = 0;
    cJSON_ArrayForEach(l, locations) {
        if (json_bool(l, "enabled", true) && json_id(l, "id", &id)) {
            found = id;
            n++;
        }
    }
    return n == 1 ? found : 0;
}

static bool location_is_there(const cJSON *locations, int64_t wanted) {
    const cJSON *l = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(l, locations) {
        if (json_bool(l, "enabled", true) && json_id(l, "id", &id) && id == wanted) {
            return true;
        }
    }
    return false;
}

static void place(const cJSON *warehouse, const cJSON *locations, cJSON *list, cJSON *notes) {
    const char *name = name_of(warehouse, "name"), *why = left_out(warehouse);
    int64_t id = 0, location = only_location(locations);
    if (!json_id(warehouse, "warehouseid", &id)) {
        return;
    }
    if (why != NULL) {
        note(notes, "warehouse %lld \"%.80s\" %s: left out", (long long)id, name, why);
        return;
    }
    const cJSON *named = location_named(locations, name);
    if (location != 0) {
        note(notes, "warehouse %lld \"%.80s\": the only location, %lld", (long long)id, name, (long long)location);
    } else if (named != NULL && json_id(named, "id", &location)) {
        note(notes, "warehouse %lld \"%.80s\": location %lld has the same name", (long long)id, name,
             (long long)location);
    } else if (location_is_there(locations, DEFAULT_LOCATION)) {
        location = DEFAULT_LOCATION;
        note(notes, "warehouse %lld \"%.80s\": a guess; no location has its name, so the store's first, 1",
             (long long)id, name);
    } else {
        note(notes, "warehouse %lld \"%.80s\": no location fits; left out", (long long)id, name);
        return;
    }
    (void)cJSON_AddItemToArray(warehouses_of(list, location), cJSON_CreateNumber((double)id));
}

cJSON *propose_mapping(const cJSON *locations, const cJSON *warehouses, cJSON *notes) {
    cJSON *mapping = json_new_object(), *list = json_add_array(mapping, "locations");
    const cJSON *w = NULL, *l = NULL, *entry = NULL;
    int64_t id = 0, other = 0;
    cJSON_ArrayForEach(w, warehouses) {
        place(w, locations, list, notes);
    }
    cJSON_ArrayForEach(l, locations) {
        bool used = false;
        cJSON_ArrayForEach(entry, list) {
            used = used || (json_id(l, "id", &id) && json_id(entry, "bigcommerce_location_id", &other) && id == other);
        }
        if (!used && json_id(l, "id", &id)) {
            note(notes, "location %lld \"%.80s\"%s: left out, no warehouse fits", (long long)id, name_of(l, "label"),
                 json_bool(l, "enabled", true) ? "" : " (disabled)");
        }
    }
    return mapping;
}

/* ---- from the platforms ---- */

static enum next read_lists(struct baseline *b, struct answer *locations, struct answer *warehouses,
                            struct reason *why) {
    char path[96];
    int64_t total = 0;
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses.json?num=%d", (long long)b->app->set->sitoo_site_id,
                   LIST_MAX);
    memset(locations, 0, sizeof *locations);
    enum next next = baseline_sitoo(b, path, warehouses, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(warehouses->json, "items");
    if (cJSON_GetArraySize(items) == 0 || !json_int(warehouses->json, "totalcount", &total) ||
        total != cJSON_GetArraySize(items)) {
        next = reason_set(why, NEXT_PARK, "incomplete_read",
                          "Sitoo listed %d of %lld warehouses of site %lld; SITOO_SITE_ID must be the eshopid of GET "
                          "/sites.json",
                          cJSON_GetArraySize(items), (long long)total, (long long)b->app->set->sitoo_site_id);
    }
    next = next == NEXT_DONE ? baseline_bigcommerce(b, "/v3/inventory/locations?limit=1000", locations, why) : next;
    if (next == NEXT_DONE && cJSON_GetArraySize(json_array(locations->json, "data")) == 0) {
        next = reason_set(why, NEXT_PARK, "incomplete_read", "BigCommerce listed no location (status %d)",
                          locations->status);
    }
    if (next != NEXT_DONE) {
        answer_free(warehouses);
        answer_free(locations);
    }
    return next;
}

static void print_notes(const cJSON *notes) {
    const cJSON *one = NULL;
    struct buf text;
    buf_init(&text, (size_t)1024 * 1024);
    buf_add_str(&text, "A proposal, by names only; nothing was saved. Review each line, mend it, save it to the file "
                       "that ONEPOOL_CONFIG names:\n");
    cJSON_ArrayForEach(one, notes) {
        buf_add_str(&text, "  ");
        text_safe(&text, one->valuestring);
        buf_add_str(&text, "\n");
    }
    (void)fputs(buf_str(&text), stderr);
    buf_free(&text);
}

int baseline_propose(struct baseline *b) {
    struct reason why = {0};
    struct answer locations, warehouses;
    const struct command_line line = {.json = b->json};
    if (read_lists(b, &locations, &warehouses, &why) != NEXT_DONE) {
        return command_failed(&line, &why);
    }
    cJSON *all = json_new_object(), *notes = json_add_array(all, "notes");
    cJSON *mapping = propose_mapping(json_array(locations.json, "data"), json_array(warehouses.json, "items"), notes);
    if (b->json) {
        (void)cJSON_AddItemToObject(all, "proposal", mapping);
        command_print_json(all);
    } else {
        char *text = cJSON_Print(mapping);
        print_notes(notes);
        (void)printf("%s\n", text);
        free(text);
        cJSON_Delete(mapping);
    }
    cJSON_Delete(all);
    answer_free(&locations);
    answer_free(&warehouses);
    return 0;
}

/* ---- what a mapping leaves out ---- */

static enum next rows_of(struct baseline *b, int64_t warehouse, int64_t *rows, struct reason *why) {
    char path[160];
    struct answer answer;
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses/%lld/warehouseitems.json?num=1&fields=sku",
                   (long long)b->app->set->sitoo_site_id, (long long)warehouse);
    enum next next = baseline_sitoo(b, path, &answer, why);
    if (next == NEXT_DONE) {
        *rows = 0;
        (void)json_int(answer.json, "totalcount", rows);
        answer_free(&answer);
    }
    return next;
}

enum next baseline_left_out(struct baseline *b, cJSON *notes, struct reason *why) {
    struct answer locations, warehouses;
    const cJSON *w = NULL;
    int asked = 0;
    enum next next = read_lists(b, &locations, &warehouses, why);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(w, json_array(warehouses.json, "items")) {
        int64_t id = 0, rows = 0;
        if (!json_id(w, "warehouseid", &id) || mapping_warehouse_index(b->app->set->mapping, id) >= 0 ||
            asked++ >= ROWS_ASKED_MAX || next != NEXT_DONE) {
            continue;
        }
        next = rows_of(b, id, &rows, why);
        if (next == NEXT_DONE && rows > 0) {
            const char *reason = left_out(w);
            note(notes, "warehouse %lld \"%.80s\" is not mapped and has %lld stock rows%s%s", (long long)id,
                 name_of(w, "name"), (long long)rows, reason != NULL ? "; it " : "", reason != NULL ? reason : "");
        }
    }
    answer_free(&locations);
    answer_free(&warehouses);
    return next;
}
