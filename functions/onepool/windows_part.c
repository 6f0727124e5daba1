/* SPDX-License-Identifier: Apache-2.0 */
#include "windows_part.h"

#include <stdio.h>
#include <string.h>

#include "text.h"
#include "ban.h"

static int64_t between(int64_t from, int64_t to) {
    return from > 0 && to > from ? to - from : 0;
}

/* Replaces *best if this part took longer; fmt has one %s, the time. */
static void offer(struct window_part *best, const char *name, int64_t ms, const char *before, const char *after) {
    char age[TEXT_AGE_SIZE];
    if (ms > best->ms) {
        text_age(ms, age);
        best->name = name;
        best->ms = ms;
        (void)snprintf(best->words, sizeof best->words, "%.90s %s%.30s", before, age, after);
    }
}

/* Why the writer did not begin, or not send, at once. */
static void offer_waiting(const struct window *w, int64_t from, struct window_part *best) {
    static const struct {
        const char *cause, *before;
    } known[] = {{"quota", "waited for BigCommerce's quota"},
                 {"platform_down", "a platform did not answer for"},
                 {"brake", "the brake held the write for"},
                 {"credentials", "a platform refused our credentials for"},
                 {"incomplete_read", "could not be read completely for"}};
    int64_t whole = between(from, w->sent_ms), queue = between(from, w->taken_ms),
            round = between(w->taken_ms, w->sent_ms);
    char before[100];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(w->cause, known[i].cause) == 0) {
            offer(best, "waiting", whole, known[i].before, "");
            return;
        }
    }
    if (strcmp(w->cause, "-") != 0) {
        (void)snprintf(before, sizeof before, "was put off (%.40s) for", w->cause);
        offer(best, "waiting", whole, before, "");
    } else if (w->waited > 0) {
        offer(best, "waiting", whole, known[0].before, "");
    } else {
        offer(best, "waiting", queue, "waited for the writer's round", "");
        offer(best, "round", round, "the writer read both shops for", "");
    }
}

void window_longest(const struct window *w, struct window_part *out) {
    *out = (struct window_part){.name = "till", .words = "nothing took long"};
    if (w->event_ms > 0) {
        offer(out, "till", between(w->till_ms, w->event_ms), w->offline ? "the till was offline" : "Sitoo told of it",
              w->offline ? "" : " after the sale");
    } else if (w->offline) {
        offer(out, "till", between(w->till_ms, w->sent_ms), "the till was offline, or nobody told of it, for", "");
    }
    if (w->event_ms > 0 || !w->offline) {
        offer_waiting(w, w->event_ms > 0 ? w->event_ms : w->till_ms, out);
    }
    if (w->accepted_ms > 0) {
        offer(out, "answer", between(w->sent_ms, w->accepted_ms), "BigCommerce answered after", "");
        offer(out, "shown", between(w->accepted_ms, w->confirmed_ms), "BigCommerce showed it",
              " after it had accepted it");
    } else {
        offer(out, "answer", between(w->sent_ms, w->confirmed_ms), "the write had no answer; seen after", "");
    }
}
