/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform that refuses an order may repeat in its words what it was sent: "Fnordgatan 77 is not allowed". Those
 * words get into the log and into a case, where nothing of a customer may be kept; so what was sent of the customer is
 * taken out of them first. Pure.
 */
#ifndef ONEPOOL_REDACT_H
#define ONEPOOL_REDACT_H

/*
 * Makes a "..." of each word of text that occurs in, or holds, a word of the customer's fields of body, the JSON that
 * was sent (namefirst, phone, delivery_address...; sitoo.md 4.1); and of those in which nobody can see whether they do:
 * with characters outside ASCII, with \u escapes, with six digits or more. Upper and lower case are the same. Without
 * such a field in body, text stays as it is. The caller frees.
 */
char *redact(const char *text, const char *body);

#endif
