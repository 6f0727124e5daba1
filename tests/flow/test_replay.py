# SPDX-License-Identifier: Apache-2.0
"""onepool replay: what was received once is due again, byte for byte, and nothing happens twice."""
import base64
import datetime
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest

import web_shop
from returns_shop import bought, give_back, refunds, reset, worked_on
from stack import BUILD, ROOT

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-updated", "product-updated")
QUICK = ("--latency-ms", "1", "--lag-ms", "50", "--quota", "100000", "--window-ms", "1000", "--skus", "120")
# What the web shop, the tills and the money rest on. Counters for graphs, caches, times of looks and leases are no part of it.
HASHES = ("withheld:l", "withheld:r", "withheld:gone", "unidentified", "pending:orders", "pending:qty", "handed", "handed:open",
          "intents", "products", "product:skus", "baseline:orders")
SETS = ("withheld:rows", "parked", "unconfirmed")


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--returns", *QUICK))
    one.wait_quiet()
    yield one
    reset(one)


def look(shop, *choice, status=0):
    code, out, err = shop.command("replay", "--json", *choice)
    assert code == status, (code, out, err)
    return json.loads(out)


def apply(shop, look_id, status=0):
    code, out, err = shop.command("replay", "--json", "--apply", look_id, "--by", "a test")
    assert code == status, (code, out, err)
    return json.loads(out)


def iso(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def levels(shop):
    """{place: level}; when a level was written or confirmed is no part of it."""
    return {place: value.split()[0] for place, value in shop.redis().hgetall(shop.key("level:live")).items()}


def parsed(text):
    """JSON as what it says: the order of its members says nothing."""
    return json.loads(text) if text.startswith("{") else text


def state(shop):
    """Everything in Redis that an event can change, but for what a replay is known to leave: its own records."""
    redis = shop.redis()
    ops = {key: redis.pttl(key) > 0 for key in redis.scan_iter(shop.key("op:*"), count=1000)}
    looked = ("replay", "computed", "write")  # who replayed; what was looked at and found right; calls: compared by the simulators' count
    ledger = [fields["row"] for _, fields in redis.xrange(shop.key("ledger")) if json.loads(fields["row"])["type"] not in looked]
    cases = {name: {field: text for field, text in case.items() if field != "last"} for name, case in shop.cases().items()}
    return {"levels": levels(shop), "ops": ops, "ledger": ledger, "cases": cases,
            "journal": redis.xlen(shop.key("journal")),
            **{name: {field: parsed(text) for field, text in redis.hgetall(shop.key(name)).items()} for name in HASHES},
            **{name: sorted(redis.zrange(shop.key(name), 0, -1)) for name in SETS},
            "rows": {key: redis.hgetall(key) for key in redis.scan_iter(shop.key("withheld:row:*"), count=1000)}}


def platform_writes(shop, since):
    """Those that changed something. A note about a return is offered to the web order again, under its own key, and refused: 409."""
    return [(one["platform"], one["method"], one["path"]) for one in shop.requests(since)
            if one["method"] != "GET" and not (one["path"].endswith("/metafields") and one["status"] == 409)]


def done(shop, also=()):
    """All that is due was taken, except timers that wait on purpose. also: further queues that somebody works on."""
    def nothing_due():
        redis, now = shop.redis(), time.time() * 1000
        return not any(redis.zcount(shop.key(f"due:{queue}"), 0, now) or [
            job for job in redis.zrange(shop.key(f"due:{queue}"), 0, -1)
            if redis.hget(shop.key(f"job:{queue}:{job}"), "lease") == "1"]
            for queue in ("order", "sale", "return", "sku", "item", "weborder", "refund", "product", *also))
    shop.wait_until(lambda: not shop.control("GET", "/oracle")["feed_queue"] and nothing_due() and shop.idle(), 30, "nothing is due")


@pytest.fixture(scope="module")
def busy(shop):
    """A shop in which one of each has happened: sales, a web order, a return with a refund, a refund in BigCommerce, a move."""
    sold = shop.fresh_sku({1: 4})
    orders = [shop.control("POST", "/sale", {"rows": [{"sku": sold, "quantity": 1}], "warehouse": 1})["order_id"] for _ in range(2)]
    unmapped = shop.control("POST", "/sale", {"rows": [{"sku": "TILL-ONLY", "quantity": 1}], "warehouse": 1})["order_id"]
    moved = shop.fresh_sku({1: 3})
    shop.control("POST", "/move", {"sku": moved, "quantity": 1, "from": 1, "to": 2})
    web, sitoo, (back, ) = bought(shop)
    back_id = give_back(shop, sitoo, back, reason="102")
    hooked = shop.control("POST", "/web-order", {"rows": [{"sku": moved, "quantity": 1}], "status": 11})["order_id"]
    worked_on(shop, back_id)  # so the web order is looked at, because of its webhook, when its refund is there
    for route, scope, data in (("order-updated", "store/order/updated", {"type": "order", "id": hooked}),
                               ("order-updated", "store/order/statusUpdated", {"type": "order", "id": hooked}),
                               ("order-updated", "store/order/refund/created", {"type": "order", "id": web}),
                               ("stock-changed", "store/channel/1/inventory/product/stock_changed",
                                {**{k: shop.identity(sold)[k] for k in ("product_id", "variant_id")}, "location_id": 1})):
        body = {"scope": scope, "store_id": "1", "producer": "stores/simstore", "created_at": int(time.time()), "data": data,
                "hash": hashlib.sha256(f"{scope}{data}".encode()).hexdigest()[:40]}
        assert shop.post(f"/hooks/bigcommerce/{route}", body).status == 200
    done(shop)
    return {"sold": sold, "orders": orders, "unmapped": unmapped, "web": web, "sitoo": sitoo, "back": back, "return": back_id,
            "hooked": hooked, "moved": moved}


def test_a_second_run_changes_nothing(shop, busy):
    """All of the journal, twice: platforms are read, and what the web shop, the tills and the money rest on stays the same."""
    before, since, money = state(shop), shop.last_request(), refunds(shop, busy["web"])
    assert before["levels"] and before["ops"] and before["ledger"] and before["withheld:l"], "there is something to be harmed"
    assert len(money) == 1, "a refund that must not be made twice"
    for run in range(2):
        chosen, reads = look(shop, "--from", "2020-01-01T00:00:00Z"), len(shop.requests(since))
        assert chosen["events"] == before["journal"] and chosen["due"]["order"] >= 4
        assert {"order", "ledger", "weborder", "refund", "item"} <= set(chosen["due"])
        assert apply(shop, chosen["id"])["replayed"] == chosen["events"]
        done(shop)
        assert len(shop.requests(since)) > reads, "it was worked on"
        assert platform_writes(shop, since) == []
        after = state(shop)
        for part in before:
            assert after[part] == before[part], (run, part)
        assert refunds(shop, busy["web"]) == money


def test_a_web_order_is_not_made_twice(stack):
    """The hook that handed it over, and all that followed, once more: Sitoo's orders stay what they are."""
    one = stack(functions=web_shop.FUNCTIONS, simulator_args=("--web-orders", "--skus", "120", *web_shop.QUICK))
    web_shop.with_hooks(one)
    number = web_shop.order(one, web_shop.at(one, 3), **web_shop.COLLECT)
    made = web_shop.handed(one, number)
    one.wait_until(lambda: look(one, "--order", str(number))["events"] >= 1, 15, "its hook came")
    done(one, ("handover", "pickup"))
    before, since = state(one), one.last_request()
    for _ in range(2):
        chosen = look(one, "--order", str(number))
        assert {"handover"} <= set(chosen["due"])
        apply(one, chosen["id"])
        done(one, ("handover", "pickup"))
        assert web_shop.in_sitoo(one, number) == made
        assert platform_writes(one, since) == []
        after = state(one)
        for part in before:
            assert after[part] == before[part], part


def test_what_was_missed_is_mended(shop, busy):
    """An order whose work was lost: a replay of its event brings it right, once."""
    sku = shop.fresh_sku({1: 3})
    order = shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    shop.wait_until(lambda: shop.sales(order), 15)
    done(shop)
    # As if its records had been lost with a part of Redis: the ledger's row and its mark are gone.
    redis = shop.redis()
    for key in redis.scan_iter(shop.key(f"op:sale:{order}:*")):
        redis.delete(key)
    for entry, fields in redis.xrange(shop.key("ledger")):
        if json.loads(fields["row"]).get("order") == order:
            redis.xdel(shop.key("ledger"), entry)
    assert shop.sales(order) == []
    chosen = look(shop, "--order", str(order))
    assert chosen["events"] >= 1 and chosen["due"]["order"] == 1
    apply(shop, chosen["id"])
    shop.wait_until(lambda: shop.sales(order), 15)
    done(shop)
    assert shop.sales(order) == [(sku, "1.000", 1)]


def test_bytes_are_shown_as_they_were_received(shop):
    body = b' [ {"event_id" : "spaced-1","event_type":"order", "event_date":1,"account_id":1500,\n "data":{"eshop_id":1,"order_id":7777777,' \
           b'"warehouse_id":1, "order_event_type":"add" } } ]\n'
    assert shop.post("/hooks/sitoo", body).status == 200
    element = body.strip()[1:-1].strip()
    for name in ("spaced-1", look(shop, "--order", "7777777")["rows"][0]["id"]):
        code, out, err = shop.command("replay", "--show", name)
        assert (code, out.encode()) == (0, element), err
        code, out, _ = shop.command("replay", "--json", "--show", name)
        assert base64.b64decode(json.loads(out)["bytes_base64"]) == element
    redis = shop.redis()
    redis.zrem(shop.key("due:order"), "7777777")
    redis.delete(shop.key("job:order:7777777"))


def test_choices(shop, busy):
    """By id, by event, by order of either side, by SKU, by source, by time."""
    orders = {str(number) for number in busy["orders"]}
    (row, ) = [one for one in look(shop, "--order", str(busy["orders"][0]), "--source", "sitoo")["rows"]][:1]
    assert row["due"].startswith(f"order {busy['orders'][0]}") and row["source"] == "sitoo"
    for name in (row["id"], row["event"]):
        (again, ) = look(shop, name)["rows"]
        assert again["id"] == row["id"]
    by_web = look(shop, "--order", str(busy["hooked"]))
    assert by_web["due"] == {"weborder": 1} and by_web["events"] == 2
    by_sku = look(shop, "--sku", busy["sold"], "--rows", "100")
    named = {one["due"].split(",")[0] for one in by_sku["rows"]}
    identity = shop.identity(busy["sold"])
    assert {f"order {number}" for number in orders} <= named
    assert f"item {identity['product_id']}:{identity['variant_id']}" in named
    assert not any(f"order {busy['unmapped']}" in one for one in named)
    assert look(shop, "--sku", busy["sold"], "--source", "bigcommerce")["events"] == 1
    # Times: nothing before the shop began, everything up to now; bounds are kept.
    every = look(shop, "--from", "2020-01-01T00:00:00Z")["events"]
    begins = look(shop, "--from", "2020-01-01T00:00:00Z")["journal_begins_ms"]
    assert look(shop, "--from", iso(begins), "--to", iso(time.time() * 1000 + 3600000))["events"] == every
    assert look(shop, "--from", iso(time.time() * 1000 + 3600000))["events"] == 0


def test_bad_choices_say_what_is_wrong(shop):
    for choice, word in ((["--from", "yesterday"], "2026-11-23T10:00:00Z"), ([], "choose what"), (["--order", "x"], "--order"),
                         (["--source", "sap", "--order", "1"], "--source is"), (["1-1", "--sku", "A"], "not both"),
                         (["--apply", "a", "--sku", "A"], "stand alone"),
                         (["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"], "later than")):
        code, out, err = shop.command("replay", *choice)
        assert code == 2 and word in err and not out, (choice, code, out, err)
    assert shop.command("replay", "--nonsense", "x")[0] == 2
    code, _, err = shop.command("replay", "no-such-event")
    assert code == 1 and "14 days" in err and "begins at" in err
    code, _, err = shop.command("replay", "--to", "2020-01-01T00:00:00Z", "--from", "2019-01-01T00:00:00Z")
    assert code == 1 and "14 days" in err
    code, _, err = shop.command("replay", "--apply", "0123456789abcdef")
    assert code == 1 and "id of no look" in err


def test_a_look_that_was_applied_is_not_applied_again(shop, busy):
    chosen = look(shop, "--order", str(busy["orders"][0]))
    apply(shop, chosen["id"])
    records = shop.records("replay")
    error = apply(shop, chosen["id"], status=1)["error"]
    assert error["cause"] == "replay_done" and "nothing was done" in error["text"]
    assert shop.records("replay") == records
    mine = [row for row in records if row["run"] == chosen["id"]]
    assert len(mine) == chosen["events"]
    assert {(row["by"], row["state"]) for row in mine} == {("a test", "replayed")}
    done(shop)


def raw_case(shop, body, route="/hooks/sitoo"):
    before = set(shop.cases())
    assert shop.post(route, body).status == 200
    (name, ) = set(shop.cases()) - before
    return name


def test_a_changed_choice_is_refused(shop):
    name = raw_case(shop, b'[{"event_id":"changed-1","event_type":"order","account_id":1500,"data":{"eshop_id":"?"}}]')
    chosen = look(shop, "--parked", "bad_event")
    assert chosen["cases"] >= 1 and chosen["events"] == 0
    shop.command("parked", "--close", name)
    assert apply(shop, chosen["id"], status=1)["error"]["cause"] == "replay_changed"
    assert not [row for row in shop.records("replay") if row["run"] == chosen["id"]]


def test_what_cannot_be_understood_stays_open_and_unchanged(shop):
    names = [raw_case(shop, b'[{"event_id":"bad-1","event_type":"order","account_id":1500,"data":7}]'), raw_case(shop, b"no json"),
             raw_case(shop, b'{"scope":"store/order/updated","data":{}}', "/hooks/bigcommerce/order-updated")]
    before = shop.cases()
    chosen = look(shop, *names)
    assert (chosen["cases"], chosen["not_understood"]) == (3, 3)
    apply(shop, chosen["id"])
    after = shop.cases()
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    for name in names:
        shop.command("parked", "--close", name)
    done(shop)


def test_events_that_were_malformed_are_read_again(stack):
    """Stored raw while the settings named another site, or by a release that could not read them: now they are understood."""
    one = stack(functions=("sitoo-events", "sale", "stock-moved"), simulator_args=QUICK)
    one.wait_quiet()
    sku = one.fresh_sku({1: 3})
    one.control("PUT", "/feed", {"paused": True})
    order = one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    element = json.dumps({"event_id": "late-1", "event_type": "order", "event_date": 1, "account_id": 1500,
                          "data": {"eshop_id": 1, "order_id": order, "warehouse_id": 1, "order_event_type": "add"}}).encode()
    digest = hashlib.sha256(element).hexdigest()[:16]
    name = f"bad_event:event {digest}"
    one.fcall("apply", "case", "bad_event", "operations", f"event {digest}", "data.order_id: was not understood then", "e", "s", "", "",
              element)
    chosen = look(one, "--parked", "bad_event")
    assert (chosen["cases"], chosen["not_understood"], chosen["due"]) == (1, 0, {"ledger": 1, "order": 1})
    assert look(one, name)["id"] == chosen["id"] and look(one, "--order", str(order))["cases"] == 1
    apply(one, chosen["id"])
    one.wait_until(lambda: one.sales(order) == [(sku, "1.000", 1)], 15)
    assert name not in one.cases()


def test_parked_cases_are_tried_again_with_what_they_held(stack):
    one = stack(functions=("sitoo-events", "sale", "stock-moved"), simulator_args=QUICK)
    one.wait_quiet()
    rows = json.dumps({"any": "bytes", "a": "\u00e9"}).encode()
    for number in (5, 6, 7):
        one.fcall("apply", "case", "too_many_tries", "operations", f"nosuch {number}", "t", "e", "s", "nosuch", str(number), rows)
    one.fcall("apply", "case", "by_hand", "operations", "nosuch 8", "t", "e", "s", "", "", "")
    chosen = look(one, "--parked", "too_many_tries")
    assert (chosen["cases"], chosen["due"]) == (3, {"nosuch": 3})
    apply(one, chosen["id"])
    redis = one.redis(decode=False)
    assert sorted(redis.zrange(one.key("due:nosuch"), 0, -1)) == [b"5", b"6", b"7"]
    assert {redis.hget(one.key(f"job:nosuch:{n}"), "data") for n in (5, 6, 7)} == {rows}
    assert set(one.cases()) == {"by_hand:nosuch 8"}
    every = look(one, "--parked", "all")
    assert (every["cases"], every["not_understood"]) == (1, 1)
    apply(one, every["id"])
    assert set(one.cases()) == {"by_hand:nosuch 8"}


def many(one, n):
    """So many events in the journal, none of which any function works on; returns how many it holds."""
    pipe = one.redis().pipeline(transaction=False)
    for i in range(n):
        event = {"event_id": f"m-{i}", "event_type": "order", "event_date": 1, "account_id": 1500,
                 "data": {"eshop_id": 1, "order_id": 1000 + i, "warehouse_id": 1, "order_event_type": "add"}}
        pipe.xadd(one.key("journal"), {"source": "sitoo", "id": f"m-{i}", "bytes": json.dumps(event)})
    pipe.execute()


def test_killed_in_the_middle_it_goes_on_and_each_event_is_replayed_once(stack):
    one = stack(functions=(), simulators=True, nginx=False, simulator_args=QUICK)
    assert one.command("status")[0] in (0, 1)
    count = 1700  # below the number at which a run waits for workers
    many(one, count)
    chosen = look(one, "--from", "2020-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
    assert chosen["events"] == count
    kills = 0
    while True:
        process = subprocess.Popen([str(BUILD / "onepool"), "replay", "--json", "--apply", chosen["id"]], env=one.settings(), cwd=ROOT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        before = len(one.records("replay"))
        try:
            if kills < 4:
                one.wait_until(lambda: len(one.records("replay")) > before or process.poll() is not None, 25)
                os.kill(process.pid, signal.SIGKILL)
            out, _ = process.communicate(timeout=60)
        except ProcessLookupError:
            out, _ = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        kills += 1
        one.redis().delete(one.key("lease:replay"))  # it would end by itself after 10 s
    assert kills >= 2, "it was killed while it worked"
    assert json.loads(out)["done"] and json.loads(out)["replayed"] == count
    rows = [row["id"] for row in one.records("replay")]
    assert len(rows) == count == len(set(rows))
    assert one.redis().zcard(one.key("due:order")) == count
    assert one.redis().hgetall(one.key(f"replay:{chosen['id']}"))["state"] == "done"


def test_a_large_replay_waits_for_the_functions_and_takes_few_marks_in_a_call(stack):
    """What comes in meanwhile is not held up: no more than a few thousand replayed entities are due at a time."""
    one = stack(functions=(), simulators=True, nginx=False, simulator_args=QUICK)
    assert one.command("status")[0] in (0, 1)
    count = 5000
    many(one, count)
    chosen = look(one, "--from", "2020-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
    redis = one.redis()
    redis.config_set("slowlog-log-slower-than", 0)
    redis.config_set("slowlog-max-len", 100000)
    process = subprocess.Popen([str(BUILD / "onepool"), "replay", "--json", "--apply", chosen["id"]], env=one.settings(), cwd=ROOT,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        due = redis.zcard(one.key("due:order"))
        most = max(most, due)
        if due > 2000:  # a worker would take them
            taken = redis.zrange(one.key("due:order"), 0, 999)
            redis.zrem(one.key("due:order"), *taken)
            redis.delete(*(one.key(f"job:order:{name}") for name in taken))
        time.sleep(0.02)
    assert process.wait() == 0
    assert json.loads(process.stdout.read())["replayed"] == count
    assert 1000 < most <= 2000 + 200, most
    steps = [entry for entry in redis.slowlog_get(100000) if b"replay_step" in entry["command"]]
    sizes = [int(entry["command"].split(b" mark ")[0].split()[-1]) for entry in steps]
    assert sum(sizes) == count and max(sizes) <= 50, sizes
    took = sorted(entry["duration"] for entry in steps)  # microseconds
    assert took[len(took) // 2] < 50000, took


def test_two_runs_at_once_do_not_mix(stack):
    one = stack(functions=(), simulators=True, nginx=False, simulator_args=QUICK)
    assert one.command("status")[0] in (0, 1)
    many(one, 1500)
    chosen = look(one, "--from", "2020-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
    both = [subprocess.Popen([str(BUILD / "onepool"), "replay", "--json", "--apply", chosen["id"]], env=one.settings(), cwd=ROOT,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    ends = [(json.loads(process.communicate(timeout=60)[0]), process.returncode) for process in both]
    assert 0 in {status for _, status in ends}, ends
    rows = [row["id"] for row in one.records("replay")]
    assert len(rows) == 1500 == len(set(rows))


def test_in_shadow_mode_nothing_is_written(stack):
    one = stack(functions=FUNCTIONS, env={"ONEPOOL_MODE": "shadow"}, simulator_args=QUICK)
    sku = one.fresh_sku({1: 3})
    order = one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    one.wait_until(lambda: one.sales(order), 15)
    one.wait_until(lambda: any(place.endswith(f"|{sku}") for place in one.redis().hgetall(one.key("level:shadow"))), 15)
    one.wait_until(one.idle, 15)
    before = one.redis().hgetall(one.key("level:shadow"))
    for _ in range(2):
        apply(one, look(one, "--from", "2020-01-01T00:00:00Z")["id"])
        one.wait_until(one.idle, 15)
    assert {k: v.split()[0] for k, v in one.redis().hgetall(one.key("level:shadow")).items()} == {k: v.split()[0] for k, v in before.items()}
    assert one.sales(order) == [(sku, "1.000", 1)]
    assert {request["method"] for request in one.requests()} == {"GET"}


def test_the_journal_keeps_the_route_of_a_webhook(stack):
    """So that a replay reads it as the route did, also where its scope would lead elsewhere."""
    one = stack(functions=("order-updated",), simulator_args=QUICK)
    body = {"scope": "store/order/created", "data": {"type": "order", "id": 4711}, "hash": "route-1"}
    assert one.post("/hooks/bigcommerce/order-updated", body).status == 200
    (fields, ) = [fields for _, fields in one.redis().xrange(one.key("journal")) if fields["id"] == "route-1"]
    assert (fields["source"], fields["path"]) == ("bigcommerce", "/hooks/bigcommerce/order-updated")
    assert look(one, "route-1")["due"] == {"weborder": 1}
    assert one.counter("accepted:bigcommerce") == 1, "counters are by platform, as before"


def test_a_step_that_is_not_the_next_one_changes_nothing(stack):
    """An answer that was lost, or a second run: neither applies a step again."""
    one = stack(functions=(), simulators=False, nginx=False)
    assert one.command("status")[0] in (0, 1)
    mark = ("mark", "nosuch", "7", "0", "", "")
    one.fcall("replay_look", "x", "{}", "5")
    assert one.fcall("replay_step", "x", "", "j 1-0", 1, *mark) == 0, "it has not begun"
    assert one.fcall("replay_begin", "x", "me")[0] == "looked"
    assert one.fcall("replay_step", "x", "", "j 1-0", 1, *mark) == 1
    assert one.redis().hget(one.key("job:nosuch:7"), "gen") == "1"
    one.redis().delete(one.key("job:nosuch:7"), one.key("due:nosuch"))
    assert one.fcall("replay_step", "x", "", "j 1-0", 1, *mark) == 1, "the same call again: it was done"
    assert one.fcall("replay_step", "x", "j 0-9", "j 2-0", 1, *mark) == 0, "from elsewhere"
    assert not one.redis().exists(one.key("due:nosuch"))
    assert one.fcall("replay_look", "x", "{}", "5") == "begun" and one.redis().hget(one.key("replay:x"), "at") == "j 1-0"
    with pytest.raises(Exception, match="BADCALL"):
        one.fcall("replay_step", "x", "j 1-0", "j 2-0", 1, "mark", "cut short")
    one.fcall("replay_end", "x")
    assert one.fcall("replay_begin", "x", "me")[0] == "done"
    assert one.fcall("replay_step", "x", "j 1-0", "j 2-0", 1, *mark) == 0
