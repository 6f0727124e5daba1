# SPDX-License-Identifier: Apache-2.0
"""A shop whose Sitoo gives ten rows in one answer (mapping sitoo.page_size): what is asked for in one call fits into it."""
import pytest

import sweep_shop as sweep
from test_sweep import SIMULATOR, counted

PAGE = 10
OVERLAP = 40


@pytest.fixture(scope="module")
def shop(module_stack):
    mapping = sweep.sweep_mapping(sitoo={"page_size": PAGE}, sweep={**sweep.SWEEP, "orders_overlap": OVERLAP})
    return sweep.ready(module_stack(functions=sweep.FUNCTIONS, mapping=mapping, simulator_args=SIMULATOR))


def sold(shop, sku, units=1):
    return shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": units}], "warehouse": 1})["order_id"]


def test_thirty_skus_at_once_and_every_level(shop):
    skus = [shop.fresh_sku({1: 3}) for _ in range(30)]
    right = {sku: shop.levels(sku) for sku in skus}
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 2} for sku in skus], "warehouse": 1})
    for sku in skus:
        shop.wait_levels(sku, {1: right[sku][1] - 2}, 30)
    shop.wait_quiet()
    sweep.ran(shop, "stock", "levels")


def test_an_order_within_an_overlap_of_several_pages_is_seen(shop):
    """It becomes visible after the sweep has passed its number, and nobody tells of it."""
    sku = shop.fresh_sku({1: 30})
    orders = [sold(shop, sku) for _ in range(30)]
    shop.wait_until(lambda: shop.redis().zscore(shop.key("told:sitoo"), orders[-1]), 10, "events came")
    shop.wait_quiet()
    before, hidden = sweep.missed(shop), orders[-6]
    shop.control("PUT", "/settings", {"hidden_orders": [hidden]})
    sweep.ran(shop, "orders")
    assert int(shop.redis().hget(shop.key("sweep"), "orders_id")) == orders[-1] > hidden
    shop.redis().zrem(shop.key("told:sitoo"), hidden)
    shop.control("PUT", "/settings", {"hidden_orders": []})
    sweep.ran(shop, "orders")
    shop.wait_until(lambda: counted(before, sweep.missed(shop)) == {"sitoo_order": 1}, 3, f"{hidden} is missed")
    assert int(shop.redis().hget(shop.key("sweep"), "orders_id")) == orders[-1]
