//! How the shop is laid out: its websites and store views with their settings, read once and kept.

use super::client::Client;
use super::map::Stores;
use super::products::Keeping;
use super::views::Views;
use super::website::{Bounds, Site};
use super::weight::Unit;
use super::wire;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use syncline_connect::{Ctx, Result};
use tokio::sync::Mutex;

/// Seconds after which the store views are read again for the texts of products.
const VIEWS_AGE_S: i64 = 600;

/// What the file says of the layout, and what was read of it.
#[derive(Debug)]
pub(super) struct Layout {
    /// Locale → code of the view, as the file has it.
    wanted: BTreeMap<String, String>,
    /// Code of the one website, as the file has it.
    website: Option<String>,
    in_pounds: AtomicBool,
    keeps_all: AtomicBool,
    bases: RwLock<BTreeSet<String>>,
    main: RwLock<Option<String>>,
    stores: Mutex<Option<Loaded>>,
}

impl Layout {
    /// The layout of which nothing was read yet.
    pub(super) fn new(wanted: BTreeMap<String, String>, website: Option<String>) -> Self {
        Self {
            wanted,
            website,
            in_pounds: AtomicBool::new(false),
            keeps_all: AtomicBool::new(false),
            bases: RwLock::default(),
            main: RwLock::default(),
            stores: Mutex::new(None),
        }
    }
}

/// The store table, and the views that were not in it even when it was read for their sake.
#[derive(Debug)]
struct Loaded {
    at: Timestamp,
    table: Arc<Stores>,
    views: Arc<Views>,
    site: Option<Arc<Site>>,
    unknown: BTreeSet<u64>,
}

impl Client {
    /// The table of store views; read once, and again for a view that is not in it.
    pub(super) async fn stores(&self, ctx: &Ctx, needed: &BTreeSet<u64>) -> Result<Arc<Stores>> {
        let mut held = self.layout.stores.lock().await;
        let mut unknown = BTreeSet::new();
        if let Some(loaded) = held.as_ref() {
            let missing = |id: &&u64| !loaded.table.knows(Some(wire::Id(**id))) && !loaded.unknown.contains(*id);
            if !needed.iter().any(|id| missing(&id)) {
                return Ok(Arc::clone(&loaded.table));
            }
            unknown = needed.iter().filter(missing).chain(&loaded.unknown).copied().collect();
        }
        let loaded = self.load(ctx).await?;
        let table = Arc::clone(&loaded.table);
        unknown.extend(needed);
        unknown.retain(|id| !table.knows(Some(wire::Id(*id))));
        *held = Some(Loaded { unknown, ..loaded });
        Ok(table)
    }

    /// The locales of the store views; read again when that is old, or was found to be wrong.
    pub(super) async fn views(&self, ctx: &Ctx) -> Result<Arc<Views>> {
        let mut held = self.layout.stores.lock().await;
        if let Some(loaded) = held.as_ref()
            && ctx.now().duration_since(loaded.at).as_secs().abs() < VIEWS_AGE_S
        {
            return Ok(Arc::clone(&loaded.views));
        }
        let loaded = self.load(ctx).await?;
        let unknown = held.take().map(|old| old.unknown).unwrap_or_default();
        let unknown = unknown.into_iter().filter(|id| !loaded.table.knows(Some(wire::Id(*id)))).collect();
        let views = Arc::clone(&loaded.views);
        *held = Some(Loaded { unknown, ..loaded });
        Ok(views)
    }

    /// Has the store views read again before they are used the next time.
    pub(super) async fn forget_views(&self) {
        *self.layout.stores.lock().await = None;
    }

    async fn load(&self, ctx: &Ctx) -> Result<Loaded> {
        let (views, websites, configs) = self.setup(ctx).await?;
        let site = self.site_of(ctx, &views, &websites).await?;
        Ok(Loaded {
            at: ctx.now(),
            table: Arc::new(Stores::new(&views, &websites, &configs)),
            views: Arc::new(self.locales(&views, &configs, site.as_ref())),
            site: site.map(Arc::new),
            unknown: BTreeSet::new(),
        })
    }

    /// The one website that is looked at, as it was last read; none where that is the whole shop.
    pub(super) async fn site(&self, ctx: &Ctx) -> Result<Option<Arc<Site>>> {
        if self.layout.website.is_none() {
            return Ok(None);
        }
        self.views(ctx).await?;
        Ok(self.layout.stores.lock().await.as_ref().and_then(|loaded| loaded.site.clone()))
    }

    /// What a search for `resource` is to find.
    pub(super) async fn bounds(&self, ctx: &Ctx, resource: &str) -> Result<Bounds> {
        Ok(Bounds::new(self.site(ctx).await?, resource))
    }

    /// The website out of the shop's lists; which view a website begins with only its groups tell.
    pub(super) async fn site_of(
        &self,
        ctx: &Ctx,
        views: &[wire::StoreView],
        websites: &[wire::Website],
    ) -> Result<Option<Site>> {
        let Some(code) = &self.layout.website else { return Ok(None) };
        let groups: Vec<wire::StoreGroup> = self.get(ctx, "store/storeGroups").await?;
        Site::of(code, views, websites, &groups).map(Some)
    }

    /// The locales of these store views; the unit of weight and the currencies are kept.
    pub(super) fn locales(
        &self,
        views: &[wire::StoreView],
        configs: &[wire::StoreConfig],
        site: Option<&Site>,
    ) -> Views {
        let views = Views::new(views, configs, &self.layout.wanted, site);
        self.layout.in_pounds.store(views.unit == Unit::Pounds, Ordering::Relaxed);
        views.bases.clone_into(&mut self.layout.bases.write().unwrap_or_else(PoisonError::into_inner));
        *self.layout.main.write().unwrap_or_else(PoisonError::into_inner) =
            views.main.as_ref().map(|main| main.0.clone());
        views
    }

    /// The currencies of base prices, as far as they were read.
    pub(super) fn bases(&self) -> BTreeSet<String> {
        self.layout.bases.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The locale that is read and written in the scope `all`, as far as it was read.
    pub(super) fn main_locale(&self) -> Option<String> {
        self.layout.main.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that a text of the shop holds a character of four bytes, so that it keeps such.
    pub(super) fn saw_all_characters(&self) {
        self.layout.keeps_all.store(true, Ordering::Relaxed);
    }

    /// How the shop keeps values, as far as that was read.
    pub(super) fn keeping(&self) -> Keeping {
        let unit = if self.layout.in_pounds.load(Ordering::Relaxed) { Unit::Pounds } else { Unit::default() };
        Keeping { unit, all_characters: self.layout.keeps_all.load(Ordering::Relaxed), ..Keeping::default() }
    }

    /// Store views, websites and the settings of each view.
    pub(super) async fn setup(
        &self,
        ctx: &Ctx,
    ) -> Result<(Vec<wire::StoreView>, Vec<wire::Website>, Vec<wire::StoreConfig>)> {
        let views = self.get(ctx, "store/storeViews").await?;
        let websites = self.get(ctx, "store/websites").await?;
        let configs = self.get(ctx, "store/storeConfigs").await?;
        Ok((views, websites, configs))
    }
}
