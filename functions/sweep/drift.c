/* SPDX-License-Identifier: Apache-2.0 */
#include "drift.h"

#include "quantity.h"
#include "ban.h"

void drift_remember(const char *stock, const char *chain, struct drift_place *out) {
    int64_t read[3] = {0}, row[3] = {0};
    out->remembered = ints_parse(stock, read, 3);
    if (!out->remembered) {
        return;
    }
    out->available_then = read[0];
    out->on_hand_then = read[0] + read[1];
    if (ints_parse(chain, row, 3) && row[2] > read[2]) { /* the ledger told of it since */
        out->on_hand_then = row[1];
        out->available_then = row[1] - read[1];
    }
}

enum drift drift_of(const struct level_stored *stored, int64_t expected, const struct drift_place *places, size_t n) {
    bool moved = false, reserved = false;
    if (!stored->known || (stored->state == 'k' && stored->level != expected)) {
        return DRIFT_NEVER_WRITTEN;
    }
    if (stored->level == expected) {
        return stored->state == 'c' || stored->state == 'k' ? DRIFT_CHANGED_IN_BIGCOMMERCE : DRIFT_LOST_WRITE;
    }
    for (size_t i = 0; i < n; i++) {
        moved = moved || !places[i].remembered || places[i].on_hand != places[i].on_hand_then;
        reserved = reserved || places[i].available != places[i].available_then;
    }
    return moved ? DRIFT_MISSED_MOVEMENT : reserved ? DRIFT_MISSED_RESERVATION : DRIFT_LOST_WORK;
}

const char *drift_name(enum drift d) {
    switch (d) {
    case DRIFT_CHANGED_IN_BIGCOMMERCE:
        return "changed_in_bigcommerce";
    case DRIFT_LOST_WRITE:
        return "lost_write";
    case DRIFT_NEVER_WRITTEN:
        return "never_written";
    case DRIFT_MISSED_MOVEMENT:
        return "missed_movement";
    case DRIFT_MISSED_RESERVATION:
        return "missed_reservation";
    case DRIFT_LOST_WORK:
        return "lost_work";
    }
    return "lost_work";
}
