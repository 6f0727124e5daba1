# SPDX-License-Identifier: Apache-2.0
"""nginx with TLS as deploy/compose/tls.yml sets it: protocols, what plain HTTP is told, and a renewal that drops no request."""
import contextlib
import http.client
import shutil
import ssl
import subprocess
import threading
import time

import pytest

from ports import Ports
from stack import ROOT
from test_redis_tls import certificate, openssl
from test_replicas import ReplicaStack, Replicas

NAME = "hooks.shop.test"


class TlsStack(ReplicaStack):
    def __init__(self):
        super().__init__()
        self.extra = Ports(1)
        self.tls_port = self.extra.numbers[0]
        self.tls = self.folder / "tls"
        self.tls.mkdir()
        self.renew()

    def renew(self, issuer="ca"):
        certificate(self.tls, NAME, issuer)
        shutil.copy(self.tls / f"{NAME}.key", self.tls / "privkey.pem")
        shutil.copy(self.tls / f"{NAME}.crt", self.tls / "fullchain.pem")

    def nginx_values(self):
        values = super().nginx_values()
        for name, target in (("tls.conf", values["LISTEN"]), ("redirect.conf", self.folder / "nginx" / "servers.d" / "redirect.conf")):
            text = (ROOT / "nginx" / name).read_text(encoding="utf-8")
            for was, now in (("listen 8443", f"listen 127.0.0.1:{self.tls_port}"), ("listen 8080", f"listen 127.0.0.1:{self.http_port}"),
                             ("/run/tls", str(self.tls))):
                text = text.replace(was, now)
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return values

    def _start(self, name, argv, **options):
        if name == "nginx":
            options["env"] = {"PATH": "/usr/sbin:/usr/bin:/bin", "ONEPOOL_TLS_FOLDER": str(self.tls), "ONEPOOL_TLS_LOOK_S": "1"}
            argv = [ROOT / "nginx" / "start.sh", *argv]
        return super()._start(name, argv, **options)

    def connection(self, **versions):
        context = ssl.create_default_context(cafile=str(self.tls / "ca.crt"))
        for key, value in versions.items():
            setattr(context, key, value)
        return Named(self.tls_port, context)

    def serial(self):
        """Of the certificate that a caller sees."""
        one = self.connection()
        one.connect()
        try:
            return one.sock.getpeercert()["serialNumber"]
        finally:
            one.close()


class Named(http.client.HTTPSConnection):
    """To loopback, with the certificate's name."""

    def __init__(self, port, context):
        super().__init__("127.0.0.1", port, timeout=10, context=context)
        self.trust = context

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = self.trust.wrap_socket(self.sock, server_hostname=NAME)


@pytest.fixture(scope="module")
def nginx():
    one = TlsStack()
    try:
        yield one.start()
    finally:
        one.stop()
        one.names.close()
        one.extra.release()
        one.remove()


@pytest.fixture
def sale(nginx):
    made = Replicas(nginx)
    made.name(made.add())
    yield made
    made.close()


def call(one, path="/hooks/sitoo/sale"):
    one.request("POST", path, b"[1]")
    answer = one.getresponse()
    answer.read()
    return answer


def test_a_webhook_over_tls_reaches_its_function(nginx, sale):
    one = nginx.connection()
    answer = call(one)
    assert answer.status == 200 and answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert one.sock.version() == "TLSv1.3"
    one.close()


def test_old_versions_of_tls_are_refused(nginx):
    for version, taken in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_1, False)):
        # The system's own policy would refuse the old one first.
        one = nginx.connection(maximum_version=version, minimum_version=version)
        one.trust.set_ciphers("DEFAULT@SECLEVEL=0")
        if taken:
            one.connect()
            assert one.sock.version() == "TLSv1.2"
        else:
            with pytest.raises(ssl.SSLError):
                one.connect()
        one.close()


@pytest.mark.parametrize("headers, body", [({}, b"x" * 70000), ({"X-Long": "x" * 9000}, b"[]"), ({"Content-Length": "-1"}, b""),
                                           ({"Transfer-Encoding": "nonsense"}, b""), ({"Expect": "100-continue"}, b"[]")],
                         ids=["large body", "long header", "bad length", "bad encoding", "expectation"])
@pytest.mark.parametrize("path", ["/hooks/sitoo", "/hooks"])
def test_plain_http_never_tells_a_webhook_anything_but_503(nginx, path, headers, body):
    """Sitoo deletes an event when it hears anything else."""
    one = http.client.HTTPConnection("127.0.0.1", nginx.http_port, timeout=10)
    one.putrequest("POST", path)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        one.putheader(name, value)
    one.endheaders()
    with contextlib.suppress(OSError):
        one.send(body)
    assert one.getresponse().status == 503


@pytest.mark.parametrize("path, status, place", [("/hooks/sitoo/events", 503, None), ("/hooks/bigcommerce/order-created", 503, None),
                                                 ("/health", 308, "/health"), ("/", 308, "/")])
def test_plain_http_is_sent_to_https_but_for_webhooks(nginx, path, status, place):
    one = http.client.HTTPConnection("127.0.0.1", nginx.http_port, timeout=10)
    one.request("POST" if "hooks" in path else "GET", path, headers={"Host": NAME})
    answer = one.getresponse()
    body = answer.read()
    assert (answer.status, answer.headers["Location"]) == (status, place and f"https://{NAME}{place}")
    assert "hooks" not in path or body == b""


def test_plain_http_on_the_port_of_tls_is_503(nginx):
    one = http.client.HTTPConnection("127.0.0.1", nginx.tls_port, timeout=10)
    one.request("POST", "/hooks/sitoo", b"[]")
    assert one.getresponse().status == 503


def test_a_renewed_certificate_is_taken_and_no_request_is_dropped(nginx, sale):
    before, stop, statuses = nginx.serial(), threading.Event(), []

    def go_on():
        while not stop.is_set():
            one = nginx.connection()
            for _ in range(3):
                statuses.append(call(one).status)
            one.close()
    callers = [threading.Thread(target=go_on) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        (nginx.tls / "fullchain.pem").write_text("half a renewal", encoding="ascii")
        nginx.wait_until(lambda: "does not take it" in nginx.logs("nginx"), 15, "a broken one is told of")
        assert nginx.serial() == before
        nginx.renew()
        nginx.wait_until(lambda: nginx.serial() != before, 15, "the new certificate is shown")
        time.sleep(1)
    finally:
        stop.set()
        for caller in callers:
            caller.join(20)
    assert len(statuses) > 50 and set(statuses) == {200}


def test_the_certificate_is_what_clients_check(nginx):
    openssl(nginx.tls, "verify", "-CAfile", "ca.crt", "fullchain.pem")
    assert subprocess.run(["openssl", "verify", "fullchain.pem"], cwd=nginx.tls, capture_output=True, check=False).returncode != 0
