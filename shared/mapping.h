/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping file (ONEPOOL_CONFIG): which BigCommerce location shows the stock of which Sitoo warehouses,
 * and the rules that go with it. JSON; unknown keys are mistakes; every mistake is named by its path
 * ("locations[0].sitoo_warehouse_ids[2]: ...") and all are reported together.
 *
 *   { "locations": [ { "bigcommerce_location_id": 1, "sitoo_warehouse_ids": [1, 2, 43] } ],
 *     "pickup":    [ { "bigcommerce_location_id": 5, "sitoo_warehouse_id": 43, "pickup_method_ids": [2],
 *                      "shipping_method_names": ["Collect in Leeds"] } ],
 *     "shipping":  { "location_id": 1, "allocate_from": [1, 2], "allow_split": false, "return_only": false },
 *     "brake":     { "max_zeroed_skus": 200, "max_units_moved": 5000, "max_price_change_percent": 50 },
 *     "sitoo":     { "max_inflight": 1, "page_size": 1000, ... }, "budget": {...}, "owners": {...},
 *     "web_orders": {...}, "products": {...}, "returns": {...} }
 *
 */
#ifndef ONEPOOL_MAPPING_H
#define ONEPOOL_MAPPING_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define MAPPING_LOCATIONS_MAX  200 /* BigCommerce allows 100 active locations; more on request */
#define MAPPING_WAREHOUSES_MAX 500
#define MAPPING_METHODS_MAX    50
#define MAPPING_FILE_MAX       (1024 * 1024) /* bytes */

/* One BigCommerce location whose level we write: from "locations", or from "pickup". */
struct mapping_location {
    int64_t location_id;
    int64_t *warehouse_ids;
    size_t warehouse_count;
    bool is_pickup;
    bool serves_shipping;       /* pending rows that no warehouse was chosen for count here */
    int64_t *pickup_method_ids; /* pickup only */
    size_t pickup_method_count;
    char **shipping_method_names; /* pickup only: shops without BigCommerce's own pickup */
    size_t shipping_method_name_count;
};

#define MAPPING_PATTERNS_MAX 8
#define MAPPING_PATTERN_SIZE 40 /* an externalid of Sitoo has at most 40 characters */
#define MAPPING_ORDER_MARK   "{order}"
#define MAPPING_CLASS_SIZE   12
#define MAPPING_STATUSES     15 /* status_id 0 to 14 */

/*
 * How the baseline classes orders that were open before onepool came; a class is "in_sitoo", "subtract" or "hand_over"
 * (weborder.h), "" = none. The first that fits counts: what a person said, found in Sitoo, status, age, default.
 *
 *   "baseline": { "externalid_patterns": ["{order}", "WEB-{order}"], "status_classes": {"7": "subtract"},
 *                 "older_than_days": 90, "older_than_class": "in_sitoo", "default_class": "hand_over",
 *                 "accept_within_hours": 24 }
 */
struct mapping_baseline {
    char patterns[MAPPING_PATTERNS_MAX][MAPPING_PATTERN_SIZE]; /* beside our own sitoo.order_prefix */
    size_t pattern_count;
    char status_class[MAPPING_STATUSES][MAPPING_CLASS_SIZE];
    int64_t older_than_days; /* 0 = no such rule */
    char older_than_class[MAPPING_CLASS_SIZE];
    char default_class[MAPPING_CLASS_SIZE];
    int64_t accept_within_hours; /* [24] 1..168 */
};

#define MAPPING_RULES_MAX 500
#define MAPPING_RULE_SIZE 65 /* a reason code of Sitoo has at most 32 characters (sitoo.md 8) */

/* May a returned unit be sold again? */
enum verdict { VERDICT_UNKNOWN, VERDICT_SELLABLE, VERDICT_UNSELLABLE };
/* Who gives the customer the money of a returned web purchase? */
enum payer { PAYER_UNKNOWN, PAYER_TILL, PAYER_BIGCOMMERCE };

struct mapping_rule {
    char name[MAPPING_RULE_SIZE];
    int word; /* enum verdict or enum payer */
};

struct mapping_rules {
    struct mapping_rule *list;
    size_t n;
};

/*
 *   "returns": { "reasons": {"101": "sellable", "RC123": "unsellable"}, "unknown_reason": "park",
 *                "warehouses": {"4": "unsellable"},
 *                "payments": {"Card": "paid_at_till", "Web": "pay_in_bigcommerce"}, "unknown_payment": "park",
 *                "amount_tolerance_minor": 2, "quarantine_warehouse_id": null,
 *                "days": 30, "aged_days": 14, "goods_back_days": 14, "repeat_after_s": 120 }
 */
struct mapping_returns {
    struct mapping_rules reasons;    /* reason code -> verdict */
    struct mapping_rules warehouses; /* receiving warehouse -> verdict */
    struct mapping_rules payments;   /* name of a payment in Sitoo -> payer */
    enum verdict unknown_reason;     /* of a code that the table lacks, or of none [park] */
    enum payer unknown_payment;      /* [park] */
    int64_t tolerance_minor;         /* till's and BigCommerce's amount may differ by this, minor units [2] 0..100000 */
    int64_t quarantine_warehouse_id; /* unsellable units are moved there at once; 0 = they stay [0] */
    int64_t days;                    /* returns read again after Redis was lost [30] 1..365 */
    int64_t aged_days;               /* withheld longer than this is reported [14] 1..365 */
    int64_t goods_back_days; /* goods of a refund made in BigCommerce should be back in Sitoo by then [14] 0..365 */
    int64_t repeat_after_s;  /* a refund without an answer is not sent again before [120] 30..86400 */
};

/*
 *   "web_orders": { "customer_fields": ["name", "phone", "email"], "message": false, "address": true,
 *                   "rejected_status": null, "uncollected_days": 14, "repeat_after_s": 30, "look_again_hours": 6 },
 *   "sitoo": { "pickup": {"cancel_on_reject": true},
 *              "return_orders": {"orderstate": 10, "warehouseid": null, "add_delivery": false}, ... }
 */
struct mapping_web {
    bool name, phone, email;     /* customer_fields: what a shop gets to see of the customer [all three] */
    bool message;                /* the customer's message as the order's comment [false] */
    bool address;                /* delivery address of what is shipped [true] */
    int64_t rejected_status;     /* web order's status after the shop refused it, 1..13; 0 = left as it is [0] */
    int64_t uncollected_days;    /* ready for pickup and not collected for so long is reported [14] 1..365 */
    int64_t repeat_after_s;      /* what was sent without an answer is not sent again before [30] 10..3600 */
    int64_t look_again_hours;    /* open orders are read again this often [6] 1..168 */
    bool cancel_on_reject;       /* the Sitoo order that the shop refused is cancelled by us [true] */
    int64_t return_order_state;  /* state of orders handed over for returns only [10] 0 or 10 */
    int64_t return_warehouse_id; /* their warehouse; 0 = none is sent [0] */
    bool return_add_delivery;    /* they get a delivery that moves no stock [false] */
};

#define MAPPING_PAIRS_MAX 2000

/* One id of BigCommerce and what it is in Sitoo. */
struct mapping_pair {
    int64_t web, till;
};
struct mapping_pairs {
    struct mapping_pair *list;
    size_t n;
};

enum barcode_source { BARCODE_GTIN, BARCODE_UPC };

/*
 * Products flow from BigCommerce to Sitoo. Without this section none does.
 *
 *   "products": { "vat_groups": {"0": 2, "1": 3}, "default_vat_group": null,
 *                 "price": "catalog", "price_list_id": null, "sale_price_list_id": null, "prices_include_vat": true,
 *                 "barcode": ["gtin", "upc"], "unit_label": null, "retail_price": false, "description": false,
 *                 "images": false, "manufacturers": {"36": 4}, "categories": {"23": 49},
 *                 "hidden": "inactive", "debounce_s": 60, "quarantine": false, "sweep_hours": 24 },
 *   "brake": { "max_price_change_percent": 50, "max_deactivated_skus": 200, ... }
 */
struct mapping_products {
    bool on;                  /* the section is there */
    bool from_price_list;     /* "price": "price_list" ["catalog"] */
    bool prices_include_vat;  /* Sitoo's setting "Storing of Product Prices" [true] */
    bool retail_price;        /* moneypriceorg is BigCommerce's retail price, where it has one [false] */
    bool description;         /* its plain text becomes Sitoo's description [false] */
    bool images;              /* the first image of each SKU goes to Sitoo [false] */
    bool hidden_stays_active; /* "hidden": "active": is_visible and availability do not hide in the POS ["inactive"] */
    bool quarantine;          /* SKUs that are only in Sitoo are hidden in the POS by the sweep [false] */
    struct mapping_pairs vat_groups; /* tax class -> product group (vatid) of Sitoo */
    int64_t default_vat_group;       /* of a tax class that the table lacks; 0 = such a product is parked [null] */
    int64_t price_list_id;           /* of BigCommerce; needed with from_price_list */
    int64_t sale_price_list_id;      /* Sitoo's list for sale prices, not 1; 0 = they go into the default list [null] */
    enum barcode_source barcodes[2]; /* the first that is not empty counts ["gtin", "upc"] */
    size_t barcode_count;            /* 0 = barcodes are not ours */
    char unit_label[32];             /* "" = not ours */
    struct mapping_pairs manufacturers, categories; /* of brand and category ids; what is not listed is not ours */
    int64_t debounce_s;  /* after a webhook, how long further ones are waited for [60] 0..3600 */
    int64_t sweep_hours; /* both catalogs are compared this often [24] 1..168 */
};

/*
 * Who is told when, beside the lists of cases (docs/operations.md, "Notifications", "Windows and time to loss").
 *
 *   "notify":  { "causes": ["brake", ...], "quiet_minutes": 30 },
 *   "silence": { "enabled": true, "missed_movements": 12, "at_least_minutes": 30 }
 */
struct mapping_notify {
    char **causes; /* of cases that are urgent; without the list the ones of mapping_notify.c */
    size_t cause_count;
    int64_t quiet_minutes;    /* a case that comes again this soon is not told again before [30] 0..10080 */
    bool silence;             /* silence.enabled [true] */
    int64_t missed_movements; /* silence.missed_movements [12] 3..10000 */
    int64_t silent_minutes;   /* silence.at_least_minutes [30] 5..10080 */
};

/*
 * How often functions/sweep looks for what no event told.
 *
 *   "sweep": { "orders_minutes": 10, "bigcommerce_minutes": 10, "web_orders_hours": 24, "stock_hours": 24,
 *              "levels_minutes": 60, "moved_minutes": 10, "grace_s": 120, "orders_overlap": 200 }
 */
struct mapping_sweep {
    int64_t orders_minutes;      /* Sitoo's orders, by id, and those that are open [10] 1..1440 */
    int64_t bigcommerce_minutes; /* web orders and refunds, by date [10] 1..1440 */
    int64_t web_orders_hours;    /* every open web order is looked at once in this time [24] 1..168 */
    int64_t stock_hours;         /* every level is compared with Sitoo once in this time [24] 1..168 */
    int64_t levels_minutes;      /* BigCommerce's levels are compared with what was written [60] 5..10080 */
    int64_t moved_minutes;       /* SKUs that moved are compared again so much later [10] 1..1440 */
    int64_t grace_s;             /* so long an event may be late before what it tells counts as missed [120] 1..3600 */
    int64_t orders_overlap;      /* ids of Sitoo's orders that are read again behind the cursor [200] 0..5000 */
};

/* How often the sweep begins a work anew, in ms; 0 = there is no such work. */
int64_t mapping_sweep_every(const struct mapping_sweep *s, const char *work);

struct mapping {
    struct mapping_location *locations; /* "locations" first, then "pickup" */
    size_t location_count;
    int64_t *warehouses; /* every mapped warehouse once, ascending */
    size_t warehouse_count;

    int64_t shipping_location_id; /* 0 = not named */
    int64_t *allocate_from;
    size_t allocate_from_count;
    bool allow_split, return_only;

    /* sitoo.*: the UNSURE register of docs/unsure.md; defaults in brackets */
    int64_t sitoo_max_inflight;    /* calls at once per API key [1] 1..10 */
    int64_t sitoo_min_interval_ms; /* pause between calls of one key [0] 0..60000 */
    int64_t sitoo_page_size;       /* [1000] 10..5000 */
    int64_t sitoo_cursor_overlap;  /* ids read again behind the ledger cursor [50] 0..1000 */
    bool
        sitoo_ledger_levels; /* [true] stock on hand is taken from the ledger; false: every warehouse touched is read */
    int64_t sitoo_reserve_days; /* [0] 0..365, used by later releases */
    int64_t
        sitoo_bad_auth_status;   /* sitoo.events.bad_auth_status: answer to wrong event credentials [503]; 401 or 503 */
    char sitoo_order_prefix[16]; /* sitoo.order_prefix: our own orders' externalid begins so ["BC-"] [A-Za-z0-9_-]{1,15}
                                  */

    int64_t budget_reserve_percent; /* of BigCommerce's quota left to other apps [10] 0..90 */
    int64_t weight_stock, weight_orders, weight_refunds, weight_rest; /* [60 25 10 5]; must add up to 100 */

    int64_t brake_max_zeroed_skus; /* one write [200] 1..1000000 */
    int64_t brake_max_units_moved; /* one write [5000] 1..1000000000 */

    int64_t brake_price_percent;   /* brake.max_price_change_percent of one SKU [50] 1..100000 */
    int64_t brake_max_deactivated; /* brake.max_deactivated_skus in 24 hours [200] 1..1000000 */

    int64_t confirm_delay_ms;   /* bigcommerce.confirm_delay_ms: first read-back after a write [1000] 100..600000 */
    int64_t confirm_timeout_ms; /* bigcommerce.confirm_timeout_ms: then the level is written again [10000] */
    int64_t orders_overlap_s;   /* bigcommerce.orders_overlap_s: modification dates read again [120] 10..86400 */
    int64_t
        orders_days; /* bigcommerce.orders_days: how far back open web orders are read at first start [30] 1..3650 */

    struct mapping_baseline baseline;
    struct mapping_returns returns;
    struct mapping_web web;
    struct mapping_products products;
    struct mapping_notify notify;
    struct mapping_sweep sweep;

    char owner_mapping[40], owner_stock[40], owner_money[40],
        owner_pickup[40]; /* [merchandising operations finance store] */
};

/*
 * Reads and checks the text of a mapping file. Returns NULL if there is any mistake; each is one line in mistakes
 * ("mapping file: locations[0].bigcommerce_location_id: missing, give the id of a BigCommerce location"). Checks
 * besides types and limits: a location mapped twice (also by pickup), a warehouse twice in one location, a warehouse in
 * several pool locations, shipping.location_id not mapped, allocate_from naming a warehouse that no location maps,
 * return_only with a mapped shipping location (design: refused), weights not adding up to 100, at least one location.
 * The caller frees with mapping_free.
 */
struct mapping *mapping_read(const char *text, size_t len, struct buf *mistakes) NODISCARD;
/* The same from a file; a missing or unreadable one is a mistake too. */
struct mapping *mapping_load(const char *path, struct buf *mistakes) NODISCARD;
void mapping_free(struct mapping *m);
/* The section "baseline" of the file (mapping_baseline.c); part of mapping_read. */
void mapping_read_baseline(const cJSON *root, struct mapping *m, struct buf *mistakes);

/* The section "web_orders", and what "sitoo" says of such orders (mapping_web.c); part of mapping_read. */
struct at;
void mapping_read_web(const struct at *root, struct mapping *m);

/* The sections "notify" and "silence" (mapping_notify.c); part of mapping_read and mapping_free. */
void mapping_read_notify(const struct at *root, struct mapping *m);
void mapping_free_notify(struct mapping_notify *n);
/* The section "sweep" (mapping_sweep.c); part of mapping_read. */
void mapping_read_sweep(const struct at *root, struct mapping *m);

/* The section "products" (mapping_products.c); part of mapping_read and mapping_free. */
void mapping_read_products(const struct at *root, struct mapping *m);
void mapping_free_products(struct mapping_products *p);
/* What `web` is in Sitoo; 0 = not listed. */
int64_t mapping_pair(const struct mapping_pairs *p, int64_t web);

/* The section "returns" (mapping_returns.c); part of mapping_read and mapping_free. */
void mapping_read_returns(const cJSON *root, struct mapping *m, struct buf *mistakes);
void mapping_free_returns(struct mapping_returns *r);

/* Unsellable if the reason or the receiving warehouse says so; sellable only if nothing objects. reason: NULL = none.
 */
enum verdict mapping_verdict(const struct mapping_returns *r, const char *reason, int64_t warehouse_id);
enum payer mapping_payer(const struct mapping_returns *r, const char *payment_name);
/* "sellable", "unsellable", "unknown"; "paid_at_till", "pay_in_bigcommerce", "unknown". */
const char *verdict_name(enum verdict v);
const char *payer_name(enum payer p);

/* How many of Sitoo's things one call may ask for by name: `most`, or fewer if a page holds fewer. */
size_t mapping_per_call(const struct mapping *m, size_t most);
/* Position in m->warehouses, or -1 if the warehouse is not mapped. */
int64_t mapping_warehouse_index(const struct mapping *m, int64_t warehouse_id);
/* The pickup entry of a BigCommerce location, or by pickup method if location_id is 0; NULL if none. */
const struct mapping_location *mapping_pickup(const struct mapping *m, int64_t location_id, int64_t pickup_method_id);
/* The pickup entry that lists this name of a shipping method (letter case and outer spaces do not count), or NULL. */
const struct mapping_location *mapping_pickup_named(const struct mapping *m, const char *shipping_method);

#endif
