/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What onepool ledger verify says. In JSON:
 *
 *   {"ok":true,"entries":1000,"first":"2026-11-30T06:00:00.000Z","last":"...","rows":{"movement":400,"level":390,...},
 *    "chain":{"whole":true,"linked":1000,"before_the_chain":0,"first_entry":1,"last_entry":1000,"begins_anew":0,
 *             "faults":0,"list":[{"entry":7,"id":"1700000000000-0","at":"...","type":"level","sku":"A","text":"..."}]},
 *    "movements":400,"gaps":{"open":0,"all":1,"list":[{"warehouse":1,"sku":"A","after_row":5,"before_row":9,
 *             "units_missing":"-1.000","found":"recorded later"}]},
 *    "ties":{"confirmed":300,"written":1,"unchanged":90,"no_level":5,"shadowed":0,"waiting":4,"untied":0,"not_mapped":0,
 *            "before_the_chain":0,"list":[{"row":5,"warehouse":1,"sku":"A","quantity":"-1.000","location":1,...}]},
 *    "unreadable_rows":0,"files":0,"newest_file":null,"newest_sha256":null}
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "ledger_verify.h"
#include "quantity.h"
#include "text.h"
#include "ban.h"

static void add_time(cJSON *o, const char *key, int64_t ms) {
    char text[CLOCK_TEXT_SIZE];
    if (ms > 0) {
        clock_format(ms, text);
    }
    json_add_str(o, key, ms > 0 ? text : NULL);
}

static void add_chain(cJSON *report, const struct ledger_verify *v) {
    const struct ledger_chain *c = &v->chain;
    cJSON *o = json_add_object(report, "chain");
    json_add_bool(o, "whole", c->fault_count == 0);
    json_add_int(o, "linked", c->linked);
    json_add_int(o, "before_the_chain", c->unlinked);
    json_add_int(o, "first_entry", c->first_n);
    json_add_int(o, "last_entry", c->last_n);
    json_add_int(o, "begins_anew", c->restarts);
    json_add_int(o, "faults", (int64_t)c->fault_count);
    cJSON *list = json_add_array(o, "list");
    for (size_t i = 0; i < c->fault_count && i < LEDGER_FAULTS_MAX; i++) {
        const struct ledger_fault *f = &c->faults[i];
        cJSON *one = json_new_object();
        json_add_int(one, "entry", f->n);
        json_add_str(one, "id", f->id[0] != '\0' ? f->id : NULL);
        add_time(one, "at", f->ms);
        json_add_str(one, "type", f->type[0] != '\0' ? f->type : NULL);
        json_add_str(one, "sku", f->sku[0] != '\0' ? f->sku : NULL);
        json_add_str(one, "text", f->text);
        (void)cJSON_AddItemToArray(list, one);
    }
}

static const char *found_word(const struct ledger_gap *g, bool asked) {
    if (g->left == 0) {
        return g->in_sitoo ? "in Sitoo, not in this ledger" : "recorded later";
    }
    return g->found > 0 ? "only a part" : asked ? "not found in Sitoo" : "not looked up";
}

static void add_gaps(cJSON *report, const struct ledger_verify *v) {
    char units[QUANTITY_TEXT_SIZE];
    cJSON *o = json_add_object(report, "gaps");
    json_add_int(o, "open", (int64_t)ledger_gaps_open(&v->gaps));
    json_add_int(o, "all", (int64_t)(v->gaps.n + v->gaps.beyond));
    cJSON *list = json_add_array(o, "list");
    for (size_t i = 0; i < v->gaps.n && cJSON_GetArraySize(list) < LEDGER_SHOWN_MAX; i++) {
        const struct ledger_gap *g = &v->gaps.gaps[i];
        cJSON *one = json_new_object();
        quantity_format(g->left, units);
        json_add_int(one, "warehouse", g->warehouse);
        json_add_str(one, "sku", g->sku);
        json_add_int(one, "after_row", g->after);
        json_add_int(one, "before_row", g->before);
        json_add_str(one, "units_missing", units);
        json_add_str(one, "found", found_word(g, v->looked_up > 0));
        add_time(one, "at", g->ms);
        (void)cJSON_AddItemToArray(list, one);
    }
}

static void add_ties(cJSON *report, const struct ledger_verify *v) {
    static const enum ledger_tie order[] = {TIE_CONFIRMED, TIE_WRITTEN, TIE_UNCHANGED, TIE_NO_LEVEL,
                                            TIE_SHADOWED,  TIE_WAITING, TIE_OPEN};
    cJSON *o = json_add_object(report, "ties");
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        json_add_int(o, ledger_tie_name(order[i]), v->ties.n[order[i]]);
    }
    json_add_int(o, "not_mapped", v->ties.unmapped);
    json_add_int(o, "before_the_chain", v->unlinked_moves);
    (void)cJSON_AddItemToObject(o, "list", cJSON_Duplicate(v->untied, true));
}

cJSON *ledger_report_json(const struct ledger_verify *v) {
    cJSON *o = json_new_object();
    json_add_bool(o, "ok", ledger_verify_good(v));
    json_add_int(o, "entries", v->chain.entries);
    add_time(o, "first", v->chain.first_ms);
    add_time(o, "last", v->chain.last_ms);
    cJSON *rows = json_add_object(o, "rows");
    for (size_t i = 0; i < v->type_count; i++) {
        json_add_int(rows, v->types[i].name, v->types[i].n);
    }
    add_chain(o, v);
    json_add_int(o, "movements", v->gaps.movements);
    add_gaps(o, v);
    add_ties(o, v);
    json_add_int(o, "unreadable_rows", v->unreadable);
    json_add_int(o, "files", (int64_t)v->files);
    json_add_str(o, "newest_file", v->newest_file[0] != '\0' ? v->newest_file : NULL);
    json_add_str(o, "newest_sha256", v->newest_sha256[0] != '\0' ? v->newest_sha256 : NULL);
    return o;
}

/* ---- as text ---- */

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    (void)json_int(o, key, &n);
    return n;
}

static const char *word(const cJSON *o, const char *key) {
    const char *s = json_str(o, key);
    return s != NULL ? s : "";
}

static void text_chain(const cJSON *chain, struct buf *out) {
    const cJSON *f = NULL;
    if (json_bool(chain, "whole", false)) {
        buf_addf(out, "chain      whole");
    } else {
        buf_addf(out, "chain      BROKEN in %lld places", (long long)number(chain, "faults"));
    }
    if (number(chain, "linked") > 0) {
        buf_addf(out, ", entries %lld to %lld", (long long)number(chain, "first_entry"),
                 (long long)number(chain, "last_entry"));
    }
    if (number(chain, "before_the_chain") > 0) {
        buf_addf(out, "; %lld older ones are not chained", (long long)number(chain, "before_the_chain"));
    }
    if (number(chain, "begins_anew") > 0) {
        buf_addf(out, "; it begins anew %lld times (Redis was empty then)", (long long)number(chain, "begins_anew"));
    }
    buf_add_str(out, "\n");
    cJSON_ArrayForEach(f, json_array(chain, "list")) {
        buf_add_str(out, "           - ");
        if (number(f, "entry") > 0) {
            buf_addf(out, "entry %lld ", (long long)number(f, "entry"));
        }
        if (word(f, "id")[0] != '\0') {
            buf_addf(out, "(%s, %s%s", word(f, "id"), word(f, "at"), word(f, "type")[0] != '\0' ? ", " : "");
            text_safe(out, word(f, "type"));
            buf_add_str(out, word(f, "sku")[0] != '\0' ? ", SKU " : "");
            text_safe(out, word(f, "sku"));
            buf_add_str(out, "): ");
        }
        text_safe(out, word(f, "text"));
        buf_add_str(out, "\n");
    }
    if (number(chain, "faults") > cJSON_GetArraySize(json_array(chain, "list"))) {
        buf_add_str(out, "           - and more\n");
    }
}

static void text_gaps(const cJSON *report, struct buf *out) {
    const cJSON *gaps = json_get(report, "gaps"), *g = NULL;
    if (number(gaps, "all") == 0) {
        buf_add_str(out, "gaps       none\n");
        return;
    }
    buf_addf(out, "gaps       %lld, of which %lld are not explained\n", (long long)number(gaps, "all"),
             (long long)number(gaps, "open"));
    cJSON_ArrayForEach(g, json_array(gaps, "list")) {
        buf_add_str(out, "           - SKU ");
        text_safe(out, word(g, "sku"));
        buf_addf(out, " in warehouse %lld, between Sitoo's rows %lld and %lld: %s units missing, %s\n",
                 (long long)number(g, "warehouse"), (long long)number(g, "after_row"),
                 (long long)number(g, "before_row"), word(g, "units_missing"), word(g, "found"));
    }
    if (number(gaps, "open") > 0) {
        buf_add_str(
            out, "           Compare the SKU's history in Sitoo; to look the rows up: onepool ledger verify --fetch\n");
    }
}

static void text_ties(const cJSON *ties, struct buf *out) {
    static const char *const lines[][2] = {{"confirmed", "in a level that BigCommerce showed"},
                                           {"written", "in a level that was written, not seen yet"},
                                           {"unchanged", "counted, the level stayed what it was"},
                                           {"shadowed", "in a level that shadow mode did not send"},
                                           {"no_level", "of a SKU without a level in the web shop"},
                                           {"waiting", "wait: the SKU is due"},
                                           {"not_mapped", "of warehouses that are not mapped"},
                                           {"before_the_chain", "from before the chain; not looked at"}};
    const cJSON *one = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (number(ties, lines[i][0]) > 0) {
            buf_addf(out, "           %10lld %s\n", (long long)number(ties, lines[i][0]), lines[i][1]);
        }
    }
    buf_addf(out, "untied     %lld\n", (long long)number(ties, "untied"));
    cJSON_ArrayForEach(one, json_array(ties, "list")) {
        buf_addf(out, "           - row %lld: %s x ", (long long)number(one, "row"), word(one, "quantity"));
        text_safe(out, word(one, "sku"));
        buf_addf(out, " in warehouse %lld, recorded %s: no level of location %lld included it\n",
                 (long long)number(one, "warehouse"), word(one, "recorded"), (long long)number(one, "location"));
    }
    if (number(ties, "untied") > 0) {
        buf_add_str(
            out, "           What to do: have the SKU computed again (onepool parked lists what is held), then verify "
                 "again\n");
    }
}

void ledger_report_text(const cJSON *report, struct buf *out) {
    const cJSON *type = NULL;
    bool first = true;
    buf_addf(out, "entries    %lld", (long long)number(report, "entries"));
    if (number(report, "entries") > 0) {
        buf_addf(out, ", from %s to %s", word(report, "first"), word(report, "last"));
    }
    buf_add_str(out, "\nrows       ");
    cJSON_ArrayForEach(type, json_get(report, "rows")) {
        buf_addf(out, "%s", first ? "" : ", ");
        text_safe(out, type->string);
        buf_addf(out, " %lld", (long long)number(json_get(report, "rows"), type->string));
        first = false;
    }
    buf_add_str(out, "\n");
    if (number(report, "files") > 0) {
        buf_addf(out, "files      %lld; the newest is ", (long long)number(report, "files"));
        text_safe(out, word(report, "newest_file"));
        buf_addf(out, "\n           SHA-256 %s\n", word(report, "newest_sha256"));
    }
    text_chain(json_get(report, "chain"), out);
    if (number(report, "unreadable_rows") > 0) {
        buf_addf(out, "UNREADABLE %lld rows\n", (long long)number(report, "unreadable_rows"));
    }
    text_gaps(report, out);
    buf_addf(out, "movements  %lld; at each location that they count for:\n", (long long)number(report, "movements"));
    text_ties(json_get(report, "ties"), out);
    buf_add_str(out, json_bool(report, "ok", false) ? "The ledger is whole.\n" : "The ledger is NOT in order.\n");
}
