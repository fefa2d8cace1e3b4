//! Customers of two systems side by side: the shop's own addresses beside those the ERP has for them.

use crate::aside::Asides;
use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::{RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, CustomerCase, Decision};
use syncline_core::profile::Fit;
use syncline_core::record::{Address, CUSTOMER_SHARED, Customer};
use syncline_core::rules::{FieldPolicy, PairRules};
use syncline_store::{Base, Case, SideState};

/// Whether the shop knows a customer from orders only, and has no page of it.
pub(crate) fn is_guest(id: &RemoteId) -> bool {
    id.id.starts_with("guest:")
}

/// Whether `case` is a guest of `shop`.
pub(crate) fn of_guest(case: &Case, shop: &System) -> bool {
    case.kind == Kind::Customer && case.bound.get(&shop.uid).is_some_and(|bound| is_guest(&bound.id))
}

impl Engine {
    /// What to do about a customer: made in `target`, then given what addresses it lacks, then shared field by field. A
    /// guest is told by orders only, and stays as it was made.
    pub(crate) fn decide_customer(
        &self,
        case: &Case,
        source: &System,
        target: &System,
        side: &SideState,
        aside: &Asides,
    ) -> Result<Decided, EngineError> {
        let rules = self.rules_of(case);
        let pair = rules.and_then(|rules| rules.between(&source.name, &target.name));
        let (nothing, none) = (Leaves::new(), BTreeMap::new());
        let bound = case.bound.get(&target.uid);
        let addresses = Customer::address_path("*");
        let leads = pair.is_some_and(|pair| tells(pair, &addresses, &target.name));
        let shown = case.sides.get(&target.uid).map(|side| if leads { named(&side.seen) } else { side.seen.clone() });
        let first = planner::customer(&CustomerCase {
            target: &target.name,
            flows: rules.is_some(),
            follows: pair.is_some_and(|pair| tells(pair, &addresses, &source.name)),
            leads,
            wins: pair.is_some_and(|pair| pair.policy(&addresses) == FieldPolicy::Merge(Some(source.name.clone()))),
            grouped: pair.is_some_and(|pair| {
                let group = side.seen.value(&Customer::group_path());
                tells(pair, &Customer::group_path(), &source.name) && self.list_of(&source.name, group).is_some()
            }),
            seen: &side.seen,
            bound: bound.is_some(),
            elements: bound.map_or(&none, |bound| &bound.elements),
            shown: shown.as_ref().unwrap_or(&nothing),
            bases: (&base(case, source, target), &base(case, target, source)),
            chosen: case.chosen.get(&target.uid).unwrap_or(&nothing),
        });
        // A party that customers of several shops share says what the first of them says, or they would go on correcting
        // each other.
        let alone = bound.is_some_and(|bound| !bound.shared);
        match (first, rules) {
            (Decision::Agreed, Some(rules)) if alone && !of_guest(case, source) => {
                self.decide_shared(case, rules, aside)
            }
            (first, _) => Ok(first.into()),
        }
    }
}

impl Engine {
    /// What the ERP calls a group of `shop`, nothing where it has no price list; none without a row.
    fn list_of(&self, shop: &SystemName, group: Option<&Value>) -> Option<&str> {
        let Some(Value::Text(code)) = group else { return None };
        self.flows.groups.get(shop)?.get(code).map(String::as_str)
    }

    /// `elements` with what `target` calls the group in `leaves` of a customer, where that is another word than the shop's.
    pub(crate) fn with_list(
        &self,
        case: &Case,
        target: &System,
        leaves: &Leaves,
        mut elements: BTreeMap<Path, String>,
    ) -> BTreeMap<Path, String> {
        let shop = self.rules_of(case).map(|rules| &rules.source).filter(|shop| **shop != target.name);
        let list = shop.and_then(|shop| self.list_of(shop, leaves.value(&Customer::group_path())));
        elements.extend(list.map(|list| (Customer::group_path(), list.to_string())));
        elements
    }

    /// Why the group in `value` cannot be told to the other side of `shop`; none where it can.
    pub(crate) fn without_row(&self, shop: &SystemName, path: &Path, value: &Value) -> Option<String> {
        if *path != Customer::group_path() {
            return None;
        }
        match value {
            Value::Code(list) => {
                Some(format!("the ERP's price list `{list}` has no row for {shop}: `\"…\" = \"{list}\"`"))
            }
            _ if self.list_of(shop, Some(value)).is_some() => None,
            _ => Some(format!(
                "the group `{value}` of {shop} has no row: `\"{value}\" = \"…\"`, or `\"\"` for no price list"
            )),
        }
    }
}

/// Whether what `system` says of `path` goes to the other one.
fn tells(rules: &PairRules, path: &Path, system: &SystemName) -> bool {
    match rules.policy(path) {
        FieldPolicy::Owner(owner) => owner == *system,
        FieldPolicy::Merge(_) => true,
        FieldPolicy::Keep => false,
    }
}

/// `leaves` of an ERP with the customer's name on addresses without any: it is what is printed there.
fn named(leaves: &Leaves) -> Leaves {
    let mut named = leaves.clone();
    let Some(Value::Text(name)) = leaves.value(&Path::field("name")) else { return named };
    for (path, value) in leaves.iter() {
        if let Some(Value::Address(address)) = value
            && address.printed() == (None, None)
        {
            let address = Address { name: Some(name.clone()), ..(**address).clone() };
            named.put(path.clone(), Value::Address(Box::new(address)));
        }
    }
    named
}

/// How a side would keep a value.
pub(crate) type Keeps<'a> = &'a dyn Fn(&Path, &Value) -> Fit;

/// What both show of a customer, side by side.
#[derive(Clone, Copy)]
pub(crate) struct Both<'a> {
    /// What the shop shows, and how it would keep a value.
    pub(crate) shop: (&'a Leaves, Keeps<'a>),
    /// The same of the ERP.
    pub(crate) erp: (&'a Leaves, Keeps<'a>),
    /// What the ERP calls the addresses of the customer's book.
    pub(crate) elements: &'a BTreeMap<Path, String>,
    /// Who decides what.
    pub(crate) rules: &'a PairRules,
    /// The shop's groups, each with what the ERP calls it; none where they are not carried.
    pub(crate) groups: Option<&'a BTreeMap<String, String>>,
}

impl Both<'_> {
    /// What both show, each address of the customer's book under one name. One that left the book is told as nothing,
    /// unless an order was placed with it; one that says the same on both sides is shown alike, wherever its region stands.
    /// Where the ERP's addresses go to the shop, one it withdrew is told as nothing, and what it alone has stands under its
    /// own key.
    pub(crate) fn side_by_side(&self) -> (Leaves, Leaves) {
        if !self.leads(&Customer::address_path("*")) {
            return self.told();
        }
        let printed = named(self.erp.0);
        Both { erp: (&printed, self.erp.1), ..*self }.told()
    }

    fn told(&self) -> (Leaves, Leaves) {
        let ((shop, _), (erp, _)) = (self.shop, self.erp);
        let (mut a, mut b) = (shop.clone(), erp.clone());
        a.retain(is_shared);
        b.retain(|path| is_shared(path) && path.within("addresses").is_none());
        // Only the customer's own page tells of a telephone, and only it tells the whole book.
        let whole = |leaves: &Leaves| leaves.get(&Path::field("phone")) != Leaf::Untold;
        let leads = self.leads(&Customer::address_path("*"));
        for (path, remote) in self.elements.iter().filter(|(path, _)| Customer::is_of_book(path)) {
            let at_shop = address(shop, path).or_else(|| self.again(path, remote));
            match (at_shop, address(erp, &Customer::address_path(remote))) {
                (Some(here), Some(there)) => {
                    let shown = if self.same(path, here, there) { here } else { there };
                    a.put(path.clone(), Value::Address(Box::new(here.clone())));
                    b.put(path.clone(), Value::Address(Box::new(shown.clone())));
                }
                (Some(_), None) if leads && whole(erp) => b.tell(path.clone(), None),
                (None, Some(there)) if whole(shop) && !planner::is_shared(self.elements, shop, path) => {
                    a.tell(path.clone(), None);
                    b.put(path.clone(), Value::Address(Box::new(there.clone())));
                }
                _ => {}
            }
        }
        if leads && whole(shop) {
            self.of_erp_alone(&mut a, &mut b);
        }
        self.in_the_shops_words(&mut a, &mut b);
        if self.leads(&Path::field("phone")) {
            self.without_a_place(&mut a, &mut b);
        }
        (a, b)
    }

    fn leads(&self, path: &Path) -> bool {
        tells(self.rules, path, &self.rules.target)
    }

    /// Whether `there` may be what the ERP calls `here`, which is not tied: how the shop kept it was told before more was known
    /// of how it keeps texts.
    fn is_like(&self, path: &Path, here: &Address, there: &Address) -> bool {
        here.likeness() == there.likeness() || self.same(path, here, there)
    }

    /// Whether both say the same, as either side keeps it.
    fn same(&self, path: &Path, here: &Address, there: &Address) -> bool {
        let kept = |keeps: Keeps<'_>, address: &Address| match keeps(path, &Value::Address(Box::new(address.clone()))) {
            Fit::As(Value::Address(kept), _) => kept.envelope(),
            _ => address.envelope(),
        };
        kept(self.shop.1, there) == here.envelope() || kept(self.erp.1, here) == there.envelope()
    }

    /// Addresses of the shop's book that are not tied.
    fn untied(&self) -> impl Iterator<Item = &Address> {
        let of_book = self.shop.0.iter().map(|(path, _)| path);
        let free = of_book.filter(|path| Customer::is_of_book(path) && !self.elements.contains_key(*path));
        free.filter_map(|path| address(self.shop.0, path))
    }

    /// The address that stands in the shop in the place of the tied one at `path`, which is not there any more: one that
    /// was put in again has another id.
    fn again(&self, path: &Path, remote: &str) -> Option<&Address> {
        let there = address(self.erp.0, &Customer::address_path(remote)).filter(|_| !self.replaced(remote))?;
        self.untied().find(|here| self.is_like(path, here, there))
    }

    /// Whether an address of the shop's book is tied to this one of the ERP.
    fn replaced(&self, remote: &str) -> bool {
        self.elements.iter().any(|(path, theirs)| theirs == remote && address(self.shop.0, path).is_some())
    }

    /// Tells the addresses that only the ERP has, those on papers left out, each once. In the shop they need a telephone.
    fn of_erp_alone(&self, a: &mut Leaves, b: &mut Leaves) {
        let ((shop, _), (erp, _)) = (self.shop, self.erp);
        let tied: BTreeSet<Path> = self.elements.values().map(|remote| Customer::address_path(remote)).collect();
        let phone = [erp, shop].into_iter().find_map(|side| side.value(&Path::field("phone")));
        let mut told: Vec<&Address> = Vec::new();
        for (path, there) in erp.iter().filter_map(|(path, _)| Some((path, address(erp, path)?))) {
            let again = |other: &&Address| other.envelope() == there.envelope();
            if tied.contains(path) || told.iter().any(again) {
                continue;
            }
            told.push(there);
            let mut wished = there.clone();
            if let (None, Some(Value::Text(phone))) = (&wished.phone, phone) {
                wished.phone = Some(phone.clone());
            }
            let of_book = shop.iter().filter(|(path, _)| Customer::is_of_book(path));
            let has = of_book.filter_map(|(path, _)| address(shop, path)).any(|here| self.is_like(path, here, &wished));
            let wished = Value::Address(Box::new(wished));
            let kept = match (self.shop.1)(path, &wished) {
                Fit::As(kept, _) => kept,
                Fit::Exact | Fit::Refused(_) => wished.clone(),
            };
            a.tell(path.clone(), has.then_some(kept));
            b.put(path.clone(), wished);
        }
    }

    /// Puts the ERP's price list as the group that the shop calls it: the one it shows, where several stand for that list. A
    /// list without a row stays under its name, as a code. No list is nothing that the shop's group fills, where the shop
    /// decides; else it is the group whose row says nothing, and without such a row the ERP says nothing: no customer of a
    /// shop is without a group.
    fn in_the_shops_words(&self, a: &mut Leaves, b: &mut Leaves) {
        let path = Customer::group_path();
        let Some(rows) = self.groups else {
            return [a, b].into_iter().for_each(|side| side.set(path.clone(), Leaf::Untold));
        };
        let list = match b.get(&path) {
            Leaf::Untold => return,
            Leaf::Value(Value::Text(list)) => list,
            _ => String::new(),
        };
        let stands = |(_, theirs): &(&String, &String)| **theirs == list;
        let shown = match a.value(&path) {
            Some(Value::Text(code)) => rows.get_key_value(code).filter(stands),
            _ => None,
        };
        let fills = list.is_empty() && !self.leads(&path);
        let row = shown.or_else(|| rows.iter().find(stands).filter(|_| !fills));
        let told = match row {
            Some((code, _)) => Leaf::Value(Value::Text(code.clone())),
            None if !list.is_empty() => Leaf::Value(Value::Code(list)),
            None if fills => Leaf::Empty,
            None => Leaf::Untold,
        };
        b.set(path, told);
    }

    /// Takes the telephone out of what is compared where the shop has no address to keep one in, and where the ERP has none:
    /// no address of a shop is without.
    fn without_a_place(&self, a: &mut Leaves, b: &mut Leaves) {
        let phone = Path::field("phone");
        if !self.shop.0.iter().any(|(path, value)| Customer::is_of_book(path) && value.is_some()) {
            a.set(phone.clone(), Leaf::Untold);
        }
        if b.get(&phone) == Leaf::Empty {
            b.set(phone, Leaf::Untold);
        }
    }
}

fn address<'a>(leaves: &'a Leaves, path: &Path) -> Option<&'a Address> {
    match leaves.value(path) {
        Some(Value::Address(address)) => Some(address),
        _ => None,
    }
}

/// What both agree on when `leaves` of a customer of `shop` were made in `erp`: what was written, so that an edit on either
/// side since then is a change.
pub(crate) fn bases_of_person(shop: &System, erp: &System, leaves: &Leaves) -> Vec<Base> {
    let mut there = leaves.clone();
    there.retain(|path| is_shared(path) && leaves.value(path).is_some());
    let kept = |path: &Path, value: &Value| match erp.connector.fit(Kind::Customer, path, value) {
        Fit::As(other, _) => other,
        Fit::Exact | Fit::Refused(_) => value.clone(),
    };
    let here = there.iter().map(|(path, value)| (path.clone(), value.map(|value| kept(path, value)))).collect();
    Base::laid_over((&erp.uid, here), (&shop.uid, there))
}

/// The base of `system` towards `peer`.
pub(crate) fn base(case: &Case, system: &System, peer: &System) -> Leaves {
    agreed_on(case.sides.get(&system.uid).map(|side| side.base(&peer.uid)).unwrap_or_default())
}

/// What both agreed on; nothing of what earlier versions kept, which was no agreement on fields.
fn agreed_on(base: Leaves) -> Leaves {
    if base.iter().all(|(path, _)| is_shared(path)) { base } else { Leaves::new() }
}

/// Whether `path` can be shared: fields, and the addresses of the customer's own book, or of the ERP alone.
fn is_shared(path: &Path) -> bool {
    Customer::is_of_book(path)
        || Customer::is_of_erp(path)
        || (path.within("addresses").is_none() && CUSTOMER_SHARED.iter().any(|field| path.is_named_by(field)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::record::{Address, Record};

    fn leaves(page: bool, addresses: &[(&str, &str, Option<&str>)]) -> Leaves {
        let of = |(key, city, region): &(&str, &str, Option<&str>)| {
            let (city, region) = (Some((*city).to_string()), region.map(ToString::to_string));
            ((*key).to_string(), Address { city, region, ..Address::default() })
        };
        let phone = page.then(String::new);
        let customer = Customer { phone, addresses: addresses.iter().map(of).collect(), ..Customer::default() };
        Record::Customer(customer).to_leaves()
    }

    fn elements(pairs: &[(&str, &str)]) -> BTreeMap<Path, String> {
        pairs.iter().map(|(key, remote)| (Customer::address_path(key), (*remote).to_string())).collect()
    }

    fn shown(
        shop: &Leaves,
        erp: &Leaves,
        bound: &[(&str, &str)],
        policies: &[(&str, FieldPolicy)],
    ) -> (Leaves, Leaves) {
        let exact: Keeps<'_> = &|_, _| Fit::Exact;
        let path = |field: &str| Path::try_from(field.to_string()).unwrap();
        let rules = PairRules {
            source: SystemName::new("shop"),
            target: SystemName::new("erp"),
            policies: policies.iter().map(|(field, policy)| (path(field), policy.clone())).collect(),
            creates: false,
        };
        let rows = [("General", ""), ("Retailer", "Trade list"), ("Wholesale", "Trade list")];
        let rows = rows.into_iter().map(|(code, list)| (code.to_string(), list.to_string())).collect();
        let (elements, groups) = (elements(bound), Some(&rows));
        Both { shop: (shop, exact), erp: (erp, exact), elements: &elements, rules: &rules, groups }.side_by_side()
    }

    #[test]
    fn a_price_list_is_the_group_the_shop_calls_it() {
        let with = |group: &str| {
            let group = Some(group.to_string());
            Record::Customer(Customer { phone: Some(String::new()), group, ..Customer::default() }).to_leaves()
        };
        let told = |shop: &str, erp: &str, owner: &str| {
            let policy = FieldPolicy::Owner(SystemName::new(owner));
            shown(&with(shop), &with(erp), &[], &[("group", policy)]).1.get(&Customer::group_path())
        };
        let text = |code: &str| Leaf::Value(Value::Text(code.to_string()));
        for owner in ["shop", "erp"] {
            assert_eq!(told("Wholesale", "Trade list", owner), text("Wholesale"), "the one it shows");
            assert_eq!(told("General", "Trade list", owner), text("Retailer"), "the first one");
            assert_eq!(told("General", "", owner), text("General"), "none is a group, too");
            let unknown = Leaf::Value(Value::Code("Wholesale".to_string()));
            assert_eq!(told("Wholesale", "Wholesale", owner), unknown, "no row");
        }
        assert_eq!(told("Wholesale", "", "erp"), text("General"));
        assert_eq!(told("Wholesale", "", "shop"), Leaf::Empty, "what the shop says fills it");
    }

    #[test]
    fn an_address_stands_under_one_name_and_says_the_same_wherever_its_region_stands() {
        let shop =
            leaves(true, &[("book-1", "New York", Some("NY")), ("book-2", "Bonn", None), ("3f9a", "Bonn", None)]);
        let erp = leaves(true, &[("@7", "New York, NY", None), ("@8", "Köln", None), ("@9", "Ulm", None)]);
        let (a, b) = shown(&shop, &erp, &[("book-1", "@7"), ("book-2", "@8")], &[]);
        let path = |key: &str| Customer::address_path(key);
        assert_eq!(a.get(&path("book-1")), b.get(&path("book-1")));
        assert_ne!(a.get(&path("book-2")), b.get(&path("book-2")));
        assert_eq!((a.keys_of("addresses").len(), b.keys_of("addresses").len()), (2, 2), "{b:?}");
    }

    #[test]
    fn an_address_that_left_the_book_is_nothing_unless_an_order_has_it() {
        let erp = leaves(true, &[("@7", "Bonn", None)]);
        let path = Customer::address_path("book-1");
        let gone = |page: bool, bound: &[(&str, &str)]| shown(&leaves(page, &[]), &erp, bound, &[]).0.get(&path);
        assert_eq!(gone(true, &[("book-1", "@7")]), Leaf::Empty);
        assert_eq!(gone(true, &[("book-1", "@7"), ("3f9a", "@7")]), Leaf::Untold);
        assert_eq!(gone(false, &[("book-1", "@7")]), Leaf::Untold, "an order does not tell the whole book");
    }

    #[test]
    fn what_the_erp_alone_has_and_what_it_withdrew_is_told_only_where_its_addresses_go_to_the_shop() {
        let shop = leaves(true, &[("book-1", "Bonn", None), ("book-2", "Ulm", None), ("3f9a", "Bonn", None)]);
        let erp = leaves(true, &[("@5", "Hof", None), ("@6", "Hof", None), ("@7", "Jena", None), ("@8", "Ulm", None)]);
        let bound = [("book-1", "@4"), ("3f9a", "@7")];
        let path = |key: &str| Customer::address_path(key);
        for policy in [FieldPolicy::Owner(SystemName::new("erp")), FieldPolicy::Merge(None)] {
            let (a, b) = shown(&shop, &erp, &bound, &[("addresses", policy)]);
            assert_eq!((a.get(&path("@5")), b.get(&path("book-1"))), (Leaf::Empty, Leaf::Empty));
            assert!(b.value(&path("@5")).is_some(), "it alone has that one");
            assert_eq!((b.get(&path("@6")), b.get(&path("@7"))), (Leaf::Untold, Leaf::Untold), "once, and no paper's");
            assert_eq!(a.get(&path("@8")), b.get(&path("@8")), "both have it");
        }
        let (a, b) = shown(&shop, &erp, &bound, &[]);
        assert_eq!((a.get(&path("@5")), b.get(&path("book-1"))), (Leaf::Untold, Leaf::Untold));
    }

    #[test]
    fn an_address_of_the_erp_that_the_shop_keeps_in_part_is_there() {
        let named = |name: &str| {
            let mut leaves = leaves(true, &[("book-1", "Bonn", None)]);
            let Some(Value::Address(address)) = leaves.value(&Customer::address_path("book-1")).cloned() else {
                panic!()
            };
            let address = Address { name: Some(name.to_string()), ..*address };
            leaves.put(Customer::address_path("book-1"), Value::Address(Box::new(address)));
            leaves
        };
        let shop = named("Anna de la Cruz");
        let Some(there) = named("Anna de la Cruz 🎸").value(&Customer::address_path("book-1")).cloned() else {
            panic!()
        };
        let erp: Leaves =
            [(Customer::address_path("@7"), Some(there)), (Path::field("phone"), Some(Value::Text("1".into())))]
                .into_iter()
                .collect();
        // As a shop keeps it: three bytes a character, and no address without a telephone.
        let keeps: Keeps<'_> = &|_, value| match value {
            Value::Address(address) if address.phone.is_none() => Fit::Refused("no telephone".to_string()),
            Value::Address(address) => {
                let name = address.name.as_deref().map(|name| name.replace('🎸', ""));
                Fit::As(Value::Address(Box::new(Address { name, ..(**address).clone() })), String::new())
            }
            _ => Fit::Exact,
        };
        let policy = FieldPolicy::Owner(SystemName::new("erp"));
        let rules = PairRules {
            source: SystemName::new("shop"),
            target: SystemName::new("erp"),
            policies: vec![(Customer::address_path("*"), policy)],
            creates: false,
        };
        let (elements, groups) = (elements(&[]), None);
        let both =
            Both { shop: (&shop, keeps), erp: (&erp, &|_, _| Fit::Exact), elements: &elements, rules: &rules, groups };
        let (a, b) = both.side_by_side();
        let path = Customer::address_path("@7");
        let name = |leaves: &Leaves| address(leaves, &path).and_then(|address| address.name.clone());
        let shown = (name(&a), name(&b));
        assert_eq!(
            shown,
            (Some("Anna de la Cruz ".to_string()), Some("Anna de la Cruz 🎸".to_string())),
            "as each keeps it"
        );
    }

    #[test]
    fn an_address_that_was_written_before_it_was_known_how_the_shop_keeps_texts_is_there() {
        let (shop, erp) = (leaves(true, &[("book-1", "Bonn", None)]), leaves(true, &[("@7", "Bonn 🎸", None)]));
        let policies = [("addresses", FieldPolicy::Owner(SystemName::new("erp")))];
        let path = Customer::address_path("@7");
        let (a, b) = shown(&shop, &erp, &[], &policies);
        assert!(a.value(&path).is_some() && a.get(&path) == b.get(&path), "it keeps all, and was told less before");
        let (a, _) = shown(&leaves(true, &[("book-1", "Köln", None)]), &erp, &[], &policies);
        assert_eq!(a.get(&path), Leaf::Empty);
    }

    #[test]
    fn an_address_that_was_put_in_again_stands_in_the_place_of_the_old_one() {
        let (shop, erp) = (leaves(true, &[("book-9", "Bonn", None)]), leaves(true, &[("@7", "Bonn", None)]));
        let path = Customer::address_path("book-1");
        let (a, b) = shown(&shop, &erp, &[("book-1", "@7")], &[]);
        assert!(a.value(&path).is_some() && a.get(&path) == b.get(&path));
        let (a, _) = shown(&shop, &erp, &[("book-1", "@7"), ("book-9", "@7")], &[]);
        assert_eq!(a.get(&path), Leaf::Untold, "the new one is tied");
    }

    #[test]
    fn a_telephone_goes_to_the_shop_where_there_is_an_address_for_it_and_is_never_taken_away() {
        let with = |number: &str, mut leaves: Leaves| {
            leaves.tell(Path::field("phone"), (!number.is_empty()).then(|| Value::Text(number.to_string())));
            leaves
        };
        let home = leaves(true, &[("book-1", "Bonn", None)]);
        let phone = Path::field("phone");
        let told = |shop: &Leaves, erp: &Leaves| {
            let (a, b) = shown(shop, erp, &[], &[("phone", FieldPolicy::Owner(SystemName::new("erp")))]);
            (a.get(&phone), b.get(&phone))
        };
        let (a, b) = told(&with("1", home.clone()), &with("2", leaves(true, &[])));
        assert!(matches!((a, b), (Leaf::Value(_), Leaf::Value(_))));
        assert_eq!(told(&leaves(true, &[]), &with("2", leaves(true, &[]))).0, Leaf::Untold, "no place for it");
        assert_eq!(told(&with("1", home), &leaves(true, &[])).1, Leaf::Untold, "it has none to tell");
    }

    #[test]
    fn what_an_earlier_version_kept_is_no_agreement() {
        let name: Leaves = std::iter::once((Path::field("name"), Some(Value::Text("Zoë".into())))).collect();
        assert_eq!(agreed_on(name.clone()), name);
        let mut raw = name;
        raw.put(Path::field("active"), Value::Bool(true));
        assert!(agreed_on(raw).is_empty());
    }
}
