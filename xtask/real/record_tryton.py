"""Records what a real Tryton answers to the calls Syncline makes, and to the ones it must survive.

usage: record_tryton.py < the line tryton_up.sh printed > crates/sim/fixtures/tryton-8.0.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton: the same status, shapes,
refusals and money, with ids mapped through the names kept here ("$name" stands for a kept value).
"""
import base64
import datetime
import gzip
import json
import sys
import urllib.error
import urllib.request

from record_tryton_prices import prices

C = {"company": 1, "language": "en"}
DAY = {"__class__": "date", "year": 2026, "month": 3, "day": 2}
TODAY = datetime.date.today()
SALE = ["number", "reference", "state", "untaxed_amount", "tax_amount", "total_amount", "web_id", "write_date",
        "_timestamp", "sale_date", "rec_name", "lines"]
PARTY = ["code", "name", "active", "addresses", "addresses.party_name", "addresses.street", "addresses.postal_code",
         "addresses.city", "addresses.country", "addresses.subdivision", "addresses.invoice", "addresses.delivery",
         "contact_mechanisms.type", "contact_mechanisms.value", "identifiers.type", "identifiers.code",
         "tax_identifier.code", "email", "write_date", "create_date", "_timestamp", "rec_name", "full_name", "lang"]


def dec(text):
    return {"__class__": "Decimal", "decimal": text}


class Recorder:
    def __init__(self, place):
        self.place, self.kept, self.steps = place, {}, []
        self.root = place["url"].rsplit("/", 1)[0]

    def filled(self, value):
        if isinstance(value, str):
            if value[:1] == "$" and value[1:] in self.kept:
                return self.kept[value[1:]]
            for name, known in self.kept.items():
                value = value.replace("${" + name + "}", str(known))
            return value
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        if isinstance(value, dict):
            return {self.filled(key): self.filled(one) for key, one in value.items()}
        return value

    def send(self, name, body, who="sync", path="/erp/rpc/", keep=None):
        word = {"sync": self.place["password"], "wrong": "wrong"}.get(who)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
        if word:
            login = f"{self.place['login']}:{word}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
        data = json.dumps(self.filled(body)).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.root + path, data, headers)) as reply:
                status, answer = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        if answer[:2] == b"\x1f\x8b":
            answer = gzip.decompress(answer)
        answer = json.loads(answer) if status == 200 else None
        self.steps.append({"name": name, "who": who, "path": path, "send": body, "status": status,
                           "answer": shortened(answer), "keep": keep or {}})
        for key, pointer in (keep or {}).items():
            value = answer
            for part in pointer.strip("/").split("/"):
                value = value[int(part) if isinstance(value, list) else part]
            self.kept[key] = value
        return answer

    def call(self, name, method, *params, **more):
        return self.send(name, {"id": 1, "method": method, "params": list(params)}, **more)

    def find(self, name, model, domain):
        self.call(f"find {name}", f"model.{model}.search", domain, 0, 1, [["id", "ASC"]], C, keep={name: "/result/0"})

    def show(self, name, sale):
        """Reads a sale and keeps its _timestamp as `stamp`."""
        self.call(name, "model.sale.sale.read", [sale], SALE, C, keep={"stamp": "/result/0/_timestamp"})

    def press(self, sale, *buttons):
        for button in buttons:
            self.call(f"{button} {sale}", f"model.sale.sale.{button}", [sale], C)


class Desk:
    """Somebody who works there beside a recording; nothing of it is recorded."""

    def __init__(self, r):
        self.r, self.h = r, Recorder(r.place)

    def call(self, method, *params):
        """The result; what is refused ends everything."""
        answer = self.h.call(method, method, *self.r.filled(list(params)))
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"]


def shortened(answer):
    """A domain error without the schema of its fields, which is tens of kilobytes."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if error and error[0] == "UserError" and error[1][2]:
        error[1][2] = [error[1][2][0], {}]
    return answer


def line(product, quantity, price, *taxes, **more):
    return {"type": "line", "product": product, "quantity": quantity, "unit": "$unit", "unit_price": dec(price),
            "taxes": [["add", list(taxes)]], **more}


def sale(lines, **more):
    row = {"company": 1, "party": "$party", "invoice_address": "$bill", "shipment_address": "$ship", "currency": "$EUR",
           "warehouse": "$warehouse", "payment_term": "$term", "sale_date": DAY, "reference": "1001", "web_shop": "$shop",
           "invoice_method": "order", "shipment_method": "order", "lines": [["create", lines]], **more}
    return [[row], C]


def doors(r):
    """Who may come in, and what a request that is none is told."""
    r.call("the version needs no login", "common.server.version", who="nobody", path="/rpc/")
    r.call("nobody", "model.res.user.get_preferences", True, C, who="nobody")
    r.call("wrong password", "model.res.user.get_preferences", True, C, who="wrong")
    r.call("login", "common.db.login", r.place["login"], {"password": r.place["password"]}, "en", who="nobody")
    r.call("login with a wrong password", "common.db.login", r.place["login"], {"password": "wrong"}, "en", who="nobody")
    r.call("preferences", "model.res.user.get_preferences", True, C)
    r.call("unknown model", "model.sale.nope.read", [1], ["x"], C)
    r.call("unknown method", "model.sale.sale.nope", [1], C)
    r.call("unknown field read", "model.party.party.read", [1], ["nope"], C)
    r.call("unknown field searched", "model.party.party.search", [["nope", "=", 1]], C)
    r.call("no context", "model.party.party.search", [])
    r.call("a record that is not there", "model.sale.sale.read", [99999], ["state"], C)
    r.call("writing a record that is not there", "model.sale.sale.write", [99999], {"reference": "x"}, C)
    r.call("a button on a record that is not there", "model.sale.sale.quote", [99999], C)
    r.send("raw result without an id", {"method": "model.party.party.read", "params": [[1], ["name"], C]})
    r.send("raw refusal without an id", {"method": "model.party.party.read", "params": [[99999], ["name"], C]})
    r.send("no method", {"id": 1, "params": []})


def looks(r):
    """The set-up as the probe reads it."""
    for code in ("EUR", "USD", "JPY", "GBP", "KWD"):
        r.find(code, "currency.currency", [["code", "=", code]])
    for name, tax in (("vat19", "VAT 19%"), ("vat7", "VAT 7%"), ("vat0", "VAT 0%")):
        r.find(name, "account.tax", [["name", "=", tax]])
    r.find("term", "account.invoice.payment_term", [["name", "=", "30 days"]])
    r.find("unit", "product.uom", [["name", "=", "Unit"]])
    r.find("warehouse", "stock.location", [["type", "=", "warehouse"]])
    r.find("shop", "web.shop", [["name", "=", "Webshop"]])
    for code in ("DE", "US"):
        r.find(code, "country.country", [["code", "=", code]])
    for name, code in (("berlin", "DE-BE"), ("newyork", "US-NY")):
        r.find(name, "country.subdivision", [["code", "=", code]])
    for code in ("MUG", "BOOK", "SHIPPING", "ROUNDING", "FEE"):
        r.find(code, "product.product", [["code", "=", code]])
    read = lambda model, domain, fields: r.call(  # noqa: E731
        f"probe {model}", f"model.{model}.search_read", domain, 0, None, [["id", "ASC"]], fields, C)
    read("company.company", [], ["party.name", "currency", "currency.code", "timezone"])
    names = ["sale", "web_shop", "sale_shipment_cost"]
    r.call("probe ir.module", "model.ir.module.search_read", [["name", "in", names], ["state", "=", "activated"]], 0, None,
           [["name", "ASC"]], ["name", "state"], C)
    read("currency.currency", [["code", "in", ["EUR", "JPY", "KWD"]]], ["code", "digits", "rounding", "active"])
    read("account.tax", [["name", "like", "VAT%"]], ["name", "rate", "type", "parent", "group", "active", "amount"])
    read("web.shop", [], ["name", "company", "currency", "guest_party", "guest_party.name", "warehouses"])
    read("country.subdivision", [["code", "in", ["DE-BE", "US-NY"]]], ["code", "country.code"])
    read("product.uom", [["name", "=", "Unit"]], ["name", "symbol", "digits"])
    r.call("tax rounding", "model.account.configuration.read", [1], ["tax_rounding"], C)
    fields = ["code", "name", "type", "default_uom", "sale_uom", "salable", "active", "write_date", "template.name"]
    r.call("products by code", "model.product.product.search_read", [["code", "in", ["MUG", "SHIPPING", "NO-SUCH"]]], 0, None,
           [["code", "ASC"]], fields, C)


def parties(r):
    create = "model.party.party.create"
    row = {"name": "Jürgen Groß 😀", "code": "SHOP-17", "addresses": [["create", [
        {"party_name": "Firma Größe GmbH", "street": "Hauptstr. 1\nHinterhof\n3. Stock", "postal_code": " 10115 ", "city": "Berlin",
         "country": "$DE", "subdivision": "$berlin", "invoice": True, "delivery": False},
        {"street_unstructured": "  5th Ave 1\nLine 2 \n", "postal_code": "10001", "city": "New York", "country": "$US",
         "subdivision": "$newyork", "delivery": True}]]],
        "contact_mechanisms": [["create", [{"type": "email", "value": "jane@Example.com "}, {"type": "phone", "value": "abc"}]]],
        "identifiers": [["create", [{"type": "eu_vat", "code": "DE 136 695 976"}]]]}
    r.call("a party with everything", create, [row], C, keep={"party": "/result/0"})
    r.call("read by code", "model.party.party.search_read", [["code", "=", "SHOP-17"]], 0, None, None, PARTY, C,
           keep={"bill": "/result/0/addresses/0", "ship": "/result/0/addresses/1", "stamp": "/result/0/_timestamp"})
    r.call("the same code again", create, [{"name": "dup", "code": "SHOP-17"}], C)
    r.call("two with one code in one call", create, [{"name": "a", "code": "TWO"}, {"name": "b", "code": "TWO"}], C)
    r.call("nothing of it stayed", "model.party.party.search", [["code", "=", "TWO"]], C)
    for code in ("DE123", "HELLO", "ATU13585626"):
        bad = {"name": "badvat", "identifiers": [["create", [{"type": "eu_vat", "code": code}]]]}
        r.call(f"VAT number {code}", create, [bad], C)
    r.call("an unchecked number", create, [{"code": "X-1", "identifiers": [["create", [{"type": None, "code": "whatever"}]]]}], C)
    r.call("a tab in a name", create, [{"name": "a\tb"}], C)
    r.call("another country's region", create, [{"name": "r", "addresses": [["create", [{"country": "$DE", "subdivision": "$newyork"}]]]}], C)
    r.call("a field that is not there", create, [{"name": "f", "colour": "red"}], C)
    r.call("blanks and a long name", create, [{"name": "  " + "x" * 300 + " ", "code": " SHOP-28 "}], C, keep={"blank": "/result/0"})
    r.call("what became of the blanks", "model.party.party.read", ["$blank"], ["name", "code"], C)
    r.call("no code", create, [{"name": "numbered"}], C)
    guard = {"company": 1, "_timestamp": {"party.party,${party}": "$stamp"}}
    more = {"addresses": [["create", [{"street": "Neu 3", "city": "Köln"}]]]}
    r.call("an address, guarded", "model.party.party.write", ["$party"], more, guard)
    r.call("the same, stale", "model.party.party.write", ["$party"], more, guard)
    r.call("three addresses now", "model.party.party.read", ["$party"], ["addresses.city", "addresses.invoice", "write_date"], C)
    r.call("a taken code written", "model.party.party.write", ["$blank"], {"code": "SHOP-17"}, C)
    r.call("no code written", "model.party.party.write", ["$party"], {"code": None}, C)
    r.call("by e-mail", "model.party.party.search_read", [["contact_mechanisms.value", "=", "jane@Example.com"]], 0, 1, None, ["code"], C)


def refusals(r):
    create = "model.sale.sale.create"
    one = line("$MUG", 1, "1", "$vat19")
    cases = [
        ("no web id", sale([one])), ("an empty web id", sale([one], web_id="")),
        ("five decimals", sale([line("$MUG", 1, "1.00005", "$vat19")], web_id="X")),
        ("half a unit", sale([line("$MUG", 1.5, "1", "$vat19")], web_id="X")),
        ("no such product", sale([line(999999, 1, "1", "$vat19")], web_id="X")),
        ("no such tax", sale([line("$MUG", 1, "1", 777777)], web_id="X")),
        ("one tax twice", sale([line("$MUG", 1, "1", "$vat19", "$vat19")], web_id="X")),
        ("another party's address", sale([one], web_id="X", invoice_address=1)),
        ("no party", sale([], web_id="X", party=None, invoice_address=None, shipment_address=None)),
        ("no price", sale([{**one, "unit_price": None}], web_id="X")),
        ("no unit", sale([{**one, "unit": None}], web_id="X")),
        ("a comment with a quantity", sale([{"type": "comment", "description": "x", "quantity": 1}], web_id="X")),
        ("an unknown line type", sale([{"type": "foo"}], web_id="X")),
        ("an unknown method", sale([], web_id="X", invoice_method="xx")),
        ("a field that is not there", sale([], web_id="X", colour="red")),
        ("a line field that is not there", sale([{**one, "colour": "red"}], web_id="X")),
        ("a tab in the reference", sale([], web_id="X", reference="a\tb")),
        ("a text as an id", sale([], web_id="X", party="abc")),
    ]
    for name, params in cases:
        r.call(name, create, *params)
    r.call("nothing of it stayed", "model.sale.sale.search", [["web_id", "=", "X"]], C)
    r.find("template", "product.template", [["products.code", "=", "FEE"]])
    r.call("a taken product code", "model.product.product.create", [{"template": "$template", "suffix_code": "MUG"}], C)
    r.call("two products", "model.product.product.create", [{"template": "$template", "suffix_code": "OLD"}], C, keep={"old": "/result/0"})
    r.call("one goes out of use", "model.product.product.write", ["$old"], {"active": False}, C)
    r.call("and is not found", "model.product.product.search", [["code", "=", "OLD"]], C)
    r.call("unless asked for", "model.product.product.search_read", [["code", "=", "OLD"], ["active", "in", [True, False]]], 0, None, None,
           ["code", "active", "salable"], C)
    r.call("its code is free", "model.product.product.create", [{"template": "$template", "suffix_code": "OLD"}], C)
    r.call("a sale of what is out of use", create, *sale([line("$old", 1, "1")], web_id="OLD"))
    r.call("a total searched", "model.sale.sale.search", [["total_amount", ">", dec("1")]], C)


def life(r):
    create = "model.sale.sale.create"
    lines = [line("$MUG", 3, "19.9000", "$vat19", description="Mug\nblue", sequence=1),
             line("$BOOK", 2, "9.3458", "$vat7", sequence=2), line("$FEE", 1, "3.3333", "$vat0", sequence=3),
             line("$MUG", 1, "-5.0000", "$vat19", sequence=4, description="Coupon"),
             line("$SHIPPING", 1, "4.2017", "$vat19", sequence=5),
             {"type": "comment", "description": "Gift wrap ☺", "sequence": 6}]
    row = sale(lines, web_id="MARK-1", comment="multi\nline", description="described")
    r.call("a sale", create, *row, keep={"sale": "/result/0"})
    r.call("the same mark again", create, *row)
    r.show("as created", "$sale")
    fields = ["type", "sequence", "product.code", "quantity", "unit", "unit_price", "taxes", "amount", "description", "note", "summary"]
    r.call("its lines", "model.sale.line.search_read", [["sale", "=", "$sale"]], 0, None, [["sequence", "ASC"]], fields, C)
    r.call("the same by dots", "model.sale.sale.read", ["$sale"], ["lines.product.code", "lines.amount", "party.code", "currency.code"], C)
    guard = {"company": 1, "_timestamp": {"sale.sale,${sale}": "$stamp"}}
    rounding = {"lines": [["create", [line("$ROUNDING", 1, "0.0100", description="Rounding")]]]}
    r.call("a rounding line, guarded", "model.sale.sale.write", ["$sale"], rounding, guard)
    r.call("the same, stale", "model.sale.sale.write", ["$sale"], rounding, guard)
    r.call("a stale quote", "model.sale.sale.quote", ["$sale"], guard)
    r.press("$sale", "confirm", "process")
    r.show("with the rounding line", "$sale")
    r.press("$sale", "quote", "quote")
    r.show("quoted", "$sale")
    r.call("a line too late", "model.sale.sale.write", ["$sale"], rounding, C)
    r.call("a reference is never too late", "model.sale.sale.write", ["$sale"], {"comment": "n"}, C)
    r.call("delete too late", "model.sale.sale.delete", ["$sale"], C)
    r.press("$sale", "confirm", "confirm", "process", "process", "quote", "cancel", "draft")
    r.show("processing", "$sale")
    r.call("delete much too late", "model.sale.sale.delete", ["$sale"], C)
    r.call("its first line", "model.sale.line.search", [["sale", "=", "$sale"], ["sequence", "=", 1]], C, keep={"line": "/result/0"})
    r.call("a line can be written at any time", "model.sale.line.write", ["$line"], {"quantity": 4}, C)
    r.call("but not deleted", "model.sale.line.delete", ["$line"], C)
    r.show("the totals stay as confirmed", "$sale")
    unguarded = {"company": 1, "_timestamp": {"sale.sale,${second}": "1.5"}}
    r.call("a draft to add to", "model.sale.sale.create", *sale([line("$MUG", 1, "1", "$vat19")], web_id="MARK-0"), keep={"second": "/result/0"})
    r.call("a line of its own call ignores the guard", "model.sale.line.create", [{**line("$FEE", 1, "2"), "sale": "$second"}], unguarded)
    r.show("and does not move the sale", "$second")

    r.call("a second sale", create, *sale([line("$MUG", 1, "10.0000", "$vat19")], web_id="MARK-2"), keep={"second": "/result/0"})
    r.press("$second", "cancel", "cancel")
    r.show("cancelled", "$second")
    r.call("a cancelled sale keeps its mark", create, *sale([], web_id="MARK-2"))
    r.press("$second", "draft")
    r.call("delete", "model.sale.sale.delete", ["$second"], C)
    r.call("delete again", "model.sale.sale.delete", ["$second"], C)
    r.call("its mark is free again", create, *sale([line("$MUG", 1, "10.0000", "$vat19")], web_id="MARK-2"), keep={"second": "/result/0"})
    r.call("no web shop, no key", create, *sale([], web_id="MARK-1", web_shop=None))
    r.call("by marks", "model.sale.sale.search_read", [["web_shop", "=", "$shop"], ["web_id", "in", ["MARK-1", "MARK-2", "NO"]]], 0, None,
           [["id", "ASC"]], ["web_id", "state"], C)
    r.call("counted", "model.sale.sale.search_count", [["web_id", "in", ["MARK-1", "MARK-2", "NO"]]], 0, None, C)
    r.call("by or", "model.sale.sale.search_read", ["OR", ["web_id", "=", "MARK-2"], [["reference", "=", "1001"], ["state", "=", "processing"]]],
           0, None, [["id", "ASC"]], ["web_id"], C)
    r.call("like, any case", "model.sale.sale.search_read", [["web_id", "like", "mark_%"], ["party.code", "=", "SHOP-17"]], 0, 1,
           [["id", "DESC"]], ["web_id"], C)
    r.call("default order", "model.sale.sale.search_read", [["web_id", "!=", None]], 0, 2, None, ["web_id", "sale_date"], C)


def money(r):
    """Amounts in every currency and sign, each sale brought to the end where it can be."""
    mug = lambda quantity, price, *taxes: line("$MUG", quantity, price, *taxes)  # noqa: E731
    cases = [
        ("free", {}, [mug(1, "0.0000", "$vat19")]),
        ("nothing left", {}, [mug(1, "10.0000", "$vat19"), mug(1, "-10.0000", "$vat19")]),
        ("yen", {"currency": "$JPY"}, [mug(3, "333.3333", "$vat19"), mug(1, "10.5000", "$vat7")]),
        ("dinar", {"currency": "$KWD"}, [mug(3, "3.3333", "$vat19"), mug(1, "10.5555", "$vat19")]),
        ("dollar", {"currency": "$USD"}, [mug(7, "1.4286", "$vat7"), mug(2, "0.0250", "$vat0")]),
        ("negative price", {}, [mug(3, "-3.3333", "$vat19")]),
        ("negative quantity", {}, [mug(-3, "3.3333", "$vat19")]),
        ("halves", {}, [mug(1, "0.0250"), mug(1, "0.0350"), mug(1, "0.0450")]),
        ("cents of tax", {}, [mug(1, "0.0263", "$vat19"), mug(1, "0.0263", "$vat19"), mug(1, "0.1316", "$vat19")]),
        ("signs apart", {}, [mug(1, "0.1053", "$vat19"), mug(1, "-0.0263", "$vat19")]),
        ("two taxes a line", {}, [mug(1, "0.5000", "$vat19", "$vat7"), mug(1, "1.0500", "$vat7", "$vat19"), mug(3, "3.3333", "$vat0")]),
        ("steps taken back", {}, [mug(1, "0.0785", "$vat19", "$vat7")]),
        ("services only, no address to ship", {"shipment_address": None, "warehouse": None, "payment_term": None},
         [line("$SHIPPING", 1, "4.9000", "$vat19")]),
        ("words only", {}, [{"type": "comment", "description": "x"}]),
        ("goods without an address", {"shipment_address": None}, [mug(1, "1", "$vat19")]),
        ("goods without a warehouse", {"warehouse": None}, [mug(1, "1", "$vat19")]),
        ("no invoice address", {"invoice_address": None}, [mug(1, "1", "$vat19")]),
        ("no lines", {}, []),
    ]
    for at, (name, more, lines) in enumerate(cases):
        r.call(name, "model.sale.sale.create", *sale(lines, web_id=f"MONEY-{at}", **more), keep={"sale": "/result/0"})
        r.show(f"{name}: draft", "$sale")
        r.press("$sale", "quote", "confirm")
        r.show(f"{name}: in the end", "$sale")
    subtotal = [mug(1, "1", "$vat19"), {"type": "subtotal"}, {"type": "title", "description": "T"}, mug(2, "1"), {"type": "subtotal"}]
    r.call("subtotals", "model.sale.sale.create", *sale(subtotal, web_id="SUB"), keep={"sale": "/result/0"})
    r.call("subtotals read", "model.sale.sale.read", ["$sale"], ["lines.type", "lines.amount", "line_lines"], C)


def day(after):
    """The day so many days after today; the replay runs on the day of the recording."""
    at = TODAY + datetime.timedelta(days=after)
    return {"__class__": "date", "year": at.year, "month": at.month, "day": at.day}


MOVE = ["product", "quantity", "internal_quantity", "unit", "from_location", "to_location", "state", "planned_date", "effective_date",
        "origin", "shipment", "write_date", "create_date", "_timestamp", "rec_name"]
SHIPMENT = ["number", "state", "planned_date", "effective_date", "warehouse", "moves", "inventory_moves", "outgoing_moves"]


class Stock:
    """Says what the stock calls have in common."""

    def __init__(self, r):
        self.r, self.shown = r, 0

    def figures(self, name, *products, fields=("quantity", "forecast_quantity"), **context):
        there = {"company": 1, "locations": ["$warehouse"], "with_childs": True, **context}
        self.r.call(f"figures {name}", "model.product.product.read", list(products) or ["$MUG"], list(fields), there)

    def ends(self, name, *more):
        """The figures of the mug without an end, up to today, and up to `more` days from now."""
        self.figures(f"{name}, no end")
        for days in (0, *more):
            self.figures(f"{name}, {days:+} days", stock_date_end=day(days))

    def count(self, name, location, *lines, keep="count"):
        rows = [{"product": product, "quantity": quantity} for product, quantity in lines]
        row = {"company": 1, "location": location, "date": day(0), "lines": [["create", rows]]}
        self.r.call(f"count: {name}", "model.stock.inventory.create", [row], C, keep={keep: "/result/0"})

    def move(self, name, quantity, source, to, keep="move", **more):
        row = {"product": "$MUG", "quantity": quantity, "unit": "$unit", "from_location": source, "to_location": to,
               "company": 1, "currency": "$EUR", "unit_price": dec("1.0000"), **more}
        self.r.call(f"move: {name}", "model.stock.move.create", [row], C, keep={keep: "/result/0"})

    def moves(self, name):
        """The moves since the last look."""
        self.r.call(f"moves: {name}", "model.stock.move.search_read", [["id", ">", "$last"]], 0, None, [["id", "ASC"]], MOVE, C)

    def mark(self):
        self.r.call("the last move", "model.stock.move.search", [], 0, 1, [["id", "DESC"]], C, keep={"last": "/result/0"})

    def sell(self, name, quantity, **more):
        """A sale in processing, and its shipment as `$shipment`."""
        self.mark()
        lines = [line("$MUG", quantity, "2.0000", "$vat19", sequence=1), line("$FEE", 1, "1.0000", sequence=2)]
        self.r.call(f"sale: {name}", "model.sale.sale.create", *sale(lines, web_id=f"STOCK-{name}", **more), keep={"sale": "/result/0"})
        self.r.press("$sale", "quote", "confirm")
        self.r.call(f"{name}: its shipment", "model.sale.sale.read", ["$sale"], ["state", "shipment_state", "shipments"], C,
                    keep={"shipment": "/result/0/shipments/0"})

    def press(self, *buttons):
        for button in buttons:
            self.r.call(f"shipment: {button}", f"model.stock.shipment.out.{button}", ["$shipment"], C)

    def paper(self, name):
        self.r.call(f"shipment: {name}", "model.stock.shipment.out.read", ["$shipment"], SHIPMENT, C)
        self.r.call(f"its sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "shipment_state"], C)
        self.moves(name)


def places(r, s):
    for name, code in (("input", "IN"), ("output", "OUT"), ("storage", "STO"), ("supplier", "SUP"), ("customer", "CUS")):
        r.find(name, "stock.location", [["code", "=", code]])
    r.call("today", "model.ir.date.today", C)
    r.call("places", "model.stock.location.search_read", [], 0, None, [["id", "ASC"]],
           ["name", "code", "type", "parent", "warehouse", "active", "input_location", "output_location", "storage_location"], C)
    s.mark()
    s.count("thirty mugs and two books", "$storage", ("$MUG", 30), ("$BOOK", 2.0))
    s.moves("a count that is not confirmed moves nothing")
    r.call("count: confirm", "model.stock.inventory.confirm", ["$count"], C)
    r.call("count: confirm again", "model.stock.inventory.confirm", ["$count"], C)
    s.ends("counted", 1, -1)
    s.figures("counted, null", stock_date_end=None)
    s.mark()
    s.count("fewer mugs", "$storage", ("$MUG", 25), ("$BOOK", 2))
    r.call("count: confirm fewer", "model.stock.inventory.confirm", ["$count"], C)
    s.moves("the difference, and nothing for what is equal")
    r.call("count: read", "model.stock.inventory.read", ["$count"], ["state", "location"], C)
    s.figures("of two", "$MUG", "$BOOK", fields=["code", "type", "active", "quantity", "forecast_quantity"])
    s.figures("of a service", "$FEE", "$MUG")
    s.figures("of what is not there", 999999, "$BOOK")
    s.figures("of what is not there, with its code", 999999, "$BOOK", fields=["code", "quantity"])
    s.figures("without children", with_childs=False)
    s.figures("nowhere", locations=[])
    s.figures("at a place that is not there", locations=[9999])
    s.figures("in the storage zone alone", locations=["$storage"])
    s.figures("in two places", locations=["$storage", "$output"])
    r.call("figures without a place", "model.product.product.read", ["$MUG"], ["quantity", "forecast_quantity"], C)
    r.call("figures of what is out of use", "model.product.product.read", ["$old"], ["quantity", "active"], C)


def by_hand(r, s):
    """Moves without a paper."""
    cases = [("out tomorrow", 7, "$storage", "$customer", {"planned_date": day(1)}), ("out some day", 5, "$storage", "$customer", {}),
             ("out yesterday", 3, "$storage", "$customer", {"planned_date": day(-1)}),
             ("out today", 2, "$output", "$customer", {"planned_date": day(0)}),
             ("in tomorrow", 40, "$supplier", "$input", {"planned_date": day(1)}), ("in yesterday", 20, "$supplier", "$input", {"planned_date": day(-1)}),
             ("within the house", 9, "$storage", "$output", {"planned_date": day(0), "unit_price": None, "currency": None})]
    s.mark()
    for name, quantity, source, to, more in cases:
        s.move(name, quantity, source, to, keep=name.replace(" ", "_"), **more)
        s.ends(name, 1)
    s.moves("by hand")
    late = [["state", "=", "draft"], ["planned_date", "<", day(0)], ["product", "in", ["$MUG", "$BOOK"]], ["id", ">", "$last"]]
    r.call("late", "model.stock.move.search_read", late, 0, 100, [["id", "ASC"]],
           ["product", "internal_quantity", "from_location.warehouse", "to_location.warehouse"], C)
    r.call("a move is no button", "model.stock.move.assign", ["$out_today"], C)
    r.call("a move alone is not done", "model.stock.move.do", ["$out_today"], C)
    r.call("a move is cancelled", "model.stock.move.cancel", ["$out_today"], C)
    r.call("a move is cancelled again", "model.stock.move.cancel", ["$out_today"], C)
    r.call("a cancelled move is deleted", "model.stock.move.delete", ["$out_today"], C)
    r.call("a draft move is deleted", "model.stock.move.delete", ["$in_tomorrow"], C)
    for name in ("out_tomorrow", "out_some_day", "out_yesterday", "in_yesterday", "within_the_house"):
        r.call(f"{name} is cancelled", "model.stock.move.cancel", [f"${name}"], C)
    s.ends("all by hand withdrawn")


def shipped(r, s):
    s.sell("one", 4)
    s.paper("as made")
    s.ends("promised")
    s.press("pick", "assign_try", "assign_try")
    s.paper("assigned")
    s.ends("assigned")
    s.press("pick", "pick")
    s.paper("picked")
    s.press("pack")
    s.paper("packed")
    s.figures("packed")
    s.press("ship")
    s.paper("shipped")
    s.figures("shipped")
    s.press("do", "do", "cancel")
    s.paper("done")
    s.ends("gone", -1)
    since = [["company", "=", 1], ["id", ">", "$last"],
             ["OR", ["write_date", ">=", day(-1) | {"__class__": "datetime", "hour": 0, "minute": 0, "second": 0, "microsecond": 0}],
              [["write_date", "=", None], ["create_date", ">=", day(-1) | {"__class__": "datetime", "hour": 0, "minute": 0, "second": 0, "microsecond": 0}]]]]
    r.call("feed", "model.stock.move.search_read", since, 0, 100, [["id", "ASC"]], ["product", "write_date", "create_date"], C)
    s.sell("two", 3)
    s.press("cancel", "cancel", "assign_try")
    s.paper("cancelled")
    s.ends("given back")
    s.sell("three", 50)
    s.ends("more than there is")
    s.press("assign_try")
    s.paper("half assigned")
    s.press("assign_force")
    s.paper("forced")
    s.figures("forced")
    s.sell("four", 2, sale_date=day(-3))
    s.paper("of an old sale")
    r.call("it should have left yesterday", "model.stock.shipment.out.write", ["$shipment"], {"planned_date": day(-1)}, C)
    s.paper("late")
    s.ends("late", 1, -1)
    r.call("a shipment is not deleted", "model.stock.shipment.out.delete", ["$shipment"], C)


def stock(r):
    s = Stock(r)
    for part in (places, by_hand, shipped):
        part(r, s)


PRODUCT = ["code", "name", "description", "active", "write_date", "create_date", "_timestamp", "write_uid.rec_name", "create_uid.rec_name",
           "template", "template.name", "template.active", "template.products", "template._timestamp", "template.write_date", "weight", "weight_uom"]


class Texts:
    """A product of its own, and what is said of it in each language."""

    def __init__(self, r):
        self.r = r

    def show(self, name, *languages):
        for language in languages or ("en",):
            self.r.call(f"product {name}, {language}", "model.product.product.read", ["$spoon"], PRODUCT, {"company": 1, "language": language},
                        keep={"stamp": "/result/0/_timestamp", "family_stamp": "/result/0/template./_timestamp"})

    def texts(self, name):
        domain = [["type", "=", "model"], ["lang", "in", ["de", "en", "fr"]],
                  ["OR", [["name", "=", "product.template,name"], ["res_id", "in", ["$family"]]],
                   [["name", "=", "product.product,description"], ["res_id", "in", ["$spoon"]]]], ["id", ">", 0]]
        self.r.call(f"texts: {name}", "model.ir.translation.search_read", domain, 0, 500, [["id", "ASC"]],
                    ["name", "res_id", "lang", "value", "src", "fuzzy"], C)

    def write(self, name, model, value, language="en", keeps=True, **more):
        row = "$family" if model == "template" else "$spoon"
        context = {"company": 1, "language": language, **({"fuzzy_translation": False} if keeps else {}), **more}
        self.r.call(f"{name}, {language}", f"model.product.{model}.write", [row], value, context)


def products(r):
    t = Texts(r)
    r.call("languages", "model.ir.lang.search_read", [["translatable", "=", True]], 0, None, [["code", "ASC"]], ["code", "name"], C)
    units = [["symbol", "in", ["kg", "g", "u"]], ["active", "in", [True, False]]]
    r.call("units of weight", "model.product.uom.search_read", units, 0, None, [["symbol", "ASC"]], ["symbol", "factor", "digits", "category"], C,
           keep={"g": "/result/0/id", "kg": "/result/1/id"})
    row = {"name": "Löffel", "default_uom": "$unit", "sale_uom": "$unit", "salable": True, "type": "goods", "list_price": dec("1.0000"),
           "products": [["create", [{"suffix_code": "SPOON", "description": "Silbern\nund schön"}]]]}
    r.call("a product made by a German", "model.product.template.create", [row], {"company": 1, "language": "de"}, keep={"family": "/result/0"})
    r.find("spoon", "product.product", [["code", "=", "SPOON"]])
    t.show("as made", "en", "de", "fr", "xx")
    t.texts("as made")
    t.write("its name", "template", {"name": "Spoon"})
    t.write("its name", "template", {"name": "Cuillère"}, "fr")
    t.show("named", "en", "de", "fr")
    t.texts("named")
    t.write("its name, and the others are outdated", "template", {"name": "Table spoon"}, keeps=False)
    t.show("outdated", "en", "de")
    t.texts("outdated")
    t.write("its name anew", "template", {"name": "Esslöffel"}, "de")
    t.write("no name", "template", {"name": None}, "fr")
    t.texts("one anew, one without")
    t.write("no name", "template", {"name": ""})
    t.write("blanks", "template", {"name": "  Big spoon \u00a0"})
    t.write("a tab", "template", {"name": "a\tb"})
    t.write("a name on the product", "product", {"name": "x"})
    t.write("an unknown language", "template", {"name": "x"}, "xx")
    t.show("with blanks", "en")
    t.write("a description", "product", {"description": " Silver\r\nand\tnice "})
    t.show("described", "en", "de")
    t.write("no description, kept elsewhere", "product", {"description": None})
    t.texts("not described, kept elsewhere")
    t.write("a description", "product", {"description": "Silver"})
    t.write("no description, and none elsewhere", "product", {"description": None}, keeps=False)
    t.texts("described nowhere")
    weights(r, t)
    retired(r, t)


def weights(r, t):
    for name, value, unit in (("kilograms", 0.35, "$kg"), ("too fine", 0.125, "$kg"), ("grams", 125, "$g"), ("grams with decimals", 0.12, "$g"),
                              ("in pieces", 1, "$unit"), ("without a unit", 1, None), ("nothing", None, "$g")):
        t.write(f"a weight, {name}", "template", {"weight": value, "weight_uom": unit})
        t.show(f"weight, {name}")
    t.write("a weight on the product", "product", {"weight": 1})


def retired(r, t):
    r.call("the last of products", "model.product.product.search", [], 0, 1, [["id", "DESC"]], C, keep={"high": "/result/0"})
    r.call("two variants", "model.product.product.create", [{"template": "$family", "suffix_code": "SPOON-2"}], C, keep={"second": "/result/0"})
    t.show("with a second")
    guard = {"_timestamp": {"product.product,${spoon}": "$stamp", "product.template,${family}": "$family_stamp"}}
    t.write("guarded", "template", {"name": "Spoon 1"}, **guard)
    t.write("stale", "template", {"name": "Spoon 2"}, **guard)
    t.write("guarded, of the other", "product", {"description": "D"}, "de", **guard)
    t.write("stale, of the other", "product", {"description": "E"}, "de", **guard)
    t.show("guarded", "en", "de")
    here = {"__class__": "datetime", "year": 2026, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    both, since = ["active", "in", [True, False]], ["write_date", ">=", here]
    mine = ["id", ">=", "$spoon"]

    def look(name):
        domains = {"all": [both], "offered": [], "changed": [both, since], "of changed templates": [both, ["template", "where", [both, since]]],
                   "by either, which hides": [both, ["OR", since, [["write_date", "=", None], ["create_date", ">=", here]]]],
                   "by a dotted name": [both, ["template.write_date", ">=", here]]}
        for what, domain in domains.items():
            r.call(f"{name}: {what}", "model.product.product.search", [mine, *domain], 0, None, [["id", "ASC"]], C)
        t.show(name)

    t.write("out of use", "product", {"active": False})
    look("one out of use")
    t.write("in use", "product", {"active": True})
    t.write("all out of use", "template", {"active": False})
    look("all out of use")
    t.write("in use all the same", "product", {"active": True})
    t.show("in use of nothing")
    t.write("all in use", "template", {"active": True})
    look("all in use")
    r.call("a party goes", "model.party.party.write", ["$blank"], {"active": False}, C)
    for what, domain in (("asked", [both, since]), ("by either, which hides", [both, ["OR", since, [["write_date", "=", None]]]])):
        r.call(f"a party gone: {what}", "model.party.party.search_read", [["id", "=", "$blank"], *domain], 0, None, None, ["active"], C)


def guest(r):
    r.call("the guest", "model.web.shop.search_read", [], 0, 1, None, ["guest_party"], C, keep={"guest": "/result/0/guest_party"})
    r.call("an address for it", "model.party.party.write", ["$guest"], {"addresses": [["create", [{"city": "x"}]]]}, C)
    r.call("which is", "model.party.party.read", ["$guest"], ["addresses"], C, keep={"home": "/result/0/addresses/0"})
    params = sale([line("$MUG", 1, "1", "$vat19")], web_id="GUEST", party="$guest", invoice_address="$home", shipment_address="$home")
    r.call("a sale of the guest", "model.sale.sale.create", *params, keep={"sale": "/result/0"})
    r.press("$sale", "quote")


def main():
    r = Recorder(json.loads(sys.stdin.read()))
    for part in (doors, looks, parties, refusals, life, money, guest, stock, products, prices):
        part(r)
    text = json.dumps({"system": "trytond 8.0", "day": str(TODAY), "login": r.place["login"], "password": r.place["password"]}, ensure_ascii=False)
    steps = ",\n".join("  " + json.dumps(step, ensure_ascii=False) for step in r.steps)
    print(text[:-1] + ', "steps": [\n' + steps + "\n]}")


if __name__ == "__main__":
    main()
