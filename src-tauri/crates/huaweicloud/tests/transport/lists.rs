//! Lists, page by page.

use huaweicloud::{ErrorKind, ecs};

use super::peer::*;

#[tokio::test]
async fn a_list_is_read_page_by_page_and_one_odd_row_does_not_lose_the_others() {
    let page = |ids: &[&str]| {
        let rows: Vec<String> = ids
            .iter()
            .map(|id| format!(r#"{{"id":"{id}","name":"n","status":"ACTIVE"}}"#))
            .collect();
        json(200, format!(r#"{{"count":5,"servers":[{}]}}"#, rows.join(",")))
    };
    let odd = json(
        200,
        r#"{"count":5,"servers":[{"id":"s-3","status":"BUILD"},{"id":"s-4","status":null},{"id":"s-5","status":"ACTIVE"}]}"#,
    );
    let (peer, url) = peer(vec![page(&["s-1", "s-2"]), odd]).await;
    let listing = ecs::servers(&client(&url), &project(), &ecs::ServerQuery::default())
        .await
        .unwrap()
        .value;
    let ids: Vec<_> = listing.items.iter().map(|server| server.id.as_str()).collect();
    assert_eq!((ids, listing.skipped), (vec!["s-1", "s-2", "s-3", "s-5"], 1));
    let seen = peer.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].query.as_str(), seen[1].query.as_str()),
        ("limit=200", "limit=200&marker=s-2")
    );
}

#[tokio::test]
async fn a_list_that_never_moves_on_ends() {
    let row = || json(200, r#"{"count":9,"servers":[{"id":"s-1","status":"ACTIVE"}]}"#);
    let (peer, url) = peer((0..9).map(|_| row()).collect()).await;
    ecs::servers(&client(&url), &project(), &ecs::ServerQuery::default())
        .await
        .unwrap();
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_without_the_list_is_not_an_empty_list() {
    for body in ["{}", r#"{"servers":{}}"#, "", "[]"] {
        let (_, url) = peer(vec![json(200, body)]).await;
        let error = ecs::servers(&client(&url), &project(), &ecs::ServerQuery::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{body}");
    }
}
