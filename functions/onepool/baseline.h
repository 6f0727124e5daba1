/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool baseline: the first comparison of a shop that already sells. It reads both sides completely, computes every
 * level by the formula (level.h), and shows where BigCommerce differs. It writes nothing to a platform; when a person
 * accepts the report, the writer of stock-moved brings the differing levels right.
 *
 *   check -> ledger cursor -> sizes -> Sitoo: products, stock -> BigCommerce: orders, items, catalog
 *         -> Sitoo: were the orders handed over -> report
 *
 * Everything read is kept in Redis page by page, each page in one step with how far the reading is (85_baseline.lua),
 * so that a killed run goes on where it was. Order of reads as the writer's (Sitoo first, orders after): what falls
 * between is subtracted twice, never sold twice. No customer data is kept: order ids, SKUs and quantities only.
 */
#ifndef ONEPOOL_BASELINE_H
#define ONEPOOL_BASELINE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "buf.h"
#include "identity.h"
#include "platform.h"
#include "weborder.h"

#define BASELINE_LEASE     "baseline"
#define BASELINE_LEASE_MS  INT64_C(5000) /* a killed run blocks the next one no longer */
#define BASELINE_WORD_MAX  96
#define BASELINE_ROWS_SHOW 20 /* lines of the table unless --rows says otherwise */

struct baseline_options {
    bool propose, again;
    const char *csv, *orders, *export_orders, *accept; /* NULL = not given */
    int64_t rows;
};

struct progress {
    bool json, terminal;
    int64_t done, total, begun_ms, done_before, shown_ms;
    char what[120];
};

/* One run of the command. */
struct baseline {
    struct app *app;
    const struct baseline_options *options;
    bool json;
    char token[24];   /* of the lease; "" = not held */
    char holder[96];  /* names this run in the lease */
    int64_t taken_ms; /* monotonic */
    bool lost;        /* the lease went to another run */
    struct progress progress;
};

/* ---- state (baseline_store.c); all NODISCARD ones: NEXT_DEFER if Redis is away, NEXT_STOP if the lease was lost ----
 */

enum next baseline_lock(struct baseline *b, struct reason *why) NODISCARD;
void baseline_unlock(struct baseline *b);
/* A field of the progress into out ("" if absent). */
enum next baseline_get(struct baseline *b, const char *field, char *out, size_t size, struct reason *why) NODISCARD;
enum next baseline_get_int(struct baseline *b, const char *field, int64_t *out, struct reason *why) NODISCARD;
enum next baseline_set_int(struct baseline *b, const char *field, int64_t n, struct reason *why) NODISCARD;
/* A page of rows (field, value ...; may be empty) of the hash baseline:<name>, and (field, value ...) of the progress,
 * in one step. */
enum next baseline_put(struct baseline *b, const char *name, const struct args *rows, const struct args *progress,
                       struct reason *why) NODISCARD;
/* Forgets hashes (baseline:<name>) and progress fields; both NULL-terminated. */
enum next baseline_drop(struct baseline *b, const char *const *names, const char *const *fields,
                        struct reason *why) NODISCARD;
enum next baseline_count(struct baseline *b, const char *name, int64_t *n, struct reason *why) NODISCARD;
/* Calls take for every field of baseline:<name>, or of any key if name has no such prefix and plain is set. */
enum next baseline_each(struct baseline *b, const char *key,
                        void (*take)(void *arg, const char *field, const char *value), void *arg,
                        struct reason *why) NODISCARD;
/* 16 hex digits over what the mapping file says about places. */
void baseline_mapping_digest(const struct mapping *m, char out[17]);

/* ---- progress (baseline_progress.c): lines on standard error ---- */

void progress_begin(struct progress *p, bool json, int64_t done, int64_t total);
void progress_step(struct progress *p, const char *what, int64_t done);
void progress_end(struct progress *p);
/* Rate in rows per second and milliseconds left of this run; -1 while unknown. Pure. */
void progress_figures(const struct progress *p, int64_t now_ms, int64_t *rate, int64_t *left_ms);

/* ---- reading (baseline_read.c, baseline_orders.c) ---- */

/* One read of a platform that is tried again as long as it may heal by itself. */
enum next baseline_sitoo(struct baseline *b, const char *path, struct answer *answer, struct reason *why) NODISCARD;
enum next baseline_bigcommerce(struct baseline *b, const char *path, struct answer *answer,
                               struct reason *why) NODISCARD;
/* Everything but the orders. */
enum next baseline_read_cursor(struct baseline *b, struct reason *why) NODISCARD;
enum next baseline_read_sizes(struct baseline *b, struct reason *why) NODISCARD;
enum next baseline_read_sitoo(struct baseline *b, struct reason *why) NODISCARD;
enum next baseline_read_bigcommerce(struct baseline *b, struct reason *why) NODISCARD;
enum next baseline_read_orders(struct baseline *b, struct reason *why) NODISCARD;
/* Orders in Sitoo under one of the references of ours: sets the class of those that are there. */
enum next baseline_look_up(struct baseline *b, struct reason *why) NODISCARD;

/* ---- open orders and their classes (baseline_orders.c, baseline_class.c, baseline_csv.c) ---- */

struct open_order {
    int64_t id, status, created_ms, units; /* units: thousandths */
    cJSON *rows;                           /* array of ["target|sku", "thousandths"] */
    enum weborder_class class;
    char by[16];    /* person, sitoo, status, age, default; "" = unclassed */
    char note[120]; /* what the look-up in Sitoo says */
    bool was_found; /* by an earlier look-up */
    bool in_file;   /* named by the CSV that is being read */
};
struct open_orders {
    struct open_order *list; /* by rising id */
    size_t n;
};
enum next open_orders_load(struct baseline *b, struct open_orders *o, struct reason *why) NODISCARD;
void open_orders_free(struct open_orders *o);
struct open_order *open_orders_find(const struct open_orders *o, int64_t id);
/* Status, age and default, for orders that neither a person nor the look-up classed. Pure. */
void open_orders_rules(struct open_orders *o, const struct mapping *m, int64_t now_ms);
size_t open_orders_unclassed(const struct open_orders *o);
/* Stores the classes; entries of orders that are no longer open go. */
enum next open_orders_store(struct baseline *b, const struct open_orders *o, struct reason *why) NODISCARD;

/* order,status,created,units,class,by,note. Pure. */
void orders_csv_write(const struct open_orders *o, struct buf *out);
/* Takes the classes of such a file; the columns order and class are looked for by name, separated by comma or
 * semicolon. Each mistake is one line in mistakes ("line 7: ..."); with any, nothing is taken. Pure. Returns how many
 * were set. */
size_t orders_csv_read(const char *text, struct open_orders *o, struct buf *mistakes);
/* Appends a cell, quoted if need be. Security: a text that a spreadsheet would take for a formula gets an apostrophe.
 */
void csv_cell(struct buf *out, const char *text);

/* ---- the report (baseline_model.c, baseline_report.c) ---- */

struct difference {
    const char *sku, *name;
    size_t sku_index;
    int64_t location_id, was, level;
    int64_t product_id, variant_id;
    bool by_product;
    int64_t price; /* ten-thousandths; -1 = not known */
};
struct unmapped {
    const char *sku, *cause;
    int64_t units; /* on offer in BigCommerce, or available in Sitoo: whole units */
};
struct model;

struct comparison {
    struct difference *diffs; /* worst first */
    size_t diff_count;
    struct unmapped *unmapped;
    size_t unmapped_count;
    int64_t skus, levels;      /* compared */
    int64_t too_high, too_low; /* units */
};

enum next model_load(struct baseline *b, const struct open_orders *orders, struct model **out,
                     struct reason *why) NODISCARD;
void model_free(struct model *m);
void model_compare(struct model *m, struct comparison *c);
void comparison_free(struct comparison *c);
/* What lies outside of the mapping, as texts appended to notes. */
void model_others(const struct model *m, cJSON *notes);
/* Causes of a difference in words, "" if there is nothing to say. */
void model_hints(const struct model *m, size_t sku_index, struct buf *out);

/* Reads the prices of what differs, unless that is too much. */
enum next baseline_prices(struct baseline *b, struct comparison *c, struct reason *why) NODISCARD;
/* Stores the report and gives its id. */
enum next baseline_report_store(struct baseline *b, const struct comparison *c, const struct open_orders *o,
                                char id[17], struct reason *why) NODISCARD;
/* Prints it, and writes --csv and --export-orders. Returns the exit status. */
int baseline_report_print(struct baseline *b, const struct model *m, const struct comparison *c,
                          const struct open_orders *o, const char *id, const cJSON *notes);
/* Writes a text to a file, all or nothing. False: the reason is printed. */
bool baseline_write_file(const char *path, const struct buf *text);

/* ---- a mapping to begin with (baseline_propose.c) ---- */

/* Pure: locations and warehouses as the platforms list them -> a mapping file, and notes for people (array of texts).
 */
cJSON *propose_mapping(const cJSON *locations, const cJSON *warehouses, cJSON *notes);
int baseline_propose(struct baseline *b);
/* What the mapping leaves out, as texts. */
enum next baseline_left_out(struct baseline *b, cJSON *notes, struct reason *why) NODISCARD;

#endif
