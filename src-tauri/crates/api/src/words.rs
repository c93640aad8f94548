//! What a failure is called in the user's language, and what to do about it.

use wangcheng::{Code, Failure};

/// A language that the program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tongue {
    /// Simplified Chinese.
    Chinese,
    /// English.
    #[default]
    English,
}

impl Tongue {
    /// From a language tag such as `zh-CN` or `zh_CN.UTF-8`; anything but Chinese is English.
    pub fn from_tag(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }
}

/// Sentence and next step of a failure.
pub(crate) fn of(failure: &Failure, tongue: Tongue) -> (String, Option<String>) {
    let (zh, en, zh_step, en_step) = texts(failure.code);
    let (sentence, step) = match tongue {
        Tongue::Chinese => (zh, zh_step),
        Tongue::English => (en, en_step),
    };
    (
        fill(sentence, failure, tongue),
        Some(fill(step, failure, tongue)).filter(|step| !step.is_empty()),
    )
}

/// Fills `{blank}`s with the failure's facts.
fn fill(text: &str, failure: &Failure, tongue: Tongue) -> String {
    let filled = failure
        .facts
        .iter()
        .fold(text.to_owned(), |text, (blank, value)| {
            let value = match blank.as_str() {
                "limit" => limit(value, tongue),
                _ => value,
            };
            text.replace(&format!("{{{blank}}}"), value)
        });
    // What is in brackets is said only where it is known: a quota refused by the cloud comes without its numbers.
    ["（", " ("]
        .into_iter()
        .fold(filled, |text, opening| match text.split_once(opening) {
            Some((before, rest)) if rest.contains('{') => {
                let after = rest.split_once(['）', ')']).map_or("", |(_, after)| after);
                format!("{before}{after}")
            }
            _ => text,
        })
}

/// What a limit of a grant is called.
fn limit(name: &str, tongue: Tongue) -> &str {
    let (zh, en) = match name {
        "servers" => ("云服务器数量", "servers at once"),
        "vcpus" => ("vCPU 总数", "vCPUs together"),
        "disk_gb" => ("磁盘总容量", "all disks together"),
        "disk_gb_each" => ("单块磁盘容量", "the size of a disk"),
        "lease_hours" => ("租期", "a lease from now"),
        "life_hours" => ("自创建起的总时长", "a server's whole life"),
        "until" => ("租期结束时间", "a lease's end"),
        "extensions" => ("延长次数", "extensions of a lease"),
        "hours_month" => (
            "本月运行时长（含已承诺的租期）",
            "this month's hours, leases included",
        ),
        "money_month" => (
            "本月费用（含已承诺的租期）",
            "this month's money, leases included",
        ),
        "flavor" => ("规格", "the flavor"),
        "region" => ("区域", "the region"),
        "public_address" => ("公网地址", "public addresses"),
        other => return other,
    };
    match tongue {
        Tongue::Chinese => zh,
        Tongue::English => en,
    }
}

/// What a statement for the platform answers.
pub(crate) fn statement(name: &str, tongue: Tongue) -> &str {
    let (zh, en) = match name {
        "servers_by_month" => ("每月新建的云服务器", "Servers made in each month"),
        "servers_by_owner" => ("各使用者新建的云服务器", "Servers made by each owner"),
        "hours_and_cost_by_owner" => (
            "各使用者的云服务器时长与费用估算（偏高：未计停机，按最高单价）",
            "Hours and estimated cost by owner (from above: stops are not counted, the highest price is)",
        ),
        "servers_by_flavor" => ("各规格的云服务器", "Servers by flavor"),
        "servers_by_purpose" => ("各用途的云服务器", "Servers by purpose"),
        "not_deleted" => (
            "已创建而未见删除的云服务器",
            "Servers that were made and of whose deletion nobody told",
        ),
        "ends_by_cause" => ("云服务器删除的原因", "How servers ended"),
        "failures" => ("失败的操作", "What failed"),
        "gaps" => ("各客户端缺少的事件", "Events that are missing, by installation"),
        other => return other,
    };
    match tongue {
        Tongue::Chinese => zh,
        Tongue::English => en,
    }
}

/// zh sentence, en sentence, zh next step, en next step.
#[rustfmt::skip]
fn texts(code: Code) -> (&'static str, &'static str, &'static str, &'static str) {
    match code {
        Code::NetworkUnreachable => ("连接不到云服务。", "The cloud cannot be reached.", "请检查网络或代理；恢复后会自动重试。", "Check the network or the proxy; it is tried again by itself."),
        Code::SignatureWrong => ("云服务不接受此密钥：访问密钥 AK 或密钥 SK 不正确，或已被停用。", "The cloud does not accept this key: the access key or the secret key is wrong, or the key was disabled.", "请在“我的凭证 › 访问密钥”中核对后重新登录。连续五次错误会使该密钥锁定 5 分钟。", "Compare it with My Credentials › Access Keys and sign in again. Five wrong tries in a row lock the key for 5 minutes."),
        Code::ClockWrong => ("本机时钟与云服务相差 {minutes} 分钟，签名因此无效。", "This computer's clock differs from the cloud's by {minutes} minutes, which makes signatures invalid.", "请打开系统的自动校时，然后重试。", "Turn on automatic time in the system's settings, then try again."),
        Code::KeyLocked => ("由于多次签名错误，此密钥被暂时锁定。", "The key is locked for a while after several wrong signatures.", "请等待 5 分钟，核对密钥后重试。", "Wait 5 minutes, check the key, then try again."),
        Code::PermissionMissing => ("此用户在该项目中没有所需的权限。", "This user has not the permission that this needs in the project.", "请管理员授予下面列出的操作权限。", "Ask an administrator for the action named below."),
        Code::Money => ("账户余额不足或已被冻结。", "The account has no money left or is frozen.", "请联系管理员充值或解除冻结。", "Ask an administrator to top it up or have it unfrozen."),
        Code::QuotaReached => ("项目的配额已用完（{what}：已用 {used}，上限 {max}）。", "The project's quota is used up ({what}: {used} of {max}).", "请归还不用的云服务器，或请管理员申请提高配额。", "Return servers that are not needed, or ask an administrator to have the quota raised."),
        Code::Capacity => ("该规格在此可用区暂时售罄。", "This flavor is sold out in this zone at the moment.", "请换一个可用区或规格。", "Take another zone or flavor."),
        Code::StateConflict => ("云服务器目前的状态不允许此操作。", "The server's present state does not allow this.", "请等当前的变化结束后重试。", "Wait until the present change is over, then try again."),
        Code::CloudMissing => ("云上已没有此资源。", "The cloud has no such thing any more.", "", ""),
        Code::Throttled => ("请求过于频繁，云服务要求稍候。", "Too many requests; the cloud asks to wait.", "稍后会自动重试。", "It is tried again by itself."),
        Code::CloudFailed => ("云服务出现故障。", "The cloud had a fault.", "请稍后重试；若持续出现，请把请求 ID 提供给华为云支持。", "Try again later; if it stays, give the request id to Huawei Cloud's support."),
        Code::BadAnswer => ("无法读懂云服务的回答。", "The cloud's answer cannot be read.", "若经过代理，请检查代理是否改写了回答。", "If there is a proxy in between, check whether it rewrites answers."),
        Code::CloudRefused => ("云服务拒绝了此请求。", "The cloud refused this request.", "", ""),
        Code::KeychainLocked => ("系统钥匙串已锁定。", "The system keychain is locked.", "请解锁钥匙串后重试，或选择“仅本次运行”。", "Unlock it and try again, or choose “for this run only”."),
        Code::KeychainAbsent => ("找不到系统钥匙串。", "There is no system keychain.", "请启动钥匙串服务（如 GNOME Keyring、KWallet）并重新打开本程序，或选择“仅本次运行”。", "Start a keychain service (GNOME Keyring, KWallet) and open the program again, or choose “for this run only”."),
        Code::KeychainTimeout => ("系统钥匙串没有响应。", "The system keychain does not answer.", "它可能在等待解锁：请解锁后重试，或选择“仅本次运行”。", "It may wait to be unlocked: unlock it and try again, or choose “for this run only”."),
        Code::KeychainFailed => ("系统钥匙串报告了错误。", "The system keychain reported an error.", "请重试，或选择“仅本次运行”。", "Try again, or choose “for this run only”."),
        Code::KeyNotStored => ("钥匙串中没有所需的密钥或令牌。", "The keychain has not the key or token that this needs.", "请重新输入。", "Hand it in again."),
        Code::NotSignedIn => ("尚未登录。", "Nobody is signed in.", "请先登录。", "Sign in first."),
        Code::AccountUnknown => ("没有此账户。", "There is no such account.", "", ""),
        Code::AccountNameInvalid => ("账户名称须为 1 到 {most} 个字符。", "The account's name must have 1 to {most} characters.", "", ""),
        Code::AccessKeyInvalid => ("这不像是一个有效的密钥（{field}）。", "This does not look like a key ({field}).", "请完整粘贴，并注意不要把 AK 与 SK 填反。", "Paste it whole, and mind that AK and SK are not swapped."),
        Code::RegionUnknown => ("没有区域“{region}”。", "There is no region “{region}”.", "", ""),
        Code::ProjectUnknown => ("找不到区域“{region}”的项目。", "The project of region “{region}” cannot be found.", "请在“我的凭证 › API 凭证”中查看项目 ID 并填入。", "Look up the project id in My Credentials › API Credentials and type it in."),
        Code::DemoUnavailable => ("演示区域不可用。", "The demo region is not available.", "", ""),
        Code::KeyFileUnreadable => ("无法从 {file} 读出密钥。", "No key can be read from {file}.", "请选择控制台“我的凭证 › 访问密钥”下载的 credentials.csv。", "Take the credentials.csv that the console gives under My Credentials › Access Keys."),
        Code::KeyGone => ("那里已经没有这个密钥。", "That key is not there any more.", "请重新查找，或手动输入。", "Look again, or type it in."),
        Code::ProxyInvalid => ("代理地址无效：{why}。", "The proxy's address is not valid: {why}.", "请填写如 http://proxy.example:8080 或 socks5h://proxy.example:1080 的地址，不含用户名和密码。", "It looks like http://proxy.example:8080 or socks5h://proxy.example:1080, without user name and password."),
        Code::AuthorityUnreadable => ("无法读出证书文件 {file}。", "The certificates in {file} cannot be read.", "须为 PEM 格式（以 -----BEGIN CERTIFICATE----- 开头）的文件。", "It has to be a PEM file, which begins with -----BEGIN CERTIFICATE-----."),
        Code::LinkInvalid => ("这个链接不是“网程”能打开的。", "That link is none that Wangcheng can open.", "请向给您链接的人核对。", "Ask whoever gave you the link."),
        Code::FolderNotShown => ("系统没有打开这个文件夹。", "The system did not open the folder.", "请在文件管理器中打开上面的路径。", "Open the path shown in your file manager."),
        Code::BundleNotWritten => ("无法写入诊断包。", "The diagnostics bundle cannot be written.", "请检查磁盘空间和目录权限。", "Check for free space and the directory's permissions."),
        Code::ExportNotWritten => ("无法写入导出文件。", "The exported file cannot be written.", "请检查磁盘空间和下载文件夹的权限。", "Check for free space and the permissions of the folder of downloads."),
        Code::NotPrinted => ("系统没有打开打印对话框。", "The system did not open its dialog for printing.", "请检查系统的打印功能是否可用。", "See whether the system can print at all."),
        Code::NameInvalid => ("名称须为 1 到 {most} 个字符，仅含文字、数字、“-”、“_”、“.”。", "The name must have 1 to {most} characters: letters, digits, “-”, “_”, “.”.", "", ""),
        Code::PurposeInvalid => ("用途最多 {most} 个字符，仅含文字、数字、空格与 - _ . : / + @。", "The purpose must have at most {most} characters: letters, digits, spaces and - _ . : / + @.", "", ""),
        Code::LeaseTooShort => ("租期至少要到 {minutes} 分钟之后（云服务的规定是 30 分钟）。", "The lease must end at least {minutes} minutes from now (the cloud's own rule is 30).", "要更早结束，请直接删除云服务器。", "To end it sooner, delete the server."),
        Code::LeaseTooLong => ("租期必须短于 {years} 年。", "The lease must be shorter than {years} years.", "", ""),
        Code::TemplateUnknown => ("没有此模板。", "There is no such template.", "", ""),
        Code::TemplateInvalid => ("模板“{template}”中的“{field}”不可用。", "“{field}” of template “{template}” is not possible.", "请更正后重试；没有更改任何模板。", "Correct it and try again; no template was changed."),
        Code::TemplatesUnreadable => ("无法读取模板文件。", "The templates cannot be read.", "请使用本程序导出的文件；原因见下。没有更改任何模板。", "Take a file that this program exported; see the reason below. No template was changed."),
        Code::FlavorUnavailable => ("此区域目前没有规格 {flavor}。", "This region has no flavor {flavor} at the moment.", "请选择其他规格。", "Choose another flavor."),
        Code::ImageUnavailable => ("此区域没有镜像 {image}。", "This region has no image {image}.", "请选择其他镜像。", "Choose another image."),
        Code::ZoneUnavailable => ("可用区 {zone} 目前不出售 {flavor}。", "Zone {zone} does not sell {flavor} at the moment.", "请选择其他可用区。", "Choose another zone."),
        Code::NetworkMissing => ("项目中没有可用的子网。", "The project has no subnet to use.", "请先在控制台创建虚拟私有云与子网。", "Make a VPC with a subnet in the console first."),
        Code::SubnetFull => ("子网 {subnet} 已没有空闲地址。", "Subnet {subnet} has no free address.", "请选择其他子网。", "Choose another subnet."),
        Code::KeyPairMissing => ("没有可用的密钥对：创建后在重置密码之前无法登录。", "There is no key pair: nobody can log in until the password is reset.", "请在控制台创建或导入密钥对，然后刷新。", "Make or import a key pair in the console, then refresh."),
        Code::PriceUnknown => ("暂时查不到价格。", "The price cannot be found out at the moment.", "仍可创建；费用以账单为准。", "A server can be created all the same; the bill decides."),
        Code::BandwidthInvalid => ("带宽最多 {most} Mbit/s。", "The bandwidth is at most {most} Mbit/s.", "", ""),
        Code::UserDataTooLong => ("首次启动的脚本过长：{size} 字节，最多 {most} 字节。", "The text for the first start is too long: {size} bytes; at most {most} fit.", "请缩短，或让脚本自行下载其余部分。", "Shorten it, or let it fetch the rest by itself."),
        Code::UserDataKind => ("首次启动的脚本须以“#cloud-config”、“#!”或“#cloud-boothook”开头，否则云服务器会忽略它。", "The text for the first start must begin with “#cloud-config”, “#!” or “#cloud-boothook”; the server would pass it over.", "请在第一行写明类型。", "Say in its first line what it is."),
        Code::UserDataUnreadable => ("首次启动的 #cloud-config 不是有效的 YAML 配置。", "The #cloud-config for the first start is no valid YAML.", "位置与原因见下。", "See below what is wrong where."),
        Code::UserDataKey => ("首次启动的配置不能含“{key}”：它由本程序设置，首次登录的校验依赖于它。", "The configuration for the first start cannot have “{key}”: this program sets it, and the first login is checked by it.", "请去掉这一项；或改用云上的密钥对。", "Take it out, or use a key pair of the cloud's."),
        Code::UserDataIgnored => ("此镜像没有 cloud-init，首次启动的脚本不会执行。", "This image has no cloud-init; the text for the first start is not carried out.", "请选择其他镜像。", "Choose another image."),
        Code::AddressInvalid => ("这不是一个可以放行的 IP 地址。", "This is no IP address that can be let in.", "请填写本机的公网地址，例如 203.0.113.7，可向网络管理员询问。", "Type this computer's public address, such as 203.0.113.7; whoever runs the network knows it."),
        Code::AddressTooWide => ("地址段过大：IPv4 至少 /{v4}，IPv6 至少 /{v6}。", "The range is too wide: at least /{v4} for IPv4, /{v6} for IPv6.", "请填写更小的地址段或单个地址。", "Take a narrower one, or a single address."),
        Code::ServerUnknown => ("没有此云服务器，可能已被删除。", "There is no such server; it may have been deleted.", "请刷新列表。", "Refresh the list."),
        Code::NotOwn => ("“{name}”不是由你在本程序中创建的，因此只能查看。", "“{name}” was not made by you with this program, so it can only be looked at.", "请在控制台中处理，或联系其使用者。", "Use the console, or ask its owner."),
        Code::NotAdopted => ("“{name}”不是在本程序中创建的，因此只能查看。", "“{name}” was not made with this program, so it can only be looked at.", "若要在此管理它，请先接管。", "Adopt it first to manage it here."),
        Code::AlreadyOwn => ("“{name}”已经归你使用，无需接管。", "“{name}” is yours already; there is nothing to adopt.", "", ""),
        Code::NameMismatch => ("输入的名称与“{name}”不一致，没有删除任何东西。", "What was typed is not “{name}”; nothing was deleted.", "", ""),
        Code::ServerBusy => ("“{name}”还有一个操作在进行。", "Another operation on “{name}” is under way.", "请等它结束。", "Wait for its end."),
        Code::LeaseAbsent => ("“{name}”没有租期。", "“{name}” has no lease.", "请刷新列表。", "Refresh the list."),
        Code::DiskUnknown => ("此云服务器没有这个磁盘，可能已被删除或卸载。", "The server has no such disk; it may have been deleted or taken off.", "请刷新列表。", "Refresh the list."),
        Code::DiskSizeInvalid => ("磁盘大小须为 {least} 到 {most} GB；磁盘只能扩大，不能缩小。", "The disk must have {least} to {most} GB; a disk can grow and never shrink.", "", ""),
        Code::DiskTypeUnavailable => ("可用区 {zone} 目前不出售磁盘类型 {type}。", "Zone {zone} does not sell disks of type {type} at the moment.", "请选择其他类型。", "Choose another type."),
        Code::DiskSlotsFull => ("“{name}”不能再挂载更多磁盘。", "“{name}” cannot have more disks.", "请扩大已有的磁盘，或先卸载一个。", "Grow a disk that is there, or take one off first."),
        Code::DiskAttached => ("磁盘“{name}”还挂载在云服务器上，没有删除任何东西。", "Disk “{name}” is still on the server; nothing was deleted.", "请先在系统内卸载其文件系统，再卸载磁盘。", "Unmount it in the guest and take it off first."),
        Code::DiskNotAttached => ("磁盘“{name}”没有挂载在此云服务器上。", "Disk “{name}” is not on this server.", "请刷新列表。", "Refresh the list."),
        Code::DiskIsSystem => ("“{name}”是系统盘，随云服务器一起存在，不能卸载。", "“{name}” is the system disk; it cannot be taken off.", "", ""),
        Code::LeftoverUnknown => ("“{name}”不是可以清理的遗留资源：它已不存在、又在使用中，或其云服务器还在。", "“{name}” is no leftover: it is gone, in use again, or its server still exists.", "请刷新列表。", "Refresh the list."),
        Code::JobFailed => ("云服务没有完成此操作。", "The cloud did not carry this out.", "原因见下；可以再试一次。", "See the reason below; it can be tried again."),
        Code::OutcomeUnknown => ("无法确定此操作的结果。", "What came of this cannot be found out.", "请刷新列表核对。", "Refresh the list and compare."),
        Code::OperationUnknown => ("没有这个操作。", "There is no such operation.", "请刷新列表。", "Refresh the list."),
        Code::CancelTooLate => ("云服务已经收到（或可能已收到）此操作，无法再取消。", "The cloud has this operation, or may have it, so it can no longer be cancelled.", "请等它结束；新建的云服务器可以随后删除。", "Wait for its end; a new server can be deleted then."),
        Code::Cancelled => ("已在发送之前取消。", "It was cancelled before it was sent.", "", ""),
        Code::ResizeImpossible => ("“{name}”的计费方式不允许在此变更规格（仅限按需计费）。", "“{name}” is paid in a way that does not let its size be changed here (only pay-per-use does).", "请在控制台中处理，或另建一台。", "Use the console, or make another one."),
        Code::StopNeeded => ("“{name}”正在运行，变更规格需要先关机。", "“{name}” runs and has to be stopped for this.", "请先保存工作，再同意关机；变更后会自动启动。", "Save the work on it, then agree to the stop; it is started again afterwards."),
        Code::TagInvalid => ("标签“{key}”不可用：键为 1 到 {longest_key} 个字符，值最多 {longest_value} 个，仅含英文字母、数字、汉字、“-”、“_”（值还可含“.”），且同一个键只能出现一次。", "Tag “{key}” is not possible: a key has 1 to {longest_key} characters, a value at most {longest_value}: Latin letters, digits, Chinese characters, “-”, “_” (in a value “.” too), and each key once.", "请更正后重试；没有更改任何标签。", "Correct it and try again; no tag was changed."),
        Code::TagKept => ("标签“{key}”由本程序管理，不能更改。", "Tag “{key}” is this program's own and cannot be changed.", "", ""),
        Code::TagsTooMany => ("一台云服务器最多有 {most} 个标签。", "A server has at most {most} tags.", "请先去掉不用的标签。", "Take one off first that is not needed."),
        Code::PasswordInvalid => ("密码须为 {least} 到 {most} 个字符，至少含大写字母、小写字母、数字、符号（{signs}）中的三类，且不能是用户名或其倒写。", "A password has {least} to {most} characters, of at least three kinds out of capitals, small letters, digits and signs ({signs}), and is not the user's name, neither way round.", "", ""),
        Code::PasswordPluginMissing => ("“{name}”中没有（或无法确认有）重置密码的插件。", "“{name}” has not the plug-in that resets passwords, or the cloud does not know of it.", "请用密钥登录后自行设置密码，或安装云平台的重置密码插件。", "Log in with the key and set it there, or install the cloud's plug-in for it."),
        Code::PasswordNotSent => ("程序在发送新密码之前中断，密码没有更改。", "The program ended before the new password was sent; the password was not changed.", "密码不会被保存，因此请重新输入。", "It is not kept anywhere, so hand it in again."),
        Code::PasswordPerhapsSet => ("程序在发送新密码时中断，无法确定密码是否已更改。", "The program ended while the new password was being sent; whether it was changed is not known.", "请再设置一次。", "Set it once more."),
        Code::SessionUnknown => ("没有这个会话。", "There is no such session.", "它可能已关闭；请重新连接。", "It may be closed; connect again."),
        Code::SessionsTooMany => ("最多同时打开 {most} 个会话。", "At most {most} sessions can be open at once.", "请先关闭不用的会话。", "Close one that is not needed first."),
        Code::SessionEnded => ("会话已结束。", "The session was ended.", "", ""),
        Code::ServerNotRunning => ("“{name}”没有在运行，因此无法登录。", "“{name}” does not run, so nobody can log in to it.", "请先开机，等它运行后再连接。", "Start it, and connect once it runs."),
        Code::ServerWithoutSsh => ("“{name}”运行 Windows，不能用 SSH 登录。", "“{name}” runs Windows, which has no SSH to log in to.", "请在控制台中使用远程桌面。", "Use the remote desktop from the console."),
        Code::AddressAbsent => ("“{name}”没有地址。", "“{name}” has no address.", "请在控制台为它绑定公网地址。", "Bind a public address to it in the console."),
        Code::SshUnreachable => ("连接不到 {host}:{port}。", "{host}:{port} does not answer.", "请检查安全组是否允许本机地址访问 SSH、本机能否到达该网络，以及云服务器是否已启动完成。", "Check that its security group lets this computer's address in by SSH, that this network can reach it, and that it has booted."),
        Code::SshNotUp => ("{host}:{port} 的 SSH 服务尚未就绪。", "SSH on {host}:{port} is not up.", "云服务器刚启动时需要等一会儿；若一直如此，请检查系统内的 sshd。", "A server that just booted takes a moment; if it stays like this, check sshd on it."),
        Code::HostKeyUnknown => ("没有人确认过 {host} 的主机密钥 {fingerprint}，因此没有连接。", "Nobody confirmed the host key {fingerprint} of {host}, so nothing was connected.", "请通过其他途径核对指纹后重新连接。", "Compare the fingerprint by another way, then connect again."),
        Code::HostKeyChanged => ("{host} 出示的主机密钥与已知的不同，已拒绝连接：对方可能不是这台云服务器。", "{host} shows another host key than the known one, so the connection was refused: it may be another machine that poses as this server.", "如果系统没有重装过，请不要继续，并向管理员报告。", "Unless its system was installed anew, go no further and tell an administrator."),
        Code::HostKeyRevoked => ("{host} 的主机密钥已被吊销（{file} 第 {line} 行）。", "The host key of {host} is revoked ({file}, line {line}).", "请勿连接，并向管理员报告。", "Do not connect, and tell an administrator."),
        Code::HostKeysUnreadable => ("无法读取已知主机密钥文件 {file}，因此无法核对。", "The known host keys in {file} cannot be read, so nothing can be compared.", "请检查该文件及其权限，然后重试。", "Check that file and its permissions, then try again."),
        Code::LoginRefused => ("{host} 拒绝了用户“{user}”登录（尝试过：{tried}；服务器接受：{offered}）。", "{host} did not let “{user}” in (tried: {tried}; it takes: {offered}).", "若改过用户或密钥，请在系统内恢复；也可以为它设置密码后重试。", "If user or key were changed on it, set them right there, or set a password for it and try again."),
        Code::SshKeyUnusable => ("密钥“{name}”无法使用。", "The key “{name}” cannot be used.", "原因见下。", "See the reason below."),
        Code::SshAgentUnavailable => ("无法使用 SSH 代理（agent）。", "The SSH agent cannot be asked.", "此云服务器的密钥不在钥匙串中：请启动 SSH 代理并加入密钥，或为它设置密码。", "The keychain has no key of this server: start an SSH agent that has one, or set a password for it."),
        Code::SshLost => ("连接已中断。", "The connection was lost.", "请检查网络后重新连接；那里正在运行的程序可能已随之结束。", "Check the network and connect again; what ran there may have ended with it."),
        Code::SshTimeout => ("云服务器没有及时回应。", "The server did not answer in time.", "请检查网络和它的负载后重试。", "Check the network and its load, then try again."),
        Code::SshRejected => ("云服务器不允许此操作。", "The server does not allow this.", "原因见下。", "See the reason below."),
        Code::SshProtocol => ("对方没有按 SSH 协议应答。", "The other side does not speak SSH as expected.", "请确认该地址和端口上是 SSH 服务。", "Make sure that it is SSH that answers at this address and port."),
        Code::SessionNotOpen => ("此会话没有登录，因此看不到文件。", "Nobody is logged in on this session, so its files cannot be seen.", "请等它登录，或重新连接。", "Wait until it is logged in, or connect again."),
        Code::ScreenAbsent => ("服务器的 {host}:{port} 上没有 VNC 服务应答。", "No VNC server answers at {host}:{port} of the server.", "请先在服务器上启动 VNC 服务，并核对端口（显示器 :1 为 5901）。", "Start one on the server first, and check the port (display :1 is 5901)."),
        Code::ScreenRefused => ("屏幕拒绝了连接。", "The screen was refused.", "控制台的令牌只能用一次，且几分钟后失效：请重新连接，会取得新的令牌。", "A console's token is good once and for some minutes: connect again, which takes a new one."),
        Code::ScreenLogin => ("VNC 密码不被接受。", "The VNC password was refused.", "请重新连接并输入密码。", "Connect again and enter it."),
        Code::ScreenSecurity => ("VNC 服务只提供无法安全使用的方式（{offered}）。", "The VNC server offers nothing that can be used safely ({offered}).", "请让它提供 None、VncAuth 或带证书的 VeNCrypt（X509）。", "Let it offer None, VncAuth or VeNCrypt with a certificate (X509)."),
        Code::ScreenProtocol => ("对方没有按 VNC 协议应答，或超出了限度。", "The other side does not speak VNC as expected, or exceeds a limit.", "请重新连接；若再次出现，请换用云平台的页面。", "Connect again; if it happens again, use the provider's page."),
        Code::CertificateUntrusted => ("{host} 的证书不受信任。", "The certificate of {host} is not trusted.", "若经过公司的代理，请在“设置”中加入其证书。", "If a company's proxy is in between, add its certificate in Settings."),
        Code::ConsoleUnreachable => ("无法连接控制台 {host}:{port}。", "The console at {host}:{port} cannot be reached.", "许多公司的防火墙会拦截该端口：请换一个网络，或在浏览器中打开。", "Many companies' firewalls close this port: try another network, or open it in the browser."),
        Code::EditorAbsent => ("无法打开文本编辑器。", "No text editor can be opened.", "请为文本文件设置默认的编辑器，或在 WANGCHENG_EDITOR 中写明程序后重新启动网程。", "Set the system's default editor for text, or name a program in WANGCHENG_EDITOR and start Wangcheng again."),
        Code::PageNotShown => ("无法打开云平台的页面。", "The provider's page cannot be opened.", "请在云平台自己的网站上打开这台服务器的控制台。", "Open this server's console on the provider's own site."),
        Code::SshConfigInvalid => ("无法按 {file} 连接。", "{file} cannot be followed.", "请改正所指出之处；ProxyCommand 请改为 ProxyJump。", "Mend what is pointed out; instead of ProxyCommand use ProxyJump."),
        Code::PortTaken => ("无法监听 {address}。", "{address} cannot be listened on.", "端口可能已被占用：请换一个，或填 0 由系统选择。", "The port may be taken: use another one, or 0 to let the system choose."),
        Code::TunnelUnknown => ("没有这条隧道。", "There is no such tunnel.", "它可能已被移除。", "It may have been removed."),
        Code::TunnelInvalid => ("隧道的“{field}”无效。", "The tunnel's {field} is not valid.", "请填写主机和 1 到 65535 的端口；本机端口可为 0。", "Give a host and a port from 1 to 65535; a port of this computer may be 0."),
        Code::TunnelsTooMany => ("最多保存 {most} 条隧道。", "At most {most} tunnels are kept.", "请先移除不用的隧道。", "Remove one that is not needed first."),
        Code::CopiesTooMany => ("一次最多 {most} 项。", "At most {most} at once.", "请清除已结束的传输，或把文件放进一个文件夹再传。", "Clear what is over, or put the files into one folder."),
        Code::FileMissing => ("“{path}”不存在。", "“{path}” is not there.", "它可能已被删除或改名；请刷新。", "It may have been removed or renamed; refresh the list."),
        Code::FileDenied => ("没有权限访问“{path}”。", "“{path}” may not be touched.", "请检查它的权限和所有者。", "Check its permissions and its owner."),
        Code::FileExists => ("“{path}”已经存在。", "“{path}” is there already.", "请换一个名称，或替换它。", "Take another name, or replace it."),
        Code::FileNameUnsafe => ("名称“{path}”不能使用。", "The name “{path}” cannot be used.", "名称不能为空，不能含“/”，也不能是此系统保留的名称。", "A name is not empty, has no “/”, and is none that this system keeps for itself."),
        Code::FileNotCopied => ("“{path}”不是文件或文件夹。", "“{path}” is neither a file nor a folder.", "设备、管道等不会传输。", "Devices, pipes and the like are not copied."),
        Code::FileChanged => ("“{path}”在传输中被修改。", "“{path}” changed while it was copied.", "请等它不再变化后重试。", "Try again when nothing writes to it any more."),
        Code::FileDiskFull => ("没有空间存放“{path}”。", "There is no room for “{path}”.", "请腾出空间后继续。", "Free some space, then go on."),
        Code::FileTooLarge => ("“{path}”太大或嵌套太深，没有处理。", "“{path}” is too large or nested too deeply and was left alone.", "请分成几部分，或先打包成一个文件。", "Take parts of it, or pack it into one file first."),
        Code::FileFailed => ("“{path}”没有成功。", "It did not work for “{path}”.", "原因见下。", "See the reason below."),
        Code::GrantLinkInvalid => ("这不是有效的加入链接。", "This is no valid link to join an organisation.", "请管理员重新发送完整的链接或文件；原因见下。", "Ask the administrator for the whole link or file once more; see the reason below."),
        Code::GrantFingerprint => ("输入的指纹与链接中的密钥（{fingerprint}）不符，因此没有加入。", "The fingerprint that was given is not that of the link's key ({fingerprint}), so nothing was joined.", "请通过电话等其他途径向管理员核对；如仍不符，链接可能来自他人。", "Compare it with the administrator by another way, such as a call; if it still differs, the link may come from somebody else."),
        Code::GrantUnreachable => ("无法读取授权额度（{place}）。", "The grant cannot be read ({place}).", "已有的授权额度在到期前继续有效；请检查地址、网络和读取权限。", "The one that is kept holds until it expires; check the address, the network and the right to read it."),
        Code::GrantUnreadable => ("授权额度文件无法读懂。", "The grant cannot be understood.", "请管理员重新发布；原因见下。", "Ask the administrator to publish it anew; see the reason below."),
        Code::GrantNewer => ("授权额度由更新版本的程序写成（{schema}）。", "The grant was written by a newer version of the program ({schema}).", "请安装新版本。", "Install the newer version."),
        Code::GrantStranger => ("授权额度不是由此组织的密钥签名的（签名者指纹 {fingerprint}），未予采用。", "The grant is not signed by a key of this organisation (it is by {fingerprint}) and was not taken over.", "请不要继续，并通过其他途径告知管理员。", "Go no further, and tell the administrator by another way."),
        Code::GrantSignatureWrong => ("授权额度的签名不符：内容在签名之后被改动过，未予采用。", "The grant's signature does not hold: it was changed after it was signed, and was not taken over.", "请告知管理员。", "Tell the administrator."),
        Code::GrantKeyChanged => ("链接中的密钥（{fingerprint}）不是“{organisation}”已知的密钥（{known}），未予采用。", "The link's key ({fingerprint}) is not the one known of “{organisation}” ({known}).", "请通过其他途径向管理员核实是否更换了密钥；确认后先退出组织再加入。", "Ask the administrator by another way whether the key was changed; only then leave the organisation and join it anew."),
        Code::GrantOfOther => ("该授权额度属于“{organisation}”，而不是“{expected}”。", "That grant is of “{organisation}”, not of “{expected}”.", "请告知管理员。", "Tell the administrator."),
        Code::GrantOtherJoined => ("已加入“{organisation}”。", "This installation belongs to “{organisation}” already.", "请先退出该组织。", "Leave that organisation first."),
        Code::GrantOlder => ("该授权额度（第 {number} 号）比已见过的（第 {known} 号）旧，未予采用。", "That grant (number {number}) is older than one seen before (number {known}) and was not taken over.", "请管理员重新发布最新的授权额度。", "Ask the administrator to publish the newest one again."),
        Code::GrantFromFuture => ("授权额度的签发时间 {time} 比现在晚 {minutes} 分钟。", "The grant was signed at {time}, which is {minutes} minutes from now.", "请核对本机与管理员电脑的时钟。", "Compare the clocks of this computer and the administrator's."),
        Code::GrantExpired => ("“{organisation}”的授权额度已于 {time} 到期。", "The grant of “{organisation}” expired at {time}.", "关机、删除等仍可进行。需要新的授权额度请联系 {ask}，然后刷新。", "Stopping and deleting are still possible. Ask {ask} for a new one, then refresh."),
        Code::GrantRevoked => ("“{organisation}”已收回授权额度。", "“{organisation}” has withdrawn its grant.", "关机、删除等仍可进行。如有疑问请联系 {ask}。", "Stopping and deleting are still possible. Ask {ask}."),
        Code::GrantNotNamed => ("“{organisation}”的授权额度中没有用户“{name}”。", "The grant of “{organisation}” does not name the user “{name}”.", "请联系 {ask}。", "Ask {ask}."),
        Code::GrantAbsent => ("没有加入任何组织，因此没有授权额度。", "No organisation was joined, so there is no grant.", "请向管理员索取加入链接。", "Ask an administrator for a link to join."),
        Code::GrantLimit => ("超出授权额度：{limit}的上限为 {max}，已用 {used}，本次需要 {wish}。", "This goes over the grant: of {limit}, {used} of {max} is used, and this takes {wish}.", "请归还不用的资源，或联系 {ask}。", "Give back what is not needed, or ask {ask}."),
        Code::GrantNotAllowed => ("授权额度不允许：{limit}限于 {max}，本次为 {wish}。", "Not allowed by the grant: {limit}. It says {max}, and this is {wish}.", "请在范围内选择，或联系 {ask}。", "Stay within it, or ask {ask}."),
        Code::GrantPriceUnknown => ("授权额度限制了每月费用，而目前查不到价格，因此没有发送。", "The grant limits the money of a month, and the price cannot be had just now, so nothing was sent.", "请稍后重试，或联系 {ask}。", "Try again later, or ask {ask}."),
        Code::GrantNoOffice => ("本机没有管理任何组织。", "No organisation is managed on this computer.", "请先创建组织，或从备份恢复。", "Found one first, or restore it from a backup."),
        Code::GrantOfficeThere => ("本机已在管理一个组织。", "An organisation is managed on this computer already.", "", ""),
        Code::GrantKeyAbsent => ("本机的钥匙串中没有该组织的签名密钥。", "The keychain of this computer has no signing key of the organisation.", "请从备份恢复，或在持有密钥的电脑上操作。", "Restore it from a backup, or do it on the computer that has it."),
        Code::GrantNotPublished => ("授权额度没有发布（{place}）。", "The grant was not published ({place}).", "已签名的内容不会丢失；请检查位置和写入权限后重试。", "What was signed is not lost; check the place and the right to write there, then try again."),
        Code::GrantPassphrase => ("口令至少需要 {least} 个字符。", "A passphrase has at least {least} characters.", "", ""),
        Code::GrantTokenClosed => ("此口令打不开链接中的令牌，或者链接在生成之后被改动过；没有加入。", "The passphrase does not open the token in the link, or the link was changed after it was made; nothing was joined.", "请向管理员核对口令；也可以不填口令加入，之后再提供令牌。", "Compare the passphrase with the administrator; joining without it is possible, and the token can be handed in later."),
        Code::GrantBackup => ("无法打开此备份。", "This backup cannot be opened.", "请核对口令和文件。", "Check the passphrase and the file."),
        Code::LedgerInUse => ("账本正被另一个程序使用。", "The ledger is in use by another program.", "请关闭另一个“网程”窗口。", "Close the other Wangcheng window."),
        Code::LedgerNewer => ("账本由更新版本的程序写成。", "The ledger was written by a newer version of the program.", "请安装新版本。", "Install the newer version."),
        Code::LedgerFull => ("磁盘已满，没有发送任何请求。", "The disk is full; nothing was sent.", "请腾出空间后重试。", "Free some space, then try again."),
        Code::LedgerReadOnly => ("数据目录不可写，没有发送任何请求。", "The data directory cannot be written; nothing was sent.", "请检查目录权限。", "Check the directory's permissions."),
        Code::LedgerFailed => ("账本报告了错误。", "The ledger reported an error.", "请重新打开程序；若持续出现，请保留数据目录并报告。", "Open the program again; if it stays, keep the data directory and report it."),
        Code::LedgerSetAside => ("账本文件已损坏，已另存为 {file}，并新建了账本（尚未投递的事件已救回 {rescued} 条，将照原样投递）。", "The ledger was damaged; it was set aside as {file} and a fresh one was begun (events rescued that were not delivered yet: {rescued}; they are sent as they were written).", "", ""),
        Code::DeliveryNotConfigured => ("尚未设置事件投递。", "Delivery of events is not set up.", "请在设置中填写 HEI 地址与令牌。", "Fill in the HEI's address and token in the settings."),
        Code::DeliveryAddressInvalid => ("HEI 地址无效。", "The HEI's address is not valid.", "须为 https 地址；如确需 http，请明确允许。", "It must be https; plain http has to be allowed on purpose."),
        Code::DeliveryTokenRefused => ("接收端不接受此令牌（{status}）。", "The receiver refuses the token ({status}).", "请在设置中填入新令牌；事件不会丢失。", "Hand in a new token in the settings; no event is lost."),
        Code::DeliveryTooLarge => ("接收端认为单个事件过大（{status}）。", "The receiver finds a single event too large ({status}).", "请检查接收端的请求大小限制。", "Check the receiver's limit of a request's size."),
        Code::DeliveryRejected => ("接收端拒绝了事件（{status}）。", "The receiver refuses the events ({status}).", "请核对地址、数据集与数据类型；事件不会丢失。", "Check address, event set and data type; no event is lost."),
        Code::DeliveryUnavailable => ("接收端暂时不可用（{status}）。", "The receiver is not available at the moment ({status}).", "会自动重试；事件不会丢失。", "It is tried again by itself; no event is lost."),
        Code::DeliveryUnreachable => ("连接不到接收端。", "The receiver cannot be reached.", "会自动重试；事件不会丢失。", "It is tried again by itself; no event is lost."),
        Code::DeliveryThrottled => ("接收端要求稍候（{status}）。", "The receiver asks to wait ({status}).", "会自动重试；事件不会丢失。", "It is tried again by itself; no event is lost."),
        Code::SearchNotConfigured => ("尚未设置数据平台的查询地址。", "Where the data platform can be asked is not set.", "请在设置中填写查询地址和令牌。", "Give the address and a token of its search in the settings."),
        Code::SearchProfileInvalid => ("查询配置中的“{field}”不可用。", "“{field}” of the search's profile is not possible.", "原因见下；请更正后用“测试”核对。", "See the reason below; correct it and try it with “Test”."),
        Code::SearchTokenRefused => ("数据平台不接受查询令牌（{status}）。", "The data platform refuses the token for its search ({status}).", "请在“用量 › 数据来源”或用 `wangcheng platform configure` 填入新的查询令牌（API Key）；它与投递令牌不同。", "Hand in a new token (API key) for the search under “Usage › Sources” or by `wangcheng platform configure`; it is not the one that events are posted with."),
        Code::SearchRejected => ("数据平台没有执行此查询（{status}）。", "The data platform did not carry the query out ({status}).", "平台的说明见下；请核对数据集名称和查询配置。", "See what it says below; check the data set's name and the search's profile."),
        Code::SearchUnavailable => ("数据平台目前无法回答（{status}）。", "The data platform cannot answer at the moment ({status}).", "稍后可以继续，已取得的事件不会重复拉取。", "Go on later; what was fetched is not fetched again."),
        Code::SearchUnreachable => ("连接不到数据平台，或它没有及时回答。", "The data platform cannot be reached, or does not answer in time.", "请检查地址、网络或代理；稍后可以从中断处继续。", "Check the address, the network or the proxy; it goes on later from where it stopped."),
        Code::SearchAnswerStrange => ("数据平台的回答与查询配置不符。", "The data platform's answer is not as the search's profile says.", "请用“测试”查看各步的回答，并更正配置。", "Look at each step's answer with “Test”, and correct the profile."),
        Code::PullUnderWay => ("正在读取事件。", "Events are being read already.", "请等它结束，或先取消。", "Wait until that is over, or cancel it first."),
        Code::ExportUnreadable => ("无法读取文件 {file}。", "The file {file} cannot be read.", "支持 NDJSON、CSV 以及它们的 gz 压缩文件；原因见下。", "NDJSON, CSV and either of them as gz can be read; see the reason below."),
        Code::Rehearsed => ("仅为预演，没有发送任何请求。", "This was a rehearsal; nothing was sent.", "", ""),
        Code::BadInput => ("输入有误（{field}）。", "The input is not right ({field}).", "", ""),
        Code::Internal => ("程序内部出错。", "The program made an error.", "请重试；若持续出现，请报告。", "Try again; if it stays, report it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_speaks_both_languages_with_its_facts() {
        let failure = Failure::new(Code::ClockWrong).with("minutes", 21);
        let (zh, step) = of(&failure, Tongue::Chinese);
        assert!(zh.contains("21 分钟"), "{zh}");
        assert!(step.is_some());
        let (en, _) = of(&failure, Tongue::English);
        assert!(en.contains("21 minutes"), "{en}");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let (zh, _) = of(&Failure::new(Code::QuotaReached), Tongue::Chinese);
        assert_eq!(zh, "项目的配额已用完。");
        let (en, _) = of(&Failure::new(Code::DeliveryUnavailable), Tongue::English);
        assert_eq!(en, "The receiver is not available at the moment.");
    }

    #[test]
    fn a_systems_language_is_understood_however_it_is_written() {
        assert_eq!(Tongue::from_tag("zh_CN.UTF-8"), Tongue::Chinese);
        assert_eq!(Tongue::from_tag("zh-Hans-CN"), Tongue::Chinese);
        assert_eq!(Tongue::from_tag("de-DE"), Tongue::English);
    }
}
