# SPDX-License-Identifier: Apache-2.0
"""What a test fails for when its simulators were asked something that the platforms would not understand."""
import contracts
import exchange
import openapi

NOT_OURS = {"X-Test-Look": "1"}  # tests/sim/exchanges.py: a request with it is a test's own look
MOST = 20                        # complaints that are told


def complaints(path):
    """Texts about the exchanges recorded in a file; none if all keep the contracts, or there is no file."""
    if not path.exists():
        return []
    requests, answers = exchange.read_file(path)
    wrong = contracts.check_all(requests)
    root = openapi.folder()
    if root is not None:
        wrong.update(openapi.check_all(root, requests, answers))
    found = [f"contract: {where}: {mistake}" for where, mistakes in wrong.items() for mistake in mistakes]
    more = [f"contract: {len(found) - MOST} more"] if len(found) > MOST else []
    return found[:MOST] + more
