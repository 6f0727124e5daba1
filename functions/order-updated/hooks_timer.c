/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks_timer.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "exception_hook.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "queue.h"
#include "worker.h"
#include "ban.h"

#define ENTITY   "main"
#define EVERY_MS (INT64_C(15) * 60 * 1000)
#define AGAIN_MS (INT64_C(60) * 1000) /* after a failure */
#define SPARE_MS INT64_C(5000)        /* time_left has whole seconds */

#define WRONG    "webhook_wrong"
#define REPAIRED "webhook_repaired"
#define BLOCKED  "webhook_domain_blocked"

/* ---- cases ---- */

static void raise(const struct settings *set, const char *cause, const char *entity, const char *text,
                  const char *effect, const char *step, bool once, struct args *effects) {
    const struct parked p = {.cause = cause,
                             .owner = set->mapping->owner_stock,
                             .entity = entity,
                             .text = text,
                             .effect = effect,
                             .step = step,
                             .queue = QUEUE_HOOKS,
                             .job = ENTITY};
    if (once) {
        effect_case(effects, &p);
    } else {
        effect_notice(effects, &p);
    }
}

static void words_of(unsigned wrong, char out[160]) {
    struct buf words;
    buf_init(&words, 159);
    for (size_t n = 0; hooks_wrong_word(wrong, n) != NULL; n++) {
        buf_addf(&words, "%s%s", n > 0 ? ", " : "", hooks_wrong_word(wrong, n));
    }
    (void)str_copy(out, 160, buf_str(&words));
    buf_free(&words);
}

static bool repaired(enum hooks_deed deed) {
    return deed == HOOKS_CREATED || deed == HOOKS_REVIVED || deed == HOOKS_CHANGED;
}

/* Without a public address nobody can say that one is missing: it may never have been meant to be. */
static bool worth_telling(const struct settings *set, const struct hooks_line *l) {
    return l->wrong != 0 && (set->public_url != NULL || (l->wrong & HOOKS_MISSING) == 0);
}

static void plan_line(const struct settings *set, const struct hooks_line *l, const struct hooks_work *work, size_t i,
                      struct args *effects) {
    char words[160], text[REASON_TEXT_MAX], effect[200];
    words_of(l->wrong, words);
    (void)snprintf(effect, sizeof effect, "Without it, %s", l->wanted->without);
    if (repaired(work->deeds[i])) {
        (void)snprintf(text, sizeof text, "The webhook %s was %s and was put right%s", l->wanted->scope, words,
                       work->catch_up ? "; what changed since then is read again" : "");
        raise(set, REPAIRED, l->wanted->scope, text, effect,
              "Find out why calls failed, or who removed it; the case closes by itself at the next look that finds the "
              "webhook right",
              true, effects);
        effect_close(effects, WRONG, l->wanted->scope);
    } else if (worth_telling(set, l)) {
        (void)snprintf(text, sizeof text, "The webhook %s is wrong: %s%s%s", l->wanted->scope, words,
                       work->problems[i][0] != '\0' ? "; " : "", work->problems[i]);
        raise(set, WRONG, l->wanted->scope, text, effect,
              "Run: onepool hooks --repair. The case closes by itself once the webhook is right", false, effects);
    } else {
        effect_close(effects, WRONG, l->wanted->scope);
        effect_close(effects, REPAIRED, l->wanted->scope);
    }
}

static void plan_blocked(const struct settings *set, const struct hooks_view *view, struct args *effects) {
    const cJSON *domain = NULL, *reason = NULL, *blocked = json_array(view->admin, "blocked_domains");
    struct buf text;
    if (cJSON_GetArraySize(blocked) == 0) {
        effect_close(effects, BLOCKED, "BigCommerce");
        return;
    }
    buf_init(&text, REASON_TEXT_MAX - 1);
    buf_add_str(&text, "BigCommerce does not call");
    cJSON_ArrayForEach(domain, blocked) {
        int64_t left = 0;
        const char *name = json_str(domain, "destination");
        buf_addf(&text, " %.120s (for another %lld s)", name != NULL ? name : "?",
                 (long long)(json_id(domain, "time_left", &left) ? left : 0));
        cJSON_ArrayForEach(reason, json_array(domain, "reasons")) {
            const char *words = json_str(reason, "failure_description");
            buf_addf(&text, ", %.80s", words != NULL ? words : "no reason given");
        }
    }
    raise(set, BLOCKED, "BigCommerce", buf_str(&text),
          "Changes in BigCommerce reach us late, or not at all; orders are read every few seconds all the same",
          "See what answered wrongly: onepool hooks, nginx's access log. The case closes by itself once no domain is "
          "blocked",
          false, effects);
    buf_free(&text);
}

/* What BigCommerce told of webhooks that are right again. */
static void plan_exceptions(const struct hooks_view *view, struct args *effects) {
    bool blocked = cJSON_GetArraySize(json_array(view->admin, "blocked_domains")) > 0;
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        const struct hooks_line *l = &view->lines[i];
        char entity[64];
        if (l->id > 0 && (l->wrong & HOOKS_OFF) == 0) {
            exception_entity(l->id, 90002, entity);
            effect_close(effects, EXCEPTION_CAUSE, entity);
            exception_entity(l->id, 90003, entity);
            if (!blocked) {
                effect_close(effects, EXCEPTION_CAUSE, entity);
            }
        }
    }
}

void hooks_timer_plan(const struct settings *set, const struct hooks_view *view, const struct hooks_work *work,
                      struct args *effects) {
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        plan_line(set, &view->lines[i], work, i, effects);
    }
    plan_blocked(set, view, effects);
    plan_exceptions(view, effects);
}

/* ---- one look ---- */

static enum next repair(struct app *app, const struct hooks_view *view, struct hooks_work *work, struct reason *why) {
    bool wanted[HOOKS_WANTED], any = false, off = false;
    int64_t known_ms[HOOKS_WANTED];
    enum next next = mode_refresh(app, why);
    next = next == NEXT_DONE ? hooks_known(app, known_ms, why) : next;
    for (size_t i = 0; next == NEXT_DONE && i < HOOKS_WANTED; i++) {
        wanted[i] = hooks_heals_itself(&view->lines[i], known_ms[i] > 0);
        any = any || wanted[i];
        off = off || (view->lines[i].wrong & HOOKS_OFF) != 0;
    }
    if (next != NEXT_DONE || app->mode != MODE_LIVE || hooks_url_problem(app->set) != NULL) {
        return next;
    }
    if (any) {
        return hooks_repair(app, view, wanted, known_ms, work, why);
    }
    return off ? NEXT_DONE : hooks_catch_up(app, &work->catch_up, why); /* owed by somebody who died */
}

/* A blocked domain is looked at again once it should be free. */
static int64_t next_look(const struct hooks_view *view) {
    const cJSON *domain = NULL;
    int64_t delay = EVERY_MS, left = 0;
    cJSON_ArrayForEach(domain, json_array(view->admin, "blocked_domains")) {
        if (json_id(domain, "time_left", &left) && left >= 0 && left < EVERY_MS / 1000 &&
            left * 1000 + SPARE_MS < delay) {
            delay = left * 1000 + SPARE_MS;
        }
    }
    return delay;
}

static enum next look(struct app *app, int64_t *delay, struct reason *why) {
    struct hooks_view view;
    struct hooks_work work = {0};
    struct args effects = {0};
    enum next next = hooks_read(app, &view, why);
    next = next == NEXT_DONE ? hooks_note(app, &view, why) : next;
    if (next == NEXT_DONE) {
        struct reason ignored = {0};
        next = repair(app, &view, &work, why);
        hooks_timer_plan(app->set, &view, &work, &effects);
        *delay = next_look(&view);
        enum next stored = effects_apply(app->redis, &effects, next == NEXT_DONE ? why : &ignored);
        next = next == NEXT_DONE ? stored : next;
    }
    args_free(&effects);
    hooks_view_free(&view);
    return next;
}

static enum next tick(struct app *app, const struct claims *claims, struct reason *why) {
    struct worker_hold hold;
    struct reason cause = {0};
    enum budget before = app->budget;
    worker_hold_begin(&hold, app, QUEUE_HOOKS, claims);
    app->budget = BUDGET_REST;
    int64_t delay = EVERY_MS;
    enum next next = look(app, &delay, &cause);
    app->budget = before;
    worker_hold_end(&hold);
    if (next != NEXT_DONE) {
        delay = cause.wait_ms > AGAIN_MS ? cause.wait_ms : AGAIN_MS;
        LOG(LOG_WARN, "reading failed; trying again", {"outcome", "deferred"}, {"what", "webhooks"},
            {"cause", cause.cause}, {"why", cause.text});
    }
    return queue_tick(app->redis, QUEUE_HOOKS, &claims->list[0], delay, why);
}

enum next hooks_timer_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next = queue_claim(app->redis, QUEUE_HOOKS, 1, app->holder, app->set->mapping->owner_stock, &claims, why);
    if (next == NEXT_DONE && claims.n > 0) {
        *wait_ms = 0;
        next = tick(app, &claims, why);
    } else if (next == NEXT_DONE && claims.wait_ms < 0) {
        struct args timer = {0}; /* the first start makes the timer */
        effect_mark(&timer, QUEUE_HOOKS, ENTITY, 0, "", "");
        next = effects_apply(app->redis, &timer, why);
        args_free(&timer);
        *wait_ms = 0;
    } else if (next == NEXT_DONE && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}
