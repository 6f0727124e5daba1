# SPDX-License-Identifier: Apache-2.0
"""/metrics of a running stack: the whole text by the letter of the format, what it counts, and that the alert rules, the dashboard
and the documentation name nothing that is not there. Windows and time to loss as operators see them."""
import json
import re
import time

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import prometheus_text
from stack import ROOT, shop_mapping

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "onepool.json"
OPERATIONS = ROOT / "docs" / "operations.md"
FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-created", "order-updated", "pickup-updated", "sweep")


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(functions=FUNCTIONS, mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--web-orders", "--skus", "60", "--latency-ms", "5", "--lag-ms", "100"))


def metrics(shop):
    answer = shop.get("/metrics", internal=True)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return prometheus_text.parse(answer.body.decode())


def sell(shop, **more):
    sku = shop.fresh_sku({2: 2})
    order = shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 2, **more})["order_id"]
    shop.wait_quiet()
    return sku, order


def test_a_lenient_parser_agrees(shop):
    sell(shop)
    text = shop.get("/metrics", internal=True).body.decode()
    ours = {name: len(f.samples) for name, f in prometheus_text.parse(text).items()}
    # The library names a counter's family without _total.
    theirs = {f.name + ("_total" if f.type == "counter" else ""): len(f.samples) for f in text_string_to_metric_families(text)}
    assert ours == theirs


def test_the_strict_reader_refuses_what_is_wrong():
    head = "# HELP a_total x\n# TYPE a_total counter\n"
    bucket = "# HELP h x\n# TYPE h histogram\n" + 'h_bucket{le="1"} %s\nh_bucket{le="+Inf"} %s\nh_sum 1.5\nh_count %s\n'
    prometheus_text.parse(head + 'a_total{b="\\"\\\\\\n"} 1\n')
    prometheus_text.parse(bucket % (1, 2, 2))
    for wrong in (head + "a_total 1", head + "a_total 1\na_total 2\n", head + "b 1\n", head + head, "a 1\n", head + "a_total x\n",
                  head + 'a_total{b="c} 1\n', head + 'a_total{b="c"d="e"} 1\n', bucket % (3, 2, 2), bucket % (1, 2, 3),
                  "# HELP a x\n# TYPE a counter\na 1\n", head + 'a_total{b="c",b="d"} 1\n',
                  head + "# HELP c x\n# TYPE c gauge\nc 1\na_total 1\n"):
        with pytest.raises(AssertionError):
            prometheus_text.parse(wrong)


def test_lags_are_a_histogram_that_only_rises(shop):
    sell(shop)
    before = metrics(shop)["onepool_lag_seconds"]
    sell(shop)
    after = metrics(shop)["onepool_lag_seconds"]
    for until in ("accepted", "confirmed"):
        def count(family):
            return sum(v for n, labels, v in family.samples if n.endswith("_count") and labels["until"] == until)
        assert count(after) == count(before) + 1
        for (name, labels, was), (_, same, now) in zip(before.samples, after.samples):
            assert labels == same and now >= was, (name, labels)
    bounds = [labels["le"] for n, labels, _ in after.samples if n.endswith("_bucket") and labels["until"] == "accepted"]
    assert bounds == ["0.25", "0.5", "1", "2", "5", "10", "30", "60", "300", "600", "+Inf"]


def test_work_by_function_and_cause(shop):
    shop.fcall("apply", "case", "unknown_sku", "o", 'a "b" \\ c', "t", "e", "s", "sku", "x", "")
    redis = shop.redis()
    redis.hset(shop.key("job:refund:99999999"), mapping={"gen": 1, "cause": "quota", "lease": 0, "since": 1})
    redis.zadd(shop.key("due:refund"), {"99999999": 9e15})
    redis.hincrby(shop.key("count"), "deferred:refund:quota", 7)
    redis.hincrby(shop.key("count"), "deferred:refund:quota: 7 are left", 1)
    redis.hincrby(shop.key("count"), "missed:web_order", 3)
    redis.hincrby(shop.key("count"), 'drift:odd "class"', 2)
    try:
        found = metrics(shop)
        assert found["onepool_parked_entities"].value(function="stock-moved", cause="unknown_sku") == 1
        assert found["onepool_deferred_entities"].value(function="order-updated", cause="quota") == 1
        assert found["onepool_retries_total"].value(queue="refund", cause="quota") == 7
        assert not [1 for _, labels, _ in found["onepool_retries_total"].samples if ":" in labels["cause"]]
        assert found["onepool_missed_by_webhook_total"].value(kind="web_order") == 3
        assert found["onepool_missed_by_webhook_total"].value(kind="refund") == 0
        assert found["onepool_drift_total"].value(**{"class": 'odd "class"'}) == 2
    finally:
        redis.delete(shop.key("job:refund:99999999"))
        redis.zrem(shop.key("due:refund"), "99999999")
        shop.command("parked", "--close", 'unknown_sku:a "b" \\ c')


def test_the_works_of_the_sweep_are_told(shop):
    redis, works = shop.redis(), ("orders", "open", "bigcommerce", "refunds", "web_orders", "stock", "levels", "moved", "timers")
    shop.wait_until(lambda: redis.hexists(shop.key("sweep"), "timers_last"), 20, "the sweep ran once")
    found = metrics(shop)
    interval = {labels["work"]: value for _, labels, value in found["onepool_sweep_interval_seconds"].samples}
    assert set(interval) == set(works) and (interval["orders"], interval["stock"], interval["moved"]) == (600, 86400, 300)
    assert abs(found["onepool_sweep_last_seconds"].value(work="timers") - time.time()) < 400
    assert found["onepool_sweep_problem"].value(work="timers") == 0
    kept = redis.hgetall(shop.key("sweep"))
    try:
        redis.hdel(shop.key("sweep"), "timers_last", "stock_last")
        redis.hset(shop.key("sweep"), "web_orders_problem", "a list was cut short")
        found = metrics(shop)
        assert found["onepool_sweep_last_seconds"].value(work="timers") == 0, "a sweep that does not run is seen"
        assert "stock" not in {labels["work"] for _, labels, _ in found["onepool_sweep_last_seconds"].samples}
        assert found["onepool_sweep_problem"].value(work="web_orders") == 1
    finally:
        redis.hdel(shop.key("sweep"), "web_orders_problem")
        redis.hset(shop.key("sweep"), mapping=kept)


def test_redis_is_told(shop):
    found = metrics(shop)
    info = shop.redis().info("memory")
    assert 0.5 < found["onepool_redis_memory_bytes"].value() / info["used_memory"] < 2
    assert found["onepool_redis_memory_max_bytes"].value() == info["maxmemory"]
    assert [found[f"onepool_redis_{name}"].value() for name in ("up", "aof_enabled", "last_write_ok")] == [1, 1, 1]
    assert found["onepool_redis_rung"].value(rung="R1") == 1 and found["onepool_redis_rung"].value(rung="none") == 0


# ---- rules, dashboard, documentation

def names_in(expression):
    return set(re.findall(r"\bonepool_[a-z0-9_]+", expression))


def rules():
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions():
    found = [(rule["alert"], rule["expr"]) for rule in rules()]
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        found += [(panel["title"], target["expr"]) for target in panel.get("targets", [])]
    return found


def test_every_metric_of_rules_and_dashboard_is_there(shop):
    sell(shop)
    found = metrics(shop)
    known = set(found) | {n for f in found.values() for n, _, _ in f.samples}
    assert len(expressions()) > 50
    for where, expression in expressions():
        assert names_in(expression) or "absent" in expression, where
        assert names_in(expression) <= known, f"{where}: {names_in(expression) - known}"


def test_labels_of_rules_and_dashboard_are_there(shop):
    """A label that is compared with a value, or grouped by, exists in the family (if it has samples)."""
    found = metrics(shop)
    labels = {n: {k for _, own, _ in f.samples for k in own} for n, f in found.items()}
    for where, expression in expressions():
        for name, inner in re.findall(r"\b(onepool_[a-z0-9_]+)\{([^}]*)\}", expression):
            family = next(n for n in labels if name.startswith(n) and name[len(n):] in ("", "_bucket"))
            for label in re.findall(r"([a-z]+)(?:=|!=|=~)", inner):
                assert not labels[family] or label in labels[family], f"{where}: {name} has no {label}"


def test_every_rule_says_what_to_do_and_is_documented():
    text = OPERATIONS.read_text(encoding="utf-8")
    section = text.split("\n## What each alert means\n", 1)[1].split("\n## ", 1)[0]
    documented = re.findall(r"^### (Onepool\w+)$", section, re.MULTILINE)
    assert sorted(rule["alert"] for rule in rules()) == sorted(documented)
    for rule in rules():
        notes = rule["annotations"]
        assert rule["labels"]["severity"] in ("critical", "warning") and re.fullmatch(r"\d+[smh]", rule["for"])
        assert notes["summary"] and notes["description"] and notes["action"]
        assert notes["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_the_dashboard_is_one_that_grafana_can_place():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids) and dashboard["uid"] == "onepool" and dashboard["schemaVersion"] > 30
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def test_urgent_causes_are_the_same_in_rules_code_and_documentation():
    source = (ROOT / "shared" / "mapping_notify.c").read_text(encoding="utf-8")
    preset = set(re.findall(r'^ {4}"(\w+)"', source.split("urgent[] = {", 1)[1].split("};", 1)[0], re.MULTILINE))
    rule = next(rule for rule in rules() if rule["alert"] == "OnepoolUrgentCase")
    assert set(re.search(r'cause=~"([^"]+)"', rule["expr"])[1].split("|")) == preset
    section = OPERATIONS.read_text(encoding="utf-8").split("\n## Notifications\n", 1)[1].split("\n## ", 1)[0]
    assert preset <= set(re.findall(r"`(\w+)`", section))


# ---- windows

def test_a_sale_is_a_window_with_all_its_times(shop):
    sku, _ = sell(shop)
    status, out, _ = shop.command("windows", "--json", "--limit", "1000")
    assert status == 0
    window = next(w for w in json.loads(out)["windows"] if w["sku"] == sku)
    times = [window[f"{name}_ms"] for name in ("till", "event", "taken", "written", "accepted", "confirmed")]
    assert times[1:] == sorted(times[1:]) and times[0] <= times[1] + 1000 and None not in times, window
    assert (window["location"], window["warehouses"]) == (1, "2")
    assert window["ms"] == window["confirmed_ms"] - window["till_ms"]
    assert window["longest"]["words"] and 0 < window["longest"]["ms"] <= window["ms"]
    status, out, _ = shop.command("windows")
    assert status == 0 and sku in out and "shop 2" in out and "windows, mean" in out
    found = metrics(shop)
    assert found["onepool_windows_total"].value() >= 1 and found["onepool_window_worst_seconds"].value() > 0


def test_a_web_order_that_fell_inside_is_named(shop):
    sku = shop.fresh_sku({2: 4})
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "status", "status": 500, "method": "PUT", "path": "absolute", "count": 3}]})
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 2})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})
    shop.control("DELETE", "/faults")
    shop.wait_quiet(60)
    out = json.loads(shop.command("windows", "--json", "--limit", "1000")[1])
    window = next(w for w in out["windows"] if w["sku"] == sku)
    assert order["order_id"] in window["web_orders"], (order, window)


def test_a_web_order_that_was_cancelled_is_named_still(shop):
    """An order of what was sold meanwhile is often cancelled: it is the one that people look for."""
    sku = shop.fresh_sku({2: 4})
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "status", "status": 500, "method": "PUT", "path": "absolute", "count": 3}]})
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 2})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["order_id"]
    shop.control("DELETE", "/faults")
    shop.wait_quiet(60)
    assert holds(shop, order)
    shop.control("POST", "/web-order-status", {"order_id": order, "status": 5})
    shop.wait_until(lambda: not holds(shop, order), 20, "it holds nothing any more")
    window = next(w for w in windows(shop) if w["sku"] == sku)
    assert window["web_orders"] == [order] and window["web_orders_cut"] is False
    for number in range(1, 1001):
        shop.redis().zadd(shop.key("placed"), {9_000_000 + number: window["till_ms"] // 1000 * 1000})
    assert next(w for w in windows(shop) if w["sku"] == sku)["web_orders_cut"] is True
    assert "more than 1000 web orders were placed in between" in shop.command("windows", "--limit", "1000")[1]
    shop.redis().zrem(shop.key("placed"), *[9_000_000 + number for number in range(1, 1001)])


def holds(shop, order):
    return json.loads(shop.redis().hget(shop.key("handed"), order) or "{}").get("raw")


def windows(shop):
    return json.loads(shop.command("windows", "--json", "--limit", "1000")[1])["windows"]


def test_windows_takes_only_what_it_understands(shop):
    for words, text in ((["--since", "yesterday"], "--since yesterday: must be"), (["--limit", "0"], "--limit 0: must be"),
                        (["--since", "2999-01-01T00:00:00Z"], "--since 2999"), (["--since", "91d"], "--since 91d")):
        status, _, err = shop.command("windows", *words)
        assert status == 2 and text in err, err
    for since in ("1h", "7d", "90d", "2026-01-01T00:00:00Z" if time.time() < 1775000000 else "3d"):
        assert shop.command("windows", "--since", since)[0] == 0


# ---- loss

def test_calls_that_are_not_taken_show_the_time_to_loss_until_one_is(shop):
    assert shop.post("/hooks/sitoo", [], password="wrong").status == 503
    found = shop.wait_until(lambda: refused(shop, "sitoo"), 5, "the refused call is noted")
    assert found["onepool_refused_calls"].value(route="sitoo") == 1
    assert 24 * 3600 - 60 < found["onepool_time_to_loss_seconds"].value(route="sitoo") <= 24 * 3600
    out = shop.command("status")[1]
    assert "-> Events are lost in 23 h: calls of sitoo that were not taken: 1, and none was since (the credentials are not those of" in out
    assert shop.post("/hooks/sitoo", []).status == 200
    found = metrics(shop)
    assert found["onepool_time_to_loss_seconds"].value(route="sitoo") == float("inf")
    assert "Events are lost" not in shop.command("status")[1]


def test_calls_without_any_secret_are_only_counted(shop):
    route = "bigcommerce/order-created"
    assert not refused(shop, "sitoo") and not refused(shop, route)
    assert shop.post("/hooks/sitoo", [], user=None).status == 503
    assert shop.post("/hooks/" + route, {}, user=None, headers={"X-Onepool-Secret": ""}).status == 401
    for name in ("sitoo", route):
        shop.wait_until(lambda name=name: shop.counter(f"anonymous_calls:{name}") == 1, 5, "the call is counted")
    found = metrics(shop)
    assert found["onepool_anonymous_calls_total"].value(route="sitoo") == 1
    assert not refused(shop, "sitoo") and not refused(shop, route)


def refused(shop, route):
    found = metrics(shop)
    return found if any(labels["route"] == route and value > 0 for _, labels, value in found["onepool_refused_calls"].samples) else None


def test_each_route_of_bigcommerce_has_its_own(shop):
    path, route = "/hooks/bigcommerce/order-created", "bigcommerce/order-created"
    assert shop.post(path, {}, headers={"X-Onepool-Secret": "wrong"}).status == 401
    found = shop.wait_until(lambda: refused(shop, route), 5, "the refused call is noted")
    assert 173_040 - 60 < found["onepool_time_to_loss_seconds"].value(route=route) <= 173_040
    assert shop.post("/hooks/bigcommerce/order-updated", {"scope": "store/order/updated", "data": {"type": "order", "id": 1}}).status == 200
    assert refused(shop, route), "another route says nothing of this one"
    assert shop.post(path, {"scope": "store/order/created", "data": {"type": "order", "id": 1}}).status == 200
    assert not refused(shop, route)


def test_a_flood_of_wrong_calls_is_no_flood_of_writes(shop):
    """Each of the four acceptors of sale notes at most once a second."""
    def notes():  # nothing else in such a stack uses this command on every call
        return shop.redis().info("commandstats").get("cmdstat_hsetnx", {"calls": 0})["calls"]
    before, begin = notes(), time.monotonic()
    for _ in range(100):
        assert shop.post("/hooks/sitoo/sale", [], password="wrong").status == 503
    most = 4 * (time.monotonic() - begin + 1)
    assert 1 <= notes() - before <= most < 100
    assert int(shop.redis().hget(shop.key("answers"), "sitoo|n")) >= 1
    assert shop.post("/hooks/sitoo", []).status == 200
