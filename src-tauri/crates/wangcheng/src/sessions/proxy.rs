//! Which proxy stands between this computer and a console: the one of the settings, or what the system says.

use huaweicloud::Proxy as Setting;
use hyper_util::client::proxy::matcher::Matcher;
use secrecy::{ExposeSecret, SecretString};

/// The proxy to a page at this address; nothing where it is reached directly.
pub(super) fn to(address: &SecretString, setting: &Setting) -> Option<remote::Proxy> {
    match setting {
        Setting::Direct => None,
        Setting::At { url, .. } => Some(remote::Proxy {
            url: url.clone(),
            login: None,
        }),
        Setting::System => {
            // Without the token: who stands in between depends on scheme and host.
            let mut page = url::Url::parse(address.expose_secret()).ok()?;
            page.set_query(None);
            through(&Matcher::from_system(), page.as_str())
        }
    }
}

fn through(system: &Matcher, page: &str) -> Option<remote::Proxy> {
    let found = system.intercept(&page.parse().ok()?)?;
    let login = found.raw_auth().map(|(user, password)| {
        let password = SecretString::from(password.to_owned());
        (user.to_owned(), password)
    });
    Some(remote::Proxy {
        url: found.uri().to_string().parse().ok()?,
        login: login.or_else(|| basic(found.basic_auth()?.to_str().ok()?)),
    })
}

/// User and password out of what HTTP says of them.
fn basic(header: &str) -> Option<(String, SecretString)> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let both = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (user, password) = std::str::from_utf8(&both).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_of_proxies_holds_for_consoles_with_its_login_and_its_exceptions() {
        let system = Matcher::builder()
            .https("http://ada:hi%64den@proxy.example:3128")
            .no("vnc.inside.example")
            .build();
        let found = through(&system, "https://vnc.example:8002/vnc_auto.html").unwrap();
        assert_eq!(
            (found.url.host_str(), found.url.port()),
            (Some("proxy.example"), Some(3128))
        );
        let (user, password) = found.login.unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("ada", "hidden"));
        assert!(through(&system, "https://vnc.inside.example:8002/").is_none());
        let socks = Matcher::builder()
            .all("socks5h://me:it@proxy.example:1080")
            .build();
        let found = through(&socks, "https://vnc.example:8002/").unwrap();
        assert_eq!(found.url.scheme(), "socks5h");
        assert_eq!(found.login.unwrap().0, "me");
    }

    #[test]
    fn what_is_set_counts_before_what_the_system_says() {
        let address = SecretString::from("https://vnc.example:8002/?token=hidden".to_owned());
        assert!(to(&address, &Setting::Direct).is_none());
        let url: url::Url = "socks5://proxy.example:1080".parse().unwrap();
        let found = to(
            &address,
            &Setting::At {
                url: url.clone(),
                login: None,
            },
        );
        assert_eq!(found.unwrap().url, url);
    }
}
