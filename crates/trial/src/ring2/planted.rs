//! Planted bugs, as decorators around the seams. No production code knows of them; each has to be found.

mod connector;
mod road;
mod store;

pub use connector::BadConnector;
pub use road::BadTransport;
pub use store::BadStore;

use super::Play;
use super::boot::Stage;
use super::money::{EXPLAINED, LOSES_DECIMALS, RELEASED};
use super::scenes::{self, Scene};
use super::world::open;
use super::{amends, bills, desk, parcels, payments, prices, refunds, trade};
use syncline_core::rules::{FieldPolicy, FieldRules};

/// A bug that is planted in this ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    /// Its slug.
    pub slug: &'static str,
    /// What is played with it.
    pub play: Play,
    /// Schedules from the first seed on within which it has to be found.
    pub within: u64,
    /// The rules that catch it: found by another one it is not found.
    pub by: &'static [&'static str],
}

const fn chaos(slug: &'static str, within: u64, by: &'static [&'static str]) -> Planted {
    Planted { slug, play: Play::Chaos, within, by }
}

const fn market(slug: &'static str, within: u64, by: &'static [&'static str]) -> Planted {
    Planted { slug, play: Play::Market, within, by }
}

const fn money(slug: &'static str, within: u64, by: &'static [&'static str]) -> Planted {
    Planted { slug, play: Play::Money, within, by }
}

const OWNED: &str = "owned-fields-are-never-overwritten";
const BILLS: &str = "each-bill-once";
const SAME: &str = "both-sides-show-the-same";

/// Every bug of this ring.
pub const PLANTS: [Planted; 30] = [
    chaos("skip-intent", 3000, &[]),
    chaos("ignore-epoch", 3000, &[]),
    chaos("retry-write", 3000, &[]),
    chaos("float-money", 3000, &[]),
    chaos("cursor-no-overlap", 3000, &[]),
    chaos("mark-from-name", 3000, &[]),
    chaos("base-currency", 3000, &[]),
    chaos("merge-lines-by-sku", 3000, &[]),
    chaos("look-once", 3000, &[]),
    chaos("one-base", 3000, &[]),
    chaos("untold-as-empty", 3000, &[]),
    chaos("owner-ignored", 20, &[OWNED]),
    chaos("stale-basis", 300, &[SAME]),
    chaos("skip-keys", 20, &["comes-to-rest"]),
    chaos("resurrect", 20, &["what-was-deleted-is-not-made-again"]),
    chaos("forget-undo", 20, &["what-was-undone-stays-so"]),
    chaos("rewrite-papers", 20, &["papers-keep-their-address"]),
    chaos("choice-twice", 20, &[SAME]),
    chaos("shipment-unsent", 1500, &["each-parcel-once", "comes-to-rest"]),
    chaos("stale-levels", 300, &["each-parcel-once", "comes-to-rest"]),
    chaos("refund-list-empty", 300, &[BILLS]),
    chaos("capture-twice", 300, &[BILLS, "comes-to-rest"]),
    chaos("base-currency-mixed", 300, &[BILLS]),
    chaos(UNLOOKED, 100, &["each-payment-once", "comes-to-rest", "verify-agrees-with-the-ledgers"]),
    chaos(CANCELS_OVER, 50, &["what-is-in-hand-stays"]),
    chaos(REDIRECTS, 50, &["what-is-in-hand-stays"]),
    chaos(UNMARKED, 300, &["each-refund-once", "each-bill-once", "comes-to-rest", "nothing-open-at-rest"]),
    market("forget-orders", 3000, &[]),
    market("reserve-twice", 3000, &[]),
    money(LOSES_DECIMALS, 3, &[RELEASED, EXPLAINED]),
];

/// A bug of the road from the ERP: whatever was done about a sale, it is told as still to be done, and is withdrawn.
pub const CANCELS_OVER: &str = "cancel-over-shipped";

/// The same where only clerks of the shop are at work, who send orders elsewhere: what is picked is told as waiting, and what was
/// packed for one town is sent to another.
pub const REDIRECTS: &str = "address-over-picked";

/// A bug of the road from the ERP: what is booked does not show until the next booking was answered, the answer of every other
/// booking is lost, and so is the stamp of the invoice on the way there.
pub const UNLOOKED: &str = "payment-unlooked";

/// A bug of the shop's connector: credits that it tells of in a feed carry no mark, so that what we made comes back as an echo.
pub const UNMARKED: &str = "credit-echoes";

/// A shop's bug, not one of ours: its list repeats a page for ever. It has to be told.
pub const REPEATS_A_PAGE: &str = "repeats-a-page";

/// A connector's bug that stories of families have to show: it does not tell the first child of any.
pub const FORGETS_A_CHILD: &str = "forgets-a-child";

/// A connector's bug that stories of bundles have to show: it does not tell the first part of any.
pub const FORGETS_A_PART: &str = "forgets-a-part";

/// A bug of the road to the shop that stories of addresses have to show: each address it carries is a new one there.
pub const LOSES_IDS: &str = "loses-address-ids";

/// Another one: a customer's group is lost on it.
pub const FORGETS_A_GROUP: &str = "forgets-a-group";

/// A store's bug that stories of hints have to show: a hint is forgotten before anybody has looked where it points.
pub const FORGETS_FIRST: &str = "hint-done-before-the-look";

impl Planted {
    /// The bug of that slug.
    #[must_use]
    pub fn named(slug: &str) -> Option<Self> {
        PLANTS.into_iter().find(|bug| bug.slug == slug)
    }

    /// Whether a broken rule is one that catches it.
    #[must_use]
    pub fn is_caught_by(&self, invariant: &str) -> bool {
        self.by.is_empty() || self.by.contains(&invariant)
    }
}

/// Puts on `stage` what the bug needs to show itself: the flows it is in, and what has to happen there.
pub fn ready(stage: &mut Stage, plant: &str) {
    match plant {
        "owner-ignored" | "stale-basis" | "choice-twice" => stage.products = Some(desk::rules()),
        "skip-keys" => {
            (stage.sweep_s, stage.deep) = (Some(40), false);
            stage.scenes.insert(Scene::Hidden);
        }
        "resurrect" => {
            stage.products = Some(desk::rules());
            stage.scenes.insert(Scene::Deleted);
        }
        "forget-undo" => {
            stage.prices = Some(prices::rules());
            stage.scenes.insert(Scene::TakenBack);
        }
        "rewrite-papers" => stage.buyers_type = true,
        CANCELS_OVER | REDIRECTS => {
            stage.stock = None;
            amends::carry(stage);
        }
        // Figures move most where goods are sent.
        "look-once" | "shipment-unsent" | "stale-levels" => {
            stage.stock = Some(trade::rules());
            parcels::open_warehouse(stage);
            open(&stage.world).ships_by_hand = plant == "stale-levels";
        }
        UNLOOKED => {
            stage.stock = Some(trade::rules());
            parcels::open_warehouse(stage);
            bills::open_office(stage, false);
            payments::open_till(stage);
        }
        // Of parts billed as they leave some is left that a second request takes.
        "refund-list-empty" | "capture-twice" | "base-currency-mixed" => {
            stage.stock = Some(trade::rules());
            parcels::open_warehouse(stage);
            bills::open_office(stage, plant == "capture-twice");
        }
        UNMARKED => {
            stage.stock = None;
            parcels::open_warehouse(stage);
            bills::open_office(stage, false);
            refunds::open_counter(stage);
        }
        _ => {}
    }
    scenes::ready(stage, true);
}

/// The rules as the bug reads them: `owner-ignored` takes a field with an owner for one that whoever changed it decides.
pub fn read_by(plant: Option<&'static str>, rules: Option<FieldRules>) -> Option<FieldRules> {
    let mut rules = rules?;
    if plant == Some("owner-ignored") {
        let source = rules.source.clone();
        let policies = rules.pairs.iter_mut().flat_map(|pair| &mut pair.policies).map(|(_, policy)| policy);
        let owned = policies.filter(|policy| matches!(policy, FieldPolicy::Owner(_)));
        owned.for_each(|policy| *policy = FieldPolicy::Merge(Some(source.clone())));
    }
    Some(rules)
}
