//! The address of a console's page, and what has to be known of it to do what the page does.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::error::{Error, Result};

/// The longest address, in bytes.
const ADDRESS_MOST: usize = 4096;
/// Where the pages of noVNC open their WebSocket unless they say otherwise.
const PATH: &str = "websockify";

/// What the page would open.
pub(super) struct Page {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// Path without the first slash.
    path: String,
    token: SecretString,
}

impl Page {
    /// Reads the address of a page. The token stands in its query, or in the query of the path that its query names; the
    /// page's own name says nothing.
    pub fn read(address: &SecretString) -> Result<Self> {
        // The address is never repeated: whoever has it has the console.
        let wrong = |why: &str| Error::Protocol {
            why: format!("the console's address cannot be used: {why}"),
        };
        let text = address.expose_secret();
        if text.len() > ADDRESS_MOST {
            return Err(wrong("it is too long"));
        }
        let url = Url::parse(text).map_err(|_| wrong("it is none"))?;
        let host = url.host().ok_or_else(|| wrong("it names no host"))?.to_owned();
        let tls = match url.scheme() {
            "https" => true,
            // A token goes in the clear to this computer only.
            "http" if is_here(&host) => false,
            _ => return Err(wrong("it is not https")),
        };
        let port = url
            .port_or_known_default()
            .ok_or_else(|| wrong("it has no port"))?;
        let value = |url: &Url, wanted: &str| {
            url.query_pairs()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let named = value(&url, "path");
        // A base, so that a path that is only a query can be read as well.
        let nested = named.and_then(|path| {
            Url::parse(&format!("https://page.invalid/{PATH}"))
                .ok()?
                .join(&path)
                .ok()
        });
        let token = value(&url, "token")
            .or_else(|| value(nested.as_ref()?, "token"))
            .filter(|token| !token.is_empty())
            .ok_or_else(|| wrong("it has no token"))?;
        let path = nested.map_or_else(
            || PATH.to_owned(),
            |nested| nested.path().trim_start_matches('/').to_owned(),
        );
        let host = match host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        Ok(Self {
            host,
            port,
            tls,
            path,
            token: token.into(),
        })
    }

    /// It is on this computer.
    pub fn is_here(&self) -> bool {
        Host::parse(&self.authority_host()).is_ok_and(|host| is_here(&host))
    }

    /// The host as it stands in addresses.
    fn authority_host(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        }
    }

    /// Host and port as they stand in addresses.
    fn authority(&self) -> String {
        let host = self.authority_host();
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// What a browser would say the page is from.
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// The WebSocket's address, with the token.
    pub fn socket(&self) -> SecretString {
        let scheme = if self.tls { "wss" } else { "ws" };
        let token: String =
            url::form_urlencoded::byte_serialize(self.token.expose_secret().as_bytes()).collect();
        format!("{scheme}://{}/{}?token={token}", self.authority(), self.path).into()
    }

    /// The cookie in which older pages put the token.
    pub fn cookie(&self) -> SecretString {
        format!("token={}", self.token.expose_secret()).into()
    }
}

fn is_here(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String)> {
        let page = Page::read(&text.to_owned().into())?;
        Ok((page.socket().expose_secret().to_owned(), page.origin()))
    }

    #[test]
    fn the_forms_of_every_generation_are_understood() {
        let by_query = read("https://vnc.example:8002/vnc_auto.html?token=a-b&lang=EN&tLength=70").unwrap();
        assert_eq!(by_query.0, "wss://vnc.example:8002/websockify?token=a-b");
        assert_eq!(by_query.1, "https://vnc.example:8002");
        let nested = read("https://vnc.example/vnc_lite.html?path=%3Ftoken%3Da%2Bb").unwrap();
        // As the page itself sends it: what it found in its own address, once decoded.
        assert_eq!(nested.0, "wss://vnc.example/websockify?token=a+b");
        assert_eq!(nested.1, "https://vnc.example");
        let elsewhere = read("https://vnc.example/x?path=some/where%3Ftoken%3Dt").unwrap();
        assert_eq!(elsewhere.0, "wss://vnc.example/some/where?token=t");
        let here = read("http://127.0.0.1:9/console?token=t").unwrap();
        assert_eq!(
            here,
            (
                "ws://127.0.0.1:9/websockify?token=t".into(),
                "http://127.0.0.1:9".into()
            )
        );
        let six = read("https://[2001:db8::1]:8002/console?token=t").unwrap();
        assert_eq!(six.1, "https://[2001:db8::1]:8002");
    }

    #[test]
    fn what_is_no_console_is_refused_without_repeating_it() {
        for text in [
            "http://vnc.example/vnc.html?token=hidden",
            "https://vnc.example/vnc.html",
            "https://vnc.example/vnc.html?token=",
            "ftp://vnc.example/?token=hidden",
            "hidden",
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
