/* SPDX-License-Identifier: Apache-2.0 */
/* What people read of an exception: what is wrong, and one safe step. */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "exceptions_member.h"
#include "ban.h"

#define SHORT_SIZE 72 /* bytes; two SKUs and the words around them fit into a text */

#define PUT_RIGHT                                                                                                     \
    "It is put right by itself after this comparison; if it is here again at the next one, onepool parked tells why " \
    "it is held"

static const char *shorten(const char *s, char out[SHORT_SIZE]) {
    if (!str_copy(out, SHORT_SIZE - 3, s)) {
        (void)str_copy(out + strlen(out), 4, "...");
    }
    return out;
}

static const char *price_text(int64_t hundredths, char out[TILL_MONEY_SIZE]) {
    if (hundredths < 0) {
        (void)str_copy(out, TILL_MONEY_SIZE, "no price");
    } else {
        till_money_format(hundredths, out);
    }
    return out;
}

static void next_step(struct exception *x, const char *step) {
    (void)str_copy(x->step, sizeof x->step, step);
}

void say_only_in_till(struct exception *x, const struct finding *f, const struct till_product *t) {
    char sku[SHORT_SIZE], title[SHORT_SIZE], price[TILL_MONEY_SIZE];
    bool priced = x->till_price >= 0;
    (void)snprintf(
        x->text, sizeof x->text,
        "SKU %s (%s%s%s%s%s) is sold in the shops, but no product of BigCommerce has it: it was made in Sitoo",
        shorten(x->sku, sku), shorten(t->title, title), t->title[0] != '\0' ? ", " : "",
        price_text(x->till_price, price), priced ? " " : "", priced ? f->shops->rules.currency : "");
    next_step(
        x, "Make the product in BigCommerce with this SKU; or, if it is not to be sold, hide it in the POS in Sitoo's "
           "Backoffice");
}

void say_only_in_web(struct exception *x, const struct finding *f) {
    char sku[SHORT_SIZE], price[TILL_MONEY_SIZE];
    (void)snprintf(
        x->text, sizeof x->text, "SKU %s (%s %s) of product %lld of BigCommerce is not in Sitoo: no till can sell it",
        shorten(x->sku, sku), price_text(x->web_price, price), f->shops->rules.currency, (long long)x->product_id);
    next_step(x, "It is sent by itself after this comparison; if it is here again at the next one, onepool parked "
                 "tells why Sitoo "
                 "refuses it");
}

void say_near(struct exception *x, const struct member *one, const struct member *two) {
    char sku[SHORT_SIZE], other[SHORT_SIZE];
    bool stray = one->product_id != 0 && two->product_id == 0, both = one->till != NULL;
    (void)snprintf(
        x->text, sizeof x->text,
        "%sSKU %s and SKU %s of Sitoo differ only by letter case, spaces or dashes, so they are taken for two products",
        both ? "In Sitoo, " : "BigCommerce's ", shorten(x->sku, sku), shorten(x->other, other));
    if (stray && !both) {
        next_step(
            x,
            "In Sitoo's Backoffice, change the SKU to exactly what BigCommerce has; its stock and sales then stay with "
            "it");
    } else if (stray) {
        next_step(
            x, "In Sitoo's Backoffice, move the stock to the SKU that BigCommerce has, then hide the other in the POS");
    } else {
        next_step(
            x,
            "Find out whether both are the same goods; if so, move the stock to one of them and hide the other in the "
            "POS");
    }
}

void say_barcode_twice(struct exception *x, const char *barcode, bool other_in_web) {
    char sku[SHORT_SIZE], other[SHORT_SIZE], code[SHORT_SIZE];
    (void)snprintf(x->text, sizeof x->text, "Barcode %s of SKU %s is that of SKU %s %s too; Sitoo takes it once only",
                   shorten(barcode, code), shorten(x->sku, sku), shorten(x->other, other),
                   other_in_web ? "of BigCommerce" : "of Sitoo");
    next_step(x, other_in_web
                     ? "Correct the barcode of one of them in BigCommerce"
                     : "Remove the barcode of the other SKU in Sitoo's Backoffice if it is wrong there, else correct "
                       "it in BigCommerce");
}

void say_barcode_missing(struct exception *x) {
    char sku[SHORT_SIZE];
    (void)snprintf(x->text, sizeof x->text,
                   "SKU %s of product %lld has no barcode in BigCommerce, so it cannot be scanned in the shops",
                   shorten(x->sku, sku), (long long)x->product_id);
    next_step(x, "Enter its GTIN or UPC in BigCommerce; ignore the case if the goods carry none");
}

void say_price(struct exception *x, const struct finding *f) {
    char sku[SHORT_SIZE], web[TILL_MONEY_SIZE], till[TILL_MONEY_SIZE];
    const char *currency = f->shops->rules.currency;
    bool priced = x->till_price >= 0;
    (void)snprintf(x->text, sizeof x->text, "SKU %s should cost %s %s by BigCommerce; Sitoo has %s%s%s",
                   shorten(x->sku, sku), price_text(x->web_price, web), currency, price_text(x->till_price, till),
                   priced ? " " : "", priced ? currency : "");
    next_step(x, PUT_RIGHT);
}

void say_sale_price(struct exception *x, const struct finding *f, int64_t sale) {
    char sku[SHORT_SIZE], web[TILL_MONEY_SIZE], till[TILL_MONEY_SIZE];
    const char *currency = f->shops->rules.currency;
    bool there = sale >= 0;
    (void)snprintf(x->text, sizeof x->text,
                   "SKU %s should cost %s %s by BigCommerce; price list %lld of Sitoo, for sale prices, %s %s %s",
                   shorten(x->sku, sku), price_text(x->web_price, web), currency,
                   (long long)f->mapping->products.sale_price_list_id,
                   there ? "has it for" : "does not have it, so the tills charge",
                   price_text(there ? sale : x->till_price, till), currency);
    next_step(x, PUT_RIGHT);
}

void say_undercut(struct exception *x, const struct finding *f, const struct till_list *list) {
    char sku[SHORT_SIZE], name[SHORT_SIZE], web[TILL_MONEY_SIZE], till[TILL_MONEY_SIZE];
    const char *currency = f->shops->rules.currency;
    (void)snprintf(x->text, sizeof x->text,
                   "SKU %s should cost %s %s; Sitoo's price list %lld (%s) sells it for %s %s%s", shorten(x->sku, sku),
                   price_text(x->web_price, web), currency, (long long)list->id,
                   shorten(list->name != NULL ? list->name : "", name), price_text(x->till_price, till), currency,
                   list->tagged ? ", where its tag applies" : ", in every shop");
    next_step(
        x, "If that price is not meant, remove the SKU from the list in Sitoo's Backoffice, or make the list inactive");
}

static void percent_text(int64_t percent, char out[32]) {
    if (percent < 0) {
        (void)str_copy(out, 32, "unknown");
        return;
    }
    size_t n = (size_t)snprintf(out, 32, "%lld.%04lld", (long long)(percent / 10000), (long long)(percent % 10000));
    while (n > 0 && (out[n - 1] == '0' || out[n - 1] == '.')) {
        bool point = out[n - 1] == '.';
        out[--n] = '\0';
        if (point) {
            break;
        }
    }
    (void)str_copy(out + n, 32 - n, " %");
}

void say_vat(struct exception *x, const struct finding *f, int64_t web_group, int64_t till_group) {
    char sku[SHORT_SIZE], web[32], till[32];
    percent_text(vat_percent(&f->shops->rules, web_group), web);
    percent_text(vat_percent(&f->shops->rules, till_group), till);
    (void)snprintf(x->text, sizeof x->text,
                   "SKU %s should be in product group %lld (%s) of Sitoo by its tax class; it is in group %lld (%s)",
                   shorten(x->sku, sku), (long long)web_group, web, (long long)till_group, till);
    next_step(x, "Ask finance which is right: mend the tax class in BigCommerce, or save the product there, so that "
                 "the group is "
                 "sent");
}

void say_problem(struct exception *x, const struct want_problem *p) {
    (void)str_copy(x->text, sizeof x->text, p->text);
    next_step(x, p->cause == WANT_SKU_MISSING ? "Give the variant a SKU in BigCommerce if shops are to sell it"
                 : p->cause == WANT_TAX_CLASS ? "Name the tax class in the mapping file, products.vat_groups"
                 : p->cause == WANT_VAT_GROUP ? "Correct products.vat_groups of the mapping file"
                 : p->cause == WANT_BARCODE   ? "Correct its barcode in BigCommerce"
                                              : "Mend the product in BigCommerce");
}
