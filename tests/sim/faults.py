# SPDX-License-Identifier: Apache-2.0
"""A plan of faults for one platform: which request goes wrong, and how. Seeded, so that a run can be repeated.

A plan is {"seed": 1, "rules": [rule, ...]}. Every rule has a "kind" and may have

    "method": "PUT"        only this method
    "path": "inventory"    only paths that hold this text
    "user": "1500-2"       only these Basic credentials (Sitoo: an API key)
    "count": 3             the next three that match, then never again
    "rate": 0.1            one in ten that match; neither count nor rate = all

The first rule that matches and hits decides, except that "latency" rules add up with the one that follows.

    latency              {"ms": 200, "jitter_ms": 100}
    status               {"status": 500|502|503}       an error in the platform's own shape, nothing done; "body": {...}: with
                                                       this body instead
    rate_limit           {"headers": true|false}       429 with or without the rate headers, nothing done
    html                 {"status": 502}               an HTML page instead of JSON, nothing done
    reset                {"after_apply": false}        the connection is closed without an answer
    timeout_after_apply  {"seconds": 60}               done, then silence until the caller leaves; then closed
    half_body            {}                            done; the answer ends in the middle
    drip                 {"seconds": 5}                done; the answer comes in small pieces
    answer               {"status": 200, "body": {...}, "headers": {...}}   done; the answer is changed: whatever of these
                                                       three is given replaces what it would have been (headers: added; null:
                                                       left out)
    silence              {"seconds": 60}               nothing done, no answer until the caller leaves; then closed
    short_page           {"missing": 1}                done; the list lacks its last rows, its total still counts them
    lands_late           {"seconds": 3, "answer": true}  a level write that lands so much later, whatever is written after
                                                       it; "answer": false: the connection is closed without an answer
    refuse_items         {"skus": ["A"]}               a level write with one of these is a 422 that names it (below)
    outage               {"seconds": 12, "mode": "status"|"reset", "status": 503}   everything refused, from now on

    tax_away             {}                            quote or refund: 503 "Tax service gone away", nothing done
    quote_refused        {"title": "..."}              a quote is 422, nothing done
    methods_change       {}                            a refund is 422, and its method is not offered for this order any more

rate_limit may have "headers": "epoch": Sitoo then sends X-Rate-Limit-Reset, a Unix time two seconds ahead (its name is
UNSURE, sitoo.md 2). refuse_items stands for a merchant who has changed how the stock of these products is tracked: the text
is the documented one (bigcommerce.md 6.1), and nothing of the batch is applied (6.2, assumed). It holds until the plan
changes and hides no other rule.
"""
import random
import time

KINDS = {"latency", "status", "rate_limit", "html", "reset", "timeout_after_apply", "half_body", "drip", "outage",
         "answer", "silence", "short_page", "lands_late", "refuse_items", "tax_away", "quote_refused", "methods_change"}

# Kinds that mean one call only; the rule may name another path or method.
PLACES = {"tax_away": ("POST", "payment_actions"), "quote_refused": ("POST", "payment_actions/refund_quotes"),
          "methods_change": ("POST", "payment_actions/refunds")}


class FaultPlan:
    """Chooses per request. calls counts what was hit, by kind."""

    def __init__(self, seed):
        self.seed = seed
        self.clear()

    def clear(self):
        self.rules = []
        self.hits = {}
        self.rng = random.Random(self.seed)

    def load(self, plan):
        """Replaces the plan; ValueError says what is wrong with it."""
        rules = plan.get("rules", [])
        for rule in rules:
            if rule.get("kind") not in KINDS:
                raise ValueError(f"kind must be one of {sorted(KINDS)}, not {rule.get('kind')!r}")
        self.seed = plan.get("seed", self.seed)
        self.clear()
        for rule in rules:
            rule = dict(rule)
            if rule["kind"] in PLACES:
                rule.setdefault("method", PLACES[rule["kind"]][0])
                rule.setdefault("path", PLACES[rule["kind"]][1])
            if rule["kind"] == "outage":
                rule["until"] = time.monotonic() + rule.get("seconds", 10)
            self.rules.append(rule)

    def outage_left(self):
        """Seconds until the longest outage ends, 0 if there is none."""
        return max([0.0] + [r["until"] - time.monotonic() for r in self.rules if r["kind"] == "outage"])

    def refused_skus(self):
        """SKUs of all refuse_items rules."""
        return {sku for rule in self.rules if rule["kind"] == "refuse_items" for sku in rule.get("skus", ())}

    def _hits(self, rule):
        if rule["kind"] == "outage":
            return time.monotonic() < rule["until"]
        if "count" in rule:
            if rule["count"] <= 0:
                return False
            rule["count"] -= 1
            return True
        return "rate" not in rule or self.rng.random() < rule["rate"]

    def pick(self, method, path, user=None):
        """(extra latency in seconds, rule or None) for this request."""
        extra = 0.0
        for rule in self.rules:
            if rule["kind"] == "refuse_items" or rule.get("method", method) != method or rule.get("path", "") not in path \
                    or rule.get("user", user) != user or not self._hits(rule):
                continue
            self.hits[rule["kind"]] = self.hits.get(rule["kind"], 0) + 1
            if rule["kind"] != "latency":
                return extra, rule
            extra += (rule.get("ms", 0) + self.rng.random() * rule.get("jitter_ms", 0)) / 1000
        return extra, None
