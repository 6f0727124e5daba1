# SPDX-License-Identifier: Apache-2.0
"""deploy/stack.sh beside what it starts."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def number(path, pattern):
    found = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.M)
    assert found, f"{path}: {pattern}"
    return int(found[1])


def test_down_waits_longer_than_a_function_may_take_to_end_its_work():
    """Killed earlier, a write in hand would stay without a recorded outcome."""
    drain_ms = number("shared/supervise.c", r"^#define DRAIN_LIMIT_MS +INT64_C\((\d+)\)")
    assert number("deploy/stack.sh", r"^STOP_LIMIT_S=(\d+)") * 1000 >= drain_ms + 5000
