# SPDX-License-Identifier: Apache-2.0
"""The ledger of a million movements: how long `onepool ledger verify` takes and what memory, and that it names the one byte that
is changed. Filled through the Redis function that the product uses; Redis' file is changed on the disk while it is stopped."""
import json
import mmap
import os
import pathlib
import sys
import tempfile
import time

import machine
from figures import Progress, say

sys.path.insert(0, str(machine.ROOT / "tests" / "flow"))
import ledger_fill  # noqa: E402
from stack import Stack, shop_mapping  # noqa: E402

TIMEOUT_S = 1800


class Timed:
    """A command's end: status, output, seconds, and the most memory that it ever had."""

    def __init__(self, argv, env):
        with tempfile.TemporaryFile() as out:
            begin = time.monotonic()
            pid = os.posix_spawn(argv[0], argv, env, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
            _, status, usage = os.wait4(pid, 0)
            self.seconds = time.monotonic() - begin
            self.status, self.cpu_s = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
            self.rss_bytes = usage.ru_maxrss * 1024
            out.seek(0)
            self.out = out.read().decode()


def ledger(one, *words):
    return Timed([str(machine.ROOT / "build" / "onepool"), "ledger", *words], one.settings())


def change_one_byte(one, movement):
    """In the row of that movement: a sale of 1.000 becomes one of 7.000. Returns what is changed."""
    one.stop_redis(kill9=False)
    (path,) = (pathlib.Path(one.folder) / "redis" / "appendonlydir").glob("*.incr.aof")
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        at = data.find(b'{"type":"movement","row":%d,' % movement)
        assert at >= 0, f"movement {movement} is not in Redis' file"
        row = data[at:data.find(b"}", at) + 1].decode()
        byte = at + row.index('"quantity":"-1.000"') + len('"quantity":"-')
        data[byte:byte + 1] = b"7"
    one.start_redis_again()
    return json.loads(row)


class Alone(Stack):
    """Redis and nothing else. What it is filled with need not survive a power cut, and its file must stay as it is written."""

    def __init__(self):
        super().__init__(functions=(), simulators=False, nginx=False, mapping=shop_mapping())

    def start_redis_again(self):
        self.start_redis()
        self.wait_until(lambda: self.redis().ping(), TIMEOUT_S, "Redis has read its file")

    def redis_answers(self):  # reading a file of this size takes longer than a stack waits
        end = time.monotonic() + 600
        while time.monotonic() < end:
            if super().redis_answers():
                return True
            time.sleep(0.2)
        return False


def run(out, set_):
    """set_: movements, skus."""
    say(f"ledger: {set_['movements']:,} movements of {set_['skus']:,} SKUs, and what belongs to them")
    one = Alone()
    try:
        one.start()
        redis = one.redis()
        redis.config_set("appendfsync", "no")
        redis.config_set("auto-aof-rewrite-percentage", "0")
        if ledger(one, "keep", "90").status != 0:  # loads the Redis functions
            raise RuntimeError("onepool ledger keep failed")
        measure(out, one, redis, set_)
    finally:
        one.stop()
        one.remove()


def measure(out, one, redis, set_):
    progress, day = Progress(), ledger_fill.Day(skus=set_["skus"])

    def rows():
        for row in day.rows(set_["movements"]):
            progress.show(lambda: f"{day.movements:,} movements are in")
            yield row
    library = redis.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "onepool_*")[0][1].removeprefix("onepool_")
    begin = time.monotonic()
    n = ledger_fill.fill(lambda name, *args: redis.execute_command("FCALL", f"{name}_{library}", 1, "{default}", *args), rows())
    filled = time.monotonic() - begin
    progress.end()
    out.add("ledger", "rows", "entries in the ledger", n)
    out.add("ledger", "fill", "entries written, through the Redis function", round(n / filled), "/s")
    out.add("ledger", "bytes", "of Redis' memory for each entry",
            round(redis.memory_usage(one.key("ledger"), samples=0) / n), "B")
    whole = ledger(one, "verify", "--json")
    report = json.loads(whole.out)
    if whole.status != 0 or report["movements"] != set_["movements"] or report["entries"] != n:
        raise RuntimeError(f"verify ended with {whole.status}: {whole.out[:2000]}")
    out.add("ledger", "verify", "onepool ledger verify", round(whole.seconds, 1), "s")
    out.add("ledger", "verify_rate", "entries verified", round(n / whole.seconds), "/s")
    out.add("ledger", "verify_memory", "the most memory that it had", round(whole.rss_bytes / 2 ** 20, 1), "MiB")
    out.add("ledger", "sku", "onepool ledger sku, over all of it", round(ledger(one, "sku", "SKU-00001").seconds, 1), "s")
    export(out, one, n)
    movement = set_["movements"] // 2
    row = change_one_byte(one, movement)
    changed = ledger(one, "verify", "--json")
    report = json.loads(changed.out)
    faults = report["chain"]["list"]
    found = changed.status == 1 and len(faults) == 1 and faults[0]["sku"] == row["sku"] and faults[0]["type"] == "movement"
    if not found:
        raise RuntimeError(f"the changed byte of movement {movement} was not named: {faults}")
    say(f"one byte of movement {movement} changed in Redis' file; verify, in {changed.seconds:.1f} s: entry "
        f"{faults[0]['entry']} ({faults[0]['type']}, SKU {faults[0]['sku']}): {faults[0]['text']}")
    out.add("ledger", "changed", "one byte of one row changed: found and named", len(faults))
    out.detail("ledger", {"parameters": set_, "rows": report["rows"], "fault": faults[0], "verify_cpu_s": round(whole.cpu_s, 1),
                          "ties": report["ties"]})


def export(out, one, n):
    with tempfile.TemporaryDirectory(dir=one.folder) as folder:
        done = ledger(one, "export", "--json", "--to", folder)
        if done.status != 0 or json.loads(done.out)["entries"] != n:
            raise RuntimeError(f"export ended with {done.status}: {done.out[:2000]}")
        size = sum(file.stat().st_size for file in pathlib.Path(folder).iterdir())
        out.add("ledger", "export", "onepool ledger export", round(done.seconds, 1), "s")
        out.add("ledger", "export_bytes", "of a file for each entry", round(size / n, 1), "B")
        files = ledger(one, "verify", "--json", "--from", folder)
        if files.status != 0:
            raise RuntimeError(f"verify --from ended with {files.status}: {files.out[:2000]}")
        out.add("ledger", "verify_files", "onepool ledger verify of the exported files", round(files.seconds, 1), "s")
        out.add("ledger", "verify_files_memory", "the most memory that it had", round(files.rss_bytes / 2 ** 20, 1), "MiB")
