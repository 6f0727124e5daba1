# SPDX-License-Identifier: Apache-2.0
"""Seeds of tests that take another way each time."""
import hashlib
import os
import pathlib
import secrets


def fresh(test):
    """$ONEPOOL_SEED, or a new one. A test that .ci/test runs once more gets the one that it failed with: ONEPOOL_TEST_SEEDS names the
    folder that keeps them. test: request.node.nodeid."""
    if os.environ.get("ONEPOOL_SEED"):
        return int(os.environ["ONEPOOL_SEED"])
    kept = None
    if os.environ.get("ONEPOOL_TEST_SEEDS"):
        name = test.split("@")[0]  # without xdist's group
        kept = pathlib.Path(os.environ["ONEPOOL_TEST_SEEDS"]) / hashlib.sha256(name.encode()).hexdigest()
        if kept.exists():
            return int(kept.read_text(encoding="ascii"))
    seed = secrets.randbelow(10**6) + 1000
    if kept:
        kept.write_text(str(seed), encoding="ascii")
    return seed
