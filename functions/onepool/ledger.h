/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool ledger: what was written down of every movement, decision, write and confirmation (docs/ledger.md).
 *
 *   onepool ledger verify [--fetch] [--ties FILE] [--from PATH...]   is it complete and unchanged?
 *   onepool ledger sku SKU [--at TIME] [--rows N] [--names] [--from PATH...]   the history of one SKU
 *   onepool ledger export --to FOLDER [--until TIME]                 sealed files
 *   onepool ledger keep [DAYS]                                       how long entries are kept
 */
#ifndef ONEPOOL_LEDGER_COMMAND_H
#define ONEPOOL_LEDGER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"

struct command_line;

enum ledger_act { LEDGER_VERIFY, LEDGER_SKU, LEDGER_EXPORT, LEDGER_KEEP };

struct ledger_options {
    enum ledger_act act;
    bool fetch, names;
    const char *ties, *to, *sku;
    char **from;             /* files and folders, NULL-terminated; NULL = Redis */
    const char *wrong_time;  /* what could not be read as a time; NULL = all could */
    int64_t at_ms, until_ms; /* 0 = none */
    int64_t rows, days;      /* days 0 = only look */
};

/* Reads its words (NULL-terminated); false if one is not understood. */
bool ledger_words(char **words, struct command_line *line);
unsigned ledger_needs(const struct command_line *line);
int command_ledger(struct app *app, const struct command_line *line);

int ledger_verify(struct app *app, const struct command_line *line);
int ledger_sku(struct app *app, const struct command_line *line);
int ledger_export(struct app *app, const struct command_line *line);

#endif
