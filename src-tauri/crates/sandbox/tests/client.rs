//! What the client crate makes of calls that nothing else here makes with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Cloud, cloud, fast};
use huaweicloud::{
    Client, Endpoints, ErrorKind, Http, HttpOptions, ProjectId, Region, Tag, TagValues, ecs, ims, tms,
};
use serde_json::json;

fn client(cloud: &Cloud, user: &str) -> Client {
    let region = cloud.region();
    let endpoints = region
        .endpoints
        .iter()
        .filter_map(|(name, url)| Some((serde_json::from_value(json!(name)).ok()?, url.parse().unwrap())))
        .collect();
    let endpoints = Endpoints::empty()
        .with_region(Region {
            id: region.id.as_str().into(),
            name_zh: None,
            name_en: None,
            endpoints,
        })
        .unwrap();
    let http = Http::new(HttpOptions::default()).unwrap();
    Client::new(
        http,
        cloud.credentials(user),
        endpoints,
        region.id.as_str().into(),
    )
}

fn of_kind(kind: &str, id: &str) -> tms::Resource {
    tms::Resource {
        id: id.to_owned(),
        kind: kind.to_owned(),
    }
}

#[tokio::test]
async fn tags_across_services_are_set_found_and_taken_away_once_the_account_is_known() {
    let cloud = cloud(fast()).await;
    let project = ProjectId::from(cloud.project());
    let server = cloud.running("tagged").await;
    let both = [of_kind("ecs", &server), of_kind("disk", "no-such-disk")];
    let tag = [Tag::new("team", "blue")];

    let unknown = client(&cloud, "ada");
    let error = tms::set_tags(&unknown, &project, &both, &tag).await.unwrap_err();
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::Invalid, None),
        "nothing was sent: {error}"
    );

    let ada = unknown.of_account(&cloud.announcement.account_id.as_str().into());
    let error = tms::set_tags(&ada, &project, &both, &tag).await.unwrap_err();
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::Missing, Some(200)),
        "{error}"
    );
    assert_eq!(
        error
            .details
            .iter()
            .map(|part| part.id.as_deref())
            .collect::<Vec<_>>(),
        [Some("no-such-disk")],
        "which of them failed"
    );
    let search = tms::ResourceSearch {
        kinds: vec!["ecs".to_owned()],
        tags: vec![TagValues {
            key: "team".to_owned(),
            values: vec!["blue".to_owned()],
        }],
        ..tms::ResourceSearch::default()
    };
    let found = tms::resources(&ada, &project, &search).await.unwrap().value;
    assert_eq!(
        found.resources.items.len(),
        1,
        "the other one has its tag: {found:?}"
    );
    tms::delete_tags(&ada, &project, &both[..1], &["team"])
        .await
        .unwrap();
    assert!(
        tms::resources(&ada, &project, &search)
            .await
            .unwrap()
            .value
            .resources
            .items
            .is_empty()
    );

    let guest = client(&cloud, "guest").of_account(&cloud.announcement.account_id.as_str().into());
    let error = tms::resources(&guest, &project, &search).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Permission, Some("TMS.0004"))
    );
}

#[tokio::test]
async fn a_call_for_another_project_than_the_keys_is_refused_by_the_header_too() {
    let cloud = cloud(fast()).await;
    let ada = client(&cloud, "ada");
    let other = ProjectId::from("0123456789abcdef0123456789abcdef");
    let error = ecs::limits(&ada, &other).await.unwrap_err();
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::Auth, Some(401)),
        "{error}"
    );
    ada.resume();
    ecs::limits(&ada, &ProjectId::from(cloud.project()))
        .await
        .unwrap();
    for (project, works) in [(cloud.project(), true), (other.as_str(), false)] {
        let query = ims::ImageQuery {
            project: Some(project.into()),
            ..ims::ImageQuery::of(ims::ImageSource::Public)
        };
        assert_eq!(ims::images(&ada, &query).await.is_ok(), works, "{project}");
    }
}
