//! HTTP messages on a socket, as far as a proxy and one plain GET need them.
use crate::Res;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No message of a test is longer.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Which way a message goes: without a length, a request has no body and a reply ends with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Request,
    Reply,
}

/// One message, byte for byte.
#[derive(Debug)]
pub struct Message {
    pub head: Vec<u8>,
    /// As it was sent, chunk marks and all.
    pub raw_body: Vec<u8>,
    /// Without chunk marks.
    pub body: Vec<u8>,
    /// True where the connection cannot carry another.
    pub last: bool,
}

impl Message {
    fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }

    /// The status of a reply.
    pub fn status(&self) -> Option<u16> {
        String::from_utf8_lossy(&self.head).split_whitespace().nth(1)?.parse().ok()
    }
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let mut pairs = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

/// The next message; none where the other side closed between two.
pub fn read(from: &mut BufReader<TcpStream>, way: Way) -> std::io::Result<Option<Message>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        if from.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(broken("the connection ended inside a message head")) };
        }
        let line = head.get(before..).unwrap_or_default();
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        if head.len() > 256 * 1024 {
            return Err(broken("a message head is longer than 256 KiB"));
        }
    }
    let mut message = Message { head, raw_body: Vec::new(), body: Vec::new(), last: false };
    let close = message.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    message.last = close || message.head.starts_with(b"HTTP/1.0");
    let bodiless = way == Way::Reply && matches!(message.status(), Some(100..=199 | 204 | 304));
    if message.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        chunks(from, &mut message)?;
    } else if let Some(length) = message.header("content-length") {
        let length: u64 = length.parse().map_err(|_| broken("a length that is no number"))?;
        let got = from.take(length.min(LARGEST)).read_to_end(&mut message.raw_body)?;
        if u64::try_from(got).ok() != Some(length) {
            return Err(broken("the connection ended inside a body"));
        }
        message.body.clone_from(&message.raw_body);
    } else if way == Way::Reply && !bodiless {
        from.take(LARGEST).read_to_end(&mut message.raw_body)?;
        message.body.clone_from(&message.raw_body);
        message.last = true;
    }
    Ok(Some(message))
}

fn chunks(from: &mut BufReader<TcpStream>, message: &mut Message) -> std::io::Result<()> {
    loop {
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line)?;
        message.raw_body.extend_from_slice(&line);
        let text = String::from_utf8_lossy(&line);
        let digits = text.trim().split(';').next().unwrap_or_default().to_owned();
        let size = u64::from_str_radix(&digits, 16).map_err(|_| broken("a chunk without a size"))?;
        if size > LARGEST {
            return Err(broken("a chunk that is too long"));
        }
        let mut part = Vec::new();
        from.take(size + 2).read_to_end(&mut part)?;
        message.raw_body.extend_from_slice(&part);
        let inside = usize::try_from(size).unwrap_or(usize::MAX);
        message
            .body
            .extend_from_slice(part.get(..inside).ok_or_else(|| broken("the connection ended inside a chunk"))?);
        if size == 0 {
            return Ok(());
        }
    }
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}

/// Host with port, and path, of a plain `http://` address.
pub fn split_url(url: &str) -> Res<(String, String)> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("`{url}` is no http:// address"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    Ok((host, format!("/{path}")))
}

/// The body of a GET that answered 200.
pub fn get(url: &str) -> Res<Vec<u8>> {
    ask("GET", url, "", None)
}

/// The same by the bearer of a token.
pub fn get_as(token: &str, url: &str) -> Res<Vec<u8>> {
    ask("GET", url, "", Some(token))
}

/// The body of a POST of JSON that answered 200.
pub fn post(url: &str, body: &str) -> Res<Vec<u8>> {
    ask("POST", url, body, None)
}

/// The same by the bearer of a token.
pub fn post_as(token: &str, url: &str, body: &str) -> Res<Vec<u8>> {
    ask("POST", url, body, Some(token))
}

fn ask(method: &str, url: &str, body: &str, token: Option<&str>) -> Res<Vec<u8>> {
    let (host, path) = split_url(url)?;
    let ask = || -> std::io::Result<Option<Message>> {
        let mut stream = TcpStream::connect(&host)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let about = format!("{bearer}Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n{about}Connection: close\r\n\r\n{body}"
        )?;
        read(&mut BufReader::new(stream), Way::Reply)
    };
    let reply =
        ask().map_err(|e| format!("{method} {url}: {e}"))?.ok_or_else(|| format!("{method} {url}: no answer"))?;
    match reply.status() {
        Some(200) => Ok(reply.body),
        other => {
            let said: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
            Err(format!("{method} {url}: status {other:?} {said}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn exchange(reply: &'static [u8]) -> Res<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            read(&mut reader, Way::Request).unwrap().unwrap();
            (&stream).write_all(reply).unwrap();
        });
        let got = get(&format!("http://{address}/_sim/ledger"));
        server.join().unwrap();
        got
    }

    #[test]
    fn bodies_come_whole_however_they_are_framed() {
        assert_eq!(exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap(), b"{}");
        assert_eq!(
            exchange(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").unwrap(),
            b"abcde"
        );
        assert_eq!(exchange(b"HTTP/1.0 200 OK\r\n\r\nto the end").unwrap(), b"to the end");
    }

    #[test]
    fn a_reply_cut_short_is_an_error() {
        assert!(exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}").is_err());
        assert!(exchange(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").is_err());
    }
}
