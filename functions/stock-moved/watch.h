/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's settings (shop.h) are looked at when a process becomes the writer, and once a day. A wrong one is a
 * parked case "shop_settings" that stays until the setting is right; then it closes by itself at the next look.
 */
#ifndef ONEPOOL_WATCH_H
#define ONEPOOL_WATCH_H

#include "app.h"

/* Looks if it is time. token: of the writer lease. Never stops the writer: what fails is logged and tried again in a
 * minute. */
void watch_shop(struct app *app, const char *token);

#endif
