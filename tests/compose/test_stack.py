# SPDX-License-Identifier: Apache-2.0
"""The whole of docker-compose.yml: event in, stock out, and that no call is refused while replicas die, stop, come and go."""
import json
import time

from business import Business, all_200, makers, nothing_was_refused, plenty, settle
from engine import SECRETS, docker, inspect, kill_9, wait_until
from load import Load

SCALED = ("sitoo-events", "sale", "order-created")
PER_SECOND = 40


def test_event_goes_in_and_stock_comes_out(stack):
    (sku,) = plenty(stack, 1)
    before = stack.stats()
    levels = stack.control("GET", f"/level?sku={sku}&location=1")
    stack.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    settle(stack)
    after = nothing_was_refused(stack, before)
    assert after["events_delivered"] > before["events_delivered"]
    assert after["levels_written"] > before["levels_written"]
    assert stack.control("GET", f"/level?sku={sku}&location=1") != levels
    assert docker("exec", stack.containers("stock-moved")[0], "onepool", "status", check=False).returncode == 0


def test_every_replica_takes_calls(stack, orders):
    addresses = {name: {inspect(one)["NetworkSettings"]["Networks"]["onepool-test_inside"]["IPAddress"]
                        for one in stack.containers(name)} for name in SCALED}
    with Load(stack.http_port, makers(orders), 60) as load:
        time.sleep(4)
    assert all_200(load)[0], load.count()
    log = stack.logs("nginx")
    for name, wanted in addresses.items():
        assert len(wanted) == 3
        assert all(f'upstream="{address}:9000"' in log for address in wanted), name


def test_containers_are_hardened(stack):
    for container in stack.containers():
        about = inspect(container)
        host, name = about["HostConfig"], about["Name"]
        assert about["Config"]["User"] == "10001:10001", name
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0 and host["NanoCpus"] > 0 and host["PidsLimit"] > 0, name
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}, name
        published = [p for ports in about["NetworkSettings"]["Ports"].values() for p in ports or []]
        assert all(p["HostIp"] == "127.0.0.1" for p in published), name
        networks = set(about["NetworkSettings"]["Networks"])
        service = about["Config"]["Labels"]["com.docker.compose.service"]
        wanted = {"nginx": {"edge", "inside"}, "simulators": {"edge", "inside"}, "redis": {"inside"}}.get(service, {"inside", "outbound"})
        assert networks == {f"onepool-test_{one}" for one in wanted}, name
    assert json.loads(docker("network", "inspect", "onepool-test_inside").stdout)[0]["Internal"] is True


def test_no_secret_is_in_inspect_or_logs(stack):
    values = {path.name: path.read_text(encoding="utf-8").strip() for path in SECRETS.iterdir()}
    assert values["redis_password"] in values["redis_url"] and values["redis_password"] not in values.pop("redis_acl")
    said = {"logs": stack.logs(), "config": stack.compose("config").stdout,
            **{f"inspect {one}": docker("inspect", one).stdout for one in stack.containers()}}
    for place, text in said.items():
        assert len(text) > 500, place
        for name, value in values.items():
            assert value not in text, f"{name} is in {place}"


def test_redis_refuses_who_has_no_password(stack):
    (redis,) = stack.containers("redis")
    assert "NOAUTH" in docker("exec", redis, "redis-cli", "get", "x").stdout
    health = docker("exec", redis, "redis-cli", "--no-auth-warning", "--user", "health", "--pass", "health", "get", "x").stdout
    assert "NOPERM" in health


def restarted(container, count):
    state = inspect(container)
    return state["RestartCount"] > count and state["State"].get("Health", {}).get("Status") == "healthy"


def test_killed_and_stopped_replicas_under_load_refuse_nobody(stack, orders):
    """One replica of each scaled function is killed with SIGKILL, another one stopped, while calls come in."""
    before = stack.stats()
    killed = []
    with Business(stack, orders[0]) as business, Load(stack.http_port, makers(orders), PER_SECOND) as load:
        time.sleep(1)
        for name in SCALED:
            first, second = stack.containers(name)[:2]
            killed.append((first, inspect(first)["RestartCount"]))
            kill_9(first)
            time.sleep(1)
            docker("stop", "-t", 40, second)
            time.sleep(0.5)
        wait_until(lambda: all(restarted(*one) for one in killed), 60, "what was killed runs again")
        time.sleep(1)
    good, counted = all_200(load)
    assert good, counted
    assert set(counted) == {"/hooks/sitoo", "/hooks/sitoo/sale", "/hooks/sitoo/events", "/hooks/bigcommerce/order-created"}
    assert business.sales > 20 and business.web_orders > 5
    settle(stack)
    nothing_was_refused(stack, before)
    print(f"\n{sum(sum(c.values()) for c in counted.values())} calls, {business.sales} sales, {business.web_orders} web orders,"
          f" slowest answer {load.slowest():.2f} s")
    stack.up()  # what was stopped is started again
    assert all(len(stack.containers(name)) == 3 for name in SCALED)


def test_scaling_under_load_refuses_nobody(stack, orders):
    stack.up(sitoo_events=1)
    before = stack.stats()
    with Business(stack, orders[0]) as business, Load(stack.http_port, makers(orders), PER_SECOND) as load:
        time.sleep(1)
        stack.up(sitoo_events=4)
        assert len(stack.containers("sitoo-events")) == 4
        time.sleep(2)
        stack.up(sitoo_events=1)
        assert len(stack.containers("sitoo-events")) == 1
        time.sleep(2)
    good, counted = all_200(load)
    assert good, counted
    settle(stack)
    nothing_was_refused(stack, before)
    print(f"\n{sum(sum(c.values()) for c in counted.values())} calls, {business.sales} sales, slowest answer {load.slowest():.2f} s")


def test_acceptor_that_dies_with_a_call_in_hand_is_made_up_for_by_the_second_port(stack, orders):
    """Only one replica is left, so nginx has no other address to go to."""
    stack.up(sale=1)
    (container,) = stack.containers("sale")
    with Load(stack.http_port, makers(orders)[1:2], PER_SECOND) as load:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            # The eldest child: acceptors of both ports in turn, for what replaces it is the youngest.
            docker("exec", container, "sh", "-c", "set -- $(grep -lE '^PPid:.1$' /proc/[0-9]*/status | cut -d/ -f3 | sort -n); kill -KILL $1")
            time.sleep(0.1)
    good, counted = all_200(load)
    assert good, counted
    settle(stack)


def test_files_of_a_command_go_to_a_folder_of_the_machine(stack, orders, tmp_path):
    """docs/operations.md, "Files in and out"."""
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)
    for argv in (("ledger", "export", "--to", "/out"), ("baseline", "--export-orders", "/out/orders.csv")):
        stack.compose("run", "--rm", "--no-deps", "-T", "-v", f"{out}:/out", "stock-moved", "onepool", *argv)
    names = sorted(path.name for path in out.iterdir())
    assert "orders.csv" in names and any(name.startswith("ledger") for name in names), names
