//! The feed of prices: products and templates written since, and everything once where a price list has changed.

use super::read::{LONG_PAGE, PAGE, Search, ascending, cursor_of, id_of, moment_of, search, walk_of, written_since};
use super::rest::Tide;
use super::setup::Setup;
use super::{Tryton, map};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use syncline_connect::{Ctx, Cursor, Page, Result, Seen};
use syncline_core::kind::Kind;

/// What a pass asks of a product: when it and its template were written.
const TIMES: [&str; 4] = ["write_date", "create_date", "template.write_date", "template.create_date"];

impl Tryton {
    /// Prices that may have changed since `since`: those of products and templates written since. A list price has a
    /// record of its own that cannot be read, but whoever changes it writes the product or the template.
    pub(super) async fn prices_changed(&self, ctx: &Ctx, since: &Cursor) -> Result<Page> {
        let mut walk: PriceWalk = walk_of(since)?;
        let mut setup = self.setup(ctx).await?;
        if walk.tide.start.is_none() {
            walk.tide.start = Some(ctx.now());
            let lists = self.lists_now(ctx, &setup).await?;
            if walk.lists.as_ref() != Some(&lists) {
                setup = self.fresh_setup(ctx).await?;
                (walk.lists, walk.stage, walk.id) = (Some(lists), Stage::All, 0);
            }
        }
        loop {
            let wanted = Search { kind: Kind::Price, domain: walk.domain(), limit: PAGE, fields: &TIMES };
            let rows = search(&self.client, ctx, &setup, wanted).await?;
            walk.id = ascending(&rows, walk.id)?;
            rows.iter().for_each(|row| walk.tide.meet(moment_of(row)));
            let ended = rows.len() < PAGE && walk.next_stage(ctx.now());
            if rows.is_empty() && !ended {
                continue;
            }
            let ids: Vec<i64> = rows.iter().map(id_of).collect::<Result<_>>()?;
            let found = self.prices(ctx, &setup, &ids).await?;
            let seen = found.into_iter().map(|(id, snapshot)| Seen { id: map::remote(id), snapshot }).collect();
            return Ok(Page { seen, next: cursor_of(&walk)?, more: !ended });
        }
    }

    /// A text that differs once a price list or one of its lines was made, changed or deleted. A line that is deleted
    /// moves nothing, so all of them are looked at.
    async fn lists_now(&self, ctx: &Ctx, setup: &Setup) -> Result<String> {
        // A hasher of another release costs one more walk, nothing else.
        let mut hasher = DefaultHasher::new();
        let models = if setup.has_price_lists() { &["product.price_list", "product.price_list.line"][..] } else { &[] };
        for (model, retired) in models.iter().zip([json!([["active", "in", [true, false]]]), json!([])]) {
            let (mut last, mut full) = (0, true);
            while full {
                let mut domain = retired.as_array().cloned().unwrap_or_default();
                domain.push(json!(["id", ">", last]));
                let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], ["_timestamp"], setup.context()]);
                let rows: Vec<Value> = self.client.read(ctx, &format!("model.{model}.search_read"), params).await?;
                last = ascending(&rows, last)?;
                full = rows.len() == LONG_PAGE;
                for row in &rows {
                    let version = row.get("_timestamp").and_then(Value::as_str);
                    (model, id_of(row)?, version).hash(&mut hasher);
                }
            }
        }
        Ok(format!("{:016x}", hasher.finish()))
    }
}

/// What a walk goes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    /// Every product in use.
    All,
    /// Products written since: new ones, and those retired.
    #[default]
    Products,
    /// Products of templates written since.
    Families,
}

/// Where a walk through changed prices stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PriceWalk {
    /// The price lists when everything was last gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lists: Option<String>,
    #[serde(default)]
    stage: Stage,
    #[serde(flatten)]
    tide: Tide,
    /// The last id of this stage.
    #[serde(default)]
    id: i64,
}

impl PriceWalk {
    /// What the next page is searched by. What was retired has changed, too; a list within the domain would hide it.
    fn domain(&self) -> Vec<Value> {
        let mut domain = vec![json!(["id", ">", self.id]), json!(["code", "!=", null])];
        if self.stage != Stage::All {
            domain.push(json!(["active", "in", [true, false]]));
        }
        domain.extend(self.tide.since.filter(|_| self.stage != Stage::All).map(|since| match self.stage {
            Stage::Families => json!(["template", "where", [["active", "in", [true, false]], written_since(since)]]),
            _ => written_since(since),
        }));
        domain
    }

    /// Goes on to the next stage; true where the pass is over.
    fn next_stage(&mut self, now: Timestamp) -> bool {
        self.id = 0;
        let goes_on = self.stage == Stage::Products && self.tide.since.is_some();
        self.stage = if goes_on { Stage::Families } else { Stage::Products };
        if !goes_on {
            self.tide.end(now);
        }
        !goes_on
    }
}
