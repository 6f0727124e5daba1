# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's webhooks: who is registered, what is sent when, again after a failure, and when a domain goes silent.

An event becomes one delivery for every hook whose scope covers it (bigcommerce.md 5). A delivery ends as delivered, lost,
or given up after the last retry, which switches its hook off. Nothing is sent unless the setting send_hooks is true.
"""
import asyncio
import base64
import collections
import hashlib
import hmac
import json
import random
import time
from urllib.parse import urlsplit

import aiohttp

from units import Refused, now_ms

STORE_ID = "4884"  # that of GET /v2/store; a string in webhooks (bigcommerce.md 5.4)
RETRIES_S = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)  # bigcommerce.md 5.2, after each attempt
WINDOW_S, BLOCKED_S, BLOCK_FROM, BLOCK_BELOW = 120, 180, 100, 0.9  # bigcommerce.md 5.2, Blocklisting
EXCEPTION = "store/hook/deliveryException"
EXCEPTION_EVERY_S = 600  # 90001: at most once per ten minutes and destination
WILL_RETRY, EXHAUSTED, BLOCKED = 90001, 90002, 90003
AT_ONCE = 8  # calls in flight; how many BigCommerce makes is not documented
LOG_KEPT = 5000
COUNTERS = ("hook_events", "hook_calls", "hooks_delivered", "hook_failures", "hook_retries", "hook_duplicates", "hooks_lost",
            "hooks_while_inactive", "hooks_while_blocked", "hooks_given_up", "hooks_deactivated", "domains_blocked",
            "hook_exceptions", "hooks_refused")
# What PUT /settings may say, with its default.
SETTINGS = {"send_hooks": False, "hooks_allow_http": True, "hook_signature_secret": "", "hook_signature_renew": True,
            "hook_duplicate": 0.0, "hook_reorder": 0.0, "hook_drop": 0.0, "hook_retry_scale": 0.01, "hook_block_scale": 0.01,
            "hook_blocked_loses": 0.0, "hook_timeout_s": 10.0, "hook_warmup_ms": 0.0, "hook_stock_changed_by_orders": True}
RATES = ("hook_duplicate", "hook_reorder", "hook_drop", "hook_blocked_loses")


def covers(hook_scope, scope):
    """A scope covers itself; store/order/* covers what begins so. The star of store/channel/*/inventory/... is literal."""
    return hook_scope == scope or (hook_scope.endswith("/*") and scope.startswith(hook_scope[:-1]))


def signature(secrets, message_id, timestamp, body):
    """webhook-signature of the Standard Webhooks specification: one v1 entry for each secret; the key is the secret's raw
    bytes (bigcommerce.md 5.3)."""
    text = f"{message_id}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.new(s.encode(), text, hashlib.sha256).digest()).decode() for s in secrets)


def domain_of(destination):
    """What shares fate: host and port, since on loopback every receiver has the host 127.0.0.1."""
    parts = urlsplit(destination)
    return f"{parts.scheme}://{parts.netloc}"


class Domain:
    """How calls to one domain went within the window, and until when it is blocked."""

    def __init__(self):
        self.calls = collections.deque()  # (monotonic seconds, failure text or None)
        self.blocked_until = 0.0
        self.reasons = {}  # failure text -> [count, Unix seconds of the last]

    def left(self):
        return max(0.0, self.blocked_until - time.monotonic())

    def record(self, failure, scale):
        """Whether this call makes the domain blocked."""
        now = time.monotonic()
        if self.left() == 0 and self.blocked_until:
            self.blocked_until, self.reasons = 0.0, {}
        self.calls.append((now, failure))
        while self.calls[0][0] < now - WINDOW_S * scale:
            self.calls.popleft()
        if failure:
            count = self.reasons.setdefault(failure, [0, 0])
            count[0], count[1] = count[0] + 1, int(time.time())
        good = sum(1 for _, text in self.calls if text is None)
        if len(self.calls) < BLOCK_FROM or good >= BLOCK_BELOW * len(self.calls) or self.left():
            return False
        self.blocked_until = now + BLOCKED_S * scale
        self.calls.clear()
        return True


class Delivery:
    """One event for one hook. attempts: calls and blocked turns so far."""

    __slots__ = ("hook_id", "scope", "body", "data", "message_id", "created", "attempts")

    def __init__(self, hook_id, scope, body, data, message_id, created):
        self.hook_id, self.scope, self.body, self.data = hook_id, scope, body, data
        self.message_id, self.created, self.attempts = message_id, created, 0


class Hooks:
    """The registered hooks and everything on its way to them. Needs a running event loop."""

    def __init__(self, counters, seed):
        self.counters, self.rng = counters, random.Random(seed + 5)
        self.settings = dict(SETTINGS)
        self.list = []         # as GET /v3/hooks shows them
        self.emails = []
        self.deactivated = set()  # ids of hooks that BigCommerce switched off
        self.domains = {}
        self.told = {}         # destination -> when it was last told that we retry
        self.log = collections.deque(maxlen=LOG_KEPT)
        self.acknowledged = []  # bodies that were answered 2xx
        self.logged = self.waiting = self.last_id = 0
        self.tasks, self.session, self.slots = set(), None, asyncio.Semaphore(AT_ONCE)

    # ---------------------------------------------------------------- settings and registration

    def change(self, name, value):
        """One of SETTINGS."""
        wanted_ = type(SETTINGS[name])
        if name == "hook_signature_secret":
            if not isinstance(value, (str, list)) or not all(isinstance(s, str) for s in value):
                raise Refused(f"{name} must be a text or a list of texts")
        elif wanted_ is bool and type(value) is not bool:
            raise Refused(f"{name} must be true or false")
        elif wanted_ is float and (type(value) not in (int, float) or value < 0 or (name in RATES and value > 1)):
            raise Refused(f"{name} must be a number from 0{' to 1' if name in RATES else ''}")
        self.settings[name] = value

    def replace(self, hooks):
        """Exactly these from now on."""
        self.list = hooks
        self.deactivated.clear()
        self.last_id = max([self.last_id, *(hook["id"] for hook in hooks)])

    def find(self, number):
        return next((hook for hook in self.list if hook["id"] == number), None)

    def add(self, scope, destination, headers, active):
        now = int(time.time())
        self.last_id += 1
        self.list.append({"id": self.last_id, "client_id": "simclient", "store_hash": "simstore", "scope": scope,
                          "destination": destination, "headers": headers, "is_active": active, "created_at": now,
                          "updated_at": now})
        return self.list[-1]

    def status(self, hook):
        """inactive: by its owner; deactivated: by BigCommerce (webhooks.v3.yml)."""
        return "active" if hook["is_active"] else "deactivated" if hook["id"] in self.deactivated else "inactive"

    def blocked(self):
        """blocked_domains of GET /v3/hooks/admin; time_left in seconds."""
        return [{"destination": name, "time_left": -int(-domain.left() // 1),
                 "reasons": [{"failure_description": text, "count": count, "timestamp": at}
                             for text, (count, at) in domain.reasons.items()]}
                for name, domain in self.domains.items() if domain.left()]

    # ---------------------------------------------------------------- events

    def raise_event(self, scope, data):
        """Something happened; data as in bigcommerce.md 5.5."""
        if not self.settings["send_hooks"]:
            return
        for hook in list(self.list):
            if covers(hook["scope"], scope):
                self._new_delivery(hook, scope, data)

    def _body(self, scope, data, created):
        """The envelope (bigcommerce.md 5.4). Equal events of the same second have the same hash, whether they are one or two:
        the recipe is not published, and no more is promised."""
        payload = {"scope": scope, "store_id": STORE_ID, "data": data, "created_at": created, "producer": "stores/simstore"}
        text = json.dumps(payload, separators=(",", ":")).encode()
        return json.dumps({**payload, "hash": hashlib.sha1(text).hexdigest()}, separators=(",", ":")).encode()

    def _new_delivery(self, hook, scope, data):
        numbers, created = self.counters.numbers, int(time.time())
        numbers["hook_events"] += 1
        message_id = f"msg_{self.rng.getrandbits(128):032x}"
        delivery = Delivery(hook["id"], scope, self._body(scope, data, created), data, message_id, created)
        # "may take up to a minute to work" (bigcommerce.md 5.1)
        warm = now_ms() - 1000 * hook["created_at"] >= self.settings["hook_warmup_ms"]
        if not hook["is_active"] or not warm:
            numbers["hooks_while_inactive"] += 1
            return self._note(hook, delivery, "inactive")
        if self.rng.random() < self.settings["hook_drop"]:
            numbers["hooks_lost"] += 1
            return self._note(hook, delivery, "lost")
        self._later(delivery, self._jitter())
        if self.rng.random() < self.settings["hook_duplicate"]:
            numbers["hook_duplicates"] += 1
            again = Delivery(hook["id"], scope, delivery.body, data, message_id, created)
            self._later(again, 0.2 * self.rng.random())
        return None

    def _jitter(self):
        """Seconds by which an event is late, so that others overtake it."""
        return 0.5 * self.rng.random() if self.rng.random() < self.settings["hook_reorder"] else 0

    def _later(self, delivery, seconds):
        self.waiting += 1
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._start, delivery)
        else:
            self._start(delivery)

    def _start(self, delivery):
        task = asyncio.get_running_loop().create_task(self._attempt(delivery))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # ---------------------------------------------------------------- one attempt

    async def _attempt(self, delivery):
        self.waiting -= 1
        hook, numbers = self.find(delivery.hook_id), self.counters.numbers
        if hook is None or not hook["is_active"]:
            numbers["hooks_lost"] += 1
            return self._note(hook, delivery, "lost")
        delivery.attempts += 1
        domain = self.domains.setdefault(domain_of(hook["destination"]), Domain())
        if domain.left():
            return self._while_blocked(hook, delivery)
        async with self.slots:
            status, failure = await self._post(hook, delivery)
        block = domain.record(failure, self.settings["hook_block_scale"])
        if failure is None:
            numbers["hooks_delivered"] += 1
            self.acknowledged.append(delivery.body.decode())
            self._note(hook, delivery, "delivered", status)
        else:
            numbers["hook_failures"] += 1
            self._note(hook, delivery, "failed", status, failure)
            self._failed(hook, delivery)
        if block:
            numbers["domains_blocked"] += 1
            self._mail(hook, "the domain is blocked")
            self._exception(hook, BLOCKED, f"Domain {domain_of(hook['destination'])} is blocked")
        return None

    def _while_blocked(self, hook, delivery):
        """"Some" events of this time go to the retry queue (bigcommerce.md 5.2); assumed: all but hook_blocked_loses."""
        self.counters.numbers["hooks_while_blocked"] += 1
        if self.rng.random() < self.settings["hook_blocked_loses"]:
            self.counters.numbers["hooks_lost"] += 1
            return self._note(hook, delivery, "lost")
        self._note(hook, delivery, "blocked")
        return self._failed(hook, delivery, blocked=True)

    def _headers(self, hook, delivery):
        headers = {"Content-Type": "application/json", "Accept": "application/json", **(hook["headers"] or {})}
        secrets = self.settings["hook_signature_secret"]
        secrets = [secrets] if isinstance(secrets, str) else secrets
        if any(secrets):
            stamp = int(time.time()) if self.settings["hook_signature_renew"] else delivery.created
            headers.update({"webhook-id": delivery.message_id, "webhook-timestamp": str(stamp),
                            "webhook-signature": signature([s for s in secrets if s], delivery.message_id, stamp, delivery.body)})
        return headers

    async def _post(self, hook, delivery):
        """(status or None, why it failed or None). Success is 2xx; redirects are not followed (assumed)."""
        if self.session is None:
            self.session = aiohttp.ClientSession()
        self.counters.numbers["hook_calls"] += 1
        try:
            limit = aiohttp.ClientTimeout(total=self.settings["hook_timeout_s"])
            async with self.session.post(hook["destination"], data=delivery.body, headers=self._headers(hook, delivery),
                                         allow_redirects=False, timeout=limit) as answer:
                await answer.read()
                return answer.status, None if 200 <= answer.status < 300 else f"Status {answer.status}"
        except asyncio.TimeoutError:
            return None, "Timeout"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return None, type(problem).__name__

    def _failed(self, hook, delivery, blocked=False):
        if delivery.attempts > len(RETRIES_S):
            return self._give_up(hook, delivery)
        self.counters.numbers["hook_retries"] += 1
        wait = RETRIES_S[delivery.attempts - 1] * self.settings["hook_retry_scale"]
        self._later(delivery, max(wait, 0.001))
        scale, now = self.settings["hook_retry_scale"], time.monotonic()
        if not blocked and now - self.told.get(hook["destination"], -1e9) >= EXCEPTION_EVERY_S * scale:
            self.told[hook["destination"]] = now
            self._exception(hook, WILL_RETRY, f"Non-200 response received when delivering to {hook['destination']}, will retry")
        return None

    def _give_up(self, hook, delivery):
        """After the last retry the hook is off; its other events are lost (bigcommerce.md 5.2)."""
        numbers = self.counters.numbers
        numbers["hooks_given_up"] += 1
        self._note(hook, delivery, "given up")
        if hook["is_active"]:
            numbers["hooks_deactivated"] += 1
            hook["is_active"], hook["updated_at"] = False, int(time.time())
            self.deactivated.add(hook["id"])
            self._mail(hook, "the hook is deactivated")
            self._exception(hook, EXHAUSTED, f"Delivery attempts to {hook['destination']} exhausted, webhook disabled")

    def _exception(self, hook, code, message):
        """store/hook/deliveryException (bigcommerce.md 5.2); of the exception hook's own trouble there is none (assumed)."""
        own = next((h for h in self.list if h["scope"] == EXCEPTION), None)
        if own is not None and own is not hook:
            self.counters.numbers["hook_exceptions"] += 1
            self._new_delivery(own, EXCEPTION, {"type": "webhook", "id": hook["id"], "error_code": code, "message": message})

    # ---------------------------------------------------------------- looking

    def _enter(self, **entry):
        self.logged += 1
        self.log.append({"n": self.logged, "at_ms": now_ms(), **entry})

    def _note(self, hook, delivery, outcome, status=None, failure=None):
        self._enter(outcome=outcome, hook_id=delivery.hook_id, destination=hook["destination"] if hook else None,
                    scope=delivery.scope, data=delivery.data, message_id=delivery.message_id, attempt=delivery.attempts,
                    status=status, failure=failure)

    def _mail(self, hook, why):
        self._enter(outcome="e-mail", hook_id=hook["id"], destination=hook["destination"], to=list(self.emails), why=why)

    def since(self, number, scope=""):
        return [e for e in self.log if e["n"] > number and (not scope or e.get("scope") == scope)]

    async def stop(self):
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.session is not None:
            await self.session.close()
