/* SPDX-License-Identifier: Apache-2.0 */
/* What onepool ledger verify finds; ledger_report.c shows it. */
#ifndef ONEPOOL_LEDGER_VERIFY_H
#define ONEPOOL_LEDGER_VERIFY_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "command.h"
#include "ledger_chain.h"
#include "ledger_gaps.h"
#include "ledger_source.h"
#include "ledger_ties.h"

#define LEDGER_TYPES_MAX ((size_t)64)
#define LEDGER_SHOWN_MAX 100

struct ledger_verify {
    struct app *app;
    struct ledger_chain chain;
    struct ledger_gaps gaps;
    struct ledger_ties ties;
    struct {
        char name[40];
        int64_t n;
    } types[LEDGER_TYPES_MAX];
    size_t type_count;
    int64_t unreadable;     /* rows that are no JSON with a type */
    int64_t unlinked_moves; /* movements of before the chain: no level names them */
    bool tail;              /* what came while it was read: its movements wait */
    int64_t days;           /* entries are kept; 0 = files */
    size_t files;
    char newest_file[LEDGER_NAME_SIZE], newest_sha256[LEDGER_SHA256_SIZE];
    cJSON *untied;     /* the first LEDGER_SHOWN_MAX */
    FILE *out;         /* of --ties, or NULL */
    int64_t looked_up; /* ids that Sitoo was asked for */
};

/* True: the chain is whole, nothing is missing, nothing is untied. */
bool ledger_verify_good(const struct ledger_verify *v);
cJSON *ledger_report_json(const struct ledger_verify *v);
void ledger_report_text(const cJSON *report, struct buf *out);

#endif
