/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves word of a settled return at the web order: a metafield (namespace "onepool", key "return-R11555-100301"; the
 * second one of a key is refused with 409, so it is made once) and a line in the staff notes. No customer data.
 */
#ifndef ONEPOOL_RETURN_RECORD_H
#define ONEPOOL_RETURN_RECORD_H

#include "app.h"
#include "decide.h"
#include "settle.h"

enum next record_part(struct app *app, const struct part *p, const struct paid_order *o, const struct settled *s,
                      struct reason *why) NODISCARD;

#endif
