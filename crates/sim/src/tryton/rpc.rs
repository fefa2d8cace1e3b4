//! The HTTP face: routes, authentication, the JSON-RPC envelope, HTML error pages and the mislabelled gzip.

use flate2::Crc;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use crate::base64::base64;
use crate::http::{Request, Response};

/// Answers longer than this are sent as a stream, labelled gzip (trytond 8.0.12, whatever the client accepts).
const STREAMED_FROM: usize = 1400;

/// Where a request is addressed to.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// `/rpc/`: the server itself.
    Root,
    /// `/<database>/rpc/`.
    Database,
}

/// One parsed call.
#[derive(Debug)]
pub struct Call {
    /// The dotted method.
    pub method: String,
    /// Its parameters.
    pub params: Vec<Value>,
    /// The id to answer with, where the envelope has exactly `id`, `method` and `params`.
    pub id: Option<Value>,
}

/// The route of a request, or the page that refuses it.
pub fn route(request: &Request) -> Result<Route, Response> {
    let path = request.target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let route = match parts.as_slice() {
        ["", "rpc", ""] => Route::Root,
        ["", database, "rpc", ""] if !database.is_empty() => Route::Database,
        ["", database, "rpc"] if !database.is_empty() => {
            let mut moved = page(308, "You should be redirected automatically to the target URL.");
            moved.headers.push(("location".to_owned(), format!("{path}/")));
            return Err(moved);
        }
        _ => return Err(page(405, "The method is not allowed for the requested URL.")),
    };
    if request.method == "POST" {
        Ok(route)
    } else {
        Err(page(405, "The method is not allowed for the requested URL."))
    }
}

/// The call in a request's body, or the page that refuses it.
pub fn call(request: &Request) -> Result<Call, Response> {
    if !header(request, "content-type").contains("json") {
        return Err(page(500, "The server encountered an internal error and was unable to complete your request."));
    }
    let unreadable = |what: &str| page(400, &format!("Unable to get RPC {what}"));
    let mut body: Value = serde_json::from_slice(&request.body).map_err(|_| unreadable("method"))?;
    let method = body.get("method").and_then(Value::as_str).ok_or_else(|| unreadable("method"))?.to_owned();
    let params = match body.get_mut("params").ok_or_else(|| unreadable("params"))?.take() {
        Value::Array(params) => params,
        _ => Vec::new(),
    };
    let whole = body.as_object().is_some_and(|all| all.len() == 3 && all.contains_key("id"));
    Ok(Call { method, params, id: body.get("id").cloned().filter(|_| whole) })
}

/// A header's value, or "".
pub fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// Who a request says it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody.
    Nobody,
    /// Login and password.
    Basic(String, String),
    /// Login, user id and session token.
    Session(String, u64, String),
}

/// The claim in the Authorization header.
pub fn claim(request: &Request) -> Claim {
    let Some((scheme, encoded)) = header(request, "authorization").split_once(' ') else { return Claim::Nobody };
    let Some(text) = base64(encoded.trim()).and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Claim::Nobody;
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => {
            text.split_once(':').map_or(Claim::Nobody, |(login, word)| Claim::Basic(login.to_owned(), word.to_owned()))
        }
        "session" => {
            let parts: Vec<&str> = text.splitn(3, ':').collect();
            match parts.as_slice() {
                [login, user, token] => user
                    .parse()
                    .map_or(Claim::Nobody, |user| Claim::Session((*login).to_owned(), user, (*token).to_owned())),
                _ => Claim::Nobody,
            }
        }
        _ => Claim::Nobody,
    }
}

/// The answer to a call.
pub fn answer(request: &Request, call: &Call, outcome: Result<Value, Fail>) -> Response {
    let body = match (&call.id, outcome) {
        (_, Err(Fail::Http(status, text))) => return page(status, &text),
        (None, Err(fail)) => {
            let (status, text) = fail.page();
            return page(status, &text);
        }
        (None, Ok(value)) => value,
        (Some(id), outcome) => {
            let mut envelope = Map::new();
            envelope.insert("id".to_owned(), id.clone());
            match outcome {
                Ok(value) => envelope.insert("result".to_owned(), value),
                Err(fail) => envelope.insert("error".to_owned(), fail.envelope().unwrap_or(Value::Null)),
            };
            Value::Object(envelope)
        }
    };
    encode(request, &body)
}

fn encode(request: &Request, body: &Value) -> Response {
    let text = ascii(body.to_string());
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let mut bytes = text.into_bytes();
    if bytes.len() > STREAMED_FROM {
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        if header(request, "accept-encoding").contains("gzip") {
            bytes = zipped(&bytes);
        }
    }
    Response { status: 200, headers, body: bytes }
}

/// A gzip file (RFC 1952) that holds the bytes in blocks as they are: what is read at once need not be small.
fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        file.push(u8::from(blocks.peek().is_none()));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
    }
    let mut sum = Crc::new();
    sum.update(bytes);
    file.extend(sum.sum().to_le_bytes());
    file.extend(sum.amount().to_le_bytes());
    file
}

/// JSON text with everything beyond ASCII escaped, as Python's encoder writes it (pairs for what lies beyond the BMP).
fn ascii(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut escaped = String::with_capacity(text.len());
    let mut units = [0; 2];
    for one in text.chars() {
        if one.is_ascii() {
            escaped.push(one);
        } else {
            for unit in one.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

/// An HTML page with this status.
pub fn page(status: u16, text: &str) -> Response {
    let title = match status {
        308 => "Redirecting...",
        400 => "400 Bad Request",
        401 => "401 Unauthorized",
        403 => "403 Forbidden",
        405 => "405 Method Not Allowed",
        422 => "422 Unprocessable Entity",
        423 => "423 Locked",
        _ => "500 Internal Server Error",
    };
    let heading = title.split_once(' ').map_or(title, |(_, words)| words);
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;");
    let body = format!("<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{heading}</h1>\n<p>{text}</p>\n");
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    Response { status, headers, body: body.into_bytes() }
}

/// The answer to a call nobody may make.
pub fn unauthorized() -> Response {
    Response {
        status: 401,
        headers: vec![
            ("www-authenticate".to_owned(), "Basic realm=\"Tryton\"".to_owned()),
            ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()),
        ],
        body: Vec::new(),
    }
}

/// The preferences of the one user, who acts for a company and sees `filter` of the companies.
pub fn preferences(company: Option<u64>, name: Option<&str>, filter: &str) -> Value {
    json!({"company_filter": filter, "company": company, "company.rec_name": name, "language": "en",
        "language_direction": "ltr", "groups": [1, 2, 3, 4, 5],
        "locale": {"date": "%m/%d/%Y", "grouping": [3, 3, 0], "decimal_point": ".", "thousands_sep": ","}})
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn what_python_writes_is_what_we_write() {
        assert_eq!(ascii("\"ü😀\"".to_owned()), "\"\\u00fc\\ud83d\\ude00\"");
    }
}
