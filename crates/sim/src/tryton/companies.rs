//! Several companies in one database: what belongs to one is seen and changed as that one only.
//!
//! By the record rules of trytond's modules (`company`, `sale`, `account`, `web_shop`; recalled, not recorded): the company filter
//! of our user is `one`, so that it sees what belongs to the company of the call's context.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Erp;
use super::fail::Fail;
use super::store::Store;
use super::value::Val;
use super::write::create;

/// Models whose records belong to one company.
const RULED: [&str; 3] = ["account.tax", "sale.sale", "web.shop"];

/// The company a call acts for: the one its context names, where there is such a one, else the user's own.
pub fn acting(store: &Store, context: &serde_json::Map<String, Value>) -> u64 {
    let named = context.get("company").and_then(Value::as_u64);
    named.filter(|id| store.exists("company.company", *id)).unwrap_or(1)
}

/// Whether a record belongs to another company than the running call acts for.
pub fn is_hidden(store: &Store, model: &str, id: u64) -> bool {
    let Some(acting) = store.company.filter(|_| RULED.contains(&model)) else { return false };
    store.value(model, id, "company").id().is_some_and(|company| company != acting)
}

/// Refuses where one of the ids belongs to another company; `verb` is `read`, `write to` or `create`.
pub fn allowed(store: &Store, model: &str, ids: &[u64], verb: &str) -> Result<(), Fail> {
    let hidden: Vec<String> = ids.iter().filter(|id| is_hidden(store, model, **id)).map(u64::to_string).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let (names, title) = (hidden.join(", "), store.schema.model(model)?.title);
    Err(Fail::user(format!("You are not allowed to {verb} records \"{names}\" of \"{title}\".")))
}

/// Whether what a record points to belongs to its own company.
pub fn is_own(store: &Store, company: &Val, model: &str, id: u64) -> bool {
    !company.filled() || store.value(model, id, "company") == *company
}

impl Erp {
    /// Founds a second company with taxes of the same names and, where web shops are kept, one called `web_shop`. False where
    /// that is refused.
    pub fn found_company(&mut self, now: Timestamp, name: &str, web_shop: &str) -> bool {
        self.whole(now, |store| {
            let party = create(store, "party.party", &[json!({"name": name, "addresses": [["create", [{}]]]})])?;
            let company = create(store, "company.company", &[json!({"party": party.first(), "currency": 1})])?;
            let company = company.first().copied().unwrap_or_default();
            let rate = |percent: i64| json!({"__class__": "Decimal", "decimal": Decimal::new(percent, 2).to_string()});
            let taxes = [("VAT 19%", 19), ("VAT 7%", 7), ("VAT 0%", 0)];
            let rows = taxes.map(
                |(name, percent)| json!({"name": name, "description": name, "rate": rate(percent), "company": company}),
            );
            create(store, "account.tax", &rows)?;
            if store.model("web.shop").is_ok_and(|shops| store.ids(shops).next().is_some()) {
                let guest = json!({"name": format!("{web_shop} Guest"), "addresses": [["create", [{}]]]});
                let guest = create(store, "party.party", &[guest])?;
                let house = store.model("stock.location")?;
                let is_house = |id: &u64| store.text("stock.location", *id, "type") == "warehouse";
                let houses: Vec<u64> = store.ids(house).filter(is_house).collect();
                let shop = json!({
                    "name": web_shop, "company": company, "currency": 1, "guest_party": guest.first(),
                    "warehouses": [["add", houses]],
                });
                create(store, "web.shop", &[shop])?;
            }
            Ok(())
        })
    }
}
