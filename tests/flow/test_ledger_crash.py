# SPDX-License-Identifier: Apache-2.0
"""stock-moved is killed while it stores a page of Sitoo's ledger: no returned unit is on sale after it, and no hole is forgotten."""
import pytest

from stack import shop_mapping

FAULT_POINTS = ("ledger.read", "ledger.stored")
OTHERS = ("sitoo-events", "sale", "return")
ARGUMENTS = ("--returns", "--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "80")


@pytest.fixture(scope="module")
def frail(module_stack, tmp_path_factory):
    """Without the overlap behind the cursor, which would hide what a crash loses."""
    one = module_stack(functions=OTHERS + ("stock-moved",), simulator_args=ARGUMENTS, env={"ONEPOOL_DEV": "1"},
                       mapping=shop_mapping(sitoo={"cursor_overlap": 0}))
    one.fault_folder = tmp_path_factory.mktemp("faults")
    one.wait_quiet()
    return one


def killed(shop, point, happens):
    """Stops the function, lets things happen, and starts it with the point at which it dies. It is started again by what
    supervises it in the test, the file being gone."""
    shop.processes.pop("stock-moved").stop()
    happens()
    file = shop.fault_folder / point
    file.touch()
    shop.env_overrides["ONEPOOL_FAULT_POINT"] = f"{point}:{file}"
    shop.start_function("stock-moved")
    shop.wait_until(lambda: not file.exists(), 20, f"it is killed at {point}")
    shop.wait_quiet(60)


def sides(shop, sku):
    return [int(shop.redis().hget(shop.key(f"withheld:{side}"), f"1|{sku}") or 0) for side in "lr"]


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_unit_that_came_back_after_another_left_is_withheld(frail, point):
    sku = frail.fresh_sku({1: 4})
    before = frail.levels(sku)[1]

    def out_and_back():
        frail.control("POST", "/move", {"sku": sku, "quantity": 1, "from": 1, "to": 9})
        frail.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1, "reason": "RC123"}], "warehouse": 1})
    killed(frail, point, out_and_back)
    frail.wait_levels(sku, {1: before - 1})
    assert sides(frail, sku) == [1000, 1000]


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_return_that_becomes_visible_late_is_looked_up_after_the_crash(frail, point):
    """Its row is hidden until the row behind it tells of the hole; the cursor has passed it by then."""
    sku, other = frail.fresh_sku({1: 4}), frail.fresh_sku({1: 4})
    before = frail.levels(sku)[1]
    frail.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    frail.wait_levels(sku, {1: before - 1})
    frail.wait_quiet()
    frail.control("PUT", "/settings", {"late_rows": {"rate": 1, "ms": 3000}})
    frail.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1, "reason": "RC123"}], "warehouse": 1})
    frail.control("PUT", "/settings", {"late_rows": {"rate": 0, "ms": 0}})
    frail.control("POST", "/sale", {"rows": [{"sku": other, "quantity": 1}], "warehouse": 1})
    cursor = frail.sitoo("/sites/1/warehousetransactions.json?num=1&sort=-warehousetransactionid")["items"][0]
    frail.wait_until(lambda: int(frail.redis().hget(frail.key("cursor"), "ledger")) == cursor["warehousetransactionid"], 10,
                     "the cursor has passed the hidden row")
    assert sides(frail, sku)[0] == 0
    frail.wait_until(lambda: len(frail.sitoo("/sites/1/warehousetransactions.json?warehousetransactionid="
                                             f"{cursor['warehousetransactionid'] - 1}")["items"]) == 1, 10, "it is visible")
    killed(frail, point, lambda: frail.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1}))
    frail.wait_levels(sku, {1: before - 2})
    assert sides(frail, sku) == [1000, 1000] and f"ledger_gap:1|{sku}" not in frail.cases()
