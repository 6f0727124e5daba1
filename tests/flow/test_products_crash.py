# SPDX-License-Identifier: Apache-2.0
"""Kills and lost answers in the product flow: each product is made once, and the load goes on where it was."""
import csv
import json
import math
import signal
import subprocess
import urllib.parse

import pytest

from catalog_shop import all_right, edit, load, make, never, opinion, product, products_mapping, quiet, sitoo_writes, till
from stack import BUILD, ROOT
from test_products import wait_till


@pytest.mark.parametrize("point", ["products.created", "products.families"])
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


# ---------------------------------------------------------------- the first load

WEB = ("--web-products", "400", "--family-size", "5")


def test_a_load_uses_few_calls_and_a_second_look_shows_nothing(stack, tmp_path):
    shop = make(stack, hooks=False, loaded=False, args=WEB)
    shop.processes["product-updated"].stop()
    table = tmp_path / "differences.csv"
    status, out, _ = shop.command("load", "--json", "--csv", str(table))
    plan = json.loads(out)
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert status == 0 and len(rows) == plan["differences"] and not sitoo_writes(shop)
    assert sum(row["what"] == "make" for row in rows) == plan["make"] >= 400
    since = shop.last_request()
    status, out, err = shop.command("load", "--json", "--apply", plan["id"])
    done = json.loads(out)
    assert status == 0 and done["made"] == plan["make"], err
    used = [one for one in shop.requests(since) if "warehousetransactions" not in one["path"] and "orders" not in one["path"]
            and "inventory" not in one["path"] and "hooks" not in one["path"] and "settings" not in one["path"]]
    least = math.ceil(plan["products"] / 250) + math.ceil(plan["variants"] / 250) + 1 + math.ceil(plan["make"] / 200) + plan["families"]
    assert len(used) <= 1.2 * least, (len(used), least)
    assert opinion(shop)["ok"]
    never(shop)
    again = json.loads(shop.command("load", "--json")[1])
    assert again["differences"] == 0


def test_a_load_that_is_killed_goes_on_without_repeating_or_skipping(stack):
    shop = make(stack, hooks=False, loaded=False, args=(*WEB, "--latency-ms", "20"))
    shop.processes["product-updated"].stop()
    plan = json.loads(shop.command("load", "--json")[1])
    words = [str(BUILD / "onepool"), "load", "--json", "--apply", plan["id"]]
    first = subprocess.Popen(words, env=shop.settings(), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shop.wait_until(lambda: shop.control("GET", "/stats")["families_written"] >= 20, 60, "it is in the middle")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not shop.redis().hexists(shop.key("catalog"), "loaded")
    second = subprocess.run(words, env=shop.settings(), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert second.returncode == 0, second.stdout
    stats = shop.control("GET", "/stats")
    assert stats["products_created"] == plan["make"] and stats["created_twice"] == 0
    assert opinion(shop)["ok"]
    never(shop)


def test_a_load_of_another_look_is_refused(stack):
    shop = make(stack, hooks=False, loaded=False)
    plan = json.loads(shop.command("load", "--json")[1])
    status, out, _ = shop.command("load", "--json", "--apply", "0123456789abcdef")
    assert status == 1 and json.loads(out)["error"]["cause"] == "load_id"
    product(shop, "New since", ["SINCE-1"])
    status, out, _ = shop.command("load", "--json", "--apply", plan["id"])
    assert status == 1 and json.loads(out)["error"]["cause"] == "load_changed"
    assert not sitoo_writes(shop)
    load(shop)
    assert till(shop, "SINCE-1")["activepos"]


def test_a_load_that_was_looked_at_is_held_by_no_brake(stack):
    shop = make(stack, hooks=False, loaded=False, mapping=products_mapping(brake={"max_deactivated_skus": 1, "max_price_change_percent": 5}))
    names = [sku["sku"] for sku in shop.control("GET", "/world")["skus"] if sku["sku"].startswith("SKU-")][:5]
    for sku in names:
        shop.control("PUT", "/bc-product", {"sku": sku, "is_visible": False, "price": "9999.00", "hooks": False})
    plan = load(shop)
    assert plan["hide"] >= 2
    quiet(shop)
    assert not [one for one in shop.cases() if one.startswith(("price_held", "products_brake"))]
    assert opinion(shop)["ok"], urllib.parse.quote(json.dumps(opinion(shop))[:2000])
