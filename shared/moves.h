/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stock that we move in Sitoo ourselves (POST /sites/{site}/warehousetransactions.json), and how it is found again:
 * Sitoo has no filter by externalid, so the ledger is read from a moment on and searched. Sources: sitoo.md
 * 2, 7.3, 7.4.
 */
#ifndef ONEPOOL_MOVES_H
#define ONEPOOL_MOVES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define MOVE_IN  10
#define MOVE_OUT 20

/* Takes a page of rows in the order of their ids; *last becomes the highest id. False if one cannot be read, or does
 * not follow. */
typedef bool moves_take(void *context, const cJSON *items, int64_t *last);

/*
 * Every ledger row of that type (0 = of all) made since from_ms. Fields: warehousetransactionid, warehouseid,
 * datecreated, transactiontype, externalid, items. NEXT_DEFER "incomplete_read": the list is not complete, so nothing
 * may be concluded from what it lacks.
 */
enum next moves_read(struct app *app, int64_t from_ms, int64_t type, moves_take *take, void *context,
                     struct reason *why) NODISCARD;

/* Of the answer to `count` transactions sent as an array, the id of number i: [{"statuscode":200,"return":3}, ...].
 * 0: it was refused, and *text says why. -1: neither. */
int64_t moves_answer(const cJSON *json, int i, int count, const char **text);

#endif
