//! The one place between remote ids and entities: references, element keys and table codes, there and back.

use crate::system::EngineError;
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Ref, Target, Value};
use syncline_core::path::Path;
use syncline_core::planner::{Resolved, World, tax_row};
use syncline_core::policy::Hold;
use syncline_core::rules::OrderRules;
use syncline_store::Store;

/// The references of one record, each with how far it is resolvable in the target and what it is called there.
#[derive(Debug, Default)]
pub struct Resolution {
    found: BTreeMap<Ref, (Resolved, Option<Ref>)>,
    /// Whether what is known but unbound counts as there (a plan shown before its dependencies ran).
    pub lenient: bool,
    /// A product is missing, and none is bound in the target at all.
    no_product: bool,
}

impl World for Resolution {
    fn resolve(&self, reference: &Ref) -> Resolved {
        match self.found.get(reference).map_or(Resolved::Unknown, |(resolved, _)| resolved.clone()) {
            Resolved::Unbound(_) if self.lenient => Resolved::There,
            other => other,
        }
    }

    fn named(&self, reference: &Ref) -> Option<&Ref> {
        self.there(reference)
    }

    fn any_product_tied(&self) -> bool {
        !self.no_product
    }
}

impl Resolution {
    /// One in which the target knows these references, by what it calls them, and no other.
    #[must_use]
    pub fn of(known: impl IntoIterator<Item = (Ref, Ref)>) -> Self {
        let found = known.into_iter().map(|(here, there)| (here, (Resolved::There, Some(there)))).collect();
        Self { found, ..Self::default() }
    }

    /// What the target calls `reference`.
    fn there(&self, reference: &Ref) -> Option<&Ref> {
        self.found.get(reference).and_then(|(_, there)| there.as_ref())
    }
}

/// Every reference in `leaves`, resolved from the system `from` to the system `to`.
///
/// # Errors
/// Where the store fails.
pub async fn resolve(
    store: &dyn Store,
    from: &SystemUid,
    to: &SystemUid,
    leaves: &Leaves,
) -> Result<Resolution, EngineError> {
    let mut resolution = Resolution::default();
    for (_, value) in leaves.iter() {
        let Some(Value::Ref(reference)) = value else { continue };
        if resolution.found.contains_key(reference) {
            continue;
        }
        let found = match entity(store, from, reference).await? {
            None => (Resolved::Unknown, None),
            Some(entity) => in_target(store, to, reference, entity).await?,
        };
        if reference.kind == Kind::Variant && found.0 != Resolved::There && !resolution.no_product {
            resolution.no_product = !store.binds_any(to.clone(), Kind::Variant).await?;
        }
        resolution.found.insert(reference.clone(), found);
    }
    Ok(resolution)
}

async fn entity(store: &dyn Store, from: &SystemUid, reference: &Ref) -> Result<Option<EntityId>, EngineError> {
    let id = match &reference.to {
        Target::Entity(entity) => return Ok(Some(*entity)),
        Target::Remote(id) => id.clone(),
    };
    let mut ids = vec![id.clone()];
    if let Some(alias) = &reference.alias {
        ids.push(syncline_core::id::RemoteId::new(id.scope, alias.clone()));
    }
    let found = store.entities(from.clone(), reference.kind, ids).await?;
    Ok(found.into_iter().flatten().next())
}

async fn in_target(
    store: &dyn Store,
    to: &SystemUid,
    reference: &Ref,
    entity: EntityId,
) -> Result<(Resolved, Option<Ref>), EngineError> {
    let Some(bound) = store.bound(entity, to.clone()).await? else {
        return Ok((Resolved::Unbound(entity), None));
    };
    let mut there = Ref::remote(reference.kind, bound.id);
    if let Some(path) = &reference.element {
        let Some(key) = bound.elements.get(path) else { return Ok((Resolved::Unbound(entity), None)) };
        let collection = path.as_str().split('[').next().unwrap_or_default();
        there.element = Some(Path::element(collection, key));
    }
    Ok((Resolved::There, Some(there)))
}

/// `leaves` as the target speaks them: its references, its codes. Element keys of our lines stay ours.
///
/// # Errors
/// A hold that names what cannot be said in the target.
pub fn outbound(leaves: &Leaves, resolution: &Resolution, rules: Option<&OrderRules>) -> Result<Leaves, Hold> {
    let mut out = Leaves::new();
    for (path, value) in leaves.iter() {
        let value = value.cloned();
        match (value, rules) {
            (Some(Value::Ref(reference)), _) => {
                let there = resolution.there(&reference).ok_or_else(|| {
                    Hold::new(
                        "SYN-0108",
                        format!("`{path}` refers to something the target does not know"),
                        "run `syncline retry`",
                    )
                })?;
                out.put(path.clone(), Value::Ref(there.clone()));
            }
            (Some(Value::Number(percent)), Some(rules)) if tax_code(path).is_some() => {
                let (base, code) = tax_code(path).unwrap_or_default();
                let row = tax_row(rules, &code).ok_or_else(|| no_row("taxes", &code))?;
                out.put(base.map_or_else(|| path.clone(), |base| base.keyed("taxes", row)), Value::Number(percent));
            }
            (Some(Value::Code(method)), Some(rules)) if path.as_str() == "payment.method" => {
                let row = rules.row("payment_methods", &method).ok_or_else(|| no_row("payment_methods", &method))?;
                out.put(path.clone(), Value::Code(row.to_string()));
            }
            (value, _) => out.tell(path.clone(), value),
        }
    }
    Ok(out)
}

fn no_row(table: &str, code: &str) -> Hold {
    let remedy = format!("add `\"{code}\" = …` under [flows.orders.{table}], then `syncline retry`");
    Hold::new("SYN-0103", format!("`{code}` has no row in {table}"), remedy)
}

/// For `lines[15].taxes[DE-19]`: the path of the line and the code.
fn tax_code(path: &Path) -> Option<(Option<Path>, String)> {
    for collection in ["lines", "charges"] {
        if let Some((key, rest)) = path.within(collection)
            && rest.starts_with("taxes[")
        {
            let base = Path::element(collection, &key);
            let below = Path::try_from(rest.to_string()).ok()?;
            let (code, _) = below.within("taxes")?;
            return Some((Some(base), code));
        }
    }
    None
}

/// `leaves` of a system with its element keys (`lines[@17]`) replaced by ours where they are bound.
#[must_use]
pub fn inbound(leaves: &Leaves, elements: &BTreeMap<Path, String>) -> Leaves {
    let collection = |path: &Path| path.as_str().split('[').next().unwrap_or_default().to_string();
    let theirs: BTreeMap<(String, &str), &Path> =
        elements.iter().rev().map(|(ours, theirs)| ((collection(ours), theirs.as_str()), ours)).collect();
    leaves
        .iter()
        .map(|(path, value)| {
            let name = collection(path);
            let ours = path.within(&name).and_then(|(key, rest)| {
                let ours = theirs.get(&(name.clone(), key.as_str()))?;
                Some(if rest.is_empty() { (*ours).clone() } else { ours.dot(rest) })
            });
            (ours.unwrap_or_else(|| path.clone()), value.cloned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::id::RemoteId;

    #[test]
    fn a_bound_line_comes_in_under_our_key_and_a_strange_one_keeps_its_own() {
        let mut leaves = Leaves::new();
        leaves.put(Path::element("lines", "@17").dot("sku"), Value::Text("MUG".into()));
        leaves.put(Path::element("lines", "@18").dot("sku"), Value::Text("PEN".into()));
        let elements = [(Path::element("lines", "8"), "@17".to_string())].into();
        let ours = inbound(&leaves, &elements);
        assert!(ours.value(&Path::element("lines", "8").dot("sku")).is_some());
        assert!(ours.value(&Path::element("lines", "@18").dot("sku")).is_some());
    }

    #[test]
    fn ten_thousand_lines_come_in_each_under_its_own_key() {
        let (mut leaves, mut elements) = (Leaves::new(), BTreeMap::new());
        for n in 0..10_000 {
            let theirs = format!("@{n}");
            leaves.put(Path::element("lines", &theirs).dot("sku"), Value::Text("MUG".into()));
            elements.insert(Path::element("lines", &n.to_string()), theirs);
        }
        let ours = inbound(&leaves, &elements);
        let order = syncline_core::record::Order::from_leaves(&ours).unwrap();
        assert_eq!(order.lines.len(), 10_000);
        assert!(order.lines.get("9999").is_some());
    }

    #[test]
    fn a_reference_without_a_binding_is_held_not_sent() {
        let mut leaves = Leaves::new();
        leaves.put(Path::field("customer"), Value::Ref(Ref::remote(Kind::Customer, RemoteId::new("1", "2"))));
        assert_eq!(outbound(&leaves, &Resolution::default(), None).unwrap_err().code, "SYN-0108");
    }
}
