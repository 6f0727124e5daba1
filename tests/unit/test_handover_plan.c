/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "allocation.h"
#include "handover_plan.h"
#include "order.h"
#include "plan.h"
#include "webaddress.h"
#include "ban.h"

#define DAY  INT64_C(86400000)
#define NOW  (100 * DAY)
#define SHOP 43
#define WEB  9

/*
 * web: rows, "1:3-1+2@51" = row 1, three units, one refunded, two shipped, address 51.
 * sitoo: orders, divided by "|": "r0p1/2 open bopis 0=1:3+2" = part 1 of 2 of revision 0, its row 0 stands for row 1,
 * three units, two of them delivered. bopis; ignore (moves no stock); unpaid; elsewhere (another shop); moved (another
 * address); R5, X5: ready, rejected on day 5. known: notmine; old (placed before the first start); asked; ended (when
 * last looked at); recorded, collected (pickup record); gone (no such web order); keep, to12, delivery, noaddress:
 * settings. want: the step, then the cases ("!" = urgent), then "open" if the order is looked at again.
 */
struct row {
    const char *name;
    int64_t status;
    enum web_kind kind;
    const char *web, *sitoo, *known, *want;
};

static const struct row rows[] = {
    /* nothing there yet: status by status */
    {"Incomplete", 0, WEB_PICKUP, "1:2", "", "", "nothing"},
    {"Pending", 1, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Shipped since the start", 2, WEB_SHIP, "1:2+2", "", "", "create r0p1"},
    {"Shipped before the start", 2, WEB_SHIP, "1:2+2", "", "old", "nothing"},
    {"Partially Shipped", 3, WEB_SHIP, "1:2+1", "", "", "create r0p1"},
    {"Refunded", 4, WEB_PICKUP, "1:2-2", "", "", "nothing"},
    {"Cancelled", 5, WEB_PICKUP, "1:2", "", "", "nothing"},
    {"Declined", 6, WEB_PICKUP, "1:2", "", "", "nothing"},
    {"Awaiting Payment", 7, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Awaiting Pickup", 8, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Awaiting Shipment", 9, WEB_SHIP, "1:2", "", "", "create r0p1"},
    {"Completed since the start", 10, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Completed before the start", 10, WEB_PICKUP, "1:2", "", "old", "nothing"},
    {"Awaiting Fulfillment", 11, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Manual Verification", 12, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Disputed", 13, WEB_PICKUP, "1:2", "", "", "create r0p1"},
    {"Partially Refunded", 14, WEB_PICKUP, "1:2-1", "", "", "create r0p1"},
    {"a status that does not exist", 15, WEB_PICKUP, "1:2", "", "", "nothing"},
    /* nothing there yet: whose order, which goods */
    {"of before the first start", 11, WEB_PICKUP, "1:2", "", "notmine", "nothing"},
    {"downloads only", 11, WEB_NO_GOODS, "", "", "", "nothing"},
    {"every unit refunded, status not yet", 11, WEB_PICKUP, "1:2-2 2:1-1", "", "", "nothing"},
    {"one row refunded", 11, WEB_PICKUP, "1:2-2 2:1", "", "", "create r0p1"},
    {"unknown location", 11, WEB_UNCLEAR, "1:2", "", "", "nothing pickup_location_unknown! open"},
    {"unknown location, cancelled", 5, WEB_UNCLEAR, "1:2", "", "", "nothing"},
    {"unknown location, not ours", 11, WEB_UNCLEAR, "1:2", "", "notmine", "nothing"},
    {"returns only, paid", 11, WEB_RETURN_ONLY, "1:2", "", "", "create r0p1"},
    {"returns only, not paid", 7, WEB_RETURN_ONLY, "1:2", "", "", "nothing"},
    {"returns only, shipped", 2, WEB_RETURN_ONLY, "1:2+2", "", "", "create r0p1"},
    {"no such web order", 0, WEB_PICKUP, "", "", "gone", "nothing"},
    {"no such web order, but Sitoo has it", 0, WEB_PICKUP, "", "r0p1/1 open bopis 0=1:2", "gone",
     "nothing web_order_gone open"},
    {"no such web order, all over", 0, WEB_PICKUP, "", "r0p1/1 closed bopis 0=1:2+2", "gone", "nothing"},
    /* reserved, waiting */
    {"reserved for collection", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2", "", "nothing open"},
    {"reserved for shipping", 11, WEB_SHIP, "1:2", "r0p1/1 open 0=1:2", "", "nothing open"},
    {"reserved, not paid", 7, WEB_PICKUP, "1:2", "r0p1/1 open bopis unpaid 0=1:2", "", "nothing open"},
    {"reserved, paid late", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis unpaid 0=1:2", "", "pay BC-9 open"},
    {"both parts unpaid: one at a time", 11, WEB_SHIP, "1:2", "r0p1/2 open 0=1:1|r0p2/2 open unpaid 0=1:1", "",
     "pay BC-9-2r0 open"},
    {"new address", 11, WEB_SHIP, "1:2", "r0p1/1 open moved 0=1:2", "", "address BC-9 open"},
    {"new address that the shop does not get", 11, WEB_SHIP, "1:2", "r0p1/1 open moved 0=1:2", "noaddress",
     "nothing open"},
    {"an address is nothing to a pickup", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis moved 0=1:2", "", "nothing open"},
    /* split */
    {"second part is missing", 11, WEB_SHIP, "1:2", "r0p1/2 open 0=1:1", "", "create r0p2/2 open"},
    {"third part is missing", 11, WEB_SHIP, "1:3", "r0p1/3 open 0=1:1|r0p2/3 open 0=1:1", "", "create r0p3/3 open"},
    {"a part is missing, but its units were refunded", 11, WEB_SHIP, "1:2-1", "r0p1/2 open 0=1:1", "", "nothing open"},
    {"all parts there", 11, WEB_SHIP, "1:2", "r0p1/2 open 0=1:1|r0p2/2 open 0=1:1", "", "nothing open"},
    {"one part cancelled in a till", 11, WEB_SHIP, "1:2", "r0p1/2 cancelled 0=1:1|r0p2/2 open 0=1:1", "",
     "nothing cancelled_in_till! open"},
    {"one part cancelled, a person asks again", 11, WEB_SHIP, "1:2", "r0p1/2 cancelled 0=1:1|r0p2/2 open 0=1:1",
     "asked", "create r1p1 open"},
    /* the web order ended */
    {"cancelled", 5, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2", "", "cancel BC-9 open"},
    {"declined", 6, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2", "", "cancel BC-9 open"},
    {"refunded", 4, WEB_PICKUP, "1:2-2", "r0p1/1 open bopis 0=1:2", "", "cancel BC-9 open"},
    {"incomplete again", 0, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2", "", "cancel BC-9 open"},
    {"cancelled on both sides", 5, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis 0=1:2", "", "nothing"},
    {"cancelled, in two parts", 5, WEB_SHIP, "1:2", "r0p1/2 cancelled 0=1:1|r0p2/2 open 0=1:1", "",
     "cancel BC-9-2r0 open"},
    {"cancelled between two revisions", 5, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:1|r1p1/1 cancelled bopis 0=1:2",
     "", "cancel BC-9 open"},
    {"cancelled after it was handed over", 5, WEB_PICKUP, "1:2", "r0p1/1 closed bopis 0=1:2+2", "",
     "nothing cancelled_after_handover!"},
    {"cancelled when a part was handed over", 5, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2+1", "",
     "nothing cancelled_after_handover! open"},
    {"cancelled, one of two parts was sent", 5, WEB_SHIP, "1:2", "r0p1/2 closed 0=1:1+1|r0p2/2 open 0=1:1", "",
     "nothing cancelled_after_handover! open"},
    {"refunded after it was handed over: our own refund", 4, WEB_PICKUP, "1:2-2", "r0p1/1 closed bopis 0=1:2+2", "",
     "nothing"},
    {"refunded, the shop still has a part", 4, WEB_PICKUP, "1:2-2", "r0p1/1 open bopis 0=1:2+1", "",
     "nothing cancelled_after_handover! open"},
    {"cancelled, returns only", 5, WEB_RETURN_ONLY, "1:2", "r0p1/1 closed ignore 0=1:2", "", "nothing"},
    /* edited */
    {"more units", 11, WEB_PICKUP, "1:3", "r0p1/1 open bopis 0=1:2", "", "create r1p1 open"},
    {"fewer units", 11, WEB_PICKUP, "1:1", "r0p1/1 open bopis 0=1:2", "", "create r1p1 open"},
    {"one unit refunded", 14, WEB_PICKUP, "1:2-1", "r0p1/1 open bopis 0=1:2", "", "create r1p1 open"},
    {"a row more", 11, WEB_PICKUP, "1:2 2:1", "r0p1/1 open bopis 0=1:2", "", "create r1p1 open"},
    {"a row fewer", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2 1=2:1", "", "create r1p1 open"},
    {"a row that shop staff added", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2 1=0:1", "", "nothing open"},
    {"edited again", 11, WEB_PICKUP, "1:4", "r0p1/1 cancelled bopis 0=1:2|r1p1/1 open bopis 0=1:3", "",
     "create r2p1 open"},
    {"the old revision ends once the new one is there", 11, WEB_PICKUP, "1:3",
     "r0p1/1 open bopis 0=1:2|r1p1/1 open bopis 0=1:3", "", "cancel BC-9 open"},
    {"the old revision stays while the new one lacks a part", 11, WEB_SHIP, "1:3",
     "r0p1/1 open 0=1:2|r1p1/2 open 0=1:2", "", "create r1p2/2 open"},
    {"the old revision was handed over meanwhile", 11, WEB_PICKUP, "1:3",
     "r0p1/1 open bopis 0=1:2+1|r1p1/1 open bopis 0=1:3", "", "nothing edited_after_handover open"},
    {"edited ten times", 11, WEB_PICKUP, "1:3", "r9p1/1 open bopis 0=1:2", "", "nothing too_many_edits open"},
    {"edited after a part was handed over", 11, WEB_PICKUP, "1:3", "r0p1/1 open bopis 0=1:2+1", "",
     "nothing edited_after_handover open"},
    {"what was handed over is refunded", 14, WEB_PICKUP, "1:2-1", "r0p1/1 closed bopis 0=1:2+2", "recorded collected",
     "nothing"},
    {"what was handed over is taken out of the web order", 10, WEB_PICKUP, "1:1", "r0p1/1 closed bopis 0=1:2+2",
     "recorded collected", "nothing edited_after_handover"},
    {"what was not yet handed over is refunded", 14, WEB_PICKUP, "1:2-1", "r0p1/1 open bopis 0=1:2+1", "",
     "nothing edited_after_handover open"},
    {"every unit refunded, the status lags", 11, WEB_PICKUP, "1:2-2", "r0p1/1 open bopis 0=1:2", "",
     "cancel BC-9 open"},
    {"every row taken off", 11, WEB_NO_GOODS, "", "r0p1/1 open bopis 0=1:2", "", "cancel BC-9 open"},
    {"every row taken off, cancelled", 11, WEB_NO_GOODS, "", "r0p1/1 cancelled bopis 0=1:2", "", "nothing"},
    {"cancelled in the till when a part was handed over", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis 0=1:2+1", "",
     "nothing cancelled_in_till! open"},
    {"cancelled with its web order, which stands again", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis 0=1:2", "ended",
     "create r1p1"},
    {"the same, all in parts", 11, WEB_SHIP, "1:2", "r0p1/2 cancelled 0=1:1|r0p2/2 cancelled 0=1:1", "ended",
     "create r1p1"},
    {"the same, asked again", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis 0=1:2+1", "asked", "create r1p1"},
    {"cancelled after all that is still wanted was handed over, asked again", 14, WEB_PICKUP, "1:2-1",
     "r0p1/1 cancelled bopis 0=1:2+1", "asked", "nothing cancelled_in_till! open"},
    {"the second part was refunded before it was made", 14, WEB_SHIP, "1:3-2", "r0p1/2 open 0=1:2", "",
     "create r1p1 open"},
    {"the same, the rest is there", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis 0=1:2+1|r1p1/1 open bopis 0=1:1", "",
     "nothing open"},
    {"two revisions, the old one is delivered", 11, WEB_PICKUP, "1:2",
     "r0p1/1 open bopis 0=1:1+1|r1p1/1 open bopis 0=1:1", "", "close BC-9 open"},
    {"another shop", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis elsewhere 0=1:2", "", "create r1p1 open"},
    {"sent instead of collected", 11, WEB_SHIP, "1:2", "r0p1/1 open bopis 0=1:2", "", "create r1p1 open"},
    {"collected instead of sent", 11, WEB_PICKUP, "1:2", "r0p1/1 open 0=1:2", "", "create r1p1 open"},
    {"an unknown shop from now on", 11, WEB_UNCLEAR, "1:2", "r0p1/1 open bopis 0=1:2", "",
     "nothing pickup_location_unknown! open"},
    {"an unknown shop, collected long ago", 10, WEB_UNCLEAR, "1:2", "r0p1/1 closed bopis 0=1:2+2", "", "nothing"},
    /* ready, rejected, collected */
    {"ready", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2", "", "ready open"},
    {"ready, record made", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2", "recorded", "status 8 open"},
    {"ready, awaiting shipment", 9, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2", "recorded", "status 8 open"},
    {"ready, told", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2", "recorded", "nothing open"},
    {"ready, but a person looks into it", 12, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2", "", "nothing open"},
    {"ready, but not paid", 7, WEB_PICKUP, "1:2", "r0p1/1 open bopis unpaid R99 0=1:2", "", "nothing open"},
    {"ready, disputed", 13, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2", "", "nothing open"},
    {"not collected for 14 days", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis R86 0=1:2", "recorded", "nothing open"},
    {"not collected for 15 days", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis R85 0=1:2", "recorded",
     "nothing uncollected open"},
    {"rejected", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis X99 0=1:2", "", "cancel BC-9 pickup_rejected! open"},
    {"rejected and cancelled", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis X99 0=1:2", "",
     "nothing pickup_rejected! open"},
    {"rejected, kept in Sitoo", 11, WEB_PICKUP, "1:2", "r0p1/1 open bopis X99 0=1:2", "keep",
     "nothing pickup_rejected! open"},
    {"rejected after it was ready", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis R97 X99 0=1:2", "recorded",
     "cancel BC-9 pickup_rejected! open"},
    {"ready after it was rejected", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis X97 R99 0=1:2", "recorded",
     "nothing open"},
    {"rejected: set to Manual Verification", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis X99 0=1:2", "to12",
     "status 12 pickup_rejected! open"},
    {"rejected: set already", 12, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis X99 0=1:2", "to12",
     "nothing pickup_rejected! open"},
    {"rejected: disputed stays disputed", 13, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis X99 0=1:2", "to12",
     "nothing pickup_rejected! open"},
    {"rejected, then a person asks again", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis X99 0=1:2", "asked",
     "create r1p1"},
    {"rejected, web order cancelled", 5, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis X99 0=1:2", "", "nothing"},
    {"asked again: the new one is looked at as any", 11, WEB_PICKUP, "1:2",
     "r0p1/1 cancelled bopis X99 0=1:2|r1p1/1 open bopis 0=1:2", "", "nothing open"},
    {"cancelled in the till", 11, WEB_PICKUP, "1:2", "r0p1/1 cancelled bopis 0=1:2", "",
     "nothing cancelled_in_till! open"},
    {"abandoned", 11, WEB_PICKUP, "1:2", "r0p1/1 abandoned bopis 0=1:2", "", "nothing cancelled_in_till! open"},
    {"cancelled in the till, asked again, ten times", 11, WEB_PICKUP, "1:2", "r9p1/1 cancelled bopis 0=1:2", "asked",
     "nothing too_many_edits"},
    {"collected", 8, WEB_PICKUP, "1:2", "r0p1/1 closed bopis R99 0=1:2+2", "recorded", "collected"},
    {"collected, no record", 11, WEB_PICKUP, "1:2", "r0p1/1 closed bopis 0=1:2+2", "", "collected"},
    {"collected, told", 8, WEB_PICKUP, "1:2", "r0p1/1 closed bopis R99 0=1:2+2", "recorded collected", "status 10"},
    {"collected, completed", 10, WEB_PICKUP, "1:2", "r0p1/1 closed bopis R99 0=1:2+2", "recorded collected", "nothing"},
    {"completed by staff, record open", 10, WEB_PICKUP, "1:2", "r0p1/1 closed bopis R99 0=1:2+2", "recorded",
     "collected"},
    {"collected, not paid", 7, WEB_PICKUP, "1:2", "r0p1/1 closed bopis unpaid 0=1:2+2", "",
     "nothing collected_but_status"},
    {"collected, a person looks into it", 12, WEB_PICKUP, "1:2", "r0p1/1 closed bopis 0=1:2+2", "",
     "nothing collected_but_status"},
    {"part of it collected", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2+1", "recorded", "nothing open"},
    {"all collected, still open", 8, WEB_PICKUP, "1:2", "r0p1/1 open bopis R99 0=1:2+2", "recorded", "close BC-9 open"},
    /* shipped, on either side */
    {"the shop sent one of two", 11, WEB_SHIP, "1:2@51", "r0p1/1 open 0=1:2+1", "", "shipment 1:1@51 open"},
    {"told", 3, WEB_SHIP, "1:2+1@51", "r0p1/1 open 0=1:2+1", "", "nothing open"},
    {"the shop sent the rest", 3, WEB_SHIP, "1:2+1@51", "r0p1/1 open 0=1:2+2", "", "shipment 1:1@51 open"},
    {"all sent and told", 2, WEB_SHIP, "1:2+2@51", "r0p1/1 open 0=1:2+2", "", "close BC-9 open"},
    {"all over", 2, WEB_SHIP, "1:2+2@51", "r0p1/1 closed 0=1:2+2", "", "nothing"},
    {"two rows, two addresses: one at a time", 11, WEB_SHIP, "1:1@51 2:1@52", "r0p1/1 open 0=1:1+1 1=2:1+1", "",
     "shipment 1:1@51 open"},
    {"two rows of one address go together", 11, WEB_SHIP, "1:1@51 2:2@51", "r0p1/1 open 0=1:1+1 1=2:2+1", "",
     "shipment 1:1@51 2:1@51 open"},
    {"two parts sent", 11, WEB_SHIP, "1:3@51", "r0p1/2 closed 0=1:1+1|r0p2/2 open 0=1:2+2", "", "shipment 1:3@51 open"},
    {"BigCommerce sent one of two", 3, WEB_SHIP, "1:2+1@51", "r0p1/1 open 0=1:2", "", "deliver BC-9 0=1:1 open"},
    {"BigCommerce sent all", 2, WEB_SHIP, "1:2+2@51", "r0p1/1 open 0=1:2", "", "deliver BC-9 0=1:2 open"},
    {"BigCommerce sent all, the shop had sent one", 2, WEB_SHIP, "1:2+2@51", "r0p1/1 open 0=1:2+1", "",
     "deliver BC-9 0=1:1 open"},
    {"each sent one: the same one", 3, WEB_SHIP, "1:2+1@51", "r0p1/1 open 0=1:2+1", "", "nothing open"},
    {"BigCommerce sent all: part by part", 2, WEB_SHIP, "1:3+3@51", "r0p1/2 open 0=1:1|r0p2/2 open 0=1:2", "",
     "deliver BC-9 0=1:1 open"},
    {"the first part is delivered: the next", 2, WEB_SHIP, "1:3+3@51", "r0p1/2 open 0=1:1+1|r0p2/2 open 0=1:2", "",
     "deliver BC-9-2r0 0=1:2 open"},
    {"set to Shipped by hand", 2, WEB_SHIP, "1:2 2:1", "r0p1/1 open 0=1:2 1=2:1", "", "deliver BC-9 0=1:2 1=2:1 open"},
    {"set to Completed by hand", 10, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2", "", "deliver BC-9 0=1:2 open"},
    {"delivered for it: closed next", 10, WEB_PICKUP, "1:2", "r0p1/1 open bopis 0=1:2+2", "", "close BC-9 open"},
    /* returns only */
    {"returns only: there", 2, WEB_RETURN_ONLY, "1:2+2", "r0p1/1 closed ignore 0=1:2", "", "nothing"},
    {"returns only: its delivery", 2, WEB_RETURN_ONLY, "1:2+2", "r0p1/1 closed ignore 0=1:2", "delivery",
     "deliver BC-9 0=1:2"},
    {"returns only: delivered", 2, WEB_RETURN_ONLY, "1:2+2", "r0p1/1 closed ignore 0=1:2+2", "delivery", "nothing"},
};

/* ---- the table's language ---- */

static int64_t number(const char **at) {
    char *end = NULL;
    int64_t n = strtoll(*at, &end, 10);
    assert_ptr_not_equal(end, *at);
    *at = end;
    return n;
}

static bool past(const char **at, const char *word) {
    size_t len = strlen(word);
    bool there = strncmp(*at, word, len) == 0;
    *at += there ? len : 0;
    return there;
}

static void read_web(const struct row *row, bool found, struct web_order *web) {
    memset(web, 0, sizeof *web);
    *web = (struct web_order){
        .found = found, .id = WEB, .status_id = row->status, .kind = row->kind, .warehouse_id = SHOP};
    web->rows = xcalloc(8, sizeof *web->rows);
    for (const char *at = row->web; *at != '\0';) {
        struct web_row *r = &web->rows[web->n++];
        r->id = number(&at);
        assert_true(past(&at, ":"));
        r->quantity = number(&at);
        r->refunded = past(&at, "-") ? number(&at) : 0;
        r->shipped = past(&at, "+") ? number(&at) : 0;
        r->address_id = past(&at, "@") ? number(&at) : 0;
        assert_true(past(&at, " ") || *at == '\0');
        assert_in_range(web->n, 1, 8);
    }
}

static void read_word(const char **at, struct handed_order *o) {
    static const struct {
        const char *word;
        int64_t state;
    } states[] = {{"open", ORDER_STATE_OPEN},
                  {"closed", ORDER_STATE_CLOSED},
                  {"cancelled", ORDER_STATE_CANCELLED},
                  {"abandoned", ORDER_STATE_ABANDONED}};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (past(at, states[i].word)) {
            o->state = states[i].state;
            return;
        }
    }
    if (past(at, "bopis")) {
        o->bopis = true;
    } else if (past(at, "ignore")) {
        o->ignores_stock = true;
    } else if (past(at, "unpaid")) {
        o->payment_state = 10;
    } else if (past(at, "elsewhere")) {
        o->warehouse_id = SHOP + 1;
    } else if (past(at, "moved")) {
        o->address[0] = o->address[0] == '0' ? '1' : '0';
    } else if (past(at, "R")) {
        o->ready_ms = number(at) * DAY;
    } else if (past(at, "X")) {
        o->rejected_ms = number(at) * DAY;
    } else {
        struct handed_row *r = &o->rows[o->n++];
        r->item_id = number(at);
        assert_true(past(at, "="));
        r->web_item = number(at);
        assert_true(past(at, ":"));
        r->quantity = number(at);
        r->delivered = past(at, "+") ? number(at) : 0;
        assert_in_range(o->n, 1, 8);
    }
}

static void read_sitoo(const struct row *row, const struct web_order *web, struct handed *h) {
    memset(h, 0, sizeof *h);
    h->rev = -1;
    h->list = xcalloc(8, sizeof *h->list);
    for (const char *at = row->sitoo; *at != '\0';) {
        struct handed_order *o = &h->list[h->n++];
        *o = (struct handed_order){.id = 500 + (int64_t)h->n, .payment_state = 20, .warehouse_id = SHOP};
        o->rows = xcalloc(8, sizeof *o->rows);
        web_address_digest(web, o->address);
        assert_true(past(&at, "r"));
        o->rev = number(&at);
        assert_true(past(&at, "p"));
        o->part = number(&at);
        assert_true(past(&at, "/"));
        o->parts = number(&at);
        handed_name("BC-", WEB, o->part, o->rev, o->name);
        while (past(&at, " ")) {
            read_word(&at, o);
        }
        h->rev = o->rev > h->rev ? o->rev : h->rev;
        assert_true(past(&at, "|") || *at == '\0');
    }
}

static char *plan_words(const struct hand_plan *p) {
    struct buf b;
    buf_init(&b, 4000);
    buf_add_str(&b, hand_step_name(p->step));
    if (p->step == HAND_CREATE) {
        buf_addf(&b, " r%lldp%lld", (long long)p->rev, (long long)p->part);
        if (p->parts > 0) {
            buf_addf(&b, "/%lld", (long long)p->parts);
        }
    }
    if (p->order != NULL) {
        buf_addf(&b, " %s", p->order->name);
    }
    if (p->step == HAND_STATUS) {
        buf_addf(&b, " %lld", (long long)p->status);
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct hand_move *m = &p->moves[i];
        if (p->step == HAND_DELIVER) {
            buf_addf(&b, " %lld=%lld:%lld", (long long)m->item_id, (long long)m->web_item, (long long)m->quantity);
        } else {
            buf_addf(&b, " %lld:%lld@%lld", (long long)m->web_item, (long long)m->quantity, (long long)m->address_id);
        }
    }
    for (size_t i = 0; i < p->case_count; i++) {
        buf_addf(&b, " %s%s", p->cases[i].cause, p->cases[i].urgent ? "!" : "");
    }
    buf_add_str(&b, p->open ? " open" : "");
    return buf_take(&b);
}

/* Every case has all that a person needs, and a cause that is closed when it is over. */
static void check_cases(const struct row *row, const struct hand_plan *p) {
    for (size_t i = 0; i < p->case_count; i++) {
        const struct hand_case *c = &p->cases[i];
        bool known = false;
        for (size_t k = 0; hand_causes[k] != NULL; k++) {
            known = known || strcmp(hand_causes[k], c->cause) == 0;
        }
        if (!known || strstr(c->text, "9") == NULL || c->effect == NULL || c->step == NULL) {
            fail_msg("%s: case %s: %s", row->name, c->cause, c->text);
        }
    }
}

static void check_row(const struct row *row, struct buf *wrong) {
    struct mapping m = {.web = {.address = strstr(row->known, "noaddress") == NULL,
                                .cancel_on_reject = strstr(row->known, "keep") == NULL,
                                .rejected_status = strstr(row->known, "to12") != NULL ? 12 : 0,
                                .return_add_delivery = strstr(row->known, "delivery") != NULL,
                                .uncollected_days = 14}};
    const struct hand_known k = {.mapping = &m,
                                 .mine = strstr(row->known, "notmine") == NULL,
                                 .since_start = strstr(row->known, "old") == NULL,
                                 .asked = strstr(row->known, "asked") != NULL,
                                 .ended = strstr(row->known, "ended") != NULL,
                                 .recorded = strstr(row->known, "recorded") != NULL,
                                 .collected = strstr(row->known, "collected") != NULL,
                                 .now_ms = NOW};
    struct web_order web;
    struct handed h;
    struct hand_plan p;
    read_web(row, strstr(row->known, "gone") == NULL, &web);
    read_sitoo(row, &web, &h);
    hand_plan_make(&web, &h, &k, &p);
    char *got = plan_words(&p);
    if (strcmp(got, row->want) != 0) {
        buf_addf(wrong, "%s: %s, not %s\n", row->name, got, row->want);
    }
    check_cases(row, &p);
    free(got);
    hand_plan_free(&p);
    handed_free(&h);
    web_order_free(&web);
}

static void next_step_follows_from_both_platforms(void **state) {
    struct buf wrong;
    (void)state;
    buf_init(&wrong, 100000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i], &wrong);
    }
    char *text = buf_take(&wrong);
    plan_same("rows", text, "");
    free(text);
}

static void paid_is_said_by_the_status(void **state) {
    static const bool paid[] = {false, false, true, true, false, false, false, false,
                                true,  true,  true, true, false, true,  true,  false};
    (void)state;
    for (int64_t s = 0; s < (int64_t)(sizeof paid / sizeof paid[0]); s++) {
        if (hand_paid(s) != paid[s]) {
            fail_msg("status %lld", (long long)s);
        }
    }
}

static void more_cases_than_there_is_room_for_are_left_out(void **state) {
    struct hand_plan p = {0};
    (void)state;
    for (int i = 0; i < HAND_CASES_MAX + 2; i++) {
        hand_plan_case(&p, "uncollected", false, "effect", "step", "%0*d", 600, i);
    }
    assert_int_equal(p.case_count, HAND_CASES_MAX);
    assert_int_equal(strlen(p.cases[0].text), sizeof p.cases[0].text - 1);
}

/* ---- allocation ---- */

/* wanted per row; available and expected per warehouse, each "row row". */
struct share {
    const char *name, *wanted, *available, *want;
    bool split, enough;
};

static size_t numbers(const char *at, int64_t *out) {
    size_t n = 0;
    while (*at != '\0') {
        out[n++] = number(&at);
        at += strspn(at, " |");
        assert_in_range(n, 1, 64);
    }
    return n;
}

static void warehouses_are_chosen(void **state) {
    static const struct share list[] = {
        {"the first has all", "2 1", "2 1|9 9", "2 1|0 0", false, true},
        {"the second has all", "2 1", "2 0|2 1", "0 0|2 1", false, true},
        {"the first that has all, though split is allowed", "2 1", "2 0|9 9|2 1", "0 0|2 1|0 0", true, true},
        {"nobody has all", "2 1", "2 0|0 1", "0 0|0 0", false, false},
        {"split by rows", "2 1", "2 0|0 1", "2 0|0 1", true, true},
        {"split within a row", "3", "1|0|2", "1|0|2", true, true},
        {"no more than is wanted", "3", "2|5|5", "0|3|0", true, true},
        {"split takes from the first on", "5", "2|2|4", "2|2|1", true, true},
        {"not even all together", "3", "1|1", NULL, true, false},
        {"one row is short", "1 3", "9 1|9 1", NULL, true, false},
        {"less than nothing is nothing", "2", "-3|1|1", "0|1|1", true, true},
        {"a row of nothing", "0 2", "0 2", "0 2", false, true},
        {"six parts are the most", "6", "1|1|1|1|1|1", "1|1|1|1|1|1", true, true},
        {"seven are too many", "7", "1|1|1|1|1|1|1", NULL, true, false},
        {"seven warehouses, six parts", "6", "1|0|1|1|1|1|1", "1|0|1|1|1|1|1", true, true},
        {"no warehouse", "1", "", NULL, true, false},
        {"no warehouse, no split", "1", "", NULL, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        int64_t wanted[64], available[64], want[64], got[64];
        size_t n = numbers(list[i].wanted, wanted), all = numbers(list[i].available, available);
        memset(got, 0xff, sizeof got);
        if (hand_allocate(wanted, n, available, all / n, list[i].split, got) != list[i].enough) {
            fail_msg("%s: enough is not %d", list[i].name, list[i].enough);
        }
        if (list[i].want != NULL &&
            (numbers(list[i].want, want) != all || memcmp(got, want, all * sizeof got[0]) != 0)) {
            fail_msg("%s: other units than %s", list[i].name, list[i].want);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_step_follows_from_both_platforms),
        cmocka_unit_test(paid_is_said_by_the_status),
        cmocka_unit_test(more_cases_than_there_is_room_for_are_left_out),
        cmocka_unit_test(warehouses_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
