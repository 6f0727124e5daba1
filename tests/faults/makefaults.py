# SPDX-License-Identifier: Apache-2.0
"""`make faults`: days in the shop under faults, each drawn from a seed (faultplan.py), and the rules checked after each (judge.py).

    makefaults.py --seeds 200                   seeds 1 to 200, several at once
    makefaults.py --seed 17                     that one alone, with its plan and what it did
    makefaults.py --single "" --seeds 0         every single fault, once
    makefaults.py --single "kill sale" --seeds 0    those whose name holds this text
    makefaults.py --plant refund                with a mistake planted (plants.py): has to end with status 1

ONEPOOL_TEST_BUILD names the folder of the programs, which must have fault points (tests/flow/stack.py; `make faults`: build/faults).
Ends with one line. Status 1 if anything was lost, doubled or wrong, or a day did not come to rest."""
import argparse
import ctypes
import multiprocessing
import os
import pathlib
import queue
import signal
import sys
import time
import traceback
import zlib
from collections import Counter

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(ROOT / "tests" / "flow")]

from shopday import Day, play  # noqa: E402
from faultstack import FaultStack  # noqa: E402
from inject import Faults  # noqa: E402
from judge import KINDS, Verdict, end, judge, wait_rest  # noqa: E402
import scenarios  # noqa: E402
from faultplan import POINTS, Plan, points, singles  # noqa: E402
from plants import C, LUA, NAMES  # noqa: E402

PER_STACK = 10   # days that one stack lives
PR_SET_PDEATHSIG = 1
TRIES = 3        # days that a single fault gets until it takes hold
WOUNDS_MAX = 2   # of a function, before it is started anew: its parent would make it wait ever longer


class Result:
    """Of one day or of the end of a stack."""

    def __init__(self, name, plan):
        self.name, self.plan = name, plan
        self.counts, self.lines, self.happened = dict.fromkeys(KINDS, 0), [], []
        self.events, self.seconds = 0, 0.0

    @property
    def bad(self):
        return any(self.counts.values())

    def take(self, verdict):
        self.counts, self.lines = verdict.counts(), verdict.lines()


def plan_of(name, again=0):
    """Of "seed N" or of a single fault; again: another day for it, since the first did not reach it."""
    if name.startswith("seed "):
        return Plan(int(name[5:]))
    return Plan(zlib.crc32(f"{name} {again}".encode()), singles()[name])


def run_day(shop, name):
    """A seed, or a single fault, which gets other days until it happens."""
    for again in range(1 if name.startswith("seed ") else TRIES):
        result = run_plan(shop, name, plan_of(name, again))
        if result.bad or result.happened:
            break
    return result


def run_plan(shop, name, plan):
    verdict, result = Verdict(), Result(name, str(plan))
    begin, before = time.monotonic(), shop.acknowledged
    for name, wounds in shop.wounds.items():
        if wounds > WOUNDS_MAX:
            shop.kill_function(name)
    day = Day(shop)
    faults = Faults(shop, plan, day)
    play(day, plan, faults)
    for text in faults.problems:
        verdict.add("other", text)
    wait_rest(shop, verdict)
    judge(shop, verdict, day.returns)
    result.take(verdict)
    result.happened, result.events, result.seconds = faults.happened, shop.acknowledged - before, time.monotonic() - begin
    if result.bad:
        result.lines += [f"  {i}: {step}" for i, step in enumerate(day.log)]
    return result


def guarded(name, work):
    """A day that breaks the harness itself is a failure too, and tells where."""
    try:
        return work()
    except Exception:  # pylint: disable=broad-except
        result = Result(name, "" if name.startswith("end of ") else str(plan_of(name)))
        result.counts["other"] = 1
        result.lines = ["  " + line for line in traceback.format_exc().splitlines()]
        return result


def finish(shop, name):
    """The end of a stack's life."""
    result, verdict, begin = Result(name, "end of the stack"), Verdict(), time.monotonic()
    end(shop, verdict)
    shop.stop()
    for text in shop.complaints:
        verdict.add("other", text)
    result.take(verdict)
    result.seconds = time.monotonic() - begin
    return result


def run_block(names, keep):
    """Some runs on one stack; a new one after a failure. Yields results."""
    shop, first, bad = None, None, False
    try:
        for name in names:
            if shop is None:
                shop, first, bad = FaultStack(), name, False
                shop.start()
            result = guarded(name, lambda one=shop, what=name: run_day(one, what))
            if not result.bad and name == names[-1]:
                yield result
                name = f"end of the stack of {first} to {name}"
                result = guarded(name, lambda one=shop, what=name: finish(one, what))
            bad = result.bad
            if bad and keep:
                result.lines += [f"kept: {shop.folder}", shop.log_tails(12)]
            yield result
            if bad:
                shop.stop()
                if not keep:
                    shop.remove()
                shop = None
    finally:
        if shop is not None:
            shop.stop()
            if not (keep and bad):
                shop.remove()


def begin(results):
    """Of a process that runs blocks: it does not outlive its parent, and leaves no stack behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    block.results = results


def block(args):
    for result in run_block(*args):
        block.results.put(result)


def at_once(number, blocks):
    """Yields the results of blocks that run in so many processes."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with context.Pool(number, begin, (results,)) as pool:
        running = pool.map_async(block, blocks, 1)
        while True:
            over = running.ready()
            try:
                yield results.get(timeout=1)
            except queue.Empty:
                if over:
                    break
        running.get()


class Summary:
    """Adds up, shows progress, and says the last line."""

    def __init__(self, of):
        self.of, self.done, self.events, self.begin = of, 0, 0, time.monotonic()
        self.counts, self.happened, self.failed, self.seconds = Counter(), Counter(), [], []

    def add(self, result):
        day = not result.name.startswith("end of ")
        self.done += day
        self.events += result.events
        self.counts.update(result.counts)
        self.happened.update(result.happened)
        if day:
            self.seconds.append(result.seconds)
        if result.bad:
            self.failed.append(result.name)
            print(f"FAILED {result.name}: {result.plan}\n" + "\n".join(result.lines), flush=True)
        if day:
            print(f"{self.done}/{self.of} {result.name} {'FAILED' if result.bad else 'ok'} {result.seconds:.1f} s, {result.events} events; "
                  f"{', '.join(result.happened) or 'no fault took hold'}", flush=True)

    def line(self):
        kinds = ", ".join(f"{name} {n}" for name, n in sorted(self.happened.items()))
        return (f"faults: {self.events} events; {sum(self.happened.values())} faults ({kinds}); lost {self.counts['lost']}, doubled "
                f"{self.counts['doubled']}, levels wrong {self.counts['levels']}, refunds wrong {self.counts['refunds']}, other "
                f"{self.counts['other']}; {self.done} runs, {time.monotonic() - self.begin:.0f} s"
                + (f"; FAILED: {', '.join(self.failed[:20])}" if self.failed else ""))


def run_plant(name):
    """The story of one mistake (scenarios.py)."""
    print(f"planted: {LUA[name][0] if name in LUA else C[name]}", flush=True)
    verdict, result = Verdict(), Result(f"plant {name}", f"planted: {name}")
    begin = time.monotonic()
    try:
        verdict = scenarios.run(name, name)
    except TimeoutError as problem:
        verdict.add("other", str(problem))
    result.take(verdict)
    result.seconds = time.monotonic() - begin
    return result


def learn(seeds):
    """Writes points.txt: what that many days without faults pass, and what is in it already."""
    shop, found = FaultStack(), set(points())
    try:
        shop.start()
        for seed in range(1, seeds + 1):
            plan, verdict = Plan(seed), Verdict()
            plan.faults = []
            day = Day(shop)
            play(day, plan, Faults(shop, plan, day))
            if not wait_rest(shop, verdict):
                return 1
        found |= shop.passed()
    finally:
        shop.stop()
        shop.remove()
    head = [line for line in POINTS.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    POINTS.write_text("\n".join([*head, *(" ".join(one) for one in sorted(found))]) + "\n", encoding="utf-8")
    print(f"{len(found)} points")
    return 0


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the lowest of them")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--single", help="single faults whose name holds this text; \"\" = all")
    parser.add_argument("--plant", choices=NAMES)
    parser.add_argument("--at-once", type=int, default=int(os.environ.get("ONEPOOL_FAULTS_AT_ONCE", os.cpu_count() or 2)))
    parser.add_argument("--keep", action="store_true", help="leave the folder of a stack that failed")
    parser.add_argument("--learn", type=int, metavar="DAYS", help="bring points.txt up to date")
    args = parser.parse_args()
    if args.learn:
        return learn(args.learn)
    if args.plant:
        summary = Summary(1)
        summary.add(run_plant(args.plant))
        print(summary.line())
        return 1 if summary.failed else 0
    names = [name for name in singles() if args.single is not None and args.single in name]
    if args.seed is not None:
        names = [f"seed {args.seed}"]
        print(Plan(args.seed), flush=True)
    elif args.single is None or args.seeds:
        names += [f"seed {seed}" for seed in range(args.first, args.first + args.seeds)]
    summary = Summary(len(names))
    blocks = [(names[i:i + PER_STACK], args.keep) for i in range(0, len(names), PER_STACK)]
    if args.at_once == 1 or len(blocks) == 1:
        for one in blocks:
            for result in run_block(*one):
                summary.add(result)
    else:
        for result in at_once(args.at_once, blocks):
            summary.add(result)
    print(summary.line())
    return 1 if summary.failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
