/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "money.h"
#include "quantity.h"
#include "ban.h"

const char *const decision_causes[] = {
    "return_no_payment",       "return_payer_unknown",  "return_payers_mixed", "return_gift_card",
    "return_not_whole",        "return_no_amount",      "return_no_product",   "return_several",
    "return_more_than_bought", "return_refunded_else",  "return_order_gone",   "return_order_not_paid",
    "return_order_cancelled",  "return_order_disputed", "return_currency",     "return_quote_refused",
    "return_quote_unclear",    "return_quote_adjusted", "return_no_method",    "return_amounts_differ",
    "return_above_paid",       "return_refused",        "return_unclear",      NULL};

void part_free(struct part *p) {
    free(p->rows);
    free(p->matches);
    free(p->items);
    memset(p, 0, sizeof *p);
}

static void park(struct decision *d, const char *cause, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void park(struct decision *d, const char *cause, const char *fmt, ...) {
    va_list list;
    if (d->kind == DECISION_PARK) {
        return; /* the first reason is told */
    }
    d->kind = DECISION_PARK;
    d->cause = cause;
    va_start(list, fmt);
    (void)vsnprintf(d->text, sizeof d->text, fmt, list);
    va_end(list);
}

/* ---- who paid ---- */

static void decide_payer(const struct part *p, struct decision *d) {
    const struct credit *c = p->credit;
    if (c->payer != PAYER_UNKNOWN && !c->mixed) {
        return;
    }
    if (c->mixed) {
        park(d, "return_payers_mixed", "It was paid back in several ways (%s); who paid which row cannot be told",
             c->payments);
    } else if (c->payments[0] == '\0') {
        park(d, "return_no_payment", "Sitoo names no payment, so who gives the money back is not known");
    } else {
        park(d, "return_payer_unknown", "Payment %s stands in no table, so who gives the money back is not known",
             c->payments);
    }
}

/* ---- which order products ---- */

/* By the number that went along when the order was handed over; else by SKU, if only one line has it. */
static const struct paid_line *find_line(const struct part *p, size_t i, const struct paid_order *o,
                                         struct decision *d) {
    const char *sku = p->rows[i]->row->sku;
    const struct paid_line *found = paid_line_by_id(o, p->matches[i]->product);
    if (p->matches[i]->product > 0) {
        if (found == NULL || strcmp(found->sku, sku) != 0) {
            park(d, "return_no_product", "SKU %s: the web order's line %lld, which the row names, %s", sku,
                 (long long)p->matches[i]->product, found == NULL ? "is not there" : "has another SKU");
        }
        return found;
    }
    for (size_t k = 0; k < o->n; k++) {
        if (strcmp(o->lines[k].sku, sku) == 0 && o->lines[k].quantity > 0) {
            if (found != NULL) {
                park(d, "return_several",
                     "SKU %s: several lines of the web order have it; which one came back is not "
                     "known",
                     sku);
            }
            found = &o->lines[k];
        }
    }
    if (found == NULL) {
        park(d, "return_no_product", "SKU %s: no line of the web order has it", sku);
    }
    return found;
}

static void add_item(struct part *p, const struct credit_row *row, int64_t product) {
    size_t k = 0;
    while (k < p->n && p->items[k].product != product) {
        k++;
    }
    if (k == p->n) {
        p->items[p->n].product = product;
        (void)snprintf(p->items[p->n++].reason, sizeof p->items[0].reason, "%.32s",
                       row->row->reason != NULL ? row->row->reason : "");
    }
    p->items[k].units += row->thousandths / QUANTITY_ONE;
    p->items[k].gross += row->gross;
    p->gross += row->gross;
}

static void decide_items(struct part *p, const struct paid_order *o, struct decision *d) {
    free(p->items);
    p->items = xcalloc(p->row_count + 1, sizeof *p->items);
    p->n = 0;
    p->gross = 0;
    for (size_t i = 0; i < p->row_count; i++) {
        const struct credit_row *row = p->rows[i];
        char quantity[QUANTITY_TEXT_SIZE];
        quantity_format(row->thousandths, quantity);
        /* One kilogram is not one piece, also where the number is whole. */
        if (row->row->by_measure || row->thousandths % QUANTITY_ONE != 0) {
            park(d, "return_not_whole", "SKU %s: %s units came back; BigCommerce refunds whole units only",
                 row->row->sku, quantity);
        }
        if (row->gift_card) {
            park(d, "return_gift_card", "SKU %s is a gift card: what is left on it is not known here", row->row->sku);
        }
        if (!row->gross_known || row->gross < 0) {
            park(d, "return_no_amount", "SKU %s: Sitoo does not say what was given back for it", row->row->sku);
        }
        const struct paid_line *line = find_line(p, i, o, d);
        if (d->kind == DECISION_PARK || line == NULL) {
            return;
        }
        add_item(p, row, line->id);
    }
}

/* ---- is there anything left to refund ---- */

/* Units refunded by anybody: the line says it, and so do the refunds; whichever is more. */
static int64_t refunded_units(const struct paid_line *line, const struct refund_list *refunds) {
    int64_t units = refund_units(refunds, line->id);
    return units > line->refunded ? units : line->refunded;
}

/* Somebody else's refund that holds the product, for the text. */
static const struct refund *foreign_refund(const struct refund_list *refunds, int64_t product) {
    for (size_t i = 0; i < refunds->n; i++) {
        for (size_t k = 0; refunds->list[i].reference[0] == '\0' && k < refunds->list[i].item_count; k++) {
            if (refunds->list[i].items[k].product && refunds->list[i].items[k].item_id == product) {
                return &refunds->list[i];
            }
        }
    }
    return NULL;
}

static void decide_left(const struct part *p, const struct paid_order *o, const struct refund_list *refunds,
                        struct decision *d) {
    for (size_t i = 0; i < p->n; i++) {
        const struct paid_line *line = paid_line_by_id(o, p->items[i].product);
        int64_t gone = line != NULL ? refunded_units(line, refunds) : 0;
        if (line == NULL || p->items[i].units <= line->quantity - gone) {
            continue;
        }
        const struct refund *other = foreign_refund(refunds, line->id);
        if (other != NULL) {
            d->urgent = p->credit->payer == PAYER_TILL;
            park(d, "return_refunded_else",
                 "SKU %s: %lld unit(s) came back, and of %lld bought %lld were refunded already, by refund %lld too, "
                 "which was made in BigCommerce%s",
                 line->sku, (long long)p->items[i].units, (long long)line->quantity, (long long)gone,
                 (long long)other->id,
                 d->urgent ? "; the till paid as well, so the customer may have been paid twice" : "");
        } else {
            park(d, "return_more_than_bought", "SKU %s: %lld unit(s) came back, and of %lld bought %lld were refunded",
                 line->sku, (long long)p->items[i].units, (long long)line->quantity, (long long)gone);
        }
    }
}

static void decide_order(const struct part *p, const struct paid_order *o, struct decision *d) {
    switch (o->status_id) {
    case 5:
        park(d, "return_order_cancelled",
             "The web order is cancelled; whether its money went back then is not known here");
        break;
    case 0:
    case 1:
    case 6:
    case 7:
        park(d, "return_order_not_paid", "The web order is not paid (status %lld), so there is nothing to refund",
             (long long)o->status_id);
        break;
    case 13:
        park(d, "return_order_disputed", "The web order is disputed: the bank may take the money back as well");
        break;
    default:
        break;
    }
    if (strcmp(p->credit->currency, o->currency) != 0) {
        park(d, "return_currency", "The web order was paid in %s, the till gave back %s", o->currency,
             p->credit->currency[0] != '\0' ? p->credit->currency : "a currency that Sitoo does not name");
    }
}

void decide_refund(struct part *p, const struct paid_order *o, const struct refund_list *refunds, struct decision *d) {
    char reference[REFUND_REFERENCE_SIZE];
    memset(d, 0, sizeof *d);
    refund_reference(p->credit->order->id, p->web_order, reference);
    d->refund = refund_find(refunds, reference);
    if (d->refund != NULL) {
        d->kind = DECISION_SETTLED;
        d->amount = d->refund->total;
        return;
    }
    if (!o->found) {
        park(d, "return_order_gone", "BigCommerce has no order %lld any more", (long long)p->web_order);
        return;
    }
    decide_payer(p, d);
    decide_items(p, o, d);
    if (d->kind == DECISION_GO) {
        decide_left(p, o, refunds, d); /* a fully refunded order says most by its refunds */
    }
    decide_order(p, o, d);
}

/* ---- the quote ---- */

/* A method is a list of payments to be used together. Store credit is new money to spend: never beside what a till
 * paid, and never where the customer expects the money itself. */
static bool method_fits(const cJSON *method, bool offline, int64_t *sum) {
    const cJSON *payment = NULL;
    bool fits = cJSON_IsArray(method) && cJSON_GetArraySize(method) > 0;
    *sum = 0;
    cJSON_ArrayForEach(payment, method) {
        const char *provider = json_str(payment, "provider_id");
        int64_t amount = 0;
        fits = fits && provider != NULL && money_get(payment, "amount", &amount) && amount > 0 &&
               cJSON_IsBool(json_get(payment, "offline")) && json_bool(payment, "offline", false) == offline &&
               strcmp(provider, "storecredit") != 0;
        *sum += amount;
    }
    return fits;
}

static int64_t difference(int64_t a, int64_t b) {
    return a > b ? a - b : b - a;
}

static void decide_amount(const struct part *p, const struct paid_order *o, const struct refund_list *refunds,
                          const struct mapping_returns *m, struct decision *d) {
    char ours[MONEY_TEXT_SIZE], theirs[MONEY_TEXT_SIZE], before[MONEY_TEXT_SIZE];
    int64_t tolerance = m->tolerance_minor * money_minor(o->currency), refunded = 0;
    for (size_t i = 0; i < refunds->n; i++) {
        refunded += refunds->list[i].declined ? 0 : refunds->list[i].total;
    }
    money_format(p->gross, o->currency, ours);
    money_format(d->amount, o->currency, theirs);
    if (difference(d->amount, p->gross) > tolerance) {
        park(d, "return_amounts_differ", "The till gave back %s %s for these rows, BigCommerce would refund %s %s",
             ours, o->currency, theirs, o->currency);
    }
    if (refunded + d->amount > o->total) {
        money_format(refunded, o->currency, before);
        money_format(o->total, o->currency, ours);
        park(d, "return_above_paid", "%s %s were paid, %s were refunded already, and %s more would be above it", ours,
             o->currency, before, theirs);
    }
}

void decide_quote(const struct part *p, const struct paid_order *o, const struct refund_list *refunds,
                  const struct mapping_returns *m, const cJSON *quote, struct decision *d) {
    const cJSON *methods = json_array(quote, "refund_methods"), *method = NULL, *cut = json_get(quote, "adjustment");
    bool offline = p->credit->payer == PAYER_TILL;
    char till[MONEY_TEXT_SIZE], total[MONEY_TEXT_SIZE];
    int64_t adjustment = 0, quoted = 0, sum = 0;
    memset(d, 0, sizeof *d);
    if (!money_get(quote, "total_refund_amount", &quoted) || methods == NULL) {
        park(d, "return_quote_unclear", "BigCommerce's quote has no total_refund_amount or no refund_methods");
        return;
    }
    money_format(p->gross, o->currency, till);
    money_format(quoted, o->currency, total);
    if (cut != NULL && !cJSON_IsNull(cut) && !money_get(quote, "adjustment", &adjustment)) {
        park(d, "return_quote_unclear",
             "BigCommerce's quote (%s %s; the till gave back %s) has an adjustment that is no amount", total,
             o->currency, till);
        return;
    }
    if (adjustment < 0) {
        park(d, "return_quote_adjusted",
             "BigCommerce's quote (%s %s; the till gave back %s) is cut: less is left to "
             "refund than was asked for",
             total, o->currency, till);
        return;
    }
    cJSON_ArrayForEach(method, methods) {
        if (d->method == NULL && method_fits(method, offline, &sum)) {
            d->method = method;
            d->amount = sum;
        }
    }
    if (d->method == NULL) {
        park(d, "return_no_method", "%s; BigCommerce quotes %s %s, the till gave back %s %s",
             offline ? "The till paid, but BigCommerce offers no offline method to record it"
                     : "BigCommerce offers no method that pays back through it",
             total, o->currency, till, o->currency);
        return;
    }
    if (difference(d->amount, quoted) > money_minor(o->currency)) { /* a total may be told before it is rounded */
        char used[MONEY_TEXT_SIZE];
        money_format(d->amount, o->currency, used);
        park(d, "return_quote_unclear", "BigCommerce quotes %s %s, but its method pays %s (the till gave back %s)",
             total, o->currency, used, till);
        return;
    }
    decide_amount(p, o, refunds, m, d);
}
