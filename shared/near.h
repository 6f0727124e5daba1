/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The word that somebody probably meant: for mistakes in files written by hand.
 */
#ifndef ONEPOOL_NEAR_H
#define ONEPOOL_NEAR_H

/*
 * The word of the NULL-terminated list that is at most two typing slips (a letter more, less or other) from `given`,
 * the nearest first; else one that begins with `given`, if that has four letters. NULL if there is none.
 */
const char *near_word(const char *given, const char *const *words);

#endif
