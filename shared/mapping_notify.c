/* SPDX-License-Identifier: Apache-2.0 */
/* The sections "notify" and "silence" of the mapping file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "mapping.h"
#include "mapping_at.h"
#include "ban.h"

#define CAUSES_MAX   100
#define CAUSE_CHARS  "abcdefghijklmnopqrstuvwxyz0123456789_"
#define CAUSE_MAX    39 /* as in struct reason */
#define MINUTES_WEEK 10080

/* What cannot wait for somebody to look: data or money is lost, or everything of a kind stands still. */
static const char *const urgent[] = {
    "redis_epoch",           /* Redis lost data */
    "brake",                 /* no level is written */
    "bad_web_order",         /* no level is written */
    "shop_settings",         /* the store undoes what is written, or keeps on selling what is gone */
    "refund_declined",       /* a customer was not paid */
    "products_vanished",     /* nothing is written to Sitoo's catalog */
    "webhook_domain_blocked" /* BigCommerce does not call us */
};

static void read_causes(const struct at *a, struct mapping_notify *n) {
    char place[40];
    if (json_get(a->object, "causes") == NULL) {
        n->causes = xcalloc(sizeof urgent / sizeof urgent[0] + 1, sizeof *n->causes);
        for (; n->cause_count < sizeof urgent / sizeof urgent[0]; n->cause_count++) {
            n->causes[n->cause_count] = xstrdup(urgent[n->cause_count]);
        }
        return;
    }
    at_texts(a, "causes", CAUSES_MAX, &n->causes, &n->cause_count);
    for (size_t i = 0; i < n->cause_count; i++) {
        const char *cause = n->causes[i];
        if (strlen(cause) > CAUSE_MAX || cause[strspn(cause, CAUSE_CHARS)] != '\0') {
            (void)snprintf(place, sizeof place, "causes[%zu]", i);
            at_mistake(a, place, "must be the cause of a case as onepool parked lists it, such as brake");
        }
    }
}

void mapping_read_notify(const struct at *root, struct mapping *m) {
    static const char *const notify_keys[] = {"causes", "quiet_minutes", NULL};
    static const char *const silence_keys[] = {"enabled", "missed_movements", "at_least_minutes", NULL};
    struct at notify = at_enter(root, "notify"), silence = at_enter(root, "silence");
    struct mapping_notify *n = &m->notify;
    at_keys(&notify, notify_keys);
    read_causes(&notify, n);
    at_int(&notify, "quiet_minutes", 0, MINUTES_WEEK, 30, &n->quiet_minutes);
    at_keys(&silence, silence_keys);
    at_bool(&silence, "enabled", true, &n->silence);
    at_int(&silence, "missed_movements", 3, 10000, 12, &n->missed_movements);
    at_int(&silence, "at_least_minutes", 5, MINUTES_WEEK, 30, &n->silent_minutes);
}

void mapping_free_notify(struct mapping_notify *n) {
    for (size_t i = 0; i < n->cause_count; i++) {
        free(n->causes[i]);
    }
    free(n->causes);
}
