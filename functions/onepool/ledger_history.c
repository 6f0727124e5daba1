/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_history.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "quantity.h"
#include "ban.h"

#define PAIR_MS   INT64_C(900000) /* a sale and its movement are recorded within so long of one another */
#define PAIR_LOOK ((size_t)500)   /* movements that are looked through for the other half */
#define KIND_SALE 30              /* transactiontype of Sitoo (sitoo.md 7.3) */

/* The longest part of the SKU that stands in JSON as it is, however the row was written. */
static char *needle_of(const char *sku) {
    size_t best = 0, best_len = 0;
    for (size_t i = 0; sku[i] != '\0';) {
        size_t len = 0;
        while (sku[i + len] != '\0' && strchr("\"\\/", sku[i + len]) == NULL && (unsigned char)sku[i + len] >= 0x20 &&
               (unsigned char)sku[i + len] < 0x7f) {
            len++;
        }
        if (len > best_len) {
            best = i;
            best_len = len;
        }
        i += len > 0 ? len : 1;
    }
    return xstrndup(sku + best, best_len);
}

void history_init(struct history *h, const char *sku) {
    *h = (struct history){.sku = xstrdup(sku), .needle = needle_of(sku)};
    h->list = xcalloc(HISTORY_EVENTS_MAX, sizeof *h->list);
}

void history_free(struct history *h) {
    for (size_t i = 0; i < h->n; i++) {
        cJSON_Delete(h->list[i].row);
    }
    free(h->list);
    free(h->sku);
    free(h->needle);
    *h = (struct history){0};
}

/* ---- which rows ---- */

static bool is_sku(const struct history *h, const char *s) {
    return s != NULL && strcmp(s, h->sku) == 0;
}

/* Of a list of lists: the element whose member `at` is the SKU, after `after`. */
static const cJSON *element(const struct history *h, const cJSON *list, int at, const cJSON *after) {
    const cJSON *one = after != NULL ? after->next : list != NULL ? list->child : NULL;
    for (; one != NULL; one = one->next) {
        const cJSON *sku = cJSON_GetArrayItem(one, at);
        if (cJSON_IsString(sku) && is_sku(h, sku->valuestring)) {
            return one;
        }
    }
    return NULL;
}

/* A case about the SKU: "sku", or "warehouse|sku". */
static bool case_of(const struct history *h, const cJSON *row) {
    const char *entity = json_str(row, "entity"), *queue = json_str(row, "queue");
    const char *bar = entity != NULL ? strchr(entity, '|') : NULL;
    return is_sku(h, entity) || (bar != NULL && is_sku(h, bar + 1)) ||
           (queue != NULL && strcmp(queue, "sku") == 0 && is_sku(h, json_str(row, "job")));
}

static bool refund_of(const struct history *h, const cJSON *row) {
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, json_array(row, "rows")) {
        if (is_sku(h, json_str(one, "sku"))) {
            return true;
        }
    }
    return false;
}

static void add(struct history *h, const struct ledger_entry *e, cJSON *row, const cJSON *part) {
    if (h->n == HISTORY_EVENTS_MAX) {
        size_t half = h->n / 2;
        for (size_t i = 0; i < half; i++) {
            cJSON_Delete(h->list[i].row);
        }
        memmove(h->list, h->list + half, (h->n - half) * sizeof *h->list);
        h->n -= half;
        h->left_out += (int64_t)half;
    }
    struct history_event *one = &h->list[h->n++];
    *one = (struct history_event){.ms = e->ms, .n = e->n, .type = json_str(row, "type"), .row = row, .part = part};
    (void)str_copy(one->id, sizeof one->id, e->id);
    h->seen++;
}

/* An event for each element of the row's list that is about the SKU; each has a copy of its own. */
static void add_elements(struct history *h, const struct ledger_entry *e, const cJSON *row, const char *list, int at) {
    const cJSON *one = NULL;
    while ((one = element(h, json_array(row, list), at, one)) != NULL) {
        cJSON *copy = json_new_object();
        json_add_str(copy, "type", json_str(row, "type"));
        json_add_str(copy, "order", json_str(row, "order"));
        json_add_str(copy, "status", json_str(row, "status"));
        json_add_str(copy, "why", json_str(row, "why"));
        cJSON *part = cJSON_Duplicate(one, true);
        (void)cJSON_AddItemToObject(copy, list, part);
        add(h, e, copy, part);
    }
}

void history_take(struct history *h, const struct ledger_entry *e) {
    char error[80];
    if ((h->until_ms > 0 && e->ms > h->until_ms) || strstr(e->row, h->needle) == NULL) {
        return;
    }
    cJSON *row = json_read(e->row, e->row_len, error, sizeof error);
    if (json_str(row, "type") == NULL) {
        cJSON_Delete(row);
        return;
    }
    add_elements(h, e, row, "levels", 0);
    add_elements(h, e, row, "same", 0);
    add_elements(h, e, row, "none", 0);
    add_elements(h, e, row, "moved", 1);
    if (is_sku(h, json_str(row, "sku")) || case_of(h, row) || refund_of(h, row)) {
        add(h, e, row, NULL);
    } else {
        cJSON_Delete(row);
    }
}

/* ---- what belongs together ---- */

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    (void)json_int(o, key, &n);
    return n;
}

static int64_t thousandths(const cJSON *o, const char *key) {
    int64_t n = 0;
    const char *text = json_str(o, key);
    return text != NULL && quantity_parse(text, &n) ? n : 0;
}

static bool is(const struct history_event *e, const char *type) {
    return strcmp(e->type, type) == 0;
}

/* The movement that Sitoo booked for a sale: as many units, in that warehouse, about then; recorded before or after. */
static bool booked(const struct history_event *sale, const struct history_event *move) {
    int64_t apart = number(move->row, "created_s") * 1000 - number(sale->row, "till_ms");
    return move->told == 0 && number(move->row, "warehouse") == number(sale->row, "warehouse") &&
           thousandths(move->row, "quantity") == -thousandths(sale->row, "quantity") && apart > -PAIR_MS &&
           apart < PAIR_MS;
}

static void pair(struct history *h, size_t i, size_t k) {
    h->list[i].pair = k + 1;
    h->list[k].told = i + 1;
}

/* A sale or a movement, and what orders it. */
struct half {
    size_t i;
    int64_t first, second;
};

static int by_order(const void *a, const void *b) {
    const struct half *x = a, *y = b;
    if (x->first != y->first) {
        return x->first < y->first ? -1 : 1;
    }
    return x->second == y->second ? 0 : x->second < y->second ? -1 : 1;
}

/* Sales in the order in which they were rung up, movements in that of Sitoo's rows. */
static struct half *halves(const struct history *h, bool sales, size_t *n) {
    struct half *list = xcalloc(h->n + 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct history_event *e = &h->list[i];
        if (sales && is(e, "sale")) {
            list[(*n)++] = (struct half){.i = i, .first = number(e->row, "till_ms"), .second = number(e->row, "order")};
        } else if (!sales && is(e, "movement") && number(e->row, "kind") == KIND_SALE) {
            list[(*n)++] = (struct half){.i = i, .first = number(e->row, "row")};
        }
    }
    qsort(list, *n, sizeof *list, by_order);
    return list;
}

static void pair_sales(struct history *h) {
    size_t sales = 0, moves = 0, first = 0;
    struct half *sale = halves(h, true, &sales), *move = halves(h, false, &moves);
    for (size_t s = 0; s < sales; s++) {
        while (first < moves && h->list[move[first].i].told > 0) {
            first++;
        }
        for (size_t m = first; m < moves && m < first + PAIR_LOOK; m++) {
            if (booked(&h->list[sale[s].i], &h->list[move[m].i])) {
                pair(h, sale[s].i, move[m].i);
                break;
            }
        }
    }
    free(sale);
    free(move);
}

static int64_t part_int(const struct history_event *e, int at) {
    int64_t n = 0;
    const cJSON *item = cJSON_GetArrayItem(e->part, at);
    return item != NULL && json_item_int(item, &n) ? n : 0;
}

/* A level and the next that is told of that location: its confirmation, unless another level came first. */
static void pair_level(struct history *h, size_t i) {
    int64_t location = number(h->list[i].row, "location");
    for (size_t k = i + 1; k < h->n; k++) {
        const struct history_event *e = &h->list[k];
        if ((is(e, "level") || is(e, "unsure_level")) && number(e->row, "location") == location) {
            return;
        }
        if (is(e, "confirmed") && part_int(e, 1) == location) {
            pair(h, i, k);
            return;
        }
    }
}

void history_end(struct history *h) {
    pair_sales(h);
    for (size_t i = 0; i < h->n; i++) {
        if (is(&h->list[i], "level")) {
            pair_level(h, i);
        }
    }
}
