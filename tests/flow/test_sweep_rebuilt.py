# SPDX-License-Identifier: Apache-2.0
"""Redis comes back empty while the platforms hold the truth, with every function that there is: web orders were handed over
before, returns refunded before, products loaded before. Nothing is made twice, no level rises before the rebuild, and all ends
right."""
import json
import shutil

import pytest

import catalog_shop
import sweep_day
import sweep_shop as sweep
import web_shop

FUNCTIONS = (*sweep.FUNCTIONS, "product-updated")
MADE_ONCE = ("products_deleted", "created_twice", "catalog_writes", "family_rows_deleted")


def shop_of(stack):
    """The folder of the state file lies beside the stack's own files."""
    shop = stack(functions=(), mapping=sweep.sweep_mapping(returns=sweep_day.RETURNS, products=catalog_shop.PRODUCTS),
                 simulator_args=sweep_day.SIMULATOR)
    folder = shop.folder / "state"
    folder.mkdir()
    shop.env_overrides["ONEPOOL_STATE_DIR"] = str(folder)
    start(shop)
    web_shop.with_hooks(shop)
    return sweep.ready(shop)


def start(shop):
    for name in FUNCTIONS:
        shop.start_function(name)
    shop.wait_until(lambda: shop.get("/ready").status == 200, 20, "GET /ready = 200")


def in_sitoo(shop, orders):
    """Sitoo's orders for each web order: {web order: [(externalid, state, rows)]}."""
    listed = {o["web_order"]: o["sitoo"] for o in web_shop.opinion(shop)["orders"]}
    return {order: sorted((o["externalid"], o["state"], len(o["rows"])) for o in listed[order]) for order in orders}


def refunds(shop):
    """Refunds that exist, of every web order."""
    return {order: sorted(refund["id"] for refund in one["refunds"])
            for order, one in shop.control("GET", "/refunds")["orders"].items() if one["refunds"]}


def metafields(shop, orders):
    return {order: sorted(field["key"] for field in shop.bigcommerce(f"/v3/orders/{order}/metafields?limit=250&page=1")["data"])
            for order in orders}


def guarded(shop):
    """What holds back levels: a web order that waits, and a return that is not judged sellable."""
    held, back = shop.fresh_sku({1: 6, 3: 6}), shop.fresh_sku({1: 6})
    number = web_shop.order(shop, {"sku": held, "quantity": 3}, **web_shop.COLLECT)
    web_shop.handed(shop, number)
    shop.control("POST", "/return", {"rows": [{"sku": back, "quantity": 2, "reason": "102"}], "warehouse": 1})
    return number, (held, back)


def writes(shop, platform, since):
    """What was written to a platform after that request: [(method, path, body)]."""
    return [(one["method"], one["path"].partition("?")[0], one["body"]) for one in shop.requests(since, platform)
            if one["method"] != "GET"]


def raised(shop, skus, since):
    """Levels written after that request above what the formula says."""
    found = []
    for sku in skus:
        right = {location: row["expected"] for location, row in shop.explain(sku).items()}
        item = shop.identity(sku)
        for _, path, body in writes(shop, "bigcommerce", since):
            for one in json.loads(body)["items"] if "adjustments" in path else ():
                ours = one.get("variant_id") == item["variant_id"] or one.get("product_id") == item["product_id"]
                if ours and one["quantity"] > right[one["location_id"]]:
                    found.append((sku, one["location_id"], one["quantity"]))
    return found


@pytest.mark.long
def test_redis_restarted_empty_makes_nothing_twice(stack):
    shop = shop_of(stack)
    catalog_shop.load(shop)
    catalog_shop.product(shop, "Bottle", ("BOTTLE-1",))
    day = sweep_day.Day(shop)
    for hour in range(12):
        day.hour(hour)
        shop.wait_until(lambda: all(day.is_open(order) for order in day.placed), 30, "its web orders are handed over")
    day.old_orders(13)
    kept, skus = guarded(shop)
    sweep_day.brought_together(shop)
    orders = [*day.handed, *day.placed, kept]
    stood, paid = in_sitoo(shop, orders), refunds(shop)
    transactions, marks = newest_transaction(shop), metafields(shop, orders)
    products = len(shop.control("GET", "/till-products")["products"])
    assert paid and any(len(rows) for rows in stood.values())

    for name in FUNCTIONS:
        assert shop.processes.pop(name).stop()
    shop.stop_redis(False)
    shutil.rmtree(shop.folder / "redis" / "appendonlydir")
    since = shop.last_request()
    shop.start_redis()
    start(shop)
    shop.wait_until(lambda: shop.redis().hget(shop.key("epoch"), "lossy_ms"), 20, "the loss is noticed")
    shop.wait_until(lambda: shop.redis().hget(shop.key("epoch"), "state") == "whole", 90, "all is rebuilt")
    sweep.ran(shop, *sweep.ORDERS, *sweep.WEB, *sweep.LEVELS, timeout=60)
    sweep_day.brought_together(shop, 120)

    assert raised(shop, skus, since) == []
    assert in_sitoo(shop, orders) == stood and refunds(shop) == paid
    assert newest_transaction(shop) == transactions, "goods were booked a second time"
    made = [one for one in writes(shop, "sitoo", since) if "/orders" in one[1] or "/warehousetransactions" in one[1]]
    assert not made, made
    # A metafield is offered again, and is refused: its key is there.
    told = [one for one in writes(shop, "bigcommerce", since) if "adjustments" not in one[1] and "/metafields" not in one[1]]
    assert not told, told
    assert metafields(shop, orders) == marks
    stats = shop.control("GET", "/stats")
    assert not {name: stats[name] for name in MADE_ONCE if stats[name]}
    assert len(shop.control("GET", "/till-products")["products"]) == products
    assert shop.control("GET", "/report")["units_sold_twice"]["outside"] == 0

    more = sweep_day.Day(shop, seed=11)  # and the shop goes on
    for hour in range(4):
        more.hour(hour)
    sweep_day.brought_together(shop)


def newest_transaction(shop):
    path = "/sites/1/warehousetransactions.json?num=1&sort=-warehousetransactionid&fields=warehousetransactionid"
    return shop.sitoo(path)["items"][0]["warehousetransactionid"]
