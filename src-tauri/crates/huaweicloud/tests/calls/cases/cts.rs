use chrono::{TimeZone, Utc};
use huaweicloud::cts::{self, TraceQuery};

use super::{Case, PROJECT, SERVER, UUID, case};

pub fn cases() -> Vec<Case> {
    vec![
        case!("cts" "ListTraces" "all", ["traces.trace_id"], "traces", |client| {
            cts::traces(client, &PROJECT.into(), &TraceQuery::default())
        }),
        case!("cts" "ListTraces" "filtered", ["traces.trace_id"], "traces", |client| async {
            let moment = |hour| Utc.with_ymd_and_hms(2026, 1, 2, hour, 0, 0).single();
            let query = TraceQuery {
                between: moment(3).zip(moment(4)),
                service: Some("ECS".to_owned()),
                resource_id: Some(SERVER.to_owned()),
                resource_name: Some("开发机".to_owned()),
                resource_type: Some("ecs".to_owned()),
                name: Some("deleteServer".to_owned()),
                user: Some("ada".to_owned()),
                rating: Some("warning".to_owned()),
                id: Some(UUID.to_owned()),
            };
            cts::traces(client, &PROJECT.into(), &query).await
        }),
    ]
}
