//! The shop's attributes, read once and kept, and a choice that is made before a product can have it.

use super::attributes::{Attribute, Attributes, Written, code_of, strange};
use super::client::{Call, Scope};
use super::products::Keeping;
use super::{Magento, wire};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::Permit;
use syncline_core::leaf::Leaves;
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

/// Seconds after which the attributes are read again.
const AGE_S: i64 = 600;

/// The attributes as they were last read.
#[derive(Debug, Default)]
pub(super) struct Cache(RwLock<Option<Loaded>>);

#[derive(Debug, Clone)]
struct Loaded {
    at: Timestamp,
    table: Arc<Attributes>,
    /// Choices that products have and the shop does not, even when it was asked for their sake.
    orphans: BTreeSet<(String, String)>,
}

impl Cache {
    /// What was read last; empty before anything was.
    pub(super) fn known(&self) -> Arc<Attributes> {
        self.loaded().map(|loaded| loaded.table).unwrap_or_default()
    }

    fn loaded(&self) -> Option<Loaded> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, loaded: Loaded) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    }

    /// The next look reads them anew. Until then they are what they were: who is reading a product at this moment would take one
    /// that is not known for one that the product does not tell.
    fn outdate(&self) {
        if let Some(loaded) = self.0.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            loaded.at = Timestamp::MIN;
        }
    }
}

impl Magento {
    /// Reads the attributes that are carried, where that is old or `docs` have choices that are not known yet.
    ///
    /// # Errors
    /// What the shop refuses.
    pub(super) async fn learn_attributes<'d>(
        &self,
        ctx: &Ctx,
        docs: impl Iterator<Item = &'d wire::Product>,
    ) -> Result<()> {
        if self.wanted.is_empty() {
            return Ok(());
        }
        let mut orphans = BTreeSet::new();
        if let Some(loaded) = self.options.loaded()
            && ctx.now().duration_since(loaded.at).as_secs().abs() < AGE_S
        {
            orphans = strange(docs, &loaded.table);
            if orphans.is_subset(&loaded.orphans) {
                return Ok(());
            }
            orphans.extend(loaded.orphans);
        }
        let mut table = Attributes::new();
        for code in &self.wanted {
            if let Ok(attribute) = self.attribute(ctx, code).await? {
                table.insert(code.clone(), attribute);
            }
        }
        self.options.keep(Loaded { at: ctx.now(), table: Arc::new(table), orphans });
        Ok(())
    }

    /// One attribute as the shop has it now; why it is not carried.
    ///
    /// # Errors
    /// What the shop refuses.
    pub(super) async fn attribute(&self, ctx: &Ctx, code: &str) -> Result<std::result::Result<Attribute, String>> {
        let path = format!("products/attributes/{}", encoded(code));
        match self.client.get_in::<wire::ProductAttribute>(ctx, Scope::ALL, &path).await {
            Ok(doc) => Ok(Attribute::new(&doc)),
            Err(error) if error.kind == ErrorKind::Gone => Ok(Err("the shop does not have it".to_owned())),
            Err(error) => Err(error),
        }
    }

    /// What became of `permit` where a choice it needs is not there yet: the choice is made in the place of the change,
    /// which is planned anew. None where nothing lacks.
    ///
    /// The shop keeps a second one of the same label away (recorded: attribute-option-add-again).
    pub(super) async fn made_choice(&self, ctx: &Ctx, permit: &Permit, keeping: &Keeping) -> Option<Outcome> {
        let (code, label) = match lacking(&permit.change().leaves, keeping) {
            Ok(lacking) => lacking?,
            Err(error) => return Some(Outcome::Refused(error)),
        };
        let path = format!("products/attributes/{}/options", encoded(&code));
        let body = json!({"option": {"label": label, "is_default": false}});
        let call = Call { method: "POST", scope: Scope::ALL, path: &path };
        let sent = self.send(ctx, call, permit, &body).await;
        self.options.outdate();
        let made = format!("the choice `{}` of `{code}` was made first", shown(&label, 40));
        Some(match sent {
            Ok(()) => Outcome::Refused(Error::new(ErrorKind::Stale, made)),
            Err(Outcome::Refused(error)) if error.message.contains("already exists") => {
                Outcome::Refused(Error { kind: ErrorKind::Stale, ..error })
            }
            Err(Outcome::Unknown { error, .. }) => {
                Outcome::Unknown { learned: permit.change().document.clone(), error }
            }
            Err(other) => other,
        })
    }
}

/// The first choice that `leaves` ask for and the shop does not have: code and label.
fn lacking(leaves: &Leaves, keeping: &Keeping) -> Result<Option<(String, String)>> {
    for (path, value) in leaves.iter() {
        let Some((code, attribute)) = code_of(path).and_then(|code| Some((code, keeping.attributes.get(code)?))) else {
            continue;
        };
        if let Written::Lacks(label) = attribute.written(code, value, keeping.all_characters)? {
            return Ok(Some((code.to_owned(), label)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_are_to_be_read_anew_are_known_until_they_were() {
        let cache = Cache::default();
        cache.outdate();
        assert!(cache.loaded().is_none());
        let doc = serde_json::from_value(json!({
            "attribute_code": "ean", "frontend_input": "text", "backend_type": "varchar", "default_frontend_label": "EAN",
            "is_user_defined": true, "scope": "global",
        }));
        let attribute = Attribute::new(&doc.unwrap()).unwrap();
        let table = Arc::new(Attributes::from([("ean".to_owned(), attribute)]));
        cache.keep(Loaded { at: Timestamp::UNIX_EPOCH, table, orphans: BTreeSet::new() });
        cache.outdate();
        assert!(cache.known().contains_key("ean"), "a product that is read now still tells it");
        assert_eq!(cache.loaded().unwrap().at, Timestamp::MIN);
    }
}
