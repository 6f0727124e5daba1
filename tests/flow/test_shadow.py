# SPDX-License-Identifier: Apache-2.0
"""Shadow mode: everything is read, computed and recorded, and not one write leaves."""
import json

import pytest


@pytest.fixture(scope="module")
def shadow(module_stack):
    """A stack in shadow mode after a day, with nothing left to do."""
    one = module_stack(env={"ONEPOOL_MODE": "shadow"})
    one.control("POST", "/day", {"scale": 0.3})
    one.wait_until(lambda: one.control("GET", "/day")["finished"], 60, "the day is over")
    day = one.control("GET", "/day")
    assert day["error"] is None and day["counts"]["sales"] > 50
    # Web orders without a till sale are seen by the poll: one more look after the last of them.
    last = one.control("GET", "/requests")["last"]
    one.wait_until(lambda: any(r["path"].endswith("/v2/orders") and r["status"] in (200, 204)
                               for r in one.requests(last, "bigcommerce")), 15, "web orders are read once more")
    one.wait_until(lambda: not one.control("GET", "/oracle")["feed_queue"] and one.idle(), 30, "all work done")
    return one


def shadow_levels(one):
    """{(location, sku): (level, state)}"""
    stored = one.redis().hgetall(one.key("level:shadow"))
    return {(int(field.partition("|")[0]), field.partition("|")[2]): (int(value.split()[0]), value.split()[1])
            for field, value in stored.items()}


def test_not_one_write_left(shadow):
    stats = shadow.control("GET", "/stats")
    assert (stats["writes"], stats["levels_written"]) == (0, 0)
    assert stats["calls"]["bigcommerce"] > 10
    seen = shadow.requests()
    assert len(seen) == shadow.last_request() < 5000, "the record was too short to see all requests"
    assert {one["method"] for one in seen} == {"GET"}
    assert {one["body"] for one in seen} == {""}


def test_intended_writes_are_recorded(shadow):
    intended = shadow.redis().xrange(shadow.key("shadow"))
    assert intended
    last = {}
    for _, fields in intended:
        assert (fields["kind"], fields["path"]) == ("levels", "/v3/inventory/adjustments/absolute")
        intent = json.loads(fields["intent"])
        assert intent["levels"]
        last.update(intent["levels"])
    assert {f"{row['location']}|{row['sku']}": row["level"] for row in shadow.records("shadow_level")} == last
    assert not shadow.redis().exists(shadow.key("intents"))
    assert not shadow.redis().exists(shadow.key("unconfirmed"))
    assert shadow.records("level") == []


def test_levels_in_shadow_are_what_the_oracle_expects(shadow):
    levels = shadow_levels(shadow)
    skus = {sku for _, sku in levels}
    assert len(skus) > 20
    expected = {(location, sku): row["expected"] for sku in skus for location, row in shadow.explain(sku).items()}
    assert {place: level for place, (level, _) in levels.items()} == {place: expected[place] for place in levels}


def test_every_level_that_should_have_been_written_is_in_shadow(shadow):
    levels = shadow_levels(shadow)
    world = shadow.control("GET", "/world?stock=0")
    missing = []
    for sku in (one["sku"] for one in world["skus"] if one["kind"] in ("variant", "simple")):
        for location, row in shadow.explain(sku).items():
            if row["expected"] != row["actual"] and levels.get((location, sku), (None,))[0] != row["expected"]:
                missing.append((location, sku, row["expected"], row["actual"], levels.get((location, sku))))
    assert missing == []


def test_live_levels_are_not_touched(shadow):
    assert not shadow.redis().exists(shadow.key("level:live"))


def test_sales_and_returns_are_recorded_all_the_same(shadow):
    counts, report = shadow.control("GET", "/day")["counts"], shadow.control("GET", "/report")
    assert len(shadow.records("sale")) == report["till_rows"] >= counts["sales"]
    returned = [name for name in shadow.cases() if name.startswith("return_manual:")]
    assert len(returned) == counts["returns"]
