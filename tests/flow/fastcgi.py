# SPDX-License-Identifier: Apache-2.0
"""A FastCGI client that may break off anywhere: what nginx never sends, a function must still survive.

Source: the FastCGI specification 1.0 (records, name-value pairs)."""
import fcntl
import socket
import struct
import termios

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def record(kind, content=b""):
    """A record of request 1."""
    return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name, value):
    """A name-value pair with four-byte lengths."""
    name, value = name.encode(), value.encode()
    return struct.pack("!II", len(name) | 0x80000000, len(value) | 0x80000000) + name + value


class Call:
    """One request to a function's socket. Close it, or use it in a with statement."""

    def __init__(self, path, timeout=10.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def begin(self, uri, length, headers=None):
        """Everything up to the body; length is what CONTENT_LENGTH says."""
        params = {"REQUEST_METHOD": "POST", "DOCUMENT_URI": uri, "SCRIPT_NAME": uri, "REQUEST_URI": uri,
                  "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(length), "REMOTE_ADDR": "127.0.0.1",
                  **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}}
        self.socket.sendall(record(BEGIN, struct.pack("!HB5x", 1, 0))
                            + record(PARAMS, b"".join(pair(*p) for p in params.items())) + record(PARAMS))

    def body(self, data):
        self.socket.sendall(record(STDIN, data))

    def end(self):
        self.socket.sendall(record(STDIN))

    def taken(self):
        """True if the function has read all that was sent."""
        return struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0" * 4))[0] == 0

    def status(self):
        """The Status header, or None if the function hung up without a word."""
        answer = b""
        try:
            while chunk := self.socket.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
        text, at = b"", 0
        while at + 8 <= len(answer):
            _, kind, _, length, padding, _ = struct.unpack_from("!BBHHBB", answer, at)
            text += answer[at + 8:at + 8 + length] if kind == STDOUT else b""
            at += 8 + length + padding
        return int(text.split(b"Status: ")[1][:3]) if b"Status: " in text else None
