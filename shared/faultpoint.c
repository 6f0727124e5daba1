/* SPDX-License-Identifier: Apache-2.0 */
#include "faultpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ban.h"

void fault_point(const struct app *app, const char *name) {
    const char *setting = app->set->dev ? getenv("ONEPOOL_FAULT_POINT") : NULL;
    size_t len = strlen(name);
    if (setting != NULL && strncmp(setting, name, len) == 0 && setting[len] == ':' && unlink(setting + len + 1) == 0) {
        (void)raise(SIGKILL);
    }
}
