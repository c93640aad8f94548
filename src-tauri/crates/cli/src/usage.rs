//! Who used what, and what it cost: the window's own numbers, from a terminal.

use std::path::Path;

use api::ExportTarget;
use chrono::{Datelike, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::arguments::usage::{As, By, Part, Table, Usage, Which};
use crate::output::{Output, rows, table, text};
use crate::session::{Session, now};
use crate::times;
use crate::trouble::{Result, Trouble};

/// Answers one question.
pub async fn usage(session: &Session, command: &Usage) -> Result<()> {
    let output = session.output;
    match command {
        Usage::Facts(command) => crate::facts::facts_of(session, command).await,
        Usage::Export {
            which,
            format,
            table,
            into,
        } => {
            export(
                session,
                days(session, which, None).await?,
                *format,
                *table,
                into.as_deref(),
            )
            .await
        }
        Usage::Summary { which, by } => {
            let summary = session
                .ask("usage.summary", days(session, which, None).await?)
                .await?;
            output.answer(&summary, || summed_up(output, &summary, *by))
        }
        Usage::Owners { which, limit } => {
            let owners = session
                .ask("usage.owners", days(session, which, Some(*limit)).await?)
                .await?;
            output.answer(&owners, || {
                ranks(
                    output,
                    output.say("使用者", "OWNER"),
                    rows(&owners, "owners"),
                    &text(&owners, "currency"),
                )
            })
        }
        Usage::Servers { which, limit } => {
            let servers = session
                .ask("usage.servers", days(session, which, Some(*limit)).await?)
                .await?;
            output.answer(&servers, || listed(output, &servers))
        }
        Usage::Forecast { part } => {
            let forecast = session.ask("usage.forecast", cut(session, part).await?).await?;
            output.answer(&forecast, || foretold(output, &forecast))
        }
    }
}

/// Writes the summary as a file, or one table of it to standard output.
async fn export(session: &Session, ask: Value, format: As, table: Table, into: Option<&Path>) -> Result<()> {
    let output = session.output;
    let format = match format {
        As::Xlsx => "xlsx",
        As::Csv => "csv",
    };
    if into.is_none() && format == "xlsx" {
        let sentence = output.say(
            "请用 --into 指定工作簿文件。",
            "Say with --into which file the workbook is to be.",
        );
        return Err(Trouble::new("input_invalid", sentence, None));
    }
    let table = format!("{table:?}").to_lowercase();
    let ask = json!({ "ask": ask, "format": format, "table": table });
    match into {
        None => {
            let out = Box::new(std::io::stdout());
            session.export_usage(ask, ExportTarget::Stream(out)).await
        }
        Some(file) => {
            let made = std::fs::File::create_new(file)?;
            if let Err(error) = session.export_usage(ask, ExportTarget::File(made)).await {
                // Half a file is none.
                let _ = std::fs::remove_file(file);
                return Err(error);
            }
            let bytes = std::fs::metadata(file)?.len();
            let told = json!({ "file": file.display().to_string(), "bytes": bytes });
            output.answer(&told, || {
                format!("{} ({})", text(&told, "file"), text(&told, "bytes"))
            })
        }
    }
}

/// Days by their defaults, as the call takes them.
async fn days(session: &Session, which: &Which, limit: Option<u32>) -> Result<Value> {
    // Asia/Shanghai keeps one offset the whole year.
    let today: NaiveDate = (now() + TimeDelta::hours(8)).date_naive();
    let to = which.to.unwrap_or(today);
    let from = which.from.or_else(|| to.with_day(1)).unwrap_or(to);
    let mut ask = json!({ "from": from, "to": to, "cut": cut(session, &which.part).await? });
    if let (Some(limit), Some(fields)) = (limit, ask.as_object_mut()) {
        fields.insert("limit".to_owned(), json!(limit));
    }
    Ok(ask)
}

/// The part that is asked for; owners by the ids that their names stand for.
async fn cut(session: &Session, part: &Part) -> Result<Value> {
    let mut owners = Vec::new();
    if !part.owners.is_empty() {
        let choices = session.ask("usage.choices", Value::Null).await?;
        for wanted in &part.owners {
            let known = rows(&choices, "owners")
                .filter_map(Value::as_array)
                .filter_map(|pair| {
                    let [id, name] = pair.as_slice() else { return None };
                    (id == wanted || name == wanted).then(|| id.clone())
                });
            let before = owners.len();
            owners.extend(known);
            if owners.len() == before {
                let sentence = session
                    .output
                    .say("没有这位使用者的用量", "There is no usage of this owner");
                return Err(Trouble::new(
                    "input_invalid",
                    format!("{sentence}: {wanted}"),
                    Some("`wangcheng usage owners`".to_owned()),
                ));
            }
        }
    }
    Ok(json!({
        "owners": owners, "flavors": part.flavors, "regions": part.regions, "purposes": part.purposes,
        "templates": part.templates, "currency": part.currency,
    }))
}

/// A number with six places as people read it, to two.
fn short(value: &Value, key: &str) -> String {
    let number = text(value, key);
    number
        .parse::<rust_decimal::Decimal>()
        .map_or(number, |number| format!("{:.2}", number.round_dp(2)))
}

/// What is not known by any word.
fn named(output: Output, word: String) -> String {
    if word.is_empty() {
        output.say("（无）", "(none)").to_owned()
    } else {
        word
    }
}

fn summed_up(output: Output, summary: &Value, by: By) -> String {
    let (none, currency) = (Value::Null, text(summary, "currency"));
    let (total, before) = (
        summary.get("total").unwrap_or(&none),
        summary.get("before").unwrap_or(&none),
    );
    let cost = |spent: &Value| short(spent.get("cost").unwrap_or(&Value::Null), "total");
    let line = |name: &str, now: String, then: String| vec![name.to_owned(), now, then];
    let figures = [
        line(
            output.say("云服务器", "Servers"),
            text(total, "servers"),
            text(before, "servers"),
        ),
        line(
            output.say("使用者", "Owners"),
            text(total, "owners"),
            text(before, "owners"),
        ),
        line(
            output.say("存在小时", "Hours there"),
            short(total, "hours"),
            short(before, "hours"),
        ),
        line(
            output.say("运行小时", "Hours running"),
            short(total, "runningHours"),
            short(before, "runningHours"),
        ),
        line(
            output.say("磁盘 GB·小时", "Disk GB hours"),
            short(total, "diskGbHours"),
            short(before, "diskGbHours"),
        ),
        line(
            &format!("{} {currency}", output.say("费用（估算）", "Cost (estimate)")),
            cost(total),
            cost(before),
        ),
    ];
    let period = |from: &str, to: &str| format!("{} – {}", text(summary, from), text(summary, to));
    let head = [
        String::new(),
        period("from", "to"),
        period("beforeFrom", "beforeTo"),
    ];
    let mut said = table(&head.each_ref().map(String::as_str), figures);
    said.push_str("\n\n");
    let ranked = |zh, en, list| ranks(output, output.say(zh, en), rows(summary, list), &currency);
    said.push_str(&match by {
        By::Month => months(output, summary),
        By::Day => table(
            &[
                output.say("日期", "DAY"),
                output.say("存在小时", "HOURS"),
                output.say("运行小时", "RUNNING"),
            ],
            rows(summary, "days")
                .map(|day| vec![text(day, "day"), short(day, "hours"), short(day, "runningHours")]),
        ),
        By::Owner => ranked("使用者", "OWNER", "owners"),
        By::Flavor => ranked("规格", "FLAVOR", "flavors"),
        By::Region => ranked("区域", "REGION", "regions"),
        By::Purpose => ranked("用途", "PURPOSE", "purposes"),
        By::Template => ranked("模板", "TEMPLATE", "templates"),
    });
    for remark in remarks(output, summary, total) {
        said.push_str(&format!("\n{remark}"));
    }
    said
}

/// What the figures do not say by themselves.
fn remarks(output: Output, summary: &Value, total: &Value) -> Vec<String> {
    let mut said = Vec::new();
    if short(total, "unpricedHours") != "0.00" {
        said.push(format!(
            "{}: {}",
            output.say(
                "没有价格的小时（未计费用）",
                "Hours without a known price, not in the cost"
            ),
            short(total, "unpricedHours")
        ));
    }
    if text(summary, "assumedEnds") != "0" {
        said.push(format!(
            "{}: {}",
            output.say(
                "未报告结束、按租期结束计的云服务器",
                "Servers taken to have ended with their lease"
            ),
            text(summary, "assumedEnds")
        ));
    }
    if summary.get("counting").and_then(Value::as_bool) == Some(true) {
        said.push(
            output
                .say(
                    "新数据仍在统计，数字尚未最终确定。",
                    "New events are still being counted; the figures are not final.",
                )
                .to_owned(),
        );
    }
    for source in rows(summary, "sources") {
        said.push(format!(
            "{} {}: {} {}, {} {}",
            output.say("来源", "Source"),
            text(source, "name"),
            text(source, "events"),
            output.say("个事件", "events"),
            output.say("取于", "taken"),
            times::moment(&text(source, "takenAt")),
        ));
    }
    said
}

fn months(output: Output, summary: &Value) -> String {
    let head = match output.tongue {
        api::Tongue::Chinese => [
            "月份",
            "存在小时",
            "运行小时",
            "费用",
            "计算",
            "磁盘",
            "公网地址",
            "未拆分",
            "流量（账单）",
            "账单金额",
        ],
        api::Tongue::English => [
            "MONTH",
            "HOURS",
            "RUNNING",
            "COST",
            "COMPUTE",
            "DISK",
            "ADDRESS",
            "NOT SPLIT",
            "TRAFFIC BILLED",
            "BILLED",
        ],
    };
    table(
        &head,
        rows(summary, "months").map(|month| {
            let none = Value::Null;
            let cost = month.get("cost").unwrap_or(&none);
            let bills = summary.get("bills").unwrap_or(&none);
            let bill = rows(bills, "months").find(|bill| bill.get("month") == month.get("month"));
            let mut line = vec![
                text(month, "month"),
                short(month, "hours"),
                short(month, "runningHours"),
            ];
            line.extend(["total", "compute", "disk", "address", "unsplit"].map(|kind| short(cost, kind)));
            line.extend(["traffic", "billed"].map(|part| short(bill.unwrap_or(&none), part)));
            line
        }),
    )
}

fn ranks<'a>(output: Output, what: &str, ranks: impl Iterator<Item = &'a Value>, currency: &str) -> String {
    let cost = format!("{} {currency}", output.say("费用", "COST"));
    let head = match output.tongue {
        api::Tongue::Chinese => [what, "云服务器", "存在小时", "运行小时", &cost, "上期"],
        api::Tongue::English => [what, "SERVERS", "HOURS", "RUNNING", &cost, "BEFORE"],
    };
    table(
        &head,
        ranks.map(|rank| {
            let (name, key, count) = (text(rank, "name"), text(rank, "key"), text(rank, "count"));
            let name = match (name.is_empty(), count.as_str()) {
                (_, "1") => named(output, if name.is_empty() { key } else { name }),
                _ => format!("{} {count}", output.say("其余", "others:")),
            };
            let mut line = vec![name, text(rank, "servers")];
            line.extend(["hours", "runningHours", "cost", "costBefore"].map(|key| short(rank, key)));
            line
        }),
    )
}

fn listed(output: Output, servers: &Value) -> String {
    let head = match output.tongue {
        api::Tongue::Chinese => [
            "云服务器",
            "使用者",
            "规格",
            "开始",
            "结束",
            "存在小时",
            "运行小时",
            "费用",
            "",
        ],
        api::Tongue::English => [
            "SERVER", "OWNER", "FLAVOR", "BEGAN", "ENDED", "HOURS", "RUNNING", "COST", "",
        ],
    };
    table(
        &head,
        rows(servers, "servers").map(|server| {
            let either = |key: &str, other: &str| {
                let word = text(server, key);
                if word.is_empty() {
                    text(server, other)
                } else {
                    word
                }
            };
            vec![
                either("name", "server"),
                either("owner", "ownerId"),
                text(server, "flavor"),
                times::moment(&text(server, "began")),
                times::moment(&text(server, "ended")),
                short(server, "hours"),
                short(server, "runningHours"),
                short(server, "cost"),
                text(server, "currency"),
            ]
        }),
    )
}

fn foretold(output: Output, forecast: &Value) -> String {
    let currency = text(forecast, "currency");
    let head = match output.tongue {
        api::Tongue::Chinese => ["", "期间", "已发生", "预计", "区间", "方法", "历史误差"],
        api::Tongue::English => [
            "",
            "DAYS",
            "SO FAR",
            "EXPECTED",
            "INTERVAL",
            "METHOD",
            "WRONG BEFORE BY",
        ],
    };
    let lines = [
        ("running", output.say("本月", "This month")),
        ("nextMonth", output.say("下月", "Next month")),
        ("nextQuarter", output.say("下季度", "Next quarter")),
    ];
    let lines = lines.map(|(key, name)| {
        let one = forecast.get(key).unwrap_or(&Value::Null);
        let range = match text(one, "low").is_empty() {
            true => String::new(),
            false => format!("{} – {}", short(one, "low"), short(one, "high")),
        };
        let wrong = match text(one, "errorPercent").as_str() {
            "" => String::new(),
            percent => format!(
                "{percent} % ({} {})",
                text(one, "tries"),
                output.say("次回测", "tries")
            ),
        };
        let little = match one.get("tooLittle").and_then(Value::as_bool) {
            Some(true) => output.say("，数据太少", ", too little to go by"),
            _ => "",
        };
        vec![
            name.to_owned(),
            format!("{} – {}", text(one, "from"), text(one, "to")),
            short(one, "soFar"),
            format!("{} {currency}", short(one, "expected")),
            range,
            format!("{}{little}", method(output, &text(one, "method"))),
            wrong,
        ]
    });
    table(&head, lines)
}

fn method(output: Output, word: &str) -> String {
    match word {
        "run_rate" => output.say("按本月至今", "as this month so far"),
        "last_month" => output.say("同上月", "as the last month"),
        "mean_of_three" => output.say("近三月平均", "mean of three months"),
        "trend_of_six" => output.say("近六月趋势", "line through six months"),
        "last_year" => output.say("去年同月", "as a year before"),
        other => return other.to_owned(),
    }
    .to_owned()
}
