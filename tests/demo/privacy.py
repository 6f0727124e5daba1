# SPDX-License-Identifier: Apache-2.0
"""Looks for personal data in everything that onepool keeps: Redis's contents, its files, and the logs."""
import subprocess


class Found:
    """places: where the mark of the simulated personal data stands; keys, files: how many were searched; searched: the
    same search finds what is known to be there, a number of a web order."""

    def __init__(self):
        self.places, self.keys, self.files, self.searched = [], 0, 0, False


READ = {"string": ("GET",), "hash": ("HGETALL",), "list": ("LRANGE", "0", "-1"), "set": ("SMEMBERS",),
        "zset": ("ZRANGE", "0", "-1"), "stream": ("XRANGE", "-", "+")}


def _redis(url, commands):
    """What redis-cli answers to a list of commands, as one text. commands: lists of words without quotes in them."""
    text = "".join(" ".join(f'"{word}"' for word in words) + "\n" for words in commands)
    where = ["-s", url.removeprefix("unix://")] if url.startswith("unix://") else ["-u", url]
    return subprocess.run(["redis-cli", *where, "--raw"], input=text.encode(), capture_output=True, check=True).stdout


def _in_redis(url, needles, found):
    names = [line for line in _redis(url, [["KEYS", "*"]]).decode().splitlines() if line]
    found.keys = len(names)
    usable = [name for name in names if '"' not in name and "\\" not in name]
    if len(usable) != len(names):
        raise ValueError("a key holds a quote")
    kinds = _redis(url, [["TYPE", name] for name in usable]).decode().split()
    for name, kind in zip(usable, kinds):
        if kind == "none":
            continue  # a lease that has ended since
        words = READ[kind]
        text = name.encode() + _redis(url, [[words[0], name, *words[1:]]])
        _compare(f"Redis key {name}", text, needles, found)


def _compare(place, text, needles, found):
    mark, known = needles
    found.searched = found.searched or known in text
    if mark in text:
        found.places.append(place)


def kept_personal_data(stack, folder):
    """Searches the stack's Redis and the files below folder (logs, Redis's own). The simulators' own files are left out:
    they play the platforms, which do hold customers' data."""
    found = Found()
    mark = stack.control("/personal-data")["mark"].encode()
    known = str(stack.web_orders()["orders"][-1]["web_order"]).encode()
    _in_redis(stack.env["REDIS_URL"], (mark, known), found)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("simulators"):
            found.files += 1
            _compare(str(path.relative_to(folder.parent)), path.read_bytes(), (mark, known), found)
    return found
