/* SPDX-License-Identifier: Apache-2.0 */
#include "function.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "json.h"
#include "ops.h"
#include "supervise.h"
#include "ban.h"

#define PAYLOAD_MAX ((size_t)1024 * 1024)

void function_print_step(const char *step, const char *json) {
    (void)printf("{\"step\":\"%s\",\"%s\":%s}\n", step, step, json);
    (void)fflush(stdout);
}

static int report_mistakes(const struct buf *mistakes) {
    (void)fprintf(stderr, "onepool cannot start; these settings need mending:\n%s", buf_str(mistakes));
    return SETTINGS_EXIT;
}

static char *read_payload(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return NULL;
    }
    char *text = xmalloc(PAYLOAD_MAX + 1);
    *len = fread(text, 1, PAYLOAD_MAX, f);
    text[*len] = '\0';
    bool whole = feof(f) != 0 || *len < PAYLOAD_MAX;
    (void)fclose(f);
    if (!whole) {
        (void)fprintf(stderr, "%s: longer than 1 MiB\n", path);
        free(text);
        return NULL;
    }
    return text;
}

static int invoke(const struct function *fn, const struct settings *set, const char *path, bool dry_run) {
    struct app app = {.name = fn->name, .set = set};
    struct reason why = {0};
    size_t len = 0;
    char *payload = read_payload(path, &len);
    if (payload == NULL) {
        return 2;
    }
    int status = 1;
    if (!dry_run && app_open(&app, fn->name, set, false, &why) != NEXT_DONE) {
        (void)fprintf(stderr, "%s\n", why.text);
    } else {
        app.trace = function_print_step;
        app.budget = fn->budget;
        status = fn->invoke(&app, payload, len, dry_run);
    }
    app_close(&app);
    free(payload);
    return status;
}

/* A dry run needs nothing: settings that are missing get the values of the simulated shop. */
static const char *dry_getenv(const char *name) {
    static const char *const presets[][2] = {{"SITOO_ACCOUNT_ID", "1500"},
                                             {"SITOO_SITE_ID", "1"},
                                             {"SITOO_EVENTS_USER", "dry-run"},
                                             {"SITOO_EVENTS_PASSWORD", "dry-run-dry-run"}};
    const char *value = getenv(name);
    for (size_t i = 0; value == NULL && i < sizeof presets / sizeof presets[0]; i++) {
        value = strcmp(name, presets[i][0]) == 0 ? presets[i][1] : NULL;
    }
    return value;
}

static int usage(const char *name) {
    (void)fprintf(stderr,
                  "usage: %s                            serve\n       %s --invoke FILE [--dry-run]  run once on a "
                  "recorded payload\n",
                  name, name);
    return 2;
}

int function_main(int argc, char **argv, const struct function *fn) {
    struct buf mistakes;
    bool dry_run = argc == 4 && strcmp(argv[3], "--dry-run") == 0;
    bool once = (argc == 3 || dry_run) && strcmp(argv[1], "--invoke") == 0;
    if (argc != 1 && !once) {
        return usage(fn->name);
    }
    buf_init(&mistakes, (size_t)64 * 1024);
    struct settings *set = settings_read(dry_run ? (fn->needs & NEED_EVENTS) : fn->needs, fn->name,
                                         dry_run ? dry_getenv : NULL, &mistakes);
    if (set == NULL) {
        int status = report_mistakes(&mistakes);
        buf_free(&mistakes);
        return status;
    }
    buf_free(&mistakes);
    log_setup(fn->name, once ? LOG_WARN : set->log);
    int status = once ? invoke(fn, set, argv[2], dry_run) : supervise(fn, set);
    settings_free(set);
    return status;
}
