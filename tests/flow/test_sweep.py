# SPDX-License-Identifier: Apache-2.0
"""The sweep: what no event told of is found, done and counted; levels that drifted are told apart by cause and repaired;
what is under way is neither."""
import signal

import pytest

import sweep_shop as sweep
import web_shop

SIMULATOR = ("--web-orders", "--skus", "120", "--quota", "20000", "--lag-ms", "50", "--latency-ms", "2", "--retry-scale", "0.001")


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=sweep.FUNCTIONS, mapping=sweep.sweep_mapping(), simulator_args=SIMULATOR)
    web_shop.with_hooks(one)
    return sweep.ready(one)


@pytest.fixture(autouse=True)
def begin_quiet(shop):
    shop.control("PUT", "/settings", {"send_hooks": True, "hook_drop": 0})
    shop.control("PUT", "/feed", {"url": shop.url("/hooks/sitoo")})
    shop.wait_quiet(30)
    sweep.settled(shop)


def silent_feed(shop):
    """Sitoo's events stay with Sitoo."""
    shop.control("PUT", "/feed", {"paused": True})


def late_feed(shop):
    """They come after all."""
    shop.control("PUT", "/feed", {"paused": False})


def counted(before, after):
    return {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)}


# ---------------------------------------------------------------- missed

def test_a_sale_without_an_event_is_recorded_and_counted_once(shop):
    sku = shop.fresh_sku({1: 3})
    before = sweep.missed(shop)
    silent_feed(shop)
    order = shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 2}], "warehouse": 1})["order_id"]
    sweep.ran(shop, "orders")
    assert counted(before, sweep.missed(shop)) == {}, "an event is given time"
    shop.wait_until(lambda: counted(before, sweep.missed(shop)) == {"sitoo_order": 1}, 20, "the sale is missed")
    shop.wait_until(lambda: shop.sales(order) == [(sku, "2.000", 1)], 20, "the sale is recorded")
    sweep.ran(shop, "orders", "open")
    late_feed(shop)
    shop.wait_quiet()
    assert counted(before, sweep.missed(shop)) == {"sitoo_order": 1}
    assert shop.sales(order) == [(sku, "2.000", 1)], "the late event records nothing twice"
    rows = [row for row in shop.records("missed") if row.get("order") == order]
    assert [(row["what"], row["found"]) for row in rows] == [("sitoo_order", "new")]


def test_what_an_event_tells_is_not_missed(shop):
    before, told = sweep.missed(shop), []
    for _ in range(5):
        sku = shop.fresh_sku({1: 3})
        told.append(shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"])
    shop.wait_quiet()
    sweep.ran(shop, "orders", "open")
    number = web_shop.order(shop, shop.fresh_sku({1: 3}))
    web_shop.handed(shop, number)
    shop.wait_until(lambda: not shop.control("GET", "/hook-log")["waiting"], 20, "hooks are delivered")
    deadline = sweep.last(shop, "orders") + 2500
    shop.wait_until(lambda: shop.redis().time()[0] * 1000 > deadline, 10, "the grace time is over")
    sweep.ran(shop, "orders", "open", "bigcommerce", "refunds")
    assert counted(before, sweep.missed(shop)) == {}


def test_a_booking_cancelled_without_an_event_frees_its_units(shop):
    sku = shop.fresh_sku({1: 4})
    before, right = sweep.missed(shop), shop.levels(sku)
    booking = shop.control("POST", "/booking", {"rows": [{"sku": sku, "quantity": 2}], "warehouse": 1})["order_id"]
    shop.wait_levels(sku, {1: right[1] - 2})
    shop.wait_until(lambda: shop.redis().hexists(shop.key("orders:open"), booking), 10, "it is known as open")
    silent_feed(shop)
    shop.control("POST", "/cancel-order", {"order_id": booking})
    sweep.ran(shop, "open")
    shop.wait_until(lambda: counted(before, sweep.missed(shop)) == {"sitoo_order": 1}, 20, "the change is missed")
    shop.wait_levels(sku, right)
    late_feed(shop)
    shop.wait_quiet()
    assert not shop.redis().hexists(shop.key("orders:open"), booking)


def long_told(shop, number):
    """The last webhook of the order is older than what dates of whole seconds leave open."""
    def old():
        told = shop.redis().zscore(shop.key("told:bigcommerce"), number)
        return told and shop.redis().time()[0] * 1000 > told + 4000
    shop.wait_until(old, 30, "the last webhook is some seconds old")


def test_a_refund_without_a_webhook_is_recorded_once(shop):
    number = web_shop.order(shop, {"sku": shop.fresh_sku({1: 4}), "quantity": 2})
    web_shop.handed(shop, number)
    shop.wait_until(lambda: not shop.control("GET", "/hook-log")["waiting"], 20, "hooks are delivered")
    long_told(shop, number)
    before = sweep.missed(shop)
    shop.control("PUT", "/settings", {"send_hooks": False})
    refund = shop.control("POST", "/web-refund", {"order_id": number, "row": 0, "quantity": 1})["refund_id"]
    sweep.ran(shop, "refunds", "bigcommerce")
    shop.wait_until(lambda: set(counted(before, sweep.missed(shop))) == {"refund", "bigcommerce_order"}, 20,
                    f"the refund is missed: {sweep.missed(shop)}")
    made = shop.wait_until(lambda: [r for r in shop.records("refund_made_in_bigcommerce") if r["refund"] == refund], 20,
                           "the refund is recorded")
    sweep.ran(shop, "refunds", "bigcommerce")
    shop.wait_quiet()
    assert counted(before, sweep.missed(shop))["refund"] == 1
    assert len(made) == 1 and len([r for r in shop.records("refund_made_in_bigcommerce") if r["refund"] == refund]) == 1


# ---------------------------------------------------------------- drift

def written(shop, sku, location=1):
    return shop.redis().hget(shop.key("level:live"), f"{location}|{sku}")


def change_unseen(shop, sku, level, location=1):
    """Somebody uses the control panel, and no webhook says so."""
    shop.control("PUT", "/settings", {"send_hooks": False})
    shop.control("PUT", "/level", {"sku": sku, "location": location, "level": level})
    shop.wait_until(lambda: shop.control("GET", f"/level?sku={sku}&location={location}")["level"] == level, 10, "it has landed")


def moved(shop):
    """A SKU whose level was written and seen, and that the writer looks at no more."""
    sku = shop.fresh_sku({1: 6})
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    forgotten(shop)
    return sku


def forgotten(shop):
    shop.wait_quiet()
    shop.wait_until(lambda: not shop.redis().exists(shop.key("recheck"), shop.key("verify")), 30, "nothing is looked at again")
    shop.wait_quiet()


def found(shop, before, expected, sku, timeout=40):
    """The drift is counted so, recorded, and repaired."""
    try:
        shop.wait_until(lambda: counted(before, sweep.drift(shop)) == expected, timeout)
    except TimeoutError:
        raise AssertionError({"drift": counted(before, sweep.drift(shop)), "problem": sweep.problem(shop, "stock"), "sku": sku,
                              "suspects": shop.redis().hgetall(shop.key("sweep:suspects")), "levels": shop.explain(sku)}) from None
    shop.wait_quiet()
    rows = [row for row in shop.records("drift") if row["sku"] == sku]
    assert {row["class"] for row in rows} == set(expected)
    assert all(row["after_landing"] == row["expected"] for row in shop.explain(sku).values())
    sweep.ran(shop, "stock", "levels")
    sweep.settled(shop)
    assert counted(before, sweep.drift(shop)) == expected, "it is counted once"


@pytest.mark.parametrize("work", ["stock", "levels"])
def test_a_level_changed_in_bigcommerce_without_a_webhook(shop, work):
    sku, before = moved(shop), sweep.drift(shop)
    change_unseen(shop, sku, 99)
    sweep.ran(shop, work)
    found(shop, before, {"changed_in_bigcommerce": 1}, sku)


def test_a_level_changed_after_it_moved_is_found_by_the_look_at_what_moved(shop):
    sku, before = moved(shop), sweep.drift(shop)
    change_unseen(shop, sku, 77)
    sweep.ran(shop, "moved")
    found(shop, before, {"changed_in_bigcommerce": 1}, sku)


def test_a_movement_that_the_ledger_did_not_tell_of(shop):
    """Its row lies behind a cursor that stood too far ahead."""
    sku, before = moved(shop), sweep.drift(shop)
    cursor, levels = int(shop.redis().hget(shop.key("cursor"), "ledger")), shop.levels(sku)
    shop.redis().hset(shop.key("cursor"), "ledger", cursor + 10000)
    shop.control("POST", "/move", {"sku": sku, "quantity": 3, "to": 1})
    sweep.ran(shop, "stock")
    places = sum(1 for location in shop.explain(sku) if shop.explain(sku)[location]["expected"] != levels[location])
    found(shop, before, {"missed_movement": places}, sku)
    newest = shop.sitoo("/sites/1/warehousetransactions.json?num=1&sort=-warehousetransactionid&fields=warehousetransactionid")
    shop.redis().hset(shop.key("cursor"), "ledger", newest["items"][0]["warehousetransactionid"])


def test_a_reservation_that_nobody_told_of(shop):
    sku, before = moved(shop), sweep.drift(shop)
    silent_feed(shop)
    shop.control("POST", "/booking", {"rows": [{"sku": sku, "quantity": 2}], "warehouse": 1})
    sweep.ran(shop, "stock")
    places = sum(1 for row in shop.explain(sku).values() if row["expected"] != row["after_landing"])
    assert places > 0
    shop.wait_until(lambda: sum(counted(before, sweep.drift(shop)).values()) == places, 40, "it is drift")
    late_feed(shop)
    shop.wait_quiet()
    assert counted(before, sweep.drift(shop)) == {"missed_reservation": places}


def test_a_write_that_nobody_looks_for_any_more(shop):
    """BigCommerce accepted it and did not keep it; Redis has lost the note that it is to be read back."""
    sku, before = moved(shop), sweep.drift(shop)
    level, state, rest = written(shop, sku).split(" ", 2)
    shop.redis().hset(shop.key("level:live"), f"1|{sku}", f"{level} w {rest}")
    change_unseen(shop, sku, int(level) + 5)
    sweep.ran(shop, "stock")
    found(shop, before, {"lost_write": 1}, sku)


def test_a_level_that_was_never_written(shop):
    sku, before = shop.fresh_sku({1: 3}), sweep.drift(shop)
    assert written(shop, sku) is None
    change_unseen(shop, sku, 50)
    sweep.ran(shop, "stock")
    found(shop, before, {"never_written": 1}, sku)


def test_work_that_was_forgotten(shop):
    """Units are withheld, and the mark of their SKU is gone."""
    sku, before = moved(shop), sweep.drift(shop)
    levels = shop.levels(sku)
    shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}], "status": 11})
    shop.wait_until(lambda: shop.levels(sku)[1] == levels[1] - 1, 20, "the order lowers the level")
    forgotten(shop)
    value = written(shop, sku)
    first, rest = value.split(" ", 1)
    shop.redis().hset(shop.key("level:live"), f"1|{sku}", f"{int(first) + 1} {rest}")
    change_unseen(shop, sku, int(first) + 1)
    sweep.ran(shop, "stock")
    found(shop, before, {"lost_work": 1}, sku)


def test_an_unmapped_location_is_left_alone(shop):
    sku, before = moved(shop), sweep.drift(shop)
    change_unseen(shop, sku, 41, location=8)
    since = shop.last_request()
    sweep.ran(shop, "stock", "levels", "moved")
    sweep.settled(shop)
    assert counted(before, sweep.drift(shop)) == {}
    assert not [item for items in shop.writes(since) for item in items if item["location_id"] == 8]
    assert shop.control("GET", f"/level?sku={sku}&location=8")["level"] == 41


# ---------------------------------------------------------------- what is no drift

def test_a_rush_beside_a_comparison_is_no_drift(shop):
    before = sweep.drift(shop)
    skus = [shop.fresh_sku({1: 5}) for _ in range(8)]
    for turn in range(12):
        shop.control("POST", "/sales", [{"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1} for sku in skus[turn % 4::4]])
        if turn < 6:
            shop.control("POST", "/web-order", {"rows": [{"sku": skus[turn], "quantity": 1}]})
        sweep.ran(shop, "stock", "levels", "moved")
    shop.wait_quiet(60)
    sweep.settled(shop, 60)
    assert counted(before, sweep.drift(shop)) == {}


def test_many_suspects_are_read_page_by_page(shop):
    """They are of a location that is not ours any more, and go; no answer of Redis holds them all."""
    key, value = shop.key("sweep:suspects"), "1000 0 1 2 -"
    with shop.redis().monitor() as monitor:
        shop.redis().hset(key, mapping={f"999|S{number}": value for number in range(2000)})
        sweep.now(shop, "suspects")
        shop.wait_until(lambda: not shop.redis().exists(key), 30, "all are gone")
        shop.redis().exists("the:end")
        words = []
        while "the:end" not in words[-1:]:
            words = monitor.next_command()["command"].split()
            assert words[:2] != ["HGETALL", key], words
            assert not (words[:2] == ["HDEL", key] and len(words) > 1002), "many at once"
    sweep.settled(shop)


@pytest.mark.parametrize("platform,path", [("sitoo", "warehouseitems"), ("bigcommerce", "inventory/items")])
def test_an_incomplete_page_changes_nothing(shop, platform, path):
    """Every page lacks rows: nothing is concluded from it, and a person can read why the work does not go on."""
    sku, before = moved(shop), sweep.drift(shop)
    change_unseen(shop, sku, 55)
    shop.control("PUT", f"/faults/{platform}", {"seed": 1, "rules": [{"kind": "short_page", "path": path}]})
    since, was = shop.last_request(), sweep.last(shop, "stock")
    sweep.now(shop, "stock")
    told = shop.wait_until(lambda: sweep.problem(shop, "stock"), 20, "the work says what is wrong")
    assert "nothing is concluded" in told
    assert not shop.redis().exists(shop.key("sweep:suspects")) and sweep.last(shop, "stock") == was
    shop.control("DELETE", "/faults")
    assert not shop.written(sku, since)
    sweep.ran(shop, "stock")
    found(shop, before, {"changed_in_bigcommerce": 1}, sku)


def test_killed_in_the_middle_it_goes_on(shop):
    sku, before = moved(shop), sweep.drift(shop)
    change_unseen(shop, sku, 88)
    shop.control("PUT", "/settings", {"latency_ms": 150})
    sweep.now(shop, "stock")
    shop.wait_until(lambda: shop.redis().hget(shop.key("job:sweep:stock"), "lease") == "1", 20, "it is under way")
    shop.kill_child("sweep", signal.SIGKILL, shop.children("sweep")[-1])
    shop.control("PUT", "/settings", {"latency_ms": 2})
    found(shop, before, {"changed_in_bigcommerce": 1}, sku, 60)


def test_two_replicas_do_each_work_once(shop):
    shop.start_function("sweep", process="sweep-2")
    try:
        sku, before = moved(shop), sweep.drift(shop)
        change_unseen(shop, sku, 66)
        sweep.ran(shop, "stock", "levels")
        found(shop, before, {"changed_in_bigcommerce": 1}, sku)
    finally:
        assert shop.processes.pop("sweep-2").stop()


# ---------------------------------------------------------------- what people see

def test_the_command_tells_and_starts(shop):
    status, out, _ = shop.command("sweep")
    assert status == 0
    assert "every level against Sitoo" in out and "Missed by webhooks and events" in out
    seen = sweep.report(shop)
    assert seen["works"]["stock"]["last_ms"] > 0 and seen["works"]["stock"]["total"] > 0
    assert seen["works"]["stock"]["position"] == seen["works"]["stock"]["total"]
    assert shop.status()["sweep"]["works"]["stock"]["last_ms"] == seen["works"]["stock"]["last_ms"]
    before = sweep.last(shop, "timers")
    status, out, _ = shop.command("sweep", "--now", "timers")
    assert status == 0 and "timers is due now" in out
    shop.wait_until(lambda: sweep.last(shop, "timers") > before, 20, "it ran")
    status, _, err = shop.command("sweep", "--now", "everything")
    assert status == 1 and "there are: orders, open" in err
