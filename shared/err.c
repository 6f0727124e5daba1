/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "ban.h"

enum next reason_set(struct reason *why, enum next what, const char *cause, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    (void)snprintf(why->cause, sizeof why->cause, "%s", cause);
    (void)vsnprintf(why->text, sizeof why->text, fmt, args);
    va_end(args);
    /* Texts of platforms are cut here or by a %.200s at the end of fmt; a parked case must stay readable as JSON. */
    why->text[str_whole(why->text, strlen(why->text))] = '\0';
    return what;
}

const char *next_name(enum next what) {
    switch (what) {
    case NEXT_DONE:
        return "done";
    case NEXT_DEFER:
        return "defer";
    case NEXT_PARK:
        return "park";
    case NEXT_STOP:
        return "stop";
    case NEXT_BUG:
        return "bug";
    }
    return "bug";
}
