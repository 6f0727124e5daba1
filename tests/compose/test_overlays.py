# SPDX-License-Identifier: Apache-2.0
"""What a shop may lay over docker-compose.yml: TLS by its own nginx, and the client secret for signatures of webhooks."""
import contextlib
import http.client
import json
import os
import ssl
import subprocess
import sys

import pytest

from engine import ROOT, SECRETS, Stack, docker, free_ports, wait_until

NAME = "hooks.shop.test"
CLIENT_SECRETS = ("bigcommerce_client_secret", "bigcommerce_client_secret_previous")


class Overlaid(Stack):
    def __init__(self, overlay, **env):
        super().__init__()
        self.env |= {"COMPOSE_FILE": f"docker-compose.yml{os.pathsep}deploy/compose/{overlay}", "COMPOSE_PROJECT_NAME": "onepool-test-overlay",
                     **env}


@contextlib.contextmanager
def client_secret(value):
    """As a person gives it, and gone afterwards."""
    try:
        subprocess.run([ROOT / "deploy" / "secrets.sh", "simulated", "--set", CLIENT_SECRETS[0]], input=f"{value}\n", text=True, check=True,
                       capture_output=True)
        yield
    finally:
        for name in CLIENT_SECRETS:
            (SECRETS / name).unlink(missing_ok=True)


class Named(http.client.HTTPSConnection):
    """To loopback, with the certificate's name."""

    def __init__(self, port, folder):
        super().__init__("127.0.0.1", port, timeout=20, context=ssl.create_default_context(cafile=str(folder / "fullchain.pem")))

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=NAME)


def certificate(folder):
    """A new one, signed by itself; the key can be read by the container's user."""
    part = folder / "new.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(folder / "privkey.pem"), "-out", str(part)],
                   check=True, capture_output=True)
    (folder / "privkey.pem").chmod(0o644)
    part.rename(folder / "fullchain.pem")


def ask(connection, path, method="GET", body=None):
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def serial(port, folder):
    """Of the certificate that is shown, or None if it is not the one in the folder."""
    one = Named(port, folder)
    try:
        one.connect()
        return one.sock.getpeercert()["serialNumber"]
    except ssl.SSLError:
        return None
    finally:
        one.close()


@pytest.fixture
def nginx(built, tmp_path):
    """nginx alone, with TLS."""
    (port, ) = free_ports(1)
    folder = tmp_path / "tls"
    folder.mkdir()
    folder.chmod(0o755)
    certificate(folder)
    one = Overlaid("tls.yml", ONEPOOL_HTTPS_PORT=str(port), ONEPOOL_HTTPS_ADDRESS="127.0.0.1", ONEPOOL_TLS_FOLDER=str(folder), ONEPOOL_TLS_LOOK_S="1")
    try:
        one.compose("up", "-d", "--no-deps", "--wait", "--wait-timeout", 60, "nginx", timeout=100)
        yield one, port, folder
    except BaseException:
        print(one.logs()[-10000:], file=sys.stderr)
        raise
    finally:
        one.down()


def test_tls_beside_the_file_and_a_renewal(nginx):
    one, port, folder = nginx
    assert ask(Named(port, folder), "/ready").status == 503, "no function is there"
    answer = ask(http.client.HTTPConnection("127.0.0.1", one.http_port, timeout=20), "/ready")
    assert answer.status == 308 and answer.headers["Location"].startswith("https://")
    assert ask(http.client.HTTPConnection("127.0.0.1", one.http_port, timeout=20), "/hooks/sitoo", "POST", b"[]").status == 503, "never a redirect"
    first = serial(port, folder)
    certificate(folder)
    assert wait_until(lambda: serial(port, folder), 30, "the new certificate is shown") != first
    assert not [line for line in one.logs("nginx").splitlines() if "level=alarm" in line]
    container = json.loads(docker("inspect", *one.containers("nginx")).stdout)[0]
    assert container["Config"]["User"] == "10001:10001" and container["HostConfig"]["ReadonlyRootfs"]


def test_a_client_secret_reaches_every_function(built):
    signed = Overlaid("signatures.yml")
    with client_secret("client-secret-of-a-test-0123456789"):
        services = json.loads(signed.compose("config", "--format", "json").stdout)["services"]
        for name, service in services.items():
            if "env_file" in service or "ONEPOOL_CONFIG" in (service.get("environment") or {}):
                assert set(CLIENT_SECRETS) <= {secret["source"] for secret in service["secrets"]}, name
        argv = ("run", "--rm", "--no-deps", "-T", "-e", "BIGCOMMERCE_SIGNATURE=require", "order-updated", "timeout", "5", "order-updated")
        without, given = (one.compose(*argv, check=False) for one in (built, signed))
    assert without.returncode == 100 and "BIGCOMMERCE_CLIENT_SECRET" in without.stdout + without.stderr, without
    assert given.returncode != 100 and "settings" not in given.stdout + given.stderr, given
    signed.down()
