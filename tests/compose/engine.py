# SPDX-License-Identifier: Apache-2.0
"""docker and docker compose as a person calls them, and one stack of docker-compose.yml with simulated platforms."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = "onepool-test"
SECRETS = ROOT / "deploy" / "secrets" / "simulated"
BUILD_LIMIT_S = 900


def missing():
    """Why docker compose cannot be used here, or None."""
    for argv in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired) as problem:
            return f"{' '.join(argv)}: {problem}"
        if done.returncode != 0:
            return f"{' '.join(argv)}: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
    return None


def docker(*argv, env=None, timeout=120, check=True):
    """Runs docker; returns the CompletedProcess."""
    done = subprocess.run(["docker", *map(str, argv)], capture_output=True, text=True, cwd=ROOT, env=env, timeout=timeout,
                          check=False)
    assert not check or done.returncode == 0, f"docker {' '.join(map(str, argv))}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done


def inspect(container):
    return json.loads(docker("inspect", container).stdout)[0]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(predicate, timeout, what):
    end = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        assert time.monotonic() < end, f"{what} did not come true within {timeout} s (last: {result!r})"
        time.sleep(0.2)


class Stack:
    """The whole of onepool, with functions scaled as asked."""

    def __init__(self):
        self.http_port, self.internal_port, self.sim_port = free_ports(3)
        self.env = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, "ONEPOOL_INSTANCE": "simulated", "ONEPOOL_TAG": "test",
                    "ONEPOOL_HTTP_PORT": str(self.http_port), "ONEPOOL_INTERNAL_PORT": str(self.internal_port),
                    "ONEPOOL_SIM_PORT": str(self.sim_port), "ONEPOOL_HEALTH_INTERVAL": "2s", "COMPOSE_ANSI": "never", "COMPOSE_PROGRESS": "plain"}
        self.scale = {}

    def compose(self, *argv, **options):
        # An .env of this checkout belongs to another stack.
        return docker("compose", "--env-file", os.devnull, "--profile", "sim", *argv, env=self.env, **options)

    def build(self):
        self.compose("build", timeout=BUILD_LIMIT_S)

    def up(self, **scale):
        """up(sale=3): also what was scaled before stays so. Waits until all are healthy."""
        self.scale.update({name.replace("_", "-"): number for name, number in scale.items()})
        flags = [word for name, number in self.scale.items() for word in ("--scale", f"{name}={number}")]
        self.compose("up", "-d", "--wait", "--wait-timeout", 150, *flags, timeout=200)

    def script(self, *argv, timeout=600, **env):
        """deploy/compose.sh, as a person calls it."""
        done = subprocess.run([ROOT / "deploy" / "compose.sh", *map(str, argv)], capture_output=True, text=True, cwd=ROOT,
                              env={**self.env, **env}, timeout=timeout, check=False)
        assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def down(self):
        self.compose("down", "-v", "--remove-orphans", "--timeout", 40, timeout=150, check=False)

    def containers(self, service=None):
        """Ids of what runs."""
        return self.compose("ps", "-q", *([service] if service else [])).stdout.split()

    def logs(self, *services):
        done = self.compose("logs", "--no-color", *services)
        return done.stdout + done.stderr

    # ---------------------------------------------------------------- HTTP

    @staticmethod
    def call(url, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=20) as answer:
            return json.load(answer)

    def control(self, method, path, body=None):
        return self.call(f"http://127.0.0.1:{self.sim_port}{path}", method, body)

    def status(self):
        return self.call(f"http://127.0.0.1:{self.internal_port}/status")

    def stats(self):
        return self.control("GET", "/stats")

    def settled(self):
        """The oracle's opinion if nothing is on its way any more, else None."""
        oracle, status = self.control("GET", "/oracle?full=1"), self.status()
        waiting = sum(f["due"] + f["claimed"] for f in status["functions"].values())
        put_off = sum(status["functions"][name]["deferred"] for name in ("sitoo-events", "sale", "stock-moved"))
        done = (oracle["ok"] and not oracle["feed_queue"] and not oracle["landing"] and not waiting and not put_off
                and not status["unconfirmed_levels"] and not self.stats()["hooks_waiting"])
        return oracle if done else None


def secret(name):
    return (SECRETS / name).read_text(encoding="utf-8").strip()


def kill_9(container):
    """Ends its first process as the kernel would, so that the restart policy counts; without the right to, as docker does."""
    try:
        os.kill(inspect(container)["State"]["Pid"], signal.SIGKILL)
    except (PermissionError, ProcessLookupError):
        docker("kill", container)
