/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_source.h, from files. */
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "buf.h"
#include "json.h"
#include "ledger_source.h"
#include "ban.h"

#define CHUNK  ((size_t)64 * 1024)
#define PREFIX "ledger-"

bool ledger_file_digest(const char *path, char out[LEDGER_SHA256_SIZE]) {
    unsigned char sum[EVP_MAX_MD_SIZE], *chunk = xmalloc(CHUNK);
    unsigned len = 0;
    size_t n = 0;
    FILE *in = fopen(path, "rbe");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = in != NULL && ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    while (good && (n = fread(chunk, 1, CHUNK, in)) > 0) {
        good = EVP_DigestUpdate(ctx, chunk, n) == 1;
    }
    good = good && ferror(in) == 0 && EVP_DigestFinal_ex(ctx, sum, &len) == 1;
    for (unsigned i = 0; good && i < 32; i++) {
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", (unsigned)sum[i]);
    }
    int problem = errno;
    EVP_MD_CTX_free(ctx);
    if (in != NULL) {
        (void)fclose(in);
    }
    free(chunk);
    errno = problem;
    return good;
}

/* ---- lines ---- */

struct lines {
    gzFile in;
    struct buf line;
    const char *problem; /* why the last line did not come; NULL = the end */
};

static bool lines_open(struct lines *l, const char *path) {
    l->in = gzopen(path, "rbe");
    l->problem = NULL;
    buf_init(&l->line, LEDGER_LINE_MAX);
    if (l->in != NULL) {
        (void)gzbuffer(l->in, (unsigned)CHUNK);
    }
    return l->in != NULL;
}

static void lines_close(struct lines *l) {
    if (l->in != NULL) {
        (void)gzclose(l->in);
    }
    buf_free(&l->line);
}

/* The next line without its end; false at the end of the file, or where it cannot be read. */
static bool lines_next(struct lines *l) {
    char part[8192];
    buf_reset(&l->line);
    while (gzgets(l->in, part, (int)sizeof part) != NULL) {
        size_t n = strlen(part);
        bool whole = n > 0 && part[n - 1] == '\n';
        buf_add(&l->line, part, whole ? n - 1 : n);
        if (buf_overflowed(&l->line)) {
            l->problem = "a line of more than 4 MiB";
            return false;
        }
        if (whole) {
            return true;
        }
    }
    int number = Z_OK;
    const char *said = gzerror(l->in, &number);
    if (number != Z_OK && number != Z_STREAM_END) {
        l->problem = said != NULL && said[0] != '\0' ? said : "it cannot be read";
    } else if (l->line.len > 0) {
        l->problem = "its last line is cut";
    }
    return false;
}

/* ---- first and last line ---- */

static bool take_header(struct ledger_file *f, const struct buf *line) {
    char error[80];
    int64_t version = 0;
    cJSON *json = json_read(buf_str(line), line->len, error, sizeof error);
    const cJSON *before = json_get(json, "previous");
    const char *name = json_str(before, "file"), *digest = json_str(before, "sha256");
    bool good = json_int(json, "onepool_ledger", &version) && version == 1;
    (void)str_copy(f->before, sizeof f->before, name != NULL ? name : "");
    (void)str_copy(f->before_sha256, sizeof f->before_sha256, digest != NULL ? digest : "");
    cJSON_Delete(json);
    return good;
}

static bool take_end(struct ledger_file *f, const struct buf *line) {
    char error[80];
    if (strncmp(buf_str(line), "{\"end\":", 7) != 0) {
        return false;
    }
    cJSON *json = json_read(buf_str(line), line->len, error, sizeof error);
    const cJSON *end = json_get(json, "end");
    const char *head = json_str(end, "head");
    bool good = json_int(end, "entries", &f->entries) && json_int(end, "n", &f->n) && head != NULL &&
                str_copy(f->head, sizeof f->head, head);
    cJSON_Delete(json);
    return good;
}

/* zlib's own texts name the file already. */
static bool wrong(const struct ledger_file *f, const char *what, char *error, size_t size) {
    bool named = strncmp(what, f->path, strlen(f->path)) == 0;
    (void)snprintf(error, size, "%s%s%s", named ? "" : f->path, named ? "" : ": ", what);
    return false;
}

bool ledger_file_open(struct ledger_file *f, const char *path, char *error, size_t error_size) {
    struct lines l = {0};
    struct ledger_entry e = {0};
    const char *slash = strrchr(path, '/');
    *f = (struct ledger_file){0};
    if (!str_copy(f->path, sizeof f->path, path) ||
        !str_copy(f->name, sizeof f->name, slash != NULL ? slash + 1 : path)) {
        return wrong(f, "the path is too long", error, error_size);
    }
    if (!lines_open(&l, path)) {
        return wrong(f, strerror(errno), error, error_size);
    }
    bool good = true;
    if (!lines_next(&l) || !take_header(f, &l.line)) {
        good = wrong(f, l.problem != NULL ? l.problem : "it is no export of onepool's ledger", error, error_size);
    } else if (!lines_next(&l)) {
        good = wrong(f, l.problem != NULL ? l.problem : "it has no entries", error, error_size);
    } else if (strncmp(buf_str(&l.line), "{\"end\":", 7) != 0) {
        char *line = buf_take(&l.line);
        good =
            ledger_entry_line(&e, line, strlen(line)) || wrong(f, "its first entry cannot be read", error, error_size);
        (void)str_copy(f->first, sizeof f->first, e.id);
        ledger_entry_free(&e);
        free(line);
    }
    lines_close(&l);
    return good;
}

static bool take_lines(struct ledger_file *f, struct lines *l, ledger_take *take, void *arg, char *error, size_t size) {
    int64_t n = 0;
    if (!lines_next(l) || !take_header(f, &l->line)) {
        return wrong(f, l->problem != NULL ? l->problem : "it is no export of onepool's ledger", error, size);
    }
    while (lines_next(l)) {
        struct ledger_entry e;
        if (take_end(f, &l->line)) {
            if (lines_next(l)) {
                return wrong(f, "something stands behind its last line", error, size);
            }
            if (l->problem != NULL) {
                return wrong(f, l->problem, error, size);
            }
            return n == f->entries || wrong(f, "it does not hold as many entries as its last line says", error, size);
        }
        if (!ledger_entry_line(&e, l->line.data, l->line.len)) {
            char text[80];
            (void)snprintf(text, sizeof text, "line %lld is no entry of the ledger", (long long)n + 2);
            ledger_entry_free(&e);
            return wrong(f, text, error, size);
        }
        n++;
        (void)str_copy(f->last, sizeof f->last, e.id);
        bool more = take(arg, &e);
        ledger_entry_free(&e);
        if (!more) {
            return true;
        }
    }
    return wrong(f, l->problem != NULL ? l->problem : "its last line is missing: it was cut", error, size);
}

bool ledger_file_read(struct ledger_file *f, ledger_take *take, void *arg, char *error, size_t error_size) {
    struct lines l = {0};
    if (!ledger_file_digest(f->path, f->sha256) || !lines_open(&l, f->path)) {
        return wrong(f, strerror(errno), error, error_size);
    }
    bool good = take_lines(f, &l, take, arg, error, error_size);
    lines_close(&l);
    return good;
}

/* ---- many files ---- */

struct list {
    struct ledger_file *files;
    size_t n;
    char *error;
    size_t error_size;
};

static bool add_file(struct list *l, const char *path) {
    if (l->n == LEDGER_FILES_MAX) {
        (void)snprintf(l->error, l->error_size, "more than %zu files", LEDGER_FILES_MAX);
        return false;
    }
    l->files = xrealloc(l->files, l->n + 1, sizeof *l->files);
    return ledger_file_open(&l->files[l->n++], path, l->error, l->error_size);
}

static bool is_ours(const char *name) {
    size_t len = strlen(name), suffix = strlen(LEDGER_FILE_SUFFIX);
    return strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 && len > suffix &&
           strcmp(name + len - suffix, LEDGER_FILE_SUFFIX) == 0;
}

static bool add_folder(struct list *l, const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    bool good = folder != NULL;
    size_t before = l->n;
    if (!good) {
        (void)snprintf(l->error, l->error_size, "%.900s: %s", path, strerror(errno));
        return false;
    }
    while (good && (entry = readdir(folder)) != NULL) { /* NOLINT(concurrency-mt-unsafe): there are no threads */
        char name[1024];
        if (is_ours(entry->d_name)) {
            (void)snprintf(name, sizeof name, "%.700s/%s", path, entry->d_name);
            good = add_file(l, name);
        }
    }
    (void)closedir(folder);
    if (good && l->n == before) {
        (void)snprintf(l->error, l->error_size, "%.900s: there are no files ledger-*.jsonl.gz", path);
        return false;
    }
    return good;
}

/* By the first entry; a file without entries does not matter. */
static int by_first(const void *a, const void *b) {
    const struct ledger_file *x = a, *y = b;
    struct ledger_entry first, second;
    bool known_x = ledger_entry_set(&first, x->first, NULL, "", 0),
         known_y = ledger_entry_set(&second, y->first, NULL, "", 0);
    if (!known_x || !known_y) {
        return (int)known_x - (int)known_y;
    }
    return ledger_entry_order(&first, &second);
}

struct ledger_file *ledger_files(char *const *paths, size_t *n, char *error, size_t error_size) {
    struct list l = {.error = error, .error_size = error_size};
    bool good = true;
    for (; good && *paths != NULL; paths++) {
        struct stat st;
        good = stat(*paths, &st) == 0 && S_ISDIR(st.st_mode) ? add_folder(&l, *paths) : add_file(&l, *paths);
    }
    if (!good) {
        free(l.files);
        return NULL;
    }
    if (l.n > 0) {
        qsort(l.files, l.n, sizeof *l.files, by_first);
    }
    *n = l.n;
    return l.files;
}
