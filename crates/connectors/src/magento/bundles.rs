//! Bundles whose parts stand fast: read as what they are made of, and changed one part at a time.
//!
//! A bundle is made of options. Where each is required, offers one product and lets nobody change how many, every buyer gets
//! the same, and that is what is told; all else is for buyers to choose, and the shop's own. Requests are those of Magento's
//! REST reference (`bundle-products`); what they do is taken from its own code (`LinkManagement`, `OptionRepository` of module
//! Bundle, 2.4): an option that is added twice is there twice, so that it is looked for right before, and two options of one
//! product are told as one part, for that is what a buyer gets.

use super::client::Scope;
use super::lists::number;
use super::piece::Ready;
use super::products::no_slash;
use super::wire::Text;
use super::wire_bundle::{BundleLink, BundleOption};
use super::{Magento, map, unsupported, wire};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Composition, Part};
use syncline_core::text::shown;

/// The type of a bundle.
pub(super) const BUNDLE: &str = "bundle";
/// What a bundle is made with: its price follows from its parts, its weight and SKU are its own, and its parts are shipped
/// apart where need be (recorded: bundle-create).
pub(super) const ATTRIBUTES: [(&str, &str); 5] =
    [("price_type", "0"), ("sku_type", "1"), ("weight_type", "1"), ("price_view", "0"), ("shipment_type", "1")];
/// Decimals of how many go into one (`catalog_product_bundle_selection.selection_qty` is a `DECIMAL(12,4)`).
const DIGITS: u32 = 4;
/// What a bundle cannot hold: what is itself made of others, or stands for them.
const COMPOSITE: [&str; 3] = [BUNDLE, super::families::CONFIGURABLE, "grouped"];

/// What a bundle is made of; none of another product. One without an option is told without any by Magento
/// (`ReadHandler` of module Bundle).
pub(super) fn composition(doc: &wire::Product) -> Option<Composition> {
    doc.type_id.as_ref().filter(|form| form.0 == BUNDLE)?;
    let options = doc.extension_attributes.0.bundle_product_options.as_deref().unwrap_or_default();
    Some(made_of(options))
}

/// What these options come to.
fn made_of(options: &[BundleOption]) -> Composition {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for option in options {
        match only(option) {
            Err(why) => return Composition::Loose(why),
            Ok((link, quantity)) => {
                let variant = Ref::remote(Kind::Variant, RemoteId::new("", link.sku.0.clone()));
                let part = parts.entry(link.sku.0.clone()).or_insert(Part { variant, quantity: Decimal::ZERO });
                part.quantity = part.quantity.saturating_add(quantity).normalize();
            }
        }
    }
    Composition::Fixed(parts)
}

/// The one product of an option and how many of it everybody gets; why it is for buyers to choose.
fn only(option: &BundleOption) -> std::result::Result<(&BundleLink, Decimal), String> {
    let title = option.title.as_ref().map_or_else(|| option.option_id.0.to_string(), |title| shown(&title.0, 40));
    let chosen = |why: &str| Err(format!("buyers choose: the option `{title}` {why}"));
    match option.product_links.as_deref().unwrap_or_default() {
        _ if !option.required.is_some_and(|flag| flag.0) => chosen("may be left out"),
        [] => chosen("shows no product"),
        [link] if link.can_change_quantity.is_some_and(|flag| flag.0) => chosen("lets them say how many"),
        [link] => match link.qty.map(|exact| exact.0).filter(|quantity| *quantity > Decimal::ZERO) {
            Some(quantity) => Ok((link, quantity)),
            None => chosen("does not say how many"),
        },
        several => chosen(&format!("has {} products", several.len())),
    }
}

/// What puts the parts of a bundle into the order they are written in: those that go in before those that leave, so that a
/// bundle is never without any on the way.
pub(super) fn part(path: &Path, value: Option<&LeafValue>) -> Option<String> {
    let key = Composition::part_of(path)?;
    let goes_in = matches!(value, Some(LeafValue::Number(quantity)) if !quantity.is_zero());
    Some(format!("{} {key}", if goes_in { 2 } else { 3 }))
}

/// How the shop keeps how many of a part go into a bundle; none for what is no part.
pub(super) fn fit(path: &Path, value: &LeafValue) -> Option<Fit> {
    Composition::part_of(path)?;
    Some(match value {
        LeafValue::Number(quantity) if quantity.is_sign_negative() && !quantity.is_zero() => {
            Fit::Refused("fewer than none do not go into a bundle".to_owned())
        }
        LeafValue::Number(quantity) if quantity.normalize().scale() > DIGITS => {
            Fit::Refused(format!("a bundle keeps {DIGITS} decimals of how many go into it"))
        }
        LeafValue::Number(_) => Fit::Exact,
        _ => Fit::Refused("how many of a part go into a bundle is a number".to_owned()),
    })
}

/// Whether `leaves` are of a part of a bundle.
pub(super) fn of_part(leaves: &Leaves) -> bool {
    leaves.iter().any(|(path, _)| Composition::part_of(path).is_some())
}

/// What is asked of a product that is to go into a bundle.
#[derive(Debug, Deserialize)]
struct Named {
    name: Option<Text>,
    type_id: Option<Text>,
}

impl Magento {
    /// What became of a permit about one part of a bundle.
    pub(super) async fn write_part(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = self.ready_part(ctx, &permit).await;
        self.write_piece(ctx, &permit, ready, "is not there when its parts are read back").await
    }

    /// The request of a permit, by what the bundle is made of now.
    async fn ready_part(&self, ctx: &Ctx, permit: &Permit) -> Result<(RemoteId, Ready)> {
        let change = permit.change();
        let mut all = change.leaves.iter();
        let (Some(id), Step::Update, Some((path, None | Some(LeafValue::Number(_)))), None) =
            (&change.document, &change.step, all.next(), all.next())
        else {
            return Err(unsupported("one request changes how many of one part go into a bundle that is there"));
        };
        let wanted = match change.leaves.value(path) {
            Some(LeafValue::Number(wanted)) => *wanted,
            _ => Decimal::ZERO,
        };
        let sku = change.elements.get(path);
        let sku = sku.ok_or_else(|| map::invalid(format!("`{path}`: it has no SKU in the shop")))?;
        let options = self.options_of(ctx, &id.id).await?;
        let moved = |what: &str| Error::new(ErrorKind::Stale, format!("`{path}` of {}: {what}", shown(&id.id, 80)));
        let mut links = Vec::new();
        for option in &options {
            let (link, quantity) = only(option).map_err(|why| moved(&why))?;
            if link.sku.0.eq_ignore_ascii_case(sku) {
                links.push((option, link, quantity));
            }
        }
        let ready = match next(&links, wanted) {
            Next::Nothing => return Err(moved("it is so by now")),
            Next::Add => {
                let body = self.adding(ctx, (&id.id, sku), wanted, &options).await?;
                Ready { method: "POST", path: "bundle-products/options/add".to_owned(), body }
            }
            Next::Remove(option) => {
                let path = format!("bundle-products/{}/options/{}", encoded(&id.id), option.option_id.0);
                Ready { method: "DELETE", path, body: Value::Null }
            }
            Next::Set(option, link, quantity) => {
                let path = format!("bundle-products/{}/links/{}", encoded(&id.id), link.id.0);
                Ready { method: "PUT", path, body: setting(option, link, quantity)? }
            }
        };
        Ok((id.clone(), ready))
    }

    /// The options of a bundle as they are now.
    async fn options_of(&self, ctx: &Ctx, sku: &str) -> Result<Vec<BundleOption>> {
        let path = format!("bundle-products/{}/options/all", encoded(sku));
        match self.client.get_in::<Vec<BundleOption>>(ctx, Scope::ALL, &path).await {
            Err(error) if no_slash(sku, &error) => {
                let what = "the web server takes no encoded slash, as in this SKU, in an address";
                Err(unsupported(&format!("{what}: {}", error.message)))
            }
            answer => answer,
        }
    }

    /// The body that adds a part, as an option that everybody gets, called what the product is called.
    async fn adding(
        &self,
        ctx: &Ctx,
        (bundle, sku): (&str, &str),
        quantity: Decimal,
        options: &[BundleOption],
    ) -> Result<Value> {
        let path = format!("products/{}?fields=name,type_id", encoded(sku));
        let part: Named = match self.client.get_in(ctx, Scope::ALL, &path).await {
            Err(error) if error.kind == ErrorKind::Gone => {
                return Err(map::invalid(format!("the shop has no product `{}` to put into a bundle", shown(sku, 60))));
            }
            answer => answer?,
        };
        let form = part.type_id.map(|form| form.0).unwrap_or_default();
        if COMPOSITE.contains(&form.as_str()) {
            let what = format!("`{}` is {form} there, which goes into no bundle", shown(sku, 60));
            return Err(map::invalid(what));
        }
        let last = options.iter().filter_map(|option| option.position).map(|exact| exact.0).max();
        Ok(json!({"option": {
            "title": part.name.map_or_else(|| sku.to_owned(), |name| name.0),
            "required": true,
            "type": "select",
            "position": number(last.unwrap_or_default().trunc().saturating_add(Decimal::ONE))?,
            "sku": bundle,
            "product_links": [{
                "sku": sku, "qty": number(quantity)?, "position": 1, "is_default": true, "price": 0, "price_type": 0,
                "can_change_quantity": 0,
            }],
        }}))
    }
}

/// What is to be done next so that a bundle comes to hold as many of a part as are wanted.
enum Next<'o> {
    Nothing,
    Add,
    Remove(&'o BundleOption),
    Set(&'o BundleOption, &'o BundleLink, Decimal),
}

/// The next request about a part that stands in these options. Of several the newest is what a request that landed twice
/// has left, and goes first where the others are enough.
fn next<'o>(links: &[(&'o BundleOption, &'o BundleLink, Decimal)], wanted: Decimal) -> Next<'o> {
    let total: Decimal = links.iter().map(|(.., quantity)| quantity).sum();
    let newest = links.iter().max_by_key(|(option, ..)| option.option_id.0);
    match newest {
        _ if total == wanted => Next::Nothing,
        None => Next::Add,
        Some((option, link, quantity)) => match wanted - (total - quantity) {
            left if left > Decimal::ZERO => Next::Set(option, link, left),
            _ => Next::Remove(option),
        },
    }
}

/// The body that sets how many of a part go in. What is left out stays as it is; what has a price follows from the part.
fn setting(option: &BundleOption, link: &BundleLink, quantity: Decimal) -> Result<Value> {
    let position = link.position.map(|exact| number(exact.0)).transpose()?;
    Ok(json!({"linkedProduct": {
        "id": link.id.0.to_string(),
        "sku": link.sku.0,
        "option_id": option.option_id.0,
        "qty": number(quantity)?,
        "position": position,
        "is_default": link.is_default.is_none_or(|flag| flag.0),
        "can_change_quantity": 0,
    }}))
}
