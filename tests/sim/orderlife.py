# SPDX-License-Identifier: Apache-2.0
"""What becomes of an order in Sitoo: it reserves, is delivered in parts or whole, is closed, cancelled, made ready or rejected.

Part of World. An open order with a warehouse reserves what is not delivered yet, unless its deliveries ignore stock
(sitoo.md 5.2, 4.4); a delivery lowers reserved and on hand together (ledger type 30). Whatever raises a level comes before what
lowers it, so that the tracker sees no fall that never was.
"""
import asyncio
from bisect import bisect_left

from units import Refused, now_ms

OPEN, CLOSED, CANCELLED = 0, 10, 20
ORDER, PARKED, SALES = 10, 110, 30
STATE_LOGGED, READY, REJECTED = 70, 900, 910  # sitoo.md 4.5; that 70 is a change of state is read from an example
LOG_EVENTS = {READY: "ready-for-pickup", REJECTED: "pickup-rejected"}
LONGEST_TIMER_S = 86400

# PUT /settings sitoo_orders: what the documentation leaves open (sitoo.md 5.1, U7, U8, U16).
RULES = {"duplicate_status": 400, "reject_cancels": False, "cancel_releases": True, "ship_closes": False,
         "unknown_warehouse": "refuse"}
CHOICES = {"unknown_warehouse": ("refuse", "accept")}


class Delivery:
    """A delivery of an order. items: [(orderitemid, units)]; moved: whether stock went down with it."""

    __slots__ = ("id", "warehouse", "ref", "date", "items", "moved")

    def __init__(self, number, warehouse, ref, items, moved):
        self.id, self.warehouse, self.ref, self.items, self.moved = number, warehouse, ref, items, moved
        self.date = now_ms() // 1000


class OrderLife:
    """follower: told of every order that is made, renamed or covers more or less than before (handover.Handover)."""

    def _start_orders(self):
        self.order_rules = dict(RULES)
        self.follower = None

    def change_order_rules(self, rules):
        """Refused if a name or a value is none."""
        for name, value in rules.items():
            usual = RULES.get(name)
            fits = value in CHOICES[name] if name in CHOICES else type(value) is type(usual)
            if name not in RULES or not fits or (name == "duplicate_status" and not 400 <= value <= 599):
                raise Refused(f"sitoo_orders: {name}={value!r} is no setting")
        self.order_rules.update(rules)

    # ---------------------------------------------------------------- reserving

    @staticmethod
    def ignores_stock(order):
        """delivery-ignore-stock: its deliveries must not move stock (sitoo.md 4.4)."""
        return order.extra.get("delivery-ignore-stock") == "true"

    @staticmethod
    def rest(row):
        """Units of a row that are not delivered."""
        return 0 if row.sku is None and row.given is None else row.quantity - row.delivered

    def rest_rows(self, order):
        """[(index, thousandths)] of what is not delivered; known SKUs only."""
        return [(self.index_of[r.sku], self.rest(r) * r.one) for r in order.rows if r.sku in self.index_of and self.rest(r)]

    def _may_reserve(self, order):
        """Without datereserved it reserves for ever (sitoo.md U6)."""
        expired = order.reserved_until is not None and order.reserved_until <= now_ms() // 1000
        return (order.state == OPEN and order.type != PARKED and order.warehouse in self.pool.total
                and not self.ignores_stock(order) and not expired)

    def _told(self, order):
        if self.follower is not None:
            self.follower.covers(order)

    def _hold(self, order):
        """Starts to reserve, if it may: no ledger row, and datelastmodified stays (sitoo.md 5.2, 7.2)."""
        if order.reserving or not self._may_reserve(order):
            return
        order.reserving = True
        self._told(order)
        at = now_ms()
        for index, quantity in self.rest_rows(order):
            if index not in self.item_number[order.warehouse]:
                self._touch(index, order.warehouse, at // 1000)
            self._change(index, order.warehouse, at, reserved=quantity)

    def _let_go(self, order):
        """Reserves nothing any more."""
        if not order.reserving:
            return
        order.reserving = False
        at = now_ms()
        for index, quantity in self.rest_rows(order):
            self._change(index, order.warehouse, at, reserved=-quantity)
        self._told(order)

    def keep_until(self, order, seconds):
        """A reservation until this time, None: for ever. Ends by itself while the simulator runs, within a day."""
        order.reserved_until = seconds
        if order.reserving and not self._may_reserve(order):
            self._let_go(order)
        self._hold(order)
        wait = None if seconds is None else seconds - now_ms() / 1000
        if order.reserving and wait is not None and wait < LONGEST_TIMER_S:
            asyncio.get_running_loop().call_later(max(0, wait), self._time_is_up, order, seconds)

    def _time_is_up(self, order, seconds):
        if order.reserving and order.reserved_until == seconds:
            self._let_go(order)

    def expire(self, number):
        """datereserved has passed: the reservation ends, the order stays as it is. No event (sitoo.md 3.3). (id, ms)"""
        order = self._known(number)
        if not order.reserving:
            raise Refused(f"order {number} reserves nothing")
        order.reserved_until = now_ms() // 1000
        self._let_go(order)
        return order.id, now_ms()

    # ---------------------------------------------------------------- states

    def _known(self, number):
        order = self.order(number)
        if order is None:
            raise Refused(f"there is no order {number}")
        return order

    def _known_open(self, number):
        order = self._known(number)
        if order.state != OPEN:
            raise Refused(f"order {number} is not open")
        return order

    def _leave_open(self, order, state):
        order.state = state
        order.log.append((now_ms() // 1000, STATE_LOGGED, None, state))
        del self.open_orders[bisect_left(self.open_orders, order.id)]

    def end(self, order, state):
        """Closes or cancels an open order, without an event. Cancelling releases unless the rules say otherwise (U7);
        that closing without a delivery does is assumed too."""
        self._leave_open(order, state)
        if state == CLOSED or self.order_rules["cancel_releases"]:
            self._let_go(order)
        self._told(order)

    def place_at(self, order, warehouse):
        """Another warehouse (or None): the reservation goes with it."""
        self._let_go(order)
        order.warehouse = warehouse
        self._hold(order)

    def rename(self, order, externalid):
        """Another reference, or None."""
        if order.externalid:
            del self.by_externalid[order.externalid]
        if self.follower is not None:
            self.follower.forget(order)
        order.externalid = externalid
        self._referenced(order)

    def _referenced(self, order):
        if order.externalid:
            self.by_externalid[order.externalid] = order
        if self.follower is not None:
            self.follower.made(order)

    def own_order(self, externalid, rows, warehouse=1):
        """A web order handed to Sitoo: open, reserves, not made at a till (sitoo.md 5.1). externalid is unique (5.4)."""
        if externalid in self.by_externalid:
            raise Refused(f"externalid {externalid} exists")
        order = self._order(ORDER, OPEN, 20, warehouse, self._rows(rows, 1), register=False, externalid=externalid,
                            extra={"weborder": "true"})
        self._hold(order)
        self._order_event(order, "add", OPEN)
        return order.id, now_ms()

    def cancel_order(self, number):
        """As a till or a PUT of orderstateid 20 does."""
        order = self._known_open(number)
        self.end(order, CANCELLED)
        self._order_event(order, "update", CANCELLED)
        return order.id, now_ms()

    def update_order(self, number, what="update"):
        """An event about an order that changed in a way that moves no stock: update, ready-for-pickup, ..."""
        order = self._known(number)
        kinds = {name: kind for kind, name in LOG_EVENTS.items()}
        if what in kinds:
            order.log.append((now_ms() // 1000, kinds[what], None, None))
        self._order_event(order, what)
        return order.id, now_ms()

    def log_item(self, order, kind, text=None, value=None):
        """Ready for pick-up or rejected: a line of the log and an event; the order stays open unless the rules say otherwise
        (sitoo.md U8)."""
        order.log.append((now_ms() // 1000, kind, text, value))
        self._order_event(order, LOG_EVENTS[kind])
        if kind == REJECTED and self.order_rules["reject_cancels"] and order.state == OPEN:
            self.cancel_order(order.id)

    def mark(self, number, kind):
        """Staff make an open order ready or reject it. (id, ms)"""
        order = self._known_open(number)
        self.log_item(order, kind, "Staff")
        return order.id, now_ms()

    # ---------------------------------------------------------------- deliveries

    def undelivered(self, order):
        """{position: units} of what is not delivered."""
        return {position: self.rest(row) for position, row in enumerate(order.rows) if self.rest(row) > 0}

    def deliver(self, order, warehouse, units, ref="", ignorestock=False, announce=True):
        """units: {position: how many}, no more than the rest. Moves stock unless told not to; returns the Delivery."""
        self.deliveries += 1
        at, moves = now_ms(), not ignorestock and not self.ignores_stock(order)
        changes = []
        for position, count in units.items():
            row = order.rows[position]
            row.delivered += count
            row.moved += count if moves else 0
            if row.sku in self.index_of:
                changes.append((self.index_of[row.sku], count * row.one))
        if order.reserving:
            for index, quantity in changes:
                self._change(index, order.warehouse, at, reserved=-quantity)
        ledger = None
        if moves and changes:
            ledger = self._move_ledger(warehouse, SALES, [(i, -q) for i, q in changes], at, delivery=self.deliveries)
        self._told(order)
        made = Delivery(self.deliveries, warehouse, ref, [(order.rows[p].itemid(p), n) for p, n in units.items()], moves)
        order.deliveries.append(made)
        if announce:
            self._delivery_event(order, made)
        if ledger:
            self._ledger_event(ledger, warehouse)
        return made

    def _delivery_event(self, order, delivery):
        # The last three names are UNSURE (sitoo.md 3.3), guessed as in recorded/sitoo/event-order-delivery-add.json.
        self.emit("order-delivery", {"eshop_id": order.eshop, "order_id": order.id, "order_delivery_id": delivery.id,
                                     "warehouse_id": delivery.warehouse, "order_delivery_state_changed": "delivered",
                                     "order_delivery_event_type": "add"})

    def deliver_order(self, number):
        """Everything delivered and the order closed at once (sitoo.md 5.1), without an order-delivery event."""
        order = self._known_open(number)
        if order.type != PARKED:
            self.deliver(order, order.warehouse, self.undelivered(order), announce=False)
        self.end(order, CLOSED)
        self._order_event(order, "update", CLOSED)
        return order.id, now_ms()

    def _wanted(self, order, rows):
        """{position: units} of control rows [{"sku","quantity"}]; None: all that is left."""
        left = self.undelivered(order)
        if rows is None:
            if not left:
                raise Refused(f"everything of order {order.id} is delivered")
            return left
        units = {}
        for asked in rows:
            count = asked.get("quantity", 1)
            if type(count) is not int or count < 1:
                raise Refused("quantity must be a whole number above 0")
            for position in [p for p in left if order.rows[p].sku == asked["sku"]]:
                taken = min(count, left[position] - units.get(position, 0))
                if taken:
                    units[position] = units.get(position, 0) + taken
                count -= taken
            if count:
                raise Refused(f"order {order.id} has not so many of {asked['sku']} left to deliver")
        if not units:
            raise Refused("rows must be a list that is not empty")
        return units

    def _place_of_delivery(self, order, warehouse):
        place = order.warehouse if warehouse is None else warehouse
        self._check_warehouse(place)
        return place

    def collect(self, number, rows=None):
        """The customer takes it at the till: delivered, and closed once nothing is left (sitoo.md 5.1). (order, delivery, ms)"""
        order = self._known_open(number)
        units = self._wanted(order, rows)
        made = self.deliver(order, self._place_of_delivery(order, None), units)
        whole = not self.undelivered(order)
        if whole:
            self.end(order, CLOSED)
        self._order_event(order, "update", CLOSED if whole else None)
        return order, made, now_ms()

    def ship(self, number, rows=None, warehouse=None):
        """Staff of a shop make a delivery; the order stays open unless the rules say otherwise. (order, delivery, ms)"""
        order = self._known_open(number)
        units = self._wanted(order, rows)
        made = self.deliver(order, self._place_of_delivery(order, warehouse), units)
        if not self.undelivered(order) and self.order_rules["ship_closes"]:
            self.end(order, CLOSED)
            self._order_event(order, "update", CLOSED)
        return order, made, now_ms()
