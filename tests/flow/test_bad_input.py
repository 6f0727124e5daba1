# SPDX-License-Identifier: Apache-2.0
"""What may stand in a batch of events, or be missing of it. tests/flow/README.md says where each fault has its test.

In each test a booking travels beside the fault: it has no row in Sitoo's ledger, so only its event can make the level
right, and a lost event shows.
"""
import base64
import json
import signal
import uuid

import pytest

from fastcgi import Call
from stack import EVENTS_PASSWORD, EVENTS_USER, shop_mapping

BATCH = "/hooks/sitoo/events"
ROUTES = [("sitoo-events", BATCH), ("sale", "/hooks/sitoo/sale"), ("return", "/hooks/sitoo/return")]
NEW_PASSWORD = "flow-test-events-password-to-come"


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--skus", "120", "--quota", "5000", "--lag-ms", "50", "--latency-ms", "2"))


def event(order, **more):
    return {"event_id": uuid.uuid4().hex, "event_type": "booking", "event_date": 1463041120, "account_id": 1500,
            "data": {"eshop_id": 1, "order_id": order, "order_event_type": "add", "order_state_changed": "open"}, **more}


class Booking:
    """A booking of one unit whose event Sitoo has not sent: check() proves that ours was acted on."""

    def __init__(self, shop):
        self.shop, self.sku = shop, shop.fresh_sku({1: 1})
        self.before = shop.levels(self.sku)[1]
        shop.control("PUT", "/feed", {"url": ""})
        self.order = shop.control("POST", "/booking", {"rows": [{"sku": self.sku, "quantity": 1}], "warehouse": 1})["order_id"]
        self.event = event(self.order)

    def check(self):
        self.shop.wait_levels(self.sku, {1: self.before - 1})
        assert self.shop.journal(self.event["event_id"]) == [json.dumps(self.event).encode()]

    def lost_nothing(self):
        """The level still waits for the event: nobody has told us."""
        assert self.shop.levels(self.sku)[1] == self.before
        assert self.shop.journal(self.event["event_id"]) == []


def element(**data):
    one = event(1)
    one["data"].update(data)
    return json.dumps(one).encode()


def without(name):
    one = event(1)
    del one[name]
    return json.dumps(one).encode()


# name -> (element, what the case and the log say)
BAD = {
    "without event_id": (without("event_id"), "event_id: missing or not a text"),
    "event_id of 10 kB": (json.dumps(event(1, event_id="i" * 10_000)).encode(), "event_id: longer than 128 bytes"),
    "order_id as a string": (element(order_id="11501"), "data.order_id: must be a whole number above 0"),
    "order_id 0": (element(order_id=0), "data.order_id: must be a whole number above 0"),
    "order_id -1": (element(order_id=-1), "data.order_id: must be a whole number above 0"),
    "order_id 2^60": (element(order_id=2 ** 60), "data.order_id: must be a whole number above 0"),
    "depth bomb": (b'{"event_id":"%s","x":' % (b"d" * 32) + b"[" * 20_000 + b"]" * 20_000 + b"}", "nested too deep at byte"),
    "NUL in a string": (b'{"event_id":"a\\u0000b"}', "\\u0000 in a string at byte 14"),
    "NUL itself": (b'{"event_id":"a\0b"}', "control character in a string at byte 14"),
    "NUL between": (b'\0{"event_id":"ab"}', "unexpected character at byte 0"),
    "duplicate key": (b'{"event_id":"a","event_id":"b"}', "key event_id stands twice"),
    "duplicate key deep inside": (element().replace(b'"eshop_id"', b'"order_id": 7, "eshop_id"'), "key order_id stands twice"),
    "invalid UTF-8": (b'{"event_id":"\xc3\x28"}', "invalid UTF-8 at byte 13"),
    "UTF-8 of a surrogate": (b'{"event_id":"\xed\xa0\x80"}', "invalid UTF-8 at byte 13"),
    "lone surrogate": (b'{"event_id":"\\ud800"}', "lone surrogate at byte"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_element_is_parked_named_and_harms_no_other(shop, name):
    bad, problem = BAD[name]
    booking = Booking(shop)
    parked, log = set(shop.cases()), len(shop.logs("sitoo-events"))
    assert shop.post(BATCH, b"[" + bad + b"," + json.dumps(booking.event).encode() + b"]").status == 200
    [case] = set(shop.cases()) - parked
    assert case.startswith("bad_event:event ")
    redis = shop.redis(decode=False)
    assert redis.hget(shop.key(f"case:{case}"), "bytes") == bad
    assert problem in shop.cases()[case]["text"]
    booking.check()
    lines = [line for line in shop.logs("sitoo-events")[log:].splitlines() if "act=bad" in line]
    assert len(lines) == 1 and "element=1" in lines[0] and problem.replace("\\", "\\\\") in lines[0]


@pytest.mark.parametrize("body", [b"not JSON", b"[" * 30_000 + b"]" * 30_000, b'{"event_id":"x"}', b"[\xff\xfe]", b"\0"],
                         ids=["not JSON", "depth bomb", "object", "invalid UTF-8", "NUL"])
def test_bad_body_is_stored_and_the_next_batch_is_acted_on(shop, body):
    booking, before = Booking(shop), set(shop.cases())
    assert shop.post(BATCH, body).status == 200
    assert [fields[b"bytes"] for _, fields in shop.redis(decode=False).xrevrange(shop.key("journal"), count=1)][0] in body
    assert len(set(shop.cases()) - before) == 1
    assert shop.post(BATCH, [booking.event]).status == 200
    booking.check()


def test_batch_beyond_all_reason_is_one_case(shop):
    before = set(shop.cases())
    assert shop.post(BATCH, b"[" + b",".join(b"%d" % n for n in range(10_000)) + b"]").status == 200
    [case] = set(shop.cases()) - before
    assert case.startswith("bad_batch:") and "more than 500 elements" in shop.cases()[case]["text"]


# ---------------------------------------------------------------- bodies that are not whole

def headers(user=EVENTS_USER, password=EVENTS_PASSWORD):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("name, uri", ROUTES)
def test_body_shorter_than_content_length_is_503_and_not_stored(shop, name, uri):
    booking = Booking(shop)
    body, events = json.dumps([booking.event]).encode(), shop.redis().xlen(shop.key("journal"))
    for socket in shop.sockets(name):
        with Call(socket) as call:
            call.begin(uri, len(body) + 1, headers())
            call.body(body)  # a whole batch; the length says that more was meant to come
            call.end()
            assert call.status() == 503
    shop.wait_until(lambda: 'problem="body is not whole"' in shop.logs(name), 5, "the log says why")
    assert shop.redis().xlen(shop.key("journal")) == events
    booking.lost_nothing()
    assert shop.post(BATCH, body).status == 200
    booking.check()


def test_peer_that_leaves_in_the_middle_of_a_body_stores_nothing(shop):
    booking = Booking(shop)
    body, events = json.dumps([booking.event]).encode(), shop.redis().xlen(shop.key("journal"))
    refused = shop.logs("sitoo-events").count('problem="body is not whole"')
    with Call(shop.sockets("sitoo-events")[0]) as call:
        call.begin(BATCH, len(body), headers())
        call.body(body[:-10])
        shop.wait_until(call.taken, 5, "the acceptor has read it")
    shop.wait_until(lambda: shop.logs("sitoo-events").count('problem="body is not whole"') > refused, 5, "it is refused")
    assert shop.redis().xlen(shop.key("journal")) == events
    assert shop.post(BATCH, body).status == 200
    booking.check()


@pytest.mark.parametrize("rest", [True, False], ids=["the rest still comes", "nothing more comes"])
def test_sigterm_in_the_middle_of_a_body_never_acknowledges_half_of_it(shop, rest):
    """A replica of its own is stopped. What had arrived is a whole batch by itself, so a careless reader would take it."""
    booking = Booking(shop)
    body, events = json.dumps([booking.event]).encode(), shop.redis().xlen(shop.key("journal"))
    padded = body + b" " * 1000
    second = shop.start_function("sitoo-events", process="second")
    shop.wait_until(lambda: len(shop.children("second")) == 5, 10, "four acceptors and a worker")
    with Call(shop.sockets("second")[0], timeout=20) as call:
        call.begin(BATCH, len(padded), headers())
        call.body(body)
        shop.wait_until(call.taken, 5, "an acceptor has read it")
        for pid in shop.children("second"):
            shop.kill_child("second", signal.SIGTERM, pid)
        second.signal(signal.SIGTERM)
        if rest:
            try:
                call.body(b" " * 1000)
                call.end()
            except OSError:
                pass  # it has hung up already
        status = call.status()
    assert second.popen.wait(20) == 0
    stored = shop.redis().xlen(shop.key("journal")) - events
    assert (status, stored) in ([(503, 0), (None, 0), (200, 1)] if rest else [(503, 0), (None, 0)])
    if not stored:
        assert 'problem="body is not whole"' in shop.logs("second")
        booking.lost_nothing()
        assert shop.post(BATCH, body).status == 200
    shop.wait_levels(booking.sku, {1: booking.before - 1})
    assert len(shop.journal(booking.event["event_id"])) == 1


# ---------------------------------------------------------------- passwords

def test_future_password_keeps_the_events_until_we_know_it_too(shop):
    """Somebody has entered the new password in Sitoo first. Sitoo repeats; nothing is lost once we are told."""
    sku = shop.fresh_sku({1: 1})
    before = shop.levels(sku)[1]
    shop.wait_until(shop.idle, 10, "all work done")
    shop.control("PUT", "/feed", {"url": shop.url("/hooks/sitoo"), "password": NEW_PASSWORD})
    shop.wait_until(lambda: shop.control("GET", "/feed")["last_error"] == "status 503", 10, "events are refused")
    shop.control("POST", "/booking", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    assert shop.levels(sku)[1] == before
    assert "level=alarm" in shop.logs("sitoo-events") and "SITOO_EVENTS_PASSWORD" in shop.logs("sitoo-events")
    assert NEW_PASSWORD not in shop.logs("sitoo-events")
    shop.env_overrides.update(SITOO_EVENTS_PASSWORD=NEW_PASSWORD, SITOO_EVENTS_PASSWORD_PREVIOUS=EVENTS_PASSWORD)
    assert shop.replace_function("sitoo-events") == 0
    shop.wait_levels(sku, {1: before - 1})
    shop.wait_until(lambda: shop.control("GET", "/feed")["queued"] == 0, 10, "all events are taken")
    assert shop.post(BATCH, [event(11501)], password=EVENTS_PASSWORD).status == 200  # the old one too, meanwhile
    shop.wait_quiet()
    stats = shop.control("GET", "/stats")
    assert stats["events_lost"] == 0 and stats["feed_retries"] > 0
