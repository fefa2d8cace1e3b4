"""Counts what a Tryton database holds, by SQL alone: every sale with its total, recomputed from its stored lines.

usage: tryton_count.py DATABASE.sqlite
Prints {"orders":[…],"customers":[…]} in the shape of the simulators' ledgers, plus per order what the server itself
stored as total ("stored", null before confirmation) so that the two can be held against each other.
"""
import json
import sqlite3
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import cycle

STATES = {"draft": "draft", "quotation": "draft", "cancelled": "cancelled"}


def number(value):
    """A stored number as an exact decimal: the server keeps decimals as text in blobs, quantities as floats."""
    if value is None:
        return Decimal(0)
    return Decimal(value.decode() if isinstance(value, bytes) else str(value))


def plain(value):
    """The shortest decimal text."""
    text = format(value.normalize(), "f")
    return "0" if text in ("-0", "0") else text


def rounded(value, step):
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step


def settle(amounts, step):
    """Each amount rounded; where the roundings together make up a step, steps are taken back from the first ones."""
    exact, amounts = list(amounts), [rounded(amount, step) for amount in amounts]
    rest = rounded(sum(amounts) - sum(exact, Decimal(0)), step) if amounts else Decimal(0)
    offset = step.copy_sign(rest)
    for at in cycle(range(len(amounts))):
        if abs(rest) < step or not any(amounts):
            break
        if amounts[at]:
            amounts[at] -= offset
            rest -= offset
    return amounts


def tax_of(lines, step, by_document):
    """The tax of a sale: lines with the same taxes and sign are summed, then rounded (or rounded line by line)."""
    groups = {}
    for quantity, price, taxes in lines:
        amounts = [price * rate * quantity for _, rate in taxes]
        if not by_document:
            amounts = settle(amounts, step)
        key = (tuple(tax for tax, _ in taxes), price * quantity >= 0)
        held = groups.setdefault(key, [Decimal(0)] * len(amounts))
        groups[key] = [a + b for a, b in zip(held, amounts)]
    total = Decimal(0)
    for amounts in groups.values():
        total += sum(settle(amounts, step) if by_document else amounts, Decimal(0))
    return total


def orders(db):
    columns = {row[1] for row in db.execute('PRAGMA table_info("sale_sale")')}
    mark = "s.web_id" if "web_id" in columns else "s.description"
    rounding = db.execute("SELECT tax_rounding FROM account_configuration_tax_rounding LIMIT 1").fetchone()
    by_document = not rounding or rounding[0] != "line"
    rates = {tax: number(rate) for tax, rate in db.execute("SELECT id, rate FROM account_tax")}
    taxes, lines = {}, {}
    for line, tax in db.execute('SELECT l.line, l.tax FROM "sale_line-account_tax" l JOIN account_tax t ON t.id = l.tax ORDER BY t.sequence, t.id'):
        taxes.setdefault(line, []).append((tax, rates[tax]))
    for row in db.execute(
        "SELECT l.id, l.sale, l.quantity, l.unit_price, p.code FROM sale_line l LEFT JOIN product_product p ON p.id = l.product"
        " WHERE l.type = 'line' ORDER BY l.sequence IS NOT NULL, l.sequence, l.id"
    ):
        lines.setdefault(row["sale"], []).append(row)
    for sale in db.execute(
        f"SELECT s.id, s.number, s.reference, {mark} AS mark, s.state, s.total_amount_cache, c.code, c.rounding, p.code AS party"
        " FROM sale_sale s JOIN currency_currency c ON c.id = s.currency JOIN party_party p ON p.id = s.party ORDER BY s.id"
    ):
        step = number(sale["rounding"])
        counted, untaxed, shown = [], Decimal(0), []
        for line in lines.get(sale["id"], []):
            quantity, price = number(line["quantity"]), number(line["unit_price"])
            amount = rounded(quantity * price, step)
            untaxed += amount
            counted.append((quantity, price, taxes.get(line["id"], [])))
            shown.append({"id": line["id"], "parent": None, "sku": line["code"], "qty": plain(quantity), "total": plain(amount)})
        stored = sale["total_amount_cache"]
        yield {
            "id": sale["id"],
            "number": sale["number"],
            "reference": sale["reference"],
            "mark": sale["mark"],
            "state": STATES.get(sale["state"], "released"),
            "currency": sale["code"],
            "total": plain(untaxed + tax_of(counted, step, by_document)),
            "stored": None if stored is None else plain(number(stored)),
            "party": sale["party"],
            "lines": shown,
        }


def customers(db):
    columns = db.execute("SELECT name FROM sqlite_master WHERE name = 'web_shop'").fetchone()
    others = {row[0] for row in db.execute("SELECT party FROM company_company")}
    if columns:
        others |= {row[0] for row in db.execute("SELECT guest_party FROM web_shop")}
    for party in db.execute(
        "SELECT p.id, p.code, p.name, (SELECT m.value FROM party_contact_mechanism m WHERE m.party = p.id AND m.type = 'email'"
        " ORDER BY m.sequence, m.id LIMIT 1) AS email FROM party_party p ORDER BY p.id"
    ):
        if party["id"] not in others:
            yield {"id": party["id"], "reference": party["code"], "name": party["name"], "email": party["email"]}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=60)
    db.row_factory = sqlite3.Row
    json.dump({"orders": list(orders(db)), "customers": list(customers(db))}, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
