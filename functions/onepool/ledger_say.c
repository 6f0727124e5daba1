/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_history.h: the sentences, and the state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "ledger_history.h"
#include "quantity.h"
#include "text.h"
#include "ban.h"

#define CAUSES_MAX   3
#define LATE_TILL_MS INT64_C(60000)

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    (void)json_int(o, key, &n);
    return n;
}

/* A number that was written as a number or as text. */
static int64_t any_number(const cJSON *o, const char *key) {
    int64_t n = 0;
    const char *text = json_str(o, key);
    return text != NULL && int_parse(text, -JSON_INT_MAX, JSON_INT_MAX, &n) ? n : number(o, key);
}

static const char *word(const cJSON *o, const char *key) {
    const char *s = json_str(o, key);
    return s != NULL ? s : "";
}

static int64_t quantity(const cJSON *o, const char *key) {
    int64_t n = 0;
    return quantity_parse(word(o, key), &n) ? n : 0;
}

static int64_t part_int(const struct history_event *e, int at) {
    int64_t n = 0;
    const cJSON *item = cJSON_GetArrayItem(e->part, at);
    return item != NULL && json_item_int(item, &n) ? n : 0;
}

static const char *part_str(const struct history_event *e, int at) {
    const cJSON *item = cJSON_GetArrayItem(e->part, at);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static bool is(const struct history_event *e, const char *type) {
    return strcmp(e->type, type) == 0;
}

/* ---- words ---- */

void history_units(int64_t thousandths, struct buf *out) {
    char text[QUANTITY_TEXT_SIZE];
    quantity_format(thousandths, text);
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '0' && strchr(text, '.') != NULL) {
        len--;
    }
    len -= len > 0 && text[len - 1] == '.' ? 1 : 0;
    buf_add(out, text, len);
}

void history_warehouse(const struct history *h, int64_t warehouse, struct buf *out) {
    char key[24];
    (void)snprintf(key, sizeof key, "%lld", (long long)warehouse);
    const char *name = h->names != NULL ? json_str(h->names, key) : NULL;
    if (name != NULL && name[0] != '\0') {
        text_safe(out, name);
    } else {
        buf_addf(out, "warehouse %s", key);
    }
}

static void at_location(const struct history *h, int64_t location, struct buf *out) {
    if (!h->one_location) {
        buf_addf(out, " at location %lld", (long long)location);
    }
}

static void clock_of(int64_t ms, int64_t beside_ms, struct buf *out) {
    char text[CLOCK_TEXT_SIZE];
    clock_format(ms, text);
    if (ms / 86400000 != beside_ms / 86400000) {
        buf_addf(out, "%.10s ", text);
    }
    buf_addf(out, "%.8s", text + 11);
}

static void safe(struct buf *out, const char *before, const char *s, const char *after) {
    buf_add_str(out, before);
    text_safe(out, s);
    buf_add_str(out, after);
}

/* ---- what moved the level ---- */

/* The event as a cause of the next level; false if it is none. */
static bool cause(const struct history_event *e, struct buf *out) {
    if (is(e, "sale")) {
        buf_addf(out, "order %lld", (long long)number(e->row, "order"));
    } else if (is(e, "movement")) {
        buf_addf(out, "Sitoo's row %lld", (long long)number(e->row, "row"));
    } else if (is(e, "pending")) {
        buf_addf(out, "web order %lld", (long long)any_number(e->row, "order"));
    } else if (is(e, "verdict") || is(e, "withheld") || is(e, "release")) {
        buf_add_str(out, "units that came back");
    } else if (is(e, "differs")) {
        buf_add_str(out, "another number in BigCommerce");
    } else if (is(e, "unsure_level")) {
        buf_add_str(out, "the answer that was lost");
    } else {
        return false;
    }
    return true;
}

/* A level or a computation of the location. */
static bool computes(const struct history_event *e, int64_t location) {
    return is(e, "computed") ? e->part != NULL && part_int(e, 1) == location
                             : (is(e, "level") || is(e, "shadow_level")) && number(e->row, "location") == location;
}

/* What stands for event k among the causes of what follows from up to i: itself, or the sale that Sitoo booked with it,
 * which may be recorded later than the level that included it. NULL = the sale stands for itself there. */
static const struct history_event *stands_for(const struct history *h, size_t k, size_t from, size_t i) {
    size_t teller = h->list[k].told;
    if (teller == 0) {
        return &h->list[k];
    }
    return teller - 1 >= from && teller - 1 < i ? NULL : &h->list[teller - 1];
}

/* " because of order 11513 and Sitoo's row 991": what came since the location's level was last computed.
 * False: nothing. */
static bool because(const struct history *h, size_t i, int64_t location, struct buf *out) {
    char before[80] = "";
    size_t n = 0, from = i;
    while (from > 0 && !computes(&h->list[from - 1], location)) {
        from--;
    }
    for (size_t k = from; k < i; k++) {
        const struct history_event *e = stands_for(h, k, from, i);
        struct buf one;
        buf_init(&one, 400);
        if (e != NULL && cause(e, &one) && strcmp(buf_str(&one), before) != 0) {
            n++;
            if (n <= CAUSES_MAX) {
                buf_addf(out, "%s%s", n == 1 ? ", because of " : ", ", buf_str(&one));
            }
            (void)str_copy(before, sizeof before, buf_str(&one));
        }
        buf_free(&one);
    }
    if (n > CAUSES_MAX) {
        buf_addf(out, " and %zu more", n - CAUSES_MAX);
    }
    return n > 0;
}

/* ---- sentences ---- */

static void say_sale(const struct history *h, const struct history_event *e, struct buf *out) {
    int64_t till = number(e->row, "till_ms");
    buf_add_str(out, "Sold ");
    history_units(quantity(e->row, "quantity"), out);
    buf_add_str(out, " in ");
    history_warehouse(h, number(e->row, "warehouse"), out);
    buf_addf(out, " (order %lld", (long long)number(e->row, "order"));
    if (till > 0 && e->ms - till > LATE_TILL_MS) {
        buf_add_str(out, ", rung up at ");
        clock_of(till, e->ms, out);
    }
    buf_add_str(out, ")");
    if (e->pair > 0) {
        buf_add_str(out, ", ");
        history_units(quantity(h->list[e->pair - 1].row, "on_hand"), out);
        buf_add_str(out, " left there");
    }
    buf_add_str(out, ".");
}

static void say_movement(const struct history *h, const struct history_event *e, struct buf *out) {
    int64_t delta = quantity(e->row, "quantity"), kind = number(e->row, "kind");
    history_units(delta < 0 ? -delta : delta, out);
    buf_add_str(out, kind == 30   ? " sold in "
                     : kind == 40 ? " came back from a customer in "
                     : kind == 50 ? (delta < 0 ? " fewer counted in " : " more counted in ")
                     : delta < 0  ? " taken out of "
                                  : " put into ");
    history_warehouse(h, number(e->row, "warehouse"), out);
    buf_addf(out, " (Sitoo's row %lld", (long long)number(e->row, "row"));
    if (kind != 10 && kind != 20 && kind != 30 && kind != 40 && kind != 50) {
        buf_addf(out, " of type %lld", (long long)kind);
    }
    int64_t created = number(e->row, "created_s") * 1000;
    if (created > 0 && e->ms - created > LATE_TILL_MS) {
        buf_add_str(out, ", of ");
        clock_of(created, e->ms, out);
    }
    buf_add_str(out, "), ");
    history_units(quantity(e->row, "on_hand"), out);
    buf_add_str(out, delta < 0 ? " left there." : " there now.");
}

static void say_level(const struct history *h, size_t i, struct buf *out) {
    const struct history_event *e = &h->list[i];
    int64_t location = number(e->row, "location");
    buf_add_str(out, is(e, "shadow_level") ? "Shadow mode would have told the web shop " : "The web shop was told ");
    buf_addf(out, "%lld", (long long)number(e->row, "level"));
    at_location(h, location, out);
    buf_addf(out, " (was %lld)", (long long)number(e->row, "was"));
    (void)because(h, i, location, out);
    if (is(e, "unsure_level")) {
        buf_add_str(out, ". Its answer was lost, so it is told again");
    } else if (e->pair > 0) {
        buf_add_str(out, "; BigCommerce showed it at ");
        clock_of(h->list[e->pair - 1].ms, e->ms, out);
    } else if (is(e, "level")) {
        bool newer = false;
        for (size_t k = i + 1; k < h->n; k++) {
            newer = newer || (is(&h->list[k], "level") && number(h->list[k].row, "location") == location);
        }
        buf_add_str(out, newer ? "; a newer number came before it was seen" : "; not seen in BigCommerce yet");
    }
    buf_add_str(out, ".");
}

static void say_computed(const struct history *h, size_t i, struct buf *out) {
    const struct history_event *e = &h->list[i];
    if (json_array(e->row, "none") != NULL) {
        safe(out, "It has no level in the web shop: ", part_str(e, 1), ".");
        return;
    }
    buf_addf(out, "Counted again: %lld", (long long)part_int(e, 2));
    at_location(h, part_int(e, 1), out);
    buf_add_str(out, " is still right");
    if (because(h, i, part_int(e, 1), out)) {
        buf_add_str(out, ".");
    } else {
        buf_add_str(out, " (nothing new was recorded).");
    }
}

bool history_is_idle(const struct history *h, size_t i) {
    const struct history_event *e = &h->list[i];
    struct buf ignored;
    if (!is(e, "computed") || json_array(e->row, "same") == NULL) {
        return false;
    }
    buf_init(&ignored, 1000);
    bool idle = !because(h, i, part_int(e, 1), &ignored);
    buf_free(&ignored);
    return idle;
}

/* target 0: no warehouse was chosen. */
static void say_pending(const struct history *h, const struct history_event *e, struct buf *out) {
    int64_t target = part_int(e, 0), units = part_int(e, 2);
    const char *why = word(e->row, "why");
    buf_addf(out, "Web order %lld ", (long long)any_number(e->row, "order"));
    if (units > 0) {
        buf_add_str(out, strcmp(why, "unreserved") == 0 ? "has lost its reservation in Sitoo and holds " : "holds ");
        history_units(units, out);
    } else if (strcmp(why, "reserved") == 0) {
        buf_add_str(out, "has ");
        history_units(-units, out);
        buf_add_str(out, " reserved or delivered in Sitoo now, so it is not subtracted here any more");
    } else {
        buf_add_str(out, "lets go of ");
        history_units(-units, out);
    }
    if (target > 0) {
        buf_add_str(out, " (");
        history_warehouse(h, target, out);
        buf_add_str(out, ")");
    } else if (units > 0) {
        buf_add_str(out, " (no warehouse chosen)");
    }
    buf_add_str(out, ".");
}

static void say_returned(const struct history *h, const struct history_event *e, struct buf *out) {
    history_units(any_number(e->row, "thousandths"), out);
    if (is(e, "withheld")) {
        buf_add_str(out, " came back in ");
        history_warehouse(h, any_number(e->row, "warehouse"), out);
        buf_add_str(out, "; not on sale until it is judged.");
    } else if (is(e, "release")) {
        buf_add_str(out, " that came back in ");
        history_warehouse(h, any_number(e->row, "warehouse"), out);
        safe(out, " is not withheld any more (", word(e->row, "how"), ").");
    } else {
        buf_add_str(out, " of return ");
        buf_addf(out, "%lld", (long long)any_number(e->row, "return"));
        buf_add_str(out, " in ");
        history_warehouse(h, any_number(e->row, "warehouse"), out);
        if (strcmp(word(e->row, "verdict"), "unknown") == 0) {
            buf_add_str(out, " could not be judged");
        } else {
            safe(out, " judged ", word(e->row, "verdict"), "");
        }
        if (word(e->row, "reason")[0] != '\0') {
            safe(out, ", reason ", word(e->row, "reason"), "");
        }
        buf_add_str(out, ".");
    }
}

static void say_product(const struct history_event *e, struct buf *out) {
    const cJSON *name = NULL;
    bool first = true;
    safe(out, "In the tills its product was ", word(e->row, "what"), "");
    cJSON_ArrayForEach(name, json_array(e->row, "fields")) {
        safe(out, first ? ": " : ", ", cJSON_IsString(name) ? name->valuestring : "", "");
        first = false;
    }
    if (word(e->row, "price")[0] != '\0') {
        safe(out, "; price ", word(e->row, "price"), "");
    }
    if (word(e->row, "was")[0] != '\0') {
        safe(out, " (was ", word(e->row, "was"), ")");
    }
    buf_add_str(out, ".");
}

static void say_case(const struct history_event *e, struct buf *out) {
    bool begins = is(e, "parked");
    safe(out, begins ? "A case waits for a person: " : "The case ", word(e->row, "cause"), "");
    if (begins) {
        safe(out, " (owner ", word(e->row, "owner"), ").");
    } else {
        safe(out, " ended (", word(e->row, "how"), ").");
    }
}

static void say_moved(const struct history *h, const struct history_event *e, struct buf *out) {
    history_units(quantity(e->row, "quantity"), out);
    buf_addf(out, " of return %lld moved from ", (long long)number(e->row, "return"));
    history_warehouse(h, number(e->row, "from"), out);
    buf_add_str(out, " to quarantine in ");
    history_warehouse(h, number(e->row, "to"), out);
    buf_add_str(out, ".");
}

static void say_read_back(const struct history *h, const struct history_event *e, struct buf *out) {
    buf_addf(out, "BigCommerce showed %lld", (long long)part_int(e, is(e, "differs") ? 3 : 2));
    at_location(h, part_int(e, 1), out);
    if (is(e, "differs")) {
        buf_addf(out, ", not %lld: it is told again", (long long)part_int(e, 2));
    }
    buf_add_str(out, ".");
}

void history_say(const struct history *h, size_t i, struct buf *out) {
    const struct history_event *e = &h->list[i];
    if (is(e, "sale")) {
        say_sale(h, e, out);
    } else if (is(e, "movement")) {
        say_movement(h, e, out);
    } else if (is(e, "level") || is(e, "shadow_level") || is(e, "unsure_level")) {
        say_level(h, i, out);
    } else if (is(e, "computed")) {
        say_computed(h, i, out);
    } else if (is(e, "confirmed") || is(e, "differs")) {
        say_read_back(h, e, out);
    } else if (is(e, "pending")) {
        say_pending(h, e, out);
    } else if (is(e, "verdict") || is(e, "release") || is(e, "withheld")) {
        say_returned(h, e, out);
    } else if (is(e, "product")) {
        say_product(e, out);
    } else if (is(e, "parked") || is(e, "case_ended")) {
        say_case(e, out);
    } else if (is(e, "quarantined")) {
        say_moved(h, e, out);
    } else if (is(e, "level_refused")) {
        buf_addf(out, "BigCommerce refused %lld", (long long)number(e->row, "level"));
        at_location(h, number(e->row, "location"), out);
        buf_addf(out, "; it keeps %lld.", (long long)number(e->row, "was"));
    } else if (is(e, "refund_made_in_bigcommerce")) {
        buf_addf(out, "Web order %lld was refunded in BigCommerce (refund %lld).", (long long)number(e->row, "order"),
                 (long long)number(e->row, "refund"));
    } else if (is(e, "goods_booked_in")) {
        buf_addf(out, "Goods of the refunded web order %lld were booked into Sitoo.",
                 (long long)any_number(e->row, "order"));
    } else {
        safe(out, "Recorded: ", e->type, ".");
    }
}

/* ---- the state ---- */

static cJSON *object_at(cJSON *o, const char *key) {
    cJSON *found = cJSON_GetObjectItemCaseSensitive(o, key);
    return found != NULL ? found : json_add_object(o, key);
}

static void put_time(cJSON *o, const char *key, int64_t ms) {
    char text[CLOCK_TEXT_SIZE];
    clock_format(ms, text);
    cJSON_DeleteItemFromObjectCaseSensitive(o, key);
    json_add_str(o, key, text);
}

static void put_int(cJSON *o, const char *key, int64_t n) {
    cJSON_DeleteItemFromObjectCaseSensitive(o, key);
    (void)cJSON_AddNumberToObject(o, key, (double)n); /* far below 2^53 */
}

static cJSON *location_at(cJSON *state, int64_t location) {
    char key[24];
    (void)snprintf(key, sizeof key, "%lld", (long long)location);
    return object_at(object_at(state, "levels"), key);
}

static void state_level(cJSON *state, const struct history_event *e) {
    cJSON *o = location_at(state, number(e->row, "location"));
    put_int(o, "level", number(e->row, "level"));
    put_time(o, "told", e->ms);
    cJSON_DeleteItemFromObjectCaseSensitive(o, "seen");
    cJSON_DeleteItemFromObjectCaseSensitive(o, "made_of");
    cJSON_DeleteItemFromObjectCaseSensitive(o, "unallocated");
    cJSON_DeleteItemFromObjectCaseSensitive(o, "mode");
    json_add_str(o, "mode", is(e, "shadow_level") ? "shadow" : "live");
    cJSON *list = json_add_array(o, "made_of");
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, json_array(e->row, "of")) {
        static const char *const names[] = {"warehouse", "available", "pending", "withheld"};
        cJSON *part = cJSON_CreateObject();
        (void)cJSON_AddItemToArray(list, part);
        for (int k = 0; k < 4; k++) {
            const cJSON *item = cJSON_GetArrayItem(one, k);
            (void)cJSON_AddNumberToObject(part, names[k], cJSON_IsNumber(item) ? item->valuedouble : 0);
        }
    }
    put_int(o, "unallocated", number(e->row, "unallocated"));
}

static void state_read_back(cJSON *state, const struct history_event *e) {
    cJSON *o = location_at(state, part_int(e, 1));
    put_int(o, "level", part_int(e, 2));
    if (is(e, "confirmed")) {
        put_time(o, "seen", e->ms);
    }
}

static void state_pending(cJSON *state, const struct history_event *e) {
    char key[64];
    int64_t now = 0;
    cJSON *held = object_at(state, "web_orders");
    (void)snprintf(key, sizeof key, "%lld|%lld", (long long)any_number(e->row, "order"), (long long)part_int(e, 0));
    (void)json_int(held, key, &now);
    now += part_int(e, 2);
    cJSON_DeleteItemFromObjectCaseSensitive(held, key);
    if (now != 0) {
        (void)cJSON_AddNumberToObject(held, key, (double)now);
    }
}

cJSON *history_state(const struct history *h) {
    cJSON *state = cJSON_CreateObject();
    (void)object_at(state, "levels");
    (void)object_at(state, "on_hand");
    (void)object_at(state, "web_orders");
    for (size_t i = 0; i < h->n; i++) {
        const struct history_event *e = &h->list[i];
        char key[24];
        if (is(e, "level") || is(e, "shadow_level")) {
            state_level(state, e);
        } else if (is(e, "confirmed")) {
            state_read_back(state, e);
        } else if (is(e, "computed") && json_array(e->row, "same") != NULL) {
            cJSON *o = location_at(state, part_int(e, 1));
            put_int(o, "level", part_int(e, 2));
            put_time(o, "counted", e->ms);
        } else if (is(e, "pending")) {
            state_pending(state, e);
        } else if (is(e, "movement")) {
            (void)snprintf(key, sizeof key, "%lld", (long long)number(e->row, "warehouse"));
            put_int(object_at(state, "on_hand"), key, quantity(e->row, "on_hand"));
        }
    }
    return state;
}
