//! Changes categories: names scope by scope, places by moves; makes hidden ones below their parent.
//!
//! A second category of one name below one parent has the address of the first, and is refused with it
//! (magento/magento2#3268); so a request that lands twice makes one. It is looked for all the same, before it is made and
//! after a doubt, for somebody may have made it by hand.

use super::client::{Call, Scope};
use super::products::{Keeping, NAMELESS, fit_text};
use super::views::Views;
use super::wire_category as wire;
use super::{Magento, map, numeric, unsupported};
use crate::magento::wire::{Id, typed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::Category;
use syncline_core::text::shown;

/// What the shop says where another category has the address.
const TAKEN: &str = "URL key";
/// What it says of a category that is to stand below one of its own: that one is to move first.
const BELOW_ITSELF: &str = "to any of children category";

/// One request that changes a category.
struct Ready<'v> {
    scope: Scope<'v>,
    path: String,
    body: Value,
}

impl Magento {
    /// What became of a permit to change a category: one request, then all of it read back.
    pub(super) async fn write_category(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = async {
            let (root, views) = (self.category_root(ctx).await?, self.client.views(ctx).await?);
            Ok::<_, Error>((root, views))
        };
        let (root, views) = match ready.await {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let change = permit.change();
        let (id, ready) = match saving(change, root, &views) {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let call = Call { method: "PUT", scope: ready.scope, path: &ready.path };
        match self.send(ctx, call, &permit, &ready.body).await {
            Ok(()) => {}
            Err(Outcome::Refused(error)) if error.message.contains(BELOW_ITSELF) => {
                return Outcome::Refused(Error { kind: ErrorKind::Stale, ..error });
            }
            Err(outcome) => return outcome,
        }
        self.category_back(ctx, id).await
    }

    /// What became of a permit to make a category.
    pub(super) async fn make_category(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let (parent, name) = match self.making(ctx, permit.change()).await {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        match self.children_named(ctx, parent, &name).await {
            Ok(ids) if ids.is_empty() => {}
            Ok(_) => {
                let what = format!("a category `{}` is there already below {parent}", shown(&name, 80));
                return Outcome::Refused(Error::new(ErrorKind::Exists, what));
            }
            Err(error) => return Outcome::Refused(error),
        }
        let body =
            json!({"category": {"name": name, "parent_id": parent, "is_active": false, "include_in_menu": true}});
        let call = Call { method: "POST", scope: Scope::ALL, path: "categories" };
        let answer = match self.send_for(ctx, call, &permit, &body).await {
            Ok(answer) => answer,
            Err(Outcome::Refused(error)) if error.message.contains(TAKEN) => {
                // Of a request that came twice the second is refused: then the first has made it.
                return match self.children_named(ctx, parent, &name).await {
                    Ok(ids) if ids.is_empty() => Outcome::Refused(Error { kind: ErrorKind::Invalid, ..error }),
                    _ => Outcome::Unknown { learned: None, error },
                };
            }
            Err(outcome) => return outcome,
        };
        match answer.get("id").and_then(|id| typed::<Id>(id).ok()) {
            Some(id) => self.category_back(ctx, RemoteId::new("", id.0.to_string())).await,
            None => {
                let error = Error::new(ErrorKind::Broken, "a category was made, and the answer tells no id");
                Outcome::Unknown { learned: None, error }
            }
        }
    }

    /// The categories of this name right below a parent, or below the root.
    pub(super) async fn find_below(&self, ctx: &Ctx, parent: Option<&RemoteId>, name: &str) -> Result<Vec<Snapshot>> {
        let parent = match parent {
            Some(parent) => numeric(Kind::Category, parent)?,
            None => self.category_root(ctx).await?,
        };
        let ids = self.children_named(ctx, parent, name).await?;
        let ids: Vec<RemoteId> = ids.into_iter().map(|id| RemoteId::new("", id.to_string())).collect();
        let read = self.read_categories(ctx, &ids).await;
        read.into_iter().filter_map(Result::transpose).collect()
    }

    async fn children_named(&self, ctx: &Ctx, parent: u64, name: &str) -> Result<Vec<u64>> {
        let path = format!("categories?rootCategoryId={parent}&depth=1");
        let node: wire::Category = self.client.get_in(ctx, Scope::ALL, &path).await?;
        let named = |child: &&wire::Category| child.name.as_ref().is_some_and(|told| told.0.trim() == name.trim());
        Ok(node.children_data.iter().flatten().filter(named).map(|child| child.id.0).collect())
    }

    /// The id of the parent and the name of a category to be made.
    async fn making(&self, ctx: &Ctx, change: &Change) -> Result<(u64, String)> {
        let parent = match change.elements.get(&Category::parent_path()) {
            Some(id) => numeric(Kind::Category, &RemoteId::new("", id))?,
            None => self.category_root(ctx).await?,
        };
        let names: Vec<&LeafValue> =
            change.leaves.iter().filter(|(path, _)| locale_of(path).is_some()).filter_map(|(_, value)| value).collect();
        match names.as_slice() {
            [LeafValue::Text(name)] if !name.trim().is_empty() => Ok((parent, name.clone())),
            _ => Err(unsupported("a category is made with one name")),
        }
    }

    async fn category_back(&self, ctx: &Ctx, id: RemoteId) -> Outcome {
        let error = match self.read_categories(ctx, std::slice::from_ref(&id)).await.pop() {
            Some(Ok(Some(snapshot))) => return Outcome::Done(Box::new(snapshot)),
            Some(Err(error)) => error,
            Some(Ok(None)) | None => {
                Error::new(ErrorKind::Gone, format!("category {id} was written and is not there when read back"))
            }
        };
        Outcome::Unknown { learned: Some(id), error }
    }
}

/// The category a change is for, and the one request that makes it.
fn saving<'v>(change: &Change, root: u64, views: &'v Views) -> Result<(RemoteId, Ready<'v>)> {
    let (Some(id), Step::Update) = (&change.document, &change.step) else {
        return Err(unsupported("of categories only those that are there are written"));
    };
    let number = numeric(Kind::Category, id)?;
    let leaves: Vec<(&Path, Option<&LeafValue>)> = change.leaves.iter().collect();
    let [(path, value)] = leaves.as_slice() else {
        return Err(unsupported("a change of a category is one field"));
    };
    let plain = format!("categories/{number}");
    let ready = match (path.as_str(), value) {
        ("parent", Some(LeafValue::Code(_))) => moving(&plain, root),
        ("parent", Some(LeafValue::Ref(_))) => {
            let parent = change.elements.get(*path).ok_or_else(|| unsupported("a parent the shop does not know"))?;
            moving(&plain, numeric(Kind::Category, &RemoteId::new("", parent))?)
        }
        ("active", Some(LeafValue::Bool(active))) => {
            Ready { scope: Scope::ALL, path: plain, body: json!({"category": {"is_active": active}}) }
        }
        _ => {
            let locale =
                locale_of(path).ok_or_else(|| unsupported(&format!("`{path}` of a category is not written")))?;
            let scope = views.scope(locale).ok_or_else(|| {
                let what = format!("no store view shows `{}`", shown(locale, 20));
                map::invalid(format!("`{path}`: {what} (name one under `views`, or leave the locale out)"))
            })?;
            let Some(LeafValue::Text(name)) = value else {
                return Err(map::invalid(format!("`{path}`: {NAMELESS}")));
            };
            Ready { scope, path: plain, body: json!({"category": {"name": name}}) }
        }
    };
    Ok((id.clone(), ready))
}

/// A move below `parent`, behind its last child.
fn moving<'v>(category: &str, parent: u64) -> Ready<'v> {
    Ready { scope: Scope::ALL, path: format!("{category}/move"), body: json!({"parentId": parent}) }
}

/// The locale of a name's path.
fn locale_of(path: &Path) -> Option<&str> {
    path.as_str().strip_prefix("texts.")?.strip_suffix(".name")
}

/// The parts of a change that go in one request each. Names go locale by locale, that of the `main` one first; the place
/// goes with the first of them, for what is made is told both at once.
pub(super) fn split(leaves: &Leaves, main: Option<&str>) -> Vec<Leaves> {
    let mut names: BTreeMap<(bool, &str), Leaves> = BTreeMap::new();
    let mut others = Leaves::new();
    for (path, value) in leaves.iter() {
        match locale_of(path) {
            Some(locale) => names.entry((main != Some(locale), locale)).or_default().tell(path.clone(), value.cloned()),
            None => others.tell(path.clone(), value.cloned()),
        }
    }
    let mut parts: Vec<Leaves> = names.into_values().collect();
    match parts.first_mut() {
        Some(first) => *first = first.overlaid(&others),
        None => parts = others.iter().map(|(path, value)| one(path, value)).collect(),
    }
    parts
}

fn one(path: &Path, value: Option<&LeafValue>) -> Leaves {
    std::iter::once((path.clone(), value.cloned())).collect()
}

/// How the shop keeps a field of a category.
pub(super) fn fit(path: &Path, value: &LeafValue, keeping: &Keeping) -> Fit {
    match (locale_of(path), value) {
        (Some(_), LeafValue::Text(name)) => fit_text("name", name, keeping),
        _ => Fit::Exact,
    }
}
