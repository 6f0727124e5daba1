/* SPDX-License-Identifier: Apache-2.0 */
/* Which plan reads the body of a webhook: that of the route on which it came, or would come by its scope. */
#ifndef ONEPOOL_HOOK_PLANS_H
#define ONEPOOL_HOOK_PLANS_H

#include "hook.h"

/* path: of the call ("" or NULL: not known, and the body's scope decides). NULL if neither names a route. Pure. */
hook_plan hook_plan_of(const char *path, const char *body, size_t len);

#endif
