//! Signs requests by OAuth 1.0a with HMAC-SHA256 (RFC 5849), the way Magento lets integrations in since 2.4.4.

use ring::hmac;
use std::fmt;
use syncline_connect::base64::base64;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Request, Response};
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

/// What an integration is given when it is activated (System > Integrations).
#[derive(Clone)]
pub struct Keys {
    /// Consumer key.
    pub consumer_key: String,
    /// Consumer secret; never sent.
    pub consumer_secret: String,
    /// Access token.
    pub access_token: String,
    /// Access token secret; never sent.
    pub access_token_secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(hidden)")
    }
}

impl Keys {
    /// Signs `request` for one sending. Magento refuses a nonce it has seen, so every sending has its own, of the 32
    /// characters `oauth_nonce.nonce` keeps.
    pub(super) fn sign(&self, request: &mut Request, ctx: &Ctx) {
        let header = self.header(request.method, &request.url, &format!("{:032x}", ctx.draw()), ctx.now().as_second());
        request.headers.push(("authorization".to_owned(), header));
    }

    /// The `Authorization` header of a request sent at this second of the Unix epoch (RFC 5849, 3.5.1).
    fn header(&self, method: &str, url: &str, nonce: &str, second: i64) -> String {
        let second = second.to_string();
        let told = [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", &second),
            ("oauth_token", &self.access_token),
        ];
        let key = format!("{}&{}", encoded(&self.consumer_secret), encoded(&self.access_token_secret));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = base64(hmac::sign(&key, base_string(method, url, &told).as_bytes()).as_ref());
        let all = told.into_iter().chain([("oauth_signature", signature.as_str())]);
        let all: Vec<String> = all.map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
        format!("OAuth {}", all.join(", "))
    }
}

/// The text that is signed (RFC 5849, 3.4.1). A JSON body is no part of it; the query is, decoded and encoded anew, for
/// what the address leaves bare, as the brackets of `searchCriteria[…]`, is not bare here.
fn base_string(method: &str, url: &str, told: &[(&str, &str)]) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let of_query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (again(name), again(value))
    });
    let told = told.iter().map(|(name, value)| (encoded(name), encoded(value)));
    let mut all: Vec<(String, String)> = of_query.chain(told).collect();
    all.sort();
    let all: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method}&{}&{}", encoded(&plain_address(address)), encoded(&all.join("&")))
}

/// An address as it is signed: scheme and host in small letters, without the port its scheme has anyway (RFC 5849, 3.4.1.2).
fn plain_address(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    let scheme = scheme.to_ascii_lowercase();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.to_ascii_lowercase();
    let usual = if scheme == "http" { ":80" } else { ":443" };
    let host = host.strip_suffix(usual).unwrap_or(&host);
    format!("{scheme}://{host}{}", if path.is_empty() { "/" } else { path })
}

/// A part of a query, decoded and encoded as a signature wants it.
fn again(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some(first) = rest.chars().next() {
        let (one, after) = rest.split_at(first.len_utf8());
        let escape = after.get(..2).filter(|hex| first == '%' && hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        rest = after;
        match (escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()), first) {
            (Some(byte), _) if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                out.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            (Some(byte), _) => {
                out += &format!("%{byte:02X}");
                rest = after.get(2..).unwrap_or_default();
            }
            (None, '+') => out += "%20",
            (None, _) => out += &encoded(one),
        }
    }
    out
}

/// Whether a request with our nonce came before, so that it may have been carried out: a proxy sent it twice.
pub(super) fn came_before(response: &Response) -> bool {
    response.status == 401 && String::from_utf8_lossy(&response.body).contains(NONCE_USED)
}

/// What the shop says of a nonce it has seen (from Magento's code: `Nonce\Generator::validateNonce`).
const NONCE_USED: &str = "nonce is already being used";

/// What a refused signature means, with the advice that belongs to it; none where the refusal is about something else.
/// The words are those of Magento's code (`Framework\Oauth\Oauth`, `Oauth\Token\Provider`).
pub(super) fn refused(response: &Response, told: &str) -> Option<(ErrorKind, String)> {
    let says = |parts: &[&str]| parts.iter().any(|part| told.contains(part));
    if says(&[NONCE_USED]) {
        let what = "a proxy between us and the shop sends requests twice";
        return Some((ErrorKind::Unreachable, format!(" ({what})")));
    }
    if says(&["oauth_timestamp"]) {
        let clock =
            response.header("date").map_or_else(String::new, |date| format!(", which shows {}", shown(date, 40)));
        let what = "this machine's clock is more than ten minutes ahead of the shop's";
        return Some((ErrorKind::Config, format!(" ({what}{clock}: set both by a time server)")));
    }
    if says(&["signature is invalid"]) {
        let what = "look at `consumer_secret` and `access_token_secret`, and that `url` is the address the shop itself \
                    takes for its own: scheme, host and port are signed, and a proxy that ends TLS has to tell it of https";
        return Some((ErrorKind::Denied, format!(" ({what})")));
    }
    says(&["onsumer", "oken"]).then(|| {
        let what = "look at `consumer_key` and `access_token`, and that the integration is active";
        (ErrorKind::Denied, format!(" ({what})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(consumer: &str, consumer_secret: &str, token: &str, token_secret: &str) -> Keys {
        Keys {
            consumer_key: consumer.into(),
            consumer_secret: consumer_secret.into(),
            access_token: token.into(),
            access_token_secret: token_secret.into(),
        }
    }

    /// RFC 5849, 3.4.1.1, with its form's parameters in the query and SHA-256 in the place of SHA-1.
    #[test]
    fn the_base_string_is_that_of_the_standard() {
        let told = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ];
        let url = "http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q";
        let wanted = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D\
                      %26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a\
                      %26oauth_signature_method%3DHMAC-SHA256%26oauth_timestamp%3D137131201\
                      %26oauth_token%3Dkkk9d7dh3k39sjv7";
        assert_eq!(base_string("POST", url, &told), wanted);
    }

    /// The examples of RFC 5849, 1.2 and 3.1, and one of ours, signed by another program (Python's `hmac`).
    #[test]
    fn signatures_are_those_of_another_program() {
        let photos = keys("dpf43f3p2l4k3l03", "kd94hf93k423kf44", "nnch734d00sl2jdk", "pfkkdhi9sl3r5s00");
        let url = "http://photos.example.net/photos?file=vacation.jpg&size=original";
        let header = photos.header("GET", url, "chapoH", 137_131_202);
        assert!(header.contains("oauth_signature=\"qWSXv9TPHqGk0CHZhKBgB68lSFMJLbPz%2BibGWx%2BwN3M%3D\""), "{header}");
        let ours = keys("9djdj82h48djs9d2", "j49sk3j29djd&", "kkk9d7dh3k39sjv7", "dh893hdasih9 ");
        let url = "https://Shop.example:443/rest/all/V1/products/NUT%2FM8%20%C3%BC%2B%25?fields=items[id,sku],total_count\
                   &searchCriteria[filterGroups][0][filters][0][value]=50%25%20%2B%20%C3%A9%2F%5ba%5d%26b%3Dc";
        let header = ours.header("PUT", url, &format!("{:032x}", 1), 1_795_435_200);
        assert!(
            header.contains("oauth_signature=\"pcnnsr%2FEC5pt%2F%2FygGqbpjj9koEMPUpjDFP76FRigals%3D\""),
            "{header}"
        );
        assert!(!format!("{ours:?} {header}").contains("j49sk3j29djd"));
    }

    #[test]
    fn what_is_no_escape_is_taken_as_it_is() {
        assert_eq!(again("100%"), "100%25");
        assert_eq!(again("%zz%4"), "%25zz%254");
        assert_eq!(again("ü%c3%bc [a]"), "%C3%BC%C3%BC%20%5Ba%5D");
        assert_eq!(plain_address("https://shop.example:8443"), "https://shop.example:8443/");
    }
}
