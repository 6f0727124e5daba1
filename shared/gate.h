/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one gate that every write to a platform passes, in this order:
 *
 *   mode (shadow: recorded, not sent) -> brake -> intent (write-ahead, fenced by a lease) -> budget and call
 *
 * The caller then records the outcome and closes the intent. A crash in between leaves the intent open: whoever
 * takes the lease next treats its write as one whose answer was lost.
 */
#ifndef ONEPOOL_GATE_H
#define ONEPOOL_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "platform.h"

#define GATE_INTENT_SIZE 64
#define GATE_NOTE_SIZE   512

enum gate_platform { GATE_BIGCOMMERCE, GATE_SITOO };

struct gate_write {
    enum gate_platform platform;
    const char *kind;   /* "levels" */
    const char *method; /* of the platform's call */
    const char *path;   /* as bigcommerce_write and sitoo_write take it */
    const char *body;
    const char *id;     /* of the intent; NULL = a new one. Named ones can be found again: "refund:R11555-100301" */
    const char *intent; /* JSON: ids and digest of what is written, no customer data */
    const char *lease;  /* name of the lease that fences it, or "" */
    const char *lease_token;
    int64_t zeroed;      /* SKUs that this write takes from above 0 to 0 */
    int64_t units_moved; /* sum of the differences, whole units */
};

struct gate_outcome {
    bool shadowed;                    /* not sent: shadow mode */
    bool released;                    /* a person's release let it pass the brake */
    char intent_id[GATE_INTENT_SIZE]; /* "" if none was opened */
    char note[GATE_NOTE_SIZE];        /* what gate_close writes to the ledger; "" = nothing */
    struct answer answer;             /* status and text of a refusal; free with answer_free */
};

/*
 * NEXT_DONE: applied (or shadowed). NEXT_PARK: refused by the platform (why->cause "refused") or held by the brake
 * (cause "brake", nothing was sent). NEXT_DEFER: try later; why->ambiguous: it may have been applied. NEXT_STOP: the
 * lease was lost.
 */
enum next gate_send(struct app *app, const struct gate_write *w, struct gate_outcome *out,
                    struct reason *why) NODISCARD;

/* Closes the intent after its outcome was recorded, and writes the call to the ledger in the same step (levels that
 * were taken have rows of their own). A failure is harmless: the intent is reconciled later. */
void gate_close(struct app *app, const struct gate_outcome *out);

/* First 16 hex digits of the SHA-256 of text. */
void gate_digest(const char *text, char out[17]);

#endif
