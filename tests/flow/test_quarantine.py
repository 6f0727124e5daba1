# SPDX-License-Identifier: Apache-2.0
"""Unsellable units are moved to the quarantine warehouse, each at most once, whatever becomes of the call."""
import pytest

from stack import shop_mapping

QUICK = ("--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "80")
RECLAIMS = 9
POST = {"method": "POST", "path": "warehousetransactions"}


@pytest.fixture(scope="module")
def shop(module_stack):
    returns = {"reasons": {"101": "sellable", "RC123": "unsellable"}, "payments": {"Card": "paid_at_till"},
               "quarantine_warehouse_id": RECLAIMS, "repeat_after_s": 30}
    one = module_stack(functions=("sitoo-events", "sale", "return", "stock-moved"), mapping=shop_mapping(returns=returns),
                       simulator_args=QUICK)
    one.wait_quiet()
    return one


@pytest.fixture(autouse=True)
def no_faults(request):
    yield
    if "shop" in request.fixturenames:
        request.getfixturevalue("shop").control("DELETE", "/faults")


def give_back(shop, sku, reason="RC123", quantity=1, warehouse=1):
    return shop.control("POST", "/return", {"rows": [{"sku": sku, "quantity": quantity, "reason": reason}],
                                            "warehouse": warehouse})["order_id"]


def judged(shop, number):
    shop.wait_until(lambda: shop.redis().exists(shop.key(f"return:{number}")), 20, f"return {number} is worked on")


def on_hand(shop, sku, warehouse):
    return shop.control("GET", f"/world?sku={sku}")["stock"].get(str(warehouse), {}).get("on_hand", 0)


def posts(shop, since):
    return [r for r in shop.requests(since) if r["method"] == "POST" and "warehousetransactions" in r["path"]]


def moved(shop, number):
    return [row for row in shop.records("quarantined") if row["return"] == number]


def test_an_unsellable_unit_is_moved_at_once_and_then_no_longer_withheld(shop):
    sku = shop.fresh_sku({1: 2})
    level, there, since = shop.levels(sku)[1], on_hand(shop, sku, RECLAIMS), shop.last_request()
    number = give_back(shop, sku, quantity=2)
    judged(shop, number)
    shop.wait_until(lambda: not shop.redis().exists(shop.key(f"withheld:row:{number}:0")), 15, "the ledger's row releases it")
    [row] = moved(shop, number)
    assert (row["sku"], row["quantity"], row["from"], row["to"]) == (sku, "2.000", 1, RECLAIMS) and row["in"] > 0
    assert on_hand(shop, sku, RECLAIMS) == there + 2000
    shop.wait_levels(sku, {1: level})
    shop.wait_quiet()
    assert len(posts(shop, since)) == 1
    assert [r["how"] for r in shop.records("release") if r["entry"] == f"{number}:0"] == ["quarantine"]


def test_our_move_releases_its_own_unit_not_an_older_one(shop):
    sku = shop.fresh_sku({1: 2})
    older = give_back(shop, sku, reason="unheard of")
    judged(shop, older)
    number = give_back(shop, sku)
    judged(shop, number)
    shop.wait_until(lambda: not shop.redis().exists(shop.key(f"withheld:row:{number}:0")), 15, "its own is released")
    shop.wait_quiet()
    assert shop.redis().hget(shop.key(f"withheld:row:{older}:0"), "left") == "1000"


@pytest.mark.parametrize("where", [dict(reason="101"), dict(reason="unheard of"), dict(reason="RC123", warehouse=RECLAIMS)],
                         ids=["sellable", "not judged", "taken back there"])
def test_nothing_else_is_moved(shop, where):
    sku, since = shop.fresh_sku({1: 2}), shop.last_request()
    judged(shop, give_back(shop, sku, **where))
    shop.wait_quiet()
    assert posts(shop, since) == []


def test_a_lost_answer_is_looked_up_and_never_sent_again(shop):
    sku = shop.fresh_sku({1: 2})
    there, since = on_hand(shop, sku, RECLAIMS), shop.last_request()
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "half_body", "count": 1, **POST}]})
    number = give_back(shop, sku)
    shop.wait_until(lambda: posts(shop, since), 15, "it was sent")
    shop.fcall("apply", "mark", "return", number, "", "", "")  # as a repeated event does
    shop.wait_until(lambda: moved(shop, number), 45, "both halves are found in the ledger")
    shop.control("DELETE", "/faults")
    judged(shop, number)
    shop.wait_quiet()
    assert len(posts(shop, since)) == 1 and len(moved(shop, number)) == 1
    assert on_hand(shop, sku, RECLAIMS) == there + 1000
    assert not [i for i in shop.redis().hkeys(shop.key("intents")) if i.startswith("move:")]


def test_half_a_move_is_a_case_and_not_sent_again(shop):
    sku, since = shop.fresh_sku({1: 2}), shop.last_request()
    body = [{"statuscode": 200, "return": 4711}, {"statuscode": 400, "errortext": "Invalid value in warehouseid"}]
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "answer", "body": body, "count": 1, **POST}]})
    number = give_back(shop, sku)
    judged(shop, number)
    shop.control("DELETE", "/faults")
    name = f"quarantine_half:return {number}, row 0"
    case = shop.wait_until(lambda: shop.cases().get(name), 15, "the case")
    assert "only the Move Out half" in case["text"] and "Invalid value in warehouseid" in case["text"]
    assert case["owner"] == "operations" and sku in case["text"]
    shop.wait_until(lambda: not shop.redis().exists(shop.key(f"withheld:row:{number}:0")), 15, "the Move Out releases it")
    assert shop.command("parked", "--retry", name)[0] == 0
    shop.wait_until(lambda: name not in shop.cases() and shop.redis().zscore(shop.key("due:return"), number) is None, 15,
                    "it is looked at again")
    assert len(posts(shop, since)) == 1
    shop.wait_quiet()


def test_a_refused_move_is_a_case_with_the_units_still_withheld(shop):
    sku = shop.fresh_sku({1: 2})
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [
        {"kind": "reset", "count": 1, **POST, "after_apply": False},
        {"kind": "answer", "status": 200, "count": 1, **POST,
         "body": [{"statuscode": 400, "errortext": "No."}, {"statuscode": 400, "errortext": "No."}]}]})
    number = give_back(shop, sku)
    name = f"quarantine_refused:return {number}, row 0"
    case = shop.wait_until(lambda: shop.cases().get(name), 60, "the case")
    shop.control("DELETE", "/faults")
    assert "No." in case["text"] and case["step"]


@pytest.mark.parametrize("point", ["quarantine.before_intent", "quarantine.sent", "quarantine.recorded"])
def test_killed_on_the_way_it_moves_once(stack, tmp_path, point):
    file = tmp_path / "now"
    file.touch()
    returns = {"reasons": {"RC123": "unsellable"}, "quarantine_warehouse_id": RECLAIMS, "repeat_after_s": 30}
    one = stack(functions=("sitoo-events", "sale", "return", "stock-moved"), mapping=shop_mapping(returns=returns),
                simulator_args=QUICK, env={"ONEPOOL_DEV": "1", "ONEPOOL_FAULT_POINT": f"{point}:{file}"})
    one.wait_quiet()
    sku = one.fresh_sku({1: 2})
    there, since = on_hand(one, sku, RECLAIMS), one.last_request()
    number = give_back(one, sku)
    one.wait_until(lambda: not file.exists(), 15, f"it is killed at {point}")
    one.wait_until(lambda: one.redis().exists(one.key(f"return:{number}")), 60, "it is settled after all")
    one.wait_until(lambda: not one.redis().exists(one.key(f"withheld:row:{number}:0")), 30, "the ledger's row releases it")
    one.wait_quiet()
    assert on_hand(one, sku, RECLAIMS) == there + 1000
    assert len(posts(one, since)) == 1
