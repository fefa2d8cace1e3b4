//! Talks to Magento's REST API: addresses, tokens, and what an answer that is no success means.

use super::config::{Auth, Config};
use super::layout::Layout;
use super::lost::Filter;
use super::oauth;
use super::wire::{self, Listing, Refusal};
use crate::wire::{is_html, json};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use syncline_connect::ctx::{self, CallError};
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Effect, Error, Request, Response, Result};
use syncline_core::policy::ErrorKind;
use tokio::sync::Mutex;

/// Rows asked for at once. A shop may allow fewer ("Web API input limits"); then fewer are asked for from then on.
pub(super) const PAGE: u32 = 100;
/// Pages of one search; more, and the shop has no end of them.
const PAGES: u32 = 1_000;
/// How often a read is sent when its answer breaks off.
const UNFINISHED_READS: u32 = 3;
/// Writes refused in a row for want of rights before that is believed: one 401 may be a token that just ended.
const REFUSED_WRITES: u32 = 3;

/// The part of the shop a request is for: the code in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope<'s>(&'s str);

impl Scope<'static> {
    /// The default view's; what is not told by view is asked for here.
    pub(super) const DEFAULT: Self = Self("default");
    /// What holds in every view without a value of its own (recorded: product-global-rename).
    pub(super) const ALL: Self = Self("all");
}

impl<'s> Scope<'s> {
    /// One store view's.
    pub(super) fn view(code: &'s str) -> Self {
        Self(code)
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'c> {
    pub(super) method: &'static str,
    pub(super) scope: Scope<'c>,
    /// The path below the version, e.g. `orders/12`.
    pub(super) path: &'c str,
}

impl<'c> Call<'c> {
    fn get(scope: Scope<'c>, path: &'c str) -> Self {
        Self { method: "GET", scope, path }
    }

    /// A `POST` outside of any store view's own values.
    pub(super) fn post(path: &'c str) -> Self {
        Self { method: "POST", scope: Scope::DEFAULT, path }
    }
}

/// Sources, stocks, and which belong together.
pub(super) type Places = (Vec<wire::Source>, Vec<wire::StockPool>, Vec<wire::StockLink>);

/// One shop's API.
pub(super) struct Client {
    root: String,
    auth: Auth,
    pub(super) layout: Layout,
    token: Mutex<Option<String>>,
    refused_writes: AtomicU32,
    page: AtomicU32,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("root", &self.root).field("auth", &self.auth).finish_non_exhaustive()
    }
}

/// A search over one list, always in an order of our own: Magento sorts descending where it is not told.
#[derive(Debug, Clone)]
pub(super) struct Search<'s> {
    pub(super) scope: Scope<'s>,
    pub(super) resource: &'static str,
    /// Field, condition and value; all must hold.
    pub(super) filters: Vec<Filter>,
    /// Filters beside, of which one must hold; empty for no matter.
    pub(super) any: &'s [Filter],
    /// Ascending.
    pub(super) sort: Vec<&'static str>,
    pub(super) size: u32,
    pub(super) page: u32,
    /// The part of the answer wanted; empty for all of it.
    pub(super) fields: &'static str,
}

impl Search<'_> {
    fn path(&self) -> String {
        let mut path = format!("{}?", self.resource);
        let groups = self.filters.iter().enumerate().map(|(group, filter)| (group, 0, filter));
        let beside = self.any.iter().enumerate().map(|(at, filter)| (self.filters.len(), at, filter));
        for (group, at, (field, condition, value)) in groups.chain(beside) {
            let base = format!("searchCriteria[filterGroups][{group}][filters][{at}]");
            path += &format!("{base}[field]={field}&{base}[value]={}&", encoded(value));
            path += &format!("{base}[conditionType]={condition}&");
        }
        for (at, field) in self.sort.iter().enumerate() {
            let base = format!("searchCriteria[sortOrders][{at}]");
            path += &format!("{base}[field]={field}&{base}[direction]=ASC&");
        }
        path += &format!("searchCriteria[pageSize]={}&searchCriteria[currentPage]={}", self.size, self.page);
        if !self.fields.is_empty() {
            path += &format!("&fields={}", self.fields);
        }
        path
    }
}

/// Why a search has no answer, and whether asking for fewer rows may help.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: Error,
    pub(super) smaller_may_help: bool,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { error, smaller_may_help: false }
    }
}

impl Client {
    pub(super) fn new(config: Config) -> Self {
        Self {
            root: config.url.trim().trim_end_matches('/').to_owned(),
            auth: config.auth,
            layout: Layout::new(config.views, config.website),
            token: Mutex::new(None),
            refused_writes: AtomicU32::new(0),
            page: AtomicU32::new(PAGE),
        }
    }

    /// Rows to ask for at once.
    pub(super) fn page_size(&self) -> u32 {
        self.page.load(Ordering::Relaxed).max(1)
    }

    /// The JSON at `path` below the version, e.g. `orders/12`.
    pub(super) async fn get<T: DeserializeOwned>(&self, ctx: &Ctx, path: &str) -> Result<T> {
        self.get_in(ctx, Scope::DEFAULT, path).await
    }

    /// The same as a scope shows it.
    pub(super) async fn get_in<T: DeserializeOwned>(&self, ctx: &Ctx, scope: Scope<'_>, path: &str) -> Result<T> {
        self.answer(ctx, Call::get(scope, path), &[]).await
    }

    /// The answer to a question that is a `POST` and changes nothing, so that it may be asked again.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ctx: &Ctx, path: &str, body: &Value) -> Result<T> {
        let call = Call { method: "POST", scope: Scope::ALL, path };
        self.answer(ctx, call, body.to_string().as_bytes()).await
    }

    async fn answer<T: DeserializeOwned>(&self, ctx: &Ctx, call: Call<'_>, body: &[u8]) -> Result<T> {
        let mut attempt = 1;
        loop {
            let (request, response) = self.exchange(ctx, call, body).await.map_err(Error::from)?;
            if response.status != 200 {
                return Err(refusal(&request, &response));
            }
            match json(&request, &response) {
                Err(_) if unfinished(&response) && attempt < UNFINISHED_READS => attempt += 1,
                other => return other,
            }
        }
    }

    /// The answer of a search.
    pub(super) async fn list(&self, ctx: &Ctx, search: &Search<'_>) -> std::result::Result<Listing, Trouble> {
        let path = search.path();
        let call = Call::get(search.scope, &path);
        let mut attempt = 1;
        loop {
            let (request, response) = self.exchange(ctx, call, &[]).await.map_err(|failed| Trouble {
                smaller_may_help: failed.error.kind == ErrorKind::Broken,
                error: failed.error,
            })?;
            if response.status != 200 {
                let error = refusal(&request, &response);
                let over_limit = response.status == 400 && error.message.contains("pageSize");
                if over_limit {
                    self.page.store((search.size / 2).max(1), Ordering::Relaxed);
                }
                return Err(Trouble { smaller_may_help: over_limit || response.status == 500, error });
            }
            let cut = unfinished(&response);
            match json(&request, &response) {
                Ok(listing) => return Ok(listing),
                Err(_) if cut && attempt < UNFINISHED_READS => attempt += 1,
                Err(error) => return Err(Trouble { smaller_may_help: cut, error }),
            }
        }
    }

    /// Every row of a list that is short by nature, at most `limit`; and whether there are more.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        ctx: &Ctx,
        resource: &'static str,
        sort: &'static str,
        limit: usize,
    ) -> Result<(Vec<T>, bool)> {
        let mut rows = Vec::new();
        let mut search = Search {
            scope: Scope::DEFAULT,
            resource,
            filters: vec![],
            any: &[],
            sort: vec![sort],
            size: self.page_size(),
            page: 1,
            fields: "",
        };
        loop {
            let listing = self.list(ctx, &search).await.map_err(|trouble| trouble.error)?;
            let items = listing.items.unwrap_or_default();
            let (none, total) = (items.is_empty(), listing.total_count.unwrap_or(0));
            for item in &items {
                let what = |problem| Error::new(ErrorKind::Broken, format!("{resource}: {problem}"));
                rows.push(wire::typed(item).map_err(what)?);
            }
            if none || rows.len() >= total || rows.len() >= limit {
                return Ok((rows, !none && total > limit));
            }
            search.page += 1;
        }
    }

    /// The answer to a read, whatever its status; a token that ended is renewed once.
    async fn exchange(
        &self,
        ctx: &Ctx,
        call: Call<'_>,
        body: &[u8],
    ) -> std::result::Result<(Request, Response), CallError> {
        let not_sent = |error| CallError { error, sent: false };
        let mut first = true;
        loop {
            let token = self.token(ctx).await.map_err(not_sent)?;
            let request = self.request(ctx, call, &token, body.to_vec(), Effect::Read);
            let response = self.send(ctx, &request).await?;
            if response.status != 401 || !first {
                return Ok((request, response));
            }
            first = false;
            self.renew(ctx, &token).await.map_err(not_sent)?;
        }
    }

    /// Every row a search finds, page by page, each in half the size where the shop fails on it. A shop that tells the same
    /// page again and again, or has no end of them, is refused.
    pub(super) async fn every(&self, ctx: &Ctx, search: &Search<'_>) -> Result<Vec<Value>> {
        let mut search = Search { size: search.size.min(self.page_size()), page: 1, ..search.clone() };
        let mut rows = Vec::new();
        loop {
            match self.list(ctx, &search).await {
                Ok(listing) => {
                    let items = listing.items.unwrap_or_default();
                    let short = items.len() < usize::try_from(search.size).unwrap_or(usize::MAX);
                    let none = items.is_empty();
                    let again = !none && rows.ends_with(&items);
                    if again && listing.total_count.is_some_and(|total| rows.len() >= total) {
                        // A row went meanwhile: past its last page a shop tells that one again.
                        return Ok(rows);
                    }
                    if again || search.page > PAGES {
                        let what =
                            format!("{}: page repeats: page {} brings nothing new", search.resource, search.page);
                        return Err(Error::new(ErrorKind::Broken, what));
                    }
                    rows.extend(items);
                    if none || listing.total_count.map_or(short, |total| rows.len() >= total) {
                        return Ok(rows);
                    }
                    search.page += 1;
                }
                Err(trouble) if trouble.smaller_may_help && search.size > 1 => {
                    search = Search { size: search.size / 2, page: 1, ..search };
                    rows.clear();
                }
                Err(trouble) => return Err(trouble.error),
            }
        }
    }

    /// The answer to a write; sent once.
    ///
    /// # Errors
    /// The error, and whether the request may have arrived: it may, where the nonce of its signature came before. After any other 401, which is surely not executed, a new token
    /// is there and the error says `Stale`, so that the engine notes a new attempt; several 401 in a row are `Denied`.
    pub(super) async fn save(
        &self,
        ctx: &Ctx,
        call: Call<'_>,
        effect: Effect,
        body: &Value,
    ) -> std::result::Result<(Request, Response), CallError> {
        let not_sent = |error| CallError { error, sent: false };
        let token = self.token(ctx).await.map_err(not_sent)?;
        let request = self.request(ctx, call, &token, wire::body(body), effect);
        let response = self.send(ctx, &request).await?;
        if oauth::came_before(&response) {
            return Err(CallError { error: refusal(&request, &response), sent: true });
        }
        if response.status != 401 {
            self.refused_writes.store(0, Ordering::Relaxed);
            return Ok((request, response));
        }
        self.renew(ctx, &token).await.map_err(not_sent)?;
        let mut error = refusal(&request, &response);
        if error.kind == ErrorKind::Denied && self.refused_writes.fetch_add(1, Ordering::Relaxed) + 1 < REFUSED_WRITES {
            error.kind = ErrorKind::Stale;
            error.message = format!("the login had ended and nothing was written: {}", error.message);
        }
        Err(not_sent(error))
    }

    /// The answer to a request, signed where that is how we show who we are.
    async fn send(&self, ctx: &Ctx, request: &Request) -> std::result::Result<Response, CallError> {
        match &self.auth {
            Auth::Signed(keys) => ctx.call_signed(request.clone(), &|leaving| keys.sign(leaving, ctx)).await,
            _ => ctx.call(request.clone()).await,
        }
    }

    fn request(&self, ctx: &Ctx, call: Call<'_>, token: &str, body: Vec<u8>, effect: Effect) -> Request {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        if !token.is_empty() {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if !body.is_empty() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let url = format!("{}/rest/{}/V1/{}", self.root, encoded(call.scope.0), call.path);
        Request { method: call.method, url, headers, body, effect, timeout: ctx.timeout() }
    }

    /// The token to show; an administrator's is asked for where there is none yet.
    async fn token(&self, ctx: &Ctx) -> Result<String> {
        match &self.auth {
            Auth::Token(token) => Ok(token.clone()),
            Auth::Signed(_) => Ok(String::new()),
            Auth::Login { user, password } => {
                let mut held = self.token.lock().await;
                match held.as_ref() {
                    Some(token) => Ok(token.clone()),
                    None => Ok(held.insert(self.login(ctx, user, password).await?).clone()),
                }
            }
        }
    }

    /// Puts a new token in the place of `ended`, unless another call did so already.
    async fn renew(&self, ctx: &Ctx, ended: &str) -> Result<()> {
        let Auth::Login { user, password } = &self.auth else { return Ok(()) };
        let mut held = self.token.lock().await;
        if held.as_deref() == Some(ended) {
            *held = None;
            *held = Some(self.login(ctx, user, password).await?);
        }
        Ok(())
    }

    /// A new administrator's token. Asking twice harms nobody: it is a read by effect.
    async fn login(&self, ctx: &Ctx, user: &str, password: &str) -> Result<String> {
        let body = serde_json::json!({"username": user, "password": password}).to_string().into_bytes();
        let request = self.request(ctx, Call::post("integration/admin/token"), "", body, Effect::Read);
        let hidden = |mut error: Error| {
            if let Some(evidence) = error.evidence.as_mut() {
                evidence.sent = "(user name and password)".to_owned();
                if evidence.status == 200 {
                    evidence.received = "(a token)".to_owned();
                }
            }
            error
        };
        let response = ctx.call(request.clone()).await.map_err(|failed| hidden(failed.error))?;
        if response.status != 200 {
            return Err(hidden(refusal(&request, &response)));
        }
        json(&request, &response).map_err(hidden)
    }

    /// Sources, stocks, and which belong together; none where the shop's modules for sources are switched off.
    pub(super) async fn places(&self, ctx: &Ctx) -> Result<Option<Places>> {
        let limit = super::stock::PLACES;
        let (sources, _) = match self.all(ctx, "inventory/sources", "source_code", limit).await {
            Err(error) if super::stock::of_no_route(&error) => return Ok(None),
            told => told?,
        };
        let (stocks, _) = self.all(ctx, "inventory/stocks", "stock_id", limit).await?;
        let (links, _) = self.all(ctx, "inventory/stock-source-links", "stock_id", limit).await?;
        Ok(Some((sources, stocks, links)))
    }

    /// What `/magento_version` says, where the shop answers it; the API itself tells no version.
    pub(super) async fn version(&self, ctx: &Ctx) -> Option<String> {
        let mut request = self.request(ctx, Call::get(Scope::DEFAULT, ""), "", Vec::new(), Effect::Read);
        request.url = format!("{}/magento_version", self.root);
        let response = ctx.call(request).await.ok().filter(|response| response.status == 200)?;
        let text = String::from_utf8(response.body).ok()?;
        let told = text.trim().strip_prefix("Magento/")?;
        Some(syncline_core::text::shown(told, 40))
    }
}

/// Whether the body breaks off in the middle of its JSON.
fn unfinished(response: &Response) -> bool {
    !is_html(response) && serde_json::from_slice::<IgnoredAny>(&response.body).is_err_and(|error| error.is_eof())
}

/// The error behind an answer that is no success.
pub(super) fn refusal(request: &Request, response: &Response) -> Error {
    let place = format!("{} {}", request.method, ctx::shown(&request.url));
    let told: Option<String> = serde_json::from_slice::<Value>(&response.body)
        .ok()
        .and_then(|body| wire::typed::<Refusal>(&body).ok())
        .and_then(|refusal| refusal.text());
    let said = told.as_deref().map_or_else(
        || if is_html(response) { "an HTML page".to_owned() } else { "no reason given".to_owned() },
        |text| syncline_core::text::shown(text, 600),
    );
    let (kind, advice) = sorted(request, response, told.as_deref());
    let mut error = Error::new(kind, format!("{place}: {}: {said}{advice}", response.status));
    if kind == ErrorKind::Busy {
        error.retry_after_s = response.header("retry-after").and_then(|text| text.trim().parse().ok());
    }
    error.with(ctx::evidence(request, response))
}

/// What the shop says to a store view in the address that it does not have (recorded: unknown-store).
pub(super) const NO_SUCH_VIEW: &str = "Specified request cannot be processed";

/// What sort of error an answer is, with the advice that belongs to it.
fn sorted(request: &Request, response: &Response, told: Option<&str>) -> (ErrorKind, String) {
    let says = |part: &str| told.is_some_and(|text| text.contains(part));
    let plain = |kind| (kind, String::new());
    match response.status {
        300..=399 => {
            let to = response.header("location").unwrap_or("elsewhere");
            let to = syncline_core::text::shown(to, 200);
            (
                ErrorKind::Config,
                format!(" (the shop sends us to {to}: put the address it really answers at into `url`)"),
            )
        }
        401 if says("isn't authorized") || says("not authorized") => (
            ErrorKind::Denied,
            " (the token has ended, or its integration lacks this resource: System > Integrations > API, or the \
             role of the user; an integration's token as bearer needs `oauth/consumer/enable_integration_as_bearer`, or \
             have requests signed: `consumer_key` and the others instead of `token`)"
                .to_owned(),
        ),
        401 if let Some(known) = told.and_then(|text| oauth::refused(response, text)) => known,
        401 | 403 => plain(ErrorKind::Denied),
        // Half an answer says nothing of why: it is asked for again.
        400 | 404 if told.is_none() && unfinished(response) => plain(ErrorKind::Unreachable),
        404 if told.is_none() || says("does not match any route") => {
            (ErrorKind::Config, " (is this url a Magento base url?)".to_owned())
        }
        404 => plain(ErrorKind::Gone),
        400 if says(NO_SUCH_VIEW) => {
            let code = request.url.split_once("/rest/").and_then(|(_, rest)| rest.split('/').next());
            let code = syncline_core::text::shown(code.unwrap_or_default(), 40);
            (ErrorKind::Config, format!(" (the shop has no store view with the code `{code}`)"))
        }
        429 | 503 => plain(ErrorKind::Busy),
        500..=599 => plain(ErrorKind::Unreachable),
        _ if told.is_none() && is_html(response) => plain(ErrorKind::Unreachable),
        200..=299 => plain(ErrorKind::Broken),
        _ => plain(ErrorKind::Invalid),
    }
}
