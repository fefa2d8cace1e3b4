//! The real network: one connection pool for one system, no redirects, no retries, bounded answers.

use crate::gzip::BODY_LIMIT;
use crate::port::Fut;
use crate::transport::{Request, Response, Transport, TransportError};
use std::error::Error as _;
use std::time::Duration;

/// Requests over TCP and TLS.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
}

/// The client cannot be built on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct HttpSetup(String);

impl Http {
    /// A transport of its own.
    ///
    /// # Errors
    /// [`HttpSetup`] where the machine's certificate store cannot be read.
    pub fn new() -> Result<Self, HttpSetup> {
        // Installing it twice is fine: the first one stays.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("syncline/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HttpSetup(chain(&error)))?;
        Ok(Self { client })
    }
}

impl Transport for Http {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let method = reqwest::Method::from_bytes(request.method.as_bytes())
                .map_err(|_| TransportError::NotSent(format!("`{}` is no method", request.method)))?;
            let mut builder = self.client.request(method, &request.url).timeout(request.timeout);
            for (name, value) in &request.headers {
                builder = builder.header(name, value);
            }
            let ready = builder
                .header("accept-encoding", "gzip")
                .body(request.body)
                .build()
                .map_err(|error| TransportError::Unsendable(chain(&error)))?;
            let answer = self.client.execute(ready).await.map_err(|error| sorted(&error))?;
            read(answer).await
        })
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Response, TransportError> {
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| TransportError::Lost(chain(&error)))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(TransportError::TooLong(BODY_LIMIT));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

fn sorted(error: &reqwest::Error) -> TransportError {
    let text = chain(error);
    let tls = ["certificate", "InvalidCertificate", "UnknownIssuer", "corrupt message", "TLS", "HandshakeFailure"];
    if error.is_connect() {
        if tls.iter().any(|word| text.contains(word)) {
            TransportError::Tls(text)
        } else {
            TransportError::NotSent(text)
        }
    } else if error.is_builder() {
        TransportError::Unsendable(text)
    } else {
        TransportError::Lost(text)
    }
}

/// An error with its causes, without the address (which may hold a secret).
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "timed out".to_string() } else { String::new() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if !text.contains(&line) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&line);
        }
        cause = inner.source();
    }
    if text.is_empty() { "the request failed".to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Effect;

    #[test]
    fn a_request_that_cannot_be_made_is_no_matter_of_the_network() {
        let request = |url: &str, token: &str| Request {
            method: "GET",
            url: url.to_string(),
            headers: vec![("authorization".to_string(), format!("Bearer {token}"))],
            body: Vec::new(),
            effect: Effect::Read,
            timeout: Duration::from_secs(1),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = Http::new().unwrap();
        for (url, token) in [("http://127.0.0.1:1/", "abc\ndef"), ("http://", "abc"), ("http://a b/", "abc")] {
            let told = runtime.block_on(http.send(request(url, token)));
            assert!(matches!(told, Err(TransportError::Unsendable(_))), "{url}: {told:?}");
            assert!(!format!("{told:?}").contains("abc"), "no secret is told: {told:?}");
        }
    }
}
