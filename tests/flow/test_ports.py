# SPDX-License-Identifier: Apache-2.0
"""Stacks that run at the same time never get the same port (ports.py)."""
import socket
import subprocess
import sys

from ports import Ports, claim
from stack import ROOT

HOLD = "import sys; sys.path.insert(0, sys.argv[1]); import ports; p = ports.Ports(3); print(*p.numbers, flush=True); sys.stdin.read()"


def test_a_claimed_port_is_claimed_once_until_it_is_released():
    ports = Ports(2)
    assert len(set(ports.numbers)) == 2
    assert [claim(number) for number in ports.numbers] == [None, None]
    ports.release()
    again = claim(ports.numbers[0])
    assert again is not None
    again.close()


def test_another_process_cannot_claim_it_and_its_claims_end_with_it():
    with subprocess.Popen([sys.executable, "-B", "-c", HOLD, str(ROOT / "tests" / "flow")], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:
        theirs = [int(number) for number in other.stdout.readline().split()]
        assert len(set(theirs)) == 3
        assert [claim(number) for number in theirs] == [None] * 3
        other.kill()
        other.wait(10)
    mine = claim(theirs[0])
    assert mine is not None
    mine.close()


def test_a_port_that_somebody_listens_on_is_not_given_out():
    ports = Ports(1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", ports.numbers[0]))
        listener.listen(1)
        ports.release()
        assert claim(ports.numbers[0]) is None
