# SPDX-License-Identifier: Apache-2.0
"""The sweep's list of web orders that changed, where it has many pages; no webhook is sent."""
import pytest

import sweep_shop as sweep
from test_sweep import SIMULATOR, counted

PAGE = 50  # the shortest that is taken for a full one


@pytest.fixture(scope="module")
def shop(module_stack):
    shop = module_stack(functions=("stock-moved", "sweep"), mapping=sweep.sweep_mapping(), simulator_args=SIMULATOR)
    shop.wait_until(lambda: all(sweep.last(shop, work) for work in sweep.WEB), 20, "the sweep ran once")
    shop.control("PUT", "/settings", {"v2_page": PAGE})
    return shop


def placed(shop, count):
    """Ids of so many web orders."""
    sku, orders = shop.fresh_sku({1: 3}), []
    shop.control("PUT", "/level", {"sku": sku, "location": 1, "level": 9000})
    shop.wait_until(lambda: shop.control("GET", f"/level?sku={sku}&location=1")["level"] == 9000, 10, "it has landed")
    for _ in range(count):
        made = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})
        assert not made["refused"], made
        orders.append(made["order_id"])
    return orders


def now_ms(shop):
    seconds, micros = shop.redis().time()
    return seconds * 1000 + micros // 1000


def past_grace(shop):
    end = now_ms(shop) + 1000 * sweep.GRACE_S + 1500
    shop.wait_until(lambda: now_ms(shop) > end, 10, "the grace time is over")


def test_orders_of_a_late_page_that_were_announced_are_not_missed(shop):
    before = sweep.missed(shop)
    for order in placed(shop, PAGE + 20):
        shop.redis().zadd(shop.key("told:bigcommerce"), {order: now_ms(shop)})
    past_grace(shop)
    shop.control("PUT", "/faults/bigcommerce", {"seed": 1, "rules": [{"kind": "latency", "ms": 4000, "path": "/v2/orders"}]})
    since = shop.last_request()
    sweep.ran(shop, "bigcommerce")
    shop.control("DELETE", "/faults")
    assert len([r for r in shop.requests(since, "bigcommerce") if "v2/orders" in r["path"]]) >= 2
    assert counted(before, sweep.missed(shop)) == {}


def test_all_orders_of_more_pages_than_one_turn_reads_are_found(shop):
    before, count = sweep.missed(shop), 11 * PAGE
    placed(shop, count)
    past_grace(shop)
    sweep.ran(shop, "bigcommerce", timeout=60)
    assert counted(before, sweep.missed(shop)) == {"bigcommerce_order": count}
    assert int(shop.redis().hget(shop.key("sweep"), "bigcommerce_next") or 0) == 0
    sweep.ran(shop, "bigcommerce", timeout=60)
    assert counted(before, sweep.missed(shop)) == {"bigcommerce_order": count}, "each is counted once"
