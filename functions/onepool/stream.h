/* SPDX-License-Identifier: Apache-2.0 */
/* Reading long keys of Redis in pages: streams, and hashes. */
#ifndef ONEPOOL_STREAM_H
#define ONEPOOL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"

/* One page of a stream from an id on ("-" = its first, "(id" = behind it), up to another ("+" = its last). */
enum next stream_page(struct app *app, const char *key, const char *from, const char *to, int64_t n, redisReply **reply,
                      struct reason *why) NODISCARD;
/* A field of an entry, or NULL; as text, "" if it has none. */
const redisReply *stream_field(const redisReply *entry, const char *name);
const char *stream_text(const redisReply *entry, const char *name);
/* "1792-3" -> its time and number; false if it is no id of a stream. */
bool stream_id(const char *text, int64_t *ms, int64_t *number);

/* Hands every field of a hash to take; one may come twice. NEXT_DEFER: the process was told to stop. */
typedef enum next stream_take(void *arg, const char *field, const char *value, struct reason *why);
enum next stream_hash(struct app *app, const char *key, stream_take *take, void *arg, struct reason *why) NODISCARD;

#endif
