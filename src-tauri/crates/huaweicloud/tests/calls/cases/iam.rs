use huaweicloud::iam;

use super::{Case, PROJECT, REGION, case};

pub fn cases() -> Vec<Case> {
    vec![
        case!("iam" "ShowPermanentAccessKey" "", ["credential.user_id"], |client| iam::own_key(client)),
        case!("iam" "KeystoneShowUser" "", ["user.id"], |client| {
            iam::user(client, &PROJECT.into())
        }),
        case!("iam" "KeystoneListAuthDomains" "", ["domains.id"], "domains", |client| iam::accounts(client)),
        case!("iam" "KeystoneListProjects" "", ["projects.id"], "projects", |client| {
            iam::projects_named(client, REGION)
        }),
        case!("iam" "KeystoneListAuthProjects" "", ["projects.id"], "projects", |client| {
            iam::own_projects(client)
        }),
    ]
}
