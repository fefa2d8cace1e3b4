//! What a warehouse does by hand: it sends sales whole or in parts, in parcels that can be followed, or does not send them.
//!
//! Parcels come with module `stock_package_shipping` 8.0. Seen on a running Tryton: a number that is put on a parcel later
//! moves the parcel's `write_date` and not its shipment's; a parcel that is deleted moves nothing of either; what was not
//! picked gets a shipment of its own with the button `ship`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Erp;
use super::fail::Fail;
use super::ledger::envelope;
use super::price::coded;
use super::schema::Leg;
use super::shipping::{advance, moves_from, of_sale_from, offered, shipments_of, sold_by};
use super::stock::{moves_of, moves_with};
use super::store::Store;
use super::unit;
use super::value::Val;
use super::write::{create, write};

const MODEL: &str = "stock.shipment.out";
/// The module, and those it brings with it.
const MODULES: [&str; 4] = ["stock_package_shipping", "stock_package", "stock_shipment_cost", "carrier"];
const MODELS: [&str; 3] = ["stock.package", "stock.package.type", "carrier"];

/// Whether a model comes with the module of parcels.
pub fn is_of_module(model: &str) -> bool {
    MODELS.contains(&model)
}

/// The parcels of a shipment, by id.
pub fn of_shipment(store: &Store, shipment: u64) -> Result<Vec<u64>, Fail> {
    let at = store.model("stock.package")?;
    let position = store.schema.models[at].position("shipment")?;
    Ok(store.having(at, position, &Val::Text(format!("{MODEL},{shipment}"))))
}

/// Refuses to pack a shipment some of whose goods lie in no parcel where others do.
pub fn check(store: &Store, shipment: u64) -> Result<(), Fail> {
    let parcels = of_shipment(store, shipment)?;
    let goods = moves_of(store, shipment, Leg::Outgoing)?;
    let lies = |id: &u64| store.value("stock.move", *id, "package").filled();
    if parcels.is_empty() || goods.iter().all(lies) {
        return Ok(());
    }
    let number = store.text(MODEL, shipment, "number");
    Err(Fail::user(format!("To process shipment \"{number}\", you must pack all its moves.")))
}

/// Asks who packs a shipment by the API without a carrier whether that is meant.
pub fn warn(store: &Store, shipment: u64) -> Result<(), Fail> {
    let modules = store.model("ir.module")?;
    let active = store.ids(modules).any(|id| store.text("ir.module", id, "name") == MODULES[0]);
    if !active || store.user == super::store::ADMINISTRATOR || store.value(MODEL, shipment, "carrier").filled() {
        return Ok(());
    }
    let number = store.text(MODEL, shipment, "number");
    Err(Fail::Warning {
        name: format!("{shipment:032x}.no_carrier"),
        message: format!("The shipment \"{number}\" does not have a carrier set."),
        description: "",
    })
}

fn is_house(store: &Store, id: u64) -> bool {
    store.text("stock.location", id, "type") == "warehouse"
}

/// Presses the buttons that are offered on a shipment, one after the other.
fn press(store: &mut Store, shipment: u64, buttons: &[&str]) -> Result<(), Fail> {
    for button in buttons {
        if offered(store, MODEL, button, shipment)? {
            advance(store, button, shipment)?;
        }
    }
    Ok(())
}

/// The shipment of a sale that waits to be picked.
fn waiting(store: &Store, sale: u64) -> Result<u64, Fail> {
    let mut all = shipments_of(store, sale)?.into_iter();
    let found = all.find(|id| matches!(store.text(MODEL, *id, "state").as_str(), "waiting" | "assigned"));
    found.ok_or_else(|| Fail::other("nothing waits"))
}

/// Has only so many of each code picked, and of what is not named nothing.
fn pick_only(store: &mut Store, shipment: u64, goods: &[(&str, Decimal)]) -> Result<(), Fail> {
    let mut left = BTreeMap::new();
    for (code, quantity) in goods {
        *left.entry(coded(store, code)?).or_insert(Decimal::ZERO) += *quantity;
    }
    for id in moves_of(store, shipment, Leg::Inventory)? {
        let product = store.value("stock.move", id, "product").id().unwrap_or_default();
        let there = store.value("stock.move", id, "quantity").number().unwrap_or_default();
        let wish = left.entry(product).or_default();
        let taken = there.min(*wish);
        *wish -= taken;
        if taken != there {
            unit::set_quantity(store, id, taken)?;
            store.touch(store.model("stock.move")?, id);
        }
    }
    match left.values().all(Decimal::is_zero) {
        true => Ok(()),
        false => Err(Fail::other("not so many wait")),
    }
}

/// Puts the goods of these codes, or all that lie in no parcel yet, into a new parcel; its id.
fn wrap(store: &mut Store, shipment: u64, codes: &[&str], number: Option<&str>) -> Result<u64, Fail> {
    let known = store.ids(store.model("stock.package.type")?).next();
    let sort = match known {
        Some(sort) => sort,
        None => create(store, "stock.package.type", &[json!({"name": "Box"})])?.first().copied().unwrap_or_default(),
    };
    let products = codes.iter().map(|code| coded(store, code)).collect::<Result<Vec<u64>, Fail>>()?;
    let fits = |id: &u64| {
        let product = store.value("stock.move", *id, "product").id().unwrap_or_default();
        !store.value("stock.move", *id, "package").filled() && (products.is_empty() || products.contains(&product))
    };
    let moves: Vec<u64> = moves_of(store, shipment, Leg::Outgoing)?.into_iter().filter(fits).collect();
    let row = json!({"type": sort, "shipment": format!("{MODEL},{shipment}"), "shipping_reference": number,
        "company": store.value(MODEL, shipment, "company").to_json(true), "moves": [["add", moves]]});
    Ok(create(store, "stock.package", &[row])?.first().copied().unwrap_or_default())
}

/// The carrier of that name, a new one if need be.
fn carrier(store: &mut Store, name: &str) -> Result<u64, Fail> {
    let known = store.ids(store.model("carrier")?).find(|id| {
        let party = store.value("carrier", *id, "party").id().unwrap_or_default();
        store.text("party.party", party, "name") == name
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let party = create(store, "party.party", &[json!({"name": name})])?;
    let row = json!({"party": party.first(), "carrier_product": coded(store, "SHIPPING")?});
    Ok(create(store, "carrier", &[row])?.first().copied().unwrap_or_default())
}

/// Every shipment with what it holds of which line, and how that can be followed.
pub fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model(MODEL) else { return Vec::new() };
    store.ids(at).map(|id| row(store, id)).collect()
}

fn row(store: &Store, id: u64) -> Value {
    let house = store.value(MODEL, id, "warehouse").id().unwrap_or_default();
    let lines: Vec<Value> = moves_of(store, id, Leg::Outgoing)
        .unwrap_or_default()
        .into_iter()
        .map(|one| {
            let product = store.value("stock.move", one, "product").id().unwrap_or_default();
            let line = sold_by(&store.text("stock.move", one, "origin"));
            json!({"move": one, "line": line, "sale": line.and_then(|line| store.value("sale.line", line, "sale").id()),
                "sku": store.text("product.product", product, "code"), "state": store.text("stock.move", one, "state"),
                "qty": store.value("stock.move", one, "quantity").number().unwrap_or_default().normalize().to_string()})
        })
        .collect();
    let parcels = of_shipment(store, id).unwrap_or_default().into_iter();
    let tracks: Vec<String> = parcels
        .map(|one| store.text("stock.package", one, "shipping_reference"))
        .chain([store.text(MODEL, id, "shipping_reference")])
        .filter(|text| !text.is_empty())
        .collect();
    let state = store.text(MODEL, id, "state");
    json!({"id": id, "number": store.text(MODEL, id, "number"), "left": matches!(state.as_str(), "shipped" | "done"),
        "state": state, "warehouse": store.text("stock.location", house, "code"), "lines": lines, "tracks": tracks,
        "address": store.value(MODEL, id, "delivery_address").id(), "to": envelope(store, store.value(MODEL, id, "delivery_address").id()),
        "day": store.value(MODEL, id, "effective_date").to_json(true)})
}

impl Erp {
    /// Activates module `stock_package_shipping`, which has shipments go in parcels that can be followed.
    pub fn activate_parcels(&mut self, now: Timestamp) {
        let rows = MODULES.map(|name| json!({"name": name, "state": "activated"}));
        self.has_parcels = self.has_parcels || self.whole(now, |store| create(store, "ir.module", &rows).map(drop));
    }

    /// Does to a sale what people at the ERP do, by a word: `ship` all that waits, as one parcel of that number where one
    /// is told; `track` the first parcel of its last shipment by that number; `withdraw` what has not left; `post` its
    /// invoices, and `pay` them; `credit` what is left of them, and `payout` that. False where that cannot be done.
    pub fn see_to(&mut self, now: Timestamp, sale: u64, what: &str, value: &str) -> bool {
        let number = Some(value).filter(|text| !text.is_empty());
        match what {
            "ship" if number.is_some() => {
                self.activate_parcels(now);
                self.ship_in_parcels(now, sale, "Carrier GmbH", &[(&[], number)]).is_some()
            }
            "ship" => self.ship(now, sale),
            "track" => {
                let last = self.shipments(sale).pop();
                last.and_then(|one| self.parcels(one).first().copied()).is_some_and(|one| self.track(now, one, number))
            }
            "withdraw" => self.withdraw_sale(now, sale),
            "post" => self.post_invoices(now, sale),
            "pay" => self.pay_invoices(now, sale),
            "credit" => !self.credit_all(now, sale).is_empty(),
            "payout" => self.pay_credit(now, sale),
            _ => false,
        }
    }

    /// The shipments of a sale, oldest first.
    pub fn shipments(&self, sale: u64) -> Vec<u64> {
        shipments_of(&self.store, sale).unwrap_or_default()
    }

    /// The parcels of a shipment, oldest first.
    pub fn parcels(&self, shipment: u64) -> Vec<u64> {
        of_shipment(&self.store, shipment).unwrap_or_default()
    }

    /// Presses a button on a shipment as a person in the warehouse would: `assign_try`, `assign_force`, `pick`, `pack`,
    /// `ship` (it leaves), `do` (it has arrived in the books) or `cancel`. False where that is not offered, or refused.
    pub fn press_shipment(&mut self, now: Timestamp, shipment: u64, button: &str) -> bool {
        self.whole(now, |store| match store.exists(MODEL, shipment) && offered(store, MODEL, button, shipment)? {
            true => advance(store, button, shipment),
            false => Err(Fail::other("not offered")),
        })
    }

    /// Sends so many of each code of what a sale has waiting, in one shipment; the rest gets another one. The id of what
    /// left; none where not so many wait.
    pub fn ship_part(&mut self, now: Timestamp, sale: u64, goods: &[(&str, Decimal)]) -> Option<u64> {
        let mut left = None;
        self.whole(now, |store| {
            let shipment = waiting(store, sale)?;
            pick_only(store, shipment, goods)?;
            press(store, shipment, &["assign_force", "pick", "pack", "ship", "do"])?;
            left = Some(shipment);
            Ok(())
        });
        left
    }

    /// Sends so many of a code out of another warehouse, in a shipment of its own: what waits in the sale's has less to send
    /// (recorded: `tryton-8.0-places.json`). The id of what left; none where not so many wait, or there is no such place.
    pub fn send_from(
        &mut self,
        now: Timestamp,
        sale: u64,
        house: &str,
        (code, quantity): (&str, Decimal),
    ) -> Option<u64> {
        let mut left = None;
        self.whole(now, |store| {
            let (shipment, product) = (waiting(store, sale)?, coded(store, code)?);
            let places = store.model("stock.location")?;
            let is_it = |id: &u64| store.text("stock.location", *id, "code") == house && is_house(store, *id);
            let house = store.ids(places).find(is_it).ok_or_else(|| Fail::other("no such warehouse"))?;
            let mut line = None;
            for one in moves_of(store, shipment, Leg::Both)? {
                let there = store.value("stock.move", one, "quantity").number().unwrap_or_default();
                if store.value("stock.move", one, "product").id() != Some(product) || there <= quantity {
                    continue;
                }
                unit::set_quantity(store, one, there - quantity)?;
                store.touch(store.model("stock.move")?, one);
                line = line.or(sold_by(&store.text("stock.move", one, "origin")));
            }
            let line = line.ok_or_else(|| Fail::other("not so many wait"))?;
            let made = of_sale_from(store, sale, house, &[(line, quantity)])?;
            press(store, made, &["assign_force", "pick", "pack", "ship", "do"])?;
            left = Some(made);
            Ok(())
        });
        left
    }

    /// Sends all a sale has waiting by a carrier, in parcels: each takes the goods of its codes, or what is left where it
    /// names none, and has a number or gets one later. The id of the shipment; none where nothing waits, or where goods
    /// lie in no parcel.
    pub fn ship_in_parcels(
        &mut self,
        now: Timestamp,
        sale: u64,
        by: &str,
        parcels: &[(&[&str], Option<&str>)],
    ) -> Option<u64> {
        let mut left = None;
        self.whole(now, |store| {
            let (shipment, by) = (waiting(store, sale)?, carrier(store, by)?);
            write(store, MODEL, &[shipment], &json!({"carrier": by}))?;
            press(store, shipment, &["assign_force", "pick"])?;
            for (codes, number) in parcels {
                wrap(store, shipment, codes, *number)?;
            }
            press(store, shipment, &["pack", "ship", "do"])?;
            left = Some(shipment);
            Ok(())
        });
        left
    }

    /// A while's work in the warehouse: of so many sales that wait something is sent, of every third one a part, of the others
    /// all in one parcel by `DHL`; every other parcel has its number at once, and each that had none gets it now. False
    /// where nothing waits.
    pub fn work_a_while(&mut self, now: Timestamp, sales: usize) -> bool {
        let left: Vec<u64> = self.store.model(MODEL).map(|at| self.store.ids(at).collect()).unwrap_or_default();
        let late: Vec<u64> = left.into_iter().flat_map(|shipment| self.parcels(shipment)).collect();
        for parcel in late {
            if self.store.text("stock.package", parcel, "shipping_reference").is_empty() {
                self.track(now, parcel, Some(&format!("LATE{parcel}")));
            }
        }
        let all: Vec<u64> = self.store.model("sale.sale").map(|at| self.store.ids(at).collect()).unwrap_or_default();
        let waits = |sale: &u64| waiting(&self.store, *sale).is_ok();
        let next: Vec<u64> = all.into_iter().filter(waits).take(sales).collect();
        for sale in &next {
            match sale % 3 {
                0 => self.send_half(now, *sale),
                at => {
                    let number = format!("JJD{sale}");
                    let number = (at == 1).then_some(number.as_str());
                    self.ship_in_parcels(now, *sale, "DHL", &[(&[], number)])
                }
            };
        }
        !next.is_empty()
    }

    /// A while's work in the office: of so many sales whose invoice is a draft it is posted and paid, and of two that were sent
    /// and paid something is given back. All whose reference is among `paid_elsewhere` are posted, and not paid. False where
    /// nothing is left to bill.
    pub fn bill_a_while(&mut self, now: Timestamp, sales: usize, paid_elsewhere: &[&str]) -> bool {
        let all: Vec<u64> = self.store.model("sale.sale").map(|at| self.store.ids(at).collect()).unwrap_or_default();
        self.give_back_a_while(now, 2, paid_elsewhere);
        let mut billed = 0;
        for sale in all {
            let elsewhere = paid_elsewhere.contains(&self.store.text("sale.sale", sale, "reference").as_str());
            let wanted = elsewhere || billed < sales;
            if wanted && self.post_invoices(now, sale) && !elsewhere {
                billed += 1;
                self.pay_invoices(now, sale);
            }
        }
        billed > 0
    }

    /// Sends half of each thing a sale has waiting, one piece at least.
    fn send_half(&mut self, now: Timestamp, sale: u64) -> Option<u64> {
        let shipment = waiting(&self.store, sale).ok()?;
        let mut goods: BTreeMap<String, Decimal> = BTreeMap::new();
        for id in moves_of(&self.store, shipment, Leg::Inventory).ok()? {
            let product = self.store.value("stock.move", id, "product").id()?;
            let quantity = self.store.value("stock.move", id, "quantity").number()?;
            *goods.entry(self.store.text("product.product", product, "code")).or_default() += quantity;
        }
        let half = |quantity: Decimal| (quantity / Decimal::TWO).ceil().min(quantity);
        let goods: Vec<(&str, Decimal)> =
            goods.iter().map(|(code, quantity)| (code.as_str(), half(*quantity))).collect();
        self.ship_part(now, sale, &goods)
    }

    /// Gives a parcel a number, another one, or none; false where there is no such parcel.
    pub fn track(&mut self, now: Timestamp, parcel: u64, number: Option<&str>) -> bool {
        self.whole(now, |store| write(store, "stock.package", &[parcel], &json!({"shipping_reference": number})))
    }

    /// Withdraws a shipment that has not left; false where it has, or where there is none.
    pub fn cancel_shipment(&mut self, now: Timestamp, shipment: u64) -> bool {
        let left = matches!(self.store.text(MODEL, shipment, "state").as_str(), "shipped" | "done");
        !left && self.press_shipment(now, shipment, "cancel")
    }

    /// Has what was withdrawn of a sale sent after all, in a shipment of its own, as a clerk decides in the wizard for
    /// shipments that went wrong; false where nothing was withdrawn.
    pub fn send_anew(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| {
            let mut any = false;
            for line in super::sale::amount_lines(store, sale)? {
                let off = |id: &u64| store.text("stock.move", *id, "state") == "cancelled";
                let off: Vec<u64> = moves_from(store, line)?.into_iter().filter(off).collect();
                any |= !off.is_empty();
                store.put("sale.line", line, "moves_recreated", Val::Refs(off))?;
            }
            match any {
                true => super::sale::process(store, sale),
                false => Err(Fail::other("nothing was withdrawn")),
            }
        })
    }

    /// Has what a second sale has waiting leave with the shipment that waits for the first one; its id. None where one of
    /// them has nothing waiting.
    pub fn ship_together(&mut self, now: Timestamp, first: u64, second: u64) -> Option<u64> {
        let mut shared = None;
        self.whole(now, |store| {
            let (into, from) = (waiting(store, first)?, waiting(store, second)?);
            let text = |shipment: u64| Val::Text(format!("{MODEL},{shipment}"));
            for id in moves_with(store, "shipment", &text(from))? {
                store.put("stock.move", id, "shipment", text(into))?;
                store.touch(store.model("stock.move")?, id);
            }
            store.remove(store.model(MODEL)?, from);
            shared = Some(into);
            Ok(())
        });
        shared
    }
}
