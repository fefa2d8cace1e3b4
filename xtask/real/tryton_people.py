"""People who work in a running Tryton by its own API: goods come and go, prices, texts and customers change.

usage: tryton_people.py URL LOGIN PASSWORD ROUND
  ROUND  0 sets up what they need (a supplier, a price list, a carrier, a way to pay); every further number changes other things
Prints one JSON list of what was changed: [{"what","of","to"},…], `what` being one of received, counted, shipped,
list_price, price_list, text, name, phone. `of` is what tryton_count.py calls it. What the server refuses because
somebody else was faster is tried again; what finds nothing to change yet (no sale to ship, no customer) is left out.
"""
import base64
import datetime
import gzip
import json
import sys
import time
import urllib.error
import urllib.request

LANGUAGES = ["en", "de", "fr"]
LIST = "Wholesale"
CARRIER = "DHL"
DEFAULT_LINES = [{"quantity": 10, "formula": "unit_price * 0.8"}, {"formula": "unit_price * 0.9"}]
TRIES = 8
# Shipments that leave by these people's hands at most.
SHIPPED = 40


class Refused(Exception):
    """What the server said no to."""


class Warned(Refused):
    """What the server asks about before it does it, by a name."""


class Tryton:
    """A session of somebody who works in it."""

    def __init__(self, url, login, password):
        self.url, self.login = url.rstrip("/") + "/rpc/", login
        word = base64.b64encode(f"{login}:{password}".encode()).decode()
        self.headers = {"Content-Type": "application/json", "Authorization": f"Basic {word}"}
        self.today = datetime.date.today()

    def once(self, method, params):
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, body, self.headers), timeout=60) as reply:
                answer = reply.read()
        except urllib.error.HTTPError as error:  # its transaction was rolled back
            raise Refused(f"{method}: status {error.code}") from error
        told = json.loads(gzip.decompress(answer) if answer[:2] == b"\x1f\x8b" else answer)
        if told.get("error", [""])[0] == "UserWarning":
            raise Warned(told["error"][1][0])
        if "error" in told:
            raise Refused(f"{method}: {told['error'][:2]}")
        return told["result"]

    def call(self, model, method, *args, language="en"):
        """The answer; a refusal is tried again, for whoever else works there may have been faster."""
        return self.patient(f"model.{model}.{method}", [*args, {"company": 1, "language": language}])

    def wizard(self, name, method, *args, **about):
        """The answer of a wizard."""
        return self.patient(f"wizard.{name}.{method}", [*args, {"company": 1, "language": "en", **about}])

    def patient(self, method, params):
        for left in reversed(range(TRIES)):
            try:
                return self.once(method, params)
            except Warned as warned:  # somebody reads it and goes on
                user = self.one("res.user", [["login", "=", self.login]])
                self.call("res.user.warning", "create", [{"user": user, "name": str(warned), "always": True}])
            except Refused:
                if not left:
                    raise
                time.sleep(0.1)

    def search(self, model, domain, limit=None):
        return self.call(model, "search", domain, 0, limit, [["id", "ASC"]])

    def one(self, model, domain):
        return self.search(model, domain, 1)[0]

    def day(self):
        return {"__class__": "date", "year": self.today.year, "month": self.today.month, "day": self.today.day}


def dec(number):
    return {"__class__": "Decimal", "decimal": str(number)}


def set_up(t):
    """A supplier to receive from, a price list in the shape the shop's group is shown, a carrier with a box, a way to pay."""
    supplier = t.call("party.party", "create", [{"name": "Goods & Co", "code": "SUPPLIER", "addresses": [["create", [{}]]]}])
    lines = [{"sequence": 100 + at, **line} for at, line in enumerate(DEFAULT_LINES)]
    row = {"name": LIST, "company": 1, "unit": "product_default", "price": "list_price", "lines": [["create", lines]]}
    t.call("product.price_list", "create", [row])
    party, = t.call("party.party", "create", [{"name": CARRIER, "code": "CARRIER", "addresses": [["create", [{}]]]}])
    t.call("carrier", "create", [{"party": party, "carrier_product": t.one("product.product", [["code", "=", "SHIPPING"]])}])
    t.call("stock.package.type", "create", [{"name": "Box"}])
    account = t.one("account.account", [["type.receivable", "!=", True], ["type.payable", "!=", True], ["type", "!=", None], ["closed", "!=", True]])
    journal = t.one("account.journal", [["type", "=", "cash"]])
    way = {"name": "Cash", "company": 1, "journal": journal, "credit_account": account, "debit_account": account}
    t.call("account.invoice.payment.method", "create", [way])
    return [{"what": "supplier", "of": str(supplier[0]), "to": None}, {"what": "price_list", "of": LIST, "to": None}]


def goods(t):
    """Goods that are sold, in the order of their codes: id, code, and the template with its codes."""
    rows = t.call("product.product", "search_read", [["type", "=", "goods"]], 0, None, [["code", "ASC"]], ["code", "template"])
    families = {}
    for row in rows:
        families.setdefault(row["template"], []).append(row["code"])
    return [{"id": row["id"], "code": row["code"], "template": row["template"], "family": families[row["template"]]} for row in rows]


def receive(t, product, pieces):
    """Goods arrive from the supplier and are put away."""
    place = {code: t.one("stock.location", [["code", "=", code]]) for code in ("WH", "IN", "STO", "SUP")}
    move = {"product": product, "quantity": float(pieces), "unit": 1, "from_location": place["SUP"], "to_location": place["IN"],
            "company": 1, "currency": 1, "unit_price": dec("1.0000")}
    row = {"supplier": t.one("party.party", [["code", "=", "SUPPLIER"]]), "company": 1, "warehouse": place["WH"],
           "warehouse_input": place["IN"], "warehouse_storage": place["STO"], "incoming_moves": [["create", [move]]]}
    made = t.call("stock.shipment.in", "create", [row])
    for button in ("receive", "do"):
        t.call("stock.shipment.in", button, made)


def count(t, product, pieces):
    """Somebody counts the shelf: so many are there, whatever the books say."""
    storage = t.one("stock.location", [["code", "=", "STO"]])
    lines = [["create", [{"product": product, "quantity": float(pieces)}]]]
    made = t.call("stock.inventory", "create", [{"company": 1, "location": storage, "date": t.day(), "lines": lines}])
    t.call("stock.inventory", "confirm", made)


def ship(t, n):
    """The number of a sale whose goods are there, which leave the house; nothing where none waits."""
    waiting = t.search("stock.shipment.out", [["state", "=", "waiting"]])
    for at in range(min(4, len(waiting))):
        shipment = turn(waiting, 7 * n + at)
        number = assigned(t, shipment)
        if number:
            for button in ("pick", "pack", "ship", "do"):
                t.call("stock.shipment.out", button, [shipment])
            return number
    return None


def assigned(t, shipment):
    """The number of a shipment whose goods are there and taken for it, with its carrier; nothing where they are not."""
    t.call("stock.shipment.out", "write", [shipment], {"carrier": t.one("carrier", [])})
    t.call("stock.shipment.out", "assign_try", [shipment])
    row, = t.call("stock.shipment.out", "read", [shipment], ["state", "number"])
    return row["number"] if row["state"] == "assigned" else None


def turn(rows, at):
    return rows[at % len(rows)]


def stock(t, all_goods, n, done):
    row = turn(all_goods, 11 * n)
    receive(t, row["id"], 5 + n % 50)
    done("received", row["code"], 5 + n % 50)
    row = turn(all_goods, 11 * n + 4)
    count(t, row["id"], 40 + 3 * n % 100)
    done("counted", row["code"], 40 + 3 * n % 100)
    # What else leaves is the warehouse's matter: it is to find enough, however long people go on here.
    number = ship(t, n) if len(t.search("stock.shipment.out", [["state", "=", "done"]])) < SHIPPED else None
    if number:
        done("shipped", number, None)


def prices(t, all_goods, n, done):
    for step in (2, 7):
        row = turn(all_goods, 13 * n + step)
        amount = f"{10 + n}.{step}{n % 10}5"
        t.call("product.template", "write", [row["template"]], {"list_price": dec(amount)})
        for code in row["family"]:
            done("list_price", code, amount)
    row = turn(all_goods, 13 * n + 5)
    line = {"sequence": 50 - n, "product": row["id"], "quantity": n + 1, "formula": f"unit_price * 0.6{n % 10}"}
    t.call("product.price_list", "write", [t.one("product.price_list", [["name", "=", LIST]])], {"lines": [["create", [line]]]})
    done("price_list", row["code"], line["formula"])


def texts(t, all_goods, n, done):
    alone = [row for row in all_goods if len(row["family"]) == 1]
    for at, language in enumerate(LANGUAGES):
        row = turn(alone, 17 * n + at)
        name = f"{'Ware' if language == 'de' else 'Article' if language == 'fr' else 'Thing'} {n} “{language}” ü"
        t.call("product.template", "write", [row["template"]], {"name": name}, language=language)
        done("text", f"{row['code']} {language} name", name)
        row = turn(all_goods, 19 * n + at)
        text = f"{language} {n}: größer & more – “é”"
        t.call("product.product", "write", [row["id"]], {"description": text}, language=language)
        done("text", f"{row['code']} {language} description", text)


def people(t, n, done):
    """Parties that came from the shop: a customer is renamed, and the telephone of another one is typed anew."""
    parties = t.search("party.party", [["code", "like", "SL%"]])
    if not parties:
        return
    party = turn(parties, 5 * n)
    t.call("party.party", "write", [party], {"name": f"Renamed Customer {n}"})
    done("name", party, f"Renamed Customer {n}")
    party = turn(parties, 5 * n + 2)
    number = f"+49 30 {7000 + n}"
    ways = t.search("party.contact_mechanism", [["party", "=", party], ["type", "in", ["phone", "mobile"]]], 1)
    if ways:
        t.call("party.contact_mechanism", "write", ways, {"value": number})
    else:
        t.call("party.contact_mechanism", "create", [{"party": party, "type": "phone", "value": number}])
    done("phone", party, number)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    t, n = Tryton(*sys.argv[1:4]), int(sys.argv[4])
    changes = []

    def done(what, of, to):
        changes.append({"what": what, "of": str(of), "to": to})

    if n == 0:
        changes = set_up(t)
    else:
        all_goods = goods(t)
        stock(t, all_goods, n, done)
        prices(t, all_goods, n, done)
        texts(t, all_goods, n, done)
        people(t, n, done)
    json.dump(changes, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
