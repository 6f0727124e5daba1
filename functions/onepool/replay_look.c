/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "keys.h"
#include "text.h"
#include "ban.h"

#define DUE_MAX 400

/* What a person makes of a queue. */
static const struct {
    const char *queue, *what;
} queues[] = {{QUEUE_ORDER, "orders of the tills are read again and sorted"},
              {QUEUE_LEDGER, "Sitoo's stock ledger is read on"},
              {QUEUE_SKU, "levels are computed anew"},
              {QUEUE_ITEM, "levels are read back from BigCommerce"},
              {QUEUE_HANDOVER, "web orders are compared with Sitoo"},
              {QUEUE_WEBORDER, "web orders are looked at"},
              {QUEUE_PICKUP, "web orders are looked at in the shops"},
              {QUEUE_REFUND, "refunds of web orders are looked at"},
              {QUEUE_PRODUCT, "products are compared with Sitoo"},
              {QUEUE_IMAGE, "images are compared with Sitoo"},
              {QUEUE_CATALOG, "both catalogs are compared"},
              {QUEUE_HOOKS, "webhooks are looked at"},
              {QUEUE_SALE, "sales are recorded, each once"},
              {QUEUE_RETURN, "returns are judged, each once"}};

static const char *what_of(const char *queue) {
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        if (strcmp(queues[i].queue, queue) == 0) {
            return queues[i].what;
        }
    }
    return "";
}

/* ---- gathering ---- */

void replay_look_begin(struct replay_look *l, int64_t rows_max) {
    memset(l, 0, sizeof *l);
    l->rows_max = rows_max;
    l->rows = xcalloc((size_t)rows_max + 1, sizeof *l->rows);
    l->digest = EVP_MD_CTX_new();
    if (l->digest == NULL || EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL) != 1) {
        abort();
    }
}

static void digest_text(struct replay_look *l, const char *text, size_t len) {
    char size[24];
    int n = snprintf(size, sizeof size, "%zu:", len);
    (void)EVP_DigestUpdate(l->digest, size, (size_t)n);
    (void)EVP_DigestUpdate(l->digest, text, len);
}

void replay_due_text(const struct args *marks, struct buf *out) {
    const char *queue = NULL, *entity = NULL;
    size_t at = 0, n = 0;
    while (replay_mark(marks, &at, &queue, &entity)) {
        buf_addf(out, "%s%s ", n++ > 0 ? ", " : "", queue);
        text_safe(out, entity);
    }
}

static void add_row(struct replay_look *l, const struct replay_event *e) {
    struct replay_row *row = &l->rows[l->n++];
    struct buf due;
    buf_init(&due, DUE_MAX);
    replay_due_text(&e->marks, &due);
    *row = (struct replay_row){.id = xstrdup(e->id),
                               .source = xstrdup(e->parked ? "parked" : e->source),
                               .event = xstrdup(e->event),
                               .due = buf_take(&due),
                               .problem = xstrdup(e->problem),
                               .at_ms = e->at_ms,
                               .bytes = (int64_t)e->len};
}

enum next replay_look_visit(void *arg, const struct replay_event *e, struct reason *why) {
    struct replay_look *l = arg;
    const char *queue = NULL, *entity = NULL;
    size_t at = 0;
    if (l->events + l->cases >= REPLAY_EVENTS_MAX) {
        return reason_set(why, NEXT_PARK, "too_many",
                          "more than %lld events are chosen: choose a shorter span with --from and --to, one after "
                          "another",
                          (long long)REPLAY_EVENTS_MAX);
    }
    *(e->parked ? &l->cases : &l->events) += 1;
    l->not_understood += e->problem[0] != '\0' ? 1 : 0;
    l->causeless += e->problem[0] == '\0' && e->due == 0 ? 1 : 0;
    digest_text(l, e->id, strlen(e->id));
    if (e->parked) {
        digest_text(l, e->bytes != NULL ? e->bytes : "", e->len);
    }
    while (replay_mark(&e->marks, &at, &queue, &entity)) {
        digest_text(l, queue, strlen(queue));
        digest_text(l, entity, strlen(entity));
        args_addf(&l->due, "%s %s", queue, entity);
    }
    if ((int64_t)l->n < l->rows_max) {
        add_row(l, e);
    }
    return NEXT_DONE;
}

void replay_look_id(struct replay_look *l, char id[17]) {
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (EVP_DigestFinal_ex(l->digest, sum, &len) != 1 || len < 8) {
        abort();
    }
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(id + 2 * i, 3, "%02x", (unsigned)sum[i]);
    }
}

void replay_look_free(struct replay_look *l) {
    for (size_t i = 0; i < l->n; i++) {
        free(l->rows[i].id);
        free(l->rows[i].source);
        free(l->rows[i].event);
        free(l->rows[i].due);
        free(l->rows[i].problem);
    }
    free(l->rows);
    args_free(&l->due);
    EVP_MD_CTX_free(l->digest);
    memset(l, 0, sizeof *l);
}

/* ---- by queue ---- */

struct queue_sum {
    char name[24];
    int64_t marks, entities;
};

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sums of the queues, in the order of their names; each entity counts once, however many events name it. */
static size_t sum_up(struct replay_look *l, struct queue_sum *sums, size_t max) {
    size_t n = 0;
    if (l->due.n > 1) {
        qsort(l->due.argv, l->due.n, sizeof *l->due.argv, compare);
    }
    for (size_t i = 0; i < l->due.n; i++) {
        const char *text = l->due.argv[i];
        size_t len = strcspn(text, " ");
        if (n == 0 || strncmp(sums[n - 1].name, text, len) != 0 || sums[n - 1].name[len] != '\0') {
            if (n == max || len >= sizeof sums->name) {
                return n;
            }
            sums[n] = (struct queue_sum){.marks = 0};
            memcpy(sums[n++].name, text, len);
        }
        sums[n - 1].marks++;
        sums[n - 1].entities += i == 0 || strcmp(l->due.argv[i - 1], text) != 0 ? 1 : 0;
    }
    return n;
}

#define SUMS_MAX 24

/* ---- showing ---- */

static void text_span(const struct replay_look *l, struct buf *out) {
    char begins[CLOCK_TEXT_SIZE], from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    if (l->only_cases) {
        return;
    }
    clock_format(l->begins_ms, begins);
    clock_format(l->from_ms > l->begins_ms ? l->from_ms : l->begins_ms, from);
    clock_format(l->to_ms, to);
    if (l->begins_ms == 0) {
        buf_add_str(out, "The journal is empty.\n");
        return;
    }
    buf_addf(out, "Looked at: the journal from %s to %s.\n", from, to);
    if (l->from_ms > 0 && l->from_ms < l->begins_ms) {
        buf_addf(out, "The journal begins at %s (events are kept for 14 days): what came before is not among them.\n",
                 begins);
    }
}

static void text_rows(const struct replay_look *l, struct buf *out) {
    char date[CLOCK_TEXT_SIZE];
    for (size_t i = 0; i < l->n; i++) {
        const struct replay_row *r = &l->rows[i];
        clock_format(r->at_ms, date);
        buf_add_str(out, "  ");
        text_safe(out, r->id);
        buf_addf(out, "  %s  %s", date, r->source);
        if (r->event[0] != '\0') {
            buf_add_str(out, " ");
            text_safe(out, r->event);
        }
        buf_add_str(out, "\n      ");
        buf_add_str(out, r->due[0] != '\0' ? r->due : "nothing becomes due");
        if (r->problem[0] != '\0') {
            buf_add_str(out, "; ");
            text_safe(out, r->problem);
        }
        buf_add_str(out, "\n");
    }
}

void replay_look_text(struct replay_look *l, const char *id, bool begun, struct buf *out) {
    struct queue_sum sums[SUMS_MAX];
    size_t n = sum_up(l, sums, SUMS_MAX);
    int64_t all = l->events + l->cases;
    if (all == 0) {
        buf_add_str(out, "Nothing is chosen: no event and no parked case fits.\n");
        text_span(l, out);
        return;
    }
    buf_addf(out, "%lld event%s and %lld parked case%s would be replayed. Due again:\n", (long long)l->events,
             l->events == 1 ? "" : "s", (long long)l->cases, l->cases == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "  %-10s %8lld   %s\n", sums[i].name, (long long)sums[i].entities, what_of(sums[i].name));
    }
    if (n == 0) {
        buf_add_str(out, "  nothing\n");
    }
    if (l->not_understood > 0) {
        buf_addf(out, "%lld cannot be understood or tried, now as before; such cases stay open.\n",
                 (long long)l->not_understood);
    }
    if (l->causeless > 0) {
        buf_addf(out, "%lld ask for nothing (of another site, or of a kind that needs no work).\n",
                 (long long)l->causeless);
    }
    text_span(l, out);
    buf_addf(out, (int64_t)l->n < all ? "\nThe first %zu:\n" : "\nAll %zu:\n", l->n);
    text_rows(l, out);
    buf_addf(out,
             "\nNothing was done. The bytes of one, as received:  onepool replay --show ID\n%s  onepool replay --apply "
             "%s\n",
             begun ? "It was begun and stopped; to go on:" : "To do it:", id);
}

cJSON *replay_look_json(struct replay_look *l, const char *id, bool begun) {
    struct queue_sum sums[SUMS_MAX];
    size_t n = sum_up(l, sums, SUMS_MAX);
    cJSON *o = json_new_object();
    json_add_str(o, "id", id);
    json_add_bool(o, "begun", begun);
    json_add_int(o, "events", l->events);
    json_add_int(o, "cases", l->cases);
    json_add_int(o, "not_understood", l->not_understood);
    json_add_int(o, "causeless", l->causeless);
    json_add_int(o, "journal_begins_ms", l->begins_ms);
    json_add_int(o, "from_ms", l->from_ms);
    json_add_int(o, "to_ms", l->to_ms);
    cJSON *due = json_add_object(o, "due"), *rows = json_add_array(o, "rows");
    for (size_t i = 0; i < n; i++) {
        json_add_int(due, sums[i].name, sums[i].entities);
    }
    for (size_t i = 0; i < l->n; i++) {
        const struct replay_row *r = &l->rows[i];
        cJSON *row = json_new_object();
        json_add_str(row, "id", r->id);
        json_add_str(row, "source", r->source);
        json_add_str(row, "event", r->event);
        json_add_int(row, "at_ms", r->at_ms);
        json_add_int(row, "bytes", r->bytes);
        json_add_str(row, "due", r->due);
        json_add_str(row, "problem", r->problem);
        (void)cJSON_AddItemToArray(rows, row);
    }
    return o;
}
