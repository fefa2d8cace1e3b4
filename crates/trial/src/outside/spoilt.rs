//! One answer of a system, spoiled: another one in its place, or the true one with parts of it changed.
//!
//! A text says how, so that a fuzzer and a person can write it. Its first letter is which answer, counted from `0` in the order of
//! the letters; its second is how:
//!
//! | letter | what follows |
//! | --- | --- |
//! | `r` | the body that comes with status 200 |
//! | `h` | the status on a line, headers on lines, an empty line, the body |
//! | `p` | changes of the true answer's JSON, one a line: `7=null`, `7-`, `7*20` |
//!
//! A capital has every later answer spoiled as well. A change names a part by its place in the order of the document, the whole being
//! 0, and goes round where there are not as many: it is put in its place, taken out, or repeated so many times in its list.

use serde_json::Value;
use syncline_sim::http::Response;

/// Answers that may be asked for before a read counts as one without an end.
const MOST: usize = 20_000;
/// How often a part is repeated at most.
const REPEATS: usize = 300;
/// Changes of one answer that are made at most.
const CHANGES: usize = 64;

/// How a part is changed.
#[derive(Debug, Clone)]
enum Change {
    Is(Value),
    Gone,
    Times(usize),
}

#[derive(Debug, Clone)]
enum How {
    Whole(Response),
    Parts(Vec<(usize, Change)>),
}

/// Which answers are spoiled, and how; counts them.
#[derive(Debug, Clone)]
pub(crate) struct Spoilt {
    first: usize,
    lasting: bool,
    how: How,
    met: usize,
}

impl Spoilt {
    /// What `told` says; bytes that say nothing spoil nothing.
    pub(crate) fn of(told: &[u8]) -> Self {
        let (which, how, rest) = match told {
            [which, how, rest @ ..] => (*which, *how, rest),
            _ => (u8::MAX, b'p', [].as_slice()),
        };
        let how_it_is = match how.to_ascii_lowercase() {
            b'p' => How::Parts(parts(rest)),
            b'h' => How::Whole(head(rest)),
            _ => How::Whole(Response { status: 200, headers: Vec::new(), body: rest.to_vec() }),
        };
        Self { first: usize::from(which.wrapping_sub(b'0')), lasting: how.is_ascii_uppercase(), how: how_it_is, met: 0 }
    }

    /// The answer in the place of the true one, as often as this is asked.
    pub(crate) fn touch(&mut self, answer: &mut Response) {
        let at = self.met;
        self.met += 1;
        assert!(at < MOST, "{MOST} requests are made for one read: it does not end");
        if at != self.first && !(self.lasting && at > self.first) {
            return;
        }
        match &self.how {
            How::Whole(whole) => answer.clone_from(whole),
            How::Parts(changes) => {
                let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return };
                for (part, change) in changes {
                    let mut part = part % size(&body);
                    alter(&mut body, &mut part, change);
                }
                answer.body = body.to_string().into_bytes();
            }
        }
    }
}

/// An answer told as HTTP tells it, but for its first line, which is the status alone.
fn head(told: &[u8]) -> Response {
    let (head, body) = match told.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (told.get(..at).unwrap_or(told), told.get(at + 2..).unwrap_or_default()),
        None => (told, [].as_slice()),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(200);
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
    Response { status, headers, body: body.to_vec() }
}

fn parts(told: &[u8]) -> Vec<(usize, Change)> {
    let told = String::from_utf8_lossy(told);
    told.lines().take(CHANGES).filter_map(part).collect()
}

fn part(line: &str) -> Option<(usize, Change)> {
    let end = line.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = line.split_at(end);
    let mut letters = rest.chars();
    let change = match letters.next()? {
        '=' => Change::Is(serde_json::from_str(letters.as_str()).unwrap_or_else(|_| letters.as_str().into())),
        '-' => Change::Gone,
        '*' => Change::Times(letters.as_str().trim().parse().unwrap_or(1).min(REPEATS)),
        _ => return None,
    };
    Some((number.parse().ok()?, change))
}

/// How many parts a document has, itself among them.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(rows) => rows.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// Whether the part was met and changed; counts `part` down by those that were passed.
fn alter(value: &mut Value, part: &mut usize, change: &Change) -> bool {
    if *part == 0 {
        match change {
            Change::Is(other) => value.clone_from(other),
            Change::Gone => *value = Value::Null,
            Change::Times(_) => {}
        }
        return true;
    }
    *part -= 1;
    match value {
        Value::Array(rows) => {
            for at in 0..rows.len() {
                match change {
                    Change::Gone if *part == 0 => {
                        rows.remove(at);
                        return true;
                    }
                    Change::Times(times) if *part == 0 => {
                        let same = rows.get(at).cloned().unwrap_or_default();
                        drop(rows.splice(at..at, std::iter::repeat_n(same, *times)));
                        return true;
                    }
                    _ => {}
                }
                if rows.get_mut(at).is_some_and(|row| alter(row, part, change)) {
                    return true;
                }
            }
            false
        }
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                if *part == 0 && matches!(change, Change::Gone) {
                    fields.shift_remove(&name);
                    return true;
                }
                if fields.get_mut(&name).is_some_and(|field| alter(field, part, change)) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoiled(told: &str, body: &str) -> String {
        let mut answer = Response { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
        Spoilt::of(told.as_bytes()).touch(&mut answer);
        format!("{} {:?} {}", answer.status, answer.headers, String::from_utf8_lossy(&answer.body))
    }

    #[test]
    fn parts_are_changed_by_their_place() {
        let body = r#"{"items":[{"id":1},{"id":2}],"total_count":2}"#;
        for (told, wanted) in [
            ("0p3=1e400", r#"{"items":[{"id":1e+400},{"id":2}],"total_count":2}"#),
            ("0p2-", r#"{"items":[{"id":2}],"total_count":2}"#),
            ("0p1-\n1=odd", r#"{"total_count":"odd"}"#),
            ("0p4*2", r#"{"items":[{"id":1},{"id":2},{"id":2},{"id":2}],"total_count":2}"#),
            ("0p7-", "null"),
            ("1p1-", body),
            ("", body),
        ] {
            assert_eq!(spoiled(told, body), format!("200 [] {wanted}"), "{told}");
        }
    }

    #[test]
    fn a_whole_answer_takes_the_place_of_the_true_one() {
        assert_eq!(spoiled("0rno", "{}"), "200 [] no");
        assert_eq!(spoiled("0h503\nRetry-After: 7\n\nlater", "{}"), "503 [(\"retry-after\", \"7\")] later");
    }
}
