//! The groups of customers that the file has a word of the ERP for.

use super::Drawn;
use super::at::Told;
use crate::config::error::Source;
use crate::config::raw;
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::record::Customer;
use syncline_core::rules::{FieldPolicy, PairRules};

/// By shop: its groups, each with the ERP's price list, or nothing for none.
pub(super) type Groups = BTreeMap<SystemName, BTreeMap<String, String>>;

/// The rows of each shop that has any.
pub(super) fn rows(shops: &[SystemName], raw: &raw::Flow) -> Groups {
    let all = shops.iter().map(|shop| (shop.clone(), Told::of(raw, shop).groups()));
    all.filter(|(_, rows)| !rows.is_empty()).collect()
}

/// Has each side of a shop without rows keep its groups; refuses one whose `fields` says otherwise.
pub(super) fn kept_without_rows(source: &Source<'_>, at: usize, all: &mut [PairRules], groups: &Groups) -> Drawn<()> {
    for pair in all.iter_mut().filter(|pair| !groups.contains_key(&pair.source)) {
        let group = Customer::group_path();
        if pair.policies.iter().any(|(path, policy)| *path == group && *policy != FieldPolicy::Keep) {
            let what = "`fields.group` says who decides a customer's group, and no row says what the ERP calls one";
            let remedy = "add `groups = { \"General\" = \"\", \"Wholesale\" = \"Trade list\" }`: the shop's group = the ERP's \
                          price list, nothing for none";
            return Err(source.error("SYN-0469", Some(at), what, remedy));
        }
        pair.policies.retain(|(path, _)| *path != group);
        pair.policies.push((group, FieldPolicy::Keep));
    }
    Ok(())
}
