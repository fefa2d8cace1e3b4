"""Records what a real Tryton answers where the books are closed for the day of a payment, an invoice or a credit note.

usage: record_tryton_periods.py < the line `tryton_up.sh CACHE RUN CATALOGUE papers` printed > crates/sim/fixtures/tryton-8.0-periods.json
Needs a freshly filled database. A test replays the calls against the simulated Tryton, as it does those of record_tryton.py.
Periods and their journals are closed and opened unrecorded: the simulated server has days instead, up to which both are closed. A step
says so in its name: "closed until DAY", "the periods are open", "all is open".
"""
import datetime
import json
import sys

from record_tryton import C, TODAY, Recorder
from record_tryton_papers import INVOICE, paid_in_cash, ready
from record_tryton_payments import pay, stamp
from record_tryton_refunds import back, billed, mugs, note, post, stands


def day(date):
    return {"__class__": "date", "year": date.year, "month": date.month, "day": date.day}


LAST_MONTH = TODAY.replace(day=1) - datetime.timedelta(days=1)


class Books:
    """Closes and opens the periods behind the recording's back."""

    def __init__(self, r):
        self.r, self.hidden, self.shut = r, Recorder(r.place), set()

    def period(self, date):
        found = self.hidden.call("period", "model.account.period.search", [["start_date", "<=", day(date)], ["end_date", ">=", day(date)]], 0, 1, None, C)
        return found["result"]

    def press(self, button, date):
        answer = self.hidden.call(button, f"model.account.period.{button}", self.period(date), C)
        assert "error" not in answer, answer

    def close(self, until):
        for date in (LAST_MONTH, TODAY):
            if date <= until and date not in self.shut:
                self.press("close", date)
                self.shut.add(date)
        self.r.call(f"closed until {until.isoformat()}", "model.ir.date.today", C)

    def open(self):
        for date in self.shut:
            self.press("reopen", date)
        self.r.call("the periods are open", "model.ir.date.today", C)

    def open_journals(self):
        """What stays closed after its period was opened again."""
        for date in self.shut:
            found = self.hidden.call("journals", "model.account.journal.period.search", [["period", "in", self.period(date)], ["state", "=", "closed"]], 0, None, None, C)
            answer = self.hidden.call("journals", "model.account.journal.period.reopen", found["result"], C)
            assert "error" not in answer, answer
        self.shut = set()
        self.r.call("all is open", "model.ir.date.today", C)


def invoice(r, name):
    r.call(f"invoice: {name}", "model.account.invoice.read", ["$invoice"], [*INVOICE, "amount_to_pay"], C)


def main():
    place = json.load(sys.stdin)
    r = Recorder(place)
    ready(r)
    paid_in_cash(r.place, "Gateway")
    r.find("cash", "account.invoice.payment.method", [["name", "=", "Gateway"]])
    books = Books(r)
    mugs(r, "PAID", 3)
    r.call("post PAID", "model.account.invoice.post", ["$invoice"], C)
    books.close(LAST_MONTH)
    stamp(r)
    pay(r, "last month", "10.00", "m-one", date=day(LAST_MONTH))
    invoice(r, "nothing was booked")
    pay(r, "today, after it was refused", "10.00", "m-one", date=day(TODAY))
    invoice(r, "it was booked")
    stamp(r)
    pay(r, "of no day", "5.00", "m-two", date=None)
    invoice(r, "of no day")
    stamp(r)
    books.close(TODAY)
    pay(r, "today, which is closed", "20.70", "m-three", date=day(TODAY))
    books.open()
    pay(r, "today, whose journal is closed", "1.00", "m-three", date=day(TODAY))
    books.open_journals()
    pay(r, "today, which is open", "1.00", "m-three", date=day(TODAY))
    invoice(r, "booked in part")
    mugs(r, "BEFORE", 2)
    r.call("post one before", "model.account.invoice.post", ["$invoice"], C)
    mugs(r, "POSTED", 2)
    books.close(TODAY)
    post(r, "an invoice in a closed period", "$invoice")
    invoice(r, "it is not posted")
    books.open()
    post(r, "an invoice whose journal is closed", "$invoice")
    books.open_journals()
    post(r, "the invoice", "$invoice")
    invoice(r, "it is posted")
    billed(r, "posted", 1)
    note(r, "R-1", back(0, 1, "10.0000", "$vat"))
    books.close(TODAY)
    post(r, "a note in a closed period")
    r.call("the note is a draft", "model.account.invoice.read", ["$credit"], INVOICE, C)
    post(r, "the note once more")
    stands(r, "not credited")
    books.open()
    post(r, "a note whose journal is closed")
    r.call("the note is still a draft", "model.account.invoice.read", ["$credit"], INVOICE, C)
    books.open_journals()
    post(r, "the note, all is open")
    r.call("the note is posted", "model.account.invoice.read", ["$credit"], INVOICE, C)
    stands(r, "credited")
    json.dump({"login": place["login"], "password": place["password"], "day": TODAY.isoformat(), "steps": r.steps}, sys.stdout,
              ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
