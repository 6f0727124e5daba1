# SPDX-License-Identifier: Apache-2.0
"""Redis over TLS, through stunnel as deploy/stunnel.conf sets it: works with the right certificate and name, and with no other."""
import re
import shutil
import subprocess

import pytest

from ports import Ports
from stack import ROOT, shop_mapping
from test_bad_days_redis import event

NAME = "redis.shop.test"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificate(folder, name, issuer="ca"):
    """<name>.crt and .key, for that name, from the issuer (made if it is not there)."""
    if not (folder / f"{issuer}.crt").exists():
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={issuer}",
                "-keyout", f"{issuer}.key", "-out", f"{issuer}.crt")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr")
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n", encoding="ascii")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", f"{name}.crt")


@pytest.fixture
def tunnel(stack):
    """tunnel(certificate's name, its issuer): a stack whose functions reach a Redis with that certificate through stunnel."""
    ports = Ports(2)

    def make(name=NAME, issuer="ca"):
        tls, plain = ports.numbers
        shop = stack(functions=(), redis=False, simulators=False, mapping=shop_mapping())
        folder = shop.folder
        certificate(folder, NAME)
        certificate(folder, name, issuer)
        shop._write_users()
        shop._start("redis", ["redis-server", ROOT / "deploy" / "redis.conf", "--dir", folder / "redis", "--unixsocket", shop.redis_socket,
                              "--aclfile", folder / "users.acl", "--tls-port", tls, "--tls-cert-file", folder / f"{name}.crt",
                              "--tls-key-file", folder / f"{name}.key", "--tls-ca-cert-file", folder / f"{issuer}.crt",
                              "--tls-auth-clients", "no", "--protected-mode", "no"])
        shop._wait_alive("redis", shop.redis_answers, 15, "Redis answers")
        text = (ROOT / "deploy" / "stunnel.conf").read_text(encoding="ascii")
        for key, value in (("accept", f"127.0.0.1:{plain}"), ("connect", f"127.0.0.1:{tls}"), ("CAfile", folder / "ca.crt"),
                           ("checkHost", NAME)):
            text, n = re.subn(f"(?m)^{key} = .*$", f"{key} = {value}", text)
            assert n == 1, key
        (folder / "stunnel.conf").write_text(text, encoding="ascii")
        shop._start("stunnel", [shutil.which("stunnel", path="/usr/bin:/usr/local/bin:/usr/sbin"), folder / "stunnel.conf"])
        shop.env_overrides["REDIS_URL"] = f"redis://127.0.0.1:{plain}/0"
        shop.start_function("sitoo-events")
        return shop
    yield make
    ports.release()


def test_events_are_stored_through_the_tunnel(tunnel):
    shop = tunnel()
    shop.wait_until(lambda: shop.post("/hooks/sitoo", [event()]).status == 200, 15, "an event is accepted")
    assert shop.redis().xlen(shop.key("journal")) == 1


@pytest.mark.parametrize("name, issuer", [("other.shop.test", "ca"), (NAME, "stranger")])
def test_another_name_or_another_issuer_is_not_trusted(tunnel, name, issuer):
    shop = tunnel(name, issuer)
    shop.wait_until(lambda: "refused" in shop.logs("stunnel").lower() or "verif" in shop.logs("stunnel").lower()
                    or "no host name matched" in shop.logs("stunnel").lower(), 15, "stunnel says why")
    assert shop.post("/hooks/sitoo", [event()]).status == 503
    assert shop.redis().exists(shop.key("journal")) == 0
