//! The kinds of record, the flows that carry them, and the steps of a write.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// What sort of record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What products are sorted by: a tree of names.
    Category,
    /// A product family: its texts, what tells its variants apart, and which they are.
    Product,
    /// What is sold: SKU, unit, tax class.
    Variant,
    /// A buyer, private or company, with addresses.
    Customer,
    /// How much of a variant is there, place by place.
    Stock,
    /// What is asked for a variant, list by list.
    Price,
    /// A sale taken in a shop.
    Order,
    /// Goods of an order that left together.
    Shipment,
    /// Money asked for an order.
    Invoice,
    /// Money taken for an order.
    Payment,
    /// Money given back for an order.
    Credit,
}

/// Every kind this version knows.
pub const KINDS: [Kind; 11] = [
    Kind::Category,
    Kind::Product,
    Kind::Variant,
    Kind::Customer,
    Kind::Stock,
    Kind::Price,
    Kind::Order,
    Kind::Shipment,
    Kind::Invoice,
    Kind::Payment,
    Kind::Credit,
];

impl Kind {
    /// The word for it in files, ids and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Product => "product",
            Self::Variant => "variant",
            Self::Customer => "customer",
            Self::Stock => "stock",
            Self::Price => "price",
            Self::Order => "order",
            Self::Shipment => "shipment",
            Self::Invoice => "invoice",
            Self::Payment => "payment",
            Self::Credit => "credit",
        }
    }

    /// The flow that carries it.
    #[must_use]
    pub fn flow(self) -> Flow {
        match self {
            Self::Category | Self::Product | Self::Variant => Flow::Products,
            Self::Customer => Flow::Customers,
            Self::Stock => Flow::Inventory,
            Self::Price => Flow::Prices,
            Self::Order => Flow::Orders,
            Self::Shipment | Self::Invoice | Self::Payment | Self::Credit => Flow::Papers,
        }
    }

    /// Whether it is of the catalogue: what nobody has tied is passed over, unless its system's are made in others.
    #[must_use]
    pub fn of_catalogue(self) -> bool {
        matches!(self, Self::Category | Self::Product | Self::Variant)
    }

    /// Whether it tells what was done about an order.
    #[must_use]
    pub fn is_paper(self) -> bool {
        matches!(self, Self::Shipment | Self::Invoice | Self::Payment | Self::Credit)
    }

    /// Its word for several of them.
    #[must_use]
    pub fn plural(self) -> String {
        match self {
            Self::Category => "categories".into(),
            Self::Stock => "stock".into(),
            other => alloc::format!("{other}s"),
        }
    }

    /// Whether its records hang on a variant and go by its names.
    #[must_use]
    pub fn of_variant(self) -> bool {
        matches!(self, Self::Stock | Self::Price)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        KINDS.into_iter().find(|kind| kind.word() == word).ok_or(())
    }
}

/// The configured unit: which kinds go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// Categories, products and variants.
    Products,
    /// Customers.
    Customers,
    /// Stock.
    Inventory,
    /// Prices.
    Prices,
    /// Orders.
    Orders,
    /// What is done about orders: shipments, invoices, payments, credits.
    Papers,
}

/// Every flow this version knows, dependencies first.
pub const FLOWS: [Flow; 6] =
    [Flow::Products, Flow::Customers, Flow::Inventory, Flow::Prices, Flow::Orders, Flow::Papers];

impl Flow {
    /// The word for it in the file and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Customers => "customers",
            Self::Inventory => "inventory",
            Self::Prices => "prices",
            Self::Orders => "orders",
            Self::Papers => "papers",
        }
    }

    /// The kinds it carries, those that others refer to first.
    #[must_use]
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Products => &[Kind::Category, Kind::Product, Kind::Variant],
            Self::Customers => &[Kind::Customer],
            Self::Inventory => &[Kind::Stock],
            Self::Prices => &[Kind::Price],
            Self::Orders => &[Kind::Order],
            Self::Papers => &[Kind::Shipment, Kind::Invoice, Kind::Payment, Kind::Credit],
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Flow {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        FLOWS.into_iter().find(|flow| flow.word() == word).ok_or(())
    }
}

/// What one write does to a document. One step is one effect in the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Makes the document, not yet released where the target knows drafts.
    Create,
    /// Brings the lines of an open document to the wanted level.
    Lines,
    /// Moves the document to a stage, e.g. `confirm`.
    Advance(String),
    /// Sets fields of an existing document.
    Update,
    /// Changes a document that is in force, with all that was made of it, one call at a time.
    Amend,
    /// Withdraws the document.
    Cancel,
    /// Removes a document that was never released, such as a second draft.
    Delete,
    /// Adds one part, e.g. an address, to an existing document.
    Attach(String),
}

impl Step {
    /// The step in words, e.g. `advance(confirm)`.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Create => "create".into(),
            Self::Lines => "lines".into(),
            Self::Advance(stage) => alloc::format!("advance({stage})"),
            Self::Update => "update".into(),
            Self::Amend => "amend".into(),
            Self::Cancel => "cancel".into(),
            Self::Delete => "delete".into(),
            Self::Attach(part) => alloc::format!("attach({part})"),
        }
    }

    /// Whether the step makes something that would exist twice if it were done twice.
    #[must_use]
    pub fn creates(&self) -> bool {
        matches!(self, Self::Create | Self::Attach(_))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn each_kind_has_its_word_its_flow_and_its_place() {
        // The word for one and for several; the flow; of the catalogue, a paper, of a variant.
        for (kind, word, several, flow, of) in [
            (Kind::Category, "category", "categories", Flow::Products, [true, false, false]),
            (Kind::Product, "product", "products", Flow::Products, [true, false, false]),
            (Kind::Variant, "variant", "variants", Flow::Products, [true, false, false]),
            (Kind::Customer, "customer", "customers", Flow::Customers, [false, false, false]),
            (Kind::Stock, "stock", "stock", Flow::Inventory, [false, false, true]),
            (Kind::Price, "price", "prices", Flow::Prices, [false, false, true]),
            (Kind::Order, "order", "orders", Flow::Orders, [false, false, false]),
            (Kind::Shipment, "shipment", "shipments", Flow::Papers, [false, true, false]),
            (Kind::Invoice, "invoice", "invoices", Flow::Papers, [false, true, false]),
            (Kind::Payment, "payment", "payments", Flow::Papers, [false, true, false]),
            (Kind::Credit, "credit", "credits", Flow::Papers, [false, true, false]),
        ] {
            assert_eq!((kind.word(), kind.to_string().as_str(), kind.plural().as_str()), (word, word, several));
            assert_eq!((kind.flow(), word.parse()), (flow, Ok(kind)));
            assert_eq!([kind.of_catalogue(), kind.is_paper(), kind.of_variant()], of, "{kind}");
            assert!(flow.kinds().contains(&kind), "{flow} carries {kind}");
        }
        assert_eq!("orders".parse::<Kind>(), Err(()), "a flow is no kind");
    }

    #[test]
    fn each_flow_carries_its_kinds_and_no_kind_is_carried_twice() {
        for flow in FLOWS {
            assert!(flow.kinds().iter().all(|kind| kind.flow() == flow), "{flow}");
            assert_eq!((flow.to_string().parse(), flow.word().parse()), (Ok(flow), Ok(flow)));
        }
        assert_eq!(FLOWS.iter().map(|flow| flow.kinds().len()).sum::<usize>(), KINDS.len());
        assert_eq!(FLOWS.map(Flow::word), ["products", "customers", "inventory", "prices", "orders", "papers"]);
        assert_eq!("order".parse::<Flow>(), Err(()), "a kind is no flow");
    }

    #[test]
    fn each_step_has_its_word_and_only_what_is_made_or_added_can_be_there_twice() {
        for (step, word, creates) in [
            (Step::Create, "create", true),
            (Step::Lines, "lines", false),
            (Step::Advance("confirm".to_string()), "advance(confirm)", false),
            (Step::Update, "update", false),
            (Step::Amend, "amend", false),
            (Step::Cancel, "cancel", false),
            (Step::Delete, "delete", false),
            (Step::Attach("tracks".to_string()), "attach(tracks)", true),
        ] {
            assert_eq!((step.word().as_str(), step.to_string().as_str(), step.creates()), (word, word, creates));
        }
    }
}
