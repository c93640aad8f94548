use huaweicloud::tms::{self, Resource, ResourceSearch};
use huaweicloud::{Tag, TagValues};

use super::{Case, PROJECT, SERVER, VOLUME, case};

fn server() -> Resource {
    Resource {
        id: SERVER.to_owned(),
        kind: "ecs".to_owned(),
    }
}

fn both() -> [Resource; 2] {
    let disk = Resource {
        id: VOLUME.to_owned(),
        kind: "disk".to_owned(),
    };
    [server(), disk]
}

/// Parts that failed make an error of the answer, which is another test's matter.
fn all_went_well(body: &mut serde_json::Value) {
    body["failed_resources"] = serde_json::json!([]);
}

pub fn cases() -> Vec<Case> {
    vec![
        Case {
            fit: all_went_well,
            ..case!("tms" "CreateResourceTag" "", [], |client| async {
                tms::set_tags(client, &PROJECT.into(), &both(), &[Tag::new("owner", "ada")]).await
            })
        },
        Case {
            fit: all_went_well,
            ..case!("tms" "DeleteResourceTag" "", [], |client| async {
                tms::delete_tags(client, &PROJECT.into(), &both(), &["owner"]).await
            })
        },
        Case {
            service: "tms",
            operation: "ListResource",
            variant: "",
            must: &["resources.resource_id"],
            rows: "resources",
            fit: |_| {},
            run: |client| {
                Box::pin(async move {
                    let search = ResourceSearch {
                        kinds: vec!["ecs".to_owned(), "disk".to_owned()],
                        tags: vec![TagValues::one("owner", "ada")],
                        without_tags: false,
                    };
                    let found = tms::resources(client, &PROJECT.into(), &search).await?;
                    Ok(found.value.resources.items.len())
                })
            },
        },
        case!("tms" "ShowResourceTag" "", ["tags.key"], "tags", |client| async {
            tms::tags_of(client, &PROJECT.into(), &server()).await
        }),
    ]
}
