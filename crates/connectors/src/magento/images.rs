//! Images of products: which a product shows, each known by the hash of its bytes.
//!
//! A product tells its entries without their bytes (recorded: sku-rename), a request for one entry tells them in base64
//! (recorded for the list of them: images-get). Ids of entries are never given twice and an entry keeps its file, so
//! bytes are read once in the life of a process. The name we give a file says what is in it, which spares reading what
//! came from us; before anything is written the bytes themselves are asked.

use super::client::Scope;
use super::products::no_slash;
use super::wire::{self, Entry};
use super::{Magento, map};
use futures::future::try_join_all;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use syncline_connect::base64::decoded;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Result};
use syncline_core::id::RemoteId;
use syncline_core::leaf::Value as LeafValue;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{IMAGE_LIMIT, Image, Sort, image_key};
use syncline_core::text::{cut, shown};

/// What is asked of a product for its images.
const FIELDS: &str = "sku,media_gallery_entries[id,media_type,label,position,disabled,types,file]";
/// Entries whose content is remembered; of more the first ones are read again when they are met again.
const MOST_KNOWN: usize = 100_000;
/// What an image must be: the types that Magento takes.
const TAKEN: [&str; 3] = ["image/png", "image/jpeg", "image/gif"];
/// Characters a label keeps (`catalog_product_entity_media_gallery_value.label` is a `varchar(255)`).
const LABEL_LIMIT: usize = 255;
/// How names of files that we upload begin.
const OURS: &str = "sl-";

/// The images of a product by their keys.
pub(super) type Images = BTreeMap<String, Image>;

/// What entries show, by their ids.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<BTreeMap<u64, Known>>);

/// What one entry shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    file: String,
    pub(super) key: String,
    pub(super) sort: Sort,
}

impl Cache {
    fn of(&self, entry: &Entry) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&entry.id.0).filter(|known| Some(&known.file) == entry.path()).cloned()
    }

    fn keep(&self, id: u64, known: Known) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KNOWN {
            all.pop_first();
        }
        all.insert(id, known);
    }
}

/// Whether the names of our own files are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// They are: nothing is written by what is read.
    Names,
    /// They are not: the bytes are asked.
    Bytes,
}

/// The answer to a question for the entries of a product.
#[derive(Debug, Deserialize)]
struct Gallery {
    #[serde(default)]
    media_gallery_entries: Option<Vec<Entry>>,
}

impl Magento {
    /// The images of products, by SKU; none of a product that cannot be asked for, or where images are not carried.
    ///
    /// # Errors
    /// What is no matter of one product.
    pub(super) async fn images_of<'s>(
        &self,
        ctx: &Ctx,
        skus: impl Iterator<Item = &'s str>,
        trust: Trust,
    ) -> Result<BTreeMap<String, Result<Option<Images>>>> {
        if !self.carries_images {
            return Ok(BTreeMap::new());
        }
        let one = async |sku: &str| {
            let told = match self.entries(ctx, sku).await {
                Ok(Some(entries)) => self.shown_by(ctx, sku, &entries, trust).await.map(|all| Some(images(&all))),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            match told {
                Err(error) if !matches!(error.kind, ErrorKind::Broken | ErrorKind::Invalid) => Err(error),
                told => Ok((sku.to_owned(), told)),
            }
        };
        Ok(try_join_all(skus.map(one)).await?.into_iter().collect())
    }

    /// The entries of a product that are images; none where there is no such product, or none that can be asked for.
    pub(super) async fn entries(&self, ctx: &Ctx, sku: &str) -> Result<Option<Vec<Entry>>> {
        let path = format!("products/{}?fields={FIELDS}", encoded(sku));
        match self.client.get_in::<Gallery>(ctx, Scope::ALL, &path).await {
            Ok(gallery) => {
                let all = gallery.media_gallery_entries.unwrap_or_default();
                Ok(Some(all.into_iter().filter(Entry::is_image).collect()))
            }
            Err(error) if error.kind == ErrorKind::Gone || no_slash(sku, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Each entry with what it shows.
    pub(super) async fn shown_by<'e>(
        &self,
        ctx: &Ctx,
        sku: &str,
        entries: &'e [Entry],
        trust: Trust,
    ) -> Result<Vec<(&'e Entry, Known)>> {
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            let named = || entry.path().filter(|_| trust == Trust::Names).and_then(|file| name_of(file)?.told(file));
            let known = match self.contents.of(entry).or_else(named) {
                Some(known) => known,
                None => self.learned(ctx, sku, entry).await?.0,
            };
            all.push((entry, known));
        }
        Ok(all)
    }

    /// What an entry shows, and its bytes. Of one whose bytes the shop cannot tell only that is known.
    async fn learned(&self, ctx: &Ctx, sku: &str, entry: &Entry) -> Result<(Known, Vec<u8>)> {
        let path = format!("products/{}/media/{}", encoded(sku), entry.id.0);
        let file = entry.path().cloned().unwrap_or_default();
        let told = match self.client.get_in::<Entry>(ctx, Scope::ALL, &path).await {
            Ok(whole) => whole.content.and_then(|content| decoded(&content.base64_encoded_data.0)),
            Err(error) if matches!(error.kind, ErrorKind::Gone | ErrorKind::Broken | ErrorKind::Invalid) => None,
            Err(error) => return Err(error),
        };
        let Some(bytes) = told.filter(|bytes| !bytes.is_empty()) else {
            let known = Known { file, key: format!("entry-{}", entry.id.0), sort: Sort::default() };
            return Ok((known, Vec::new()));
        };
        let known = Known { file, key: image_key(&bytes), sort: Sort::of(&bytes) };
        self.contents.keep(entry.id.0, known.clone());
        Ok((known, bytes))
    }

    /// The bytes of an image of a product; none where it is not there.
    pub(super) async fn image(&self, ctx: &Ctx, id: &RemoteId, path: &Path, most: usize) -> Result<Option<Vec<u8>>> {
        let Some(((key, _), entries)) = Image::at(path).zip(self.entries(ctx, &id.id).await?) else { return Ok(None) };
        let all = self.shown_by(ctx, &id.id, &entries, Trust::Bytes).await?;
        let Some((entry, _)) = all.into_iter().find(|(_, known)| known.key == key) else { return Ok(None) };
        let (_, bytes) = self.learned(ctx, &id.id, entry).await?;
        if bytes.len() > most {
            return Err(map::invalid(format!("`{path}` has {} bytes, {most} are carried", bytes.len())));
        }
        Ok(Some(bytes))
    }
}

/// The images that entries are. Of several with one content the oldest speaks for it.
pub(super) fn images(all: &[(&Entry, Known)]) -> Images {
    let mut images = Images::new();
    for (entry, known) in oldest_first(all) {
        let twice = twins(all, &known.key).is_some();
        images.entry(known.key.clone()).or_insert_with(|| Image {
            sort: known.sort.clone(),
            label: Some(entry.label.as_ref().map(|label| label.0.clone()).unwrap_or_default()),
            position: Some(entry.position.map_or(rust_decimal::Decimal::ZERO, |exact| exact.0)),
            roles: Some(entry.types.iter().flatten().map(|role| role.0.clone()).collect()),
            twice,
        });
    }
    images
}

/// The entries of an image, the oldest first.
pub(super) fn oldest_first<'a, 'e>(all: &'a [(&'e Entry, Known)]) -> Vec<&'a (&'e Entry, Known)> {
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by_key(|(entry, _)| entry.id.0);
    sorted
}

/// The entry that a repeated request of ours left beside the first one, where there is one: the same upload by its name,
/// with the same label and place. What people have changed since is theirs.
pub(super) fn twins<'e>(all: &[(&'e Entry, Known)], key: &str) -> Option<&'e Entry> {
    let of_image = oldest_first(all).into_iter().filter(|(_, known)| known.key == key);
    let ours: Vec<(&Entry, Name)> = of_image
        .filter_map(|(entry, _)| Some((*entry, name_of(entry.path()?)?)))
        .filter(|(_, n)| n.key == key)
        .collect();
    let same = |one: &(&Entry, Name), other: &(&Entry, Name)| {
        one.1.upload == other.1.upload && one.0.label == other.0.label && one.0.position == other.0.position
    };
    let (first, rest) = ours.split_first()?;
    let plays = |entry: &Entry| entry.types.iter().flatten().next().is_some();
    let twin = rest.iter().find(|other| same(first, other))?;
    // The roles stay with whom they are.
    Some(if plays(twin.0) && !plays(first.0) { first.0 } else { twin.0 })
}

/// What the name of a file of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    key: String,
    bytes: u64,
    /// Which upload it came with.
    upload: String,
    /// Its type by its ending.
    media: &'static str,
    /// Whether the shop added a number, because a file of that name was there.
    numbered: bool,
}

impl Name {
    /// What an entry with this file shows, as far as its name is believed; a numbered one may be anybody's.
    fn told(&self, file: &str) -> Option<Known> {
        let sort = Sort { media: self.media.to_owned(), bytes: self.bytes };
        (!self.numbered).then(|| Known { file: file.to_owned(), key: self.key.clone(), sort })
    }
}

/// The name of a file for one upload of an image: it says what is in it.
pub(super) fn name(key: &str, sort: &Sort, upload: &str) -> String {
    let ending = match sort.media.as_str() {
        "image/png" => "png",
        "image/gif" => "gif",
        _ => "jpg",
    };
    format!("{OURS}{key}-{}-{upload}.{ending}", sort.bytes)
}

/// What the name of `file` says; none where it is not ours.
fn name_of(file: &str) -> Option<Name> {
    let (stem, ending) = file.rsplit('/').next()?.rsplit_once('.')?;
    let media = match ending {
        "png" => "image/png",
        "gif" => "image/gif",
        "jpg" => "image/jpeg",
        _ => return None,
    };
    let mut parts = stem.strip_prefix(OURS)?.splitn(3, '-');
    let (key, bytes, rest) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let (upload, numbered) = rest.split_once('_').map_or((rest, false), |(upload, _)| (upload, true));
    (key.len() == image_key(b"").len()).then(|| Name {
        key: key.to_owned(),
        bytes,
        upload: upload.to_owned(),
        media,
        numbered,
    })
}

/// How the shop keeps a field of an image; none for what is no such field.
pub(super) fn fit(path: &Path, value: &LeafValue) -> Option<Fit> {
    let (_, field) = Image::at(path)?;
    Some(match (field, value) {
        ("", value) => match Sort::told(value) {
            Some(sort) if sort.bytes > IMAGE_LIMIT as u64 => {
                Fit::Refused(format!("it has {} bytes, and at most {IMAGE_LIMIT} are carried", sort.bytes))
            }
            Some(sort) if !TAKEN.contains(&sort.media.as_str()) => {
                Fit::Refused(format!("it is {}, and Magento takes PNG, JPEG and GIF", shown(&value.to_string(), 60)))
            }
            Some(_) => Fit::Exact,
            None => Fit::Refused("an image is chosen by a side, not by a value".to_owned()),
        },
        ("label", LeafValue::Text(label)) => match cut(label, LABEL_LIMIT) {
            Some(short) => Fit::As(LeafValue::Text(short), format!("cut to {LABEL_LIMIT} characters")),
            None => Fit::Exact,
        },
        ("position", LeafValue::Number(place)) if place.is_integer() && !place.is_sign_negative() => Fit::Exact,
        ("roles", LeafValue::Text(_)) => Fit::Exact,
        _ => Fit::Refused("an image has no such field here".to_owned()),
    })
}

/// What was told of the images of a product.
pub(super) fn told_of(told: &BTreeMap<String, Result<Option<Images>>>, sku: &wire::Text) -> Result<Option<Images>> {
    told.get(&sku.0).cloned().unwrap_or(Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_what_is_in_it() {
        let (key, sort) = (image_key(b"one"), Sort { media: "image/png".to_owned(), bytes: 68 });
        let file = format!("/s/l/{}", name(&key, &sort, "17x2"));
        let said = name_of(&file).unwrap();
        assert_eq!(
            (said.key.as_str(), said.bytes, said.upload.as_str(), said.numbered),
            (key.as_str(), 68, "17x2", false)
        );
        let again = name_of(&file.replace(".png", "_1.png")).unwrap();
        assert_eq!((again.upload, again.numbered), (said.upload, true));
        for other in ["/l/a/lamp_1.png", "/s/l/sl-lamp.png", "sl-", "/s/l/sl-12-3-4.png"] {
            assert_eq!(name_of(other), None, "{other}");
        }
    }
}
