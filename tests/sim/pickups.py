# SPDX-License-Identifier: Apache-2.0
"""Pickup methods, and the record that goods are ready for a customer or were collected (bigcommerce.md 7.2)."""
import datetime
import json

from payments import Answered
from server import Reply
from units import Refused, parse_date
from weborderbody import STATUS

PROBLEM = "application/problem+json"  # pickup.v3.yml, 422
STATUS_PAGE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
MOST = 100  # per POST; that of a PUT is not documented, the same is assumed
COUNTERS = ("pickup_records_made", "pickup_records_twice")


def refuse(status, title, **errors):
    return Answered(Reply(status, {"status": status, "title": title, "type": STATUS_PAGE, "errors": errors}, PROBLEM))


def _now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def _time(value, name):
    """Unix seconds as a text, or ISO-8601 (pickup.v3.yml), as ISO-8601. A number is taken too (assumed)."""
    seconds = None
    if type(value) is int or (isinstance(value, str) and value.isdigit()):
        seconds = int(value)
    elif isinstance(value, str):
        seconds = parse_date(value)
    if seconds is None or not 0 <= seconds < 2**33:
        raise refuse(422, "JSON data is missing or invalid", **{name: "is not a time"})
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Pickup:
    """items: [[id, Line, quantity]]; times as texts, collected None until then."""

    __slots__ = ("id", "method", "order", "items", "ready", "collected", "created", "updated")


def pickup_json(pickup):
    """recorded/bigcommerce/api_v3_orders_pickups_list.json."""
    return {"id": pickup.id, "pickup_method_id": pickup.method, "order_id": pickup.order.id, "ready_at": pickup.ready,
            "created_at": pickup.created, "updated_at": pickup.updated,
            "pickup_items": [{"id": number, "order_product_id": line.id, "quantity": quantity,
                              "status": "COLLECTED" if pickup.collected else "AWAITING_COLLECTION",
                              "collected_at": pickup.collected} for number, line, quantity in pickup.items]}


class Pickups:
    """Part of BigCommerce. Needs orders, counters, _page(), _v3_list() and _ints() of it."""

    next_pickup = next_pickup_item = 1
    status_on_pickup = None  # setting order_status_on_pickup_record; what happens is not documented

    def change_pickup_setting(self, value):
        """A status that a new record gives its order, or None: nothing happens."""
        if value is not None and value not in STATUS:
            raise Refused(f"order_status_on_pickup_record: there is no status {value}")
        self.status_on_pickup = value

    def pickup_methods(self, call):
        """id:in, page, limit, sort=name or date_modified (pickup_methods.v3.yml; default and largest limit are not documented)."""
        number, limit = self._page(call, 50, 250)
        methods = sorted(self.orders.mapping.collects.items())
        if call.query.get("id:in"):
            asked = self._ints(call, "id:in")
            methods = [m for m in methods if m[0] in asked]
        if call.query.get("sort", "").endswith(":desc"):
            methods.reverse()  # all have the same name and date
        return self._v3_list(methods, number, limit, lambda m: {
            "id": m[0], "location_id": m[1], "display_name": "Collect in the shop", "collection_instructions": "",
            "collection_time_description": "", "date_created": "2022-01-01T00:00:00Z", "date_modified": "2022-02-02T00:00:00Z"})

    def pickup_list(self, call):
        """order_id:in and pickup_id:in; no paging is documented."""
        found = self.pickups
        for name, of in (("order_id:in", lambda p: p.order.id), ("pickup_id:in", lambda p: p.id)):
            if call.query.get(name):
                asked = self._ints(call, name)
                found = [p for p in found if of(p) in asked]
        return Reply(200, {"data": [pickup_json(p) for p in found]})

    @staticmethod
    def _pickup_array(call):
        if "application/json" not in call.request.headers.get("Content-Type", ""):
            raise refuse(415, "Unsupported Media Type")
        try:
            body = json.loads(call.body)
        except ValueError:
            raise refuse(400, "Input is invalid.") from None
        if not isinstance(body, list) or not 1 <= len(body) <= MOST or not all(isinstance(one, dict) for one in body):
            raise refuse(422, f"The body must be an array of 1 to {MOST} pickups")
        return body

    # ---------------------------------------------------------------- making

    def _pickup_wanted(self, one, position):
        """(Pickup without an id). 422 names what is wrong; nothing of the array is done then (assumed)."""
        def wrong(name):
            return refuse(422, "JSON data is missing or invalid", **{f"{position}.{name}": "is missing or invalid"})
        order = self.orders.get(one["order_id"]) if type(one.get("order_id")) is int else None
        if order is None:
            raise wrong("order_id")
        if one.get("pickup_method_id") not in self.orders.mapping.collects:
            raise wrong("pickup_method_id")
        items = one.get("pickup_items")
        if not isinstance(items, list) or not items:
            raise wrong("pickup_items")
        found = []
        for item in items:
            number, quantity = (item.get("order_product_id"), item.get("quantity")) if isinstance(item, dict) else (None, None)
            line = next((line for line in order.lines if line.id == number), None)
            if line is None or type(quantity) is not int or not 1 <= quantity <= line.quantity:
                raise wrong("pickup_items")
            found.append([0, line, quantity])
        made = Pickup()
        made.method, made.order, made.items = one["pickup_method_id"], order, found
        made.ready = _time(one.get("ready_at"), f"{position}.ready_at")
        made.collected = None if one.get("collected_at") is None else _time(one["collected_at"], f"{position}.collected_at")
        return made

    def pickup_create(self, call):
        """A second record for the same items is not documented as refused: it is made, and counted."""
        made = [self._pickup_wanted(one, i) for i, one in enumerate(self._pickup_array(call))]
        for pickup in made:
            recorded = {line.id for other in self.pickups if other.order is pickup.order for _, line, _ in other.items}
            if recorded & {line.id for _, line, _ in pickup.items}:
                self.counters.numbers["pickup_records_twice"] += 1
            self.counters.numbers["pickup_records_made"] += 1
            pickup.id, pickup.created = self.next_pickup, _now()
            pickup.updated = pickup.created
            self.next_pickup += 1
            for item in pickup.items:
                item[0] = self.next_pickup_item
                self.next_pickup_item += 1
            self.pickups.append(pickup)
            if self.status_on_pickup is not None:
                self.orders.change_status(pickup.order, self.status_on_pickup)
        return Reply(200, {"data": [pickup_json(p) for p in made], "meta": {}})

    def pickup_change(self, call):
        """{"id", "pickup_id", "ready_at", "collected_at"}: both ids are required though id is deprecated; which of them counts
        when they differ is not said: refused (assumed)."""
        found = []
        for i, one in enumerate(self._pickup_array(call)):
            pickup = next((p for p in self.pickups if p.id == one.get("pickup_id") == one.get("id")), None)
            if pickup is None:
                raise refuse(422, "JSON data is missing or invalid", **{f"{i}.pickup_id": "is missing or invalid"})
            times = {name: _time(one[name], f"{i}.{name}") for name in ("ready_at", "collected_at") if one.get(name) is not None}
            found.append((pickup, times))
        for pickup, times in found:
            pickup.ready = times.get("ready_at", pickup.ready)
            pickup.collected = times.get("collected_at", pickup.collected)
            pickup.updated = _now()
        return Reply(200, {"data": [pickup_json(p) for p, _ in found], "meta": {}})

    def pickup_delete(self, call):
        if not call.query.get("id:in"):
            raise refuse(422, "JSON data is missing or invalid", **{"id:in": "is missing"})
        asked = self._ints(call, "id:in")
        self.pickups[:] = [p for p in self.pickups if p.id not in asked]
        return Reply(204)


ROUTES = {
    ("GET", ("v3", "pickup", "methods")): Pickups.pickup_methods,
    ("GET", ("v3", "orders", "pickups")): Pickups.pickup_list,
    ("POST", ("v3", "orders", "pickups")): Pickups.pickup_create,
    ("PUT", ("v3", "orders", "pickups")): Pickups.pickup_change,
    ("DELETE", ("v3", "orders", "pickups")): Pickups.pickup_delete,
}
