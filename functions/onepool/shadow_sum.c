/* SPDX-License-Identifier: Apache-2.0 */
#include "shadow_sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "quantity.h"
#include "ban.h"

/* ---- events ---- */

void shadow_events_add(struct shadow_events *e, const char *place, bool ours, int64_t at_ms, int64_t level,
                       int64_t until_ms) {
    if (e->n == e->cap) {
        e->cap = e->cap == 0 ? 1024 : 2 * e->cap;
        e->list = xrealloc(e->list, e->cap, sizeof *e->list);
    }
    e->list[e->n++] = (struct shadow_event){
        .place = xstrdup(place), .ours = ours, .at_ms = at_ms, .level = level, .until_ms = until_ms};
}

void shadow_events_free(struct shadow_events *e) {
    for (size_t i = 0; i < e->n; i++) {
        free(e->list[i].place);
    }
    free(e->list);
    memset(e, 0, sizeof *e);
}

static int compare_events(const void *a, const void *b) {
    const struct shadow_event *x = a, *y = b;
    int places = strcmp(x->place, y->place);
    if (places != 0) {
        return places;
    }
    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return (int)y->ours - (int)x->ours; /* ours first: a look in the same moment came after it */
}

/* ---- changes ---- */

static void end_change(struct shadow_sum *s, struct shadow_change *c, enum shadow_outcome outcome, int64_t shown_ms,
                       int64_t until_ms) {
    c->outcome = outcome;
    c->shown_ms = shown_ms;
    c->earlier_ms = outcome == SHADOW_EARLIER ? until_ms - c->at_ms : 0;
    s->counts[outcome]++;
}

/* BigCommerce shows what onepool would have: all changes that wait have come. */
static void end_waiting(struct shadow_sum *s, size_t from, const struct shadow_event *show) {
    for (size_t i = from; i < s->n; i++) {
        bool later = show->until_ms > s->changes[i].at_ms;
        end_change(s, &s->changes[i], later ? SHADOW_EARLIER : SHADOW_ALREADY, show->at_ms, show->until_ms);
    }
}

static void take_ours(struct shadow_sum *s, struct shadow_place *p, const struct shadow_event *e, int64_t since_ms,
                      size_t *waiting) {
    if (p->ours_ms > 0 && p->ours == e->level) {
        return; /* written again, the same */
    }
    p->ours = e->level;
    p->ours_ms = e->at_ms;
    bool shows = p->shown_ms > 0 && p->shown == e->level;
    if (e->at_ms >= since_ms) {
        s->changes[s->n++] = (struct shadow_change){
            .place = p->place, .at_ms = e->at_ms, .level = e->level, .was = p->shown_ms > 0 ? p->shown : -1};
    }
    if (shows) {
        for (size_t i = *waiting; i < s->n; i++) {
            bool last = i + 1 == s->n && e->at_ms >= since_ms;
            end_change(s, &s->changes[i], last ? SHADOW_ALREADY : SHADOW_PASSED, last ? p->shown_ms : 0, 0);
        }
        *waiting = s->n;
    }
}

static void reckon_place(const struct shadow_events *e, struct shadow_place *p, int64_t since_ms,
                         struct shadow_sum *s) {
    size_t waiting = s->n;
    for (size_t i = p->first; i < p->first + p->n; i++) {
        const struct shadow_event *one = &e->list[i];
        if (one->ours) {
            take_ours(s, p, one, since_ms, &waiting);
            continue;
        }
        p->shown = one->level;
        p->shown_ms = one->at_ms;
        if (p->ours_ms > 0 && p->ours == p->shown) {
            end_waiting(s, waiting, one);
            waiting = s->n;
        }
    }
    for (size_t i = waiting; i < s->n; i++) {
        end_change(s, &s->changes[i], SHADOW_WAITING, 0, 0);
    }
}

static int compare_ms(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void middle(struct shadow_sum *s) {
    int64_t *ms = xcalloc(s->n + 1, sizeof *ms);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->changes[i].outcome == SHADOW_EARLIER) {
            ms[n++] = s->changes[i].earlier_ms;
        }
    }
    if (n > 0) {
        qsort(ms, n, sizeof *ms, compare_ms);
        s->median_ms = n % 2 == 1 ? ms[n / 2] : (ms[n / 2 - 1] + ms[n / 2]) / 2;
        s->worst_ms = ms[n - 1];
    }
    free(ms);
}

void shadow_reckon(struct shadow_events *e, int64_t since_ms, struct shadow_sum *out) {
    memset(out, 0, sizeof *out);
    out->changes = xcalloc(e->n + 1, sizeof *out->changes);
    out->places = xcalloc(e->n + 1, sizeof *out->places);
    if (e->n > 1) {
        qsort(e->list, e->n, sizeof *e->list, compare_events);
    }
    for (size_t i = 0; i < e->n; i++) {
        if (i == 0 || strcmp(e->list[i].place, e->list[i - 1].place) != 0) {
            out->places[out->places_n++] = (struct shadow_place){.place = e->list[i].place, .first = i};
        }
        out->places[out->places_n - 1].n++;
    }
    for (size_t i = 0; i < out->places_n; i++) {
        reckon_place(e, &out->places[i], since_ms, out);
    }
    middle(out);
}

void shadow_sum_free(struct shadow_sum *s) {
    free(s->changes);
    free(s->places);
    free(s->oversells);
    memset(s, 0, sizeof *s);
}

/* ---- oversells ---- */

static int compare_place(const void *key, const void *place) {
    return strcmp(key, ((const struct shadow_place *)place)->place);
}

/* The last level before a moment, ours or shown; false if there is none. */
static bool level_before(const struct shadow_events *e, const struct shadow_place *p, bool ours, int64_t at_ms,
                         int64_t *level) {
    bool found = false;
    for (size_t i = p->first; i < p->first + p->n && e->list[i].at_ms < at_ms; i++) {
        if (e->list[i].ours == ours) {
            *level = e->list[i].level;
            found = true;
        }
    }
    return found;
}

static bool serves(const struct mapping_location *l, int64_t target) {
    for (size_t i = 0; target != 0 && i < l->warehouse_count; i++) {
        if (l->warehouse_ids[i] == target) {
            return true;
        }
    }
    return target == 0 && l->serves_shipping;
}

/* What both would have offered for a sale, over all locations that could serve it. False: at one of them nobody looked,
 * or onepool would have changed nothing anywhere. */
static bool offers(const struct mapping *m, const struct shadow_events *e, const struct shadow_sum *s,
                   const struct shadow_sale *sale, struct shadow_oversell *o) {
    bool changed = false;
    for (size_t i = 0; i < m->location_count; i++) {
        int64_t shown = 0, ours = 0;
        if (!serves(&m->locations[i], sale->target)) {
            continue;
        }
        struct buf name;
        buf_init(&name, 2000);
        buf_addf(&name, "%lld|%s", (long long)m->locations[i].location_id, sale->sku);
        const struct shadow_place *p =
            bsearch(buf_str(&name), s->places, s->places_n, sizeof *s->places, compare_place);
        buf_free(&name);
        if (p == NULL || !level_before(e, p, false, sale->created_ms, &shown)) {
            return false;
        }
        bool known = level_before(e, p, true, sale->created_ms, &ours);
        changed = changed || known;
        o->offered += shown > 0 ? shown : 0;
        o->ours += known ? ours : shown > 0 ? shown : 0;
    }
    return changed;
}

void shadow_oversells(const struct mapping *m, const struct shadow_events *e, const struct shadow_sale *sales, size_t n,
                      int64_t since_ms, struct shadow_sum *s) {
    s->oversells = xcalloc(n + 1, sizeof *s->oversells);
    for (size_t i = 0; i < n; i++) {
        struct shadow_oversell o = {.sale = &sales[i]};
        int64_t units = sales[i].thousandths / QUANTITY_ONE;
        if (sales[i].created_ms < since_ms || !offers(m, e, s, &sales[i], &o) || o.offered <= o.ours) {
            continue;
        }
        o.units = units > o.ours ? units - o.ours : 0;
        if (o.units > 0) {
            s->units += o.units;
            s->oversells[s->oversells_n++] = o;
        }
    }
}

/* ---- disagreements ---- */

bool shadow_disagrees(const struct shadow_place *p, int64_t settled_ms) {
    return p->ours_ms > 0 && p->last_ms > 0 && p->ours != p->shown && p->last_ms - p->ours_ms >= settled_ms;
}

static const char *units_of(int64_t n) {
    return n == 1 ? "unit" : "units";
}

void shadow_reason(const struct shadow_place *p, size_t same, char *out, size_t size) {
    int64_t d = p->shown - p->ours, withheld = p->withheld / QUANTITY_ONE, pending = p->pending / QUANTITY_ONE;
    char date[CLOCK_TEXT_SIZE];
    if (d > 0 && withheld > 0 && d == withheld) {
        (void)snprintf(out, size,
                       "%lld returned %s not judged sellable yet; the other side offers what onepool withholds",
                       (long long)d, d == 1 ? "unit is" : "units are");
    } else if (d > 0 && pending > 0 && d == pending) {
        (void)snprintf(out, size, "%lld %s of open web orders, which the other side does not subtract", (long long)d,
                       units_of(d));
    } else if (d > 0 && withheld > 0 && pending > 0 && d == withheld + pending) {
        (void)snprintf(out, size, "%lld returned and %lld ordered units, neither of which the other side subtracts",
                       (long long)withheld, (long long)pending);
    } else if (d < 0 && same >= 3) {
        (void)snprintf(out, size, "the other side keeps %lld %s back, as at %zu places: a buffer, it seems",
                       (long long)-d, units_of(-d), same);
    } else if (p->shown_ms < p->ours_ms) {
        clock_format(p->shown_ms, date);
        (void)snprintf(out, size,
                       "no change of it was seen in BigCommerce since %s: the other side does not write this SKU, or "
                       "not this change",
                       date);
    } else {
        (void)snprintf(out, size,
                       "not known: the other side wrote it after our change; compare the SKU in both shops, "
                       "and see onepool parked");
    }
}

/* ---- words ---- */

void shadow_duration(int64_t ms, char out[32]) {
    long long s = ms > 0 ? (long long)((ms + 500) / 1000) : 0;
    if (s < 60) {
        (void)snprintf(out, 32, "%lld s", s);
    } else if (s < 3600) {
        (void)snprintf(out, 32, "%lld min", (s + 30) / 60);
    } else if (s < 48 * 3600) {
        (void)snprintf(out, 32, "%lld h %lld min", s / 3600, s % 3600 / 60);
    } else {
        (void)snprintf(out, 32, "%lld d %lld h", s / 86400, s % 86400 / 3600);
    }
}

const char *shadow_outcome_name(enum shadow_outcome o) {
    switch (o) {
    case SHADOW_EARLIER:
        return "earlier";
    case SHADOW_ALREADY:
        return "already";
    case SHADOW_PASSED:
        return "passed";
    case SHADOW_WAITING:
    default:
        return "waiting";
    }
}
