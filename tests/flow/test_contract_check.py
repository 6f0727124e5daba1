# SPDX-License-Identifier: Apache-2.0
"""That a stack complains about a request which the platforms would not understand (tests/contract)."""
from stack import Stack, request


def stopped(paths):
    """The complaints of a stack whose simulated Sitoo was asked these paths."""
    one = Stack(functions=(), redis=False, nginx=False)
    headers = {"Authorization": "Basic MTUwMC0xOnNpbS1zaXRvby1wYXNzd29yZA==", "Accept": "application/json", "User-Agent": "onepool/0.1"}
    try:
        one.start()
        for path in paths:
            assert request(f"{one.simulator_urls['sitoo']}/accounts/1500{path}", headers=headers).status == 200
        one.sitoo("/orders.json?datemodifiedfrom=1")  # a test's own look: not held against anything
        one.stop()
        return list(one.complaints)
    finally:
        one.stop()
        one.remove()


def test_a_filter_that_does_not_exist_fails_the_test_though_it_is_answered_200():
    complaint, *more = stopped(["/sites/1/warehouses.json?num=9&colour=red"])
    assert complaint.startswith("contract: sitoo: GET /v2/accounts/1500/sites/1/warehouses.json?num=9&colour=red: query")
    assert "'colour' was unexpected" in complaint
    assert all("colour is not listed" in text for text in more)  # the platforms' files, where they are


def test_right_requests_raise_no_complaint():
    assert stopped(["/sites/1/warehouses.json?num=9", "/sites.json?num=1000"]) == []
