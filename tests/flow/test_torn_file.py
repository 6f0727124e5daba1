# SPDX-License-Identifier: Apache-2.0
"""The power fails while Redis writes a transaction to its append-only file. Redis 7.0 cuts the torn command off and leaves the
transaction open in the file (mended by github.com/valkey-io/valkey/pull/4342); what follows is appended behind it, and at the
next start the torn half happens together with its repetition. What is counted must not count twice then."""
import pytest

from test_epoch import FUNCTIONS, Business, file_is_new, shop_of

COUNTED = {"orders": "withheld:r", "ledger": "withheld:l"}


def torn_after_count(data, key, place):
    """Where to cut: within the command that follows HINCRBY of that key and place, before its transaction's EXEC."""
    counted = data.rindex(b"HINCRBY\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(place), place))
    following = data.index(b"\r\n*", counted) + 2
    assert data.rfind(b"MULTI\r\n", 0, counted) > data.rfind(b"EXEC\r\n", 0, counted), "it is part of a transaction"
    assert data.index(b"EXEC\r\n", counted) > following
    return following + 5


@pytest.mark.parametrize("side", COUNTED)
def test_torn_transaction_counts_once_after_the_next_start(stack, side):
    shop = shop_of(stack)
    file_is_new(shop)
    business = Business(shop)
    business.play()
    business.check()
    log = max((shop.folder / "redis" / "appendonlydir").glob("*.incr.aof"))
    for name in FUNCTIONS:
        assert shop.processes[name].stop()
    shop.stop_redis(True)
    cut = torn_after_count(log.read_bytes(), shop.key(COUNTED[side]).encode(), f"1|{business.back}".encode())
    with open(log, "r+b") as file:
        file.truncate(cut)
    shop.start_redis()
    for name in FUNCTIONS:
        shop.start_function(name)
    shop.wait_until(lambda: "redis_epoch" in " ".join(shop.cases()), 15, "the loss is noticed")
    business.check()
    file_is_new(shop)
    shop.restart_redis()
    shop.wait_until(lambda: shop.get("/ready").status == 200, 20, "Redis is back")
    business.sell_more()
    business.check()
    assert "can not be nested" not in shop.logs("redis")


def test_redis_that_refuses_to_rewrite_is_told_and_stops_nothing(stack):
    """A user of Redis without BGREWRITEAOF: a warning says what may happen, levels are written all the same."""
    shop = shop_of(stack)
    file_is_new(shop)
    shop.redis().execute_command("ACL", "SETUSER", "default", "-bgrewriteaof")
    assert shop.processes["stock-moved"].stop()
    shop.redis().hdel(shop.key("epoch"), "rewritten")
    shop.start_function("stock-moved")
    shop.wait_until(lambda: "Redis's file is not written anew" in shop.logs("stock-moved"), 20, "the refusal is told")
    business = Business(shop)
    business.play()
    business.check()
    assert shop.redis().hget(shop.key("epoch"), "rewritten") is None
    assert shop.logs("stock-moved").count("Redis's file is not written anew") == 1
