/* SPDX-License-Identifier: Apache-2.0 */
/* The writes of products, in batches; see product_row.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "gate.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "product_row.h"
#include "random.h"
#include "ban.h"

#define BUSY_WAIT_MS INT64_C(5000)

/* ---- one call ---- */

/* 409 and 423: not now; every other refusal is about what was sent. */
static enum next soften(enum next next, const struct answer *answer, struct reason *why) {
    if (next == NEXT_PARK && (answer->status == 409 || answer->status == 423)) {
        why->wait_ms = BUSY_WAIT_MS;
        (void)str_copy(why->cause, sizeof why->cause, "locked");
        return NEXT_DEFER;
    }
    return next;
}

enum next sync_send(struct sync *s, const struct sync_write *write, struct answer *answer, bool *shadowed,
                    struct reason *why) {
    char intent[120], digest[17], id[GATE_INTENT_SIZE];
    struct gate_outcome out;
    gate_digest(write->body != NULL ? write->body : write->path, digest);
    (void)snprintf(intent, sizeof intent, "{\"elements\":%zu,\"digest\":\"%s\"}", write->elements, digest);
    (void)snprintf(id, sizeof id, "%s:%lld:%08x", write->kind, (long long)clock_wall_ms(), (unsigned)random_bits());
    const struct gate_write w = {.platform = GATE_SITOO,
                                 .kind = write->kind,
                                 .method = write->method,
                                 .path = write->path,
                                 .body = write->body,
                                 .id = id,
                                 .intent = intent,
                                 .lease = SYNC_LEASE,
                                 .lease_token = s->lease.token};
    memset(answer, 0, sizeof *answer);
    if (s->lost) {
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "fenced", "another process brings products to Sitoo now");
    }
    enum next next = gate_send(s->app, &w, &out, why);
    *answer = out.answer;
    *shadowed = out.shadowed;
    s->calls += out.shadowed ? 0 : 1;
    /* A write without an answer stays open: nothing is written before it must have landed, or has not. */
    if (next == NEXT_DONE || !why->ambiguous) {
        gate_close(s->app, &out);
    }
    if (next == NEXT_STOP) {
        why->not_its_fault = true;
        next = NEXT_DEFER;
    }
    return soften(next, answer, why);
}

/* ---- a batch, whose elements may fail one by one ---- */

/* What Sitoo said of one element: refusal NULL = done; id: of what was made, else 0. */
typedef void (*told)(struct sync *s, struct row *r, int64_t id, const char *refusal);

struct batch {
    struct sync *s;
    const char *method, *path;
    cJSON *elements[SYNC_BATCH];
    struct row *rows[SYNC_BATCH];
    size_t n;
    told told;
};

static void batch_free(struct batch *b) {
    for (size_t i = 0; i < b->n; i++) {
        cJSON_Delete(b->elements[i]);
    }
    b->n = 0;
}

/* As sync_send takes a whole call: not now, which says nothing of what was sent. The product comes again. */
static bool not_now(struct row *r, int64_t status, const char *text) {
    if (status != 409 && status != 423 && status != 429 && status < 500) {
        return false;
    }
    LOG(LOG_INFO, "Sitoo does not take a product now", {"sku", r->sku}, {"status", log_int(status)}, {"why", text});
    r->fields = 0;
    r->item->why.wait_ms = BUSY_WAIT_MS;
    r->item->next =
        reason_set(&r->item->why, NEXT_DEFER, "locked", "Sitoo does not take %.120s now (status %lld): %.200s", r->sku,
                   (long long)status, text != NULL ? text : "without a reason");
    return true;
}

static void tell_one(struct batch *b, size_t i, const cJSON *element) {
    int64_t status = 0, id = 0;
    const char *text = json_str(element, "errortext");
    if (json_int(element, "statuscode", &status) && status >= 200 && status <= 299) {
        (void)json_int(element, "return", &id);
        b->told(b->s, b->rows[i], id, NULL);
    } else if (!not_now(b->rows[i], status, text)) {
        b->told(b->s, b->rows[i], 0, text != NULL ? text : "refused without a reason");
    }
}

/* An array with one answer for each; of one element alone it may be the bare id or true. */
static enum next take_answer(struct batch *b, size_t from, size_t n, const struct answer *answer, struct reason *why) {
    int64_t id = 0;
    if (n == 1 && (cJSON_IsTrue(answer->json) || json_item_int(answer->json, &id))) {
        b->told(b->s, b->rows[from], id, NULL);
        return NEXT_DONE;
    }
    if (!cJSON_IsArray(answer->json) || (size_t)cJSON_GetArraySize(answer->json) != n) {
        why->ambiguous = true;
        return reason_set(why, NEXT_DEFER, "bad_answer",
                          "Sitoo answered a write of %zu products with something else than %zu results", n, n);
    }
    size_t i = from;
    const cJSON *element = NULL;
    cJSON_ArrayForEach(element, answer->json) {
        tell_one(b, i++, element);
    }
    return NEXT_DONE;
}

/* A batch that is refused as a whole is split until only what cannot be taken is left. */
static enum next send_part(struct batch *b, size_t from, size_t n, struct reason *why) {
    struct answer answer;
    bool shadowed = false;
    cJSON *array = cJSON_CreateArray();
    for (size_t i = from; i < from + n; i++) {
        (void)cJSON_AddItemReferenceToArray(array, b->elements[i]);
    }
    char *body = json_print(array);
    cJSON_Delete(array);
    const struct sync_write write = {SYNC_PRODUCTS, b->method, b->path, body, n};
    enum next next = sync_send(b->s, &write, &answer, &shadowed, why);
    free(body);
    if (next == NEXT_DONE && !shadowed) {
        next = take_answer(b, from, n, &answer, why);
    } else if (next == NEXT_PARK && n > 1) {
        memset(why, 0, sizeof *why);
        next = send_part(b, from, n / 2, why);
        next = next == NEXT_DONE ? send_part(b, from + n / 2, n - n / 2, why) : next;
    } else if (next == NEXT_PARK) {
        b->told(b->s, b->rows[from], 0, answer.text != NULL ? answer.text : why->text);
        memset(why, 0, sizeof *why);
        next = NEXT_DONE;
    }
    answer_free(&answer);
    return next;
}

static enum next batch_flush(struct batch *b, struct reason *why) {
    enum next next = b->n > 0 ? send_part(b, 0, b->n, why) : NEXT_DONE;
    batch_free(b);
    return next;
}

/* Takes over element. */
static enum next batch_add(struct batch *b, struct row *r, cJSON *element, struct reason *why) {
    b->elements[b->n] = element;
    b->rows[b->n++] = r;
    return b->n == SYNC_BATCH ? batch_flush(b, why) : NEXT_DONE;
}

static void products_path(const struct sync *s, char *out, size_t size) {
    (void)snprintf(out, size, "/sites/%lld/products.json", (long long)s->app->set->sitoo_site_id);
}

/* ---- what became of it ---- */

static bool is_about_barcode(const char *refusal) {
    for (const char *c = refusal; *c != '\0'; c++) {
        if (strncmp(c, "arcode", 6) == 0) {
            return true; /* Barcode, barcode */
        }
    }
    return false;
}

static void refuse(struct sync *s, struct row *r, const char *refusal) {
    char text[400];
    (void)snprintf(text, sizeof text, "Sitoo refuses %.120s of product %lld: %.200s", r->sku,
                   (long long)r->item->product_id, refusal);
    row_case(s, r->item, "product_refused", r->sku, text, "Shops do not get this SKU as it is in BigCommerce",
             "Mend what Sitoo names; then run: onepool parked --retry with the case's id");
    r->refused = true;
    r->item->refused++;
}

static void code_taken(struct sync *s, struct row *r) {
    char text[400];
    (void)snprintf(text, sizeof text,
                   "Sitoo does not take the barcode %.20s of %.140s: another product has it; it goes without",
                   r->want.barcode, r->sku);
    row_case(s, r->item, "barcode_taken", r->sku, text, "It cannot be scanned in the shops",
             "Look up the code in Sitoo and take it from the other product; then run: onepool parked --retry with the "
             "case's id");
    r->code_held = true;
    effect_keep_barcode(&r->item->effects, r->want.barcode, "");
    r->want.barcode = (char *)(uintptr_t) "";
}

/* One line in the ledger for each SKU that changed. */
static void record(struct row *r, const char *what, unsigned fields) {
    char money[TILL_MONEY_SIZE];
    cJSON *o = json_new_object();
    json_add_str(o, "type", "product");
    json_add_str(o, "what", what);
    json_add_int(o, "product", r->item->product_id);
    json_add_str(o, "sku", r->sku);
    cJSON *names = json_add_array(o, "fields");
    for (size_t i = 0; product_field_name(fields, i) != NULL; i++) {
        (void)cJSON_AddItemToArray(names, cJSON_CreateString(product_field_name(fields, i)));
    }
    if ((fields & FIELD_PRICE) != 0) {
        till_money_format(r->want.price, money);
        json_add_str(o, "price", money);
        if (r->old_price >= 0) {
            till_money_format(r->old_price, money);
            json_add_str(o, "was", money);
        }
    }
    char *text = json_print(o);
    effect_log(&r->item->effects, "", text);
    free(text);
    cJSON_Delete(o);
}

static void told_created(struct sync *s, struct row *r, int64_t id, const char *refusal) {
    bool has_code = r->want.barcode != NULL && r->want.barcode[0] != '\0';
    if (refusal == NULL && id > 0) {
        r->id = id;
        r->item->created++;
        row_close(r->item, "product_refused", r->sku);
        record(r, "made", 0);
    } else if (refusal != NULL && has_code && is_about_barcode(refusal)) {
        code_taken(s, r); /* made in the second turn */
    } else {
        refuse(s, r, refusal != NULL ? refusal : "no id of what was made");
    }
}

static void told_updated(struct sync *s, struct row *r, int64_t id, const char *refusal) {
    (void)id;
    bool has_code = r->want.barcode != NULL && r->want.barcode[0] != '\0' && (r->fields & FIELD_BARCODE) != 0;
    if (refusal == NULL) {
        r->item->updated += r->hide ? 0 : 1;
        r->item->hidden += r->hide ? 1 : 0;
        row_close(r->item, "product_refused", r->sku);
        if ((r->fields & FIELD_BARCODE) != 0 && !r->code_held) {
            row_close(r->item, "barcode_taken", r->sku);
        }
        record(r, r->hide ? "hidden" : "changed", r->fields);
        r->fields = 0;
    } else if (has_code && is_about_barcode(refusal)) {
        code_taken(s, r); /* the other fields in the second turn */
        r->fields &= ~(unsigned)FIELD_BARCODE;
    } else {
        refuse(s, r, refusal);
        r->fields = 0;
    }
}

static void told_freed(struct sync *s, struct row *r, int64_t id, const char *refusal) {
    (void)s;
    (void)id;
    if (refusal != NULL) {
        LOG(LOG_WARN, "a barcode could not be cleared before it changes hands", {"sku", r->sku}, {"why", refusal});
    }
}

/* ---- the steps ---- */

enum next rows_create(struct sync *s, struct rows *rows, struct reason *why) {
    char path[80];
    products_path(s, path, sizeof path);
    enum next next = NEXT_DONE;
    for (int turn = 0; next == NEXT_DONE && turn < 2; turn++) {
        struct batch b = {.s = s, .method = "POST", .path = path, .told = told_created};
        for (size_t i = 0; next == NEXT_DONE && i < rows->n; i++) {
            struct row *r = &rows->list[i];
            bool again = turn == 1 && r->create && r->id == 0 && !r->refused && r->code_held;
            if (r->create && r->id == 0 && !r->refused && (turn == 0 || again)) {
                next = batch_add(&b, r, product_create_body(&r->want, turn == 1), why);
            }
        }
        next = next == NEXT_DONE ? batch_flush(&b, why) : next;
        batch_free(&b);
        if (s->app->mode != MODE_LIVE) {
            break;
        }
    }
    return next;
}

enum next rows_update(struct sync *s, struct rows *rows, struct reason *why) {
    char path[80];
    products_path(s, path, sizeof path);
    enum next next = NEXT_DONE;
    for (int turn = 0; next == NEXT_DONE && turn < 2; turn++) {
        struct batch b = {.s = s, .method = "PUT", .path = path, .told = told_updated};
        for (size_t i = 0; next == NEXT_DONE && i < rows->n; i++) {
            struct row *r = &rows->list[i];
            if (r->have != NULL && r->fields != 0 && !r->refused && (turn == 0 || r->code_held)) {
                next = batch_add(
                    &b, r, r->hide ? product_hide_body(r->id) : product_update_body(&r->want, r->id, r->fields), why);
            }
        }
        next = next == NEXT_DONE ? batch_flush(&b, why) : next;
        batch_free(&b);
        if (s->app->mode != MODE_LIVE) {
            break;
        }
    }
    return next;
}

enum next rows_free_barcodes(struct sync *s, struct rows *rows, struct reason *why) {
    char path[80];
    const struct want **want = xcalloc(rows->n + 1, sizeof *want);
    const struct till_product **have = xcalloc(rows->n + 1, sizeof *have);
    struct row **of = xcalloc(rows->n + 1, sizeof *of);
    unsigned *fields = xcalloc(rows->n + 1, sizeof *fields);
    bool *freed = xcalloc(rows->n + 1, sizeof *freed);
    char no_code[] = "";
    const struct want without_code = {.barcode = no_code};
    size_t n = 0;
    enum next next = NEXT_DONE;
    products_path(s, path, sizeof path);
    for (size_t i = 0; i < rows->n; i++) {
        struct row *r = &rows->list[i];
        if (r->hide && !r->kept) { /* the code of a SKU that left goes to the one that took its place */
            want[n] = &without_code;
            have[n] = r->have;
            fields[n] = FIELD_BARCODE;
            of[n++] = r;
        } else if (!r->hide && !r->refused && r->want.barcode != NULL &&
                   (r->create || (r->fields & FIELD_BARCODE) != 0)) {
            want[n] = &r->want;
            have[n] = r->have;
            fields[n] = r->create ? FIELD_ALL : r->fields;
            of[n++] = r;
        }
    }
    if (n > 0 && barcodes_to_free(want, have, fields, n, freed) > 0) {
        struct batch b = {.s = s, .method = "PUT", .path = path, .told = told_freed};
        for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
            next = freed[i] ? batch_add(&b, of[i], product_free_barcode_body(of[i]->id), why) : next;
        }
        next = next == NEXT_DONE ? batch_flush(&b, why) : next;
        batch_free(&b);
    }
    free(freed);
    free(fields);
    free(of);
    free(have);
    free(want);
    return next;
}
