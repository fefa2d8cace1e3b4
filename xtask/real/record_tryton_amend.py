"""Records what a real Tryton answers where a sale is withdrawn or changed after it was taken over.

usage: record_tryton_amend.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-amend.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import json
import sys

from record_tryton import C, TODAY, Recorder, line, sale
from record_tryton_papers import inner, press, ready, sold

STANDS = ["state", "shipment_state", "invoice_state", "shipments.number", "shipments.state", "shipments._timestamp", "invoices.number",
          "invoices.state", "invoices._timestamp", "invoices_ignored", "invoices_recreated", "lines.moves.state", "lines.moves_ignored",
          "lines.moves_recreated", "_timestamp"]


def stands(r, name):
    """How far the sale at hand has come, with the stamps of what hangs on it."""
    r.call(f"stands: {name}", "model.sale.sale.read", ["$sale"], STANDS, C)


def drafted(r, name, *quantities):
    row, context = sale([line("$MUG", quantity, "10.0000", "$vat") for quantity in quantities], reference=name, web_id=name)
    r.call(f"sale {name}", "model.sale.sale.create", row, context, keep={"sale": "/result/0"})


def stamp(r, keep, model, record):
    r.call(f"stamp of {record}", f"model.{model}.read", [record], ["_timestamp"], C, keep={keep: "/result/0/_timestamp"})


def guarded(r, name, method, model, record, stamp, *params):
    """A call that is refused where the record is not as it was when its stamp was read."""
    guard = {**C, "_timestamp": {model + ",${" + record + "}": "$" + stamp}}
    r.call(name, f"model.{model}.{method}", ["$" + record], *params, guard)


def before_it_goes(r):
    """A sale that nothing was made of yet is withdrawn at once, and once only."""
    drafted(r, "DRAFT", 2)
    stands(r, "a draft")
    stamp(r, "old", "sale.sale", "$sale")
    r.press("$sale", "quote")
    guarded(r, "withdrawn as it was read before", "cancel", "sale.sale", "sale", "old")
    stamp(r, "new", "sale.sale", "$sale")
    guarded(r, "a quotation is withdrawn", "cancel", "sale.sale", "sale", "new")
    stands(r, "withdrawn")
    r.press("$sale", "cancel")
    drafted(r, "DRAFT 2", 2)
    r.press("$sale", "cancel")
    stands(r, "a draft, withdrawn")


def piece_by_piece(r):
    """A sale that is processed: what it has waiting is withdrawn, then nobody waits for it."""
    sold(r, "PIECES", 3, 1)
    stands(r, "processed")
    r.press("$sale", "cancel")
    r.press("$sale", "draft")
    stamp(r, "old", "stock.shipment.out", "$shipment")
    stamp(r, "bill_old", "account.invoice", "$invoice")
    press(r, "assign_try")
    guarded(r, "a shipment as it was read before", "cancel", "stock.shipment.out", "shipment", "old")
    stamp(r, "new", "stock.shipment.out", "$shipment")
    guarded(r, "a shipment", "cancel", "stock.shipment.out", "shipment", "new")
    stands(r, "its goods are free")
    press(r, "cancel")
    guarded(r, "its invoice", "cancel", "account.invoice", "invoice", "bill_old")
    stands(r, "its invoice is withdrawn")
    r.call("a cancelled invoice", "model.account.invoice.cancel", ["$invoice"], C)
    r.call("its moves", "model.stock.move.search", [["shipment", "=", "stock.shipment.out,${shipment}"], ["origin", "like", "sale.line,%"]],
           0, None, [["id", "ASC"]], C, keep={"first": "/result/0", "second": "/result/1"})
    r.call("its lines", "model.sale.line.search", [["sale", "=", "$sale"]], 0, None, [["id", "ASC"]], C,
           keep={"line": "/result/0", "other": "/result/1"})
    ignored = {"invoices_ignored": [["add", ["$invoice"]]],
               "lines": [["write", ["$line"], {"moves_ignored": [["add", ["$first"]]]}],
                         ["write", ["$other"], {"moves_ignored": [["add", ["$second"]]]}]]}
    stamp(r, "old", "sale.sale", "$sale")
    guarded(r, "nobody waits for it", "write", "sale.sale", "sale", "old", ignored)
    guarded(r, "the same, as it was read before", "write", "sale.sale", "sale", "old", ignored)
    stands(r, "nobody waits")
    r.press("$sale", "process")
    stands(r, "withdrawn whole")
    r.press("$sale", "process")
    stands(r, "and again")


def what_has_left(r):
    """What cannot be taken back: goods that left, and money that was asked for."""
    sold(r, "LEFT", 2)
    inner(r, "to leave", ["first"])
    press(r, "assign_try", "pick")
    stands(r, "picked")
    r.call("by the carrier", "model.stock.shipment.out.write", ["$shipment"], {"carrier": "$carrier"}, C)
    press(r, "pack", "ship")
    stands(r, "shipped")
    press(r, "do")
    stands(r, "done")
    press(r, "cancel")
    r.call("post", "model.account.invoice.post", ["$invoice"], C)
    r.call("a posted one stays", "model.account.invoice.cancel", ["$invoice"], C)
    stands(r, "gone")


def addresses(r):
    """Where it goes, at each stage."""
    r.call("another address", "model.party.party.write", ["$party"], {"addresses": [["create", [{"city": "Bonn"}]]]}, C)
    r.call("which is", "model.party.party.read", ["$party"], ["addresses"], C, keep={"elsewhere": "/result/0/addresses/1"})
    where = ["state", "invoice_address", "shipment_address", "total_amount"]
    there = {"invoice_address": "$elsewhere", "shipment_address": "$elsewhere"}
    drafted(r, "WHERE", 2)
    for at in ("a draft", "a quotation"):
        r.call(f"{at} goes elsewhere", "model.sale.sale.write", ["$sale"], there, C)
        r.call(f"{at} there", "model.sale.sale.read", ["$sale"], where, C)
        r.call(f"{at} goes home", "model.sale.sale.write", ["$sale"], {"shipment_address": "$ship"}, C)
        if at == "a draft":
            r.press("$sale", "quote")
    r.press("$sale", "confirm")
    r.call("its shipment", "model.sale.sale.read", ["$sale"], ["shipments"], C, keep={"shipment": "/result/0/shipments/0"})
    r.call("a processed one goes elsewhere", "model.sale.sale.write", ["$sale"], there, C)
    r.call("a processed one there", "model.sale.sale.read", ["$sale"], where, C)
    r.call("its shipment there", "model.stock.shipment.out.read", ["$shipment"], ["delivery_address", "state"], C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    before_it_goes(r)
    piece_by_piece(r)
    what_has_left(r)
    addresses(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
