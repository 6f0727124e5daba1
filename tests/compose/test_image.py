# SPDX-License-Identifier: Apache-2.0
"""What an image is, whatever compose file or scheduler starts it."""
import json
import re
import time

import pytest

from engine import ROOT, docker, inspect, secret, wait_until

# As little as a container can have. --network none: nothing here needs one.
HARDENED = ["--rm", "--read-only", "--cap-drop", "ALL", "--user", "10001", "--security-opt", "no-new-privileges", "--network", "none"]
SETTINGS = {"ONEPOOL_CONFIG": "/etc/onepool/mapping.json", "ONEPOOL_LISTEN": "tcp:9000", "REDIS_URL": "redis://127.0.0.1:6379/0",
            "SITOO_API_ID": "a", "SITOO_API_PASSWORD": "b" * 16, "SITOO_ACCOUNT_ID": "1500", "SITOO_SITE_ID": "1",
            "SITOO_EVENTS_USER": "onepool", "SITOO_EVENTS_PASSWORD": "c" * 16, "BIGCOMMERCE_STORE_HASH": "abc",
            "BIGCOMMERCE_ACCESS_TOKEN": "d" * 16, "BIGCOMMERCE_HOOK_SECRET": "e" * 16}
FUNCTIONS = sorted(p.parent.name for p in (ROOT / "functions").glob("*/main.c") if p.parent.name != "onepool")


def settings():
    flags = [word for name, value in SETTINGS.items() for word in ("-e", f"{name}={value}")]
    return [*flags, "-v", f"{ROOT}/deploy/compose/simulated.json:/etc/onepool/mapping.json:ro"]


def test_hardened_image_runs_the_command_and_nothing_can_be_written(image):
    said = docker("run", *HARDENED, image, "onepool", "--version").stdout
    assert said.startswith("onepool ")
    probe = "id -u; grep CapEff /proc/self/status; touch /opt/onepool/bin/x 2>&1; touch /x 2>&1; exit 0"
    lines = docker("run", *HARDENED, image, "sh", "-c", probe).stdout.splitlines()
    assert lines[0] == "10001"
    assert int(lines[1].split()[1], 16) == 0
    assert all("Read-only file system" in line for line in lines[2:4]), lines


def test_every_function_is_in_the_image(image):
    found = docker("run", *HARDENED, image, "ls", "/opt/onepool/bin").stdout.split()
    assert found == sorted([*FUNCTIONS, "onepool"])


@pytest.mark.parametrize("function", ["sale", "sweep"])
def test_function_is_pid_1_gets_healthy_without_redis_and_stops_with_0(image, function):
    """Hardened, without a network. SIGTERM reaches the function itself, not a shell."""
    flags = [word for word in HARDENED if word != "--rm"]
    container = docker("run", "-d", *flags, "--tmpfs", "/tmp", "--health-interval", "1s", *settings(), image, function).stdout.strip()
    try:
        wait_until(lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", 30, "it is healthy")
        assert docker("exec", container, "cat", "/proc/1/comm").stdout.strip() == function
        begun = time.monotonic()
        docker("stop", "-t", 30, container)
        state = inspect(container)["State"]
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False), docker("logs", container).stderr[-2000:]
        assert time.monotonic() - begun < 15
    finally:
        docker("rm", "-f", "-v", container)


def test_function_that_hangs_becomes_unhealthy(image):
    flags = [word for word in HARDENED if word != "--rm"]
    container = docker("run", "-d", *flags, "--health-interval", "1s", "--health-timeout", "1s", "--health-retries", "2",
                       *settings(), image, "sale").stdout.strip()
    try:
        wait_until(lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", 30, "it is healthy")
        docker("exec", container, "sh", "-c", "kill -STOP $(grep -lE '^PPid:.1$' /proc/[0-9]*/status | cut -d/ -f3)")
        wait_until(lambda: inspect(container)["State"]["Health"]["Status"] == "unhealthy", 30, "it is unhealthy")
    finally:
        docker("rm", "-f", "-v", container)


def test_wrong_settings_end_with_100_and_name_what_is_wrong(image):
    done = docker("run", *HARDENED, image, "sale", check=False)
    assert done.returncode == 100
    assert "SITOO_EVENTS_PASSWORD" in done.stderr


def test_labels_and_signal(image):
    config = json.loads(docker("image", "inspect", image).stdout)[0]["Config"]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    assert labels["title"] == "onepool" and labels["licenses"] == "Apache-2.0" and labels["version"] and labels["revision"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"


def test_sbom_names_what_is_in_the_image(image):
    text = docker("run", *HARDENED, image, "cat", "/opt/onepool/sbom.spdx").stdout
    assert text.startswith("SPDXVersion: SPDX-2.3\n")
    listed = dict(re.findall(r"^PackageName: (.*)\nSPDXID: .*\nPackageVersion: (.*)$", text, re.MULTILINE))
    installed = docker("run", *HARDENED, image, "dpkg-query", "-W", "-f", "${Package} ${Version}\n").stdout.split("\n")
    assert {"onepool", *(line.split()[0] for line in installed if line)} == set(listed)
    assert all(listed[line.split()[0]] == line.split()[1] for line in installed if line)
    ids = re.findall(r"^SPDXID: (.*)$", text, re.MULTILINE)
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in ids)
    assert len(re.findall("^Relationship: ", text, re.MULTILINE)) == len(ids) - 1


def test_no_compiler_no_sources_and_no_secret_are_in_the_image(image):
    assert docker("run", *HARDENED, image, "sh", "-c", "command -v gcc cc make", check=False).returncode != 0
    assert docker("run", *HARDENED, image, "find", "/opt", "/usr/src", "-name", "*.c").stdout == ""
    history = docker("history", "--no-trunc", image).stdout
    for name in ("redis_url", "bigcommerce_hook_secret", "sitoo_events_password"):
        assert secret(name) not in history
        found = docker("run", *HARDENED, image, "sh", "-c", f"grep -rsl {secret(name)[-20:]} /opt /etc /var; true").stdout
        assert found == ""
