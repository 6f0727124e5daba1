# SPDX-License-Identifier: Apache-2.0
"""Shipments of web orders (bigcommerce.md 9, Writing; orders.v2, orderShipment): what left the house, by whom, and what
that makes of the order."""
import json
import time

from payments import Answered
from server import Reply, as_json
from units import Refused, now_ms, rfc2822
from weborderbody import billing_address, recipient

# name -> largest length; shipping_method and merchant_shipping_cost have none in the specification (255 assumed)
TEXTS = {"tracking_number": 50, "tracking_link": 500, "comments": 65535, "shipping_method": 255, "merchant_shipping_cost": 255,
         "shipping_provider": 255, "tracking_carrier": 255}
PROVIDERS = {"", "auspost", "canadapost", "endicia", "usps", "fedex", "royalmail", "ups", "upsready", "shipperhq"}
ITEMS_MAX = 500
SHIPPED, PARTIALLY_SHIPPED = 2, 3
COUNTERS = ("shipments_made", "shipments_over_quantity", "shipments_after_edit")


class Shipment:
    """items: [(Line, quantity)]; texts: those of TEXTS that were given; by: "api" or "hand"."""

    __slots__ = ("id", "created", "items", "texts", "by")


def refuse(status, message):
    """A v2 error (bigcommerce.md 2)."""
    return Answered(Reply(status, [{"status": status, "message": message}]))


def _body(call, allowed):
    """The object of the request. A name that is not in the specification is refused as a read-only one is (assumed)."""
    if "application/json" not in call.request.headers.get("Content-Type", ""):
        raise refuse(415, "Unsupported Media Type")
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise refuse(400, "Input is invalid.")
    for name in body:
        if name not in allowed:
            raise refuse(400, f"The field '{name}' cannot be written to. Please remove it from your request before trying again.")
    return body


def _texts(body):
    texts = {name: body[name] for name in TEXTS if name in body}
    for name, value in texts.items():
        if not isinstance(value, str) or len(value) > TEXTS[name]:
            raise refuse(400, f"The field '{name}' is invalid.")
    provider = texts.get("shipping_provider", "")
    if provider not in PROVIDERS and not provider.startswith("carrier_"):
        raise refuse(400, "The field 'shipping_provider' is invalid.")
    return texts


def shipment_json(order, shipment):
    """recorded/bigcommerce/api_v2_order_shipment_created.json."""
    texts = {**dict.fromkeys(TEXTS, ""), "merchant_shipping_cost": "0.0000", "shipping_method": order.shipping_method,
             **shipment.texts}
    number, provider = texts["tracking_number"], texts["shipping_provider"] or texts["tracking_carrier"]
    link = f"https://tracking.example.com/{provider}/{number}" if number and provider and not texts["tracking_link"] else ""
    return {"id": shipment.id, "order_id": order.id, "customer_id": 0 if order.money.guest else 5000 + order.id,
            "order_address_id": order.address_id, "date_created": rfc2822(shipment.created), **texts,
            "billing_address": billing_address(order), "shipping_address": recipient(order),
            "items": [{"order_product_id": line.id, "product_id": line.variant.product.id, "quantity": quantity}
                      for line, quantity in shipment.items],
            "shipping_provider_display_name": texts["shipping_provider"].upper(), "generated_tracking_link": link}


class Shipments:
    """Part of BigCommerce. Needs orders, counters, webhooks, _order() and _page() of it."""

    next_shipment = 1

    # ---------------------------------------------------------------- making one

    def ship(self, order, items, texts, by):
        """Books it: raises quantity_shipped; everything gone is status 2, else 3 (assumed to happen by itself)."""
        shipment = Shipment()
        shipment.id, shipment.created = self.next_shipment, int(time.time())
        shipment.items, shipment.texts, shipment.by = items, texts, by
        self.next_shipment += 1
        order.shipments.append(shipment)
        for line, quantity in items:
            line.shipped += quantity
        self._shipment_event("created", order, shipment)
        self.orders.change_status(order, PARTIALLY_SHIPPED if any(line.to_ship for line in order.lines) else SHIPPED)
        return shipment

    def _shipment_event(self, what, order, shipment):
        self.webhooks.raise_event(f"store/shipment/{what}", {"type": "shipment", "id": shipment.id, "orderId": order.id})

    def _shipment_items(self, order, items):
        """[(Line, quantity)] of a body, all of this order and not more than is left."""
        if not isinstance(items, list) or not 1 <= len(items) <= ITEMS_MAX:
            raise refuse(400, "The field 'items' is invalid.")
        found, wanted = [], {}
        for item in items:
            if not isinstance(item, dict):
                raise refuse(400, "The field 'items' is invalid.")
            line = next((line for line in order.lines if line.id == item.get("order_product_id")), None)
            quantity = item.get("quantity")
            if line is None or not line.physical or type(quantity) is not int or quantity < 1:
                raise refuse(400, "The field 'items' is invalid.")
            wanted[line.id] = wanted.get(line.id, 0) + quantity
            if wanted[line.id] > line.quantity - line.shipped:
                edited = wanted[line.id] <= line.most - line.shipped  # an edit was faster than this call
                self.counters.numbers["shipments_after_edit" if edited else "shipments_over_quantity"] += 1
                raise refuse(400, f"The quantity of order product {line.id} exceeds what is left to ship.")  # 400 assumed
            found.append((line, quantity))
        return found

    @staticmethod
    def _address_of(order, body):
        """order_address_id is a number in the schema and a text in the guide: both are taken."""
        asked = str(body.get("order_address_id", ""))
        if not order.ships or asked != str(order.address_id):
            raise refuse(400, "The field 'order_address_id' is invalid.")

    def shipment_create(self, call, number):
        order = self._order(number)
        body = _body(call, {"order_address_id", "items", *TEXTS})
        self._address_of(order, body)
        texts, items = _texts(body), self._shipment_items(order, body.get("items"))
        shipment = self.ship(order, items, texts, "api")
        self.counters.numbers["shipments_made"] += 1
        return Reply(201, shipment_json(order, shipment))

    # ---------------------------------------------------------------- reading and changing

    def shipment_list(self, call, number):
        """204 when there are none (documented), and past the last page."""
        order = self._order(number)
        page, limit = self._page(call, 50, 250, clamp=True)
        part = order.shipments[(page - 1) * limit:page * limit]
        return Reply(200, as_json([shipment_json(order, one) for one in part])) if part else Reply(204)

    def shipment_count(self, call, number):
        return Reply(200, {"count": len(self._order(number).shipments)})

    def _shipment(self, number, which):
        order = self._order(number)
        found = next((one for one in order.shipments if one.id == which), None)
        if found is None:
            raise refuse(404, "The requested resource was not found.")
        return order, found

    def shipment_get(self, call, number, which):
        return Reply(200, shipment_json(*self._shipment(number, which)))

    def shipment_put(self, call, number, which):
        """Everything but the items (orderShipment_Put)."""
        order, shipment = self._shipment(number, which)
        body = _body(call, {"order_address_id", *TEXTS})
        if "order_address_id" in body:
            self._address_of(order, body)
        shipment.texts.update(_texts(body))
        self._shipment_event("updated", order, shipment)
        self.orders.changed(order)
        return Reply(200, shipment_json(order, shipment))

    def _unship(self, order, some):
        for shipment in some:
            order.shipments.remove(shipment)
            for line, quantity in shipment.items:
                line.shipped = max(0, line.shipped - quantity)
            self._shipment_event("deleted", order, shipment)
        if some:
            self.orders.unshipped(order)
        return Reply(204)

    def shipment_delete(self, call, number, which):
        """Does not move the order out of Shipped (bigcommerce.md 9)."""
        order, shipment = self._shipment(number, which)
        return self._unship(order, [shipment])

    def shipments_delete(self, call, number):
        order = self._order(number)
        return self._unship(order, list(order.shipments))


ROUTES = {
    ("GET", ("v2", "orders", "*", "shipments")): Shipments.shipment_list,
    ("POST", ("v2", "orders", "*", "shipments")): Shipments.shipment_create,
    ("DELETE", ("v2", "orders", "*", "shipments")): Shipments.shipments_delete,
    ("GET", ("v2", "orders", "*", "shipments", "count")): Shipments.shipment_count,
    ("GET", ("v2", "orders", "*", "shipments", "*")): Shipments.shipment_get,
    ("PUT", ("v2", "orders", "*", "shipments", "*")): Shipments.shipment_put,
    ("DELETE", ("v2", "orders", "*", "shipments", "*")): Shipments.shipment_delete,
}


def by_hand(bigcommerce, body):
    """POST /web-shipment: somebody ships in the control panel; without rows everything that is left."""
    order = bigcommerce.orders.known(body["order_id"])
    if not order.ships:
        raise Refused(f"order {order.id} has no address to ship to")
    rows = body.get("rows")
    if rows is None:
        items = [(line, line.to_ship) for line in order.lines if line.to_ship]
    else:
        items = []
        for row in rows:
            if not 0 <= row["row"] < len(order.lines):
                raise Refused(f"order {order.id} has no row {row['row']}")
            line, quantity = order.lines[row["row"]], row.get("quantity", 1)
            if type(quantity) is not int or not 0 < quantity <= line.quantity - line.shipped or not line.physical:
                raise Refused(f"row {row['row']} has {line.to_ship} left to ship")
            items.append((line, quantity))
    if not items:
        raise Refused(f"order {order.id} has nothing left to ship")
    order.human += 1
    order.human_ms = now_ms()
    shipment = bigcommerce.ship(order, items, {"tracking_number": str(body.get("tracking_number", ""))[:50]}, "hand")
    return {"order_id": order.id, "shipment_id": shipment.id, "status": order.status, "at_ms": now_ms()}
