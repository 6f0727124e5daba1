# SPDX-License-Identifier: Apache-2.0
"""Does to a stack what a plan says (faultplan.py), and counts what really happened."""
import concurrent.futures
import os
import signal
import time

from faultplan import MALFORMED
from proxy import Loss

SLOW_S = {"redis": 0.15, "sitoo": 0.4, "bigcommerce": 0.4}
SLICE = 48
PASS_S = 1.5
LATE = '{"event_id": "late-%s", "event_type": "order", "account_id": 1500, "data": {"order_event_type": "update", "eshop_id": 1, "order_id": %d}}'


class Faults:
    """at(step) before each step of the day, end() after the last. happened: kinds that did their harm."""

    def __init__(self, shop, plan, day):
        self.shop, self.day = shop, day
        self.waiting = list(plan.faults)
        self.seed = plan.seed
        self.undo = []       # [(step at which it ends, what ends it)]
        self.armed = []      # [(kind, file that is gone when it happened)]
        self.stops = []      # [(file, function, step at which it goes on)]
        self.happened = []
        self.problems = []
        self.step = 0

    def at(self, step):
        self.step = step
        for one in [u for u in self.undo if u[0] <= step]:
            self.undo.remove(one)
            one[1]()
        while self.waiting and self.waiting[0][0] <= step:
            fault = self.waiting.pop(0)[1]
            self._do(fault)

    def end(self):
        """Every fault stops. Who was stopped goes on after somebody else did its work. A point that nobody has passed yet is waited for
        a moment: much of the day's work is done after its last act."""
        end = time.monotonic() + PASS_S
        while time.monotonic() < end and any(file.exists() for file in [f for _, f in self.armed] + [f for f, _, _ in self.stops]):
            time.sleep(0.05)
        while self.undo:
            self.undo.pop(0)[1]()
        for file, function, kind in self.stops:
            if not file.exists():
                self._overtake(function)
                self.happened.append(kind)
        self.happened += [kind for kind, file in self.armed if not file.exists()]
        for platform, seen in self.shop.control("GET", "/faults").items():
            self.happened += [f"{platform} answers: {name}" for name, hits in seen["hits"].items() if hits]
        self.shop.heal()

    def _do(self, fault):
        kind = fault["kind"]
        for words, action in ((("kill at point",), self._arm), (("stopped beyond",), self._stop), (("kill child",), self._child),
                              (("kill parent",), self._parent), (("kill nginx",), self._nginx), (("http ", "burst of "), self._http),
                              (("redis network", "platform network"), self._network), (("redis ",), self._redis),
                              (("events ",), self._events), (("rolling",), self._rolling)):
            if kind.startswith(words):
                action(fault)
                return
        raise AssertionError(f"no such fault: {kind}")

    def _later(self, fault, what):
        self.undo.append((self.step + fault.get("steps", 3), what))

    # ---------------------------------------------------------------- processes

    def _arm(self, fault):
        self.shop.wounds[fault["function"]] += 1
        self.armed.append((f"kill at {fault['point'].split('.')[0]} point", self.shop.arm(fault["function"], fault["point"], fault["nth"])))

    def _stop(self, fault):
        file = self.shop.arm(fault["function"], fault["point"], fault["nth"], signal.SIGSTOP)
        self.stops.append((file, fault["function"], fault["kind"]))

    def _overtake(self, function):
        """A worker is stopped: its lease ends, another one takes its work and goes on; then it wakes up."""
        if not self.shop.stopped(function):
            return
        self.shop.age_leases(function)
        end = time.monotonic() + 1.5
        while time.monotonic() < end and any(self.shop.redis().exists(self.shop.key(f"due:{q}")) for q in ("order", "sale", "return")):
            time.sleep(0.05)
        time.sleep(0.3)
        for pid in self.shop.stopped(function):
            os.kill(pid, signal.SIGCONT)

    def _child(self, fault):
        children = self.shop.children(fault["function"])
        if children:
            self.shop.kill_child(fault["function"], pid=children[fault["which"] % len(children)])
            self.shop.wounds[fault["function"]] += 1
            self.happened.append(fault["kind"])

    def _parent(self, fault):
        self.shop.kill_function(fault["function"])
        self.happened.append(fault["kind"])

    def _nginx(self, fault):
        self.shop.processes["nginx"].killed = True
        self.shop.processes["nginx"].signal_all(signal.SIGKILL)
        self.shop.processes["nginx"].popen.wait(10)
        self.shop.start_nginx()
        self.happened.append(fault["kind"])

    def _rolling(self, fault):
        for name in fault["functions"]:
            status = self.shop.replace_function(name)
            if status != 0:
                self.problems.append(f"{name} ended with status {status} at a rolling restart")
        self.happened.append(fault["kind"])

    # ---------------------------------------------------------------- Redis and networks

    def _redis(self, fault):
        kind, shop = fault["kind"], self.shop
        if kind in ("redis kill -9", "redis restart"):
            shop.restart_redis(kill9=kind.endswith("9"))
        elif kind == "redis stopped 1.3 s":
            shop.processes["redis"].signal(signal.SIGSTOP)
            time.sleep(1.3)
            shop.processes["redis"].signal(signal.SIGCONT)
        elif kind == "redis out of memory":
            shop.redis().config_set("maxmemory", "1mb")
            self._later(fault, lambda: shop.redis().config_set("maxmemory", "0"))
        elif shop.plant is None:
            shop.redis().execute_command("FUNCTION", "FLUSH")
        self.happened.append(kind)

    def _network(self, fault):
        name = "redis" if fault["kind"].startswith("redis") else fault["platform"]
        link, what = self.shop.links[name], fault["kind"].split("network ")[1]
        if what == "slow":
            link.delay_s = SLOW_S[name]
        elif what == "half-open":
            link.held = True
        elif what == "sliced":
            link.slice = SLICE
        elif what == "reset":
            self.shop.proxy.reset(link)
        else:
            before = link.lost
            link.losses.append(Loss((fault["match"] + ("_" if name == "redis" else "")).encode(), what.split()[0], fault["nth"]))
            self._later({"steps": 99}, lambda: self.happened.append(fault["kind"]) if link.lost > before else None)
            return
        if what == "half-open":
            time.sleep(0.7)
        self._later(fault, link.calm)
        self.happened.append(fault["kind"])

    def _http(self, fault):
        shown = self.shop.control("GET", "/faults")[fault["platform"]]["rules"]
        left = [rule for rule in shown if rule.get("count", 1) > 0]
        self.shop.control("PUT", f"/faults/{fault['platform']}", {"seed": self.seed, "rules": [*left, fault["rule"]]})

    # ---------------------------------------------------------------- events

    def _events(self, fault):
        what, shop = fault["kind"].removeprefix("events "), self.shop
        if what == "duplicates":
            shop.control("PUT", "/feed", {"duplicate": 0.5})
            shop.control("PUT", "/settings", {"hook_duplicate": 0.5})
        elif what == "reordered":
            shop.control("PUT", "/feed", {"reorder": 0.5})
            shop.control("PUT", "/settings", {"hook_reorder": 0.7})
        elif what == "hooks lost":
            shop.control("PUT", "/settings", {"hook_drop": 0.6})
        elif what == "malformed":
            self._malformed(MALFORMED[fault["nth"]])
        else:
            self._again(fault, 12 if what == "duplicates at once" else 1)
        self.happened.append(fault["kind"])

    def _malformed(self, template):
        """A bad batch around one good event: it has to be taken, its bytes kept, and the good event acted on."""
        good = LATE % (f"bad-{self.seed}", self._some_order())
        body = (template % good).encode("utf-8", "surrogatepass")
        self._post(body, 1)

    def _again(self, fault, times):
        """An event that was told before, and an order's from long ago under a new id."""
        events = self.shop.control("GET", "/acknowledged")["events"]
        old = events[(fault["nth"] * 37) % len(events)][1] if events else LATE % ("none", 1)
        self._post(f"[{old}]".encode(), times)
        self._post(f"[{LATE % (self.seed, self._some_order())}]".encode(), times)

    def _some_order(self):
        done = [made["order_id"] for path, _, made in self.day.log if path == "/sale" and made]
        return done[0] if done else 1

    def _post(self, body, times):
        """At once, and each again until it is taken, as Sitoo does."""
        def one(_):
            for _ in range(400):
                try:
                    status = self.shop.post("/hooks/sitoo", body).status
                except OSError:
                    status = 503
                if status == 200:
                    return
                if status != 503:
                    self.problems.append(f"a batch was answered {status}: {body[:80]!r}")
                    return
                time.sleep(0.02)
            self.problems.append(f"a batch was never taken: {body[:80]!r}")
        with concurrent.futures.ThreadPoolExecutor(times) as pool:
            list(pool.map(one, range(times)))
