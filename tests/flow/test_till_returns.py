# SPDX-License-Identifier: Apache-2.0
"""Returns at a till: what becomes of goods, money and record, with both platforms simulated."""
import pathlib
import re

import pytest

from returns_shop import (FUNCTIONS, bought, fault, give_back, money, parked, refunds, reset, right, running,
                          settled_at_last, skip_the_wait, withheld, worked_on)

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "functions" / "return").glob("*.c")]
FAULT_POINTS = ("return.claimed", "return.judged", "refund.leased", "refund.decided", "refund.before_intent", "refund.sent",
                "refund.before_record", "refund.recorded", "return.before_complete", "return.completed")


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--returns", "--skus", "200"))
    one.wait_until(one.idle, 20, "the first round is over")
    return one


@pytest.fixture(autouse=True)
def no_faults(request):
    yield
    for name in {"shop", "frail"}.intersection(request.fixturenames):
        reset(request.getfixturevalue(name))


# ---------------------------------------------------------------- who pays

def test_return_paid_at_the_till_is_recorded_as_an_offline_refund_and_sold_again(shop):
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()  # the web order is subtracted
    before = shop.levels(sku)[1]
    number = give_back(shop, sitoo, sku)
    found = money(shop, number)
    assert (found["outcome"], found["paid_by"]) == ("refunded", "paid_at_till")
    (refund,) = refunds(shop, order)
    assert refund["offline"] is True, refund
    shop.wait_levels(sku, {1: before + 2})  # the unit itself, and the one that the web order held
    right(shop, sku)


def test_return_that_bigcommerce_pays_is_refunded_online(shop):
    order, sitoo, (sku,) = bought(shop)
    number = give_back(shop, sitoo, sku, payments=[{"name": "Web"}])
    assert money(shop, number)["outcome"] == "refunded"
    (refund,) = refunds(shop, order)
    assert refund["offline"] is False, refund
    right(shop, sku)


@pytest.mark.parametrize("first", ["refund", "sale"])
def test_exchange_records_the_refund_offline_in_either_order(shop, first):
    order, sitoo, (sku,) = bought(shop)
    other = shop.fresh_sku({1: 3})
    back = {"rows": [{"sku": sku, "quantity": 1}], "original": sitoo, "reason": "101", "warehouse": 1}
    made = shop.control("POST", "/exchange", {"return": back, "sale": {"rows": [{"sku": other, "quantity": 1}], "warehouse": 1},
                                              "first": first, "delay_ms": 300})
    number = made["refund_order_id"]
    assert money(shop, number)["outcome"] == "refunded" and worked_on(shop, number)["exchange"]
    assert refunds(shop, order)[0]["offline"] is True
    shop.wait_until(lambda: shop.sales(made["sale_order_id"]), 10, "the sale part goes its way")
    right(shop, sku, other)


PARKED = {
    "unknown payment": ({}, {"payments": [{"name": "Swish"}]}, "return_payer_unknown"),
    "mixed payers": ({}, {"payments": [{"name": "Card", "amount": "1.00"}, {"name": "Web"}]}, "return_payers_mixed"),
    "no payment": ({}, {"payments": []}, "return_no_payment"),
    "another amount": ({}, {"row": {"amount": "1.00"}}, "return_amounts_differ"),
    "another currency": ({"currency": "EUR"}, {"currency": "SEK"}, "return_currency"),
    "not paid": ({"status": 7}, {}, "return_order_not_paid"),
}


@pytest.mark.parametrize("purchase, back, cause", PARKED.values(), ids=PARKED)
def test_money_that_is_not_clear_is_parked_and_goods_are_not(shop, purchase, back, cause):
    order, sitoo, (sku,) = bought(shop, **purchase)
    number = give_back(shop, sitoo, sku, **back)
    assert parked(shop, number, cause, order)["owner"] == "finance"
    assert refunds(shop, order) == []
    assert worked_on(shop, number)["rows"][0]["stock"] == "sellable"
    right(shop, sku)


def test_cancelled_order_is_parked(shop):
    order, sitoo, (sku,) = bought(shop, status=11)
    shop.control("POST", "/web-order-status", {"order_id": order, "status": 5})
    number = give_back(shop, sitoo, sku)
    parked(shop, number, "return_order_cancelled", order)
    right(shop, sku)


@pytest.mark.parametrize("purchase", [
    {"row": {"price": "100.00", "line_discount": "9.99"}, "units": 3}, {"order_discount": "7.77", "units": 3},
    {"currency": "JPY", "row": {"price": "1999"}}, {"currency": "KWD", "row": {"price": "12.340"}},
    {"guest": False, "payments": [{"method": "giftcertificate", "amount": "5.00"}, {"method": "card"}]}],
    ids=["line discount", "order discount", "yen", "dinar", "gift certificate and card"])
def test_discounts_currencies_and_ways_of_paying_online(shop, purchase):
    order, sitoo, (sku,) = bought(shop, **purchase)
    number = give_back(shop, sitoo, sku)
    assert money(shop, number)["outcome"] == "refunded", money(shop, number)
    assert len(refunds(shop, order)) == 1
    right(shop, sku)


# ---------------------------------------------------------------- which purchase

def test_manual_return_is_parked_with_web_orders_that_may_be_meant(shop):
    order, _, (sku,) = bought(shop)
    number = give_back(shop, None, sku)
    case = parked(shop, number, "return_manual")
    assert str(order) in case["text"] and sku in case["text"]
    assert refunds(shop, order) == []
    right(shop, sku)


def test_unknown_purchase_is_parked(shop):
    sku = shop.fresh_sku({1: 3})
    number = shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1, "reason": "101"}], "original": 99999999,
                                              "unknown_original": True, "warehouse": 1})["order_id"]
    parked(shop, number, "return_unknown_purchase")
    right(shop, sku)


def test_return_of_a_purchase_at_a_till_moves_goods_only(shop):
    sku = shop.fresh_sku({1: 3})
    sale = shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    shop.wait_quiet()
    before = shop.levels(sku)[1]
    number = give_back(shop, sale, sku)
    found = worked_on(shop, number)
    assert found["money"] == [] and found["rows"][0]["purchase"] == "till"
    shop.wait_levels(sku, {1: before + 1})


@pytest.mark.parametrize("reference", ["creditorderid", "pos-originalsales-orderid"])
@pytest.mark.parametrize("item_ref", ["id", "index", "none"])
def test_either_reference_and_id_or_index_find_the_row(shop, reference, item_ref):
    order, sitoo, skus = bought(shop, rows=3, handover={"item_step": 2})
    number = give_back(shop, sitoo, skus[1], reference=reference, item_ref=item_ref)
    assert money(shop, number)["outcome"] == "refunded"
    assert len(refunds(shop, order)) == 1
    right(shop, *skus)


# ---------------------------------------------------------------- how often

def test_parts_over_days_and_more_than_was_bought(shop):
    order, sitoo, (sku,) = bought(shop, units=2)
    for _ in range(2):
        assert money(shop, give_back(shop, sitoo, sku))["outcome"] == "refunded"
    number = give_back(shop, sitoo, sku, row={"item": 0})
    parked(shop, number, "return_more_than_bought", order)
    assert len(refunds(shop, order)) == 2
    right(shop, sku)


def test_events_told_again_refund_once(shop):
    order, sitoo, (sku,) = bought(shop)
    number = give_back(shop, sitoo, sku)
    assert money(shop, number)["outcome"] == "refunded"
    for _ in range(3):
        shop.control("POST", "/update-order", {"order_id": number})
    right(shop, sku)
    assert len(refunds(shop, order)) == 1
    text = shop.bigcommerce(f"/v2/orders/{order}")["staff_notes"]
    assert len(re.findall(rf"onepool R{number}-{order}", text)) == 1
    (field,) = shop.bigcommerce(f"/v3/orders/{order}/metafields")["data"]
    assert (field["namespace"], field["key"]) == ("onepool", f"return-R{number}-{order}")


def test_refund_by_hand_in_between_is_parked_as_urgent(shop):
    order, sitoo, (sku,) = bought(shop)
    shop.control("POST", "/web-refund", {"order_id": order})
    number = give_back(shop, sitoo, sku)
    case = parked(shop, number, "return_refunded_else", order)
    assert "URGENT" in case["text"] and "paid twice" in case["text"]
    right(shop, sku)


def test_person_mends_the_cause_and_tries_again(shop):
    shop.control("PUT", "/settings", {"refunds": {"offline_method": False}})
    order, sitoo, (sku,) = bought(shop)
    number = give_back(shop, sitoo, sku)
    parked(shop, number, "return_no_method", order)
    shop.control("PUT", "/settings", {"refunds": {"offline_method": True}})
    assert shop.command("parked", "--retry", f"return_no_method:return {number} of web order {order}")[0] == 0
    shop.wait_until(lambda: len(refunds(shop, order)) == 1, 10, "it is refunded now")
    right(shop, sku)
    assert not [name for name in shop.cases() if str(number) in name]


# ---------------------------------------------------------------- goods

@pytest.mark.parametrize("back", [{"reason": "RC123"}, {"row": {"return_warehouse": 4}}, {"reason": "never heard of"}],
                         ids=["reason", "warehouse", "unknown reason"])
def test_goods_that_may_not_be_sold_stay_withheld_until_they_leave(shop, back):
    order, sitoo, (sku,) = bought(shop)
    number = give_back(shop, sitoo, sku, **back)
    warehouse = back.get("row", {}).get("return_warehouse", 1)
    assert money(shop, number)["outcome"] == "refunded"
    right(shop, sku)
    (entry,) = withheld(shop, "--sku", sku)["withheld"]
    assert (entry["entry"], entry["warehouse"], entry["quantity"]) == (f"{number}:0", warehouse, "1.000")
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": warehouse})
    right(shop, sku)  # a sale releases nothing
    shop.control("POST", "/move", {"sku": sku, "quantity": 1, "from": warehouse})
    shop.wait_until(lambda: withheld(shop, "--sku", sku)["withheld"] == [], 10, "what left is not withheld")
    right(shop, sku)
    assert order


def test_person_releases_withheld_goods(shop):
    _, sitoo, (sku,) = bought(shop, units=2)
    number = give_back(shop, sitoo, sku, quantity=2, reason="RC123")
    worked_on(shop, number)
    right(shop, sku)
    assert shop.command("withheld", "--release", "12")[0] == 1
    assert shop.command("withheld", "--release", f"{number}:0", "--quantity", "3")[0] == 1
    status, _, err = shop.command("withheld", "--release", f"{number}:0", "--quantity", "1")
    assert status == 0, err
    shop.control("POST", "/release", {"sku": sku, "warehouse": 1, "quantity": 1})
    right(shop, sku)
    shop.control("POST", "/stocktake", {"sku": sku, "counted": 9, "warehouse": 1})
    case = shop.wait_until(lambda: shop.cases().get(f"stock_count_withheld:1|{sku}"), 10, "a count asks a person")
    assert sku in case["text"]
    assert shop.command("withheld", "--release", f"{number}:0")[0] == 0
    shop.control("POST", "/release", {"sku": sku, "warehouse": 1, "quantity": 1})
    right(shop, sku)
    assert f"stock_count_withheld:1|{sku}" not in shop.cases()


def test_refund_that_restocks_by_itself_is_put_right(shop):
    shop.control("PUT", "/settings", {"refund_restock": True})
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    number = give_back(shop, sitoo, sku, reason="RC123")
    assert money(shop, number)["outcome"] == "refunded"
    opinion = shop.wait_until(lambda: (shop.control("GET", "/refunds")["orders"][str(order)]["restocked"] and
                                       shop.control("GET", "/refunds")["orders"][str(order)]), 10, "BigCommerce restocks")
    assert (opinion["status"], opinion["restocked"]) == (4, 1)
    shop.control("PUT", "/settings", {"refund_restock": False})
    shop.wait_until(lambda: all(row["after_landing"] == row["expected"] for row in shop.explain(sku).values()), 30,
                    "the level is right again")
    right(shop, sku)
    assert len(refunds(shop, order)) == 1


def test_staff_see_what_became_of_it(shop):
    order, sitoo, (sku,) = bought(shop)
    number = give_back(shop, sitoo, sku)
    worked_on(shop, number)
    shop.wait_quiet()
    status, out, err = shop.command("returns", str(number))
    assert status == 0, err
    assert sku in out and f"web order {order}: refunded" in out and "sellable" in out
    assert shop.command("returns", "1")[0] == 1


# ---------------------------------------------------------------- bad days

BAD = {
    "time-out after the refund": {"kind": "timeout_after_apply", "seconds": 60, "path": "payment_actions/refunds", "method": "POST", "count": 1},
    "reset before": {"kind": "reset", "path": "payment_actions/refunds", "method": "POST", "count": 1},
    "500": {"kind": "status", "status": 500, "path": "payment_actions/refunds", "method": "POST", "count": 1},
    "tax service away": {"kind": "tax_away", "count": 1},
    "half a body": {"kind": "half_body", "path": "payment_actions/refunds", "method": "POST", "count": 1},
    "not JSON": {"kind": "html", "status": 200, "path": "payment_actions/refunds", "method": "POST", "count": 1},
}


@pytest.mark.parametrize("rule", BAD.values(), ids=BAD)
def test_refund_that_fails_on_the_way_is_made_once(shop, rule):
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    fault(shop, **rule)
    number = give_back(shop, sitoo, sku)
    settled_at_last(shop, number, order)
    assert money(shop, number)["outcome"] == "refunded"
    assert len(refunds(shop, order)) == 1
    shop.control("DELETE", "/faults")
    right(shop, sku)


def lost(shop, order):
    """The order's next refund never arrives, and nobody is told."""
    fault(shop, kind="reset", path=f"orders/{order}/payment_actions/refunds", method="POST", count=1)


def test_a_lost_refund_is_made_although_onepool_refunded_another_return_of_the_order_meanwhile(shop):
    order, sitoo, (sku,) = bought(shop, units=3)
    shop.wait_quiet()
    lost(shop, order)
    first = give_back(shop, sitoo, sku)
    shop.wait_until(lambda: shop.redis().hexists(shop.key("intents"), f"refund:R{first}-{order}"), 15, "the first one was sent")
    second = give_back(shop, sitoo, sku)
    assert money(shop, second)["outcome"] == "refunded"
    settled_at_last(shop, first, order)
    assert money(shop, first)["outcome"] == "refunded"
    assert len(refunds(shop, order)) == 2
    shop.control("DELETE", "/faults")
    right(shop, sku)


def test_a_lost_refund_of_an_order_that_somebody_else_refunded_meanwhile_is_a_persons(shop):
    order, sitoo, (sku,) = bought(shop, units=3)
    shop.wait_quiet()
    lost(shop, order)
    number = give_back(shop, sitoo, sku)
    shop.wait_until(lambda: shop.redis().hexists(shop.key("intents"), f"refund:R{number}-{order}"), 15, "it was sent")
    shop.control("POST", "/web-refund", {"order_id": order, "row": 0, "quantity": 1})
    settled_at_last(shop, number, order)
    assert parked(shop, number, "return_unclear", order)["text"].startswith("URGENT")
    assert [one["by"] for one in refunds(shop, order)] == ["hand"]
    shop.control("DELETE", "/faults")
    shop.control("POST", "/web-refund", {"order_id": order, "row": 0, "quantity": 2})  # by the person whose case it is
    right(shop)


@pytest.mark.parametrize("kind, cause", [("quote_refused", "return_quote_refused"), ("methods_change", "return_no_method")])
def test_refund_that_is_always_refused_is_parked(shop, kind, cause):
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    fault(shop, kind=kind)
    number = give_back(shop, sitoo, sku)
    parked(shop, number, cause, order)
    assert refunds(shop, order) == []
    shop.control("DELETE", "/faults")
    if kind == "methods_change":
        return  # the method of this order does not come back
    assert shop.command("parked", "--retry", f"{cause}:return {number} of web order {order}")[0] == 0
    shop.wait_until(lambda: len(refunds(shop, order)) == 1, 10, "it is refunded now")
    right(shop, sku)


@pytest.mark.parametrize("status, times", [(422, 3), (409, 1), (423, 1)])
def test_refund_that_is_refused_for_a_moment_is_tried_again(shop, status, times):
    """What BigCommerce answers while another refund of the order is under way is not documented."""
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    fault(shop, kind="status", status=status, method="POST", path="payment_actions/refunds", count=times)
    number = give_back(shop, sitoo, sku)
    shop.wait_until(lambda: shop.redis().get(shop.key(f"return:{number}")), 30, "it is settled")
    assert shop.control("GET", "/faults")["bigcommerce"]["hits"], "it was refused"
    assert money(shop, number)["outcome"] == "refunded"
    assert len(refunds(shop, order)) == 1
    assert [name for name in shop.cases() if str(number) in name] == []
    shop.control("DELETE", "/faults")
    right(shop, sku)


def test_refund_that_is_refused_again_and_again_is_a_case(shop):
    order, sitoo, (sku,) = bought(shop)
    shop.wait_quiet()
    start = shop.last_request()
    fault(shop, kind="status", status=409, method="POST", path="payment_actions/refunds")
    number = give_back(shop, sitoo, sku)
    shop.wait_until(lambda: shop.redis().get(shop.key(f"return:{number}")), 40, "it is settled")
    parked(shop, number, "return_refused", order)
    assert refunds(shop, order) == []
    asked = [r for r in shop.requests(start, "bigcommerce") if r["method"] == "POST" and r["path"].endswith("payment_actions/refunds")]
    assert len(asked) == 3
    shop.control("DELETE", "/faults")
    assert shop.command("parked", "--retry", f"return_refused:return {number} of web order {order}")[0] == 0
    shop.wait_until(lambda: len(refunds(shop, order)) == 1, 10, "it is refunded now")
    right(shop, sku)


def test_staff_note_whose_answer_was_lost_is_there_once_and_leaves_no_write_open(shop):
    order, sitoo, (sku,) = bought(shop)
    fault(shop, kind="reset", after_apply=True, method="PUT", path=f"/v2/orders/{order}", count=1)
    number = give_back(shop, sitoo, sku)
    assert money(shop, number)["outcome"] == "refunded"
    assert shop.control("GET", "/faults")["bigcommerce"]["hits"] == {"reset": 1}
    assert shop.bigcommerce(f"/v2/orders/{order}")["staff_notes"].count("Returned in a shop") == 1
    right(shop, sku)


def test_every_fault_point_is_in_the_list():
    named = {name for path in SOURCES for name in re.findall(r'fault_point\(app, "((?:return|refund)\.[a-z_]+)"\)', path.read_text())}
    assert named == set(FAULT_POINTS)


@pytest.fixture(scope="module")
def frail(module_stack, tmp_path_factory):
    """A shop whose function return can be killed at a named point, by making a file."""
    folder = tmp_path_factory.mktemp("faults")
    one = module_stack(functions=[name for name in FUNCTIONS if name != "return"], simulator_args=("--returns", "--skus", "200"),
                       env={"ONEPOOL_DEV": "1"})
    one.fault_folder = folder
    one.wait_until(one.idle, 20, "the first round is over")
    return one


def armed(frail, name, point=None):
    """The environment of a function return that is killed once at a point, and the file that is gone by then."""
    file = frail.fault_folder / name
    file.touch()
    return {"ONEPOOL_FAULT_POINT": f"{point or name}:{file}"}, file


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_kill_at_every_point_between_claimed_and_settled(frail, point):
    order, sitoo, (sku,) = bought(frail)
    env, file = armed(frail, point)
    with running(frail, "return", env=env):
        number = give_back(frail, sitoo, sku)
        frail.wait_until(lambda: not file.exists(), 15, f"it is killed at {point}")

        def done():
            skip_the_wait(frail, number, order) if frail.redis().exists(frail.key(f"job:return:{number}")) else None
            return frail.redis().get(frail.key(f"return:{number}")) and frail.idle()
        frail.wait_until(done, 60, "it is settled after all")
        assert money(frail, number)["outcome"] == "refunded"
        assert len(refunds(frail, order)) == 1
        right(frail, sku)


def when_time_has_passed(shop, number):
    """The time that a forgotten refund may take is over; returns that wait for it (earlier tests' too, found again) are due, also
    those that were just being put off."""
    def settled():
        redis = shop.redis()
        redis.hset(shop.key("epoch"), "lossy_ms", "0")
        for one in redis.zrange(shop.key("due:return"), 0, -1):
            if redis.hget(shop.key(f"job:return:{one}"), "lease") != "1":
                redis.zadd(shop.key("due:return"), {one: 1}, xx=True)
        redis.publish(shop.key("wake:return"), "1")
        return redis.get(shop.key(f"return:{number}")) and not redis.zcard(shop.key("due:return"))
    shop.wait_until(settled, 60, "every return is worked on")


def test_redis_lost_between_intent_and_completion_refunds_once(frail):
    order, sitoo, (sku,) = bought(frail)
    env, file = armed(frail, "lost", "refund.sent")
    with running(frail, "return", env=env):
        number = give_back(frail, sitoo, sku)
        frail.wait_until(lambda: not file.exists(), 15, "it is killed when the refund was sent")
        frail.redis().flushall()
        frail.wait_until(lambda: frail.redis().hget(frail.key("epoch"), "state") == "whole", 60, "Redis is whole again")
        when_time_has_passed(frail, number)
        assert money(frail, number)["outcome"] == "refunded"
        assert len(refunds(frail, order)) == 1
        frail.wait_quiet(60)
        assert frail.control("GET", "/refunds")["ok"]


def test_no_money_moves_while_redis_is_rebuilt(frail):
    order, sitoo, (sku,) = bought(frail)
    frail.wait_quiet(60)
    frail.redis().hset(frail.key("epoch"), mapping={"lossy_ms": frail.redis().time()[0] * 1000})
    with running(frail, "return"):
        number = give_back(frail, sitoo, sku)
        frail.wait_until(lambda: "redis_rebuilding" in (frail.redis().hget(frail.key(f"job:return:{number}"), "cause") or ""),
                         15, "it waits")
        assert refunds(frail, order) == []
        assert frail.redis().exists(frail.key(f"op:verdict:{number}:0")), "goods are judged all the same"
        when_time_has_passed(frail, number)
        assert money(frail, number)["outcome"] == "refunded"
        right(frail, sku)


def test_two_workers_with_the_same_returns_refund_each_once(frail):
    order, sitoo, skus = bought(frail, rows=3)
    with running(frail, "return", "second"):
        numbers = [give_back(frail, sitoo, sku) for sku in skus]
        for _ in range(3):
            for number in numbers:
                frail.control("POST", "/update-order", {"order_id": number})
        for number in numbers:
            assert money(frail, number)["outcome"] == "refunded"
        assert len(refunds(frail, order)) == 3
        right(frail, *skus)
