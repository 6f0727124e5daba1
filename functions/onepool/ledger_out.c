/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "ban.h"

#define DAY_MS INT64_C(86400000)

void ledger_out_name(const struct ledger_entry *first, char out[LEDGER_NAME_SIZE]) {
    char time[CLOCK_TEXT_SIZE], plain[CLOCK_TEXT_SIZE];
    size_t n = 0;
    clock_format(first->ms, time);
    for (const char *s = time; *s != '\0'; s++) {
        if (*s != '-' && *s != ':') {
            plain[n++] = *s;
        }
    }
    plain[n] = '\0';
    (void)snprintf(out, LEDGER_NAME_SIZE, "ledger-%s-%06lld" LEDGER_FILE_SUFFIX, plain, (long long)first->seq);
}

void ledger_out_path(const char *folder, const char *name, char out[1024]) {
    (void)snprintf(out, 1024, "%.800s/%.127s", folder, name);
}

static bool failed(const struct ledger_out *f, const char *what, int problem, char *error, size_t size) {
    (void)snprintf(error, size, "%.900s: %s: %s", f->part, what, strerror(problem));
    return false;
}

static bool put(struct ledger_out *f, const struct buf *line, char *error, size_t size) {
    if (gzwrite(f->gz, buf_str(line), (unsigned)line->len) == (int)line->len) {
        return true;
    }
    int number = 0;
    (void)gzerror(f->gz, &number);
    return failed(f, "writing", number == Z_ERRNO ? errno : EIO, error, size);
}

static bool put_json(struct ledger_out *f, cJSON *json, char *error, size_t size) {
    struct buf line;
    char *text = json_print(json);
    buf_init(&line, LEDGER_LINE_MAX);
    buf_addf(&line, "%s\n", text);
    bool good = put(f, &line, error, size);
    buf_free(&line);
    free(text);
    cJSON_Delete(json);
    return good;
}

bool ledger_out_open(struct ledger_out *f, const char *folder, const struct ledger_entry *first, const char *tenant,
                     const char *before, const char *before_sha256, char *error, size_t error_size) {
    *f = (struct ledger_out){.fd = -1, .day = first->ms / DAY_MS};
    (void)str_copy(f->folder, sizeof f->folder, folder);
    ledger_out_name(first, f->name);
    (void)snprintf(f->part, sizeof f->part, "%.800s/.%.100s.%ld.part", folder, f->name, (long)getpid());
    f->fd = open(f->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int copy = f->fd >= 0 ? fcntl(f->fd, F_DUPFD_CLOEXEC, 0) : -1; /* gzclose closes its own */
    f->gz = copy >= 0 ? gzdopen(copy, "wb6") : NULL;
    if (f->gz == NULL) {
        int problem = f->fd < 0 || copy < 0 ? errno : ENOMEM;
        if (copy >= 0) {
            (void)close(copy);
        }
        (void)failed(f, "cannot be made", problem, error, error_size);
        ledger_out_drop(f);
        return false;
    }
    cJSON *json = json_new_object();
    json_add_int(json, "onepool_ledger", 1);
    json_add_str(json, "tenant", tenant);
    if (before[0] != '\0') {
        cJSON *previous = json_add_object(json, "previous");
        json_add_str(previous, "file", before);
        json_add_str(previous, "sha256", before_sha256);
    } else {
        json_add_str(json, "previous", NULL);
    }
    return put_json(f, json, error, error_size);
}

bool ledger_out_add(struct ledger_out *f, const struct ledger_entry *e, const char *hash, char *error,
                    size_t error_size) {
    struct buf line;
    buf_init(&line, LEDGER_LINE_MAX);
    ledger_entry_print(e, &line);
    bool good = !buf_overflowed(&line) ? put(f, &line, error, error_size)
                                       : failed(f, "an entry is too long", EMSGSIZE, error, error_size);
    buf_free(&line);
    f->entries++;
    (void)str_copy(f->last, sizeof f->last, e->id);
    if (e->link == LINK_GOOD) {
        f->n = e->n;
        (void)str_copy(f->head, sizeof f->head, hash);
    }
    return good;
}

/* A folder on a file system without a second name for a file: looked first, then named. */
static bool rename_if_free(const struct ledger_out *f, const char *path, char *error, size_t size) {
    if (access(path, F_OK) == 0) {
        return failed(f, "its name is taken", EEXIST, error, size);
    }
    return rename(f->part, path) == 0 || failed(f, "renaming", errno, error, size);
}

static bool name_if_free(const struct ledger_out *f, const char *path, char *error, size_t size) {
    if (link(f->part, path) == 0) {
        return unlink(f->part) == 0 || failed(f, "deleting its first name", errno, error, size);
    }
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
        return rename_if_free(f, path, error, size);
    }
    return failed(f, errno == EEXIST ? "its name is taken" : "naming", errno, error, size);
}

/* The name must be free: no file that has it is ever replaced. A folder is synced so that a name given stays. */
static bool give_name(const struct ledger_out *f, char *error, size_t size) {
    char path[1024];
    ledger_out_path(f->folder, f->name, path);
    if (!name_if_free(f, path, error, size)) {
        return false;
    }
    int folder = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 && fsync(folder) == 0;
    int problem = errno;
    if (folder >= 0) {
        (void)close(folder);
    }
    return good || failed(f, "syncing its folder", problem, error, size);
}

bool ledger_out_close(struct ledger_out *f, char sha256[LEDGER_SHA256_SIZE], char *error, size_t error_size) {
    cJSON *json = json_new_object(), *end = json_add_object(json, "end");
    json_add_int(end, "entries", f->entries);
    json_add_int(end, "n", f->n);
    json_add_str(end, "head", f->head);
    bool good = put_json(f, json, error, error_size);
    int closed = gzclose(f->gz);
    f->gz = NULL;
    if (good && (closed != Z_OK || fsync(f->fd) != 0)) {
        good = failed(f, "writing", errno, error, error_size);
    }
    good = good && (ledger_file_digest(f->part, sha256) || failed(f, "reading it again", errno, error, error_size));
    good = good && give_name(f, error, error_size);
    if (good) {
        (void)close(f->fd);
        f->fd = -1;
    } else {
        ledger_out_drop(f);
    }
    return good;
}

void ledger_out_drop(struct ledger_out *f) {
    if (f->gz != NULL) {
        (void)gzclose(f->gz);
        f->gz = NULL;
    }
    if (f->fd >= 0) {
        (void)close(f->fd);
        (void)unlink(f->part);
    }
    f->fd = -1;
}
