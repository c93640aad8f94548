//! What listing costs beside the wire: 1,000 servers in five pages of the embedded region, signed, fetched, checked and
//! parsed by the client, against the same requests signed beforehand and the same bytes fetched with bare reqwest and
//! left unread. The region makes its answers anew for each request, on both sides of the comparison.
//!
//! To reach: within 1.3 times the floor.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be set up has nothing to report"
)]

use std::sync::LazyLock;
use std::time::Duration;

use chrono::Utc;
use divan::Bencher;
use huaweicloud::signing::{self, RequestToSign};
use huaweicloud::{
    Client, Credentials, Endpoints, Http, HttpOptions, ProjectId, Rate, Region, ServerId, Service, ecs,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sandbox::{Options, Running, Sandbox};
use tokio::runtime::Runtime;

const SERVERS: usize = 1_000;
/// The page size of the client.
const PAGE: usize = 200;

fn main() {
    divan::main();
}

struct Scene {
    runtime: Runtime,
    client: Client,
    project: ProjectId,
    bare: reqwest::Client,
    credentials: Credentials,
    /// Scheme, host and port of the region's ECS.
    ecs: String,
    /// The marker of each page: none for the first.
    markers: Vec<Option<ServerId>>,
    _sandbox: Running,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let sandbox = runtime
        .block_on(Sandbox::start(Options::default()))
        .expect("the embedded region");
    let announcement = sandbox.announcement();
    let region = announcement.regions.first().expect("a region");
    let ada = announcement
        .users
        .iter()
        .find(|user| user.name == "ada")
        .expect("ada");
    let credentials = Credentials::permanent(ada.access_key.clone(), ada.secret_key.clone());
    let ecs = region.endpoints.get("ecs").expect("an endpoint of ECS").clone();
    let endpoints = Endpoints::empty()
        .with_region(Region {
            id: region.id.clone().into(),
            name_zh: None,
            name_en: None,
            endpoints: [(Service::Ecs, ecs.parse().expect("an address"))].into(),
        })
        .expect("a region on loopback");
    // The pace is what is measured, so it is not to be held.
    let options = HttpOptions {
        rate: Rate {
            requests: 1_000,
            window: Duration::from_micros(1),
        },
        ..HttpOptions::default()
    };
    let client = Client::new(
        Http::new(options).expect("connections"),
        credentials.clone(),
        endpoints,
        region.id.clone().into(),
    );
    let project = ProjectId::from(region.project_id.as_str());

    let list = || runtime.block_on(ecs::servers(&client, &project, &ecs::ServerQuery::default()));
    let there = list().expect("a list").value.items.len();
    sandbox.add_servers(SERVERS - there);
    let servers = list().expect("a list").value.items;
    assert_eq!(
        servers.len(),
        SERVERS,
        "what is measured is a list of that length"
    );
    let markers = std::iter::once(None)
        .chain(
            servers
                .chunks(PAGE)
                .map(|page| page.last().map(|server| server.id.clone())),
        )
        .take(SERVERS / PAGE)
        .collect();
    Scene {
        bare: reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("connections"),
        runtime,
        client,
        project,
        credentials,
        ecs,
        markers,
        _sandbox: sandbox,
    }
});

/// The requests of all pages, signed.
fn signed(scene: &Scene) -> Vec<(String, HeaderMap)> {
    let host = scene.ecs.trim_start_matches("http://");
    let path = format!("/v1/{}/cloudservers/detail", scene.project);
    let page = |marker: &Option<ServerId>| {
        let mut query = vec![("limit".to_owned(), PAGE.to_string())];
        query.extend(
            marker
                .iter()
                .map(|marker| ("marker".to_owned(), marker.to_string())),
        );
        let request = RequestToSign {
            method: "GET",
            path: &path,
            query: &query,
            headers: &[],
            body: b"",
        };
        let headers = signing::sign(&request, host, &scene.credentials, Utc::now())
            .into_iter()
            .filter(|(name, _)| name != "Host")
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().expect("a header's name"),
                    value.parse::<HeaderValue>().expect("a header's value"),
                )
            })
            .collect();
        let url = format!("{}{path}?{}", scene.ecs, signing::canonical_query(&query));
        (url, headers)
    };
    scene.markers.iter().map(page).collect()
}

#[divan::bench(sample_count = 200)]
fn list_and_parse(bencher: Bencher<'_, '_>) {
    let scene = &*SCENE;
    let query = ecs::ServerQuery::default();
    bencher.bench(|| {
        let listing = scene
            .runtime
            .block_on(ecs::servers(&scene.client, &scene.project, &query))
            .expect("a list");
        assert_eq!(listing.value.items.len(), SERVERS);
        listing
    });
}

#[divan::bench(sample_count = 200)]
fn fetch_unparsed(bencher: Bencher<'_, '_>) {
    let scene = &*SCENE;
    bencher.with_inputs(|| signed(scene)).bench_values(|requests| {
        scene.runtime.block_on(async {
            let mut pages = Vec::with_capacity(requests.len());
            for (url, headers) in requests {
                let answer = scene
                    .bare
                    .get(url)
                    .headers(headers)
                    .send()
                    .await
                    .expect("an answer");
                assert!(answer.status().is_success(), "{}", answer.status());
                pages.push(answer.bytes().await.expect("a body"));
            }
            pages
        })
    });
}
