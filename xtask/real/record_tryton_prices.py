"""Records how a real Tryton keeps list prices and computes those of price lists. Part of record_tryton.py."""

C = {"company": 1, "language": "en"}
SHOWN = ["code", "list_price", "list_price_used", "template.list_price"]
VERSIONS = ["_timestamp", "template._timestamp", "write_date", "template.write_date"]
LIST = ["name", "company", "unit", "price", "tax_included", "active", "lines"]
LINE = ["price_list", "sequence", "product", "quantity", "formula", "write_date"]


def dec(text):
    return {"__class__": "Decimal", "decimal": text}


class Prices:
    """A product of its own, and what is asked for it."""

    def __init__(self, r):
        self.r = r

    def show(self, name):
        self.r.call(f"price {name}", "model.product.product.read", ["$plate"], SHOWN, C)

    def write(self, name, model, price, context=C):
        row = "$dishes" if model == "template" else "$plate"
        self.r.call(f"price: {name}", f"model.product.{model}.write", [row], {"list_price": price}, context)
        self.r.call(f"its versions: {name}", "model.product.product.read", ["$plate"], VERSIONS, C)
        self.show(name)

    def ask(self, name, *products, **context):
        self.r.call(f"price of {name}", "model.product.product.read", list(products or ("$plate",)), ["sale_price_uom"], {**C, **context})


def kept(r, p):
    """Where a list price stands, and what moves with it."""
    row = {"name": "Dishes", "default_uom": "$unit", "sale_uom": "$unit", "salable": True, "type": "goods",
           "products": [["create", [{"suffix_code": "PLATE"}, {"suffix_code": "PLATE-2"}]]]}
    r.call("a product without a price", "model.product.template.create", [row], C, keep={"dishes": "/result/0"})
    for name, code in (("plate", "PLATE"), ("plate2", "PLATE-2"), ("mug", "MUG"), ("fee", "FEE")):
        r.find(name, "product.product", [["code", "=", code]])
    p.show("nowhere")
    p.ask("what has none", "$plate", "$plate2")
    for name, price in (("of the template", "12.3456"), ("the same again", "12.3456"), ("below nothing", "-3"), ("of a round sum", "20")):
        p.write(name, "template", dec(price))
    p.write("of its own", "product", dec("7.5"))
    p.ask("both", "$plate", "$plate2")
    p.write("none of its own", "product", None)
    p.write("too fine", "template", dec("12.34567"))
    r.call("price without a company", "model.product.product.read", ["$plate"], ["list_price_used"], {"language": "en"})
    r.call("prices stand apart and are not read", "model.product.list_price.search", [], 0, 1, None, C)


def lists(r, p):
    """What price lists answer."""
    r.call("price lists", "model.product.price_list.search_read", [["company", "=", 1]], 0, None, [["id", "ASC"]], LIST, C,
           keep={"untaxed": "/result/0/id", "taxed": "/result/1/id"})
    p.ask("a list without a base", price_list="$untaxed")
    r.call("a base", "model.product.price_list.write", ["$taxed"], {"price": "list_price"}, C)
    p.ask("a list with taxes", price_list="$taxed")
    p.ask("a list with taxes taken off", price_list="$taxed", taxes=["$vat19"])
    lines = [{"sequence": 1, "quantity": 100, "formula": "unit_price * 0.7"}, {"sequence": 2, "quantity": 10, "formula": "unit_price * 0.9"},
             {"sequence": 3, "product": "$plate", "formula": "unit_price - 1"}, {"sequence": 4, "product": "$fee", "formula": "unit_price / 3"},
             {"sequence": 5, "product": "$plate2", "formula": "(list_price + 1.5) / 3"}]
    row = {"name": "Dealers", "company": 1, "unit": "product_default", "price": "list_price", "lines": [["create", lines]]}
    r.call("a list of one's own", "model.product.price_list.create", [row], C, keep={"dealers": "/result/0"})
    r.call("its lines", "model.product.price_list.line.search_read", [["price_list", "=", "$dealers"]], 0, None, [["id", "ASC"]], LINE, C,
           keep={"first": "/result/0/id", "second": "/result/1/id"})
    thresholds = [["price_list", "in", ["$dealers", "$untaxed"]], ["quantity", ">", 1], ["OR", ["product", "=", None], ["product", "in", ["$plate", "$mug"]]],
                  ["id", ">", 0]]
    r.call("its thresholds", "model.product.price_list.line.search_read", thresholds, 0, 500, [["id", "ASC"]], ["price_list", "product", "quantity"], C)
    for quantity in (1, 9.99, 10, 99, 100, 1000):
        p.ask(f"{quantity} of each", "$plate", "$plate2", "$mug", "$fee", price_list="$dealers", quantity=quantity, uom="$unit")
    p.ask("no quantity", price_list="$dealers")
    p.ask("fewer than none", price_list="$dealers", quantity=-20)
    p.ask("a list that is not there", price_list=99999)
    p.ask("a list that is no number", price_list="x")
    p.ask("what is not there", "$plate", 999999, price_list="$dealers")
    p.ask("one twice", "$plate", "$plate", price_list="$dealers")


def changed(r, p):
    """What moves when a price list changes."""
    stamp = "model.product.price_list.read", ["$dealers"], ["name", "active", "write_date", "_timestamp"], C
    r.call("the list", *stamp, keep={"list_stamp": "/result/0/_timestamp"})
    r.call("a line is changed", "model.product.price_list.line.write", ["$second"], {"formula": "unit_price * 0.85"}, C)
    r.call("which does not move the list", *stamp)
    r.call("a line is changed through its list", "model.product.price_list.write", ["$dealers"], {"lines": [["write", ["$second"], {"quantity": 12.5}]]}, C)
    r.call("which moves it", *stamp)
    for quantity in (12, 12.5):
        p.ask(f"{quantity} now", price_list="$dealers", quantity=quantity)
    r.call("a line is deleted", "model.product.price_list.line.delete", ["$first"], C)
    r.call("its lines now", "model.product.price_list.line.search_read", [["price_list", "=", "$dealers"]], 0, None, [["id", "ASC"]], LINE, C)
    p.ask("100 now", price_list="$dealers", quantity=100)
    r.call("a formula that is none", "model.product.price_list.line.create", [{"price_list": "$dealers", "formula": "foo"}], C)
    r.call("out of use", "model.product.price_list.write", ["$dealers"], {"active": False}, C)
    r.call("lists in use", "model.product.price_list.search_read", [["company", "=", 1]], 0, None, [["id", "ASC"]], ["name"], C)
    r.call("all lists", "model.product.price_list.search_read", [["active", "in", [True, False]], ["id", ">", 0]], 0, 500, [["id", "ASC"]], ["_timestamp"], C)
    p.ask("what a list out of use says", price_list="$dealers", quantity=13)
    r.call("the product goes", "model.product.product.write", ["$plate"], {"active": False}, C)
    p.ask("what is out of use", "$plate", "$plate2")


def units(r, p):
    """Products sold in another unit than they are kept in, and a formula that fails for one product alone."""
    row = {"name": "Flour", "default_uom": "$kg", "sale_uom": "$g", "salable": True, "type": "goods", "list_price": dec("10"),
           "products": [["create", [{"suffix_code": "FLOUR"}]]]}
    r.call("flour by the gram", "model.product.template.create", [row], C)
    r.find("flour", "product.product", [["code", "=", "FLOUR"]])
    r.call("price of flour", "model.product.product.read", ["$flour"], ["list_price_used", "sale_price_uom"], C)
    p.ask("a kilogram", "$flour", uom="$kg")
    p.ask("a piece of flour", "$flour", uom="$unit")
    lines = [["create", [{"sequence": 1, "quantity": 5, "formula": "unit_price * 0.5"}, {"sequence": 2, "formula": "unit_price"}]]]
    for unit in ("product_default", "product_sale"):
        row = {"name": unit, "company": 1, "unit": unit, "price": "list_price", "lines": lines}
        r.call(f"a list by {unit}", "model.product.price_list.create", [row], C, keep={"bulk": "/result/0"})
        for quantity in (0.004, 0.005, 4, 5):
            p.ask(f"{quantity} kg by {unit}", "$flour", price_list="$bulk", quantity=quantity, uom="$kg")
    r.call("a price to fail at", "model.product.template.write", ["$dishes"], {"list_price": dec("9.9876")}, C)
    row = {"name": "Odd", "company": 1, "price": "list_price", "lines": [["create", [{"formula": "unit_price / (list_price - 9.9876)"}]]]}
    r.call("a list that fails", "model.product.price_list.create", [row], C, keep={"odd": "/result/0"})
    p.ask("two, of which one fails", "$plate2", "$mug", price_list="$odd", quantity=1)
    p.ask("the other alone", "$mug", price_list="$odd", quantity=1)


def prices(r):
    p = Prices(r)
    for part in (kept, lists, changed, units):
        part(r, p)
