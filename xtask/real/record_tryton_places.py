"""Records what a real Tryton answers about a sale whose goods leave from two warehouses.

usage: record_tryton_places.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-places.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
A sale names one warehouse. People bring its shipment back to a draft, have less leave with it, and make another one in the other
warehouse whose goods come from the same line; that is no part of the recording.
"""
import json
import sys

from record_tryton import C, TODAY, Desk, Recorder, dec
from record_tryton_papers import ready, sold

SHIPMENT = ["number", "state", "warehouse.code", "effective_date", "moves.origin", "moves.state", "moves.quantity"]


def look(r, name):
    r.call(f"shipments: {name}", "model.stock.shipment.out.search_read", [["company", "=", 1]], 0, None, [["id", "ASC"]], SHIPMENT, C)
    r.call(f"sale: {name}", "model.sale.sale.read", ["$sale"], ["state", "shipment_state", "shipments"], C)


class People(Desk):
    """What people do in the warehouses; unrecorded."""

    def place(self, name, code, form, **more):
        return self.call("model.stock.location.create", [{"name": name, "code": code, "type": form, **more}], C)[0]

    def north(self):
        zones = {f"{zone}_location": self.place(f"North {zone}", f"N{zone[:1].upper()}", "storage") for zone in ("input", "output", "storage")}
        return {"warehouse": self.place("North", "NORTH", "warehouse", **zones), "warehouse_storage": zones["storage_location"],
                "warehouse_output": zones["output_location"]}

    def split(self, shipment, line, less, more):
        """Less leaves with the shipment; the rest with another one from the north."""
        self.call("model.stock.shipment.out.draft", [shipment], C)
        moves = self.call("model.stock.shipment.out.read", [shipment], ["outgoing_moves"], C)[0]["outgoing_moves"]
        self.call("model.stock.move.write", moves, {"quantity": less}, C)
        self.call("model.stock.shipment.out.wait", [shipment], C)
        north = self.north()
        customer = self.call("model.stock.location.search", [["type", "=", "customer"]], 0, 1, None, C)[0]
        move = {"product": "$MUG", "quantity": more, "unit": "$unit", "from_location": north["warehouse_output"], "to_location": customer,
                "company": 1, "currency": "$EUR", "unit_price": dec("10.0000"), "origin": f"sale.line,{line}"}
        made = self.call("model.stock.shipment.out.create", [{"company": 1, "customer": "$party", "delivery_address": "$ship", **north,
                         "outgoing_moves": [["create", [move]]]}], C)[0]
        self.call("model.stock.shipment.out.wait", [made], C)
        return made

    def send(self, shipment):
        self.call("model.stock.shipment.out.write", [shipment], {"carrier": "$carrier"}, C)
        for button in ("assign_force", "pick", "pack", "ship", "do"):
            self.call(f"model.stock.shipment.out.{button}", [shipment], C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    desk = People(r)
    sold(r, "TWO", 5)
    look(r, "one shipment")
    line = desk.call("model.sale.line.search", [["sale", "=", "$sale"]], 0, 1, None, C)[0]
    other = desk.split(r.kept["shipment"], line, 3, 2)
    desk.send(other)
    look(r, "two have left from the north")
    desk.send(r.kept["shipment"])
    look(r, "three have left from the south")
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
