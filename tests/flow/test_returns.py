# SPDX-License-Identifier: Apache-2.0
"""Returns at a till: what becomes of goods, money and record, with both platforms simulated."""
import json

import pytest

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved")


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--returns",))
    one.wait_until(one.idle, 20, "the first round is over")
    return one


def bought(shop, *, units=1, rows=1, handover=None, **more):
    """A web order, handed over to Sitoo so that shops can take returns of it. (web order, Sitoo order, SKUs)"""
    skus = [shop.fresh_sku({1: units + 2}) for _ in range(rows)]
    made = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": units} for sku in skus], "status": 2, **more})
    assert not made["refused"]
    sitoo = shop.control("POST", "/web-handover", {"order_id": made["order_id"], **(handover or {})})["order_id"]
    return made["order_id"], sitoo, skus


def give_back(shop, sitoo, *skus, quantity=1, reason="101", **more):
    rows = [{"sku": sku, "quantity": quantity, "reason": reason} for sku in skus]
    return shop.control("POST", "/return", {"rows": rows, "original": sitoo, "warehouse": 1, **more})["order_id"]


def verdicts(shop, number, timeout=15):
    """What onepool says of a return, once it has worked on it."""
    text = shop.wait_until(lambda: shop.redis().get(shop.key(f"return:{number}")), timeout, f"return {number} is worked on")
    return json.loads(text)


def money(shop, number):
    (one,) = verdicts(shop, number)["money"]
    return one


def refunds(shop, order):
    return shop.control("GET", "/refunds")["orders"][str(order)]["refunds"]


def test_return_paid_at_the_till_is_recorded_as_an_offline_refund_and_sold_again(shop):
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()  # the web order is subtracted
    before = shop.levels(sku)[1]
    number = give_back(shop, sitoo, sku)
    assert money(shop, number)["outcome"] == "refunded"
    (refund,) = refunds(shop, order)
    assert refund["offline"] is True, refund
    shop.wait_levels(sku, {1: before + 2})  # the unit itself, and the one that the web order held
    shop.wait_quiet()
    opinion = shop.control("GET", "/refunds")
    assert opinion["ok"], opinion
    assert shop.redis().hgetall(shop.key("intents")) == {}
