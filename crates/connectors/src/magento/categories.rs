//! Categories: the tree below one root, read with the names of every locale in one request for each store view.
//!
//! A tree tells what a view calls its categories (`Magento\\Catalog\\Model\\Category\\Tree` sets the store of the path) and
//! what is hidden, but no time; so it is read whole each time, and what is as it was is dropped.

use super::client::Scope;
use super::rows::{evidence_of, shape};
use super::views::Views;
use super::wire::StoreGroup;
use super::wire_category as wire;
use super::{Magento, numeric};
use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Cursor, Error, KeyPage, Page, Result, Seen, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Category, Parent, Record, Texts};
use syncline_core::text::shown;

/// Categories that are asked for one by one; of more the whole tree is.
const ONE_BY_ONE: usize = 4;
/// What is asked of one category.
const FIELDS: &str = "id,parent_id,name,is_active,path";

/// One category in the scope `all`, with its names by the other locales.
struct Found {
    id: u64,
    parent: u64,
    active: bool,
    texts: BTreeMap<String, Texts>,
    told: Value,
}

impl Found {
    fn snapshot(self, root: u64) -> Snapshot {
        let id = RemoteId::new("", self.id.to_string());
        let parent = match self.parent {
            top if top == root => Parent::Top,
            above => Parent::Below(Ref::remote(Kind::Category, RemoteId::new("", above.to_string()))),
        };
        let (parent, active) = (Some(parent), Some(self.active));
        let record = Category { parent, active, texts: self.texts, ..Category::default() };
        let evidence = Some(evidence_of("categories", &self.told));
        Snapshot {
            id: id.clone(),
            mark: None,
            found_by: None,
            version: None,
            records: vec![(id, Record::Category(record))],
            evidence,
        }
    }
}

impl Magento {
    /// Every category below the root, as one page.
    pub(super) async fn category_feed(&self, ctx: &Ctx, since: &Cursor) -> Result<Page> {
        let root = self.category_root(ctx).await?;
        let seen = |found: Found| {
            let snapshot = found.snapshot(root);
            Seen { id: snapshot.id.clone(), snapshot: Ok(snapshot) }
        };
        let found = self.category_tree(ctx, root).await?;
        Ok(Page { seen: found.into_values().map(seen).collect(), next: since.clone(), more: false })
    }

    /// The key of every category below the root; the tree tells no versions.
    pub(super) async fn category_keys(&self, ctx: &Ctx, after: &Cursor) -> Result<KeyPage> {
        let root = self.category_root(ctx).await?;
        let mut ids = Vec::new();
        let tree = self.tree_in(ctx, Scope::ALL, root).await?;
        tree.walk(&mut |node| ids.push(node.id.0));
        ids.sort_unstable();
        let keys = ids.into_iter().filter(|id| *id != root).map(|id| (RemoteId::new("", id.to_string()), None));
        Ok(KeyPage { keys: keys.collect(), next: after.clone(), more: false })
    }

    /// The categories of these ids, in their order; none for one that is not below the root.
    pub(super) async fn read_categories(&self, ctx: &Ctx, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        let root = match self.category_root(ctx).await {
            Ok(root) => root,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        if ids.len() <= ONE_BY_ONE {
            let views = match self.client.views(ctx).await {
                Ok(views) => views,
                Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
            };
            return join_all(ids.iter().map(|id| self.read_category(ctx, root, &views, id))).await;
        }
        let mut found = match self.category_tree(ctx, root).await {
            Ok(found) => found,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        let one = |id: &RemoteId| numeric(Kind::Category, id).map(|id| found.remove(&id).map(|one| one.snapshot(root)));
        ids.iter().map(one).collect()
    }

    async fn read_category(&self, ctx: &Ctx, root: u64, views: &Views, id: &RemoteId) -> Result<Option<Snapshot>> {
        let path = format!("categories/{}?fields={FIELDS}", numeric(Kind::Category, id)?);
        let others = views.others.iter().map(async |view| {
            let value = self.category_in(ctx, Scope::view(&view.code), &path).await?;
            Ok::<_, Error>((view.locale.0.clone(), value.map(|(_, node)| texts(&node))))
        });
        let all = self.category_in(ctx, views.home(), &path);
        let (all, others) = futures::future::try_join(all, try_join_all(others)).await?;
        let Some((told, node)) = all.filter(|(_, node)| node.is_below(root)) else { return Ok(None) };
        let mut found = found(&node, told, views);
        found.texts.extend(others.into_iter().filter_map(|(locale, texts)| Some((locale, texts?))));
        Ok(Some(found.snapshot(root)))
    }

    async fn category_in(&self, ctx: &Ctx, scope: Scope<'_>, path: &str) -> Result<Option<(Value, wire::Category)>> {
        match self.client.get_in::<Value>(ctx, scope, path).await {
            Ok(value) => shape("categories", &value).map(|node| Some((value, node))),
            Err(error) if error.kind == ErrorKind::Gone => Ok(None),
            Err(error) => Err(self.without_view(error, ErrorKind::Busy).await),
        }
    }

    /// Every category below `root`, by id.
    async fn category_tree(&self, ctx: &Ctx, root: u64) -> Result<BTreeMap<u64, Found>> {
        let views = self.client.views(ctx).await?;
        let others = views.others.iter().map(async |view| {
            let tree = self.tree_in(ctx, Scope::view(&view.code), root).await?;
            Ok::<_, Error>((view.locale.0.clone(), tree))
        });
        let all = self.tree_in(ctx, views.home(), root);
        let (all, others) = futures::future::try_join(all, try_join_all(others)).await?;
        let mut tree = BTreeMap::new();
        all.walk(&mut |node| {
            let name = node.name.as_ref().map(|name| name.0.as_str());
            let told = json!({"id": node.id.0, "parent_id": node.parent_id.0, "name": name});
            tree.insert(node.id.0, found(node, told, &views));
        });
        tree.remove(&root);
        for (locale, other) in others {
            other.walk(&mut |node| {
                if let Some(found) = tree.get_mut(&node.id.0) {
                    found.texts.insert(locale.clone(), texts(node));
                }
            });
        }
        Ok(tree)
    }

    async fn tree_in(&self, ctx: &Ctx, scope: Scope<'_>, root: u64) -> Result<wire::Category> {
        let path = format!("categories?rootCategoryId={root}");
        match self.client.get_in::<Value>(ctx, scope, &path).await {
            Ok(value) => shape("categories", &value),
            Err(error) if error.kind == ErrorKind::Gone => {
                self.root.lock().await.take();
                let what = format!("the shop has no category {root} any more that all others stood below");
                Err(Error { kind: ErrorKind::Config, message: what, ..error })
            }
            Err(error) => Err(self.without_view(error, ErrorKind::Busy).await),
        }
    }

    /// The category the ERP's top ones stand below: the one the file names, else the root of the website's
    /// default store, or of the shop's first.
    pub(super) async fn category_root(&self, ctx: &Ctx) -> Result<u64> {
        let mut kept = self.root.lock().await;
        if let Some(root) = *kept {
            return Ok(root);
        }
        let root = match &self.root_name {
            Some(name) => self.root_named(ctx, name).await?,
            None => {
                let groups: Vec<StoreGroup> = self.client.get(ctx, "store/storeGroups").await?;
                let site = self.client.site(ctx).await?;
                let own = |group: &&StoreGroup| site.as_ref().is_none_or(|site| Some(group.id) == site.group);
                let roots = groups.iter().filter(|group| group.id.0 != 0).filter(own).min_by_key(|group| group.id);
                let none = || Error::new(ErrorKind::Config, "magento: the shop has no store, so no root of categories");
                roots.and_then(|group| Some(group.root_category_id?.0)).ok_or_else(none)?
            }
        };
        *kept = Some(root);
        Ok(root)
    }

    /// The one category that is called so, or has this id.
    async fn root_named(&self, ctx: &Ctx, name: &str) -> Result<u64> {
        let tree: wire::Category = self.client.get_in(ctx, Scope::ALL, "categories?rootCategoryId=1").await?;
        let (mut by_id, mut by_name) = (None, Vec::new());
        tree.walk(&mut |node| {
            by_id = by_id.or((node.id.0.to_string() == name).then_some(node.id.0));
            if node.name.as_ref().is_some_and(|told| told.0 == name) {
                by_name.push(node.id.0);
            }
        });
        match (by_id, by_name.as_slice()) {
            (Some(id), []) => Ok(id),
            (None, [id]) => Ok(*id),
            (None, []) => {
                let what =
                    format!("magento: `category_root` is `{}`, and the shop has no such category", shown(name, 60));
                Err(Error::new(ErrorKind::Config, what))
            }
            _ => {
                let ids: Vec<String> = by_id.iter().chain(&by_name).map(u64::to_string).collect();
                let (name, ids) = (shown(name, 60), ids.join(", "));
                let what = format!(
                    "magento: several categories are called `{name}`: give `category_root` the id of one ({ids})"
                );
                Err(Error::new(ErrorKind::Config, what))
            }
        }
    }
}

/// A category as the scope `all` tells it.
fn found(node: &wire::Category, told: Value, views: &Views) -> Found {
    let main = views.main.iter().map(|main| (main.0.clone(), texts(node)));
    let active = node.is_active.as_ref().is_some_and(|flag| flag.0);
    Found { id: node.id.0, parent: node.parent_id.0, active, texts: main.collect(), told }
}

fn texts(node: &wire::Category) -> Texts {
    Texts { name: Some(node.name.as_ref().map(|name| name.0.clone()).unwrap_or_default()), description: None }
}
