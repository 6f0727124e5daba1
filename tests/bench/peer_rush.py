# SPDX-License-Identifier: Apache-2.0
"""The same rush, with the peer's plain worker in onepool's place: one job for each event, at BigCommerce's pace.

It is not given the time to finish. What it did until the limit is measured; when it would be done is extrapolated from
the pace of its last minute (or of half of its time if that is less), and marked as such.
"""
import time

import peer
from figures import Progress, say
from rush import wait_for_window
from shop import Seller, flow, plan_sales, shop

CONCURRENCY = 5
READY_LIMIT_S = 120
MEANT = {"all": "reads the stock of every warehouse that counts",
         "touched": "reads the stock of the warehouse that sold, remembers the others"}


class Jobs:
    """What bullmq's keys say."""

    def __init__(self, redis):
        self.redis = redis
        self.done_at = []  # (monotonic, jobs done)

    def counts(self):
        pipe = self.redis.pipeline(transaction=True)
        for kind in ("wait", "active"):
            pipe.llen(f"bull:events:{kind}")
        for kind in ("delayed", "completed", "failed"):
            pipe.zcard(f"bull:events:{kind}")
        found = dict(zip(("wait", "active", "delayed", "completed", "failed"), pipe.execute()))
        if not self.done_at or time.monotonic() - self.done_at[-1][0] > 1:
            self.done_at.append((time.monotonic(), found["completed"]))
        return found

    def pace(self):
        """Jobs per second, lately."""
        (first, _), (last, done) = self.done_at[0], self.done_at[-1]
        since = max(last - 60, (first + last) / 2)
        then, before = next(one for one in self.done_at if one[0] >= since)
        return (done - before) / (last - then) if last > then else 0.0


def start_worker(one, stock):
    settings = {k: v for k, v in one.stack.settings().items() if k.startswith(("SITOO_", "BIGCOMMERCE_"))}
    peer.start_acceptor(one.stack, one.stack.http_port, types="order")
    worker = peer.start(one.stack, "worker.mjs", "peer-worker", {
        **settings, "MAPPING": one.stack.mapping_file, "STOCK": stock, "CONCURRENCY": CONCURRENCY,
        "QUOTA": one.quota, "WINDOW_MS": one.window_ms})
    flow.wait_until(lambda: "ready" in one.stack.logs("peer-worker") or not worker.alive(), READY_LIMIT_S,
                    "the peer's worker is ready")
    if not worker.alive():
        raise RuntimeError(f"the peer's worker ended: {one.stack.logs('peer-worker')[-1500:]}")


def wait(one, jobs, begin, limit_s, progress):
    """Seconds from begin until all was right, or None at the limit."""
    while time.monotonic() - begin < limit_s:
        counts, oracle = jobs.counts(), one.control("/oracle")
        if oracle["ok"] and not oracle["feed_queue"] and not counts["wait"] + counts["active"] + counts["delayed"]:
            return time.monotonic() - begin
        progress.show(lambda: f"{time.monotonic() - begin:.0f} s: {counts['completed']:,} jobs done, "
                              f"{counts['wait']:,} wait, {oracle['wrong']} levels not right")
        time.sleep(0.5)
    return None


def one_run(out, set_, stock, onepool_s):
    name = f"peer-rush-{stock}"
    say(f"{name}: {MEANT[stock]}; at most {set_['peer_limit_s']} s")
    progress = Progress()
    with shop(out, skus=set_["skus"], warehouses=set_["warehouses"], latency_ms=set_["latency_ms"], quota=set_["quota"],
              functions=(), nginx=False) as one:
        start_worker(one, stock)
        sales = plan_sales(one.sellable(), set_["sales"], set_["seed"])
        wait_for_window(one)
        one.control("/reset-stats", {})
        jobs, begin = Jobs(one.stack.redis()), time.monotonic()
        seller = Seller(one.stack.simulator_urls["control"])
        seller.run(sales, set_["seconds"], lambda sold: progress.show(
            lambda: f"{sold:,} sold, {jobs.counts()['completed']:,} jobs done"))
        took = wait(one, jobs, begin, set_["peer_limit_s"], progress)
        progress.end()
        tell(out, set_, stock, took, jobs, one, onepool_s)
        out.detail(name, {"parameters": {**set_, "concurrency": CONCURRENCY, "stock": stock}, "jobs": jobs.counts(),
                          "stats": one.control("/stats"), "report": one.control("/report"),
                          "sales_per_second": seller.rate(),
                          "worker_log": one.stack.logs("peer-worker")[-2000:]})


def tell(out, set_, stock, took, jobs, one, onepool_s):
    name = f"peer-rush-{stock}"
    counts, oracle, stats = jobs.counts(), one.control("/oracle"), one.control("/stats")
    left = counts["wait"] + counts["active"] + counts["delayed"]
    pace = jobs.pace()
    until = set_["peer_limit_s"] if took is None else took
    out.add(name, "done", f"jobs done after {until:.0f} s, of {set_['sales']:,}", counts["completed"])
    out.add(name, "failed", "jobs that failed for good", counts["failed"])
    out.add(name, "pace", "jobs per second, lately", pace, "/s")
    out.add(name, "wrong", f"levels not right, of {oracle['checked']:,}", oracle["wrong"])
    out.add(name, "refused_429", "429 answers that it caused", stats["quota_violations"] + stats["caused_429"])
    out.add(name, "calls", "calls to both per 1,000 jobs done",
            sum(stats["calls"].values()) * 1000 / counts["completed"] if counts["completed"] else None)
    if took is not None:
        whole = took
        out.add(name, "last_level_right", "last level right, after the first sale", took, "s")
    else:
        whole = set_["peer_limit_s"] + left / pace if pace else None
        out.add(name, "last_level_right_extrapolated", "last level right, after the first sale, EXTRAPOLATED", whole,
                "s")
    if whole and onepool_s:
        out.add(name, "by_onepool", "that, of onepool's time" + ("" if took else ", EXTRAPOLATED"), whole / onepool_s,
                "x")


def run(out, set_):
    """set_: as rush.run, and peer_limit_s, stock (["all", "touched"])."""
    peer.install()
    out.data["versions"].update(peer.versions())
    figures = {f["name"]: f["value"] for f in out.data["figures"] if f["part"] == "rush"}
    after = figures.get("last_level_right")
    onepool_s = None if after is None else set_["seconds"] + after
    for stock in set_["stock"]:
        one_run(out, set_, stock, onepool_s)
