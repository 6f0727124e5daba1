# SPDX-License-Identifier: Apache-2.0
"""What nginx says by itself: with no function behind it, and with broken ones.

Sitoo may delete events for good on any answer but 200 and 503, so on its routes nothing else may ever leave.
"""
import contextlib
import re
import socket
import struct
import threading

import pytest

from stack import FUNCTIONS, Stack, request

SITOO = ["/hooks/sitoo", "/hooks/sitoo/", "/hooks/sitoo/events", "/hooks/sitoo/sale", "/hooks/sitoo/return",
         "/hooks/sitoo/unknown", "/hooks/sitoo/events/more", "/hooks/sitoo?a=b", "//hooks//sitoo/sale",
         "/hooks/sitoo/%73ale", "/x/../hooks/sitoo/sale"]
BIGCOMMERCE = ["/hooks/bigcommerce/stock-changed", "/hooks/bigcommerce/order-updated",
               "/hooks/bigcommerce/product-updated", "/hooks/bigcommerce/delivery-exception"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "BREW"]


@pytest.fixture(scope="module")
def nginx():
    one = Stack(functions=(), redis=False, simulators=False)
    try:
        yield one.start()
    finally:
        one.stop()
        one.remove()


def raw(stack, data, half_close=True):
    """Sends bytes and returns all that comes back until nginx closes."""
    with socket.create_connection(("127.0.0.1", stack.http_port), 20) as s:
        with contextlib.suppress(OSError):
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := s.recv(65536):
                answer += chunk
        return answer


def statuses(answer):
    return [int(code) for code in re.findall(rb"^HTTP/1\.\d (\d+)", answer, re.MULTILINE)]


def post(path, body, extra=b"", host=b"Host: a\r\n"):
    return b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        path.encode(), host, extra, len(body), body)


# ---------------------------------------------------------------- no function

@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", SITOO + BIGCOMMERCE)
def test_hook_answers_503_with_nothing_in_it(nginx, path, method):
    answer = request(nginx.url(path), method, b"" if method in ("GET", "HEAD", "TRACE") else b"[]")
    assert (answer.status, answer.body) == (503, b"")


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/bigcommerce/other", "/hook/sitoo", "/metrics", "/status", "/console/"])
def test_unknown_path_is_404(nginx, path):
    assert request(nginx.url(path)).status == 404


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_without_a_function_is_503(nginx, path):
    assert request(nginx.url(path)).status == 503


@pytest.mark.parametrize("path", SITOO[:6] + BIGCOMMERCE)
@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 70_000, 3_000_000])
def test_large_body_is_503(nginx, path, size):
    answer = raw(nginx, post(path, b"x" * size), half_close=False)
    assert set(statuses(answer)) <= {503}


def test_body_over_the_limit_announced_only_is_503(nginx):
    head = b"POST /hooks/sitoo/events HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n"
    answer = raw(nginx, head)
    assert statuses(answer) == [503]


RAW = {
    "one header of 20 kB": post("/hooks/sitoo", b"[]", b"X-Long: " + b"x" * 20_000 + b"\r\n"),
    "20 kB of headers": post("/hooks/sitoo", b"[]", b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1000) for i in range(20))),
    "long request line": b"POST /hooks/sitoo/" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "no host": post("/hooks/sitoo", b"[]", host=b""),
    "two hosts": post("/hooks/sitoo", b"[]", b"Host: b\r\n"),
    "bad host": post("/hooks/sitoo", b"[]", host=b"Host: a/b\x01\r\n"),
    "no header name": post("/hooks/sitoo", b"[]", b": x\r\n"),
    "nul in a header": post("/hooks/sitoo", b"[]", b"X: a\0b\r\n"),
    "header without a colon": post("/hooks/sitoo", b"[]", b"nonsense\r\n"),
    "bad length": post("/hooks/sitoo", b"", b"Content-Length: -5\r\n"),
    "two lengths": post("/hooks/sitoo", b"[]", b"Content-Length: 7\r\n"),
    "enormous length": b"POST /hooks/sitoo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "length and chunks": post("/hooks/sitoo", b"0\r\n\r\n", b"Transfer-Encoding: chunked\r\n"),
    "unknown encoding": b"POST /hooks/sitoo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "http 1.0 with chunks": b"POST /hooks/sitoo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
    "http 2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http 3.7": b"POST /hooks/sitoo HTTP/3.7\r\nHost: a\r\n\r\n",
    "bad version": b"POST /hooks/sitoo HTTX/1.1\r\nHost: a\r\n\r\n",
    "http 0.9": b"GET /hooks/sitoo\r\n",
    "connect": b"CONNECT /hooks/sitoo HTTP/1.1\r\nHost: a\r\n\r\n",
    "connect to a host": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "method in lower case": b"post /hooks/sitoo HTTP/1.1\r\nHost: a\r\n\r\n",
    "no method": b" /hooks/sitoo HTTP/1.1\r\nHost: a\r\n\r\n",
    "path outside": b"POST /../hooks/sitoo HTTP/1.1\r\nHost: a\r\n\r\n",
    "bad percent sign": b"POST /hooks/sitoo/%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    "nul in the path": b"POST /hooks/sitoo/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "upgrade": post("/hooks/sitoo", b"[]", b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
    "garbage": bytes(range(256)) * 8,
    "tls": bytes.fromhex("16030100a5010000a10303") + b"\x55" * 160,
    "line ends": b"\r\n" * 2000,
    "nothing": b"",
    "condition": post("/hooks/sitoo", b"[]", b'If-Match: "a"\r\nIf-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT\r\n'),
    "range": post("/hooks/sitoo", b"[]", b"Range: bytes=9-3\r\n"),
    "absolute form": b"POST http://other/hooks/sitoo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "pipelined": post("/hooks/sitoo", b"[]").replace(b"Connection: close\r\n", b"") * 3,
}


@pytest.mark.parametrize("name", RAW)
def test_raw_request_never_gets_another_status(nginx, name):
    answer = raw(nginx, RAW[name])
    assert set(statuses(answer)) <= {503}, answer[:300]
    assert not answer or b"HTTP/" not in RAW[name] or statuses(answer), "a body without a status"


CHUNK_LIES = {
    "not a number": b"zz\r\n[]\r\n0\r\n\r\n",
    "shorter than said": b"5\r\n[]\r\n0\r\n\r\n",
    "longer than said": b"1\r\n[]\r\n0\r\n\r\n",
    "number overflows": b"ffffffffffffffffff\r\n[]\r\n",
    "over the limit": b"20000\r\n" + b"x" * 0x20000 + b"\r\n0\r\n\r\n",
    "over the limit in small chunks": b"400\r\n" + b"x" * 0x400 + b"\r\n" + (b"400\r\n" + b"x" * 0x400 + b"\r\n") * 80,
    "never ends": b"2\r\n[]\r\n",
    "ends well": b"2\r\n[]\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "TRACE", "DELETE"])
@pytest.mark.parametrize("path", ["/hooks/sitoo", "/hooks/sitoo/sale", "/hooks/sitoo/unknown", BIGCOMMERCE[0], "/-/busy"])
@pytest.mark.parametrize("name", CHUNK_LIES)
def test_lying_chunks_never_get_another_status(nginx, name, path, method):
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    answer = raw(nginx, head + CHUNK_LIES[name])
    assert set(statuses(answer)) <= {503} | ({404} if path == "/-/busy" else set()), answer[:300]


def test_body_that_stops_half_way_gets_no_other_status(nginx):
    answer = raw(nginx, b"POST /hooks/sitoo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n[", half_close=False)
    assert set(statuses(answer)) <= {503}


def test_headers_that_stop_half_way_get_no_other_status(nginx):
    answer = raw(nginx, b"POST /hooks/sitoo HTTP/1.1\r\nHost: a\r\n", half_close=False)
    assert set(statuses(answer)) <= {503}


def test_answer_does_not_name_the_version(nginx):
    answer = raw(nginx, post("/hooks/sitoo", b"[]"))
    assert b"Server: nginx\r\n" in answer


def test_access_log_has_no_query_string_header_or_body(nginx):
    raw(nginx, post("/hooks/sitoo/sale?token=SECRET-QUERY", b"SECRET-BODY", b"Authorization: SECRET-HEADER\r\n"))
    nginx.wait_until(lambda: 'path="/hooks/sitoo/sale" status=503' in nginx.logs("nginx-access"), 5, "the line is written")
    assert "SECRET" not in nginx.logs("nginx-access")


# ---------------------------------------------------------------- broken functions

def record(kind, content=b""):
    """A FastCGI record of request 1."""
    return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def stdout(text):
    return record(6, text)


END = record(6) + record(3, struct.pack("!IB3x", 0, 0))


class BrokenFunction:
    """Listens where a function would, reads a request until its empty FCGI_STDIN record, and sends fixed bytes."""

    def __init__(self, paths, answer):
        self.answer, self.requests, self.sockets = answer, [], []
        for path in paths:
            s = socket.socket(socket.AF_UNIX)
            path.unlink(missing_ok=True)
            s.bind(str(path))
            s.listen(16)
            self.sockets.append(s)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()
        self.paths = paths

    def serve(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                self.requests.append(self.read(connection))
                if self.answer is not None:
                    connection.sendall(self.answer)

    @staticmethod
    def read(connection):
        """{"params": ..., "stdin": ...} as raw bytes."""
        got = {4: b"", 5: b""}
        with connection.makefile("rb") as f:
            while True:
                _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", f.read(8))
                content = f.read(length)
                f.read(padding)
                if kind in got:
                    got[kind] += content
                if kind == 5 and not length:
                    return {"params": params(got[4]), "stdin": got[5]}

    def close(self):
        for s in self.sockets:
            s.shutdown(socket.SHUT_RDWR)
            s.close()
        for path in self.paths:
            path.unlink(missing_ok=True)


def params(data):
    """Name-value pairs of FCGI_PARAMS."""
    pairs, at = {}, 0

    def length():
        nonlocal at
        n = data[at]
        if n < 128:
            at += 1
        else:
            n = struct.unpack_from("!I", data, at)[0] & 0x7FFFFFFF
            at += 4
        return n

    while at < len(data):
        name_length = length()
        value_length = length()
        name = data[at:at + name_length].decode()
        at += name_length
        pairs[name] = data[at:at + value_length].decode()
        at += value_length
    return pairs


@pytest.fixture
def functions(nginx):
    """functions(answer): every function answers with these bytes; None: closes without a word."""
    made = []

    def make(answer):
        made.append(BrokenFunction([p for name in FUNCTIONS for p in nginx.sockets(name)], answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


BROKEN = {
    "closes": None,
    "garbage": b"HTTP/1.1 200 OK\r\n\r\n" * 10,
    "empty answer": END,
    "half a header": stdout(b"Status: 20"),
    "half a header, proper end": stdout(b"Status: 20") + END,
    "header too long": stdout(b"X: " + b"x" * 60_000 + b"\r\n\r\n") + END,
    "half a record": stdout(b"Status: 200 OK\r\n\r\n")[:12],
    "wrong version": b"\x09" + stdout(b"Status: 200 OK\r\n\r\n")[1:] + END,
    "status is no number": stdout(b"Status: fine\r\n\r\n") + END,
    "only standard error": record(7, b"I am lost") + END,
    "redirect inside": stdout(b"Status: 503\r\nX-Accel-Redirect: /elsewhere\r\n\r\n") + END,
    **{f"status {code}": stdout(b"Status: %d\r\nContent-Type: text/plain\r\n\r\nno" % code) + END
       for code in (301, 302, 304, 400, 403, 404, 405, 409, 410, 411, 413, 415, 422, 429, 500, 501, 502, 504, 507)},
}


@pytest.mark.parametrize("path", ["/hooks/sitoo", "/hooks/sitoo/events", "/hooks/sitoo/sale", "/hooks/sitoo/return"] + BIGCOMMERCE)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_function_is_503(nginx, functions, name, path):
    functions(BROKEN[name])
    answer = request(nginx.url(path), "POST", b"[]")
    assert answer.status == 503
    assert b"html" not in answer.body


def test_function_that_says_408_gets_the_connection_closed(nginx, functions):
    functions(stdout(b"Status: 408\r\n\r\n") + END)
    assert raw(nginx, post("/hooks/sitoo", b"[]")) == b""


def test_function_that_dies_is_tried_twice_with_the_whole_body(nginx, functions):
    function = functions(None)
    request(nginx.url("/hooks/sitoo/sale"), "POST", b"[1,2,3]")
    assert [r["stdin"] for r in function.requests] == [b"[1,2,3]"] * 2


def test_own_503_is_an_answer_and_not_tried_again(nginx, functions):
    function = functions(stdout(b"Status: 503\r\n\r\n") + END)
    assert request(nginx.url("/hooks/sitoo/sale"), "POST", b"[]").status == 503
    assert len(function.requests) == 1


@pytest.mark.parametrize("path", SITOO[2:5] + BIGCOMMERCE)
def test_200_passes(nginx, functions, path):
    functions(stdout(b"Status: 200 OK\r\n\r\n") + END)
    answer = request(nginx.url(path), "POST", b"[]")
    assert (answer.status, answer.body) == (200, b"")


def test_401_of_the_bigcommerce_route_passes(nginx, functions):
    functions(stdout(b"Status: 401\r\n\r\n") + END)
    assert request(nginx.url(BIGCOMMERCE[0]), "POST", b"{}").status == 401


def test_second_socket_answers_when_the_first_is_dead(nginx):
    function = BrokenFunction(nginx.sockets("sale")[1:], stdout(b"Status: 200 OK\r\n\r\n") + END)
    try:
        answers = [request(nginx.url("/hooks/sitoo/sale"), "POST", b"[]").status for _ in range(10)]
    finally:
        function.close()
    assert answers == [200] * 10


@pytest.mark.parametrize("chunked", [False, True])
def test_function_sees_only_the_listed_parameters(nginx, functions, chunked):
    function = functions(stdout(b"Status: 200 OK\r\n\r\n") + END)
    headers = {"Authorization": "Basic eA==", "Content-Type": "application/json", "Host": "shop"}
    body = iter([b"[", b"]"]) if chunked else b"[]"
    request(nginx.url("/hooks/sitoo/sale?a=b"), "POST", body, {**headers, "Accept-Encoding": "identity"})
    sent = function.requests[0]["params"]
    own = {k: v for k, v in sent.items() if not k.startswith("HTTP_")}
    assert own == {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2",
                   "SCRIPT_NAME": "/hooks/sitoo/sale", "DOCUMENT_URI": "/hooks/sitoo/sale",
                   "REQUEST_URI": "/hooks/sitoo/sale?a=b", "REMOTE_ADDR": "127.0.0.1"}
    assert sent["HTTP_AUTHORIZATION"] == "Basic eA=="
    assert function.requests[0]["stdin"] == b"[]"
