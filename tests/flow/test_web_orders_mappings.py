# SPDX-License-Identifier: Apache-2.0
"""Web orders in shops whose mapping file is wrong or unusual: an unknown place of collection, a warehouse that is gone, returns
only; in shadow mode; with a Sitoo that drops our filter."""
import json

import pytest

from stack import shop_mapping
from web_shop import COLLECT, FUNCTIONS, QUICK, all_right, at, handed, in_sitoo, order, status_of, with_hooks

ARGS = ("--web-orders", "--skus", "120", *QUICK)


def started(stack, wrong=None, mapping=None, env=None):
    """A shop. wrong: the mapping file that onepool gets instead of the one that the simulators go by."""
    shop = stack(functions=(), simulator_args=ARGS, mapping=mapping or shop_mapping(), env=env)
    right = shop.mapping_file.read_text(encoding="utf-8")
    if wrong is not None:
        shop.mapping_file.write_text(json.dumps(wrong), encoding="utf-8")
    start_functions(shop)
    return shop, right


def start_functions(shop):
    for name in FUNCTIONS:
        shop.start_function(name)
    shop.wait_until(lambda: shop.get("/ready").status == 200, 20, "GET /ready = 200")
    with_hooks(shop)
    shop.wait_until(shop.idle, 30, "the first round is over")


def mend(shop, right):
    """The mapping file is put right, and everything started anew."""
    for name in FUNCTIONS:
        process = shop.processes.pop(name)
        assert process.stop() and process.popen.returncode == 0, name
    shop.mapping_file.write_text(right, encoding="utf-8")
    start_functions(shop)


def case(shop, cause, number, timeout=30):
    return shop.wait_until(lambda: shop.cases().get(f"{cause}:web order {number}"), timeout, f"{cause} of {number}")


def calls(shop, since=0):
    """What was written to the platforms about orders."""
    return [(r["platform"], r["method"], r["path"]) for r in shop.requests(since)
            if r["method"] != "GET" and ("/orders" in r["path"] or "shipments" in r["path"] or "pickups" in r["path"])]


def test_unknown_place_of_collection_is_urgent_and_never_another_shop(stack):
    without = shop_mapping()
    del without["pickup"]
    shop, right = started(stack, without)
    number = order(shop, at(shop, 5, 3), **COLLECT)
    found = case(shop, "pickup_location_unknown", number)
    assert found["text"].startswith("URGENT") and "location 5" in found["text"] and found["owner"] == "store"
    assert in_sitoo(shop, number) == [] and calls(shop) == []
    mend(shop, right)
    shop.command("parked", "--retry", f"pickup_location_unknown:web order {number}")
    handed(shop, number, timeout=40)
    shop.wait_until(lambda: f"pickup_location_unknown:web order {number}" not in shop.cases(), 20, "the case ends")
    all_right(shop, 60)


def test_warehouse_that_is_gone_is_urgent_and_mended_by_the_mapping(stack):
    gone = shop_mapping()
    gone["pickup"][0]["sitoo_warehouse_id"] = 77
    shop, right = started(stack, gone)
    sku = at(shop, 5, 3)
    number = order(shop, sku, **COLLECT)
    found = case(shop, "handover_refused", number)
    assert found["text"].startswith("URGENT") and "warehouse" in found["text"].lower()
    assert in_sitoo(shop, number) == []
    shop.wait_until(lambda: shop.redis().hget(shop.key("pending:qty"), f"77|{sku}") == "1000", 20, "its unit is kept back")
    mend(shop, right)
    shop.command("parked", "--retry", f"handover_refused:web order {number}")
    (one,) = handed(shop, number, timeout=40)
    assert one["warehouse"] == 3
    shop.wait_until(lambda: f"handover_refused:web order {number}" not in shop.cases(), 20, "the case ends")


@pytest.mark.parametrize("delivery", [False, True], ids=["as it is", "with a delivery"])
def test_shipped_from_elsewhere_is_there_for_returns_only(stack, delivery):
    mapping = shop_mapping(shipping={"location_id": 8, "allocate_from": [], "allow_split": False, "return_only": True},
                           sitoo={"return_orders": {"orderstate": 10, "warehouseid": 2, "add_delivery": delivery}})
    shop, _ = started(stack, mapping=mapping)
    sku = at(shop, 5, 1)
    before = shop.stock(sku)
    number = order(shop, {"sku": sku, "quantity": 2}, status=7)
    shop.wait_until(lambda: not shop.control("GET", "/hook-log")["waiting"], 20, "its hook was sent")
    collect = order(shop, at(shop, 5), **COLLECT)
    handed(shop, collect)
    assert calls(shop) == [("sitoo", "POST", calls(shop)[0][2])], "what is not paid is nothing that a shop takes back"
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 11})
    shop.wait_until(lambda: in_sitoo(shop, number), 30, "it is there")
    (one,) = in_sitoo(shop, number)
    assert (one["state"], one["ignores_stock"], one["externalid"]) == ("closed", True, f"BC-{number}")
    if delivery:
        shop.wait_until(lambda: in_sitoo(shop, number)[0]["deliveries"], 30, "its delivery is there")
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 2})
    shop.wait_until(shop.idle, 20, "it is looked at again")
    assert len(in_sitoo(shop, number)) == 1 and len(in_sitoo(shop, number)[0]["deliveries"]) == int(delivery)
    assert {w: (row["on_hand"], row["reserved"]) for w, row in shop.stock(sku).items()} == {
        w: (row["on_hand"], row["reserved"]) for w, row in before.items()}


def test_shadow_mode_sends_nothing(stack):
    shop, _ = started(stack, env={"ONEPOOL_MODE": "shadow"})
    number, other = order(shop, at(shop, 5), **COLLECT), order(shop, at(shop, 5, 1), status=11)
    for one in (number, other):
        shop.wait_until(lambda one=one: f"order={one} step=create shadow=1" in shop.logs("order-created"), 30, f"{one} is looked at")
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    shop.wait_until(lambda: not shop.redis().exists(shop.key("due:weborder")), 20, "it is looked at again")
    assert calls(shop) == [] and in_sitoo(shop, number) == [] == in_sitoo(shop, other)
    assert status_of(shop, other) == 11 and shop.redis().hgetall(shop.key("intents")) == {}


def test_filter_that_sitoo_drops_makes_no_second_order(stack):
    """Sitoo ignores parameters that it does not know: then the list holds other orders, and says nothing of ours."""
    shop, _ = started(stack)
    first = order(shop, at(shop, 5), **COLLECT)
    handed(shop, first)
    all_right(shop)
    shop.control("PUT", "/settings", {"sitoo_ignores": ["externalid"]})
    since = shop.last_request()
    number = order(shop, at(shop, 5), **COLLECT)
    shop.control("POST", "/web-order-edit", {"order_id": first, "rows": [{"row": 0, "quantity": 2}]})
    shop.wait_until(lambda: "its filter did not work" in shop.logs("order-created"), 30, "it is noticed")
    assert calls(shop, since) == []
    shop.control("PUT", "/settings", {"sitoo_ignores": []})
    handed(shop, number, timeout=60)
    all_right(shop, 60)
    assert len(in_sitoo(shop, number)) == 1 and len(in_sitoo(shop, first)) == 2


@pytest.mark.parametrize("methods", [{}, {"pickup_method_ids": [2]}], ids=["without pickup methods", "with a pickup method too"])
def test_shop_without_pickup_records_collects_by_the_name_of_the_shipping_method(stack, methods):
    """An order that was shipped to the name of a shop has no pickup in BigCommerce, so it gets no pickup record either."""
    mapping = shop_mapping(pickup=[{"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3,
                                    "shipping_method_names": ["Collect in Leeds"], **methods}])
    shop, _ = started(stack, mapping=mapping)
    number = order(shop, at(shop, 5), status=11, shipping_method="Collect in Leeds")
    (one,) = handed(shop, number)
    assert one["warehouse"] == 3 and not [name for name in one["personal"] if name.startswith("delivery_")]
    shop.control("POST", "/ready", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 8, 20, "Awaiting Pickup")
    shop.control("POST", "/collect", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 10, 20, "Completed")
    all_right(shop)
    assert not [call for call in calls(shop) if call[0] == "bigcommerce" and call[1] == "POST"]


def test_status_that_a_person_set_meanwhile_is_not_overwritten(stack):
    """Read at 11, set to 12 by a person while Sitoo answers slowly: "ready" must not make it Awaiting Pickup. (No pickup record is
    in between, after which the order would be read again.)"""
    mapping = shop_mapping(pickup=[{"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3,
                                    "shipping_method_names": ["Collect in Leeds"]}])
    shop, _ = started(stack, mapping=mapping)
    number = order(shop, at(shop, 5), status=11, shipping_method="Collect in Leeds")
    (one,) = handed(shop, number)
    all_right(shop)
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": "latency", "ms": 1500, "path": "orderdeliveries", "method": "GET", "count": 1}]})
    since = shop.last_request()
    shop.control("POST", "/ready", {"web_order": number})
    shop.wait_until(lambda: [r for r in shop.requests(since, "sitoo") if r["path"].endswith(f"/{one['id']}/orderdeliveries.json")],
                    20, "Sitoo is asked")
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 12})
    shop.wait_until(lambda: [line for line in shop.logs("pickup-updated").splitlines() if "web order worked on" in line], 20, "it is settled")
    all_right(shop)
    assert status_of(shop, number) == 12
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 11})
    shop.wait_until(lambda: status_of(shop, number) == 8, 20, "once the person is done, it goes on")
    all_right(shop)
