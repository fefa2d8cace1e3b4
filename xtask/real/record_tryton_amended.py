"""Records what a real Tryton answers where a sale that is processed goes elsewhere, or fewer of a line are wanted.

usage: record_tryton_amended.py < the line `tryton_up.sh CACHE RUN CATALOGUE amend` printed > crates/sim/fixtures/tryton-8.0-amended.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import json
import sys

from record_tryton import C, TODAY, Recorder, dec
from record_tryton_amend import guarded, stamp
from record_tryton_papers import inner, press, ready, sold

STANDS = ["state", "shipment_state", "invoice_state", "total_amount", "invoice_address", "shipment_address", "shipments.number",
          "shipments.state", "shipments.delivery_address", "shipments._timestamp", "invoices.state", "invoices.invoice_address",
          "invoices.total_amount", "lines.quantity", "lines.amount", "lines.unit", "lines.unit_price", "lines.moves.state",
          "lines.moves.quantity", "amendments.state", "amendments.description", "amendments._timestamp", "amendments.lines.line",
          "amendments.lines.quantity", "_timestamp"]


def stands(r, name):
    r.call(f"stands: {name}", "model.sale.sale.read", ["$sale"], STANDS, C)


def shipments(r, name):
    """The shipments from the one at hand on, with those that no sale knows any more."""
    r.call(f"shipments: {name}", "model.stock.shipment.out.search_read", [["company", "=", 1], ["id", ">=", "$shipment"]], 0, None,
           [["id", "ASC"]], ["number", "state", "outgoing_moves.state", "inventory_moves.state"], C)


def made(r, name, *quantities):
    sold(r, name, *quantities)
    r.call(f"lines: {name}", "model.sale.line.search", [["sale", "=", "$sale"]], 0, None, [["id", "ASC"]], C, keep={"line": "/result/0"})


def elsewhere(r):
    """The address of each paper, at each of its states."""
    r.call("another address", "model.party.party.write", ["$party"], {"addresses": [["create", [{"city": "Bonn"}]]]}, C)
    r.call("which is", "model.party.party.read", ["$party"], ["addresses"], C, keep={"elsewhere": "/result/0/addresses/1"})
    made(r, "WHERE", 2)
    for state, button in (("waiting", None), ("assigned", "assign_try"), ("picked", "pick")):
        if button:
            press(r, button)
        stamp(r, "old", "stock.shipment.out", "$shipment")
        guarded(r, f"{state}, it goes elsewhere", "write", "stock.shipment.out", "shipment", "old", {"delivery_address": "$elsewhere"})
        guarded(r, f"{state}, as it was read before", "write", "stock.shipment.out", "shipment", "old", {"delivery_address": "$elsewhere"})
        stands(r, state)
        r.call(f"{state}, it goes home", "model.stock.shipment.out.write", ["$shipment"], {"delivery_address": "$ship"}, C)
    for state, button in (("draft", None), ("validated", "validate_invoice"), ("posted", "post")):
        if button:
            r.call(button, f"model.account.invoice.{button}", ["$invoice"], C)
        stamp(r, "old", "account.invoice", "$invoice")
        guarded(r, f"{state}, it is billed elsewhere", "write", "account.invoice", "invoice", "old", {"invoice_address": "$elsewhere"})
        stands(r, state)
        r.call(f"{state}, it is billed at home", "model.account.invoice.write", ["$invoice"], {"invoice_address": "$bill"}, C)
    stamp(r, "old", "sale.sale", "$sale")
    there = {"invoice_address": "$elsewhere", "shipment_address": "$elsewhere"}
    guarded(r, "the sale goes elsewhere", "write", "sale.sale", "sale", "old", there)
    guarded(r, "the sale, as it was read before", "write", "sale.sale", "sale", "old", there)
    stands(r, "gone elsewhere")


def draft(r, name, quantity):
    """An amendment through its sale, whose stamp it moves."""
    lines = [{"action": "line", "line": "$line", "product": "$MUG", "unit": "$unit", "quantity": quantity, "unit_price": dec("10.0000"),
              "description": None}]
    stamp(r, "old", "sale.sale", "$sale")
    guarded(r, f"amendment {name}", "write", "sale.sale", "sale", "old",
            {"amendments": [["create", [{"description": name, "lines": [["create", lines]]}]]]})
    r.call(f"amendments: {name}", "model.sale.sale.read", ["$sale"], ["amendments", "_timestamp"], C,
           keep={"amendment": "/result/0/amendments/0"})


def validate(r, name):
    r.call(f"validate: {name}", "model.sale.amendment.validate_amendment", ["$amendment"], C)
    stands(r, name)
    shipments(r, name)


def fewer(r):
    """Fewer are wanted while nothing is in hand."""
    made(r, "FEWER", 3, 1)
    draft(r, "FEWER", 2)
    guarded(r, "another one, on the sale as it was", "write", "sale.sale", "sale", "old", {"amendments": [["create", [{"description": "x"}]]]})
    stands(r, "about to be fewer")
    for model, record, kept in (("stock.shipment.out", "shipment", "ship_old"), ("account.invoice", "invoice", "bill_old"),
                                ("sale.amendment", "amendment", "own_old")):
        stamp(r, kept, model, f"${record}")
        r.call(f"{record} is written", f"model.{model}.write", [f"${record}"], {"reference" if record == "shipment" else "description": "FEWER"}, C)
        guard = {**C, "_timestamp": {model + ",${" + record + "}": "$" + kept}}
        r.call(f"validate, {record} as it was", "model.sale.amendment.validate_amendment", ["$amendment"], guard)
    guarded(r, "validate, the sale as it was", "validate_amendment", "sale.amendment", "amendment", "own_old")
    stands(r, "still about to be")
    validate(r, "fewer")
    r.call("validate again", "model.sale.amendment.validate_amendment", ["$amendment"], C)
    draft(r, "NONE", 0)
    validate(r, "none of the first line")
    draft(r, "GONE", 0)
    r.call("an amendment is dropped", "model.sale.amendment.delete", ["$amendment"], C)
    stands(r, "dropped")


def in_hand(r):
    """What an amendment does to shipments that it leaves alone."""
    made(r, "ASSIGNED", 3)
    press(r, "assign_try")
    draft(r, "ASSIGNED", 2)
    validate(r, "while assigned")
    made(r, "PICKED", 3)
    press(r, "assign_try", "pick")
    draft(r, "PICKED", 2)
    validate(r, "while picked")


def laid_back(r):
    """A shipment that goes back to its draft before cannot be picked meanwhile."""
    made(r, "BACK", 3)
    press(r, "assign_try", "draft")
    stamp(r, "old", "stock.shipment.out", "$shipment")
    press(r, "wait")
    shipments(r, "waiting again")
    guarded(r, "a draft, as it was read before", "draft", "stock.shipment.out", "shipment", "old")
    press(r, "draft")
    shipments(r, "a draft")
    press(r, "assign_try", "pick")
    draft(r, "BACK", 2)
    validate(r, "while a draft")


def left(r):
    """Of three one has left, and the rest is not wanted any more."""
    made(r, "LEFT", 3)
    inner(r, "to leave", ["first"])
    r.call("less is to be picked", "model.stock.shipment.out.write", ["$shipment"], {"inventory_moves": [["write", ["$inner"], {"quantity": 1}]]}, C)
    press(r, "assign_try", "pick")
    r.call("by the carrier", "model.stock.shipment.out.write", ["$shipment"], {"carrier": "$carrier"}, C)
    press(r, "pack", "ship", "do")
    stands(r, "one has left")
    draft(r, "LEFT", 1)
    validate(r, "the rest is off")


def posted(r):
    """An invoice that is in force: what is too much stands on a draft of less than nothing."""
    made(r, "POSTED", 3)
    r.call("post", "model.account.invoice.post", ["$invoice"], C)
    draft(r, "POSTED", 2)
    validate(r, "while posted")


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    elsewhere(r)
    fewer(r)
    in_hand(r)
    laid_back(r)
    left(r)
    posted(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
