//! Several companies in one database: a user sees what belongs to one of them, or to all of the user's.
//!
//! Recorded (`tryton-8.0-more.json`): which one a user with the company filter `one` sees is not said by each call. It is the
//! company of whichever call came first, for all calls after it, until somebody writes the user. With the filter `all` the
//! user sees and changes what belongs to any company of the user's, whatever company a call names.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::Erp;
use super::fail::Fail;
use super::store::Store;
use super::value::Val;
use super::write::create;

/// Models whose records belong to one company.
const RULED: [&str; 9] = [
    "account.invoice",
    "account.invoice.payment.method",
    "account.tax",
    "sale.line",
    "sale.sale",
    "stock.move",
    "stock.package",
    "stock.shipment.out",
    "web.shop",
];

/// What the one user sees of several companies.
#[derive(Debug, Default)]
pub struct Sight {
    /// Everything of the user's companies, in the place of one of them.
    all: bool,
    /// The company that the first call named, as the server remembers it.
    remembered: Option<Option<u64>>,
}

impl Sight {
    /// The companies whose records a call sees.
    pub fn seen(&mut self, store: &Store, context: &Map<String, Value>) -> Vec<u64> {
        if self.all {
            let companies = store.model("company.company").map(|at| store.ids(at).collect());
            return companies.unwrap_or_default();
        }
        let first = *self.remembered.get_or_insert_with(|| acting(store, context));
        first.into_iter().collect()
    }

    /// What the preferences call it.
    pub fn word(&self) -> &'static str {
        if self.all { "all" } else { "one" }
    }

    /// The user was written: the server forgets which company was asked for first.
    pub fn written(&mut self, values: &Value) {
        self.remembered = None;
        if let Some(word) = values.get("company_filter") {
            self.all = word == "all";
        }
    }
}

/// The company a call acts for: the one its context names, none where there is no such one, else the user's own.
pub fn acting(store: &Store, context: &Map<String, Value>) -> Option<u64> {
    match context.get("company") {
        None => Some(1),
        Some(named) => named.as_u64().filter(|id| store.exists("company.company", *id)),
    }
}

/// Whether a record belongs to a company that the running call does not see.
pub fn is_hidden(store: &Store, model: &str, id: u64) -> bool {
    let Some(seen) = store.seen.as_ref().filter(|_| RULED.contains(&model)) else { return false };
    let of_sale = |id: u64| store.value("sale.sale", id, "company").id();
    let company = match model {
        "sale.line" => store.value(model, id, "sale").id().and_then(of_sale),
        _ => store.value(model, id, "company").id(),
    };
    company.is_some_and(|company| !seen.contains(&company))
}

/// Refuses where one of the ids belongs to another company; `verb` is `read`, `write to` or `create`.
pub fn allowed(store: &Store, model: &str, ids: &[u64], verb: &str) -> Result<(), Fail> {
    let hidden: Vec<String> = ids.iter().filter(|id| is_hidden(store, model, **id)).map(u64::to_string).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let (names, title) = (hidden.join(", "), store.schema.model(model)?.title);
    Err(Fail::user(match verb {
        "create" => format!(
            "You are not allowed to create records of \"{title}\" because they fail on at least one of these rules:\nUser in companies"
        ),
        _ => format!(
            "You are not allowed to {verb} records \"{names}\" of \"{title}\" because of at least one of these rules:\nUser in companies"
        ),
    }))
}

/// Refuses a model that the user has no right to. Seen on a live Tryton: the message names the model, also where only a
/// field of a related record was asked for.
pub fn accessible(store: &Store, model: &str) -> Result<(), Fail> {
    if !store.forbidden.contains(model) {
        return Ok(());
    }
    Err(Fail::user(format!("You are not allowed to access \"{}\".", store.schema.model(model)?.title)))
}

/// Whether what a record points to belongs to its own company.
pub fn is_own(store: &Store, company: &Val, model: &str, id: u64) -> bool {
    !company.filled() || store.value(model, id, "company") == *company
}

impl Erp {
    /// A person takes the user's right to a model away, or gives it back.
    pub fn forbid(&mut self, model: &str, forbidden: bool) {
        let _ = match forbidden {
            true => self.store.forbidden.insert(model.to_owned()),
            false => self.store.forbidden.remove(model),
        };
    }

    /// A person lets the user see what belongs to any of the user's companies, or to one of them only.
    pub fn show_all_companies(&mut self, all: bool) {
        self.sight.written(&json!({"company_filter": if all { "all" } else { "one" }}));
    }

    /// Founds a second company with taxes of the same names and, where web shops are kept, one called `web_shop`, and gives
    /// the user to it, too. False where that is refused.
    pub fn found_company(&mut self, now: Timestamp, name: &str, web_shop: &str) -> bool {
        self.sight.written(&Value::Null);
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
            create(store, "account.invoice.payment.method", &[json!({"name": "Gateway", "company": company})])?;
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
