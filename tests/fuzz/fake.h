/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both platforms and Redis, played inside the process: what the program asks is answered from the fuzz input, so that
 * whole reading functions are fed, not only their parsers. Link tests/fuzz/fake.c instead of the library's platform.c
 * and redis.c.
 *
 * The input is a list of answers, separated by form feeds ("\f"). Each is taken by the next call to a platform: JSON is
 * a 200, nothing at all is a 204 (BigCommerce) or a 404 (Sitoo), "404" is a 404, anything else is deferred as
 * platform.c would. When the answers are used up, platforms are down. Redis knows nothing but where the ledger stands,
 * and takes everything; what is handed to its functions is checked.
 */
#ifndef ONEPOOL_TESTS_FUZZ_FAKE_H
#define ONEPOOL_TESTS_FUZZ_FAKE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "redis.h"

/* Begins with the first answer of this input, which must stay as it is. */
void fake_begin(const uint8_t *data, size_t size);
/* How often a platform was asked, and effects were applied, since then. */
size_t fake_calls(void);
size_t fake_applied(void);
/* What the i-th call, counted from 0, was answered: the JSON (NULL if it has none; the caller frees) and the status, 0
 * if there was no answer or one that is not JSON. For checks that read the answers a second time. */
cJSON *fake_answer(size_t i, int empty_status, int *status);
/* The arguments of the last call of accept, none if there was none. */
const struct args *fake_accepted_args(void);
/* How many events were stored since then. */
size_t fake_accepted(void);

#endif
