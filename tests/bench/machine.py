# SPDX-License-Identifier: Apache-2.0
"""On what the figures were measured, and what a process takes of it."""
import os
import pathlib
import platform
import re
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


def said(*argv):
    """What a program says, on either output; "" if it is not there."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False, cwd=ROOT)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()


def first(pattern, text):
    found = re.search(pattern, text)
    return found.group(1) if found else None


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return first(r"model name\s*:\s*(.+)", text) or platform.machine()


def file_system(path):
    """Type of the file system that holds path: syncing to tmpfs costs nothing, so it matters."""
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        _, where, kind, *_ = line.split()
        if (str(path) + "/").startswith(where.rstrip("/") + "/") and len(where) >= len(best[0]):
            best = (where, kind)
    return best[1]


def sync_ms(folder, times=200):
    """Median milliseconds of appending 4 KiB and fdatasync, as Redis does for each group of answers."""
    took = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(times):
            begin = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begin)
    return round(sorted(took)[times // 2] * 1000, 3)


def commit():
    """The commit, with a mark if files differ from it; None outside of a checkout."""
    name = said("git", "rev-parse", "HEAD")
    if not re.fullmatch(r"[0-9a-f]{40}", name):
        return None
    return name + ("+changes" if said("git", "status", "--porcelain") else "")


def facts(folder):
    """The head of the result. folder: where Redis keeps its file."""
    memory = pathlib.Path("/proc/meminfo").read_text(encoding="utf-8")
    cores = len(os.sched_getaffinity(0))
    return {
        "commit": commit(), "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "usable_cores": cores,
                    "memory_mib": int(first(r"MemTotal:\s+(\d+)", memory)) // 1024, "kernel": platform.release(),
                    "redis_file_system": file_system(folder),
                    "sync_ms": sync_ms(folder), "load_before": os.getloadavg()[0]},
        "versions": {"nginx": first(r"nginx/(\S+)", said("/usr/sbin/nginx", "-v")),
                     "redis": first(r"v=(\S+)", said("redis-server", "--version")),
                     "gcc": first(r"(\d+\.\d+\.\d+)", said("gcc", "-dumpfullversion")),
                     "python": platform.python_version(), "node": said("node", "--version").lstrip("v") or None,
                     "wrk": first(r"wrk (?:debian/)?(\S+)", said("wrk", "-v"))},
    }


def private_bytes(pid):
    """Memory that is this process's alone: Private_Clean + Private_Dirty."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", text, re.MULTILINE)) * 1024


def cpu_seconds(pids):
    """Processor time that these processes have used so far, with children that have ended; gone ones count 0."""
    total = 0
    for pid in pids:
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        total += sum(int(n) for n in stat.rpartition(")")[2].split()[11:15])
    return total / TICKS


def group_of(leader):
    """Pids of the process group that leader leads."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == leader:
                    found.append(int(entry))
            except OSError:
                continue
    return sorted(found)
