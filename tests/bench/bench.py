# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what onepool does per second, per sale and per byte. README.md says what each figure means.

BENCH="ack rush" chooses parts; parameters of the rush come from the environment (README.md lists them).
"""
import os
import sys
import traceback

import machine
from figures import Figures, say

RESULT = machine.ROOT / "build" / "bench" / "result.json"


def number(name, default, least=0):
    """A whole number from the environment."""
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdigit() or int(text) < least:
        raise SystemExit(f"{name}={text!r}: give a whole number of at least {least}")
    return int(text)


def rush_settings():
    return {"sales": number("BENCH_SALES", 10000, 1), "seconds": number("BENCH_SECONDS", 60, 1),
            "skus": number("BENCH_SKUS", 5000, 10), "warehouses": number("BENCH_WAREHOUSES", 20, 4),
            "latency_ms": number("BENCH_LATENCY_MS", 100), "quota": number("BENCH_QUOTA", 150, 10),
            "warm": bool(number("BENCH_WARM", 1)), "limit_s": number("BENCH_LIMIT_S", 300, 1),
            "starts": number("BENCH_STARTS", 20), "seed": number("BENCH_SEED", 1)}


def run_rush(out):
    import rush
    rush.run(out, rush_settings())


def run_quiet(out):
    import quiet
    quiet.run(out, {"times": number("BENCH_QUIET", 30, 1),
                    **{k: v for k, v in rush_settings().items() if k in ("latency_ms", "quota", "limit_s", "seed")}})


def run_ack(out):
    import ack
    ack.run(out, {"rounds": number("BENCH_ROUNDS", 5, 1), "seconds": number("BENCH_ROUND_S", 6, 1),
                  "acceptors": number("BENCH_ACCEPTORS", 16, 2)})  # 16: as deploy/env.example presets


def run_steady(out):
    import steady
    steady.run(out, {"rate": number("BENCH_RATE", 500, 1), "seconds": number("BENCH_STEADY_S", 60, 1)})


def run_peer_rush(out):
    import peer_rush
    stock = os.environ.get("BENCH_PEER_STOCK", "").split() or list(peer_rush.MEANT)
    if not set(stock) <= set(peer_rush.MEANT):
        raise SystemExit(f"BENCH_PEER_STOCK={' '.join(stock)!r}: there are {' '.join(peer_rush.MEANT)}")
    peer_rush.run(out, {**rush_settings(), "peer_limit_s": number("BENCH_PEER_LIMIT_S", 120, 1), "stock": stock})


def run_load(out):
    import products
    products.run_load(out, {"variants": number("BENCH_LOAD_VARIANTS", 20000, 100), "family": number("BENCH_LOAD_FAMILY", 5, 1),
                            "latency_ms": number("BENCH_LATENCY_MS", 100), "quota": number("BENCH_LOAD_QUOTA", 450, 10)})


def run_prices(out):
    import products
    products.run_prices(out, {"products": number("BENCH_PRICES", 10000, 10), "seconds": number("BENCH_PRICES_S", 60, 5),
                              "latency_ms": number("BENCH_LATENCY_MS", 100), "quota": number("BENCH_LOAD_QUOTA", 450, 10),
                              "seed": number("BENCH_SEED", 1)})


def run_ledger(out):
    import ledger
    ledger.run(out, {"movements": number("BENCH_MOVEMENTS", 1_000_000, 100), "skus": number("BENCH_SKUS", 5000, 10)})


LONG = {"load": run_load, "prices": run_prices, "ledger": run_ledger}  # only by name: half an hour
PARTS = {"rush": run_rush, "quiet": run_quiet, "ack": run_ack, "steady": run_steady, "peer-rush": run_peer_rush}


def main():
    wanted = os.environ.get("BENCH", "").split() or list(PARTS)
    every = {**PARTS, **LONG}
    unknown = [name for name in wanted if name not in every]
    if unknown:
        raise SystemExit(f"BENCH: {' '.join(unknown)}: there are {' '.join(every)}")
    out = Figures(RESULT, machine.facts("/tmp"))
    facts = out.data["machine"]
    say(f"{facts['cores']} cores of {facts['processor']}, load before {facts['load_before']:.2f}, "
        f"Redis's file on {facts['redis_file_system']}, {facts['sync_ms']} ms a sync")
    for name in wanted:
        try:
            every[name](out)
        except Exception as problem:  # the other parts' figures are worth having
            traceback.print_exc()
            out.problem(name, f"{type(problem).__name__}: {problem}")
        out.write()
    say("\n" + out.table())
    say(f"\n{RESULT.relative_to(machine.ROOT)}: all of it, with versions and machine")
    return 1 if out.data["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
