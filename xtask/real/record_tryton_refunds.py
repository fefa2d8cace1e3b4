"""Records what a real Tryton answers where credit notes are made by its API, for what was given back in a shop.

usage: record_tryton_refunds.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-refunds.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import json
import sys

from record_tryton import C, TODAY, Recorder, dec, line, sale
from record_tryton_papers import INVOICE, ready

NOTE = [*INVOICE, "reference", "description", "lines.product.code"]
SOLD = ["sale", "unit.digits", "unit.factor", "product.code"]
BILLED = ["origin", "type", "product", "product.code", "unit", "unit.digits", "unit.factor", "quantity", "unit_price", "amount", "account", "taxes",
          "currency", "description", "invoice.state", "invoice.party", "invoice.invoice_address", "invoice.account", "invoice.journal",
          "invoice.payment_term", "invoice.currency"]
GIVEN = ["origin", "quantity", "amount", "invoice.state"]


def sold(r, name, *lines, currency="$EUR"):
    """A sale that is confirmed, with its invoice."""
    row, context = sale(list(lines), reference=name, web_id=name, currency=currency)
    r.call(f"sale {name}", "model.sale.sale.create", row, context, keep={"sale": "/result/0"})
    r.press("$sale", "quote", "confirm")
    r.call(f"papers of {name}", "model.sale.sale.read", ["$sale"], ["invoices"], C, keep={"invoice": "/result/0/invoices/0"})
    r.call(f"lines of {name}", "model.sale.line.search_read", [["sale", "=", "$sale"]], 0, None, [["id", "ASC"]], SOLD, C,
           keep={f"sold{at}": f"/result/{at}/id" for at in range(len(lines))})


def mugs(r, name, *quantities):
    sold(r, name, *(line("$MUG", quantity, "10.0000", "$vat") for quantity in quantities))


def billed(r, name, lines, posted=True):
    """The lines of invoices in force that come from the first `lines` lines of the sale at hand, as a credit note is made from."""
    origins = ["sale.line,${sold%d}" % at for at in range(lines)]
    keep = {f"bill{at}": f"/result/{at}/id" for at in range(lines)} | {
        f"of_{field}": f"/result/0/invoice./{field}" for field in ("account", "journal", "party", "invoice_address")} | {
        "revenue": "/result/0/account"}
    r.call(f"billed: {name}", "model.account.invoice.line.search_read", [["origin", "in", origins], ["invoice.state", "in", ["posted", "paid"]]],
           0, 500, [["id", "ASC"]], BILLED, C, keep=keep if posted else {})


def given(r, name, lines):
    """What credit notes of any state but cancelled have of these lines of invoices."""
    origins = ["account.invoice.line,${bill%d}" % at for at in range(lines)]
    r.call(f"given back: {name}", "model.account.invoice.line.search_read", [["origin", "in", origins], ["invoice.state", "!=", "cancelled"]],
           0, 500, [["id", "ASC"]], GIVEN, C)


def back(at, quantity, price, *taxes, product="$MUG", **more):
    """A line of a credit note: so many of what a line of an invoice sold."""
    row = {"type": "line", "origin": "account.invoice.line,${bill%d}" % at, "product": product, "unit": "$unit", "quantity": -quantity,
           "unit_price": dec(price), "currency": "$EUR", "company": 1, "account": "$revenue", "taxes": [["add", list(taxes)]]}
    return row | more


def note(r, name, *lines, **more):
    """A draft of a credit note, kept as `credit`."""
    row = {"company": 1, "type": "out", "party": "$of_party", "invoice_address": "$of_invoice_address", "currency": "$EUR",
           "account": "$of_account", "journal": "$of_journal", "reference": f"{name} SLAAAAAAAAAAAAAAAA", "lines": [["create", list(lines)]]}
    r.call(f"note {name}", "model.account.invoice.create", [row | more], C, keep={"credit": "/result/0"})
    look(r, name)


def look(r, name):
    r.call(f"look: {name}", "model.account.invoice.read", ["$credit"], NOTE, C)


def post(r, name, which="$credit"):
    r.call(f"post {name}", "model.account.invoice.post", [which], C)


def stands(r, name):
    r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "invoice_state", "invoices"], C)


def in_parts(r):
    """Two notes of one line; the second is found by its mark, and none is posted twice."""
    mugs(r, "PARTS", 3, 2)
    billed(r, "not posted yet", 2, posted=False)
    post(r, "the invoice", "$invoice")
    billed(r, "posted", 2)
    given(r, "nothing", 2)
    note(r, "R-1", back(0, 1, "10.0000", "$vat"))
    r.call("a stamp", "model.account.invoice.read", ["$credit"], ["_timestamp"], C, keep={"stamp": "/result/0/_timestamp"})
    given(r, "a draft", 2)
    post(r, "R-1")
    post(r, "R-1 once more")
    look(r, "R-1 posted")
    stands(r, "a note is posted")
    note(r, "R-2", back(0, 2, "10.0000", "$vat"), back(1, 1, "10.0000", "$vat"))
    marked = [["company", "=", 1], ["type", "=", "out"], ["reference", "like", "%SLAAAAAAAAAAAAAAAA"]]
    r.call("found by the mark", "model.account.invoice.search_read", marked, 0, None, [["id", "ASC"]], ["reference", "state"], C)
    post(r, "R-2")
    given(r, "two notes", 2)
    r.call("a posted note cannot be deleted", "model.account.invoice.delete", ["$credit"], C)
    note(r, "R-3", back(0, 50, "10.0000", "$vat"))
    r.call("a draft is deleted", "model.account.invoice.delete", ["$credit"], C)
    r.call("a draft that is gone", "model.account.invoice.read", ["$credit"], NOTE, C)


def too_much(r):
    """More than was billed is not refused."""
    mugs(r, "OVER", 1)
    post(r, "the invoice of OVER", "$invoice")
    billed(r, "OVER", 1)
    note(r, "R-4", back(0, 5, "10.0000", "$vat"))
    post(r, "R-4")
    look(r, "R-4 posted")


def leveled(r):
    """A draft is brought to the cent by a line more, as it was read; what is without a product or in another currency."""
    mugs(r, "CENT", 3)
    post(r, "the invoice of CENT", "$invoice")
    billed(r, "CENT", 1)
    note(r, "R-5", back(0, 1, "9.9967", "$vat"))
    r.call("its stamp", "model.account.invoice.read", ["$credit"], ["_timestamp"], C, keep={"stamp": "/result/0/_timestamp"})
    r.find("round", "product.product", [["code", "=", "ROUNDING"]])
    guard = {**C, "_timestamp": {"account.invoice,${credit}": "$stamp"}}
    cent = back(0, 1, "0.0100", product="$round")
    r.call("a cent more", "model.account.invoice.write", ["$credit"], {"lines": [["create", [cent]]]}, guard)
    r.call("a cent more, as it was read before", "model.account.invoice.write", ["$credit"], {"lines": [["create", [cent]]]}, guard)
    look(r, "a cent more")
    r.call("its lines", "model.account.invoice.line.search", [["invoice", "=", "$credit"]], 0, None, [["id", "ASC"]], C,
           keep={"cent": "/result/1"})
    r.call("another cent", "model.account.invoice.write", ["$credit"], {"lines": [["write", ["$cent"], {"unit_price": dec("0.0200")}]]}, C)
    look(r, "another cent")
    post(r, "R-5")
    look(r, "R-5 posted")


def freight(r):
    """Freight alone, whose tax its product does not have by itself: a person is asked, and what was said holds once."""
    sold(r, "FREIGHT", line("$MUG", 2, "10.0000", "$vat"), line("$fee", 1, "5.0000", "$vat7"))
    r.call("the invoice asks", "model.account.invoice.post", ["$invoice"], C, keep={"asked": "/error/1/0"})
    r.call("nobody minds", "model.res.user.warning.skip", "$asked", False, C)
    post(r, "the invoice of FREIGHT", "$invoice")
    billed(r, "FREIGHT", 2)
    note(r, "R-6", back(1, 1, "2.5000", "$vat7", product="$fee"))
    r.call("the note asks", "model.account.invoice.post", ["$credit"], C, keep={"asked": "/error/1/0"})
    look(r, "R-6 asked")
    r.call("nobody minds the note", "model.res.user.warning.skip", "$asked", False, C)
    r.call("nobody minds it twice", "model.res.user.warning.skip", "$asked", False, C)
    post(r, "R-6")
    look(r, "R-6 posted")
    note(r, "R-7", back(1, 1, "2.5000", "$vat7", product="$fee"))
    r.call("another note asks again", "model.account.invoice.post", ["$credit"], C)
    r.call("it is withdrawn", "model.account.invoice.cancel", ["$credit"], C)
    look(r, "R-7 withdrawn")


def amount(r):
    """An amount beside all lines, without a tax."""
    mugs(r, "AMOUNT", 2)
    post(r, "the invoice of AMOUNT", "$invoice")
    billed(r, "AMOUNT", 1)
    note(r, "R-8", back(0, 1, "7.5000", product="$round"))
    post(r, "R-8")
    look(r, "R-8 posted")
    note(r, "R-9", back(0, 1, "10.0000", "$vat"), back(0, -1, "2.5000", product="$round"))
    post(r, "R-9")
    look(r, "R-9 posted")
    given(r, "amounts", 1)


def in_yen(r):
    """What was sold in another currency is given back in it."""
    sold(r, "YEN", line("$MUG", 3, "1000.0000", "$vat"), currency="$JPY")
    post(r, "the invoice of YEN", "$invoice")
    billed(r, "YEN", 1)
    note(r, "R-10", back(0, 1, "1000.0000", "$vat", currency="$JPY"), currency="$JPY")
    post(r, "R-10")
    look(r, "R-10 posted")
    wrong = back(0, 1, "1000.0000", "$vat")
    row = {"company": 1, "type": "out", "party": "$of_party", "invoice_address": "$of_invoice_address", "currency": "$JPY",
           "account": "$of_account", "journal": "$of_journal", "lines": [["create", [wrong]]]}
    r.call("a line in another currency than its note", "model.account.invoice.create", [row], C)


def refused(r):
    """What a note lacks."""
    row = {"company": 1, "type": "out", "party": "$of_party", "invoice_address": "$of_invoice_address", "currency": "$EUR",
           "account": "$of_account", "journal": "$of_journal", "reference": "R-11", "lines": [["create", [back(0, 1, "1.0000", "$vat")]]]}
    for field in ("party", "invoice_address", "account"):
        r.call(f"without {field}", "model.account.invoice.create", [{k: v for k, v in row.items() if k != field}], C)
    for field in ("account", "quantity", "unit_price"):
        one = {k: v for k, v in back(0, 1, "1.0000", "$vat").items() if k != field}
        r.call(f"a line without {field}", "model.account.invoice.create", [row | {"lines": [["create", [one]]]}], C)
    r.call("without a journal", "model.account.invoice.create", [{k: v for k, v in row.items() if k != "journal"}], C, keep={"credit": "/result/0"})
    post(r, "without a journal")


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    r.find("JPY", "currency.currency", [["code", "=", "JPY"]])
    r.find("vat7", "account.tax", [["name", "=", "VAT 7%"]])
    in_parts(r)
    too_much(r)
    leveled(r)
    freight(r)
    amount(r)
    refused(r)
    in_yen(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
