/* SPDX-License-Identifier: Apache-2.0 */
/* onepool replay, see replay_choice.h. */
#ifndef ONEPOOL_REPLAY_OPTIONS_H
#define ONEPOOL_REPLAY_OPTIONS_H

#include "replay_choice.h"

struct replay_options {
    struct replay_choice choice;
    const char *apply, *show, *by; /* NULL = not given */
    int64_t rows;
    const char *mistake; /* of the command line; NULL = none */
};

#endif
