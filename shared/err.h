/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens next: the one error enum of the program.
 *
 * A function that can fail returns an enum next, whose value says what becomes of the event or entity
 * in hand, and fills a struct reason where it first knows why. The reason is passed up untouched; one
 * place (the worker loop or the acceptor) logs it.
 */
#ifndef ONEPOOL_ERR_H
#define ONEPOOL_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODISCARD              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum next {
    NEXT_DONE = 0, /* it worked; go on */
    NEXT_DEFER,    /* fails for now: try the same entity again later */
    NEXT_PARK,     /* fails for good: a person must look at it */
    NEXT_STOP,     /* this process was told to stop, or cannot go on at all */
    NEXT_BUG       /* our own mistake: park, and say so loudly */
};

/* The longest text that a reason carries; longer texts are cut. */
#define REASON_TEXT_MAX 480

struct reason {
    char cause[40];             /* cause class, lower_case, e.g. "sitoo_down", "unknown_sku" */
    char text[REASON_TEXT_MAX]; /* one sentence for a person: what, which SKU or order, what to do */
    int64_t wait_ms;            /* the platform's own wait; 0 = none named; a floor for the retry */
    bool ambiguous;             /* a write may or may not have been applied */
    bool not_its_fault;         /* outage, quota or stop: must not cost the entity an attempt */
};

/* Fills why and returns what, so that a failing function can end with `return reason_set(...)`. */
enum next reason_set(struct reason *why, enum next what, const char *cause, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The word for logs: "done", "defer", "park", "stop", "bug". Never NULL. */
const char *next_name(enum next what);

#endif
