//! Amends sales: one call at a time, each on what was just read, so that nothing is changed that has left or is in hand.

use super::Tryton;
use super::client::Failed;
use super::map;
use super::setup::Setup;
use super::wire_stand::AMEND_FIELDS;
use super::write::{document, effect, outcome};
use serde_json::json;
use std::sync::Arc;
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::Permit;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::rules::Branch;

/// The module whose amendments change lines of a sale that is processed.
pub(super) const MODULE: &str = "sale_amendment";

impl Tryton {
    /// What became of the next call that amends the sale of `permit`. Where nothing is left to do, none is made.
    pub(super) async fn amend(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let of_lines = change.leaves.iter().any(|(path, _)| path.within("lines").is_some());
        if of_lines && !self.can_amend_lines(ctx, setup).await.map_err(Outcome::Refused)? {
            let what = format!(
                "module `{MODULE}` is not activated in Tryton, and without it no line of a sale in process can be changed: \
                 activate it, or change sale {id} by hand"
            );
            return Err(Outcome::Refused(Error::new(ErrorKind::Invalid, what)));
        }
        let more: &[&'static str] = if of_lines { &AMEND_FIELDS } else { &[] };
        let row = self.standing(ctx, setup, id, more).await.map_err(Outcome::Refused)?;
        let next = map::amendment(&row, change).map_err(|wrong| Outcome::Refused(wrong.error))?;
        let Some(call) = next else { return Ok(self.one_back(ctx, setup, Kind::Order, id).await) };
        let versions: Vec<(&str, i64, &str)> =
            call.versions.iter().map(|(model, id, version)| (*model, *id, version.as_str())).collect();
        let context = setup.guarded_each(&versions);
        let params = match call.values {
            Some(values) => json!([call.ids, values, context]),
            None => json!([call.ids, context]),
        };
        if let Err(failed) = self.client.write(ctx, &call.method, params, effect(&[permit])).await {
            let overtaken = self.overtaken(ctx, setup, permit, (id, more), &failed).await;
            return Err(overtaken.map_or_else(|| outcome(&failed), Outcome::Refused));
        }
        Ok(self.one_back(ctx, setup, Kind::Order, id).await)
    }

    /// What stands in the way of a call that was refused, where people were quicker than it: Tryton says that a posted invoice
    /// cannot be modified before it looks at stamps.
    async fn overtaken(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        permit: &Permit,
        (id, more): (i64, &[&'static str]),
        failed: &Failed,
    ) -> Option<Error> {
        if !matches!(failed, Failed::Refused(error) if error.kind == ErrorKind::Invalid) {
            return None;
        }
        let row = self.standing(ctx, setup, id, more).await.ok()?;
        map::amendment(&row, permit.change()).err().map(|wrong| wrong.error)
    }

    /// Whether the module for lines is activated; where it was not it is asked again, for that is what the refusal asks of people.
    async fn can_amend_lines(&self, ctx: &Ctx, setup: &Setup) -> Result<bool> {
        let activated = |setup: &Setup| setup.modules.contains(MODULE);
        Ok(activated(setup) || activated(&*self.fresh_setup_of(ctx, &Branch::default()).await?))
    }
}
