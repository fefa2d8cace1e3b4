"""Records what a real Tryton answers about shipments that a supplier sends to the customer by itself.

usage: record_tryton_drop.py < the line `tryton_up.sh CACHE RUN CATALOGUE drop` printed > crates/sim/fixtures/tryton-8.0-drop.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
What is bought, and how, is no part of the recording: the simulated server has a desk for it.
"""
import json
import sys

from record_tryton import C, TODAY, Desk, Recorder, dec, line, sale
from record_tryton_papers import CHANGED, ready

DROP = ["number", "state", "effective_date", "moves.origin", "moves.state", "moves.quantity", "moves.unit.digits", "moves.unit.factor"]


def look(r, name):
    """Drop shipments, those of ours, and how far the sale at hand has come."""
    r.call(f"drop shipments: {name}", "model.stock.shipment.drop.search_read", [["company", "=", 1]], 0, None, [["id", "ASC"]], DROP, C)
    r.call(f"own shipments: {name}", "model.stock.shipment.out.search_read", [["company", "=", 1]], 0, None, [["id", "ASC"]],
           ["state", "moves.origin", "moves.quantity"], C)
    r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "shipment_state", "shipments"], C)


class People(Desk):
    """What people do who buy; unrecorded."""

    def supplied(self):
        """The lamp is never in stock: its supplier sends it."""
        template = self.call("model.product.product.read", ["$LAMP"], ["template"], C)[0]["template"]
        party = self.call("model.party.party.create", [{"name": "Supplier GmbH", "code": "SUP", "addresses": [["create", [{"city": "Hof"}]]]}], C)[0]
        purchase_unit = self.r.kept["unit"]
        self.call("model.product.template.write", [template], {"purchasable": True, "purchase_uom": purchase_unit, "supply_on_sale": "always"}, C)
        self.call("model.purchase.product_supplier.create", [{"template": template, "party": party, "company": 1, "currency": self.r.kept["EUR"],
                  "drop_shipment": True, "lead_time": {"__class__": "timedelta", "seconds": 0}}], C)

    def buy(self):
        """The requests of sales become a purchase that is confirmed; its drop shipment."""
        asked = self.call("model.purchase.request.search", [["state", "=", "draft"]], 0, None, None, C)
        wizard = self.call("wizard.purchase.request.create_purchase.create", C)[0]
        about = {**C, "active_model": "purchase.request", "active_id": asked[0], "active_ids": asked}
        self.call("wizard.purchase.request.create_purchase.execute", wizard, {}, "start", about)
        found = self.call("model.purchase.purchase.search", [["state", "=", "draft"]], 0, 1, [["id", "DESC"]], C)
        lines = self.call("model.purchase.line.search", [["purchase", "in", found]], 0, None, None, C)
        self.call("model.purchase.line.write", lines, {"unit_price": dec("3.0000")}, C)
        term = self.r.kept["term"]
        self.call("model.purchase.purchase.write", found, {"payment_term": term}, C)
        for button in ("quote", "confirm"):
            self.call(f"model.purchase.purchase.{button}", found, C)
        return self.call("model.stock.shipment.drop.search", [["state", "=", "waiting"]], 0, None, [["id", "DESC"]], C)

    def less(self, shipment, quantity):
        """The supplier has less than was bought."""
        moves = self.call("model.stock.move.search", [["shipment", "=", f"stock.shipment.drop,{shipment}"], ["to_location.type", "=", "drop"]], 0, None, None, C)
        self.call("model.stock.move.write", moves, {"quantity": quantity}, C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    r.find("LAMP", "product.product", [["code", "=", "LAMP-1"]])
    desk = People(r)
    desk.supplied()
    row, context = sale([line("$MUG", 2, "10.0000", "$vat"), line("$LAMP", 5, "30.0000", "$vat")], reference="DROP", web_id="DROP")
    r.call("sale DROP", "model.sale.sale.create", row, context, keep={"sale": "/result/0"})
    r.press("$sale", "quote", "confirm")
    look(r, "confirmed")
    found = desk.buy()
    r.call("bought", "model.stock.shipment.drop.search", [["company", "=", 1]], 0, None, [["id", "ASC"]], C, keep={"drop": "/result/0"})
    look(r, "bought")
    desk.less(found[0], 3)
    r.call("sent in part", "model.stock.shipment.drop.ship", ["$drop"], C)
    look(r, "sent in part")
    r.call("a stamp", "model.stock.shipment.drop.read", ["$drop"], ["_timestamp"], C, keep={"stamp": "/result/0/_timestamp"})
    r.call("there", "model.stock.shipment.drop.do", ["$drop"], C)
    look(r, "a part is there")
    r.call("changed moves", "model.stock.shipment.drop.search_read", [["company", "=", 1], ["moves", "where", CHANGED]], 0, None, [["id", "ASC"]], ["number"], C)
    r.call("the rest", "model.stock.shipment.drop.search", [["state", "=", "waiting"]], 0, None, [["id", "ASC"]], C, keep={"rest": "/result/0"})
    for button in ("ship", "do"):
        r.call(f"{button} the rest", f"model.stock.shipment.drop.{button}", ["$rest"], C)
    look(r, "all is there")
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
