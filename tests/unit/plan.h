/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the business rules share: payload files, and effects as readable lines. */
#ifndef ONEPOOL_TESTS_PLAN_H
#define ONEPOOL_TESTS_PLAN_H

#include <cjson/cJSON.h>

#include "order.h"
#include "redis.h"

/* The bytes of tests/payloads/<name>, NUL-terminated; the test fails if it cannot be read. The caller frees. */
char *plan_payload(const char *name);
/* The same, read as JSON; the caller frees with cJSON_Delete. */
cJSON *plan_json(const char *name);
/* JSON text of a test row; the test fails if it is not JSON. */
cJSON *plan_parse(const char *text);
/* The same as a Sitoo order, read with the prefix "BC-"; the test fails if it is refused. */
struct order *plan_order_file(const char *name);
struct order *plan_order_text(const char *text);

/*
 * Effects as the queue module appends them, one a line: the verb, then every argument in brackets.
 *
 *   mark [sku] [121292-4] [1463041119000] [w1] []
 *
 * An unknown verb or a missing argument shows as "?". The caller frees.
 */
char *plan_text(const struct args *effects);
/* The n arguments from the one at position `from`, as a view that must not be freed. */
struct args plan_slice(const struct args *a, size_t from, size_t n);

/* Fails with the row's name and both texts unless they are equal. */
void plan_same(const char *row, const char *got, const char *want);

#endif
