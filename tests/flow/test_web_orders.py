# SPDX-License-Identifier: Apache-2.0
"""Web orders reach the shop: handed over, reserved, changed, cancelled, made ready, collected, sent."""
import pytest

from web_shop import (COLLECT, FUNCTIONS, QUICK, all_right, at, handed, in_sitoo, opinion, order, pickup_warehouse, status_of,
                      with_hooks)


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--web-orders", "--skus", "200", *QUICK))
    with_hooks(one)
    one.wait_until(one.idle, 20, "the first round is over")
    return one


@pytest.fixture(autouse=True)
def no_faults(request):
    yield
    if "shop" in request.fixturenames:
        request.getfixturevalue("shop").control("DELETE", "/faults")


def payment(shop, number):
    return shop.sitoo(f"/sites/1/orders/{in_sitoo(shop, number)[0]['id']}.json")["paymentstateid"]


# ---------------------------------------------------------------- click & collect

def test_order_for_collection_is_reserved_in_the_chosen_shop(shop):
    sku = at(shop, 5)
    before = shop.stock(sku)[pickup_warehouse(shop)]["reserved"]
    number = order(shop, {"sku": sku, "quantity": 2}, **COLLECT)
    (one,) = handed(shop, number)
    assert one["externalid"] == f"BC-{number}"
    assert one["warehouse"] == pickup_warehouse(shop)
    all_right(shop)
    assert shop.stock(sku)[pickup_warehouse(shop)]["reserved"] == before + 2000
    assert shop.redis().hget(shop.key("pending:orders"), str(number)) is None


def test_ready_and_collected_flow_back(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/ready", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 8, 15, "Awaiting Pickup")
    shop.control("POST", "/collect", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 10, 15, "Completed")
    all_right(shop)
    (record,) = shop.bigcommerce(f"/v3/orders/pickups?order_id:in={number}")["data"]
    assert [item["status"] for item in record["pickup_items"]] == ["COLLECTED"]


def test_cancelled_web_order_frees_its_reservation(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    all_right(shop)
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    shop.wait_until(lambda: [o["state"] for o in in_sitoo(shop, number)] == ["cancelled"], 15, "it is cancelled in Sitoo")
    all_right(shop)


def test_cancelled_web_order_that_stands_again_is_handed_over_anew(shop):
    sku = at(shop, 3)
    number = order(shop, {"sku": sku, "quantity": 2}, **COLLECT)
    handed(shop, number)
    for _ in range(2):
        shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
        shop.wait_until(lambda: not [o for o in in_sitoo(shop, number) if o["state"] == "open"], 20, "cancelled in Sitoo too")
        all_right(shop)
        shop.control("POST", "/web-order-status", {"order_id": number, "status": 11})
        handed(shop, number)
        all_right(shop)
    assert [o["state"] for o in in_sitoo(shop, number)] == ["cancelled", "cancelled", "open"]
    assert f"cancelled_in_till:web order {number}" not in shop.cases()


def test_till_that_sells_what_is_reserved_is_told_and_the_case_ends_with_goods_in(shop):
    sku = at(shop, 2)
    free = shop.stock(sku)[3]
    left = (free["on_hand"] - free["reserved"] - free["withheld"]) // 1000
    number = order(shop, {"sku": sku, "quantity": 2}, **COLLECT)
    handed(shop, number)
    all_right(shop)
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": left - 1}], "warehouse": 3})
    case = shop.wait_until(lambda: shop.cases().get(f"reservation_short:web order {number}"), 20, "a person is told")
    assert f"short of 1 of SKU {sku}" in case["text"]
    shop.control("POST", "/move", {"sku": sku, "quantity": 1, "to": 3})
    shop.wait_until(lambda: f"reservation_short:web order {number}" not in shop.cases(), 20, "there is enough again")
    all_right(shop)
    assert shop.redis().hgetall(shop.key("handed:short")) == {}


def test_rejected_by_the_shop_is_urgent_and_is_cancelled_there(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/reject", {"web_order": number})
    case = shop.wait_until(lambda: shop.cases().get(f"pickup_rejected:web order {number}"), 15, "it is a case")
    assert case["text"].startswith("URGENT") and case["owner"] == "store"
    shop.wait_until(lambda: [o["state"] for o in in_sitoo(shop, number)] == ["cancelled"], 15, "it is cancelled in Sitoo")
    assert status_of(shop, number) == 11
    # A person asks the shop again.
    assert shop.command("parked", "--retry", f"pickup_rejected:web order {number}")[0] == 0
    handed(shop, number)
    shop.wait_until(lambda: f"pickup_rejected:web order {number}" not in shop.cases(), 15, "the case ends")
    assert [o["externalid"] for o in in_sitoo(shop, number)] == [f"BC-{number}", f"BC-{number}-1r1"]
    all_right(shop)


def test_shipped_order_is_allocated_and_ships_from_the_shop(shop):
    sku = at(shop, 5, 1)
    number = order(shop, {"sku": sku, "quantity": 2}, status=11)
    (one,) = handed(shop, number)
    assert "delivery_address" in one["personal"]
    shop.control("POST", "/ship", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 2, 15, "Shipped")
    all_right(shop)
    assert [o["state"] for o in in_sitoo(shop, number)] == ["closed"]


def test_shipped_in_bigcommerce_is_delivered_in_sitoo(shop):
    sku = at(shop, 5, 1)
    number = order(shop, {"sku": sku, "quantity": 3}, status=11)
    handed(shop, number)
    shop.control("POST", "/web-shipment", {"order_id": number, "rows": [{"row": 0, "quantity": 1}]})
    shop.wait_until(lambda: in_sitoo(shop, number)[0]["rows"][0]["delivered"] in (1, "1", "1.000"), 15, "one is delivered")
    shop.control("POST", "/web-shipment", {"order_id": number})
    shop.wait_until(lambda: [o["state"] for o in in_sitoo(shop, number)] == ["closed"], 15, "closed")
    all_right(shop)


def test_edited_order_becomes_a_new_revision(shop):
    sku, other = at(shop, 5), at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/web-order-edit", {"order_id": number, "rows": [{"row": 0, "quantity": 3}], "add": [{"sku": other, "quantity": 1}]})
    shop.wait_until(lambda: [(o["externalid"], o["state"]) for o in in_sitoo(shop, number)] ==
                    [(f"BC-{number}", "cancelled"), (f"BC-{number}-1r1", "open")], 20, "a new revision, the old one cancelled")
    all_right(shop)


def test_incomplete_order_that_is_paid_later(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **{**COLLECT, "status": 0})
    all_right(shop)
    assert opinion(shop, number)["orders"] == [] or in_sitoo(shop, number) == []
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 11})
    handed(shop, number)
    all_right(shop)


def test_late_payment_is_told_to_the_shop(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **{**COLLECT, "status": 7})
    handed(shop, number)
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 11})
    shop.wait_until(lambda: payment(shop, number) == 20, 15, "paid")
    all_right(shop)


def test_completed_by_staff_in_bigcommerce_ends_the_reservation(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 10})
    shop.wait_until(lambda: [o["state"] for o in in_sitoo(shop, number)] == ["closed"], 15, "closed in Sitoo")
    all_right(shop)


def test_cancelled_in_the_till_is_a_case(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/cancel-order", {"web_order": number})
    shop.wait_until(lambda: f"cancelled_in_till:web order {number}" in shop.cases(), 15, "it is a case")
    assert status_of(shop, number) == 11
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    shop.wait_until(lambda: f"cancelled_in_till:web order {number}" not in shop.cases(), 15, "the case ends")
    all_right(shop)


def test_what_was_sent_before_the_till_cancelled_the_rest_counts_once(shop):
    sku = at(shop, 8, 1)
    number = order(shop, {"sku": sku, "quantity": 3}, status=11)
    handed(shop, number)
    all_right(shop)
    shop.control("POST", "/ship", {"web_order": number, "rows": [{"sku": sku, "quantity": 1}]})
    shop.wait_until(lambda: status_of(shop, number) == 3, 15, "Partially Shipped")
    shop.control("POST", "/cancel-order", {"web_order": number})
    shop.wait_until(lambda: f"cancelled_in_till:web order {number}" in shop.cases(), 15, "a person is told")
    all_right(shop, told=("cancelled_in_till",))
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})  # customer service gives up


FAULTS = {
    "time-out after creating": {"kind": "timeout_after_apply", "seconds": 60, "path": "orders.json", "method": "POST", "count": 1},
    "reset before": {"kind": "reset", "path": "orders.json", "method": "POST", "count": 1},
    "500": {"kind": "status", "status": 500, "path": "orders.json", "method": "POST", "count": 1},
    "half a body": {"kind": "half_body", "path": "orders.json", "method": "POST", "count": 1},
}


@pytest.mark.parametrize("rule", FAULTS.values(), ids=FAULTS)
def test_order_is_handed_over_once_whatever_became_of_the_call(shop, rule):
    sku = at(shop, 5)
    shop.control("PUT", "/faults/sitoo", {"rules": [rule]})
    number = order(shop, sku, **COLLECT)
    handed(shop, number, timeout=40)
    all_right(shop)
    assert len(in_sitoo(shop, number)) == 1


def test_lost_hook_is_found_by_the_order_s_date(shop):
    shop.control("PUT", "/settings", {"hook_drop": 1.0})
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    shop.wait_until(lambda: [o["state"] for o in in_sitoo(shop, number)] == ["cancelled"], 20, "it is cancelled in Sitoo")
    shop.control("PUT", "/settings", {"hook_drop": 0.0})
    all_right(shop)


def test_order_that_was_cancelled_before_anybody_saw_it_leaves_no_level_too_low(shop):
    """BigCommerce has lowered its stock for it, and puts nothing back by itself."""
    sku = at(shop, 5)
    all_right(shop)
    level = shop.levels(sku)
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "status", "status": 503, "path": "/v2/orders"}]})
    number = order(shop, sku, **COLLECT)
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    shop.control("DELETE", "/faults")
    shop.wait_until(lambda: not shop.redis().zscore(shop.key("due:handover"), str(number)), 20, "it was looked at")
    all_right(shop)
    assert in_sitoo(shop, number) == [] if opinion(shop, number)["orders"] else True
    assert shop.levels(sku) == level
