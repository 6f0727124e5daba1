/* SPDX-License-Identifier: Apache-2.0 */
/* Hands a mail to a sendmail program: PATH -t -i, without a shell, without our environment and open files. */
#ifndef ONEPOOL_SENDMAIL_H
#define ONEPOOL_SENDMAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "app.h"

/* At most 15 s, then it is killed. False: error says why. */
bool sendmail_run(struct app *app, const char *path, const char *message, char *error, size_t error_size);

#endif
