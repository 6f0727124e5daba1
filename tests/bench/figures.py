# SPDX-License-Identifier: Apache-2.0
"""What was measured: collected while the bench runs, shown as a table for people and kept as JSON for programs."""
import json
import os
import sys
import time


class Figures:
    """Figures in the order in which they were measured. Written to path after each part, so that a part that fails
    leaves the others' figures."""

    def __init__(self, path, facts):
        self.path = path
        self.data = {"schema": 1, **facts, "figures": [], "details": {}, "problems": []}
        self.begun = time.monotonic()

    def add(self, part, name, text, value, unit="", aim=None, at_least=False):
        """One figure; value None: not measured. aim: at most that much, or at least, and so it is met or missed."""
        figure = {"part": part, "name": name, "text": text, "value": tidy(value), "unit": unit}
        if aim is not None:
            met = value is not None and (value >= aim if at_least else value <= aim)
            figure.update(aim=aim, sense="at least" if at_least else "at most", met=met)
        self.data["figures"].append(figure)
        say(f"  {line_of(figure)}")

    def detail(self, part, value):
        """Everything that is no figure but explains one."""
        self.data["details"].setdefault(part, {}).update(value)

    def problem(self, part, text):
        """A result that must not be: the bench then ends with status 1. A missed aim is no problem in this sense."""
        self.data["problems"].append({"part": part, "text": text})
        say(f"  PROBLEM: {text}")

    def write(self):
        self.data["took_s"] = round(time.monotonic() - self.begun, 1)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        os.replace(part, self.path)

    def table(self):
        """All figures, those with an aim marked."""
        lines, part = [], None
        for figure in self.data["figures"]:
            if figure["part"] != part:
                part = figure["part"]
                lines.append(part)
            lines.append("  " + line_of(figure))
        met = [f["met"] for f in self.data["figures"] if "met" in f]
        lines.append(f"{sum(met)} of {len(met)} aims met")
        lines += [f"PROBLEM in {p['part']}: {p['text']}" for p in self.data["problems"]]
        return "\n".join(lines)


def tidy(value):
    """Numbers as short as they mean something: three decimals, or four digits of a small one."""
    if not isinstance(value, float):
        return value
    return round(value, 3) if abs(value) >= 1 else float(f"{value:.4g}")


def shown(value):
    if value is None:
        return "not measured"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def line_of(figure):
    value = f"{shown(figure['value'])} {figure['unit']}".rstrip()
    verdict = ""
    if "aim" in figure:
        verdict = f"aim {figure['sense']} {shown(figure['aim'])}: {'met' if figure['met'] else 'MISSED'}"
    return f"{figure['text']:<66} {value:>18}   {verdict}".rstrip()


def say(text):
    """Progress, at once."""
    print(text, flush=True)


class Progress:
    """One line that is rewritten on a terminal, or a new line every ten seconds elsewhere."""

    def __init__(self, every_s=None):
        self.terminal = sys.stdout.isatty()
        self.every_s = every_s or (0.5 if self.terminal else 10)
        self.last = 0.0

    def show(self, make):
        """make() gives the text; it is called only when something is shown."""
        if time.monotonic() - self.last < self.every_s:
            return
        self.last = time.monotonic()
        if self.terminal:
            print(f"\r\033[K  {make()}", end="", flush=True)
        else:
            say(f"  {make()}")

    def end(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)
