//! Reading records: stored, computed and dotted fields, and how a record is named in error texts.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::schema::{Calc, Field, Kind};
use super::store::Store;
use super::value::{Val, stamp};
use super::{companies, invoice, parcels, payments, price, sale, shipping, stock, translate, vat};

/// The rows of these ids with these fields, each with its `id`; refused as a whole if one is not there.
pub fn read(store: &Store, model: &str, ids: &[u64], fields: &[String]) -> Result<Vec<Value>, Fail> {
    let at = store.model(model)?;
    // Nothing stored is looked up for figures alone, so nobody notices that a record is not there.
    if fields.is_empty() || !fields.iter().all(|name| model == "product.product" && FIGURES.contains(&name.as_str())) {
        present(store, model, ids, "read")?;
    }
    if fields.iter().any(|name| name == "sale_price_uom") && ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err(Fail::other("Duplicate products"));
    }
    let (plain, dotted) = split(fields);
    let def = store.schema.model(model)?;
    for name in plain.iter().copied().chain(dotted.iter().map(|(prefix, _)| *prefix)) {
        if !STANDARD.contains(&name) {
            def.field(name)?;
        }
    }
    ids.iter()
        .map(|id| {
            let mut row = Map::with_capacity(1 + plain.len() + dotted.len());
            row.insert("id".to_owned(), json!(id));
            for name in &plain {
                row.insert((*name).to_owned(), show(store, at, *id, name)?);
            }
            for (prefix, rests) in &dotted {
                row.insert(format!("{prefix}."), nested(store, at, *id, prefix, rests)?);
            }
            Ok(Value::Object(row))
        })
        .collect()
}

const FIGURES: [&str; 2] = ["quantity", "forecast_quantity"];
const STANDARD: [&str; 7] = ["id", "create_date", "write_date", "create_uid", "write_uid", "_timestamp", "rec_name"];

/// Refuses where one of the ids is not there; `verb` is `read` or `write to`.
pub fn present(store: &Store, model: &str, ids: &[u64], verb: &str) -> Result<(), Fail> {
    let missing: Vec<String> = ids.iter().filter(|id| !store.exists(model, **id)).map(u64::to_string).collect();
    if missing.is_empty() {
        return companies::allowed(store, model, ids, verb);
    }
    let (names, title) = (missing.join(", "), store.schema.model(model)?.title);
    Err(Fail::user(format!("You are trying to {verb} records \"{names}\" of \"{title}\" that don't exist.")))
}

/// Plain names, and for dotted ones each prefix with what follows it.
fn split(fields: &[String]) -> (Vec<&str>, Vec<(&str, Vec<String>)>) {
    let (mut plain, mut dotted) = (Vec::new(), Vec::<(&str, Vec<String>)>::new());
    for name in fields {
        let Some((prefix, rest)) = name.split_once('.') else {
            plain.push(name.as_str());
            continue;
        };
        match dotted.iter_mut().find(|(known, _)| *known == prefix) {
            Some((_, rests)) => rests.push(rest.to_owned()),
            None => dotted.push((prefix, vec![rest.to_owned()])),
        }
    }
    (plain, dotted)
}

fn show(store: &Store, model: usize, id: u64, name: &str) -> Result<Value, Fail> {
    if name == "_timestamp" {
        return Ok(store.row(model, id).map_or(Value::Null, |row| json!(stamp(row.written.unwrap_or(row.created)))));
    }
    let def = &store.schema.models[model];
    let field = def.find(name).map(|at| &def.fields[at]);
    let value = get(store, model, id, name)?;
    if let (Val::Bytes(bytes), true) = (&value, store.sizes) {
        return Ok(json!(bytes.len()));
    }
    let dict = field.is_some_and(|field| field.kind == Kind::Dict);
    Ok(match value.text().filter(|_| dict) {
        Some(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        None => value.to_json(field.is_some_and(Field::stored)),
    })
}

fn nested(store: &Store, model: usize, id: u64, prefix: &str, rests: &[String]) -> Result<Value, Fail> {
    if let "create_uid" | "write_uid" = prefix {
        let user = get(store, model, id, prefix)?.id();
        return user
            .map_or(Ok(Value::Null), |user| Ok(read(store, "res.user", &[user], rests)?.pop().unwrap_or(Value::Null)));
    }
    let field = store.schema.models[model].field(prefix)?;
    let target =
        field.target().ok_or_else(|| Fail::other(format!("'{}' object has no attribute 'get_target'", field.title)))?;
    companies::accessible(store, target)?;
    let value = get(store, model, id, prefix)?;
    if matches!(value, Val::Refs(_)) || matches!(field.kind, Kind::Many { .. } | Kind::ManyMany(_)) {
        return read(store, target, value.ids(), rests).map(Value::Array);
    }
    match value.id() {
        Some(one) if store.exists(target, one) => Ok(read(store, target, &[one], rests)?.pop().unwrap_or(Value::Null)),
        _ => Ok(Value::Null),
    }
}

/// The value of any field of a record, stored or computed.
pub fn get(store: &Store, model: usize, id: u64, name: &str) -> Result<Val, Fail> {
    let Some(row) = store.row(model, id) else {
        let figure = FIGURES.contains(&name) && store.schema.models[model].name == "product.product";
        return Ok(if figure { Val::Float(Decimal::ZERO) } else { Val::Null });
    };
    match name {
        "id" => return Ok(Val::Int(i64::try_from(id).unwrap_or(0))),
        "create_date" => return Ok(Val::Time(row.created)),
        "write_date" => return Ok(row.written.map_or(Val::Null, Val::Time)),
        "create_uid" => return Ok(Val::Ref(row.maker)),
        "write_uid" => return Ok(row.writer.map_or(Val::Null, Val::Ref)),
        "rec_name" => return Ok(Val::Text(rec_name(store, store.schema.models[model].name, id))),
        _ => {}
    }
    let def = &store.schema.models[model];
    let position = def.position(name)?;
    match &def.fields[position].kind {
        // What is retired is not listed.
        Kind::Many { model: child, back } => {
            let all = store.children(child, back, id)?;
            Ok(Val::Refs(all.into_iter().filter(|one| in_use(store, child, *one)).collect()))
        }
        Kind::ManyMany(_) => Ok(match &row.values[position] {
            Val::Null => Val::Refs(Vec::new()),
            value => value.clone(),
        }),
        Kind::Calc(calc, _) => compute(store, model, id, *calc),
        _ if def.fields[position].translated => Ok(translate::shown(store, def.name, id, name)),
        _ => Ok(row.values[position].clone()),
    }
}

/// Whether a record is offered: neither retired itself nor, for a product, its template.
pub fn in_use(store: &Store, model: &str, id: u64) -> bool {
    let active = |model: &str, id: u64| is_in_use(store, model, id);
    let family = || store.value(model, id, "template").id();
    active(model, id) && (model != "product.product" || family().is_none_or(|one| active("product.template", one)))
}

fn compute(store: &Store, model: usize, id: u64, calc: Calc) -> Result<Val, Fail> {
    let name = store.schema.models[model].name;
    Ok(match calc {
        Calc::Via(through, field) => {
            let target = store.schema.models[model].field(through)?.target().unwrap_or_default();
            match store.value(name, id, through).id() {
                Some(one) => get(store, store.model(target)?, one, field)?,
                None => Val::Null,
            }
        }
        Calc::Same(other) => store.value(name, id, other),
        Calc::ListPrice => price::list_price(store, id),
        Calc::SalePrice => price::sale_price(store, id)?,
        Calc::TaxIdentifier => {
            let all = store.children("party.identifier", "party", id)?;
            let is_tax = |one: &u64| vat::is_tax(&store.text("party.identifier", *one, "type"));
            let first = all.into_iter().find(|one| is_tax(one) && is_in_use(store, "party.identifier", *one));
            first.map_or(Val::Null, Val::Ref)
        }
        Calc::Mechanism(kind) => {
            let all = store.children("party.contact_mechanism", "party", id)?;
            let model = "party.contact_mechanism";
            let mut used = all.into_iter().filter(|one| is_in_use(store, model, *one));
            let first = used.find(|one| store.text(model, *one, "type") == kind);
            Val::Text(first.map(|one| store.text("party.contact_mechanism", one, "value")).unwrap_or_default())
        }
        Calc::Summary => {
            let text = store.text(name, id, "description");
            Val::Text(text.lines().next().unwrap_or_default().to_owned())
        }
        Calc::Figure(figure) => Val::Float(stock::figure(store, id, figure)?),
        Calc::Warehouse => stock::warehouse_of(store, id).map_or(Val::Null, Val::Ref),
        Calc::Moves(leg) => Val::Refs(stock::moves_of(store, id, leg)?),
        Calc::Packages => Val::Refs(parcels::of_shipment(store, id)?),
        Calc::Papers("account.invoice") => Val::Refs(invoice::of_sale(store, id)?),
        // The newest first.
        Calc::Papers("stock.move") => Val::Refs(shipping::moves_from(store, id)?.into_iter().rev().collect()),
        Calc::Papers(_) => Val::Refs(shipping::shipments_of(store, id)?),
        Calc::LineAmount if name == invoice::LINE => Val::Dec(invoice::line_amount(store, id)?),
        Calc::LineAmount => Val::Dec(sale::line_amount(store, id)?),
        Calc::LineLines => Val::Refs(sale::amount_lines(store, id)?),
        Calc::Untaxed => Val::Dec(amounts(store, name, id)?.untaxed),
        Calc::Tax => Val::Dec(amounts(store, name, id)?.tax),
        Calc::Total => Val::Dec(amounts(store, name, id)?.total()),
        Calc::Owed => Val::Dec(payments::owed(store, id)?),
    })
}

fn amounts(store: &Store, model: &str, id: u64) -> Result<sale::Amounts, Fail> {
    if model == invoice::MODEL { invoice::amounts(store, id) } else { sale::amounts(store, id) }
}

/// How a record is named for people; its bare id where it cannot be named.
pub fn rec_name(store: &Store, model: &str, id: u64) -> String {
    let text = |field: &str| store.text(model, id, field);
    let name = match model {
        "party.party" => match text("name") {
            name if name.is_empty() => format!("[{}]", text("code")),
            name => name,
        },
        "party.address" => address_name(store, id),
        "sale.sale" => sale_name(store, id),
        "sale.line" => line_name(store, id).unwrap_or_default(),
        invoice::LINE => billed_name(store, id).unwrap_or_default(),
        "product.product" => product_name(store, id),
        "stock.move" => move_name(store, id).unwrap_or_default(),
        "stock.shipment.out" | "stock.package" => text("number"),
        invoice::MODEL => invoice::rec_name(store, id),
        "carrier" => rec_name(store, "party.party", store.value(model, id, "party").id().unwrap_or_default()),
        "company.company" => rec_name(store, "party.party", store.value(model, id, "party").id().unwrap_or_default()),
        "party.contact_mechanism" => text("value"),
        "party.identifier" | "product.identifier" => text("code"),
        _ => text("name"),
    };
    let shown = !name.is_empty() || model == "product.template";
    if shown && store.exists(model, id) { name } else { id.to_string() }
}

fn address_name(store: &Store, id: u64) -> String {
    let text = |field: &str| store.text("party.address", id, field);
    let party = match text("party_name") {
        own if own.is_empty() => {
            let party = store.value("party.address", id, "party").id().unwrap_or_default();
            store.text("party.party", party, "name")
        }
        own => own,
    };
    let street = text("street_unstructured").lines().collect::<Vec<_>>().join(" ");
    let country = store.value("party.address", id, "country").id().unwrap_or_default();
    let parts = [party, street, text("postal_code"), text("city"), store.text("country.country", country, "code")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn sale_name(store: &Store, id: u64) -> String {
    let (number, reference) = (store.text("sale.sale", id, "number"), store.text("sale.sale", id, "reference"));
    match (number.is_empty(), reference.is_empty()) {
        (false, false) => format!("{number} [{reference}]"),
        (false, true) => number,
        (true, false) => format!("[{reference}]"),
        (true, true) => format!("({id})"),
    }
}

fn product_name(store: &Store, id: u64) -> String {
    let template = store.value("product.product", id, "template").id().unwrap_or_default();
    let (code, name) = (store.text("product.product", id, "code"), store.text("product.template", template, "name"));
    if code.is_empty() { name } else { format!("[{code}] {name}") }
}

/// Whether a record is not retired: what belongs to a party that was replaced is handed over retired (recorded).
fn is_in_use(store: &Store, model: &str, id: u64) -> bool {
    store.value(model, id, "active") != Val::Bool(false)
}

/// `1 u [SKU] Name @ [1001]` with a no-break space after the quantity; nothing where unit or product is unknown.
fn line_name(store: &Store, id: u64) -> Option<String> {
    let value = |field: &str| store.value("sale.line", id, field);
    let sale = sale_name(store, value("sale").id().unwrap_or_default());
    let Some(product) = value("product").id() else { return Some(sale) };
    Some(format!("{} {} @ {sale}", measured(store, "sale.line", id)?, product_name(store, product)))
}

/// The same of a line of an invoice.
fn billed_name(store: &Store, id: u64) -> Option<String> {
    let value = |field: &str| store.value(invoice::LINE, id, field);
    let bill = invoice::rec_name(store, value("invoice").id().unwrap_or_default());
    let Some(product) = value("product").id() else { return Some(bill) };
    Some(format!("{} {} @ {bill}", measured(store, invoice::LINE, id)?, product_name(store, product)))
}

/// `1 u [SKU] Name`, with ` @ 13` where a shipment has that number, or with what was counted.
fn move_name(store: &Store, id: u64) -> Option<String> {
    let product = store.value("stock.move", id, "product").id()?;
    let name = format!("{} {}", measured(store, "stock.move", id)?, product_name(store, product));
    if store.text("stock.move", id, "origin").starts_with("stock.inventory.line,") {
        return Some(format!("{name} @ {}", product_name(store, product)));
    }
    let paper = store.text("stock.move", id, "shipment");
    let number = paper.strip_prefix("stock.shipment.out,").and_then(|paper| paper.parse().ok());
    Some(match number {
        Some(paper) => format!("{name} @ {}", store.text("stock.shipment.out", paper, "number")),
        None => name,
    })
}

/// `1 u` of a record with product, unit and quantity; nothing where one of them is unknown.
fn measured(store: &Store, model: &str, id: u64) -> Option<String> {
    let value = |field: &str| store.value(model, id, field);
    let unit = value("unit").id()?;
    if !store.exists("product.product", value("product").id()?) || !store.exists("product.uom", unit) {
        return None;
    }
    let digits = store.value("product.uom", unit, "digits").number()?;
    let quantity = value("quantity").number().unwrap_or_default();
    let shown = quantity.round_dp(u32::try_from(digits).unwrap_or(0)).normalize();
    Some(format!("{shown}\u{a0}{}", store.text("product.uom", unit, "symbol")))
}
