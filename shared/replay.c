/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "feed.h"
#include "gate.h"
#include "hook_plans.h"
#include "queue.h"
#include "ban.h"

/* Effects that the plans of acceptors make, with the number of their arguments (shared/lua/10_effects.lua). */
static const struct {
    const char *name;
    size_t values;
} effects_known[] = {{"mark", 5}, {"mark_in", 4}, {"case", 9}, {"count", 2}, {"told", 2}};

static const struct {
    const char *cause, *source;
} raw_causes[] = {{"bad_event", FEED_SOURCE}, {"bad_batch", FEED_SOURCE}, {"bad_hook", HOOK_SOURCE}};

bool replay_raw_cause(const char *cause, const char **source) {
    for (size_t i = 0; i < sizeof raw_causes / sizeof raw_causes[0]; i++) {
        if (strcmp(raw_causes[i].cause, cause) == 0) {
            *source = raw_causes[i].source;
            return true;
        }
    }
    return false;
}

static size_t values_of(const char *name) {
    for (size_t i = 0; i < sizeof effects_known / sizeof effects_known[0]; i++) {
        if (strcmp(effects_known[i].name, name) == 0) {
            return effects_known[i].values;
        }
    }
    return 0;
}

static void not_understood(struct replay *r, const char *problem) {
    r->understood = false;
    if (r->problem[0] == '\0') {
        (void)str_copy(r->problem, sizeof r->problem, problem);
    }
}

/* Keeps the marks of what an acceptor would store with these bytes. */
static void keep_marks(const struct args *effects, struct replay *r) {
    const char *source = NULL;
    size_t at = 0;
    while (at < effects->n) {
        const char *name = effects->argv[at];
        size_t values = values_of(name);
        if (values == 0 || at + values >= effects->n) {
            not_understood(r, "it asks for something that a replay does not know; this is a fault of onepool");
            return;
        }
        if (strncmp(name, "mark", 4) == 0) {
            for (size_t i = 0; i <= values; i++) {
                args_add_bytes(&r->marks, effects->argv[at + i], effects->len[at + i]);
            }
            r->due++;
        } else if (strcmp(name, "case") == 0 && replay_raw_cause(effects->argv[at + 1], &source)) {
            not_understood(r, effects->argv[at + 4]);
        }
        at += 1 + values;
    }
}

struct taking {
    const struct app *app;
    struct args effects;
};

static void take(void *arg, const struct feed_event *e, const char *bytes, size_t len) {
    struct taking *t = arg;
    feed_effects(t->app, e, bytes, len, &t->effects);
}

static bool is_list(const char *bytes, size_t len) {
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", bytes[i]) != NULL && bytes[i] != '\0') {
        i++;
    }
    return i < len && bytes[i] == '[';
}

/* The journal and the cases hold single elements, and whole bodies that were no list. */
static void read_feed(const struct app *app, const char *bytes, size_t len, struct replay *out) {
    struct taking t = {.app = app};
    struct feed_event e;
    if (is_list(bytes, len)) {
        (void)feed_read(app, bytes, len, take, &t);
    } else {
        feed_element(app, bytes, len, &e);
        feed_effects(app, &e, bytes, len, &t.effects);
    }
    keep_marks(&t.effects, out);
    args_free(&t.effects);
}

static void read_hook(const struct app *app, const char *path, const char *bytes, size_t len, struct replay *out) {
    char id[HOOK_HASH_MAX + 1];
    struct args effects = {0};
    hook_plan plan = hook_plan_of(path, bytes, len);
    if (plan == NULL) {
        not_understood(out, "its scope belongs to no route of onepool");
        return;
    }
    hook_read(app, bytes, len, plan, id, &effects);
    keep_marks(&effects, out);
    args_free(&effects);
}

void replay_read(const struct app *app, const char *source, const char *path, const char *bytes, size_t len,
                 struct replay *out) {
    char digest[17], entity[40];
    memset(out, 0, sizeof *out);
    out->understood = true;
    if (strcmp(source, FEED_SOURCE) == 0) {
        read_feed(app, bytes, len, out);
    } else if (strcmp(source, HOOK_SOURCE) == 0) {
        read_hook(app, path, bytes, len, out);
    } else {
        not_understood(out, "it comes from nobody that onepool knows");
    }
    gate_digest(bytes, digest);
    for (size_t i = 0; out->understood && i < sizeof raw_causes / sizeof raw_causes[0]; i++) {
        if (strcmp(raw_causes[i].source, source) == 0) {
            (void)snprintf(entity, sizeof entity, "%s %s", strcmp(source, FEED_SOURCE) == 0 ? "event" : "hook", digest);
            effect_close(&out->closes, raw_causes[i].cause, entity);
        }
    }
}

void replay_free(struct replay *r) {
    args_free(&r->marks);
    args_free(&r->closes);
}

bool replay_mark(const struct args *marks, size_t *at, const char **queue, const char **entity) {
    if (*at + 2 >= marks->n) {
        return false;
    }
    *queue = marks->argv[*at + 1];
    *entity = marks->argv[*at + 2];
    *at += 1 + values_of(marks->argv[*at]);
    return true;
}
