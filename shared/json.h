/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON reading over cJSON. cJSON alone accepts trailing text, invalid UTF-8, duplicate keys, raw
 * control characters in strings, numbers such as 007, cuts strings at \u0000, and saturates valueint at
 * 2^31-1 (tried with 1.7.15). json_read refuses all of these, in this one place.
 *
 * Integers are read as whole doubles within +-(2^53 - 1), where each has a double of its own, else refused. Ids travel
 * as strings or int64_t. Keys are compared with case.
 */
#ifndef ONEPOOL_JSON_H
#define ONEPOOL_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32                        /* platforms nest about eight deep */
#define JSON_INT_MAX   INT64_C(9007199254740991) /* 2^53 - 1: 2^53 is also what 2^53 + 1 is read as */

/*
 * Parses exactly len bytes as one JSON value. On failure returns NULL and writes what and where (byte offset)
 * into error. On success the caller frees with cJSON_Delete.
 * Refused: empty input, trailing bytes other than white space, invalid UTF-8, raw control characters in
 * strings, \u0000 and lone surrogates, duplicate keys in one object, numbers with leading zeros or plus,
 * NaN, numbers beyond +-1e308, depth beyond JSON_DEPTH_MAX.
 */
cJSON *json_read(const char *data, size_t len, char *error, size_t error_size);

/* Member by exact key; NULL if o is no object or has no such key. */
const cJSON *json_get(const cJSON *o, const char *key);
/* Text of a string member; NULL if absent, null or no string. Valid as long as o. */
const char *json_str(const cJSON *o, const char *key);
/* Whole number within +-(2^53 - 1) of a number member; false if absent, fractional or of another type. */
bool json_int(const cJSON *o, const char *key, int64_t *out);
/* The same of an item itself. */
bool json_item_int(const cJSON *item, int64_t *out);
/* Like json_int, but a string of digits counts as well (BigCommerce writes some ids as strings). */
bool json_id(const cJSON *o, const char *key, int64_t *out);
/* true or false member; `otherwise` if absent or of another type. */
bool json_bool(const cJSON *o, const char *key, bool otherwise);
/* Array member; NULL if absent or no array. */
const cJSON *json_array(const cJSON *o, const char *key);
/* Adds an integer exactly (cJSON prints large doubles with an exponent). Aborts on memory exhaustion. */
void json_add_int(cJSON *o, const char *key, int64_t n);
void json_add_str(cJSON *o, const char *key, const char *s); /* NULL s adds null */
void json_add_bool(cJSON *o, const char *key, bool b);
cJSON *json_add_object(cJSON *o, const char *key);
cJSON *json_add_array(cJSON *o, const char *key);
cJSON *json_new_object(void);
/* Compact text, NUL-terminated; the caller frees. Never NULL (aborts on memory exhaustion). */
char *json_print(const cJSON *o);

#endif
