# SPDX-License-Identifier: Apache-2.0
"""Where notifications end in tests: an HTTP server and an SMTP server that can fail, and hold what they got."""
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class WebhookSink:
    """Answers `status`, and 413 to a body of more than `largest` bytes; with `held` it answers nobody until release()."""

    def __init__(self):
        self.status, self.got, self.largest = 200, [], None
        self.held, self.arrived = threading.Event(), threading.Event()
        self.held.set()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((dict(self.headers), body))
                sink.arrived.set()
                sink.held.wait(30)
                try:
                    self.send_response(sink.status if sink.fits(body) else 413)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the other side is gone

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/secret-path-1234"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()

    def ids(self):
        return [headers["webhook-id"] for headers, _ in self.got]

    def messages(self):
        return [json.loads(body) for _, body in self.got]

    def fits(self, body):
        return self.largest is None or len(body) <= self.largest

    def taken_cases(self):
        return [named for named, (_, body) in zip(self.cases(), self.got) if self.fits(body)]

    def cases(self):
        """(cause, entity) of every message, the first and the further ones."""
        return [[(c["case"], c["entity"]) for c in [one, *one["more"]]] for one in self.messages()]


def signature(key, headers, body):
    """What webhook-signature must be, by the Standard Webhooks specification."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class MailSink:
    """An SMTP server; refuse: what it answers to a mail instead of taking it. login: (user, password) that it wants."""

    def __init__(self, login=None, host="127.0.0.1"):
        self.refuse, self.got = None, []
        sink = self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                if sink.refuse:
                    return sink.refuse
                sink.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
                return "250 taken"

        def check(server, session, envelope, mechanism, data):
            good = login == (data.login.decode(), data.password.decode())
            return AuthResult(success=good, handled=False)

        class Listener(Controller):
            def factory(self):
                return SMTP(self.handler, authenticator=check if login else None, auth_required=bool(login),
                            auth_require_tls=False)

        self.controller = Listener(Handler(), hostname=host, port=self._free_port())
        self.controller.start()
        self.url = f"smtp://127.0.0.1:{self.controller.port}"

    @staticmethod
    def _free_port():
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def close(self):
        self.controller.stop()

    def mails(self):
        return [email.message_from_bytes(content, policy=email.policy.default) for _, _, content in self.got]
