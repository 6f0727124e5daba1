# SPDX-License-Identifier: Apache-2.0
"""Four web orders, told one after the other: collected, cancelled, refused by the shop, sent by a shop. Each is done by the
simulated customer and the simulated staff; what follows is onepool's doing and is waited for."""
import json
import pathlib
import time
import urllib.parse

SCOPES = {"store/order/created": "order-created", "store/order/updated": "order-updated",
          "store/order/statusUpdated": "order-updated", "store/order/archived": "order-updated",
          "store/order/refund/created": "order-updated", "store/product/created": "product-updated",
          "store/product/updated": "product-updated", "store/product/deleted": "product-updated", "store/channel/*/inventory/product/stock_changed": "stock-changed"}
NEVER = ("shipments_over_quantity", "pickup_records_twice", "status_overwrote_human", "order_other_fields_put", "catalog_writes",
         "all_orders_archived")
STATUS = {2: "Shipped", 5: "Cancelled", 8: "Awaiting Pickup", 10: "Completed", 11: "Awaiting Fulfillment"}
LIMIT_S = 30
FREE = 5  # units that a SKU of the story has at least where it is taken from
UNITS = 2


def register_hooks(stack):
    """BigCommerce's webhooks, as the merchant registers them; from now on the simulated BigCommerce sends them."""
    hooks = [{"scope": scope, "destination": f"{stack.public}/hooks/bigcommerce/{route}",
              "headers": {"X-Onepool-Secret": stack.env["BIGCOMMERCE_HOOK_SECRET"]}, "is_active": True}
             for scope, route in SCOPES.items()]
    stack.control("/settings", "PUT", {"hooks": hooks, "send_hooks": True})


class NotSeen(Exception):
    """Something that must happen did not."""


class Story:
    """Chooses SKUs of which there is enough, and shops from the mapping file."""

    def __init__(self, stack):
        self.stack = stack
        mapping = json.loads(pathlib.Path(stack.env["ONEPOOL_CONFIG"]).read_text(encoding="utf-8"))
        self.pickup = mapping["pickup"][0]
        self.sender = mapping["shipping"]["allocate_from"][0]
        self.shipping = mapping["shipping"]["location_id"]
        self.taken = set()

    # ------------------------------------------------------------ what is seen

    def _sku(self, warehouse):
        world = self.stack.control("/world")
        for sku in world["skus"]:
            row = world["stock"][str(warehouse)].get(sku["sku"])
            if (sku["sku"] not in self.taken and sku["sku"].startswith("SKU-") and sku["kind"] in ("variant", "simple")
                    and row and row["on_hand"] - row["reserved"] - row["withheld"] >= 1000 * FREE):
                self.taken.add(sku["sku"])
                return sku["sku"]
        raise NotSeen(f"no SKU has {FREE} units free in warehouse {warehouse}")

    def _stock(self, sku, warehouse, location):
        """(on hand, reserved, level of the web shop): units."""
        name = urllib.parse.quote(sku, safe="")
        row = self.stack.control(f"/world?sku={name}")["stock"][str(warehouse)]
        level = self.stack.control(f"/level?sku={name}&location={location}")["after_landing"]
        return row["on_hand"] // 1000, row["reserved"] // 1000, level

    def _order(self, number):
        return next(o for o in self.stack.web_orders(number)["orders"] if o["web_order"] == number)

    def _wait(self, seen, what):
        """Seconds until seen() is true."""
        begin = time.monotonic()
        while not seen():
            if time.monotonic() - begin > LIMIT_S:
                raise NotSeen(f"{what}: not within {LIMIT_S} s")
            time.sleep(0.05)
        return time.monotonic() - begin

    def _until_status(self, number, status):
        took = self._wait(lambda: self._order(number)["status"] == status, f"web order {number} is {STATUS[status]}")
        self._say(f"the web order says {STATUS[status]} after {took:.1f} s")

    @staticmethod
    def _say(text):
        print("      " + text, flush=True)

    def _show(self, name, stock):
        on_hand, reserved, level = stock
        self._say(f"{name:<9} Sitoo: {on_hand} on hand, {reserved} reserved, {on_hand - reserved} free; web shop offers {level}")

    def _settled(self, sku, warehouse, location, wanted):
        """Waits until both systems say so, (on hand, reserved, level)."""
        self._wait(lambda: self._stock(sku, warehouse, location) == wanted,
                   f"{sku}: (on hand, reserved, offered) are {wanted}, seen {self._stock(sku, warehouse, location)}")

    # ------------------------------------------------------------ the orders

    def _place(self, sku, warehouse, location, title, **more):
        """A web order that is in Sitoo and reserved there. (its number, stock before, stock now)"""
        before = self._stock(sku, warehouse, location)
        made = self.stack.control("/web-order", "POST", {"rows": [{"sku": sku, "quantity": UNITS}], "status": 11, **more})
        if made["refused"]:
            raise NotSeen(f"the web shop refused an order of {UNITS} {sku}")
        number = made["order_id"]
        print(f"  Web order {number}: {UNITS} of {sku}, {title}", flush=True)
        self._show("before", before)
        took = self._wait(lambda: self._order(number)["sitoo"], f"web order {number} is in Sitoo")
        one = self._order(number)["sitoo"][0]
        self._say(f"in the shop's till system as {one['externalid']}, warehouse {one['warehouse']}, after {took:.1f} s")
        if one["warehouse"] != warehouse:
            raise NotSeen(f"web order {number} is in warehouse {one['warehouse']}, not {warehouse}")
        now = (before[0], before[1] + UNITS, before[2] - UNITS)
        self._settled(sku, warehouse, location, now)
        self._show("reserved", now)
        return number, before, now

    def _for_collection(self):
        warehouse, location = self.pickup["sitoo_warehouse_id"], self.pickup["bigcommerce_location_id"]
        return self._sku(warehouse), warehouse, location, f"to be collected in the shop of warehouse {warehouse}"

    def _gone(self, sku, warehouse, location, before):
        """What left the shop left both systems once."""
        after = (before[0] - UNITS, before[1], before[2] - UNITS)
        self._settled(sku, warehouse, location, after)
        self._show("after", after)
        self._say(f"stock fell by {UNITS} in Sitoo and by {UNITS} in the web shop, once")

    def _freed(self, number, sku, warehouse, location, before):
        self._wait(lambda: [o["state"] for o in self._order(number)["sitoo"]] == ["cancelled"],
                   f"the Sitoo order of web order {number} is cancelled")
        self._settled(sku, warehouse, location, before)
        self._show("after", before)
        self._say("cancelled in Sitoo, its reservation is free again")

    def collected(self):
        sku, warehouse, location, title = self._for_collection()
        number, before, _ = self._place(sku, warehouse, location, title, pickup_location=location)
        self.stack.control("/ready", "POST", {"web_order": number})
        self._say("the shop makes it ready")
        self._until_status(number, 8)
        self.stack.control("/collect", "POST", {"web_order": number})
        self._say("the customer collects it")
        self._until_status(number, 10)
        self._gone(sku, warehouse, location, before)

    def cancelled(self):
        sku, warehouse, location, title = self._for_collection()
        number, before, _ = self._place(sku, warehouse, location, title, pickup_location=location)
        self.stack.control("/web-order-status", "POST", {"order_id": number, "status": 5})
        self._say("the customer cancels it in the web shop")
        self._freed(number, sku, warehouse, location, before)

    def rejected(self):
        sku, warehouse, location, title = self._for_collection()
        number, before, _ = self._place(sku, warehouse, location, title, pickup_location=location)
        self.stack.control("/reject", "POST", {"web_order": number})
        self._say("the shop refuses it")
        name = f"pickup_rejected:web order {number}"
        self._wait(lambda: self._case(name), f"the case {name}")
        case = self._case(name)
        self._say(f"case for {case['owner']}: {case['text']}")
        self._say(f"what to do: {case['step']}")
        self.stack.control("/web-order-status", "POST", {"order_id": number, "status": 5})
        self._say("customer service calls the customer, who wants the money back; the web order is cancelled")
        self._freed(number, sku, warehouse, location, before)
        self._wait(lambda: not self._case(name), f"the end of the case {name}")
        self._say("the case is closed")

    def sent(self):
        sku = self._sku(self.sender)
        number, before, _ = self._place(sku, self.sender, self.shipping, "to be sent to the customer")
        self.stack.control("/ship", "POST", {"web_order": number})
        self._say(f"the shop of warehouse {self.sender} sends it")
        self._until_status(number, 2)
        shipments = self.stack.control("/stats")["shipments_made"]
        self._say(f"BigCommerce has its shipment ({shipments} in all), so the customer gets the usual e-mail")
        self._gone(sku, self.sender, self.shipping, before)

    def _case(self, name):
        return next((c for c in self.stack.parked().get("cases", []) if c["id"] == name), None)

    def tell(self):
        """True if all four went as they should."""
        begin = time.monotonic()
        print("Web orders reach the shop")
        try:
            for part in (self.collected, self.cancelled, self.rejected, self.sent):
                part()
        except NotSeen as problem:
            print(f"    NOT SEEN: {problem}", flush=True)
            return False
        print(f"  All of that in {time.monotonic() - begin:.0f} s", flush=True)
        return True
