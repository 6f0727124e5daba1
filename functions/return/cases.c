/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "keys.h"
#include "queue.h"
#include "ban.h"

#define ENTITY_SIZE 80

static void money_entity(const struct part *p, char out[ENTITY_SIZE]) {
    (void)snprintf(out, ENTITY_SIZE, "return %lld of web order %lld", (long long)p->credit->order->id,
                   (long long)p->web_order);
}

static const char *step(const char *cause) {
    if (strcmp(cause, "return_payer_unknown") == 0) {
        return "Add the payment to returns.payments of the mapping file; then run: onepool parked --retry";
    }
    if (strcmp(cause, "return_refunded_else") == 0 || strcmp(cause, "return_unclear") == 0) {
        return "Compare the order's refunds in BigCommerce with the receipt; refund by hand what is missing, then run: "
               "onepool parked --close";
    }
    return "Look at the order in BigCommerce; refund by hand what the customer is owed, then run: onepool parked "
           "--close; or mend the cause and run: onepool parked --retry";
}

void case_money(const struct app *app, const struct part *p, const struct decision *d, struct args *effects) {
    char entity[ENTITY_SIZE], text[REASON_TEXT_MAX * 2], job[24];
    const struct credit *c = p->credit;
    money_entity(p, entity);
    (void)snprintf(job, sizeof job, "%lld", (long long)c->order->id);
    (void)snprintf(text, sizeof text, "%sSitoo return %lld (receipt %s) of web order %lld: %s",
                   d->urgent ? "URGENT: " : "", (long long)c->order->id, c->receipt[0] != '\0' ? c->receipt : "unknown",
                   (long long)p->web_order, d->text);
    const struct parked k = {.cause = d->cause,
                             .owner = app->set->mapping->owner_money,
                             .entity = entity,
                             .text = text,
                             .effect = c->payer == PAYER_TILL
                                           ? "The customer was paid at the till; the web order does not show it yet"
                                           : "The customer may still wait for the money",
                             .step = step(d->cause),
                             .queue = QUEUE_RETURN,
                             .job = job};
    effect_case(effects, &k);
}

void case_money_ends(const struct part *p, const char *except, struct args *effects) {
    char entity[ENTITY_SIZE];
    money_entity(p, entity);
    for (size_t i = 0; decision_causes[i] != NULL; i++) {
        if (except == NULL || strcmp(decision_causes[i], except) != 0) {
            effect_close(effects, decision_causes[i], entity);
        }
    }
}

/* ---- purchases ---- */

static const struct {
    enum match_kind kind;
    const char *cause, *text;
} kinds[] = {
    {MATCH_MANUAL, "return_manual", "was taken back without a receipt: the return names no purchase"},
    {MATCH_MISSING, "return_unknown_purchase", "the purchase that the return names is not in Sitoo"},
    {MATCH_NO_ROW, "return_no_row", "no row of the purchase that the return names fits"},
    {MATCH_SEVERAL, "return_several_rows", "several rows of the purchase fit, and they are not alike"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void purchase_entity(const struct credit *c, char out[ENTITY_SIZE]) {
    (void)snprintf(out, ENTITY_SIZE, "return %lld", (long long)c->order->id);
}

static bool has_kind(const struct credit *c, const struct match *matches, enum match_kind kind) {
    for (size_t i = 0; i < c->n; i++) {
        if (matches[i].kind == kind) {
            return true;
        }
    }
    return false;
}

void case_purchase(const struct app *app, const struct credit *c, const struct match *matches, enum match_kind kind,
                   const char *candidates, struct args *effects) {
    char entity[ENTITY_SIZE], job[24];
    struct buf text;
    size_t k = 0;
    while (k < KINDS && kinds[k].kind != kind) {
        k++;
    }
    if (k == KINDS || !has_kind(c, matches, kind)) {
        return;
    }
    purchase_entity(c, entity);
    (void)snprintf(job, sizeof job, "%lld", (long long)c->order->id);
    buf_init(&text, 2000);
    buf_addf(&text, "Sitoo return %lld (receipt %s), SKU ", (long long)c->order->id,
             c->receipt[0] != '\0' ? c->receipt : "unknown");
    int told = 0;
    for (size_t i = 0; i < c->n && told < 5; i++) {
        if (matches[i].kind == kind) {
            buf_addf(&text, "%s%.120s", told++ > 0 ? ", " : "", c->rows[i].row->sku);
        }
    }
    buf_addf(&text, ": %s. Recent web orders that hold it: %s", kinds[k].text,
             candidates[0] != '\0' ? candidates : "none");
    const struct parked p = {.cause = kinds[k].cause,
                             .owner = app->set->mapping->owner_money,
                             .entity = entity,
                             .text = buf_str(&text),
                             .effect = "If it was bought in the web shop, its order does not show the refund",
                             .step =
                                 "If it was a web order, refund it in BigCommerce by hand; then run: onepool parked "
                                 "--close",
                             .queue = QUEUE_RETURN,
                             .job = job};
    effect_case(effects, &p);
    buf_free(&text);
}

void case_purchase_ends(const struct credit *c, const struct match *matches, struct args *effects) {
    char entity[ENTITY_SIZE];
    purchase_entity(c, entity);
    for (size_t k = 0; k < KINDS; k++) {
        if (!has_kind(c, matches, kinds[k].kind)) {
            effect_close(effects, kinds[k].cause, entity);
        }
    }
}
