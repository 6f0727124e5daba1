/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool: the command for operators. Every subcommand takes --json.
 *
 *   onepool status                         what is going on
 *   onepool check                          can this work? each line with what to do
 *   onepool parked [--show ID | --retry ID | --ignore ID | --unignore ID | --close ID] [--cause CAUSE]
 *   onepool brake [--release]              is a write held; let it pass
 *
 * Exit status: 0 fine, 1 something is wrong or was not found, 2 wrong usage, 100 wrong settings.
 */
#ifndef ONEPOOL_COMMAND_H
#define ONEPOOL_COMMAND_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "app.h"

struct command_line {
    bool json;
    const char *option; /* "--retry" ...; NULL if none */
    const char *value;  /* what follows it; NULL if it takes none */
};

int command_status(struct app *app, const struct command_line *line);
int command_check(struct app *app, const struct command_line *line);
int command_parked(struct app *app, const struct command_line *line);
int command_brake(struct app *app, const struct command_line *line);

/* Ends a parked case (how: retry, ignore, close); *found is false if there is none. */
enum next parked_end(struct app *app, const char *id, const char *how, bool *found, struct reason *why) NODISCARD;

/* "850 ms", "12 s", "3 min", "5 h", "2 d". */
void text_age(int64_t ms, char out[24]);
/* Prints why on standard error; returns 1. */
int command_failed(const struct reason *why);
void command_print_json(const cJSON *o);

#endif
