# SPDX-License-Identifier: Apache-2.0
"""The first load: everything once, in few calls, whatever kills it and whoever starts it twice."""
import csv
import json
import math
import signal
import subprocess

import pytest

from catalog_shop import edit, load, make, never, product, products_mapping, sitoo_writes, till
from stack import BUILD, ROOT

VARIANTS, FAMILY = 400, 5
SIZE = ("--skus", "20", "--web-products", str(VARIANTS), "--family-size", str(FAMILY))
UNANSWERED = 60  # seconds


def shop_to_load(stack, mapping=None):
    """A started shop; the load alone writes to Sitoo."""
    shop = make(stack, hooks=False, loaded=False, mapping=mapping, args=SIZE)
    shop.processes["product-updated"].stop()
    return shop


def look(shop, *more):
    status, out, err = shop.command("load", "--json", *more)
    assert status == 0, (out, err)
    return json.loads(out)


def start(shop, plan):
    return subprocess.Popen([BUILD / "onepool", "load", "--json", "--apply", plan["id"]], env=shop.settings(), cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def end(process):
    """(status, what it said)"""
    out, _ = process.communicate(timeout=150)
    return process.returncode, json.loads(out)


def stats(shop):
    return shop.control("GET", "/stats")


def everything_once(shop, plan):
    """Each SKU was made once, none is missing, no case tells of one, and a look finds nothing left."""
    seen, numbers = shop.control("GET", "/catalog-oracle"), stats(shop)
    assert seen["ok"] and not seen["missing"], json.dumps(seen)[:2000]
    assert (numbers["products_created"], numbers["created_twice"]) == (plan["make"], 0)
    assert not [name for name in shop.cases() if name.startswith(("product_refused", "family_refused", "price_held"))]
    never(shop)
    after = look(shop)
    assert (after["differences"], after["make"], after["change"], after["families"]) == (0, 0, 0, 0)


def least(plan, in_sitoo):
    """The fewest calls that can do it, the shops' four settings among them."""
    return (math.ceil(plan["products"] / 250) + math.ceil(plan["variants"] / 250) + math.ceil(in_sitoo / 1000) + 4
            + math.ceil(plan["make"] / 200) + math.ceil(plan["change"] / 200) + plan["families"])


def test_a_load_in_few_calls_and_then_nothing_differs(stack):
    shop = shop_to_load(stack)
    shop.processes["stock-moved"].stop()
    in_sitoo = len(shop.control("GET", "/till-products")["products"])
    plan = look(shop)
    assert plan["make"] == VARIANTS + 1  # and BC-ONLY-1
    before = sum(stats(shop)["calls"].values())
    status, said = end(start(shop, plan))
    used = sum(stats(shop)["calls"].values()) - before
    assert (status, said["made"], said["families"], said["refused"]) == (0, plan["make"], plan["families"], 0)
    assert used <= 1.2 * least(plan, in_sitoo), stats(shop)["by_route"]
    everything_once(shop, plan)
    status, out, _ = shop.command("load", "--json", "--apply", plan["id"])
    assert (status, json.loads(out)["error"]["cause"]) == (1, "load_id")  # applied already


@pytest.mark.parametrize("kind, method, path", [("timeout_after_apply", "POST", "products.json"), ("silence", "PUT", "productvariants")])
def test_a_load_that_is_killed_within_a_write_goes_on(stack, kind, method, path):
    shop = shop_to_load(stack)
    plan, since = look(shop), shop.last_request()
    process = start(shop, plan)
    shop.wait_until(lambda: stats(shop)["products_created"], 30, "some products are made")
    rule = {"kind": kind, "method": method, "path": path, "count": 1, "seconds": UNANSWERED}
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [rule]})
    shop.wait_until(lambda: shop.control("GET", "/faults")["sitoo"]["hits"] or process.poll() is not None, 30, "the write is under way")
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    shop.control("DELETE", "/faults")
    assert [id_ for id_ in shop.redis().hkeys(shop.key("intents")) if id_.startswith("products:")]
    assert 0 < len(sitoo_writes(shop, since))
    status, said = end(start(shop, plan))
    assert (status, said["refused"]) == (0, 0)
    everything_once(shop, plan)
    assert not shop.redis().hkeys(shop.key("intents"))


def test_a_load_that_goes_on_brings_no_large_price_that_was_not_looked_at(stack):
    shop = shop_to_load(stack)
    shop.control("POST", "/till-product", {"sku": "DEAR-1", "title": "Dear", "price": "100.00", "activepos": True})
    number = product(shop, "Dear", ["DEAR-1"], price="100.00")
    plan = look(shop)
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "silence", "method": "POST", "path": "products.json", "count": 1,
                                                               "seconds": UNANSWERED}]})
    process = start(shop, plan)
    shop.wait_until(lambda: shop.control("GET", "/faults")["sitoo"]["hits"], 30, "the first write is under way")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    shop.control("DELETE", "/faults")
    edit(shop, number, price="1.00")
    since = shop.last_request()
    status, said = end(start(shop, plan))
    assert (status, said["error"]["cause"]) == (1, "load_changed"), said
    assert not sitoo_writes(shop, since) and till(shop, "DEAR-1")["moneyprice"] == "100.00"
    edit(shop, number, price="100.00")
    status, said = end(start(shop, plan))
    assert (status, till(shop, "DEAR-1")["moneyprice"]) == (0, "100.00"), said


def test_two_loads_at_once_are_one(stack):
    shop = shop_to_load(stack)
    shop.control("PUT", "/settings", {"latency_ms": 20})
    plan = look(shop)
    first, second = start(shop, plan), start(shop, plan)
    ends = [end(first), end(second)]
    assert any(status == 0 for status, _ in ends), ends
    for status, said in ends:
        assert status == 0 or said["error"]["cause"] in ("load_id", "products_busy"), ends
    everything_once(shop, plan)


def test_a_wrong_id_writes_nothing(stack):
    shop = shop_to_load(stack)
    for apply in ("0123456789abcdef", "nonsense"):  # before any look, too
        status, out, _ = shop.command("load", "--json", "--apply", apply)
        assert (status, json.loads(out)["error"]["cause"]) == (1, "load_id")
    plan = look(shop)
    status, out, _ = shop.command("load", "--json", "--apply", plan["id"][::-1])
    assert (status, json.loads(out)["error"]["cause"]) == (1, "load_id")
    assert not sitoo_writes(shop)
    product(shop, "New since", ["SINCE-1"])
    status, out, _ = shop.command("load", "--json", "--apply", plan["id"])
    assert (status, json.loads(out)["error"]["cause"]) == (1, "load_changed")
    assert not sitoo_writes(shop)
    load(shop)
    assert till(shop, "SINCE-1")["activepos"]


def test_the_csv_file_has_every_difference(stack):
    shop = shop_to_load(stack)
    file = shop.folder / "load.csv"
    plan = look(shop, "--csv", str(file), "--rows", "3")
    assert len(plan["rows"]) == 3 < plan["differences"]
    with open(file, encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == plan["differences"]
    kinds = [row["what"] for row in rows]
    assert (kinds.count("make"), kinds.count("family")) == (plan["make"], plan["families"])
    assert len({row["sku"] for row in rows if row["what"] == "make"}) == plan["make"]
    assert rows[0] == {"product": str(plan["rows"][0]["product"]), "sku": plan["rows"][0]["sku"], "what": plan["rows"][0]["what"],
                       "field": plan["rows"][0]["field"], "in_sitoo": plan["rows"][0]["in_sitoo"],
                       "in_bigcommerce": plan["rows"][0]["in_bigcommerce"]}


def test_the_brake_does_not_hold_a_load_that_was_looked_at(stack):
    shop = shop_to_load(stack, mapping=products_mapping(brake={"max_price_change_percent": 5, "max_deactivated_skus": 1}))
    shop.control("PUT", "/bc-prices", {"factor_percent": 300})
    world = shop.control("GET", "/world")
    simple = [one["sku"] for one in world["skus"] if one["kind"] == "simple"][:3]
    assert len(simple) == 3
    for sku in simple:
        edit(shop, shop.identity(sku)["product_id"], is_visible=False)
    plan = look(shop)
    assert plan["large_price_changes"] > 5 and plan["hide"] == 3
    status, said = end(start(shop, plan))
    assert (status, said["refused"]) == (0, 0)
    assert not any(till(shop, sku)["activepos"] for sku in simple)
    everything_once(shop, plan)
