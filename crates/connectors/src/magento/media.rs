//! Writes images of products: one entry is added, changed or taken away by one request, each after a look at what is there.
//!
//! The same image twice is two entries (recorded: image-add-again), so it is looked for by its content right before it is
//! sent; and a further file of one name takes the roles of the first over (the same recording), so that each upload has a
//! name of its own.

use super::images::{Known, Trust, name, oldest_first, twins};
use super::piece::Ready;
use super::wire::Entry;
use super::{Magento, map, unsupported};
use serde_json::{Value, json};
use syncline_connect::base64::base64;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Step;
use syncline_core::leaf::{Leaf, Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Image;
use syncline_core::text::shown;

/// What the first image of a product is used for.
const FIRST: [&str; 3] = ["image", "small_image", "thumbnail"];

/// Whether `leaves` are of an image.
pub(super) fn of_image(leaves: &Leaves) -> bool {
    leaves.iter().any(|(path, _)| Image::at(path).is_some())
}

/// The parts of what is told of images that go in one request each: an entry too many by itself, then image by image.
pub(super) fn part(path: &Path) -> Option<String> {
    let (key, field) = Image::at(path)?;
    Some(if field == "twice" { format!("0 {key}") } else { format!("1 {key}") })
}

impl Magento {
    /// What became of a permit about one image of a product.
    pub(super) async fn write_image(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = self.ready_image(ctx, &permit).await;
        self.write_piece(ctx, &permit, ready, "is not there when its image is read back").await
    }

    /// The request of a permit, by what the product shows now.
    async fn ready_image(&self, ctx: &Ctx, permit: &Permit) -> Result<(RemoteId, Ready)> {
        let change = permit.change();
        let (Some(id), Step::Update) = (&change.document, &change.step) else {
            return Err(unsupported("images are written of products that are there"));
        };
        let mut keys: Vec<String> = change.leaves.iter().filter_map(|(path, _)| Some(Image::at(path)?.0)).collect();
        keys.dedup();
        let [key] = keys.as_slice() else { return Err(unsupported("one request writes one image")) };
        let gone =
            || Error::new(ErrorKind::Gone, format!("product {id} is not there, or cannot be asked for its images"));
        let entries = self.entries(ctx, &id.id).await?.ok_or_else(gone)?;
        let all = self.shown_by(ctx, &id.id, &entries, Trust::Bytes).await?;
        let base = format!("products/{}/media", encoded(&id.id));
        let path = Image::path(key);
        let there = oldest_first(&all).into_iter().find(|(_, known)| known.key == *key).map(|(entry, _)| *entry);
        let moved = |what: &str| Error::new(ErrorKind::Stale, format!("`{path}` of {}: {what}", shown(&id.id, 80)));
        let remove =
            |entry: &Entry| Ready { method: "DELETE", path: format!("{base}/{}", entry.id.0), body: Value::Null };
        let twice = change.leaves.get(&path.dot("twice")) == Leaf::Empty;
        let ready = match (change.leaves.get(&path), there) {
            (Leaf::Untold, _) if twice => {
                remove(twins(&all, key).ok_or_else(|| moved("there is one entry of it by now"))?)
            }
            (Leaf::Value(_), Some(_)) => return Err(moved("it is there by now")),
            (Leaf::Value(_), None) => {
                let content = permit.content(&path).ok_or_else(|| unsupported("an image without its bytes"))?;
                Ready { method: "POST", path: base, body: adding(permit, key, content, &all)? }
            }
            (_, None) => return Err(moved("it is not there any more")),
            (Leaf::Empty, Some(entry)) => remove(entry),
            (Leaf::Untold, Some(entry)) => {
                let body = changing(&change.leaves, &path, entry)?;
                Ready { method: "PUT", path: format!("{base}/{}", entry.id.0), body }
            }
        };
        Ok((id.clone(), ready))
    }
}

/// The body that adds an image. The first one of a product plays the roles that nobody plays yet.
fn adding(permit: &Permit, key: &str, content: &[u8], all: &[(&Entry, Known)]) -> Result<Value> {
    let (path, leaves) = (Image::path(key), &permit.change().leaves);
    let sort = syncline_core::record::Sort::of(content);
    let note = permit.note();
    let upload = format!("{}x{}", note.delivery, note.attempt);
    let plays = all.iter().any(|(entry, _)| entry.types.iter().flatten().next().is_some());
    let types = match roles(leaves, &path)? {
        Some(roles) => roles,
        None if plays => Vec::new(),
        None => FIRST.map(str::to_owned).to_vec(),
    };
    let last = all.iter().filter_map(|(entry, _)| entry.position).map(|exact| exact.0).max();
    let next = last.unwrap_or_default().saturating_add(rust_decimal::Decimal::ONE);
    let position = match leaves.value(&path.dot("position")) {
        Some(LeafValue::Number(place)) => *place,
        _ => next,
    };
    Ok(json!({"entry": {
        "media_type": "image",
        "label": text(leaves, &path, "label"),
        "position": whole(position)?,
        "disabled": false,
        "types": types,
        "content": {
            "base64_encoded_data": base64(content), "type": sort.media, "name": name(key, &sort, &upload),
        },
    }}))
}

/// The body that changes an entry: all that is there with what is new, for what is left out would be lost.
fn changing(leaves: &Leaves, path: &Path, entry: &Entry) -> Result<Value> {
    let told = |field: &str| leaves.get(&path.dot(field)) != Leaf::Untold;
    let label = match told("label") {
        true => text(leaves, path, "label"),
        false => json!(entry.label.as_ref().map(|label| &label.0)),
    };
    let position = match (told("position"), leaves.value(&path.dot("position"))) {
        (true, Some(LeafValue::Number(place))) => *place,
        (true, _) => rust_decimal::Decimal::ZERO,
        (false, _) => entry.position.map_or(rust_decimal::Decimal::ZERO, |exact| exact.0),
    };
    let types = match roles(leaves, path)? {
        Some(roles) => roles,
        None => entry.types.iter().flatten().map(|role| role.0.clone()).collect(),
    };
    Ok(json!({"entry": {
        "id": entry.id.0,
        "media_type": "image",
        "label": label,
        "position": whole(position)?,
        "disabled": entry.disabled.is_some_and(|flag| flag.0),
        "types": types,
    }}))
}

/// The roles that are asked for; none where nothing is said of them.
fn roles(leaves: &Leaves, path: &Path) -> Result<Option<Vec<String>>> {
    match leaves.get(&path.dot("roles")) {
        Leaf::Untold => Ok(None),
        Leaf::Empty => Ok(Some(Vec::new())),
        Leaf::Value(LeafValue::Text(lines)) => Ok(Some(lines.lines().map(str::to_owned).collect())),
        Leaf::Value(_) => Err(map::invalid(format!("`{path}.roles` is no text"))),
    }
}

fn text(leaves: &Leaves, path: &Path, field: &str) -> Value {
    match leaves.value(&path.dot(field)) {
        Some(LeafValue::Text(text)) => json!(text),
        _ => Value::Null,
    }
}

fn whole(place: rust_decimal::Decimal) -> Result<u32> {
    use rust_decimal::prelude::ToPrimitive;
    place.to_u32().ok_or_else(|| map::invalid(format!("{place} is no place for an image")))
}
