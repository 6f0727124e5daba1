# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's REST API as far as stock needs it: shared quota, asynchronous levels, two families of error bodies."""
import json
import time

from hookcalls import ROUTES as HOOK_ROUTES
from hookcalls import HookCalls
from hooks import Hooks
from inventory import UNMAPPED
from ordercalls import ROUTES as ORDER_ROUTES
from ordercalls import OrderCalls
from payments import ROUTES as PAYMENT_ROUTES
from payments import Answered, PaymentActions
from pickups import ROUTES as PICKUP_ROUTES
from pickups import Pickups
from refunds import Refunds
from server import Platform, Reply
from shipments import ROUTES as SHIPMENT_ROUTES
from shipments import Shipments
from units import parse_date
from webimages import images, variant_url
from webprices import MODIFIED, TAX_CLASSES, PriceCalls, PriceLists, iso
from webprices import ROUTES as PRICE_ROUTES

STORE = "simstore"
TOKEN = "sim-bc-token"
STATUS_PAGE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
PROBLEM = "application/problem+json"
LARGEST_BATCH = 2000  # bigcommerce.md 6.2

TITLES = {400: "Input is invalid.", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
          504: "Gateway Timeout", 404: "Not Found", 405: "Method Not Allowed",
          401: "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store."}


def v3_error(status, title=None, media="application/json"):
    """bigcommerce.md 2: v3 errors are objects; inventory's have media type application/problem+json."""
    return Reply(status, {"status": status, "title": title or TITLES.get(status, "Error"), "type": STATUS_PAGE,
                          "errors": {}}, media)


def v2_error(status, message=None):
    """bigcommerce.md 2: v2 errors are arrays."""
    text = {404: "The requested resource was not found."}.get(status) or TITLES.get(status, "Error")
    return Reply(status, [{"status": status, "message": message or text}])


class BadPage(Exception):
    """limit or page is not acceptable."""


class BigCommerce(OrderCalls, PaymentActions, HookCalls, PriceCalls, Shipments, Pickups, Platform):
    """Mounted at /stores/simstore/."""

    name = "bigcommerce"

    def __init__(self, catalog, inventory, orders, tracker, counters, record, latency_ms, seed, quota, window_ms):
        super().__init__(counters, record, latency_ms, seed)
        self.catalog, self.inventory, self.orders, self.tracker = catalog, inventory, orders, tracker
        self.quota, self.window_ms = quota, window_ms
        self.webhooks = Hooks(counters, seed)
        self.v2_page = 250  # the longest page of a list of web orders
        self.orders.tell = self.webhooks.raise_event
        self.inventory.on_land = self.levels_landed
        self.pickups = []
        self.others = 0  # requests that other apps of the shop make in every window: the quota is shared
        self.window_start, self.used = time.monotonic(), 0
        self.writing = set()  # adjustments in flight
        self.refunding = []  # calls in flight that refund something, in order of arrival
        self.refunds = Refunds(orders)
        self.next_metafield = 0
        self.currency, self.prices_with_tax = "SEK", True  # of the store
        self.tax_classes, self.price_lists = dict(TAX_CLASSES), PriceLists(catalog)
        self.labels = {}  # location -> label, where it is not "Location N"

    # ---------------------------------------------------------------- the frame

    @staticmethod
    def _family(call):
        """v2, v3 or inventory: which shape an error has."""
        version = call.segments[2] if len(call.segments) > 2 else "v3"
        return "inventory" if version == "v3" and call.segments[3:4] == ["inventory"] else version

    def failure(self, status, call):
        family = self._family(call)
        if family == "v2":
            return v2_error(status)
        return v3_error(status, media=PROBLEM if family == "inventory" else "application/json")

    def _window(self):
        """Fixed windows (bigcommerce.md 4, Quota). Returns milliseconds until the next."""
        now = time.monotonic()
        passed = (now - self.window_start) * 1000
        if passed >= self.window_ms:
            self.window_start += int(passed // self.window_ms) * self.window_ms / 1000
            self.used = 0
            passed = (now - self.window_start) * 1000
        return max(1, int(self.window_ms - passed))

    def window_left(self):
        """Milliseconds until the quota's next window."""
        return self._window()

    def _rate_headers(self, reply):
        """On every answer (bigcommerce.md 4, Headers)."""
        reset = self._window()
        reply.headers.update({
            "X-Rate-Limit-Time-Window-Ms": str(self.window_ms), "X-Rate-Limit-Time-Reset-Ms": str(reset),
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Requests-Left": str(max(0, self.quota - self.others - self.used))})
        return reply

    def refusal(self, with_headers, call):
        """429 with headers = wait for the reset; without = the platform is under load (bigcommerce.md 4). No body."""
        reply = Reply(429)
        return self._rate_headers(reply) if with_headers else reply

    def enter(self, call):
        self._window()
        if self.used >= self.quota - self.others:
            self.counters.numbers["quota_violations"] += 1
            reply = Reply(429)
            reply.headers["X-Retry-After"] = str(-(-self._window() // 1000))
            return reply
        self.used += 1
        if call.segments[:2] != ["stores", STORE] or call.request.headers.get("X-Auth-Token") != TOKEN:
            return self.failure(401, call)
        if self._is_adjustment(call):
            if any(not other.gone() for other in self.writing):
                self.counters.numbers["overlapping_writes"] += 1
            self.writing.add(call)
        if call.method == "POST" and call.segments[-2:] == ["payment_actions", "refunds"]:
            self.refunding.append(call)
        return None

    @staticmethod
    def _is_adjustment(call):
        return call.segments[3:5] == ["inventory", "adjustments"] and call.method in ("PUT", "POST")

    def leave(self, call):
        self.writing.discard(call)
        if call in self.refunding:
            self.refunding.remove(call)

    def finish(self, reply, call):
        self._rate_headers(reply)

    def classify(self, call):
        return "/".join("*" if s.isdigit() else s for s in call.segments[2:])

    def route(self, call):
        """Paths as tuples; numbers in them become parameters."""
        path = tuple(call.segments[2:])
        shape = tuple("*" if s.isdigit() else s for s in path)
        ids = [int(s) for s in path if s.isdigit()]
        if path[:2] in (("v3", "catalog"), ("v3", "pricelists")) and call.method != "GET":
            self.counters.numbers["catalog_writes"] += 1  # BigCommerce is the product master
        method = self.ROUTES.get((call.method, shape))
        if method is None:
            known = any(other == shape for _, other in self.ROUTES)
            return self.failure(405 if known else 404, call)
        try:
            return method(self, call, *ids)
        except (BadPage, Answered) as bad:
            return bad.args[0]

    # ---------------------------------------------------------------- paging

    def _page(self, call, default, largest, clamp=False):
        """(page, limit). A limit too high is 413 (bigcommerce.md 2); v2 orders: clamped (its maximum is UNSURE)."""
        try:
            number, limit = int(call.query.get("page") or 1), int(call.query.get("limit") or default)
        except ValueError:
            raise BadPage(self.failure(400, call)) from None
        if number < 1 or limit < 1:
            raise BadPage(self.failure(400, call))
        if limit > largest and not clamp:
            raise BadPage(v3_error(413, f"The maximum limit is {largest}.", PROBLEM))
        return number, min(limit, largest)

    def _v3_list(self, found, number, limit, make):
        """data[] and meta.pagination; `next` is absent on the last page (bigcommerce.md 3)."""
        part = found[(number - 1) * limit:number * limit]
        pages = max(1, -(-len(found) // limit))
        links = {"current": f"?page={number}&limit={limit}"}
        if number < pages:
            links["next"] = f"?page={number + 1}&limit={limit}"
        return Reply(200, {"data": [make(x) for x in part], "meta": {"pagination": {
            "total": len(found), "count": len(part), "per_page": limit, "current_page": number, "total_pages": pages,
            "links": links}}})

    # ---------------------------------------------------------------- the shop

    def shop_time(self, call):
        return Reply(200, {"time": int(time.time())})

    def store(self, call):
        return Reply(200, {
            "id": STORE, "store_id": 4884, "domain": "shop.example.com", "secure_url": "https://shop.example.com",
            "status": "live", "name": "Simulated shop", "timezone": {"name": "Etc/UTC", "raw_offset": 0, "dst_offset": 0,
                                                                     "dst_correction": False}, "currency": self.currency,
            "decimal_places": 2, "weight_units": "KGS", "plan_name": "Plus", "plan_level": "Plus", "plan_is_trial": False,
            "is_price_entered_with_tax": self.prices_with_tax, "default_channel_id": 1, "country_code": "SE", "logo": [], "features": {}})

    def change_store(self, name, value):
        """What GET /v2/store says of prices; raises store/information/updated (bigcommerce.md 5.5)."""
        if name == "bc_currency":
            self.currency = str(value)
        else:
            self.prices_with_tax = bool(value)
        self.webhooks.raise_event("store/information/updated", {"type": "store"})

    def inventory_settings(self, call):
        """What onepool checks at start (design): refunds do not adjust stock, orders take it when placed."""
        return Reply(200, {"data": {
            "product_out_of_stock_behavior": "do_nothing", "option_out_of_stock_behavior": "label_option",
            "update_stock_behavior": "order_placed", "edit_order_stock_adjustment": True,
            "refund_order_stock_adjustment": self.orders.restock, "stock_level_display": "dont_show",
            "default_out_of_stock_message": "Currently out of stock", "hide_in_product_filtering": False,
            "show_pre_order_stock_levels": False, "show_out_of_stock_message": False}, "meta": {}})

    def _location(self, number):
        return {"id": number, "code": f"LOCATION-{number}", "label": self.labels.get(number, f"Location {number}"), "description": "",
                "managed_by_external_source": number != UNMAPPED, "type_id": "PHYSICAL", "enabled": True,
                "operating_hours": {}, "time_zone": "Etc/UTC", "created_at": "2022-01-01T00:00:00.0001",
                "updated_at": "2022-02-02T00:00:00.0001", "address": {"country_code": "SE"},
                "storefront_visibility": True, "special_hours": []}

    def locations(self, call):
        number, limit = self._page(call, 50, 1000)
        ids = self.inventory.locations
        if call.query.get("location_id:in"):
            asked = self._ints(call, "location_id:in")
            ids = [i for i in ids if i in asked]
        return self._v3_list(ids, number, limit, self._location)

    # ---------------------------------------------------------------- inventory, reading

    def _ints(self, call, name):
        try:
            return {int(x) for x in call.query[name].split(",") if x.strip()}
        except ValueError:
            raise BadPage(self.failure(422, call)) from None

    def _asked(self, call):
        """Variants that the filters sku:in, variant_id:in, product_id:in leave; a SKU nobody has is simply not there."""
        catalog, query = self.catalog, call.query
        if query.get("sku:in"):
            found = [catalog.by_sku.get(s.lower()) for s in query["sku:in"].split(",")]
        elif query.get("variant_id:in"):
            found = [catalog.by_id.get(i) for i in self._ints(call, "variant_id:in")]
        elif query.get("product_id:in"):
            found = [v for i in self._ints(call, "product_id:in") if i in catalog.products
                     for v in catalog.products[i].variants]
        else:
            return catalog.listed()
        return sorted({v for v in found if v is not None}, key=lambda v: v.index)

    def _identity(self, variant):
        """Items tracked by product carry a variant_id all the same; a base variant has no sku_id (bigcommerce.md 8)."""
        return {"sku": variant.sku, "variant_id": variant.id, "product_id": variant.product.id,
                "sku_id": None if variant.product.single else variant.sku_id}

    def _stock(self, location, unit, shown):
        inventory = self.inventory
        safety = inventory.safety.get((location, unit), 0)
        level = shown.get((location, unit), inventory.level[location][unit])
        return {"available_to_sell": level - safety, "total_inventory_onhand": level,
                "settings": {"safety_stock": safety, "is_in_stock": level - safety > 0, "warning_level": 0,
                             "bin_picking_number": ""}}

    def _tell(self, locations):
        """Levels as they are when the answer is made; told to the tracker when the answer goes out."""
        def on_sent(at, shown):
            for variant, levels in shown:
                if variant.world_index is not None:
                    for location, value in zip(locations, levels):
                        self.tracker.shown(at, variant.world_index, location, value)
        return on_sent

    def _with_levels(self, variants, locations, lagging):
        levels = self.inventory.level
        return [(v, [lagging.get((location, v.unit), levels[location][v.unit]) for location in locations])
                for v in variants]

    def items(self, call):
        """The default of limit is not documented; 50 is assumed (bigcommerce.md 6.3)."""
        number, limit = self._page(call, 50, 1000)
        locations = self.inventory.locations
        if call.query.get("location_id:in"):
            asked = self._ints(call, "location_id:in")
            locations = [i for i in locations if i in asked]
        found, lagging = self._asked(call), self.inventory.shown()

        def make(variant):
            return {"identity": self._identity(variant), "locations": [
                {"location_id": i, "location_code": f"LOCATION-{i}", "location_name": f"Location {i}",
                 "location_enabled": True, **self._stock(i, variant.unit, lagging)} for i in locations]}

        return self._shown(found, number, limit, make, locations, lagging)

    def location_items(self, call, location):
        number, limit = self._page(call, 50, 1000)
        if location not in self.inventory.locations:
            return v3_error(404, media=PROBLEM)

        lagging = self.inventory.shown()

        def make(variant):
            return {"identity": self._identity(variant), **self._stock(location, variant.unit, lagging)}

        return self._shown(self._asked(call), number, limit, make, [location], lagging)

    def _shown(self, found, number, limit, make, locations, lagging):
        reply = self._v3_list(found, number, limit, make)
        levels = self._with_levels(found[(number - 1) * limit:number * limit], locations, lagging)
        tell = self._tell(locations)
        reply.on_sent = lambda at: tell(at, levels)
        return reply

    # ---------------------------------------------------------------- inventory, writing

    def _body_items(self, call):
        """The items of an adjustment, or a Reply that refuses them all."""
        if "application/json" not in call.request.headers.get("Content-Type", ""):
            return v3_error(415, "Unsupported Media Type", PROBLEM)  # bigcommerce.md 1
        try:
            items = json.loads(call.body)["items"]
        except (ValueError, KeyError, TypeError):
            return v3_error(400, media=PROBLEM)
        if not isinstance(items, list) or not items or not all(isinstance(i, dict) for i in items):
            return v3_error(422, "items must be a list that is not empty", PROBLEM)
        if len(items) > LARGEST_BATCH:
            return v3_error(413, f"The request payload is too large. The maximum items allowed in the array is "
                                 f"{LARGEST_BATCH}.", PROBLEM)
        return items

    def _wrong_identity(self, item):
        """(variant, None) or (None, what is wrong). The identity must be of the tracking mode (bigcommerce.md 6.1)."""
        catalog = self.catalog
        if "product_id" in item and "sku" not in item and "variant_id" not in item:
            product = catalog.products.get(item["product_id"])
            if product is None:
                return None, f"Item with product_id {item['product_id']} not found"  # text assumed
            if product.tracking == "product":
                return product.variants[0], None
            if product.tracking == "variant":  # text assumed, in the manner of the documented one
                return None, f"Item with product_id {product.id} is tracked by variant, please update stock by variant id"
            return None, f"Item with product_id {product.id} is not tracked"  # text assumed
        if "variant_id" in item:
            variant = catalog.by_id.get(item["variant_id"])
            name = f"variant_id {item['variant_id']}"
        else:
            variant = catalog.by_sku.get(str(item.get("sku", "")).lower())
            name = f"sku {item.get('sku')}"
        if variant is None:
            return None, f"Item with {name} not found"  # an unknown SKU: 422 expected, text assumed
        if variant.product.tracking == "product" or variant.sku in self.faults.refused_skus():  # documented text
            return None, f"Item with variant_id {variant.id} is tracked by product, please update stock by product id"
        if variant.product.tracking == "none":
            return None, f"Item with variant_id {variant.id} is not tracked"  # text assumed
        return variant, None

    def _understand(self, items, signed):
        """([(location, variant, quantity)], None) or (None, Reply). All or nothing (bigcommerce.md 6.2, assumed)."""
        done, wrong, nowhere = [], [], []
        for position, item in enumerate(items):
            location, quantity = item.get("location_id"), item.get("quantity")
            if type(location) is not int or type(quantity) is not int or (quantity < 0 and not signed):
                # A negative absolute quantity is not documented (bigcommerce.md 6.2); refused here.
                wrong.append(f"items.{position}: location_id and quantity must be whole numbers")
                continue
            if location not in self.inventory.level:
                nowhere.append(str(location))
                continue
            variant, problem = self._wrong_identity(item)
            if problem:
                wrong.append(problem)
            else:
                done.append((location, variant, quantity))
        if nowhere:
            return None, v3_error(422, f"Location not found, identities: [{','.join(nowhere)}]", PROBLEM)
        if wrong:
            return None, v3_error(422, f"[{', '.join(wrong)}]", PROBLEM)
        return done, None

    def absolute(self, call):
        """200 at once, the level later (bigcommerce.md 6.1)."""
        items = self._body_items(call)
        if isinstance(items, Reply):
            return items
        done, refused = self._understand(items, False)
        if refused:
            self.counters.numbers["refused_writes"] += 1
            return refused
        for location, variant, quantity in done:
            if variant.world_index is not None:
                self.tracker.arrived(call.at, variant.world_index, location, quantity)
        alone = len(self.writing) == 1
        late = call.fault["seconds"] if call.fault and call.fault["kind"] == "lands_late" else None
        identity = self.inventory.write([(loc, v.unit, q) for loc, v, q in done], alone, late)
        self.counters.numbers["levels_written"] += len(done)
        self.counters.numbers["unmapped_writes"] += sum(
            1 for loc, _, _ in done if loc not in self.orders.mapping.feeds)

        def answered(at):
            for location, variant, quantity in done:
                if variant.world_index is not None:
                    self.tracker.written(at, variant.world_index, location, quantity)

        return Reply(200, {"transaction_id": identity}, on_sent=answered)

    def relative(self, call):
        """Exists, so that a test can see that it is never used (bigcommerce.md 6.2)."""
        self.counters.numbers["relative_writes"] += 1
        items = self._body_items(call)
        if isinstance(items, Reply):
            return items
        done, refused = self._understand(items, True)
        if refused:
            return refused
        for location, variant, quantity in done:
            if not self.inventory.is_set[location][variant.unit]:
                return v3_error(422, f"Items with identity: [product_id {variant.product.id}] requires absolute adjustment "
                                     f"before relative", PROBLEM)
            if quantity < 0 and self.inventory.available(location, variant.unit) + quantity < 0:
                return v3_error(422, "Insufficient stock", PROBLEM)  # text assumed
        self.inventory.add_later([(loc, v.unit, q) for loc, v, q in done], self.inventory.lag, cause="absolute")
        return Reply(200, {"transaction_id": "00000000-0000-4000-8000-000000000000"})

    # ---------------------------------------------------------------- catalog

    def _choose(self, call, full):
        """include_fields and exclude_fields; id is always there."""
        if call.query.get("include_fields"):
            names = {"id", *call.query["include_fields"].split(",")}
            return {k: v for k, v in full.items() if k in names}
        gone = set(call.query.get("exclude_fields", "").split(","))
        return {k: v for k, v in full.items() if k not in gone}

    def _product(self, call, product, with_variants=False):
        """bigcommerce.md 8. inventory_level is not to be read from here (6.4): only the default location's."""
        units = [v.unit for v in product.variants[:1]]
        full = {
            "id": product.id, "name": product.name, "sku": product.sku, **product.fields, "price": float(product.price),
            "sale_price": float(product.sale_price), "retail_price": float(product.retail_price), "cost_price": 0,
            "map_price": 0, "calculated_price": float(min(product.price, product.sale_price or product.price)), "weight": 1,
            "inventory_tracking": product.tracking, "inventory_level": self.inventory.level[1][units[0]] if units else 0,
            "base_variant_id": product.base_variant_id, "date_created": "2022-01-01T00:00:00+00:00",
            "date_modified": iso(MODIFIED if product.modified is None else product.modified)}
        chosen = self._choose(call, full)
        if "images" in call.query.get("include", "").split(","):
            chosen["images"] = images(call, product)
        if with_variants:
            chosen["variants"] = [self._variant(call, v, True) for v in product.variants]
        return chosen

    def products(self, call):
        number, limit = self._page(call, 50, 250)
        products, query = self.catalog.products, call.query
        included = set(query.get("include", "").split(","))
        if included & {"options", "modifiers", "variants"}:
            limit = min(limit, 10)  # documented for options and modifiers (bigcommerce.md 14, trap 13), here for variants as well
        if query.get("id:in") or query.get("id"):
            name = "id:in" if query.get("id:in") else "id"
            found = [products[i] for i in sorted(self._ints(call, name)) if i in products]
        elif query.get("sku:in") or query.get("sku"):
            names = {s.lower() for s in (query.get("sku:in") or query["sku"]).split(",")}
            found = [p for p in products.values() if p.sku.lower() in names]  # main SKUs only (bigcommerce.md 8)
        else:
            found = list(products.values())
        found = self._products_sorted(call, [p for p in found if self._passes(call, p)])
        return self._v3_list(found, number, limit, lambda p: self._product(call, p, "variants" in included))

    def _passes(self, call, product):
        """date_modified:min and is_visible. A date without a time of day gets the current one (bigcommerce.md 8)."""
        since, visible = call.query.get("date_modified:min"), call.query.get("is_visible")
        if since:
            at = parse_date(since)
            if at is None:
                raise BadPage(self.failure(422, call))
            at += time.time() % 86400 if "T" not in since and len(since) == 10 else 0
            if (MODIFIED if product.modified is None else product.modified) < at:
                return False
        return not visible or (visible.lower() in ("true", "1")) == product.fields["is_visible"]

    def _products_sorted(self, call, found):
        """id:greater, and sort=id with direction (bigcommerce.md 8)."""
        query = call.query
        try:
            after = int(query.get("id:greater") or 0)
        except ValueError:
            raise BadPage(self.failure(422, call)) from None
        if query.get("sort", "id") != "id" or query.get("direction", "asc") not in ("asc", "desc"):
            raise BadPage(self.failure(422, call))
        found = sorted((p for p in found if p.id > after), key=lambda p: p.id)
        return found[::-1] if query.get("direction") == "desc" else found

    def product(self, call, number):
        product = self.catalog.products.get(number)
        if product is None:
            return v3_error(404)
        return Reply(200, {"data": self._product(call, product), "meta": {}})

    def _variant(self, call, variant, whole=False):
        """null = the product's. A base variant has the product's barcodes (assumed)."""
        one, product = variant, variant.product
        codes = product.fields if product.single else {"upc": one.upc, "gtin": one.gtin, "mpn": one.mpn}
        full = {
            "id": one.id, "product_id": product.id, "sku": one.sku, "sku_id": None if product.single else one.sku_id,
            "price": None if one.own_price is None else float(one.own_price), "calculated_price": float(one.effective),
            "sale_price": None if one.sale_price is None else float(one.sale_price),
            "retail_price": None if one.retail_price is None else float(one.retail_price), "weight": None,
            "purchasing_disabled": one.purchasing_disabled, "upc": codes["upc"], "mpn": codes["mpn"], "gtin": codes["gtin"],
            "image_url": variant_url(call, one), "inventory_level": self.inventory.level[1][one.unit],
            "option_values": [] if product.single else [
                {"id": value, "label": label, "option_id": option, "option_display_name": name}
                for option, name, value, label in one.options]}
        return full if whole else self._choose(call, full)

    def variants(self, call):
        """Filters only id, sku, product_id:in; there is no sku:in, an unknown filter is none (bigcommerce.md 8)."""
        number, limit = self._page(call, 50, 250)
        query, catalog = call.query, self.catalog
        if "sku" in query:
            variant = catalog.by_sku.get(query["sku"].lower())
            found = [variant] if variant else []
        elif query.get("id"):
            found = [catalog.by_id[i] for i in sorted(self._ints(call, "id")) if i in catalog.by_id]
        elif query.get("product_id:in"):
            found = [v for i in sorted(self._ints(call, "product_id:in")) if i in catalog.products
                     for v in catalog.products[i].variants]
        else:
            found = catalog.listed()
        return self._v3_list(found, number, limit, lambda v: self._variant(call, v))

    def product_variants(self, call, number):
        page, limit = self._page(call, 50, 250)
        product = self.catalog.products.get(number)
        if product is None:
            return v3_error(404)
        return self._v3_list(product.variants, page, limit, lambda v: self._variant(call, v))

    ROUTES = {
        ("GET", ("v2", "time")): shop_time,
        ("GET", ("v2", "store")): store,
        ("GET", ("v3", "settings", "inventory")): inventory_settings,
        ("GET", ("v3", "inventory", "items")): items,
        ("GET", ("v3", "inventory", "locations")): locations,
        ("GET", ("v3", "inventory", "locations", "*", "items")): location_items,
        ("PUT", ("v3", "inventory", "adjustments", "absolute")): absolute,
        ("POST", ("v3", "inventory", "adjustments", "relative")): relative,
        ("GET", ("v3", "catalog", "products")): products,
        ("GET", ("v3", "catalog", "products", "*")): product,
        ("GET", ("v3", "catalog", "products", "*", "variants")): product_variants,
        ("GET", ("v3", "catalog", "variants")): variants,
        **ORDER_ROUTES, **PAYMENT_ROUTES, **HOOK_ROUTES, **PRICE_ROUTES, **SHIPMENT_ROUTES, **PICKUP_ROUTES,
    }

