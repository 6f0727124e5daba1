# SPDX-License-Identifier: Apache-2.0
"""Web orders are handed over once, whenever a process dies, whoever else works on them, and if Redis forgets everything."""
import contextlib
import pathlib
import re
import signal

import pytest

from stack import shop_mapping
from web_shop import COLLECT, FUNCTIONS, QUICK, all_right, at, handed, in_sitoo, order, status_of, with_hooks

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "shared").glob("handover*.c")]
WORKERS = ("order-created", "order-updated", "pickup-updated")
MAPPING = shop_mapping(shipping={"location_id": 1, "allocate_from": [1, 2], "allow_split": True, "return_only": False},
                       web_orders={"repeat_after_s": 10})


@pytest.fixture(scope="module")
def frail(module_stack, tmp_path_factory):
    """A shop whose web orders nobody works on but the processes that a test starts. BigCommerce sends no hooks: each change is
    found by its date."""
    one = module_stack(functions=("sitoo-events", "sale", "return", "stock-moved"), mapping=MAPPING,
                       simulator_args=("--web-orders", "--skus", "200", *QUICK), env={"ONEPOOL_DEV": "1"})
    one.fault_folder = tmp_path_factory.mktemp("faults")
    one.wait_until(one.idle, 30, "the first round is over")
    return one


@contextlib.contextmanager
def workers(shop, names=WORKERS, env=None, suffix=""):
    """Processes that work on web orders, which are gone afterwards whatever the test found."""
    started = []
    try:
        for name in names:
            shop.start_function(name, process=name + suffix, env=env)
            started.append(name + suffix)
        yield
    except BaseException:
        for name in started:
            shop.processes.pop(name).stop()
        raise
    for name in started:
        process = shop.processes.pop(name)
        assert process.stop(), f"{name} did not end after SIGTERM"
        assert process.killed or process.popen.returncode == 0, f"{name} ended with status {process.popen.returncode}"


def armed(shop, name, point=None):
    """The environment of processes of which one is killed once at a point, and the file that is gone by then."""
    file = shop.fault_folder / name
    file.touch()
    return {"ONEPOOL_FAULT_POINT": f"{point or name}:{file}"}, file


def two_units(shop):
    """A SKU of which no warehouse alone has three units to ship, but both together have."""
    sku = shop.fresh_sku({1: 0, 2: 0, 3: 0}, kind=("variant",))
    for warehouse, free in ((1, 2), (2, 1), (3, 0)):
        row = shop.stock(sku)[warehouse]
        shop.control("POST", "/stocktake", {"warehouse": warehouse, "sku": sku, "counted": free + row["reserved"] // 1000})
    shop.wait_quiet()
    return sku


def states(shop, number):
    return [o["state"] for o in in_sitoo(shop, number)]


def posts(shop, number, since):
    return [r for r in shop.requests(since, "sitoo") if r["method"] == "POST" and r["path"].endswith("/orders.json")
            and re.search(rf'"externalid":"BC-{number}[-"]', r["body"])]


# ---- what happens to an order so that a step is taken, and how it ends

def reserved(shop):
    number = order(shop, at(shop, 5), **COLLECT)
    return number, lambda: states(shop, number) == ["open"]


def cancelled(shop):
    number, there = reserved(shop)
    shop.wait_until(there, 30, "it is handed over")
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    return number, lambda: states(shop, number) == ["cancelled"]


def completed(shop):
    number, there = reserved(shop)
    shop.wait_until(there, 30, "it is handed over")
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 10})
    return number, lambda: states(shop, number) == ["closed"]


def paid_late(shop):
    number = order(shop, at(shop, 5), **{**COLLECT, "status": 7})
    (one,) = handed(shop, number, timeout=30)
    shop.control("POST", "/web-order-status", {"order_id": number, "status": 11})
    return number, lambda: shop.sitoo(f"/sites/1/orders/{one['id']}.json")["paymentstateid"] == 20


def moved(shop):
    number = order(shop, at(shop, 5, 1), status=11)
    (one,) = handed(shop, number, timeout=30)
    shop.control("POST", "/web-order-edit", {"order_id": number, "address": {"street_1": "Ny gata 7"}})
    return number, lambda: shop.sitoo(f"/sites/1/orders/{one['id']}.json")["delivery_address"].startswith("Ny gata 7")


def shipped(shop):
    number = order(shop, at(shop, 5, 1), status=11)
    handed(shop, number, timeout=30)
    shop.control("POST", "/ship", {"web_order": number})
    return number, lambda: status_of(shop, number) == 2 and states(shop, number) == ["closed"]


def made_ready(shop):
    number, there = reserved(shop)
    shop.wait_until(there, 30, "it is handed over")
    shop.control("POST", "/ready", {"web_order": number})
    return number, lambda: status_of(shop, number) == 8


def collected(shop):
    number, told = made_ready(shop)
    shop.wait_until(told, 60, "Awaiting Pickup")
    shop.control("POST", "/collect", {"web_order": number})
    return number, lambda: status_of(shop, number) == 10


STEPS = {"create": reserved, "cancel": cancelled, "deliver": completed, "close": completed, "pay": paid_late, "address": moved,
         "shipment": shipped, "ready": made_ready, "status": made_ready, "collected": collected}
POINTS = {**{f"handover.{name}": reserved for name in ("claimed", "read", "seen", "before_complete")},
          **{f"handover.{when}_{step}": story for step, story in STEPS.items() for when in ("before", "after")}}


def test_every_fault_point_is_in_the_list():
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    named = set(re.findall(r'fault_point\((?:w->)?app, "(handover\.[a-z_]+)"\)', text))
    templates = set(re.findall(r'fault_point_of\("(handover\.[a-z]+_)"', text))
    steps = set(re.findall(r'\[HAND_[A-Z]+\] = "([a-z]+)"', text)) - {"nothing"}
    assert named | {template + step for template in templates for step in steps} == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_point_between_claimed_and_settled(frail, point):
    env, file = armed(frail, point)
    since = frail.last_request()
    with workers(frail, env=env):
        number, done = POINTS[point](frail)
        frail.wait_until(lambda: not file.exists(), 40, f"one is killed at {point}")
        frail.wait_until(done, 60, "it goes on")
        all_right(frail, 60)
    assert len(in_sitoo(frail, number)) == 1
    assert len(posts(frail, number, since)) == 1
    assert not [name for name in frail.cases() if name.endswith(f"web order {number}")]


def test_split_order_that_is_cut_in_the_middle_gets_its_other_part(frail):
    sku = two_units(frail)
    env, file = armed(frail, "split", "handover.after_create")
    since = frail.last_request()
    with workers(frail, env=env):
        number = order(frail, {"sku": sku, "quantity": 3}, status=11)
        frail.wait_until(lambda: not file.exists(), 40, "one is killed after the first part")
        parts = handed(frail, number, 2, timeout=40)
        all_right(frail, 60)
    assert [(o["externalid"], o["warehouse"], o["rows"][0]["quantity"]) for o in parts] == [
        (f"BC-{number}", 1, 2), (f"BC-{number}-2r0", 2, 1)]
    assert len(posts(frail, number, since)) == 2


def test_new_revision_that_is_cut_in_the_middle_ends_the_old_one(frail):
    env, file = armed(frail, "revision", "handover.before_cancel")
    with workers(frail, env=env):
        sku = at(frail, 5)
        number = order(frail, sku, **COLLECT)
        handed(frail, number, timeout=30)
        frail.control("POST", "/web-order-edit", {"order_id": number, "rows": [{"row": 0, "quantity": 3}]})
        frail.wait_until(lambda: not file.exists(), 40, "one is killed with both revisions there")
        frail.wait_until(lambda: states(frail, number) == ["cancelled", "open"], 40, "the old one is cancelled")
        all_right(frail, 60)


def test_two_workers_with_the_same_orders(frail):
    since = frail.last_request()
    with workers(frail), workers(frail, suffix="-2"):
        numbers = [order(frail, at(frail, 5), **COLLECT) for _ in range(4)]
        for _ in range(4):
            for number in numbers:
                for queue in ("handover", "weborder", "pickup"):
                    frail.fcall("apply", "mark", queue, str(number), "0", "", "")
        for number in numbers:
            handed(frail, number, timeout=40)
        all_right(frail, 60)
        frail.control("POST", "/ready", {"web_order": numbers[0]})
        frail.control("POST", "/collect", {"web_order": numbers[1]})
        for number in numbers[:2] * 3:
            for queue in ("handover", "weborder", "pickup"):
                frail.fcall("apply", "mark", queue, str(number), "0", "", "")
        frail.wait_until(lambda: [status_of(frail, n) for n in numbers[:2]] == [8, 10], 40, "both are told")
        all_right(frail, 60)
    assert [len(posts(frail, number, since)) for number in numbers] == [1, 1, 1, 1]


def test_redis_emptied_between_the_order_in_sitoo_and_its_completion(frail):
    env, file = armed(frail, "lost", "handover.after_create")
    since = frail.last_request()
    with workers(frail, env=env):
        number = order(frail, at(frail, 5), **COLLECT)
        frail.wait_until(lambda: not file.exists(), 40, "one is killed when the order was made")
        frail.redis().flushall()
        frail.wait_until(lambda: frail.redis().hget(frail.key("epoch"), "state") == "whole", 60, "Redis is whole again")
        all_right(frail, 90)
        assert states(frail, number) == ["open"]
        frail.control("POST", "/web-order-status", {"order_id": number, "status": 5})
        frail.wait_until(lambda: states(frail, number) == ["cancelled"], 40, "it is still known")
        all_right(frail, 60)
    assert len(posts(frail, number, since)) == 1


@pytest.mark.long
def test_writer_that_was_away_notices_that_a_shop_has_enough_again(stack):
    """A shortage that another process noticed meanwhile is not this one's to forget."""
    shop = stack(functions=FUNCTIONS, simulator_args=("--web-orders", "--skus", "200", *QUICK), env={"ONEPOOL_WORKERS": "2"})
    with_hooks(shop)
    shop.wait_until(shop.idle, 20, "the first round is over")

    def writer():
        return int(re.findall(r"pid=(\d+) .*store's writer now", shop.logs("stock-moved"))[-1])

    def freeze(pid):
        holder = shop.redis().hget(shop.key("lease:writer"), "holder")
        shop.kill_child("stock-moved", signal.SIGSTOP, pid=pid)
        return lambda: shop.wait_until(lambda: shop.redis().hget(shop.key("lease:writer"), "holder") not in (holder, None), 60,
                                       "another process is the writer")
    sku = at(shop, 2)
    free = shop.stock(sku)[3]
    left = (free["on_hand"] - free["reserved"] - free["withheld"]) // 1000
    number = order(shop, {"sku": sku, "quantity": 2}, **COLLECT)
    handed(shop, number)
    all_right(shop)
    first, name = writer(), f"reservation_short:web order {number}"
    freeze(first)()
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": left - 1}], "warehouse": 3})
    shop.wait_until(lambda: shop.cases().get(name), 40, "a person is told")
    second = writer()
    assert second != first
    taken_over = freeze(second)
    shop.kill_child("stock-moved", signal.SIGCONT, pid=first)
    taken_over()
    shop.control("POST", "/move", {"sku": sku, "quantity": 1, "to": 3})
    shop.wait_until(lambda: name not in shop.cases(), 40, "there is enough again")
    assert writer() == first
    shop.kill_child("stock-moved", signal.SIGCONT, pid=second)
    all_right(shop)
    assert shop.redis().hgetall(shop.key("handed:short")) == {}
