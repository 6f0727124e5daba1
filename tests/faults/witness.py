# SPDX-License-Identifier: Apache-2.0
"""Reads everything that Redis executes, in order (MONITOR), and says what must never be there: a token that does not rise, or a
late worker whose write counted although another one held its entity, or its lease, by then."""
import re
import socket
import threading
import time

LINE = re.compile(rb"^\+[\d.]+ \[\d+ (\S+)\] (.*)$")
WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
CALLS = {b"complete": (3, 2), b"defer": (6, 2), b"extend": (4, 2), b"park": (2, 0), b"tick": (2, 0)}
CHANGES = (b"HSET", b"HDEL", b"DEL", b"ZADD", b"ZREM", b"HINCRBY", b"XADD", b"SET", b"SADD", b"SREM", b"INCR")


class Witness:
    """watch() until close(). violations: texts."""

    def __init__(self, path, prefix="{default}:"):
        self.path, self.prefix = str(path), prefix.encode()
        self.tokens = {}      # (queue, entity) -> token of its latest claim
        self.leases = {}      # name -> token
        self.highest = 0
        self.call = None      # (function, stale: {(queue, entity)}, all or nothing)
        self.violations, self.lines, self.claims, self.fenced = [], 0, 0, 0
        self.ending = threading.Event()
        self.socket = None
        self.thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self.thread.start()

    def close(self):
        self.ending.set()
        if self.socket is not None:
            self.socket.close()
        self.thread.join(10)

    def _run(self):
        while not self.ending.is_set():
            try:
                with socket.socket(socket.AF_UNIX) as one:
                    self.socket = one
                    one.settimeout(0.2)
                    one.connect(self.path)
                    one.sendall(b"AUTH tests -\r\nMONITOR\r\n")
                    self._read(one)
            except OSError:
                pass
            self.call = None
            time.sleep(0.01)

    def _read(self, one):
        rest = b""
        while not self.ending.is_set():
            try:
                data = one.recv(1 << 18)
            except socket.timeout:
                continue
            if not data:
                return
            *lines, rest = (rest + data).split(b"\r\n")
            for line in lines:
                self.take(line)

    # ---------------------------------------------------------------- one line

    def take(self, line):
        """One line of MONITOR."""
        found = LINE.match(line)
        if found is None:
            return
        self.lines += 1
        where, text = found.groups()
        if where == b"lua":
            self._inner(text)
            return
        self.call = None
        if text.startswith(b'"FCALL" "'):
            name, _, _ = text[9:].partition(b'"')
            function = name.rpartition(b"_")[0]
            if function in CALLS or function == b"intent_open":
                self._begin(function, WORD.findall(text)[4:])
        elif text[:10].upper().startswith((b'"FLUSHALL', b'"FLUSHDB')):
            self.tokens.clear()
            self.leases.clear()

    def _begin(self, function, args):
        """A call of a worker: which of the entities that it names another worker has by now."""
        if function == b"intent_open":
            lease, token = args[2], args[3]
            if lease and self.leases.get(lease, token) != token:
                self.call = (b"intent_open", {lease}, True)
            return
        first, step = CALLS[function]
        queue, pairs = args[0], args[first - 1:]
        if function in (b"complete", b"extend", b"defer"):
            n = int(args[first - 2])
            effects = function == b"complete" and len(pairs) > 2 * n
            pairs = pairs[:2 * n]
        else:
            pairs, effects = pairs[:2], True
        stale = {(queue, pairs[i]) for i in range(0, len(pairs), step or 2)
                 if self.tokens.get((queue, pairs[i]), pairs[i + 1]) != pairs[i + 1]}
        self.fenced += len(stale)
        if stale:
            self.call = (function, stale, effects)

    def _inner(self, text):
        claimed = text.startswith(b'"HSET" "' + self.prefix + b"job:") and b'"tok"' in text
        leased = text.startswith(b'"HSET" "' + self.prefix + b"lease:")
        if not (claimed or leased or self.call):
            return
        words = WORD.findall(text)
        if self.call and words[0].upper() in CHANGES:
            self._changed(words)
        if claimed:
            queue, _, entity = words[1][len(self.prefix) + 4:].partition(b":")
            self.claims += 1
            self._rises(words[words.index(b"tok") + 1], (queue, entity), self.tokens)
        elif leased and b"token" in words:
            self._rises(words[words.index(b"token") + 1], words[1][len(self.prefix) + 6:], self.leases)

    def _rises(self, token, name, known):
        if known.get(name) != token:
            if int(token) <= self.highest:
                self.violations.append(f"token {token.decode()} of {name} is not above {self.highest}")
            self.highest = max(self.highest, int(token))
            known[name] = token

    def _changed(self, words):
        function, stale, every = self.call
        for one in stale:
            job = self.prefix + b"job:" + b":".join(one) if isinstance(one, tuple) else b""
            if every or words[1] == job or (words[1] == self.prefix + b"due:" + one[0] and words[-1] == one[1]):
                self.violations.append(f"{function.decode()} of a late worker counted: {one}, {b' '.join(words[:2]).decode()}")
                self.call = None
                return
