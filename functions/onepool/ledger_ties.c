/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_ties.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "ban.h"

struct tie_place {
    struct ledger_tied *list; /* not told yet, oldest first */
    size_t n, cap;
};

const char *ledger_tie_name(enum ledger_tie tie) {
    static const char *const names[TIE_COUNT] = {"untied",    "written",  "confirmed", "shadowed",
                                                 "unchanged", "no_level", "waiting"};
    return names[tie];
}

void ledger_ties_init(struct ledger_ties *t, const struct mapping *m) {
    *t = (struct ledger_ties){.mapping = m};
    ledger_map_init(&t->at, sizeof(struct tie_place));
}

void ledger_ties_free(struct ledger_ties *t) {
    const struct ledger_slot *slot = NULL;
    while ((slot = ledger_map_next(&t->at, slot)) != NULL) {
        free(((struct tie_place *)slot->value)->list);
    }
    ledger_map_free(&t->at);
}

static void add(struct tie_place *p, const struct ledger_movement *m, int64_t location) {
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 2;
        p->list = xrealloc(p->list, p->cap, sizeof *p->list);
    }
    p->list[p->n++] = (struct ledger_tied){.row = m->row,
                                           .warehouse = m->warehouse,
                                           .location = location,
                                           .delta = m->delta,
                                           .total = m->total,
                                           .created_s = m->created_s,
                                           .recorded_ms = m->ms};
}

static bool feeds(const struct mapping_location *l, int64_t warehouse) {
    for (size_t i = 0; i < l->warehouse_count; i++) {
        if (l->warehouse_ids[i] == warehouse) {
            return true;
        }
    }
    return false;
}

void ledger_ties_move(struct ledger_ties *t, const struct ledger_movement *m) {
    bool mapped = false;
    for (size_t k = 0; k < t->mapping->location_count; k++) {
        const struct mapping_location *l = &t->mapping->locations[k];
        if (feeds(l, m->warehouse)) {
            mapped = true;
            add(ledger_map_at(&t->at, l->location_id, m->sku), m, l->location_id);
        }
    }
    t->unmapped += mapped ? 0 : 1;
}

static void tell(struct ledger_ties *t, const char *sku, const struct ledger_tied *one) {
    t->n[one->tie]++;
    if (t->told != NULL) {
        t->told(t->arg, sku, one);
    }
}

/* What becomes of those movements of the place that are `from`; told if nothing can follow. */
static void become(struct ledger_ties *t, struct tie_place *p, const char *sku, enum ledger_tie from,
                   const struct ledger_tied *how) {
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct ledger_tied one = p->list[i];
        if (one.tie == from) {
            one.tie = how->tie;
            if (how->tie == TIE_CONFIRMED) {
                one.confirmed_ms = how->confirmed_ms;
            } else {
                one.level = how->level;
                one.written_ms = how->written_ms;
                memcpy(one.why, how->why, sizeof one.why);
            }
        }
        if (one.tie == TIE_OPEN || one.tie == TIE_WRITTEN) {
            p->list[kept++] = one;
        } else {
            tell(t, sku, &one);
        }
    }
    p->n = kept;
    if (kept == 0) {
        free(p->list);
        *p = (struct tie_place){0};
    }
}

static void at(struct ledger_ties *t, const char *sku, int64_t location, enum ledger_tie from,
               const struct ledger_tied *how) {
    struct tie_place *p = sku != NULL ? ledger_map_find(&t->at, location, sku) : NULL;
    if (p != NULL) {
        become(t, p, sku, from, how);
    }
}

static void everywhere(struct ledger_ties *t, const char *sku, const struct ledger_tied *how) {
    for (size_t k = 0; k < t->mapping->location_count; k++) {
        at(t, sku, t->mapping->locations[k].location_id, TIE_OPEN, how);
    }
}

static const char *str_in(const cJSON *list, int i) {
    const cJSON *item = cJSON_GetArrayItem(list, i);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static int64_t int_in(const cJSON *list, int i) {
    int64_t n = 0;
    const cJSON *item = cJSON_GetArrayItem(list, i);
    return item != NULL && json_item_int(item, &n) ? n : 0;
}

static void level(struct ledger_ties *t, enum ledger_tie tie, const cJSON *row, int64_t ms) {
    struct ledger_tied how = {.tie = tie, .written_ms = ms};
    int64_t location = 0;
    if (json_int(row, "location", &location) && json_int(row, "level", &how.level)) {
        if (tie == TIE_NO_LEVEL) {
            (void)str_copy(how.why, sizeof how.why, "level_refused");
        }
        at(t, json_str(row, "sku"), location, TIE_OPEN, &how);
    }
}

static void computed(struct ledger_ties *t, const cJSON *row, int64_t ms) {
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, json_array(row, "same")) {
        const struct ledger_tied how = {.tie = TIE_UNCHANGED, .level = int_in(one, 2), .written_ms = ms};
        at(t, str_in(one, 0), int_in(one, 1), TIE_OPEN, &how);
    }
    cJSON_ArrayForEach(one, json_array(row, "none")) {
        struct ledger_tied how = {.tie = TIE_NO_LEVEL, .written_ms = ms};
        (void)str_copy(how.why, sizeof how.why, str_in(one, 1) != NULL ? str_in(one, 1) : "");
        everywhere(t, str_in(one, 0), &how);
    }
}

void ledger_ties_row(struct ledger_ties *t, const char *type, const cJSON *row, int64_t ms) {
    const cJSON *one = NULL;
    if (strcmp(type, "level") == 0) {
        level(t, TIE_WRITTEN, row, ms);
    } else if (strcmp(type, "shadow_level") == 0) {
        level(t, TIE_SHADOWED, row, ms);
    } else if (strcmp(type, "level_refused") == 0) {
        level(t, TIE_NO_LEVEL, row, ms);
    } else if (strcmp(type, "computed") == 0) {
        computed(t, row, ms);
    } else if (strcmp(type, "parked") == 0) {
        const char *cause = json_str(row, "cause"), *queue = json_str(row, "queue"), *job = json_str(row, "job");
        struct ledger_tied how = {.tie = TIE_NO_LEVEL, .written_ms = ms};
        /* Other cases leave the SKU due, or have a row of their own. */
        if (cause != NULL && strcmp(cause, "too_many_tries") == 0 && queue != NULL && strcmp(queue, "sku") == 0) {
            (void)str_copy(how.why, sizeof how.why, cause);
            everywhere(t, job, &how);
        }
    } else if (strcmp(type, "confirmed") == 0) {
        const struct ledger_tied how = {.tie = TIE_CONFIRMED, .confirmed_ms = ms};
        cJSON_ArrayForEach(one, json_array(row, "levels")) {
            at(t, str_in(one, 0), int_in(one, 1), TIE_WRITTEN, &how);
        }
    }
}

static bool has_open(const struct tie_place *p) {
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i].tie == TIE_OPEN) {
            return true;
        }
    }
    return false;
}

void ledger_ties_each_open(const struct ledger_ties *t, void (*each)(void *arg, const char *sku), void *arg) {
    const struct ledger_slot *slot = NULL;
    while ((slot = ledger_map_next(&t->at, slot)) != NULL) {
        if (has_open(slot->value)) {
            each(arg, slot->sku);
        }
    }
}

void ledger_ties_waiting(struct ledger_ties *t, const char *sku) {
    const struct ledger_tied how = {.tie = TIE_WAITING};
    everywhere(t, sku, &how);
}

void ledger_ties_end_at(struct ledger_ties *t, int64_t from_ms) {
    const struct ledger_slot *slot = NULL;
    while ((slot = ledger_map_next(&t->at, slot)) != NULL) {
        struct tie_place *p = slot->value;
        for (size_t i = 0; i < p->n; i++) {
            if (p->list[i].tie == TIE_OPEN && p->list[i].recorded_ms >= from_ms) {
                p->list[i].tie = TIE_WAITING;
            }
        }
    }
}

void ledger_ties_end(struct ledger_ties *t) {
    const struct ledger_slot *slot = NULL;
    while ((slot = ledger_map_next(&t->at, slot)) != NULL) {
        struct tie_place *p = slot->value;
        for (size_t i = 0; i < p->n; i++) {
            tell(t, slot->sku, &p->list[i]);
        }
        p->n = 0;
    }
}
