//! The images of products as the shop's media gallery keeps them: entries with a file each, and who plays which role.
//!
//! Recorded: image-add, image-add-again, images-get. What else is here follows Magento's code, told apart where it
//! matters: a role belongs to a file by its path, so a further upload of the same name takes the roles of the first over
//! (recorded), and one of another name does not (`CreateHandler::processMediaAttribute`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Shop;
use super::reply::{Answer, Refusal};
use crate::base64::{base64, letters};
use crate::image::{print_of, sort_of};

/// The roles an image can play, as the shop lists them.
const ROLES: [&str; 4] = ["image", "small_image", "thumbnail", "swatch_image"];
/// What uploads may be; the shop takes no others.
const TAKEN: [&str; 3] = ["image/png", "image/jpeg", "image/gif"];

/// Where a request about images of a product goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MediaRoute {
    /// GET products/{sku}/media.
    List,
    /// POST products/{sku}/media.
    Add,
    /// GET products/{sku}/media/{entryId}.
    One(String),
    /// PUT products/{sku}/media/{entryId}.
    Save(String),
    /// DELETE products/{sku}/media/{entryId}.
    Remove(String),
}

impl MediaRoute {
    /// The route of a verb and the path after the SKU.
    pub(super) fn of(method: &str, rest: &[&str]) -> Option<Self> {
        match (method, rest) {
            ("GET", ["media"]) => Some(Self::List),
            ("POST", ["media"]) => Some(Self::Add),
            ("GET", ["media", id]) => Some(Self::One((*id).to_owned())),
            ("PUT", ["media", id]) => Some(Self::Save((*id).to_owned())),
            ("DELETE", ["media", id]) => Some(Self::Remove((*id).to_owned())),
            _ => None,
        }
    }
}

impl Shop {
    /// Adds an image to a product, as a person in the back office does: `name` is the file's. Its id there; none where there
    /// is no such product, or the shop takes no such file.
    pub fn add_image(&mut self, sku: &str, name: &str, bytes: &[u8], position: u32) -> Option<u64> {
        let content = json!({
            "base64_encoded_data": letters(bytes), "type": sort_of(bytes), "name": name,
        });
        let body = json!({"entry": {
            "media_type": "image", "label": null, "position": position, "disabled": false, "types": [], "content": content,
        }});
        let answer = self.products.images(sku, &MediaRoute::Add, &body).ok()?;
        answer.as_str()?.parse().ok()
    }

    /// Takes an image away from a product; false where it has none of that id.
    pub fn remove_image(&mut self, sku: &str, id: u64) -> bool {
        self.products.images(sku, &MediaRoute::Remove(id.to_string()), &Value::Null).is_ok()
    }
}

/// One image of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    id: u64,
    label: Value,
    position: Value,
    disabled: bool,
    file: String,
    content: Vec<u8>,
}

/// The images of one product, and by role the file that plays it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Gallery {
    entries: Vec<Entry>,
    roles: BTreeMap<&'static str, String>,
}

/// The images of every product by its id, and the files there are.
#[derive(Debug, Default)]
pub(super) struct Media {
    galleries: BTreeMap<u64, Gallery>,
    files: BTreeSet<String>,
    last: u64,
}

impl Media {
    /// What a request about the images of a product gives.
    pub(super) fn answer(&mut self, product: u64, route: &MediaRoute, body: &Value) -> Answer {
        match route {
            MediaRoute::List => Ok(self.told(product, true)),
            MediaRoute::Add => self.add(product, &body["entry"]).map(|id| json!(id.to_string())),
            MediaRoute::One(id) => {
                let gallery = self.galleries.get(&product).ok_or_else(no_entry)?;
                let entry = gallery.entries.iter().find(|entry| entry.id.to_string() == *id);
                Ok(entry.map(|entry| gallery.tell(entry, true)).ok_or_else(no_entry)?)
            }
            MediaRoute::Save(id) => self.save(product, id, &body["entry"]),
            MediaRoute::Remove(id) => match self.remove(product, id) {
                true => Ok(json!(true)),
                false => Err(no_entry()),
            },
        }
    }

    /// The images of a product in the shop's order; with their content, as only requests for them tell it.
    pub(super) fn told(&self, product: u64, content: bool) -> Value {
        let gallery = self.galleries.get(&product);
        gallery
            .map_or_else(|| json!([]), |gallery| gallery.sorted().map(|entry| gallery.tell(entry, content)).collect())
    }

    /// The same for the ledger: what each shows, told by a short print of its bytes.
    pub(super) fn ledger(&self, product: u64) -> Value {
        let Some(gallery) = self.galleries.get(&product) else { return json!([]) };
        let tell = |entry: &Entry| {
            json!({
                "id": entry.id, "print": print_of(&entry.content), "file": entry.file, "label": entry.label,
                "position": entry.position, "disabled": entry.disabled, "roles": gallery.roles_of(&entry.file),
            })
        };
        gallery.sorted().map(tell).collect()
    }

    /// Adds an image, whose id comes back: the same one twice is two (recorded: image-add-again).
    pub(super) fn add(&mut self, product: u64, entry: &Value) -> Result<u64, Refusal> {
        let content = uploaded(entry)?;
        let name = entry.pointer("/content/name").and_then(Value::as_str).unwrap_or_default();
        let wanted = dispersed(name, &content);
        let file = self.free(&wanted);
        let gallery = self.galleries.entry(product).or_default();
        let mut roles = roles(entry);
        if gallery.entries.is_empty() && roles.is_empty() {
            roles = ROLES.to_vec();
        }
        for role in ROLES {
            if gallery.roles.get(role) == Some(&wanted) || roles.contains(&role) {
                gallery.roles.insert(role, file.clone());
            }
        }
        self.last += 1;
        self.files.insert(file.clone());
        let told = |field: &str| entry.get(field).cloned().unwrap_or(Value::Null);
        gallery.entries.push(Entry {
            id: self.last,
            label: told("label"),
            position: told("position"),
            disabled: entry.get("disabled") == Some(&Value::Bool(true)),
            file,
            content,
        });
        Ok(self.last)
    }

    /// Puts an entry in the place of one that is there; what the body leaves out is gone, its roles too.
    fn save(&mut self, product: u64, id: &str, entry: &Value) -> Answer {
        let gallery = self.galleries.get_mut(&product).ok_or_else(no_entry)?;
        let kept = gallery.entries.iter_mut().find(|kept| kept.id.to_string() == id).ok_or_else(no_entry)?;
        if entry.get("content").is_some_and(Value::is_object) {
            return Err(Refusal::new(501, "The simulated shop keeps the file of an image."));
        }
        let told = |field: &str| entry.get(field).cloned().unwrap_or(Value::Null);
        (kept.label, kept.position) = (told("label"), told("position"));
        kept.disabled = entry.get("disabled") == Some(&Value::Bool(true));
        let file = kept.file.clone();
        let roles = roles(entry);
        gallery.roles.retain(|_, player| *player != file);
        gallery.roles.extend(roles.into_iter().map(|role| (role, file.clone())));
        Ok(json!(true))
    }

    /// Takes an image away with its file; false where there is none of that id.
    pub(super) fn remove(&mut self, product: u64, id: &str) -> bool {
        let Some(gallery) = self.galleries.get_mut(&product) else { return false };
        let Some(at) = gallery.entries.iter().position(|entry| entry.id.to_string() == id) else { return false };
        let gone = gallery.entries.remove(at);
        gallery.roles.retain(|_, player| *player != gone.file);
        self.files.remove(&gone.file);
        true
    }

    /// The path itself where no file has it, else the first of `_1`, `_2` … that none has.
    fn free(&self, wanted: &str) -> String {
        let (stem, ending) = wanted.rsplit_once('.').unwrap_or((wanted, ""));
        let numbered = (1_u32..).map(|place| format!("{stem}_{place}.{ending}"));
        let mut all = std::iter::once(wanted.to_owned()).chain(numbered);
        all.find(|path| !self.files.contains(path)).unwrap_or_default()
    }
}

impl Gallery {
    /// By position; of equal ones the newest first (recorded: images-get).
    fn sorted(&self) -> impl Iterator<Item = &Entry> {
        let mut all: Vec<&Entry> = self.entries.iter().collect();
        all.sort_by_key(|entry| (entry.position.as_i64().unwrap_or(0), std::cmp::Reverse(entry.id)));
        all.into_iter()
    }

    fn roles_of(&self, file: &str) -> Vec<&'static str> {
        ROLES.into_iter().filter(|role| self.roles.get(role).is_some_and(|player| player == file)).collect()
    }

    fn tell(&self, entry: &Entry, content: bool) -> Value {
        let mut told = Map::new();
        told.insert("id".to_owned(), json!(entry.id));
        told.insert("media_type".to_owned(), json!("image"));
        told.insert("label".to_owned(), entry.label.clone());
        told.insert("position".to_owned(), entry.position.clone());
        told.insert("disabled".to_owned(), json!(entry.disabled));
        told.insert("types".to_owned(), json!(self.roles_of(&entry.file)));
        told.insert("file".to_owned(), json!(entry.file));
        if content {
            let name = entry.file.rsplit('/').next().unwrap_or_default();
            let body = json!({
                "base64_encoded_data": letters(&entry.content), "type": sort_of(&entry.content), "name": name,
            });
            told.insert("content".to_owned(), body);
        }
        Value::Object(told)
    }
}

/// The bytes of an upload.
fn uploaded(entry: &Value) -> Result<Vec<u8>, Refusal> {
    let content = entry.get("content").filter(|content| content.is_object());
    let content = content.ok_or_else(|| Refusal::required("content"))?;
    let told = |field: &str| content.get(field).and_then(Value::as_str).unwrap_or_default();
    let bytes = base64(told("base64_encoded_data")).filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or_else(|| Refusal::new(400, "The image content must be valid base64 encoded data."))?;
    let sort = sort_of(&bytes).filter(|sort| TAKEN.contains(sort) && *sort == told("type"));
    if sort.is_none() {
        return Err(Refusal::new(400, "The image MIME type is not valid and not supported."));
    }
    let name = told("name");
    if name.is_empty() || name.contains(['/', ':', '*', '?', '"', '<', '>', '|', '\\']) {
        return Err(Refusal::new(400, "Provided image name contains forbidden characters."));
    }
    Ok(bytes)
}

fn roles(entry: &Value) -> Vec<&'static str> {
    let told: Vec<&str> =
        entry.get("types").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    ROLES.into_iter().filter(|role| told.contains(role)).collect()
}

/// Where a file of that name stands: in folders of its first two letters (recorded: `/l/a/lamp.png`).
fn dispersed(name: &str, content: &[u8]) -> String {
    let clean: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "_-.".contains(letter) { letter } else { '_' })
        .collect();
    let ending = match sort_of(content) {
        Some("image/jpeg") => "jpg",
        Some("image/gif") => "gif",
        _ => "png",
    };
    let file = if clean.contains('.') { clean } else { format!("{clean}.{ending}") };
    let folder = |at: usize| file.chars().nth(at).filter(|letter| *letter != '.').unwrap_or('_');
    format!("/{}/{}/{file}", folder(0), folder(1))
}

fn no_entry() -> Refusal {
    Refusal::new(404, "No image with the provided ID was found. Verify the ID and try again.")
}
