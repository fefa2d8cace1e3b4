//! Answers and refusals in the words Magento uses for them.

use serde_json::{Map, Value, json};

use crate::http::Response;

/// What a route gives: the body of a 200, or a refusal.
pub(super) type Answer = Result<Value, Refusal>;

/// The body of a success.
pub(super) enum Told {
    /// As a value.
    Json(Value),
    /// As it is sent.
    Text(String),
}

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) status: u16,
    /// The text, with `%name` or `%1` where a parameter belongs.
    pub(super) message: String,
    /// Parameters of the text; none are sent where there are none, and without a name they come as a list.
    pub(super) parameters: Vec<(&'static str, Value)>,
    /// Reasons under the text; none are sent where there are none.
    pub(super) errors: Vec<Value>,
}

impl Refusal {
    /// A refusal without parameters.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), parameters: Vec::new(), errors: Vec::new() }
    }

    /// A refusal whose one parameter has no name.
    pub(super) fn listed(status: u16, message: &str, parameter: Value) -> Self {
        Self { parameters: vec![("", parameter)], ..Self::new(status, message) }
    }

    /// 400: a required part of the request is not there (recorded: bad-json).
    pub(super) fn required(field: &str) -> Self {
        Self {
            parameters: vec![("fieldName", json!(field))],
            ..Self::new(400, "\"%fieldName\" is required. Enter and try again.")
        }
    }

    /// 401 for a missing, wrong or expired token (recorded: no-token).
    pub(super) fn unauthorized(resource: &str) -> Self {
        Self {
            parameters: vec![("resources", json!(resource))],
            ..Self::new(401, "The consumer isn't authorized to access %resources.")
        }
    }

    /// 500 for what the shop's code or database stumbles over.
    pub(super) fn internal() -> Self {
        Self::new(500, "Internal Error. Details are available in Magento log file. Report ID: webapi-6921c0de")
    }

    /// 404 for an order id nobody has.
    pub(super) fn no_order() -> Self {
        Self::new(404, "The entity that was requested doesn't exist. Verify the entity and try again.")
    }

    /// 404 for a SKU nobody has.
    pub(super) fn no_product() -> Self {
        Self::new(404, "The product that was requested doesn't exist. Verify the product and try again.")
    }

    /// 404 for a row named by one field.
    pub(super) fn no_such(field: &str, value: &str) -> Self {
        Self {
            parameters: vec![("fieldName", json!(field)), ("fieldValue", json!(value))],
            ..Self::new(404, "No such entity with %fieldName = %fieldValue")
        }
    }

    /// 400 for a property the interface does not have.
    pub(super) fn no_property(name: &str, interface: &str) -> Self {
        let text = format!("Property \"{name}\" does not have accessor method in class \"{interface}\".");
        Self::new(400, text)
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("message".to_owned(), json!(self.message));
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), json!(self.errors));
        }
        if !self.parameters.is_empty() {
            let named = self.parameters.iter().any(|(name, _)| !name.is_empty());
            let parameters = self.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let told = match named {
                true => Value::Object(parameters.collect()),
                false => parameters.map(|(_, value)| value).collect(),
            };
            body.insert("parameters".to_owned(), told);
        }
        Value::Object(body)
    }
}

/// The HTTP answer of what a route gave.
pub(super) fn respond(answer: Result<Told, Refusal>) -> Response {
    let (status, body) = match answer {
        Ok(Told::Json(body)) => (200, body.to_string()),
        Ok(Told::Text(body)) => (200, body),
        Err(refusal) => (refusal.status, refusal.body().to_string()),
    };
    let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    Response { status, headers, body: body.into_bytes() }
}
