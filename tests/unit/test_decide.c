/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/return/decide.c functions/return/credit.c functions/return/original.c tests/unit/plan.c */
/* links: functions/return/weborder_paid.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "functions/return/decide.h"
#include "json.h"
#include "money.h"
#include "plan.h"
#include "ban.h"

#define ONE    1000 /* thousandths */
#define RETURN INT64_C(55)
#define ORDER  INT64_C(100)
#define TOTAL  (100 * MONEY_ONE)
#define METHOD(provider, amount, offline) \
    "[{\"provider_id\":\"" provider "\",\"amount\":" amount ",\"offline\":" offline "}]"
#define QUOTE(amount, methods) "{\"total_refund_amount\":" amount ",\"adjustment\":0,\"refund_methods\":[" methods "]}"
#define CASH                   METHOD("custom", "10.00", "true")
#define CARD                   METHOD("braintree", "10.00", "false")
#define CREDIT                 METHOD("storecredit", "10.00", "false")

/* One verdict: what differs from a plain return of one unit of SKU A for 10.00 SEK, paid back in cash at the till, of
 * an order of 100.00 SEK with two units of A (line 7) and one of B (line 8). */
struct row {
    const char *name;
    /* the return */
    enum payer payer; /* PAYER_UNKNOWN here = the preset, the till */
    bool unknown, mixed, exchange, no_payment, gift_card, no_amount;
    int64_t thousandths, gross; /* 0 = one unit, 10.00 */
    const char *sku, *currency; /* NULL = "A", "SEK"; "" = Sitoo names none */
    int64_t product;            /* web-itemid; 0 = line 7, -1 = none */
    bool twice;                 /* two rows of the same line */
    /* the order */
    bool gone, second_a; /* no such order; line 9 has SKU A too */
    bool by_measure;
    int64_t status, refunded; /* status 0 = 2 (shipped); quantity_refunded of line 7 */
    int64_t total;            /* 0 = 100.00 */
    /* its refunds: of whom and how many units of line 7 */
    const char *reference;     /* NULL = no refund; "" = made by hand */
    int64_t units, amount;     /* amount 0 = 10.00 */
    bool declined, no_product; /* no_product: it refunds an amount, no units */
    int64_t tolerance;         /* minor units; 0 = 2, -1 = none */
    const char *quote;         /* NULL = not asked for */
    /* the decision */
    enum decision_kind want;
    const char *cause, *text, *text2; /* words that must be in its text; two where amounts are compared */
    bool urgent;
    const char *provider; /* of the chosen method */
};

static const struct row rows[] = {
    /* who pays */
    {.name = "paid at the till", .quote = QUOTE("10.00", CARD "," CASH), .want = DECISION_GO, .provider = "custom"},
    {.name = "paid by BigCommerce",
     .payer = PAYER_BIGCOMMERCE,
     .quote = QUOTE("10.00", CASH "," CARD),
     .want = DECISION_GO,
     .provider = "braintree"},
    {.name = "payer in no table",
     .unknown = true,
     .want = DECISION_PARK,
     .cause = "return_payer_unknown",
     .text = "Swish"},
    {.name = "several payers", .mixed = true, .want = DECISION_PARK, .cause = "return_payers_mixed", .text = "Swish"},
    {.name = "no payment", .unknown = true, .no_payment = true, .want = DECISION_PARK, .cause = "return_no_payment"},
    {.name = "unknown payer, and several",
     .unknown = true,
     .mixed = true,
     .want = DECISION_PARK,
     .cause = "return_payers_mixed"},
    {.name = "an exchange: the till, never a method that pays",
     .exchange = true,
     .quote = QUOTE("10.00", CARD),
     .want = DECISION_PARK,
     .cause = "return_no_method",
     .text = "no offline method"},
    /* which order product */
    {.name = "line by its number", .second_a = true, .want = DECISION_GO},
    {.name = "line by SKU", .product = -1, .want = DECISION_GO},
    {.name = "several lines of the SKU",
     .product = -1,
     .second_a = true,
     .want = DECISION_PARK,
     .cause = "return_several",
     .text = "SKU A"},
    {.name = "no line of the SKU",
     .product = -1,
     .sku = "Z",
     .want = DECISION_PARK,
     .cause = "return_no_product",
     .text = "SKU Z"},
    {.name = "the number's line has another SKU",
     .product = 8,
     .want = DECISION_PARK,
     .cause = "return_no_product",
     .text = "another SKU"},
    {.name = "the number's line is gone",
     .product = 77,
     .want = DECISION_PARK,
     .cause = "return_no_product",
     .text = "77"},
    {.name = "weight", .thousandths = 350, .want = DECISION_PARK, .cause = "return_not_whole", .text = "0.350"},
    {.name = "one and a half",
     .thousandths = 1500,
     .want = DECISION_PARK,
     .cause = "return_not_whole",
     .text = "1.500"},
    {.name = "gift card", .gift_card = true, .want = DECISION_PARK, .cause = "return_gift_card"},
    {.name = "no amount", .no_amount = true, .want = DECISION_PARK, .cause = "return_no_amount"},
    {.name = "an amount of the wrong sign", .gross = -MONEY_ONE, .want = DECISION_PARK, .cause = "return_no_amount"},
    /* the order */
    {.name = "order gone", .gone = true, .want = DECISION_PARK, .cause = "return_order_gone", .text = "100"},
    {.name = "order incomplete",
     .status = -1,
     .want = DECISION_PARK,
     .cause = "return_order_not_paid",
     .text = "status 0"},
    {.name = "order pending", .status = 1, .want = DECISION_PARK, .cause = "return_order_not_paid"},
    {.name = "order declined", .status = 6, .want = DECISION_PARK, .cause = "return_order_not_paid"},
    {.name = "order awaits payment", .status = 7, .want = DECISION_PARK, .cause = "return_order_not_paid"},
    {.name = "order cancelled", .status = 5, .want = DECISION_PARK, .cause = "return_order_cancelled"},
    {.name = "order disputed", .status = 13, .want = DECISION_PARK, .cause = "return_order_disputed"},
    {.name = "order completed", .status = 10, .want = DECISION_GO},
    {.name = "order partly shipped", .status = 3, .want = DECISION_GO},
    {.name = "order awaits pickup", .status = 8, .want = DECISION_GO},
    {.name = "order awaits shipment", .status = 9, .want = DECISION_GO},
    {.name = "order to be verified by hand", .status = 12, .want = DECISION_GO},
    {.name = "kilograms, a whole number", .by_measure = true, .want = DECISION_PARK, .cause = "return_not_whole"},
    {.name = "order awaits fulfilment", .status = 11, .want = DECISION_GO},
    {.name = "order partly refunded", .status = 14, .refunded = 1, .want = DECISION_GO},
    {.name = "order refunded in full by another return",
     .status = 4,
     .reference = "R54-100",
     .units = 2,
     .refunded = 2,
     .want = DECISION_PARK,
     .cause = "return_more_than_bought"},
    {.name = "order refunded in full by hand",
     .status = 4,
     .reference = "",
     .units = 2,
     .refunded = 2,
     .want = DECISION_PARK,
     .cause = "return_refunded_else",
     .text = "refund 1 too",
     .urgent = true},
    {.name = "order refunded in full, this return among it",
     .status = 4,
     .reference = "R55-100",
     .units = 2,
     .refunded = 2,
     .want = DECISION_SETTLED},
    {.name = "no currency", .currency = "", .want = DECISION_PARK, .cause = "return_currency", .text = "paid in SEK"},
    {.name = "another currency", .currency = "EUR", .want = DECISION_PARK, .cause = "return_currency", .text = "EUR"},
    /* what is left */
    {.name = "our refund is there", .reference = "R55-100", .units = 1, .refunded = 1, .want = DECISION_SETTLED},
    {.name = "our refund is there, its payment was declined",
     .reference = "R55-100",
     .units = 1,
     .declined = true,
     .want = DECISION_SETTLED},
    {.name = "our refund is there, nobody knows who paid",
     .unknown = true,
     .reference = "R55-100",
     .units = 1,
     .want = DECISION_SETTLED},
    {.name = "our refund is there, the order is gone", .gone = true, .reference = "R55-100", .want = DECISION_SETTLED},
    {.name = "the same return, another web order",
     .reference = "R55-101",
     .units = 1,
     .refunded = 1,
     .want = DECISION_GO},
    {.name = "our refund is there, the order is cancelled",
     .reference = "R55-100",
     .units = 1,
     .status = 5,
     .want = DECISION_SETTLED},
    {.name = "the refund of another return", .reference = "R54-100", .units = 1, .refunded = 1, .want = DECISION_GO},
    {.name = "the reference of a longer number",
     .reference = "R555-100",
     .units = 2,
     .refunded = 2,
     .want = DECISION_PARK,
     .cause = "return_more_than_bought"},
    {.name = "more than bought",
     .thousandths = 3 * ONE,
     .gross = 30 * MONEY_ONE,
     .want = DECISION_PARK,
     .cause = "return_more_than_bought",
     .text = "of 2 bought 0"},
    {.name = "two rows of one line",
     .twice = true,
     .quote = QUOTE("20.00", METHOD("custom", "20.00", "true")),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "two rows of one line, one is left",
     .twice = true,
     .refunded = 1,
     .want = DECISION_PARK,
     .cause = "return_more_than_bought",
     .text = "2 unit(s) came back"},
    {.name = "all refunded, says the line",
     .refunded = 2,
     .want = DECISION_PARK,
     .cause = "return_more_than_bought",
     .text = "1 unit(s) came back",
     .text2 = "of 2 bought 2"},
    {.name = "all refunded, say the refunds",
     .reference = "R54-100",
     .units = 2,
     .want = DECISION_PARK,
     .cause = "return_more_than_bought"},
    {.name = "refunded by hand",
     .reference = "",
     .units = 2,
     .refunded = 2,
     .want = DECISION_PARK,
     .cause = "return_refunded_else",
     .text = "may have been paid twice",
     .text2 = "of 2 bought 2",
     .urgent = true},
    {.name = "refunded by hand, BigCommerce pays",
     .payer = PAYER_BIGCOMMERCE,
     .reference = "",
     .units = 2,
     .want = DECISION_PARK,
     .cause = "return_refunded_else",
     .text = "made in BigCommerce"},
    {.name = "a declined refund by hand still holds its units",
     .reference = "",
     .units = 2,
     .declined = true,
     .want = DECISION_PARK,
     .cause = "return_refunded_else",
     .urgent = true},
    {.name = "an amount refunded by hand holds no units",
     .reference = "",
     .no_product = true,
     .quote = QUOTE("10.00", CASH),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "an amount refunded by hand, the rest is less",
     .reference = "",
     .no_product = true,
     .amount = 99 * MONEY_ONE,
     .quote = QUOTE("10.00", CASH),
     .want = DECISION_PARK,
     .cause = "return_above_paid",
     .text = "99.00 were refunded",
     .text2 = "10.00 more"},
    {.name = "one refunded by hand, two come back",
     .thousandths = 2 * ONE,
     .gross = 20 * MONEY_ONE,
     .reference = "",
     .units = 1,
     .refunded = 1,
     .want = DECISION_PARK,
     .cause = "return_refunded_else",
     .text = "2 unit(s) came back",
     .text2 = "of 2 bought 1",
     .urgent = true},
    {.name = "one refunded by hand, one is left", .reference = "", .units = 1, .refunded = 1, .want = DECISION_GO},
    /* the quote */
    {.name = "no total", .quote = "{\"refund_methods\":[]}", .want = DECISION_PARK, .cause = "return_quote_unclear"},
    {.name = "no methods",
     .quote = "{\"total_refund_amount\":10}",
     .want = DECISION_PARK,
     .cause = "return_quote_unclear"},
    {.name = "cut",
     .quote = "{\"total_refund_amount\":8,\"adjustment\":-2,\"refund_methods\":[" CASH "]}",
     .want = DECISION_PARK,
     .cause = "return_quote_adjusted",
     .text = "8.00",
     .text2 = "gave back 10.00"},
    {.name = "no offline method though the till paid",
     .quote = QUOTE("10.00", CARD "," CREDIT),
     .want = DECISION_PARK,
     .cause = "return_no_method",
     .text = "the till gave back 10.00",
     .text2 = "quotes 10.00"},
    {.name = "an adjustment that is no amount",
     .quote = "{\"total_refund_amount\":10,\"adjustment\":\"-2,00\",\"refund_methods\":[" CASH "]}",
     .want = DECISION_PARK,
     .cause = "return_quote_unclear",
     .text = "10.00 SEK",
     .text2 = "gave back 10.00"},
    {.name = "no adjustment",
     .quote = "{\"total_refund_amount\":10,\"adjustment\":null,\"refund_methods\":[" CASH "]}",
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "a total that is no amount",
     .quote = "{\"total_refund_amount\":\"ten\",\"refund_methods\":[" CASH "]}",
     .want = DECISION_PARK,
     .cause = "return_quote_unclear"},
    {.name = "a method that pays less than the quote says",
     .quote = QUOTE("20.00", CASH),
     .want = DECISION_PARK,
     .cause = "return_quote_unclear",
     .text = "quotes 20.00",
     .text2 = "pays 10.00"},
    {.name = "a total before rounding", .quote = QUOTE("10.0033", CASH), .want = DECISION_GO, .provider = "custom"},
    {.name = "store credit is no money that the till paid",
     .quote = QUOTE("10.00", METHOD("storecredit", "10.00", "true")),
     .want = DECISION_PARK,
     .cause = "return_no_method",
     .text = "gave back 10.00"},
    {.name = "split offline",
     .quote = QUOTE("10.00", "[{\"provider_id\":\"bankdeposit\",\"amount\":4,\"offline\":true},"
                             "{\"provider_id\":\"custom\",\"amount\":6,\"offline\":true}]"),
     .want = DECISION_GO,
     .provider = "bankdeposit"},
    {.name = "split with store credit, then the card alone",
     .payer = PAYER_BIGCOMMERCE,
     .quote = QUOTE("10.00", "[{\"provider_id\":\"storecredit\",\"amount\":4,\"offline\":false},"
                             "{\"provider_id\":\"braintree\",\"amount\":6,\"offline\":false}]," CARD),
     .want = DECISION_GO,
     .provider = "braintree"},
    {.name = "a payment that does not say whether it is offline",
     .payer = PAYER_BIGCOMMERCE,
     .quote = QUOTE("10.00", "[{\"provider_id\":\"braintree\",\"amount\":10}]"),
     .want = DECISION_PARK,
     .cause = "return_no_method",
     .text = "quotes 10.00",
     .text2 = "gave back 10.00"},
    {.name = "an empty method", .quote = QUOTE("10.00", "[]"), .want = DECISION_PARK, .cause = "return_no_method"},
    {.name = "a method half offline",
     .quote = QUOTE("10.00", "[{\"provider_id\":\"custom\",\"amount\":5,\"offline\":true},"
                             "{\"provider_id\":\"braintree\",\"amount\":5,\"offline\":false}]"),
     .want = DECISION_PARK,
     .cause = "return_no_method",
     .text = "no offline method"},
    {.name = "store credit alone",
     .payer = PAYER_BIGCOMMERCE,
     .quote = QUOTE("10.00", CREDIT "," CASH),
     .want = DECISION_PARK,
     .cause = "return_no_method",
     .text = "pays back through it"},
    {.name = "split online",
     .payer = PAYER_BIGCOMMERCE,
     .quote = QUOTE("10.00", "[{\"provider_id\":\"giftcertificate\",\"amount\":4,\"offline\":false},"
                             "{\"provider_id\":\"braintree\",\"amount\":6,\"offline\":false}]"),
     .want = DECISION_GO,
     .provider = "giftcertificate"},
    {.name = "a method without amount",
     .quote = QUOTE("10.00", "[{\"provider_id\":\"custom\",\"offline\":true}]"),
     .want = DECISION_PARK,
     .cause = "return_no_method"},
    {.name = "within the tolerance",
     .quote = QUOTE("10.02", METHOD("custom", "10.02", "true")),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "beyond the tolerance",
     .quote = QUOTE("10.03", METHOD("custom", "10.03", "true")),
     .want = DECISION_PARK,
     .cause = "return_amounts_differ",
     .text = "gave back 10.00 SEK for these rows, BigCommerce would refund 10.03 SEK"},
    {.name = "less than the till gave",
     .quote = QUOTE("9.50", METHOD("custom", "9.50", "true")),
     .want = DECISION_PARK,
     .cause = "return_amounts_differ",
     .text = "refund 9.50 SEK",
     .text2 = "gave back 10.00 SEK"},
    {.name = "no tolerance, equal",
     .tolerance = -1,
     .quote = QUOTE("10.00", CASH),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "no tolerance",
     .tolerance = -1,
     .quote = QUOTE("10.01", METHOD("custom", "10.01", "true")),
     .want = DECISION_PARK,
     .cause = "return_amounts_differ",
     .text = "gave back 10.00",
     .text2 = "refund 10.01"},
    {.name = "yen: two are within",
     .currency = "JPY",
     .gross = 1000 * MONEY_ONE,
     .total = 5000 * MONEY_ONE,
     .quote = QUOTE("1002", METHOD("custom", "1002", "true")),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "yen: three are not",
     .currency = "JPY",
     .gross = 1000 * MONEY_ONE,
     .total = 5000 * MONEY_ONE,
     .quote = QUOTE("1003", METHOD("custom", "1003", "true")),
     .want = DECISION_PARK,
     .cause = "return_amounts_differ",
     .text = "1000 JPY for these rows, BigCommerce would refund 1003 JPY"},
    {.name = "dinar: two thousandths are within",
     .currency = "KWD",
     .quote = QUOTE("10.002", METHOD("custom", "10.002", "true")),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "dinar: three are not",
     .currency = "KWD",
     .quote = QUOTE("10.003", METHOD("custom", "10.003", "true")),
     .want = DECISION_PARK,
     .cause = "return_amounts_differ",
     .text = "refund 10.003 KWD",
     .text2 = "gave back 10.000 KWD"},
    {.name = "above what was paid",
     .reference = "R54-100",
     .units = 1,
     .amount = 95 * MONEY_ONE,
     .quote = QUOTE("10.00", CASH),
     .want = DECISION_PARK,
     .cause = "return_above_paid",
     .text = "100.00 SEK were paid, 95.00 were refunded",
     .text2 = "10.00 more"},
    {.name = "exactly what is left",
     .reference = "R54-100",
     .units = 1,
     .amount = 90 * MONEY_ONE,
     .quote = QUOTE("10.00", CASH),
     .want = DECISION_GO,
     .provider = "custom"},
    {.name = "a declined refund paid nothing",
     .reference = "R54-100",
     .units = 1,
     .amount = 95 * MONEY_ONE,
     .declined = true,
     .quote = QUOTE("10.00", CASH),
     .want = DECISION_GO,
     .provider = "custom"},
};

static void decide(const struct row *r, struct decision *d) {
    const char *currency = r->currency != NULL ? r->currency : "SEK";
    bool foreign = r->cause != NULL && strcmp(r->cause, "return_currency") == 0;
    struct order sitoo = {.id = RETURN};
    struct order_row sold = {.sku = xstrdup(r->sku != NULL ? r->sku : "A"), .by_measure = r->by_measure};
    struct credit_row row = {.row = &sold,
                             .thousandths = r->thousandths != 0 ? r->thousandths : ONE,
                             .gross = r->gross != 0 ? r->gross : 10 * MONEY_ONE,
                             .gross_known = !r->no_amount,
                             .gift_card = r->gift_card,
                             .reference = CREDIT_REFERENCE};
    struct credit credit = {.order = &sitoo,
                            .rows = &row,
                            .n = 1,
                            .mixed = r->mixed,
                            .exchange = r->exchange,
                            .payer = r->unknown                  ? PAYER_UNKNOWN
                                     : r->payer == PAYER_UNKNOWN ? PAYER_TILL
                                                                 : r->payer};
    (void)str_copy(credit.currency, sizeof credit.currency, currency);
    (void)str_copy(credit.payments, sizeof credit.payments, r->no_payment ? "" : "Swish");
    struct match match = {.kind = MATCH_WEB,
                          .web_order = ORDER,
                          .product = r->product == 0  ? 7
                                     : r->product < 0 ? 0
                                                      : r->product};
    const struct credit_row *list[] = {&row, &row};
    const struct match *matches[] = {&match, &match};
    struct part p = {
        .credit = &credit, .web_order = ORDER, .rows = list, .matches = matches, .row_count = r->twice ? 2 : 1};
    struct paid_line lines[] = {{.id = 7, .sku = xstrdup("A"), .quantity = 2, .refunded = r->refunded},
                                {.id = 8, .sku = xstrdup("B"), .quantity = 1},
                                {.id = 9, .sku = xstrdup("A"), .quantity = 1}};
    struct paid_order order = {.found = !r->gone,
                               .id = ORDER,
                               .status_id = r->status == 0  ? 2
                                            : r->status < 0 ? 0
                                                            : r->status,
                               .total = r->total != 0 ? r->total : TOTAL,
                               .lines = lines,
                               .n = r->second_a ? 3 : 2};
    (void)str_copy(order.currency, sizeof order.currency, foreign ? "SEK" : currency);
    struct refund_item item = {.product = !r->no_product, .item_id = 7, .quantity = r->units};
    struct refund refund = {.id = 1,
                            .order_id = ORDER,
                            .total = r->amount != 0 ? r->amount : 10 * MONEY_ONE,
                            .declined = r->declined,
                            .items = &item,
                            .item_count = 1};
    (void)str_copy(refund.reference, sizeof refund.reference, r->reference != NULL ? r->reference : "");
    struct refund_list refunds = {.list = &refund, .n = r->reference != NULL ? 1 : 0};
    struct mapping_returns m = {.tolerance_minor = r->tolerance == 0 ? 2 : r->tolerance < 0 ? 0 : r->tolerance};
    decide_refund(&p, &order, &refunds, d);
    if (d->kind == DECISION_SETTLED && d->refund != &refund) {
        fail_msg("%s: settled by no refund", r->name);
    }
    if (r->quote != NULL && d->kind == DECISION_GO) {
        const char *provider = NULL;
        cJSON *quote = plan_parse(r->quote);
        decide_quote(&p, &order, &refunds, &m, quote, d);
        if (d->kind == DECISION_GO) {
            provider = json_str(cJSON_GetArrayItem(d->method, 0), "provider_id");
            if (provider == NULL || r->provider == NULL || strcmp(provider, r->provider) != 0) {
                fail_msg("%s: %s, not %s", r->name, provider, r->provider);
            }
        }
        cJSON_Delete(quote);
    } else if (r->quote != NULL) {
        fail_msg("%s: parked before the quote: %s", r->name, d->text);
    }
    free(p.items);
    free(sold.sku);
    for (size_t i = 0; i < 3; i++) {
        free(lines[i].sku);
    }
}

static void every_verdict_about_money(void **state) {
    (void)state;
    assert_true(sizeof rows / sizeof rows[0] >= 40);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct decision d;
        decide(r, &d);
        if (d.kind != r->want) {
            fail_msg("%s: kind %d, not %d: %s", r->name, (int)d.kind, (int)r->want, d.text);
        }
        if (d.kind == DECISION_PARK && strcmp(d.cause, r->cause) != 0) {
            fail_msg("%s: %s, not %s: %s", r->name, d.cause, r->cause, d.text);
        }
        for (int k = 0; k < 2; k++) {
            const char *words = k == 0 ? r->text : r->text2;
            if (words != NULL && strstr(d.text, words) == NULL) {
                fail_msg("%s: \"%s\" does not hold \"%s\"", r->name, d.text, words);
            }
        }
        if (d.urgent != r->urgent) {
            fail_msg("%s: urgent %d, not %d", r->name, d.urgent, r->urgent);
        }
    }
}

/* A settled return closes what it was parked for: every cause of the table is in the list. */
static void every_cause_is_among_those_that_are_closed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool found = rows[i].cause == NULL;
        for (size_t k = 0; decision_causes[k] != NULL; k++) {
            found = found || strcmp(decision_causes[k], rows[i].cause) == 0;
        }
        if (!found) {
            fail_msg("%s is not in decision_causes", rows[i].cause);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_about_money),
        cmocka_unit_test(every_cause_is_among_those_that_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
