//! The merchant's answers as rules: when an order may leave the shop, what it is called, what may differ.

use crate::id::{RemoteId, SystemName};
use crate::kind::Kind;
use crate::money::Money;
use crate::path::Path;
use crate::record::{Order, OrderLife, Paper, PaperLife};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// When an order of a payment method may leave the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseRule {
    /// As soon as it is placed: the buyer pays later.
    Placed,
    /// Once a gateway has promised the money.
    Authorized,
    /// Once the money is there.
    Paid,
}

/// The file's word for the orders of some payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// When they may leave the shop.
    pub when: ReleaseRule,
    /// Seconds from the order on within which that has to come about before a person is asked; none for the usual days.
    pub within_s: Option<u32>,
}

/// Methods without a gateway: released when placed, unless the file says otherwise.
pub const OFFLINE_METHODS: [&str; 5] = ["checkmo", "banktransfer", "cashondelivery", "purchaseorder", "free"];

/// What the codes of sales without tax begin with.
const UNTAXED: &str = "untaxed:";

/// Where an ERP books an order; what is not said is as the ERP's own entry in the file has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Branch {
    /// The company, by name.
    pub company: Option<String>,
    /// The web shop, by name.
    pub web_shop: Option<String>,
    /// The warehouse goods leave from, by code or name.
    pub warehouse: Option<String>,
}

/// Rules of the orders of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRules {
    /// The shop.
    pub source: SystemName,
    /// The ERP.
    pub target: SystemName,
    /// Orders of earlier days (in the shop's zone) are carried over only where a person lets them; none for all.
    pub start: Option<Date>,
    /// Release rule by payment method; a pattern may end in `*`.
    pub release: Vec<(String, Release)>,
    /// Days an order may await its release before a person is asked, unless the rule for its payment method says otherwise.
    pub release_days: u32,
    /// Minor units of difference that rounding may explain, for each line and charge.
    pub rounding_per_line: u32,
    /// What the ERP's reference says: `{number}`, `{scope}` and `{system}` (the shop's name) are replaced.
    pub number: String,
    /// How the ERP's documents of another connector are known; nothing where the file does not say so.
    pub adopt: Option<AdoptKey>,
    /// Whether customers that are missing in the ERP are created.
    pub creates_customers: bool,
    /// Where in the ERP they are booked.
    pub branch: Branch,
    /// What is done where a buyer or a person changes an order after its document was made.
    pub amendments: Amendments,
    /// What is done where the ERP's document is cancelled there.
    pub cancels: Cancels,
    /// Mapping tables: `taxes`, `payment_methods` → code of the shop → code of the ERP.
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is done where an order changes in its shop after its document was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amendments {
    /// A person is asked, whatever it is.
    #[default]
    Ask,
    /// The document is changed alike, as far as the ERP can; a person is asked where it cannot.
    Carry,
}

/// What is done where an order's document was cancelled in the ERP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cancels {
    /// A person is asked.
    #[default]
    Ask,
    /// The ERP's word counts: the shop's order is cancelled, too, where nothing of it was sent or paid.
    Erp,
}

/// What another connector wrote on the documents it made: in which field, and what it says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptKey {
    /// The ERP's field, in the words of its connector, e.g. `reference`.
    pub field: String,
    /// What stands in it: `{number}`, `{scope}`, `{id}`, `{system}` and `{reference}` (what the shop's order refers to) are
    /// replaced.
    pub value: String,
}

impl AdoptKey {
    /// What a value may name.
    pub const WORDS: [&'static str; 5] = ["{number}", "{scope}", "{id}", "{system}", "{reference}"];

    /// What the field says of `order`, known in its shop `system` as `id`; none where the order does not tell it.
    #[must_use]
    pub fn says(&self, system: &SystemName, id: &RemoteId, order: &Order) -> Option<String> {
        let told = [
            order.number.as_deref(),
            Some(&*id.scope),
            Some(&*id.id),
            Some(system.as_str()),
            order.reference.as_deref(),
        ];
        let mut text = self.value.clone();
        for (word, told) in Self::WORDS.into_iter().zip(told) {
            if text.contains(word) {
                text = text.replace(word, told.filter(|told| !told.is_empty())?);
            }
        }
        Some(text)
    }
}

/// Rules of the inventory flow: one system's stock, shown in shops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRules {
    /// The ERP.
    pub source: SystemName,
    /// The shops, each with its own figures.
    pub targets: Vec<StockTarget>,
}

/// How one shop shows the stock of the ERP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockTarget {
    /// The shop.
    pub system: SystemName,
    /// Pieces of each variant kept from its buyers.
    pub safety: Decimal,
    /// Places of a shop, each with the ERP's warehouses whose sum it shows. The first also holds what the shop has reserved.
    pub places: Vec<(String, Vec<String>)>,
}

/// Who decides a field that two systems share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldPolicy {
    /// This system's value flows to the others.
    Owner(SystemName),
    /// Each system keeps its own.
    Keep,
    /// Whoever changed it; where both did, the system named here wins, or a person decides.
    Merge(Option<SystemName>),
}

/// Rules of a flow whose records systems share field by field: its source with each of its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRules {
    /// The system the flow comes from.
    pub source: SystemName,
    /// The source with each system the flow goes to.
    pub pairs: Vec<PairRules>,
}

impl FieldRules {
    /// The systems that share the records, the source first.
    pub fn systems(&self) -> impl Iterator<Item = &SystemName> {
        core::iter::once(&self.source).chain(self.pairs.iter().map(|pair| &pair.target))
    }

    /// The rules between `one` and `other`, of which one is the source; none where the flow does not tie the two.
    #[must_use]
    pub fn between(&self, one: &SystemName, other: &SystemName) -> Option<&PairRules> {
        let target = if *one == self.source { other } else { one };
        let both = [one, other].contains(&&self.source);
        self.pairs.iter().find(|pair| both && pair.target == *target)
    }
}

/// Rules between the source of a flow and one of its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRules {
    /// The system the flow comes from; it owns what no policy names.
    pub source: SystemName,
    /// The system it goes to.
    pub target: SystemName,
    /// Policies by path pattern; the most literal that fits counts.
    pub policies: Vec<(Path, FieldPolicy)>,
    /// Whether what only the source has is made in the target.
    pub creates: bool,
}

impl PairRules {
    /// Who of the two decides the field at `path`. For what a third system owns the source speaks: it comes by the source.
    #[must_use]
    pub fn policy(&self, path: &Path) -> FieldPolicy {
        let said = self.policies.iter().filter_map(|(pattern, policy)| Some((path.said_by(pattern)?, policy)));
        let third = |name: &SystemName| ![&self.source, &self.target].contains(&name);
        match said.max_by_key(|(closeness, _)| *closeness).map(|(_, policy)| policy) {
            None => FieldPolicy::Owner(self.source.clone()),
            Some(FieldPolicy::Owner(name)) if third(name) => FieldPolicy::Owner(self.source.clone()),
            Some(FieldPolicy::Merge(Some(name))) if third(name) => FieldPolicy::Merge(Some(self.source.clone())),
            Some(policy) => policy.clone(),
        }
    }
}

/// Rules of the papers flow: what an ERP did about orders, told to the shops they are from, and what these took for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperRules {
    /// The ERP.
    pub source: SystemName,
    /// The shops, each told in its own way.
    pub targets: Vec<PaperTarget>,
}

impl PaperRules {
    /// Whether money that people of some shop give back is carried over.
    #[must_use]
    pub fn carries_refunds(&self) -> bool {
        self.targets.iter().any(|target| target.refunds != Refunds::Ask)
    }
}

/// How one shop is told of papers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperTarget {
    /// The shop.
    pub system: SystemName,
    /// Carriers of the ERP → the shop's codes; a pattern may end in `*`.
    pub carriers: BTreeMap<String, String>,
    /// Places of the shop, each with the ERP's warehouses that goods leave it from; none where the shop has one place.
    pub places: Vec<(String, Vec<String>)>,
    /// Which invoices it is told of. Telling a shop of one may take the money, and counts it as paid.
    pub invoices: MoneyRule,
    /// Which credits it is told of: it counts the money as given back.
    pub credits: MoneyRule,
    /// Its payment methods → what the ERP books the money by that it took, [`BOOKED_THERE`] where the ERP does so by itself;
    /// a pattern may end in `*`. Where there is none, the ERP is told of no payments.
    pub payments: BTreeMap<String, String>,
    /// What is done about money that its people give back.
    pub refunds: Refunds,
}

/// What is done about money that people of a shop give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refunds {
    /// The order is held, and a person is asked.
    #[default]
    Ask,
    /// Each becomes a credit note in the ERP, made as a draft that people put in force.
    Draft,
    /// Each becomes a credit note in the ERP that is in force.
    Carry,
}

/// In place of a payment method of the ERP: it books that money by itself.
pub const BOOKED_THERE: &str = "off";

/// Which papers with money a shop is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MoneyRule {
    /// None.
    Off,
    /// Every one in force.
    Posted,
    /// Those whose money has come.
    Paid,
}

impl PaperTarget {
    /// Whether it is told of papers of `kind`.
    #[must_use]
    pub fn takes(&self, kind: Kind) -> bool {
        match kind {
            Kind::Shipment => true,
            _ => self.rule(kind).is_some_and(|rule| rule != MoneyRule::Off),
        }
    }

    /// Which papers of `kind` it is told of, where they have money.
    fn rule(&self, kind: Kind) -> Option<MoneyRule> {
        match kind {
            Kind::Invoice => Some(self.invoices),
            Kind::Credit => Some(self.credits),
            _ => None,
        }
    }

    /// Whether it is to be told of `paper` as it stands.
    #[must_use]
    pub fn is_due(&self, kind: Kind, paper: &Paper) -> bool {
        let paid = self.rule(kind) != Some(MoneyRule::Paid) || paper.life == Some(PaperLife::Paid);
        paper.in_force() && paid
    }

    /// Whether the ERP is told of the money it took.
    #[must_use]
    pub fn tells_payments(&self) -> bool {
        !self.payments.is_empty()
    }

    /// What the ERP books money by that was taken by `method`; none where no row names it.
    #[must_use]
    pub fn booked_by(&self, method: &str) -> Option<&str> {
        best_row(&self.payments, method)
    }

    /// The shop's code for a carrier; none where no row names it.
    #[must_use]
    pub fn carrier(&self, name: &str) -> Option<&str> {
        best_row(&self.carriers, name)
    }
}

/// The row of `rows` for `code`: exact first, then patterns ending in `*`, longest first.
fn best_row<'a>(rows: &'a BTreeMap<String, String>, code: &str) -> Option<&'a str> {
    if let Some(row) = rows.get(code) {
        return Some(row);
    }
    let fits = |pattern: &&String| pattern.strip_suffix('*').is_some_and(|start| code.starts_with(start));
    let pattern = rows.keys().filter(fits).max_by_key(|pattern| pattern.len())?;
    rows.get(pattern).map(String::as_str)
}

/// Rules of the prices flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRules {
    /// Who is told by whom.
    pub fields: FieldRules,
    /// By shop: its lists, each with the ERP's list whose prices it shows.
    pub lists: BTreeMap<SystemName, BTreeMap<String, String>>,
}

/// Whether an order may leave the shop now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    /// It may.
    Yes,
    /// Not yet; the reason, and until when that is fine.
    Awaiting(String, Timestamp),
    /// It never will: withdrawn or given back before it left.
    Never(String),
    /// It was placed before the flow's first day.
    TooOld(Date),
}

impl OrderRules {
    /// The row of `table` for `code`: exact first, then patterns ending in `*`, longest first.
    #[must_use]
    pub fn row(&self, table: &str, code: &str) -> Option<&str> {
        best_row(self.tables.get(table)?, code)
    }

    /// The code that what `order` sells without tax goes by: `untaxed:business:CH:ZH`; none where no row of the file tells such
    /// sales apart, and they are booked without a tax.
    #[must_use]
    pub fn untaxed(&self, order: &Order) -> Option<String> {
        if !self.tables.get("taxes")?.keys().any(|code| code.starts_with(UNTAXED)) {
            return None;
        }
        let buyer = if order.sold_to.business == Some(true) { "business" } else { "consumer" };
        let country = order.sold_to.country.as_deref().unwrap_or("?");
        let region = order.sold_to.region.as_ref().map(|region| alloc::format!(":{region}")).unwrap_or_default();
        Some(alloc::format!("{UNTAXED}{buyer}:{country}{region}"))
    }

    /// The file's row for a payment method: exact first, then patterns ending in `*`, longest first.
    fn release_row(&self, method: &str) -> Option<Release> {
        let fits = |pattern: &str| {
            pattern == method || pattern.strip_suffix('*').is_some_and(|start| method.starts_with(start))
        };
        let told = self.release.iter().filter(|(p, _)| fits(p)).max_by_key(|(p, _)| (p == method, p.len()));
        told.map(|(_, row)| *row)
    }

    /// The release rule for a payment method.
    #[must_use]
    pub fn release_rule(&self, method: &str) -> ReleaseRule {
        match self.release_row(method) {
            Some(row) => row.when,
            None if OFFLINE_METHODS.contains(&method) => ReleaseRule::Placed,
            None => ReleaseRule::Authorized,
        }
    }

    /// When a person is asked about `order`, where its money has not come by then; one put on hold has the usual days.
    fn deadline(&self, order: &Order) -> Timestamp {
        let days = SignedDuration::from_hours(24 * i64::from(self.release_days));
        let own = match order.life {
            Some(OrderLife::Held) => None,
            _ => self.release_row(order.payment.method.as_deref().unwrap_or("")).and_then(|row| row.within_s),
        };
        let wait = own.map_or(days, |seconds| SignedDuration::from_secs(i64::from(seconds)));
        order.placed.unwrap_or(Timestamp::UNIX_EPOCH).checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Whether `order` may leave the shop now; one that was `admitted` by a person at whatever day it was placed.
    #[must_use]
    pub fn released(&self, order: &Order, admitted: bool) -> Released {
        if !admitted
            && let (Some(start), Some(day)) = (self.start, order.day)
            && day < start
        {
            return Released::TooOld(day);
        }
        let until = self.deadline(order);
        let method = order.payment.method.as_deref().unwrap_or("");
        match order.life.unwrap_or(OrderLife::Pending) {
            OrderLife::Cancelled => Released::Never("cancelled in the shop before it left".to_string()),
            OrderLife::Closed => Released::Never("refunded in the shop before it left".to_string()),
            OrderLife::Held => Released::Awaiting("on hold in the shop".to_string(), until),
            OrderLife::Pending => Released::Awaiting("payment or review is pending in the shop".to_string(), until),
            OrderLife::Open | OrderLife::Done => {
                let zero = order.totals.grand.is_some_and(|grand| grand.amount.is_zero());
                let rule = self.release_rule(method);
                let ready = zero
                    || match rule {
                        ReleaseRule::Placed => true,
                        ReleaseRule::Authorized => order.payment.authorised == Some(true) || paid(order),
                        ReleaseRule::Paid => paid(order),
                    };
                if ready {
                    Released::Yes
                } else {
                    let word = if rule == ReleaseRule::Paid { "paid" } else { "authorised" };
                    Released::Awaiting(alloc::format!("payment by {method} is not {word} yet"), until)
                }
            }
        }
    }

    /// How documents of another connector are known: as the file says, else by the number the shop's order refers to, and
    /// by the order's own number in the ERP's reference.
    #[must_use]
    pub fn adopt_keys(&self) -> Vec<AdoptKey> {
        let key = |field: &str, value: &str| AdoptKey { field: field.to_string(), value: value.to_string() };
        match &self.adopt {
            Some(told) => alloc::vec![told.clone()],
            None => alloc::vec![key("number", "{reference}"), key("reference", "{number}")],
        }
    }

    /// What the ERP's reference says for an order of `scope` with `number`.
    #[must_use]
    pub fn reference(&self, scope: &str, number: &str) -> String {
        let shop = self.number.replace("{system}", self.source.as_str());
        shop.replace("{scope}", scope).replace("{number}", number)
    }
}

fn paid(order: &Order) -> bool {
    match (order.payment.captured, order.totals.grand) {
        (Some(Money { amount: had, currency: a }), Some(Money { amount: owed, currency: b })) => a == b && had >= owed,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
