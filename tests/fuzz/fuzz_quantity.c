/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities, whole numbers and dates: what is read is within its limits and reads back after it was written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "clock.h"
#include "quantity.h"
#include "ban.h"

static void check_quantity(const char *text) {
    int64_t n = 0, again = 0;
    char out[QUANTITY_TEXT_SIZE];
    if (!quantity_parse(text, &n)) {
        return;
    }
    FUZZ_CHECK(n >= -QUANTITY_MAX && n <= QUANTITY_MAX);
    FUZZ_CHECK(text[strspn(text, "+-.0123456789")] == '\0');
    FUZZ_CHECK(fabs(strtod(text, NULL) * (double)QUANTITY_ONE - (double)n) < 0.5);
    quantity_format(n, out);
    FUZZ_CHECK(quantity_parse(out, &again) && again == n);
    int64_t units = quantity_whole_units(n);
    FUZZ_CHECK(units >= 0 && units * QUANTITY_ONE <= (n > 0 ? n : 0) &&
               (n <= 0 || n - units * QUANTITY_ONE < QUANTITY_ONE));
}

static void check_int(const char *text) {
    int64_t n = 0, narrow = 0;
    if (int_parse(text, INT64_MIN, INT64_MAX, &n)) {
        FUZZ_CHECK(text[strspn(text, "-0123456789")] == '\0');
        FUZZ_CHECK(int_parse(text, 0, 1000, &narrow) == (n >= 0 && n <= 1000));
    } else {
        FUZZ_CHECK(!int_parse(text, 0, 1000, &narrow));
    }
}

static void check_date(const char *text) {
    int64_t ms = 0;
    char out[CLOCK_TEXT_SIZE];
    if (clock_parse_rfc2822(text, &ms)) {
        FUZZ_CHECK(ms % 1000 == 0);
        clock_format_iso_s(ms, out);
        FUZZ_CHECK(strlen(out) < sizeof out);
        clock_format(ms, out);
        FUZZ_CHECK(strlen(out) < sizeof out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size);
    check_quantity(text);
    check_int(text);
    check_date(text);
    free(text);
    return 0;
}
