"""Records what a real Tryton answers about money that is given back: credit notes, refunds and returns.

usage: record_tryton_credits.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-credits.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import json
import sys

from record_tryton import C, TODAY, Recorder, dec
from record_tryton_papers import DATE, INVOICE, paid_in_cash, ready, sold

BILL = INVOICE + ["cancel_move", "move"]
BELOW_NOTHING = ["lines", "where", ["OR", ["quantity", "<", 0], ["unit_price", "<", 0]]]


def told(r, name, *invoices):
    """The invoices at hand, and how far their sale has come."""
    for invoice in invoices:
        r.call(f"{invoice}: {name}", "model.account.invoice.read", [invoice], BILL, C)
    r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "invoice_state", "shipment_state", "invoices"], C)


def posted(r, name, *quantities):
    sold(r, name, *quantities)
    r.call(f"post {name}", "model.account.invoice.post", ["$invoice"], C)


def newest(r, model, keep, domain=()):
    r.call(f"the newest {model}", f"model.{model}.search", list(domain), 0, 1, [["id", "DESC"]], C, keep={keep: "/result/0"})


def credited(r, refund):
    """The wizard at the invoice at hand; the note is kept as `credit`."""
    r.call("a wizard", "wizard.account.invoice.credit.create", C, keep={"wizard": "/result/0"})
    about = {**C, "active_model": "account.invoice", "active_id": "$invoice", "active_ids": ["$invoice"]}
    start = {"with_refund": refund, "with_refund_allowed": True, "invoice_date": None}
    r.call("credited", "wizard.account.invoice.credit.execute", "$wizard", {"start": start}, "credit", about)
    newest(r, "account.invoice", "credit", [["type", "=", "out"]])


def refunded(r):
    """A note that undoes its invoice."""
    posted(r, "REFUND", 3, 2)
    credited(r, True)
    told(r, "refunded", "$invoice", "$credit")
    r.call("the move", "model.account.invoice.read", ["$invoice"], ["cancel_move"], C, keep={"undone": "/result/0/cancel_move"})
    r.call("whose move it is", "model.account.invoice.search_read", [["move", "in", ["$undone"]], ["id", ">", 0]], 0, 500, [["id", "ASC"]],
           ["move", "number"], C)


def in_part(r):
    """A note of which a clerk leaves one piece, then an amount for it, then what is paid out."""
    posted(r, "PART", 3, 1)
    credited(r, False)
    told(r, "a draft", "$invoice", "$credit")
    r.call("its lines", "model.account.invoice.line.search", [["invoice", "=", "$credit"]], 0, None, [["id", "ASC"]], C,
           keep={"one": "/result/0", "other": "/result/1"})
    less = {"lines": [["write", ["$one"], {"quantity": -1, "unit_price": dec("2.5000")}], ["delete", ["$other"]]]}
    r.call("less is given back", "model.account.invoice.write", ["$credit"], less, C)
    told(r, "less", "$credit")
    r.call("the note is posted", "model.account.invoice.post", ["$credit"], C)
    told(r, "posted", "$invoice", "$credit")
    r.kept["cash"] = paid_in_cash(r.place)
    r.call("what is owed", "model.account.invoice.read", ["$credit"], ["total_amount"], C, keep={"total": "/result/0/total_amount"})
    r.call("the wizard", "wizard.account.invoice.pay.create", C, keep={"wizard": "/result/0"})
    start = {"amount": "$total", "currency": "$EUR", "date": DATE, "payee": "$party", "payment_method": "$cash", "company": 1,
             "description": "back", "invoice_account": None}
    about = {**C, "active_model": "account.invoice", "active_id": "$credit", "active_ids": ["$credit"]}
    r.call("paid out", "wizard.account.invoice.pay.execute", "$wizard", {"start": start}, "choice", about)
    told(r, "paid out", "$credit")
    sold(r, "OFF", 1)
    r.call("post OFF", "model.account.invoice.post", ["$invoice"], C)
    credited(r, False)
    r.call("the note is withdrawn", "model.account.invoice.cancel", ["$credit"], C)
    told(r, "withdrawn", "$invoice", "$credit")


def returned(r):
    """A return: a sale of its own, whose invoice gives money back."""
    posted(r, "RETURN", 3, 2)
    r.call("a wizard", "wizard.sale.return_sale.create", C, keep={"wizard": "/result/0"})
    about = {**C, "active_model": "sale.sale", "active_id": "$sale", "active_ids": ["$sale"]}
    r.call("returned", "wizard.sale.return_sale.execute", "$wizard", {"start": {}}, "return_", about)
    newest(r, "sale.sale", "back")
    r.call("the return", "model.sale.sale.read", ["$back"], ["origin", "state", "web_id", "reference", "number", "total_amount",
           "lines.product.code", "lines.quantity", "lines.unit_price"], C)
    for button in ("quote", "confirm"):
        r.call(f"{button} it", f"model.sale.sale.{button}", ["$back"], C)
    r.call("its invoice", "model.sale.sale.read", ["$back"], ["state", "invoice_state", "invoices"], C, keep={"credit": "/result/0/invoices/0"})
    r.call("it is posted", "model.account.invoice.post", ["$credit"], C)
    told(r, "returned", "$invoice", "$credit")
    r.call("lines of it", "model.sale.line.search_read", [["sale", "=", "$back"]], 0, None, [["id", "ASC"]],
           ["sale", "unit.digits", "unit.factor", "product.code", "unit_price", "sale.origin"], C)


def searched(r):
    """Credits as they are looked for, and what their lines come from."""
    credits = [["company", "=", 1], ["type", "=", "out"], BELOW_NOTHING]
    r.call("all credits", "model.account.invoice.search_read", credits, 0, None, [["id", "ASC"]], BILL, C)
    r.call("lines of notes", "model.account.invoice.line.search_read", [["origin", "like", "account.invoice.line,%"]], 0, None,
           [["id", "ASC"]], ["origin", "invoice"], C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    refunded(r)
    in_part(r)
    returned(r)
    searched(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
