# SPDX-License-Identifier: Apache-2.0
"""README.md's tables name tests that exist."""
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
