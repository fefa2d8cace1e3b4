//! A JSON API that the file describes: what it says held together, and refused for systems that are not described.

use super::{Drawn, Source, raw};
use crate::config::{Described, SystemKind};
use toml::Spanned;

/// Requests a second at most that a file may ask for.
const MOST_A_SECOND: u32 = 10_000;

/// What the table of the system `name` describes, where its kind is described.
pub(super) fn drawn(
    source: &Source<'_>,
    name: &str,
    kind: SystemKind,
    table: &Spanned<raw::System>,
) -> Drawn<Option<Described>> {
    let raw = table.get_ref();
    if !kind.is_described() {
        let told = [
            ("calls_per_second", raw.calls_per_second.as_ref().map(|told| told.span().start)),
            ("token_header", raw.token_header.as_ref().map(|told| told.span().start)),
            ("variants", raw.variants.as_ref().map(|told| told.span().start)),
        ];
        let Some((key, Some(at))) = told.into_iter().find(|(_, at)| at.is_some()) else { return Ok(None) };
        let what = format!("`{key}` means nothing for a {} system", kind.word());
        let remedy = "remove it: only systems of `kind = \"http-json\"` are described";
        return Err(source.error("SYN-0412", Some(at), what, remedy));
    }
    one_way_in(source, name, table)?;
    let Some(variants) = &raw.variants else {
        let what = format!("[systems.{name}] has no `variants`");
        let remedy = format!("add [systems.{name}.variants]: where its products lie and which field is which");
        return Err(source.error("SYN-0414", Some(table.span().start), what, remedy));
    };
    variants.get_ref().checked().map_err(|wrong| {
        let what = format!("[systems.{name}.variants] {}", wrong.what);
        source.error("SYN-0413", Some(variants.span().start), what, wrong.remedy)
    })?;
    let per_second = raw.calls_per_second.as_ref();
    if let Some(told) = per_second.filter(|told| !(1..=MOST_A_SECOND).contains(told.get_ref())) {
        let what = format!("`calls_per_second` is {}; it has to be 1 to {MOST_A_SECOND}", told.get_ref());
        return Err(source.error("SYN-0413", Some(told.span().start), what, "write what the system bears, e.g. 10"));
    }
    Ok(Some(Described {
        token_header: raw.token_header.as_ref().map(|told| told.get_ref().clone()),
        per_second: per_second.map(|told| *told.get_ref()),
        variants: variants.get_ref().clone(),
    }))
}

/// Refuses a system that could be entered in several ways, or by half of one; it may be open to everybody.
fn one_way_in(source: &Source<'_>, name: &str, table: &Spanned<raw::System>) -> Drawn<()> {
    let raw = table.get_ref();
    let at = Some(table.span().start);
    let half = |has: &str, lacks: &str| {
        let what = format!("[systems.{name}] has `{has}` and no `{lacks}`");
        Err(source.error("SYN-0414", at, what, format!("add `{lacks}`, or take `{has}` out")))
    };
    if let Some(url) = raw.url.as_ref().filter(|url| url.get_ref().contains(['?', '#'])) {
        let what = "`url` of a JSON API ends before what is asked of it";
        let remedy =
            "write the part that all of its addresses begin with, and the rest into `list`, `read` and the others";
        return Err(source.error("SYN-0413", Some(url.span().start), what, remedy));
    }
    match (&raw.token, &raw.login, &raw.password) {
        (Some(token), Some(_), _) | (Some(token), _, Some(_)) => {
            let what = format!("[systems.{name}] has a `token` and a `login`");
            Err(source.error("SYN-0412", Some(token.span().start), what, "keep one way in, the other one out"))
        }
        (None, Some(_), None) => half("login", "password"),
        (None, None, Some(_)) => half("password", "login"),
        (None, ..) if raw.token_header.is_some() => half("token_header", "token"),
        _ => Ok(()),
    }
}
