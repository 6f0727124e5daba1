# SPDX-License-Identifier: Apache-2.0
"""A day without events, and a day without timers: each way alone brings both sides together. An hour of the day is about a second,
and so are the sweep's intervals."""
import threading

import pytest

import sweep_day
import sweep_shop as sweep
import web_shop

EVENTS = [name for name in sweep.FUNCTIONS if name != "sweep"]
FAR = """
local n = 0
for _, queue in ipairs({'ledger', 'hooks', 'refunds', 'handover', 'catalog'}) do
  local key = ARGV[1] .. 'due:' .. queue
  local t = redis.call('TIME')
  local now = t[1] * 1000
  for _, entity in ipairs(redis.call('ZRANGEBYSCORE', key, now + 1500, now + 40000000)) do
    if redis.call('HGET', ARGV[1] .. 'job:' .. queue .. ':' .. entity, 'lease') ~= '1' then
      redis.call('ZADD', key, now + 100000000, entity)
      n = n + 1
    end
  end
end
return n
"""


class Clock:
    """Does something again and again beside the test, until it leaves."""

    def __init__(self, action, every):
        self.action, self.every, self.end, self.error = action, every, threading.Event(), None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            while not self.end.wait(self.every):
                self.action()
        except Exception as error:  # told when the test leaves
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join(20)
        assert self.error is None, self.error


@pytest.mark.long
def test_with_all_event_routes_blocked_the_sweep_alone_brings_both_sides_together(stack):
    shop = sweep.ready(sweep_day.make(stack))
    before = sweep.missed(shop)
    with sweep_day.Hole() as hole:
        shop.control("PUT", "/feed", {"url": hole.url, "append_events": False})
        shop.control("PUT", "/settings", {"hook_drop": 1})
        accepted = [shop.counter(f"accepted:{platform}") for platform in ("sitoo", "bigcommerce")]
        day = sweep_day.Day(shop)
        with Clock(lambda: sweep.now(shop, *sweep.ORDERS, *sweep.WEB), 1.0):
            for hour in range(24):
                day.hour(hour)
                # Not before the sweep has seen this hour: on a quick machine the day would be over first.
                shop.wait_until(lambda: all(day.is_open(order) for order in day.placed), 30, "its web orders are handed over")
            day.last_orders()
            shop.wait_until(lambda: not shop.control("GET", "/oracle")["feed_queue"], 10, "Sitoo has sent its events")
            shop.wait_until(lambda: not shop.redis().exists(shop.key("sweep:late")), 20, "no order waits for its event")
        sweep.ran(shop, *sweep.ORDERS, *sweep.WEB, *sweep.LEVELS)
        shop.wait_until(lambda: not shop.redis().exists(shop.key("sweep:late")), 20, "no order waits for its event")
        sweep_day.brought_together(shop)
        lost = shop.control("GET", "/stats")["hooks_lost"]
    assert [shop.counter(f"accepted:{platform}") for platform in ("sitoo", "bigcommerce")] == accepted, "an event came through"
    assert hole.taken > 50 and lost > 50, (hole.taken, lost)
    missed = {name: n - before.get(name, 0) for name, n in sweep.missed(shop).items()}
    print("business", day.counts, "events of Sitoo dropped", hole.taken, "webhooks lost", lost, "missed", missed)
    new = [row["order"] for row in shop.records("missed") if row["what"] == "sitoo_order" and row["found"] == "new"]
    assert len(new) == len(set(new)), "an order is missed once"
    assert missed["sitoo_order"] >= day.counts["sale"] + day.counts["return"] + day.counts["booking"]
    assert missed["refund"] == day.counts["refund in BigCommerce"]
    assert missed["bigcommerce_order"] >= day.counts["web order"]
    assert set(day.counts) == {"sale", "return", "goods in", "booking", "booking cancelled", "web order", "web order cancelled",
                               "refund in BigCommerce", "collected", "web purchase given back"}


@pytest.mark.long
def test_with_all_timers_stopped_events_alone_bring_both_sides_together(stack):
    """The sweep does not run, and whatever waits for a time (the ledger's poll, open orders, lists) is put off for a day."""
    shop = sweep_day.make(stack, EVENTS)
    shop.wait_quiet()
    script = shop.redis().register_script(FAR)
    put_off = [0]

    def put_far():
        put_off[0] += script(args=[shop.key("")])

    with Clock(put_far, 0.02):
        day = sweep_day.Day(shop)
        for hour in range(24):
            day.hour(hour)
            shop.wait_until(lambda: all(day.is_open(order) for order in day.placed), 30, "its web orders are handed over")
        day.last_orders()
        sweep_day.brought_together(shop)
        assert put_off[0] > 10, "no timer was put off"
    print("business", day.counts, "timers put off", put_off[0])
    assert not shop.redis().exists(shop.key("sweep")) and not web_shop.opinion(shop)["twice"]
