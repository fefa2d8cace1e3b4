//! Images of products, where module `product_image` is activated: read with their bytes, each known by the hash of them.
//!
//! By that module's source (`trytond_product_image` 8.0.0, `product.py`) and recorded: an image belongs to a template and
//! may be for one variant of it. Whatever is uploaded is made a JPEG, so that what is read back is never what was sent:
//! nothing is written. `_timestamp` moves with every write of an image, so that bytes are read once in the life of a process.

use super::read::{LONG_PAGE, ascending, typed};
use super::setup::Setup;
use super::wire::{Edited, VariantRow};
use super::{Tryton, map};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use syncline_connect::base64::decoded;
use syncline_connect::{Ctx, Error, Result};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Changed, IMAGE_LIMIT, Image, Sort, image_key};

/// The module that images come with.
pub(super) const MODULE: &str = "product_image";
const FIELDS: [&str; 9] = [
    "template",
    "product",
    "sequence",
    "image",
    "_timestamp",
    "write_date",
    "create_date",
    "write_uid.rec_name",
    "create_uid.rec_name",
];
/// Images whose content is remembered; of more the first ones are read again when they are met again.
const MOST_KNOWN: usize = 100_000;

/// `product.image`, asked for its size in the place of its bytes.
#[derive(Debug, Clone, Deserialize)]
struct ImageRow {
    id: i64,
    template: Option<i64>,
    product: Option<i64>,
    sequence: Option<i64>,
    #[serde(rename = "image")]
    size: Option<u64>,
    #[serde(flatten)]
    edited: Edited,
}

/// Bytes as Tryton writes them.
#[derive(Debug, Deserialize)]
struct Bytes {
    base64: String,
}

/// The same for the bytes of one.
#[derive(Debug, Deserialize)]
struct BytesRow {
    image: Option<Bytes>,
}

/// What images show, by their ids, as long as their `_timestamp` stands.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<BTreeMap<i64, (String, String, Sort)>>);

impl Cache {
    fn of(&self, row: &ImageRow) -> Option<(String, Sort)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, key, sort) = known.get(&row.id)?;
        (Some(version) == row.edited.version.as_ref()).then(|| (key.clone(), sort.clone()))
    }

    fn keep(&self, row: &ImageRow, key: &str, sort: &Sort) {
        let Some(version) = row.edited.version.clone() else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KNOWN {
            all.pop_first();
        }
        all.insert(row.id, (version, key.to_string(), sort.clone()));
    }
}

/// The images of one variant and when one of them was last written, and by whom.
#[derive(Debug, Clone, Default)]
pub(super) struct Images {
    pub(super) all: BTreeMap<String, Image>,
    pub(super) changed: Changed,
}

impl Tryton {
    /// The images of products, by their ids; none at all where they are not carried, or the module is not there.
    pub(super) async fn images_of(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        products: &[&VariantRow],
    ) -> Result<BTreeMap<i64, Images>> {
        if !self.config.images || !setup.modules.contains(MODULE) || products.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = self.image_rows(ctx, setup, products).await?;
        let mut told: BTreeMap<i64, Images> = BTreeMap::new();
        for product in products {
            let images = told.entry(product.id).or_default();
            for row in rows.iter().filter(|row| row.is_of(product)) {
                let (key, sort) = match self.contents.of(row) {
                    Some(known) => known,
                    None => self.learned(ctx, setup, row).await?.0,
                };
                let position = Some(row.sequence.unwrap_or(0).into());
                images.all.entry(key).or_insert_with(|| Image { sort, position, ..Image::default() });
                if row.edited.times.moment() > images.changed.at {
                    images.changed = Changed { at: row.edited.times.moment(), by: map::by(&row.edited) };
                }
            }
        }
        Ok(told)
    }

    /// The rows of the images of products, in Tryton's order: those without a place first.
    async fn image_rows(&self, ctx: &Ctx, setup: &Setup, products: &[&VariantRow]) -> Result<Vec<ImageRow>> {
        let ids: BTreeSet<i64> = products.iter().map(|product| product.id).collect();
        let templates: BTreeSet<i64> = products.iter().map(|product| product.template.id).collect();
        let mut context = setup.context();
        context["product.image.image"] = json!("size");
        let (mut rows, mut last) = (Vec::new(), 0);
        loop {
            let of_family = json!([["template", "in", templates], ["product", "=", null]]);
            let domain = json!([["OR", ["product", "in", ids], of_family], ["id", ">", last]]);
            let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], FIELDS, context]);
            let found: Vec<Value> = self.client.read(ctx, "model.product.image.search_read", params).await?;
            last = ascending(&found, last)?;
            for row in &found {
                rows.push(typed::<ImageRow>(row, "image")?);
            }
            if found.len() < LONG_PAGE {
                rows.sort_by_key(|row| (row.sequence, row.id));
                return Ok(rows);
            }
        }
    }

    /// What an image shows, and its bytes. One that is larger than what is carried is not asked for.
    async fn learned(&self, ctx: &Ctx, setup: &Setup, row: &ImageRow) -> Result<((String, Sort), Vec<u8>)> {
        let size = row.size.unwrap_or(0);
        let unread = (format!("image-{}", row.id), Sort { media: String::new(), bytes: size });
        if size == 0 || size > IMAGE_LIMIT as u64 {
            return Ok((unread, Vec::new()));
        }
        let params = json!([[row.id], ["image"], setup.context()]);
        let found: Vec<BytesRow> = match self.client.read(ctx, "model.product.image.read", params).await {
            // Taken away since it was listed: the next look does not list it.
            Err(error) if error.kind == ErrorKind::Gone => return Ok((unread, Vec::new())),
            answer => answer?,
        };
        let bytes = found.into_iter().next().and_then(|row| row.image).and_then(|bytes| decoded(&bytes.base64));
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok((unread, Vec::new())) };
        let (key, sort) = (image_key(&bytes), Sort::of(&bytes));
        self.contents.keep(row, &key, &sort);
        Ok(((key, sort), bytes))
    }

    /// The bytes of an image of a product; none where it is not there.
    pub(super) async fn image(&self, ctx: &Ctx, id: &RemoteId, path: &Path, most: usize) -> Result<Option<Vec<u8>>> {
        let setup = self.setup(ctx).await?;
        let Some((key, _)) = Image::at(path) else { return Ok(None) };
        let found = self.rows(ctx, &setup, Kind::Variant, &[map::number(id)?]).await?;
        let Some(product) = found.first() else { return Ok(None) };
        let product: VariantRow = typed(product, "product")?;
        for row in self.image_rows(ctx, &setup, &[&product]).await? {
            if self.contents.of(&row).is_some_and(|(known, _)| known != key) {
                continue;
            }
            let ((found, _), bytes) = self.learned(ctx, &setup, &row).await?;
            if found == key && bytes.len() <= most {
                return Ok(Some(bytes));
            }
            if found == key {
                let what = format!("`{path}` has {} bytes, {most} are carried", bytes.len());
                return Err(Error::new(ErrorKind::Invalid, what));
            }
        }
        Ok(None)
    }
}

impl ImageRow {
    /// Whether a product shows it: it is its own, or its template's and no other variant's.
    fn is_of(&self, product: &VariantRow) -> bool {
        match self.product {
            Some(own) => own == product.id,
            None => self.template == Some(product.template.id),
        }
    }
}
