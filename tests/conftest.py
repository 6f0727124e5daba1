# SPDX-License-Identifier: Apache-2.0
"""How the tests are shared out among pytest-xdist's workers (.ci/test: -n N --dist loadgroup), and a list of those that failed."""
import os
import re

import pytest

FAILED = os.environ.get("ONEPOOL_TEST_FAILED")  # a file: a line "setup|call|teardown TEST" for each failure


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes 20 s or more, so it is begun before others, lest all wait for it at the end")


def shares_a_stack(item):
    """Whether the test uses something that its module's tests share."""
    definitions = item._fixtureinfo.name2fixturedefs  # pytest has no public name for it
    return any(definitions[name][-1].scope != "function" and definitions[name][-1].baseid
               for name in item.fixturenames if name in definitions)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Tests that share a stack go to one worker in one piece; every other test is a piece of its own. The long ones are begun
    first, then the pieces of many tests. (option.loadgroup: what xdist sets in its workers.)"""
    if getattr(config.option, "loadgroup", False):
        together = {item: shares_a_stack(item) for item in items}
        for item in items:
            if together[item]:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))
        items.sort(key=lambda item: 1 if together[item] else 0 if item.get_closest_marker("long") else 2)


def pytest_runtest_logreport(report):
    if FAILED and report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        with open(FAILED, "a", encoding="utf-8") as file:
            file.write(f"{report.when} {re.sub(r'@[a-z0-9_]+$', '', report.nodeid)}\n")  # without xdist's group
