//! The feed of papers: documents written since, then those of which a move, a line or a parcel was; then the same for what
//! suppliers send.

use super::papers::{below, fields, lists};
use super::read::{PAGE, ascending, changed_since, cursor_of, model, moment_of, scope, walk_of};
use super::rest::Tide;
use super::setup::Setup;
use super::{Tryton, drops};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncline_connect::{Ctx, Cursor, Page, Result};
use syncline_core::kind::Kind;

impl Tryton {
    /// Papers that may have changed since `since`. Posting, paying and shipping write the document; a parcel that gets its
    /// number later and a move that is split or cancelled do not. A parcel that is taken away by itself moves nothing: a
    /// sweep finds it by the version.
    pub(super) async fn papers_changed(&self, ctx: &Ctx, kind: Kind, since: &Cursor) -> Result<Page> {
        let setups = self.looked_at(ctx, kind).await?;
        let setup = self.setup(ctx).await?;
        let (lists, fields, dropped) = (lists(kind, &setup), fields(kind, &setup), drops::fields());
        let tells_drops = kind == Kind::Shipment && drops::are_told(&setup);
        let mut walk: PaperWalk = walk_of(since)?;
        walk.tide.start.get_or_insert(ctx.now());
        loop {
            let domain = |setup: &Setup| walk.domain(kind, setup, lists);
            let (model, asked) = match walk.drops {
                true => (drops::MODEL, &dropped),
                false => (model(kind)?, &fields),
            };
            let (mut rows, full) = self.across_in(ctx, &setups, (model, walk.id, PAGE), &domain, asked).await?;
            walk.id = ascending(&rows, walk.id)?;
            rows.iter().for_each(|row| walk.tide.meet(latest(row, lists)));
            if walk.drops {
                rows = drops::below_nothing(rows)?;
            }
            let ended = !full && walk.next_stage(lists.len(), tells_drops, ctx.now());
            if rows.is_empty() && !ended {
                continue;
            }
            let seen = self.papers_told(ctx, &setup, kind, &rows).await?;
            return Ok(Page { seen, next: cursor_of(&walk)?, more: !ended });
        }
    }
}

/// When a document was last written, or anything below it.
fn latest(row: &Value, lists: &[&str]) -> Option<Timestamp> {
    let inner = lists.iter().flat_map(|list| below(row, list)).filter_map(moment_of).max();
    moment_of(row).max(inner)
}

/// Where a walk through changed papers stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PaperWalk {
    /// The list below whose changes are looked for, counted from one; none for the documents' own.
    #[serde(default)]
    list: usize,
    /// Whether it walks through what suppliers send, which comes last.
    #[serde(default)]
    drops: bool,
    #[serde(flatten)]
    tide: Tide,
    /// The last id of this stage.
    #[serde(default)]
    id: i64,
}

impl PaperWalk {
    /// What the next page is searched by.
    fn domain(&self, kind: Kind, setup: &Setup, lists: &[&str]) -> Vec<Value> {
        let mut domain = scope(kind, setup, true);
        domain.push(json!(["id", ">", self.id]));
        let list = self.list.checked_sub(1).and_then(|at| lists.get(at));
        domain.extend(self.tide.since.map(|since| match list {
            Some(list) => json!([list, "where", changed_since(since)]),
            None => changed_since(since),
        }));
        domain
    }

    /// Goes on to the next stage; true where the pass is over. The first one of all met everything at once. What suppliers send
    /// has moves and no parcels.
    fn next_stage(&mut self, lists: usize, tells_drops: bool, now: Timestamp) -> bool {
        self.id = 0;
        let lists = if self.drops { lists.min(1) } else { lists };
        if self.tide.since.is_some() && self.list < lists {
            self.list += 1;
            return false;
        }
        self.list = 0;
        self.drops = tells_drops && !self.drops;
        if self.drops {
            return false;
        }
        self.tide.end(now);
        true
    }
}
