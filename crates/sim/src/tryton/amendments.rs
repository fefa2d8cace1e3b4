//! Amendments of sales that are processed, as module `sale_amendment` 8.0 makes them.
//!
//! From its source (`sale.py` of `trytond_sale_amendment` 8.0) and as recorded (`tryton-8.0-amended.json`): what waits is made
//! anew and what is a draft is, too. A shipment that is assigned or picked is left alone and loses its way out all the same; no
//! stamp of it is looked at.

use jiff::Timestamp;
use serde_json::json;

use super::Erp;
use super::fail::Fail;
use super::invoice;
use super::read::present;
use super::sale;
use super::schema::Leg;
use super::shipping;
use super::stock::moves_of;
use super::store::Store;
use super::value::Val;
use super::write::create;

pub(super) const MODEL: &str = "sale.amendment";
const LINE: &str = "sale.amendment.line";
const SALE: &str = "sale.sale";
const SHIPMENT: &str = "stock.shipment.out";
const MOVE: &str = "stock.move";

/// The button that puts an amendment into force.
pub const VALIDATE: &str = "validate_amendment";

/// Whether a model comes with the module.
pub fn is_of_module(model: &str) -> bool {
    matches!(model, MODEL | LINE)
}

/// Puts amendments into force.
pub fn validate(store: &mut Store, ids: &[u64]) -> Result<(), Fail> {
    present(store, MODEL, ids, "read")?;
    for id in ids {
        if store.text(MODEL, *id, "state") != "draft" {
            return Err(Fail::user(format!("You can not call \"{VALIDATE}\" on \"({id})\" of \"Sale Amendment\".")));
        }
    }
    ids.iter().try_for_each(|id| into_force(store, *id))
}

fn into_force(store: &mut Store, id: u64) -> Result<(), Fail> {
    store.guard(store.model(MODEL)?, id)?;
    store.put(MODEL, id, "state", Val::Text("validated".to_owned()))?;
    store.touch(store.model(MODEL)?, id);
    let sale = store.value(MODEL, id, "sale").id().unwrap_or_default();
    store.guard(store.model(SALE)?, sale)?;
    for one in store.children(LINE, "amendment", id)? {
        let line = store.value(LINE, one, "line").id().unwrap_or_default();
        for field in ["product", "quantity", "unit", "unit_price", "description"] {
            store.put("sale.line", line, field, store.value(LINE, one, field))?;
        }
        store.touch(store.model("sale.line")?, line);
    }
    sale::keep_amounts(store, sale)?;
    store.touch(store.model(SALE)?, sale);
    clear(store, sale)?;
    sale::process(store, sale)
}

/// Takes away what nobody has in hand and nobody was asked money for, so that it is made anew.
fn clear(store: &mut Store, sale: u64) -> Result<(), Fail> {
    let shipments = shipping::shipments_of(store, sale)?;
    let open = |store: &Store, id: &u64| matches!(store.text(SHIPMENT, *id, "state").as_str(), "draft" | "waiting");
    let shipments: Vec<u64> = shipments.into_iter().filter(|id| open(store, id)).collect();
    for id in &shipments {
        store.guard(store.model(SHIPMENT)?, *id)?;
        shipping::lay_back(store, *id)?;
    }
    let drafts = invoice::of_sale(store, sale)?.into_iter();
    let drafts: Vec<u64> = drafts.filter(|id| store.text(invoice::MODEL, *id, "state") == "draft").collect();
    for id in &drafts {
        store.guard(store.model(invoice::MODEL)?, *id)?;
    }
    for line in sale::amount_lines(store, sale)? {
        for one in invoice::lines_from(store, line)? {
            if drafts.contains(&store.value(invoice::LINE, one, "invoice").id().unwrap_or_default()) {
                store.remove(store.model(invoice::LINE)?, one);
            }
        }
        for one in shipping::moves_from(store, line)? {
            if store.text(MOVE, one, "state") == "draft" {
                store.remove(store.model(MOVE)?, one);
            }
        }
    }
    for id in drafts {
        if store.children(invoice::LINE, "invoice", id)?.is_empty() {
            store.remove(store.model(invoice::MODEL)?, id);
        }
    }
    for id in shipments {
        match moves_of(store, id, Leg::Outgoing)?.is_empty() {
            true => store.remove(store.model(SHIPMENT)?, id),
            false => shipping::wait(store, id)?,
        }
    }
    Ok(())
}

impl Erp {
    /// Activates module `sale_amendment`.
    pub fn activate_amendments(&mut self, now: Timestamp) {
        let rows = ["sale_amendment", "sale_history"].map(|name| json!({"name": name, "state": "activated"}));
        self.has_amendments =
            self.has_amendments || self.whole(now, |store| create(store, "ir.module", &rows).map(drop));
    }

    /// Amends a line of a sale as a person in the office would, who looks at nothing; false where that is refused.
    pub fn amend_line(&mut self, now: Timestamp, line: u64, quantity: u32) -> bool {
        self.whole(now, |store| {
            let sale = store.value("sale.line", line, "sale").id().unwrap_or_default();
            let value = |field: &str| store.value("sale.line", line, field).to_json(true);
            let row = json!({"action": "line", "line": line, "quantity": quantity, "product": value("product"),
                "unit": value("unit"), "unit_price": value("unit_price"), "description": value("description")});
            let made = create(store, MODEL, &[json!({"sale": sale, "lines": [["create", [row]]]})])?;
            validate(store, &made)
        })
    }
}
