# SPDX-License-Identifier: Apache-2.0
"""What must hold once the faults have stopped and everything is at rest, seen from outside: by the simulators' oracles, by what
Redis holds, and by what was read from its MONITOR (witness.py)."""
import json
import re
import time
from collections import Counter

from faultstack import ALL_QUEUES
from returns_shop import OPINIONS
from web_shop import NEVER, WRONG, opinion, told_of

# A person was told: the goods, or the money, are theirs to decide.
TOLD = ("needs_allocation", "cancelled_in_till", "pickup_rejected", "cancelled_after_handover", "edited_after_handover")
STATS = ("relative_writes", "overlapping_writes", "unmapped_writes", "quota_violations", "events_lost", "hooks_deactivated", "status_overwrote_human_late",
         *(name for name in NEVER if name != "status_overwrote_human"))
DOUBLED = {"shipments_over_quantity", "pickup_records_twice", "overlapping_writes", "refunded_twice"}
FIELDS = ("cause", "owner", "text", "effect", "step", "entity", "count")
KINDS = ("lost", "doubled", "levels", "refunds", "other")
REST_S = 60.0


class Verdict:
    """Findings by kind: what is lost, doubled, a wrong level, a wrong refund, anything else. Each is a text."""

    def __init__(self):
        self.found = {kind: [] for kind in KINDS}

    def add(self, kind, text):
        self.found[kind].append(text)

    @property
    def bad(self):
        return any(self.found.values())

    def counts(self):
        return {kind: len(texts) for kind, texts in self.found.items()}

    def lines(self):
        return [f"  {kind}: {text}" for kind, texts in self.found.items() for text in texts[:10]]


# ---------------------------------------------------------------- rest

def wrong_orders(shop):
    seen = opinion(shop)
    return [(name, one) for name in WRONG for one in seen[name] if not told_of(shop, one["web_order"], TOLD)]


def asked_of_a_person(shop):
    return " ".join(shop.cases())


def wrong_refunds(shop):
    """[(name, what)] of the oracle of refunds; one that is missing is right if a case asks for it."""
    seen, asked = shop.control("GET", "/refunds"), asked_of_a_person(shop)
    return [(name, one) for name in OPINIONS for one in seen[name]
            if name != "missing" or f"return {one}" not in asked]


def restless(shop):
    """What is left to do, or None. Levels that are right and wait to be read back may wait (see end)."""
    redis = shop.redis()
    now = shop.now_ms()
    for queue in ALL_QUEUES:
        for entity, score in redis.zrange(shop.key(f"due:{queue}"), 0, -1, withscores=True):
            lease, cause = redis.hmget(shop.key(f"job:{queue}:{entity}"), "lease", "cause")
            if score <= now or lease == "1" or cause:  # the others are timers: they wait on purpose
                return f"{queue} {entity} is {'claimed' if lease == '1' else 'due'}: {cause}"
    lease, gen, cgen = redis.hmget(shop.key("job:ledger:main"), "lease", "gen", "cgen")
    if lease != "0" or gen != cgen:
        return "the ledger is being read"
    if redis.scard(shop.key("handed:due")):
        return f"reservations to be taken over: {redis.smembers(shop.key('handed:due'))}"
    oracle = shop.control("GET", "/oracle?full=1")
    if oracle["feed_queue"] or oracle["landing"]:
        return f"{oracle['feed_queue']} events queued, {oracle['landing']} writes on their way"
    waiting = shop.control("GET", "/hook-log?since=1000000000")["waiting"]
    if waiting:
        return f"{waiting} webhooks on their way"
    if not oracle["ok"]:
        return f"levels: {oracle['mismatches'][:3]}"
    wrong = wrong_orders(shop)
    return f"web orders: {wrong[:3]}" if wrong else None


def wait_rest(shop, verdict, limit=REST_S):
    """Until nothing is left to do, or for so long. What is still wrong then is judged as it stands."""
    begin, why = time.monotonic(), "?"
    while time.monotonic() < begin + limit:
        try:
            why = restless(shop)
            if why is None:
                return True
            shop.pass_time()
        except OSError as problem:
            why = str(problem)
        time.sleep(0.1)
    verdict.add("other", f"not at rest after {limit:.0f} s: {why}")
    return False


# ---------------------------------------------------------------- each rule

def journal(shop, verdict):
    """Invariants 1 and 2: what was answered 200 is in the journal, byte for byte."""
    seen = shop.control("GET", f"/acknowledged?events={shop.seen['events']}&hooks={shop.seen['hooks']}")
    shop.acknowledged += len(seen["events"]) + len(seen["hooks"])
    shop.seen = {name: shop.seen[name] + len(seen[name]) for name in shop.seen}
    if shop.emptied:
        return
    ids, texts = set(), set()
    for _, entry in shop.redis(decode=False).xrange(shop.key("journal")):
        ids.add((entry[b"source"], entry[b"id"]))
        texts.add(entry[b"bytes"])
    for number, text in seen["events"]:
        if text.encode() not in texts:
            verdict.add("lost", f"event {number} of Sitoo was answered 200 and is not in the journal: {text[:120]}")
    for text in seen["hooks"]:
        if (b"bigcommerce", json.loads(text)["hash"].encode()) not in ids:
            verdict.add("lost", f"a webhook was answered 200 and is not in the journal: {text[:160]}")


def sales(shop, verdict):
    """Each row sold is recorded, once."""
    if shop.emptied:
        return
    rows = [row["row"] for _, row in shop.redis().xrange(shop.key("ledger")) if '"type":"sale"' in row["row"]]
    twice = [row for row, n in Counter(rows).items() if n > 1]
    wanted = shop.control("GET", "/report")["till_rows"]
    for row in twice:
        verdict.add("doubled", f"a sale is recorded twice: {row}")
    if len(set(rows)) != wanted:
        verdict.add("lost", f"{wanted} rows were sold at tills, {len(set(rows))} are recorded")


def returns(shop, verdict, numbers):
    asked = asked_of_a_person(shop)
    for number in numbers:
        if not shop.redis().exists(shop.key(f"return:{number}")) and f"return {number}" not in asked and f"order {number}" not in asked:
            verdict.add("lost", f"return {number} was never worked on")


def web_orders(shop, verdict):
    for name, one in wrong_orders(shop):
        verdict.add({"twice": "doubled", "missing": "lost"}.get(name, "other"), f"web order {one.get('web_order')}: {name}: {one}")


def refunds(shop, verdict):
    for name, one in wrong_refunds(shop):
        verdict.add("doubled" if name in DOUBLED else "refunds", f"{name}: {one}")
    for number, order in shop.control("GET", "/refunds")["orders"].items():
        if float(order["refunded"]) > float(order["paid"]) + 1e-9:
            verdict.add("refunds", f"web order {number}: {order['refunded']} refunded of {order['paid']} paid")


def levels(shop, verdict):
    for row in shop.control("GET", "/oracle?list=1")["wrong"]:
        verdict.add("levels", f"{row['sku']} at location {row['location']} is {row['actual']}, should be {row['expected']}")
    full = shop.control("GET", "/oracle?full=1")
    for name in ("sums_wrong", "covered_wrong"):
        if full.get(name):
            verdict.add("other", f"the simulators' own sums: {name} {full[name]}")
    sold = shop.control("GET", "/report")["units_sold_twice"]["outside"]
    if sold:
        verdict.add("levels", f"{sold} units were sold twice, and no movement on its way explains it")


def never(shop, verdict):
    stats = shop.control("GET", "/stats")
    for name in STATS:
        more = stats[name] - shop.counted.get(name, 0)
        shop.counted[name] = stats[name]
        if more:
            verdict.add("doubled" if name in DOUBLED else "lost" if name == "events_lost" else "other", f"{name}: {more}")


def fencing(shop, verdict):
    if not shop.witness.claims:
        verdict.add("other", "nobody watched what Redis executes: the witness saw no claim")
    for text in shop.witness.violations:
        verdict.add("doubled", text)
    shop.witness.violations.clear()


def orphans(shop, verdict):
    """Invariant 2: every job is in its due list, and everything due has a job."""
    redis = shop.redis()
    for key in redis.scan_iter(shop.key("job:*"), count=1000):
        queue, _, entity = key.removeprefix(shop.key("job:")).partition(":")
        if redis.zscore(shop.key(f"due:{queue}"), entity) is None and redis.exists(key):
            verdict.add("lost", f"{queue} {entity} has a job and is not due, ever")


def cases(shop, verdict):
    """Invariant 10: what is parked says what, whose, and what to do."""
    for name, case in shop.cases().items():
        lacking = [field for field in FIELDS if not case.get(field)]
        if lacking:
            verdict.add("other", f"case {name} lacks {lacking}")
        if case.get("cause") == "too_many_tries":
            verdict.add("other", f"case {name}: {case.get('text')}")


def judge(shop, verdict, returned):
    """All rules, at rest or not."""
    journal(shop, verdict)
    sales(shop, verdict)
    returns(shop, verdict, returned)
    web_orders(shop, verdict)
    refunds(shop, verdict)
    levels(shop, verdict)
    never(shop, verdict)
    fencing(shop, verdict)
    orphans(shop, verdict)
    cases(shop, verdict)


# ---------------------------------------------------------------- the end of a stack

def secrets(shop, verdict):
    """Invariants 9 and I10: no secret in a log, a case or anywhere in Redis but where it came from; no customer's data."""
    settings = shop.settings()
    words = [settings[name] for name in ("SITOO_API_PASSWORD", "SITOO_EVENTS_PASSWORD", "BIGCOMMERCE_ACCESS_TOKEN", "BIGCOMMERCE_HOOK_SECRET")]
    words.append(shop.control("GET", "/personal-data")["mark"])
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in shop.log_folder.glob("*.log")
             if path.name != "simulators.log"}
    redis = shop.redis()
    for key in redis.scan_iter(count=1000):
        kind = redis.type(key)
        texts[key] = str(redis.hgetall(key) if kind == "hash" else redis.get(key) if kind == "string" else
                         redis.xrange(key) if kind == "stream" else redis.lrange(key, 0, -1) if kind == "list" else "")
    for where, text in texts.items():
        for word in words:
            if word in text:
                verdict.add("other", f"{word[:8]}... is in {where}")


def replay(shop, verdict):
    """Everything parked is tried again by a person: nothing changes for the worse, and what cannot be mended is parked again."""
    for name in shop.cases():
        status, _, err = shop.command("parked", "--retry", name)
        if status not in (0, 1):
            verdict.add("other", f"onepool parked --retry {name} ended with {status}: {err[-200:]}")


def end(shop, verdict):
    """Once per stack: replay, rest in the strict sense (levels read back, no intent open), secrets, and how processes end."""
    replay(shop, verdict)
    if wait_rest(shop, verdict):
        def strict():
            shop.pass_time()
            redis = shop.redis()
            return not redis.exists(shop.key("unconfirmed")) and not redis.hlen(shop.key("intents"))
        try:
            shop.wait_until(strict, 45, "levels are read back and no write is open")
        except TimeoutError:
            redis = shop.redis()
            verdict.add("other", f"unconfirmed: {redis.zrange(shop.key('unconfirmed'), 0, 4)}; intents: {redis.hgetall(shop.key('intents'))}")
    judge(shop, verdict, [])
    secrets(shop, verdict)
    if not re.search(r"onepool_", shop.get("/metrics", internal=True).body.decode()):
        verdict.add("other", "/metrics is not answered")
