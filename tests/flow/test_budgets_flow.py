# SPDX-License-Identifier: Apache-2.0
"""Budgets in the running product: changing quotas, other apps, storms of 429, keys that are refused, holders that die."""
import re
import signal
import time

import pytest

from stack import shop_mapping

TWO_KEYS = {"SITOO_API_ID_2": "1500-2", "SITOO_API_PASSWORD_2": "sim-sitoo-password"}
ARGS = ("--skus", "80", "--latency-ms", "5", "--lag-ms", "100")
WINDOW = ("--quota", "60", "--window-ms", "2000")


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}), simulator_args=ARGS + WINDOW)


@pytest.fixture(autouse=True)
def begin_quiet(request):
    if "shop" in request.fixturenames:
        shop = request.getfixturevalue("shop")
        shop.control("DELETE", "/faults")
        shop.control("PUT", "/settings", {"quota": 60, "window_ms": 2000, "others": 0})
        shop.wait_quiet(20)
        shop.control("POST", "/reset-stats")


def rush(shop, seconds=4, sales=10):
    shop.control("POST", "/day", {"seed": 3, "duplicate": 0, "phases": [
        {"name": "rush", "seconds": seconds, "sales": sales, "web_orders": 1}]})


def over(shop):
    shop.wait_until(lambda: shop.control("GET", "/day")["finished"], 20, "the rush is over")


def statuses(shop, platform="bigcommerce"):
    return shop.control("GET", "/stats")["by_status"].get(platform, {})


@pytest.mark.parametrize("change", [{"quota": 30}, {"quota": 120}, {"window_ms": 1000}, {"window_ms": 4000},
                                    {"quota": 20, "window_ms": 1000}], ids=str)
def test_a_quota_or_window_that_changes_in_a_rush(shop, change):
    rush(shop)
    shop.wait_until(lambda: statuses(shop).get("200", 0) >= 20, 10, "the rush is on")
    shop.control("PUT", "/settings", change)
    over(shop)
    shop.wait_quiet(30)
    # A quota that shrinks below what was used already refuses the calls that are on their way, nothing more.
    assert statuses(shop).get("429", 0) <= 2
    before = statuses(shop).get("429", 0)
    rush(shop, 3)
    over(shop)
    shop.wait_quiet(30)
    assert statuses(shop).get("429", 0) == before, "adopted"


def test_other_apps_take_most_of_the_quota(shop):
    shop.control("PUT", "/settings", {"others": 42})
    rush(shop)
    over(shop)
    shop.wait_quiet(40)
    stats = shop.control("GET", "/stats")
    assert stats["quota_violations"] <= 1, "the first call of a window may be too many; no more"
    assert stats["events_lost"] == 0


@pytest.mark.parametrize("headers", [True, False])
def test_a_storm_of_429_of_bigcommerce_ends_right_and_is_not_hammered(shop, headers):
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "rate_limit", "headers": headers, "count": 5}]})
    started = time.monotonic()
    rush(shop, 3)
    over(shop)
    shop.wait_until(lambda: shop.control("GET", "/faults")["bigcommerce"]["hits"].get("rate_limit") == 5, 60, "five of them")
    took = time.monotonic() - started
    if not headers:  # 1, 2, 4 and 8 s, half to whole of it, lie between five of them
        assert took > 7.5, "each pause is longer than the one before"
    shop.wait_quiet(60)
    assert statuses(shop)["429"] == 5


@pytest.mark.parametrize("words", [
    {"X-Rate-Limit-Requests-Left": "-5"}, {"X-Rate-Limit-Requests-Left": "99999"},
    {"X-Rate-Limit-Time-Reset-Ms": "0"}, {"X-Rate-Limit-Time-Reset-Ms": "soon"},
    {"X-Rate-Limit-Requests-Quota": "0"}, {"X-Rate-Limit-Time-Window-Ms": "never", "X-Rate-Limit-Requests-Quota": ""},
    {"X-Rate-Limit-Requests-Quota": None, "X-Rate-Limit-Requests-Left": None, "X-Rate-Limit-Time-Reset-Ms": None,
     "X-Rate-Limit-Time-Window-Ms": None}], ids=str)
def test_wrong_words_about_the_quota_do_no_harm(shop, words):
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "answer", "rate": 0.3, "headers": words}]})
    rush(shop, 2, 6)
    over(shop)
    shop.wait_quiet(30)
    assert shop.control("GET", "/faults")["bigcommerce"]["hits"]["answer"] > 0
    assert statuses(shop).get("429", 0) == 0


def test_calls_are_counted_by_budget_and_shown_in_metrics(shop):
    shop.control("POST", "/sale", {"rows": [{"sku": shop.fresh_sku(), "quantity": 1}]})
    shop.wait_quiet()
    text = shop.get("/metrics", internal=True).body.decode()
    values = {(p, b): int(n) for p, b, n in re.findall(
        r'^onepool_calls_total\{platform="(\w+)",budget="(\w+)"\} (\d+)$', text, re.MULTILINE)}
    assert len(values) == 8 and len(re.findall(r"^onepool_waits_total\{", text, re.MULTILINE)) == 8
    assert values["sitoo", "orders"] > 0 and values["sitoo", "stock"] > 0 and values["bigcommerce", "stock"] > 0
    assert values["bigcommerce", "rest"] >= 3, "the look at the store's settings"
    for platform in ("sitoo", "bigcommerce"):
        assert 0 < sum(n for (p, _), n in values.items() if p == platform) <= shop.counter(f"calls:{platform}")


# ---------------------------------------------------------------- Sitoo's keys

@pytest.mark.parametrize("fault", [{"kind": "answer", "status": 401, "body": {"statuscode": 401}},
                                   {"kind": "rate_limit", "headers": False}], ids=["refused", "429"])
def test_one_of_two_keys_is_refused_and_the_other_does_the_work(stack, fault):
    one = stack(mapping=shop_mapping(), simulator_args=ARGS, env=TWO_KEYS)
    one.wait_quiet()
    one.control("PUT", "/faults/sitoo", {"rules": [{**fault, "user": "1500-1"}]})
    skus = [one.fresh_sku({1: 3}) for _ in range(8)]
    before = {sku: one.levels(sku)[1] for sku in skus}
    began = time.monotonic()
    for sku in skus:
        one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})
        time.sleep(0.3)
    for sku in skus:
        one.wait_levels(sku, {1: before[sku] - 1}, timeout=15)
    assert time.monotonic() - began < 20
    assert one.control("GET", "/faults")["sitoo"]["hits"][fault["kind"]] <= 8, "the key is asked now and then"
    assert not one.cases()
    one.control("DELETE", "/faults")
    one.wait_quiet()


def test_all_keys_refused_is_told_as_credentials_and_heals(stack):
    one = stack(functions=("stock-moved",), nginx=False, mapping=shop_mapping(), simulator_args=ARGS, env=TWO_KEYS)
    one.wait_quiet()
    one.control("PUT", "/faults/sitoo", {"rules": [{"kind": "answer", "status": 401}]})
    one.wait_until(lambda: "to every API key" in one.logs("stock-moved"), 15, "the log says so")
    assert "cause=credentials" in one.logs("stock-moved")
    one.control("DELETE", "/faults")
    for key in (1, 2):  # the pause of half a minute is over
        one.redis().hset(one.key(f"rate:sitoo:{key}"), "until", 0)
    sku = one.fresh_sku({1: 1})
    one.control("PUT", "/level", {"sku": sku, "location": 1, "level": 77})
    one.mark(sku)
    one.wait_until(lambda: one.levels(sku)[1] != 77, 40, "work goes on")


@pytest.mark.parametrize("function", ["sitoo-events", "stock-moved"])
def test_a_holder_that_is_killed_in_the_middle_of_a_call_gives_its_key_back_at_once(stack, function):
    """Its lease has another 15 s; the worker that takes its place ends it. Only that call's own answer may be too many."""
    one = stack(mapping=shop_mapping(), simulator_args=ARGS, env={"ONEPOOL_WORKERS": 1})
    one.wait_quiet()
    one.control("PUT", "/faults/sitoo", {"rules": [{"kind": "latency", "ms": 3000}]})
    path = "orders.json" if function == "sitoo-events" else "warehouse"
    sku = one.fresh_sku({1: 2})
    before, since = one.levels(sku)[1], one.last_request()
    one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})

    def holder():
        """The worker whose call is in flight."""
        now = [r for r in one.requests(since, "sitoo") if r["status"] is None and path in r["path"]]
        names = one.redis().hgetall(one.key("permits")).values()
        return bool(now) and one.redis().exists(one.key("lease:sitoo:1:1")) and any(f"-{function}-" in n for n in names)
    one.wait_until(holder, 20, f"a call of {function} is in flight")
    one.control("DELETE", "/faults")
    killed = time.monotonic()
    one.kill_child(function, signal.SIGKILL, one.children(function)[-1])
    one.wait_levels(sku, {1: before - 1}, timeout=14)
    assert time.monotonic() - killed < 14, "not only when the lease ended"
    one.wait_quiet()


def test_a_holder_that_dies_with_its_parent_gives_its_key_back_when_its_time_is_over(stack):
    one = stack(mapping=shop_mapping(), simulator_args=ARGS)
    one.wait_quiet()
    sku = one.fresh_sku({1: 2})
    before = one.levels(sku)[1]
    # What a holder leaves behind whose place nobody takes: a permit for another second.
    redis = one.redis()
    redis.set(one.key("lease:sitoo:1:1"), "1", px=1500)
    redis.hset(one.key("permits"), "1:1", "elsewhere-sale-1-1")
    one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})
    one.wait_levels(sku, {1: before - 1}, timeout=10)
    one.wait_quiet()
