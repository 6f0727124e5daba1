/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that this program does not use, turned into compile errors.
 * Include last. Each has a bounded or strict counterpart in buf.h, json.h or quantity.h.
 * (#pragma GCC poison breaks under clang with _FORTIFY_SOURCE, hence macros.)
 */
#ifndef ONEPOOL_BAN_H
#define ONEPOOL_BAN_H

#define ONEPOOL_BANNED(name) onepool_does_not_use_##name

#undef strcpy
#define strcpy(d, s) ONEPOOL_BANNED(strcpy)
#undef strcat
#define strcat(d, s) ONEPOOL_BANNED(strcat)
#undef strncpy
#define strncpy(d, s, n) ONEPOOL_BANNED(strncpy)
#undef strncat
#define strncat(d, s, n) ONEPOOL_BANNED(strncat)
#undef strtok
#define strtok(s, d) ONEPOOL_BANNED(strtok)
#undef sprintf
#define sprintf(...) ONEPOOL_BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) ONEPOOL_BANNED(vsprintf)
#undef gets
#define gets(s) ONEPOOL_BANNED(gets)
#undef atoi
#define atoi(s) ONEPOOL_BANNED(atoi)
#undef atol
#define atol(s) ONEPOOL_BANNED(atol)
#undef atof
#define atof(s) ONEPOOL_BANNED(atof)
#undef sscanf
#define sscanf(...) ONEPOOL_BANNED(sscanf)
#undef gmtime
#define gmtime(t) ONEPOOL_BANNED(gmtime)
#undef localtime
#define localtime(t) ONEPOOL_BANNED(localtime)
#undef alloca
#define alloca(n) ONEPOOL_BANNED(alloca)
#undef rand
#define rand() ONEPOOL_BANNED(rand)
#undef cJSON_GetObjectItem
#define cJSON_GetObjectItem(o, k) ONEPOOL_BANNED(cJSON_GetObjectItem)

#endif
