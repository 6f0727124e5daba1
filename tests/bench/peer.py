# SPDX-License-Identifier: Apache-2.0
"""The peer, fastify and bullmq: installed into build/bench/peer by npm, started beside a Stack's Redis."""
import json
import os
import shutil
import subprocess

from figures import say
from machine import ROOT
from shop import flow

SOURCE = ROOT / "tests" / "bench" / "peer"
PLACE = ROOT / "build" / "bench" / "peer"
INSTALL_LIMIT_S = 300


def install():
    """npm ci, unless what is there was made of the same lock file. Programs are copied: Node.js looks for modules
    beside them."""
    PLACE.mkdir(parents=True, exist_ok=True)
    stamp = PLACE / "installed.json"
    lock = (SOURCE / "package-lock.json").read_bytes()
    for path in [*SOURCE.glob("*.mjs"), *SOURCE.glob("*.json"), SOURCE / ".npmrc"]:
        shutil.copy(path, PLACE / path.name)
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    say("  installing the peer's packages with npm ci")
    stamp.unlink(missing_ok=True)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PLACE, capture_output=True, text=True,
                          timeout=INSTALL_LIMIT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed: {(done.stderr or done.stdout)[-1500:]}")
    stamp.write_bytes(lock)


def versions():
    """{"fastify": "4.29.1", ...} as installed."""
    return {name: json.loads((PLACE / "node_modules" / name / "package.json").read_text(encoding="utf-8"))["version"]
            for name in ("fastify", "bullmq", "ioredis")}


def start(stack, program, name, env, ready=None):
    """Starts one of the peer's programs beside the stack's Redis; ready() is waited for."""
    settings = {**{k: v for k, v in os.environ.items() if not k.startswith("NODE_")}, "NODE_ENV": "production",
                "REDIS_SOCKET": str(stack.redis_socket), "EVENTS_USER": flow.EVENTS_USER,
                "EVENTS_PASSWORD": flow.EVENTS_PASSWORD, **{k: str(v) for k, v in env.items()}}
    process = flow.Process(name, ["node", PLACE / program], stack.log_file(name), env=settings)
    stack.processes[name] = process

    def up():
        if not process.alive():
            raise RuntimeError(f"{name} ended while starting: {stack.logs(name)[-2000:]}")
        return ready is None or ready()
    flow.wait_until(up, 30, f"{name} is ready")
    return process


def start_acceptor(stack, port, processes=1, types="", name="peer"):
    """The acceptor on port; returns when it answers."""
    def answers():
        try:
            return flow.request(f"http://127.0.0.1:{port}/ready", timeout=5).status == 200
        except OSError:
            return False
    return start(stack, "accept.mjs", name, {"PORT": port, "PROCESSES": processes, "TYPES": types}, answers)
