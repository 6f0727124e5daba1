# SPDX-License-Identifier: Apache-2.0
"""A private copy of onepool for one test: Redis, the simulators, nginx and the functions chosen, in a temporary folder.

Everything that waits, waits for a condition. Nothing here knows how a function works inside: it starts and kills
processes, sends requests, and reads what the outside can read.
"""
import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ONEPOOL_TEST_BUILD", ROOT / "build" / "asan"))
sys.path.insert(0, str(ROOT / "tests" / "contract"))
import verdict  # noqa: E402  tests/contract/verdict.py

from ports import Ports  # noqa: E402

PATIENCE = 3  # a wait ends when its condition holds; on a machine that does much else, that takes longer than a test expects
FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-updated", "product-updated")
QUEUES = ("order", "sale", "return", "sku", "item")  # what is due; the ledger's timer always is
EVENTS_USER = "onepool"
EVENTS_PASSWORD = "flow-test-events-password"
HOOK_SECRET = "flow-test-hook-secret-0123456789"
SANITIZER_REPORT = re.compile(
    r"ERROR: (?:Address|Leak|Undefined\w*)Sanitizer|AddressSanitizer:DEADLYSIGNAL|SUMMARY: \w+Sanitizer"
    r"|^\S+:\d+:\d+: runtime error:",
    re.MULTILINE,
)


class Answer:
    """What nginx or a simulator said."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Answer({self.status}, {self.body[:200]!r})"


class Process:
    """A program in a process group of its own, with its output in a log file."""

    def __init__(self, name, argv, log, env=None, stdout=None):
        self.name = name
        self.function = None  # the function that it runs
        self.killed = False  # by a test, so a bad exit status says nothing
        with open(log, "ab") as err:
            self.popen = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=stdout or err, stderr=err, env=env, cwd=ROOT,
                start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def signal_all(self, number):
        """To every process of the group."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def stop(self, timeout=20):
        """SIGTERM and wait; whatever is left of the group is then killed. Returns False if it had to be."""
        ended = True
        self.signal(signal.SIGTERM)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            ended = False
        self.signal_all(signal.SIGKILL)
        self.popen.wait(5)
        return ended


def wait_until(predicate, timeout=10.0, what="the condition"):
    """Calls predicate until it returns something true, which is returned. After timeout seconds, times PATIENCE: TimeoutError."""
    timeout *= PATIENCE
    began = time.monotonic()
    end = began + timeout
    while True:
        result = predicate()
        if result:
            return result
        now = time.monotonic()
        if now >= end:
            raise TimeoutError(f"{what} did not come true within {timeout} s (last: {result!r})")
        time.sleep(min(max(0.01, (now - began) / 10), 0.05))  # asking costs the processors that the answer waits for


def request(url, method="GET", body=b"", headers=None, timeout=20.0):
    """One HTTP request on a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path or "/", body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def as_bytes(body):
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def shop_mapping(**sections):
    """The mapping file of the simulated shop with four warehouses, with sections added or replaced."""
    return {
        "locations": [{"bigcommerce_location_id": 1, "sitoo_warehouse_ids": [1, 2, 3]},
                      {"bigcommerce_location_id": 7, "sitoo_warehouse_ids": [4]}],
        "pickup": [{"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3, "pickup_method_ids": [2]}],
        "shipping": {"location_id": 1, "allocate_from": [1, 2], "allow_split": False, "return_only": False},
        **sections,
    }


class Stack:
    """See the module's text. start() and stop() do the parts that the constructor names; each can be done alone."""

    def __init__(self, functions=FUNCTIONS, redis=True, simulators=True, nginx=True, env=None, simulator_args=(),
                 mapping=None):
        self.wanted = {"functions": tuple(functions), "redis": redis, "simulators": simulators, "nginx": nginx}
        self.env_overrides = {k: str(v) for k, v in (env or {}).items()}
        self.simulator_args = tuple(simulator_args)
        # A short name: the path of a unix socket may have 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onepool-", dir="/tmp"))
        self.run, self.log_folder = self.folder / "run", self.folder / "log"
        for folder in (self.run, self.log_folder, self.folder / "nginx", self.folder / "redis"):
            folder.mkdir()
        self.mapping_file = self.folder / "mapping.json"
        if mapping is not None:
            self.mapping_file.write_text(json.dumps(mapping), encoding="utf-8")
        self.mapping_given = mapping is not None
        self.exchanges = self.folder / "exchanges"  # what the simulators were asked; its contract is checked at the end
        self.processes = {}
        self.simulator_urls = {}
        self.ports = Ports(2)
        self.http_port, self.internal_port = self.ports.numbers
        self.complaints = []  # what teardown found
        self.taken = set()  # SKUs that fresh_sku gave out

    # ------------------------------------------------------------ settings

    @property
    def redis_socket(self):
        return self.run / "redis.sock"

    def settings(self):
        """The environment of a function."""
        keep = {k: v for k, v in os.environ.items()
                if not k.startswith(("ONEPOOL_", "SITOO_", "BIGCOMMERCE_", "REDIS_URL"))}
        # Values nobody listens on, for tests without simulators: port 9 of loopback refuses.
        return {
            **keep,
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1",
            "ONEPOOL_ACCEPTORS": "4", "ONEPOOL_MODE": "live", "ONEPOOL_CONFIG": str(self.mapping_file), "ONEPOOL_LOG": "debug",
            "ONEPOOL_HTTP_PORT": str(self.http_port), "ONEPOOL_INTERNAL_PORT": str(self.internal_port),
            "REDIS_URL": f"unix://{self.redis_socket}",
            "SITOO_API_URL": self.simulator_urls.get("sitoo", "http://127.0.0.1:9"),
            "SITOO_API_ID": "1500-1", "SITOO_API_PASSWORD": "sim-sitoo-password",
            "SITOO_ACCOUNT_ID": "1500", "SITOO_SITE_ID": "1",
            "SITOO_EVENTS_USER": EVENTS_USER, "SITOO_EVENTS_PASSWORD": EVENTS_PASSWORD,
            "BIGCOMMERCE_API_URL": self.simulator_urls.get("bigcommerce", "http://127.0.0.1:9"),
            "BIGCOMMERCE_STORE_HASH": "simstore", "BIGCOMMERCE_ACCESS_TOKEN": "sim-bc-token",
            "BIGCOMMERCE_HOOK_SECRET": HOOK_SECRET,
            **self.env_overrides,
        }

    # ------------------------------------------------------------ start and stop

    def start(self):
        if self.wanted["redis"]:
            self.start_redis()
        if self.wanted["simulators"]:
            self.start_simulators()
        if self.wanted["nginx"]:
            self.start_nginx()
        for name in self.wanted["functions"]:
            self.start_function(name)
        if "sitoo-events" in self.wanted["functions"] and self.wanted["nginx"]:
            self.wait_until(lambda: self.get("/ready").status == 200, 20, "GET /ready = 200")
        return self

    def stop(self):
        """Functions first, then what they need. Collects complaints; remove() deletes the folder."""
        order = sorted(self.processes, key=lambda n: self.processes[n].function is None)
        for process in self.processes.values():
            if process.function:
                process.signal_all(signal.SIGCONT)
                process.signal(signal.SIGTERM)
        for name in order:
            process = self.processes[name]
            if not process.stop():
                self.complaints.append(f"{name} did not end after SIGTERM")
            elif process.function and not process.killed and process.popen.returncode != 0:
                self.complaints.append(f"{name} ended with status {process.popen.returncode}, not 0")
        self.processes.clear()
        self.complaints += self.sanitizer_reports()
        self.complaints += verdict.complaints(self.exchanges)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.ports.release()

    def _start(self, name, argv, **options):
        assert name not in self.processes or not self.processes[name].alive(), f"{name} runs already"
        self.processes[name] = Process(name, argv, self.log_file(name), **options)
        return self.processes[name]

    def _wait_alive(self, name, predicate, timeout, what):
        """Waits for predicate, and fails at once if the process ends meanwhile."""
        def check():
            assert self.processes[name].alive(), f"{name} ended while starting:\n{self.logs(name)[-4000:]}"
            return predicate()
        return self.wait_until(check, timeout, what)

    def start_redis(self):
        self.redis_socket.unlink(missing_ok=True)
        self._write_users()
        self._start("redis", ["redis-server", ROOT / "deploy" / "redis.conf", "--dir", self.folder / "redis",
                              "--unixsocket", self.redis_socket, "--aclfile", self.folder / "users.acl"])
        self._wait_alive("redis", self.redis_answers, 15, "Redis answers PING")

    everybody_may_all = False  # in Redis: for programs beside onepool's

    def _write_users(self):
        """onepool's processes get the rights that deploy/redis-users.sh gives, here without password; tests get all."""
        if self.everybody_may_all:
            (self.folder / "users.acl").write_text("user default on nopass ~* &* +@all\nuser tests on nopass ~* &* +@all\n", encoding="ascii")
            return
        users = subprocess.run([ROOT / "deploy" / "redis-users.sh", "default", "-", "default"], check=True,
                               capture_output=True, text=True).stdout
        any_tenant = users.replace("{default}*", "{*}*")  # a few tests make a tenant of their own
        (self.folder / "users.acl").write_text(any_tenant + "user tests on nopass ~* &* +@all\n", encoding="ascii")

    def redis_answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(2)
                s.connect(str(self.redis_socket))
                s.sendall(b"PING\r\n")
                return s.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def redis(self, decode=True):
        """A client of the private Redis (python3-redis); decode=False: answers are bytes."""
        import redis
        return redis.Redis(unix_socket_path=str(self.redis_socket), decode_responses=decode, username="tests",
                           password="-", encoding_errors="replace")

    def restart_redis(self, kill9=True):
        self.stop_redis(kill9)
        self.start_redis()

    def stop_redis(self, kill9=True):
        process = self.processes["redis"]
        process.killed = True
        process.signal(signal.SIGKILL if kill9 else signal.SIGTERM)
        process.popen.wait(20)

    def start_simulators(self):
        ready = self.folder / "simulators.ready"
        args = ["--sitoo-port", 0, "--bigcommerce-port", 0, "--control-port", 0,
                "--feed-url", f"http://127.0.0.1:{self.http_port}/hooks/sitoo",
                "--feed-user", EVENTS_USER, "--feed-password", EVENTS_PASSWORD, "--seed", 1,
                "--mapping", self.mapping_file, "--exchanges", self.exchanges]
        if not self.mapping_given:
            args += ["--write-mapping", self.mapping_file]
        with open(ready, "wb") as out:
            self._start("simulators", ["/usr/bin/python3", "-B", ROOT / "tests" / "sim" / "main.py", *args,
                                       *self.simulator_args], stdout=out)
        self._wait_alive("simulators", lambda: ready.read_text(encoding="utf-8").endswith("\n"), 15,
                         "the simulators are ready")
        line = json.loads(ready.read_text(encoding="utf-8").splitlines()[0])
        assert line["ready"] is True
        self.simulator_urls = {k: line[k].rstrip("/") for k in ("sitoo", "bigcommerce", "control")}

    def render_nginx(self):
        values = {"HTTP_PORT": self.http_port, "INTERNAL_PORT": self.internal_port, "RUN": self.run,
                  "TMP": self.folder / "nginx", "ERROR_LOG": self.folder / "log" / "nginx-error.log",
                  "ACCESS_LOG": self.folder / "log" / "nginx-access.log",
                  "USER_LINE": "user root;" if os.getuid() == 0 else "", **self.nginx_values()}
        text = subprocess.run([ROOT / "nginx" / "render.sh", self.nginx_kind, *(f"{k}={v}" for k, v in values.items())],
                              check=True, capture_output=True, text=True).stdout
        (self.folder / "nginx" / "onepool.conf").write_text(text, encoding="utf-8")

    nginx_kind = "machine"

    def nginx_values(self):
        """What nginx/render.sh is told besides."""
        return {}

    def start_nginx(self):
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program, "nginx is not installed (deploy/setup.sh run)"
        self.render_nginx()
        self._start("nginx", [program, "-e", self.log_file("nginx"), "-p", self.folder / "nginx",
                              "-c", self.folder / "nginx" / "onepool.conf"])
        self._wait_alive("nginx", lambda: self._listens(self.http_port) and self._listens(self.internal_port), 10,
                         "nginx listens")

    def restart_nginx(self):
        self.processes["nginx"].stop()
        self.start_nginx()

    @staticmethod
    def _listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), 2).close()
            return True
        except OSError:
            return False

    def sockets(self, name):
        return [self.run / f"{name}.{side}.sock" for side in "ab"]

    def start_function(self, name, env=None, wait=True, process=None):
        """env: beside the stack's settings, for this start only; None takes one away. wait: until both sockets take
        connections. process: the name of a further replica, with sockets of its own that nginx does not know."""
        program = BUILD / name
        assert program.exists(), f"{program} is missing (make VARIANT=asan all)"
        process = process or name
        settings = {**self.settings(), "ONEPOOL_LISTEN": str(self.run / process), **(env or {})}
        self._start(process, [program], env={k: str(v) for k, v in settings.items() if v is not None})
        self.processes[process].function = name
        if wait:
            self._wait_alive(process, lambda: all(map(self.accepts, self.sockets(process))), 15, f"{process} listens")
        return self.processes[process]

    def replace_function(self, name):
        """As a rolling restart does: a new process takes the sockets over, then the old one gets SIGTERM and drains.
        Returns the old one's exit status."""
        before = [path.stat().st_ino for path in self.sockets(name)]
        old = self.processes[f"{name} (old)"] = self.processes.pop(name)
        self.start_function(name, wait=False)
        self._wait_alive(name, lambda: not set(before) & {path.stat().st_ino for path in self.sockets(name)}, 15,
                         f"the new {name} takes the sockets over")
        old.signal(signal.SIGTERM)
        status = old.popen.wait(30)
        del self.processes[f"{name} (old)"]
        return status

    @staticmethod
    def accepts(path):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(2)
                s.connect(str(path))
            return True
        except OSError:
            return False

    # ------------------------------------------------------------ killing

    def kill_parent(self, name, sig=signal.SIGKILL):
        """Sends sig to a part's first process; does not wait. SIGTERM is expected to end with status 0."""
        process = self.processes[name]
        if sig in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT):
            process.killed = True
        process.signal(sig)
        return process

    def children(self, name):
        """Pids of the acceptors and workers, in ascending order."""
        parent, found = self.processes[name].pid, []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    stat = pathlib.Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
                except OSError:
                    continue
                fields = stat.rpartition(")")[2].split()
                if int(fields[1]) == parent and fields[0] != "Z":
                    found.append(int(entry))
        return sorted(found)

    def kill_child(self, name, sig=signal.SIGKILL, pid=None):
        """Sends sig to one child (the first unless pid is given) and returns its pid."""
        pid = pid or self.children(name)[0]
        assert pid in self.children(name), f"{pid} is not a child of {name}"
        os.kill(pid, sig)
        return pid

    # ------------------------------------------------------------ talking

    def url(self, path, internal=False):
        return f"http://127.0.0.1:{self.internal_port if internal else self.http_port}{path}"

    def get(self, path, internal=False):
        return request(self.url(path, internal))

    def post(self, path, body, user=EVENTS_USER, password=EVENTS_PASSWORD, headers=None):
        """A platform's call. Sitoo's paths get Basic credentials (user=None: none), BigCommerce's the secret header;
        headers are added last, and one with the value None is left out."""
        sent = {"Content-Type": "application/json"}
        if path.startswith("/hooks/bigcommerce"):
            sent["X-Onepool-Secret"] = HOOK_SECRET
        elif user is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        sent.update(headers or {})
        return request(self.url(path), "POST", as_bytes(body), {k: v for k, v in sent.items() if v is not None})

    def status(self):
        """GET /status of the internal listener."""
        answer = self.get("/status", internal=True)
        assert answer.status == 200, f"/status: {answer}"
        return answer.json()

    def control(self, method, path, body=None):
        """A call to the simulators' control port; returns its JSON, or None if it sent nothing."""
        answer = self.control_answer(method, path, body)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer}"
        return answer.json() if answer.body else None

    def control_answer(self, method, path, body=None):
        """The same for a call that may be refused."""
        return request(self.simulator_urls["control"] + path, method, b"" if body is None else as_bytes(body),
                       {"Content-Type": "application/json"})

    def wait_until(self, predicate, timeout=10.0, what="the condition"):
        return wait_until(predicate, timeout, what)

    def command(self, *arguments):
        """The operators' command: exit status, standard output, standard error."""
        done = subprocess.run([str(BUILD / "onepool"), *arguments], env=self.settings(), cwd=ROOT, timeout=30,
                              check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    # ------------------------------------------------------------ the simulated shop

    def fresh_sku(self, free=None, kind=("variant", "simple")):
        """An ordinary SKU that was not given out yet, with at least so many units free per warehouse: {1: 2}. In a
        warehouse with None it has no stock row."""
        world = self.control("GET", "/world")
        for sku in world["skus"]:
            name = sku["sku"]
            if name in self.taken or sku["kind"] not in kind or not name.startswith("SKU-"):
                continue
            if all(self._has(world["stock"][str(w)].get(name), units) for w, units in (free or {}).items()):
                self.taken.add(name)
                return name
        raise AssertionError(f"no SKU is left with {free} free; give the simulators more (--skus)")

    @staticmethod
    def _has(row, units):
        if row is None or units is None:
            return row is None and units is None
        return row["on_hand"] - row["reserved"] - row["withheld"] >= 1000 * units

    def stock(self, sku):
        """Sitoo's stock of a SKU: {warehouse: {"on_hand", "reserved", "withheld"}} in thousandths."""
        answer = self.control("GET", f"/world?sku={urllib.parse.quote(sku, safe='')}")
        return {int(w): row for w, row in answer["stock"].items()}

    def explain(self, sku):
        """The oracle's rows of a SKU by location: expected, actual, after_landing."""
        answer = self.control("GET", f"/oracle?explain={urllib.parse.quote(sku, safe='')}")
        return {row["location"]: row for row in answer["locations"]}

    def levels(self, sku):
        """BigCommerce's levels of a SKU once everything on its way has landed: {location: level}."""
        return {location: row["after_landing"] for location, row in self.explain(sku).items()}

    def wait_levels(self, sku, expected, timeout=10.0):
        """Waits until the levels at these locations are so, and all of them equal the formula."""
        def right():
            rows = self.explain(sku)
            return (all(rows[location]["after_landing"] == level for location, level in expected.items())
                    and all(row["after_landing"] == row["expected"] for row in rows.values()))
        try:
            self.wait_until(right, timeout)
        except TimeoutError:
            raise AssertionError(f"{sku}: expected {expected}, got {self.explain(sku)}") from None

    def bigcommerce(self, path):
        """GET of the simulated BigCommerce below /stores/{hash}; JSON."""
        settings = self.settings()
        answer = request(f"{settings['BIGCOMMERCE_API_URL']}/stores/{settings['BIGCOMMERCE_STORE_HASH']}{path}",
                         headers={"X-Auth-Token": settings["BIGCOMMERCE_ACCESS_TOKEN"], **verdict.NOT_OURS})
        assert answer.status == 200, f"{path}: {answer}"
        return answer.json()

    def sitoo(self, path):
        """GET of the simulated Sitoo below /accounts/{id}, with a key of its own; JSON."""
        settings = self.settings()
        key = base64.b64encode(f"1500-9:{settings['SITOO_API_PASSWORD']}".encode()).decode()
        answer = request(f"{settings['SITOO_API_URL']}/accounts/{settings['SITOO_ACCOUNT_ID']}{path}",
                         headers={"Authorization": f"Basic {key}", **verdict.NOT_OURS})
        assert answer.status == 200, f"{path}: {answer}"
        return answer.json()

    def identity(self, sku):
        """{"sku", "variant_id", "product_id", "sku_id"} of BigCommerce's inventory item."""
        answer = self.bigcommerce(f"/v3/inventory/items?sku:in={urllib.parse.quote(sku, safe='')}")
        return answer["data"][0]["identity"]

    def last_request(self):
        """Number of the platforms' latest request, for requests()."""
        return self.control("GET", f"/requests?since={10 ** 15}")["last"]

    def requests(self, since=0, platform=""):
        """Requests that the platforms got after that number."""
        return self.control("GET", f"/requests?platform={platform}&since={since}")["requests"]

    def writes(self, since=0):
        """The items of every level write after that request: [[{"location_id", "quantity", ...}, ...], ...]."""
        return [json.loads(one["body"])["items"] for one in self.requests(since, "bigcommerce")
                if one["method"] != "GET"]

    def written(self, sku, since=0):
        """The levels that were written of a SKU, in order: [(location, level)]."""
        identity = self.identity(sku)
        return [(item["location_id"], item["quantity"]) for items in self.writes(since) for item in items
                if item.get("variant_id", identity["variant_id"]) == identity["variant_id"]
                and item.get("product_id", identity["product_id"]) == identity["product_id"]]

    # ------------------------------------------------------------ what onepool keeps

    def key(self, name):
        return "{default}:" + name

    def mark(self, sku):
        """Makes a SKU due, as the least that any event about it does."""
        self.fcall("apply", "mark", "sku", sku, "0", "", "")

    def fcall(self, name, *args):
        """Calls a function of the embedded Redis library."""
        redis = self.redis()
        library = redis.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "onepool_*")[0]
        return redis.execute_command("FCALL", f"{name}_{library[1].removeprefix('onepool_')}", 1, "{default}", *args)

    def cases(self):
        """Parked cases: {id: fields}."""
        redis = self.redis()
        return {name: redis.hgetall(self.key(f"case:{name}")) for name in redis.zrange(self.key("parked"), 0, -1)}

    def counter(self, name):
        return int(self.redis().hget(self.key("count"), name) or 0)

    def records(self, kind):
        """Rows of the ledger of that type ("sale", "movement", "level", ...)."""
        rows = [json.loads(fields["row"]) for _, fields in self.redis().xrange(self.key("ledger"))]
        return [row for row in rows if row["type"] == kind]

    def sales(self, order):
        """Recorded sale rows of an order: [(sku, quantity, warehouse)]."""
        return [(row["sku"], row["quantity"], row["warehouse"]) for row in self.records("sale")
                if row["order"] == order]

    def journal(self, event_id):
        """The bytes of every journal entry of an event."""
        entries = self.redis(decode=False).xrange(self.key("journal"))
        return [fields[b"bytes"] for _, fields in entries if fields[b"id"] == event_id.encode()]

    def idle(self):
        """True if nothing is due, claimed, deferred, open or unconfirmed."""
        pipe = self.redis().pipeline(transaction=True)
        for queue in QUEUES:
            pipe.exists(self.key(f"due:{queue}"))
        pipe.exists(self.key("unconfirmed"))
        pipe.exists(self.key("intents"))
        pipe.hmget(self.key("job:ledger:main"), "lease", "gen", "cgen")
        *busy, (lease, gen, cgen) = pipe.execute()
        return not any(busy) and lease == "0" and gen == cgen

    def quiet(self):
        """True if every event was handed over, all work is done, and every level equals the formula."""
        if self.control("GET", "/oracle")["feed_queue"] or not self.idle():
            return False
        oracle = self.control("GET", "/oracle?full=1")
        return oracle["ok"] and not oracle["feed_queue"] and not oracle["landing"]

    def wait_quiet(self, timeout=30.0):
        try:
            self.wait_until(self.quiet, timeout)
        except TimeoutError:
            redis = self.redis()
            due = {queue: redis.zrange(self.key(f"due:{queue}"), 0, 9) for queue in QUEUES}
            raise AssertionError(
                f"not quiet after {timeout * PATIENCE} s: {self.control('GET', '/oracle?full=1')}; due: {due}; unconfirmed: "
                f"{redis.zrange(self.key('unconfirmed'), 0, 9)}; intents: {redis.hkeys(self.key('intents'))}; "
                f"cases: {list(self.cases())}") from None

    # ------------------------------------------------------------ logs

    def log_file(self, name):
        return self.log_folder / f"{name}.log"

    def logs(self, name):
        """All that a part wrote so far; also "nginx-access" and "nginx-error"."""
        try:
            return self.log_file(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def sanitizer_reports(self):
        found = []
        for path in sorted(self.log_folder.glob("*.log")):
            text = path.read_text(encoding="utf-8", errors="replace")
            match = SANITIZER_REPORT.search(text)
            if match:
                found.append(f"{path.name}: {text[match.start():match.start() + 3000]}")
        return found

    def log_tails(self, lines=30):
        parts = []
        for path in sorted(self.log_folder.glob("*.log")):
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            if text:
                parts.append("\n".join([f"---- {path.name}", *text]))
        return "\n".join(parts)
