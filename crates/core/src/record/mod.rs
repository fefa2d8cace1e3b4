//! Records: typed structs, each with one law-tested mapping to leaves and back.

mod category;
mod customer;
mod fields;
mod form;
mod image;
mod lines;
mod order;
mod order_line;
mod paper;
mod parts;
mod price;
mod product;
mod stock;
mod texts;
mod variant;

pub use category::{Category, Parent, SHARED as CATEGORY_SHARED};
pub use customer::{Address, Customer, SHARED as CUSTOMER_SHARED};
pub use fields::Malformed;
pub use form::LineForm;
pub use image::{IMAGES, Image, LIMIT as IMAGE_LIMIT, Sort, TWICE as IMAGE_TWICE, key_of as image_key};
pub use lines::Lines;
pub use order::{ASKED, Order, OrderLife, Payment, SoldTo, Totals};
pub use order_line::{Charge, Had, Line, Tax};
pub use paper::{Paper, PaperLife, PaperLine, Track, apart as paper_apart, below as paper_below};
pub use parts::{Composition, PARTS, Part};
pub use price::{Price, PriceKey, PriceRow, SHARED as PRICE_SHARED};
pub use product::{Product, SHARED as PRODUCT_SHARED};
pub use stock::{Level, Stock};
pub use texts::{Changed, Texts};
pub use variant::{FAMILY, SHARED as VARIANT_SHARED, Variant};

use crate::kind::Kind;
use crate::leaf::Leaves;

/// The paths whose values two systems can share of records of `kind`; none for kinds that are not shared by fields.
#[must_use]
pub fn shared_paths(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Category => &CATEGORY_SHARED,
        Kind::Product => &PRODUCT_SHARED,
        Kind::Variant => &VARIANT_SHARED,
        Kind::Customer => &CUSTOMER_SHARED,
        Kind::Price => &PRICE_SHARED,
        Kind::Stock | Kind::Order | Kind::Shipment | Kind::Invoice | Kind::Payment | Kind::Credit => &[],
    }
}

/// One record of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A sale.
    Order(alloc::boxed::Box<Order>),
    /// A buyer.
    Customer(Customer),
    /// What products are sorted by.
    Category(Category),
    /// What several variants belong to.
    Product(Product),
    /// What is sold.
    Variant(Variant),
    /// How much of it is there.
    Stock(Stock),
    /// What is asked for it.
    Price(Price),
    /// Goods of an order that left together.
    Shipment(alloc::boxed::Box<Paper>),
    /// Money asked for an order.
    Invoice(alloc::boxed::Box<Paper>),
    /// Money taken for an order.
    Payment(alloc::boxed::Box<Paper>),
    /// Money given back for an order.
    Credit(alloc::boxed::Box<Paper>),
}

impl Record {
    /// The paper it is; none for what is none.
    #[must_use]
    pub fn paper(&self) -> Option<&Paper> {
        match self {
            Self::Shipment(paper) | Self::Invoice(paper) | Self::Payment(paper) | Self::Credit(paper) => Some(paper),
            _ => None,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Order(_) => Kind::Order,
            Self::Customer(_) => Kind::Customer,
            Self::Category(_) => Kind::Category,
            Self::Product(_) => Kind::Product,
            Self::Variant(_) => Kind::Variant,
            Self::Stock(_) => Kind::Stock,
            Self::Price(_) => Kind::Price,
            Self::Shipment(_) => Kind::Shipment,
            Self::Invoice(_) => Kind::Invoice,
            Self::Payment(_) => Kind::Payment,
            Self::Credit(_) => Kind::Credit,
        }
    }

    /// Its fields as leaves.
    #[must_use]
    pub fn to_leaves(&self) -> Leaves {
        match self {
            Self::Order(order) => order.to_leaves(),
            Self::Customer(customer) => customer.to_leaves(),
            Self::Category(category) => category.to_leaves(),
            Self::Product(product) => product.to_leaves(),
            Self::Variant(variant) => variant.to_leaves(),
            Self::Stock(stock) => stock.to_leaves(),
            Self::Price(price) => price.to_leaves(),
            Self::Shipment(paper) | Self::Invoice(paper) | Self::Payment(paper) | Self::Credit(paper) => {
                paper.to_leaves()
            }
        }
    }

    /// The record that `leaves` tell, for its kind.
    ///
    /// # Errors
    /// [`Malformed`] with the path where a field is missing, of another type, or unknown.
    pub fn from_leaves(kind: Kind, leaves: &Leaves) -> Result<Self, Malformed> {
        Ok(match kind {
            Kind::Order => Self::Order(alloc::boxed::Box::new(Order::from_leaves(leaves)?)),
            Kind::Customer => Self::Customer(Customer::from_leaves(leaves)?),
            Kind::Category => Self::Category(Category::from_leaves(leaves)?),
            Kind::Product => Self::Product(Product::from_leaves(leaves)?),
            Kind::Variant => Self::Variant(Variant::from_leaves(leaves)?),
            Kind::Stock => Self::Stock(Stock::from_leaves(leaves)?),
            Kind::Price => Self::Price(Price::from_leaves(leaves)?),
            Kind::Shipment => Self::Shipment(alloc::boxed::Box::new(Paper::from_leaves(leaves)?)),
            Kind::Invoice => Self::Invoice(alloc::boxed::Box::new(Paper::from_leaves(leaves)?)),
            Kind::Payment => Self::Payment(alloc::boxed::Box::new(Paper::from_leaves(leaves)?)),
            Kind::Credit => Self::Credit(alloc::boxed::Box::new(Paper::from_leaves(leaves)?)),
        })
    }
}

#[cfg(test)]
mod tests;
