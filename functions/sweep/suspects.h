/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels that differed once: "location|sku" -> "first_ms tries expected shown stored". They are looked at again when
 * what is under way must have landed; only what differs in the same way then is drift.
 */
#ifndef ONEPOOL_SWEEP_SUSPECTS_H
#define ONEPOOL_SWEEP_SUSPECTS_H

#include "compare.h"

#define SUSPECT_BUSY "?" /* stands for what is stored: something was under way, so that the look proves nothing */

struct suspect {
    int64_t first_ms, tries, expected, shown;
    const char *stored;
};

/* Reads a value; stored points into text. False if it is anything else. Pure. */
bool suspect_parse(const char *text, struct suspect *out);

/* What to do with a suspect at its second look. Pure. */
enum verdict_of_suspect { SUSPECT_FINE, SUSPECT_WAITS, SUSPECT_DRIFT };
enum verdict_of_suspect suspect_judge(const struct suspect *first, bool busy, int64_t expected, int64_t shown,
                                      const char *stored);

/* How long after the first look the second one is. */
int64_t suspects_settle_ms(const struct app *app);

struct suspects {
    struct app *app;
    struct args fields; /* pairs for the hash */
};
void suspects_add(struct suspects *s, int64_t location_id, const char *sku, int64_t now_ms, int64_t expected,
                  int64_t shown, const char *stored);
/* Stores them (those that are there stay as they are) and makes their second look due. Frees. */
enum next suspects_store(struct suspects *s, struct reason *why) NODISCARD;

#endif
