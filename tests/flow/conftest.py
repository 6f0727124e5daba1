# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the flow tests."""
import contextlib

import pytest

from stack import Stack


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets a fixture see in its teardown whether the test (or one of its module) failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed_in = report.when
        item.getparent(pytest.Module).failed_in = report.when


@contextlib.contextmanager
def stacks(node):
    """A function that makes and starts a Stack; all are stopped at the end. A sanitizer report, a process that does not
    stop or a bad exit status then fails the test."""
    made = []

    def make(*args, **kwargs):
        made.append(Stack(*args, **kwargs))
        return made[-1].start()

    yield make
    complaints = []
    for one in reversed(made):
        one.stop()
        complaints += one.complaints
    if complaints or getattr(node, "failed_in", None):
        for one in made:
            print(one.log_tails())
    for one in made:
        one.remove()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def stack(request):
    """stack(functions=(...), simulators=False, env={...}): a started Stack for one test."""
    with stacks(request.node) as make:
        yield make


@pytest.fixture(scope="module")
def module_stack(request):
    """The same for all tests of a module."""
    with stacks(request.node) as make:
        yield make
