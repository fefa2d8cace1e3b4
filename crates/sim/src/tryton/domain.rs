//! Searching: domains with nested AND and OR, dotted clauses, operators, order, offset and limit.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::fail::Fail;
use super::read::{get, in_use, rec_name};
use super::schema::{Calc, Kind, Leg};
use super::store::Store;
use super::value::{Val, parse};

/// A parsed domain.
#[derive(Debug)]
enum Domain {
    All(Vec<Domain>),
    Any(Vec<Domain>),
    Clause { field: String, operator: String, value: Value },
}

/// What to look for and how much of it.
#[derive(Debug)]
pub struct Query<'a> {
    /// The domain as sent.
    pub domain: &'a Value,
    /// How many to leave out first.
    pub offset: usize,
    /// How many at most.
    pub limit: Option<usize>,
    /// `[["field","ASC"],…]`, or null for the model's own order.
    pub order: &'a Value,
}

/// The ids found, in order. `visible` hides rows a lagging index does not know yet.
pub fn search(
    store: &Store,
    model: &str,
    query: &Query<'_>,
    visible: &dyn Fn(usize, u64) -> bool,
) -> Result<Vec<u64>, Fail> {
    let at = store.model(model)?;
    let domain = parse_domain(query.domain)?;
    check(store, at, &domain)?;
    let domain = offered(store, at, domain);
    let candidates = candidates(store, at, &domain).unwrap_or_else(|| store.ids(at).collect());
    let mut found = Vec::new();
    for id in candidates {
        if visible(at, id) && holds(store, at, id, &domain)? {
            found.push(id);
        }
    }
    let mut keyed = Vec::with_capacity(found.len());
    let order = order_of(store, at, query.order)?;
    for id in found {
        let keys = order.iter().map(|(path, _)| at_path(store, at, id, path)).collect::<Result<Vec<_>, _>>()?;
        keyed.push((keys, id));
    }
    keyed.sort_by(|(left, left_id), (right, right_id)| {
        let by_keys = left.iter().zip(right).zip(&order).map(|((l, r), (_, way))| way.compare(l, r));
        by_keys.fold(Ordering::Equal, Ordering::then).then(left_id.cmp(right_id))
    });
    let ids = keyed.into_iter().map(|(_, id)| id).skip(query.offset);
    Ok(ids.take(query.limit.unwrap_or(usize::MAX)).collect())
}

fn parse_domain(json: &Value) -> Result<Domain, Fail> {
    let items = json.as_array().ok_or_else(|| Fail::other("domain must be a list"))?;
    if let [Value::String(field), Value::String(operator), value, ..] = items.as_slice()
        && !matches!(field.as_str(), "AND" | "OR")
    {
        return Ok(Domain::Clause { field: field.clone(), operator: operator.clone(), value: value.clone() });
    }
    let (any, rest) = match items.split_first() {
        Some((Value::String(word), rest)) => (word == "OR", rest),
        _ => (false, items.as_slice()),
    };
    let parts = rest.iter().map(parse_domain).collect::<Result<Vec<_>, _>>()?;
    Ok(if any { Domain::Any(parts) } else { Domain::All(parts) })
}

/// The domain with what Tryton adds: every list that does not itself name `active` finds active records only, lists
/// within it too, whatever stands beside them. `OR` above all.
fn offered(store: &Store, model: usize, domain: Domain) -> Domain {
    if !store.schema.models[model].has("active") {
        return domain;
    }
    match listed(domain) {
        clause @ Domain::Clause { .. } => only_active(Domain::All(vec![clause])),
        list => only_active(list),
    }
}

/// The domain with lists of one sort within each other made one.
fn listed(domain: Domain) -> Domain {
    let (any, parts) = match domain {
        Domain::All(parts) => (false, parts),
        Domain::Any(parts) => (true, parts),
        clause @ Domain::Clause { .. } => return clause,
    };
    let mut flat = Vec::new();
    for part in parts {
        match (listed(part), any) {
            (Domain::Any(inner), true) | (Domain::All(inner), false) => flat.extend(inner),
            (other, _) => flat.push(other),
        }
    }
    if any { Domain::Any(flat) } else { Domain::All(flat) }
}

fn only_active(domain: Domain) -> Domain {
    let names_it = |part: &Domain| matches!(part, Domain::Clause { field, .. } if field == "active");
    let active = || Domain::Clause { field: "active".to_owned(), operator: "=".to_owned(), value: Value::Bool(true) };
    match domain {
        Domain::All(parts) => {
            let asked = parts.iter().any(names_it);
            let parts = parts.into_iter().map(only_active);
            Domain::All(parts.chain((!asked).then(active)).collect())
        }
        Domain::Any(parts) => {
            let asked = parts.iter().any(names_it);
            let any = Domain::Any(parts.into_iter().map(only_active).collect());
            if asked { any } else { Domain::All(vec![any, active()]) }
        }
        clause @ Domain::Clause { .. } => clause,
    }
}

/// Refuses unknown fields, fields that cannot be searched, and unknown operators, before any row is looked at.
fn check(store: &Store, model: usize, domain: &Domain) -> Result<(), Fail> {
    let (field, operator) = match domain {
        Domain::All(parts) | Domain::Any(parts) => return parts.iter().try_for_each(|part| check(store, model, part)),
        Domain::Clause { field, operator, .. } => (field, operator),
    };
    let first = field.split('.').next().unwrap_or_default();
    let def = &store.schema.models[model];
    if !matches!(first, "id" | "create_date" | "write_date" | "create_uid" | "write_uid" | "rec_name") {
        let found = def.field(first)?;
        if let Kind::Calc(
            Calc::Untaxed
            | Calc::Tax
            | Calc::Total
            | Calc::LineAmount
            | Calc::LineLines
            | Calc::Moves(Leg::Inventory | Leg::Outgoing),
            _,
        ) = found.kind
        {
            return Err(Fail::other(format!(
                "Missing search function for field \"{}\" in \"{}\".",
                found.title, def.title
            )));
        }
        if let Some((_, rest)) = field.split_once('.') {
            let target = store.model(found.target().ok_or_else(|| Fail::key(rest))?)?;
            let inner = Domain::Clause { field: rest.to_owned(), operator: operator.clone(), value: Value::Null };
            return check(store, target, &inner);
        }
    }
    let known = [
        "=",
        "!=",
        "in",
        "not in",
        "like",
        "not like",
        "ilike",
        "not ilike",
        ">",
        ">=",
        "<",
        "<=",
        "where",
        "not where",
    ];
    if known.contains(&operator.as_str()) { Ok(()) } else { Err(Fail::key(operator)) }
}

/// Ids worth looking at, where a clause that must hold can be answered from an index.
fn candidates(store: &Store, model: usize, domain: &Domain) -> Option<BTreeSet<u64>> {
    match domain {
        Domain::Any(_) => None,
        Domain::All(parts) => parts.iter().find_map(|part| candidates(store, model, part)),
        Domain::Clause { field, operator, value } => {
            let wanted: Vec<&Value> = match operator.as_str() {
                "=" => vec![value],
                "in" => value.as_array()?.iter().collect(),
                _ => return None,
            };
            if field == "id" {
                return Some(wanted.iter().filter_map(|one| one.as_u64()).collect());
            }
            let def = &store.schema.models[model];
            let position = def.position(field).ok()?;
            if !def.fields[position].indexed
                || wanted.iter().any(|one| one.is_string() != matches!(def.fields[position].kind, Kind::Char { .. }))
            {
                return None;
            }
            let mut ids = BTreeSet::new();
            for one in wanted {
                let value = match one {
                    Value::String(text) => Val::Text(text.clone()),
                    other if def.fields[position].kind == Kind::Int => Val::Int(other.as_i64()?),
                    other => Val::Ref(other.as_u64()?),
                };
                ids.extend(store.having(model, position, &value));
            }
            Some(ids)
        }
    }
}

fn holds(store: &Store, model: usize, id: u64, domain: &Domain) -> Result<bool, Fail> {
    match domain {
        Domain::All(parts) => {
            for part in parts {
                if !holds(store, model, id, part)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Domain::Any(parts) => {
            for part in parts {
                if holds(store, model, id, part)? {
                    return Ok(true);
                }
            }
            Ok(parts.is_empty())
        }
        Domain::Clause { field, operator, value } => clause(store, model, id, field, operator, value),
    }
}

fn clause(store: &Store, model: usize, id: u64, field: &str, operator: &str, value: &Value) -> Result<bool, Fail> {
    let def = &store.schema.models[model];
    if let Some((first, rest)) = field.split_once('.') {
        let target = store.model(def.field(first)?.target().ok_or_else(|| Fail::key(rest))?)?;
        for one in get(store, model, id, first)?.ids() {
            if store.row(target, *one).is_some() && clause(store, target, *one, rest, operator, value)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let actual = match (def.name, field) {
        ("product.product", "active") => Val::Bool(in_use(store, def.name, id)),
        _ => get(store, model, id, field)?,
    };
    let target = def.field(field).ok().and_then(|found| found.target());
    if let (Some(target), true) = (target, operator.ends_with("where")) {
        let at = store.model(target)?;
        let inner = offered(store, at, parse_domain(value)?);
        let mut any = false;
        // A search below finds what is retired where it asks for it, though no list shows it.
        let below = match def.field(field)?.kind {
            Kind::Many { model, back } => store.children(model, back, id)?,
            _ => actual.ids().to_vec(),
        };
        for one in &below {
            any = any || holds(store, at, *one, &inner)?;
        }
        return Ok(any != operator.starts_with("not"));
    }
    if let (Some(target), Value::String(_)) = (target, value) {
        let names: Vec<Val> = actual.ids().iter().map(|one| Val::Text(rec_name(store, target, *one))).collect();
        return many(&Kind::Text, &names, operator, value);
    }
    let kind = kind_of(store, model, field);
    match actual {
        Val::Refs(ids) => {
            let all: Vec<Val> = ids.into_iter().map(Val::Ref).collect();
            many(&Kind::One(""), &all, operator, value)
        }
        actual => compare(&kind, &actual, operator, value),
    }
}

/// The kind values of this field are compared as.
fn kind_of(store: &Store, model: usize, field: &str) -> Kind {
    match field {
        "id" => return Kind::Int,
        "create_date" | "write_date" => return Kind::Time,
        "rec_name" => return Kind::Text,
        _ => {}
    }
    let Ok(found) = store.schema.models[model].field(field) else { return Kind::Text };
    match &found.kind {
        Kind::Calc(_, "") | Kind::Calc(Calc::TaxIdentifier, _) => found.target().map_or(found.kind.clone(), Kind::One),
        Kind::Calc(_, target) => Kind::One(target),
        Kind::Char { .. } => Kind::Text,
        kind => kind.clone(),
    }
}

/// Whether one of several values satisfies the operator; no value at all is equal to null.
fn many(kind: &Kind, values: &[Val], operator: &str, value: &Value) -> Result<bool, Fail> {
    if values.is_empty() {
        return compare(kind, &Val::Null, operator, value);
    }
    for one in values {
        if compare(kind, one, operator, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare(kind: &Kind, actual: &Val, operator: &str, value: &Value) -> Result<bool, Fail> {
    if let Some(plain) = operator.strip_prefix("not ") {
        return Ok(!compare(kind, actual, plain, value)?);
    }
    match operator {
        "in" => {
            for one in value.as_array().into_iter().flatten() {
                if equal(actual, &parse(kind, one)?) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        "like" | "ilike" => {
            let pattern = value.as_str().unwrap_or_default().to_lowercase();
            Ok(actual.text().is_some_and(|text| like(&text.to_lowercase(), &pattern)))
        }
        "=" => Ok(equal(actual, &parse(kind, value)?)),
        "!=" => Ok(!equal(actual, &parse(kind, value)?)),
        _ => {
            let wanted = parse(kind, value)?;
            if *actual == Val::Null || wanted == Val::Null {
                return Ok(false);
            }
            let order = match (actual.number(), wanted.number()) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => actual.cmp(&wanted),
            };
            Ok(match operator {
                ">" => order == Ordering::Greater,
                ">=" => order != Ordering::Less,
                "<" => order == Ordering::Less,
                _ => order != Ordering::Greater,
            })
        }
    }
}

fn equal(left: &Val, right: &Val) -> bool {
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

/// SQL's LIKE: `%` for any text, `_` for one character, `\` before a literal one.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    fits(&text, &pattern)
}

fn fits(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| fits(&text[skip..], rest)),
        ['_', rest @ ..] => !text.is_empty() && fits(&text[1..], rest),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => text.first() == Some(literal) && fits(&text[1..], rest),
    }
}

/// One way to order: descending or not, nulls first or last. SQLite takes null as the smallest value.
#[derive(Debug, Clone, Copy)]
struct Way {
    descending: bool,
    nulls_first: bool,
}

impl Way {
    fn compare(self, left: &Val, right: &Val) -> Ordering {
        match (left, right) {
            (Val::Null, Val::Null) => Ordering::Equal,
            (Val::Null, _) if self.nulls_first => Ordering::Less,
            (Val::Null, _) => Ordering::Greater,
            (_, Val::Null) => self.compare(right, left).reverse(),
            _ if self.descending => right.cmp(left),
            _ => left.cmp(right),
        }
    }
}

/// Paths to order by, each with its way.
fn order_of(store: &Store, model: usize, json: &Value) -> Result<Vec<(String, Way)>, Fail> {
    let Some(items) = json.as_array() else {
        let own = store.schema.models[model].order;
        let way = |descending: bool| Way { descending, nulls_first: true };
        return Ok(own.iter().map(|(path, descending)| ((*path).to_owned(), way(*descending))).collect());
    };
    let mut order = Vec::new();
    for item in items {
        let path = item.get(0).and_then(Value::as_str).unwrap_or_default();
        let direction = item.get(1).and_then(Value::as_str).unwrap_or("ASC").to_uppercase();
        let first = path.split('.').next().unwrap_or_default();
        if !matches!(first, "id" | "create_date" | "write_date" | "create_uid" | "write_uid" | "rec_name") {
            store.schema.models[model].position(first)?;
        }
        let descending = direction.starts_with("DESC");
        let nulls_first =
            if descending { direction.ends_with("NULLS FIRST") } else { !direction.ends_with("NULLS LAST") };
        order.push((path.to_owned(), Way { descending, nulls_first }));
    }
    Ok(order)
}

fn at_path(store: &Store, model: usize, id: u64, path: &str) -> Result<Val, Fail> {
    let Some((first, rest)) = path.split_once('.') else { return get(store, model, id, path) };
    let target = store.schema.models[model].field(first)?.target().ok_or_else(|| Fail::key(rest))?;
    match get(store, model, id, first)?.id() {
        Some(one) => at_path(store, store.model(target)?, one, rest),
        None => Ok(Val::Null),
    }
}
