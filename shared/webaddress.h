/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shop gets to see of the customer: taken from the web order that was just read, put into Sitoo's order, and
 * dropped. mapping web_orders.customer_fields, address and message say how much. Sources: bigcommerce.md 7.3, 9;
 * sitoo.md 4.1, 5.1 (any delivery address turns a pick-up into shipping, so an order for collection gets none).
 */
#ifndef ONEPOOL_WEBADDRESS_H
#define ONEPOOL_WEBADDRESS_H

#include <cjson/cJSON.h>

#include "mapping.h"
#include "webshop.h"

#define WEB_ADDRESS_SIZE 17

/* Digest of the delivery address, which goes along in Sitoo's order: a change is seen without the address being read.
 */
void web_address_digest(const struct web_order *o, char out[WEB_ADDRESS_SIZE]);
/* Adds delivery_*. */
void web_address_add(const struct web_order *o, cJSON *json);
/* Adds namefirst, namelast, phone, email and comment as far as the mapping allows. */
void web_customer_add(const struct web_order *o, const struct mapping_web *w, cJSON *json);

#endif
