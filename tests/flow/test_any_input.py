# SPDX-License-Identifier: Apache-2.0
"""Whatever is posted: it is answered as the contract says, its bytes are kept, nothing falls over, and the next event is acted on.

    ONEPOOL_SEED=4711 pytest tests/flow/test_any_input.py        other bodies than those of every run
"""
import itertools
import json
import os

import tempfile

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from stack import FUNCTIONS, shop_mapping
from test_bad_input import BATCH, Booking, event

set_hypothesis_home_dir(tempfile.gettempdir() + "/onepool-hypothesis")  # what it keeps of Unicode
NUMBER = int(os.environ.get("ONEPOOL_SEED", 0))
RUN = settings(max_examples=300, deadline=None, database=None, derandomize=NUMBER == 0, print_blob=True,
               suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
NUMBERS = st.one_of(st.integers(-2 ** 70, 2 ** 70), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
                    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXTS, inner, max_size=5)), max_leaves=12)
FIELDS = ("event_id", "event_type", "event_date", "account_id", "data")
WITHIN = ("eshop_id", "order_id", "order_event_type", "order_state_changed", "warehouse_id", "sku")
ROUTES = ("/hooks/sitoo", BATCH, "/hooks/sitoo/sale", "/hooks/sitoo/return")
ids = itertools.count(1)


@st.composite
def elements(draw):
    """An element of a batch as it stands in the body: anything, or an event of which a few fields are anything or missing."""
    if draw(st.integers(0, 3)) == 0:
        return json.dumps(draw(JSON), ensure_ascii=draw(st.booleans())).encode()
    one = event(draw(st.integers(1, 20000)), event_id=f"any-{next(ids)}", event_type=draw(st.sampled_from(
        ["sale", "return", "booking", "order", "warehousetransaction", "orderdelivery", "product"])))
    for where, names in ((one, FIELDS), (one["data"], WITHIN)):
        for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True)):
            if draw(st.booleans()):
                where[name] = draw(JSON)
            else:
                where.pop(name, None)
    return json.dumps(one, ensure_ascii=draw(st.booleans())).encode()


# (body, what of it has to be kept)
BODIES = st.one_of(st.binary(max_size=200).map(lambda body: (body, [body])), elements().map(lambda body: (body, [body])),
                   st.lists(elements(), max_size=6).map(lambda found: (b"[" + b",".join(found) + b"]", found)))


def read(body):
    try:
        return json.loads(body)
    except ValueError:
        return None


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--skus", "120", "--quota", "5000", "--lag-ms", "50", "--latency-ms", "2"))


def kept(shop):
    """The bytes of all that was accepted, and of all that waits for a person."""
    redis = shop.redis(decode=False)
    rows = {fields[b"bytes"] for _, fields in redis.xrange(shop.key("journal"))}
    return rows | {redis.hget(shop.key(f"case:{name}"), "bytes") for name in shop.cases()}


def lost(posted, held):
    """What is not among what was kept, but for repetitions of an event."""
    seen = set()
    for wanted in posted:
        for part in wanted:
            one = read(part)
            name = one.get("event_id") if isinstance(one, dict) else None
            if part.strip() and not isinstance(one, list) and part not in held and (not isinstance(name, str) or name not in seen):
                yield part
            seen.add(name if isinstance(name, str) else None)


def test_whatever_is_posted_is_kept_and_harms_nothing(shop):
    pids = {name: shop.children(name) for name in FUNCTIONS}
    posted = []

    @RUN
    @seed(NUMBER)
    @given(route=st.sampled_from(ROUTES), body=BODIES)
    def post(route, body):
        assert shop.post(route, body[0]).status == 200, (route, body)
        posted.append(body[1])

    post()
    assert not list(lost(posted, kept(shop)))[:3]
    booking = Booking(shop)
    assert shop.post(BATCH, [booking.event]).status == 200
    booking.check()
    assert {name: shop.children(name) for name in FUNCTIONS} == pids, "a process fell over"
