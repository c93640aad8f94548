//! A request in the words of others: as a command of KooCLI (`hcloud`), and as code for the vendor's Python SDK. What
//! each of them calls the parts of a request is a table made from the SDK itself (`tests/sdk/models.py`).
//!
//! KooCLI: <https://support.huaweicloud.com/usermanual-hcli/hcli_04_002.html>, on parameters that stand in a file
//! <https://support.huaweicloud.com/hcli_faq/hcli_19_007.html>, on versions
//! <https://support.huaweicloud.com/hcli_faq/hcli_17_002.html>.

mod koo;
mod python;
mod table;

use serde_json::Value;
use url::Url;

use self::table::{Operation, TABLE};
use crate::client::RehearsedRequest;

/// A request taken apart by the names of its parameters.
struct Parts<'a> {
    /// As KooCLI writes it.
    service: String,
    name: &'a str,
    operation: &'static Operation,
    /// `https://host`, without the path.
    endpoint: String,
    project: String,
    region: &'a str,
    /// Parameters of the path, of the query and of the head: place, name, value.
    parameters: Vec<(&'static str, &'static str, String)>,
    body: Option<Value>,
}

impl RehearsedRequest {
    /// The same as a command of KooCLI for a POSIX shell; nothing for operations that are not in the table. Where a
    /// secret was, `***` stands.
    pub fn as_koo(&self) -> Option<String> {
        Some(koo::command(&self.parts()?))
    }

    /// The same as Python for the vendor's SDK; nothing for operations that are not in the table. Where a secret was,
    /// `***` stands. The key comes from the environment.
    pub fn as_python(&self) -> Option<String> {
        python::code(&self.parts()?)
    }

    fn parts(&self) -> Option<Parts<'_>> {
        let service = self.service.to_string();
        let known = TABLE.operations.get(&service.to_ascii_lowercase())?;
        let operation = known.get(self.operation)?;
        let url: Url = self.url.parse().ok()?;
        let mut project = None;
        let mut parameters = Vec::new();
        let mut given = url.path_segments()?;
        for part in operation.path.split('/').skip(1) {
            let value = percent_encoding::percent_decode_str(given.next()?)
                .decode_utf8()
                .ok()?
                .into_owned();
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some("project_id") => project = Some(value),
                Some(name) => parameters.push(("path", name, value)),
                None if part == value => {}
                None => return None,
            }
        }
        if given.next().is_some() {
            return None;
        }
        for (name, value) in url.query_pairs() {
            let (name, _) = operation.parameters.query.get_key_value(name.as_ref())?;
            parameters.push(("query", name.as_str(), value.into_owned()));
        }
        for name in operation.parameters.header.keys() {
            let sent = self
                .headers
                .iter()
                .find(|(sent, _)| sent.eq_ignore_ascii_case(name));
            if let Some((_, value)) = sent {
                parameters.push(("header", name.as_str(), value.clone()));
            }
        }
        let body = match self.body.as_str() {
            "" => None,
            text => Some(serde_json::from_str(text).ok()?),
        };
        Some(Parts {
            service,
            name: self.operation,
            operation,
            endpoint: url.origin().ascii_serialization(),
            project: project?,
            region: &self.region,
            parameters,
            body,
        })
    }
}

/// JSON text, in which signs that a screen would act on instead of showing them are written out.
fn json_text(value: &Value, pretty: bool) -> String {
    let text = if pretty {
        serde_json::to_string_pretty(value).unwrap_or_default()
    } else {
        value.to_string()
    };
    // Such signs stand only inside strings, where this means the same; line ends are the layout's.
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if acts(c) && c != '\n' {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                out.push(c);
            }
            out
        })
}

/// Control characters, and the marks that turn the direction of writing round.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
