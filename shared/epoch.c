/* SPDX-License-Identifier: Apache-2.0 */
#include "epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "quantity.h"
#include "ban.h"

#define SAVE_EVERY_MS INT64_C(1000)
#define PATH_SIZE     512

bool epoch_parse(const char *text, struct epoch *e) {
    char line[120];
    int64_t numbers[2] = {0};
    if (text == NULL || !str_copy(line, sizeof line, text)) {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    char *space = strchr(line, ' ');
    if (space == NULL || space == line || (size_t)(space - line) >= sizeof e->id ||
        !ints_parse(space + 1, numbers, 2) || numbers[0] < 0 || numbers[1] < 0) {
        return false;
    }
    *space = '\0';
    (void)str_copy(e->id, sizeof e->id, line);
    e->position = numbers[0];
    e->since_ms = numbers[1];
    return true;
}

static bool file_path(const struct app *app, const char *suffix, char out[PATH_SIZE]) {
    int n = snprintf(out, PATH_SIZE, "%s/epoch-%s%s", app->set->state_dir, app->set->tenant, suffix);
    return app->set->state_dir[0] != '\0' && n > 0 && n < PATH_SIZE;
}

static void load(const struct app *app, struct epoch *e) {
    char path[PATH_SIZE], text[120] = "";
    e->loaded = true;
    if (!file_path(app, "", path)) {
        LOG(LOG_INFO, "ONEPOOL_STATE_DIR is not set: a Redis that lost data while nothing ran is not noticed", {0});
        return;
    }
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return; /* the first start here */
    }
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    if (!epoch_parse(text, e)) {
        LOG(LOG_WARN, "the epoch's file cannot be understood; it is written anew", {"file", path});
    }
}

static bool write_whole(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    size_t len = strlen(text);
    bool good = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

static void save(const struct app *app, struct epoch *e) {
    char path[PATH_SIZE], fresh[PATH_SIZE], text[120], suffix[32];
    (void)snprintf(text, sizeof text, "%s %lld %lld\n", e->id, (long long)e->position, (long long)e->since_ms);
    (void)snprintf(suffix, sizeof suffix, ".%ld", (long)getpid());
    if (strcmp(text, e->saved) == 0 || (e->saved_ms != 0 && clock_mono_ms() - e->saved_ms < SAVE_EVERY_MS) ||
        !file_path(app, "", path) || !file_path(app, suffix, fresh)) {
        return;
    }
    e->saved_ms = clock_mono_ms();
    if (!write_whole(fresh, text) || rename(fresh, path) != 0) {
        LOG(LOG_WARN, "the epoch's file cannot be written", {"file", path}, {"why", strerror(errno)});
        (void)unlink(fresh);
        return;
    }
    (void)str_copy(e->saved, sizeof e->saved, text);
}

static void adopt(struct epoch *e, const redisReply *reply) {
    const char *id = reply_str_at(reply, 0), *state = reply_str_at(reply, 1), *cause = reply_str_at(reply, 3);
    int64_t position = reply_int_at(reply, 2);
    bool same = id != NULL && strcmp(id, e->id) == 0;
    (void)str_copy(e->id, sizeof e->id, id != NULL ? id : "");
    (void)str_copy(e->state, sizeof e->state, state != NULL ? state : "");
    (void)str_copy(e->cause, sizeof e->cause, cause != NULL ? cause : "");
    e->position = same && e->position > position ? e->position : position;
    e->from_ms = reply_int_at(reply, 4);
    int64_t since = reply_int_at(reply, 5); /* a later one is what a Redis that forgot made anew */
    if (since > 0 && (e->since_ms == 0 || since < e->since_ms)) {
        e->since_ms = since;
    }
}

enum next epoch_check(struct app *app, struct epoch *e, struct reason *why) {
    char before[sizeof e->id];
    struct args a = {0};
    redisReply *reply = NULL;
    if (!e->loaded) {
        load(app, e);
    }
    (void)str_copy(before, sizeof before, e->id);
    args_add(&a, e->id);
    args_add_int(&a, e->position);
    enum next next = redis_fcall(app->redis, "epoch_check", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    adopt(e, reply);
    freeReplyObject(reply);
    if (strcmp(before, e->id) != 0 && strcmp(e->state, "lossy") == 0) {
        LOG(LOG_ALARM, "Redis lost data; no level is written until pending and withheld are rebuilt",
            {"cause", e->cause}, {"epoch", e->id}, {"lost_since", log_int(e->from_ms)});
    }
    save(app, e);
    return NEXT_DONE;
}

void epoch_leave(struct app *app, struct epoch *e) {
    struct reason ignored = {0};
    if (e->id[0] != '\0') {
        e->saved_ms = 0;
        if (epoch_check(app, e, &ignored) != NEXT_DONE) {
            save(app, e);
        }
    }
}

void epoch_step(struct app *app, const struct epoch *e, const char *step, int64_t done, int64_t total,
                const char *problem) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    args_add(&a, e->id);
    args_add(&a, step);
    args_add_int(&a, done);
    if (total >= 0) {
        args_add_int(&a, total);
    } else {
        args_add(&a, "");
    }
    args_add(&a, problem);
    if (redis_fcall(app->redis, "epoch_step", &a, true, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
}

enum next epoch_whole(struct app *app, struct epoch *e, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, e->id);
    enum next next = redis_fcall(app->redis, "epoch_whole", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    bool ours = reply_int(reply) == 1;
    freeReplyObject(reply);
    if (!ours) {
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "redis_epoch", "Redis lost data once more while it was rebuilt");
    }
    (void)str_copy(e->state, sizeof e->state, "whole");
    return NEXT_DONE;
}
