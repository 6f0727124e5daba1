# SPDX-License-Identifier: Apache-2.0
"""Platforms on a bad day: what they refuse, leave out, cut off or show late. tests/flow/README.md says where each fault has
its test; 429s, lost answers and outages are in test_writer.py.

What must hold in each: Sitoo's events are taken all the same, nothing is lost, every level is right when the fault is over,
and one line names what and where.
"""
import json
import re
import uuid

import pytest

from stack import shop_mapping

ADJUST = "inventory/adjustments"
ORDERS, STOCK, LEDGER = "orders.json", "warehouseitems", "warehousetransactions"


@pytest.fixture(scope="module")
def shop(module_stack):
    """Two Sitoo keys: what one call waits for, others need not. What takes 10 s and 30 s in a shop, confirming and
    reads that lag, takes a fifth of it here."""
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200, "confirm_timeout_ms": 2000}),
                        env={"SITOO_API_ID_2": "1500-2", "SITOO_API_PASSWORD_2": "sim-sitoo-password"},
                        simulator_args=("--skus", "250", "--quota", "5000", "--lag-ms", "50", "--latency-ms", "2"))


@pytest.fixture(autouse=True)
def begin_quiet(shop):
    shop.control("DELETE", "/faults")
    shop.control("PUT", "/settings", {"read_lag_ms": 0, "hidden_orders": []})
    shop.wait_quiet(20)
    yield
    stats = shop.control("GET", "/stats")
    assert (stats["events_lost"], stats["overlapping_writes"], stats["unmapped_writes"]) == (0, 0, 0)


def faults(shop, platform, *rules):
    shop.control("PUT", f"/faults/{platform}", {"rules": list(rules)})


def hits(shop, platform):
    return sum(shop.control("GET", "/faults")[platform]["hits"].values())


def lines(shop, name, since, *parts):
    """New log lines that hold all of these."""
    return [line for line in shop.logs(name)[since:].splitlines() if all(part in line for part in parts)]


def state(shop, sku, location=1):
    """The letter that is stored with a level: w written, u unsure, c confirmed."""
    return (shop.redis().hget(shop.key("level:live"), f"{location}|{sku}") or " ?").split()[1]


def sell(shop, *skus, quantity=1):
    rows = [{"sku": sku, "quantity": quantity} for sku in skus]
    return shop.control("POST", "/sale", {"rows": rows, "warehouse": 1})["order_id"]


class Day:
    """Business while Sitoo misbehaves: a booking (only its order tells) and goods in (only the ledger tells)."""

    def __init__(self, shop):
        self.shop = shop
        self.booked, self.come = shop.fresh_sku({1: 2}), shop.fresh_sku({1: 1})
        self.before = {sku: shop.levels(sku)[1] for sku in (self.booked, self.come)}
        self.since = {name: len(shop.logs(name)) for name in ("sitoo-events", "stock-moved")}
        self.cases = set(shop.cases())

    def play(self):
        self.order = self.shop.control("POST", "/booking", {"rows": [{"sku": self.booked, "quantity": 1}], "warehouse": 1})["order_id"]
        self.shop.control("POST", "/move", {"sku": self.come, "quantity": 3, "to": 1})

    def again(self):
        """Another event about the order, so that nobody waits until it is due."""
        self.shop.control("POST", "/update-order", {"order_id": self.order})

    def check(self, timeout=15):
        self.shop.wait_levels(self.booked, {1: self.before[self.booked] - 1}, timeout)
        self.shop.wait_levels(self.come, {1: self.before[self.come] + 3}, timeout)
        self.shop.wait_quiet()
        assert set(self.shop.cases()) == self.cases

    def deferred(self, name, *parts):
        return self.shop.wait_until(lambda: lines(self.shop, name, self.since[name], *parts), 15, f"a line with {parts}")


# ---------------------------------------------------------------- Sitoo

SITOO = {
    "401": ({"kind": "status", "status": 401}, "cause=credentials", "Sitoo"),
    "500": ({"kind": "status", "status": 500}, "cause=platform_down", "Sitoo answered 500"),
    "HTML for JSON": ({"kind": "html", "status": 200}, "cause=not_json", "something that is not JSON"),
    "HTML with 502": ({"kind": "html", "status": 502}, "cause=platform_down", "Sitoo answered 502"),
    "half a body": ({"kind": "half_body"}, "cause=platform_down", "Sitoo: "),
}


@pytest.mark.parametrize("name", SITOO)
def test_sitoo_answers_badly_and_nothing_is_lost(shop, name):
    rule, cause, text = SITOO[name]
    day = Day(shop)
    faults(shop, "sitoo", *({**rule, "path": path, "count": 1} for path in (ORDERS, STOCK, LEDGER)))
    day.play()
    assert day.deferred("sitoo-events", "outcome=deferred", "queue=order", f"first={day.order}", cause, text)
    day.again()

    def all_failed():
        shop.redis().delete(shop.key("rate:sitoo:1"), shop.key("rate:sitoo:2"))  # a refused key pauses for long
        return hits(shop, "sitoo") == 3
    shop.wait_until(all_failed, 15, "all three reads have failed once")
    for sku in (day.booked, day.come):
        shop.mark(sku)
    assert day.deferred("stock-moved", "what=ledger", cause, text)
    assert day.deferred("stock-moved", "outcome=deferred", "queue=sku", cause, text)
    day.check()


@pytest.mark.parametrize("kind", ["silence", "drip"])
def test_sitoo_is_silent_or_drips_for_30_s_and_others_do_not_wait_for_it(shop, kind):
    """Given up after 10 s; meanwhile the second key serves the ledger and the writer."""
    day = Day(shop)
    faults(shop, "sitoo", {"kind": kind, "seconds": 30, "path": ORDERS, "count": 1})
    day.play()
    shop.wait_levels(day.come, {1: day.before[day.come] + 3}, timeout=8)
    assert not lines(shop, "sitoo-events", day.since["sitoo-events"], "outcome=deferred"), "it was given up before"
    assert day.deferred("sitoo-events", "outcome=deferred", f"first={day.order}", "cause=platform_down", "Sitoo: ")
    day.check()


def test_sitoo_drips_but_arrives_in_time_and_is_read_whole(shop):
    day = Day(shop)
    faults(shop, "sitoo", *({"kind": "drip", "seconds": 0.5, "path": path} for path in (ORDERS, STOCK, LEDGER)))
    day.play()
    day.check()


def test_order_that_sitoo_does_not_list_waits_then_is_a_case_and_comes_back(shop):
    """404 for the order: its event may be faster than the list, or it is gone."""
    day = Day(shop)
    shop.control("PUT", "/feed", {"paused": True})
    day.play()
    other = sell(shop, shop.fresh_sku({1: 1}))
    shop.control("PUT", "/settings", {"hidden_orders": [day.order]})
    shop.control("PUT", "/feed", {"paused": False})
    assert day.deferred("sitoo-events", f"first={day.order}", "cause=order_not_found",
                        f"Sitoo announced order {day.order} but does not list it for site 1")
    shop.wait_until(lambda: shop.sales(other), 10, "the order beside it is sorted")
    job = shop.key(f"job:order:{day.order}")
    shop.wait_until(lambda: shop.redis().hget(job, "lease") == "0", 5, "it is given back")
    shop.redis().hset(job, "tries", 12)  # as after 12 tries
    day.again()
    case = shop.wait_until(lambda: shop.cases().get(f"too_many_tries:order {day.order}"), 10, "it is parked")
    assert f"order {day.order}" in case["text"] and all(case[field] for field in ("owner", "effect", "step"))
    shop.control("PUT", "/settings", {"hidden_orders": []})
    assert shop.command("parked", "--retry", f"too_many_tries:order {day.order}")[0] == 0
    day.check()


def test_http_404_of_the_whole_order_list_loses_nothing(shop):
    day = Day(shop)
    faults(shop, "sitoo", {"kind": "status", "status": 404, "path": ORDERS, "count": 1})
    day.play()
    assert day.deferred("sitoo-events", f"first={day.order}", "cause=order_not_found")
    day.again()
    day.check()


def test_html_for_json_burns_no_attempt(shop):
    day = Day(shop)
    faults(shop, "sitoo", {"kind": "html", "status": 200, "path": ORDERS, "count": 1})
    day.play()
    day.deferred("sitoo-events", f"first={day.order}", "cause=not_json")
    lease, tries = shop.wait_until(lambda: shop.redis().hmget(shop.key(f"job:order:{day.order}"), "lease", "tries"), 5)
    day.again()
    day.check()
    assert tries == "0"


# ---------------------------------------------------------------- BigCommerce

def test_422_that_names_one_of_40_items_holds_up_that_one_alone(shop):
    """A merchant has changed how one product is tracked; the text is the documented one."""
    skus = [shop.fresh_sku({1: 2}, kind=("variant",)) for _ in range(40)]
    before = {sku: shop.levels(sku)[1] for sku in skus}
    bad, since = skus[17], shop.last_request()
    number = shop.identity(bad)["variant_id"]
    faults(shop, "bigcommerce", {"kind": "refuse_items", "skus": [bad]})
    sell(shop, *skus)
    case = shop.wait_until(lambda: shop.cases().get(f"level_refused:{bad}"), 15, "the bad item is parked")
    assert f"SKU {bad} at location 1" in case["text"]
    assert f"Item with variant_id {number} is tracked by product, please update stock by product id" in case["text"]
    shop.wait_until(shop.idle, 15, "all work done")
    assert {sku: before[sku] - shop.levels(sku)[1] for sku in skus} == {sku: int(sku != bad) for sku in skus}
    assert len(shop.writes(since)) <= 20, "found by halving, not one by one"
    assert [name for name in shop.cases() if name.startswith("level_refused:")] == [f"level_refused:{bad}"]
    shop.control("DELETE", "/faults")
    assert shop.command("parked", "--retry", f"level_refused:{bad}")[0] == 0
    shop.wait_levels(bad, {1: before[bad] - 1})


def test_refused_level_is_no_case_any_more_once_a_later_one_is_seen(shop):
    """Nobody has to close it: the merchant mended the product, and the next sale brought the level through."""
    bad = shop.fresh_sku({1: 3}, kind=("variant",))
    before = shop.levels(bad)[1]
    faults(shop, "bigcommerce", {"kind": "refuse_items", "skus": [bad]})
    sell(shop, bad)
    shop.wait_until(lambda: shop.cases().get(f"level_refused:{bad}"), 15, "it is parked")
    shop.wait_until(shop.idle, 15, "all work done")
    assert shop.levels(bad)[1] == before
    shop.control("DELETE", "/faults")
    sell(shop, bad)
    shop.wait_levels(bad, {1: before - 2})
    shop.wait_until(lambda: f"level_refused:{bad}" not in shop.cases(), 15, "the case ends by itself")


def put_clock_forward(shop, sku, location=1):
    """A level that is unsure is read back only when its write can no longer land. Makes that be over."""
    key, field = shop.key("level:live"), f"{location}|{sku}"
    stored = shop.redis().hget(key, field).split()
    stored[4] = "0"  # not before
    shop.redis().hset(key, field, " ".join(stored))
    shop.redis().zadd(shop.key("unconfirmed"), {field: 1})


def test_older_write_without_an_answer_that_lands_after_a_newer_one_is_put_right(shop):
    sku = shop.fresh_sku({1: 3})
    before, since = shop.levels(sku)[1], shop.last_request()
    faults(shop, "bigcommerce", {"kind": "lands_late", "seconds": 1.5, "answer": False, "method": "PUT", "path": ADJUST, "count": 1})
    sell(shop, sku)
    shop.wait_until(lambda: shop.written(sku, since), 5, "the first write")
    sell(shop, sku)
    shop.wait_until(lambda: shop.control("GET", f"/level?sku={sku}&location=1")["level"] == before - 2, 5, "the newer one has landed")
    shop.wait_until(lambda: shop.control("GET", f"/level?sku={sku}&location=1")["level"] == before - 1, 5, "then the older one")
    assert state(shop, sku) != "c", "a level is not confirmed while an older write may still land"
    put_clock_forward(shop, sku)
    shop.wait_levels(sku, {1: before - 2})
    shop.wait_until(lambda: state(shop, sku) == "c", 15, "it is confirmed")
    assert lines(shop, "stock-moved", 0, "level differs from what was written", f"sku={sku}", "location=1")


def hook(shop, sku, location=1):
    """What BigCommerce sends when a level has changed."""
    identity = shop.identity(sku)
    body = {"scope": "store/channel/*/inventory/product/stock_changed", "producer": "stores/simstore",
            "hash": uuid.uuid4().hex + "00000000", "created_at": 1682624640, "store_id": "1234567890",
            "data": {"variant_id": identity["variant_id"], "product_id": identity["product_id"], "location_id": location}}
    assert shop.post("/hooks/bigcommerce/stock-changed", body).status == 200


def test_older_write_that_was_answered_and_lands_after_a_newer_one_is_put_right_by_its_webhook(shop):
    """Against what is documented (first in, first handled), so only BigCommerce can tell."""
    sku = shop.fresh_sku({1: 3})
    before, since = shop.levels(sku)[1], shop.last_request()
    faults(shop, "bigcommerce", {"kind": "lands_late", "seconds": 2, "method": "PUT", "path": ADJUST, "count": 1})
    sell(shop, sku)
    shop.wait_until(lambda: shop.written(sku, since), 5, "the first write")
    sell(shop, sku)
    shop.wait_until(lambda: state(shop, sku) == "c", 5, "the newer one is confirmed")
    shop.wait_until(lambda: shop.control("GET", f"/level?sku={sku}&location=1")["level"] == before - 1, 5, "the older one has landed")
    hook(shop, sku)
    shop.wait_levels(sku, {1: before - 2})


def test_reads_that_lag_confirm_nothing_early_and_end_right(shop):
    """30 s beside a confirm timeout of 10 s; here 6 s beside 2 s. A late read may cause the same write again, never another."""
    sku = shop.fresh_sku({1: 3})
    before, since = shop.levels(sku)[1], shop.last_request()
    shop.control("PUT", "/settings", {"read_lag_ms": 6000})
    sell(shop, sku)
    shop.wait_until(lambda: shop.written(sku, since), 5, "the first write")
    sell(shop, sku)
    shop.wait_until(lambda: (1, before - 2) in shop.written(sku, since), 5, "the second write")
    while state(shop, sku) != "c":
        shown = shop.bigcommerce(f"/v3/inventory/items?sku:in={sku}")["data"][0]["locations"][0]["total_inventory_onhand"]
        assert shown == before - 2 or state(shop, sku) != "c"
        assert len(shop.written(sku, since)) < 12, "it spins"
    shop.wait_quiet()
    assert shop.levels(sku)[1] == before - 2
    written = shop.written(sku, since)
    assert written[0] == (1, before - 1)
    assert set(written[1:]) <= set(shop.levels(sku).items()), "writing again takes all locations along"


def test_level_changed_by_hand_while_reads_lag_is_put_right(shop):
    """The webhook comes long before a read shows what it is about."""
    sku = shop.fresh_sku({1: 2}, kind=("variant",))
    sell(shop, sku)
    shop.wait_quiet()
    right = shop.levels(sku)[1]
    shop.control("PUT", "/settings", {"read_lag_ms": 6000})
    shop.control("PUT", "/level", {"sku": sku, "location": 1, "level": right + 7})
    hook(shop, sku)
    shop.wait_levels(sku, {1: right}, timeout=20)


def test_no_line_of_the_log_is_cut_or_forged(shop):
    """Whatever the platforms answered, a line is one line of key=value."""
    for name in ("sitoo-events", "stock-moved"):
        for line in shop.logs(name).splitlines():
            assert re.match(r'ts=\S+ level=\w+ fn=[\w-]+ pid=\d+ ', line), line
            assert json.dumps(line)
