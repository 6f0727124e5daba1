# SPDX-License-Identifier: Apache-2.0
"""onepool shadow: what a time in shadow mode would have shown earlier, what was sold that was gone, and who disagrees.

Another integration is played by the test: it sets levels in the simulated BigCommerce, later than onepool would have."""
import csv
import datetime
import hashlib
import json
import time

import pytest

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved")
ROUTE = "/hooks/bigcommerce/stock-changed"
QUICK = ("--latency-ms", "1", "--lag-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "120")


@pytest.fixture
def shop(stack):
    one = stack(functions=FUNCTIONS, env={"ONEPOOL_MODE": "shadow"}, simulator_args=QUICK)
    yield one
    assert {request["method"] for request in one.requests(platform="bigcommerce")} <= {"GET"}, "shadow mode writes nothing"
    assert {request["method"] for request in one.requests(platform="sitoo")} <= {"GET"}


def report(shop, *options, status=0):
    code, out, err = shop.command("shadow", "--json", *options)
    assert code == status, (code, out, err)
    return json.loads(out)


def sold(shop, sku, units=1):
    """At a till; waits until onepool would have written the level, and returns it."""
    before = wanted(shop, sku)
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": units}], "warehouse": 1})
    return shop.wait_until(lambda: wanted(shop, sku) not in (None, before) and wanted(shop, sku), 20, f"{sku} is computed")


def wanted(shop, sku):
    """(level,) that onepool would have written at location 1."""
    stored = shop.redis().hget(shop.key("level:shadow"), f"1|{sku}")
    return (int(stored.split()[0]),) if stored and stored.split()[1] != "k" else None


def shown(shop, sku):
    stored = shop.redis().hget(shop.key("shadow:shown"), f"1|{sku}")
    return int(stored.split()[0]) if stored else None


def other_writes(shop, sku, level, tell=False):
    """The other integration; tell: BigCommerce sends its webhook."""
    shop.control("PUT", "/level", {"sku": sku, "location": 1, "level": level})
    if tell:
        identity = shop.identity(sku)
        data = {"product_id": identity["product_id"], "variant_id": identity["variant_id"], "location_id": 1}
        body = {"scope": "store/channel/1/inventory/product/stock_changed", "data": data,
                "hash": hashlib.sha256(f"{sku}{level}{time.time()}".encode()).hexdigest()[:40]}
        assert shop.post(ROUTE, body).status == 200


def looked_again(shop, sku):
    """Waits until BigCommerce's level was looked at after now."""
    now = int(time.time() * 1000)
    shop.redis().zadd(shop.key("shadow:due"), {f"1|{sku}": now}, xx=True)
    shop.wait_until(lambda: int((shop.redis().hget(shop.key("shadow:shown"), f"1|{sku}") or "0 0 0").split()[2]) > now, 20,
                    f"{sku} is looked at")


def places(rows):
    return {(row["location"], row["sku"]) for row in rows}


def test_another_integration_that_is_late(shop):
    """Two changes that come later by its hand, one by one and told by a webhook, or found by looking."""
    told, found = shop.fresh_sku({1: 5}), shop.fresh_sku({1: 5})
    (level, ), (level_found, ) = sold(shop, told), sold(shop, found)
    began = time.time()
    for sku in (told, found):
        looked_again(shop, sku)
    assert report(shop)["changes"]["earlier"] == 0, "nothing has come yet"
    time.sleep(2)
    looked_again(shop, told)
    looked_again(shop, found)
    kept = time.time() - began
    other_writes(shop, told, level, tell=True)
    other_writes(shop, found, level_found)
    shop.wait_until(lambda: shown(shop, told) == level, 10, "the webhook led to a look")
    shop.wait_until(lambda: shown(shop, found) == level_found, 60, "it is found without a webhook, by looking again")
    after = report(shop)
    assert {("1", told), ("1", found)} <= places(after["latest"])
    for row in after["latest"]:
        assert kept - 1 <= row["earlier_ms"] / 1000 <= time.time() - began + 5, (row, kept)
    assert after["changes"]["earlier"] == 2 and after["changes"]["waiting"] == 0
    assert min(row["earlier_ms"] for row in after["latest"]) <= after["median_ms"] <= after["worst_ms"]
    assert after["disagree"] == 0 and after["oversold_units"] == 0
    assert after["summary"].startswith("In 1 minute onepool would have shown 2 changes of stock a median of ")


def test_a_web_shop_that_moves_its_own_stock_is_no_gain(shop):
    """A web order lowers BigCommerce by itself: that onepool computes the same number is no change it brought earlier."""
    sku = shop.fresh_sku({1: 5})
    sold(shop, sku)  # known, and the other side brings it
    other_writes(shop, sku, wanted(shop, sku)[0])
    looked_again(shop, sku)
    before = report(shop)["changes"]
    other = wanted(shop, sku)
    assert not shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["refused"]
    shop.wait_until(lambda: wanted(shop, sku) != other, 20, "the order is subtracted")
    looked_again(shop, sku)
    after = report(shop)["changes"]
    assert after["earlier"] == before["earlier"] and after["already"] == before["already"] + 1


def test_what_was_sold_online_and_gone(shop):
    sku, other = shop.fresh_sku({1: 2}), shop.fresh_sku({1: 20})
    for warehouse, row in shop.stock(sku).items():
        spare = row["on_hand"] // 1000 - (2 if warehouse == 1 else 0)
        if warehouse in (1, 2, 3) and spare > 0:
            shop.control("POST", "/move", {"sku": sku, "quantity": spare, "from": warehouse, "to": 9})
    shop.control("PUT", "/level", {"sku": sku, "location": 1, "level": 2})
    assert sold(shop, sku, 2) == (0,), "the shop sold the last two"
    sold(shop, other)
    looked_again(shop, sku)
    time.sleep(1.1)  # orders are dated to the second
    numbers = []
    for quantity in (1, 1):
        made = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": quantity}, {"sku": other, "quantity": 1}]})
        assert not made["refused"], "the web shop still shows two"
        numbers.append(str(made["order_id"]))
    shop.wait_until(lambda: set(numbers) <= set(shop.redis().hkeys(shop.key("shadow:orders"))), 20, "the orders are read")
    after = report(shop)
    assert after["oversold_units"] == 2
    assert sorted((row["web_order"], row["sku"], row["units"], row["onepool"]) for row in after["oversells"]) == \
        [(number, sku, 1, 0) for number in sorted(numbers)]
    assert "2 units were sold online that were gone" in after["summary"]
    # A cancelled one was sold all the same.
    shop.control("POST", "/web-order-status", {"order_id": int(numbers[0]), "status": 5})
    shop.wait_until(lambda: numbers[0] not in shop.redis().hkeys(shop.key("pending:orders")), 20)
    assert report(shop)["oversold_units"] == 2


def test_who_stays_at_another_number(shop):
    never, other, late = (shop.fresh_sku({1: 5}) for _ in range(3))
    level = {sku: sold(shop, sku)[0] for sku in (never, other, late)}
    other_writes(shop, other, level[other] + 7)
    for sku in level:
        looked_again(shop, sku)
    assert report(shop, "--settled", "60")["disagree"] == 0, "an hour has not passed"
    other_writes(shop, late, level[late])
    time.sleep(1)
    for sku in level:
        looked_again(shop, sku)
    after = report(shop, "--settled", "0")
    rows = {row["sku"]: row for row in after["disagreements"]}
    assert set(rows) == {never, other} and after["disagree"] == 2
    assert (rows[other]["shown"], rows[other]["onepool"]) == (level[other] + 7, level[other])
    assert "no change of it was seen" in rows[never]["reason"] and "not known" in rows[other]["reason"]
    assert "2 SKUs disagree" in after["summary"]


def test_text_and_file(shop, tmp_path):
    code, out, _ = shop.command("shadow")
    assert code == 0 and "Nothing is recorded yet" in out
    sku = shop.fresh_sku({1: 5})
    (level, ) = sold(shop, sku)
    looked_again(shop, sku)
    time.sleep(1)
    looked_again(shop, sku)
    other_writes(shop, sku, level, tell=True)
    shop.wait_until(lambda: shown(shop, sku) == level, 10)
    file = tmp_path / "shadow.csv"
    code, out, err = shop.command("shadow", "--csv", str(file))
    assert code == 0, err
    first, *lines = out.splitlines()
    assert first.startswith("In 1 minute onepool would have shown 1 change of stock a median of ") and first.endswith(
        "0 units were sold online that were gone; 0 SKUs disagree.")
    assert any(f"{sku} at location 1: {level} at " in line for line in lines)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    (row, ) = [row for row in rows if row["sku"] == sku and row["location"] == "1"]
    assert (row["what"], row["onepool"], row["outcome"]) == ("change", str(level), "earlier")
    assert row["at"] < row["shown_at"]
    # --since: nothing happened from then on.
    soon = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    assert report(shop, "--since", soon)["changes"]["earlier"] == 0
    assert report(shop, "--since", "2020-01-01T00:00:00Z")["changes"]["earlier"] == 1


def test_bad_options_are_named(shop):
    for options, word in ((["--since", "yesterday"], "--since"), (["--since", "2099-01-01T00:00:00Z"], "has been")):
        code, out, err = shop.command("shadow", *options)
        assert code == 2 and word in err and not out
    assert shop.command("shadow", "--rows")[0] == 2
    assert shop.command("shadow", "--settled", "-1")[0] == 2


def test_looking_costs_little_and_has_an_end(shop):
    """Many SKUs are looked at in few calls; a place that agrees is left alone for hours, one that does not is asked more seldom."""
    skus = [shop.fresh_sku({1: 2}) for _ in range(30)]
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1} for sku in skus], "warehouse": 1})
    shop.wait_until(lambda: all(wanted(shop, sku) for sku in skus), 30)
    other_writes(shop, skus[0], wanted(shop, skus[0])[0])
    for sku in skus:
        shop.redis().zadd(shop.key("shadow:due"), {f"1|{sku}": int(time.time() * 1000)}, xx=True)
    since = shop.last_request()
    shop.wait_until(lambda: shown(shop, skus[0]) == wanted(shop, skus[0])[0], 10)
    time.sleep(3)
    looks = [one for one in shop.requests(since, "bigcommerce") if "/v3/inventory/items" in one["path"]]
    assert 1 <= len(looks) <= 6, len(looks)
    redis, now = shop.redis(), time.time() * 1000
    assert redis.zscore(shop.key("shadow:due"), f"1|{skus[0]}") > now + 5 * 3600 * 1000
    # As if they had been written long ago: asked every ten minutes, then hourly.
    for age_ms, least, most in ((3600000, 500000, 700000), (3 * 86400000, 3000000, 3700000)):
        stored = redis.hget(shop.key("level:shadow"), f"1|{skus[1]}").split()
        stored[2] = str(int(time.time() * 1000) - age_ms)
        redis.hset(shop.key("level:shadow"), f"1|{skus[1]}", " ".join(stored))
        looked_again(shop, skus[1])
        wait = redis.zscore(shop.key("shadow:due"), f"1|{skus[1]}") - time.time() * 1000
        assert least < wait < most, (age_ms, wait)


def test_live_mode_records_nothing(stack):
    one = stack(functions=FUNCTIONS, simulator_args=QUICK)
    sku = one.fresh_sku({1: 3})
    one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    one.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})
    one.wait_quiet()
    assert not [key for key in one.redis().scan_iter(one.key("shadow*"))]
    code, out, _ = one.command("shadow")
    assert code == 0 and "onepool is live" in out
