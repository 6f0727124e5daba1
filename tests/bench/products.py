# SPDX-License-Identifier: Apache-2.0
"""The first load of many products, whole and killed in the middle; and sales beside a new price for everything."""
import contextlib
import json
import math
import random
import signal
import subprocess
import sys
import time

from figures import Progress, say
from machine import ROOT
from shop import flow, note_redis, plan_sales

import catalog_shop  # tests/flow, which shop.py has put on the path

LOAD_LIMIT_S = 1800
PRICE_FACTOR = 110
RATE = 2  # sales per second beside it


@contextlib.contextmanager
def products_shop(out, set_, skus, web=0, family=1, debounce_s=0):
    arguments = ("--skus", skus, "--warehouses", 4, "--latency-ms", set_["latency_ms"], "--quota", set_["quota"], "--web-products", web,
                 "--family-size", family, "--lag-ms", 300)
    stack = flow.Stack(functions=catalog_shop.FUNCTIONS, mapping=catalog_shop.products_mapping(debounce_s=debounce_s),
                       env={"ONEPOOL_LOG": "info"}, simulator_args=arguments)
    try:
        stack.start()
        note_redis(out, stack)
        yield stack
    except BaseException:
        print(stack.log_tails(15), file=sys.stderr)
        raise
    finally:
        stack.stop()
        stack.remove()


def command(stack, *words):
    return subprocess.Popen([ROOT / "build" / "onepool", *words], env=stack.settings(), cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)


def answer_of(process):
    out, _ = process.communicate(timeout=LOAD_LIMIT_S)
    answer = json.loads(out)
    if process.returncode != 0:
        raise RuntimeError(f"onepool load: {answer}")
    return answer


def calls(stack):
    return stack.control("GET", "/stats")["by_route"]


def difference(after, before):
    return {platform: {route: n - before.get(platform, {}).get(route, 0) for route, n in routes.items()
                       if n > before.get(platform, {}).get(route, 0)} for platform, routes in after.items()}


def total(counted):
    return sum(n for routes in counted.values() for n in routes.values())


def least(variants, families, in_sitoo, products):
    """The fewest calls that can do it: what BigCommerce has in pages of 250, what Sitoo has in pages of 1,000, made by 200, a
    family each."""
    return (math.ceil(products / 250) + math.ceil(variants / 250) + math.ceil(in_sitoo / 1000) + math.ceil(variants / 200) + families)


def load_once(out, set_, kill):
    name = "killed in the middle" if kill else "whole"
    variants, family = set_["variants"], set_["family"]
    with products_shop(out, set_, 20, variants, family) as stack:
        for function in ("product-updated", "stock-moved"):  # the load alone is counted
            stack.processes[function].stop()
        plan = answer_of(command(stack, "load", "--json"))
        before, begin, progress = calls(stack), time.monotonic(), Progress()
        process, killed_at = command(stack, "load", "--json", "--apply", plan["id"]), 0
        while process.poll() is None:
            made = stack.control("GET", "/stats")["products_created"]
            progress.show(lambda: f"{name}: {made} of {variants} SKUs made, {time.monotonic() - begin:.0f} s")
            if kill and not killed_at and made >= variants // 2:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed_at = made
                process = command(stack, "load", "--json", "--apply", plan["id"])
            time.sleep(0.2)
        progress.end()
        done = answer_of(process)
        used, stats, opinion = difference(calls(stack), before), stack.control("GET", "/stats"), stack.control("GET", "/catalog-oracle")
        wanted = least(plan["variants"], plan["families"], 60, plan["products"])
        took = time.monotonic() - begin
        key = "killed" if kill else "load"
        out.add(key, "seconds", f"first load of {plan['variants']} SKUs in {plan['products']} products, {name}", took, "s")
        out.add(key, "calls", "calls used", total(used))
        out.add(key, "least", "the least possible", wanted)
        out.add(key, "ratio", "calls used by the least possible", total(used) / wanted, "x", aim=None if kill else 1.2)
        out.add(key, "made", "SKUs made", stats["products_created"])
        out.add(key, "twice", "made twice", stats["created_twice"], aim=0)
        out.add(key, "missing", "skipped, or wrong at the end", len(opinion["missing"]) + len(opinion["wrong"]), aim=0)
        out.detail(key, {"calls": used, "plan": {k: v for k, v in plan.items() if k != "rows"}, "answer": done, "killed_at": killed_at})
        if kill and not killed_at:
            out.problem(key, "it ended before it was killed")


def run_load(out, set_):
    """set_: variants, family, latency_ms, quota."""
    say(f"load: {set_['variants']} variants in families of {set_['family']}, {set_['latency_ms']} ms a call, one call in flight")
    load_once(out, set_, False)
    load_once(out, set_, True)


# ---------------------------------------------------------------- prices beside sales

def sell(stack, sales, until):
    """Single sales at an even pace until until() is true or they are sold out; (from, to) in ms."""
    first = last = None
    begin = time.monotonic()
    for n, sale in enumerate(sales):
        time.sleep(max(0.0, begin + n / RATE - time.monotonic()))
        last = stack.control("POST", "/sale", sale)["at_ms"]
        first = first or last
        if until(n):
            break
    return first, last + 1


def lag(stack, span):
    stack.wait_until(lambda: stack.idle(), 120, "all sales are in the web shop")
    return stack.control("GET", f"/report?from={span[0]}&to={span[1]}")["span"]["till_to_accepted"]


def run_prices(out, set_):
    """set_: products, seconds, latency_ms, quota, seed."""
    say(f"prices: {set_['products']} products get a new price while single sales go on")
    with products_shop(out, {**set_, "latency_ms": 0}, set_["products"] + 7, debounce_s=2) as stack:
        answer_of(command(stack, "load", "--json", "--apply", answer_of(command(stack, "load", "--json"))["id"]))
        catalog_shop.with_hooks(stack)
        stack.wait_until(lambda: stack.idle() and not catalog_shop.due(stack), 300, "the load is over")
        stack.control("PUT", "/settings", {"latency_ms": set_["latency_ms"]})
        world = stack.control("GET", "/world")
        places = [(sku, 1, row["on_hand"] // 1000) for sku, row in world["stock"]["1"].items()
                  if sku.startswith("SKU-") and row["on_hand"] - row["reserved"] >= 2000]
        sales = plan_sales(places, min(sum(p[2] for p in places), 4000), set_["seed"])
        random.Random(set_["seed"]).shuffle(sales)
        many = set_["seconds"] * RATE
        quiet = lag(stack, sell(stack, sales[:many], lambda n: False))
        begin, stats = time.monotonic(), stack.control("GET", "/stats")
        changed = stack.control("PUT", "/bc-prices", {"factor_percent": PRICE_FACTOR, "count": set_["products"]})["products"]
        progress, found = Progress(), {}

        def all_right(n):
            if n % (5 * RATE) == 0:
                found.update(stack.control("GET", "/catalog-oracle"))
                progress.show(lambda: f"{time.monotonic() - begin:.0f} s, right: {found['ok']}, due: {catalog_shop.due(stack)}")
            return bool(found.get("ok")) and n >= many
        span = sell(stack, sales[many:], all_right)
        took = time.monotonic() - begin
        progress.end()
        busy, after = lag(stack, span), stack.control("GET", "/stats")
        out.add("prices", "quiet", "a sale in quiet, from the till to accepted, median", quiet["median_ms"], "ms")
        out.add("prices", "quiet_p95", "95th", quiet["p95_ms"], "ms")
        out.add("prices", "busy", f"the same while {changed} products get a new price, median", busy["median_ms"], "ms")
        out.add("prices", "busy_p95", "95th", busy["p95_ms"], "ms")
        out.add("prices", "ratio", "median beside quiet", busy["median_ms"] / quiet["median_ms"], "x", aim=2)
        out.add("prices", "seconds", "until every price is in the tills", took if found.get("ok") else None, "s")
        out.add("prices", "calls", "calls to Sitoo and BigCommerce meanwhile", sum(after["calls"].values()) - sum(stats["calls"].values()))
        if not found.get("ok"):
            out.problem("prices", f"not all prices are right: {json.dumps(found)[:300]}")
