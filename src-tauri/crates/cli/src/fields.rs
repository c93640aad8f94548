//! Fields of answers as people read them: what a field is called, and what stands in it.

use api::Tongue;
use serde_json::Value;

use crate::output::{lines_of_two, text};
use crate::times;
use crate::words::{say, word};

/// What a field is called. One that has no word of ours keeps its name.
pub fn label(tongue: Tongue, key: &str) -> &str {
    let (zh, en) = match key {
        "id" => ("ID", "Id"),
        "name" => ("名称", "Name"),
        "state" => ("状态", "State"),
        "fault" => ("故障", "Fault"),
        "owner" => ("所有者", "Owner"),
        "purpose" => ("用途", "Purpose"),
        "flavor" => ("规格", "Flavor"),
        "vcpus" => ("vCPU", "vCPUs"),
        "ramMb" => ("内存（MiB）", "Memory (MiB)"),
        "image" => ("镜像", "Image"),
        "zone" => ("可用区", "Zone"),
        "addresses" => ("地址", "Addresses"),
        "created" => ("创建于", "Created"),
        "leaseEnd" => ("租期至", "Lease end"),
        "kind" => ("操作", "What"),
        "serverName" => ("云服务器", "Server"),
        "serverId" => ("云服务器 ID", "Server id"),
        "stage" => ("阶段", "Stage"),
        "outcome" => ("结果", "Outcome"),
        "left" => ("遗留资源数", "Parts left over"),
        "recordedAt" => ("记录于", "Asked"),
        "sentAt" => ("发送于", "Sent"),
        "settledAt" => ("结束于", "Over"),
        "part" => ("部件", "Part"),
        "problem" => ("问题", "Problem"),
        "remark" => ("说明", "Note"),
        "url" => ("接收地址", "Address of the HEI"),
        "eventSet" => ("数据集", "Data set"),
        "datatype" => ("数据类型", "Data type"),
        "tokenStored" => ("已保存令牌", "Token kept"),
        "waiting" => ("待投递事件", "Events waiting"),
        "lastSeq" => ("最新事件序号", "Newest event"),
        "quarantined" => ("被拒收事件", "Events refused"),
        "preset" => ("协议", "Way of speaking"),
        "deliveredAt" => ("上次投递于", "Last delivered"),
        "nextTryAt" => ("下次重试于", "Next try"),
        "source" => ("来源", "Source"),
        "new" => ("新事件", "New events"),
        "doubled" => ("已有事件", "Events known before"),
        "unreadable" => ("无法读取", "Not readable"),
        "newer" => ("其中版本较新", "Of a newer version"),
        "gaps" => ("平台上缺少", "Missing at the platform"),
        "withheld" => ("平台未给出", "Not given by the platform"),
        "organisation" => ("组织", "Organisation"),
        "number" => ("授权额度编号", "Number of the grant"),
        "issued" => ("签发于", "Signed"),
        "expires" => ("有效至", "Valid until"),
        "ask" => ("联系人", "Whom to ask"),
        "checkedAt" => ("上次检查于", "Last asked for"),
        "hei" => ("事件接收地址", "Events go to"),
        "servers" => ("云服务器数量", "Servers at once"),
        "diskGb" => ("磁盘总容量（GB）", "All disks (GB)"),
        "diskGbEach" => ("单块磁盘（GB）", "One disk (GB)"),
        "leaseHours" => ("租期（小时）", "Lease from now (h)"),
        "lifeHours" => ("自创建起总时长（小时）", "Whole life (h)"),
        "until" => ("最晚结束", "Latest end"),
        "extensions" => ("延长次数", "Extensions"),
        "hoursMonth" => ("每月运行时长（小时）", "Hours a month"),
        "moneyMonth" => ("每月费用", "Money a month"),
        "flavors" => ("可用规格", "Flavors"),
        "families" => ("可用规格系列", "Families"),
        "regions" => ("可用区域", "Regions"),
        "publicAddress" => ("公网地址", "Public address"),
        other => return other,
    };
    say(tongue, zh, en)
}

/// What stands in a field: states in words, moments in this computer's time zone.
pub fn shown(tongue: Tongue, value: &Value, key: &str) -> String {
    let raw = || value.get(key).and_then(Value::as_str).unwrap_or_default();
    match key {
        "leaseEnd" | "created" | "since" | "made" | "ended" | "deliveredAt" | "nextTryAt" | "expires"
        | "issued" | "checkedAt" => times::with_distance(tongue, raw()),
        "time" | "recordedAt" | "sentAt" | "settledAt" => times::moment(raw()),
        _ => word(tongue, key, text(value, key)),
    }
}

/// Labels and values below one another; `more`: what does not stand in a field of that name. What is empty is left off.
pub fn facts(tongue: Tongue, value: &Value, keys: &[&str], more: Vec<(&str, String)>) -> String {
    let pairs = keys
        .iter()
        .map(|key| (*key, shown(tongue, value, key)))
        .chain(more)
        .map(|(key, shown)| (label(tongue, key), shown));
    lines_of_two(pairs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_have_labels_in_the_language_and_leave_off_what_is_empty() {
        let delivery = json!({"state": "parked", "eventSet": "", "tokenStored": true, "waiting": 3});
        let keys = ["state", "eventSet", "tokenStored", "waiting", "deliveredAt"];
        let lines = |tongue| -> Vec<String> {
            let text = facts(tongue, &delivery, &keys, vec![("problem", "none".to_owned())]);
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            text.lines().map(words).collect()
        };
        assert_eq!(
            lines(Tongue::English),
            [
                "State waiting for a new token",
                "Token kept yes",
                "Events waiting 3",
                "Problem none"
            ]
        );
        assert_eq!(
            lines(Tongue::Chinese),
            ["状态 等待新令牌", "已保存令牌 是", "待投递事件 3", "问题 none"]
        );
    }
}
