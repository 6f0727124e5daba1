# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the flow tests."""
import contextlib

import pytest

from redis_library import CLOCK, NOW, VERSION, Pool, Server, changed, library
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


@pytest.fixture(scope="module")
def durable_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("r") / "durable")
    server.redis.execute_command("FUNCTION", "LOAD", "REPLACE", library(VERSION))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def clock_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("r") / "clock", appendonly=False)
    source = changed(b"redis.call('TIME')", f"redis.call('HMGET', '{CLOCK}', 's', 'us')".encode())
    server.redis.execute_command("FUNCTION", "LOAD", "REPLACE", library("clock", source))
    yield server
    server.kill()


@pytest.fixture
def pool(durable_server):
    """The library as the product loads it, and an empty Redis."""
    durable_server.redis.flushall()
    return Pool(durable_server.redis)


@pytest.fixture
def timed(clock_server):
    """The library with the clock in the hands of the test, and an empty Redis."""
    clock_server.redis.flushall()
    pool = Pool(clock_server.redis, "clock")
    pool.set_time(NOW)
    return pool
