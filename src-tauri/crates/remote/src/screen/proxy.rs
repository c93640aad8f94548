//! A way through a proxy to a console: HTTP's `CONNECT` (RFC 9110 9.3.6), or SOCKS5 (RFC 1928, 1929).

use std::fmt;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use url::Url;

use super::{BoxStream, tls};
use crate::connection::reach;
use crate::error::{Error, Result, Unreachable, short};

/// How long a proxy may take for its part.
const WAIT: Duration = Duration::from_secs(20);
/// The longest head of a proxy's answer, in bytes.
const HEAD_MOST: usize = 16 * 1024;
/// The longest name or login that SOCKS5 can carry, in bytes.
const SOCKS_MOST: usize = 255;

/// A proxy.
#[derive(Clone)]
pub struct Proxy {
    /// `http://`, `https://`, `socks5://` (names are looked up here) or `socks5h://` (by the proxy), with host and port.
    pub url: Url,
    /// User and password, where it wants them.
    pub login: Option<(String, SecretString)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its address may have a login in it.
        f.debug_struct("Proxy")
            .field("scheme", &self.url.scheme())
            .field("host", &self.url.host_str())
            .field("port", &self.url.port_or_known_default())
            .finish_non_exhaustive()
    }
}

/// Why it did not lead there, without what it was told.
enum Trouble {
    Broken(std::io::Error),
    Said(String),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Proxy {
    /// A stream to a host, through it.
    pub(super) async fn reach(&self, host: &str, port: u16, authorities: Option<&str>) -> Result<BoxStream> {
        let absent = |why: String| Error::ConsoleUnreachable {
            host: host.to_owned(),
            port,
            why: Unreachable::Other(short(why)),
        };
        let socks = self.url.scheme().starts_with("socks5");
        let at = self.url.host_str().unwrap_or_default();
        let at = at.trim_start_matches('[').trim_end_matches(']');
        let usual = if socks {
            Some(1080)
        } else {
            self.url.port_or_known_default()
        };
        let at_port = self.url.port().or(usual).unwrap_or_default();
        let named = |why: &dyn fmt::Display| absent(format!("the proxy {at}:{at_port}: {why}"));
        let stream = reach(at, at_port).await.map_err(|error| match error {
            Error::Unreachable { why, .. } => named(&why),
            other => other,
        })?;
        let mut stream: BoxStream = match self.url.scheme() {
            "https" => tls::connect(Box::new(stream), at, &tls::trusted(authorities)?).await?,
            _ => Box::new(stream),
        };
        let asking = async {
            match self.url.scheme() {
                "socks5" => self.socks(&mut stream, &here(host, port).await?, port).await,
                "socks5h" => self.socks(&mut stream, host, port).await,
                _ => self.connect(&mut stream, host, port).await,
            }
        };
        match timeout(WAIT, asking).await {
            Ok(Ok(())) => Ok(stream),
            Ok(Err(Trouble::Said(why))) => Err(named(&why)),
            Ok(Err(Trouble::Broken(error))) => Err(named(&error)),
            Err(_) => Err(named(&"nothing came back in time")),
        }
    }

    async fn connect(&self, stream: &mut BoxStream, host: &str, port: u16) -> Result<(), Trouble> {
        let place = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let login = self.login.as_ref().map(|(user, password)| {
            let both = format!("{user}:{}", password.expose_secret());
            format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(both))
        });
        let login = login.unwrap_or_default();
        let asked = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{login}\r\n");
        stream.write_all(asked.as_bytes()).await?;
        stream.flush().await?;
        // Byte by byte: what follows the head is the console's.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= HEAD_MOST {
                return Err(Trouble::Said("its answer is too long".to_owned()));
            }
            head.push(stream.read_u8().await?);
        }
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ');
        match (
            words.next(),
            words.next().and_then(|code| code.parse::<u16>().ok()),
        ) {
            (Some(version), Some(200..=299)) if version.starts_with("HTTP/1.") => Ok(()),
            _ => Err(Trouble::Said(short(line))),
        }
    }

    async fn socks(&self, stream: &mut BoxStream, host: &str, port: u16) -> Result<(), Trouble> {
        let odd = || Trouble::Said("it does not speak SOCKS5".to_owned());
        let ways: &[u8] = if self.login.is_some() {
            &[5, 2, 0, 2]
        } else {
            &[5, 1, 0]
        };
        stream.write_all(ways).await?;
        stream.flush().await?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await?;
        match (chosen, &self.login) {
            ([5, 0], _) => {}
            ([5, 2], Some((user, password))) => {
                let mut said = vec![1];
                said.extend(counted(user)?);
                said.extend(counted(password.expose_secret())?);
                stream.write_all(&said).await?;
                stream.flush().await?;
                let mut answer = [0; 2];
                stream.read_exact(&mut answer).await?;
                if answer != [1, 0] {
                    return Err(Trouble::Said("it refuses the login".to_owned()));
                }
            }
            ([5, _], _) => return Err(Trouble::Said("it wants a login".to_owned())),
            _ => return Err(odd()),
        }
        let mut asked = vec![5, 1, 0];
        match host.parse() {
            Ok(std::net::IpAddr::V4(address)) => {
                asked.push(1);
                asked.extend(address.octets());
            }
            Ok(std::net::IpAddr::V6(address)) => {
                asked.push(4);
                asked.extend(address.octets());
            }
            Err(_) => {
                asked.push(3);
                asked.extend(counted(host)?);
            }
        }
        asked.extend(port.to_be_bytes());
        stream.write_all(&asked).await?;
        stream.flush().await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        let [5, code, _, kind] = answer else {
            return Err(odd());
        };
        if code != 0 {
            return Err(Trouble::Said(format!("SOCKS5 {code}")));
        }
        let address = match kind {
            1 => 4,
            4 => 16,
            3 => usize::from(stream.read_u8().await?),
            _ => return Err(odd()),
        };
        let mut bound = vec![0; address + 2];
        stream.read_exact(&mut bound).await?;
        Ok(())
    }
}

/// A text with its length before it, as SOCKS5 has it.
fn counted(text: &str) -> Result<Vec<u8>, Trouble> {
    let length = u8::try_from(text.len()).ok().filter(|_| text.len() <= SOCKS_MOST);
    let length = length.ok_or_else(|| Trouble::Said("a name is too long for SOCKS5".to_owned()))?;
    Ok(std::iter::once(length).chain(text.bytes()).collect())
}

/// An address of a host, looked up here.
async fn here(host: &str, port: u16) -> Result<String, Trouble> {
    let mut found = tokio::net::lookup_host((host, port)).await?;
    let address = found.next();
    address
        .map(|address| address.ip().to_string())
        .ok_or_else(|| Trouble::Said("the name is not known".to_owned()))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A proxy that expects these words and says those, each in turn; then what was said to it after that.
    async fn proxy(
        scheme: &str,
        talk: Vec<(&'static [u8], &'static [u8])>,
    ) -> (Proxy, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for (heard, said) in talk {
                let mut words = vec![0; heard.len()];
                stream.read_exact(&mut words).await.unwrap();
                assert_eq!(words, heard, "{}", String::from_utf8_lossy(&words));
                stream.write_all(said).await.unwrap();
            }
        });
        let proxy = Proxy {
            url: url.parse().unwrap(),
            login: None,
        };
        (proxy, task)
    }

    #[tokio::test]
    async fn a_console_is_reached_through_connect_and_nothing_of_it_is_taken_for_the_proxys_answer() {
        let asked = b"CONNECT vnc.example:8002 HTTP/1.1\r\nHost: vnc.example:8002\r\n\r\n";
        let (through, talk) = proxy(
            "http",
            vec![(
                asked,
                b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nRFB 003.008\n",
            )],
        )
        .await;
        let mut stream = through.reach("vnc.example", 8002, None).await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"RFB 003.008\n");
        talk.await.unwrap();
    }

    #[tokio::test]
    async fn a_login_goes_to_the_proxy_and_a_refusal_is_told_without_it() {
        let asked = b"CONNECT vnc.example:8002 HTTP/1.1\r\nHost: vnc.example:8002\r\n\
            Proxy-Authorization: Basic YWRhOmhpZGRlbg==\r\n\r\n";
        let (mut through, talk) = proxy("http", vec![(asked, b"HTTP/1.1 403 Forbidden\r\n\r\n")]).await;
        through.login = Some(("ada".to_owned(), "hidden".to_owned().into()));
        let error = through.reach("vnc.example", 8002, None).await.err().unwrap();
        let (error, shown) = (error.to_string(), format!("{through:?}"));
        assert!(error.contains("403 Forbidden"), "{error}");
        assert!(
            !error.contains("hidden") && !shown.contains("hidden"),
            "{error} {shown}"
        );
        talk.await.unwrap();
    }

    #[tokio::test]
    async fn socks5_is_told_the_name_or_the_address_as_its_scheme_says() {
        let by_name: &[u8] = b"\x05\x01\x00\x03\x0bvnc.example\x1f\x42";
        let (through, talk) = proxy(
            "socks5h",
            vec![
                (&[5, 1, 0], &[5, 0]),
                (by_name, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]),
            ],
        )
        .await;
        through.reach("vnc.example", 8002, None).await.unwrap();
        talk.await.unwrap();
        let by_address: &[u8] = &[5, 1, 0, 1, 127, 0, 0, 1, 0x1f, 0x42];
        let (through, talk) = proxy("socks5", vec![(&[5, 1, 0], &[5, 0]), (by_address, &[5, 5, 0, 1])]).await;
        let error = through.reach("127.0.0.1", 8002, None).await.err().unwrap();
        assert!(error.to_string().contains("SOCKS5 5"), "{error}");
        talk.await.unwrap();
    }
}
