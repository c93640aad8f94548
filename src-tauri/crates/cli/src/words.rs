//! Texts for people, in their language, and texts of strangers made safe for a terminal.

use api::Tongue;

/// One of two texts.
pub fn say(tongue: Tongue, zh: &'static str, en: &'static str) -> &'static str {
    match tongue {
        Tongue::Chinese => zh,
        Tongue::English => en,
    }
}

/// Whether a terminal would act on this sign instead of showing it: control characters, and the marks that turn the
/// direction of writing round.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// A stranger's text with what a terminal would act on written out.
pub fn safe(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if acts(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
            out
        })
}

/// The same for JSON text. Such signs stand only inside its strings, where `\uXXXX` means the same; line ends stay.
pub fn safe_json(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        assert_eq!(
            safe("a\u{1b}[2Jb\u{9b}\u{202e}世界"),
            "a\\u{1b}[2Jb\\u{9b}\\u{202e}世界"
        );
    }

    #[test]
    fn json_means_the_same_after_it_was_made_safe() {
        let value = serde_json::json!({"name": "x\u{9b}31m\u{202e}\u{7f}"});
        let text = safe_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.contains('\u{9b}') && !text.contains('\u{202e}'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
