/* SPDX-License-Identifier: Apache-2.0 */
/* onepool sweep [--now WORK]: what no event told of, levels that had drifted, and when each work is due again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "queue.h"
#include "status.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX ((size_t)64 * 1024)

static const struct {
    const char *name, *what;
} works[] = {
    {"orders", "Sitoo's orders, by id"},
    {"open", "open orders in Sitoo"},
    {"bigcommerce", "web orders, by date of change"},
    {"refunds", "refunds in BigCommerce"},
    {"web_orders", "open web orders, each once"},
    {"stock", "every level against Sitoo"},
    {"levels", "every level against what was written"},
    {"moved", "SKUs that moved a while ago"},
    {"suspects", "second look at levels that differ"},
    {"timers", "timers of the other functions"},
};
#define WORKS (sizeof works / sizeof works[0])

static const char *work_named(const char *name) {
    for (size_t i = 0; i < WORKS; i++) {
        if (strcmp(works[i].name, name) == 0) {
            return works[i].name;
        }
    }
    return NULL;
}

bool sweep_words(char **words, struct command_line *line) {
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--now") == 0 && words[1] != NULL && line->id == NULL) {
            line->id = *++words;
        } else {
            return false;
        }
    }
    return true;
}

/* ---- in words ---- */

static void add_age(struct buf *page, const cJSON *work, const char *key, int64_t now, bool ahead) {
    char age[TEXT_AGE_SIZE];
    int64_t at = 0;
    if (!json_int(work, key, &at)) {
        buf_addf(page, "%-14s", ahead ? "not due" : "never");
        return;
    }
    text_age(ahead ? at - now : now - at, age);
    buf_addf(page, "%s%s%*s", ahead ? "in " : "", age, (int)(ahead ? 11 - strlen(age) : 14 - strlen(age)), "");
}

static void add_work(struct buf *page, const cJSON *list, size_t i, int64_t now) {
    const cJSON *work = json_get(list, works[i].name);
    int64_t position = 0, total = 0;
    const char *problem = json_str(work, "problem");
    buf_addf(page, "  %-12s %-38s ", works[i].name, works[i].what);
    add_age(page, work, "last_ms", now, false);
    add_age(page, work, "next_ms", now, true);
    if (json_int(work, "total", &total) && json_int(work, "position", &position)) {
        buf_addf(page, "%lld of %lld", (long long)position, (long long)total);
    }
    buf_add_str(page, "\n");
    if (problem != NULL) {
        buf_add_str(page, "               -> ");
        text_safe(page, problem);
        buf_add_str(page, "\n");
    }
}

static void add_counts(struct buf *page, const char *title, const char *none, const cJSON *counts) {
    const cJSON *one = NULL;
    buf_addf(page, "%s", title);
    if (cJSON_GetArraySize(counts) == 0) {
        buf_addf(page, " %s", none);
    }
    cJSON_ArrayForEach(one, counts) {
        buf_addf(page, "%s %lld ", one == counts->child ? "" : ",", (long long)status_int(counts, one->string));
        text_safe(page, one->string);
    }
    buf_add_str(page, "\n");
}

static void print_words(const cJSON *sweep) {
    struct buf page;
    int64_t now = status_int(sweep, "now_ms");
    buf_init(&page, PAGE_MAX);
    buf_addf(&page, "  %-12s %-38s %-14s%-14s%s\n", "work", "what it looks at", "ended", "due", "position");
    for (size_t i = 0; i < WORKS; i++) {
        add_work(&page, json_get(sweep, "works"), i, now);
    }
    add_counts(&page, "Missed by webhooks and events:", "none", json_get(sweep, "missed"));
    add_counts(&page, "Levels that had drifted:", "none", json_get(sweep, "drift"));
    buf_addf(&page, "Waiting for a second look: %lld levels; for their event: %lld orders\n",
             (long long)status_int(sweep, "suspects"), (long long)status_int(sweep, "waiting"));
    command_print(&page);
}

/* ---- the command ---- */

static enum next start(struct app *app, const char *work, struct reason *why) {
    struct args effects = {0};
    effect_mark(&effects, QUEUE_SWEEP, work, 0, "f", "");
    enum next next = effects_apply(app->redis, &effects, why);
    args_free(&effects);
    return next;
}

static int started(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    const char *work = work_named(line->id);
    struct buf names;
    if (work == NULL) {
        buf_init(&names, 300);
        for (size_t i = 0; i < WORKS; i++) {
            buf_addf(&names, "%s%s", i > 0 ? ", " : "", works[i].name);
        }
        (void)reason_set(&why, NEXT_PARK, "usage", "the sweep has no work %.40s; there are: %s", line->id,
                         buf_str(&names));
        buf_free(&names);
        return command_failed(line, &why);
    }
    if (start(app, work, &why) != NEXT_DONE) {
        return command_failed(line, &why);
    }
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_str(o, "started", work);
        command_print_json(o);
        cJSON_Delete(o);
    } else {
        (void)printf("%s is due now; the function sweep does it. See: onepool sweep\n", work);
    }
    return 0;
}

int command_sweep(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    cJSON *status = json_new_object();
    if (line->id != NULL) {
        cJSON_Delete(status);
        return started(app, line);
    }
    if (status_sweep(app, status, &why) != NEXT_DONE) {
        cJSON_Delete(status);
        return command_failed(line, &why);
    }
    /* Numbers were added as raw text; read back once. */
    char *text = json_print(status), error[80];
    cJSON_Delete(status);
    cJSON *read = json_read(text, strlen(text), error, sizeof error);
    if (line->json) {
        command_print_json(json_get(read, "sweep"));
    } else {
        print_words(json_get(read, "sweep"));
    }
    cJSON_Delete(read);
    free(text);
    return 0;
}
