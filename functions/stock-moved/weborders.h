/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending: web orders that hold stock, read from BigCommerce by modification date with overlap before each write (an
 * order gets its id at the payment page and is paid minutes later, so an id cursor would miss it).
 *
 *   GET
 * /v2/orders?min_date_modified=...&min_id=...&limit=250&include=consignments.line_items&consignment_structure=object
 *
 * Pages go by ascending id, which no change can shift; the next read starts at the server's own time of the first page,
 * less the overlap. Source: reference/orders.v2.oas2.yml (2026-04-01), bigcommerce.md 3, 7.3, 9. No customer data is
 * kept.
 */
#ifndef ONEPOOL_WEBORDERS_H
#define ONEPOOL_WEBORDERS_H

#include "app.h"
#include "weborder.h"

/* Brings pending up to date. NEXT_DONE: everything modified up to the start of this call is in. An order that the
 * baseline classed as in_sitoo holds nothing: Sitoo's available has it. */
enum next weborders_refresh(struct app *app, struct reason *why) NODISCARD;

#endif
