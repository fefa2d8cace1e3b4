//! Customers: read by their own page, and saved whole. Without a list of addresses these stay as they are; with one it is
//! the whole book, see [`Book`].

use super::book::{self, Book};
use super::client::{Call, Scope};
use super::feed::Table;
use super::map::invalid;
use super::products::{Keeping, has_long_character, without_long_characters};
use super::rows::{evidence_of, shape};
use super::{Magento, map, numeric, unsupported, wire};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Customer, Record};
use syncline_core::text::{cut, shown};

pub(super) const CUSTOMERS: Table = Table {
    resource: "customers/search",
    id: "id",
    scope: Scope::DEFAULT,
    any: &[],
    only: &[],
    fields: "",
    outline: "items[id,website_id,updated_at],total_count",
};
/// Characters of a name or a number that are kept (`customer_entity` has columns of 255).
const LIMIT: usize = 255;

/// What each customer tells, empty where there is none (recorded: customer-get, customer-put-empty-addresses): an answer without
/// is of another shape, and no word on that somebody has no address any more.
const ALWAYS: [&str; 4] = ["email", "firstname", "lastname", "addresses"];

/// Groups of customers: the code of each by its id.
pub(super) type Groups = BTreeMap<u64, String>;

/// The customer a document tells, under the website it names or `scope` instead; its group where that is among `groups`.
pub(super) fn customer(value: &Value, scope: Option<String>, groups: &Groups) -> Result<Snapshot> {
    let doc: wire::Customer = shape("customers", value)?;
    if let Some(missing) = ALWAYS.iter().find(|field| value.get(**field).is_none()) {
        return Err(Error::new(ErrorKind::Broken, format!("customer {} tells no `{missing}`", doc.id.0)));
    }
    let (told, mut record) = map::customer(&doc);
    record.group = doc.group_id.and_then(|id| groups.get(&id.0)).cloned();
    let id = scope.map_or_else(|| told.clone(), |scope| RemoteId::new(scope, &told.id));
    let version = doc.updated_at.map(|time| time.0);
    let records = vec![(id.clone(), Record::Customer(record))];
    Ok(Snapshot { id, version, mark: None, found_by: None, records, evidence: Some(evidence_of("customers", value)) })
}

impl Magento {
    /// The groups that customers of these documents are in, where groups are carried.
    pub(super) async fn groups_of(&self, ctx: &Ctx, documents: &[&Value]) -> Result<Groups> {
        if !self.carries_groups || documents.is_empty() {
            return Ok(Groups::new());
        }
        let id = |document: &&Value| wire::typed::<wire::Id>(document.get("group_id")?).ok();
        let needed: Vec<u64> = documents.iter().filter_map(id).map(|id| id.0).collect();
        self.customer_groups(ctx, &needed).await
    }

    /// What became of a permit to change a customer. Everything the shop told of it a moment before goes back with it; of
    /// the addresses only where one of them is meant: a list of them replaces those that are there (recorded:
    /// customer-put-empty-addresses), and without one they stay (recorded: customer-put-without-addresses).
    pub(super) async fn write_customer(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let (id, path, body) = match self.ready_to_save(ctx, permit.change()).await {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        if let Some(body) = body {
            let call = Call { method: "PUT", scope: Scope::ALL, path: &path };
            if let Err(outcome) = self.send(ctx, call, &permit, &body).await {
                return outcome;
            }
        }
        let error = match self.read_one(ctx, Kind::Customer, &id).await {
            Ok(Some(snapshot)) => return Outcome::Done(Box::new(snapshot)),
            Ok(None) => Error::new(ErrorKind::Gone, format!("customer {id} was saved and is not there when read back")),
            Err(error) => error,
        };
        Outcome::Unknown { learned: Some(id), error }
    }

    /// The customer's id, path and document as they are sent; no document where it says all of it already.
    async fn ready_to_save(&self, ctx: &Ctx, change: &Change) -> Result<(RemoteId, String, Option<Value>)> {
        let (Some(id), Step::Update) = (&change.document, &change.step) else {
            return Err(unsupported("customers are changed, never made"));
        };
        let path = format!("customers/{}", numeric(Kind::Customer, id)?);
        let mut doc: Map<String, Value> = self.client.get_in(ctx, Scope::ALL, &path).await?;
        let version = doc.get("updated_at").and_then(Value::as_str);
        if change.expect.as_deref().is_some_and(|expect| version.is_some_and(|version| version != expect)) {
            let what = format!("customer {id} was changed in the shop a moment ago: it is read once more");
            return Err(Error::new(ErrorKind::Stale, what));
        }
        let told = doc.remove("addresses");
        let (in_book, beside): (Vec<_>, Vec<_>) = change.leaves.iter().partition(|(path, _)| book::is_kept_in(path));
        let mut changes = !beside.is_empty();
        for (path, value) in beside {
            match value {
                Some(LeafValue::Text(code)) if *path == Customer::group_path() => {
                    let groups = self.customer_groups(ctx, &[]).await?;
                    let group = groups.iter().find(|(_, known)| *known == code);
                    let (group, _) = group.ok_or_else(|| invalid(format!("{NO_GROUP} `{}`", shown(code, 60))))?;
                    doc.insert("group_id".to_owned(), json!(group));
                }
                None if *path == Customer::group_path() => return Err(invalid(ALWAYS_IN_A_GROUP.to_owned())),
                value => set(&mut doc, path, value)?,
            }
        }
        if !in_book.is_empty() {
            let mut book = Book::new(told, book::regions(&self.client, ctx, &change.leaves).await?);
            for (path, value) in in_book {
                changes |= book.set(path, value)?;
            }
            for flag in ["default_billing", "default_shipping"] {
                if doc.get(flag).is_some_and(|id| !book.has_id(id)) {
                    doc.remove(flag);
                }
            }
            doc.insert("addresses".to_owned(), book.rows());
        }
        Ok((id.clone(), path, changes.then(|| json!({"customer": doc}))))
    }
}

/// `leaves` in the order they are sent: what adds an address to the book, or takes one out, goes alone, so that it can be
/// told apart later.
pub(super) fn split(leaves: &Leaves) -> Vec<Leaves> {
    let alone = |(path, value): &(&Path, Option<&LeafValue>)| {
        Customer::is_of_erp(path) || (Customer::is_of_book(path) && value.is_none())
    };
    let one = |(path, value): (&Path, Option<&LeafValue>)| (path.clone(), value.cloned());
    let rest: Leaves = leaves.iter().filter(|field| !alone(field)).map(one).collect();
    let each = leaves.iter().filter(alone).map(|field| std::iter::once(one(field)).collect());
    std::iter::once(rest).filter(|rest| !rest.is_empty()).chain(each).collect()
}

/// Puts one field into a customer's document.
fn set(doc: &mut Map<String, Value>, path: &Path, value: Option<&LeafValue>) -> Result<()> {
    match (path.as_str(), value) {
        ("name", Some(LeafValue::Text(name))) => {
            let part = |key: &str| doc.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
            let parts = divided(name, [&part("firstname"), &part("middlename"), &part("lastname")]);
            let parts = parts.ok_or_else(|| Error::new(ErrorKind::Invalid, ONE_WORD))?;
            for (key, part) in ["firstname", "middlename", "lastname"].into_iter().zip(parts) {
                if !part.is_empty() || doc.contains_key(key) {
                    doc.insert(key.to_owned(), json!(part));
                }
            }
        }
        ("email", Some(LeafValue::Text(email))) => drop(doc.insert("email".to_owned(), json!(email))),
        ("tax_id", Some(LeafValue::Text(number))) => drop(doc.insert("taxvat".to_owned(), json!(number))),
        ("tax_id", None) => drop(doc.insert("taxvat".to_owned(), json!(""))),
        _ => return Err(unsupported(&format!("`{path}` of a customer is not written there, or not emptied"))),
    }
    Ok(())
}

const NO_GROUP: &str = "the shop has no group of customers";
const ALWAYS_IN_A_GROUP: &str = "a customer of the shop is always in a group: add the row of the group that stands for no \
                                 price list, `\"General\" = \"\"`, under [flows.customers.groups]";
const ONE_WORD: &str = "a customer of the shop has a first and a last name";

/// First, middle and last name that make up `name`. What the shop has stays where it is as far as it goes; else the last
/// word is the last name. None for a name of one word.
pub(super) fn divided(name: &str, [first, middle, last]: [&str; 3]) -> Option<[String; 3]> {
    let behind = |text: &str, end: &str| -> Option<String> {
        let rest = text.strip_suffix(end)?.strip_suffix(' ')?;
        (!end.is_empty() && !rest.is_empty()).then(|| rest.to_owned())
    };
    let before = |text: &str, start: &str| -> Option<String> {
        let rest = text.strip_prefix(start)?.strip_prefix(' ')?;
        (!start.is_empty() && !rest.is_empty()).then(|| rest.to_owned())
    };
    let of = |first: String, middle: &str, last: String| Some([first, middle.to_owned(), last]);
    if let Some(given) = behind(name, last) {
        return match behind(&given, middle) {
            Some(first) => of(first, middle, last.to_owned()),
            None => of(given, "", last.to_owned()),
        };
    }
    if let Some(rest) = before(name, first) {
        return match before(&rest, middle) {
            Some(last) => of(first.to_owned(), middle, last),
            None => of(first.to_owned(), "", rest),
        };
    }
    let (given, last) = name.rsplit_once(' ')?;
    of(given.to_owned(), "", last.to_owned())
}

/// How the shop keeps a field of a customer. A name is kept as one where it is told, in parts where it is written.
pub(super) fn fit(path: &Path, value: &LeafValue, keeping: Keeping) -> Fit {
    let plain = |text: &str| match keeping.all_characters || !has_long_character(text) {
        true => text.to_owned(),
        false => without_long_characters(text),
    };
    if let LeafValue::Address(address) = value {
        return book::fit(path, address, plain);
    }
    let LeafValue::Text(whole) = value else { return Fit::Exact };
    let plain = plain(whole);
    let kept = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match path.as_str() {
        "name" if !kept.contains(' ') => Fit::Refused(format!("{ONE_WORD}, `{}` is one word", shown(&kept, 60))),
        "email" if !is_address(&kept) => Fit::Refused(format!("`{}` is no e-mail address", shown(&kept, 60))),
        _ if cut(&kept, LIMIT).is_some() => Fit::Refused(format!("the shop keeps {LIMIT} characters")),
        _ if kept == *whole => Fit::Exact,
        _ => Fit::As(LeafValue::Text(kept), "without what the shop does not keep".to_owned()),
    }
}

/// Whether the shop would take `text` for an e-mail address, as far as is known without it.
fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    matches!(parts.as_slice(), [name, place] if !name.is_empty() && !place.is_empty() && !text.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_keeps_its_parts_where_they_are() {
        let divide = |name: &str, parts: [&str; 3]| divided(name, parts).map(|parts| parts.join("|"));
        let zoe = ["Zoë", "", "Müller Lüdenscheidt"];
        assert_eq!(divide("Zoë Maria Müller Lüdenscheidt", zoe).as_deref(), Some("Zoë Maria||Müller Lüdenscheidt"));
        assert_eq!(divide("Zoë van der Berg", zoe).as_deref(), Some("Zoë||van der Berg"));
        assert_eq!(divide("Ada King Lovelace", zoe).as_deref(), Some("Ada King||Lovelace"));
        let middle = ["Johann", "Sebastian", "Bach"];
        assert_eq!(divide("Hans Sebastian Bach", middle).as_deref(), Some("Hans|Sebastian|Bach"));
        assert_eq!(divide("Johann Sebastian Mastropiero", middle).as_deref(), Some("Johann|Sebastian|Mastropiero"));
        assert_eq!(divide("Prince", zoe), None);
    }

    #[test]
    fn what_the_shop_would_refuse_is_refused_before() {
        let fit = |path: &'static str, text: &str| {
            fit(&Path::field(path), &LeafValue::Text(text.to_owned()), Keeping::default())
        };
        assert!(matches!(fit("name", "Prince"), Fit::Refused(_)));
        assert!(matches!(fit("email", "ada@"), Fit::Refused(_)));
        assert_eq!(fit("email", "ada@example.org"), Fit::Exact);
        assert!(
            matches!(fit("name", " Ada   Lovelace 🦊 "), Fit::As(LeafValue::Text(kept), _) if kept == "Ada Lovelace")
        );
    }

    proptest! {
        #[test]
        fn a_divided_name_is_the_same_name(
            words in proptest::collection::vec("[a-zé]{1,3}", 2..5), parts in proptest::collection::vec("[a-zé]{0,3}", 3)
        ) {
            let name = words.join(" ");
            let parts = divided(&name, [&parts[0], &parts[1], &parts[2]]).unwrap();
            let told: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            prop_assert_eq!(told.join(" "), name);
            prop_assert!(!parts[0].is_empty() && !parts[2].is_empty());
        }
    }
}
