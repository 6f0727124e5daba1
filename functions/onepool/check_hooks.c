/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the platforms call: Sitoo's event subscription, which no API shows, and BigCommerce's webhooks. Only routes that
 * exist are named. Sources: reference/webhooks.v3.yml (2026-04-01), developer.sitoo.com/spi-events;
 * bigcommerce.md 5.1, 5.5; sitoo.md 3.1, 3.3.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "check.h"
#include "fcgi.h"
#include "json.h"
#include "ban.h"

#define CHECK         "webhooks"
#define SITOO_PATH    "/hooks/sitoo"
#define SECRET_HEADER "X-Onepool-Secret"
#define PLACEHOLDER   "https://your.host"
#define PAGE_MAX      ((size_t)16 * 1024)

static const char *const event_types[] = {
    "order", "booking", "order-delivery", "warehouse-transaction", "shipment", "shipment-v3", NULL};

static const struct hook {
    const char *scope, *path;
    const char *without; /* what goes wrong without it */
} hooks[] = {{"store/channel/*/inventory/product/stock_changed", "/hooks/bigcommerce/stock-changed",
              "a level that is changed by hand stays wrong until something touches the SKU"},
             {"store/order/refund/created", "/hooks/bigcommerce/order-updated",
              "a refund that is made in BigCommerce is found up to a day later"}};
#define HOOKS (sizeof hooks / sizeof hooks[0])

/* ---- are they registered? ---- */

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* The value of a header that the hook sends; names do not differ by case. */
static const char *header_of(const cJSON *hook, const char *name) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_get(hook, "headers")) {
        if (item->string != NULL && strcasecmp(item->string, name) == 0 && cJSON_IsString(item)) {
            return item->valuestring;
        }
    }
    return NULL;
}

/* The registered hook for ours: with our destination, else one with our route, else NULL. */
static const cJSON *find(const struct hook *h, const cJSON *list, const char *ours, bool *elsewhere) {
    const cJSON *item = NULL, *near = NULL;
    cJSON_ArrayForEach(item, list) {
        const char *scope = json_str(item, "scope"), *destination = json_str(item, "destination");
        if (scope == NULL || destination == NULL || strcmp(scope, h->scope) != 0) {
            continue;
        }
        if (ours != NULL && strcmp(destination, ours) == 0) {
            *elsewhere = false;
            return item;
        }
        near = near == NULL && ends_with(destination, h->path) ? item : near;
    }
    *elsewhere = ours != NULL && near != NULL;
    return near;
}

static void judge_secret(struct report *r, const struct hook *h, const cJSON *found) {
    const struct settings *s = r->app->set;
    const char *secret = header_of(found, SECRET_HEADER);
    if (secret_equal(secret, s->hook_secret)) {
        report_add(r, CHECK_OK, CHECK, "", "%s is registered and active, with our secret", h->scope);
    } else if (secret_equal(secret, s->hook_secret_previous)) {
        report_add(r, CHECK_WARN, CHECK,
                   "set its header " SECRET_HEADER " to BIGCOMMERCE_HOOK_SECRET (PUT /v3/hooks/{id})",
                   "%s still sends the previous secret", h->scope);
    } else {
        report_add(r, CHECK_FAIL, CHECK,
                   "set its header " SECRET_HEADER " to BIGCOMMERCE_HOOK_SECRET (PUT /v3/hooks/{id})",
                   "%s %s: we answer 401, and BigCommerce stops calling", h->scope,
                   secret == NULL ? "does not send " SECRET_HEADER : "sends another " SECRET_HEADER);
    }
}

static void judge(struct report *r, const struct hook *h, const cJSON *list) {
    char ours[320] = "";
    bool elsewhere = false;
    int64_t id = 0;
    if (r->app->set->public_url != NULL) {
        (void)snprintf(ours, sizeof ours, "%s%s", r->app->set->public_url, h->path);
    }
    const cJSON *found = find(h, list, ours[0] != '\0' ? ours : NULL, &elsewhere);
    (void)json_id(found, "id", &id);
    if (found == NULL) {
        report_add(r, CHECK_WARN, CHECK, "register it: onepool check --hooks says what to enter",
                   "%s is not registered by this API account: %s", h->scope, h->without);
    } else if (elsewhere) {
        report_add(r, CHECK_WARN, CHECK, "compare ONEPOOL_PUBLIC_URL; register it: onepool check --hooks",
                   "%s goes to %.200s, not to us", h->scope, json_str(found, "destination"));
    } else if (!json_bool(found, "is_active", true)) {
        report_add(r, CHECK_FAIL, CHECK,
                   "revive it (PUT /v3/hooks/{id} with is_active true) and find out why calls failed",
                   "%s is registered (id %lld) and not active: BigCommerce does not call", h->scope, (long long)id);
    } else {
        judge_secret(r, h, found);
    }
}

static bool port_is_443(const char *url) {
    const char *host = url + strlen("https://"), *end = host + strcspn(host, "/");
    const char *bracket = strchr(host, ']'), *colon = strchr(bracket != NULL && bracket < end ? bracket : host, ':');
    return colon == NULL || colon > end || strncmp(colon, ":443", (size_t)(end - colon)) == 0;
}

static void check_public_url(struct report *r) {
    const char *url = r->app->set->public_url;
    if (url == NULL) {
        report_add(r, CHECK_WARN, "public url", "set ONEPOOL_PUBLIC_URL to the address that the platforms call",
                   "not set: webhooks are compared by their path only");
    } else if (!port_is_443(url)) {
        report_add(r, CHECK_FAIL, "public url", "serve it on port 443", "BigCommerce calls port 443 only, not %s", url);
    } else {
        report_add(r, CHECK_OK, "public url", "", "%s; what to enter in Sitoo and BigCommerce: onepool check --hooks",
                   url);
    }
}

void check_hooks(struct report *r) {
    check_public_url(r);
    for (size_t i = 0; i < HOOKS; i++) {
        struct answer answer;
        struct buf path;
        buf_init(&path, 400);
        buf_add_str(&path, "/v3/hooks?limit=50&scope=");
        buf_add_url(&path, hooks[i].scope);
        if (report_bigcommerce(r, CHECK, buf_str(&path), &answer)) {
            judge(r, &hooks[i], json_array(answer.json, "data"));
            answer_free(&answer);
        }
        buf_free(&path);
    }
}

/* ---- what to enter ---- */

static cJSON *hooks_json(const char *base, const struct settings *s) {
    cJSON *all = json_new_object(), *sitoo = json_add_object(all, "sitoo");
    char url[320];
    (void)snprintf(url, sizeof url, "%s%s", base, SITOO_PATH);
    json_add_str(sitoo, "base_url", url);
    json_add_str(sitoo, "user", s->events_user);
    json_add_str(sitoo, "password_setting", "SITOO_EVENTS_PASSWORD");
    cJSON *types = json_add_array(sitoo, "event_types");
    for (size_t i = 0; event_types[i] != NULL; i++) {
        (void)cJSON_AddItemToArray(types, cJSON_CreateString(event_types[i]));
    }
    cJSON *list = json_add_array(all, "bigcommerce");
    for (size_t i = 0; i < HOOKS; i++) {
        cJSON *o = json_new_object();
        (void)snprintf(url, sizeof url, "%s%s", base, hooks[i].path);
        json_add_str(o, "scope", hooks[i].scope);
        json_add_str(o, "destination", url);
        json_add_str(o, "header", SECRET_HEADER);
        json_add_str(o, "header_setting", "BIGCOMMERCE_HOOK_SECRET");
        (void)cJSON_AddItemToArray(list, o);
    }
    return all;
}

static void hooks_text(struct buf *page, const char *base, const struct settings *s) {
    buf_addf(page,
             "Sitoo: Backoffice, Settings, Event Subscriptions\n"
             "  base_url     %s%s\n"
             "  user         %s (HTTP Basic)\n"
             "  password     what SITOO_EVENTS_PASSWORD holds; never the API password\n"
             "  event types ",
             base, SITOO_PATH, s->events_user);
    for (size_t i = 0; event_types[i] != NULL; i++) {
        buf_addf(page, "%s %s", i > 0 ? "," : "", event_types[i]);
    }
    buf_add_str(page, "\n  Other types do no harm: they are stored and not used.\n");
    for (size_t i = 0; i < HOOKS; i++) {
        buf_addf(page,
                 "BigCommerce: POST /v3/hooks with the API account of onepool\n"
                 "  scope        %s\n"
                 "  destination  %s%s\n"
                 "  headers      " SECRET_HEADER ": what BIGCOMMERCE_HOOK_SECRET holds\n",
                 hooks[i].scope, base, hooks[i].path);
    }
}

int check_print_hooks(struct app *app, const struct command_line *line) {
    const char *base = app->set->public_url != NULL ? app->set->public_url : PLACEHOLDER;
    if (line->json) {
        cJSON *all = hooks_json(base, app->set);
        json_add_bool(all, "public_url_known", app->set->public_url != NULL);
        command_print_json(all);
        cJSON_Delete(all);
        return app->set->public_url != NULL ? 0 : 1;
    }
    struct buf page;
    buf_init(&page, PAGE_MAX);
    hooks_text(&page, base, app->set);
    if (app->set->public_url == NULL) {
        buf_add_str(&page, "ONEPOOL_PUBLIC_URL is not set: " PLACEHOLDER " stands for it.\n");
    }
    command_print(&page);
    return app->set->public_url != NULL ? 0 : 1;
}
