//! Every answer that a schema allows can be read, and so can many that it does not allow.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::cases::{self, Case};
use crate::peer::{Peer, answer};
use crate::schema::{self, Schema};

/// How many answers are made up for each case.
const ANSWERS: u32 = 48;
/// The member that only odd rows have.
const ODD: &str = "odd_row";

/// Makes up answers for a case.
struct Maker<'a> {
    case: &'a Case,
}

impl Maker<'_> {
    fn must(&self, path: &str) -> bool {
        self.case
            .must
            .iter()
            .chain([&self.case.rows])
            .any(|must| *must == path || must.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    /// A value as the schema wants it, apart from what may be missing in it.
    fn value(&self, schema: &Schema, path: &str) -> BoxedStrategy<Value> {
        let schema = schema.resolved();
        if !schema.words.is_empty() {
            return select(schema.words.clone()).boxed();
        }
        match schema.kind.as_str() {
            "string" => prop_oneof![
                6 => "[a-z0-9][a-zA-Z0-9_.=-]{0,11}".prop_map(Value::from),
                1 => "\\PC{0,8}[a-z]".prop_map(Value::from),
                1 => any::<u32>().prop_map(Value::from),
            ]
            .boxed(),
            "integer" => prop_oneof![
                3 => (-1..1_000_000i64).prop_map(Value::from),
                1 => (0..1_000_000i64).prop_map(|number| number.to_string().into()),
            ]
            .boxed(),
            "decimal" | "number" => (0..100_000_000i64, any::<bool>())
                .prop_map(|(number, text)| {
                    let digits = format!("{}.{:04}", number / 10_000, number % 10_000);
                    if text {
                        digits.into()
                    } else {
                        serde_json::from_str(&digits).unwrap()
                    }
                })
                .boxed(),
            "boolean" => select(vec![json!(true), json!(false), json!("true"), json!("False")]).boxed(),
            "datetime" | "date" => select(vec![
                json!("2026-01-02T03:04:05Z"),
                json!("2026-01-02 03:04:05"),
                json!("2026-01-02T03:04:05.678+0800"),
            ])
            .boxed(),
            "array" => self.list(schema.items.as_ref().unwrap(), path),
            "map" => {
                let values = self.value(schema.values.as_ref().unwrap(), path);
                proptest::collection::btree_map("[a-z]{1,6}", values, 0..3)
                    .prop_map(|fields| fields.into_iter().collect())
                    .boxed()
            }
            "object" => self.object(schema, path),
            "any" => anything(),
            other => panic!("no values of the type {other:?} can be made up"),
        }
    }

    fn object(&self, schema: &Schema, path: &str) -> BoxedStrategy<Value> {
        let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = schema
            .fields
            .iter()
            .map(|(name, schema)| {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let value = self.value(schema, &path);
                let name = name.clone();
                let value = if self.must(&path) {
                    value.prop_map(Some).boxed()
                } else {
                    prop_oneof![
                        8 => value.prop_map(Some),
                        1 => Just(None),
                        1 => Just(Some(Value::Null)),
                        1 => anything().prop_map(Some),
                    ]
                    .boxed()
                };
                value.prop_map(move |value| Some((name.clone(), value?))).boxed()
            })
            .collect();
        (fields, proptest::option::of(anything()))
            .prop_map(|(fields, new)| {
                let mut object: Map<String, Value> = fields.into_iter().flatten().collect();
                if let Some(new) = new {
                    object.insert("a_new_field".to_owned(), json!({ "deep": [new] }));
                }
                Value::Object(object)
            })
            .boxed()
    }

    fn list(&self, items: &Schema, path: &str) -> BoxedStrategy<Value> {
        let good = vec(self.value(items, path), 0..4);
        if path != self.case.rows {
            return good.prop_map(Value::Array).boxed();
        }
        let mut odd = vec![json!(null), json!(7), json!("text"), json!(true)];
        // Where nothing in a row must be there, nothing but its type can be odd about it.
        if self
            .case
            .must
            .iter()
            .any(|must| must.starts_with(&format!("{path}.")))
        {
            odd.extend([json!({ ODD: true }), json!([])]);
        }
        (good, vec((any::<prop::sample::Index>(), select(odd)), 0..3))
            .prop_map(|(mut rows, odd)| {
                for (place, row) in odd {
                    rows.insert(place.index(rows.len() + 1), row);
                }
                Value::Array(rows)
            })
            .boxed()
    }
}

/// A value of any type.
fn anything() -> BoxedStrategy<Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("文"),
        json!([]),
        json!([1, null, "a", {}]),
        json!({}),
        json!({ "a": { "b": [null] } }),
    ])
    .boxed()
}

/// How many of the rows are not odd.
fn good_rows(body: &Value, path: &str) -> usize {
    if path.is_empty() {
        return 0;
    }
    let list = path.split('.').fold(body, |value, name| &value[name]);
    list.as_array()
        .unwrap()
        .iter()
        .filter(|row| row.as_object().is_some_and(|row| !row.contains_key(ODD)))
        .count()
}

/// What comes after the last page, in case more is asked for.
fn no_more(case: &Case) -> Value {
    let mut body = json!([]);
    for name in case.rows.rsplit('.').filter(|name| !name.is_empty()) {
        body = json!({ name: body });
    }
    body
}

#[test]
fn every_answer_of_a_schema_is_read_without_losing_a_good_row() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (peer, url) = runtime.block_on(Peer::start());
    let client = cases::client(&url, cases::ACCESS_KEY);
    for case in cases::all() {
        let Some(schema) = &schema::operation(case.service, case.operation).response_body else {
            continue;
        };
        let place = format!("{} {} ({})", case.service, case.operation, case.variant);
        let mut runner = TestRunner::new(Config {
            cases: ANSWERS,
            failure_persistence: None,
            ..Config::default()
        });
        let result = runner.run(&Maker { case: &case }.value(schema, ""), |mut body| {
            (case.fit)(&mut body);
            let wanted = good_rows(&body, case.rows);
            let rest = answer(200, no_more(&case).to_string());
            peer.will_answer([answer(200, body.to_string())], Some(rest));
            let read = runtime.block_on((case.run)(&client));
            match read {
                Ok(rows) => prop_assert_eq!(rows, wanted, "a good row was lost, or an odd one taken"),
                Err(error) => prop_assert!(false, "{}", error),
            }
            Ok(())
        });
        if let Err(error) = result {
            panic!("{place}: {error}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_enough_where_none_is_described() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    for case in cases::all() {
        let operation = schema::operation(case.service, case.operation);
        if operation.response_body.is_some() {
            continue;
        }
        for (status, body) in [(200, ""), (204, ""), (202, "{}"), (200, "null")] {
            // A HEAD is answered by its head alone.
            let body = if operation.method == "HEAD" { "" } else { body };
            peer.will_answer([answer(status, body)], None);
            let result = (case.run)(&client).await;
            assert!(
                result.is_ok(),
                "{} {} takes {status} {body:?}: {result:?}",
                case.service,
                case.operation
            );
        }
    }
}
