/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of a return: in the words of finance, with both numbers and one safe next step; and their end. */
#ifndef ONEPOOL_RETURN_CASES_H
#define ONEPOOL_RETURN_CASES_H

#include "app.h"
#include "decide.h"
#include "original.h"
#include "redis.h"

/* Money of one web order that a person must decide. */
void case_money(const struct app *app, const struct part *p, const struct decision *d, struct args *effects);
/* The return is settled with this web order: its cases end. */
void case_money_ends(const struct part *p, const char *except, struct args *effects);

/* Rows whose purchase is not known; one case for each kind. candidates: web orders that may be meant, "" = none. */
void case_purchase(const struct app *app, const struct credit *c, const struct match *matches, enum match_kind kind,
                   const char *candidates, struct args *effects);
/* All kinds of rows without a purchase that are not in matches (any more). */
void case_purchase_ends(const struct credit *c, const struct match *matches, struct args *effects);

#endif
