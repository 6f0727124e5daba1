/* SPDX-License-Identifier: Apache-2.0 */
/* How far the reading is: one line that changes on a terminal, a line every few seconds elsewhere, JSON with --json. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "baseline.h"
#include "clock.h"
#include "json.h"
#include "text.h"
#include "ban.h"

#define TERMINAL_EVERY_MS INT64_C(200)
#define LINE_EVERY_MS     INT64_C(3000)

void progress_begin(struct progress *p, bool json, int64_t done, int64_t total) {
    *p = (struct progress){.json = json,
                           .terminal = isatty(STDERR_FILENO) == 1,
                           .done = done,
                           .done_before = done,
                           .total = total,
                           .begun_ms = clock_mono_ms()};
}

void progress_figures(const struct progress *p, int64_t now_ms, int64_t *rate, int64_t *left_ms) {
    int64_t took = now_ms - p->begun_ms, here = p->done - p->done_before;
    *rate = took > 0 && here > 0 ? here * 1000 / took : -1;
    *left_ms = -1;
    if (took > 0 && here > 0 && p->total > 0) {
        *left_ms = p->total > p->done ? (p->total - p->done) * took / here : 0;
    }
}

static void show_json(const struct progress *p, int64_t rate, int64_t left_ms) {
    cJSON *all = json_new_object(), *o = json_add_object(all, "progress");
    json_add_str(o, "what", p->what);
    json_add_int(o, "done", p->done);
    json_add_int(o, "total", p->total);
    json_add_int(o, "rows_per_s", rate);
    json_add_int(o, "left_ms", left_ms);
    char *text = json_print(all);
    (void)fprintf(stderr, "%s\n", text);
    free(text);
    cJSON_Delete(all);
}

static void show(struct progress *p, bool last) {
    int64_t rate = -1, left = -1;
    char age[TEXT_AGE_SIZE] = "?";
    p->shown_ms = clock_mono_ms();
    progress_figures(p, p->shown_ms, &rate, &left);
    if (p->json) {
        show_json(p, rate, left);
        return;
    }
    if (left >= 0) {
        text_age(left, age);
    }
    (void)fprintf(stderr, "%s%-44s %lld of %lld rows, %lld/s, %s left%s", p->terminal ? "\r" : "", p->what,
                  (long long)p->done, (long long)p->total, (long long)(rate > 0 ? rate : 0), age,
                  p->terminal ? (last ? "   \n" : "   ") : "\n");
    (void)fflush(stderr);
}

void progress_step(struct progress *p, const char *what, int64_t done) {
    (void)str_copy(p->what, sizeof p->what, what);
    p->done += done;
    p->total = p->total < p->done ? p->done : p->total;
    if (p->shown_ms == 0 || clock_mono_ms() - p->shown_ms >= (p->terminal ? TERMINAL_EVERY_MS : LINE_EVERY_MS)) {
        show(p, false);
    }
}

void progress_end(struct progress *p) {
    if (p->shown_ms != 0) {
        show(p, true);
    }
}
