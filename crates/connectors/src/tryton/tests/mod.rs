//! The connector against the simulated Tryton, against answers as a live one gave them, and against one that runs.

mod amend;
mod attributes;
mod bench;
mod category;
mod credit;
mod family;
mod images;
mod invoice;
mod live;
mod note;
mod paper;
mod payment;
mod price;
mod price_feed;
mod product;
mod product_feed;
mod recorded;
mod simulated;
mod stock;
mod stock_feed;
mod walk;
mod withdraw;
