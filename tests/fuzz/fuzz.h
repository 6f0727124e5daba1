/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one file fuzz_<name>.c with LLVMFuzzerTestOneInput; it checks properties,
 * not only that nothing crashes. `make fuzz` links it with libFuzzer; `make test` with replay.c, which sends every file
 * of tests/fuzz/seeds/<name>, corpus/<name> and crashes/<name> through it once.
 *
 * A target names what it needs beside the library in its first ten lines, as a unit test does (links: and the files).
 */
#ifndef ONEPOOL_TESTS_FUZZ_H
#define ONEPOOL_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold; else the process is aborted, which libFuzzer takes for a crash. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/*
 * A process without connections, in live mode: account 1500, site 1; location 1 shows warehouses 1, 2 and 3, location 7
 * warehouse 4; pickup at location 5 from warehouse 3 by method 2; event credentials FUZZ_USER, FUZZ_PASSWORD and, from
 * before, FUZZ_PREVIOUS. Made once. Nothing is logged.
 */
struct app *fuzz_app(void);
#define FUZZ_ACCOUNT  INT64_C(1500)
#define FUZZ_SITE     INT64_C(1)
#define FUZZ_USER     "onepool"
#define FUZZ_PASSWORD "a long password"
#define FUZZ_PREVIOUS "the one before it"
#define FUZZ_SECRET   "0123456789abcdef"

/* The input as a text that ends at its first NUL; the caller frees. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Checks n arguments from args[from] on as effects (shared/lua/10_effects.lua): known verbs, whole, none left over, and
 * numbers where numbers belong. */
void fuzz_check_effects(const struct args *args, size_t from, size_t n);
/* Whether all effects of args (none left over) have one of this verb with this text at these two arguments, counted
 * from 1. */
bool fuzz_has_effect(const struct args *args, const char *verb, size_t i, const char *a, size_t k, const char *b);

#endif
