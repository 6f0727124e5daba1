# SPDX-License-Identifier: Apache-2.0
"""A private stack (tests/flow/stack.py) whose processes can be killed at named points, and whose Redis and platforms are reached
through a relay (proxy.py)."""
import json
import os
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "flow"))
import plants  # noqa: E402
from proxy import Proxy  # noqa: E402
from stack import Stack  # noqa: E402
from web_shop import FUNCTIONS, with_hooks  # noqa: E402
from witness import Witness  # noqa: E402

ALL_QUEUES = ("order", "sale", "return", "sku", "item", "handover", "weborder", "pickup", "refund")
ARGS = ("--web-orders", "--returns", "--latency-ms", "1", "--lag-ms", "20", "--retry-scale", "0.001", "--quota", "100000", "--window-ms",
        "1000")
FASTER = {"bigcommerce": {"confirm_delay_ms": 100, "confirm_timeout_ms": 1500}, "web_orders": {"repeat_after_s": 10}}
FORGOTTEN_S = 3.0
ENV = {"ONEPOOL_DEV": "1", "ONEPOOL_ACCEPTORS": "2", "ONEPOOL_WORKERS": "2", "ONEPOOL_LOG": "info"}


class FaultStack(Stack):
    """functions: which are started. plant: what they get wrong (plants.py)."""

    def __init__(self, functions=FUNCTIONS, plant=None, skus=500, env=None):
        super().__init__(functions=functions, simulator_args=(*ARGS, "--skus", str(skus)), env={**ENV, **(env or {})})
        self.plant = plant
        self.proxy = Proxy()
        self.links = {}
        self.witness = None
        self.fault_folder = self.folder / "points"
        self.fault_folder.mkdir()
        self.dead = []          # pids of parents that were killed: their places never come back
        self.emptied = False    # Redis was, so what it knew of the past is gone
        self.seen = {"events": 0, "hooks": 0}  # acknowledged calls whose journal was checked
        self.acknowledged = 0
        self.held = {}          # lease -> (token, since when it was seen): pass_time
        self.counted = {}       # statistics of the simulators as last judged
        self.wounds = dict.fromkeys(functions, 0)  # children killed since the function was started

    def start(self):
        super().start()
        with_hooks(self)
        self.control("PUT", "/settings", {"hook_retry_scale": 0.0005, "hook_timeout_s": 5})
        self.control("PUT", "/feed", {"timeout_s": 5})
        self.wait_until(self.idle, 20, "the first round is over")
        return self

    def start_redis(self):
        super().start_redis()
        if self.plant in plants.LUA:
            plants.load(self.redis(), self.plant)
        if self.witness is None:
            self.witness = Witness(self.redis_socket)
            self.links["redis"], _ = self.proxy.relay(str(self.redis_socket), str(self.run / "relay.sock"))

    def start_simulators(self):
        super().start_simulators()
        mapping = json.loads(self.mapping_file.read_text(encoding="utf-8"))
        for section, values in FASTER.items():
            mapping.setdefault(section, {}).update(values)
        self.mapping_file.write_text(json.dumps(mapping), encoding="utf-8")
        for name in ("sitoo", "bigcommerce"):
            host, port = self.simulator_urls[name].split("/")[2].split(":")
            self.links[name], relay = self.proxy.relay((host, int(port)))
            self.simulator_urls[f"{name} relay"] = self.simulator_urls[name].replace(port, str(relay), 1)

    def settings(self):
        here = super().settings()
        for name in ("SITOO", "BIGCOMMERCE"):
            here[f"{name}_API_URL"] = self.simulator_urls.get(f"{name.lower()} relay", here[f"{name}_API_URL"])
        here["REDIS_URL"] = f"unix://{self.run / 'relay.sock'}"
        if self.plant in plants.C:
            here["ONEPOOL_PLANT"] = self.plant
        return here

    def start_function(self, name, env=None, wait=True, process=None):
        folder = self.points(name)
        (folder / "passed").mkdir(parents=True, exist_ok=True)
        self.wounds[name] = 0
        return super().start_function(name, {"ONEPOOL_FAULT_FOLDER": folder, **(env or {})}, wait, process)

    def remove(self):
        if self.witness is not None:
            self.witness.close()
        self.proxy.close()
        super().remove()

    # ---------------------------------------------------------------- fault points

    def points(self, name):
        return self.fault_folder / name

    def arm(self, name, point, nth=1, number=signal.SIGKILL):
        """The nth process of a function to pass the point gets that signal, once. Returns the file that is gone by then."""
        file = self.points(name) / point
        part = file.with_name("." + point)
        part.write_text(f"{nth} {int(number)}", encoding="ascii")
        os.rename(part, file)
        return file

    def disarm(self):
        """Points that nobody passed: [(function, point)]."""
        left = [path for name in self.wanted["functions"] for path in self.points(name).iterdir() if path.is_file()]
        for path in left:
            path.unlink(missing_ok=True)
        return [(path.parent.name, path.name) for path in left]

    def passed(self):
        """{(function, point)} that were passed so far."""
        return {(name, path.name) for name in self.wanted["functions"] for path in (self.points(name) / "passed").iterdir()}

    # ---------------------------------------------------------------- killing

    def kill_function(self, name):
        """kill -9 of the parent, and a new start, as a service manager does it."""
        self.dead.append(self.processes[name].pid)
        self.kill_parent(name).popen.wait(10)
        self.start_function(name)

    def stopped(self, name):
        """Pids of a function's children that are stopped by a signal."""
        found = []
        for pid in self.children(name):
            try:
                stat = pathlib.Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if stat.rpartition(")")[2].split()[0] == "T":
                found.append(pid)
        return found

    def heal(self):
        """Everything runs, nothing is armed, no relay disturbs."""
        for link in self.links.values():
            link.calm()
        self.disarm()
        for name in self.wanted["functions"]:
            for pid in self.stopped(name):
                os.kill(pid, signal.SIGCONT)
            if not self.processes[name].alive():
                self.start_function(name)
        for name in ("redis", "nginx"):
            self.processes[name].signal_all(signal.SIGCONT)
        if not self.processes["redis"].alive():
            self.start_redis()
        if not self.processes["nginx"].alive():
            self.start_nginx()
        self.control("DELETE", "/faults")
        self.control("PUT", "/feed", {"duplicate": 0.0, "reorder": 0.0, "paused": False})
        self.control("PUT", "/settings", {"hook_drop": 0.0, "hook_duplicate": 0.0, "hook_reorder": 0.0})

    # ---------------------------------------------------------------- time

    def pass_time(self):
        """What waits for a platform, or for a lease that nobody keeps, is due now, as if the time had passed. Timers stay."""
        redis = self.redis()
        now = self.now_ms()
        for key in redis.scan_iter(self.key("settle:*")):
            redis.delete(key)
        for queue in (*ALL_QUEUES, "ledger"):
            for entity, score in redis.zrangebyscore(self.key(f"due:{queue}"), now + 200, "+inf", withscores=True):
                lease, cause, by, token = redis.hmget(self.key(f"job:{queue}:{entity}"), "lease", "cause", "by", "tok")
                if self._forgotten(f"{queue} {entity}", by, token) if lease == "1" else cause:
                    redis.zadd(self.key(f"due:{queue}"), {entity: now}, xx=True)
                    redis.publish(self.key(f"wake:{queue}"), "1")
        self._look_again(redis, now)
        for key in redis.scan_iter(self.key("lease:*")):
            holder, token = self._keeper(key)
            if self._forgotten(key, holder, token):
                redis.delete(key)
        for key in ("rate:bigcommerce", "rate:sitoo:1"):
            if float(redis.hget(self.key(key), "until") or 0) > now + 200:
                redis.hset(self.key(key), "until", now)

    def _look_again(self, redis, now):
        """A web order whose reservation Sitoo did not show is looked at again after 15 minutes; here that is 3 s after the look before."""
        for case in redis.zrange(self.key("parked"), 0, -1):
            if not case.startswith("reservation_missing:"):
                continue
            last, queue, job = redis.hmget(self.key(f"case:{case}"), "last", "queue", "job")
            if now - float(last or now) > 3000:
                redis.zadd(self.key(f"due:{queue}"), {job: now}, xx=True)
                redis.publish(self.key(f"wake:{queue}"), "1")

    def _keeper(self, key):
        """(holder, token) of a lease, or of a permit for one call of Sitoo. The writer's is kept from round to round, so its token is
        no sign of anything."""
        redis = self.redis()
        if key.startswith(self.key("lease:sitoo:")):
            return redis.hget(self.key("permits"), key.removeprefix(self.key("lease:sitoo:"))), redis.get(key)
        holder, token = redis.hmget(key, "holder", "token")
        return holder, None if key.endswith("lease:writer") else token

    def _forgotten(self, name, holder, token):
        """Whether a lease's holder is dead, or has held the same one for longer than any work takes while nothing is wrong: it asked for
        it, or gave it back, when Redis did not answer, and does not know that it has it."""
        since = self.held.get(name, ("", 0))
        if since[0] != token:
            self.held[name] = since = (token, time.monotonic())
        return self._is_dead(holder) or (token is not None and time.monotonic() - since[1] > FORGOTTEN_S)

    def _is_dead(self, holder):
        return any(f"-{pid}-" in (holder or "") for pid in self.dead)

    def now_ms(self):
        seconds, micro = self.redis().time()
        return seconds * 1000 + micro // 1000

    def age_leases(self, name):
        """Leases that a function's processes hold are over, as if they had not been kept for 30 s."""
        redis, now, pid = self.redis(), self.now_ms(), self.processes[name].pid
        for queue in (*ALL_QUEUES, "ledger"):
            for entity in redis.zrange(self.key(f"due:{queue}"), 0, -1):
                lease, by = redis.hmget(self.key(f"job:{queue}:{entity}"), "lease", "by")
                if lease == "1" and f"-{pid}-" in (by or ""):
                    redis.zadd(self.key(f"due:{queue}"), {entity: now}, xx=True)
                    redis.publish(self.key(f"wake:{queue}"), "1")
        for key in redis.scan_iter(self.key("lease:*")):
            kind = redis.type(key)
            if kind == "string" or (kind == "hash" and f"-{pid}-" in (redis.hget(key, "holder") or "")):
                redis.delete(key)
