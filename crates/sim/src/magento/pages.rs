//! Pages of a search: whole rows are written as they stand, without a copy first.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Shop;
use super::criteria::{Criteria, Found};
use super::reply::{Answer, Refusal};
use super::route::Route;

/// The answer of a search.
#[derive(Serialize)]
pub(super) struct Page<'s> {
    items: Vec<&'s Map<String, Value>>,
    search_criteria: Value,
    total_count: usize,
}

/// The page that a search found.
pub(super) fn page<'s>(criteria: &Criteria, found: Found<&'s Map<String, Value>>) -> Page<'s> {
    Page { items: found.page, search_criteria: criteria.echo(), total_count: found.total }
}

impl Page<'_> {
    /// The same as a value.
    pub(super) fn copied(self) -> Value {
        let items: Vec<Value> = self.items.into_iter().map(|row| Value::Object(row.clone())).collect();
        let page = [
            ("items", Value::Array(items)),
            ("search_criteria", self.search_criteria),
            ("total_count", self.total_count.into()),
        ];
        Value::Object(page.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    fn text(&self) -> Result<String, Refusal> {
        serde_json::to_string(self).map_err(|_| Refusal::internal())
    }
}

impl Shop {
    /// The text of a page of orders or customers with every column; none for another route.
    pub(super) fn in_full(
        &self,
        now: Timestamp,
        route: &Route,
        query: &[(String, String)],
    ) -> Option<Result<String, Refusal>> {
        let page = match route {
            Route::Orders => self.page_of_orders(now, query),
            Route::Customers => self.page_of_customers(query),
            _ => return None,
        };
        Some(page.and_then(|page| page.text()))
    }

    /// A page of orders.
    pub(super) fn orders(&self, now: Timestamp, query: &[(String, String)]) -> Answer {
        self.page_of_orders(now, query).map(Page::copied)
    }

    fn page_of_orders(&self, now: Timestamp, query: &[(String, String)]) -> Result<Page<'_>, Refusal> {
        let criteria = self.criteria(query)?;
        let asked = if self.quirks.stuck_pages { criteria.first_page() } else { criteria.clone() };
        let found = self.book.search(now, &asked, self.quirks.repeat_last_page)?;
        found.page.iter().try_for_each(|order| self.undamaged(order))?;
        Ok(page(&criteria, found))
    }
}
