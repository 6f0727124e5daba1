/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The webhooks that onepool wants at BigCommerce, and how those that are registered differ from them. Pure.
 *
 *   {"id":18048287,"scope":"store/order/created","destination":"https://your.host/hooks/bigcommerce/order-created",
 *    "headers":{"X-Onepool-Secret":"..."},"is_active":true,"updated_at":1561488106}
 *
 * Those of products are wanted only if the mapping lets products flow, those of price lists only if prices come from
 * one. Only routes that exist are wanted: a webhook into a 404 makes BigCommerce block the whole domain. The list holds
 * the webhooks of our own API account alone. Source: reference/webhooks.v3.yml (2026-04-01);
 * bigcommerce.md 5.1, 5.2, 5.5.
 */
#ifndef ONEPOOL_HOOKS_PLAN_H
#define ONEPOOL_HOOKS_PLAN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

#define HOOKS_HEADER          "X-Onepool-Secret"
#define HOOKS_EXCEPTION       "store/hook/deliveryException"
#define HOOKS_WANTED          19 /* of the table; hooks_is_wanted says which of them count */
#define HOOKS_PER_SCOPE       10 /* at most so many per store, client and scope; one of HOOKS_EXCEPTION */
#define HOOKS_DESTINATION_MAX 320

enum hooks_use { HOOKS_ALWAYS, HOOKS_PRODUCTS, HOOKS_PRICE_LIST };

struct hooks_wanted {
    const char *scope, *path;
    const char *without; /* what goes wrong without it */
    enum hooks_use use;
};
extern const struct hooks_wanted hooks_wanted[HOOKS_WANTED];

/* Does this mapping make use of it? Without a mapping only what is always wanted is. */
bool hooks_is_wanted(const struct settings *s, size_t i);

/* What is wrong with one of them; several may be. */
enum hooks_wrong {
    HOOKS_MISSING = 1,
    HOOKS_ELSEWHERE = 2,    /* our route on another host, or another route on ours */
    HOOKS_NO_HEADER = 4,    /* X-Onepool-Secret is not sent, or another value */
    HOOKS_OLD_HEADER = 8,   /* the previous secret, which is still accepted */
    HOOKS_INACTIVE = 16,    /* switched off by whoever owns the API account */
    HOOKS_DEACTIVATED = 32, /* switched off by BigCommerce, or nobody says by whom */
    HOOKS_TWICE = 64,       /* further active ones bring the same events */
    HOOKS_NO_ROOM = 128,    /* with HOOKS_MISSING: no more of this scope are possible */
};
#define HOOKS_OFF (HOOKS_INACTIVE | HOOKS_DEACTIVATED)

struct hooks_line {
    const struct hooks_wanted *wanted;
    bool unused;                             /* not wanted with this mapping: right, whatever is there */
    char destination[HOOKS_DESTINATION_MAX]; /* the right one; "" without a public address */
    unsigned wrong;                          /* enum hooks_wrong bits; 0 = all is right */
    const cJSON *found;                      /* belongs to the view; NULL = none */
    int64_t id, updated_ms;                  /* of found; 0 = unknown */
    int64_t twice[HOOKS_PER_SCOPE];          /* ids of the further active ones */
    size_t twice_count;
};

struct hooks_view {
    cJSON *list;  /* array: every webhook of our API account */
    cJSON *admin; /* data of GET /v3/hooks/admin: hooks_list with status, blocked_domains; NULL = unknown */
    struct hooks_line lines[HOOKS_WANTED];
    size_t stray; /* active ones that come to us and that nobody wants */
};

/* Fills lines and stray from list and admin. Without a public address destinations are compared by their path alone. */
void hooks_compare(struct hooks_view *view, const struct settings *s);
void hooks_view_free(struct hooks_view *view);

/* What a webhook of the list is, for those that are none of the lines: it comes to our address (stray), or not. */
bool hooks_is_line(const struct hooks_view *view, const cJSON *hook);
/* It is exactly that of an unused line: taken and not needed, so neither a line nor stray. */
bool hooks_is_unused(const struct hooks_view *view, const cJSON *hook);
bool hooks_is_stray(const struct hooks_view *view, const cJSON *hook, const char *base);

/* Words for the bits of wrong, such as "missing"; NULL behind the last one. */
const char *hooks_wrong_word(unsigned wrong, size_t nth);

/* May the timer put this right by itself? Only what nobody does on purpose: BigCommerce switched it off, or it is gone
 * although it was seen right before (known). */
bool hooks_heals_itself(const struct hooks_line *line, bool known);

/*
 * The body of the call that puts found right: POST /v3/hooks if there is none, else PUT /v3/hooks/{id} with the fields
 * that differ; other headers stay. The caller frees. NULL: nothing can be done so (it is right, or HOOKS_NO_ROOM).
 * Security: it holds the secret.
 */
char *hooks_body(const struct hooks_line *line, const char *secret);

/*
 * From when on events may have been lost, for a webhook that is off or gone. known_ms: when it was last seen right, 0 =
 * never. An event is tried for two days before BigCommerce gives up, so the loss began that long before the webhook
 * went off. 0: nothing is known to be lost.
 */
int64_t hooks_silent_since(const struct hooks_line *line, int64_t known_ms);

/* Why webhooks cannot be registered with these settings; NULL = they can. */
const char *hooks_url_problem(const struct settings *s);

#endif
