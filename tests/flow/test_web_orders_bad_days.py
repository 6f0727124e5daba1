# SPDX-License-Identifier: Apache-2.0
"""Bad days of web orders: what the platforms, people and time do to them, and what must be true afterwards all the same."""
import itertools
import random
import re
import threading
import time

import pytest

from stack import shop_mapping
import web_shop
from web_shop import COLLECT, FUNCTIONS, QUICK, all_right, at, handed, in_sitoo, opinion, pickup_warehouse, status_of, with_hooks

SHIP = {"status": 11}
FROM = (1, 2)  # shipping.allocate_from
FIELDS = "orderid,eshopid,ordertypeid,orderstateid,paymentstateid,warehouseid,datereserved,externalid,additionaldata,orderitems,orderlogitems"
MAPPING = shop_mapping(shipping={"location_id": 1, "allocate_from": list(FROM), "allow_split": True, "return_only": False},
                       web_orders={"message": True, "repeat_after_s": 10, "uncollected_days": 1})


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--web-orders", "--skus", "700", *QUICK), mapping=MAPPING)
    with_hooks(one)
    one.wait_until(one.idle, 30, "the first round is over")
    return one


ORDERED = []  # of the test that runs


def order(shop, *rows, **more):
    ORDERED.append(web_shop.order(shop, *rows, **more))
    return ORDERED[-1]


@pytest.fixture(autouse=True)
def as_before(request):
    """The simulators as they were; what a test that failed has left behind is no other test's trouble."""
    ORDERED.clear()
    yield
    if "shop" in request.fixturenames:
        one = request.getfixturevalue("shop")
        if getattr(request.node, "failed_in", None):
            for number in ORDERED:
                begun = any(float(row["delivered"]) for o in in_sitoo(one, number) for row in o["rows"])
                set_status(one, number, 10 if begun else 5)
            time.sleep(1)
        one.control("POST", "/reset-stats")
        one.control("DELETE", "/faults")
        one.control("PUT", "/settings", {"hook_drop": 0.0, "hook_duplicate": 0.0, "hook_reorder": 0.0,
                                         "sitoo_orders": {"duplicate_status": 400}})


def fault(shop, platform="sitoo", **rule):
    shop.control("PUT", f"/faults/{platform}", {"rules": [rule]})


def look(shop, number):
    """Makes the order due, as its timer or any event does."""
    shop.fcall("apply", "mark", "handover", str(number), "0", "", "")


def case(shop, cause, number, timeout=20):
    return shop.wait_until(lambda: shop.cases().get(f"{cause}:web order {number}"), timeout, f"{cause} of {number}")


def no_case(shop, cause, number, timeout=20):
    shop.wait_until(lambda: f"{cause}:web order {number}" not in shop.cases(), timeout, f"{cause} of {number} ends")


def retry(shop, cause, number):
    """A person asks again, unless the case has ended by itself."""
    name = f"{cause}:web order {number}"
    status, _, err = shop.command("parked", "--retry", name)
    assert status == 0 or name not in shop.cases(), err


def state(shop, number):
    return [(o["externalid"], o["state"]) for o in in_sitoo(shop, number)]


def posts(shop, number, since=0):
    """Sitoo orders asked for that name the web order."""
    return [r for r in shop.requests(since, "sitoo") if r["method"] == "POST" and r["path"].endswith("/orders.json")
            and re.search(rf'"externalid":"BC-{number}[-"]', r["body"])]


def units_at(shop, **counted):
    """A SKU of which so many units are free in warehouse w1, w2, w3."""
    sku = shop.fresh_sku({1: 0, 2: 0, 3: 0}, kind=("variant",))
    for name, free in counted.items():
        row = shop.stock(sku)[int(name[1:])]
        shop.control("POST", "/stocktake", {"warehouse": int(name[1:]), "sku": sku, "counted": free + row["reserved"] // 1000})
    shop.wait_quiet()
    return sku


def set_status(shop, number, status):
    shop.control("POST", "/web-order-status", {"order_id": number, "status": status})


# ---------------------------------------------------------------- handed over once

def test_second_order_of_the_same_externalid_is_refused_and_the_first_is_found(shop):
    """The first was made, its answer lost, and it is not in the list yet: Sitoo refuses the second one."""
    sku, since = at(shop, 5), shop.last_request()
    fault(shop, kind="timeout_after_apply", seconds=60, path="orders.json", method="POST", count=1)
    number = order(shop, sku, **COLLECT)
    (one,) = shop.wait_until(lambda: in_sitoo(shop, number), 20, "it is made")
    shop.control("PUT", "/settings", {"hidden_orders": [one["id"]]})
    try:
        shop.wait_until(lambda: len(posts(shop, number, since)) > 1, 40, "it is tried again")
    finally:
        shop.control("PUT", "/settings", {"hidden_orders": []})
    if f"handover_refused:web order {number}" in shop.cases():
        retry(shop, "handover_refused", number)
    all_right(shop, 60)
    assert [o["externalid"] for o in in_sitoo(shop, number)] == [f"BC-{number}"]
    assert f"handover_refused:web order {number}" not in shop.cases()


def test_order_is_made_by_a_shop_hand_at_the_same_time(shop):
    """Somebody else made the order of that name: ours is refused, and theirs is taken as it is."""
    sku = at(shop, 5)
    fault(shop, kind="latency", ms=700, path="orders.json", method="POST", count=1)
    number = order(shop, {"sku": sku, "quantity": 1}, **COLLECT)
    made = shop.control("POST", "/own-order", {"externalid": f"BC-{number}", "rows": [{"sku": sku, "quantity": 1}],
                                               "warehouse": pickup_warehouse(shop)})
    shop.wait_until(lambda: [o["id"] for o in in_sitoo(shop, number)][:1] == [made["order_id"]], 20, "theirs is there")
    shop.wait_until(lambda: len([o for o in in_sitoo(shop, number) if o["state"] == "open"]) == 1
                    and str(number) not in shop.redis().smembers(shop.key("handed:due")), 20, "one is open")
    assert opinion(shop, number)["twice"] == []


@pytest.mark.parametrize("seed", range(3))
def test_five_events_in_any_order(shop, seed):
    rng, sku = random.Random(seed), at(shop, 5)
    number = order(shop, sku, **{**COLLECT, "status": 7})
    events = [("order-created", "store/order/created"), ("order-updated", "store/order/updated"),
              ("order-updated", "store/order/statusUpdated"), ("order-updated", "store/order/archived"),
              ("pickup-updated", "store/order/updated")]
    rng.shuffle(events)
    set_status(shop, number, 11)
    for place, (route, scope) in enumerate(events):
        body = {"producer": "stores/simstore", "scope": scope, "data": {"type": "order", "id": number}, "store_id": "1",
                "hash": f"{number}-{place}", "created_at": int(time.time())}
        answer = shop.post(f"/hooks/bigcommerce/{route}", body)
        assert answer.status in (200, 404) and (answer.status == 200 or route == "pickup-updated"), answer
    handed(shop, number)
    all_right(shop)
    assert state(shop, number) == [(f"BC-{number}", "open")]


def test_hooks_twice_and_out_of_order(shop):
    shop.control("PUT", "/settings", {"hook_duplicate": 1.0, "hook_reorder": 0.7})
    skus = [at(shop, 5) for _ in range(4)]
    numbers = [order(shop, sku, **COLLECT) for sku in skus]
    for number in numbers:
        shop.control("POST", "/web-order-edit", {"order_id": number, "rows": [{"row": 0, "quantity": 2}]})
    set_status(shop, numbers[0], 5)
    set_status(shop, numbers[1], 6)
    all_right(shop, 60)
    for number, count in zip(numbers, (0, 0, 1, 1)):
        assert len([o for o in in_sitoo(shop, number) if o["state"] == "open"]) == count, in_sitoo(shop, number)


def test_cancelled_while_it_is_handed_over(shop):
    sku, since = at(shop, 5), shop.last_request()
    fault(shop, kind="latency", ms=1000, path="orders.json", method="POST", count=1)
    number = order(shop, sku, **COLLECT)
    shop.wait_until(lambda: posts(shop, number, since), 20, "it is being made")
    set_status(shop, number, 5)
    shop.wait_until(lambda: state(shop, number) == [(f"BC-{number}", "cancelled")], 30, "it is cancelled in Sitoo")
    all_right(shop)


def test_cancelled_after_its_order_was_refused_by_an_outage_leaves_no_write_open(shop):
    fault(shop, kind="status", status=500, method="POST", path="/orders.json")
    number = order(shop, at(shop, 5), **COLLECT)
    shop.wait_until(lambda: shop.redis().hexists(shop.key("intents"), f"web:create:BC-{number}"), 20, "it was sent")
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    all_right(shop)
    assert in_sitoo(shop, number) == []


def test_paid_ten_minutes_later(shop):
    """Incomplete (0): nobody knows of it. Its payment comes when nothing else about it is in any queue."""
    sku = at(shop, 5)
    number = order(shop, sku, **{**COLLECT, "status": 0})
    all_right(shop)
    assert opinion(shop, number)["orders"] == [] or in_sitoo(shop, number) == []
    assert shop.redis().hget(shop.key("pending:orders"), str(number)) is None
    shop.control("PUT", "/settings", {"hook_drop": 1.0})
    set_status(shop, number, 7)
    handed(shop, number)
    set_status(shop, number, 11)
    one = in_sitoo(shop, number)[0]["id"]
    shop.wait_until(lambda: shop.sitoo(f"/sites/1/orders/{one}.json")["paymentstateid"] == 20, 20, "paid")
    all_right(shop)


# ---------------------------------------------------------------- split and allocation

def test_split_over_two_warehouses(shop):
    sku = units_at(shop, w1=2, w2=2, w3=0)
    number = order(shop, {"sku": sku, "quantity": 3, "price": "10.01"}, **SHIP)
    parts = handed(shop, number, 2)
    assert [(o["externalid"], o["warehouse"], o["rows"][0]["quantity"]) for o in parts] == [
        (f"BC-{number}", 1, 2), (f"BC-{number}-2r0", 2, 1)]
    all_right(shop)
    assert sum(o["rows"][0]["gross_hundredths"] for o in parts) == 3003
    for one in parts:
        shop.control("POST", "/ship", {"order_id": one["id"]})
    shop.wait_until(lambda: status_of(shop, number) == 2, 20, "Shipped")
    all_right(shop)


def test_one_part_of_a_split_is_shipped_by_bigcommerce(shop):
    sku = units_at(shop, w1=1, w2=2, w3=0)
    number = order(shop, {"sku": sku, "quantity": 3}, **SHIP)
    handed(shop, number, 2)
    shop.control("POST", "/web-shipment", {"order_id": number, "rows": [{"row": 0, "quantity": 2}]})
    shop.wait_until(lambda: sum(int(float(o["rows"][0]["delivered"])) for o in in_sitoo(shop, number)) == 2, 20, "two are delivered")
    shop.control("POST", "/web-shipment", {"order_id": number})
    shop.wait_until(lambda: [o["state"] for o in in_sitoo(shop, number)] == ["closed"] * 2, 20, "both are closed")
    all_right(shop)


def test_needs_allocation_tells_what_each_has_and_goods_in_mend_it(shop):
    sku = units_at(shop, w1=1, w2=0, w3=4)
    number = order(shop, {"sku": sku, "quantity": 3}, **SHIP)
    found = case(shop, "needs_allocation", number)
    assert f"warehouse 1 has 1 of 3 {sku}" in found["text"] and f"warehouse 2 has 0 of 3 {sku}" in found["text"]
    assert found["owner"] == "operations" and in_sitoo(shop, number) == []
    shop.wait_until(lambda: shop.redis().hget(shop.key("pending:qty"), f"0|{sku}") == "3000", 20, "its units are kept back")
    shop.control("POST", "/move", {"sku": sku, "quantity": 4, "to": 2})
    shop.wait_quiet()
    retry(shop, "needs_allocation", number)
    (one,) = handed(shop, number)
    assert one["warehouse"] == 2
    no_case(shop, "needs_allocation", number)
    all_right(shop)


def test_two_orders_for_the_last_units(shop):
    """What is promised to the first is not given to the second, whether or not its reservation was seen."""
    sku = units_at(shop, w1=2, w2=0, w3=3)
    first = order(shop, {"sku": sku, "quantity": 2}, **SHIP)
    second = order(shop, {"sku": sku, "quantity": 2}, **SHIP)
    shop.wait_until(lambda: {f"needs_allocation:web order {n}" for n in (first, second)} & {*shop.cases()}, 20, "one waits")
    shop.wait_until(lambda: sum(len(in_sitoo(shop, n)) for n in (first, second)) == 1, 20, "the other is handed over")
    row = shop.stock(sku)[1]
    assert row["on_hand"] - row["reserved"] == 0
    waiting = second if in_sitoo(shop, first) else first
    set_status(shop, waiting, 5)
    no_case(shop, "needs_allocation", waiting)
    all_right(shop)


# ---------------------------------------------------------------- both sides act at once

def test_both_ship_at_the_same_time(shop):
    sku = units_at(shop, w1=6, w2=0, w3=0)
    number = order(shop, {"sku": sku, "quantity": 3}, **SHIP)
    handed(shop, number)
    hands = [threading.Thread(target=shop.control, args=("POST", "/ship", {"web_order": number, "rows": [{"sku": sku, "quantity": 1}]})),
             threading.Thread(target=shop.control, args=("POST", "/web-shipment", {"order_id": number}))]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(20)
    shop.wait_until(lambda: state(shop, number) == [(f"BC-{number}", "closed")], 30, "closed")
    assert int(float(in_sitoo(shop, number)[0]["rows"][0]["delivered"])) == 3
    all_right(shop, may=("shipments_over_quantity",))  # refused by BigCommerce: staff were faster
    no_case(shop, "handover_refused", number)


def test_shop_ships_all_while_bigcommerce_is_told_of_a_part(shop):
    sku = units_at(shop, w1=6, w2=0, w3=0)
    number = order(shop, {"sku": sku, "quantity": 3}, **SHIP)
    handed(shop, number)
    fault(shop, "bigcommerce", kind="timeout_after_apply", seconds=60, path="shipments", method="POST", count=1)
    shop.control("POST", "/ship", {"web_order": number, "rows": [{"sku": sku, "quantity": 2}]})
    shop.wait_until(lambda: status_of(shop, number) == 3, 20, "two are told, the answer is lost")
    shop.control("POST", "/ship", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 2, 60, "Shipped")
    all_right(shop, 60)
    assert shop.control("GET", "/stats")["shipments_over_quantity"] == 0


@pytest.mark.parametrize("kind", ["timeout_after_apply", "half_body", "reset"])
def test_delivery_whose_answer_is_lost_is_made_once(shop, kind):
    sku = units_at(shop, w1=6, w2=0, w3=0)
    number = order(shop, {"sku": sku, "quantity": 2}, **SHIP)
    handed(shop, number)
    fault(shop, kind=kind, seconds=60, path="orderdeliveries", method="POST", count=1)
    shop.control("POST", "/web-shipment", {"order_id": number, "rows": [{"row": 0, "quantity": 1}]})
    shop.wait_until(lambda: int(float(in_sitoo(shop, number)[0]["rows"][0]["delivered"])) == 1, 60, "one is delivered")
    all_right(shop, 60)
    assert len(in_sitoo(shop, number)[0]["deliveries"]) == 1


def test_collected_after_the_web_order_was_cancelled(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    all_right(shop)
    fault(shop, kind="status", status=503, method="PUT")
    set_status(shop, number, 5)
    shop.wait_until(lambda: shop.control("GET", "/faults")["sitoo"]["hits"], 20, "the cancellation does not get through")
    shop.control("POST", "/collect", {"web_order": number})
    shop.control("DELETE", "/faults")
    found = case(shop, "cancelled_after_handover", number)
    assert found["text"].startswith("URGENT") and "handed over 1" in found["text"]
    assert state(shop, number) == [(f"BC-{number}", "closed")]
    set_status(shop, number, 10)
    no_case(shop, "cancelled_after_handover", number)
    all_right(shop)


# ---------------------------------------------------------------- time

def test_reservation_that_expired_is_a_case_and_its_units_are_pending_again(shop):
    sku = at(shop, 5)
    number = order(shop, {"sku": sku, "quantity": 2}, **COLLECT)
    handed(shop, number)
    all_right(shop)
    shop.control("POST", "/expire-reservation", {"web_order": number})
    look(shop, number)
    case(shop, "reservation_missing", number, 40)
    assert shop.redis().hget(shop.key("pending:qty"), f"{pickup_warehouse(shop)}|{sku}") == "2000"
    all_right(shop)
    set_status(shop, number, 5)
    no_case(shop, "reservation_missing", number)
    all_right(shop)


def test_uncollected_order_is_reported(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/ready", {"web_order": number})
    shop.wait_until(lambda: status_of(shop, number) == 8, 15, "Awaiting Pickup")
    all_right(shop)
    body = shop.sitoo(f"/orders.json?eshopid=1&num=60&fields={FIELDS}&externalid=BC-{number}")
    for item in body["items"][0]["orderlogitems"]:
        item["datelog"] -= 2 * 86400
    fault(shop, kind="answer", method="GET", path="orders.json", body=body)
    look(shop, number)
    found = case(shop, "uncollected", number)
    assert "more than 1 days" in found["text"] and not found["text"].startswith("URGENT")
    shop.control("DELETE", "/faults")
    shop.control("POST", "/collect", {"web_order": number})
    no_case(shop, "uncollected", number)
    all_right(shop)


# ---------------------------------------------------------------- what orders hold

def test_message_of_two_thousand_bytes_with_control_characters_and_emoji(shop):
    message = ("Ring twice \u0007\u0001\t\"<b>\\ \U0001F6B2 " + "å" * 400 + "\U0001F6B2" * 300)[:1400]
    assert len(message.encode()) > 2000
    sku = at(shop, 5)
    number = order(shop, sku, customer_message=message, **COLLECT)
    (one,) = handed(shop, number)
    comment = shop.sitoo(f"/sites/1/orders/{one['id']}.json")["comment"]
    assert comment.startswith("Ring twice    \"<b>\\ \U0001F6B2 ") and len(comment.encode()) <= 1000
    assert not [c for c in comment if ord(c) < 32] and "\ufffd" not in comment
    all_right(shop)


@pytest.mark.parametrize("count, pages", [(60, 2), (500, 3)])
def test_rows_beyond_fifty_are_one_order_of_sitoo(shop, count, pages):
    """/products has 250 rows a page, and the list ends with an empty page, which is 204."""
    skus = [shop.fresh_sku({1: 9}, kind=("variant",)) for _ in range(60)]
    rows = [{"sku": sku, "quantity": 1} for sku in itertools.islice(itertools.cycle(skus), count)]
    since = shop.last_request()
    number = order(shop, *rows, **SHIP)
    (one,) = handed(shop, number, timeout=60)
    assert len(one["rows"]) == count and one["warehouse"] == 1
    all_right(shop, 90)
    assert len(posts(shop, number, since)) == 1
    asked = [r for r in shop.requests(since, "bigcommerce") if r["method"] == "GET"]
    whole = [r for r in asked if r["path"].endswith(f"/v2/orders/{number}") and "consignments.line_items" in r["query"]]
    products = [r for r in asked if r["path"].endswith(f"/orders/{number}/products")]
    by_page = [len([r for r in products if f"page={page + 1}" in r["query"].split("&")]) for page in range(pages)]
    assert len(set(by_page)) == 1 and by_page[0] >= len(whole) > 0
    assert [r["status"] for r in products if f"page={pages}" in r["query"].split("&")] == [204] * by_page[-1]
    assert not [r for r in products if f"page={pages + 1}" in r["query"].split("&")]


def test_bundle_gift_certificate_and_download(shop):
    part, other, sku = at(shop, 9), at(shop, 9), at(shop, 9)
    number = order(shop, {"sku": "GIFT-BOX", "price": "50.00", "bundle": [{"sku": part, "quantity": 2}, {"sku": other, "quantity": 1}]},
                   {"sku": sku, "quantity": 1, "options": [{"name": "Size", "value": "XL"}]},
                   {"gift_certificate": True, "price": "100.00"}, {"sku": at(shop, 1), "quantity": 1, "digital": True}, **COLLECT)
    (one,) = handed(shop, number)
    assert sorted((row["sku"], row["quantity"]) for row in one["rows"]) == sorted([(part, 2), (other, 1), (sku, 1)])
    all_right(shop)


def test_order_of_a_download_alone_is_nobody_s(shop):
    number = order(shop, {"gift_certificate": True, "price": "100.00"}, status=11)
    all_right(shop)
    assert opinion(shop, number)["orders"] == [] or in_sitoo(shop, number) == []
    assert not [name for name in shop.cases() if name.endswith(f"web order {number}")]


@pytest.mark.parametrize("money", [{"currency": "JPY", "row": {"price": "1999"}}, {"currency": "KWD", "row": {"price": "12.340"}},
                                   {"currency": "EUR", "guest": False}, {"guest": True, "order_discount": "7.77"},
                                   {"row": {"price": "100.00", "line_discount": "9.99"}}, {"vat": 6}],
                         ids=["yen", "dinar", "customer", "guest with discount", "line discount", "6 per cent"])
def test_money_of_a_row_is_what_was_paid(shop, money):
    sku = at(shop, 5)
    number = order(shop, {"sku": sku, "quantity": 3, **money.pop("row", {})}, **COLLECT, **money)
    handed(shop, number)
    all_right(shop)


# ---------------------------------------------------------------- the customer changes their mind

def test_collection_becomes_shipping_and_back(shop):
    sku = at(shop, 6, 1)
    shop.control("POST", "/move", {"sku": sku, "quantity": 3, "to": pickup_warehouse(shop)})
    shop.wait_quiet()
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/web-order-edit", {"order_id": number, "pickup_location": None})
    shop.wait_until(lambda: state(shop, number) == [(f"BC-{number}", "cancelled"), (f"BC-{number}-1r1", "open")], 20, "it is sent now")
    assert in_sitoo(shop, number)[1]["warehouse"] in FROM
    all_right(shop)
    shop.control("POST", "/web-order-edit", {"order_id": number, "pickup_location": 5})
    shop.wait_until(lambda: [s for _, s in state(shop, number)] == ["cancelled", "cancelled", "open"], 20, "it is collected after all")
    all_right(shop)


def test_new_address_reaches_the_shop(shop):
    sku = at(shop, 5, 1)
    number = order(shop, sku, **SHIP)
    (one,) = handed(shop, number)
    shop.control("POST", "/web-order-edit", {"order_id": number, "address": {"street_1": "Ny gata 7", "city": "Lund"}})
    shop.wait_until(lambda: shop.sitoo(f"/sites/1/orders/{one['id']}.json")["delivery_address"].startswith("Ny gata 7"), 20, "the address is there")
    all_right(shop)
    assert state(shop, number) == [(f"BC-{number}", "open")]


def test_every_row_refunded_before_the_shop_packs_it(shop):
    sku = at(shop, 5)
    number = order(shop, {"sku": sku, "quantity": 2}, **COLLECT)
    handed(shop, number)
    all_right(shop)
    shop.control("POST", "/web-refund", {"order_id": number, "quantity": 1})
    shop.wait_until(lambda: state(shop, number)[-1] == (f"BC-{number}-1r1", "open"), 20, "one unit is left")
    all_right(shop)
    shop.control("POST", "/web-refund", {"order_id": number, "quantity": 1})
    shop.wait_until(lambda: {s for _, s in state(shop, number)} == {"cancelled"}, 20, "nothing is left")
    all_right(shop)


def test_archived_order_goes_on(shop):
    sku = at(shop, 5)
    number = order(shop, sku, **COLLECT)
    handed(shop, number)
    shop.control("POST", "/web-order-archive", {"order_id": number})
    all_right(shop)
    shop.control("POST", "/ready", {"web_order": number})
    all_right(shop)
    assert [s for _, s in state(shop, number)] in (["open"], ["cancelled"])
