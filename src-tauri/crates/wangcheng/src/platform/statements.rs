//! What is asked of the platform, in its documented SQL only.
//!
//! Fields may be texts there, so numbers are cast; an event may have come twice, so events are counted by their id.

use std::fmt::Write as _;

use yanhuang::search::quoted;

use super::heard;
use super::pull::Known;
use crate::failure::Result;

/// Which events are this product's, whatever their version.
const OURS: &str = "schema LIKE 'wangcheng.event.%'";

fn identifier(name: &str) -> Result<&str> {
    heard(yanhuang::search::identifier(name))
}

/// How many events of which installations there are.
pub(super) fn overview(set: &str) -> Result<String> {
    let set = identifier(set)?;
    Ok(format!(
        "SELECT installation_id, MAX(CAST(seq AS long)) AS last_seq, COUNT(DISTINCT event_id) AS events \
         FROM {set} WHERE {OURS} AND seq IS NOT NULL GROUP BY installation_id ORDER BY installation_id"
    ))
}

/// The events of some installations from what is known to the last one, in order.
pub(super) fn events(set: &str, message: &str, wanted: &[(String, u64, u64)], rows: usize) -> Result<String> {
    let (set, message) = (identifier(set)?, identifier(message)?);
    let mut which = String::new();
    for (installation, after, last) in wanted {
        if !which.is_empty() {
            which.push_str(" OR ");
        }
        // Writing to a text cannot fail.
        let _ = write!(
            which,
            "(installation_id = {} AND CAST(seq AS long) > {after} AND CAST(seq AS long) <= {last})",
            quoted(installation)
        );
    }
    Ok(format!(
        "SELECT installation_id, CAST(seq AS long) AS n, {message} AS event FROM {set} \
         WHERE {OURS} AND ({which}) ORDER BY installation_id, n LIMIT {rows}"
    ))
}

/// What is asked to see whether a profile is right.
pub(super) fn trial(set: &str) -> Result<String> {
    let set = identifier(set)?;
    Ok(format!(
        "SELECT COUNT(DISTINCT event_id) AS events FROM {set} WHERE {OURS}"
    ))
}

/// What of an installation is to be asked for.
pub(super) fn after(known: Option<&Known>, last: u64, events: u64) -> Option<u64> {
    match known {
        None => Some(0),
        Some(known) if last > known.seq => Some(known.seq),
        // Something came late, below what is known: everything is asked for again, and what is there already is passed over.
        Some(known) if events > known.events => Some(0),
        Some(_) => None,
    }
}

/// One answer of the usage summary as a statement for the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it answers; stable, words for people stand elsewhere.
    pub name: &'static str,
    /// The statement.
    pub sql: String,
}

/// The statements by which dashboards are built there.
///
/// # Errors
/// `SearchProfileInvalid` for the name of a data set that cannot stand in a statement.
pub fn dashboards(set: &str) -> Result<Vec<Statement>> {
    let set = identifier(set)?;
    let ok = format!("{OURS} AND outcome = 'ok'");
    let statement = |name, sql: String| Statement { name, sql };
    let servers_by = |name, key: &str, action: &str, most: &str| {
        let sql = format!(
            "SELECT {key}, COUNT(DISTINCT server_id) AS servers FROM {set}\n\
             WHERE {ok} AND action = '{action}'\n\
             GROUP BY {key} ORDER BY servers DESC{most}"
        );
        statement(name, sql)
    };
    Ok(vec![
        statement(
            "servers_by_month",
            format!(
                "SELECT _time, COUNT(DISTINCT server_id) AS servers FROM {set}\n\
                 WHERE {ok} AND action = 'server.created'\n\
                 GROUP BY TIME(span='1month') ORDER BY _time"
            ),
        ),
        servers_by("servers_by_owner", "owner", "server.created", " LIMIT 20"),
        // From above, as the page says: a stopped server may cost less, and a change of size counts as if it had been so
        // from the beginning. `_time` counts microseconds there.
        statement(
            "hours_and_cost_by_owner",
            format!(
                "SELECT e.owner AS owner, COUNT(*) AS servers,\n  SUM(e.hours) AS server_hours, SUM(e.hours * e.price) AS cost_estimate\n\
                 FROM (\n  SELECT server_id, MAX(owner) AS owner, MAX(CAST(price_per_hour AS double)) AS price,\n    \
                 (MAX(CAST(_time AS long)) - MIN(CAST(_time AS long))) / 3600000000.0 AS hours\n  FROM {set}\n  \
                 WHERE {ok} AND action IN ('server.created', 'server.deleted')\n  \
                 GROUP BY server_id HAVING COUNT(DISTINCT action) = 2\n) AS e\n\
                 GROUP BY e.owner ORDER BY cost_estimate DESC LIMIT 20"
            ),
        ),
        servers_by("servers_by_flavor", "flavor", "server.created", ""),
        servers_by("servers_by_purpose", "purpose", "server.created", ""),
        statement(
            "not_deleted",
            format!(
                "SELECT server_id, MAX(server_name) AS server_name, MAX(owner) AS owner, MAX(lease_end) AS lease_end\n\
                 FROM {set} WHERE {ok} AND action IN ('server.created', 'server.deleted')\n\
                 GROUP BY server_id HAVING MAX(action) = 'server.created' ORDER BY lease_end"
            ),
        ),
        servers_by("ends_by_cause", "cause", "server.deleted", ""),
        statement(
            "failures",
            format!(
                "SELECT action, error_code, COUNT(DISTINCT event_id) AS failures FROM {set}\n\
                 WHERE {OURS} AND outcome = 'failed'\n\
                 GROUP BY action, error_code ORDER BY failures DESC LIMIT 50"
            ),
        ),
        statement(
            "gaps",
            format!(
                "SELECT installation_id, MAX(CAST(seq AS long)) - COUNT(DISTINCT event_id) AS missing\n\
                 FROM {set} WHERE {OURS} AND seq IS NOT NULL\n\
                 GROUP BY installation_id HAVING MAX(CAST(seq AS long)) > COUNT(DISTINCT event_id)\n\
                 ORDER BY missing DESC"
            ),
        ),
    ])
}
