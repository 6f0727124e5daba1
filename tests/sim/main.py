# SPDX-License-Identifier: Apache-2.0
"""Starts the simulated Sitoo, the simulated BigCommerce and the control interface in one process. See README.md."""
import argparse
import asyncio
import json
import signal
import sys

from bigcommerce import BigCommerce
from catalog import Catalog
from catalogoracle import CatalogOracle
from control import Control
from hooks import COUNTERS as HOOK_COUNTERS
from feed import Feed
from handover import FollowedOrders, Handover
from inventory import UNMAPPED, Inventory
from mapping import Mapping, default_mapping, default_returns, write_if_missing
from oracle import Oracle
from pickups import COUNTERS as PICKUP_COUNTERS
from server import Counters, Record, as_json, serve
from shipments import COUNTERS as SHIPMENT_COUNTERS
from sitoo import Sitoo
from tillcatalog import COUNTERS as PRODUCT_COUNTERS
from tillimages import COUNTERS as IMAGE_COUNTERS
from tracker import Tracker
from verdicts import Verdicts, stock_verdict
from webcatalog import WebCatalog
from webimages import COUNTERS as CDN_COUNTERS
from webimages import Pictures
from world import World, warehouse_ids


class Shop:
    """All parts, put together. Needs a running event loop."""

    def __init__(self, args, mapping):
        self.seed, self.mapping = args.seed, mapping
        self.counters, self.record = Counters(), Record(args.exchanges)
        self.world = World(args.seed, args.skus, args.warehouses, mapping, args.extra_sku)
        self.catalog = Catalog(self.world.skus)
        locations = sorted({1, 5, 7, UNMAPPED, *mapping.feeds})
        self.inventory = Inventory(self.catalog, locations, args.seed, args.lag_ms)
        self.oracle = Oracle(self.world, self.catalog, self.inventory, mapping)
        self.oracle.set_levels_right()
        self.tracker = Tracker(self.world.pool, self.oracle.level, self.oracle.target)
        self.world.tracker = self.tracker
        self.orders = FollowedOrders(self.world, self.catalog, self.inventory, self.tracker, mapping, args.seed)
        self.handover = self.orders.handover = Handover(self.world, self.orders, mapping, args.web_orders)
        self.feed = Feed(self.counters, args.seed, args.feed_url, args.feed_user, args.feed_password, args.retry_scale)
        self.world.on_event = self.feed.push
        common = (self.counters, self.record, args.latency_ms, args.seed)
        self.platforms = {
            "sitoo": Sitoo(self.world, *common),
            "bigcommerce": BigCommerce(self.catalog, self.inventory, self.orders, self.tracker, *common, args.quota,
                                       args.window_ms)}
        bigcommerce = self.platforms["bigcommerce"]
        self.web = WebCatalog(self.catalog, self.inventory, self.world, self.orders, self.oracle, bigcommerce.price_lists,
                              bigcommerce.webhooks.raise_event)
        self.web.fill(args.web_products, args.family_size)
        self.catalog_oracle = CatalogOracle(self, mapping.products)

        section = mapping.returns or default_returns()
        self.verdicts = Verdicts(self.world, self.orders, self.platforms["bigcommerce"].refunds, section)
        if mapping.returns is not None:
            self.world.moves_release = True
            self.world.verdict_of = lambda reason, warehouse: stock_verdict(section, reason, warehouse)

    def stats(self):
        """GET /stats."""
        counters, numbers = self.counters, self.counters.numbers
        names = ("writes", "levels_written", "refused_writes", "unmapped_writes", "relative_writes", "overlapping_writes",
                 "quota_violations", "caused_429", "injected_429", "batches", "feed_retries", "events_delivered",
                 "events_lost", "duplicates_sent", "concurrent_refunds", "refused_refunds", "refund_top_level_reason",
                 "order_products_touched", "order_fees_touched", "order_other_fields_put", "status_overwrote_human", "status_overwrote_human_late",
                 "catalog_writes", "orders_archived", "all_orders_archived", *SHIPMENT_COUNTERS, *PICKUP_COUNTERS,
                 *HOOK_COUNTERS, *PRODUCT_COUNTERS, *IMAGE_COUNTERS, *CDN_COUNTERS)
        return {
            "calls": {name: counters.calls[name] for name in self.platforms},
            "by_route": {k: dict(v) for k, v in counters.by_route.items()},
            "by_status": {k: dict(v) for k, v in counters.by_status.items()},
            "max_in_flight": {name: counters.max_in_flight[name] for name in self.platforms},
            "in_flight": {name: p.in_flight for name, p in self.platforms.items()},
            **{name: numbers[name] for name in names},
            "events_made": self.world.events_made, "events_queued": self.feed.waiting(),
            "hooks_waiting": self.platforms["bigcommerce"].webhooks.waiting,
            "window_ms_left": self.platforms["bigcommerce"].window_left(),
            "web_orders_placed": self.orders.placed, "web_orders_refused": self.orders.refused}

    def report(self):
        """GET /report."""
        lags = self.tracker.report()
        calls = {name: self.counters.calls[name] for name in self.platforms}
        sales = lags["till_rows"]
        return {**lags, "web_rows": self.tracker.web_rows, "web_orders_placed": self.orders.placed,
                "web_orders_refused": self.orders.refused,
                "units_sold_twice": self.tracker.sold_twice, "sold_twice_rows": self.tracker.sold_twice_rows,
                "calls": calls,
                "calls_per_sale": {name: round(n / sales, 4) if sales else None for name, n in calls.items()}}


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description="Simulated Sitoo and BigCommerce")
    for name in ("sitoo", "bigcommerce", "control"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 = a free one")
    parser.add_argument("--address", default="127.0.0.1", help="to listen on; any other only inside a closed network")
    parser.add_argument("--feed-url", default="")
    parser.add_argument("--feed-user", default="")
    parser.add_argument("--feed-password", default="")
    parser.add_argument("--feed-password-file", help="file that holds it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mapping", help="mapping file that the oracle uses; none = the default mapping")
    parser.add_argument("--write-mapping", help="write the default mapping here unless the file exists")
    parser.add_argument("--report", help="write statistics and report here at the end")
    parser.add_argument("--exchanges", help="write what was asked and answered to this file (exchanges.py)")
    parser.add_argument("--skus", type=int, default=60)
    parser.add_argument("--extra-sku", action="append", default=[], help="one more SKU, with any characters")
    parser.add_argument("--products", action="store_true", help="write the mapping with its section about products")
    parser.add_argument("--web-products", type=int, default=0, help="so many variants more that only BigCommerce has")
    parser.add_argument("--family-size", type=int, default=1, help="variants of each of their products; 1 = simple products")
    parser.add_argument("--returns", action="store_true",
                        help="write the mapping with its section about returns; the oracle heeds it")
    parser.add_argument("--web-orders", action="store_true",
                        help="a web order's unit is pending until a Sitoo order of ours reserves it or has delivered it")
    parser.add_argument("--warehouses", type=int, default=4)
    parser.add_argument("--latency-ms", type=float, default=20)
    parser.add_argument("--lag-ms", type=float, default=300)
    parser.add_argument("--quota", type=int, default=150)
    parser.add_argument("--window-ms", type=int, default=30000)
    parser.add_argument("--retry-scale", type=float, default=0.01)
    args = parser.parse_args(argv)
    if args.feed_password_file:
        with open(args.feed_password_file, encoding="utf-8") as file:
            args.feed_password = file.read().rstrip("\r\n")
    return args


def load_mapping(args):
    default = default_mapping(warehouse_ids(args.warehouses), args.returns, args.products)
    if args.write_mapping:
        write_if_missing(args.write_mapping, default)
    return Mapping.load(args.mapping) if args.mapping else Mapping(default)


async def run(args, mapping):
    """Until SIGTERM or SIGINT."""
    shop = Shop(args, mapping)
    runners, ports = [], {}
    handlers = {"sitoo": (shop.platforms["sitoo"].handle, args.sitoo_port),
                "bigcommerce": (Pictures(shop.counters).before(shop.platforms["bigcommerce"].handle), args.bigcommerce_port),
                "control": (Control(shop).handle, args.control_port)}
    for name, (handler, port) in handlers.items():
        runner, ports[name] = await serve(handler, port, args.address)
        runners.append(runner)
    feeding = asyncio.create_task(shop.feed.run())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(json.dumps({"ready": True, "sitoo": f"http://127.0.0.1:{ports['sitoo']}/v2",
                      "bigcommerce": f"http://127.0.0.1:{ports['bigcommerce']}",
                      "control": f"http://127.0.0.1:{ports['control']}"}), flush=True)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, feeding}, return_when=asyncio.FIRST_COMPLETED)
    if feeding.done():
        feeding.result()  # a sender that died is an error of the simulator
    if args.report:
        with open(args.report, "wb") as file:
            file.write(as_json({"report": shop.report(), "stats": shop.stats(),
                                "oracle": shop.oracle.check(shop.feed.waiting())}) + b"\n")
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    await shop.platforms["bigcommerce"].webhooks.stop()
    for runner in runners:
        await runner.cleanup()


def main(argv):
    args = parse_arguments(argv)
    try:
        mapping = load_mapping(args)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        print(f"mapping: {type(problem).__name__}: {problem}", file=sys.stderr)
        return 2
    asyncio.run(run(args, mapping))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
