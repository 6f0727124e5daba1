/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <sys/random.h>

#include "clock.h"
#include "ban.h"

uint32_t random_bits(void) {
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
        bits = (uint32_t)clock_mono_ms() * UINT32_C(2654435761);
    }
    return bits;
}

int64_t random_below(int64_t limit) {
    return (int64_t)random_bits() % limit;
}
