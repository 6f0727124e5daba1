/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ONEPOOL_OPS_H
#define ONEPOOL_OPS_H
#include "app.h"
#include "fcgi.h"
bool ops_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);
enum next ops_redis_guard(struct app *app, bool dev, struct reason *why) NODISCARD;
#endif
