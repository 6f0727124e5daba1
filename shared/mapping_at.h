/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one object of the mapping file: every mistake is named by its path, all are reported together. Internal to
 * the reading of the mapping file. */
#ifndef ONEPOOL_MAPPING_AT_H
#define ONEPOOL_MAPPING_AT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A place in the file, for messages: path is what stands before the key. */
struct at {
    const cJSON *object;
    char path[120];
    struct buf *mistakes;
};

void at_mistake(const struct at *a, const char *key, const char *text);
/* Every key of the object must be among `allowed` (NULL-terminated). */
void at_keys(const struct at *a, const char *const *allowed);
/* A member that is an object, or absent. */
struct at at_enter(const struct at *parent, const char *key);
void at_int(const struct at *a, const char *key, int64_t min, int64_t max, int64_t preset, int64_t *out);
void at_bool(const struct at *a, const char *key, bool preset, bool *out);
void at_text(const struct at *a, const char *key, const char *preset, char *out, size_t size);
/* A list of ids above 0, each once. */
void at_ids(const struct at *a, const char *key, size_t max, bool required, int64_t **ids, size_t *count);
/* A list of texts; the caller frees each and the list. */
void at_texts(const struct at *a, const char *key, size_t max, char ***texts, size_t *count);

#endif
