# SPDX-License-Identifier: Apache-2.0
"""Loads the products, tells the story of three of them and of four web orders, and plays a day in the shops, against the running stack, and shows, live and as a
summary, what a retailer wants to see.

Exit status 0 if every level and every web order is right at the end (the simulators' oracles say so), nothing was lost, no
unit was sold twice outside a measured window, and nothing of a customer was kept; 1 if not; 2 if the stack is not running.
"""
import json
import pathlib
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

from privacy import kept_personal_data
from products import ProductStory, show_products
from weborders import NEVER, Story, register_hooks

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENV = ROOT / "var" / "onepool.env"
DRAIN_LIMIT_S = 120
FAULTS = ("twice", "missing", "left_open", "wrong_warehouse", "wrong_rows", "address_on_pickup", "unknown_web_order")
JUST_BEFORE_MS = 2000


class Stack:
    """What `make up` started."""

    def __init__(self):
        self.env = {}
        for line in ENV.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key and not key.startswith("#"):
                self.env[key.removeprefix("export ")] = "".join(shlex.split(value))
        self.sim = self.env["ONEPOOL_SIM_CONTROL_URL"]
        self.public = f"http://127.0.0.1:{self.env.get('ONEPOOL_HTTP_PORT', '8080')}"
        self.internal = f"http://127.0.0.1:{self.env.get('ONEPOOL_INTERNAL_PORT', '8081')}"

    @staticmethod
    def call(url, method="GET", body=None):
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=20) as answer:
            return json.load(answer)

    def control(self, path, method="GET", body=None):
        return self.call(self.sim + path, method, body)

    def status(self):
        return self.call(self.internal + "/status")

    def returned(self, number):
        """What became of a return (onepool returns)."""
        out = subprocess.run([ROOT / "build" / "onepool", "returns", str(number), "--json"], env=self.env, cwd=ROOT,
                             capture_output=True, text=True, check=False)
        try:
            return json.loads(out.stdout)
        except ValueError:
            return {"error": out.stderr.strip()}

    def web_orders(self, number=None):
        """What is right about web orders in Sitoo (GET /web-orders-oracle)."""
        return self.control("/web-orders-oracle" + (f"?web_order={number}" if number else ""))

    def web_orders_right(self):
        """Every web order stands right in Sitoo, or waits for a person who was told so."""
        opinion = self.web_orders()
        told = {case["id"] for case in self.parked().get("cases", [])}
        opinion["waiting"] = [one for one in opinion["missing"] if f"needs_allocation:web order {one['web_order']}" in told]
        opinion["missing"] = [one for one in opinion["missing"] if one not in opinion["waiting"]]
        opinion["ok"] = not any(opinion[name] for name in FAULTS)
        return opinion

    def parked(self):
        """Parked cases, as the command for operators lists them."""
        out = subprocess.run([ROOT / "build" / "onepool", "parked", "--json"], env=self.env, cwd=ROOT, capture_output=True,
                             text=True, check=False)
        try:
            return json.loads(out.stdout)
        except ValueError:
            return {"cases": [], "error": out.stderr.strip()}


def waiting(status):
    """Entities that are not settled yet, over all functions. order-updated looks at refunds again after an hour,
    order-created at open orders after some, product-updated gathers webhooks for a while: that is put off on purpose."""
    return sum(f["due"] + f["claimed"] + (f["deferred"] if name not in ("order-updated", "order-created", "product-updated") else 0)
               for name, f in status["functions"].items())


def show_live(stack, day, stats):
    report = stack.control("/report")
    status = stack.status()
    accepted = report["till_to_accepted"]
    phase = (day["phase"] or "") + (" OUTAGE" if day["outage"] else "")
    print(f"  {day['seconds']:4.0f} s  {phase:<15} sales {day['counts']['sales']:4}  events {stats['events_delivered']:4}"
          f"  calls {sum(stats['calls'].values()):4}  lag median {seconds(accepted['median_ms'])}"
          f"  waiting {waiting(status):3}  unconfirmed {status['unconfirmed_levels']:3}"
          f"  parked {status['parked']['total']:2}", flush=True)


def seconds(ms):
    return "    -  " if ms is None else f"{ms / 1000:5.2f} s"


def play(stack):
    stack.control("/day", "POST", {"scale": 1.0, "returns": True})
    while True:
        day = stack.control("/day")
        show_live(stack, day, stack.control("/stats"))
        if day["finished"]:
            return day
        time.sleep(2)


def drain(stack):
    """Waits until everything is settled and confirmed, or the limit is over. Returns the oracle's opinion."""
    end = time.monotonic() + DRAIN_LIMIT_S
    while True:
        oracle, status = stack.control("/oracle?full=1"), stack.status()
        done = (oracle["ok"] and not oracle["feed_queue"] and not oracle["landing"] and not waiting(status)
                and not status["unconfirmed_levels"] and stack.web_orders_right()["ok"]
                and not stack.control("/stats")["hooks_waiting"])
        if done or time.monotonic() > end:
            return oracle, status, done
        time.sleep(0.3)


def lag_line(name, lag):
    return (f"    {name:<22} median {seconds(lag['median_ms'])}   95th {seconds(lag['p95_ms'])}   worst {seconds(lag['worst_ms'])}"
            f"   ({lag['count']} rows)")


def show_lags(stack, day, report):
    outage = day["outage_ms"]
    print("  From the till to the web shop")
    if outage:
        # What was sold just before was still on its way when BigCommerce went down.
        outage = (outage[0] - JUST_BEFORE_MS, outage[1])
        calm = stack.control(f"/report?from={outage[1]}&to={outage[0]}")["span"]
        hurt = stack.control(f"/report?from={outage[0]}&to={outage[1]}")["span"]
        print(lag_line("accepted", calm["till_to_accepted"]))
        print(lag_line("confirmed", calm["till_to_confirmed"]))
        print(f"  The same for what was sold while BigCommerce was down for {(outage[1] - outage[0] - JUST_BEFORE_MS) / 1000:.0f} s,"
              f" or in the {JUST_BEFORE_MS / 1000:.0f} s before")
        print(lag_line("accepted", hurt["till_to_accepted"]))
        print(lag_line("confirmed", hurt["till_to_confirmed"]))
    else:
        print(lag_line("accepted", report["till_to_accepted"]))
        print(lag_line("confirmed", report["till_to_confirmed"]))


def show_parked(stack):
    cases = stack.parked()
    print(f"  Parked for a person: {len(cases.get('cases', []))}" + (f"  ({cases['error']})" if cases.get("error") else ""))
    for case in cases.get("cases", [])[:12]:
        print(f"    {case['id']:<34} x{case['count']:<3} {case['owner']}: {case['text'][:110]}")


def show_returns(stack, day, opinion):
    """Each verdict: goods by row, money by return; and that the totals are the oracle's."""
    goods, money, causes = {}, {}, {}
    for number in opinion["returns"]:
        found = stack.returned(number)
        for row in found.get("rows", []):
            goods[row["stock"]] = goods.get(row["stock"], 0) + 1
        outcomes = [one["outcome"] for one in found.get("money", [])]
        for one in found.get("money", []):
            if one["outcome"] == "parked":
                causes[one["cause"]] = causes.get(one["cause"], 0) + 1
        for row in found.get("rows", []):
            if row["purchase"] == "till":
                outcomes.append("bought at a till: goods only")
            elif row["purchase"] != "web":
                outcomes.append("purchase not known: parked")
        for outcome in outcomes:
            money[outcome] = money.get(outcome, 0) + 1
    kinds = day["counts"].get("returns_of_every_kind", {})
    print(f"  Returns of {len(kinds)} kinds: {', '.join(sorted(kinds))}")
    print("    goods: " + ", ".join(f"{n} {word}" for word, n in sorted(goods.items())))
    print("    money: " + ", ".join(f"{n} {word}" for word, n in sorted(money.items())))
    print("    parked because: " + ", ".join(f"{n} {cause}" for cause, n in sorted(causes.items())))
    totals = ", ".join(f"{amount} {currency}" for currency, amount in sorted(opinion["refunded_total"].items()))
    wanted = ", ".join(f"{amount} {currency}" for currency, amount in sorted(opinion["expected_total"].items()))
    print(f"    refunded {totals or 'nothing'} (must be {wanted or 'nothing'});"
          f" twice {len(opinion['refunded_twice'])}, above what was paid {len(opinion['over_refunded'])}")
    for name in ("missing", "unexpected", "wrong_amount", "paid_online", "unexplained", "refunded_twice", "over_refunded"):
        for one in opinion[name][:5]:
            print(f"    {name}: {one}")


def show_web_orders(stack, stats):
    """Every web order of the day and of the story, as the oracle sees them. True if all is right."""
    opinion = stack.web_orders_right()
    orders = [one for web in opinion["orders"] for one in web["sitoo"]]
    states = {name: sum(o["state"] == name for o in orders) for name in ("open", "closed", "cancelled")}
    print(f"  Web orders handed to Sitoo: {sum(bool(web['sitoo']) for web in opinion['orders'])} of {len(opinion['orders'])};"
          f" their orders there: {', '.join(f'{n} {name}' for name, n in states.items())};"
          f" shipments {stats['shipments_made']}, pickup records {stats['pickup_records_made']} in BigCommerce")
    if opinion["waiting"]:
        print(f"    waiting for a person, since no warehouse that sends has the goods: {len(opinion['waiting'])} (see the cases)")
    print(f"    handed over twice {len(opinion['twice'])}, missing {len(opinion['missing'])}, still reserved after their end"
          f" {len(opinion['left_open'])}, other faults"
          f" {sum(len(opinion[n]) for n in ('wrong_warehouse', 'wrong_rows', 'address_on_pickup', 'unknown_web_order'))}"
          f" (all must be 0)")
    print("    " + ", ".join(f"{name.replace('_', ' ')} {stats[name]}" for name in NEVER) + " (all must be 0)")
    for name in FAULTS:
        for one in opinion[name][:5]:
            print(f"    {name}: {one}")
    return opinion["ok"] and not any(stats[name] for name in NEVER)


def show_privacy(stack):
    """Nothing of a customer is kept. True if that is so, and if the search finds what it should find."""
    try:
        found = kept_personal_data(stack, ROOT / "var")
    except (OSError, ValueError, subprocess.CalledProcessError) as problem:
        print(f"  Personal data: the search failed: {problem}")
        return False
    print(f"  Personal data (names, addresses, e-mail, telephone): {len(found.places)} places in {found.keys} Redis keys,"
          f" {found.files} files of Redis and logs (must be 0)")
    for place in found.places[:10]:
        print(f"    {place}")
    if not found.searched:
        print("    The search does not find the order's own number either: it proves nothing")
    return found.searched and not found.places


def summary(stack, day, oracle, done):
    stats, report = stack.control("/stats"), stack.control("/report")
    twice = report["units_sold_twice"]
    counts = day["counts"]
    print("\nSummary")
    print(f"  Sales {counts['sales']}, returns {counts['returns']}, web orders {counts['web_orders']}"
          f" (refused as sold out: {counts['web_orders_refused']}), bookings {counts['bookings']}")
    print(f"  Events {stats['events_made']} made, {stats['events_delivered']} delivered in {stats['batches']} calls,"
          f" {stats['duplicates_sent']} of them twice, {stats['events_lost']} lost")
    print(f"  Calls to Sitoo {stats['calls']['sitoo']}, to BigCommerce {stats['calls']['bigcommerce']}"
          f" ({stats['levels_written']} levels in {stats['writes']} writes);"
          f" over quota {stats['quota_violations']}, refused as too many at once {stats['caused_429']}")
    show_lags(stack, day, report)
    print(f"  Units sold twice: {twice['inside']} inside a measured window, {twice['inside_web']} by two web orders at once,"
          f" {twice['outside']} outside (must be 0)")
    opinion = stack.control("/refunds")
    show_returns(stack, day, opinion)
    web = show_web_orders(stack, stats)
    products = show_products(stack, stats)
    show_parked(stack)
    private = show_privacy(stack)
    print(f"  Levels right: {oracle['checked'] - oracle['wrong']} of {oracle['checked']}"
          + ("" if done else f"; NOT settled within {DRAIN_LIMIT_S} s"))
    for wrong in oracle["mismatches"][:10]:
        print(f"    SKU {wrong['sku']} at location {wrong['location']}: should be {wrong['expected']}, is {wrong['actual']} {wrong['parts']}")
    return (done and web and products and private and opinion["ok"] and twice["outside"] == 0 and stats["events_lost"] == 0 and stats["overlapping_writes"] == 0
            and stats["relative_writes"] == 0 and stats["unmapped_writes"] == 0 and stats["quota_violations"] == 0)


def main():
    try:
        stack = Stack()
        stack.status()
    except (OSError, KeyError, urllib.error.URLError) as problem:
        print(f"The stack does not answer ({problem}); start it with: make up", file=sys.stderr)
        return 2
    stack.control("/reset-stats", "POST")
    register_hooks(stack)
    products = ProductStory(stack).tell()
    story = Story(stack)
    told = story.tell() and products
    print("\nA day in three shops and a web shop, in about a minute (quiet, rush, evening; BigCommerce is down for a while)")
    day = play(stack)
    print("  The day is over; waiting until everything is settled and confirmed", flush=True)
    oracle, _, done = drain(stack)
    good = summary(stack, day, oracle, done) and told
    print("\nAll levels and all web orders are right, nothing was lost." if good else "\nSomething is wrong; see above.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
