/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Every Redis key, in one place. All begin with the tenant's hash tag, "{default}:"; the Redis functions of
 * shared/lua build the ones marked F from the same names.
 *
 *   key                  type    life            writer, meaning
 *   due:<queue>          zset    until closed    F  score = next moment at which the entity may be taken
 *   job:<queue>:<entity> hash    until closed    F  gen cgen tries tok lease by since till hint data cause
 *   journal              stream  14 days         F  source, id, bytes as received; of a webhook its path
 *   idem:<source>:<id>   string  8 days          F  the event was journalled
 *   op:<id>              string  90 days         F  the operation was recorded; of a unit that came back: 400 days
 *   ledger               stream  90 days         F  row: JSON, one per sale, movement, write, decision; c: its link,
 *                                                    see docs/ledger.md
 *   ledger:chain         hash    for ever        F  of the newest entry: n, at (ms), head; days, cut_ms: 16_ledger.lua
 *   ledger:export        hash    for ever        F  where the last export ended: id n head file sha256 at_ms
 *   parked               zset    until closed    F  case ids by first time
 *   case:<id>            hash    until closed    F  cause owner entity text effect step count first last ...
 *   ignore               set     for ever        F  case ids that a person chose to ignore
 *   count                hash    for ever        F  counters for /metrics
 *   schema               hash    for ever        F  version of what the keys mean, see schema.h
 *   token                string  for ever        F  fencing tokens; starts at the time in microseconds
 *   lease:<name>         hash    its ttl         F  holder token
 *   lease:sitoo:<k>:<s>  string  its ttl         F  one call in flight per API key
 *   permits              hash    for ever        F  "key:slot" -> who holds the permit
 *   rate:bigcommerce     hash    for ever        F  until quota left reset window inflight fails shares fresh, see
 *                                                    45_budget.lua
 *   rate:sitoo:<k>       hash    for ever        F  until fails why (status that it pauses for)
 *   fair:<platform>      hash    for ever        F  v f1..f4 w1..w4: whose turn it is when calls go one at a time
 *   intents              hash    until closed    F  write-ahead intents: id -> JSON
 *   pending:orders       hash    until closed    F  web orders that hold stock
 *   pending:qty          hash    until closed    F  "warehouse|sku" -> thousandths
 *   handed               hash    90 days after   F  web order -> JSON: what it holds and what of it Sitoo has, see
 *                                                    shared/lua/80_pending.lua
 *   handed:open          hash    until closed    F  "warehouse|sku" -> thousandths that our open orders should reserve
 *   handed:at:<w>|<s>    set     until closed    F  the orders in it
 *   handed:lack:<w>|<s>  set     until closed    F  those of them whose reservation was not seen
 *   handed:short         hash    until closed    F  "warehouse|sku" -> thousandths below 0, while our orders are open
 *   handed:due           set     until taken     F  web orders whose reservation was seen and not taken over yet
 *   handed:done          zset    90 days         F  web orders that have nothing open in Sitoo, by time
 *   withheld:l, :r       hash    until closed    F  "warehouse|sku" -> thousandths, by ledger and by return orders
 *   level:<mode>         hash    for ever        F  "location|sku" -> last written level, see 70_level.lua
 *   unconfirmed          zset    until closed    F  levels to read back
 *   recheck              zset    until closed    F  levels to look at once more, see 70_level.lua
 *   unidentified         hash    until closed    F  sku -> times sold before anybody knew its BigCommerce item
 *   lag:buckets          hash    for ever        F  lags as a histogram, see 11_windows.lua
 *   window:open          hash    until confirmed F  "location|sku" -> times of a movement that the shop does not show yet
 *   window:sent          string  for ever        F  ms when the last write of levels left
 *   windows:<day>, windows:offline:<day>  zset  14 days  F  the worst 1,000 windows of a day, JSON by duration
 *   windows:sum:<day>    hash    90 days         F  n ms worst offline
 *   placed               zset    14 days         stock-moved: web orders by the time they were placed, newest 200,000
 *   placed:skus:<day>    hash    15 days         web order of that day -> JSON list of the SKUs it held
 *   answers              hash    for ever        F  calls of platforms that were not taken, see 12_answers.lua
 *   shop:<warehouse>     hash    for ever        F  when a shop is usually busy, see 13_shops.lua
 *   notify:causes, :new:<channel>, :told:<channel>, :batch:<channel>, :state  F  see 87_notify.lua
 *   replay:<id>          hash    7 days          F  one look of onepool replay, and how far it was applied: state at
 *                                                    done choice to_ms by, see 89_replay.lua
 *   lag:accepted, :confirmed  list  7 days       F  last 10,000 lags in ms
 *   cursor               hash    until closed    F  stock-moved: ledger, begin (ids), orders, since (ms)
 *   hooks                hash    for ever        F  our webhooks: good:<scope>, silent, silent:products, see
 *                                                    82_hooks.lua
 *   seen:ledger          zset    newest 2,000    F  stock-moved: ledger ids handled, for the overlap
 *   chain:<warehouse>    hash    for ever        F  stock-moved: sku -> "id total seen_ms": last ledger row
 *   stock:<warehouse>    hash    2 days          stock-moved: sku -> "available reserved read_ms"
 *   verify               zset    until closed    stock-moved: "warehouse|sku" computed from the ledger, to be read
 *   sku:<sku>            string  1 day           identity: "state product variant"; unusable ones 10 minutes
 *   bcsku                hash    for ever        identity: "product:variant" -> sku
 *   exists:<sku>         string  1 day           stock-moved: the SKU exists in Sitoo with stock counting on
 *   filled:<warehouse>   string  1 day           stock-moved: the warehouse has rows at all
 *   baseline             hash    for ever        F  one reading of both shops: phase, progress, report, accepted, begun
 *   baseline:orders      hash    until closed    F  web order -> "class by", see weborder.h; gone with its status
 *   baseline:rows        hash    see below       F  web order -> JSON {status, created, modified, rows}
 *   baseline:notes       hash    7 days          F  web order -> what the look-up in Sitoo says of it
 *   baseline:stock:<w>   hash    7 days          F  sku -> thousandths available in Sitoo, as read
 *   baseline:items       hash    7 days          F  "product:variant" -> "location:level ... sku", as read
 *   baseline:products    hash    7 days          F  BigCommerce product -> JSON {tracking, several, price, name}
 *   baseline:sitoo       hash    7 days          F  Sitoo product -> "counted sku"
 *   baseline:price       hash    7 days          F  BigCommerce variant -> price of a differing SKU
 *   baseline:diff        hash    7 days          F  "location|sku" -> "was level": the differences of the report
 *   baseline:allow       hash    see below       F  the same, accepted: the brake lets exactly these pass
 *                        rows and allow: 7 days; after an acceptance until the writer has begun, then 1 day
 *   goods:<order>        hash    400 days        F  goods of a refunded web order that a person had booked in: Sitoo's
 *                                                    transaction -> "thousandths sku"
 *   shop:checked         string  1 day           stock-moved: token of the writer that looked at the store's settings
 *   epoch                hash    for ever        F  what Redis holds: id, state, step of its rebuild, see 95_epoch.lua;
 *                                                    rewritten = run of Redis whose file is good, see stock-moved/aof.h
 *   brake                string  10 minutes      onepool brake --release: one held write may pass
 *   withheld:row:<r>:<i> hash    until closed    F  units of a return's row that are not on sale: warehouse sku left
 *                                                    verdict reason since
 *   withheld:gone        hash    until closed    F  "warehouse|sku" -> "thousandths ms": left before they were judged
 *   withheld:rows        zset    until closed    F  "return:item" by the time they came back
 *   withheld:of:<w>|<s>  zset    until closed    F  the same of one warehouse and SKU
 *   return:<id>          string  90 days         F  JSON: the three verdicts of a return, see functions/return/report.h
 *   returns              zset    newest 10,000   F  return (Sitoo order id) by the time it was last worked on
 *   settle:<reference>   string  its ttl         return: a refund was sent a moment ago; it is not sent again meanwhile
 *   shadow               stream  90 days         gate: writes that shadow mode did not send
 *   shadow:shown         hash    90 days         F  "location|sku" -> "level first_ms last_ms" that BigCommerce showed,
 *                                                    while in shadow mode, see 69_shadow.lua
 *   shadow:seen          stream  90 days         F  its changes: place level was until
 *   shadow:due           zset    90 days         F  places to look at, by when
 *   shadow:orders        hash    90 days         F  web order -> JSON: when it was placed and which units it takes
 *   shadow:orders:at     zset    90 days         F  the same by time
 *   ready                string  1 minute        acceptors: proof that Redis takes writes
 *   hook:<digest>        string  50 hours        F  a signed call of BigCommerce was taken, see hook_signature.h
 *   products             hash    for ever        F  BigCommerce product -> what was last sent, see product_known.h
 *   product:skus         hash    for ever        F  SKU -> "product:variant" that wanted it last
 *   product:variants     hash    for ever        F  BigCommerce variant -> product
 *   product:barcodes     hash    for ever        F  code -> "variant product SKU" that has it
 *   product:folded       hash    for ever        F  SKU without case, spaces, dashes -> SKU as Sitoo has it
 *   catalog              hash    for ever        F  loaded, halt, load_*, see product_known.h
 *   catalog:off          set     24 hours        F  SKUs that were to be hidden in the tills in this window
 *   exceptions           list    until next one  F  JSON rows of the last sweep, see 86_exceptions.lua
 *   exceptions:meta      hash    until next one  F  of the sweep: its id, at_ms, currency, n, count of each kind
 *   exceptions:cases     set     until next one  F  ids of the cases that the sweep raised
 *   exceptions:new:<s>   list    1 hour          rows of a sweep that is being stored
 *   sweep                hash    for ever        F  where each work of the sweep is, and when it last ended, see
 *                                                    89_sweep.lua
 *   sweep:late           hash    minutes         F  Sitoo order -> "first_ms digest": its event may still come
 *   sweep:late:at        zset    minutes         F  the same orders by first_ms
 *   sweep:suspects       hash    minutes            "location|sku" -> a level that differed once, see suspects.h
 *   sweep:web_orders     list    a round             web orders that the round has still to look at
 *   told:<platform>      zset    newest 20,000   F  orders by the time at which an event last named them
 *   orders:open          hash    until closed    F  Sitoo order -> digest, of orders that are open
 *   said:signature:<v>   string  1 minute        acceptors: a line about that verdict was logged
 */
/* clang-format on */
#ifndef ONEPOOL_KEYS_H
#define ONEPOOL_KEYS_H

#define QUEUE_ORDER  "order"  /* entity: Sitoo order id */
#define QUEUE_SALE   "sale"   /* entity: Sitoo order id; data: rows sold */
#define QUEUE_RETURN "return" /* entity: Sitoo order id; data: rows returned */
/* entity: SKU; hint: words w<id> (read the warehouse), v<id> (its ledger moved), b (BigCommerce moved), f (write
 * again), s (sold, not identified) */
#define QUEUE_SKU    "sku"
#define QUEUE_LEDGER "ledger" /* entity: "main" */
#define QUEUE_ITEM   "item"   /* entity: "product:variant" of BigCommerce */
/* The same entity on three queues, each of one function: a BigCommerce order, which is brought to its right state on
 * both platforms. hint: f (a person asks again), s (the sweep's daily look: what it finds nobody had told) */
#define QUEUE_HANDOVER "handover" /* order-created; open orders stay here as timers */
#define QUEUE_WEBORDER "weborder" /* order-updated */
#define QUEUE_PICKUP   "pickup"   /* pickup-updated */
#define QUEUE_REFUND   "refund"   /* entity: BigCommerce order id, whose refunds are to be looked at */
/* entity: "main", a timer: which orders have refunds that nobody told us of */
#define QUEUE_REFUNDS  "refunds"
#define QUEUE_NOTIFY   "notify" /* timers: NOTIFY_WEBHOOK, NOTIFY_EMAIL, NOTIFY_SILENCE */
#define NOTIFY_WEBHOOK "webhook"
#define NOTIFY_EMAIL   "email"
#define NOTIFY_SILENCE "silence" /* are shops silent that are usually busy */
#define QUEUE_HOOKS    "hooks"   /* entity: "main", a timer: are our webhooks as they should be */
/* entity: BigCommerce product id, or "v<variant>" of a price list's record whose product is not known. hint: f (a
 * person asks again: a large change of price may pass), d (compare with Sitoo, whatever was sent) */
#define QUEUE_PRODUCT "product"
#define QUEUE_IMAGE                                                                                  \
    "image" /* entity: BigCommerce product id, whose images are to be compared with what was brought \
             */
/* entity: CATALOG_SWEEP, a timer: both catalogs are compared; a person lets what the brake held pass (CATALOG_RELEASE),
 * or what a halt stopped go on (CATALOG_RESUME) */
#define QUEUE_CATALOG   "catalog"
#define CATALOG_SWEEP   "sweep"
#define CATALOG_RELEASE "release"
#define CATALOG_RESUME  "resume"

#define QUEUE_SWEEP \
    "sweep" /* entity: a work of functions/sweep, a timer each. hint: f (a person asks: all of it, now) */

/* Longest key without the tenant: the longest SKU (SKU_BYTES_MAX of sku.h) and a prefix. */
#define KEY_MAX 1100

#define KEY_PRODUCTS          "products"
#define KEY_PRODUCT_SKUS      "product:skus"
#define KEY_PRODUCT_VARIANTS  "product:variants"
#define KEY_PRODUCT_BARCODES  "product:barcodes"
#define KEY_PRODUCT_FOLDED    "product:folded"
#define KEY_PRODUCT_IMAGES    "product:images"
#define KEY_CATALOG           "catalog"
#define KEY_CURSOR            "cursor"
#define KEY_SEEN              "seen:ledger"
#define KEY_HOOKS             "hooks"
#define KEY_CHAIN             "chain:%lld"
#define KEY_STOCK             "stock:%lld"
#define KEY_VERIFY            "verify"
#define KEY_SKU               "sku:%s"
#define KEY_BCSKU             "bcsku"
#define KEY_EPOCH             "epoch"
#define KEY_EXISTS            "exists:%s"
#define KEY_FILLED            "filled:%lld"
#define KEY_PENDING_ORDERS    "pending:orders"
#define KEY_PENDING_QTY       "pending:qty"
#define KEY_HANDED            "handed"
#define KEY_HANDED_OPEN       "handed:open"
#define KEY_HANDED_DUE        "handed:due"
#define KEY_WITHHELD_LEDGER   "withheld:l"
#define KEY_WITHHELD_RETURN   "withheld:r"
#define KEY_LEVEL_LIVE        "level:live"
#define KEY_LEVEL_SHADOW      "level:shadow"
#define KEY_UNCONFIRMED       "unconfirmed"
#define KEY_WRITER            "lease:writer"
#define KEY_RATE_BIGCOMMERCE  "rate:bigcommerce"
#define KEY_LAG_ACCEPTED      "lag:accepted"
#define KEY_LAG_CONFIRMED     "lag:confirmed"
#define KEY_LAG_BUCKETS       "lag:buckets"
#define KEY_WINDOWS           "windows:%lld"
#define KEY_WINDOWS_OFFLINE   "windows:offline:%lld"
#define KEY_WINDOWS_SUM       "windows:sum:%lld"
#define KEY_PLACED            "placed"
#define KEY_PLACED_SKUS       "placed:skus:%lld"
#define KEY_IGNORE            "ignore"
#define KEY_BRAKE             "brake"
#define KEY_SHOP_CHECKED      "shop:checked"
#define KEY_SHADOW            "shadow"
#define KEY_SHADOW_SHOWN      "shadow:shown"
#define KEY_SHADOW_SEEN       "shadow:seen"
#define KEY_SHADOW_DUE        "shadow:due"
#define KEY_SHADOW_ORDERS     "shadow:orders"
#define KEY_RETURN            "return:%lld"
#define KEY_WITHHELD_ROWS     "withheld:rows"
#define KEY_WITHHELD_ROW      "withheld:row:%s"
#define KEY_RETURNS           "returns"
#define KEY_SETTLE            "settle:%s"
#define KEY_READY             "ready"
#define KEY_HOOK              "hook:%s"
#define KEY_SAID              "said:signature:%s"
#define KEY_PARKED            "parked"
#define KEY_CASE              "case:%s"
#define KEY_COUNT             "count"
#define KEY_INTENTS           "intents"
#define KEY_LEDGER            "ledger"
#define KEY_LEDGER_CHAIN      "ledger:chain"
#define KEY_LEDGER_EXPORT     "ledger:export"
#define KEY_JOURNAL           "journal"
#define KEY_REPLAY            "replay:%s"
#define KEY_GOODS             "goods:%lld"
#define KEY_OP                "op:%s"
#define KEY_BASELINE          "baseline"
#define KEY_BASELINE_ORDERS   "baseline:orders"
#define KEY_BASELINE_ROWS     "baseline:rows"
#define KEY_BASELINE_NOTES    "baseline:notes"
#define KEY_BASELINE_STOCK    "baseline:stock:%lld"
#define KEY_BASELINE_ITEMS    "baseline:items"
#define KEY_BASELINE_PRODUCTS "baseline:products"
#define KEY_BASELINE_SITOO    "baseline:sitoo"
#define KEY_BASELINE_PRICE    "baseline:price"
#define KEY_BASELINE_DIFF     "baseline:diff"
#define KEY_BASELINE_ALLOW    "baseline:allow"
#define KEY_EXCEPTIONS        "exceptions"
#define KEY_EXCEPTIONS_META   "exceptions:meta"
#define KEY_EXCEPTIONS_PART   "exceptions:new:%s"
#define KEY_SWEEP             "sweep"
#define KEY_SWEEP_SUSPECTS    "sweep:suspects"
#define KEY_SWEEP_LATE        "sweep:late"
#define KEY_TOLD              "told:%s"
#define KEY_ORDERS_OPEN       "orders:open"

#endif
