/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool ledger export: what came since the last export, a file for each day (UTC) of each run. A file names the one
 * before it and its SHA-256; ledger:export in Redis holds the newest.
 *
 * A crash after a file got its name and before Redis knows of it leaves a file under the name that the next run would
 * give: it is taken over if it is right, and what came since goes into the next file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "faultpoint.h"
#include "json.h"
#include "keys.h"
#include "ledger_chain.h"
#include "ledger_out.h"
#include "ledger_source.h"
#include "quantity.h"
#include "ban.h"

#define DAY_MS     INT64_C(86400000)
#define ERROR_SIZE 1400

/* ledger:export */
struct sealed {
    char id[LEDGER_ID_SIZE], head[LEDGER_HASH_SIZE], file[LEDGER_NAME_SIZE], sha256[LEDGER_SHA256_SIZE];
    int64_t n;
};

struct export {
    struct app *app;
    const char *folder;
    struct sealed last;
    struct ledger_chain chain;
    struct ledger_out out;
    int64_t files, entries;
    enum next next; /* of what went wrong while entries were taken */
    struct reason *why;
};

/* ---- Redis ---- */

static enum next last_read(struct app *app, struct sealed *s, struct reason *why) {
    static const char *const fields[] = {"id", "n", "head", "file", "sha256"};
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_LEDGER_EXPORT);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        args_add(&a, fields[i]);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    char *const into[] = {s->id, NULL, s->head, s->file, s->sha256};
    static const size_t sizes[] = {sizeof s->id, 0, sizeof s->head, sizeof s->file, sizeof s->sha256};
    *s = (struct sealed){0};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (into[i] != NULL && reply_str_at(reply, i) != NULL) {
            (void)str_copy(into[i], sizes[i], reply_str_at(reply, i));
        }
    }
    (void)int_parse(reply_str_at(reply, 1), 0, INT64_MAX, &s->n);
    freeReplyObject(reply);
    return NEXT_DONE;
}

static enum next remember(struct export *x, const struct sealed *now) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, x->last.id);
    args_add(&a, now->id);
    args_add_int(&a, now->n);
    args_add(&a, now->head);
    args_add(&a, now->file);
    args_add(&a, now->sha256);
    fault_point(x->app, "ledger.export_named");
    enum next next = redis_fcall(x->app->redis, "ledger_exported", &a, false, &reply, x->why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    bool ours = reply_int(reply) == 1;
    freeReplyObject(reply);
    if (!ours) {
        return reason_set(x->why, NEXT_PARK, "export",
                          "another export ran at the same time; %.127s in this folder is not part of its row of files: "
                          "delete it, then export again",
                          now->file);
    }
    x->last = *now;
    return NEXT_DONE;
}

/* ---- writing ---- */

static bool fail(struct export *x, const char *error) {
    x->next = reason_set(x->why, NEXT_PARK, "export", "%.470s", error);
    return false;
}

static bool finish(struct export *x) {
    char error[ERROR_SIZE];
    struct sealed now = {.n = x->out.n > 0 ? x->out.n : x->last.n};
    if (x->out.gz == NULL) {
        return true;
    }
    (void)str_copy(now.id, sizeof now.id, x->out.last);
    (void)str_copy(now.head, sizeof now.head, x->out.n > 0 ? x->out.head : x->last.head);
    (void)str_copy(now.file, sizeof now.file, x->out.name);
    int64_t entries = x->out.entries;
    if (!ledger_out_close(&x->out, now.sha256, error, sizeof error)) {
        return fail(x, error);
    }
    x->next = remember(x, &now);
    x->files += x->next == NEXT_DONE ? 1 : 0;
    x->entries += x->next == NEXT_DONE ? entries : 0;
    return x->next == NEXT_DONE;
}

static bool take(void *arg, const struct ledger_entry *e) {
    struct export *x = arg;
    char error[ERROR_SIZE];
    ledger_chain_take(&x->chain, e);
    if (x->out.gz != NULL && e->ms / DAY_MS != x->out.day && !finish(x)) {
        return false;
    }
    if (x->out.gz == NULL && !ledger_out_open(&x->out, x->folder, e, x->app->set->tenant, x->last.file, x->last.sha256,
                                              error, sizeof error)) {
        return fail(x, error);
    }
    return ledger_out_add(&x->out, e, x->chain.head, error, sizeof error) || fail(x, error);
}

/* ---- a file that a crash left ---- */

/* The chain goes on where the last export ended. */
static void chain_from(struct ledger_chain *c, const struct sealed *s) {
    struct ledger_entry last;
    if (s->n > 0 && ledger_entry_set(&last, s->id, NULL, "", 0)) {
        c->linked = 1;
        c->first_n = s->n;
        c->last_n = s->n;
        c->last = last;
        c->last.n = s->n;
        (void)str_copy(c->head, sizeof c->head, s->head);
    }
}

static bool first_only(void *arg, const struct ledger_entry *e) {
    char *name = arg;
    ledger_out_name(e, name);
    return false;
}

static bool hash_it(void *arg, const struct ledger_entry *e) {
    char *head = arg;
    struct ledger_hasher *h = ledger_hasher_new();
    ledger_hash(h, e, head);
    ledger_hasher_free(h);
    return false;
}

static bool chain_only(void *arg, const struct ledger_entry *e) {
    ledger_chain_take(arg, e);
    return true;
}

/* Reads the file; *whole: its chain is, and *head is the hash of its last entry, as calculated. */
static bool read_left(const struct export *x, struct ledger_file *f, bool *whole, char head[LEDGER_HASH_SIZE]) {
    char error[ERROR_SIZE];
    struct ledger_chain *c = xcalloc(1, sizeof *c);
    ledger_chain_init(c);
    chain_from(c, &x->last);
    bool read = ledger_file_read(f, chain_only, c, error, sizeof error);
    *whole = c->fault_count == 0;
    (void)str_copy(head, LEDGER_HASH_SIZE, f->n > 0 ? c->head : "");
    ledger_chain_free(c);
    free(c);
    return read;
}

static enum next taken(struct export *x, const char *name, const char *problem) {
    return reason_set(
        x->why, NEXT_PARK, "export",
        "%.300s/%.127s is there already and %s. If Redis was restored from a backup, or the file was changed, "
        "keep that file apart and export into another folder",
        x->folder, name, problem);
}

static enum next adopt(struct export *x, const char *name, const char *path) {
    char error[ERROR_SIZE], head[LEDGER_HASH_SIZE] = "", last[LEDGER_HASH_SIZE], from[LEDGER_ID_SIZE + 1];
    struct ledger_file f;
    bool whole = false;
    if (!ledger_file_open(&f, path, error, sizeof error) || !read_left(x, &f, &whole, last)) {
        return taken(x, name, "cannot be read to its end");
    }
    if (strcmp(f.before, x->last.file) != 0 || strcmp(f.before_sha256, x->last.sha256) != 0) {
        return taken(x, name, "does not follow the last file that Redis knows of");
    }
    (void)str_copy(from, sizeof from, f.last);
    enum next next = ledger_read_redis(x->app, from, f.last, hash_it, head, x->why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (!whole || head[0] == '\0' || (f.n > 0 && strcmp(head, last) != 0)) {
        return taken(x, name, "holds other entries than Redis");
    }
    struct sealed now = {.n = f.n > 0 ? f.n : x->last.n};
    (void)str_copy(now.id, sizeof now.id, f.last);
    (void)str_copy(now.head, sizeof now.head, f.n > 0 ? f.head : x->last.head);
    (void)str_copy(now.file, sizeof now.file, name);
    (void)str_copy(now.sha256, sizeof now.sha256, f.sha256);
    next = remember(x, &now);
    x->files += next == NEXT_DONE ? 1 : 0;
    x->entries += next == NEXT_DONE ? f.entries : 0;
    return next;
}

/* ---- all of it ---- */

static void begin_from(const struct sealed *s, char from[LEDGER_ID_SIZE + 1]) {
    (void)snprintf(from, LEDGER_ID_SIZE + 1, "%s%s", s->id[0] != '\0' ? "(" : "-", s->id);
}

static enum next run(struct export *x, int64_t until_ms) {
    char from[LEDGER_ID_SIZE + 1], name[LEDGER_NAME_SIZE] = "", path[1024], to[LEDGER_ID_SIZE] = "+";
    enum next next = last_read(x->app, &x->last, x->why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (until_ms > 0) {
        (void)snprintf(to, sizeof to, "(%lld-0", (long long)until_ms);
    }
    begin_from(&x->last, from);
    next = ledger_read_redis(x->app, from, to, first_only, name, x->why);
    ledger_out_path(x->folder, name, path);
    if (next == NEXT_DONE && name[0] != '\0' && access(path, F_OK) == 0) {
        next = adopt(x, name, path);
    }
    begin_from(&x->last, from);
    chain_from(&x->chain, &x->last);
    next = next == NEXT_DONE ? ledger_read_redis(x->app, from, to, take, x, x->why) : next;
    next = next == NEXT_DONE ? x->next : next;
    if (next == NEXT_DONE && !finish(x)) {
        next = x->next;
    }
    ledger_out_drop(&x->out);
    return next;
}

static void show(const struct export *x, const struct command_line *line) {
    const struct ledger_chain *c = &x->chain;
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_int(o, "entries", x->entries);
        json_add_int(o, "files", x->files);
        json_add_str(o, "newest_file", x->last.file[0] != '\0' ? x->last.file : NULL);
        json_add_str(o, "newest_sha256", x->last.sha256[0] != '\0' ? x->last.sha256 : NULL);
        json_add_int(o, "last_entry", x->last.n);
        json_add_int(o, "faults", (int64_t)c->fault_count);
        json_add_str(o, "fault", c->fault_count > 0 ? c->faults[0].text : NULL);
        command_print_json(o);
        cJSON_Delete(o);
        return;
    }
    if (x->files == 0) {
        (void)printf("Nothing new since the last export%s%s.\n", x->last.file[0] != '\0' ? ", " : "", x->last.file);
    } else {
        (void)printf(
            "%lld entries in %lld files; the newest is %s\nSHA-256 %s\nKeep this digest where nobody can change it "
            "who can change the files: it seals this file, and through it all before.\n",
            (long long)x->entries, (long long)x->files, x->last.file, x->last.sha256);
    }
    if (c->fault_count > 0) {
        (void)printf(
            "The chain is BROKEN in what was exported: %s (entry %lld). Look closer: onepool ledger verify --from %s\n",
            c->faults[0].text, (long long)c->faults[0].n, x->folder);
    }
}

int ledger_export(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    struct export *x = xcalloc(1, sizeof *x);
    int status = 1;
    x->app = app;
    x->folder = line->ledger.to;
    x->why = &why;
    x->out.fd = -1;
    ledger_chain_init(&x->chain);
    enum next next = NEXT_DONE;
    if (strlen(x->folder) > 700 || access(x->folder, W_OK | X_OK) != 0) {
        next = reason_set(&why, NEXT_PARK, "export", "--to %.200s: %s", x->folder,
                          strlen(x->folder) > 700 ? "the path is too long" : strerror(errno));
    }
    next = next == NEXT_DONE ? run(x, line->ledger.until_ms) : next;
    if (next == NEXT_DONE) {
        show(x, line);
        status = x->chain.fault_count > 0 ? 1 : 0;
    } else {
        status = command_failed(line, &why);
    }
    ledger_chain_free(&x->chain);
    free(x);
    return status;
}
