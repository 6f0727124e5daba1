# SPDX-License-Identifier: Apache-2.0
"""Redis loses everything, or its last part, while onepool runs and while it does not. No level may rise from what is left;
afterwards everything is as the formula says: web orders subtracted, refunds withheld."""
import random
import shutil

import pytest

from stack import shop_mapping

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved")


def shop_of(stack):
    """The folder of the state file lies beside the stack's own files."""
    one = stack(functions=(), mapping=shop_mapping())
    folder = one.folder / "state"
    folder.mkdir()
    one.env_overrides["ONEPOOL_STATE_DIR"] = str(folder)
    for name in FUNCTIONS:
        one.start_function(name)
    one.wait_until(lambda: one.get("/ready").status == 200, 20, "GET /ready = 200")
    one.wait_until(lambda: one.redis().hget(one.key("epoch"), "state") == "whole", 10, "the first start is over")
    one.wait_until(lambda: one.redis().hget(one.key("cursor"), "ledger"), 10, "the ledger's beginning is known")
    return one


class Business:
    """A web order that holds stock, a refund that is withheld, a sale, a booking; and what has to stay true of them."""

    def __init__(self, shop):
        self.shop = shop
        self.web, self.back, self.sold, self.booked = (shop.fresh_sku({1: 4}) for _ in range(4))
        self.first_request = shop.last_request()

    def play(self):
        rows = [{"sku": self.web, "quantity": 2}]
        self.shop.control("POST", "/web-order", {"rows": rows})
        self.shop.control("POST", "/return", {"rows": [{"sku": self.back, "quantity": 1, "reason": "101"}], "warehouse": 1})
        self.shop.control("POST", "/sale", {"rows": [{"sku": self.sold, "quantity": 1}], "warehouse": 1})
        self.shop.control("POST", "/booking", {"rows": [{"sku": self.booked, "quantity": 1}], "warehouse": 1})

    def sell_more(self):
        self.shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1} for sku in (self.web, self.back, self.sold)],
                                            "warehouse": 1})

    def check(self):
        """Everything settles by the formula; the returned unit stays withheld; nothing was offered too high meanwhile."""
        self.shop.wait_quiet(60)
        assert self.shop.redis().hget(self.shop.key("epoch"), "state") == "whole"
        assert int(self.shop.redis().hget(self.shop.key("withheld:l"), f"1|{self.back}") or 0) == 1000
        assert int(self.shop.redis().hget(self.shop.key("withheld:r"), f"1|{self.back}") or 0) == 1000
        assert self.shop.redis().hget(self.shop.key("pending:qty"), f"0|{self.web}") == "2000"
        assert self.shop.control("GET", "/report")["units_sold_twice"]["outside"] == 0

    def raised(self, since):
        """Levels of the two guarded SKUs written after that request above what the formula says now."""
        found = []
        for sku in (self.web, self.back):
            right = {location: row["expected"] for location, row in self.shop.explain(sku).items()}
            found += [(sku, location, level) for location, level in self.shop.written(sku, since) if level > right[location]]
        return found


def file_is_new(shop):
    """Redis's file was written anew since Redis started (functions/stock-moved/aof.h), and stays the same from now on."""
    shop.wait_until(lambda: shop.redis().hget(shop.key("epoch"), "rewritten") == shop.redis().info("server")["run_id"], 20,
                    "Redis's file is written anew")


def lossy(shop):
    return int(shop.redis().hget(shop.key("count"), "epochs:lossy") or 0) > 0


def test_first_start_is_new_and_then_whole(stack):
    shop = shop_of(stack)
    assert not lossy(shop)
    business = Business(shop)
    business.play()
    business.check()
    shop.restart_redis()
    business.sell_more()
    business.check()
    assert not lossy(shop), "a restart that lost nothing is no loss"
    assert not [case for case in shop.cases() if case.startswith("redis_epoch")]


def test_redis_emptied_while_running_is_noticed_and_rebuilt(stack):
    shop = shop_of(stack)
    business = Business(shop)
    business.play()
    business.check()
    since = shop.last_request()
    shop.redis().flushall()
    business.sell_more()
    shop.wait_until(lambda: lossy(shop), 10, "the loss is noticed")
    business.check()
    assert business.raised(since) == []
    assert [case for case in shop.cases() if case.startswith("redis_epoch")], "nobody is told"
    assert "Redis lost data" in shop.logs("stock-moved")


def test_redis_that_comes_back_empty_is_noticed_by_a_stack_that_starts_with_it(stack):
    shop = shop_of(stack)
    business = Business(shop)
    business.play()
    business.check()
    for name in FUNCTIONS:
        assert shop.processes[name].stop()
    shop.stop_redis(False)
    shutil.rmtree(shop.folder / "redis" / "appendonlydir")
    since = shop.last_request()
    business.sell_more()
    shop.start_redis()
    for name in FUNCTIONS:
        shop.start_function(name)
    shop.wait_until(lambda: lossy(shop), 10, "the loss is noticed")
    business.check()
    assert business.raised(since) == []


@pytest.mark.long
@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "before a start"])
def test_append_only_file_cut_at_many_places(stack, running):
    """Each cut loses another part of the last business. The processes go on with what they remember, or start anew
    with the state file."""
    rng = random.Random(20261123)
    shop = shop_of(stack)
    for round_ in range(4):
        business = Business(shop)
        shop.wait_quiet()
        file_is_new(shop)
        log = max((shop.folder / "redis" / "appendonlydir").glob("*.incr.aof"))
        start = log.stat().st_size
        business.play()
        shop.wait_quiet()
        shop.wait_until(lambda: shop.idle(), 10, "all work done")
        if not running:
            for name in FUNCTIONS:
                assert shop.processes[name].stop()
        shop.stop_redis(True)
        end = log.stat().st_size
        cut = rng.randrange(start, start + (end - start) * 8 // 10)  # what follows may be lease keeping only
        with open(log, "r+b") as file:
            file.truncate(cut)
        since = shop.last_request()
        shop.start_redis()
        shop.redis().hdel(shop.key("count"), "epochs:lossy")
        if not running:
            for name in FUNCTIONS:
                shop.start_function(name)
        shop.wait_until(lambda: "redis_epoch" in " ".join(shop.cases()), 15, f"round {round_}: the cut at {cut} is noticed")
        business.sell_more()
        business.check()
        assert business.raised(since) == [], f"round {round_}, cut at {cut} of {start}..{end}"
        for case in list(shop.cases()):
            if case.startswith("redis_epoch"):
                shop.fcall("unpark", case, "close")


def test_status_says_why_levels_stand_still_and_until_when(stack):
    """The platform that the rebuild reads is away: /status, the metrics and the command name the step and the trouble."""
    shop = shop_of(stack)
    Business(shop).play()
    shop.wait_quiet()
    assert shop.status()["epoch"]["state"] == "whole"
    assert not shop.status()["epoch"]["levels_held"]
    shop.control("PUT", "/faults/bigcommerce", {"seed": 1, "rules": [{"kind": "status", "status": 503, "path": "/orders"}]})
    shop.redis().flushall()
    # Each try begins anew, so the step named is for a moment another one; and between two tries the budget says to wait.
    held = shop.wait_until(lambda: [epoch for epoch in [shop.status()["epoch"]] if "503" in ((epoch["rebuild"] or {}).get("problem") or "")
                                    and epoch["rebuild"]["step"] == "web_orders"], 20, "the rebuild says what it waits for")[0]
    assert (held["state"], held["levels_held"], held["cause"]) == ("lossy", True, "Redis is empty or another one")
    assert held["since_ms"] > 0 and 0 <= held["age_ms"] < 60000
    text = shop.get("/metrics", internal=True).body.decode()
    assert 'onepool_redis_epoch{state="lossy"} 1\n' in text and "onepool_levels_held 1\n" in text
    page = shop.wait_until(lambda: [text for text in [shop.command("status")[1]] if "step 3 of 4, web orders that hold stock" in text],
                           20, "the command names the step")[0]
    assert "-> Levels stand still: Redis lost data (Redis is empty or another one)." in page
    shop.control("DELETE", "/faults")
    shop.wait_until(lambda: shop.status()["epoch"]["state"] == "whole", 30, "the rebuild is over")
    whole = shop.status()["epoch"]
    assert (whole["levels_held"], whole["rebuild"], whole["cause"]) == (False, None, None)
    assert whole["since_ms"] > held["since_ms"]
    shop.wait_quiet(60)
    assert "Levels stand still" not in shop.command("status")[1]
