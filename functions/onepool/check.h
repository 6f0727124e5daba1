/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of `onepool check`, and its parts. */
#ifndef ONEPOOL_COMMAND_CHECK_H
#define ONEPOOL_COMMAND_CHECK_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "app.h"
#include "command.h"
#include "platform.h"

enum check_result { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct report {
    struct app *app;
    cJSON *lines; /* array of {"check","result","text","todo"} */
    size_t warned, failed;
    cJSON *locations;  /* of BigCommerce, those mapped; NULL if they could not be read */
    cJSON *warehouses; /* of Sitoo, all of the site; NULL if they could not be read */
};

/* Adds a line about `check` ("locations"): what was found (a format), and what to do ("" = nothing). */
void report_add(struct report *r, enum check_result result, const char *check, const char *todo, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* True if a call that ended so is worth another try: the quota comes back by itself, and it was waited for. */
bool report_wait(struct report *r, enum next next, struct reason *why, int *tries);
/* One read of a platform, waiting for its quota if need be. False if it failed, which is then reported under check;
 * answer then holds the status alone. */
bool report_bigcommerce(struct report *r, const char *check, const char *path, struct answer *answer);
bool report_sitoo(struct report *r, const char *check, const char *path, struct answer *answer);
/* The element of list whose member key is id; NULL if there is none. */
const cJSON *report_find(const cJSON *list, const char *key, int64_t id);

/* How far our clock is from another one. limit_ms: beyond it, it is a failure. */
void check_offset(struct report *r, const char *whose, int64_t offset_ms, int64_t limit_ms);
void check_bigcommerce(struct report *r);
void check_sitoo(struct report *r);
/* Locations and warehouses side by side, from r->locations and r->warehouses. */
void check_mapping(struct report *r);
/* Are our webhooks registered, active, and with our secret? */
void check_hooks(struct report *r);
/* onepool check --hooks: what to enter in Sitoo and BigCommerce. No secret is printed. */
int check_print_hooks(struct app *app, const struct command_line *line);

#endif
