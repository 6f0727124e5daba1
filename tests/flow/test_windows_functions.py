# SPDX-License-Identifier: Apache-2.0
"""The parts of the Redis Function library about windows, time to loss, busy hours and notifications (shared/lua/11_windows.lua
to 13_shops.lua, 87_notify.lua), with a clock that the test sets."""
import json

from redis_library import NOW, case, lags, put, seen

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
WEEK = 7 * DAY
FIELD = "1|S1"


def buckets(pool):
    return {name: int(n) for name, n in pool.redis.hgetall(pool.key("lag:buckets")).items()}


def windows(pool, name="windows"):
    day = int(pool.redis.hget("test:clock", "s")) // 86400
    return [(json.loads(text), int(ms)) for text, ms in
            pool.redis.zrange(pool.key(f"{name}:{day}"), 0, -1, withscores=True)]


def sums(pool):
    day = int(pool.redis.hget("test:clock", "s")) // 86400
    return pool.redis.hgetall(pool.key(f"windows:sum:{day}"))


def sold(pool, ms, till=NOW, sku="S1", hint="w2 v3"):
    pool.at(ms, "apply", "mark", "sku", sku, till, hint, "")


def write(pool, taken, sent, accepted, level=3, till=NOW):
    pool.set_time(NOW + taken)
    claims = pool.claim("sku")[1]
    pool.at(sent, "intent_open", f"levels:{sent}:1", "{}", "", "")
    pool.set_time(NOW + accepted)
    put(pool, level, till=till)
    return claims


def confirm(pool, ms, level=3):
    pool.set_time(NOW + ms)
    return seen(pool, level)


# ---- windows

def test_every_time_of_a_movement_is_kept_until_it_was_seen(timed):
    sold(timed, 2000)
    claims = write(timed, 2500, 3000, 3400)
    timed.complete(claims, queue="sku")
    assert windows(timed) == []
    assert confirm(timed, 9000) == 1
    (record, ms), = windows(timed)
    assert ms == 9000
    assert record == {"sku": "S1", "location": "1", "till": str(NOW), "event": str(NOW + 2000), "taken": str(NOW + 2500),
                      "sent": str(NOW + 3000), "accepted": str(NOW + 3400), "confirmed": str(NOW + 9000), "waited": "0",
                      "warehouses": "2,3", "cause": "-"}
    assert sums(timed) == {"n": "1", "ms": "9000", "worst": "9000"}
    assert timed.redis.exists(timed.key("window:open")) == 0


def test_the_event_time_is_that_of_sitoos_event_not_of_reading_its_order(timed):
    timed.at(1000, "accept", "sitoo", 1, "e1", "{}", "0", 6, "mark", "order", "77", "", "", "")
    timed.set_time(NOW + 30_000)
    claims = timed.claim("order")[1]
    timed.complete(claims, "mark", "sku", "S1", NOW, "w2", "")
    write(timed, 31_000, 31_100, 31_200)
    confirm(timed, 32_000)
    assert windows(timed)[0][0]["event"] == str(NOW + 1000)


def test_a_second_sale_before_the_first_was_seen_goes_on_with_its_window(timed):
    sold(timed, 1000)
    timed.complete(write(timed, 1100, 1200, 1300), queue="sku")
    sold(timed, 2000, till=NOW + 1900)
    timed.complete(write(timed, 2100, 2200, 2300, level=2, till=NOW + 1900), queue="sku")
    confirm(timed, 5000, level=2)
    (record, ms), = windows(timed)
    assert (ms, record["event"], record["taken"], record["accepted"]) == (5000, str(NOW + 1000), str(NOW + 1100), str(NOW + 2300))


def test_what_it_waited_for_is_kept(timed):
    timed("apply", "count", "waits:bigcommerce:stock", 5)
    sold(timed, 1000)
    timed.set_time(NOW + 1100)
    timed("defer", "sku", 3000, 0, "quota", 1, *[x for c in timed.claim("sku")[1] for x in (c.entity, c.token)])
    timed("apply", "count", "waits:bigcommerce:stock", 2)
    sold(timed, 1500, till=NOW + 1400)
    timed.complete(write(timed, 4200, 4300, 4400), queue="sku")
    confirm(timed, 5000)
    record = windows(timed)[0][0]
    assert (record["waited"], record["cause"], record["taken"]) == ("2", "quota", str(NOW + 1100)), "the first claim counts"


def test_a_till_that_was_offline_is_apart_and_no_lag(timed):
    sold(timed, 12 * MINUTE)
    timed.complete(write(timed, 12 * MINUTE + 10, 12 * MINUTE + 20, 12 * MINUTE + 30), queue="sku")
    confirm(timed, 13 * MINUTE)
    assert windows(timed) == []
    assert windows(timed, "windows:offline")[0][1] == 13 * MINUTE
    assert sums(timed) == {"offline": "1"}
    assert (lags(timed, "accepted"), lags(timed, "confirmed"), buckets(timed)) == ([], [], {})


def test_a_long_window_that_was_ours_is_no_offline_till(timed):
    sold(timed, 1000)
    timed.complete(write(timed, 20 * MINUTE, 20 * MINUTE + 10, 20 * MINUTE + 20), queue="sku")
    confirm(timed, 21 * MINUTE)
    assert windows(timed)[0][1] == 21 * MINUTE
    assert buckets(timed) == {"accepted:inf": 1, "accepted:sum": 20 * MINUTE + 20, "confirmed:inf": 1, "confirmed:sum": 21 * MINUTE}


def test_lag_buckets_hold_each_lag_once(timed):
    for ms in (1, 250, 251, 1000, 600_000):
        timed.set_time(NOW + ms)
        timed("levels_put", "live", "w", 5000, 0, 1, f"1|S{ms}", 3, NOW)
    assert buckets(timed) == {"accepted:250": 2, "accepted:500": 1, "accepted:1000": 1, "accepted:600000": 1,
                              "accepted:sum": 1 + 250 + 251 + 1000 + 600_000}


def test_the_worst_thousand_of_a_day_are_kept(timed):
    timed.set_time(NOW + MINUTE)
    key = timed.key(f"windows:{(NOW + MINUTE) // DAY}")
    timed.redis.zadd(key, {f"old{i}": 100 + i for i in range(1000)})
    put(timed, 3, till=NOW)
    confirm(timed, MINUTE)
    assert (timed.redis.zcard(key), timed.redis.zscore(key, "old0"), timed.redis.zscore(key, "old1")) == (1000, None, 101)
    assert 13 * 86400 < timed.redis.ttl(key) <= 14 * 86400
    assert 89 * 86400 < timed.redis.ttl(timed.key(f"windows:sum:{(NOW + MINUTE) // DAY}")) <= 90 * 86400


def test_a_level_without_a_sale_has_no_window(timed):
    put(timed, 3)
    assert confirm(timed, 100) == 1
    assert (windows(timed), sums(timed)) == ([], {})


# ---- what was not taken

def loss(pool, ms):
    routes, hooks = pool.at(ms, "loss")
    return {route[0]: int(route[1]) for route in routes}, hooks


def test_time_to_loss_runs_from_the_first_refused_call_until_one_is_taken(timed):
    timed.at(0, "call_refused", "sitoo", "wrong", 1)
    timed.at(HOUR, "call_refused", "sitoo", "wrong", 3)
    assert loss(timed, HOUR + 1)[0] == {"sitoo": 23 * HOUR - 1}
    assert timed.redis.hget(timed.key("answers"), "sitoo|n") == "4"
    timed.at(2 * HOUR, "accept", "sitoo", 0)
    assert loss(timed, 2 * HOUR)[0] == {"sitoo": -1}
    assert timed.redis.hgetall(timed.key("answers")) == {"sitoo|ok": str(NOW + 2 * HOUR)}


def test_a_platform_that_stopped_trying_keeps_nothing(timed):
    timed.at(0, "call_refused", "sitoo", "a scanner", 1)
    assert loss(timed, 2 * HOUR)[0] == {"sitoo": 22 * HOUR}
    assert loss(timed, 2 * HOUR + 1)[0] == {"sitoo": -1}


def test_calls_of_somebody_who_has_stopped_are_refused_no_more(timed):
    routes = ("bigcommerce/order-created", "sitoo")
    for route in routes:
        timed.at(0, "call_refused", route, "a scanner", 4)
    found = {row[0]: row[1:6] for row in timed.at(26 * HOUR, "loss")[0]}
    assert found == {route: ["-1", "0", "0", "0", ""] for route in routes}
    assert timed.redis.hgetall(timed.key("answers")) == {}
    timed.at(27 * HOUR, "call_refused", "sitoo", "wrong", 1)
    assert loss(timed, 27 * HOUR)[0] == {"sitoo": 24 * HOUR}, "its time begins anew"


def test_calls_without_any_secret_start_no_time(timed):
    timed.at(0, "call_anonymous", "sitoo", 4)
    assert loss(timed, 1) == ({}, [])
    assert timed.counter("anonymous_calls:sitoo") == 4


def test_bigcommerce_keeps_each_route_for_two_days(timed):
    timed.at(0, "call_refused", "bigcommerce/order-created", "wrong", 1)
    timed.at(1000, "accept", "bigcommerce", 1, "", "{}", "1", 2, "answered", "bigcommerce/order-updated")
    found = loss(timed, 2000)[0]
    assert found == {"bigcommerce": -1, "bigcommerce/order-created": 173_040_000 - 2000, "bigcommerce/order-updated": -1}


def test_a_webhook_that_failed_or_was_idle_for_long_is_told_before_it_is_switched_off(timed):
    timed.at(0, "apply", *case(cause="delivery_exception", entity="webhook 7 code 90001"))
    timed("apply", *case(cause="delivery_exception", entity="webhook 90001 code 90003"))
    timed("accept", "bigcommerce", 1, "", "{}", "1", 2, "answered", "bigcommerce/order-updated")
    assert loss(timed, HOUR)[1] == [["webhook 7 code 90001", str(173_040_000 - HOUR)]]
    assert loss(timed, 173_040_000)[1] == [], "by then it was switched off, or succeeded"
    idle = {route[0]: int(route[6]) for route in timed.at(74 * DAY, "loss")[0]}
    assert idle["bigcommerce/order-updated"] == -1
    idle = {route[0]: int(route[6]) for route in timed.at(80 * DAY, "loss")[0]}
    assert idle["bigcommerce/order-updated"] == 10 * DAY


# ---- shops

MONDAY = NOW - NOW % WEEK + WEEK  # the beginning of a week as the library counts them, with three after it before any test's time


def move(pool, at, warehouse=3):
    pool.set_time(at)
    pool("ledger_page", "", 0, 1, warehouse, "S1", "1 1000 1")


def open_days(pool, weeks, first=MONDAY):
    """A shop that moves something every minute from 9 to 18 on the third day of each week."""
    for week in range(weeks):
        for minute in range(9 * 60):
            move(pool, first + week * WEEK + 2 * DAY + 9 * HOUR + minute * MINUTE)


def silent(pool, at, missed=12, least=30 * MINUTE, warehouse=3, ledger=0, cause=None):
    pool.set_time(at)
    job = {"since": at - ledger, "gen": 1, **({"cause": cause} if cause else {})}
    pool.redis.delete(pool.key("job:ledger:main"))
    pool.redis.hset(pool.key("job:ledger:main"), mapping=job)
    return pool("shops_silent", missed * 1000, least, "store", warehouse)


def test_a_shop_that_is_usually_busy_and_silent_is_a_case_that_closes_by_itself(timed):
    open_days(timed, 3)
    day = MONDAY + 3 * WEEK + 2 * DAY
    move(timed, day + 11 * HOUR)
    assert silent(timed, day + 11 * HOUR + 29 * MINUTE) == 0, "at least half an hour"
    assert silent(timed, day + 11 * HOUR + 31 * MINUTE) == 1
    case_id = timed.redis.zrange(timed.key("parked"), 0, -1)
    assert case_id == ["shop_silent:3"]
    fields = timed.redis.hgetall(timed.key("case:shop_silent:3"))
    assert (fields["owner"], fields["count"]) == ("store", "1") and "31 minutes" in fields["text"]
    assert silent(timed, day + 12 * HOUR) == 1
    assert timed.redis.hget(timed.key("case:shop_silent:3"), "count") == "1", "noticed again is no further occurrence"
    move(timed, day + 12 * HOUR + MINUTE)
    assert timed.redis.zcard(timed.key("parked")) == 0


def test_no_alarm_in_hours_that_were_quiet_before(timed):
    open_days(timed, 3)
    day = MONDAY + 3 * WEEK + 2 * DAY
    move(timed, day + 17 * HOUR)
    assert silent(timed, day + 23 * HOUR) == 0, "closed"
    assert silent(timed, day + DAY + 12 * HOUR) == 0, "a day on which it is always closed"
    assert silent(timed, day + WEEK + 12 * HOUR) == 1, "a week later it should have opened"


def test_nobody_is_called_silent_while_we_hear_nothing(timed):
    open_days(timed, 3)
    at = MONDAY + 3 * WEEK + 2 * DAY + 12 * HOUR
    assert silent(timed, at, ledger=3 * MINUTE) == 0, "the ledger was not read"
    assert silent(timed, at, cause="platform_down") == 0
    assert silent(timed, at) == 1


def test_a_shop_is_known_after_two_weeks(timed):
    open_days(timed, 2)
    assert silent(timed, MONDAY + WEEK + 2 * DAY + 20 * HOUR, missed=1) == 0
    at = MONDAY + 2 * WEEK + 2 * DAY + 12 * HOUR
    move(timed, at - 2 * HOUR - MINUTE)
    assert silent(timed, at) == 1


def test_a_shop_that_closed_for_good_is_forgotten(timed):
    open_days(timed, 3)
    move(timed, MONDAY + 40 * WEEK)
    assert silent(timed, MONDAY + 40 * WEEK + 2 * DAY + 12 * HOUR) == 0


def test_a_large_delivery_is_one_movement(timed):
    for i in range(500):
        move(timed, MONDAY + i)
    assert timed.redis.hget(timed.key("shop:3"), "c0") == "1"


# ---- notifications

QUIET = 30 * MINUTE


def urgent(pool, *causes, channel="webhook", on=1):
    return pool("notify_causes", channel, on, *causes)


def park(pool, cause, entity="S1"):
    pool("apply", *case(cause=cause, entity=entity))


def take(pool, ms, id="m1", channel="webhook"):
    return pool.at(ms, "notify_take", channel, id, QUIET)


def told(answer):
    return [(c["case"], c["entity"]) for c in json.loads(answer[3])["cases"]]


def test_an_urgent_case_is_told_once_and_another_one_is_not(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    park(timed, "brake")
    park(timed, "unknown_sku")
    answer = take(timed, 10)
    assert (answer[1], told(answer)) == ("m1", [("brake", "S1")])
    assert timed("notify_sent", "webhook", "m1", "") == -1
    park(timed, "brake")
    assert take(timed, 2 * HOUR, "m2") == [-1], "it only happened again"


def test_a_message_that_was_not_recorded_is_sent_again_with_its_id(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    park(timed, "brake")
    first = take(timed, 0, "m1")
    park(timed, "brake", "S2")
    assert take(timed, 500, "m2") == first, "byte for byte, whatever came meanwhile"
    assert timed.at(1000, "notify_sent", "webhook", "m1", "it answered 500") == 0
    assert timed.at(6000, "notify_sent", "webhook", "m1", "it answered 500") == 5000
    assert take(timed, 7000, "m3") == first
    assert timed.redis.hget(timed.key("notify:state"), "webhook:why") == "it answered 500"
    timed("notify_sent", "webhook", "m1", "")
    assert timed.redis.hkeys(timed.key("notify:state")) == ["webhook:ok"]
    assert take(timed, 7000, "m4") == [MINUTE]
    assert told(take(timed, 7000 + MINUTE, "m4")) == [("brake", "S2")]


def test_cases_of_the_same_minute_are_grouped_fifty_are_named(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    park(timed, "brake", "first")
    take(timed, 0)
    timed("notify_sent", "webhook", "m1", "")
    for i in range(60):
        park(timed, "brake", f"S{i}")
    assert take(timed, 1000, "m2") == [MINUTE - 1000]
    answer = take(timed, MINUTE, "m2")
    assert len(told(answer)) == 50 and json.loads(answer[3])["left_out"] == 10
    timed("notify_sent", "webhook", "m2", "")
    assert take(timed, HOUR, "m3") == [-1]


def test_a_case_that_closed_before_is_not_told_and_one_that_comes_again_soon_waits(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    park(timed, "brake")
    timed("unpark", "brake:S1", "close")
    assert timed("notify_state", "webhook")[0][1] == 0, "nothing waits"
    assert take(timed, 0) == [-1]
    park(timed, "brake")
    take(timed, 1)
    timed("notify_sent", "webhook", "m1", "")
    timed("unpark", "brake:S1", "close")
    timed.set_time(NOW + 10 * MINUTE)
    park(timed, "brake")
    assert take(timed, 10 * MINUTE, "m2") == [QUIET + 1 + 1 - 10 * MINUTE]
    assert timed("notify_state", "webhook")[0][1] == 0, "it does not wait to be told now"
    assert told(take(timed, QUIET + 2, "m2")) == [("brake", "S1")], "it is still there"


def test_a_channel_that_was_switched_off_waits_for_nothing(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    park(timed, "brake")
    take(timed, 0)
    timed("notify_sent", "webhook", "m1", "it answered 500")
    park(timed, "brake", "S2")
    urgent(timed, "brake", on=0)
    assert timed("notify_state", "webhook") == [["webhook", 0, "0", "0", ""]]
    urgent(timed, "brake")
    assert told(take(timed, 1, "m2")) == [("brake", "S1"), ("brake", "S2")], "switched on again, it tells what is open"


def refused(pool, id, why="it answered 413"):
    return pool("notify_refused", "webhook", id, why)


def test_a_refused_message_is_made_smaller_until_it_is_taken(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    for i in range(50):
        park(timed, "brake", f"S{i:02}")
    ms, sent, sizes = 0, [], []
    park(timed, "brake", "S50")
    for number in range(100):
        answer = take(timed, ms, f"m{number}")
        if len(answer) == 1:
            if answer[0] < 0:
                break
            ms += answer[0]
            continue
        names = told(answer)
        if len(names) > 14:
            sizes.append(len(names))
            assert refused(timed, f"m{number}") == 0
        else:
            sent.append((len(names), json.loads(answer[3])["left_out"]))
            timed("notify_sent", "webhook", f"m{number}", "")
        ms += 5000
    assert sizes == [50, 25] and [n for n, _ in sent] == [12, 12, 12, 12, 2]
    assert sum(left for _, left in sent) == 1, "the 51st was never named, and is counted once"
    assert timed.counter("notify:undeliverable:webhook") == 0
    assert timed.redis.hkeys(timed.key("notify:state")) == ["webhook:ok"]


def test_a_case_that_is_refused_alone_is_given_up_and_the_others_are_told(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    for i in range(4):
        park(timed, "brake", f"S{i}")
    first = take(timed, 0, "m1")
    assert refused(timed, "other") == -1 and take(timed, 0, "m2") == first
    assert refused(timed, "m1") == 0
    timed("unpark", "brake:S0", "close")
    assert told(take(timed, 1, "m2")) == [("brake", "S1"), ("brake", "S2")], "what closed meanwhile is not told"
    assert refused(timed, "m2") == 0
    assert told(take(timed, 2, "m3")) == [("brake", "S1")]
    assert refused(timed, "m3") == 1
    assert timed.counter("notify:undeliverable:webhook") == 1
    assert timed.redis.hget(timed.key("notify:state"), "webhook:why") == "it answered 413"
    assert told(take(timed, 3, "m4")) == [("brake", "S2"), ("brake", "S3")]
    timed("notify_sent", "webhook", "m4", "")
    assert take(timed, HOUR, "m5") == [-1]
    assert timed.redis.hkeys(timed.key("notify:state")) == ["webhook:ok"]


def test_each_channel_goes_its_own_way(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    urgent(timed, "brake", channel="email")
    park(timed, "brake")
    assert told(take(timed, 0, "w")) == told(take(timed, 0, "e", "email"))
    timed("notify_sent", "email", "e", "")
    assert take(timed, 5, "x")[1] == "w"
    assert take(timed, 2 * MINUTE, "y", "email") == [-1]
    state = {row[0]: row[1:] for row in timed("notify_state", "webhook", "email")}
    assert (state["webhook"][0], state["email"][0], state["email"][1]) == (1, 0, str(NOW))


def test_what_was_open_when_a_sink_was_set_is_told(timed):
    timed.set_time(NOW)
    park(timed, "brake")
    assert take(timed, 0) == [-1]
    assert urgent(timed, "brake", "redis_epoch") == 1
    assert urgent(timed, "brake", "redis_epoch") == 0
    assert told(take(timed, 0)) == [("brake", "S1")]
    assert urgent(timed, on=0) == 1
    assert timed.redis.smembers(timed.key("notify:causes")) == set()


def test_a_message_has_no_text_of_the_case(timed):
    timed.set_time(NOW)
    urgent(timed, "brake")
    timed("apply", "case", "brake", "ops", "S1", "Jane Doe, jane@example.com", "effect", "step", "", "", "bytes of Jane")
    body = take(timed, 0)[3]
    assert "Jane" not in body
    assert sorted(json.loads(body)["cases"][0]) == ["case", "count", "effect", "entity", "first_ms", "owner", "step"]


def test_deferrals_are_counted_by_queue_and_cause(timed):
    """Not by the text behind the cause: it differs each time, and every name would be a metric."""
    timed.set_time(NOW)
    for text in ("quota", "quota: 7 calls are left", "quota: 8 calls are left"):
        timed.mark("1")
        timed.defer(timed.claim()[1], 0, cause=text)
    names = {name: n for name, n in timed.redis.hgetall(timed.key("count")).items() if name.startswith("deferred:")}
    assert names == {"deferred:order:quota": "3"}
