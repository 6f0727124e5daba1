# SPDX-License-Identifier: Apache-2.0
"""A request as the simulators recorded it (tests/sim/exchanges.py), split and typed for validation."""
import base64
import json
import re
from urllib.parse import unquote

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def read_file(path):
    """(requests, answers) of a file of exchanges; both are lists of the recorded objects. A last line without its end,
    left by simulators that were killed, is left out."""
    requests, answers = [], []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                one = json.loads(line)
                (answers if "status" in one else requests).append(one)
    return requests, answers


def describe(one):
    return f"{one['platform']}: {one['method']} {one['path']}" + (f"?{one['query'][:300]}" if one["query"] else "")


def split_query(query):
    """({name: raw value}, mistakes). Names are decoded, values are not yet: a list is split before it is decoded."""
    values, mistakes = {}, []
    for pair in query.split("&") if query else []:
        name, equals, value = pair.partition("=")
        name = unquote(name)
        if not equals or not name:
            mistakes.append(f"query: {pair!r} is not name=value")
        elif "+" in value:
            mistakes.append(f"query: {name}: a bare + is a space to the receiver; it must be %2B or %20")
        elif name in values:
            mistakes.append(f"query: {name} stands there twice; the receiver takes the last one only")
        else:
            values[name] = value
    return values, mistakes


def typed(raw, schema):
    """A raw query or path value as the schema's type wants it; left as text if it cannot be that."""
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "array" in kinds:
        return [typed(part, schema.get("items", {})) for part in raw.split(",")]
    text = unquote(raw)
    if "integer" in kinds and INTEGER.fullmatch(text):
        return int(text)
    if "number" in kinds and NUMBER.fullmatch(text):
        return float(text)
    if ("boolean" in kinds or isinstance(schema.get("const"), bool)) and text in ("true", "false"):
        return text == "true"
    return text


def path_pattern(template):
    """A template such as /sites/{siteid}/orders/{orderid}.json as a pattern over a raw path; a parameter is one group."""
    parts = re.split(r"\{([^}]+)\}", template)
    text = "".join(re.escape(part) if i % 2 == 0 else "(?P<p%d>[^/]+?)" % (i // 2) for i, part in enumerate(parts))
    return re.compile(text), parts[1::2]


def match_path(pattern, names, path):
    """{parameter: raw value}, or None if the path is another."""
    found = pattern.fullmatch(path)
    return None if found is None else {name: found.group(f"p{i}") for i, name in enumerate(names)}


def basic_user(header):
    """The user of an HTTP Basic header; None if it is none."""
    scheme, _, rest = header.partition(" ")
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[0] if scheme == "Basic" else None
    except ValueError:
        return None


def read_json(text):
    """(value, mistake). Strict: no NaN, no key twice."""
    def unique(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a key stands there twice")
        return dict(pairs)

    def refuse(word):
        raise ValueError(f"{word} is no JSON")
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse), None
    except ValueError as problem:
        return None, f"not JSON: {problem}"
