/* SPDX-License-Identifier: Apache-2.0 */
/* The command for operators; see command.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "json.h"
#include "log.h"
#include "ban.h"

#define VERSION "0.1.0"

struct subcommand {
    const char *name;
    unsigned needs;
    int (*run)(struct app *app, const struct command_line *line);
    const char *options[6]; /* those with a value end in '=' */
};

static const struct subcommand subcommands[] = {
    {"status", NEED_REDIS, command_status, {NULL}},
    {"check",
     NEED_REDIS | NEED_EVENTS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET,
     command_check,
     {NULL}},
    {"parked", NEED_REDIS, command_parked, {"--show=", "--retry=", "--ignore=", "--unignore=", "--close=", "--cause="}},
    {"brake", NEED_REDIS, command_brake, {"--release", NULL}},
};

static int usage(FILE *out, int status) {
    (void)fprintf(out, "usage: onepool status|check [--json]\n"
                       "       onepool parked [--json] [--cause CAUSE | --show ID | --retry ID | --ignore ID | "
                       "--unignore ID | --close ID]\n"
                       "       onepool brake [--json] [--release]\n"
                       "Settings come from the environment; deploy/env.example lists them.\n");
    return status;
}

int command_failed(const struct reason *why) {
    (void)fprintf(stderr, "onepool: %s\n", why->text);
    return 1;
}

void command_print_json(const cJSON *o) {
    char *text = json_print(o);
    (void)printf("%s\n", text);
    free(text);
}

void text_age(int64_t ms, char out[24]) {
    if (ms < 1000) {
        (void)snprintf(out, 24, "%lld ms", (long long)ms);
    } else if (ms < 120 * 1000) {
        (void)snprintf(out, 24, "%lld s", (long long)(ms / 1000));
    } else if (ms < 120 * 60 * 1000) {
        (void)snprintf(out, 24, "%lld min", (long long)(ms / 60000));
    } else if (ms < INT64_C(48) * 3600 * 1000) {
        (void)snprintf(out, 24, "%lld h", (long long)(ms / 3600000));
    } else {
        (void)snprintf(out, 24, "%lld d", (long long)(ms / 86400000));
    }
}

static bool takes(const struct subcommand *s, const char *word, bool *value) {
    size_t len = strlen(word);
    for (size_t i = 0; i < 6 && s->options[i] != NULL; i++) {
        const char *o = s->options[i];
        if (strncmp(o, word, len) == 0 && (o[len] == '\0' || (o[len] == '=' && o[len + 1] == '\0'))) {
            *value = o[len] == '=';
            return true;
        }
    }
    return false;
}

/* False if a word is not understood. */
static bool read_line(const struct subcommand *s, int argc, char **argv, struct command_line *line) {
    for (int i = 2; i < argc; i++) {
        bool value = false;
        if (strcmp(argv[i], "--json") == 0) {
            line->json = true;
        } else if (line->option == NULL && takes(s, argv[i], &value) && (!value || i + 1 < argc)) {
            line->option = argv[i];
            line->value = value ? argv[++i] : NULL;
        } else {
            return false;
        }
    }
    return true;
}

static int run(const struct subcommand *s, const struct command_line *line) {
    struct buf mistakes;
    struct app app;
    struct reason why = {0};
    buf_init(&mistakes, (size_t)64 * 1024);
    struct settings *set = settings_read(s->needs, "onepool", NULL, &mistakes);
    if (set == NULL) {
        (void)fprintf(stderr, "onepool cannot start; these settings need mending:\n%s", buf_str(&mistakes));
        buf_free(&mistakes);
        return SETTINGS_EXIT;
    }
    buf_free(&mistakes);
    log_setup("onepool", LOG_ERROR);
    stop_setup();
    int status = app_open(&app, "onepool", set, false, &why) == NEXT_DONE ? s->run(&app, line) : command_failed(&why);
    app_close(&app);
    settings_free(set);
    return status;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("onepool " VERSION "\n");
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    for (size_t i = 0; argc >= 2 && i < sizeof subcommands / sizeof subcommands[0]; i++) {
        struct command_line line = {0};
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return read_line(&subcommands[i], argc, argv, &line) ? run(&subcommands[i], &line) : usage(stderr, 2);
        }
    }
    return usage(stderr, 2);
}
