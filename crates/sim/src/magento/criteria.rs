//! `searchCriteria`: reading it from a query, and choosing, ordering and paging rows by it.

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::reply::Refusal;
use super::value::{decimal, decimal_text, moment};

/// Rows a search gets that asks for no number, where there is a limit.
const UNASKED: u32 = 20;

/// A parsed `searchCriteria`. Filters within a group are alternatives; groups must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Criteria {
    groups: Vec<(String, Vec<(String, Filter)>)>,
    sort: Vec<(String, Sort)>,
    page_size: Option<u64>,
    current_page: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filter {
    field: String,
    value: Option<String>,
    condition: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sort {
    field: String,
    direction: Option<String>,
}

/// A table a search runs over.
pub(super) struct Table<'t, R> {
    /// Rows in the order of their ids.
    pub(super) rows: Vec<R>,
    /// Names that may be filtered and sorted by, sorted; empty for any.
    pub(super) columns: &'static [&'static str],
    /// One column of a row.
    pub(super) read: &'t dyn for<'r> Fn(&'r R, &str) -> Option<Cow<'r, Value>>,
    /// Whether a page past the end repeats the last page, as other Magento versions do.
    pub(super) repeat_last_page: bool,
}

/// One page of rows and how many there are in all.
pub(super) struct Found<R> {
    /// The rows of the page.
    pub(super) page: Vec<R>,
    /// Rows that match, on all pages.
    pub(super) total: usize,
}

impl Criteria {
    /// The criteria a query spells, in snake or camel case.
    ///
    /// # Errors
    /// 400 where there is none at all, or where it names what no criteria have.
    pub(super) fn parse(query: &[(String, String)]) -> Result<Self, Refusal> {
        let mut criteria = None;
        for (key, value) in query {
            let path = segments(key);
            if matches!(path.first(), Some(&("searchCriteria" | "search_criteria"))) {
                criteria.get_or_insert_with(Self::default).take(path.get(1..).unwrap_or(&[]), value)?;
            }
        }
        let criteria = criteria.ok_or_else(|| Refusal::required("searchCriteria"))?;
        criteria.check()?;
        Ok(criteria)
    }

    /// The criteria where a search may ask for so many rows at most; 0 is any number.
    ///
    /// # Errors
    /// 400 where they ask for more, in the words of Magento's validator.
    pub(super) fn limited(mut self, limit: u32) -> Result<Self, Refusal> {
        if limit == 0 {
            return Ok(self);
        }
        if self.page_size.is_some_and(|size| size > u64::from(limit)) {
            let refusal = Refusal::new(400, "Maximum SearchCriteria pageSize is %max");
            return Err(Refusal { parameters: vec![("max", json!(limit))], ..refusal });
        }
        self.page_size = self.page_size.or(Some(u64::from(limit.min(UNASKED))));
        Ok(self)
    }

    fn take(&mut self, path: &[&str], value: &str) -> Result<(), Refusal> {
        match path {
            [] => {}
            ["pageSize" | "page_size"] => self.page_size = Some(count(value)?),
            ["currentPage" | "current_page"] => self.current_page = Some(count(value)?),
            ["filterGroups" | "filter_groups", group, "filters", filter, part @ ..] => {
                let filters = entry(&mut self.groups, group);
                entry(filters, filter).take(part, value)?;
            }
            ["sortOrders" | "sort_orders", order, "field"] => value.clone_into(&mut entry(&mut self.sort, order).field),
            ["sortOrders" | "sort_orders", order, "direction"] => {
                entry(&mut self.sort, order).direction = Some(value.to_ascii_uppercase());
            }
            [name, ..] => return Err(Refusal::no_property(name, "Magento\\Framework\\Api\\SearchCriteriaInterface")),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Refusal> {
        let filters = self.groups.iter().flat_map(|(_, filters)| filters);
        if filters.into_iter().any(|(_, filter)| filter.field.is_empty())
            || self.sort.iter().any(|(_, s)| s.field.is_empty())
        {
            return Err(Refusal::required("field"));
        }
        for (_, sort) in &self.sort {
            if sort.direction.as_deref().is_some_and(|way| way != "ASC" && way != "DESC") {
                return Err(Refusal::new(
                    400,
                    "The sort order has to be specified as ASC for ascending order or DESC for descending order.",
                ));
            }
        }
        Ok(())
    }

    /// The criteria as the answer repeats them: what was sent, with the condition filled in (recorded: orders-search-since).
    pub(super) fn echo(&self) -> Value {
        let groups: Vec<Value> = self
            .groups
            .iter()
            .map(|(_, filters)| json!({"filters": filters.iter().map(|(_, filter)| filter.echo()).collect::<Vec<_>>()}))
            .collect();
        let mut echo = Map::new();
        echo.insert("filter_groups".to_owned(), json!(groups));
        if !self.sort.is_empty() {
            let orders: Vec<Value> = self.sort.iter().map(|(_, sort)| sort.echo()).collect();
            echo.insert("sort_orders".to_owned(), json!(orders));
        }
        if let Some(size) = self.page_size {
            echo.insert("page_size".to_owned(), json!(size));
        }
        if let Some(page) = self.current_page {
            echo.insert("current_page".to_owned(), json!(page));
        }
        Value::Object(echo)
    }

    /// The same without filters, and from the first page on.
    pub(super) fn first_page(&self) -> Self {
        Self { groups: Vec::new(), current_page: None, ..self.clone() }
    }

    /// The page of matching rows in the order asked for; without an order, by id.
    ///
    /// # Errors
    /// 400 for a condition that does not exist, 500 for a column that does not, as the database answers.
    pub(super) fn select<R>(&self, table: Table<'_, R>) -> Result<Found<R>, Refusal> {
        self.check_columns(table.columns)?;
        let mut rows = Vec::new();
        for row in table.rows {
            if self.accepts(&|column| (table.read)(&row, column))? {
                rows.push(row);
            }
        }
        if !self.sort.is_empty() {
            self.order(&mut rows, table.read);
        }
        let total = rows.len();
        Ok(Found { page: self.page(rows, table.repeat_last_page), total })
    }

    fn check_columns(&self, columns: &[&str]) -> Result<(), Refusal> {
        let filters = self.groups.iter().flat_map(|(_, filters)| filters).map(|(_, filter)| &filter.field);
        let unknown = filters.chain(self.sort.iter().map(|(_, sort)| &sort.field));
        for field in unknown {
            if !columns.is_empty() && columns.binary_search(&field.as_str()).is_err() {
                return Err(Refusal::internal());
            }
        }
        Ok(())
    }

    fn accepts<'r>(&self, read: &dyn Fn(&str) -> Option<Cow<'r, Value>>) -> Result<bool, Refusal> {
        for (_, filters) in &self.groups {
            let mut any = filters.is_empty();
            for (_, filter) in filters {
                any = any || filter.accepts(read(&filter.field).as_deref())?;
            }
            if !any {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn order<R>(&self, rows: &mut Vec<R>, read: &dyn for<'r> Fn(&'r R, &str) -> Option<Cow<'r, Value>>) {
        let keys = |row: &R| -> Vec<Key> {
            self.sort.iter().map(|(_, sort)| Key::of(read(row, &sort.field).as_deref())).collect()
        };
        let mut keyed: Vec<(Vec<Key>, R)> = rows.drain(..).map(|row| (keys(&row), row)).collect();
        keyed.sort_by(|(left, _), (right, _)| {
            let each = self.sort.iter().zip(left.iter().zip(right));
            each.fold(Ordering::Equal, |so_far, ((_, sort), (left, right))| {
                so_far.then_with(|| if sort.ascending() { left.cmp(right) } else { right.cmp(left) })
            })
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
    }

    fn page<R>(&self, rows: Vec<R>, repeat_last_page: bool) -> Vec<R> {
        let Some(size) = self.page_size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0) else {
            return rows;
        };
        let asked = self.current_page.unwrap_or(1).max(1);
        let last = rows.len().div_ceil(size).max(1);
        let page = usize::try_from(asked).unwrap_or(usize::MAX);
        let page = if repeat_last_page { page.min(last) } else { page };
        rows.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect()
    }
}

impl Filter {
    fn take(&mut self, part: &[&str], value: &str) -> Result<(), Refusal> {
        match part {
            ["field"] => value.clone_into(&mut self.field),
            ["conditionType" | "condition_type"] => self.condition = Some(value.to_owned()),
            ["value"] => self.value = Some(value.to_owned()),
            ["value", _] => {
                let list = self.value.get_or_insert_default();
                if !list.is_empty() {
                    list.push(',');
                }
                list.push_str(value);
            }
            _ => {
                let name = part.first().copied().unwrap_or("");
                return Err(Refusal::no_property(name, "Magento\\Framework\\Api\\Filter"));
            }
        }
        Ok(())
    }

    fn condition(&self) -> &str {
        self.condition.as_deref().unwrap_or("eq")
    }

    fn echo(&self) -> Value {
        json!({"field": self.field, "value": self.value, "condition_type": self.condition()})
    }

    /// Whether a stored value meets the condition. As in SQL, nothing but `null` is true of a value that is not there.
    fn accepts(&self, stored: Option<&Value>) -> Result<bool, Refusal> {
        let text = self.value.as_deref().unwrap_or("");
        let stored = stored.filter(|value| !value.is_null());
        let Some(stored) = stored else { return Ok(self.condition() == "null") };
        let is = |wanted: &str| compare(stored, wanted) == Ordering::Equal;
        Ok(match self.condition() {
            "eq" => is(text),
            "neq" => !is(text),
            "gt" => compare(stored, text) == Ordering::Greater,
            "gteq" | "moreq" | "from" => compare(stored, text) != Ordering::Less,
            "lt" => compare(stored, text) == Ordering::Less,
            "lteq" | "to" => compare(stored, text) != Ordering::Greater,
            "in" => text.split(',').any(|one| is(one.trim())),
            "nin" => !text.split(',').any(|one| is(one.trim())),
            "like" => like(&shown(stored), text),
            "nlike" => !like(&shown(stored), text),
            "finset" => shown(stored).split(',').any(|one| one == text),
            "nfinset" => !shown(stored).split(',').any(|one| one == text),
            "null" => false,
            "notnull" => true,
            other => return Err(Refusal::new(400, format!("The condition type \"{other}\" is not one of a search."))),
        })
    }
}

impl Sort {
    /// Without a direction the order is descending, as Adobe documents.
    fn ascending(&self) -> bool {
        self.direction.as_deref() == Some("ASC")
    }

    fn echo(&self) -> Value {
        json!({"field": self.field, "direction": self.direction.as_deref().unwrap_or("DESC")})
    }
}

/// What rows are ordered by; what is not there comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Nothing,
    Number(Decimal),
    Text(String),
}

impl Key {
    fn of(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Nothing,
            Some(value @ Value::Number(_)) => decimal(value).map_or_else(|| Self::Text(shown(value)), Self::Number),
            Some(value) => Self::Text(shown(value).to_lowercase()),
        }
    }
}

/// A stored value against a wanted text, as the column's type compares: numbers by value, times as moments, texts without case.
fn compare(stored: &Value, wanted: &str) -> Ordering {
    if let (Value::Number(_), Some(left)) = (stored, decimal(stored)) {
        return left.cmp(&decimal_text(wanted.trim()).unwrap_or(Decimal::ZERO));
    }
    let left = shown(stored);
    if is_stamp(&left)
        && let (Some(left), Some(right)) = (moment(&left), moment(wanted))
    {
        return left.cmp(&right);
    }
    left.to_lowercase().cmp(&wanted.to_lowercase())
}

/// Whether a stored text is a time as the shop writes it.
fn is_stamp(text: &str) -> bool {
    text.len() == 19 && text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(10) == Some(&b' ')
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        other => other.to_string(),
    }
}

/// SQL `LIKE` without case: `%` any run, `_` any one character.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(next) {
            Some('%') => {
                retry = Some((next, at));
                next += 1;
            }
            Some(wanted) if *wanted == '_' || text.get(at) == Some(wanted) => {
                at += 1;
                next += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    at = from + 1;
                    next = star + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(next).all(|rest| *rest == '%')
}

/// The parts of a bracketed key: `a[b][c]` is `a`, `b`, `c`.
fn segments(key: &str) -> Vec<&str> {
    let mut parts = key.split('[');
    let first = parts.next().unwrap_or("");
    std::iter::once(first).chain(parts.map(|part| part.strip_suffix(']').unwrap_or(part))).collect()
}

/// The element under a key of the query, made where it is new; first come, first in order.
fn entry<'l, T: Default>(list: &'l mut Vec<(String, T)>, key: &str) -> &'l mut T {
    let place = list.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
        list.push((key.to_owned(), T::default()));
        list.len() - 1
    });
    &mut list[place].1
}

fn count(text: &str) -> Result<u64, Refusal> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let message =
            format!("The \"{text}\" value's type is invalid. The \"int\" type was expected. Verify and try again.");
        Refusal::new(400, message)
    })
}

#[cfg(test)]
#[path = "criteria_tests.rs"]
mod tests;
