# SPDX-License-Identifier: Apache-2.0
"""The writer among troubles: refusals, lost answers, quotas, outages, late reads, others' changes, a second writer."""
import json
import random
import signal

import pytest

from stack import shop_mapping

ADJUST = "inventory/adjustments"


@pytest.fixture(scope="module")
def shop(module_stack):
    """A short quota window, so that waiting for the next one is short; confirmed soon."""
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--skus", "150", "--window-ms", "2000", "--lag-ms", "100", "--latency-ms", "5"))


@pytest.fixture(autouse=True)
def begin_quiet(request):
    """Without faults, and nothing left over from the test before. At the end nobody wrote beside the writer."""
    if "shop" not in request.fixturenames:
        yield
        return
    shop = request.getfixturevalue("shop")
    shop.control("DELETE", "/faults")
    shop.control("PUT", "/settings", {"lag_ms": 100})
    shop.wait_quiet(15)
    yield
    stats = shop.control("GET", "/stats")
    assert (stats["overlapping_writes"], stats["relative_writes"], stats["unmapped_writes"]) == (0, 0, 0)
    assert (stats["caused_429"], stats["quota_violations"], stats["events_lost"]) == (0, 0, 0)


def sell(shop, *skus, quantity=1, warehouse=1):
    """One sale with a row per SKU: they are due together."""
    rows = [{"sku": sku, "quantity": quantity} for sku in skus]
    return shop.control("POST", "/sale", {"rows": rows, "warehouse": warehouse})["order_id"]


def faults(shop, platform, **rule):
    shop.control("PUT", f"/faults/{platform}", {"rules": [rule]})


def hits(shop, platform, kind):
    return shop.control("GET", "/faults")[platform]["hits"].get(kind, 0)


def state(shop, sku, location=1):
    """The letter that is stored with a level: w written, u unsure, c confirmed, k known."""
    stored = shop.redis().hget(shop.key("level:live"), f"{location}|{sku}")
    return stored.split()[1] if stored else None


def put_clock_forward(shop, sku, location=1):
    """An unsure level is read back only when its write can no longer land: 10 s and a bit. Makes that be over."""
    key, field = shop.key("level:live"), f"{location}|{sku}"
    stored = shop.redis().hget(key, field).split()[:5]  # a sixth: the level before what is not confirmed
    stored[4] = "0"  # not before
    shop.redis().hset(key, field, " ".join(stored))
    shop.redis().zadd(shop.key("unconfirmed"), {field: 1})


def no_attempt_burnt(shop, sku):
    """True if the SKU waits for its next try and has all attempts left."""
    lease, tries, cause = shop.redis().hmget(shop.key(f"job:sku:{sku}"), "lease", "tries", "cause")
    return lease == "0" and bool(cause) and tries == "0"


# ---------------------------------------------------------------- refusals

def test_refused_batch_is_split_until_only_the_bad_item_waits(shop):
    """The catalog changed: what is remembered of one SKU names a variant that is gone."""
    skus = [shop.fresh_sku({1: 2}, kind=("variant",)) for _ in range(8)]
    sell(shop, *skus)
    shop.wait_quiet()
    before = {sku: shop.levels(sku)[1] for sku in skus}
    bad = skus[5]
    key = shop.key(f"sku:{bad}")
    kind, product, _ = shop.redis().get(key).split()
    shop.redis().set(key, f"{kind} {product} 999999")
    sell(shop, *skus)
    case = shop.wait_until(lambda: shop.cases().get(f"level_refused:{bad}"), 10, "the bad item is parked")
    assert (case["count"], case["owner"]) == ("1", "merchandising")
    assert "999999" in case["text"]
    shop.wait_until(shop.idle, 10, "all work done")
    good = [sku for sku in skus if sku != bad]
    assert {sku: shop.levels(sku)[1] for sku in good} == {sku: before[sku] - 1 for sku in good}
    assert shop.levels(bad)[1] in (before[bad], before[bad] - 1)  # its order marks it once more: it may be mended by then
    assert not [name for name in shop.cases() if name.startswith("level_refused:") and name != f"level_refused:{bad}"]
    shop.fcall("unpark", f"level_refused:{bad}", "retry")  # unless it was mended by then, and the case ended by itself
    shop.wait_levels(bad, {1: before[bad] - 1})


def test_server_error_on_a_write_is_no_refusal(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    faults(shop, "bigcommerce", kind="status", status=500, method="PUT", path=ADJUST, count=2)
    sell(shop, sku)
    shop.wait_levels(sku, {1: before - 1}, timeout=15)
    shop.wait_until(lambda: state(shop, sku) == "w", 5, "the last write is stored")
    put_clock_forward(shop, sku)
    assert not shop.cases()


# ---------------------------------------------------------------- lost answers

@pytest.mark.parametrize("fault", [
    {"kind": "timeout_after_apply", "seconds": 1}, {"kind": "reset", "after_apply": True}, {"kind": "half_body"},
], ids=lambda fault: fault["kind"])
def test_write_without_an_answer_is_unsure_and_written_again_and_confirmed(shop, fault):
    sku = shop.fresh_sku({1: 2})
    before, since = shop.levels(sku)[1], shop.last_request()
    faults(shop, "bigcommerce", method="PUT", path=ADJUST, count=1, **fault)
    sell(shop, sku)
    shop.wait_until(lambda: state(shop, sku) == "u", 5, "the level is unsure")
    assert shop.redis().zscore(shop.key("unconfirmed"), f"1|{sku}") is not None
    shop.wait_until(lambda: shop.written(sku, since) == [(1, before - 1)] * 2, 10, "the level is written again")
    shop.wait_until(lambda: not shop.redis().exists(shop.key("intents")), 5, "no intent is open")
    if fault["kind"] == "timeout_after_apply":  # the slow part, once: the first write may land until its time-out
        shop.wait_until(lambda: state(shop, sku) == "c", 20, "the level is confirmed")
    else:
        shop.wait_until(lambda: state(shop, sku) == "w", 5, "the second write is stored")
        put_clock_forward(shop, sku)
    shop.wait_quiet()
    assert state(shop, sku) == "c"
    assert shop.written(sku, since) == [(1, before - 1)] * 2


def test_write_that_never_arrived_is_written_again(shop):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    faults(shop, "bigcommerce", kind="reset", method="PUT", path=ADJUST, count=1)
    sell(shop, sku)
    shop.wait_levels(sku, {1: before - 1}, timeout=10)
    shop.wait_until(lambda: state(shop, sku) == "w", 5, "the second write is stored")
    put_clock_forward(shop, sku)


# ---------------------------------------------------------------- quotas

@pytest.mark.parametrize("platform", ["bigcommerce", "sitoo"])
@pytest.mark.parametrize("headers", [True, False], ids=["with headers", "without headers"])
def test_429_burns_no_attempt_and_recovers(shop, platform, headers):
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    path = ADJUST if platform == "bigcommerce" else "warehouseitems"
    faults(shop, platform, kind="rate_limit", headers=headers, path=path, count=1)
    sell(shop, sku)
    shop.wait_until(lambda: no_attempt_burnt(shop, sku), 5, "the SKU waits with all attempts left")
    shop.wait_levels(sku, {1: before - 1}, timeout=15)
    assert not shop.cases()


def test_storm_of_429_is_survived(shop):
    skus = [shop.fresh_sku({1: 2}) for _ in range(6)]
    before = {sku: shop.levels(sku)[1] for sku in skus}
    for platform, headers, rate in (("bigcommerce", True, 0.6), ("sitoo", False, 0.3)):
        faults(shop, platform, kind="rate_limit", headers=headers, rate=rate)
    for sku in skus:
        sell(shop, sku)
    shop.wait_until(lambda: hits(shop, "bigcommerce", "rate_limit") >= 3 and hits(shop, "sitoo", "rate_limit") >= 2, 30,
                    "a storm")
    tries = [int(shop.redis().hget(shop.key(f"job:sku:{sku}"), "tries") or 0) for sku in skus]
    assert max(tries) <= 1
    shop.control("DELETE", "/faults")
    for sku in skus:
        shop.wait_levels(sku, {1: before[sku] - 1}, timeout=15)
    assert not shop.cases()


def test_small_quota_is_never_exceeded_and_everything_drains(stack):
    one = stack(simulator_args=("--quota", "30", "--window-ms", "10000"))
    rush = {"name": "rush", "seconds": 6, "sales": 8, "web_orders": 0.5}
    one.control("POST", "/day", {"seed": 5, "phases": [rush]})
    one.wait_until(lambda: one.control("GET", "/day")["finished"], 20, "the rush is over")
    one.wait_quiet(50)
    stats = one.control("GET", "/stats")
    assert stats["quota_violations"] == 0
    assert stats["by_status"]["bigcommerce"].get("429", 0) == 0
    assert (stats["overlapping_writes"], stats["caused_429"], stats["events_lost"]) == (0, 0, 0)


# ---------------------------------------------------------------- outages

@pytest.mark.parametrize("platform, mode", [("bigcommerce", "status"), ("sitoo", "status"), ("bigcommerce", "reset")])
def test_outage_loses_nothing_and_ends_by_itself(shop, platform, mode):
    skus = [shop.fresh_sku({1: 2}) for _ in range(5)]
    before = {sku: shop.levels(sku)[1] for sku in skus}
    faults(shop, platform, kind="outage", seconds=5 if mode == "status" and platform == "bigcommerce" else 3, mode=mode)
    orders = [sell(shop, sku) for sku in skus]
    shop.wait_until(lambda: hits(shop, platform, "outage") >= 2, 5, "the outage is met")
    assert shop.control("GET", "/stats")["events_lost"] == 0
    if platform == "bigcommerce":  # what Sitoo says is taken all the same
        shop.wait_until(lambda: all(shop.sales(order) for order in orders), 5, "the sales are recorded")
        assert {sku: shop.levels(sku)[1] for sku in skus} == before
    for sku in skus:
        shop.wait_levels(sku, {1: before[sku] - 1}, timeout=20)
    assert [len(shop.sales(order)) for order in orders] == [1] * 5
    assert not shop.cases()


# ---------------------------------------------------------------- reading back

def test_level_stays_unconfirmed_until_it_is_seen(shop):
    sku = shop.fresh_sku({1: 2})
    before, since = shop.levels(sku)[1], shop.last_request()
    shop.control("PUT", "/settings", {"lag_ms": 5000})  # lands after 2.5 to 7.5 s
    sell(shop, sku)
    shop.wait_until(lambda: shop.written(sku, since), 5, "the level is written")
    shop.wait_until(lambda: state(shop, sku) == "w", 5, "it is stored as written")
    reads = 0
    while shop.control("GET", f"/level?sku={sku}&location=1")["level"] == before:
        seen = state(shop, sku)
        shown = shop.control("GET", f"/level?sku={sku}&location=1")["level"]
        assert seen == "w" or shown != before
        reads = sum(1 for one in shop.requests(since, "bigcommerce") if one["path"].endswith("/inventory/items"))
    assert reads >= 1
    shop.wait_until(lambda: state(shop, sku) == "c", 5, "it is confirmed")
    assert shop.redis().zscore(shop.key("unconfirmed"), f"1|{sku}") is None
    assert shop.written(sku, since) == [(1, before - 1)]


def test_level_is_not_confirmed_by_the_value_from_before_an_earlier_write_that_is_on_its_way(stack):
    """Down by a booking, up again by its cancellation: the read shows the old number, which is the new one too."""
    one = stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200, "confirm_timeout_ms": 6000}))
    one.wait_quiet()
    one.control("PUT", "/settings", {"lag_ms": 3000})
    sku = one.fresh_sku({1: 2})
    before, since = one.levels(sku)[1], one.last_request()
    booking = one.control("POST", "/booking", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    one.wait_until(lambda: one.written(sku, since) == [(1, before - 1)], 5, "the first write")
    one.control("POST", "/cancel-order", {"order_id": booking})
    one.wait_until(lambda: one.written(sku, since) == [(1, before - 1), (1, before)], 5, "the second write")
    while True:
        confirmed = state(one, sku) == "c"
        if not one.control("GET", "/oracle")["landing"]:
            break
        assert not confirmed, "confirmed while both writes were still on their way"
    one.wait_quiet(25)


def change_by_hand(shop, sku, level):
    """The control panel, and BigCommerce's hook about it."""
    identity = shop.identity(sku)
    shop.control("PUT", "/level", {"sku": sku, "location": 1, "level": level})
    hook = {"scope": "store/channel/*/inventory/product/stock_changed", "producer": "stores/simstore",
            "hash": f"{random.getrandbits(160):040x}", "created_at": 1682624640, "store_id": "1234567890",
            "data": {"variant_id": identity["variant_id"], "product_id": identity["product_id"], "location_id": 1}}
    assert shop.post("/hooks/bigcommerce/stock-changed", hook).status == 200


@pytest.mark.parametrize("kind", ["variant", "simple"])
def test_level_changed_by_hand_is_written_again(shop, kind):
    sku = shop.fresh_sku({1: 2}, kind=(kind,))
    sell(shop, sku)
    shop.wait_quiet()
    right = shop.levels(sku)[1]
    change_by_hand(shop, sku, right + 7)
    shop.wait_levels(sku, {1: right})


def test_level_changed_by_hand_of_a_sku_that_was_never_written_is_written_too(shop):
    sku = shop.fresh_sku({1: 2}, kind=("variant",))
    right = shop.levels(sku)[1]
    assert state(shop, sku) is None
    change_by_hand(shop, sku, right + 7)
    try:
        shop.wait_levels(sku, {1: right}, timeout=5)
    finally:
        shop.control("PUT", "/level", {"sku": sku, "location": 1, "level": right})


def test_hook_about_our_own_write_writes_nothing(shop):
    sku = shop.fresh_sku({1: 2}, kind=("variant",))
    sell(shop, sku)
    shop.wait_quiet()
    since = shop.last_request()
    change_by_hand(shop, sku, shop.levels(sku)[1])
    shop.wait_until(lambda: any(one["path"].endswith("/inventory/items") and "variant_id:in" in one["query"]
                                for one in shop.requests(since, "bigcommerce")), 5, "the level is read")
    shop.wait_quiet()
    assert shop.writes(since) == []


# ---------------------------------------------------------------- the brake

def test_brake_holds_a_large_write_until_it_is_released(stack):
    one = stack(mapping=shop_mapping(brake={"max_units_moved": 40}))
    one.wait_quiet()
    sku = one.fresh_sku({1: 2})
    before, since = one.levels(sku)[1], one.last_request()
    sell(one, sku)
    one.wait_levels(sku, {1: before - 1})  # small ones pass
    one.control("POST", "/move", {"sku": sku, "quantity": 41, "to": 1})
    case = one.wait_until(lambda: one.cases().get("brake:levels"), 10, "the brake is a case")
    assert case["owner"] == "operations" and "41" in case["text"]
    one.wait_until(lambda: no_attempt_burnt(one, sku), 5, "the SKU waits with all attempts left")
    one.mark(sku)  # tried again at once
    one.wait_until(lambda: one.logs("stock-moved").count("msg=\"brake") >= 2, 5, "it is held again")
    assert one.written(sku, since) == [(1, before - 1)]
    one.redis().set(one.key("brake"), "1", ex=600)
    one.mark(sku)
    one.wait_levels(sku, {1: before + 40})
    assert not one.redis().exists(one.key("brake"))  # one write only
    one.control("POST", "/move", {"sku": sku, "quantity": 60, "to": 1})
    one.wait_until(lambda: one.logs("stock-moved").count("msg=\"brake") >= 4, 10, "the next one is held")
    assert one.levels(sku)[1] == before + 40


def test_command_releases_the_brake_for_one_write(stack):
    one = stack(mapping=shop_mapping(brake={"max_units_moved": 40}))
    one.wait_quiet()
    sku = one.fresh_sku({1: 2})
    before = one.levels(sku)[1]
    assert one.command("brake", "--release")[0] == 1  # nothing is held
    one.control("POST", "/move", {"sku": sku, "quantity": 41, "to": 1})
    one.wait_until(lambda: one.cases().get("brake:levels"), 10, "the brake is a case")
    assert one.command("brake", "--release")[0] == 0
    one.mark(sku)
    one.wait_levels(sku, {1: before + 41})
    assert not one.redis().exists(one.key("brake"))


def test_release_covers_its_whole_batch_also_when_bigcommerce_refuses_one_item(stack):
    """The refused batch is halved until the bad item is alone; each half alone is above the brake's limit."""
    one = stack(mapping=shop_mapping(brake={"max_units_moved": 40}))
    skus = [one.fresh_sku({1: 2}, kind=("variant",)) for _ in range(8)]
    before, bad = {sku: one.levels(sku)[1] for sku in skus}, skus[5]
    one.wait_until(one.idle, 10, "all work done")
    faults(one, "bigcommerce", kind="refuse_items", skus=[bad])
    for sku in skus:
        one.control("POST", "/move", {"sku": sku, "quantity": 50, "to": 1})
    one.wait_until(lambda: one.cases().get("brake:levels"), 10, "the brake holds")
    one.wait_until(lambda: one.status()["functions"]["stock-moved"]["deferred"] >= 8, 10, "all of them wait")
    held = one.logs("stock-moved").count('msg="brake: levels are held"')
    assert one.command("brake", "--release")[0] == 0
    one.fcall("apply", *(word for sku in skus for word in ("mark", "sku", sku, "0", "", "")))  # all in one round, and now
    for sku in skus:
        if sku != bad:
            one.wait_levels(sku, {1: before[sku] + 50})
    one.wait_until(lambda: f"level_refused:{bad}" in one.cases(), 10, "the bad one is parked alone")
    assert one.logs("stock-moved").count('msg="brake: levels are held"') == held, "a part was held"
    assert not one.redis().exists(one.key("brake")), "the release is spent"
    one.control("POST", "/move", {"sku": skus[0], "quantity": 50, "to": 1})
    one.wait_until(lambda: one.logs("stock-moved").count('msg="brake: levels are held"') > held, 10, "and covers nothing more")


def test_brake_counts_skus_that_would_become_zero(stack):
    one = stack(mapping=shop_mapping(brake={"max_zeroed_skus": 2}))
    one.wait_quiet()
    skus = [one.fresh_sku({4: 1}) for _ in range(3)]
    since = one.last_request()
    one.control("POST", "/stocktake", {"warehouse": 4, "rows": [{"sku": sku, "counted": 0} for sku in skus]})
    case = one.wait_until(lambda: one.cases().get("brake:levels"), 10, "the brake is a case")
    assert "3 SKUs to zero" in case["text"]
    assert one.writes(since) == []


# ---------------------------------------------------------------- replicas

def writer(one):
    return one.redis().hget(one.key("lease:writer"), "holder") or ""


def lose_writer(one, holder, how):
    """The process with that name writes no more. Its lease goes on unless it gives it back."""
    process, first = one.processes[holder], writer(one)
    if how == "stopped":
        assert process.stop()
        assert writer(one) != first, "the lease was not given back"
    elif how == "parent killed":  # its children get SIGTERM then
        one.kill_parent(holder)
        one.wait_until(lambda: writer(one) != first, 10, "the lease is given back")
    else:
        process.killed = how == "killed"
        process.signal_all(signal.SIGKILL if process.killed else signal.SIGSTOP)
        assert 0 < one.redis().pttl(one.key("lease:writer")) <= 30000


def end_lease(one, first):
    """It has the lease for 30 s at most. The clock is put forward to its end, again if a last call of the lost process has
    prolonged it."""
    if writer(one) == first:
        one.redis().pexpire(one.key("lease:writer"), 100, lt=True)
    return writer(one) not in ("", first)


@pytest.mark.parametrize("how", ["stopped", "frozen", "parent killed", "killed"])
def test_one_of_two_replicas_writes_and_the_other_takes_over(stack, how):
    one = stack(functions=("sitoo-events", "sale"))
    for name in ("stock-moved", "second"):
        one.start_function("stock-moved", process=name)
    one.wait_until(lambda: writer(one), 10, "a writer")
    one.wait_quiet()
    skus = [one.fresh_sku({1: 3}) for _ in range(4)]
    before = {sku: one.levels(sku)[1] for sku in skus}
    sell(one, *skus)
    for sku in skus:
        one.wait_levels(sku, {1: before[sku] - 1})
    one.wait_quiet()
    first = writer(one)
    holder = next(name for name in ("stock-moved", "second") if f"-{one.processes[name].pid}-" in first)
    process = one.processes[holder]
    lose_writer(one, holder, how)
    sell(one, *skus)
    one.wait_until(lambda: end_lease(one, first), 10, "the other one is the writer")
    for sku in skus:
        one.wait_levels(sku, {1: before[sku] - 2}, timeout=35)
    if how == "frozen":
        process.signal_all(signal.SIGCONT)
        sell(one, *skus)
        for sku in skus:
            one.wait_levels(sku, {1: before[sku] - 3})
        assert process.alive()
    one.wait_quiet()
    stats = one.control("GET", "/stats")
    assert (stats["overlapping_writes"], stats["caused_429"]) == (0, 0)


# ---------------------------------------------------------------- a day

@pytest.fixture(scope="module")
def day(module_stack):
    """A stack after a day, drained."""
    one = module_stack()
    one.control("POST", "/day", {"scale": 0.3})
    one.wait_until(lambda: one.control("GET", "/day")["finished"], 60, "the day is over")
    assert one.control("GET", "/day")["error"] is None
    one.wait_quiet(60)
    return one


def test_all_functions_share_one_sitoo_key_without_a_429(day):
    stats = day.control("GET", "/stats")
    assert stats["caused_429"] == 0
    assert stats["max_in_flight"]["sitoo"] == 1


def test_a_day_loses_nothing_and_sells_nothing_twice(day):
    stats, report = day.control("GET", "/stats"), day.control("GET", "/report")
    names = ("events_lost", "overlapping_writes", "relative_writes", "unmapped_writes", "quota_violations",
             "refused_writes")
    assert {name: stats[name] for name in names} == dict.fromkeys(names, 0)
    assert report["units_sold_twice"]["outside"] == 0
    assert len(day.records("sale")) == report["till_rows"]


def test_no_personal_data_is_at_rest_in_redis_or_in_logs(day):
    mark = day.control("GET", "/personal-data")["mark"].encode()
    order = str(day.records("sale")[-1]["order"]).encode()
    web_order = next(iter(day.redis().hgetall(day.key("pending:orders")))).encode()
    values = b"\n".join(everything(day.redis(decode=False)))
    assert order in values and web_order in values, "the search does not see what is there"
    assert mark not in values
    files = [path for folder in (day.folder / "redis", day.log_folder) for path in folder.rglob("*") if path.is_file()]
    assert any(order in path.read_bytes() for path in files if "appendonly" in str(path))
    assert [str(path) for path in files if mark in path.read_bytes()] == []
    # The platforms do send it, so its absence means something.
    assert mark in json.dumps(day.bigcommerce(f"/v2/orders/{web_order.decode()}")).encode()


def everything(redis):
    """Names and values of all keys."""
    for key in redis.scan_iter(count=1000):
        yield key
        kind = redis.type(key)
        if kind == b"string":
            yield redis.get(key)
        elif kind == b"hash":
            yield from (part for pair in redis.hgetall(key).items() for part in pair)
        elif kind == b"list":
            yield from redis.lrange(key, 0, -1)
        elif kind == b"set":
            yield from redis.smembers(key)
        elif kind == b"zset":
            yield from redis.zrange(key, 0, -1)
        elif kind == b"stream":
            yield from (part for _, fields in redis.xrange(key) for pair in fields.items() for part in pair)
        elif kind != b"none":  # a lease that has ended since the keys were listed
            raise AssertionError(f"{key} is of type {kind}")
