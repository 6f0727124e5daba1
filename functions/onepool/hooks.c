/* SPDX-License-Identifier: Apache-2.0 */
/* onepool hooks: reads, repairs, reads again; hooks_report.c shows it. */
#include "hooks.h"

#include <stdlib.h>
#include <string.h>

#include "mode.h"
#include "ban.h"

#define TRIES       3
#define WAIT_MAX_MS INT64_C(35000) /* a little more than BigCommerce's window */

bool hooks_words(char **words, struct command_line *line) {
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--repair") == 0) {
            line->hooks.repair = true;
        } else if (strcmp(*words, "--dry-run") == 0) {
            line->hooks.dry_run = true;
        } else {
            return false;
        }
    }
    return true;
}

/* The quota comes back by itself. */
static enum next read_patiently(struct app *app, struct hooks_view *view, struct reason *why) {
    enum next next = NEXT_DONE;
    for (int i = 0; i < TRIES; i++) {
        hooks_view_free(view);
        memset(why, 0, sizeof *why);
        next = hooks_read(app, view, why);
        if (next != NEXT_DEFER || strcmp(why->cause, "quota") != 0 || why->wait_ms > WAIT_MAX_MS ||
            !app_sleep(app, why->wait_ms > 0 ? why->wait_ms : 1000)) {
            return next;
        }
    }
    return next;
}

static enum next repair(struct app *app, struct hooks_report *r, struct reason *why) {
    bool all[HOOKS_WANTED];
    int64_t known_ms[HOOKS_WANTED];
    const char *problem = hooks_url_problem(app->set);
    if (problem != NULL) {
        return reason_set(why, NEXT_PARK, "public_url", "%s", problem);
    }
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        all[i] = true;
    }
    enum next next = hooks_known(app, known_ms, why);
    next = next == NEXT_DONE ? hooks_repair(app, &r->before, all, known_ms, &r->work, why) : next;
    next = next == NEXT_DONE ? read_patiently(app, &r->now, why) : next;
    r->repaired = next == NEXT_DONE;
    return next == NEXT_DONE ? hooks_note(app, &r->now, why) : next;
}

int command_hooks(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    struct hooks_report r = {.line = line, .set = app->set};
    enum next next = mode_refresh(app, &why);
    r.mode = app->mode;
    next = next == NEXT_DONE ? read_patiently(app, &r.before, &why) : next;
    if (next == NEXT_DONE && line->hooks.repair && !line->hooks.dry_run) {
        next = repair(app, &r, &why);
    }
    int status = 1;
    if (next != NEXT_DONE) {
        status = command_failed(line, &why);
    } else {
        cJSON *json = hooks_report_json(&r);
        if (line->json) {
            command_print_json(json);
        } else {
            hooks_report_print(&r);
        }
        cJSON_Delete(json);
        status = hooks_report_ok(&r) ? 0 : 1;
    }
    hooks_view_free(&r.before);
    hooks_view_free(&r.now);
    return status;
}
