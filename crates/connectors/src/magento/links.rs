//! Which products stand in which categories: single links, so that what else stands there stays.

use super::client::{Call, Scope};
use super::{Magento, unsupported};
use serde_json::{Value, json};
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Value as LeafValue;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Variant;

/// What the shop says where a product that is taken out of a category stands in it no more.
const NOT_THERE: &str = "doesn't contain the specified product";

/// A link to be made, or taken away.
pub(super) struct Link {
    sku: RemoteId,
    category: String,
    there: bool,
}

/// The link that a change of a product makes or takes away; none where it is about something else.
pub(super) fn link(change: &Change) -> Option<Result<Link>> {
    let mut leaves = change.leaves.iter();
    let (path, value) = leaves.next()?;
    Variant::category_of(path)?;
    let alone = || unsupported("a change of a product's categories is one link");
    let mut made = || {
        let (Some(sku), None) = (&change.document, leaves.next()) else { return Err(alone()) };
        let category = change.elements.get(path).ok_or_else(|| unsupported("a category the shop does not know"))?;
        let there = match value {
            Some(LeafValue::Bool(true)) => true,
            None => false,
            Some(_) => return Err(alone()),
        };
        Ok(Link { sku: sku.clone(), category: category.clone(), there })
    };
    Some(made())
}

impl Magento {
    /// What became of a permit to put a product into a category, or to take it out; then all of it read back.
    pub(super) async fn write_link(&self, ctx: &Ctx, permit: Permit, link: Result<Link>) -> Outcome {
        let Link { sku, category, there } = match link {
            Ok(link) => link,
            Err(error) => return Outcome::Refused(error),
        };
        let (method, path, body) = match there {
            true => {
                let link = json!({"productLink": {"sku": sku.id, "position": 0, "category_id": category}});
                ("POST", format!("categories/{category}/products"), link)
            }
            false => ("DELETE", format!("categories/{category}/products/{}", encoded(&sku.id)), Value::Null),
        };
        let call = Call { method, scope: Scope::ALL, path: &path };
        match self.send(ctx, call, &permit, &body).await {
            Ok(()) => {}
            Err(Outcome::Refused(error)) if error.message.contains(NOT_THERE) => {
                return Outcome::Refused(Error { kind: ErrorKind::Stale, ..error });
            }
            Err(outcome) => return outcome,
        }
        self.shown_back(ctx, Kind::Variant, &sku, "is not there when read back")
            .await
            .unwrap_or_else(|error| Outcome::Unknown { learned: Some(sku), error })
    }
}
