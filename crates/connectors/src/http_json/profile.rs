//! What a JSON API does by its description.

use super::config::SETTLE_S;
use std::collections::BTreeMap;
use syncline_connect::json_api::Resource;
use syncline_core::kind::{Kind, Step};
use syncline_core::profile::{Guard, GuardClaim, KindProfile, Profile};

/// The word for it in the file.
pub(super) const NAME: &str = "http-json";
/// Requests side by side where the file says nothing.
const CALLS: usize = 4;
/// Products written side by side, each by a request of its own.
const BATCH: usize = 4;
/// The fields a file can describe.
const ALL: [&str; 7] = ["sku", "form", "active", "weight", "attributes.*", "texts.*.name", "texts.*.description"];

/// What the API of `variants` does; what one can do at best where none is described.
pub(super) fn profile(variants: Option<&Resource>) -> Profile {
    Profile {
        name: NAME.to_owned(),
        title: "Any JSON API, as the file describes it".to_owned(),
        api_version: "its own".to_owned(),
        sunset: None,
        kinds: BTreeMap::from([(Kind::Variant, variants.map_or_else(at_best, described))]),
        calls_in_flight: CALLS,
    }
}

fn at_best() -> KindProfile {
    let all: Vec<String> = ALL.iter().map(|path| (*path).to_owned()).collect();
    KindProfile {
        reads: all.clone(),
        writes: all,
        steps: vec![Step::Create, Step::Update],
        since: "what the file names".to_owned(),
        batch: BATCH,
        guards: vec![GuardClaim { when: "the file does not say `unique`".to_owned(), ..made_once() }, refused_twice()],
        settle_s: Some(SETTLE_S),
        ..KindProfile::default()
    }
}

fn described(resource: &Resource) -> KindProfile {
    let named = |written: bool| {
        let fields = resource.fields.iter().filter(move |(_, field)| !written || (field.write && field.at.is_some()));
        fields.map(|(leaf, _)| leaf.to_string()).collect::<Vec<_>>()
    };
    let writes = resource.update.is_some() || resource.create.is_some();
    let create = resource.create.is_some().then_some(Step::Create);
    let update = resource.update.is_some().then_some(Step::Update);
    KindProfile {
        reads: named(false),
        writes: if writes { named(true) } else { Vec::new() },
        steps: create.into_iter().chain(update).collect(),
        since: resource.since.as_ref().map_or_else(String::new, |since| since.0.clone()),
        batch: together(resource),
        guards: resource
            .create
            .iter()
            .map(|create| if create.unique { refused_twice() } else { made_once() })
            .collect(),
        settle_s: writes.then_some(SETTLE_S),
        ..KindProfile::default()
    }
}

/// How many are written together: as many as the largest request takes.
fn together(resource: &Resource) -> usize {
    let calls = resource.create.iter().chain(&resource.update);
    let most = calls.filter_map(|call| usize::try_from(call.batch.as_ref()?.most).ok()).max();
    most.unwrap_or(BATCH)
}

/// The system refuses a second product of one SKU: none is looked for before one is made.
fn refused_twice() -> GuardClaim {
    GuardClaim {
        step: Step::Create,
        guard: Guard::Unique { field: "sku".to_owned() },
        when: "the file says `unique`".to_owned(),
        source: "`create.unique` of the file".to_owned(),
    }
}

/// How a product is kept from being made twice, by nothing but what the file says: it is looked for by its SKU before, and
/// after a doubt once nothing can land any more. Whether the search finds it is tried by `probe`.
fn made_once() -> GuardClaim {
    GuardClaim {
        step: Step::Create,
        guard: Guard::Look { field: "sku".to_owned(), settle_s: SETTLE_S },
        when: String::new(),
        source: "`find` of the file, tried by `probe` with a product that is there".to_owned(),
    }
}
