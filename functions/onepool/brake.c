/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool brake: a write that would change too much at once is held by the gate and parked with the cause "brake".
 * A release lets one such write pass within ten minutes; the writer tries again by itself within a minute.
 */
#include "command.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "text.h"
#include "ban.h"

#define CAUSE          "brake"
#define RELEASE_KEEP_S 600
#define PAGE_MAX       ((size_t)256 * 1024)

static enum next set_release(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "SET");
    args_add_key(&a, app->redis, KEY_BRAKE);
    args_add(&a, "1");
    args_add(&a, "EX");
    args_add_int(&a, RELEASE_KEEP_S);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* How long a release still waits for its write; 0 = there is none. */
static enum next release_left(struct app *app, int64_t *ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "PTTL");
    args_add_key(&a, app->redis, KEY_BRAKE);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *ms = reply_int(reply) > 0 ? reply_int(reply) : 0;
        freeReplyObject(reply);
    }
    return next;
}

/* First the permission, then the cases: a write that is tried in between passes. */
static enum next release(struct app *app, const cJSON *cases, struct reason *why) {
    const cJSON *o = NULL;
    bool found = false;
    enum next next = set_release(app, why);
    cJSON_ArrayForEach(o, cases) {
        next = next == NEXT_DONE ? parked_end(app, json_str(o, "id"), "retry", &found, why) : next;
    }
    return next;
}

static void print_text(const cJSON *held, bool released, int64_t left_ms) {
    struct buf page;
    const cJSON *o = NULL;
    char left[TEXT_AGE_SIZE];
    text_age(left_ms, left);
    buf_init(&page, PAGE_MAX);
    cJSON_ArrayForEach(o, held) {
        text_case(&page, o, clock_wall_ms());
    }
    if (released) {
        buf_add_str(&page, "Released: one write may pass within ten minutes; it is tried within a minute.\n");
    } else if (left_ms > 0) {
        buf_addf(&page, "A release waits for its write for another %s.\n", left);
    } else if (cJSON_GetArraySize(held) > 0) {
        buf_add_str(&page, "A write is held. If the change is right, let it pass: onepool brake --release\n");
    } else {
        buf_add_str(&page, "No write is held.\n");
    }
    command_print(&page);
}

int command_brake(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    int64_t left_ms = 0;
    cJSON *all = json_new_object(), *held = json_add_array(all, "held");
    enum next next = parked_collect(app, CAUSE, held, &why);
    bool asked = line->action != NULL, released = asked && cJSON_GetArraySize(held) > 0;
    if (next == NEXT_DONE && released) {
        next = release(app, held, &why);
    }
    next = next == NEXT_DONE ? release_left(app, &left_ms, &why) : next;
    if (next != NEXT_DONE) {
        cJSON_Delete(all);
        return command_failed(line, &why);
    }
    if (line->json) {
        json_add_bool(all, "released", released);
        json_add_int(all, "release_left_ms", left_ms);
        command_print_json(all);
    } else {
        print_text(held, released, left_ms);
    }
    cJSON_Delete(all);
    return asked && !released ? 1 : 0;
}
