//! What a flow says of one of its systems: what stands under `at.NAME`, and where nothing does, what stands for all.

use super::{Drawn, nearest};
use crate::config::error::Source;
use crate::config::raw;
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::kind::Flow;
use syncline_core::rules::Branch;
use toml::Spanned;

/// Keys that only some flows know, each with those flows.
const HOMES: [(&str, &[Flow]); 29] = [
    ("start", &[Flow::Orders]),
    ("tax", &[Flow::Orders, Flow::Prices]),
    ("number", &[Flow::Orders]),
    ("release", &[Flow::Orders]),
    ("release_days", &[Flow::Orders]),
    ("rounding_per_line", &[Flow::Orders]),
    ("amendments", &[Flow::Orders]),
    ("cancels", &[Flow::Orders]),
    ("adopt", &[Flow::Orders]),
    ("payment_methods", &[Flow::Orders]),
    ("taxes", &[Flow::Orders]),
    ("company", &[Flow::Orders]),
    ("web_shop", &[Flow::Orders]),
    ("warehouse", &[Flow::Orders]),
    ("safety", &[Flow::Inventory]),
    ("sources", &[Flow::Inventory, Flow::Papers]),
    ("carriers", &[Flow::Papers]),
    ("invoices", &[Flow::Papers]),
    ("credits", &[Flow::Papers]),
    ("payments", &[Flow::Papers]),
    ("refunds", &[Flow::Papers]),
    ("lists", &[Flow::Prices]),
    ("fields", &[Flow::Products, Flow::Customers]),
    ("attributes", &[Flow::Products]),
    ("choices", &[Flow::Products]),
    ("options", &[Flow::Products]),
    ("create", &[Flow::Products]),
    ("match", &[Flow::Customers]),
    ("groups", &[Flow::Customers]),
];

/// The table of a flow as one of its systems reads it.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    all: &'a raw::Flow,
    own: Option<&'a raw::At>,
}

/// The key of the system's own table, or that of the whole flow.
macro_rules! told {
    ($($key:ident: $sort:ty),+ $(,)?) => {
        $(pub(super) fn $key(&self) -> Option<&'a Spanned<$sort>> {
            self.own.and_then(|own| own.$key.as_ref()).or(self.all.$key.as_ref())
        })+
    };
}

impl<'a> Told<'a> {
    /// `flow` as `system` reads it.
    pub(super) fn of(flow: &'a raw::Flow, system: &SystemName) -> Self {
        Self { all: flow, own: flow.at.get(system.as_str()).map(Spanned::get_ref) }
    }

    told!(
        start: String,
        number: String,
        company: String,
        web_shop: String,
        warehouse: String,
        release_days: u32,
        rounding_per_line: u32,
        amendments: String,
        cancels: String,
        adopt: raw::Adopt,
        safety: u32,
        create: bool,
        sources: BTreeMap<String, Spanned<Vec<String>>>,
        lists: BTreeMap<String, Spanned<String>>,
        invoices: String,
        credits: String,
        refunds: String,
    );

    /// Where in the ERP its orders are booked. A web shop and a warehouse said for all are those of the company said for all.
    pub(super) fn branch(&self) -> Branch {
        let text = |text: Option<&Spanned<String>>| text.map(|text| text.get_ref().clone());
        let own = self.own.filter(|own| own.company.is_some());
        let (web_shop, warehouse) = match own {
            Some(own) => (own.web_shop.as_ref(), own.warehouse.as_ref()),
            None => (self.web_shop(), self.warehouse()),
        };
        Branch { company: text(self.company()), web_shop: text(web_shop), warehouse: text(warehouse) }
    }

    /// Release rules by payment method; a row of its own comes before one of all.
    pub(super) fn release(&self) -> BTreeMap<&'a String, &'a raw::Release> {
        joined(self.all.release.as_ref(), self.own.and_then(|own| own.release.as_ref()))
    }

    /// Policies by field; as above.
    pub(super) fn fields(&self) -> BTreeMap<&'a String, &'a Spanned<String>> {
        joined(self.all.fields.as_ref(), self.own.and_then(|own| own.fields.as_ref()))
    }

    /// Rows of taxes; as above.
    pub(super) fn taxes(&self) -> BTreeMap<String, String> {
        owned(&joined(self.all.taxes.as_ref(), self.own.and_then(|own| own.taxes.as_ref())))
    }

    /// Groups of customers; as above.
    pub(super) fn groups(&self) -> BTreeMap<String, String> {
        owned(&joined(self.all.groups.as_ref(), self.own.and_then(|own| own.groups.as_ref())))
    }

    /// Rows of carriers; as above.
    pub(super) fn carriers(&self) -> BTreeMap<String, String> {
        owned(&joined(self.all.carriers.as_ref(), self.own.and_then(|own| own.carriers.as_ref())))
    }

    /// Rows of payments; as above.
    pub(super) fn payments(&self) -> BTreeMap<String, String> {
        owned(&joined(self.all.payments.as_ref(), self.own.and_then(|own| own.payments.as_ref())))
    }

    /// Rows of payment methods; as above.
    pub(super) fn payment_methods(&self) -> BTreeMap<String, String> {
        owned(&joined(self.all.payment_methods.as_ref(), self.own.and_then(|own| own.payment_methods.as_ref())))
    }
}

type Table<T> = Spanned<BTreeMap<String, T>>;

fn joined<'a, T>(all: Option<&'a Table<T>>, own: Option<&'a Table<T>>) -> BTreeMap<&'a String, &'a T> {
    all.into_iter().chain(own).flat_map(|table| table.get_ref()).collect()
}

fn owned(rows: &BTreeMap<&String, &String>) -> BTreeMap<String, String> {
    rows.iter().map(|(code, row)| ((*code).clone(), (*row).clone())).collect()
}

/// Refuses keys that mean nothing in `flow`, and tables of systems that it does not name among `systems`.
pub(super) fn fitting(source: &Source<'_>, flow: Flow, raw: &raw::Flow, systems: &[SystemName]) -> Drawn<()> {
    strange(source, flow, "", &of_flow(raw))?;
    for (name, at) in &raw.at {
        let known: Vec<&str> = systems.iter().map(SystemName::as_str).collect();
        if !known.contains(&name.as_str()) {
            let what = format!("[flows.{flow}.at.{name}] is about no system that the flow tells apart");
            let remedy = match nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has: {}", known.join(", ")),
            };
            return Err(source.error("SYN-0418", Some(at.span().start), what, remedy));
        }
        strange(source, flow, &format!(".at.{name}"), &of_at(at.get_ref()))?;
    }
    Ok(())
}

fn strange(source: &Source<'_>, flow: Flow, table: &str, keys: &[(&str, Option<usize>)]) -> Drawn<()> {
    for (key, at) in keys {
        let flows = HOMES.iter().find(|(known, _)| known == key).map_or(&[][..], |(_, flows)| flows);
        if at.is_some() && !flows.contains(&flow) {
            let homes: Vec<String> = flows.iter().map(|flow| format!("[flows.{flow}]")).collect();
            let what = format!("`{key}` means nothing in [flows.{flow}{table}]");
            let remedy = format!("move it to {}, or take it out", homes.join(" or "));
            return Err(source.error("SYN-0412", *at, what, remedy));
        }
    }
    Ok(())
}

fn place<T>(key: Option<&Spanned<T>>) -> Option<usize> {
    key.map(|key| key.span().start)
}

fn of_flow(raw: &raw::Flow) -> [(&'static str, Option<usize>); 29] {
    [
        ("start", place(raw.start.as_ref())),
        ("tax", place(raw.tax.as_ref())),
        ("number", place(raw.number.as_ref())),
        ("release", place(raw.release.as_ref())),
        ("release_days", place(raw.release_days.as_ref())),
        ("rounding_per_line", place(raw.rounding_per_line.as_ref())),
        ("amendments", place(raw.amendments.as_ref())),
        ("cancels", place(raw.cancels.as_ref())),
        ("adopt", place(raw.adopt.as_ref())),
        ("payment_methods", place(raw.payment_methods.as_ref())),
        ("taxes", place(raw.taxes.as_ref())),
        ("company", place(raw.company.as_ref())),
        ("web_shop", place(raw.web_shop.as_ref())),
        ("warehouse", place(raw.warehouse.as_ref())),
        ("safety", place(raw.safety.as_ref())),
        ("sources", place(raw.sources.as_ref())),
        ("lists", place(raw.lists.as_ref())),
        ("fields", place(raw.fields.as_ref())),
        ("attributes", place(raw.attributes.as_ref())),
        ("choices", place(raw.choices.as_ref())),
        ("options", place(raw.options.as_ref())),
        ("create", place(raw.create.as_ref())),
        ("match", place(raw.matching.as_ref())),
        ("groups", place(raw.groups.as_ref())),
        ("carriers", place(raw.carriers.as_ref())),
        ("invoices", place(raw.invoices.as_ref())),
        ("credits", place(raw.credits.as_ref())),
        ("payments", place(raw.payments.as_ref())),
        ("refunds", place(raw.refunds.as_ref())),
    ]
}

fn of_at(raw: &raw::At) -> [(&'static str, Option<usize>); 24] {
    [
        ("start", place(raw.start.as_ref())),
        ("number", place(raw.number.as_ref())),
        ("release", place(raw.release.as_ref())),
        ("release_days", place(raw.release_days.as_ref())),
        ("rounding_per_line", place(raw.rounding_per_line.as_ref())),
        ("amendments", place(raw.amendments.as_ref())),
        ("cancels", place(raw.cancels.as_ref())),
        ("adopt", place(raw.adopt.as_ref())),
        ("payment_methods", place(raw.payment_methods.as_ref())),
        ("taxes", place(raw.taxes.as_ref())),
        ("company", place(raw.company.as_ref())),
        ("web_shop", place(raw.web_shop.as_ref())),
        ("warehouse", place(raw.warehouse.as_ref())),
        ("safety", place(raw.safety.as_ref())),
        ("sources", place(raw.sources.as_ref())),
        ("lists", place(raw.lists.as_ref())),
        ("fields", place(raw.fields.as_ref())),
        ("create", place(raw.create.as_ref())),
        ("groups", place(raw.groups.as_ref())),
        ("carriers", place(raw.carriers.as_ref())),
        ("invoices", place(raw.invoices.as_ref())),
        ("credits", place(raw.credits.as_ref())),
        ("payments", place(raw.payments.as_ref())),
        ("refunds", place(raw.refunds.as_ref())),
    ]
}
