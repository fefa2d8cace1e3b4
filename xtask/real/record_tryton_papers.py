"""Records what a real Tryton answers about shipments in parts and parcels, and about invoices.

usage: record_tryton_papers.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-papers.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import json
import sys

from record_tryton import C, TODAY, Recorder, dec, line, sale

SINCE = {"__class__": "datetime", "year": 2026, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
CHANGED = ["OR", ["write_date", ">=", SINCE], [["write_date", "=", None], ["create_date", ">=", SINCE]]]
SHIPMENT = ["number", "state", "effective_date", "shipping_reference", "carrier.party.name", "moves.origin", "moves.state", "moves.quantity",
            "moves.unit.digits", "moves.unit.factor", "packages.parent", "packages.shipping_reference"]
INVOICE = ["type", "number", "state", "invoice_date", "currency.code", "untaxed_amount", "tax_amount", "total_amount", "lines.origin",
           "lines.type", "lines.quantity", "lines.amount", "lines.product.code", "lines.write_date"]
DATE = {"__class__": "date", "year": TODAY.year, "month": TODAY.month, "day": TODAY.day}


def look(r, name):
    """Shipments of the sale at hand, how its moves lie in parcels, and how far it has come."""
    r.call(f"shipments: {name}", "model.stock.shipment.out.search_read", [["company", "=", 1], ["id", ">=", "$shipment"]], 0, None,
           [["id", "ASC"]], SHIPMENT, C)
    r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "shipment_state", "invoice_state", "shipments", "invoices"], C)


def press(r, *buttons, who="$shipment"):
    for button in buttons:
        r.call(f"{button} {who}", f"model.stock.shipment.out.{button}", [who], C)


def sold(r, name, *quantities):
    """A sale of mugs that is confirmed, with its first shipment and invoice."""
    row, context = sale([line("$MUG", quantity, "10.0000", "$vat") for quantity in quantities], reference=name, web_id=name)
    r.call(f"sale {name}", "model.sale.sale.create", row, context, keep={"sale": "/result/0"})
    r.press("$sale", "quote", "confirm")
    r.call(f"papers of {name}", "model.sale.sale.read", ["$sale"], ["shipments", "invoices"], C,
           keep={"shipment": "/result/0/shipments/0", "invoice": "/result/0/invoices/0"})
    r.call(f"lines of {name}", "model.sale.line.search_read", [["sale", "=", "$sale"]], 0, None, [["id", "ASC"]],
           ["sale", "unit.digits", "unit.factor", "product.code"], C)


def ready(r):
    """A party and what a sale needs."""
    row = {"name": "Ada", "code": "ADA", "addresses": [["create", [{"city": "Köln"}]]]}
    r.call("a party", "model.party.party.create", [row], C, keep={"party": "/result/0"})
    r.call("its address", "model.party.party.read", ["$party"], ["addresses"], C, keep={"bill": "/result/0/addresses/0", "ship": "/result/0/addresses/0"})
    for name, model, domain in (("EUR", "currency.currency", [["code", "=", "EUR"]]), ("warehouse", "stock.location", [["type", "=", "warehouse"]]),
                                ("unit", "product.uom", [["name", "=", "Unit"]]), ("MUG", "product.product", [["code", "=", "MUG"]]),
                                ("vat", "account.tax", [["name", "=", "VAT 19%"]]), ("shop", "web.shop", [["name", "=", "Webshop"]]),
                                ("term", "account.invoice.payment_term", [["name", "=", "30 days"]]),
                                ("fee", "product.product", [["code", "=", "SHIPPING"]])):
        r.find(name, model, domain)
    r.call("storage", "model.stock.location.read", ["$warehouse"], ["storage_location"], C, keep={"storage": "/result/0/storage_location"})
    r.call("a count", "model.stock.inventory.create", [{"company": 1, "location": "$storage", "date": DATE,
           "lines": [["create", [{"product": "$MUG", "quantity": 100}]]]}], C, keep={"count": "/result/0"})
    r.call("counted", "model.stock.inventory.confirm", ["$count"], C)
    r.call("a carrier's party", "model.party.party.create", [{"name": "Carrier GmbH", "code": "CAR"}], C, keep={"by": "/result/0"})
    r.call("a carrier", "model.carrier.create", [{"party": "$by", "carrier_product": "$fee"}], C, keep={"carrier": "/result/0"})
    r.call("a box", "model.stock.package.type.create", [{"name": "Box"}], C, keep={"box": "/result/0"})


def inner(r, name, lines=("first", "second")):
    """The move within the house and the one out of it, of the first line."""
    r.call(f"moves: {name}", "model.stock.move.search", [["shipment", "=", "stock.shipment.out,${shipment}"], ["origin", "like", "stock.move,%"]],
           0, 1, [["id", "ASC"]], C, keep={"inner": "/result/0"})
    r.call(f"moves out: {name}", "model.stock.move.search", [["shipment", "=", "stock.shipment.out,${shipment}"], ["origin", "like", "sale.line,%"]],
           0, None, [["id", "ASC"]], C, keep={line: f"/result/{at}" for at, line in enumerate(lines)})


def stamps(r, name):
    """Whether the shipment's stamp still stands."""
    guard = {**C, "_timestamp": {"stock.shipment.out,${shipment}": "$stamp"}}
    r.call(f"{name}: by its stamp before", "model.stock.shipment.out.write", ["$shipment"], {}, guard)


def stamp(r):
    r.call("stamp", "model.stock.shipment.out.read", ["$shipment"], ["_timestamp"], C, keep={"stamp": "/result/0/_timestamp"})


def parts(r):
    """One line is sent in part, in two parcels; the rest gets a shipment of its own."""
    sold(r, "PARTS", 3, 2)
    look(r, "made")
    inner(r, "made")
    r.call("less is to be picked", "model.stock.shipment.out.write", ["$shipment"], {"inventory_moves": [["write", ["$inner"], {"quantity": 1}]]}, C)
    press(r, "assign_try", "pick")
    look(r, "picked")
    for name, move in (("a parcel", "$first"), ("another parcel", "$second")):
        r.call(name, "model.stock.package.create", [{"type": "$box", "shipment": "stock.shipment.out,${shipment}", "moves": [["add", [move]]]}], C,
               keep={"other" if name == "another parcel" else "parcel": "/result/0"})
    press(r, "pack")
    r.call("a carrier is named", "model.stock.shipment.out.write", ["$shipment"], {"carrier": "$carrier"}, C)
    press(r, "pack", "ship")
    look(r, "shipped")
    press(r, "do")
    look(r, "done")
    stamp(r)
    r.call("a number", "model.stock.package.write", ["$parcel"], {"shipping_reference": "JD 01"}, C)
    stamps(r, "a number")
    stamp(r)
    look(r, "numbered")
    r.call("a parcel is gone", "model.stock.package.delete", ["$other"], C)
    stamps(r, "a parcel is gone")
    look(r, "one parcel left")
    for name in ("moves", "packages"):
        r.call(f"changed {name}", "model.stock.shipment.out.search_read", [["company", "=", 1], ["id", ">=", "$shipment"], [name, "where", CHANGED]],
               0, None, [["id", "ASC"]], ["number"], C)
    r.call("what leaves cannot be searched for", "model.stock.shipment.out.search", [["outgoing_moves", "where", CHANGED]], C)


def unpacked(r):
    """Some goods lie in a parcel, others do not; then all is withdrawn."""
    sold(r, "OFF", 2, 1)
    inner(r, "to be off")
    press(r, "assign_try", "pick")
    r.call("one parcel", "model.stock.package.create", [{"type": "$box", "shipment": "stock.shipment.out,${shipment}", "moves": [["add", ["$first"]]]}], C)
    r.call("by the carrier", "model.stock.shipment.out.write", ["$shipment"], {"carrier": "$carrier"}, C)
    press(r, "pack", "cancel")
    look(r, "off")
    r.call("its moves lie in no parcel", "model.stock.move.read", ["$first"], ["state", "package"], C)


def paid_in_cash(place, name="Cash"):
    """A way to pay, made unrecorded: the simulated server keeps no books."""
    r = Recorder(place)
    r.find("journal", "account.journal", [["type", "=", "cash"]])
    r.find("account", "account.account", [["type.receivable", "!=", True], ["type.payable", "!=", True], ["type", "!=", None], ["closed", "!=", True]])
    row = {"name": name, "company": 1, "journal": "$journal", "credit_account": "$account", "debit_account": "$account"}
    r.call("a way to pay", "model.account.invoice.payment.method.create", [row], C, keep={"cash": "/result/0"})
    return r.kept["cash"]


def invoices(r):
    """From the draft to the payment, which the wizard books."""
    def told(name):
        r.call(f"invoice: {name}", "model.account.invoice.read", ["$invoice"], INVOICE, C)
        r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "invoice_state", "shipment_state"], C)

    sold(r, "PAID", 3, 1)
    told("draft")
    r.call("post", "model.account.invoice.post", ["$invoice"], C)
    told("posted")
    r.call("post again", "model.account.invoice.validate_invoice", ["$invoice"], C)
    r.call("a posted one stays", "model.account.invoice.cancel", ["$invoice"], C)
    r.call("changed lines", "model.account.invoice.search_read", [["company", "=", 1], ["type", "=", "out"], ["id", ">=", "$invoice"],
           ["lines", "where", CHANGED]], 0, None, [["id", "ASC"]], ["number", "total_amount", "lines.origin"], C)
    r.kept["cash"] = paid_in_cash(r.place)
    r.call("what is owed", "model.account.invoice.read", ["$invoice"], ["total_amount"], C, keep={"total": "/result/0/total_amount"})
    r.call("the wizard", "wizard.account.invoice.pay.create", C, keep={"wizard": "/result/0"})
    start = {"amount": "$total", "currency": "$EUR", "date": DATE, "payee": "$party", "payment_method": "$cash", "company": 1,
             "description": "card", "invoice_account": None}
    about = {**C, "active_model": "account.invoice", "active_id": "$invoice", "active_ids": ["$invoice"]}
    r.call("paid", "wizard.account.invoice.pay.execute", "$wizard", {"start": start}, "choice", about)
    told("paid")
    sold(r, "VOID", 1)
    r.call("a draft is withdrawn", "model.account.invoice.cancel", ["$invoice"], C)
    told("withdrawn")


def given_up(r):
    """What a sale has waiting is cancelled, and the wizards are told that nobody waits for it."""
    fields = ["state", "shipment_state", "invoice_state", "invoices_ignored", "lines.moves_ignored", "total_amount"]
    sold(r, "GIVEN UP", 3)
    inner(r, "to be given up", ["first"])
    r.call("a processed one stays", "model.sale.sale.cancel", ["$sale"], C)
    press(r, "cancel")
    r.call("its invoice, too", "model.account.invoice.cancel", ["$invoice"], C)
    r.call("sale: both cancelled", "model.sale.sale.read", ["$sale"], fields, C)
    about = {**C, "active_model": "sale.sale", "active_id": "$sale", "active_ids": ["$sale"]}
    for what, paper in (("shipment", {"domain_moves": ["$first"], "ignore_moves": ["$first"], "recreate_moves": []}),
                        ("invoice", {"domain_invoices": ["$invoice"], "ignore_invoices": ["$invoice"], "recreate_invoices": []})):
        r.call(f"the wizard for the {what}", f"wizard.sale.handle.{what}.exception.create", C, keep={"wizard": "/result/0"})
        r.call(f"nobody waits for the {what}", f"wizard.sale.handle.{what}.exception.execute", "$wizard", {"ask": paper}, "handle", about)
    r.call("sale: given up", "model.sale.sale.read", ["$sale"], fields, C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    parts(r)
    unpacked(r)
    invoices(r)
    given_up(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
