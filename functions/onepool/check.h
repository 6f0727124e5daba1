/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of `onepool check`, and its parts. */
#ifndef ONEPOOL_COMMAND_CHECK_H
#define ONEPOOL_COMMAND_CHECK_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "app.h"
#include "platform.h"

enum check_result { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct report {
    struct app *app;
    cJSON *lines; /* array of {"check","result","text","todo"} */
    size_t warned, failed;
};

/* Adds a line about `check` ("locations"): what was found (a format), and what to do ("" = nothing). */
void report_add(struct report *r, enum check_result result, const char *check, const char *todo, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* One read of a platform, waiting for its quota if need be. False if it failed, which is then reported under check. */
bool report_bigcommerce(struct report *r, const char *check, const char *path, struct answer *answer);
bool report_sitoo(struct report *r, const char *check, const char *path, struct answer *answer);
/* The element of list whose member key is id; NULL if there is none. */
const cJSON *report_find(const cJSON *list, const char *key, int64_t id);

void check_bigcommerce(struct report *r);
void check_sitoo(struct report *r);

#endif
