//! Texts for people, in their language, and texts of strangers made safe for a terminal.

use api::Tongue;

/// One of two texts.
pub fn say(tongue: Tongue, zh: &'static str, en: &'static str) -> &'static str {
    match tongue {
        Tongue::Chinese => zh,
        Tongue::English => en,
    }
}

/// A state as people say it; what has no word of ours stays as it is. `key`: the name of its field.
pub fn word(tongue: Tongue, key: &str, raw: String) -> String {
    let known = match (key, raw.as_str()) {
        ("state", "creating") => ("创建中", "creating"),
        ("state", "running") => ("运行中", "running"),
        ("state", "stopping") => ("关机中", "stopping"),
        ("state", "stopped") => ("已关机", "stopped"),
        ("state", "starting") => ("开机中", "starting"),
        ("state", "restarting") => ("重启中", "restarting"),
        ("state", "resizing") => ("变更规格中", "changing size"),
        ("state", "confirming_size") => ("待确认规格", "size to be confirmed"),
        ("state", "reinstalling") => ("重装系统中", "reinstalling"),
        ("state", "deleting") => ("删除中", "deleting"),
        ("state", "error") => ("故障", "fault"),
        ("state", "frozen") => ("已冻结", "frozen"),
        ("state", "unknown") => ("未知", "unknown"),
        ("state", "off") => ("未设置", "not set up"),
        ("state", "idle") => ("已全部投递", "all delivered"),
        ("state", "sending") => ("投递中", "sending"),
        ("state", "waiting_to_retry") => ("等待重试", "waiting to try again"),
        ("state", "parked") => ("等待新令牌", "waiting for a new token"),
        ("stage", "recorded") => ("已记录", "recorded"),
        ("stage", "sent") => ("进行中", "under way"),
        ("stage", "settled") => ("已结束", "over"),
        ("outcome", "ok") => ("成功", "done"),
        ("outcome", "failed") => ("失败", "failed"),
        ("outcome", "cancelled") => ("已取消", "cancelled"),
        ("kind", "server.create") => ("创建", "create"),
        ("kind", "lease.update") => ("更改租期", "move lease"),
        ("kind", "lease.cancel") => ("取消租期", "cancel lease"),
        ("kind", "server.start") => ("开机", "start"),
        ("kind", "server.stop") => ("关机", "stop"),
        ("kind", "server.reboot") => ("重启", "restart"),
        ("kind", "server.delete") => ("删除", "delete"),
        ("kind", "server.resize") => ("变更规格", "change size"),
        ("kind", "server.rename") => ("重命名", "rename"),
        ("kind", "server.tag") => ("更改标签", "change tags"),
        ("kind", "server.adopt") => ("接管", "adopt"),
        ("kind", "server.password") => ("重置密码", "reset password"),
        ("kind", "server.mark_parts") => ("标记部件", "mark parts"),
        ("kind", "disk.add") => ("添加磁盘", "add a disk"),
        ("kind", "disk.grow") => ("扩容磁盘", "grow a disk"),
        ("kind", "disk.detach") => ("卸载磁盘", "detach a disk"),
        ("kind", "disk.attach") => ("重新挂载磁盘", "attach a disk again"),
        ("kind", "disk.delete") => ("删除磁盘", "delete a disk"),
        ("kind", "eip.release") => ("释放公网地址", "release an address"),
        ("limit", "servers") => ("云服务器数量", "servers at once"),
        ("limit", "vcpus") => ("vCPU 总数", "vCPUs"),
        ("limit", "disk_gb") => ("磁盘总容量（GB）", "disks (GB)"),
        ("limit", "hours_month") => (
            "本月时长，含已承诺（小时）",
            "hours this month, promised ones too",
        ),
        ("limit", "money_month") => ("本月费用，含已承诺", "money this month, promised too"),
        ("breach", "too_many") => ("超出数量", "too many"),
        ("breach", "no_lease") => ("无租期", "no lease"),
        ("breach", "lease_too_long") => ("租期过长", "lease too long"),
        ("breach", "no_owner") => ("无使用者", "no owner"),
        ("breach", "not_named") => ("使用者不在授权额度中", "owner not named"),
        ("breach", "flavor_not_allowed") => ("规格不允许", "flavor not allowed"),
        ("breach", "public_address") => ("不允许公网地址", "public address not allowed"),
        ("breach", "region_not_allowed") => ("区域不允许", "region not allowed"),
        ("breach", "disk_too_large") => ("磁盘过大", "disk too large"),
        ("duty", "sign") => ("本机钥匙串中的签名密钥", "signing key in this keychain"),
        ("duty", "publish") => ("写入发布位置", "writing where people read the grant"),
        ("duty", "see_servers") => ("查看全部云服务器", "seeing all servers"),
        ("duty", "see_disks") => ("查看全部云硬盘", "seeing all disks"),
        ("duty", "set_lease") => ("设置他人的租期", "setting others' leases"),
        ("duty", "stop") => ("关闭他人的云服务器", "stopping others' servers"),
        ("duty", "delete") => ("删除他人的云服务器", "deleting others' servers"),
        ("part", "system_disk") => ("系统盘", "system disk"),
        ("part", "data_disk") => ("数据盘", "data disk"),
        ("part", "disk") => ("磁盘", "disk"),
        ("part", "public_address") => ("公网地址", "public address"),
        ("part", "key_pair") => ("密钥对", "key pair"),
        ("part", "private_key") => ("本机私钥", "private key on this computer"),
        ("kind", "network.admit") => ("允许地址登录", "let an address in"),
        ("part", "server") => ("云服务器", "server"),
        ("state", "done") => ("完成", "done"),
        ("state", "cancelled") => ("已取消", "cancelled"),
        ("state", "failed") => ("未完成", "stopped"),
        ("why", "stopped_in_lease") => ("租期内已停机", "stopped within its lease"),
        ("why", "forgotten") => ("已停机且无租期", "stopped, without a lease"),
        ("why", "no_session") => ("运行但无人登录", "running, no session for long"),
        ("why", "no_owner") => ("无使用者", "nobody's"),
        ("why", "no_lease") => ("无租期", "no lease"),
        ("why", "disk_unattached") => ("未挂载", "on no server"),
        ("why", "address_unbound") => ("未绑定", "bound to nothing"),
        ("why", "leftover") => ("云服务器已删除", "left of a server that is gone"),
        ("why", "not_final") => ("当月账单未最终确定", "the month is not final"),
        ("why", "discount") => ("折扣", "discounts"),
        ("why", "traffic") => ("流量（不在估算内）", "traffic, which is not estimated"),
        ("why", "untagged") => ("无法确定使用者", "nobody is known for it"),
        ("why", "not_ours") => ("不是由本程序创建", "not made with this program"),
        ("why", "rounding") => ("账单舍去的尾数", "parts of a cent that the bill cuts off"),
        ("why", "unreadable") => ("有无法读取的记录", "some records cannot be read"),
        ("why", "own_events_only") => (
            "估算只含本机的事件",
            "the estimate has this computer's events only",
        ),
        ("why", "still_counting") => ("仍在统计", "not everything is counted yet"),
        ("why", "too_long") => ("过长", "too long"),
        ("why", "not_text") => ("不是 UTF-8 文本", "not UTF-8"),
        ("why", "not_json") => ("不是 JSON 对象", "no JSON object"),
        ("why", "wrong_cells") => ("列数不符", "not as many cells as columns"),
        ("why", "not_an_event") => ("不是事件", "no event"),
        ("why", "newer") => ("版本较新", "of a newer version"),
        ("act", "delete_server") => ("删除云服务器", "deleting it"),
        ("act", "set_lease") => ("设置租期", "a lease"),
        ("act", "adopt") => ("先接管", "adopting it first"),
        ("act", "remove_leftover") => ("清理遗留", "removing the leftover"),
        ("act", "delete_disk") => ("删除磁盘", "deleting the disk"),
        ("act", "console") => ("联系使用者或在控制台处理", "its owner, or the console"),
        ("billed", "compute") => ("计算", "compute"),
        ("billed", "disk") => ("磁盘", "disks"),
        ("billed", "address") => ("公网地址", "addresses"),
        ("billed", "traffic") => ("流量", "traffic"),
        ("billed", "other") => ("其他", "other"),
        (_, "true") => ("是", "yes"),
        (_, "false") => ("否", "no"),
        _ => return raw,
    };
    say(tongue, known.0, known.1).to_owned()
}

/// Whether a terminal would act on this sign instead of showing it: control characters, and the marks that turn the
/// direction of writing round.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// A stranger's text with what a terminal would act on written out.
pub fn safe(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if acts(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
            out
        })
}

/// The same for JSON text. Such signs stand only inside its strings, where `\uXXXX` means the same; line ends stay.
pub fn safe_json(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if acts(c) && c != '\n' {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                out.push(c);
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        assert_eq!(
            safe("a\u{1b}[2Jb\u{9b}\u{202e}世界"),
            "a\\u{1b}[2Jb\\u{9b}\\u{202e}世界"
        );
    }

    #[test]
    fn a_state_has_a_word_in_each_language_and_an_unknown_one_stays() {
        let word = |tongue, key, raw: &str| word(tongue, key, raw.to_owned());
        assert_eq!(word(Tongue::Chinese, "state", "confirming_size"), "待确认规格");
        assert_eq!(word(Tongue::English, "stage", "settled"), "over");
        assert_eq!(word(Tongue::English, "state", "hibernating"), "hibernating");
        assert_eq!(
            word(Tongue::Chinese, "name", "running"),
            "running",
            "a name is no state"
        );
    }

    #[test]
    fn json_means_the_same_after_it_was_made_safe() {
        let value = serde_json::json!({"name": "x\u{9b}31m\u{202e}\u{7f}"});
        let text = safe_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.contains('\u{9b}') && !text.contains('\u{202e}'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
