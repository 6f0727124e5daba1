# SPDX-License-Identifier: Apache-2.0
"""The ledger's chain: whatever is changed in Redis or in an exported file is found and named, and what may go does no harm.

A stream's entry cannot be changed by a command, so these tests change Redis' file on the disk while Redis is stopped, as somebody
with access to the machine would.
"""
import gzip
import json
import re
import time

import pytest

from ledger_fill import Day, fill
from stack import shop_mapping

DAY_MS = 86400 * 1000
ROWS = 40


@pytest.fixture
def one(stack):
    """Redis with a small ledger, whose entries are some ms apart, and nothing else."""
    one = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    assert one.command("ledger", "keep", "90")[0] == 0  # loads the Redis functions
    for row in Day(skus=3, batch=5).rows(ROWS // 2):
        one.fcall("apply", "log", "", row)
        time.sleep(0.003)
    return one


def entries(one):
    return one.redis().xrange(one.key("ledger"))


def verify(one, *more):
    """Exit status and report."""
    status, out, err = one.command("ledger", "verify", "--json", *more)
    assert out, err
    return status, json.loads(out)


def faults(one, *more):
    status, report = verify(one, *more)
    assert status == 1 and not report["ok"] and not report["chain"]["whole"], report
    return report["chain"]["list"]


def change(one, old, new):
    """Changes the one place in Redis' file that holds these bytes."""
    one.stop_redis()
    (file,) = (one.folder / "redis" / "appendonlydir").glob("*.incr.aof")
    data = file.read_bytes()
    assert data.count(old) == 1 and len(old) == len(new) and old != new, (old, data.count(old))
    file.write_bytes(data.replace(old, new))
    one.start_redis()


def link(fields):
    n, gap, prev = fields["c"].split(" ")
    return int(n), int(gap), prev


def test_a_ledger_that_nobody_touched_is_whole(one):
    status, report = verify(one)
    assert status == 0 and report["ok"], report
    assert report["chain"] == {"whole": True, "linked": len(entries(one)), "before_the_chain": 0, "first_entry": 1,
                               "last_entry": len(entries(one)), "begins_anew": 0, "faults": 0, "list": []}
    assert report["movements"] == ROWS // 2 and report["gaps"]["all"] == 0
    assert report["ties"]["untied"] == 0 and report["ties"]["confirmed"] > 0 and report["rows"]["movement"] == ROWS // 2
    status, out, _ = one.command("ledger", "verify")
    assert status == 0 and "chain      whole, entries 1 to" in out and out.endswith("The ledger is whole.\n")
    one.restart_redis()  # the file holds what the memory held
    assert verify(one)[1] == report


def test_the_links_are_as_documented(one):
    """What docs/adr/0018 says, calculated here: anybody can check it without onepool."""
    import hashlib
    before, at = "0" * 40, None
    for i, (name, fields) in enumerate(entries(one)):
        ms = int(name.split("-")[0])
        assert link(fields) == (i + 1, ms - (ms if at is None else at), before)
        before, at = hashlib.sha1(f"{name} {fields['c']} {fields['row']}".encode()).hexdigest(), ms
    assert one.redis().hgetall(one.key("ledger:chain"))["head"] == before


@pytest.mark.parametrize("where", [0, 1, ROWS // 2, -1])
@pytest.mark.parametrize("what", ["row", "number", "gap", "previous", "time"])
def test_one_changed_byte_is_found_and_named(one, what, where):
    everything = entries(one)
    name, fields = everything[where]
    ms, seq = name.split("-")
    n, gap, prev = link(fields)
    c = fields["c"].encode()
    digit = str((int(c[0:1]) + 1) % 9 + 1).encode()
    first_digit = c.index(b" ") + 1
    old, new = {
        "row": (fields["row"].encode(), fields["row"].replace("SKU-", "SKU_", 1).encode()),
        "number": (b"\r\n" + c, b"\r\n" + digit + c[1:]),
        "gap": (b"\r\n" + c, b"\r\n" + c[:first_digit] + str((gap // 10 ** (len(str(gap)) - 1)) % 9 + 1).encode()
                + c[first_digit + 1:]),
        "previous": (b"\r\n" + c, b"\r\n" + c[:-1] + (b"0" if c[-1:] != b"0" else b"1")),
        "time": (f"\r\n{name}\r\n$3\r\nrow".encode(), f"\r\n{int(ms) + 1}-{seq}\r\n$3\r\nrow".encode()),
    }[what]
    change(one, old, new)
    if what == "row":  # the same text stands nowhere else
        assert fields["row"] not in [f["row"] for _, f in entries(one)]
    assert len(entries(one)) == len(everything)
    found = faults(one)
    (fault,) = found
    assert re.sub(r"^\d+", "", fault["id"]) == re.sub(r"^\d+", "", name) and abs(int(fault["id"].split("-")[0]) - int(ms)) <= 1
    if what != "number":
        assert fault["entry"] == n
    row = json.loads(fields["row"])
    assert fault["type"] == row["type"] and (fault["sku"] or "").replace("_", "-") == row.get("sku", "")
    assert "chang" in fault["text"]
    status, out, _ = one.command("ledger", "verify")
    assert status == 1 and "chain      BROKEN in 1 places" in out and fault["id"] in out and "NOT in order" in out


@pytest.mark.parametrize("where, text", [(ROWS // 2, "are missing"), (0, "the oldest entries, up to 1, are missing"),
                                         (-1, "the newest entries")])
def test_a_removed_entry_is_found(one, where, text):
    everything = entries(one)
    one.redis().xdel(one.key("ledger"), everything[where][0])
    (fault,) = faults(one)
    assert text in fault["text"]
    if where == ROWS // 2:
        n = link(everything[where][1])[0]
        assert f"entries {n} to {n}, before this one, are missing" in fault["text"] and fault["entry"] == n + 1


def test_everything_cut_off_behind_an_entry_is_found(one):
    everything = entries(one)
    one.redis().xdel(one.key("ledger"), *[name for name, _ in everything[-7:]])
    (fault,) = faults(one)
    last = len(everything)
    assert f"the newest entries, {last - 6} to {last}, are missing" in fault["text"]
    one.redis().delete(one.key("ledger:chain"))
    (fault,) = faults(one)
    assert "is gone" in fault["text"]


def test_an_entry_that_somebody_added_is_found(one):
    one.redis().xadd(one.key("ledger"), {"row": '{"type":"sale","sku":"SKU-00001"}'})
    (fault,) = faults(one)
    assert "it was not written by onepool" in fault["text"] and fault["sku"] == "SKU-00001"
    one.fcall("apply", "log", "", '{"type":"x"}')  # life goes on behind it
    assert len(faults(one)) == 1


def test_entries_from_before_the_chain_are_told_and_are_no_fault(stack):
    one = stack(functions=(), simulators=False, nginx=False, mapping=shop_mapping())
    one.command("ledger", "keep", "90")
    for row in Day(skus=3).rows(3):
        one.redis().xadd(one.key("ledger"), {"row": row})
    for row in Day(skus=3, first_row=4).rows(3):
        one.fcall("apply", "log", "", row)
    status, report = verify(one)
    chain = report["chain"]
    assert chain["before_the_chain"] > 0 and chain["first_entry"] == 1 and chain["whole"], report
    assert report["ties"]["before_the_chain"] == 3 and report["ties"]["untied"] == 0
    assert "older ones are not chained" in one.command("ledger", "verify")[1]
    assert status == (0 if report["gaps"]["open"] == 0 else 1)


def test_what_retention_cut_off_is_no_fault_and_what_somebody_cut_off_is(stack, timed):
    """Entries of 100 days ago go when a new one comes, in whole nodes of the stream."""
    one = stack(functions=(), simulators=False, nginx=False, redis=False, mapping=shop_mapping(),
                env={"REDIS_URL": f"unix://{timed.redis.connection_pool.connection_kwargs['path']}", "ONEPOOL_TENANT": "t"})
    now = int(time.time()) * 1000
    timed.set_time(now - 100 * DAY_MS)
    fill(timed, Day(skus=10).rows(300))
    timed.set_time(now)
    fill(timed, Day(skus=10, first_row=301).rows(10))
    ledger = timed.key("ledger")
    first = timed.redis.xrange(ledger, count=1)[0]
    assert int(first[1]["c"].split(" ")[0]) > 1  # something was cut off
    report = json.loads(one.command("ledger", "verify", "--json")[1])
    assert report["chain"]["whole"] and report["chain"]["first_entry"] == int(first[1]["c"].split(" ")[0]), report["chain"]
    young = next(name for name, fields in timed.redis.xrange(ledger, min=now) if fields)
    timed.redis.xtrim(ledger, minid=f"{int(young.split('-')[0])}-3", approximate=False)
    report = json.loads(one.command("ledger", "verify", "--json")[1])
    assert "younger than entries are kept" in report["chain"]["list"][0]["text"], report["chain"]


def test_entries_are_kept_as_long_as_somebody_says(stack, timed):
    one = stack(functions=(), simulators=False, nginx=False, redis=False, mapping=shop_mapping(),
                env={"REDIS_URL": f"unix://{timed.redis.connection_pool.connection_kwargs['path']}", "ONEPOOL_TENANT": "t"})
    now = int(time.time()) * 1000
    ledger = timed.key("ledger")
    timed("ledger_keep", 10)
    assert json.loads(one.command("ledger", "keep", "--json")[1])["days"] == 10
    timed.set_time(now - 20 * DAY_MS)
    fill(timed, ['{"type":"x"}'] * 250)
    timed.set_time(now)
    fill(timed, ['{"type":"y"}'])
    assert timed.redis.xlen(ledger) < 200
    timed("ledger_keep", 90)  # what went before was younger than 90 days, and that was right then
    assert json.loads(one.command("ledger", "verify", "--json")[1])["chain"]["whole"]
    for wrong in ("0", "3651", "x", "1.5"):
        with pytest.raises(Exception, match="1 to 3650 days"):
            timed("ledger_keep", wrong)
    assert one.command("ledger", "keep", "0")[0] == 2 and one.command("ledger", "keep", "x")[0] == 2


# ---------------------------------------------------------------- files

def export(one, folder, *more):
    folder.mkdir(exist_ok=True)
    status, out, err = one.command("ledger", "export", "--json", "--to", str(folder), *more)
    assert status == 0, (out, err)
    return json.loads(out)


def rewrite(file, old, new):
    data = gzip.decompress(file.read_bytes())
    assert data.count(old) == 1, (old, data.count(old))
    file.write_bytes(gzip.compress(data.replace(old, new)))


def test_two_exports_join_and_are_whole(one, tmp_path):
    folder = tmp_path / "ledger"
    first = export(one, folder)
    assert first["entries"] == len(entries(one)) and first["files"] == 1
    assert export(one, folder)["entries"] == 0 and len(list(folder.iterdir())) == 1
    for row in Day(skus=3, first_row=ROWS // 2 + 1).rows(5):
        one.fcall("apply", "log", "", row)
    second = export(one, folder)
    assert second["newest_file"] != first["newest_file"] and second["entries"] > 0
    files = sorted(folder.iterdir())
    assert [f.name for f in files] == [first["newest_file"], second["newest_file"]]
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in files)
    head = json.loads(gzip.decompress(files[1].read_bytes()).splitlines()[0])
    assert head["previous"] == {"file": first["newest_file"], "sha256": first["newest_sha256"]}
    status, report = verify(one, "--from", str(folder))
    assert report["chain"]["whole"] and report["files"] == 2 and report["entries"] == len(entries(one))
    assert report["newest_sha256"] == second["newest_sha256"]
    assert verify(one, "--from", str(files[1]), str(files[0]))[1] == report  # in any order
    lines = [json.loads(line) for f in files for line in gzip.decompress(f.read_bytes()).splitlines() if b'"id"' in line[:6]]
    assert [(line["id"], line["c"], line["row"]) for line in lines] == \
        [(name, fields["c"], json.loads(fields["row"])) for name, fields in entries(one)]


def test_an_export_ends_at_a_time_and_goes_on_from_there(one, tmp_path):
    everything = entries(one)
    middle = int(everything[10][0].split("-")[0])
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle // 1000)) + "Z"
    done = export(one, tmp_path, "--until", stamp)
    n = sum(1 for name, _ in everything if int(name.split("-")[0]) < middle // 1000 * 1000)
    assert done["entries"] == n
    assert n + export(one, tmp_path)["entries"] == len(everything)
    if n:
        assert verify(one, "--from", str(tmp_path))[1]["chain"]["whole"]


@pytest.mark.parametrize("entry", [0, 12, -1])
def test_a_byte_changed_in_an_exported_file_is_found(one, tmp_path, entry):
    done = export(one, tmp_path)
    name, fields = entries(one)[entry]
    file = tmp_path / done["newest_file"]
    rewrite(file, fields["row"].encode() + b"}\n", fields["row"].replace("SKU-", "SKU_", 1).encode() + b"}\n")
    (fault,) = faults(one, "--from", str(tmp_path))
    assert fault["id"] == name and fault["entry"] == link(fields)[0]


def test_whoever_rewrites_a_file_and_its_whole_chain_is_found_by_the_next_file(one, tmp_path):
    """SHA-1 is no seal against somebody who calculates all hashes anew; the digest in the next file is."""
    first = export(one, tmp_path)
    one.fcall("apply", "log", "", '{"type":"x"}')
    export(one, tmp_path)
    file = tmp_path / first["newest_file"]
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), mtime=1))  # the same entries, other bytes
    (fault,) = faults(one, "--from", str(tmp_path))
    assert "was changed after it was sealed" in fault["text"] and first["newest_file"] in fault["text"]


def test_a_lost_file_is_found(one, tmp_path):
    names = []
    for i in range(3):
        names.append(export(one, tmp_path)["newest_file"])
        one.fcall("apply", "log", "", '{"type":"x%d"}' % i)
    (tmp_path / names[1]).unlink()
    found = " ".join(fault["text"] for fault in faults(one, "--from", str(tmp_path)))
    assert "are missing" in found and f"follows {names[1]}, which is not among these files" in found


@pytest.mark.parametrize("harm", ["cut", "flipped", "no end"])
def test_a_damaged_file_is_named(one, tmp_path, harm):
    file = tmp_path / export(one, tmp_path)["newest_file"]
    data = file.read_bytes()
    if harm == "cut":
        file.write_bytes(data[:len(data) // 2])
    elif harm == "flipped":
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:])
    else:
        file.write_bytes(gzip.compress(b"".join(gzip.decompress(data).splitlines(keepends=True)[:-1])))
    status, report = verify(one, "--from", str(tmp_path))  # one that cannot even be opened is an error
    found = report["chain"]["list"] if "chain" in report else [report["error"]]
    assert status == 1 and any(file.name in fault["text"] for fault in found), found


def test_an_export_that_was_killed_after_its_file_is_taken_over(one, tmp_path):
    done = export(one, tmp_path)
    one.redis().delete(one.key("ledger:export"))  # as after a crash before Redis knew of the file
    one.fcall("apply", "log", "", '{"type":"later"}')
    again = export(one, tmp_path)
    assert again["files"] == 2 and again["newest_file"] != done["newest_file"]
    assert verify(one, "--from", str(tmp_path))[1]["chain"]["whole"]
    assert not list(tmp_path.glob(".*"))


def test_a_file_of_another_time_is_never_overwritten(one, tmp_path):
    done = export(one, tmp_path)
    file = tmp_path / done["newest_file"]
    name, fields = entries(one)[-1]
    rewrite(file, fields["row"].encode() + b"}\n", fields["row"].replace("SKU-", "SKU_", 1).encode() + b"}\n")
    kept = file.read_bytes()
    one.redis().delete(one.key("ledger:export"))
    # The file's own last line still names the hash that Redis has, so its entries are compared too.
    status, out, err = one.command("ledger", "export", "--to", str(tmp_path))
    assert file.read_bytes() == kept
    assert status == 1 and "is there already" in err, (status, out, err)


def test_bad_words_are_refused_with_a_word_about_them(one, tmp_path):
    assert one.command("ledger")[0] == 2 and one.command("ledger", "sku")[0] == 2 and one.command("ledger", "export")[0] == 2
    status, _, err = one.command("ledger", "export", "--to", str(tmp_path), "--until", "yesterday")
    assert status == 1 and '"yesterday" is no time' in err
    status, _, err = one.command("ledger", "export", "--to", str(tmp_path / "nothing"))
    assert status == 1 and "No such file or directory" in err
    status, _, err = one.command("ledger", "verify", "--from", str(tmp_path))
    assert status == 1 and "there are no files ledger-*.jsonl.gz" in err
    other = tmp_path / "other.gz"
    other.write_bytes(gzip.compress(b"hello\n"))
    status, _, err = one.command("ledger", "verify", "--from", str(other))
    assert status == 1 and "is no export of onepool's ledger" in err
    status, out, _ = one.command("ledger", "sku", "NO-SUCH-SKU", "--json")
    assert status == 1 and "says nothing of SKU NO-SUCH-SKU" in json.loads(out)["error"]["text"]
    assert one.command("ledger", "sku", "x" * 300)[0] == 1
