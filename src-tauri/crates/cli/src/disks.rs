//! What is asked and shown about disks and networks.

use serde_json::{Value, json};

use crate::arguments::{Disk, Network};
use crate::change::act;
use crate::output::{money, rows, table, text};
use crate::servers::{confirm, id};
use crate::session::Session;
use crate::trouble::{Result, Trouble};
use crate::words::{safe, word};

/// Disks.
pub async fn disk(session: &Session, command: &Disk) -> Result<()> {
    let output = session.output;
    match command {
        Disk::List { server } => list(session, server).await,
        Disk::Add {
            server,
            kind,
            size,
            wait,
        } => {
            let server = session.server(server).await?;
            let price = json!({"server": id(&server), "disk": null, "diskType": kind, "sizeGb": size});
            tell_price(session, price).await;
            let ask = json!({"server": id(&server), "diskType": kind, "sizeGb": size});
            act(session, "disks.add", ask, *wait).await
        }
        Disk::Grow {
            server,
            disk,
            to,
            wait,
        } => {
            let (server, disk) = found(session, server, disk).await?;
            let price = json!({"server": id(&server), "disk": id(&disk), "diskType": null, "sizeGb": to});
            tell_price(session, price).await;
            let ask = json!({"server": id(&server), "disk": id(&disk), "sizeGb": to});
            act(session, "disks.grow", ask, *wait).await
        }
        Disk::Detach {
            server,
            disk,
            yes,
            wait,
        } => {
            let (server, disk) = found(session, server, disk).await?;
            if !yes && !wait.dry_run {
                output.note(output.say(
                    "请先在系统内卸载该磁盘（`wangcheng disk commands … --for detach`），否则可能丢失数据。",
                    "Let go of it in the guest first (`wangcheng disk commands … --for detach`), or data may be lost.",
                ));
                confirm(session, "disk", &name(&disk))?;
            }
            let ask = json!({"server": id(&server), "disk": id(&disk)});
            act(session, "disks.detach", ask, *wait).await
        }
        Disk::Attach { server, disk, wait } => {
            let (server, disk) = found(session, server, disk).await?;
            let ask = json!({"server": id(&server), "disk": id(&disk)});
            act(session, "disks.attach", ask, *wait).await
        }
        Disk::Delete {
            server,
            disk,
            yes,
            wait,
        } => {
            let (server, disk) = found(session, server, disk).await?;
            if !yes && !wait.dry_run {
                output.note(&format!(
                    "{} {} ({} GB, {})",
                    output.say(
                        "将删除磁盘及其全部数据：",
                        "The disk is deleted with all that is on it:"
                    ),
                    safe(&name(&disk)),
                    text(&disk, "sizeGb"),
                    text(&disk, "id"),
                ));
                confirm(session, "disk", &name(&disk))?;
            }
            let ask = json!({"server": id(&server), "disk": id(&disk), "name": name(&disk)});
            act(session, "disks.delete", ask, *wait).await
        }
        Disk::Commands {
            server,
            disk,
            purpose,
        } => {
            let (server, disk) = found(session, server, disk).await?;
            let ask = json!({"server": id(&server), "disk": id(&disk), "purpose": purpose.as_str()});
            let commands = session.ask("disks.commands", ask).await?;
            output.answer(&commands, || typed(&commands))
        }
    }
}

/// Lines to be typed, each safe for a terminal.
pub fn typed(commands: &Value) -> String {
    let lines = commands.get("text").and_then(Value::as_str).unwrap_or_default();
    lines.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// The name by which a disk is confirmed.
fn name(disk: &Value) -> String {
    let name = disk.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        id(disk)
    } else {
        name.to_owned()
    }
}

/// Tells what the hour would cost. That it cannot be had keeps nobody from working.
async fn tell_price(session: &Session, ask: Value) {
    let output = session.output;
    if let Ok(price) = session.ask("disks.price", ask).await {
        output.note(&format!(
            "{} {}, {} {}",
            output.say("磁盘预计每小时", "Estimated: an hour of the disk"),
            money(&price, "perHour"),
            output.say("整台云服务器", "of the whole server"),
            money(&price, "serverPerHour"),
        ));
    }
}

/// A server and one of its disks, by the disk's id, name or device.
async fn found(session: &Session, server: &str, wanted: &str) -> Result<(Value, Value)> {
    let server = session.server(server).await?;
    let list = session.ask("disks.list", json!({"server": id(&server)})).await?;
    let by_device = rows(&list, "disks")
        .find(|disk| disk.get("device").and_then(Value::as_str) == Some(wanted))
        .map(id);
    let output = session.output;
    let unknown = || {
        Trouble::new(
            "disk_unknown",
            format!(
                "{}: {wanted}",
                output.say("此云服务器没有这块磁盘", "The server has no such disk")
            ),
            Some(format!("`wangcheng disk list {}`", id(&server))),
        )
    };
    let wanted = match by_device {
        Some(id) => id,
        None => session.one_of(rows(&list, "disks"), wanted, unknown)?,
    };
    let disk = rows(&list, "disks").find(|disk| id(disk) == wanted).cloned();
    Ok((server, disk.unwrap_or_default()))
}

async fn list(session: &Session, server: &str) -> Result<()> {
    let output = session.output;
    let server = session.server(server).await?;
    let list = session.ask("disks.list", json!({"server": id(&server)})).await?;
    output.answer(&list, || {
        let head = match output.tongue {
            api::Tongue::Chinese => [
                "名称",
                "设备",
                "GB",
                "类型",
                "系统盘",
                "已挂载",
                "随云服务器删除",
                "状态",
                "每小时",
                "ID",
            ],
            api::Tongue::English => [
                "NAME",
                "DEVICE",
                "GB",
                "TYPE",
                "SYSTEM",
                "ATTACHED",
                "GOES WITH IT",
                "STATE",
                "AN HOUR",
                "ID",
            ],
        };
        let mut lines = vec![table(
            &head,
            rows(&list, "disks").map(|disk| {
                let mut cells: Vec<String> = [
                    "name",
                    "device",
                    "sizeGb",
                    "diskType",
                    "system",
                    "attached",
                    "goesWithServer",
                    "state",
                ]
                .into_iter()
                .map(|key| word(output.tongue, "disk", text(disk, key)))
                .collect();
                cells.push(money(disk, "perHour"));
                cells.push(text(disk, "id"));
                cells
            }),
        )];
        let types: Vec<&str> = rows(&list, "diskTypes").filter_map(Value::as_str).collect();
        lines.push(format!(
            "{} {}; {} {}",
            output.say("还可挂载", "More that it can have:"),
            text(&list, "free"),
            output.say("可选类型", "types:"),
            safe(&types.join(", ")),
        ));
        lines.join("\n")
    })
}

/// Networks.
pub async fn network(session: &Session, command: &Network) -> Result<()> {
    let output = session.output;
    let own = session.ask("networks.own_address", Value::Null).await?;
    match command {
        Network::OwnAddress => output.answer(&own, || text(&own, "address")),
        Network::AdmitSsh { address, wait } => {
            let own = own.get("address").and_then(Value::as_str);
            let Some(address) = address.as_deref().or(own) else {
                return Err(Trouble::new(
                    "input_missing",
                    output.say(
                        "系统不知道本机的公网地址，请写出地址。",
                        "The system knows no public address of this computer; name the address.",
                    ),
                    Some("`wangcheng network admit-ssh 203.0.113.7`".to_owned()),
                ));
            };
            act(session, "networks.admit_ssh", json!({"address": address}), *wait).await
        }
    }
}
