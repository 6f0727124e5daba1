# SPDX-License-Identifier: Apache-2.0
"""GET /web-orders-oracle: web orders beside the Sitoo orders that stand for them, and what must not be. Worked out anew at every
call from the orders on both sides.
"""
from sitooorders import PERSONAL_FIELDS
from units import now_ms, plain
from webmoney import decimals_of, half_up, share

OPEN, CANCELLED = 0, 20
STATES = {0: "open", 10: "closed", 20: "cancelled"}
OVER = {0, 2, 4, 5, 6, 10}  # incomplete, shipped, refunded, cancelled, declined, completed: nothing is reserved any more
GONE = {0, 4, 5, 6}         # of them, those that nobody delivers
LISTS = ("twice", "missing", "left_open", "wrong_warehouse", "wrong_rows", "address_on_pickup", "unknown_web_order")


def to_hundredths(amount, currency):
    """Sitoo's money has two decimals whatever the currency (assumed)."""
    return half_up(amount * 100, 10 ** decimals_of(currency))


class HandoverReport:
    """Over one Handover."""

    def __init__(self, handover):
        self.handover, self.world = handover, handover.world

    # ---------------------------------------------------------------- one Sitoo order

    def _counts(self, order, row):
        """Units of a web order that this row of a Sitoo order stands for: all of an open order's, and of one for returns;
        otherwise what was delivered."""
        if order.state == OPEN or (order.state != CANCELLED and self.world.ignores_stock(order)):
            return row.quantity
        return row.delivered

    def _row(self, order, row):
        rest = self.world.rest(row) if order.reserving and row.sku in self.world.index_of else 0
        return {"sku": row.sku, "quantity": row.quantity, "reserved": rest, "delivered": row.delivered,
                "delivered_with_stock": row.moved, "gross_hundredths": row.gross}

    def order_json(self, order):
        given = order.given or {}
        return {"id": order.id, "externalid": order.externalid, "state": STATES[order.state], "warehouse": order.warehouse,
                "ignores_stock": self.world.ignores_stock(order), "datereserved": order.reserved_until,
                "rows": [self._row(order, row) for row in order.rows],
                "deliveries": [d.id for d in order.deliveries],
                "personal": [name for name in PERSONAL_FIELDS if given.get(name)]}

    # ---------------------------------------------------------------- one web order

    def _stands(self, orders):
        """{sku: [orders that stand for units of it, units, of them delivered or for returns, gross hundredths]}."""
        found = {}
        for order in orders:
            mine = {}
            for row in order.rows:
                units = self._counts(order, row)
                if row.sku is None or not units:
                    continue
                entry = mine.setdefault(row.sku, [1, 0, 0, 0])
                entry[1] += units
                entry[2] += units if order.state != OPEN else row.delivered
                entry[3] += share(row.gross, row.quantity, 0, units)
            for sku, entry in mine.items():
                found[sku] = [a + b for a, b in zip(found.get(sku, [0, 0, 0, 0]), entry)]
        return found

    @staticmethod
    def _bought(web):
        """{sku: [units, units not refunded, gross of all in hundredths, gross of those not refunded, known in Sitoo,
        part of a bundle]}."""
        found = {}
        for line in web.lines:
            # What is no goods stays out, and a bundle is told by its components.
            if not getattr(line, "physical", True) or getattr(line, "is_bundle", False):
                continue
            left = line.quantity - line.refunded
            entry = found.setdefault(line.variant.sku, [0, 0, 0, 0, line.variant.world_index is not None and
                                     not getattr(line, "stranger", False), False])
            entry[5] = entry[5] or getattr(line, "parent", None) is not None
            entry[0] += line.quantity
            entry[1] += left
            entry[2] += to_hundredths(line.paid, web.money.currency)
            entry[3] += to_hundredths(share(line.paid, line.quantity, 0, left), web.money.currency)
        return found

    @staticmethod
    def _twice(bought, stands):
        return [{"sku": sku, "ordered": bought.get(sku, [0])[0], "in_sitoo": entry[1], "orders": entry[0]}
                for sku, entry in stands.items() if entry[0] > 1 and entry[1] > bought.get(sku, [0])[0]]

    @staticmethod
    def _wrong_rows(bought, stands):
        """SKU, quantity or gross. What was refunded may still stand there if it had been delivered."""
        wrong = []
        for sku in {*bought, *stands}:
            units, left, gross, gross_left, known, bundled = bought.get(sku, [0, 0, 0, 0, True, False])
            _, there, delivered, money = stands.get(sku, [0, 0, 0, 0])
            if not known and not there:
                continue  # Sitoo does not have this product: whether its row goes along is onepool's choice
            fits = left <= there <= units and there - left <= delivered
            # Parts and refunds are rounded, at most by a hundredth for each unit.
            whole = there == units
            expected, slack = (gross, 0) if whole else (gross_left, units)
            # A bundle's price may be spread over its components as onepool likes.
            if not fits or not bundled and (there == left or whole) and abs(money - expected) > slack:
                wrong.append({"sku": sku, "expected": left, "in_sitoo": there, "gross_hundredths": money,
                              "expected_gross_hundredths": expected})
        return wrong

    def _findings(self, number, web, orders, min_age_ms):
        """{list name: what was found}, of one web order."""
        found, wanted = {}, self.handover.wanted.get(number)
        bought, stands = self._bought(web), self._stands(orders)
        live = [o for o in orders if o.state != CANCELLED]
        found["twice"] = self._twice(bought, stands)
        age = now_ms() - self.handover.since.get(number, now_ms())
        if wanted and not stands and age >= min_age_ms:
            found["missing"] = [{"age_ms": age, "status": web.status}]
        if web.status in OVER:
            found["left_open"] = [{"order_id": o.id, "status": web.status} for o in orders
                                  if o.reserving and self.world.rest_rows(o)]
        if web.status not in GONE and stands:
            found["wrong_rows"] = self._wrong_rows(bought, stands)
        places = {warehouse for _, warehouse in wanted or ()} - {None}  # where WebOrders has it wait: the pickup's
        if places:
            found["wrong_warehouse"] = [{"order_id": o.id, "warehouse": o.warehouse, "expected": min(places)} for o in live
                                        if o.warehouse not in places and not self.world.ignores_stock(o)]
        if places or web.pickup is not None:
            found["address_on_pickup"] = [{"order_id": o.id, "fields": fields} for o in live
                                          if (fields := [n for n in self.order_json(o)["personal"] if n.startswith("delivery_")])]
        return found

    # ---------------------------------------------------------------- the answer

    def report(self, min_age_ms=0, only=None):
        """{"ok", "orders", "personal_data", and LISTS}. only: of this web order."""
        handover = self.handover
        answer = {"ok": True, "orders": [], "personal_data": [], **{name: [] for name in LISTS}}
        numbers = {only} if only is not None else {*handover.of, *handover.wanted}
        for number in sorted(numbers):
            web, orders = handover.orders.get(number), handover.of.get(number, [])
            answer["personal_data"] += [{"order_id": o.id, "externalid": o.externalid, "fields": fields} for o in orders
                                        if (fields := self.order_json(o)["personal"])]
            if web is None:
                answer["unknown_web_order"] += [{"web_order": number, "order_id": o.id} for o in orders]
                continue
            wanted = handover.wanted.get(number, {})
            answer["orders"].append({
                "web_order": number, "status": web.status, "pickup": web.pickup,
                "wanted": plain(sum(wanted.values())), "pending": plain(sum(wanted.values()) - sum(
                    handover.given.get(number, {}).values())), "sitoo": [self.order_json(o) for o in orders]})
            for name, rows in self._findings(number, web, orders, min_age_ms).items():
                answer[name] += [{"web_order": number, **row} for row in rows]
        answer["ok"] = not any(answer[name] for name in LISTS)
        return answer
