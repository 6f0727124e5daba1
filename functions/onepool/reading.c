/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "ban.h"

#define LINE_EVERY   INT64_C(3000)
#define SCREEN_EVERY INT64_C(200)

struct reading reading_begin(bool json) {
    return (struct reading){.json = json, .terminal = !json && isatty(STDERR_FILENO) == 1};
}

void reading_show(void *arg, const char *what, int64_t done, int64_t total) {
    struct reading *p = arg;
    int64_t now = clock_mono_ms();
    if (p->shown_ms != 0 && now - p->shown_ms < (p->terminal ? SCREEN_EVERY : LINE_EVERY)) {
        return;
    }
    p->shown_ms = now;
    if (p->json) {
        (void)fprintf(stderr, "{\"progress\":{\"what\":\"%s\",\"done\":%lld,\"total\":%lld}}\n", what, (long long)done,
                      (long long)total);
        return;
    }
    (void)fprintf(stderr, "%s%s %lld", p->terminal ? "\r" : "", what, (long long)done);
    if (total > 0) {
        (void)fprintf(stderr, " of %lld", (long long)total);
    }
    (void)fprintf(stderr, "%s", p->terminal ? "      " : "\n");
    (void)fflush(stderr);
}

void reading_end(const struct reading *p) {
    if (p->terminal && p->shown_ms != 0) {
        (void)fprintf(stderr, "\n");
    }
}
