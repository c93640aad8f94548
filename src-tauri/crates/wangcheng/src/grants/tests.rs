use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::failure::Code;
use crate::money::Money;

pub(super) fn now() -> DateTime<Utc> {
    "2026-01-20T03:00:00Z".parse().unwrap()
}

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(super) fn grant() -> Grant {
    let role = Quota {
        servers: Some(2),
        vcpus: Some(8),
        disk_gb: Some(300),
        disk_gb_each: Some(200),
        lease_hours: Some(24),
        money_month: Some("120.50".parse().unwrap()),
        families: Some(vec!["s6".to_owned()]),
        ..Quota::default()
    };
    Grant {
        schema: SCHEMA.to_owned(),
        organisation: Organisation {
            id: "7d0c0c39".to_owned(),
            name: "例子 Ltd. 😀".to_owned(),
        },
        number: 7,
        issued: now(),
        expires: now() + TimeDelta::days(30),
        ask: "mia <mia@example.com>".to_owned(),
        keys: vec![PublicKey::of(&key(1)).text()],
        currency: "CNY".to_owned(),
        revoked: None,
        accounts: Vec::new(),
        defaults: Defaults::default(),
        roles: [("developer".to_owned(), role)].into(),
        owners: vec![Owner {
            id: "ada-id".to_owned(),
            name: "ada".to_owned(),
            role: "developer".to_owned(),
            quota: Quota {
                servers: Some(3),
                ..Quota::default()
            },
        }],
        others: None,
        exceptions: vec![Exception {
            owner: "ada-id".to_owned(),
            until: now() + TimeDelta::days(2),
            reason: "release".to_owned(),
            quota: Quota {
                servers: Some(5),
                ..Quota::default()
            },
        }],
    }
}

pub(super) fn trusted() -> [PublicKey; 1] {
    [PublicKey::of(&key(1))]
}

#[test]
fn what_was_signed_is_read_again_and_only_by_whom_knows_the_key() {
    let file = sign(&grant(), &[&key(1)]).unwrap();
    assert_eq!(open(&file, &trusted()).unwrap(), grant());
    let stranger = open(&file, &[PublicKey::of(&key(2))]).unwrap_err();
    assert_eq!(stranger.code, Code::GrantStranger);
    assert_eq!(
        stranger.facts.get("fingerprint"),
        Some(&PublicKey::of(&key(1)).fingerprint())
    );
    assert_eq!(open(&file, &[]).unwrap_err().code, Code::GrantStranger);
}

#[test]
fn a_file_written_anew_holds_as_long_as_it_says_the_same() {
    let file = sign(&grant(), &[&key(1)]).unwrap();
    let value: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!(open(&value.to_string(), &trusted()).unwrap(), grant());
    let escaped = file.replace('例', "\\u4f8b");
    assert_ne!(escaped, file);
    assert_eq!(open(&escaped, &trusted()).unwrap(), grant());
}

#[test]
fn while_one_key_takes_over_from_another_either_of_them_is_enough() {
    let both = sign(&grant(), &[&key(1), &key(2)]).unwrap();
    for seed in [1, 2] {
        assert!(open(&both, &[PublicKey::of(&key(seed))]).is_ok());
    }
    let mixed = both.replacen(&PublicKey::of(&key(1)).text(), &PublicKey::of(&key(3)).text(), 1);
    assert!(
        open(&mixed, &trusted()).is_err(),
        "the key in the grant is signed too"
    );
}

#[test]
fn a_second_copy_of_a_key_or_something_beside_is_refused() {
    let file = sign(&grant(), &[&key(1)]).unwrap();
    for changed in [
        file.replacen("\"number\": 7", "\"number\": 7, \"number\": 9", 1),
        file.replacen("\"number\": 7", "\"number\": 7, \"n\\u0075mber\": 9", 1),
        file.replacen("\"number\": 7", "\"number\": 7.0", 1),
        file.replacen("\"number\": 7", "\"number\": 99999999999999999999", 1),
        file.replacen("{", "{\"more\": 1,", 1),
        file.replacen("\"grant\"", "\"grant\": {}, \"grant\"", 1),
    ] {
        assert_ne!(changed, file);
        let refused = open(&changed, &trusted()).unwrap_err();
        assert_eq!(refused.code, Code::GrantUnreadable, "{changed:.60}");
    }
}

#[test]
fn a_limit_that_this_program_does_not_know_is_not_passed_over() {
    let mut value = serde_json::to_value(grant()).unwrap();
    value["roles"]["developer"]["gpus"] = 1.into();
    let node = Node::read(&value.to_string()).unwrap();
    assert_eq!(Grant::read(&node).unwrap_err().code, Code::GrantUnreadable);
    value["schema"] = "wangcheng.grant.v2".into();
    let node = Node::read(&value.to_string()).unwrap();
    assert_eq!(Grant::read(&node).unwrap_err().code, Code::GrantNewer);
}

#[test]
fn keys_that_verify_everything_are_none() {
    assert!(PublicKey::read(&base64_of(&[0; 32])).is_none());
    let mut one = [0; 32];
    one[0] = 1;
    assert!(PublicKey::read(&base64_of(&one)).is_none());
    assert!(PublicKey::read("").is_none() && PublicKey::read(&"A".repeat(10_000)).is_none());
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

proptest! {
    #[test]
    fn no_bit_of_a_grant_can_be_turned(place in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let file = sign(&grant(), &[&key(1)]).unwrap();
        let mut bytes = file.clone().into_bytes();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            // A bit in the spaces between, or in how the same key is spelled, may change nothing that is said.
            if let Ok(read) = open(&text, &trusted()) {
                prop_assert_eq!(read, grant());
            }
        }
    }

    #[test]
    fn no_file_makes_the_reader_panic(text in any::<String>()) {
        let _ = open(&text, &trusted());
        let _ = Join::read(&text);
        let _ = Join::read(&format!("wangcheng://join?{text}"));
        let _ = Source::read(&text);
    }

    #[test]
    fn no_part_of_a_file_makes_the_reader_panic(from in any::<prop::sample::Index>(), junk in any::<String>()) {
        let file = sign(&grant(), &[&key(1)]).unwrap();
        let at = from.index(file.len());
        let before: String = file.chars().take(at).collect();
        let cut = open(&before, &trusted());
        prop_assert!(cut.is_err() || before.trim_end() == file.trim_end());
        let _ = open(&format!("{before}{junk}"), &trusted());
    }

    #[test]
    fn a_link_is_read_as_it_was_written(
        organisation in "[a-zA-Z0-9 &=%+#?中文😀]{0,40}x",
        key_of in 1_u8..200,
        place in "[a-z0-9]{3,20}/[a-z0-9 %+]{0,20}x",
    ) {
        let join = Join {
            organisation: organisation.trim().to_owned(),
            key: PublicKey::of(&key(key_of)),
            source: Source::read(&format!("obs://{place}")).unwrap(),
            hei: Some(HeiPlace {
                url: "https://hei.example.com/?a=b&c=d".to_owned(),
                event_set: "set one".to_owned(),
                datatype: "json".to_owned(),
            }),
            sealed: None,
        };
        prop_assert_eq!(Join::read(&join.text()).unwrap(), join);
    }

    #[test]
    fn what_is_allowed_never_leads_over_a_limit(
        limits in (0_u32..6, 0_u32..40, 0_u32..900),
        wishes in prop::collection::vec((1_u32..9, 10_u32..300), 0..12),
    ) {
        let quota = Quota {
            servers: Some(limits.0),
            vcpus: Some(limits.1),
            disk_gb: Some(limits.2),
            ..Quota::default()
        };
        let mut used = Used::default();
        for (vcpus, disk_gb) in wishes {
            let wish = Wish { servers: 1, vcpus, disk_gb, ..Wish::default() };
            let over = check(&quota, &used, &wish, now(), "CNY");
            let fits = used.servers < limits.0
                && used.vcpus + vcpus <= limits.1
                && used.disk_gb + disk_gb <= limits.2;
            prop_assert_eq!(over.is_empty(), fits, "refused exactly when something goes over");
            if fits {
                used.servers += 1;
                used.vcpus += vcpus;
                used.disk_gb += disk_gb;
            }
        }
    }

    #[test]
    fn whoever_counts_and_in_whichever_order_the_same_servers_are_too_many(
        mut servers in prop::collection::vec((0_i64..4, 1_u32..4), 0..9),
        limit in 0_u32..6,
        turn in 0_usize..9,
    ) {
        let quota = Quota { servers: Some(limit), vcpus: Some(limit * 2), ..Quota::default() };
        let count = |servers: &[(i64, u32)]| -> Vec<Counted> {
            servers
                .iter()
                .enumerate()
                .map(|(index, (second, vcpus))| Counted {
                    id: format!("{:02}-{second}-{vcpus}", index % 3),
                    created: now() + TimeDelta::seconds(*second),
                    servers: 1,
                    vcpus: *vcpus,
                    ..Counted::default()
                })
                .collect()
        };
        servers.dedup();
        let mut all = count(&servers);
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.dedup_by(|a, b| a.id == b.id);
        let first: Vec<String> = too_many(&quota, &all).into_iter().map(|(id, _)| id).collect();
        let at = turn.min(all.len());
        all.rotate_left(at);
        let second: Vec<String> = too_many(&quota, &all).into_iter().map(|(id, _)| id).collect();
        prop_assert_eq!(&first, &second);
        let left: Vec<&Counted> = all.iter().filter(|one| !first.contains(&one.id)).collect();
        prop_assert!(left.len() as u32 <= limit);
        prop_assert!(left.iter().map(|one| one.vcpus).sum::<u32>() <= limit * 2);
        // Each program looks after its own server was made: whoever came later sees no fewer servers.
        for seen in 0..all.len() {
            let mut some = all.clone();
            some.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
            some.truncate(seen + 1);
            let last = some.last().unwrap().id.clone();
            let judged = too_many(&quota, &some).iter().any(|(id, _)| *id == last);
            prop_assert_eq!(judged, first.contains(&last), "younger servers change nothing for older ones");
        }
    }
}

#[test]
fn of_what_is_in_force_the_exception_comes_before_the_person_and_the_person_before_the_role() {
    let grant = grant();
    let today = grant.of("ada-id", now()).unwrap();
    assert_eq!((today.quota.servers, today.quota.vcpus), (Some(5), Some(8)));
    assert_eq!(today.exceptions.len(), 1);
    let later = grant.of("ada-id", now() + TimeDelta::days(2)).unwrap();
    assert_eq!(later.quota.servers, Some(3), "the exception has ended");
    assert!(
        grant.of("bo-id", now()).is_none(),
        "who is not named may use nothing"
    );
    let open = Grant {
        others: Some("developer".to_owned()),
        ..grant
    };
    assert_eq!(open.of("bo-id", now()).unwrap().quota.servers, Some(2));
}

fn limits(quota: Quota, used: Used, wish: Wish) -> Vec<Limit> {
    check(&quota, &used, &wish, now(), "CNY")
        .into_iter()
        .map(|over| over.limit)
        .collect()
}

#[test]
fn a_lease_is_measured_from_now_from_the_making_and_by_the_calendar() {
    let quota = Quota {
        lease_hours: Some(10),
        life_hours: Some(24),
        until: Some(now() + TimeDelta::hours(9)),
        ..Quota::default()
    };
    let lease = |hours: i64, made: i64| Wish {
        lease_end: Some(now() + TimeDelta::hours(hours)),
        made: Some(now() - TimeDelta::hours(made)),
        ..Wish::default()
    };
    let of = |wish| limits(quota.clone(), Used::default(), wish);
    assert_eq!(of(lease(9, 0)), []);
    assert_eq!(of(lease(10, 0)), [Limit::Until]);
    assert_eq!(of(lease(11, 0)), [Limit::LeaseHours, Limit::Until]);
    assert_eq!(of(lease(8, 17)), [Limit::LifeHours]);
    let endless = Wish {
        endless: true,
        ..Wish::default()
    };
    assert_eq!(
        of(endless),
        [Limit::LeaseHours, Limit::LifeHours, Limit::Until],
        "to take a lease off is to go past every end"
    );
}

#[test]
fn flavors_are_allowed_by_their_names_their_beginnings_or_their_family() {
    let of = |flavors: Option<&[&str]>, families: Option<&[&str]>, flavor: &str| {
        let list = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let quota = Quota {
            flavors: flavors.map(list),
            families: families.map(list),
            ..Quota::default()
        };
        let wish = Wish {
            flavor: Some(flavor.to_owned()),
            ..Wish::default()
        };
        limits(quota, Used::default(), wish).is_empty()
    };
    assert!(of(None, None, "anything"));
    assert!(of(Some(&["s6.large.2"]), None, "s6.large.2"));
    assert!(!of(Some(&["s6.large.2"]), None, "s6.large.4"));
    assert!(of(Some(&["s6.large.*"]), None, "s6.large.4"));
    assert!(of(Some(&["c6.large.2"]), Some(&["s6"]), "s6.xlarge.2"));
    assert!(
        !of(None, Some(&["s6"]), "s6s.large.2"),
        "a family is a whole word"
    );
    assert!(!of(Some(&[]), None, "s6.large.2"), "an empty list allows none");
}

#[test]
fn a_months_money_counts_what_was_and_what_is_promised_in_its_own_currency() {
    let quota = Quota {
        money_month: Some(Decimal::from(100)),
        hours_month: Some(50),
        ..Quota::default()
    };
    let used = Used {
        money: Decimal::from(90),
        hours: Decimal::from(45),
        ..Used::default()
    };
    let wish = |money: &str, currency: &str, hours: i64| Wish {
        money: Some(Money::new(money.parse().unwrap(), currency)),
        hours: Decimal::from(hours),
        ..Wish::default()
    };
    assert_eq!(limits(quota.clone(), used.clone(), wish("10.00", "CNY", 5)), []);
    assert_eq!(
        limits(quota.clone(), used.clone(), wish("10.01", "CNY", 6)),
        [Limit::HoursMonth, Limit::MoneyMonth]
    );
    assert_eq!(
        wish("1", "USD", 0).money_in("CNY"),
        None,
        "another currency is no price"
    );
}

#[test]
fn a_month_is_one_of_shanghai() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let (first, next) = month(at("2026-01-31T16:30:00Z"));
    assert_eq!(
        (first, next),
        (at("2026-01-31T16:00:00Z"), at("2026-02-28T16:00:00Z"))
    );
    let left = |end: Option<&str>| {
        hours_left(
            at("2026-01-31T10:00:00Z"),
            end.map(at),
            at("2026-01-31T10:00:00Z"),
        )
    };
    assert_eq!(
        left(None),
        Decimal::from(6),
        "without a lease until the month ends"
    );
    assert_eq!(left(Some("2026-01-31T12:00:00Z")), Decimal::from(2));
    assert_eq!(left(Some("2026-02-09T12:00:00Z")), Decimal::from(6));
    assert_eq!(left(Some("2026-01-30T12:00:00Z")), Decimal::ZERO);
}

#[test]
fn a_link_that_is_not_exactly_one_is_refused() {
    let good = Join {
        organisation: "Example".to_owned(),
        key: PublicKey::of(&key(1)),
        source: Source::read("https://example.com/grant.json").unwrap(),
        hei: None,
        sealed: None,
    }
    .text();
    assert!(Join::read(&format!("  {good}\n")).is_ok(), "a file may hold it");
    for bad in [
        good.replace("wangcheng://join", "https://join"),
        good.replace("org=Example", "org="),
        good.replace("org=Example", "org=Exa%00mple"),
        good.replace("org=Example", "org=Exa%E2%80%AEmple"),
        good.replace("org=Example", "org=%ff"),
        good.replace("key=", "key=A"),
        good.replace("&key=", "&nokey="),
        format!("{good}&key=x"),
        format!("{good}&set=x"),
        format!("{good}&hei=javascript:alert(1)"),
        good.replace("https%3A", "http%3A"),
        good.replace("https%3A%2F%2F", "https%3A%2F%2Fada:secret%40"),
        good.replace(
            "https%3A%2F%2Fexample.com%2Fgrant.json",
            "obs%3A%2F%2Fbucket%2F..%2Fx",
        ),
        format!("{good}&org={}", "x".repeat(3000)),
    ] {
        let refused = Join::read(&bad).unwrap_err();
        assert_eq!(refused.code, Code::GrantLinkInvalid, "{bad}");
        assert!(!format!("{refused:?}").contains("secret"));
    }
}
