//! Categories against a simulated shop: the tree below one root, with the names of every view.

use super::super::{Auth, Config, Magento};
use super::world::{Held, TOKEN, shop};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Connector, Cursor, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Category, Parent, Record};

pub(super) fn id(number: u64) -> RemoteId {
    RemoteId::new("", number.to_string())
}

pub(super) fn category(snapshot: &Snapshot) -> &Category {
    match &snapshot.records.first().unwrap().1 {
        Record::Category(category) => category,
        other => panic!("no category: {other:?}"),
    }
}

fn names(category: &Category) -> Vec<(&str, &str)> {
    category.texts.iter().map(|(locale, texts)| (locale.as_str(), texts.name.as_deref().unwrap())).collect()
}

/// A shop in three languages with lamps, and desk lamps below them.
pub(super) fn lamps() -> (Held, u64, u64) {
    let held = Held::new(0);
    let (lamps, desk) = held.with(|world| {
        world.shop.add_languages();
        let lamps = world.shop.make_category(world.now, None, "Lamps").unwrap();
        let desk = world.shop.make_category(world.now, Some(lamps), "Desk").unwrap();
        assert!(world.shop.edit_category(world.now, lamps, Some("german"), "name", "Lampen"));
        assert!(world.shop.edit_category(world.now, desk, None, "active", "0"));
        (lamps, desk)
    });
    (held, lamps, desk)
}

/// The shop whose categories are below `root`.
fn below(root: &str) -> Magento {
    Magento::new(Config {
        url: "http://shop.example/".into(),
        auth: Auth::Token(TOKEN.into()),
        views: BTreeMap::new(),
        website: None,
        category_root: Some(root.into()),
        attributes: BTreeSet::new(),
        images: false,
        groups: false,
        families: false,
        notify_shipments: false,
        papers: true,
    })
}

#[tokio::test]
async fn a_tree_is_told_whole_with_the_names_of_every_view() {
    let (held, lamps, desk) = lamps();
    let shop = shop();
    let page = shop.changes(&held.ctx(), Kind::Category, &Cursor::default()).await.unwrap();
    let told: BTreeMap<RemoteId, Snapshot> =
        page.seen.into_iter().map(|seen| (seen.id, seen.snapshot.unwrap())).collect();
    assert_eq!(told.len(), 3, "the root itself is none");
    let (first, second) = (category(&told[&id(lamps)]), category(&told[&id(desk)]));
    assert_eq!(names(first), [("de", "Lampen"), ("en", "Lamps"), ("fr", "Lamps")]);
    assert_eq!((&first.parent, first.active), (&Some(Parent::Top), Some(true)));
    assert!(
        matches!(&second.parent, Some(Parent::Below(parent)) if parent.to == syncline_core::leaf::Target::Remote(id(lamps)))
    );
    assert_eq!(second.active, Some(false), "what is hidden is told");
    let keys = shop.keys(&held.ctx(), Kind::Category, &Cursor::default()).await.unwrap();
    assert_eq!((keys.keys.len(), keys.more), (3, false));
    // One by one and all together they read the same.
    let ids: Vec<RemoteId> = [3, lamps, desk, 99, lamps].map(id).to_vec();
    let all = shop.read(&held.ctx(), Kind::Category, &ids[..4]).await;
    let each = shop.read(&held.ctx(), Kind::Category, &ids).await;
    for (one, other) in all.iter().zip(&each) {
        let record = |snapshot: &Option<Snapshot>| snapshot.as_ref().map(|one| category(one).clone());
        assert_eq!(record(one.as_ref().unwrap()), record(other.as_ref().unwrap()));
    }
    assert!(all[3].as_ref().unwrap().is_none(), "nobody has it");
}

#[tokio::test]
async fn only_what_stands_below_the_root_the_file_names_is_told() {
    let (held, lamps, desk) = lamps();
    let told = async |root: &str| {
        let page = below(root).changes(&held.ctx(), Kind::Category, &Cursor::default()).await?;
        Ok::<_, syncline_connect::Error>(page.seen.into_iter().map(|seen| seen.id.id).collect::<Vec<_>>())
    };
    assert_eq!(told("Lamps").await.unwrap(), [desk.to_string()]);
    assert_eq!(told(&lamps.to_string()).await.unwrap(), [desk.to_string()]);
    assert!(below("Lamps").read(&held.ctx(), Kind::Category, &[id(3)]).await[0].as_ref().unwrap().is_none());
    let error = told("Chairs").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("Chairs"), "{}", error.message);
    held.with(|world| world.shop.make_category(world.now, Some(3), "Lamps").unwrap());
    let error = told("Lamps").await.unwrap_err();
    assert!(error.message.contains("id of one"), "{}", error.message);
}
