# SPDX-License-Identifier: Apache-2.0
"""The baseline: a shop with a past is read and compared, nothing is written, a person accepts, and it goes live."""
import csv
import json
import os
import signal
import subprocess
import time

import pytest

from stack import BUILD, ROOT, shop_mapping

FAST = ("--quota", "100000", "--latency-ms", "1", "--lag-ms", "50")
AUTO = {"ONEPOOL_MODE": ""}


def shop_with_past(stack, skus=120, functions=(), baseline=None, env=None, arguments=(), **sections):
    """A stack whose operators' command reads the shop quickly; no function runs unless named."""
    if baseline is not None:
        sections["baseline"] = baseline
    return stack(functions=functions, nginx=False, env={**AUTO, **(env or {})},
                 simulator_args=("--skus", str(skus), *FAST, *arguments),
                 mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}, **sections))


def run(one, *words, env=None, timeout=120):
    """onepool baseline --json: (status, its JSON, standard error)."""
    settings = {**one.settings(), **(env or {})}
    done = subprocess.run([str(BUILD / "onepool"), "baseline", "--json", *map(str, words)], env=settings, cwd=ROOT,
                          timeout=timeout, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def report(one, *words):
    status, answer, errors = run(one, *words)
    assert status == 0, (answer, errors[-2000:])
    return answer


def differences(answer):
    return sorted((d["sku"], d["location"], d["bigcommerce"], d["computed"]) for d in answer["differences"])


def wrong(one):
    """The oracle's opinion, in the same shape."""
    return sorted((w["sku"], w["location"], w["actual"], w["expected"])
                  for w in one.control("GET", "/oracle?list=1")["wrong"])


def nothing_written(one):
    stats = one.control("GET", "/stats")
    seen = one.requests()
    assert len(seen) == one.last_request(), "the record was too short to see all requests"
    return stats["writes"] == 0 and {r["method"] for r in seen} == {"GET"}


def cause(answer):
    return answer["error"]["cause"]


# ---------------------------------------------------------------- the report

def test_a_shop_whose_levels_are_right_has_no_difference(stack):
    one = shop_with_past(stack)
    answer = report(one)
    assert wrong(one) == []
    assert (answer["differences"], answer["units_too_many"], answer["units_too_few"]) == ([], 0, 0)
    assert answer["skus"] * 3 == answer["levels"] > 0
    assert nothing_written(one)


def test_each_difference_is_told_with_its_money(stack):
    one = shop_with_past(stack)
    one.control("POST", "/differences", {"count": 12})
    answer = report(one)
    assert differences(answer) == wrong(one) and len(answer["differences"]) == 12
    sizes = [abs(d["difference"]) for d in answer["differences"]]
    assert sizes == sorted(sizes, reverse=True)
    prices = {s["sku"]: s["price"] for s in one.control("GET", "/world?stock=0")["skus"]}
    for d in answer["differences"]:
        assert d["price"] == prices[d["sku"]]
        minor = d["difference"] * int(prices[d["sku"]].replace(".", ""))
        assert int(d["money"].replace(".", "")) == minor
    assert answer["currency"] == "SEK"
    assert sum(d["difference"] for d in answer["differences"] if d["difference"] > 0) == answer["units_too_few"]


def test_skus_that_have_no_level_of_ours_are_listed_with_the_cause(stack):
    one = shop_with_past(stack)
    found = {u["sku"]: u["cause"] for u in report(one)["unmapped"]}
    assert found["SITOO-ONLY-1"] == "not in BigCommerce"
    assert found["UNTRACKED-1"] == "stock not tracked in BigCommerce"
    assert found["WRONG-1-RED"] == "tracked the other way in BigCommerce"
    assert found["BC-ONLY-1"] == "not in Sitoo"
    assert "INACTIVE-1" not in found, "an inactive product has a level like any other"


def test_what_the_mapping_leaves_out_is_told(stack):
    one = shop_with_past(stack)
    one.control("POST", "/virtual-warehouse", {"name": "Drop shipment", "rows": 30})
    one.bigcommerce("/v3/inventory/locations")
    one.control("PUT", "/level", {"sku": "SKU-00007", "location": 8, "level": 77})
    notes = "\n".join(report(one)["notes"])
    assert "Reclaims" in notes
    assert '"Drop shipment" is not mapped and has 30 stock rows; it is Virtual' in notes
    assert "BigCommerce location 8 is not mapped and shows 77 units" in notes


def test_open_orders_are_subtracted_and_told(stack):
    one = shop_with_past(stack, baseline={"default_class": "hand_over"})
    past = one.control("POST", "/past", {"count": 60})
    one.control("POST", "/differences", {"count": 5})
    answer = report(one)
    assert differences(answer) == wrong(one)
    assert answer["orders"] == {"open": 60, "in_sitoo": 0, "subtract": 0, "hand_over": 60, "unclassed": 0}
    classes = one.redis().hgetall(one.key("baseline:orders"))
    assert classes == {str(number): "hand_over default" for number in past["orders"]}


def test_a_table_for_people(stack):
    one = shop_with_past(stack)
    one.control("POST", "/differences", {"count": 3})
    status, text, errors = one.command("baseline", "--rows", "2")
    assert status == 0, errors
    lines = text.splitlines()
    assert lines[0].startswith("SKU") and "difference" in lines[0]
    assert "... and 1 more" in text and "3 differ" in text and "SEK" in text
    assert f"onepool baseline --accept {one.redis().hget(one.key('baseline'), 'report')}" in text
    assert "rows" in errors and "left" in errors, "progress: done, total, rate, time left"


def test_differences_as_csv(stack, tmp_path):
    one = shop_with_past(stack)
    one.control("POST", "/differences", {"count": 7})
    answer = report(one, "--csv", tmp_path / "d.csv")
    rows = list(csv.DictReader((tmp_path / "d.csv").open(encoding="utf-8", newline="")))
    got = sorted((r["sku"], int(r["location"]), int(r["bigcommerce"]), int(r["computed"])) for r in rows if r["location"])
    assert got == differences(answer)
    assert {r["sku"] for r in rows if not r["location"]} == {u["sku"] for u in answer["unmapped"]}
    assert {r["currency"] for r in rows if r["location"]} == {"SEK"}


def test_no_personal_data_is_kept(stack):
    one = shop_with_past(stack, baseline={"default_class": "subtract"})
    one.control("POST", "/past", {"count": 20, "handed_over": 10})
    report(one)
    mark = one.control("GET", "/personal-data")["mark"].encode()
    one.redis().bgrewriteaof()
    redis = one.redis(decode=False)
    for key in redis.scan_iter("*"):
        kind = redis.type(key)
        if kind == b"hash":
            assert mark not in b"".join(b"".join(pair) for pair in redis.hgetall(key).items()), key
        elif kind == b"string":
            assert mark not in redis.get(key), key


# ---------------------------------------------------------------- classes

def test_orders_that_an_older_connector_handed_over_are_found(stack):
    one = shop_with_past(stack, baseline={"externalid_patterns": ["{order}", "WEB-{order}"]})
    own = one.control("POST", "/past", {"count": 5, "handed_over": 5})
    web = one.control("POST", "/past", {"count": 30, "handed_over": 20, "pattern": "WEB-{order}", "seed": 2})
    one.control("POST", "/differences", {"count": 4})
    answer = report(one)
    assert differences(answer) == wrong(one)
    assert answer["orders"]["in_sitoo"] == 25 and answer["orders"]["unclassed"] == 10
    classes = one.redis().hgetall(one.key("baseline:orders"))
    assert set(classes) == {str(n) for n in own["orders"] + web["handed_over"]}
    assert set(classes.values()) == {"in_sitoo sitoo"}


def test_a_pattern_that_is_not_named_is_not_looked_for(stack):
    one = shop_with_past(stack)
    one.control("POST", "/past", {"count": 8, "handed_over": 8, "pattern": "WEB-{order}"})
    assert report(one)["orders"]["unclassed"] == 8
    asked = [r["query"] for r in one.requests(platform="sitoo") if r["path"].endswith("/orders.json")]
    assert len(asked) == 1 and "BC-101" in asked[0] and "WEB" not in asked[0]


def test_an_order_of_that_number_that_holds_something_else_is_for_a_person(stack, tmp_path):
    one = shop_with_past(stack, baseline={"default_class": "hand_over"})
    past = one.control("POST", "/past", {"count": 2})
    stranger, cancelled = past["orders"]
    sku = one.fresh_sku({1: 3})
    one.control("POST", "/own-order", {"externalid": f"BC-{stranger}", "rows": [{"sku": sku, "quantity": 1}]})
    order = one.bigcommerce(f"/v2/orders/{cancelled}/products")
    number = one.control("POST", "/own-order", {"externalid": f"BC-{cancelled}", "rows": [
        {"sku": line["sku"], "quantity": line["quantity"]} for line in order]})["order_id"]
    one.control("POST", "/cancel-order", {"order_id": number})
    answer = report(one, "--export-orders", tmp_path / "o.csv")
    assert answer["orders"]["unclassed"] == 2 and not answer["can_be_accepted"]
    rows = {int(r["order"]): r for r in csv.DictReader((tmp_path / "o.csv").open(encoding="utf-8", newline=""))}
    assert "lacks" in rows[stranger]["note"] and "cancelled" in rows[cancelled]["note"]


def test_rules_by_status_and_by_age(stack):
    one = shop_with_past(stack, baseline={"status_classes": {"7": "subtract"}, "older_than_days": 60,
                                          "older_than_class": "in_sitoo"})
    old = one.control("POST", "/past", {"count": 4, "statuses": [11], "age_days": [70, 80]})["orders"]
    unpaid = one.control("POST", "/past", {"count": 4, "statuses": [7], "age_days": [70, 80], "seed": 2})["orders"]
    young = one.control("POST", "/past", {"count": 4, "statuses": [11], "age_days": [2, 9], "seed": 3})["orders"]
    answer = report(one)
    classes = one.redis().hgetall(one.key("baseline:orders"))
    assert classes == {**{str(n): "in_sitoo age" for n in old}, **{str(n): "subtract status" for n in unpaid}}
    assert answer["orders"]["unclassed"] == len(young)


def test_classes_by_a_person_through_a_csv(stack, tmp_path):
    one = shop_with_past(stack)
    past = one.control("POST", "/past", {"count": 12, "handed_over": 4})
    file = tmp_path / "orders.csv"
    first = report(one, "--export-orders", file)
    assert first["orders"]["unclassed"] == 8
    calls = one.last_request()
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [int(r["order"]) for r in rows] == past["orders"]
    for row in rows:
        row["class"] = row["class"] or "hand_over"
    # As a spreadsheet program of another country writes it.
    with file.open("w", encoding="utf-8-sig", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    second = report(one, "--orders", file)
    assert second["orders"] == {"open": 12, "in_sitoo": 4, "subtract": 0, "hand_over": 8, "unclassed": 0}
    assert second["can_be_accepted"] and second["report"] != first["report"]
    kinds = set(one.redis().hgetall(one.key("baseline:orders")).values())
    assert kinds == {"in_sitoo sitoo", "hand_over person"}, "what a look-up had said is not a person's word"
    # Only what the mapping leaves out is looked at again.
    assert all("warehouse" in r["path"] or "locations" in r["path"] for r in one.requests(calls))


def test_every_mistake_of_such_a_file_is_told_by_its_line(stack, tmp_path):
    one = shop_with_past(stack)
    one.control("POST", "/past", {"count": 3})
    report(one)
    file = tmp_path / "orders.csv"
    file.write_text("order,class\n101,hand_over\n101,subtract\n999,subtract\n102,sold\n-4,subtract\n103\n", encoding="utf-8")
    status, _, errors = one.command("baseline", "--orders", str(file))
    assert status == 1
    assert [line for line in errors.splitlines() if line.startswith("line ")] == [
        'line 3: order stands in the file twice: "101"', 'line 4: no open order has the number "999"',
        'line 5: must be in_sitoo, subtract, hand_over or empty, not "sold"', 'line 6: is no order number: "-4"',
        "line 7: has too few columns"]
    assert one.redis().hlen(one.key("baseline:orders")) == 0, "nothing of the file was taken"
    file.write_text("number,kind\n101,hand_over\n", encoding="utf-8")
    assert "line 1: the first line must name the columns order and class" in one.command("baseline", "--orders", str(file))[2]
    file.write_text('order,class\n101,"hand_over\n', encoding="utf-8")
    assert "line 2: a quote is not closed" in one.command("baseline", "--orders", str(file))[2]


# ---------------------------------------------------------------- complete reads

def test_a_list_that_loses_a_row_while_it_is_read_is_read_again(stack):
    one = shop_with_past(stack, skus=60, sitoo={"page_size": 10})
    one.control("POST", "/differences", {"count": 6})
    one.control("POST", "/shrink", {"warehouse": 2, "times": 1})
    answer = report(one)
    assert differences(answer) == wrong(one)
    starts = [r["query"] for r in one.requests(platform="sitoo") if "/warehouses/2/warehouseitems" in r["path"]
              and "start=0&" in r["query"]]
    assert len(starts) == 2


def test_a_list_that_never_stands_still_is_no_report(stack):
    one = shop_with_past(stack, skus=60, sitoo={"page_size": 10})
    one.control("POST", "/shrink", {"warehouse": 2, "times": 1000})
    status, answer, _ = run(one)
    assert (status, cause(answer)) == (1, "incomplete_read")


def test_a_warehouse_without_a_row_is_a_mistake_not_a_stock_of_nothing(stack):
    one = shop_with_past(stack, locations=[{"bigcommerce_location_id": 1, "sitoo_warehouse_ids": [1, 2, 3, 4]}],
                         pickup=[])
    text = json.loads(one.mapping_file.read_text(encoding="utf-8"))
    text["locations"][0]["sitoo_warehouse_ids"].append(99)
    one.mapping_file.write_text(json.dumps(text), encoding="utf-8")
    status, answer, errors = run(one)
    assert status == 1
    assert "99" in answer["error"]["text"] or "99" in errors


def test_a_platform_that_is_away_for_a_while_only_costs_time(stack):
    one = shop_with_past(stack, skus=60)
    one.control("POST", "/differences", {"count": 3})
    one.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [
        {"kind": "status", "status": 503, "rate": 0.3, "path": "warehouseitems"}]})
    one.control("PUT", "/faults/bigcommerce", {"seed": 1, "rules": [
        {"kind": "rate_limit", "headers": False, "rate": 0.2, "path": "/v2/orders"}]})
    assert differences(report(one)) == wrong(one)


# ---------------------------------------------------------------- acceptance

def accept(one, identity):
    return run(one, "--accept", identity)


def test_only_the_report_that_was_seen_can_be_accepted(stack):
    one = shop_with_past(stack)
    one.control("POST", "/differences", {"count": 3})
    assert cause(accept(one, "0" * 16)[1]) == "none"
    first = report(one)["report"]
    assert cause(accept(one, "0" * 16)[1]) == "other"
    one.control("POST", "/differences", {"count": 3, "seed": 9})
    second = report(one, "--again")["report"]
    assert second != first and cause(accept(one, first)[1]) == "other"
    assert accept(one, second)[:2] == (0, {"accepted": second, "already": False, "mode": "live"})
    assert accept(one, second)[1]["already"]
    assert nothing_written(one), "nothing is written by the command"


def test_orders_without_a_class_block_acceptance(stack, tmp_path):
    one = shop_with_past(stack)
    one.control("POST", "/past", {"count": 2})
    identity = report(one)["report"]
    assert cause(accept(one, identity)[1]) == "unclassed"
    file = tmp_path / "orders.csv"
    file.write_text("order,class\n101,subtract\n102,hand_over\n", encoding="utf-8")
    assert accept(one, report(one, "--orders", file)["report"])[0] == 0


def test_a_stale_report_and_a_changed_mapping_are_refused(stack):
    one = shop_with_past(stack)
    identity = report(one)["report"]
    redis, key = one.redis(), one.key("baseline")
    read_ms = int(redis.hget(key, "read_ms"))
    redis.hset(key, "read_ms", read_ms - 25 * 3600 * 1000)
    assert cause(accept(one, identity)[1]) == "stale"
    redis.hset(key, "read_ms", read_ms)
    text = one.mapping_file.read_text(encoding="utf-8")
    one.mapping_file.write_text(text.replace("[1, 2, 3]", "[1, 2]"), encoding="utf-8")
    assert cause(accept(one, identity)[1]) == "mapping"
    one.mapping_file.write_text(text, encoding="utf-8")
    assert accept(one, identity)[0] == 0


# ---------------------------------------------------------------- going live

def settled(one):
    """No function takes Sitoo's events here, so they wait; all else is done, and every level is right."""
    return one.idle() and wrong(one) == [] and not one.control("GET", "/oracle")["landing"]


def mode(one):
    return json.loads(one.command("status", "--json")[1])["mode"]


def test_acceptance_goes_live_without_a_restart_and_brings_the_levels_right(stack):
    """More is put right at once than the brake lets pass, and it is exactly what was accepted."""
    one = shop_with_past(stack, functions=("stock-moved",), baseline={"externalid_patterns": ["WEB-{order}"],
                                                                     "default_class": "hand_over"},
                         brake={"max_zeroed_skus": 1, "max_units_moved": 20})
    past = one.control("POST", "/past", {"count": 40, "handed_over": 15, "pattern": "WEB-{order}", "age_days": [2, 300]})
    one.control("POST", "/differences", {"count": 40})
    answer = report(one)
    assert differences(answer) == wrong(one) and answer["units_too_many"] + answer["units_too_few"] > 20
    status = json.loads(one.command("status", "--json")[1])
    assert (status["mode"], status["baseline"]["state"], status["baseline"]["differences"]) == ("shadow", "read", 40)
    assert nothing_written(one)
    assert accept(one, answer["report"])[0] == 0
    one.wait_until(lambda: settled(one), 40, "every level is right")
    assert one.cases() == {}
    assert mode(one) == "live"
    assert "accepted" in one.command("status")[1]
    pending = set(one.redis().hkeys(one.key("pending:orders")))
    assert pending == {str(n) for n in past["orders"]} - {str(n) for n in past["handed_over"]}
    # An order that Sitoo has holds nothing here, also when it is read again with a later date.
    again = past["handed_over"][0]
    one.control("POST", "/web-order-status", {"order_id": again, "status": 9})
    other = [n for n in past["orders"] if n not in past["handed_over"]][0]
    one.control("POST", "/web-order-status", {"order_id": other, "status": 9})
    one.wait_until(lambda: json.loads(one.redis().hget(one.key("pending:orders"), str(other)))["status"] == "9", 15,
                   "the change is read")
    one.wait_until(lambda: settled(one), 20, "every level is right")
    assert not one.redis().hexists(one.key("pending:orders"), str(again))
    assert one.redis().hget(one.key("baseline:orders"), str(again)) == "in_sitoo sitoo"
    # Its class ends with its status.
    one.control("POST", "/web-order-status", {"order_id": again, "status": 5})
    one.wait_until(lambda: not one.redis().hexists(one.key("baseline:orders"), str(again)), 15, "the class is gone")


def test_what_moved_in_shadow_mode_after_the_report_is_written_too(stack):
    one = shop_with_past(stack, functions=("stock-moved",))
    identity = report(one)["report"]
    sku = one.fresh_sku({1: 2})
    one.control("POST", "/move", {"sku": sku, "quantity": 2, "from": 1})
    one.wait_until(lambda: one.redis().hexists(one.key("level:shadow"), f"1|{sku}") and one.idle(), 15,
                   "it is computed in shadow, and settled")
    assert nothing_written(one) and [w[0] for w in wrong(one)] == [sku]
    assert accept(one, identity)[0] == 0
    one.wait_until(lambda: settled(one), 30, "its level is right")


def test_what_moves_while_nothing_runs_is_found_in_the_ledger(stack):
    one = shop_with_past(stack)
    identity = report(one)["report"]
    sku = one.fresh_sku({1: 2})
    one.control("POST", "/move", {"sku": sku, "quantity": 2, "from": 1})
    assert accept(one, identity)[0] == 0
    one.start_function("stock-moved")
    one.wait_until(lambda: settled(one), 30, "its level is right")


def test_the_brake_still_counts_what_was_not_accepted(stack):
    one = shop_with_past(stack, functions=("stock-moved",), brake={"max_zeroed_skus": 1, "max_units_moved": 10})
    one.control("POST", "/differences", {"count": 5})
    identity = report(one)["report"]
    sku = one.fresh_sku({1: 15})
    one.control("POST", "/move", {"sku": sku, "quantity": 15, "from": 1})
    assert accept(one, identity)[0] == 0
    one.wait_until(lambda: "brake:levels" in one.cases(), 20, "the large movement is held")
    assert [w[0] for w in wrong(one) if w[0] == sku] != []


@pytest.mark.parametrize("word", ["shadow", "live"])
def test_the_operators_word_counts_more_than_a_baseline(stack, word):
    one = shop_with_past(stack, functions=("stock-moved",), env={"ONEPOOL_MODE": word})
    one.control("POST", "/differences", {"count": 3})
    assert mode(one) == word
    identity = report(one)["report"]
    assert accept(one, identity)[1]["mode"] == word
    assert mode(one) == word
    if word == "live":
        one.wait_until(lambda: settled(one), 20, "every level is right")
    else:
        sku = one.fresh_sku({1: 1})
        one.control("POST", "/move", {"sku": sku, "quantity": 1, "from": 1})
        one.wait_until(lambda: one.redis().hexists(one.key("level:shadow"), f"1|{sku}"), 15, "it is computed in shadow")
        assert nothing_written(one)


def test_an_emptied_redis_is_shadow_again(stack):
    one = shop_with_past(stack, functions=("stock-moved",))
    assert accept(one, report(one)["report"])[0] == 0
    one.wait_until(lambda: mode(one) == "live", 10, "live")
    one.redis().flushall()
    assert mode(one) == "shadow"
    sku = one.fresh_sku({1: 1})
    one.wait_until(lambda: one.redis().hget(one.key("cursor"), "ledger"), 10, "the cursor is set anew")
    since = one.last_request()
    one.control("POST", "/move", {"sku": sku, "quantity": 1, "from": 1})
    one.wait_until(lambda: one.redis().hexists(one.key("level:shadow"), f"1|{sku}"), 15, "it is computed in shadow")
    assert one.writes(since) == []


# ---------------------------------------------------------------- a proposal

def test_a_mapping_is_proposed_and_never_taken(stack, tmp_path):
    one = shop_with_past(stack)
    one.control("PUT", "/names", {"warehouses": {"2": "Leeds ", "3": "York"}, "locations": {"5": "york", "7": "LEEDS"}})
    one.control("POST", "/virtual-warehouse", {"name": "Drop shipment"})
    one.control("POST", "/virtual-warehouse", {"name": ""})
    for words, env in ((["--propose"], {}), ([], {"ONEPOOL_CONFIG": ""}), ([], {"ONEPOOL_CONFIG": str(tmp_path / "no")})):
        status, answer, _ = run(one, *words, env=env)
        assert status == 0
        assert answer["proposal"] == {"locations": [
            {"bigcommerce_location_id": 1, "sitoo_warehouse_ids": [1, 4, 9]},
            {"bigcommerce_location_id": 7, "sitoo_warehouse_ids": [2]},
            {"bigcommerce_location_id": 5, "sitoo_warehouse_ids": [3]}]}
    notes = "\n".join(answer["notes"])
    assert 'warehouse 10 "Drop shipment" is Virtual' in notes and 'warehouse 11 "" is Virtual' in notes
    assert 'warehouse 1 "Warehouse 1": a guess' in notes and 'location 8 "Location 8": left out' in notes
    assert not (tmp_path / "no").exists() and nothing_written(one)
    # The proposal is a mapping file.
    one.mapping_file.write_text(json.dumps(answer["proposal"]), encoding="utf-8")
    assert run(one)[0] == 0


# ---------------------------------------------------------------- killed and resumed

def start(one, *words):
    return subprocess.Popen([str(BUILD / "onepool"), "baseline", "--json", *words], env=one.settings(), cwd=ROOT,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_after(one, calls):
    """Starts a reading and kills it after so many more calls; False if it ended before."""
    since, process = one.last_request(), start(one)
    try:
        while process.poll() is None:
            if one.last_request() - since >= calls:
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                return True
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait(10)
    return False


@pytest.mark.long
def test_a_killed_reading_goes_on_where_it_was(stack):
    one = shop_with_past(stack, skus=200, sitoo={"page_size": 10}, baseline={"default_class": "hand_over"},
                         arguments=("--latency-ms", "5"))
    one.control("POST", "/past", {"count": 300, "handed_over": 100})
    one.control("POST", "/differences", {"count": 20})
    killed = sum(kill_after(one, calls) for calls in (3, 15, 40, 25))
    assert killed == 4
    answer = report(one)
    assert differences(answer) == wrong(one)
    pages = [(r["path"], r["query"]) for r in one.requests(platform="sitoo") if "start=" in r["query"]]
    again = len(pages) - len(set(pages))
    assert again <= killed, f"{again} of {len(pages)} pages were read twice after {killed} kills"
    assert nothing_written(one)


def test_a_reading_that_takes_longer_than_its_lease_keeps_it(stack):
    """Also if every call is answered at once, so that nothing waits anywhere."""
    one = shop_with_past(stack, skus=300, sitoo={"page_size": 10}, arguments=("--latency-ms", "60"))
    one.control("POST", "/differences", {"count": 5})
    begun = time.monotonic()
    answer = report(one)
    assert time.monotonic() - begun > 6, "too fast to prove anything; the lease is 5 s"
    assert differences(answer) == wrong(one)


@pytest.mark.long
def test_two_readings_do_not_run_at_once(stack):
    one = shop_with_past(stack, skus=60)
    report(one)
    one.fcall("lease", "baseline", "another run", "60000")
    since = one.last_request()
    status, answer, _ = run(one, "--again")
    assert (status, cause(answer)) == (1, "busy")
    assert cause(accept(one, one.redis().hget(one.key("baseline"), "report"))[1]) == "busy"
    assert one.last_request() == since


def test_a_reading_that_was_stopped_for_long_mixes_nothing_into_the_next(stack):
    one = shop_with_past(stack, skus=200, sitoo={"page_size": 10}, arguments=("--latency-ms", "20"))
    one.control("POST", "/differences", {"count": 10})
    first = start(one)
    try:
        one.wait_until(lambda: one.redis().hget(one.key("baseline"), "at:sitoo"), 10, "it reads")
        os.kill(first.pid, signal.SIGSTOP)
        answer = report(one)
        os.kill(first.pid, signal.SIGCONT)
        assert first.wait(30) == 1
        assert one.redis().hget(one.key("baseline"), "report") == answer["report"]
        assert differences(answer) == wrong(one)
    finally:
        first.kill()
        first.wait(10)


@pytest.mark.long
def test_a_shop_of_20000_skus_with_3000_open_orders(stack):
    """The report is right by the oracle, nothing is written before acceptance, and it survives being killed."""
    one = shop_with_past(stack, skus=20000, baseline={"externalid_patterns": ["{order}", "WEB-{order}"],
                                                      "default_class": "hand_over"})
    for name, rows in (("Drop shipment", 20000), ("", 500)):
        one.control("POST", "/virtual-warehouse", {"name": name, "rows": rows})
    past = one.control("POST", "/past", {"count": 3000, "handed_over": 1200, "pattern": "WEB-{order}",
                                         "age_days": [1, 200]})
    assert len(one.control("POST", "/differences", {"count": 300})["differences"]) == 300
    killed = sum(kill_after(one, calls) for calls in (20, 60, 50))
    assert killed == 3
    answer = report(one)
    expected = wrong(one)
    assert len(expected) == 300 and differences(answer) == expected
    assert answer["orders"] == {"open": 3000, "in_sitoo": 1200, "subtract": 0, "hand_over": 1800, "unclassed": 0}
    assert {int(n) for n, c in one.redis().hgetall(one.key("baseline:orders")).items() if c.startswith("in_sitoo")} == set(
        past["handed_over"])
    assert sum("is Virtual" in note for note in answer["notes"]) == 2
    assert nothing_written(one)
    # Accepted, the writer brings exactly these right.
    one.start_function("stock-moved")
    assert accept(one, answer["report"])[0] == 0
    one.wait_until(lambda: wrong(one) == [], 180, "every level is right")
    written = {(item["location_id"], item["quantity"]) for items in one.writes() for item in items}
    assert written <= {(location, level) for _, location, _, level in expected}
