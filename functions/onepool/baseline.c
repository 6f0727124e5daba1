/* SPDX-License-Identifier: Apache-2.0 */
/* onepool baseline; see baseline.h. */
#include "baseline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "mode.h"
#include "quantity.h"
#include "text.h"
#include "ban.h"

#define NEEDS          (NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE)
#define ROWS_MAX       INT64_C(1000000)
#define RESUME_MAX_MS  (INT64_C(2) * 3600 * 1000) /* beyond it, what a broken reading began with is too old */
#define FILE_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define HOUR_MS        (INT64_C(3600) * 1000)

/* ---- the command line ---- */

bool baseline_words(char **words, struct command_line *line) {
    struct baseline_options *o = &line->baseline;
    o->rows = BASELINE_ROWS_SHOW;
    for (; *words != NULL; words++) {
        const struct {
            const char *name, **value;
        } texts[] = {{"--csv", &o->csv},
                     {"--orders", &o->orders},
                     {"--export-orders", &o->export_orders},
                     {"--accept", &o->accept}};
        bool known = true;
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--propose") == 0) {
            o->propose = true;
        } else if (strcmp(*words, "--again") == 0) {
            o->again = true;
        } else if (strcmp(*words, "--rows") == 0) {
            known = words[1] != NULL && int_parse(*++words, 0, ROWS_MAX, &o->rows);
        } else {
            known = false;
            for (size_t i = 0; !known && i < sizeof texts / sizeof texts[0]; i++) {
                if (strcmp(*words, texts[i].name) == 0 && words[1] != NULL && *texts[i].value == NULL) {
                    *texts[i].value = *++words;
                    known = true;
                }
            }
        }
        if (!known) {
            return false;
        }
    }
    bool reads = o->csv != NULL || o->orders != NULL || o->export_orders != NULL || o->again;
    return !(o->propose && (reads || o->accept != NULL)) && !(o->accept != NULL && reads);
}

unsigned baseline_needs(const struct command_line *line) {
    const char *config = getenv("ONEPOOL_CONFIG");
    /* A file that is not there yet is to be proposed; one that cannot be read is a mistake. */
    bool missing = config == NULL || config[0] == '\0' || (access(config, F_OK) != 0 && errno == ENOENT);
    bool propose = line->baseline.propose || (missing && line->baseline.accept == NULL);
    return propose ? NEEDS : NEEDS | NEED_MAPPING;
}

/* ---- checks ---- */

/* Prints what is wrong; false if something must be mended first. */
static bool check(struct baseline *b) {
    cJSON *all = json_new_object();
    struct report r = {.app = b->app, .lines = json_add_array(all, "checks")};
    const cJSON *line = NULL;
    check_bigcommerce(&r);
    check_sitoo(&r);
    cJSON_ArrayForEach(line, r.lines) {
        if (strcmp(json_str(line, "result"), "ok") != 0 && (!b->json || r.failed > 0)) {
            struct buf text;
            buf_init(&text, 4000);
            buf_addf(&text, "%-5s %-16s ", json_str(line, "result"), json_str(line, "check"));
            text_safe(&text, json_str(line, "text"));
            buf_add_str(&text, "\n                       -> ");
            text_safe(&text, json_str(line, "todo"));
            (void)fprintf(stderr, "%s\n", buf_str(&text));
            buf_free(&text);
        }
    }
    size_t failed = r.failed;
    cJSON_Delete(all);
    cJSON_Delete(r.locations);
    cJSON_Delete(r.warehouses);
    return failed == 0;
}

/* ---- a reading ---- */

struct kept {
    struct args gone;
};

static void find_gone(void *arg, const char *field, const char *value) {
    static const char *const stay[] = {"accepted", "accepted_ms", "begun"};
    struct kept *k = arg;
    (void)value;
    for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++) {
        if (strcmp(field, stay[i]) == 0) {
            return;
        }
    }
    args_add(&k->gone, field);
}

static enum next drop_hashes(struct baseline *b, const struct args *fields, struct reason *why) {
    const struct mapping *m = b->app->set->mapping;
    static const char *const plain[] = {"rows", "notes", "items", "products", "sitoo", "price", "diff"};
    size_t n = sizeof plain / sizeof plain[0];
    char(*stock)[BASELINE_WORD_MAX] = xcalloc(m->warehouse_count + 1, sizeof *stock);
    const char **names = xcalloc(n + m->warehouse_count + 1, sizeof *names);
    const char **gone = xcalloc(fields->n + 1, sizeof *gone);
    for (size_t i = 0; i < n; i++) {
        names[i] = plain[i];
    }
    for (size_t w = 0; w < m->warehouse_count; w++) {
        (void)snprintf(stock[w], sizeof stock[w], "stock:%lld", (long long)m->warehouses[w]);
        names[n + w] = stock[w];
    }
    for (size_t i = 0; i < fields->n; i++) {
        gone[i] = fields->argv[i];
    }
    enum next next = baseline_drop(b, names, gone, why);
    free(gone);
    free(names);
    free(stock);
    return next;
}

static enum next begin(struct baseline *b, const char *digest, int64_t now, struct reason *why) {
    char accepted[24] = "", begun[24] = "";
    struct kept k = {{0}};
    struct args progress = {0};
    enum next next = baseline_get(b, "accepted", accepted, sizeof accepted, why);
    next = next == NEXT_DONE ? baseline_get(b, "begun", begun, sizeof begun, why) : next;
    if (next == NEXT_DONE && strcmp(accepted, begun) != 0) {
        next =
            reason_set(why, NEXT_DEFER, "not_begun",
                       "the accepted baseline %s is not taken over yet: is a worker of stock-moved running?", accepted);
    }
    next = next == NEXT_DONE ? baseline_each(b, KEY_BASELINE, find_gone, &k, why) : next;
    next = next == NEXT_DONE ? drop_hashes(b, &k.gone, why) : next;
    args_free(&k.gone);
    args_add(&progress, "phase");
    args_add(&progress, "reading");
    args_add(&progress, "mapping");
    args_add(&progress, digest);
    args_add(&progress, "started_ms");
    args_add_int(&progress, now);
    next = next == NEXT_DONE ? baseline_put(b, "none", &(struct args){0}, &progress, why) : next;
    args_free(&progress);
    return next;
}

/* Whether what was read before can be used or gone on with: for the same places, and not too old. */
static enum next usable(struct baseline *b, const char *digest, int64_t now, bool *ok, char phase[16],
                        struct reason *why) {
    char mapping[24] = "", report[24] = "", begun[24] = "";
    int64_t started = 0, read_ms = 0;
    enum next next = baseline_get(b, "phase", phase, 16, why);
    next = next == NEXT_DONE ? baseline_get(b, "report", report, sizeof report, why) : next;
    next = next == NEXT_DONE ? baseline_get(b, "begun", begun, sizeof begun, why) : next;
    next = next == NEXT_DONE ? baseline_get(b, "mapping", mapping, sizeof mapping, why) : next;
    next = next == NEXT_DONE ? baseline_get_int(b, "started_ms", &started, why) : next;
    next = next == NEXT_DONE ? baseline_get_int(b, "read_ms", &read_ms, why) : next;
    /* A report that the writer has taken over tells of a shop that is no more. */
    bool same = strcmp(mapping, digest) == 0 && (begun[0] == '\0' || strcmp(begun, report) != 0);
    int64_t valid_ms = b->app->set->mapping->baseline.accept_within_hours * HOUR_MS;
    *ok = same && ((strcmp(phase, "read") == 0 && now - read_ms < valid_ms) ||
                   (strcmp(phase, "reading") == 0 && now - started < RESUME_MAX_MS));
    return next;
}

static enum next finish(struct baseline *b, struct reason *why) {
    struct args progress = {0};
    int64_t now = 0;
    enum next next = redis_time(b->app->redis, &now, why);
    args_add(&progress, "phase");
    args_add(&progress, "read");
    args_add(&progress, "read_ms");
    args_add_int(&progress, now);
    args_add(&progress, "total");
    args_add_int(&progress, b->progress.total);
    next = next == NEXT_DONE ? baseline_put(b, "none", &(struct args){0}, &progress, why) : next;
    args_free(&progress);
    return next;
}

static enum next read_all(struct baseline *b, struct reason *why) {
    static enum next (*const steps[])(struct baseline *, struct reason *) = {baseline_read_cursor,
                                                                             baseline_read_sizes,
                                                                             baseline_read_sitoo,
                                                                             baseline_read_orders,
                                                                             baseline_read_bigcommerce,
                                                                             baseline_look_up,
                                                                             finish};
    int64_t done = 0, total = 0;
    enum next next = baseline_get_int(b, "done", &done, why);
    next = next == NEXT_DONE ? baseline_get_int(b, "total", &total, why) : next;
    progress_begin(&b->progress, b->json, done, total);
    for (size_t i = 0; next == NEXT_DONE && i < sizeof steps / sizeof steps[0]; i++) {
        next = stop_requested() ? reason_set(why, NEXT_STOP, "stopping", "stopped; run it again to go on")
                                : steps[i](b, why);
    }
    progress_end(&b->progress);
    return next;
}

/* Reads whatever is not read yet. */
static enum next ensure_read(struct baseline *b, struct reason *why) {
    char digest[17], phase[16] = "";
    int64_t now = 0;
    bool ok = false;
    baseline_mapping_digest(b->app->set->mapping, digest);
    enum next next = redis_time(b->app->redis, &now, why);
    next = next == NEXT_DONE ? usable(b, digest, now, &ok, phase, why) : next;
    if (next == NEXT_DONE && (!ok || b->options->again)) {
        next = begin(b, digest, now, why);
        phase[0] = '\0';
    } else if (next == NEXT_DONE && strcmp(phase, "reading") == 0 && !b->json) {
        (void)fprintf(stderr, "going on with a reading that was broken off\n");
    }
    if (next != NEXT_DONE || strcmp(phase, "read") == 0) {
        return next;
    }
    if (!check(b)) {
        return reason_set(why, NEXT_PARK, "check", "mend what failed, then run this again (onepool check tells all)");
    }
    return read_all(b, why);
}

/* ---- orders by a person ---- */

static bool read_file(const char *path, struct buf *out) {
    char chunk[8192];
    FILE *f = fopen(path, "rb");
    size_t n = 0;
    if (f == NULL) {
        (void)fprintf(stderr, "onepool: %s: %s\n", path, strerror(errno));
        return false;
    }
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        buf_add(out, chunk, n);
    }
    bool good = ferror(f) == 0 && !buf_overflowed(out) && strlen(buf_str(out)) == out->len;
    (void)fclose(f);
    if (!good) {
        (void)fprintf(stderr, "onepool: %s: cannot be read, is longer than 32 MiB, or is no text\n", path);
    }
    return good;
}

static enum next take_orders(struct baseline *b, struct open_orders *o, struct reason *why) {
    struct buf text, mistakes;
    if (b->options->orders == NULL) {
        return NEXT_DONE;
    }
    buf_init(&text, FILE_MAX_BYTES);
    buf_init(&mistakes, (size_t)64 * 1024);
    enum next next = NEXT_DONE;
    if (!read_file(b->options->orders, &text)) {
        next = reason_set(why, NEXT_PARK, "orders_file", "no class was taken from %.200s", b->options->orders);
    } else {
        size_t n = orders_csv_read(buf_str(&text), o, &mistakes);
        if (mistakes.len > 0) {
            next = reason_set(why, NEXT_PARK, "orders_file", "no class was taken; %.100s:\n%.300s%s",
                              b->options->orders, buf_str(&mistakes), mistakes.len > 300 ? "..." : "");
            if (!b->json) {
                (void)fputs(buf_str(&mistakes), stderr);
                (void)reason_set(why, NEXT_PARK, "orders_file", "%.200s has these mistakes; no class was taken",
                                 b->options->orders);
            }
        } else if (!b->json) {
            (void)fprintf(stderr, "%zu classes taken from %s\n", n, b->options->orders);
        }
    }
    buf_free(&text);
    buf_free(&mistakes);
    return next;
}

/* ---- the report ---- */

static enum next report(struct baseline *b, int *status, struct reason *why) {
    struct open_orders orders = {0};
    struct model *model = NULL;
    struct comparison c = {0};
    char id[17] = "";
    cJSON *all = json_new_object(), *notes = json_add_array(all, "notes");
    enum next next = open_orders_load(b, &orders, why);
    next = next == NEXT_DONE ? take_orders(b, &orders, why) : next;
    if (next == NEXT_DONE) {
        open_orders_rules(&orders, b->app->set->mapping, clock_wall_ms());
        next = open_orders_store(b, &orders, why);
    }
    next = next == NEXT_DONE ? model_load(b, &orders, &model, why) : next;
    if (next == NEXT_DONE) {
        model_compare(model, &c);
        model_others(model, notes);
        next = baseline_prices(b, &c, why);
    }
    next = next == NEXT_DONE ? baseline_left_out(b, notes, why) : next;
    next = next == NEXT_DONE ? baseline_report_store(b, &c, &orders, id, why) : next;
    if (next == NEXT_DONE) {
        *status = baseline_report_print(b, model, &c, &orders, id, notes);
    }
    cJSON_Delete(all);
    comparison_free(&c);
    model_free(model);
    open_orders_free(&orders);
    return next;
}

/* ---- acceptance ---- */

static const struct {
    const char *word, *text;
} answers[] = {{"lease", "another onepool baseline is running; let it end"},
               {"none", "there is no report; run: onepool baseline"},
               {"other", "this is not the id of the latest report; look at that one first: onepool baseline"},
               {"stale", "the report is too old; read anew: onepool baseline"},
               {"mapping", "the mapping file has changed since the report; run: onepool baseline"},
               {"unclassed", "there are open orders without a class; run: onepool baseline"}};

static void print_accepted(struct baseline *b, const char *word) {
    bool live = b->app->set->mode == MODE_AUTO || b->app->set->mode == MODE_LIVE;
    if (b->json) {
        cJSON *o = json_new_object();
        json_add_str(o, "accepted", b->options->accept);
        json_add_bool(o, "already", strcmp(word, "already") == 0);
        json_add_str(o, "mode", live ? "live" : "shadow");
        command_print_json(o);
        cJSON_Delete(o);
        return;
    }
    (void)printf("%s %s. %s\n", strcmp(word, "already") == 0 ? "Accepted before:" : "Accepted:", b->options->accept,
                 live ? "The running functions go live within seconds and write what differs: onepool status"
                      : "ONEPOOL_MODE=shadow is set, so nothing is written; take it away and start again to go live.");
}

static enum next accept(struct baseline *b, int *status, struct reason *why) {
    char digest[17], word[24] = "";
    struct args a = {0};
    redisReply *reply = NULL;
    baseline_mapping_digest(b->app->set->mapping, digest);
    args_add(&a, b->token);
    args_add(&a, b->options->accept);
    args_add(&a, digest);
    args_add_int(&a, b->app->set->mapping->baseline.accept_within_hours * HOUR_MS);
    enum next next = redis_fcall(b->app->redis, "baseline_accept", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    (void)str_copy(word, sizeof word, reply_str(reply) != NULL ? reply_str(reply) : "");
    freeReplyObject(reply);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (strcmp(answers[i].word, word) == 0) {
            return reason_set(why, NEXT_PARK, word, "%s", answers[i].text);
        }
    }
    print_accepted(b, word);
    *status = 0;
    return NEXT_DONE;
}

int command_baseline(struct app *app, const struct command_line *line) {
    struct baseline b = {.app = app, .options = &line->baseline, .json = line->json};
    struct reason why = {0};
    int status = 1;
    progress_begin(&b.progress, line->json, 0, 0);
    if (app->set->mapping == NULL) {
        return baseline_propose(&b);
    }
    enum next next = baseline_lock(&b, &why);
    if (next == NEXT_DONE && line->baseline.accept != NULL) {
        next = accept(&b, &status, &why);
    } else if (next == NEXT_DONE) {
        next = ensure_read(&b, &why);
        next = next == NEXT_DONE ? report(&b, &status, &why) : next;
    }
    baseline_unlock(&b);
    if (next != NEXT_DONE && b.lost) {
        (void)reason_set(&why, NEXT_STOP, "fenced", "another onepool baseline has taken over");
    }
    return next == NEXT_DONE ? status : command_failed(line, &why);
}
