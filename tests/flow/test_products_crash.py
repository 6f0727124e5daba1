# SPDX-License-Identifier: Apache-2.0
"""Kills and lost answers in the product flow: each product is made once. The first load: test_products_load.py."""
import pytest

from catalog_shop import all_right, edit, make, product, quiet, sitoo_writes, till
from test_products import wait_till


@pytest.mark.parametrize("point", ["products.created", "products.sales", "products.families"])
def test_killed_between_two_steps(stack, tmp_path, point):
    mark = tmp_path / "kill"
    shop = make(stack, env={"ONEPOOL_DEV": "1", "ONEPOOL_FAULT_POINT": f"{point}:{mark}"})
    mark.touch()
    product(shop, "Twice?", ["TW-1", "TW-2", "TW-3"])
    shop.wait_until(lambda: not mark.exists(), 30, "the worker was killed")
    for sku in ("TW-1", "TW-2", "TW-3"):
        wait_till(shop, sku, activepos=True, timeout=120)
    all_right(shop, 120)
    assert shop.control("GET", "/stats")["created_twice"] == 0


def test_what_was_undone_after_a_kill_is_undone_in_the_tills(stack, tmp_path):
    mark = tmp_path / "kill"
    shop = make(stack, env={"ONEPOOL_DEV": "1", "ONEPOOL_FAULT_POINT": f"products.families:{mark}"})
    number = product(shop, "Before", ["BACK-1"])
    wait_till(shop, "BACK-1", title="Before")
    quiet(shop)
    mark.touch()
    edit(shop, number, name="After")
    shop.wait_until(lambda: not mark.exists(), 30, "the worker was killed")
    assert till(shop, "BACK-1")["title"] == "After"
    edit(shop, number, name="Before")
    wait_till(shop, "BACK-1", title="Before", timeout=120)
    all_right(shop, 120)


def test_an_answer_that_is_lost_after_the_write(stack):
    shop = make(stack)
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "reset", "after_apply": True, "method": "POST", "path": "products.json", "count": 1}]})
    product(shop, "Lost", ["LOST-1"])
    wait_till(shop, "LOST-1", activepos=True)
    all_right(shop, 90)
    posts = [one for one in sitoo_writes(shop) if one["method"] == "POST" and "LOST-1" in one["body"]]
    assert len(posts) == 1


def test_two_replicas_make_everything_once(stack):
    shop = make(stack)
    shop.start_function("product-updated", process="second")
    for n in range(12):
        product(shop, f"Replica {n}", [f"REP-{n}-{k}" for k in range(3)])
    all_right(shop, 120)
    shop.kill_parent("product-updated").popen.wait(20)
    number = product(shop, "After", ["REP-AFTER"])
    shop.start_function("product-updated")
    edit(shop, number, name="After all")
    wait_till(shop, "REP-AFTER", title="After all", timeout=90)
    assert shop.control("GET", "/stats")["created_twice"] == 0
