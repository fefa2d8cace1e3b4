//! Tryton 8.0: parties, categories, products, stock, prices, sales, shipments and invoices over JSON-RPC.

mod amend;
mod branches;
mod carried;
mod category;
mod client;
mod config;
mod credits;
mod drops;
mod family;
mod found;
mod images;
mod kits;
mod map;
mod notes;
mod paper_feed;
mod papers;
mod payments;
mod price;
mod price_feed;
mod probe;
mod product;
mod read;
mod reader;
mod rest;
mod setup;
mod stock;
#[cfg(test)]
mod tests;
mod whole;
mod wire;
mod wire_note;
mod wire_paper;
mod wire_party;
mod wire_price;
mod wire_product;
mod wire_stand;
mod withdraw;
mod write;

pub use config::{Carried, Config, SETTLE_S};

use client::Client;
use setup::Setup;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use syncline_connect::{Connector, Ctx, Cursor, Error, Fut, KeyPage, Lookup, Outcome, Page, Probe, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::{Fit, Profile};
use syncline_core::rules::Branch;

/// Seconds a set-up is trusted before a code it lacks makes us read it anew.
const SETUP_FRESH_S: i64 = 60;

/// One Tryton.
#[derive(Debug)]
pub struct Tryton {
    config: Config,
    client: Client,
    codes: map::Codes,
    profile: Profile,
    /// Of what is booked in each branch; the system's own stands under the one that says nothing.
    setups: tokio::sync::Mutex<BTreeMap<Branch, Arc<Setup>>>,
    /// The attributes of the set-up as it was last read.
    attributes: RwLock<Arc<map::Attributes>>,
    contents: images::Cache,
    /// By invoice: the warning a person would have to say yes to before it is posted.
    asked: Mutex<BTreeMap<i64, String>>,
    /// Invoices on which money is to be booked today, for its own day was refused a moment ago.
    late: Mutex<BTreeSet<i64>>,
}

impl Tryton {
    /// The Tryton of `config`. Nothing is sent yet; a wrong address shows with the first call.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let codes = map::Codes {
            shipping: config.shipping_product.clone(),
            rounding: config.rounding_product.clone(),
            adjustment: config.adjustment_product.clone(),
        };
        Self {
            client: Client::new(&config),
            profile: probe::best(&config),
            codes,
            config,
            setups: tokio::sync::Mutex::default(),
            attributes: RwLock::default(),
            contents: images::Cache::default(),
            asked: Mutex::default(),
            late: Mutex::default(),
        }
    }

    /// The set-up, read with the first call that needs it.
    async fn setup(&self, ctx: &Ctx) -> Result<Arc<Setup>> {
        self.setup_since(ctx, &Branch::default(), None).await
    }

    /// The set-up, read anew where it is older than a minute.
    async fn fresh_setup(&self, ctx: &Ctx) -> Result<Arc<Setup>> {
        self.fresh_setup_of(ctx, &Branch::default()).await
    }

    /// The same for what is booked in `branch`.
    async fn fresh_setup_of(&self, ctx: &Ctx, branch: &Branch) -> Result<Arc<Setup>> {
        let oldest = ctx.now().checked_sub(jiff::SignedDuration::from_secs(SETUP_FRESH_S)).ok();
        self.setup_since(ctx, branch, oldest).await
    }

    async fn setup_since(&self, ctx: &Ctx, branch: &Branch, oldest: Option<jiff::Timestamp>) -> Result<Arc<Setup>> {
        let mut kept = self.setups.lock().await;
        if let Some(setup) = kept.get(branch)
            && oldest.is_none_or(|oldest| setup.read_at > oldest)
        {
            return Ok(Arc::clone(setup));
        }
        let setup = Arc::new(setup::load(&self.client, ctx, &self.config, branch).await?);
        kept.insert(branch.clone(), Arc::clone(&setup));
        *self.attributes.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&setup.attributes);
        Ok(setup)
    }
}

impl Connector for Tryton {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn probe<'a>(&'a self, ctx: &'a Ctx) -> Fut<'a, Result<Probe>> {
        Box::pin(self.probed(ctx))
    }

    fn fit(&self, kind: Kind, path: &Path, value: &Value) -> Fit {
        if matches!(kind, Kind::Category | Kind::Variant | Kind::Product) {
            let attributes = Arc::clone(&self.attributes.read().unwrap_or_else(PoisonError::into_inner));
            return map::fit_product(path, value, &attributes);
        }
        map::fit(kind, path, value)
    }

    fn changes<'a>(&'a self, ctx: &'a Ctx, kind: Kind, since: &'a Cursor) -> Fut<'a, Result<Page>> {
        Box::pin(self.changed(ctx, kind, since))
    }

    fn keys<'a>(&'a self, ctx: &'a Ctx, kind: Kind, after: &'a Cursor) -> Fut<'a, Result<KeyPage>> {
        Box::pin(self.keys_after(ctx, kind, after))
    }

    fn read<'a>(&'a self, ctx: &'a Ctx, kind: Kind, ids: &'a [RemoteId]) -> Fut<'a, Vec<Result<Option<Snapshot>>>> {
        Box::pin(self.read_all(ctx, kind, ids))
    }

    fn find<'a>(&'a self, ctx: &'a Ctx, kind: Kind, by: &'a Lookup) -> Fut<'a, Result<Vec<Snapshot>>> {
        Box::pin(self.look(ctx, kind, by))
    }

    fn content<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        id: &'a RemoteId,
        path: &'a Path,
        most: usize,
    ) -> Fut<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            match kind {
                Kind::Variant => self.image(ctx, id, path, most).await,
                _ => Err(Error::new(ErrorKind::Unsupported, "only products have images")),
            }
        })
    }

    fn write<'a>(&'a self, ctx: &'a Ctx, permits: Vec<Permit>) -> Fut<'a, Vec<Outcome>> {
        Box::pin(self.carry_out(ctx, permits))
    }

    fn split(&self, kind: Kind, leaves: &Leaves) -> Vec<Leaves> {
        match kind {
            Kind::Category | Kind::Variant | Kind::Product => map::product_parts(leaves),
            _ => vec![leaves.clone()],
        }
    }

    fn pair(&self, change: &Change, snapshot: &Snapshot) -> Vec<(Path, String)> {
        map::pair(change, snapshot)
    }
}
