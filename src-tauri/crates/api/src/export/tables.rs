//! The summary's tables, with headings in the user's language.

use chrono::{Datelike as _, NaiveDate};
use rust_decimal::Decimal;
use wangcheng::Wangcheng;
use wangcheng::usage::{
    AllServers, UsageAsk, UsageBilled, UsageRank, UsageServer, UsageSource, UsageSpent, UsageSummary,
    UsageTop,
};
use wangcheng::{Code, Failure, Result};

use super::{Cell, ExportTable, Table};
use crate::words::Tongue;

/// Most owners in a table; its last line stands for the rest and says how many they are.
const OWNERS_MOST: u32 = 10_000;

/// All tables, or one of them.
pub(super) async fn all(
    domain: &Wangcheng,
    ask: &UsageAsk,
    tongue: Tongue,
    only: Option<ExportTable>,
) -> Result<Vec<Table>> {
    let says = Says(tongue);
    let wanted = |table: ExportTable| only.is_none_or(|only| only == table);
    let summary = domain.usage_summary(ask.clone()).await?;
    let mut tables = Vec::new();
    if wanted(ExportTable::Summary) {
        tables.push(figures(says, &summary));
    }
    if wanted(ExportTable::Months) {
        tables.push(months(says, &summary)?);
    }
    if wanted(ExportTable::Days) {
        tables.push(days(says, &summary));
    }
    if wanted(ExportTable::Owners) {
        let top = UsageTop {
            from: ask.from,
            to: ask.to,
            cut: ask.cut.clone(),
            limit: OWNERS_MOST,
            skip: 0,
        };
        let owners = domain.usage_owners(top).await?.owners;
        tables.push(ranks(says, &summary, ExportTable::Owners, &owners)?);
    }
    for (which, list) in [
        (ExportTable::Flavors, &summary.flavors),
        (ExportTable::Regions, &summary.regions),
        (ExportTable::Purposes, &summary.purposes),
        (ExportTable::Templates, &summary.templates),
    ] {
        if wanted(which) {
            tables.push(ranks(says, &summary, which, list)?);
        }
    }
    if wanted(ExportTable::Servers) {
        tables.push(listed(says, domain.usage_all_servers(ask.clone()).await?));
    }
    if wanted(ExportTable::Sources) {
        tables.push(sources(says, &summary.sources));
    }
    Ok(tables)
}

/// Chinese or English.
#[derive(Clone, Copy)]
struct Says(Tongue);

impl Says {
    fn say(self, zh: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Tongue::Chinese => zh,
            Tongue::English => en,
        }
    }

    fn head(self, words: &[(&'static str, &'static str)]) -> Vec<String> {
        words.iter().map(|(zh, en)| self.say(zh, en).to_owned()).collect()
    }

    fn name(self, which: ExportTable) -> &'static str {
        match which {
            ExportTable::Summary => self.say("汇总", "Summary"),
            ExportTable::Months => self.say("按月", "Months"),
            ExportTable::Days => self.say("按日", "Days"),
            ExportTable::Owners => self.say("使用者", "Owners"),
            ExportTable::Flavors => self.say("规格", "Flavors"),
            ExportTable::Regions => self.say("区域", "Regions"),
            ExportTable::Purposes => self.say("用途", "Purposes"),
            ExportTable::Templates => self.say("模板", "Templates"),
            ExportTable::Servers => self.say("云服务器", "Servers"),
            ExportTable::Sources => self.say("数据来源", "Sources"),
        }
    }

    fn table(self, which: ExportTable, head: Vec<String>, rows: Vec<Vec<Cell>>) -> Table {
        Table {
            name: self.name(which),
            head,
            rows: super::rows(rows),
        }
    }
}

fn text(word: &str) -> Cell {
    match word {
        "" => Cell::Nothing,
        word => Cell::Text(word.to_owned()),
    }
}

fn money(amount: Decimal, currency: &str) -> Cell {
    match currency {
        "" => Cell::Nothing,
        _ => Cell::Money(amount),
    }
}

fn figures(says: Says, summary: &UsageSummary) -> Table {
    let head = vec![
        says.say("项目", "Figure").to_owned(),
        format!("{} – {}", summary.from, summary.to),
        match (summary.before_from, summary.before_to) {
            (Some(from), Some(to)) => format!("{from} – {to}"),
            _ => String::new(),
        },
    ];
    let currency = &summary.currency;
    let figure = |word: String, of: &dyn Fn(&UsageSpent) -> Cell| {
        let before = summary.before.as_ref().map_or(Cell::Nothing, of);
        vec![Cell::Text(word), of(&summary.total), before]
    };
    let said = |zh, en| says.say(zh, en).to_owned();
    let priced = |zh, en| format!("{} ({currency})", says.say(zh, en));
    let mut rows = vec![
        figure(priced("费用（估算）", "Cost, estimate"), &|spent| {
            money(spent.cost.total, currency)
        }),
        figure(priced("计算", "Compute"), &|spent| {
            money(spent.cost.compute, currency)
        }),
        figure(priced("磁盘", "Disks"), &|spent| {
            money(spent.cost.disk, currency)
        }),
        figure(priced("公网地址", "Public address"), &|spent| {
            money(spent.cost.address, currency)
        }),
        figure(priced("未拆分", "Not split up"), &|spent| {
            money(spent.cost.unsplit, currency)
        }),
        figure(said("云服务器", "Servers"), &|spent| {
            Cell::Count(spent.servers)
        }),
        figure(said("使用者", "Owners"), &|spent| Cell::Count(spent.owners)),
        figure(said("存在小时", "Hours there"), &|spent| {
            Cell::Number(spent.hours)
        }),
        figure(said("运行小时", "Hours running"), &|spent| {
            Cell::Number(spent.running_hours)
        }),
        figure(said("磁盘 GB·小时", "Disk GB·h"), &|spent| {
            Cell::Number(spent.disk_gb_hours)
        }),
        figure(
            said("无价格小时（未计费用）", "Hours without a price, in no cost"),
            &|spent| Cell::Number(spent.unpriced_hours),
        ),
    ];
    let bills = &summary.bills;
    if !bills.months.is_empty() {
        let billed = [
            (priced("流量（账单）", "Traffic, as billed"), bills.traffic),
            (priced("账单金额", "Billed"), bills.billed),
        ];
        rows.extend(billed.map(|(word, amount)| vec![Cell::Text(word), Cell::Money(amount), Cell::Nothing]));
    }
    rows.push(vec![
        Cell::Text(said("截至", "As of")),
        Cell::Moment(summary.as_of),
        Cell::Nothing,
    ]);
    if summary.assumed_ends > 0 {
        rows.push(vec![
            Cell::Text(said(
                "按租期结束计的云服务器",
                "Servers taken to have ended with their lease",
            )),
            Cell::Count(summary.assumed_ends),
            Cell::Nothing,
        ]);
    }
    says.table(ExportTable::Summary, head, rows)
}

/// The first of a month, as `2026-11`.
fn first(month: &str) -> Result<NaiveDate> {
    let day = format!("{month}-01").parse::<NaiveDate>();
    day.map_err(|error| Failure::new(Code::Internal).saying(error))
}

fn months(says: Says, summary: &UsageSummary) -> Result<Table> {
    let head = says.head(&[
        ("月份", "Month"),
        ("存在小时", "Hours there"),
        ("运行小时", "Hours running"),
        ("费用", "Cost"),
        ("计算", "Compute"),
        ("磁盘", "Disks"),
        ("公网地址", "Public address"),
        ("未拆分", "Not split up"),
        ("流量（账单）", "Traffic, as billed"),
        ("账单金额", "Billed"),
        ("币种", "Currency"),
    ]);
    let currency = &summary.currency;
    let rows = summary.months.iter().map(|month| {
        let bill = summary.bills.months.iter().find(|bill| bill.month == month.month);
        let of_bill = |part: fn(&UsageBilled) -> Decimal| {
            bill.map_or(Cell::Nothing, |bill| money(part(bill), &summary.bills.currency))
        };
        let cost = &month.cost;
        let mut row = vec![
            Cell::Month(first(&month.month)?),
            Cell::Number(month.hours),
            Cell::Number(month.running_hours),
        ];
        row.extend(
            [cost.total, cost.compute, cost.disk, cost.address, cost.unsplit]
                .map(|amount| money(amount, currency)),
        );
        row.push(of_bill(|bill| bill.traffic));
        row.push(of_bill(|bill| bill.billed));
        row.push(text(currency));
        Ok(row)
    });
    Ok(says.table(ExportTable::Months, head, rows.collect::<Result<_>>()?))
}

fn days(says: Says, summary: &UsageSummary) -> Table {
    let head = says.head(&[
        ("日期", "Day"),
        ("存在小时", "Hours there"),
        ("运行小时", "Hours running"),
    ]);
    let rows = summary.days.iter().map(|day| {
        vec![
            Cell::Day(day.day),
            Cell::Number(day.hours),
            Cell::Number(day.running_hours),
        ]
    });
    says.table(ExportTable::Days, head, rows.collect())
}

fn ranks(says: Says, summary: &UsageSummary, which: ExportTable, ranks: &[UsageRank]) -> Result<Table> {
    let mut head = vec![says.name(which).to_owned(), "ID".to_owned()];
    head.extend(says.head(&[
        ("云服务器", "Servers"),
        ("存在小时", "Hours there"),
        ("运行小时", "Hours running"),
        ("磁盘 GB·小时", "Disk GB·h"),
        ("费用", "Cost"),
        ("上期费用", "Cost before"),
        ("币种", "Currency"),
    ]));
    for month in &summary.months {
        let day = first(&month.month)?;
        head.push(format!("{:04}-{:02}", day.year(), day.month()));
    }
    let currency = &summary.currency;
    let rows = ranks.iter().map(|rank| {
        let name = match (rank.count, rank.name.is_empty(), rank.key.is_empty()) {
            (2.., ..) => format!("{} {}", says.say("其余", "others:"), rank.count),
            (_, false, _) => rank.name.clone(),
            (_, true, false) => rank.key.clone(),
            (_, true, true) => says.say("（无）", "(none)").to_owned(),
        };
        let mut row = vec![
            Cell::Text(name),
            text(&rank.key),
            Cell::Count(rank.servers),
            Cell::Number(rank.hours),
            Cell::Number(rank.running_hours),
            Cell::Number(rank.disk_gb_hours),
            money(rank.cost, currency),
            money(rank.cost_before, currency),
            text(currency),
        ];
        row.extend(rank.months.iter().map(|amount| money(*amount, currency)));
        row
    });
    Ok(says.table(which, head, rows.collect()))
}

fn listed(says: Says, servers: AllServers) -> Table {
    let head = says.head(&[
        ("云服务器", "Server"),
        ("ID", "ID"),
        ("使用者", "Owner"),
        ("规格", "Flavor"),
        ("区域", "Region"),
        ("用途", "Purpose"),
        ("模板", "Template"),
        ("开始", "Began"),
        ("结束", "Ended"),
        ("存在小时", "Hours there"),
        ("运行小时", "Hours running"),
        ("磁盘 GB·小时", "Disk GB·h"),
        ("费用", "Cost"),
        ("币种", "Currency"),
    ]);
    Table {
        name: says.name(ExportTable::Servers),
        head,
        rows: Box::new(servers.map(|server| server.map(|server| line(&server)))),
    }
}

fn line(server: &UsageServer) -> Vec<Cell> {
    let moment = |at: Option<_>| at.map_or(Cell::Nothing, Cell::Moment);
    let owner = match server.owner.as_str() {
        "" => &server.owner_id,
        _ => &server.owner,
    };
    vec![
        text(&server.name),
        text(&server.server),
        text(owner),
        text(&server.flavor),
        text(&server.region),
        text(&server.purpose),
        text(&server.template),
        moment(server.began),
        moment(server.ended),
        Cell::Number(server.hours),
        Cell::Number(server.running_hours),
        Cell::Number(server.disk_gb_hours),
        money(server.cost, &server.currency),
        text(&server.currency),
    ]
}

fn sources(says: Says, sources: &[UsageSource]) -> Table {
    let head = says.head(&[
        ("来源", "Source"),
        ("读取时间", "Taken"),
        ("最早", "First"),
        ("最晚", "Last"),
        ("事件", "Events"),
        ("重复", "Known before"),
        ("无法读取", "Unreadable"),
        ("完整", "Complete"),
    ]);
    let moment = |at: Option<_>| at.map_or(Cell::Nothing, Cell::Moment);
    let rows = sources.iter().map(|source| {
        vec![
            text(&source.name),
            moment(source.taken_at),
            moment(source.first),
            moment(source.last),
            Cell::Count(source.events),
            Cell::Count(source.doubled),
            Cell::Count(source.unreadable),
            text(match source.complete {
                true => says.say("是", "yes"),
                false => says.say("否", "no"),
            }),
        ]
    });
    says.table(ExportTable::Sources, head, rows.collect())
}
