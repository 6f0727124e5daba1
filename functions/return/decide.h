/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict about money, for the rows of one return that belong to one web order. Pure: everything that was read goes
 * in, a decision comes out. Where anything does not fit, a person decides; nothing is guessed.
 */
#ifndef ONEPOOL_RETURN_DECIDE_H
#define ONEPOOL_RETURN_DECIDE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credit.h"
#include "original.h"
#include "refunds.h"
#include "weborder_paid.h"

/* One order product that is refunded; several rows of a return may name the same. */
struct part_item {
    int64_t product; /* order product id */
    int64_t units;   /* whole */
    int64_t gross;   /* what the till gave back for them (money.h) */
    char reason[40]; /* reason code of the first row; "" if none */
};

/* What one return gives back of one web order. */
struct part {
    const struct credit *credit;
    int64_t web_order;
    const struct credit_row **rows;
    const struct match **matches; /* of the rows */
    size_t row_count;
    struct part_item *items; /* filled by decide_items */
    size_t n;
    int64_t gross; /* sum of the items' */
    int64_t tries; /* attempts of this return, this one included; 0 = there is no later one */
};
void part_free(struct part *p);

enum decision_kind {
    DECISION_GO,      /* the next step may be taken */
    DECISION_SETTLED, /* a refund with our reference is there */
    DECISION_PARK     /* cause and text say why */
};

struct decision {
    enum decision_kind kind;
    const char *cause; /* cause class of the case */
    bool urgent;
    char text[600];
    const struct refund *refund; /* DECISION_SETTLED */
    const cJSON *method;         /* decide_quote: the payments to be used, of the quote */
    int64_t amount;              /* decide_quote: their sum */
};

/* Every cause that decide_* and the worker park money under; the last is NULL. A settled return closes them. */
extern const char *const decision_causes[];

/* Before the quote: is it settled already, may it be refunded, and which order products are meant? Fills p->items. */
void decide_refund(struct part *p, const struct paid_order *o, const struct refund_list *refunds, struct decision *d);
/* The quote's answer (its member "data"): which of its methods, and does the amount agree with what the till gave back?
 */
void decide_quote(const struct part *p, const struct paid_order *o, const struct refund_list *refunds,
                  const struct mapping_returns *m, const cJSON *quote, struct decision *d);

#endif
