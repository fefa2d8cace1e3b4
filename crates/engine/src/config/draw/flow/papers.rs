//! The papers flow out of the file: which shop is told of what, what it calls carriers and places, and what the
//! ERP calls the ways it was paid by.

use super::{Drawing, Drawn, pairs, word};
use crate::config::draw::at::Told;
use crate::config::{Config, FlowConfig, raw};
use syncline_core::rules::{MoneyRule, PaperRules, PaperTarget, Refunds};
use toml::Spanned;

/// What may be done about money that people of a shop give back.
const REFUNDS: [(&str, Refunds); 3] = [("ask", Refunds::Ask), ("draft", Refunds::Draft), ("carry", Refunds::Carry)];

impl Drawing<'_> {
    /// The rules of the papers flow. Places are those of the stock flow, unless the file says others here.
    pub(super) fn papers(&self, flow: &FlowConfig, raw: &raw::Flow, drawn: &Config) -> Drawn<PaperRules> {
        let stock = drawn.inventory.as_ref();
        let mut targets: Vec<PaperTarget> = Vec::new();
        for (erp, shop) in pairs(flow) {
            if !drawn.orders.iter().any(|rules| rules.source == *shop && rules.target == *erp) {
                let what = format!("[flows.papers] goes to `{shop}`, whose orders do not flow to `{erp}`");
                let remedy =
                    format!("add `{shop}` to `from` under [flows.orders], or take it out here: papers are of orders");
                return Err(self.source.error("SYN-0474", Some(self.at), what, remedy));
            }
            let told = Told::of(raw, shop);
            let of_stock = || stock?.targets.iter().find(|one| one.system == *shop).map(|one| one.places.clone());
            let places = match told.sources() {
                Some(rows) => self.places(rows.get_ref())?,
                None => of_stock().unwrap_or_default(),
            };
            targets.push(PaperTarget {
                system: shop.clone(),
                carriers: told.carriers(),
                places,
                invoices: self.money("invoices", told.invoices())?,
                credits: self.money("credits", told.credits())?,
                payments: told.payments(),
                refunds: self.choice("refunds", told.refunds(), &REFUNDS)?,
            });
        }
        Ok(PaperRules { source: self.only(&flow.from)?, targets })
    }

    /// Which papers with money a shop is told of; none where the file does not say.
    fn money(&self, key: &str, text: Option<&Spanned<String>>) -> Drawn<MoneyRule> {
        let Some(text) = text else { return Ok(MoneyRule::Off) };
        let read = |word: &str| match word {
            "off" => Some(MoneyRule::Off),
            "posted" => Some(MoneyRule::Posted),
            "paid" => Some(MoneyRule::Paid),
            _ => None,
        };
        word(self.source, key, text, &["off", "posted", "paid"], read)
    }
}
