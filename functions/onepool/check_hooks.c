/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the platforms call: Sitoo's event subscription, which no API shows, and BigCommerce's webhooks. Only routes that
 * exist are named. Sources: reference/webhooks.v3.yml (2026-04-01), developer.sitoo.com/spi-events;
 * bigcommerce.md 5.1, 5.5; sitoo.md 3.1, 3.3.
 */
#include <stdio.h>

#include "buf.h"
#include "check.h"
#include "hooks_repair.h"
#include "json.h"
#include "ban.h"

#define CHECK       "webhooks"
#define SITOO_PATH  "/hooks/sitoo"
#define PLACEHOLDER "https://your.host"
#define PAGE_MAX    ((size_t)16 * 1024)

static const char *const event_types[] = {
    "order", "booking", "order-delivery", "warehouse-transaction", "shipment", "shipment-v3", NULL};

/* ---- are they registered? ---- */

#define REPAIR "put it right: onepool hooks --repair"

static void judge_header(struct report *r, const struct hooks_line *l) {
    if ((l->wrong & HOOKS_NO_HEADER) != 0) {
        report_add(r, CHECK_FAIL, CHECK, REPAIR,
                   "%s does not send " HOOKS_HEADER
                   ", or sends another one: we answer 401, and BigCommerce stops calling",
                   l->wanted->scope);
    } else if ((l->wrong & HOOKS_OLD_HEADER) != 0) {
        report_add(r, CHECK_WARN, CHECK, REPAIR, "%s still sends the previous secret", l->wanted->scope);
    } else {
        report_add(r, CHECK_OK, CHECK, "", "%s is registered and active, with our secret", l->wanted->scope);
    }
}

static void judge(struct report *r, const struct hooks_line *l) {
    if ((l->wrong & HOOKS_MISSING) != 0) {
        report_add(r, CHECK_WARN, CHECK, "register it: onepool hooks --repair",
                   "%s is not registered by this API account: %s", l->wanted->scope, l->wanted->without);
    } else if ((l->wrong & HOOKS_ELSEWHERE) != 0) {
        report_add(r, CHECK_WARN, CHECK, "compare ONEPOOL_PUBLIC_URL; then: onepool hooks --repair",
                   "%s goes to %.200s, not to us", l->wanted->scope, json_str(l->found, "destination"));
    } else if ((l->wrong & HOOKS_OFF) != 0) {
        report_add(r, CHECK_FAIL, CHECK, "find out why calls failed; then: onepool hooks --repair",
                   "%s is registered (id %lld) and not active: BigCommerce does not call", l->wanted->scope,
                   (long long)l->id);
    } else {
        judge_header(r, l);
    }
}

static void judge_domains(struct report *r, const struct hooks_view *view) {
    const cJSON *domain = NULL;
    cJSON_ArrayForEach(domain, json_array(view->admin, "blocked_domains")) {
        const char *name = json_str(domain, "destination");
        report_add(r, CHECK_FAIL, CHECK, "onepool hooks says for how long, and why",
                   "BigCommerce has stopped calling %.200s", name != NULL ? name : "a domain of ours");
    }
}

static void check_public_url(struct report *r) {
    const char *url = r->app->set->public_url;
    if (url == NULL) {
        report_add(r, CHECK_WARN, "public url", "set ONEPOOL_PUBLIC_URL to the address that the platforms call",
                   "not set: webhooks are compared by their path only");
    } else if (hooks_url_problem(r->app->set) != NULL) {
        report_add(r, CHECK_FAIL, "public url", "serve it on port 443", "%s: %s", url, hooks_url_problem(r->app->set));
    } else {
        report_add(r, CHECK_OK, "public url", "", "%s; what to enter in Sitoo and BigCommerce: onepool check --hooks",
                   url);
    }
}

void check_hooks(struct report *r) {
    check_public_url(r);
    struct hooks_view view;
    struct reason why = {0};
    enum next next;
    int tries = 0;
    bool again;
    do {
        next = hooks_read(r->app, &view, &why);
        again = report_wait(r, next, &why, &tries);
        if (again) {
            hooks_view_free(&view);
        }
    } while (again);
    if (next != NEXT_DONE) {
        report_add(r, CHECK_FAIL, CHECK, "try again later", "%s", why.text);
    }
    for (size_t i = 0; next == NEXT_DONE && i < HOOKS_WANTED; i++) {
        if (!view.lines[i].unused) {
            judge(r, &view.lines[i]);
        }
    }
    judge_domains(r, &view);
    hooks_view_free(&view);
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
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (!hooks_is_wanted(s, i)) {
            continue;
        }
        cJSON *o = json_new_object();
        (void)snprintf(url, sizeof url, "%s%s", base, hooks_wanted[i].path);
        json_add_str(o, "scope", hooks_wanted[i].scope);
        json_add_str(o, "destination", url);
        json_add_str(o, "header", HOOKS_HEADER);
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
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (!hooks_is_wanted(s, i)) {
            continue;
        }
        buf_addf(page,
                 "BigCommerce: POST /v3/hooks with the API account of onepool\n"
                 "  scope        %s\n"
                 "  destination  %s%s\n"
                 "  headers      " HOOKS_HEADER ": what BIGCOMMERCE_HOOK_SECRET holds\n",
                 hooks_wanted[i].scope, base, hooks_wanted[i].path);
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
