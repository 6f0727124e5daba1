# SPDX-License-Identifier: Apache-2.0
"""The harness itself, and a small part of `make faults`: a few seeds, a few single faults, and the four planted mistakes, each of which
has to be found, while the same story without it ends well."""
import pathlib
import re
import subprocess

import makefaults
import pytest
import scenarios
from faultplan import FUNCTIONS, KINDS, Plan, points, singles
from plants import NAMES
from witness import Witness

ROOT = pathlib.Path(__file__).resolve().parents[2]
KIND_OF_PLANT = {"journal": "lost", "fence": "doubled", "refund": "doubled", "pending": "levels"}
# What a day with these functions does not pass: products, goods that are booked into a quarantine, refusals for good.
ELSEWHERE = re.compile(r"^(products\.|quarantine\.|queue\.before_park\.|ledger\.export_named$)")
CALL = re.compile(r'\bfault_point(_of)?\(\s*(?:[\w>-]+,\s*)?"([\w.]+)"')
SOME = ("kill sitoo-events at redis.sent.accept", "kill return at refund.sent", "kill order-created at handover.after_create",
        "stop sale at queue.before_complete.sale", "reset after apply of POST payment_actions/refunds at bigcommerce",
        "time-out after apply of POST /orders.json at sitoo", "redis kill -9", "redis network answer lost complete", "kill nginx",
        "events malformed 1")
SEEDS = (1, 17, 23)


# ---------------------------------------------------------------- what needs no stack

def test_a_seed_is_always_the_same_day_and_the_same_faults():
    for seed in range(50):
        one, other = Plan(seed), Plan(seed)
        assert (one.acts, one.faults, str(one)) == (other.acts, other.faults, str(other))
    assert len({str(Plan(seed)) for seed in range(200)}) == 200


def test_seeds_draw_every_kind_of_fault_and_one_to_three_of_them():
    plans = [Plan(seed) for seed in range(1, 201)]
    assert {len(plan.faults) for plan in plans} == {1, 2, 3}
    words = {fault["kind"].split()[0] for plan in plans for _, fault in plan.faults}
    assert words == {"kill", "stopped", "http", "burst", "redis", "platform", "events", "rolling"}
    assert len(KINDS) == 10


def sources():
    """{file: text} of everything that is compiled into a program and names a fault point."""
    found = {}
    for path in sorted([*(ROOT / "shared").glob("*.c"), *(ROOT / "functions").glob("*/*.c")]):
        text = path.read_text(encoding="utf-8")
        if path.name != "faultpoint.c" and re.search(r"fault_point|fault_planted|ONEPOOL_FAULTS", text):
            found[path] = text
    return found


def named():
    """Names of the code, whole or the first part of one."""
    return {(name, bool(of)) for text in sources().values() for of, name in CALL.findall(text)}


def test_every_point_that_the_code_names_is_tried():
    known = {point for _, point in points()}
    for name, prefix in named():
        if not ELSEWHERE.match(name):
            assert any(one == name or (prefix and one.startswith(name)) for one in known), \
                f"{name} is passed by no day: extend shopday.py, then run makefaults.py --learn 6"
    assert {function for function, _ in points()} == set(FUNCTIONS)


def test_every_single_fault_has_a_name_and_a_place():
    every = singles()
    assert len(every) > 600
    assert set(SOME) <= set(every)


def test_release_objects_hold_no_name_of_a_fault_point_nor_a_plant(tmp_path):
    """Compiled as a release compiles them; the same sources with fault points hold the names, else this would prove nothing."""
    flags = subprocess.run(["make", "-s", "print-flags"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    words = [name.encode() for name, _ in named()] + [b"ONEPOOL_PLANT", b"ONEPOOL_FAULT"]

    def compiled(path, *more):
        out = tmp_path / "object.o"
        subprocess.run(["gcc", *flags, *more, "-O1", "-c", "-o", out, path], cwd=ROOT, check=True)
        return out.read_bytes()
    for path in [*sources(), ROOT / "shared" / "faultpoint.c"]:
        data = compiled(path)
        assert not [word for word in words if word in data], f"{path} names a fault point in a release"
    assert b"gate.intent." in compiled(ROOT / "shared" / "gate.c", "-DONEPOOL_FAULTS")


def test_release_programs_that_are_there_hold_no_name_either():
    built = [path for path in (ROOT / "build").glob("*") if path.is_file() and (ROOT / "functions" / path.name).is_dir()]
    newest = max(path.stat().st_mtime for path in [*sources(), ROOT / "shared" / "faultpoint.h"])
    built = [path for path in built if path.stat().st_mtime > newest]
    if not built:
        pytest.skip("no release is built from these sources (make all)")
    for path in built:
        data = path.read_bytes()
        assert not [name for name, _ in named() if name.encode() in data], path
        assert b"ONEPOOL_PLANT" not in data and b"ONEPOOL_FAULT" not in data, path


# ---------------------------------------------------------------- the witness

@pytest.fixture
def witness(tmp_path):
    one = Witness(tmp_path / "nobody listens")
    yield one
    one.close()


def monitor(witness, *lines):
    for i, line in enumerate(lines):
        where, words = line.split(" ", 1)
        witness.take(f"+{i}.0 [0 {where}] {' '.join(chr(34) + word + chr(34) for word in words.split())}".encode())


CLAIM = "lua HSET {default}:job:sale:7 tries 1 tok %d lease 1"


def test_witness_sees_a_late_worker_whose_completion_counts(witness):
    monitor(witness, CLAIM % 10, CLAIM % 11, "unix FCALL complete_ab 1 {default} sale 1 7 10", "lua DEL {default}:job:sale:7")
    assert len(witness.violations) == 1 and "late worker" in witness.violations[0]


def test_witness_lets_a_fenced_worker_and_the_right_one_pass(witness):
    monitor(witness, CLAIM % 10, CLAIM % 11, "unix FCALL complete_ab 1 {default} sale 1 7 10", "lua HMGET {default}:job:sale:7 tok lease",
            "unix FCALL complete_ab 1 {default} sale 1 7 11", "lua DEL {default}:job:sale:7")
    assert witness.violations == [] and witness.fenced == 1


def test_witness_sees_effects_of_a_fenced_batch_and_an_intent_without_the_lease(witness):
    monitor(witness, CLAIM % 10, CLAIM % 11, "unix FCALL complete_ab 1 {default} sale 1 7 10 count x 1", "lua HINCRBY {default}:count x 1",
            "lua HSET {default}:lease:writer holder a token 12", "lua HSET {default}:lease:writer holder b token 13",
            "unix FCALL intent_open_ab 1 {default} levels:1 {} writer 12", "lua HSET {default}:intents levels:1 {}")
    assert len(witness.violations) == 2


def test_witness_sees_a_token_that_does_not_rise(witness):
    monitor(witness, CLAIM % 10, CLAIM % 9)
    assert "not above 10" in witness.violations[0]


# ---------------------------------------------------------------- stories

def told(verdict):
    return "\n".join(verdict.lines())


@pytest.mark.parametrize("name", NAMES)
def test_planted_mistake_is_found(name):
    verdict = scenarios.run(name, name)
    assert verdict.found[KIND_OF_PLANT[name]], f"nothing found: {told(verdict)}"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_story_without_the_mistake_ends_well(name):
    verdict = scenarios.run(name, None)
    assert not verdict.bad, told(verdict)


def run(names):
    for result in makefaults.run_block(list(names), False):
        assert not result.bad, f"{result.name}: {result.plan}\n" + "\n".join(result.lines)
        yield result


@pytest.mark.long
def test_some_seeds_end_well():
    assert len(list(run(f"seed {seed}" for seed in SEEDS))) == len(SEEDS) + 1


@pytest.mark.long
def test_some_single_faults_happen_and_end_well():
    happened = {result.name: result.happened for result in run(SOME)}
    assert len([name for name in SOME if happened[name]]) >= len(SOME) - 1, happened
