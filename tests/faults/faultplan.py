# SPDX-License-Identifier: Apache-2.0
"""What a seed stands for: a small day in the shop and one to three faults, each at a step of the day. Drawn from the seed alone, so
that it can be repeated; which process is where at that moment is not."""
import pathlib
import random

SKUS, STEPS, WARM_UP = 6, 26, 6
# The first acts of a day for a single fault: most of what onepool does is done.
RICH = ("sale", "ship_order", "collect_order", "ship_order", "booking", "collect_order", "goods_in", "give_back", "ready", "ship", "give_back",
        "collect", "give_back", "edit", "web_ship", "give_back_purchase", "give_back", "status")
FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-created", "order-updated", "pickup-updated")
POINTS = pathlib.Path(__file__).with_name("points.txt")
FCALLS = ("accept", "claim", "complete", "defer", "tick", "apply", "intent_open", "intent_close", "lease", "pending_put", "handed_put",
          "handed_take", "levels_put", "levels_seen", "ledger_page", "rate_take", "rate_adopt", "sitoo_take", "sitoo_give", "unlease")

# Writes of onepool: (platform, method, part of the path). Every HTTP fault is tried on every one (faultplan.py).
WRITES = (("sitoo", "POST", "/orders.json"), ("sitoo", "PUT", "/orders/"), ("sitoo", "POST", "orderdeliveries"),
          ("bigcommerce", "PUT", "/inventory/adjustments/absolute"), ("bigcommerce", "POST", "/shipments"),
          ("bigcommerce", "PUT", "/v2/orders/"), ("bigcommerce", "POST", "/pickups"),
          ("bigcommerce", "POST", "refund_quotes"), ("bigcommerce", "POST", "payment_actions/refunds"))
READS = (("sitoo", "GET", "orders"), ("sitoo", "GET", "warehouseitems"), ("sitoo", "GET", "warehousetransactions"),
         ("bigcommerce", "GET", "/v2/orders"), ("bigcommerce", "GET", "/v3/inventory"), ("bigcommerce", "GET", "refunds"))
# Ways in which a call goes wrong (tests/sim/faults.py).
HTTP = {
    "status 500": {"kind": "status", "status": 500}, "status 503": {"kind": "status", "status": 503},
    "html 502": {"kind": "html", "status": 502}, "429": {"kind": "rate_limit", "headers": True},
    "429 without headers": {"kind": "rate_limit", "headers": False}, "reset": {"kind": "reset"},
    "reset after apply": {"kind": "reset", "after_apply": True},
    "time-out after apply": {"kind": "timeout_after_apply", "seconds": 1}, "half an answer": {"kind": "half_body"},
    "silence": {"kind": "silence", "seconds": 1}, "drip": {"kind": "drip", "seconds": 0.5},
}
REDIS = ("kill -9", "restart", "stopped 1.3 s", "out of memory", "library gone")
NETWORK = ("slow", "half-open", "sliced", "reset", "request lost", "answer lost")
EVENTS = ("duplicates", "duplicates at once", "reordered", "hooks lost", "malformed", "late")
# A bad batch around one good event, which has to be acted on where the batch is a list.
MALFORMED = (
    '[{"event_id": "x", "event_type": "order", "account_id": 1500, "data": {"order_id": -1}}, %s]',
    '[{"event_id": "y"}, %s, 7]', "[" * 300 + "%s", '{"a":%s}', "%s\x00", '[{"event_id": "\\ud800"}, %s]', "[%s",
    '[{"event_id": "z", "event_type": "order", "account_id": "1500", "data": []}, %s]',
)
ACTS = {"sale": 20, "collect_order": 12, "ship_order": 10, "status": 5, "edit": 4, "ready": 8, "collect": 8, "reject": 1, "ship": 8,
        "till_cancel": 2, "web_ship": 4, "goods_in": 5, "refund": 3, "give_back": 9, "give_back_purchase": 3, "booking": 3, "move": 3,
        "stocktake": 1}


def points(function=None, fits=lambda point: True):
    """[(function, point)] as kept in points.txt."""
    listed = [tuple(line.split()) for line in POINTS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return [one for one in listed if function in (None, one[0]) and fits(one[1])]


# Where a process may be stopped for longer than its lease: before what it does is decided. Later than that only the platform could
# hold it up (README.md, not covered).
def may_stop(point):
    return point.startswith(("queue.claimed.", "queue.before_complete.", "gate.before_intent.", "redis.after.claim"))


def kill_at_point(dice):
    function, point = dice.choice(points())
    return {"kind": "kill at point", "function": function, "point": point, "nth": dice.choice((1, 1, 1, 1, 2))}


def stop_at_point(dice):
    function, point = dice.choice(points(fits=may_stop))
    return {"kind": "stopped beyond its lease", "function": function, "point": point, "nth": dice.choice((1, 1, 2)), "steps": 3}


def kill_part(dice):
    what = dice.choice(("child", "child", "parent", "nginx"))
    return {"kind": f"kill {what}", **({} if what == "nginx" else {"function": dice.choice(FUNCTIONS), "which": dice.randrange(5)})}


def http(dice):
    platform, method, path = dice.choice(WRITES + READS)
    name = dice.choice(tuple(HTTP))
    return {"kind": f"http {name}", "platform": platform,
            "rule": {**HTTP[name], "method": method, "path": path, "count": dice.choice((1, 1, 2, 3))}}


def http_burst(dice):
    """Of everything that is asked, for a while."""
    name = dice.choice(("status 500", "status 503", "429", "429 without headers", "html 502"))
    return {"kind": f"burst of {name}", "platform": dice.choice(("sitoo", "bigcommerce")), "rule": {**HTTP[name], "count": dice.randint(5, 25)}}


def redis(dice):
    return {"kind": f"redis {dice.choice(REDIS)}", "steps": 3}


def redis_net(dice):
    what = dice.choice(NETWORK)
    more = {"match": dice.choice(FCALLS), "nth": dice.randint(1, 3)} if what.endswith("lost") else {}
    return {"kind": f"redis network {what}", "steps": dice.randint(2, 6), **more}


def platform_net(dice):
    what = dice.choice(NETWORK)
    more = {"match": dice.choice(("POST ", "PUT ", "GET ")), "nth": dice.randint(1, 3)} if what.endswith("lost") else {}
    return {"kind": f"platform network {what}", "platform": dice.choice(("sitoo", "bigcommerce")), "steps": dice.randint(2, 5), **more}


def events(dice):
    what = dice.choice(EVENTS)
    return {"kind": f"events {what}", "nth": dice.randrange(len(MALFORMED)), "steps": dice.randint(3, 10)}


def rolling(dice):
    return {"kind": "rolling restart", "functions": dice.sample(FUNCTIONS, 2)}


KINDS = {kill_at_point: 7, stop_at_point: 2, kill_part: 3, http: 6, http_burst: 2, redis: 3, redis_net: 4, platform_net: 2, events: 3,
         rolling: 1}


def singles():
    """{name: fault}: each fault once. A point in each function that passes it, an HTTP fault on each write and read, and the rest."""
    found = {}
    for function, point in sorted(points(), key=lambda one: (one[1], one[0])):
        found[f"kill {function} at {point}"] = {"kind": "kill at point", "function": function, "point": point, "nth": 1}
    for function, point in sorted(points(fits=may_stop), key=lambda one: (one[1], one[0])):
        found[f"stop {function} at {point}"] = {"kind": "stopped beyond its lease", "function": function, "point": point, "nth": 1}
    for name, rule in HTTP.items():
        for platform, method, path in WRITES + READS:
            found[f"{name} of {method} {path} at {platform}"] = {
                "kind": f"http {name}", "platform": platform, "rule": {**rule, "method": method, "path": path, "count": 1}}
    for function in FUNCTIONS:
        for what in ("child", "parent"):
            found[f"kill {what} of {function}"] = {"kind": f"kill {what}", "function": function, "which": 3}
        found[f"rolling restart of {function}"] = {"kind": "rolling restart", "functions": [function]}
    found["kill nginx"] = {"kind": "kill nginx"}
    for what in REDIS:
        found[f"redis {what}"] = {"kind": f"redis {what}"}
    for what in NETWORK:
        for name in ("redis", "sitoo", "bigcommerce"):
            for match in () if not what.endswith("lost") else FCALLS if name == "redis" else ("POST ", "PUT ", "GET "):
                found[f"{name} network {what} {match.strip()}"] = {"kind": f"{'redis' if name == 'redis' else 'platform'} network {what}",
                                                                   "platform": name, "match": match, "nth": 1}
            if not what.endswith("lost"):
                found[f"{name} network {what}"] = {"kind": f"{'redis' if name == 'redis' else 'platform'} network {what}",
                                                   "platform": name, "steps": 4}
    for what in EVENTS:
        for nth in range(len(MALFORMED)) if what == "malformed" else (0,):
            found[f"events {what} {nth}"] = {"kind": f"events {what}", "nth": nth, "steps": 20}
    return found


class Plan:
    """acts: [(kind of act, a seed of its own)]; faults: [(step, fault)]. single: this fault alone, from the beginning."""

    def __init__(self, seed, single=None):
        dice = random.Random(seed)
        self.seed = seed
        self.acts = [(dice.choices(tuple(ACTS), tuple(ACTS.values()))[0], dice.randrange(1 << 30)) for _ in range(STEPS)]
        for i, act in enumerate(("sale", "collect_order", "ship_order", "collect_order", "ship_order", "sale")[:WARM_UP]):
            self.acts[i] = (act, self.acts[i][1])
        if single is not None:
            for i, act in enumerate(RICH):
                self.acts[i] = (act, self.acts[i][1])
            self.faults = [(1 if single["kind"].startswith("events") else 0, single)]  # events speak of the first sale
            return
        number = dice.choice((1, 2, 2, 3, 3))
        made = [dice.choices(tuple(KINDS), tuple(KINDS.values()))[0](dice) for _ in range(number)]
        self.faults = sorted(((dice.randrange(1, STEPS - 8), fault) for fault in made), key=lambda one: one[0])

    def __str__(self):
        return f"seed {self.seed}: " + "; ".join(f"step {step}: " + ", ".join(f"{k} {v}" if k != "kind" else v for k, v in fault.items())
                                                   for step, fault in self.faults)
