# SPDX-License-Identifier: Apache-2.0
"""One short story for each planted mistake (plants.py), in which it does its harm at once. Without the mistake the same story has to
end well, else it would prove nothing."""
import time

from shopday import Day, fresh_skus, play
from faultstack import FUNCTIONS, FaultStack
from inject import Faults
from judge import Verdict, judge, levels, wait_rest
from faultplan import Plan
from web_shop import in_sitoo, order, status_of

LATE = (("sale", "queue.before_complete.sale"),)


def journal(plant):
    """A day without any fault."""
    yield from _day(plant, [None])


def fence(plant):
    """Workers that are stopped beyond their lease and wake up when another one has done their work."""
    yield from _day(plant, [{"kind": "stopped beyond its lease", "function": name, "point": point, "nth": 1} for name, point in LATE])


def _day(plant, faults):
    shop = FaultStack(plant=plant)
    yield shop
    shop.start()
    verdict = Verdict()
    for seed, fault in enumerate(faults, 1):
        plan = Plan(seed, fault)
        plan.faults = plan.faults if fault else []
        day = Day(shop)
        injected = Faults(shop, plan, day)
        play(day, plan, injected)
        wait_rest(shop, verdict, 40)
        judge(shop, verdict, day.returns)
    yield verdict


def refund(plant):
    """A unit comes back, its refund is made, and the answer is lost."""
    shop = FaultStack(plant=plant)
    yield shop
    shop.start()
    verdict, (sku,) = Verdict(), fresh_skus(shop, 1)
    number = order(shop, {"sku": sku, "quantity": 3}, status=11)
    shop.wait_until(lambda: [one for one in in_sitoo(shop, number) if one["state"] == "open"], 40, "it is handed over")
    shop.control("POST", "/ship", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 2, 40, "it is shipped")
    shop.control("PUT", "/faults/bigcommerce", {"seed": 1, "rules": [
        {"kind": "reset", "after_apply": True, "method": "POST", "path": "payment_actions/refunds", "count": 1}]})
    back = shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1, "reason": "101"}], "warehouse": 1,
                                            "original": in_sitoo(shop, number)[0]["id"], "payments": [{"name": "Web"}]})["order_id"]
    shop.wait_until(lambda: shop.control("GET", "/faults")["bigcommerce"]["hits"], 40, "the refund was made")
    shop.control("DELETE", "/faults")
    wait_rest(shop, verdict, 40)
    judge(shop, verdict, [back])
    yield verdict


def pending(plant):
    """Redis loses everything while web orders hold stock that Sitoo knows nothing of; then their SKUs are sold in a shop."""
    shop = FaultStack(functions=FUNCTIONS[:4], plant=plant)
    yield shop
    shop.start()
    verdict, skus = Verdict(), fresh_skus(shop, 3)
    for sku in skus:
        order(shop, {"sku": sku, "quantity": 2}, status=11)
    shop.wait_until(lambda: len(shop.redis().hgetall(shop.key("pending:qty"))) == 3 and shop.quiet(), 40, "they are pending")
    shop.restart_redis(kill9=True)
    shop.wait_until(shop.quiet, 40, "all is right after a restart that lost nothing")
    since = shop.last_request()
    shop.redis().flushall()
    shop.emptied = True
    if plant is None:
        shop.wait_until(lambda: shop.redis().hget(shop.key("epoch"), "state") in ("lossy", "whole"), 10, "the loss is noticed")
    shop.control("POST", "/sales", {"sales": [{"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1} for sku in skus]})
    end = time.monotonic() + 40
    while time.monotonic() < end and not all(shop.written(sku, since) for sku in skus):
        shop.pass_time()
        time.sleep(0.1)
    time.sleep(1)
    for sku in skus:
        right = {location: row["expected"] for location, row in shop.explain(sku).items()}
        for location, level in shop.written(sku, since):
            if level > right[location]:
                verdict.add("levels", f"{sku} at location {location} was written as {level}; with its web orders it is {right[location]}")
    levels(shop, verdict)
    yield verdict


def run(name, plant):
    """The verdict of a story, with its mistake planted (plant = name) or without (None)."""
    story = globals()[name](plant)
    shop = next(story)
    try:
        verdict = next(story)
        shop.stop()
        for text in shop.complaints:
            verdict.add("other", text)
        return verdict
    finally:
        shop.stop()
        shop.remove()
