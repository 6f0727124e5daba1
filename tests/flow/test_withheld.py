# SPDX-License-Identifier: Apache-2.0
"""Units that came back and may not be sold: what withholds them, and what lets them go."""
import json

import pytest

from returns_shop import withheld

QUICK = ("--returns", "--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "80")


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=("sitoo-events", "sale", "return", "stock-moved"), simulator_args=QUICK)
    one.wait_quiet()
    return one


def give_back(shop, sku, quantity=1, reason="RC123", warehouse=1):
    """Without a purchase: the money is parked, the goods are judged all the same. Its number, once it is worked on."""
    number = shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": quantity, "reason": reason}],
                                              "warehouse": warehouse})["order_id"]
    shop.wait_until(lambda: shop.redis().exists(shop.key(f"return:{number}")), 20, f"return {number} is worked on")
    return number


def said(shop, *words):
    """What a command prints that must work."""
    status, out, err = shop.command(*words)
    assert status == 0, err
    return out


def left(shop, number, item=0):
    return int(shop.redis().hget(shop.key(f"withheld:row:{number}:{item}"), "left") or 0)


def releases(shop, number):
    return [(row["how"].partition(":")[0], int(row["thousandths"])) for row in shop.records("release")
            if row["entry"].partition(":")[0] == str(number)]


def test_an_unsellable_unit_stays_withheld_and_a_sale_lets_none_go(shop):
    sku = shop.fresh_sku({1: 3})
    before = shop.levels(sku)[1]
    number = give_back(shop, sku)
    shop.wait_levels(sku, {1: before})
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    shop.wait_levels(sku, {1: before - 1})
    shop.wait_quiet()
    assert left(shop, number) == 1000 and releases(shop, number) == []


def test_units_moved_out_go_oldest_first(shop):
    sku = shop.fresh_sku({1: 4})
    # The level is taken before the goods come back: a return that is worked on before the ledger's row is read lowers it
    # for a moment, since its units are withheld while those on hand are still the old ones.
    before = shop.levels(sku)[1]
    first, second = give_back(shop, sku, 2), give_back(shop, sku, 2)
    shop.wait_levels(sku, {1: before})  # four more on hand, four more withheld
    shop.control("POST", "/move", {"sku": sku, "quantity": 3, "from": 1, "to": 9})
    shop.wait_until(lambda: left(shop, second) == 1000, 15, "the ledger's row lets three units go")
    assert left(shop, first) == 0 and releases(shop, first) == [("out", 2000)]
    shop.wait_levels(sku, {1: before})  # three fewer on hand, three fewer withheld
    shop.wait_quiet()


def test_a_sellable_unit_is_on_sale_again(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    number = give_back(shop, sku, reason="101")
    shop.wait_levels(sku, {1: before + 1})
    shop.wait_quiet()
    assert left(shop, number) == 0


def test_a_stock_count_asks_a_person_and_the_person_lets_go(shop):
    sku = shop.fresh_sku({1: 3})
    number = give_back(shop, sku, 2)
    shop.wait_quiet()
    shop.control("POST", "/stocktake", {"sku": sku, "counted": 40, "warehouse": 1})
    name = f"stock_count_withheld:1|{sku}"
    case = shop.wait_until(lambda: shop.cases().get(name), 15, "the case")
    assert case["text"].startswith("2 units of SKU ") and sku in case["text"] and case["owner"] == "operations"
    shop.wait_quiet()
    assert left(shop, number) == 2000, "a count lets nothing go"
    before = shop.levels(sku)[1]
    for quantity, rest in ((1, 1000), (1, 0)):
        out = said(shop, "withheld", "--json", "--release", f"{number}:0", "--quantity", str(quantity))
        assert json.loads(out)["released"] is True
        assert left(shop, number) == rest
        shop.control("POST", "/release", {"sku": sku, "warehouse": 1, "quantity": quantity})
    shop.wait_levels(sku, {1: before + 2})
    assert name not in shop.cases()
    shop.wait_quiet()
    assert shop.control("GET", "/oracle?full=1")["ok"]
    assert releases(shop, number) == [("person", 1000), ("person", 1000)]


def test_what_is_old_or_not_judged_is_told(shop):
    sku = shop.fresh_sku({1: 3})
    number = give_back(shop, sku)
    shop.wait_quiet()
    [entry] = withheld(shop, "--sku", sku)["withheld"]
    assert (entry["entry"], entry["quantity"], entry["verdict"], entry["reason"], entry["warehouse"]) == (
        f"{number}:0", "1.000", "unsellable", "RC123", 1)
    assert f"1.000 x {sku}  warehouse 1  unsellable, reason RC123, for " in said(shop, "withheld", "--sku", sku)
    assert shop.status()["withheld"]["aged"] == 0 and shop.status()["withheld"]["entries"] >= 1
    assert withheld(shop, "--aged")["withheld"] == []
    long_ago = shop.redis().time()[0] * 1000 - 15 * 86400 * 1000
    for name in ("withheld:rows", f"withheld:of:1|{sku}"):
        shop.redis().zadd(shop.key(name), {f"{number}:0": long_ago})
    shop.redis().hset(shop.key(f"withheld:row:{number}:0"), "since", long_ago)
    told = shop.status()["withheld"]
    assert told["aged"] == 1 and told["aged_days"] == 14 and told["oldest_age_ms"] > 14 * 86400 * 1000
    assert [one["entry"] for one in withheld(shop, "--aged")["withheld"]] == [f"{number}:0"]
    assert "onepool_withheld_rows_aged 1\n" in shop.get("/metrics", internal=True).body.decode()
    assert "-> Returned units of 1 row are not on sale for longer than 14 days, the oldest for 15 d" in said(shop, "status")


def test_units_without_an_entry_are_listed(shop):
    sku = shop.fresh_sku({1: 3})
    shop.fcall("apply", "hold", f"test:{sku}", "l", 2, sku, 1500)
    assert withheld(shop, "--sku", sku)["without_entry"] == [
        {"warehouse": 2, "sku": sku, "quantity": "1.500"}]
    assert f"1.500 x {sku}  warehouse 2  not judged" in said(shop, "withheld", "--sku", sku)
    shop.fcall("apply", "moved_out", f"test:out:{sku}", 2, sku, 1500, 1)
    assert withheld(shop, "--sku", sku)["without_entry"] == []


def test_wrong_arguments_are_named(shop):
    number = give_back(shop, shop.fresh_sku({1: 1}))
    for words, name in ((["--release", "abc"], "--release"), (["--release", f"{number}:7"], "--release"),
                        (["--release", f"{number}:0", "--quantity", "2"], "--quantity")):
        status, _, error = shop.command("withheld", *words)
        assert status == 1 and name in error, error
    assert left(shop, number) == 1000
    assert shop.command("withheld", "--quantity", "1")[0] == 2
