# SPDX-License-Identifier: Apache-2.0
"""Returns at a till that are rare: goods by weight, payments that do not add up, events in any order, several web orders in
one return, a mapping mended by a person, refunds under way elsewhere, and Redis emptied with everything restarted."""
import json
import threading

import pytest

from returns_shop import (FUNCTIONS, QUOTES, REFUNDS, bought, fault, give_back, money, parked, posts, refunds, reset, right,
                          running, skip_the_wait, stop, withheld, worked_on)
from stack import request as http
from stack import shop_mapping, verdict

QUICK = ("--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "80")
PAYMENTS = {"Card": "paid_at_till", "Cash": "paid_at_till", "Web": "pay_in_bigcommerce"}
REASONS = {"101": "sellable", "RC123": "unsellable"}


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--returns", "--skus", "200"))
    one.wait_until(one.idle, 20, "the first round is over")
    return one


@pytest.fixture(autouse=True)
def as_it_was(request):
    yield
    if "shop" in request.fixturenames:
        reset(request.getfixturevalue("shop"))


def opinion(shop, number):
    return shop.control("GET", "/refunds")["returns"][str(number)]["money"]


def cases_of(shop, number):
    return [name for name in shop.cases() if f"return {number}" in name]


def notes_of(shop, order):
    return shop.bigcommerce(f"/v2/orders/{order}")["staff_notes"]


def bigcommerce_call(shop, method, path, body):
    """Somebody else's call to BigCommerce: another app, or the control panel."""
    settings = shop.settings()
    return http(f"{settings['BIGCOMMERCE_API_URL']}/stores/{settings['BIGCOMMERCE_STORE_HASH']}{path}", method,
                json.dumps(body).encode(), {"X-Auth-Token": settings["BIGCOMMERCE_ACCESS_TOKEN"],
                                            "Content-Type": "application/json", **verdict.NOT_OURS})


# ---------------------------------------------------------------- goods by weight

@pytest.mark.parametrize("kilograms", ["0.350", "1.000"])
@pytest.mark.parametrize("reason, stock", [("101", "sellable"), ("RC123", "unsellable")])
def test_goods_sold_by_weight_are_a_persons_and_stock_goes_by_the_rule(stack, kilograms, reason, stock):
    shop = stack(functions=FUNCTIONS, simulator_args=("--returns", *QUICK))
    shop.wait_quiet()
    made = shop.control("POST", "/web-order", {"rows": [{"sku": "KILO-1", "quantity": 1}], "status": 2})
    assert not made["refused"]
    order = made["order_id"]
    sitoo = shop.control("POST", "/web-handover", {"order_id": order})["order_id"]
    shop.wait_quiet()
    on_hand, since = shop.stock("KILO-1")[1]["on_hand"], shop.last_request()
    number = give_back(shop, sitoo, "KILO-1", quantity=kilograms, reason=reason)
    case = parked(shop, number, "return_not_whole", order)
    assert "KILO-1" in case["text"] and kilograms in case["text"] and case["owner"] == "finance"
    assert worked_on(shop, number)["rows"][0]["stock"] == stock
    assert (opinion(shop, number)["outcome"], opinion(shop, number)["why"]) == ("parked", "goods by weight")
    right(shop, "KILO-1")
    assert refunds(shop, order) == [] and posts(shop, order, since) == [] and len(cases_of(shop, number)) == 1
    thousandths = int(kilograms.replace(".", ""))
    assert shop.stock("KILO-1")[1]["on_hand"] == on_hand + thousandths
    held = [] if stock == "sellable" else [(f"{number}:0", kilograms)]
    assert [(row["entry"], row["quantity"]) for row in withheld(shop, "--sku", "KILO-1")["withheld"]] == held


# ---------------------------------------------------------------- payments that do not add up

def test_payments_that_differ_from_the_total_are_reported_and_the_refund_happens(shop):
    order, sitoo, (sku,) = bought(shop, row={"price": "300.00"})
    counted, since = shop.counter("returns:payments_differ"), shop.last_request()
    number = give_back(shop, sitoo, sku, payments=[{"name": "Card", "amount": "210.00"}])
    assert money(shop, number)["outcome"] == "refunded"
    assert worked_on(shop, number)["payments_differ"] is True
    right(shop, sku)
    assert [one["amount"] for one in refunds(shop, order)] == ["300.00"] and len(posts(shop, order, since)) == 1
    assert shop.counter("returns:payments_differ") == counted + 1 and cases_of(shop, number) == []
    assert "payments and total of a return differ" in shop.logs("return")


# ---------------------------------------------------------------- events

def test_duplicate_and_reordered_events_refund_each_return_once(shop):
    orders = [bought(shop, units=2) for _ in range(3)]
    shop.wait_quiet()
    sent, since = shop.control("GET", "/stats")["duplicates_sent"], shop.last_request()
    shop.control("PUT", "/feed", {"duplicate": 1.0, "reorder": 0.5})
    numbers = {order: [give_back(shop, sitoo, sku) for _ in range(2)] for order, sitoo, (sku,) in orders}
    for number in [n for both in numbers.values() for n in both]:
        shop.control("POST", "/update-order", {"order_id": number})
        assert money(shop, number)["outcome"] == "refunded"
    right(shop, *[sku for _, _, (sku,) in orders])
    # Of each of the six returns at least the creation, its ledger row and the update came twice.
    assert shop.control("GET", "/stats")["duplicates_sent"] >= sent + 18
    for order in numbers:
        assert len(refunds(shop, order)) == 2 and len(posts(shop, order, since)) == 2
        assert cases_of(shop, numbers[order][0]) + cases_of(shop, numbers[order][1]) == []


# ---------------------------------------------------------------- methods that change

def test_methods_that_change_once_between_quote_and_refund(shop):
    order, sitoo, (sku,) = bought(shop, payments="offline")  # two offline methods: "custom" and the bank deposit
    shop.wait_quiet()
    since = shop.last_request()
    fault(shop, kind="methods_change", count=1)
    number = give_back(shop, sitoo, sku)
    assert money(shop, number)["outcome"] == "refunded"
    right(shop, sku)
    assert (len(posts(shop, order, since, QUOTES)), len(posts(shop, order, since))) == (2, 2)
    assert len(refunds(shop, order)) == 1 and cases_of(shop, number) == []


def test_methods_that_change_every_time_are_parked(shop):
    order, sitoo, (sku,) = bought(shop, payments="offline")
    shop.wait_quiet()
    since = shop.last_request()
    fault(shop, kind="methods_change")
    number = give_back(shop, sitoo, sku)
    found = money(shop, number)
    assert found["outcome"] == "parked" and found["cause"] in ("return_refused", "return_no_method")
    assert parked(shop, number, found["cause"], order)["owner"] == "finance"
    shop.wait_quiet()
    assert refunds(shop, order) == [] and len(posts(shop, order, since)) == 2 and len(cases_of(shop, number)) == 1
    said = shop.control("GET", "/refunds")
    assert said["missing"] == [] and opinion(shop, number)["why"] == "no offline method"
    assert said["orders"][str(order)]["refunded"] == "0.00"


# ---------------------------------------------------------------- the record

def test_staff_notes_of_the_order_are_kept(shop):
    order, sitoo, (sku,) = bought(shop, units=2)
    old = "Gift: no invoice in the parcel.\nPacked twice, \"fragile\" \u2013 \u00e5\u00e4\u00f6"
    assert bigcommerce_call(shop, "PUT", f"/v2/orders/{order}", {"staff_notes": old}).status == 200
    shop.wait_quiet()
    numbers, notes = [], old
    for _ in range(2):
        numbers.append(give_back(shop, sitoo, sku))
        assert money(shop, numbers[-1])["outcome"] == "refunded"
        right(shop, sku)
        assert notes_of(shop, order).startswith(notes + "\n"), notes_of(shop, order)
        notes = notes_of(shop, order)
    lines = notes.split("\n")
    assert lines[:2] == old.split("\n") and len(lines) == 4
    assert [f"[onepool R{number}-{order}]" in line for number, line in zip(numbers, lines[2:])] == [True, True]
    assert len(refunds(shop, order)) == 2


# ---------------------------------------------------------------- several rows

def test_several_rows_of_one_web_order_are_one_refund(shop):
    order, sitoo, skus = bought(shop, units=2, rows=3, row={"price": "50.00"})
    shop.wait_quiet()
    since = shop.last_request()
    rows = [{"sku": skus[0], "quantity": 1, "reason": "101"}, {"sku": skus[1], "quantity": 2, "reason": "RC123"},
            {"sku": skus[2], "quantity": 1, "reason": "101"}]
    number = shop.control("POST", "/return", {"rows": rows, "original": sitoo, "warehouse": 1})["order_id"]
    assert money(shop, number)["amount"] == "200.00"
    right(shop, *skus)
    (refund,) = refunds(shop, order)
    assert refund["amount"] == "200.00" and len(refund["reasons"]) == 3 and all(str(number) in r for r in refund["reasons"])
    assert len(posts(shop, order, since)) == 1
    assert [row["stock"] for row in worked_on(shop, number)["rows"]] == ["sellable", "unsellable", "sellable"]
    lines = {line["sku"]: line["refunded"] for line in shop.control("GET", "/refunds")["orders"][str(order)]["lines"]}
    assert lines == {skus[0]: 1, skus[1]: 2, skus[2]: 1}
    assert len(withheld(shop, "--sku", skus[1])["withheld"]) == 1


def test_rows_of_two_web_orders_are_settled_apart(stack):
    """The two references name different purchases. The oracle leaves such a return to a person, so it is asked about orders."""
    shop = stack(functions=FUNCTIONS, simulator_args=("--returns", *QUICK))
    shop.wait_quiet()
    first, first_sitoo, (one,) = bought(shop, row={"price": "100.00"})
    second, second_sitoo, (other,) = bought(shop, row={"price": "40.00"})
    shop.wait_quiet()
    since = shop.last_request()
    rows = [{"sku": one, "quantity": 1, "reason": "101", "amount": "100.00"},
            {"sku": other, "quantity": 1, "reason": "101", "amount": "40.00"}]
    number = shop.control("POST", "/return", {
        "rows": rows, "original": first_sitoo, "reference": "creditorderid", "item_ref": "none", "warehouse": 1,
        "extra": {"pos-originalsales-orderid": str(second_sitoo)}})["order_id"]
    parts = {part["web_order"]: part for part in worked_on(shop, number)["money"]}
    assert {web: (part["outcome"], part["amount"]) for web, part in parts.items()} == {
        first: ("refunded", "100.00"), second: ("refunded", "40.00")}
    shop.wait_quiet()
    for _ in range(2):
        shop.control("POST", "/update-order", {"order_id": number})
    shop.wait_quiet()
    said = shop.control("GET", "/refunds")
    for order, amount in ((first, "100.00"), (second, "40.00")):
        assert (said["orders"][str(order)]["refunded"], said["orders"][str(order)]["by_onepool"]) == (amount, amount)
        assert len(refunds(shop, order)) == 1 and len(posts(shop, order, since)) == 1
        assert notes_of(shop, order).count("[onepool ") == 1
    assert said["over_refunded"] == said["over_refunded_rows"] == [] and cases_of(shop, number) == []


# ---------------------------------------------------------------- before the web order was handed over

def test_return_before_the_web_order_stands_in_sitoo_is_a_persons(shop):
    sku = shop.fresh_sku({1: 3})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}], "status": 2})["order_id"]
    shop.wait_quiet()
    since = shop.last_request()
    number = give_back(shop, None, sku)
    case = parked(shop, number, "return_manual")
    assert str(order) in case["text"] and sku in case["text"]
    shop.control("POST", "/web-handover", {"order_id": order})
    name = f"return_manual:return {number}"
    assert shop.command("parked", "--retry", name)[0] == 0
    parked(shop, number, "return_manual")
    right(shop, sku)
    assert refunds(shop, order) == [] and posts(shop, order, since) == []
    assert opinion(shop, number)["why"] == "manual return"
    shop.control("POST", "/web-refund", {"order_id": order})
    assert shop.command("parked", "--close", name)[0] == 0
    right(shop, sku)
    assert [one["by"] for one in refunds(shop, order)] == ["hand"] and cases_of(shop, number) == []


def test_purchase_that_sitoo_shows_only_later_is_refunded_once_tried_again(shop):
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    since = shop.last_request()
    shop.control("PUT", "/settings", {"hidden_orders": [sitoo]})
    number = give_back(shop, sitoo, sku)
    name = f"return_unknown_purchase:return {number}"
    parked(shop, number, "return_unknown_purchase")
    assert refunds(shop, order) == []
    shop.control("PUT", "/settings", {"hidden_orders": []})
    assert shop.command("parked", "--retry", name)[0] == 0
    shop.wait_until(lambda: refunds(shop, order), 10, "it is refunded")
    right(shop, sku)
    assert len(refunds(shop, order)) == 1 and len(posts(shop, order, since)) == 1 and cases_of(shop, number) == []


# ---------------------------------------------------------------- a mapping that a person mends

@pytest.fixture(scope="module")
def mended(module_stack, tmp_path_factory):
    """The simulators judge by the whole table; at first the functions' mapping file lacks a payment."""
    returns = {"reasons": REASONS, "warehouses": {}, "payments": {**PAYMENTS, "Swish": "paid_at_till"}}
    lacking = tmp_path_factory.mktemp("mapping") / "mapping.json"
    lacking.write_text(json.dumps(shop_mapping(returns={**returns, "payments": PAYMENTS})))
    one = module_stack(functions=[f for f in FUNCTIONS if f != "return"], mapping=shop_mapping(returns=returns),
                       simulator_args=QUICK)
    one.lacking = lacking
    one.wait_quiet()
    return one


def parked_for_want_of_a_payment(shop, **purchase):
    """(order, SKU, number, the case's name), parked by a function return whose mapping lacks the payment."""
    order, sitoo, (sku,) = bought(shop, **purchase)
    with running(shop, "return", env={"ONEPOOL_CONFIG": shop.lacking}):
        number = give_back(shop, sitoo, sku, payments=[{"name": "Swish"}])
        assert "Swish" in parked(shop, number, "return_payer_unknown", order)["text"]
        shop.wait_quiet()
    assert refunds(shop, order) == []
    return order, sku, number, f"return_payer_unknown:return {number} of web order {order}"


def test_mended_mapping_and_a_retry_refund_exactly_once(mended):
    order, sku, number, name = parked_for_want_of_a_payment(mended)
    since = mended.last_request()
    with running(mended, "return"):
        for _ in range(2):
            status, _, err = mended.command("parked", "--retry", name)
            assert status == 0 or "there is no parked case" in err
        mended.wait_until(lambda: refunds(mended, order), 15, "it is refunded")
        right(mended, sku)
        mended.control("POST", "/update-order", {"order_id": number})
        right(mended, sku)
        (refund,) = refunds(mended, order)
        assert refund["offline"] is True and refund["by"] == "onepool" and len(posts(mended, order, since)) == 1
        assert cases_of(mended, number) == []


def test_refund_by_hand_before_the_retry_is_counted_and_nothing_is_paid_twice(mended):
    order, sku, number, name = parked_for_want_of_a_payment(mended)
    mended.control("POST", "/web-refund", {"order_id": order})
    since = mended.last_request()
    with running(mended, "return"):
        assert mended.command("parked", "--retry", name)[0] == 0
        case = parked(mended, number, "return_refunded_else", order)
        assert "URGENT" in case["text"]
        right(mended, sku)
        assert [one["by"] for one in refunds(mended, order)] == ["hand"] and posts(mended, order, since) == []
        assert opinion(mended, number)["why"] == "more than is left to refund"
        assert len(cases_of(mended, number)) == 1


def test_refund_by_hand_of_another_unit_leaves_ours_to_be_refunded_once(mended):
    order, sku, number, name = parked_for_want_of_a_payment(mended, units=2)
    mended.control("POST", "/web-refund", {"order_id": order})
    since = mended.last_request()
    with running(mended, "return"):
        assert mended.command("parked", "--retry", name)[0] == 0
        mended.wait_until(lambda: len(refunds(mended, order)) == 2, 15, "it is refunded")
        right(mended, sku)
        assert [one["by"] for one in refunds(mended, order)] == ["hand", "onepool"]
        assert len(posts(mended, order, since)) == 1 and cases_of(mended, number) == []


# ---------------------------------------------------------------- Redis is emptied

@pytest.mark.parametrize("point", ["refund.before_intent", "refund.sent", "refund.recorded", "return.before_complete"])
def test_redis_emptied_and_everything_restarted_pays_once(stack, tmp_path, point):
    """Nobody tells the return again: it is found in Sitoo, since the functions remember on disk what Redis was."""
    file, state = tmp_path / "now", tmp_path / "state"
    state.mkdir()
    shop = stack(functions=FUNCTIONS, simulator_args=QUICK, env={
        "ONEPOOL_DEV": "1", "ONEPOOL_FAULT_POINT": f"{point}:{file}", "ONEPOOL_STATE_DIR": state},
        mapping=shop_mapping(returns={"reasons": REASONS, "payments": PAYMENTS, "warehouses": {}}))
    shop.wait_quiet()
    order, sitoo, (sku,) = bought(shop, units=2)
    shop.wait_quiet()
    assert money(shop, give_back(shop, sitoo, sku))["outcome"] == "refunded"  # the first of two units, in peace
    right(shop, sku)
    since = shop.last_request()
    file.touch()
    number = give_back(shop, sitoo, sku)
    shop.wait_until(lambda: not file.exists(), 20, f"it is killed at {point}")
    for name in FUNCTIONS:
        stop(shop, name)
    shop.redis().flushall()
    shop.env_overrides.pop("ONEPOOL_FAULT_POINT")
    for name in FUNCTIONS:
        shop.start_function(name)
    shop.wait_until(lambda: shop.redis().hget(shop.key("epoch"), "state") == "whole" and shop.counter("epochs:lossy") == 1, 60,
                    "Redis is whole again")

    def done():
        shop.redis().hset(shop.key("epoch"), "lossy_ms", "0")  # as if the time had passed that a forgotten refund may take
        if shop.redis().exists(shop.key(f"job:return:{number}")):
            skip_the_wait(shop, number, order)
        return shop.redis().exists(shop.key(f"return:{number}"))
    shop.wait_until(done, 60, "it is settled after all")
    assert money(shop, number)["outcome"] == "refunded"

    def quiet():
        """The first return is looked at again, too; where it began to wait for that time, it need not."""
        redis = shop.redis()
        late = (redis.time()[0] + 31) * 1000  # later than a claim lasts
        for entity in redis.zrangebyscore(shop.key("due:return"), late, "+inf"):
            redis.zadd(shop.key("due:return"), {entity: 1}, xx=True)
            redis.publish(shop.key("wake:return"), "1")
        return shop.quiet()
    shop.wait_until(quiet, 60, "all of it is over")
    right(shop, sku)
    assert len(refunds(shop, order)) == 2 and len(posts(shop, order, since)) == 1 and cases_of(shop, number) == []
    assert notes_of(shop, order).count(f"[onepool R{number}-{order}]") == 1 and notes_of(shop, order).count("[onepool ") == 2
    assert len(shop.bigcommerce(f"/v3/orders/{order}/metafields")["data"]) == 2


# ---------------------------------------------------------------- another refund of the order is under way

@pytest.mark.parametrize("status", [422, 409])
def test_refund_while_another_is_under_way_is_tried_again(shop, status):
    shop.control("PUT", "/settings", {"refunds": {"concurrent_status": status}})
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    seen, since = shop.control("GET", "/stats")["concurrent_refunds"], shop.last_request()
    # Another app's call, which is slow and refused in the end: while it lasts nobody else may refund this order.
    fault(shop, kind="latency", ms=4000, method="POST", path=REFUNDS, count=1)
    body = {"items": [], "payments": []}
    answers = []
    other = threading.Thread(target=lambda: answers.append(
        bigcommerce_call(shop, "POST", f"/v3/orders/{order}/{REFUNDS}", body).status))
    other.start()
    try:
        shop.wait_until(lambda: shop.control("GET", "/faults")["bigcommerce"]["hits"].get("latency"), 10,
                        "the other call is there")
        number = give_back(shop, sitoo, sku)
        shop.wait_until(lambda: shop.control("GET", "/stats")["concurrent_refunds"] > seen, 10, "we are refused")
    finally:
        other.join(20)
    assert answers and answers[0] == 422

    def done():
        assert cases_of(shop, number) == []
        skip_the_wait(shop, number, order)
        return refunds(shop, order)
    shop.wait_until(done, 30, "it is refunded")
    assert money(shop, number)["outcome"] == "refunded"
    right(shop, sku)
    assert len(refunds(shop, order)) == 1 and cases_of(shop, number) == []
    assert len(posts(shop, order, since)) >= 2
