# SPDX-License-Identifier: Apache-2.0
"""Products, from the first load on: a price and a title edited in the web shop reach the till, a new product too, and what
somebody made in a till is reported. Nothing is ever written to BigCommerce's catalog."""
import json
import pathlib
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEVER = ("catalog_writes", "products_deleted", "family_rows_deleted", "created_twice")
LIMIT_S = 60


class ProductStory:
    """Each step is done by the simulated merchant or staff; what follows is onepool's doing and is waited for."""

    def __init__(self, stack):
        self.stack = stack

    def _command(self, *words):
        done = subprocess.run([ROOT / "build" / "onepool", *words, "--json"], env=self.stack.env, cwd=ROOT, capture_output=True,
                              text=True, check=False, timeout=300)
        return json.loads(done.stdout or '{"error":{"text":"no answer"}}')

    def _till(self, sku):
        found = self.stack.control("/till-products?sku=" + urllib.parse.quote(sku, safe=""))["products"]
        return found[0] if found else None

    def _wait(self, sku, **fields):
        """Seconds until the till shows it so, or None."""
        begin = time.monotonic()
        while time.monotonic() - begin < LIMIT_S:
            found = self._till(sku)
            if found and all(found[name] == value for name, value in fields.items()):
                return time.monotonic() - begin
            time.sleep(0.05)
        print(f"    NOT seen within {LIMIT_S} s: {sku} with {fields}; it is {self._till(sku)}")
        return None

    def _load(self):
        plan = self._command("load")
        if "error" in plan:
            print(f"    onepool load: {plan['error']['text']}")
            return False
        print(f"  First load: onepool load shows {plan['differences']} differences: {plan['make']} SKUs to make, {plan['change']} to change,"
              f" {plan['families']} families, and writes nothing")
        done = self._command("load", "--apply", plan["id"])
        if not done.get("loaded"):
            print(f"    onepool load --apply: {done}")
            return False
        print(f"  onepool load --apply {plan['id']}: {done['made']} made, {done['changed']} changed, {done['families']} families written")
        return True

    def tell(self):
        stack = self.stack
        print("Products: BigCommerce is the master, the tills follow")
        if not self._load():
            return False
        number = stack.control("/bc-product", "POST", {
            "name": "Rain jacket", "price": "899.00", "tax_class_id": 0, "variants": [
                {"sku": f"JACKET-{size}", "gtin": f"73100000000{n}", "options": [{"name": "Size", "label": size}]}
                for n, size in enumerate("SML")]})["product_id"]
        made = self._wait("JACKET-L", title="Rain jacket L", moneyprice="899.00", activepos=True)
        stack.control("/bc-product", "PUT", {"product_id": number, "name": "Light rain jacket", "price": "799.00"})
        changed = self._wait("JACKET-L", title="Light rain jacket L", moneyprice="799.00")
        stack.control("/till-product", "POST", {"sku": "TILL-MADE-1", "title": "Made in the till", "price": "49.00"})
        swept = self._command("exceptions", "--sweep")
        found = [e for e in swept.get("exceptions", []) if e["sku"] == "TILL-MADE-1" and e["kind"] == "only_in_sitoo"]
        if made is None or changed is None or not found:
            print(f"    exceptions: {json.dumps(swept)[:400]}")
            return False
        print(f"  A new product with three sizes was in the tills after {made:.1f} s, its new title and price after {changed:.1f} s"
              " (webhooks are gathered for 10 s)")
        print(f"  A SKU made in a till is reported: {found[0]['kind']}: {found[0]['text'][:150]}")
        return True


def show_products(stack, stats):
    """What the tills hold, as the oracle sees it. True if all is right."""
    end = time.monotonic() + LIMIT_S
    opinion = stack.control("/catalog-oracle")
    while not opinion["ok"] and time.monotonic() < end:
        time.sleep(0.5)
        opinion = stack.control("/catalog-oracle")
    print(f"  Products right in the tills: {opinion['checked'] - len(opinion['wrong']) - len(opinion['missing'])} of {opinion['checked']} SKUs; made {stats['products_created']},"
          f" changed {stats['products_updated']}, families written {stats['families_written']}")
    print("    " + ", ".join(f"{name.replace('_', ' ')} {stats[name]}" for name in NEVER) + " (all must be 0)")
    for name in ("wrong", "missing", "touched", "deleted"):
        for one in opinion[name][:5]:
            print(f"    {name}: {one}")
    return opinion["ok"] and not any(stats[name] for name in NEVER)
