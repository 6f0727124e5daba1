# SPDX-License-Identifier: Apache-2.0
"""The control interface: JSON over HTTP by which tests and the demonstration move the simulated shop. README.md lists it."""
import asyncio
import json
from urllib.parse import parse_qsl

from aiohttp import web

import hookcalls
import hooks
import orderdesk
import past
import returns
import shipments
import tilldesk
import webcatalog
import weborderedits
from day import Day, default_phases, phase_of
from units import now_ms
from world import PERSONAL, Refused


# What POST /web-order may say about money (weborders.WebOrders._price).
WEB_MONEY = ("currency", "vat", "order_discount", "shipping", "payments", "guest", "settled")
# And about everything else (weborders.WebOrders.place, more).
WEB_MORE = ("shipping_method", "pickup_method", "pickup_without_location_id", "customer_message", "staff_notes", "address")


class Control:
    """Refusals are 400 {"error": text}; unknown paths 404."""

    def __init__(self, shop):
        self.shop = shop
        self.day = None
        self.day_task = None
        self.routes = {
            ("POST", "/sale"): self.sale, ("POST", "/sales"): self.sales, ("POST", "/return"): self.give_back,
            ("POST", "/booking"): self.booking, ("POST", "/parked-basket"): self.parked,
            ("POST", "/own-order"): self.own_order, **orderdesk.routes(shop),
            ("POST", "/deliver-order"): self.deliver, ("POST", "/update-order"): self.update,
            ("POST", "/move"): self.move, ("POST", "/stocktake"): self.stocktake,
            ("POST", "/web-order"): self.web_order, ("POST", "/web-order-status"): self.web_status,
            ("POST", "/web-refund"): self.web_refund, ("POST", "/web-order-archive"): self.web_archive,
            ("POST", "/send-event"): self.send_event, ("DELETE", "/faults"): self.no_faults,
            ("GET", "/faults"): self.show_faults, ("PUT", "/faults/sitoo"): self.faults,
            ("PUT", "/faults/bigcommerce"): self.faults, ("PUT", "/feed"): self.change_feed,
            ("GET", "/feed"): self.show_feed, ("GET", "/acknowledged"): self.acknowledged, ("PUT", "/settings"): self.settings, ("GET", "/stats"): self.stats,
            ("GET", "/requests"): self.requests, ("GET", "/world"): self.world, ("GET", "/oracle"): self.oracle,
            **tilldesk.routes(shop), **webcatalog.routes(shop), **returns.routes(shop), **hookcalls.control_routes(shop), ("POST", "/web-order-edit"): self.web_edit,
            ("POST", "/web-shipment"): self.web_shipment, ("GET", "/level"): self.level, ("PUT", "/level"): self.set_level, ("GET", "/report"): self.report,
            ("POST", "/reset-stats"): self.reset_stats, ("POST", "/day"): self.start_day, ("GET", "/day"): self.show_day,
            ("POST", "/past"): self.past, ("POST", "/virtual-warehouse"): self.virtual_warehouse,
            ("PUT", "/names"): self.names, ("POST", "/differences"): self.differences, ("POST", "/shrink"): self.shrink,
            ("GET", "/catalog-oracle"): lambda body, query, request: self.shop.catalog_oracle.check(),
            ("DELETE", "/day"): self.stop_day, ("GET", "/personal-data"): self.personal, ("GET", "/"): self.list_routes,
        }

    async def handle(self, request):
        method = self.routes.get((request.method, request.path))
        if method is None:
            return web.json_response({"error": f"{request.method} {request.path} is not known"}, status=404)
        query = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        try:
            body = json.loads(await request.read() or b"{}")
            answer = method(body, query, request)
            return web.json_response(await answer if asyncio.iscoroutine(answer) else answer)
        except KeyError as missing:
            return web.json_response({"error": f"{missing} is missing"}, status=400)
        except (Refused, ValueError, TypeError, AttributeError) as problem:
            return web.json_response({"error": str(problem)}, status=400)

    # ---------------------------------------------------------------- tills

    @staticmethod
    def _made(result, name="order_id"):
        return {name: result[0], "at_ms": result[1]}

    def _sell(self, body):
        return self._made(self.shop.world.sale(body["rows"], body.get("warehouse", 1), body.get("date_offset_s", 0),
                                               body.get("no_rows", False)))

    def sale(self, body, query, request):
        return self._sell(body)

    def sales(self, body, query, request):
        """A bare list of sales, or {"sales": [...]}."""
        return {"sales": [self._sell(one) for one in (body if isinstance(body, list) else body["sales"])]}

    def give_back(self, body, query, request):
        return self._made(self.shop.world.give_back(**returns.arguments(body)))

    def booking(self, body, query, request):
        return self._made(self.shop.world.booking(body["rows"], body.get("warehouse", 1)))

    def parked(self, body, query, request):
        return self._made(self.shop.world.parked_basket(body["rows"], body.get("warehouse", 1)))

    def own_order(self, body, query, request):
        return self._made(self.shop.world.own_order(body["externalid"], body["rows"], body.get("warehouse", 1)))

    def deliver(self, body, query, request):
        return self._made(self.shop.world.deliver_order(body["order_id"]))

    def update(self, body, query, request):
        return self._made(self.shop.world.update_order(body["order_id"], body.get("event", "update")))

    def move(self, body, query, request):
        rows = body["rows"] if "rows" in body else [{"sku": body["sku"], "quantity": body["quantity"]}]
        return self._made(self.shop.world.move(rows, body.get("from"), body.get("to"), body.get("externalid")),
                          "transaction_ids")

    def stocktake(self, body, query, request):
        rows = body["rows"] if "rows" in body else [{"sku": body["sku"], "counted": body["counted"]}]
        return self._made(self.shop.world.stocktake(rows, body.get("warehouse", 1)), "transaction_id")

    def send_event(self, body, query, request):
        """Any event, as it is."""
        self.shop.feed.push(body)
        return {"queued": self.shop.feed.waiting()}

    # ---------------------------------------------------------------- web shop

    def web_order(self, body, query, request):
        money = {name: body[name] for name in WEB_MONEY if name in body}
        more = {name: body[name] for name in WEB_MORE if name in body}
        order = self.shop.orders.place(body["rows"], body.get("status", 11), body.get("pickup_location"),
                                       body.get("date_offset_s", 0), more, **money)
        return {"order_id": order.id if order else None, "refused": order is None, "at_ms": now_ms()}

    @staticmethod
    def _web(order):
        return {"order_id": order.id, "status": order.status, "at_ms": now_ms()}

    def web_status(self, body, query, request):
        return self._web(self.shop.orders.set_status(body["order_id"], body["status"]))

    def web_refund(self, body, query, request):
        """By hand, in the control panel: worth what a quote says, without any mark of onepool."""
        rows = [(r.get("row", 0), r.get("quantity", 1)) for r in body.get("rows", [body])]
        refund = self.shop.platforms["bigcommerce"].refunds.by_hand(body["order_id"], rows, body.get("provider_id"),
                                                                    body.get("reason", ""))
        return {**self._web(refund.order), "refund_id": refund.id, "amount": refund.order.money.text(refund.total, None)}

    def web_edit(self, body, query, request):
        return weborderedits.edit(self.shop.orders, body)

    def web_shipment(self, body, query, request):
        return shipments.by_hand(self.shop.platforms["bigcommerce"], body)

    def web_archive(self, body, query, request):
        return self._web(self.shop.orders.archive(body["order_id"]))

    def _place(self, query):
        index = self.shop.world.index_of.get(query["sku"])
        variant = self.shop.catalog.by_sku.get(query["sku"].lower())
        location = int(query["location"])
        if variant is None or location not in self.shop.inventory.level:
            raise Refused(f"BigCommerce has no SKU {query['sku']} at location {location}")
        return index, variant, location

    def level(self, body, query, request):
        _, variant, location = self._place(query)
        inventory = self.shop.inventory
        now = inventory.level[location][variant.unit]
        return {"sku": variant.sku, "location": location, "level": now, "target": inventory.target(location, variant.unit),
                "after_landing": inventory.after_landing().get((location, variant.unit), now)}

    def set_level(self, body, query, request):
        """Somebody changes a level by hand in the control panel; optionally its safety stock too."""
        _, variant, location = self._place({k: str(v) for k, v in body.items()})
        if "level" in body:
            before = self.shop.inventory.level[location][variant.unit]
            self.shop.inventory.put(location, variant.unit, int(body["level"]))
            self.shop.platforms["bigcommerce"].levels_landed("absolute", [(location, variant.unit, before, int(body["level"]))])
        if "safety_stock" in body:
            self.shop.inventory.safety[location, variant.unit] = int(body["safety_stock"])
        return self.level({}, {"sku": body["sku"], "location": str(location)}, request)

    # ---------------------------------------------------------------- a shop with a past

    def past(self, body, query, request):
        return past.open_orders(self.shop, **body)

    def virtual_warehouse(self, body, query, request):
        return past.virtual_warehouse(self.shop, **body)

    def names(self, body, query, request):
        self.shop.world.warehouse_names.update({int(k): v for k, v in body.get("warehouses", {}).items()})
        self.shop.platforms["bigcommerce"].labels.update({int(k): v for k, v in body.get("locations", {}).items()})
        return {}

    def differences(self, body, query, request):
        return past.differences(self.shop, **body)

    def shrink(self, body, query, request):
        """The next answers about this warehouse's items lose a row between two pages."""
        self.shop.platforms["sitoo"].shrink = {"warehouse": body["warehouse"], "times": body.get("times", 1)}
        return {}

    # ---------------------------------------------------------------- trouble

    def faults(self, body, query, request):
        platform = self.shop.platforms[request.path.rpartition("/")[2]]
        platform.faults.load(body)
        return {"rules": platform.faults.rules}

    def no_faults(self, body, query, request):
        for platform in self.shop.platforms.values():
            platform.faults.clear()
        return {}

    def show_faults(self, body, query, request):
        return {name: {"rules": p.faults.rules, "hits": p.faults.hits, "outage_left_s": p.faults.outage_left()}
                for name, p in self.shop.platforms.items()}

    def change_feed(self, body, query, request):
        self.shop.feed.change(body)
        return self.shop.feed.describe()

    def show_feed(self, body, query, request):
        return self.shop.feed.describe()

    def acknowledged(self, body, query, request):
        """What onepool said 200 to, as it was sent: events (id, text) and webhooks (text), from those numbers on."""
        hooks = self.shop.platforms["bigcommerce"].webhooks
        return {"events": self.shop.feed.acknowledged[int(query.get("events", 0)):],
                "hooks": hooks.acknowledged[int(query.get("hooks", 0)):]}

    @staticmethod
    def _hook(number, hook):
        """bigcommerce.md 5.1, as GET shows it."""
        return {"id": number, "client_id": "simclient", "store_hash": "simstore", "scope": hook["scope"],
                "destination": hook["destination"], "headers": hook.get("headers"),
                "is_active": hook.get("is_active", True), "created_at": 1700000000, "updated_at": 1700000000}

    def settings(self, body, query, request):
        """latency_ms, lag_ms, read_lag_ms, quota, window_ms, others (calls of other apps per window),
        late_rows {"rate", "ms"}, sitoo_ignores [parameter], hidden_orders [order id],
        hooks (those that are registered: scope, destination, headers, is_active)."""
        bigcommerce, sitoo, world = self.shop.platforms["bigcommerce"], self.shop.platforms["sitoo"], self.shop.world
        for name, value in body.items():
            if name == "latency_ms":
                for platform in self.shop.platforms.values():
                    platform.latency = value / 1000
            elif name == "lag_ms":
                self.shop.inventory.lag = value / 1000
            elif name == "read_lag_ms":
                self.shop.inventory.read_lag = value / 1000
            elif name == "sitoo_ignores":
                sitoo.ignores = frozenset(value)
            elif name == "hidden_orders":
                sitoo.hidden_orders = frozenset(int(number) for number in value)
            elif name in ("quota", "window_ms", "others", "v2_page"):
                setattr(bigcommerce, name, int(value))
            elif name == "hooks":
                bigcommerce.hooks = [self._hook(number, hook) for number, hook in enumerate(value, 1)]
            elif name in hooks.SETTINGS:
                bigcommerce.webhooks.change(name, value)
            elif name == "order_status_on_pickup_record":
                bigcommerce.change_pickup_setting(value)
            elif name == "refunds":
                bigcommerce.refunds.change(value)
            elif name == "sitoo_orders":
                world.change_order_rules(value)
            elif name == "sitoo_products":
                sitoo.till.change(value)
            elif name in ("bc_currency", "bc_prices_with_tax"):
                bigcommerce.change_store(name, value)
            elif name == "tax_classes":
                bigcommerce.tax_classes = {int(number): text for number, text in value.items()}
            elif name == "refund_restock":
                self.shop.orders.restock = bool(value)
            elif name == "late_rows":
                world.late_rate, world.late_ms = value.get("rate", 0), value.get("ms", 0)
            else:
                raise Refused(f"{name!r} is no setting")
        return {**bigcommerce.webhooks.settings, "order_status_on_pickup_record": bigcommerce.status_on_pickup,
                "latency_ms": bigcommerce.latency * 1000, "lag_ms": self.shop.inventory.lag * 1000,
                "read_lag_ms": self.shop.inventory.read_lag * 1000, "sitoo_ignores": sorted(sitoo.ignores),
                "hidden_orders": sorted(sitoo.hidden_orders),
                "quota": bigcommerce.quota, "window_ms": bigcommerce.window_ms, "v2_page": bigcommerce.v2_page, "others": bigcommerce.others,
                "hooks": bigcommerce.hooks, "refunds": bigcommerce.refunds.rules, "refund_restock": self.shop.orders.restock,
                "sitoo_orders": world.order_rules, "sitoo_products": sitoo.till.settings,
                "bc_currency": bigcommerce.currency, "bc_prices_with_tax": bigcommerce.prices_with_tax,
                "tax_classes": {str(number): text for number, text in bigcommerce.tax_classes.items()}, "late_rows": {"rate": world.late_rate, "ms": world.late_ms}}

    # ---------------------------------------------------------------- looking

    def stats(self, body, query, request):
        return self.shop.stats()

    def requests(self, body, query, request):
        record = self.shop.record
        return {"requests": record.since(query.get("platform", ""), int(query.get("since") or 0)), "last": record.count}

    def world(self, body, query, request):
        world = self.shop.world
        if query.get("sku"):
            index = world.index_of[query["sku"]]
            pool = world.pool
            return {"sku": query["sku"], "unit": "thousandths", "stock": {
                str(w): {"on_hand": pool.total[w][index], "reserved": pool.reserved[w][index],
                         "withheld": pool.withheld.get((index, w), 0)} for w in world.warehouses
                if index in world.item_number[w]}}
        answer = world.describe(query.get("stock") != "0")
        answer["locations"] = self.shop.inventory.locations
        answer["mapped"] = {str(k): v for k, v in self.shop.mapping.feeds.items()}
        answer["pickup"] = {str(k): v for k, v in self.shop.mapping.pickup.items()}
        return answer

    def oracle(self, body, query, request):
        if query.get("list") == "1":
            return {"wrong": self.shop.oracle.list_wrong()}
        if query.get("explain"):
            return self.shop.oracle.explain(self.shop.world.index_of[query["explain"]])
        return self.shop.oracle.check(self.shop.feed.waiting(), query.get("full") == "1")

    def report(self, body, query, request):
        """?from=&to= (at_ms) adds "span": the lags of what was rung up in it; from > to means outside of it."""
        answer = self.shop.report()
        if "from" in query:
            answer["span"] = self.shop.tracker.lags((int(query["from"]), int(query["to"])))
        return answer

    def reset_stats(self, body, query, request):
        self.shop.counters.reset()
        self.shop.tracker.reset()
        self.shop.world.events_made = 0
        self.shop.orders.placed = self.shop.orders.refused = 0
        return {}

    def personal(self, body, query, request):
        """Every text that stands for personal data holds this mark."""
        return {"mark": PERSONAL}

    def list_routes(self, body, query, request):
        return {"routes": [f"{method} {path}" for method, path in self.routes]}

    # ---------------------------------------------------------------- a day

    def start_day(self, body, query, request):
        """{"scale": 1.0, "seed": n, "duplicate": 0.05, "phases": [...], "returns": false}"""
        if self.day_task is not None and not self.day_task.done():
            raise Refused("a day is being played")
        phases = [phase_of(p) for p in body["phases"]] if body.get("phases") else default_phases(body.get("scale", 1.0))
        self.day = Day(self.shop.world, self.shop.orders, self.shop.feed, self.shop.platforms["bigcommerce"].faults,
                       body.get("seed", self.shop.seed), phases, body.get("duplicate", 0.05),
                       self.shop.platforms["bigcommerce"].refunds if body.get("returns") else None)
        self.day_task = asyncio.get_running_loop().create_task(self.day.run())
        return self.day.describe()

    def show_day(self, body, query, request):
        return self.day.describe() if self.day else {"running": False, "finished": False}

    def stop_day(self, body, query, request):
        if self.day_task is not None:
            self.day_task.cancel()
        return {}
