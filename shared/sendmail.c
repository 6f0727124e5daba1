/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2 */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "ban.h"

#define RUN_MS  INT64_C(15000) /* shorter than a lease */
#define STEP_MS 50

static int start(const char *path, int in, pid_t *pid) {
    char program[] = "sendmail", t[] = "-t", i[] = "-i", search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *argv[] = {program, t, i, NULL}, *env[] = {search, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, pipe_signal;
    (void)sigemptyset(&none);
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    if (posix_spawn_file_actions_init(&files) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    bool ok = posix_spawn_file_actions_adddup2(&files, in, 0) == 0 &&
              posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) == 0 &&
              posix_spawn_file_actions_adddup2(&files, 1, 2) == 0 &&
              posix_spawn_file_actions_addclosefrom_np(&files, 3) == 0 &&
              posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0 &&
              posix_spawnattr_setsigmask(&attr, &none) == 0 && posix_spawnattr_setsigdefault(&attr, &pipe_signal) == 0;
    int rc = ok ? posix_spawn(pid, path, &files, &attr, argv, env) : ENOMEM;
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* False: it does not take it in time, or ended before. */
static bool feed(struct app *app, int out, const char *message, int64_t deadline_ms) {
    size_t len = strlen(message), at = 0;
    while (at < len && clock_mono_ms() < deadline_ms && app_keep(app)) {
        struct pollfd p = {.fd = out, .events = POLLOUT};
        if (poll(&p, 1, STEP_MS) > 0) {
            ssize_t n = write(out, message + at, len - at);
            if (n < 0 && errno != EAGAIN && errno != EINTR) {
                return false;
            }
            at += n > 0 ? (size_t)n : 0;
        }
    }
    return at == len;
}

/* Its exit status; -1 if it had to be killed. */
static int finish(struct app *app, pid_t pid, int64_t deadline_ms) {
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_mono_ms() >= deadline_ms || !app_sleep(app, STEP_MS)) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool sendmail_run(struct app *app, const char *path, const char *message, char *error, size_t error_size) {
    int ends[2];
    pid_t pid = 0;
    int64_t deadline_ms = clock_mono_ms() + RUN_MS;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)snprintf(error, error_size, "%.120s: %s", path, strerror(errno));
        return false;
    }
    int rc = start(path, ends[0], &pid);
    (void)close(ends[0]);
    bool fed = false;
    if (rc == 0) {
        (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
        fed = feed(app, ends[1], message, deadline_ms);
    }
    (void)close(ends[1]);
    if (rc != 0) {
        (void)snprintf(error, error_size, "%.120s: %s", path, strerror(rc));
        return false;
    }
    int status = finish(app, pid, deadline_ms);
    if (status < 0) {
        (void)snprintf(error, error_size, "%.120s did not end within %d s, or was killed", path, (int)(RUN_MS / 1000));
    } else if (status != 0) {
        (void)snprintf(error, error_size, "%.120s ended with status %d", path, status);
    } else if (!fed) {
        (void)snprintf(error, error_size, "%.120s did not take the whole message", path);
    }
    return fed && status == 0;
}
