# SPDX-License-Identifier: Apache-2.0
"""What an operator does to a running stack: a rolling update under load, and a copy, a disaster and the way back."""
import re
import signal
import subprocess
import time

from business import Business, all_200, makers, nothing_was_refused, plenty, settle
from engine import ROOT, docker, inspect, secret, wait_until
from load import Load

PER_SECOND = 20
FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-created", "order-updated", "pickup-updated", "product-updated", "sweep")


def test_rolling_update_of_each_function_under_load_refuses_nobody(stack, orders):
    stack.up(sitoo_events=2, sale=1, order_created=1)
    docker("tag", "onepool:test", "onepool:before")
    before, old = stack.stats(), {name: set(stack.containers(name)) for name in FUNCTIONS}
    revision = f"test{int(time.time())}"
    with Business(stack, orders[0]) as business, Load(stack.http_port, makers(orders), PER_SECOND) as load:
        said = stack.script("update", ONEPOOL_REVISION=revision)
    good, counted = all_200(load)
    assert good, counted
    for name in FUNCTIONS:
        fresh = stack.containers(name)
        assert len(fresh) == len(old[name]) and not set(fresh) & old[name], name
        assert {revision_of(one) for one in fresh} == {revision}, name
        assert f"{name}: {len(fresh)} new beside {len(fresh)} that run" in said
    stack.script("update", "--no-build", "sale", ONEPOOL_TAG="before")
    (back, ) = stack.containers("sale")
    assert revision_of(back) != revision and inspect(back)["Config"]["Image"] == "onepool:before", "it is back at the release before"
    settle(stack)
    nothing_was_refused(stack, before)
    print(f"\n{sum(sum(c.values()) for c in counted.values())} calls, {business.sales} sales, {business.web_orders} web orders,"
          f" slowest answer {load.slowest():.2f} s; {strayed(stack)} calls met an address that was another function's by then")


def strayed(stack):
    return sum("/hooks/" in line and re.search(r'upstream_status="[^"]*404', line) is not None for line in stack.logs("nginx").splitlines())


def revision_of(container):
    return inspect(container)["Config"]["Labels"]["org.opencontainers.image.revision"]


def interrupted(stack, how, **env):
    """An update of sale that ends by this signal when the new replica is there; its exit status and what it said."""
    update = subprocess.Popen([ROOT / "deploy" / "compose.sh", "update", "--no-build", "sale"], cwd=ROOT, env={**stack.env, **env},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    while "waiting until the new are healthy" not in said:
        line = update.stdout.readline()
        assert line, f"it ended before the new replica was there: {said}"
        said += line
    update.send_signal(how)
    status = update.wait(60)
    return status, said + (update.stdout.read() if how != signal.SIGKILL else "")  # its children may hold the pipe


def test_an_update_that_is_broken_off_can_be_run_again(stack):
    stack.up(sale=1)
    (old, ) = stack.containers("sale")
    docker("commit", "--change", "LABEL next=1", old, "onepool:next")
    status, said = interrupted(stack, signal.SIGTERM, ONEPOOL_TAG="next")
    assert status == 1 and "the old ones go on" in said
    assert stack.containers("sale") == [old]
    status, _ = interrupted(stack, signal.SIGKILL, ONEPOOL_TAG="next")
    assert status == -signal.SIGKILL
    left = set(stack.containers("sale")) - {old}
    assert len(left) == 1, "nobody could take the new one away"
    stack.script("update", "--no-build", "sale", ONEPOOL_TAG="next")
    assert set(stack.containers("sale")) == left, "it is made use of"
    stack.script("update", "--no-build", "sale")
    (back, ) = stack.containers("sale")
    assert "next" not in inspect(back)["Config"]["Labels"]


def sell(stack, skus, count):
    for turn in range(count):
        stack.control("POST", "/sale", {"rows": [{"sku": skus[turn % len(skus)], "quantity": 1}], "warehouse": 1})
    stack.control("POST", "/web-order", {"rows": [{"sku": skus[0], "quantity": 1}]})


def test_restore_drill(stack, tmp_path):
    """Backup, more sales, disaster, restore: levels right, nothing made twice."""
    skus = plenty(stack, 12)
    sell(stack, skus, 5)
    settle(stack)
    copy = stack.script("backup", tmp_path).strip().splitlines()[-1]
    sell(stack, skus, 8)
    settle(stack)
    before, replicas = stack.stats(), {name: len(stack.containers(name)) for name in FUNCTIONS}
    assert replicas["sitoo-events"] > 1, "a scaled function stays so"
    # The disaster: somebody empties Redis's volume.
    stack.compose("exec", "-T", "redis", "sh", "-c", "rm -rf /data/appendonlydir && kill -KILL 1", check=False)
    sell(stack, skus, 3)
    stack.script("restore", copy)
    assert {name: len(stack.containers(name)) for name in FUNCTIONS} == replicas
    assert stack.status()["epoch"]["state"] in ("lossy", "whole")
    wait_until(lambda: stack.status()["epoch"]["state"] == "whole", 120, "what happened since the copy is read again")
    wait_until(stack.settled, 120, "all is settled and every level right")
    settle(stack)
    after = stack.stats()
    assert after["events_lost"] == before["events_lost"]
    assert stack.status()["counts"].get("epochs:lossy", 0) >= 1
    sell(stack, skus, 2)
    settle(stack)


def test_the_password_of_redis_is_changed_while_all_runs(stack):
    """Functions with the old one and with the new one work side by side until the old one is ended."""
    before = secret("redis_password")
    subprocess.run([ROOT / "deploy" / "secrets.sh", "simulated", "--rotate", "redis_password"], check=True, capture_output=True)
    assert secret("redis_password") != before
    said = stack.script("update", "--no-build", "sale")
    assert "redis: started again" in said and "compose: sale: " in said
    assert "redis: started again" not in stack.script("update", "--no-build", "return"), "once"
    sell(stack, plenty(stack, 4), 4)
    settle(stack)
    assert not stack.status()["epoch"].get("problem") and stack.status()["epoch"]["state"] == "whole"
