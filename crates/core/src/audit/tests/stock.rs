//! What the checker makes of figures of stock.

use super::*;

/// What a shop shows whose place `main` is ours, and what waits there to be sent: so many are kept back by itself.
struct Shop {
    shows: Vec<(&'static str, Option<Value>)>,
    free: i64,
    owed: i64,
    figure: &'static str,
}

/// A shop that keeps two back, where five may be bought.
fn shop() -> Shop {
    let shows = vec![
        ("levels[main].on_hand", Some(number(3))),
        ("levels[main].available", Some(number(900))),
        ("levels[theirs].on_hand", Some(number(900))),
        ("reserved", Some(number(2))),
    ];
    Shop { shows, free: 5, owed: 0, figure: "on_hand" }
}

impl Shop {
    /// What is said against a `step` that sets `leaves` in it.
    fn step(&self, step: Step, leaves: Vec<(&str, Option<Value>)>) -> String {
        let (seen, places) = (told(self.shows.clone()), vec!["main", "north"]);
        let stock = StockFacts { free: self.free.into(), places, owed: self.owed.into(), figure: self.figure };
        against(&plan(Kind::Stock, step, told(leaves)), &Facts { stock: Some(stock), ..facts(&seen) })
    }

    /// What is said against the figure `on_hand` of `main`.
    fn main(&self, on_hand: i64) -> String {
        self.step(Step::Update, vec![("levels[main].on_hand", Some(number(on_hand)))])
    }
}

#[test]
fn buyers_are_never_shown_more_than_is_free() {
    let over = |buyers: i64, free: i64| alloc::format!("{buyers} for buyers, {free} are free");
    assert_eq!([7, 8].map(|figure| shop().main(figure)), [String::new(), over(6, 5)]);
    assert_eq!([0, 1, 2].map(|figure| shop().main(figure)), ["", "", ""], "fewer than are kept back");
    let waiting = Shop { owed: 3, ..shop() };
    assert_eq!([8, 9].map(|figure| waiting.main(figure)), [String::new(), over(6, 5)], "three wait to be sent");
    let fewer = Shop { owed: 1, ..shop() };
    assert_eq!([7, 8].map(|figure| fewer.main(figure)), [String::new(), over(6, 5)], "the shop keeps back more");
    for kept in [Some(number(-4)), None] {
        let mut odd = shop();
        odd.shows.pop();
        odd.shows.push(("reserved", kept.clone()));
        assert_eq!([5, 6].map(|figure| odd.main(figure)), [String::new(), over(6, 5)], "{kept:?} kept back");
    }
    let none = Shop { free: -3, ..shop() };
    assert_eq!([2, 3].map(|figure| none.main(figure)), [String::new(), over(1, -3)], "too few for what is sold");
}

#[test]
fn all_our_places_are_added_up_and_nobody_elses() {
    let mut two = shop();
    two.shows.push(("levels[north].on_hand", Some(number(4))));
    assert_eq!([two.main(3), two.main(4)], ["", "6 for buyers, 5 are free"]);
    let both = |main: i64, north: i64| {
        let leaves = vec![("levels[main].on_hand", Some(number(main))), ("levels[north].on_hand", Some(number(north)))];
        two.step(Step::Update, leaves)
    };
    assert_eq!([both(0, 7), both(1, 7)], ["", "6 for buyers, 5 are free"]);
    two.shows.push(("levels[north].on_hand", Some(number(-2))));
    assert_eq!([two.main(9), two.main(10)], ["", "6 for buyers, 5 are free"], "a shop may show less than nothing");
}

#[test]
fn a_figure_of_stock_is_a_quantity_of_one_of_our_places_and_nothing_else() {
    let other = "something else than a figure of our places";
    let bad = "`levels[main].on_hand` is no quantity";
    let one = |path: &'static str, value: Option<Value>| shop().step(Step::Update, vec![(path, value)]);
    for (path, value, expected) in [
        ("levels[main].on_hand", Some(number(0)), ""),
        ("levels[main].on_hand", Some(number(-1)), bad),
        ("levels[main].on_hand", text("many"), bad),
        ("levels[main].on_hand", None, "a field erased; `levels[main].on_hand` is no quantity"),
        ("levels[main].available", Some(number(1)), other),
        ("levels[theirs].on_hand", Some(number(1)), other),
        ("reserved", Some(number(1)), other),
    ] {
        assert_eq!(one(path, value.clone()), expected, "{path} {value:?}");
    }
    let beside = vec![("levels[main].on_hand", Some(number(1))), ("levels[theirs].on_hand", Some(number(1)))];
    assert_eq!(shop().step(Step::Update, beside), other);
    assert_eq!(shop().step(Step::Create, vec![("levels[main].on_hand", Some(number(1)))]), other);
    let salable = Shop { figure: "available", ..shop() };
    assert_eq!(salable.step(Step::Update, vec![("levels[main].available", Some(number(7)))]), "");
    assert_eq!(
        salable.step(Step::Update, vec![("levels[main].available", Some(number(8)))]),
        "6 for buyers, 5 are free"
    );
}
