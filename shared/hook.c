/* SPDX-License-Identifier: Apache-2.0 */
#include "hook.h"

#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "buf.h"
#include "gate.h"
#include "hook_signature.h"
#include "json.h"
#include "log.h"
#include "queue.h"
#include "ban.h"

void hook_effect_bad(const struct hook *hook, const char *owner, const char *what, const char *effect,
                     struct args *effects) {
    char entity[64], digest[17];
    gate_digest(hook->body, digest);
    (void)snprintf(entity, sizeof entity, "hook %s", digest);
    const struct parked p = {.cause = "bad_hook",
                             .owner = owner,
                             .entity = entity,
                             .text = what,
                             .effect = effect,
                             .step = "Show the bytes to the integrator; then run: onepool parked --close",
                             .queue = "",
                             .job = "",
                             .bytes = hook->body,
                             .bytes_len = hook->body_len};
    effect_case(effects, &p);
}

void hook_read(const struct app *app, const char *body, size_t len, hook_plan plan, char id[HOOK_HASH_MAX + 1],
               struct args *effects) {
    struct hook hook = {.body = body, .body_len = len};
    cJSON *json = json_read(body, len, hook.error, sizeof hook.error);
    const char *hash = json_str(json, "hash"), *scope = json_str(json, "scope");
    (void)str_copy(id, HOOK_HASH_MAX + 1, hash != NULL && strlen(hash) <= HOOK_HASH_MAX ? hash : "");
    hook.scope = scope != NULL ? scope : "";
    hook.data = json_get(json, "data");
    if (json != NULL) {
        hook.error[0] = '\0';
    }
    plan(app, &hook, effects);
    cJSON_Delete(json);
}

/* effects: what the call's authenticity causes; what its body causes is appended. */
static enum next store(struct app *app, const struct fcgi_call *call, hook_plan plan, struct args *effects,
                       struct reason *why) {
    char id[HOOK_HASH_MAX + 1];
    struct args a = {0};
    redisReply *reply = NULL;
    hook_read(app, call->body, call->body_len, plan, id, effects);
    args_addf(&a, HOOK_SOURCE " %s", call->path); /* the route says who reads it, also when it is replayed */
    args_add_int(&a, 1);
    args_add(&a, id);
    args_add_bytes(&a, call->body, call->body_len);
    args_add(&a, "1"); /* the hash may repeat for two real changes: a duplicate is looked at again */
    args_add_int(&a, (int64_t)effects->n);
    args_append(&a, effects);
    enum next next = redis_fcall(app->redis, "accept", &a, true, &reply, why);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
    return next;
}

/* Counts a call whose signature is not taken. Its answer does not wait for that: with Redis away it is the same. */
static void refuse(struct app *app, struct fcgi_reply *reply, const struct args *effects) {
    struct reason why = {0};
    reply->status = 401;
    if (effects_apply(app->redis, effects, &why) != NEXT_DONE) {
        LOG(LOG_WARN, "a refused signature is not counted", {"cause", why.cause}, {"why", why.text});
    }
}

/* An authentic call as far as its header goes. */
static void check_and_store(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply, hook_plan plan,
                            struct args *effects) {
    struct reason why = {0};
    bool passes = false;
    enum next next = hook_signature_check(app, call, &passes, effects, &why);
    if (next == NEXT_DONE && !passes) {
        refuse(app, reply, effects);
        answers_refused(app, call->path, "the signature is not right");
        return;
    }
    if (next == NEXT_DONE) {
        answers_effect_taken(effects, call->path);
        next = store(app, call, plan, effects, &why);
    }
    if (next == NEXT_DONE) {
        reply->status = 200;
        LOG(LOG_INFO, "hook accepted", {"outcome", "accepted"}, {"path", call->path});
    } else {
        LOG(LOG_ERROR, "hook not stored", {"outcome", "refused"}, {"cause", why.cause}, {"why", why.text});
        answers_not_stored(app, call->path, next, &why);
    }
}

void hook_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply, hook_plan plan) {
    struct args effects = {0};
    const char *secret = fcgi_header(call, "X_ONEPOOL_SECRET");
    bool now = secret_equal(secret, app->set->hook_secret),
         before = secret_equal(secret, app->set->hook_secret_previous);
    if (!now && !before) {
        reply->status = 401;
        LOG(LOG_WARN, "hook without the right X-Onepool-Secret", {"outcome", "refused"}, {"path", call->path});
        if (secret == NULL || secret[0] == '\0') {
            answers_anonymous(app, call->path);
        } else {
            answers_refused(app, call->path, "the header X-Onepool-Secret is not right");
        }
        return;
    }
    if (strcmp(call->method, "POST") != 0 || !call->whole) {
        LOG(LOG_WARN, "refused", {"outcome", "refused"}, {"method", call->method},
            {"problem", call->whole ? "not a POST" : "body is not whole"});
        return;
    }
    if (!now) {
        effect_count(&effects, "hook_secret:previous", 1); /* tells when the previous one can go */
    }
    check_and_store(app, call, reply, plan, &effects);
    args_free(&effects);
}
