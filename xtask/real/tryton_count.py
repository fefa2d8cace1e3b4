"""Counts what a Tryton database holds, by SQL alone: every sale with its total, recomputed from its stored lines, and
what lies on the shelves, what goods cost, what they are called, who buys them, what left and what was paid for.

usage: tryton_count.py DATABASE.sqlite
Prints {"orders":[…],"customers":[…],"stock":[…],"prices":[…],"products":[…],"shipments":[…],"invoices":[…],"credits":[…],"payments":[…]} in the
shape of the simulators' ledgers, plus per order and invoice what the server itself stored as total ("stored", null before
confirmation) so that the two can be held against each other. Stock, prices and texts are worked out here from moves, formulas and translations; Tryton is not asked.
"""
import datetime
import json
import re
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
        " ORDER BY m.sequence, m.id LIMIT 1) AS email, (SELECT m.value FROM party_contact_mechanism m WHERE m.party = p.id"
        " AND m.type = 'phone' ORDER BY m.sequence, m.id LIMIT 1) AS phone, (SELECT i.code FROM party_identifier i"
        " WHERE i.party = p.id ORDER BY i.sequence, i.id LIMIT 1) AS tax_id FROM party_party p ORDER BY p.id"
    ):
        if party["id"] not in others:
            yield {
                "id": party["id"],
                "reference": party["code"],
                "name": party["name"],
                "email": party["email"],
                "tax_id": party["tax_id"] or "",
                "phone": party["phone"] or "",
            }


GOODS = (
    "SELECT p.id, p.template, p.code FROM product_product p JOIN product_template t ON t.id = p.template"
    " WHERE p.active AND t.active AND p.code IS NOT NULL AND p.code != ''"
)


def stock(db):
    """What lies in each warehouse, and what will once everything planned has come and gone, or has by today."""
    today = datetime.date.today().isoformat()
    kept = db.execute(GOODS + " AND t.type = 'goods' ORDER BY p.id").fetchall()
    for house in db.execute("SELECT id, code FROM stock_location WHERE type = 'warehouse' ORDER BY id").fetchall():
        inside = {row[0] for row in db.execute(
            "WITH RECURSIVE inside(id) AS (SELECT ? UNION SELECT l.id FROM stock_location l JOIN inside ON l.parent = inside.id)"
            " SELECT id FROM inside", (house["id"],))}
        sums = {row["id"]: dict.fromkeys(("on_hand", "forecast", "by_today", "late"), Decimal(0)) for row in kept}
        for move in db.execute("SELECT product, internal_quantity, from_location, to_location, state, planned_date FROM stock_move"):
            comes, goes = move["to_location"] in inside, move["from_location"] in inside
            if comes == goes or move["product"] not in sums:
                continue
            pieces, of = number(move["internal_quantity"]), sums[move["product"]]
            signed = pieces if comes else -pieces
            if move["state"] == "done":
                for figure in ("on_hand", "forecast", "by_today"):
                    of[figure] += signed
            elif move["state"] in ("draft", "assigned"):
                day = move["planned_date"]
                if day is None or day >= today:
                    of["forecast"] += signed
                if day == today:
                    of["by_today"] += signed
                if day is not None and day < today and goes and move["state"] == "draft":
                    of["late"] += pieces
        for row in kept:
            yield {"sku": row["code"], "warehouse": house["code"], **{name: plain(sum) for name, sum in sums[row["id"]].items()}}


def prices(db):
    """The list price of everything, and what each price list comes to, from each quantity on where it changes."""
    own, of_template = {}, {}
    for row in db.execute("SELECT product, template, list_price FROM product_list_price WHERE list_price IS NOT NULL"):
        (own if row["product"] else of_template)[row["product"] or row["template"]] = number(row["list_price"])
    costs = {row["id"]: own.get(row["id"], of_template.get(row["template"])) for row in db.execute(GOODS)}
    codes = {row["id"]: row["code"] for row in db.execute(GOODS)}
    for product, price in costs.items():
        if price is not None:
            yield {"list": "list", "sku": codes[product], "quantity": "1", "amount": plain(price)}
    for held in db.execute("SELECT id, name FROM product_price_list WHERE active AND NOT tax_included AND price = 'list_price'").fetchall():
        lines = db.execute(
            "SELECT product, quantity, formula FROM product_price_list_line WHERE price_list = ?"
            " ORDER BY sequence IS NOT NULL, sequence, id", (held["id"],)).fetchall()
        for product, price in costs.items():
            mine = [line for line in lines if line["product"] in (None, product)]
            steps = sorted({Decimal(1)} | {number(line["quantity"]) for line in mine if line["quantity"] and number(line["quantity"]) > 1})
            last = None
            for step in steps:
                fits = [line for line in mine if number(line["quantity"]) <= step]
                amount = computed(fits[0]["formula"], price) if fits and price is not None else None
                if amount is not None and amount != last:
                    yield {"list": held["name"], "sku": codes[product], "quantity": plain(step), "amount": plain(amount)}
                last = amount


def computed(formula, price):
    """What a formula of the shape `unit_price * 0.9` comes to, to four decimals; those who fill the database write no other."""
    found = re.fullmatch(r"unit_price(?: \* ([0-9.]+))?", formula)
    if not found:
        raise SystemExit(f"a formula this count does not know: {formula}")
    return (price * Decimal(found[1] or 1)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)


def products(db):
    """What everything is called in each language that has a text of its own."""
    texts = {}
    for row in db.execute(
        "SELECT name, lang, res_id, value FROM ir_translation WHERE type = 'model' AND res_id >= 0 AND value != ''"
        " AND name IN ('product.template,name', 'product.product,description')"
    ):
        texts.setdefault((row["name"], row["res_id"]), {})[row["lang"]] = row["value"]
    for row in db.execute(GOODS + " ORDER BY p.id"):
        told = {}
        for field, key in (("name", ("product.template,name", row["template"])), ("description", ("product.product,description", row["id"]))):
            for language, text in texts.get(key, {}).items():
                told.setdefault(language, {})[field] = text
        yield {"sku": row["code"], "texts": told}


SOLD = ("SELECT {of}.{document} AS document, l.sale, p.code AS sku, {of}.quantity, {more} FROM {table} {of}"
        " JOIN sale_line l ON {of}.origin = 'sale.line,' || l.id LEFT JOIN product_product p ON p.id = l.product")


def shipments(db):
    """What left the house or is to, with the sale of each part and the numbers of its parcels."""
    parts, numbers = {}, {}
    for row in db.execute(SOLD.format(of="m", document="shipment", table="stock_move", more="m.state")
                          + " WHERE m.shipment LIKE 'stock.shipment.out,%' AND m.quantity != 0 ORDER BY m.id"):
        parts.setdefault(row["document"], []).append(
            {"sale": row["sale"], "sku": row["sku"], "qty": plain(number(row["quantity"])), "state": row["state"]})
    for row in db.execute("SELECT shipment, shipping_reference FROM stock_package WHERE shipping_reference != '' ORDER BY id"):
        numbers.setdefault(row["shipment"], []).append(row["shipping_reference"])
    for row in db.execute("SELECT id, number, state, shipping_reference FROM stock_shipment_out ORDER BY id"):
        name = f"stock.shipment.out,{row['id']}"
        of_parcels, own = numbers.get(name, []), row["shipping_reference"]
        yield {"id": row["id"], "number": row["number"], "state": row["state"], "left": row["state"] in ("shipped", "done"),
               "lines": parts.get(name, []), "tracks": of_parcels or ([own] if own else [])}


def invoices(db):
    """What customers were asked for; a note that gives back what was free is about no money, and stands in neither list."""
    return (row for row in bills(db) if not row.pop("back"))


def credits(db):
    """What customers were given back, as positive amounts."""
    for row in bills(db):
        if row.pop("back") and row["total"].startswith("-"):
            yield {**row, **{name: row[name] and row[name].removeprefix("-") for name in ("total", "stored")}}


def bills(db):
    """What customers were asked for or given back (`back`), with the sales behind it and the total that its lines and taxes
    make."""
    steps = {row["id"]: number(row["rounding"]) for row in db.execute("SELECT id, rounding FROM currency_currency")}
    sales, notes = {}, set()
    for row in db.execute(SOLD.format(of="i", document="invoice", table="account_invoice_line", more="1") + " WHERE i.type = 'line'"):
        sales.setdefault(row["document"], set()).add(row["sale"])
    for row in db.execute(
        "SELECT n.invoice AS document, l.sale FROM account_invoice_line n JOIN account_invoice_line i"
        " ON n.origin = 'account.invoice.line,' || i.id JOIN sale_line l ON i.origin = 'sale.line,' || l.id"
    ):
        sales.setdefault(row["document"], set()).add(row["sale"])
        notes.add(row["document"])
    for row in db.execute(
        "SELECT i.id, i.number, i.state, i.currency, c.code, i.total_amount_cache AS stored FROM account_invoice i"
        " JOIN currency_currency c ON c.id = i.currency WHERE i.type = 'out' ORDER BY i.id"
    ).fetchall():
        lines = db.execute("SELECT quantity, unit_price FROM account_invoice_line WHERE invoice = ? AND type = 'line'", (row["id"],))
        total = sum((rounded(number(q) * number(price), steps[row["currency"]]) for q, price in lines), Decimal(0))
        total += sum((number(tax) for tax, in db.execute("SELECT amount FROM account_invoice_tax WHERE invoice = ?", (row["id"],))), Decimal(0))
        yield {"id": row["id"], "number": row["number"], "state": row["state"], "currency": row["code"], "total": plain(total),
               "back": total < 0 or (not total and row["id"] in notes),
               "stored": None if row["stored"] is None else plain(number(row["stored"])), "sales": sorted(sales.get(row["id"], []))}


def payments(db):
    """Money that was booked on an invoice under a mark, line by line, in the invoice's currency."""
    for row in db.execute(
        "SELECT p.invoice, l.debit, l.credit, l.amount_second_currency AS foreign_amount, m.description"
        ' FROM "account_invoice-account_move_line" p JOIN account_move_line l ON l.id = p.line JOIN account_move m ON m.id = l.move'
        " WHERE m.description LIKE 'SL%' ORDER BY p.id"
    ):
        own = number(row["credit"]) - number(row["debit"])
        paid = own if row["foreign_amount"] is None else -number(row["foreign_amount"])
        yield {"invoice": row["invoice"], "amount": plain(paid), "mark": row["description"].split()[0]}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=60)
    db.row_factory = sqlite3.Row
    told = {"orders": orders, "customers": customers, "stock": stock, "prices": prices, "products": products,
            "shipments": shipments, "invoices": invoices, "credits": credits, "payments": payments}
    json.dump({name: list(of(db)) for name, of in told.items()}, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
