//! A server's administrator gets another password.
//!
//! The password is nowhere but in memory, from the asking to the sending: what the ledger keeps of it is that it was
//! asked for. So a program that ends in between cannot send it any more. Whether it had begun to is written down right
//! before, and decides what is said afterwards.

use huaweicloud::ecs;
use secrecy::{ExposeSecret, SecretString};

use super::runner::{Done, Runner};
use super::{Detail, Operation, OperationKind};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::servers::Server;

/// Fewest and most characters (<https://support.huaweicloud.com/api-ecs/ecs_02_0302.html>).
const LENGTH: std::ops::RangeInclusive<usize> = 8..=26;
/// Signs that a password may have beside letters and digits.
const SIGNS: &str = "!@%-_=+[]:./?";

/// Whether the cloud, and then the guest, would take a password. It says nothing of it in its refusal.
fn check(password: &SecretString, user: &str) -> Result<()> {
    let text = password.expose_secret();
    let classes = [
        text.bytes().any(|byte| byte.is_ascii_uppercase()),
        text.bytes().any(|byte| byte.is_ascii_lowercase()),
        text.bytes().any(|byte| byte.is_ascii_digit()),
        text.chars().any(|c| SIGNS.contains(c)),
    ];
    let known = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c);
    let is_user = text.eq_ignore_ascii_case(user)
        || text.len() == user.len()
            && text
                .chars()
                .rev()
                .zip(user.chars())
                .all(|(a, b)| a.eq_ignore_ascii_case(&b));
    let fits = LENGTH.contains(&text.chars().count())
        && text.chars().all(known)
        && classes.iter().filter(|class| **class).count() >= 3
        && !is_user;
    if fits {
        Ok(())
    } else {
        Err(Failure::new(Code::PasswordInvalid)
            .with("least", LENGTH.start())
            .with("most", LENGTH.end())
            .with("signs", SIGNS))
    }
}

/// The person one logs in as.
fn user_of(server: &Server) -> &'static str {
    if server.os.as_deref() == Some("Windows") {
        "Administrator"
    } else {
        "root"
    }
}

impl Wangcheng {
    /// Gives a server's administrator another password. It holds after the next start or restart, and the cloud does
    /// not report whether the guest took it.
    ///
    /// # Errors
    /// `PasswordInvalid`; `PasswordPluginMissing` when the guest has not what sets it; `ServerUnknown`, `NotOwn`,
    /// `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn reset_password(&self, server: &str, password: SecretString) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        check(&password, user_of(&server))?;
        let client = self.client(&live).await?;
        let flag = ecs::can_reset_password(&client, &live.project(), &server.id.as_str().into()).await?;
        if flag.value != Some(true) {
            return Err(Failure::new(Code::PasswordPluginMissing).with("name", &server.name));
        }
        let detail = Detail::of_server(&server);
        let id = uuid::Uuid::now_v7().to_string();
        self.held().insert(id.clone(), password);
        let recorded = self
            .record(
                &live,
                OperationKind::ResetPassword,
                id.clone(),
                Some(server.id),
                server.name,
                None,
                "{}".to_owned(),
                detail,
            )
            .await;
        if recorded.is_err() {
            self.held().remove(&id);
        }
        recorded
    }
}

impl Runner {
    pub(super) async fn reset_password(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let password = if self.wangcheng.rehearsal.is_some() {
            // It is not shown, and what is to be sent stays where it is.
            Some(SecretString::from("***"))
        } else {
            self.wangcheng.held().remove(&self.id)
        };
        let Some(password) = password else {
            return Err(if self.operation.detail.sending {
                Code::PasswordPerhapsSet.into()
            } else {
                Code::PasswordNotSent.into()
            });
        };
        self.operation.detail.sending = true;
        self.keep_detail().await?;
        // The same password twice does what once does.
        self.persist(|client, project| {
            let (server, password) = (server.clone(), password.clone());
            async move { ecs::reset_password(&client, &project, &server, &password).await }
        })
        .await?;
        self.mark_sent(Some(server.to_string()), None).await;
        Ok(Done { at: self.cloud_now() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(password: &str, user: &str) -> bool {
        check(&password.to_owned().into(), user).is_ok()
    }

    #[test]
    fn a_password_has_eight_to_twenty_six_characters_of_three_kinds() {
        assert!(fits("Example-1", "root"));
        assert!(fits("example-1", "root"));
        for weak in [
            "Ex-1",
            "exampleexample",
            "Exampleexample",
            "Example 123",
            "Пример-123",
            "Example-1$",
        ] {
            assert!(!fits(weak, "root"), "{weak}");
        }
        assert!(fits(&format!("Ex-1{}", "x".repeat(22)), "root"));
        assert!(!fits(&format!("Ex-1{}", "x".repeat(23)), "root"));
    }

    #[test]
    fn a_password_is_not_the_users_name_neither_way_round() {
        assert!(!fits("User-Name1", "user-name1"));
        assert!(!fits("1emaN-resU", "user-name1"));
    }

    #[test]
    fn a_refusal_does_not_repeat_the_password() {
        let failure = check(&"secretword".to_owned().into(), "root").unwrap_err();
        assert!(!serde_json::to_string(&failure).unwrap().contains("secretword"));
    }
}
