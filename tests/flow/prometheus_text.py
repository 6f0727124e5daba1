# SPDX-License-Identifier: Apache-2.0
"""A strict reader of Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): what a lenient parser
lets pass is a mistake here."""
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type, self.samples = name, help_text, None, []

    def value(self, **labels):
        """The one sample with exactly these labels."""
        found = [value for _, own, value in self.samples if own == labels]
        assert len(found) == 1, f"{self.name}{labels}: {len(found)} samples"
        return found[0]


def labels_of(text, line):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"labels cannot be read: {line}"
        assert match[1] not in labels, f"label twice: {line}"
        labels[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        at = match.end()
        if at < len(text):
            assert text[at] == "," and at + 1 < len(text), f"labels cannot be read: {line}"
            at += 1
    return labels


def sample(line):
    match = re.match(r"([^{ ]+)(?:\{(.*)\})? (\S+)\Z", line)
    assert match and NAME.match(match[1]), f"no sample: {line!r}"
    assert match[3] in ("+Inf", "-Inf", "NaN") or re.match(r"-?\d+(\.\d+)?(e[+-]?\d+)?\Z", match[3]), f"no number: {line!r}"
    return match[1], labels_of(match[2] or "", line), float(match[3])


def belongs(family, name):
    if family is None:
        return False
    return name in [family.name + suffix for suffix in SUFFIXES.get(family.type, ("",))]


def check_histogram(family):
    series = {}
    for name, labels, value in family.samples:
        rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        series.setdefault(rest, {"_bucket": [], "_sum": [], "_count": []})[name[len(family.name):]].append((labels.get("le"), value))
    for rest, parts in series.items():
        where = f"{family.name}{dict(rest)}"
        bounds = [float(le) for le, _ in parts["_bucket"]]
        counts = [value for _, value in parts["_bucket"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), f"{where}: bounds {bounds}"
        assert counts == sorted(counts), f"{where}: not cumulative {counts}"
        assert [value for _, value in parts["_count"]] == [counts[-1]], f"{where}: +Inf is not the count"
        assert len(parts["_sum"]) == 1, f"{where}: no sum"


def parse(text):
    """{name: Family}; asserts whatever the format demands, and that counters are named so."""
    assert text.endswith("\n"), "the last line has no end"
    families, family, seen = {}, None, set()
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, help_text = line[7:].partition(" ")
            assert NAME.match(name) and help_text, f"HELP: {line}"
            assert name not in families, f"{name}: a second HELP, or its family is interleaved"
            assert re.fullmatch(r"(?:[^\\]|\\[\\n])*", help_text), f"HELP is not escaped: {line}"
            family = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert family and family.name == name and family.type is None and not family.samples, f"TYPE not after its HELP: {line}"
            assert kind in TYPES, line
            family.type = kind
        else:
            assert line and not line.startswith("#"), f"what is this: {line!r}"
            name, labels, value = sample(line)
            assert belongs(family, name), f"{name} stands in the family of {family and family.name}"
            key = (name, tuple(sorted(labels.items())))
            assert key not in seen, f"sample twice: {line}"
            seen.add(key)
            assert family.type != "counter" or value >= 0, line
            family.samples.append((name, labels, value))
    for one in families.values():
        assert one.type, f"{one.name} has no TYPE"
        assert (one.type == "counter") == one.name.endswith("_total"), f"{one.name} is a {one.type}"
        if one.type == "histogram":
            check_histogram(one)
    return families
