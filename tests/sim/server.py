# SPDX-License-Identifier: Apache-2.0
"""What the two simulated platforms have in common: latency, faults, counting, and the record of requests."""
import asyncio
import base64
import collections
import json
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from exchanges import Exchanges
from faults import FaultPlan
from units import now_ms

BODY_KEPT = 20000  # characters of a request body that the record keeps


def as_json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Reply:
    """An answer to be. on_sent is called when the answer is handed over whole, not when a fault swallows it."""

    __slots__ = ("status", "body", "content_type", "headers", "on_sent")

    def __init__(self, status, body=b"", content_type="application/json", on_sent=None):
        self.status = status
        self.body = body if isinstance(body, bytes) else as_json(body)
        self.content_type = content_type
        self.headers = {}
        self.on_sent = on_sent


class Call:
    """A request as the platforms see it: decoded path segments, query pairs, body."""

    __slots__ = ("method", "raw_path", "segments", "query", "pairs", "body", "request", "route", "at", "fault")

    def __init__(self, request, body):
        self.request, self.body, self.fault = request, body, None
        self.method = request.method
        self.raw_path = request.rel_url.raw_path
        self.segments = [unquote(s) for s in self.raw_path.split("/")[1:]]
        # A form decoder: an unencoded '+' is a space.
        self.pairs = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        # A parameter that is repeated: the last one wins, silently (sitoo.md 2).
        self.query = dict(self.pairs)
        self.route = "other"
        self.at = now_ms()

    def user(self):
        """The user of Basic credentials, or None."""
        scheme, _, rest = self.request.headers.get("Authorization", "").partition(" ")
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0] if scheme.lower() == "basic" else None
        except ValueError:
            return None

    def gone(self):
        """Whether the caller has left."""
        transport = self.request.transport
        return transport is None or transport.is_closing()


class Counters:
    """What both platforms and the feed count; GET /stats shows it."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.calls = collections.Counter()
        self.by_route = {}
        self.by_status = {}
        self.numbers = collections.Counter()
        self.max_in_flight = collections.Counter()

    def call(self, platform, method, route):
        self.calls[platform] += 1
        routes = self.by_route.setdefault(platform, collections.Counter())
        routes[f"{method} {route}"] += 1
        if method not in ("GET", "HEAD"):
            self.numbers["writes"] += 1


class Platform:
    """Base class. A platform gives: name, enter(call), leave(call), route(call), failure(status, call), refusal(headers)."""

    name = "?"

    def __init__(self, counters, record, latency_ms, seed):
        self.counters, self.record = counters, record
        self.latency = latency_ms / 1000
        self.faults = FaultPlan(seed)
        self.in_flight = 0

    # ---------------------------------------------------------------- for subclasses

    def enter(self, call):
        """A Reply that refuses the call before anything else, or None."""

    def leave(self, call):
        """The call is over, answered or not."""

    def route(self, call):
        """Does the call and returns its Reply. Sets call.route to the path's class."""
        raise NotImplementedError

    def failure(self, status, call):
        """An error body in the platform's shape."""
        raise NotImplementedError

    def refusal(self, with_headers, call):
        """An injected 429."""
        raise NotImplementedError

    def finish(self, reply, call):
        """Last touch, for example rate headers."""

    # ---------------------------------------------------------------- one request

    async def handle(self, request):
        call = Call(request, await request.read())
        reply = None
        self.record.exchanges.asked(self.name, call)
        entry = {"n": self.record.next(), "platform": self.name, "method": call.method, "path": call.raw_path,
                 "query": request.rel_url.raw_query_string, "body": call.body[:BODY_KEPT].decode("utf-8", "replace"),
                 "status": None, "at_ms": call.at}
        self.record.add(entry)
        self.in_flight += 1
        most = self.counters.max_in_flight
        most[self.name] = max(most[self.name], self.in_flight)
        try:
            reply, fault = await self._perform(call)
            entry["status"] = reply.status if reply else None
            return await self._send(call, reply, fault)
        finally:
            self.in_flight -= 1
            self.leave(call)
            self.counters.call(self.name, call.method, call.route)
            status = self.counters.by_status.setdefault(self.name, collections.Counter())
            status[str(entry["status"])] += 1
            entry["ms"] = now_ms() - call.at
            self.record.exchanges.answered(self.name, call, reply)

    async def _perform(self, call):
        """(Reply or None for silence, fault still to be applied to the answer or None)."""
        call.route = self.classify(call)
        extra, fault = self.faults.pick(call.method, call.raw_path, call.user())
        kind = fault["kind"] if fault else None
        if kind == "outage":
            await asyncio.sleep(self.latency / 2)
            if fault.get("mode") == "reset":
                return None, {"kind": "reset"}
            return self.failure(fault.get("status", 503), call), None
        refused = self.enter(call)
        if refused is not None:
            self.finish(refused, call)
            return refused, None
        await asyncio.sleep(self.latency / 2 + extra)
        call.fault = fault
        if kind == "silence" or (kind == "reset" and not fault.get("after_apply")):
            return None, fault
        early = None
        if kind == "status":
            early = self.failure(fault.get("status", 500), call)
            self._change(early, {"body": fault["body"]} if "body" in fault else {})
        elif kind == "rate_limit":
            self.counters.numbers["injected_429"] += 1
            early = self.refusal(fault.get("headers", True), call)
            return early, None
        elif kind == "html":
            early = Reply(fault.get("status", 502), b"<html><body><h1>Bad Gateway</h1></body></html>", "text/html")
        reply = early if early is not None else self.route(call)
        if kind == "short_page" and reply.status == 200:
            self._shorten(reply, fault.get("missing", 1))
        self.finish(reply, call)
        if kind == "answer":
            self._change(reply, fault)
        await asyncio.sleep(self.latency / 2)
        return reply, None if early is not None else fault

    @staticmethod
    def _change(reply, fault):
        """The fault "answer": a wrong or unusual answer of an otherwise healthy platform."""
        reply.status = fault.get("status", reply.status)
        if "body" in fault:
            reply.body = as_json(fault["body"])
        for name, value in fault.get("headers", {}).items():
            reply.headers.pop(name, None)
            if value is not None:
                reply.headers[name] = str(value)

    @staticmethod
    def _shorten(reply, missing):
        """Takes the last rows out of a list answer, as when they went away between the counting and the reading."""
        body = json.loads(reply.body)
        name = next((n for n in ("items", "data") if isinstance(body, dict) and isinstance(body.get(n), list)), None)
        rows = body if name is None else body[name]
        if isinstance(rows, list) and missing > 0:
            del rows[-missing:]
            if name == "data" and "pagination" in body.get("meta", {}):
                body["meta"]["pagination"]["count"] = len(rows)
            reply.body = as_json(body)

    def classify(self, call):
        """The path with its variable parts replaced, for counting."""
        return "/".join("*" if s.isdigit() else s for s in call.segments)

    async def _send(self, call, reply, fault):
        kind = fault["kind"] if fault else None
        if kind in ("timeout_after_apply", "silence"):
            loop = asyncio.get_running_loop()
            end = loop.time() + fault.get("seconds", 60)
            while loop.time() < end and not call.gone():
                await asyncio.sleep(0.02)
        if kind in ("reset", "timeout_after_apply", "silence") or (kind == "lands_late" and not fault.get("answer", True)):
            if call.request.transport is not None:
                call.request.transport.abort()
            return web.Response(status=500)  # nobody hears it
        if kind in ("half_body", "drip"):
            return await self._send_badly(call, reply, fault)
        if reply.on_sent:
            reply.on_sent(now_ms())
        return web.Response(status=reply.status, body=reply.body, headers=self._headers(reply))

    @staticmethod
    def _headers(reply):
        headers = dict(reply.headers)
        if reply.status != 204:
            headers["Content-Type"] = reply.content_type
        return headers

    async def _send_badly(self, call, reply, fault):
        response = web.StreamResponse(status=reply.status, headers=self._headers(reply))
        response.content_length = len(reply.body)
        await response.prepare(call.request)
        try:
            if fault["kind"] == "half_body":
                await response.write(reply.body[:max(1, len(reply.body) // 2)])
                if call.request.transport is not None:
                    await asyncio.sleep(0)
                    call.request.transport.close()
                return response
            pieces = 20
            size = max(1, -(-len(reply.body) // pieces))
            for start in range(0, len(reply.body), size):
                await response.write(reply.body[start:start + size])
                await asyncio.sleep(fault.get("seconds", 5) / pieces)
            await response.write_eof()
            if reply.on_sent:
                reply.on_sent(now_ms())
        except ConnectionError:
            pass  # the caller has left
        return response


class Record:
    """The last 5000 requests of both platforms; all that differ go to a file as well, if one is named."""

    def __init__(self, exchanges=None):
        self.exchanges = Exchanges(exchanges)
        self.entries = collections.deque(maxlen=5000)
        self.count = 0

    def next(self):
        self.count += 1
        return self.count

    def add(self, entry):
        self.entries.append(entry)

    def since(self, platform, since):
        """Entries of a platform ("" = both) after number `since`, or from that time if it is in milliseconds."""
        by_time = since > 10**11
        return [e for e in self.entries if (not platform or e["platform"] == platform)
                and (e["at_ms"] >= since if by_time else e["n"] > since)]


async def serve(handler, port, address="127.0.0.1"):
    """Listens; returns (runner, port)."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=75)
    await runner.setup()
    site = web.TCPSite(runner, address, port, shutdown_timeout=0.1, backlog=1024)
    await site.start()
    return runner, site._server.sockets[0].getsockname()[1]
