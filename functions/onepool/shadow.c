/* SPDX-License-Identifier: Apache-2.0 */
/* onepool shadow: see shadow.h. */
#include "shadow.h"

#include <string.h>

#include "baseline.h"
#include "clock.h"
#include "command.h"
#include "quantity.h"
#include "ban.h"

#define ROWS          20
#define ROWS_MAX      1000000
#define SETTLED_MIN   60
#define SETTLED_MAX   (INT64_C(90) * 24 * 60)
#define TEXT_MAX      ((size_t)64 * 1024 * 1024)
#define CSV_MAX       ((size_t)256 * 1024 * 1024)
#define MS_PER_MINUTE 60000

static bool read_since(const char *text, struct shadow_options *o) {
    if (!clock_parse_iso(text, &o->since_ms) || o->since_ms <= 0 || o->since_ms > clock_wall_ms()) {
        o->mistake = "--since wants a time that has been, as 2026-11-23T10:00:00Z, or with an offset: "
                     "2026-11-23T10:00:00+01:00";
        return false;
    }
    return true;
}

bool shadow_words(char **words, struct command_line *line) {
    struct shadow_options *o = &line->shadow;
    int64_t settled = SETTLED_MIN;
    o->rows = ROWS;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
            continue;
        }
        const char *name = *words, *value = words[1];
        if (value == NULL) {
            return false;
        }
        words++;
        if (strcmp(name, "--since") == 0) {
            if (!read_since(value, o)) {
                return true;
            }
        } else if (strcmp(name, "--csv") == 0) {
            o->csv = value;
        } else if (strcmp(name, "--settled") == 0
                       ? !int_parse(value, 0, SETTLED_MAX, &settled)
                       : strcmp(name, "--rows") != 0 || !int_parse(value, 0, ROWS_MAX, &o->rows)) {
            return false;
        }
    }
    o->settled_ms = settled * MS_PER_MINUTE;
    return true;
}

static bool write_csv(const struct shadow_report *r, const char *path) {
    struct buf text;
    buf_init(&text, CSV_MAX);
    shadow_csv(r, &text);
    bool good = baseline_write_file(path, &text);
    buf_free(&text);
    return good;
}

static void print(const struct command_line *line, const struct shadow_report *r) {
    struct buf text;
    if (line->json) {
        cJSON *o = shadow_json(r, line->shadow.rows);
        command_print_json(o);
        cJSON_Delete(o);
        return;
    }
    buf_init(&text, TEXT_MAX);
    shadow_text(r, line->shadow.rows, &text);
    command_print(&text);
}

int command_shadow(struct app *app, const struct command_line *line) {
    struct shadow_report r;
    struct reason why = {0};
    struct reading progress = reading_begin(line->json);
    if (line->shadow.mistake != NULL) {
        (void)reason_set(&why, NEXT_PARK, "usage", "%s", line->shadow.mistake);
        (void)command_failed(line, &why);
        return 2;
    }
    enum next next = shadow_report_read(app, &line->shadow, &progress, &r, &why);
    reading_end(&progress);
    int status = next == NEXT_DONE ? 0 : command_failed(line, &why);
    if (status == 0 && line->shadow.csv != NULL && !write_csv(&r, line->shadow.csv)) {
        status = 1;
    }
    if (status == 0) {
        print(line, &r);
    }
    shadow_report_free(&r);
    return status;
}
