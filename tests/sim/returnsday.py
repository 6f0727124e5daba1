# SPDX-License-Identifier: Apache-2.0
"""A day's returns of every kind: each is a web order (or a sale), handed over, and what comes back of it at a till.

Part of day.Day. One of KINDS after the other, spread over the phase "evening" of a day with "returns": true. Every web
order is of a customer's own basket: the shop's level of the SKU must be above STOCK, so that nothing is sold twice.

Without --web-orders the Sitoo order that stands for the web order is made here. With it onepool makes it: the shop then sends
the goods, and they come back once the Sitoo order is closed.
"""
import time

from orderlife import CLOSED, OPEN

STOCK = 4
HANDOVER_LIMIT_S = 40  # for the whole way from the web order to the closed order in Sitoo
KINDS = ("validated", "partial", "discounted", "by_cash", "to_another_warehouse", "damaged", "unknown_reason", "no_reason",
         "manual", "unknown_original", "till_purchase", "paid_by_web", "unknown_payment", "mixed_payers", "other_amount",
         "exchange", "exchange_late", "more_than_bought", "same_row_again", "cancelled", "by_weight", "no_decimals",
         "three_decimals", "by_hand_first", "before_handover")


class ReturnsDay:
    """Needs world, orders, refunds, rng, plain and counts of Day."""

    def returns_of_every_kind(self):
        """[(name, action)] in an order that the seed decides."""
        kinds = list(KINDS)
        self.rng.shuffle(kinds)
        return [(kind, lambda kind=kind: self._come_back(kind)) for kind in kinds]

    def _well_stocked(self):
        """A SKU of which the storefront offers plenty; None if there is none."""
        found = [sku for sku in self.plain
                 if (self.orders.offered(1, sku) or 0) > STOCK]
        return self.rng.choice(found) if found else None

    def _come_back(self, kind):
        sku = self._well_stocked()
        if sku is None:
            self.counts["returns_left_out"] += 1
            return
        self.counts["returns_of_every_kind"][kind] = self.counts["returns_of_every_kind"].get(kind, 0) + 1
        getattr(self, "_back_" + kind, self._back_plain)(sku, **PLAIN.get(kind, {}))

    def _placed(self, sku, quantity=1, **money):
        self.counts["web_orders"] += 1
        return self.orders.place([{"sku": sku, "quantity": quantity, **money.pop("row", {})}], 11, None, 0, **money)

    def _handed(self, order, then):
        """then(order, Sitoo order id) is called as soon as a shop can take returns of it."""
        if self.orders.handover.active:
            self.awaited.append((time.monotonic() + HANDOVER_LIMIT_S, order, then))
        else:
            then(order, self.world.web_handover(order)[0])

    def _bought(self, sku, then, quantity=1, **money):
        self._handed(self._placed(sku, quantity, **money), then)

    def look_at_handed(self):
        """The shop sends what was handed over; what is sent comes back. Returns how many are still awaited."""
        waiting, self.awaited = self.awaited, []
        for limit, order, then in waiting:
            known = self.orders.handover.of.get(order.id, [])
            if known and known[-1].state == OPEN and self.world.rest_rows(known[-1]):
                self.world.ship(known[-1].id)
            if known and known[-1].state == CLOSED:
                then(order, known[-1].id)
            elif time.monotonic() < limit:
                self.awaited.append((limit, order, then))
            else:
                self.counts["returns_left_out"] += 1
        return len(self.awaited)

    def _give_back(self, sku, number, quantity=1):
        self.world.give_back([{"sku": sku, "quantity": quantity}], 1, None, "101", original=number)

    def _back_plain(self, sku, quantity=1, bought=1, money=None, **back):
        """A web order and one return of it."""
        rows = [{"sku": sku, "quantity": quantity, **back.pop("row", {})}]
        self._bought(sku, lambda order, number: self.world.give_back(
            rows, original=number, **{"warehouse": 1, "reason": "101", **back}), bought, **(money or {}))

    def _back_manual(self, sku):
        self._bought(sku, lambda order, number: self._give_back(sku, None))

    def _back_unknown_original(self, sku):
        self.world.give_back([{"sku": sku, "quantity": 1}], 1, None, "101", original=99999999, unknown_original=True)

    def _back_till_purchase(self, sku):
        number, _ = self.world.sale([{"sku": sku, "quantity": 1}], 1)
        self._give_back(sku, number)

    def _back_exchange(self, sku, first="refund"):
        self._bought(sku, lambda order, number: self.world.exchange(
            {"rows": [{"sku": sku, "quantity": 1}], "original": number, "reason": "101"},
            {"rows": [{"sku": sku, "quantity": 1}]}, first, 300 if first == "sale" else 0))

    def _back_exchange_late(self, sku):
        self._back_exchange(sku, "sale")

    def _back_same_row_again(self, sku):
        def twice(order, number):
            self._give_back(sku, number)
            self._give_back(sku, number)
        self._bought(sku, twice)

    def _back_cancelled(self, sku):
        def cancel(order, number):
            self.orders.set_status(order.id, 5)
            self._give_back(sku, number)
        self._bought(sku, cancel)

    def _back_by_weight(self, sku):
        self._bought(sku, lambda order, number: self.world.give_back(
            [{"sku": "KILO-1", "quantity": "0.350"}], 1, None, "101", original=number))

    def _back_by_hand_first(self, sku):
        def by_hand(order, number):
            self.refunds.by_hand(order.id, [(0, 1)])
            self._give_back(sku, number)
        self._bought(sku, by_hand)

    def _back_before_handover(self, sku):
        """The till knows no original; the web order comes to Sitoo afterwards."""
        order = self._placed(sku)
        self._give_back(sku, None)
        self._handed(order, lambda order, number: None)


# What _back_plain is given for the kinds that need no more.
PLAIN = {
    "partial": {"bought": 3, "quantity": 2},
    "discounted": {"bought": 2, "money": {"order_discount": "0.01", "shipping": "49.00"}},
    "by_cash": {"payments": [{"name": "Cash"}]},
    "to_another_warehouse": {"return_warehouse": 4},
    "damaged": {"reason": "RC123"},
    "unknown_reason": {"reason": "999"},
    "no_reason": {"reason": None},
    "paid_by_web": {"payments": [{"name": "Web"}]},
    "unknown_payment": {"payments": [{"name": "Gift card", "giftcard": "6001"}]},
    "mixed_payers": {"payments": [{"name": "Card", "amount": "1.00"}, {"name": "Web"}]},
    "other_amount": {"row": {"amount": "0.50"}},
    "more_than_bought": {"quantity": 2},
    "no_decimals": {"money": {"currency": "JPY", "row": {"price": "1200"}}},
    "three_decimals": {"money": {"currency": "KWD", "row": {"price": "1.250"}}},
}
