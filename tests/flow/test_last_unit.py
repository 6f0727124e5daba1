# SPDX-License-Identifier: Apache-2.0
"""A till sale and a web order for the last unit within the same second, many times: who gets it, what is sold twice, and who is told.

    ONEPOOL_TIMES=1000 pytest -s tests/flow/test_last_unit.py       so many times (100 unless told); ONEPOOL_SEED=n: other dice

A till does not know the web shop: half of them look whether Sitoo still has the unit available, the others sell what the customer
holds in the hand, be it reserved or not.
"""
import collections
import concurrent.futures
import os
import random
import time

import pytest

from stack import shop_mapping
from web_shop import COLLECT, FUNCTIONS, QUICK, WRONG, all_right, handed, opinion, order, pickup_warehouse, status_of, with_hooks

TIMES = int(os.environ.get("ONEPOOL_TIMES", "100"))
SEED = int(os.environ.get("ONEPOOL_SEED", "20611"))
A_SECOND = 8                 # pairs begun in each second
SPACING_S = (0.0, 0.9)       # from the one to the other
COLLECTED_FROM, SENT_FROM = 3, (1, 2)  # warehouses: pickup location 5; shipping.allocate_from
POOL = (1, 2, 3)
TOLD = ("reservation_short", "needs_allocation")  # the causes by which a person learns that an order cannot be filled
# Nobody is to let pass what the test does to the shop before it begins: a thousand SKUs down to their last unit.
MAPPING = shop_mapping(brake={"max_zeroed_skus": 1000000, "max_units_moved": 1000000})


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, mapping=MAPPING,
                       simulator_args=("--web-orders", "--skus", str(TIMES + TIMES // 4 + 60), "--quota", "100000", *QUICK))
    with_hooks(one)
    one.wait_until(one.idle, 60, "the first round is over")
    return one


class Pair:
    """One unit of a SKU in one warehouse, and two who want it. order: of the web shop, None = refused; sold: by the till."""

    def __init__(self, dice, sku, place):
        self.sku = sku
        self.collected = dice.random() < 0.5
        self.warehouse = COLLECTED_FROM if self.collected else dice.choice(SENT_FROM)
        self.looks = dice.random() < 0.5
        at, later = place / A_SECOND + dice.random(), dice.uniform(*SPACING_S)
        self.at = dict(zip(dice.sample(("till", "web"), 2), (at, at + later)))
        self.order, self.sold = None, False

    def till(self, shop):
        if self.looks:
            row = shop.stock(self.sku)[self.warehouse]
            if row["on_hand"] - row["reserved"] < 1000:
                return
        shop.control("POST", "/sale", {"rows": [{"sku": self.sku, "quantity": 1}], "warehouse": self.warehouse})
        self.sold = True

    def web(self, shop):
        made = shop.control("POST", "/web-order", {"rows": [{"sku": self.sku, "quantity": 1}], "status": 11,
                                                   **({"pickup_location": 5} if self.collected else {})})
        self.order = None if made["refused"] else made["order_id"]

    @property
    def outcome(self):
        return "nobody" if not self.sold and self.order is None else \
            "till" if self.order is None else "twice" if self.sold else "web"

    def __repr__(self):
        return (f"{self.sku} in {self.warehouse}, {'collected' if self.collected else 'sent'}, till {'looks' if self.looks else 'sells'}: "
                f"{ {who: round(at, 3) for who, at in self.at.items()} } -> {self.outcome}, web order {self.order}")


def free_skus(shop):
    """All SKUs of which nothing is reserved or withheld in the pool."""
    world = shop.control("GET", "/world")
    nothing = {"reserved": 0, "withheld": 0}
    rows = [world["stock"][str(w)] for w in POOL]
    return [one["sku"] for one in world["skus"] if one["sku"].startswith("SKU-") and one["kind"] in ("variant", "simple")
            and not any(stock.get(one["sku"], nothing)[kind] for stock in rows for kind in nothing)]


def down_to_the_last(shop, pairs):
    for warehouse in POOL:
        rows = [{"sku": pair.sku, "counted": 1 if pair.warehouse == warehouse else 0} for pair in pairs]
        shop.control("POST", "/stocktake", {"warehouse": warehouse, "rows": rows})
    shop.wait_quiet(60)


def play(shop, pairs):
    """Everybody acts at the time that the dice gave."""
    acts = sorted(((at, pair, who) for pair in pairs for who, at in pair.at.items()), key=lambda act: act[0])
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as hands:
        done = []
        for at, pair, who in acts:
            time.sleep(max(0.0, began + at - time.monotonic()))
            done.append(hands.submit(getattr(pair, who), shop))
        for one in done:
            one.result(60)


def told_orders(shop):
    """{web order: causes} of every case about a web order."""
    found = collections.defaultdict(set)
    for name in shop.redis().zrange(shop.key("parked"), 0, -1):
        cause, _, entity = name.partition(":")
        if entity.startswith("web order "):
            found[int(entity.removeprefix("web order "))].add(cause)
    return dict(found)


@pytest.mark.long
def test_last_unit_is_wanted_by_a_till_and_by_the_web_shop_within_a_second(shop):
    dice = random.Random(SEED)
    pairs = [Pair(dice, sku, place) for place, sku in enumerate(free_skus(shop)[:TIMES])]
    assert len(pairs) == TIMES, "the simulators have too few SKUs"
    down_to_the_last(shop, pairs)
    play(shop, pairs)
    by = collections.defaultdict(list)
    for pair in pairs:
        by[pair.outcome].append(pair)
    twice = {pair.order: pair for pair in by["twice"]}

    all_right(shop, timeout=120, told=TOLD)
    report = shop.control("GET", "/report")
    window = report["units_sold_twice"]
    # Of those, the web shop sold what a till had sold; the others were sold by a till that the web shop had forestalled.
    late = {row["order_id"] for row in report["sold_twice_rows"]}
    told, lags = told_orders(shop), report["till_to_confirmed"]
    print(f"\nlast unit, {TIMES} times, seed {SEED}: by the till only {len(by['till'])}, by the web only {len(by['web'])}, "
          f"sold twice {len(twice)} (web after till {len(late)}: inside the window {window['inside']}, outside {window['outside']}; "
          f"till after web {len(twice) - len(late)}); till to confirmed {lags['median_ms']} ms, worst {lags['worst_ms']} ms; told {dict(collections.Counter(c for cs in told.values() for c in cs))}")
    assert by["nobody"] == [] and by["till"] and twice
    assert window == {"inside": len(late), "inside_web": 0, "outside": 0}, report["sold_twice_rows"]
    assert late <= set(twice)
    # Who cannot get what they bought is in a case, and nobody else.
    assert {number: pair for number, pair in twice.items() if number not in told} == {}
    assert {number: causes for number, causes in told.items() if number not in twice or not causes <= set(TOLD)} == {}

    seen = opinion(shop)
    waits = {number for number, causes in told.items() if "needs_allocation" in causes}
    assert {name: seen[name] for name in WRONG if name != "missing" and seen[name]} == {}
    assert {one["web_order"] for one in seen["missing"]} == waits
    made = {one["web_order"]: len(one["sitoo"]) for one in seen["orders"]}
    taken = {pair.order for pair in pairs if pair.order is not None}
    assert {number: made.get(number) for number in taken} == {number: 0 if number in waits else 1 for number in taken}


def test_shop_that_sells_what_it_holds_is_told_until_goods_come(shop):
    """The reservation was seen long ago, and nothing of the order itself changes."""
    sku, warehouse = free_skus(shop)[-1], pickup_warehouse(shop)
    assert warehouse == COLLECTED_FROM
    shop.control("POST", "/stocktake", {"warehouse": warehouse, "sku": sku, "counted": 2})
    shop.wait_quiet(60)
    numbers = [order(shop, sku, **COLLECT) for _ in range(2)]
    for number in numbers:
        handed(shop, number)
    all_right(shop, told=TOLD)
    names = [f"reservation_short:web order {number}" for number in numbers]
    assert not set(names) & set(shop.cases())
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": warehouse})
    # Which of the two customers goes without is for the shop to say.
    shop.wait_until(lambda: set(names) <= set(shop.cases()), 20, "both are told")
    found = shop.cases()[names[0]]
    assert found["text"].startswith("URGENT") and f"is short of 1 of SKU {sku}" in found["text"] and found["owner"] == "store"
    shop.control("POST", "/move", {"sku": sku, "quantity": 1, "to": warehouse})
    shop.wait_until(lambda: not set(names) & set(shop.cases()), 20, "the cases end")
    all_right(shop, told=TOLD)
    assert [status_of(shop, number) for number in numbers] == [11, 11]
