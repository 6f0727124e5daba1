/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool: the command for operators. Every subcommand takes --json: one JSON object on standard output, also for a
 * failure ({"error":{"cause":"redis_down","text":"..."}}).
 *
 *   onepool status                          what is going on, and what needs attention
 *   onepool check                           can this work? each line ok, warn or FAIL, with what to do
 *   onepool check --hooks                   what to enter in Sitoo and BigCommerce so that they call us
 *   onepool hooks                           our webhooks at BigCommerce: are they right, is our domain blocked
 *   onepool hooks --repair | --dry-run      puts them right; shows what that would do
 *   onepool parked [--cause CAUSE]          what waits for a person
 *   onepool parked --show ID | --retry ID | --ignore ID | --unignore ID | --close ID
 *   onepool brake [--release]               is a write held? lets one pass
 *   onepool returns [RETURN]                what became of the last returns, or of one
 *   onepool withheld [--sku SKU] [--aged]   returned units that are not on sale
 *   onepool withheld --release RETURN:ITEM [--quantity N]
 *   onepool returns --goods-in ORDER ...    books the goods of a refunded web order into Sitoo, see goods_in.h
 *   onepool load [--apply ID] [...]         the first load of products into Sitoo, see load.h
 *   onepool exceptions [--kind KIND] [--rows N] [--csv FILE] [--sweep]   where both catalogs do not fit
 *   onepool ledger verify | sku | export | keep   the ledger: is it whole, the history of a SKU, see ledger.h
 *   onepool windows [--since TIME] [--limit N]   the longest oversell windows, and why
 *   onepool notify [--test]                 who is told of urgent cases; sends a message to try it
 *   onepool replay ID... | --sku S | --order N | --from T --to T | --parked CAUSE   what was received, once more, see
 *                                           replay_choice.h; --show ID, --apply ID
 *   onepool shadow [--since TIME] [--csv FILE]   what a time in shadow mode says, see shadow.h
 *   onepool sweep [--now WORK]              what no event told, levels that drifted; does one work now
 *   onepool baseline [...]                  compares both shops before the first write, see baseline.h
 *
 * Exit status: 0 fine, 1 something is wrong or was not found, 2 wrong usage, 100 wrong settings.
 */
#ifndef ONEPOOL_COMMAND_H
#define ONEPOOL_COMMAND_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "app.h"
#include "baseline.h"
#include "buf.h"
#include "goods_in.h"
#include "ledger.h"
#include "load.h"
#include "replay_options.h"
#include "shadow.h"

/* What was asked for, as words of the command line. */
struct command_line {
    bool json;
    const char *cause;                /* of --cause, or NULL */
    const char *action;               /* "retry" of --retry, "release" ...; NULL = just look */
    const char *id;                   /* what follows the action; NULL if it takes nothing */
    struct baseline_options baseline; /* of onepool baseline only */
    struct goods_in goods_in;         /* of onepool returns only */
    int64_t returned;                 /* the return asked for; 0 = the last ones */
    struct {
        bool repair, dry_run;
    } hooks; /* of onepool hooks only */
    struct {
        bool aged;
        const char *sku;     /* NULL = all */
        int64_t thousandths; /* to be released; 0 = all */
    } withheld;              /* of onepool withheld only */
    struct {
        bool sweep;
        const char *kind, *csv; /* NULL = all; none */
        int64_t rows;           /* of the table */
    } exceptions;               /* of onepool exceptions only */
    struct {
        int64_t since_ms, limit;  /* 0 = a day ago; 20 */
    } windows;                    /* of onepool windows only */
    struct load_options load;     /* of onepool load only */
    struct ledger_options ledger; /* of onepool ledger only */
    struct replay_options replay; /* of onepool replay only */
    struct shadow_options shadow; /* of onepool shadow only */
};

/* Prints how the command is used; returns status. */
int command_usage(FILE *out, int status);

/* Each returns the exit status. */
int command_status(struct app *app, const struct command_line *line);
int command_check(struct app *app, const struct command_line *line);
int command_hooks(struct app *app, const struct command_line *line);
/* Reads its words (NULL-terminated); false if one is not understood. */
bool hooks_words(char **words, struct command_line *line);
int command_parked(struct app *app, const struct command_line *line);
int command_brake(struct app *app, const struct command_line *line);
int command_baseline(struct app *app, const struct command_line *line);
int command_returns(struct app *app, const struct command_line *line);
int command_returned(struct app *app, const struct command_line *line, int64_t id);
int command_withheld(struct app *app, const struct command_line *line);
bool withheld_words(char **words, struct command_line *line);
int command_notify(struct app *app, const struct command_line *line);
int command_windows(struct app *app, const struct command_line *line);
bool windows_words(char **words, struct command_line *line);
int command_load(struct app *app, const struct command_line *line);
/* Reads its words (NULL-terminated); false if one is not understood. */
bool load_words(char **words, struct command_line *line);
int command_shadow(struct app *app, const struct command_line *line);
bool shadow_words(char **words, struct command_line *line);
int command_replay(struct app *app, const struct command_line *line);
int replay_apply(struct app *app, const struct command_line *line);
bool replay_words(char **words, struct command_line *line);
int command_exceptions(struct app *app, const struct command_line *line);
bool exceptions_words(char **words, struct command_line *line);
unsigned exceptions_needs(const struct command_line *line);
unsigned returns_needs(const struct command_line *line);
/* Reads its words (NULL-terminated); false if one is not understood. */
bool returns_words(char **words, struct command_line *line);
/* Reads its words (NULL-terminated); false if one is not understood. */
bool baseline_words(char **words, struct command_line *line);
/* What it needs of the settings: no mapping for a proposal. */
unsigned baseline_needs(const struct command_line *line);

int command_sweep(struct app *app, const struct command_line *line);
/* Reads its words (NULL-terminated); false if one is not understood. */
bool sweep_words(char **words, struct command_line *line);

/* Prints why: on standard error, or as JSON. Returns 1. */
int command_failed(const struct command_line *line, const struct reason *why);
void command_print_json(const cJSON *o);
/* Prints what was gathered and releases it. */
void command_print(struct buf *text);

/* The parked cases of a cause (NULL: all), oldest first, at most 1,000, without their bytes; appended to the array. */
enum next parked_collect(struct app *app, const char *cause, cJSON *cases, struct reason *why) NODISCARD;
/* Ends a parked case (how: retry, ignore, close); *found is false if there is none. */
enum next parked_end(struct app *app, const char *id, const char *how, bool *found, struct reason *why) NODISCARD;

#endif
