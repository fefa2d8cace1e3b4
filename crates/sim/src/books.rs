//! The lists of a ledger, each made when it is first looked at: whoever counts orders need not wait for stock and prices.

use serde_json::{Map, Value};
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

/// Whatever has the lists of a ledger: the whole of it as JSON, or [`Books`].
pub trait Lists {
    /// The list of that name; `null` where there is none.
    fn list(&self, name: &str) -> &Value;
}

/// The rows of a list; none where there is no such list.
pub fn rows<'a>(ledger: &'a impl Lists, list: &str) -> impl Iterator<Item = &'a Value> {
    ledger.list(list).as_array().into_iter().flatten()
}

impl Lists for Value {
    fn list(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

/// The lists of one system's ledger.
pub struct Books<'a> {
    lists: Vec<(&'static str, OnceCell<Arc<Value>>)>,
    make: Box<dyn Fn(&'static str) -> Arc<Value> + 'a>,
}

impl<'a> Books<'a> {
    /// Books of the lists `names`, each as `make` tells it.
    #[must_use]
    pub fn new(names: &[&'static str], make: impl Fn(&str) -> Value + 'a) -> Self {
        Self::of_shared(names, move |name| Arc::new(make(name)))
    }

    /// The same of lists that somebody may have already.
    #[must_use]
    pub fn of_shared(names: &[&'static str], make: impl Fn(&'static str) -> Arc<Value> + 'a) -> Self {
        let lists = names.iter().map(|name| (*name, OnceCell::new())).collect();
        Self { lists, make: Box::new(make) }
    }

    /// Those lists alone, to be looked at while the system changes.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Books<'static> {
        let wanted = self.lists.iter().filter(|(name, _)| names.contains(name));
        let lists = wanted.map(|(name, cell)| (*name, OnceCell::from(self.made(name, cell).clone()))).collect();
        Books { lists, make: Box::new(|_| Arc::default()) }
    }

    fn made<'s>(&self, name: &'static str, cell: &'s OnceCell<Arc<Value>>) -> &'s Arc<Value> {
        cell.get_or_init(|| (self.make)(name))
    }

    /// All of it.
    #[must_use]
    pub fn whole(self) -> Value {
        let make = self.make;
        let list = |(name, cell): (&'static str, OnceCell<Arc<Value>>)| {
            (name.to_string(), Arc::unwrap_or_clone(cell.into_inner().unwrap_or_else(|| make(name))))
        };
        Value::Object(self.lists.into_iter().map(list).collect::<Map<_, _>>())
    }
}

impl Lists for Books<'_> {
    fn list(&self, name: &str) -> &Value {
        let found = self.lists.iter().find(|(other, _)| *other == name);
        found.map_or(&Value::Null, |(name, cell)| self.made(name, cell).as_ref())
    }
}

impl fmt::Debug for Books<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lists.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::cell::RefCell;

    #[test]
    fn a_list_is_made_once_and_only_where_somebody_looks() {
        let made = RefCell::new(Vec::new());
        let make = |name: &str| {
            made.borrow_mut().push(name.to_string());
            json!([name])
        };
        let books = Books::new(&["orders", "stock"], make);
        assert_eq!((books.list("orders"), books.list("orders")), (&json!(["orders"]), &json!(["orders"])));
        assert_eq!(books.list("hats"), &Value::Null);
        let only = books.only(&["orders"]);
        assert_eq!((only.list("orders"), only.list("stock")), (&json!(["orders"]), &Value::Null));
        assert_eq!(*made.borrow(), ["orders"]);
        assert_eq!(books.whole(), json!({"orders": ["orders"], "stock": ["stock"]}));
        assert_eq!(*made.borrow(), ["orders", "stock"]);
    }
}
