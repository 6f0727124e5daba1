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
IN_BOTH = 20  # SKUs that both shops have before a load
AIM = 1.2  # calls, by the least possible
PRICE_FACTOR = 110
PRICE_LIMIT_S = 1200
PRICE_SKUS = 400  # that are sold; both shops have them from the start
FEW_DUE = 50
LOOK_EVERY = 4  # sales
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


def sum_calls(counted):
    return sum(n for routes in counted.values() for n in routes.values())


def least_calls(plan, in_sitoo):
    """The fewest that can do it, by kind. reading: what BigCommerce has in pages of 250, what Sitoo has in pages of 1,000, and how
    both shops are set (their own settings, tax classes, VAT groups, price lists)."""
    reading = {"pages of products": math.ceil(plan["products"] / 250), "pages of variants": math.ceil(plan["variants"] / 250),
               "pages of Sitoo's products": math.ceil(in_sitoo / 1000), "settings": 4}
    writing = {"writes of 200 products": math.ceil(plan["make"] / 200) + math.ceil(plan["change"] / 200),
               "families": plan["families"]}
    return {"reading": reading, "writing": writing}


def run_command(stack, id_, made_at, progress):
    """One `onepool load --apply`, killed once made_at SKUs are there (None: never). (answer, SKUs made when it was killed)"""
    process = command(stack, "load", "--json", "--apply", id_)
    while process.poll() is None:
        made = stack.control("GET", "/stats")["products_created"]
        progress(made)
        if made_at is not None and made >= made_at:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return None, made
        time.sleep(0.1)
    return answer_of(process), None


def load_once(out, set_, kill):
    key, name = ("killed", "killed in the middle") if kill else ("load", "whole")
    with products_shop(out, set_, IN_BOTH, set_["variants"], set_["family"]) as stack:
        for function in ("product-updated", "stock-moved"):  # the load alone is counted
            stack.processes[function].stop()
        in_sitoo = len(stack.control("GET", "/till-products")["products"])
        plan = answer_of(command(stack, "load", "--json"))
        before, begin, shown, runs, answer, killed_at = calls(stack), time.monotonic(), Progress(), [], None, None

        def progress(made):
            shown.show(lambda: f"{name}: {made} of {plan['make']} SKUs made, {sum_calls(difference(calls(stack), before))} calls, "
                               f"{time.monotonic() - begin:.0f} s")
        if kill:
            answer, killed_at = run_command(stack, plan["id"], plan["make"] // 2, progress)
            runs.append(difference(calls(stack), before))
            if killed_at is None:
                out.problem(key, "it ended before it was killed")
        if answer is None:
            answer, _ = run_command(stack, plan["id"], None, progress)
        shown.end()
        took = time.monotonic() - begin
        used, stats, opinion = difference(calls(stack), before), stack.control("GET", "/stats"), stack.control("GET", "/catalog-oracle")
        runs.append(difference(used, runs[0]) if runs else used)
        wanted = least_calls(plan, in_sitoo)
        fewest = sum(wanted["reading"].values()) + sum(wanted["writing"].values())
        again = {**wanted["reading"], "pages of Sitoo's products": math.ceil((in_sitoo + (killed_at or 0)) / 1000)}
        report_load(out, key, f"first load of {plan['variants']} SKUs in {plan['products']} products, {name}", took, used, fewest,
                    fewest + sum(again.values()) if kill else None)
        out.add(key, "made", f"SKUs made, of {plan['make']}", stats["products_created"])
        out.add(key, "twice", "made twice", stats["created_twice"], aim=0)
        out.add(key, "missing", "missing in the tills at the end", len(opinion["missing"]), aim=0)
        out.add(key, "wrong", "wrong there", opinion["wrong_count"], aim=0)
        out.detail(key, {"calls": used, "runs": runs, "least": wanted, "plan": {k: v for k, v in plan.items() if k != "rows"},
                         "answer": answer, "killed_at": killed_at, "refused_elements": stats["product_elements_refused"]})
        if stats["created_twice"] or stats["products_created"] != plan["make"] or not opinion["ok"]:
            out.problem(key, f"not all is right: {json.dumps(opinion)[:300]}")


def report_load(out, key, text, took, used, fewest, with_reading):
    out.add(key, "seconds", text, took, "s")
    for platform in ("sitoo", "bigcommerce"):
        for route, n in sorted(used.get(platform, {}).items()):
            out.add(key, f"{platform} {route}", f"calls to {platform}: {route}", n)
    out.add(key, "calls", "calls used", sum_calls(used))
    out.add(key, "least", "the least possible", fewest)
    out.add(key, "ratio", "calls used by the least possible", sum_calls(used) / fewest, "x", aim=None if with_reading else AIM)
    if with_reading:
        out.add(key, "least_again", "the least possible with a second reading of both shops", with_reading)
        out.add(key, "ratio_again", "calls used by that", sum_calls(used) / with_reading, "x", aim=AIM)


def run_load(out, set_):
    """set_: variants, family, latency_ms, quota."""
    say(f"load: {set_['variants']} variants in families of {set_['family']}, {set_['latency_ms']} ms a call, one call in flight")
    load_once(out, set_, False)
    load_once(out, set_, True)


# ---------------------------------------------------------------- prices beside sales

def sell(stack, sales, over):
    """Single sales at an even pace until over(n) is true or they are sold out: (from, to) in ms."""
    first = last = None
    begin = time.monotonic()
    for n, sale in enumerate(sales):
        time.sleep(max(0.0, begin + n / RATE - time.monotonic()))
        last = stack.control("POST", "/sale", sale)["at_ms"]
        first = first or last
        if over(n + 1):
            break
    return first, last + 1


def measured(out, stack, key, what, sales, over):
    """Sells, waits for the last level, and notes the lag and how busy Sitoo's key was. The lag."""
    before, begin = stack.control("GET", "/stats")["calls"], time.monotonic()
    span = sell(stack, sales, over)
    took, after = time.monotonic() - begin, stack.control("GET", "/stats")["calls"]
    stack.wait_until(stack.idle, 120, "all sales are in the web shop")
    lag = stack.control("GET", f"/report?from={span[0]}&to={span[1]}")["span"]["till_to_accepted"]
    out.add("prices", key, f"{what}, from the till to accepted, median", lag["median_ms"], "ms")
    out.add("prices", f"{key}_p95", "95th", lag["p95_ms"], "ms")
    for platform in ("sitoo", "bigcommerce"):
        out.add("prices", f"{key}_{platform}", f"calls to {platform} per second meanwhile", (after[platform] - before[platform]) / took)
    out.detail("prices", {key: {"lag": lag, "seconds": took}})
    return lag


def products_ready(stack, set_):
    """The load without latency, the webhooks, and one look at each SKU that will be sold. The sales."""
    answer_of(command(stack, "load", "--json", "--apply", answer_of(command(stack, "load", "--json"))["id"]))
    catalog_shop.with_hooks(stack)
    world = stack.control("GET", "/world")
    places = [(sku, 1, row["on_hand"] // 1000) for sku, row in world["stock"]["1"].items()
              if sku.startswith("SKU-") and row["on_hand"] - row["reserved"] >= 2000]
    for sku, _, _ in places:
        stack.mark(sku)
    stack.wait_until(lambda: stack.idle() and not catalog_shop.due(stack), 300, "the load is over")
    stack.control("PUT", "/settings", {"latency_ms": set_["latency_ms"]})
    sales = plan_sales(places, min(sum(p[2] for p in places), PRICE_LIMIT_S * RATE), set_["seed"])
    random.Random(set_["seed"]).shuffle(sales)
    return sales


def run_prices(out, set_):
    """set_: products, seconds, latency_ms, quota, seed."""
    say(f"prices: {set_['products']} products get a new price while single sales go on, {RATE} per second, {set_['latency_ms']} ms a call")
    with products_shop(out, {**set_, "latency_ms": 0}, PRICE_SKUS, set_["products"], debounce_s=2) as stack:
        sales, many = products_ready(stack, set_), set_["seconds"] * RATE
        quiet = measured(out, stack, "quiet", "a sale in quiet", sales[:many], lambda n: n >= many)
        begin, stats = time.monotonic(), stack.control("GET", "/stats")
        changed = stack.control("PUT", "/bc-prices", {"factor_percent": PRICE_FACTOR, "count": set_["products"]})["products"]
        progress, found = Progress(), {}

        def over(n):
            if n % LOOK_EVERY or found.get("ok"):
                return bool(found.get("ok"))
            due, coming = catalog_shop.due(stack), stack.control("GET", "/stats")["hooks_waiting"]
            progress.show(lambda: f"{time.monotonic() - begin:.0f} s, due: {due}, webhooks on their way: {coming}")
            if due < FEW_DUE:  # the echoes of sales always are; a look at everything makes the simulators wait
                found.update(stack.control("GET", "/catalog-oracle"), seconds=time.monotonic() - begin)
            return bool(found.get("ok"))
        busy = measured(out, stack, "busy", f"the same while {changed} products get a new price", sales[many:], over)
        progress.end()
        used = difference(calls(stack), stats["by_route"])
        out.add("prices", "ratio", "median beside quiet", busy["median_ms"] / quiet["median_ms"], "x", aim=2)
        out.add("prices", "ratio_p95", "95th beside quiet", busy["p95_ms"] / quiet["p95_ms"], "x")
        out.add("prices", "seconds", "until every price is in the tills", found["seconds"] if found.get("ok") else None, "s")
        out.add("prices", "calls", "calls to Sitoo and BigCommerce meanwhile", sum_calls(used))
        out.detail("prices", {"calls": used, "products": changed})
        if not found.get("ok"):
            out.problem("prices", f"not all prices are right: {json.dumps(found or stack.control('GET', '/catalog-oracle'))[:300]}")
