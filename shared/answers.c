/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "ban.h"

#define PREFIX        "/hooks/"
#define ROUTE_SIZE    64
#define NOTE_EVERY_MS INT64_C(1000)

/* Sitoo has one queue whatever route it calls; BigCommerce one for each webhook. False: no route of a platform. */
static bool route_of(const char *path, char out[ROUTE_SIZE]) {
    if (strncmp(path, PREFIX, strlen(PREFIX)) != 0) {
        return false;
    }
    path += strlen(PREFIX);
    bool sitoo = strncmp(path, "sitoo", 5) == 0;
    (void)snprintf(out, ROUTE_SIZE, "%.60s", sitoo ? "sitoo" : path);
    return out[strspn(out, "abcdefghijklmnopqrstuvwxyz/-")] == '\0';
}

/* Calls of one kind that this process has refused; a flood of wrong calls must not become a flood of writes. */
struct refused {
    const char *function;
    int64_t noted_ms, held;
};

/* why: NULL if the function takes none. */
static void note(struct app *app, struct refused *r, const char *path, const char *why) {
    char route[ROUTE_SIZE];
    struct reason failed = {0};
    struct args a = {0};
    redisReply *reply = NULL;
    int64_t now = clock_mono_ms();
    if (!route_of(path, route)) {
        return;
    }
    r->held++;
    if (r->noted_ms != 0 && now - r->noted_ms < NOTE_EVERY_MS) {
        return;
    }
    args_add(&a, route);
    if (why != NULL) {
        args_add(&a, why);
    }
    args_add_int(&a, r->held);
    r->noted_ms = now;
    if (redis_fcall(app->redis, r->function, &a, false, &reply, &failed) == NEXT_DONE) {
        r->held = 0;
        freeReplyObject(reply);
    } else {
        LOG(LOG_WARN, "a refused call is not counted", {"cause", failed.cause}, {"why", failed.text});
    }
    args_free(&a);
}

void answers_refused(struct app *app, const char *path, const char *why) {
    static struct refused refused = {.function = "call_refused"};
    note(app, &refused, path, why);
}

void answers_anonymous(struct app *app, const char *path) {
    static struct refused anonymous = {.function = "call_anonymous"};
    note(app, &anonymous, path, NULL);
}

void answers_not_stored(struct app *app, const char *path, enum next next, const struct reason *cause) {
    if (next == NEXT_BUG || strncmp(cause->cause, "redis", 5) != 0) {
        answers_refused(app, path, cause->text);
    }
}

void answers_effect_taken(struct args *effects, const char *path) {
    char route[ROUTE_SIZE];
    if (route_of(path, route)) {
        args_add(effects, "answered");
        args_add(effects, route);
    }
}
