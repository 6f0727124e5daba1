/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sku.h"
#include "ban.h"

void ledger_chain_init(struct ledger_chain *c) {
    *c = (struct ledger_chain){.hasher = ledger_hasher_new()};
    buf_init(&c->last_row, LEDGER_LINE_MAX);
    buf_init(&c->last_c, LEDGER_LINE_MAX);
}

void ledger_chain_free(struct ledger_chain *c) {
    ledger_hasher_free(c->hasher);
    buf_free(&c->last_row);
    buf_free(&c->last_c);
    c->hasher = NULL;
}

/* ---- faults ---- */

static void label(struct ledger_fault *f, const struct ledger_entry *e) {
    char error[80];
    cJSON *json = json_read(e->row, e->row_len, error, sizeof error);
    const char *type = json_str(json, "type"), *sku = json_str(json, "sku");
    (void)str_copy(f->type, sizeof f->type, type != NULL ? type : "");
    (void)sku_shown(sku != NULL ? sku : "", f->sku);
    cJSON_Delete(json);
    f->n = e->n;
    f->ms = e->ms;
    (void)str_copy(f->id, sizeof f->id, e->id);
}

static struct ledger_fault *fault(struct ledger_chain *c, const struct ledger_entry *e) {
    static struct ledger_fault beyond;
    struct ledger_fault *f = c->fault_count < LEDGER_FAULTS_MAX ? &c->faults[c->fault_count] : &beyond;
    c->fault_count++;
    *f = (struct ledger_fault){0};
    if (e != NULL) {
        label(f, e);
    }
    return f;
}

/* The fault just found, if it is one of a changed entry and that entry is this one. */
static struct ledger_fault *latest(struct ledger_chain *c, const char *id) {
    struct ledger_fault *f =
        c->fault_count > 0 && c->fault_count <= LEDGER_FAULTS_MAX ? &c->faults[c->fault_count - 1] : NULL;
    return f != NULL && f->changed && strcmp(f->id, id) == 0 ? f : NULL;
}

static void fault_changed(struct ledger_chain *c, const struct ledger_entry *e, const char *how) {
    if (latest(c, e->id) != NULL) {
        return; /* it was named already */
    }
    struct ledger_fault *f = fault(c, e);
    f->changed = true;
    (void)str_copy(f->text, sizeof f->text, how);
}

/* ---- entries ---- */

static void keep_last(struct ledger_chain *c, const struct ledger_entry *e) {
    buf_reset(&c->last_row);
    buf_add(&c->last_row, e->row, e->row_len);
    buf_reset(&c->last_c);
    buf_add_str(&c->last_c, e->c);
    c->last = *e;
    c->last.owned = NULL;
    c->last.row = buf_str(&c->last_row);
    c->last.c = buf_str(&c->last_c);
    ledger_hash(c->hasher, e, c->head);
}

/* The hash that this entry holds of the one before does not fit: that one was changed, or this one's link. */
static void misfit(struct ledger_chain *c) {
    /* The one before did not fit the one before it either: then it is the one. */
    if (c->fault_count > 0 && c->fault_count <= LEDGER_FAULTS_MAX) {
        struct ledger_fault *f = &c->faults[c->fault_count - 1];
        if (f->changed && f->n > 0 && f->n == c->last_n - 1) {
            label(f, &c->last);
            (void)str_copy(f->text, sizeof f->text,
                           "its link was changed: it fits neither the entry before nor the one after");
            return;
        }
    }
    fault_changed(c, &c->last, "it was changed: the next entry holds another hash of it");
}

/* Where the entry before is the beginning, this is the first, whatever its number says. */
static void first_link(struct ledger_chain *c, const struct ledger_entry *e) {
    bool begins = strcmp(e->prev, LEDGER_BEGIN) == 0;
    c->first_n = begins ? 1 : e->n;
    c->before_ms = e->ms - e->gap;
    if ((e->n == 1) != begins || (begins && e->gap != 0)) {
        fault_changed(c, e,
                      begins && e->n != 1 ? "its number was changed"
                                          : "its link was changed: it is not that of a first entry");
    }
}

static void follows(struct ledger_chain *c, const struct ledger_entry *e) {
    bool fits = strcmp(e->prev, c->head) == 0;
    if (fits && e->n != c->last_n + 1) {
        fault_changed(c, e, "its number was changed");
    } else if (fits && e->gap != e->ms - c->last.ms) {
        fault_changed(c, e, "its time was changed: it does not fit the entry before");
    } else if (!fits && e->n == c->last_n + 1) {
        misfit(c);
    } else if (!fits && e->n > c->last_n + 1) {
        struct ledger_fault *f = fault(c, e);
        (void)snprintf(f->text, sizeof f->text, "entries %lld to %lld, before this one, are missing",
                       (long long)c->last_n + 1, (long long)e->n - 1);
    } else if (!fits) {
        struct ledger_fault *f = fault(c, e);
        (void)snprintf(f->text, sizeof f->text, "it stands behind entry %lld, where it does not belong",
                       (long long)c->last_n);
    }
}

static bool restarts(const struct ledger_chain *c, const struct ledger_entry *e) {
    return c->restarts_allowed && e->n == 1 && strcmp(e->prev, LEDGER_BEGIN) == 0;
}

static void take_link(struct ledger_chain *c, const struct ledger_entry *e) {
    bool follow = c->linked > 0;
    int64_t n = e->n;
    c->linked++;
    if (!follow) {
        first_link(c, e);
        n = c->first_n;
    } else if (restarts(c, e)) {
        c->restarts++;
    } else {
        follows(c, e);
        /* A number that was changed is not believed, else the next one would be told as missing. */
        n = latest(c, e->id) != NULL ? c->last_n + 1 : n;
    }
    keep_last(c, e);
    c->last_n = n;
}

void ledger_chain_take(struct ledger_chain *c, const struct ledger_entry *e) {
    c->first_ms = c->entries == 0 ? e->ms : c->first_ms;
    c->last_ms = e->ms;
    c->entries++;
    switch (e->link) {
    case LINK_GOOD:
        take_link(c, e);
        break;
    case LINK_BAD:
        fault_changed(c, e, "its link was changed: it cannot be read");
        if (c->linked > 0) {
            c->linked++;
            c->last_n++;
            keep_last(c, e);
        }
        break;
    case LINK_NONE:
        if (c->linked > 0) {
            (void)snprintf(fault(c, e)->text, LEDGER_TEXT_SIZE,
                           "it has no link, though it stands behind entry %lld: it was not written by onepool",
                           (long long)c->last_n);
        } else {
            c->unlinked++;
        }
        break;
    }
}

void ledger_chain_fault(struct ledger_chain *c, const char *text) {
    struct ledger_fault *f = fault(c, NULL);
    (void)str_copy(f->text, sizeof f->text, text);
}

void ledger_chain_end(struct ledger_chain *c, int64_t n, const char *head, const char *where) {
    char text[LEDGER_TEXT_SIZE];
    if (n > c->last_n) {
        (void)snprintf(text, sizeof text, "the newest entries, %lld to %lld, are missing: %.200s knows of them",
                       (long long)c->last_n + 1, (long long)n, where);
        ledger_chain_fault(c, text);
    } else if (n < c->last_n) {
        (void)snprintf(text, sizeof text, "%.200s says that entry %lld is the newest, but there are entries up to %lld",
                       where, (long long)n, (long long)c->last_n);
        ledger_chain_fault(c, text);
    } else if (c->linked > 0 && strcmp(c->head, head) != 0) {
        misfit(c);
    }
}

void ledger_chain_begin_at(struct ledger_chain *c, int64_t floor_ms) {
    if (c->linked > 0 && c->first_n > 1 && c->before_ms >= floor_ms) {
        char text[LEDGER_TEXT_SIZE];
        (void)snprintf(text, sizeof text,
                       "the oldest entries, up to %lld, are missing, and that one was younger than entries are kept",
                       (long long)c->first_n - 1);
        ledger_chain_fault(c, text);
    }
}
