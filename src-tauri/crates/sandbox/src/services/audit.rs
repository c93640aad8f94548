//! What the audit may show of a request: its body without secrets, and not all of a long one.

use serde_json::Value;

/// Fields whose values are nobody's business.
const MASKED: [&str; 6] = [
    "adminPass",
    "new_password",
    "password",
    "private_key",
    "user_data",
    "personality",
];
/// Most characters of a body that are kept.
const LONGEST: usize = 4096;

/// The body as text with secrets masked; `None` if there is none, or none that can be read.
pub(super) fn shown(body: &[u8]) -> Option<String> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    mask(&mut value);
    let text = value.to_string();
    Some(if text.chars().count() > LONGEST {
        text.chars().take(LONGEST).collect()
    } else {
        text
    })
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if MASKED.contains(&key.as_str()) {
                    *value = Value::from("********");
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_keys_and_scripts_are_masked_at_any_depth() {
        let body = br#"{"server":{"name":"a","adminPass":"Example123","user_data":"IyE=","x":[{"private_key":"k"}]}}"#;
        let text = shown(body).unwrap();
        assert!(text.contains(r#""name":"a""#), "{text}");
        for secret in ["Example123", "IyE=", r#""k""#] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_or_too_long_does_no_harm() {
        assert_eq!(shown(b"not json"), None);
        let long = format!(r#"{{"x":"{}"}}"#, "长".repeat(10_000));
        assert_eq!(shown(long.as_bytes()).unwrap().chars().count(), LONGEST);
    }
}
