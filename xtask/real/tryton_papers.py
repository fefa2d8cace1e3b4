"""The warehouse and the clerks of a running Tryton, by its own API: sales leave in whole or in parts, in parcels whose
numbers come with them, later, anew or go again; invoices are posted, their money comes, and some of it goes back.

usage: tryton_papers.py URL LOGIN PASSWORD ROUND TILL
  ROUND  every number works on other papers; tryton_people.py has set up the carrier and the way to pay
  TILL   a JSON file with the references of sales whose money is the shop's to take and to give back: they are only posted
Prints one JSON list of what was done: [{"what","of","to"},…], `what` being one of whole, part, parcel, later, numbered,
renumbered, unnumbered, posted, paid, all_back, piece_back, amount_back. What finds nothing to work on is left out.
"""
import json
import sys
from decimal import Decimal

from tryton_people import Refused, Tryton, assigned, dec, turn

SENT = 4  # shipments a round tries to send
ASKED = 3  # invoices a round posts, and is paid
TILL_ASKED = 3  # invoices of the till a round posts beside these
BACK = 2  # sales a round tries to give money back of
STYLES = ("whole", "part", "parcel", "later")
GIVEN = ("all_back", "piece_back", "amount_back")


class Clerks(Tryton):
    """A session of those who know what the shop takes at its till."""

    till = ()

    def billed(self, references):
        """The invoices of the sales with these references."""
        rows = self.call("sale.sale", "search_read", [["reference", "in", list(references)]], 0, None, None, ["invoices"])
        return [invoice for row in rows for invoice in row["invoices"]]


def half(t, shipment):
    """True where less is to be picked than was sold: half of each move within the house, at least one piece."""
    moves = t.call("stock.move", "search_read", [["shipment", "=", f"stock.shipment.out,{shipment}"], ["origin", "like", "stock.move,%"],
                                                 ["state", "=", "draft"]], 0, None, [["id", "ASC"]], ["quantity"])
    fewer = [["write", [row["id"]], {"quantity": float(row["quantity"] // 2)}] for row in moves if row["quantity"] > 1]
    if fewer:
        t.call("stock.shipment.out", "write", [shipment], {"inventory_moves": fewer})
    return bool(fewer)


def packed(t, shipment, n, with_number):
    """Nothing: everything that leaves lies in parcels, one for each move; two at most."""
    box = t.one("stock.package.type", [])
    moves = t.search("stock.move", [["shipment", "=", f"stock.shipment.out,{shipment}"], ["origin", "like", "sale.line,%"],
                                    ["state", "!=", "cancelled"], ["quantity", ">", 0]])
    for at, held in enumerate(part for part in (moves[:1], moves[1:]) if part):
        number = f"JJD{n:04}{shipment:06}{at}" if with_number else None
        t.call("stock.package", "create", [{"type": box, "shipment": f"stock.shipment.out,{shipment}", "shipping_reference": number,
                                            "moves": [["add", held]]}])


def send(t, n, done):
    """Sales leave, each in another way; what is not on the shelf waits."""
    waiting = t.search("stock.shipment.out", [["state", "=", "waiting"]])
    for at in range(min(SENT, len(waiting))):
        shipment = waiting[(5 * n + at * max(1, len(waiting) // SENT)) % len(waiting)]
        style = turn(STYLES, n + at)
        if style == "part" and not half(t, shipment):
            style = "whole"
        if not assigned(t, shipment):
            continue
        t.call("stock.shipment.out", "pick", [shipment])
        if style in ("parcel", "later"):
            packed(t, shipment, n, style == "parcel")
        for button in ("pack", "ship", "do"):
            t.call("stock.shipment.out", button, [shipment])
        done(style, shipment, None)


def number(t, n, done):
    """Parcels that have left get their number, another one, or lose it."""
    left = [["shipment.state", "=", "done", "stock.shipment.out"]]
    without = t.search("stock.package", [*left, ["shipping_reference", "=", None]])
    for at in range(min(2, len(without))):
        parcel = turn(without, 3 * n + at)
        t.call("stock.package", "write", [parcel], {"shipping_reference": f"LATE{n:04}{parcel:06}"})
        done("numbered", parcel, None)
    having = t.search("stock.package", [*left, ["shipping_reference", "like", "JJD%"]])
    for what, named in (("renumbered", f"NEW{n:04}"), ("unnumbered", None))[: 1 + (n % 4 == 3)]:
        if having:
            parcel = turn(having, 7 * n + (what == "unnumbered"))
            t.call("stock.package", "write", [parcel], {"shipping_reference": named and f"{named}{parcel:06}"})
            done(what, parcel, None)


def ask(t, n, done):
    """Invoices are posted, those of the till first, and the money of those that are comes."""
    of_till = t.billed(t.till)
    for invoice in t.search("account.invoice", [["id", "in", of_till], ["state", "=", "draft"]], TILL_ASKED):
        t.call("account.invoice", "post", [invoice])
        done("posted", invoice, None)
    drafts = t.search("account.invoice", [["type", "=", "out"], ["state", "=", "draft"], ["id", "not in", of_till]])
    for at in range(min(ASKED, len(drafts))):
        invoice = drafts[(5 * n + at * max(1, len(drafts) // ASKED)) % len(drafts)]
        t.call("account.invoice", "post", [invoice])
        done("posted", invoice, None)
    owed = t.search("account.invoice", [["type", "=", "out"], ["state", "=", "posted"], ["id", "not in", of_till]])
    # Somebody always owes something.
    for at in range(min(ASKED, len(owed) - 1)):
        invoice = owed[(3 * n + at * max(1, len(owed) // ASKED)) % len(owed)]
        if pay(t, invoice):
            done("paid", invoice, None)


def pay(t, invoice):
    """True where the money came, all of it, in the currency that was asked for."""
    row, = t.call("account.invoice", "read", [invoice], ["amount_to_pay", "currency", "party", "state"])
    if row["state"] != "posted" or amount(row["amount_to_pay"]) <= 0:
        return False
    about = {"active_model": "account.invoice", "active_id": invoice, "active_ids": [invoice]}
    wizard, _, _ = t.wizard("account.invoice.pay", "create")
    start = {"amount": row["amount_to_pay"], "currency": row["currency"], "date": t.day(), "payee": row["party"], "company": 1,
             "payment_method": t.one("account.invoice.payment.method", []), "description": f"transfer {invoice}", "invoice_account": None}
    t.wizard("account.invoice.pay", "execute", wizard, {"start": start}, "choice", **about)
    return t.call("account.invoice", "read", [invoice], ["state"])[0]["state"] == "paid"


def give_back(t, n, done):
    """Money that came for sales of which all has left goes back: all of it, a piece, or an amount for one; once a sale."""
    # Yens that no number of the website's cents makes are a person's to give back, stories have them; and of what was free
    # there is nothing to give back.
    over = t.search("sale.sale", [["shipment_state", "=", "sent"], ["invoice_state", "=", "paid"], ["currency.code", "!=", "JPY"],
                                  ["reference", "not in", t.till]])
    for at in range(min(BACK, len(over))):
        sale = over[(5 * n + at * max(1, len(over) // BACK)) % len(over)]
        bills = t.call("sale.sale", "read", [sale], ["invoices"])[0]["invoices"]
        bill, = t.call("account.invoice", "read", bills[:1], ["state", "lines", "total_amount"])
        sold = [f"account.invoice.line,{line}" for line in bill["lines"]]
        if bill["state"] != "paid" or not amount(bill["total_amount"]) or t.search("account.invoice.line", [["origin", "in", sold]]):
            continue
        style, note = turn(GIVEN, n + at), noted(t, bill["id"], sold)
        if style != "all_back" and not fewer(t, note, style):
            style = "all_back"
        t.call("account.invoice", "post", [note])
        done(style, note, None)


def noted(t, bill, sold):
    """The draft of a credit note for all of an invoice."""
    about = {"active_model": "account.invoice", "active_id": bill, "active_ids": [bill]}
    wizard, _, _ = t.wizard("account.invoice.credit", "create")
    start = {"with_refund": False, "with_refund_allowed": True, "invoice_date": None}
    t.wizard("account.invoice.credit", "execute", wizard, {"start": start}, "credit", **about)
    line = t.search("account.invoice.line", [["origin", "in", sold]])[0]
    return t.call("account.invoice.line", "read", [line], ["invoice"])[0]["invoice"]


def fewer(t, note, style):
    """True where one piece of the first goods is left of a note, or half of what it cost."""
    lines = t.call("account.invoice.line", "search_read", [["invoice", "=", note]], 0, None, [["id", "ASC"]],
                   ["quantity", "unit_price", "product.type"])
    goods = [row for row in lines if (row["product."] or {}).get("type") == "goods" and amount(row["unit_price"]) >= 2]
    if not goods:
        return False
    one, price = goods[0], (amount(goods[0]["unit_price"]) / 2).quantize(Decimal("1.00"))
    less = {"quantity": -1.0, **({"unit_price": dec(str(price))} if style == "amount_back" else {})}
    others = [row["id"] for row in lines if row["id"] != one["id"]]
    t.call("account.invoice", "write", [note], {"lines": [["write", [one["id"]], less], *([["delete", others]] if others else [])]})
    return True


def amount(told):
    """A number of the API as a number."""
    return Decimal(told["decimal"])


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    t, n = Clerks(*sys.argv[1:4]), int(sys.argv[4])
    t.till = json.loads(open(sys.argv[5], encoding="utf-8").read())
    changes = []

    def done(what, of, to):
        changes.append({"what": what, "of": str(of), "to": to})

    for work in (send, number, ask, give_back):
        try:
            work(t, n, done)
        except Refused as refused:  # what is half done is taken up by another round
            print(f"{work.__name__}: {refused}", file=sys.stderr)
    json.dump(changes, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
