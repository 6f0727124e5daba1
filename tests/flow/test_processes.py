# SPDX-License-Identifier: Apache-2.0
"""Starting, stopping, replacing and running once: what the processes of a function promise."""
import json
import re
import signal
import subprocess
import threading
import time
import uuid

import pytest

from stack import BUILD, FUNCTIONS, ROOT, SANITIZER_REPORT, shop_mapping

PAYLOADS = ROOT / "tests" / "payloads"
ROUTES = {"sitoo-events": "/hooks/sitoo/events", "sale": "/hooks/sitoo/sale", "return": "/hooks/sitoo/return",
          "stock-moved": "/hooks/bigcommerce/stock-changed", "order-updated": "/hooks/bigcommerce/order-updated",
          "product-updated": "/hooks/bigcommerce/product-updated"}
BIGCOMMERCE = ("stock-moved", "order-updated", "product-updated")
EXIT_SETTINGS = 100


def run(name, *arguments, env=None, timeout=30):
    """A function's binary to its end, with this environment and no other."""
    done = subprocess.run([str(BUILD / name), *map(str, arguments)], env={k: str(v) for k, v in (env or {}).items()},
                          cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert not SANITIZER_REPORT.search(err), err
    return done.returncode, out, err


def event(kind="z-report", **data):
    return {"event_id": uuid.uuid4().hex, "event_type": kind, "event_date": 1463041120, "account_id": 1500,
            "data": {"eshop_id": 1, **data}}


def hook(name):
    what = {"stock-moved": {"scope": "store/channel/*/inventory/product/stock_changed",
                            "data": {"variant_id": 5009, "product_id": 205, "location_id": 1}},
            "order-updated": {"scope": "store/order/refund/created", "data": {"type": "order", "id": 1, "refund": {"refund_id": 1}}},
            "product-updated": {"scope": "store/product/updated", "data": {"type": "product", "id": 205}}}
    return {"producer": "stores/simstore", "hash": uuid.uuid4().hex, "created_at": 1682624640, **what[name]}


class Poster:
    """Posts to every function's route again and again, in a thread per route."""

    def __init__(self, stack):
        self.stack, self.over = stack, threading.Event()
        self.sent = {name: [] for name in ROUTES}    # ids
        self.answers = {name: [] for name in ROUTES}  # statuses, or what went wrong
        self.threads = [threading.Thread(target=self.post, args=(name, path)) for name, path in ROUTES.items()]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def post(self, name, path):
        while not self.over.is_set():
            body = hook(name) if name in BIGCOMMERCE else [event()]
            self.sent[name].append(body["hash"] if name in BIGCOMMERCE else body[0]["event_id"])
            try:
                self.answers[name].append(self.stack.post(path, body).status)
            except OSError as problem:
                self.answers[name].append(repr(problem))

    def wait_more(self, name, count=20):
        """Until so many further calls were answered."""
        goal = len(self.answers[name]) + count
        self.stack.wait_until(lambda: len(self.answers[name]) >= goal, 20, f"{count} more answers of {name}")


# ---------------------------------------------------------------- stopping

def test_rolling_restart_of_every_function_refuses_nobody(stack):
    one = stack()
    with Poster(one) as poster:
        for name in FUNCTIONS:
            poster.wait_more(name)
            assert one.replace_function(name) == 0
            poster.wait_more(name)
    for name in FUNCTIONS:
        assert set(poster.answers[name]) == {200}, name
    journal = [fields["id"] for _, fields in one.redis().xrange(one.key("journal"))]
    assert sorted(journal) == sorted(sum(poster.sent.values(), []))


def test_restart_with_a_gap_answers_200_or_503_only_and_loses_nothing_acknowledged(stack):
    one = stack()
    with Poster(one) as poster:
        poster.wait_more("sitoo-events")
        assert one.processes["sitoo-events"].stop()
        poster.wait_more("sitoo-events", 3)
        one.start_function("sitoo-events")
        poster.wait_more("sitoo-events")
    assert set(poster.answers["sitoo-events"]) == {200, 503}
    for name in ("sale", "return", *BIGCOMMERCE):
        assert set(poster.answers[name]) == {200}
    journal = {fields["id"] for _, fields in one.redis().xrange(one.key("journal"))}
    acknowledged = {number for name in ROUTES for number, status in zip(poster.sent[name], poster.answers[name])
                    if status == 200}
    assert acknowledged <= journal


def test_sigterm_gives_leases_back_without_costing_an_attempt(stack):
    one = stack(functions=("sitoo-events",))
    one.redis().set(one.key("lease:sitoo:1:1"), "x", px=60000)  # somebody else has the only API key
    assert one.post("/hooks/sitoo", [event("order", order_id=11501), event("order", order_id=11502)]).status == 200
    jobs = [one.key(f"job:order:{number}") for number in (11501, 11502)]
    one.wait_until(lambda: [one.redis().hmget(job, "lease", "tries") for job in jobs] == [["1", "1"]] * 2, 5,
                   "both are claimed")
    assert one.processes["sitoo-events"].stop(timeout=10)
    assert [one.redis().hmget(job, "lease", "tries") for job in jobs] == [["0", "0"]] * 2
    now = int(one.redis().time()[0]) * 1000 + 1000
    assert all(score <= now for _, score in one.redis().zrange(one.key("due:order"), 0, -1, withscores=True))
    # The next process goes on at once.
    one.redis().delete(one.key("lease:sitoo:1:1"))
    one.start_function("sitoo-events")
    one.wait_until(lambda: not one.redis().exists(one.key("due:order")), 5, "both are settled")


def test_sigterm_gives_the_writer_lease_back(stack):
    one = stack(functions=("stock-moved",))
    one.wait_until(lambda: one.redis().exists(one.key("lease:writer")), 10, "a writer")
    assert one.processes["stock-moved"].stop(timeout=10)
    assert not one.redis().exists(one.key("lease:writer"))
    assert not one.redis().exists(one.key("intents"))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_idle_function_ends_at_once_with_status_0(stack, name, sig):
    one = stack(functions=(name,), simulators=False, nginx=False, mapping=shop_mapping())
    one.wait_until(lambda: len(one.children(name)) == 5, 10, "four acceptors and a worker")
    process = one.processes[name]
    process.signal(sig)
    assert process.popen.wait(5) == 0
    assert "msg=stopped" in one.logs(name)


def test_children_go_with_a_killed_parent(stack):
    one = stack(functions=("sale",), simulators=False, nginx=False, mapping=shop_mapping())
    one.wait_until(lambda: len(one.children("sale")) == 5, 10, "four acceptors and a worker")
    children = one.children("sale")
    one.kill_parent("sale").popen.wait(5)
    one.wait_until(lambda: not any(map(alive, children)), 5, "all children are gone")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ---------------------------------------------------------------- crashes

def test_crashed_child_is_replaced_with_a_growing_pause(stack):
    one = stack(functions=("sitoo-events",))
    one.wait_until(lambda: len(one.children("sitoo-events")) == 5, 10, "four acceptors and a worker")
    known = set(one.children("sitoo-events"))
    victim = max(known)
    for _ in range(4):
        one.kill_child("sitoo-events", signal.SIGKILL, victim)
        fresh = one.wait_until(lambda: set(one.children("sitoo-events")) - known, 5, "a replacement")
        victim = fresh.pop()
        known.add(victim)
        assert one.post("/hooks/sitoo", [event()]).status == 200  # the others serve meanwhile
    ended = re.compile(r'msg="child ended; it will be replaced".* in_ms=(\d+)')
    pauses = [int(pause) for pause in ended.findall(one.logs("sitoo-events"))]
    assert pauses[0] == 0
    assert pauses == sorted(pauses) and pauses[-1] >= 400
    assert len(one.children("sitoo-events")) == 5


def test_worker_that_is_killed_with_a_claim_is_replaced_and_the_claim_goes_on(stack):
    one = stack(functions=("sitoo-events", "sale"))
    sku = one.fresh_sku({1: 1})
    one.control("PUT", "/faults/sitoo", {"rules": [{"kind": "latency", "ms": 2000, "path": "orders.json", "count": 1}]})
    order = one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    one.wait_until(lambda: one.redis().hget(one.key(f"job:order:{order}"), "lease") == "1", 5, "the order is claimed")
    # The workers are made after the acceptors.
    one.kill_child("sitoo-events", signal.SIGKILL, max(one.children("sitoo-events")))
    one.wait_until(lambda: "kind=worker" in one.logs("sitoo-events"), 5, "a dead worker")
    one.wait_until(lambda: one.sales(order), 40, "the sale is recorded")
    assert one.sales(order) == [(sku, "1.000", 1)]


# ---------------------------------------------------------------- settings

def test_all_wrong_settings_are_reported_together_with_status_100(tmp_path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"locations":[{"bigcommerce_location_id":0,"sitoo_warehouse_ids":[1,1,"x"]}],"colour":"red",'
                       '"bigcommerce":{"confirm_delay_ms":5}}', encoding="utf-8")
    env = {"ONEPOOL_MODE": "alive", "ONEPOOL_TENANT": "a b", "ONEPOOL_CONFIG": mapping, "ONEPOOL_ACCEPTORS": "1",
           "REDIS_URL": "http://x", "SITOO_ACCOUNT_ID": "many",
           "SITOO_SITE_ID": "{25D9C5B8-51FC-5751-7FBE-37368C7E4EF0}", "SITOO_EVENTS_USER": "a:b",
           "SITOO_EVENTS_PASSWORD": "short-pw", "SITOO_API_URL": "http://sitoo.example.com/v2",
           "SITOO_API_ID": "1500-1"}
    status, out, err = run("sitoo-events", env=env)
    assert (status, out) == (EXIT_SETTINGS, "")
    for name in ("ONEPOOL_MODE", "ONEPOOL_TENANT", "ONEPOOL_ACCEPTORS", "REDIS_URL", "SITOO_ACCOUNT_ID",
                 "SITOO_SITE_ID", "SITOO_EVENTS_USER", "SITOO_EVENTS_PASSWORD", "SITOO_API_URL", "SITOO_API_PASSWORD",
                 "locations[0].bigcommerce_location_id", "locations[0].sitoo_warehouse_ids[1]",
                 "locations[0].sitoo_warehouse_ids[2]", "colour", "bigcommerce.confirm_delay_ms"):
        assert re.search(rf"^(mapping file: )?{re.escape(name)}:", err, re.MULTILINE), f"{name} is not named in:\n{err}"
    assert "short-pw" not in err


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_settings_at_all_is_status_100(name):
    status, _, err = run(name, env={})
    assert status == EXIT_SETTINGS
    assert "ONEPOOL_CONFIG:" in err


def test_missing_mapping_file_is_status_100(tmp_path, stack):
    one = stack(functions=(), simulators=False, nginx=False, redis=False)
    status, _, err = run("stock-moved", env={**one.settings(), "ONEPOOL_CONFIG": tmp_path / "none.json"})
    assert status == EXIT_SETTINGS
    assert "none.json" in err


def test_secret_may_come_from_a_file(tmp_path, stack):
    one = stack(functions=(), simulators=False, mapping=shop_mapping())
    secret = tmp_path / "password"
    secret.write_text("from-a-file-0123456789\n", encoding="utf-8")
    one.start_function("sitoo-events", env={"SITOO_EVENTS_PASSWORD": None, "SITOO_EVENTS_PASSWORD_FILE": secret})
    assert one.post("/hooks/sitoo", [event()], password="from-a-file-0123456789").status == 200
    assert one.post("/hooks/sitoo", [event()]).status == 503


@pytest.mark.parametrize("setting, value", [
    ("appendfsync", "everysec"), ("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")])
def test_weaker_redis_is_refused_unless_it_is_for_trials(stack, setting, value):
    one = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    one.redis().config_set(setting, value)
    status, _, err = run("sale", env={**one.settings(), "ONEPOOL_LISTEN": one.run / "sale"})
    assert status == EXIT_SETTINGS
    assert setting in err
    one.start_function("sale", env={"ONEPOOL_DEV": "1"})
    one.wait_until(lambda: "level=alarm" in one.logs("sale") and setting in one.logs("sale"), 5, "an alarm says so")


def test_keys_of_a_newer_release_are_refused_and_what_runs_goes_on(stack):
    one = stack(functions=("sitoo-events",), simulators=False, mapping=shop_mapping())
    schema = one.redis().hgetall(one.key("schema"))
    assert (schema["version"], schema["release"]) == ("1", "0.1.0")
    one.redis().hset(one.key("schema"), mapping={"version": "7", "release": "9.8.7"})
    status, _, err = run("sale", env={**one.settings(), "ONEPOOL_LISTEN": one.run / "sale"})
    assert status == EXIT_SETTINGS
    assert "version 7" in err and "9.8.7" in err and "version 1" in err and "restore a backup" in err
    status, out, _ = one.command("parked", "--json")
    assert status == 1 and json.loads(out)["error"]["cause"] == "newer_schema"
    assert one.post("/hooks/sitoo", [event()]).status == 200
    assert one.redis().hget(one.key("schema"), "version") == "7"


def test_function_starts_without_redis_and_serves_when_it_comes(stack):
    one = stack(functions=(), redis=False, simulators=False, mapping=shop_mapping())
    one.start_function("sitoo-events")
    assert one.post("/hooks/sitoo", [event()]).status == 503
    one.start_redis()
    one.wait_until(lambda: one.post("/hooks/sitoo", [event()]).status == 200, 15, "the route serves")


# ---------------------------------------------------------------- running once

def steps(out):
    """[(step, content)] of an invocation's output."""
    lines = [json.loads(line) for line in out.splitlines()]
    assert all(set(line) == {"step", line["step"]} for line in lines)
    return [(line["step"], line[line["step"]]) for line in lines]


DRY = [("sale", "order-pos-sale.json", {"sku": "121292-4", "quantity": "1.000"}),
       ("sitoo-events", "event-batch-mixed.json", {"act": "order", "order": 11513}),
       ("sitoo-events", "event-booking-add.json", {"act": "order", "order": 11530}),
       ("sitoo-events", "event-z-report.json", {"act": "ignored"}),
       ("return", "order-pos-return.json", {"return": 11512}),
       ("return", "order-pos-return-of-ecom.json", {"return": 11555}),
       ("stock-moved", "hook-stock-changed.json", {"item": "113:127"}),
       ("order-updated", "hook-refund-created.json", {"queue": "refund", "order": 250})]


@pytest.mark.parametrize("name, payload, expected", DRY, ids=[f"{name}-{payload}" for name, payload, _ in DRY])
def test_dry_run_prints_the_plan_and_needs_nothing(name, payload, expected):
    status, out, err = run(name, "--invoke", PAYLOADS / payload, "--dry-run", env={})
    assert (status, err) == (0, "")
    found = steps(out)
    assert found and {step for step, _ in found} == {"plan"}
    assert any(expected.items() <= content.items() for _, content in found), found


@pytest.mark.parametrize("content", [b"not JSON", b"", b"[]", b'{"orderid":1}'])
@pytest.mark.parametrize("name", ["sale", "return", "stock-moved", "order-updated"])
def test_dry_run_of_a_payload_that_is_none_says_so(tmp_path, name, content):
    payload = tmp_path / "payload.json"
    payload.write_bytes(content)
    status, out, err = run(name, "--invoke", payload, "--dry-run", env={})
    assert status == 1 and err
    assert "outcome" not in out


def test_payload_file_that_is_missing_is_status_2(tmp_path):
    assert run("sale", "--invoke", tmp_path / "none.json", "--dry-run", env={})[0] == 2


def test_wrong_usage_is_status_2():
    assert run("sale", "--invok", env={})[0] == 2


def test_sale_invoked_on_an_order_prints_plan_calls_and_outcome_and_is_done(stack, tmp_path):
    one = stack(functions=("stock-moved",))
    one.wait_quiet()
    one.control("PUT", "/feed", {"paused": True})
    sku = one.fresh_sku({1: 2})
    before = one.levels(sku)[1]
    order = one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 2}], "warehouse": 1})["order_id"]
    payload = tmp_path / "order.json"
    payload.write_text(json.dumps(one.sitoo(f"/sites/1/orders/{order}.json")), encoding="utf-8")
    status, out, err = run("sale", "--invoke", payload, env=one.settings())
    assert status == 0, err
    found = steps(out)
    assert [step for step, _ in found][0] == "plan" and [step for step, _ in found][-1] == "outcome"
    assert {"plan", "call", "outcome"} == {step for step, _ in found}
    assert ("plan", {"sku": sku, "quantity": "2.000"}.items() <= found[0][1].items()) == ("plan", True)
    calls = [content for step, content in found if step == "call"]
    assert {(call["platform"], call["status"]) for call in calls} == {("bigcommerce", 200)}
    assert one.sales(order) == [(sku, "2.000", 1)]
    one.wait_levels(sku, {1: before - 2})
    again = run("sale", "--invoke", payload, env=one.settings())
    assert again[0] == 0
    assert one.sales(order) == [(sku, "2.000", 1)]  # once, however often
    assert one.control("GET", "/personal-data")["mark"] not in out + err + again[1]


def test_batch_invoked_prints_plan_calls_and_outcome(stack, tmp_path):
    one = stack(functions=("sale", "stock-moved"))
    one.wait_quiet()
    one.control("PUT", "/feed", {"paused": True})
    sku = one.fresh_sku({1: 2})
    before = one.levels(sku)[1]
    order = one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    payload = tmp_path / "batch.json"
    payload.write_text(json.dumps([event("order", order_id=order, order_event_type="add")]), encoding="utf-8")
    status, out, err = run("sitoo-events", "--invoke", payload, env=one.settings())
    assert status == 0, err
    found = steps(out)
    assert ("plan", {"event": 0, "act": "order", "order": order}) in found
    assert {"plan", "call", "outcome"} == {step for step, _ in found}
    assert any(content["platform"] == "sitoo" for step, content in found if step == "call")
    one.wait_until(lambda: one.sales(order), 5, "the sale is recorded")
    one.wait_levels(sku, {1: before - 1})


def test_return_invoked_parks_it(stack, tmp_path):
    one = stack(functions=(), nginx=False, mapping=shop_mapping(), simulators=False)
    recorded = json.loads((PAYLOADS / "order-pos-return.json").read_text(encoding="utf-8"))
    payload = tmp_path / "return.json"  # of today: goods that came back long ago are not withheld
    payload.write_text(json.dumps({**recorded, "orderdate": int(time.time())}), encoding="utf-8")
    status, out, err = run("return", "--invoke", payload, env=one.settings())
    assert status == 0, err
    assert [step for step, _ in steps(out)] == ["plan", "call", "outcome"]  # for web orders that may be meant
    assert one.cases()["return_manual:return 11512"]["owner"] == "finance"
    assert one.redis().hget(one.key("withheld:r"), "1|44079-0") == "1000"


def test_writer_invoked_on_skus_prints_plan_calls_and_outcome(stack, tmp_path):
    one = stack(functions=())
    sku = one.fresh_sku({1: 2})
    right = one.levels(sku)[1]
    one.control("PUT", "/level", {"sku": sku, "location": 1, "level": right + 9})
    payload = tmp_path / "skus.json"
    payload.write_text(json.dumps({"skus": [sku]}), encoding="utf-8")
    status, out, err = run("stock-moved", "--invoke", payload, env=one.settings())
    assert status == 0, err
    found = steps(out)
    assert found[0] == ("plan", {"sku": sku, "act": "compute and write its levels"})
    assert {"plan", "call", "outcome"} == {step for step, _ in found}
    assert any(content["method"] == "PUT" and content["status"] == 200 for step, content in found if step == "call")
    one.wait_levels(sku, {1: right})
    assert not one.redis().exists(one.key("lease:writer"))
