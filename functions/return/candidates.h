/* SPDX-License-Identifier: Apache-2.0 */
/* For a return that names no purchase: recent web orders that hold the SKU, for a person to look at. By id only. */
#ifndef ONEPOOL_RETURN_CANDIDATES_H
#define ONEPOOL_RETURN_CANDIDATES_H

#include <stddef.h>

#include "app.h"

#define CANDIDATES_MAX 5

/* One call: the newest orders. Writes "100301, 100288" or "" to out; failing, it says so there: they are only a help.
 */
void candidates_find(struct app *app, const char *const *skus, size_t n, char *out, size_t size);

#endif
