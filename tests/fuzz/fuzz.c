/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "mapping.h"
#include "quantity.h"
#include "ban.h"

static const char mapping_text[] =
    "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1,2,3]},"
    "{\"bigcommerce_location_id\":7,\"sitoo_warehouse_ids\":[4]}],"
    "\"pickup\":[{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":3,\"pickup_method_ids\":[2]}],"
    "\"shipping\":{\"location_id\":1,\"allocate_from\":[1,2]},\"sitoo\":{\"page_size\":10}}";

void fuzz_fail(const char *condition, const char *file, int line) {
    (void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
    abort();
}

struct app *fuzz_app(void) {
    static char tenant[] = "default", user[] = FUZZ_USER, password[] = FUZZ_PASSWORD, previous[] = FUZZ_PREVIOUS,
                secret[] = FUZZ_SECRET;
    static struct settings set = {.tenant = tenant,
                                  .mode = MODE_LIVE,
                                  .sitoo_account_id = FUZZ_ACCOUNT,
                                  .sitoo_site_id = FUZZ_SITE,
                                  .events_user = user,
                                  .events_password = password,
                                  .events_password_previous = previous,
                                  .hook_secret = secret};
    static struct app app = {.name = "fuzz", .set = &set, .holder = "fuzz"};
    if (set.mapping == NULL) {
        struct buf mistakes;
        buf_init(&mistakes, 4096);
        set.mapping = mapping_read(mapping_text, strlen(mapping_text), &mistakes);
        FUZZ_CHECK(set.mapping != NULL);
        buf_free(&mistakes);
        log_setup("fuzz", (enum log_level)(LOG_ALARM + 1));
    }
    return &app;
}

char *fuzz_text(const uint8_t *data, size_t size) {
    return xstrndup((const char *)data, size > 0 ? strnlen((const char *)data, size) : 0);
}

static const struct {
    const char *verb;
    size_t count, number; /* arguments; which of them is a whole number or empty, 0 = none */
} verbs[] = {{"mark", 5, 3},        {"case", 9, 0},      {"case_sold", 9, 0}, {"sold", 1, 0},    {"identified", 1, 0},
             {"notice", 9, 0},      {"close", 1, 0},     {"count", 2, 2},     {"sale", 2, 0},    {"log", 2, 0},
             {"hold", 5, 5},        {"verdict", 8, 5},   {"moved_out", 5, 4}, {"release", 4, 3}, {"counted", 11, 0},
             {"hold_return", 5, 4}, {"hook_seen", 1, 0}, {"mark_in", 4, 3},   {"told", 2, 0},    {"found", 3, 0},
             {"order_read", 2, 0},  {"answered", 1, 0}};

static size_t verb_of(const char *text) {
    size_t k = 0;
    while (k < sizeof verbs / sizeof verbs[0] && strcmp(verbs[k].verb, text) != 0) {
        k++;
    }
    FUZZ_CHECK(k < sizeof verbs / sizeof verbs[0]);
    return k;
}

bool fuzz_has_effect(const struct args *args, const char *verb, size_t i, const char *a, size_t k, const char *b) {
    bool found = false;
    for (size_t at = 0; at < args->n && !found; at += verbs[verb_of(args->argv[at])].count + 1) {
        found = strcmp(args->argv[at], verb) == 0 && strcmp(args->argv[at + i], a) == 0 &&
                strcmp(args->argv[at + k], b) == 0;
    }
    return found;
}

void fuzz_check_effects(const struct args *args, size_t from, size_t n) {
    size_t i = from, end = from + n;
    FUZZ_CHECK(end <= args->n);
    while (i < end) {
        size_t k = verb_of(args->argv[i]);
        FUZZ_CHECK(i + verbs[k].count < end);
        if (verbs[k].number > 0) {
            int64_t ignored = 0;
            const char *text = args->argv[i + verbs[k].number];
            FUZZ_CHECK(text[0] == '\0' || int_parse(text, INT64_MIN, INT64_MAX, &ignored));
        }
        i += verbs[k].count + 1;
    }
}
