# SPDX-License-Identifier: Apache-2.0
"""The ledger of a busy shop: every movement is tied to a level, the history of a SKU reads as what happened, and neither kills nor
lost answers break the chain or lose a row."""
import json
import time

import pytest

from stack import shop_mapping

DAY = {"phases": [{"name": "rush", "seconds": 6, "sales": 30, "web_orders": 4, "returns": 3, "outage": [2, 1.5],
                   "extras": ["booking", "parked_basket"]}]}


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--skus", "120", "--quota", "5000", "--lag-ms", "100", "--latency-ms", "5"))


@pytest.fixture(autouse=True)
def begin_quiet(shop):
    shop.wait_quiet(30)


def verify(shop, *more):
    status, out, err = shop.command("ledger", "verify", "--json", *more)
    assert out, err
    return status, json.loads(out)


def history(shop, sku, *more):
    status, out, err = shop.command("ledger", "sku", sku, *more)
    assert status == 0, (out, err)
    return out


def sentences(shop, sku, since=0):
    """Of the SKU's events after the first `since`: the texts that are shown."""
    return [text for text in read(shop, sku)[since:] if text]


def play(shop, day):
    shop.control("POST", "/day", day)
    shop.wait_until(lambda: not shop.control("GET", "/day")["running"], 60, "the day is over")
    shop.wait_quiet(60)


def test_every_movement_of_a_busy_hour_is_tied_to_a_level(shop, tmp_path):
    play(shop, DAY)
    moved = shop.control("GET", "/world?stock=0")["ledger"]
    status, report = verify(shop, "--ties", str(tmp_path / "ties.csv"))
    assert status == 0 and report["ok"], report
    assert report["movements"] == len(shop.records("movement")) > 100 and moved
    ties = report["ties"]
    assert ties["untied"] == 0 and ties["waiting"] == 0 and ties["confirmed"] > 50, ties
    assert report["gaps"] == {"open": 0, "all": 0, "list": []}
    lines = (tmp_path / "ties.csv").read_text(encoding="utf-8").splitlines()
    told = [line.split(",") for line in lines[1:]]
    assert lines[0].startswith("row,warehouse,sku,quantity") and all(len(line) == 13 for line in told)
    assert len(told) == sum(ties[name] for name in ("confirmed", "written", "unchanged", "no_level", "shadowed", "waiting"))
    # What a level that included a movement was, is what BigCommerce was told.
    levels = {(row["sku"], row["location"], row["level"]) for row in shop.records("level")}
    for line in told:
        if line[8] == "confirmed":
            assert (line[2].strip('"'), int(line[7]), int(line[9])) in levels
            assert line[6] <= line[10] <= line[11], line  # recorded, written, confirmed


def test_a_movement_whose_level_was_lost_is_untied(shop):
    """What if a level had never been computed? The row is taken out of a copy of the ledger."""
    sku = shop.fresh_sku({4: 2})
    redis = shop.redis()
    before = redis.xlen(shop.key("ledger"))
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 4})
    shop.wait_quiet()
    entries = redis.xrange(shop.key("ledger"))
    copy = "{copy}:ledger"
    library = redis.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "onepool_*")[0][1].removeprefix("onepool_")
    redis.delete(copy, copy + ":chain")
    for i, (_, fields) in enumerate(entries):
        row = json.loads(fields["row"])
        mine = row.get("sku") == sku and row["type"] == "level"
        same = [one for one in row.get("same", []) if one[0] == sku]
        if i < before or not (mine or same):
            redis.execute_command("FCALL", f"apply_{library}", 1, "{copy}", "log", "", fields["row"])
    shop.env_overrides["ONEPOOL_TENANT"] = "copy"
    try:
        status, report = verify(shop)
        page = shop.command("ledger", "verify")[1]
    finally:
        del shop.env_overrides["ONEPOOL_TENANT"]
        redis.delete(copy, copy + ":chain")
    assert status == 1 and report["chain"]["whole"] and report["ties"]["untied"] == 1
    (one,) = report["ties"]["list"]
    assert (one["sku"], one["warehouse"], one["location"], one["quantity"]) == (sku, 4, 7, "-1.000")
    assert f"-1.000 x {sku} in warehouse 4" in page and "no level of location 7 included it" in page


def test_the_history_of_a_sku_reads_as_what_happened(shop):
    sku = shop.fresh_sku({4: 5})
    left = shop.stock(sku)[4]["on_hand"] // 1000
    was, since = shop.levels(sku)[7], len(read(shop, sku))
    order = shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 2}], "warehouse": 4})["order_id"]
    shop.wait_levels(sku, {7: was - 2})
    shop.wait_quiet()
    texts = sentences(shop, sku, since)
    assert f"Sold 2 in warehouse 4 (order {order}), {left - 2} left there." in texts
    (told,) = [text for text in texts if text.startswith("The web shop was told")]
    assert told.startswith(f"The web shop was told {was - 2} at location 7 (was {was}), because of order {order}")
    assert "; BigCommerce showed it at " in told
    named = history(shop, sku, "--names")
    assert f"Sold 2 in Warehouse 4 (order {order})" in named
    between = int(time.time()) + 1  # a whole second, as --at takes it: all of the above is before it, and the move is after it
    time.sleep(between + 1.1 - time.time())
    shop.control("POST", "/move", {"rows": [{"sku": sku, "quantity": 3}], "to": 4})
    shop.wait_levels(sku, {7: was + 1})
    shop.wait_quiet()
    assert any(text.startswith("3 put into warehouse 4 (Sitoo's row ") and text.endswith(f"{left + 1} there now.")
               for text in sentences(shop, sku))
    page = history(shop, sku, "--at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(between)))
    assert f"Location 7: {was - 2}, told " in page and "seen in BigCommerce" in page
    assert f"    warehouse 4: {was - 2} available\n" in page
    assert "3 put into" not in page
    now = history(shop, sku, "--at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5)))
    assert f"Location 7: {was + 1}, told " in now


def test_a_web_order_and_its_end_are_told(shop):
    sku = shop.fresh_sku({1: 5})
    made = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}], "status": 11})["order_id"]
    shop.wait_until(lambda: any(f"Web order {made} holds 1" in text for text in read(shop, sku)), 20, "it is told")
    shop.control("POST", "/web-order-status", {"order_id": made, "status": 5})
    shop.wait_until(lambda: any(f"Web order {made} lets go of 1" in text for text in read(shop, sku)), 20, "its end is told")
    shop.wait_quiet()


def read(shop, sku):
    status, out, _ = shop.command("ledger", "sku", sku, "--json", "--rows", "10000")
    return [event["text"] or "" for event in json.loads(out)["events"]] if status == 0 else []


def test_a_row_of_sitoo_that_we_never_saw_is_named_and_looked_up(shop):
    """It is taken out of a copy of the ledger; Sitoo still has it."""
    sku = shop.fresh_sku({4: 6})
    for _ in range(3):
        shop.control("POST", "/move", {"rows": [{"sku": sku, "quantity": 1}], "to": 4})
        shop.wait_quiet()
    redis = shop.redis()
    rows = [row["row"] for row in shop.records("movement") if row["sku"] == sku and row["warehouse"] == 4][-3:]
    assert len(rows) == 3
    library = redis.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "onepool_*")[0][1].removeprefix("onepool_")
    for _, fields in redis.xrange(shop.key("ledger")):
        row = json.loads(fields["row"])
        if row["type"] != "movement" or row["row"] != rows[1]:
            redis.execute_command("FCALL", f"apply_{library}", 1, "{copy}", "log", "", fields["row"])
    shop.env_overrides["ONEPOOL_TENANT"] = "copy"
    try:
        status, report = verify(shop)
        fetched_status, fetched = verify(shop, "--fetch")
        page = shop.command("ledger", "verify")[1]
    finally:
        del shop.env_overrides["ONEPOOL_TENANT"]
        redis.delete("{copy}:ledger", "{copy}:ledger:chain")
    (gap,) = report["gaps"]["list"]
    assert status == 1 and report["gaps"]["open"] == 1
    assert (gap["sku"], gap["warehouse"], gap["after_row"], gap["before_row"], gap["units_missing"], gap["found"]) == \
        (sku, 4, rows[0], rows[2], "1.000", "not looked up")
    assert f"between Sitoo's rows {rows[0]} and {rows[2]}: 1.000 units missing" in page
    (gap,) = fetched["gaps"]["list"]
    assert fetched_status == 0 and fetched["gaps"]["open"] == 0 and gap["found"] == "in Sitoo, not in this ledger"


@pytest.mark.parametrize("turn", range(3))
def test_the_chain_survives_kills_of_every_worker(shop, turn):
    """In a rush, workers are killed with SIGKILL again and again, and Redis once."""
    skus = [shop.fresh_sku({1: 9}) for _ in range(2)]
    for i in range(6):
        shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1} for sku in skus], "warehouse": 1})
        for name in ("stock-moved", "sale"):
            # Those killed before come back later and later: for a moment there may be none.
            shop.kill_child(name, pid=shop.wait_until(lambda name=name: shop.children(name), 30, f"{name} has children")[-1])
        if i == 3 and turn == 0:
            shop.restart_redis()
        time.sleep(0.05)
    shop.wait_quiet(90)
    status, report = verify(shop)
    assert status == 0 and report["chain"]["whole"] and report["ties"]["untied"] == 0, report


def test_an_export_holds_all_of_it(shop, tmp_path):
    status, out, err = shop.command("ledger", "export", "--to", str(tmp_path))
    assert status == 0 and "Keep this digest" in out, (out, err)
    status, report = verify(shop, "--from", str(tmp_path))
    assert status == 0 and report["ok"] and report["movements"] == len(shop.records("movement")), report
    sku = shop.records("level")[0]["sku"]
    assert history(shop, sku, "--from", str(tmp_path)).startswith(f"SKU {sku}, ")
