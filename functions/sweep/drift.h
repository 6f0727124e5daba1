/* SPDX-License-Identifier: Apache-2.0 */
/* Why a level is not as it should be. Pure. */
#ifndef ONEPOOL_SWEEP_DRIFT_H
#define ONEPOOL_SWEEP_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "level.h"

enum drift {
    DRIFT_CHANGED_IN_BIGCOMMERCE, /* it was written and seen as it should be; BigCommerce shows another number now */
    DRIFT_LOST_WRITE,             /* it was written as it should be, was never seen, and nobody is looking for it */
    DRIFT_NEVER_WRITTEN,          /* nothing was ever written there */
    DRIFT_MISSED_MOVEMENT,        /* Sitoo's stock on hand is another one than the last that was read or computed */
    DRIFT_MISSED_RESERVATION,     /* the same of what is reserved there */
    DRIFT_LOST_WORK               /* all that it follows from was known, and it was not computed */
};

/* Sitoo's stock in one warehouse: as it was last known, and now. Thousandths. */
struct drift_place {
    bool remembered;
    int64_t on_hand_then, available_then;
    int64_t on_hand, available;
};

/* How the stock was last known, from KEY_STOCK ("available reserved read_ms") and KEY_CHAIN ("id total seen_ms"). */
void drift_remember(const char *stock, const char *chain, struct drift_place *out);

enum drift drift_of(const struct level_stored *stored, int64_t expected, const struct drift_place *places, size_t n);
/* "changed_in_bigcommerce" ... */
const char *drift_name(enum drift d);

#endif
