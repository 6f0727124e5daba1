/* SPDX-License-Identifier: Apache-2.0 */
/* The command for operators; see command.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "json.h"
#include "log.h"
#include "release.h"
#include "schema.h"
#include "ban.h"

#define OPTIONS_MAX  5
#define MISTAKES_MAX ((size_t)64 * 1024)

#define NEEDS_ALL (NEED_REDIS | NEED_EVENTS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET)

static const struct subcommand {
    const char *name;
    int (*run)(struct app *app, const struct command_line *line);
    const char *plain;                    /* its action that stands alone, or NULL */
    const char *with_id[OPTIONS_MAX + 1]; /* its actions that an ID follows */
    unsigned needs;
    bool by_cause; /* takes --cause CAUSE */
    /* Instead of the above, for a command with options of its own. */
    bool (*read)(char **words, struct command_line *line);
    unsigned (*needs_of)(const struct command_line *line);
} subcommands[] = {
    {.name = "status", .run = command_status, .needs = NEED_REDIS | LIKES_MAPPING},
    {.name = "check", .run = command_check, .plain = "hooks", .needs = NEEDS_ALL},
    {.name = "hooks",
     .run = command_hooks,
     .read = hooks_words,
     .needs = NEED_REDIS | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET},
    {.name = "parked",
     .run = command_parked,
     .with_id = {"show", "retry", "ignore", "unignore", "close", NULL},
     .needs = NEED_REDIS,
     .by_cause = true},
    {.name = "baseline", .run = command_baseline, .read = baseline_words, .needs_of = baseline_needs},
    {.name = "returns", .run = command_returns, .read = returns_words, .needs_of = returns_needs},
    {.name = "withheld", .run = command_withheld, .read = withheld_words, .needs = NEED_REDIS | NEED_MAPPING},
    {.name = "load",
     .run = command_load,
     .read = load_words,
     .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING},
    {.name = "exceptions", .run = command_exceptions, .read = exceptions_words, .needs_of = exceptions_needs},
    {.name = "ledger", .run = command_ledger, .read = ledger_words, .needs_of = ledger_needs},
    {.name = "windows", .run = command_windows, .read = windows_words, .needs = NEED_REDIS | LIKES_MAPPING},
    {.name = "notify", .run = command_notify, .plain = "test", .needs = NEED_REDIS | NEED_NOTIFY | LIKES_MAPPING},
    {.name = "replay", .run = command_replay, .read = replay_words, .needs = NEED_REDIS | NEED_SITOO | NEED_MAPPING},
    {.name = "shadow", .run = command_shadow, .read = shadow_words, .needs = NEED_REDIS | NEED_MAPPING},
    {.name = "sweep", .run = command_sweep, .read = sweep_words, .needs = NEED_REDIS | LIKES_MAPPING},
    {.name = "brake", .run = command_brake, .plain = "release", .needs = NEED_REDIS},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof subcommands[0])

/* ---- printing ---- */

void command_print_json(const cJSON *o) {
    char *text = json_print(o);
    (void)printf("%s\n", text);
    free(text);
}

void command_print(struct buf *text) {
    (void)fwrite(buf_str(text), 1, text->len, stdout);
    buf_free(text);
}

static cJSON *error_json(const char *cause, const char *text) {
    cJSON *o = json_new_object(), *error = json_add_object(o, "error");
    json_add_str(error, "cause", cause);
    json_add_str(error, "text", text);
    return o;
}

int command_failed(const struct command_line *line, const struct reason *why) {
    if (line->json) {
        cJSON *o = error_json(why->cause, why->text);
        command_print_json(o);
        cJSON_Delete(o);
    } else {
        (void)fprintf(stderr, "onepool: %s\n", why->text);
    }
    return 1;
}

static int wrong_settings(const struct command_line *line, const char *mistakes) {
    if (!line->json) {
        (void)fprintf(stderr, "onepool cannot start; these settings need mending:\n%s", mistakes);
        return SETTINGS_EXIT;
    }
    cJSON *o = error_json("settings", "settings need mending"), *list = json_add_array(o, "mistakes");
    while (*mistakes != '\0') {
        size_t len = strcspn(mistakes, "\n");
        char *one = xstrndup(mistakes, len);
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(one));
        free(one);
        mistakes += mistakes[len] == '\n' ? len + 1 : len;
    }
    command_print_json(o);
    cJSON_Delete(o);
    return SETTINGS_EXIT;
}

/* ---- the command line ---- */

/* The action that `word` ("--retry") names, or NULL; *id says whether an ID follows. */
static const char *action_of(const struct subcommand *s, const char *word, bool *id) {
    if (strncmp(word, "--", 2) != 0) {
        return NULL;
    }
    *id = false;
    if (s->plain != NULL && strcmp(word + 2, s->plain) == 0) {
        return s->plain;
    }
    *id = true;
    for (size_t i = 0; s->with_id[i] != NULL; i++) {
        if (strcmp(word + 2, s->with_id[i]) == 0) {
            return s->with_id[i];
        }
    }
    return NULL;
}

/* Reads the words after the subcommand, NULL-terminated; false if one is not understood, or if there are two actions.
 */
static bool read_line(const struct subcommand *s, char **words, struct command_line *line) {
    for (; *words != NULL; words++) {
        bool id = false;
        const char *action = action_of(s, *words, &id);
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (s->by_cause && line->cause == NULL && strcmp(*words, "--cause") == 0 && words[1] != NULL) {
            line->cause = *++words;
        } else if (action != NULL && line->action == NULL && (!id || words[1] != NULL)) {
            line->action = action;
            line->id = id ? *++words : NULL;
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
    buf_init(&mistakes, MISTAKES_MAX);
    unsigned needs = s->needs_of != NULL ? s->needs_of(line) : s->needs;
    struct settings *set = settings_read(needs, "onepool", NULL, &mistakes);
    if (set == NULL) {
        int status = wrong_settings(line, buf_str(&mistakes));
        buf_free(&mistakes);
        return status;
    }
    buf_free(&mistakes);
    log_setup("onepool", LOG_ERROR);
    stop_setup();
    enum next next = app_open(&app, "onepool", set, false, &why);
    if (next == NEXT_DONE && (needs & NEED_REDIS) != 0) {
        next = schema_check(&app, &why);
        next = next == NEXT_STOP ? next : NEXT_DONE; /* without Redis the command says itself what it cannot do */
    }
    int status = next == NEXT_DONE ? s->run(&app, line) : command_failed(line, &why);
    app_close(&app);
    settings_free(set);
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? status : 1;
}

int main(int argc, char **argv) {
    const char *name = argc >= 2 ? argv[1] : "", *first = argc >= 3 ? argv[2] : "";
    if (strcmp(name, "--version") == 0) {
        (void)printf("onepool " RELEASE "\n");
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(first, "--help") == 0) {
        return command_usage(stdout, 0);
    }
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        struct command_line line = {0};
        if (strcmp(name, subcommands[i].name) == 0) {
            return (subcommands[i].read != NULL ? subcommands[i].read(argv + 2, &line)
                                                : read_line(&subcommands[i], argv + 2, &line))
                       ? run(&subcommands[i], &line)
                       : command_usage(stderr, 2);
        }
    }
    return command_usage(stderr, 2);
}
