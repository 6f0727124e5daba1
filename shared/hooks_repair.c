/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks_repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "gate.h"
#include "json.h"
#include "log.h"
#include "platform.h"
#include "ban.h"

#define KIND "hook"

/* ---- the catch-up ---- */

static enum next call(struct app *app, const char *function, int64_t ms, const char *what, int64_t *answer,
                      struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, ms);
    args_add(&a, what);
    enum next next = redis_fcall(app->redis, function, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *answer = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

enum next hooks_catch_up(struct app *app, bool *started, struct reason *why) {
    int64_t due = 0, oldest = clock_wall_ms() - app->set->mapping->orders_days * 86400 * 1000;
    enum next next = call(app, "hooks_catch_up", oldest, "", &due, why);
    if (next == NEXT_DONE && due == 1) {
        LOG(LOG_WARN, "a webhook was silent: what changed meanwhile is read again", {"outcome", "done"});
        if (started != NULL) {
            *started = true;
        }
    }
    return next;
}

/* ---- one call ---- */

/* Security: BigCommerce may repeat what it was sent when it refuses it, cut off anywhere. */
static void hide_secret(struct reason *why, const struct settings *s) {
    char begin[9];
    char *brace = strchr(why->text, '{'), *from = brace != NULL ? brace : why->text;
    (void)str_copy(begin, sizeof begin, s->hook_secret);
    if (strstr(why->text, HOOKS_HEADER) != NULL || strstr(why->text, begin) != NULL) {
        (void)snprintf(from, sizeof why->text - (size_t)(from - why->text),
                       "(its words are left out: they name our header)");
    }
    explicit_bzero(begin, sizeof begin);
}

static char *intent_of(const struct hooks_line *l, int64_t id, const char *what) {
    cJSON *o = json_new_object();
    json_add_str(o, "scope", l->wanted->scope);
    json_add_str(o, "destination", l->destination);
    json_add_int(o, "hook", id);
    json_add_str(o, "what", what);
    char *text = json_print(o);
    cJSON_Delete(o);
    return text;
}

/* id 0 = create. */
static enum next send(struct app *app, const struct hooks_line *l, int64_t id, const char *body, const char *what,
                      bool *shadowed, struct reason *why) {
    char path[64] = "/v3/hooks", name[GATE_INTENT_SIZE];
    struct gate_outcome out;
    char *intent = intent_of(l, id, what);
    if (id > 0) {
        (void)snprintf(path, sizeof path, "/v3/hooks/%lld", (long long)id);
    }
    (void)snprintf(name, sizeof name, HOOKS_INTENT "%s", l->wanted->scope);
    const struct gate_write w = {.platform = GATE_BIGCOMMERCE,
                                 .kind = KIND,
                                 .method = id > 0 ? "PUT" : "POST",
                                 .path = path,
                                 .body = body,
                                 .id = name,
                                 .intent = intent,
                                 .lease = "",
                                 .lease_token = ""};
    enum next next = gate_send(app, &w, &out, why);
    if (next == NEXT_DONE || !why->ambiguous) {
        gate_close(app, &out); /* without a clear answer it stays open until the webhook was seen right */
    }
    hide_secret(why, app->set);
    *shadowed = out.shadowed;
    answer_free(&out.answer);
    free(intent);
    return next;
}

/* Was a call whose answer was lost, or that was refused as a double, done after all? */
static bool done_after_all(struct app *app, size_t line) {
    struct hooks_view view;
    struct reason why = {0};
    bool done = hooks_read(app, &view, &why) == NEXT_DONE && (view.lines[line].wrong & ~(unsigned)HOOKS_TWICE) == 0;
    hooks_view_free(&view);
    return done;
}

/* ---- one line ---- */

static enum next silence(struct app *app, const struct hooks_line *l, bool *shadowed, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < l->twice_count; i++) {
        next = send(app, l, l->twice[i], "{\"is_active\":false}", "switch off a duplicate", shadowed, why);
    }
    return next;
}

static enum hooks_deed deed_of(const struct hooks_line *l) {
    return (l->wrong & HOOKS_MISSING) != 0 ? HOOKS_CREATED
           : (l->wrong & HOOKS_OFF) != 0   ? HOOKS_REVIVED
                                           : HOOKS_CHANGED;
}

static enum next put_right(struct app *app, const struct hooks_line *l, size_t line, bool *shadowed,
                           struct reason *why) {
    char *body = hooks_body(l, app->set->hook_secret);
    enum next next = NEXT_DONE;
    if (body != NULL) {
        next = send(app, l, l->id, body, deed_of(l) == HOOKS_CREATED ? "create" : "change", shadowed, why);
        explicit_bzero(body, strlen(body));
        free(body);
        if (next != NEXT_DONE && (why->ambiguous || strcmp(why->cause, "refused") == 0) && done_after_all(app, line)) {
            memset(why, 0, sizeof *why);
            next = NEXT_DONE;
        }
    } else if ((l->wrong & HOOKS_NO_ROOM) != 0) {
        return reason_set(why, NEXT_PARK, "hooks_full",
                          "no further webhook of this scope is possible for our API account: delete one that is not "
                          "needed (onepool hooks lists them)");
    }
    return next == NEXT_DONE ? silence(app, l, shadowed, why) : next;
}

static enum next repair_line(struct app *app, const struct hooks_view *view, size_t i, int64_t known_ms,
                             struct hooks_work *work, struct reason *why) {
    const struct hooks_line *l = &view->lines[i];
    int64_t silent = hooks_silent_since(l, known_ms), ignored = 0;
    bool shadowed = false;
    if (silent > 0 && app->mode == MODE_LIVE) {
        enum next next =
            call(app, "hooks_silent", silent, l->wanted->use == HOOKS_ALWAYS ? "orders" : "products", &ignored, why);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    enum next next = put_right(app, l, i, &shadowed, why);
    if (next == NEXT_DONE) {
        work->deeds[i] = shadowed ? HOOKS_SHADOWED : deed_of(l);
        work->done += shadowed ? 0 : 1;
        LOG(LOG_WARN, shadowed ? "webhook would be put right" : "webhook put right",
            {"outcome", shadowed ? "shadowed" : "done"}, {"scope", l->wanted->scope});
        return silent > 0 && !shadowed ? hooks_catch_up(app, &work->catch_up, why) : NEXT_DONE;
    }
    work->deeds[i] = HOOKS_FAILED;
    (void)str_copy(work->problems[i], sizeof work->problems[i], why->text);
    LOG(LOG_WARN, "webhook not put right", {"outcome", next_name(next)}, {"scope", l->wanted->scope},
        {"cause", why->cause}, {"why", why->text});
    return next;
}

enum next hooks_repair(struct app *app, const struct hooks_view *view, const bool wanted[HOOKS_WANTED],
                       const int64_t known_ms[HOOKS_WANTED], struct hooks_work *work, struct reason *why) {
    memset(work, 0, sizeof *work);
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        struct reason one = {0};
        enum next next =
            wanted[i] && view->lines[i].wrong != 0 ? repair_line(app, view, i, known_ms[i], work, &one) : NEXT_DONE;
        if (next != NEXT_DONE && next != NEXT_PARK && !one.ambiguous) {
            *why = one; /* the quota, an outage or Redis: the others would fare alike */
            return next;
        }
    }
    return NEXT_DONE;
}
