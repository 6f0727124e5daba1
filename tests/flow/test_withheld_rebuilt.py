# SPDX-License-Identifier: Apache-2.0
"""Redis is emptied: what is withheld follows anew from Sitoo's ledger and from the returns of the last days."""
import pytest

from returns_shop import withheld
from stack import shop_mapping

QUICK = ("--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "80")
DAY_S = 86400


@pytest.mark.parametrize("orders_days", [30, 1], ids=["all orders are read", "older returns are looked for"])
def test_returns_are_judged_again_and_what_left_stays_gone(stack, orders_days):
    returns = {"reasons": {"101": "sellable", "RC123": "unsellable"}, "payments": {"Card": "paid_at_till"}}
    mapping = shop_mapping(returns=returns, bigcommerce={"orders_days": orders_days})
    shop = stack(functions=("sitoo-events", "sale", "return", "stock-moved"), mapping=mapping, simulator_args=QUICK)
    shop.wait_quiet()
    kept, gone, sold = (shop.fresh_sku({1: 3}) for _ in range(3))
    numbers = {}
    for sku, reason in ((kept, "RC123"), (gone, "RC123"), (sold, "101")):
        numbers[sku] = shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 2, "reason": reason}], "warehouse": 1,
                                                        "date_offset_s": -2 * DAY_S if orders_days == 1 else 0})["order_id"]
    for number in numbers.values():
        shop.wait_until(lambda n=number: shop.redis().exists(shop.key(f"return:{n}")), 20, "it is judged")
    shop.control("POST", "/move", {"sku": gone, "quantity": 1, "from": 1, "to": 9})
    shop.wait_quiet()
    before = {sku: (shop.levels(sku)[1], entry(shop, numbers[sku])) for sku in numbers}
    assert [before[sku][1] for sku in (kept, gone, sold)] == ["2.000", "1.000", None]
    since = shop.redis().hget(shop.key("cursor"), "since")
    if orders_days == 1:  # as if we had begun ten days ago; what lies before our first start is in the numbers already
        shop.redis().hset(shop.key("cursor"), "since", int(since) - 10 * DAY_S * 1000)
        shop.mark(kept)
        shop.wait_quiet()
    shop.redis().flushall()
    shop.wait_until(lambda: (shop.status()["epoch"]["state"], shop.redis().hget(shop.key("count"), "epochs:lossy")) ==
                    ("whole", "1"), 40, "it is rebuilt")
    for number in numbers.values():
        shop.wait_until(lambda n=number: shop.redis().exists(shop.key(f"return:{n}")), 30, "it is judged again")
    shop.wait_quiet(60)
    assert {sku: (shop.levels(sku)[1], entry(shop, numbers[sku])) for sku in numbers} == before, since


def entry(shop, number):
    """What is still withheld of the return's only row."""
    rows = withheld(shop)["withheld"]
    return next((row["quantity"] for row in rows if row["entry"] == f"{number}:0"), None)
