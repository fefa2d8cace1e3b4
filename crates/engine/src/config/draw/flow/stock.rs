//! The stock flow out of the file: which place of a shop shows which warehouses, and that one alone tells a figure.

use super::{Drawing, Drawn, pairs};
use crate::config::draw::at::Told;
use crate::config::{FlowConfig, raw};
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::rules::{StockRules, StockTarget};
use toml::Spanned;

impl Drawing<'_> {
    /// The rules of the stock flow.
    pub(super) fn inventory(&self, flow: &FlowConfig, raw: &raw::Flow) -> Drawn<StockRules> {
        let mut targets: Vec<StockTarget> = Vec::new();
        for (_, shop) in pairs(flow) {
            let told = Told::of(raw, shop);
            let none = BTreeMap::new();
            let places = self.places(told.sources().map_or(&none, Spanned::get_ref))?;
            self.one_teller(&targets, shop, &places, told.sources().map(|rows| rows.span().start))?;
            let safety = told.safety().map_or(0, |safety| *safety.get_ref()).into();
            targets.push(StockTarget { system: shop.clone(), safety, places });
        }
        Ok(StockRules { source: self.only(&flow.from)?, targets })
    }

    /// Refuses a place that an earlier one of `targets` shows too because both are websites of one shop: two would tell its
    /// one figure, each after its own rules.
    fn one_teller(
        &self,
        targets: &[StockTarget],
        shop: &SystemName,
        places: &[(String, Vec<String>)],
        at: Option<usize>,
    ) -> Drawn<()> {
        let beside = |one: &&StockTarget| match (self.systems.get(&one.system), self.systems.get(shop)) {
            (Some(one), Some(other)) => one.is_beside(other),
            _ => false,
        };
        for other in targets.iter().filter(beside) {
            let Some((place, _)) = places.iter().find(|(place, _)| other.places.iter().any(|(of, _)| of == place))
            else {
                continue;
            };
            let what =
                format!("`{}` and `{shop}` are websites of one shop and both show its place `{place}`", other.system);
            let remedy = format!(
                "leave `{shop}` out of `to`: it sells from what is told to `{}`; or give its website a stock with places of \
                 its own",
                other.system
            );
            return Err(self.source.error("SYN-0473", at.or(Some(self.at)), what, remedy));
        }
        Ok(())
    }

    /// The shop's places with their warehouses. A warehouse shown in two places would be sold twice.
    pub(super) fn places(&self, rows: &BTreeMap<String, Spanned<Vec<String>>>) -> Drawn<Vec<(String, Vec<String>)>> {
        let example = "write one like `sources = { default = [\"WH\"] }`; `syncline systems` lists both sides' places";
        if rows.is_empty() {
            let what =
                format!("[flows.{}] has no `sources`: which place of the shop shows which warehouses", self.flow);
            return Err(self.source.error("SYN-0414", Some(self.at), what, example));
        }
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (place, warehouses) in rows {
            let at = Some(warehouses.span().start);
            if warehouses.get_ref().is_empty() {
                return Err(self.wrong(at, format!("`sources.{place}` names no warehouse"), example));
            }
            for warehouse in warehouses.get_ref() {
                if let Some(other) = seen.insert(warehouse, place) {
                    let what = format!("the warehouse `{warehouse}` is shown in `{other}` and in `{place}`");
                    return Err(self.wrong(at, what, "name each warehouse once, or its stock would be sold twice"));
                }
            }
        }
        Ok(rows.iter().map(|(place, warehouses)| (place.clone(), warehouses.get_ref().clone())).collect())
    }
}
