# SPDX-License-Identifier: Apache-2.0
"""TCP ports of the loopback address for test stacks, which no other stack of this machine gets meanwhile.

A port that was only free a moment ago may be another's by the time nginx binds it: another test process asks as well, and
the kernel gives such ports to outgoing connections. So these lie below what the kernel gives out by itself
(net.ipv4.ip_local_port_range, 32768 and up), and each is claimed by an abstract unix socket of its number (unix(7)),
which ends with the process that holds it."""
import random
import socket

LOWEST, HIGHEST = 12000, 31999
TRIES = 1000
DICE = random.SystemRandom()  # each process begins elsewhere


def claim(port):
    """A socket that claims the port until it is closed; None if it is claimed or in use."""
    mine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mine.bind(f"\0onepool-test-port-{port}")
        with socket.socket() as probe:
            # As nginx does: what is left of closed connections is no hindrance, a listener is.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        return mine
    except OSError:
        mine.close()
        return None


class Ports:
    """A number of ports, ours until release()."""

    def __init__(self, count):
        self.numbers, self.claims = [], []
        for _ in range(TRIES):
            if len(self.numbers) == count:
                return
            port = DICE.randint(LOWEST, HIGHEST)
            mine = claim(port)
            if mine is not None:
                self.numbers.append(port)
                self.claims.append(mine)
        self.release()
        raise OSError(f"no {count} free ports found between {LOWEST} and {HIGHEST}")

    def release(self):
        for mine in self.claims:
            mine.close()
        self.claims = []
