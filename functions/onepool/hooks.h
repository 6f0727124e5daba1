/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool hooks: our webhooks at BigCommerce. In JSON:
 *
 *   {"ok":false,"public_url":"https://your.host","mode":"live",
 *    "hooks":[{"scope":"store/order/created","destination":"https://your.host/hooks/bigcommerce/order-created","id":12,
 *              "found_destination":"https://...","problems":["wrong header"],"duplicates":[13],
 *              "done":"nothing|created|changed|revived|shadowed|failed|would create|would change|would revive",
 *              "problem":""}],
 *    "others":[{"id":14,"scope":"store/product/updated","destination":"https://...","is_active":true,"comes_to_us":false,
 *               "unused":false}],
 *    "blocked_domains":[{"destination":"https://your.host","time_left_s":120,
 *                        "reasons":[{"text":"Status 503","count":30}]}],
 *    "catch_up":false}
 *
 * comes_to_us: and nobody wants it. unused: it comes to us, and would be wanted with another mapping (products). After
 * a repair hooks are as they were read once more. No secret is printed, nor headers of others.
 */
#ifndef ONEPOOL_COMMAND_HOOKS_H
#define ONEPOOL_COMMAND_HOOKS_H

#include "command.h"
#include "hooks_repair.h"

/* What the command found and did. */
struct hooks_report {
    const struct command_line *line;
    const struct settings *set;
    enum mode mode;
    struct hooks_view before, now; /* now: once more after a repair; else empty */
    struct hooks_work work;
    bool repaired; /* work and now are filled */
};

/* True if every wanted webhook is right, none is stray and no domain is blocked. */
bool hooks_report_ok(const struct hooks_report *r);
/* The caller deletes it. */
cJSON *hooks_report_json(const struct hooks_report *r);
void hooks_report_print(const struct hooks_report *r);

#endif
