"""Records what a real Tryton answers where a payment of an invoice is booked, in full, in parts, twice, and where it cannot be.

usage: record_tryton_payments.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-payments.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import json
import sys

from record_tryton import C, TODAY, Recorder, dec, line, sale
from record_tryton_papers import DATE, paid_in_cash, ready, sold

INVOICE = ["number", "state", "invoice_date", "currency.code", "party", "company", "total_amount", "amount_to_pay"]
LINE = ["debit", "credit", "amount_second_currency", "second_currency.code", "invoice_payment", "move.description", "move.date", "reconciliation"]
LONG_AGO = {"__class__": "date", "year": 1999, "month": 3, "day": 2}
LAST_YEAR = {"__class__": "date", "year": TODAY.year - 1, "month": 3, "day": 2}


def look(r, name):
    """The invoice at hand, what was paid on it, and how far its sale has come."""
    r.call(f"invoice: {name}", "model.account.invoice.read", ["$invoice"], INVOICE, C)
    r.call(f"payments: {name}", "model.account.move.line.search_read", [["invoice_payment", "in", ["$invoice"]]], 0, None, [["id", "ASC"]], LINE, C)
    r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "invoice_state", "invoices"], C)


def stamp(r):
    r.call("stamp", "model.account.invoice.read", ["$invoice"], ["_timestamp"], C, keep={"stamp": "/result/0/_timestamp"})


def pay(r, name, amount, description, guarded=True, **more):
    """Books a payment in one request: what would be asked is answered with it."""
    r.call(f"the wizard: {name}", "wizard.account.invoice.pay.create", C, keep={"wizard": "/result/0"})
    start = {"amount": dec(amount), "currency": "$EUR", "date": DATE, "payee": "$party", "payment_method": "$cash", "company": 1,
             "description": description, "invoice_account": None, **more}
    about = {**C, "active_model": "account.invoice", "active_id": "$invoice", "active_ids": ["$invoice"]}
    if guarded:
        about["_timestamp"] = {"account.invoice,${invoice}": "$stamp"}
    r.call(name, "wizard.account.invoice.pay.execute", "$wizard", {"start": start, "ask": {"type": "partial"}}, "pay", about)
    r.call(f"the wizard is gone: {name}", "wizard.account.invoice.pay.delete", "$wizard", C)


def posted(r, name, *quantities):
    sold(r, name, *quantities)
    r.call(f"post {name}", "model.account.invoice.post", ["$invoice"], C)
    stamp(r)


def whole(r):
    """In full, once; and once more."""
    sold(r, "WHOLE", 3)
    stamp(r)
    pay(r, "nothing is owed by a draft", "35.70", "m-draft")
    look(r, "a draft")
    r.call("post WHOLE", "model.account.invoice.post", ["$invoice"], C)
    stamp(r)
    look(r, "posted")
    pay(r, "more than is owed", "35.71", "m-more")
    pay(r, "in full", "35.70", "m-full")
    look(r, "paid")
    pay(r, "the same once more", "35.70", "m-full")
    stamp(r)
    pay(r, "the same on what it is now", "35.70", "m-full")
    pay(r, "the same without a stamp", "35.70", "m-full", guarded=False)
    look(r, "still paid")


def parts(r):
    """In parts; a part twice, with the stamp and without."""
    posted(r, "PARTS", 3)
    pay(r, "a part", "10.00", "m-one")
    look(r, "a part is paid")
    pay(r, "the part once more", "10.00", "m-one")
    look(r, "nothing came of it")
    pay(r, "the part once more, without a stamp", "10.00", "m-one", guarded=False)
    look(r, "it is paid twice")
    stamp(r)
    pay(r, "more than is left", "15.71", "m-two")
    pay(r, "the rest", "15.70", "m-two")
    look(r, "all parts are paid")


def refused(r):
    """What cannot be booked."""
    posted(r, "REFUSED", 1)
    pay(r, "by no method", "11.90", "m-method", payment_method=999)
    pay(r, "long ago", "11.90", "m-past", date=LONG_AGO)
    pay(r, "nothing", "0.00", "m-nothing")
    look(r, "nothing was booked")
    r.call("the methods", "model.account.invoice.payment.method.search_read", [["company", "=", 1]], 0, None, [["id", "ASC"]], ["name"], C)
    r.call("no wizard", "wizard.account.invoice.pay.execute", 999, {}, "pay", C)


def abroad(r):
    """In another currency than the books are kept in."""
    row, context = sale([line("$MUG", 3, "10.0000", "$vat")], reference="USD", web_id="USD", currency="$USD")
    r.call("sale USD", "model.sale.sale.create", row, context, keep={"sale": "/result/0"})
    r.press("$sale", "quote", "confirm")
    r.call("papers of USD", "model.sale.sale.read", ["$sale"], ["invoices", "currency.code"], C, keep={"invoice": "/result/0/invoices/0"})
    r.call("post USD", "model.account.invoice.post", ["$invoice"], C)
    stamp(r)
    pay(r, "dollars in part", "10.00", "m-usd", currency="$USD")
    abroad_look(r, "dollars in part")
    stamp(r)
    pay(r, "all the dollars", "25.70", "m-rest", currency="$USD")
    abroad_look(r, "all the dollars")


def abroad_look(r, name):
    """As above; what it comes to in the books goes by rates, which the simulated server has none of."""
    r.call(f"invoice: {name}", "model.account.invoice.read", ["$invoice"], INVOICE, C)
    fields = [field for field in LINE if field not in ("debit", "credit", "reconciliation")]
    r.call(f"payments: {name}", "model.account.move.line.search_read", [["invoice_payment", "in", ["$invoice"]]], 0, None, [["id", "ASC"]], fields, C)


def closed(r):
    """On a day whose period is closed."""
    posted(r, "CLOSED", 1)
    Recorder.call(r.unrecorded, "periods", "model.account.period.search", [["start_date", "<=", LAST_YEAR], ["end_date", ">=", LAST_YEAR]], 0, 1, None, C,
                  keep={"period": "/result/0"})
    Recorder.call(r.unrecorded, "closed", "model.account.period.close", ["$period"], C)
    pay(r, "in a closed period", "11.90", "m-closed", date=LAST_YEAR)
    look(r, "nothing was booked there")


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    r.unrecorded = Recorder(place)
    r.find("USD", "currency.currency", [["code", "=", "USD"]])
    paid_in_cash(r.place, "Gateway")
    r.find("cash", "account.invoice.payment.method", [["name", "=", "Gateway"]])
    whole(r)
    parts(r)
    refused(r)
    abroad(r)
    closed(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
