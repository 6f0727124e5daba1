# SPDX-License-Identifier: Apache-2.0
"""What an append-only file that is cut anywhere keeps."""
import random
import shutil
import signal

from redis_library import Pool, Server, VERSION, accept, event, library, mark


def survived(pool, events):
    """Per event: (idempotency key, journal entry, due entity)."""
    journal, due = {e["id"] for e in pool.journal()}, set(pool.due())
    return [(bool(pool.redis.exists(pool.key(f"idem:sitoo:{e}"))), e in journal, f"order-{e}" in due) for e in events]


def test_a_torn_append_only_file_keeps_or_loses_each_batch_as_a_whole(tmp_path_factory):
    home = tmp_path_factory.mktemp("torn")
    server = Server(home / "whole")
    log = None
    batches = [[f"e{b}-{i}" for i in range(1 + b % 3)] for b in range(30)]
    events = [e for batch in batches for e in batch]
    ends = []
    try:
        server.redis.execute_command("FUNCTION", "LOAD", library(VERSION))
        log = max((home / "whole" / "appendonlydir").glob("*.incr.aof"), key=lambda p: int(p.name.split(".")[-3]))
        ends.append(log.stat().st_size)
        for batch in batches:
            effects = [[*mark(f"order-{e}", hint="w1"), *mark("S1", "sku"), "count", "seen", 1] for e in batch]
            sent = [event(e, *x, data="x" * 300) for e, x in zip(batch, effects)]
            assert accept(Pool(server.redis), *sent) == [len(batch), 0]
            ends.append(log.stat().st_size)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    finally:
        server.kill()
    assert ends == sorted(set(ends)) and log.stat().st_size == ends[-1], "all that was acknowledged is in the file"

    rnd = random.Random(3)
    cuts = [ends[0], ends[-1], ends[-1] - 1, ends[7], ends[7] + 1, ends[19] - 1]
    cuts += [rnd.randrange(ends[0], ends[-1]) for _ in range(40 - len(cuts))]
    partial = 0
    for number, cut in enumerate(cuts):
        copy = home / f"cut{number}"
        shutil.copytree(home / "whole", copy, ignore=shutil.ignore_patterns("redis.sock", "redis.log"))
        with open(copy / "appendonlydir" / log.name, "r+b") as file:
            file.truncate(cut)
        again = Server(copy)
        try:
            pool = Pool(again.redis)
            kept = survived(pool, events)
            assert all(len(set(one)) == 1 for one in kept), f"cut at {cut}: {list(zip(events, kept))}"
            whole = sum(end <= cut for end in ends) - 1
            expected = sum(len(batch) for batch in batches[:whole])
            assert [one[0] for one in kept] == [True] * expected + [False] * (len(events) - expected), f"cut at {cut}"
            assert pool.counter("seen") == pool.counter("accepted:sitoo") == expected
            partial += cut not in ends
            retry = [accept(pool, *[event(e, *mark(f"order-{e}")) for e in batch]) for batch in batches]
            assert [sum(n) for n in zip(*retry)] == [len(events) - expected, expected], "the sender's retry heals it"
            assert set(survived(pool, events)) == {(True, True, True)}
        finally:
            again.kill()
        shutil.rmtree(copy)
    assert partial > 30
