//! Any JSON API: products over the endpoints, pages and fields that the file describes.

mod client;
mod config;
mod feed;
mod many;
mod map;
mod profile;
mod read;
#[cfg(test)]
mod tests;
mod wire;
mod write;

pub use config::{Auth, Config, SETTLE_S};

use client::Client;
use std::collections::BTreeMap;
use syncline_connect::json_api::{Form, Resource};
use syncline_connect::{
    Choice, Connector, Ctx, Cursor, Error, Fut, KeyPage, Lookup, Outcome, Page, Probe, Result, Snapshot,
};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::{Fit, Profile};
use syncline_core::text::shown;

/// One JSON API.
#[derive(Debug)]
pub struct HttpJson {
    client: Client,
    profile: Profile,
    variants: Option<Resource>,
}

impl HttpJson {
    /// The API of `config`. Nothing is sent yet; a wrong address shows with the first call.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            client: Client::new(&config),
            profile: profile::profile(config.variants.as_ref()),
            variants: config.variants,
        }
    }

    /// How records of `kind` are described.
    fn resource(&self, kind: Kind) -> Result<&Resource> {
        let missing = || Error::new(ErrorKind::Unsupported, format!("the file describes no {} there", kind.plural()));
        self.variants.as_ref().filter(|_| kind == Kind::Variant).ok_or_else(missing)
    }

    /// What it can do, tried with its first product: what the file says of reading and finding one has to hold before
    /// anything is written by it.
    async fn probed(&self, ctx: &Ctx) -> Result<Probe> {
        let mut probe = Probe {
            version: "not told".to_owned(),
            profile: self.profile.clone(),
            scopes: Vec::new(),
            zone: None,
            choices: BTreeMap::from([("attributes".to_owned(), attributes(self.variants.as_ref()))]),
            warnings: Vec::new(),
        };
        let Some(resource) = &self.variants else { return Ok(probe) };
        let page = self.changed(ctx, resource, &Cursor::default()).await?;
        let unread: Vec<&Error> = page.seen.iter().filter_map(|seen| seen.snapshot.as_ref().err()).collect();
        if let Some(error) = unread.first() {
            let (some, all) = (unread.len(), page.seen.len());
            probe.warnings.push(format!("{some} of the first {all} products cannot be read: {}", error.message));
        }
        let Some(first) = page.seen.iter().find_map(|seen| seen.snapshot.as_ref().ok()) else {
            probe
                .warnings
                .push("it lists no product that can be read: how one is read and found was not tried".to_owned());
            return Ok(probe);
        };
        self.tried(ctx, resource, first).await?;
        if resource.since.is_none() {
            probe.warnings.push("the file names no `since`: every look reads the whole list of products".to_owned());
        }
        Ok(probe)
    }

    /// Refuses a file by which a product that is listed can neither be read nor found.
    async fn tried(&self, ctx: &Ctx, resource: &Resource, first: &Snapshot) -> Result<()> {
        let wrong = |what: String| Err(Error::new(ErrorKind::Config, what));
        if resource.read.is_some() && self.one(ctx, resource, &first.id).await?.is_none() {
            let id = shown(&first.id.id, 60);
            return wrong(format!(
                "`{id}` is listed and is not there where `read` says: mend `id` or `read` in the file"
            ));
        }
        let Some(sku) = read::sku_of(first).filter(|_| resource.find.is_some()) else { return Ok(()) };
        if self.found(ctx, resource, &sku).await?.iter().any(|found| found.id == first.id) {
            return Ok(());
        }
        wrong(format!(
            "the product `{}` is listed and `find` does not bring it: mend `find` in the file",
            shown(&sku, 60)
        ))
    }
}

/// The attributes that are described, each with what it holds.
fn attributes(resource: Option<&Resource>) -> Vec<Choice> {
    let fields = resource.iter().flat_map(|resource| &resource.fields);
    let told = fields.filter_map(|(leaf, field)| {
        let code = leaf.path().as_str().strip_prefix("attributes.")?.to_owned();
        let hint = match field.form(leaf) {
            Form::Text => "text",
            Form::Bool => "yes-no",
            Form::Number | Form::NumberText | Form::Minor => "number",
        };
        Some(Choice { code, title: field.at.as_ref()?.to_string(), hint: hint.to_owned() })
    });
    told.collect()
}

impl Connector for HttpJson {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn probe<'a>(&'a self, ctx: &'a Ctx) -> Fut<'a, Result<Probe>> {
        Box::pin(self.probed(ctx))
    }

    fn fit(&self, kind: Kind, path: &Path, value: &Value) -> Fit {
        match self.resource(kind) {
            Ok(resource) => map::fit(resource, path, value),
            Err(error) => Fit::Refused(error.message),
        }
    }

    fn changes<'a>(&'a self, ctx: &'a Ctx, kind: Kind, since: &'a Cursor) -> Fut<'a, Result<Page>> {
        Box::pin(async move {
            match self.resource(kind) {
                Ok(resource) => self.changed(ctx, resource, since).await,
                // Categories and families flow with products; of those it has none there is nothing to tell.
                Err(_) if kind.of_catalogue() => Ok(Page { seen: Vec::new(), next: Cursor::default(), more: false }),
                Err(error) => Err(error),
            }
        })
    }

    fn keys<'a>(&'a self, ctx: &'a Ctx, kind: Kind, after: &'a Cursor) -> Fut<'a, Result<KeyPage>> {
        Box::pin(async move {
            match self.resource(kind) {
                Ok(resource) => self.keys_after(ctx, resource, after).await,
                Err(_) if kind.of_catalogue() => Ok(KeyPage { keys: Vec::new(), next: Cursor::default(), more: false }),
                Err(error) => Err(error),
            }
        })
    }

    fn read<'a>(&'a self, ctx: &'a Ctx, kind: Kind, ids: &'a [RemoteId]) -> Fut<'a, Vec<Result<Option<Snapshot>>>> {
        Box::pin(async move {
            match self.resource(kind) {
                Ok(resource) => self.some(ctx, resource, ids).await,
                Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
            }
        })
    }

    fn find<'a>(&'a self, ctx: &'a Ctx, kind: Kind, by: &'a Lookup) -> Fut<'a, Result<Vec<Snapshot>>> {
        Box::pin(async move {
            match (self.resource(kind)?, by) {
                (resource, Lookup::Number(sku)) => self.found(ctx, resource, sku).await,
                _ => Err(Error::new(
                    ErrorKind::Unsupported,
                    "products are found by their SKU there, and by nothing else",
                )),
            }
        })
    }

    fn content<'a>(
        &'a self,
        _: &'a Ctx,
        _: Kind,
        _: &'a RemoteId,
        _: &'a Path,
        _: usize,
    ) -> Fut<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async { Err(Error::new(ErrorKind::Unsupported, "no images are described there")) })
    }

    fn write<'a>(&'a self, ctx: &'a Ctx, permits: Vec<Permit>) -> Fut<'a, Vec<Outcome>> {
        Box::pin(async move {
            let Some(first) = permits.first() else { return Vec::new() };
            match self.resource(first.change().kind) {
                Ok(resource) => self.carry_out(ctx, resource, permits).await,
                Err(error) => permits.iter().map(|_| Outcome::Refused(error.clone())).collect(),
            }
        })
    }

    fn split(&self, _: Kind, leaves: &Leaves) -> Vec<Leaves> {
        vec![leaves.clone()]
    }

    fn pair(&self, _: &Change, _: &Snapshot) -> Vec<(Path, String)> {
        Vec::new()
    }
}
