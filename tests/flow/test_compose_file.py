# SPDX-License-Identifier: Apache-2.0
"""What docker-compose.yml must say, as far as that can be seen without an engine (tests/compose starts it)."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sim"))
from mapping import default_mapping  # noqa: E402  tests/sim/mapping.py

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
FUNCTIONS = {path.parent.name for path in (ROOT / "functions").glob("*/main.c")} - {"onepool"}


def test_every_function_is_a_service_and_starts_by_its_name():
    services = COMPOSE["services"]
    assert set(services) == FUNCTIONS | {"nginx", "redis", "simulators"}
    assert all(services[name]["command"] == [name] for name in FUNCTIONS)


def test_every_function_gets_the_client_secret_that_may_be_laid_over():
    overlay = yaml.safe_load((ROOT / "deploy" / "compose" / "signatures.yml").read_text(encoding="utf-8"))
    assert set(overlay["services"]) == FUNCTIONS
    assert all(set(service["secrets"]) == set(overlay["secrets"]) for service in overlay["services"].values())


def test_every_file_that_is_laid_over_is_in_the_checkout():
    """Also under git: what is written beside the instances' settings, which are not."""
    named = set()
    for path in ("docs/operations.md", "nginx/tls.conf", "README.md"):
        named |= set(re.findall(r"deploy/compose/[a-z]+\.yml", (ROOT / path).read_text(encoding="utf-8")))
    assert {"deploy/compose/tls.yml", "deploy/compose/signatures.yml"} <= named
    for name in named:
        assert (ROOT / name).is_file(), name
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode != 0, f"git ignores {name}"


def test_every_name_that_nginx_asks_for_is_a_service():
    template = (ROOT / "nginx" / "onepool.conf.in").read_text(encoding="utf-8")
    asked = set(re.findall(r"set \$function ([a-z-]+);", template))
    assert asked and asked <= set(COMPOSE["services"])
    assert asked == set(re.findall(r"upstream ([a-z-]+) {", template))


def test_simulated_mapping_is_that_of_the_simulators():
    given = json.loads((ROOT / "deploy" / "compose" / "simulated.json").read_text(encoding="utf-8"))
    assert given == default_mapping([1, 2, 3, 4], returns=True, products=True)


def test_plain_http_to_platforms_is_for_simulators_only():
    for path in (ROOT / "deploy" / "compose").glob("*.env"):
        assert ("ONEPOOL_ALLOW_HTTP" in path.read_text(encoding="utf-8")) == (path.name == "simulated.env")
    assert "ONEPOOL_ALLOW_HTTP" not in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def copy_of_script(folder):
    (folder / "deploy").mkdir()
    script = folder / "deploy" / "secrets.sh"
    for name in ("secrets.sh", "redis-users.sh"):
        (folder / "deploy" / name).write_bytes((ROOT / "deploy" / name).read_bytes())
        (folder / "deploy" / name).chmod(0o755)
    return script


def run(script, *argv, **env):
    return subprocess.run([script, *argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          env={"PATH": "/usr/bin:/bin", **env})


def test_secrets_are_made_once_never_printed_and_closed(tmp_path):
    script = copy_of_script(tmp_path)
    first = run(script)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "deploy" / "secrets" / "simulated"
    values = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(values) == {name for name in COMPOSE["secrets"]}
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    assert all(value.strip() not in first.stdout + first.stderr for value in values.values())
    assert run(script).stdout == ""
    assert values == {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_rotation_keeps_the_old_value_as_previous(tmp_path):
    script = copy_of_script(tmp_path)
    run(script)
    folder = tmp_path / "deploy" / "secrets" / "simulated"
    old = (folder / "bigcommerce_hook_secret").read_text(encoding="utf-8")
    assert run(script, "--rotate", "bigcommerce_hook_secret").returncode == 0
    assert (folder / "bigcommerce_hook_secret_previous").read_text(encoding="utf-8") == old
    assert (folder / "bigcommerce_hook_secret").read_text(encoding="utf-8") != old
    assert run(script, "--rotate", "redis_url").returncode == 1
    assert run(script, "--end", "bigcommerce_hook_secret").returncode == 0
    assert (folder / "bigcommerce_hook_secret_previous").read_text(encoding="utf-8") == (folder / "bigcommerce_hook_secret").read_text(encoding="utf-8")


def test_the_password_of_redis_is_changed_with_both_accepted_meanwhile(tmp_path):
    script = copy_of_script(tmp_path)
    run(script)
    folder = tmp_path / "deploy" / "secrets" / "simulated"

    def digests():
        """What the users onepool and backup accept."""
        lines = [line.split() for line in (folder / "redis_acl").read_text(encoding="utf-8").splitlines()]
        found = {line[1]: [word[1:] for word in line if word.startswith("#")] for line in lines}
        assert found["onepool"] == found["backup"]
        return found["onepool"]
    old = (folder / "redis_password").read_text(encoding="utf-8")
    done = run(script, "--rotate", "redis_password")
    new = (folder / "redis_password").read_text(encoding="utf-8")
    assert done.returncode == 0 and new != old and new not in done.stdout + done.stderr
    assert f":{new}@" in (folder / "redis_url").read_text(encoding="utf-8")
    assert digests() == [hashlib.sha256(one.encode()).hexdigest() for one in (new, old)]
    run(script)
    assert len(digests()) == 2, "until it is ended"
    assert run(script, "--end", "redis_password").returncode == 0
    assert digests() == [hashlib.sha256(new.encode()).hexdigest()] and not (folder / "redis_password_previous").exists()


def test_what_a_platform_hands_out_is_taken_from_a_line(tmp_path):
    script = copy_of_script(tmp_path)
    folder = tmp_path / "deploy" / "secrets" / "simulated"

    def give(name, value):
        return subprocess.run([script, "--set", name], capture_output=True, text=True, input=value, check=False, env={"PATH": "/usr/bin:/bin"})
    for value, previous in (("first-0123456789abc", "first-0123456789abc"), ("second-0123456789ab", "first-0123456789abc")):
        done = give("bigcommerce_client_secret", value + "\n")
        assert done.returncode == 0 and value not in done.stdout + done.stderr
        assert (folder / "bigcommerce_client_secret").read_text(encoding="utf-8") == value
        assert (folder / "bigcommerce_client_secret_previous").read_text(encoding="utf-8") == previous
    assert give("sitoo_api_password", "new\n").returncode == 0 and (folder / "sitoo_api_password").read_text(encoding="utf-8") == "new"
    assert give("sitoo_api_password", "").returncode == 1 and (folder / "sitoo_api_password").read_text(encoding="utf-8") == "new"
    assert give("redis_url", "x\n").returncode == 1


def test_secret_of_a_platform_is_asked_for_by_name(tmp_path):
    script = copy_of_script(tmp_path)
    (tmp_path / ".env").write_text("ONEPOOL_INSTANCE=shop\n", encoding="utf-8")
    done = run(script)
    assert done.returncode == 1
    assert "deploy/secrets/shop/sitoo_api_password is missing" in done.stderr
    assert run(script, "../x").returncode == 1
