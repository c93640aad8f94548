use super::*;

#[test]
fn a_wait_is_read_in_seconds_and_as_a_date_on_the_receivers_clock() {
    assert_eq!(retry_after("17", None), Some(Duration::from_secs(17)));
    let (until, now) = ("Fri, 02 Jan 2026 03:05:05 GMT", "Fri, 02 Jan 2026 03:04:05 GMT");
    assert_eq!(retry_after(until, Some(now)), Some(Duration::from_secs(60)));
    assert_eq!(
        retry_after("999999999", None),
        Some(MOST_RETRY_AFTER),
        "nobody may silence us for ever"
    );
    assert_eq!(retry_after("soon", None), None);
}

#[test]
fn a_wait_until_a_moment_that_has_passed_is_no_wait() {
    let (until, now) = ("Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:05:05 GMT");
    assert_eq!(retry_after(until, Some(now)), None);
    assert_eq!(
        retry_after(until, None),
        None,
        "without the receiver's clock, a date says nothing"
    );
}

#[test]
fn only_this_computer_counts_as_this_computer() {
    let allowed = |url: &str| {
        let url = url.parse().unwrap();
        Hei::new(
            http_client().unwrap(),
            Profile::yanhuang(),
            url,
            SecretString::from("t"),
        )
        .is_ok()
    };
    for url in [
        "http://127.9.9.9/",
        "http://[::1]:9/",
        "http://localhost:9/",
        "http://hei.localhost/",
    ] {
        assert!(allowed(url), "{url}");
    }
    for url in [
        "http://localhost.example.test/",
        "http://128.0.0.1/",
        "http://[::2]/",
        "http://0.0.0.0/",
    ] {
        assert!(!allowed(url), "{url}");
    }
}

#[test]
fn a_profile_from_a_file_needs_to_say_only_what_differs() {
    let text = r#"{ "event_set": "temp_servers", "time_format": "zero", "limits": { "events": 50 } }"#;
    let profile: Profile = serde_json::from_str(text).unwrap();
    let expected = Profile {
        event_set: "temp_servers".to_owned(),
        time_format: TimeFormat::Zero,
        limits: Limits {
            events: 50,
            ..Limits::default()
        },
        ..Profile::yanhuang()
    };
    assert_eq!(profile, expected);
    let again: Profile = serde_json::from_str(&serde_json::to_string(&profile).unwrap()).unwrap();
    assert_eq!(again, profile);
}

#[test]
fn a_header_that_cannot_exist_is_refused_before_anything_is_sent() {
    let profile = Profile {
        token_header: "X Token".to_owned(),
        ..Profile::yanhuang()
    };
    let url = "https://hei.example.test/".parse().unwrap();
    let error = Hei::new(http_client().unwrap(), profile, url, SecretString::from("t")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAddress);
}

#[test]
fn nothing_secret_is_shown_of_an_address_with_a_query() {
    let url = "https://hei.example.test/in?token=very-secret".parse().unwrap();
    let hei = Hei::new(
        http_client().unwrap(),
        Profile::yanhuang(),
        url,
        SecretString::from("t"),
    )
    .unwrap();
    let shown = format!("{} {hei:?}", hei.describe(&[]));
    assert!(
        !shown.contains("very-secret") && shown.contains("https://hei.example.test/in?***"),
        "{shown}"
    );
}

#[test]
fn plain_http_to_another_computer_has_to_be_chosen_on_purpose() {
    let hei = |url: &str, allow| {
        let profile = Profile {
            allow_plain_http: allow,
            ..Profile::yanhuang()
        };
        Hei::new(
            reqwest::Client::new(),
            profile,
            url.parse().unwrap(),
            SecretString::from("t"),
        )
    };
    assert!(hei("http://127.0.0.1:8080/", false).is_ok());
    assert!(hei("https://hei.example.test/", false).is_ok());
    assert_eq!(
        hei("http://hei.example.test/", false).unwrap_err().kind,
        ErrorKind::BadAddress
    );
    assert!(hei("http://hei.example.test/", true).is_ok());
    assert_eq!(
        hei("ftp://hei.example.test/", true).unwrap_err().kind,
        ErrorKind::BadAddress
    );
    assert_eq!(
        hei("https://a:b@hei.example.test/", false).unwrap_err().kind,
        ErrorKind::BadAddress
    );
}

#[test]
fn what_is_shown_of_a_request_blanks_the_token() {
    let token = SecretString::from("very-secret-token");
    let url = "https://hei.example.test/".parse().unwrap();
    let hei = Hei::new(reqwest::Client::new(), Profile::yanhuang(), url, token).unwrap();
    let time = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let shown = hei.describe(&[Event {
        time,
        json: "{\"a\":1}",
    }]);
    assert!(
        !shown.contains("very-secret") && !format!("{hei:?}").contains("very-secret"),
        "{shown}"
    );
    assert!(
        shown.contains("\"_time\": \"2026-01-02T03:04:05.678Z\""),
        "{shown}"
    );
}
