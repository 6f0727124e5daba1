/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness for jitter and names; not for secrets. */
#ifndef ONEPOOL_RANDOM_H
#define ONEPOOL_RANDOM_H

#include <stdint.h>

/* Any 32 bits. Never fails: without the kernel's generator the clock serves. */
uint32_t random_bits(void);
/* 0 .. limit-1; limit above 0. */
int64_t random_below(int64_t limit);

#endif
