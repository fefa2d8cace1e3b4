//! The next step of a variant's stock in one shop: what buyers can still buy becomes what the ERP can still promise.
//!
//! A = what the ERP can still promise, Q = ordered in any shop and not yet reserved in the ERP, B = safety stock.
//! Buyers get T = max(0, ⌊A − Q − B⌋). A shop that takes physical figures and subtracts its own reservations R itself
//! is told T + R; one that takes what buyers may have, and lowers that itself, is told T.

use super::{Decision, Planned, hold};
use crate::id::SystemName;
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::record::Stock;
use crate::rules::StockTarget;
use alloc::string::String;
use alloc::vec::Vec;
use rust_decimal::Decimal;

/// What a shop's figures mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// What is there; the shop keeps back what it has sold by itself.
    Physical,
    /// What buyers may still have; the shop lowers it by what it sells.
    Salable,
}

/// Everything that decides what one shop is told of one variant.
#[derive(Debug)]
pub struct StockCase<'a> {
    /// The shop, and how it shows stock.
    pub target: &'a StockTarget,
    /// The ERP.
    pub from: &'a SystemName,
    /// What the ERP shows.
    pub source: &'a Stock,
    /// Ordered in any shop and not yet reserved in the ERP.
    pub ordered: Decimal,
    /// What the shop shows.
    pub seen: &'a Stock,
    /// What its figures mean.
    pub shows: Shows,
    /// What waits to be sent by the shop, which holds too few: it keeps back so much at least.
    pub owed: Decimal,
}

/// How the figure for buyers comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// What buyers of the shop may still buy from the listed places: T.
    pub free: Decimal,
    /// What each listed place is to show.
    pub places: Vec<(String, Decimal)>,
    /// The sum in words, e.g. `12 − 2 ordered − 1 safety = 9; 3 reserved in the shop`.
    pub told: String,
}

/// The next step for the stock of one variant in one shop.
#[must_use]
pub fn stock(case: &StockCase<'_>) -> Decision {
    let (source, target) = (case.from, &case.target.system);
    for (system, stock) in [(source, case.source), (target, case.seen)] {
        if stock.managed == Some(false) {
            return Decision::Outside(alloc::format!("{system} does not count its stock"));
        }
    }
    let figures = match figures(case) {
        Ok(figures) => figures,
        Err(decision) => return decision,
    };
    let mut leaves = Leaves::new();
    for (place, wanted) in &figures.places {
        let level = case.seen.levels.get(place);
        let (shown, path) = match case.shows {
            Shows::Physical => (level.and_then(|level| level.on_hand), Stock::on_hand_path(place)),
            Shows::Salable => (level.and_then(|level| level.available), Stock::available_path(place)),
        };
        if shown != Some(*wanted) {
            leaves.put(path, Value::Number(*wanted));
        }
    }
    if leaves.is_empty() {
        return Decision::Agreed;
    }
    Decision::Step(Planned {
        target: target.clone(),
        kind: Kind::Stock,
        step: Step::Update,
        leaves,
        reason: figures.told,
        adopt_only: false,
    })
}

/// What the shop's places are to show.
///
/// # Errors
/// The hold, where a figure that is needed is not told.
pub fn figures(case: &StockCase<'_>) -> Result<Figures, Decision> {
    let mut available = Decimal::ZERO;
    let mut shares: Vec<(String, Decimal)> = Vec::new();
    for (place, warehouses) in &case.target.places {
        let mut here = Decimal::ZERO;
        for warehouse in warehouses {
            here = here.saturating_add(promised(case, warehouse)?);
        }
        available = available.saturating_add(here);
        shares.push((place.clone(), here.floor().max(Decimal::ZERO)));
    }
    let free = available.saturating_sub(case.ordered).saturating_sub(case.target.safety).floor().max(Decimal::ZERO);
    let reserved = reserved(case)?;
    // What waits to be sent is kept back, whatever the shop tells of it.
    let reserved = if case.shows == Shows::Physical { reserved.max(case.owed) } else { reserved };
    // Places with fractions of a piece each may not make up a whole one.
    let free = shares.iter().fold(Decimal::ZERO, |sum, (_, share)| sum.saturating_add(*share)).min(free);
    let mut left = free;
    let mut places = Vec::new();
    for (at, (place, share)) in shares.into_iter().enumerate() {
        let given = share.min(left);
        left = left.saturating_sub(given);
        places.push((place, if at == 0 { given.saturating_add(reserved) } else { given }));
    }
    let (ordered, safety) = (case.ordered.normalize(), case.target.safety.normalize());
    let (available, buyers) = (available.normalize(), free.normalize());
    let mut told = alloc::format!("{available} to promise − {ordered} ordered − {safety} safety = {buyers} for buyers");
    if case.shows == Shows::Physical {
        told.push_str(&alloc::format!("; {} reserved in {}", reserved.normalize(), case.target.system));
    }
    Ok(Figures { free, places, told })
}

/// What the shop subtracts by itself from what its places show.
fn reserved(case: &StockCase<'_>) -> Result<Decimal, Decision> {
    if case.shows == Shows::Salable {
        return Ok(Decimal::ZERO);
    }
    let reserved = case.seen.reserved.ok_or_else(|| {
        let what = alloc::format!("{} does not tell what it has reserved", case.target.system);
        hold("SYN-0131", what, "see `syncline systems`: its inventory interface has to be there and readable for us")
    })?;
    Ok(reserved.max(Decimal::ZERO))
}

/// What `warehouse` can still promise.
fn promised(case: &StockCase<'_>, warehouse: &str) -> Result<Decimal, Decision> {
    let level = case.source.levels.get(warehouse);
    level.and_then(|level| level.available.or(level.on_hand)).ok_or_else(|| {
        let source = case.from;
        hold(
            "SYN-0130",
            alloc::format!("{source} tells nothing of the warehouse `{warehouse}`"),
            alloc::format!("name a warehouse of {source} under [flows.inventory.sources]: see `syncline systems`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Facts, StockFacts, objections};
    use crate::record::{Level, Record};
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    fn rules(places: &[(&str, &[&str])], safety: i64) -> StockTarget {
        StockTarget {
            system: SystemName::new("shop"),
            safety: safety.into(),
            places: places.iter().map(|(p, w)| (p.to_string(), w.iter().map(ToString::to_string).collect())).collect(),
        }
    }

    fn erp(available: &[(&str, &str)]) -> Stock {
        let level = |text: &str| Level { available: text.parse().ok(), ..Level::default() };
        let levels = available.iter().map(|(place, text)| (place.to_string(), level(text))).collect();
        Stock { levels, ..Stock::default() }
    }

    fn shop(on_hand: &[(&str, i64)], reserved: i64) -> Stock {
        let level = |n: i64| Level { on_hand: Some(n.into()), ..Level::default() };
        let levels = on_hand.iter().map(|(place, n)| (place.to_string(), level(*n))).collect();
        Stock { levels, reserved: Some(reserved.into()), ..Stock::default() }
    }

    fn planned(target: &StockTarget, source: &Stock, ordered: i64, seen: &Stock) -> Vec<String> {
        let told = seen.levels.values().any(|level| level.available.is_some());
        let shows = if told { Shows::Salable } else { Shows::Physical };
        let from = SystemName::new("erp");
        match stock(&StockCase {
            target,
            from: &from,
            source,
            ordered: ordered.into(),
            seen,
            shows,
            owed: Decimal::ZERO,
        }) {
            Decision::Step(step) => step
                .leaves
                .iter()
                .map(|(p, v)| alloc::format!("{p}={}", v.map_or(String::new(), ToString::to_string)))
                .collect(),
            Decision::Agreed => vec!["agreed".to_string()],
            Decision::Hold(hold) => vec![hold.code],
            other => vec![alloc::format!("{other:?}")],
        }
    }

    #[test]
    fn the_oversell_of_two_orders_not_yet_in_the_erp() {
        // Scenario S45: five there, two ordered in the shop, of which the ERP knows one and has shipped it.
        let rules = rules(&[("default", &["WH"])], 0);
        assert_eq!(planned(&rules, &erp(&[("WH", "4")]), 1, &shop(&[("default", 5)], 2)), ["agreed"]);
        assert_eq!(
            planned(&rules, &erp(&[("WH", "4")]), 1, &shop(&[("default", 5)], 1)),
            ["levels[default].on_hand=4"]
        );
    }

    #[test]
    fn warehouses_are_summed_and_shares_stay_within_what_is_free() {
        let rules = rules(&[("east", &["A", "B"]), ("west", &["C"])], 2);
        let source = erp(&[("A", "3.5"), ("B", "-1"), ("C", "10")]);
        assert_eq!(
            planned(&rules, &source, 4, &shop(&[("east", 0), ("west", 0)], 1)),
            ["levels[east].on_hand=3", "levels[west].on_hand=4"]
        );
        assert_eq!(planned(&rules, &erp(&[("A", "1"), ("B", "1")]), 0, &shop(&[], 0)), ["SYN-0130"]);
    }

    #[test]
    fn a_shop_that_lowers_its_figure_by_itself_is_told_what_buyers_may_have() {
        // The same case in a shop without reservations: two of its five are sold and gone from its figure.
        let rules = rules(&[("default", &["WH"])], 0);
        assert_eq!(planned(&rules, &erp(&[("WH", "4")]), 1, &erp(&[("default", "3")])), ["agreed"]);
        assert_eq!(
            planned(&rules, &erp(&[("WH", "4")]), 1, &erp(&[("default", "5")])),
            ["levels[default].available=3"]
        );
        assert_eq!(
            planned(&rules, &erp(&[("WH", "4")]), 9, &erp(&[("default", "5")])),
            ["levels[default].available=0"]
        );
    }

    #[test]
    fn what_is_not_counted_is_left_alone_and_what_is_not_told_is_held() {
        let rules = rules(&[("default", &["WH"])], 0);
        let service = Stock { managed: Some(false), ..erp(&[]) };
        assert!(planned(&rules, &service, 0, &shop(&[], 0))[0].contains("does not count"));
        assert_eq!(planned(&rules, &erp(&[("WH", "1")]), 0, &Stock::default()), ["SYN-0131"]);
    }

    #[test]
    fn what_waits_to_be_sent_is_kept_back_in_the_first_place_and_the_sum_is_told() {
        let (target, from) = (rules(&[("east", &["A"]), ("west", &["B"])], 1), SystemName::new("erp"));
        let (source, seen) = (erp(&[("A", "4"), ("B", "6")]), shop(&[("east", 4), ("west", 4)], 1));
        let of = |owed: i64, shows| {
            let (ordered, owed) = (2.into(), owed.into());
            figures(&StockCase { target: &target, from: &from, source: &source, ordered, seen: &seen, shows, owed })
                .unwrap()
        };
        let places = |east: i64, west: i64| vec![("east".to_string(), east.into()), ("west".to_string(), west.into())];
        let sum = "10 to promise − 2 ordered − 1 safety = 7 for buyers";
        for (owed, shows, wanted, told) in [
            (0, Shows::Physical, places(5, 3), alloc::format!("{sum}; 1 reserved in shop")),
            (3, Shows::Physical, places(7, 3), alloc::format!("{sum}; 3 reserved in shop")),
            (3, Shows::Salable, places(4, 3), sum.to_string()),
        ] {
            let figures = of(owed, shows);
            assert_eq!((figures.free, figures.places, figures.told), (7.into(), wanted, told), "{owed} {shows:?}");
        }
    }

    #[test]
    fn a_shop_that_does_not_count_its_stock_is_left_alone_and_only_what_differs_is_written() {
        let rules = rules(&[("east", &["A"]), ("west", &["B"])], 0);
        let source = erp(&[("A", "4"), ("B", "6")]);
        let counts = |managed| planned(&rules, &source, 0, &Stock { managed, ..shop(&[("east", 4), ("west", 5)], 0) });
        assert_eq!([counts(None), counts(Some(true))], [["levels[west].on_hand=6"], ["levels[west].on_hand=6"]]);
        assert_eq!(counts(Some(false))[0], "Outside(\"shop does not count its stock\")");
    }

    /// What the checker says against `plan` for a shop that shows `shown`.
    fn said(plan: &Planned, shown: &Leaves, stock: StockFacts<'_>) -> Vec<String> {
        let (owed, has, taken, shared) = (None, None, None, None);
        let stock = Some(stock);
        objections(plan, &Facts { bound: true, owed, has, withdrawn: false, taken, target_seen: shown, stock, shared })
    }

    proptest! {
        #[test]
        fn buyers_never_get_more_than_is_free(
            a in -50i64..200, b in -50i64..200, ordered in 0i64..80, safety in 0i64..20, reserved in -5i64..40
        ) {
            let rules = rules(&[("east", &["A"]), ("west", &["B"])], safety);
            let source = erp(&[("A", &a.to_string()), ("B", &b.to_string())]);
            let (from, seen) = (SystemName::new("erp"), shop(&[], reserved));
            for (shows, kept) in [(Shows::Physical, reserved.max(0)), (Shows::Salable, 0)] {
                let ordered = ordered.into();
                let case = StockCase { target: &rules, from: &from, source: &source, ordered, seen: &seen, shows, owed: Decimal::ZERO };
                let figures = figures(&case).unwrap();
                let sum: Decimal = figures.places.iter().map(|(_, n)| *n).sum();
                let salable = sum - Decimal::from(kept);
                prop_assert!(salable <= (Decimal::from(a + b - safety) - ordered).max(Decimal::ZERO));
                prop_assert!(figures.places.iter().all(|(_, n)| *n >= Decimal::ZERO));
                prop_assert_eq!(salable, figures.free);
                if let Decision::Step(plan) = stock(&case) {
                    let figure = if shows == Shows::Physical { "on_hand" } else { "available" };
                    let free = Decimal::from(a + b - safety) - ordered;
                    let (places, owed) = (vec!["east", "west"], Decimal::ZERO);
                    let facts = StockFacts { free, places, owed, figure };
                    let kept = if shows == Shows::Physical { seen.clone() } else { Stock::default() };
                    prop_assert_eq!(said(&plan, &Record::Stock(kept).to_leaves(), facts), Vec::<String>::new());
                }
            }
        }
    }
}
