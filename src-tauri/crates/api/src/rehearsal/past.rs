//! The call that an operation of the ledger was asked for by, as far as its record tells.

use serde_json::{Value, json};
use wangcheng::operations::{Operation, OperationKind};

/// The call and its request; nothing where the record does not tell enough.
pub(super) fn asked(operation: &Operation) -> Option<(&'static str, Value)> {
    let row = &operation.row;
    let detail = &operation.detail;
    let record: Value = serde_json::from_str(&row.request).ok()?;
    let server = row.server_id.as_deref();
    let own = |key: &str| record.get(key).cloned().unwrap_or_default();
    let part = detail.part.as_ref();
    let leftover = |kind: &str| {
        let part = part?;
        let item = json!({"kind": kind, "id": part.id, "name": part.name});
        Some(("servers.remove_leftovers", json!({ "items": [item] })))
    };
    let of_disk = |call| {
        let ask =
            json!({"server": server?, "disk": own("disk"), "sizeGb": own("size_gb"), "name": part?.name});
        Some((call, ask))
    };
    let power = |act: &str| {
        let ask = json!({"servers": [server?], "act": act, "hard": own("hard")});
        Some(("servers.power", ask))
    };
    match operation.kind {
        OperationKind::CreateServer => Some(("servers.create", created(operation, &record))),
        OperationKind::UpdateLease => Some((
            "servers.extend",
            json!({"server": server?, "until": own("until")}),
        )),
        OperationKind::CancelLease => Some(("servers.cancel_lease", json!({"server": server?}))),
        OperationKind::StartServer => power("start"),
        OperationKind::StopServer => power("stop"),
        OperationKind::RebootServer => power("reboot"),
        OperationKind::DeleteServer => Some((
            "servers.delete",
            json!({"server": server?, "name": row.server_name}),
        )),
        OperationKind::MarkParts => Some(("servers.mark_parts", json!({"server": server?}))),
        OperationKind::AddDisk => {
            let of = |key: &str| record.pointer(&format!("/volume/{key}")).cloned();
            let ask = json!({"server": server?, "diskType": of("volume_type"), "sizeGb": of("size")});
            Some(("disks.add", ask))
        }
        OperationKind::GrowDisk => of_disk("disks.grow"),
        OperationKind::DetachDisk => of_disk("disks.detach"),
        OperationKind::AttachDisk => of_disk("disks.attach"),
        OperationKind::DeleteDisk if server.is_none() => leftover("disk"),
        OperationKind::DeleteDisk => of_disk("disks.delete"),
        OperationKind::ReleaseAddress => leftover("public_address"),
        OperationKind::ResizeServer => {
            let ask = json!({"server": server?, "flavor": own("flavor"), "mayStop": own("runs")});
            Some(("servers.resize", ask))
        }
        OperationKind::RenameServer => {
            Some(("servers.rename", json!({"server": server?, "name": own("name")})))
        }
        OperationKind::TagServer => {
            let ask = json!({"server": server?, "set": own("set"), "remove": own("remove")});
            Some(("servers.tag", ask))
        }
        OperationKind::AdoptServer => Some(("servers.adopt", json!({"server": server?}))),
        OperationKind::ResetPassword => Some(("servers.reset_password", json!({"server": server?}))),
        OperationKind::AdmitSsh => Some(("networks.admit_ssh", json!({"address": own("address")}))),
    }
}

/// What a template and a person's choices became stands in the body.
fn created(operation: &Operation, body: &Value) -> Value {
    let detail = &operation.detail;
    let of = |pointer: &str| body.pointer(&format!("/server/{pointer}")).cloned();
    json!({
        "template": detail.template,
        "name": operation.row.server_name,
        "purpose": detail.purpose,
        "leaseEnd": of("auto_terminate_time"),
        "flavor": of("flavorRef"),
        "image": of("imageRef"),
        "zone": of("availability_zone"),
        "subnet": of("nics/0/subnet_id"),
        "securityGroup": of("security_groups/0/id"),
        "keyPair": of("key_name"),
        "publicMbps": of("publicip/eip/bandwidth/size").unwrap_or_else(|| json!(0)),
    })
}
