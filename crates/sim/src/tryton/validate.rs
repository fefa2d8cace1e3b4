//! The rules a record must satisfy before a transaction may end: required fields, digits, domains, selections.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::companies;
use super::fail::Fail;
use super::read::rec_name;
use super::schema::{Digits, Field, Kind};
use super::store::Store;
use super::value::Val;
use super::{invoice, kits, price, sale, vat};

/// Refuses a record that breaks a rule of its model.
pub fn record(store: &Store, model: &str, id: u64) -> Result<(), Fail> {
    let def = store.schema.model(model)?;
    for field in def.fields.iter().filter(|field| field.stored()) {
        let value = store.value(model, id, field.name);
        let case = Case { store, model, id, field, value: &value };
        case.domain()?;
        case.required()?;
        case.digits()?;
        case.characters()?;
        case.selection()?;
    }
    match model {
        "party.identifier" => identifier(store, id),
        "product.identifier" => barcode(store, id),
        "sale.sale" => sale::guests(store, id),
        "product.price_list.line" => price::line(store, id),
        _ => Ok(()),
    }
}

/// Refuses an EAN whose last digit does not check the others (recorded by hand: a code `123`).
fn barcode(store: &Store, id: u64) -> Result<(), Fail> {
    let text = |field: &str| store.text("product.identifier", id, field);
    let digits: Vec<u32> = text("code")
        .chars()
        .filter(|one| !matches!(one, ' ' | '-'))
        .map(|one| one.to_digit(10).unwrap_or(99))
        .collect();
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, digit)| digit * if at % 2 == 0 { 1 } else { 3 }).sum();
    let valid =
        matches!(digits.len(), 8 | 12 | 13 | 14) && digits.iter().all(|digit| *digit < 10) && sum.is_multiple_of(10);
    if text("type") != "ean" || valid {
        return Ok(());
    }
    let product = store.value("product.identifier", id, "product").id().unwrap_or_default();
    let (code, name) = (text("code"), rec_name(store, "product.product", product));
    Err(Fail::user(format!("The International Article Number \"{code}\" for product \"{name}\" is not valid.")))
}

/// Refuses a new record that its parent does not take any more.
pub fn created(store: &Store, model: &str, id: u64) -> Result<(), Fail> {
    if model == invoice::LINE {
        return billed(store, id);
    }
    let Some(sale) = store.value(model, id, "sale").id().filter(|_| model == "sale.line") else { return Ok(()) };
    if !store.exists("sale.sale", sale) || store.text("sale.sale", sale, "state") == "draft" {
        return Ok(());
    }
    let name = rec_name(store, "sale.sale", sale);
    Err(Fail::user(format!("You cannot add lines to sale \"{name}\" because it is no longer in a draft state.")))
}

/// Refuses a line that its invoice does not take: one in force, or in another currency.
fn billed(store: &Store, id: u64) -> Result<(), Fail> {
    let bill = store.value(invoice::LINE, id, "invoice").id().unwrap_or_default();
    let name = rec_name(store, invoice::MODEL, bill);
    if store.text(invoice::MODEL, bill, "state") != "draft" {
        let text = format!("You cannot add lines to invoice \"{name}\" because it is no longer in a draft state.");
        return Err(Fail::user(text));
    }
    if store.value(invoice::LINE, id, "currency") == store.value(invoice::MODEL, bill, "currency") {
        return Ok(());
    }
    let line = rec_name(store, invoice::LINE, id);
    let place = format!("for field \"Lines\" in record \"{name}\" of \"Account Invoice\"");
    let message = format!("The value \"{line}\" {place} is not valid according to its domain.");
    Err(Fail::User { message, domain: json!([[["company", "=", 1]], {}]) })
}

/// Refuses to delete what must be cancelled first or is still used.
pub fn deletable(store: &Store, model: &str, id: u64) -> Result<(), Fail> {
    let open = |sale: u64| matches!(store.text("sale.sale", sale, "state").as_str(), "draft" | "cancelled");
    let name = rec_name(store, model, id);
    match model {
        invoice::MODEL if matches!(store.text(model, id, "state").as_str(), "posted" | "paid" | "cancelled") => {
            Err(Fail::user(format!("You cannot modify invoice \"{name}\" because it is posted, paid or cancelled.")))
        }
        "stock.shipment.out" if store.text(model, id, "state") != "cancelled" => {
            Err(Fail::user(format!("To delete shipment \"{name}\" you must cancel it.")))
        }
        "sale.sale" if !open(id) => Err(Fail::user(format!("To delete sale \"{name}\" you must cancel it."))),
        "sale.line" => {
            let sale = store.value(model, id, "sale").id().unwrap_or_default();
            if open(sale) {
                return Ok(());
            }
            let sale = rec_name(store, "sale.sale", sale);
            Err(Fail::user(format!("To delete line \"{name}\" you must cancel or reset to draft sale \"{sale}\".")))
        }
        "party.party" => {
            let sales = store.model("sale.sale")?;
            let party = store.schema.models[sales].position("party")?;
            match store.having(sales, party, &Val::Ref(id)).first() {
                None => Ok(()),
                Some(one) => Err(Fail::user(format!(
                    "A value is required for field \"Party\" in record \"{}\" of \"Sale\".",
                    rec_name(store, "sale.sale", *one)
                ))),
            }
        }
        _ => Ok(()),
    }
}

fn identifier(store: &Store, id: u64) -> Result<(), Fail> {
    let (kind, code) = (store.text("party.identifier", id, "type"), store.text("party.identifier", id, "code"));
    if vat::valid(&kind, &code) {
        return Ok(());
    }
    let party = rec_name(store, "party.party", store.value("party.identifier", id, "party").id().unwrap_or_default());
    let title = vat::title(&kind);
    Err(Fail::user(format!("The {title} \"{code}\" for party \"{party}\" is not valid.")))
}

/// Refuses tabs, line feeds and their kin in a field of one line; `place` says which.
pub fn characters(text: &str, place: &str) -> Result<(), Fail> {
    let refused = [('\t', "'\\t'"), ('\n', "'\\n'"), ('\r', "'\\r'"), ('\u{b}', "'\\x0b'"), ('\u{c}', "'\\x0c'")];
    let found: Vec<&str> = refused.iter().filter(|(one, _)| text.contains(*one)).map(|(_, shown)| *shown).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Fail::user(format!("The value \"{text}\" {place} contains some invalid chars \"{}\".", found.join(","))))
}

/// One field of one record under test.
struct Case<'a> {
    store: &'a Store,
    model: &'a str,
    id: u64,
    field: &'a Field,
    value: &'a Val,
}

impl Case<'_> {
    fn own(&self, field: &str) -> Val {
        self.store.value(self.model, self.id, field)
    }

    fn place(&self) -> String {
        if matches!(self.field.name, "list_price" | "own_list_price") {
            return format!("for field \"List Price\" in record \"({})\" of \"Product List Price\"", self.id);
        }
        let title = self.store.schema.model(self.model).map_or("", |model| model.title);
        format!(
            "for field \"{}\" in record \"{}\" of \"{title}\"",
            self.field.title,
            rec_name(self.store, self.model, self.id)
        )
    }

    fn required(&self) -> Result<(), Fail> {
        let is_line = || self.own("type").text() == Some("line");
        let needed = self.field.required
            || match (self.model, self.field.name) {
                ("sale.sale", "web_id") => self.own("web_shop").filled(),
                ("sale.sale", "sale_date" | "invoice_address") => {
                    !matches!(self.own("state").text(), Some("draft" | "quotation" | "cancelled"))
                }
                ("sale.line", "quantity" | "unit_price") => is_line(),
                ("sale.line" | invoice::LINE, "unit") => self.own("product").filled(),
                (invoice::LINE, "account" | "quantity" | "unit_price") => is_line(),
                ("product.template", "weight_uom") => {
                    self.own("weight").number().is_some_and(|weight| !weight.is_zero())
                }
                _ => false,
            };
        if !needed || self.value.filled() {
            return Ok(());
        }
        Err(Fail::user(format!("A value is required {}.", self.place())))
    }

    fn digits(&self) -> Result<(), Fail> {
        let (Kind::Float(digits) | Kind::Numeric(digits)) = self.field.kind else { return Ok(()) };
        let limit = match digits {
            Digits::Any | Digits::Currency => None,
            Digits::Fixed(limit) => Some(limit),
            Digits::Unit(field) => {
                let unit = self.own(field).id();
                unit.and_then(|unit| self.store.value("product.uom", unit, "digits").number())
                    .and_then(|digits| u32::try_from(digits).ok())
            }
        };
        let (Some(limit), Some(number)) = (limit, self.value.number()) else { return Ok(()) };
        if number.normalize().scale() <= limit {
            return Ok(());
        }
        let (shown, place) = (self.value.printed(), self.place());
        Err(Fail::user(format!(
            "The number of digits in the value \"'{shown}'\" {place} exceeds the limit of \"(None, {limit})\"."
        )))
    }

    fn characters(&self) -> Result<(), Fail> {
        let (Kind::Char { .. }, Some(text)) = (&self.field.kind, self.value.text()) else { return Ok(()) };
        characters(text, &self.place())
    }

    fn selection(&self) -> Result<(), Fail> {
        let (Kind::Select(options), Some(text)) = (&self.field.kind, self.value.text()) else { return Ok(()) };
        if options.contains(&text) {
            return Ok(());
        }
        Err(Fail::user(format!("The value \"{text}\" {} is not one of the allowed options.", self.place())))
    }

    fn domain(&self) -> Result<(), Fail> {
        let Some((clause, shown)) = self.violated() else { return Ok(()) };
        let name = clause.get(0).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = format!("The value \"{shown}\" {} is not valid according to its domain.", self.place());
        let schema = json!({ name.as_str(): described(self.store, self.field.target().unwrap_or_default(), &name) });
        Err(Fail::User { message, domain: json!([[clause], schema]) })
    }

    /// The clause that does not hold and how the value is named.
    fn violated(&self) -> Option<(Value, String)> {
        match (self.model, self.field.name) {
            ("sale.sale", "invoice_address") => self.address("invoice_party"),
            (invoice::MODEL, "invoice_address") => self.address("party"),
            ("sale.sale", "shipment_address") => self.address("shipment_party"),
            ("sale.sale", "warehouse") => self.points(
                |store, id| store.text("stock.location", id, "type") == "warehouse",
                json!(["type", "=", "warehouse"]),
            ),
            ("sale.line", "product") => self.product(),
            (kits::MODEL, "product") => {
                let fits = |store: &Store, id: u64| kits::goes_in(store, self.id, id);
                self.points(fits, json!(["type", "=", "goods"]))
            }
            ("sale.line", "taxes") => self.taxes(),
            ("sale.line", "quantity" | "unit_price" | "unit") if self.own("type").text() != Some("line") => {
                self.value.filled().then(|| (json!([self.field.name, "=", null]), self.value.printed()))
            }
            ("product.template", "weight_uom") => self.points(
                |store, id| {
                    store.text(
                        "product.uom.category",
                        store.value("product.uom", id, "category").id().unwrap_or(0),
                        "name",
                    ) == "Weight"
                },
                json!(["category", "=", 2]),
            ),
            ("party.address", "subdivision") => {
                let country = self.own("country");
                self.points(
                    |store, id| store.value("country.subdivision", id, "country") == country,
                    json!(["country", "=", country.to_json(true)]),
                )
            }
            _ => None,
        }
    }

    fn points(&self, fits: impl Fn(&Store, u64) -> bool, clause: Value) -> Option<(Value, String)> {
        let id = self.value.id()?;
        (!fits(self.store, id)).then(|| (clause, rec_name(self.store, self.field.target().unwrap_or_default(), id)))
    }

    fn address(&self, other_party: &str) -> Option<(Value, String)> {
        let party = match self.own(other_party) {
            Val::Null => self.own("party"),
            other => other,
        };
        self.points(
            |store, id| store.value("party.address", id, "party") == party && party.filled(),
            json!(["party", "=", party.to_json(true)]),
        )
    }

    fn product(&self) -> Option<(Value, String)> {
        if self.own("type").text() != Some("line") {
            return self.value.filled().then(|| (json!(["id", "=", null]), self.value.printed()));
        }
        let state = self.own("sale").id().map(|sale| self.store.text("sale.sale", sale, "state")).unwrap_or_default();
        let open = matches!(state.as_str(), "draft" | "quotation");
        if !open || self.own("quantity").number().is_some_and(|quantity| quantity < Decimal::ZERO) {
            return None;
        }
        let salable = |store: &Store, id: u64| {
            let template = store.value("product.product", id, "template").id().unwrap_or_default();
            store.value("product.template", template, "salable") == Val::Bool(true)
        };
        self.points(salable, json!(["salable", "=", true]))
    }

    fn taxes(&self) -> Option<(Value, String)> {
        let unknown = self.value.ids().iter().find(|id| !self.store.exists("account.tax", **id));
        if let Some(id) = unknown {
            return Some((json!(["company", "=", 1]), id.to_string()));
        }
        let sale = self.own("sale").id();
        let company = sale.map_or(Val::Null, |sale| self.store.value("sale.sale", sale, "company"));
        let others = self.value.ids().iter().find(|id| !companies::is_own(self.store, &company, "account.tax", **id));
        if let Some(id) = others {
            let clause = json!(["company", "=", company.to_json(true)]);
            return Some((clause, rec_name(self.store, "account.tax", *id)));
        }
        let child = self.value.ids().iter().find(|id| self.store.value("account.tax", **id, "parent").filled());
        child.map(|id| (json!(["parent", "=", null]), rec_name(self.store, "account.tax", *id)))
    }
}

/// The field schema a domain error carries: as bulky as the real one is, so that clients learn to cut it.
fn described(store: &Store, model: &str, name: &str) -> Value {
    let Ok(def) = store.schema.model(model) else { return Value::Null };
    let mut relation = Map::new();
    for field in &def.fields {
        relation.insert(field.name.to_owned(), description(field.name, field.title, Map::new()));
        if let Some(inner) = field.target().and_then(|target| store.schema.model(target).ok()) {
            for deeper in &inner.fields {
                let key = format!("{}.{}", field.name, deeper.name);
                relation.insert(key, description(deeper.name, deeper.title, Map::new()));
            }
        }
    }
    description(name, name, relation)
}

fn description(name: &str, title: &str, relation: Map<String, Value>) -> Value {
    json!({"context": "{}", "loading": "eager", "name": name, "on_change": [], "on_change_with": [], "readonly": false,
        "required": false, "states": "{\"readonly\": {\"__class__\": \"Not\", \"v\": {\"__class__\": \"Eval\", \"v\": \"active\", \"d\": true}}}",
        "domain": "[]", "searchable": true, "sortable": true, "string": title, "help": "", "create": true, "delete": true,
        "relation_fields": relation})
}
