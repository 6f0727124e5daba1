# SPDX-License-Identifier: Apache-2.0
"""nginx as docker compose has it (nginx/render.sh replicas): a name stands for several replicas, each with two ports, and a name server
says which there are. Without an engine: the replicas are addresses of loopback, the name server is the test's own.

The rules about which status may leave are the same as on one machine, so those tests run again here (RULES).
"""
import contextlib
import os
import signal
import socket
import struct
import threading
import time

import pytest

import test_nginx_alone as alone
from stack import FUNCTIONS, Stack, request

OK = alone.stdout(b"Status: 200 OK\r\n\r\n") + alone.END
BUSY = alone.stdout(b"Status: 503\r\n\r\n") + alone.END
NOT_MINE = alone.stdout(b"Status: 404\r\n\r\n") + alone.END  # test_routes.py
NAME_LIFE_S = 1  # how long nginx believes an answer


class NameServer:
    """Answers questions of type A from `names`; a name that is not there does not exist. The answers' own life is long, as Docker's."""

    def __init__(self):
        self.names, self.silent = {}, False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, caller = self.socket.recvfrom(512)
            except OSError:
                return
            if not self.silent:
                self.socket.sendto(self._answer(question), caller)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        addresses = self.names.get(".".join(labels))
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 600, 4) + socket.inet_aton(a) for a in addresses or ())
        flags = 0x8180 if addresses is not None else 0x8183
        return struct.pack("!2sHHHHH", question[:2], flags, 1, len(addresses or ()), 0, 0) + question[12:at + 5] + records

    def close(self):
        self.socket.close()


class Replica:
    """Takes calls at an address, on both ports or on those asked for. answer: bytes; None: closes without a word; "hang": never says
    anything."""

    def __init__(self, address, ports, answer=OK):
        self.answer, self.calls, self.sockets, self.held = answer, [], [], []
        for port in ports:
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
            s.listen(64)
            self.sockets.append(s)
            threading.Thread(target=self._serve, args=(s, port), daemon=True).start()

    def _serve(self, listener, port):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection, port), daemon=True).start()

    def _talk(self, connection, port):
        with contextlib.suppress(OSError, struct.error):
            connection.settimeout(20)
            self.calls.append((port, alone.BrokenFunction.read(connection)["stdin"]))
            if self.answer == "hang":
                self.held.append(connection)
                return
            if self.answer is not None:
                connection.sendall(self.answer)
        connection.close()

    def close(self):
        for s in self.sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
        for s in self.held:
            s.close()


class ReplicaStack(Stack):
    """nginx alone, for replicas."""

    nginx_kind = "replicas"

    def __init__(self):
        super().__init__(functions=(), redis=False, simulators=False)
        self.names = NameServer()
        self.function_ports = self._two_ports()

    @staticmethod
    def _two_ports():
        with socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", 0))
            b.bind(("127.0.0.1", 0))
            return a.getsockname()[1], b.getsockname()[1]

    def nginx_values(self):
        listen = self.folder / "nginx" / "listen.conf"
        listen.write_text(f"listen 127.0.0.1:{self.http_port} default_server;\n", encoding="utf-8")
        return {"RESOLVER": self.names.address, "PORT_A": self.function_ports[0], "PORT_B": self.function_ports[1], "LISTEN": listen,
                "SERVERS": self.folder / "nginx" / "servers.d" / "*.conf"}


@pytest.fixture(scope="module")
def nginx():
    one = ReplicaStack()
    try:
        yield one.start()
    finally:
        one.stop()
        one.names.close()
        one.remove()


class Replicas:
    """Addresses of one test, with what listens there."""

    def __init__(self, stack):
        self.stack, self.made, self.number = stack, [], 0

    def address(self):
        self.number += 1
        return f"127.0.1.{self.number}"

    def add(self, answer=OK, ports=(0, 1)):
        """One more replica, not named yet; its address is in .address."""
        address = self.address()
        one = Replica(address, [self.stack.function_ports[i] for i in ports], answer)
        one.address = address
        self.made.append(one)
        return one

    def name(self, *addresses, function="sale"):
        """From now on the name stands for these; the time is waited for in which nginx believes what it heard before."""
        self.stack.names.names = {function: [one if isinstance(one, str) else one.address for one in addresses]}
        time.sleep(NAME_LIFE_S + 1.1)

    def close(self):
        self.stack.names.names = {}
        for one in self.made:
            one.close()


@pytest.fixture
def replicas(nginx):
    made = Replicas(nginx)
    yield made
    made.close()


def post(nginx, body=b"[1]", path="/hooks/sitoo/sale"):
    begun = time.monotonic()
    return request(nginx.url(path), "POST", body).status, time.monotonic() - begun


# ---------------------------------------------------------------- the same rules

class BrokenReplicas:
    """As alone.BrokenFunction, for every function."""

    def __init__(self, nginx, answer):
        self.replica = Replica("127.0.1.250", nginx.function_ports, answer)
        nginx.names.names = {name: ["127.0.1.250"] for name in (*FUNCTIONS, "order-created")}
        self.close = self.replica.close

    @property
    def requests(self):
        return [{"stdin": body} for _, body in self.replica.calls]


@pytest.fixture
def functions(nginx):
    made = []

    def make(answer):
        made.append(BrokenReplicas(nginx, answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


RULES = ("hook_answers_503_with_nothing_in_it", "unknown_path_is_404", "health_without_a_function_is_503", "large_body_is_503",
         "body_over_the_limit_announced_only_is_503", "raw_request_never_gets_another_status",
         "lying_chunks_never_get_another_status", "body_that_stops_half_way_gets_no_other_status",
         "headers_that_stop_half_way_get_no_other_status",
         "access_log_has_no_query_string_header_or_body", "broken_function_is_503",
         "function_that_says_408_gets_the_connection_closed", "own_503_is_an_answer_and_not_tried_again", "200_passes",
         "401_of_the_bigcommerce_route_passes")
for rule in RULES:
    globals()[f"test_same_rule_{rule}"] = getattr(alone, f"test_{rule}")


def test_function_that_dies_is_tried_on_both_ports_with_the_whole_body(nginx, functions):
    function = functions(None)
    assert request(nginx.url("/hooks/sitoo/sale"), "POST", b"[1,2,3]").status == 503
    assert [call for call in function.replica.calls] == [(nginx.function_ports[0], b"[1,2,3]"), (nginx.function_ports[1], b"[1,2,3]")]


# ---------------------------------------------------------------- replicas

def test_calls_are_spread_over_all_replicas(nginx, replicas):
    all_of_them = [replicas.add() for _ in range(3)]
    replicas.name(*all_of_them)
    assert all(post(nginx)[0] == 200 for _ in range(60))
    assert all(len(one.calls) > 5 for one in all_of_them)


def test_replica_that_refuses_costs_nothing(nginx, replicas):
    replicas.name(replicas.address(), replicas.add(), replicas.address())
    answers = [post(nginx) for _ in range(30)]
    assert all(status == 200 and seconds < 0.3 for status, seconds in answers), answers


def test_five_that_refuse_and_one_that_answers(nginx, replicas):
    """As while five replicas start."""
    replicas.name(*[replicas.address() for _ in range(5)], replicas.add())
    assert all(post(nginx)[0] == 200 for _ in range(20))


def test_replica_that_dies_with_the_call_is_made_up_for_by_another(nginx, replicas):
    dying, well = replicas.add(None), replicas.add()
    replicas.name(dying, well)
    assert all(post(nginx)[0] == 200 for _ in range(30))
    assert len(well.calls) == 30
    assert len(dying.calls) > 3


def test_only_replica_whose_first_port_dies_is_asked_on_its_second(nginx, replicas):
    one = replicas.add(None, ports=(0,))
    second = Replica(one.address, [nginx.function_ports[1]])
    replicas.made.append(second)
    replicas.name(one)
    assert all(post(nginx)[0] == 200 for _ in range(20))
    assert len(one.calls) == len(second.calls) == 20


def test_only_replica_whose_first_port_refuses_is_asked_on_its_second(nginx, replicas):
    one = replicas.add(ports=(1,))
    replicas.name(one)
    assert all(post(nginx)[0] == 200 for _ in range(10))
    assert {port for port, _ in one.calls} == {nginx.function_ports[1]}


def test_hung_first_port_is_given_up_and_the_second_asked(nginx, replicas):
    one = replicas.add("hang", ports=(0,))
    replicas.made.append(Replica(one.address, [nginx.function_ports[1]]))
    replicas.name(one)
    status, seconds = post(nginx)
    assert status == 200
    assert 3.5 < seconds < 6


def test_answer_comes_within_14_s_when_everything_hangs(nginx, replicas):
    replicas.name(replicas.add("hang"), replicas.add("hang"))
    status, seconds = post(nginx)
    assert status == 503
    assert seconds < 14


def test_address_that_another_function_has_now_is_passed_over_for_a_replica(nginx, replicas):
    another, well = replicas.add(NOT_MINE), replicas.add()
    replicas.name(another, well)
    assert all(post(nginx)[0] == 200 for _ in range(30))
    assert [body for _, body in well.calls] == [b"[1]"] * 30
    assert len(another.calls) > 3


def test_name_is_looked_up_again_when_its_only_address_is_another_functions(nginx, replicas):
    another, well = replicas.add(NOT_MINE), replicas.add()
    replicas.name(another)
    assert post(nginx)[0] == 503
    assert [port for port, _ in another.calls] == list(nginx.function_ports)
    nginx.names.names = {"sale": [well.address]}
    nginx.wait_until(lambda: post(nginx)[0] == 200, 3, "the new address is found")


def test_call_that_is_nobodys_is_busy(nginx, replicas):
    replicas.name(replicas.add(NOT_MINE), replicas.add(NOT_MINE))
    assert {post(nginx)[0] for _ in range(5)} == {503}


def test_own_503_of_a_replica_is_an_answer(nginx, replicas):
    first, second = replicas.add(BUSY), replicas.add(BUSY)
    replicas.name(first, second)
    assert post(nginx)[0] == 503
    assert len(first.calls) + len(second.calls) == 1


def test_new_replica_is_found_without_a_reload(nginx, replicas):
    first, second = replicas.add(), replicas.add()
    replicas.name(first)
    assert all(post(nginx)[0] == 200 for _ in range(5))
    replicas.name(first, second)
    assert all(post(nginx)[0] == 200 for _ in range(30))
    assert len(second.calls) > 3
    replicas.name(second)
    calls = len(first.calls)
    assert all(post(nginx)[0] == 200 for _ in range(10))
    assert len(first.calls) == calls


def test_name_that_is_gone_is_503_and_found_when_it_is_back(nginx, replicas):
    one = replicas.add()
    replicas.name(one, function="return")
    assert post(nginx)[0] == 503
    replicas.name(one)
    assert post(nginx)[0] == 200


def test_name_server_that_is_silent_is_503_within_14_s(nginx, replicas):
    replicas.name(replicas.add())
    nginx.names.silent = True
    try:
        time.sleep(NAME_LIFE_S + 0.5)
        status, seconds = post(nginx)
        assert status == 503
        assert seconds < 14
    finally:
        nginx.names.silent = False
    nginx.wait_until(lambda: post(nginx)[0] == 200, 10, "the name is found again")


def test_a_call_that_kills_what_takes_it_does_not_go_round_all(nginx, replicas):
    all_of_them = [replicas.add(None) for _ in range(9)]
    replicas.name(*all_of_them)
    assert post(nginx)[0] == 503
    assert sum(len(one.calls) for one in all_of_them) == 12


# ---------------------------------------------------------------- a function that stops

@pytest.fixture
def slow_shop():
    """A function whose worker waits long for a platform."""
    one = Stack(functions=("sitoo-events",), simulator_args=("--latency-ms", "4000"))
    try:
        yield one.start()
    finally:
        one.stop()
        one.remove()


def test_stopping_function_refuses_calls_at_once_while_its_worker_ends_its_work(slow_shop):
    """A socket that takes calls nobody answers would hold each of them until nginx gives up."""
    shop = slow_shop
    shop.control("POST", "/sale", {"rows": [{"sku": shop.fresh_sku({1: 2}), "quantity": 1}], "warehouse": 1})
    shop.wait_until(lambda: shop.control("GET", "/stats")["in_flight"]["sitoo"] > 0, 10, "the worker asks Sitoo")
    process = shop.processes["sitoo-events"]
    os.kill(process.pid, signal.SIGTERM)
    path = shop.sockets("sitoo-events")[0]

    def refused():
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(path)) != 0
    shop.wait_until(refused, 1, "the socket refuses")
    assert process.alive(), "it ended before its worker could have: the test proves nothing"
    begun = time.monotonic()
    assert request(shop.url("/hooks/sitoo"), "POST", b"[]").status == 503
    assert time.monotonic() - begun < 0.5
