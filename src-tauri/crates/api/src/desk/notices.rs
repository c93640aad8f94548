//! What the system's notifications say.

use chrono::Local;
use wangcheng::money::Money;
use wangcheng::usage::{BudgetReached, BudgetScope};

use super::{Notice, shown};
use crate::links::Wish;
use crate::views::{Change, OperationOutcome, OperationStage};
use crate::words::Tongue;

pub(super) fn notice_of(change: &Change, tongue: Tongue, warn: &[i64], operations: bool) -> Option<Notice> {
    match change {
        Change::LeaseWarned {
            server,
            name,
            lease_end,
            minutes,
            ..
        } if warn.contains(minutes) => {
            let end = lease_end.with_timezone(&Local).format("%H:%M");
            let name = shown(name);
            let (title, body, action) = match tongue {
                Tongue::Chinese => (
                    format!("“{name}”将于 {end} 到期"),
                    "到期后云服务器会被删除，磁盘上的数据也会一并删除。".to_owned(),
                    "延长租期…",
                ),
                Tongue::English => (
                    format!("“{name}” ends at {end}"),
                    "Then the server is deleted, with what is on its disks.".to_owned(),
                    "Extend…",
                ),
            };
            Some(Notice {
                title,
                body,
                action: action.to_owned(),
                wish: Wish::Extend {
                    server: server.clone(),
                },
                urgent: *minutes <= 10,
            })
        }
        Change::Operation { operation } if operations => {
            if !matches!(operation.stage, OperationStage::Settled) {
                return None;
            }
            let name = shown(&operation.server_name);
            let failed = match operation.outcome? {
                OperationOutcome::Ok => false,
                OperationOutcome::Failed => true,
                // Whoever gave it up knows.
                OperationOutcome::Cancelled => return None,
            };
            let (title, action) = match (tongue, failed) {
                (Tongue::Chinese, false) => (format!("“{name}”：操作已完成"), "查看"),
                (Tongue::Chinese, true) => (format!("“{name}”：操作失败"), "查看"),
                (Tongue::English, false) => (format!("“{name}”: done"), "Show"),
                (Tongue::English, true) => (format!("“{name}”: failed"), "Show"),
            };
            let body = operation
                .error
                .as_ref()
                .map(|error| error.sentence.replace(['<', '>', '&'], " "))
                .unwrap_or_default();
            let wish = match &operation.server_id {
                Some(server) if !failed => Wish::Server {
                    server: server.clone(),
                },
                _ => Wish::Screen {
                    screen: "operations".to_owned(),
                },
            };
            Some(Notice {
                title,
                body,
                action: action.to_owned(),
                wish,
                urgent: false,
            })
        }
        Change::BudgetReached { reached } => Some(budget_notice(reached, tongue)),
        _ => None,
    }
}

/// What is told of a budget.
fn budget_notice(reached: &BudgetReached, tongue: Tongue) -> Notice {
    let name = match (reached.scope, tongue) {
        (BudgetScope::All, Tongue::Chinese) => "全部".to_owned(),
        (BudgetScope::All, Tongue::English) => "everything".to_owned(),
        _ => format!("“{}”", shown(&reached.name)),
    };
    let percent = reached.percent;
    let sum = |money: &Money| format!("{} {}", money.amount.round_dp(2), money.currency);
    let (amount, budget) = (sum(&reached.amount), sum(&reached.budget));
    let (title, body, action) = match (tongue, reached.expected) {
        (Tongue::Chinese, false) => (
            format!("预算（{name}）已用 {percent}%"),
            format!("本月已花费 {amount}，预算 {budget}（估算）。"),
            "查看",
        ),
        (Tongue::Chinese, true) => (
            format!("预算（{name}）预计达到 {percent}%"),
            format!("按目前进度本月将花费 {amount}，预算 {budget}（估算）。"),
            "查看",
        ),
        (Tongue::English, false) => (
            format!("The budget for {name}: {percent}% is spent"),
            format!("{amount} of {budget} this month, estimated."),
            "Show",
        ),
        (Tongue::English, true) => (
            format!("The budget for {name} will reach {percent}%"),
            format!("As this month goes it comes to {amount} of {budget}, estimated."),
            "Show",
        ),
    };
    Notice {
        title,
        body,
        action: action.to_owned(),
        wish: Wish::Screen {
            screen: "usage".to_owned(),
        },
        urgent: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_told_with_its_amounts_and_leads_to_the_usage() {
        let money = |amount: &str| Money::new(amount.parse().unwrap(), "CNY");
        let reached = |expected| BudgetReached {
            scope: BudgetScope::Owner,
            key: "id".to_owned(),
            name: "li\u{202e}wei".to_owned(),
            month: "2026-11".to_owned(),
            percent: 80,
            expected,
            amount: money("81.234567"),
            budget: money("100"),
        };
        let change = Change::BudgetReached {
            reached: Box::new(reached(false)),
        };
        let told = notice_of(&change, Tongue::English, &[], false).unwrap();
        assert_eq!(told.title, "The budget for “liwei”: 80% is spent");
        assert_eq!(told.body, "81.23 CNY of 100 CNY this month, estimated.");
        let screen = "usage".to_owned();
        assert_eq!(told.wish, Wish::Screen { screen });
        let told = budget_notice(&reached(true), Tongue::Chinese);
        assert_eq!(told.title, "预算（“liwei”）预计达到 80%");
    }

    #[test]
    fn only_warnings_that_are_asked_for_are_told() {
        let warned = |minutes| Change::LeaseWarned {
            account: "a".to_owned(),
            server: "s".to_owned(),
            name: "dev<b>".to_owned(),
            lease_end: "2025-11-24T06:30:00Z".parse().unwrap(),
            minutes,
        };
        let told = notice_of(&warned(30), Tongue::English, &[10, 30], true).unwrap();
        assert!(told.title.starts_with("“dev<b>” ends at "), "{}", told.title);
        assert!(!told.body.contains('<'), "a body may be read as markup");
        assert_eq!(
            told.wish,
            Wish::Extend {
                server: "s".to_owned()
            }
        );
        assert!(!told.urgent);
        assert!(
            notice_of(&warned(10), Tongue::Chinese, &[10], false)
                .unwrap()
                .urgent
        );
        assert_eq!(notice_of(&warned(120), Tongue::English, &[10, 30], true), None);
    }
}
