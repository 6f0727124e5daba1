/* SPDX-License-Identifier: Apache-2.0 */
/* The externalid of our moves into the quarantine warehouse: "OPQ-<return>-<item>". Sitoo allows 40 characters. */
#ifndef ONEPOOL_QUARANTINE_REF_H
#define ONEPOOL_QUARANTINE_REF_H

#include <stdbool.h>
#include <stdint.h>

#define QUARANTINE_REF_SIZE 41

/* False, with out "", if it would be longer. Both ids >= 0. */
bool quarantine_ref_write(int64_t return_id, int64_t item_id, char out[QUARANTINE_REF_SIZE]);
/* False if it is none of ours. */
bool quarantine_ref_read(const char *text, int64_t *return_id, int64_t *item_id);

#endif
