/* SPDX-License-Identifier: Apache-2.0 */
#include "faultpoint.h"

#ifdef ONEPOOL_FAULTS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ban.h"

#define PATH_SIZE 512
#define SEEN_MAX  256

/* ONEPOOL_FAULT_POINT: one name, one file. */
static void of_setting(const char *name) {
    const char *setting = getenv("ONEPOOL_FAULT_POINT");
    size_t len = strlen(name);
    if (setting != NULL && strncmp(setting, name, len) == 0 && setting[len] == ':' && unlink(setting + len + 1) == 0) {
        (void)raise(SIGKILL);
    }
}

/* The signal to be sent now; 0 = none. The file is locked while it is counted down, since other processes pass too. */
static int count_down(const char *path) {
    char text[32] = "";
    int fd = open(path, O_RDWR | O_CLOEXEC), signal_number = 0;
    if (fd < 0) {
        return 0;
    }
    if (flock(fd, LOCK_EX) == 0 && read(fd, text, sizeof text - 1) > 0) {
        char *rest = NULL;
        long n = strtol(text, &rest, 10), number = strtol(rest, NULL, 10);
        if (n > 1) {
            int len = snprintf(text, sizeof text, "%ld %ld", n - 1, number);
            if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
                abort();
            }
        } else if (unlink(path) == 0) {
            signal_number = (int)number;
        }
    }
    (void)close(fd);
    return signal_number;
}

/* Makes the file that says that the name was passed, once per process. */
static void note(const char *folder, const char *name) {
    static char *seen[SEEN_MAX];
    static size_t n;
    char path[PATH_SIZE];
    for (size_t i = 0; i < n; i++) {
        if (strcmp(seen[i], name) == 0) {
            return;
        }
    }
    if (n < SEEN_MAX && (seen[n] = strdup(name)) != NULL) {
        n++;
    }
    (void)snprintf(path, sizeof path, "%s/passed/%s", folder, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)close(fd);
    }
}

void fault_point_passed(const char *name, const char *of) {
    char whole[128], path[PATH_SIZE];
    const char *folder = getenv("ONEPOOL_FAULT_FOLDER");
    (void)snprintf(whole, sizeof whole, "%s%s", name, of);
    of_setting(whole);
    if (folder == NULL) {
        return;
    }
    note(folder, whole);
    (void)snprintf(path, sizeof path, "%s/%s", folder, whole);
    int number = count_down(path);
    if (number != 0) {
        (void)raise(number);
    }
}

bool fault_planted(const char *name) {
    const char *plant = getenv("ONEPOOL_PLANT");
    return plant != NULL && strcmp(plant, name) == 0;
}

#else
/* ISO C wants something in every file. */
typedef int faultpoint_is_empty;
#endif
