# SPDX-License-Identifier: Apache-2.0
"""Mistakes that are planted to prove that the harness finds them.

Those in C are compiled into builds with fault points only (shared/faultpoint.h) and chosen by ONEPOOL_PLANT. Those in Lua are
lines of shared/lua that are replaced here, and loaded into Redis under the name that the programs expect."""
import hashlib
import pathlib

LUA_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "shared" / "lua"

# name -> what it does; (text, what stands there instead), each of which has to be found once.
LUA = {
    "journal": ("one event in ten is answered 200 and not written to the journal", [(
        "redis.call('XADD', P .. 'journal', 'MINID'",
        "local planted = redis.call('INCR', P .. 'planted') % 10 == 0\n"
        "      redis.call('XADD', P .. (planted and 'nowhere' or 'journal'), 'MINID'")]),
    "fence": ("a late worker's token is not compared", [
        ("  return f[1] == token and f[2] == '1'\n", "  return f[1] ~= nil\n"),
        ("  if args[3] ~= '' and redis.call('HGET', P .. 'lease:' .. args[3], 'token') ~= args[4] then\n    return -1\n",
         "  if args[3] == '?' then\n    return -1\n")]),
}
C = {
    "refund": "a refund whose answer was lost is sent again without looking whether it was made",
    "pending": "after Redis lost its data, levels are written without what is pending, which is not read again",
}
NAMES = (*LUA, *C)


def source():
    """(version, library) as the Makefile embeds it."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(LUA_FOLDER.glob("*.lua")))
    return hashlib.sha256(text.encode()).hexdigest()[:8], text


def load(redis, name):
    """Puts the changed library where the programs find it."""
    version, text = source()
    for old, new in LUA[name][1]:
        assert text.count(old) == 1, f"plant {name}: {old!r} is in shared/lua {text.count(old)} times; bring plants.py up to date"
        text = text.replace(old, new)
    redis.execute_command("FUNCTION", "LOAD", "REPLACE", f"#!lua name=onepool_{version}\nlocal VERSION = '{version}'\n{text}")
