# SPDX-License-Identifier: Apache-2.0
"""A backup, more business, a disaster, a restore: what happened since the backup is found again at the platforms, every level is right,
and nothing is made twice."""
import json
import os
import shutil
import subprocess

import pytest

from stack import ROOT, shop_mapping
from web_shop import FUNCTIONS, QUICK, WRONG, handed, order, with_hooks

REFUNDED_WRONG = ("missing", "unexpected", "wrong_amount", "refunded_twice", "over_refunded", "over_refunded_rows")


def backup(shop, folder, **more):
    env = {**os.environ, "REDIS_URL": f"unix://{shop.redis_socket}", "REDIS_BACKUP_USER": "backup", "REDISCLI_AUTH": "-", **more}
    return subprocess.run([ROOT / "deploy" / "backup.sh", folder], env=env, capture_output=True, text=True, timeout=60, check=False)


def restore(copy, folder):
    return subprocess.run([ROOT / "deploy" / "restore.sh", copy, folder], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def shop(stack):
    one = stack(functions=(), simulator_args=("--returns", "--web-orders", *QUICK))
    mapping = json.loads(one.mapping_file.read_text(encoding="utf-8"))
    mapping["returns"]["repeat_after_s"] = 30  # that long returns wait after a restore: a refund that was under way must have landed
    one.mapping_file.write_text(json.dumps(mapping), encoding="utf-8")
    (one.folder / "state").mkdir()
    one.env_overrides["ONEPOOL_STATE_DIR"] = str(one.folder / "state")
    for name in FUNCTIONS:
        one.start_function(name)
    one.wait_until(lambda: one.redis().hget(one.key("epoch"), "state") == "whole", 20, "the first start is over")
    one.wait_until(lambda: one.redis().hget(one.key("cursor"), "ledger"), 20, "the ledger's beginning is known")
    with_hooks(one)
    return one


class Business:
    """A day's part: till sales, a return of a web purchase, a web order that is handed over."""

    def __init__(self, shop):
        self.shop, self.orders = shop, []

    def play(self):
        shop = self.shop
        sold, back, web = (shop.fresh_sku({1: 6}) for _ in range(3))
        self.orders.append(order(shop, {"sku": web, "quantity": 2}))
        handed(shop, self.orders[-1])
        bought = order(shop, back)
        (there,) = handed(shop, bought)
        shop.control("POST", "/deliver-order", {"order_id": there["id"]})
        given = shop.control("POST", "/return", {"rows": [{"sku": back, "quantity": 1, "reason": "101"}], "original": there["id"],
                                                 "warehouse": 1})["order_id"]
        shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1} for sku in (sold, web)], "warehouse": 1})
        shop.wait_until(lambda: shop.redis().get(shop.key(f"return:{given}")), 20, "the return is worked on")
        shop.wait_quiet(60)


def right(shop):
    """Levels, web orders and refunds, in the simulators' opinion."""
    shop.wait_quiet(120)
    levels = shop.control("GET", "/oracle")
    assert levels["ok"], levels["mismatches"]
    orders = shop.control("GET", "/web-orders-oracle")
    assert not {name: orders[name] for name in WRONG if orders[name]}
    refunds = shop.control("GET", "/refunds")
    assert not {name: refunds[name] for name in REFUNDED_WRONG if refunds.get(name)}
    assert shop.control("GET", "/report")["units_sold_twice"]["outside"] == 0
    return sum(len(one.get("refunds", [])) for one in refunds["orders"].values())


@pytest.mark.long
@pytest.mark.parametrize("another_machine", [False, True], ids=["here", "on another machine"])
def test_restore_drill(shop, tmp_path, another_machine):
    """On another machine there is no state folder, so no process remembers what Redis was."""
    business = Business(shop)
    business.play()
    done = backup(shop, tmp_path / "copies")
    assert done.returncode == 0, done.stderr
    copy = done.stdout.strip()
    business.play()
    business.play()
    refunded = right(shop)

    for name in FUNCTIONS:
        shop.processes[name].stop()
    shop.stop_redis(kill9=True)
    shutil.rmtree(shop.folder / "redis")
    if another_machine:
        shutil.rmtree(shop.folder / "state")
        (shop.folder / "state").mkdir()
    for _ in range(3):  # business goes on while nothing runs
        shop.control("POST", "/sale", {"rows": [{"sku": shop.fresh_sku({1: 5}), "quantity": 1}], "warehouse": 1})
    done = restore(copy, shop.folder / "redis")
    assert done.returncode == 0, done.stderr
    shop.start_redis()
    assert not shop.redis().hexists(shop.key("handed"), business.orders[-1])  # it is the day before
    for name in FUNCTIONS:
        shop.start_function(name)
    shop.wait_until(lambda: shop.counter("epochs:lossy") == 1, 20, "it is noticed")
    shop.wait_until(lambda: shop.redis().hget(shop.key("epoch"), "state") == "whole", 60, "it is rebuilt")
    assert right(shop) == refunded
    business.play()
    assert right(shop) == refunded + 1


def test_a_damaged_copy_is_refused_and_changes_nothing(stack, tmp_path):
    shop = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    shop.redis().set("{default}:mark", "here")
    copy = backup(shop, tmp_path / "copies").stdout.strip()
    data = bytearray(open(copy, "rb").read())
    data[len(data) // 2] ^= 1
    with open(copy, "wb") as file:
        file.write(data)
    target = tmp_path / "redis"
    target.mkdir()
    (target / "kept").touch()
    done = restore(copy, target)
    assert done.returncode == 1 and "not what was stored" in done.stderr
    os.unlink(copy + ".sha256")
    done = restore(copy, target)
    assert done.returncode == 1 and "damaged" in done.stderr
    assert os.listdir(target) == ["kept"] and sorted(os.listdir(tmp_path)) == ["copies", "redis"]


def test_a_restore_keeps_what_was_there_and_old_copies_go(stack, tmp_path):
    shop = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    shop.redis().set("{default}:mark", "here")
    copies = tmp_path / "copies"
    copies.mkdir()
    for day in range(1, 6):
        (copies / f"onepool-2020010{day}T000000Z.rdb").touch()
    copy = backup(shop, copies, KEEP="3").stdout.strip()
    assert sorted(name for name in os.listdir(copies) if name.endswith(".rdb"))[:2] == [f"onepool-2020010{day}T000000Z.rdb" for day in (4, 5)]
    assert len([name for name in os.listdir(copies) if name.endswith(".rdb")]) == 3 and os.stat(copy).st_mode & 0o077 == 0
    shop.stop_redis(kill9=True)
    done = restore(copy, shop.folder / "redis")
    assert done.returncode == 0, done.stderr
    assert [name for name in os.listdir(shop.folder) if name.startswith("redis.before-")] == []
    assert [name for name in os.listdir(shop.folder / "redis") if name.startswith("before-")]
    shop.start_redis()
    assert shop.redis().get("{default}:mark") == "here" and shop.redis().config_get("appendonly")["appendonly"] == "yes"


def test_a_copy_needs_the_right_to_take_one(stack, tmp_path):
    shop = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    done = backup(shop, tmp_path, REDIS_BACKUP_USER="default")
    assert done.returncode == 1 and "nothing was stored" in done.stderr and not os.listdir(tmp_path)
    assert json.dumps(shop.redis().acl_getuser("backup")["commands"]).count("+") == 4
