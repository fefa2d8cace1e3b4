//! What a product costs: list prices, the price lists Tryton computes from them, and the people who change both.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::formula;
use super::read::{get, present};
use super::schema::Kind;
use super::store::Store;
use super::unit::factor;
use super::value::{Val, parse};
use super::write::{create, delete, write};

const LIST: &str = "product.price_list";
const LINE: &str = "product.price_list.line";

/// What a call asks a price for, as its context says.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whether a company is named: list prices are kept per company.
    company: bool,
    price_list: Value,
    quantity: Decimal,
    unit: Option<u64>,
    taxes: Vec<u64>,
}

impl Default for Ask {
    fn default() -> Self {
        Self { company: true, price_list: Value::Null, quantity: Decimal::ZERO, unit: None, taxes: Vec::new() }
    }
}

impl Ask {
    /// What a call's context says about prices.
    pub fn of(context: &Map<String, Value>) -> Self {
        let told = |name: &str| context.get(name).cloned().unwrap_or_default();
        Self {
            company: told("company").is_u64(),
            price_list: told("price_list"),
            quantity: told("quantity").to_string().parse().unwrap_or_default(),
            unit: told("uom").as_u64(),
            taxes: told("taxes").as_array().into_iter().flatten().filter_map(Value::as_u64).collect(),
        }
    }
}

/// The list price of a product: its own, else its template's.
pub fn list_price(store: &Store, product: u64) -> Val {
    if !store.ask.company {
        return Val::Null;
    }
    match store.value("product.product", product, "own_list_price") {
        Val::Null => store.value("product.template", family(store, product), "list_price"),
        own => own,
    }
}

/// What the running call is told that a product costs.
pub fn sale_price(store: &Store, product: u64) -> Result<Val, Fail> {
    let at = store.model("product.product")?;
    let unit = |field: &str| get(store, at, product, field).map(|value| value.id().unwrap_or_default());
    let (default, sold) = (unit("default_uom")?, unit("sale_uom")?);
    let asked = store.ask.unit.filter(|asked| category(store, *asked) == category(store, default)).unwrap_or(sold);
    let mut price = list_price(store, product).number();
    if let Val::Ref(list) = parse(&Kind::One(""), &store.ask.price_list)? {
        present(store, LIST, &[list], "read")?;
        let base = if store.text(LIST, list, "unit") == "product_sale" { sold } else { default };
        let quantity = store.ask.quantity * factor(store, asked) / factor(store, base);
        price = untaxed(store, list, computed(store, list, product, quantity)?);
    }
    let price = price.map(|price| price * factor(store, asked) / factor(store, default));
    Ok(price.map_or(Val::Null, |price| Val::Dec(rounded(price))))
}

fn family(store: &Store, product: u64) -> u64 {
    store.value("product.product", product, "template").id().unwrap_or_default()
}

fn category(store: &Store, unit: u64) -> Val {
    store.value("product.uom", unit, "category")
}

/// With four decimals, half to even.
fn rounded(price: Decimal) -> Decimal {
    let mut rounded = price.round_dp(4);
    rounded.rescale(4);
    rounded
}

/// Without the taxes the call names, where the list includes them.
fn untaxed(store: &Store, list: u64, price: Option<Decimal>) -> Option<Decimal> {
    let included = store.value(LIST, list, "tax_included") == Val::Bool(true);
    let rates = store.ask.taxes.iter().filter_map(|tax| store.value("account.tax", *tax, "rate").number());
    let all = Decimal::ONE + rates.sum::<Decimal>();
    price.map(|price| if included { price / all } else { price })
}

/// What the first line that fits comes to.
fn computed(store: &Store, list: u64, product: u64, quantity: Decimal) -> Result<Option<Decimal>, Fail> {
    for line in store.children(LINE, "price_list", list)? {
        let from = store.value(LINE, line, "quantity").number();
        if fits(store, line, product) && from.is_none_or(|from| from <= quantity.abs()) {
            return reckoned(store, line, list_price(store, product).number());
        }
    }
    Ok(None)
}

/// Whether a line is for a product. Categories are not simulated: a line for one fits none.
fn fits(store: &Store, line: u64, product: u64) -> bool {
    let of = store.value(LINE, line, "product");
    !store.value(LINE, line, "category").filled() && (of == Val::Null || of == Val::Ref(product))
}

fn reckoned(store: &Store, line: u64, price: Option<Decimal>) -> Result<Option<Decimal>, Fail> {
    let list = store.value(LINE, line, "price_list").id().unwrap_or_default();
    let unit_price = match store.text(LIST, list, "price").as_str() {
        "list_price" => price,
        "cost_price" => Some(Decimal::ZERO),
        _ => None,
    };
    let names = [("unit_price", unit_price), ("list_price", price), ("cost_price", Some(Decimal::ZERO))];
    let formula = store.text(LINE, line, "formula");
    formula::value(&formula, &names).map(|price| price.map(rounded)).map_err(|why| {
        Fail::user(format!("Invalid formula \"{formula}\" in price list line \"({line})\" with exception \"{why}\"."))
    })
}

/// Refuses a line whose formula is none, or that is for fewer than nothing.
pub fn line(store: &Store, id: u64) -> Result<(), Fail> {
    if store.value(LINE, id, "quantity").number().is_some_and(|from| from < Decimal::ZERO) {
        return Err(Fail::user("The value for field \"Quantity\" is not valid according to its domain."));
    }
    reckoned(store, id, None).map(drop)
}

/// Sets the price where it stands: on the product if it has one of its own, else on its template.
pub fn set_list_price(store: &mut Store, code: &str, amount: &str) -> Result<(), Fail> {
    let product = coded(store, code)?;
    let fields = json!({"list_price": {"__class__": "Decimal", "decimal": amount}});
    match store.value("product.product", product, "own_list_price") {
        Val::Null => write(store, "product.template", &[family(store, product)], &fields),
        _ => write(store, "product.product", &[product], &fields),
    }
}

/// The product with that code.
pub(super) fn coded(store: &Store, code: &str) -> Result<u64, Fail> {
    let at = store.model("product.product")?;
    let found = store.having(at, store.schema.models[at].position("code")?, &Val::Text(code.to_owned()));
    found.first().copied().ok_or_else(|| Fail::other(format!("no product {code}")))
}

/// The lines of a price list as a person writes them, `unit_price * 0.7 from 5 of MUG; unit_price * 0.9`; none where a
/// number of pieces is none.
pub fn lines(text: &str) -> Option<Vec<(Option<&str>, u32, &str)>> {
    text.split(';').map(one_line).collect()
}

fn one_line(text: &str) -> Option<(Option<&str>, u32, &str)> {
    let (text, code) = text.split_once(" of ").map_or((text, None), |(text, code)| (text, Some(code.trim())));
    let (formula, from) = text.split_once(" from ").unwrap_or((text, "0"));
    Some((code, from.trim().parse().ok()?, formula.trim()))
}

/// Makes the list of that name say these lines and no others, as a person who edits it would.
pub fn set_price_list(store: &mut Store, name: &str, lines: &[(Option<&str>, u32, &str)]) -> Result<(), Fail> {
    let all = store.model(LIST)?;
    let known = store.ids(all).find(|id| store.text(LIST, *id, "name") == name);
    let list = match known {
        Some(list) => list,
        None => create(store, LIST, &[json!({"name": name})])?.first().copied().unwrap_or_default(),
    };
    for old in store.children(LINE, "price_list", list)? {
        delete(store, LINE, &[old])?;
    }
    let mut rows = Vec::new();
    for (at, (code, from, formula)) in lines.iter().enumerate() {
        let product = code.map(|code| coded(store, code)).transpose()?;
        let from = (*from > 0).then_some(*from);
        rows.push(json!({"sequence": at + 1, "product": product, "quantity": from, "formula": formula}));
    }
    write(store, LIST, &[list], &json!({"price": "list_price", "lines": [["create", rows]]}))
}

/// What every product really costs, past the API: its list price as `list`, and each list in use without tax by its
/// name, from one piece on and from wherever more pieces cost something else.
pub fn ledger(store: &Store) -> Vec<Value> {
    let all = |model: &str| -> Vec<u64> { store.model(model).map(|at| store.ids(at).collect()).unwrap_or_default() };
    let currency = store.value("company.company", 1, "currency").id().unwrap_or_default();
    let currency = store.text("currency.currency", currency, "code");
    let told = |list: u64| {
        store.value(LIST, list, "active") == Val::Bool(true)
            && store.value(LIST, list, "tax_included") != Val::Bool(true)
    };
    let lists: Vec<u64> = all(LIST).into_iter().filter(|list| told(*list)).collect();
    let mut rows = Vec::new();
    for product in all("product.product") {
        let mut row = |list: &str, quantity: Decimal, amount: Decimal| {
            rows.push(json!({"sku": store.text("product.product", product, "code"), "list": list,
                "quantity": quantity.normalize().to_string(), "amount": amount.normalize().to_string(),
                "currency": currency}));
        };
        if let Some(price) = list_price(store, product).number() {
            row("list", Decimal::ONE, price);
        }
        for list in &lists {
            let mut last = None;
            for from in steps(store, *list, product) {
                let price = computed(store, *list, product, from).ok().flatten();
                if let (Some(price), true) = (price, price != last) {
                    row(&store.text(LIST, *list, "name"), from, price);
                }
                last = price;
            }
        }
    }
    rows
}

/// One, and every number of pieces from which on another line may fit.
fn steps(store: &Store, list: u64, product: u64) -> BTreeSet<Decimal> {
    let lines = store.children(LINE, "price_list", list).unwrap_or_default().into_iter();
    let from = lines
        .filter(|line| fits(store, *line, product))
        .filter_map(|line| store.value(LINE, line, "quantity").number());
    from.filter(|from| *from > Decimal::ONE).chain([Decimal::ONE]).collect()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_are_read_as_a_person_writes_them() {
        let told = lines("unit_price * 0.7 from 5 of NUT/M8 ü; unit_price * 0.9");
        assert_eq!(told, Some(vec![(Some("NUT/M8 ü"), 5, "unit_price * 0.7"), (None, 0, "unit_price * 0.9")]));
        assert_eq!(lines("unit_price from many"), None);
    }
}
