# SPDX-License-Identifier: Apache-2.0
"""Validates recorded requests against the project's own schemas (tests/contract/schemas). README.md tells more."""
import functools
import json
import pathlib

import jsonschema

import exchange

SCHEMAS = pathlib.Path(__file__).resolve().parent / "schemas"
PLATFORMS = ("sitoo", "bigcommerce")
NOTHING = {"type": "object", "maxProperties": 0}


def shortened(text):
    """jsonschema begins with the value, however long, and ends with what is wrong."""
    return text if len(text) <= 300 else f"{text[:100]} ... {text[-180:]}"


def messages(validator, value, where):
    """All mistakes of a value, each with its place: 'body.items[3].quantity: 1.5 is not of type integer'."""
    for error in sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.absolute_path))):
        place = where + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
        yield f"{place}: {shortened(error.message)}"


class Endpoint:
    """One entry of "endpoints"."""

    def __init__(self, document, entry):
        self.name, self.method = entry["id"], entry["method"]
        self.pattern, self.parameters = exchange.path_pattern(document["base"] + entry["path"])
        self.path_schemas = {**document.get("base_path", {}), **entry.get("path_parameters", {})}
        self.resolver = jsonschema.RefResolver.from_schema(document)
        self.query_schema = self._resolved(entry.get("query", NOTHING))
        self.query = self._validator(self.query_schema)
        self.headers = self._validator(document["headers"])
        self.body = self._validator(entry["body"]) if "body" in entry else None

    def _resolved(self, schema):
        while "$ref" in schema:
            schema = self.resolver.resolve(schema["$ref"])[1]
        return schema

    def _validator(self, schema):
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver)

    def _typed(self, raw, schema):
        schema = self._resolved(schema)
        if "items" in schema:
            schema = {**schema, "items": self._resolved(schema["items"])}
        return exchange.typed(raw, schema)

    def _path(self, found):
        for name, raw in found.items():
            schema = self.path_schemas.get(name, {})
            yield from messages(self._validator(schema), self._typed(raw, schema), f"path.{name}")

    def _query(self, query):
        raw, mistakes = exchange.split_query(query)
        yield from mistakes
        known = self.query_schema.get("properties", {})
        yield from messages(self.query, {name: self._typed(value, known.get(name, {})) for name, value in raw.items()},
                            "query")

    def _headers(self, request):
        headers = dict(request["headers"])
        user = exchange.basic_user(headers.get("authorization", ""))
        if user is not None:
            headers["basic-user"] = user
        yield from messages(self.headers, headers, "headers")
        if ("content-type" in headers) != (self.body is not None):
            yield "headers: content-type goes with a body and with nothing else"

    def _body(self, text):
        if self.body is None:
            if text:
                yield "body: this request has none"
            return
        value, mistake = exchange.read_json(text)
        if mistake:
            yield f"body: {mistake}"
        else:
            yield from messages(self.body, value, "body")

    def check(self, request):
        """Mistakes; None if this is another endpoint."""
        found = exchange.match_path(self.pattern, self.parameters, request["path"])
        if found is None or request["method"] != self.method:
            return None
        return [*self._path(found), *self._query(request["query"]), *self._headers(request), *self._body(request["body"])]


@functools.cache
def endpoints(platform):
    document = json.loads((SCHEMAS / f"{platform}.json").read_text(encoding="utf-8"))
    return [Endpoint(document, entry) for entry in document["endpoints"]]


def check(request):
    """What is wrong with one recorded request: a list of texts, empty if nothing is."""
    for endpoint in endpoints(request["platform"]):
        mistakes = endpoint.check(request)
        if mistakes is not None:
            return mistakes
    return ["no endpoint of tests/contract/schemas has this method and path"]


def check_all(requests):
    """{description: mistakes} of those that are wrong."""
    wrong = {}
    for request in requests:
        mistakes = check(request)
        if mistakes:
            wrong[exchange.describe(request)] = mistakes
    return wrong


def endpoint_name(request):
    """The endpoint that a request belongs to, or None."""
    for endpoint in endpoints(request["platform"]):
        if endpoint.method == request["method"] and endpoint.pattern.fullmatch(request["path"]):
            return endpoint.name
    return None
