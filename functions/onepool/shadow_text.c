/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "clock.h"
#include "json.h"
#include "shadow.h"
#include "text.h"
#include "ban.h"

#define REASON_MAX 300
#define NUMBER_MAX 32

static const struct {
    const char *kind, *what;
} kinds[] = {{"refund", "refunds on web orders"},
             {"web_order", "steps of web orders in Sitoo: made, changed, cancelled"},
             {"products", "writes of products to the tills"},
             {"metafield", "notes of returns on web orders"},
             {"note", "notes for the staff on web orders"},
             {"quarantine", "moves of returned goods"},
             {"goods_in", "goods booked in"},
             {"hooks", "webhooks put right"}};

static const char *what_of(const char *kind) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            return kinds[i].what;
        }
    }
    return "";
}

/* 1204 -> "1,204" */
static const char *number(int64_t n, char out[NUMBER_MAX]) {
    char digits[NUMBER_MAX];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    size_t at = 0;
    for (int i = 0; i < len && at + 2 < NUMBER_MAX; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-') {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static const char *plural(int64_t n) {
    return n == 1 ? "" : "s";
}

static void span_text(int64_t ms, char out[NUMBER_MAX]) {
    static const struct {
        int64_t from_ms, unit_ms;
        const char *name;
    } units[] = {{48 * 3600000, 86400000, "day"}, {2 * 3600000, 3600000, "hour"}, {0, 60000, "minute"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ms >= units[i].from_ms) {
            int64_t n = (ms + units[i].unit_ms / 2) / units[i].unit_ms;
            n = n < 1 ? 1 : n;
            (void)snprintf(out, NUMBER_MAX, "%lld %s%s", (long long)n, units[i].name, plural(n));
            return;
        }
    }
}

void shadow_line(const struct shadow_report *r, struct buf *out) {
    const struct shadow_sum *s = &r->sum;
    char span[NUMBER_MAX], a[NUMBER_MAX], b[NUMBER_MAX], c[NUMBER_MAX], median[32];
    int64_t earlier = s->counts[SHADOW_EARLIER];
    span_text(r->to_ms - r->from_ms, span);
    shadow_duration(s->median_ms, median);
    if (earlier > 0) {
        buf_addf(out, "In %s onepool would have shown %s change%s of stock a median of %s earlier; ", span,
                 number(earlier, a), plural(earlier), median);
    } else {
        buf_addf(out, "In %s onepool would have shown no change of stock that the web shop came to show later; ", span);
    }
    buf_addf(out, "%s unit%s sold online that %s gone; %s SKU%s disagree%s.\n", number(s->units, b),
             s->units == 1 ? " was" : "s were", s->units == 1 ? "was" : "were", number((int64_t)r->disagree_n, c),
             plural((int64_t)r->disagree_n), r->disagree_n == 1 ? "s" : "");
}

/* ---- parts ---- */

static void place_text(const char *place, struct buf *out) {
    const char *bar = strchr(place, '|');
    if (bar != NULL) {
        text_safe(out, bar + 1);
        buf_addf(out, " at location %.*s", (int)(bar - place), place);
    }
}

static void text_changes(const struct shadow_report *r, struct buf *out) {
    static const char *const words[] = {"came later by another hand", "shown already, or by the first look after",
                                        "taken back by a later change before anybody showed it", "not shown yet"};
    char n[NUMBER_MAX], worst[32];
    buf_add_str(out, "\nChanges of stock that onepool would have written:\n");
    for (size_t i = 0; i <= SHADOW_WAITING; i++) {
        buf_addf(out, "  %9s  %s\n", number(r->sum.counts[i], n), words[i]);
    }
    if (r->sum.counts[SHADOW_EARLIER] > 0) {
        shadow_duration(r->sum.worst_ms, worst);
        buf_addf(out, "The longest: %s.\n", worst);
    }
}

static int compare_late(const void *a, const void *b) {
    const struct shadow_change *x = *(const struct shadow_change *const *)a,
                               *y = *(const struct shadow_change *const *)b;
    return x->earlier_ms != y->earlier_ms ? (x->earlier_ms > y->earlier_ms ? -1 : 1) : strcmp(x->place, y->place);
}

/* The changes that came latest; the caller frees. */
static const struct shadow_change **latest(const struct shadow_report *r, size_t *n) {
    const struct shadow_change **list = xcalloc(r->sum.n + 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; i < r->sum.n; i++) {
        if (r->sum.changes[i].outcome == SHADOW_EARLIER) {
            list[(*n)++] = &r->sum.changes[i];
        }
    }
    if (*n > 1) {
        qsort(list, *n, sizeof *list, compare_late);
    }
    return list;
}

static void text_latest(const struct shadow_report *r, int64_t rows, struct buf *out) {
    size_t n = 0;
    const struct shadow_change **list = latest(r, &n);
    char date[CLOCK_TEXT_SIZE], late[32];
    for (size_t i = 0; i < n && (int64_t)i < rows; i++) {
        clock_format(list[i]->at_ms, date);
        shadow_duration(list[i]->earlier_ms, late);
        buf_add_str(out, "  ");
        place_text(list[i]->place, out);
        buf_addf(out, ": %lld at %s, shown %s later\n", (long long)list[i]->level, date, late);
    }
    free(list);
}

static void text_oversells(const struct shadow_report *r, int64_t rows, struct buf *out) {
    char date[CLOCK_TEXT_SIZE], n[NUMBER_MAX];
    if (r->sum.oversells_n == 0) {
        return;
    }
    buf_addf(out, "\nSold online, and gone: %s unit%s.\n", number(r->sum.units, n), plural(r->sum.units));
    for (size_t i = 0; i < r->sum.oversells_n && (int64_t)i < rows; i++) {
        const struct shadow_oversell *o = &r->sum.oversells[i];
        clock_format(o->sale->created_ms, date);
        buf_add_str(out, "  web order ");
        text_safe(out, o->sale->order);
        buf_addf(out, " of %s: %lld of ", date, (long long)o->units);
        text_safe(out, o->sale->sku);
        buf_addf(out, "; the web shop showed %lld, onepool would have shown %lld\n", (long long)o->offered,
                 (long long)o->ours);
    }
}

static void text_disagree(const struct shadow_report *r, int64_t rows, struct buf *out) {
    char reason[REASON_MAX];
    if (r->disagree_n == 0) {
        return;
    }
    buf_add_str(out, "\nStays at another number:\n");
    for (size_t i = 0; i < r->disagree_n && (int64_t)i < rows; i++) {
        const struct shadow_place *p = r->disagree[i];
        shadow_reason(p, shadow_same(r, p), reason, sizeof reason);
        buf_add_str(out, "  ");
        place_text(p->place, out);
        buf_addf(out, ": BigCommerce shows %lld, onepool would show %lld\n      %s\n", (long long)p->shown,
                 (long long)p->ours, reason);
    }
    if ((int64_t)r->disagree_n > rows) {
        buf_addf(out, "  ... and %zu more: --rows N\n", r->disagree_n - (size_t)rows);
    }
}

static void text_kinds(const struct shadow_report *r, struct buf *out) {
    char n[NUMBER_MAX], first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
    if (r->kinds_n == 0) {
        return;
    }
    buf_add_str(out, "\nWhat else would have been written, each once:\n");
    for (size_t i = 0; i < r->kinds_n; i++) {
        const struct shadow_kind *k = &r->kinds[i];
        clock_format(k->first_ms, first);
        clock_format(k->last_ms, last);
        buf_addf(out, "  %9s  %-10s %s (%s to %s)\n", number(k->count, n), k->name, what_of(k->name), first, last);
    }
}

size_t shadow_same(const struct shadow_report *r, const struct shadow_place *p) {
    size_t n = 0;
    for (size_t i = 0; i < r->disagree_n; i++) {
        n += r->disagree[i]->shown - r->disagree[i]->ours == p->shown - p->ours ? 1 : 0;
    }
    return n;
}

void shadow_text(const struct shadow_report *r, int64_t rows, struct buf *out) {
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    if (r->sum.n == 0 && r->kinds_n == 0) {
        buf_add_str(out, r->live
                             ? "Nothing was recorded in shadow mode; onepool is live.\n"
                             : "Nothing is recorded yet. Shadow mode records as soon as something is sold, moved or "
                               "ordered: see onepool status.\n");
        return;
    }
    shadow_line(r, out);
    clock_format(r->from_ms, from);
    clock_format(r->to_ms, to);
    buf_addf(out, "From %s to %s. %s\n", from, to,
             r->live ? "onepool is live now; this is the time before." : "Nothing was written.");
    text_changes(r, out);
    text_latest(r, rows, out);
    text_oversells(r, rows, out);
    text_disagree(r, rows, out);
    text_kinds(r, out);
}

/* ---- files ---- */

static void csv_time(struct buf *out, int64_t ms) {
    char date[CLOCK_TEXT_SIZE] = "";
    if (ms > 0) {
        clock_format(ms, date);
    }
    csv_cell(out, date);
}

static void csv_place(struct buf *out, const char *place) {
    const char *bar = strchr(place, '|');
    buf_addf(out, "%.*s,", bar != NULL ? (int)(bar - place) : 0, place);
    csv_cell(out, bar != NULL ? bar + 1 : place);
    buf_add_str(out, ",");
}

void shadow_csv(const struct shadow_report *r, struct buf *out) {
    char reason[REASON_MAX];
    buf_add_str(out, "what,location,sku,onepool,bigcommerce,at,shown_at,earlier_minutes,outcome\r\n");
    for (size_t i = 0; i < r->sum.n; i++) {
        const struct shadow_change *c = &r->sum.changes[i];
        buf_add_str(out, "change,");
        csv_place(out, c->place);
        buf_addf(out, "%lld,", (long long)c->level);
        if (c->was >= 0) {
            buf_addf(out, "%lld", (long long)c->was);
        }
        buf_add_str(out, ",");
        csv_time(out, c->at_ms);
        buf_add_str(out, ",");
        csv_time(out, c->shown_ms);
        buf_addf(out, ",%lld,%s\r\n", (long long)(c->earlier_ms / 60000), shadow_outcome_name(c->outcome));
    }
    for (size_t i = 0; i < r->sum.oversells_n; i++) {
        const struct shadow_oversell *o = &r->sum.oversells[i];
        buf_add_str(out, "oversell,,");
        csv_cell(out, o->sale->sku);
        buf_addf(out, ",%lld,%lld,", (long long)o->ours, (long long)o->offered);
        csv_time(out, o->sale->created_ms);
        buf_addf(out, ",,,web order %s: %lld gone\r\n", o->sale->order, (long long)o->units);
    }
    for (size_t i = 0; i < r->disagree_n; i++) {
        const struct shadow_place *p = r->disagree[i];
        shadow_reason(p, shadow_same(r, p), reason, sizeof reason);
        buf_add_str(out, "disagree,");
        csv_place(out, p->place);
        buf_addf(out, "%lld,%lld,", (long long)p->ours, (long long)p->shown);
        csv_time(out, p->ours_ms);
        buf_add_str(out, ",");
        csv_time(out, p->shown_ms);
        buf_add_str(out, ",,");
        csv_cell(out, reason);
        buf_add_str(out, "\r\n");
    }
}

static cJSON *add_item(cJSON *list) {
    cJSON *o = json_new_object();
    (void)cJSON_AddItemToArray(list, o);
    return o;
}

static void add_place(cJSON *o, const char *place) {
    const char *bar = strchr(place, '|');
    char location[32];
    (void)snprintf(location, sizeof location, "%.*s", bar != NULL ? (int)(bar - place) : 0, place);
    json_add_str(o, "location", location);
    json_add_str(o, "sku", bar != NULL ? bar + 1 : place);
}

static void json_lists(const struct shadow_report *r, int64_t rows, cJSON *o) {
    char reason[REASON_MAX];
    size_t n = 0;
    const struct shadow_change **list = latest(r, &n);
    cJSON *late = json_add_array(o, "latest"), *oversells = json_add_array(o, "oversells"),
          *disagree = json_add_array(o, "disagreements"), *others = json_add_array(o, "kinds");
    for (size_t i = 0; i < n && (int64_t)i < rows; i++) {
        cJSON *one = add_item(late);
        add_place(one, list[i]->place);
        json_add_int(one, "level", list[i]->level);
        json_add_int(one, "at_ms", list[i]->at_ms);
        json_add_int(one, "shown_ms", list[i]->shown_ms);
        json_add_int(one, "earlier_ms", list[i]->earlier_ms);
    }
    free(list);
    for (size_t i = 0; i < r->sum.oversells_n && (int64_t)i < rows; i++) {
        const struct shadow_oversell *s = &r->sum.oversells[i];
        cJSON *one = add_item(oversells);
        json_add_str(one, "web_order", s->sale->order);
        json_add_str(one, "sku", s->sale->sku);
        json_add_int(one, "created_ms", s->sale->created_ms);
        json_add_int(one, "units", s->units);
        json_add_int(one, "shown", s->offered);
        json_add_int(one, "onepool", s->ours);
    }
    for (size_t i = 0; i < r->disagree_n && (int64_t)i < rows; i++) {
        const struct shadow_place *p = r->disagree[i];
        cJSON *one = add_item(disagree);
        shadow_reason(p, shadow_same(r, p), reason, sizeof reason);
        add_place(one, p->place);
        json_add_int(one, "onepool", p->ours);
        json_add_int(one, "onepool_ms", p->ours_ms);
        json_add_int(one, "shown", p->shown);
        json_add_int(one, "shown_ms", p->shown_ms);
        json_add_str(one, "reason", reason);
    }
    for (size_t i = 0; i < r->kinds_n; i++) {
        cJSON *one = add_item(others);
        json_add_str(one, "kind", r->kinds[i].name);
        json_add_int(one, "count", r->kinds[i].count);
        json_add_int(one, "first_ms", r->kinds[i].first_ms);
        json_add_int(one, "last_ms", r->kinds[i].last_ms);
    }
}

cJSON *shadow_json(const struct shadow_report *r, int64_t rows) {
    struct buf line;
    cJSON *o = json_new_object();
    buf_init(&line, 1000);
    shadow_line(r, &line);
    char *text = buf_take(&line);
    text[strcspn(text, "\n")] = '\0';
    json_add_str(o, "summary", text);
    free(text);
    json_add_bool(o, "live", r->live);
    json_add_int(o, "from_ms", r->from_ms);
    json_add_int(o, "to_ms", r->to_ms);
    cJSON *changes = json_add_object(o, "changes");
    for (int i = 0; i <= SHADOW_WAITING; i++) {
        json_add_int(changes, shadow_outcome_name((enum shadow_outcome)i), r->sum.counts[i]);
    }
    json_add_int(o, "median_ms", r->sum.median_ms);
    json_add_int(o, "worst_ms", r->sum.worst_ms);
    json_add_int(o, "oversold_units", r->sum.units);
    json_add_int(o, "disagree", (int64_t)r->disagree_n);
    json_lists(r, rows, o);
    return o;
}
