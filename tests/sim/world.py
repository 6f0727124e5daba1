# SPDX-License-Identifier: Apache-2.0
"""The truth of the simulated shop on Sitoo's side: SKUs, warehouses, stock, orders and the ledger.

Actions (sale, return, booking, ...) make what Sitoo would make: an order, ledger rows with the level after them, and
events. Quantities are integer thousandths, money integer hundredths. Every text that stands for personal data holds the
mark PERSONAL, so that one search finds any that was kept where it must not be.
"""
import random
from bisect import insort

from orderlife import Delivery, OrderLife
from pool import Pool
from skulife import SkuLife
from tillreturns import TillReturns
from units import Refused, decimal3, money2, now_ms, thousandths

ACCOUNT = 1500
ESHOP = 1
SITE_GUID = "{25D9C5B8-51FC-5751-7FBE-37368C7E4EF0}"
PERSONAL = "zzpd"
RECLAIMS = 9

# sitoo.md 4.1 (the codes) and 7.3 (the ledger's types)
ORDER, BOOKING, PARKED = 10, 100, 110
OPEN, CLOSED, CANCELLED = 0, 10, 20
MOVE_IN, MOVE_OUT, SALES, REFUND, STOCKTAKING = 10, 20, 30, 40, 50


class Sku:
    """One SKU. kind says what BigCommerce has of it: variant, simple, none (untracked), wrong, absent, web (only there)."""

    __slots__ = ("index", "sku", "productid", "title", "price", "price_org", "weight", "active", "activepos", "kind", "barcode",
                 "vatid", "parent", "attributes", "friendly", "more", "created", "modified")

    def __init__(self, index, sku, kind, price, weight=False, active=True):
        self.index, self.sku, self.kind, self.price, self.weight, self.active = index, sku, kind, price, weight, active
        self.productid = 1000 + index
        self.title = f"Product {sku}"
        # What only the product flow looks at (tillcatalog.py). parent: product id of the family's main variant, or None;
        # more: fields that differ from tillcatalog.DEFAULTS; created, modified: seconds, None = long before the start.
        self.price_org, self.activepos, self.barcode, self.vatid = price, active, "", 2
        self.parent, self.attributes, self.friendly, self.more = None, [], None, {}
        self.created = self.modified = None


# What makes trouble, first in the list. (sku, kind, weight, active in Sitoo)
SPECIAL = [
    ("AB+C/1-2", "variant", False, True),
    ("SITOO-ONLY-1", "absent", False, True),
    ("UNTRACKED-1", "none", False, True),
    ("WRONG-1-RED", "wrong", False, True),
    ("WRONG-1-BLUE", "wrong", False, True),
    ("INACTIVE-1", "variant", False, False),
    ("KILO-1", "simple", True, True),
]


def make_skus(rng, count, extra=()):
    """The special ones, then every fifth simple and the rest variants; last the extra ones, as simple products."""
    skus = [Sku(i, name, kind, rng.randrange(500, 50000), weight, active)
            for i, (name, kind, weight, active) in enumerate(SPECIAL)]
    for i in range(len(skus), max(count, len(skus) + 5)):
        skus.append(Sku(i, f"SKU-{i:05d}", "simple" if i % 5 == 0 else "variant", rng.randrange(500, 50000)))
    for name in extra:
        skus.append(Sku(len(skus), name, "simple", rng.randrange(500, 50000)))
    return skus


def warehouse_ids(count):
    """1 to 8, then from 10, at least four; last of all 9, Reclaims."""
    count = max(4, count)
    return [n for n in range(1, count + 2) if n != RECLAIMS][:count] + [RECLAIMS]


class Order:
    """A Sitoo order. rows: [Row]; extra: additionaldata; log: [(seconds, type, text, number)]; deliveries:
    [orderlife.Delivery]; reserving: whether what is not delivered is reserved now; given: the texts that a POST brought,
    None if it was not made through the API."""

    __slots__ = ("id", "type", "state", "payment", "date", "register", "warehouse", "reserved_until", "externalid",
                 "credit", "extra", "rows", "person", "log", "currency", "payments", "roundoff", "deliveries", "reserving",
                 "given")

    eshop = ESHOP


class Row:
    """An order row. quantity in whole units (negative when returned); unit in thousandths per unit, None for pieces.
    price: hundredths with tax, of one or of a whole unit of measure; fixed: the row's gross, if it is not quantity x price;
    number: its orderitemid, if that is not its position. delivered: units of it, moved: those that stock went down for.
    given: what a POST said of it (sitooorders.py), else None.

    sku None = a discount row (sitoo.md 4.2: no sku, follows the row it belongs to).
    """

    __slots__ = ("sku", "name", "productid", "quantity", "unit", "price", "discount", "extra", "fixed", "number",
                 "delivered", "moved", "given")

    def __init__(self, sku, name, productid, quantity, unit, price, extra=None, discount=0):
        self.sku, self.name, self.productid, self.quantity = sku, name, productid, quantity
        self.unit, self.price, self.extra, self.discount = unit, price, extra or {}, discount
        self.fixed = self.number = self.given = None
        self.delivered = self.moved = 0

    @property
    def one(self):
        """Thousandths of one unit."""
        return 1000 if self.unit is None else self.unit

    @property
    def total(self):
        """decimalquantitytotal in thousandths."""
        return self.quantity * self.one

    @property
    def gross(self):
        """What the row costs with tax, hundredths, signed."""
        if self.fixed is not None:
            return self.fixed
        worth = self.price if self.unit is None else self.price * self.unit // 1000
        return self.quantity * worth

    def itemid(self, position):
        """orderitemid: from 0, so 0 is a real id (sitoo.md 4.2)."""
        return position if self.number is None else self.number


class World(OrderLife, TillReturns, SkuLife):
    """Everything Sitoo knows, and the formula's pool. Listeners: on_event(event)."""

    def __init__(self, seed, sku_count, warehouse_count, mapping, extra_skus=()):
        self.rng = random.Random(seed)
        self.started_ms = now_ms()
        self.skus = make_skus(self.rng, sku_count, extra_skus)
        self.index_of = {s.sku: s.index for s in self.skus}
        ids = warehouse_ids(warehouse_count)
        # A mapping may name more than there are; Reclaims stays last.
        self.warehouses = sorted({*ids[:-1], *mapping.of} - {RECLAIMS}) + [RECLAIMS]
        self.pool = Pool(mapping, len(self.skus), self.warehouses)
        self.tracker = None  # set by main
        self.virtual, self.warehouse_names = set(), {}  # warehouses whose stock is set by another system; names given
        self.on_event = None
        self.silent = True  # no events while the shop is being set up
        # Rows of the stock table, in the order they came to be: warehouse -> [sku index]; a SKU may have none.
        self.item_rows = {w: [] for w in self.warehouses}
        self.item_number = {w: {} for w in self.warehouses}  # sku index -> position in item_rows
        self.item_modified = {w: {} for w in self.warehouses}
        self.first_order = 11500 + 1
        self.orders = []
        self.by_externalid, self.by_creditorder, self.by_receipt = {}, {}, {}
        self.open_orders = []  # sorted ids
        self.ledger = []       # id = position + 1
        self.hidden = {}       # ledger id -> ms from which it can be seen
        self.late_rate, self.late_ms = 0.0, 0
        self.deliveries = 0
        self.people = 0
        self.events_made = 0
        self._start_skus()
        self._start_orders()
        self._start_returns()
        self._open_shop()

    # ---------------------------------------------------------------- setting up

    def _open_shop(self):
        """Stock, a little history (more orders than the default page of 10, sitoo.md 2), two open bookings."""
        then = now_ms() // 1000 - 86400
        for warehouse in self.warehouses:
            for sku in self.skus:
                if warehouse == RECLAIMS and sku.index % 7:
                    continue
                # A SKU without a row in a warehouse is normal (sitoo.md 7.2).
                if sku.index >= len(SPECIAL) and self.rng.random() < 0.1:
                    continue
                units = self.rng.randrange(0, 31)
                total = units * 1000 + (self.rng.randrange(0, 1000) if sku.weight else 0)
                self._touch(sku.index, warehouse, then)
                self.pool.add_stock(sku.index, warehouse, total=total)
        pieces = [s.sku for s in self.skus if not s.weight and s.index >= len(SPECIAL)]
        for _ in range(30):
            warehouse = self.rng.choice(self.warehouses[:4])
            self.sale([{"sku": self.rng.choice(pieces), "quantity": 1}], warehouse, -43200)
        for _ in range(2):
            self.booking([{"sku": self.rng.choice(pieces), "quantity": 1}], 1)
        self.silent = False

    def _touch(self, index, warehouse, seconds):
        """Makes the stock row if there is none. datelastmodified is that of the last transaction (sitoo.md 7.2)."""
        numbers = self.item_number[warehouse]
        if index not in numbers:
            numbers[index] = len(self.item_rows[warehouse])
            self.item_rows[warehouse].append(index)
        self.item_modified[warehouse][index] = seconds

    # ---------------------------------------------------------------- events

    def emit(self, kind, data):
        """One event of the feed (sitoo.md 3.3)."""
        if self.silent or self.on_event is None:
            return
        self.events_made += 1
        self.on_event({"event_id": f"{self.rng.getrandbits(128):032x}", "event_type": kind,
                       "event_date": now_ms() // 1000, "account_id": ACCOUNT, "data": data})

    def _order_event(self, order, what, state=None):
        """order and booking events share one shape; order_state_changed only when it changed (sitoo.md 3.3)."""
        data = {"eshop_id": ESHOP, "order_id": order.id, "order_event_type": what}
        if order.warehouse is not None:
            data["warehouse_id"] = order.warehouse
        if state is not None:
            data["order_state_changed"] = {OPEN: "open", CLOSED: "closed", CANCELLED: "cancelled"}[state]
        self.emit("booking" if order.type == BOOKING else "order", data)

    # ---------------------------------------------------------------- the two ways stock changes

    def _change(self, index, warehouse, at, total=0, reserved=0, withheld=0, till_row=None):
        """Stock of one SKU in one warehouse; tells the tracker what it lowered."""
        locations = self.pool.mapping.of.get(warehouse, ())
        before = self.pool.levels(index, locations)
        self.pool.add_stock(index, warehouse, total, reserved, withheld)
        if self.tracker is not None:
            self.tracker.lowered(at, index, before, self.pool.levels(index, locations), "till", till_row)

    def ledger_visible(self, number):
        """False while a row is late."""
        due = self.hidden.get(number)
        if due is None:
            return True
        if now_ms() < due:
            return False
        del self.hidden[number]
        return True

    def _withheld_by(self, index, warehouse, kind, delta, withhold):
        """How withheld changes with a movement: a return adds what may not be sold; units moved out leave it, oldest first;
        sales and stocktaking leave it alone."""
        if kind == MOVE_OUT and self.moves_release:
            return -min(self.pool.withheld.get((index, warehouse), 0), max(0, -delta))
        return delta if withhold else 0

    def _move_ledger(self, warehouse, kind, changes, at, withhold=None, till_rows=None, **texts):
        """Changes on hand item by item and writes one ledger row with the level after each (sitoo.md 7.3).

        changes: [(index, delta)]; withhold: for each whether its units may not be sold. Returns the row's id; ids rise by one.
        """
        number = len(self.ledger) + 1
        seconds = at // 1000
        rows = []
        for position, (index, delta) in enumerate(changes):
            withheld = self._withheld_by(index, warehouse, kind, delta, withhold and withhold[position])
            self._change(index, warehouse, at, total=delta, withheld=withheld,
                         till_row=till_rows[position] if till_rows else None)
            self._touch(index, warehouse, seconds)
            level = self.pool.total[warehouse][index]
            rows.append({"decimalquantity": decimal3(delta), "decimaltotal": decimal3(level), "moneypricein": "0.00",
                         "moneytotal": "0.00", "moneyvalue": "0.00", "sku": self.skus[index].sku})
        self.ledger.append({
            "warehousetransactionid": number, "warehouseid": warehouse, "datecreated": seconds, "transactiontype": kind,
            "description": texts.get("description", ""), "orderdeliveryid": texts.get("delivery"), "shipmentid": None,
            "externalid": texts.get("externalid"), "reasoncode": texts.get("reason"), "items": rows})
        # Whether ids become visible strictly in order is UNSURE (sitoo.md U18); assumed not, on request.
        if self.late_rate and self.rng.random() < self.late_rate:
            self.hidden[number] = now_ms() + self.late_ms
        return number

    def _ledger_event(self, number, warehouse):
        # The names inside data are guesses (sitoo.md U5): a doorbell, not to be parsed.
        self.emit("warehouse-transaction", {"eshop_id": ESHOP, "warehouse_id": warehouse,
                                            "warehouse_transaction_id": number})

    # ---------------------------------------------------------------- orders

    def _rows(self, rows, sign, may_be_empty=False):
        """Control rows {"sku","quantity","discount"?,"reason"?} as order rows, quantities with this sign."""
        if not isinstance(rows, list) or not (rows or may_be_empty):
            raise Refused("rows must be a list that is not empty")
        made = []
        for row in rows:
            index = self.index_of.get(row["sku"])
            amount = abs(thousandths(row.get("quantity", 1)))
            if amount == 0:
                raise Refused(f"quantity of {row['sku']} is 0")
            sku = self.skus[index] if index is not None else None
            # Goods by weight: one unit of so many kilograms (sitoo.md 4.2, decimalunitquantity).
            pieces = amount % 1000 == 0 and not (sku and sku.weight)
            extra = {}
            if row.get("reason"):
                extra["reasoncode-return"] = str(row["reason"])
            made.append(Row(row["sku"], sku.title if sku else f"Product {row['sku']}", sku.productid if sku else None,
                            sign * (amount // 1000 if pieces else 1), None if pieces else amount,
                            sku.price if sku else 1000, extra, row.get("discount", 0)))
            if row.get("discount"):
                # A discount row: no sku, moves no stock; its type number is UNSURE (sitoo.md U15).
                made.append(Row(None, "Discount", None, 1, None, 0, {}, row["discount"]))
        return made

    def _check_warehouse(self, warehouse):
        if warehouse not in self.pool.total:
            raise Refused(f"there is no warehouse {warehouse}; there are {self.warehouses}")

    def _order(self, kind, state, payment, warehouse, rows, date_offset_s=0, register=True, **more):
        if warehouse is not None:
            self._check_warehouse(warehouse)
        self.people += 1
        order = Order()
        order.id = self.first_order + len(self.orders)
        order.type, order.state, order.payment = kind, state, payment
        # A till that was offline delivers the order later, with the original time (sitoo.md 4.1).
        order.date = now_ms() // 1000 + int(date_offset_s)
        order.register = "{%08X-155A-49E1-7CA8-5F7F78FC3067}" % warehouse if register else None
        order.warehouse, order.rows = warehouse, rows
        order.reserved_until = more.get("reserved_until")
        order.externalid, order.credit = more.get("externalid"), more.get("credit")
        order.extra = more.get("extra", {})
        order.currency, order.roundoff = more.get("currency", "SEK"), more.get("roundoff", 0)
        order.payments = more.get("payments")  # None: one by card
        order.person = f"{PERSONAL}{self.people:06d}"
        order.log = [(order.date, 0, None, None)]
        order.deliveries, order.reserving, order.given = [], False, more.get("given")
        self.orders.append(order)
        self._referenced(order)
        if order.credit:
            self.by_creditorder.setdefault(order.credit, []).append(order.id)
        if register:
            receipt = f"SII{warehouse:09d}{order.id:09d}"
            order.extra = {"pos-receiptid": receipt, "pos-timezone": "Europe/Stockholm", **order.extra}
            self.by_receipt[order.extra["pos-receiptid"]] = order.id
        if state == OPEN:
            insort(self.open_orders, order.id)
        return order

    def order(self, number):
        """The order of this id or None."""
        position = number - self.first_order
        return self.orders[position] if 0 <= position < len(self.orders) else None

    def _stock_rows(self, order):
        """[(index, thousandths signed)] of the rows that move stock: known SKUs only (sitoo.md 7.2, WETAIL)."""
        return [(self.index_of[r.sku], r.total) for r in order.rows if r.sku in self.index_of and r.total]

    def sale(self, rows, warehouse=1, date_offset_s=0, no_rows=False):
        """A sale at a till: order 10/10/20, ledger type 30, events. Returns (order id, ms)."""
        order = self._order(ORDER, CLOSED, 20, warehouse, self._rows(rows, 1, no_rows), date_offset_s)
        at = now_ms()
        changes = [(i, -q) for i, q in self._stock_rows(order)]
        number = None
        if changes:
            self.deliveries += 1
            tracked = None
            if self.tracker is not None:
                tracked = [self.tracker.till_row(at, i, order.id) for i, _ in changes]
            number = self._move_ledger(warehouse, SALES, changes, at, till_rows=tracked, delivery=self.deliveries)
            sold = [(r.itemid(p), r.quantity) for p, r in enumerate(order.rows) if r.sku is not None]
            order.deliveries.append(Delivery(self.deliveries, warehouse, "", sold, True))
        self._order_event(order, "add", CLOSED)
        if number:
            self._ledger_event(number, warehouse)
        return order.id, at

    def booking(self, rows, warehouse=1):
        """A booking: type 100, open, reserves; event type booking."""
        order = self._order(BOOKING, OPEN, 0, warehouse, self._rows(rows, 1),
                            reserved_until=now_ms() // 1000 + 7 * 86400)
        self._hold(order)
        self._order_event(order, "add", OPEN)
        return order.id, now_ms()

    def parked_basket(self, rows, warehouse=1):
        """A parked basket: type 110, no effect on stock (sitoo.md 4.7: ignore)."""
        order = self._order(PARKED, OPEN, 0, warehouse, self._rows(rows, 1))
        self._order_event(order, "add", OPEN)
        return order.id, now_ms()

    # ---------------------------------------------------------------- stock without an order

    def _plain_rows(self, rows, key):
        changes = []
        for row in rows:
            if row["sku"] not in self.index_of:
                raise Refused(f"there is no SKU {row['sku']}")
            changes.append((self.index_of[row["sku"]], thousandths(row[key])))
        if not changes:
            raise Refused("rows must not be empty")
        return changes

    def move(self, rows, source=None, target=None, externalid=None):
        """Move Out (20) of one warehouse and Move In (10) to another, each a ledger row of its own; either may be absent."""
        changes = self._plain_rows(rows, "quantity")
        if source is None and target is None:
            raise Refused("name from, to, or both")
        numbers = []
        for warehouse, kind, sign in ((source, MOVE_OUT, -1), (target, MOVE_IN, 1)):
            if warehouse is None:
                continue
            self._check_warehouse(warehouse)
            number = self._move_ledger(warehouse, kind, [(i, sign * q) for i, q in changes], now_ms(),
                                       externalid=externalid)
            self._ledger_event(number, warehouse)
            numbers.append(number)
        return numbers, now_ms()

    def stocktake(self, rows, warehouse=1):
        """Counted quantities; closing the batch commits one ledger row of type 50 (sitoo.md 7.4)."""
        self._check_warehouse(warehouse)
        changes = [(i, counted - self.pool.total[warehouse][i]) for i, counted in self._plain_rows(rows, "counted")]
        number = self._move_ledger(warehouse, STOCKTAKING, changes, now_ms(),
                                   description="Stocktaking has been completed!")
        self._ledger_event(number, warehouse)
        return number, now_ms()

    # ---------------------------------------------------------------- what the control interface shows

    def describe(self, with_stock=True):
        """SKUs, warehouses and, if wanted, all rows of stock in thousandths."""
        stock = {}
        for w in self.warehouses if with_stock else ():
            total, reserved = self.pool.total[w], self.pool.reserved[w]
            stock[str(w)] = {self.skus[i].sku: {"on_hand": total[i], "reserved": reserved[i],
                                                "withheld": self.pool.withheld.get((i, w), 0)}
                             for i in self.item_rows[w]}
        return {"started_ms": self.started_ms, "warehouses": self.warehouses, "unit": "thousandths",
                "skus": [{"sku": s.sku, "kind": s.kind, "weight": s.weight, "active": s.active, "price": money2(s.price)}
                         for s in self.skus if s.index not in self.gone_skus],
                "stock": stock, "orders": len(self.orders), "ledger": len(self.ledger)}
