# SPDX-License-Identifier: Apache-2.0
"""One sale in quiet, many times: from the till to the web shop, and what of it is not the platforms' answering time."""
import random
import time

from figures import Progress, say
from rush import warm_up
from shop import plan_sales, shop

UNAVOIDABLE = 3  # the order (or the ledger), the stock of one warehouse, one write
ONE_SALE_LIMIT_S = 30


def one_sale(one, sale):
    """Rings up a sale and waits until its level is accepted: (ms from the till to accepted, calls on the way)."""
    last = one.control("/requests?since=1000000000000000")["last"]
    at = one.control("/sale", sale)["at_ms"]
    begin = time.monotonic()
    while True:
        lag = one.control(f"/report?from={at}&to={at + 1}")["span"]["till_to_accepted"]
        if lag["count"]:
            break
        if time.monotonic() - begin > ONE_SALE_LIMIT_S:
            raise TimeoutError(f"a sale in quiet was not accepted within {ONE_SALE_LIMIT_S} s")
        time.sleep(0.02)
    calls = one.control(f"/requests?since={last}")["requests"]
    return lag["worst_ms"], [call for call in calls if call["at_ms"] >= at and call.get("ms") is not None
                             and call["at_ms"] + call["ms"] <= at + lag["worst_ms"] + 1]


def wait_idle(one, rng):
    """Until all is done, and then a moment that no timer knows."""
    end = time.monotonic() + ONE_SALE_LIMIT_S
    while not one.stack.idle():
        if time.monotonic() > end:
            raise TimeoutError(f"not idle {ONE_SALE_LIMIT_S} s after a sale in quiet")
        time.sleep(0.05)
    time.sleep(0.5 + rng.random())


def short(call):
    return f"{call['platform']} {call['method']} {call['path'].rpartition('/')[2].removesuffix('.json')}"


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def run(out, set_):
    """set_: times, latency_ms, quota, limit_s, seed."""
    say(f"quiet: one sale at a time, {set_['times']} times, {set_['latency_ms']} ms a call")
    rng, progress, lags, paths = random.Random(set_["seed"]), Progress(), [], []
    with shop(out, skus=60, warehouses=4, latency_ms=set_["latency_ms"], quota=set_["quota"]) as one:
        warm_up(one, set_["limit_s"])
        for sale in plan_sales(one.sellable(), set_["times"], set_["seed"]):
            wait_idle(one, rng)
            lag, calls = one_sale(one, sale)
            lags.append(lag)
            paths.append(calls)
            progress.show(lambda: f"{len(lags)} of {set_['times']}: {lag} ms with {len(calls)} calls")
        progress.end()
        one.stack.wait_quiet(ONE_SALE_LIMIT_S)
    unavoidable = UNAVOIDABLE * set_["latency_ms"]
    counts = [len(calls) for calls in paths]
    out.add("quiet", "accepted_median", "from the till to accepted, median", median(lags), "ms")
    out.add("quiet", "accepted_worst", f"the worst of {len(lags)}", max(lags), "ms")
    out.add("quiet", "overhead", f"the median less {UNAVOIDABLE} unavoidable calls of {set_['latency_ms']} ms",
            median(lags) - unavoidable, "ms", aim=50)
    out.add("quiet", "calls", "calls made on the way, median", median(counts))
    out.add("quiet", "own_time", "the median less the time of all calls made on the way",
            median([lag - busy_ms(calls) for lag, calls in zip(lags, paths)]), "ms")
    out.detail("quiet", {"lags_ms": lags, "calls": counts, "parameters": set_, "ways": ways(paths)})


def busy_ms(calls):
    """Time in which at least one of these calls was under way."""
    total, end = 0, 0
    for begin, stop in sorted((call["at_ms"], call["at_ms"] + call["ms"]) for call in calls):
        total += max(0, stop - max(begin, end))
        end = max(end, stop)
    return total


def ways(paths):
    """{"sitoo GET orders, ...": how often}."""
    found = {}
    for calls in paths:
        name = ", ".join(short(call) for call in calls)
        found[name] = found.get(name, 0) + 1
    return found
