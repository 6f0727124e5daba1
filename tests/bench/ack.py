# SPDX-License-Identifier: Apache-2.0
"""Acknowledging events durably: sitoo-events behind nginx, beside the peer and beside a bare libfcgi program behind the
same nginx. Each has a Redis of its own with the same settings (deploy/redis.conf: appendfsync always)."""
import base64
import contextlib
import json
import os
import statistics
import subprocess
import sys

import peer
from figures import Progress, say
from machine import ROOT
from shop import flow, note_redis

CONNECTIONS = 16
WARM_UP_S = 1
EVENTS_LUA = ROOT / "tests" / "bench" / "events.lua"
BARE = ROOT / "build" / "bench" / "bare"
TOKEN = base64.b64encode(f"{flow.EVENTS_USER}:{flow.EVENTS_PASSWORD}".encode()).decode()


class Candidate:
    """What is measured: where it listens, and how many events its Redis holds."""

    def __init__(self, key, name, port, stored):
        self.key, self.name, self.port, self.stored = key, name, port, stored
        self.rounds = []


def wrk(port, seconds):
    """One run of wrk; its own JSON. Every event is new: the run's name is random."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "15s", "-s", EVENTS_LUA,
         f"http://127.0.0.1:{port}/hooks/sitoo", "--", os.urandom(4).hex(), TOKEN],
        capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"wrk ended with {done.returncode}: {done.stderr[-500:]} {done.stdout[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(candidate, seconds):
    """One round. What was answered 200 has to be in Redis; wrk stops without awaiting the last answers."""
    wrk(candidate.port, WARM_UP_S)
    before = candidate.stored()
    round_ = wrk(candidate.port, seconds)
    round_["stored"] = candidate.stored() - before
    round_["rate"] = round_["requests"] / round_["seconds"]
    candidate.rounds.append(round_)
    return round_


@contextlib.contextmanager
def stacks(out):
    """A function that makes and starts Stacks without simulators; all are removed at the end."""
    made = []

    def make(**options):
        made.append(flow.Stack(simulators=False, mapping=flow.shop_mapping(), **options))
        made[-1].everybody_may_all = True  # the bare program and the peer have keys of their own
        made[-1].start()
        note_redis(out, made[-1])
        return made[-1]
    try:
        yield make
    except BaseException:
        for one in made:
            print(one.log_tails(15), file=sys.stderr)
        raise
    finally:
        for one in made:
            one.stop()
            one.remove()


def onepool(make, acceptors):
    """Acceptors alone: a worker would go on calling platforms that are not there."""
    stack = make(functions=("sitoo-events",),
                 env={"ONEPOOL_LOG": "info", "ONEPOOL_ACCEPTORS": acceptors, "ONEPOOL_WORKERS": 0})
    redis = stack.redis()
    return Candidate("onepool", "onepool", stack.http_port, lambda: redis.xlen(stack.key("journal")))


def bare(make, processes):
    """As many processes as there are acceptors, under the socket names that nginx's configuration gives to
    sitoo-events."""
    stack = make(functions=())
    stack.processes["bare"] = flow.Process(
        "bare", [BARE, stack.run / "sitoo-events", processes, stack.redis_socket], stack.log_file("bare"))
    flow.wait_until(lambda: all(map(stack.accepts, stack.sockets("sitoo-events"))), 10, "the bare program listens")
    redis = stack.redis()
    return Candidate("bare", "bare program", stack.http_port, lambda: redis.xlen("bare"))


def peers(make, numbers):
    """One for each number of Node.js processes; they share a Redis, and only one is under load at a time."""
    stack = make(functions=(), nginx=False)
    redis = stack.redis()
    found = []
    stack.peer_ports = flow.Ports(len(numbers))  # theirs as long as the stack is there
    for number, port in zip(numbers, stack.peer_ports.numbers):
        peer.start_acceptor(stack, port, number, name=f"peer-{number}")
        found.append(Candidate(f"peer_{number}", f"peer, {number} process{'es' if number > 1 else ''}", port,
                               lambda: redis.llen("bull:events:wait")))
    return found


def check(out, candidates):
    for one in candidates:
        for round_ in one.rounds:
            if round_["bad_status"] or round_["socket_errors"]:
                out.problem("ack", f"{one.name}: {round_['bad_status']} answers other than 200, "
                                   f"{round_['socket_errors']} broken connections")
            if round_["stored"] < round_["requests"]:
                out.problem("ack", f"{one.name}: {round_['requests']} were acknowledged, {round_['stored']} stored")


def middle(candidate, key):
    return statistics.median(round_[key] for round_ in candidate.rounds)


def tell(out, candidates):
    ours, least, *others = candidates
    for one in candidates:
        out.add("ack", f"{one.key}_rate", f"{one.name}: events acknowledged per second", middle(one, "rate"), "/s")
        for key in ("p50_ms", "p99_ms"):
            out.add("ack", f"{one.key}_{key}", f"{one.name}: {key.removesuffix('_ms')}", middle(one, key), "ms")
    best = max(others, key=lambda one: middle(one, "rate"))
    out.add("ack", "rate_by_peer", f"rate, of the better peer's ({best.name})",
            middle(ours, "rate") / middle(best, "rate"), "x", aim=1.3, at_least=True)
    out.add("ack", "p99_by_peer", f"p99, of that peer's ({best.name})",
            middle(ours, "p99_ms") / middle(best, "p99_ms"), "x", aim=1)
    out.add("ack", "rate_by_bare", "rate, of the bare program's", middle(ours, "rate") / middle(least, "rate"), "x",
            aim=0.8, at_least=True)


def run(out, set_):
    """set_: rounds, seconds, acceptors."""
    say(f"ack: one event per body, {CONNECTIONS} connections, {set_['acceptors']} acceptors, "
        f"{set_['rounds']} rounds of {set_['seconds']} s each")
    peer.install()
    out.data["versions"].update(peer.versions())
    numbers = sorted({1, min(2, os.cpu_count() or 1)})
    progress = Progress()
    with stacks(out) as make:
        candidates = [onepool(make, set_["acceptors"]), bare(make, set_["acceptors"]), *peers(make, numbers)]
        for number in range(set_["rounds"]):
            # Interleaved, and each round begins with another one.
            shift = number % len(candidates)
            for one in candidates[shift:] + candidates[:shift]:
                progress.show(lambda: f"round {number + 1} of {set_['rounds']}: {one.name}")
                measure(one, set_["seconds"])
        progress.end()
    out.detail("ack", {"parameters": {**set_, "connections": CONNECTIONS},
                       "rounds": {one.key: one.rounds for one in candidates}})
    tell(out, candidates)
    check(out, candidates)
