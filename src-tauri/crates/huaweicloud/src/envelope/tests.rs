//! Every shape of error that is documented, and what comes of bytes that are none.

use proptest::prelude::*;

use super::*;

#[test]
fn every_services_envelope_is_read() {
    let table: &[(&str, Option<&str>, &str)] = &[
        (
            r#"{"error":{"code":"Ecs.0005","message":"bad request"}}"#,
            Some("Ecs.0005"),
            "bad request",
        ),
        (
            r#"{"code":"VPC.0504","message":"no such EIP"}"#,
            Some("VPC.0504"),
            "no such EIP",
        ),
        (
            r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information","request_id":"r1"}"#,
            Some("APIGW.0301"),
            "Incorrect IAM authentication information",
        ),
        (
            r#"{"errorCode":"CBC.0100","errorMsg":"parameter"}"#,
            Some("CBC.0100"),
            "parameter",
        ),
        (
            r#"{"error":{"error_code":"TMS.0001","error_msg":"text"}}"#,
            Some("TMS.0001"),
            "text",
        ),
        (
            r#"{"error":{"code":403,"message":"no","title":"Forbidden"}}"#,
            Some("403"),
            "no",
        ),
        (
            r#"{"itemNotFound":{"code":404,"message":"Instance not found"}}"#,
            Some("404"),
            "Instance not found",
        ),
        (
            r#"{"NeutronError":{"type":"SubnetNotFound","message":"gone","detail":""}}"#,
            Some("SubnetNotFound"),
            "gone",
        ),
        (
            "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The key does not exist</Message></Error>",
            Some("NoSuchKey"),
            "The key does not exist",
        ),
        (
            r#"{"code":"the server is gone","message":"Ecs.0114"}"#,
            Some("Ecs.0114"),
            "the server is gone",
        ),
        (r#"{"error":{"code":null,"message":"no code"}}"#, None, "no code"),
    ];
    for (body, code, message) in table {
        let read = read(body.as_bytes()).unwrap_or_else(|| panic!("nothing read from {body}"));
        assert_eq!(
            (read.code.as_deref(), &*read.message),
            (*code, *message),
            "{body}"
        );
    }
}

/// The envelopes of the notes, each filled with a code and a message in the places that its example names.
#[test]
fn every_documented_envelope_is_read_from_its_example() {
    let file: Value = serde_json::from_str(include_str!("../../tests/fixtures/api.json")).unwrap();
    let envelopes = file["error_envelopes"].as_object().unwrap();
    let mut read_from_examples = 0;
    for (name, example) in envelopes {
        let (bodies, code, message) = match name.as_str() {
            "parser_rule" => continue,
            "xml_obs" => {
                // The example only names the elements.
                let elements = example.as_str().unwrap();
                let (root, rest) = elements.split_once('{').unwrap();
                let inner: String = rest
                    .trim_end_matches('}')
                    .split(',')
                    .map(|element| {
                        let value = if element == "Code" { "NoSuchKey" } else { "text" };
                        format!("<{element}>{value}</{element}>")
                    })
                    .collect();
                let body = format!("<?xml version=\"1.0\"?>\n<{root}>{inner}</{root}>");
                (vec![body], "NoSuchKey", "text")
            }
            "native_nova" => {
                // The example stands for one object under several names.
                let (names, inner) = example.as_object().unwrap().iter().next().unwrap();
                let bodies = names
                    .split(" | ")
                    .map(|name| Value::Object(Map::from_iter([(name.to_owned(), inner.clone())])).to_string())
                    .collect();
                (bodies, "400", "text")
            }
            "nested_error_code_message" => (vec![example.to_string()], "Ecs.0005", "text"),
            "flat_code_message" => (vec![example.to_string()], "VPC.0504", "text"),
            "flat_error_code_error_msg" => (vec![example.to_string()], "APIGW.0301", "text"),
            "nested_error_with_error_code_error_msg" => (vec![example.to_string()], "TMS.0001", "text"),
            "iam_v3" => (vec![example.to_string()], "401", "text"),
            "neutron" => (vec![example.to_string()], "text", "text"),
            "batch_ecs" => (vec![example.to_string()], "text", "text"),
            other => panic!("the envelope {other} is not known to this test"),
        };
        for body in bodies {
            let read = read(body.as_bytes()).unwrap_or_else(|| panic!("{name}: nothing read from {body}"));
            assert_eq!(
                (read.code.as_deref(), &*read.message),
                (Some(code), message),
                "{name}: {body}"
            );
            if name == "batch_ecs" {
                let [part] = &*read.details else {
                    panic!("{name}: {:?}", read.details)
                };
                assert_eq!(part.id.as_deref(), Some("server id"));
            }
        }
        read_from_examples += 1;
    }
    assert_eq!(read_from_examples, 9, "nine envelopes are documented");
}

#[test]
fn the_names_of_other_spellings_are_read_too() {
    let read = read(br#"{"errorCode":"CBC.0100","errorMsg":"bad parameter"}"#).unwrap();
    assert_eq!(
        (read.code.as_deref(), &*read.message),
        (Some("CBC.0100"), "bad parameter")
    );
}

#[test]
fn the_parts_of_a_batch_that_failed_are_found_inside_a_success() {
    let tms = read_in_success(
        br#"{"failed_resources":[{"resource_id":"s-1","resource_type":"ecs","error_code":"TMS.0017","error_msg":"gone"},
             {"resource_id":"s-2","resource_type":"ecs","error_code":"TMS.0010","error_msg":"no right"}]}"#,
    )
    .unwrap();
    let parts: Vec<_> = tms
        .details
        .iter()
        .map(|part| (part.id.as_deref(), part.code.as_deref()))
        .collect();
    assert_eq!(
        parts,
        [(Some("s-1"), Some("TMS.0017")), (Some("s-2"), Some("TMS.0010"))]
    );
    assert_eq!(
        (tms.code.as_deref(), &*tms.message),
        (None, "2 parts of the request failed")
    );

    let ecs = read_in_success(
        br#"{"job_id":"j-1","internalError":[{"id":"s-1","error_code":"Ecs.0605","error_message":"locked"}]}"#,
    )
    .unwrap();
    assert_eq!((ecs.code.as_deref(), &*ecs.message), (Some("Ecs.0605"), "locked"));
    assert_eq!(ecs.details[0].kind(), Some(crate::ErrorKind::State));

    for nothing_failed in [
        r#"{"failed_resources":[]}"#,
        r#"{"failed_resources":null}"#,
        r#"{"job_id":"j-1","internalError":[]}"#,
        r#"{"internalError":"none"}"#,
    ] {
        assert_eq!(
            read_in_success(nothing_failed.as_bytes()),
            None,
            "{nothing_failed}"
        );
    }
}

#[test]
fn finer_causes_and_failed_servers_are_kept() {
    let read = read(
        br#"{"error":{"code":"Ecs.0611","message":"part failed","details":[{"code":"Ecs.0039","message":"ip"}]},
             "internalError":[{"id":"s-1","error_code":"Ecs.0605","error_message":"locked"}]}"#,
    )
    .unwrap();
    let codes: Vec<_> = read
        .details
        .iter()
        .map(|d| (d.id.as_deref(), d.code.as_deref(), &*d.message))
        .collect();
    assert_eq!(
        codes,
        [
            (None, Some("Ecs.0039"), "ip"),
            (Some("s-1"), Some("Ecs.0605"), "locked")
        ]
    );
}

#[test]
fn pages_of_proxies_have_no_envelope() {
    for body in [
        "",
        "<html><body>blocked</body></html>",
        "[]",
        "null",
        "\u{feff}{",
        "{}",
        r#"{"servers":[]}"#,
    ] {
        assert_eq!(read(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn an_error_inside_a_success_is_found_and_an_ordinary_answer_is_left_alone() {
    let found = read_in_success(br#"{"error":{"code":"Common.0024","message":"flow limit"}}"#).unwrap();
    assert_eq!(found.code.as_deref(), Some("Common.0024"));
    assert!(read_in_success(br#"{"code":"Common.0024","message":"flow limit"}"#).is_some());
    for body in [
        r#"{"job_id":"j","status":"FAIL","error_code":"Ecs.0219","fail_reason":"no capacity"}"#,
        r#"{"job_id":"j","status":"FAIL","code":"Ecs.0219","message":"no capacity"}"#,
        r#"{"server":{"id":"s","fault":{"code":500,"message":"No valid host"}}}"#,
        r#"{"code":"","message":""}"#,
        "",
    ] {
        assert_eq!(read_in_success(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn an_endless_message_is_cut() {
    let body = format!(r#"{{"code":"Ecs.0005","message":"{}"}}"#, "错".repeat(100_000));
    assert!(read(body.as_bytes()).unwrap().message.chars().count() <= MAX_TEXT + 1);
    assert!(raw_text("错".repeat(100_000).as_bytes()).chars().count() <= MAX_TEXT + 1);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("Ecs.0005")),
    ];
    let key = prop_oneof![
        Just("error".to_owned()),
        Just("code".to_owned()),
        Just("message".to_owned()),
        Just("error_code".to_owned()),
        Just("error_msg".to_owned()),
        Just("details".to_owned()),
        Just("internalError".to_owned()),
        ".{0,5}",
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_code_and_message_are_found_in_every_envelope(
        code in "[A-Za-z]{2,8}\\.[0-9]{1,8}", message in "[^\\x00]{1,80}", noise in json(), wrap in 0usize..8,
    ) {
        // A message that is itself like a code, or blank, is told apart by other rules.
        prop_assume!(!is_code(&message) && !message.trim().is_empty());
        let pair = |code_name: &str, name: &str| serde_json::json!({ code_name: code, name: message, "more": noise });
        let body = match wrap {
            0 => pair("code", "message"),
            1 => pair("error_code", "error_msg"),
            2 => pair("errorCode", "errorMsg"),
            3 => serde_json::json!({ "error": pair("code", "message") }),
            4 => serde_json::json!({ "error": pair("error_code", "error_msg") }),
            5 => serde_json::json!({ "itemNotFound": pair("code", "message") }),
            6 => serde_json::json!({ "NeutronError": pair("type", "message") }),
            // The two the wrong way round.
            _ => pair("message", "code"),
        };
        let found = read(body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(found.code.as_deref(), Some(&*code));
        prop_assert_eq!(&*found.message, &*message);
    }

    #[test]
    fn no_body_of_any_bytes_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = (read(&body), read_in_success(&body), raw_text(&body));
    }

    #[test]
    fn no_json_makes_the_reader_panic(value in json()) {
        let body = value.to_string();
        let _ = (read(body.as_bytes()), read_in_success(body.as_bytes()));
    }
}

proptest! {
    // Each of these is large.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_read_is_bounded(value in json(), long in 0usize..6_000) {
        let body = serde_json::json!({ "code": "x".repeat(long), "message": "y".repeat(long), "details": value,
            "internalError": vec![serde_json::json!({ "id": "z".repeat(long), "code": "a", "message": "b" }); 300] });
        if let Some(found) = read(body.to_string().as_bytes()) {
            prop_assert!(found.message.chars().count() <= MAX_TEXT + 1);
            prop_assert!(found.code.is_none_or(|code| code.chars().count() <= MAX_TEXT + 1));
            prop_assert!(found.details.len() <= MAX_DETAILS);
            prop_assert!(found.details.iter().all(|part| part.message.chars().count() <= MAX_TEXT + 1));
        }
    }
}

/// Every bound of what is kept of an error, whatever it was read from.
fn is_bounded(found: &Envelope) -> bool {
    let short = |text: &str| text.chars().count() <= MAX_TEXT + 1;
    short(&found.message)
        && found.code.as_deref().is_none_or(short)
        && found.details.len() <= MAX_DETAILS
        && found.details.iter().all(|part| {
            short(&part.message)
                && part.code.as_deref().is_none_or(short)
                && part.id.as_deref().is_none_or(short)
        })
}

/// A well-formed error of each kind, with a text of any length in each place.
fn good(kind: usize, text: &str) -> Vec<u8> {
    let pair =
        |code: &str, message: &str| serde_json::json!({ code: text, message: text, "request_id": text });
    let part = serde_json::json!({ "id": text, "error_code": text, "error_msg": text });
    let json = match kind {
        0 => pair("code", "message"),
        1 => pair("error_code", "error_msg"),
        2 => pair("errorCode", "errorMsg"),
        3 => serde_json::json!({ "error": pair("code", "message"), "details": [part] }),
        4 => serde_json::json!({ "itemNotFound": pair("code", "message") }),
        5 => serde_json::json!({ "NeutronError": pair("type", "message") }),
        6 => serde_json::json!({ "failed_resources": [part, part] }),
        7 => serde_json::json!({ "internalError": [part], "serverIds": [text] }),
        8 => serde_json::json!({ "error": { "code": 400, "message": text, "details": vec![part; 150] } }),
        _ => {
            return format!(
                "<?xml version=\"1.0\"?><Error><Code>{text}</Code><Message>{text}</Message></Error>"
            )
            .into();
        }
    };
    json.to_string().into_bytes()
}

proptest! {
    #[test]
    fn an_error_that_was_cut_or_changed_on_its_way_is_read_without_panic_and_bounded(
        kind in 0usize..10, text in prop_oneof![".{0,30}", "[a-zA-Z]{1,4}\\.[0-9]{1,6}", "[文<>\\\\\"&]{0,2100}"],
        cut in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        more in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let whole = good(kind, &text);
        let mut changed = whole.clone();
        for (place, byte) in changes {
            let place = place.index(changed.len());
            changed[place] = byte;
        }
        let place = cut.index(changed.len());
        changed.splice(place..place, more);
        for body in [&whole[..], &whole[..cut.index(whole.len())], &changed] {
            for found in [read(body), read_in_success(body)].into_iter().flatten() {
                prop_assert!(is_bounded(&found), "{:?}", found);
            }
            prop_assert!(raw_text(body).chars().count() <= MAX_TEXT + 1);
        }
    }
}

#[test]
fn what_is_nested_too_deep_or_too_long_is_read_without_overflow_and_bounded() {
    for depth in [100, 10_000, 200_000] {
        for (open, close) in [
            ("[", "]"),
            (r#"{"error":"#, "}"),
            ("<Error><Code>", "</Code></Error>"),
        ] {
            let closed = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for body in [closed.as_bytes(), open.repeat(depth).as_bytes()] {
                for found in [read(body), read_in_success(body)].into_iter().flatten() {
                    assert!(is_bounded(&found));
                }
                assert!(raw_text(body).chars().count() <= MAX_TEXT + 1);
            }
        }
    }
    for kind in 0..10 {
        let found = read(&good(kind, &"长".repeat(100_000)));
        assert!(found.is_none_or(|found| is_bounded(&found)), "kind {kind}");
    }
}
