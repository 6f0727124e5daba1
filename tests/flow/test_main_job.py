# SPDX-License-Identifier: Apache-2.0
"""The main job: whatever is sold, booked, moved or returned becomes the right level at every location.

One stack serves all tests; each takes SKUs of its own, and begins when everything is quiet and every level equals the
formula.
"""
import concurrent.futures
import json
import uuid

import pytest

from stack import ROOT, shop_mapping

PAYLOADS = sorted((ROOT / "tests" / "payloads").glob("event-*.json"))
BATCH = "/hooks/sitoo/events"


@pytest.fixture(scope="module")
def shop(module_stack):
    """Many SKUs, and a quota that no test comes near."""
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--skus", "250", "--quota", "5000", "--lag-ms", "100", "--latency-ms", "5"))


@pytest.fixture(autouse=True)
def begin_quiet(shop):
    """Nothing is left over from the test before."""
    shop.wait_quiet(15)


def rows(*pairs):
    return [{"sku": sku, "quantity": quantity} for sku, quantity in pairs]


def event(order=None, kind="order", account=1500, shop_id=1):
    """One element of a batch; it names an order, or a movement if order is None."""
    named = {"order_id": order, "order_event_type": "add"} if order else {"warehouse_id": 1}
    return {"event_id": uuid.uuid4().hex, "event_type": kind, "event_date": 1463041120, "account_id": account,
            "data": {"eshop_id": shop_id, **named}}


def lowered(levels, by):
    """levels less what `by` says for a location."""
    return {location: level - by.get(location, 0) for location, level in levels.items()}


# ---------------------------------------------------------------- tills

def test_sale_lowers_the_level_at_all_mapped_locations(shop):
    sku = shop.fresh_sku({3: 3})
    before = shop.levels(sku)
    order = shop.control("POST", "/sale", {"rows": rows((sku, 2)), "warehouse": 3})["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 2, 5: 2}))
    assert shop.levels(sku)[7] == before[7]
    assert shop.sales(order) == [(sku, "2.000", 3)]


def test_sale_at_the_warehouse_of_one_location_leaves_the_others_alone(shop):
    sku = shop.fresh_sku({4: 2})
    before, since = shop.levels(sku), shop.last_request()
    shop.control("POST", "/sale", {"rows": rows((sku, 1)), "warehouse": 4})
    shop.wait_levels(sku, lowered(before, {7: 1}))
    shop.wait_quiet()
    assert shop.written(sku, since) == [(7, before[7] - 1)]


@pytest.mark.parametrize("file", PAYLOADS, ids=lambda path: path.stem)
def test_recorded_batch_is_accepted(shop, file):
    body = file.read_bytes()
    assert shop.post(BATCH, body).status == 200
    for element in json.loads(body):
        assert len(shop.journal(element["event_id"])) == 1
    orders = {element["data"].get("order_id") for element in json.loads(body)}
    if 12345 in orders:  # Sitoo does not list this one: it is tried again, and nothing else waits for it
        shop.wait_until(lambda: "12345" in (shop.redis().hget(shop.key("job:order:12345"), "cause") or ""), 10,
                        "the order is deferred")
        shop.redis().delete(shop.key("job:order:12345"))
        shop.redis().zrem(shop.key("due:order"), "12345")
    shop.wait_quiet()


def test_recorded_order_bytes_are_kept_as_received(shop):
    element = b'{"event_id":"%s",  "event_type":"z-report","event_date":1,"account_id":1500,"data":{"a" : 1.50}}' % (
        uuid.uuid4().hex.encode())
    assert shop.post(BATCH, b" [ " + element + b" ]\n").status == 200
    assert shop.journal(json.loads(element)["event_id"]) == [element]


def test_same_batch_posted_50_times_at_once_changes_stock_once(shop):
    sku = shop.fresh_sku({1: 5})
    before, since = shop.levels(sku), shop.last_request()
    shop.control("PUT", "/feed", {"paused": True})
    order = shop.control("POST", "/sale", {"rows": rows((sku, 2)), "warehouse": 1})["order_id"]
    batch = [event(order), event(kind="warehouse-transaction")]
    duplicates = shop.counter("duplicate:sitoo")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: shop.post(BATCH, batch).status, range(50)))
    assert answers == [200] * 50
    shop.wait_levels(sku, lowered(before, {1: 2}))
    shop.wait_until(shop.idle, 10, "all work done")
    assert [len(shop.journal(one["event_id"])) for one in batch] == [1, 1]
    assert shop.counter("duplicate:sitoo") - duplicates == 98
    assert shop.sales(order) == [(sku, "2.000", 1)]
    assert shop.written(sku, since) == [(1, before[1] - 2)]
    shop.control("PUT", "/feed", {"paused": False})  # Sitoo's own events about the same order
    shop.wait_quiet()
    assert shop.sales(order) == [(sku, "2.000", 1)]
    assert shop.written(sku, since) == [(1, before[1] - 2)]


def test_two_sales_of_one_sku_in_one_order_count_both(shop):
    sku = shop.fresh_sku({1: 5})
    before = shop.levels(sku)
    order = shop.control("POST", "/sale", {"rows": rows((sku, 1), (sku, 2)), "warehouse": 1})["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 3}))
    shop.wait_quiet()
    assert sorted(shop.sales(order)) == [(sku, "1.000", 1), (sku, "2.000", 1)]


def test_discount_row_without_sku_is_left_out(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)
    sale = {"rows": [{"sku": sku, "quantity": 1, "discount": 500}], "warehouse": 1}
    order = shop.control("POST", "/sale", sale)["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 1}))
    shop.wait_quiet()
    assert shop.sales(order) == [(sku, "1.000", 1)]


def test_offline_sale_that_arrives_late_counts_with_its_till_time(shop):
    sku = shop.fresh_sku({2: 3})
    before = shop.levels(sku)
    sale = shop.control("POST", "/sale", {"rows": rows((sku, 1)), "warehouse": 2, "date_offset_s": -5400})
    shop.wait_levels(sku, lowered(before, {1: 1}))
    shop.wait_quiet()
    till = [row["till_ms"] for row in shop.records("sale") if row["order"] == sale["order_id"]]
    assert len(till) == 1 and abs(till[0] + 5400_000 - sale["at_ms"]) < 2000


def test_sku_with_reserved_characters_is_found(shop):
    sku = "AB+C/1-2"
    free = shop.stock(sku)
    warehouse = max((1, 2, 3), key=lambda w: free[w]["on_hand"] - free[w]["reserved"])
    before = shop.levels(sku)
    assert free[warehouse]["on_hand"] >= 2000
    order = shop.control("POST", "/sale", {"rows": rows((sku, 2)), "warehouse": warehouse})["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 2}))
    shop.wait_quiet()
    assert shop.sales(order) == [(sku, "2.000", warehouse)]
    assert not [case for case in shop.cases() if case.endswith(sku)]


def test_weight_is_floored_to_whole_units_once_after_the_sum(shop):
    stock = shop.stock("KILO-1")
    warehouse = max((1, 2), key=lambda w: stock[w]["on_hand"])
    total = sum(stock[w]["on_hand"] - stock[w]["reserved"] - stock[w]["withheld"] for w in (1, 2, 3))
    assert shop.levels("KILO-1")[1] == total // 1000
    cut = total % 1000 + 1  # one gram more than what lies above the whole number
    sale = {"rows": rows(("KILO-1", f"{cut / 1000:.3f}")), "warehouse": warehouse}
    order = shop.control("POST", "/sale", sale)["order_id"]
    shop.wait_levels("KILO-1", {1: total // 1000 - 1})
    shop.wait_quiet()
    assert shop.sales(order) == [("KILO-1", f"{cut / 1000:.3f}", warehouse)]
    since = shop.last_request()
    shop.control("POST", "/sale", {"rows": rows(("KILO-1", "0.350")), "warehouse": warehouse})
    shop.wait_quiet()
    assert shop.levels("KILO-1")[1] == (total - cut - 350) // 1000 == total // 1000 - 1
    assert shop.written("KILO-1", since) == []


# ---------------------------------------------------------------- returns

@pytest.mark.parametrize("receiving", [1, 4, 9], ids=["same warehouse", "another mapped one", "one that is not mapped"])
def test_return_raises_nothing_and_waits_for_finance(shop, receiving):
    sku = shop.fresh_sku({1: 3, 4: 1})
    before, since = shop.levels(sku), shop.last_request()
    back = {"rows": rows((sku, 2)), "warehouse": 1, "return_warehouse": receiving, "reason": "RC123"}
    order = shop.control("POST", "/return", back)["order_id"]
    case = shop.wait_until(lambda: shop.cases().get(f"return_manual:return {order}"), 10, "the return is parked")
    assert (case["owner"], case["count"]) == ("finance", "1")
    shop.wait_quiet()
    assert shop.levels(sku) == before
    assert shop.written(sku, since) == []
    for side in "lr":
        assert shop.redis().hget(shop.key(f"withheld:{side}"), f"{receiving}|{sku}") == "2000"
    assert shop.sales(order) == []


# ---------------------------------------------------------------- stock without an order

def test_goods_in_raises(shop):
    sku = shop.fresh_sku({1: 1})
    before = shop.levels(sku)
    shop.control("POST", "/move", {"sku": sku, "quantity": 5, "to": 1})
    shop.wait_levels(sku, lowered(before, {1: -5}))


def test_goods_in_moves_and_stocktaking_reach_the_web_without_any_event(shop):
    gone, counted, come = shop.fresh_sku({3: 4}), shop.fresh_sku({4: 3}), shop.fresh_sku({2: 1})
    before = {sku: shop.levels(sku) for sku in (gone, counted, come)}
    shop.control("PUT", "/feed", {"paused": True})
    shop.control("POST", "/move", {"sku": gone, "quantity": 4, "from": 3})
    shop.control("POST", "/stocktake", {"sku": counted, "counted": 1, "warehouse": 4})
    shop.control("POST", "/move", {"sku": come, "quantity": 2, "to": 2})
    shop.wait_levels(gone, lowered(before[gone], {1: 4, 5: 4}), timeout=7)
    shop.wait_levels(counted, {7: 1}, timeout=7)
    shop.wait_levels(come, lowered(before[come], {1: -2}), timeout=7)
    shop.control("PUT", "/feed", {"paused": False})


def test_move_between_warehouses_moves_the_level(shop):
    sku = shop.fresh_sku({1: 3})
    before = shop.levels(sku)
    shop.control("POST", "/move", {"sku": sku, "quantity": 2, "from": 1, "to": 4})
    shop.wait_levels(sku, lowered(before, {1: 2, 7: -2}))


# ---------------------------------------------------------------- reservations

def test_booking_lowers_without_a_ledger_row(shop):
    sku = shop.fresh_sku({3: 2})
    before, ledger = shop.levels(sku), shop.control("GET", "/world?stock=0")["ledger"]
    order = shop.control("POST", "/booking", {"rows": rows((sku, 2)), "warehouse": 3})["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 2, 5: 2}))
    shop.wait_quiet()
    assert shop.control("GET", "/world?stock=0")["ledger"] == ledger
    assert shop.sales(order) == []


def test_cancelled_booking_frees(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)
    order = shop.control("POST", "/booking", {"rows": rows((sku, 2)), "warehouse": 1})["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 2}))
    shop.wait_quiet()
    shop.control("POST", "/cancel-order", {"order_id": order})
    shop.wait_levels(sku, before)


def test_booking_that_is_collected_stays_lowered(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)
    order = shop.control("POST", "/booking", {"rows": rows((sku, 1)), "warehouse": 1})["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 1}))
    shop.control("POST", "/deliver-order", {"order_id": order})
    shop.wait_quiet()
    assert shop.levels(sku) == lowered(before, {1: 1})


def test_parked_basket_changes_nothing_and_is_not_handed_to_sale(shop):
    sku = shop.fresh_sku({1: 2})
    before, since = shop.levels(sku), shop.last_request()
    order = shop.control("POST", "/parked-basket", {"rows": rows((sku, 1)), "warehouse": 1})["order_id"]
    shop.wait_until(lambda: f"order={order} kind=parked_basket" in shop.logs("sitoo-events"), 10,
                    "the basket is sorted")
    shop.wait_quiet()
    assert shop.levels(sku) == before
    assert shop.written(sku, since) == []
    assert shop.sales(order) == []
    assert f"order={order} " not in shop.logs("sale")


def test_own_order_lowers_by_its_reservation_and_is_not_handed_on(shop):
    sku = shop.fresh_sku({3: 3})
    before = shop.levels(sku)
    body = {"externalid": "BC-70001", "rows": rows((sku, 2)), "warehouse": 3}
    order = shop.control("POST", "/own-order", body)["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 2, 5: 2}))
    shop.control("POST", "/deliver-order", {"order_id": order})
    shop.wait_until(lambda: shop.logs("sitoo-events").count(f"order={order} kind=ours") == 2, 10,
                    "the order is sorted twice")
    shop.wait_quiet()
    assert shop.levels(sku) == lowered(before, {1: 2, 5: 2})
    assert shop.sales(order) == []
    assert f"order={order} " not in shop.logs("sale") + shop.logs("return")


def test_cancelled_own_order_frees(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)
    body = {"externalid": "BC-70002-1r2", "rows": rows((sku, 1)), "warehouse": 1}
    order = shop.control("POST", "/own-order", body)["order_id"]
    shop.wait_levels(sku, lowered(before, {1: 1}))
    shop.wait_quiet()
    shop.control("POST", "/cancel-order", {"order_id": order})
    shop.wait_levels(sku, before)


# ---------------------------------------------------------------- mapping trouble

def test_unusable_skus_are_one_case_each_with_a_counter_and_the_other_rows_go_on(shop):
    good = shop.fresh_sku({1: 4})
    before = shop.levels(good)
    bad = {"SITOO-ONLY-1": "unknown_sku", "WRONG-1-RED": "wrong_tracking", "UNTRACKED-1": "stock_not_tracked"}
    for number in range(1, 4):
        shop.control("POST", "/sale", {"rows": rows(*((sku, 1) for sku in bad), (good, 1)), "warehouse": 1})
        shop.wait_levels(good, lowered(before, {1: number}))
        shop.wait_quiet()
    cases = shop.cases()
    for sku, cause in bad.items():
        assert [name for name in cases if name.endswith(f":{sku}")] == [f"{cause}:{sku}"]
        case = cases[f"{cause}:{sku}"]
        assert (case["count"], case["owner"]) == ("3", "merchandising")
        assert all(case[field] for field in ("text", "effect", "step", "first", "last"))


def test_sales_of_an_unknown_sku_in_one_rush_are_all_counted(shop):
    shop.redis().delete(shop.key("sku:WRONG-1-BLUE"))  # as if it was never asked for
    sale = {"rows": rows(("WRONG-1-BLUE", 1)), "warehouse": 1}
    shop.control("POST", "/sales", [sale] * 5)
    shop.wait_quiet()
    assert shop.cases()["wrong_tracking:WRONG-1-BLUE"]["count"] == "5"
    assert shop.fcall("unpark", "wrong_tracking:WRONG-1-BLUE", "close") == 1


def test_ignored_case_stays_closed_and_is_only_counted(shop):
    sale = {"rows": rows(("WRONG-1-BLUE", 1)), "warehouse": 1}
    shop.control("POST", "/sale", sale)
    shop.wait_until(lambda: "wrong_tracking:WRONG-1-BLUE" in shop.cases(), 10, "the case is parked")
    shop.wait_quiet()
    assert shop.fcall("unpark", "wrong_tracking:WRONG-1-BLUE", "ignore") == 1
    ignored = shop.counter("ignored")
    order = shop.control("POST", "/sale", sale)["order_id"]
    shop.wait_until(lambda: shop.sales(order), 10, "the sale is recorded")
    shop.wait_quiet()
    assert "wrong_tracking:WRONG-1-BLUE" not in shop.cases()
    assert shop.counter("ignored") == ignored + 1


def test_command_puts_a_case_on_the_ignore_list_and_takes_it_off(shop):
    sale, case = {"rows": rows(("UNTRACKED-1", 1)), "warehouse": 1}, "stock_not_tracked:UNTRACKED-1"
    shop.control("POST", "/sale", sale)
    shop.wait_until(lambda: case in shop.cases(), 10, "the case is parked")
    shop.wait_quiet()
    assert shop.command("parked", "--ignore", case)[0] == 0
    order = shop.control("POST", "/sale", sale)["order_id"]
    shop.wait_until(lambda: shop.sales(order), 10, "the sale is recorded")
    shop.wait_quiet()
    assert case not in shop.cases()
    assert shop.command("parked", "--unignore", case)[0] == 0
    shop.control("POST", "/sale", sale)
    shop.wait_until(lambda: case in shop.cases(), 10, "the case is parked again")


def test_sku_without_a_row_in_a_warehouse_counts_as_0_there(shop):
    sku = shop.fresh_sku({1: 2, 4: None})
    before = shop.levels(sku)
    shop.control("POST", "/sale", {"rows": rows((sku, 1)), "warehouse": 1})
    shop.wait_levels(sku, {1: before[1] - 1, 7: 0})
    shop.wait_quiet()
    asked = [one["query"] for one in shop.requests(0, "sitoo") if one["path"].endswith("/products.json")]
    assert any(sku in query and "includeinactive=true" in query for query in asked)
    assert not [name for name in shop.cases() if name.endswith(f":{sku}")]


def test_inactive_product_is_proven_too(shop):
    stock = shop.stock("INACTIVE-1")
    warehouse = max((1, 2, 3), key=lambda w: stock.get(w, {"on_hand": 0})["on_hand"])
    before = shop.levels("INACTIVE-1")
    shop.control("POST", "/sale", {"rows": rows(("INACTIVE-1", 1)), "warehouse": warehouse})
    shop.wait_levels("INACTIVE-1", {1: before[1] - 1})


def test_sku_that_sitoo_does_not_know_keeps_its_level_and_is_a_case(shop):
    shop.control("PUT", "/level", {"sku": "BC-ONLY-1", "location": 1, "level": 9})
    since = shop.last_request()
    shop.mark("BC-ONLY-1")
    case = shop.wait_until(lambda: shop.cases().get("not_in_sitoo:BC-ONLY-1"), 10, "the case is parked")
    assert case["owner"] == "merchandising"
    shop.wait_quiet()
    assert shop.writes(since) == []
    assert shop.control("GET", "/level?sku=BC-ONLY-1&location=1")["level"] == 9


def test_warehouse_without_any_row_proves_nothing(stack):
    """The functions' mapping names a warehouse that answers an empty 200, as a wrong id does."""
    running = stack(functions=())
    wrong = shop_mapping()
    wrong["locations"][0]["sitoo_warehouse_ids"] = [1, 2, 3, 77]
    running.mapping_file.write_text(json.dumps(wrong), encoding="utf-8")
    for name in ("sitoo-events", "sale", "stock-moved"):
        running.start_function(name)
    sku = running.fresh_sku({1: 2})
    running.control("POST", "/sale", {"rows": rows((sku, 1)), "warehouse": 1})
    case = running.wait_until(lambda: running.cases().get(f"warehouse_empty:{sku}"), 10, "the case is parked")
    assert case["owner"] == "merchandising"
    running.wait_until(running.idle, 10, "all work done")
    assert running.control("GET", "/stats")["writes"] == 0


def test_incomplete_stock_read_changes_no_level(shop):
    sku = shop.fresh_sku({1: 2})
    before, since = shop.levels(sku), shop.last_request()
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": "half_body", "path": "warehouseitems"}]})
    shop.control("POST", "/sale", {"rows": rows((sku, 1)), "warehouse": 1})
    shop.wait_until(lambda: shop.control("GET", "/faults")["sitoo"]["hits"].get("half_body", 0) >= 3, 15,
                    "three broken answers")
    assert shop.writes(since) == []
    shop.control("DELETE", "/faults")
    shop.wait_levels(sku, lowered(before, {1: 1}), timeout=15)


# ---------------------------------------------------------------- web orders

def test_pending_web_orders_lower_and_cancelled_ones_give_back(shop):
    collected, shipped = shop.fresh_sku({1: 2, 3: 3}), shop.fresh_sku({1: 3})
    before = {sku: shop.levels(sku) for sku in (collected, shipped)}
    first = shop.control("POST", "/web-order", {"rows": rows((collected, 2)), "pickup_location": 5})
    second = shop.control("POST", "/web-order", {"rows": rows((shipped, 1))})
    assert not first["refused"] and not second["refused"]
    # The shop for collection feeds location 5 and the pool; an order to be shipped counts wherever it could leave from.
    shop.wait_levels(collected, lowered(before[collected], {1: 2, 5: 2}))
    shop.wait_levels(shipped, lowered(before[shipped], {1: 1}))
    shop.wait_quiet()
    pending = shop.redis().hgetall(shop.key("pending:qty"))
    assert (pending[f"3|{collected}"], pending[f"0|{shipped}"]) == ("2000", "1000")
    for order in (first, second):
        shop.control("POST", "/web-order-status", {"order_id": order["order_id"], "status": 5})
    shop.mark(shipped)  # web orders are read before every write
    shop.wait_levels(collected, before[collected])
    shop.wait_levels(shipped, before[shipped])


def test_refunded_units_of_a_web_order_are_given_back(shop):
    sku = shop.fresh_sku({1: 4})
    before = shop.levels(sku)
    order = shop.control("POST", "/web-order", {"rows": rows((sku, 3))})["order_id"]
    shop.control("POST", "/web-refund", {"order_id": order, "quantity": 2})
    shop.mark(sku)
    shop.wait_levels(sku, lowered(before, {1: 1}))


def test_web_order_with_more_than_50_lines_is_read_whole(shop):
    """The list cuts a consignment at 50 lines and says so in __warning__; the rest is at /products."""
    world = shop.control("GET", "/world")
    levels = {sku["sku"]: 0 for sku in world["skus"] if sku["sku"].startswith("SKU-") and sku["sku"] not in shop.taken}
    for name in levels:
        levels[name] = sum(row["on_hand"] - row["reserved"] - row["withheld"]
                           for w in "123" if (row := world["stock"][w].get(name)))
    chosen = [name for name, level in levels.items() if level >= 3000][:60]
    assert len(chosen) == 60
    shop.taken.update(chosen)
    since = shop.last_request()
    placed = shop.control("POST", "/web-order", {"rows": rows(*((name, 1) for name in chosen))})
    assert not placed["refused"]
    shop.mark(chosen[0])
    shop.wait_until(lambda: shop.redis().hexists(shop.key("pending:orders"), placed["order_id"]), 10,
                    "the order is pending")
    shop.wait_quiet()
    assert [shop.levels(name)[1] for name in chosen] == [levels[name] // 1000 - 1 for name in chosen]
    paths = {one["path"].partition("/v2")[2] for one in shop.requests(since, "bigcommerce")}
    assert f"/orders/{placed['order_id']}/products" in paths
    pending = shop.redis().hgetall(shop.key("pending:qty"))
    assert [pending.get(f"0|{name}") for name in chosen] == ["1000"] * 60


# ---------------------------------------------------------------- events that are not for us, or broken

def test_foreign_account_and_foreign_site_are_stored_and_not_acted_on(shop):
    foreign, since = shop.counter("events:foreign"), shop.last_request()
    batch = [event(11601, account=9999), event(11602, shop_id=2), event(account=9999, kind="warehouse-transaction")]
    assert shop.post(BATCH, batch).status == 200
    assert [len(shop.journal(one["event_id"])) for one in batch] == [1, 1, 1]
    assert shop.counter("events:foreign") == foreign + 3
    assert shop.idle()
    assert not [one for one in shop.requests(since, "sitoo") if one["path"].endswith("/orders.json")]


BAD_ELEMENTS = [
    b'{"event_id": 5,  "x" : [1,2 ] }',
    b'"text \xc3\xa5\\u00e5"',
    b'{"event_id":"%s","event_type":"order","account_id":1500,"data":{"eshop_id":1,"order_id":"x"}}' % (b"f" * 32),
    b'{"event_id":"","event_type":"order","event_date":1,"account_id":1500,"data":{}}',
    b"null",
    b"[[1],\t2]",
]


@pytest.mark.parametrize("element", BAD_ELEMENTS, ids=range(len(BAD_ELEMENTS)))
def test_single_bad_element_is_parked_with_its_bytes_and_the_rest_is_accepted(shop, element):
    sku = shop.fresh_sku({1: 1})
    before = shop.levels(sku)
    shop.control("PUT", "/feed", {"paused": True})
    order = shop.control("POST", "/sale", {"rows": rows((sku, 1)), "warehouse": 1})["order_id"]
    good = json.dumps(event(order)).encode()
    parked = set(shop.cases())
    assert shop.post(BATCH, b"[" + element + b" , " + good + b"]").status == 200
    new = set(shop.cases()) - parked
    assert len(new) == 1 and new.copy().pop().startswith("bad_event:event ")
    redis = shop.redis(decode=False)
    assert redis.hget(shop.key(f"case:{new.pop()}"), "bytes") == element
    shop.wait_levels(sku, lowered(before, {1: 1}))
    shop.control("PUT", "/feed", {"paused": False})
    shop.wait_quiet()
    assert shop.sales(order) == [(sku, "1.000", 1)]
