# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's orders: placed by shoppers, changed by merchants, read by onepool."""
import random
import time
from bisect import bisect_left

from server import as_json
from units import now_ms, parse_date
from weborderbody import STATUS, checked_address, consignments_json, order_json
from weborderrows import Wanted, lines, wanted
from webmoney import DEFAULT_CURRENCY, DEFAULT_VAT, Money, Payment, decimals_of, minor, spread
from world import PERSONAL, Refused

UNPAID = {0: "incomplete", 5: "cancelled", 6: "declined", 7: "awaiting payment"}
HOLDING = {1, 3, 7, 8, 9, 11, 12, 13, 14}  # design: statuses that hold stock
DELIVERED = {2, 10}  # hold stock until Sitoo shows the delivery; here: of orders placed since the start
MESSAGE_MAX = 65535  # not documented; that of staff_notes
ADDRESSES_FROM = 40000  # an order's address has another number than the order


def _text(value, name):
    """A text that can be sent: control characters and emoji may be in it, halves of them not."""
    if not isinstance(value, str) or len(value) > MESSAGE_MAX:
        raise Refused(f"{name} must be a text of at most {MESSAGE_MAX} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name} is no Unicode text") from None
    return value


class WebOrder:
    """An order. pickup: BigCommerce location id or None; nameless: its consignment names no location id; deducted: whether
    BigCommerce has lowered its stock for it; human: how often a person set its status, seen: how much of that was read;
    restocked: units that BigCommerce has put back by itself; unpaid_until: orders of Sitoo up to this id were made before it
    last left a status of UNPAID."""

    __slots__ = ("id", "status", "created", "modified", "lines", "pickup", "pickup_method", "nameless", "consignment", "person",
                 "deducted", "archived", "old", "cache", "handed", "money", "address", "address_id", "shipping_method",
                 "message", "shipments", "human", "human_ms", "seen", "restocked", "unpaid_until")

    @property
    def ships(self):
        """Whether something goes to an address."""
        return self.pickup is None and any(line.physical for line in self.lines)


class WebOrders:
    """Orders by id and by modification time; keeps the pool's pending and the tracker informed."""

    def __init__(self, world, catalog, inventory, tracker, mapping, seed, delay_ms=150):
        self.world, self.catalog, self.inventory, self.tracker = world, catalog, inventory, tracker
        self.mapping = mapping
        self.rng = random.Random(seed + 3)
        self.delay = delay_ms / 1000
        self.first = 101
        self.orders = []
        self.changes = []  # (modified second, id), in order of time
        self.next_line, self.next_consignment = 1, 11
        self.placed = self.refused = 0
        self.restock = False  # refund_order_stock_adjustment
        self.not_deducted = {}  # (location, unit) -> units of orders whose stock BigCommerce has not taken yet
        self.strangers = {}  # SKU that Sitoo does not have -> {order id: order}
        self.tell = lambda scope, data: None  # set by main: what happened, for the webhooks

    # ---------------------------------------------------------------- shoppers and merchants

    @staticmethod
    def stock_location(order):
        """Where BigCommerce takes stock from is not documented (bigcommerce.md 15.1); assumed: 1, or the pickup location."""
        return 1 if order.pickup is None else order.pickup

    def _offered(self, location, variant):
        """What the storefront sells: available, less orders just placed. None = anything (not tracked)."""
        if variant.product.tracking == "none":
            return None
        return self.inventory.available(location, variant.unit) - self.not_deducted.get((location, variant.unit), 0)

    def offered(self, location, sku):
        """_offered() by name."""
        return self._offered(location, self.catalog.by_sku[sku.lower()])

    def place(self, rows, status=11, pickup=None, date_offset_s=0, more=None, **money):
        """Returns the order, or None if the storefront refuses because it offers too little.

        more: {"shipping_method", "pickup_method", "pickup_without_location_id", "customer_message", "staff_notes", "address"};
        money: see _price().
        """
        if status not in STATUS:
            raise Refused(f"there is no status {status}")
        self.check_pickup(pickup)
        found, needed = wanted(self.catalog, rows), {}
        location = 1 if pickup is None else pickup
        for one in found:
            if one.variant.unit is not None:
                needed[one.variant.unit] = needed.get(one.variant.unit, 0) + one.quantity
        for one in found:
            offered = self._offered(location, one.variant)
            if offered is not None and offered < needed[one.variant.unit]:
                self.refused += 1
                return None
        order = self._new(found, status, pickup, date_offset_s)
        self._describe(order, **(more or {}))
        self._price(order, [one.row for one in found], **money)
        order.money.staff_notes = _text((more or {}).get("staff_notes", ""), "staff_notes")
        self.add(order, date_offset_s)
        self._sold(order)
        self._moved(order)
        self.event(order, "created")
        return order

    def add(self, order, date_offset_s=-1):
        """A new order is in the lists from now on, as changed when it was created if that is not now."""
        self.orders.append(order)
        self.placed += 1
        self._touch(order, order.created if date_offset_s else None)

    def check_pickup(self, pickup):
        if pickup is not None and pickup not in self.mapping.pickup:
            raise Refused(f"location {pickup} is no pickup location; there are {sorted(self.mapping.pickup)}")

    def _new(self, found, status, pickup, date_offset_s):
        """An order that is not in any list yet. found: [Wanted], or plain (variant, quantity)."""
        order = WebOrder()
        order.id = self.first + len(self.orders)
        now = int(time.time())
        order.created = now + int(date_offset_s)
        order.old = now_ms() + int(date_offset_s) * 1000 < self.world.started_ms
        order.modified, order.status = order.created, status
        order.deducted, order.archived, order.cache, order.handed = False, False, None, False
        order.restocked = order.unpaid_until = 0
        order.person = f"{PERSONAL}web{order.id:06d}"
        order.address, order.address_id, order.shipments = {}, ADDRESSES_FROM + order.id, []
        order.shipping_method, order.message = "Parcel", f"{order.person}-message"
        order.human = order.human_ms = order.seen = 0
        self.collect_at(order, pickup)
        found = [one if isinstance(one, Wanted) else Wanted(*one) for one in found]
        order.lines = self.new_lines(found)
        self._price(order, [{} for _ in found])
        self._ship(order)
        return order

    def new_lines(self, found):
        made = lines(found, self.next_line)
        self.next_line += len(made)
        return made

    def collect_at(self, order, pickup, method=None):
        """Collected at this location, None = shipped. An edit gives the consignment a new id (bigcommerce.md 7.3)."""
        order.pickup, order.nameless = pickup, False
        order.pickup_method = None if pickup is None else method or self.mapping.methods[pickup]
        order.consignment = self.next_consignment
        self.next_consignment += 1

    def _describe(self, order, shipping_method=None, pickup_method=None, pickup_without_location_id=False,
                  customer_message=None, address=None, staff_notes=None):
        """What the shopper chose and wrote; staff_notes are the money's (place)."""
        if pickup_method is not None:
            if order.pickup is None or self.mapping.collects.get(pickup_method) != order.pickup:
                raise Refused(f"pickup_method {pickup_method} is none of location {order.pickup}")
            order.pickup_method = pickup_method
        order.nameless = bool(pickup_without_location_id)
        if shipping_method is not None:
            order.shipping_method = _text(shipping_method, "shipping_method")
        if customer_message is not None:
            order.message = _text(customer_message, "customer_message")
        if address is not None:
            order.address = checked_address(address)

    def _price(self, order, rows, currency=DEFAULT_CURRENCY, vat=DEFAULT_VAT, order_discount=0, shipping=0, payments="card",
               guest=True, settled=True):
        """What was paid, how and in which currency; amounts as numbers or texts in the currency's own unit.

        payments: a method, or [{"method", "amount", "online_refunds"}] of which the last may lack its amount.
        """
        digits = decimals_of(currency)
        for line, row in zip(order.lines, rows):
            # The catalog's price is in hundredths.
            usual = line.variant.price * 10 ** digits // 100
            line.price = minor(row["price"], currency) if "price" in row else usual
            line.discount = minor(row.get("line_discount", 0), currency)
            if line.price < 0 or not 0 <= line.discount <= line.quantity * line.price:
                raise Refused(f"price and line_discount of {line.variant.sku} leave less than nothing to pay")
        order_discount = minor(order_discount, currency)
        values = [line.quantity * line.price - line.discount for line in order.lines]
        if not 0 <= order_discount <= sum(values):
            raise Refused("order_discount must be from 0 to the sum of the lines")
        for line, part in zip(order.lines, spread(order_discount, values)):
            line.order_discount = part
        money = Money(currency, vat, guest, minor(shipping, currency), settled)
        total = sum(line.paid for line in order.lines) + money.shipping
        if isinstance(payments, str):
            payments = [{"method": payments}]
        for part in payments:
            amount = minor(part["amount"], currency) if "amount" in part else total - money.paid
            money.payments.append(Payment(part["method"], amount, part.get("online_refunds", True)))
        if money.paid != total:
            raise Refused(f"the payments are {money.text(money.paid)}, the order is {money.text(total)}")
        order.money = money
        order.cache = None

    def _ship(self, order):
        if order.status in DELIVERED:
            for line in order.lines:
                line.shipped = line.quantity

    def _sold(self, order):
        """Tells the tracker, before the order itself lowers the pool, how many units there truly were."""
        location = self.stock_location(order)
        if order.status not in HOLDING | DELIVERED or location not in self.world.pool.sums:
            return
        for line in order.lines:
            index = line.variant.world_index
            if not line.holds or self.catalog.usable(index) is None:
                continue
            truth = self.world.pool.sums[location][index] // 1000
            self.tracker.web_row(now_ms(), self.world.skus[index].sku, index, location, line.quantity, truth, order.id)

    def warehouse_of(self, order):
        """Where its rows are pending: that of the pickup location, or of the shipping method's name; None = not allocated."""
        if order.pickup is not None:
            return self.mapping.pickup[order.pickup]
        return self.mapping.names.get(order.shipping_method)

    def _hold(self, warehouse, line, held, at):
        """The line's pending rows become so many units."""
        if held == line.held:
            return
        pool, index = self.world.pool, line.variant.world_index
        locations = pool.mapping.free_at if warehouse is None else pool.mapping.of.get(warehouse, ())
        before = pool.levels(index, locations)
        pool.add_pending(index, warehouse, 1000 * (held - line.held))
        line.held = held
        self.tracker.lowered(at, index, before, pool.levels(index, locations), "web")

    def _moved(self, order):
        """After any change: pending rows of the pool, and BigCommerce's own stock once (order_placed)."""
        holding = HOLDING if order.old else HOLDING | DELIVERED
        at, warehouse = now_ms(), self.warehouse_of(order)
        for line in order.lines:
            if line.holds:
                # An older connector has brought it into Sitoo: its reservation counts there.
                held = line.quantity - line.refunded if order.status in holding and not order.handed else 0
                self._hold(warehouse, line, held, at)
            elif line.physical and not line.is_bundle and line.variant.unit is not None:
                self.strangers.setdefault(line.variant.sku, {})[order.id] = order
        if not order.deducted and order.status in HOLDING | DELIVERED:
            order.deducted = True
            self._deduct(order)

    def settle_again(self, order):
        """Sitoo has got a SKU of it since."""
        self._moved(order)

    def let_go(self, order, some):
        """These lines are pending nowhere, until the next _moved()."""
        at, warehouse = now_ms(), self.warehouse_of(order)
        for line in some:
            if line.holds:
                self._hold(warehouse, line, 0, at)

    def _deduct(self, order):
        """BigCommerce lowers its own stock a moment later. It never puts it back: refund_order_stock_adjustment is off."""
        location = self.stock_location(order)
        self.take(order, [(location, line.variant.unit, line.quantity) for line in order.lines])
        for product in {line.variant.product.id for line in order.lines if line.variant.product.tracking == "none"} - {0}:
            self.tell("store/product/updated", {"type": "product", "id": product})  # total sold (bigcommerce.md 13)

    def take(self, order, items):
        """BigCommerce's stock of [(location, unit, quantity)] goes down a moment later, up if quantity is negative; a line
        without a level has unit None."""
        variants = self.catalog.variants
        items = [(location, unit, -quantity) for location, unit, quantity in items
                 if unit is not None and quantity and variants[unit].product.tracking != "none"]
        if not items:
            return
        for location, unit, change in items:
            key = (location, unit)
            self.not_deducted[key] = self.not_deducted.get(key, 0) - change
        self.inventory.add_later(items, self.delay * (0.5 + self.rng.random()), lambda: self._deducted(order, items))

    def adjust(self, order, before, after):
        """An edit: BigCommerce's stock as if the rows had always been like this. [(location, unit, quantity)] each."""
        total = {}
        for sign, items in ((-1, before), (1, after)):
            for location, unit, quantity in items:
                total[location, unit] = total.get((location, unit), 0) + sign * quantity
        self.take(order, [(location, unit, quantity) for (location, unit), quantity in total.items()])

    def unshipped(self, order):
        """A shipment is deleted; the status stays what it was."""
        self._touch(order)
        self.event(order, "updated")

    def _deducted(self, order, items):
        for location, unit, change in items:
            self.not_deducted[location, unit] += change
        self._touch(order)

    def _touch(self, order, at=None):
        """date_modified has a resolution of one second."""
        order.modified = int(time.time()) if at is None else at
        order.cache = None
        if self.changes and order.modified < self.changes[-1][0]:
            self.changes.insert(bisect_left(self.changes, (order.modified, order.id)), (order.modified, order.id))
        else:
            self.changes.append((order.modified, order.id))

    def get(self, number):
        """The order of this id or None."""
        return self.orders[number - self.first] if 0 <= number - self.first < len(self.orders) else None

    def known(self, number):
        order = self.get(number)
        if order is None:
            raise Refused(f"there is no web order {number}")
        return order

    def set_status(self, number, status):
        """By a person. Any status can follow any other (bigcommerce.md 9)."""
        order = self.known(number)
        if status not in STATUS:
            raise Refused(f"there is no status {status}")
        order.human += 1
        order.human_ms = now_ms()
        self.change_status(order, status)
        return order

    def change_status(self, order, status):
        """A status of a known order, with what follows from it."""
        before, order.status = order.status, status
        if before in UNPAID and status not in UNPAID:
            order.unpaid_until = self.world.first_order + len(self.world.orders) - 1
        self._ship(order)
        if not order.deducted:
            self._sold(order)  # a late payment: only now is it a sale
        if status != before:
            self.event(order, "statusUpdated", status={"previous_status_id": before, "new_status_id": status})
        self.changed(order)
        if status in (4, 5) and self.restock and order.deducted:
            # refund_order_stock_adjustment is on (bigcommerce.md 10, Restocking: when and where to are UNSURE; assumed).
            order.deducted = False
            self._restock(order)

    def changed(self, order):
        """Something of the order is different now."""
        self._touch(order)
        self._moved(order)
        self.event(order, "updated")

    def event(self, order, what, **more):
        """store/order/{what} (bigcommerce.md 5.5)."""
        self.tell(f"store/order/{what}", {"type": "order", "id": order.id, **more})

    def _restock(self, order):
        location = self.stock_location(order)
        items = [(location, line.variant.unit, line.quantity) for line in order.lines
                 if line.variant.product.tracking != "none"]
        if items:
            self.inventory.add_later(items, self.delay * (0.5 + self.rng.random()), lambda: self._restocked(order, items))

    @staticmethod
    def _restocked(order, items):
        order.restocked += sum(units for _, _, units in items)

    def clear_discounts(self, order, numbers):
        """A PUT that touches products clears the discounts of the changed lines (bigcommerce.md 9, Writing)."""
        for line in order.lines:
            if not numbers or line.id in numbers:
                line.discount = line.order_discount = 0

    def archive(self, number):
        """Archived orders leave the plain list and still hold their stock (design: pending rows)."""
        order = self.known(number)
        order.archived = True
        self._touch(order)
        self.event(order, "archived")
        return order

    # ---------------------------------------------------------------- reading

    def select(self, query):
        """Orders that match, sorted; None if a parameter cannot be understood (bigcommerce.md 9, Reading)."""
        try:
            low, high = int(query.get("min_id") or 0), int(query.get("max_id") or 10**12)
            status = int(query["status_id"]) if query.get("status_id") else None
        except ValueError:
            return None
        bounds = {}
        for name in ("min_date_modified", "max_date_modified", "min_date_created", "max_date_created"):
            if query.get(name):
                bounds[name] = parse_date(query[name])
                if bounds[name] is None:
                    return None
        if "min_date_modified" in bounds:
            start = bisect_left(self.changes, (bounds["min_date_modified"],))
            numbers = sorted({number for _, number in self.changes[start:]})
            found = [o for o in (self.get(n) for n in numbers) if o.modified >= bounds["min_date_modified"]]
        else:
            found = self.orders[max(0, low - self.first):]
        archived = query.get("is_deleted", "false") == "true"
        found = [o for o in found if low <= o.id <= high and o.archived == archived
                 and (status is None or o.status == status)
                 and o.modified <= bounds.get("max_date_modified", 10**12)
                 and bounds.get("min_date_created", 0) <= o.created <= bounds.get("max_date_created", 10**12)]
        return self._sorted(found, query.get("sort", "id"))

    @staticmethod
    def _sorted(found, sort):
        field, _, direction = sort.partition(":")
        keys = {"id": lambda o: o.id, "date_modified": lambda o: (o.modified, o.id),
                "date_created": lambda o: (o.created, o.id)}
        if field not in keys or direction not in ("", "asc", "desc"):
            return None
        if field != "id" or direction == "desc":
            found = sorted(found, key=keys[field], reverse=direction == "desc")
        return found

    # ---------------------------------------------------------------- bodies

    def body(self, order, include, structured):
        """The order as bytes, kept until it changes. Without consignment_structure=object the includes have no effect."""
        kind = None
        if structured:
            kind = ("lines" if "consignments.line_items" in include else "links" if "consignments" in include else None)
        if order.cache is None:
            order.cache = {}
        if kind not in order.cache:
            value = order_json(order)
            if kind:
                value["consignments"] = consignments_json(order, kind == "lines")
            order.cache[kind] = as_json(value)
        return order.cache[kind]
