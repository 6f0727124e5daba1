# SPDX-License-Identifier: Apache-2.0
"""A small day in the shop, played step by step through the simulators. What they refuse (an order that is closed already, say) did
not happen."""
import random
import time

from faultplan import SKUS, STEPS
from web_shop import COLLECT, opinion

PAYMENTS = ("Card", "Card", "Cash", "Web")
REASONS = ("101", "101", "101", "RC123", "999")
CALLS = {"ready": "/ready", "collect": "/collect", "reject": "/reject", "ship": "/ship", "till_cancel": "/cancel-order"}
FITS = {"ready": True, "collect": True, "reject": True, "ship": False, "web_ship": False}  # a pickup, a parcel


class Day:
    """skus: those that are traded; orders: [(web order, is a pickup)]; returns: Sitoo ids; log: what was done."""

    def __init__(self, shop):
        self.shop = shop
        self.skus = fresh_skus(shop, SKUS)
        self.orders, self.returns, self.log = [], [], []
        self.dice = None

    def act(self, kind, seed):
        self.dice = random.Random(seed)
        getattr(self, f"_{kind}", self._of_order)(kind)

    def _do(self, path, body):
        answer = self.shop.control_answer("POST", path, body)
        assert answer.status in (200, 400), (path, body, answer)
        made = answer.json() if answer.status == 200 else None
        self.log.append((path, body, made))
        return made

    def _rows(self, most=2):
        return [{"sku": sku, "quantity": self.dice.randint(1, 2)} for sku in self.dice.sample(self.skus, self.dice.randint(1, most))]

    def _sku(self):
        return self.dice.choice(self.skus)

    # ---------------------------------------------------------------- shops

    def _sale(self, _):
        self._do("/sale", {"rows": self._rows(), "warehouse": self.dice.choice((1, 2, 3))})

    def _booking(self, _):
        self._do("/booking", {"rows": self._rows(1), "warehouse": self.dice.choice((1, 3))})

    def _goods_in(self, _):
        self._do("/move", {"sku": self._sku(), "quantity": 3, "to": self.dice.choice((1, 3))})

    def _move(self, _):
        one, other = self.dice.sample((1, 2, 3, 4), 2)
        self._do("/move", {"sku": self._sku(), "quantity": 1, "from": one, "to": other})

    def _stocktake(self, _):
        self._do("/stocktake", {"warehouse": 2, "sku": self._sku(), "counted": self.dice.randint(1, 9)})

    def _give_back_purchase(self, _):
        made = self._do("/return", {"rows": [{**row, "reason": self.dice.choice(REASONS)} for row in self._rows(1)],
                                    "warehouse": self.dice.choice((1, 2, 3))})
        self.returns += [made["order_id"]] if made else []

    # ---------------------------------------------------------------- the web shop

    def _collect_order(self, _):
        self._order({**COLLECT}, True)

    def _ship_order(self, _):
        self._order({"status": 11}, False)

    def _order(self, body, pickup):
        made = self._do("/web-order", {"rows": self._rows(3), **body, "status": self.dice.choice((11, 11, 11, 11, 7))})
        if made and not made["refused"]:
            self.orders.append((made["order_id"], pickup))

    def _some_order(self, kind):
        wanted = FITS.get(kind)
        fitting = [number for number, pickup in self.orders if wanted in (None, pickup)]
        if kind in ("ship", "web_ship"):  # never both: a person who records a shipment at the same moment as onepool is refused, or it is
            fitting = [number for number in fitting if number % 2 == (kind == "ship")]
        return self.dice.choice(fitting) if fitting else None

    def _of_order(self, kind):
        number = self._some_order(kind)
        if number is None:
            return
        if kind == "status":
            self._do("/web-order-status", {"order_id": number, "status": self.dice.choice((5, 11, 11, 10))})
        elif kind == "edit":
            self._do("/web-order-edit", {"order_id": number, "rows": [{"row": 0, "quantity": self.dice.randint(1, 3)}]})
        elif kind == "web_ship":
            self._do("/web-shipment", {"order_id": number})
        elif kind == "refund":
            self._do("/web-refund", {"order_id": number, "row": 0, "quantity": 1})
        else:
            self._do(CALLS[kind], {"web_order": number})

    def _give_back(self, _):
        """A unit of a web order comes back to a till. If the shop has handed over nothing yet, it does so now with what it has; for its
        first order it is waited a moment."""
        end = time.monotonic() + 1
        there = self._delivered()
        while not there and time.monotonic() < end:
            for number, pickup in [one for one in self.orders if one[1] or one[0] % 2]:
                self._do("/collect" if pickup else "/ship", {"web_order": number})
            time.sleep(0.05)
            there = self._delivered()
        if not there:
            return
        original, sku = self.dice.choice(there)
        made = self._do("/return", {"rows": [{"sku": sku, "quantity": 1, "reason": self.dice.choice(REASONS)}], "original": original,
                                    "warehouse": 1, "payments": [{"name": self.dice.choice(PAYMENTS)}]})
        self.returns += [made["order_id"]] if made else []


    def _delivered(self):
        """[(Sitoo order, SKU)] of this day's web orders that the shop has handed over."""
        mine = {number for number, _ in self.orders}
        return sorted((one["id"], row["sku"]) for web in opinion(self.shop)["orders"] if web["web_order"] in mine
                      for one in web["sitoo"] for row in one["rows"] if row["delivered"])


def fresh_skus(shop, count):
    """Ordinary SKUs of which there are enough, and that no day of this stack has traded."""
    world = shop.control("GET", "/world")
    found = []
    for sku in world["skus"]:
        name = sku["sku"]
        if len(found) == count:
            break
        rows = [world["stock"][w].get(name) for w in ("1", "2", "3", "4")]
        if name in shop.taken or not name.startswith("SKU-") or sku["kind"] not in ("variant", "simple") or None in rows:
            continue
        if rows[0]["on_hand"] - rows[0]["reserved"] >= 6000 and rows[2]["on_hand"] - rows[2]["reserved"] >= 6000:
            found.append(name)
    assert len(found) == count, "no SKUs are left: give the simulators more"
    shop.taken.update(found)
    return found


def play(day, plan, faults):
    """The acts in their order; faults (inject.Faults) happen before the step that the plan names."""
    dice = random.Random(plan.seed + 1)
    for step in range(STEPS):
        faults.at(step)
        day.act(*plan.acts[step])
        time.sleep(dice.choice((0, 0, 0.03, 0.08)))
    faults.end()
