# SPDX-License-Identifier: Apache-2.0
"""A file of everything that the platforms were asked and what they said, for the contract checks (tests/contract).

One JSON line per different request, written when it arrives, so that the file stays small and nothing is missing from
it (GET /requests keeps only the last 5000), and one per answer, of the first few answers of each shape: same route,
status, fault and names of query parameters.

    {"platform","method","path","query","headers":{"accept",...},"body"}                          a request
    {"platform","method","path","query","status","fault","type","answer"}                         an answer

path and query are as received (percent-encoded). fault: the kind of an injected fault, else null.
"""
import json

HEADERS = ("accept", "authorization", "content-type", "expect", "user-agent", "x-auth-client", "x-auth-token")
ANSWERS_KEPT = 20     # of each shape
ANSWER_MAX = 500_000  # bytes; a longer one is left out
# A test's own look at a platform carries this header: it is none of onepool's requests.
NOT_OURS = "X-Test-Look"


class Exchanges:
    """path None: nothing is kept."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.seen = set()
        self.answers = {}

    def _write(self, line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def asked(self, platform, call):
        request = call.request
        if self.file is None or NOT_OURS in request.headers:
            return
        line = {"platform": platform, "method": call.method, "path": call.raw_path,
                "query": request.rel_url.raw_query_string,
                "headers": {name: request.headers[name] for name in HEADERS if name in request.headers},
                "body": call.body.decode("utf-8", "backslashreplace")}
        key = hash(json.dumps(line))
        if key not in self.seen:
            self.seen.add(key)
            self._write(line)

    def answered(self, platform, call, reply):
        """reply may be None: silence."""
        if self.file is None or reply is None or len(reply.body) > ANSWER_MAX:
            return
        fault = call.fault["kind"] if call.fault else None
        shape = (platform, call.method, call.route, reply.status, fault, tuple(sorted(name for name, _ in call.pairs)))
        self.answers[shape] = self.answers.get(shape, 0) + 1
        if self.answers[shape] <= ANSWERS_KEPT:
            self._write({"platform": platform, "method": call.method, "path": call.raw_path,
                         "query": call.request.rel_url.raw_query_string, "status": reply.status, "fault": fault,
                         "type": reply.content_type, "answer": reply.body.decode("utf-8", "backslashreplace")})
