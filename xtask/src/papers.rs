//! Counts papers in two ledgers: each shipment, each paid invoice and each credit of the ERP's database stands in the shop
//! once; what the shop's till took is booked on the ERP's invoices once.
use crate::decimal::Dec;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Papers of one sort on both sides.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Papers in force in the ERP.
    pub source: usize,
    /// Of them, those the shop has once.
    pub target: usize,
    pub missing: usize,
    /// Papers of the shop that stand for none.
    pub duplicate: usize,
}

/// All papers on both sides.
#[derive(Debug, Default)]
pub struct Papers {
    pub shipment: Told,
    /// Invoices whose money came by the ERP.
    pub invoice: Told,
    /// Paid invoices of orders whose money the shop had taken itself, before the ERP knew of them.
    pub at_the_till: usize,
    /// Invoices that the ERP posted for what the till took, and what is booked on them under our mark.
    pub payment: Told,
    /// Hundredths of money that the till took and the ERP asks for: in the shop, booked in the ERP.
    pub booked: (i128, i128),
    /// Orders of the till that the ERP has not billed yet.
    pub unbilled: usize,
    /// What was given back, on either side.
    pub credit: Told,
    /// Hundredths of money that was given back: in the shop, in the ERP.
    pub refunded: (i128, i128),
    /// Hundredths of money that came for orders with a paid invoice: in the shop, in the ERP.
    pub captured: (i128, i128),
    /// Hundredths of money that differ, order by order.
    pub cents_off: i128,
    /// Pieces that left: in the shop, in the ERP.
    pub shipped: (Dec, Dec),
    /// Numbers of parcels in the ERP.
    pub tracks: usize,
    /// One sentence per difference.
    pub wrong: Vec<String>,
}

/// What left with one shipment: pieces by SKU, and the numbers of its parcels in their order.
type Parcel = (BTreeMap<String, Dec>, Vec<String>);

/// What was done about one order.
#[derive(Debug, Default)]
struct Done {
    shipments: Vec<Parcel>,
    /// Totals of its paid invoices.
    invoices: Vec<Dec>,
    /// Totals of the invoices that are posted, paid ones among them.
    posted: Vec<Dec>,
    /// What is booked on them under our mark.
    booked: Vec<Dec>,
    /// Totals of what was given back.
    credits: Vec<Dec>,
}

/// Every paper of the ERP against the shop's. `taken` is the money that the shop had taken for an order, by number, before
/// anything was connected; `till` are the orders whose money is taken in the shop since.
pub fn compare(shop: &Value, erp: &Value, taken: &BTreeMap<String, Dec>, till: &BTreeSet<String>) -> Papers {
    let mut found = Papers::default();
    let (there, mut here) = (of_shop(shop), of_erp(erp, &mut found.wrong));
    here.retain(|number, _| there.contains_key(number));
    for (number, there) in &there {
        let here = here.remove(number).unwrap_or_default();
        found.shipments(number, &here, there);
        if till.contains(number) && here.posted.is_empty() {
            // What the ERP never asked for is not booked, and not credited.
            found.unbilled += 1;
            continue;
        }
        found.given_back(number, &here, there);
        match till.contains(number) {
            true => found.paid(number, &here, there),
            false => found.money(number, &here, there, taken.get(number).copied().unwrap_or_default()),
        }
    }
    found
}

fn rows<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value[list].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What was counted on one side, without the credits of these numbers.
pub fn without(mut counted: Value, credits: &[String]) -> Value {
    for list in ["credits", "memos"] {
        if let Some(rows) = counted[list].as_array_mut() {
            rows.retain(|row| !credits.contains(&text(&row["number"])));
        }
    }
    counted
}

fn number(value: &Value) -> Dec {
    Dec::from_json(value).unwrap_or_default()
}

/// By number of the order.
fn of_shop(shop: &Value) -> BTreeMap<String, Done> {
    let orders: BTreeMap<u64, &Value> =
        rows(shop, "orders").filter_map(|order| Some((order["id"].as_u64()?, order))).collect();
    let mut done: BTreeMap<String, Done> =
        orders.values().map(|order| (text(&order["number"]), Done::default())).collect();
    let of = |paper: &Value| orders.get(&paper["order"].as_u64().unwrap_or_default()).copied();
    for shipment in rows(shop, "shipments") {
        let Some(order) = of(shipment) else { continue };
        let tracks = rows(shipment, "tracks").map(|track| text(&track["number"])).collect();
        done.entry(text(&order["number"]))
            .or_default()
            .shipments
            .push(parcel(pieces(order, &shipment["lines"]), tracks));
    }
    for invoice in rows(shop, "invoices") {
        let Some(order) = of(invoice) else { continue };
        done.entry(text(&order["number"])).or_default().invoices.push(number(&invoice["total"]));
    }
    for memo in rows(shop, "memos") {
        let Some(order) = of(memo) else { continue };
        done.entry(text(&order["number"])).or_default().credits.push(number(&memo["total"]));
    }
    done
}

/// Pieces by SKU in a shipment that tells so much of each line; the head of a bundle stands beside its parts and is none.
fn pieces(order: &Value, told: &Value) -> Vec<(String, Dec)> {
    let is_told = |line: &Value| !told[line["id"].to_string()].is_null();
    let lines = rows(order, "lines").filter(|line| is_told(line));
    let is_head = |head: &Value| {
        rows(order, "lines").any(|line| line["parent"] == head["id"] && line["sku"] != head["sku"] && is_told(line))
    };
    lines
        .filter(|line| !is_head(line))
        .map(|line| (text(&line["sku"]), number(&told[line["id"].to_string()])))
        .collect()
}

fn parcel(pieces: impl IntoIterator<Item = (String, Dec)>, mut tracks: Vec<String>) -> Parcel {
    let mut sums: BTreeMap<String, Dec> = BTreeMap::new();
    for (sku, quantity) in pieces {
        let sum = sums.entry(sku).or_default();
        *sum = *sum + quantity;
    }
    sums.retain(|_, quantity| !quantity.is_zero());
    tracks.sort();
    (sums, tracks)
}

/// By reference of the sale; what is about several sales is taken apart.
fn of_erp(erp: &Value, wrong: &mut Vec<String>) -> BTreeMap<String, Done> {
    let sales: BTreeMap<u64, String> =
        rows(erp, "orders").filter_map(|sale| Some((sale["id"].as_u64()?, text(&sale["reference"])))).collect();
    let mut done: BTreeMap<String, Done> = BTreeMap::new();
    for shipment in rows(erp, "shipments").filter(|shipment| shipment["left"] == true) {
        let held = |line: &&Value| line["state"] != "cancelled";
        let of: BTreeSet<u64> = rows(shipment, "lines").filter(held).filter_map(|line| line["sale"].as_u64()).collect();
        for (sale, name) in of.iter().filter_map(|sale| Some((sale, sales.get(sale)?))) {
            let lines = rows(shipment, "lines").filter(held).filter(|line| line["sale"].as_u64() == Some(*sale));
            let pieces = lines.map(|line| (text(&line["sku"]), number(&line["qty"])));
            let tracks = rows(shipment, "tracks").map(text).collect();
            done.entry(name.clone()).or_default().shipments.push(parcel(pieces, tracks));
        }
    }
    for list in ["invoices", "credits"] {
        for bill in rows(erp, list).filter(|bill| bill["state"] == "posted" || bill["state"] == "paid") {
            let of: Vec<&String> =
                rows(bill, "sales").filter_map(|sale| sales.get(&sale.as_u64().unwrap_or_default())).collect();
            if let Some(stored) = Dec::from_json(&bill["stored"]).filter(|stored| *stored != number(&bill["total"])) {
                wrong.push(format!("{list} {}: the ERP keeps {stored}, its lines make {}", bill["id"], bill["total"]));
            }
            let [name] = of.as_slice() else { continue };
            let done = done.entry((*name).clone()).or_default();
            let total = number(&bill["total"]);
            match list {
                "credits" => done.credits.push(total),
                _ => {
                    done.posted.push(total);
                    done.invoices.extend((bill["state"] == "paid").then_some(total));
                    let ours = rows(erp, "payments").filter(|row| row["invoice"] == bill["id"]);
                    done.booked.extend(ours.map(|row| number(&row["amount"])));
                }
            }
        }
    }
    done
}

impl Told {
    /// Nothing: so many papers of one order on each side.
    fn add(&mut self, here: usize, there: usize) {
        self.source += here;
        self.target += here.min(there);
        self.missing += here.saturating_sub(there);
        self.duplicate += there.saturating_sub(here);
    }

    fn json(&self) -> Value {
        json!({"source": self.source, "target": self.target, "missing": self.missing, "duplicate": self.duplicate})
    }
}

impl Papers {
    fn shipments(&mut self, order: &str, here: &Done, there: &Done) {
        self.shipment.add(here.shipments.len(), there.shipments.len());
        let sum = |done: &Done| {
            done.shipments.iter().flat_map(|(pieces, _)| pieces.values()).fold(Dec::default(), |sum, n| sum + *n)
        };
        self.shipped = (self.shipped.0 + sum(there), self.shipped.1 + sum(here));
        self.tracks += here.shipments.iter().map(|(_, tracks)| tracks.len()).sum::<usize>();
        let (mut left, mut shown) = (here.shipments.clone(), there.shipments.clone());
        left.sort();
        shown.sort();
        if left != shown {
            self.wrong.push(format!(
                "{order}: left the ERP as {}, stands in the shop as {}",
                list(&left),
                list(&shown)
            ));
        }
    }

    fn given_back(&mut self, order: &str, here: &Done, there: &Done) {
        self.credit.add(here.credits.len(), there.credits.len());
        let (ours, theirs) = (sum(&here.credits), sum(&there.credits));
        self.refunded = (self.refunded.0 + theirs.hundredths(), self.refunded.1 + ours.hundredths());
        self.cents_off += (theirs - ours).hundredths().abs();
        if sorted(&here.credits) != sorted(&there.credits) {
            self.wrong.push(format!("{order}: {ours} given back in the ERP, {theirs} in the shop"));
        }
    }

    /// What the till took, against what is booked on the invoices of the ERP: as far as these ask for it, each once.
    fn paid(&mut self, order: &str, here: &Done, there: &Done) {
        let (took, asked, booked) = (sum(&there.invoices), sum(&here.posted), sum(&here.booked));
        let due = if took < asked { took } else { asked };
        let open = if took.is_zero() { 0 } else { here.posted.iter().filter(|total| !total.is_zero()).count() };
        self.payment.add(open, here.booked.len());
        self.booked = (self.booked.0 + due.hundredths(), self.booked.1 + booked.hundredths());
        self.cents_off += (due - booked).hundredths().abs();
        if due != booked || there.invoices.len() > 1 {
            self.wrong.push(format!(
                "{order}: {took} taken in the shop with {} invoices, {asked} asked for in the ERP, {booked} booked in {} parts",
                there.invoices.len(),
                here.booked.len()
            ));
        }
    }

    fn money(&mut self, order: &str, here: &Done, there: &Done, taken: Dec) {
        let (asked, told) = (sum(&here.invoices), sum(&there.invoices));
        if taken.is_zero() {
            self.invoice.add(here.invoices.len(), there.invoices.len());
        } else {
            self.invoice.add(0, there.invoices.len());
            self.at_the_till += here.invoices.len();
        }
        if here.invoices.is_empty() && there.invoices.is_empty() {
            return;
        }
        let captured = told + taken;
        self.captured = (self.captured.0 + captured.hundredths(), self.captured.1 + asked.hundredths());
        self.cents_off += (captured - asked).hundredths().abs();
        let same = if taken.is_zero() {
            sorted(&here.invoices) == sorted(&there.invoices)
        } else {
            there.invoices.is_empty() && captured == asked
        };
        if !same {
            self.wrong.push(format!(
                "{order}: {asked} paid in the ERP with {} invoices; in the shop {told} with {}, {taken} before",
                here.invoices.len(),
                there.invoices.len()
            ));
        }
    }

    /// Every check that fails, where so many shipments, paid invoices, credits and payments were wished at least.
    pub fn differences(&self, (shipments, invoices, credits, payments): (usize, usize, usize, usize)) -> Vec<String> {
        let mut wrong = self.wrong.clone();
        for (what, told, least) in [
            ("shipments", &self.shipment, shipments),
            ("paid invoices", &self.invoice, invoices),
            ("credits", &self.credit, credits),
            ("payments", &self.payment, payments),
        ] {
            if told.source < least {
                wrong.push(format!("{} {what} were held against each other, must be {least}", told.source));
            }
            if told.missing + told.duplicate > 0 || told.source != told.target {
                let Told { source, missing, duplicate, .. } = told;
                wrong.push(format!("{what}: {missing} of {source} missing on the other side, {duplicate} too many"));
            }
        }
        if self.cents_off != 0 {
            wrong.push(format!("{} hundredths of money are off", self.cents_off));
        }
        if self.shipped.0 != self.shipped.1 {
            wrong.push(format!("{} pieces left the ERP, {} the shop", self.shipped.1, self.shipped.0));
        }
        wrong
    }

    /// How many papers the ERP has in force.
    pub fn sources(&self) -> usize {
        [&self.shipment, &self.invoice, &self.credit, &self.payment].iter().map(|told| told.source).sum()
    }

    /// The papers in a few words.
    pub fn line(&self) -> String {
        let (sent, paid, back, till) = (&self.shipment, &self.invoice, &self.credit, &self.payment);
        format!(
            "{} shipments once in the shop of {}, {} paid invoices of {}, {} credits of {}, {} payments in the ERP of {}, {} hundredths off",
            sent.target,
            sent.source,
            paid.target,
            paid.source,
            back.target,
            back.source,
            till.target,
            till.source,
            self.cents_off
        )
    }

    /// The papers with the kills among them, and how many of them were held for a person meanwhile.
    pub fn json(&self, kills: u64, held: u64) -> Value {
        let pair = |shop: String, erp: String| json!({"shop": as_number(&shop), "erp": as_number(&erp)});
        json!({
            "shipment": self.shipment.json(), "invoice": self.invoice.json(), "credit": self.credit.json(), "at_the_till": self.at_the_till,
            "payment": self.payment.json(), "unbilled": self.unbilled,
            "paid_cents": pair(self.booked.0.to_string(), self.booked.1.to_string()),
            "captured_cents": pair(self.captured.0.to_string(), self.captured.1.to_string()),
            "refunded_cents": pair(self.refunded.0.to_string(), self.refunded.1.to_string()),
            "cents_off": as_number(&self.cents_off.to_string()),
            "shipped_qty": pair(self.shipped.0.to_string(), self.shipped.1.to_string()),
            "tracks": self.tracks, "kills": kills, "held": held,
        })
    }
}

fn sum(amounts: &[Dec]) -> Dec {
    amounts.iter().fold(Dec::default(), |sum, amount| sum + *amount)
}

fn sorted(amounts: &[Dec]) -> Vec<Dec> {
    let mut amounts = amounts.to_vec();
    amounts.sort();
    amounts
}

/// A number as JSON writes it.
fn as_number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// Shipments for a person to read.
fn list(parcels: &[Parcel]) -> String {
    let one = |(pieces, tracks): &Parcel| {
        let pieces: Vec<String> = pieces.iter().map(|(sku, quantity)| format!("{quantity} × {sku}")).collect();
        format!("[{} by {}]", pieces.join(", "), tracks.join(", "))
    };
    if parcels.is_empty() { "nothing".to_owned() } else { parcels.iter().map(one).collect::<Vec<_>>().join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Value {
        let line = |id: u64, parent: Option<u64>, sku: &str| json!({"id": id, "parent": parent, "sku": sku});
        json!({
            "orders": [
                {"id": 7, "number": "100", "lines": [line(71, None, "MUG"), line(72, None, "PEN")]},
                {"id": 8, "number": "200", "lines": [
                    line(81, None, "SET"), line(82, Some(81), "PEN"), line(83, None, "CUP-S"), line(84, Some(83), "CUP-S")]},
                {"id": 9, "number": "300", "lines": []}, {"id": 10, "number": "400", "lines": []}],
            "shipments": [
                {"order": 7, "lines": {"71": "2"}, "tracks": [{"number": "B"}, {"number": "A"}]},
                {"order": 7, "lines": {"71": "1", "72": "1.0"}, "tracks": []},
                {"order": 8, "lines": {"81": "1", "82": "3", "83": "1"}, "tracks": []}],
            "invoices": [{"order": 7, "total": "11.90"}, {"order": 8, "total": "30"}, {"order": 10, "total": "8.00"}],
            "memos": [{"order": 7, "total": "2.38"}],
        })
    }

    fn erp() -> Value {
        let part = |sale: u64, sku: &str, qty: &str, state: &str| json!({"sale": sale, "sku": sku, "qty": qty, "state": state});
        let sent =
            |lines: Vec<Value>, tracks: &[&str], left: bool| json!({"left": left, "lines": lines, "tracks": tracks});
        let paid = |sales: &[u64], total: &str, state: &str| json!({"id": 10 + sales[0], "state": state, "total": total, "stored": total, "sales": sales});
        json!({
            "orders": [{"id": 1, "reference": "100"}, {"id": 2, "reference": "200"}, {"id": 3, "reference": "300"},
                {"id": 4, "reference": "by hand"}, {"id": 5, "reference": "400"}],
            "shipments": [
                sent(vec![part(1, "MUG", "2", "done"), part(1, "PEN", "1", "cancelled")], &["A", "B"], true),
                sent(vec![part(1, "MUG", "1", "done"), part(1, "PEN", "1", "done")], &[], true),
                sent(vec![part(2, "PEN", "3", "done"), part(2, "CUP-S", "1", "done")], &[], true),
                sent(vec![part(1, "MUG", "9", "draft")], &[], false),
                sent(vec![part(4, "PEN", "9", "done")], &["Z"], true)],
            "invoices": [paid(&[1], "11.9", "paid"), paid(&[2], "30", "paid"), paid(&[3], "5", "paid"), paid(&[3], "9", "posted"),
                paid(&[5], "8", "paid")],
            "payments": [{"invoice": 15, "amount": "8", "mark": "SL1"}],
            "credits": [paid(&[1], "2.38", "posted"), paid(&[2], "3", "draft")],
        })
    }

    fn before() -> BTreeMap<String, Dec> {
        [("300".to_owned(), Dec::whole(5))].into()
    }

    fn held(shop: &Value, erp: &Value) -> Papers {
        compare(shop, erp, &before(), &["400".to_owned()].into())
    }

    #[test]
    fn what_agrees_agrees_and_it_is_said_of_how_many() {
        let found = held(&shop(), &erp());
        assert_eq!(found.differences((3, 2, 1, 1)), Vec::<String>::new());
        assert_eq!(
            found.json(4, 1),
            json!({
                "shipment": {"source": 3, "target": 3, "missing": 0, "duplicate": 0},
                "invoice": {"source": 2, "target": 2, "missing": 0, "duplicate": 0},
                "credit": {"source": 1, "target": 1, "missing": 0, "duplicate": 0}, "at_the_till": 1,
                "payment": {"source": 1, "target": 1, "missing": 0, "duplicate": 0}, "unbilled": 0, "paid_cents": {"shop": 800, "erp": 800},
                "captured_cents": {"shop": 4690, "erp": 4690}, "refunded_cents": {"shop": 238, "erp": 238}, "cents_off": 0, "shipped_qty": {"shop": 8, "erp": 8},
                "tracks": 2, "kills": 4, "held": 1,
            })
        );
    }

    #[test]
    fn too_little_is_not_enough() {
        assert_eq!(held(&shop(), &erp()).differences((4, 3, 2, 2)).len(), 4);
    }

    #[test]
    fn every_sort_of_difference_is_seen() {
        let seen = |path: &str, value: Value| {
            let mut told = shop();
            *told.pointer_mut(path).unwrap() = value;
            let found = held(&told, &erp());
            let counts = |told: &Told| (told.missing, told.duplicate);
            assert!(!found.differences((0, 0, 0, 0)).is_empty(), "{path}");
            (counts(&found.shipment), counts(&found.invoice), found.cents_off)
        };
        assert_eq!(seen("/shipments/0/lines/71", json!("3")), ((0, 0), (0, 0), 0), "more pieces");
        assert_eq!(
            seen("/shipments/0/tracks/0/number", json!("A")),
            ((0, 0), (0, 0), 0),
            "a number twice, one lacking"
        );
        assert_eq!(seen("/shipments/1", json!({})), ((1, 0), (0, 0), 0));
        let again = shop()["shipments"][1].clone();
        assert_eq!(seen("/shipments/2", again), ((1, 1), (0, 0), 0));
        assert_eq!(seen("/invoices/0/total", json!("11.91")), ((0, 0), (0, 0), 1));
        assert_eq!(seen("/invoices/0", json!({})), ((0, 0), (1, 0), 1190));
        assert_eq!(seen("/invoices/1/order", json!(7)), ((0, 0), (1, 1), 6000));
        assert_eq!(seen("/memos/0/total", json!("2.39")), ((0, 0), (0, 0), 1));
        assert_eq!(seen("/memos/0", json!({})), ((0, 0), (0, 0), 238), "not given back");
        assert_eq!(seen("/memos/0/order", json!(8)), ((0, 0), (0, 0), 476), "given back of another order");
        assert_eq!(seen("/invoices/1/order", json!(9)), ((0, 0), (1, 1), 6000), "asked for once more than at the till");
    }

    #[test]
    fn what_the_till_took_is_booked_once_as_far_as_it_is_asked_for() {
        let seen = |change: fn(&mut Value, &mut Value)| {
            let (mut shop, mut erp) = (shop(), erp());
            change(&mut shop, &mut erp);
            let found = held(&shop, &erp);
            let wrong = found.differences((0, 0, 0, 0)).len();
            (found.payment.missing, found.payment.duplicate, found.cents_off, found.unbilled, wrong)
        };
        assert_eq!(seen(|_, _| ()), (0, 0, 0, 0, 0));
        assert_eq!(seen(|_, erp| erp["payments"] = json!([])), (1, 0, 800, 0, 3), "not booked");
        assert_eq!(seen(|_, erp| erp["payments"][0]["amount"] = json!("7.99")), (0, 0, 1, 0, 2), "a cent less");
        let again = seen(|_, erp| {
            let row = erp["payments"][0].clone();
            erp["payments"] = json!([row.clone(), row]);
        });
        assert_eq!(again, (0, 1, 800, 0, 3), "booked twice");
        assert_eq!(seen(|_, erp| erp["invoices"][4]["state"] = json!("draft")), (0, 0, 0, 1, 0), "nothing asks for it");
        let apart = |shop: &mut Value, _: &mut Value| shop["invoices"][2]["total"] = json!("5");
        assert_eq!(seen(apart), (0, 0, 300, 0, 2), "more than was taken");
    }

    #[test]
    fn money_the_shop_did_not_take_is_missing() {
        let found = compare(&shop(), &erp(), &BTreeMap::new(), &["400".to_owned()].into());
        assert_eq!((found.invoice.missing, found.cents_off), (1, 500));
        let mut torn = erp();
        torn["invoices"][0]["stored"] = json!("12");
        assert_eq!(held(&shop(), &torn).differences((0, 0, 0, 0)).len(), 1);
    }
}
