# SPDX-License-Identifier: Apache-2.0
"""Documents name what exists: README.md's tables their tests, docs/returns.md every cause."""
import re

from stack import ROOT

HERE = ROOT / "tests" / "flow"


def named():
    """[(file without its ending, part of a test's name)] of the tables."""
    found = []
    for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines():
        file = None
        if line.startswith("| ") and line.count("|") == 3:
            for file_name, part in re.findall(r"\b(test_\w+)|`([\w.]+)`", line.split("|")[2]):
                file = file_name or file
                if part:
                    found.append((file, part.rstrip("._")))
    return found


def test_every_test_that_the_tables_name_exists():
    pairs = named()
    assert len(pairs) > 50
    missing = [(file, part) for file, part in pairs
               if not re.search(rf"^def test_\w*{part}", (HERE / f"{file}.py").read_text(encoding="utf-8"), re.MULTILINE)]
    assert missing == []


def test_every_cause_of_a_return_is_explained_to_staff():
    page = (ROOT / "docs" / "returns.md").read_text(encoding="utf-8")
    told = {word for line in page.splitlines() if line.startswith("| ")
            for word in re.findall(r"[a-z_]+", line.split("|")[1])}
    causes = set()
    for file in (ROOT / "functions" / "return").glob("*.c"):
        code = re.sub(r'NEXT_DEFER,\s*"\w+"', "", file.read_text(encoding="utf-8"))  # these wait and end by themselves
        causes |= set(re.findall(r'"((?:return|quarantine)_[a-z_]+)"', code))
    assert len(causes) > 25
    assert causes - told == set(), "docs/returns.md says nothing of these"
    shown = {word for word in told if word.startswith(("return_", "quarantine_"))}
    assert shown - causes == set(), "docs/returns.md tells of causes that nothing parks"


def test_every_case_of_a_web_order_is_told_to_staff():
    page = (ROOT / "docs" / "web-orders.md").read_text(encoding="utf-8")
    code = (ROOT / "shared" / "handover_plan.c").read_text(encoding="utf-8")
    table = code[code.index("hand_causes[] = {"):]
    causes = set(re.findall(r'"([a-z_]+)"', table[:table.index("NULL")]))
    assert len(causes) > 10
    assert set(re.findall(r"^\| ([a-z]+_[a-z_]+|uncollected) \|", page, re.MULTILINE)) == causes
