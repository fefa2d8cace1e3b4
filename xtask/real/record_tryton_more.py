"""Records what a real Tryton answers about several companies, images of products and parties that are merged.

usage: record_tryton_more.py < the line `tryton_up.sh CACHE RUN CATALOGUE full` printed > crates/sim/fixtures/tryton-8.0-more.json
Needs a freshly filled database with a second company `Beta`, and a server nobody has asked anything yet: whom it was asked
for first is what it remembers. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
"""
import base64
import json
import struct
import sys
import zlib

from record_tryton import C, PARTY, TODAY, Recorder, dec, line

B = {"company": 2, "language": "en"}
SHOP = 1  # of the first company
IMAGE = ["template", "product", "sequence", "image", "_timestamp", "write_date", "create_date"]


def companies(r):
    """Which company is seen: the one that was asked for first."""
    shops = lambda name, context: r.call(name, "model.web.shop.search_read", [], 0, None, [["id", "ASC"]], ["name", "company"], context)  # noqa: E731
    prefer = lambda name, context: r.call(name, "model.res.user.get_preferences", True, context)  # noqa: E731
    filtered = lambda word: r.call(f"the filter {word}", "model.res.user.write", ["$user"], {"company_filter": word}, C)  # noqa: E731
    prefer("preferences", {"language": "en"})
    prefer("preferences of the second", B)
    r.find("user", "res.user", [["login", "=", "sync"]])
    shops("shops of the first", C)
    shops("of the second are those of the first", B)
    r.call("and taxes", "model.account.tax.search_read", [["name", "=", "VAT 19%"]], 0, None, [["id", "ASC"]], ["name", "company"], B,
           keep={"vat": "/result/0/id"})
    filtered("one")
    shops("written, the second is seen", B)
    r.call("its shop", "model.web.shop.search", [], 0, 1, [["id", "ASC"]], B, keep={"betashop": "/result/0"})
    r.call("its tax", "model.account.tax.search", [["name", "=", "VAT 19%"]], 0, 1, [["id", "ASC"]], C, keep={"betavat": "/result/0"})
    shops("of the first are those of the second", C)
    r.call("a shop of the first is refused", "model.web.shop.read", [1], ["name"], C)
    r.call("and not to be written", "model.web.shop.write", [1], {"name": "W"}, C)
    ready(r)
    r.call("a sale of the first is refused", "model.sale.sale.create", [booked(1, SHOP, "$vat", "HIDDEN")], C)
    filtered("all")
    prefer("preferences say so", C)
    shops("all shops of the first", C)
    shops("all shops of the second", B)
    r.call("a sale of the second", "model.sale.sale.create", [booked(2, "$betashop", "$betavat", "BETA")], B, keep={"sale": "/result/0"})
    r.call("a sale of the first as the second", "model.sale.sale.create", [booked(1, SHOP, "$vat", "STRANGE")], B, keep={"first": "/result/0"})
    r.call("a foreign shop", "model.sale.sale.create", [booked(2, SHOP, "$betavat", "X")], B)
    r.call("a foreign tax", "model.sale.sale.create", [booked(2, "$betashop", "$vat", "X")], B)
    r.call("the same mark in another shop", "model.sale.sale.create", [booked(1, SHOP, "$vat", "BETA")], C)
    r.call("all sales", "model.sale.sale.search_read", [], 0, None, [["id", "ASC"]], ["company", "web_id", "state"], C)
    r.call("those of the second", "model.sale.sale.search_read", [["company", "=", 2]], 0, None, [["id", "ASC"]], ["company", "web_id"], C)
    for button in ("quote", "confirm"):
        r.call(f"{button} as the first", f"model.sale.sale.{button}", ["$sale"], C)
    r.call("it is numbered", "model.sale.sale.read", ["$sale"], ["state", "number", "company", "total_amount"], B)
    filtered("one")
    r.call("asked for the first", "model.sale.sale.read", ["$first"], ["company", "state"], C)
    r.call("the second's is refused", "model.sale.sale.read", ["$sale"], ["state"], B)
    r.call("and not found", "model.sale.sale.search", [["web_id", "=", "BETA"], ["company", "=", 2]], 0, None, None, B)
    r.call("and has no button", "model.sale.sale.process", ["$sale"], B)
    filtered("all")


def ready(r):
    """A party and what a sale needs."""
    row = {"name": "Ada", "code": "ADA", "addresses": [["create", [{"city": "Köln"}]]]}
    r.call("a party", "model.party.party.create", [row], C, keep={"party": "/result/0"})
    r.call("its address", "model.party.party.read", ["$party"], ["addresses"], C, keep={"bill": "/result/0/addresses/0"})
    for name, model, domain in (("EUR", "currency.currency", [["code", "=", "EUR"]]), ("warehouse", "stock.location", [["type", "=", "warehouse"]]),
                                ("unit", "product.uom", [["name", "=", "Unit"]]), ("MUG", "product.product", [["code", "=", "MUG"]])):
        r.find(name, model, domain)


def booked(company, shop, tax, mark):
    return {"company": company, "party": "$party", "invoice_address": "$bill", "shipment_address": "$bill", "currency": "$EUR",
            "warehouse": "$warehouse", "web_shop": shop, "web_id": mark, "reference": mark, "invoice_method": "order",
            "shipment_method": "order", "lines": [["create", [line("$MUG", 1, "10.0000", tax)]]]}


def merged(r):
    """One party is replaced by another one, by the wizard."""
    def party(name, code, city):
        row = {"name": "Ada", "code": code, "addresses": [["create", [{"city": city}]]],
               "contact_mechanisms": [["create", [{"type": "email", "value": f"{name}@example.com"}]]]}
        r.call(f"party {name}", "model.party.party.create", [row], C, keep={name: "/result/0"})

    party("old", "OLD-1", "Bonn")
    party("new", "NEW-1", "Köln")
    r.call("its address", "model.party.party.read", ["$old"], ["addresses"], C, keep={"bill": "/result/0/addresses/0"})
    r.call("a sale of the old one", "model.sale.sale.create", [{**booked(1, SHOP, "$vat", "MERGED"), "party": "$old"}], C,
           keep={"sale": "/result/0"})
    stamps = (("old", "party.party"), ("new", "party.party"), ("sale", "sale.sale"))
    for name, model in stamps:
        r.call(f"stamp of {name}", f"model.{model}.read", [f"${name}"], ["_timestamp"], C, keep={f"{name}_stamp": "/result/0/_timestamp"})
    r.call("the wizard", "wizard.party.replace.create", C, keep={"wizard": "/result/0"})
    told = {"ask": {"source": "$old", "destination": "$new"}}
    about = {**C, "active_model": "party.party", "active_id": "$old", "active_ids": ["$old"]}
    r.call("replaced", "wizard.party.replace.execute", "$wizard", told, "replace", about)
    fields = [*PARTY, "replaced_by"]
    r.call("the old one", "model.party.party.read", ["$old"], fields, C)
    r.call("the new one", "model.party.party.read", ["$new"], fields, C)
    r.call("the old one is not found", "model.party.party.search", [["code", "=", "OLD-1"]], C)
    r.call("unless asked for", "model.party.party.search_read", [["code", "=", "OLD-1"], ["active", "in", [True, False]]], 0, None, None,
           ["code", "active", "replaced_by"], C)
    r.call("addresses of the new one", "model.party.address.search_read", [["party", "=", "$new"], ["active", "in", [True, False]]], 0, None,
           [["id", "ASC"]], ["city", "active"], C)
    r.call("ways to it", "model.party.contact_mechanism.search_read", [["party", "=", "$new"], ["active", "in", [True, False]]], 0, None,
           [["id", "ASC"]], ["value", "active"], C)
    r.call("the sale is the new one's", "model.sale.sale.search_read", [["party", "=", "$new"]], 0, None, None,
           ["web_id", "party", "invoice_address", "state", "write_date"], C)
    for name, model in stamps:
        guard = {**C, "_timestamp": {f"{model},${{{name}}}": f"${name}_stamp"}}
        field = "reference" if name == "sale" else "name"
        r.call(f"written by the stamp of {name} before", f"model.{model}.write", [f"${name}"], {field: "Ada"}, guard)


def png(red):
    """The smallest picture of one colour."""
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))  # noqa: E731
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes([0, red, 0, 0]))) + chunk(b"IEND", b"")


def sent(content):
    return {"__class__": "bytes", "base64": base64.encodebytes(content).decode()}


def images(r):
    """What is kept of uploads, what they belong to, and what moves with them."""
    create, sizes = "model.product.image.create", {**C, "product.image.image": "size"}
    r.call("modules", "model.ir.module.search_read", [["name", "=", "product_image"], ["state", "=", "activated"]], 0, None, None, ["name"], C)
    r.call("its template", "model.product.product.read", ["$MUG"], ["template"], C, keep={"template": "/result/0/template"})
    look = lambda name, domain, context: r.call(  # noqa: E731
        name, "model.product.image.search_read", domain, 0, None, [["id", "ASC"]], IMAGE, context)
    stamp = lambda name: r.call(f"stamps: {name}", "model.product.product.read", ["$MUG"], ["_timestamp", "template._timestamp"], C,  # noqa: E731
                                keep={"product_stamp": "/result/0/_timestamp", "template_stamp": "/result/0/template./_timestamp"})

    def moved(name):
        """Whether the stamps that were kept still stand."""
        for model, row in (("product", "$MUG"), ("template", "$template")):
            guard = {**C, "_timestamp": {f"product.{model},${{{row[1:]}}}": f"${model}_stamp"}}
            r.call(f"{name}: the {model} by its stamp before", f"model.product.{model}.write", [row], {}, guard)

    stamp("before")
    r.call("no image", create, [{"template": "$template", "image": sent(b"<svg/>")}], C)
    r.call("no template", create, [{"product": "$MUG", "image": sent(png(1))}], C)
    r.call("of all variants", create, [{"template": "$template", "image": sent(png(10))}], C, keep={"all": "/result/0"})
    r.call("of one variant", create, [{"template": "$template", "product": "$MUG", "sequence": 3, "image": sent(png(90))}], C, keep={"own": "/result/0"})
    moved("uploaded")
    look("by sizes", [["template", "=", "$template"]], sizes)
    look("by bytes", [["id", "=", "$own"]], C)
    r.call("read alone", "model.product.image.read", ["$own"], ["image"], C)
    look("by variant or family", [["OR", ["product", "in", ["$MUG"]], [["template", "in", ["$template"]], ["product", "=", None]]], ["id", ">", 0]], sizes)
    r.call("another place", "model.product.image.write", ["$own"], {"sequence": 1}, C)
    look("written since", [["id", "=", "$own"]], sizes)
    stamp("before one is taken away")
    r.call("taken away by itself", "model.product.image.delete", ["$all"], C)
    moved("taken away")
    stamp("before one is taken away in the form")
    r.call("taken away in the form of its product", "model.product.product.write", ["$MUG"], {"images": [["delete", ["$own"]]]}, C)
    moved("taken away in the form")
    look("none left", [["template", "=", "$template"]], sizes)
    r.call("read what is gone", "model.product.image.read", ["$own"], ["image"], C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    companies(r)
    merged(r)
    images(r)
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
