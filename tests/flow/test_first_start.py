# SPDX-License-Identifier: Apache-2.0
"""The first start on a shop that has a past: what lies before it is in Sitoo's numbers already."""


def ledger_reads(one):
    return [r for r in one.control("GET", "/requests?platform=sitoo&since=0")["requests"]
            if "warehousetransactions" in r["path"]]


def test_ledger_rows_from_before_the_first_start_are_neither_recorded_nor_withheld(stack):
    one = stack(functions=())
    sku = one.control("GET", "/world")["skus"][-1]["sku"]
    one.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    one.start_function("stock-moved")
    one.wait_until(lambda: one.redis().hget(one.key("cursor"), "ledger"), 10, "the cursor is set")
    one.control("POST", "/move", {"sku": sku, "quantity": 3, "to": 1})
    one.wait_until(lambda: one.redis().keys(one.key("op:move:*")), 15, "the move is read")
    assert len(one.redis().keys(one.key("op:move:*"))) == 1, "only what came after the start is read"
    assert not one.redis().exists(one.key("withheld:l"))
    assert len(ledger_reads(one)) >= 2
