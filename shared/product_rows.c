/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done about each SKU; see product_row.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "product_row.h"
#include "quantity.h"
#include "ban.h"

#define HELD_WAIT_MS INT64_C(60000)
#define CODE_WAIT_MS INT64_C(5000)

/* ---- cases ---- */

void row_case(const struct sync *s, struct sync_item *item, const char *cause, const char *entity, const char *text,
              const char *effect, const char *step) {
    char job[24];
    (void)snprintf(job, sizeof job, "%lld", (long long)item->product_id);
    const struct parked p = {.cause = cause,
                             .owner = s->app->set->mapping->owner_mapping,
                             .entity = entity,
                             .text = text,
                             .effect = effect,
                             .step = step,
                             .queue = QUEUE_PRODUCT,
                             .job = job};
    effect_case(&item->effects, &p);
}

void row_close(struct sync_item *item, const char *cause, const char *entity) {
    effect_close(&item->effects, cause, entity);
}

void problem_entity(int64_t product_id, const struct want_problem *p, char *out, size_t size) {
    if (p->sku != NULL && p->sku[0] != '\0') {
        (void)str_copy(out, size, p->sku);
    } else if (p->variant_id > 0) {
        (void)snprintf(out, size, "product %lld variant %lld", (long long)product_id, (long long)p->variant_id);
    } else {
        (void)snprintf(out, size, "product %lld", (long long)product_id);
    }
}

static void close_causes(struct sync_item *item, const char *entity) {
    for (int c = WANT_SKU_MISSING; c <= WANT_UNREADABLE; c++) {
        row_close(item, want_cause_name((enum want_cause)c), entity);
    }
}

/* What cannot be wanted; the cases of what can be again are closed. */
static void plan_problems(const struct sync *s, struct sync_item *item) {
    const struct product_want *w = item->want;
    char entity[KEY_MAX];
    for (size_t i = 0; i < w->n; i++) {
        close_causes(item, w->list[i].sku);
        (void)snprintf(entity, sizeof entity, "product %lld variant %lld", (long long)item->product_id,
                       (long long)w->list[i].variant_id);
        row_close(item, want_cause_name(WANT_SKU_MISSING), entity);
    }
    (void)snprintf(entity, sizeof entity, "product %lld", (long long)item->product_id);
    close_causes(item, entity);
    for (size_t i = 0; i < w->problem_count; i++) {
        problem_entity(item->product_id, &w->problems[i], entity, sizeof entity);
        row_case(
            s, item, want_cause_name(w->problems[i].cause), entity, w->problems[i].text,
            w->problems[i].cause == WANT_BARCODE ? "It cannot be scanned in the shops"
                                                 : "Shops do not get this SKU, or keep it as it was",
            "Mend the product in BigCommerce, or the mapping file; the case closes by itself when the product is read "
            "again");
    }
}

/* ---- the rows ---- */

static struct row *add_row(struct rows *rows, struct sync_item *item) {
    struct row *r = &rows->list[rows->n++];
    *r = (struct row){.item = item, .old_price = -1, .old_charged = -1};
    return r;
}

/* Another product of this batch has taken it over; those of other batches say so by product:skus. */
static bool is_taken(const struct sync_item *items, size_t n, const char *sku) {
    for (size_t i = 0; i < n; i++) {
        if (items[i].want != NULL && product_want_has(items[i].want, sku)) {
            return true;
        }
    }
    return false;
}

/* SKUs of this product that BigCommerce does not have any more, unless another product has taken them over. */
static enum next add_gone(struct sync *s, struct sync_item *items, size_t n, struct sync_item *item,
                          const struct till_products *till, struct rows *rows, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && item->known != NULL && i < item->known->n; i++) {
        const char *sku = item->known->variants[i].sku;
        const struct till_product *have = till_find(till, sku);
        char *owner = NULL, ours[24];
        if (is_taken(items, n, sku)) {
            continue;
        }
        next = known_fields(s->app, KEY_PRODUCT_SKUS, &sku, 1, &owner, why);
        (void)snprintf(ours, sizeof ours, "%lld:", (long long)item->product_id);
        bool mine = owner == NULL || strncmp(owner, ours, strlen(ours)) == 0;
        free(owner);
        if (next == NEXT_DONE && mine && have != NULL) {
            struct row *r = add_row(rows, item);
            r->sku = have->sku;
            r->have = have;
            r->id = have->id;
            r->hide = true;
            r->fields = have->active ? FIELD_ACTIVE : 0;
        }
    }
    return next;
}

static struct row *row_find(const struct rows *rows, const char *sku) {
    for (size_t i = 0; i < rows->n; i++) {
        if (strcmp(rows->list[i].sku, sku) == 0) {
            return &rows->list[i];
        }
    }
    return NULL;
}

/* A variant that had another SKU before: the old one is hidden and keeps its stock, the new one is made. */
static void plan_renamed(const struct sync *s, const struct rows *rows, struct sync_item *item, const struct want *w) {
    const char *before = item->known != NULL ? known_sku(item->known, w->variant_id) : NULL;
    const struct row *old = before != NULL ? row_find(rows, before) : NULL;
    char text[REASON_TEXT_MAX];
    if (before == NULL || strcmp(before, w->sku) == 0 || (old != NULL && old->kept)) {
        return;
    }
    (void)snprintf(
        text, sizeof text,
        "Variant %lld of product %lld was %.120s in BigCommerce and is %.120s now. %.60s was made in Sitoo; the old "
        "SKU is hidden in the tills and keeps its stock",
        (long long)w->variant_id, (long long)item->product_id, before, w->sku, w->sku);
    row_case(s, item, "sku_changed", before, text,
             "Stock of the old SKU is not offered any more, neither in the shops nor in the web shop",
             "Move the stock to the new SKU in Sitoo and relabel the goods; then run: onepool parked --close");
}

static void hold_price(const struct sync *s, struct row *r, const char *what, int64_t was, int64_t is) {
    char text[400], a[TILL_MONEY_SIZE], b[TILL_MONEY_SIZE];
    till_money_format(was, a);
    till_money_format(is, b);
    (void)snprintf(
        text, sizeof text,
        "The %s of %.120s would go from %s to %s %s, more than %lld percent (brake.max_price_change_percent); it is "
        "not passed on",
        what, r->sku, a, b, s->rules.currency, (long long)s->app->set->mapping->brake_price_percent);
    row_case(
        s, r->item, "price_held", r->sku, text, "The shops sell it at the old price",
        "If the new price is right, run: onepool parked --retry with the case's id; if not, mend it in BigCommerce");
    r->sale_held = true;
    r->want.price = r->have->price;
    r->fields &= ~(unsigned)FIELD_PRICE;
}

/* A change of price that looks like a slip is not passed on before a person says so; nor half of it, since the other
 * half would be judged by what the first one left. sales: what the list for sale prices has; NULL: there is none. */
static void plan_price(const struct sync *s, struct row *r, const struct till_prices *sales) {
    int64_t limit = s->app->set->mapping->brake_price_percent;
    const struct till_price *sale = sales != NULL ? till_price_find(sales, r->sku) : NULL;
    int64_t have_sale = sale != NULL ? sale->price : WANT_NONE;
    bool first =
        have_sale == WANT_NONE && known_making(r->item->known, r->sku); /* made just now, its sale is to come */
    r->old_charged = till_charges(r->have->price, have_sale);
    if (!r->item->person && price_moves_much(r->have->price, r->want.price, limit)) {
        hold_price(s, r, "price", r->have->price, r->want.price);
    } else if (!r->item->person && !first && sale_falls_much(&r->want, r->have->price, have_sale, limit)) {
        hold_price(s, r, "price with its sale", r->old_charged, r->want.sale_price);
    } else {
        row_close(r->item, "price_held", r->sku);
    }
}

static void add_wanted(const struct sync *s, struct sync_item *item, const struct till_products *till,
                       const struct till_prices *sales, struct rows *rows) {
    for (size_t i = 0; i < item->want->n; i++) {
        struct row *r = add_row(rows, item);
        r->want = item->want->list[i];
        r->sku = r->want.sku;
        r->have = till_find(till, r->sku);
        r->create = r->have == NULL;
        if (r->have != NULL) {
            r->id = r->have->id;
            r->old_price = r->have->price;
            r->fields = product_differs(&r->want, r->have);
            plan_price(s, r, sales);
        }
    }
}

/* ---- what others have ---- */

/* Not made; what the product itself had in the tills under the other spelling stays in them. */
static void refuse_near(const struct sync *s, struct rows *rows, struct row *r, const char *other) {
    char text[400];
    (void)snprintf(text, sizeof text,
                   "Sitoo has %.150s, BigCommerce has %.150s: probably the same product; it was not made", other,
                   r->sku);
    row_case(s, r->item, "near_duplicate", r->sku, text, "Shops do not get this SKU",
             "Write both SKUs alike (a new SKU in BigCommerce, or the other one in Sitoo)");
    r->create = false;
    r->refused = true;
    struct row *old = row_find(rows, other);
    if (old != NULL && old->hide && old->item == r->item) {
        old->kept = true;
        old->fields = 0;
    }
}

/* The other spelling of each row that is to be made, as far as one was ever seen; NULL if none. others: the caller
 * frees each. */
static enum next near_of(struct sync *s, const struct rows *rows, char **others, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < rows->n; i++) {
        const struct row *r = &rows->list[i];
        char *folded = NULL;
        if (!r->create) {
            continue;
        }
        folded = sku_fold(r->sku);
        next = known_fields(s->app, KEY_PRODUCT_FOLDED, (const char *const *)&folded, 1, &others[i], why);
        free(folded);
        if (others[i] != NULL && strcmp(others[i], r->sku) == 0) {
            free(others[i]);
            others[i] = NULL;
        }
    }
    return next;
}

/* Sitoo may have the SKU written otherwise; two of them side by side would share neither stock nor sales. What was
 * seen once may be gone since, so Sitoo is asked. */
static enum next plan_near(struct sync *s, struct rows *rows, struct reason *why) {
    char **others = xcalloc(rows->n + 1, sizeof *others);
    const char **skus = xcalloc(rows->n + 1, sizeof *skus);
    struct till_products there = {0};
    size_t n = 0;
    enum next next = near_of(s, rows, others, why);
    for (size_t i = 0; next == NEXT_DONE && i < rows->n; i++) {
        if (others[i] != NULL) {
            skus[n++] = others[i];
        }
    }
    next = next == NEXT_DONE && n > 0 ? till_read(s->app, skus, n, &there, why) : next;
    till_sort(&there);
    for (size_t i = 0; next == NEXT_DONE && i < rows->n; i++) {
        if (others[i] != NULL && till_find(&there, others[i]) != NULL) {
            refuse_near(s, rows, &rows->list[i], others[i]);
        }
    }
    for (size_t i = 0; i < rows->n; i++) {
        free(others[i]);
    }
    till_free(&there);
    free(skus);
    free(others);
    return next;
}

/* Who has a code: "variant product SKU". */
struct holder {
    int64_t ids[2]; /* variant, product */
    const char *sku;
};

static bool holder_parse(const char *text, struct holder *h) {
    char numbers[48];
    const char *first = strchr(text, ' '), *second = first != NULL ? strchr(first + 1, ' ') : NULL;
    h->sku = second != NULL ? second + 1 : "";
    if (second == NULL || (size_t)(second - text) >= sizeof numbers) {
        return false;
    }
    (void)snprintf(numbers, sizeof numbers, "%.*s", (int)(second - text), text);
    return ints_parse(numbers, h->ids, 2);
}

/* The older variant takes its code back: the other product has to let it go first, so this one comes again after it. */
static void take_back(struct row *r, const struct holder *h) {
    char id[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)h->ids[1]);
    effect_mark(&r->item->effects, QUEUE_PRODUCT, id, 0, "d", "");
    (void)snprintf(id, sizeof id, "%lld", (long long)r->item->product_id);
    effect_mark_in(&r->item->effects, QUEUE_PRODUCT, id, CODE_WAIT_MS, "d");
    r->want.barcode = (char *)(uintptr_t) "";
    r->fields = r->have != NULL ? product_differs(&r->want, r->have) : 0;
}

static void hold_code(const struct sync *s, struct row *r, const char *other) {
    char text[400];
    (void)snprintf(text, sizeof text, "The barcode %.20s of %.140s belongs to %.140s too; Sitoo takes each code once",
                   r->want.barcode, r->sku, other);
    row_case(s, r->item, "barcode_duplicate", r->sku, text, "It cannot be scanned in the shops",
             "Give one of the two another barcode in BigCommerce");
    r->code_held = true;
    r->want.barcode = (char *)(uintptr_t) "";
}

/* Of two SKUs with one code the older variant has it. */
static enum next plan_codes(struct sync *s, struct rows *rows, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < rows->n; i++) {
        struct row *r = &rows->list[i];
        char *text = NULL, value[KEY_MAX + 64];
        struct holder holder = {{0}, ""};
        const char *code = r->want.barcode, *sku = "";
        if (r->hide || r->refused || code == NULL) {
            continue;
        }
        if (r->have != NULL && r->have->barcode[0] != '\0' && strcmp(r->have->barcode, code) != 0) {
            effect_keep_barcode(&r->item->effects, r->have->barcode, "");
        }
        if (code[0] == '\0') {
            continue;
        }
        next = known_fields(s->app, KEY_PRODUCT_BARCODES, &code, 1, &text, why);
        bool other = next == NEXT_DONE && text != NULL && holder_parse(text, &holder) &&
                     strcmp(holder.sku, r->sku) != 0 && row_find(rows, holder.sku) == NULL;
        bool taken = other && holder.ids[0] < r->want.variant_id;
        sku = taken ? holder.sku : "";
        for (size_t k = 0; !taken && k < rows->n; k++) {
            const struct row *o = &rows->list[k];
            if (k != i && !o->hide && o->want.barcode != NULL && strcmp(o->want.barcode, code) == 0 &&
                o->want.variant_id < r->want.variant_id) {
                taken = true;
                sku = o->sku;
            }
        }
        if (taken) {
            hold_code(s, r, sku);
            r->fields = r->have != NULL ? product_differs(&r->want, r->have) : 0;
        } else {
            (void)snprintf(value, sizeof value, "%lld %lld %s", (long long)r->want.variant_id,
                           (long long)r->item->product_id, r->sku);
            effect_keep_barcode(&r->item->effects, code, value);
            row_close(r->item, "barcode_duplicate", r->sku);
            if (other) {
                take_back(r, &holder);
            }
        }
        free(text);
    }
    return next;
}

/* ---- the brake ---- */

static bool goes_off(const struct row *r) {
    bool off = r->hide || !r->want.active;
    return off && r->have != NULL && r->have->active && (r->fields & FIELD_ACTIVE) != 0;
}

static enum next plan_brake(struct sync *s, struct rows *rows, struct sync_item *items, size_t n, struct reason *why) {
    const char **skus = xcalloc(rows->n + 1, sizeof *skus);
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        size_t off = 0;
        bool passes = true;
        for (size_t k = 0; k < rows->n; k++) {
            if (rows->list[k].item == &items[i] && goes_off(&rows->list[k])) {
                skus[off++] = rows->list[k].sku;
            }
        }
        next = s->app->mode == MODE_LIVE && !items[i].person ? known_count_off(s->app, skus, off, &passes, why)
                                                             : NEXT_DONE;
        if (next != NEXT_DONE || passes) {
            continue;
        }
        items[i].why.wait_ms = HELD_WAIT_MS;
        items[i].why.not_its_fault = true;
        items[i].next =
            reason_set(&items[i].why, NEXT_DEFER, "brake",
                       "more than %lld SKUs would be hidden in the tills within 24 hours (brake.max_deactivated_skus)",
                       (long long)s->app->set->mapping->brake_max_deactivated);
        struct args effects = {0};
        const struct parked p = {
            .cause = "products_brake",
            .owner = s->app->set->mapping->owner_mapping,
            .entity = "catalog",
            .text = items[i].why.text,
            .effect = "The tills show SKUs that BigCommerce does not sell any more",
            .step = "Look at what left BigCommerce. If it is meant, run: onepool parked --retry with the "
                    "case's id; it then passes for an hour",
            .queue = QUEUE_CATALOG,
            .job = CATALOG_RELEASE};
        effect_notice(&effects, &p);
        next = effects_apply(s->app->redis, &effects, why);
        args_free(&effects);
    }
    free(skus);
    return next;
}

static void drop_held(struct rows *rows) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->list[i].item->next == NEXT_DONE) {
            rows->list[kept++] = rows->list[i];
        }
    }
    rows->n = kept;
}

enum next rows_plan(struct sync *s, struct sync_item *items, size_t n, const struct till_products *till,
                    struct rows *out, struct reason *why) {
    int64_t sale_list = s->app->set->mapping->products.sale_price_list_id;
    struct till_prices *sales = NULL;
    size_t cap = 0;
    enum next next = sale_list != 0 ? sync_prices(s, sale_list, &sales, why) : NEXT_DONE;
    for (size_t i = 0; i < n; i++) {
        cap += (items[i].want != NULL ? items[i].want->n : 0) + (items[i].known != NULL ? items[i].known->n : 0);
    }
    out->list = xcalloc(cap + 1, sizeof *out->list);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        if (items[i].want != NULL) {
            plan_problems(s, &items[i]);
            add_wanted(s, &items[i], till, sales, out);
        }
        next = add_gone(s, items, n, &items[i], till, out, why);
    }
    next = next == NEXT_DONE ? plan_near(s, out, why) : next;
    for (size_t i = 0; next == NEXT_DONE && i < out->n; i++) {
        if (!out->list[i].hide) {
            plan_renamed(s, out, out->list[i].item, &out->list[i].want);
        }
    }
    next = next == NEXT_DONE ? plan_codes(s, out, why) : next;
    next = next == NEXT_DONE ? plan_brake(s, out, items, n, why) : next;
    drop_held(out);
    return next;
}

void rows_free(struct rows *r) {
    free(r->list);
    memset(r, 0, sizeof *r);
}
