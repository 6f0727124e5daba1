/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of what Redis holds: SCHEMA_VERSION rises when a release changes the meaning of a key so that the release
 * before it would read it wrongly. It is stored in the hash "schema" (version, release, since_ms), and only ever
 * raised: a program that is older than the keys refuses to start and says so, instead of doing harm.
 *
 * During a rolling update the older programs that run already go on: a release keeps reading and writing what the one
 * before it understands until it is alone (docs/operations.md, "Upgrade and rollback").
 */
#ifndef ONEPOOL_SCHEMA_H
#define ONEPOOL_SCHEMA_H

#include "app.h"

#define SCHEMA_VERSION INT64_C(1)

/* NEXT_DONE: the keys are of this version, or were raised to it. NEXT_STOP (cause "newer_schema"): they are newer than
 * this program; why says what to do. NEXT_DEFER: Redis is away. */
enum next schema_check(struct app *app, struct reason *why) NODISCARD;

#endif
