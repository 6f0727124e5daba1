# SPDX-License-Identifier: Apache-2.0
"""A machine whose clock is an hour off. tests/flow/README.md says where each fault has its test; a full disk is in
test_bad_days_redis.py.

libfaketime gives the functions another wall clock, and leaves Redis, nginx and the simulators alone: leases, due times and
lags are Redis's business. The monotonic clock runs on as it does when somebody sets a clock.
"""
import glob
import re

import pytest

from stack import shop_mapping

HOUR = 3600


@pytest.fixture(scope="module")
def faketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert found, "libfaketime is not installed (deploy/setup.sh test)"
    return found[0]


def wrong_clock(library, seconds):
    """The environment of a process whose clock is off. ASan wants to be the first library; it works as the second."""
    return {"LD_PRELOAD": library, "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1", "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:verify_asan_link_order=0",
            "UBSAN_OPTIONS": "print_stacktrace=1"}


@pytest.fixture(scope="module", params=[HOUR, -HOUR], ids=["an hour ahead", "an hour behind"])
def shop(request, module_stack, faketime):
    one = module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200, "confirm_timeout_ms": 2000}),
                       env=wrong_clock(faketime, request.param),
                       simulator_args=("--skus", "120", "--quota", "5000", "--lag-ms", "50", "--latency-ms", "2"))
    one.offset = request.param
    return one


@pytest.fixture(autouse=True)
def begin_quiet(shop):
    shop.control("DELETE", "/faults")
    shop.wait_quiet(20)


def rows(sku, quantity=1):
    return {"rows": [{"sku": sku, "quantity": quantity}], "warehouse": 1}


def test_clock_is_really_off(shop):
    """Else the tests below prove nothing."""
    stamps = re.findall(r"^ts=\S+T(\d\d):(\d\d):", shop.logs("stock-moved"), re.MULTILINE)
    seconds = int(shop.redis().time()[0])
    minutes = int(stamps[-1][0]) * 60 + int(stamps[-1][1])
    off = (minutes - seconds // 60 + shop.offset // -60 + 720) % 1440 - 720
    assert abs(off) <= 1, f"the functions' clock is not {shop.offset} s off"


def test_sales_bookings_goods_in_and_returns_are_right_with_the_clock_off(shop):
    sold, booked, come, back = (shop.fresh_sku({1: 2}) for _ in range(4))
    before = {sku: shop.levels(sku)[1] for sku in (sold, booked, come, back)}
    order = shop.control("POST", "/sale", rows(sold))["order_id"]
    shop.control("POST", "/booking", rows(booked))
    shop.control("POST", "/move", {"sku": come, "quantity": 4, "to": 1})
    shop.control("POST", "/return", {**rows(back), "reason": "RC123"})
    for sku, change in ((sold, -1), (booked, -1), (come, 4), (back, 0)):
        shop.wait_levels(sku, {1: before[sku] + change})
    shop.wait_quiet()
    assert shop.sales(order) == [(sold, "1.000", 1)]
    assert shop.control("GET", "/stats")["events_lost"] == 0


def test_web_orders_are_subtracted_and_given_back_with_the_clock_off(shop):
    sku = shop.fresh_sku({1: 3})
    before = shop.levels(sku)[1]
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 2}]})["order_id"]
    shop.mark(sku)
    shop.wait_until(lambda: shop.redis().hexists(shop.key("pending:orders"), order), 10, "the order is pending")
    shop.wait_levels(sku, {1: before - 2})
    shop.control("POST", "/web-order-status", {"order_id": order, "status": 2})  # shipped; Sitoo does not know
    shop.mark(sku)
    shop.wait_quiet()
    assert shop.levels(sku)[1] == before - 2
    shop.control("POST", "/web-order-status", {"order_id": order, "status": 5})
    shop.mark(sku)
    shop.wait_levels(sku, {1: before})


def test_leases_and_waits_are_kept_with_the_clock_off(shop):
    """A lease ends, and what is deferred becomes due, by Redis's clock."""
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    lease = shop.redis().pttl(shop.key("lease:writer"))
    assert 0 < lease <= 30000
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": "status", "status": 500, "path": "orders.json", "count": 2}]})
    shop.control("POST", "/booking", rows(sku))
    shop.wait_levels(sku, {1: before - 1}, timeout=20)


def test_restart_with_the_clock_off_repeats_and_forgets_nothing(shop):
    sku = shop.fresh_sku({1: 2})
    before, since = shop.levels(sku)[1], shop.last_request()
    shop.control("POST", "/sale", rows(sku))
    shop.wait_levels(sku, {1: before - 1})
    shop.wait_quiet()
    written = shop.written(sku, since)
    assert shop.replace_function("stock-moved") == 0
    shop.mark(sku)
    shop.wait_quiet()
    assert shop.written(sku, since) == written
    shop.control("POST", "/sale", rows(sku))
    shop.wait_levels(sku, {1: before - 2})


def test_check_says_by_how_much_the_clock_is_off(shop):
    status, out, _ = shop.command("check")
    side = "ahead of" if shop.offset > 0 else "behind"
    assert status != 0 and re.search(rf"\b3(59\d|60\d)\.\d s {side} BigCommerce's", out), out
    assert "set this machine's clock" in out


def test_web_order_that_is_first_seen_shipped_counts_whatever_the_clock(shop):
    sku = shop.fresh_sku({1: 2})
    since = shop.last_request()
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}], "status": 2})["order_id"]
    shop.mark(sku)
    shop.wait_until(lambda: [one for one in shop.requests(since, "bigcommerce") if one["path"].endswith("/v2/orders")], 10,
                    "web orders are read")
    shop.wait_until(shop.idle, 10, "all work done")
    pending = shop.redis().hexists(shop.key("pending:orders"), order)
    shop.redis().hset(shop.key("cursor"), "since", "0")  # quiet again for the tests after this
    shop.mark(sku)
    shop.wait_quiet()
    assert pending


def test_wait_that_sitoo_names_as_a_time_is_kept_whatever_the_clock(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": "rate_limit", "headers": "epoch", "path": "orders.json", "count": 1}]})
    shop.control("POST", "/booking", rows(sku))
    try:
        shop.wait_levels(sku, {1: before - 1}, timeout=6)
    finally:
        shop.redis().delete(shop.key("rate:sitoo:1"))
        shop.control("POST", "/sale", rows(shop.fresh_sku({1: 1})))  # wakes who sleeps
        shop.mark(sku)
