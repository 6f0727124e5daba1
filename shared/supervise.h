/* SPDX-License-Identifier: Apache-2.0 */
/* The parent process of a function: sockets, children, restarts, draining. See function.h. */
#ifndef ONEPOOL_SUPERVISE_H
#define ONEPOOL_SUPERVISE_H

#include "function.h"

/* Opens the sockets, checks Redis (waiting for it), forks the children and keeps them until SIGTERM. Exit status: 0
 * after draining; SETTINGS_EXIT if Redis is weaker than allowed; 1 if a socket cannot be opened. */
int supervise(const struct function *fn, const struct settings *set);

#endif
