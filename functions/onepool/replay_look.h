/* SPDX-License-Identifier: Apache-2.0 */
/* What a look of onepool replay gathers, and how it is shown. */
#ifndef ONEPOOL_REPLAY_LOOK_H
#define ONEPOOL_REPLAY_LOOK_H

#include <openssl/evp.h>

#include "buf.h"
#include "reading.h"
#include "replay_choice.h"

struct replay_row {
    char *id, *source, *event, *due, *problem;
    int64_t at_ms, bytes;
};

struct replay_look {
    EVP_MD_CTX *digest;
    int64_t rows_max;
    struct replay_row *rows;
    size_t n;                          /* rows */
    int64_t events, cases;             /* chosen */
    int64_t not_understood, causeless; /* of these: with a problem; understood, but nothing becomes due */
    struct args due;                   /* "queue entity" of each mark */
    int64_t begins_ms, from_ms, to_ms; /* of the journal and the span */
    bool only_cases;
};

void replay_look_begin(struct replay_look *l, int64_t rows_max);
/* A visit, see replay_choice.h; NEXT_PARK if more is chosen than REPLAY_EVENTS_MAX. */
enum next replay_look_visit(void *arg, const struct replay_event *e, struct reason *why);
/* 16 hex digits: the same events that make the same due have the same id. Ends the digest. */
void replay_look_id(struct replay_look *l, char id[17]);
void replay_look_free(struct replay_look *l);

/* Goes through the choice and gathers what is in it; l needs no beginning, but is to be freed whatever comes of it. */
enum next replay_gather(struct app *app, const struct replay_choice *c, int64_t rows, struct reading *progress,
                        struct replay_look *l, char id[17], struct reason *why) NODISCARD;

/* "order 11513, ledger main". */
void replay_due_text(const struct args *marks, struct buf *out);
void replay_look_text(struct replay_look *l, const char *id, bool begun, struct buf *out);
cJSON *replay_look_json(struct replay_look *l, const char *id, bool begun);

#endif
