//! Lists of any rows in any pages: what can be read is never lost by what cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use axum::extract::{Query, State};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Credentials, Endpoints, Http, HttpOptions};
use super::*;
use crate::client::Rate;
use crate::endpoints::Region;

#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::required")]
    id: String,
    #[serde(deserialize_with = "lenient::required")]
    status: String,
    #[serde(default, deserialize_with = "lenient::number")]
    size: Option<u32>,
}

fn answer(body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        service: Service::Ecs,
        action: "List",
        status: 200,
        headers: HeaderMap::new(),
        body: body.into(),
        request_id: None,
        server_time: None,
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A row that can be read, with more fields and other types than are documented.
fn good_row() -> impl Strategy<Value = (Value, Row)> {
    ("[a-z0-9-]{1,20}", "[A-Z]{1,8}", any_json(), any_json()).prop_map(|(id, status, size, more)| {
        let wire = json!({ "id": id, "status": status, "size": size, "new_field": more });
        let row = serde_json::from_value::<Value>(wire.clone())
            .ok()
            .and_then(|_| serde_json::from_str(&wire.to_string()).ok());
        (wire, row.unwrap())
    })
}

/// Something that is no row: another type, or a row full of nulls.
fn odd_row() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_json().prop_filter("no row", |value| value.get("status").is_none()),
        "[a-z0-9-]{1,20}".prop_map(|id| json!({ "id": id, "status": null, "size": null })),
    ]
}

proptest! {
    #[test]
    fn exactly_the_rows_that_can_be_read_are_read_in_their_order(
        rows in proptest::collection::vec(prop_oneof![
            3 => good_row().prop_map(|(wire, row)| (wire, Some(row))),
            1 => odd_row().prop_map(|wire| (wire, None)),
        ], 0..12),
        before in any_json(), after in any_json(),
    ) {
        let wire: Vec<&Value> = rows.iter().map(|(wire, _)| wire).collect();
        let wanted: Vec<Row> = rows.iter().filter_map(|(_, row)| row.clone()).collect();
        let body = format!(r#"{{"a":{before},"rows":{},"z":{after},"count":"7"}}"#, json!(wire));
        let page: Page<Row> = answer(body).page("rows").unwrap();
        prop_assert_eq!(page.odd, rows.len() - wanted.len());
        prop_assert_eq!(page.items, wanted);
        prop_assert_eq!(page.count, Some(7));
    }

    #[test]
    fn no_bytes_make_the_list_parser_panic_and_only_a_whole_answer_is_a_list(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        rows in proptest::collection::vec(good_row(), 1..5), cut in 0usize..10_000,
    ) {
        let _ = answer(bytes).page::<Row>("rows");
        let wire: Vec<Value> = rows.into_iter().map(|(wire, _)| wire).collect();
        let body = json!({ "rows": wire }).to_string().into_bytes();
        let cut = cut % body.len();
        let error = answer(&body[..cut]).page::<Row>("rows").err().unwrap();
        prop_assert_eq!(error.kind, ErrorKind::BadAnswer, "a cut answer must not look like a short list");
        // And with one byte changed it is anything but a crash.
        let mut broken = body;
        broken[cut] ^= 0x55;
        let _ = answer(broken).page::<Row>("rows");
    }

    #[test]
    fn no_value_under_the_key_makes_it_panic(value in any_json(), info in any_json(), count in any_json()) {
        let body = json!({ "rows": value, "page_info": info, "count": count }).to_string();
        let read = answer(body).page::<Row>("rows");
        prop_assert_eq!(read.is_ok(), value.is_array() || value.is_null());
    }
}

/// A list as a service keeps it.
struct Served {
    rows: Vec<Value>,
    limit: usize,
    counts: bool,
    asked: Arc<AtomicUsize>,
}

async fn serve(
    State(served): State<Arc<Served>>,
    Query(query): Query<std::collections::HashMap<String, String>>,
) -> String {
    served.asked.fetch_add(1, Relaxed);
    let from = match query.get("marker") {
        Some(marker) => {
            let place = |row: &Value| row["id"] == json!(marker);
            served.rows.iter().position(place).map_or(usize::MAX, |at| at + 1)
        }
        None => 0,
    };
    let page: Vec<&Value> = served.rows.iter().skip(from).take(served.limit).collect();
    if served.counts {
        // In front or behind: both occur.
        let (count, page) = (served.rows.len(), json!(page));
        if from % 2 == 0 {
            format!(r#"{{"count":{count},"rows":{page}}}"#)
        } else {
            format!(r#"{{"rows":{page},"count":{count}}}"#)
        }
    } else {
        json!({ "rows": page }).to_string()
    }
}

/// All rows of a list, read page by page from a service on the loopback interface.
async fn listed(served: Served) -> Listing<Row> {
    tried(served).await.unwrap()
}

async fn tried(served: Served) -> Result<Listing<Row>, Error> {
    let limit = served.limit;
    let router = axum::Router::new().fallback(serve).with_state(Arc::new(served));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let region = Region {
        id: "r-1".into(),
        name_zh: None,
        name_en: None,
        endpoints: [(Service::Ecs, url.parse().unwrap())].into(),
    };
    let fast = HttpOptions {
        rate: Rate {
            requests: 1_000,
            window: std::time::Duration::from_millis(1),
        },
        ..HttpOptions::default()
    };
    let client = Client::new(
        Http::new(fast).unwrap(),
        Credentials::permanent("a", "s"),
        Endpoints::empty().with_region(region).unwrap(),
        "r-1".into(),
    );
    let call = |marker: Option<&str>| {
        let call = Call::get(Service::Ecs, "List", ["rows"]);
        match marker {
            Some(marker) => call.with("marker", marker),
            None => call,
        }
    };
    let reply = client
        .list("rows", Some(limit), call, |row: &Row| row.id.clone())
        .await;
    server.abort();
    reply.map(|reply| reply.value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn odd_rows_anywhere_lose_no_other_row_of_any_page(
        good in proptest::collection::vec(any::<bool>(), 0..24), limit in 1usize..6, counts in any::<bool>(),
    ) {
        let rows: Vec<Value> = good
            .iter()
            .enumerate()
            .map(|(at, good)| json!({ "id": format!("s-{at}"), "status": good.then_some("ACTIVE") }))
            .collect();
        let wanted: Vec<String> = (0..good.len()).filter(|at| good[*at]).map(|at| format!("s-{at}")).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asked = Arc::<AtomicUsize>::default();
        let listing = runtime.block_on(listed(Served { rows, limit, counts, asked: Arc::clone(&asked) }));
        let ids: Vec<String> = listing.items.into_iter().map(|row| row.id).collect();
        prop_assert_eq!(ids, wanted);
        prop_assert_eq!(listing.skipped, good.iter().filter(|good| !**good).count());
        if counts && good.iter().all(|good| *good) {
            prop_assert_eq!(asked.load(Relaxed), good.len().div_ceil(limit).max(1), "not one request too many");
        }
    }

    #[test]
    fn a_counted_list_without_odd_rows_is_read_with_no_request_too_many(rows in 0usize..40, limit in 1usize..6) {
        let asked = Arc::<AtomicUsize>::default();
        let served = Served {
            rows: (0..rows).map(|at| json!({ "status": "ACTIVE", "id": format!("s-{at}") })).collect(),
            limit,
            counts: true,
            asked: Arc::clone(&asked),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listing = runtime.block_on(listed(served));
        prop_assert_eq!(listing.items.len(), rows);
        prop_assert_eq!(asked.load(Relaxed), rows.div_ceil(limit).max(1));
    }
}

fn served(rows: usize, limit: usize) -> Served {
    Served {
        rows: (0..rows)
            .map(|at| json!({ "status": "A", "id": format!("{at}") }))
            .collect(),
        limit,
        counts: false,
        asked: Arc::default(),
    }
}

#[tokio::test]
async fn a_list_of_too_many_pages_or_rows_is_given_up() {
    let pages = served(MAX_PAGES + 5, 1);
    let asked = Arc::clone(&pages.asked);
    let error = tried(pages).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer);
    assert!(error.message.contains("1000 pages"), "{error}");
    assert_eq!(asked.load(Relaxed), MAX_PAGES, "and nobody asks on");

    let error = tried(served(MAX_ROWS + 1_000, MAX_ROWS / 3 + 334))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer);
    assert!(error.message.contains("200000 rows"), "{error}");
}

#[test]
fn what_is_nested_too_deep_is_refused_or_left_out_and_overflows_nothing() {
    for depth in [100, 1_000, 100_000] {
        for (open, close) in [("[", "]"), (r#"{"id":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let row = r#"{"id":"s","status":"A"}"#;
            for body in [
                deep.clone(),
                format!(r#"{{"rows":{deep}}}"#),
                format!(r#"{{"rows":[{row},{deep}]}}"#),
                format!(r#"{{"rows":[{row}],"page_info":{deep}}}"#),
                format!(r#"{{"more":{deep},"rows":[{row}]}}"#),
                open.repeat(depth),
            ] {
                let wanted = body.matches(row).count();
                match answer(body).page::<Row>("rows") {
                    Ok(page) => assert_eq!(page.items.len(), wanted, "the row that is one is read"),
                    Err(error) => assert_eq!(error.kind, ErrorKind::BadAnswer),
                }
            }
        }
    }
}
