//! Guessing the marker of a page before the page is read, so that the next one can be fetched meanwhile.
//!
//! A guess costs nothing when it is right, and one request when it is wrong: what is done with the answer is decided
//! by the page itself, when it has been read.

/// How far from the end a last row is looked for.
const FARTHEST: usize = 64 * 1024;
const COUNT: &str = "\"count\"";

/// The text of the last object in the last list of an answer, found from its end.
///
/// Read backwards, a quote outside a text begins one, and a quote inside ends it unless an odd number of backslashes
/// stands before it. So the nesting is known without having seen the beginning.
pub(super) fn last_row(body: &str) -> Option<&str> {
    let bytes = body.as_bytes();
    let (mut depth, mut in_text, mut in_list, mut end) = (0_usize, false, false, None);
    for (at, byte) in bytes.iter().enumerate().rev().take(FARTHEST) {
        if in_text {
            in_text = *byte != b'"' || is_escaped(bytes, at);
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'}' | b']' => {
                depth += 1;
                match depth {
                    2 => in_list = *byte == b']',
                    3 if in_list && *byte == b'}' => end = Some(at + 1),
                    3 if in_list => return None,
                    _ => {}
                }
            }
            b'{' | b'[' => {
                if let (3, Some(end)) = (depth, end) {
                    return body.get(at..end);
                }
                depth = depth.checked_sub(1)?;
            }
            _ => {}
        }
    }
    None
}

/// The length of the whole list, if the answer begins or ends with it, as those of ECS do.
pub(super) fn total(body: &str) -> Option<usize> {
    let number = |text: &str| {
        let text = text.trim_start().strip_prefix(':')?.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        text.get(..end)?.parse().ok()
    };
    let first = || {
        number(
            body.trim_start()
                .strip_prefix('{')?
                .trim_start()
                .strip_prefix(COUNT)?,
        )
    };
    let last = || {
        number(
            body.get(body.rfind(',')?..)?
                .strip_prefix(',')?
                .trim_start()
                .strip_prefix(COUNT)?,
        )
    };
    first().or_else(last)
}

fn is_escaped(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    backslashes % 2 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_last_row_is_found_whatever_its_texts_look_like() {
        let row = r#"{"a":"}]\"","b":{"c":["\\","[{"]},"id":"x\\\""}"#;
        for body in [
            format!(r#"{{"count":2,"rows":[{{"id":1}},{row}]}}"#),
            format!("{{\"rows\":[{row} ] , \"count\" : \"2]\" }} \n"),
            format!(r#"{{"rows":[{row}],"page_info":{{"next":["]"]}}}}"#),
        ] {
            assert_eq!(last_row(&body), Some(row), "{body}");
        }
        for body in [
            "",
            "{}",
            "[]",
            r#"{"rows":[]}"#,
            r#"{"rows":[[1]]}"#,
            r#"{"rows":"}]"}"#,
            "}]}",
            "{{{",
        ] {
            assert_eq!(last_row(body), None, "{body}");
        }
        assert_eq!(
            last_row(&format!(r#"{{"rows":[{{}}],"pad":"{}"}}"#, "x".repeat(FARTHEST))),
            None
        );
    }

    #[test]
    fn the_length_of_the_list_is_seen_at_either_end() {
        for body in [
            r#"{"count":17,"rows":[]}"#,
            " { \"count\" : 17 , \"rows\":[{},{}]}",
            r#"{"rows":[{"a":1},{"b":2}],"count":17}"#,
            "{\"rows\":[] , \"count\": 17 }\n",
        ] {
            assert_eq!(total(body), Some(17), "{body}");
        }
        for body in [
            "",
            "{",
            r#"{"rows":[],"counter":1}"#,
            r#"{"count":null}"#,
            r#"{"count":"#,
            r#"{"a":1,"count":"5"}"#,
        ] {
            assert_eq!(total(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_texts_in_any_place_do_not_mislead_it(
            texts in proptest::collection::vec(("[\\\\\"{}\\[\\]a]{0,8}", ".{0,8}"), 1..5), tail in ".{0,8}",
        ) {
            let rows: Vec<Value> = texts
                .iter()
                .map(|(odd, any)| json!({ "id": odd, any: [odd, { odd: any }] }))
                .collect();
            let body = json!({ "rows": rows, "tail": tail }).to_string();
            let found: Value = serde_json::from_str(last_row(&body).unwrap()).unwrap();
            prop_assert_eq!(Some(&found), rows.last());
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}", odd in "[\\\\\"{}\\[\\]:,a ]{0,60}") {
            let _ = (last_row(&text), last_row(&odd), total(&text), total(&odd));
        }
    }
}
