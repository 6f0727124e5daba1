# SPDX-License-Identifier: Apache-2.0
"""Refunds that start in BigCommerce: recorded once, their goods waited for, booked in on a person's word; and refunds of
ours whose payment is declined later."""
import json
import time

import pytest

from stack import HOOK_SECRET, shop_mapping

DAY_MS = 86400 * 1000
ROUTE = "/hooks/bigcommerce/order-updated"
NOT_BACK = "refunded_not_back:web order {}"
QUICK = ("--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "120")


def mapping(days):
    return shop_mapping(returns={"goods_back_days": days, "repeat_after_s": 30})


@pytest.fixture(scope="module")
def shop(module_stack):
    """Goods of a refund should be back at once."""
    one = module_stack(mapping=mapping(0), simulator_args=QUICK)
    one.wait_quiet()
    return one


def web_order(shop, quantity=2, handed_over=True, settle=True):
    """A web order that was shipped, and stands in Sitoo: (order, SKU, Sitoo's order)."""
    sku = shop.fresh_sku({1: quantity + 1})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": quantity}]})["order_id"]
    assert order is not None
    sitoo = shop.control("POST", "/web-handover", {"order_id": order})["order_id"] if handed_over else None
    return order, sku, sitoo


def refund(shop, order, quantity=1, told=True):
    """By hand, in the control panel; told: BigCommerce calls us."""
    made = shop.control("POST", "/web-refund", {"order_id": order, "quantity": quantity})
    if told:
        tell(shop, made["refund_id"])
    return made["refund_id"]


def tell(shop, refund_id):
    sent = shop.control("POST", "/send-hook", {"refund_id": refund_id, "url": shop.url(ROUTE),
                                               "headers": {"X-Onepool-Secret": HOOK_SECRET}})
    assert sent["status"] == 200, sent


def recorded(shop, order):
    return [row for row in shop.records("refund_made_in_bigcommerce") if row["order"] == order]


def looked_at(shop, order):
    """The order's look is over: it is settled, or waits for its next one."""
    score = shop.redis().zscore(shop.key("due:refund"), order)
    job = shop.redis().hgetall(shop.key(f"job:refund:{order}"))
    return score is None or (job.get("lease") == "0" and score > time.time() * 1000)


def wait_looked_at(shop, order):
    shop.wait_until(lambda: looked_at(shop, order), 15, f"the refunds of {order} are looked at")


def goods_in(shop, order, sku, quantity=1, warehouse=1):
    return shop.command("returns", "--json", "--goods-in", str(order), "--sku", sku, "--quantity", str(quantity),
                        "--warehouse", str(warehouse))


# ---------------------------------------------------------------- hooks

def test_other_changes_of_an_order_are_stored_counted_and_looked_at(shop):
    since = shop.last_request()
    for scope in ("updated", "statusUpdated", "archived"):
        body = {"scope": f"store/order/{scope}", "hash": f"hash-{scope}", "data": {"type": "order", "id": 987654}}
        assert shop.post(ROUTE, body).status == 200
        assert shop.journal(f"hash-{scope}") == [json.dumps(body).encode()]
    counts = shop.status()["counts"]
    assert [counts[f"hooks:order_{name}"] for name in ("updated", "status_updated", "archived")] == [1, 1, 1]
    assert not shop.redis().exists(shop.key("job:refund:987654"))
    shop.wait_until(lambda: not shop.redis().exists(shop.key("job:weborder:987654")), 10, "it was looked at")
    # BigCommerce does not have it: the order and what Sitoo has for it are read, and that is all.
    assert {r["method"] for r in shop.requests(since) if "987654" in r["path"]} == {"GET"}


@pytest.mark.parametrize("headers", [{"X-Onepool-Secret": None}, {"X-Onepool-Secret": "another secret, as long"}])
def test_a_call_that_is_not_authentic_is_401_and_not_stored(shop, headers):
    body = {"scope": "store/order/refund/created", "hash": "never-stored", "data": {"id": 4711}}
    assert shop.post(ROUTE, body, headers=headers).status == 401
    assert shop.journal("never-stored") == [] and not shop.redis().exists(shop.key("job:refund:4711"))


def test_a_body_without_an_order_is_a_case_with_its_bytes(shop):
    before = set(shop.cases())
    assert shop.post(ROUTE, {"scope": "store/order/refund/created", "data": {"type": "order"}}).status == 200
    [new] = set(shop.cases()) - before
    assert new.startswith("bad_hook:")


# ---------------------------------------------------------------- goods

def test_goods_that_are_not_back_are_a_case_until_the_till_takes_them_back(shop):
    order, sku, sitoo = web_order(shop)
    number = refund(shop, order)
    case = shop.wait_until(lambda: shop.cases().get(NOT_BACK.format(order)), 15, "the case")
    assert case["owner"] == "operations" and f"{sku} x 1" in case["text"] and str(sitoo) in case["text"]
    assert f"--goods-in {order}" in case["step"] and case["effect"]
    [row] = recorded(shop, order)
    assert row["refund"] == number and row["rows"][0]["sku"] == sku and row["rows"][0]["quantity"] == 1
    assert float(row["amount"]) > 0 and row["declined"] is False
    for _ in range(3):  # BigCommerce repeats
        tell(shop, number)
    wait_looked_at(shop, order)
    assert len(recorded(shop, order)) == 1 and shop.cases()[NOT_BACK.format(order)]["count"] == "1"
    shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "original": sitoo, "warehouse": 1})
    tell(shop, number)
    shop.wait_until(lambda: NOT_BACK.format(order) not in shop.cases(), 15, "the case closes by itself")
    wait_looked_at(shop, order)
    assert shop.redis().zscore(shop.key("due:refund"), order) is None


def test_a_case_that_a_person_closed_stays_closed_until_more_is_refunded(shop):
    order, _, _ = web_order(shop, quantity=3)
    number = refund(shop, order)
    shop.wait_until(lambda: NOT_BACK.format(order) in shop.cases(), 15, "the case")
    wait_looked_at(shop, order)
    status, _, _ = shop.command("parked", "--close", NOT_BACK.format(order))
    assert status == 0
    tell(shop, number)
    wait_looked_at(shop, order)
    assert NOT_BACK.format(order) not in shop.cases()
    refund(shop, order, 2)
    case = shop.wait_until(lambda: shop.cases().get(NOT_BACK.format(order)), 15, "a case of the second refund")
    assert " x 3" in case["text"]


def test_a_refund_by_us_of_a_return_at_a_till_needs_no_goods(shop):
    """One of two units came back to a till and was refunded with our reference; the other was refunded by hand."""
    order, sku, sitoo = web_order(shop)
    shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "original": sitoo, "warehouse": 1})
    shop.control("POST", "/web-refund", {"order_id": order, "quantity": 1, "reason": f"onepool:R11555-{order} receipt"})
    refund(shop, order)
    case = shop.wait_until(lambda: shop.cases().get(NOT_BACK.format(order)), 15, "the case")
    assert f"{sku} x 1" in case["text"]
    assert len(recorded(shop, order)) == 1


def test_an_order_that_sitoo_does_not_know_says_so_and_is_not_booked_in(shop):
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": "status", "status": 503, "method": "POST", "path": "orders.json"}]})
    order, sku, _ = web_order(shop, handed_over=False)
    refund(shop, order)
    case = shop.wait_until(lambda: shop.cases().get(NOT_BACK.format(order)), 15, "the case")
    assert f"no order BC-{order}" in case["text"] and "book nothing in" in case["step"]
    status, out, _ = goods_in(shop, order, sku)
    shop.control("DELETE", "/faults")
    assert status == 1 and json.loads(out)["error"]["cause"] == "not_in_sitoo"


def test_a_cancelled_sitoo_order_never_gave_its_goods_away(shop):
    sku = shop.fresh_sku({1: 3})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["order_id"]
    own = shop.control("POST", "/own-order", {"externalid": f"BC-{order}", "rows": [{"sku": sku, "quantity": 1}]})
    shop.control("POST", "/cancel-order", {"order_id": own["order_id"]})
    refund(shop, order)
    shop.wait_until(lambda: recorded(shop, order), 15, "the refund is recorded")
    wait_looked_at(shop, order)
    assert NOT_BACK.format(order) not in shop.cases()


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503, "count": 2}, {"kind": "html", "status": 502, "count": 1},
                                   {"kind": "half_body", "count": 1}])
def test_faults_of_a_read_delay_and_lose_nothing(shop, fault):
    order, _, _ = web_order(shop)
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{**fault, "path": "payment_actions"}]})
    refund(shop, order)
    shop.wait_until(lambda: NOT_BACK.format(order) in shop.cases(), 30, "the case")
    shop.control("DELETE", "/faults")
    assert len(recorded(shop, order)) == 1


def test_a_filter_that_sitoo_does_not_heed_proves_nothing(shop):
    """Every order of the shop would look like a return of this one."""
    order, _, _ = web_order(shop)
    shop.control("PUT", "/settings", {"sitoo_ignores": ["creditorderid"]})
    try:
        refund(shop, order)
        shop.wait_until(lambda: f"first={order}" in shop.logs("order-updated")
                        and "cause=incomplete_read" in shop.logs("order-updated"), 15, "the look is deferred")
        assert NOT_BACK.format(order) not in shop.cases() and not recorded(shop, order)
    finally:
        shop.control("PUT", "/settings", {"sitoo_ignores": []})
    shop.wait_until(lambda: NOT_BACK.format(order) in shop.cases(), 30, "the case")


# ---------------------------------------------------------------- waiting

def test_goods_are_waited_for_and_found_again_without_hook_and_after_redis_was_lost(stack):
    shop = stack(mapping=mapping(14), simulator_args=QUICK)
    shop.wait_quiet()
    order, sku, sitoo = web_order(shop)
    number = refund(shop, order)
    shop.wait_until(lambda: recorded(shop, order), 15, "the refund is recorded")
    wait_looked_at(shop, order)
    due_in = float(shop.redis().zscore(shop.key("due:refund"), order)) - time.time() * 1000
    assert 13.99 * DAY_MS < due_in < 14 * DAY_MS and NOT_BACK.format(order) not in shop.cases()
    late = shop.status()["functions"]["order-updated"]
    assert late["deferred"] == 1 and late["oldest_age_ms"] == 0, "what waits on purpose is not late"
    # The list finds a refund that nobody told us of, and all of them when Redis has forgotten everything.
    untold, _, _ = web_order(shop)
    refund(shop, untold, told=False)
    shop.redis().zadd(shop.key("due:refunds"), {"main": 0})
    shop.wait_until(lambda: recorded(shop, untold), 15, "the refund that nobody told us of is recorded")
    shop.redis().flushall()
    shop.wait_until(lambda: recorded(shop, order) and recorded(shop, untold), 90, "both are found again")
    wait_looked_at(shop, order)
    assert shop.redis().zscore(shop.key("due:refund"), order) > time.time() * 1000 + 13 * DAY_MS
    # They come back: at its next look it is settled.
    shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "original": sitoo, "warehouse": 1})
    tell(shop, number)
    shop.wait_until(lambda: shop.redis().zscore(shop.key("due:refund"), order) is None, 15, "it is settled")
    assert NOT_BACK.format(order) not in shop.cases()


# ---------------------------------------------------------------- declined

def test_a_refund_of_ours_that_is_declined_later_is_urgent_once(shop):
    order, _, _ = web_order(shop)
    made = shop.control("POST", "/web-refund", {"order_id": order, "quantity": 1, "reason": f"onepool:R4711-{order} receipt"})
    number = made["refund_id"]
    mine = [r for r in shop.bigcommerce(f"/v3/orders/{order}/payment_actions/refunds")["data"] if r["id"] == number]
    assert not mine[0]["payments"][0]["offline"], "the test needs a payment that runs"
    tell(shop, number)
    wait_looked_at(shop, order)
    score = shop.redis().zscore(shop.key("due:refund"), order)
    assert 30000 < score - time.time() * 1000 <= 61000, "a young refund of ours is looked at again after a minute"
    case_id = f"refund_declined:web order {order} refund {number}"
    assert case_id not in shop.cases() and not recorded(shop, order)
    shop.control("POST", "/web-decline", {"refund_id": number, "message": "Card expired"})
    shop.redis().zadd(shop.key("due:refund"), {order: 0})  # the minute is over
    case = shop.wait_until(lambda: shop.cases().get(case_id), 15, "the case")
    assert case["owner"] == "finance" and case["text"].startswith("URGENT") and "Card expired" in case["text"]
    assert f"order {order} " in case["text"] and "return 4711 " in case["text"] and "not paid" in case["effect"]
    wait_looked_at(shop, order)
    assert shop.redis().zscore(shop.key("due:refund"), order) is None, "there is nothing more to wait for"
    assert shop.logs("order-updated").count("level=alarm") >= 1
    assert shop.command("parked", "--close", case_id)[0] == 0
    alarms = shop.logs("order-updated").count("level=alarm")
    tell(shop, number)
    wait_looked_at(shop, order)
    assert case_id not in shop.cases() and shop.logs("order-updated").count("level=alarm") == alarms


def test_a_refund_that_only_records_is_not_watched(shop):
    order, _, _ = web_order(shop)
    made = shop.control("POST", "/web-refund", {"order_id": order, "quantity": 1, "reason": f"onepool:R4712-{order} receipt",
                                                "provider_id": "custom"})
    [mine] = [r for r in shop.bigcommerce(f"/v3/orders/{order}/payment_actions/refunds")["data"] if r["id"] == made["refund_id"]]
    assert all(p["offline"] for p in mine["payments"])
    tell(shop, made["refund_id"])
    wait_looked_at(shop, order)
    assert shop.redis().zscore(shop.key("due:refund"), order) is None


# ---------------------------------------------------------------- booked in on a person's word

def intents(shop):
    """Those of the command; returns at a till have their own."""
    return {k: v for k, v in shop.redis().hgetall(shop.key("intents")).items() if k.startswith("goods-in:")}


def moved_in(shop, order):
    rows = shop.sitoo("/sites/1/warehousetransactions.json?num=1000&sort=-warehousetransactionid")["items"]
    return [row for row in rows if (row["externalid"] or "").startswith(f"GI-{order}-")]


def test_goods_are_booked_in_once_and_the_case_closes(shop):
    order, sku, _ = web_order(shop)
    refund(shop, order, 2)
    shop.wait_until(lambda: NOT_BACK.format(order) in shop.cases(), 15, "the case")
    before = shop.stock(sku)[1]["on_hand"]
    status, out, _ = goods_in(shop, order, sku, 2, 1)
    answer = json.loads(out)
    assert status == 0 and answer["reference"] == f"GI-{order}-1" and not answer["shadow"], out
    [row] = moved_in(shop, order)
    assert row["warehousetransactionid"] == answer["transaction"] and row["transactiontype"] == 10
    assert row["items"][0]["sku"] == sku and row["items"][0]["decimalquantity"] == "2.000"
    assert shop.stock(sku)[1]["on_hand"] == before + 2000
    shop.wait_until(lambda: NOT_BACK.format(order) not in shop.cases(), 15, "the case closes")
    [booked] = [r for r in shop.records("goods_booked_in") if r["order"] == order]
    assert booked["quantity"] == "2.000" and booked["transaction"] == answer["transaction"]
    assert not intents(shop)
    status, out, _ = goods_in(shop, order, sku, 1, 1)
    assert status == 1 and json.loads(out)["error"]["cause"] == "too_many" and len(moved_in(shop, order)) == 1


def test_goods_come_in_parts_and_never_more_than_are_missing(shop):
    order, sku, _ = web_order(shop, quantity=3)
    refund(shop, order, 3)
    assert goods_in(shop, order, sku, 4)[0] == 1
    assert goods_in(shop, order, sku, 1)[0] == 0
    # What Redis forgets, Sitoo's ledger tells.
    shop.redis().delete(shop.key(f"goods:{order}"))
    status, out, _ = goods_in(shop, order, sku, 3)
    assert status == 1 and "only 2" in json.loads(out)["error"]["text"]
    status, out, _ = goods_in(shop, order, sku, 2, 2)
    assert status == 0 and json.loads(out)["reference"] == f"GI-{order}-2"
    assert [row["warehouseid"] for row in sorted(moved_in(shop, order), key=lambda r: r["externalid"])] == [1, 2]


@pytest.mark.parametrize("applied, rule", [
    (True, {"kind": "half_body"}), (True, {"kind": "reset", "after_apply": True}), (True, {"kind": "html", "status": 502, "x": 1}),
    (False, {"kind": "status", "status": 500})])
def test_a_lost_answer_is_looked_up_and_never_repeated_blindly(shop, applied, rule):
    if rule.pop("x", None):
        rule = {"kind": "answer", "status": 502, "body": {"statuscode": 502}}
    order, sku, _ = web_order(shop)
    refund(shop, order)
    shop.control("PUT", "/faults/sitoo", {"rules": [{**rule, "method": "POST", "path": "warehousetransactions", "count": 1}]})
    status, out, _ = goods_in(shop, order, sku)
    shop.control("DELETE", "/faults")
    assert status == 1 and json.loads(out)["error"]["cause"] == "unknown_outcome", out
    assert len(moved_in(shop, order)) == int(applied)
    assert len(intents(shop)) == 1
    status, out, _ = goods_in(shop, order, sku)
    if applied:
        assert status == 0 and json.loads(out)["already"] is True, out
    else:
        assert status == 1 and "run this again in" in json.loads(out)["error"]["text"]
        [(intent, text)] = intents(shop).items()
        old = {**json.loads(text), "at_ms": json.loads(text)["at_ms"] - 31000}
        shop.redis().hset(shop.key("intents"), intent, json.dumps(old))  # half a minute later
        status, out, _ = goods_in(shop, order, sku)
        assert status == 0 and json.loads(out)["already"] is False, out
    assert len(moved_in(shop, order)) == 1 and not intents(shop)


def test_a_refusal_ends_the_intent_and_nothing_is_booked(shop):
    order, sku, _ = web_order(shop)
    refund(shop, order)
    status, out, _ = goods_in(shop, order, sku, warehouse=4711)
    assert status == 1 and json.loads(out)["error"]["cause"] == "refused", out
    assert moved_in(shop, order) == [] and not intents(shop)


def test_shadow_mode_sends_nothing(shop):
    order, sku, _ = web_order(shop)
    refund(shop, order)
    shop.env_overrides["ONEPOOL_MODE"] = "shadow"
    try:
        status, out, _ = goods_in(shop, order, sku)
    finally:
        del shop.env_overrides["ONEPOOL_MODE"]
    assert status == 0 and json.loads(out)["shadow"] is True
    assert moved_in(shop, order) == [] and shop.redis().xlen(shop.key("shadow")) == 1


@pytest.mark.parametrize("words", [
    ["--goods-in", "0", "--sku", "A", "--quantity", "1", "--warehouse", "1"],
    ["--goods-in", "1", "--sku", "A", "--quantity", "-1", "--warehouse", "1"],
    ["--goods-in", "1", "--sku", "", "--quantity", "1", "--warehouse", "1"],
    ["--goods-in", "1", "--sku", "A", "--quantity", "1"],
    ["--goods-in", "1", "--sku", "A", "--quantity", "1", "--warehouse", "1", "--more"],
    ["--goods-in", "1", "--goods-in", "2", "--sku", "A", "--quantity", "1", "--warehouse", "1"], ["zero"], ["7", "8"]])
def test_wrong_words_are_wrong_usage(shop, words):
    assert shop.command("returns", *words)[0] == 2
