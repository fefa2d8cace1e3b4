//! Changing records: create, write and delete with their x2many commands, defaults and unique keys.

use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::read::present;
use super::schema::{Calc, Kind};
use super::stock;
use super::store::Store;
use super::value::{Val, parse};
use super::{companies, family, images, translate, unit, validate};

/// Creates one record per map and returns their ids.
pub fn create(store: &mut Store, model: &str, rows: &[Value]) -> Result<Vec<u64>, Fail> {
    rows.iter().map(|row| create_one(store, model, row.as_object().unwrap_or(&Map::new()))).collect()
}

fn create_one(store: &mut Store, model: &str, sent: &Map<String, Value>) -> Result<u64, Fail> {
    let at = store.model(model)?;
    let mut fields = defaults(store, model)?;
    for (name, value) in sent {
        store.schema.models[at].position(name)?;
        fields.insert(name.clone(), value.clone());
    }
    preprocess(store, model, &mut fields);
    let mut values = vec![Val::Null; store.schema.models[at].fields.len()];
    let mut lists = Vec::new();
    for (name, value) in &fields {
        let position = store.schema.models[at].position(name)?;
        match store.schema.models[at].fields[position].kind.clone() {
            Kind::Many { .. } | Kind::ManyMany(_) => lists.push((name.clone(), value.clone())),
            Kind::Calc(Calc::Same(real), _) => {
                let real = store.schema.models[at].position(real)?;
                values[real] = parse(&store.schema.models[at].fields[real].kind, value)?;
            }
            Kind::Calc(Calc::Mechanism(kind), _) => {
                let command = json!([["create", [{"type": kind, "value": value}]]]);
                lists.push(("contact_mechanisms".to_owned(), command));
            }
            Kind::Calc(..) => {}
            Kind::Binary => values[position] = images::kept(parse(&Kind::Binary, value)?)?,
            kind => values[position] = parse(&kind, value)?,
        }
    }
    let id = store.insert(at, values);
    unique(store, model, id)?;
    translate::created(store, model, id, &fields)?;
    for (name, commands) in lists {
        relate(store, at, id, &name, &commands)?;
    }
    if matches!(model, "party.party" | "product.product") {
        store.touch(at, id); // columns derived from the code are written in the same transaction
    }
    stock::written(store, model, id, sent)?;
    validate::created(store, model, id)?;
    validate::record(store, model, id)?;
    companies::allowed(store, model, &[id], "create")?;
    Ok(id)
}

fn defaults(store: &Store, model: &str) -> Result<Map<String, Value>, Fail> {
    let mut fields = Map::new();
    let def = store.schema.model(model)?;
    if def.has("active") {
        fields.insert("active".to_owned(), json!(true));
    }
    let own: &[(&str, Value)] = match model {
        "sale.sale" => &[
            ("company", json!(1)),
            ("currency", json!(1)),
            ("invoice_method", json!(store.text("sale.configuration", 1, "sale_invoice_method"))),
            ("shipment_method", json!(store.text("sale.configuration", 1, "sale_shipment_method"))),
            ("invoice_state", json!("none")),
            ("shipment_state", json!("none")),
            ("state", json!("draft")),
        ],
        "sale.line" => &[("type", json!("line"))],
        "party.address" => &[("invoice", json!(false)), ("delivery", json!(false))],
        "party.contact_mechanism" => &[("type", json!("phone"))],
        "web.shop" => &[("company", json!(1)), ("currency", json!(1))],
        "account.tax" => &[("type", json!("percentage")), ("update_unit_price", json!(false)), ("company", json!(1))],
        "product.template" => &[("type", json!("goods"))],
        "product.price_list" => {
            &[("company", json!(1)), ("unit", json!("product_default")), ("tax_included", json!(false))]
        }
        "product.price_list.line" => &[("formula", json!("unit_price"))],
        "stock.move" => &[("state", json!("draft")), ("company", json!(1))],
        "stock.shipment.out" => &[("state", json!("draft")), ("company", json!(1))],
        "stock.inventory" => &[("state", json!("draft")), ("company", json!(1))],
        "stock.package" => &[("company", json!(1))],
        "account.invoice" => {
            &[("state", json!("draft")), ("type", json!("out")), ("company", json!(1)), ("currency", json!(1))]
        }
        "account.invoice.line" => &[("type", json!("line")), ("company", json!(1)), ("currency", json!(1))],
        "sale.amendment" => &[("state", json!("draft"))],
        "stock.location" => &[("type", json!("storage"))],
        _ => &[],
    };
    for (name, value) in own {
        fields.insert((*name).to_owned(), value.clone());
    }
    if model == "sale.sale" {
        fields.insert("warehouse".to_owned(), only_warehouse(store)?.map_or(Value::Null, |id| json!(id)));
    }
    Ok(fields)
}

/// The warehouse, where there is just one.
fn only_warehouse(store: &Store) -> Result<Option<u64>, Fail> {
    let model = store.model("stock.location")?;
    let mut all = store.ids(model).filter(|id| store.text("stock.location", *id, "type") == "warehouse");
    Ok(match (all.next(), all.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    })
}

fn preprocess(store: &mut Store, model: &str, fields: &mut Map<String, Value>) {
    let is_missing = |fields: &Map<String, Value>, name: &str| {
        fields.get(name).and_then(Value::as_str).unwrap_or_default().is_empty()
    };
    if model == "party.party" && is_missing(fields, "code") {
        let code = store.next("party").to_string();
        fields.insert("code".to_owned(), json!(code));
    }
    if model == "stock.move"
        && let Some(quantity) = unit::internal(store, |name| fields.get(name).cloned())
    {
        fields.insert("internal_quantity".to_owned(), quantity);
    }
    if model == "stock.package" && is_missing(fields, "number") {
        let number = store.next("package").to_string();
        fields.insert("number".to_owned(), json!(number));
    }
    let template = fields.get("template").and_then(Value::as_u64);
    if model == "product.product" && !fields.contains_key("code") {
        let code = product_code(store, template, fields.get("suffix_code"));
        fields.extend(code.map(|code| ("code".to_owned(), code)));
    }
}

/// A product's code, which is its suffix behind the code of its template (`Product.sync_code` of module product); none
/// where no suffix is sent.
fn product_code(store: &Store, template: Option<u64>, suffix: Option<&Value>) -> Option<Value> {
    let suffix = suffix?;
    let prefix = template.map(|id| store.text("product.template", id, "code")).unwrap_or_default();
    let code = format!("{prefix}{}", suffix.as_str().unwrap_or_default());
    Some(if code.is_empty() { Value::Null } else { json!(code) })
}

/// Gives the products of a template that has another code theirs, the retired ones too.
fn sync_codes(store: &mut Store, template: u64) -> Result<(), Fail> {
    for product in family::products(store, template)? {
        let suffix = json!(store.text("product.product", product, "suffix_code"));
        write(store, "product.product", &[product], &json!({"suffix_code": suffix}))?;
    }
    Ok(())
}

/// Refuses a second party or active product with one code, and a second sale with one web id of one shop.
fn unique(store: &Store, model: &str, id: u64) -> Result<(), Fail> {
    let at = store.model(model)?;
    let others = |field: &str, value: &Val| -> Result<Vec<u64>, Fail> {
        let position = store.schema.models[at].position(field)?;
        Ok(store.having(at, position, value).into_iter().filter(|other| *other != id).collect())
    };
    if model == "party.party" {
        let code = store.value(model, id, "code");
        if code.filled() && !others("code", &code)?.is_empty() {
            return Err(Fail::user("The code on party must be unique."));
        }
    }
    if model == "product.product" {
        let (code, active) =
            (store.value(model, id, "code"), |one| store.value(model, one, "active") == Val::Bool(true));
        if code.filled() && active(id) && others("code", &code)?.into_iter().any(active) {
            return Err(Fail::user("Code of active product must be unique."));
        }
    }
    if model == "sale.sale" && store.schema.models[at].has("web_id") {
        let (shop, web) = (store.value(model, id, "web_shop"), store.value(model, id, "web_id"));
        let taken = shop.filled()
            && web.filled()
            && others("web_id", &web)?.into_iter().any(|other| store.value(model, other, "web_shop") == shop);
        if taken {
            return Err(Fail::user("The web ID on the sale must be unique per shop."));
        }
    }
    Ok(())
}

/// Writes these fields to every record.
pub fn write(store: &mut Store, model: &str, ids: &[u64], sent: &Value) -> Result<(), Fail> {
    let at = store.model(model)?;
    let sent = &sent.as_object().cloned().unwrap_or_default();
    for id in ids {
        store.guard(at, *id)?;
    }
    present(store, model, ids, "write to")?;
    for name in sent.keys() {
        store.schema.models[at].position(name)?;
    }
    for id in ids {
        stock::kept(store, model, *id, sent)?;
        let mut sent = sent.clone();
        if model == "product.product" && !sent.contains_key("code") {
            let code = product_code(store, store.value(model, *id, "template").id(), sent.get("suffix_code"));
            sent.extend(code.map(|code| ("code".to_owned(), code)));
        }
        write_one(store, model, at, *id, &sent)?;
        if model == "product.template" && sent.contains_key("code") {
            sync_codes(store, *id)?;
        }
    }
    Ok(())
}

fn write_one(store: &mut Store, model: &str, at: usize, id: u64, sent: &Map<String, Value>) -> Result<(), Fail> {
    let mut lists = Vec::new();
    for (name, value) in sent {
        let position = store.schema.models[at].position(name)?;
        match store.schema.models[at].fields[position].kind.clone() {
            Kind::Many { .. } | Kind::ManyMany(_) => lists.push((name, value)),
            Kind::Calc(Calc::Same(real), _) => {
                let real = store.schema.models[at].position(real)?;
                let value = parse(&store.schema.models[at].fields[real].kind, value)?;
                store.set(at, id, real, value);
            }
            Kind::Calc(Calc::Via(..), _) => {
                let def = &store.schema.models[at];
                let (field, title) = (def.fields[position].title, def.title);
                return Err(Fail::other(format!("Missing setter function for field \"{field}\" in \"{title}\".")));
            }
            Kind::Calc(Calc::Moves(_), _) => moves_below(store, value)?,
            Kind::Calc(..) => {}
            kind if store.schema.models[at].fields[position].translated => {
                let value = parse(&kind, value)?;
                translate::write(store, model, id, name, value)?;
            }
            Kind::Binary => store.set(at, id, position, images::kept(parse(&Kind::Binary, value)?)?),
            kind => store.set(at, id, position, parse(&kind, value)?),
        }
    }
    store.touch(at, id);
    unique(store, model, id)?;
    for (name, commands) in lists {
        relate(store, at, id, name, commands)?;
    }
    stock::written(store, model, id, sent)?;
    validate::record(store, model, id)
}

/// Changes the moves of a shipment in its form.
fn moves_below(store: &mut Store, commands: &Value) -> Result<(), Fail> {
    for command in commands.as_array().into_iter().flatten() {
        let ids = ids_of(command.get(1).unwrap_or(&Value::Null));
        match command.get(0).and_then(Value::as_str).unwrap_or_default() {
            "write" => write(store, "stock.move", &ids, command.get(2).unwrap_or(&Value::Null))?,
            "delete" => delete(store, "stock.move", &ids)?,
            other => return Err(Fail::key(other)),
        }
    }
    Ok(())
}

/// Changes one field of a party or of what hangs below it; the first record of a list, or a new one.
pub fn edit_party(store: &mut Store, id: u64, field: &str, value: &str) -> Result<(), Fail> {
    let first = |store: &Store, model: &str, fits: &dyn Fn(u64) -> bool| -> Result<Option<u64>, Fail> {
        Ok(store.children(model, "party", id)?.into_iter().find(|one| fits(*one)))
    };
    let (model, found, new) = match field {
        "name" => return write(store, "party.party", &[id], &json!({ "name": value })),
        "email" | "phone" => {
            let model = "party.contact_mechanism";
            let found = first(store, model, &|one| store.text(model, one, "type") == field)?;
            (model, found, json!({"party": id, "type": field, "value": value}))
        }
        "tax_id" => {
            let model = "party.identifier";
            (model, first(store, model, &|_| true)?, json!({"party": id, "code": value}))
        }
        "price_list" => {
            let lists = store.model("product.price_list")?;
            let list = store.ids(lists).find(|one| store.text("product.price_list", *one, "name") == value);
            return write(store, "party.party", &[id], &json!({ "sale_price_list": list }));
        }
        "address.new" => {
            let new = json!({"party": id, "street": "Am Lager 1", "postal_code": "04109", "city": value, "country": germany(store)?});
            return create(store, "party.address", &[new]).map(drop);
        }
        "address.gone" => {
            let lies = |one: u64| {
                store.text("party.address", one, "city") == value
                    && store.value("party.address", one, "active") == Val::Bool(true)
            };
            let found = first(store, "party.address", &lies)?.ok_or_else(|| Fail::key("addresses"))?;
            return write(store, "party.address", &[found], &json!({"active": false}));
        }
        _ => {
            let part = field.strip_prefix("address.").ok_or_else(|| Fail::key(field))?;
            let lives = |one: u64| store.value("party.address", one, "active") == Val::Bool(true);
            let found = first(store, "party.address", &lives)?.ok_or_else(|| Fail::key("addresses"))?;
            return write(store, "party.address", &[found], &json!({ part: value }));
        }
    };
    let Some(found) = found else { return create(store, model, &[new]).map(drop) };
    let name = if model == "party.identifier" { "code" } else { "value" };
    write(store, model, &[found], &json!({ name: value }))
}

fn germany(store: &Store) -> Result<Option<u64>, Fail> {
    let countries = store.model("country.country")?;
    Ok(store.ids(countries).find(|one| store.text("country.country", *one, "code") == "DE"))
}

/// Hands all of a party over to the one it is replaced by.
pub fn replace_party(store: &mut Store, replaced: u64, by: u64) -> Result<(), Fail> {
    present(store, "party.party", &[replaced, by], "read")?;
    for model in ["party.address", "party.contact_mechanism", "party.identifier"] {
        let below = store.children(model, "party", replaced)?;
        write(store, model, &below, &json!({"active": false}))?;
        for id in below {
            store.put(model, id, "party", Val::Ref(by))?;
        }
    }
    write(store, "party.party", &[replaced], &json!({"replaced_by": by, "active": false}))?;
    let sales: Vec<u64> = store.ids(store.model("sale.sale")?).collect();
    for id in
        sales.into_iter().filter(|id| store.value("sale.sale", *id, "party") == Val::Ref(replaced)).collect::<Vec<_>>()
    {
        store.put("sale.sale", id, "party", Val::Ref(by))?;
    }
    Ok(())
}

/// Deletes records with what hangs below them.
pub fn delete(store: &mut Store, model: &str, ids: &[u64]) -> Result<(), Fail> {
    let at = store.model(model)?;
    for id in ids {
        store.guard(at, *id)?;
    }
    present(store, model, ids, "read")?;
    for id in ids {
        validate::deletable(store, model, *id)?;
        let below: Vec<(&'static str, &'static str)> = store.schema.models[at]
            .fields
            .iter()
            .filter_map(|field| match field.kind {
                Kind::Many { model, back } => Some((model, back)),
                _ => None,
            })
            .collect();
        for (child, back) in below {
            let child_at = store.model(child)?;
            let bound = store.schema.models[child_at].field(back)?.required;
            for one in store.children(child, back, *id)? {
                if bound {
                    store.remove(child_at, one);
                } else {
                    store.put(child, one, back, Val::Null)?;
                    store.touch(child_at, one);
                }
            }
        }
        store.remove(at, *id);
    }
    Ok(())
}

/// Carries out x2many commands on one field of one record.
fn relate(store: &mut Store, at: usize, id: u64, name: &str, commands: &Value) -> Result<(), Fail> {
    let field = store.schema.models[at].field(name)?.clone();
    let Some(commands) = commands.as_array() else { return Ok(()) };
    for command in commands {
        let verb = command.get(0).and_then(Value::as_str).unwrap_or_default();
        let first = command.get(1).cloned().unwrap_or(Value::Null);
        match field.kind {
            Kind::Many { model, back } => child(store, id, (model, back), verb, &first, command.get(2))?,
            Kind::ManyMany(model) => link(store, at, id, name, (model, verb), &first, command.get(2))?,
            _ => {}
        }
    }
    Ok(())
}

fn ids_of(json: &Value) -> Vec<u64> {
    json.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn child(
    store: &mut Store,
    parent: u64,
    (model, back): (&str, &str),
    verb: &str,
    first: &Value,
    values: Option<&Value>,
) -> Result<(), Fail> {
    match verb {
        "create" => {
            for row in first.as_array().into_iter().flatten() {
                let mut row = row.as_object().cloned().unwrap_or_default();
                row.insert(back.to_owned(), json!(parent));
                create_one(store, model, &row)?;
            }
            Ok(())
        }
        "write" => write(store, model, &ids_of(first), values.unwrap_or(&Value::Null)),
        "delete" => delete(store, model, &ids_of(first)),
        "add" => write(store, model, &ids_of(first), &json!({ back: parent })),
        "remove" => write(store, model, &ids_of(first), &json!({ back: null })),
        other => Err(Fail::key(other)),
    }
}

fn link(
    store: &mut Store,
    at: usize,
    id: u64,
    name: &str,
    (model, verb): (&str, &str),
    first: &Value,
    values: Option<&Value>,
) -> Result<(), Fail> {
    let owner = store.schema.models[at].name;
    let mut held = store.value(owner, id, name).ids().to_vec();
    match verb {
        "add" => held.extend(ids_of(first)),
        "remove" => held.retain(|one| !ids_of(first).contains(one)),
        "create" => held.extend(create(store, model, first.as_array().map_or(&[], Vec::as_slice))?),
        "write" => write(store, model, &ids_of(first), values.unwrap_or(&Value::Null))?,
        "delete" => {
            delete(store, model, &ids_of(first))?;
            held.retain(|one| !ids_of(first).contains(one));
        }
        other => return Err(Fail::key(other)),
    }
    let before = held.len();
    held.sort_unstable();
    held.dedup();
    if owner == "sale.line" && name == "taxes" && held.len() != before {
        return Err(Fail::user("A tax can be added only once to a sale line."));
    }
    let position = store.schema.models[at].position(name)?;
    store.set(at, id, position, Val::Refs(held));
    Ok(())
}
