# SPDX-License-Identifier: Apache-2.0
"""A rush at the tills: lags, calls and memory while thousands of sales come in a minute."""
import time

from figures import Progress, say
from machine import private_bytes
from shop import Seller, plan_sales, shop

ACCEPTORS, WORKERS = 16, 1  # as deploy/env.example presets them
STARTS = 20
WARM_UP_LATENCY_MS = 5  # the quota stays
MIB = 1024 * 1024


def warm_up(one, limit_s):
    """Lets onepool compute every SKU once, as a shop that has been running has done: which BigCommerce item a SKU is,
    and what each warehouse holds, are then remembered."""
    skus = sorted({sku for sku, _, _ in one.sellable()})
    library = one.stack.redis().execute_command("FUNCTION", "LIST", "LIBRARYNAME", "onepool_*")[0]
    function = "apply_" + library[1].removeprefix("onepool_")
    pipe = one.stack.redis().pipeline(transaction=False)
    for sku in skus:
        pipe.execute_command("FCALL", function, 1, "{default}", "mark", "sku", sku, "0", "", "")
    pipe.execute()
    progress, begin = Progress(), time.monotonic()
    one.settings({"latency_ms": WARM_UP_LATENCY_MS})
    while not one.stack.idle():
        if time.monotonic() - begin > limit_s:
            raise TimeoutError(f"the first look at {len(skus)} SKUs took longer than {limit_s} s")
        progress.show(lambda: f"first look at {len(skus)} SKUs: {one.control('/stats')['calls']} calls")
        time.sleep(0.2)
    progress.end()
    one.settings({"latency_ms": one.latency_ms})
    return time.monotonic() - begin


def wait_for_window(one):
    """Until BigCommerce's window is new, so that every run begins with the same quota."""
    time.sleep(one.control("/stats")["window_ms_left"] / 1000 + 0.1)


def wait_right(one, limit_s, progress):
    """(seconds until the last level was right, seconds until all was confirmed too, calls until each); None: not
    within the limit. From now."""
    begin, right = time.monotonic(), None
    calls = one.control("/stats")["calls"]
    while time.monotonic() - begin < limit_s:
        oracle = one.control("/oracle")
        now = time.monotonic() - begin
        if oracle["ok"] and not oracle["feed_queue"]:
            stats = one.control("/stats")
            if right is None:
                right, calls = now, stats["calls"]
            if one.stack.idle():
                return right, now, calls, stats["calls"]
        elif right is not None:
            right = None  # right for a moment only
        progress.show(lambda: f"{now:.0f} s after the last sale: {oracle['wrong']} of {oracle['checked']} levels "
                              f"not right yet, {oracle['feed_queue']} events with the sender")
        time.sleep(0.2)
    return right, None, calls, one.control("/stats")["calls"]


def memory(one):
    """{"acceptor": worst private bytes, "worker": worst}. Children start in this order: acceptors, then workers."""
    found = {"acceptor": [], "worker": []}
    for name, process in one.stack.processes.items():
        if not process.function:
            continue
        children = one.stack.children(name)
        if len(children) != ACCEPTORS + WORKERS or "child ended" in one.stack.logs(name):
            raise RuntimeError(f"{name}: a child was replaced, so which is which is not known")
        for position, pid in enumerate(children):
            found["acceptor" if position < ACCEPTORS else "worker"].append((private_bytes(pid), name))
    return {kind: max(rows) for kind, rows in found.items()}


def redis_use(one):
    info = one.stack.redis().info("memory")
    return info["used_memory"]


def start_to_accepted(one, times=STARTS):
    """Seconds from starting the process of sitoo-events to its first 200 through nginx, sorted."""
    order = one.control("/sale", {"rows": [{"sku": one.sellable()[0][0], "quantity": 1}], "warehouse": 1})["order_id"]
    took = []
    for number in range(times):
        one.stack.processes["sitoo-events"].stop()
        event = [{"event_id": f"start-{number}-{time.time_ns()}", "event_type": "order",
                  "event_date": int(time.time()), "account_id": 1500,
                  "data": {"eshop_id": 1, "order_id": order, "order_event_type": "update", "warehouse_id": 1}}]
        begin = time.monotonic()
        one.stack.start_function("sitoo-events", wait=False)
        while one.stack.post("/hooks/sitoo", event).status != 200:
            if time.monotonic() - begin > 20:
                raise TimeoutError("sitoo-events does not accept within 20 s of its start")
            time.sleep(0.001)
        took.append(time.monotonic() - begin)
    return sorted(took)


def run(out, set_):
    """set_: sales, seconds, skus, warehouses, latency_ms, quota, warm, limit_s, seed."""
    say(f"rush: {set_['sales']:,} sales in {set_['seconds']} s, {set_['skus']:,} SKUs, "
        f"{set_['warehouses']} warehouses, {set_['latency_ms']} ms a call, BigCommerce {set_['quota']} per 30 s, "
        f"one Sitoo key")
    env = {"ONEPOOL_ACCEPTORS": ACCEPTORS, "ONEPOOL_WORKERS": WORKERS}
    with shop(out, skus=set_["skus"], warehouses=set_["warehouses"], latency_ms=set_["latency_ms"], quota=set_["quota"],
              env=env) as one:
        if set_["warm"]:
            out.detail("rush", {"warm_up_s": warm_up(one, set_["limit_s"])})
        wait_for_window(one)
        measure(out, set_, one)


def measure(out, set_, one):
    sales = plan_sales(one.sellable(), set_["sales"], set_["seed"])
    one.control("/reset-stats", {})
    redis_before, cpu_before, begin = redis_use(one), one.cpu(), time.monotonic()
    seller, progress = Seller(one.stack.simulator_urls["control"]), Progress()
    seller.run(sales, set_["seconds"], lambda sold: progress.show(lambda: (
        f"{sold:,} sold, {one.control('/stats')['events_queued']:,} events with the sender, "
        f"calls {one.control('/stats')['calls']}")))
    right, confirmed, calls, calls_all = wait_right(one, set_["limit_s"], progress)
    progress.end()
    span = time.monotonic() - begin
    cpu = {name: round((after - cpu_before.get(name, 0)) / span, 3) for name, after in one.cpu().items()}
    report, stats, oracle = one.control("/report"), one.control("/stats"), one.control("/oracle?full=1")
    tell_pace(out, set_, seller)
    tell_lags(out, report)
    tell_calls(out, len(sales), calls, calls_all, stats)
    out.add("rush", "last_level_right", "last level right, after the last sale", right, "s")
    out.add("rush", "all_confirmed", "all work done and confirmed, after the last sale", confirmed, "s")
    out.add("rush", "levels_right", "levels right", f"{oracle['checked'] - oracle['wrong']} of {oracle['checked']}")
    tell_memory(out, one, (redis_use(one) - redis_before) / stats["events_made"])
    out.detail("rush", {"parameters": set_, "cores_used": cpu, "report": report, "stats": stats,
                        "cases": sorted(one.stack.cases())[:20]})
    if not oracle["ok"] or right is None:
        out.problem("rush", f"{oracle['wrong']} levels were not right {set_['limit_s']} s after the last sale")
    for name in ("quota_violations", "overlapping_writes", "events_lost", "unmapped_writes"):
        if stats[name]:
            out.problem("rush", f"{name}: {stats[name]}")
    if set_["starts"]:
        took = start_to_accepted(one, set_["starts"])
        out.add("rush", "start_to_accepted",
                f"start of sitoo-events to its first accepted event (median of {len(took)})",
                took[len(took) // 2] * 1000, "ms", aim=100)
        out.detail("rush", {"starts_ms": [round(t * 1000, 1) for t in took]})


def tell_pace(out, set_, seller):
    wanted = set_["sales"] / set_["seconds"]
    out.add("rush", "sales_per_second", f"sales rung up per second (wanted {wanted:.1f})", seller.rate(), "/s")
    out.add("rush", "latest_sale", "the latest that a sale was behind its plan", seller.late_s, "s")
    if seller.rate() < 0.98 * wanted:
        out.problem("rush", f"the pace was not kept: {seller.rate():.1f} instead of {wanted:.1f} sales per second")


def tell_lags(out, report):
    for kind in ("accepted", "confirmed"):
        lag = report[f"till_to_{kind}"]
        for name, key in (("median", "median_ms"), ("p99", "p99_ms")):
            value = None if lag[key] is None else lag[key] / 1000
            out.add("rush", f"{kind}_{name}", f"from the till to {kind}, {name}", value, "s",
                    aim=3 if (kind, name) == ("accepted", "p99") else None)
    out.add("rush", "rows_without_a_write", "rows that needed no write (BigCommerce offered no more than that)",
            report["not_applicable"] + report["settled_without_write"])


def tell_calls(out, sales, calls, calls_all, stats):
    per = 1000 / sales
    for platform, count in calls.items():
        out.add("rush", f"calls_{platform}", f"calls to {platform} per 1,000 sales, until the last level was right",
                count * per)
    out.add("rush", "calls", "calls to both per 1,000 sales, until the last level was right", sum(calls.values()) * per,
            aim=40)
    out.add("rush", "calls_to_the_end", "the same until all was confirmed", sum(calls_all.values()) * per)
    out.add("rush", "caused_429", "429 answers that we caused", stats["quota_violations"] + stats["caused_429"], aim=0)


def tell_memory(out, one, redis_bytes):
    out.add("rush", "redis_bytes", "Redis memory per event, all keys that the rush made or filled", redis_bytes,
            "bytes")
    for kind, (size, name) in memory(one).items():
        out.add("rush", f"memory_{kind}", f"private memory of the largest {kind} ({name})", size / MIB, "MiB",
                aim={"acceptor": 4, "worker": 8}[kind])
