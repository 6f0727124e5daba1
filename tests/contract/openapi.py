# SPDX-License-Identifier: Apache-2.0
"""Validates recorded requests and answers against the platforms' OpenAPI files, which are no part of this project.

ONEPOOL_CONTRACTS_DIR names a folder with the subfolders bigcommerce and sitoo, each with OpenAPI 3 files in YAML. What
is let pass although the files say otherwise is in LENIENCIES and in README.md, with the reasons.
"""
import functools
import os
import pathlib
import re
import urllib.parse

import jsonschema

import exchange
from contracts import messages

METHODS = ("get", "put", "post", "delete", "patch")
HOW = ("set ONEPOOL_CONTRACTS_DIR to a folder that holds the platforms' OpenAPI files (bigcommerce/*.yml, "
       "sitoo/*.yaml) to check against them too")

# (platform, kind, pattern of the operation's path, pattern of the mistake): mistakes that are none. The reasons stand in README.md
# under the same number.
LENIENCIES = (
    (1, "bigcommerce", "request", "/orders", r"query\.sort: '(id|date_modified|date_created):(asc|desc)' is not one of .*"),
    (2, "sitoo", "request", "/sites.json", r"query: num is not listed"),
    (3, "bigcommerce", "answer", "/catalog/products(/.*)?", r"answer\.data(\[\d+\])?\.base_variant_id: None is not of type 'integer'"),
    (3, "bigcommerce", "answer", "/inventory/.*items", r"answer\.data\[\d+\]\.identity\.sku_id: None is not of type 'integer'"),
    (3, "bigcommerce", "answer", "/orders/.*payment_actions/refunds(/.*)?",
     r"answer\.data(\[\d+\])?\.items\[\d+\]\.requested_amount: None is not of type 'number'"),
    (4, "bigcommerce", "answer", "/orders/{order_id}/consignments",
     r"answer\.shipping\[\d+\]\.base_cost: '\d+\.\d{4}' is not of type 'number'"),
    (13, "bigcommerce", "answer", "/hooks", r"answer\.data: \[\] (is too short|should be non-empty)"),
)

# (platform, methods, pattern of the path as received): calls that the platform takes although no file has them; README.md, leniency 14.
UNLISTED = (
    ("sitoo", ("GET", "POST"), r"/v2/accounts/\d+/sites/\d+/products/\d+/images\.json"),
    ("sitoo", ("GET", "DELETE"), r"/v2/accounts/\d+/sites/\d+/products/\d+/images/\d+\.json"),
)


def folder():
    """The folder, or None. A name that is no folder is a mistake, not a reason to skip."""
    name = os.environ.get("ONEPOOL_CONTRACTS_DIR", "")
    if not name:
        return None
    path = pathlib.Path(name)
    if not path.is_dir():
        raise NotADirectoryError(f"ONEPOOL_CONTRACTS_DIR={name}: no such folder")
    return path


class Document:
    """One OpenAPI file; its schemas as JSON Schema 2020-12."""

    def __init__(self, content):
        self.content = content
        self.defs = {}

    def resolved(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.content
            for step in node["$ref"][2:].split("/"):
                target = target[urllib.parse.unquote(step).replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def schema(self, node):
        """A schema without OpenAPI's own words. Every $ref becomes a definition of this document."""
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            name = re.sub(r"[^A-Za-z0-9]", "_", node["$ref"])
            if name not in self.defs:
                self.defs[name] = {}
                self.defs[name] = self.schema(self.resolved(node))
            return {"$ref": f"#/$defs/{name}"}
        out = {name: node[name] for name in ("type", "enum", "const", "pattern", "minimum", "maximum", "minLength",
                                             "maxLength", "minItems", "maxItems", "uniqueItems") if name in node}
        if isinstance(node.get("required"), list):
            out["required"] = node["required"]
        for name in ("items", "additionalProperties", "not"):
            if name in node:
                out[name] = self.schema(node[name])
        if "properties" in node:
            out["properties"] = {name: self.schema(one) for name, one in node["properties"].items()}
        if "allOf" in node:
            out["allOf"] = [self.schema(one) for one in node["allOf"]]
        # README.md, leniency 5: alternatives overlap.
        either = [self.schema(one) for word in ("oneOf", "anyOf") for one in node.get(word, [])]
        if either:
            out["anyOf"] = either
        return self._nullable(node, out)

    @staticmethod
    def _nullable(node, out):
        if not (node.get("nullable") or node.get("x-nullable")):
            return out
        return {"anyOf": [out, {"type": "null"}]}

    def validator(self, node):
        schema = self.schema(node)
        return jsonschema.Draft202012Validator({**schema, "$defs": self.defs} if isinstance(schema, dict) else schema)


class Operation:
    """A method on a path."""

    def __init__(self, document, base, path, item, method):
        self.document, self.path, self.method = document, path, method.upper()
        self.operation = item[method]
        self.pattern, self.names = exchange.path_pattern(base + path)
        self.parameters = [document.resolved(p) for p in item.get("parameters", []) + self.operation.get("parameters", [])]

    def _place(self, place):
        """Header parameters are not looked at: README.md, leniency 7."""
        return {p["name"]: p for p in self.parameters if p["in"] == place}

    def _one(self, parameter, raw, where):
        schema = self.document.resolved(parameter.get("schema", {}))
        # README.md, leniency 6: "x:in" is a comma separated list whatever the type says.
        listed = parameter["name"].endswith(":in") and schema.get("type") != "array"
        validator = self.document.validator(schema)  # one for a list that may have thousands of elements
        values = raw.split(",") if listed else [raw]
        for value in values:
            typed = exchange.typed(value, schema)
            yield from messages(validator, typed, where)

    @functools.cached_property
    def body(self):
        body = self.document.resolved(self.operation.get("requestBody"))
        if body is None:
            return None
        return self.document.validator(body["content"]["application/json"]["schema"])

    def request(self, one, found):
        """Mistakes of a request to this operation. found: raw path parameters."""
        for name, raw in found.items():
            if name in self._place("path"):
                yield from self._one(self._place("path")[name], raw, f"path.{name}")
        values, mistakes = exchange.split_query(one["query"])
        yield from mistakes
        known = self._place("query")
        for name, raw in values.items():
            if name in known:
                yield from self._one(known[name], raw, f"query.{name}")
            else:
                yield f"query: {name} is not listed"
        for name, parameter in known.items():
            if parameter.get("required") and name not in values:
                yield f"query: {name} is required"
        if (self.body is None) != (not one["body"]):
            yield "body: missing" if self.body else "body: this operation has none"
        elif self.body is not None:
            value, mistake = exchange.read_json(one["body"])
            yield from [f"body: {mistake}"] if mistake else messages(self.body, value, "body")

    @functools.cache
    def _answer(self, status):
        """(validator or None, media types or None) of a status; None if the status is not listed."""
        responses = self.operation["responses"]
        response = self.document.resolved(responses.get(str(status), responses.get("default")))
        if response is None:
            return None
        content = response.get("content", {})
        schema = next((media["schema"] for media in content.values() if "schema" in media), None)
        return (self.document.validator(schema) if schema is not None else None), set(content)

    def answer(self, one):
        """Mistakes of an answer of this operation."""
        listed = self._answer(one["status"])
        if listed is None:
            # README.md, leniency 8: codes are incomplete everywhere; a success that is not listed is a mistake.
            if 200 <= one["status"] <= 299 and one["status"] != 204:
                yield f"status {one['status']} is not listed"
            return
        validator, media = listed
        if media and one["answer"] and one["type"].partition(";")[0] not in media:
            yield f"answer: media type {one['type']} is not listed"
        if validator is None or not one["answer"]:
            return
        value, mistake = exchange.read_json(one["answer"])
        if mistake:
            yield f"answer: {mistake}"
            return
        # README.md, leniency 9: with a choice of fields, what is required of the whole need not be there.
        chosen = re.search(r"(^|&)(fields|include_fields)=", one["query"])
        for text in messages(validator, value, "answer"):
            if not (chosen and text.endswith("is a required property")):
                yield text


def _load(path):
    import yaml
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_bytes(), loader)


@functools.cache
def operations(platform, root):
    """All operations of a platform, those with the fewest path parameters first (/orders/count before /orders/{id})."""
    found = []
    for path in sorted((root / platform).glob("*.y*ml")):
        content = _load(path)
        if not isinstance(content, dict) or "paths" not in content:
            continue
        document = Document(content)
        base = urllib.parse.unquote(urllib.parse.urlsplit(content["servers"][0]["url"]).path).rstrip("/")
        for name, item in content["paths"].items():
            found += [Operation(document, base, name, item, method) for method in METHODS if method in item]
    if not found:
        raise FileNotFoundError(f"{root / platform}: no OpenAPI file")
    return sorted(found, key=lambda operation: len(operation.names))


def _find(root, one):
    for operation in operations(one["platform"], root):
        if operation.method == one["method"]:
            found = exchange.match_path(operation.pattern, operation.names, one["path"])
            if found is not None:
                return operation, found
    return None, None


def _lenient(platform, kind, path, text):
    return any(platform == p and kind == k and re.fullmatch(where, path) and re.fullmatch(pattern, text)
               for _, p, k, where, pattern in LENIENCIES)


def _unlisted(one):
    return any(one["platform"] == platform and one["method"] in methods and re.fullmatch(pattern, one["path"])
               for platform, methods, pattern in UNLISTED)


def check_request(root, one):
    """What is wrong with a recorded request by the files in root: texts, none if nothing is."""
    operation, found = _find(root, one)
    if operation is None:
        return [] if _unlisted(one) else ["no operation has this method and path"]
    return [text for text in operation.request(one, found)
            if not _lenient(one["platform"], "request", operation.path, text)]


def check_answer(root, one):
    """The same of a recorded answer; one that a fault spoilt, or to a path that does not exist, is not looked at."""
    operation, _ = _find(root, one)
    if operation is None or one["fault"] not in (None, "latency", "drip", "half_body", "timeout_after_apply"):
        return []
    return [text for text in operation.answer(one) if not _lenient(one["platform"], "answer", operation.path, text)]


def check_all(root, requests, answers):
    """{description: mistakes} of those that are wrong."""
    wrong = {}
    for kind, check, ones in (("", check_request, requests), ("answer to ", check_answer, answers)):
        for one in ones:
            mistakes = check(root, one)
            if mistakes:
                wrong[f"OpenAPI: {kind}{exchange.describe(one)}"] = mistakes
    return wrong
